"""Sheets of a workbook (XLSX, XLSB, XLS, ODS) as chunks of text, read by a process that may fail without harm.

Cells come as the values last saved: no formula is run, no link followed. What the header means is headers'.
"""

import json
import os
import subprocess
import sys
import tempfile
import weakref
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import polars as pl
import pyarrow as pa

from assets.intake.containers import UNPACKING_FAULTS, Limits, Source
from assets.intake.delimited import HEADER_ROWS, INVISIBLE
from schemas.errors import FileRefused

_READER = Path(__file__).with_name("workbook_reader.py")
_PROLOG_BYTES = 1 << 12
_SHOWN_CHARS = 100
_DECLARATIONS = tuple(
    mark.encode(encoding) for mark in ("<!DOCTYPE", "<!ENTITY") for encoding in ("utf-8", "utf-16-le", "utf-16-be")
)
_SCANNED_BYTES = 8 << 20
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MARKS = {"[Content_Types].xml", "mimetype"}


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook: its first rows, how many it has in all, a way to read them, whether people see it.

    `first_column` says how many empty columns stand before its first one.
    """

    name: str
    rows: int
    header: tuple[tuple[str, ...], ...]
    read: Callable[[], Iterator[pl.DataFrame]]
    is_visible: bool
    first_column: int


class _Nameless:
    """A temporary file without a name, open as long as a sheet may be read from it."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            self.descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.descriptor)


def is_workbook(names: Sequence[str]) -> bool:
    """Whether the members of a zip make it an office document rather than an archive of files."""
    return bool(_MARKS & set(names))


def sheets_of(source: Source, limits: Limits) -> tuple[Sheet, ...]:
    """The sheets that hold anything, in order; at least one of them is visible.

    Raises
    ------
    FileRefused
        If it is no workbook, is damaged or protected by a password, declares entities of its own, holds nothing, or
        needs more memory or time than the limits allow.
    """
    with source.file() as workbook:
        _look_inside(workbook, source.name, limits)
        sheets = _Nameless()
        told = _told_by_reader(workbook, sheets, source.name, limits)
    if not any(one["is_visible"] for one in told):
        raise FileRefused("no_sheet", file=source.name)
    return tuple(_sheet(sheets, one, source.name, limits) for one in told)


def _look_inside(workbook: BinaryIO, name: str, limits: Limits) -> None:
    """Refuse what no spreadsheet program writes, before anything parses it."""
    workbook.seek(0)
    start = workbook.read(_SCANNED_BYTES)
    workbook.seek(0)
    if not start.startswith(b"PK"):
        if _ENCRYPTED in start:
            raise FileRefused("password", file=name)
        return
    try:
        with zipfile.ZipFile(workbook) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > limits.workbook_bytes:
                raise FileRefused("bomb", file=name)
            members = {info.filename for info in infos}
            if not {"xl/workbook.xml", "xl/workbook.bin", "content.xml"} & members:
                raise FileRefused("no_workbook", file=name)
            for info in infos:
                with archive.open(info) as part:
                    prolog = part.read(_PROLOG_BYTES)
                if any(mark in prolog for mark in _DECLARATIONS):
                    raise FileRefused("entities", file=name)
    except UNPACKING_FAULTS:
        raise FileRefused("damaged", file=name) from None
    workbook.seek(0)


def _told_by_reader(workbook: BinaryIO, sheets: _Nameless, name: str, limits: Limits) -> list[dict[str, Any]]:
    handles = (workbook.fileno(), sheets.descriptor)
    command = [sys.executable, "-I", str(_READER), f"/dev/fd/{handles[0]}", str(handles[1])]
    bounds = [str(limits.workbook_memory), str(limits.workbook_seconds), str(limits.columns)]
    too_large = FileRefused("workbook_too_large", file=name)
    try:
        done = subprocess.run(  # noqa: S603 - our own program, our own arguments
            [*command, *bounds],
            stdin=subprocess.DEVNULL, capture_output=True, pass_fds=handles, check=False,
            timeout=4 * limits.workbook_seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise too_large from None
    # What the reader says of a broken workbook may quote its cells: it is not passed on.
    if done.returncode < 0 or b"MemoryError" in done.stderr:
        raise too_large
    if done.returncode:
        raise FileRefused("damaged_workbook", file=name)
    return list(json.loads(done.stdout))


def _sheet(sheets: _Nameless, told: Mapping[str, Any], name: str, limits: Limits) -> Sheet:
    if told["columns"] > limits.columns:

        def refused() -> Iterator[pl.DataFrame]:
            raise FileRefused("too_many_columns", file=name, most=limits.columns)

        return Sheet(told["name"], told["rows"], (), refused, told["is_visible"], told["first"])

    def read() -> Iterator[pl.DataFrame]:
        # A descriptor of its own, so that two readers do not move each other's place.
        with os.fdopen(os.open(f"/dev/fd/{sheets.descriptor}", os.O_RDONLY), "rb") as opened:
            opened.seek(told["at"])
            before = 0
            for batch in pa.ipc.open_stream(opened):
                frame = cast("pl.DataFrame", pl.from_arrow(batch)).with_columns(pl.all().cast(pl.String))
                cells = as_cells(frame.drop("faults"), before, limits)
                yield cells.with_columns(row_fault=pl.coalesce("row_fault", frame["faults"]))
                before += frame.height

    header = next(read()).head(HEADER_ROWS).drop("row_number", "row_fault")
    rows = tuple(tuple(cell or "" for cell in row) for row in header.iter_rows())
    return Sheet(told["name"], told["rows"], rows, read, told["is_visible"], told["first"])


def as_cells(frame: pl.DataFrame, before: int, limits: Limits) -> pl.DataFrame:
    """Text columns as a chunk: numbered after `before`, spaces around cells removed, empty ones null."""
    # Long cells are cut first, by their bytes, which are known without reading them.
    is_long = frame.select(pl.all().str.len_bytes().fill_null(0) > limits.cell_chars)
    long = [name for name in frame.columns if is_long[name].any()]
    too_long = pl.lit(None, pl.String).alias("row_fault")
    if long:
        frame = frame.with_columns(
            pl.when(~is_long[name]).then(name).otherwise(pl.col(name).str.head(_SHOWN_CHARS)).alias(name)
            for name in long
        )
        too_long = (
            pl.when(pl.Series(is_long.select(pl.any_horizontal(pl.all())).to_series()))
            .then(pl.lit("cell_too_long"))
            .alias("row_fault")
        )
    odd = [name for name in frame.columns if frame[name].str.contains(f"[\0{INVISIBLE}]").any()]
    cleaned = pl.col(odd).str.replace_all("\0", "\ufffd", literal=True).str.replace_all(f"[{INVISIBLE}]", "")
    cells = frame.with_columns(cleaned).with_columns(pl.all().str.strip_chars())
    return cells.with_columns(pl.when(pl.all() != "").then(pl.all())).select(
        pl.int_range(before + 1, before + cells.height + 1, dtype=pl.Int64).alias("row_number"), too_long, pl.all()
    )
