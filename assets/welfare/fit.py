"""Fitting: a survey and its specification in, a scorecard out. Scoring and validation live elsewhere."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import threadpoolctl  # type: ignore[import-untyped]

from assets.welfare.evaluate import at_quota, places_of
from assets.welfare.score import bin_of, stratum_key
from assets.welfare.scorecard import MICRO, FeatureTable, Provenance, Scorecard
from assets.welfare.spec import Feature, SurveySpec
from assets.welfare.survey import Floats, Integers, TrainingRows, area_numbers, training_rows
from schemas.errors import NotScorable, SpecError

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

BINS = 64
# HistGradientBoostingRegressor takes 255 codes; one is kept for a missing answer.
CODES = 254
LEAVES = 4
LEAF_ROWS = 20
SEED = 0
FOLDS = 5
PENALTIES = (1.0, 10.0, 100.0)
ROUNDS = (0, 60, 120)
LEARNING_RATES = (0.05, 0.1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread: its sums keep their order, and on surveys more threads cost more than they save."""
    # The limit holds for the libraries that are loaded when it is set.
    import sklearn.ensemble  # noqa: F401

    with threadpoolctl.threadpool_limits(limits=1):
        yield


@dataclass(frozen=True)
class Parameters:
    """Strength of the ridge start, boosting rounds and boosting rate."""

    penalty: float
    rounds: int
    learning_rate: float


@dataclass(frozen=True)
class Additive:
    """An additive estimate: prediction = intercept + one shape value per feature.

    Attributes
    ----------
    intercept : float
        Weighted mean prediction once the shapes are centred.
    shapes : list of array of float
        Per feature: value of each bin, a missing answer last.
    """

    intercept: float
    shapes: list[Floats]

    def predict(self, bins: Integers) -> Floats:
        """Prediction for each row of ``bins`` (rows by features)."""
        total = np.full(len(bins), self.intercept)
        for position, shape in enumerate(self.shapes):
            total += shape[bins[:, position]]
        return total


@dataclass(frozen=True)
class Boosted:
    """The estimator behind a table: a ridge start and boosting of its residual, as fitted.

    Attributes
    ----------
    start : Additive
        The ridge start on the bins' representatives.
    boosting : HistGradientBoostingRegressor, optional
        Additive boosting of the residual; None with zero rounds.
    values : list of array of float
        Per feature: what boosting sees of each bin.
    """

    start: Additive
    boosting: "HistGradientBoostingRegressor | None"
    values: list[Floats]

    def predict(self, bins: Integers) -> Floats:
        """Prediction of the fitted estimator for each row of ``bins``."""
        start = self.start.predict(bins)
        return start if self.boosting is None else start + self.boosting.predict(boosting_input(self.values, bins))

    def read_off(self, rounds: Sequence[int]) -> dict[int, Additive]:
        """Intercept and shapes after each number of ``rounds``, by predicting every bin of every feature once."""
        found = {0: self.start}
        if self.boosting is None:
            return found
        sizes = [len(values) for values in self.values]
        # The first row is the baseline, all features in bin 0; each further row moves one feature.
        grid = np.zeros((1 + sum(sizes), len(sizes)), dtype=np.int64)
        starts = np.cumsum([1, *sizes])
        for position, size in enumerate(sizes):
            grid[starts[position] : starts[position] + size, position] = np.arange(size)
        for done, predicted in enumerate(self.boosting.staged_predict(boosting_input(self.values, grid)), start=1):
            if done in rounds:
                shapes = [
                    shape + (predicted[starts[position] : starts[position + 1]] - predicted[0])
                    for position, shape in enumerate(self.start.shapes)
                ]
                found[done] = Additive(self.start.intercept + float(predicted[0]), shapes)
        return found


