"""The scorecard: fitted like the estimator, scored by lookup, its parts adding up, missing data never poor."""

import json
import pickle
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assets.welfare import fit as fitting
from assets.welfare.evaluate import (
    at_quota,
    error_at_quota,
    exclusion_error,
    fit_ols,
    places_of,
    poorest_by_consumption,
    select_poorest,
)
from assets.welfare.fit import fit
from assets.welfare.score import expenditure, score
from assets.welfare.scorecard import MICRO, Scorecard, read_scorecard, write_scorecard
from assets.welfare.spec import SurveySpec, read_spec
from assets.welfare.survey import read_survey, training_rows
from schemas.errors import NotScorable, Tampered
from tests.made_households import FIXED, SPEC, households


@pytest.fixture(scope="module")
def survey() -> pl.DataFrame:
    return households()


@pytest.fixture(scope="module")
def spec() -> SurveySpec:
    return SurveySpec.model_validate(SPEC)


@pytest.fixture(scope="module")
def card(survey: pl.DataFrame, spec: SurveySpec) -> Scorecard:
    return fit(survey, spec, **FIXED)


def _score_of(answers: pl.DataFrame | pl.LazyFrame, card: Scorecard) -> list[int | None]:
    return score(answers, card, parts=False)["score_micro"].to_list()


def test_the_grid_read_out_equals_the_fitted_estimator(survey: pl.DataFrame, spec: SurveySpec) -> None:
    problem = fitting.binned(training_rows(survey, spec), spec)
    everyone = np.ones(len(problem.target), dtype=np.bool_)
    fitted = fitting.estimator(problem, everyone, penalty=10.0, learning_rate=0.1, rounds=40)
    read_off = fitted.read_off([40])[40].predict(problem.bins)
    assert fitted.boosting is not None
    assert np.ptp(fitted.boosting.predict(fitting.boosting_input(fitted.values, problem.bins))) > 0.01
    np.testing.assert_allclose(read_off, fitted.predict(problem.bins), rtol=0, atol=1e-9)


def test_rounding_moves_a_score_by_at_most_one_micro_point_per_feature(survey: pl.DataFrame) -> None:
    # Without directions nothing is bent, so the fitted estimator itself can be compared.
    free = {name: {"kind": feature["kind"]} for name, feature in SPEC["features"].items()}
    spec = SurveySpec.model_validate({**SPEC, "features": free})
    problem = fitting.binned(training_rows(survey, spec), spec)
    everyone = np.ones(len(problem.target), dtype=np.bool_)
    exact = fitting.estimator(problem, everyone, penalty=10.0, learning_rate=0.1, rounds=40).predict(problem.bins)
    rounded = score(survey.sort("hhid"), fit(survey, spec, **FIXED))["score_micro"].to_numpy()
    difference = np.abs(rounded - exact * MICRO)
    assert difference.max() > 0
    assert difference.max() <= len(spec.features) + 1e-3


def test_the_parts_add_up_to_the_score(survey: pl.DataFrame, card: Scorecard) -> None:
    scored = score(survey, card)
    parts = scored.select(pl.sum_horizontal(pl.col("^points_.*$")).alias("sum"))["sum"]
    assert scored["score_micro"].dtype == pl.Int64
    assert parts.to_list() == scored["score_micro"].to_list()
    assert scored["scorable"].all()
    assert scored["score_micro"].n_unique() > 600


def test_with_and_without_parts_the_score_is_the_same(survey: pl.DataFrame, card: Scorecard) -> None:
    whole, brief = score(survey, card), score(survey, card, parts=False)
    assert brief.columns == ["hhid", "scorable", "score_micro", "reason", "problems"]
    assert_frame_equal(whole.select(brief.columns), brief)


def test_a_household_scores_alone_what_it_scores_in_a_crowd(survey: pl.DataFrame, card: Scorecard) -> None:
    crowd = _score_of(survey, card)
    shuffled = score(survey.sample(fraction=1, shuffle=True, seed=3), card).sort("hhid")
    assert shuffled["score_micro"].to_list() == crowd
    assert [_score_of(survey[row], card)[0] for row in range(0, 800, 97)] == crowd[::97]
    assert _score_of(survey.lazy(), card) == crowd


