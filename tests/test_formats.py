"""Formats: a file is known by its content, every cell comes as text, and a broken row does not break its neighbours."""

import base64
import csv
import datetime as dt
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.intake import delimited
from assets.intake.containers import LIMITS
from assets.intake.formats import Delivery, open_delivery
from schemas.errors import FileRefused

HEADER = ("agent_id", "kind", "regency_code", "note")
ROWS = (
    ("A1", "tksk", "35.10", "Jalan Melati 5, RT 3"),
    ("A2", "tksk", "35.11", None),
    ("A3", "dasa_wisma", "91.20", "Nuraini \N{EN DASH} Désa"),
)
XLS = (
    "ABzY8000000t4+>O=uHQ5dPj~^H-8It*OuoB^0b$OGsK2J+!fc_GGDE6cOS!8zdwo5`$0=TCF(>f+xjGp%*VzFaDqhy?GESdJq&L(W56p!9$yM"
    "-sB~wnnMFxwCuO+yqS43^WMIn*|+;@xvRWzzpsK{Fb)T*mKUxjouJ!W7lNRA%aUxp^w4eD_^;sg&_ueNc;bKQmUAfQy8;dO^yfr@k942HSxn_~"
    "sqhBkAosx#vJYcK1#XijfL`uZH`653EllsS<x{2ySaXf(7}=J^Ni4^whW4pdd_o)Gx&UO{hwSr?H8J$yg<Qp#u8W$j6BC8Bk^MI-`gI=`LGw15"
    "%B2cMwu}%>;3B?RVc=_hr#=hY`i<2KkpBBxy}O0}hNc5^uuk&=FTn?0mo+*}qiC$aK!-}Xlv<55sa!FUHpwEB&Y3=-kRnxbHj&JmDH6}8vsp4?"
    "krwkrj4X?pa~UTvx+fBg`c)Z;?vIQ_qcLeS!VPc^2(HNie%>2Cq9!_-@8TU2q^_*o`SSY6%yc}#nmNw<wYS4|`9QF6S$dFjfNLD6Jrpp+9=n-d"
    ";i%h~?_(OGbxq~qbdO>V&$G={t{tRyMj3D7JDT{N#FsuFebit26yHVs(q!dAXz6Wy0RuF2Ci%;29>Zc-+`1|8I9@M>$|N6{_WqVtJX%oo-BPc>"
    "POS2zfW||jCdtte4M|gDRg)YfIaDmsB9`D-y0RA>%h`}*ELTI4vD_+_)*_b1u{_FNYs9*!NlC_fzn6?P7x6OIxYmsa(us2BPjtYB4I4IW*sx*4"
    "#%6`!^J?vkF3+G&b^dp&|2nI5SMA><n-<5Ar>jUGriYNDvVhsP*3VWrMLm{Sr%(NVp~P`&y?_j6xF4Ce*Drm)iRR~7w`1_nZJ~DCueQ_Azuf*0"
    "BPaLH02TlM"
)
"""A workbook of Excel 97: four columns, two rows, one code that went through a number."""


def text_of(rows: Iterable[Iterable[str | None]], delimiter: str = ",", *, quote: bool = False) -> str:
    out = io.StringIO()
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=quoting).writerows(
        [cell or "" for cell in row] for row in rows
    )
    return out.getvalue()


def written(folder: Path, data: bytes | str, name: str = "file.csv") -> Path:
    file = folder / name
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


def cells(delivery: Delivery) -> list[tuple[str | None, ...]]:
    chunks = list(delivery.chunks())
    return [row for chunk in chunks for row in chunk.drop("row_number", "row_fault").iter_rows()]


def numbers(delivery: Delivery) -> list[int]:
    return [number for chunk in delivery.chunks() for number in chunk["row_number"]]


def faults(delivery: Delivery) -> dict[int, str]:
    return {
        number: fault
        for chunk in delivery.chunks()
        for number, fault in chunk.select("row_number", "row_fault").iter_rows()
        if fault
    }


def refusal(file: Path) -> str:
    with pytest.raises(FileRefused) as refused:
        for _ in open_delivery(file).chunks():
            pass
    return str(refused.value)


def workbook(file: Path, fill: Callable[[xlsxwriter.Workbook], object]) -> Path:
    with xlsxwriter.Workbook(file) as book:
        fill(book)
    return file


