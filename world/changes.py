"""What truly happens to the families of a regency from one quarter to the next; what of it is said is `statements`'.

Births, deaths, young couples that leave under a card of their own, moves, changed fortunes, new registrations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from schemas.questionnaire import default_questionnaire
from world.dice import Array, chosen
from world.homes import furnish
from world.numbers import LATER_SERIALS, ages, band, numbers
from world.parameters import Country, Noise
from world.people import (
    CHILD,
    CHILD_IN_LAW,
    GRANDCHILD,
    HEAD,
    MARRIED,
    NEVER_AT_SCHOOL,
    NO_CERTIFICATE,
    OTHER,
    SINGLE,
    SPOUSE,
    WIDOWED,
    days,
    level,
    wages,
    work_positions,
)
from world.society import UID_STRIDE, Neighbourhood, Society, heads, named

_FERTILE = (17, 43)
_NO_DISABILITY = 4
_MOVERS_SERIALS = 500
_NONE = np.array([], dtype=np.int64)


@dataclass
class News:
    """Which rows of the society have something new to say, and the record of what happened.

    Attributes
    ----------
    registering : int64 array
        Families that register, or register again because they moved or split off.
    restated : int64 array
        Persons stated anew although their family does not register again.
    surveyed : int64 array
        Families an agent visits.
    events : pl.DataFrame
        kind, family_uid, person_uid, and what changed: from and to village and card.
    """

    registering: Array = field(default_factory=lambda: _NONE)
    restated: Array = field(default_factory=lambda: _NONE)
    surveyed: Array = field(default_factory=lambda: _NONE)
    events: pl.DataFrame = field(default_factory=lambda: _events("none", pl.Series([], dtype=pl.Int64)))


def _events(kind: str, family: pl.Series, **more: pl.Series) -> pl.DataFrame:
    columns = {"person_uid": pl.Int64, "from_village_code": pl.String, "to_village_code": pl.String,
               "from_card": pl.Int64, "to_card": pl.Int64}  # fmt: skip
    return pl.DataFrame({"family_uid": family}, schema={"family_uid": pl.Int64}).select(
        pl.lit(kind).alias("kind"),
        "family_uid",
        *((more[name] if name in more else pl.lit(None)).cast(dtype).alias(name) for name, dtype in columns.items()),
    )  # fmt: skip


def _put(frame: pl.DataFrame, rows: Array, values: Mapping[str, Array]) -> pl.DataFrame:
    """The frame with new values in some rows."""
    changed = []
    for name, new in values.items():
        column = frame[name].to_numpy(writable=True)
        column[rows] = new
        changed.append(pl.Series(name, column))
    return frame.with_columns(changed)


def _die(rng: np.random.Generator, society: Society, today: int) -> pl.DataFrame:
    age = ages(society.persons["birth"].to_numpy(), today)
    risk = np.clip(0.0005 * np.exp(0.085 * (age - 30)), 0.0004, 0.4) / 4
    dying = society.persons["is_alive"].to_numpy() & chosen(rng, len(age), risk)
    rows = np.flatnonzero(dying)
    society.persons = _put(society.persons, rows, {"is_alive": np.zeros(len(rows), dtype=bool)})
    dead = society.persons[rows]
    society.persons = _succeed(society.persons, dead)
    return _events("death", society.families["uid"][dead["family"].to_numpy()], person_uid=dead["uid"])


def _succeed(persons: pl.DataFrame, dead: pl.DataFrame) -> pl.DataFrame:
    """The persons after these deaths: the partner is widowed, and the next of kin follows a dead head."""
    family, relation = persons["family"].to_numpy(), persons["relation"].to_numpy().copy()
    alive = persons["is_alive"].to_numpy()
    marital = persons["marital_status"].to_numpy().copy()
    partners = dead.filter(pl.col("relation").is_in([HEAD, SPOUSE]) & (pl.col("marital_status") == MARRIED))
    bereft = np.isin(family, partners["family"].to_numpy()) & alive & np.isin(relation, (HEAD, SPOUSE))
    marital[bereft & (marital == MARRIED)] = WIDOWED
    led = np.zeros(family.max() + 1, dtype=bool)
    led[family[alive & (relation == HEAD)]] = True
    kin = np.flatnonzero(alive & ~led[family])
    # By family, then nearness to the head, then age.
    kin = kin[np.lexsort((persons["birth"].to_numpy()[kin], relation[kin], family[kin]))]
    _, first = np.unique(family[kin], return_index=True)
    heirs = kin[first]
    relation[~alive & (relation == HEAD) & np.isin(family, family[heirs])] = OTHER
    relation[heirs] = HEAD
    return persons.with_columns(pl.Series("relation", relation), pl.Series("marital_status", marital))


def _bear(
    rng: np.random.Generator, society: Society, around: Neighbourhood, window: tuple[int, int], country: Country,
    noise: Noise,
) -> tuple[pl.DataFrame, Array]:  # fmt: skip
    """Births of a quarter; also the rows of newborns and their mothers."""
    persons = society.persons
    age = ages(persons["birth"].to_numpy(), window[1])
    pregnant = (persons["is_pregnant"] & persons["is_alive"]).to_numpy()
    mothers = np.flatnonzero(pregnant & chosen(rng, len(age), 0.35))
    fertile = (persons["is_female"] & persons["is_alive"] & (persons["marital_status"] == MARRIED)).to_numpy()
    fertile &= (age >= _FERTILE[0]) & (age <= _FERTILE[1])
    expecting = (pregnant | (fertile & chosen(rng, len(age), 0.02))) & ~np.isin(np.arange(len(age)), mothers)
    count = len(mothers)
    of = persons[mothers]
    birth = rng.integers(*window, count)
    is_female = chosen(rng, count, 0.488)
    region = society.families["region"].to_numpy()[of["family"].to_numpy()]
    by_child = of["relation"].is_in([CHILD, CHILD_IN_LAW]).to_numpy()
    newborn = {
        "family": of["family"].to_numpy(),
        "birth": birth,
        "is_female": is_female,
        "relation": np.where(by_child, GRANDCHILD, CHILD),
        "marital_status": np.full(count, SINGLE),
        "school_participation": np.full(count, NEVER_AT_SCHOOL),
        "education": np.full(count, NO_CERTIFICATE),
        "disability": np.full(count, _NO_DISABILITY),
        "is_alive": np.ones(count, dtype=bool),
        "uid": around.home.number * UID_STRIDE + persons.height + np.arange(count),
        "nik": numbers(region, birth, is_female=is_female, serial=LATER_SERIALS + band(around.step(region))),
        "has_nik": ~chosen(rng, count, noise.members.newborn_without_nik),
        **named(rng, is_female, country),
    }
    rows = pl.DataFrame(
        {name: newborn.get(name, np.zeros(count, dtype=np.int64)) for name in persons.columns}
    ).cast(persons.schema)  # fmt: skip
    society.persons = pl.concat([persons.with_columns(pl.Series("is_pregnant", expecting)), rows])
    told = np.concatenate([mothers, persons.height + np.arange(count)])
    return _events("birth", society.families["uid"][rows["family"].to_numpy()], person_uid=rows["uid"]), told


def _split(
    rng: np.random.Generator, society: Society, around: Neighbourhood, cards: tuple[int, int], country: Country,
    noise: Noise,
) -> tuple[pl.DataFrame, Array, Array]:  # fmt: skip
    """Young couples that leave their parents' card; also the rows of the old families and of the new ones."""
    persons, families = society.persons, society.families
    relation, family = persons["relation"].to_numpy(), persons["family"].to_numpy()
    alive = persons["is_alive"].to_numpy()
    in_law = alive & (relation == CHILD_IN_LAW)
    child = alive & (relation == CHILD) & (persons["marital_status"] == MARRIED).to_numpy()
    couples = np.intersect1d(family[in_law], family[child])
    couples = couples[families["is_registered"].to_numpy()[couples]]
    leaving = couples[chosen(rng, len(couples), noise.changes.split)]
    to = np.full(families.height, -1, dtype=np.int64)
    to[leaving] = families.height + np.arange(len(leaving))
    going = np.flatnonzero((in_law | child | (alive & (relation == GRANDCHILD))) & (to[family] >= 0))
    new_relation = np.where(
        relation[going] == GRANDCHILD, CHILD, np.where(persons["is_female"].to_numpy()[going], SPOUSE, HEAD)
    )
    old = families[leaving]
    welfare = np.clip(old["welfare"].to_numpy() + 0.5 * rng.standard_normal(len(leaving)), -3, 3)
    owned = [name for name, one in default_questionnaire().answers.items() if one.level == "family"]
    no = np.zeros(len(leaving), dtype=bool)
    region = old["region"].to_numpy()
    recorded = rng.integers(*cards, len(leaving))
    values = {
        "uid": around.home.number * UID_STRIDE + families.height + np.arange(len(leaving)),
        "card": numbers(region, recorded, serial=LATER_SERIALS + band(around.step(region))),
        "welfare": welfare,
        "luck": rng.standard_normal(len(leaving)),
        "is_surveyed": no,
        "receives_pkh": no,
        "receives_bpnt": no,
        **furnish(rng, welfare, country.answers, owned),
    }
    new = _put(old, np.arange(len(leaving)), values)
    society.families = pl.concat([families, new])
    society.persons = _put(persons, going, {"family": to[family[going]], "relation": new_relation})
    record = _events("split", old["uid"], person_uid=pl.Series(_head_uids(society, new.height)),
                     from_card=old["card"], to_card=new["card"])  # fmt: skip
    return record, leaving, to[leaving]


