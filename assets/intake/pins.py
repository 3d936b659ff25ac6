"""What a run reads, fixed when it starts: the batches and the revision it builds on. Later arrivals change nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from assets.intake.batches import Batch, accepted_table, batches, pinned
from assets.lake import Lake, Table, digest
from schemas.quarter import Quarter
from schemas.vocabularies import Feed


@dataclass(frozen=True)
class Pins:
    """The inputs of one run of a quarter.

    Attributes
    ----------
    is_first : bool
        Whether the feed current_recipients stands for the quarter before.
    builds_on : str or None
        Draft hash of the revision of the quarter before that is in force; None in a first quarter.
    builds_on_revision : int or None
        Number of that revision.
    batches : tuple of (quarter, batch)
        What is read.
    draw : str
        Hash of what the quarter's seed follows from; empty in drafts of before there were draws.
    """

    quarter: str
    is_first: bool
    builds_on: str | None
    builds_on_revision: int | None
    batches: tuple[tuple[str, str], ...]
    draw: str = ""

    @property
    def hash(self) -> str:
        """What names these inputs; equal pins have equal hashes."""
        return digest(self.to_json())

    @classmethod
    def of(cls, lake: Lake, quarter: Quarter, builds_on: tuple[str, int] | None, draw: str = "") -> "Pins":
        """Pin what lies in the lake now."""
        chosen = tuple((batch.quarter, batch.batch_id) for batch in pinned(lake, quarter))
        draft, revision = builds_on or (None, None)
        return cls(str(quarter), builds_on is None, draft, revision, chosen, draw)

    def read(self, lake: Lake) -> tuple[Batch, ...]:
        """The pinned batches, in order of feed, quarter and identity."""
        wanted = set(self.batches)
        found = [
            batch
            for quarter in sorted({quarter for quarter, _ in wanted})
            for batch in batches(lake, quarter)
            if (quarter, batch.batch_id) in wanted
        ]
        return tuple(sorted(found, key=lambda batch: (batch.feed, batch.quarter, batch.batch_id)))

    def tables(self, lake: Lake) -> Mapping[Feed, Table]:
        """Accepted rows of every feed."""
        chosen = self.read(lake)
        return {feed: accepted_table(lake, feed, self.quarter, chosen) for feed in Feed}

    def to_json(self) -> dict[str, Any]:
        """Plain form; that of before there were draws has none, so that their hashes stay."""
        return {name: value for name, value in asdict(self).items() if name != "draw" or value}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Pins":
        """From the plain form."""
        return cls(**{**plain, "batches": tuple((quarter, batch) for quarter, batch in plain["batches"])})
