"""Deciles: cut from a weighted survey of the population, never from the registrants, who are placed into them."""

from datetime import date
from random import Random
from typing import Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.decision.decide import decide
from assets.decision.deciles import FRAMES, OFFICIAL, compared, cut_points, with_deciles
from assets.decision.families import Terms
from assets.decision.judge import judge
from quotas.rulebook import rulebook
from quotas.rules import WelfareRule
from schemas.tables import TABLES
from tests.made_families import CARD, HERE, MICRO_PER_METRE, NOBODY, THERE, Made, column_of, families, seats, terms
from tests.made_families import cut_points as even_cuts

NATIONAL = rulebook().on(date(2026, 1, 26)).welfare


def surveyed(*rows: tuple[int | None, float, int, str]) -> pl.DataFrame:
    """Households by floor area, weight, size and regency."""
    schema = {
        "floor_area_m2": pl.Int32, "weight": pl.Float64, "household_size": pl.Int32, "regency_code": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(household_id=pl.int_range(pl.len()).cast(pl.String))


def cuts(survey: pl.DataFrame, rule: WelfareRule = NATIONAL, frame: str = "all") -> list[float]:
    """Cut points of a frame in square metres."""
    table = cut_points(survey, CARD, rule)
    TABLES["decision/cut_points"].schema.validate(table)
    mine = table.filter(frame=frame).sort("decile")
    assert mine["decile"].to_list() == list(range(1, 10))
    return [score / MICRO_PER_METRE for score in mine["highest_score_micro"]]


def deciles(on: Terms, *scores: int | None, regency: str = HERE) -> list[int | None]:
    frame = pl.DataFrame({"score_micro": scores}, schema={"score_micro": pl.Int64}).with_columns(
        regency_code=pl.lit(regency)
    )
    placed = with_deciles(frame.with_columns(**{f"{OFFICIAL}decile_{one}": None for one in FRAMES}), on)["decile"]
    assert placed.dtype == pl.Int32
    return placed.to_list()


def test_equal_weights_cut_the_households_into_tenths() -> None:
    assert cuts(surveyed(*((metres, 1.0, 4, HERE) for metres in range(1, 101)))) == [10 * d for d in range(1, 10)]


def test_a_household_counts_for_as_many_as_it_stands_for() -> None:
    poor_half = surveyed((1, 5.0, 4, HERE), *((metres, 1.0, 4, HERE) for metres in range(2, 7)))
    assert cuts(poor_half) == [1, 1, 1, 1, 1, 2, 3, 4, 5]


def test_a_decile_ends_at_the_smallest_score_that_its_share_of_the_weight_does_not_exceed() -> None:
    assert cuts(surveyed((1, 0.1, 4, HERE), (2, 0.1, 4, HERE), (3, 0.8, 4, HERE))) == [1, 2, 3, 3, 3, 3, 3, 3, 3]
    assert cuts(surveyed((1, 0.099, 4, HERE), (2, 0.101, 4, HERE), (3, 0.8, 4, HERE)))[0] == 2


def test_counted_by_people_a_large_household_weighs_more() -> None:
    survey = surveyed((1, 1.0, 9, HERE), (2, 1.0, 1, HERE))
    assert cuts(survey) == [1] * 5 + [2] * 4
    assert cuts(survey, NATIONAL.model_copy(update={"decile_unit": "people"})) == [1] * 9


def test_a_surveyed_household_without_a_score_counts_nowhere() -> None:
    survey = surveyed((None, 9.0, 4, HERE), (1, 1.0, 4, HERE), (2, 1.0, 4, HERE))
    assert cuts(survey) == [1] * 5 + [2] * 4


@pytest.mark.parametrize(("word", "frames"), [("province", ["31", "35"]), ("regency", ["31.71", HERE, THERE])])
def test_provinces_or_regencies_have_tenths_of_their_own(
    word: Literal["province", "regency"], frames: list[str]
) -> None:
    survey = surveyed((1, 1.0, 4, HERE), (2, 1.0, 4, THERE), (3, 1.0, 4, "31.71"))
    table = cut_points(survey, CARD, NATIONAL).filter(pl.col("frame").str.len_chars() == FRAMES[word])
    assert table["frame"].unique().sort().to_list() == frames
    lowest = table.filter(decile=1).sort("frame")["highest_score_micro"] / MICRO_PER_METRE
    assert lowest.to_list() == ([3, 1] if word == "province" else [3, 1, 2])


HOUSEHOLD = st.tuples(st.integers(1, 20), st.floats(0.1, 50.0), st.integers(1, 9), st.sampled_from([HERE, "31.71"]))


@settings(max_examples=40)
@given(st.lists(HOUSEHOLD, min_size=1, max_size=15), st.randoms(use_true_random=False))
def test_cut_points_rise_and_do_not_hang_on_the_order_of_the_households(
    rows: list[tuple[int, float, int, str]], dice: Random
) -> None:
    cut = cuts(surveyed(*rows))
    assert cut == sorted(cut)
    assert cuts(surveyed(*dice.sample(rows, len(rows)))) == cut


@settings(max_examples=40)
@given(st.lists(HOUSEHOLD, min_size=1, max_size=15))
def test_each_cut_is_the_first_score_at_which_its_tenths_are_reached(rows: list[tuple[int, float, int, str]]) -> None:
    whole = [(metres, round(weight * 1000)) for metres, weight, _, _ in rows]
    total = sum(weight for _, weight in whole)

    def reached(cut: float) -> int:
        return sum(weight for metres, weight in whole if metres <= cut)

    for decile, cut in enumerate(cuts(surveyed(*rows)), start=1):
        poorer = max((metres for metres, _ in whole if metres < cut), default=0)
        assert reached(cut) * 10 >= total * decile > reached(poorer) * 10


def test_the_highest_score_of_a_decile_still_lies_in_it() -> None:
    assert deciles(terms(), 0, 100_000, 100_001, 400_000, 400_001, 900_000, 900_001, None) == [
        1, 1, 2, 4, 5, 9, 10, None,
    ]  # fmt: skip


def test_a_family_is_placed_into_the_deciles_of_its_own_region() -> None:
    on = terms({"welfare.decile_frame": "regency"}, cuts=pl.concat([even_cuts(100, HERE), even_cuts(10, "31.71")]))
    assert deciles(on, 50_000) == [1]
    assert deciles(on, 50_000, regency="31.71") == [5]
    cuts_of_provinces = pl.concat([even_cuts(100, "35"), even_cuts(10, "31")])
    by_province = terms({"welfare.decile_frame": "province"}, cuts=cuts_of_provinces)
    assert deciles(by_province, 50_000, regency=THERE) == [1]
    assert deciles(by_province, 50_000, regency="31.71") == [5]


@pytest.mark.parametrize(("metres", "pkh", "bpnt"), [(400, 1, 1), (401, 0, 1), (500, 0, 1), (501, 0, 0)])
def test_pkh_asks_the_lowest_four_deciles_and_bpnt_the_lowest_five(metres: int, pkh: int, bpnt: int) -> None:
    decided = decide(families(Made("a", metres)), terms(), seats({HERE: (1, 1)}), NOBODY)
    for programme, qualifies in (("PKH", pkh), ("BPNT", bpnt)):
        assert column_of(decided, programme=programme)["a"] == ("recipient" if qualifies else "ineligible")
        assert column_of(decided, "reasons", programme)["a"] == ([] if qualifies else ["decile_above"])


def test_registrants_are_not_cut_among_themselves() -> None:
    rich = [Made(f"f{number}", 950 + number) for number in range(10)]
    decided = decide(families(*rich), terms(), seats({HERE: (9, 9)}), NOBODY)
    assert set(decided["decile"]) == {10}
    assert set(decided["status"]) == {"ineligible"}


def test_where_no_programme_asks_a_decile_none_is_needed() -> None:
    unasked = {"programmes.PKH.max_decile": None, "programmes.BPNT.max_decile": None}
    on = terms(unasked, cuts=TABLES["decision/cut_points"].empty())
    decided = decide(families(Made("a", 999)), on, seats({HERE: (1, 1)}), NOBODY)
    assert set(decided["status"]) == {"recipient"}
    assert decided["decile"].null_count() == 2


def test_a_family_in_a_frame_without_cut_points_is_not_listed_as_though_it_were_poor() -> None:
    on = terms({"welfare.decile_frame": "province"}, cuts=even_cuts(100, "31"))
    decided = decide(families(Made("a", 999)), on, seats({HERE: (1, 1)}), NOBODY)
    assert not {*decided["status"]} & {"recipient", "waiting"}


def listed_in(*deciles: int | None) -> dict[str, int | None]:
    """Official deciles of a family in nation, province and regency."""
    return {f"{OFFICIAL}decile_{frame}": one for frame, one in zip(FRAMES, deciles, strict=True)}


@pytest.mark.parametrize(("frame", "status"), [("national", "ineligible"), ("province", "recipient")])
def test_the_official_decile_of_the_frame_decides_where_policy_says_so(frame: str, status: str) -> None:
    on = terms({"welfare.decile_source": "official", "welfare.decile_frame": frame})
    made = families(Made("a", 10, facts=listed_in(9, 1, 9)))
    assert column_of(decide(made, on, seats({HERE: (1, 1)}), NOBODY))["a"] == status


def test_a_family_without_an_official_decile_is_not_scorable_where_that_decides_alone() -> None:
    made = families(Made("a", 10, facts=listed_in(None, 1, 1)))
    here = seats({HERE: (1, 1)})
    alone = decide(made, terms({"welfare.decile_source": "official"}), here, NOBODY)
    assert (column_of(alone)["a"], column_of(alone, "reasons")["a"]) == ("not_scorable", ["decile_unknown"])
    assert column_of(decide(made, terms({"welfare.decile_source": "official_else_own"}), here, NOBODY))["a"] == (
        "recipient"
    )


def test_families_are_counted_by_own_and_official_decile_in_each_frame() -> None:
    made = families(Made("a", 150, facts=listed_in(2, 3, 1)), Made("b", 160, facts=listed_in(2, 4, 1)), Made("c", None))
    table = compared(judge(made, terms()), made.records.select("family_id", *listed_in(None, None, None)))
    TABLES["decision/deciles_compared"].schema.validate(TABLES["decision/deciles_compared"].fit(table))
    counted = table.select("frame", "own_decile", "official_decile", "families")
    assert set(counted.filter(frame="national").rows()) == {("national", 2, 2, 2), ("national", None, None, 1)}
    assert set(counted.filter(frame="province").rows()) == {
        ("province", None, 3, 1), ("province", None, 4, 1), ("province", None, None, 1),
    }  # fmt: skip
