"""The registry as it stood on a day in the past, written out of the revision that was in force.

Every quarter's tables are kept whole and unchanged, so that a past registry is read, not reconstructed.
"""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assets.house import House
from assets.lake import verify
from assets.published import current, in_force, tables_of
from assets.registry.resolve import TABLES
from schemas.errors import Refused, WrongUsage
from schemas.quarter import Quarter


@dataclass(frozen=True)
class Exported:
    """What was written: the quarter and revision it is from, and rows by table."""

    quarter: Quarter
    number: int
    rows: dict[str, int]


def parse_day(text: str) -> date:
    """A day as 2026-03-31.

    Raises
    ------
    WrongUsage
        If it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no day. Write it as 2026-03-31."
        raise WrongUsage(message) from None


def export(house: House, day: date, to: Path) -> Exported:
    """Write `registry/*` as of a day, one folder per table, each file checked against its manifest.

    Raises
    ------
    Refused
        If no published quarter was cut off by then, or the folder holds something.
    Tampered
        If a file is not the one its manifest names.
    """
    published = sorted(Quarter.parse(name) for name in current(house))
    cut_off = [quarter for quarter in published if house.days(quarter).cut_off <= day]
    revision = in_force(house, cut_off[-1]) if cut_off else None
    if revision is None:
        first = f"The first is that of {published[0]}." if published else "None is published yet."
        message = f"no published quarter was cut off by {day}. {first}"
        raise Refused(message)
    if to.exists() and any(to.iterdir()):
        message = f"{to} is not empty. Name a new folder."
        raise Refused(message)
    made = tables_of(house, revision)
    rows = {}
    for key in (one for one in TABLES if one in made):
        folder = to / key.split("/")[1]
        folder.mkdir(parents=True, exist_ok=True)
        for name, shard in sorted(made[key].shards.items()):
            verify(shard)
            shutil.copyfile(shard.path, folder / f"{name}.parquet")
        rows[key] = made[key].rows
    return Exported(revision.quarter, revision.number, rows)
