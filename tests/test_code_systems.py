"""Code systems: the file of the other system is refused, stale codes are bridged where a successor is known."""

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.intake.checking import Checked, check
from assets.intake.codesystems import Tally, judged
from assets.intake.declaration import Declaration
from schemas.errors import FileRefused, UnknownRegency
from schemas.regions import reference, regencies
from schemas.tables import TABLES

KEMENDAGRI = Declaration(issued_on=date(2026, 1, 2), sender="tests")
BPS = KEMENDAGRI.model_copy(update={"code_system": "bps"})
SYNTHETIC = KEMENDAGRI.model_copy(update={"code_system": "synthetic"})


def statistics(codes: list[str | None] | pl.Series, declared: Declaration) -> Checked:
    text = pl.DataFrame({"area_code": codes}, schema={"area_code": pl.String}).with_columns(
        row_number=pl.int_range(2, pl.len() + 2, dtype=pl.Int64), vintage=pl.lit("2025-03"), poor_count=pl.lit("1000")
    )
    return check(text, TABLES["intake/poverty_statistics"], declared)


def agents(codes: list[str | None], column: str, declared: Declaration = KEMENDAGRI) -> Checked:
    fixed = {"agent_id": "A1", "kind": "tksk", "regency_code": "35.10", "village_code": None}
    text = pl.DataFrame([fixed | {column: code} for code in codes], schema=dict.fromkeys(fixed, pl.String))
    text = text.with_columns(row_number=pl.int_range(2, pl.len() + 2, dtype=pl.Int64))
    return check(text, TABLES["intake/agents"], declared)


def told(checked: Checked) -> list[tuple[int, str]]:
    return checked.reasons.select("row_number", pl.col("reason").cast(pl.String)).rows()


def refusal(codes: list[str | None] | pl.Series, declared: Declaration) -> str:
    with pytest.raises(UnknownRegency) as refused:
        statistics(codes, declared)
    return str(refused.value)


@pytest.mark.parametrize("way", ["dotted", "bare", "marked", "decimals"])
def test_kemendagri_codes_are_read_however_they_are_written(way: str) -> None:
    bare = regencies()["code"].str.replace(".", "", literal=True)
    codes = {"dotted": regencies()["code"], "bare": bare, "marked": "'" + bare, "decimals": bare + ".0"}[way]
    checked = statistics(codes, KEMENDAGRI)
    assert told(checked) == []
    assert checked.accepted["area_code"].to_list() == regencies()["code"].to_list()


def test_every_bps_code_becomes_the_kemendagri_code_of_the_same_regency() -> None:
    assert statistics(regencies()["code_bps"], BPS).accepted["area_code"].to_list() == regencies()["code"].to_list()


def test_the_file_of_the_other_system_is_refused_with_that_sentence() -> None:
    assert "is no kemendagri code; the file's codes look like bps" in refusal(regencies()["code_bps"], KEMENDAGRI)
    bare = regencies()["code"].str.replace(".", "", literal=True)
    for codes in (regencies()["code"], bare):
        assert "Declare code_system: kemendagri for this file." in refusal(codes, BPS)


def test_the_sentence_names_the_regency_of_today_even_for_a_stale_code() -> None:
    reason = refusal(["9435", "9435"], KEMENDAGRI)
    assert "'9435' is no kemendagri code" in reason
    assert "(Kabupaten Intan Jaya, Kemendagri 94.07)" in reason
    assert "(Kabupaten Tolikara, Kemendagri 95.04)" in refusal(["91.14"], BPS)


def test_codes_that_are_good_in_both_systems_are_taken_as_declared() -> None:
    # BPS 1101 is another regency than Kemendagri 11.01: only the declaration can tell.
    assert statistics(["1101"], KEMENDAGRI).accepted["area_code"].to_list() == ["11.01"]
    assert statistics(["1101"], BPS).accepted["area_code"].to_list() == ["11.09"]


def test_the_whole_file_decides_and_not_the_chunk_that_shows_it_first() -> None:
    tally = Tally(KEMENDAGRI)
    tally.judge(pl.Series("regency_code", ["9419", "9419"]))
    with pytest.raises(UnknownRegency, match="'9419' is no kemendagri code"):
        tally.refuse_other_system()
    tally.judge(pl.Series("regency_code", ["35.10", "35.11", None]))
    tally.refuse_other_system()
    tally.judge(pl.Series("regency_code", ["9409"]))
    with pytest.raises(UnknownRegency, match="'9409' is no kemendagri code"):
        tally.refuse_other_system()


