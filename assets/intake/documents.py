"""JSON as rows of text: JSON lines, arrays of objects, GeoJSON, answers of the BPS Web API. What they mean is not here.

A document is read value by value, never whole: an object, a boundary or one list of the API is all that is in memory.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from json import JSONDecoder
from typing import Any, BinaryIO

import polars as pl

from assets.intake.bps_api import rows_of
from assets.intake.containers import Limits, Source
from assets.intake.delimited import CHUNK_ROWS, INVISIBLE, encoding_of, text_of, text_stream
from assets.intake.values import TWO_READINGS
from schemas.errors import FileRefused

GEOMETRY = "geometry"

_WRAPPED = {"data", "rows", "records", "result", "results", "items"}
"""Under these names interfaces of other systems hand out their rows."""
_TABLES = {*_WRAPPED, "features"}
_READ_BYTES = 1 << 16
_UNSEEN = {0: "\ufffd", **dict.fromkeys(map(ord, INVISIBLE))}
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_LOST = "\ufffd"
_CHUNK_CELLS = 2_000_000
_CHUNK_CHARS = 16 << 20
_UNREADABLE = (ValueError, RecursionError, MemoryError)


def _measure(written: str) -> str:
    """A JSON number with decimals: three of them get a zero more, so that nobody takes them for thousands."""
    return f"{written}0" if re.fullmatch(TWO_READINGS, written) else written


_DIGITS_OF_NUMBERS = JSONDecoder(parse_int=str, parse_float=_measure, parse_constant=str)
"""Numbers as they are written: a card number is not rounded, a code keeps its zeros."""


@dataclass
class _Text:
    """A JSON document read from the front, with no more of it in memory than one value needs."""

    stream: BinaryIO
    source: Source
    limits: Limits
    decoder: JSONDecoder = _DIGITS_OF_NUMBERS
    _buffer: str = ""
    _at: int = 0
    _at_end: bool = False
    _has_lost_letters: bool = False
    _decode: codecs.IncrementalDecoder = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))

    def _more(self, size: int) -> None:
        data = self.source.read(self.stream, size)
        text = self._decode.decode(data, not data)
        self._has_lost_letters |= _LOST in text and _LOST.encode() not in data
        self._buffer = self._buffer[self._at :] + text
        self._at, self._at_end = 0, not data

    def peek(self) -> str:
        """The next character that is no space, or nothing at the end."""
        while True:
            self._at = _SPACE.match(self._buffer, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if self._at_end:
                return ""
            self._more(_READ_BYTES)

    def take(self, char: str) -> bool:
        """Step over a character if it is the next."""
        is_next = self.peek() == char
        self._at += is_next
        return is_next

    def value(self) -> Any:  # noqa: ANN401 - any JSON value
        """The next value.

        Raises
        ------
        FileRefused
            If it is broken, nested too deeply or longer than a row may be, or the document is not in UTF-8.
        """
        if not self.peek():
            raise FileRefused("broken_json", file=self.source.name)
        while True:
            try:
                value, self._at = self.decoder.raw_decode(self._buffer, self._at)
            except _UNREADABLE:
                held = len(self._buffer) - self._at
                if self._at_end or held > self.limits.row_bytes:
                    raise FileRefused("broken_json", file=self.source.name) from None
                self._more(max(_READ_BYTES, held))
            else:
                if self._has_lost_letters:
                    raise FileRefused("strange_letters", file=self.source.name)
                return value

    def entries(self) -> Iterator[str]:
        """Keys of the object that comes next; the caller takes the value of each."""
        if not self.take("{"):
            raise FileRefused("broken_json", file=self.source.name)
        while not self.take("}"):
            key = self.value()
            if not isinstance(key, str) or not self.take(":"):
                raise FileRefused("broken_json", file=self.source.name)
            yield key
            if not self.take(",") and self.peek() != "}":
                raise FileRefused("broken_json", file=self.source.name)

    def items(self) -> Iterator[Any]:
        """Values of the array that comes next."""
        if not self.take("["):
            raise FileRefused("broken_json", file=self.source.name)
        while not self.take("]"):
            yield self.value()
            if not self.take(",") and self.peek() != "]":
                raise FileRefused("broken_json", file=self.source.name)

    def finish(self) -> None:
        """Refuse a document behind which another one stands: its rows would be lost."""
        if found := self.peek():
            raise FileRefused("after_table", file=self.source.name, found=found)


@dataclass(frozen=True)
class Document:
    """Rows of a JSON document, under the names of their columns."""

    kind: str
    names: tuple[str, ...]
    first_row: int
    read: Callable[[], Iterator[pl.DataFrame]]


def document_of(source: Source, limits: Limits) -> Document:
    """The rows of a JSON document, whichever of the known kinds it is.

    Raises
    ------
    FileRefused
        If it is broken, of no known kind, or has too many columns.
    """
    encoding = encoding_of(source.start(_READ_BYTES)) or "utf-8"

    def opened(decoder: JSONDecoder = _DIGITS_OF_NUMBERS) -> _Text:
        return _Text(text_stream(source, encoding), source, limits, decoder)

    text = opened()
    with text.stream:
        if text.peek() == "[":
            return _listed("json", lambda: _in_array(opened()), source, limits)
        if _is_line(source, encoding, limits):
            return _listed("json_lines", lambda: _in_lines(source, encoding, limits), source, limits, first_row=1)
        for key in text.entries():
            if key == "features":
                return _listed("geojson", lambda: _in_features(opened(JSONDecoder())), source, limits)
            if key in {"vervar", "datacontent", "data-availability"}:
                return _api_answer(opened(), source)
            if key in _WRAPPED and text.peek() == "[":
                return _listed("json", lambda: _in_wrapped(opened()), source, limits)
            text.value()
    raise FileRefused("strange_json", file=source.name)


_Row = dict[str, Any] | None
"""An object, or None for a line that is none."""


def _listed(
    kind: str, rows: Callable[[], Iterator[_Row]], source: Source, limits: Limits, first_row: int = 2
) -> Document:
    names: dict[str, None] = {}
    for row in rows():
        names.update(dict.fromkeys(row or ()))
        if len(names) > limits.columns:
            raise FileRefused("too_many_columns", file=source.name, most=limits.columns)
    known = tuple(names)
    return Document(kind, known, first_row, lambda: _framed(rows(), known, limits, first_row))


def _framed(rows: Iterator[_Row], names: tuple[str, ...], limits: Limits, first_row: int) -> Iterator[pl.DataFrame]:
    schema = {"row_number": pl.Int64, "row_fault": pl.String, **{f"c{at}": pl.String for at in range(len(names))}}
    most = max(1, min(CHUNK_ROWS, _CHUNK_CELLS // max(1, len(names))))
    held: list[tuple[int | str | None, ...]] = []
    chars = 0
    for number, row in enumerate(rows, start=first_row):
        cells = [_cell((row or {}).get(name)) for name in names]
        fault = "not_json" if row is None else None
        for at, (name, cell) in enumerate(zip(names, cells, strict=True)):
            if cell is not None:
                chars += len(cell)
                if len(cell) > limits.cell_chars and name != GEOMETRY:
                    cells[at], fault = cell[: limits.cell_chars], "cell_too_long"
        held.append((number, fault, *cells))
        if len(held) >= most or chars > _CHUNK_CHARS:
            yield pl.DataFrame(held, schema, orient="row")
            held, chars = [], 0
    if held:
        yield pl.DataFrame(held, schema, orient="row")


def _cell(value: object) -> str | None:
    """A value as the text of a cell; lists and objects stay JSON."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.translate(_UNSEEN).encode("utf-8", "replace").decode().strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"))
    return str(value)


