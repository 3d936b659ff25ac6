"""Templates of the feeds: an empty workbook or CSV whose header is the contract's, with every column explained."""

import io

import pandera.polars as pa
import polars as pl

from reports.sheets import (
    Styles,
    add_codes,
    add_table,
    allowed_of,
    codes_of,
    data_sheet,
    landing_columns,
    new_book,
    title_of,
)
from schemas.contract import Contract
from schemas.messages import Lang, say

_WORDS = {
    "name": "SITI CONTOH",
    "head_name": "SITI CONTOH",
    "agent_id": "A-0001",
    "objection_id": "S-2026Q1-0001",
    "reference": "7K3M-9QXD-04TB-W2HE",
    "household_id": "H-0001",
    "cluster_id": "C-001",
    "area_code": "35.10",
    "area_name": "Kabupaten Banyuwangi",
    "decree": "100.3.3.1/937/013/2025",
    "field": "floor_area_m2",
}
_NUMBERS = {
    "value": "1",
    "amount_rupiah": "600000",
    "expenditure_rupiah_per_capita_month": "850000",
    "poverty_line_rupiah_per_capita_month": "491873",
    "poor_count": "100130",
    "minimum_wage_rupiah_month": "2989145",
    "weight": "152.5",
    "floor_area_m2": "36",
}
_FORMS = {
    # No region bears 99: nobody has these numbers.
    "identifier": "9999990101900001",
    "village_code": "35.10.09.2001",
    "district_code": "35.10.09",
    "regency_code": "35.10",
    "area_code": "35.10",
    "area_code_bps": "3510",
    "region_digits": "3510",
    "quarter": "2026Q1",
    "vintage": "2025-03",
    "geometry": '{"type":"Polygon","coordinates":[[[114.1,-8.2],[114.2,-8.2],[114.2,-8.1],[114.1,-8.2]]]}',
}
_DAY = "2026-01-20"
_LATER_DAYS = {"valid_to_date": "2026-12-31", "birth_date": "1990-01-01", "valid_from_date": "2026-01-01"}


def csv_template(contract: Contract) -> bytes:
    """The header line of a feed."""
    return (",".join(landing_columns(contract)) + "\n").encode()


def example_of(contract: Contract) -> dict[str, str]:
    """A row of invented values that the contract accepts, as text, column by column."""
    return {name: _example(contract.columns[name]) for name in landing_columns(contract)}


def _example(column: pa.Column) -> str:
    name, dtype = str(column.name), column.dtype.type
    codes = codes_of(column)
    if codes:
        return next(iter(codes))
    form = next((_FORMS[check.name] for check in column.checks if check.name in _FORMS), None)
    if form is not None:
        return form
    if dtype == pl.Date:
        return _LATER_DAYS.get(name, _DAY)
    if dtype == pl.String:
        return _WORDS.get(name, say("sheet.some_text"))
    lowest = next((f"{one.statistics['min_value']:g}" for one in column.checks if one.name == "in_range"), "1")
    return _NUMBERS.get(name, lowest)


def xlsx_template(contract: Contract, lang: Lang = "id") -> bytes:
    """A workbook to fill: an empty sheet with a locked header and drop-downs, explanations, codes and an example.

    The sheet to fill is the first one; the others are for reading and need not be removed.
    """
    buffer = io.BytesIO()
    book = new_book(buffer)
    styles = Styles(book)
    names = landing_columns(contract)
    example = example_of(contract)
    data_sheet(book, styles, contract, lang)
    heads = [
        (say(f"sheet.{word}", lang), width)
        for word, width in (
            ("column", 34), ("required", 12), ("meaning", 64), ("allowed", 48), ("an_example", 24), ("other_names", 60),
        )
    ]  # fmt: skip
    rows = []
    for name in names:
        column = contract.columns[name]
        needed = say("sheet.is_not" if column.nullable else "sheet.is_so", lang)
        others = ", ".join(column.metadata["aliases"])
        rows.append((name, needed, title_of(column, lang), allowed_of(column, lang), example[name], others))
    add_table(book, styles, say("sheet.columns", lang), heads, rows)
    add_codes(book, styles, contract, lang)
    add_table(
        book, styles, say("sheet.example", lang), [(name, max(len(name) + 2, 12)) for name in names],
        [[example[name] for name in names]],
    )  # fmt: skip
    book.close()
    return buffer.getvalue()
