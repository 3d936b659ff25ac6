"""The message catalogue: complete in both languages, strict about codes and placeholders."""

import ast
import pickle
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

import pytest

from quotas.parameters import read_yaml
from quotas.rulebook import rulebook
from quotas.rules import Operator, Unknown
from schemas import vocabularies
from schemas.errors import FileRefused, UnknownRegency, Worded
from schemas.feeds import feeds
from schemas.identifiers import form_fault
from schemas.messages import LANGUAGES, Words, catalogue, named, placeholders, quantity, say, words, written
from schemas.questionnaire import default_questionnaire
from schemas.registry_tables import FAMILY_FACTS

DAY = date(2026, 1, 26)
VOCABULARIES = [one for one in StrEnum.__subclasses__() if one.__module__ == vocabularies.__name__]
OF_THE_WHOLE_ROW = {
    f"row.{one}" for one in ("too_many_cells", "open_quote", "cell_too_long", "cut_short", "not_json", "total_row")
}
MAPPED = {"not_nullable": "missing", "isin": "not_a_code", "in_range": "out_of_range"}


ROOT = Path(__file__).parents[1]
REFUSALS = sorted(code.partition(".")[2] for code in catalogue() if code.startswith("refused."))


def refusals() -> Iterator[tuple[str, ast.Call]]:
    """Every place of the source that makes a refusal of the catalogue."""
    for package in ("schemas", "quotas", "reports", "world", "assets", "pipelines"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in {"FileRefused", "UnknownRegency", "Worded"}:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def words_of(node: ast.expr) -> list[str | None]:
    """The codes an expression may give; None where it is no literal."""
    if isinstance(node, ast.IfExp):
        return [*words_of(node.body), *words_of(node.orelse)]
    return [node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None]


def group_of(vocabulary: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", vocabulary.__name__).lower()


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=group_of)
def test_every_word_of_a_vocabulary_has_a_message(vocabulary: type[StrEnum]) -> None:
    assert {f"{group_of(vocabulary)}.{word}" for word in vocabulary} <= catalogue().keys()


def test_every_message_says_something_in_both_languages_with_equal_placeholders() -> None:
    for code, message in catalogue().items():
        assert all(message.of(lang).strip() for lang in LANGUAGES), code
        assert set(placeholders(message.id)) == set(placeholders(message.en)), code


def test_no_code_is_written_twice_and_none_is_a_truth_value() -> None:
    text = files("schemas").joinpath("messages.yaml").read_text(encoding="utf-8")
    content = read_yaml(text, "messages.yaml")
    assert isinstance(content, dict)
    assert sum(len(group) for group in content.values()) == len(catalogue())


def test_every_check_of_a_feed_has_a_row_message() -> None:
    checks = {
        MAPPED.get(str(check.name), str(check.name))
        for contract in feeds(default_questionnaire()).values()
        for column in contract.columns.values()
        for check in column.checks
    }
    faults = set(re.findall(r"identifier_\w+", str(form_fault("nik"))))
    assert len(faults) == 4
    unreadable = {"missing", "not_a_date", "not_a_number", "not_yes_or_no", "not_text"}
    expected = (checks - {"identifier"}) | faults | unreadable
    assert {f"row.{name}" for name in expected} <= catalogue().keys()


def test_every_row_message_is_complete_with_the_column_and_what_it_may_hold() -> None:
    for code in (code for code in catalogue() if code.startswith("row.")):
        for lang in LANGUAGES:
            said = say(code, lang, column="birth_date", expected="1 to 5")
            assert ("birth_date" in said) == (code not in OF_THE_WHOLE_ROW)
            assert "{" not in said


def test_every_word_of_the_rulebook_has_a_message() -> None:
    policy = rulebook().on(DAY)
    codes = {f"component.{one.code}" for rule in policy.programmes.values() for one in rule.components}
    codes |= {f"tie_break.{one.fact}" for one in policy.ranking.tie_breakers} | {"tie_break.score", "tie_break.lottery"}
    codes |= {f"operator.{one}" for one in Operator} | {f"unknown.{one}" for one in Unknown}
    codes |= {f"fact.{fact}" for fact in FAMILY_FACTS}
    codes |= {f"unit.{one.unit.replace(' ', '_')}" for one in policy.filters if one.unit != "boolean"}
    assert codes <= catalogue().keys()


def test_every_unit_of_the_questionnaire_is_written_in_both_languages() -> None:
    units = {one.unit for one in default_questionnaire().variables.values() if one.unit is not None}
    assert {f"unit.{unit}" for unit in units} <= catalogue().keys()


def test_an_unknown_code_is_named_with_the_remedy() -> None:
    with pytest.raises(KeyError, match=r"messages.yaml has no 'status.forgotten'. Add it there"):
        say("status.forgotten")


def test_a_missing_placeholder_is_named() -> None:
    with pytest.raises(KeyError, match=r"'reason.decile_above' needs a value for decile, limit"):
        say("reason.decile_above", programme="PKH")


def test_values_a_message_does_not_use_are_passed_over() -> None:
    assert say("status.waiting", "en", position=3) == "Waiting list"


@pytest.mark.parametrize(
    ("value", "indonesian", "english"),
    [
        (2989145, "2.989.145", "2,989,145"),
        (Decimal("41974.587000"), "41.974,587000", "41,974.587000"),
        (date(2026, 5, 4), "4 Mei 2026", "4 May 2026"),
        ("2026Q1", "2026Q1", "2026Q1"),
        (Words("ya", "yes"), "ya", "yes"),
        (None, "\N{EN DASH}", "\N{EN DASH}"),
    ],
)
def test_values_are_written_in_the_manner_of_the_language(value: object, indonesian: str, english: str) -> None:
    assert (written(value, "id"), written(value, "en")) == (indonesian, english)  # type: ignore[arg-type]


def test_a_number_carries_its_unit_and_an_unknown_unit_is_kept() -> None:
    assert quantity(1300, "VA") == Words("1.300 VA", "1,300 VA")
    assert quantity(7, "bushels") == Words("7 bushels", "7 bushels")
    assert quantity(7, "") == Words("7", "7")


def test_a_name_the_catalogue_does_not_know_stands_for_itself() -> None:
    assert named("component.pregnant", "pregnant") == words("component.pregnant")
    assert named("component.something_new", "something_new") == Words("something_new", "something_new")


def test_no_file_is_refused_in_words_outside_the_catalogue() -> None:
    used = set()
    for place, call in refusals():
        given = {keyword.arg for keyword in call.keywords} | {"file"}
        (word,) = call.args
        if ast.unparse(word) == "refusal.word":  # said anew with the name of the file
            continue
        for code in words_of(word):
            assert code in REFUSALS, f"{place} is refused in words of its own"
            assert None in given or set(placeholders(catalogue()[f"refused.{code}"].en)) <= given, place
            used.add(code)
    assert set(REFUSALS) - used == {"almost_like", "the_file"}


@pytest.mark.parametrize("word", REFUSALS)
@pytest.mark.parametrize("kind", [FileRefused, UnknownRegency, Worded])
def test_every_refusal_is_told_in_both_languages(word: str, kind: type[Worded]) -> None:
    values = {name: name for name in placeholders(catalogue()[f"refused.{word}"].en) if name != "file"}
    refusal = kind(word, **values)
    said = {lang: refusal.told(lang) for lang in LANGUAGES}
    assert said["id"] != said["en"]
    assert str(refusal) == f"{kind.__name__}: {said['en']}"
    for sentence in said.values():
        assert "{" not in sentence
        assert all(value in sentence for value in values)


def test_a_refusal_names_the_file_wherever_it_becomes_known() -> None:
    assert FileRefused("empty").told("id") == "Berkas ini kosong. Kirim lagi."
    assert FileRefused("empty").told("id", file="a.csv") == "a.csv kosong. Kirim lagi."
    assert FileRefused("empty", file="a.csv.gz").told("en", file="a.csv") == "a.csv.gz is empty. Send it again."


def test_a_refusal_survives_the_way_between_processes() -> None:
    refusal = pickle.loads(pickle.dumps(FileRefused("several_files", file="a.zip", count=2)))  # noqa: S301
    assert refusal.told("id") == "a.zip memuat 2 berkas. Kirim satu tabel per berkas."
