"""A program of its own: the sheets of a workbook as text, within bounded memory and time. Intake starts it.

Nothing of the project is imported here. A workbook made to exhaust or crash its reader ends this process alone.
The library gives every cell as text. Where the text leaves open what the cell is, the library is asked again, and
where it does not tell (formulas without results, merges, percent formats) the XML of the workbook is.
"""

import json
import os
import re
import resource
import sys
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any, Literal
from xml.etree import ElementTree as ET
from xml.parsers import expat

import fastexcel
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

BATCH_ROWS = 50_000
BYTES_PER_PAGE = os.sysconf("SC_PAGE_SIZE")
ERRORS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
}
"""What a spreadsheet shows where a formula failed: a cell that is there and wrong, not an empty one."""
FAULTS = (
    "", "error_in_cell", "identifier_through_a_number", "day_of_a_small_number", "formula_without_result",
    "merged_cell",
)  # fmt: skip
"""What the text of a cell does not tell, each by its code."""
ERROR, LONG_NUMBER, SMALL_DAY, NO_RESULT, MERGED = range(1, len(FAULTS))
LONG_NUMBER_DIGITS = 16
"""A spreadsheet keeps fifteen digits of a number."""
LEAST_DAY = 3000
"""Serial number from which on a cell formatted as a day is one: below stand years, ages, codes and times of day.

It is 18 March 1908, or 1912 in the system of 1904: nobody who lives today was born before it.
"""
_EARLY_DAY = r"^(1899|190\d|191[0-2])-\d\d-\d\d \d\d:\d\d:\d\d"
_THREE_DECIMALS = r"^-?[1-9]\d{0,2}\.\d{3}$"
"""In text, 1.234 may be a thousand and more; a number has one reading, which a zero more shows."""
_CONTENT = r"[^\s\p{Z}\p{Cf}]"
_BLOCK_BYTES, _OVERLAP_BYTES = 1 << 20, 256
_LONG_NUMBER_TRACE = r"v>-?(?:\d{16}|\d[\d.]*[eE]\+?\d)"
_OPEN_DOCUMENT_TRACE = r"table:formula|covered-table-cell|percentage"
_PERCENT_FORMATS = {"9", "10"}
_UNCALCULATED = {"fullCalcOnLoad": True, "forceFullCalc": True, "calcCompleted": False}
"""What a workbook says if its results may be none, and with which value."""
_ZERO = re.compile(r"-?0+(\.0*)?([eE][+-]?\d+)?")
_NO_PLACEHOLDER = re.compile(r'"[^"]*"|\\.')

Range = tuple[int, int, int, int]
"""First row, last row, first column and last column, from 0."""


@dataclass
class Traces:
    """What the XML of a sheet says of its cells beyond their values.

    Attributes
    ----------
    has_long_numbers : bool
        Whether a number of sixteen digits may be among them.
    unresolved, failed, merged : list of Range
        Formulas saved without results, formulas that failed where the library does not say so, merged cells.
    percents : list of (int, int)
        Row and column of numbers shown as a percentage.
    """

    has_long_numbers: bool = True
    unresolved: list[Range] = field(default_factory=list)
    failed: list[Range] = field(default_factory=list)
    merged: list[Range] = field(default_factory=list)
    percents: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.unresolved or self.failed or self.merged or self.percents)


