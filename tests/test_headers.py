"""Headers: found wherever they stand and however they are written; what is missing or doubled is told by name."""

from pathlib import Path

import polars as pl
import pytest

from assets.intake.formats import open_delivery
from assets.intake.headers import HeaderFit, fit_header, is_total_row, names_of, plain_name
from schemas.contract import Contract, column, contract
from schemas.errors import FileRefused
from schemas.feeds import ADDED_COLUMNS
from schemas.tables import TABLES

AGENTS = TABLES["intake/agents"]


def text(name: str, aliases: list[str], *, nullable: bool = False) -> object:
    return column(name, pl.String, name, name, source="tests", aliases=aliases, nullable=nullable)


FAMILIES: Contract = contract(
    "tests/families",
    "Families",
    "Families.",
    [
        text("family_card_number", ["no_kk"]),  # type: ignore[list-item]
        text("village_code", ["kode_desa", "kode_kelurahan_desa"], nullable=True),  # type: ignore[list-item]
        text("regency_code", ["kode_kabupaten_kota"], nullable=True),  # type: ignore[list-item]
        text("rt", ["nomor_rt"], nullable=True),  # type: ignore[list-item]
        text("rw", [], nullable=True),  # type: ignore[list-item]
        text("gold", ["g. Emas/perhiasan", "312g"], nullable=True),  # type: ignore[list-item]
    ],
    grain="family",
    order=["family_card_number"],
)


PERSONS = contract(
    "intake/persons", "Persons", "A feed of persons in which nothing is required.",
    [
        column(name, pl.String, name, name, source="test", nullable=True, aliases=aliases)
        for name, aliases in {"nik": (), "name": ("nama",), "rt": (), "rw": ()}.items()
    ],
    grain="person", order=["nik"],
)  # fmt: skip


def fitted(folder: Path, content: str, feed: Contract = FAMILIES) -> tuple[HeaderFit, pl.DataFrame]:
    file = folder / "file.csv"
    file.write_text(content, encoding="utf-8")
    delivery = open_delivery(file, names=names_of(feed))
    fit = fit_header(delivery.header, feed, delivery.name, is_named=delivery.is_named, first_row=delivery.first_row)
    return fit, pl.concat([fit.rows(chunk) for chunk in delivery.chunks()])


@pytest.mark.parametrize(
    ("header", "plain"),
    [
        ("  No. KK ", "no_kk"),
        ("NOMOR_KARTU_KELUARGA", "nomor_kartu_keluarga"),
        ("Kode Kab/Kota (6)", "kode_kab_kota"),
        ("402 Nama", "nama"),
        ("(3) NIK", "nik"),
        ("7. Luas lantai", "luas_lantai"),
        ("a. Tabung gas 5,5 kg", "tabung_gas_5_5_kg"),
        ("Désa", "desa"),
        ("301a", "301a"),
        ("307b1", "307b1"),
        ("2026", "2026"),
        ("R\N{NO-BREAK SPACE}T\n/ RW", "r_t_rw"),
    ],
)
def test_a_header_is_compared_without_numbering_case_accents_and_marks(header: str, plain: str) -> None:
    assert plain_name(header) == plain


@pytest.mark.parametrize("header", ["No. KK", "NO_KK", " no kk ", "1. No KK", "No KK (1)", "Family Card Number"])
def test_a_column_is_known_by_name_and_alias_however_written(tmp_path: Path, header: str) -> None:
    fit, rows = fitted(tmp_path, f"{header},catatan\n351,x\n")
    assert fit.columns == {"family_card_number": "c0"}
    assert fit.unknown == ("catatan",)
    assert rows["family_card_number"].to_list() == ["351"]
    assert rows.columns == ["row_number", "row_fault", *(one for one in FAMILIES.columns if one not in ADDED_COLUMNS)]


def test_titles_above_the_header_and_numbering_below_it_are_no_rows(tmp_path: Path) -> None:
    lines = ["DAFTAR KELUARGA,,", "Kabupaten Banyuwangi,,", "", "No,No KK,Emas/perhiasan", "(1),(2),(3)", "1,351,ya"]
    fit, rows = fitted(tmp_path, "\n".join(lines) + "\n")
    assert fit.first_row == 6
    assert rows.select("row_number", "family_card_number", "gold").rows() == [(6, "351", "ya")]


def test_a_header_of_two_rows_is_read_as_one(tmp_path: Path) -> None:
    lines = ["No KK,Alamat,,Desa,", ",RT,RW,Kode,Nama", "351,3,5,35.10.09.2001,Sarongan"]
    fit, rows = fitted(tmp_path, "\n".join(lines) + "\n")
    assert rows.drop("row_number", "row_fault", "regency_code", "gold").rows() == [("351", "35.10.09.2001", "3", "5")]
    assert fit.unknown == ("Nama",)
    assert fit.first_row == 3


