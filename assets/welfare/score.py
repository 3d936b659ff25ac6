"""Scoring: households and a scorecard in, integer points with reasons out, by lookup. No fitting, no ranking."""

import functools
import operator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.welfare.members import HEADS
from assets.welfare.scorecard import MICRO, FeatureTable, Scorecard
from assets.welfare.survey import answer, blank, code, number
from schemas.errors import NotScorable

# Whole numbers spanning no more than this are looked up in a dense table, others by bisection.
DENSE = 65_536


@dataclass(frozen=True)
class _Lookup:
    """Where a cell stands: ``slot`` is an index into ``bins``, which tells its bin, or -1 where it is unusable."""

    slot: pl.Expr
    bins: npt.NDArray[np.int64]


def score(frame: pl.DataFrame | pl.LazyFrame, card: Scorecard, *, parts: bool = True) -> pl.DataFrame:
    """Score of each household, row by row in the order of ``frame``; lower is poorer.

    A household whose answers cannot all be used is not scorable and says why: it never counts as poor.

    Parameters
    ----------
    frame : pl.DataFrame or pl.LazyFrame
        The id, strata and feature columns of ``card.spec``, in any type that holds their values.
    card : Scorecard
        Any scorecard.
    parts : bool
        Whether to give the points of each feature too.

    Returns
    -------
    pl.DataFrame
        The id, ``scorable``, ``score_micro`` (Int64, null when not scorable), ``reason`` (``missing:<column>``,
        ``not_finite:``, ``wrong_type:``, ``out_of_range:``, ``unknown_code:`` or ``unknown_stratum:``; the first in
        order of features, null when scorable) and ``problems`` (list of all such). With ``parts`` also
        ``points_intercept`` and ``points_<feature>`` (Int64 micro-points), whose sum is the score.

    Raises
    ------
    NotScorable
        A column is absent.
    """
    households, reading = _read(frame, card)
    columns = [pl.col(card.spec.id), reading.total.alias("score_micro")]
    if parts:
        columns += [
            reading.intercept.alias("points_intercept"),
            *(part.alias(name) for name, part in reading.points.items()),
        ]
    scored = households.lazy().select(columns).collect()
    return _with_reasons(scored, households, card, reading)


def score_micro(frame: pl.DataFrame | pl.LazyFrame, card: Scorecard) -> pl.Series:
    """What :func:`score` gives as ``score_micro``, alone: nobody is told why a household is not scorable."""
    households, reading = _read(frame, card)
    return households.select(reading.total.alias("score_micro")).to_series()


@dataclass(frozen=True)
class _Reading:
    """A scorecard as expressions over households: points of each feature, whether its answer is usable, the total."""

    stratum: pl.Expr
    intercept: pl.Expr
    points: dict[str, pl.Expr]
    usable: dict[str, pl.Expr]
    total: pl.Expr


def _read(frame: pl.DataFrame | pl.LazyFrame, card: Scorecard) -> tuple[pl.DataFrame, _Reading]:
    """The columns that a scorecard asks for, and how it reads them."""
    spec = card.spec
    needed = [spec.id, *spec.strata, *(feature.name for feature in card.features)]
    lacking = sorted({*needed} - {*frame.collect_schema().names()})
    if lacking:
        message = f"no column {', '.join(lacking)}, which the scorecard asks for. Deliver it (cells may be empty)."
        raise NotScorable(message)
    households = frame.lazy().select(list(dict.fromkeys(needed))).collect()
    stratum = _stratum(households.schema, card)
    lookups = {feature.name: lookup(feature, households.schema[feature.name]) for feature in card.features}
    points = {
        f"points_{feature.name}": _points(lookups[feature.name], feature, card.strata, stratum)
        for feature in card.features
    }
    intercept = pl.lit(pl.Series([card.intercept[key] for key in card.strata], dtype=pl.Int64)).gather(stratum)
    usable = {name: _usable(lookups[name]) for name in lookups}
    total = functools.reduce(operator.add, points.values(), intercept)
    if spec.missing != "not_scorable":
        unusable = pl.sum_horizontal(~fine for fine in usable.values())
        total = pl.when(unusable <= spec.missing.at_most * len(usable)).then(total)
    return households, _Reading(stratum, intercept, points, usable, total)


