"""The accepted facts of a quarter as one hash: what was stated, whatever files, batches and order it came in."""

import hashlib
from collections.abc import Mapping

import polars as pl

from assets.intake.batches import accepted_table, batches, issued_on
from assets.lake import Lake, digest
from schemas.contract import Contract
from schemas.quarter import Quarter
from schemas.vocabularies import BatchState, Feed

_ROWS = 100_000


def facts_of(lake: Lake, contracts: Mapping[str, Contract], quarter: Quarter, feed: Feed) -> pl.DataFrame:
    """The distinct accepted rows of a feed in the batches of a quarter in force, in a total order.

    Returns
    -------
    DataFrame
        The columns of the feed without batch and row, and `issued_on`, the latest day a sender declared for the row.
    """
    chosen = [batch for batch in batches(lake, str(quarter)) if batch.state is BatchState.LOADED and batch.feed is feed]
    rows = accepted_table(lake, feed, str(quarter), chosen).scan(contracts[f"intake/{feed}"])
    content = [name for name in contracts[f"intake/{feed}"].columns if name not in {"batch_id", "row_number"}]
    return rows.group_by(content).agg(issued_on=issued_on(chosen).max()).sort(content, nulls_last=True).collect()


def facts_hash(lake: Lake, contracts: Mapping[str, Contract], quarter: Quarter) -> str:
    """SHA-256 of all accepted facts of a quarter; equal facts have equal hashes in every version of the libraries."""
    hashes = {}
    for feed in sorted({batch.feed for batch in batches(lake, str(quarter))}):
        facts = facts_of(lake, contracts, quarter, feed)
        if facts.is_empty():
            continue
        found = hashlib.sha256()
        for chunk in facts.iter_slices(_ROWS):
            found.update(chunk.write_csv(null_value="\\N").encode())
        hashes[str(feed)] = found.hexdigest()
    return digest(hashes)
