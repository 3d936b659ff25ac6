"""The records of one regency's families: registration, answers with provenance, roll-ups and facts put together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from assets.pseudonyms import PseudonymKey
from assets.registry.attributes import Precedence, by_source, conflicts, golden_records
from assets.registry.existence import confirmed_families
from assets.registry.rollups import FACT_OF_PERSONS, family_facts, heads, living, rolled_up, state_work
from assets.registry.settling import Settled
from quotas.rules import RegistryRule
from schemas.feeds import FACT_AGENCY, VISIT_NOBODY_MET, VISIT_NOT_FOUND, VISIT_REFUSED
from schemas.questionnaire import Questionnaire
from schemas.vocabularies import FaceMatch, OfficeReason, Source

_AGENCY: Mapping[str, str] = {
    "living_member_count": FACT_AGENCY["is_deceased"],
    **{fact: FACT_AGENCY[name] for fact, name in FACT_OF_PERSONS.items()},
}
_FINDINGS = {
    "address_finding": VISIT_NOT_FOUND,
    "absence_finding": VISIT_NOBODY_MET,
    "refusal_finding": VISIT_REFUSED,
}
_CONTRADICTED = {"has_car": "car_count", "has_other_land": "land_area_m2"}
"""Property that a family states, with what the agency asked about it knows of its members."""


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
    cut_off: date,
    day: date,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Families, provenance, living members, conflicts and the village office's list of one regency.

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
    families, provenance, members, conflicts, village_office : DataFrame
        By the contracts of the same names. A family without any person left is no family, unless it is a newcomer
        held until it is clear whose its persons are.
    """
    attributes = attributes_of(questionnaire)
    precedence = Precedence.of(rule, cut_off)
    told = by_source(said, attributes, precedence)
    answers = golden_records(told, before.golden, attributes, precedence)
    alive = living(persons)
    died_out = persons.join(alive.select("family_id").unique(), on="family_id", how="anti")
    heads_alive = heads(alive)
    # Who keeps the person is decided as though there were no case: a claim alone must not freeze anybody's aid.
    first_case = cases.filter(pl.col("is_kept").not_()).group_by("family_id").agg(case_id=pl.col("case_id").min())
    joined = (
        index.join(pl.concat([heads_alive, heads(died_out), personless]), on="family_id")
        .join(answers, on="family_id", how="left")
        .join(rolled_up(alive, heads_alive, day), on="family_id", how="left")
        .join(family_facts(persons, day), on="family_id", how="left")
        .join(state_work(alive), on="family_id", how="left")
        .join(first_case, on="family_id", how="left")
        .join(deciles, on="family_id", how="left")
        .join(_splits(persons, index, before.families), on="family_id", how="left")
        .with_columns(
            has_consent=pl.col("has_consent").cast(pl.Int64),
            has_consent_date=pl.col("consent_date"),
            has_consent_source=pl.lit("registration"),
            registered_date=pl.col("first_registered_date"),
            **{
                f"{fact}_source": pl.when(pl.col(f"{fact}_date").is_not_null()).then(
                    pl.when(f"{fact}_by_bps").then(pl.lit(str(Source.BPS_VALIDATION))).otherwise(pl.lit(str(agency)))
                )
                for fact, agency in _AGENCY.items()
            },
        )
        .with_columns(part for fact, result in _FINDINGS.items() for part in _finding(fact, result))
    )
    joined = joined.with_columns(_contradictions(joined.columns))
    joined = joined.join(confirmed_families(alive, joined, day), on="family_id", how="left")
    absent = [name for name in questionnaire.variables if name not in joined.columns]
    joined = joined.with_columns(pl.lit(None, pl.Int32).alias(name) for name in absent)
    joined = joined.join(_dwellings(joined, key), on=["village_code", "building_number"], how="left")
    doubted = conflicts(told, answers, before.conflicts, attributes)
    doubted = doubted.join(joined.select("family_id", "regency_code"), on="family_id")
    return joined, joined, alive, doubted, _village_office(joined, cases)


def _finding(fact: str, result: int) -> tuple[pl.Expr, ...]:
    """What visits found, by who says so: 0 the last visit did not, 1 an agent says so, 2 BPS; null without a visit."""
    is_bps = pl.col("visit_result_source") == Source.BPS_VALIDATION.value
    is_found = pl.col("visit_result") == result
    level = pl.when(is_found).then(pl.when(is_bps).then(2).otherwise(1)).when(is_found.not_()).then(0)
    return (
        level.cast(pl.Int64).alias(fact),
        *(pl.col(f"visit_result_{part}").alias(f"{fact}_{part}") for part in ("source", "date")),
    )


def _contradictions(columns: Collection[str]) -> tuple[pl.Expr, ...]:
    """Count what the family states and the agencies asked did not find; null where there is nothing to compare.

    A questionnaire may leave a question out. No question asks about a company.
    """
    asked = [(pl.col(answer) == 1, fact) for answer, fact in _CONTRADICTED.items() if answer in columns]
    parts = [pl.when(is_stated).then((pl.col(fact) == 0).cast(pl.Int64)) for is_stated, fact in asked]
    days = [pl.when(is_stated).then(f"{fact}_date") for is_stated, fact in asked]
    is_compared = pl.coalesce(*parts, "is_state_work_contradicted").is_not_null()
    name = "declared_contradiction_count"
    return (
        pl.when(is_compared).then(pl.sum_horizontal(*parts, "is_state_work_contradicted")).alias(name),
        pl.when(is_compared).then(pl.min_horizontal(*days, "state_work_date")).alias(f"{name}_date"),
        pl.when(is_compared).then(pl.lit("registration")).alias(f"{name}_source"),
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