class Sheet:
    """The cells of a sheet as text and the faults that the text does not tell.

    Attributes
    ----------
    first : int
        Which column of the workbook the first one is; empty ones before it are left out.
    """

    def __init__(self, columns: Sequence[pa.Array], rows: int, first: int) -> None:
        self.columns, self.rows, self.first = list(columns), rows, first
        self.faults: dict[int, npt.NDArray[np.int8]] = {}

    def mark(self, cells: Range, code: int) -> None:
        """Mark those of a range of the workbook that lie in the sheet."""
        top, bottom, left, right = cells
        for column in range(max(left - self.first, 0), min(right - self.first + 1, len(self.columns))):
            self._codes(column)[top : bottom + 1] = code

    def mark_rows(self, column: int, is_faulty: pa.Array, code: int) -> None:
        """Mark the cells of a column where a mask is true."""
        rows = pc.indices_nonzero(pc.fill_null(is_faulty, fill_value=False)).to_numpy()
        if rows.size:
            self._codes(column)[rows] = code

    def _codes(self, column: int) -> npt.NDArray[np.int8]:
        return self.faults.setdefault(column, np.zeros(self.rows, np.int8))

    def has_content(self, row: int, column: int) -> bool:
        """Whether a cell of the workbook holds anything."""
        at = column - self.first
        return 0 <= at < len(self.columns) and row < self.rows and bool(self.columns[at][row].as_py())

    def put(self, column: int, cells: Mapping[int, str | None]) -> None:
        """Write text into rows of a column."""
        values = self.columns[column].to_pylist()
        for row, text in cells.items():
            values[row] = text
        self.columns[column] = pa.array(values, pa.string())

    def longer_than(self, length: int, pattern: str) -> dict[int, pa.Array]:
        """Where cells of so many bytes match a pattern: masks of the columns that hold any."""
        found = {}
        for at, column in enumerate(self.columns):
            if (pc.max(pc.binary_length(column)).as_py() or 0) >= length:
                mask = pc.match_substring_regex(column, pattern)
                if pc.any(mask).as_py():
                    found[at] = mask
        return found

    def batch(self) -> pa.RecordBatch | None:
        """Cells without the blank columns behind them, and `faults`, as `c3=merged_cell c7=error_in_cell` or null."""
        while self.columns and not pc.any(pc.match_substring_regex(self.columns[-1], _CONTENT)).as_py():
            self.columns.pop()
        if not self.columns:
            return None
        names = [f"c{at}" for at in range(len(self.columns))]
        if not self.faults:
            nothing = pa.nulls(self.rows, pa.string())
            return pa.RecordBatch.from_arrays([*self.columns, nothing], names=[*names, "faults"])
        told: list[str | None] = [None] * self.rows
        for column, codes in sorted(self.faults.items()):
            for row in codes.nonzero()[0].tolist() if column < len(self.columns) else ():
                fault, before = f"c{column}={FAULTS[codes[row]]}", told[row]
                told[row] = fault if before is None else f"{before} {fault}"
        return pa.RecordBatch.from_arrays([*self.columns, pa.array(told, pa.string())], names=[*names, "faults"])