def test_a_header_of_one_row_is_not_joined_with_the_row_below(tmp_path: Path) -> None:
    fit, rows = fitted(tmp_path, "No KK,RT,RW\nrt,rw,gold\n351,,\n")
    assert fit.first_row == 2
    assert rows["family_card_number"].to_list() == ["rt", "351"]


def test_rt_and_rw_in_one_cell_are_two_columns(tmp_path: Path) -> None:
    _, rows = fitted(tmp_path, "no_kk,RT/RW\n1,003/005\n2,RT 3 RW 5\n3,7\n4,\n")
    assert rows.select("rt", "rw").rows() == [("003", "005"), ("3", "5"), ("7", None), (None, None)]


def test_codes_delivered_level_by_level_are_put_together_and_whole_codes_kept(tmp_path: Path) -> None:
    header = "no_kk,Kode Provinsi,Kode Kabupaten/Kota,Kode Kecamatan,Kode Kelurahan/Desa\n"
    lines = ["1,35,10,9,2001", "2,35,10,090,001", "3,35,35.10,35.10.09,35.10.09.2001", "4,35,,9,2001"]
    fit, rows = fitted(tmp_path, header + "\n".join(lines) + "\n")
    assert rows["village_code"].to_list() == ["35.10.09.2001", "3510090001", "35.10.09.2001", "2001"]
    assert rows["regency_code"].to_list() == ["35.10", "35.10", "35.10", None]
    assert fit.unknown == ()


def test_a_missing_required_column_is_named_with_what_was_perhaps_meant(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"file\.csv lacks the column family_card_number\. Perhaps column 2 is named"):
        fitted(tmp_path, "rt,no_kkk\n3,351\n")
    with pytest.raises(FileRefused, match=r"lacks the column kind, regency_code\. The template of the feed shows"):
        fitted(tmp_path, "agent_id\nA1\n", AGENTS)


