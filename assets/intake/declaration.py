"""What a sender declares of a file, in a note beside it (`<file>.yaml`) or on the command line."""

from datetime import date
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import FileRefused
from schemas.quarter import Quarter
from schemas.vocabularies import Agency

SUFFIX = ".yaml"


class Declaration(BaseModel):
    """Who sends a file, issued when, in which code system, and for evidence: whose answer about which regencies.

    Attributes
    ----------
    issued_on : date
        Day the sender issued the file; undeclared, the quarter's first day, the oldest it can be.
    code_system : str
        `kemendagri`, `bps`, or `synthetic` (made-up areas of a study, checked for form alone).
    coverage : tuple of str
        Regencies the agency was asked about; outside them an absent row is unknown, not "nothing found".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issued_on: date
    sender: str = "undeclared"
    code_system: Literal["kemendagri", "bps", "synthetic"] = "kemendagri"
    agency: Agency | None = None
    coverage: tuple[str, ...] = ()
    as_of: date | None = None


def note_of(file: Path) -> Path:
    """Where the note of a file lies."""
    return file.with_name(file.name + SUFFIX)


def is_note(file: Path) -> bool:
    """Whether a file is the note of another one."""
    return file.name.endswith(SUFFIX) and file.with_name(file.name.removesuffix(SUFFIX)).exists()


def declaration_of(file: Path, quarter: Quarter) -> Declaration:
    """The declaration beside a file; without a note, that of an undeclared sender.

    Raises
    ------
    FileRefused
        If the note has an unknown key or a value out of its vocabulary.
    """
    note = note_of(file)
    said = yaml.safe_load(note.read_text(encoding="utf-8")) if note.exists() else {}
    try:
        return Declaration.model_validate({"issued_on": quarter.first_day, **(said or {})})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = f"{note.name}, {key}: {first['msg']}. Keys are {', '.join(Declaration.model_fields)}."
        raise FileRefused(message) from None
