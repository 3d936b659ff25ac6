"""Who lives in the families: ages, relations, schooling, work, health; as they truly are.

Persons are a frame whose column `family` is the row of their family. What is stated of them is not decided here.
"""

from datetime import date

import numpy as np
import polars as pl

from world.dice import Array, by_shares, chosen, latent, pick
from world.numbers import ages
from world.parameters import Country, Education, Families

HEAD, SPOUSE, CHILD, CHILD_IN_LAW, GRANDCHILD, PARENT, OTHER = 1, 2, 3, 4, 5, 6, 8
SINGLE, MARRIED, DIVORCED, WIDOWED = 1, 2, 3, 4
NEVER_AT_SCHOOL, AT_SCHOOL, SCHOOL_LEFT = 1, 2, 3
SCHOOL_AGE, ADULT, ELDERLY = 7, 19, 60
NO_CERTIFICATE = 23
EMPLOYEE, STATE_EMPLOYEE = 4, 5
SEVERE = 2
_DAYS_PER_YEAR = 365.2425
_MALE_HEAD_YEARS_AHEAD = 4
_YOUNGEST_MARRIED_CHILD = 20
_LEVEL_OF_CERTIFICATE = np.zeros(NO_CERTIFICATE + 1, dtype=np.int32)
_LEVEL_OF_CERTIFICATE[1:6], _LEVEL_OF_CERTIFICATE[6:11] = 1, 2
_LEVEL_OF_CERTIFICATE[11:18], _LEVEL_OF_CERTIFICATE[18:23] = 3, 4


