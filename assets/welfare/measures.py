"""Measures of a ranking by predicted welfare, with intervals from whole areas drawn again. No fitting, no scoring."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from assets.welfare.evaluate import Flags, at_quota, places_of, poorest_by_consumption
from assets.welfare.fit import one_thread, out_of_area
from assets.welfare.score import score_survey
from assets.welfare.scorecard import MICRO, Scorecard
from assets.welfare.spec import SurveySpec
from assets.welfare.survey import Floats, Integers, TrainingRows, area_numbers, code, equivalent_column, training_rows
from schemas.errors import NotScorable

REPLICATES = 1_000
SEED = 0
MOST_VALUES = 20
"""Values of a measure with decimals that are told one by one."""
_NORMAL_95 = 1.959964
MOST_WORST = 10
_OF_POOR = ("n", "poor", "missed", "exclusion_error", "exclusion_interval")
NEAR = 0.05
"""Share of the cut-off's predicted expenditure within which a household is near it."""


@dataclass(frozen=True)
class Ranked:
    """Households ranked at their quota.

    Attributes
    ----------
    rows : TrainingRows
        The households, with measured welfare and weights.
    predicted : array of float
        Predicted log expenditure, or class.
    poor, selected, severe, near : array of bool
        Poor by measured welfare; selected by prediction; in the poorer half of the poor; near the cut-off.
    """

    rows: TrainingRows
    predicted: Floats
    poor: Flags
    selected: Flags
    severe: Flags
    near: Flags


