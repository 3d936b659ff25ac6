"""Nested validation of the scorecard by area: challengers on the same folds, and shorter questionnaires."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from assets.welfare.evaluate import Flags, fit_ols, places_of
from assets.welfare.fit import (
    SEED,
    Additive,
    Parameters,
    Problem,
    binned,
    choose,
    estimates_of,
    folds_of,
    one_thread,
    parameter_grid,
    predict,
)
from assets.welfare.measures import clusters, draws, interval, measures, ranked, report
from assets.welfare.scorecard import Scorecard
from assets.welfare.spec import SurveySpec
from assets.welfare.survey import Floats, TrainingRows, training_rows

SHORTEST = 10
"""Fewest questions of a short form."""
SHORTER_BY = 0.75
CHALLENGERS = ("ols", "quantile", "boosting", "forest")
GRID = tuple(parameter_grid())
_STEPS = 60
_CLOSEST = 1e-3
"""Residual below which iteratively reweighted least squares give a household no more weight."""


@one_thread()
def validated(
    survey: pl.DataFrame, spec: SurveySpec, card: Scorecard, grid: Sequence[Parameters] = GRID
) -> dict[str, Any]:
    """Out-of-area quality of fitting as ``card`` was fitted: plain entries, for the model card.

    Each fold of areas is predicted by estimators fitted on the others, the parameters chosen by cross-validation
    within those others. Bins and short forms' sizes rest on the answers alone, never on the target.

    Parameters
    ----------
    survey, spec, card
        The scorecard with the survey and specification it was fitted on.
    grid : sequence of Parameters
        What the parameters are chosen from.

    Returns
    -------
    dict
        ``scorecard`` (:func:`assets.welfare.measures.report` of the nested predictions), ``challengers`` (name to
        exclusion error, and the paired difference scorecard less challenger with its 95% interval, areas drawn again),
        ``short_forms`` (questions, exclusion_error, r2, and the questions asked), ``folds``.

    Raises
    ------
    NotScorable
        As fitting.
    """
    rows = training_rows(survey, spec)
    problem, fold = binned(rows, spec), folds_of(rows, spec)
    folds = int(fold.max()) + 1
    everyone = len(rows.target)
    predicted = {name: np.empty(everyone) for name in ("scorecard", *CHALLENGERS)}
    sizes = short_form_sizes(len(spec.features))
    short = {size: np.empty(everyone) for size in sizes}
    for held_out in range(folds):
        outside = fold == held_out
        inside = ~outside
        chosen, estimates = nested_fit(problem, rows, spec, inside, grid)
        predicted["scorecard"][outside] = predict(estimates, problem.part(outside))
        for name, guess in challengers(problem, rows, spec, inside, outside).items():
            predicted[name][outside] = guess
        for size, guess in _shortened(problem, estimates, chosen, inside, outside, sizes).items():
            short[size][outside] = guess
    found = {name: ranked(guess, rows, spec) for name, guess in predicted.items()}
    errors = {name: ~one.selected[one.poor] for name, one in found.items()}
    poor = found["scorecard"].poor
    mean = {name: float(np.average(missed, weights=rows.weight[poor])) for name, missed in errors.items()}
    samples: dict[str, list[float | None]] = {name: [] for name in CHALLENGERS}
    for weight in draws(clusters(rows, spec), rows.weight):
        mass = weight[poor]
        for name in CHALLENGERS if mass.sum() else ():
            samples[name].append(float(mass @ (errors["scorecard"] * 1.0 - errors[name]) / mass.sum()))
    order = _by_importance(problem, _whole(card, problem))
    shorter = {size: report_of(guess, rows, spec) for size, guess in short.items()}
    return {
        "folds": folds,
        "scorecard": report(found["scorecard"], spec),
        "challengers": {
            name: {
                "exclusion_error": mean[name],
                "difference": mean["scorecard"] - mean[name],
                "interval": interval(samples[name]),
            }
            for name in CHALLENGERS
        },
        "short_forms": [
            {"questions": size, **shorter[size], "asked": sorted(problem.tables[at].name for at in order[:size])}
            for size in sizes
        ],
    }


@one_thread()
def nested_fit(
    problem: Problem, rows: TrainingRows, spec: SurveySpec, inside: Flags, grid: Sequence[Parameters] = GRID
) -> tuple[Parameters, list[Additive]]:
    """Parameters chosen from ``grid`` within the rows ``inside``, and the estimates they give there."""
    mine, part = rows.part(inside), problem.part(inside)
    areas = int(clusters(mine, spec).max()) + 1
    # With one area left nothing can be chosen out of it: the middle of the grid.
    chosen = choose(part, [*grid], mine, spec)[0] if areas > 1 and len(grid) > 1 else grid[len(grid) // 2]
    return chosen, estimates_of(problem, inside, [chosen])[chosen]


def report_of(guess: Floats, rows: TrainingRows, spec: SurveySpec) -> dict[str, float | None]:
    """Exclusion error and R² of predictions."""
    found = measures(ranked(guess, rows, spec), rows.weight)
    return {"exclusion_error": found["exclusion_error"], "r2": found["r2"]}


@one_thread()
def challengers(
    problem: Problem,
    rows: TrainingRows,
    spec: SurveySpec,
    inside: Flags,
    outside: Flags,
) -> dict[str, Floats]:
    """Predictions for the rows ``outside`` by estimators fitted on those ``inside``, on the same answers.

    OLS; quantile regression at the share of the poor; boosting with interactions and no directions; a random forest.
    An answer missing, where it may be, stands for the mean or the commonest in the first two, and alone in the others.
    """
    design = _design(problem)
    target, weight = problem.target[inside], problem.weight[inside]
    places = places_of(rows.part(inside).frame, spec.quota).places.sum()
    poor = min(max(float(places) / int(inside.sum()), 0.01), 0.99)
    found: dict[str, Floats] = {}
    linear = _with_intercept(design)
    if spec.missing == "not_scorable":
        found["ols"] = fit_ols(rows.part(inside), spec).predict(rows.part(outside).frame)
    else:
        found["ols"] = linear[outside] @ _least_squares(linear[inside], target, weight)
    found["quantile"] = linear[outside] @ regression_quantile(linear[inside], target, weight, poor)
    boosting = HistGradientBoostingRegressor(max_iter=150, learning_rate=0.06, early_stopping=False, random_state=SEED)
    forest = RandomForestRegressor(200, min_samples_leaf=5, max_features=1 / 3, random_state=SEED)
    for black_box in (boosting, forest):
        black_box.fit(design[inside], target, sample_weight=weight)
    for name, black_box in (("boosting", boosting), ("forest", forest)):
        found[name] = np.asarray(black_box.predict(design[outside]), dtype=np.float64)
    return found


def _design(problem: Problem) -> Floats:
    """Numbers by their bins' means, flags as 0 and 1, one column per further code, one per missing answer seen."""
    columns = []
    for position, (table, size) in enumerate(zip(problem.tables, problem.sizes(), strict=True)):
        bins = problem.bins[:, position]
        known = np.array(table.representatives if table.kind == "number" else np.arange(len(table.codes), dtype=float))
        gone = bins >= len(known)
        if table.kind == "category":
            columns += [(bins == code).astype(np.float64) for code in range(1, size)]
            continue
        middle = known[bins[~gone]].mean() if not gone.all() else 0.0
        columns.append(np.where(gone, middle, known[np.minimum(bins, len(known) - 1)]))
        if gone.any():
            columns.append(gone.astype(np.float64))
    if len(problem.strata) > 1:
        columns += [(problem.stratum == stratum).astype(np.float64) for stratum in range(1, len(problem.strata))]
    return np.column_stack(columns)


