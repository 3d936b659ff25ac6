"""The ledger of batches: one manifest per delivered file, what became of it since, and which ones a quarter reads.

Nothing is taken out of it: a withdrawn batch keeps its manifest and its rows, and a run that pinned it can still read
them. How the rows come into their files is storing's.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from assets.intake.declaration import Declaration
from assets.lake import Lake, Shard, Table, digest, write_atomically
from schemas.errors import Worded
from schemas.quarter import Quarter
from schemas.vocabularies import BatchState, Feed

LEDGER = "intake/batches"
HISTORY = "intake/history"


@dataclass(frozen=True)
class Batch:
    """One loaded file: who declared what, how many rows, and the immutable files that hold the accepted ones.

    Rows read = accepted + rejected + parked, as they stood when the file was loaded; of equal rows one is stored.
    Parked rows are stored with the accepted ones: they count as soon as their family or person is known.

    Attributes
    ----------
    shards : tuple of dict
        `file`, `sha256` and `rows` of every file, each in the total order of the feed.
    note_hash, signature : str
        What the sender signed of the note (SHA-256), and the Ed25519 signature in base64; empty where none was asked
        for. With feed, quarter and file hash they can be checked again.
    unknown_columns : tuple of str
        Names in the file's header that the feed does not know; their cells were not read.
    unknown_births : int
        Accepted rows whose birth date cannot be and is kept as unknown.
    state : BatchState
        loaded; superseded by a later batch that declares it; or withdrawn. Only loaded ones are pinned by new runs.
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
    shards: tuple[dict[str, Any], ...]
    unknown_columns: tuple[str, ...] = field(default=(), repr=False)
    note_hash: str = field(default="", repr=False)
    signature: str = field(default="", repr=False)
    unknown_births: int = field(default=0, repr=False)
    state: BatchState = BatchState.LOADED

    @property
    def stored(self) -> int:
        """Rows in the lake."""
        return sum(int(shard["rows"]) for shard in self.shards)

    def to_json(self) -> bytes:
        """Manifest as it is stored: the state is no part of it, it follows from the ledger."""
        plain = asdict(self) | {"declaration": self.declaration.model_dump(mode="json")}
        del plain["state"]
        return json.dumps(plain, indent=1, default=str).encode()


def batch_id_of(feed: Feed, quarter: str, file_hash: str, declaration: Declaration) -> str:
    """Identity of a delivery: the same content under the same declaration is the same batch."""
    return digest([feed, quarter, file_hash, declaration.model_dump(mode="json")])[:16]


def ledger_folder(lake: Lake, quarter: str) -> Path:
    """Where the manifests of a quarter lie."""
    return lake.root / LEDGER / quarter


def append(lake: Lake, batch: Batch) -> None:
    """Enter a batch; from this moment its rows count, and those of the batches it supersedes do not."""
    write_atomically(ledger_folder(lake, batch.quarter) / f"{batch.batch_id}.json", batch.to_json())
    if history(lake, batch.quarter, batch.batch_id):
        _enter(lake, batch, {"state": BatchState.LOADED})


def withdraw(lake: Lake, batch: Batch, why: str, on: date) -> Batch:
    """Take a batch out of what new runs read, with the reason and the day; its rows and its history stay.

    What it superseded counts again. Loading the same file once more brings it back.

    Raises
    ------
    Worded
        If it is withdrawn already.
    """
    if batch.state is BatchState.WITHDRAWN:
        raise Worded("withdrawn_already", batch=batch.batch_id)
    manifest = json.loads(batch.to_json())
    _enter(lake, batch, {"state": BatchState.WITHDRAWN, "why": why, "on": str(on), "manifest": manifest})
    return replace(batch, state=BatchState.WITHDRAWN)


def history(lake: Lake, quarter: str, batch_id: str) -> list[dict[str, Any]]:
    """What happened to a batch after it was first loaded, oldest first; every withdrawal keeps the manifest it met."""
    return [json.loads(path.read_text()) for path in sorted((lake.root / HISTORY / quarter / batch_id).glob("*.json"))]


def _enter(lake: Lake, batch: Batch, event: dict[str, Any]) -> None:
    folder = lake.root / HISTORY / batch.quarter / batch.batch_id
    number = len(list(folder.glob("*.json"))) + 1
    write_atomically(folder / f"{number:04}.json", json.dumps(event, indent=1).encode())


def entered(lake: Lake, quarter: str, batch_id: str) -> Batch | None:
    """A batch of a quarter by its identity, or None if it is not in the ledger."""
    if not (ledger_folder(lake, quarter) / f"{batch_id}.json").exists():
        return None
    return next(batch for batch in batches(lake, quarter) if batch.batch_id == batch_id)