def test_a_lost_header_is_refused_without_quoting_the_row_that_stands_for_it(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        fitted(tmp_path, "3510094703850001,SITI AMINAH,1985-03-07\n3510094703850002,BUDI,1985-03-08\n")
    assert not {"3510094703850001", "SITI", "1985"} & set(str(refused.value).replace(".", " ").split())


def test_two_columns_of_one_name_are_refused_by_position_if_the_feed_reads_them(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"columns 1, 3 have the same name"):
        fitted(tmp_path, "No KK,x,no_kk\n1,2,3\n")
    fit, _ = fitted(tmp_path, "No KK,x,x,,\n1,2,3,,\n")
    assert fit.unknown == ("x", "x")


def test_the_feeds_own_name_goes_before_its_aliases(tmp_path: Path) -> None:
    fit, _ = fitted(tmp_path, "no_kk,family_card_number\nold,new\n")
    assert fit.columns["family_card_number"] == "c1"
    assert fit.unknown == ("no_kk",)


def test_cells_beyond_the_header_spoil_their_row_and_no_other(tmp_path: Path) -> None:
    _, rows = fitted(tmp_path, "no_kk,rt\n1,2\n1,2,3\n1,2,,\n")
    assert rows.select("row_number", "row_fault").rows() == [(2, None), (3, "too_many_cells"), (4, None)]


def test_a_row_without_content_is_no_row_unless_it_has_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "file.jsonl"
    file.write_text('{"no_kk": "1"}\n\n{"no_kk": null}\n{broken\n', encoding="utf-8")
    delivery = open_delivery(file)
    fit = fit_header(delivery.header, FAMILIES, delivery.name, is_named=True, first_row=delivery.first_row)
    (rows,) = (fit.rows(chunk) for chunk in delivery.chunks())
    assert rows.select("row_number", "row_fault").rows() == [(1, None), (4, "not_json")]


def test_every_name_and_alias_of_every_feed_is_found_as_a_header() -> None:
    for key, feed in TABLES.items():
        if not key.startswith("intake/"):
            continue
        for name in (one for one in feed.columns if one not in ADDED_COLUMNS):
            for alias in (name, *feed.columns[name].metadata["aliases"]):
                assert names_of(feed).get(plain_name(alias)) is not None, (key, alias)


def test_headers_of_real_deliveries_are_refused_for_what_they_lack(test_data: Path) -> None:
    for file in ("poverty/messy_2021.csv", "households/indonesia_2008.csv"):
        delivery = open_delivery(test_data / file)
        with pytest.raises(FileRefused, match=r"lacks the column"):
            fit_header(delivery.header, TABLES["intake/poverty_statistics"], delivery.name)


def test_a_row_of_sums_below_the_table_is_told_as_one(tmp_path: Path) -> None:
    rows = ("3510091203190004,1", "JUMLAH,1", ",Total", "Grand total : ,2", "Jumlah KK,3", "Jumlahwati,4")
    _, found = fitted(tmp_path, "no_kk,rt\n" + "\n".join(rows) + "\n")
    assert found["row_fault"].to_list() == [None, *["total_row"] * 4, None]


@pytest.mark.parametrize(
    ("cell", "is_total"),
    [
        ("Jumlah/Total", True), ("JUMLAH (TOTAL)", True), ("Jumlah Kab. Banyuwangi", True), ("TOTAL PROVINSI", True),
        ("Total Kota Batu", True), ("Jumlah nasional", True), ("Jumlah Kecamatan Srono", True),
        ("Total Persada", False), ("Jumlah Kabul", False), ("Kabupaten Banyuwangi", False), ("Totalia", False),
    ],
)  # fmt: skip
def test_sums_of_named_areas_are_sums_and_names_that_begin_alike_are_not(cell: str, is_total: bool) -> None:  # noqa: FBT001
    found = pl.DataFrame({"a": [None], "b": [cell]}, schema={"a": pl.String, "b": pl.String})
    assert found.select(is_total_row(found.columns)).item() is is_total


def test_rt_and_rw_of_which_a_spreadsheet_made_a_day_are_not_read_out_of_it(tmp_path: Path) -> None:
    _, rows = fitted(tmp_path, "no_kk,RT/RW\n351,2026-05-03 00:00:00\n352,03/05\n")
    assert rows.select("rt", "rw").rows() == [("2026-05-03 00:00:00",) * 2, ("03", "05")]


@pytest.mark.parametrize("mark", ["/", ".", "-", ":"])
def test_of_a_path_the_last_part_is_the_name(mark: str, tmp_path: Path) -> None:
    header = ",".join(
        mark.join(path) for path in (("start",), ("kk", "no_kk"), ("kk", "letak", "kode_desa"), ("meta", "id"))
    )
    fit, rows = fitted(tmp_path, f"Data lapangan,,,\n{header}\nx,351,35.10.09.2001,y\n")
    assert rows.select("family_card_number", "village_code").rows() == [("351", "35.10.09.2001")]
    assert fit.unknown == ("start", f"meta{mark}id")


def test_a_name_of_its_own_goes_before_a_path_and_a_part_given_twice_in_a_group_names_neither(tmp_path: Path) -> None:
    header = "no_kk,a/no_kk,a/x/rt,a/y/rt,b/rt,a/rw,a/kode_desa"
    fit, rows = fitted(tmp_path, f"{header}\n351,352,1,1,2,3,35.10.09.2001\n")
    assert rows.select("family_card_number", "rt", "rw", "village_code").rows() == [("351", None, "3", "35.10.09.2001")]
    assert fit.unknown == ("a/no_kk", "a/x/rt", "a/y/rt", "b/rt")


@pytest.mark.parametrize("mark", ["/", ".", "-", ":"])
@pytest.mark.parametrize("root", ["", "form"])
def test_only_paths_of_the_group_with_most_known_names_are_read(mark: str, root: str, tmp_path: Path) -> None:
    paths = (("anggota", "nik"), ("anggota", "nama"), ("anggota", "rt"), ("petugas", "nik"), ("petugas", "rw"))
    header = [mark.join(filter(None, (root, *path))) for path in paths]
    fit, rows = fitted(tmp_path, ",".join(header) + "\n351,ANI,2,9,3\n", PERSONS)
    assert rows.select("nik", "name", "rt", "rw").rows() == [("351", "ANI", "2", None)]
    assert fit.unknown == tuple(header[3:])


def test_a_questionnaire_of_families_is_read_in_all_its_groups(tmp_path: Path) -> None:
    fit, rows = fitted(tmp_path, "kk/no_kk,letak/rt,letak/rw,letak/kode_desa\n351,1,2,35.10.09.2001\n")
    assert rows.select("family_card_number", "rt", "rw", "village_code").rows() == [("351", "1", "2", "35.10.09.2001")]
    assert fit.unknown == ()


@pytest.mark.parametrize(
    "header",
    [
        "nama,anak/rt,petugas/rw",  # One column of each.
        "anak/rt,anak/nama,petugas/rw,petugas/nik",  # Two of each.
        "nama,rt,petugas/rw,petugas/nik",  # As many without a group.
    ],
)
def test_paths_of_groups_of_one_size_are_not_read_but_named(header: str, tmp_path: Path) -> None:
    names = header.split(",")
    fit, _ = fitted(tmp_path, f"{header}\n" + ",".join("1" for _ in names) + "\n", PERSONS)
    assert fit.unknown == tuple(name for name in names if "/" in name)


def test_one_header_with_a_stroke_is_no_path(tmp_path: Path) -> None:
    fit, _ = fitted(tmp_path, "no_kk,Dusun/RW\n351,Krajan/3\n")
    assert fit.unknown == ("Dusun/RW",)


@pytest.mark.parametrize(
    "cell", ["3510094703850001 SITI AMINAH", "SITI 1985-03-07", "3510.0947.0385.0001", "SITI 07/03/1985"]
)
def test_a_header_cell_that_is_somebodys_data_is_told_by_its_place(cell: str, tmp_path: Path) -> None:
    fit, _ = fitted(tmp_path, f"no_kk,{cell},catatan 2025\n351,x,y\n")
    assert fit.unknown == ("(2) ********", "catatan 2025")
