"""Who is missing: families that DTSEN or Dukcapil knows, none of whose cards and persons is on record."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.registry import resolve as room
from schemas.vocabularies import Feed
from tests.made_registry import (
    CHILD,
    HERE,
    HUSBAND,
    NEIGHBOUR,
    NEW,
    OTHERS,
    OURS,
    Q1,
    Q2,
    THERE,
    VILLAGE,
    VILLAGE_THERE,
    WIFE,
    Office,
    Row,
    family,
    named,
)

OLD, YOUNG = date(1950, 6, 1), date(1990, 6, 1)
FOURTH, FIFTH = "3510091203260012", "3510091203260020"
SIXTH = "3510095203550006"


@pytest.fixture(params=[1, pytest.param(room.FAMILIES_PER_GROUP, marks=pytest.mark.slow)])
def office(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(room, "FAMILIES_PER_GROUP", request.param)
    office = Office.in_folder(tmp_path)
    office.deliver(Q1, family(OURS, HUSBAND, WIFE))
    return office


def in_dtsen(card: str, *niks: str | None, village: str = VILLAGE, born: date = YOUNG) -> dict[Feed, list[Row]]:
    persons: list[Row] = [
        {"family_card_number": card, "nik": nik, "name": named(nik), "birth_date": born} for nik in niks
    ]
    place = {"village_code_stated": village, "member_count": len(niks)}
    return {Feed.DTSEN_FAMILIES: [{"family_card_number": card, **place}], Feed.DTSEN_PERSONS: persons}


def in_dukcapil(
    card: str, *niks: str | None, village: str = VILLAGE, born: date = YOUNG, **more: object
) -> dict[Feed, list[Row]]:
    return {
        Feed.POPULATION_REGISTER: [
            {"family_card_number": card, "nik": nik, "name": named(nik), "birth_date": born, "relation": min(at + 1, 3),
             "village_code": village, **more}
            for at, nik in enumerate(niks)
        ]
    }  # fmt: skip


def missing(office: Office) -> dict[str, dict[str, Any]]:
    return {row["family_card_number"]: row for row in office.table("outreach").to_dicts()}


def test_a_family_that_dukcapil_alone_knows_is_called_on(office: Office) -> None:
    office.deliver(Q1, in_dukcapil(NEW, NEIGHBOUR, None, address="Dusun Krajan", impairment=2))
    row = missing(office.resolve(Q1))[NEW]
    assert (row["known_to"], row["regency_code"], row["village_code"]) == ("dukcapil", HERE, VILLAGE)
    assert (row["member_count"], row["disabled_count"], row["elderly_count"]) == (2, 2, 0)
    assert (row["head_name"], row["address"], row["decile_national"]) == (named(NEIGHBOUR), "Dusun Krajan", None)
    assert [one["known"] for one in office.table("coverage").to_dicts()] == [1]


def test_a_family_that_both_know_is_listed_once_as_dtsen_has_it(office: Office) -> None:
    office.deliver(Q1, in_dtsen(OTHERS, NEIGHBOUR), in_dukcapil(OTHERS, NEIGHBOUR, CHILD, village=VILLAGE_THERE))
    assert {card: row["known_to"] for card, row in missing(office.resolve(Q1)).items()} == {OTHERS: "dtsen"}
    assert missing(office)[OTHERS]["village_code"] == VILLAGE


def test_a_family_that_dtsen_lists_under_another_card_is_the_same_family(office: Office) -> None:
    office.deliver(Q1, in_dtsen(OTHERS, NEIGHBOUR), in_dukcapil(NEW, NEIGHBOUR, CHILD))
    assert list(missing(office.resolve(Q1))) == [OTHERS]


@pytest.mark.parametrize("known", [in_dtsen, in_dukcapil])
def test_a_family_is_not_missing_if_its_card_or_one_of_its_persons_is_on_record(
    office: Office, known: Any,  # noqa: ANN401
) -> None:  # fmt: skip
    office.deliver(Q1, known(OURS, HUSBAND), known(NEW, WIFE, CHILD), known(OTHERS, NEIGHBOUR))
    assert list(missing(office.resolve(Q1))) == [OTHERS]
    (village,) = office.table("coverage").to_dicts()
    assert (village["known"], village["registered"], village["missing"]) == (3, 2, 1)


def test_whoever_registers_is_missing_no_more(office: Office) -> None:
    office.deliver(Q1, in_dukcapil(OTHERS, NEIGHBOUR))
    office.deliver(Q2, family(OTHERS, NEIGHBOUR, day=date(2026, 2, 9)))
    assert list(missing(office.resolve(Q1))) == [OTHERS]
    assert missing(office.resolve(Q2)) == {}


def test_the_elderly_are_seen_first_then_the_disabled_whoever_knows_them(office: Office) -> None:
    office.deliver(
        Q1, in_dtsen(FOURTH, CHILD), in_dukcapil(NEW, NEIGHBOUR, impairment=1), in_dukcapil(FIFTH, SIXTH, born=OLD),
        in_dukcapil(OTHERS, None, impairment=7),
    )  # fmt: skip
    rows = missing(office.resolve(Q1))
    assert sorted(rows, key=lambda card: rows[card]["priority"]) == [FIFTH, NEW, OTHERS, FOURTH]
    (village,) = office.table("coverage").to_dicts()
    assert (village["missing"], village["missing_elderly"], village["missing_disabled"]) == (4, 1, 1)


def test_a_later_delivery_says_where_a_family_lives_now(office: Office) -> None:
    office.deliver(Q1, in_dukcapil(OTHERS, NEIGHBOUR), issued_on=date(2026, 1, 2))
    office.deliver(Q1, in_dukcapil(OTHERS, NEIGHBOUR, village=VILLAGE_THERE), issued_on=date(2026, 1, 5))
    assert office.resolve(Q1).table("outreach")["village_code"].to_list() == [VILLAGE_THERE]


def test_the_last_issue_of_a_card_counts_whole(office: Office) -> None:
    office.deliver(Q1, in_dukcapil(OTHERS, NEIGHBOUR, CHILD, born=OLD, address="Lama"), issued_on=date(2026, 1, 2))
    office.deliver(
        Q1, in_dukcapil(OTHERS, NEIGHBOUR, village="35.10.09.2002", impairment=2), issued_on=date(2026, 1, 5)
    )
    row = missing(office.resolve(Q1))[OTHERS]
    assert (row["member_count"], row["elderly_count"], row["disabled_count"]) == (1, 0, 1)
    assert (row["village_code"], row["address"]) == ("35.10.09.2002", None)


def test_one_person_in_two_files_of_one_day_is_one_person(office: Office) -> None:
    for impairment in (None, 2):
        office.deliver(Q1, in_dukcapil(OTHERS, NEIGHBOUR, born=OLD, impairment=impairment))
    row = missing(office.resolve(Q1))[OTHERS]
    assert (row["member_count"], row["elderly_count"], row["disabled_count"]) == (1, 1, 1)


def test_a_card_all_of_whose_persons_stand_on_a_later_one_is_no_family(office: Office) -> None:
    office.deliver(Q1, in_dukcapil(OTHERS, NEIGHBOUR, CHILD), issued_on=date(2026, 1, 2))
    office.deliver(Q1, in_dukcapil(NEW, NEIGHBOUR, CHILD, village=VILLAGE_THERE), issued_on=date(2026, 1, 5))
    assert list(missing(office.resolve(Q1))) == [NEW]
    assert office.table("coverage")["known"].to_list() == [1]


def test_a_card_that_one_of_two_left_is_a_family_still(office: Office) -> None:
    office.deliver(Q1, in_dukcapil(OTHERS, NEIGHBOUR, CHILD), issued_on=date(2026, 1, 2))
    office.deliver(Q1, in_dukcapil(NEW, CHILD), issued_on=date(2026, 1, 5))
    assert set(missing(office.resolve(Q1))) == {OTHERS, NEW}


def test_a_family_lives_where_its_head_does_and_has_no_address_of_elsewhere(office: Office) -> None:
    away = in_dukcapil(OTHERS, NEIGHBOUR, CHILD, address="Dusun Krajan")[Feed.POPULATION_REGISTER]
    away[0] = {**away[0], "address": None}
    away[1] = {**away[1], "village_code": VILLAGE_THERE}
    office.deliver(Q1, {Feed.POPULATION_REGISTER: away})
    row = missing(office.resolve(Q1))[OTHERS]
    assert (row["village_code"], row["address"]) == (VILLAGE, None)


@pytest.mark.parametrize("left", [Feed.DTSEN_FAMILIES, None])
def test_a_family_that_dtsen_does_not_place_is_listed_as_dukcapil_has_it(office: Office, left: Feed | None) -> None:
    lost = in_dtsen(OTHERS, NEIGHBOUR)
    if left is None:
        lost[Feed.DTSEN_FAMILIES] = [{"family_card_number": OTHERS, "village_code_stated": None}]
    office.deliver(Q1, {feed: rows for feed, rows in lost.items() if feed is not left}, in_dukcapil(OTHERS, NEIGHBOUR))
    assert {card: row["known_to"] for card, row in missing(office.resolve(Q1)).items()} == {OTHERS: "dukcapil"}


def test_dukcapil_tells_who_a_family_of_dtsen_is(office: Office) -> None:
    office.deliver(Q1, in_dtsen(OTHERS, None), in_dukcapil(OTHERS, HUSBAND), in_dtsen(NEW, None))
    assert list(missing(office.resolve(Q1))) == [NEW]


def test_a_regency_that_dukcapil_alone_speaks_of_has_its_list(office: Office) -> None:
    office.deliver(Q1, in_dtsen(OTHERS, CHILD), in_dukcapil(NEW, NEIGHBOUR, village=VILLAGE_THERE))
    assert {row["regency_code"] for row in missing(office.resolve(Q1)).values()} == {HERE, THERE}


def test_a_list_of_last_quarter_that_lacks_a_newer_column_stops_no_quarter(office: Office) -> None:
    office.deliver(Q1, in_dukcapil(OTHERS, NEIGHBOUR))
    table = office.resolve(Q1).registry["registry/outreach"]
    for shard in table.shards.values():
        pl.read_parquet(shard.path).drop("known_to").write_parquet(shard.path.with_name("older.parquet"))
    shards = {name: replace(shard, path=shard.path.with_name("older.parquet")) for name, shard in table.shards.items()}
    office.registry = {**office.registry, "registry/outreach": replace(table, shards=shards)}
    assert list(missing(office.resolve(Q2))) == [OTHERS]
