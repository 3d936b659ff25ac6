"""Homes and commands for tests of the whole: `perlinsos` as a user types it, and what a home holds. No test."""

import contextlib
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import polars as pl

from pipelines.cli import main
from pipelines.demo import ask_agencies
from pipelines.home import TRIAL, Home
from schemas.quarter import Quarter

FAMILIES = 2_000
FIRST, SECOND = "2026Q1", "2026Q2"
LISTS = ("recipients", "waiting_list", "region_summary", "budget", "movements", "open_checks", "seats")
LOAD_KEYS = (
    "feed", "batch", "state", "read", "accepted", "rejected", "parked", "report",
    "reason", "warnings", "unknown_columns",
)  # fmt: skip
"""What `load --json` tells of a file, in its order."""
COMMAND = (sys.executable, "-c", "from pipelines.cli import main; main()")
_ROOT = Path(__file__).parents[1]
_NOT_COPIED = shutil.ignore_patterns("landing-truth", "history", "*-*-*-*-*", "warehouse.duckdb")
"""Truth, records of earlier Dagster runs, and the catalogue, which names files by where they lay."""


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """Its output read as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Demo:
    """A home after `perlinsos demo`, and what the demo said; only to be read."""

    home: Path
    said: Said


def perlinsos(home: Path, *arguments: object, stdin: str = "", lang: str = "en") -> Said:
    """A command in this process."""
    out, err = io.StringIO(), io.StringIO()
    environment = {
        "PERLINSOS_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
        "PERLINSOS_LANG": lang,
        "COLUMNS": "250",
        "NO_COLOR": "1",
    }
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", ["perlinsos", *map(str, arguments)]),
        mock.patch.object(sys, "stdin", io.StringIO(stdin)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return Said(code, out.getvalue(), err.getvalue())


def environment(home: Path) -> dict[str, str]:
    """Environment of a command in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    return kept | {"PERLINSOS_HOME": str(home), "PYTHONPATH": str(_ROOT), "COLUMNS": "200", "NO_COLOR": "1"}


def perlinsos_process(home: Path, *arguments: object, stdin: str = "") -> Said:
    """A command in a process of its own."""
    ended = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env=environment(home),
        cwd=home.parent,
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)


def copied(home: Path, to: Path) -> Path:
    """A copy of a home to work in."""
    shutil.copytree(home, to, ignore=_NOT_COPIED)
    return to


def fresh(home: Path, demo: Demo, change: Callable[[str], str] = str) -> Path:
    """A new home with the demo's key, terms and approvers, and its first quarter's files in the landing zone.

    `change` works on the text of every delivered file.
    """
    for name in ("keys", "dagster", "demo-keys"):
        shutil.copytree(demo.home / name, home / name, ignore=_NOT_COPIED)
    for name in ("overlay.yaml", TRIAL):
        shutil.copyfile(demo.home / name, home / name)
    with duckdb.connect(str(demo.home / "warehouse.duckdb"), read_only=True) as connection:
        batches = connection.execute(f"SELECT batch_id, feed, file_name FROM intake.batches WHERE quarter = '{FIRST}'")  # noqa: S608
        delivered = batches.fetchall()
    for batch, feed, name in delivered:
        folder = home / "landing" / FIRST / feed
        folder.mkdir(parents=True, exist_ok=True)
        done = demo.home / "landing" / "done" / batch
        (folder / name).write_text(change((done / name).read_text()))
        shutil.copyfile(done / f"{name}.yaml", folder / f"{name}.yaml")
    # The demo's requests name its own batches: here the agencies are asked anew.
    ask_agencies(Home(home), Quarter.parse(FIRST))
    return home


def redeliver_agents(home: Path, quarter: str) -> None:
    """Lay the agents' file into the landing zone again as issued a day later: another batch, the same facts."""
    done = sorted(home.glob("landing/done/*/35.10.csv"))
    file = next(path for path in done if path.read_text().startswith("agent_id,kind,"))
    folder = home / "landing" / quarter / "agents"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / "again.csv")
    (folder / "again.csv.yaml").write_text("issued_on: 2025-12-30\nsender: kemensos\n")


