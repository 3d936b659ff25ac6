"""What goes wrong with a person's number, name and birth date when they are stated; how often is said in `noise.yaml`.

A fault that cannot befall a value (no second element to drop, no day that could be a month) gives way to one that can,
and what is recorded is the fault that befell.
"""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from world.dice import Array, pick
from world.numbers import day_month_year

DIGITS = 16
_FIRST_FAULTY_DIGIT = 2
_PLACEHOLDERS = ("0" * DIGITS, "1" * DIGITS, "9" * DIGITS)
_ABBREVIATIONS: Mapping[str, tuple[str, ...]] = {
    "Muhammad": ("Moh.", "M.", "Muh.", "Mohammad", "Mohamad", "Muhamad"),
    "Moch": ("Moh.", "M.", "Mochamad"),
    "Ahmad": ("A.", "Akhmad", "Achmad", "Ach."),
    "Achmad": ("A.", "Ahmad", "Ach."),
    "Abdul": ("Abd.", "A."),
    "Siti": ("St.", "Sti", "S."),
    "Nur": ("N.", "Noer"),
    "Raden": ("Rd.", "R."),
}
_SPELLINGS = (("u", "oe"), ("j", "dj"), ("c", "tj"), ("y", "j"), ("f", "p"), ("z", "j"), ("i", "ie"), ("dh", "d"))
_MONTHS = 12


def drawn(rng: np.random.Generator, count: int, shares: Mapping[str, float]) -> Array:
    """The fault of each of `count` values, mostly none (empty)."""
    names = np.array([*shares, ""])
    return names[pick(rng, count, {**shares, "": 1 - sum(shares.values())})]


def wrong_numbers(rng: np.random.Generator, niks: Array, fault: Array) -> list[str | None]:
    """Numbers (int64) as stated with these faults: missing, digit, transposed, malformed, placeholder."""
    digits = niks[:, None] // 10 ** np.arange(DIGITS - 1, -1, -1) % 10
    at = rng.integers(_FIRST_FAULTY_DIGIT, DIGITS, len(niks))
    by = rng.integers(1, 10, len(niks))
    rows = np.arange(len(niks))
    one_off = digits.copy()
    one_off[rows, at] = (digits[rows, at] + by) % 10
    # Serial 0000 would be malformed: another digit in that place.
    bad = (one_off[:, -4:] == 0).all(axis=1)
    one_off[rows[bad], at[bad]] = (digits[rows[bad], at[bad]] + by[bad] % 9 + 1) % 10
    swapped = digits.copy()
    # Neighbours that differ, at random, and not so that the serial becomes 0000; there are always some.
    fit = digits[:, 1:] != digits[:, :-1]
    fit[:, :_FIRST_FAULTY_DIGIT] = False
    fit[:, DIGITS - 5] &= (digits[:, -3:] != 0).any(axis=1) | (digits[:, -5] != 0)
    left = np.where(fit, rng.random(fit.shape), -1).argmax(axis=1)
    swapped[rows, left], swapped[rows, left + 1] = digits[rows, left + 1], digits[rows, left]
    kind = rng.integers(0, 3, len(niks))

    def text(row: Array) -> str:
        return "".join(map(str, row.tolist()))

    def malformed(row: int) -> str:
        said = text(digits[row])
        return (said[:-1], f"{said[0]}.{said[1:3]}E+15", f"{said[:-4]}0000")[kind[row]]

    state: dict[str, Callable[[int], str | None]] = {
        "missing": lambda _: None,
        "digit": lambda row: text(one_off[row]),
        "transposed": lambda row: text(swapped[row]),
        "malformed": malformed,
        "placeholder": lambda row: _PLACEHOLDERS[kind[row]],
    }
    return [state[name](row) for row, name in enumerate(fault.tolist())]


def _letter(name: str, dice: float, kind: int) -> str:
    places = [at for at, sign in enumerate(name) if sign.isalpha() and at > 0]
    at = places[int(dice * len(places))]
    other = chr((ord(name[at].lower()) - ord("a") + 1 + kind * 7) % 26 + ord("a"))
    if kind == 0:
        return name[:at] + name[at + 1 :]
    if kind == 1:
        return name[:at] + name[at] + name[at:]
    if kind == 2 and at + 1 < len(name) and name[at + 1].isalpha() and name[at + 1] != name[at]:  # noqa: PLR2004
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return name[:at] + other + name[at + 1 :]


