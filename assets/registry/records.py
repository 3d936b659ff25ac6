"""The records of one regency's families: registration, answers with provenance, roll-ups and facts put together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from assets.pseudonyms import PseudonymKey
from assets.registry.attributes import Precedence, by_source, conflicts, golden_records
from assets.registry.plausibility import find_implausible, withhold_values
from assets.registry.rollups import FACT_OF_PERSONS, family_facts, heads, living, rolled_up
from assets.registry.settling import Settled
from quotas.rules import PlausibilityRule, RegistryRule
from schemas.feeds import FACT_AGENCY, VISIT_FOUND, VISIT_NOBODY_MET, VISIT_NOT_FOUND, VISIT_REFUSED
from schemas.questionnaire import Questionnaire
from schemas.vocabularies import FaceMatch, OfficeReason, Source

_AGENCY: Mapping[str, str] = {
    "living_member_count": FACT_AGENCY["is_deceased"],
    **{fact: FACT_AGENCY[name] for fact, name in FACT_OF_PERSONS.items()},
}
_FINDINGS = {"absence_finding": VISIT_NOBODY_MET, "refusal_finding": VISIT_REFUSED}


def attributes_of(questionnaire: Questionnaire) -> tuple[str, ...]:
    """Attributes with provenance of their own: the answers, and what visits found of the dwelling."""
    return (*questionnaire.answers, "visit_result", "building_number")


@dataclass(frozen=True)
class Before:
    """What last quarter's registry says of some families: golden records, conflicts, and which ones were there."""

    golden: pl.DataFrame
    families: pl.DataFrame
    conflicts: pl.DataFrame


def family_records(  # noqa: PLR0913
    index: pl.DataFrame,
    persons: pl.DataFrame,
    personless: pl.DataFrame,
    cases: pl.DataFrame,
    said: pl.DataFrame,
    before: Before,
    questionnaire: Questionnaire,
    key: PseudonymKey,
    *,
    deciles: pl.DataFrame,
    rule: RegistryRule,
    possible: PlausibilityRule,
    cut_off: date,
    day: date,
) -> tuple[pl.DataFrame, ...]:
    """Families, provenance, living members, conflicts, the village office's list and impossible values of one regency.

    Parameters
    ----------
    index : DataFrame
        The current rows of the regency's families in :func:`assets.registry.families.family_index`.
    persons, cases : DataFrame
        Persons and cases of these families.
    personless : DataFrame
        From :func:`newcomers_without_persons`.
    said : DataFrame
        Statements about these families (:func:`assets.registry.attributes.statements`).
    before : Before
        Last quarter's word on these families.
    deciles : DataFrame
        From :func:`assets.registry.deciles.official_deciles`.
    cut_off : date
        Last day that counts.
    day : date
        Decision day: ages count on it.

    Returns
    -------
    families, provenance, members, conflicts, village_office, implausible : DataFrame
        By the contracts of the same names. A family without any person left is no family, unless it is a newcomer
        held until it is clear whose its persons are.
    """
    attributes = attributes_of(questionnaire)
    precedence = Precedence.of(rule, cut_off)
    told = by_source(said, attributes, precedence)
    answers = golden_records(told, before.golden, attributes, precedence)
    implausible = find_implausible(persons, possible, day)
    persons = withhold_values(persons, implausible)
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
        .join(deciles, on="family_id", how="left")
        .join(_splits(persons, index, before.families), on="family_id", how="left")
        .with_columns(
            has_consent=pl.col("has_consent").cast(pl.Int64),
            has_consent_date=pl.col("consent_date"),
            has_consent_source=pl.lit("registration"),
            is_address_found=(pl.col("visit_result") != VISIT_NOT_FOUND).cast(pl.Int64),
            is_address_found_date=pl.col("visit_result_date"),
            is_address_found_source=pl.col("visit_result_source"),
            registered_date=pl.col("first_registered_date"),
            **{
                f"{fact}_source": pl.when(pl.col(f"{fact}_date").is_not_null()).then(pl.lit(str(agency)))
                for fact, agency in _AGENCY.items()
            },
        )
        .with_columns(part for fact, result in _FINDINGS.items() for part in _finding(fact, result))
    )
    absent = [name for name in questionnaire.variables if name not in joined.columns]
    joined = joined.with_columns(pl.lit(None, pl.Int32).alias(name) for name in absent)
    joined = joined.join(_dwellings(joined, key), on=["village_code", "building_number"], how="left")
    doubted = conflicts(told, answers, before.conflicts, attributes)
    doubted = doubted.join(joined.select("family_id", "regency_code"), on="family_id")
    return joined, joined, _members(alive, joined), doubted, _village_office(joined, cases), implausible


