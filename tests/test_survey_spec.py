"""The survey specification and the reading of surveys: what is refused, and with which words."""

from pathlib import Path

import polars as pl
import pytest

from assets.welfare.spec import MissingBin, Quota, SurveySpec, read_spec
from assets.welfare.survey import read_survey, training_rows
from schemas.errors import FileRefused, NotScorable, SpecError

SURVEYS = Path(__file__).parent / "surveys"
MINIMAL = """
id: hhid
target: {column: consumption, scale: level}
features:
  floor: {kind: number, direction: increasing}
  fuel: {kind: category}
"""
ROWS = """hhid,consumption,floor,fuel
001,100,10.5,1
002,,8,2
003,150,,2
004,200,x,01
"""


def _spec(tmp_path: Path, text: str) -> SurveySpec:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    return read_spec(path)


def _survey(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "survey.csv"
    path.write_text(text)
    return path


def test_what_is_not_said_has_the_documented_default(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL)
    assert (spec.weight, spec.area, spec.strata, spec.poverty_line, spec.groups) == (None, (), (), None, ())
    assert spec.quota == Quota(share=0.3)
    assert spec.missing == "not_scorable"


def test_null_means_the_default(tmp_path: Path) -> None:
    nothing = "".join(f"{key}: null\n" for key in ("weight", "area", "strata", "poverty_line", "quota", "missing"))
    assert _spec(tmp_path, MINIMAL + nothing) == _spec(tmp_path, MINIMAL)


def test_a_full_specification_is_read_as_written() -> None:
    spec = read_spec(SURVEYS / "indonesia_2008.yaml")
    assert len(spec.features) == 45
    assert spec.quota == Quota(column="treated", within=("province", "district", "subdistrict", "village"))
    assert spec.features["hhsize"].direction == "decreasing"


def test_a_missing_bin_states_how_much_may_be_missing(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL + "missing: {bin: true, at_most: 0.2}\n")
    assert spec.missing == MissingBin(bin=True, at_most=0.2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MINIMAL + "colour: red\n", r"colour is not a known key; .* groups"),
        (MINIMAL.replace("increasing", "upwards"), r"features\.floor\.direction: .*'decreasing'"),
        (MINIMAL.replace("kind: category", "kind: category, shade: 1"), r"features\.fuel\.shade is not a known key"),
        (MINIMAL.replace("kind: category", "kind: category, direction: increasing"), r"features\.fuel: .*no order"),
        (MINIMAL.replace("kind: category", "kind: category, codes: {yes: Yes}"), r"put the code in quotes"),
        (MINIMAL.replace("id: hhid", ""), r"id is missing; add it"),
        (MINIMAL.replace("floor:", "consumption:"), r"consumption cannot be a feature"),
        (MINIMAL + "quota: {share: 30, within: []}\n", r"quota\.share: .*less than 1"),
        (MINIMAL + "quota: {share: 0.3, column: treated}\n", r"quota: give either column or share"),
        ("id: [\n", r"cannot be read as YAML"),
    ],
)
def test_a_wrong_key_is_refused_with_its_place_and_remedy(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SpecError, match=words) as refusal:
        _spec(tmp_path, text)
    assert "spec.yaml" in str(refusal.value)


def test_whole_codes_in_yaml_are_text(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL.replace("kind: category", "kind: category, codes: {1: wood, 2: gas}"))
    assert spec.features["fuel"].codes == {"1": "wood", "2": "gas"}


def test_identifiers_and_codes_keep_their_leading_zeros(tmp_path: Path) -> None:
    survey = read_survey(_survey(tmp_path, ROWS), _spec(tmp_path, MINIMAL))
    assert survey["hhid"].to_list() == ["001", "002", "003", "004"]
    assert survey["fuel"].to_list() == ["1", "2", "2", "01"]


def test_households_that_cannot_be_learnt_from_are_counted(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL)
    rows = training_rows(read_survey(_survey(tmp_path, ROWS), spec), spec)
    assert rows.frame["hhid"].to_list() == ["001"]
    assert rows.set_aside == {"consumption": 1, "floor": 2}


def test_a_target_that_is_no_number_is_refused_with_its_row(tmp_path: Path) -> None:
    survey = _survey(tmp_path, ROWS.replace("003,150", "003,much"))
    with pytest.raises(FileRefused, match="consumption in row 3 is no number"):
        read_survey(survey, _spec(tmp_path, MINIMAL))


def test_an_absent_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="no column fuel"):
        read_survey(_survey(tmp_path, ROWS.replace("fuel", "stove")), _spec(tmp_path, MINIMAL))


def test_scoring_needs_no_target(tmp_path: Path) -> None:
    survey = _survey(tmp_path, "hhid,floor,fuel\n1,2,3\n")
    assert read_survey(survey, _spec(tmp_path, MINIMAL), for_scoring=True).height == 1


def test_parquet_and_csv_teach_the_same(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL)
    typed = tmp_path / "survey.parquet"
    pl.DataFrame(
        {"hhid": ["001"], "consumption": [100], "floor": [10.5], "fuel": [1]},
    ).write_parquet(typed)
    first = training_rows(read_survey(typed, spec), spec)
    assert first.hash == training_rows(read_survey(_survey(tmp_path, ROWS), spec), spec).hash


def test_a_flag_with_codes_one_and_two_is_refused(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL.replace("kind: category", "kind: flag"))
    survey = pl.DataFrame({"hhid": [1, 2], "consumption": [1.0, 2.0], "floor": [1.0, 2.0], "fuel": [1, 2]})
    with pytest.raises(SpecError, match=r"features\.fuel: .* says 1, 2\. Declare it a category"):
        training_rows(survey, spec)


def test_an_identifier_that_stands_twice_is_refused(tmp_path: Path) -> None:
    survey = pl.DataFrame({"hhid": [1, 1], "consumption": [1.0, 2.0], "floor": [1.0, 2.0], "fuel": [1, 2]})
    with pytest.raises(NotScorable, match="once"):
        training_rows(survey, _spec(tmp_path, MINIMAL))
