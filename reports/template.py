"""Templates of the feeds: an empty workbook or CSV whose header is the contract's, with every column explained."""

import io

import xlsxwriter

from schemas.contract import Contract
from schemas.feeds import ADDED_COLUMNS


def landing_columns(contract: Contract) -> list[str]:
    """Columns a delivered file has: those of the contract without what intake adds."""
    return [name for name in contract.columns if name not in ADDED_COLUMNS]


def csv_template(contract: Contract) -> bytes:
    """The header line of a feed."""
    return (",".join(landing_columns(contract)) + "\n").encode()


def xlsx_template(contract: Contract) -> bytes:
    """A workbook: a sheet to fill whose header stays in view, and a sheet that explains every column."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    bold = book.add_format({"bold": True, "bg_color": "#DDE7EE", "border": 1})
    text = book.add_format({"num_format": "@"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    names = landing_columns(contract)
    sheet = book.add_worksheet("data")
    sheet.freeze_panes(1, 0)
    for position, name in enumerate(names):
        sheet.write_string(0, position, name, bold)
        # As text, or Excel makes 3.51E+15 of a number of 16 digits.
        sheet.set_column(position, position, max(len(name) + 2, 12), text)
    explained = book.add_worksheet("columns")
    explained.freeze_panes(1, 0)
    for position, (title, width) in enumerate(
        (("column", 30), ("required", 10), ("unit", 16), ("description", 70), ("allowed", 60))
    ):
        explained.write_string(0, position, title, bold)
        explained.set_column(position, position, width, wrapped)
    for row, name in enumerate(names, start=1):
        column = contract.columns[name]
        allowed = "; ".join(str(check) for check in column.checks if check.name in {"isin", "in_range"})
        cells = (name, "no" if column.nullable else "yes", column.metadata["unit"], column.description, allowed)
        for position, cell in enumerate(cells):
            explained.write_string(row, position, str(cell))
    book.close()
    return buffer.getvalue()
