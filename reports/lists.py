"""The public lists of one region as a workbook whose codes stay text; a spreadsheet makes numbers of those in a CSV."""

import io
from collections.abc import Mapping

import polars as pl

from reports.sheets import new_book
from schemas.errors import Refused

MOST_ROWS = 1_048_575
"""Rows below the header that a sheet can hold."""


def lists_workbook(lists: Mapping[str, pl.DataFrame]) -> bytes:
    """One sheet per list, header in view and filters on; the same lists give the same bytes.

    Raises
    ------
    Refused
        If a list is longer than a sheet can be.
    """
    buffer = io.BytesIO()
    book = new_book(buffer)
    for name, rows in lists.items():
        if rows.height > MOST_ROWS:
            message = f"{name} has {rows.height:,} rows, a sheet holds {MOST_ROWS:,}. Ask for a smaller region."
            raise Refused(message)
        rows.write_excel(book, name, autofit=True, freeze_panes=(1, 0))
    book.close()
    return buffer.getvalue()
