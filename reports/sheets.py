"""How a sheet of a feed looks: locked header, cells of text, drop-downs from a sheet of codes.

Which rows stand in it is said in :mod:`reports.template` and :mod:`reports.rejections`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import IO, Any

import pandera.polars as pa
import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from schemas.contract import Contract
from schemas.feeds import ADDED_COLUMNS
from schemas.messages import NOTHING, Lang, Words, catalogue, say

LAST_ROW = 1_048_575
LONGEST_CELL = 32_767
_WIDEST_PROMPT = 250
_WIDEST_TITLE = 32
_RUNS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula when the cell is typed or read from CSV."""
_SIGNS = {
    "greater_than_or_equal_to": "≥",
    "greater_than": ">",
    "less_than_or_equal_to": "≤",
    "less_than": "<",
}
_FORMS = {
    "identifier": "sheet.sixteen",
    "village_code": "35.10.09.2001",
    "regency_code": "35.10",
    "area_code": "35, 35.10, 35.10.09, 35.10.09.2001",
    "area_code_bps": "35, 3510, 3510100, 3510100001",
    "region_digits": "35, 3510, 3510100, 3510092001",
    "quarter": "2026Q1",
    "vintage": "2025-03",
    "geometry": "GeoJSON",
}
"""How the checks of form are told: a message, or an example that says it all."""


def landing_columns(contract: Contract) -> list[str]:
    """Columns a delivered file has: those of the contract without what intake adds."""
    return [name for name in contract.columns if name not in ADDED_COLUMNS]