def test_the_type_of_a_column_does_not_matter(survey: pl.DataFrame, card: Scorecard) -> None:
    crowd = _score_of(survey, card)
    for dtype in (pl.Int8, pl.UInt16, pl.Float64, pl.String, pl.Decimal(10, 2)):
        assert _score_of(survey.with_columns(pl.col("size", "fuel", "tv").cast(dtype)), card) == crowd
    assert _score_of(survey.with_columns(pl.col("tv").cast(pl.Boolean), pl.col("floor").cast(pl.String)), card) == crowd
    for dictionary in (pl.Categorical(), pl.Enum(["1", "2", "3", "4"])):
        assert _score_of(survey.with_columns(pl.col("fuel").cast(pl.String).cast(dictionary)), card) == crowd


def test_the_dense_lookup_equals_bisection(card: Scorecard) -> None:
    span = pl.DataFrame({"size": range(-20, 40)}).with_columns(
        pl.col("size").cast(pl.String).alias("hhid"), pl.lit(30.0).alias("floor"), tv=pl.lit(1), fuel=pl.lit(2)
    )
    whole, measured = score(span, card), score(span.with_columns(pl.col("size").cast(pl.Float64)), card)
    assert_frame_equal(whole, measured)
    assert whole["scorable"].sum() == 16  # surveyed 1 to 8, widened by 7 and stopped at zero


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("floor", None, "missing:floor"),
        ("floor", float("nan"), "not_finite:floor"),
        ("floor", float("inf"), "not_finite:floor"),
        ("floor", float("-inf"), "not_finite:floor"),
        ("floor", -1.0, "out_of_range:floor"),
        ("floor", 1e9, "out_of_range:floor"),
        ("floor", "wide", "wrong_type:floor"),
        ("floor", " ", "missing:floor"),
        ("floor", date(2026, 1, 1), "wrong_type:floor"),
        ("floor", [1.0], "wrong_type:floor"),
        ("size", None, "missing:size"),
        ("size", -1, "out_of_range:size"),
        ("size", 99, "out_of_range:size"),
        ("size", 2**62, "out_of_range:size"),
        ("tv", 2, "unknown_code:tv"),
        ("tv", "maybe", "unknown_code:tv"),
        ("tv", None, "missing:tv"),
        ("fuel", 9, "unknown_code:fuel"),
        ("fuel", 1.5, "unknown_code:fuel"),
        ("fuel", float("nan"), "not_finite:fuel"),
        ("fuel", "", "missing:fuel"),
        ("fuel", date(2026, 1, 1), "wrong_type:fuel"),
    ],
)
def test_an_unusable_answer_is_not_scorable_and_never_poor(
    survey: pl.DataFrame, card: Scorecard, column: str, value: object, reason: str
) -> None:
    household = survey[0].with_columns(pl.Series(column, [value]))
    scored = score(household, card)
    assert scored.select("scorable", "score_micro", "reason").row(0) == (False, None, reason)
    assert scored["problems"].to_list() == [[reason]]
    assert scored[f"points_{column}"].to_list() == [None]


def test_one_bad_cell_leaves_its_neighbours_scorable(survey: pl.DataFrame, card: Scorecard) -> None:
    bad = pl.when(pl.col("hhid") == "00003").then(pl.lit("?")).otherwise(pl.col("floor").cast(pl.String))
    scored = score(survey.with_columns(bad.alias("floor")), card)
    assert scored.filter(~pl.col("scorable"))["hhid"].to_list() == ["00003"]
    assert scored.filter("scorable")["score_micro"].to_list() == [
        points for row, points in enumerate(_score_of(survey, card)) if row != 3
    ]


def test_all_problems_are_told_and_the_first_is_the_reason(survey: pl.DataFrame, card: Scorecard) -> None:
    scored = score(survey[0].with_columns(floor=pl.lit(None, dtype=pl.Float64), fuel=pl.lit(9)), card)
    assert scored["reason"].to_list() == ["missing:floor"]
    assert scored["problems"].to_list() == [["missing:floor", "unknown_code:fuel"]]


def test_a_column_that_is_absent_is_refused_by_name(survey: pl.DataFrame, card: Scorecard) -> None:
    with pytest.raises(NotScorable, match="no column fuel"):
        score(survey.drop("fuel"), card)


def test_no_households_score_to_no_rows(survey: pl.DataFrame, card: Scorecard) -> None:
    assert score(survey[:0], card).height == 0