def _with_intercept(design: Floats) -> Floats:
    spread = design.std(axis=0)
    scaled = (design - design.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([np.ones(len(design)), scaled])


def _least_squares(design: Floats, target: Floats, weight: Floats) -> Floats:
    gram = (design * weight[:, None]).T @ design + 1e-9 * len(target) * np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(gram, design.T @ (weight * target)), dtype=np.float64)


def regression_quantile(design: Floats, target: Floats, weight: Floats, quantile: float) -> Floats:
    """Coefficients of the regression quantile (Koenker and Bassett 1978) by iteratively reweighted least squares.

    A linear programme, exact, takes minutes on 50,000 households where this takes a second.
    """
    coefficients = _least_squares(design, target, weight)
    for _ in range(_STEPS):
        residual = target - design @ coefficients
        slope = np.where(residual > 0, quantile, 1 - quantile)
        coefficients = _least_squares(design, target, weight * slope / np.maximum(np.abs(residual), _CLOSEST))
    return coefficients


def short_form_sizes(features: int) -> list[int]:
    """Numbers of questions tried: all, then three quarters of the last again and again, down to ten."""
    sizes = [features]
    while sizes[-1] > SHORTEST:
        sizes.append(max(SHORTEST, int(sizes[-1] * SHORTER_BY)))
    return sizes


def _shortened(
    problem: Problem,
    estimates: list[Additive],
    chosen: Parameters,
    inside: Flags,
    outside: Flags,
    sizes: list[int],
) -> dict[int, Floats]:
    """Predictions for the rows ``outside`` with fewer and fewer questions, the least telling left out first."""
    found = {sizes[0]: predict(estimates, problem.part(outside))}
    kept = list(range(len(problem.tables)))
    brief = problem
    for size in sizes[1:]:
        order = _by_importance(brief.part(inside), estimates)
        kept = sorted(kept[at] for at in order[:size])
        brief = dataclasses.replace(problem, bins=problem.bins[:, kept], tables=[problem.tables[at] for at in kept])
        estimates = estimates_of(brief, inside, [chosen])[chosen]
        found[size] = predict(estimates, brief.part(outside))
    return found


def _by_importance(problem: Problem, estimates: list[Additive]) -> list[int]:
    """Positions of the features, the ones that move scores most (weighted variance of their points) first."""
    variance = np.zeros(len(problem.tables))
    for stratum, estimate in enumerate(estimates):
        mine = problem.stratum == stratum
        weight = problem.weight[mine]
        for position, shape in enumerate(estimate.shapes):
            values = shape[problem.bins[mine, position]]
            variance[position] += weight @ (values - np.average(values, weights=weight)) ** 2
    return sorted(range(len(variance)), key=lambda position: (-round(float(variance[position]), 9), position))


def _whole(card: Scorecard, problem: Problem) -> list[Additive]:
    """The scorecard's own shapes, per stratum, in micro-points."""
    return [
        Additive(
            float(card.intercept[key]),
            [
                np.array(
                    [*table.points[key], *([] if table.missing_points is None else [table.missing_points[key]])],
                    dtype=np.float64,
                )
                for table in card.features
            ],
        )
        for key in problem.strata
    ]
