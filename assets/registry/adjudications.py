"""The rulings of clerks on cases of identity: the last one on each case, kept from quarter to quarter.

Whether the facts are still those ruled on is asked where the case is found; what follows from a ruling is there too.
"""

import polars as pl

RULING = ("ruling", "family_id", "role", "decided_by", "reason", "decided_date", "facts_hash")


def rulings_of(stated: pl.LazyFrame, previous: pl.LazyFrame) -> pl.DataFrame:
    """One row per case, the ruling last decided (contract `registry/adjudications`).

    Parameters
    ----------
    stated : LazyFrame
        Rows of the feed `adjudications`, with `issued_on`. They count whatever their day: a ruling is no fact that
        could come too late, and a quarter run again obeys what was ruled since.
    previous : LazyFrame
        Last quarter's rulings. Of two of one day the one issued later counts, then the one greater in content.
    """
    columns = ["case_id", *RULING, "issued_on"]
    both = [previous.with_columns(issued_on="decided_date").select(columns), stated.select(columns)]
    return (
        pl.concat(both)
        .sort("case_id", "decided_date", "issued_on", *RULING, nulls_last=True)
        .unique("case_id", keep="last", maintain_order=True)
        .drop("issued_on")
        .collect()
    )