def _members(alive: pl.DataFrame, families: pl.DataFrame) -> pl.DataFrame:
    """The living with `seen_by`: who completed a visit of the family on or after the day the person was stated."""
    visits = families.select("family_id", "visit_result", "visit_result_date", "visit_result_source")
    is_seen = (pl.col("visit_result") == VISIT_FOUND) & (pl.col("visit_result_date") >= pl.col("stated_date"))
    return alive.join(visits, on="family_id", how="left").with_columns(
        seen_by=pl.when(is_seen).then("visit_result_source")
    )


def _finding(fact: str, result: int) -> tuple[pl.Expr, ...]:
    """What visits found, by who says so: 0 the last visit did not, 1 an agent says so, 2 BPS; null without a visit."""
    is_bps = pl.col("visit_result_source") == Source.BPS_VALIDATION.value
    is_found = pl.col("visit_result") == result
    level = pl.when(is_found).then(pl.when(is_bps).then(2).otherwise(1)).when(is_found.not_()).then(0)
    return (
        level.cast(pl.Int64).alias(fact),
        *(pl.col(f"visit_result_{part}").alias(f"{fact}_{part}") for part in ("source", "date")),
    )


def _splits(persons: pl.DataFrame, index: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """`family_id, split_from_family_id, split_date`: new families most of whose persons left one other family.

    A split stays marked: it is how a household could get itself more than one place.
    """
    came = (
        persons.drop_nulls("came_from_family_id")
        .group_by("family_id", split_from_family_id="came_from_family_id")
        .agg(_came=pl.len())
    )
    concerned = persons.select("family_id").join(came, on="family_id", how="semi")
    most = (
        came.join(concerned.group_by("family_id").agg(_all=pl.len()), on="family_id")
        .filter(2 * pl.col("_came") >= pl.col("_all"))
        .sort("family_id", "_came", "split_from_family_id", descending=[False, True, False])
        .unique("family_id", keep="first", maintain_order=True)
        .join(before, on="family_id", how="anti")
        .join(index.select("family_id", split_date="registration_date"), on="family_id")
        .select("family_id", "split_from_family_id", "split_date")
    )
    known = before.select("family_id", "split_from_family_id", "split_date").drop_nulls("split_from_family_id")
    return pl.concat([known, most])


def _dwellings(families: pl.DataFrame, key: PseudonymKey) -> pl.DataFrame:
    """`village_code, building_number, dwelling_id` of the roofs these families are said to live under."""
    roofs = families.select("village_code", "building_number").drop_nulls().unique().sort(pl.all())
    named = roofs.select(pl.concat_str("village_code", pl.col("building_number").cast(pl.String), separator="|"))
    return roofs.with_columns(dwelling_id=key.ids("dwelling", named.to_series()))


def _village_office(families: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Families sent to the village office, once per reason: a failed face match, or a case of identity."""
    failed = families.filter((pl.col("face_match") == FaceMatch.FAILED.value) & ~pl.col("is_verified"))
    concerned = families.join(cases.select("family_id").unique(), on="family_id", how="semi")
    columns = ["family_id", "regency_code", "village_code", "agent_id"]
    return pl.concat(
        [
            failed.select(*columns, reason=pl.lit(OfficeReason.FACE_MATCH_FAILED.value)),
            concerned.select(*columns, reason=pl.lit(OfficeReason.IDENTITY_CASE.value)),
        ]
    )


def newcomers_without_persons(
    claims: pl.LazyFrame, settled: Settled, cases: pl.DataFrame, index: pl.DataFrame
) -> pl.DataFrame:
    """Unverified newcomers all of whose persons other families keep: `family_id, head_person_id, head_name`.

    They stay on record, so that they can be held and told so; the head is the one they named. A family whose persons
    counted there last quarter is not among them: it has dissolved.
    """
    losing = cases.filter(pl.col("is_kept").not_() & pl.col("is_verified").not_()).select("family_id").unique()
    of_losing = claims.join(losing.lazy(), on="family_id", how="semi").collect()
    sound = of_losing.join(settled.claims, on=["identity_id", "family_id"], how="anti").select("family_id")
    peopled = pl.concat([sound, settled.persons.select("family_id"), of_losing.filter("was_here").select("family_id")])
    current = index.filter("is_current").select("family_id")
    named = of_losing.join(peopled, on="family_id", how="anti").join(current, on="family_id", how="semi")
    return heads(named.with_columns(person_id="identity_id"))
