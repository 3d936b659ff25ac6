"""Invented villages in which persons are hard to tell apart; every record knows whose it is."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import combinations

import numpy as np
import polars as pl

GIVEN = (
    "SITI", "SLAMET", "SRI", "AHMAD", "NUR", "AGUS", "DEWI", "BUDI", "RINA", "JOKO", "EKO", "WATI", "HASAN",
    "DEDI", "YULI", "ENDANG", "SUTRISNO", "SUPARMAN", "KUSUMA", "WAGINI", "TUTIK", "MULYADI", "PONIRAN",
    "KARTINI", "RATNA", "IMAM", "LILIK", "SUMARNI", "HERI", "ANIK", "SULASTRI", "BAMBANG", "MISNATI", "ROHMAN",
    "JUMADI", "TITIK", "FATIMAH", "SAMSUL",
)  # fmt: skip
LATER = (
    "AMINAH", "RIYADI", "RAHAYU", "HIDAYAT", "LESTARI", "SANTOSO", "HARTONO", "WAHYUNI", "SETIAWAN", "SARI",
    "PRASETYO", "ASTUTI", "MAULANA", "KHOTIMAH", "NUGROHO", "HASANAH", "SUSANTO", "PUSPITA", "UTOMO",
    "NINGSIH", "ANWAR", "PURWANTI", "HALIMAH", "GUNAWAN", "FADILAH", "SAPUTRA", "MARDIANA", "KURNIAWAN",
    "SUSILOWATI", "ARIFIN", "ZULAIKHA", "WIBOWO", "MAHARDIKA",
)  # fmt: skip
_NEWBORN = ("BAYI NY. {}", "BY NY {}", "ANAK {}", "ANAK KE-{}", "BAYI {}", None)
_HOUSES = 0.08
"""Share of the persons who are the special ones of their kind."""


@dataclass(frozen=True)
class Record:
    """What a file says of somebody."""

    owner: int
    full_name: str | None
    birth_date: date | None
    is_female: bool
    national_id: str | None
    region: str = "35.10.09.2001"


@dataclass
class Village:
    """Records so far, and the dice."""

    dice: np.random.Generator
    day_of: Callable[[np.random.Generator], date]
    has_numbers: bool = True
    records: list[Record] = field(default_factory=list)
    serial: int = 0

    def number(self, born: date, *, is_female: bool) -> str | None:
        """Number of the one district; serials run on."""
        self.serial += 1
        day = born.day + 40 * is_female
        return f"351009{day:02}{born:%m%y}{self.serial % 9_999 + 1:04}" if self.has_numbers else None

    def name(self) -> str:
        """Two or three words, the first of the lists the most frequent ones."""
        given, later = (words[min(int(self.dice.geometric(0.06)) - 1, len(words) - 1)] for words in (GIVEN, LATER))
        third = f" {LATER[int(self.dice.integers(len(LATER)))]}" if self.dice.random() < 0.4 else ""
        return f"{given} {later}{third}"

    def add(self, name: str | None, born: date, *, is_female: bool | None = None) -> Record:
        """A new person."""
        is_female = bool(self.dice.random() < 0.5) if is_female is None else is_female
        owner = len({one.owner for one in self.records})
        made = Record(owner, name, born, is_female, self.number(born, is_female=is_female))
        self.records.append(made)
        return made


def _any_day(dice: np.random.Generator) -> date:
    return date(1940, 1, 1) + timedelta(days=int(dice.integers(30_000)))


def _first_of_january(dice: np.random.Generator) -> date:
    return date(1940 + int(dice.integers(80)), 1, 1)


def _filler_days(dice: np.random.Generator) -> date:
    """A third of the village by filler dates."""
    born = _any_day(dice)
    filler = ((1, 1), (7, 1), (12, 31))[int(dice.integers(3))]
    return born.replace(month=filler[0], day=filler[1]) if dice.random() < 0.35 else born


def _nobody_special(village: Village) -> None:
    del village


def _twins(village: Village) -> None:
    """Two of one birth date with one name of the family, numbers one after the other."""
    born, family = _any_day(village.dice), LATER[int(village.dice.integers(len(LATER)))]
    for given in village.dice.choice(GIVEN, 2, replace=False):
        village.add(f"{given} {family}", born, is_female=True)


def _alike_twins(village: Village) -> None:
    """Two of one birth date whose names differ in a letter or an ending."""
    born, name = _any_day(village.dice), village.name()
    village.add(name, born, is_female=True)
    village.add(_alike(name, village.dice), born, is_female=True)


def _alike_siblings(village: Village) -> None:
    """Two born a year apart whose names differ in a letter or an ending."""
    born, name = _any_day(village.dice), village.name()
    village.add(name, born, is_female=True)
    village.add(_alike(name, village.dice), _year_later(born, village.dice), is_female=True)


def _year_later(born: date, dice: np.random.Generator) -> date:
    """On the same day every second time."""
    later = born + timedelta(days=365)
    return later if dice.random() < 0.5 else later + timedelta(days=int(dice.integers(-60, 60)))


def _alike(name: str, dice: np.random.Generator) -> str:
    kind = int(dice.integers(3))
    if kind == 0:
        return f"{name[:-1]}TUN" if name[-1] != "N" else f"{name}AH"
    at = int(dice.integers(1, len(name.split(maxsplit=1)[0])))
    other = "AINUEOKTR"[int(dice.integers(9))]
    return name[:at] + other + name[at + (kind == 1) :] if name[at] != other else f"{name}I"


def _wife_with_the_husbands_number(village: Village) -> None:
    born = _any_day(village.dice)
    husband = village.add(village.name(), born, is_female=False)
    names = (village.name() for _ in range(100))
    own = next(name for name in names if name != husband.full_name)
    wife = village.add(own, born + timedelta(days=int(village.dice.integers(-4_000, 4_000))), is_female=True)
    village.records[-1] = replace(wife, national_id=husband.national_id)


def _unnamed_twins(village: Village) -> None:
    """Two newborns without number and name."""
    born = date(2025, 6, 1) + timedelta(days=int(village.dice.integers(180)))
    form = _NEWBORN[int(village.dice.integers(len(_NEWBORN)))]
    mother = GIVEN[int(village.dice.integers(len(GIVEN)))]
    is_counted = form is not None and form.startswith(("ANAK", "BAYI {"))
    for at in ("1", "2"):
        name = None if form is None else form.format(at if is_counted else mother)
        one = village.add(name, born)
        village.records[-1] = replace(one, national_id=None)


def _father_and_son(village: Village) -> None:
    born, name = date(1940, 1, 1) + timedelta(days=int(village.dice.integers(20_000))), village.name()
    village.add(name, born, is_female=False)
    son = born.replace(year=born.year + int(village.dice.integers(18, 40)), day=min(born.day, 28))
    on_one_day = village.dice.random() < 0.3
    village.add(name, son if on_one_day else son + timedelta(days=int(village.dice.integers(1, 300))), is_female=False)


KINDS: dict[str, tuple[Callable[[np.random.Generator], date], Callable[[Village], None], bool]] = {
    "numbers of one district": (_any_day, _nobody_special, True),
    "persons without numbers": (_any_day, _nobody_special, False),
    "twins with neighbouring numbers": (_any_day, _twins, True),
    "twins without numbers": (_any_day, _twins, False),
    "twins of alike names": (_any_day, _alike_twins, True),
    "twins of alike names, without numbers": (_any_day, _alike_twins, False),
    "all born on 1 January": (_first_of_january, _nobody_special, True),
    "all born on 1 January, without numbers": (_first_of_january, _nobody_special, False),
    "a third with filler dates": (_filler_days, _nobody_special, True),
    "a third with filler dates, without numbers": (_filler_days, _nobody_special, False),
    "a wife with her husband's number": (_any_day, _wife_with_the_husbands_number, True),
    "unnamed newborn twins": (_any_day, _unnamed_twins, True),
    "siblings of alike names": (_any_day, _alike_siblings, True),
    "siblings of alike names, without numbers": (_any_day, _alike_siblings, False),
    "father and son of one name": (_any_day, _father_and_son, True),
    "father and son of one name, without numbers": (_any_day, _father_and_son, False),
}


def made_village(kind: str, persons: int, seed: int) -> tuple[pl.DataFrame, set[tuple[str, str]]]:
    """Records of a village of one kind, a tenth of them stated again with errors, and the pairs that are one person.

    Returns
    -------
    DataFrame
        `id, full_name, birth_date, region, national_id`, in no order.
    """
    day_of, special, has_numbers = KINDS[kind]
    village = Village(np.random.default_rng(seed), day_of, has_numbers)
    while len(village.records) < persons:
        if village.dice.random() < _HOUSES:
            special(village)
        village.add(village.name(), village.day_of(village.dice))
    originals = village.records[:persons]
    again = [_noisy(originals[at], village.dice) for at in village.dice.choice(persons, persons // 10, replace=False)]
    records = [*originals, *again]
    order = village.dice.permutation(len(records))
    rows = [
        {"id": f"p{place:05}", "full_name": records[at].full_name, "birth_date": records[at].birth_date,
         "region": records[at].region, "national_id": records[at].national_id}
        for place, at in enumerate(order)
    ]  # fmt: skip
    owners: dict[int, list[str]] = {}
    for place, at in enumerate(order):
        owners.setdefault(records[at].owner, []).append(f"p{place:05}")
    truth = {(min(pair), max(pair)) for held in owners.values() for pair in combinations(held, 2)}
    schema = {name: pl.Date if name == "birth_date" else pl.String for name in rows[0]}
    return pl.DataFrame(rows, schema=schema), truth


def _noisy(record: Record, dice: np.random.Generator) -> Record:
    """The record as somebody else took it down: a number mistyped, day and month swapped, a name shortened, none."""
    noise = dice.random(4)
    number, name, born = record.national_id, record.full_name, record.birth_date
    if number is not None and noise[0] < 0.4:
        number = _mistyped(number, dice) if noise[0] < 0.3 else None
    if name is not None and noise[1] < 0.35:
        words = name.split()
        short = f"{words[0]} {words[1][0]}" if len(words) > 1 else name
        at = int(dice.integers(1, len(name) - 1))
        name = short if noise[1] < 0.1 else name[:at] + name[at + 1 :] if noise[1] < 0.25 else " ".join(words[::-1])
    if born is not None and noise[2] < 0.1:
        born = born.replace(month=born.day, day=born.month) if born.day <= 12 else born + timedelta(days=1)
    return replace(record, full_name=name, birth_date=born, national_id=number)


def _mistyped(number: str, dice: np.random.Generator) -> str:
    """One digit wrong, or two neighbours exchanged."""
    at = int(dice.integers(len(number) - 1))
    if dice.random() < 0.4 and number[at] != number[at + 1]:
        return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    return number[:at] + str((int(number[at]) + int(dice.integers(1, 10))) % 10) + number[at + 1 :]