def _object(value: object) -> _Row:
    return value if isinstance(value, dict) else None


def _in_array(text: _Text) -> Iterator[_Row]:
    with text.stream:
        yield from map(_object, text.items())
        text.finish()


def _in_wrapped(text: _Text) -> Iterator[_Row]:
    """Objects of the one array that an interface wrapped into an object.

    Raises
    ------
    FileRefused
        If another one holds objects too: under a name of :data:`_TABLES`, or with the columns of the first.
    """
    columns: set[str] | None = None
    others: list[set[str]] = []
    with text.stream:
        for key in text.entries():
            if columns is None and key in _WRAPPED and text.peek() == "[":
                columns = set()
                for item in text.items():
                    row = _object(item)
                    columns = columns or set(row or ())
                    yield row
                continue
            value = text.value()
            if isinstance(value, list) and value and isinstance(value[0], dict):
                if columns is not None and key in _TABLES:
                    raise FileRefused("after_table", file=text.source.name, found=f'"{key}"')
                others.append(set(value[0]))
        if columns and columns in others:
            raise FileRefused("after_table", file=text.source.name, found="[")
        text.finish()


def _is_line(source: Source, encoding: str, limits: Limits) -> bool:
    """Whether the first line that is not empty is an object by itself."""
    with text_stream(source, encoding) as stream:
        for line in _lines(stream, source, limits):
            if line.strip():
                row = _parsed(line, source.name)
                # One line may be a whole document as well.
                is_wrapped = row is not None and any(isinstance(row.get(name), list) for name in _WRAPPED)
                return row is not None and not is_wrapped and not row.keys() & {"features", "vervar", "datacontent"}
    return False


