"""The law as :mod:`reports.rules` shows it: every rule of the rulebook and every quarter of the calendar."""

from datetime import date
from itertools import groupby

from quotas.calendar import calendar_of, quarters
from quotas.parameters import Citation, Entry, Sentence
from quotas.rulebook import Rulebook
from reports.rules import Period, Rule
from schemas.messages import LANGUAGES, Lang


def rules_of(book: Rulebook) -> list[Rule]:
    """Every rule in the order of its file, then every quarter of the calendar."""
    by_key = {key: tuple(entries) for key, entries in groupby(book.entries, key=lambda entry: entry.path)}
    rules = [
        Rule(key, _both(entries[-1].description), entries[-1].unit, tuple(map(_period, entries)))
        for key, entries in by_key.items()
    ]
    for quarter in quarters():
        days = calendar_of(quarter)
        value = {name: getattr(days, name) for name in type(days).model_fields if name not in {"description", "source"}}
        period = Period(quarter.first_day, quarter.last_day, value, *_cited(days.source))
        rules.append(Rule(("calendar", str(quarter)), _both(days.description), "", (period,)))
    return rules


def _period(entry: Entry) -> Period:
    return Period(entry.valid_from, entry.valid_to, entry.value, *_cited(entry.source))


def _cited(source: Citation) -> tuple[dict[Lang, str], str | None, date | None]:
    return _both(source.title), source.url, source.date


def _both(sentence: Sentence) -> dict[Lang, str]:
    return {lang: sentence.of(lang) for lang in LANGUAGES}
