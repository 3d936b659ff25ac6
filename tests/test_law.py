"""The law in cases a lawyer can read (`tests/law/*.yaml`), each decided; a value without a case fails."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from pydantic import Field

from assets.decision.decide import decide
from assets.decision.ranking import ORDER, RESERVED, SITTING
from assets.decision.referrals import referrals
from quotas.parameters import Strict, read_yaml, validated
from quotas.referrals import Referral
from quotas.rules import Filter, Operator, Unknown
from schemas.vocabularies import Programme, Shock, Status
from tests.made_families import NOBODY, Made, Person, column_of, families, seats, sitting, terms

FOLDER = Path(__file__).parent / "law"
TODAY = date(2026, 1, 26)
DISABILITY = {"cannot": 1, "much": 2, "some": 3, "none": 4}


class Member(Strict):
    """A person by age on the day of decision, whose birthday it is then, or by day of birth; the first is the head."""

    age: int | None = None
    born: date | None = None
    pregnant: bool = False
    school: Literal["primary", "junior_secondary", "senior_secondary", "university"] | None = None
    disability: Literal["cannot", "much", "some", "none"] = "none"
    rights_victim: bool | None = False

    def person(self, day: date) -> Person:
        """The member as the registry holds him."""
        born = self.born or day.replace(year=day.year - (self.age or 0))
        victim = None if self.rights_victim is None else int(self.rights_victim)
        return Person(born, self.pregnant, self.school, DISABILITY[self.disability], victim)


class Other(Strict):
    """Another family of the same regency, newcomer unless it receives, that competes for the same places."""

    decile: int
    members: tuple[Member, ...]
    receives: tuple[Programme, ...] = ()


class Expected(Strict):
    """What must be decided in a programme; reasons in any order, components highest amount first."""

    status: Status
    amount: int = 0
    reasons: tuple[str, ...] = ()
    components: tuple[str, ...] | None = None
    placed_by: str | None = None


class Case(Strict):
    """A family and what the law makes of it; `under` changes values of the rulebook by dotted path.

    `facts` are facts of the record and answers by code; `struck` are shocks with their days.
    """

    case: str = Field(pattern=r"^[A-Z].*\.$")
    decided_on: date
    regency: str
    decile: int | None
    members: tuple[Member, ...]
    facts: Mapping[str, int | None] = Field(default_factory=dict)
    verified: bool = False
    identity_case: bool = False
    receives: tuple[Programme, ...] = ()
    places: int = 1
    beside: tuple[Other, ...] = ()
    struck: Mapping[Shock, date] = Field(default_factory=dict)
    under: Mapping[str, object] = Field(default_factory=dict)
    expected: Mapping[Programme, Expected]
    referred: tuple[str, ...] | None = None

    @property
    def people(self) -> tuple[Person, ...]:
        """Members as the registry holds them."""
        return tuple(one.person(self.decided_on) for one in self.members)


class Book(Strict):
    """A file of cases; what `family` states holds in each case that does not state it itself."""

    family: Mapping[str, object]
    cases: tuple[Mapping[str, object], ...]


def read_cases() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*.yaml")):
        book = validated(Book, read_yaml(path.read_text(encoding="utf-8"), path.name), path.name)
        for number, stated in enumerate(book.cases, start=1):
            yield validated(Case, {**book.family, **stated}, f"{path.name}: case {number}")


CASES = list(read_cases())
POLICY = terms().policy
IN_FORCE = [one for one in CASES if one.decided_on == TODAY and not one.under]


@pytest.mark.parametrize("case", CASES, ids=[one.case for one in CASES])
def test_the_law_decides(case: Case) -> None:
    family = Made(
        "the family", case.decile and case.decile * 100, case.people, case.regency, case.facts,
        is_verified=case.verified, case="a case" if case.identity_case else None,
    )  # fmt: skip
    others = [
        Made(
            f"other {number}",
            one.decile * 100,
            tuple(each.person(case.decided_on) for each in one.members),
            case.regency,
        )
        for number, one in enumerate(case.beside)
    ]
    receiving = [("the family", code.value) for code in case.receives]
    receiving += [(f"other {number}", code.value) for number, one in enumerate(case.beside) for code in one.receives]
    before = sitting(*receiving) if receiving else NOBODY
    frames, on = families(family, *others), terms(case.under, day=case.decided_on)
    decided = decide(frames, on, seats({case.regency: (case.places, case.places)}), before)
    assert {*case.expected} == {*Programme}
    for programme, expected in case.expected.items():
        columns = ("status", "amount_rupiah", "reasons", "components")
        status, amount, reasons, components = (
            column_of(decided, column, programme.value)["the family"] for column in columns
        )
        assert (status, amount) == (expected.status, expected.amount)
        assert sorted(reasons) == sorted(expected.reasons)
        if expected.placed_by is not None:
            assert column_of(decided, "placed_by", programme.value)["the family"] == expected.placed_by
        assert expected.components is None or tuple(components) == expected.components
    if case.referred is not None:
        rows = [("the family", shock.value, day) for shock, day in case.struck.items()]
        schema = {"family_id": pl.String, "shock": pl.String, "shock_date": pl.Date}
        referred = referrals(
            frames,
            pl.DataFrame(rows, schema=schema, orient="row"),
            decided.with_columns(reference="family_id", quarter=pl.lit("2026Q1")),
            on,
        )
        assert sorted(referred.filter(family_id="the family")["referral"]) == sorted(case.referred)


def test_no_case_is_written_twice() -> None:
    assert len({one.case for one in CASES}) == len(CASES)
    assert len({one.model_copy(update={"case": ""}).model_dump_json() for one in CASES}) == len(CASES)


def observed(rule: Filter) -> set[int | None]:
    """Values of the filter's fact in the cases that state it, in Banyuwangi under the law in force."""
    return {one.facts[rule.fact] for one in IN_FORCE if rule.fact in one.facts and one.regency == "35.10"}


