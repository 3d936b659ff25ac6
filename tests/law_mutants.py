"""Small changes to each value of the rulebook, one at a time: the law cases must notice every one of them.

Texts that decide nothing (reasons, units, agencies, numbers of categories) and names of columns are left alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from itertools import pairwise
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from quotas.parameters import Entry
from quotas.referrals import Referral
from quotas.rulebook import Rulebook
from quotas.rules import (
    Budget,
    Component,
    Filter,
    IntakeRule,
    MinimumWages,
    PlausibilityRule,
    ProgrammeRule,
    PublicationRule,
    Quotas,
    Ranking,
    RegistryRule,
    TieBreaker,
    WelfareRule,
)
from schemas.errors import PolicyError, Refused
from tests.law_cases import broken

_DECIDES_NOTHING = frozenset(
    {"code", "fact", "agency", "scope", "unit", "categories", "reason", "name", "is_confidential"}
)
_LISTS: Mapping[str, type[BaseModel]] = {"filters": Filter, "referrals": Referral}
_SECTIONS: Mapping[str, type[BaseModel]] = {
    "budget": Budget, "quotas": Quotas, "ranking": Ranking, "registry": RegistryRule, "intake": IntakeRule,
    "publication": PublicationRule,
    "plausibility": PlausibilityRule,
    "welfare": WelfareRule, "minimum_wages": MinimumWages,
}  # fmt: skip
_SETS = frozenset({"programmes", "review_exempt", "needs", "signs", "members", "one_of", "supported_by"})
"""Lists whose order says nothing."""
_NOBODY_REACHES = 10**12


@dataclass(frozen=True)
class Mutant:
    """A rulebook in which one value is another; `key` names it."""

    key: str
    what: str
    book: Rulebook


def survivors(book: Rulebook, since: date, keys: str = "") -> Iterator[str]:
    """What may be changed, under keys that begin so, without any case of law being decided otherwise."""
    for mutant in mutants(book, since):
        if mutant.key.startswith(keys) and not _is_noticed(mutant.book):
            yield mutant.what


def _is_noticed(book: Rulebook) -> bool:
    try:
        return next(broken(book), None) is not None
    except (PolicyError, Refused):
        # Figures for other areas are not there; a rule that asks for what nobody knows is refused when it is applied.
        return True


def mutants(book: Rulebook, since: date) -> Iterator[Mutant]:
    """Every rulebook that differs from this one in a single value in force on a day or later, and is a rulebook."""
    for number, entry in enumerate(book.entries):
        if entry.valid_to is not None and entry.valid_to < since:
            continue
        for value in _others(entry):
            changed = Rulebook((*book.entries[:number], replace(entry, value=value), *book.entries[number + 1 :]), None)
            try:
                changed.on(max(entry.valid_from, since))
            except PolicyError:
                continue
            yield Mutant(entry.key, f"{entry.key} from {entry.valid_from}: {_difference(entry.value, value)}", changed)


def _difference(old: Any, new: Any) -> str:  # noqa: ANN401 - whatever a rule file may hold
    """Where two values differ and how, as short as it goes."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        return " ".join(f"{key}: {_difference(one, new[key])}" for key, one in old.items() if one != new[key])
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return " ".join(f"[{number}] {_difference(*pair)}" for number, pair in pairs if pair[0] != pair[1])
    return f"{old!r} -> {new!r}"


def _others(entry: Entry) -> Iterator[Any]:
    section, *_, last = entry.path
    if section in _LISTS:
        yield None
        yield from _changed(entry.value, _LISTS[section])
    elif section == "programmes":
        model = Component if "components" in entry.path else ProgrammeRule
        yield from _changed(
            entry.value, model if model is Component else ProgrammeRule.model_fields[last].annotation, last
        )
    else:
        model_of_section = _SECTIONS.get(section)
        known = None if model_of_section is None else model_of_section.model_fields.get(entry.path[1])
        yield from _changed(entry.value, None if known is None else known.annotation)


def _changed(value: Any, kind: Any, name: str = "") -> Iterator[Any]:  # noqa: ANN401 - whatever a rule file may hold
    if isinstance(value, dict):
        yield from _changed_mapping(value, kind)
    elif isinstance(value, list):
        yield from _changed_list(value, kind, is_ordered=name not in _SETS)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, float):
        yield from (value * 1.1, value * 0.9)
    else:
        yield from (word for word in _words(kind) if word != value)
        if value == "minimum_wage":
            yield from (0, _NOBODY_REACHES)
    if value is not None and not isinstance(value, dict | list):
        yield None


def _changed_mapping(value: dict[str, Any], kind: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    fields = kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}
    for key, one in value.items():
        if (
            key in _DECIDES_NOTHING
            or (key == "maximum" and one == 1 and _is_flag(value))
            or (key == "minimum" and one == 0)
        ):
            continue
        yield from ({**value, key: other} for other in _changed(one, fields[key].annotation if fields else None, key))
        if key == "equals" and one is not None:
            yield {**value, key: "another school"}
        if not fields:
            yield {name: other for name, other in value.items() if name != key}


def _is_flag(component: Mapping[str, Any]) -> bool:
    """Whether the fact is yes or no, so that no bound above one differs from it."""
    return str(component.get("fact")).startswith(("is_", "has_"))


def _changed_list(value: list[Any], kind: Any, *, is_ordered: bool) -> Iterator[list[Any]]:  # noqa: ANN401
    inner = next((one for one in get_args(kind) if one is not Ellipsis), None)
    for number, one in enumerate(value):
        rest = value[:number], value[number + 1 :]
        yield [*rest[0], *rest[1]]
        if isinstance(one, dict):
            yield from ([*rest[0], other, *rest[1]] for other in _changed(one, inner or TieBreaker))
    if not is_ordered:
        return
    for number, (first, second) in enumerate(pairwise(value)):
        yield [*value[:number], second, first, *value[number + 2 :]]


def _words(kind: Any) -> Iterator[str]:  # noqa: ANN401
    """Every word that a value of this type may hold."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        yield from (str(one.value) for one in kind)
    elif get_origin(kind) is Literal:
        yield from (one for one in get_args(kind) if isinstance(one, str))
    elif isinstance(kind, UnionType) or get_origin(kind) is not None:
        for one in get_args(kind):
            yield from _words(one)
