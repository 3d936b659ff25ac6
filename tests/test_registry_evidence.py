"""What agencies know of a person: a row, its absence where one was asked for, or nothing known at all."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.registry.rollups import FACT_OF_PERSONS
from schemas.feeds import FACT_AGENCY
from schemas.quarter import Quarter
from tests.made_registry import (
    DEC,
    HERE,
    HUSBAND,
    JAN,
    MAR,
    NEIGHBOUR,
    OTHERS,
    OURS,
    Q1,
    Q2,
    THERE,
    VILLAGE_THERE,
    WIFE,
    Office,
    by,
    family,
    found,
    member,
)

FACT = "is_civil_servant"
LATE = date(2026, 1, 25)
"""After the cut-off of the first quarter, before that of the second."""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office.in_folder(tmp_path)
    made.deliver(Q1, family(OURS, HUSBAND, WIFE), family(OTHERS, NEIGHBOUR, village=VILLAGE_THERE))
    return made


def known(office: Office, nik: str, *quarters: Quarter) -> tuple[Any, Any]:
    for quarter in quarters:
        office.resolve(quarter)
    person = office.person(nik)
    return person[FACT], person[f"{FACT}_date"]


def test_a_row_counts_with_the_day_the_fact_held(office: Office) -> None:
    office.answer(Q1, FACT, found(HUSBAND, FACT, day=DEC))
    assert known(office, HUSBAND, Q1) == (1, DEC)
    ours = office.family(OURS)
    assert (ours["has_civil_servant"], ours["has_civil_servant_source"], ours["has_civil_servant_date"]) == (
        1,
        "bkn",
        DEC,
    )


def test_a_person_in_a_covered_regency_without_a_row_was_checked_and_nothing_was_found(office: Office) -> None:
    office.answer(Q1, FACT, as_of=JAN)
    assert known(office, HUSBAND, Q1) == (0, JAN)
    assert office.family(OURS)["has_civil_servant"] == 0


def test_outside_the_coverage_a_person_without_a_row_is_unknown_and_one_with_a_row_is_not(office: Office) -> None:
    office.answer(Q1, FACT, regencies=[HERE])
    assert known(office, NEIGHBOUR, Q1) == (None, None)
    others = office.family(OTHERS)
    assert (others["has_civil_servant"], others["has_civil_servant_source"]) == (None, None)
    office.registry = {}
    office.answer(Q1, FACT, found(NEIGHBOUR, FACT), regencies=[HERE])
    assert known(office, NEIGHBOUR, Q1) == (1, JAN)


def test_an_agency_answers_for_its_own_facts_alone(office: Office) -> None:
    office.answer(Q1, FACT)
    assert known(office, HUSBAND, Q1) == (0, JAN)
    assert office.person(HUSBAND)["is_soldier_or_police"] is None


def test_what_was_known_last_quarter_stands_with_its_date_where_nobody_was_asked_again(office: Office) -> None:
    office.answer(Q1, FACT, found(HUSBAND, FACT))
    assert known(office, HUSBAND, Q1, Q2) == (1, JAN)
    assert known(office, WIFE) == (0, JAN)


def test_a_new_answer_without_the_row_takes_back_what_was_known_before(office: Office) -> None:
    office.answer(Q1, FACT, found(HUSBAND, FACT))
    office.answer(Q2, FACT, as_of=MAR)
    assert known(office, HUSBAND, Q1, Q2) == (0, MAR)


def test_the_newest_of_several_answers_of_a_quarter_counts_whichever_came_first(office: Office) -> None:
    office.answer(Q1, FACT, found(HUSBAND, FACT, day=DEC), as_of=DEC)
    office.answer(Q1, FACT, found(WIFE, FACT), as_of=JAN)
    assert known(office, HUSBAND, Q1) == (0, JAN)
    assert known(office, WIFE) == (1, JAN)


def test_two_files_of_one_day_are_one_answer(office: Office) -> None:
    office.answer(Q1, FACT, found(HUSBAND, FACT), as_of=JAN)
    office.answer(Q1, FACT, found(WIFE, FACT), as_of=JAN)
    assert known(office, HUSBAND, Q1) == known(office, WIFE) == (1, JAN)


def test_an_older_answer_that_arrives_later_changes_nothing(office: Office) -> None:
    office.answer(Q1, FACT, found(HUSBAND, FACT), as_of=JAN)
    office.answer(Q2, FACT, as_of=DEC)
    assert known(office, HUSBAND, Q1, Q2) == (1, JAN)


def test_an_answer_after_the_cut_off_finds_nothing_and_clears_nobody_until_the_next_quarter(office: Office) -> None:
    office.answer(Q1, FACT, found(HUSBAND, FACT, day=DEC), as_of=LATE)
    assert known(office, HUSBAND, Q1) == (None, None)
    assert known(office, HUSBAND, Q2) == (1, DEC)
    assert known(office, WIFE) == (0, LATE)


def test_a_row_about_somebody_who_registers_a_quarter_later_waits_for_him(office: Office) -> None:
    newcomer = "3510094101990001"
    office.answer(Q1, FACT, found(newcomer, FACT))
    office.deliver(Q2, by(HUSBAND, member(OURS, newcomer, 3, MAR)))
    office.resolve(Q1)
    assert office.table("parked").select("feed", "rows").rows() == [("evidence", 1)]
    assert known(office, newcomer, Q2) == (1, JAN)


def test_who_moves_to_a_regency_nobody_asked_about_keeps_what_is_known(office: Office) -> None:
    office.answer(Q1, FACT, found(HUSBAND, FACT), regencies=[HERE])
    office.deliver(Q2, family(OURS, HUSBAND, WIFE, day=MAR, village=VILLAGE_THERE))
    assert known(office, HUSBAND, Q1, Q2) == (1, JAN)
    assert office.person(HUSBAND)["regency_code"] == THERE


def test_a_newcomer_is_unknown_until_an_agency_is_asked_again_and_so_is_his_family(office: Office) -> None:
    newcomer = "3510094101990001"
    office.answer(Q1, FACT)
    office.deliver(Q2, by(HUSBAND, member(OURS, newcomer, 3, MAR)))
    assert known(office, newcomer, Q1, Q2) == (None, None)
    assert office.family(OURS)["has_civil_servant"] is None


def test_what_an_agency_states_of_a_member_is_the_familys_with_the_agency_and_its_day(office: Office) -> None:
    for name in FACT_OF_PERSONS.values():
        office.answer(Q1, name, found(HUSBAND, name, day=DEC))
    office.resolve(Q1)
    ours, elsewhere = office.family(OURS), office.family(OTHERS)
    for fact, name in FACT_OF_PERSONS.items():
        assert (ours[fact], ours[f"{fact}_source"], ours[f"{fact}_date"]) == (1, FACT_AGENCY[name], DEC)
        assert (elsewhere[fact], elsewhere[f"{fact}_source"], elsewhere[f"{fact}_date"]) == (None, None, None)
