"""What a programme pays: one component per person at the highest amount, the caps of kind and family, flat amounts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.decision.components import member_facts, of_members, payments
from assets.decision.decide import decide
from quotas.rules import ProgrammeRule
from schemas.tables import TABLES
from schemas.vocabularies import Programme, Support
from tests.made_families import (
    ADULT,
    HERE,
    NOBODY,
    SCHOOL_LEVELS,
    Made,
    Person,
    column_of,
    families,
    seats,
    shuffled,
    terms,
)

DAY = date(2026, 1, 26)
AMOUNTS = {
    "pregnant": 750_000, "early_childhood": 750_000, "primary": 225_000, "junior_secondary": 375_000,
    "senior_secondary": 500_000, "elderly": 600_000, "severe_disability": 600_000, "rights_victim": 2_700_000,
}  # fmt: skip
PREGNANT = Person(is_pregnant=True)
TODDLER = Person(date(2023, 5, 1))
ELDER = Person(date(1950, 1, 1))
DISABLED = Person(disability=1)
VICTIM = Person(is_rights_victim=1)
SD, SMP, SMA, UNIVERSITY = (Person(date(2012, 5, 1), school=level) for level in SCHOOL_LEVELS)
PEOPLE = [ADULT, PREGNANT, TODDLER, ELDER, DISABLED, VICTIM, SD, SMP, SMA, UNIVERSITY]


def rule(changes: Mapping[str, object] | None = None) -> ProgrammeRule:
    return terms({f"programmes.PKH.{key}": value for key, value in (changes or {}).items()} or None).policy.programmes[
        Programme.PKH
    ]


PKH = rule()


def paid(*members: Person, on: ProgrammeRule = PKH) -> tuple[list[str], int] | None:
    """Components and amount of the family of these members; None where it has none."""
    facts = member_facts(families(Made("a", members=members)).members, DAY)
    return paid_of(facts, on)["a"]


def paid_of(facts: pl.DataFrame, on: ProgrammeRule = PKH) -> dict[str, tuple[list[str], int] | None]:
    """Components and amount by family."""
    rows = resolved(facts, on).select("family_id", "components", "amount_due_rupiah").rows()
    return {name: None if amount is None else (components, amount) for name, components, amount in rows}


def resolved(
    facts: pl.DataFrame, on: ProgrammeRule = PKH, *, received: bool = False, before: Sequence[str] | None = None
) -> pl.DataFrame:
    """What the families of these members are paid, by family."""
    asked = of_members(facts, {Programme.PKH: on}).with_columns(
        received_before=pl.lit(received), components_before=pl.lit(before and [*before], pl.List(pl.String))
    )
    return asked.select("family_id").hstack(payments(asked, Programme.PKH, on).get_columns())


def due(*members: Person, received: bool = False, before: Sequence[str] | None = None) -> tuple[list[str] | None, bool]:
    """Components of the family of these members, and whether more would be paid if all of them were supported."""
    facts = member_facts(families(Made("a", members=members)).members, DAY)
    row = resolved(facts, received=received, before=before).row(0, named=True)
    return row["components"], row["is_unconfirmed"]


@pytest.mark.parametrize(
    ("person", "component"),
    [
        (PREGNANT, "pregnant"), (TODDLER, "early_childhood"), (SD, "primary"), (SMP, "junior_secondary"),
        (SMA, "senior_secondary"), (ELDER, "elderly"), (DISABLED, "severe_disability"), (VICTIM, "rights_victim"),
    ],
)  # fmt: skip
def test_each_component_pays_its_amount_per_quarter(person: Person, component: str) -> None:
    assert paid(ADULT, person) == ([component], AMOUNTS[component])


def test_the_rulebook_has_no_component_this_test_does_not_know() -> None:
    assert {one.code: one.amount_rupiah for one in PKH.components} == AMOUNTS


@pytest.mark.parametrize(
    "members", [(ADULT,), (UNIVERSITY,), (Person(disability=3),), (Person(is_rights_victim=None),)]
)
def test_a_family_without_a_component_is_paid_nothing(members: tuple[Person, ...]) -> None:
    assert paid(*members) is None


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        (date(2026, 1, 26), ["early_childhood"]), (date(2019, 1, 27), ["early_childhood"]), (date(2019, 1, 26), None),
        (date(1966, 1, 27), None), (date(1966, 1, 26), ["elderly"]), (date(1900, 1, 1), ["elderly"]),
    ],
)  # fmt: skip
def test_age_is_counted_in_completed_years_on_the_day_of_decision(born: date, expected: list[str] | None) -> None:
    assert paid(Person(born)) == (expected and (expected, AMOUNTS[expected[0]]))


def test_a_child_of_the_leap_day_turns_seven_on_the_first_of_march() -> None:
    facts = families(Made("a", members=(Person(date(2016, 2, 29)),))).members
    years = [member_facts(facts, day)["age_years"].item() for day in (date(2023, 2, 28), date(2023, 3, 1))]
    assert years == [6, 7]


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (1, "primary"), (5, "primary"), (6, "junior_secondary"), (10, "junior_secondary"), (11, "senior_secondary"),
        (17, "senior_secondary"), (18, None), (22, None), (None, None),
    ],
)  # fmt: skip
def test_the_level_attended_is_read_from_the_codes_of_the_questionnaire(code: int | None, word: str | None) -> None:
    members = families(Made("a", members=(SD,))).members.with_columns(school_level=pl.lit(code, pl.Int32))
    assert member_facts(members, DAY)["school_level"].to_list() == [word]


@pytest.mark.parametrize("participation", [1, 3])
def test_who_does_not_attend_is_no_pupil(participation: int) -> None:
    members = families(Made("a", members=(SD,))).members
    members = members.with_columns(school_participation=pl.lit(participation, pl.Int32))
    assert paid_of(member_facts(members, DAY)) == {"a": None}


@pytest.mark.parametrize(
    ("person", "component"),
    [
        (Person(date(2020, 5, 1), school="primary"), "early_childhood"),
        (Person(date(2012, 5, 1), school="senior_secondary", disability=2), "severe_disability"),
        (Person(date(1950, 1, 1), disability=1, is_rights_victim=1), "rights_victim"),
        (Person(date(2010, 1, 1), school="junior_secondary", is_pregnant=True), "pregnant"),
    ],
)
def test_a_person_who_fits_several_components_counts_once_at_the_highest_amount(person: Person, component: str) -> None:
    assert paid(person) == ([component], AMOUNTS[component])


@pytest.mark.parametrize(
    ("members", "components"),
    [
        ([TODDLER] * 3, ["early_childhood"] * 2),
        ([PREGNANT] * 3, ["pregnant"] * 2),
        ([PREGNANT] * 3 + [TODDLER] * 3, ["early_childhood"] * 2 + ["pregnant"] * 2),
        ([TODDLER] * 3 + [SD], ["early_childhood"] * 2 + ["primary"]),
        ([VICTIM] * 5, ["rights_victim"] * 4),
        ([ELDER] * 5, ["elderly"] * 4),
        ([DISABLED] * 5, ["severe_disability"] * 4),
        ([SD] * 5, ["primary"] * 4),
        ([SD, SD, SMP, SMA, ELDER, TODDLER], ["early_childhood", "elderly", "senior_secondary", "junior_secondary"]),
    ],
)
def test_caps_of_kind_and_the_four_of_the_family_keep_the_highest_amounts(
    members: list[Person], components: list[str]
) -> None:
    amount = sum(AMOUNTS[one] for one in components)
    assert paid(*members) == (components, amount)
    assert paid(*reversed(members)) == (components, amount)


def test_a_third_child_under_seven_who_is_at_school_is_paid_as_a_pupil() -> None:
    pupils = [Person(date(2020, 5, 1), school="primary")] * 3
    assert paid(*pupils) == (["early_childhood"] * 2 + ["primary"], 1_725_000)


def test_whoever_has_another_component_makes_room_for_whoever_has_none() -> None:
    first_grader = Person(date(2020, 5, 1), school="primary")
    assert paid(first_grader, TODDLER, TODDLER) == (["early_childhood"] * 2 + ["primary"], 1_725_000)
    expecting_pupil = Person(date(2010, 1, 1), school="junior_secondary", is_pregnant=True)
    assert paid(expecting_pupil, PREGNANT, PREGNANT) == (["pregnant"] * 2 + ["junior_secondary"], 1_875_000)


def test_a_person_whom_one_cap_leaves_out_is_still_within_the_four_of_the_family() -> None:
    first_graders = [Person(date(2020, 5, 1), school="primary")] * 6
    assert paid(*first_graders) == (["early_childhood"] * 2 + ["primary"] * 2, 1_950_000)


INVENTED = Person(date(2023, 5, 1), supported_by=())
UNSEEN = replace(PREGNANT, supported_by=())


@pytest.mark.parametrize("invented", [INVENTED, UNSEEN, replace(DISABLED, supported_by=())])
def test_a_newcomer_is_paid_nothing_for_what_is_only_stated(invented: Person) -> None:
    assert due(ADULT, invented) == (None, True)
    assert due(ADULT, invented, SD) == (["primary"], True)


@pytest.mark.parametrize("person", [SD, SMP, SMA, ELDER, VICTIM])
def test_schooling_age_and_a_victims_mark_need_no_further_source(person: Person) -> None:
    assert due(replace(person, supported_by=()))[1] is False


@pytest.mark.parametrize(
    ("person", "supports"),
    [
        (PREGNANT, {Support.HEALTH_RECORD, Support.AGENT_SURVEY, Support.BPS_VISIT}),
        (TODDLER, {Support.BIRTH_RECORD, Support.SCHOOL_ENROLMENT, Support.AGENT_SURVEY, Support.BPS_VISIT}),
        (DISABLED, {Support.DISABILITY_RECORD, Support.AGENT_SURVEY, Support.BPS_VISIT}),
    ],
)
def test_each_component_is_supported_by_the_sources_that_policy_names(person: Person, supports: set[Support]) -> None:
    found = {one for one in Support if due(replace(person, supported_by=(one,)))[0] is not None}
    assert found == supports


def test_two_invented_toddlers_beside_a_true_one_bring_nothing_more() -> None:
    assert due(TODDLER, INVENTED, INVENTED) == (["early_childhood"], True)


def test_a_recipient_keeps_what_it_was_paid_for_and_gets_no_more_for_what_is_only_stated() -> None:
    kept = due(INVENTED, INVENTED, received=True, before=["early_childhood"])
    assert kept == (["early_childhood"], True)
    assert due(INVENTED, UNSEEN, received=True, before=["early_childhood"]) == (["early_childhood"], True)


def test_a_recipient_who_has_nothing_else_left_is_paid_for_what_it_states_until_somebody_looked() -> None:
    assert due(INVENTED, received=True, before=["primary"]) == (["early_childhood"], True)


def test_a_recipient_of_whom_nobody_knows_what_it_was_paid_for_keeps_everything_stated() -> None:
    told = [due(INVENTED, UNSEEN, received=True, before=unknown) for unknown in (None, ())]
    assert told == [(["early_childhood", "pregnant"], True)] * 2


def test_the_other_reading_of_the_sources_pays_one_elderly_from_seventy() -> None:
    other = rule({"components.elderly.minimum": 70, "components.elderly.max_members": 1})
    assert paid(ELDER, ELDER, on=other) == (["elderly"], 600_000)
    assert paid(Person(date(1956, 1, 27)), on=other) is None
    assert paid(Person(date(1956, 1, 26)), on=other) == (["elderly"], 600_000)


def test_a_rule_without_caps_pays_everybody() -> None:
    capped = [one.code for one in PKH.components if one.max_members is not None]
    free = rule({"max_paid_members": None, **{f"components.{code}.max_members": None for code in capped}})
    assert paid(*[TODDLER] * 5, SD, on=free) == (["early_childhood"] * 5 + ["primary"], 3_975_000)


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=7), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_what_families_are_paid_hangs_neither_on_the_order_of_rows_nor_on_each_other(
    homes: list[list[Person]], dice: Random
) -> None:
    made = [Made(f"f{number}", members=tuple(home)) for number, home in enumerate(homes)]
    members = families(*made).members
    alone = {one.name: paid(*one.members) for one in made}
    assert paid_of(member_facts(shuffled(members, dice), DAY)) == alone
    assert all(told is None or len(told[0]) <= 4 for told in alone.values())


def test_pkh_without_a_component_is_refused_for_that_reason_and_bpnt_is_not() -> None:
    decided = decide(families(Made("a", members=(ADULT,))), terms(), seats({HERE: (1, 1)}), NOBODY)
    assert column_of(decided) == {"a": "ineligible"}
    assert column_of(decided, "reasons") == {"a": ["no_component"]}
    assert column_of(decided, programme="BPNT") == {"a": "recipient"}
    assert column_of(decided, "amount_rupiah", "BPNT") == {"a": 600_000}


def test_who_waits_is_told_what_would_be_due_and_paid_nothing() -> None:
    decided = decide(families(Made("a", members=(TODDLER, SD))), terms(), seats({HERE: (0, 0)}), NOBODY)
    assert column_of(decided) == {"a": "waiting"}
    assert column_of(decided, "amount_due_rupiah") == {"a": 975_000}
    assert column_of(decided, "amount_rupiah") == {"a": 0}


def test_the_payment_of_a_recipient_fits_its_contract() -> None:
    decided = decide(families(Made("a", members=(TODDLER, SD))), terms(), seats({HERE: (1, 1)}), NOBODY)
    added = {"reference": "R-1", "quarter": "2026Q1", "stage": 1}
    paid_out = decided.with_columns(pl.lit(value).alias(name) for name, value in added.items())
    fitted = TABLES["decision/payments"].fit(paid_out)
    TABLES["decision/payments"].schema.validate(fitted)
    assert fitted["components"].to_list() == [[], ["early_childhood", "primary"]]


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ((ELDER,), 1),
        ((ELDER, ELDER), 1),
        ((ELDER, ELDER, ELDER), 0),
        ((ELDER, ADULT), 0),
        ((ELDER, TODDLER), 0),
        ((ADULT,), 0),
    ],
)
def test_elderly_people_alone_or_in_pairs_are_families_of_one_or_two_all_sixty_or_older(
    people: tuple[Person, ...], expected: int
) -> None:
    counts = _counts(Made("f", members=people))
    assert counts["elderly_alone_or_pair"] == expected
    assert counts["elderly_count"] == people.count(ELDER)


def test_a_member_of_unknown_age_makes_no_pair_of_elderly_people() -> None:
    made = families(Made("f", members=(ELDER, ELDER)))
    unknown = made.members.with_columns(
        birth_date=pl.when(pl.int_range(pl.len()) == 0).then("birth_date").otherwise(None)
    )
    facts = member_facts(unknown, DAY)
    assert of_members(facts, {Programme.PKH: PKH})["elderly_alone_or_pair"].item() == 0


@pytest.mark.parametrize("source", Support)
def test_a_severe_disability_counts_for_reserved_places_where_a_source_of_its_component_supports_it(
    source: Support,
) -> None:
    asked = PKH.components
    named = next(one for one in asked if one.code == "severe_disability").supported_by
    counts = _counts(Made("f", members=(Person(disability=1, supported_by=(source,)), ADULT)))
    assert counts["severe_disability_count"] == 1
    assert counts["supported_disability_count"] == int(source in named)


def _counts(made: Made) -> dict[str, int]:
    facts = member_facts(families(made).members, DAY)
    return of_members(facts, {Programme.PKH: PKH}).row(0, named=True)
