"""Delimited text of any delimiter and encoding met in practice, in bounded chunks. Which column is which is headers'.

A block of the file that is regular is cut into cells by polars. Any other block is first gone through line by line:
broken quotation marks and rows of too many cells become rows with a fault, and the rows around them stay whole.
"""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from itertools import islice, pairwise
from typing import Any, BinaryIO, Literal, cast

import numpy as np
import polars as pl

from assets.intake.containers import Limits, Source
from schemas.errors import FileRefused

SNIFFED_BYTES = 1 << 18
HEADER_ROWS = 20
CHUNK_ROWS = 100_000

Fault = Literal["too_many_cells", "open_quote", "cell_too_long", "cut_short", "not_json", "total_row"]
"""What is wrong with a row before its cells are looked at."""

_BLOCK_BYTES = 16 << 20
_DELIMITERS = (",", ";", "\t", "|", "^", "~")
_JUDGED_ROWS = 200
INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
"""Marks without width that come along where text is copied from a page or another program; no cell means them."""
_UNSEEN = dict.fromkeys(map(ord, INVISIBLE))
_QUOTE, _NEWLINE = ord('"'), ord("\n")
_WIDE_SPACES = tuple(char.encode()[:2] for char in "\xa0\u2003\u3000")
_CHUNK_CELLS = 6_000_000
_CELL_LINES = 100
"""Lines that a quoted cell may span; what stands open for longer was never closed."""
_SUSPICIOUS_DELIMITERS = 3
_REPLACEMENT = "\ufffd".encode()
_ACCENTED = "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e"
_LETTER = f"[A-Za-z{_ACCENTED}]"
_SIGNS = "\ufffd\u0192\u02c6\u02dc\u2030\u00a2\u00a4-\u00a6\u00ac\u00af\u00b6\u00b8\u00b9"
_MARKS = "\u201a\u201e\u2020\u2021\u2039\u203a\u00a1\u00bf"
_INNER = "\u201c\u201d\u2022\u2122\u20ac\u00a3\u00a7-\u00a9\u00ab\u00ae\u00b1\u00b3\u00b5\u00bb-\u00be\u00d7\u00f7"
_MISREAD = re.compile(
    "|".join(
        (
            # A sign where a letter belongs: DOS's and Shift-JIS's letters, many of a Macintosh's.
            f"{_LETTER}[{_SIGNS}{_MARKS}]|[{_SIGNS}]{_LETTER}",
            f"{_LETTER}[{_INNER}][a-z]",
            f"{_LETTER}[\u20ac\u00a3\u00b5]{_LETTER}",
            # A dash stands between parts of a word; a Macintosh's n with tilde stands between vowels.
            "[a-z]\u2014[a-z]|[aeiou]\u2013[aeiou]",
            # A Macintosh's capitals are small letters here, and its u and o with accents those of no name in Indonesia.
            "[A-Z][\u00e0-\u00f6\u00f8-\u00ff][A-Z]|[\u00e0-\u00f6\u00f8-\u00ff][A-Z]{2}|[a-z][\u0161\u0153][a-z]",
            # Its i and e with accents are apostrophes, which stand in Ma'ruf, Rif'ah and Nur'aini but not in these.
            "[bcdfjklmnpqrstvwxz]{2}\u2019[bcdfgjklmnpqrstvwxz]|[clnr]\u2019as?\\b|o\u2018[a-z]",
            # DOS's a with acute is the space that does not break, behind which no word begins so.
            "\\b[A-Z]\u00a0[a-z]{2}|[a-z]\u00a0[lnr][bcdfjkmpqstvwxz]",
            # A capital within a word: a Macintosh's e with acute is Z with caron here.
            "[a-z][\u00c0-\u00d6\u00d8-\u00de\u0152\u0160\u0178\u017d]",
            "[A-Z][\u00c0-\u00d6\u00d8-\u00de\u0152\u0160\u0178\u017d][a-z]",
            # No name has so many accented letters in a row; every name in Cyrillic, Greek, Chinese or Thai has.
            f"[{_ACCENTED}\u0192]{{3}}",
        )
    )
)
"""What text of another encoding looks like where it is read as cp1252."""
_OFTEN = "\u00e9\u00e8\u00eb\u00fc\u00f6\u00f1\u00e1\u00ed\u00f3\u00e7\u00c9\u00d1\u2019\u201c\u2013"
_READ_TWICE = tuple(letter.encode().decode("cp1252").encode() for letter in _OFTEN)
"""Letters in UTF-8 that another program read as cp1252 and wrote in UTF-8 again."""
_SEP = re.compile(r"^\ufeff?sep=(.)\r?$", re.IGNORECASE)
_Bytes = np.ndarray[Any, np.dtype[Any]]
_Places = np.ndarray[Any, np.dtype[np.intp]]
_BARE_NUL_SHARE = 0.3
_BINARY_SHARE = 0.02
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


