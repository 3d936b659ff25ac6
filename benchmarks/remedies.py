"""Ways to repair whom the scorecard misses, side by side: fitted in one half of the areas, selecting in the other.

Whole areas are halved fifty times. In each half the scorecard's estimator (fixed parameters) is fitted on one part, the
shares of floors are measured there, and the other part is selected from at quotas of 20% and 30% of its households.
Real households come from `PERLINSOS_TEST_DATA` and are skipped where it is absent; the synthetic country's survey shows
the groups that the real file does not know.
"""

import dataclasses
import itertools
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from assets.welfare.evaluate import Flags
from assets.welfare.fit import Parameters, Problem, binned, estimates_of, folds_of, one_thread, predict
from assets.welfare.measures import clusters
from assets.welfare.models import spec_of
from assets.welfare.spec import SurveySpec, read_spec
from assets.welfare.survey import Floats, TrainingRows, equivalent_column, read_survey, training_rows
from quotas.rulebook import rulebook
from schemas.quarter import Quarter
from schemas.questionnaire import default_questionnaire
from world.country import write

SPLITS = int(os.environ.get("PERLINSOS_BENCH_SPLITS", "50"))
QUOTAS = (0.2, 0.3)
PARAMETERS = Parameters(penalty=10.0, rounds=60, learning_rate=0.1)
GOAL = {"ratio": 1.5, "points": 1.5}
DAY = date(2026, 1, 1)
_SURVEYS = Path(__file__).parents[1] / "tests" / "surveys"
_DECILES = {"PKH": 0.4, "BPNT": 0.5}


@dataclass(frozen=True)
class Sample:
    """A survey and the groups of it that are watched.

    Attributes
    ----------
    name : str
        What it is called in the output.
    rows, problem, spec
        Its households, in bins, and its specification.
    groups : mapping of str to array of bool
        Members of each group.
    floors : mapping of str to str
        Group of the survey to the fact whose share in policy is tried.
    readings : mapping of str to array of float
        Further readings of welfare: log expenditure per adult equivalent.
    """

    name: str
    rows: TrainingRows
    problem: Problem
    spec: SurveySpec
    groups: Mapping[str, Flags]
    floors: Mapping[str, str]
    readings: Mapping[str, Floats]


def sample_of(
    name: str, survey: pl.DataFrame, spec: SurveySpec, groups: Sequence[str], floors: Mapping[str, str]
) -> Sample:
    """The sample of a survey; ``groups`` are names of its specification that are 0 or 1."""
    rows = training_rows(survey, spec)
    flags = {group: (rows.frame[group] == "1").fill_null(value=False).to_numpy() for group in groups}
    readings = {
        reading: rows.target + np.log(rows.frame[equivalent_column(reading)].to_numpy())
        for reading in spec.adult_equivalent
    }
    return Sample(name, rows, binned(rows, spec), spec, flags, floors, readings)


def poorest(score: Floats, places: int) -> Flags:
    """The households with the lowest scores."""
    chosen = np.zeros(len(score), dtype=np.bool_)
    chosen[np.argsort(score, kind="stable")[:places]] = True
    return chosen


def with_floors(score: Floats, places: int, floors: Sequence[tuple[Flags, float]]) -> Flags:
    """The poorest, of each group at least its share of the places: `ranking.reserved_places` for one area."""
    placed = np.zeros(len(score), dtype=np.bool_)
    for group, share in floors:
        missing = int(share * places + 1e-9) - int((group & placed).sum())
        candidates = np.flatnonzero(group & ~placed)
        placed[candidates[np.argsort(score[candidates], kind="stable")[: max(missing, 0)]]] = True
    rest = np.where(placed, np.inf, score)
    return placed | (poorest(rest, places - int(placed.sum())) & ~placed)


def share_of(poor: Flags, group: Flags, weight: Floats) -> float:
    """Weighted share of a group among the poor."""
    return float(weight @ (poor & group) / (weight @ poor))


def residual_of(sample: Sample, inside: Flags) -> Floats:
    """Measured less predicted welfare of the rows inside, each fold of their areas predicted by the others."""
    part, fold = sample.problem.part(inside), folds_of(sample.rows.part(inside), sample.spec)
    guess = np.empty(len(part.target))
    for held_out in range(int(fold.max()) + 1):
        outside = fold == held_out
        guess[outside] = predict(estimates_of(part, ~outside, [PARAMETERS])[PARAMETERS], part.part(outside))
    return part.target - guess


