"""What all commands share: where they print and how, the home they work on, the day, the language.

Which commands there are is in :mod:`pipelines.cli` and its parts.
"""

import codecs
import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from unicodedata import normalize
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table as Grid

if TYPE_CHECKING:
    from assets.intake.loading import Loaded
    from pipelines.home import Home
    from schemas.messages import Lang

_PLAIN = {
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
}
_LEAST_WIDTH = 8
"""Letters of a column that are never folded away."""
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_ROOT = Path(__file__).parents[1]
_ROOMS = {"assets", "pipelines", "quotas", "reports", "schemas", "world"}
COUNTS = ("read", "accepted", "rejected", "parked")
MOST_REASONS = 20
JAKARTA = ZoneInfo("Asia/Jakarta")


class Language(StrEnum):
    """Languages of what citizens read."""

    ID = "id"
    EN = "en"


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
QuarterArgument = Annotated[str, typer.Argument(metavar="QUARTER", help="As 2026Q1.")]


def open_home() -> "Home":
    """The home this process works on (PERLINSOS_HOME, else ./var)."""
    from pipelines.home import Home

    return Home.from_environment()


def language() -> "Lang":
    """Language of what is told: `PERLINSOS_LANG`, id or en."""
    return "id" if os.environ.get("PERLINSOS_LANG", "en").lower().startswith("id") else "en"


def print_json(content: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(encodable(json.dumps(content, ensure_ascii=False, default=str)) + "\n")


def print_on_any_terminal() -> None:
    """Let what a terminal cannot show be printed as what it can: no output fails for an arrow or a dash."""
    codecs.register_error("plain", _write_plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="plain")


def _write_plainly(error: UnicodeError) -> tuple[str, int]:
    """The letters without their accents, signs as ASCII writes them, `?` for all others."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    plain = (_PLAIN.get(char) or normalize("NFKD", char).encode("ascii", "ignore").decode() or "?" for char in text)
    return "".join(plain), error.end


def encodable(text: str, manner: Literal["json", "xmlcharrefreplace"] = "json") -> str:
    """JSON or HTML as it stays what it is in the encoding of the standard output."""
    if (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf"):
        return text
    if manner == "json":
        return "".join(char if char.isascii() else json.dumps(char)[1:-1] for char in text)
    return text.encode("ascii", manner).decode()


def print_grid(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; whole numbers with their thousands apart, and no column squeezed to nothing where it is narrow."""
    cells = [
        [f"{cell:,}" if isinstance(cell, int) else "" if cell is None else str(cell) for cell in row] for row in rows
    ]
    grid = Grid(*header, title=title, title_justify="left")
    for place, column in enumerate(grid.columns):
        column.justify = "right" if place else "left"
        column.overflow = "fold"
        column.min_width = min(_LEAST_WIDTH, max((len(row[place]) for row in cells), default=0))
    for row in cells:
        grid.add_row(*row)
    out.print(grid)


def unexpected(error: BaseException, lang: "Lang") -> str:
    """Tell of a fault of the program: its kind and the line of ours it came from, never its text."""
    from schemas.messages import say

    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_ours(frame.filename)]
    place = f"{Path(ours[-1].filename).relative_to(_ROOT)}:{ours[-1].lineno}" if ours else "-"
    return say("load.unexpected", lang, kind=type(error).__name__, place=place)


def _is_ours(file: str) -> bool:
    path = Path(file)
    return path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _ROOMS


def today() -> date:
    """The day in Jakarta."""
    return datetime.now(JAKARTA).date()


def tell_loaded(loaded: "Loaded", lang: "Lang", *, as_json: bool) -> None:
    """Tell what became of a file: its counts, every reason, and where the rejected rows are."""
    from schemas.messages import say
    from schemas.vocabularies import BatchState

    batch = loaded.batch
    # Of a refused file no row is taken, the sound ones neither.
    refused = {"read": loaded.read, "accepted": 0, "rejected": loaded.read, "parked": 0}
    counts = {name: getattr(batch, name) for name in COUNTS} if batch else refused
    if as_json:
        told = {"feed": loaded.feed, "batch": batch and batch.batch_id, "state": loaded.state, **counts}
        report = loaded.report and str(loaded.report)
        unread = batch.unknown_columns if batch else ()
        told |= {"report": report, "reason": loaded.reason, "warnings": loaded.warnings, "unknown_columns": unread}
        print_json(told)
        return
    if loaded.state is BatchState.IGNORED:
        out.print(loaded.reason, markup=False)
    elif batch is None:
        refusal = say("load.told_refused", lang, file=loaded.file_name, reason=loaded.reason)
        err.print(refusal, markup=False, style="red")
    else:
        state = say(f"batch_state.{loaded.state}", lang)
        sentence = say("load.told", lang, file=loaded.file_name, state=state, batch=batch.batch_id, **counts)
        out.print(sentence, markup=False)
    for warning in loaded.warnings:
        out.print(f"  {warning}", markup=False)
    for tally in loaded.tally[:MOST_REASONS]:
        out.print(f"  {tally.sentence(lang)}", markup=False)
    if batch is not None and batch.unknown_columns:
        unknown = say("load.unknown_columns", lang, columns=", ".join(batch.unknown_columns))
        out.print(f"  {unknown}", markup=False)
    if loaded.report:
        out.print(f"  {say('load.report', lang, report=str(loaded.report))}", markup=False)
