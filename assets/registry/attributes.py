"""The golden record of a family's answers: for each attribute one value, who said it and when.

BPS validation beats agent survey beats self-report; fresher wins within a rank; an answer older than policy allows
is unknown. Last quarter's values stand, with their own source and date, until something outranks them.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from schemas.vocabularies import Source


def statements(
    registrations: pl.DataFrame, surveys: pl.DataFrame, validations: pl.DataFrame, attributes: Sequence[str]
) -> pl.DataFrame:
    """All statements about families in one form: `family_id, source, date, issued_on` and the attributes.

    An attribute a feed does not ask is null.
    """
    feeds = (
        (registrations, Source.SELF_REPORT, "registered_date"),
        (surveys, Source.AGENT_SURVEY, "survey_date"),
        (validations, Source.BPS_VALIDATION, "validation_date"),
    )
    return pl.concat(
        [
            frame.select(
                "family_id",
                pl.lit(str(source)).alias("source"),
                pl.col(day).alias("date"),
                "issued_on",
                *(name if name in frame.columns else pl.lit(None, pl.Int32).alias(name) for name in attributes),
            )
            for frame, source, day in feeds
        ],
        how="vertical_relaxed",
    )


def golden_records(
    said: pl.DataFrame,
    previous: pl.DataFrame,
    attributes: Sequence[str],
    *,
    precedence: Sequence[str],
    oldest: date,
    newest: date,
) -> pl.DataFrame:
    """One row per family: every attribute, `<attribute>_source` and `<attribute>_date`.

    Parameters
    ----------
    said : DataFrame
        From :func:`statements`. Of two of the same rank and day the one issued later is believed; where even that
        is the same, the greater answer, so that no order of arrival decides.
    previous : DataFrame
        Last quarter's values with source and date, same columns as the result.
    precedence : sequence of str
        Sources, strongest first; policy `registry.source_precedence`.
    oldest, newest : date
        Statements outside these days do not count.
    """
    by_strength = pl.Enum([str(source) for source in precedence])
    parts = [f"{name}_{part}" for name in attributes for part in ("source", "date")]
    fresh = (
        said.filter(pl.col("date").is_between(oldest, newest))
        .with_columns(pl.col("source").cast(by_strength))
        .sort(
            "family_id", "source", "date", "issued_on", *attributes,
            descending=[False, False, True, True, *[True for _ in attributes]], nulls_last=True,
        )
        .with_columns(
            pl.when(pl.col(name).is_not_null()).then(part).alias(f"{name}_{part}")
            for name in attributes
            for part in ("source", "date")
        )
        .group_by("family_id", maintain_order=True)
        .agg(pl.col(*attributes, *parts).first(ignore_nulls=True))
    )  # fmt: skip
    stood = previous.with_columns(pl.col(f"{name}_source").cast(by_strength) for name in attributes)
    both = fresh.join(stood, on="family_id", how="full", coalesce=True, suffix="_before")
    return both.select("family_id", *(part for name in attributes for part in _stronger(name, oldest, newest))).sort(
        "family_id"
    )


def _stronger(name: str, oldest: date, newest: date) -> list[pl.Expr]:
    """Value, source and date of an attribute: last quarter's, unless something fresh outranks it or it is too old."""
    rank, rank_before = pl.col(f"{name}_source"), pl.col(f"{name}_source_before")
    day, day_before = pl.col(f"{name}_date"), pl.col(f"{name}_date_before")
    beats = rank.is_null() | (rank_before < rank) | ((rank_before == rank) & (day_before > day))
    keep = pl.col(f"{name}_before").is_not_null() & day_before.is_between(oldest, newest) & beats
    return [
        pl.when(keep.fill_null(value=False)).then(f"{part}_before").otherwise(part).alias(part)
        for part in (name, f"{name}_source", f"{name}_date")
    ]


def oldest_day(cut_off: date, max_age_days: int) -> date:
    """First day an answer may be from to count at the cut-off."""
    return cut_off - timedelta(days=max_age_days)
