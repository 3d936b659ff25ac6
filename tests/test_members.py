"""Persons rolled up to households: what is unknown stays unknown, and no household is scored without its head."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from assets.welfare.fit import fit
from assets.welfare.measures import evaluated
from assets.welfare.score import score_survey
from assets.welfare.spec import SurveySpec, read_spec
from assets.welfare.survey import read_survey
from assets.welfare.validate import validated
from schemas.errors import FileRefused, SpecError

PERSONS = """home,who,age,wage,welfare,floor
b,1,40,100,5,9
b,2,7,0,1,9
b,3,,0,1,9
a,1,30,50,3,7
a,2,3,25,3,7
c,2,20,10,2,4
d,1,50,1,2,4
d,1,51,1,2,4
"""
SPEC: dict[str, Any] = {
    "id": "home",
    "target": {"column": "welfare", "scale": "level"},
    "features": {"floor": {"kind": "number"}},
    "members": {"key": "home", "head": "who == 1", "roll_up": {}},
}


def _read(tmp_path: Path, roll_up: dict[str, Any], **changes: Any) -> pl.DataFrame:  # noqa: ANN401 - parts of a specification
    path, survey = tmp_path / "spec.yaml", tmp_path / "persons.csv"
    path.write_text(yaml.safe_dump({**SPEC, "members": {**SPEC["members"], "roll_up": roll_up, **changes}}))
    survey.write_text(PERSONS)
    return read_survey(survey, read_spec(path))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"count": "true"}, {"a": 2, "b": 3}),
        ({"count": "age < 12"}, {"a": 1, "b": None}),
        ({"count": "true", "where": "wage > 0"}, {"a": 2, "b": 1}),
        ({"first": "age", "where": "who == 1"}, {"a": 30, "b": 40}),
        ({"first": "age", "where": "who == 3"}, {"a": None, "b": None}),
        ({"sum": "wage"}, {"a": 75, "b": 100}),
        ({"sum": "wage", "where": "wage > 60"}, {"a": 0, "b": 100}),
        ({"mean": "wage"}, {"a": 37.5, "b": 100 / 3}),
        ({"min": "age"}, {"a": 3, "b": None}),
        ({"max": "age", "where": "who < 3"}, {"a": 30, "b": 40}),
        ({"any": "age < 5"}, {"a": 1, "b": None}),
        ({"any": "age < 10"}, {"a": 1, "b": 1}),
        ({"any": "wage > 60"}, {"a": 0, "b": 1}),
    ],
)
def test_a_roll_up_over_an_unknown_answer_is_unknown(
    tmp_path: Path, entry: dict[str, str], expected: dict[str, float]
) -> None:
    found = _read(tmp_path, {"rolled": entry})
    assert dict(found.filter(pl.col("home").is_in(["a", "b"])).sort("home").select("home", "rolled").iter_rows()) == (
        pytest.approx(expected) if None not in expected.values() else expected
    )


def test_one_household_per_key_with_the_columns_of_its_head_in_order_of_the_file(tmp_path: Path) -> None:
    found = _read(tmp_path, {"age": {"max": "wage"}})
    assert found["home"].to_list() == ["b", "a", "c", "d"]
    assert found.select("welfare", "age").rows() == [(5.0, 100.0), (3.0, 50.0), (None, None), (None, None)]


def test_a_household_without_exactly_one_head_is_not_scorable(tmp_path: Path) -> None:
    learnt = pl.DataFrame({"home": range(40), "welfare": range(1, 41), "floor": [at % 10 + 1 for at in range(40)]})
    features = {"floor": {"kind": "number"}, "persons": {"kind": "number"}}
    plain = SurveySpec.model_validate({**SPEC, "members": None, "features": features})
    spec = SurveySpec.model_validate(
        {
            **SPEC,
            "features": features,
            "missing": {"bin": True, "at_most": 1},
            "members": {**SPEC["members"], "roll_up": {"persons": {"count": "true"}}},
        }
    )
    card = fit(
        learnt.with_columns(persons=pl.col("home") % 3 + 1), spec, penalties=(1,), rounds=(0,), learning_rates=(0.1,)
    )
    assert plain.features == spec.features
    scored = score_survey(_read(tmp_path, {"persons": {"count": "true"}}), card)
    assert scored.columns == ["id", "scorable", "score_micro", "expenditure", "reason"]
    assert scored.select("id", "scorable", "reason").rows() == [
        ("b", True, None), ("a", True, None), ("c", False, "no_head"), ("d", False, "several_heads"),
    ]  # fmt: skip
    assert scored["score_micro"].null_count() == scored["expenditure"].null_count() == 2


def test_a_person_file_beside_the_survey_is_joined_by_key_and_another_may_be_given(tmp_path: Path) -> None:
    spec_file = tmp_path / "spec.yaml"
    members = {"file": "who.csv", "key": "house", "roll_up": {"persons": {"count": "true"}}}
    features = {"floor": {"kind": "number"}, "persons": {"kind": "number"}}
    spec_file.write_text(yaml.safe_dump({**SPEC, "members": members, "features": features}))
    (tmp_path / "homes.csv").write_text("home,welfare,floor\n01,5,3\n02,6,4\n03,7,5\n")
    (tmp_path / "who.csv").write_text("house\n01\n01\n02\n")
    (tmp_path / "others.csv").write_text("house\n01\n03\n")
    spec = read_spec(spec_file)
    assert read_survey(tmp_path / "homes.csv", spec)["persons"].to_list() == [2, 1, None]
    other = read_survey(tmp_path / "homes.csv", spec, members=tmp_path / "others.csv")
    assert other["persons"].to_list() == [1, None, 1]
    (tmp_path / "who.csv").unlink()
    with pytest.raises(FileRefused, match=r"who\.csv"):
        read_survey(tmp_path / "homes.csv", spec)


@pytest.mark.parametrize(
    ("roll_up", "changes", "words"),
    [
        ({"x": {"count": "nowhere < 1"}}, {}, r"members\.roll_up\.x: DuckDB cannot"),
        ({"x": {"sum": "read_text('/etc/hostname')"}}, {}, r"members\.roll_up\.x: DuckDB cannot"),
        ({"x": {"count": "true", "sum": "age"}}, {}, r"members\.roll_up\.x: give exactly one of count, first"),
        ({"x": {"median": "age"}}, {}, r"members\.roll_up\.x\.median is not a known key"),
        ({}, {"head": None}, r"members: without file the survey is the person file"),
        ({}, {"colour": 1}, r"members\.colour is not a known key"),
        ({}, {"head": "who = "}, r"members.*: DuckDB cannot"),
    ],
)
def test_a_roll_up_that_cannot_be_computed_is_refused(
    tmp_path: Path, roll_up: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(SpecError, match=words):
        _read(tmp_path, roll_up, **changes)


def test_costa_rica_s_persons_are_rolled_up_by_its_specification(test_data: Path) -> None:
    spec = read_spec(Path(__file__).parent / "surveys" / "costa_rica.yaml")
    households = read_survey(test_data / "households" / "costa_rica.csv", spec)
    card = fit(households, spec, penalties=(10,), rounds=(60,), learning_rates=(0.1,))
    assert (households.height, card.provenance.rows) == (2988, 2973)
    assert card.provenance.set_aside == {"heads_of_household": 15}
    scored = score_survey(households, card)
    assert scored.filter(~pl.col("scorable"))["reason"].to_list() == ["no_head"] * 15
    assert evaluated(card, households, spec)["by_group"]["head_is_woman"].keys() == {"0", "1"}


@pytest.mark.slow
def test_costa_rica_prints_its_table(test_data: Path) -> None:
    spec = read_spec(Path(__file__).parent / "surveys" / "costa_rica.yaml")
    households = read_survey(test_data / "households" / "costa_rica.csv", spec)
    found = validated(households, spec, fit(households, spec))
    print(f"\nCosta Rica, {found['scorecard']['n']} households; exclusion error out of sample:")  # noqa: T201
    print(f"  {'scorecard':<10}{found['scorecard']['exclusion_error']:7.1%}")  # noqa: T201
    for name, row in found["challengers"].items():
        low, high = row["interval"]
        print(f"  {name:<10}{row['exclusion_error']:7.1%}  {row['difference']:+.1%} ({low:+.1%} to {high:+.1%})")  # noqa: T201
    best = min(found["challengers"].values(), key=lambda row: row["exclusion_error"])
    assert best["difference"] <= 0.02
