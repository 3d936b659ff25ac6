"""Which accepted statements count in a quarter, and which questions an agency answered; not what follows from them.

What is dated up to the cut-off counts. A delivery of the quarter before is read once more: what came too late then
counts now, and so does what was parked then, its family or person having been unknown. Nothing counts twice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Self

import polars as pl

from assets.house import House
from assets.intake.batches import Batch, day_of_batch, issued_on
from assets.intake.evidence_requests import find_request
from assets.lake import Lake, Table
from schemas.contract import Contract
from schemas.quarter import Quarter
from schemas.vocabularies import Agency, Feed

FEEDS = (
    Feed.REGISTRATIONS, Feed.MEMBERS, Feed.SURVEYS, Feed.VALIDATIONS, Feed.EVIDENCE, Feed.CURRENT_RECIPIENTS,
    Feed.ADJUDICATIONS, Feed.AGENTS, Feed.DTSEN_FAMILIES, Feed.DTSEN_PERSONS,
    Feed.POPULATION_REGISTER, Feed.IDENTITY_CHECKS, Feed.AGENT_FAMILIES, Feed.REQUESTS,
)  # fmt: skip
"""Feeds the registry reads."""

_DATE_OF = {
    Feed.REGISTRATIONS: "registered_date",
    Feed.MEMBERS: "stated_date",
    Feed.SURVEYS: "survey_date",
    Feed.VALIDATIONS: "validation_date",
    Feed.EVIDENCE: "as_of_date",
    Feed.IDENTITY_CHECKS: "checked_date",
    Feed.REQUESTS: "requested_date",
}


@dataclass(frozen=True)
class Group:
    """Persons that agencies were asked about: those of some batches and of a published revision, in some regencies.

    Attributes
    ----------
    batches : tuple of (quarter, batch)
        Batches of members and registrations.
    revision : (quarter, number, draft) or None
        A published revision.
    regencies : tuple of str
        Where they were registered; empty is everywhere.
    """

    batches: tuple[tuple[str, str], ...]
    revision: tuple[str, int, str] | None
    regencies: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """An agency's answer: whoever it was asked about and has no row was checked, and nothing was found.

    Attributes
    ----------
    group : Group or None
        Whom the request named, where the answer is to one; else it is about persons on record in the regencies.
    """

    agency: str
    as_of: date
    regencies: tuple[str, ...]
    group: Group | None = None


def answered_on(batch: Batch) -> date:
    """Day an agency's delivery speaks of."""
    return batch.declaration.as_of or batch.declaration.issued_on


