"""Progress of a load: rows, rate and time left, on a terminal alone; into a file or a pipe nothing is said."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from schemas.messages import Lang, say, written


class _Rate(ProgressColumn):
    """Rows read and rows a second."""

    def __init__(self, lang: Lang) -> None:
        super().__init__()
        self._lang = lang

    def render(self, task: Task) -> Text:
        rows, elapsed = int(task.fields["rows"]), task.elapsed or 0
        rate = int(rows / elapsed) if elapsed else 0
        return Text(say("load.progress", self._lang, rows=written(rows, self._lang), rate=written(rate, self._lang)))


class Progress:
    """A bar for one file; drawn only where standard error is a terminal."""

    def __init__(self, console: Console, name: str, lang: Lang) -> None:
        self._console, self._lang = console, lang
        self._bar = Bar(
            SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), _Rate(lang),
            TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task(name, total=None, rows=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def rows(self, rows: int, share: float | None) -> None:
        """Show how far the file is read."""
        total = None if share is None else 1.0
        self._bar.update(self._task, rows=rows, total=total, completed=share or 0)

    def waiting(self) -> None:
        """Say that another load goes first."""
        if self._console.is_terminal:
            self._console.print(say("load.waiting", self._lang), markup=False)
