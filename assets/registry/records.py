"""The records of one regency's families: registration, answers with provenance, roll-ups and facts put together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from assets.pseudonyms import PseudonymKey
from assets.registry.answers import (
    Answers,
    believe_answers,
    count_expiries,
    expiry_of_scores,
    worsened_families,
)
from assets.registry.attributes import Precedence, conflicts, expiry_days, outdated_by_surveys
from assets.registry.authors import ROW
from assets.registry.doubts import collect_doubts, find_reviews
from assets.registry.existence import confirmed_families
from assets.registry.pending import (
    compare_answers,
    compare_members,
    encode_rows,
    list_for_visits,
    name_statements,
    schedule_noticed,
)
from assets.registry.plausibility import find_implausible, withhold_values
from assets.registry.rollups import FACT_OF_PERSONS, family_facts, heads, living, rolled_up, state_work
from assets.registry.settling import Settled
from assets.welfare.scorecard import Scorecard
from quotas.calendar import DrawnDays
from quotas.rulebook import Policy
from schemas.contract import Contract
from schemas.feeds import FACT_AGENCY, VISIT_FOUND, VISIT_NOBODY_MET, VISIT_NOT_FOUND, VISIT_REFUSED
from schemas.quarter import Quarter
from schemas.questionnaire import Questionnaire
from schemas.vocabularies import FaceMatch, Feed, OfficeReason, RequestKind, Source, Standing, Subject

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
    """What last quarter's registry says of some families: golden records, conflicts, doubts, and who was there."""

    golden: pl.DataFrame
    families: pl.DataFrame
    conflicts: pl.DataFrame
    doubts: pl.DataFrame


@dataclass(frozen=True)
class Stated:
    """What is stated now of some families.

    Attributes
    ----------
    answers : DataFrame
        From :func:`assets.registry.attributes.statements`.
    if_not_worse : DataFrame
        `feed, batch_id, row_number, author, agent_id` of statements that count now only where they worsen nobody.
    rows : mapping of Feed to DataFrame
        The rows of these statements, with `family_id`.
    pending : DataFrame
        Statements of now and before that do not count yet, by the contract `registry/pending` without `counts_from,
        contradicts, is_listed`.
    requests : DataFrame
        `family_id, kind, requested_date`: what families ask for.
    """

    answers: pl.DataFrame
    if_not_worse: pl.DataFrame
    rows: Mapping[Feed, pl.DataFrame]
    pending: pl.DataFrame
    requests: pl.DataFrame


@dataclass(frozen=True)
class Basis:
    """On what the records of a quarter are made, besides statements.

    Attributes
    ----------
    days : DrawnDays
        Days of the quarter.
    cut_off_before : date
        Last day that counted in the quarter before.
    card : Scorecard
        Tells which answers worsen a family.
    serving : DataFrame
        `village_code, agent_id`: who is to see documents in a village.
    """

    quarter: Quarter
    questionnaire: Questionnaire
    contracts: Mapping[str, Contract]
    key: PseudonymKey
    policy: Policy
    days: DrawnDays
    cut_off_before: date
    card: Scorecard
    serving: pl.DataFrame