@dataclass(frozen=True)
class Statements:
    """The accepted statements of a quarter.

    Attributes
    ----------
    tables : mapping
        Accepted rows of the pinned batches, by feed.
    batches : tuple of Batch
        The pinned batches.
    cut_off : date
        Last day that counts.
    late : frozenset of str
        Batches of the quarter before.
    since : date
        Cut-off of the quarter before.
    set_aside : mapping of Feed to DataFrame
        Rows that do not count, by `batch_id, row_number` (:mod:`assets.registry.standing`).
    added : mapping of Feed to DataFrame
        Rows that count though no pinned batch of the feed holds them, with the columns that :meth:`of` gives.
    """

    contracts: Mapping[str, Contract]
    lake: Lake
    tables: Mapping[Feed, Table]
    batches: tuple[Batch, ...]
    cut_off: date
    late: frozenset[str]
    since: date
    set_aside: Mapping[Feed, pl.DataFrame] = field(default_factory=dict)
    added: Mapping[Feed, pl.DataFrame] = field(default_factory=dict)

    @classmethod
    def of_quarter(cls, house: House, quarter: Quarter, tables: Mapping[Feed, Table], batches: Sequence[Batch]) -> Self:
        """What a quarter counts of its pinned batches."""
        late = frozenset(batch.batch_id for batch in batches if batch.quarter != str(quarter))
        since = house.days(quarter.previous).cut_off if late else date.min
        read = {feed: tables[feed] for feed in FEEDS}
        return cls(house.contracts, house.lake, read, tuple(batches), house.days(quarter).cut_off, late, since)

    @property
    def hash(self) -> str:
        """What names these statements, beside the tables' content, in the name of a shard's file."""
        frames = [(feed, _bytes_of(one)) for part in (self.set_aside, self.added) for feed, one in sorted(part.items())]
        return repr((self.cut_off, self.since, sorted(self.late), self.coverage, frames))

    def of(self, feed: Feed) -> pl.LazyFrame:
        """Statements of a feed with `issued_on` and `was_due`.

        A feed whose rows bear no day of their own counts whole. `was_due`: the quarter before read the row too, and
        counted it if it knew whom it is about. Evidence has also `answered_on`, the day the
        delivery speaks of or, if later, the day of the fact.
        """
        rows = self._dated(feed)
        if feed in self.set_aside:
            rows = rows.join(self.set_aside[feed].lazy(), on=["batch_id", "row_number"], how="anti")
        if feed in self.added:
            rows = pl.concat([rows, self.added[feed].lazy().select(rows.collect_schema().names())])
        return rows

    def _dated(self, feed: Feed) -> pl.LazyFrame:
        mine = [batch for batch in self.batches if batch.feed is feed]
        rows = self.raw(feed).with_columns(issued_on=issued_on(mine))
        if feed not in _DATE_OF:
            return rows.with_columns(was_due=pl.lit(value=False))
        day = pl.col(_DATE_OF[feed])
        if feed is Feed.EVIDENCE:
            rows = rows.with_columns(
                answered_on=pl.max_horizontal(day, day_of_batch({batch.batch_id: answered_on(batch) for batch in mine}))
            )
            day = pl.col("answered_on")
        late = pl.col("batch_id").is_in(sorted(self.late.intersection(batch.batch_id for batch in mine)))
        return rows.filter(day <= self.cut_off).with_columns(was_due=late & (day <= self.since))

    def raw(self, feed: Feed) -> pl.LazyFrame:
        """Every accepted row of a feed, whether it counts or not."""
        return self.tables[feed].scan(self.contracts[f"intake/{feed}"])

    @cached_property
    def coverage(self) -> tuple[Coverage, ...]:
        """Whom the agencies answered about, by deliveries that count now and did not before.

        BPS is asked about nobody: what it did not find on a visit says nothing.
        """
        return tuple(
            self._covered(batch)
            for batch in self.batches
            if batch.feed is Feed.EVIDENCE
            and batch.declaration.agency is not Agency.BPS
            and answered_on(batch) <= self.cut_off
            and (batch.batch_id not in self.late or answered_on(batch) > self.since)
        )

    def _covered(self, batch: Batch) -> Coverage:
        said = batch.declaration
        answer = Coverage(str(said.agency), answered_on(batch), said.coverage)
        request = None if said.request is None else find_request(self.lake, said.request)
        if request is None:
            return answer
        group = Group(request.batches, request.revision, said.coverage or request.regencies)
        return replace(answer, group=group)


def _bytes_of(frame: pl.DataFrame) -> str:
    return hashlib.sha256(frame.write_ipc(None, compat_level=pl.CompatLevel.oldest()).getvalue()).hexdigest()


def counted(statements: pl.LazyFrame, cards: pl.LazyFrame) -> pl.LazyFrame:
    """Statements about families with `family_id`, each once: not what the quarter before counted already.

    Parameters
    ----------
    statements : LazyFrame
        From :meth:`Statements.of`, with `family_card_number`.
    cards : LazyFrame
        `family_card_number, family_id, was_on_record` of :func:`assets.registry.families.family_index`.
    """
    return statements.join(cards, on="family_card_number").filter(~(pl.col("was_due") & pl.col("was_on_record")))