def expenditure(score_micro: pl.Expr, card: Scorecard, line: pl.Expr | float | None = None) -> pl.Expr:
    """Predicted (median) expenditure per capita behind a score, in the survey's currency and period; or the class.

    Parameters
    ----------
    score_micro : pl.Expr
        Scores; null stays null.
    card : Scorecard
        The scorecard that gave them.
    line : pl.Expr or float, optional
        Poverty line per capita, for a scorecard relative to it; without one the multiple of the line is given.
    """
    if card.scale == "ordinal":
        return score_micro / MICRO
    multiple = (score_micro / MICRO).exp()
    return multiple * line if card.relative_to_line and line is not None else multiple


def score_survey(survey: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """Scores of a survey's households as they are written out, in the order of ``survey``.

    Returns
    -------
    pl.DataFrame
        ``id, scorable, score_micro, expenditure, reason`` as :func:`score` and :func:`expenditure` give them (the
        multiple of the poverty line where the survey lacks the line's column); ``no_head`` or ``several_heads`` is the
        reason of a household whose specification names a head and which has not exactly one.

    Raises
    ------
    NotScorable
        A column is absent.
    """
    scored = score(survey, card, parts=False)
    if HEADS in survey.columns:
        heads = survey[HEADS].fill_null(0)
        told = pl.when(heads == 0).then(pl.lit("no_head")).when(heads > 1).then(pl.lit("several_heads"))
        scored = scored.with_columns(
            pl.when(heads == 1).then("scorable").otherwise(pl.lit(value=False)).alias("scorable"),
            pl.when(heads == 1).then("score_micro").alias("score_micro"),
            pl.coalesce(told, "reason").alias("reason"),
        )
    line = card.spec.poverty_line
    if isinstance(line, str):
        known = survey.select(number(line, survey.schema[line])) if line in survey.columns else None
        scored = scored.with_columns(line=pl.lit(1.0) if known is None else known[line])
    worth = expenditure(pl.col("score_micro"), card, pl.col("line") if isinstance(line, str) else line)
    return scored.select(
        pl.col(card.spec.id).alias("id"),
        "scorable",
        "score_micro",
        worth.round(2, mode="half_away_from_zero").alias("expenditure"),
        "reason",
    )


def lookup(feature: FeatureTable, dtype: pl.DataType) -> _Lookup:
    """How cells of a column of type ``dtype`` find their bin in ``feature``."""
    return _of_numbers(feature, dtype) if feature.valid_range is not None else _of_codes(feature, dtype)


def bin_of(feature: FeatureTable, frame: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Bin of each row of ``frame`` in ``feature``, -1 where the answer is unusable; what scoring looks up."""
    found = lookup(feature, frame.schema[feature.name])
    bins = frame.select(pl.lit(pl.Series(found.bins)).gather(found.slot).fill_null(-1).alias("bin"))
    return bins["bin"].to_numpy()


def _of_numbers(feature: FeatureTable, dtype: pl.DataType) -> _Lookup:
    low, high = feature.valid_range or (-np.inf, np.inf)
    bounds = np.array(feature.upper_bounds, dtype=np.float64)
    first, last = int(np.ceil(low)), int(np.floor(high))
    if _is_whole(dtype) and 0 <= last - first <= DENSE:
        bins = np.searchsorted(bounds, np.arange(first, last + 1, dtype=np.float64), side="left")
        return _dense(pl.col(feature.name), dtype, first, last, bins)
    # Values below the range, and unusable ones, fall in slot 0; values above it, and NaN, in the last.
    edges = pl.Series([np.nextafter(low, -np.inf), *feature.upper_bounds, high])
    column = pl.col(feature.name) if dtype == pl.Float64 else answer(feature.name, dtype, "number")
    slot = pl.lit(edges).search_sorted(column.fill_null(-np.inf), side="left")
    return _Lookup(slot, np.array([-1, *range(len(bounds) + 1), -1]))


def _of_codes(feature: FeatureTable, dtype: pl.DataType) -> _Lookup:
    numbers = [int(text) for text in feature.codes if text.removeprefix("-").isdigit() and str(int(text)) == text]
    compact = len(numbers) == len(feature.codes) and max(numbers) - min(numbers) <= DENSE
    if compact and (_is_whole(dtype) or dtype.is_float()):
        bins = np.full(max(numbers) - min(numbers) + 1, -1, dtype=np.int64)
        bins[np.array(numbers) - min(numbers)] = np.arange(len(numbers))
        column = pl.col(feature.name)
        if dtype.is_float():
            column, dtype = pl.when(column == column.floor()).then(column).cast(pl.Int64, strict=False), pl.Int64()
        return _dense(column, dtype, min(numbers), max(numbers), bins)
    text = code(feature.name, dtype, feature.kind)
    slot = text.cast(pl.Enum([*feature.codes]), strict=False).to_physical().cast(pl.Int64)
    return _Lookup(slot.fill_null(len(feature.codes)), np.array([*range(len(feature.codes)), -1]))


def _is_whole(dtype: pl.DataType) -> bool:
    return dtype.is_integer() or dtype == pl.Boolean


def _dense(column: pl.Expr, dtype: pl.DataType, first: int, last: int, bins: npt.NDArray[np.int64]) -> _Lookup:
    # One slot before and one behind catch what is outside.
    whole = column if dtype == pl.Int64 else column.cast(pl.Int64, strict=False)
    slot = whole.clip(first - 1, last + 1) - (first - 1)
    return _Lookup(slot, np.array([-1, *bins, -1]))


def _stratum(schema: pl.Schema, card: Scorecard) -> pl.Expr:
    """Position of each household's stratum in ``card.strata``; null where there is no such."""
    if not card.spec.strata:
        return pl.lit(0, dtype=pl.Int64)
    key = stratum_key(schema, card.spec.strata)
    return key.cast(pl.Enum([*card.strata]), strict=False).to_physical().cast(pl.Int64)


def stratum_key(schema: pl.Schema, strata: tuple[str, ...]) -> pl.Expr:
    """Name of each household's stratum: its codes joined by ``|``; null where one is missing."""
    return pl.concat_str([code(name, schema[name], "category") for name in strata], separator="|")


def _points(found: _Lookup, feature: FeatureTable, strata: tuple[str, ...], stratum: pl.Expr) -> pl.Expr:
    entries: list[int | None] = []
    for key in strata:
        unusable = None if feature.missing_points is None else feature.missing_points[key]
        entries += [feature.points[key][position] if position >= 0 else unusable for position in found.bins.tolist()]
    slot = found.slot
    if feature.missing_points is not None:
        slot = slot.fill_null(0 if found.bins[0] < 0 else len(found.bins) - 1)
    if len(strata) > 1:
        slot = slot.cast(pl.Int64) + stratum * len(found.bins)
    return pl.lit(pl.Series(entries, dtype=pl.Int64)).gather(slot)


def _usable(found: _Lookup) -> pl.Expr:
    return pl.lit(pl.Series(found.bins >= 0)).gather(found.slot).fill_null(value=False)


def _with_reasons(scored: pl.DataFrame, households: pl.DataFrame, card: Scorecard, reading: _Reading) -> pl.DataFrame:
    # Reasons are text and slow; most households need none, so only the others are asked.
    flawed = scored["score_micro"].is_null()
    if card.spec.missing != "not_scorable":
        flawed |= households.select((~pl.all_horizontal(reading.usable.values())).alias("flawed"))["flawed"]
    rows = flawed.arg_true()
    asked = households[rows]
    told = [
        pl.when(~reading.usable[feature.name]).then(_problem(feature, asked[feature.name])) for feature in card.features
    ]
    if card.spec.strata:
        of_strata = pl.lit(f"unknown_stratum:{','.join(card.spec.strata)}")
        told.insert(0, pl.when(reading.stratum.is_null()).then(of_strata))
    problems = asked.select(pl.concat_list(told).list.drop_nulls().alias("problems"))
    problems = problems.with_columns(rows.cast(pl.UInt32).alias("row"))
    whole = pl.DataFrame({"row": pl.int_range(scored.height, dtype=pl.UInt32, eager=True)})
    problems = whole.join(problems, on="row", how="left", maintain_order="left")
    scorable = pl.col("score_micro").is_not_null()
    return scored.with_columns(
        scorable.alias("scorable"),
        pl.when(~scorable).then(problems["problems"].list.first()).alias("reason"),
        problems["problems"].fill_null([]).alias("problems"),
    ).select(
        card.spec.id,
        "scorable",
        "score_micro",
        "reason",
        "problems",
        pl.exclude(card.spec.id, "scorable", "score_micro", "reason", "problems"),
    )


def _problem(feature: FeatureTable, column: pl.Series) -> pl.Expr:
    name, dtype = feature.name, column.dtype
    outside = "out_of_range" if feature.kind == "number" else "unknown_code"
    finite = pl.col(name).is_finite() if dtype.is_float() else pl.lit(value=True)
    return (
        pl.when(blank(column))
        .then(pl.lit(f"missing:{name}"))
        .when(~finite)
        .then(pl.lit(f"not_finite:{name}"))
        .when(answer(name, dtype, feature.kind).is_null())
        .then(pl.lit(f"wrong_type:{name}"))
        .otherwise(pl.lit(f"{outside}:{name}"))
    )