def selections(
    sample: Sample, inside: Flags, quota: float, guesses: Mapping[str, Floats], residual: Floats
) -> dict[str, Flags]:
    """Who of the rows outside is selected by each remedy."""
    outside, score = ~inside, guesses["head"]
    places = int(len(score) * quota + 0.5)
    weight, inner = sample.rows.weight[inside], int(inside.sum() * quota + 0.5)
    found = {"as today": poorest(score, places)}
    for reading in sample.readings:
        found[f"target per adult equivalent ({reading})"] = poorest(guesses[reading], places)
    calibrated = score.copy()
    for group in sample.floors:
        mine = sample.groups[group]
        calibrated[mine[outside]] += np.average(residual[mine[inside]], weights=weight[mine[inside]])
    found["score calibrated by group"] = poorest(calibrated, places)
    measured = {"head": sample.rows.target, **sample.readings}
    for reading, welfare in measured.items():
        poor = poorest(welfare[inside], inner)
        shares = [
            (sample.groups[name][outside], share_of(poor, sample.groups[name][inside], weight))
            for name in sample.floors
        ]
        found[f"floor: share among the poor ({reading})"] = with_floors(score, places, shares)
    shares = [(sample.groups[name][outside], float(np.average(sample.groups[name][inside], weights=weight)))
              for name in sample.floors]  # fmt: skip
    found["floor: share among all"] = with_floors(score, places, shares)
    kept = {one.fact: one.share for one in rulebook().on(DAY).ranking.reserved_places}
    shares = [(sample.groups[name][outside], kept[fact]) for name, fact in sample.floors.items() if fact in kept]
    found["floor: as in policy"] = with_floors(score, places, shares)
    for programme, decile in _DECILES.items():
        reached = score <= np.quantile(score, decile)
        limited = [(mine & reached, share) for mine, share in shares]
        found[f"floor: as in policy, deciles of {programme}"] = with_floors(score, places, limited)
    for name in [name for name in sample.groups if name not in sample.floors]:
        reading = next(iter(sample.readings))
        share = share_of(poorest(sample.readings[reading][inside], inner), sample.groups[name][inside], weight)
        wide = [*shares, (sample.groups[name][outside], share)]
        found[f"policy and a floor for {name}"] = with_floors(score, places, wide)
    return found


