"""Persons rolled up to their family: the variables the scorecard reads and the facts the filters read.

Only living members count. A person of whom nothing is known makes the family's fact unknown, unless another member
already settles it: a yes, or an amount. An amount is the highest that is known. A child without a number makes nothing
unknown: no agency could have been asked about it.
"""

from datetime import date

import polars as pl

_ATTENDS = 2
_MARRIED = 2
SEVERE = 2
ELDERLY_AGE = 60
ADULT_AGE = 17
"""From this age on a person has an identity card of his own (UU 24/2013 art. 63)."""
_STATE_POSITION = 5
_STATE_FACTS = ("is_civil_servant", "is_soldier_or_police", "is_pensioner", "has_state_income")
_SCHOOL_AGE = (7, 18)
_FIRST_CLASS = 1
_SCHOOLING = {**dict.fromkeys(range(1, 6), 1), **dict.fromkeys(range(6, 11), 2), **dict.fromkeys(range(11, 18), 3),
              **dict.fromkeys(range(18, 23), 4), 23: 0}  # fmt: skip
_IS_ALIVE = pl.col("is_deceased").fill_null(0) == 0
FACT_OF_PERSONS = {
    "has_civil_servant": "is_civil_servant",
    "has_soldier_or_police": "is_soldier_or_police",
    "has_pensioner": "is_pensioner",
    "wage_rupiah_month": "wage_rupiah_month",
    "electricity_va": "electricity_va",
    "has_certified_teacher": "is_certified_teacher",
    "has_state_income": "has_state_income",
    "has_company_owner": "is_company_owner",
    "has_health_worker": "is_health_worker",
    "has_village_official": "is_village_official",
    "other_aid_finding": "receives_other_aid",
    "car_count": "car_count",
    "land_area_m2": "land_area_m2",
    "has_first_class_insurance": "health_insurance_class",
    "income_rupiah_year": "income_rupiah_year",
    "gambling_rupiah": "gambling_rupiah",
    "has_abnormal_transactions": "has_abnormal_transactions",
}
"""Facts of a family that its persons decide, with the fact of each person."""


def age_on(day: date, birth: str = "birth_date") -> pl.Expr:
    """Completed years on a day, Int32."""
    born = pl.col(birth)
    had_birthday = (born.dt.month() < day.month) | ((born.dt.month() == day.month) & (born.dt.day() <= day.day))
    return (day.year - born.dt.year() - had_birthday.not_().cast(pl.Int32)).cast(pl.Int32)


def living(persons: pl.DataFrame) -> pl.DataFrame:
    """Persons not known to have died."""
    return persons.filter(_IS_ALIVE)


def heads(alive: pl.DataFrame) -> pl.DataFrame:
    """`family_id, head_person_id, head_name`: the head, or who takes over: spouse, else the oldest living member."""
    # Who is neither head nor spouse comes third, whatever else is known of the relation.
    order = pl.col("relation").fill_null(3).clip(upper_bound=3)
    return (
        alive.select("family_id", "relation", "birth_date", "person_id", "name")
        .filter(order == order.min().over("family_id"))
        .sort("family_id", order, "birth_date", "person_id", nulls_last=True)
        .unique("family_id", keep="first", maintain_order=True)
        .select("family_id", head_person_id="person_id", head_name="name")
    )


def rolled_up(alive: pl.DataFrame, named: pl.DataFrame, day: date) -> pl.DataFrame:
    """The questionnaire's variables of level `members`, one row per family, Int32.

    Parameters
    ----------
    alive : DataFrame
        Living persons (contract `registry/persons`); a birth date that is not known is null, and with it every count
        of its family by age.
    named : DataFrame
        Their families' heads, from :func:`heads`.
    day : date
        Day on which ages are counted.
    """
    age = pl.col("_age")
    school_age = age.is_between(*_SCHOOL_AGE)
    is_head = pl.col("person_id") == pl.col("head_person_id")
    schooling = pl.col("education").replace_strict(_SCHOOLING, return_dtype=pl.Int32)

    members = alive.lazy().join(named.lazy(), on="family_id").with_columns(_age=age_on(day))
    of_heads = members.filter(is_head).select(
        "family_id",
        head_age=age,
        head_is_female=(pl.col("sex") == "female").cast(pl.Int32),
        head_education=schooling,
        head_work_position=pl.col("work_position").cast(pl.Int32),
        head_is_married=(pl.col("marital_status") == _MARRIED).cast(pl.Int32),
    )
    of_all = members.group_by("family_id").agg(
        household_size=pl.len().cast(pl.Int32),
        under_seven_count=_count_by_age(age < _SCHOOL_AGE[0]),
        school_age_count=_count_by_age(school_age),
        elderly_count=_count_by_age(age >= ELDERLY_AGE),
        working_count=(pl.col("work_position") > 0).sum().cast(pl.Int32),
        disabled_count=(pl.col("disability") <= SEVERE).sum().cast(pl.Int32),
        highest_education=schooling.max(),
        children_out_of_school_count=_count_by_age(school_age & (pl.col("school_participation") != _ATTENDS)),
    )
    return of_all.join(of_heads, on="family_id", how="left").sort("family_id").collect()


