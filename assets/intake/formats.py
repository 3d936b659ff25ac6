"""What a delivered file is, by its content, and its cells as text in bounded chunks. What they mean is not known here.

Each kind has its reader: delimited, documents, workbooks; Parquet is read here. Hostile files are refused with a
sentence, within the limits of containers.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from assets.intake.containers import LIMITS, ZIP, Limits, Source, masked, source_of
from assets.intake.delimited import CHUNK_ROWS, chunks_of, encoding_of, form_of
from assets.intake.documents import document_of
from assets.intake.headers import last_part, plain_name
from assets.intake.values import TWO_READINGS
from assets.intake.workbooks import as_cells, is_workbook, sheets_of
from schemas.errors import FileRefused
from schemas.messages import LANGUAGES, say, words

_START_BYTES = 1 << 16
_PARQUET, _COMPOUND = b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TAR_AT, _TAR = 257, b"ustar"
_OTHERS = {
    b"%PDF": "pdf",
    b"Rar!": "rar",
    b"7z\xbc\xaf": "seven_zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
    b"GIF8": "picture",
    b"SQLite format 3": "database",
    b"{\\rtf": "text_document",
    b"$FL2": "spss",
    b"<stata_dta>": "stata",
}
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<meta", b"<style", b"<head", b"<body", b"<div")
_ALIKE = 0.8
"""Share of the names of the best sheet from which on another one is the same table."""
_EXAMPLES = {say("sheet.example", lang) for lang in LANGUAGES}
"""Sheets of the template that hold the table and are no delivery."""
_OWN_SHEETS = _EXAMPLES | {say(f"sheet.{one}", lang) for one in ("columns", "codes", "reasons") for lang in LANGUAGES}
"""Sheets of our own workbooks that explain the table."""
_CHUNK_CELLS, _CHUNK_BYTES, _SLICE_BYTES = 4_000_000, 64 << 20, 512 << 20


@dataclass(frozen=True)
class Delivery:
    """A delivered file, opened: what it is, its first rows, and all its rows as text.

    Attributes
    ----------
    name : str
        Name of the file as it may be shown.
    kind : str
        `csv`, `parquet`, `workbook`, `json`, `json_lines`, `geojson` or `bps_api`.
    header : tuple of tuple of str
        The first rows, or, if `is_named`, the names of the columns alone.
    is_named : bool
        Whether the file names its columns outside its rows.
    first_row : int
        Number of the first row of such a file: 1 for JSON lines, else 2, as though the names were row 1.
    sheets : tuple of str
        Of a workbook with several sheets, hidden or not, those beside our own template's: the one read, then others.
    first_column : int
        Of a workbook, how many empty columns stand before the first one.
    """

    name: str
    kind: str
    header: tuple[tuple[str, ...], ...]
    is_named: bool
    first_row: int
    read: Callable[[], Iterator[pl.DataFrame]]
    sheets: tuple[str, ...] = ()
    first_column: int = 0

    def chunks(self) -> Iterator[pl.DataFrame]:
        """All rows, at most 100,000 at a time; every call begins anew.

        Yields
        ------
        DataFrame
            `row_number` (Int64, row of the file), `row_fault` (String, null, or why the row cannot be cut into
            cells safely: too_many_cells, open_quote, cell_too_long, cut_short, not_json), then every cell as String
            in `c0`, `c1`, …, spaces around it removed, empty ones null.

        Raises
        ------
        FileRefused
            If a later part of the file is damaged or goes beyond the limits.
        """
        return self.read()


def open_delivery(path: Path, limits: Limits = LIMITS, names: Collection[str] = ()) -> Delivery:
    """What a delivered file is, whatever it is called.

    Parameters
    ----------
    names : collection of str
        Plain names of the columns wanted (:func:`assets.intake.headers.names_of`): of several sheets, the one whose
        first rows hold most of them is read.

    Raises
    ------
    FileRefused
        If it is of no kind that is read here, is empty, damaged or protected, goes beyond the limits, or holds the
        table in several sheets.
    """
    source = source_of(path, limits, is_workbook)
    start = source.start(_START_BYTES)
    if not start.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise FileRefused("empty", file=source.name)
    if start.startswith(_PARQUET):
        return _parquet(source, limits)
    if start.startswith((ZIP, _COMPOUND)):
        return _workbook(source, limits, names)
    _refuse_others(start, source.name)
    if _first_character(start) in set("{["):
        document = document_of(source, limits)
        return Delivery(
            source.name, document.kind, (document.names,), is_named=True, first_row=document.first_row,
            read=document.read,
        )  # fmt: skip
    form = form_of(source, limits)
    return Delivery(
        source.name, "csv", form.rows, is_named=False, first_row=1, read=lambda: chunks_of(source, form, limits)
    )


def _first_character(start: bytes) -> str:
    text = start.decode(encoding_of(start) or "ascii", "replace")
    return text.lstrip("\ufeff \t\r\n")[:1]


def _refuse_others(start: bytes, name: str) -> None:
    kind = next((said for mark, said in _OTHERS.items() if start.startswith(mark)), None)
    if start[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        kind = "tar"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:9].lower().startswith(_MARKUP):
        kind = "markup"
    if kind is not None:
        raise FileRefused("no_table", file=name, kind=words(f"file_kind.{kind}"))


def _workbook(source: Source, limits: Limits, names: Collection[str]) -> Delivery:
    def hits(row: tuple[str, ...]) -> int:
        return len({one for cell in row for one in (plain_name(cell), last_part(cell))}.intersection(names))

    sheets = sheets_of(source, limits)
    found = [max(map(hits, sheet.header), default=0) for sheet in sheets]
    most = max(count for sheet, count in zip(sheets, found, strict=True) if sheet.is_visible)
    alike = [
        sheet
        for sheet, count in zip(sheets, found, strict=True)
        if count >= max(1, _ALIKE * most)
        and sheet.name not in _EXAMPLES
        and sheet.rows > 1 + [hits(row) for row in sheet.header].index(count)
    ]
    # One table in several sheets, one per district, some perhaps hidden: to read one of them would lose the others.
    if len(alike) > 1:
        told = ", ".join(masked(one.name) for one in alike)
        raise FileRefused("several_sheets", file=source.name, count=len(alike), sheets=told)
    best = (sheet for sheet, count in zip(sheets, found, strict=True) if sheet.is_visible and count == most)
    sheet = next((one for one in alike if one.is_visible), None) or next(best)
    if not sheet.header:
        next(sheet.read())  # It is too wide, and says so.
    others = [one.name for one in sheets if one is not sheet and one.name not in _OWN_SHEETS]
    return Delivery(
        source.name, "workbook", sheet.header, is_named=False, first_row=1, read=sheet.read,
        sheets=(sheet.name, *others) if others else (), first_column=sheet.first_column,
    )  # fmt: skip


def _parquet(source: Source, limits: Limits) -> Delivery:
    damaged = FileRefused("damaged_parquet", file=source.name)
    try:
        with source.file() as opened, pq.ParquetFile(opened) as parquet:
            schema, total = parquet.schema_arrow, parquet.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError):
        raise damaged from None
    if len(schema) > limits.columns:
        raise FileRefused("too_many_columns", file=source.name, most=limits.columns)
    nested = next((at for at, one in enumerate(schema, start=1) if pa.types.is_nested(one.type)), None)
    if nested is not None:
        raise FileRefused("nested", file=source.name, place=str(nested))

    def read() -> Iterator[pl.DataFrame]:
        most = max(1, min(CHUNK_ROWS, _CHUNK_CELLS // max(1, len(schema))))
        with source.file() as opened:
            rows = pl.scan_parquet(f"/dev/fd/{opened.fileno()}", glob=False, cache=False)
            for start in range(0, total, most):
                # Slice by slice: what reads ahead needs memory in proportion to the file. A panic of the reader is no
                # ordinary exception, and what it says may quote cells.
                try:
                    part = rows.slice(start, most).collect()
                except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
                    raise damaged from None
                if part.height != min(most, total - start):
                    raise damaged
                size = sum(_bytes_of(column) for column in part.iter_columns())
                if size > _SLICE_BYTES:
                    raise FileRefused("bomb", file=source.name)
                yield from _as_text(part, 1 + size // _CHUNK_BYTES, start + 1, limits)

    return Delivery(source.name, "parquet", (tuple(schema.names),), is_named=True, first_row=2, read=read)


def _as_text(part: pl.DataFrame, slices: int, before: int, limits: Limits) -> Iterator[pl.DataFrame]:
    """Cells of any type as text, in so many slices: a dictionary can repeat one long cell at no cost."""
    cells = part.rename({name: f"c{at}" for at, name in enumerate(part.columns)})
    for slice_ in cells.iter_slices(max(1, cells.height // slices)):
        measures = [name for name, dtype in slice_.schema.items() if dtype.is_float() or dtype.is_decimal()]
        decimals = [name for name in measures if slice_.schema[name].is_decimal()]
        text = slice_.with_columns(pl.col(pl.Binary).cast(pl.String, strict=False)).with_columns(
            pl.all().cast(pl.String)
        )
        # The file says that these are numbers: three decimals get a zero more, so that nobody takes them for thousands.
        # Fixed decimals of a whole number are none.
        text = text.with_columns(pl.col(decimals).str.replace(r"\.0+$", ""))
        text = text.with_columns(pl.col(measures).str.replace(TWO_READINGS, "${0}0"))
        yield as_cells(text, before, limits)
        before += slice_.height


def _bytes_of(column: pl.Series) -> int:
    """Bytes of a column as text, at most; known without writing it out."""
    if isinstance(column.dtype, (pl.Categorical, pl.Enum)):
        longest = column.unique().cast(pl.String).str.len_bytes().to_numpy().max(initial=0)
        return int(longest) * column.len()
    return int(column.str.len_bytes().sum()) if column.dtype == pl.String else 0
