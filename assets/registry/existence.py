"""Whose number is confirmed: by Dukcapil when asked, by its register or DTSEN, or by BPS.

A number alone proves nothing; what an unconfirmed one does to a family is the policy's.
"""

from datetime import date

import polars as pl

from assets.registry.rollups import ADULT_AGE, age_on
from schemas.feeds import FACT_AGENCY, VISIT_FOUND, VISIT_INCOMPLETE
from schemas.vocabularies import KnownTo, Source

_UNKNOWN = "is_unknown_number"
_CONFIRMED = ("is_number_confirmed", "number_confirmed_source", "number_confirmed_date")


def confirm_numbers(persons: pl.DataFrame, registers: pl.LazyFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Mark each person whose number is confirmed, by whom and as of when.

    BPS decides, then Dukcapil where it does not know the number, then the registers where they list it: with the same
    birth date or the same name it is this person's, with neither it is somebody else's. A number that no register
    lists is confirmed where Dukcapil was asked about it and knows it, or where it was confirmed last quarter.

    Parameters
    ----------
    persons : DataFrame
        Contract `registry/persons` without the columns made here.
    registers : LazyFrame
        `nik, name, birth_date, issued_on, source` of the population register and DTSEN, of these buckets at least.
    previous : DataFrame
        Last quarter's persons, at least those of these buckets.

    Returns
    -------
    DataFrame
        `persons` with `is_number_confirmed`, `number_confirmed_source`, `number_confirmed_date`.
    """
    before = previous.filter("is_number_confirmed", pl.col("nik").is_not_null()).select(
        "person_id", "nik", *_CONFIRMED, _name="name", _birth="birth_date"
    )
    marked = persons.join(before, on=["person_id", "nik"], how="left")
    is_as_before = pl.col("_name").eq_missing(pl.col("name")) & pl.col("_birth").eq_missing(pl.col("birth_date"))
    looked_up = marked.filter(pl.col("nik").is_not_null(), is_as_before.not_()).select(
        "person_id", "nik", "name", "birth_date"
    )
    by_bps = pl.col(f"{_UNKNOWN}_by_bps").fill_null(value=False)
    listed = pl.col("is_listed_as_stated")
    choices = (
        (by_bps, pl.col(_UNKNOWN) == 0, pl.lit(str(Source.BPS_VALIDATION)), pl.col(f"{_UNKNOWN}_date")),
        (pl.col(_UNKNOWN) == 1, pl.lit(value=False), pl.lit(None, pl.String), pl.lit(None, pl.Date)),
        (listed.is_not_null(), listed, pl.col("listed_source"), pl.col("listed_date")),
        (pl.col(_UNKNOWN) == 0, pl.lit(value=True), pl.lit(str(FACT_AGENCY[_UNKNOWN])), pl.col(f"{_UNKNOWN}_date")),
    )  # fmt: skip
    decided = [pl.col(name) for name in _CONFIRMED]
    for condition, *values in reversed(choices):
        decided = [
            pl.when(condition).then(value).otherwise(otherwise)
            for value, otherwise in zip(values, decided, strict=True)
        ]
    is_confirmed, source, day = decided
    return (
        marked.join(_listed(looked_up, registers), on="person_id", how="left")
        .with_columns(
            is_number_confirmed=pl.col("nik").is_not_null() & is_confirmed.fill_null(value=False),
            number_confirmed_source=source,
            number_confirmed_date=day,
        )
        .with_columns(pl.when("is_number_confirmed").then(name).alias(name) for name in _CONFIRMED[1:])
        .drop("_name", "_birth", "is_listed_as_stated", "listed_source", "listed_date")
    )


def _listed(persons: pl.DataFrame, registers: pl.LazyFrame) -> pl.DataFrame:
    """`person_id, is_listed_as_stated, listed_source, listed_date` of persons whose number a register lists."""
    found = persons.lazy().join(registers, on="nik", suffix="_listed").collect()
    same_birth = (pl.col("birth_date") == pl.col("birth_date_listed")).fill_null(value=False)
    names = [
        pl.col(name).str.to_uppercase().str.replace_all(r"\s+", " ").str.strip_chars()
        for name in ("name", "name_listed")
    ]
    # Few are listed with another birth date: their names alone are compared.
    same_name = found.filter(~same_birth).with_columns(is_same=(names[0] == names[1]).fill_null(value=False))
    both = pl.concat([found.filter(same_birth).with_columns(is_same=pl.lit(value=True)), same_name])
    return (
        both.lazy()
        .group_by("person_id")
        .agg(
            is_listed_as_stated=pl.col("is_same").any(),
            listed_source=pl.col("source").filter("is_same").min(),
            listed_date=pl.col("issued_on").filter("is_same").max(),
        )
        .collect()
    )


def confirmed_families(alive: pl.DataFrame, records: pl.DataFrame, day: date) -> pl.DataFrame:
    """Tell which families are confirmed to exist: every living adult is; one row per family that is.

    An adult is confirmed by his number or, where Dukcapil does not deny it, because BPS met the family on or after the
    day on which he was first stated. In a family without adults the head stands for them.

    Parameters
    ----------
    alive : DataFrame
        Living persons (contract `registry/persons`).
    records : DataFrame
        Their families with `head_person_id` and `visit_result`, its source and date.
    day : date
        Day on which ages are counted.

    Returns
    -------
    DataFrame
        `family_id, is_identity_confirmed` (1), `is_identity_confirmed_date` (the oldest confirmation) and
        `is_identity_confirmed_source` (BPS where it confirms anybody, else the first by name).
    """
    is_met = pl.col("visit_result").is_in([VISIT_FOUND, VISIT_INCOMPLETE]) & (
        pl.col("visit_result_source").cast(pl.String) == str(Source.BPS_VALIDATION)
    )
    visits = records.lazy().select("family_id", "head_person_id", _met_on=pl.when(is_met).then("visit_result_date"))
    is_adult = age_on(day) >= ADULT_AGE
    known = alive.lazy().select(
        "family_id", "person_id", "recorded_on", "stated_date", _UNKNOWN, *_CONFIRMED, _is_adult=is_adult
    )
    adults, minors = known.filter("_is_adult"), known.filter(~pl.col("_is_adult").fill_null(value=False))
    met = (pl.col("_met_on") >= pl.coalesce("recorded_on", "stated_date")) & (pl.col(_UNKNOWN).fill_null(0) == 0)
    by_bps = pl.col("_source") == str(Source.BPS_VALIDATION)
    return (
        pl.concat([adults, minors.join(adults, on="family_id", how="anti")])
        .join(visits, on="family_id")
        .filter(pl.col("_is_adult") | (pl.col("person_id") == pl.col("head_person_id")))
        .with_columns(
            _is_confirmed=pl.col("is_number_confirmed") | met.fill_null(value=False),
            _source=pl.when("is_number_confirmed").then("number_confirmed_source")
            .otherwise(pl.lit(str(Source.BPS_VALIDATION))),
            _date=pl.when("is_number_confirmed").then("number_confirmed_date").otherwise("_met_on"),
        )
        .group_by("family_id")
        .agg(
            pl.col("_is_confirmed").all(),
            is_identity_confirmed=pl.lit(1, pl.Int64).first(),
            is_identity_confirmed_date=pl.col("_date").min(),
            is_identity_confirmed_source=pl.when(by_bps.any())
            .then(pl.lit(str(Source.BPS_VALIDATION)))
            .otherwise(pl.col("_source").min()),
        )
        .filter("_is_confirmed")
        .drop("_is_confirmed")
        .collect()
    )  # fmt: skip


def register_rows(population: pl.LazyFrame, dtsen: pl.LazyFrame, of: pl.Expr) -> pl.LazyFrame:
    """Rows of the population register and of DTSEN that may confirm a number, by Dukcapil and by BPS.

    Parameters
    ----------
    population, dtsen : LazyFrame
        Statements of the two feeds (:meth:`assets.registry.statements.Statements.of`).
    of : Expr
        Which rows are read.
    """
    sources = ((population, str(FACT_AGENCY[_UNKNOWN])), (dtsen, str(KnownTo.DTSEN)))
    return pl.concat(
        feed.filter(of).select("nik", "name", "birth_date", "issued_on", source=pl.lit(source))
        for feed, source in sources
    )