def test_a_better_answer_never_lowers_the_score(card: Scorecard) -> None:
    for feature in card.features:
        steps = np.diff(feature.points[""])
        if feature.direction == "increasing":
            assert (steps >= 0).all()
        if feature.direction == "decreasing":
            assert (steps <= 0).all()
        assert any(steps), f"{feature.name} earns the same points everywhere"


def test_a_direction_against_the_data_is_kept_all_the_same(survey: pl.DataFrame) -> None:
    against = {**SPEC["features"], "size": {"kind": "number", "direction": "increasing"}}
    card = fit(survey, SurveySpec.model_validate({**SPEC, "features": against}), **FIXED)
    assert (np.diff(card.features[1].points[""]) >= 0).all()


def test_shuffled_surveys_give_the_same_bytes(survey: pl.DataFrame, spec: SurveySpec, card: Scorecard) -> None:
    again = fit(survey.sample(fraction=1, shuffle=True, seed=1), spec, **FIXED)
    assert again.to_json() == card.to_json()
    assert again.hash == card.hash


def test_the_parameters_are_chosen_by_the_error_at_the_quota(survey: pl.DataFrame, spec: SurveySpec) -> None:
    # A penalty that forbids any slope ranks at random: its error is near 0.7 at a quota of 0.3.
    chosen = fit(survey, spec, penalties=(1e12, 1.0), rounds=(0,), learning_rates=(0.1,)).provenance
    assert chosen.penalty == 1.0
    assert chosen.folds == 5
    assert chosen.exclusion_error is not None
    assert 0.1 < chosen.exclusion_error < 0.45


def test_without_boosting_and_penalty_the_score_is_weighted_least_squares(survey: pl.DataFrame) -> None:
    # Without the measure: it is the only feature whose bins are coarser than its values.
    features = {name: {"kind": SPEC["features"][name]["kind"]} for name in ("size", "tv", "fuel")}
    spec = SurveySpec.model_validate({**SPEC, "features": features})
    card = fit(survey, spec, penalties=(1e-9,), rounds=(0,), learning_rates=(0.1,))
    exact = fit_ols(training_rows(survey, spec), spec).predict(survey)
    assert np.abs(np.array(_score_of(survey, card)) - exact * MICRO).max() <= 4


def test_every_value_of_a_count_and_at_most_64_quantiles_of_a_measure_make_a_bin(card: Scorecard) -> None:
    floor, size, tv, fuel = card.features
    assert size.representatives == tuple(float(number) for number in range(1, 9))
    assert (tv.codes, fuel.codes) == (("0", "1"), ("1", "2", "3", "4"))
    assert 60 <= len(floor.representatives) <= 64
    assert all(
        low < high <= next_low
        for low, high, next_low in zip(
            floor.representatives, floor.upper_bounds, floor.representatives[1:], strict=False
        )
    )


def test_strata_have_tables_of_their_own(survey: pl.DataFrame) -> None:
    # Without weights and the measure, each half alone has the same bins and the same say as within the whole.
    features = {name: SPEC["features"][name] for name in ("size", "tv", "fuel")}
    plain = {**SPEC, "features": features, "weight": None}
    card = fit(survey, SurveySpec.model_validate({**plain, "strata": ["urban"]}), **FIXED)
    scored = score(survey, card)
    assert card.strata == ("0", "1")
    assert card.features[0].points["0"] != card.features[0].points["1"]
    for urban in (0, 1):
        half = survey["urban"] == urban
        alone = fit(survey.filter(half), SurveySpec.model_validate(plain), **FIXED)
        assert scored.filter(half)["score_micro"].to_list() == _score_of(survey.filter(half), alone)
    stranger = score(survey[0].with_columns(urban=pl.lit(7)), card)
    assert stranger.select("scorable", "reason").row(0) == (False, "unknown_stratum:urban")


