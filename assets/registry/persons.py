"""Which persons there are, one bucket of numbers at a time: one person in one family, with what agencies know.

Here identity is exact (the NIK); doubt becomes a case for a clerk, never a silent merge. Families and their
answers are elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from assets.pseudonyms import PseudonymKey
from schemas.feeds import FACT_AGENCY, PERSON_FACTS

MEMBER_COLUMNS = (
    "name", "birth_date", "sex", "relation", "marital_status", "is_pregnant", "school_participation", "school_level",
    "education", "work_position", "disability",
)  # fmt: skip
_TWO_FAMILIES = "nik_in_two_families"


@dataclass(frozen=True)
class Coverage:
    """An agency's answer about a regency: a person there without a row was checked and nothing was found."""

    agency: str
    regency_code: str
    as_of: date


def resolve_persons(  # noqa: PLR0913
    members: pl.DataFrame,
    evidence: pl.DataFrame,
    previous: pl.DataFrame,
    index: pl.DataFrame,
    coverage: Sequence[Coverage],
    key: PseudonymKey,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The persons of some buckets, each in one family, and the cases of those whom two families claim.

    A person stays with a verified family before an unverified one; among verified ones with the newest statement,
    among unverified ones where he was last quarter, then with the oldest registration.

    Parameters
    ----------
    members, evidence : DataFrame
        Accepted statements of these buckets, with `issued_on`.
    previous : DataFrame
        Last quarter's persons of these buckets (contract `registry/persons`).
    index : DataFrame
        From :func:`assets.registry.families.family_index`.

    Returns
    -------
    persons, cases : DataFrame
        By the contracts `registry/persons` and `registry/cases`.
    """
    families = index.select("family_card_number", "family_id")
    stated = members.join(families, on="family_card_number").select(
        "nik_bucket", "family_id", "family_card_number", "nik", *MEMBER_COLUMNS, "stated_date", "issued_on", was_here=pl.lit(value=False)
    )
    carried = previous.select(
        "nik_bucket", "family_id", pl.lit("").alias("family_card_number"), "nik", *MEMBER_COLUMNS, "stated_date",
        pl.col("stated_date").alias("issued_on"), was_here=pl.lit(value=True), person_id="person_id",
    )  # fmt: skip
    written = pl.coalesce(
        "nik", pl.concat_str("family_card_number", "name", pl.col("birth_date").cast(pl.String), separator="|")
    )
    stated = stated.with_columns(person_id=key.ids("person", stated.select(written).to_series()))
    current = index.filter("is_current").select(
        "family_id", "regency_code", "is_verified", "first_registered_date"
    )
    claims = (
        pl.concat([stated, carried.select(stated.columns)])
        .sort("person_id", "family_id", "stated_date", "issued_on", *MEMBER_COLUMNS, nulls_last=True)
        .group_by("person_id", "family_id", maintain_order=True)
        .agg(pl.col("nik_bucket", "nik", *MEMBER_COLUMNS, "stated_date").last(), pl.col("was_here").any())
        .join(current, on="family_id")
    )
    days = pl.col("stated_date").cast(pl.Int32), pl.col("first_registered_date").cast(pl.Int32)
    ranked = claims.with_columns(
        _first=pl.when("is_verified").then(-days[0]).otherwise(~pl.col("was_here")),
        _second=pl.when("is_verified").then(0).otherwise(days[1]),
    ).sort("person_id", pl.col("is_verified").not_(), "_first", "_second", "family_id")
    is_kept = pl.col("person_id").is_first_distinct()
    claimed = ranked.with_columns(is_kept=is_kept, _families=pl.len().over("person_id"))
    persons = _with_evidence(claimed.filter("is_kept"), evidence, coverage, previous)
    return persons, _cases(claimed.filter(pl.col("_families") > 1), key)


def _cases(doubtful: pl.DataFrame, key: PseudonymKey) -> pl.DataFrame:
    return doubtful.select(
        "person_id", "family_id", "regency_code", "is_verified", "is_kept",
        case_id=key.ids("case", doubtful["person_id"]), kind=pl.lit(_TWO_FAMILIES),
    )  # fmt: skip


def _with_evidence(
    persons: pl.DataFrame, evidence: pl.DataFrame, coverage: Sequence[Coverage], previous: pl.DataFrame
) -> pl.DataFrame:
    latest = (
        evidence.sort("nik", "fact", "as_of_date", "issued_on", "value")
        .unique(["nik", "fact"], keep="last", maintain_order=True)
        .select("nik", "fact", "value", "as_of_date")
    )
    for fact in PERSON_FACTS:
        asked = {one.regency_code: one.as_of for one in coverage if one.agency == FACT_AGENCY[fact]}
        stated = latest.filter(pl.col("fact") == fact).select("nik", _value="value", _date="as_of_date")
        before = previous.select("person_id", _before=fact, _before_date=f"{fact}_date")
        checked = pl.col("regency_code").replace_strict(asked, default=None, return_dtype=pl.Date)
        persons = (
            persons.join(stated, on="nik", how="left", maintain_order="left")
            .join(before, on="person_id", how="left", maintain_order="left")
            .with_columns(
                pl.when(pl.col("_value").is_not_null())
                .then("_value")
                .when(checked.is_not_null())
                .then(pl.lit(0, pl.Int64))
                .otherwise("_before")
                .alias(fact),
                pl.coalesce("_date", checked, "_before_date").alias(f"{fact}_date"),
            )
            .drop("_value", "_date", "_before", "_before_date")
        )
    return persons