def test_a_code_that_fits_neither_system_is_quoted_in_no_refusal() -> None:
    reason = refusal(["3510094703850001", "9409"], KEMENDAGRI)
    assert "3510094703850001" not in reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("91.2", "code_through_a_number"),
        ("35.1", "code_through_a_number"),
        ("3.51E+03", "code_through_a_number"),
        ("3,51E3", "code_through_a_number"),
        ("99.99", "unknown_region"),
        ("9999", "unknown_region"),
        ("91.14", None),
        ("Banyuwangi", "regency_code"),
        ("351", "regency_code"),
        ("35.10.09", "regency_code"),
        (None, "missing"),
    ],
)
def test_a_wrong_regency_code_is_told_what_became_of_it(code: str | None, reason: str | None) -> None:
    assert told(agents([code], "regency_code")) == ([] if reason is None else [(2, reason)])


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("3.51E+09", "code_through_a_number"),
        ("99.99.01.2001", "unknown_region"),
        ("91.14.01.2001", "stale_region"),
        ("9114012001", "stale_region"),
        ("35.10.09.0001", "village_code"),
        ("35.10.09", "village_code"),
        ("95.04.01.2001", None),
        ("3510092001.0", None),
        (None, None),
    ],
)
def test_a_wrong_village_code_is_told_what_became_of_it(code: str | None, reason: str | None) -> None:
    assert told(agents([code], "village_code")) == ([] if reason is None else [(2, reason)])


def test_stale_regency_codes_of_both_systems_become_those_of_today() -> None:
    for declared in (KEMENDAGRI, BPS):
        stale = reference("successors").filter(system=declared.code_system)
        checked = statistics(stale["code"], declared)
        assert told(checked) == []
        assert checked.accepted["area_code"].to_list() == stale["successor"].to_list()


def test_the_total_of_a_province_is_taken_and_that_of_the_country_or_a_village_is_no_area() -> None:
    assert told(statistics(["35.10", "35", "3500", "0000", "35.10.09.2001"], KEMENDAGRI)) == [
        (row, "unknown_region") for row in (4, 5, 6)
    ]
    assert told(statistics(["3510", "3500", "9999"], BPS)) == [(4, "unknown_region")]


def test_areas_of_any_level_are_bridged_and_regions_not_in_the_tables_yet_are_taken() -> None:
    def canonical(system: str, *codes: str) -> list[str]:
        found = judged(pl.Series("area_code", codes), system, is_any_level=True)
        assert found["fault"].null_count() == len(codes)
        return found["canonical"].to_list()

    assert canonical("kemendagri", "35", "3510", "351009", "3510092001", "99.01") == [
        "35", "35.10", "35.10.09", "35.10.09.2001", "99.01",
    ]  # fmt: skip
    assert canonical("bps", "35", "3500", "3510", "3510010", "97", "9401") == [
        "35", "35", "35.10", "35.10.01", "95", "93.01",
    ]  # fmt: skip


def test_villages_in_bps_codes_are_refused_and_a_file_without_villages_is_not() -> None:
    with pytest.raises(FileRefused, match="villages in BPS codes cannot be bridged here"):
        agents(["3510100001"], "village_code", BPS)
    assert told(agents(["3510", "1101"], "regency_code", BPS)) == []


def test_one_code_of_the_other_system_among_many_is_a_wrong_row_and_no_wrong_file() -> None:
    checked = agents(["35.10", "11.09", "9419"], "regency_code")
    assert told(checked) == [(4, "unknown_region")]


def test_synthetic_areas_are_taken_as_they_are() -> None:
    checked = statistics(["12-1-3-4", "3510", "91.2", "91.14"], SYNTHETIC)
    assert checked.accepted["area_code"].to_list() == ["12-1-3-4", "3510", "91.2", "91.14"]


# The table of successors


def test_each_stale_code_has_one_successor_of_today_and_is_none_itself() -> None:
    frame, now = reference("successors"), regencies()
    assert frame.columns == ["system", "code", "successor", "name", "source", "reference_date"]
    assert dict(frame["system"].value_counts().iter_rows()) == {"bps": 26, "kemendagri": 26}
    assert frame.select("system", "code").is_unique().all()
    assert frame.select("system", "successor").is_unique().all()
    assert set(frame["successor"]) <= set(now["code"])
    assert set(frame.filter(system="kemendagri")["code"]) & set(now["code"]) == set()
    assert set(frame.filter(system="bps")["code"]) & set(now["code_bps"]) == set()
    named = frame.join(now, left_on="successor", right_on="code", suffix="_now")
    assert named["name"].to_list() == named["name_now"].to_list()
    for column in ("source", "reference_date"):
        assert frame[column].str.len_chars().min() > 0  # type: ignore[operator]


def test_the_successors_are_those_of_the_bridge_of_2020_by_name(test_data: Path) -> None:
    bridge = pl.read_csv(test_data / "regions" / "bridge_bps_kemendagri_regencies.csv", infer_schema=False)
    code = pl.concat_str(pl.col("kode_dagri").str.head(2), pl.lit("."), pl.col("kode_dagri").str.tail(2))
    bridge = bridge.with_columns(code=code).filter(~pl.col("code").is_in(regencies()["code"].implode()))
    shipped = {
        (row["system"], row["code"]): re.sub("^(Kabupaten|Kota) ", "", row["name"]).upper()
        for row in reference("successors").iter_rows(named=True)
    }
    assert {("bps", row["kode_bps"]): row["nama_bps"] for row in bridge.iter_rows(named=True)} | {
        ("kemendagri", row["code"]): row["nama_bps"] for row in bridge.iter_rows(named=True)
    } == shipped