def bound(memory: int, seconds: int) -> None:
    """Let this process grow by `memory` bytes and work for `seconds` of processor time, and no more."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/statm", encoding="ascii") as status:  # noqa: PTH123
            now = int(status.read().split()[0]) * BYTES_PER_PAGE
    except OSError:  # not on Linux: the limit cannot be measured from
        return
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))


def read_sheet(
    reader: fastexcel.ExcelReader, name: str, trace: Callable[[str], Traces]
) -> tuple[pa.RecordBatch | None, int, bool]:
    """Read a sheet with all its rows as text, None if it is empty; tell its first column and whether it is visible."""
    try:
        loaded = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        batch, errors = loaded.to_arrow_with_errors()
    except (fastexcel.SheetNotFoundError, fastexcel.InvalidParametersError):
        return None, 0, False
    is_visible = loaded.visible == "visible"
    if not batch.num_columns or not batch.num_rows:
        return None, 0, is_visible
    sheet, traces = Sheet(batch.columns, batch.num_rows, loaded.selected_columns[0].absolute_index), trace(name)
    # The library keeps a second copy of the cells with it.
    del loaded, batch
    restore_errors(sheet, errors.errors if errors else ())
    if traces.has_long_numbers:
        mark_long_numbers(sheet, reader, name)
    mark_small_days(sheet, reader, name)
    show_decimals(sheet, reader, name)
    if not traces.is_empty:
        mark_traces(sheet, traces)
    return sheet.batch(), sheet.first, is_visible


def restore_errors(sheet: Sheet, errors: Sequence[Any]) -> None:
    """Put back what a spreadsheet shows for errors, which the library drops, and mark these cells."""
    wrong: dict[int, dict[int, str]] = {}
    for error in errors:
        row, column = error.offset_position
        shown = next((shown for code, shown in ERRORS.items() if f"Error({code})" in error.detail), "#ERROR!")
        wrong.setdefault(column, {})[row] = shown
        sheet.mark((row, row, sheet.first + column, sheet.first + column), ERROR)
    for column, cells in wrong.items():
        sheet.put(column, cells)


def reload(
    sheet: Sheet, reader: fastexcel.ExcelReader, name: str, columns: Collection[int],
    dtype: Literal["boolean", "duration"],
) -> list[pa.Array]:  # fmt: skip
    """Load columns as another type: null where the cell itself is of none that the library takes for it."""
    chosen = [sheet.first + column for column in columns]
    if not chosen:
        return []
    again = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes=dtype, use_columns=chosen)
    return list(again.to_arrow().columns)


def mark_long_numbers(sheet: Sheet, reader: fastexcel.ExcelReader, name: str) -> None:
    """Mark digits beyond the fifteen of a number: as truth values the library takes numbers but no text."""
    candidates = sheet.longer_than(LONG_NUMBER_DIGITS, rf"^-?\d{{{LONG_NUMBER_DIGITS},}}")
    reloaded = reload(sheet, reader, name, candidates, "boolean")
    for (column, is_long), numbers in zip(candidates.items(), reloaded, strict=True):
        sheet.mark_rows(column, pc.and_(is_long, pc.is_valid(numbers)), LONG_NUMBER)


def mark_small_days(sheet: Sheet, reader: fastexcel.ExcelReader, name: str) -> None:
    """Mark cells formatted as days that hold small numbers, in either date system: as durations they keep these."""
    candidates = sheet.longer_than(len("1900-01-01 00:00:00"), _EARLY_DAY)
    least = pa.scalar(LEAST_DAY * 86_400_000, pa.int64())
    reloaded = reload(sheet, reader, name, candidates, "duration")
    for column, serials in zip(candidates, reloaded, strict=True):
        sheet.mark_rows(column, pc.less(serials.cast(pa.duration("ms")).cast(pa.int64()), least), SMALL_DAY)


def show_decimals(sheet: Sheet, reader: fastexcel.ExcelReader, name: str) -> None:
    """Give numbers of three decimals a zero more, so that nobody takes them for thousands; texts stay as they are."""
    candidates = sheet.longer_than(len("1.234"), _THREE_DECIMALS)
    reloaded = reload(sheet, reader, name, candidates, "boolean")
    for (column, is_like), numbers in zip(candidates.items(), reloaded, strict=True):
        values = sheet.columns[column]
        is_measure = pc.and_(is_like, pc.is_valid(numbers))
        sheet.columns[column] = pc.if_else(is_measure, pc.binary_join_element_wise(values, "0", ""), values)


def mark_traces(sheet: Sheet, traces: Traces) -> None:
    """Mark what the XML told, and show percentages as such."""
    for cells in traces.unresolved:
        sheet.mark(cells, NO_RESULT)
    for cells in traces.failed:
        sheet.mark(cells, ERROR)
    shown: dict[int, list[int]] = {}
    for row, column in traces.percents:
        if row < sheet.rows and 0 <= column - sheet.first < len(sheet.columns):
            shown.setdefault(column - sheet.first, []).append(row)
    for column, rows in shown.items():
        values = sheet.columns[column]
        sheet.put(column, {row: percentage(values[row].as_py()) for row in rows})
    for top, bottom, left, right in traces.merged:
        if sheet.has_content(top, left):
            # Merging leaves what the cells have in common in the first of them alone.
            sheet.mark((top, top, left + 1, right), MERGED)
            sheet.mark((top + 1, bottom, left, right), MERGED)


def percentage(text: str | None) -> str | None:
    """A number as the percentage that a spreadsheet shows for it: 0.365 is 36.5%."""
    if text is None or not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return text
    shown = f"{Decimal(text).scaleb(2).normalize():f}"
    return f"{shown}0%" if re.match(_THREE_DECIMALS, shown) else f"{shown}%"


# XML of Office Open XML


def elements(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Local names and attributes of the elements of a small part; nothing if the workbook lacks it."""
    if part not in archive.NameToInfo:
        return
    with archive.open(part) as stream:
        for _, element in ET.iterparse(stream, events=("start",)):  # noqa: S314 - declarations were refused before
            yield local_name(element.tag), {local_name(name): value for name, value in element.attrib.items()}


def local_name(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2].rpartition(":")[2]


def is_true(value: str | None) -> bool:
    """Whether an attribute of XML says yes."""
    return value in {"1", "true"}