def sheet(book: xlsxwriter.Workbook, rows: Iterable[Iterable[object]], name: str = "data") -> None:
    added = book.add_worksheet(name)
    for at, row in enumerate(rows):
        added.write_row(at, 0, [cell if cell is not None else "" for cell in row])


def ods(file: Path, rows: Iterable[Iterable[str | None]], attributes: str = "") -> Path:
    body = "".join(
        f"<table:table-row{attributes}>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell or ""}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="data">{body}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return file


def test_decimals_of_parquet_have_one_reading(tmp_path: Path) -> None:
    figures = [Decimal("1.234"), Decimal("567.000"), Decimal("89.120"), None]
    file = tmp_path / "file.parquet"
    pl.DataFrame({"weight": pl.Series(figures, dtype=pl.Decimal(10, 3))}).write_parquet(file)
    assert cells(open_delivery(file)) == [("1.2340",), ("567",), ("89.1200",), (None,)]


# Delimited text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", [False, True])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_csv_of_any_delimiter_quoting_and_line_end_gives_the_same_cells(
    tmp_path: Path, delimiter: str, line_end: str, *, quote: bool
) -> None:
    text = text_of([HEADER, *ROWS], delimiter, quote=quote).replace("\n", line_end)
    delivery = open_delivery(written(tmp_path, text))
    assert delivery.kind == "csv"
    assert delivery.header[0] == HEADER
    assert cells(delivery) == [HEADER, *ROWS]
    assert numbers(delivery) == [1, 2, 3, 4]
    assert faults(delivery) == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_csv_of_any_encoding_gives_the_same_cells(tmp_path: Path, encoding: str) -> None:
    delivery = open_delivery(written(tmp_path, text_of([HEADER, *ROWS], ";").encode(encoding)))
    assert delivery.header[0] == HEADER
    assert cells(delivery) == [HEADER, *ROWS]


def test_lines_of_two_encodings_in_one_file_are_each_read_in_their_own(tmp_path: Path) -> None:
    data = "kode,nama\n1,Désa\n".encode() + "2,Désa\n".encode("cp1252")
    assert cells(open_delivery(written(tmp_path, data)))[1:] == [("1", "Désa"), ("2", "Désa")]


def test_a_cell_may_hold_line_breaks_delimiters_and_quotation_marks(tmp_path: Path) -> None:
    rows = [("kode", "alamat", "nama"), ("1", 'Jalan "Baru"\nRT 3, RW 5', "A"), ("2", "x", "B")]
    delivery = open_delivery(written(tmp_path, text_of(rows)))
    assert cells(delivery) == rows
    assert numbers(delivery) == [1, 2, 3]
    assert faults(delivery) == {}


def test_blank_lines_are_counted_as_rows_and_hold_nothing(tmp_path: Path) -> None:
    delivery = open_delivery(written(tmp_path, "a,b\n\n1,2\n\n\n3,4\n"))
    known = [number for number, row in zip(numbers(delivery), cells(delivery), strict=True) if any(row)]
    assert known == [1, 3, 6]


def test_spaces_around_cells_and_marks_that_keep_text_text_are_taken_off(tmp_path: Path) -> None:
    text = 'kode , nama,x\n 35.10,\xa0Ani\xa0 ,="0012"\n\'0012," ",\'\'\n'
    assert cells(open_delivery(written(tmp_path, text))) == [
        ("kode", "nama", "x"),
        ("35.10", "Ani", "0012"),
        ("0012", None, "''"),
    ]


def test_the_line_that_tells_excel_the_delimiter_is_followed(tmp_path: Path) -> None:
    delivery = open_delivery(written(tmp_path, "sep=;\na,b;c\n1,5;2\n"))
    assert cells(delivery)[1:] == [("a,b", "c"), ("1,5", "2")]


def test_a_row_of_too_many_cells_is_named_and_the_others_stay(tmp_path: Path) -> None:
    delivery = open_delivery(written(tmp_path, "a,b,c\n1,2,3\n" * 30 + "1,2,3,4\n5,6,7,,\n8,9,0\n"))
    assert faults(delivery) == {61: "too_many_cells"}
    assert cells(delivery)[-2:] == [("5", "6", "7"), ("8", "9", "0")]


