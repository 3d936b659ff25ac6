"""Impossible values count as unknown and are told; persons stay, and so does what another source supports."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from assets.registry.plausibility import find_implausible, withhold_values
from assets.registry.rollups import heads, living, rolled_up
from quotas.rulebook import rulebook
from schemas.tables import TABLES
from schemas.vocabularies import Implausible, Sex

DAY = date(2026, 1, 26)
RULE = rulebook().on(DAY).plausibility
CONTRACT = TABLES["registry/persons"]
HEAD, SPOUSE, CHILD, GRANDCHILD, PARENT = 1, 2, 3, 5, 6


def person(person_id: str, relation: int, born: date, **more: object) -> dict[str, Any]:
    return {
        "person_id": person_id, "family_id": "f", "regency_code": "35.10", "name": person_id, "birth_date": born,
        "relation": relation, "sex": Sex.FEMALE.value, "marital_status": 2, "is_pregnant": False,
        "school_participation": 3, "education": 1, "work_position": 1, "disability": 4, "stated_date": DAY,
        "is_number_confirmed": False, **more,
    }  # fmt: skip


def frame(*persons: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{**dict.fromkeys(CONTRACT.columns), **one} for one in persons], schema=CONTRACT.dtypes)


def found(*persons: dict[str, Any]) -> list[tuple[str, str]]:
    """Person and check of every impossible value."""
    rows = find_implausible(frame(*persons), RULE, DAY)
    TABLES["registry/implausible"].schema.validate(TABLES["registry/implausible"].fit(rows))
    return rows.select("person_id", "check").rows()


def years_ago(years: int) -> date:
    return DAY.replace(year=DAY.year - years)


MOTHER = person("mother", HEAD, years_ago(33))


def test_a_man_is_not_pregnant_whoever_says_so() -> None:
    man = person("man", HEAD, years_ago(33), sex=Sex.MALE.value, is_pregnant=True)
    assert found(man) == [("man", Implausible.PREGNANCY)]
    persons = frame(man)
    withheld = withhold_values(persons, find_implausible(persons, RULE, DAY))
    assert withheld["is_pregnant"].to_list() == [None]
    assert withheld.drop("is_pregnant").equals(persons.drop("is_pregnant"))


@pytest.mark.parametrize(("age", "is_possible"), [(9, False), (10, True), (55, True), (56, False)])
def test_a_pregnancy_lies_within_the_ages_of_the_law(age: int, is_possible: bool) -> None:  # noqa: FBT001
    assert (found(person("a", HEAD, years_ago(age), is_pregnant=True)) == []) == is_possible


def test_a_pregnancy_that_a_health_service_recorded_stays() -> None:
    assert found(person("a", HEAD, years_ago(57), is_pregnant=True, is_pregnant_recorded=1)) == []
    assert found(person("a", HEAD, years_ago(57), is_pregnant=True, is_pregnant_recorded=0)) != []


@pytest.mark.parametrize(
    ("age", "level", "is_possible"),
    [
        (4, 3, False), (5, 3, True), (18, 3, True), (19, 3, False), (9, 7, False), (10, 7, True), (22, 7, False),
        (12, 13, False), (13, 13, True), (25, 13, True), (26, 13, False), (40, 19, True),
    ],
)  # fmt: skip
def test_the_level_of_school_fits_the_age(age: int, level: int, is_possible: bool) -> None:  # noqa: FBT001
    pupil = person("a", CHILD, years_ago(age), school_participation=2, school_level=level)
    assert (found(pupil) == []) == is_possible


def test_who_goes_to_school_no_longer_may_be_of_any_age() -> None:
    assert found(person("a", HEAD, years_ago(60), school_participation=3, school_level=3)) == []


def test_a_pupil_whom_dapodik_lists_stays_one_at_any_age() -> None:
    pupil = person("a", HEAD, years_ago(40), school_participation=2, school_level=11)
    assert found(pupil) == [("a", Implausible.SCHOOL_LEVEL)]
    assert found({**pupil, "is_enrolled_in_school": 1}) == []


def test_ages_are_those_of_the_day_of_the_statement() -> None:
    stated = {"stated_date": years_ago(2), "school_participation": 2, "school_level": 13}
    assert found(person("a", CHILD, years_ago(27), **stated)) == []
    assert found(person("b", HEAD, years_ago(57), stated_date=years_ago(2), is_pregnant=True)) == []


def litter(count: int, **more: object) -> list[dict[str, Any]]:
    """So many children of one mother, born a month apart."""
    return [person(f"child {at}", CHILD, date(2023, 1 + at, 1), **more) for at in range(count)]


def test_more_than_three_births_within_nine_months_are_not_believed() -> None:
    assert found(MOTHER, *litter(3)) == []
    assert found(MOTHER, *litter(4)) == [(f"child {at}", Implausible.BIRTHS) for at in range(4)]


def test_births_nine_months_apart_are_possible() -> None:
    late = person("late", CHILD, date(2023, 10, 2))
    assert found(MOTHER, *litter(3), late) == []
    assert len(found(MOTHER, *litter(3), person("early", CHILD, date(2023, 10, 1)))) == 4


def test_two_mothers_may_bear_twice_as_many() -> None:
    second = person("second", SPOUSE, years_ago(30))
    assert found(MOTHER, second, *litter(6)) == []
    assert len(found(MOTHER, second, *litter(7))) == 7


def test_grandchildren_have_several_mothers() -> None:
    assert found(MOTHER, *(person(f"g{at}", GRANDCHILD, date(2023, 1, 1)) for at in range(5))) == []


def test_a_child_whose_number_the_register_knows_keeps_its_birth_date() -> None:
    known = litter(4)
    known[0]["is_number_confirmed"] = True
    assert [name for name, _ in found(MOTHER, *known)] == ["child 1", "child 2", "child 3"]


def test_two_families_are_counted_apart() -> None:
    others = [{**one, "family_id": "g", "person_id": f"{one['person_id']} of g"} for one in litter(2)]
    assert found(MOTHER, *litter(2), *others) == []


def test_a_parent_is_ten_years_older_than_a_child() -> None:
    assert found(MOTHER, person("child", CHILD, years_ago(23))) == []
    assert found(MOTHER, person("child", CHILD, date(2003, 1, 25))) == [("child", Implausible.KINSHIP)]
    assert found(MOTHER, person("parent", PARENT, years_ago(43))) == []
    assert found(MOTHER, person("parent", PARENT, date(1983, 1, 27))) == [("parent", Implausible.KINSHIP)]


def test_a_stepchild_is_compared_with_its_own_parent() -> None:
    father = person("father", SPOUSE, years_ago(55), sex=Sex.MALE.value)
    assert found(MOTHER, father, person("stepchild", CHILD, years_ago(30))) == []
    assert found(MOTHER, father, person("parent-in-law", PARENT, years_ago(44))) == []


def test_of_impossible_kin_the_relation_alone_is_unknown() -> None:
    persons = frame(MOTHER, person("child", CHILD, years_ago(30), disability=1))
    withheld = withhold_values(persons, find_implausible(persons, RULE, DAY))
    assert withheld["relation"].to_list() == [HEAD, None]
    assert withheld.drop("relation").equals(persons.drop("relation"))


def test_a_family_all_of_whose_relations_are_impossible_still_has_a_head() -> None:
    dead = person("dead", HEAD, years_ago(33), is_deceased=1)
    persons = frame(dead, person("child", CHILD, years_ago(30)))
    alive = living(withhold_values(persons, find_implausible(persons, RULE, DAY)))
    assert heads(alive)["head_person_id"].to_list() == ["child"]


@pytest.mark.parametrize(
    ("born", "is_possible"),
    [
        (years_ago(125), True),
        (date(1900, 1, 26), False),
        (date(1899, 5, 1), False),
        (DAY, True),
        (date(2026, 1, 27), False),
    ],
)
def test_nobody_is_older_than_the_oldest_nor_born_after_the_decision(born: date, is_possible: bool) -> None:  # noqa: FBT001
    assert (found(person("a", HEAD, born)) == []) == is_possible


def test_an_unknown_birth_date_makes_the_counts_by_age_unknown_and_keeps_the_person() -> None:
    persons = frame(MOTHER, person("unborn", CHILD, date(2027, 1, 1)))
    alive = living(withhold_values(persons, find_implausible(persons, RULE, DAY)))
    row = rolled_up(alive, heads(alive), DAY).row(0, named=True)
    counts = ("under_seven_count", "school_age_count", "elderly_count", "children_out_of_school_count")
    assert [row[name] for name in counts] == [None] * 4
    assert (row["household_size"], row["head_age"]) == (2, 33)


def test_nothing_is_found_among_nobody() -> None:
    assert found() == []
    assert withhold_values(frame(), find_implausible(frame(), RULE, DAY)).height == 0
