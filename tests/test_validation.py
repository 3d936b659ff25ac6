"""Measures, nested validation and the model card: out of area, the same every time, level with the best black box."""

import dataclasses
import json
import os
import re
import subprocess
import sys
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from playwright.sync_api import sync_playwright
from scipy import stats
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import r2_score, roc_auc_score

from assets.welfare import fit as fitting
from assets.welfare import validate
from assets.welfare.evaluate import at_quota, error_at_quota
from assets.welfare.fit import fit
from assets.welfare.measures import Share, by_group, evaluated, intervals_of, measures, ranked
from assets.welfare.score import score
from assets.welfare.scorecard import MICRO, Scorecard
from assets.welfare.spec import SurveySpec, read_spec
from assets.welfare.survey import TrainingRows, area_numbers, read_survey, training_rows
from assets.welfare.validate import challengers, nested_fit, validated
from reports.model_card import card_markdown, card_page
from tests.made_households import FIXED, households
from tests.made_households import SPEC as PLAIN_SPEC

SPEC = {**PLAIN_SPEC, "groups": ["urban"], "adult_equivalent": {"square_root": "sqrt(size)"}}
KEYS = (
    *("n", "places", "r2", "auc", "exclusion_error", "inclusion_error", "severe_miss", "cgh", "calibration"),
    *("near_cutoff_share", "by_group", "worst_groups", "readings", "denominators", "intervals"),
)
SPLITS = 20
GRID = fitting.parameter_grid((10.0, 100.0), (0, 30), (0.1,))


@pytest.fixture(scope="module")
def survey() -> pl.DataFrame:
    return households(400)


@pytest.fixture(scope="module")
def spec() -> SurveySpec:
    return SurveySpec.model_validate(SPEC)


@pytest.fixture(scope="module")
def card(survey: pl.DataFrame, spec: SurveySpec) -> Scorecard:
    return fit(survey, spec, **FIXED)


@pytest.fixture(scope="module")
def found(survey: pl.DataFrame, spec: SurveySpec, card: Scorecard) -> dict[str, Any]:
    return validated(survey, spec, card, GRID)


def test_an_evaluation_has_every_key_and_is_the_same_however_the_rows_are_shuffled(
    survey: pl.DataFrame, spec: SurveySpec, card: Scorecard
) -> None:
    told = evaluated(card, survey, spec)
    assert tuple(told) == KEYS
    assert json.dumps(evaluated(card, survey.sample(fraction=1, shuffle=True, seed=5), spec)) == json.dumps(told)
    for name, ends in told["intervals"].items():
        value = told["calibration"][name.removeprefix("calibration_")] if "calibration" in name else told[name]
        assert ends[0] <= value <= ends[1], name
    assert {key: row["n"] for key, row in told["by_group"]["urban"].items()} == {"0": 200, "1": 200}


def test_measures_are_those_of_the_textbook(survey: pl.DataFrame, spec: SurveySpec, card: Scorecard) -> None:
    told = evaluated(card, survey, spec)
    rows = training_rows(survey, spec)
    guess = score(rows.frame, card)["score_micro"].to_numpy() / MICRO
    poor, selected = at_quota(guess, rows, spec.quota)
    weight = rows.weight
    assert told["places"] == poor.sum() == selected.sum() == 120
    assert told["r2"] == pytest.approx(r2_score(rows.target, guess, sample_weight=weight))
    assert told["auc"] == pytest.approx(roc_auc_score(poor, -guess, sample_weight=weight))
    assert told["exclusion_error"] == pytest.approx(weight[poor & ~selected].sum() / weight[poor].sum())
    assert told["inclusion_error"] == pytest.approx(weight[selected & ~poor].sum() / weight[selected].sum())
    half = poor & (rows.target <= np.sort(rows.target[poor])[59])
    assert told["severe_miss"] == pytest.approx(weight[half & ~selected].sum() / weight[half].sum())
    share = weight[poor & selected].sum() / weight[selected].sum()
    assert told["cgh"] == pytest.approx(share / (weight[poor].sum() / weight.sum()))
    cut = guess[selected].max()
    near = np.abs(np.exp(guess - cut) - 1) <= 0.05
    assert told["near_cutoff_share"] == pytest.approx(weight[near].sum() / weight.sum())


