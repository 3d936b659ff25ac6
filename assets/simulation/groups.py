"""The groups of families by which movements, errors and coverage are told. What is counted of them is elsewhere."""

from collections.abc import Sequence

import polars as pl

GROUPS = ("elderly_living", "head_age", "head_sex", "disability", "household_size", "settlement")
ALL = "all"
FACT = "_is_"
"""Beginning of a column of :func:`group_facts`."""
_ELDERLY = 60
_SIZES = ((1, "1"), (3, "2-3"), (5, "4-5"))
_LARGEST = "6+"
_PAIR = 2


def groups(columns: Sequence[str]) -> list[pl.Expr]:
    """The groups that answers tell, as words; of registered families and surveyed households alike.

    A group whose question the home's questionnaire does not ask is unknown of everybody.
    """
    size = pl.lit(_LARGEST)
    for most, word in reversed(_SIZES):
        size = pl.when(pl.col("household_size") <= most).then(pl.lit(word)).otherwise(size)

    def label_answer(question: str, is_so: pl.Expr, yes: str, no: str, beside: str | None = None) -> pl.Expr:
        if question not in columns or (beside is not None and beside not in columns):
            return pl.lit("unknown")
        word = pl.when(is_so).then(pl.lit(yes)).otherwise(pl.lit(no))
        return pl.when(pl.col(question).is_null()).then(pl.lit("unknown")).otherwise(word)

    known_size = pl.when(pl.col("household_size").is_null()).then(pl.lit("unknown")).otherwise(size)
    return [
        label_answer("elderly_count", elderly_alone_or_pair(), "alone_or_pair", "others", "household_size").alias(
            "elderly_living"
        ),
        label_answer("head_age", pl.col("head_age") >= _ELDERLY, "elderly", "younger").alias("head_age"),
        label_answer("head_is_female", pl.col("head_is_female") == 1, "female", "male").alias("head_sex"),
        label_answer("disabled_count", pl.col("disabled_count") > 0, "with", "without").alias("disability"),
        (known_size if "household_size" in columns else pl.lit("unknown")).alias("household_size"),
    ]


def elderly_alone_or_pair() -> pl.Expr:
    """Whether every member is sixty or older and they are one or two."""
    return (pl.col("elderly_count") == pl.col("household_size")) & (pl.col("household_size") <= _PAIR)


def group_facts(columns: Sequence[str]) -> dict[str, pl.Expr]:
    """Facts of reserved places that a survey's columns tell, by name; of disability no survey knows a record."""
    asked: dict[str, tuple[tuple[str, ...], pl.Expr]] = {
        "elderly_alone_or_pair": (("elderly_count", "household_size"), elderly_alone_or_pair()),
        "elderly_count": (("elderly_count",), pl.col("elderly_count") >= 1),
        "severe_disability_count": (("disabled_count",), pl.col("disabled_count") >= 1),
        "supported_disability_count": (("disabled_count",), pl.col("disabled_count") >= 1),
    }
    known = {fact: is_so for fact, (needed, is_so) in asked.items() if {*needed} <= {*columns}}
    return {fact: is_so.fill_null(value=False).alias(f"{FACT}{fact}") for fact, is_so in known.items()}


def cells(frame: pl.DataFrame) -> list[tuple[str, str, pl.Expr]]:
    """All rows, then every value of every group: dimension, value, and whether a row is in it."""
    by_group = [
        (dimension, str(value), pl.col(dimension) == value)
        for dimension in GROUPS
        for value in frame[dimension].unique().sort()
    ]
    return [(ALL, ALL, pl.lit(value=True)), *by_group]