def batches(lake: Lake, quarter: str) -> tuple[Batch, ...]:
    """Every batch of a quarter with its state, ordered by feed and identity, whatever order they arrived in."""
    folder = ledger_folder(lake, quarter)
    manifests = {path.stem: _read(path, path.stat().st_mtime_ns) for path in folder.glob("[!.]*.json")}
    events = lake.root / HISTORY / quarter
    touched = sorted(folder.name for folder in events.iterdir()) if events.is_dir() else []
    withdrawn = {one for one in touched if history(lake, quarter, one)[-1]["state"] == BatchState.WITHDRAWN}
    superseded = {
        old
        for batch_id, batch in manifests.items()
        if batch_id not in withdrawn
        for old in batch.declaration.supersedes
    }

    def state(batch_id: str) -> BatchState:
        if batch_id in withdrawn:
            return BatchState.WITHDRAWN
        return BatchState.SUPERSEDED if batch_id in superseded else BatchState.LOADED

    found = [replace(batch, state=state(batch_id)) for batch_id, batch in manifests.items()]
    return tuple(sorted(found, key=lambda batch: (batch.feed, batch.batch_id)))


@lru_cache(maxsize=10_000)
def _read(path: Path, written_ns: int) -> Batch:  # noqa: ARG001
    """A manifest; a file is read once as long as nobody writes it anew."""
    plain = json.loads(path.read_text())
    declaration = Declaration.model_validate(plain["declaration"])
    lists = {name: tuple(plain[name]) for name in ("shards", "unknown_columns")}
    return Batch(**{**plain, **lists, "feed": Feed(plain["feed"]), "declaration": declaration})


def quarters_with_batches(lake: Lake) -> list[Quarter]:
    """Quarters the ledger knows, oldest first."""
    ledger = lake.root / LEDGER
    return sorted(Quarter.parse(folder.name) for folder in ledger.iterdir()) if ledger.is_dir() else []


def find_batch(lake: Lake, begins: str) -> Batch:
    """The one batch whose identity begins so.

    Raises
    ------
    Worded
        If there is none, or more than one.
    """
    known = (batch for quarter in quarters_with_batches(lake) for batch in batches(lake, str(quarter)))
    found = [batch for batch in known if begins and batch.batch_id.startswith(begins)]
    if len(found) != 1:
        raise Worded("no_such_batch" if not found else "many_such_batches", batch=begins)
    return found[0]


def accepted_table(lake: Lake, feed: Feed, quarter: str, chosen: Sequence[Batch]) -> Table:
    """The accepted rows of the chosen batches of a feed, in the shards of each batch (of any quarter)."""
    key = f"intake/{feed}"
    shards = {
        f"{batch.batch_id}-{number:03}": Shard(
            lake.folder(key, batch.quarter) / batch.batch_id / shard["file"], shard["sha256"], shard["rows"]
        )
        for batch in chosen
        if batch.feed is feed
        for number, shard in enumerate(batch.shards)
    }
    return Table(key, quarter, shards)


def issued_on(chosen: Iterable[Batch]) -> pl.Expr:
    """Day on which the sender issued a row, by its batch."""
    return day_of_batch({batch.batch_id: batch.declaration.issued_on for batch in chosen})


def day_of_batch(days: Mapping[str, date]) -> pl.Expr:
    """A day of each batch, beside its rows."""
    return pl.col("batch_id").replace_strict(dict(days), default=None, return_dtype=pl.Date)


STANDING_FEEDS = frozenset(
    {
        Feed.AGENTS, Feed.AGENT_FAMILIES, Feed.CONSUMPTION_SURVEY, Feed.POVERTY_STATISTICS, Feed.DTSEN_FAMILIES,
        Feed.DTSEN_PERSONS, Feed.POPULATION_REGISTER, Feed.MINIMUM_WAGES, Feed.REGION_CODES, Feed.BOUNDARIES,
    }
)  # fmt: skip
"""Feeds that stand until replaced: a quarter without one reads the latest earlier one."""


def pinned(lake: Lake, quarter: Quarter) -> tuple[Batch, ...]:
    """The batches a quarter reads.

    Its own, those of the quarter before (for what was dated after its cut-off), and the latest of every standing
    feed; none that was withdrawn or superseded.

    Returns
    -------
    tuple of Batch
        Ordered by feed, quarter and identity.
    """
    arrived = {
        one: [batch for batch in batches(lake, str(one)) if batch.state is BatchState.LOADED]
        for one in quarters_with_batches(lake)
        if one <= quarter
    }
    latest = {batch.feed: one for one, of_one in arrived.items() for batch in of_one}
    chosen = [
        batch
        for one, of_one in arrived.items()
        for batch in of_one
        if (one == latest[batch.feed] if batch.feed in STANDING_FEEDS else one in {quarter, quarter.previous})
    ]
    return tuple(sorted(chosen, key=lambda batch: (batch.feed, batch.quarter, batch.batch_id)))