def days(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def level(certificate: Array) -> Array:
    """Schooling 0 to 4 of certificates (Regsosek 415): none, primary, junior, senior secondary, tertiary."""
    return np.asarray(_LEVEL_OF_CERTIFICATE[certificate])


def _composition(rng: np.random.Generator, count: int, parameters: Families) -> dict[str, Array]:
    """Family row, slot, age in years (with fractions), sex and relation of every person, ordered by family."""
    spread = parameters.head_age
    everybody = np.arange(count)
    head = spread.youngest + (spread.oldest - spread.youngest) * rng.beta(spread.a, spread.b, count)
    is_woman = chosen(rng, count, np.clip(parameters.female_head + 0.009 * (head - 45), 0.03, 0.6))
    married = np.select([head < 25, head > 70], [0.55, parameters.married_head - 0.12], parameters.married_head)  # noqa: PLR2004
    has_spouse = ~is_woman & chosen(rng, count, married)
    spouse = np.clip(head - _MALE_HEAD_YEARS_AHEAD + 3.5 * rng.standard_normal(count), 17.5, 90)
    mother = np.select([has_spouse, is_woman], [spouse, head], head - _MALE_HEAD_YEARS_AHEAD)
    bore = np.select(
        [has_spouse, is_woman], [parameters.parents.couple, parameters.parents.woman], parameters.parents.man
    )
    births = np.array(list(parameters.births))[pick(rng, count, parameters.births)] * chosen(rng, count, bore)

    parts: list[tuple[Array, int, Array, Array, int]] = [
        (everybody, 0, head, is_woman, HEAD),
        (everybody[has_spouse], 1, spouse[has_spouse], np.ones(int(has_spouse.sum()), dtype=bool), SPOUSE),
    ]
    bearing = parameters.first_birth.mean + parameters.first_birth.spread * rng.standard_normal(count)
    bearing = np.clip(bearing, 17, 36)
    eldest_at_home = np.zeros(count)
    for birth in range(1, max(parameters.births) + 1):
        age = mother - bearing
        leaving = parameters.leaving_home.mean + parameters.leaving_home.spread * rng.standard_normal(count)
        home = (birth <= births) & (age > 0) & (age < np.maximum(leaving, 17)) & (bearing < 46)  # noqa: PLR2004
        eldest_at_home = np.maximum(eldest_at_home, np.where(home, age, 0))
        parts.append((everybody[home], 1 + birth, age[home], chosen(rng, int(home.sum()), 0.488), CHILD))
        bearing = bearing + np.where(chosen(rng, count, parameters.twins), 0, 2.2 + rng.exponential(2.8, count))

    # The married child is one of its own, so that a family has one young couple at most.
    young = np.where(eldest_at_home > 0, eldest_at_home, mother - bearing.clip(max=24))
    couple = (births > 0) & (mother - 17 > _YOUNGEST_MARRIED_CHILD) & (young >= _YOUNGEST_MARRIED_CHILD)
    couple &= (young < 45) & chosen(rng, count, parameters.married_child * 0.6)  # noqa: PLR2004
    at = everybody[couple]
    # Older than the children still single, so that no birth date is shared by chance.
    lead = np.minimum(4, mother[couple] - 16 - young[couple])
    child_age = young[couple] + lead * (0.3 + 0.7 * rng.random(len(at)))
    daughter = chosen(rng, len(at), 0.5)
    in_law = np.clip(child_age + (2 * daughter - 1) * 3 + 2 * rng.standard_normal(len(at)), 18, 60)
    parts.extend([(at, 7, child_age, daughter, CHILD), (at, 8, in_law, ~daughter, CHILD_IN_LAW)])
    grandchildren = np.array(list(parameters.grandchildren))[pick(rng, len(at), parameters.grandchildren)]
    young_mother = np.where(daughter, child_age, in_law)
    for birth in range(1, max(parameters.grandchildren) + 1):
        age = np.maximum((young_mother - 18.5) * rng.random(len(at)), 0.01)
        born = birth <= grandchildren
        parts.append((at[born], 8 + birth, age[born], chosen(rng, int(born.sum()), 0.488), GRANDCHILD))

    old = (head < 65) & chosen(rng, count, parameters.elderly_parent)  # noqa: PLR2004
    parent = np.clip(head[old] + 18 + 14 * rng.random(int(old.sum())), 40, 97)
    parts.append((everybody[old], 11, parent, chosen(rng, int(old.sum()), 0.7), PARENT))
    other = chosen(rng, count, parameters.other_relative)
    parts.append(
        (everybody[other], 12, 15 + 65 * rng.random(int(other.sum())), chosen(rng, int(other.sum()), 0.5), OTHER)
    )

    family = np.concatenate([part[0] for part in parts])
    slot = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    order = np.argsort(family * 16 + slot, kind="stable")
    return {
        "family": family[order],
        "slot": slot[order],
        "age": np.concatenate([part[2] for part in parts])[order],
        "is_female": np.concatenate([part[3] for part in parts])[order],
        "relation": np.concatenate([np.full(len(part[0]), part[4], dtype=np.int32) for part in parts])[order],
    }


def _marital(rng: np.random.Generator, slot: Array, relation: Array, age: Array, has_spouse: Array) -> Array:
    """Marital status: couples are married, lone parents and the old widowed or divorced, children single."""
    widowed = chosen(rng, len(age), np.clip((age - 30) / 40, 0.05, 0.97))
    once = np.where(widowed, WIDOWED, DIVORCED)
    alone = np.where((age < 30) & chosen(rng, len(age), 0.7), SINGLE, once)  # noqa: PLR2004
    is_couple = ((relation == HEAD) & has_spouse) | np.isin(relation, (SPOUSE, CHILD_IN_LAW)) | (slot == 7)  # noqa: PLR2004
    lone_adult = np.isin(relation, (HEAD, PARENT, OTHER)) & (age >= ADULT)
    return np.select([is_couple, lone_adult], [MARRIED, alone], SINGLE).astype(np.int32)


def _schooling(
    rng: np.random.Generator, age: Array, born_year: Array, welfare: Array, parameters: Education
) -> dict[str, Array]:
    """School participation, level attended (0: none) and certificate, Regsosek 412, 413, 415."""
    count = len(age)
    hidden = latent(rng, parameters.pull, welfare) + parameters.per_decade * (born_year - 1980) / 10
    reached = by_shares(hidden, dict(enumerate(parameters.shares)))
    possible = np.select([age < 12, age < 15, age < 18, age < 22], [0, 1, 2, 3], 4)  # noqa: PLR2004
    pupil = (age >= SCHOOL_AGE) & (age < ADULT)
    # Pupils have passed the stages below their age unless they dropped out.
    steady = chosen(rng, count, np.clip(np.select([age < 13, age < 16], [0.99, 0.95], 0.76) + 0.03 * welfare, 0, 1))  # noqa: PLR2004
    own = np.where(pupil & steady, possible, np.minimum(reached, possible))
    student = (age >= ADULT) & (age < 24) & (reached == 4)  # noqa: PLR2004
    own = np.where(student, np.minimum(own, 3), own)
    attends = (pupil & steady) | student | ((age == SCHOOL_AGE - 1) & chosen(rng, count, 0.5))
    never = (age < SCHOOL_AGE) | ((own == 0) & (age >= ADULT) & chosen(rng, count, np.clip((age - 30) / 60, 0.02, 0.6)))
    participation = np.select([attends, never], [AT_SCHOOL, NEVER_AT_SCHOOL], SCHOOL_LEFT)
    # One of the school kinds of each stage: general, religious, vocational.
    kind = rng.random(count)
    primary, junior = np.where(kind < 0.8, 3, 4), np.where(kind < 0.75, 8, 9)  # noqa: PLR2004
    senior = np.select([kind < 0.45, kind < 0.65], [13, 14], 15)  # noqa: PLR2004
    tertiary = np.where(kind < 0.2, 18, 19)  # noqa: PLR2004
    of_stage = np.stack([np.full(count, NO_CERTIFICATE), primary, junior, senior, tertiary])
    rows = np.arange(count)
    at_stage = np.where(participation == AT_SCHOOL, np.minimum(own + 1, 4), np.maximum(own, 1))
    school_level = np.where(participation == NEVER_AT_SCHOOL, 0, of_stage[at_stage, rows])
    return {
        "school_participation": participation.astype(np.int32),
        "school_level": school_level.astype(np.int32),
        "education": of_stage[own, rows].astype(np.int32),
    }


def work_positions(
    rng: np.random.Generator, welfare: Array, is_urban: Array, schooling: Array, country: Country
) -> Array:
    """Work position (Regsosek 418) of people who work: better ones for the better off, fields outside towns."""
    utilities = np.stack(
        [
            np.log(one.share) + one.welfare * welfare + one.urban * is_urban
            + np.where((code == STATE_EMPLOYEE) & (schooling < 3), -3.0, 0.0)  # noqa: PLR2004
            for code, one in country.work.items()
        ]
    )  # fmt: skip
    utilities += rng.gumbel(size=utilities.shape)
    return np.asarray(np.array(list(country.work), dtype=np.int32)[utilities.argmax(axis=0)])


def wages(rng: np.random.Generator, welfare: Array, work_position: Array, country: Country) -> Array:
    """Monthly wage the workers' insurance knows of, whole rupiah; 0 where it knows of none."""
    wage = country.insured_wage
    insured = chosen(rng, len(welfare), np.clip(wage.share * np.exp(wage.pull * welfare), 0, 0.9))
    amount = wage.median_rupiah * np.exp(wage.rise * welfare + wage.spread * rng.standard_normal(len(welfare)))
    return np.where(insured & (work_position == EMPLOYEE), np.round(amount / 1000) * 1000, 0).astype(np.int64)


def settle(
    rng: np.random.Generator, welfare: Array, is_urban: Array, day: date, country: Country, *, with_dead: bool
) -> pl.DataFrame:
    """The members of as many families as `welfare` has entries, on a day.

    Columns
    -------
    family : int64
        Row of the family.
    birth : int64
        Birth date in days since 1970-01-01.
    is_female, is_pregnant, is_alive, is_civil_servant, is_soldier_or_police, is_pensioner, is_rights_victim : bool
    relation, marital_status, school_participation, school_level, education, work_position, disability : int32
        Regsosek codes; school_level 0 for none.
    wage : int64
        Rupiah per month known to the workers' insurance, 0 for none.
    """
    body = _composition(rng, len(welfare), country.families)
    family, slot, relation, is_female = body["family"], body["slot"], body["relation"], body["is_female"]
    count = len(family)
    today = days(day)
    birth = today - 1 - np.floor(body["age"] * _DAYS_PER_YEAR).astype(np.int64)
    age = ages(birth, today)
    born_year = birth.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    own_welfare, own_urban = welfare[family], is_urban[family]
    has_spouse = np.zeros(len(welfare), dtype=bool)
    has_spouse[family[relation == SPOUSE]] = True
    marital = _marital(rng, slot, relation, age, has_spouse[family])
    school = _schooling(rng, age, born_year, own_welfare, country.education)

    frail = rng.random(count)
    disability = np.select(
        [frail < 0.002 + 0.004 * (age > 70), frail < 0.008 + 0.02 * (age > 70), frail < 0.03 + 0.10 * (age > ELDERLY)],  # noqa: PLR2004
        [1, 2, 3],
        4,
    )
    working = np.select(
        [age < 15, school["school_participation"] == AT_SCHOOL, age < 18, age > 75, age > ELDERLY],  # noqa: PLR2004
        [0.0, 0.03, 0.15, 0.2, np.where(is_female, 0.35, 0.65)],
        np.where(is_female, 0.5, 0.92),
    )
    working = np.where(disability <= SEVERE, working / 3, working)
    works = np.flatnonzero(chosen(rng, count, working))
    position = np.zeros(count, dtype=np.int32)
    position[works] = work_positions(
        rng, own_welfare[works], own_urban[works], level(school["education"])[works], country
    )
    office = rng.random(count)
    state = position == STATE_EMPLOYEE
    schooled = level(school["education"]) >= 3  # noqa: PLR2004
    fertile = is_female & (marital == MARRIED) & (age >= 17) & (age <= 43)  # noqa: PLR2004
    adult = age > 40  # noqa: PLR2004
    dead = adult & chosen(rng, count, country.families.died_but_listed) if with_dead else np.zeros(count, dtype=bool)
    return pl.DataFrame(
        {
            "family": family,
            "birth": birth,
            "is_female": is_female,
            "relation": relation,
            "marital_status": marital,
            "is_pregnant": fertile & ~dead & chosen(rng, count, 0.055),
            **school,
            "work_position": position,
            "disability": disability.astype(np.int32),
            "is_alive": ~dead,
            "is_civil_servant": state & (office < country.civil_servant),
            "is_soldier_or_police": state & (office > 1 - country.soldier_or_police),
            "is_pensioner": schooled & (age >= ELDERLY) & chosen(rng, count, country.pensioner),
            "is_rights_victim": chosen(rng, count, country.rights_victim),
            "wage": wages(rng, own_welfare, position, country),
        }
    )


def rolled_up(persons: pl.DataFrame, families: int, day: date) -> pl.DataFrame:
    """Per family row, what the questionnaire rolls up from its living members, as its labels say; null without any."""
    alive = persons.filter(pl.col("is_alive"))
    age = pl.Series("age", ages(alive["birth"].to_numpy(), days(day)))
    schooling = pl.Series("schooling", level(alive["education"].to_numpy()))
    school_aged = pl.col("age").is_between(SCHOOL_AGE, ADULT - 1)
    # A family whose head died has its first living member stand for the head.
    nearness = pl.col("relation").cast(pl.Int64) * 1000 - pl.col("age")
    first = (nearness * alive.height + pl.col("row")).arg_min()
    found = (
        alive.with_columns(age, schooling, pl.int_range(pl.len()).alias("row"))
        .group_by("family")
        .agg(
            pl.len().alias("household_size"),
            (pl.col("age") < SCHOOL_AGE).sum().alias("under_seven_count"),
            school_aged.sum().alias("school_age_count"),
            (pl.col("age") >= ELDERLY).sum().alias("elderly_count"),
            (pl.col("work_position") > 0).sum().alias("working_count"),
            (pl.col("disability") <= SEVERE).sum().alias("disabled_count"),
            pl.col("age").get(first).alias("head_age"),
            pl.col("is_female").get(first).cast(pl.Int32).alias("head_is_female"),
            pl.col("schooling").get(first).alias("head_education"),
            pl.col("schooling").max().alias("highest_education"),
            pl.col("work_position").get(first).alias("head_work_position"),
            (pl.col("marital_status").get(first) == MARRIED).cast(pl.Int32).alias("head_is_married"),
            (school_aged & (pl.col("school_participation") != AT_SCHOOL)).sum().alias("children_out_of_school_count"),
        )
    )
    rows = pl.DataFrame({"family": np.arange(families)})
    return rows.join(found, on="family", how="left").sort("family").drop("family")