def _count_by_age(holds: pl.Expr) -> pl.Expr:
    """Members of whom it holds; null where an age is not known."""
    return pl.when(pl.col("_age").null_count() == 0).then(holds.sum()).cast(pl.Int32)


def family_facts(persons: pl.DataFrame, day: date) -> pl.DataFrame:
    """Roll the facts of persons up to families: `<fact>`, `<fact>_date`, `<fact>_by_bps`; one row per family.

    The date is that of the oldest statement the value rests on: the yeses or amounts if there are any, else all. An
    unknown fact has none. `<fact>_by_bps`: BPS found the highest value of a member; of no value, that of any member.

    Parameters
    ----------
    persons : DataFrame
        Contract `registry/persons`, the dead among them.
    day : date
        Day on which ages are counted.
    """
    everybody = persons.lazy()
    counts = everybody.group_by("family_id").agg(
        living_member_count=_IS_ALIVE.sum().cast(pl.Int64),
        living_member_count_date=pl.col("is_deceased_date").max(),
        living_member_count_by_bps=pl.col("is_deceased_by_bps").any(),
    )
    could_be_asked = pl.col("nik").is_not_null() | (age_on(day) >= ADULT_AGE)
    asked = everybody.filter(_IS_ALIVE, could_be_asked).with_columns(
        health_insurance_class=(pl.col("health_insurance_class") == _FIRST_CLASS).cast(pl.Int64),
        # Yes is 1, whatever number an office writes: the level of the finding is ours to give.
        receives_other_aid=(pl.col("receives_other_aid") > 0).cast(pl.Int64),
    )
    facts = (
        asked.with_columns(
            pl.when(pl.col(name) > 0).then(f"{name}_date").alias(f"_yes_{name}") for name in FACT_OF_PERSONS.values()
        )
        .group_by("family_id")
        .agg(part for fact, name in FACT_OF_PERSONS.items() for part in _settled(fact, name))
    )
    by_bps = [pl.col(f"{fact}_by_bps").fill_null(value=False) for fact in FACT_OF_PERSONS]
    other_aid = "other_aid_finding"
    return (
        counts.join(facts, on="family_id", how="left")
        .join(_found_by_bps(asked), on="family_id", how="left")
        .with_columns(by_bps)
        .with_columns(pl.col(other_aid) * (1 + pl.col(f"{other_aid}_by_bps").cast(pl.Int64)))
        .sort("family_id")
        .collect()
    )


def _settled(fact: str, name: str) -> tuple[pl.Expr, pl.Expr]:
    highest = pl.col(name).max()
    is_settled = (highest > 0) | (pl.col(name).null_count() == 0)
    day = pl.coalesce(pl.col(f"_yes_{name}").min(), pl.col(f"{name}_date").min())
    return pl.when(is_settled).then(highest).alias(fact), pl.when(is_settled).then(day).alias(f"{fact}_date")


def _found_by_bps(asked: pl.LazyFrame) -> pl.LazyFrame:
    """`<fact>_by_bps` of the few families of which BPS found anything."""
    is_found = pl.any_horizontal(f"{name}_by_bps" for name in FACT_OF_PERSONS.values())
    families = asked.filter(is_found).select("family_id").unique()
    return (
        asked.join(families, on="family_id", how="semi")
        .group_by("family_id")
        .agg(
            (pl.col(f"{name}_by_bps") & (pl.col(name) == pl.col(name).max())).any().alias(f"{fact}_by_bps")
            for fact, name in FACT_OF_PERSONS.items()
        )
    )


def state_work(alive: pl.DataFrame) -> pl.DataFrame:
    """Compare members who state that they work for the state with what the agencies asked found.

    State-owned enterprises stand under the same answer (Regsosek 418, code 5) and in no register of the four, so that
    a contradiction is a ground for a visit alone.

    Parameters
    ----------
    alive : DataFrame
        Living persons (contract `registry/persons`).

    Returns
    -------
    DataFrame
        `family_id, is_state_work_contradicted` (Int64: 1 where a member stated it and nothing was found, 0 where it
        was found), `state_work_date` (day of the oldest check); one row per family with a member compared.
    """
    facts = [pl.col(name) for name in _STATE_FACTS]
    was_found = pl.any_horizontal(*(fact > 0 for fact in facts)).fill_null(value=False)
    was_asked = pl.all_horizontal(*(fact.is_not_null() for fact in facts))
    return (
        alive.lazy()
        .filter(pl.col("work_position") == _STATE_POSITION, was_found | was_asked)
        .group_by("family_id")
        .agg(
            is_state_work_contradicted=was_found.not_().any().cast(pl.Int64),
            state_work_date=pl.min_horizontal(f"{name}_date" for name in _STATE_FACTS).min(),
        )
        .sort("family_id")
        .collect()
    )


FACTS_OF_THE_RECORD = ("has_consent", "address_finding", "absence_finding", "refusal_finding")
"""Family facts that the registration and the visits decide, not what is known of the persons."""