@pytest.mark.parametrize("rule", POLICY.filters, ids=[one.code for one in POLICY.filters])
def test_every_filter_has_cases_on_both_sides_of_its_threshold_and_for_unknown_evidence(rule: Filter) -> None:
    limit = POLICY.minimum_wage("35.10") if rule.threshold == "minimum_wage" else rule.threshold or 0
    sides = {Operator.ABOVE: {limit, limit + 1}, Operator.BELOW: {limit, limit - 1}}.get(rule.operator, {0, 1})
    assert observed(rule) >= {None, *sides}


@pytest.mark.parametrize("programme", Programme)
def test_the_last_decile_of_each_programme_and_the_next_have_a_case(programme: Programme) -> None:
    last = POLICY.programmes[programme].max_decile
    assert last is not None
    statuses = {one.decile: one.expected[programme].status for one in IN_FORCE if not one.facts and one.places}
    assert statuses[last] == "recipient"
    assert statuses[last + 1] == "ineligible"


def test_every_component_has_a_case_that_pays_it_alone_and_both_sides_of_its_ages() -> None:
    alone = {one.expected[Programme.PKH].components: one.expected[Programme.PKH].amount for one in IN_FORCE}
    born = {person.born for one in IN_FORCE for person in one.people}
    for component in POLICY.programmes[Programme.PKH].components:
        assert alone.get((component.code,)) == component.amount_rupiah
        if component.fact == "age_years":
            turning = {component.minimum or 0, (component.maximum or component.minimum or 0) + bool(component.maximum)}
            for years in turning - {0}:
                birthday = TODAY.replace(year=TODAY.year - years)
                assert {birthday, birthday.replace(day=TODAY.day + 1)} <= born


def test_every_cap_has_a_case_in_which_somebody_is_left_out() -> None:
    rule = POLICY.programmes[Programme.PKH]
    full = [(one.expected[Programme.PKH].components or (), len(one.members)) for one in IN_FORCE]
    for component in rule.components:
        if component.max_members is not None:
            assert any(paid.count(component.code) == component.max_members < people for paid, people in full)
    assert any(len(paid) == rule.max_paid_members and people > len(paid) for paid, people in full)


def test_every_status_and_every_reason_has_a_case() -> None:
    told = {reason for one in CASES for expected in one.expected.values() for reason in expected.reasons}
    codes = {one.code for one in POLICY.filters}
    holding = {f"{one.code}_unknown" for one in POLICY.filters if one.unknown is Unknown.HOLD}
    assert told == codes | holding | {"no_component", "decile_above", "identity_case", "not_scorable"}
    assert {expected.status for one in CASES for expected in one.expected.values()} == set(Status)


def test_every_way_of_placing_has_a_case_of_somebody_placed_by_it() -> None:
    told = {expected.placed_by for one in CASES for expected in one.expected.values()}
    assert told >= {ORDER, SITTING, f"{RESERVED}elderly_alone"}


@pytest.mark.parametrize("rule", POLICY.referrals, ids=[one.code for one in POLICY.referrals])
def test_every_referral_has_a_case_for_it_and_one_against_it_for_each_of_its_conditions(rule: Referral) -> None:
    mine = [one for one in IN_FORCE if one.referred is not None and f"({rule.code})" in one.case]
    assert any(rule.code in (one.referred or ()) for one in mine)
    against = [one for one in mine if rule.code not in (one.referred or ())]
    assert len(against) >= len(rule.needs) - 1 + bool(rule.signs)