def _lines(stream: BinaryIO, source: Source, limits: Limits) -> Iterator[bytes]:
    while True:
        try:
            line = stream.readline(limits.row_bytes + 1)
        except (OSError, EOFError, ValueError):
            raise FileRefused("broken_json", file=source.name) from None
        if len(line) > limits.row_bytes:
            raise FileRefused("row_too_long", file=source.name, kilobytes=limits.row_bytes >> 10)
        if not line:
            return
        yield line


def _in_lines(source: Source, encoding: str, limits: Limits) -> Iterator[_Row]:
    with text_stream(source, encoding) as stream:
        for line in _lines(stream, source, limits):
            yield _parsed(line, source.name) if line.strip() else {}


def _parsed(line: bytes, name: str) -> _Row:
    text = text_of(line.removeprefix(codecs.BOM_UTF8), name)
    try:
        return _object(_DIGITS_OF_NUMBERS.decode(text))
    except _UNREADABLE:
        return None


def _in_features(text: _Text) -> Iterator[_Row]:
    """Properties of every feature, and its geometry as GeoJSON text."""
    with text.stream:
        for key in text.entries():
            if key != "features":
                value = text.value()
                if key in _WRAPPED and isinstance(value, list) and any(isinstance(item, dict) for item in value):
                    raise FileRefused("after_table", file=text.source.name, found=f'"{key}"')
                continue
            for feature in text.items():
                known = _object(feature) or {}
                properties = known.get("properties")
                row: dict[str, Any] = {**properties} if isinstance(properties, dict) else {}
                yield {**row, GEOMETRY: known.get(GEOMETRY)} if known else None
        text.finish()


def _api_answer(text: _Text, source: Source) -> Document:
    with text.stream:
        content = {key: text.value() for key in text.entries()}
        text.finish()
    try:
        rows = rows_of(content)
    except FileRefused as refusal:
        raise FileRefused(refusal.word, file=source.name, **refusal.values) from None
    numbered = rows.rename({name: f"c{at}" for at, name in enumerate(rows.columns)}).with_row_index("row_number", 2)
    chunk = numbered.select(
        pl.col("row_number").cast(pl.Int64), pl.lit(None, pl.String).alias("row_fault"), pl.exclude("row_number")
    )
    return Document("bps_api", tuple(rows.columns), 2, lambda: iter([chunk]))
