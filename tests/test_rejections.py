"""The workbook of rejected rows: as delivered, every reason told, harmless, and fit to be mended and sent again."""

import io
import zipfile
from collections.abc import Mapping

import openpyxl
import polars as pl
import pytest

from reports.rejections import NOTES, workbook
from reports.sheets import LONGEST_CELL, landing_columns
from schemas.feeds import feeds
from schemas.messages import LANGUAGES, Lang, say
from schemas.questionnaire import default_questionnaire
from schemas.vocabularies import Feed

CONTRACT = feeds(default_questionnaire())[Feed.CURRENT_RECIPIENTS]
GOOD: dict[str, str | None] = {
    "family_card_number": "3510092501160001",
    "head_nik": "3510094703850003",
    "programme": "PKH",
    "regency_code": "35.10",
    "since_date": "2024-01-01",
    "head_name": "SITI",
    "village_code": "35.10.09.2001",
    "amount_rupiah": "600000",
}


def rejected(*rows: Mapping[str, str | None]) -> pl.DataFrame:
    every = [{"row_number": at, **GOOD, **row} for at, row in enumerate(rows, start=7)]
    return pl.DataFrame(every, infer_schema_length=None)


def reason(row: int, column: str, code: str, **more: str | None) -> dict[str, object]:
    return {"row_number": row, "column": column, "reason": code, **more}


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def delivered(book: openpyxl.Workbook) -> list[dict[str, str | None]]:
    """The first sheet as a delivery of the feed: what intake would read of it."""
    header, *rows = book.worksheets[0].iter_rows(values_only=True)
    return [
        {name: cell for name, cell in zip(header, row, strict=True) if name is not None and name not in NOTES}
        for row in rows
    ]


def test_the_rows_read_back_as_they_were_delivered() -> None:
    rows = rejected(
        {"head_nik": "3.51E+15"}, {"since_date": "31/02/2024", "programme": None}, {"regency_code": "3510 "}
    )
    book = opened(workbook(rows, pl.DataFrame([reason(7, "head_nik", "identifier_through_a_number")]), CONTRACT))
    assert delivered(book) == rows.drop("row_number").to_dicts()
    assert [cell.value for cell in book.worksheets[0]["A"]] == ["baris_asal", "7", "8", "9"]
    cells = [cell for row in book.worksheets[0].iter_rows(min_row=2) for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} <= {"s", "inlineStr"}, "numbers stay text"


def test_a_mended_cell_is_a_delivery_without_the_fault() -> None:
    rows = rejected({"head_nik": "12"})
    book = opened(workbook(rows, pl.DataFrame([reason(7, "head_nik", "identifier_length")]), CONTRACT))
    sheet = book.worksheets[0]
    at = [cell.value for cell in sheet[1]].index("head_nik") + 1
    assert not sheet.cell(2, at).protection.locked
    sheet.cell(2, at).value = GOOD["head_nik"]
    kept = io.BytesIO()
    book.save(kept)
    assert delivered(opened(kept.getvalue())) == [GOOD]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_says_where_what_was_found_what_was_expected_and_how_to_mend_it(lang: Lang) -> None:
    rows = rejected({"head_nik": "12", "programme": "XYZ"}, {"programme": "QRS"})
    listed = pl.DataFrame(
        [
            reason(8, "programme", "row.not_a_code", found="QRS", expected="PKH, BPNT"),
            reason(7, "programme", "not_a_code"),
            reason(7, "head_nik", "identifier_length"),
        ],
        schema=dict.fromkeys(("column", "reason", "found", "expected"), pl.String) | {"row_number": pl.Int64},
    )
    book = opened(workbook(rows, listed, CONTRACT, lang))
    told = list(book.worksheets[1].iter_rows(min_row=2, values_only=True))
    sixteen, words = say("sheet.sixteen", lang), "PKH, BPNT"
    how = say("row.not_a_code", lang, column="programme", expected=words)
    assert told == [
        ("2", "7", "head_nik", "12", sixteen, say("row.identifier_length", lang, column="head_nik")),
        ("2", "7", "programme", "XYZ", words, how),
        ("3", "8", "programme", "QRS", words, how),
    ]
    beside = book.worksheets[0]["B"]
    assert beside[0].value == say("sheet.to_mend", lang)
    assert beside[1].value == f"{told[0][-1]} {told[1][-1]}"
    assert beside[2].value == told[2][-1]


