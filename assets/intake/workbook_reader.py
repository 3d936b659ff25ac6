"""A program of its own: the visible sheets of a workbook as text, within bounded memory and time. Intake starts it.

Nothing of the project is imported here. A workbook made to exhaust or crash its reader ends this process alone.
"""

import json
import os
import resource
import sys
from typing import Any

import fastexcel
import pyarrow as pa

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


def sheet_of(reader: fastexcel.ExcelReader, name: str) -> pa.RecordBatch | None:
    """A visible sheet with all its rows as text, errors as a spreadsheet shows them; None if hidden or empty."""
    try:
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        if sheet.visible != "visible":
            return None
        batch, faults = sheet.to_arrow_with_errors()
    except (fastexcel.SheetNotFoundError, fastexcel.InvalidParametersError):
        return None
    wrong: dict[int, dict[int, str]] = {}
    for fault in faults.errors if faults else ():
        row, column = fault.offset_position
        said = next((shown for code, shown in ERRORS.items() if f"Error({code})" in fault.detail), "#ERROR!")
        wrong.setdefault(column, {})[row] = said
    columns = list(batch.columns)
    for at, cells in wrong.items():
        values = columns[at].to_pylist()
        for row, said in cells.items():
            values[row] = said
        columns[at] = pa.array(values, pa.string())
    return pa.RecordBatch.from_arrays(columns, names=[f"c{at}" for at in range(len(columns))])


def main(path: str, target: str, memory: str, seconds: str, most_columns: str) -> None:
    """Write the sheets to file descriptor `target`, one Arrow stream after the other, and say on stdout which."""
    bound(int(memory), int(seconds))
    told: list[dict[str, Any]] = []
    # Given a path, the library would go by the name; given bytes, by what they are.
    with open(path, "rb") as workbook:  # noqa: PTH123
        reader = fastexcel.read_excel(workbook.read())
    with os.fdopen(int(target), "wb") as out:
        for name in reader.sheet_names:
            batch = sheet_of(reader, name)
            if batch is None or not batch.num_columns or not batch.num_rows:
                continue
            told.append({"name": name, "columns": batch.num_columns, "rows": batch.num_rows, "at": out.tell()})
            if batch.num_columns > int(most_columns):
                continue
            with pa.ipc.new_stream(out, batch.schema) as stream:
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    stream.write_batch(batch.slice(start, BATCH_ROWS))
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
