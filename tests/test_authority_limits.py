"""The numbers that bound authority: visits a liar can cause, how long the word of BPS holds, when answers expire."""

from datetime import date, timedelta

import polars as pl
import pytest

from assets.registry.answers import expiry_of_scores
from assets.registry.attributes import expiry_days, is_overtaken
from assets.registry.doubts import sample_checks
from assets.registry.pending import count_by_author, list_for_visits, schedule_noticed
from quotas.rulebook import rulebook
from quotas.rules import RegistryRule
from schemas.quarter import Quarter
from schemas.vocabularies import Source
from tests.made_families import CARD

CUT_OFF = date(2026, 1, 20)
QUARTER = Quarter(2026, 1)
RULE = rulebook().on(date(2026, 1, 26)).registry


def stated(authors: list[str], standing: str) -> pl.DataFrame:
    """Contradicting statements, one per family, by these authors, the last the oldest."""
    count = len(authors)
    return pl.DataFrame(
        {
            "statement_id": [f"s{at:04}" for at in range(count)],
            "family_id": [f"f{at:04}" for at in range(count)],
            "author": "agent",
            "agent_id": authors,
            "batch_id": "b1",
            "standing": standing,
            "since": ["2026Q1"] * (count - 1) + ["2025Q4"],
            "contradicts": True,
            "is_receiving": False,
        }
    )


def listed(held: pl.DataFrame, families: int = 100_000) -> pl.DataFrame:
    """Statements for which BPS is sent to a family of a regency of so many."""
    return list_for_visits(schedule_noticed(held, QUARTER, RULE), families, RULE).filter("is_listed")


@pytest.mark.parametrize("standing", ["pending", "after_notice"])
def test_one_author_brings_twenty_visits_at_most(standing: str) -> None:
    assert listed(stated(["a"] * 50, standing)).height == 20
    assert listed(stated(["a"] * 50 + ["b"] * 3, standing)).height == 23


@pytest.mark.parametrize(("families", "most"), [(1_000, 5), (1_001, 6), (10_000, 50)])
def test_five_of_a_thousand_families_are_visited_for_pending_statements_at_most(families: int, most: int) -> None:
    assert listed(stated([f"a{at}" for at in range(200)], "pending"), families).height == most


def test_every_family_is_visited_of_which_a_statement_counts_from_the_next_quarter() -> None:
    assert listed(stated([f"a{at}" for at in range(200)], "after_notice"), 1_000).height == 200


def test_statements_that_do_not_contradict_send_bps_to_nobody() -> None:
    assert listed(stated(["a"], "pending").with_columns(contradicts=pl.lit(value=False))).is_empty()


def test_a_family_is_visited_once_however_many_contradict_it_and_receiving_families_first() -> None:
    held = stated(["a", "b", "c"], "pending").with_columns(
        family_id=pl.Series(["f1", "f1", "f2"]), is_receiving=pl.Series([False, False, True])
    )
    assert listed(held, 100)["family_id"].to_list() == ["f2"]
    assert listed(held, 400)["family_id"].to_list() == ["f2", "f1"]


def test_of_one_agent_twenty_statements_count_after_notice_in_a_quarter_the_oldest_first_and_the_rest_later() -> None:
    held = schedule_noticed(stated(["a"] * 30, "after_notice"), QUARTER, RULE)
    due = held.filter(counts_from="2026Q2")
    assert due.height == 20
    assert "s0029" in due["statement_id"]
    left = held.filter(pl.col("counts_from").is_null()).drop("counts_from")
    assert schedule_noticed(left, QUARTER.next, RULE).filter(counts_from="2026Q3").height == 10


def test_a_statement_that_waits_for_bps_never_comes_to_count_by_waiting() -> None:
    assert schedule_noticed(stated(["a"], "pending"), QUARTER, RULE)["counts_from"].to_list() == [None]


def test_statements_beyond_the_visits_are_counted_by_author() -> None:
    held = pl.concat([stated(["a"] * 30 + ["b"], "after_notice"), stated([""] * 25, "pending")])
    held = held.with_columns(agent_id=pl.when(pl.col("agent_id") != "").then("agent_id"))
    found = list_for_visits(schedule_noticed(held, QUARTER, RULE), 100_000, RULE)
    assert count_by_author(found).rows() == [
        ("agent", "a", None, "after_notice", 30, 30, 20),
        ("agent", None, "b1", "pending", 25, 25, 20),
    ]


@pytest.mark.parametrize(("days", "yields"), [(180, False), (181, True)])
def test_bps_s_answer_holds_half_a_year_against_a_fresher_survey(days: int, yields: bool) -> None:  # noqa: FBT001
    said = pl.DataFrame(
        {
            "source": [Source.BPS_VALIDATION.value],
            "other_source": [Source.AGENT_SURVEY.value],
            "date": [CUT_OFF - timedelta(days=days)],
            "other_date": [CUT_OFF],
        }
    )
    assert said.select(yields=is_overtaken(RULE, CUT_OFF))["yields"].to_list() == [yields]


def oldest(rule: RegistryRule) -> pl.Series:
    """Oldest day of an answer that still counts, of many families that do not receive."""
    ids = [f"F{at:06x}" for at in range(5_000)]
    return expiry_days(pl.DataFrame({"family_id": ids, "is_receiving": False}), rule, CUT_OFF)["oldest"]


def test_answers_expire_after_two_years_each_family_s_up_to_half_a_year_later() -> None:
    spread = oldest(RULE)
    assert spread.max() == CUT_OFF - timedelta(days=730)
    assert spread.min() == CUT_OFF - timedelta(days=730 + 180)
    assert spread.n_unique() == 181


def test_answers_of_receiving_families_do_not_expire() -> None:
    assert expiry_days(pl.DataFrame({"family_id": ["F000001"], "is_receiving": True}), RULE, CUT_OFF)[
        "oldest"
    ].to_list() == [date(1, 1, 1)]


def test_the_forecast_spreads_a_cohort_as_its_answers_expire() -> None:
    ids = [f"F{at:06x}" for at in range(5_000)]
    answered = pl.DataFrame({"family_id": ids}).with_columns(
        floor_area_m2=pl.lit(10), floor_area_m2_date=pl.lit(CUT_OFF)
    )
    families = pl.DataFrame({"family_id": ids, "is_receiving": False})
    expires = expiry_of_scores(answered, families, CARD, RULE)["expires"]
    assert (expires.max() - expires.min()).days == 180  # type: ignore[operator,union-attr]


def test_twenty_of_a_thousand_checks_in_person_are_checked_again() -> None:
    families = pl.DataFrame({"family_id": [f"F{at:06}" for at in range(20_000)], "verified_by": "in_person"})
    assert sample_checks(families, RULE, "seed").height == pytest.approx(400, abs=60)
    once_more = RULE.model_copy(update={"in_person_checks_sampled_per_thousand": 1_000})
    assert sample_checks(families, once_more, "seed").height == 20_000
    assert sample_checks(families.with_columns(verified_by=pl.lit("ikd")), once_more, "seed").is_empty()
