"""The published store as runs read it: which revision of a quarter is in force, and the tables it was made of.

A run reads last quarter's registry and decisions from here, by quarter, never from the lake's newest. Publishing
itself is the publication room's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.house import House
from assets.lake import Table
from schemas.errors import Refused
from schemas.quarter import Quarter

POINTER = "current.json"


@dataclass(frozen=True)
class Revision:
    """A published revision of a quarter."""

    quarter: Quarter
    number: int
    draft: str
    folder: Path
    restricted: Path


def current(house: House) -> dict[str, dict[str, Any]]:
    """Which revision is in force, per quarter: `{"2026Q1": {"revision": 1, "draft": "…", "path": "2026Q1/r1"}}`."""
    path = house.published / POINTER
    return json.loads(path.read_text()) if path.exists() else {}


def in_force(house: House, quarter: Quarter) -> Revision | None:
    """The revision of a quarter that is in force, or None."""
    entry = current(house).get(str(quarter))
    return None if entry is None else revision_at(house, quarter, entry["revision"], entry["draft"])


def revision_at(house: House, quarter: Quarter, number: int, draft: str) -> Revision:
    """Where a revision of a quarter lies."""
    place = Path(str(quarter)) / f"r{number}"
    return Revision(quarter, number, draft, house.published / place, house.restricted / place)


def builds_on(house: House, quarter: Quarter, *, first: bool) -> tuple[str, int] | None:
    """Draft hash and number of the revision of the quarter before, which a run of `quarter` builds on.

    Raises
    ------
    Refused
        If there is none and the run is not the first, or there is one and it is said to be the first.
    """
    before = in_force(house, quarter.previous)
    if before is None and not first:
        message = (
            f"{quarter.previous} has no published revision to build on. Publish it first, or run {quarter} with "
            "--first: the feed current_recipients then stands for the quarter before."
        )
        raise Refused(message)
    if before is not None and first:
        message = f"{quarter.previous} is published, so that {quarter} is not the first. Run it without --first."
        raise Refused(message)
    return None if before is None else (before.draft, before.number)


def tables_of(house: House, revision: Revision | None) -> Mapping[str, Table]:
    """Every table a revision was made of, by key; none of no revision."""
    if revision is None:
        return {}
    plain = json.loads((revision.restricted / "draft.json").read_text())
    return {key: house.lake.from_json(one) for key, one in plain["tables"].items()}
