"""What a sender declares of a file, in a note beside it (`<file>.yaml`, `<file>.yml`) or on the command line."""

import re
from collections.abc import Collection
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from assets.intake.containers import is_litter, legible, shown
from quotas.parameters import read_yaml
from schemas.errors import FileRefused, PolicyError, UnknownRegency
from schemas.quarter import Quarter
from schemas.regions import bps, kemendagri, kemendagri_of, regencies
from schemas.vocabularies import Agency

SUFFIXES = (".yaml", ".yml")
SIGNATURE_SUFFIX = ".sig"
_MEANT = (*SUFFIXES, ".json", ".txt")
"""Endings behind a file's whole name under which people write its note, in capitals or not."""
_NOTE_ENDINGS = re.compile(r"(?:ya?ml|ymal|yalm)+(?:txt|bak|old|docx?)?")
"""What stands behind the letters and digits of a file's name in those of its note, misspelt or with another ending."""
_COPY_MARK = re.compile(r"\s*\(\d+\)|\s*-\s*(?:copy|salin)\b|\bcopy of\s+|\bsalinan\s+")
_NOTE_AS_TEXT = tuple(suffix + ".txt" for suffix in SUFFIXES)
"""What a simple editor makes of the endings of a note."""
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
    """Where the note of a file lies, or would lie."""
    places = [file.with_name(file.name + suffix) for suffix in SUFFIXES]
    return next((place for place in places if place.exists()), places[0])


def signature_of(file: Path) -> Path:
    """Where the signature of a file lies."""
    return file.with_name(file.name + SIGNATURE_SUFFIX)


def is_note(file: Path) -> bool:
    """Whether a file is a note, well named or not: no feed is delivered as YAML."""
    return file.name.lower().endswith(SUFFIXES + _NOTE_AS_TEXT)


def is_signature(file: Path) -> bool:
    """Whether a file is a signature."""
    return file.name.endswith(SIGNATURE_SUFFIX)


def delivery_of(companion: Path) -> Path:
    """The file that a note speaks of, or a signature is for."""
    return companion.with_suffix("")


def _refuse_misnamed_notes(file: Path) -> None:
    """Refuse a file beside which a note lies under another name, or more than one: its words would go unheard.

    Raises
    ------
    FileRefused
        With the name that is read.
    """
    own = file.name.lower()
    # Behind a name without an ending, .json and .txt are endings of other deliveries.
    meant = {own + ending for ending in (_MEANT if file.suffix else SUFFIXES)}
    of_stem = {file.stem.lower() + ending for ending in SUFFIXES} - {own}
    try:
        beside = {one: one.name.lower() for one in file.parent.iterdir()}
    except OSError:
        raise FileRefused("unreadable", file=shown(file)) from None
    right = [file.name + suffix for suffix in SUFFIXES]
    # A copy that an editor kept of the right note is none.
    has_right = any(file.with_name(name) in beside for name in right)
    found = sorted(
        one
        for one, name in beside.items()
        if not (has_right and is_litter(name))
        and (name in meant or (name in of_stem and _has_keys(one)) or _is_like_note(one, own, beside.values()))
    )
    wrong = next((one for one in found if one.name not in right), None)
    if wrong is not None:
        raise FileRefused("note_misnamed", file=shown(file), found=shown(wrong), note=legible(right[0]))
    if len(found) > 1:
        raise FileRefused("notes", file=shown(file), notes=", ".join(shown(one) for one in found))


def _is_like_note(file: Path, own: str, beside: Collection[str]) -> bool:
    """Whether a name is that of the note of `own` but for marks, a copy's number or its ending, and no other's."""
    name, of_own = file.name.lower(), _letters(own)
    is_like = any(
        letters.startswith(of_own) and _NOTE_ENDINGS.fullmatch(letters.removeprefix(of_own))
        for letters in (_letters(name), _letters(_COPY_MARK.sub("", name)))
    )
    return is_like and not (is_note(file) and Path(name).stem in beside)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name)


def _has_keys(file: Path) -> bool:
    """Whether a file says what a note says; other YAML, as a survey's specification, may lie beside a delivery."""
    try:
        said = read_yaml(file.read_text(encoding="utf-8"), file.name)
    except (OSError, PolicyError, UnicodeDecodeError):
        return False
    return isinstance(said, dict) and not said.keys().isdisjoint(_KEYS)


def declaration_of(file: Path, quarter: Quarter, sender: str | None = None) -> Declaration:
    """Read the declaration beside a file; without a note, that of an undeclared sender.

    Parameters
    ----------
    sender : str, optional
        Code of the sender, where the note names none.

    Raises
    ------
    FileRefused
        If the note is no YAML, has an unknown key, one twice or a value out of its vocabulary, names another sender,
        lies under another name than it is read by, or there are two.
    UnknownRegency
        If the coverage names what is no regency.
    """
    _refuse_misnamed_notes(file)
    note = note_of(file)
    keys = ", ".join(_KEYS)
    try:
        said = (read_yaml(note.read_text(encoding="utf-8"), note.name) or {}) if note.exists() else {}
    except (PolicyError, UnicodeDecodeError):
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