def test_a_stratum_of_three_areas_is_never_left_without_households_to_learn_from(survey: pl.DataFrame) -> None:
    few = survey.with_columns(
        part=pl.when(pl.col("village").is_in([4, 17, 30])).then(pl.lit("few")).otherwise(pl.lit("many"))
    )
    spec = SurveySpec.model_validate({**SPEC, "strata": ["part"]})
    assert fit(few, spec, penalties=(1.0, 10.0), rounds=(0,), learning_rates=(0.1,)).strata == ("few", "many")
    fold = fitting.folds_of(training_rows(few, spec), spec)
    assert len({*fold[(few.sort("hhid")["part"] == "few").to_numpy()]}) == 3
    alone = few.with_columns(part=pl.when(pl.col("village") == 4).then(pl.lit("few")).otherwise(pl.lit("many")))
    with pytest.raises(NotScorable, match="stratum few has no household outside one fold"):
        fit(alone, spec, penalties=(1.0, 10.0), rounds=(0,), learning_rates=(0.1,))


def test_a_quota_without_places_is_refused(survey: pl.DataFrame, spec: SurveySpec) -> None:
    nobody = spec.model_copy(update={"quota": spec.quota.model_copy(update={"share": 1e-6})})
    with pytest.raises(NotScorable, match="gives 800 households no place"):
        fit(survey, nobody, penalties=(1.0, 10.0), rounds=(0,), learning_rates=(0.1,))


def test_a_declared_missing_bin_scores_up_to_its_share(survey: pl.DataFrame) -> None:
    gaps = survey.with_columns(floor=pl.when(pl.int_range(pl.len()) % 5 > 0).then("floor"))
    spec = SurveySpec.model_validate({**SPEC, "missing": {"bin": True, "at_most": 0.25}})
    card = fit(gaps, spec, **FIXED)
    scored = score(gaps, card)
    assert card.provenance.rows == 800
    assert scored["scorable"].all()
    assert scored.filter(pl.col("problems").list.len() > 0).height == 160
    assert scored.select(pl.sum_horizontal(pl.col("^points_.*$")).alias("sum"))["sum"].equals(scored["score_micro"])
    twice = score(gaps[0].with_columns(fuel=pl.lit(9)), card)
    assert twice.select("scorable", "score_micro", "reason").row(0) == (False, None, "missing:floor")


def test_relative_to_the_line_the_score_of_the_line_is_zero(survey: pl.DataFrame) -> None:
    lines = survey.with_columns(line=pl.lit(250_000.0))
    plain = fit(survey, SurveySpec.model_validate(SPEC), **FIXED)
    card = fit(lines, SurveySpec.model_validate({**SPEC, "poverty_line": "line"}), **FIXED)
    difference = np.array(_score_of(survey, plain)) - np.array(_score_of(lines, card))
    assert abs(difference - np.log(250_000) * MICRO).max() <= 5
    amounts = pl.DataFrame({"score_micro": [0, 693_147, None]}).select(
        expenditure(pl.col("score_micro"), card, 250_000.0)
    )
    assert amounts["score_micro"].round(0).to_list() == [250_000.0, 500_000.0, None]


