"""The page of the law: every rule with its values, periods and sources, in Indonesian and English, as one HTML file.

What the rules mean and which holds on a day is not known here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from reports.pages import page
from schemas.messages import LANGUAGES, Lang, catalogue, named, quantity, say, written, yes_or_no
from schemas.questionnaire import default_questionnaire
from schemas.regions import regency_name
from schemas.vocabularies import Author

_REGENCY = re.compile(r"[0-9]{2}\.[0-9]{2}")
_SHOWN_ELSEWHERE = {"code", "unit"}
_EMPTY: tuple[Any, ...] = (None, [])
_VOCABULARIES = {
    "kind": "sender_kind", "feeds": "feed", "supported_by": "support", "agencies": "agency",
    "families": "family_standing", "recipients": "programme", "waiting_list": "programme",
    **dict.fromkeys((*Author, "better", "worse"), "standing"),
}  # fmt: skip
"""Groups of the catalogue that hold the words of a field, where they are not named like it."""


@dataclass(frozen=True)
class Period:
    """A value of a rule with the days on which it holds and where it comes from.

    Attributes
    ----------
    valid_from, valid_to : date, date or None
        First and last day; None is open.
    value : JSON value or date
        Words of the catalogue are told as such; a mapping of `id` and `en` is a sentence in both languages.
    source : mapping of str to str
        Title by language.
    url, source_date : str or None, date or None
        Address and day of the source, where they are known.
    """

    valid_from: date
    valid_to: date | None
    value: Any
    source: Mapping[Lang, str]
    url: str | None
    source_date: date | None


@dataclass(frozen=True)
class Rule:
    """A rule of the law in all its periods, oldest first.

    Attributes
    ----------
    key : tuple of str
        Section first; as written in overlays and messages.
    description : mapping of str to str
        What it decides, by language.
    unit : str
        Unit of its values; empty where they have none.
    """

    key: tuple[str, ...]
    description: Mapping[Lang, str]
    unit: str
    periods: tuple[Period, ...]


def rules_page(rules: Sequence[Rule]) -> str:
    """One self-contained page on all rules, in both languages, for screen and paper."""
    return page("rules.html", "id", sides=[_side(rules, lang) for lang in LANGUAGES])


def unit_code(unit: str) -> str:
    """Code of a unit's name in the catalogue."""
    return f"rule_unit.{re.sub(r'[^a-z0-9]+', '_', unit.lower())}"


def in_one_line(value: Any, field: str, unit: str, lang: Lang) -> str:  # noqa: ANN401 - as nested as the rule
    """A value of a rule in words; `field` is the key it stands under inside the rule, empty for the whole value."""
    return _line(_shown(value, field, unit, lang)) or say("rules.none", lang)


def label(key: str, lang: Lang) -> str:
    """Words of a key inside a rule's value: a regency with its name, a field in the language."""
    if _REGENCY.fullmatch(key):
        return f"{key} {regency_name(key)}"
    return named(label_code(key), key).of(lang)


def label_code(key: str) -> str:
    """Code of a field's name in the catalogue."""
    return f"{'author' if key in set(Author) else 'rule_field'}.{key}"


def word_code(field: str, word: str) -> str:
    """Code of a word of a field in the catalogue."""
    return f"{_VOCABULARIES.get(field, field)}.{word}"


def _line(shown: Any) -> str:  # noqa: ANN401 - as nested as the rule
    if isinstance(shown, Mapping):
        return "; ".join(f"{name}: {_line(one)}" for name, one in shown.items())
    return shown if isinstance(shown, str) else ", ".join(map(_line, shown))


def _side(rules: Sequence[Rule], lang: Lang) -> dict[str, Any]:
    sections = groupby(rules, key=lambda rule: rule.key[0])
    return {
        "lang": lang,
        "said": {word: say(f"rules.{word}", lang) for word in ("name", "title", "note", "period", "value", "source")},
        "sections": [
            {
                "code": name,
                "title": named(f"rule_section.{name}", name).of(lang),
                "rules": [_shown_rule(rule, lang) for rule in members],
            }
            for name, members in sections
        ],
    }


def _shown_rule(rule: Rule, lang: Lang) -> dict[str, Any]:
    return {
        "key": ".".join(rule.key),
        "description": rule.description[lang],
        "unit": named(unit_code(rule.unit), rule.unit).of(lang),
        "periods": [
            {
                "days": _days(one, lang),
                "value": _shown(one.value, "", rule.unit, lang),
                "source": one.source[lang],
                "url": one.url,
                "source_date": one.source_date and written(one.source_date, lang),
            }
            for one in rule.periods
        ],
    }


def _days(one: Period, lang: Lang) -> str:
    if one.valid_to is None:
        return say("rules.since", lang, first=one.valid_from)
    return say("rules.between", lang, first=one.valid_from, last=one.valid_to)


def _shown(value: Any, field: str, unit: str, lang: Lang) -> Any:  # noqa: ANN401 - as nested as the rule
    """A value as text, or lists and mappings of such; `field` is the key it stands under."""
    if isinstance(value, Mapping):
        if value.keys() == set(LANGUAGES):
            return value[lang]
        kept = {key: one for key, one in value.items() if key not in _SHOWN_ELSEWHERE and one not in _EMPTY}
        variable = default_questionnaire().variables.get(value.get("fact", ""))
        if variable is not None and variable.codes and "one_of" in kept:
            kept["one_of"] = [f"{code} {variable.codes[code]}" for code in kept["one_of"]]
        return {label(key, lang): _shown(one, key, "", lang) for key, one in kept.items()}
    if isinstance(value, list | tuple):
        shown = [_shown(one, field, unit, lang) for one in value]
        # What stands inside a rule is a set, as its programmes; a rule that is a list is an order.
        return ", ".join(shown) if field and all(isinstance(one, str) for one in shown) else shown
    return _in_words(value, field, unit, lang)


def _in_words(value: str | float | date | None, field: str, unit: str, lang: Lang) -> str:
    if value is None:
        return say("rules.none", lang)
    if isinstance(value, bool):
        return yes_or_no(value).of(lang)
    if isinstance(value, str):
        code = word_code(field, value)
        if field == "fact" and value in default_questionnaire().variables:
            label = default_questionnaire().variables[value].label
            return label.id if lang == "id" else label.en
        return say(code, lang, threshold="").strip() if code in catalogue() else value
    if isinstance(value, int | float) and f"unit.{unit.replace(' ', '_')}" in catalogue():
        return quantity(value, unit).of(lang)
    return written(value, lang)
