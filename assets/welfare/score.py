"""Scoring: households and a scorecard in, integer points with reasons out, by lookup. No fitting, no ranking."""

from collections.abc import Sequence
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
    """Where a cell stands: ``slot``, never null, is an index into ``bins``, which tells its bin; -1: it is unusable."""

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
    reading = _read(frame, card)
    columns = [pl.col(card.spec.id), pl.lit(reading.totals())]
    if parts:
        of_features = (reading.points(feature).alias(f"points_{feature.name}") for feature in card.features)
        columns += [reading.intercept.alias("points_intercept"), *of_features]
    scored = reading.households.lazy().select(columns).collect()
    return _with_reasons(scored, reading)


def score_micro(frame: pl.DataFrame | pl.LazyFrame, card: Scorecard) -> pl.Series:
    """What :func:`score` gives as ``score_micro``, alone: nobody is told why a household is not scorable."""
    return _read(frame, card).totals()


def _read(frame: pl.DataFrame | pl.LazyFrame, card: Scorecard) -> "_Reading":
    spec = card.spec
    needed = [spec.id, *spec.strata, *(feature.name for feature in card.features)]
    lacking = sorted({*needed} - {*frame.collect_schema().names()})
    if lacking:
        message = f"no column {', '.join(lacking)}, which the scorecard asks for. Deliver it (cells may be empty)."
        raise NotScorable(message)
    households = frame.lazy().select(list(dict.fromkeys(needed))).collect()
    lookups = {feature.name: lookup(feature, households.schema[feature.name]) for feature in card.features}
    return _Reading(households, card, _stratum(households.schema, card), lookups)


@dataclass(frozen=True)
class _Reading:
    """Households as a scorecard reads them."""

    households: pl.DataFrame
    card: Scorecard
    stratum: pl.Expr
    lookups: dict[str, _Lookup]

    @property
    def intercept(self) -> pl.Expr:
        """Points that every household of a stratum has."""
        points = pl.Series([self.card.intercept[key] for key in self.card.strata], dtype=pl.Int64)
        return pl.lit(points).gather(self.stratum)

    def points(self, feature: FeatureTable, unusable: int | None = None) -> pl.Expr:
        """Points of an answer; of one that cannot be used those it has all the same and ``unusable``, or null."""
        found, entries = self.lookups[feature.name], list[int | None]()
        for key in self.card.strata:
            missing = None if feature.missing_points is None else feature.missing_points[key]
            instead = missing if unusable is None else (missing or 0) + unusable
            entries += [feature.points[key][position] if position >= 0 else instead for position in found.bins.tolist()]
        slot = found.slot
        if len(self.card.strata) > 1:
            slot = slot.cast(pl.Int64) + self.stratum * len(found.bins)
        return pl.lit(pl.Series(entries, dtype=pl.Int64)).gather(slot)

    def is_usable(self, feature: FeatureTable) -> pl.Expr:
        """Whether an answer has a bin."""
        found = self.lookups[feature.name]
        return pl.lit(pl.Series(found.bins >= 0)).gather(found.slot)

    def totals(self) -> pl.Series:
        """Scores; null where more answers cannot be used than may be, or there is no such stratum."""
        card = self.card
        # An answer that cannot be used adds more than all points together: the sum of the points counts these, too.
        digit = 2 * card.largest_sum + 1
        whole = self.intercept + pl.sum_horizontal(self.points(feature, digit) for feature in card.features)
        added = self.households.lazy().select(whole).collect().to_series()
        unusable = (added + card.largest_sum) // digit
        at_most = 0 if card.spec.missing == "not_scorable" else card.spec.missing.at_most * len(card.features)
        total = pl.when(unusable <= at_most).then(added - unusable * digit)
        return pl.select(score_micro=total).to_series()


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
    return bins_of([feature], frame)[feature.name].to_numpy()


def bins_of(features: Sequence[FeatureTable], frame: pl.DataFrame) -> pl.DataFrame:
    """Bins of each row of ``frame``, one column per feature: Int64 as :func:`bin_of` has them."""
    found = {feature.name: lookup(feature, frame.schema[feature.name]) for feature in features}
    return frame.select(pl.lit(pl.Series(one.bins)).gather(one.slot).alias(name) for name, one in found.items())


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
    # Slot 0 takes what is outside, and what is not there.
    whole = column if dtype in {pl.Int32, pl.Int64} else column.cast(pl.Int64, strict=False)
    slot = pl.when(whole.is_between(first, last)).then(whole - (first - 1)).otherwise(0)
    return _Lookup(slot, np.array([-1, *bins]))


def _stratum(schema: pl.Schema, card: Scorecard) -> pl.Expr:
    """Position of each household's stratum in ``card.strata``; null where there is no such."""
    if not card.spec.strata:
        return pl.lit(0, dtype=pl.Int64)
    key = stratum_key(schema, card.spec.strata)
    return key.cast(pl.Enum([*card.strata]), strict=False).to_physical().cast(pl.Int64)


def stratum_key(schema: pl.Schema, strata: tuple[str, ...]) -> pl.Expr:
    """Name of each household's stratum: its codes joined by ``|``; null where one is missing."""
    return pl.concat_str([code(name, schema[name], "category") for name in strata], separator="|")


def _with_reasons(scored: pl.DataFrame, reading: _Reading) -> pl.DataFrame:
    # Reasons are text and slow; most households need none, so only the others are asked.
    households, card = reading.households, reading.card
    flawed = scored["score_micro"].is_null()
    if card.spec.missing != "not_scorable":
        is_whole = pl.all_horizontal(reading.is_usable(feature) for feature in card.features)
        flawed |= households.select(~is_whole).to_series()
    rows = flawed.arg_true()
    asked = households[rows]
    told = [
        pl.when(~reading.is_usable(feature)).then(_problem(feature, asked[feature.name])) for feature in card.features
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
