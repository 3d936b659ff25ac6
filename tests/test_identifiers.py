"""Identifiers: rejected on form, warned of on mismatch, and spread over buckets."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identifiers import BUCKETS, bucket_of, form_fault, nik_of, nik_warnings
from schemas.vocabularies import Sex

BORN = date(1985, 3, 7)


def fault(text: str | None) -> str | None:
    found = pl.DataFrame({"nik": [text]}, schema={"nik": pl.String}).select(form_fault("nik")).item()
    assert found is None or isinstance(found, str)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3510094703850001", None),
        ("3.51E+15", "identifier_through_a_number"),
        ("3,51E+15", "identifier_through_a_number"),
        ("3.51009E15", "identifier_through_a_number"),
        ("351009470385000", "identifier_length"),
        ("35100947038500011", "identifier_length"),
        ("35.10094703850001", "identifier_length"),
        ("351009470385000A", "identifier_length"),
        ("3510 0947 0385 0001", "identifier_length"),
        ("0", "identifier_length"),
        ("", "identifier_length"),
        ("1111111111111111", "identifier_repeated"),
        ("0000000000000000", "identifier_repeated"),
        ("3510094703850000", "identifier_serial"),
    ],
)
def test_each_fault_of_form_has_its_own_name(text: str, expected: str | None) -> None:
    assert fault(text) == expected


def test_an_absent_number_has_no_fault_of_form() -> None:
    assert fault(None) is None


@given(st.dates(date(1920, 1, 1), date(2026, 1, 1)), st.sampled_from(Sex), st.integers(1, 9999))
def test_a_number_written_by_the_rules_is_well_formed_and_agrees_with_its_person(
    born: date, sex: Sex, serial: int
) -> None:
    nik = nik_of("351009", born, sex, serial)
    assert fault(nik) is None
    assert nik_warnings(nik, born, sex) == ()


def test_the_day_of_a_woman_is_written_with_forty_added() -> None:
    assert nik_of("351009", BORN, Sex.FEMALE, 1) == "3510094703850001"
    assert nik_of("351009", BORN, Sex.MALE, 1) == "3510090703850001"


def test_a_mismatch_of_birth_date_or_sex_is_a_warning_and_no_fault() -> None:
    nik = nik_of("351009", BORN, Sex.FEMALE, 1)
    assert nik_warnings(nik, date(1985, 7, 3), Sex.FEMALE) == ("nik_birth_date_differs",)
    assert nik_warnings(nik, BORN, Sex.MALE) == ("nik_sex_differs",)
    assert nik_warnings(nik, date(1990, 1, 1), Sex.MALE) == ("nik_birth_date_differs", "nik_sex_differs")
    assert fault(nik) is None


def test_buckets_are_spread_evenly_and_never_leave_their_range() -> None:
    numbers = [
        nik_of("351009", date(1960 + year, 5, 17), Sex.MALE, serial) for year in range(60) for serial in range(1, 200)
    ]
    found = pl.DataFrame({"nik": numbers}).select(bucket_of("nik"))["nik"]
    assert found.dtype == pl.Int16
    assert found.is_between(0, BUCKETS - 1).all()
    sizes = found.value_counts()["count"]
    assert len(sizes) == BUCKETS
    assert sizes.max() < 2 * len(numbers) / BUCKETS  # type: ignore[operator]
