"""What a family's persons add up to: the variables the scorecard reads and the facts the filters read."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from assets.registry.rollups import age_on, family_facts, heads, living, rolled_up
from schemas.questionnaire import default_questionnaire
from schemas.tables import TABLES
from schemas.vocabularies import Sex

DAY = date(2026, 1, 26)
JAN, DEC = date(2026, 1, 12), date(2025, 12, 5)
CONTRACT = TABLES["registry/persons"]


def person(person_id: str, relation: int = 1, born: int = 1980, **more: object) -> dict[str, Any]:
    return {
        "person_id": person_id, "family_id": "F", "name": person_id.upper(), "birth_date": date(born, 6, 15),
        "relation": relation, "sex": Sex.MALE.value, "marital_status": 2, "school_participation": 3, "education": 1,
        "work_position": 1, "disability": 4, "is_deceased": 0, **more,
    }  # fmt: skip


def frame(*persons: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{**dict.fromkeys(CONTRACT.columns), **one} for one in persons], schema=CONTRACT.dtypes)


def rolled(*persons: dict[str, Any]) -> dict[str, Any]:
    alive = living(frame(*persons))
    return rolled_up(alive, heads(alive), DAY).row(0, named=True)


def head_of(*persons: dict[str, Any]) -> str:
    return str(heads(living(frame(*persons)))["head_person_id"].item())


def facts(*persons: dict[str, Any]) -> dict[str, Any]:
    return family_facts(frame(*persons), DAY).row(0, named=True)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2000, 1, 26), date(2026, 1, 26), 26),
        (date(2000, 1, 27), date(2026, 1, 26), 25),
        (date(2020, 2, 29), date(2026, 2, 28), 5),
        (date(2020, 2, 29), date(2026, 3, 1), 6),
        (date(2026, 1, 20), date(2026, 1, 26), 0),
    ],
)
def test_age_is_completed_years(born: date, day: date, age: int) -> None:
    assert pl.DataFrame({"birth_date": [born]}).select(age_on(day)).item() == age


def test_the_head_leads_the_family_while_alive() -> None:
    assert head_of(person("grandfather", 6, 1940), person("wife", 2, 1982), person("head")) == "head"


def test_when_the_head_dies_the_spouse_takes_over_and_without_one_the_oldest() -> None:
    dead = person("head", is_deceased=1)
    assert head_of(dead, person("grandfather", 6, 1940), person("wife", 2, 1982)) == "wife"
    assert head_of(dead, person("child", 3, 2005), person("grandfather", 6, 1940)) == "grandfather"


def test_a_person_of_whose_death_nobody_was_asked_counts_as_living() -> None:
    assert rolled(person("head", is_deceased=None), person("wife", 2))["household_size"] == 2


def test_every_variable_of_the_members_is_rolled_up() -> None:
    assert set(default_questionnaire().rolled_up) <= set(rolled(person("head")))


def test_a_family_is_rolled_up_from_its_living_members_alone() -> None:
    made = rolled(
        person("head", sex=Sex.FEMALE.value, marital_status=4, education=7, work_position=6),
        person("mother", 6, 1950, work_position=0, disability=2),
        person("pupil", 3, 2015, school_participation=2, education=23, work_position=0),
        person("dropout", 3, 2012, school_participation=3, education=2, work_position=0),
        person("baby", 3, 2025, school_participation=1, education=23, work_position=0, disability=3),
        person("dead", 4, 1975, is_deceased=1, education=20),
    )
    assert made == {
        "family_id": "F", "household_size": 5, "under_seven_count": 1, "school_age_count": 2, "elderly_count": 1,
        "working_count": 1, "disabled_count": 1, "head_age": 45, "head_is_female": 1, "head_education": 2,
        "highest_education": 2, "head_work_position": 6, "head_is_married": 0, "children_out_of_school_count": 1,
    }  # fmt: skip


def test_one_member_of_whom_it_is_said_settles_the_fact_though_nobody_was_asked_of_the_others() -> None:
    made = facts(
        person("head", is_civil_servant=None), person("wife", 2, is_civil_servant=1, is_civil_servant_date=DEC)
    )
    assert (made["has_civil_servant"], made["has_civil_servant_date"]) == (1, DEC)


def test_a_member_of_whom_nothing_is_known_leaves_the_fact_unknown_without_a_date() -> None:
    made = facts(
        person("head", is_civil_servant=0, is_civil_servant_date=JAN), person("wife", 2, is_civil_servant=None)
    )
    assert (made["has_civil_servant"], made["has_civil_servant_date"]) == (None, None)


def test_that_nobody_is_holds_as_of_the_oldest_check_and_that_somebody_is_as_of_his_own() -> None:
    asked_long_ago = person("head", is_pensioner=0, is_pensioner_date=DEC)
    nobody = facts(asked_long_ago, person("wife", 2, is_pensioner=0, is_pensioner_date=JAN))
    somebody = facts(asked_long_ago, person("wife", 2, is_pensioner=1, is_pensioner_date=JAN))
    assert (nobody["has_pensioner"], nobody["has_pensioner_date"]) == (0, DEC)
    assert (somebody["has_pensioner"], somebody["has_pensioner_date"]) == (1, JAN)


def test_the_highest_known_amount_of_the_living_is_the_familys() -> None:
    made = facts(
        person("head", wage_rupiah_month=2_500_000),
        person("wife", 2, wage_rupiah_month=1_000_000),
        person("child", 3, wage_rupiah_month=None),
        person("dead", 4, wage_rupiah_month=9_000_000, is_deceased=1),
    )
    assert made["wage_rupiah_month"] == 2_500_000


def test_what_the_dead_were_excludes_nobody() -> None:
    made = facts(person("head", is_soldier_or_police=1, is_deceased=1), person("wife", 2, is_soldier_or_police=0))
    assert made["has_soldier_or_police"] == 0


def test_a_family_whose_members_all_died_has_none_living_and_nothing_else_is_known_of_it() -> None:
    made = facts(person("head", is_deceased=1, is_deceased_date=JAN, is_civil_servant=1, is_civil_servant_date=JAN))
    assert (made["living_member_count"], made["living_member_count_date"]) == (0, JAN)
    assert made["has_civil_servant"] is None


@pytest.mark.parametrize(("classes", "first"), [((1, 2), 1), ((2, 0), 0), ((1, None), 1), ((3, None), None)])
def test_a_family_has_first_class_insurance_if_a_member_has(classes: tuple[int | None, ...], first: int | None) -> None:
    head, wife = classes
    made = facts(person("head", health_insurance_class=head), person("wife", 2, health_insurance_class=wife))
    assert made["has_first_class_insurance"] == first
