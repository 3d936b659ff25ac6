"""Which answers of families count now: those that may, and of those that need notice the ones that harm nobody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from assets.registry.attributes import Precedence, by_source, expiry_delay, golden_records, with_outdated
from assets.registry.authors import ROW
from assets.welfare.score import score_micro
from assets.welfare.scorecard import Scorecard
from quotas.rules import RegistryRule
from schemas.quarter import Quarter

_STATEMENT = ["feed", *ROW]


@dataclass(frozen=True)
class Answers:
    """The answers of some families.

    Attributes
    ----------
    told : DataFrame
        From :func:`assets.registry.attributes.by_source`, of the statements that count.
    golden : DataFrame
        From :func:`assets.registry.attributes.golden_records`.
    deferred : DataFrame
        Statements that count only after notice, because they worsen their family: `feed, batch_id, row_number,
        family_id`.
    """

    told: pl.DataFrame
    golden: pl.DataFrame
    deferred: pl.DataFrame


def believe_answers(
    said: pl.DataFrame,
    if_not_worse: pl.DataFrame,
    previous: pl.DataFrame,
    expiry: pl.DataFrame,
    outdated: pl.DataFrame,
    worsened: Callable[[pl.DataFrame, pl.DataFrame], pl.Series],
    attributes: Sequence[str],
    precedence: Precedence,
) -> Answers:
    """Settle the answers of some families; what would worsen one without notice is deferred.

    A family's statements that need notice are judged one by one, the oldest first, each beside those that count: a
    later one that worsens the family takes nothing from an earlier one that does not.

    Parameters
    ----------
    said : DataFrame
        From :func:`assets.registry.attributes.statements`.
    if_not_worse : DataFrame
        `feed, batch_id, row_number` of statements that count only where they do not worsen their family.
    previous, expiry : DataFrame
        As :func:`assets.registry.attributes.golden_records` takes them.
    outdated : DataFrame
        From :func:`assets.registry.attributes.outdated_by_surveys`.
    worsened : callable
        From answers without and with such statements, the `family_id` of whom they worsen.
    """

    def settle(statements: pl.DataFrame, before: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        told = by_source(statements, attributes, precedence)
        golden = golden_records(told, before, expiry, attributes, precedence)
        return told, with_outdated(golden, outdated, attributes)

    late = said.join(if_not_worse, on=_STATEMENT, how="semi").sort("family_id", "date", "issued_on", *_STATEMENT)
    late = late.with_columns(_turn=pl.int_range(pl.len()).over("family_id"))
    counting = said.join(if_not_worse, on=_STATEMENT, how="anti")
    told, golden = settle(counting, previous)
    if late.is_empty():
        return Answers(told, golden, late.select(*_STATEMENT, "family_id"))
    families = late.select("family_id").unique()
    believed = [frame.join(families, on="family_id", how="semi") for frame in (told, golden)]
    counting, previous = (frame.join(families, on="family_id", how="semi") for frame in (counting, previous))
    deferred = []
    for turn in late["_turn"].unique().sort():
        tried = late.filter(_turn=turn)
        concerned = tried.select("family_id")
        statements = pl.concat([counting.join(concerned, on="family_id", how="semi"), tried.select(said.columns)])
        with_it = settle(statements, previous.join(concerned, on="family_id", how="semi"))
        worse = worsened(believed[1].join(concerned, on="family_id", how="semi"), with_it[1])
        harmless = tried.filter(~pl.col("family_id").is_in(worse.implode()))
        counting = pl.concat([counting, harmless.select(said.columns)])
        believed = [_replaced(*frames, harmless) for frames in zip(believed, with_it, strict=True)]
        deferred.append(tried.filter(pl.col("family_id").is_in(worse.implode())))
    return Answers(
        _replaced(told, believed[0], families).sort("family_id", "source", maintain_order=True),
        _replaced(golden, believed[1], families).sort("family_id"),
        pl.concat(deferred).select(*_STATEMENT, "family_id"),
    )


def _replaced(rows: pl.DataFrame, others: pl.DataFrame, families: pl.DataFrame) -> pl.DataFrame:
    """Rows with those of some families replaced by others."""
    kept = rows.join(families, on="family_id", how="anti")
    return pl.concat([kept, others.join(families, on="family_id", how="semi").select(rows.columns)])


def worsened_families(
    without: pl.DataFrame, with_them: pl.DataFrame, households: pl.DataFrame, card: Scorecard
) -> pl.Series:
    """`family_id` of families that answers worsen: scored richer, or scored at all where they had no score.

    Parameters
    ----------
    without, with_them : DataFrame
        Answers of the same families without and with the statements in question.
    households : DataFrame
        `family_id` and what the scorecard reads besides answers.
    """
    families = with_them.select("family_id")
    scores = [_scores(families.join(one, on="family_id", how="left"), households, card) for one in (without, with_them)]
    both = scores[0].join(scores[1], on="family_id", suffix="_with")
    is_worse = (pl.col("score_micro_with") > pl.col("score_micro")) | pl.col("score_micro").is_null()
    return both.filter(is_worse)["family_id"]


def _scores(answers: pl.DataFrame, households: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    needed = dict.fromkeys([*card.spec.strata, *(feature.name for feature in card.features)])
    rows = answers.join(households, on="family_id", how="left", suffix="_of_household")
    rows = rows.with_columns(pl.lit(None, pl.Int32).alias(name) for name in needed if name not in rows.columns)
    rows = rows.with_columns(pl.col("family_id").alias(card.spec.id))
    return rows.select("family_id").with_columns(score_micro(rows, card).alias("score_micro"))


def expiry_of_scores(golden: pl.DataFrame, families: pl.DataFrame, card: Scorecard, rule: RegistryRule) -> pl.DataFrame:
    """`family_id, is_receiving, expires`: the day on which a family's first scored answer is too old.

    Parameters
    ----------
    families : DataFrame
        `family_id, is_receiving`.
    """
    dates = [f"{feature.name}_date" for feature in card.features if f"{feature.name}_date" in golden.columns]
    if not dates:
        return families.clear().select("family_id", "is_receiving", expires=pl.lit(None, pl.Date))
    day = pl.min_horizontal(dates) + pl.duration(days=expiry_delay(rule)) + timedelta(days=rule.answer_max_age_days + 1)
    return golden.join(families, on="family_id").select("family_id", "is_receiving", expires=day).drop_nulls()


def count_expiries(expiring: pl.DataFrame, cut_off: date) -> pl.DataFrame:
    """Count families by the quarter in which their first scored answer expires: `quarter, is_receiving, families`."""
    overdue = str(Quarter.of(cut_off))
    day = pl.col("expires")
    name = pl.when(day <= cut_off).then(pl.lit(overdue)).otherwise(
        pl.format("{}Q{}", day.dt.year(), day.dt.quarter())
    )  # fmt: skip
    return (
        expiring.group_by("is_receiving", quarter=name)
        .agg(families=pl.len().cast(pl.Int64))
        .sort("quarter", "is_receiving")
    )
