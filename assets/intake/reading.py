"""Reading a delivered file as text, header and all, whatever it is called. What its cells mean is checking's."""

import csv
from pathlib import Path

import polars as pl

from schemas.contract import Contract
from schemas.errors import FileRefused
from schemas.feeds import ADDED_COLUMNS

_DELIMITERS = ",;|\t"
_SNIFFED_BYTES = 65_536


def read_text(file: Path) -> pl.DataFrame:
    """All cells of a file as text, spaces around them removed, empty ones null.

    Raises
    ------
    FileRefused
        If the file is empty, no UTF-8 text and no Parquet.
    """
    with file.open("rb") as opened:
        start = opened.read(_SNIFFED_BYTES)
    if not start.strip():
        message = f"{file.name} is empty. Send it again."
        raise FileRefused(message)
    frame = pl.read_parquet(file) if start.startswith(b"PAR1") else _read_csv(file, start)
    frame = frame.rename({name: name.strip().lower().replace(" ", "_") for name in frame.columns})
    text = pl.all().cast(pl.String).str.strip_chars()
    return frame.select(text).with_columns(pl.when(pl.all() != "").then(pl.all()))


def _read_csv(file: Path, start: bytes) -> pl.DataFrame:
    try:
        header = start.decode("utf-8-sig", errors="strict" if len(start) < _SNIFFED_BYTES else "ignore")
        delimiter = csv.Sniffer().sniff(header.splitlines()[0] + "\n", _DELIMITERS).delimiter
    except csv.Error:
        delimiter = ","
    except UnicodeDecodeError:
        message = f"{file.name} is no UTF-8 text. Save it as CSV UTF-8."
        raise FileRefused(message) from None
    try:
        return pl.read_csv(file, separator=delimiter, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        first_line = str(error).splitlines()[0]
        message = f"{file.name} cannot be read as CSV with {delimiter!r}: {first_line[:120]}"
        raise FileRefused(message) from None


def fit_header(frame: pl.DataFrame, contract: Contract, name: str) -> pl.DataFrame:
    """The columns of the feed under their own names; nullable ones that are absent become null.

    Raises
    ------
    FileRefused
        If a required column is missing under its name and every alias.
    """
    chosen: list[pl.Expr] = []
    missing: list[str] = []
    for column, spec in contract.columns.items():
        if column in ADDED_COLUMNS:
            continue
        found = next((one for one in (column, *spec.metadata["aliases"]) if one in frame.columns), None)
        if found is not None:
            chosen.append(pl.col(found).alias(column))
        elif spec.nullable:
            chosen.append(pl.lit(None, pl.String).alias(column))
        else:
            missing.append(column)
    if missing:
        message = f"{name} lacks the column {', '.join(missing)}. The template of the feed shows every column."
        raise FileRefused(message)
    return frame.select(chosen)
