"""How many families wait for a check, how long, and how many places open checks keep. Nothing is decided here."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from assets.decision.families import Terms
from assets.decision.reviews import REVIEW_DUE
from assets.decision.waits import quarters_since
from assets.registry.rollups import ELDERLY_AGE
from assets.steps import step
from schemas.vocabularies import AgeGroup, GoesTo, Status

_BY = ["regency_code", "channel", "age_group"]
_HEAD_AGE = "head_age"
_ASKED = ["family_id", "regency_code", "channel", "is_verified", _HEAD_AGE]
_SECOND, _THIRD = 1, 2
"""Quarters since the first."""


def open_checks(
    families: pl.DataFrame, decisions: pl.DataFrame, listed: pl.DataFrame, pending: pl.Series, terms: Terms
) -> pl.DataFrame:
    """Count the waiting by regency, channel and age of the head (contract `decision/open_checks`).

    Parameters
    ----------
    families, decisions, listed : DataFrame
        Contracts `registry/families`, `decision/decisions` and `decision/worklist` of the same regencies.
    pending : Series
        `family_id` of the families with a statement that waits for a confirmation.
    """
    is_held = pl.col("status") == Status.HELD.value
    held = (
        decisions.filter(is_held)
        .group_by("family_id")
        .agg(_waited=quarters_since("held_since", terms.quarter).max().fill_null(0))
    )
    supervised = listed.filter(pl.col("goes_to") == GoesTo.SUPERVISOR.value)["family_id"]
    waited = pl.col("_waited")
    counts = {
        "evaluated": pl.len(),
        "unverified": pl.col("is_verified").not_().sum(),
        "pending": pl.col("family_id").is_in(pending.implode()).sum(),
        "held": waited.is_not_null().sum(),
        "held_one_quarter": (waited < _SECOND).sum(),
        "held_two_quarters": (waited == _SECOND).sum(),
        "held_longer": (waited >= _THIRD).sum(),
        "with_supervisor": pl.col("family_id").is_in(supervised.implode()).sum(),
        "kept_places": pl.col("kept_places").sum(),
    }
    return (
        families.join(held, on="family_id", how="left")
        .join(_places_kept(decisions, listed), on="family_id", how="left")
        .with_columns(pl.col("kept_places").fill_null(0), age_group=_age_group(families.columns))
        .group_by(_BY)
        .agg(count.cast(pl.Int64).alias(name) for name, count in counts.items())
        .with_columns(quarter=pl.lit(str(terms.quarter)))
        .sort(_BY)
    )


def _age_group(columns: Sequence[str]) -> pl.Expr:
    """Age group of the head; unknown of everybody where the home's questionnaire does not ask it."""
    age = pl.col(_HEAD_AGE) if _HEAD_AGE in columns else pl.lit(None, pl.Int32)
    return (
        pl.when(age >= ELDERLY_AGE)
        .then(pl.lit(AgeGroup.SIXTY_AND_OLDER.value))
        .when(age < ELDERLY_AGE)
        .then(pl.lit(AgeGroup.UNDER_SIXTY.value))
        .otherwise(pl.lit(AgeGroup.UNKNOWN.value))
    )


def _places_kept(decisions: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """`family_id, kept_places`: places of recipients for whose programme a check is open; a due review is none."""
    checked = (
        listed.filter(pl.col("reason") != REVIEW_DUE).select("family_id", programme="programmes").explode("programme")
    )
    return (
        decisions.filter(pl.col("status") == Status.RECIPIENT.value)
        .join(checked, on=["family_id", "programme"], how="semi")
        .group_by("family_id")
        .agg(kept_places=pl.len().cast(pl.Int64))
    )


def list_columns_of_families(held: Collection[str]) -> tuple[str, ...]:
    """Columns of the families that are read, of those the registry holds."""
    return tuple(name for name in _ASKED if name in held)


def _list_asked(settings: Mapping[str, Any]) -> Sequence[str]:
    asked: tuple[str, ...] = settings["asked"]
    return asked


@step(
    reads={
        "families": "registry/families",
        "decisions": "decision/decisions",
        "listed": "decision/worklist",
        "pending": "registry/pending",
    },
    columns={
        "families": _list_asked,
        "decisions": ("family_id", "programme", "status", "held_since"),
        "pending": ("family_id",),
    },
    uses=("terms", "asked"),
    writes=("decision/open_checks",),
)
def count_open_checks(
    families: pl.DataFrame,
    decisions: pl.DataFrame,
    listed: pl.DataFrame,
    pending: pl.DataFrame,
    *,
    terms: Terms,
    asked: tuple[str, ...],
) -> pl.DataFrame:
    """Count the open checks of a regency."""
    del asked
    return open_checks(families, decisions, listed, pending["family_id"], terms)