def _head_uids(society: Society, count: int) -> Array:
    """Persons at the head of the last `count` families."""
    first = society.families.height - count
    return heads(society.persons.filter(pl.col("family") >= first))["uid"].to_numpy()


def _move(
    rng: np.random.Generator, society: Society, around: Neighbourhood, cards: tuple[int, int], rows: Array,
    country: Country, noise: Noise,
) -> pl.DataFrame:  # fmt: skip
    """Families of these rows move within the regency or to a neighbour, some of them with a new card."""
    old = society.families[rows]
    count = len(rows)
    step = np.where(chosen(rng, count, noise.changes.moved_across_border), rng.choice([-1, 1], count), 0)
    at, region, villages = around.village(rng, step)
    to = villages[at]
    dwelling = [name for name, one in default_questionnaire().answers.items() if one.level == "dwelling"]
    fresh = numbers(region, rng.integers(*cards, count), serial=LATER_SERIALS + _MOVERS_SERIALS + band(step))
    values = {
        "region": region,
        "is_urban": to["is_urban"].to_numpy(),
        "village_luck": to["village_luck"].to_numpy(),
        "dwelling": old["uid"].to_numpy() + UID_STRIDE // 2,
        "card": np.where(chosen(rng, count, noise.changes.moved_with_new_card), fresh, old["card"].to_numpy()),
        **furnish(rng, old["welfare"].to_numpy(), country.answers, dwelling),
    }
    new = _put(old, np.arange(count), values).with_columns(to["village_code"])
    villages_now = society.families["village_code"].to_numpy().copy()
    villages_now[rows] = new["village_code"].to_numpy()
    society.families = _put(society.families, rows, values).with_columns(pl.Series("village_code", villages_now))
    return _events("move", old["uid"], from_village_code=old["village_code"], to_village_code=new["village_code"],
                   from_card=old["card"], to_card=new["card"])  # fmt: skip


