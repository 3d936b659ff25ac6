"""Storing a load: accepted and rejected rows on their way from chunks to files, in memory that no file's size moves.

All is written in a working folder beside the lake's tables and moved into place at the end, so a killed load leaves
nothing there; what it leaves in the working folder the next load sweeps away.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from assets.lake import PARQUET, hash_of_file
from schemas.contract import Contract
from schemas.identifiers import BUCKETS, bucket_of
from schemas.messages import NOTHING, Lang, Value, catalogue, say

HELD_ROWS = 300_000
"""Rows kept in memory before they go to disk, and rows of a stored file, more or less."""
SLICES = 64
"""Into how many slices by key accepted rows are cut on disk: 20 million rows fit the memory of one load."""


@dataclass
class AcceptedRows:
    """Typed rows of a file, gathered chunk by chunk, given back in parts that hold all rows of their keys.

    A file that fits `HELD_ROWS` is one part and never touches the disk here.
    """

    folder: Path
    contract: Contract
    total: int = 0
    _held: list[pl.DataFrame] = field(default_factory=list)
    _held_rows: int = 0
    _spills: int = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Take the accepted rows of a chunk."""
        self._held.append(rows)
        self._held_rows += rows.height
        self.total += rows.height
        if self._held_rows >= HELD_ROWS:
            self._spill()

    def _spill(self) -> None:
        if not self._held_rows:
            return
        rows = pl.concat(self._held)
        self._held.clear()
        self._held_rows = 0
        self.folder.mkdir(parents=True, exist_ok=True)
        cut = rows.with_columns(_slice=_slice_of(self.contract)).partition_by("_slice", as_dict=True, include_key=False)
        for (number,), part in cut.items():
            part.write_ipc(self.folder / f"{number:02}-{self._spills:05}.arrow")
        self._spills += 1

    def parts(self) -> Iterator[pl.DataFrame]:
        """The rows, each part in the order of the file; rows of one key are in one part."""
        if not self._spills:
            yield pl.concat(self._held) if self._held else self.contract.empty().drop("batch_id")
            return
        self._spill()
        together = max(1, HELD_ROWS * SLICES // self.total)
        for first in range(0, SLICES, together):
            numbers = range(first, min(first + together, SLICES))
            files = sorted(file for number in numbers for file in self.folder.glob(f"{number:02}-*.arrow"))
            if files:
                yield pl.concat([pl.read_ipc(file) for file in files]).sort("row_number")
            for file in files:
                file.unlink()


def _slice_of(contract: Contract) -> pl.Expr:
    """Slice of a row, by its key alone: equal rows meet. By person, slices are in the order of the buckets."""
    if "nik_bucket" in contract.columns:
        return _bucket(contract).cast(pl.Int64) * SLICES // BUCKETS
    # What the hash is in another version of polars decides in which file a row lies, never what is stored.
    return (pl.col(contract.order[0]).hash() % SLICES).cast(pl.Int64)


def _bucket(contract: Contract) -> pl.Expr:
    """A newborn without a number goes by the number of the family card."""
    names = [name for name in ("nik", "family_card_number") if name in contract.columns]
    return pl.coalesce(bucket_of(name) for name in names)


def as_kept(rows: pl.DataFrame, contract: Contract, batch_id: str) -> pl.DataFrame:
    """Accepted rows as the lake keeps them: equal rows once, with batch and, of a person, bucket."""
    content = [name for name in rows.columns if name != "row_number"]
    kept = rows.unique(content, keep="first", maintain_order=True).with_columns(batch_id=pl.lit(batch_id))
    if "nik_bucket" in contract.columns:
        kept = kept.with_columns(nik_bucket=_bucket(contract))
    return contract.fit(kept)


def write_part(frame: pl.DataFrame, path: Path) -> dict[str, object]:
    """Write one file of a batch and give its entry in the manifest; it is on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path, **PARQUET)
    settle(path)
    return {"file": path.name, "sha256": hash_of_file(path), "rows": frame.height}


def settle(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@dataclass(frozen=True)
class Tally:
    """How often one reason stands against one column of a file, and where first; `expected` tells some apart."""

    column: str
    reason: str
    expected: str | None
    rows: int
    first_row: int

    def sentence(self, lang: Lang) -> str:
        """The reason as it is told: how often, where it first stands, what to do."""
        said = self.mending(lang)
        return say("load.tally", lang, rows=self.rows, column=self.column, first=str(self.first_row), sentence=said)

    def mending(self, lang: Lang) -> str:
        """What is wrong and how to mend it."""
        code = f"row.{self.reason}"
        placed: dict[str, Value] = {"column": self.column, "expected": self.expected, "found": NOTHING}
        return say(code, lang, **placed) if code in catalogue() else self.reason


@dataclass
class RejectedRows:
    """Rejected rows and their reasons, gathered chunk by chunk into `rows.parquet` and `reasons.parquet`."""

    folder: Path
    total: int = 0
    _tally: dict[tuple[str, str, str | None], Tally] = field(default_factory=dict)
    _held: dict[str, list[pl.DataFrame]] = field(default_factory=lambda: {"rows": [], "reasons": []})
    _spilled: dict[str, int] = field(default_factory=lambda: {"rows": 0, "reasons": 0})

    def add(self, rows: pl.DataFrame, reasons: pl.DataFrame) -> None:
        """Take the rejected rows of a chunk and the reasons against each of them."""
        if rows.is_empty():
            return
        self.total += rows.height
        counted = reasons.group_by("column", "reason", "expected").agg(
            pl.col("row_number").n_unique().alias("rows"), first_row=pl.col("row_number").min()
        )
        for one in counted.iter_rows(named=True):
            key = (one["column"], one["reason"], one["expected"])
            known = self._tally.get(key)
            if known is not None:
                one |= {"rows": known.rows + one["rows"], "first_row": known.first_row}
            self._tally[key] = Tally(**one)
        # Chunks name their reasons in types of their own.
        text = reasons.with_columns(pl.col(pl.Enum, pl.Categorical).cast(pl.String))
        for name, frame in (("rows", rows), ("reasons", text)):
            self._held[name].append(frame)
            if sum(one.height for one in self._held[name]) >= HELD_ROWS:
                self._spill(name)

    @property
    def tally(self) -> tuple[Tally, ...]:
        """Every reason by column, the most frequent first."""
        return tuple(
            sorted(self._tally.values(), key=lambda one: (-one.rows, one.column, one.reason, one.expected or ""))
        )

    @property
    def first(self) -> Tally:
        """The first reason in the order of the file."""
        return min(self._tally.values(), key=lambda one: (one.first_row, one.column, one.reason, one.expected or ""))

    @property
    def counts(self) -> dict[str, int]:
        """How often each reason was given."""
        found: dict[str, int] = {}
        for one in sorted(self._tally.values(), key=lambda one: one.reason):
            found[one.reason] = found.get(one.reason, 0) + one.rows
        return found

    def _spill(self, name: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        pl.concat(self._held[name]).write_ipc(self.folder / f"{name}-{self._spilled[name]:05}.arrow")
        self._held[name].clear()
        self._spilled[name] += 1

    def finish(self) -> bool:
        """Write both files, in the order of the delivery; False if no row was rejected."""
        if not self.total:
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, held in self._held.items():
            whole = self.folder / f"{name}.parquet"
            if not self._spilled[name]:
                pl.concat(held).write_parquet(whole, **PARQUET)
                continue
            if held:
                self._spill(name)
            parts = sorted(self.folder.glob(f"{name}-*.arrow"))
            pl.scan_ipc(parts).sink_parquet(whole, **PARQUET)
            for part in parts:
                part.unlink()
        return True


def move_into_place(source: Path, target: Path) -> None:
    """A folder takes the place of another one of that name."""
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
