"""Visits that matter: the chance of being on the wrong side, the likeliest first, and a sample without bias."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from assets.decision.decide import decide
from assets.decision.families import Terms
from assets.decision.visits import visits, wrong_side
from assets.decision.worklist import worklist
from assets.welfare.fit import fit, out_of_area
from assets.welfare.residuals import RANKS, residuals, thousandths
from assets.welfare.spec import SurveySpec
from assets.welfare.survey import training_rows
from schemas.tables import TABLES
from tests.made_families import ADULT, HERE, NOBODY, Made, families, seats, terms
from tests.made_households import FIXED, SPEC, households

ONE = {"programmes.PKH": None}
RESIDUALS = pl.DataFrame({"rank": range(1, RANKS + 1), "residual_micro": [(at - 500) * 100 for at in range(RANKS)]})
"""Equally likely from -50,000 to 49,900 micro-points: 50 square metres either way."""


def on(**policy: object) -> Terms:
    return terms({**ONE, **{f"welfare.{name}": value for name, value in policy.items()}})


def decided(*made: Made, places: int, rules: Terms) -> pl.DataFrame:
    rows = decide(families(*made), rules, seats({HERE: (places, places)}), NOBODY)
    return rows.with_columns(reference=pl.format("R-{}", "family_id"))


def on_worklist(rows: pl.DataFrame, rules: Terms) -> pl.DataFrame:
    """The worklist without doubts of the registry, the quarter before having had none."""
    doubts = pl.DataFrame(schema=dict.fromkeys(["family_id", "programme", "reason"], pl.String))
    earlier = pl.DataFrame(schema=dict.fromkeys(["family_id", "reason", "since"], pl.String))
    return worklist(rows, doubts, earlier, rules)


def chances(*made: Made, places: int, rules: Terms | None = None) -> dict[str, int]:
    told = wrong_side(decided(*made, places=places, rules=rules or on()), RESIDUALS, rules or on())
    return {family: micro for family, _, micro in told.rows()}


def listed(rows: pl.DataFrame, rules: Terms, likely: pl.DataFrame = RESIDUALS) -> pl.DataFrame:
    fitted = TABLES["decision/visits"].fit(visits(rows, on_worklist(rows, rules), likely, rules))
    TABLES["decision/visits"].schema.validate(fitted)
    return fitted


def test_the_chance_is_the_share_of_residuals_that_would_carry_a_family_over_the_cut_off() -> None:
    found = chances(Made("a", 80), Made("b", 90), Made("c", 100), Made("d", 120), places=2)
    # The last inside has 90. Residuals are above -90 + 90 = 0 in 499 of 1,000, above 10,000 in 399.
    assert found == {"a": 399_000, "b": 499_000, "c": 401_000, "d": 201_000}


def test_nobody_further_from_the_cut_off_than_any_residual_is_on_the_wrong_side() -> None:
    assert chances(Made("a", 10), Made("b", 90), Made("c", 91), Made("d", 200), places=2)["a"] == 0
    assert chances(Made("a", 10), Made("b", 90), Made("c", 91), Made("d", 200), places=2)["d"] == 0


def test_where_nobody_waits_the_limit_of_the_decile_is_the_cut_off() -> None:
    found = chances(Made("a", 490), Made("b", 510), places=9)
    assert found == {"a": 399_000, "b": 401_000}


def test_a_family_excluded_by_its_decile_alone_is_measured_against_the_places_where_families_wait() -> None:
    found = chances(Made("a", 480), Made("b", 490), Made("c", 520), places=1)
    assert found == {"a": 499_000, "b": 401_000, "c": 101_000}


def test_who_is_excluded_otherwise_held_or_not_scorable_has_no_chance() -> None:
    found = chances(
        Made("a", 80), Made("b", 90), Made("rich", 520, facts={"has_pensioner": 1}), Made("held", 85, case="case-1"),
        Made("blank", None), places=1,
    )  # fmt: skip
    assert sorted(found) == ["a", "b"]


def test_where_the_official_decile_decides_our_score_does_not_tell_who_is_wrongly_excluded() -> None:
    rules = on(decile_source="official")
    made = [Made(name, metres, facts={"official_decile_national": 9 if name == "c" else 1})
            for name, metres in (("a", 80), ("b", 90), ("c", 95))]  # fmt: skip
    assert sorted(chances(*made, places=1, rules=rules)) == ["a", "b"]


def test_a_family_is_told_the_larger_of_its_chances_and_in_which_programme() -> None:
    both = terms()
    rows = decide(families(Made("a", 80), Made("b", 90), Made("c", 130)), both, seats({HERE: (1, 2)}), NOBODY)
    told = {row[0]: row[1:] for row in wrong_side(rows, RESIDUALS, both).rows()}
    assert told == {"a": ("PKH", 499_000), "b": ("BPNT", 499_000), "c": ("BPNT", 101_000)}


def crowd(count: int = 200) -> list[Made]:
    return [Made(f"f{number:03d}", 60 + number % 97) for number in range(count)]


def test_the_visits_of_policy_go_to_the_largest_chances_rounded_up() -> None:
    rules = on(visits_per_thousand_families=21, sample_per_thousand_families=0)
    rows = decided(*crowd(), places=100, rules=rules)
    told = listed(rows, rules)
    chance = wrong_side(rows, RESIDUALS, rules)["wrong_side_micro"].sort(descending=True)
    assert told["wrong_side_micro"].sort(descending=True).to_list() == chance.head(5).to_list()
    assert told.select(pl.col("is_targeted").all(), pl.col("is_sampled").any()).row(0) == (True, False)


def test_the_sample_has_at_least_two_of_every_stratum_and_its_share_of_the_large() -> None:
    rules = on(visits_per_thousand_families=0, sample_per_thousand_families=30)
    rows = decided(*crowd(), Made("blank", None), places=150, rules=rules)
    told = listed(rows, rules)
    strata = told.select("stratum", "stratum_families", "stratum_sampled", "inclusion_micro").unique().sort("stratum")
    assert strata.rows() == [
        ("not_scorable", 1, 1, 1_000_000), ("recipient", 150, 5, 33_333), ("waiting", 50, 2, 40_000),
    ]  # fmt: skip
    assert told.group_by("stratum").len().sort("stratum").rows() == [
        ("not_scorable", 1),
        ("recipient", 5),
        ("waiting", 2),
    ]
    assert told["is_targeted"].any() is False


SAMPLING = on(visits_per_thousand_families=50, sample_per_thousand_families=100)


@pytest.fixture(scope="module")
def drawn() -> list[pl.DataFrame]:
    """The samples of 300 seeds of sixty families, forty of them recipients."""
    rows = decided(*crowd(60), places=40, rules=SAMPLING)
    return [sample(rows, f"seed-{number:04d}") for number in range(300)]


def sample(rows: pl.DataFrame, seed: str) -> pl.DataFrame:
    days = SAMPLING.days.model_copy(update={"lottery_seed": seed})
    return visits(rows, on_worklist(rows, SAMPLING), RESIDUALS, replace(SAMPLING, days=days)).filter("is_sampled")


def test_the_same_seed_draws_the_same_families_in_whatever_order_they_come() -> None:
    rows = decided(*crowd(60), places=40, rules=SAMPLING)
    assert sample(rows, "seed-0000").equals(sample(rows.reverse(), "seed-0000"))
    assert not sample(rows, "seed-0000").equals(sample(rows, "seed-0001"))


@pytest.mark.slow
def test_a_family_that_comes_later_takes_one_place_of_the_sample_at_most(drawn: list[pl.DataFrame]) -> None:
    more = decided(*crowd(61), places=41, rules=SAMPLING)
    later = [sample(more, f"seed-{number:04d}") for number in range(len(drawn))]
    for before, after in zip(drawn, later, strict=True):
        gone = set(before["family_id"]) - set(after["family_id"])
        assert len(gone) <= 2


def test_every_family_is_drawn_as_often_as_its_chance_says(drawn: list[pl.DataFrame]) -> None:
    often = pl.concat(drawn)["family_id"].value_counts()["count"] / len(drawn)
    assert (len(often), round(often.sum(), 9)) == (60, 6)
    # Within five standard errors of the tenth that policy asks for.
    assert 0.01 < often.min() < often.max() < 0.19  # type: ignore[operator]


def test_the_sample_weighted_by_its_chances_gives_the_true_count_on_average(drawn: list[pl.DataFrame]) -> None:
    is_poor = pl.col("family_id").str.slice(1).cast(pl.Int64) % 3 == 0
    weight = pl.col("stratum_families") / pl.col("stratum_sampled")
    estimates = [one.select((is_poor * weight).sum()).item() for one in drawn]
    assert abs(np.mean(estimates) - 20) < 3 * np.std(estimates) / np.sqrt(len(estimates))


def test_who_is_on_the_worklist_says_for_what() -> None:
    rules = on(visits_per_thousand_families=1000, sample_per_thousand_families=0)
    rows = decided(Made("a", 80, facts={"car_count": 1}), Made("b", 90), places=1, rules=rules)
    told: dict[str, Any] = dict(listed(rows, rules).select("family_id", "reasons").iter_rows())
    assert told == {"a": ["car_owner"], "b": []}


def test_without_residuals_the_sample_stands_alone() -> None:
    rules = on(visits_per_thousand_families=1000, sample_per_thousand_families=1)
    told = listed(decided(*crowd(20), places=10, rules=rules), rules, RESIDUALS.clear())
    assert (told.height, told["is_targeted"].any(), told["wrong_side_micro"].null_count()) == (4, False, 4)


def test_a_childless_family_excluded_from_one_programme_stands_where_the_other_puts_it() -> None:
    rules = terms({"welfare.visits_per_thousand_families": 0, "welfare.sample_per_thousand_families": 1000})
    told = listed(decided(Made("a", 80, members=(ADULT,)), places=1, rules=rules), rules)
    assert told["stratum"].to_list() == ["recipient"]


@pytest.fixture(scope="module")
def survey() -> pl.DataFrame:
    return households()


def test_residuals_are_those_out_of_area_at_the_middles_of_the_thousandths(survey: pl.DataFrame) -> None:
    spec = SurveySpec.model_validate(SPEC)
    card = fit(survey, spec, **FIXED)
    found = residuals(survey, card)
    TABLES["welfare/residuals"].schema.validate(TABLES["welfare/residuals"].fit(found))
    rows = training_rows(survey, spec)
    left = rows.target - out_of_area(rows, spec, card.provenance)
    assert found["residual_micro"].is_sorted()
    assert found.height == RANKS
    spread = np.sqrt(np.average((left - np.average(left, weights=rows.weight)) ** 2, weights=rows.weight))
    assert abs(found["residual_micro"].to_numpy().std() / 1e6 - spread) < 0.01 * spread
    assert residuals(survey.reverse(), card).equals(found)


def test_thousandths_of_equal_weights_are_the_values_themselves() -> None:
    values = np.arange(1000.0)[::-1]
    assert thousandths(values, np.ones(1000))["residual_micro"].to_list() == [at * 1_000_000 for at in range(1000)]


def test_a_scorecard_of_another_survey_has_no_residuals_on_this_one(survey: pl.DataFrame) -> None:
    card = fit(survey, SurveySpec.model_validate(SPEC), **FIXED)
    assert residuals(survey.drop("consumption"), card).is_empty()
    assert residuals(survey.clear(), card).is_empty()