def _turn(
    rng: np.random.Generator, society: Society, rows: Array, country: Country, noise: Noise
) -> tuple[pl.DataFrame, Array]:
    """Families of these rows rise or fall: assets and the head's work; also the rows of those heads."""
    families = society.families[rows]
    welfare = families["welfare"].to_numpy() + noise.changes.fortune_spread * rng.standard_normal(len(rows))
    welfare = np.clip(welfare, -3, 3)
    owned = [name for name, one in default_questionnaire().answers.items() if one.level == "family"]
    values = {"welfare": welfare, **furnish(rng, welfare, country.answers, owned)}
    society.families = _put(society.families, rows, values)
    persons = society.persons
    turned = np.full(society.families.height, -1)
    turned[rows] = np.arange(len(rows))
    works = (persons["relation"] == HEAD) & persons["is_alive"] & (persons["work_position"] > 0)
    heads_at = np.flatnonzero(works.to_numpy() & (turned[persons["family"].to_numpy()] >= 0))
    of = persons[heads_at]
    now = welfare[turned[of["family"].to_numpy()]]
    urban = families["is_urban"].to_numpy()[turned[of["family"].to_numpy()]]
    position = work_positions(rng, now, urban, level(of["education"].to_numpy()), country)
    position[chosen(rng, len(position), np.clip(0.1 - 0.1 * now, 0, 0.5))] = 0
    wage = wages(rng, now, position, country)
    none = np.zeros(len(heads_at), dtype=bool)
    society.persons = _put(
        persons,
        heads_at,
        {"work_position": position, "wage": wage, "is_civil_servant": none, "is_soldier_or_police": none},
    )
    return _events("changed_fortune", families["uid"]), heads_at


