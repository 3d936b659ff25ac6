"""What in the registry BPS is to settle by a visit: one row per family and reason. Nothing is decided here."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

import polars as pl

from assets.registry.attributes import is_overtaken
from assets.registry.authors import IN_PERSON, is_unregistered
from quotas.calendar import DrawnDays
from quotas.rules import RegistryRule
from schemas.feeds import VISIT_FOUND
from schemas.vocabularies import Author, Doubt, Source, Standing, Subject

_QUARTER_DAYS = 92
_THOUSAND = 1_000
_DAYS_OF_REVIEW = ("asked_on", "answered_on")


def collect_doubts(
    families: pl.DataFrame,
    pending: pl.DataFrame,
    conflicts: pl.DataFrame,
    expiring: pl.DataFrame,
    reviews: pl.DataFrame,
    rule: RegistryRule,
    days: DrawnDays,
) -> pl.DataFrame:
    """Collect what BPS is to settle of the families of a regency (contract `registry/doubts`, without the regency).

    Parameters
    ----------
    families : DataFrame
        Contract `registry/families` with `is_receiving, is_protected`.
    pending : DataFrame
        Contract `registry/pending` of these families.
    conflicts : DataFrame
        Contract `registry/conflicts`.
    expiring : DataFrame
        From :func:`assets.registry.answers.expiry_of_scores`.
    reviews : DataFrame
        From :func:`find_reviews`.
    days : DrawnDays
        The lottery seed draws the checks in person that are checked again.
    """
    is_noticed = (pl.col("standing") == Standing.AFTER_NOTICE.value) & (pl.col("subject") == Subject.ANSWERS.value)
    soon = days.cut_off + timedelta(days=_QUARTER_DAYS)
    protected = families.filter(pl.col("is_receiving") | pl.col("is_protected")).select("family_id")
    parts = [
        (Doubt.NOT_REGISTERED, families.filter(is_unregistered()).select("family_id")),
        (Doubt.PENDING_STATEMENT, pending.filter("is_listed", ~is_noticed).select("family_id", "author")),
        (Doubt.SURVEY_AFTER_NOTICE, pending.filter("is_listed", is_noticed).select("family_id", "author")),
        (
            Doubt.BPS_ANSWER_OVERTAKEN,
            conflicts.filter(is_overtaken(rule, days.cut_off)).select("family_id", author=pl.lit(Author.AGENT.value)),
        ),
        (
            Doubt.ANSWERS_EXPIRE,
            expiring.filter(pl.col("expires") <= soon).join(protected, on="family_id", how="semi").select("family_id"),
        ),
        (Doubt.CHECK_IN_PERSON_SAMPLED, sample_checks(families, rule, days.lottery_seed)),
        (Doubt.REVIEW_REQUESTED, reviews.join(families.select("family_id"), on="family_id", how="semi")),
    ]
    return _joined(parts)


def _joined(parts: Iterable[tuple[Doubt, pl.DataFrame]]) -> pl.DataFrame:
    rows = [
        frame.select(
            "family_id",
            reason=pl.lit(doubt.value),
            author=pl.col("author") if "author" in frame.columns else pl.lit(None, pl.String),
            **{name: pl.col(name) if name in frame.columns else pl.lit(None, pl.Date) for name in _DAYS_OF_REVIEW},
        )
        for doubt, frame in parts
    ]
    return (
        pl.concat(rows)
        .sort("family_id", "reason", "author", nulls_last=True)
        .unique(["family_id", "reason"], keep="first", maintain_order=True)
    )


def find_reviews(requests: pl.DataFrame, earlier: pl.DataFrame, families: pl.DataFrame) -> pl.DataFrame:
    """Human reviews that families asked for and that were not answered before this quarter.

    A review is answered by a completed visit of BPS on the day asked or later. One that is not stays, whatever
    the quarter in which it was asked.

    Parameters
    ----------
    requests : DataFrame
        `family_id, requested_date` of the requests of this quarter.
    earlier : DataFrame
        Contract `registry/doubts` of the quarter before.
    families : DataFrame
        `family_id, visit_result, visit_result_date, visit_result_source`.

    Returns
    -------
    DataFrame
        `family_id, asked_on, answered_on`, each family once.
    """
    is_open = (pl.col("reason") == Doubt.REVIEW_REQUESTED.value) & pl.col("answered_on").is_null()
    asked = pl.concat(
        [
            requests.select("family_id", asked_on="requested_date"),
            earlier.filter(is_open, pl.col("asked_on").is_not_null()).select("family_id", "asked_on"),
        ]
    )
    is_completed = (pl.col("visit_result") == VISIT_FOUND) & (
        pl.col("visit_result_source").cast(pl.String) == Source.BPS_VALIDATION.value
    )
    answers = is_completed & (pl.col("visit_result_date") >= pl.col("asked_on"))
    return (
        asked.group_by("family_id")
        .agg(pl.col("asked_on").min())
        .join(families, on="family_id")
        .select("family_id", "asked_on", answered_on=pl.when(answers).then("visit_result_date"))
        .sort("family_id")
    )


def sample_checks(families: pl.DataFrame, rule: RegistryRule, seed: str) -> pl.DataFrame:
    """`family_id` of some families verified in person, drawn by SHA-256 of the seed and the keyed pseudonym."""
    ids = families.filter(pl.col("verified_by") == IN_PERSON)["family_id"].sort()
    drawn = [
        int.from_bytes(hashlib.sha256(f"{seed}|in_person|{family}".encode()).digest()[:4]) % _THOUSAND
        < rule.in_person_checks_sampled_per_thousand
        for family in ids
    ]
    return pl.DataFrame([ids.filter(pl.Series(drawn, dtype=pl.Boolean))])
