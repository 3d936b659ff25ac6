"""Faults of single cells that the reader of workbooks found: the columns they strike and the reasons they give.

A chunk bears them in `row_fault` by place, as `c3=merged_cell c7=error_in_cell`; once the header is known they stand
there by column, as `nik=merged_cell`. A fault of the row itself is one word without `=`.
"""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

LONG_NUMBER = "identifier_through_a_number"
"""A number of more digits than a spreadsheet keeps: a fault in a column of text, none in one of amounts."""
_OF_CELLS = "="
_FOUND_CHARS = 80


def separate_cell_faults(
    chunk: pl.DataFrame, columns: Mapping[str, Sequence[str]], texts: Collection[str]
) -> pl.DataFrame:
    """Move the faults of cells that are read from `row_fault` to `cell_fault`, by column; drop those of other cells.

    Parameters
    ----------
    columns : mapping
        Column of the feed to the places it is read from, as `c3`.
    texts : collection of str
        Columns of text.
    """
    is_of_cells = chunk["row_fault"].str.contains(_OF_CELLS, literal=True).fill_null(value=False)
    if not is_of_cells.any():
        return chunk.with_columns(cell_fault=pl.lit(None, pl.String))
    read = [(place, column) for column, places in columns.items() for place in places]
    struck = (
        _listed(chunk.filter(is_of_cells))
        .join(pl.DataFrame(read, {"place": pl.String, "column": pl.String}, orient="row"), on="place")
        .filter((pl.col("reason") != LONG_NUMBER) | pl.col("column").is_in(list(texts)))
        .sort("row_number", "column")
        .group_by("row_number", maintain_order=True)
        .agg(cell_fault=pl.concat_str("column", "reason", separator=_OF_CELLS).str.join(" "))
    )
    row_fault = pl.when(~is_of_cells).then("row_fault")
    return chunk.with_columns(row_fault).join(struck, on="row_number", how="left", maintain_order="left")


def reasons_of_rows(broken: pl.DataFrame) -> pl.DataFrame:
    """Give the reasons of rows that are rejected for their `row_fault`.

    Returns
    -------
    DataFrame
        `row_number, column, reason, found, expected`, all but the first as text; a fault of the row has no column.
    """
    is_of_cells = broken["row_fault"].str.contains(_OF_CELLS, literal=True)
    whole = broken.filter(~is_of_cells).select("row_number", pl.lit("").alias("column"), reason="row_fault")
    struck = _listed(broken.filter(is_of_cells)).rename({"place": "column"})
    cells = broken.select("row_number", *struck["column"].unique(maintain_order=True)).unpivot(
        index="row_number", variable_name="column", value_name="found"
    )
    told = pl.concat([whole, struck]).join(
        cells, on=["row_number", "column"], how="left", maintain_order="left"
    )  # fmt: skip
    found = pl.col("found").cast(pl.String).str.head(_FOUND_CHARS)
    return told.with_columns(found, expected=pl.lit("")).sort("row_number", maintain_order=True)


def _listed(rows: pl.DataFrame) -> pl.DataFrame:
    """Faults of cells one by one: `row_number`, `place` and `reason`."""
    told = rows.select("row_number", fault=pl.col("row_fault").str.split(" ")).explode("fault")
    parts = pl.col("fault").str.split_exact(_OF_CELLS, 1).struct
    return told.select("row_number", place=parts.field("field_0"), reason=parts.field("field_1"))
