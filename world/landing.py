"""Where the synthetic files go: deliveries with the sender's declaration beside, and the truth as Parquet elsewhere.

Files grow bit by bit; of what is not yet written, one row group per open file is in memory.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import polars as pl
import pyarrow.parquet as pq
import yaml

from schemas.contract import Contract
from schemas.errors import WrongUsage
from schemas.feeds import ADDED_COLUMNS
from schemas.quarter import Quarter
from schemas.vocabularies import Feed

ROW_GROUP = 100_000


class _Parquet:
    """A Parquet file that grows by frames of one schema; its bytes depend on the rows and their order alone."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._pending = list[pl.DataFrame]()
        self._rows = 0
        self._writer: pq.ParquetWriter | None = None

    def append(self, frame: pl.DataFrame) -> None:
        self._pending.append(frame)
        self._rows += frame.height
        if self._rows >= ROW_GROUP:
            self._write()

    def _write(self) -> None:
        table = pl.concat(self._pending).to_arrow(compat_level=pl.CompatLevel.oldest())
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema, compression="zstd")
        self._writer.write_table(table, row_group_size=ROW_GROUP)
        self._pending, self._rows = [], 0

    def close(self) -> None:
        if self._pending:
            self._write()
        if self._writer is not None:
            self._writer.close()


class Landing:
    """Deliveries under one folder, written bit by bit; counts what it wrote. Left, all files are complete.

    Attributes
    ----------
    form : str
        `csv` or `parquet`, of the deliveries.
    counts : dict
        Rows by quarter and feed.
    """

    def __init__(
        self,
        out: Path,
        contracts: Mapping[Feed, Contract],
        quarters: tuple[Quarter, ...],
        form: Literal["csv", "parquet"],
    ) -> None:
        self.out, self.form = out, form
        self.truth_folder = out.with_name(f"{out.name}-truth")
        self.counts: dict[str, dict[str, int]] = {str(quarter): {} for quarter in quarters}
        self._open: dict[Path, _Parquet] = {}
        self._columns = {
            feed: [name for name in contract.columns if name not in ADDED_COLUMNS]
            for feed, contract in contracts.items()
        }
        for folder in (self.out, self.truth_folder):
            for quarter in quarters:
                if (folder / str(quarter)).exists() and any((folder / str(quarter)).iterdir()):
                    message = f"{folder.name}/{quarter} is not empty. Choose another folder, or empty this one."
                    raise WrongUsage(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def finish(self, stem: str | None = None) -> None:
        """Complete the files of this stem, or all: nothing more comes for them."""
        # A file of one of several senders bears the sender before the stem.
        for file in [file for file in self._open if stem is None or f"-{file.stem}".endswith(f"-{stem}")]:
            self._open.pop(file).close()

    def deliver(self, quarter: Quarter, feed: Feed, stem: str, frame: pl.DataFrame, sender: str, **said: Any) -> None:  # noqa: ANN401
        """Append rows to a delivered file; the first delivery writes the declaration.

        Parameters
        ----------
        frame : pl.DataFrame
            At least the columns of the feed's contract that no file may lack; others of it are left out of the file.
        said : object
            What the declaration says beyond sender (the code of policy `senders`), day of issue and code system.
        """
        file = self.out / str(quarter) / feed / f"{stem}.{self.form}"
        note_file = file.with_name(f"{file.name}.yaml")
        is_new = not note_file.exists()
        if is_new:
            file.parent.mkdir(parents=True, exist_ok=True)
            note = {"sender": sender, "issued_on": quarter.first_day, "code_system": "kemendagri", **said}
            note_file.write_text(yaml.safe_dump(note, sort_keys=False), encoding="utf-8")
        rows = frame.select(name for name in self._columns[feed] if name in frame.columns)
        if self.form == "csv":
            with file.open("ab") as sink:
                rows.write_csv(sink, include_header=is_new)
        else:
            self._append(file, rows)
        counts = self.counts[str(quarter)]
        counts[str(feed)] = counts.get(str(feed), 0) + frame.height

    def deliver_by_home(
        self, quarter: Quarter, feed: Feed, stem: str, frame: pl.DataFrame, sender: str | None = None
    ) -> None:
        """Append rows, if any, to a file of theirs: as CSV of the regency they live in, else the one of this stem.

        Without `sender` a column says it, and each sender has files of its own, `<sender>-<regency or stem>`.
        """
        home = pl.lit(stem) if self.form == "parquet" else pl.col("village_code").str.slice(0, 5)
        keys = {"_stem": home, "_sender": pl.lit(sender) if sender else pl.col("sender")}
        parts = frame.with_columns(**keys).partition_by(*keys, as_dict=True, include_key=False)
        for (code, by), rows in sorted(parts.items()):
            self.deliver(quarter, feed, str(code) if sender else f"{by}-{code}", rows, str(by))

    def keep(self, quarter: Quarter, table: str, stem: str, frame: pl.DataFrame) -> None:
        """Append rows to a table of the truth, apart from the deliveries."""
        self._append(self.truth_folder / str(quarter) / table / f"{stem}.parquet", frame)

    def _append(self, file: Path, frame: pl.DataFrame) -> None:
        if file not in self._open:
            self._open[file] = _Parquet(file)
        self._open[file].append(frame)