def advance(
    rng: np.random.Generator,
    society: Society,
    around: Neighbourhood,
    since: date,
    day: date,
    country: Country,
    noise: Noise,
) -> News:
    """Let time pass from `since` to `day`; the society is changed in place.

    Returns
    -------
    News
        What the registry is going to hear of, and the record of events.
    """
    window = (days(since), days(day))
    rates = noise.changes
    deaths = _die(rng, society, window[1])
    births, told = _bear(rng, society, around, window, country, noise)
    splits, halved, new = _split(rng, society, around, window, country, noise)

    living = np.zeros(society.families.height, dtype=bool)
    living[society.persons.filter(pl.col("is_alive"))["family"].to_numpy()] = True
    registered = society.families["is_registered"].to_numpy()
    free = registered & living
    free[halved] = free[new] = False
    fate = rng.random(len(free))
    movers = np.flatnonzero(free & (fate < rates.moved))
    turned = np.flatnonzero(free & (fate >= rates.moved) & (fate < rates.moved + rates.changed_fortune))
    moves = _move(rng, society, around, window, movers, country, noise)
    fortunes, heads_at = _turn(rng, society, turned, country, noise)
    joining = np.flatnonzero(~registered & living & chosen(rng, len(free), rates.newly_registered))
    visited = free & ~society.families["is_surveyed"].to_numpy() & chosen(rng, len(free), rates.newly_surveyed)
    society.families = _put(society.families, joining, {"is_registered": np.ones(len(joining), dtype=bool)})

    registering = np.sort(np.concatenate([new, movers, joining]))
    surveyed = registering[chosen(rng, len(registering), noise.survey.share_of_registered)]
    known = society.families["is_registered"].to_numpy().copy()
    known[registering] = False
    restated = np.unique(np.concatenate([told, heads_at]))
    restated = restated[known[society.persons["family"].to_numpy()[restated]]]
    return News(
        registering=registering,
        restated=restated,
        surveyed=np.unique(np.concatenate([surveyed, turned, np.flatnonzero(visited)])),
        events=pl.concat(
            [births, deaths, splits, moves, fortunes, _events("registered", society.families["uid"][joining])]
        ),
    )
