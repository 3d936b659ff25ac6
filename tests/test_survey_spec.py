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
        (MINIMAL + "groups: {floor: floor > 3}\n", r"groups: floor is a column used otherwise"),
        (
            MINIMAL.replace("scale: level", "scale: ordinal") + "adult_equivalent: {root: sqrt(floor)}\n",
            r"a class is not",
        ),
        (MINIMAL.replace("hhid", "reason"), r"reason is a column that scoring writes"),
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


@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("TRUE", "false"), ("yes", "No"), ("Ya", "tidak")])
def test_a_flag_may_be_said_in_words(tmp_path: Path, yes: str, no: str) -> None:
    spec = _spec(tmp_path, MINIMAL.replace("kind: category", "kind: flag"))
    survey = pl.DataFrame({"hhid": [1, 2], "consumption": [1.0, 2.0], "floor": [1.0, 2.0], "fuel": [yes, no]})
    assert training_rows(survey, spec).frame["fuel"].to_list() == ["1", "0"]


SEMICOLONS = "\ufeff hhid ;consumption;floor;fuel\n001;100,25;10,5;1\n002;90;8;2\n"


def test_semicolons_go_with_decimal_commas_and_a_mark_at_the_beginning(tmp_path: Path) -> None:
    survey = read_survey(_survey(tmp_path, SEMICOLONS), _spec(tmp_path, MINIMAL))
    assert survey.select("hhid", "consumption", "floor").rows() == [("001", 100.25, 10.5), ("002", 90.0, 8.0)]


def test_tabs_and_bars_separate_too(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL)
    plain = read_survey(_survey(tmp_path, ROWS), spec)
    for separator in "\t|":
        assert read_survey(_survey(tmp_path, ROWS.replace(",", separator)), spec).equals(plain)


def test_a_column_that_holds_no_number_at_all_is_refused_with_the_way_to_write_one(tmp_path: Path) -> None:
    words = 'hhid,consumption,floor,fuel\n1,100,"10,5,1",1\n2,90,lantai,2\n'
    with pytest.raises(FileRefused, match=r"floor in row 1 is no number \(2 such rows\)\. Write decimals with a point"):
        read_survey(_survey(tmp_path, words), _spec(tmp_path, MINIMAL))
    scored = read_survey(_survey(tmp_path, words), _spec(tmp_path, MINIMAL), for_scoring=True)
    assert scored["floor"].to_list() == ["10,5,1", "lantai"]


def test_what_is_no_text_is_refused_as_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "survey.csv"
    path.write_bytes(ROWS.encode("utf-16"))
    with pytest.raises(FileRefused, match="cannot be read"):
        read_survey(path, _spec(tmp_path, MINIMAL))


def test_places_may_be_said_in_words_and_are_never_negative(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL + "quota: {column: treated, within: []}\n")
    rows = "hhid,consumption,floor,fuel,treated\n1,100,10,1,TRUE\n2,90,8,2,false\n3,90,8,2,\n"
    assert read_survey(_survey(tmp_path, rows), spec)["treated"].to_list() == [1.0, 0.0, None]
    with pytest.raises(NotScorable, match="treated: 1 households have less than no place"):
        training_rows(read_survey(_survey(tmp_path, rows.replace("TRUE", "-1")), spec), spec)


GROUPS = """groups:
  large: floor >= 9
  size: "CASE WHEN floor < 9 THEN 'small' ELSE 'large' END"
"""


def test_a_group_may_be_an_expression_of_the_survey_s_columns(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL + GROUPS)
    survey = pl.DataFrame(
        {"hhid": ["2", "1", "3"], "consumption": [1.0, 2.0, 3.0], "floor": [9.5, 8.0, 9.0], "fuel": [1, 2, 1]}
    )
    rows = training_rows(survey, spec)
    assert rows.frame.select("hhid", "large", "size").rows() == [
        ("1", "0", "small"), ("2", "1", "large"), ("3", "1", "large"),
    ]  # fmt: skip
    turned = _spec(tmp_path, MINIMAL + "groups:\n" + "\n".join(reversed(GROUPS.splitlines()[1:])))
    assert training_rows(survey, turned).hash == rows.hash
    with pytest.raises(SpecError, match=r"groups\.large: DuckDB cannot compute it on the survey"):
        training_rows(survey, _spec(tmp_path, MINIMAL + "groups: {large: nowhere > 1}"))
    with pytest.raises(SpecError, match=r"adult_equivalent\.root: DuckDB cannot compute it on the survey"):
        training_rows(survey, _spec(tmp_path, MINIMAL + "adult_equivalent: {root: sqrt(nowhere)}"))


