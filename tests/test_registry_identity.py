"""One person in one family: cards, numbers, claims and the dead, from statements to the registry of two quarters."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.registry import resolve as room
from assets.registry.resolve import UNNUMBERED, _bucket_shards
from schemas.identifiers import BUCKETS
from schemas.vocabularies import Feed, Source
from tests.made_registry import (
    CHILD,
    DEC,
    FEB,
    HERE,
    HUSBAND,
    JAN,
    MAR,
    NEIGHBOUR,
    NEW,
    NOV,
    OTHERS,
    OURS,
    Q1,
    Q2,
    Q3,
    THERE,
    VILLAGE,
    VILLAGE_THERE,
    WIFE,
    Office,
    Row,
    born,
    by,
    family,
    found,
    member,
    named,
    registration,
    survey,
    validation,
)

AFTER_CUT_OFF = date(2026, 1, 21)
BABY = {"name": "BAYI", "birth_date": date(2025, 12, 24), "marital_status": 1, "school_participation": 1}


@pytest.fixture(params=["one shard", pytest.param("a shard per row", marks=pytest.mark.slow)])
def office(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Office:
    if request.param != "one shard":
        monkeypatch.setattr(room, "ROWS_PER_BUCKET_SHARD", 1)
        monkeypatch.setattr(room, "FAMILIES_PER_GROUP", 1)
    return Office.in_folder(tmp_path)


# Families and their cards


def test_a_registered_family_has_a_record_with_its_persons_and_where_it_lives(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE, CHILD))
    ours = office.resolve(Q1).family(OURS)
    assert (ours["village_code"], ours["district_code"], ours["regency_code"]) == (VILLAGE, "35.10.09", HERE)
    assert (ours["household_size"], ours["living_member_count"], ours["case_id"]) == (3, 3, None)
    assert ours["head_person_id"] == office.person(HUSBAND)["person_id"]
    assert (ours["has_consent"], ours["has_consent_source"], ours["has_consent_date"]) == (1, "registration", NOV)


def test_persons_of_unknown_birth_are_members_of_their_family_all_the_same(office: Office) -> None:
    baby = member(OURS, None, 3, name="BAYI", birth_date=None)
    office.deliver(Q1, family(OURS, HUSBAND, WIFE), by(HUSBAND, member(OURS, CHILD, 3, birth_date=None), baby))
    ours = office.resolve(Q1).family(OURS)
    assert (ours["household_size"], ours["elderly_count"]) == (4, None)
    assert office.resolve(Q2).family(OURS)["household_size"] == 4


def test_a_registration_through_another_channel_is_the_same_family_since_its_first_day(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE), {Feed.REGISTRATIONS: [registration(OURS, DEC, channel="portal")]})
    ours = office.resolve(Q1).family(OURS)
    assert office.cards() == {OURS}
    assert (ours["registered_date"], ours["channel"], ours["has_consent_date"]) == (NOV, "portal", DEC)
    assert office.persons_of(OURS) == [HUSBAND, WIFE]


def test_the_day_of_consent_is_that_of_the_registration_in_force_in_later_quarters_too(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.REGISTRATIONS: [registration(OURS, DEC)]})
    ours = office.resolve(Q1).resolve(Q2).family(OURS)
    assert (ours["registered_date"], ours["has_consent_date"]) == (NOV, DEC)


def test_an_unverified_registration_under_a_verified_familys_card_moves_it_nowhere(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND))
    office.deliver(
        Q2, {Feed.REGISTRATIONS: [registration(OURS, FEB, VILLAGE_THERE, verified=False, has_consent=False)]}
    )
    ours = office.resolve(Q1).resolve(Q2).family(OURS)
    assert (ours["village_code"], ours["has_consent"], ours["face_match"]) == (VILLAGE, 1, "passed")


def test_once_verified_a_family_stays_verified(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), family(OTHERS, NEIGHBOUR, verified=False))
    office.deliver(Q2, {Feed.REGISTRATIONS: [registration(OTHERS, FEB)]})
    assert [office.resolve(Q1).family(card)["is_verified"] for card in (OURS, OTHERS)] == [True, False]
    assert [office.resolve(Q2).family(card)["is_verified"] for card in (OURS, OTHERS)] == [True, True]
    assert [office.resolve(Q3).family(card)["is_verified"] for card in (OURS, OTHERS)] == [True, True]


def test_a_new_card_whose_verified_head_headed_a_family_is_that_family(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE, CHILD))
    office.deliver(Q2, family(NEW, HUSBAND, WIFE, day=FEB))
    before = office.resolve(Q1).family(OURS)
    after = office.resolve(Q2).family(NEW)
    assert after["family_id"] == before["family_id"]
    assert after["registered_date"] == NOV
    assert office.cards() == {NEW}
    assert office.persons_of(NEW) == [CHILD, HUSBAND, WIFE]
    assert office.table("cases").is_empty()


def test_a_family_keeps_what_was_said_under_its_old_card(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.VALIDATIONS: [validation(OURS, has_car=1)]})
    office.deliver(Q2, family(NEW, HUSBAND, day=FEB))
    ours = office.resolve(Q1).resolve(Q2).family(NEW)
    assert (ours["has_car"], ours["has_car_source"], ours["has_car_date"]) == (1, Source.BPS_VALIDATION, DEC)


def test_what_is_said_of_the_old_card_counts_for_a_family_that_moved_to_another_regency(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND))
    moved = family(NEW, HUSBAND, day=MAR, village=VILLAGE_THERE)
    again = {Feed.REGISTRATIONS: [registration(OURS, FEB)], Feed.VALIDATIONS: [validation(OURS, FEB, has_car=1)]}
    office.deliver(Q2, moved, again)
    ours = office.resolve(Q1).resolve(Q2).family(NEW)
    assert (ours["regency_code"], ours["has_car"], ours["has_car_source"]) == (THERE, 1, Source.BPS_VALIDATION)


def test_a_widow_who_took_over_takes_the_family_to_her_new_card(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE))
    office.answer(Q1, "is_deceased", found(HUSBAND, "is_deceased"))
    office.deliver(Q2, family(NEW, WIFE, CHILD, day=FEB))
    before = office.resolve(Q1).family(OURS)
    after = office.resolve(Q2).family(NEW)
    assert after["family_id"] == before["family_id"]
    assert after["head_person_id"] == office.person(WIFE)["person_id"]
    assert office.cards() == {NEW}


def test_an_unverified_newcomer_with_a_neighbours_head_never_takes_over_the_family(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE))
    office.deliver(Q2, family(NEW, HUSBAND, NEIGHBOUR, day=FEB, verified=False))
    before = office.resolve(Q1).family(OURS)
    assert office.resolve(Q2).family(OURS)["family_id"] == before["family_id"]
    assert office.family(NEW)["family_id"] != before["family_id"]
    assert office.person(HUSBAND)["family_card_number"] == OURS


def test_of_two_new_cards_of_one_head_the_newer_one_is_his_family(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND))
    office.deliver(Q2, family(NEW, HUSBAND, day=MAR), family(OTHERS, HUSBAND, WIFE, day=FEB))
    before = office.resolve(Q1).family(OURS)
    assert office.resolve(Q2).family(NEW)["family_id"] == before["family_id"]
    assert office.person(HUSBAND)["family_card_number"] == NEW
    assert office.persons_of(OTHERS) == [WIFE]


def test_a_family_that_moves_to_another_regency_takes_its_persons_along(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE))
    office.deliver(Q2, {Feed.REGISTRATIONS: [registration(OURS, FEB, VILLAGE_THERE)]})
    before = office.resolve(Q1).family(OURS)
    after = office.resolve(Q2).family(OURS)
    assert (after["family_id"], after["regency_code"]) == (before["family_id"], THERE)
    assert set(office.table("persons")["regency_code"]) == {THERE}
    assert set(office.table("members")["regency_code"]) == {THERE}


def test_children_who_leave_under_a_card_of_their_own_are_no_longer_in_the_old_family(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE, CHILD))
    office.deliver(Q2, family(NEW, CHILD, NEIGHBOUR, day=FEB))
    office.resolve(Q1).resolve(Q2)
    assert (office.persons_of(OURS), office.persons_of(NEW)) == ([HUSBAND, WIFE], [CHILD, NEIGHBOUR])
    assert [office.family(card)["household_size"] for card in (OURS, NEW)] == [2, 2]
    assert office.family(OURS)["registered_date"] == NOV


def test_a_family_whose_persons_all_went_elsewhere_is_no_family_any_more(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), family(OTHERS, NEIGHBOUR))
    office.deliver(
        Q2, {Feed.REGISTRATIONS: [registration(OTHERS, FEB)], Feed.MEMBERS: [member(OTHERS, HUSBAND, 8, FEB)]}
    )
    office.deliver(Q2, by(HUSBAND, member(OTHERS, HUSBAND, 8, FEB)))
    assert office.resolve(Q1).cards() == {OURS, OTHERS}
    assert office.resolve(Q2).cards() == {OTHERS}
    assert office.persons_of(OTHERS) == [NEIGHBOUR, HUSBAND]


# Persons whom two families claim


def test_an_unverified_newcomer_is_in_a_case_and_the_verified_family_keeps_the_person(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, CHILD, day=DEC), family(OTHERS, NEIGHBOUR, CHILD, verified=False))
    office.resolve(Q1)
    assert office.person(CHILD)["family_card_number"] == OURS
    assert office.family(OURS)["case_id"] is None
    assert office.family(OTHERS)["case_id"] is not None
    cases = office.table("cases").sort("is_kept")
    assert cases.select("is_verified", "is_kept").rows() == [(False, False), (True, True)]
    assert cases["case_id"].n_unique() == cases["person_id"].n_unique() == 1


def test_among_verified_families_the_newest_statement_keeps_the_person(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, CHILD, day=DEC), family(OTHERS, NEIGHBOUR, CHILD, day=NOV))
    office.resolve(Q1)
    assert office.person(CHILD)["family_card_number"] == OURS
    assert office.table("cases")["is_verified"].all()
    assert [office.family(card)["case_id"] is None for card in (OURS, OTHERS)] == [True, False]


def test_among_unverified_families_the_person_stays_where_he_was(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, CHILD, day=DEC, verified=False), family(OTHERS, NEIGHBOUR, verified=False))
    office.deliver(Q2, {Feed.MEMBERS: [member(OTHERS, CHILD, 3, FEB)]})
    office.resolve(Q1).resolve(Q2)
    assert office.person(CHILD)["family_card_number"] == OURS
    assert [office.family(card)["case_id"] is None for card in (OURS, OTHERS)] == [True, False]


def test_among_unverified_newcomers_a_family_that_received_before_keeps_the_person_else_the_first(
    office: Office,
) -> None:
    office.deliver(
        Q1, family(OURS, HUSBAND, CHILD, day=DEC, verified=False), family(OTHERS, NEIGHBOUR, CHILD, verified=False)
    )
    assert office.resolve(Q1).person(CHILD)["family_card_number"] == OTHERS
    received = {
        "family_card_number": OURS, "head_nik": CHILD, "programme": "PKH", "regency_code": HERE, "since_date": NOV,
    }  # fmt: skip
    office.deliver(Q1, {Feed.CURRENT_RECIPIENTS: [received]})
    office.registry = {}
    assert office.resolve(Q1).person(CHILD)["family_card_number"] == OURS


def test_a_verified_newcomer_gets_the_person_of_an_unverified_family(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, CHILD, verified=False))
    office.deliver(Q2, family(NEW, CHILD, NEIGHBOUR, day=FEB))
    office.resolve(Q1).resolve(Q2)
    assert office.person(CHILD)["family_card_number"] == NEW
    assert office.table("cases").height == 2


def test_a_newcomer_all_of_whose_persons_others_keep_stays_on_record_to_be_held_under_the_name_it_gave(
    office: Office,
) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE))
    claimed = [member(NEW, WIFE, 2, FEB), member(NEW, HUSBAND, 1, FEB, name="BUKAN SLAMET")]
    office.deliver(Q2, {Feed.REGISTRATIONS: [registration(NEW, FEB, verified=False)], Feed.MEMBERS: claimed})
    office.resolve(Q1).resolve(Q2)
    newcomer = office.family(NEW)
    assert newcomer["case_id"] is not None
    assert newcomer["head_name"] == "BUKAN SLAMET"
    assert (newcomer["household_size"], newcomer["living_member_count"]) == (None, None)
    assert office.persons_of(NEW) == []
    assert office.persons_of(OURS) == [HUSBAND, WIFE]
    assert office.resolve(Q3).family(NEW) | {"case_id": None} == newcomer | {"case_id": None}


def test_a_case_stays_open_in_the_next_quarter_though_nothing_is_stated_anew(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, CHILD), family(OTHERS, NEIGHBOUR, CHILD, day=DEC, verified=False))
    first = office.resolve(Q1).table("cases")
    assert first.height == 2
    assert office.resolve(Q2).table("cases").equals(first)
    assert office.resolve(Q3).table("cases").equals(first)
    assert office.family(OTHERS)["case_id"] == first["case_id"][0]


def test_a_family_verified_later_that_states_a_person_again_gets_him_if_somebody_of_his_family_signed_in(
    office: Office,
) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, CHILD), family(OTHERS, NEIGHBOUR, CHILD, day=DEC, verified=False))
    office.deliver(Q2, {Feed.REGISTRATIONS: [registration(OTHERS, FEB)], Feed.MEMBERS: [member(OTHERS, CHILD, 3, FEB)]})
    assert office.resolve(Q1).person(CHILD)["family_card_number"] == OURS
    assert office.resolve(Q2).person(CHILD)["family_card_number"] == OURS
    office.deliver(Q2, by(HUSBAND, member(OTHERS, CHILD, 3, FEB)))
    assert office.resolve(Q1).resolve(Q2).person(CHILD)["family_card_number"] == OTHERS


def test_being_verified_alone_moves_nobody_out_of_another_family(office: Office) -> None:
    office.deliver(
        Q1, family(OURS, HUSBAND, CHILD, verified=False), family(OTHERS, NEIGHBOUR, CHILD, day=DEC, verified=False)
    )
    office.deliver(Q2, {Feed.REGISTRATIONS: [registration(OTHERS, FEB)]})
    assert office.resolve(Q1).resolve(Q2).person(CHILD)["family_card_number"] == OURS
    assert office.table("cases").height == 2


# Persons without a number


def test_persons_without_a_number_match_nobody_in_another_family(office: Office) -> None:
    babies = [
        member(OURS, None, 3, DEC, **BABY | {"name": "RATIH"}),
        member(OTHERS, None, 3, DEC, **BABY | {"name": "JOKO", "birth_date": date(2025, 11, 2)}),
    ]
    office.deliver(Q1, family(OURS, HUSBAND), family(OTHERS, NEIGHBOUR), {Feed.MEMBERS: babies})
    office.resolve(Q1)
    assert office.persons_of(OURS) == [HUSBAND, None]
    assert office.persons_of(OTHERS) == [NEIGHBOUR, None]
    assert office.table("persons")["person_id"].n_unique() == 4
    assert office.table("cases").is_empty()


def test_whose_name_is_spelled_in_two_ways_without_a_number_lies_in_the_bucket_of_the_card(office: Office) -> None:
    spelled = {NOV: "NURUL YULIANA SATYOWATI", DEC: "NURUL YULIANA SETYOWATI"}
    born_then = {"birth_date": date(1943, 10, 2)}
    mother = [member(OURS, None, 6, day, name=name, **born_then) for day, name in spelled.items()]
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.MEMBERS: mother})
    persons = office.resolve(Q1).table("persons").filter(pl.col("nik").is_null())
    assert persons["nik_bucket"].to_list() == [int(OURS) % BUCKETS]


def test_a_newborn_adds_to_the_family_without_the_others_being_stated_again(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE))
    office.deliver(Q2, by(HUSBAND, member(OURS, None, 3, FEB, **BABY | {"birth_date": date(2026, 2, 1)})))
    assert office.resolve(Q1).family(OURS)["under_seven_count"] == 0
    ours = office.resolve(Q2).family(OURS)
    assert (ours["household_size"], ours["under_seven_count"]) == (3, 1)


def test_a_newborn_stated_again_is_one_child_even_under_the_familys_new_card(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.MEMBERS: [member(OURS, None, 3, DEC, **BABY)]})
    office.deliver(Q2, family(NEW, HUSBAND, day=FEB), {Feed.MEMBERS: [member(NEW, None, 3, FEB, **BABY)]})
    assert office.resolve(Q1).resolve(Q2).persons_of(NEW) == [HUSBAND, None]


def test_a_newborn_who_is_given_a_number_is_still_one_child(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.MEMBERS: [member(OURS, None, 3, DEC, **BABY)]})
    office.deliver(Q2, by(HUSBAND, member(OURS, CHILD, 3, FEB, **BABY)))
    assert office.resolve(Q1).persons_of(OURS) == [HUSBAND, None]
    assert office.resolve(Q2).persons_of(OURS) == [CHILD, HUSBAND]
    assert office.resolve(Q3).persons_of(OURS) == [CHILD, HUSBAND]


@pytest.mark.parametrize(
    ("number", "one", "other"),
    [
        (CHILD, {"name": "AHMAD HASAN SANTOSO"}, {"name": "AHMAD HUSIN SANTOSO"}),
        (CHILD, {"name": "RINA SANTOSO", "sex": "female"}, {"name": "RONI SANTOSO", "sex": "male"}),
        (CHILD, {"name": "RINA SANTOSO"}, {"name": "RONI SANTOSO", "birth_date": None}),
        (CHILD, {"name": "RINA SANTOSO", "birth_date": None}, {"name": "RONI SANTOSO", "birth_date": None}),
        *((None, BABY | {"name": word}, BABY | {"name": word}) for word in (
            "BLM ADA NAMA", "TDK ADA", "NO NAME", "ANAK KEDUA SITI", "ANAK BAYI SITI", "SI BAYI", "BAYI1", "JANIN",
        )),
    ],
)  # fmt: skip
def test_two_whom_one_card_states_on_one_day_are_two(office: Office, number: str | None, one: Row, other: Row) -> None:
    given: dict[str, Any] = {"name": "ANAK", "birth_date": born(CHILD), "sex": "female"}
    office.deliver(
        Q1,
        family(OURS, HUSBAND),
        {Feed.MEMBERS: [member(OURS, number, 3, NOV, **{**given, **kid}) for kid in (one, other)]},
    )
    office.resolve(Q1)
    assert office.family(OURS)["household_size"] == 3
    assert office.table("cases")["case_id"].n_unique() == (number is not None)


def test_one_whom_a_card_states_twice_with_a_shortened_name_is_one(office: Office) -> None:
    twice = [member(OURS, CHILD, 3, NOV, name=name, birth_date=born(CHILD)) for name in ("RINA PUTRI", "RINA")]
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.MEMBERS: twice})
    office.resolve(Q1)
    assert office.family(OURS)["household_size"] == 2


def test_whoever_lay_in_another_shard_has_the_periods_that_shard_holds_now(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.MEMBERS: [member(OURS, None, 3, DEC, **BABY)]})
    office.deliver(Q2, by(HUSBAND, member(OURS, CHILD, 3, FEB, **BABY)))
    first = office.resolve(Q1).registry
    office.resolve(Q2)
    key, lake = "registry/person_periods", office.house.lake
    contract, table = office.house.contracts[key], first[key]
    earlier = table.read(contract, UNNUMBERED).with_columns(valid_from=DEC)
    corrected = lake.write(contract, str(Q1), UNNUMBERED, "corrected", earlier)
    office.registry = {**first, key: replace(table, shards={**table.shards, UNNUMBERED: corrected})}
    child = office.resolve(Q2).person(CHILD)["person_id"]
    assert office.table("person_periods").filter(pl.col("person_id") == child)["valid_from"].to_list() == [DEC]


def story(office: Office, shards: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> dict[str, pl.DataFrame]:
    """Three quarters in which persons bear another number, are one, are two again and stand under a new card."""
    # Of the two who are one for a while, the name that lasts is not that of the number that is borne.
    slip, other, old = f"{HUSBAND[:-1]}9", "3510091201550001", "3510091203190020"
    baby = [member(card, None, 3, day, **BABY) for card, day in ((old, DEC), (NEW, FEB))]
    grown = BABY | {"name": "ANAK", "birth_date": date(2015, 1, 1)}
    office.deliver(Q1, family(OURS, HUSBAND), {Feed.MEMBERS: [member(OURS, None, 3, DEC, **grown)]})
    office.deliver(Q1, family(OTHERS, NEIGHBOUR), {Feed.MEMBERS: [member(OTHERS, other, 2, DEC)]})
    office.deliver(Q1, family(old, WIFE), {Feed.MEMBERS: [baby[0]]})
    same = {"name": named(other), "birth_date": born(other)}
    ours = [member(OURS, CHILD, 3, FEB, **grown), member(OURS, slip, 1, FEB, name=named(HUSBAND))]
    office.deliver(Q2, by(HUSBAND, *ours), by(NEIGHBOUR, member(OTHERS, NEIGHBOUR, 1, FEB, **same)))
    office.deliver(Q2, family(NEW, WIFE, day=FEB), {Feed.MEMBERS: [baby[1]]})
    for quarter, count in zip((Q1, Q2, Q3), shards, strict=True):
        monkeypatch.setattr(room, "_bucket_shards", lambda _, count=count: _bucket_shards(count))
        if quarter is Q3:
            ids = office.table("claims").filter(pl.col("nik").is_in([NEIGHBOUR, other]))["identity_id"].implode()
            (case,) = office.table("links").filter(pl.col("id_left").is_in(ids))["case_id"]
            apart = {"case_id": case, "ruling": "different", "role": "village_office", "decided_by": "clerk",
                     "reason": "seen", "decided_date": MAR}  # fmt: skip
            office.deliver(Q3, {Feed.ADJUDICATIONS: [apart]})
        office.resolve(quarter)
    return {name: office.table(name).sort(pl.all()) for name in ("claims", "persons", "person_periods")}


@pytest.mark.slow
def test_the_number_of_shards_changes_nothing_for_whoever_bears_another_number_leaves_or_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, many, changing = (
        story(Office.in_folder(tmp_path / str(at)), shards, monkeypatch)
        for at, shards in enumerate([(1, 1, 1), (7, 7, 7), (1, 7, 3)])
    )
    assert one["claims"]["was_here"].all()
    assert one["claims"].select("identity_id", "family_id").is_unique().all()
    # Nobody's first day is forgotten, nobody's stay has ended.
    periods = one["person_periods"]
    assert periods.height == one["persons"].height == 6
    assert (periods["valid_from"].max(), periods["valid_to"].drop_nulls().to_list()) == (BABY["birth_date"], [])
    for table, rows in one.items():
        assert many[table].equals(rows), table
        assert changing[table].equals(rows), table


# What is stated of a person


def test_the_newest_statement_about_a_person_counts_and_a_corrected_birth_date_makes_no_second_person(
    office: Office,
) -> None:
    office.deliver(Q1, family(OURS, HUSBAND))
    office.deliver(Q2, by(HUSBAND, member(OURS, HUSBAND, 1, FEB, birth_date=date(1979, 5, 15), work_position=0)))
    before = office.resolve(Q1).person(HUSBAND)
    after = office.resolve(Q2).person(HUSBAND)
    assert after["person_id"] == before["person_id"]
    assert (after["birth_date"], after["work_position"], after["stated_date"]) == (date(1979, 5, 15), 0, FEB)
    assert office.family(OURS)["household_size"] == 1


def test_an_older_statement_that_arrives_later_changes_nothing(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, day=DEC))
    office.deliver(Q2, {Feed.MEMBERS: [member(OURS, HUSBAND, 1, NOV, work_position=0)]})
    assert office.resolve(Q1).resolve(Q2).person(HUSBAND)["work_position"] == 1


# The dead


def test_when_the_head_dies_the_spouse_leads_the_family(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, WIFE, CHILD))
    office.answer(Q1, "is_deceased", found(HUSBAND, "is_deceased"))
    ours = office.resolve(Q1).family(OURS)
    assert ours["head_person_id"] == office.person(WIFE)["person_id"]
    assert (ours["head_name"], ours["living_member_count"], ours["household_size"]) == (named(WIFE), 2, 2)
    assert office.person(HUSBAND)["is_deceased"] == 1
    assert office.table("members").height == 2


def test_a_family_of_one_who_died_stays_on_record_with_nobody_living(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND))
    office.answer(Q1, "is_deceased", found(HUSBAND, "is_deceased"))
    ours = office.resolve(Q1).family(OURS)
    assert (ours["living_member_count"], ours["living_member_count_source"]) == (0, "dukcapil")
    assert ours["head_name"] == named(HUSBAND)
    assert ours["household_size"] is None
    assert office.table("members").is_empty()
    assert office.resolve(Q2).family(OURS)["living_member_count"] == 0


# What counts when


def test_what_is_dated_after_the_cut_off_waits_for_the_next_quarter_and_counts_then(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND), family(OTHERS, NEIGHBOUR, day=AFTER_CUT_OFF))
    office.deliver(Q1, {Feed.SURVEYS: [survey(OURS, AFTER_CUT_OFF, has_car=1)]})
    assert office.resolve(Q1).cards() == {OURS}
    assert office.family(OURS)["has_car"] is None
    assert office.resolve(Q2).cards() == {OURS, OTHERS}
    assert (office.family(OURS)["has_car"], office.family(OURS)["has_car_date"]) == (1, AFTER_CUT_OFF)
    assert office.resolve(Q3).family(OURS)["has_car_date"] == AFTER_CUT_OFF


def test_rows_of_a_family_that_registers_late_are_parked_and_taken_up_then(office: Office) -> None:
    waiting = {Feed.MEMBERS: [member(OURS, HUSBAND, 1, DEC)], Feed.SURVEYS: [survey(OURS, JAN, has_car=1)]}
    office.deliver(Q1, waiting, family(OTHERS, NEIGHBOUR))
    office.deliver(Q2, {Feed.REGISTRATIONS: [registration(OURS, FEB)]})
    parked = office.resolve(Q1).table("parked")
    assert parked.select("feed", "rows").rows() == [("members", 1), ("surveys", 1)]
    ours = office.resolve(Q2).family(OURS)
    assert (ours["household_size"], ours["has_car"], ours["has_car_date"]) == (1, 1, JAN)
    assert office.table("parked").is_empty()


def test_a_registration_whose_persons_come_late_is_parked_and_taken_up_then(office: Office) -> None:
    office.deliver(Q1, {Feed.REGISTRATIONS: [registration(OURS)]}, family(OTHERS, NEIGHBOUR))
    office.deliver(Q2, {Feed.MEMBERS: [member(OURS, HUSBAND, 1, FEB)]})
    assert office.resolve(Q1).cards() == {OTHERS}
    assert office.table("parked").select("feed", "rows").rows() == [("registrations", 1)]
    assert office.resolve(Q2).cards() == {OURS, OTHERS}
    assert office.table("parked").is_empty()


def test_the_answer_of_a_family_carries_who_gave_it_from_one_quarter_into_the_next(office: Office) -> None:
    office.deliver(Q1, family(OURS, HUSBAND, has_car=0, goat_count=2), {Feed.SURVEYS: [survey(OURS, has_car=1)]})
    office.deliver(Q2, {Feed.REGISTRATIONS: [registration(OURS, FEB, has_car=0, goat_count=5)]})
    ours = office.resolve(Q1).resolve(Q2).family(OURS)
    assert (ours["has_car"], ours["has_car_source"], ours["has_car_date"]) == (1, Source.AGENT_SURVEY, DEC)
    assert (ours["goat_count"], ours["goat_count_source"], ours["goat_count_date"]) == (5, Source.SELF_REPORT, FEB)


def test_a_family_not_found_at_its_address_is_known_by_the_visit_that_found_so(office: Office) -> None:
    visits = [survey(OURS, DEC, visit_result=1), survey(OURS, JAN, visit_result=5), survey(OTHERS, DEC, visit_result=4)]
    office.deliver(Q1, family(OURS, HUSBAND), family(OTHERS, NEIGHBOUR), family(NEW, WIFE), {Feed.SURVEYS: visits})
    office.resolve(Q1)
    assert [office.family(card)["address_finding"] for card in (OURS, OTHERS, NEW)] == [1, 0, None]
    ours = office.family(OURS)
    assert (ours["address_finding_source"], ours["address_finding_date"]) == (Source.AGENT_SURVEY, JAN)


@pytest.mark.parametrize(("result", "fact"), [(3, "absence_finding"), (4, "refusal_finding"), (5, "address_finding")])
def test_a_visit_that_met_nobody_or_was_refused_tells_whether_bps_or_an_agent_says_so(
    office: Office, result: int, fact: str
) -> None:
    told = {Feed.SURVEYS: [survey(OURS, DEC, visit_result=result), survey(NEW, DEC, visit_result=1)]}
    checked = {Feed.VALIDATIONS: [validation(OTHERS, DEC, visit_result=result)]}
    office.deliver(Q1, family(OURS, HUSBAND), family(OTHERS, NEIGHBOUR), family(NEW, WIFE), told, checked)
    office.resolve(Q1)
    found = [office.family(card) for card in (OURS, OTHERS, NEW)]
    assert [one[fact] for one in found] == [1, 2, 0]
    assert [one[f"{fact}_source"] for one in found] == [
        Source.AGENT_SURVEY, Source.BPS_VALIDATION, Source.AGENT_SURVEY,
    ]  # fmt: skip
    assert [one[f"{fact}_date"] for one in found] == [DEC] * 3


@pytest.mark.parametrize("count", [0, 1, 2, 3, 250, 251, 252, 1000])
def test_bucket_shards_hold_every_bucket_once_however_many_are_wanted(count: int) -> None:
    shards = _bucket_shards(count)
    buckets = [bucket for shard in shards for bucket in range(int(shard[1:4]), int(shard[5:]) + 1)]
    assert buckets == list(range(BUCKETS))
    assert len(shards) == min(max(count, 1), BUCKETS)