def test_a_scorecard_survives_file_and_pickle(card: Scorecard, survey: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    write_scorecard(card, path)
    read = read_scorecard(path)
    assert (read, read.hash) == (card, card.hash)
    assert pickle.loads(pickle.dumps(card)) == card  # noqa: S301 - our own bytes
    assert [feature.name for feature in read.features] == list(SPEC["features"])
    assert _score_of(survey, read) == _score_of(survey, card)


@pytest.mark.parametrize("tampering", ["points", "hash", "cut", "unknown key"])
def test_a_tampered_file_is_refused(card: Scorecard, tmp_path: Path, tampering: str) -> None:
    path = tmp_path / "model.json"
    write_scorecard(card, path)
    entries = json.loads(path.read_bytes())
    if tampering == "points":
        entries["scorecard"]["features"][2]["points"][""][1] += 1
    if tampering == "hash":
        entries["hash"] = "0" * 64
    if tampering == "unknown key":
        entries["scorecard"]["bonus"] = 1
    text = json.dumps(entries)
    path.write_text(text[:100] if tampering == "cut" else text)
    with pytest.raises(Tampered, match=r"model\.json"):
        read_scorecard(path)


def test_the_table_lists_every_bin_in_words(card: Scorecard) -> None:
    table = card.table()
    assert table.height == 1 + sum(len(feature.points[""]) for feature in card.features)
    assert table.filter(pl.col("feature") == "fuel")["value"].to_list() == ["= 1", "= 2", "= 3", "= 4"]


def test_the_poorest_of_each_area_are_selected_and_the_unscored_never() -> None:
    ranked = np.array([3.0, 1.0, 2.0, np.nan, 5.0, 5.0])
    area = np.array([0, 0, 0, 1, 1, 1])
    selected = select_poorest(ranked, np.array([2, 2]), area)
    assert selected.tolist() == [False, True, True, False, True, True]
    assert select_poorest(ranked, np.array([0, 1]), area).tolist() == [False, False, False, False, True, False]


def test_exclusion_error_is_the_share_of_the_poor_left_out() -> None:
    poor, selected = np.array([True, True, True, False]), np.array([True, False, False, True])
    assert exclusion_error(poor, selected) == pytest.approx(2 / 3)
    assert exclusion_error(poor, selected, np.array([2.0, 1.0, 1.0, 9.0])) == pytest.approx(0.5)


def test_places_are_the_quota_of_each_area(survey: pl.DataFrame, spec: SurveySpec) -> None:
    quota = spec.quota.model_copy(update={"within": ("village",)})
    assert set(places_of(survey, quota).places.tolist()) == {6}


@pytest.fixture(scope="module")
def real(test_data: Path) -> tuple[SurveySpec, pl.DataFrame, Scorecard]:
    spec = read_spec(Path(__file__).parent / "surveys" / "indonesia_2008.yaml")
    households = read_survey(test_data / "households" / "indonesia_2008.csv", spec)
    return spec, households, fit(households.filter(pl.col("pmt") == "0"), spec)


def test_on_real_households_the_scorecard_beats_the_real_assignment_and_is_level_with_ols(
    real: tuple[SurveySpec, pl.DataFrame, Scorecard],
) -> None:
    spec, households, card = real
    arm = training_rows(households.filter(pl.col("pmt") == "1"), spec)
    at = places_of(arm.frame, spec.quota)
    assert (len(arm.target), at.places.sum(), len(at.places)) == (1127, 355, 145)
    poor = poorest_by_consumption(arm.target, at.places, at.area)
    assigned = exclusion_error(poor, arm.frame["treated"].to_numpy() == 1)
    ols = fit_ols(training_rows(households.filter(pl.col("pmt") == "0"), spec), spec).predict(arm.frame)
    scores = score(arm.frame, card)["score_micro"].to_numpy()
    error, error_of_ols = (error_at_quota(guess, arm, spec.quota) for guess in (scores, ols))
    print(f"exclusion error: scorecard {error:.3f}, OLS {error_of_ols:.3f}, real assignment {assigned:.3f}")  # noqa: T201
    assert assigned == pytest.approx(0.335, abs=0.001)
    assert error_of_ols == pytest.approx(0.268, abs=0.001)
    assert np.corrcoef(ols, arm.target)[0, 1] ** 2 == pytest.approx(0.435, abs=0.001)
    assert error <= error_of_ols + 0.02
    assert at_quota(scores, arm, spec.quota)[1].sum() == 355


def test_a_real_household_with_a_gap_is_not_scorable(
    real: tuple[SurveySpec, pl.DataFrame, Scorecard], test_data: Path
) -> None:
    spec, _, card = real
    households = read_survey(test_data / "households" / "indonesia_2008_with_gaps.csv", spec)
    scored = score(households, card)
    complete = households.select(pl.all_horizontal(pl.col([*spec.features]).is_not_null()).alias("complete"))[
        "complete"
    ]
    assert (scored.height, (~complete).sum()) == (4058, 475)
    assert not scored.filter(~complete)["scorable"].any()
    assert scored.filter(complete)["scorable"].all()
    assert scored.filter(~complete)["reason"].str.starts_with("missing:").all()


def test_a_file_of_before_readings_per_adult_equivalent_stays_readable(
    survey: pl.DataFrame, spec: SurveySpec, card: Scorecard, tmp_path: Path
) -> None:
    assert b"adult_equivalent" not in card.to_json()
    read = SurveySpec.model_validate({**SPEC, "adult_equivalent": {"square_root": "sqrt(size)"}})
    later = fit(survey, read, **FIXED)
    write_scorecard(later, tmp_path / "model.json")
    assert read_scorecard(tmp_path / "model.json").spec.adult_equivalent == read.adult_equivalent
    assert _score_of(survey, later) == _score_of(survey, card)
    assert spec.adult_equivalent == {}