def _dropped(name: str, dice: float, _: int) -> str:
    parts = name.split(" ")
    if len(parts) == 1:
        return name
    lost = 1 + int(dice * (len(parts) - 1))
    return " ".join(parts[:lost] + parts[lost + 1 :])


def _swapped(name: str, dice: float, _: int) -> str:
    parts = name.split(" ")
    if len(parts) == 1:
        return name
    at = int(dice * (len(parts) - 1))
    parts[at], parts[at + 1] = parts[at + 1], parts[at]
    return " ".join(parts)


def _abbreviated(name: str, dice: float, _: int) -> str:
    parts = name.split(" ")
    for at, part in enumerate(parts):
        if part in _ABBREVIATIONS:
            short = _ABBREVIATIONS[part]
            return " ".join([*parts[:at], short[int(dice * len(short))], *parts[at + 1 :]])
    return name if len(parts) == 1 else " ".join([*parts[:-1], f"{parts[-1][0]}."])


def _spelling(name: str, dice: float, _: int) -> str:
    fitting = [(new, old) for new, old in _SPELLINGS if new in name]
    if not fitting:
        return name
    new, old = fitting[int(dice * len(fitting))]
    return name.replace(new, old, 1)


_NAME_FAULTS = {
    "letter": _letter, "dropped": _dropped, "swapped": _swapped, "abbreviated": _abbreviated, "spelling": _spelling,
}  # fmt: skip


def misspelt(rng: np.random.Generator, names: list[str], fault: Array) -> tuple[list[str], Array]:
    """Names with these faults (letter, dropped, swapped, abbreviated, spelling), and the faults that befell."""
    said, befell = list[str](), list[str]()
    dice, kinds = rng.random(len(names)).tolist(), rng.integers(0, 4, len(names)).tolist()
    for name, one, place, kind in zip(names, fault.tolist(), dice, kinds, strict=True):
        stated = _NAME_FAULTS[one](name, place, kind)
        befell.append(one if stated != name else "letter")
        said.append(stated if stated != name else _letter(name, place, kind))
    return said, np.array(befell, dtype=fault.dtype)


def _day_of(year: Array, month: Array, day: Array) -> Array:
    months = ((year - 1970) * _MONTHS + month - 1).astype("datetime64[M]")
    return np.asarray(months.astype("datetime64[D]").astype(np.int64) + day - 1)


def wrong_births(rng: np.random.Generator, birth: Array, stated: Array, fault: Array) -> tuple[Array, Array]:
    """Birth dates with these faults (swapped, year, year_only), never after the statement, and the faults that befell.

    Days since 1970-01-01.
    """
    day, month, year = day_month_year(birth)
    swapped = _day_of(year, np.minimum(day, _MONTHS), month)
    round_day = _day_of(year, np.where(rng.random(len(birth)) < 0.7, 1, 7), np.ones_like(day))  # noqa: PLR2004
    can_swap = (day <= _MONTHS) & (day != month) & (swapped <= stated)
    can_round = (round_day != birth) & (round_day <= stated)
    befell = np.where((fault == "swapped") & ~can_swap, "year", fault)
    befell = np.where((fault == "year_only") & ~can_round, "year", befell)
    shift = rng.choice([-1, 1], len(birth))
    # The 29th of February a year off is the 28th.
    last = np.where((month == 2) & (day == 29), 28, day)  # noqa: PLR2004
    shifted = _day_of(year + shift, month, last)
    shifted = np.where(shifted > stated, _day_of(year - 1, month, last), shifted)
    return np.select([befell == "swapped", befell == "year_only"], [swapped, round_day], shifted), befell


def replaced_at(values: pl.Series, rows: Array, new: list[str] | list[str | None]) -> pl.Series:
    """The series with other values in some rows."""
    return values.clone().scatter(rows, pl.Series(new, dtype=pl.String)) if len(rows) else values
