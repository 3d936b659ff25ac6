"""The shelf of scorecards: files named by content, and the dated list that says which one is in force.

Fitting and scoring are elsewhere; here a model is put on the shelf, put in force, and found for a day.
"""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from assets.lake import replacing, write_atomically
from assets.welfare.scorecard import Scorecard, read_scorecard, write_scorecard
from assets.welfare.spec import Feature, SurveySpec
from schemas.errors import Refused, SpecError, Tampered
from schemas.questionnaire import Questionnaire

LIST = "in_force.yaml"
VALIDATION = "validation.json"
"""Beside `model.json`; on the shelf `<hash>.validation.json`."""


class InForce(BaseModel):
    """From which day on which scorecard is in force, and by whose approval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    valid_from: date
    model_hash: str
    approval: str


def spec_of(questionnaire: Questionnaire) -> SurveySpec:
    """The survey specification a questionnaire stands for: every variable is a feature."""
    features = {
        name: Feature(
            kind=variable.kind,
            direction=variable.direction,
            range=variable.range,
            codes=None if variable.codes is None else {str(code): word for code, word in variable.codes.items()},
        )
        for name, variable in questionnaire.variables.items()
    }
    try:
        return SurveySpec.model_validate({**questionnaire.survey, "features": features})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"questionnaire {questionnaire.version}, survey.{place}: {first['msg']}"
        raise SpecError(message) from None


def shelve(folder: Path, card: Scorecard) -> Path:
    """Put a scorecard on the shelf under its hash; one that is there already stays.

    Raises
    ------
    Tampered
        If the file of that name is another scorecard, or none.
    """
    path = folder / f"{card.hash}.json"
    if path.exists():
        scorecard(folder, card.hash)
    else:
        with replacing(path) as temporary:
            write_scorecard(card, temporary)
    return path


def write_validation(path: Path, model_hash: str, found: Mapping[str, Any]) -> None:
    """Write what validating the scorecard of a hash found (:func:`assets.welfare.validate.validated`)."""
    content = {"model_hash": model_hash, "validation": found}
    write_atomically(path, json.dumps(content, allow_nan=False).encode())


def validation_on(folder: Path, model_hash: str) -> Path:
    """Where the shelf keeps the validation of a scorecard."""
    return folder / f"{model_hash}.{VALIDATION}"


def read_validation(path: Path, model_hash: str) -> dict[str, Any] | None:
    """What validating the scorecard of a hash found, in the file at ``path``; None where there is no such file.

    Raises
    ------
    Tampered
        If the file is of another scorecard, or no validation.
    """
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_bytes())
        if content["model_hash"] == model_hash:
            return dict(content["validation"])
    except (ValueError, KeyError, TypeError) as fault:
        message = f"{path.name}: no validation of a scorecard. Restore it, or fit anew."
        raise Tampered(message) from fault
    message = f"{path.name}: of the scorecard {content['model_hash'][:12]}, not {model_hash[:12]}. Restore it."
    raise Tampered(message)


def in_force(folder: Path) -> tuple[InForce, ...]:
    """The dated list, earliest first; empty where there is none.

    Raises
    ------
    Refused
        If an entry has an unknown key or a wrong value.
    """
    path = folder / LIST
    if not path.exists():
        return ()
    try:
        rows = [InForce.model_validate(row) for row in yaml.safe_load(path.read_text(encoding="utf-8")) or ()]
    except ValidationError as error:
        first = error.errors()[0]
        message = f"{LIST}, entry {first['loc']}: {first['msg']}. An entry has valid_from, model_hash and approval."
        raise Refused(message) from None
    return tuple(sorted(rows, key=lambda row: row.valid_from))


def adopt(folder: Path, card: Scorecard, valid_from: date, approval: str) -> None:
    """Put a scorecard on the shelf and in force from a day on.

    Raises
    ------
    Refused
        If another one is in force from that very day.
    """
    rows = in_force(folder)
    same_day = [row for row in rows if row.valid_from == valid_from]
    if any(row.model_hash != card.hash for row in same_day):
        message = f"another scorecard is in force from {valid_from} already. Choose a later day."
        raise Refused(message)
    shelve(folder, card)
    if not same_day:
        listed = [*rows, InForce(valid_from=valid_from, model_hash=card.hash, approval=approval)]
        plain = [row.model_dump() for row in sorted(listed, key=lambda row: row.valid_from)]
        write_atomically(folder / LIST, yaml.safe_dump(plain, sort_keys=False).encode())


def scorecard_on(folder: Path, day: date) -> Scorecard:
    """The scorecard in force on a day.

    Raises
    ------
    Refused
        If none is; the message names the commands.
    """
    rows = [row for row in in_force(folder) if row.valid_from <= day]
    if not rows:
        message = (
            f"no scorecard is in force on {day}. Fit one and put it in force with `perlinsos model fit` and "
            "`perlinsos model adopt`, or let the first quarter fit one with `perlinsos run QUARTER --first`."
        )
        raise Refused(message)
    return scorecard(folder, rows[-1].model_hash)


def scorecard(folder: Path, model_hash: str) -> Scorecard:
    """The scorecard of a hash, its content checked.

    Raises
    ------
    Refused
        If the shelf does not hold it.
    Tampered
        If the file is no whole scorecard, or another one than its name says.
    """
    path = folder / f"{model_hash}.json"
    if not path.exists():
        message = f"the shelf holds no scorecard {model_hash[:12]}. Restore models/{model_hash}.json."
        raise Refused(message)
    card = read_scorecard(path)
    if card.hash != model_hash:
        message = f"{path.name} holds the scorecard {card.hash[:12]}. Restore models/{model_hash}.json."
        raise Tampered(message)
    return card
