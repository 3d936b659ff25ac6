"""Helpers over frames that several rooms need; none knows what the columns mean."""

from collections.abc import Sequence

import polars as pl


def split_repeated(rows: pl.DataFrame, key: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into those whose key occurs once and the others, so that only these are sorted and grouped.

    Keys of one hash are taken for one: a row whose key occurs once may be among the others.
    """
    is_repeated = rows.select(pl.struct(key).hash().is_duplicated()).to_series()
    return rows.filter(~is_repeated), rows.filter(is_repeated)