def family_records(
    index: pl.DataFrame,
    persons: pl.DataFrame,
    personless: pl.DataFrame,
    cases: pl.DataFrame,
    stated: Stated,
    before: Before,
    deciles: pl.DataFrame,
    basis: Basis,
) -> tuple[pl.DataFrame, ...]:
    """Make the records of one regency's families, and what is doubtful about them.

    Parameters
    ----------
    index : DataFrame
        The current rows of the regency's families in :func:`assets.registry.families.family_index`.
    persons, cases : DataFrame
        Persons and cases of these families.
    personless : DataFrame
        From :func:`newcomers_without_persons`.
    stated : Stated
        Statements about these families.
    before : Before
        Last quarter's word on these families.
    deciles : DataFrame
        From :func:`assets.registry.deciles.official_deciles`.

    Returns
    -------
    families, provenance, members, conflicts, village_office, implausible, pending, doubts, expiries : DataFrame
        By the contracts of the same names. A family without any person left is no family, unless it is a newcomer
        held until it is clear whose its persons are.
    """
    attributes, questionnaire = attributes_of(basis.questionnaire), basis.questionnaire
    cut_off, day = basis.days.cut_off, basis.days.decision_date
    implausible = find_implausible(persons, basis.policy.plausibility, day)
    persons = withhold_values(persons, implausible)
    alive = living(persons)
    died_out = persons.join(alive.select("family_id").unique(), on="family_id", how="anti")
    heads_alive = heads(alive)
    rolled = rolled_up(alive, heads_alive, day)
    believed = _answers(index, rolled, stated, before, basis)
    answers = believed.golden
    # Who keeps the person is decided as though there were no case: a claim alone must not freeze anybody's aid.
    first_case = cases.filter(pl.col("is_kept").not_()).group_by("family_id").agg(case_id=pl.col("case_id").min())
    joined = (
        index.join(pl.concat([heads_alive, heads(died_out), personless]), on="family_id")
        .join(answers, on="family_id", how="left")
        .join(rolled, on="family_id", how="left")
        .join(family_facts(persons, day), on="family_id", how="left")
        .join(state_work(alive), on="family_id", how="left")
        .join(first_case, on="family_id", how="left")
        .join(deciles, on="family_id", how="left")
        .join(_splits(persons, index, before.families), on="family_id", how="left")
        .with_columns(
            # Whom nobody has on record withdraws nothing: a newcomer without consent is asked again.
            has_consent=pl.when(pl.col("has_consent") | pl.col("was_known")).then(pl.col("has_consent").cast(pl.Int64)),
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
    joined = joined.join(_dwellings(joined, basis.key), on=["village_code", "building_number"], how="left")
    homes = joined.select("family_id", "regency_code")
    doubted = conflicts(believed.told, answers, before.conflicts, attributes).join(homes, on="family_id")
    waiting = _waiting(joined, persons, believed, stated, basis)
    expiring = expiry_of_scores(answers, index.select("family_id", "is_receiving"), basis.card, basis.policy.registry)
    visited = joined.select("family_id", "visit_result", "visit_result_date", "visit_result_source")
    reviews = find_reviews(_asking(stated, RequestKind.REVIEW), before.doubts, visited)
    doubts = collect_doubts(joined, waiting, doubted, expiring, reviews, basis.policy.registry, basis.days).join(
        homes, on="family_id"
    )
    expiries = count_expiries(expiring, cut_off).join(homes.select("regency_code").unique(), how="cross")
    checks = _checks_in_person(joined, cases, stated, basis)
    members = _members(alive, joined)
    return joined, joined, members, doubted, checks, implausible, waiting, doubts, expiries


def _answers(index: pl.DataFrame, rolled: pl.DataFrame, stated: Stated, before: Before, basis: Basis) -> Answers:
    """The answers of a regency's families; what would worsen one without notice is deferred."""
    households = index.join(rolled, on="family_id", how="left")

    def worsened(without: pl.DataFrame, with_them: pl.DataFrame) -> pl.Series:
        return worsened_families(without, with_them, households, basis.card)

    cut_off = basis.days.cut_off
    return believe_answers(
        stated.answers, stated.if_not_worse.select("feed", *ROW), before.golden,
        expiry_days(index.select("family_id", "is_receiving"), basis.policy.registry, cut_off),
        outdated_by_surveys(before.conflicts, basis.policy.registry, basis.cut_off_before),
        worsened, attributes_of(basis.questionnaire), Precedence.of(basis.policy.registry, cut_off),
    )  # fmt: skip


def _waiting(
    families: pl.DataFrame, persons: pl.DataFrame, believed: Answers, stated: Stated, basis: Basis
) -> pl.DataFrame:
    """Statements that wait, by the contract `registry/pending`: for BPS, or for the quarter after their notice."""
    contracts, attributes = basis.contracts, attributes_of(basis.questionnaire)
    homes = families.select("family_id", "regency_code", "is_receiving")
    held = stated.pending.drop("regency_code").join(homes, on="family_id")
    for_bps = held.filter(pl.col("standing") == Standing.PENDING.value)
    differing = pl.concat(
        [
            compare_answers(for_bps, believed.golden, attributes, contracts),
            compare_members(for_bps, persons, contracts),
        ]
    ).unique()
    deferred = {
        feed: rows.join(believed.deferred.filter(pl.col("feed") == feed.value), on=[*ROW, "family_id"], how="semi")
        for feed, rows in stated.rows.items()
    }
    noticed = [
        name_statements(
            rows.drop("agent_id")
            .join(stated.if_not_worse.filter(pl.col("feed") == feed.value), on=ROW)
            .join(encode_rows(rows.select(*contracts[f"intake/{feed}"].columns, "issued_on", "was_due")), on=ROW)
            .with_columns(
                subject=pl.lit(Subject.ANSWERS.value),
                standing=pl.lit(Standing.AFTER_NOTICE.value),
                stated_date="registered_date" if feed is Feed.REGISTRATIONS else "survey_date",
            ),
            basis.key,
        ).join(rows.select(*ROW, "family_id"), on=ROW)
        for feed, rows in deferred.items()
    ]
    late = pl.concat(noticed).join(homes, on="family_id").with_columns(since=pl.lit(str(basis.quarter)))
    is_harmful = (pl.col("subject") == Subject.CONSENT.value) | (pl.col("standing") == Standing.AFTER_NOTICE.value)
    contradicts = pl.col("statement_id").is_in(differing["statement_id"].implode()) | is_harmful
    waiting = pl.concat([held, late.select(held.columns)]).with_columns(contradicts=contradicts)
    rule = basis.policy.registry
    scheduled = schedule_noticed(waiting, basis.quarter, rule)
    return list_for_visits(scheduled, families.height, rule).select(*contracts["registry/pending"].columns)


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


def _asking(stated: Stated, kind: RequestKind) -> pl.DataFrame:
    return stated.requests.filter(pl.col("kind") == kind.value).select("family_id", "requested_date")


def _checks_in_person(families: pl.DataFrame, cases: pl.DataFrame, stated: Stated, basis: Basis) -> pl.DataFrame:
    """Families whose document is to be seen, once per reason, with the agent of the village and the oldest first."""
    unverified = families.filter(~pl.col("is_verified"))
    reasons = {
        OfficeReason.FACE_MATCH_FAILED: unverified.filter(pl.col("face_match") == FaceMatch.FAILED.value),
        OfficeReason.CHECK_REQUESTED: unverified.join(
            _asking(stated, RequestKind.CHECK_IN_PERSON), on="family_id", how="semi"
        ),
        OfficeReason.IDENTITY_CASE: families.join(cases.select("family_id").unique(), on="family_id", how="semi"),
    }
    columns = ["family_id", "regency_code", "village_code", "head_age"]
    rows = pl.concat([part.select(*columns, reason=pl.lit(reason.value)) for reason, part in reasons.items()])
    return (
        rows.join(basis.serving, on="village_code", how="left")
        .sort("village_code", -pl.col("head_age"), "family_id", "reason", nulls_last=True)
        .with_columns(priority=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("village_code"))
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
