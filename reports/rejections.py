"""The workbook of rejected rows: each as it was delivered, what is wrong in it and how to mend it.

Mended, it is loaded as it is: its first sheet is a delivery of the feed. Why a row is rejected is intake's.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl
import xlsxwriter

from reports.sheets import Styles, add_codes, add_table, allowed_of, data_sheet, landing_columns, new_book
from schemas.contract import Contract
from schemas.messages import LANGUAGES, NOTHING, Lang, catalogue, say

MOST_ROWS = 3_000
"""Rows that people mend by hand; a longer list is mended where it came from."""
NOTES = frozenset(say(f"sheet.{word}", lang) for word in ("original_row", "to_mend") for lang in LANGUAGES)
"""Columns of the workbook that are no columns of the feed: to be passed over when it is loaded."""

_FOUND_CHARS = 200
_FIRST_ROW = 2
_LINE_CHARS, _LINE_POINTS, _MOST_LINES = 60, 15, 6


def workbook(
    rows: pl.DataFrame, reasons: pl.DataFrame, contract: Contract, lang: Lang = "id", *, complete: str = "rows.parquet",
    all_rows: int | None = None, most: int = MOST_ROWS,
) -> bytes:  # fmt: skip
    """A workbook of rejected rows, to be mended and loaded again; see :func:`write_workbook`."""
    buffer = io.BytesIO()
    _write(buffer, rows, reasons, contract, lang, complete=complete, all_rows=all_rows, most=most)
    return buffer.getvalue()


def write_workbook(
    path: Path, rows: pl.DataFrame, reasons: pl.DataFrame, contract: Contract, lang: Lang = "id", *,
    complete: str = "rows.parquet", all_rows: int | None = None, most: int = MOST_ROWS,
) -> None:  # fmt: skip
    """Write a workbook of rejected rows, to be mended and loaded again.

    Parameters
    ----------
    rows : DataFrame
        `row_number` and the cells of each rejected row as delivered, as text, under the feed's column names; columns
        the feed does not know may follow.
    reasons : DataFrame
        `row_number, column, reason` (code of the message `row.<reason>`), and `found`, `expected` where they are
        known.
    complete : str
        Name of the file that holds all rows, told where the workbook cannot.
    all_rows : int, optional
        Rejected rows of the file, if `rows` are only the first of them.
    most : int
        Rows the workbook holds at most.
    """
    with path.open("wb") as sink:
        _write(sink, rows, reasons, contract, lang, complete=complete, all_rows=all_rows, most=most)


def _write(
    sink: IO[bytes], rows: pl.DataFrame, reasons: pl.DataFrame, contract: Contract, lang: Lang, *, complete: str,
    all_rows: int | None, most: int,
) -> None:  # fmt: skip
    shown = rows.sort("row_number").head(most)
    told = _told(reasons, shown, contract, lang)
    book = new_book(sink, streams=True)
    styles = Styles(book)
    names = landing_columns(contract)
    strangers = [name for name in shown.columns if name not in {*names, "row_number"}]
    before = [say("sheet.original_row", lang), say("sheet.to_mend", lang)]
    sheet = data_sheet(book, styles, contract, lang, before=before, after=strangers)
    sheet.set_column(1, 1, _LINE_CHARS, styles.advice)
    places = {name: position for position, name in enumerate([*names, *strangers], start=len(before))}
    wrong: dict[int, set[str]] = {}
    advice: dict[int, list[str]] = {}
    for one in told:
        wrong.setdefault(one.row, set()).add(one.column)
        advice.setdefault(one.row, []).append(one.how)
    delivered = [name for name in shown.columns if name in places]
    cells = shown.select("row_number", pl.col(delivered).cast(pl.String))
    for at, (row_number, *values) in enumerate(cells.iter_rows(), start=1):
        faulty = wrong.get(row_number, set())
        told_beside = " ".join(advice.get(row_number, []))
        sheet.set_row(at, _LINE_POINTS * min(1 + len(told_beside) // _LINE_CHARS, _MOST_LINES))
        styles.write(sheet, at, 0, str(row_number), styles.text)
        styles.write(sheet, at, 1, told_beside, styles.advice)
        filled = dict(zip(delivered, values, strict=True))
        for name, position in places.items():
            value = filled.get(name)
            if name in faulty:
                styles.write(sheet, at, position, value or "", styles.wrong)
            elif value:
                styles.write(sheet, at, position, value, styles.text)
    every = rows.height if all_rows is None else all_rows
    _add_reasons(book, styles, told, lang, _shortened(shown.height, every, complete, lang))
    add_codes(book, styles, contract, lang)
    book.close()


def _shortened(shown: int, every: int, complete: str, lang: Lang) -> str | None:
    return None if every <= shown else say("sheet.more_rows", lang, shown=shown, all=every, complete=complete)


@dataclass(frozen=True, slots=True)
class _Fault:
    """One reason of one row, in words; `at` is its row in the workbook, `row` that of the file."""

    at: int
    row: int
    column: str
    found: str
    expected: str
    how: str


def _told(reasons: pl.DataFrame, shown: pl.DataFrame, contract: Contract, lang: Lang) -> list[_Fault]:
    """Every reason of the shown rows, in their order, with what was found, expected and is to be done."""
    given = [name for name in ("found", "expected") if name in reasons.columns]
    at = shown.select("row_number").with_row_index("at", offset=_FIRST_ROW)
    listed = (
        reasons.select("row_number", pl.col("column", "reason", *given).cast(pl.String))
        .join(at, on="row_number", how="inner")
        .sort("at", "column", "reason", nulls_last=True)
    )
    cells = {name: shown[name].cast(pl.String).to_list() for name in listed["column"].unique() if name in shown.columns}
    expectations = {name: allowed_of(column, lang) for name, column in contract.columns.items()}
    faults = []
    for one in listed.iter_rows(named=True):
        name = one["column"] or ""
        expected = one.get("expected") or expectations.get(name, NOTHING)
        found = one.get("found")
        if found is None and name in cells:
            found = cells[name][one["at"] - _FIRST_ROW]
        text = NOTHING if found is None else str(found)[:_FOUND_CHARS]
        how = _how(one["reason"], name, expected, text, lang)
        faults.append(_Fault(one["at"], one["row_number"], name, text, expected, how))
    return faults


def _how(reason: str, column: str, expected: str, found: str, lang: Lang) -> str:
    code = reason if reason.startswith("row.") else f"row.{reason}"
    if code not in catalogue():
        return f"{column}: {reason} ({expected})"
    return say(code, lang, column=column, expected=expected, found=found)


def _add_reasons(
    book: xlsxwriter.Workbook, styles: Styles, told: Sequence[_Fault], lang: Lang, note: str | None
) -> None:
    heads = [
        (say(f"sheet.{word}", lang), width)
        for word, width in (
            ("row", 12), ("row_of_file", 12), ("column", 30), ("found", 36), ("expected", 36), ("how", 90),
        )
    ]  # fmt: skip
    rows = [(str(one.at), str(one.row), one.column, one.found, one.expected, one.how) for one in told]
    add_table(book, styles, say("sheet.reasons", lang), heads, [*([(note,)] if note else []), *rows])
