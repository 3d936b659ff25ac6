"""What agencies know of a person: a row, its absence where one was asked for, or nothing known at all."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.registry.rollups import FACT_OF_PERSONS
from schemas.feeds import FACT_AGENCY
from schemas.quarter import Quarter
from schemas.vocabularies import Agency, Feed, Source
from tests.made_registry import (
    CHILD,
    DEC,
    HERE,
    HUSBAND,
    JAN,
    MAR,
    NEIGHBOUR,
    NEW,
    OTHERS,
    OURS,
    Q1,
    Q2,
    Q3,
    THERE,
    VILLAGE_THERE,
    WIFE,
    Office,
    by,
    family,
    found,
    member,
    named,
    registration,
    validation,
)

FACT = "is_civil_servant"
LATE = date(2026, 1, 25)
"""After the cut-off of the first quarter, before that of the second."""
UNKNOWN = "is_unknown_number"
INVENTED = "3510090202020009"
AFTER_ANSWER = date(2026, 1, 15)
"""After an agency's answer as of :data:`JAN`, before the cut-off."""


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


def invented(card: str = NEW, nik: str | None = INVENTED) -> dict[Feed, list[Any]]:
    return family(card, nik, day=JAN, verified=False)


# Who was on record when an agency answered.


def test_an_invented_number_delivered_after_the_answer_is_passed_by_nobody(office: Office) -> None:
    office.deliver(Q1, invented(), issued_on=AFTER_ANSWER)
    office.answer(Q1, FACT, as_of=JAN)
    assert known(office, INVENTED, Q1) == (None, None)
    assert office.family(NEW)["has_civil_servant"] is None
    assert known(office, HUSBAND) == (0, JAN)


def test_a_number_stated_on_a_later_day_than_its_file_claims_is_on_record_from_that_day(office: Office) -> None:
    office.deliver(Q1, family(NEW, INVENTED, day=AFTER_ANSWER), issued_on=DEC)
    office.answer(Q1, FACT, as_of=JAN)
    assert known(office, INVENTED, Q1) == (None, None)


def test_a_number_that_only_an_unregistered_sender_delivered_is_on_record_for_nobody(office: Office) -> None:
    office.deliver(Q1, invented(), sender="undeclared")
    office.answer(Q1, FACT, as_of=JAN)
    assert known(office, INVENTED, Q1) == (None, None)


def test_a_number_stays_on_record_from_the_day_of_its_first_delivery(office: Office) -> None:
    office.resolve(Q1)
    office.deliver(Q2, family(OURS, HUSBAND, WIFE, day=MAR), issued_on=date(2026, 4, 15))
    office.answer(Q2, FACT, as_of=MAR)
    assert known(office, HUSBAND, Q2) == (0, MAR)


def test_an_adult_without_a_number_makes_the_familys_facts_unknown_and_a_child_does_not(office: Office) -> None:
    grown = {Feed.MEMBERS: [member(OTHERS, None, 6, birth_date=date(1950, 1, 1))]}
    office.deliver(Q1, {Feed.MEMBERS: [member(OURS, None, 3)]}, grown)
    office.answer(Q1, FACT, regencies=[HERE, THERE])
    office.resolve(Q1)
    assert office.family(OURS)["has_civil_servant"] == 0
    assert office.family(OTHERS)["has_civil_servant"] is None


def test_another_member_settles_what_an_adult_without_a_number_leaves_open(office: Office) -> None:
    office.deliver(Q1, {Feed.MEMBERS: [member(OURS, None, 6, birth_date=date(1950, 1, 1))]})
    office.answer(Q1, FACT, found(HUSBAND, FACT))
    office.resolve(Q1)
    assert office.family(OURS)["has_civil_servant"] == 1


# Requests.


