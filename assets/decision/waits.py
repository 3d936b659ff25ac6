"""How long something has stood: quarters between one written as text (`2026Q1`) and the quarter decided."""

import polars as pl

from schemas.quarter import Quarter

_PER_YEAR = 4


def quarters_since(column: str, quarter: Quarter) -> pl.Expr:
    """Quarters from the one in a column to this one, Int64: 0 in the same; null stays null."""
    text = pl.col(column).str
    then = text.slice(0, 4).cast(pl.Int64) * _PER_YEAR + text.slice(5, 1).cast(pl.Int64)
    return quarter.year * _PER_YEAR + quarter.number - then
