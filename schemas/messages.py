"""What is said to people: the message catalogue in Indonesian and English, and how numbers and days are written.

The sentences themselves are in messages.yaml, the reasons of the filters in the rulebook. Nothing here formats a page.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from string import Formatter
from types import MappingProxyType
from typing import Literal

import yaml

Lang = Literal["id", "en"]
LANGUAGES: tuple[Lang, ...] = ("id", "en")
NOTHING = "\N{EN DASH}"
"""Stands for a value that is not there or not shown."""

_SWAPPED = str.maketrans(",.", ".,")


@dataclass(frozen=True)
class Words:
    """The same words in Indonesian and English."""

    id: str
    en: str

    def of(self, lang: Lang) -> str:
        """The words in one language."""
        return self.id if lang == "id" else self.en


Value = str | int | float | Decimal | dt.date | Words | None
"""What may stand in a placeholder; all but text is written in the manner of the language, None as `NOTHING`."""


@cache
def catalogue() -> Mapping[str, Words]:
    """Every message by its code, `group.word`, with the placeholders still in it."""
    text = files("schemas").joinpath("messages.yaml").read_text(encoding="utf-8")
    # Safe, and by libyaml ten times as fast.
    content = yaml.load(text, Loader=yaml.CSafeLoader)
    return MappingProxyType(
        {f"{group}.{word}": Words(**both) for group, members in content.items() for word, both in members.items()}
    )


def say(code: str, lang: Lang = "id", **values: Value) -> str:
    """The message of a code in one language; values that the message does not use are passed over.

    Parameters
    ----------
    code : str
        `group.word`, as in `status.recipient`.
    **values
        What stands in the placeholders. Numbers get the language's separators, days its month names; a year or a
        quarter is text.

    Raises
    ------
    KeyError
        If the catalogue has no such code, or a placeholder gets no value.
    """
    found = catalogue().get(code)
    if found is None:
        message = f"messages.yaml has no {code!r}. Add it there in Indonesian and English."
        raise KeyError(message)
    text = found.of(lang)
    missing = [name for name in placeholders(text) if name not in values]
    if missing:
        message = f"message {code!r} needs a value for {', '.join(missing)}. Pass it by that name."
        raise KeyError(message)
    return text.format_map({name: written(value, lang) for name, value in values.items()})


def words(code: str, **values: Value) -> Words:
    """The message of a code in both languages; see :func:`say`."""
    return Words(say(code, "id", **values), say(code, "en", **values))


def placeholders(text: str) -> Iterator[str]:
    """Names of the placeholders in a message, in order."""
    return (name for _, name, _, _ in Formatter().parse(text) if name is not None)


def written(value: Value, lang: Lang) -> str:
    """A value as people of the language write it: 1.300 and 26 Januari 2026, or 1,300 and 26 January 2026."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if isinstance(value, Words):
        return value.of(lang)
    if isinstance(value, dt.date):
        return f"{value.day} {catalogue()[f'month.{value.month}'].of(lang)} {value.year}"
    text = f"{value:,}"
    return text.translate(_SWAPPED) if lang == "id" else text


def named(code: str, otherwise: str) -> Words:
    """What a code of the rulebook or a table is called, or the code itself where the catalogue does not know it."""
    return catalogue().get(code, Words(otherwise, otherwise))


def quantity(value: float, unit: str) -> Words:
    """A number with its unit in both languages; a unit the catalogue does not know is written as it is."""
    code = f"unit.{unit.replace(' ', '_')}"
    if code in catalogue():
        return words(code, value=value)
    return Words(*(f"{written(value, lang)} {unit}".strip() for lang in LANGUAGES))


def yes_or_no(value: object) -> Words:
    """Yes or no in both languages."""
    return words("answer.yes" if value else "answer.no")