def test_a_measure_with_decimals_makes_five_groups_and_whoever_has_no_value_another(
    survey: pl.DataFrame, spec: SurveySpec, card: Scorecard
) -> None:
    with_gap = survey.with_columns(land=pl.when(pl.col("hhid") > "00009").then(pl.col("floor") * 1.5))
    grouped = spec.model_copy(update={"groups": ("land", "size")})
    told = evaluated(card, with_gap, grouped)["by_group"]
    assert [row["n"] for row in told["land"].values()] == [10, 78, 78, 78, 78, 78]
    assert [*told["land"]][:2] == ["", f"≤ {np.sort(with_gap['land'].drop_nulls())[77]:g}"]
    assert [*told["size"]] == list("12345678")


def test_a_few_poor_all_of_whom_are_missed_have_a_wide_interval(spec: SurveySpec, survey: pl.DataFrame) -> None:
    rows = training_rows(survey, spec)
    found = ranked(np.zeros(400), rows, spec)
    few = np.zeros(400, dtype=np.bool_)
    few[:21] = True
    nobody = np.zeros(400, dtype=np.bool_)
    area, weight = area_numbers(rows.frame, spec.area), np.ones(400)
    all_missed, half, empty = intervals_of(
        [Share(few, few), Share(few, few & (np.arange(400) % 2 == 0)), Share(nobody, few)], area, weight
    )
    wilson = 21 / (21 + stats.norm.ppf(0.975) ** 2)
    assert all_missed == [pytest.approx(wilson, abs=1e-6), 1.0]
    low, high = stats.binomtest(11, 21).proportion_ci(method="wilson")
    assert half is not None
    assert half[0] <= low + 1e-6 < 11 / 21 < high - 1e-6 <= half[1]
    assert empty is None
    # Weights that differ leave fewer households to count on.
    heavy = intervals_of([Share(few, few)], area, np.where(np.arange(400) == 0, 20.0, 1.0))[0]
    assert heavy is not None
    assert heavy[0] < all_missed[0]
    assert [*by_group(found, spec)] == ["urban"]


def test_errors_by_group_add_up_and_the_worst_are_above_the_average_most_missed_first(
    survey: pl.DataFrame, spec: SurveySpec, card: Scorecard
) -> None:
    grouped = spec.model_copy(update={"groups": {"large": "size > 4", "wide": "floor > 40"}})
    told = evaluated(card, survey, grouped)
    rows = training_rows(survey, grouped)
    guess = score(rows.frame, card)["score_micro"].to_numpy() / MICRO
    poor, selected = at_quota(guess, rows, spec.quota)
    for values in told["by_group"].values():
        assert sum(row["n"] for row in values.values()) == 400
        assert sum(row["missed"] for row in values.values()) == pytest.approx(rows.weight[poor & ~selected].sum())
        for row in values.values():
            assert row["exclusion_interval"][0] <= row["exclusion_error"] <= row["exclusion_interval"][1]
    worst = told["worst_groups"]
    assert worst
    assert all(row["exclusion_error"] > told["exclusion_error"] for row in worst)
    assert [row["missed"] for row in worst] == sorted((row["missed"] for row in worst), reverse=True)


def test_who_is_poor_per_adult_equivalent_is_read_anew_and_the_selection_stays(
    survey: pl.DataFrame, spec: SurveySpec, card: Scorecard
) -> None:
    told = evaluated(card, survey, spec)
    reading = told["readings"]["square_root"]
    rows = training_rows(survey, spec)
    guess = score(rows.frame, card)["score_micro"].to_numpy() / MICRO
    target = rows.target + 0.5 * np.log(rows.frame["size"].to_numpy())
    poor, selected = at_quota(guess, dataclasses.replace(rows, target=target), spec.quota)
    assert reading["poor"] == poor.sum()
    assert reading["exclusion_error"] == pytest.approx(rows.weight[poor & ~selected].sum() / rows.weight[poor].sum())
    assert reading["exclusion_error"] != told["exclusion_error"]