@pytest.mark.parametrize("stray", ['"2', '"2"x"', '2" ', 'x"2'])
def test_a_stray_quotation_mark_spoils_no_other_row(tmp_path: Path, stray: str) -> None:
    lines = [f"{at},x,y" for at in range(40)]
    delivery = open_delivery(written(tmp_path, "\n".join(["a,b,c", *lines, f"S,{stray},y", *lines, ""])))
    found = cells(delivery)
    assert len(found) == 82
    assert found[:41] == [("a", "b", "c"), *((str(at), "x", "y") for at in range(40))]
    assert found[42:] == [(str(at), "x", "y") for at in range(40)]
    assert set(faults(delivery)) <= {42}


def test_rows_swallowed_between_two_stray_marks_are_given_back(tmp_path: Path) -> None:
    lines = ["a,b,c,d,e", '1,"x,2,3,4', "2,x,2,3,4", "3,x,2,3,4", '4,x",2,3,4', "5,x,2,3,4"]
    delivery = open_delivery(written(tmp_path, "\n".join(lines) + "\n"))
    assert [row[0] for row in cells(delivery)] == ["a", "1", "2", "3", "4", "5"]
    assert faults(delivery) == {2: "open_quote"}


def test_a_last_row_that_ends_in_the_middle_is_named(tmp_path: Path) -> None:
    whole = "a,b,c\n" + "1,2,3\n" * 30
    assert faults(open_delivery(written(tmp_path, whole + "1,2"))) == {32: "cut_short"}
    assert faults(open_delivery(written(tmp_path, whole + "1,2,3"))) == {}
    assert faults(open_delivery(written(tmp_path, whole + "1,2\n"))) == {}


def test_cells_do_not_depend_on_where_blocks_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("a", "b", "c"), *((str(at), f'x "{at}"\n, y' if at % 7 == 0 else "Désa", "") for at in range(500))]
    text = text_of(rows) + '9,"open,1\n' + text_of(rows) + "1,2,3,4\n"
    file = written(tmp_path, text)
    whole = open_delivery(file)
    expected = cells(whole), numbers(whole), faults(whole)
    assert len(expected[0]) == 1004
    for size in (64, 1000, 4096):
        monkeypatch.setattr(delimited, "_BLOCK_BYTES", size)
        monkeypatch.setattr(delimited, "CHUNK_ROWS", 50)
        again = open_delivery(file)
        assert (cells(again), numbers(again), faults(again)) == expected


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\x1b", exclude_categories=["Cs", "Cc"]), max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=12), st.sampled_from(",;\t|"))
def test_what_a_csv_writer_writes_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], delimiter: str
) -> None:
    file = tmp_path_factory.mktemp("csv") / "file.csv"
    file.write_text(text_of([("kode", "nama", "alamat"), *rows], delimiter, quote=True), encoding="utf-8")
    delivery = open_delivery(file)
    expected = [tuple(delimited.bare(cell) or None for cell in row) for row in rows]
    assert cells(delivery)[1:] == expected
    assert faults(delivery) == {}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_whatever_the_bytes_every_line_is_a_row_or_the_file_is_refused(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes
) -> None:
    file = tmp_path_factory.mktemp("bytes") / "file.csv"
    file.write_bytes(b"kode,nama,alamat\n1,2,3\n" + tail)
    try:
        delivery = open_delivery(file)
        found = numbers(delivery)
    except FileRefused:
        return
    assert found == sorted(set(found))
    assert found[0] == 1


# Workbooks