@dataclass(frozen=True)
class Problem:
    """The survey in bins: all that fitting needs, for any choice of rows.

    Attributes
    ----------
    bins : array of int
        Rows by features: bin of each answer, one past the last where it is missing.
    target, weight : array of float
        Per row: what to predict, weight of mean 1.
    strata : list of str
        Names of the strata, in order.
    stratum : array of int
        Per row: position in ``strata``.
    tables : list of FeatureTable
        Bins of each feature, without points.
    missing_bin : bool
        Whether each feature has a bin for a missing answer.
    """

    bins: Integers
    target: Floats
    weight: Floats
    strata: list[str]
    stratum: Integers
    tables: list[FeatureTable]
    missing_bin: bool

    def part(self, kept: npt.NDArray[np.bool_]) -> "Problem":
        """The households ``kept``, in the same bins."""
        weight = self.weight[kept]
        return dataclasses.replace(
            self,
            bins=self.bins[kept],
            target=self.target[kept],
            weight=weight * (len(weight) / weight.sum()),
            stratum=self.stratum[kept],
        )

    def sizes(self) -> list[int]:
        """Bins of each feature, that of a missing answer included."""
        return [max(len(table.representatives), len(table.codes)) + self.missing_bin for table in self.tables]


@one_thread()
def fit(
    survey: pl.DataFrame,
    spec: SurveySpec,
    *,
    penalties: Sequence[float] = PENALTIES,
    rounds: Sequence[int] = ROUNDS,
    learning_rates: Sequence[float] = LEARNING_RATES,
    folds: int = FOLDS,
) -> Scorecard:
    """Scorecard fitted on ``survey``: a ridge start on binned features plus additive boosting of its residual.

    The target is log expenditure per capita (relative to the poverty line where there is one), with survey weights.
    Directions are kept in the sum of both parts. Where more than one value is given for a parameter, the choice is
    made by cross-validation grouped by area, by the exclusion error at the quota; of those whose error is within one
    standard error of the lowest, the one with the smallest squared error (a quota of a few hundred places cannot tell
    such choices apart; taking the very lowest follows chance). Same rows, same bytes, whatever their order.

    Parameters
    ----------
    survey : pl.DataFrame
        One row per household, columns as the specification says.
    spec : SurveySpec
        The survey's specification.
    penalties : sequence of float
        Ridge penalties above 0, for numbers of unit variance and flags and codes as 0/1, weights of mean 1.
    rounds : sequence of int
        Boosting rounds; 0 leaves the ridge alone.
    learning_rates : sequence of float
        Boosting rates.
    folds : int
        Folds of whole areas (households where the specification names no area), at most as many as there are.

    Raises
    ------
    NotScorable
        Nothing to learn from: no usable household, fewer than two areas, a constant target, a quota without places.
    SpecError
        A feature cannot be binned as declared.
    """
    rows = training_rows(survey, spec)
    problem = binned(rows, spec)
    if np.ptp(rows.target) == 0:
        message = f"{spec.target.column} is the same for all households: nothing to learn. Correct the survey."
        raise NotScorable(message)
    grid = parameter_grid(penalties, rounds, learning_rates)
    everyone = np.ones(len(rows.target), dtype=np.bool_)
    chosen, error = choose(problem, grid, rows, spec, folds) if len(grid) > 1 else (grid[0], None)
    estimates = estimates_of(problem, everyone, [chosen])[chosen]
    strata = problem.strata
    return Scorecard(
        spec=spec,
        scale="ordinal" if spec.target.scale == "ordinal" else "log",
        relative_to_line=spec.poverty_line is not None,
        intercept={key: _micro(estimate.intercept) for key, estimate in zip(strata, estimates, strict=True)},
        features=tuple(_with_points(problem, position, estimates) for position in range(len(problem.tables))),
        provenance=Provenance(
            survey_hash=rows.hash,
            rows=len(rows.target),
            weight_total=float(rows.weight.sum()),
            set_aside=rows.set_aside,
            penalty=chosen.penalty,
            learning_rate=chosen.learning_rate,
            rounds=chosen.rounds,
            folds=folds if len(grid) > 1 else 0,
            exclusion_error=error,
            versions={"numpy": np.__version__, "polars": pl.__version__, "scikit-learn": version("scikit-learn")},
        ),
    )


