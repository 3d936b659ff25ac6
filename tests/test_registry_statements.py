"""Which statements a quarter counts: all of them, each once, whenever they were delivered."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.intake.pins import Pins
from assets.registry.statements import Coverage, Statements, counted
from schemas.quarter import Quarter
from schemas.vocabularies import Feed
from tests.made_registry import DEC, HERE, JAN, MAR, NOV, OTHERS, OURS, Q1, Q2, Q3, THERE, Office, found, survey

CUT_OFF, CUT_OFF_2 = date(2026, 1, 20), date(2026, 4, 20)
AFTER = date(2026, 1, 21)
NUMBER = "3510091505800001"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office.in_folder(tmp_path)


def said(office: Office, quarter: Quarter) -> Statements:
    pins = Pins.of(office.house.lake, quarter, None)
    return Statements.of_quarter(office.house, quarter, pins.tables(office.house.lake), pins.read(office.house.lake))


def days_counted(office: Office, quarter: Quarter, *, on_record: bool = True) -> list[date]:
    cards = pl.LazyFrame({"family_card_number": [OURS], "family_id": ["F"], "was_on_record": [on_record]})
    made = counted(said(office, quarter).of(Feed.SURVEYS), cards).collect()
    return sorted(made["survey_date"])


def test_every_statement_is_counted_in_one_quarter_and_in_no_other(office: Office) -> None:
    office.deliver(Q1, {Feed.SURVEYS: [survey(OURS, day) for day in (NOV, CUT_OFF, AFTER, CUT_OFF_2)]})
    office.deliver(Q2, {Feed.SURVEYS: [survey(OURS, day) for day in (DEC, MAR, date(2026, 4, 21))]})
    assert days_counted(office, Q1) == [NOV, CUT_OFF]
    assert days_counted(office, Q2) == [DEC, AFTER, MAR, CUT_OFF_2]
    assert days_counted(office, Q3) == [date(2026, 4, 21)]


def test_what_was_parked_last_quarter_is_counted_when_its_family_is_there(office: Office) -> None:
    office.deliver(Q1, {Feed.SURVEYS: [survey(OURS, NOV), survey(OTHERS, NOV)]})
    assert days_counted(office, Q2, on_record=True) == []
    assert days_counted(office, Q2, on_record=False) == [NOV]


def test_a_statement_bears_the_day_its_sender_issued_it(office: Office) -> None:
    office.deliver(Q1, {Feed.SURVEYS: [survey(OURS, NOV)]}, issued_on=DEC)
    assert said(office, Q1).of(Feed.SURVEYS).collect()["issued_on"].to_list() == [DEC]


def test_an_agencys_answer_is_counted_in_one_quarter_and_in_no_other(office: Office) -> None:
    office.answer(Q1, "is_pensioner", regencies=[HERE, THERE], as_of=JAN)
    office.answer(Q1, "is_pensioner", regencies=[HERE], as_of=AFTER)
    assert said(office, Q1).coverage == (Coverage("taspen", JAN, (HERE, THERE)),)
    assert said(office, Q2).coverage == (Coverage("taspen", AFTER, (HERE,)),)
    assert said(office, Q3).coverage == ()


def test_evidence_speaks_of_the_day_of_its_delivery_or_of_the_fact_if_that_is_later(office: Office) -> None:
    office.answer(Q1, "is_pensioner", found(NUMBER, "is_pensioner", day=NOV), as_of=DEC)
    office.answer(Q1, "is_pensioner", found(NUMBER, "is_pensioner", day=JAN), as_of=DEC)
    rows = said(office, Q1).of(Feed.EVIDENCE).sort("as_of_date").collect()
    assert rows["answered_on"].to_list() == [DEC, JAN]


def test_a_table_resolved_under_another_cut_off_or_coverage_has_another_name(office: Office) -> None:
    office.answer(Q1, "is_pensioner", as_of=JAN)
    first = said(office, Q1).hash
    assert said(office, Q1).hash == first
    assert said(office, Q2).hash != first
    office.answer(Q1, "is_pensioner", as_of=DEC)
    assert said(office, Q1).hash != first
