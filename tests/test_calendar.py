"""The calendar: every quarter has its days, in order, and a wrong calendar is refused."""

import re
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from quotas.calendar import calendar_of, one_month_after, quarters, read_calendar
from quotas.rulebook import rulebook
from schemas.errors import PolicyError
from schemas.quarter import Quarter


def test_the_calendar_holds_the_four_quarters_of_2026() -> None:
    assert quarters() == tuple(Quarter(2026, number) for number in (1, 2, 3, 4))


@pytest.mark.parametrize("quarter", quarters(), ids=str)
def test_the_days_of_a_quarter_follow_each_other_and_objections_last_one_month(quarter: Quarter) -> None:
    days = calendar_of(quarter)
    assert quarter.first_day <= days.cut_off <= days.decision_date <= days.announcement <= quarter.last_day
    assert days.cut_off.day == 20
    assert timedelta(28) <= days.objection_deadline - days.announcement <= timedelta(31)
    assert days.poverty_vintage == "2025-03"
    assert str(quarter) in days.trial_seed
    assert days.source.title


@pytest.mark.parametrize("quarter", quarters(), ids=str)
def test_every_decision_day_has_a_policy(quarter: Quarter) -> None:
    assert rulebook().on(calendar_of(quarter).decision_date).programmes


def test_no_two_quarters_share_a_trial_seed() -> None:
    assert len({calendar_of(quarter).trial_seed for quarter in quarters()}) == len(quarters())


def test_a_quarter_without_days_is_refused_with_the_remedy() -> None:
    with pytest.raises(PolicyError, match=r"calendar\.yaml: 2031Q1 is missing\. Add its days.*known are 2026Q1"):
        calendar_of(Quarter(2031, 1))


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 2, 2), date(2026, 3, 2)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2026, 12, 15), date(2027, 1, 15)),
    ],
)
def test_one_month_after_a_day_is_the_same_day_or_the_months_last(day: date, later: date) -> None:
    assert one_month_after(day) == later


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("objection_deadline: 2026-03-02", "objection_deadline: 2026-03-09", "one month after the announcement"),
        ("cut_off: 2026-01-20", "cut_off: 2026-01-30", "must follow each other"),
        ("cut_off: 2026-01-20", "cutoff: 2026-01-20", "2026Q1, key 'cut_off': missing"),
        ("cut_off: 2026-04-20", "cut_off: 2026-01-19", "2026Q2, key 'cut_off': 2026-01-19 is not after"),
        ("poverty_vintage: 2025-03", "poverty_vintage: March", "key 'poverty_vintage'"),
        ("2026Q2:", "2026Q1:", "key '2026Q1' is written twice"),
        ("2026Q2:", "2027Q2:", "2027Q2, key 'announcement': 2026-05-04 lies outside"),
        ("is_planned: true", "is_planned: perhaps", "key 'is_planned'"),
        ("2026Q2:", "2026K2:", "calendar.yaml: '2026K2' is no quarter"),
        ("undian-2026Q2", "undian-2026Q1", "2026Q2, key 'trial_seed': 2026Q1 has the same one"),
        ("2026-01-20", "2026-01-32", "calendar.yaml, line 11: a day or number is impossible"),
    ],
)
def test_a_calendar_with_a_fault_is_refused(tmp_path: Path, old: str, new: str, named: str) -> None:
    text = (files("quotas") / "policy" / "calendar.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "calendar.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyError, match=re.escape(named)):
        read_calendar(path)


def test_an_empty_calendar_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text("[]\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="expected quarters"):
        read_calendar(path)
