"""Scenarios: the files that say what is laid over a quarter, read strictly. What follows from them is elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import polars as pl
from pydantic import Field, JsonValue

from assets.welfare.models import scorecard
from assets.welfare.scorecard import Scorecard, read_scorecard
from quotas.overlay import Overlay, of_file
from quotas.parameters import Strict, read_yaml, validated
from quotas.rulebook import rulebook
from schemas.errors import PolicyError, Refused, Tampered
from schemas.vocabularies import Programme

SETTLED = ("registry", "intake")
"""Sections of the rulebook that were applied when the registry of a quarter was made."""

_HASH = re.compile(r"[0-9a-f]{8,64}")
_COLUMNS = ["programme", "code", "seats"]

Seats = Mapping[Programme, Mapping[str, Annotated[int, Field(ge=0)]]]


class _ScenarioFile(Strict):
    name: str = Field(min_length=1)
    reason: str = Field(min_length=3)
    changes: Mapping[str, JsonValue] = Field(default_factory=dict)
    scorecard: str | None = None
    seats: str | Seats | None = None


class _SeatsFile(Strict):
    seats: Seats


@dataclass(frozen=True)
class Scenario:
    """What is laid over a quarter.

    Attributes
    ----------
    name, reason : str
        As in the file; the name tells scenarios apart.
    changes : mapping
        Changes to the rulebook by dotted path, as in :class:`quotas.overlay.Overlay`; may be empty.
    card : Scorecard or None
        Scorecard instead of the one that was in force.
    seats : mapping of Programme to mapping of area code to int
        Places instead of those of the law, for the areas named.
    """

    name: str
    reason: str
    changes: Mapping[str, JsonValue] = field(default_factory=dict)
    card: Scorecard | None = None
    seats: Seats = field(default_factory=dict)

    def over(self, base: Overlay | None) -> Overlay | None:
        """The changes and the overlay the quarter was decided under as one; the changes hold where both name a value.

        Raises
        ------
        PolicyError
            If a change is of a section that was applied when the registry was made, or is part of what the quarter's
            overlay takes away.
        """
        if not self.changes:
            return base
        kept = {} if base is None else base.changes
        for path in self.changes:
            if path.partition(".")[0] in SETTLED:
                message = (
                    f"'{path}' was applied when the quarter's registry was made, which a "
                    "simulation takes as it is. Change programmes, filters, quotas, ranking, welfare or minimum_wages."
                )
                raise PolicyError(message)
            gone = next((one for one, value in kept.items() if value is None and path.startswith(f"{one}.")), None)
            if gone is not None:
                message = f"'{path}' is part of '{gone}', which the quarter's overlay empties."
                raise PolicyError(message)
        stands = {
            path: value
            for path, value in kept.items()
            if not any(path == one or path.startswith(f"{one}.") for one in self.changes)
        }
        return Overlay.of(self.name, self.reason, {**stands, **self.changes})


def read_scenario(path: Path, models: Path) -> Scenario:
    """The scenario of a YAML file with the keys name and reason, and any of changes, scorecard and seats.

    Parameters
    ----------
    path : Path
        Files it names lie relative to it.
    models : Path
        Shelf on which a scorecard named by its hash (or how that begins, eight digits or more) is looked up.

    Raises
    ------
    PolicyError
        If the file is not readable, a key is unknown, missing or written twice, or the places are not whole.
    Refused
        If a file or scorecard it names is not there.
    Tampered
        If the scorecard is not what its hash promises.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path.name}: the scenario cannot be read. Name a YAML text file with name, reason and changes."
        raise PolicyError(message) from error
    record = validated(_ScenarioFile, read_yaml(text, path.name), path.name)
    if record.changes:
        with of_file(path.name):
            rulebook(Overlay.of(record.name, record.reason, record.changes))
    card = None if record.scorecard is None else _card(record.scorecard, path, models)
    seats = _seats_of_file(path.parent / record.seats) if isinstance(record.seats, str) else record.seats
    return Scenario(record.name, record.reason, record.changes, card, seats or {})


def _card(named: str, path: Path, models: Path) -> Scorecard:
    file = path.parent / named
    if file.is_file():
        return read_scorecard(file)
    found = sorted(models.glob(f"{named}*.json")) if _HASH.fullmatch(named) else []
    if len(found) != 1:
        message = f"{path.name}, key 'scorecard': {named!r} is neither a file beside it nor the hash of one scorecard "
        raise Refused(message + "on the shelf. `perlinsos model show` tells the hash of the one in force.")
    card = scorecard(models, found[0].stem)
    if card.hash != found[0].stem:
        message = f"{found[0].name} does not hold the scorecard of that hash. Restore it from where it was published."
        raise Tampered(message)
    return card


def _seats_of_file(path: Path) -> Seats:
    try:
        rows = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        message = f"{path.name}: the places cannot be read. Write a CSV file with the columns {', '.join(_COLUMNS)}."
        raise Refused(message) from error
    if rows.columns != _COLUMNS:
        message = f"{path.name}: the columns are {', '.join(rows.columns)}. They must be {', '.join(_COLUMNS)}."
        raise Refused(message)
    if rows.select("programme", "code").is_duplicated().any():
        message = f"{path.name}: a programme and code come twice. Keep one line of each."
        raise Refused(message)
    seats: dict[str, dict[str, object]] = {}
    for programme, code, count in rows.iter_rows():
        seats.setdefault(programme, {})[code] = int(count) if str(count).isdigit() else count
    return validated(_SeatsFile, {"seats": seats}, path.name).seats