def ranked(predicted: Floats, rows: TrainingRows, spec: SurveySpec) -> Ranked:
    """Households ranked by ``predicted`` at the quota of ``spec``."""
    poor, selected = at_quota(predicted, rows, spec.quota)
    severe = np.zeros(len(poor), dtype=np.bool_)
    poorest_first = np.lexsort((np.arange(len(poor)), rows.target))
    poorest_first = poorest_first[poor[poorest_first]]
    severe[poorest_first[: (len(poorest_first) + 1) // 2]] = True
    return Ranked(rows, predicted, poor, selected, severe, _near(predicted, selected, rows, spec))


def _near(predicted: Floats, selected: Flags, rows: TrainingRows, spec: SurveySpec) -> Flags:
    """Whether predicted expenditure is within 5% of that of the last household selected in the area."""
    at = places_of(rows.frame, spec.quota)
    cut = np.full(len(at.places), -np.inf)
    np.maximum.at(cut, at.area[selected], predicted[selected])
    is_a_cut = np.bincount(at.area) > at.places
    mine = np.where(is_a_cut, cut, np.nan)[at.area]
    with np.errstate(invalid="ignore"):
        distance = predicted / mine if spec.target.scale == "ordinal" else np.exp(predicted - mine)
        return np.asarray(np.abs(distance - 1) <= NEAR)


def measures(found: Ranked, weight: Floats) -> dict[str, float | None]:
    """Weighted measures; None where nobody is in the denominator."""
    target, poor, selected = found.rows.target, found.poor, found.selected
    squares = _of(weight, (target - _of(weight, target, True)) ** 2, True)  # noqa: FBT003 - everyone
    left = _of(weight, (target - found.predicted) ** 2, True)  # noqa: FBT003
    hit, share = _of(weight, poor, selected), _of(weight, poor, True)  # noqa: FBT003
    return {
        "r2": 1 - left / squares if squares else None,
        "auc": _auc(found.predicted, poor, weight),
        "exclusion_error": _of(weight, ~selected, poor),
        "inclusion_error": _of(weight, ~poor, selected),
        "severe_miss": _of(weight, ~selected, found.severe),
        "cgh": hit / share if hit is not None and share else None,
        "near_cutoff_share": _of(weight, found.near, True),  # noqa: FBT003
    }


def _of(weight: Floats, values: Any, among: Any) -> Any:  # noqa: ANN401 - flags or floats
    mass = weight * among
    total = mass.sum()
    return float(mass @ values / total) if total > 0 else None


def _auc(predicted: Floats, poor: Flags, weight: Floats) -> float | None:
    """Chance that a poor household is ranked below one that is not, ties as half."""
    _, level = np.unique(predicted, return_inverse=True)
    of_poor, others = np.bincount(level, weight * poor), np.bincount(level, weight * ~poor)
    if not of_poor.sum() or not others.sum():
        return None
    above = others[::-1].cumsum()[::-1] - others / 2
    return float(of_poor @ above / (of_poor.sum() * others.sum()))


def calibration(predicted: Floats, rows: TrainingRows, weight: Floats) -> dict[str, float | None]:
    """Weighted least squares of observed on predicted welfare: 1 and 0 where predictions are right on average."""
    mean, middle = np.average(predicted, weights=weight), np.average(rows.target, weights=weight)
    spread = float(weight @ (predicted - mean) ** 2)
    if not spread:
        return {"slope": None, "intercept": None}
    slope = float(weight @ ((predicted - mean) * (rows.target - middle))) / spread
    return {"slope": slope, "intercept": float(middle - slope * mean)}


def clusters(rows: TrainingRows, spec: SurveySpec) -> Integers:
    """Number of the finest area of each household; a household without areas is one of its own."""
    return area_numbers(rows.frame, spec.area) if spec.area else np.arange(len(rows.target))


def _drawn_counts(area: Integers) -> Iterator[Integers]:
    """How often each area is in each of 1,000 samples of whole areas, drawn with a fixed seed."""
    dice = np.random.default_rng(SEED)
    count = int(area.max()) + 1
    for _ in range(REPLICATES):
        yield np.bincount(dice.integers(0, count, count), minlength=count)


def draws(area: Integers, weight: Floats) -> Iterator[Floats]:
    """Weights of each of 1,000 samples of whole areas, drawn with a fixed seed."""
    return (weight * counts[area] for counts in _drawn_counts(area))


def interval(values: list[float | None]) -> list[float] | None:
    """95% interval of bootstrap ``values``; None without any."""
    known = [value for value in values if value is not None]
    return [float(end) for end in np.quantile(known, [0.025, 0.975])] if known else None


@dataclass(frozen=True)
class Share:
    """A weighted share of households.

    Attributes
    ----------
    among, hits : array of bool
        Households of the denominator, and those of them that count.
    """

    among: Flags
    hits: Flags

    def value(self, weight: Floats) -> float | None:
        """The share (0-1); None where nobody is in the denominator."""
        found: float | None = _of(weight, self.hits, self.among)
        return found


def intervals_of(shares: Sequence[Share], area: Integers, weight: Floats) -> list[list[float] | None]:
    """95% interval of each share: whole areas drawn again, and never narrower than Wilson's.

    Where all of a few households are missed every sample of areas misses all of them: the bootstrap alone would call
    the error certain. Wilson's interval takes the effective number of households (Kish 1965).

    Parameters
    ----------
    shares : sequence of Share
        The shares; an empty one has no interval.
    area : array of int
        Area of each household, numbered from 0.
    weight : array of float
        Survey weights.
    """
    hits = np.stack([np.bincount(area, weight * (one.hits & one.among)) for one in shares], axis=1)
    among = np.stack([np.bincount(area, weight * one.among) for one in shares], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        samples = np.stack([(counts @ hits) / (counts @ among) for counts in _drawn_counts(area)])
    found: list[list[float] | None] = []
    for one, values in zip(shares, samples.T, strict=True):
        drawn, least = interval([*values[~np.isnan(values)]]), _wilson(one, weight)
        found.append(None if drawn is None or least is None else [min(drawn[0], least[0]), max(drawn[1], least[1])])
    return found


def _wilson(one: Share, weight: Floats) -> tuple[float, float] | None:
    """Wilson's 95% interval (1927) with the effective number of households; None without any."""
    value, mass = one.value(weight), weight[one.among]
    if value is None:
        return None
    count = float(mass.sum() ** 2 / (mass**2).sum())
    middle = value + _NORMAL_95**2 / (2 * count)
    half = _NORMAL_95 * float(np.sqrt(value * (1 - value) / count + (_NORMAL_95 / (2 * count)) ** 2))
    size = 1 + _NORMAL_95**2 / count
    return max((middle - half) / size, 0.0), min((middle + half) / size, 1.0)


def groups_of(rows: TrainingRows, spec: SurveySpec) -> dict[tuple[str, str], Flags]:
    """Who is in each group: column and value to flags, in the order of the specification."""
    found: dict[tuple[str, str], Flags] = {}
    for column in spec.groups:
        values = _classes(rows.frame[column])
        found |= {(column, str(value)): (values == value).to_numpy() for value in values.unique().sort()}
    return found


def by_group(found: Ranked, spec: SurveySpec) -> dict[str, dict[str, Any]]:
    """Per group column and value: households, poor, selected, missed poor, both errors with intervals.

    ``missed`` is the weight of the poor who are not selected, and with ``exclusion_error`` what a group's size and
    error make together.
    """
    weight, groups = found.rows.weight, groups_of(found.rows, spec)
    if not groups:
        return {}
    missing = [Share(found.poor & mine, ~found.selected) for mine in groups.values()]
    wrong = [Share(found.selected & mine, ~found.poor) for mine in groups.values()]
    ends = intervals_of([*missing, *wrong], clusters(found.rows, spec), weight)
    told: dict[str, dict[str, Any]] = {column: {} for column, _ in groups}
    for at, ((column, value), mine) in enumerate(groups.items()):
        told[column][value] = {
            "n": int(mine.sum()),
            "poor": int((found.poor & mine).sum()),
            "selected": int((found.selected & mine).sum()),
            "missed": float(weight @ (found.poor & mine & ~found.selected)),
            "exclusion_error": missing[at].value(weight),
            "exclusion_interval": ends[at],
            "inclusion_error": wrong[at].value(weight),
            "inclusion_interval": ends[len(groups) + at],
        }
    return told


def worst_groups(groups: Mapping[str, Mapping[str, Any]], average: float | None) -> list[dict[str, Any]]:
    """The ten groups of :func:`by_group` above the average error with the most missed poor (size x error), most first.

    Whoever is better off than the average is left out: the largest groups would fill the table otherwise.
    """
    rows = [
        {"group": column, "value": value, **{name: row[name] for name in _OF_POOR}}
        for column, values in groups.items()
        for value, row in values.items()
        if average is not None and row["missed"] > 0 and row["exclusion_error"] > average
    ]
    return sorted(rows, key=lambda row: (-round(row["missed"], 6), row["group"], row["value"]))[:MOST_WORST]


def readings(found: Ranked, spec: SurveySpec) -> dict[str, dict[str, Any]]:
    """Exclusion error, for all and by group, where who is poor is read per adult equivalent; the selection the same.

    As many households of each area are poor as have a place. One whose adult equivalents are unknown is not poor.
    """
    told: dict[str, dict[str, Any]] = {}
    for name in spec.adult_equivalent:
        size = found.rows.frame[equivalent_column(name)].fill_null(np.nan).to_numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            target = found.rows.target + np.log(size)
        at = places_of(found.rows.frame, spec.quota)
        poor = poorest_by_consumption(np.where(np.isfinite(target), target, np.nan), at.places, at.area)
        groups = by_group(replace(found, poor=poor), spec)
        everyone = Share(poor, ~found.selected)
        told[name] = {
            "poor": int(poor.sum()),
            "exclusion_error": everyone.value(found.rows.weight),
            "exclusion_interval": intervals_of([everyone], clusters(found.rows, spec), found.rows.weight)[0],
            "by_group": {
                column: {value: {key: row[key] for key in _OF_POOR} for value, row in values.items()}
                for column, values in groups.items()
            },
        }
    return told


def _classes(column: pl.Series) -> pl.Series:
    """Values of a group in their order, empty where there is none; of a measure with decimals its fifths."""
    measure = column.cast(pl.Float64, strict=False)
    known = measure.drop_nulls().to_numpy()
    has_other = len(known) < len(column) - column.null_count()
    if has_other or len(np.unique(known)) <= MOST_VALUES or (known == np.floor(known)).all():
        told = column.to_frame().select(code(column.name, column.dtype, "category").fill_null(""))[column.name]
        worth = {value: number for value, number in zip(told, measure, strict=True) if number is not None}
        return told.cast(pl.Enum(sorted(told.unique(), key=lambda value: (worth.get(value, -np.inf), value))))
    ends = np.unique(np.quantile(known, (0.2, 0.4, 0.6, 0.8), method="inverted_cdf"))
    between = [f"{low:g} < … ≤ {high:g}" for low, high in itertools.pairwise(ends)]
    words = ["", f"≤ {ends[0]:g}", *between, f"> {ends[-1]:g}"]
    place = np.searchsorted(ends, measure.fill_null(0.0).to_numpy(), side="left") + 1
    place = np.where(measure.is_null().to_numpy(), 0, place)
    return pl.Series(np.array(words)[place], dtype=pl.Enum(words))


def report(found: Ranked, spec: SurveySpec, calibrated: Floats | None = None) -> dict[str, Any]:
    """All measures of a ranking with groups, denominators and intervals, as JSON would have them.

    Parameters
    ----------
    found : Ranked
        Households at their quota; the bootstrap draws areas again and holds model and selection fixed.
    spec : SurveySpec
        The survey's specification.
    calibrated : array of float, optional
        Out-of-area predictions for the calibration where ``found.predicted`` are none.
    """
    rows = found.rows
    guess = found.predicted if calibrated is None else calibrated
    point = measures(found, rows.weight)
    area, groups = clusters(rows, spec), by_group(found, spec)
    samples: list[dict[str, float | None]] = []
    for weight in draws(area, rows.weight):
        line = calibration(guess, rows, weight)
        samples.append({**measures(found, weight), **{f"calibration_{name}": value for name, value in line.items()}})
    return {
        "n": len(rows.target),
        "places": int(places_of(rows.frame, spec.quota).places.sum()),
        **{name: point[name] for name in ("r2", "auc", "exclusion_error", "inclusion_error", "severe_miss", "cgh")},
        "calibration": calibration(guess, rows, rows.weight),
        "near_cutoff_share": point["near_cutoff_share"],
        "by_group": groups,
        "worst_groups": worst_groups(groups, point["exclusion_error"]),
        "readings": readings(found, spec),
        "denominators": {
            "poor": int(found.poor.sum()),
            "selected": int(found.selected.sum()),
            "poorer_half_of_poor": int(found.severe.sum()),
            "weight": float(rows.weight.sum()),
            "areas": int(area.max()) + 1,
            "set_aside": rows.set_aside,
        },
        "intervals": {name: interval([sample[name] for sample in samples]) for name in samples[0]},
    }


@one_thread()
def evaluated(card: Scorecard, survey: pl.DataFrame, spec: SurveySpec) -> dict[str, Any]:
    """How a scorecard ranks the households of a survey at its quota: :func:`report`, not scorable ones set aside.

    The calibration is out of area: on the very survey the scorecard was fitted on, it is fitted anew without each
    fold of areas, with its own parameters.

    Raises
    ------
    NotScorable
        No household can be scored and compared.
    """
    tolerant = spec.model_copy(update={"missing": card.spec.missing})
    whole = training_rows(survey, tolerant)
    scored = score_survey(whole.frame, card)
    known = scored["score_micro"].is_not_null()
    if not known.any():
        message = f"none of {survey.height} households can be scored by this scorecard. Correct the survey."
        raise NotScorable(message)
    rows = whole.part(known.to_numpy())
    if not known.all():
        rows.set_aside["not_scorable"] = int((~known).sum())
    predicted = scored.filter(known)["score_micro"].to_numpy() / MICRO
    calibrated = None
    if whole.hash == card.provenance.survey_hash and known.all():
        calibrated = out_of_area(rows, card.spec, card.provenance)
    return report(ranked(predicted, rows, spec), spec, calibrated)
