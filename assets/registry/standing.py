"""What statements may do: policy `standing` on who speaks of which family.

Only rows that do not simply count are listed: those of third parties, those that wait, and those that are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from assets.registry.authors import (
    CARD,
    ROW,
    Record,
    confirmations,
    find_areas,
    kinds_of,
    read_checks,
    read_members,
    read_office_facts,
    read_registrations,
    read_surveys,
)
from assets.registry.statements import Statements
from quotas.rulebook import Policy
from schemas.feeds import VISITS_WITH_ANSWERS
from schemas.vocabularies import AgentKind, Author, FamilyStanding, Feed, SenderKind, Standing, Subject

VERIFIED = (Author.HEAD_IN_PERSON, Author.VERIFIED_MEMBER, Author.VERIFIED_HEAD)


@dataclass(frozen=True)
class Effects:
    """Statements of a quarter that do not simply count, each by its batch and row.

    Attributes
    ----------
    verifications : DataFrame
        Registrations by which a family is verified: `batch_id, row_number, verified_by`.
    checked : DataFrame
        Families on record that were verified in person: `family_card_number`.
    confirmed : DataFrame
        Statements that their head confirmed then: `family_card_number, stated_date`.
    third_party : DataFrame
        Registrations that count as a third party's: `batch_id, row_number`.
    unsaid_consent : DataFrame
        Registrations whose word on consent does not count, or not yet: `batch_id, row_number, family_card_number,
        author, agent_id, stated_date, standing`, and `is_on_record` of the family.
    if_not_worse : DataFrame
        Registrations and surveys whose answers count now unless they worsen the family: `feed, batch_id, row_number,
        author, agent_id`.
    speakers : DataFrame
        `family_card_number, nik` (unique): whose identity was proved when he stated something of a card.
    set_aside : DataFrame
        Rows that do not count: `feed, batch_id, row_number, family_card_number, author, agent_id, stated_date,
        standing` (pending or refused).
    """

    verifications: pl.DataFrame
    checked: pl.DataFrame
    confirmed: pl.DataFrame
    third_party: pl.DataFrame
    unsaid_consent: pl.DataFrame
    if_not_worse: pl.DataFrame
    speakers: pl.DataFrame
    set_aside: pl.DataFrame


def judge_statements(said: Statements, record: Record, policy: Policy) -> Effects:
    """Decide by policy `standing` what every statement of a quarter does.

    Parameters
    ----------
    said : Statements
        All of them; those that last quarter counted already are left out.
    record : Record
        What the registry held before.
    """
    kinds = kinds_of(said.batches, policy)
    areas = find_areas(said)
    checks = _checks_that_count(read_checks(said, record, areas, kinds), policy)
    registrations = read_registrations(said, record, checks, kinds)
    by_card = _best_of_new_families(registrations)
    registrations = _with_both_effects(
        _placed(registrations, by_card), Subject.FAMILY, policy, is_on_it=pl.lit(value=True)
    )
    of_every_family = not _every_member_of_a_new_family_counts(policy)
    members = read_members(said, record, registrations, checks, kinds, of_every_family=of_every_family)
    members = _with_effects(_placed(members, by_card), Subject.MEMBERS, policy)
    # A visit that met nobody, was refused or found no address is judged as a result too.
    is_met = pl.col("visit_result").is_null() | pl.col("visit_result").is_in(VISITS_WITH_ANSWERS)
    surveys = _with_both_effects(
        read_surveys(said, record, registrations, areas, kinds), Subject.VISIT_RESULT, policy, is_on_it=~is_met
    )
    facts = _with_effects(read_office_facts(said, record, registrations, areas), Subject.EVIDENCE, policy)
    counts = pl.col("better") == Standing.COUNTS.value
    consents = _with_effects(registrations.filter(counts).drop("better", "worse"), Subject.CONSENT, policy)
    on_consent = pl.when("has_consent").then("better").otherwise("worse")
    is_late = pl.col("worse") == Standing.AFTER_NOTICE.value
    columns = ["feed", *ROW, CARD, "author", "agent_id", "stated_date"]
    parts = [
        one.filter(~counts).select(
            pl.lit(feed.value).alias("feed"), *columns[1:], pl.col("better").alias("standing")
        )
        for feed, one in (
            (Feed.REGISTRATIONS, registrations), (Feed.MEMBERS, members), (Feed.SURVEYS, surveys),
            (Feed.EVIDENCE, facts),
        )
    ]  # fmt: skip
    late = [
        one.filter(counts & is_late).select(pl.lit(feed.value).alias("feed"), *ROW, "author", "agent_id")
        for feed, one in ((Feed.REGISTRATIONS, registrations), (Feed.SURVEYS, surveys))
    ]
    kept = registrations.filter(counts)
    return Effects(
        kept.filter(pl.col("verified_by").is_not_null()).select(*ROW, "verified_by").sort(ROW),
        checks.filter("is_of_record").select(CARD).unique().sort(CARD),
        confirmations(checks.filter("is_of_record")).select(CARD, "stated_date").sort(pl.all()),
        kept.filter(pl.col("author") == Author.THIRD_PARTY.value).select(ROW).sort(ROW),
        consents.filter(on_consent != Standing.COUNTS.value)
        .select(*columns[1:], standing=on_consent, is_on_record=pl.col("standing") != FamilyStanding.NEW.value)
        .sort(ROW),
        pl.concat(late).sort("feed", *ROW),
        _find_speakers(said, kept, kinds),
        pl.concat(parts).sort("feed", *ROW),
    )


def _find_speakers(said: Statements, registrations: pl.DataFrame, kinds: Mapping[str, str]) -> pl.DataFrame:
    """Who was proved to speak of a card: in a registration that verifies it, or as a member at the portal."""
    portals = [batch for batch, kind in kinds.items() if kind == SenderKind.PORTAL.value]
    signed_in = (
        said.of(Feed.MEMBERS)
        .filter(pl.col("verified_nik").is_not_null(), pl.col("batch_id").is_in(portals))
        .select(CARD, nik="verified_nik")
        .unique()
        .collect()
    )
    verified = registrations.filter(pl.col("verified_by").is_not_null()).select(
        CARD, nik=pl.coalesce("proved_nik", "seen_nik")
    )
    return pl.concat([verified.drop_nulls(), signed_in]).unique().sort(pl.all())


def serving_agents(said: Statements) -> pl.DataFrame:
    """`village_code, agent_id`: who is to see documents in each village, companions before the office's operator."""
    order = [AgentKind.PKH_COMPANION.value, AgentKind.VILLAGE_OPERATOR.value]
    return (
        said.raw(Feed.AGENTS)
        .filter(pl.col("kind").is_in(order), pl.col("village_code").is_not_null())
        .sort("village_code", "kind", "agent_id")
        .unique("village_code", keep="first", maintain_order=True)
        .select("village_code", "agent_id")
        .collect()
    )


