"""Reading a delivered file as text, header and all, whatever it is called. What its cells mean is checking's."""

from collections import Counter
from pathlib import Path

import polars as pl

from schemas.contract import Contract
from schemas.errors import FileRefused
from schemas.feeds import ADDED_COLUMNS

_DELIMITERS = ",;|\t"
_SNIFFED_BYTES = 65_536
_FIRST_ROW = 2
_REPEATED = r"_duplicated_\d+$"
"""What polars appends to the name of a column that repeats."""


def read_text(file: Path) -> pl.DataFrame:
    """All cells of a file as text, spaces around them removed, empty ones null.

    Raises
    ------
    FileRefused
        If the file is empty, no UTF-8 text and no Parquet, cannot be cut into cells, or repeats a column.
    """
    with file.open("rb") as opened:
        start = opened.read(_SNIFFED_BYTES)
    if not start.strip():
        message = f"{file.name} is empty. Send it again."
        raise FileRefused(message)
    cells = pl.all().cast(pl.String).str.strip_chars()
    # What polars says of a broken file may quote the row: it is not passed on.
    try:
        frame = pl.read_parquet(file) if start.startswith(b"PAR1") else _read_csv(file, start)
        frame = frame.select(cells).with_columns(pl.when(pl.all() != "").then(pl.all()))
    except pl.exceptions.PolarsError:
        message = (
            f"{file.name} cannot be cut into cells: a quotation mark stands open, a row has more cells than the "
            "header, or a part is damaged or no UTF-8. Save it again as CSV UTF-8."
        )
        raise FileRefused(message) from None
    return _with_plain_names(frame, file.name)


def _read_csv(file: Path, start: bytes) -> pl.DataFrame:
    try:
        # A character may be cut in two where the sniffed bytes end.
        text = start.decode("utf-8-sig", errors="strict" if len(start) < _SNIFFED_BYTES else "ignore")
    except UnicodeDecodeError:
        message = f"{file.name} is no UTF-8 text. Save it as CSV UTF-8."
        raise FileRefused(message) from None
    header = text.lstrip().splitlines()[0]
    return pl.read_csv(file, separator=max(_DELIMITERS, key=header.count), infer_schema=False)


def _with_plain_names(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    delivered = pl.Series(frame.columns, dtype=pl.String)
    said = delivered.str.replace(_REPEATED, "").str.strip_chars().str.to_lowercase().str.replace_all(" ", "_")
    for column, count in Counter(said).items():
        if column and count > 1:
            # By position: where the header is lost, its cells are somebody's data.
            places = ", ".join(str(at) for at, one in enumerate(said, start=1) if one == column)
            message = f"{name}: columns {places} have the same name. Keep one of them or name them apart."
            raise FileRefused(message)
    return frame.rename({old: new for old, new in zip(delivered, said, strict=True) if new})


def fit_header(frame: pl.DataFrame, contract: Contract, name: str) -> pl.DataFrame:
    """The columns of the feed under their own names, and `row_number`, the header being row 1.

    Nullable columns that are absent become null. A row without any content (a blank line) is no row of the feed.

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
    row_number = pl.int_range(_FIRST_ROW, pl.len() + _FIRST_ROW, dtype=pl.Int64).alias("row_number")
    has_content = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    return frame.select(row_number, *chosen).filter(has_content)
