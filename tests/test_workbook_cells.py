"""Cells of workbooks: what a cell is beyond its text decides, cell by cell, whether its row can be trusted."""

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from assets.intake.formats import open_delivery
from assets.intake.loading import Intake, Loaded
from assets.lake import Lake
from assets.registry.linkage.person_file import PersonSpec, read_people
from schemas.quarter import Quarter
from schemas.tables import TABLES
from schemas.vocabularies import Feed
from tests.made_senders import SENDERS

QUARTER = Quarter(2026, 1)
FEED = Feed.POPULATION_REGISTER
COLUMNS = ("family_card_number", "nik", "name", "birth_date", "relation", "village_code", "address", "note")
NIK, LONG = "3510094703850001", 3510094703850001
DAY = "dd/mm/yyyy"


def person(number: int, **changed: Any) -> list[Any]:  # noqa: ANN401 - whatever a cell may hold
    """A sound row of the population register as text, some of its cells changed."""
    row = {
        "family_card_number": "3510091203190004", "nik": f"35100947038500{number:02}", "name": "SITI AMINAH",
        "birth_date": "1985-03-07", "relation": "1", "village_code": "35.10.09.2001", "address": "RT 3", "note": "x",
    }  # fmt: skip
    return [changed.get(name, cell) for name, cell in row.items()]


def book(file: Path, fill: Callable[[Worksheet], None], rows: int = 6, epoch: dt.datetime | None = None) -> Path:
    """A workbook of sound rows as openpyxl writes it (it calculates nothing), then filled."""
    made = openpyxl.Workbook()
    if epoch is not None:
        made.epoch = epoch
    sheet = made.active
    assert isinstance(sheet, Worksheet)
    for row in (list(COLUMNS), *(person(at) for at in range(1, rows + 1))):
        sheet.append(row)
    fill(sheet)
    made.save(file)
    return file


def put(sheet: Worksheet, cell: str, value: Any, form: str = "General") -> None:  # noqa: ANN401
    sheet[cell] = value
    sheet[cell].number_format = form


ODS = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"


def ods(file: Path, rows: list[str]) -> Path:
    """An OpenDocument spreadsheet of rows in XML below the header."""
    spaces = " ".join(f'xmlns:{name}="{ODS.format(name)}"' for name in ("office", "table", "text"))
    body = "".join(f"<table:table-row>{row}</table:table-row>" for row in ("".join(map(ods_cell, COLUMNS)), *rows))
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="data">{body}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        manifest = f'<manifest:manifest xmlns:manifest="{ODS.format("manifest")}"/>'
        archive.writestr("META-INF/manifest.xml", manifest)
    return file


