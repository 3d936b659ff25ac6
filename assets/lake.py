"""The floor-boards of the rooms: tables as immutable Parquet shards, manifests that name them, shards mapped.

A shard's file is named by the hash of all that made it (inputs, settings, code), so a killed run resumes and an
unchanged shard is not computed twice. What the rows mean is the rooms' business.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import polars as pl
from joblib import Parallel, delayed

from schemas.contract import Contract
from schemas.errors import Tampered, Worded

PARQUET: Mapping[str, Any] = {"row_group_size": 65_536, "compression_level": 1}
"""How every Parquet file is written: the lightest Zstandard level packs these tables no worse than the next ones."""
WHOLE = "all"
"""Shard of a table that is not sharded."""

_DEPTH = 5
_NAME_LENGTH = 32
_OF_BATCHES = "intake"
_CODE_PACKAGES = ("schemas", "quotas", "assets")


@dataclass(frozen=True)
class Shard:
    """One immutable Parquet file of a table: its content hash (SHA-256 of the bytes) and its row count."""

    path: Path
    sha256: str
    rows: int


@dataclass(frozen=True)
class Table:
    """A table of a quarter as it stood when this handle was made: which file holds which shard.

    Handles are what assets pass to each other; they are small, picklable and never change.

    Attributes
    ----------
    made_from : mapping
        Hash of everything it was made from: by key of an asset, `policy`, `pseudonym_key` and `code`; of decisions
        also the `checks` they failed. Recorded where an asset hands it over, and no part of its own content hash.
    """

    key: str
    quarter: str
    shards: Mapping[str, Shard]
    made_from: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows in all shards."""
        return sum(shard.rows for shard in self.shards.values())

    @property
    def content_hash(self) -> str:
        """Hash of shard names and contents; equal tables have equal hashes."""
        return digest([self.key, sorted((name, shard.sha256) for name, shard in self.shards.items())])

    def scan(self, contract: Contract, columns: Sequence[str] | None = None) -> pl.LazyFrame:
        """All rows, lazily, shard after shard; all columns of the contract, or those named.

        A nullable column that the contract gained after a shard was written is null there.

        Raises
        ------
        Worded
            If a shard lacks a column asked for that may not be null, or holds it in another type.
        """
        return _scan([self.shards[name].path for name in sorted(self.shards)], contract, columns)

    def read(self, contract: Contract, shard: str | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows, or those of one shard (none if there is no such shard); all columns, or those named.

        Columns are as in :meth:`scan`, which tells what is raised.
        """
        files = [one.path for name, one in sorted(self.shards.items()) if shard in {None, name}]
        return _scan(files, contract, columns).collect()

    def to_json(self) -> dict[str, Any]:
        """Plain form for manifests; files are named from the lake down, as :class:`Lake` lays them out."""
        return {
            "table": self.key,
            "quarter": self.quarter,
            "made_from": dict(self.made_from),
            "shards": {
                name: {"file": "/".join(shard.path.parts[-_DEPTH:]), "sha256": shard.sha256, "rows": shard.rows}
                for name, shard in sorted(self.shards.items())
            },
        }


@dataclass(frozen=True)
class Lake:
    """The folder `lake/`: `<room>/<table>/<quarter>/<shard>/<hash>.parquet` and one manifest per table and quarter."""

    root: Path

    def folder(self, key: str, quarter: str) -> Path:
        """Folder of a table's quarter."""
        return self.root / key / quarter

    def table(self, key: str, quarter: str) -> Table | None:
        """The table as its manifest names it, or None if there is none yet."""
        path = self.folder(key, quarter) / "manifest.json"
        return self.from_json(json.loads(path.read_text())) if path.exists() else None

    def from_json(self, plain: Mapping[str, Any]) -> Table:
        """A handle from its plain form."""
        shards = {
            name: Shard(self.root / one["file"], one["sha256"], one["rows"]) for name, one in plain["shards"].items()
        }
        # Tables of before their inputs were recorded stay readable; a draft of them is refused.
        return Table(plain["table"], plain["quarter"], shards, plain.get("made_from", {}))

    def commit(self, table: Table) -> None:
        """Make a table the one that the manifest names, atomically."""
        folder = self.folder(table.key, table.quarter)
        write_atomically(folder / "manifest.json", json.dumps(table.to_json(), indent=1).encode())

    def write(self, contract: Contract, quarter: str, shard: str, name: str, frame: pl.DataFrame) -> Shard:
        """Write one shard in the contract's columns and order; an existing file of that name is kept.

        Raises
        ------
        BrokenContract
            If a row breaks the contract.
        """
        path = self._path(contract, quarter, shard, name)
        kept = self._find_shard(path)
        if kept is not None:
            return kept
        fitted = contract.fit(frame)
        # Rows of feeds are checked as they arrive, where a birth on no day becomes unknown.
        if not contract.key.startswith(f"{_OF_BATCHES}/"):
            contract.check_rows(fitted)
        with replacing(path) as temporary:
            fitted.write_parquet(temporary, **PARQUET)
            made = Shard(path, hash_of_file(temporary), fitted.height)
            # Before the file, so that a file that is there is known by its record.
            write_atomically(_record_of(path), json.dumps({"sha256": made.sha256, "rows": made.rows}).encode())
        return made

    def write_whole(self, contract: Contract, quarter: str, frame: pl.DataFrame) -> Table:
        """A small table in one shard, named by its rows."""
        fitted = contract.fit(frame)
        name = digest([contract.key, fitted.columns, fitted.rows()])[:_NAME_LENGTH]
        return Table(contract.key, quarter, {WHOLE: self.write(contract, quarter, WHOLE, name, fitted)})

    def _path(self, contract: Contract, quarter: str, shard: str, name: str) -> Path:
        return self.folder(contract.key, quarter) / shard / f"{name}.parquet"

    @staticmethod
    def _find_shard(path: Path) -> Shard | None:
        """The shard written under this path; None if there is none, or its bytes are no longer those recorded."""
        record = _record_of(path)
        if not path.exists() or not record.exists():
            return None
        recorded = json.loads(record.read_text())
        return Shard(path, **recorded) if hash_of_file(path) == recorded["sha256"] else None

    def find_or_write(
        self,
        outputs: Sequence[Contract],
        quarter: str,
        shard: str,
        name: str,
        make: Callable[[], tuple[pl.DataFrame, ...]],
    ) -> tuple[Shard, ...]:
        """One shard of several tables as it was written under a name, or made now where one of them is not there.

        Parameters
        ----------
        name : str
            Hash of everything the shard is made from.
        """
        short = name[:_NAME_LENGTH]
        found = [self._find_shard(self._path(contract, quarter, shard, short)) for contract in outputs]
        kept = tuple(file for file in found if file is not None)
        if len(kept) == len(outputs):
            return kept
        return tuple(
            self.write(contract, quarter, shard, short, frame) for contract, frame in zip(outputs, make(), strict=True)
        )

    def map_shards(
        self,
        function: Callable[..., tuple[pl.DataFrame, ...]],
        quarter: str,
        outputs: Sequence[Contract],
        shards: Sequence[str],
        inputs: Sequence[Table],
        *arguments: object,
        settings: Sequence[object] = (),
    ) -> tuple[Table, ...]:
        """Compute the output tables shard by shard, through joblib; a shard already computed is taken as it is.

        Parameters
        ----------
        function : callable
            `function(shard, *arguments)` gives one frame per output; plain and picklable.
        shards : sequence of str
            Shards to compute.
        inputs : sequence of Table
            What the function reads: an input that has the shard counts with that shard alone, else as a whole.
        settings : sequence
            Whatever else decides the result, each with a `hash` or a stable `repr`.
        """
        said = [getattr(one, "hash", None) or repr(one) for one in settings]

        def compute(shard: str) -> tuple[Shard, ...]:
            read = [table.shards[shard].sha256 if shard in table.shards else table.content_hash for table in inputs]
            name = digest([function.__module__, function.__qualname__, code_hash(), shard, read, said])
            return self.find_or_write(outputs, quarter, shard, name, lambda: function(shard, *arguments))

        made = list(Parallel()(delayed(compute)(shard) for shard in shards))
        return tuple(
            Table(contract.key, quarter, {shard: files[position] for shard, files in zip(shards, made, strict=True)})
            for position, contract in enumerate(outputs)
        )


def _record_of(path: Path) -> Path:
    """Where the hash and the row count of a shard's file are kept."""
    return path.with_suffix(".json")


def _scan(paths: list[Path], contract: Contract, columns: Sequence[str] | None) -> pl.LazyFrame:
    kept = contract.dtypes
    for path in paths:
        held = _columns_of(path)
        for name in (one for one in contract.columns if columns is None or one in columns):
            if held.get(name, kept[name] if contract.columns[name].nullable else None) != kept[name]:
                raise _outdated(path, contract, name)
        kept |= {name: held[name] for name in contract.open_columns(held)}
    if paths:
        rows = pl.scan_parquet(paths, schema=kept, missing_columns="insert", extra_columns="ignore")
    else:
        rows = contract.empty().lazy()
    return rows if columns is None else rows.select(columns)


def _outdated(path: Path, contract: Contract, column: str) -> Worded:
    *_, quarter, shard, _ = path.parts
    room, table = contract.key.split("/")
    if room == _OF_BATCHES:
        return Worded("outdated_batch", batch=shard, feed=table, quarter=quarter, column=column)
    return Worded("outdated_table", table=contract.key, shard=shard, quarter=quarter, column=column)


@lru_cache(maxsize=10_000)
def _columns_of(path: Path) -> Mapping[str, pl.DataType]:
    """Columns of a file, which never change."""
    return pl.read_parquet_schema(path)


def digest(content: object) -> str:
    """SHA-256 of the canonical JSON of plain content."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_rows(frame: pl.DataFrame) -> str:
    """SHA-256 of the columns and rows of a small frame, in their order."""
    return digest([{name: str(dtype) for name, dtype in frame.schema.items()}, frame.write_ndjson()])


def hash_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def code_hash() -> str:
    """Hash of the code and law below the roof: a result of other code is never taken for one of this."""
    found = hashlib.sha256()
    for package in _CODE_PACKAGES:
        for place, content in sorted(_sources(files(package), package)):
            found.update(place.encode())
            found.update(content)
    return found.hexdigest()


def _sources(folder: Traversable, place: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _sources(entry, f"{place}/{entry.name}")
        elif entry.name.endswith((".py", ".yaml", ".csv", ".json")):
            yield f"{place}/{entry.name}", entry.read_bytes()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and is gone when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a small file so that a reader sees the old content or the new, never half of it."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def verify(shard: Shard) -> None:
    """Check a file against its manifest.

    Raises
    ------
    Tampered
        If the file is missing or its bytes are not those the manifest names.
    """
    if not shard.path.exists() or hash_of_file(shard.path) != shard.sha256:
        message = f"{shard.path.name} is not the file its manifest names. Restore it or run the quarter again."
        raise Tampered(message)