def _checks_that_count(checks: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """`family_card_number, nik, agent_id, day, confirmed_date, is_of_record`: the document was the recorded head's."""
    counting = _with_effects(checks, Subject.IDENTITY, policy).filter(pl.col("better") == Standing.COUNTS.value)
    is_of_record = (pl.col("nik") == pl.col("head_nik")).fill_null(value=False)
    return counting.select(CARD, "nik", "agent_id", "day", "confirmed_date", is_of_record=is_of_record)


def _every_member_of_a_new_family_counts(policy: Policy) -> bool:
    """Whether members of a new family count whoever states them: then nobody needs to read them."""
    return all(
        rule.effect(author).better is Standing.COUNTS
        for rule in policy.standing
        if rule.subject is Subject.MEMBERS and FamilyStanding.NEW in rule.families
        for author in (Author.THIRD_PARTY, Author.UNVERIFIED_SELF, *VERIFIED)
    )


def _best_of_new_families(registrations: pl.DataFrame) -> pl.DataFrame:
    """`family_card_number, has_verified, has_own` of families not on record that somebody but a third party states."""
    return (
        registrations.filter(pl.col("standing").is_null())
        .group_by(CARD)
        .agg(
            has_verified=pl.col("author").is_in([one.value for one in VERIFIED]).any(),
            has_own=(pl.col("author") == Author.UNVERIFIED_SELF.value).any(),
        )
    )


def _placed(rows: pl.DataFrame, by_card: pl.DataFrame) -> pl.DataFrame:
    """Rows with the `standing` of their family; a new one is protected from others as soon as it is verified."""
    is_verified = pl.col("author").is_in([one.value for one in VERIFIED])
    new = (
        pl.when(pl.col("has_verified").fill_null(value=False) & ~is_verified)
        .then(pl.lit(FamilyStanding.PROTECTED.value))
        .when(pl.col("has_own").fill_null(value=False) & (pl.col("author") == Author.THIRD_PARTY.value))
        .then(pl.lit(FamilyStanding.KNOWN.value))
        .otherwise(pl.lit(FamilyStanding.NEW.value))
    )
    return rows.join(by_card, on=CARD, how="left", maintain_order="left").with_columns(
        standing=pl.coalesce("standing", new)
    )


def _with_both_effects(rows: pl.DataFrame, subject: Subject, policy: Policy, *, is_on_it: pl.Expr) -> pl.DataFrame:
    """Rows with what their answers do, or what the row does by its own subject where that does not count.

    Parameters
    ----------
    is_on_it : Expr
        Which rows speak on the subject.
    """
    answers = _with_effects(rows, Subject.ANSWERS, policy)
    whole = _with_effects(rows, subject, policy).select(*ROW, _whole="better")
    is_aside = is_on_it & (pl.col("_whole") != Standing.COUNTS.value)
    return (
        answers.join(whole, on=ROW, maintain_order="left")
        .with_columns(pl.when(is_aside).then("_whole").otherwise(name).alias(name) for name in ("better", "worse"))
        .drop("_whole")
    )


def _with_effects(rows: pl.DataFrame, subject: Subject, policy: Policy) -> pl.DataFrame:
    """Rows with `better` and `worse`: what they do by `author` and `standing`, should they help or harm the family."""
    words = [
        (family.value, author.value, rule.effect(author).better.value, rule.effect(author).worse.value)
        for rule in policy.standing
        if rule.subject is subject
        for family in rule.families
        for author in Author
    ]
    columns = ["standing", "author", "better", "worse"]
    table = pl.DataFrame(words, schema=dict.fromkeys(columns, pl.String), orient="row")
    return rows.join(table, on=["standing", "author"], how="left", maintain_order="left")
