"""The numbers that bound authority: visits a liar can cause, how long the word of BPS holds, when answers expire."""

from datetime import date, timedelta

import polars as pl
import pytest

from assets.registry.answers import expiry_of_scores
from assets.registry.attributes import expiry_days, is_overtaken
from assets.registry.doubts import sample_checks
from assets.registry.pending import list_for_visits
from quotas.rulebook import rulebook
from quotas.rules import RegistryRule
from schemas.vocabularies import Source
from tests.made_families import CARD

CUT_OFF = date(2026, 1, 20)
RULE = rulebook().on(date(2026, 1, 26)).registry


def contradicting(authors: list[str], families: int = 100_000) -> pl.DataFrame:
    """Contradicting statements, one per family, by these authors, that are listed for visits in such a regency."""
    held = pl.DataFrame(
        {
            "statement_id": [f"s{at:04}" for at in range(len(authors))],
            "family_id": [f"f{at:04}" for at in range(len(authors))],
            "agent_id": authors,
            "batch_id": "b1",
            "contradicts": True,
            "is_receiving": False,
        }
    )
    return list_for_visits(held, families, RULE).filter("is_listed")


def test_one_author_brings_twenty_visits_at_most() -> None:
    assert contradicting(["a"] * 50).height == 20
    assert contradicting(["a"] * 50 + ["b"] * 3).height == 23


@pytest.mark.parametrize(("families", "most"), [(1_000, 10), (1_001, 11), (10_000, 100)])
def test_ten_of_a_thousand_families_are_visited_for_pending_statements_at_most(families: int, most: int) -> None:
    assert contradicting([f"a{at}" for at in range(200)], families).height == most


def test_a_family_is_visited_once_however_many_contradict_it_and_receiving_families_first() -> None:
    held = pl.DataFrame(
        {
            "statement_id": ["s1", "s2", "s3"],
            "family_id": ["f1", "f1", "f2"],
            "agent_id": None,
            "batch_id": ["b1", "b2", "b3"],
            "contradicts": True,
            "is_receiving": [False, False, True],
        },
        schema_overrides={"agent_id": pl.String},
    )
    assert list_for_visits(held, 100, RULE).filter("is_listed")["family_id"].to_list() == ["f2"]
    assert list_for_visits(held, 200, RULE).filter("is_listed")["family_id"].to_list() == ["f2", "f1"]


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
