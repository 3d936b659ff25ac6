"""The law in cases a lawyer can read (`tests/law/*.yaml`), each decided; a value without a case fails."""

from dataclasses import replace
from datetime import date

import pytest
from pydantic import JsonValue

from assets.decision.ranking import ORDER, RESERVED, SITTING
from quotas.calendar import calendar_of
from quotas.parameters import Entry
from quotas.referrals import Referral
from quotas.rulebook import Rulebook, rulebook
from quotas.rules import Effect, Filter, Operator, Unknown
from schemas.vocabularies import Programme, Status
from tests.law_cases import FAMILIES, OTHERS, QUARTER, FamilyCase, OtherCase, alone, broken
from tests.law_mutants import survivors

TODAY = date(2026, 1, 26)
BOOK = rulebook()
POLICY = BOOK.on(TODAY)
SINCE = calendar_of(QUARTER).decision_date
IN_FORCE = [one for one in FAMILIES if one.decided_on == TODAY and not one.under]
BEFORE_ANY_DECISION = {
    "budget.national_ceiling": "what is told beside the amounts due: tests/test_budget.py",
    "intake.max_error_share": "which files are loaded: tests/test_intake.py",
    "publication.draw_parties": "whose secrets the draw rests on: tests/test_draws.py",
    "publication.names": "what public lists say: tests/test_lists.py",
    "registry.linkage_same_probability": "who is the same person: tests/test_linkage.py",
    "registry.linkage_clerk_probability": "who is the same person: tests/test_linkage.py",
    "welfare.visits_per_thousand_families": "whom BPS visits: tests/test_visits.py",
    "welfare.sample_per_thousand_families": "whom BPS visits: tests/test_visits.py",
    "welfare.drift_alarm": "which drift is warned of: tests/test_drift.py",
    "registry.clerk_cases_per_thousand_families": "what a clerk is asked: tests/test_identity_law.py",
    "registry.bps_answer_firm_days": "how long BPS's answer holds: tests/test_authority_limits.py",
    "registry.answer_expiry_spread_days": "when answers expire: tests/test_authority_limits.py",
    "registry.pending_visits_per_thousand_families": "whom BPS visits: tests/test_authority_limits.py",
    "registry.pending_visits_per_author": "whom BPS visits: tests/test_authority_limits.py",
    "registry.noticed_per_author": "what counts after notice: tests/test_authority_limits.py",
    "registry.in_person_checks_sampled_per_thousand": "whom BPS visits: tests/test_authority_limits.py",
}
"""Values by which no family, no place and no answer of a case is decided, and what they bound instead."""
SAID_TWICE = (
    "referrals.permakanan from 2025-01-01: needs: [2] minimum: ",
    "referrals.atensi_yapi from 2025-01-01: needs: [2] members: [{",
)
"""Conditions that others of the same rule imply, or that no case can state (whoever is not the head is his child)."""


@pytest.mark.parametrize("case", FAMILIES, ids=[one.case for one in FAMILIES])
def test_the_law_decides(case: FamilyCase) -> None:
    assert {*case.expected} == {*Programme}
    assert alone(case, BOOK) == case.stated


@pytest.mark.parametrize("case", OTHERS, ids=[one.case for one in OTHERS])
def test_the_law_shares_out_orders_and_believes(case: OtherCase) -> None:
    assert [*broken(BOOK, (), (case,))] == []


@pytest.mark.slow
def test_families_are_decided_beside_each_other_as_they_are_alone() -> None:
    assert [*broken(BOOK)] == []


def test_no_case_is_written_twice() -> None:
    cases = [*FAMILIES, *OTHERS]
    assert len({one.case for one in cases}) == len(cases)
    assert len({one.model_copy(update={"case": ""}).model_dump_json() for one in cases}) == len(cases)


AUTHORITY = {
    "senders": "what is loaded from whom: tests/test_senders.py",
    "standing": "what a statement does, in scenarios over quarters: tests/test_standing.py",
}