def test_an_identifier_that_stands_twice_is_refused(tmp_path: Path) -> None:
    survey = pl.DataFrame({"hhid": [1, 1], "consumption": [1.0, 2.0], "floor": [1.0, 2.0], "fuel": [1, 2]})
    with pytest.raises(NotScorable, match="once; 0 are empty, 1 stand there before"):
        training_rows(survey, _spec(tmp_path, MINIMAL))


@pytest.mark.parametrize(
    ("rows", "row"),
    [("Jumlah,500,,\n", 5), ("Total,,10,\n", 5), (",Jumlah,,\n", 5), ("005,300,8,1\nGRAND TOTAL,600,,\n", 6)],
)
def test_a_row_of_sums_below_a_survey_is_no_household(tmp_path: Path, rows: str, row: int) -> None:
    spec = _spec(tmp_path, MINIMAL)
    for for_scoring in (False, True):
        with pytest.raises(FileRefused, match=f"row {row} holds a total"):
            read_survey(_survey(tmp_path, ROWS + rows), spec, for_scoring=for_scoring)
    typed = tmp_path / "survey.parquet"
    pl.DataFrame(
        {"hhid": [1, None], "consumption": ["5", "Jumlah"], "floor": [1, 1], "fuel": ["a", "b"]}
    ).write_parquet(typed)
    with pytest.raises(FileRefused, match="row 2 holds a total"):
        read_survey(typed, spec)


@pytest.mark.parametrize("cell", ["Jumlah", "JML", "Jumlah (1+2)", "TOTAL JAWA TIMUR", "Rata-rata"])
def test_a_sum_may_be_told_by_any_cell_that_is_no_answer_and_no_name(tmp_path: Path, cell: str) -> None:
    spec = _spec(tmp_path, MINIMAL)
    text = "consumption,floor,fuel,unit,hhid\n100,10,1,a,1\n200,20,1,b,2\n300,30,1,,{}\n"
    with pytest.raises(FileRefused, match="row 3 holds a total"):
        read_survey(_survey(tmp_path, text.format(cell)), spec)
    answers = "consumption,floor,fuel,name,hhid\n100,10,Total electric,TOTAL SIHOMBING,1\n"
    assert read_survey(_survey(tmp_path, answers), spec).height == 1


def test_a_province_beside_its_regencies_is_no_area_of_a_survey(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL + "area: [regency]\n")
    text = "hhid,consumption,floor,fuel,regency\n1,100,10,1,3510\n2,100,10,1,3509\n3,100,10,1,{}\n"
    with pytest.raises(FileRefused, match="regency in row 3 is the area 3500, while 3509 within it"):
        read_survey(_survey(tmp_path, text.format("3500")), spec)
    assert read_survey(_survey(tmp_path, text.format("3511")), spec).height == 3


def test_numbers_of_areas_that_are_no_region_codes_hold_nothing(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL + "area: [village]\n")
    rows = "".join(f"{one},100,10,1,{one}\n" for one in (35, 3510, 7, 8, 9, 10))
    assert read_survey(_survey(tmp_path, f"hhid,consumption,floor,fuel,village\n{rows}"), spec).height == 6


def test_a_household_given_twice_is_told_with_its_row(tmp_path: Path) -> None:
    spec = _spec(tmp_path, MINIMAL)
    survey = read_survey(_survey(tmp_path, ROWS + "003,150,1,2\n"), spec)
    with pytest.raises(NotScorable, match="the first in row 5"):
        training_rows(survey, spec)