def test_ties_count_half_in_the_auc(spec: SurveySpec, survey: pl.DataFrame) -> None:
    rows = training_rows(survey, spec)
    assert measures(ranked(np.zeros(400), rows, spec), rows.weight)["auc"] == pytest.approx(0.5)


def test_the_calibration_of_the_survey_it_was_fitted_on_is_out_of_area(
    survey: pl.DataFrame, spec: SurveySpec, card: Scorecard
) -> None:
    told = evaluated(card, survey, spec)["calibration"]
    half = evaluated(card, survey.filter(pl.col("village") < 19), spec)["calibration"]
    assert told["slope"] < half["slope"]  # fitted and judged on the same households, predictions spread too little


def test_households_with_a_gap_are_set_aside_and_counted(
    survey: pl.DataFrame, spec: SurveySpec, card: Scorecard
) -> None:
    gaps = survey.with_columns(floor=pl.when(pl.int_range(pl.len()) % 5 > 0).then("floor"))
    told = evaluated(card, gaps, spec)
    assert (told["n"], told["denominators"]["set_aside"]) == (320, {"floor": 80})


def test_validation_never_sees_the_areas_it_predicts(survey: pl.DataFrame, spec: SurveySpec) -> None:
    rows = training_rows(survey, spec)
    fold = fitting.folds_of(rows, spec)
    village = area_numbers(rows.frame, spec.area)
    assert [len({*fold[village == number]}) for number in range(20)] == [1] * 20
    problem, inside = fitting.binned(rows, spec), fold != 0
    # Other welfare in the held-out areas changes neither the choice nor the estimates.
    target = np.where(inside, rows.target, rows.target[::-1] * 2)
    other = TrainingRows(rows.frame, target, rows.weight, {})
    first = nested_fit(problem, rows, spec, inside, GRID)
    second = nested_fit(fitting.binned(other, spec), other, spec, inside, GRID)
    assert first[0] == second[0]
    np.testing.assert_array_equal(
        fitting.predict(first[1], problem.part(~inside)), fitting.predict(second[1], problem.part(~inside))
    )


def test_challengers_predict_the_same_every_time_and_leave_the_filters_of_warnings_alone(
    survey: pl.DataFrame, spec: SurveySpec
) -> None:
    # Threads of scikit-learn overwrite one another's filters of warnings: the shortest switches make it show.
    rows = training_rows(survey, spec)
    problem, inside = fitting.binned(rows, spec), fitting.folds_of(rows, spec) > 0
    before, interval = list(warnings.filters), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        first, *others = (challengers(problem, rows, spec, inside, ~inside) for _ in range(4))
    finally:
        sys.setswitchinterval(interval)
    assert list(warnings.filters) == before
    for other in others:
        assert {name: guess.tobytes() for name, guess in other.items()} == {
            name: guess.tobytes() for name, guess in first.items()
        }


def test_validation_is_the_same_every_time(
    survey: pl.DataFrame, spec: SurveySpec, card: Scorecard, found: dict[str, Any]
) -> None:
    again = validated(survey.sample(fraction=1, shuffle=True, seed=2), spec, card, GRID)
    assert json.dumps(again) == json.dumps(found)
    assert [*found["challengers"]] == ["ols", "quantile", "boosting", "forest"]
    assert 0.1 < found["scorecard"]["exclusion_error"] < 0.6


def test_short_forms_go_down_to_ten_questions() -> None:
    assert validate.short_form_sizes(45) == [45, 33, 24, 18, 13, 10]
    assert validate.short_form_sizes(8) == [8]


def test_the_regression_quantile_is_the_linear_programme_s() -> None:
    dice = np.random.default_rng(3)
    design = np.column_stack([np.ones(500), dice.normal(size=(500, 3))])
    target = design @ [1.0, 0.5, -0.2, 0.0] + dice.exponential(size=500)
    weight = dice.uniform(0.5, 2, 500)
    exact = QuantileRegressor(quantile=0.3, alpha=0, fit_intercept=False).fit(design, target, sample_weight=weight)
    np.testing.assert_allclose(validate.regression_quantile(design, target, weight, 0.3), exact.coef_, atol=0.01)


