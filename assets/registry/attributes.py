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
    """All statements about families in one form: `family_card_number, source, date, issued_on` and the attributes.

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
                "family_card_number",
                pl.lit(str(source)).alias("source"),
                pl.col(day).alias("date"),
                "issued_on",
                *(name if name in frame.columns else pl.lit(None, pl.Int32).alias(name) for name in attributes),
            )
            for frame, source, day in feeds
        ],
        how="vertical_relaxed",
    )


def golden_records(  # noqa: PLR0913
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
        From :func:`statements`, with `family_id`.
    previous : DataFrame
        Last quarter's values with source and date, same columns as the result.
    precedence : sequence of str
        Sources, strongest first; policy `registry.source_precedence`.
    oldest, newest : date
        Statements outside these days do not count.
    """
    rank = {source: position for position, source in enumerate(precedence)}
    ordered = (
        said.filter(pl.col("date").is_between(oldest, newest))
        .with_columns(_rank=pl.col("source").replace_strict(rank, return_dtype=pl.Int8))
        .sort(
            "family_id", "_rank", "date", "issued_on", *attributes,
            descending=[False, False, True, True, *[True for _ in attributes]], nulls_last=True,
        )
    )  # fmt: skip
    answered = [pl.col(name).is_not_null() for name in attributes]
    fresh = ordered.group_by("family_id", maintain_order=True).agg(
        *(pl.col(name).filter(has).first() for name, has in zip(attributes, answered, strict=True)),
        *(
            pl.col(part).filter(has).first().alias(f"{name}_{part}")
            for name, has in zip(attributes, answered, strict=True)
            for part in ("source", "date")
        ),
    )
    both = fresh.join(previous, on="family_id", how="full", coalesce=True, suffix="_before")
    return both.select(
        "family_id", *(part for name in attributes for part in _stronger(name, rank, oldest, newest))
    ).sort("family_id")


def _stronger(name: str, rank: dict[str, int], oldest: date, newest: date) -> list[pl.Expr]:
    def order(suffix: str) -> pl.Expr:
        return pl.col(f"{name}_source{suffix}").replace_strict(rank, default=len(rank), return_dtype=pl.Int8)

    before_counts = pl.col(f"{name}_date_before").is_between(oldest, newest) & pl.col(f"{name}_before").is_not_null()
    fresher = pl.col(f"{name}_date_before") > pl.col(f"{name}_date")
    beats = (order("_before") < order("")) | ((order("_before") == order("")) & fresher)
    keep = before_counts & (pl.col(name).is_null() | beats)
    return [
        pl.when(keep.fill_null(value=False)).then(f"{part}_before").otherwise(part).alias(part)
        for part in (name, f"{name}_source", f"{name}_date")
    ]


def oldest_day(cut_off: date, max_age_days: int) -> date:
    """First day an answer may be from to count at the cut-off."""
    return cut_off - timedelta(days=max_age_days)
