"""Templates as a spreadsheet opens them: locked header, drop-downs, codes, text cells, and an example that is right."""

import io
from datetime import date
from functools import cache

import openpyxl
import polars as pl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from assets.intake.checking import check
from assets.intake.declaration import Declaration
from reports.sheets import landing_columns
from reports.template import csv_template, example_of, xlsx_template
from schemas.contract import Contract
from schemas.feeds import ADDED_COLUMNS, feeds
from schemas.messages import LANGUAGES, Lang
from schemas.questionnaire import default_questionnaire
from schemas.vocabularies import Feed

CONTRACTS = feeds(default_questionnaire())
ALL = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=[str(feed) for feed in CONTRACTS])


@cache
def _opened(key: str, lang: Lang) -> openpyxl.Workbook:
    contract = next(one for one in CONTRACTS.values() if one.key == key)
    return openpyxl.load_workbook(io.BytesIO(xlsx_template(contract, lang)))


def book_of(contract: Contract, lang: Lang = "id") -> openpyxl.Workbook:
    return _opened(contract.key, lang)


def listed(sheet: Worksheet, column: int) -> list[str]:
    """What the drop-down of a column of the sheet to fill offers."""
    letter = openpyxl.utils.get_column_letter(column)
    rule = next(one for one in sheet.data_validations.dataValidation if f"{letter}2" in str(one.sqref).split(":")[0])
    if rule.type != "list":
        return []
    name, cells = rule.formula1.split("!")
    return [row[0].value for row in sheet.parent[name.strip("'")][cells.replace("$", "")]]


def typed(text: dict[str, str], contract: Contract) -> pl.DataFrame:
    frame = pl.DataFrame([text], schema=dict.fromkeys(text, pl.String))
    yes = {"ya": True, "tidak": False}
    return frame.select(
        pl.col(name).replace_strict(yes, return_dtype=pl.Boolean)
        if contract.dtypes[name] == pl.Boolean
        else pl.col(name).str.to_date()
        if contract.dtypes[name] == pl.Date
        else pl.col(name).cast(contract.dtypes[name])
        for name in text
    )


@ALL
def test_the_first_sheet_is_empty_but_for_the_header_of_the_feed(contract: Contract) -> None:
    sheet = book_of(contract).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows == [tuple(landing_columns(contract))]
    assert not set(rows[0]) & set(ADDED_COLUMNS)


@ALL
def test_the_header_is_locked_and_everything_below_may_be_changed(contract: Contract) -> None:
    sheet = book_of(contract).worksheets[0]
    assert sheet.protection.sheet
    assert sheet.freeze_panes == "A2"
    assert all(cell.protection.locked for cell in sheet[1])
    for at in range(1, len(landing_columns(contract)) + 1):
        style = next(one for one in sheet.column_dimensions.values() if one.min <= at <= one.max)
        assert not style.protection.locked
        assert style.number_format == "@", "a number of sixteen digits stays text"


@ALL
def test_every_coded_column_has_a_drop_down_of_the_codes_its_contract_allows(contract: Contract) -> None:
    sheet = book_of(contract).worksheets[0]
    for at, name in enumerate(landing_columns(contract), start=1):
        column = contract.columns[name]
        allowed = [list(one.statistics["allowed_values"]) for one in column.checks if one.name == "isin"]
        offered = listed(sheet, at)
        if contract.dtypes[name] == pl.Boolean:
            assert offered == ["ya", "tidak"]
        elif allowed:
            assert sorted(offered) == sorted(str(one) for one in allowed[0])
        else:
            assert offered == []


def test_a_wrong_number_of_digits_is_stopped_while_typing() -> None:
    sheet = book_of(CONTRACTS[Feed.MEMBERS]).worksheets[0]
    at = landing_columns(CONTRACTS[Feed.MEMBERS]).index("nik") + 1
    letter = openpyxl.utils.get_column_letter(at)
    rule = next(one for one in sheet.data_validations.dataValidation if str(one.sqref).startswith(f"{letter}2:"))
    assert rule.type == "custom"
    assert rule.formula1 == f"AND(LEN({letter}2)=16,ISNUMBER(VALUE({letter}2)))"
    assert rule.errorStyle in {None, "stop"}
    assert rule.error == "Tepat 16 angka."


@pytest.mark.parametrize("lang", LANGUAGES)
@ALL
def test_every_column_is_explained_with_what_it_may_hold_and_an_example(contract: Contract, lang: Lang) -> None:
    rows = list(book_of(contract, lang).worksheets[1].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in rows] == landing_columns(contract)
    needed = {"id": ("tidak", "ya"), "en": ("no", "yes")}[lang]
    for name, required, meaning, allowed, example, others in rows:
        column = contract.columns[name]
        assert required == needed[not column.nullable]
        assert meaning
        assert allowed
        assert example
        assert (others or "") == ", ".join(column.metadata["aliases"])


def test_the_codes_are_told_in_words() -> None:
    rows = list(book_of(CONTRACTS[Feed.SURVEYS]).worksheets[2].iter_rows(values_only=True))
    assert ("roof_material", "3", "seng") in rows
    assert ("has_car", "1", "ya") in rows
    assert ("visit_result", "5", "pindah") in rows
    english = list(book_of(CONTRACTS[Feed.OBJECTIONS], "en").worksheets[2].iter_rows(values_only=True))
    assert ("kind", "other_family", "Another family") in english


@ALL
def test_the_worked_example_passes_the_contract(contract: Contract) -> None:
    example = example_of(contract)
    sheet = book_of(contract).worksheets[3]
    header, row = sheet.iter_rows(values_only=True)
    assert dict(zip(header, row, strict=True)) == example
    contract.schema.select_columns(list(example)).validate(typed(example, contract))


def test_the_number_of_the_example_belongs_to_nobody() -> None:
    assert example_of(CONTRACTS[Feed.MEMBERS])["nik"].startswith("99")


def test_a_template_has_the_same_bytes_whenever_it_is_written() -> None:
    for contract in CONTRACTS.values():
        assert xlsx_template(contract) == xlsx_template(contract)


def test_the_csv_template_is_the_header() -> None:
    assert csv_template(CONTRACTS[Feed.AGENTS]) == b"agent_id,kind,regency_code,village_code,district_code\n"


def test_a_column_with_bounds_says_them_when_they_are_broken() -> None:
    sheet = book_of(CONTRACTS[Feed.DTSEN_FAMILIES]).worksheets[0]
    at = landing_columns(CONTRACTS[Feed.DTSEN_FAMILIES]).index("decile_national") + 1
    letter = openpyxl.utils.get_column_letter(at)
    rule = next(one for one in sheet.data_validations.dataValidation if str(one.sqref).startswith(f"{letter}2:"))
    assert rule.error == "Isi bilangan 1 sampai 10."


@ALL
def test_the_worked_example_loads_as_it_stands(contract: Contract) -> None:
    example = pl.DataFrame([example_of(contract)]).insert_column(0, pl.Series("row_number", [2]))
    assert check(example, contract, Declaration(issued_on=date(2026, 2, 2))).reasons.rows() == []