@pytest.mark.parametrize("lang", ["id", "en"])
def test_the_card_stands_alone_and_draws_every_feature(card: Scorecard, found: dict[str, Any], lang: Any) -> None:  # noqa: ANN401
    content = json.loads(card.to_json())
    html = card_page(card.hash, content, found, lang)
    assert html == card_page(card.hash, content, found, lang)
    assert not re.search(r"(src|href)=|url\(|<script|@import", html)
    assert html.count('class="shape"') == len(SPEC["features"])
    assert html.count("<polyline") == 2
    assert card.hash in html
    assert card.provenance.survey_hash in html
    text = card_markdown(card.hash, content, found, lang)
    error = f"{found['scorecard']['exclusion_error'] * 100:.1f}%"
    assert (error if lang == "en" else error.replace(".", ",")) in text
    assert card.hash in text
    assert all(name in text for name in SPEC["features"])


@pytest.mark.slow
@pytest.mark.browser
def test_nothing_of_the_card_is_cut_off_on_any_screen_and_no_drawing_is_split_on_paper(
    card: Scorecard, found: dict[str, Any], tmp_path: Path
) -> None:
    page_file = tmp_path / "card.html"
    page_file.write_text(card_page(card.hash, json.loads(card.to_json()), found, "id"), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for width in (1280, 390):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.goto(page_file.as_uri())
            wide = (
                "[...document.querySelectorAll('html, .wide, .shape')].filter(one => one.scrollWidth > one.clientWidth)"
            )
            assert page.evaluate(f"{wide}.length") == 0
        page.emulate_media(media="print")
        whole = "[...document.querySelectorAll('.shape')].every(one => getComputedStyle(one).breakInside == 'avoid')"
        assert page.evaluate(whole)
        browser.close()


def test_a_better_answer_in_one_question_never_lowers_the_score(survey: pl.DataFrame, card: Scorecard) -> None:
    better = {"floor": pl.col("floor") + 11.3, "size": pl.col("size") - 1, "tv": pl.lit(1)}
    before = score(survey, card)["score_micro"]
    for name, value in better.items():
        after = score(survey.with_columns(value.alias(name)), card)["score_micro"]
        known = after.is_not_null()
        assert known.sum() > 300
        assert (after.filter(known) >= before.filter(known)).all()


def test_shards_score_what_the_whole_scores(survey: pl.DataFrame, card: Scorecard) -> None:
    whole = score(survey, card)
    bounds = [0, 1, 77, 200, 399, 400]
    pieces = [score(survey[start:end], card) for start, end in pairwise(bounds)]
    assert pl.concat(pieces).equals(whole)


_ON_SOME_THREADS = """
import hashlib, json, sys
from assets.welfare import measures
from assets.welfare.fit import fit
from assets.welfare.score import score
from assets.welfare.spec import SurveySpec
from tests.made_households import FIXED, SPEC, households
measures.REPLICATES = 10
spec, survey = SurveySpec.model_validate(SPEC), households(30_001)
card = fit(survey, spec, **FIXED)
whole = score(survey, card)
assert score(survey.sample(fraction=1, shuffle=True, seed=1), card).sort("hhid").equals(whole)
assert all(score(survey[at], card).equals(whole[at]) for at in (0, 17_000, 30_000))
assert all(score(survey[at : at + 7_001], card).equals(whole[at : at + 7_001]) for at in range(0, 30_001, 7_001))
told = measures.evaluated(card, survey.head(20_001), spec)
digests = [hashlib.sha256(json.dumps(one).encode()).hexdigest() for one in (whole.to_dict(as_series=False), told)]
print(card.hash, *digests)
"""


@pytest.mark.slow
def test_fit_score_and_evaluation_are_the_same_alone_in_a_crowd_and_on_any_number_of_threads() -> None:
    # 30,001 households are enough for the linear algebra to share out its sums where it may.
    told = set()
    for threads in ("1", "4"):
        counts = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
        ran = subprocess.run(
            [sys.executable, "-c", _ON_SOME_THREADS],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **counts, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert ran.returncode == 0, ran.stderr
        told.add(ran.stdout)
    assert len(told) == 1, told


def _t_interval(differences: npt.NDArray[np.float64]) -> tuple[float, float]:
    spread = stats.t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / np.sqrt(len(differences))
    return float(differences.mean() - spread), float(differences.mean() + spread)


def _errors(
    rows: TrainingRows, spec: SurveySpec, inside: npt.NDArray[np.bool_]
) -> tuple[dict[str, float], dict[str, npt.NDArray[np.float64]]]:
    """Exclusion error of everybody outside ``inside`` by what was fitted inside, and the predictions."""
    problem, outside = fitting.binned(rows, spec), ~inside
    predicted = challengers(problem, rows, spec, inside, outside)
    predicted["scorecard"] = fitting.predict(nested_fit(problem, rows, spec, inside)[1], problem.part(outside))
    held_out = rows.part(outside)
    return {name: error_at_quota(guess, held_out, spec.quota) for name, guess in predicted.items()}, predicted


@pytest.mark.slow
def test_on_real_households_no_black_box_is_two_points_better_over_twenty_splits(test_data: Path) -> None:
    spec = read_spec(Path(__file__).parent / "surveys" / "indonesia_2008.yaml")
    households = read_survey(test_data / "households" / "indonesia_2008.csv", spec)
    rows = training_rows(households, spec)
    arm = rows.frame.select("hhid").join(
        households.select("hhid", "pmt"), on="hhid", how="left", maintain_order="left"
    )["pmt"]
    elsewhere = (arm == "0").to_numpy()
    errors, predicted = _errors(rows, spec, elsewhere)
    print("\nfitted outside the PMT arm, exclusion error inside it at each village's places, and scorecard less it:")  # noqa: T201
    held_out = rows.part(~elsewhere)
    village = area_numbers(held_out.frame, spec.area)
    missed = {name: _missed(guess, held_out, spec, village) for name, guess in predicted.items()}
    drawn = np.random.default_rng(0).integers(0, village.max() + 1, (5_000, village.max() + 1))
    poor = np.bincount(village, at_quota(predicted["ols"], held_out, spec.quota)[0])
    for name, error in errors.items():
        gap = (missed["scorecard"] - missed[name])[drawn].sum(axis=1) / poor[drawn].sum(axis=1)
        low, high = np.quantile(gap, [0.025, 0.975])
        print(f"  {name:<10}{error:7.1%}  {errors['scorecard'] - error:+.1%} ({low:+.1%} to {high:+.1%})")  # noqa: T201
    areas = area_numbers(rows.frame, spec.area)
    splits = []
    for seed in range(SPLITS):
        dealt = np.random.default_rng(seed).permutation(areas.max() + 1)
        splits.append(_errors(rows, spec, (dealt % 3 != 0)[areas])[0])
    means = {name: float(np.mean([split[name] for split in splits])) for name in splits[0]}
    best = min((name for name in means if name != "scorecard"), key=lambda name: means[name])
    print(f"{SPLITS} splits of villages, a third held out:", {name: f"{mean:.1%}" for name, mean in means.items()})  # noqa: T201
    low, high = _t_interval(np.array([split["scorecard"] - split[best] for split in splits]))
    print(f"  scorecard less {best}: 95% t interval {low:+.2%} to {high:+.2%}")  # noqa: T201
    every = [split["scorecard"] - min(split[name] for name in split if name != "scorecard") for split in splits]
    low_each, high_each = _t_interval(np.array(every))
    print(f"  scorecard less the best of each split: 95% t interval {low_each:+.2%} to {high_each:+.2%}")  # noqa: T201
    assert max(high, high_each) <= 0.02


def _missed(
    guess: npt.NDArray[np.float64], rows: TrainingRows, spec: SurveySpec, village: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    poor, selected = at_quota(guess, rows, spec.quota)
    return np.bincount(village, (poor & ~selected).astype(np.float64)).astype(np.float64)