def parameter_grid(
    penalties: Sequence[float] = PENALTIES,
    rounds: Sequence[int] = ROUNDS,
    learning_rates: Sequence[float] = LEARNING_RATES,
) -> list[Parameters]:
    """Every combination of parameters."""
    return [Parameters(*choice) for choice in itertools.product(penalties, sorted(rounds), learning_rates)]


def binned(rows: TrainingRows, spec: SurveySpec) -> Problem:
    """The survey in bins, weights of mean 1."""
    missing_bin = spec.missing != "not_scorable"
    tables = [_table(name, feature, rows) for name, feature in spec.features.items()]
    keys = pl.Series([""] * rows.frame.height)
    if spec.strata:
        keys = rows.frame.select(key=stratum_key(rows.frame.schema, spec.strata))["key"]
    strata = sorted(keys.unique())
    return Problem(
        bins=_bins(tables, rows, missing_bin=missing_bin),
        target=rows.target,
        weight=rows.weight * (len(rows.weight) / rows.weight.sum()),
        strata=strata,
        stratum=np.searchsorted(np.array(strata), keys.to_numpy()),
        tables=tables,
        missing_bin=missing_bin,
    )


def _table(name: str, feature: Feature, rows: TrainingRows) -> FeatureTable:
    """Bins of one feature, points still to come."""
    answers = rows.frame[name]
    kept = answers.is_not_null()
    if feature.range is not None:
        kept &= answers.is_between(*feature.range).fill_null(value=False)
    bounds: Floats = np.empty(0)
    representatives: Floats = np.empty(0)
    valid: tuple[float, float] | None = None
    codes: tuple[str, ...] = ()
    if not kept.any():
        message = f"features.{name}: no household answers it; remove it from the specification or mend the column."
        raise SpecError(message)
    if feature.kind == "number":
        values = answers.filter(kept).to_numpy()
        bounds, representatives = _number_bins(values, rows.weight[kept.to_numpy()])
        valid = feature.range or _widened(float(values.min()), float(values.max()))
    elif feature.kind == "flag":
        codes = ("0", "1")
    else:
        codes = tuple(feature.codes or sorted(answers.filter(kept).unique()))
        if len(codes) > CODES:
            message = f"features.{name}: {len(codes)} codes are too many for a category (at most {CODES}); group them."
            raise SpecError(message)
    return FeatureTable(
        name=name,
        kind=feature.kind,
        direction=feature.direction,
        upper_bounds=tuple(bounds.tolist()),
        representatives=tuple(representatives.tolist()),
        valid_range=valid,
        codes=codes,
        points={},
        missing_points=None,
    )


