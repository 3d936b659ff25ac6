"""The quarter: spelling, order, first and last days, and steps from one to the next."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import WrongUsage
from schemas.quarter import Quarter

QUARTERS = st.builds(Quarter, st.integers(2001, 2098), st.integers(1, 4))


@given(QUARTERS)
def test_a_quarter_reads_back_as_it_prints(quarter: Quarter) -> None:
    assert Quarter.parse(str(quarter)) == quarter


@given(QUARTERS)
def test_the_next_quarter_begins_the_day_after_this_one_ends(quarter: Quarter) -> None:
    assert quarter.next.first_day == quarter.last_day + timedelta(days=1)
    assert quarter.next.previous == quarter == quarter.previous.next
    assert quarter.previous < quarter < quarter.next


@given(st.dates(date(2001, 1, 1), date(2098, 12, 31)))
def test_every_day_lies_between_the_first_and_the_last_day_of_its_quarter(day: date) -> None:
    quarter = Quarter.of(day)
    assert quarter.first_day <= day <= quarter.last_day


def test_quarters_order_by_time_and_not_by_spelling_of_the_stage_alone() -> None:
    assert sorted([Quarter(2026, 1), Quarter(2025, 4), Quarter(2025, 2)]) == [
        Quarter(2025, 2),
        Quarter(2025, 4),
        Quarter(2026, 1),
    ]


def test_the_disbursement_stages_are_the_four_quarters_of_a_year() -> None:
    assert [Quarter(2026, number).stage for number in (1, 2, 3, 4)] == [1, 2, 3, 4]


def test_the_first_quarter_of_a_leap_year_has_91_days() -> None:
    quarter = Quarter(2028, 1)
    assert (quarter.last_day - quarter.first_day).days + 1 == 91
    assert quarter.last_day == date(2028, 3, 31)


@pytest.mark.parametrize("text", ["2026", "2026Q5", "2026Q0", "2026q1", "26Q1", "2026-Q1", " 2026Q1", "2026Q11", ""])
def test_what_is_no_quarter_is_refused_with_the_right_spelling(text: str) -> None:
    with pytest.raises(WrongUsage, match="as in 2026Q1"):
        Quarter.parse(text)
