"""Official deciles of DTSEN on the record: by card, the one in force before older ones, the latest word."""

from datetime import date
from pathlib import Path

import pytest

from schemas.vocabularies import Feed
from tests.made_registry import DEC, FEB, HUSBAND, NEIGHBOUR, NOV, OTHERS, OURS, Q1, Q2, WIFE, Office, Row, family

NEW_CARD = "3510010202260007"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office.in_folder(tmp_path)
    made.deliver(Q1, family(OURS, HUSBAND, WIFE), family(OTHERS, NEIGHBOUR))
    return made


def listed(card: str, *deciles: int | None) -> dict[Feed, list[Row]]:
    names = ("decile_national", "decile_province", "decile_regency")
    return {Feed.DTSEN_FAMILIES: [{"family_card_number": card, **dict(zip(names, deciles, strict=True))}]}


def deciles(office: Office, card: str) -> tuple[int | None, ...]:
    record = office.family(card)
    return tuple(record[f"official_decile_{frame}"] for frame in ("national", "province", "regency"))


def test_a_family_has_the_deciles_of_its_card_and_another_has_none(office: Office) -> None:
    office.deliver(Q1, listed(OURS, 3, 4, 2))
    office.resolve(Q1)
    assert deciles(office, OURS) == (3, 4, 2)
    assert deciles(office, OTHERS) == (None, None, None)


def test_they_stand_until_another_delivery_replaces_them(office: Office) -> None:
    office.deliver(Q1, listed(OURS, 3, 4, 2))
    office.resolve(Q1).resolve(Q2)
    assert deciles(office, OURS) == (3, 4, 2)


def test_of_two_deliveries_the_latest_counts_whole(office: Office) -> None:
    office.deliver(Q1, listed(OURS, 3, 4, 2), issued_on=NOV)
    office.deliver(Q1, listed(OURS, 6, None, 5), issued_on=DEC)
    office.resolve(Q1)
    assert deciles(office, OURS) == (6, None, 5)


def test_a_family_that_dtsen_knows_under_an_old_card_is_found_and_the_card_in_force_goes_before(office: Office) -> None:
    office.deliver(Q1, listed(OURS, 3, 4, 2), issued_on=DEC)
    office.resolve(Q1)
    office.deliver(Q2, family(NEW_CARD, HUSBAND, WIFE, day=FEB, is_ikd_verified=True))
    office.resolve(Q2)
    assert deciles(office, NEW_CARD) == (3, 4, 2)
    assert office.cards() == {NEW_CARD, OTHERS}


def test_the_card_in_force_goes_before_an_older_one_of_a_later_delivery(office: Office) -> None:
    office.deliver(Q1, listed(OURS, 3, 4, 2))
    office.resolve(Q1)
    office.deliver(Q2, family(NEW_CARD, HUSBAND, WIFE, day=FEB, is_ikd_verified=True))
    office.deliver(Q2, listed(NEW_CARD, 7, 7, 7), issued_on=date(2026, 4, 1))
    office.deliver(Q2, listed(OURS, 1, 1, 1), issued_on=date(2026, 4, 2))
    office.resolve(Q2)
    assert deciles(office, NEW_CARD) == (7, 7, 7)
