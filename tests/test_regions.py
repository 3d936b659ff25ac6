"""Region codes: two systems that look alike, each in its own canonical form, joined by the bridge alone."""

import polars as pl
import pytest

from schemas.errors import UnknownRegency
from schemas.regions import bps, district_of, kemendagri, kemendagri_of, regencies, regency_name, regency_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("35", "35"),
        ("3510", "35.10"),
        ("35.10", "35.10"),
        ("351009", "35.10.09"),
        ("3510092001", "35.10.09.2001"),
        (" 35.10.09.2001 ", "35.10.09.2001"),
    ],
)
def test_kemendagri_codes_of_every_level_get_their_dots(text: str, expected: str) -> None:
    assert kemendagri(text) == expected


@pytest.mark.parametrize("text", ["91.2", "3", "351", "3510100", "35.1", "35.10.9", "35-10", "", "Banyuwangi"])
def test_what_has_the_form_of_no_level_is_refused_with_the_right_spelling(text: str) -> None:
    with pytest.raises(UnknownRegency, match=r"35\.10\.09\.2001"):
        kemendagri(text)


def test_bps_codes_are_bare_digits_and_districts_have_seven() -> None:
    assert [bps(text) for text in ("35", "3510", " 3510100", "3510100001")] == ["35", "3510", "3510100", "3510100001"]
    for text in ("35.10", "351010", "351", "3510a"):
        with pytest.raises(UnknownRegency, match="3510100"):
            bps(text)


def test_bps_1101_is_simeulue_and_not_the_regency_whose_kemendagri_digits_it_bears() -> None:
    assert kemendagri_of(bps("1101")) == "11.09"
    assert regency_name("11.09") == "Kabupaten Simeulue"
    assert regency_name(kemendagri("1101")) == "Kabupaten Aceh Selatan"


def test_the_bridge_is_one_to_one_over_all_regencies() -> None:
    bridged = [kemendagri_of(bps(code)) for code in regencies()["code_bps"]]
    assert bridged == regencies()["code"].to_list()
    assert len(set(bridged)) == 514


def test_a_regency_that_bps_does_not_know_is_refused() -> None:
    with pytest.raises(UnknownRegency, match="9999"):
        kemendagri_of(bps("9999"))


def test_a_careless_join_of_the_two_systems_matches_nothing() -> None:
    frame = regencies()
    assert frame.join(frame, left_on="code", right_on="code_bps").height == 0


def test_a_synthetic_area_is_its_own_name() -> None:
    assert regency_name("12-1-3-4") == "12-1-3-4"


def test_regency_and_district_are_read_off_a_village_code() -> None:
    frame = pl.DataFrame({"village_code": ["35.10.09.2001"]})
    found = frame.select(regency=regency_of("village_code"), district=district_of("village_code"))
    assert found.row(0) == ("35.10", "35.10.09")
