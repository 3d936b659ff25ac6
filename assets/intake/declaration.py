"""What a sender declares of a file, in a note beside it (`<file>.yaml`) or on the command line."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from assets.intake.containers import legible, shown
from schemas.errors import FileRefused, UnknownRegency
from schemas.quarter import Quarter
from schemas.regions import bps, kemendagri, kemendagri_of, regencies
from schemas.vocabularies import Agency

SUFFIX = ".yaml"
SIGNATURE_SUFFIX = ".sig"
UNDECLARED = "undeclared"
"""Stands for the sender where a file's note names none."""
_KEYS = {
    "issued_on": "2026-04-01",
    "sender": "bps",
    "code_system": "kemendagri, bps, synthetic",
    "agency": ", ".join(Agency),
    "coverage": '["35.10", "35.11"]',
    "as_of": "2026-03-31",
    "request": "r123456789abcdef",
    "supersedes": '["0123456789abcdef"]',
}
"""What a note may say, and for each key what may stand there, shown by example."""


class Declaration(BaseModel):
    """Who sends a file, issued when, in which code system, and for evidence: whose answer about which regencies.

    Attributes
    ----------
    sender : str
        Code of the sender in `senders.yaml`. Batches of before that law hold free text here: no registered sender's.
    issued_on : date
        Day the sender issued the file; undeclared, the quarter's first day, the oldest it can be.
    code_system : str
        `kemendagri`, `bps`, or `synthetic` (made-up areas of a study, checked for form alone).
    coverage : tuple of str
        Regencies the agency was asked about; outside them an absent row is unknown, not "nothing found". Bare
        digits are read in the declared code system; kept as Kemendagri codes.
    request : str or None
        Request for evidence that the file answers: whom it is about. Regencies in `coverage` then narrow it.
    supersedes : tuple of str
        Batches of the same feed and quarter that this file takes the place of.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issued_on: date
    sender: str = UNDECLARED
    code_system: Literal["kemendagri", "bps", "synthetic"] = "kemendagri"
    agency: Agency | None = None
    coverage: tuple[str, ...] = ()
    as_of: date | None = None
    request: str | None = None
    supersedes: tuple[str, ...] = ()

    @property
    def dated(self) -> date | None:
        """Day of issue where the sender says one."""
        return self.issued_on if "issued_on" in self.model_fields_set else None

    @field_validator("coverage")
    @classmethod
    def _known_regencies(cls, coverage: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """A misspelt regency would silently count as one that was not asked about."""
        system = info.data.get("code_system")
        if system == "synthetic":
            return coverage
        codes = tuple(
            kemendagri_of(bps(one)) if system == "bps" and "." not in one else kemendagri(one) for one in coverage
        )
        unknown = sorted(set(codes) - _regency_codes())
        if unknown:
            raise UnknownRegency("coverage", found=unknown[0])
        return codes


@cache
def _regency_codes() -> frozenset[str]:
    return frozenset(regencies()["code"])


def note_of(file: Path) -> Path:
    """Where the note of a file lies."""
    return file.with_name(file.name + SUFFIX)


def signature_of(file: Path) -> Path:
    """Where the signature of a file lies."""
    return file.with_name(file.name + SIGNATURE_SUFFIX)


def is_note(file: Path) -> bool:
    """Whether a file is a note: no feed is delivered as YAML."""
    return file.name.endswith(SUFFIX)


def is_signature(file: Path) -> bool:
    """Whether a file is a signature."""
    return file.name.endswith(SIGNATURE_SUFFIX)


def delivery_of(companion: Path) -> Path:
    """The file that a note speaks of, or a signature is for."""
    suffix = SUFFIX if is_note(companion) else SIGNATURE_SUFFIX
    return companion.with_name(companion.name.removesuffix(suffix))


def declaration_of(file: Path, quarter: Quarter, sender: str | None = None) -> Declaration:
    """Read the declaration beside a file; without a note, that of an undeclared sender.

    Parameters
    ----------
    sender : str, optional
        Code of the sender, where the note names none.

    Raises
    ------
    FileRefused
        If the note is no YAML, has an unknown key or a value out of its vocabulary, or names another sender.
    UnknownRegency
        If the coverage names what is no regency.
    """
    note = note_of(file)
    keys = ", ".join(_KEYS)
    try:
        said = (yaml.safe_load(note.read_text(encoding="utf-8")) or {}) if note.exists() else {}
    except (yaml.YAMLError, UnicodeDecodeError):
        said = None
    if not isinstance(said, dict):
        raise FileRefused("note_no_yaml", note=shown(note), keys=keys)
    if sender is not None:
        said = {"sender": sender, **said}
        if said["sender"] != sender:
            raise FileRefused("note_other_sender", note=shown(note), found=legible(str(said["sender"])), sender=sender)
    try:
        declared = Declaration.model_validate({"issued_on": quarter.first_day, **said})
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        if key not in _KEYS:
            raise FileRefused("note_key", note=shown(note), key=key, keys=keys) from None
        raise FileRefused("note_value", note=shown(note), key=key, expected=_KEYS[key]) from None
    if "issued_on" not in said:
        declared.model_fields_set.discard("issued_on")
    return declared
