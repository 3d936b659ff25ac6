"""Families scored per second beside scikit-learn's own estimator of the same model, and a fit with nested validation.

Each measurement runs in a process of its own, whose peak memory is its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from assets.welfare.spec import SurveySpec

FAMILIES = int(os.environ.get("PERLINSOS_BENCH_SCORED", "4000000"))
SURVEYED = int(os.environ.get("PERLINSOS_BENCH_SURVEYED", "50000"))
FEATURES = 39
BUDGET = {"families_per_second": 2_000_000, "times_scikit_learn": 15, "fit_seconds": 600, "fit_mib": 4_096}
FITTED_ON, REPEATS = 20_000, 3
_VILLAGE = 20
_SCORED = """
import json, sys, time
import numpy as np
from assets.welfare import fit as fitting
from assets.welfare.score import bin_of, score
from assets.welfare.scorecard import MICRO
from assets.welfare.survey import training_rows
from benchmarks.welfare import FEATURES, FITTED_ON, REPEATS, households, spec
described, survey = spec(), households(FITTED_ON, seed=1)
card = fitting.fit(survey, described, penalties=(10.0,), rounds=(100,), learning_rates=(0.1,))
problem = fitting.binned(training_rows(survey, described), described)
model = fitting.estimator(problem, np.ones(FITTED_ON, dtype=np.bool_), 10.0, 0.1, 100)
asked = households(int(sys.argv[1]), seed=2)
bins = np.column_stack([bin_of(table, asked) for table in problem.tables])
seen = fitting.boosting_input(model.values, bins)
own = []
for _ in range(REPEATS):
    began = time.monotonic()
    scored = score(asked, card, parts=False)
    own.append(time.monotonic() - began)
began = time.monotonic()
boosted = model.boosting.predict(seen)
theirs = time.monotonic() - began
gap = np.abs(scored["score_micro"].to_numpy() - (model.start.predict(bins) + boosted) * MICRO).max()
assert gap <= FEATURES + 1, gap
print(json.dumps([min(own), theirs, int(scored["scorable"].sum())]))
"""
_FIT = """
import json, resource, sys, time
from assets.welfare.fit import fit
from assets.welfare.validate import validated
from benchmarks.welfare import households, spec
described, survey = spec(), households(int(sys.argv[1]), seed=3)
began = time.monotonic()
card = fit(survey, described)
found = validated(survey, described, card)
spent = time.monotonic() - began
error = found["scorecard"]["exclusion_error"]
print(json.dumps([spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, error]))
"""


def spec() -> SurveySpec:
    """39 questions: 13 counts, 13 flags and 13 categories, villages as areas."""
    kinds = [{"kind": "number"}, {"kind": "flag"}, {"kind": "category"}]
    return SurveySpec.model_validate(
        {
            "id": "household",
            "target": {"column": "expenditure", "scale": "level"},
            "area": ["village"],
            "features": {f"q{number:02d}": kinds[number % 3] for number in range(FEATURES)},
        }
    )


def households(count: int, seed: int) -> pl.DataFrame:
    """Invented households: answers 0 to 9, 0 or 1, and 1 of 5, each adding to log expenditure, with chance."""
    dice = np.random.default_rng(seed)
    answers = {f"q{number:02d}": dice.integers(0, (10, 2, 5)[number % 3], count) for number in range(FEATURES)}
    log = 13 + dice.normal(0, 0.4, count)
    for number, column in enumerate(answers.values()):
        log += (0.01, 0.05, 0.02)[number % 3] * np.sqrt(column)
    village = np.arange(count) // _VILLAGE
    return pl.DataFrame({"household": np.arange(count), "village": village, "expenditure": np.exp(log), **answers})


def _measured(code: str, *arguments: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "measured.py"
        file.write_text(code)
        ran = subprocess.run(  # noqa: S603 - our own code
            [sys.executable, str(file), *(str(argument) for argument in arguments)],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )  # fmt: skip
    return [float(number) for number in json.loads(ran.stdout)]


def run() -> None:
    """Print both measurements beside what they may be; a budget missed ends with an error."""
    own, theirs, scored = _measured(_SCORED, FAMILIES)
    spent, memory, error = _measured(_FIT, SURVEYED)
    print(f"{scored:,.0f} families, {FEATURES} features: {own:.2f} s, {FAMILIES / own:,.0f} families/s")
    print(f"scikit-learn predicts the same rows (boosting alone) in {theirs:.2f} s: {theirs / own:.1f} times as long")
    print(f"{SURVEYED:,} households fitted and validated: {spent:.0f} s, {memory:,.0f} MiB, error {error:.3f}")
    missed = [
        name
        for name, holds in {
            "families_per_second": FAMILIES / own >= BUDGET["families_per_second"],
            "times_scikit_learn": theirs / own >= BUDGET["times_scikit_learn"],
            "fit_seconds": spent <= BUDGET["fit_seconds"],
            "fit_mib": memory <= BUDGET["fit_mib"],
        }.items()
        if not holds
    ]
    if missed:
        message = "; ".join(f"{name}: not within {BUDGET[name]:,}" for name in missed)
        raise SystemExit(message)
