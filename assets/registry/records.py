"""The records of one regency's families: registration, answers with provenance, roll-ups and facts put together."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from assets.registry.attributes import golden_records
from assets.registry.rollups import FACTS_OF_THE_RECORD, family_facts, heads, living, rolled_up
from schemas.feeds import FACT_AGENCY, VISIT_NOT_FOUND
from schemas.questionnaire import Questionnaire
from schemas.tables import FAMILY_FACTS
from schemas.vocabularies import Agency

_AGENCY: Mapping[str, str] = {
    "living_member_count": FACT_AGENCY["is_deceased"],
    "has_civil_servant": FACT_AGENCY["is_civil_servant"],
    "has_soldier_or_police": FACT_AGENCY["is_soldier_or_police"],
    "has_pensioner": FACT_AGENCY["is_pensioner"],
    "wage_rupiah_month": Agency.BPJS_KETENAGAKERJAAN,
    "electricity_va": Agency.PLN,
}


def attributes_of(questionnaire: Questionnaire) -> tuple[str, ...]:
    """Attributes with provenance of their own: the answers, and the result of the last visit."""
    return (*questionnaire.answers, "visit_result")


def family_records(  # noqa: PLR0913
    index: pl.DataFrame,
    persons: pl.DataFrame,
    personless: pl.DataFrame,
    cases: pl.DataFrame,
    said: pl.DataFrame,
    previous: pl.DataFrame,
    questionnaire: Questionnaire,
    *,
    precedence: Sequence[str],
    oldest: date,
    newest: date,
    day: date,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Families, provenance and living members of one regency.

    Parameters
    ----------
    index : DataFrame
        The current rows of the regency's families in :func:`assets.registry.families.family_index`.
    persons, cases : DataFrame
        Persons and cases of these families.
    personless : DataFrame
        From :func:`assets.registry.persons.newcomers_without_persons`.
    said : DataFrame
        Statements about these families (:func:`assets.registry.attributes.statements`).
    previous : DataFrame
        Last quarter's golden records of these families.
    day : date
        Decision day: ages count on it.

    Returns
    -------
    families, provenance, members : DataFrame
        By the contracts of the same names. A family without any person left is no family, unless it is a newcomer
        held until it is clear whose its persons are.
    """
    answers = golden_records(
        said, previous, attributes_of(questionnaire), precedence=precedence, oldest=oldest, newest=newest
    )
    alive = living(persons)
    died_out = persons.join(alive.select("family_id").unique(), on="family_id", how="anti")
    heads_alive = heads(alive)
    # Who keeps the person is decided as though there were no case: a claim alone must not freeze anybody's aid.
    first_case = cases.filter(pl.col("is_kept").not_()).group_by("family_id").agg(case_id=pl.col("case_id").min())
    joined = (
        index.join(pl.concat([heads_alive, heads(died_out), personless]), on="family_id")
        .join(answers, on="family_id", how="left")
        .join(rolled_up(alive, heads_alive, day), on="family_id", how="left")
        .join(family_facts(persons), on="family_id", how="left")
        .join(first_case, on="family_id", how="left")
        .with_columns(
            has_consent=pl.col("has_consent").cast(pl.Int64),
            has_consent_date=pl.col("registered_date"),
            has_consent_source=pl.lit("registration"),
            is_address_found=(pl.col("visit_result") != VISIT_NOT_FOUND).cast(pl.Int64),
            is_address_found_date=pl.col("visit_result_date"),
            is_address_found_source=pl.col("visit_result_source"),
            registered_date=pl.col("first_registered_date"),
            **{
                f"{fact}_source": pl.when(pl.col(f"{fact}_date").is_not_null()).then(pl.lit(str(_AGENCY[fact])))
                for fact in FAMILY_FACTS
                if fact not in FACTS_OF_THE_RECORD
            },
        )
    )
    absent = [name for name in questionnaire.variables if name not in joined.columns]
    joined = joined.with_columns(pl.lit(None, pl.Int32).alias(name) for name in absent)
    return joined, joined, alive