@dataclass(frozen=True)
class Form:
    """How a delimited file is written.

    Attributes
    ----------
    width : int
        Cells of the widest of the first rows.
    rows : tuple of tuple of str
        The first rows.
    """

    encoding: Literal["utf-8", "utf-16-le", "utf-16-be"]
    delimiter: str
    has_lone_returns: bool
    width: int
    rows: tuple[tuple[str, ...], ...]


def encoding_of(start: bytes) -> Literal["utf-8", "utf-16-le", "utf-16-be"] | None:
    """UTF-16 by its mark or its many NULs, else UTF-8 (lines that are none are read as cp1252); None if no text."""
    if start.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if start.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    half = max(1, len(start) // 2)
    if start[1::2].count(0) > _BARE_NUL_SHARE * half and start[::2].count(0) == 0:
        return "utf-16-le"
    if start[::2].count(0) > _BARE_NUL_SHARE * half and start[1::2].count(0) == 0:
        return "utf-16-be"
    controls = len(start) - len(start.translate(None, _CONTROLS))
    return None if controls > max(2, _BINARY_SHARE * len(start)) else "utf-8"


class _Recoded(RawIOBase):
    """A stream of another encoding, in UTF-8."""

    def __init__(self, inner: BinaryIO, encoding: str) -> None:
        self._inner, self._left = inner, b""
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - what the standard library hands in
        while not self._left:
            data = self._inner.read(SNIFFED_BYTES)
            self._left = self._decoder.decode(data, final=not data).encode("utf-8", "replace")
            if not data:
                break
        given = self._left[: len(buffer)]
        buffer[: len(given)] = given
        self._left = self._left[len(given) :]
        return len(given)

    def close(self) -> None:
        self._inner.close()
        super().close()


def text_stream(source: Source, encoding: str) -> BinaryIO:
    """The source in UTF-8, as far as the whole is of one encoding; single lines of another are mended when cut."""
    stream = source.open()
    return stream if encoding == "utf-8" else cast("BinaryIO", BufferedReader(_Recoded(stream, encoding)))


def form_of(source: Source, limits: Limits) -> Form:
    """How a delimited file is written, from its beginning.

    Raises
    ------
    FileRefused
        If it is no text, or has too many columns.
    """
    encoding = encoding_of(source.start(SNIFFED_BYTES))
    if encoding is None:
        raise FileRefused("no_text", file=source.name)
    with text_stream(source, encoding) as stream:
        sample = source.read(stream, SNIFFED_BYTES)
        is_whole = not source.read(stream, 1)
    has_lone_returns = b"\n" not in sample and b"\r" in sample
    if has_lone_returns:
        sample = sample.replace(b"\r", b"\n")
    if not is_whole:
        # An endless first line is looked at for its columns alone.
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    text = _as_utf8(sample, source.name).decode().removeprefix("\ufeff").replace("\0", "\ufffd")
    first, _, _ = text.partition("\n")
    said = _SEP.match(first)
    delimiter = said[1] if said else max(_DELIMITERS, key=lambda one: _evenness(text, one))
    rows = list(islice(_lenient_rows(text, delimiter), HEADER_ROWS))
    width = max((len(row) for row in rows), default=0)
    if width > limits.columns:
        raise FileRefused("too_many_columns", file=source.name, most=limits.columns)
    if not is_whole and b"\n" not in sample:
        raise FileRefused("row_too_long", file=source.name, kilobytes=SNIFFED_BYTES >> 10)
    return Form(encoding, delimiter, has_lone_returns, width, tuple(tuple(map(bare, row)) for row in rows))


def bare(cell: str) -> str:
    """A cell without what cannot be seen and without what keeps a spreadsheet from reading it as a number."""
    cell = cell.translate(_UNSEEN).strip()
    wrapped = re.fullmatch(r'="([^"]*)"', cell)
    return wrapped[1].strip() if wrapped else re.sub(r"^'(?=[=+\-@0-9])", "", cell)


def _lenient_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    at = 0
    while at < len(lines):
        cells, used, _ = _record(lines[at : at + _CELL_LINES], delimiter, None)
        yield cells
        at += used


def _evenness(text: str, delimiter: str) -> tuple[float, int]:
    """How table-like the text is under a delimiter: share of rows of the commonest width, and that width."""
    widths = Counter(len(row) for row in islice(_lenient_rows(text, delimiter), _JUDGED_ROWS) if any(row))
    several = {width: count for width, count in widths.items() if width > 1}
    if not several:
        return (0.0, 0)
    width, count = max(several.items(), key=lambda one: (one[1], one[0]))
    return (round(count / widths.total(), 2), width)


def _record(lines: Sequence[str], delimiter: str, width: int | None) -> tuple[list[str], int, bool]:
    """Cells of the record that begins with the first line, how many lines it takes, and whether a quote stood open.

    A quoted cell that runs over lines is believed if the row comes out `width` cells wide and the cell does not look
    like swallowed rows itself.
    """
    first = lines[0].removesuffix("\r")
    if '"' not in first:
        return first.split(delimiter), 1, False
    is_open = False

    def supplied() -> Iterator[str]:
        nonlocal is_open
        for line in lines:
            yield line + "\n"
        is_open = True

    reader = csv.reader(supplied(), delimiter=delimiter, skipinitialspace=delimiter != "\t")
    try:
        cells = next(reader)
    except (csv.Error, StopIteration):
        cells, is_open = [], True
    used = reader.line_num
    if not is_open and used > 1:
        swallowed = max(_SUSPICIOUS_DELIMITERS, (width or len(cells)) - 1)
        is_open = (width is not None and len(cells) != width) or any(
            "\n" in cell and cell.count(delimiter) >= swallowed for cell in cells
        )
    if is_open:
        return first.replace('"', "").split(delimiter), 1, True
    return [cell.replace("\r\n", "\n").removesuffix("\r") for cell in cells], used, False


def chunks_of(source: Source, form: Form, limits: Limits) -> Iterator[pl.DataFrame]:
    """All cells as text: `row_number`, `row_fault` and `c0…`, at most 100,000 rows at a time.

    Raises
    ------
    FileRefused
        If a row is longer than any table's, or the packing is damaged.
    """
    cutter = _Cutter(form, limits, source.name)
    carry, before, is_first = b"", 0, True
    with text_stream(source, form.encoding) as stream:
        while True:
            data = source.read(stream, _BLOCK_BYTES)
            at_end = not data
            if is_first:
                data, is_first = data.removeprefix(codecs.BOM_UTF8), False
            block = carry + data
            if form.has_lone_returns:
                block = block.replace(b"\r", b"\n")
            is_cut = at_end and bool(block) and not block.endswith(b"\n")
            pieces, carry = cutter.cut(block + b"\n" if is_cut else block, at_end=at_end, is_cut=is_cut)
            for piece in pieces:
                made = piece
                if piece.data.strip(b"\r\n"):
                    made, frame = cutter.cells(piece, before, source.name)
                    yield frame
                before += made.rows
            if at_end:
                return
            if len(carry) > limits.row_bytes:
                raise FileRefused("row_too_long", file=source.name, kilobytes=limits.row_bytes >> 10)


@dataclass(frozen=True)
class _Piece:
    """Whole records of a file as clean UTF-8, and the faults of some of them by their place in the piece."""

    data: bytes
    rows: int
    faults: dict[int, Fault]
    is_cut: bool = False

    def frame(self, before: int, form: Form) -> pl.DataFrame:
        """The piece as cells.

        Raises
        ------
        PolarsError
            If a row has more cells than the header rows, or the quotation marks are not what they seemed.
        """
        names = [f"c{at}" for at in range(form.width)]
        # polars takes the number of columns from the first row.
        leading = form.delimiter * (form.width - 1) + "\n"
        text = pl.read_csv(
            leading.encode() + self.data,
            has_header=False,
            separator=form.delimiter,
            schema=dict.fromkeys(names, pl.String()),
        )[1:]
        if text.height != self.rows:
            message = "rows run into each other"
            raise pl.exceptions.ComputeError(message)
        return _tidied(text, self.data, form).select(
            pl.int_range(before + 1, before + self.rows + 1, dtype=pl.Int64).alias("row_number"), self._faults(), *names
        )

    def _faults(self) -> pl.Series:
        faults: list[Fault | None] = [None] * (self.rows if self.faults else 0)
        for at, fault in self.faults.items():
            faults[at] = fault
        return pl.Series("row_fault", faults or pl.repeat(None, self.rows, dtype=pl.String, eager=True), pl.String)


def _tidied(text: pl.DataFrame, data: bytes, form: Form) -> pl.DataFrame:
    """Cells without spaces around them, empty ones null; only what the bytes show to be there is looked for."""
    array = np.frombuffer(data, np.uint8)
    edge = _bytes_of(form.delimiter, '"\n\r \t')

    def begins_or_ends(char: str) -> bool:
        if char.encode() not in data:
            return False
        at = np.flatnonzero(array == ord(char))
        return bool((at[0] == 0) | edge[array[at - 1]].any() | edge[array[np.minimum(at + 1, array.size - 1)]].any())

    cell, steps = pl.all(), []
    if not data.isascii() and any(char.encode() in data for char in INVISIBLE):
        steps.append(cell.str.replace_all(f"[{INVISIBLE}]", ""))
    if begins_or_ends(" ") or begins_or_ends("\t") or _has_wide_spaces(data):
        steps.append(cell.str.strip_chars())
    if b'="' in data:
        steps.append(cell.str.replace(r'^="([^"]*)"$', "${1}"))
    if begins_or_ends("'"):
        steps.append(cell.str.replace(r"^'([=+\-@0-9])", "${1}"))
    if steps or b'""' in data:
        steps.append(pl.when(cell != "").then(cell))
    for step in steps:
        text = text.with_columns(step)
    return text


def _has_wide_spaces(data: bytes) -> bool:
    return not data.isascii() and any(space in data for space in _WIDE_SPACES)


def _bytes_of(*chars: str) -> _Bytes:
    chosen = np.zeros(256, dtype=bool)
    chosen[[ord(char) for char in "".join(chars)]] = True
    return chosen


class _Cutter:
    """Cuts blocks of a file into pieces of whole records."""

    def __init__(self, form: Form, limits: Limits, name: str) -> None:
        self._form, self._limits, self._name = form, limits, name
        self._delimiter = form.delimiter.encode()
        self._piece_rows = max(1, min(CHUNK_ROWS, _CHUNK_CELLS // max(1, form.width)))
        later = form.rows[len(form.rows) // 2 :]
        self._usual_width = min((len(row) for row in later), default=0)

    def cut(self, block: bytes, *, at_end: bool, is_cut: bool) -> tuple[Iterator[_Piece], bytes]:
        """Pieces of a block in order, and the bytes that belong to the next."""
        array = np.frombuffer(block, np.uint8)
        newlines = np.flatnonzero(array == _NEWLINE)
        if not newlines.size:
            return iter(()), block
        quotes = np.flatnonzero(array == _QUOTE)
        outside = newlines[np.searchsorted(quotes, newlines) % 2 == 0] if quotes.size else newlines
        end = int(outside[-1]) + 1 if outside.size else 0
        # A mark that opens and is never closed would carry the rest of the file along.
        left = newlines.size - int(np.searchsorted(newlines, end))
        if left < (1 if at_end else _CELL_LINES) and self._is_regular(array, quotes, end):
            return self._regular(block, outside, newlines, is_cut=is_cut), block[end:]
        end = int(newlines[-1]) + 1
        pieces, carry = [], b""
        for start, stop in self._bounds(newlines):
            lines = carry + _as_utf8(block[start:stop], self._name)
            is_last = at_end and stop == end
            piece, carry = self._mended(lines, at_end=is_last, is_cut=is_cut and is_last)
            pieces.append(piece)
        return iter(pieces), carry + block[end:]

    def _bounds(self, newlines: _Places) -> Iterator[tuple[int, int]]:
        """Where pieces begin and end, each of a bounded number of lines."""
        stops = [0, *(int(at) + 1 for at in newlines[self._piece_rows - 1 :: self._piece_rows])]
        last = int(newlines[-1]) + 1
        return pairwise(stops if stops[-1] == last else [*stops, last])

    def _is_regular(self, array: _Bytes, quotes: _Places, end: int) -> bool:
        """Whether every quotation mark up to `end` opens or closes a cell, or is one of a pair."""
        if not quotes.size:
            return True
        inner = quotes[: np.searchsorted(quotes, end)]
        opening, closing = inner[::2], inner[1::2]
        before, after = _bytes_of(self._form.delimiter, '\n"'), _bytes_of(self._form.delimiter, '\n\r"')
        return bool((before[array[opening - 1]] | (opening == 0)).all() and after[array[closing + 1]].all())

    def _regular(self, block: bytes, outside: _Places, newlines: _Places, *, is_cut: bool) -> Iterator[_Piece]:
        for start, stop in self._bounds(outside):
            data = _as_utf8(block[start:stop], self._name)
            ends = outside[np.searchsorted(outside, start) : np.searchsorted(outside, stop)]
            lines = np.searchsorted(newlines, stop) - np.searchsorted(newlines, start)
            is_last = is_cut and stop == len(block)
            # Cells that run over lines may be rows that a stray mark has swallowed: they are looked at one by one.
            is_plain = lines == ends.size and int(np.diff(ends, prepend=start - 1).max()) <= self._limits.cell_chars
            if is_plain:
                yield _Piece(data, int(ends.size), self._cut_short(data) if is_last else {}, is_cut=is_last)
            else:
                yield self._mended(data, at_end=True, is_cut=is_last)[0]

    def cells(self, piece: _Piece, before: int, name: str) -> tuple[_Piece, pl.DataFrame]:
        """A piece as cells, gone through line by line where polars cannot cut it.

        Raises
        ------
        FileRefused
            If it cannot be cut even so.
        """
        try:
            return piece, piece.frame(before, self._form)
        except pl.exceptions.PolarsError:
            piece, _ = self._mended(piece.data, at_end=True, is_cut=piece.is_cut)
        try:
            return piece, piece.frame(before, self._form)
        except pl.exceptions.PolarsError:
            # What polars says of a broken row may quote it: it is not passed on.
            raise FileRefused("uncuttable", file=name, row=str(before + 1)) from None

    def _cut_short(self, data: bytes) -> dict[int, Fault]:
        """The fault of a last row that ends in the middle."""
        rows = data.split(b"\n")
        cells = rows[-2].count(self._delimiter) + 1
        return {len(rows) - 2: "cut_short"} if cells < self._usual_width else {}

    def _mended(self, data: bytes, *, at_end: bool, is_cut: bool) -> tuple[_Piece, bytes]:
        """Lines made into clean records, and the lines whose record goes on in the next piece."""
        lines = data.split(b"\n")[:-1]
        out: list[bytes] = []
        faults: dict[int, Fault] = {}
        at, width, longest = 0, self._form.width, self._limits.cell_chars
        while at < len(lines):
            line = lines[at]
            is_last = is_cut and at == len(lines) - 1
            is_short = len(line) <= longest and line.count(self._delimiter) < width
            if b'"' not in line and is_short and not is_last:
                out.append(line)
                at += 1
                continue
            window = [one.decode() for one in lines[at : at + _CELL_LINES]]
            cells, used, is_open = _record(window, self._form.delimiter, width)
            if is_open and not at_end and len(window) < _CELL_LINES:
                return _Piece(_joined(out), len(out), faults), _joined(lines[at:])
            fault: Fault | None = None
            if is_open:
                fault = "open_quote"
            elif any(cell.strip() for cell in cells[width:]):
                fault = "too_many_cells"
            elif any(len(cell) > longest for cell in cells):
                fault = "cell_too_long"
            elif is_last and len(cells) < self._usual_width:
                fault = "cut_short"
            if fault:
                faults[len(out)] = fault
            cut = (cell[:longest] for cell in cells[:width])
            out.append(self._delimiter.join(_quoted(cell, self._form.delimiter) for cell in cut))
            at += used
        return _Piece(_joined(out), len(out), faults), b""


def _joined(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _quoted(cell: str, delimiter: str) -> bytes:
    if delimiter in cell or '"' in cell or "\n" in cell or "\r" in cell:
        cell = '"' + cell.replace('"', '""') + '"'
    return cell.encode()


def _as_utf8(data: bytes, name: str) -> bytes:
    """The bytes as UTF-8 without NULs: each line that is no UTF-8 is read as cp1252, as Windows writes it.

    Raises
    ------
    FileRefused
        If such a line, or the text itself, is not plausible in the encoding it was read in.
    """
    if b"\0" in data:
        data = data.replace(b"\0", _REPLACEMENT)
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        data = "\n".join(text_of(line, name) for line in data.split(b"\n")).encode()
    if any(letters in data for letters in _READ_TWICE):
        raise FileRefused("strange_letters", file=name)
    return data


def text_of(line: bytes, name: str) -> str:
    """A line in UTF-8, else in cp1252.

    Raises
    ------
    FileRefused
        If it is in neither: letters of Mac Roman, DOS or Shift-JIS would become other letters without a word.
    """
    try:
        return line.decode()
    except UnicodeDecodeError:
        text = line.decode("cp1252", errors="replace")
    if _MISREAD.search(text):
        raise FileRefused("strange_letters", file=name)
    return text
