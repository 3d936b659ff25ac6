"""What truly happens to the families of a regency from one quarter to the next; what of it is said is `statements`'.

Births, deaths and who follows, young couples that leave under a card of their own, marriages into another family,
old people taken in, moves, numbers issued, birth dates corrected, changed fortunes, new registrations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from schemas.questionnaire import default_questionnaire
from world.dice import Array, chosen
from world.field import NOBODY
from world.homes import furnish
from world.names import named
from world.numbers import LATER_SERIALS, ages, band, numbers
from world.parameters import Changes, Country, Noise
from world.people import (
    CHILD,
    CHILD_IN_LAW,
    GRANDCHILD,
    HEAD,
    MARRIED,
    NEVER_AT_SCHOOL,
    NO_CERTIFICATE,
    OTHER,
    PARENT,
    SINGLE,
    SPOUSE,
    WIDOWED,
    days,
    level,
    wages,
    work_positions,
)
from world.society import UID_STRIDE, Neighbourhood, Society, heads
from world.statements import NEW_CARD, Again

_FERTILE = (17, 43)
_NO_DISABILITY = 4
_MOVERS_SERIALS = 500
_MARRYING = (19, 32)
_HANDS_OVER, _TAKES_OVER, _TAKEN_IN = 65, 25, 60
_GENERATION = 16
_NEARBY = 60
_CHILD_DAYS = 2 * 365
_NONE = np.array([], dtype=np.int64)


@dataclass
class News:
    """Which rows of the society have something new to say, and the record of what happened.

    Attributes
    ----------
    registering : int64 array
        Families that register, or register again because they moved or split off.
    again : Again
        Known families that register once more though nothing happened to them.
    restated : int64 array
        Persons stated anew although their family does not register again.
    surveyed : int64 array
        Families an agent visits.
    events : pl.DataFrame
        kind, family_uid, person_uid, and what changed: from and to village, card and birth date.
    """

    registering: Array = field(default_factory=lambda: _NONE)
    again: Again = field(default_factory=Again.none)
    restated: Array = field(default_factory=lambda: _NONE)
    surveyed: Array = field(default_factory=lambda: _NONE)
    events: pl.DataFrame = field(default_factory=lambda: _events("none", pl.Series([], dtype=pl.Int64)))


def _events(kind: str, family: pl.Series, **more: pl.Series) -> pl.DataFrame:
    columns = {
        "person_uid": pl.Int64, "from_village_code": pl.String, "to_village_code": pl.String, "from_card": pl.Int64,
        "to_card": pl.Int64, "from_birth_date": pl.Date, "to_birth_date": pl.Date,
    }  # fmt: skip
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


def _die(rng: np.random.Generator, society: Society, today: int) -> tuple[list[pl.DataFrame], Array]:
    """Deaths of a quarter, new heads and families that ended; also the rows of the families with a new head."""
    age = ages(society.persons["birth"].to_numpy(), today)
    risk = np.clip(0.0005 * np.exp(0.085 * (age - 30)), 0.0004, 0.4) / 4
    dying = society.persons["is_alive"].to_numpy() & chosen(rng, len(age), risk)
    rows = np.flatnonzero(dying)
    society.persons = _put(society.persons, rows, {"is_alive": np.zeros(len(rows), dtype=bool)})
    dead = society.persons[rows]
    society.persons, heirs = _succeed(society.persons, dead)
    uid = society.families["uid"].to_numpy()
    family, alive = society.persons["family"].to_numpy(), society.persons["is_alive"].to_numpy()
    ended = np.setdiff1d(dead["family"].to_numpy(), family[alive])
    record = [
        _events("death", pl.Series(uid[dead["family"].to_numpy()]), person_uid=dead["uid"]),
        _events("new_head", pl.Series(uid[family[heirs]]), person_uid=society.persons["uid"].gather(heirs)),
        _events("family_ended", pl.Series(uid[ended])),
    ]
    return record, family[heirs]


def _succeed(persons: pl.DataFrame, dead: pl.DataFrame) -> tuple[pl.DataFrame, Array]:
    """The persons after these deaths: the partner is widowed, the next of kin follows a dead head; and their rows."""
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
    changed = persons.with_columns(pl.Series("relation", relation), pl.Series("marital_status", marital))
    return changed, heirs


def _hand_over(
    rng: np.random.Generator, society: Society, free: Array, today: int, rates: Changes
) -> tuple[pl.DataFrame, Array]:
    """Old heads who leave the head of the card to a grown child; also the rows of their families."""
    persons = society.persons
    family, relation = persons["family"].to_numpy(), persons["relation"].to_numpy().copy()
    alive, birth = persons["is_alive"].to_numpy(), persons["birth"].to_numpy()
    age, married = ages(birth, today), (persons["marital_status"] == MARRIED).to_numpy()
    old = np.zeros(society.families.height, dtype=bool)
    old[family[alive & (relation == HEAD) & (age >= _HANDS_OVER)]] = True
    old &= free & chosen(rng, len(old), rates.handed_over)
    grown = np.flatnonzero(alive & (relation == CHILD) & (age >= _TAKES_OVER) & old[family])
    grown = grown[np.lexsort((birth[grown], ~married[grown], family[grown]))]
    families, first = np.unique(family[grown], return_index=True)
    heirs = grown[first]
    is_couple = np.zeros(len(old), dtype=bool)
    is_couple[family[heirs]] = married[heirs]
    here = np.isin(family, families)
    now = relation.copy()
    now[here & np.isin(relation, (HEAD, SPOUSE))] = PARENT
    now[here & np.isin(relation, (CHILD, PARENT, CHILD_IN_LAW))] = OTHER
    now[here & (relation == CHILD_IN_LAW) & is_couple[family]] = SPOUSE
    now[here & (relation == GRANDCHILD) & is_couple[family]] = CHILD
    now[heirs] = HEAD
    society.persons = persons.with_columns(pl.Series("relation", now))
    uid = society.families["uid"].to_numpy()
    return _events("new_head", pl.Series(uid[families]), person_uid=persons["uid"].gather(heirs)), families


def _nearest(rng: np.random.Generator, candidates: Array, family: Array, rows: Array) -> Array:
    """For each row a candidate whose family stands near in the order of villages."""
    order = candidates[np.argsort(family[candidates], kind="stable")]
    at = np.searchsorted(family[order], family[rows] + rng.integers(-_NEARBY, _NEARBY, len(rows)))
    return order[np.minimum(at, len(order) - 1)]


def _disjoint(one: Array, other: Array) -> Array:
    """Which pairs of families to keep so that no family is in two of them."""
    seen, kept = set[int](), np.zeros(len(one), dtype=bool)
    for at, pair in enumerate(zip(one.tolist(), other.tolist(), strict=True)):
        kept[at] = pair[0] != pair[1] and not seen.intersection(pair)
        if kept[at]:
            seen.update(pair)
    return kept


def _marry(
    rng: np.random.Generator, society: Society, free: Array, today: int, rates: Changes
) -> tuple[pl.DataFrame, Array]:
    """Women who marry into the family of a man nearby; also the rows of the couples."""
    persons = society.persons
    family, age = persons["family"].to_numpy(), ages(persons["birth"].to_numpy(), today)
    single = (persons["is_alive"] & (persons["relation"] == CHILD) & (persons["marital_status"] == SINGLE)).to_numpy()
    single &= (age >= _MARRYING[0]) & (age <= _MARRYING[1]) & free[family]
    # One young couple per family at most.
    single &= ~np.isin(family, family[(persons["relation"] == CHILD_IN_LAW).to_numpy()])
    is_female = persons["is_female"].to_numpy()
    men, women = np.flatnonzero(single & ~is_female), np.flatnonzero(single & is_female)
    men = men[chosen(rng, len(men), rates.married)]
    if not (len(men) and len(women)):
        return _events("marriage", pl.Series([], dtype=pl.Int64)), _NONE
    brides = _nearest(rng, women, family, men)
    kept = _disjoint(family[men], family[brides])
    men, brides = men[kept], brides[kept]
    families = society.families
    from_card, to_card = (families["card"].gather(family[rows]) for rows in (brides, men))
    record = _events("marriage", families["uid"].gather(family[men]), person_uid=persons["uid"].gather(brides),
                     from_card=from_card, to_card=to_card)  # fmt: skip
    both = np.concatenate([men, brides])
    society.persons = _put(
        _put(persons, brides, {"family": family[men], "relation": np.full(len(men), CHILD_IN_LAW)}),
        both,
        {"marital_status": np.full(len(both), MARRIED)},
    )
    return record, both


def _merge(
    rng: np.random.Generator, society: Society, free: Array, today: int, rates: Changes
) -> tuple[pl.DataFrame, Array]:
    """Old people living alone who are taken into a younger family nearby; also their rows."""
    persons = society.persons
    family, alive = persons["family"].to_numpy(), persons["is_alive"].to_numpy()
    age, is_head = ages(persons["birth"].to_numpy(), today), (persons["relation"] == HEAD).to_numpy()
    alone = np.bincount(family[alive], minlength=len(free)) == 1
    old = np.flatnonzero(alive & is_head & (age >= _TAKEN_IN) & (alone & free)[family])
    old = old[chosen(rng, len(old), rates.merged)]
    hosts = np.flatnonzero(alive & is_head & (age < _TAKEN_IN - _GENERATION) & free[family])
    if not (len(old) and len(hosts)):
        return _events("merge", pl.Series([], dtype=pl.Int64)), _NONE
    host = _nearest(rng, hosts, family, old)
    kept = _disjoint(family[old], family[host])
    old, host = old[kept], host[kept]
    families = society.families
    record = _events("merge", families["uid"].gather(family[host]), person_uid=persons["uid"].gather(old),
                     from_card=families["card"].gather(family[old]),
                     to_card=families["card"].gather(family[host]))  # fmt: skip
    society.persons = _put(persons, old, {"family": family[host], "relation": np.full(len(old), PARENT)})
    return record, old


def _register_persons(
    rng: np.random.Generator, society: Society, since: int, rates: Changes
) -> tuple[list[pl.DataFrame], Array]:
    """Numbers issued to who had none, and birth dates corrected under the same number; also the rows of both."""
    persons = society.persons
    birth, alive = persons["birth"].to_numpy(), persons["is_alive"].to_numpy()
    is_child = birth > since - _CHILD_DAYS
    share = np.where(is_child, rates.nik_issued_to_child, rates.nik_issued_later)
    issued = np.flatnonzero(alive & ~persons["has_nik"].to_numpy() & (birth < since) & chosen(rng, len(birth), share))
    grown = alive & ~is_child & persons["has_nik"].to_numpy()
    corrected = np.flatnonzero(grown & chosen(rng, len(birth), rates.birth_corrected))
    new = birth[corrected] + rng.choice([-366, -365, -31, -1, 1, 31, 365, 366], len(corrected))
    uid = society.families["uid"].to_numpy()[persons["family"].to_numpy()]
    record = [
        _events("nik_issued", pl.Series(uid[issued]), person_uid=persons["uid"].gather(issued)),
        _events("corrected_birth_date", pl.Series(uid[corrected]), person_uid=persons["uid"].gather(corrected),
                from_birth_date=pl.Series(birth[corrected].astype(np.int32)),
                to_birth_date=pl.Series(new.astype(np.int32))),
    ]  # fmt: skip
    society.persons = _put(
        _put(persons, issued, {"has_nik": np.ones(len(issued), dtype=bool)}), corrected, {"birth": new}
    )
    return record, np.concatenate([issued, corrected])


def _bear(
    rng: np.random.Generator, society: Society, around: Neighbourhood, window: tuple[int, int], noise: Noise
) -> tuple[pl.DataFrame, Array]:
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
        **named(rng, is_female, birth, around.home.code[:2]),
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
        "is_confirmed": no,
        "cadre": np.full(len(leaving), NOBODY),
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
        "cadre": np.full(count, NOBODY),
        "companion": np.full(count, NOBODY),
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
    record, succeeded = _die(rng, society, window[1])
    births, told = _bear(rng, society, around, window, noise)
    splits, halved, new = _split(rng, society, around, window, country, noise)

    living = np.zeros(society.families.height, dtype=bool)
    living[society.persons.filter(pl.col("is_alive"))["family"].to_numpy()] = True
    registered = society.families["is_registered"].to_numpy()
    free = registered & living
    free[halved] = free[new] = False
    # Of a family one thing is said in a quarter, so that what follows from it can be seen.
    weddings, couples = _marry(rng, society, free, window[1], rates)
    mergers, taken_in = _merge(rng, society, free, window[1], rates)
    busy = pl.concat([weddings, mergers])
    free &= ~society.families["card"].is_in(pl.concat([busy["from_card"], busy["to_card"]]).implode()).to_numpy()
    handovers, handed = _hand_over(rng, society, free, window[1], rates)
    free[handed] = False
    registrations, numbered = _register_persons(rng, society, window[0], rates)
    succeeded = succeeded[chosen(rng, len(succeeded), rates.new_head_stated)]
    led_anew = np.flatnonzero(
        np.isin(society.persons["family"].to_numpy(), np.concatenate([succeeded, handed]))
        & society.persons["is_alive"].to_numpy()
    )
    again = Again.of(rng, free, rates.registered_again, rates.registered_again_with_new_card)
    free[again.rows] = False
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
    restated = np.unique(np.concatenate([told, heads_at, couples, taken_in, led_anew, numbered]))
    restated = restated[known[society.persons["family"].to_numpy()[restated]]]
    return News(
        registering=registering,
        again=again,
        restated=restated,
        surveyed=np.unique(np.concatenate([surveyed, turned, np.flatnonzero(visited)])),
        events=pl.concat(
            [
                *record,
                births,
                splits,
                weddings,
                mergers,
                handovers,
                *registrations,
                moves,
                fortunes,
                _events("registered", society.families["uid"][joining]),
            ]
        ),
    )


def renewed(society: Society, registered: pl.DataFrame) -> pl.DataFrame:
    """Let families that registered under a new card have it from now on; the record of it."""
    new = registered.filter(pl.col("listing") == NEW_CARD)
    rows = new["family"].to_numpy()
    old = society.families[rows]
    # The lists of the cadres still name the old card.
    changed = {"card": new["card"].to_numpy(), "cadre": np.full(len(rows), NOBODY)}
    society.families = _put(society.families, rows, changed)
    return _events("new_card", old["uid"], from_card=old["card"], to_card=new["card"])
