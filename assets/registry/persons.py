"""The persons of a quarter: each with the facts last stated of it and with what agencies know.

Who is whom and in which family a person counts is settled in `claims` and `identity`; here nobody is matched.
"""

from collections.abc import Iterable, Sequence

import polars as pl

from assets.registry.claims import MEMBER_COLUMNS
from assets.registry.statements import Coverage
from schemas.feeds import FACT_AGENCY, PERSON_FACTS

_ASKED = {"regency_code": pl.String, "agency": pl.String, "as_of": pl.Date}


def persons_of(
    claims: pl.DataFrame,
    settled: pl.DataFrame,
    evidence: pl.DataFrame,
    previous: pl.DataFrame,
    index: pl.DataFrame,
    coverage: Sequence[Coverage],
) -> pl.DataFrame:
    """The persons of some buckets, by the contract `registry/persons`.

    Parameters
    ----------
    claims : DataFrame
        Claims that are in no doubt (contract `registry/claims`): each is a person.
    settled : DataFrame
        Persons that were, of these buckets (:class:`assets.registry.settling.Settled`).
    evidence : DataFrame
        Statements of these buckets.
    previous : DataFrame
        What last quarter knew of these persons, and at least of those of these buckets.
    index : DataFrame
        From :func:`assets.registry.families.family_index`.
    """
    columns = ["person_id", "identity_id", "family_id", "nik_bucket", "nik", *MEMBER_COLUMNS, "stated_date"]
    homes = index.filter("is_current").select("family_id", "regency_code")
    before = previous.select("person_id", _family_before="family_id")
    persons = (
        pl.concat([claims.with_columns(person_id="identity_id").select(columns), settled.select(columns)])
        .join(homes, on="family_id")
        .join(before, on="person_id", how="left")
        .with_columns(
            came_from_family_id=pl.when(pl.col("_family_before") != pl.col("family_id")).then("_family_before")
        )
    )
    return _with_evidence(persons, evidence, coverage, previous)


def _with_evidence(
    persons: pl.DataFrame, evidence: pl.DataFrame, coverage: Sequence[Coverage], previous: pl.DataFrame
) -> pl.DataFrame:
    """Persons with every fact and its date: as the newest answer has it, a row or its absence where one was asked."""
    is_known = pl.col("nik").is_in(previous["nik"].drop_nulls().implode())
    latest = (
        evidence.filter(~(pl.col("was_due") & is_known))
        .sort("nik", "fact", "answered_on", "as_of_date", "issued_on", "value")
        .unique(["nik", "fact"], keep="last", maintain_order=True)
        .pivot(on="fact", on_columns=PERSON_FACTS, index="nik", values=["value", "as_of_date", "answered_on"])
    )
    before = previous.select(
        "person_id",
        *(pl.col(name).alias(f"{name}_before") for fact in PERSON_FACTS for name in (fact, f"{fact}_date")),
    )
    joined = (
        persons.join(latest, on="nik", how="left")
        .join(_days_of_checks(coverage), on="regency_code", how="left")
        .join(before, on="person_id", how="left")
    )
    return (
        joined.lazy()
        .with_columns(part for fact in PERSON_FACTS for part in _newest(fact))
        .with_columns(is_number_confirmed=pl.col("nik").is_not_null() & pl.col("is_deceased_date").is_not_null())
        .collect()
    )


def _days_of_checks(coverage: Iterable[Coverage]) -> pl.DataFrame:
    """`regency_code` and per fact `checked_<fact>`: the last day on which its agency answered for the regency."""
    asked = pl.DataFrame([(one.regency_code, one.agency, one.as_of) for one in coverage], schema=_ASKED, orient="row")
    return asked.group_by("regency_code").agg(
        pl.col("as_of").filter(pl.col("agency") == agency).max().alias(f"checked_{fact}")
        for fact, agency in FACT_AGENCY.items()
    )


def _newest(fact: str) -> list[pl.Expr]:
    """The fact and its date: a row, its absence where one was asked for, or last quarter's, whichever is newest."""
    stated, checked, known = pl.col(f"answered_on_{fact}"), pl.col(f"checked_{fact}"), pl.col(f"{fact}_date_before")
    is_stated = stated.is_not_null() & (checked.is_null() | (stated >= checked))
    is_news = pl.coalesce(pl.max_horizontal(stated, checked) >= known, pl.max_horizontal(stated, checked).is_not_null())
    choices = (
        (fact, pl.col(f"value_{fact}"), pl.lit(0, pl.Int64), pl.col(f"{fact}_before")),
        (f"{fact}_date", pl.col(f"as_of_date_{fact}"), checked, known),
    )
    return [
        pl.when(is_news & is_stated).then(row).when(is_news).then(absence).otherwise(before).alias(name)
        for name, row, absence, before in choices
    ]
