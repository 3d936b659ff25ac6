"""What supports a stated component reaches the members that the rules read, and impossible values do not."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.vocabularies import Feed, Sex, Source
from tests.made_registry import (
    CHILD,
    DEC,
    FEB,
    HERE,
    HUSBAND,
    JAN,
    NOV,
    OURS,
    Q1,
    Q2,
    WIFE,
    Office,
    by,
    family,
    found,
    member,
    survey,
    validation,
)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office.in_folder(tmp_path)


def person(office: Office, nik: str) -> dict[str, Any]:
    """The member of the living with this number."""
    persons = office.table("persons").select("person_id", "nik")
    return office.table("members").join(persons, on="person_id").row(by_predicate=pl.col("nik") == nik, named=True)


def test_what_agencies_record_of_a_person_stands_beside_what_is_stated(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE, CHILD))
    office.answer(Q1, "is_pregnant_recorded", found(WIFE, "is_pregnant_recorded"))
    office.answer(Q1, "is_enrolled_in_school", found(CHILD, "is_enrolled_in_school"))
    office.resolve(Q1)
    assert person(office, WIFE)["is_pregnant_recorded"] == 1
    assert person(office, HUSBAND)["is_pregnant_recorded"] == 0
    assert person(office, CHILD)["is_enrolled_in_school"] == 1


@pytest.mark.parametrize(
    ("parcel", "seen_by"),
    [
        ({Feed.SURVEYS: [survey(OURS, DEC, visit_result=1)]}, Source.AGENT_SURVEY),
        ({Feed.VALIDATIONS: [validation(OURS, DEC, visit_result=1)]}, Source.BPS_VALIDATION),
        ({Feed.SURVEYS: [survey(OURS, DEC, visit_result=3)]}, None),
        ({Feed.SURVEYS: [survey(OURS, DEC)]}, None),
        ({}, None),
    ],
)
def test_a_completed_visit_sees_whoever_was_stated_by_then(
    office: Office, parcel: dict[Feed, list[Any]], seen_by: Source | None
) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), parcel)
    office.resolve(Q1)
    assert person(office, HUSBAND)["seen_by"] == seen_by


def test_a_visit_before_a_person_was_stated_has_not_seen_him(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.SURVEYS: [survey(OURS, DEC, visit_result=1)]})
    office.resolve(Q1)
    office.deliver(Q2, by(HUSBAND, member(OURS, CHILD, 3, FEB)))
    office.resolve(Q2)
    assert person(office, HUSBAND)["seen_by"] == Source.AGENT_SURVEY
    assert person(office, CHILD)["seen_by"] is None


def test_a_man_stated_as_pregnant_is_on_record_as_stated_and_unknown_to_the_rules(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.MEMBERS: [member(OURS, HUSBAND, 1, DEC, is_pregnant=True)]})
    office.resolve(Q1)
    assert office.person(HUSBAND)["is_pregnant"] is True
    assert person(office, HUSBAND)["is_pregnant"] is None
    (row,) = office.table("implausible").to_dicts()
    assert (row["check"], row["attribute"], row["regency_code"]) == ("implausible_pregnancy", "is_pregnant", HERE)


def test_impossible_values_are_looked_for_anew_each_quarter(office: Office) -> None:
    wrong = member(OURS, CHILD, 3, NOV, birth_date=JAN.replace(year=1981), sex=Sex.FEMALE.value)
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.MEMBERS: [wrong]})
    office.resolve(Q1)
    assert office.table("implausible")["check"].to_list() == ["implausible_kinship"]
    assert person(office, CHILD)["relation"] is None
    office.deliver(Q2, by(HUSBAND, member(OURS, CHILD, 3, FEB)))
    office.resolve(Q2)
    assert office.table("implausible").height == 0
    assert person(office, CHILD)["relation"] == 3