def test_wrong_cells_are_marked_and_right_ones_are_not() -> None:
    rows = rejected({"head_nik": "12", "programme": None})
    listed = pl.DataFrame([reason(7, "head_nik", "identifier_length"), reason(7, "programme", "missing")])
    sheet = opened(workbook(rows, listed, CONTRACT)).worksheets[0]
    fills = {
        head.value: sheet.cell(2, head.column).fill.fill_type
        for head in sheet[1]
        if head.value in landing_columns(CONTRACT)
    }
    assert {name for name, fill in fills.items() if fill == "solid"} == {"head_nik", "programme"}


def test_the_header_is_locked_and_the_drop_downs_are_those_of_the_template() -> None:
    sheet = opened(workbook(rejected({}), pl.DataFrame([reason(7, "programme", "not_a_code")]), CONTRACT)).worksheets[0]
    assert sheet.protection.sheet
    assert all(cell.protection.locked for cell in sheet[1])
    at = [cell.value for cell in sheet[1]].index("programme") + 1
    letter = openpyxl.utils.get_column_letter(at)
    rule = next(one for one in sheet.data_validations.dataValidation if str(one.sqref).startswith(f"{letter}2:"))
    name, cells = rule.formula1.split("!")
    offered = [row[0].value for row in sheet.parent[name.strip("'")][cells.replace("$", "")]]
    assert sorted(offered) == ["BPNT", "PKH"]


@pytest.mark.parametrize(
    "cell",
    [
        '=HYPERLINK("http://example.test","x")',
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1+1",
        "http://example.test",
        "{=1+1}",
        "mailto:x@example.test",
        "internal:Sheet1!A1",
    ],
)
def test_nothing_a_cell_holds_runs_or_links(cell: str) -> None:
    rows = rejected({"programme": cell, "head_nik": cell})
    content = workbook(rows, pl.DataFrame([reason(7, "programme", "not_a_code", found=cell, expected="PKH")]), CONTRACT)
    book = opened(content)
    assert delivered(book)[0]["programme"] == cell
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for one in row:
                assert one.data_type != "f"
                assert one.hyperlink is None
                if isinstance(one.value, str) and one.value.startswith(("=", "+", "-", "@", "\t", "\r")):
                    assert one.quotePrefix
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheets = b"".join(parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/"))
    assert b"<f>" not in sheets
    assert b"<hyperlink" not in sheets


def test_control_characters_and_huge_cells_leave_a_workbook_that_opens() -> None:
    rows = rejected({"programme": "a\x00b\x1f", "head_nik": "9" * 100_000})
    book = opened(workbook(rows, pl.DataFrame([reason(7, "head_nik", "identifier_length")]), CONTRACT))
    [row] = delivered(book)
    assert len(row["head_nik"] or "") == LONGEST_CELL
    assert len(book.worksheets[1]["D2"].value) == 200


def test_columns_the_feed_does_not_know_stand_behind_its_own() -> None:
    rows = rejected({"catatan petugas": "rumah kosong"})
    sheet = opened(workbook(rows, pl.DataFrame([reason(7, "programme", "missing")]), CONTRACT)).worksheets[0]
    header = [cell.value for cell in sheet[1]]
    assert header[2:-1] == landing_columns(CONTRACT)
    assert header[-1] == "catatan petugas"
    assert sheet.cell(2, len(header)).value == "rumah kosong"


def test_a_long_list_says_how_many_rows_it_leaves_out_and_where_they_are() -> None:
    rows = rejected(*[{"programme": str(at)} for at in range(30)])
    listed = pl.DataFrame([reason(at, "programme", "not_a_code") for at in rows["row_number"]])
    book = opened(workbook(rows, listed, CONTRACT, complete="rejected.csv", all_rows=40_000, most=10))
    assert len(delivered(book)) == 10
    note, *told = (row[0] for row in book.worksheets[1].iter_rows(min_row=2, values_only=True))
    assert note.startswith("Lembar ini memuat 10 dari 40.000 baris yang ditolak.")
    assert "rejected.csv" in note
    assert told == [str(at) for at in range(2, 12)]


def test_a_reason_without_a_message_is_still_told() -> None:
    book = opened(workbook(rejected({}), pl.DataFrame([reason(7, "programme", "something_new")]), CONTRACT))
    assert book.worksheets[1]["F2"].value == "programme: something_new (PKH, BPNT)"


def test_the_same_rows_give_the_same_bytes_in_any_order() -> None:
    rows = rejected({"head_nik": "12"}, {"programme": "XYZ"})
    listed = pl.DataFrame([reason(7, "head_nik", "identifier_length"), reason(8, "programme", "not_a_code")])
    assert workbook(rows, listed, CONTRACT) == workbook(rows[::-1], listed[::-1], CONTRACT)