def new_book(sink: IO[bytes], *, streams: bool = False) -> xlsxwriter.Workbook:
    """An empty workbook that takes no text for a formula, a link or a number, and bears no clock.

    Parameters
    ----------
    streams : bool
        Whether rows are written in order and let go at once, so that memory does not grow with them.
    """
    options = {
        "constant_memory": streams,
        "in_memory": not streams,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(sink, options)
    book.set_properties({"created": dt.datetime(2026, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None), "author": ""})
    return book


class Styles:
    """The formats of one workbook: `header`, `text` to fill, `wrong` cells, `advice`, `told` text."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        as_text = {"num_format": "@", "locked": False}
        wrong = {**as_text, "bg_color": "#F8D7DA", "border": 1, "border_color": "#C0392B"}
        self.header: Format = book.add_format({"bold": True, "bg_color": "#DDE7EE", "border": 1, "locked": True})
        self.optional: Format = book.add_format({"bg_color": "#F3F6F8", "border": 1, "locked": True})
        self.text: Format = book.add_format(as_text)
        self.wrong: Format = book.add_format(wrong)
        self.told: Format = book.add_format({"text_wrap": True, "valign": "top"})
        self.advice: Format = book.add_format({**as_text, "text_wrap": True, "valign": "top", "font_color": "#8E2A20"})
        # A quote before the cell keeps it text even when it is opened and closed again.
        self._quoted = {
            self.text: book.add_format({**as_text, "quote_prefix": True}),
            self.wrong: book.add_format({**wrong, "quote_prefix": True}),
            self.told: book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True}),
        }

    def write(self, sheet: Worksheet, row: int, position: int, cell: str, style: Format) -> None:
        """Write a cell as text, whatever it begins with; what a cell cannot hold is cut off."""
        safe = self._quoted.get(style, style) if cell.startswith(_RUNS) else style
        sheet.write_string(row, position, cell[:LONGEST_CELL], safe)


def title_of(column: pa.Column, lang: Lang) -> str:
    """What a column holds, in words."""
    label: Words | None = column.metadata["label"] or catalogue().get(f"column.{column.name}")
    return label.of(lang) if label is not None else str(column.description)


def is_flag(column: pa.Column) -> bool:
    """Whether a column answers yes or no, as truth values or as 1 and 0."""
    return column.dtype.type == pl.Boolean or _listed(column) == [0, 1]


def codes_of(column: pa.Column) -> dict[str, Words]:
    """Every value a coded column may hold with what it means, in order; empty where values are free."""
    yes, no = catalogue()["sheet.is_so"], catalogue()["sheet.is_not"]
    if column.dtype.type == pl.Boolean:
        return {yes.id: yes, no.id: no}
    if is_flag(column):
        return {"1": yes, "0": no}
    meanings: Mapping[str, Words] = column.metadata["codes"]
    return {str(one): meanings.get(str(one), Words(str(one), str(one))) for one in _listed(column)}


def _listed(column: pa.Column) -> list[Any]:
    return next((list(one.statistics["allowed_values"]) for one in column.checks if one.name == "isin"), [])


def _bounds(column: pa.Column) -> tuple[float, float] | None:
    for one in column.checks:
        if one.name == "in_range":
            return one.statistics["min_value"], one.statistics["max_value"]
    return None


def allowed_of(column: pa.Column, lang: Lang) -> str:
    """What a column may hold, short."""
    codes = codes_of(column)
    if codes:
        return ", ".join(codes)
    bounds = _bounds(column)
    if bounds is not None:
        return f"{bounds[0]:g} {NOTHING} {bounds[1]:g}"
    for check in column.checks:
        if check.name in _SIGNS:
            return f"{_SIGNS[check.name]} {next(iter(check.statistics.values())):g}"
        if check.name in _FORMS:
            form = _FORMS[check.name]
            return say(form, lang) if form in catalogue() else form
    dtype = column.dtype.type
    otherwise = "sheet.a_number" if dtype.is_integer() else "sheet.a_decimal"
    return say({pl.Date(): "sheet.a_day", pl.String(): "sheet.some_text"}.get(dtype, otherwise), lang)


def code_rows(contract: Contract, lang: Lang) -> list[tuple[str, str, str]]:
    """The rows of the sheet of codes: column, code, meaning."""
    return [
        (name, one, meaning.of(lang))
        for name in landing_columns(contract)
        for one, meaning in codes_of(contract.columns[name]).items()
    ]


def add_codes(book: xlsxwriter.Workbook, styles: Styles, contract: Contract, lang: Lang) -> None:
    """Add the sheet of codes, which the drop-downs of the sheet to fill refer to."""
    heads = [(say(f"sheet.{word}", lang), width) for word, width in (("column", 30), ("code", 24), ("meaning", 60))]
    add_table(book, styles, say("sheet.codes", lang), heads, code_rows(contract, lang))


def add_table(
    book: xlsxwriter.Workbook,
    styles: Styles,
    name: str,
    heads: Sequence[tuple[str, int]],
    rows: Sequence[Sequence[str]],
) -> None:
    """Add a sheet to read: a header that stays in view, and rows of text."""
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for position, (title, width) in enumerate(heads):
        sheet.set_column(position, position, width, styles.told)
        sheet.write_string(0, position, title, styles.header)
    for row, cells in enumerate(rows, start=1):
        for position, cell in enumerate(cells):
            styles.write(sheet, row, position, cell, styles.told)


def data_sheet(
    book: xlsxwriter.Workbook, styles: Styles, contract: Contract, lang: Lang, *, before: Sequence[str] = (),
    after: Sequence[str] = (),
) -> Worksheet:  # fmt: skip
    """Add the sheet to fill: its header is locked and stays in view, every cell below is text and may be changed.

    Parameters
    ----------
    before, after : sequence of str
        Headers of columns that stand beside those of the feed.
    """
    names = landing_columns(contract)
    sheet = book.add_worksheet(say("sheet.data", lang))
    sheet.freeze_panes(1, len(before))
    ranges = _ranges(contract, lang)
    for position, name in enumerate([*before, *names, *after]):
        is_ours = len(before) <= position < len(before) + len(names)
        column = contract.columns[name] if is_ours else None
        # As text, or Excel makes 3.51E+15 of a number of 16 digits.
        sheet.set_column(position, position, min(max(len(name) + 2, 12), 40), styles.text)
        is_optional = column is None or column.nullable
        sheet.write_string(0, position, name, styles.optional if is_optional else styles.header)
        if column is not None:
            sheet.data_validation(1, position, LAST_ROW, position, _validation(column, position, ranges, lang))
    sheet.protect("", dict.fromkeys(("format_columns", "format_rows", "insert_rows", "delete_rows", "sort"), True))
    return sheet


def _ranges(contract: Contract, lang: Lang) -> dict[str, str]:
    """Where in the sheet of codes each column's codes stand."""
    places: dict[str, list[int]] = {}
    for row, (name, _, _) in enumerate(code_rows(contract, lang), start=2):
        places.setdefault(name, []).append(row)
    sheet = say("sheet.codes", lang)
    return {name: f"='{sheet}'!$B${rows[0]}:$B${rows[-1]}" for name, rows in places.items()}


def _validation(column: pa.Column, position: int, ranges: Mapping[str, str], lang: Lang) -> dict[str, Any]:
    name = str(column.name)
    told = f"{title_of(column, lang)} {allowed_of(column, lang)}"
    prompt = {
        "input_title": name[:_WIDEST_TITLE],
        "input_message": told[:_WIDEST_PROMPT],
        "error_title": name[:_WIDEST_TITLE],
    }
    first = xlsxwriter.utility.xl_rowcol_to_cell(1, position)
    bounds = _bounds(column)
    if name in ranges:
        rule = {"validate": "list", "source": ranges[name], "error_message": say("sheet.choose", lang)}
    elif any(check.name == "identifier" for check in column.checks):
        formula = f"=AND(LEN({first})=16,ISNUMBER(VALUE({first})))"
        rule = {"validate": "custom", "value": formula, "error_message": say("sheet.sixteen_digits", lang)}
    elif bounds is not None:
        # The cells are text: what is compared is the number they spell.
        formula = f"=AND(ISNUMBER(VALUE({first})),VALUE({first})>={bounds[0]:g},VALUE({first})<={bounds[1]:g})"
        told = say("sheet.between", lang, lowest=f"{bounds[0]:g}", highest=f"{bounds[1]:g}")
        rule = {"validate": "custom", "value": formula, "error_message": told}
    else:
        rule = {"validate": "any"}
    return {**prompt, **rule}