def test_whom_a_request_names_and_the_answer_does_not_was_checked_whoever_delivered_the_number(
    office: Office, tmp_path: Path
) -> None:
    office.deliver(Q1, invented(), sender="undeclared")
    request = office.ask(Q1, FACT, tmp_path / "asked.csv")
    office.answer(Q1, FACT, regencies=[], request=request)
    assert known(office, INVENTED, Q1) == (0, JAN)
    assert known(office, NEIGHBOUR) == (0, JAN)


def test_a_person_added_after_the_request_is_unknown_though_the_answer_came_later(
    office: Office, tmp_path: Path
) -> None:
    request = office.ask(Q1, FACT, tmp_path / "asked.csv")
    office.deliver(Q1, invented())
    office.answer(Q1, FACT, regencies=[], request=request, as_of=AFTER_ANSWER)
    assert known(office, INVENTED, Q1) == (None, None)
    assert known(office, HUSBAND) == (0, AFTER_ANSWER)


def test_what_one_agency_was_asked_says_nothing_of_another(office: Office, tmp_path: Path) -> None:
    office.deliver(Q1, invented(), sender="undeclared")
    request = office.ask(Q1, "is_pensioner", tmp_path / "asked.csv")
    office.answer(Q1, "is_pensioner", regencies=[], request=request)
    assert known(office, INVENTED, Q1) == (None, None)
    assert office.person(INVENTED)["is_pensioner"] == 0


def test_who_moves_into_a_regency_after_it_was_asked_about_was_not_asked_about(office: Office, tmp_path: Path) -> None:
    request = office.ask(Q1, FACT, tmp_path / "asked.csv", HERE)
    office.deliver(Q1, {Feed.REGISTRATIONS: [registration(OTHERS, JAN)]})
    office.answer(Q1, FACT, regencies=[], request=request)
    assert known(office, NEIGHBOUR, Q1) == (None, None)
    assert office.person(NEIGHBOUR)["regency_code"] == HERE
    assert known(office, HUSBAND) == (0, JAN)


def test_an_answer_about_fewer_regencies_than_were_asked_speaks_of_these_alone(office: Office, tmp_path: Path) -> None:
    request = office.ask(Q1, FACT, tmp_path / "asked.csv")
    office.answer(Q1, FACT, regencies=[THERE], request=request)
    assert known(office, HUSBAND, Q1) == (None, None)
    assert known(office, NEIGHBOUR) == (0, JAN)


@pytest.mark.parametrize("regencies", [(), (HERE,)], ids=["everywhere", "one regency"])
def test_the_persons_of_the_revision_built_on_are_asked_about_though_nobody_states_them_anew(
    office: Office, tmp_path: Path, regencies: tuple[str, ...]
) -> None:
    office.resolve(Q1)
    office.publish(Q1)
    office.deliver(Q3, {Feed.MEMBERS: [member(OURS, CHILD, 3, MAR)]})
    request = office.ask(Q2, FACT, tmp_path / "asked.parquet", *regencies, day=MAR)
    assert request.persons == (2 if regencies else 3)
    assert request.revision == ("2026Q1", 1, "d")
    office.answer(Q2, FACT, regencies=[], request=request, as_of=MAR)
    assert known(office, HUSBAND, Q2) == (0, MAR)
    assert known(office, NEIGHBOUR) == ((None, None) if regencies else (0, MAR))


def test_a_request_keeps_no_number_and_its_file_holds_nothing_else(office: Office, tmp_path: Path) -> None:
    request = office.ask(Q1, FACT, tmp_path / "asked.csv")
    lines = (tmp_path / "asked.csv").read_text().split()
    assert lines == ["nik", *sorted([HUSBAND, WIFE, NEIGHBOUR])]
    assert (tmp_path / "asked.csv").stat().st_mode & 0o077 == 0
    kept = [path.read_text() for path in (office.house.lake.root / "intake" / "evidence_requests").rglob("*.json")]
    assert len(kept) == 1
    assert not any(number in kept[0] for number in lines[1:])
    assert request.persons == 3


