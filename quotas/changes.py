"""What changed in the rules between two policies, value by value. What a change does to families is not known here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from quotas.parameters import Citation, Entry, Sentence
from quotas.rulebook import Policy


@dataclass(frozen=True)
class Change:
    """One value that differs.

    Attributes
    ----------
    key : str
        Rule as written in overlays and messages: ``minimum_wages.regency``.
    parts : tuple of str
        Keys inside the rule's value, as a regency or a programme; empty where the value is one.
    before, now : JSON value
        The two values in `unit`; None is no value.
    description : Sentence
        What the rule decides.
    source : Citation
        Of the value now; of the one before where the rule ended.
    """

    key: str
    parts: tuple[str, ...]
    before: JsonValue
    now: JsonValue
    unit: str
    description: Sentence
    source: Citation

    def to_json(self) -> dict[str, Any]:
        """Plain form: sentences by language, days as ISO text."""
        return {
            "key": self.key,
            "parts": list(self.parts),
            "before": self.before,
            "now": self.now,
            "unit": self.unit,
            "description": self.description.model_dump(),
            "source": self.source.model_dump(mode="json"),
        }


def changes(before: Policy, now: Policy) -> tuple[Change, ...]:
    """Every value that differs between two policies, in order of rule and part; another source alone is no change."""
    then, today = ({entry.key: entry for entry in policy.entries} for policy in (before, now))
    return tuple(
        Change(key, parts, old, new, entry.unit, entry.description, entry.source)
        for key in sorted({*then, *today})
        for entry in [today.get(key) or then[key]]
        for parts, old, new in _differing(_value(then.get(key)), _value(today.get(key)))
    )


def _value(entry: Entry | None) -> JsonValue:
    return None if entry is None else entry.value


def _differing(
    old: JsonValue, new: JsonValue, parts: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], JsonValue, JsonValue]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from _differing(old.get(name), new.get(name), (*parts, name))
    elif old != new:
        yield parts, old, new
