"""Overlays: named changes laid over the rulebook, in the form of a simulation scenario. Nothing is decided here."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import yaml
from pydantic import Field, JsonValue

from quotas.parameters import Citation, Entry, Sentence, Strict, canonical_json, check_ratio, read_yaml, validated
from schemas.errors import PolicyError

_EMPTY: tuple[JsonValue, ...] = (None, [], {})


class _OverlayFile(Strict):
    name: str = Field(min_length=1)
    reason: str = Field(min_length=3)
    changes: Mapping[str, JsonValue] = Field(min_length=1)


@dataclass(frozen=True)
class Overlay:
    """Named changes to the rulebook; hashable, and equal where name, reason and changes are.

    Attributes
    ----------
    name : str
        Shown wherever a result of it is shown.
    reason : str
        Why it was laid.
    changes_json : str
        Changes as canonical JSON; make an overlay with :meth:`of`.
    """

    name: str
    reason: str
    changes_json: str

    @classmethod
    def of(cls, name: str, reason: str, changes: Mapping[str, object]) -> "Overlay":
        """An overlay of changes by dotted path.

        Parameters
        ----------
        name, reason : str
            As in the file.
        changes : mapping of str to JSON value
            ``quotas.national_total.PKH: 2130`` changes one value, ``programmes.PKH.max_decile: null`` takes the
            decile rule away, ``filters.electricity_above: null`` one filter, ``filters: []`` all of them,
            ``programmes.PKH: null`` the programme.

        Raises
        ------
        PolicyError
            If name or reason is missing, or there is no change.
        """
        record = {"name": name, "reason": reason, "changes": dict(changes)}
        checked = validated(_OverlayFile, record, f"overlay '{name}'")
        return cls(checked.name, checked.reason, canonical_json(checked.changes))

    @property
    def changes(self) -> dict[str, JsonValue]:
        """Changes by dotted path, in order of path."""
        changes: dict[str, JsonValue] = json.loads(self.changes_json)
        return changes

    def text(self) -> str:
        """The overlay as YAML which :func:`read_overlay` reads back to the same overlay."""
        return yaml.safe_dump(
            {"name": self.name, "reason": self.reason, "changes": self.changes},
            sort_keys=False, allow_unicode=True, width=120,
        )  # fmt: skip

    def check_paths(self, entries: tuple[Entry, ...]) -> None:
        """Pass if every change names something the rulebook knows on some day.

        Raises
        ------
        PolicyError
            If a path is unknown, or a group is given a value instead of being emptied.
        """
        for path, value in self.changes.items():
            known = [_changed(entry, path, value, self) is not entry for entry in entries]
            if not any(known):
                keys = sorted({entry.key for entry in entries})
                near = get_close_matches(path, keys, n=1, cutoff=0.0)[0]
                message = f"overlay '{self.name}': '{path}' is no key of the rulebook. The nearest is '{near}'."
                raise PolicyError(message)

    def over(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """The entries with the changes laid over them; an emptied group is left out."""
        for path, value in self.changes.items():
            changed = (_changed(entry, path, value, self) for entry in entries)
            entries = tuple(entry for entry in changed if entry is not None)
        return entries


def read_overlay(path: Path) -> Overlay:
    """The overlay of a YAML file with the keys name, reason and changes.

    Raises
    ------
    PolicyError
        If the file is not readable, a key is unknown, missing or written twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path.name}: the overlay cannot be read. Name a YAML text file with name, reason and changes."
        raise PolicyError(message) from error
    record = validated(_OverlayFile, read_yaml(text, path.name), path.name)
    return Overlay.of(record.name, record.reason, record.changes)


@contextmanager
def of_file(name: str) -> Iterator[None]:
    """Let what is wrong with an overlay bear the name of the file, or of the scenario, in which it stands."""
    try:
        yield
    except PolicyError as error:
        message = f"{name}: {error.args[0]}"
        raise PolicyError(message) from error


def _changed(entry: Entry, path: str, value: JsonValue, overlay: Overlay) -> Entry | None:
    """The entry itself if the path does not concern it, None if it is emptied, else a changed copy."""
    key = entry.key
    if key.startswith(f"{path}."):
        if value not in _EMPTY:
            message = f"overlay '{overlay.name}': '{path}' is a group. Empty it with null, or name '{key}'."
            raise PolicyError(message)
        return None
    if key == path:
        new = value
    elif path.startswith(f"{key}.") and _has(entry.value, path.removeprefix(f"{key}.")):
        new = _with(entry.value, path.removeprefix(f"{key}."), value)
    else:
        return entry
    if entry.unit == "ratio":
        check_ratio(new, f"overlay '{overlay.name}': {path}")
    reason = f"'{overlay.name}': {overlay.reason}"
    source = Citation(title=Sentence(id=f"Perubahan percobaan {reason}", en=f"Overlay {reason}"))
    return Entry(entry.path, new, entry.unit, entry.description, source, entry.valid_from, entry.valid_to)


def _head(value: JsonValue, rest: str) -> str | None:
    """The key of a mapping with which a dotted path begins; keys may hold dots themselves (35.10)."""
    keys = value if isinstance(value, dict) else ()
    return next((key for key in keys if rest == key or rest.startswith(f"{key}.")), None)


def _has(value: JsonValue, rest: str) -> bool:
    head = _head(value, rest)
    if head is None or not isinstance(value, dict):
        return False
    return rest == head or _has(value[head], rest.removeprefix(f"{head}."))


def _with(value: JsonValue, rest: str, new: JsonValue) -> JsonValue:
    head = _head(value, rest)
    if head is None or not isinstance(value, dict):
        return value
    return {**value, head: new if rest == head else _with(value[head], rest.removeprefix(f"{head}."), new)}