def ods_cell(cell: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="string"{more}><text:p>{cell}</text:p></table:table-cell>'


def open_document_row(number: int, **changed: str) -> str:
    cells = dict(zip(COLUMNS, map(ods_cell, person(number)), strict=True))
    return "".join((cells | changed).values())


def load(folder: Path, file: Path, feed: Feed = FEED) -> Loaded:
    return Intake(Lake(folder / "lake"), TABLES, 1.0, SENDERS).load(feed, file, QUARTER, sender="tests")


def reasons(folder: Path, file: Path, feed: Feed = FEED) -> list[tuple[int, str, str]]:
    """Row, column and reason of every fault; read is accepted and rejected together."""
    loaded = load(folder, file, feed)
    assert loaded.batch is not None, loaded.reason
    assert loaded.read == loaded.batch.accepted + loaded.batch.parked + loaded.rejected
    if loaded.report is None:
        return []
    found = pl.read_parquet(loaded.report.with_name("reasons.parquet"))
    assert loaded.rejected == found["row_number"].n_unique()
    return found.select("row_number", "column", "reason").rows()


# Formulas


def test_a_formula_saved_without_its_result_is_no_empty_cell(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        for cell in ("G3", "C4"):
            sheet[cell] = '=CONCATENATE("RT ", 3)'
        sheet["H5"] = "=1+1"  # Nobody reads this column.

    found = reasons(tmp_path, book(tmp_path / "file.xlsx", fill))
    assert found == [(3, "address", "formula_without_result"), (4, "name", "formula_without_result")]


def test_a_column_of_formulas_without_results_refuses_the_file(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        for row in range(2, 42):
            sheet[f"G{row}"] = f'="RT "&A{row}'

    strict = Intake(Lake(tmp_path / "lake"), TABLES, 0.1, SENDERS)
    loaded = strict.load(FEED, book(tmp_path / "file.xlsx", fill, rows=40), QUARTER, sender="tests")
    assert (loaded.batch, loaded.read, loaded.rejected) == (None, 40, 40)
    assert "saved without its result" in str(loaded.reason)


def test_cells_that_an_array_formula_fills_are_without_result_as_well(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet["C3"] = openpyxl.worksheet.formula.ArrayFormula("C3:C5", "=UPPER(H3:H5)")
        sheet["C4"] = sheet["C5"] = None

    assert reasons(tmp_path, book(tmp_path / "file.xlsx", fill)) == [
        (row, "name", "formula_without_result") for row in (3, 4, 5)
    ]


def test_the_zero_of_a_program_that_calculates_nothing_is_no_result(tmp_path: Path) -> None:
    file = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(file) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        for at in range(1, 5):
            sheet.write_row(at, 0, person(at))
        sheet.write_formula(1, 4, "=1+1")
        sheet.write_formula(2, 4, "=1+0", None, 1)
        sheet.write_formula(3, 2, "=B1", None, "")
    assert reasons(tmp_path, file) == [(2, "relation", "formula_without_result"), (4, "name", "formula_without_result")]


def uncalculated(file: Path, fill: Callable[[Any], None], said: bytes = b' fullCalcOnLoad="1"') -> Path:
    """A workbook of four sound rows as xlsxwriter writes it, then filled; `said` is what it says of its results."""
    with xlsxwriter.Workbook(file) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        for at in range(1, 5):
            sheet.write_row(at, 0, person(at))
        fill(sheet)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = "xl/workbook.xml"
    parts[part] = parts[part].replace(b' fullCalcOnLoad="1"', said)
    assert said in parts[part]
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        (b' fullCalcOnLoad="1"', True), (b' forceFullCalc="1"', True), (b' calcCompleted="0"', True),
        (b' calcCompleted="1"', False), (b"", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("zero", ["0", "0.0", "0.00", "0E0"])
def test_a_zero_is_no_result_where_the_workbook_says_it_was_not_calculated(
    tmp_path: Path, zero: str, said: bytes, *, is_told: bool
) -> None:
    file = uncalculated(tmp_path / "file.xlsx", lambda sheet: sheet.write_formula(1, 6, "=A1", None, zero), said)
    assert reasons(tmp_path, file) == ([(2, "address", "formula_without_result")] if is_told else [])


def test_zeros_below_an_array_formula_with_a_result_are_none(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:  # noqa: ANN401
        sheet.write_array_formula(1, 2, 3, 2, "{=UPPER(H2:H4)}", None, "SITI")
        sheet.write_number(4, 6, 0)

    assert reasons(tmp_path, uncalculated(tmp_path / "file.xlsx", fill)) == [
        (row, "name", "formula_without_result") for row in (3, 4)
    ]


def test_an_empty_text_that_a_spreadsheet_calculated_is_an_empty_cell(tmp_path: Path) -> None:
    file = book(tmp_path / "file.xlsx", lambda sheet: put(sheet, "G3", '=""'))
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet, book_part = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
    parts[sheet] = parts[sheet].replace(b'<c r="G3"><f>""</f><v /></c>', b'<c r="G3" t="str"><f>""</f><v></v></c>')
    parts[book_part] = parts[book_part].replace(b' fullCalcOnLoad="1"', b"")
    assert b't="str"' in parts[sheet]
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    assert reasons(tmp_path, file) == []


# Numbers


@pytest.mark.parametrize("column", ["A", "B", "G"])
def test_a_number_of_sixteen_digits_among_texts_is_rejected_by_its_cell(column: str, tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        for row in (3, 5):
            sheet[f"{column}{row}"] = LONG

    name = COLUMNS["ABCDEFGH".index(column)]
    assert reasons(tmp_path, book(tmp_path / "file.xlsx", fill)) == [
        (row, name, "identifier_through_a_number") for row in (3, 5)
    ]


def test_a_large_amount_is_no_identifier(tmp_path: Path) -> None:
    names = ("family_card_number", "head_nik", "programme", "regency_code", "since_date", "amount_rupiah")
    file = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(file) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, names)
        sheet.write_row(1, 0, ["3510091203190004", NIK, "PKH", "35.10", "2024-07-01", LONG])
    assert reasons(tmp_path, file, Feed.CURRENT_RECIPIENTS) == []


def test_a_table_that_begins_right_of_the_first_column_keeps_its_cells_apart(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.insert_cols(1, 3)
        sheet["E3"] = LONG
        sheet["F4"] = "=1+1"
        put(sheet, "G5", 0, DAY)
        sheet["F6"] = "#N/A"

    assert reasons(tmp_path, book(tmp_path / "file.xlsx", fill)) == [
        (3, "nik", "identifier_through_a_number"),
        (4, "name", "formula_without_result"),
        (5, "birth_date", "day_of_a_small_number"),
        (6, "name", "error_in_cell"),
    ]


@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904], ids=["1900", "1904"])
@pytest.mark.parametrize(
    ("value", "form"),
    [
        (0, DAY),
        (0.5, "hh:mm"),
        (1, DAY),
        (41, DAY),
        (365, DAY),
        (1985, DAY),
        (2010, DAY),
        (dt.timedelta(hours=30), "[h]:mm"),
    ],
)
def test_a_small_number_shown_as_a_day_is_none(
    value: float | dt.timedelta, form: str, epoch: dt.datetime | None, tmp_path: Path
) -> None:
    file = book(tmp_path / "file.xlsx", lambda sheet: put(sheet, "D3", value, form), epoch=epoch)
    assert reasons(tmp_path, file) == [(3, "birth_date", "day_of_a_small_number")]


@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904], ids=["1900", "1904"])
def test_a_day_of_a_workbook_is_read_in_either_date_system(epoch: dt.datetime | None, tmp_path: Path) -> None:
    file = book(tmp_path / "file.xlsx", lambda sheet: put(sheet, "D3", dt.date(1932, 2, 28), DAY), epoch=epoch)
    assert reasons(tmp_path, file) == []
    (part,) = (tmp_path / "lake" / "intake" / str(FEED)).rglob("*.parquet")
    stored = pl.read_parquet(part).filter(pl.col("row_number") == 3)
    assert stored["birth_date"].to_list() == [dt.date(1932, 2, 28)]


@pytest.mark.parametrize(("cell", "column"), [("C3", "name"), ("G3", "address")])
def test_a_day_that_a_spreadsheet_made_of_a_text_is_rejected(cell: str, column: str, tmp_path: Path) -> None:
    file = book(tmp_path / "file.xlsx", lambda sheet: put(sheet, cell, dt.date(2026, 5, 3), "d/m"))
    assert reasons(tmp_path, file) == [(3, column, "not_text")]


@pytest.mark.parametrize("value", [dt.date(2026, 5, 3), True, dt.time(12, 30), 1.5, "#REF!"])
def test_a_code_is_no_day_truth_value_time_part_or_error(value: object, tmp_path: Path) -> None:
    form = {dt.date: "d/m", dt.time: "hh:mm"}.get(type(value), "General")
    file = book(tmp_path / "file.xlsx", lambda sheet: put(sheet, "E3", value, form))
    ((row, column, _),) = reasons(tmp_path, file)
    assert (row, column) == (3, "relation")


def test_an_error_is_no_name(tmp_path: Path) -> None:
    file = book(tmp_path / "file.xlsx", lambda sheet: put(sheet, "C3", "#N/A"))
    assert reasons(tmp_path, file) == [(3, "name", "error_in_cell")]


@pytest.mark.parametrize("form", ["0%", "0.00%", '0.0"%"'])
def test_a_number_shown_as_a_percentage_is_read_as_it_is_shown(form: str, tmp_path: Path) -> None:
    file = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(file) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ("area_code", "vintage", "poor_percent", "poor_count"))
        sheet.write_row(1, 0, ["35.10", "2025-03"])
        sheet.write_number(1, 2, 0.0745, made.add_format({"num_format": form}))
        sheet.write_number(1, 3, 100130)
    (chunk,) = open_delivery(file).chunks()
    percent = chunk["c2"][1]
    assert percent == ("0.0745" if '"' in form else "7.45%")
    assert reasons(tmp_path, file, Feed.POVERTY_STATISTICS) == []


WEIGHTS = (1.234, 567, 890.125)


@pytest.mark.parametrize("form", ["General", "0.000", "#,##0.000"])
def test_a_number_of_a_workbook_has_one_reading_and_a_text_keeps_two(form: str, tmp_path: Path) -> None:
    names = ("household_id", "regency_code", "cluster_id", "is_urban", "weight", "expenditure_rupiah_per_capita_month")
    file = tmp_path / "file.xlsx"

    def fill(number: Callable[[Any, int, float, Any], None]) -> None:
        with xlsxwriter.Workbook(file) as made:
            sheet = made.add_worksheet()
            sheet.write_row(0, 0, names)
            for at, weight in enumerate(WEIGHTS, start=1):
                sheet.write_row(at, 0, [f"h{at}", "35.10", "c1", "true", None, 500000])
                number(sheet, at, weight, made.add_format({"num_format": form}))

    fill(lambda sheet, at, weight, shape: sheet.write_number(at, 4, weight, shape))
    assert reasons(tmp_path, file, Feed.CONSUMPTION_SURVEY) == []
    (part,) = (tmp_path / "lake" / "intake" / "consumption_survey").rglob("*.parquet")
    assert pl.read_parquet(part)["weight"].to_list() == list(WEIGHTS)
    fill(lambda sheet, at, weight, _: sheet.write_string(at, 4, str(weight)))
    assert [reason for *_, reason in reasons(tmp_path / "text", file, Feed.CONSUMPTION_SURVEY)] == ["two_readings"] * 2


def test_a_percentage_of_three_decimals_has_one_reading(tmp_path: Path) -> None:
    file = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(file) as made:
        sheet, percent = made.add_worksheet(), made.add_format({"num_format": "0.000%"})
        sheet.write_row(0, 0, ("area_code", "vintage", "poor_percent", "poor_count"))
        sheet.write_row(1, 0, ["35.10", "2025-03"])
        sheet.write_number(1, 2, 0.07125, percent)
        sheet.write_number(1, 3, 100130)
    (chunk,) = open_delivery(file).chunks()
    assert chunk["c2"][1] == "7.1250%"
    assert reasons(tmp_path, file, Feed.POVERTY_STATISTICS) == []


# Merged cells


def test_rows_under_a_merge_are_rejected_and_the_first_keeps_its_value(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.merge_cells("A3:A5")
        sheet.merge_cells("C6:D6")
        sheet.merge_cells("H2:H7")

    assert reasons(tmp_path, book(tmp_path / "file.xlsx", fill)) == [
        (4, "family_card_number", "merged_cell"),
        (5, "family_card_number", "merged_cell"),
        (6, "birth_date", "merged_cell"),
    ]


def test_merges_of_titles_headers_totals_and_empty_cells_are_no_faults(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        for row in range(2, 8):
            sheet[f"G{row}"] = None
        sheet.merge_cells("G2:G7")
        sheet.insert_rows(1, 2)
        sheet.merged_cells.ranges.clear()
        sheet.merge_cells("G4:G9")
        sheet["A1"] = "DATA KELUARGA"
        sheet.merge_cells("A1:H2")
        sheet["A10"] = "JUMLAH"
        sheet.merge_cells("A10:C10")

    assert reasons(tmp_path, book(tmp_path / "file.xlsx", fill)) == [(10, "", "total_row")]


# OpenDocument


def test_cells_of_open_document_are_judged_as_well(tmp_path: Path) -> None:
    nothing = '<table:table-cell table:formula="of:=1+1"/>'
    failed = ods_cell("", ' calcext:value-type="error" table:formula="of:=NA()" office:string-value=""')
    numeric = (
        f'<table:table-cell office:value-type="float" office:value="{LONG}"><text:p>{LONG}</text:p></table:table-cell>'
    )
    day = '<table:table-cell office:value-type="date" office:date-value="1985-03-07"/>'
    changes: tuple[dict[str, str], ...] = (
        {}, {"name": nothing}, {"nik": numeric}, {"birth_date": day}, {"name": failed},
        {"address": ods_cell("x", ' table:number-rows-spanned="2"')}, {"address": "<table:covered-table-cell/>"},
        {"note": nothing},
    )  # fmt: skip
    rows = [open_document_row(number, **changed) for number, changed in enumerate(changes, start=1)]
    assert reasons(tmp_path, ods(tmp_path / "file.ods", rows)) == [
        (3, "name", "formula_without_result"),
        (4, "nik", "identifier_through_a_number"),
        (6, "name", "error_in_cell"),
        (8, "address", "merged_cell"),
    ]


def test_a_number_of_open_document_has_one_reading_and_a_text_two(tmp_path: Path) -> None:
    value = 'office:value-type="float" office:value="1.234"'
    number = f"<table:table-cell {value}><text:p>1,234</text:p></table:table-cell>"
    rows = [open_document_row(1, note=number), open_document_row(2, note=ods_cell("1.234"))]
    (chunk,) = open_delivery(ods(tmp_path / "file.ods", rows)).chunks()
    assert chunk["c7"].to_list()[1:] == ["1.2340", "1.234"]


# Strays


@pytest.mark.parametrize(("stray", "blank"), [("XFD1", " "), ("XFD4", "\u200b"), ("ZZ7", "\xa0"), ("C1048576", " ")])
def test_a_blank_far_from_the_table_is_nothing(stray: str, blank: str, tmp_path: Path) -> None:
    file = book(tmp_path / "file.xlsx", lambda sheet: put(sheet, stray, blank))
    assert reasons(tmp_path, file) == []
    assert len(open_delivery(file).header[0]) == len(COLUMNS)


def test_a_word_far_from_the_table_makes_it_too_wide_and_is_told_so(tmp_path: Path) -> None:
    loaded = load(tmp_path, book(tmp_path / "file.xlsx", lambda sheet: put(sheet, "XFD4", "x")))
    assert "more than 2,000 columns" in str(loaded.reason)


# Persons to link


def test_persons_with_faulty_cells_are_left_out_of_a_linkage_and_counted(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet["B3"] = LONG
        sheet["C4"] = "=1+1"
        sheet["H5"] = "=1+1"  # Nobody asks for this column.
        for row in range(2, 8):
            sheet[f"A{row}"] = f"p{row}"

    spec = PersonSpec(id="family_card_number", national_id="nik", full_name="name")
    persons = read_people(book(tmp_path / "file.xlsx", fill), spec, dt.date(2026, 1, 1))
    assert persons.people["id"].to_list() == ["p2", "p5", "p6", "p7"]
    assert persons.unreadable_rows == 2
