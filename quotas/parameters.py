"""Strict dated parameters: how a rule file is read and refused. What the rules mean is in `rules`, not here."""

import datetime as dt
import json
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator
from pydantic_core import ErrorDetails
from yaml.constructor import ConstructorError, SafeConstructor

from schemas.errors import PolicyError
from schemas.messages import Lang


class Strict(BaseModel):
    """A record of a rule file: exact types, no unknown key, never changed after reading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Strict)


class Sentence(Strict):
    """The same words in Indonesian and English."""

    id: str = Field(min_length=3)
    en: str = Field(min_length=3)

    def of(self, lang: Lang) -> str:
        """The words in one language."""
        return self.id if lang == "id" else self.en


class Citation(Strict):
    """Where a value comes from.

    Attributes
    ----------
    title : Sentence
        Decree, letter, press report, or "Project decision" with its ground; one text is read as both languages.
    url : str or None
        Public address, where there is one.
    date : date or None
        Day of the source, where it is known.
    """

    title: Sentence
    url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    date: dt.date | None = None

    @field_validator("title", mode="before")
    @classmethod
    def _one_name_in_both_languages(cls, title: object) -> object:
        return {"id": title, "en": title} if isinstance(title, str) else title


class _DatedValue(Strict):
    valid_from: dt.date
    valid_to: dt.date | None = None
    value: JsonValue
    source: Citation


class _Parameter(Strict):
    description: Sentence
    unit: str = Field(min_length=1)
    values: tuple[_DatedValue, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Entry:
    """One value of the rulebook in one period.

    Attributes
    ----------
    path : tuple of str
        Keys from the file's name down, as in ``("programmes", "PKH", "max_decile")``.
    value : JSON value
        Scalar, list or mapping.
    unit : str
        Unit of the value; ``ratio`` means 0 to 1.
    description : Sentence
        What the value decides and, where sources conflict, the other reading.
    source : Citation
        Decree, letter or report.
    valid_from, valid_to : date, date or None
        First and last day in force; None is open.
    """

    path: tuple[str, ...]
    value: JsonValue
    unit: str
    description: Sentence
    source: Citation
    valid_from: dt.date
    valid_to: dt.date | None

    @property
    def key(self) -> str:
        """The path as written in overlays and messages: ``programmes.PKH.max_decile``."""
        return ".".join(self.path)

    def covers(self, day: dt.date) -> bool:
        """Whether the value is in force on the day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class _Strict(SafeConstructor):
    """Refuses a key written twice or a key that is not text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                fault = f"key {key!r} on line {line} is no text; write it in quotes, as in '35.10'"
                raise ConstructorError(None, None, fault, None)
            if key in seen:
                fault = f"key '{key}' is written twice, again on line {line}; keep one of the two"
                raise ConstructorError(None, None, fault, None)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:
            fault = f"a day or number is impossible: {error}; correct it"
            raise ConstructorError(None, None, fault, node.start_mark) from error


class _StrictLoader(_Strict, yaml.SafeLoader):
    """Safe YAML for files that anybody may have written."""


class _ShippedLoader(_Strict, yaml.CSafeLoader):
    """The same by libyaml, ten times as fast; it crashes on deep nesting, which the files that ship do not have."""


def read_yaml(text: str, file: str, *, is_shipped: bool = False) -> object:
    """Content of a YAML text, with duplicate and non-text keys refused.

    Parameters
    ----------
    text : str
        YAML.
    file : str
        Name of the file for messages.
    is_shipped : bool
        Whether the text is part of this package.

    Raises
    ------
    PolicyError
        If the text is not YAML, or a key is written twice or is not text.
    """
    try:
        return yaml.load(text, Loader=_ShippedLoader if is_shipped else _StrictLoader)  # noqa: S506
    except ConstructorError as error:
        message = f"{file}{_line(error)}: {error.problem}."
        raise PolicyError(message) from error
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        message = f"{file}{_line(error)}: this is no YAML: {problem}. Mend that line or the one before."
        raise PolicyError(message) from error
    except RecursionError as error:
        message = f"{file}: lists or mappings lie too deep within each other. Write them flat."
        raise PolicyError(message) from error


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f", line {mark.line + 1}"


def canonical_json(value: object) -> str:
    """JSON with sorted keys, no spaces and days as ``2026-01-31``; NaN and infinity raise ValueError."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_json_of_day
    )


def _json_of_day(value: object) -> str:
    if type(value) is not dt.date:
        fault = f"{value!r} is neither text, number, list, mapping nor a day"
        raise TypeError(fault)
    return value.isoformat()