def test_a_workbook_gives_its_cells_as_a_reader_sees_them(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        added = book.add_worksheet("data")
        added.write_row(2, 1, ["nik", "date", "code", "yes", "wrong", "sum", "text"])
        added.write_number(3, 1, 3510094703850001)
        added.write_datetime(3, 2, dt.datetime(2026, 4, 1), book.add_format({"num_format": "dd/mm/yyyy"}))  # noqa: DTZ001
        added.write_number(3, 3, 91.2)
        added.write_boolean(3, 4, True)  # noqa: FBT003
        added.write_formula(3, 5, "=1/0", None, "#DIV/0!")
        added.write_formula(3, 6, "=1+1", None, 2)
        added.write_string(3, 7, " =1+1 ")
        added.write_string(5, 1, "00123")

    delivery = open_delivery(workbook(tmp_path / "file.xlsx", fill))
    assert delivery.kind == "workbook"
    by_number = dict(zip(numbers(delivery), cells(delivery), strict=True))
    assert by_number[3] == ("nik", "date", "code", "yes", "wrong", "sum", "text")
    assert by_number[4] == ("3510094703850001", "2026-04-01 00:00:00", "91.2", "true", "#DIV/0!", "2", "=1+1")
    assert by_number[6][0] == "00123"
    assert [number for number, row in by_number.items() if any(row)] == [3, 4, 6]


def test_the_sheet_with_the_wanted_columns_is_read_and_a_hidden_one_never(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet(book, [["read this first"]], "notes")
        sheet(book, [HEADER[:2], ("hidden", "x")], "old")
        sheet(book, [HEADER, *ROWS], "data")
        book.get_worksheet_by_name("old").hide()

    file = workbook(tmp_path / "file.xlsx", fill)
    assert cells(open_delivery(file, names=set(HEADER)))[1:] == list(ROWS)
    assert cells(open_delivery(file)) == [("read this first",)]


def test_a_table_in_several_sheets_is_refused_rather_than_read_in_part(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook, second: Iterable[Iterable[object]], name: str) -> None:
        sheet(book, [HEADER, *ROWS], "Kec. Muncar")
        sheet(book, second, name)

    both = workbook(tmp_path / "both.xlsx", lambda book: fill(book, [["Kec. Rogojampi"], HEADER, ["A9"]], "2"))
    with pytest.raises(FileRefused, match=r"both\.xlsx holds this table in 2 sheets, .*: Kec. Muncar, 2\. Put them"):
        open_delivery(both, names=set(HEADER))
    for second, name in (([HEADER], "empty"), ([HEADER, *ROWS], "contoh"), ([["agent_id"], ["A9"]], "summary")):
        alone = workbook(tmp_path / f"{name}.xlsx", lambda book: fill(book, second, name))  # noqa: B023
        assert cells(open_delivery(alone, names=set(HEADER)))[1:] == list(ROWS)


def test_of_two_sheets_with_the_header_the_one_with_rows_is_read(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet(book, [HEADER], "data")
        sheet(book, [HEADER, *ROWS], "Sheet2")

    file = workbook(tmp_path / "file.xlsx", fill)
    assert cells(open_delivery(file, names=set(HEADER)))[1:] == list(ROWS)


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_marks_without_width_are_no_part_of_a_cell(form: str, tmp_path: Path) -> None:
    odd = ("\u200bA1\ufeff", "t\u00adksk", "\u200e35.10\u2060", "\ufeff")
    file = tmp_path / f"file.{form}"
    if form == "csv":
        written(tmp_path, ",".join(HEADER) + "\n" + ",".join(odd) + "\n")
    elif form == "xlsx":
        workbook(file, lambda book: sheet(book, [HEADER, odd]))
    else:
        file.write_text(json.dumps(dict(zip(HEADER, odd, strict=True))), encoding="utf-8")
    assert cells(open_delivery(file))[-1] == ("A1", "tksk", "35.10", None)


def test_rows_that_an_interface_wrapped_into_an_object_are_read(tmp_path: Path) -> None:
    rows = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    for indent in (None, 2):
        wrapped = {"status": "OK", "page": [1, 2], "data": rows, "meta": {"data": []}}
        delivery = open_delivery(written(tmp_path, json.dumps(wrapped, indent=indent), "file.json"))
        assert (delivery.kind, cells(delivery)) == ("json", list(ROWS))
    line = json.dumps({"agent_id": "A1", "data": "x"})
    assert open_delivery(written(tmp_path, line)).kind == "json_lines"


def test_an_old_workbook_and_open_document_are_read_whatever_they_are_called(tmp_path: Path) -> None:
    old = open_delivery(written(tmp_path, gzip.decompress(base64.b85decode(XLS)), "file.xlsx"))
    assert cells(old)[1:] == [("A1", "tksk", "35.10", "35.10.09.2001"), ("A2", "tksk", "35.1", None)]
    open_document = open_delivery(ods(tmp_path / "file.xls", [HEADER, *ROWS]))
    assert cells(open_document) == [HEADER, *ROWS]


def test_a_workbook_without_anything_in_it_is_refused(tmp_path: Path) -> None:
    assert "no visible sheet" in refusal(workbook(tmp_path / "file.xlsx", lambda book: book.add_worksheet()))


# Parquet and JSON


def test_parquet_of_any_types_gives_text(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "nik": [3510094703850001, None],
            "date": [dt.date(2026, 4, 1), None],
            "share": [91.2, 0.5],
            "yes": [True, False],
            "word": pl.Series([" a ", ""], dtype=pl.Categorical),
        }
    )
    frame.write_parquet(tmp_path / "file.csv")
    delivery = open_delivery(tmp_path / "file.csv")
    assert (delivery.kind, delivery.is_named, delivery.first_row) == ("parquet", True, 2)
    assert delivery.header == (("nik", "date", "share", "yes", "word"),)
    assert cells(delivery) == [
        ("3510094703850001", "2026-04-01", "91.2", "true", "a"),
        (None, None, "0.5", "false", None),
    ]
    assert numbers(delivery) == [2, 3]


def test_parquet_with_lists_in_a_column_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1], "b": [[1, 2]]}).write_parquet(tmp_path / "file")
    assert "column 2 holds lists or structures" in refusal(tmp_path / "file")