@pytest.mark.slow
@pytest.mark.parametrize("section", sorted({entry.path[0] for entry in BOOK.entries} - {*AUTHORITY}))
def test_no_value_of_the_rulebook_can_be_changed_without_a_case_being_decided_otherwise(section: str) -> None:
    unnoticed = [
        what
        for what in survivors(BOOK, SINCE, f"{section}.")
        if what.split(" ")[0] not in BEFORE_ANY_DECISION and not what.startswith(SAID_TWICE)
    ]
    assert unnoticed == []


def added(key: str, **changes: JsonValue) -> Rulebook:
    """The rulebook with one more filter, like another but for some of its values."""
    like = next(entry for entry in BOOK.entries if entry.key == f"filters.{key}")
    assert isinstance(like.value, dict)
    value = {**like.value, "code": "added", **changes}
    more = Entry(("filters", "added"), value, like.unit, like.description, like.source, like.valid_from, None)
    return Rulebook((*BOOK.entries, more), None)


@pytest.mark.slow
def test_a_filter_that_is_added_without_a_case_is_noticed() -> None:
    book = added("electricity_above", threshold=100_000, unknown="pass")
    assert [*broken(book)] == []
    unnoticed = [*survivors(book, SINCE, "filters.added")]
    assert any(what.endswith("-> None") for what in unnoticed)
    assert any(what.endswith("threshold: 100000 -> 100001") for what in unnoticed)


@pytest.mark.slow
def test_a_value_that_follows_later_is_noticed_until_it_has_a_case_of_its_own() -> None:
    last = next(entry for entry in BOOK.entries if entry.key == "programmes.BPNT.amount_rupiah")
    before = replace(last, valid_to=date(2026, 12, 31))
    later = replace(last, value=700_000, valid_from=date(2027, 1, 1))
    others = tuple(entry for entry in BOOK.entries if entry is not last)
    unnoticed = [*survivors(Rulebook((*others, before, later), None), SINCE, "programmes.BPNT.amount_rupiah")]
    assert [what.split(":")[0] for what in unnoticed] == ["programmes.BPNT.amount_rupiah from 2027-01-01"] * 2


def test_each_of_the_fifteen_categories_is_carried_out_by_a_filter() -> None:
    assert {number for one in POLICY.filters for number in one.categories} == set(range(1, 16))


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
    told = {reason for one in FAMILIES for expected in one.expected.values() for reason in expected.reasons}
    codes = {one.code for one in POLICY.filters if one.effect is Effect.EXCLUDE}
    holding = {f"{one.code}_unknown" for one in POLICY.filters if one.unknown is Unknown.HOLD}
    by_another_reading = {
        "car_owner", "land_above", "first_class_insurance", "taxed_income", "abnormal_transactions", "other_programme",
    }  # fmt: skip
    assert told == codes | holding | by_another_reading | {
        "no_component", "component_unconfirmed", "decile_above", "identity_case", "not_scorable",
    }  # fmt: skip
    assert {expected.status for one in FAMILIES for expected in one.expected.values()} == set(Status)


def test_everything_that_sends_to_the_field_has_a_case() -> None:
    sent = {code for one in IN_FORCE for expected in one.expected.values() for code in expected.ground_checks}
    found = {one.code for one in POLICY.filters if one.effect is Effect.GROUND_CHECK}
    unknown = {f"{one.code}_unknown" for one in POLICY.filters if one.unknown is not Unknown.PASS}
    assert sent == found | unknown | {"component_unconfirmed", "not_scorable"}


def test_every_way_of_placing_has_a_case_of_somebody_placed_by_it() -> None:
    told = {expected.placed_by for one in FAMILIES for expected in one.expected.values()}
    assert told >= {ORDER, SITTING, f"{RESERVED}elderly_alone"}


@pytest.mark.parametrize("rule", POLICY.referrals, ids=[one.code for one in POLICY.referrals])
def test_every_referral_has_a_case_for_it_and_one_against_it_for_each_of_its_conditions(rule: Referral) -> None:
    mine = [one for one in IN_FORCE if one.referred is not None and f"({rule.code})" in one.case]
    assert any(rule.code in (one.referred or ()) for one in mine)
    against = [one for one in mine if rule.code not in (one.referred or ())]
    assert len(against) >= len(rule.needs) - 1 + bool(rule.signs)