def validated(model: type[Model], content: object, where: str) -> Model:
    """The content as a strict record.

    Parameters
    ----------
    model : type
        A :class:`Strict` record.
    content : object
        What YAML gave.
    where : str
        File and key for messages.

    Raises
    ------
    PolicyError
        At the first fault; the message names file, key and remedy.
    """
    try:
        # Through JSON, because there the strict mode still reads words of a vocabulary and days from their text.
        return model.model_validate_json(json.dumps(content, allow_nan=False, default=_json_of_day))
    except ValidationError as error:
        message = _explained(error, where, content)
        raise PolicyError(message) from error
    except (TypeError, ValueError) as error:
        message = f"{where}: {error}. Write a plain text, number (not .nan or .inf), list or mapping."
        raise PolicyError(message) from error


def _explained(error: ValidationError, where: str, content: object) -> str:
    faults = error.errors()
    of_first = [one for one in faults if one["loc"][:1] == faults[0]["loc"][:1]]
    # Where a value may be of several kinds, the kind it comes nearest to is told.
    fault, keys = max(((one, _place_in(content, one)) for one in of_first), key=lambda both: len(both[1]))
    place = f"{where}, key '{'.'.join(keys)}'" if keys else where
    if fault["type"] == "extra_forbidden":
        return f"{place}: unknown key. Correct its spelling or remove it."
    if fault["type"] == "missing":
        return f"{place}: missing. Add it."
    found = "" if isinstance(fault["input"], dict) else f"; found {fault['input']!r}"
    if fault["type"] in {"model_type", "model_attributes_type", "dict_type"}:
        return f"{place}: expected keys with their values, as `key: value`{found}. Write them."
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}{found}. Correct the value."


def _place_in(content: object, fault: ErrorDetails) -> list[str]:
    """The keys of a place as the file has them: a listed rule by its code, and without the kinds that were tried."""
    place: list[str] = []
    for part in fault["loc"]:
        if isinstance(content, dict) and part in content:
            place.append(str(part))
            content = content[part]
        elif isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
            place.append(str(content.get("code", part) if isinstance(content, dict) else part))
    return [*place, str(fault["loc"][-1])] if fault["type"] == "missing" else place


def entries_of(content: object, file: str, path: tuple[str, ...]) -> Iterator[Entry]:
    """Every value of every parameter below a node of a rule file.

    A node with the key ``values`` (or ``description`` or ``unit``) is a parameter; any other mapping is a group.

    Raises
    ------
    PolicyError
        If a key is unknown or missing, dates leave a gap or overlap, or a ratio is not between 0 and 1.
    """
    where = f"{file}: {'.'.join(path)}"
    if not isinstance(content, dict) or not content:
        message = f"{where}: expected a parameter. Write description, unit and values."
        raise PolicyError(message)
    if not content.keys() & {"values", "unit", "description"}:
        for key, below in content.items():
            yield from entries_of(below, file, (*path, key))
        return
    parameter = validated(_Parameter, content, where)
    if is_percent(parameter.unit):
        message = f"{where}, key 'unit': shares are ratios here. Write the unit ratio and 10% as 0.10."
        raise PolicyError(message)
    check_periods([(row.valid_from, row.valid_to) for row in parameter.values], where)
    for row in parameter.values:
        if parameter.unit == "ratio":
            check_ratio(row.value, f"{where} from {row.valid_from}")
        yield Entry(path, row.value, parameter.unit, parameter.description, row.source, row.valid_from, row.valid_to)


def is_percent(unit: str) -> bool:
    """Whether a unit names percent, which no rule is written in."""
    return re.search(r"percent|persen|%", unit) is not None


def check_ratio(value: JsonValue, where: str) -> None:
    """Pass if every number in the value lies between 0 and 1.

    Raises
    ------
    PolicyError
        If a number lies outside, which is most often a percent written for a ratio.
    """
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            check_ratio(part, where)
    elif isinstance(value, int | float) and not 0 <= value <= 1:
        message = f"{where}: {value} is no ratio between 0 and 1. Write a percent as a ratio, 10% as 0.10."
        raise PolicyError(message)


def check_periods(periods: list[tuple[dt.date, dt.date | None]], where: str) -> None:
    """Pass if the periods follow each other without gap or overlap, oldest first.

    Raises
    ------
    PolicyError
        If a period ends before it begins, or the next does not begin on the day after.
    """
    for valid_from, valid_to in periods:
        if valid_to is not None and valid_to < valid_from:
            message = f"{where}: valid_to {valid_to} lies before valid_from {valid_from}. Exchange or correct them."
            raise PolicyError(message)
    for (valid_from, valid_to), (following, _) in pairwise(periods):
        if following <= valid_from:
            message = f"{where}: the value from {following} stands after the one from {valid_from}. Oldest first."
            raise PolicyError(message)
        day_before = following - dt.timedelta(days=1)
        if valid_to != day_before:
            fault = "gap" if valid_to is not None and valid_to < day_before else "overlap"
            message = (
                f"{where}: {fault} between the values from {valid_from} and from {following}. "
                f"Write valid_to: {day_before} for the earlier."
            )
            raise PolicyError(message)