# Whose number is confirmed.


def register(nik: str, card: str = OURS, **more: object) -> dict[Feed, list[Any]]:
    row = {"family_card_number": card, "nik": nik, "name": named(nik), "birth_date": date(1980, 1, 1), "relation": 1}
    return {Feed.POPULATION_REGISTER: [{**row, "village_code": "35.10.09.2001", **more}]}


def confirmed(office: Office, nik: str = HUSBAND) -> tuple[Any, ...]:
    person = office.person(nik)
    return tuple(person[name] for name in ("is_number_confirmed", "number_confirmed_source", "number_confirmed_date"))


def test_a_number_nobody_was_asked_about_is_not_confirmed(office: Office) -> None:
    office.answer(Q1, UNKNOWN)
    office.resolve(Q1)
    assert confirmed(office) == (False, None, None)
    assert office.person(HUSBAND)[UNKNOWN] is None
    assert office.family(OURS)["is_identity_confirmed"] is None


def test_a_number_that_dukcapil_was_asked_about_and_knows_is_confirmed_and_one_it_does_not_know_is_not(
    office: Office, tmp_path: Path
) -> None:
    office.deliver(Q1, invented())
    request = office.ask(Q1, UNKNOWN, tmp_path / "asked.csv")
    office.answer(Q1, UNKNOWN, found(INVENTED, UNKNOWN), regencies=[], request=request)
    office.resolve(Q1)
    assert confirmed(office) == (True, "dukcapil", JAN)
    assert confirmed(office, INVENTED) == (False, None, None)
    ours = office.family(OURS)
    assert [ours[f"is_identity_confirmed{part}"] for part in ("", "_source", "_date")] == [1, "dukcapil", JAN]
    assert office.family(NEW)["is_identity_confirmed"] is None


@pytest.mark.parametrize(
    ("stated", "is_confirmed"),
    [
        ({"birth_date": date(1970, 1, 1)}, True),
        ({"name": "SOMEBODY ELSE", "birth_date": date(1980, 5, 15)}, True),
        ({"name": "SOMEBODY ELSE"}, False),
    ],
    ids=["same name", "same birth date", "neither"],
)
def test_a_register_confirms_a_number_with_the_same_name_or_birth_date(
    office: Office,
    stated: dict[str, Any],
    is_confirmed: bool,  # noqa: FBT001
) -> None:
    office.deliver(Q1, register(HUSBAND, **stated), issued_on=DEC)
    office.resolve(Q1)
    assert confirmed(office) == ((True, "dukcapil", DEC) if is_confirmed else (False, None, None))


def test_a_real_number_borrowed_for_an_invented_person_is_not_confirmed_though_dukcapil_knows_it(
    office: Office, tmp_path: Path
) -> None:
    office.deliver(Q1, invented(), register(INVENTED, NEW, name="ITS TRUE OWNER"))
    request = office.ask(Q1, UNKNOWN, tmp_path / "asked.csv")
    office.answer(Q1, UNKNOWN, regencies=[], request=request)
    office.resolve(Q1)
    assert office.person(INVENTED)[UNKNOWN] == 0
    assert confirmed(office, INVENTED) == (False, None, None)


def test_a_number_once_confirmed_stays_so_until_dukcapil_does_not_know_it(office: Office, tmp_path: Path) -> None:
    request = office.ask(Q1, UNKNOWN, tmp_path / "asked.csv")
    office.answer(Q1, UNKNOWN, regencies=[], request=request)
    office.resolve(Q1).resolve(Q2)
    assert confirmed(office) == (True, "dukcapil", JAN)
    office.answer(Q3, UNKNOWN, found(HUSBAND, UNKNOWN, day=MAR), as_of=MAR)
    office.resolve(Q3)
    assert confirmed(office) == (False, None, None)