@one_thread()
def simulated(sample: Sample) -> pl.DataFrame:
    """Per split, quota, remedy and reading: error of all and of every group, and how deep the last floor reaches.

    Columns `split, quota, remedy, reading, group, poor, missed` (weights), `reach` (share of all households whose
    score is not above that of the last selected of the group).
    """
    area = clusters(sample.rows, sample.spec)
    areas, dice, found = int(area.max()) + 1, np.random.default_rng(0), []
    everyone = {"all": np.ones(len(area), dtype=np.bool_), **sample.groups}
    for split in range(SPLITS):
        inside = np.isin(area, dice.permutation(areas)[: areas // 2])
        outside = ~inside
        measured = {"head": sample.rows.target, **sample.readings}
        guesses = {
            reading: _guessed(dataclasses.replace(sample.problem, target=welfare), inside)
            for reading, welfare in measured.items()
        }
        residual = residual_of(sample, inside)
        order, weight = np.sort(guesses["head"]), sample.rows.weight[outside]
        for quota in QUOTAS:
            chosen = selections(sample, inside, quota, guesses, residual)
            for reading, welfare in measured.items():
                poor = poorest(welfare[outside], int(outside.sum() * quota + 0.5))
                for (group, mine), (remedy, selected) in (
                    (one, other) for one in everyone.items() for other in chosen.items()
                ):
                    here = mine[outside]
                    last = guesses["head"][selected & here].max(initial=-np.inf)
                    found.append(
                        (split, quota, remedy, reading, group, float(weight @ (poor & here)),
                         float(weight @ (poor & here & ~selected)),
                         float(np.searchsorted(order, last, side="right") / len(order)))
                    )  # fmt: skip
    names = ["split", "quota", "remedy", "reading", "group", "poor", "missed", "reach"]
    return pl.DataFrame(found, schema=names, orient="row")


def _guessed(problem: Problem, inside: Flags) -> Floats:
    return predict(estimates_of(problem, inside, [PARAMETERS])[PARAMETERS], problem.part(~inside))


def summarised(found: pl.DataFrame) -> pl.DataFrame:
    """Means over the splits with the middle 95% of them, per quota, reading, group and remedy.

    `error` (missed / poor over all splits), `ratio` to that of all, `change` of the error of all against today in
    percentage points, each with `_low` and `_high`.
    """
    key = ["quota", "reading", "remedy"]
    every = found.filter(group="all").select("split", *key, _all=pl.col("missed") / pl.col("poor"))
    today = every.filter(remedy="as today").select("split", "quota", "reading", _today="_all")
    joined = found.join(every, on=["split", *key]).join(today, on=["split", "quota", "reading"])
    share = pl.col("missed") / pl.when(pl.col("poor") > 0).then("poor")
    change = 100 * (pl.col("_all") - pl.col("_today"))
    whole = pl.col("missed").sum() / pl.col("poor").sum()

    ends = [
        value.quantile(at, "linear").alias(f"{name}_{end}")
        for name, value in (("error", share), ("ratio", share / pl.col("_all")), ("change", change))
        for end, at in (("low", 0.025), ("high", 0.975))
    ]
    means = [
        pl.col("poor").mean(),
        whole.alias("error"),
        (whole / pl.col("_all").mean()).alias("ratio"),
        change.mean().alias("change"),
        pl.col("reach").mean(),
    ]
    return joined.group_by(*key, "group", maintain_order=True).agg(*means, *ends)


def real_sample(folder: Path) -> Sample:
    """3,535 real households of 2008; the file knows the head's age and sex and the size, not the other members."""
    described = read_spec(_SURVEYS / "indonesia_2008.yaml")
    quota = described.quota.model_copy(update={"column": None, "share": QUOTAS[0], "within": ()})
    watched = {**(described.groups if isinstance(described.groups, dict) else {}), "small": "hhsize <= 2"}
    spec = described.model_copy(update={"quota": quota, "groups": watched})
    survey = read_survey(folder / "households" / "indonesia_2008.csv", spec)
    groups = ("elderly_small", "elderly_head", "small", "female_head")
    return sample_of("indonesia 2008", survey, spec, groups, {"elderly_small": "elderly_alone_or_pair"})


def synthetic_sample() -> Sample:
    """The consumption survey of the synthetic country, in which disability and every member's age are known."""
    described = spec_of(default_questionnaire())
    groups = {
        **(described.groups if isinstance(described.groups, dict) else {}),
        "rural": "NOT is_urban",
    }
    spec = described.model_copy(update={"poverty_line": None, "groups": groups})
    with tempfile.TemporaryDirectory() as folder:
        quarter = Quarter(2026, 1)
        write("banyuwangi", 40_000, [quarter], 1, Path(folder) / "world")
        files = sorted((Path(folder) / "world" / str(quarter) / "consumption_survey").glob("*.csv"))
        survey = pl.concat([pl.read_csv(file, infer_schema=False) for file in files])
        path = Path(folder) / "survey.csv"
        survey.write_csv(path)
        households = read_survey(path, spec)
    watched = ("elderly_alone_or_pair", "with_disability", "with_elderly", "elderly_head", "female_head", "rural")
    floors = {"elderly_alone_or_pair": "elderly_alone_or_pair", "with_disability": "supported_disability_count"}
    return sample_of("synthetic country", households, spec, watched, floors)


def run() -> None:
    """Print the shares among the poor, and the remedies side by side."""
    data = os.environ.get("PERLINSOS_TEST_DATA")
    if data is None:
        print("PERLINSOS_TEST_DATA is not set: real households are left out")
    for sample in [*([] if data is None else [real_sample(Path(data))]), synthetic_sample()]:
        print(f"-- {sample.name}: {len(sample.rows.target)} households, {SPLITS} splits")
        _print_shares(sample)
        _print_remedies(sample, summarised(simulated(sample)))


def _print_shares(sample: Sample) -> None:
    measured = {"head": sample.rows.target, **sample.readings}
    for quota, (reading, welfare) in itertools.product(QUOTAS, measured.items()):
        poor = poorest(welfare, int(len(welfare) * quota + 0.5))
        shares = [
            f"{name} {share_of(poor, mine, sample.rows.weight):.4f} ({int((poor & mine).sum())} poor)"
            for name, mine in sample.groups.items()
        ]
        print(f"share among the poorest {quota:.0%} ({reading}): {', '.join(shares)}")


def _print_remedies(sample: Sample, table: pl.DataFrame) -> None:
    for quota, group in itertools.product(QUOTAS, sample.floors):
        print(f"\n{quota:.0%}, missed poor of {group} (poor per head; * within the goal)")
        for row in table.filter(quota=quota, reading="head", group=group).iter_rows(named=True):
            print(_line(row, row["remedy"]))
    remedies, measured = ("as today", "floor: as in policy"), ("head", *sample.readings)
    for quota, remedy, reading in itertools.product(QUOTAS, remedies, measured):
        print(f"\n{quota:.0%}, every group, {remedy}, poor by {reading}")
        for row in table.filter(quota=quota, remedy=remedy, reading=reading).iter_rows(named=True):
            print(_line(row, row["group"]))


def _line(row: Mapping[str, float], name: object) -> str:
    is_good = row["ratio"] <= GOAL["ratio"] and row["change"] <= GOAL["points"]
    return (
        f"{'*' if is_good else ' '} {name!s:<48}{row['error']:7.1%} "
        f"({row['error_low']:.1%} to {row['error_high']:.1%})  x{row['ratio']:.2f} "
        f"({row['ratio_low']:.2f} to {row['ratio_high']:.2f})  all {row['change']:+.2f} points "
        f"({row['change_low']:+.2f} to {row['change_high']:+.2f})  reach {row['reach']:.0%}"
    )
