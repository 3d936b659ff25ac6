"""The groups of families by which movements, errors and coverage are told. What is counted of them is elsewhere."""

from collections.abc import Sequence

import polars as pl

GROUPS = ("head_age", "head_sex", "disability", "household_size", "settlement")
ALL = "all"
_ELDERLY = 60
_SIZES = ((1, "1"), (3, "2-3"), (5, "4-5"))
_LARGEST = "6+"


def groups(columns: Sequence[str]) -> list[pl.Expr]:
    """The groups that answers tell, as words; of registered families and surveyed households alike.

    A group whose question the home's questionnaire does not ask is unknown of everybody.
    """
    size = pl.lit(_LARGEST)
    for most, word in reversed(_SIZES):
        size = pl.when(pl.col("household_size") <= most).then(pl.lit(word)).otherwise(size)

    def told(question: str, is_so: pl.Expr, yes: str, no: str) -> pl.Expr:
        if question not in columns:
            return pl.lit("unknown")
        word = pl.when(is_so).then(pl.lit(yes)).otherwise(pl.lit(no))
        return pl.when(pl.col(question).is_null()).then(pl.lit("unknown")).otherwise(word)

    known_size = pl.when(pl.col("household_size").is_null()).then(pl.lit("unknown")).otherwise(size)
    return [
        told("head_age", pl.col("head_age") >= _ELDERLY, "elderly", "younger").alias("head_age"),
        told("head_is_female", pl.col("head_is_female") == 1, "female", "male").alias("head_sex"),
        told("disabled_count", pl.col("disabled_count") > 0, "with", "without").alias("disability"),
        (known_size if "household_size" in columns else pl.lit("unknown")).alias("household_size"),
    ]


def cells(frame: pl.DataFrame) -> list[tuple[str, str, pl.Expr]]:
    """All rows, then every value of every group: dimension, value, and whether a row is in it."""
    by_group = [
        (dimension, str(value), pl.col(dimension) == value)
        for dimension in GROUPS
        for value in frame[dimension].unique().sort()
    ]
    return [(ALL, ALL, pl.lit(value=True)), *by_group]
