"""Drift: the population stability index of answers and score against last quarter, with policy's alarm."""

import math

import numpy as np
import polars as pl
import pytest

from assets.decision.drift import drift
from assets.welfare.drift import SCORE, profile, stability
from assets.welfare.scorecard import FeatureTable, Scorecard
from assets.welfare.spec import SurveySpec
from schemas.tables import TABLES
from tests.made_families import CARD, terms

KIND = FeatureTable("fuel", "category", "none", (), (), None, ("1", "2", "3"), {"": (0, 1000, 2000)}, None)
FUEL = Scorecard(
    SurveySpec.model_validate(
        {
            "id": "household_id",
            "target": {"column": "expenditure", "scale": "level"},
            "features": {"fuel": {"kind": "category"}},
        }
    ),
    "log", False, {"": 0}, (KIND,), CARD.provenance,  # noqa: FBT003
)  # fmt: skip


def homes(*metres: int | None) -> pl.DataFrame:
    return pl.DataFrame({"floor_area_m2": metres}, schema={"floor_area_m2": pl.Int32}).with_columns(
        household_id=pl.lit("h")
    )


def cooking(*counts: int) -> pl.DataFrame:
    codes = [str(code) for code, count in enumerate(counts, start=1) for _ in range(count)]
    return profile(pl.DataFrame({"fuel": codes}).with_columns(household_id=pl.lit("h")), FUEL)


def psi(now: pl.DataFrame, then: pl.DataFrame, card: Scorecard = CARD, feature: str = "floor_area_m2") -> int:
    return int(stability(now, then, card).filter(feature=feature)["psi_micro"].item())


def test_every_family_is_counted_once_per_answer_and_once_for_its_score() -> None:
    counted = profile(homes(10, 10, 20, None), CARD)
    assert counted.group_by("feature").agg(pl.col("families").sum()).sort("feature").rows() == [
        ("floor_area_m2", 4), (SCORE, 4),
    ]  # fmt: skip
    assert sorted(counted.filter(feature="floor_area_m2").select("bin", "families").rows(), key=str) == [
        (19, 1), (9, 2), (None, 1),
    ]  # fmt: skip
    assert counted.filter(feature=SCORE, bin=2)["families"].item() == 1


def test_the_index_of_codes_is_that_of_the_textbook_with_half_a_family_in_every_group() -> None:
    p, q = (
        np.array(counts)
        for counts in ((30.5 / 101.5, 20.5 / 101.5, 50.5 / 101.5), (50.5 / 101.5, 50.5 / 101.5, 0.5 / 101.5))
    )
    told = psi(cooking(30, 20, 50), cooking(50, 50, 0), FUEL, "fuel")
    assert told == round(float(((p - q) * np.log(p / q)).sum()) * 1_000_000)


def test_a_population_against_itself_has_not_moved() -> None:
    same = profile(homes(*range(1, 200), None), CARD)
    found = stability(same, same, CARD)
    assert found["feature"].to_list() == [SCORE, "floor_area_m2"]
    assert found["psi_micro"].to_list() == [0, 0]
    assert found.select("families", "unusable", "unusable_before").row(0) == (200, 1, 1)


def test_a_change_of_size_alone_is_no_drift_and_a_shift_is_one() -> None:
    then = profile(homes(*range(1, 101)), CARD)
    assert psi(profile(homes(*range(1, 101), *range(1, 101)), CARD), then) < 1000
    assert psi(profile(homes(*range(31, 131)), CARD), then) > 250_000


def test_answers_that_are_missing_now_are_drift() -> None:
    then, now = homes(*range(1, 101)), homes(*range(1, 51), *[None] * 50)
    assert psi(profile(now, CARD), profile(then, CARD)) > 1_000_000


def test_where_nearly_all_share_a_value_the_tenths_do_not_cut_it() -> None:
    then = profile(homes(*[10] * 95, 20, 30, 40, 50, 60), CARD)
    assert psi(then, then) == 0
    assert psi(profile(homes(*[10] * 94, 20, 20, 30, 40, 50, 60), CARD), then) < 5000


@pytest.mark.parametrize(("moved", "is_alarm"), [(0, False), (-1, True)])
def test_the_alarm_is_raised_above_the_threshold_of_the_day_and_not_at_it(moved: int, is_alarm: bool) -> None:  # noqa: FBT001
    now, then = cooking(70, 30, 0), cooking(30, 70, 0)
    index = psi(now, then, FUEL, "fuel")
    on = terms({"welfare.drift_alarm": (index + moved) / 1_000_000}, card=FUEL)
    told = TABLES["decision/drift"].fit(drift(now, then, on))
    TABLES["decision/drift"].schema.validate(told)
    row = told.row(by_predicate=pl.col("feature") == "fuel", named=True)
    assert (row["psi_micro"], row["alarm_micro"], row["is_alarm"]) == (index, index + moved, is_alarm)


def test_the_order_of_the_families_changes_nothing() -> None:
    then, now = homes(*range(1, 101)), homes(*range(20, 90), *[None] * 3)
    turned = now.reverse()
    assert stability(profile(turned, CARD), profile(then, CARD), CARD).equals(
        stability(profile(now, CARD), profile(then, CARD), CARD)
    )


def test_without_families_last_quarter_nothing_is_told() -> None:
    assert stability(profile(homes(1), CARD), profile(homes(), CARD), CARD).is_empty()
    assert math.isfinite(psi(profile(homes(1), CARD), profile(homes(2), CARD)))
