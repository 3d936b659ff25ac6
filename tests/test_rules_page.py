"""The page of the law: nothing of the rulebook is missing, all of it is told in both languages, nothing is loaded."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.law import rules_of
from quotas.calendar import quarters
from quotas.rulebook import rulebook
from reports.rules import label_code, rules_page, unit_code, word_code
from schemas.messages import LANGUAGES, catalogue
from schemas.questionnaire import default_questionnaire
from tests.homes import perlinsos

RULES = rules_of(rulebook())
SAME_IN_BOTH = re.compile(r"(Kepmensos|UU|Permensos|Perpres|PP|Keputusan)\b[^a-z]*")
CODES = {"programmes", "trial_seed", "poverty_vintage"}
"""Fields whose values are names, the same in every language."""


@pytest.fixture(scope="module")
def page() -> str:
    return rules_page(RULES)


def words_of(value: Any, field: str = "") -> Iterator[str]:  # noqa: ANN401 - as nested as the rule
    """Every code of the catalogue that the page needs for a value."""
    if isinstance(value, dict):
        if value.keys() != set(LANGUAGES):
            for key, one in value.items():
                if key not in {"code", "unit"}:
                    if not re.fullmatch(r"\d\d\.\d\d", key):
                        yield label_code(key)
                    yield from words_of(one, key)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from words_of(one, field)
    elif isinstance(value, str) and field and field not in CODES and value not in default_questionnaire().variables:
        yield word_code(field, value)


def test_every_word_of_the_rules_is_known_in_both_languages() -> None:
    needed = {word for rule in RULES for one in rule.periods for word in words_of(one.value)}
    needed |= {f"rule_section.{rule.key[0]}" for rule in RULES}
    needed |= {unit_code(rule.unit) for rule in RULES if rule.unit}
    assert needed - catalogue().keys() == set()


def test_every_rule_and_source_is_told_in_indonesian_and_in_english() -> None:
    for rule in RULES:
        assert rule.description["id"] != rule.description["en"], rule.key
        for one in rule.periods:
            told = one.source
            assert told["id"] != told["en"] or SAME_IN_BOTH.match(told["en"]), (rule.key, told["en"])


def test_every_value_of_the_rulebook_and_every_quarter_is_on_the_page(page: str) -> None:
    text = html.unescape(page)
    for entry in rulebook().entries:
        assert text.count(f"<code>{entry.key}</code>") == 2
        for lang in LANGUAGES:
            assert entry.source.title.of(lang) in text
    for rule in RULES:
        assert all(rule.description[lang] in text for lang in LANGUAGES)
    assert all(text.count(f"<code>calendar.{quarter}</code>") == 2 for quarter in quarters())
    assert "2.989.145" in text
    assert "2,989,145" in text
    assert "1 Januari 2025 sampai 31 Desember 2025" in text
    assert "1 January 2025 to 31 December 2025" in text


def test_the_page_loads_nothing_from_outside_and_is_the_same_every_time(page: str) -> None:
    assert not re.search(r"<(script|link|img|iframe)|src=|@import|url\(", page)
    assert page == rules_page(rules_of(rulebook()))


def test_the_command_writes_it_into_a_folder_or_a_file_without_a_home(tmp_path: Path, page: str) -> None:
    home = tmp_path / "no home"
    assert perlinsos(home, "rulebook", "--out", str(tmp_path / "law")).code == 0
    assert perlinsos(home, "rulebook", "--out", str(tmp_path / "law" / "rules.html")).code == 0
    assert (tmp_path / "law" / "rulebook.html").read_text(encoding="utf-8") == page
    assert (tmp_path / "law" / "rules.html").read_text(encoding="utf-8") == page
    assert not home.exists()
