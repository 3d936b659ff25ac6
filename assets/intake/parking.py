"""Parking: accepted rows whose family or person is not known yet. They are stored, and no error: they wait.

Known is a family with a registration in force, or one of the registry of the quarter before; a person, who is stated a
member of a known family. What the waiting rows mean once they are taken up is the registry's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

import polars as pl

from assets.intake.batches import Batch, accepted_table, batches, pinned
from assets.lake import Lake, Table
from schemas.contract import Contract
from schemas.quarter import Quarter
from schemas.vocabularies import BatchState, Feed

SUBJECT = {
    Feed.MEMBERS: "family_card_number",
    Feed.SURVEYS: "family_card_number",
    Feed.IDENTITY_CHECKS: "family_card_number",
    Feed.REQUESTS: "family_card_number",
    Feed.VALIDATIONS: "family_card_number",
    Feed.OBJECTIONS: "family_card_number",
    Feed.PAYMENTS: "family_card_number",
    Feed.EVIDENCE: "nik",
}
"""Column that says whom a row is about, for the feeds whose rows wait until the one is known."""


@dataclass(frozen=True)
class Known:
    """Whom a quarter knows, lazily; a number may stand in a frame twice.

    Attributes
    ----------
    cards : LazyFrame
        `family_card_number` of families.
    members : LazyFrame
        `family_card_number, nik` of members stated, of whatever family.
    persons : LazyFrame
        `nik` of persons on record.
    """

    cards: pl.LazyFrame
    members: pl.LazyFrame
    persons: pl.LazyFrame

    @classmethod
    def in_quarter(
        cls, lake: Lake, contracts: Mapping[str, Contract], quarter: Quarter, cut_off: date | None = None
    ) -> Self:
        """What the batches in force and the registry of the quarter before know now.

        Parameters
        ----------
        cut_off : date or None
            Registrations dated later do not count; None: all do.
        """
        chosen = pinned(lake, quarter)

        def accepted(feed: Feed, *columns: str) -> pl.LazyFrame:
            return accepted_table(lake, feed, str(quarter), chosen).scan(contracts[f"intake/{feed}"], columns)

        def before(key: str, column: str) -> pl.LazyFrame:
            table = lake.table(key, str(quarter.previous)) or Table(key, str(quarter.previous), {})
            return table.scan(contracts[key], [column])

        registrations = accepted(Feed.REGISTRATIONS, "family_card_number", "registered_date")
        if cut_off is not None:
            registrations = registrations.filter(pl.col("registered_date") <= cut_off)
        cards = pl.concat(
            [registrations.select("family_card_number"), before("registry/families", "family_card_number")]
        )
        members = accepted(Feed.MEMBERS, "family_card_number", "nik")
        return cls(cards, members, before("registry/persons", "nik"))

    def missing(self, feed: Feed, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows that must wait; none of a feed whose rows are about nobody, nor a row that names nobody."""
        column = SUBJECT.get(feed)
        if column is None or rows.is_empty():
            return rows.clear()
        # Only what the rows name is kept of all that is known: memory goes with the rows, not with the nation.
        rows = rows.drop_nulls(column)
        named = rows.lazy().select(column).unique()
        found = self._find(column, named).unique().collect(engine="streaming")
        return rows.join(found, on=column, how="anti")

    def _find(self, column: str, named: pl.LazyFrame) -> pl.LazyFrame:
        """Those of the named numbers that are known."""
        if column == "family_card_number":
            return self.cards.join(named, on=column, how="semi")
        stated = self.members.join(named, on=column, how="semi").join(self.cards, on="family_card_number", how="semi")
        return pl.concat([stated.select(column), self.persons.join(named, on=column, how="semi")])


@dataclass(frozen=True)
class Parked:
    """Rows of a batch that wait."""

    feed: Feed
    batch_id: str
    rows: int


def still_parked(lake: Lake, contracts: Mapping[str, Contract], quarter: Quarter, cut_off: date) -> tuple[Parked, ...]:
    """What waits at the cut-off, batch by batch of the quarter, in order of feed and batch; equal rows count once."""
    known = Known.in_quarter(lake, contracts, quarter, cut_off)
    return tuple(
        Parked(batch.feed, batch.batch_id, rows)
        for batch in batches(lake, str(quarter))
        if batch.state is BatchState.LOADED and batch.feed in SUBJECT
        if (rows := _waiting(lake, contracts[f"intake/{batch.feed}"], batch, known))
    )


def _waiting(lake: Lake, contract: Contract, batch: Batch, known: Known) -> int:
    table = accepted_table(lake, batch.feed, batch.quarter, [batch])
    shards = (table.read(contract, shard, [SUBJECT[batch.feed]]) for shard in table.shards)
    return sum(known.missing(batch.feed, rows).height for rows in shards)