def test_json_lines_keep_numbers_as_written_and_name_a_line_that_is_none(tmp_path: Path) -> None:
    lines = ['{"nik": 3510094703850001, "code": 91.20}', "", '{"code": "35.10", "ya": true', '{"late": {"a": [1]}}']
    delivery = open_delivery(written(tmp_path, "\n".join(lines)))
    assert (delivery.kind, delivery.first_row) == ("json_lines", 1)
    assert delivery.header == (("nik", "code", "late"),)
    assert cells(delivery)[0] == ("3510094703850001", "91.20", None)
    assert cells(delivery)[3] == (None, None, '{"a":["1"]}')
    assert faults(delivery) == {3: "not_json"}


def test_an_array_of_objects_is_a_table(tmp_path: Path) -> None:
    file = written(tmp_path, json.dumps([dict(zip(HEADER, row, strict=True)) for row in ROWS], indent=2))
    assert cells(open_delivery(file)) == list(ROWS)


_TABLE = '[{"agent_id": "A1", "kind": "x"}]'
_COLLECTION = '{"type": "FeatureCollection", "features": [{"properties": {"agent_id": "A1"}, "geometry": null}]}'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (_TABLE + _TABLE, "["),
        (_TABLE + "\n" + _TABLE[1:-1], "{"),
        (_COLLECTION + "\n" + _COLLECTION, "{"),
        (f'{{"data": {_TABLE}}}\n{{"data": {_TABLE}}}', "{"),
        (f'{{"data": {_TABLE}, "records": {_TABLE}}}', '"records"'),
        (f'{{"data": {_TABLE}, "features": {_TABLE}}}', '"features"'),
        (f'{{"features": {_TABLE}, "data": {_TABLE}}}', '"data"'),
        (f'{{"data": {_TABLE}, "data2": {_TABLE}}}', "["),
        (f'{{"page2": {_TABLE}, "data": {_TABLE}}}', "["),
    ],
)
def test_json_behind_the_first_table_refuses_the_file(tmp_path: Path, text: str, found: str) -> None:
    assert f"after the first stands {found}, which" in refusal(written(tmp_path, text, "file.json"))


def test_what_an_interface_tells_beside_its_rows_is_no_second_table(tmp_path: Path) -> None:
    text = f'{{"links": [{{"url": "x"}}], "data": {_TABLE}, "results": [], "errors": ["x"], "meta": {{"page": 1}}}}\n '
    assert cells(open_delivery(written(tmp_path, text, "file.json"))) == [("A1", "x")]


def test_geojson_gives_properties_and_geometry(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [114.25, -8.5]}
    collection = {
        "crs": {"name": "x"},
        "features": [{"type": "Feature", "properties": {"kode": "35.10", "nama": "Banyuwangi"}, "geometry": point}],
        "type": "FeatureCollection",
    }
    delivery = open_delivery(written(tmp_path, json.dumps(collection)))
    assert delivery.kind == "geojson"
    assert delivery.header == (("kode", "nama", "geometry"),)
    assert cells(delivery) == [("35.10", "Banyuwangi", '{"type":"Point","coordinates":[114.25,-8.5]}')]


