"""The questionnaire: the one that ships is complete, and a home's own is read strictly."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import SpecError
from schemas.questionnaire import Questionnaire, default_questionnaire, read_questionnaire

SIZE = {
    "level": "members",
    "kind": "number",
    "direction": "decreasing",
    "range": [1, 30],
    "label": {"id": "Anggota", "en": "Members"},
}
ROOF = {
    "level": "dwelling",
    "kind": "category",
    "direction": "none",
    "codes": {1: "seng", 2: "genteng"},
    "label": {"id": "Atap", "en": "Roof"},
}


def written(tmp_path: Path, **changed: Any) -> Path:  # noqa: ANN401
    content = {"version": "own1", "title": "Own", "survey": {}, "variables": {"size": SIZE, "roof": ROOF}} | changed
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_the_questionnaire_that_ships_asks_the_family_and_rolls_up_its_members() -> None:
    shipped = default_questionnaire()
    assert shipped.version == "regsosek2022"
    assert len(shipped.variables) == len(shipped.answers) + len(shipped.rolled_up)
    assert not shipped.answers.keys() & shipped.rolled_up.keys()
    assert {"floor_area_m2", "roof_material"} <= shipped.answers.keys()
    assert {"household_size", "head_education"} <= shipped.rolled_up.keys()
    assert list(shipped.answers) == [name for name in shipped.variables if name in shipped.answers]


def test_every_variable_that_ships_has_words_in_both_languages() -> None:
    for name, variable in default_questionnaire().variables.items():
        assert variable.label.id.strip(), name
        assert variable.label.en.strip(), name


def test_every_answer_that_ships_names_its_question_and_no_alias_means_two_of_them() -> None:
    shipped = default_questionnaire()
    assert [name for name, variable in shipped.answers.items() if variable.question is None] == []
    headers = [header for name, variable in shipped.variables.items() for header in (name, *variable.aliases)]
    assert len(set(headers)) == len(headers)


def test_a_home_reads_its_own_questionnaire(tmp_path: Path) -> None:
    own = read_questionnaire(written(tmp_path))
    assert list(own.answers) == ["roof"]
    assert own.variables["roof"].codes == {1: "seng", 2: "genteng"}
    assert own.variables["size"].range == (1, 30)


def test_the_order_of_the_questions_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    names = ["zinc", "adobe", "mud"]
    content = {"version": "v", "title": "t", "survey": {}, "variables": dict.fromkeys(names, ROOF)}
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    assert list(read_questionnaire(path).variables) == names


@pytest.mark.parametrize(
    ("variable", "place", "said"),
    [
        (ROOF | {"codes": None}, "variables.roof", "a category lists its codes"),
        (ROOF | {"kind": "flag"}, "variables.roof", "only a category does"),
        (ROOF | {"codes": {1: "seng"}}, "variables.roof", "at least two codes"),
        (SIZE | {"range": None}, "variables.roof", "a number states its range"),
        (ROOF | {"range": [1, 2]}, "variables.roof", "only a number does"),
        (ROOF | {"colour": "red"}, "variables.roof.colour", "Extra inputs"),
        (ROOF | {"direction": "up"}, "variables.roof.direction", "increasing"),
        (ROOF | {"level": "person"}, "variables.roof.level", "dwelling"),
        (ROOF | {"label": {"id": "Atap"}}, "variables.roof.label.en", "required"),
    ],
)
def test_a_fault_is_named_with_file_and_place(tmp_path: Path, variable: object, place: str, said: str) -> None:
    with pytest.raises(SpecError, match=r"own\.yaml") as refused:
        read_questionnaire(written(tmp_path, variables={"roof": variable}))
    assert place in str(refused.value)
    assert said in str(refused.value)


def test_an_unknown_key_at_the_top_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="colour"):
        read_questionnaire(written(tmp_path, colour="red"))


def test_a_questionnaire_cannot_be_changed_once_read() -> None:
    shipped = default_questionnaire()
    with pytest.raises(ValueError, match="frozen"):
        shipped.version = "other"  # type: ignore[misc]
    assert isinstance(shipped, Questionnaire)