def approve_both(home: Path, draft: str) -> None:
    """Approve a draft with the demo's two keys."""
    for role in ("preparer", "approver"):
        said = perlinsos(home, "approve", draft, "--role", role, "--key", demo_key(home, role), "--decree", "1/2026")
        assert said.code == 0, said.err


def demo_key(home: Path, role: str) -> Path:
    """The demo's private key of a role."""
    return home / "demo-keys" / f"{role}.pem"


def pointer(home: Path) -> dict[str, Any]:
    """What `published/current.json` says."""
    return dict(json.loads((home / "published" / "current.json").read_text()))


def revision(home: Path, quarter: str, *, restricted: bool = False) -> Path:
    """Folder of the revision in force."""
    return home / ("restricted" if restricted else "published") / str(pointer(home)[quarter]["path"])


def decisions(home: Path, quarter: str) -> pl.DataFrame:
    """Every decision of the revision in force."""
    return pl.read_parquet(revision(home, quarter, restricted=True) / "decisions.parquet")


def draft_of(home: Path, quarter: str) -> str:
    """Hash of the draft a run made last."""
    manifest = home / "lake" / "decision" / "draft" / quarter / "manifest.json"
    return str(json.loads(manifest.read_text())["hash"])


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def house_folders(home: Path) -> dict[str, bytes]:
    """What a refused command must leave as it was: drafts with their approvals, and all that is published."""
    return {
        f"{name}/{path}": content
        for name in ("drafts", "published", "restricted", "models")
        for path, content in contents(home / name).items()
    }


_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"(?<![0-9])[0-9]{16}(?![0-9])")
_DATE = re.compile(r"(?<![0-9])(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}[/-][0-9]{2}[/-][0-9]{4})(?![0-9])")
_LATEST_BIRTH = "2024-12-31"


@dataclass(frozen=True)
class Persons:
    """What identifies the persons of a home's deliveries: numbers, names of two words or more, birth dates.

    A later birth date than `_LATEST_BIRTH` may also be a day of the calendar or of the machine.
    """

    numbers: frozenset[str]
    names: frozenset[tuple[str, ...]]
    birth_dates: frozenset[str]

    @classmethod
    def of(cls, home: Path) -> "Persons":
        """The persons in every file loaded."""
        numbers, names, dates = set(), set(), set()
        for path in sorted(home.glob("landing/done/*/*.csv")):
            frame = pl.read_csv(path, infer_schema=False)
            for column in ("nik", "head_nik", "verified_nik", "family_card_number"):
                if column in frame.columns:
                    numbers |= set(frame[column].drop_nulls())
            for column in {"name", "head_name"}.intersection(frame.columns):
                names |= {tuple(_WORD.findall(name.lower())) for name in frame[column].drop_nulls().unique()}
            if "birth_date" in frame.columns:
                for day in frame["birth_date"].drop_nulls().unique():
                    if day <= _LATEST_BIRTH:
                        year, month, number = day.split("-")
                        dates |= {day, f"{number}/{month}/{year}", f"{number}-{month}-{year}"}
        return cls(frozenset(numbers), frozenset(name for name in names if len(name) > 1), frozenset(dates))

    def found_in(self, text: str) -> list[str]:
        """What of them a text gives away."""
        words = _WORD.findall(text.lower())
        longest = max(map(len, self.names))
        spelt = {
            tuple(words[at : at + length]) for length in range(2, longest + 1) for at in range(len(words) - length + 1)
        }
        return [
            *sorted(self.numbers.intersection(_NUMBER.findall(text))),
            *(" ".join(name) for name in sorted(self.names & spelt)),
            *sorted(self.birth_dates.intersection(_DATE.findall(text))),
        ]


def texts_of_databases(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every text a folder's SQLite databases hold, per database: what Dagster keeps of runs and events."""
    for path in sorted(folder.rglob("*.db")):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            cells = [
                cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
                for table in tables
                for row in connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608
                for cell in row
                if cell is not None
            ]
        yield path, "\n".join(cells)