def test_bps_confirms_a_number_that_dukcapil_does_not_know(office: Office) -> None:
    office.answer(Q1, UNKNOWN, found(HUSBAND, UNKNOWN))
    office.find(Q1, found(HUSBAND, UNKNOWN, 0), day=AFTER_ANSWER)
    office.resolve(Q1)
    assert confirmed(office) == (True, Source.BPS_VALIDATION, AFTER_ANSWER)


def test_a_family_bps_met_is_confirmed_but_for_whom_it_named_later_and_whom_dukcapil_does_not_know(
    office: Office,
) -> None:
    office.deliver(
        Q1, {Feed.VALIDATIONS: [validation(OURS, JAN, visit_result=1), validation(OTHERS, JAN, visit_result=3)]}
    )
    office.resolve(Q1)
    ours = office.family(OURS)
    assert (ours["is_identity_confirmed"], ours["is_identity_confirmed_source"]) == (1, Source.BPS_VALIDATION)
    assert office.family(OTHERS)["is_identity_confirmed"] is None
    office.deliver(Q2, by(HUSBAND, member(OURS, INVENTED, 8, MAR)), issued_on=MAR)
    assert office.resolve(Q2).family(OURS)["is_identity_confirmed"] is None
    office.answer(Q3, UNKNOWN, found(WIFE, UNKNOWN, day=MAR), as_of=MAR)
    office.deliver(Q3, {Feed.VALIDATIONS: [validation(OURS, MAR, visit_result=1)]})
    assert office.resolve(Q3).family(OURS)["is_identity_confirmed"] is None


def test_children_without_a_number_leave_their_family_confirmed_and_alone_they_do_not(office: Office) -> None:
    office.deliver(
        Q1, {Feed.MEMBERS: [member(OURS, None, 3)]}, family(NEW, None),
        register(HUSBAND), register(WIFE),
    )  # fmt: skip
    office.resolve(Q1)
    assert office.family(OURS)["is_identity_confirmed"] == 1
    assert office.family(NEW)["is_identity_confirmed"] is None


# What BPS found.


def test_a_finding_of_bps_goes_before_the_agencys_fact_whatever_the_agency_states_later(office: Office) -> None:
    office.answer(Q1, FACT, found(HUSBAND, FACT), as_of=JAN)
    office.find(Q1, found(HUSBAND, FACT, 0), day=DEC)
    assert known(office, HUSBAND, Q1) == (0, DEC)
    ours = office.family(OURS)
    assert (ours["has_civil_servant"], ours["has_civil_servant_source"]) == (0, Source.BPS_VALIDATION)
    office.answer(Q2, FACT, found(HUSBAND, FACT, day=MAR), as_of=MAR)
    assert known(office, HUSBAND, Q2) == (0, DEC)
    assert office.family(OURS)["has_civil_servant_source"] == Source.BPS_VALIDATION


def test_a_finding_holds_until_bps_finds_otherwise(office: Office) -> None:
    office.find(Q1, found(HUSBAND, FACT, 0), day=DEC)
    office.resolve(Q1)
    office.find(Q2, found(HUSBAND, FACT, 1), day=MAR)
    assert known(office, HUSBAND, Q2) == (1, MAR)


def test_a_finding_older_than_an_answer_may_be_gives_way_to_the_agency(office: Office) -> None:
    long_ago = date(2024, 2, 1)
    office.find(Q1, found(HUSBAND, FACT, 0), day=long_ago)
    assert known(office, HUSBAND, Q1) == (0, long_ago)
    office.answer(Q2, FACT, found(HUSBAND, FACT, day=MAR), as_of=MAR)
    assert known(office, HUSBAND, Q2) == (1, MAR)
    assert office.family(OURS)["has_civil_servant_source"] == Agency.BKN


def test_what_bps_did_not_find_says_nothing_of_anybody(office: Office) -> None:
    office.find(Q1, found(HUSBAND, FACT, 1))
    office.resolve(Q1)
    assert office.person(WIFE)[FACT] is None


