"""Measures of a welfare ranking at its quota, and the plain OLS it must not lose to. No fitting of scorecards."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.welfare.spec import Quota, SurveySpec
from assets.welfare.survey import Floats, Integers, TrainingRows, answer, area_numbers

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """Places to give in each area.

    Attributes
    ----------
    area : array of int
        Area of each household, numbered from 0.
    places : array of int
        Places in each area.
    """

    area: Integers
    places: Integers


def places_of(frame: pl.DataFrame, quota: Quota) -> Places:
    """Places in each area of ``frame``: the sum of the quota's column, or its share of the households, rounded."""
    area = area_numbers(frame, quota.within)
    if quota.column is not None:
        sums = np.bincount(area, weights=frame[quota.column].cast(pl.Float64).fill_null(0).to_numpy())
        return Places(area, np.rint(sums).astype(np.int64))
    # Half a place counts as one: int(x + 0.5) is the same on every platform.
    return Places(area, (np.bincount(area) * (quota.share or 0.0) + 0.5).astype(np.int64))


def select_poorest(score: npt.NDArray[np.generic], places_by_area: Integers, area: Integers) -> Flags:
    """Which households get a place: the lowest scores of each area, ties to the earlier row, NaN never."""
    ranked = np.asarray(score, dtype=np.float64)
    order = np.lexsort((ranked, area))
    starts = np.searchsorted(area[order], np.arange(len(places_by_area)))
    selected = np.zeros(len(ranked), dtype=np.bool_)
    selected[order] = np.arange(len(ranked)) - starts[area[order]] < places_by_area[area[order]]
    return selected & ~np.isnan(ranked)


def poorest_by_consumption(consumption: Floats, places_by_area: Integers, area: Integers) -> Flags:
    """Who is poor: as many households of each area as it has places, by measured consumption."""
    return select_poorest(consumption, places_by_area, area)


def exclusion_error(poor: Flags, selected: Flags, weight: Floats | None = None) -> float:
    """Share of the poor that is not selected (0-1), weighted if asked; NaN when nobody is poor."""
    mass = np.ones(len(poor)) if weight is None else weight
    total = mass[poor].sum()
    return float(mass[poor & ~selected].sum() / total) if total > 0 else float("nan")


def at_quota(predicted: npt.NDArray[np.generic], rows: TrainingRows, quota: Quota) -> tuple[Flags, Flags]:
    """Who of ``rows`` is poor by measured welfare, and whom choosing by ``predicted`` at the quota selects."""
    at = places_of(rows.frame, quota)
    poor = poorest_by_consumption(rows.target, at.places, at.area)
    return poor, select_poorest(predicted, at.places, at.area)


def error_at_quota(predicted: npt.NDArray[np.generic], rows: TrainingRows, quota: Quota) -> float:
    """Exclusion error of choosing by ``predicted`` at the quota, against measured welfare of the same ``rows``."""
    poor, selected = at_quota(predicted, rows, quota)
    return exclusion_error(poor, selected, rows.weight)


@dataclass(frozen=True)
class Ols:
    """Weighted least squares on the same features, categories one-hot: the yardstick.

    Attributes
    ----------
    spec : SurveySpec
        The survey it was fitted on.
    codes : dict of str to tuple of str
        Category to the codes that have a column of their own.
    coefficients : array of float
        Intercept first.
    """

    spec: SurveySpec
    codes: dict[str, tuple[str, ...]]
    coefficients: Floats

    def predict(self, frame: pl.DataFrame) -> Floats:
        """Predicted target of each row of ``frame``; NaN where an answer is missing."""
        return np.asarray(_design(frame, self.spec, self.codes) @ self.coefficients, dtype=np.float64)


def fit_ols(rows: TrainingRows, spec: SurveySpec) -> Ols:
    """Weighted least squares of the target on the features of ``rows`` (minimum norm where they are collinear)."""
    names = [name for name, feature in spec.features.items() if feature.kind == "category"]
    codes = {name: tuple(rows.frame[name].drop_nulls().unique().sort().to_list()) for name in names}
    root = np.sqrt(rows.weight)
    design = _design(rows.frame, spec, codes)
    coefficients = np.linalg.lstsq(design * root[:, None], rows.target * root, rcond=None)[0]
    return Ols(spec, codes, np.asarray(coefficients, dtype=np.float64))


def _design(frame: pl.DataFrame, spec: SurveySpec, codes: dict[str, tuple[str, ...]]) -> Floats:
    columns = [np.ones(frame.height)]
    for name, feature in spec.features.items():
        given = frame.select(answer(name, frame.schema[name], feature.kind))[name]
        if feature.kind == "category":
            columns += [(given == known).cast(pl.Float64).fill_null(np.nan).to_numpy() for known in codes[name][1:]]
        else:
            columns.append(given.cast(pl.Float64).fill_null(np.nan).to_numpy())
    return np.column_stack(columns)