def test_a_boundary_longer_than_a_cell_is_kept_whole(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": [[114.25, -8.5]] * 10_000}
    collection = {"type": "FeatureCollection", "features": [{"properties": {"kode": "1"}, "geometry": line}]}
    (row,) = cells(open_delivery(written(tmp_path, json.dumps(collection))))
    assert json.loads(row[1] or "") == line


# Packed


@pytest.mark.parametrize("inner", ["csv", "xlsx", "parquet", "jsonl"])
@pytest.mark.parametrize("packing", ["gzip", "zip"])
def test_each_kind_is_read_out_of_gzip_and_zip_as_well(tmp_path: Path, inner: str, packing: str) -> None:
    file = tmp_path / f"file.{inner}"
    match inner:
        case "csv":
            file.write_text(text_of([HEADER, *ROWS]), encoding="utf-8")
        case "xlsx":
            workbook(file, lambda book: sheet(book, [HEADER, *ROWS]))
        case "parquet":
            pl.DataFrame(ROWS, HEADER, orient="row").write_parquet(file)
        case _:
            pl.DataFrame(ROWS, HEADER, orient="row").write_ndjson(file)
    packed = tmp_path / "packed"
    if packing == "gzip":
        packed.write_bytes(gzip.compress(file.read_bytes()))
    else:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(file, "folder/data.bin")
            archive.writestr("__MACOSX/._data.bin", "x")
    plain, unpacked = open_delivery(file), open_delivery(packed)
    assert unpacked.kind == plain.kind
    assert unpacked.header == plain.header
    assert cells(unpacked) == cells(plain) == cells(unpacked)
    assert cells(unpacked)[-3:] == list(ROWS)


def test_nothing_packed_is_left_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    pl.DataFrame(ROWS, HEADER, orient="row").write_parquet(tmp_path / "file")
    packed = written(tmp_path, gzip.compress((tmp_path / "file").read_bytes()))
    chunks = open_delivery(packed).chunks()
    next(chunks)
    assert list((tmp_path / "tmp").iterdir()) == []


# Told what else it is


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty. Send it again."),
        (b"\xef\xbb\xbf \r\n\r\n", "is empty. Send it again."),
        (b"%PDF-1.7 x", "is a PDF. Open it, save the table as XLSX or CSV UTF-8"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "is a web page or XML, whatever its name says"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "is a web page or XML, whatever its name says"),
        (b"Rar!\x1a\x07\x00", "is a RAR archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "is a picture"),
        (b"\x7fELF" + bytes(range(32)) * 20, "is neither text nor a workbook"),
        (b'{"answer": 42, "list": [1]}\n{"a"', "is damaged or no proper JSON"),
        (b'{"answer":\n 42}', "is JSON of no kind that is read here"),
        (b'{"a":\n', "is damaged or no proper JSON"),
    ],
)
def test_what_is_no_table_is_named_for_what_it_is(tmp_path: Path, data: bytes, told: str) -> None:
    file = written(tmp_path, data)
    if data.startswith(b'{"answer": 42, "list"'):
        assert faults(open_delivery(file)) == {2: "not_json"}
    else:
        assert told in refusal(file)


def test_a_table_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    wide = ",".join(f"c{at}" for at in range(LIMITS.columns + 1)) + "\n"
    told = f"has more than {LIMITS.columns:,} columns"
    assert told in refusal(written(tmp_path, wide))
    assert told in refusal(written(tmp_path, json.dumps({f"c{at}": 1 for at in range(LIMITS.columns + 1)})))
    pl.DataFrame({f"c{at}": [1] for at in range(LIMITS.columns + 1)}).write_parquet(tmp_path / "wide")
    assert told in refusal(tmp_path / "wide")
    names = [[f"c{at}" for at in range(LIMITS.columns + 1)]]
    assert told in refusal(workbook(tmp_path / "wide.xlsx", lambda book: sheet(book, names)))


# Real files


def test_every_table_of_the_test_data_is_opened_as_what_it_is(test_data: Path) -> None:
    tables = sorted(
        file for folder in ("poverty", "regions", "households", "linkage") for file in (test_data / folder).glob("*.*")
    )
    assert tables
    for file in tables:
        delivery = open_delivery(file)
        rows = cells(delivery)
        assert faults(delivery) == {}, file.name
        if file.suffix == ".csv":
            assert delivery.kind == "csv"
            with file.open(encoding="utf-8-sig", newline="") as opened:
                delimiter = ";" if file.name == "messy_2021.csv" else ","
                plain = [row for row in csv.reader(opened, delimiter=delimiter) if row]
            assert [[cell or "" for cell in row] for row in rows] == [
                [delimited.bare(cell) for cell in row] for row in plain
            ]
    assert open_delivery(test_data / "poverty/bps_webapi_var624_garis_kemiskinan_2025.json").kind == "bps_api"
    assert len(cells(open_delivery(test_data / "regions/kabupaten_514_simplified.geojson"))) == 514
    told = refusal(test_data / "formats/registry_column_names.json")
    assert "is JSON of no kind that is read here" in told