def _number_bins(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Upper bounds and weighted means of a number's bins: each value where they are few, else weighted quantiles."""
    distinct, place = np.unique(values, return_inverse=True)
    mass = np.bincount(place, weights=weight)
    if len(distinct) <= BINS:
        group = np.arange(len(distinct))
    else:
        # A value belongs to the quantile in which the middle of its mass lies, so that ties stay together.
        middle = (np.cumsum(mass) - mass / 2) / mass.sum()
        group = np.unique(np.minimum((middle * BINS).astype(np.int64), BINS - 1), return_inverse=True)[1]
    last = np.flatnonzero(np.diff(group))
    below, above = distinct[last], distinct[last + 1]
    bounds = below + (above - below) / 2
    # Between neighbouring floats there is no middle, and the bound itself belongs to the lower bin.
    bounds = np.where(bounds < above, bounds, below)
    return bounds, np.bincount(group, weights=mass * distinct) / np.bincount(group, weights=mass)


def _widened(low: float, high: float) -> tuple[float, float]:
    """Range that can be scored when none is declared: the surveyed one and its width on both sides, zero kept."""
    width = max(high - low, 1.0)
    return (low - width if low < 0 else max(low - width, 0.0)), (high + width if high > 0 else min(high + width, 0.0))


def _bins(tables: list[FeatureTable], rows: TrainingRows, *, missing_bin: bool) -> Integers:
    columns = []
    for table in tables:
        bins = bin_of(table, rows.frame)
        if (bins < 0).any() and not missing_bin:
            message = f"features.{table.name}: {(bins < 0).sum()} surveyed households fall in no bin."
            raise SpecError(message)
        columns.append(np.where(bins < 0, max(len(table.representatives), len(table.codes)), bins))
    return np.column_stack(columns)


def folds_of(rows: TrainingRows, spec: SurveySpec, folds: int = FOLDS) -> Integers:
    """Fold of each household, from 0: whole areas (households without areas) dealt out after a shuffle.

    Where there are fewer areas than ``folds``, each is a fold. Those of a stratum are dealt out one after the other, so
    that no fold holds all of it.

    Raises
    ------
    NotScorable
        There are fewer than two areas.
    """
    area = area_numbers(rows.frame, spec.area) if spec.area else np.arange(len(rows.target))
    areas = int(area.max()) + 1
    if min(folds, areas) <= 1:
        message = f"{areas} area cannot be told from others out of it. Name a finer area in the specification."
        raise NotScorable(message)
    shuffled = np.random.default_rng(SEED).permutation(areas)
    stratum = np.full(areas, np.iinfo(np.int64).max)
    np.minimum.at(stratum, area, area_numbers(rows.frame, spec.strata))
    # Dealt out like cards, so that folds hold equally many areas.
    dealt = np.empty(areas, dtype=np.int64)
    dealt[np.lexsort((shuffled, stratum))] = np.arange(areas)
    return np.asarray((dealt % min(folds, areas))[area])


def predict(estimates: list[Additive], problem: Problem) -> Floats:
    """Prediction for each row of ``problem`` by the estimate of its stratum."""
    predicted = np.empty(len(problem.target))
    for stratum, estimate in enumerate(estimates):
        mine = problem.stratum == stratum
        predicted[mine] = estimate.predict(problem.bins[mine])
    return predicted


@one_thread()
def out_of_area(rows: TrainingRows, spec: SurveySpec, chosen: Provenance) -> Floats:
    """Predictions for ``rows``: each fold of areas by estimates with the ``chosen`` parameters fitted on the others."""
    problem, fold = binned(rows, spec), folds_of(rows, spec)
    choice = Parameters(chosen.penalty, chosen.rounds, chosen.learning_rate)
    predicted = np.empty(len(rows.target))
    for held_out in range(int(fold.max()) + 1):
        outside = fold == held_out
        estimates = estimates_of(problem, ~outside, [choice])[choice]
        predicted[outside] = predict(estimates, problem.part(outside))
    return predicted


def choose(
    problem: Problem, grid: list[Parameters], rows: TrainingRows, spec: SurveySpec, folds: int = FOLDS
) -> tuple[Parameters, float]:
    """Parameters chosen from ``grid`` by the out-of-area error at the quota, and that error; see :func:`fit`."""
    fold = folds_of(rows, spec, folds)
    predicted = {choice: np.empty(len(rows.target)) for choice in grid}
    for held_out in range(int(fold.max()) + 1):
        outside = fold == held_out
        for choice, estimates in estimates_of(problem, ~outside, grid).items():
            predicted[choice][outside] = predict(estimates, problem.part(outside))
    if not places_of(rows.frame, spec.quota).places.any():
        message = f"the quota gives {len(rows.target)} households no place. Raise its share, or correct its column."
        raise NotScorable(message)
    missed = {}
    squares = {}
    for choice, guess in predicted.items():
        poor, selected = at_quota(guess, rows, spec.quota)
        missed[choice] = (~selected[poor]).astype(np.float64)
        # Without the last digits, so that equal choices are equal on every processor.
        squares[choice] = round(float(np.average((rows.target - guess) ** 2, weights=rows.weight)), 9)
    error = {choice: float(np.average(miss, weights=rows.weight[poor])) for choice, miss in missed.items()}
    lowest = min(grid, key=lambda choice: (error[choice], squares[choice]))
    alike = []
    for choice in grid:
        differences = missed[choice] - missed[lowest]
        if error[choice] - error[lowest] <= _standard_error(differences, rows.weight[poor]):
            alike.append(choice)
    best = min(alike, key=lambda choice: (squares[choice], -choice.penalty, choice.rounds, choice.learning_rate))
    return best, error[best]


def _standard_error(values: Floats, weight: Floats) -> float:
    """Standard error of a weighted mean of independent ``values``."""
    deviations = values - np.average(values, weights=weight)
    return float(np.sqrt(((weight * deviations) ** 2).sum()) / weight.sum())


def estimates_of(
    problem: Problem, training: npt.NDArray[np.bool_], grid: list[Parameters]
) -> dict[Parameters, list[Additive]]:
    """Directed, centred estimate per stratum for each choice of the grid, learnt from the ``training`` rows."""
    found: dict[Parameters, list[Additive]] = {choice: [] for choice in grid}
    for stratum in range(len(problem.strata)):
        mine = training & (problem.stratum == stratum)
        if not mine.any():
            name = problem.strata[stratum]
            message = f"stratum {name} has no household outside one fold of areas: it needs at least three areas. "
            raise NotScorable(message + "Merge strata, or name a finer area.")
        for (penalty, rate), choices in _by_start(grid).items():
            wanted = [choice.rounds for choice in choices]
            estimates = estimator(problem, mine, penalty, rate, max(wanted)).read_off(wanted)
            for choice in choices:
                found[choice].append(_directed(estimates[choice.rounds], problem, mine))
    return found


def _by_start(grid: list[Parameters]) -> dict[tuple[float, float], list[Parameters]]:
    groups: dict[tuple[float, float], list[Parameters]] = {}
    for choice in grid:
        groups.setdefault((choice.penalty, choice.learning_rate), []).append(choice)
    return groups


def estimator(
    problem: Problem, mine: npt.NDArray[np.bool_], penalty: float, learning_rate: float, rounds: int
) -> Boosted:
    """Ridge start and boosting of its residual, fitted on the rows ``mine``.

    Boosting is free to go against a direction: where the ridge's straight line is too steep at one end it must bend
    it back. The direction is kept afterwards, in the sum.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    start = _ridge(problem, mine, penalty)
    values = _boosting_values(problem)
    if rounds == 0:
        return Boosted(start, None, values)
    boosting = HistGradientBoostingRegressor(
        learning_rate=learning_rate,
        max_iter=rounds,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAF_ROWS,
        interaction_cst="no_interactions",
        categorical_features=[table.kind == "category" for table in problem.tables],
        early_stopping=False,
        random_state=SEED,
    )
    bins = problem.bins[mine]
    residual = problem.target[mine] - start.predict(bins)
    boosting.fit(boosting_input(values, bins), residual, sample_weight=problem.weight[mine])
    return Boosted(start, boosting, values)


def _boosting_values(problem: Problem) -> list[Floats]:
    values = []
    for table, size in zip(problem.tables, problem.sizes(), strict=True):
        seen = np.arange(size, dtype=np.float64)
        if table.kind != "category":
            # Order is all that boosting takes from a number; a missing answer has none.
            seen[: len(table.representatives)] = table.representatives
            if problem.missing_bin:
                seen[-1] = np.nan
        values.append(seen)
    return values


def boosting_input(values: list[Floats], bins: Integers) -> Floats:
    """What boosting sees of each row of ``bins`` (rows by features), ``values`` telling it per feature and bin."""
    return np.column_stack([seen[bins[:, position]] for position, seen in enumerate(values)])


def _ridge(problem: Problem, mine: npt.NDArray[np.bool_], penalty: float) -> Additive:
    """Weighted ridge on the bins' representatives; the intercept is not penalised."""
    bins, weight, target = problem.bins[mine], problem.weight[mine], problem.target[mine]
    blocks = [
        _block(table, _mass(bins[:, position], weight, size), missing_bin=problem.missing_bin)
        for position, (table, size) in enumerate(zip(problem.tables, problem.sizes(), strict=True))
    ]
    design = np.column_stack([block[bins[:, position]] for position, block in enumerate(blocks)])
    mean = float(np.average(target, weights=weight))
    gram = (design * weight[:, None]).T @ design + penalty * np.eye(design.shape[1])
    coefficients = np.linalg.solve(gram, design.T @ (weight * (target - mean)))
    # The last digits depend on the processor; which way a tied split goes must not.
    coefficients = np.round(coefficients, 10)
    ends = np.cumsum([block.shape[1] for block in blocks])[:-1]
    shapes = [block @ part for block, part in zip(blocks, np.split(coefficients, ends), strict=True)]
    return Additive(mean, shapes)


def _block(table: FeatureTable, mass: Floats, *, missing_bin: bool) -> Floats:
    """Design columns of each bin of a feature, centred: the standardised value, or one column per code."""
    size = len(mass)
    if table.kind == "category":
        columns = np.eye(size)
    else:
        known = np.array(table.representatives if table.kind == "number" else (0.0, 1.0))
        weight = mass[: len(known)]
        mean = float(weight @ known / weight.sum()) if weight.sum() else 0.0
        spread = float(np.sqrt(weight @ (known - mean) ** 2 / weight.sum())) if weight.sum() else 0.0
        if table.kind == "number":
            known = (known - mean) / spread if spread else known * 0.0
        columns = known[:, None]
        if missing_bin:
            # A missing answer stands at the mean and may differ from it by a column of its own.
            columns = np.vstack([columns, [[mean if table.kind == "flag" else 0.0]]])
            columns = np.column_stack([columns, np.eye(size)[:, -1]])
    return np.asarray(columns - (mass @ columns) / mass.sum(), dtype=np.float64)


def _mass(bins: Integers, weight: Floats, size: int) -> Floats:
    """Weight in each of ``size`` bins."""
    return np.bincount(bins, weights=weight, minlength=size).astype(np.float64)


def _directed(estimate: Additive, problem: Problem, mine: npt.NDArray[np.bool_]) -> Additive:
    """The estimate with each shape bent, where need be, into its declared direction, and centred on the rows."""
    from sklearn.isotonic import isotonic_regression

    intercept, shapes = estimate.intercept, []
    for position, (table, raw) in enumerate(zip(problem.tables, estimate.shapes, strict=True)):
        mass = _mass(problem.bins[mine, position], problem.weight[mine], len(raw))
        shape = raw.copy()
        ordered = len(raw) - problem.missing_bin
        if table.direction != "none":
            # Bins nobody of these rows is in still take part, with next to no say.
            shape[:ordered] = isotonic_regression(
                raw[:ordered],
                sample_weight=np.maximum(mass[:ordered], 1e-9),
                increasing=table.direction == "increasing",
            )
        middle = float(mass @ shape / mass.sum())
        shapes.append(shape - middle)
        intercept += middle
    return Additive(intercept, shapes)


def _micro(value: float) -> int:
    return int(np.rint(value * MICRO))


def _with_points(problem: Problem, position: int, estimates: list[Additive]) -> FeatureTable:
    """Bins of the feature at ``position`` with their points, one estimate per stratum."""
    points = {
        key: tuple(_micro(value) for value in estimate.shapes[position].tolist())
        for key, estimate in zip(problem.strata, estimates, strict=True)
    }
    if not problem.missing_bin:
        return dataclasses.replace(problem.tables[position], points=points)
    return dataclasses.replace(
        problem.tables[position],
        points={key: entries[:-1] for key, entries in points.items()},
        missing_points={key: entries[-1] for key, entries in points.items()},
    )