class OfficeBook:
    """Where an Office Open XML workbook keeps its sheets, and which of its styles are percentages."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        targets = {
            told["Id"]: told.get("Target", "")
            for name, told in elements(archive, "xl/_rels/workbook.xml.rels")
            if name == "Relationship" and "Id" in told
        }
        self._parts: dict[str, str] = {}
        # A program that calculates nothing writes 0 for every result and asks for it to be calculated later.
        self._is_uncalculated = False
        for name, told in elements(archive, "xl/workbook.xml"):
            if name == "sheet":
                target = targets.get(told.get("id", ""), "")
                self._parts[told.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            elif name == "calcPr":
                self._is_uncalculated = any(
                    name in told and is_true(told[name]) is value for name, value in _UNCALCULATED.items()
                )
        self._percent_styles = percent_styles(archive)

    def trace(self, name: str) -> Traces:
        """What the XML of a sheet says beyond its values; it is parsed only if its bytes show that it may."""
        part = self._parts.get(name, "")
        if part not in self._archive.NameToInfo:
            return Traces()
        styles = "|".join(sorted(self._percent_styles))
        traced = r"[<:]f[\s/>]|mergeCell\b" + (rf"""|\ss=["'](?:{styles})["']""" if styles else "")
        has_traces, has_long_numbers = find(self._archive, part, traced, _LONG_NUMBER_TRACE)
        traces = Traces(has_long_numbers=has_long_numbers)
        if has_traces:
            with self._archive.open(part) as stream:
                OfficeSheet(traces, self._percent_styles, is_uncalculated=self._is_uncalculated).parse(stream)
        return traces


def percent_styles(archive: zipfile.ZipFile) -> set[str]:
    """Numbers of the cell styles that show a number as a percentage."""
    formats, styles, is_cell_style = set(_PERCENT_FORMATS), list[str](), False
    for name, told in elements(archive, "xl/styles.xml"):
        if name == "numFmt" and "%" in _NO_PLACEHOLDER.sub("", told.get("formatCode", "")):
            formats.add(told.get("numFmtId", ""))
        elif name in {"cellXfs", "cellStyles", "cellStyleXfs"}:
            is_cell_style = name == "cellXfs"
        elif name == "xf" and is_cell_style:
            styles.append(told.get("numFmtId", "0"))
    return {str(at) for at, number in enumerate(styles) if number in formats}


def find(archive: zipfile.ZipFile, part: str, *patterns: str) -> list[bool]:
    """Whether the bytes of a part show each of the patterns."""
    found, tail = [False] * len(patterns), b""
    with archive.open(part) as stream:
        while not all(found) and (block := stream.read(_BLOCK_BYTES)):
            block = tail + block
            # Five times as fast as the patterns of the standard library.
            cell = pa.scalar(block, pa.binary())
            found = [
                was or pc.match_substring_regex(cell, one).as_py() for was, one in zip(found, patterns, strict=True)
            ]
            tail = block[-_OVERLAP_BYTES:]
    return found


class _Names(dict[str, str]):
    """Local names of the elements of a document, each cut once."""

    def __missing__(self, name: str) -> str:
        self[name] = local = local_name(name)
        return local


class OfficeSheet:
    """Parses a sheet of Office Open XML into its traces, cell by cell, in memory that its size does not move."""

    def __init__(self, traces: Traces, percent_styles: set[str], *, is_uncalculated: bool) -> None:
        self._traces, self._percent_styles, self._is_uncalculated = traces, percent_styles, is_uncalculated
        self._row = self._column = -1
        self._told: Mapping[str, str] = {}
        self._formula: Mapping[str, str] | None = None
        self._filled: list[Range] = []
        self._has_value, self._text = False, ""
        self._names, self._columns = _Names(), dict[str, int]()
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True

    def parse(self, stream: IO[bytes]) -> None:
        """Read the sheet to its end."""
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.ParseFile(stream)

    def _start(self, name: str, told: dict[str, str]) -> None:
        match self._names[name]:
            case "c":
                self._told, self._formula, self._has_value, self._text = told, None, False, ""
                if reference := told.get("r"):
                    self._row, self._column = self._place(reference)
                else:
                    self._column += 1
            case "v":
                self._has_value = True
                if self._formula is not None or self._filled:
                    self._parser.CharacterDataHandler = self._take
            case "f":
                self._formula = told
            case "row":
                self._row, self._column = int(told["r"]) - 1 if "r" in told else self._row + 1, -1
            case "mergeCell":
                self._traces.merged.append(self._range(told["ref"]))

    def _take(self, text: str) -> None:
        self._text += text

    def _end(self, name: str) -> None:
        match self._names[name]:
            case "v":
                self._parser.CharacterDataHandler = None
            case "c":
                self._finish_cell()

    def _finish_cell(self) -> None:
        row, column, told = self._row, self._column, self._told
        cell = (row, row, column, column)
        # Of a formula that fills a range only the first cell names it.
        is_array = self._formula is not None and self._formula.get("t") == "array" and "ref" in self._formula
        cells = self._range(self._formula["ref"]) if self._formula is not None and is_array else cell
        if self._formula is not None and self._is_unresolved():
            self._traces.unresolved.append(cells)
        elif self._is_padding():
            self._traces.unresolved.append(cell)
        elif self._has_value and told.get("s") in self._percent_styles and told.get("t", "n") == "n":
            self._traces.percents.append((row, column))
        if self._is_uncalculated and cells != cell:
            self._filled.append(cells)

    def _is_padding(self) -> bool:
        """Whether a cell is a zero that a writer which calculates nothing put below an array formula."""
        return bool(_ZERO.fullmatch(self._text)) and any(
            top <= self._row <= bottom and left <= self._column <= right for top, bottom, left, right in self._filled
        )

    def _is_unresolved(self) -> bool:
        """Whether no result was saved; an empty text is one, unless the writer calculates nothing."""
        if self._told.get("t") == "str" and not self._text:
            return self._is_uncalculated or not self._has_value
        return not self._text or (self._is_uncalculated and _ZERO.fullmatch(self._text) is not None)

    def _place(self, reference: str) -> tuple[int, int]:
        letters = reference.rstrip("0123456789")
        if letters not in self._columns:
            column = 0
            for letter in letters.strip("$").upper():
                column = 26 * column + ord(letter) - ord("A") + 1
            self._columns[letters] = column - 1
        return int(reference[len(letters) :]) - 1, self._columns[letters]

    def _range(self, reference: str) -> Range:
        first, _, last = reference.replace("$", "").partition(":")
        (top, left), (bottom, right) = self._place(first), self._place(last or first)
        return top, bottom, left, right


# XML of OpenDocument


class OpenDocument:
    """Parses the tables of an OpenDocument spreadsheet into their traces, if its bytes show that there may be any."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._tables: dict[str, Traces] = {}
        self._traces: Traces | None = None
        self._row = self._next_row = self._column = 0
        self._names = _Names()
        if all(find(archive, "content.xml", _OPEN_DOCUMENT_TRACE)):
            parser = expat.ParserCreate()
            parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
            with archive.open("content.xml") as stream:
                parser.ParseFile(stream)

    def trace(self, name: str) -> Traces:
        """What the XML of a sheet says beyond its values."""
        return self._tables.get(name, Traces())

    def _start(self, name: str, told: dict[str, str]) -> None:
        kind = self._names[name]
        if kind == "table":
            self._traces = self._tables.setdefault(told.get("table:name", ""), Traces())
            self._next_row = 0
        elif kind == "table-row":
            self._row, self._column = self._next_row, 0
            self._next_row += int(told.get("table:number-rows-repeated", "1"))
        elif kind in {"table-cell", "covered-table-cell"} and self._traces is not None:
            first = self._column
            self._column += int(told.get("table:number-columns-repeated", "1"))
            self._note_cell(self._traces, (self._row, self._next_row - 1, first, self._column - 1), told)

    def _end(self, name: str) -> None:
        if self._names[name] == "table":
            self._traces = None

    def _note_cell(self, traces: Traces, cells: Range, told: Mapping[str, str]) -> None:
        top, _, left, right = cells
        kind = told.get("office:value-type")
        if told.get("calcext:value-type") == "error":
            traces.failed.append(cells)
        elif kind is None and "table:formula" in told:
            traces.unresolved.append(cells)
        elif kind == "percentage":
            traces.percents += [(top, column) for column in range(left, right + 1)]
        down, across = (int(told.get(f"table:number-{way}-spanned", "1")) for way in ("rows", "columns"))
        if down > 1 or across > 1:
            traces.merged.append((top, top + down - 1, left, left + across - 1))


def tracer(path: str) -> Callable[[str], Traces]:
    """What tells the traces of a sheet by its name; of formats without XML nothing is told."""
    if not zipfile.is_zipfile(path):
        return lambda _: Traces()
    archive = zipfile.ZipFile(path)
    if "xl/workbook.xml" in archive.NameToInfo:
        return OfficeBook(archive).trace
    if "content.xml" in archive.NameToInfo:
        return OpenDocument(archive).trace
    return lambda _: Traces()


def main(path: str, target: str, memory: str, seconds: str, most_columns: str) -> None:
    """Write the sheets to file descriptor `target`, one Arrow stream after the other, and say on stdout which."""
    bound(int(memory), int(seconds))
    told: list[dict[str, Any]] = []
    # Given a path, the library would go by the name; given bytes, by what they are.
    with open(path, "rb") as workbook:  # noqa: PTH123
        reader = fastexcel.read_excel(workbook.read())
    trace = tracer(path)
    with os.fdopen(int(target), "wb") as out:
        for name in reader.sheet_names:
            batch, first, is_visible = read_sheet(reader, name, trace)
            if batch is None:
                continue
            columns = batch.num_columns - 1
            told.append({"name": name, "columns": columns, "rows": batch.num_rows, "at": out.tell(), "first": first,
                         "is_visible": is_visible})  # fmt: skip
            if columns > int(most_columns):
                continue
            with pa.ipc.new_stream(out, batch.schema) as stream:
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    stream.write_batch(batch.slice(start, BATCH_ROWS))
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