def test_whom_dukcapil_reports_dead_and_bps_meets_lives(office: Office) -> None:
    office.answer(Q1, "is_deceased", found(HUSBAND, "is_deceased"))
    office.find(Q1, found(HUSBAND, "is_deceased", 0), day=AFTER_ANSWER)
    ours = office.resolve(Q1).family(OURS)
    assert (ours["living_member_count"], ours["living_member_count_source"]) == (2, Source.BPS_VALIDATION)


# A village office's word.


@pytest.mark.parametrize("value", [1, 2, 99])
def test_a_village_office_that_says_other_aid_sends_bps_and_never_excludes(office: Office, value: int) -> None:
    office.answer(Q1, "receives_other_aid", found(HUSBAND, "receives_other_aid", value), regencies=[HERE])
    ours = office.resolve(Q1).family(OURS)
    assert (ours["other_aid_finding"], ours["other_aid_finding_source"]) == (1, Agency.VILLAGE_OFFICE)


def test_other_aid_that_bps_found_is_a_finding(office: Office) -> None:
    office.answer(Q1, "receives_other_aid", found(HUSBAND, "receives_other_aid"))
    office.find(Q1, found(HUSBAND, "receives_other_aid"), found(WIFE, "receives_other_aid", 0))
    ours = office.resolve(Q1).family(OURS)
    assert (ours["other_aid_finding"], ours["other_aid_finding_source"]) == (2, Source.BPS_VALIDATION)


def test_other_aid_that_bps_did_not_find_is_none_though_the_office_says_so_again(office: Office) -> None:
    office.find(Q1, *(found(nik, "receives_other_aid", 0) for nik in (HUSBAND, WIFE)), day=DEC)
    office.answer(Q1, "receives_other_aid", found(HUSBAND, "receives_other_aid"))
    assert office.resolve(Q1).family(OURS)["other_aid_finding"] == 0


# What the family states and the agencies did not find.

_STATE = ("is_civil_servant", "is_soldier_or_police", "is_pensioner", "has_state_income")


@pytest.mark.parametrize(
    ("answers", "agencies", "count"),
    [
        ({"has_car": 1}, {"car_count": 0}, 1),
        ({"has_car": 1}, {"car_count": 1}, 0),
        ({"has_car": 0}, {"car_count": 0}, None),
        ({"has_car": 1}, {}, None),
        ({"has_other_land": 1}, {"land_area_m2": 0}, 1),
        ({"has_other_land": 1}, {"land_area_m2": 300}, 0),
        ({"has_car": 1, "has_other_land": 1}, {"car_count": 0, "land_area_m2": 0}, 2),
        ({"has_car": 1, "has_other_land": 1}, {"car_count": 0}, 1),
        ({"work_position": 5}, dict.fromkeys(_STATE, 0), 1),
        ({"work_position": 5}, {**dict.fromkeys(_STATE, 0), "has_state_income": 1}, 0),
        ({"work_position": 5}, {"is_civil_servant": 1}, 0),
        ({"work_position": 5}, {"is_civil_servant": 0}, None),
        ({"work_position": 1}, dict.fromkeys(_STATE, 0), None),
    ],
    ids=str,
)
def test_what_a_family_states_against_what_agencies_found(
    office: Office, answers: dict[str, Any], agencies: dict[str, int], count: int | None
) -> None:
    stated = {name: value for name, value in answers.items() if name != "work_position"}
    work = answers.get("work_position", 1)
    office.deliver(
        Q1,
        {
            Feed.REGISTRATIONS: [{**registration(OURS, DEC), **stated}],
            Feed.MEMBERS: [member(OURS, HUSBAND, 1, DEC, work_position=work)],
        },
    )
    for fact, value in agencies.items():
        office.answer(Q1, fact, *([found(HUSBAND, fact, value)] if value else []))
    assert office.resolve(Q1).family(OURS)["declared_contradiction_count"] == count
