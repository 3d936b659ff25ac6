"""The ledger of batches: one append-only manifest per delivered file, and which of them a quarter reads."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assets.intake.declaration import Declaration
from assets.lake import Lake, Shard, Table, digest, write_atomically
from schemas.quarter import Quarter
from schemas.vocabularies import Feed

LEDGER = "intake/batches"


@dataclass(frozen=True)
class Batch:
    """One loaded file: who declared what, how many rows, and the immutable file that holds the accepted ones.

    Rows read = accepted + rejected + parked; of equal rows one is stored.
    """

    batch_id: str
    feed: Feed
    quarter: str
    file_name: str
    file_hash: str
    declaration: Declaration
    read: int
    accepted: int
    rejected: int
    parked: int
    reasons: dict[str, int]
    shard: dict[str, Any]

    def to_json(self) -> bytes:
        """Manifest as it is stored."""
        plain = asdict(self) | {"declaration": self.declaration.model_dump(mode="json")}
        return json.dumps(plain, indent=1, default=str).encode()


def batch_id_of(feed: Feed, quarter: str, file_hash: str, declaration: Declaration) -> str:
    """Identity of a delivery: the same content under the same declaration is the same batch."""
    return digest([feed, quarter, file_hash, declaration.model_dump(mode="json")])[:16]


def ledger_folder(lake: Lake, quarter: str) -> Path:
    """Where the manifests of a quarter lie."""
    return lake.root / LEDGER / quarter


def append(lake: Lake, batch: Batch) -> None:
    """Enter a batch; from this moment its rows count."""
    write_atomically(ledger_folder(lake, batch.quarter) / f"{batch.batch_id}.json", batch.to_json())


def entered(lake: Lake, quarter: str, batch_id: str) -> Batch | None:
    """A batch of a quarter by its identity, or None if it is not in the ledger."""
    path = ledger_folder(lake, quarter) / f"{batch_id}.json"
    return _read(path) if path.exists() else None


def batches(lake: Lake, quarter: str) -> tuple[Batch, ...]:
    """Every batch of a quarter, ordered by feed and identity, whatever order they arrived in."""
    found = [_read(path) for path in ledger_folder(lake, quarter).glob("[!.]*.json")]
    return tuple(sorted(found, key=lambda batch: (batch.feed, batch.batch_id)))


def _read(path: Path) -> Batch:
    plain = json.loads(path.read_text())
    declaration = Declaration.model_validate(plain.pop("declaration"))
    return Batch(**{**plain, "feed": Feed(plain["feed"]), "declaration": declaration})


def accepted_table(lake: Lake, feed: Feed, quarter: str, chosen: Sequence[Batch]) -> Table:
    """The accepted rows of the chosen batches of a feed, one shard per batch (of any quarter)."""
    key = f"intake/{feed}"
    shards = {
        batch.batch_id: Shard(
            lake.folder(key, batch.quarter) / batch.batch_id / batch.shard["file"],
            batch.shard["sha256"],
            batch.shard["rows"],
        )
        for batch in chosen
        if batch.feed is feed
    }
    return Table(key, quarter, shards)


STANDING_FEEDS = frozenset({Feed.AGENTS, Feed.CONSUMPTION_SURVEY, Feed.POVERTY_STATISTICS})
"""Feeds that stand until replaced: a quarter without one reads the latest earlier one."""


def pinned(lake: Lake, quarter: Quarter) -> tuple[Batch, ...]:
    """The batches a quarter reads.

    Its own, those of the quarter before (for what was dated after its cut-off), and the latest of every standing
    feed.

    Returns
    -------
    tuple of Batch
        Ordered by feed, quarter and identity.
    """
    ledger = lake.root / LEDGER
    known = sorted(Quarter.parse(folder.name) for folder in ledger.iterdir()) if ledger.is_dir() else []
    arrived = {one: batches(lake, str(one)) for one in known if one <= quarter}
    latest = {batch.feed: one for one, of_one in arrived.items() for batch in of_one}
    chosen = [
        batch
        for one, of_one in arrived.items()
        for batch in of_one
        if (one == latest[batch.feed] if batch.feed in STANDING_FEEDS else one in {quarter, quarter.previous})
    ]
    return tuple(sorted(chosen, key=lambda batch: (batch.feed, batch.quarter, batch.batch_id)))
