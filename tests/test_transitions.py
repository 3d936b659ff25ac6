"""Transitions: where every family stood and stands, the one cause of each move, and a balance that holds.

Law cases of causes are in tests/test_causes.py.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from assets.checks import unbalanced_moves
from assets.decision.compared import Before, Now
from assets.decision.decide import decide
from assets.decision.families import Families, Terms
from assets.decision.results import movements
from assets.decision.transitions import transitions
from schemas.tables import TABLES
from schemas.vocabularies import Support
from tests.cause_oracle import Both, Key, Quarterly, find_causes_slowly, statuses_of
from tests.made_families import (
    ADULT,
    CHILD,
    ELDER,
    HERE,
    NOBODY,
    THERE,
    Made,
    Person,
    column_of,
    families,
    scorecard,
    seats,
    shuffled,
    sitting,
    sources,
    terms,
)

DAY = date(2026, 1, 26)
THEN, NOW = terms(day=DAY), terms(quarter="2026Q2", day=DAY)
"""The same day of decision in both, so that nothing but what a test changes can move anybody."""
UNDECILED = {"programmes.PKH.max_decile": None, "programmes.BPNT.max_decile": None}
A, B, C = Made("a", 10), Made("b", 20), Made("c", 30)


def quarterly(*made: Made, places: int = 1, on: Terms = THEN) -> Quarterly:
    return Quarterly(made, {HERE: (places, places)}, on)


def first_decided(then: Quarterly) -> pl.DataFrame:
    return decide(families(*then.made), then.terms, seats(then.places), NOBODY)


def carried(decided: pl.DataFrame) -> pl.DataFrame:
    return decided.select(
        "family_id", "programme", "status", "member_since", "held_since", "components", "score_micro", "amount_rupiah"
    )


def before_of(then: Quarterly, decided: pl.DataFrame) -> Before:
    return Before(decided, families(*then.made), then.terms, seats(then.places))


def now_of(now: Quarterly, sits: pl.DataFrame) -> Now:
    made = families(*now.made)
    decided = decide(made, now.terms, seats(now.places), sits)
    return Now(made, sources(*now.made), decided, now.terms, seats(now.places))


def moves(then: Quarterly, now: Quarterly) -> pl.DataFrame:
    decided = first_decided(then)
    rows = transitions(now_of(now, carried(decided)), before_of(then, decided))
    fitted = TABLES["decision/transitions"].fit(rows)
    TABLES["decision/transitions"].schema.validate(fitted)
    return fitted


def told(then: Quarterly, now: Quarterly) -> dict[str, tuple[str, str, str | None]]:
    """From, to and cause in PKH by family."""
    return told_in(moves(then, now))


def told_in(rows: pl.DataFrame, programme: str = "PKH") -> dict[str, tuple[str, str, str | None]]:
    mine = rows.filter(programme=programme).select("family_id", "from_status", "to_status", "cause")
    return {row[0]: row[1:] for row in mine.iter_rows()}


STAYS = ("recipient", "recipient", None)
WAITS = ("waiting", "waiting", None)


def test_who_stands_where_he_stood_has_no_cause() -> None:
    assert told(quarterly(A, B), quarterly(A, B, on=NOW)) == {"a": STAYS, "b": WAITS}


def test_own_data_that_change_move_the_family_and_the_others_are_moved_by_the_data_of_others() -> None:
    richer = replace(A, metres=25)
    assert told(quarterly(A, B, C), quarterly(richer, B, C, on=NOW)) == {
        "a": ("recipient", "waiting", "own_data"), "b": ("waiting", "recipient", "others_data"), "c": WAITS,
    }  # fmt: skip


def test_answers_that_nobody_gives_any_more_move_nobody() -> None:
    assert told(quarterly(A, B), quarterly(replace(A, metres=None), B, on=NOW)) == {"a": STAYS, "b": WAITS}


@pytest.mark.parametrize(
    "change",
    [{"members": (ADULT,)}, {"facts": {"has_consent": 0}}, {"facts": {"address_finding": 2}}],
)
def test_whatever_the_family_or_a_visit_says_is_own_data(change: dict[str, Any]) -> None:
    rows = told(quarterly(A, B), quarterly(replace(A, **change), B, on=NOW))
    assert rows["a"][0] == "recipient"
    assert rows["a"][2] == "own_data"
    assert rows["b"] == ("waiting", "recipient", "others_data")


@pytest.mark.parametrize(
    "change",
    [
        {"metres": 25, "by_bps": frozenset({"floor_area_m2"})},
        {"facts": {"address_finding": 2}, "by_bps": frozenset({"address_finding"})},
    ],
)
def test_what_bps_corrects_is_told_apart_from_what_the_family_says(change: dict[str, Any]) -> None:
    rows = told(quarterly(A, B), quarterly(replace(A, **change), B, on=NOW))
    assert (rows["a"][0], rows["a"][2]) == ("recipient", "bps_correction")
    assert rows["b"] == ("waiting", "recipient", "others_data")


def test_what_bps_confirms_and_was_so_before_leaves_the_cause_to_what_changed() -> None:
    confirmed = replace(A, members=(ADULT,), by_bps=frozenset({"floor_area_m2"}))
    assert told(quarterly(A, B), quarterly(confirmed, B, on=NOW))["a"] == ("recipient", "ineligible", "own_data")


@pytest.mark.parametrize(
    "fact",
    [
        ("living_member_count", 0), ("has_civil_servant", 1), ("has_soldier_or_police", 1), ("has_pensioner", 1),
        ("wage_rupiah_month", 9_000_000), ("electricity_va", 2200),
    ],
)  # fmt: skip
def test_whatever_an_agency_says_is_evidence(fact: tuple[str, int]) -> None:
    assert told(quarterly(A, B), quarterly(replace(A, facts=dict([fact])), B, on=NOW)) == {
        "a": ("recipient", "ineligible", "evidence"), "b": ("waiting", "recipient", "others_data"),
    }  # fmt: skip


def test_evidence_withdrawn_brings_a_family_back() -> None:
    excluded = replace(A, facts={"has_pensioner": 1})
    assert told(quarterly(excluded, B), quarterly(A, B, on=NOW)) == {
        "a": ("ineligible", "recipient", "evidence"), "b": ("recipient", "waiting", "others_data"),
    }  # fmt: skip


def test_a_new_family_comes_by_registration_and_displaces_as_a_newcomer() -> None:
    newcomer, excluded = Made("new", 1), Made("out", 2, facts={"has_pensioner": 1})
    assert told(quarterly(A, B), quarterly(A, B, newcomer, excluded, on=NOW)) == {
        "a": ("recipient", "waiting", "newcomers"), "b": WAITS,
        "new": ("new", "recipient", "registrations"), "out": ("new", "ineligible", "registrations"),
    }  # fmt: skip


def test_a_family_that_is_gone_leaves_its_place_to_the_next() -> None:
    assert told(quarterly(A, B, C), quarterly(B, C, on=NOW)) == {
        "a": ("recipient", "gone", "registrations"), "b": ("waiting", "recipient", "others_data"), "c": WAITS,
    }  # fmt: skip


def test_a_programme_that_begins_or_ends_for_families_on_record_is_policy() -> None:
    without = terms({"programmes.BPNT": None}, quarter="2026Q2", day=DAY)
    rows = told_in(moves(quarterly(A), quarterly(A, Made("new"), on=without)), "BPNT")
    assert rows == {"a": ("recipient", "gone", "policy")}
    begun = told_in(moves(quarterly(A, on=replace(without, quarter=THEN.quarter)), quarterly(A, on=NOW)), "BPNT")
    assert begun == {"a": ("new", "recipient", "policy")}


def test_every_status_may_be_the_last_of_a_family_that_is_gone() -> None:
    made = (A, B, replace(C, metres=None), Made("d", facts={"has_pensioner": 1}), Made("e", case="case-1"))
    rows = told(quarterly(*made), quarterly(on=NOW))
    assert {row[0] for row in rows.values()} == {"recipient", "waiting", "not_scorable", "ineligible", "held"}
    assert {row[1:] for row in rows.values()} == {("gone", "registrations")}


def test_places_added_promote_and_places_taken_displace_by_seats() -> None:
    one, two = quarterly(A, B, C), quarterly(A, B, C, places=2, on=NOW)
    assert told(one, two) == {"a": STAYS, "b": ("waiting", "recipient", "seats"), "c": WAITS}
    fewer = quarterly(A, B, C, on=NOW)
    assert told(quarterly(A, B, C, places=2), fewer) == {
        "a": STAYS, "b": ("recipient", "waiting", "seats"), "c": WAITS,
    }  # fmt: skip


def test_a_rule_that_changes_moves_those_it_excludes_and_those_who_follow_them_by_policy() -> None:
    stricter = terms({"programmes.PKH.components.early_childhood": None}, quarter="2026Q2", day=DAY)
    pupil = Made("pupil", 20, members=(ADULT, Person(date(2016, 3, 1), school="primary")))
    assert told(quarterly(A, pupil), quarterly(A, pupil, on=stricter)) == {
        "a": ("recipient", "ineligible", "policy"), "pupil": ("waiting", "recipient", "policy"),
    }  # fmt: skip


def test_another_scorecard_moves_by_model() -> None:
    then = terms(UNDECILED, day=DAY)
    turned = terms(UNDECILED, quarter="2026Q2", day=DAY, card=scorecard(falls=True))
    assert told(quarterly(A, B, on=then), quarterly(A, B, on=turned)) == {
        "a": ("recipient", "waiting", "model"), "b": ("waiting", "recipient", "model"),
    }  # fmt: skip


def test_other_cut_points_move_by_model() -> None:
    cuts = terms().cut_points.with_columns(pl.col("highest_score_micro") // 100)
    narrower = terms(quarter="2026Q2", day=DAY, cuts=cuts)
    assert told(quarterly(A), quarterly(A, on=narrower)) == {"a": ("recipient", "ineligible", "model")}


def test_another_draw_moves_equals_by_lottery() -> None:
    equals = [Made("a"), Made("b")]
    seeds = [f"drawn-in-public-{number}" for number in range(20)]
    draws = [terms(quarter="2026Q2", day=DAY, seed=seed) for seed in seeds]
    winner = column_of(first_decided(quarterly(*equals)), "status")
    won, lost = sorted(winner, key=lambda name: winner[name])
    other = next(one for one in draws if column_of(first_decided(quarterly(*equals, on=one)))[lost] == "recipient")
    assert told(quarterly(*equals), quarterly(*equals, on=other)) == {
        won: ("recipient", "waiting", "lottery"), lost: ("waiting", "recipient", "lottery"),
    }  # fmt: skip


def test_of_several_factors_without_which_the_status_would_have_been_kept_the_familys_own_comes_first() -> None:
    # Neither c's own data alone nor the second place alone would have given it the place that a newcomer takes.
    then, now = quarterly(A, C), quarterly(A, replace(C, metres=5), Made("new", 1), places=2, on=NOW)
    assert told(then, now) == {
        "a": ("recipient", "waiting", "newcomers"),
        "c": ("waiting", "recipient", "own_data"),
        "new": ("new", "recipient", "registrations"),
    }


def test_a_move_and_its_return_are_no_move() -> None:
    then, now = quarterly(A, B), quarterly(A, B, Made("new", 1), places=2, on=NOW)
    assert told(then, now)["a"] == STAYS


def test_both_programmes_have_causes_of_their_own() -> None:
    rows = moves(quarterly(A, B), quarterly(replace(A, members=(ADULT,)), B, on=NOW))
    causes = {row[:2]: row[2] for row in rows.select("family_id", "programme", "cause").iter_rows()}
    assert causes == {("a", "PKH"): "own_data", ("b", "PKH"): "others_data", ("a", "BPNT"): None, ("b", "BPNT"): None}


def first_quarter(now: Quarterly, *received: Key) -> pl.DataFrame:
    statuses = sitting(*received).with_columns(
        status=pl.lit("recipient"), regency_code=pl.lit(HERE),
        reasons=pl.lit(None, pl.List(pl.String)),
    )  # fmt: skip
    before = Before(statuses, families(), None, None)
    return transitions(now_of(now, sitting(*received)), before)


def test_in_a_first_quarter_whatever_moves_is_the_first_assessment() -> None:
    sits, rich = Made("sits", 10), Made("rich", 20)
    excluded, blank = Made("excluded", 5, facts={"has_pensioner": 1}), Made("blank", metres=None)
    now = quarterly(sits, rich, excluded, blank, Made("new", 15), places=3)
    received = [(name, "PKH") for name in ("sits", "rich", "excluded", "blank", "moved away")]
    assert told_in(first_quarter(now, *received)) == {
        "sits": STAYS,
        "rich": ("recipient", "waiting", "first_assessment"),
        "excluded": ("recipient", "ineligible", "first_assessment"),
        "blank": STAYS,
        "moved away": ("recipient", "gone", "first_assessment"),
        "new": ("new", "recipient", "first_assessment"),
    }


def test_who_received_one_programme_before_the_first_quarter_is_new_in_the_other() -> None:
    rows = first_quarter(quarterly(A, B), ("a", "PKH"), ("b", "BPNT"))
    assert told_in(rows) == {"a": STAYS, "b": ("new", "waiting", "first_assessment")}
    assert told_in(rows, "BPNT") == {
        "a": ("new", "recipient", "first_assessment"), "b": ("recipient", "waiting", "first_assessment"),
    }  # fmt: skip


def test_a_family_that_moves_is_told_once_where_it_lives_now() -> None:
    then = Quarterly([A, B], {HERE: (1, 1), THERE: (1, 1)}, THEN)
    now = Quarterly([replace(A, regency=THERE), B], then.places, NOW)
    rows = moves(then, now).filter(programme="PKH").select("family_id", "regency_code", "to_status", "cause").rows()
    assert rows == [("b", HERE, "recipient", "others_data"), ("a", THERE, "recipient", None)]


MEMBERS = [
    (ADULT, CHILD), (ADULT, CHILD), (ADULT, CHILD), (ADULT,), (ELDER,), (ELDER, ADULT),
    (ADULT, Person(date(2019, 3, 1))), (replace(ADULT, disability=1), CHILD),
    *((ADULT, replace(CHILD, supported_by=by)) for by in ((), (Support.BIRTH_RECORD,), (Support.AGENT_SURVEY,))),
    (replace(ADULT, is_rights_victim=1),),
]  # fmt: skip
"""One of them has a child that turns seven between the days of decision of the two quarters."""
STATE: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "metres": st.sampled_from([5, 6, 7, 8, 450, None]),
        "members": st.sampled_from(MEMBERS),
        "facts": st.sampled_from(
            [
                {},
                {},
                {},
                {"has_pensioner": 1},
                {"electricity_va": 1301},
                {"has_consent": 0},
                {"has_consent": None},
                {"address_finding": 2},
            ]
        ),
        "by_bps": st.sampled_from(
            [frozenset[str]()] * 2 + [frozenset({"floor_area_m2"}), frozenset({"address_finding"})]
        ),
        "case": st.sampled_from([None, None, None, "case-1"]),
    }
)
LIFE = st.tuples(
    STATE,
    st.one_of(st.just({}), st.just({}), STATE.map(lambda state: {"metres": state["metres"]}), STATE),
    st.sampled_from([(True, True)] * 5 + [(True, False), (False, True)]),
    st.booleans(),
)
"""A family then, what of it is another now, in which quarters it is on record, and whether it may have moved."""
PLACES = st.tuples(st.integers(0, 3), st.integers(0, 3))
FREE = st.fixed_dictionaries({HERE: PLACES, THERE: PLACES})
CHANGED: list[dict[str, Any]] = [
    {}, {}, {"card": scorecard(falls=True)}, {"changes": {"programmes.PKH.max_decile": 5}},
    {"changes": {"filters.electricity_above": None}}, {"seed": "drawn-in-public-1"}, {"seed": "drawn-in-public-2"},
]  # fmt: skip
REASON = {"id": "Tempat ini disediakan.", "en": "These places are kept."}
RESERVED = [{"fact": fact, "share": 0.5, "reason": REASON} for fact in ("elderly_alone", "severe_disability_count")]
RULES: list[dict[str, Any]] = [
    {}, {"ranking.sitting_margin_micro": 1_500}, {"ranking.reserved_places": RESERVED},
    {"programmes.BPNT.exclusive_with": "PKH"}, {"quotas.area": "district_code"},
    {"ranking.sitting_margin_micro": 1_500, "ranking.reserved_places": RESERVED,
     "programmes.BPNT.exclusive_with": "PKH"},
]  # fmt: skip
"""Rules beside the order by score: each may hold in both quarters, begin or end."""


@cache
def terms_of(quarter: str, rule: int, change: int) -> Terms:
    changed = dict(CHANGED[change])
    return terms({**RULES[rule], **changed.pop("changes", {})} or None, quarter=quarter, **changed)


@st.composite
def two_quarters(draw: st.DrawFn, *, movers: bool = False) -> tuple[Quarterly, Quarterly]:
    lives = draw(st.lists(LIFE, min_size=1, max_size=7))
    made: tuple[list[Made], list[Made]] = ([], [])
    for number, (state, change, on_record, elsewhere) in enumerate(lives):
        for time in (0, 1):
            there = number % 4 == 0 or (movers and elsewhere and number % 3 == 0 and time == 1)
            stated = {**state, **(change if time else {})}
            if on_record[time]:
                made[time].append(Made(f"f{number}", regency=THERE if there else HERE, **stated))
    rules = draw(st.tuples(*2 * [st.integers(0, len(RULES) - 1)]))
    begins, changes = draw(st.booleans()), draw(st.tuples(*2 * [st.integers(0, len(CHANGED) - 1)]))
    is_fixed = draw(st.booleans())
    law = [
        terms_of(quarter, rules[time if begins else 0], changes[0 if is_fixed else time])
        for time, quarter in enumerate(("2026Q1", "2026Q2"))
    ]
    then, now = (Quarterly(made[time], _by_area(draw(FREE), law[time]), law[time]) for time in (0, 1))
    return then, now


def _by_area(places: Mapping[str, Both], law: Terms) -> dict[str, Both]:
    """Places of regencies, or of the first district of each, in which all families of these tests live."""
    return {code if law.area == "regency_code" else f"{code}.01": both for code, both in places.items()}


@pytest.mark.slow
@settings(max_examples=120, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(two_quarters(movers=True))
def test_transitions_equal_one_whole_decision_per_factor_and_family(both: tuple[Quarterly, Quarterly]) -> None:
    rows = moves(*both).select("family_id", "programme", "from_status", "to_status", "cause", "is_decisive").rows()
    assert {row[:2]: row[2:] for row in rows} == find_causes_slowly(*both)
    assert len(rows) == len({row[:2] for row in rows})


@settings(max_examples=10)
@given(two_quarters(movers=True))
def test_the_last_world_is_the_decision_itself(both: tuple[Quarterly, Quarterly]) -> None:
    then, now = both
    decided = decide(families(*now.made), now.terms, seats(now.places), carried(first_decided(then)))
    rows = moves(then, now).filter(pl.col("to_status") != "gone")
    assert {row[:2]: row[2] for row in rows.select("family_id", "programme", "to_status").iter_rows()} == statuses_of(
        decided
    )


def balance(then: Quarterly, now: Quarterly) -> None:
    """Enters + promoted - leaves - displaced = change in filled places, for every area and programme."""
    filled: Counter[Key] = Counter()
    start = first_decided(then)
    end = decide(families(*now.made), now.terms, seats(now.places), carried(start))
    for sign, decided in ((-1, start), (1, end)):
        for area, code in decided.filter(status="recipient").select("regency_code", "programme").iter_rows():
            filled[area, code] += sign
    columns = ("regency_code", "from_regency_code", "programme", "from_status", "to_status")
    for area, area_before, code, before, after in moves(then, now).select(columns).iter_rows():
        filled[area, code] -= after == "recipient"
        filled[area_before, code] += before == "recipient"
    assert not any(filled.values())
    moved = movements(moves(then, now).lazy(), "2026Q2")
    received = start.filter(status="recipient").lazy()
    assert unbalanced_moves(moved.lazy(), end.lazy(), received) == 0
    if not moved.is_empty():
        more = moved.with_columns(pl.col("families") + 1)
        assert unbalanced_moves(more.lazy(), end.lazy(), received) > 0


@pytest.mark.slow
@settings(max_examples=20)
@given(two_quarters())
def test_who_enters_and_leaves_balances_with_the_change_in_filled_places(both: tuple[Quarterly, Quarterly]) -> None:
    balance(*both)


def test_the_balance_of_both_regencies_holds_where_a_recipient_moves() -> None:
    then = Quarterly([A], {HERE: (1, 1), THERE: (1, 1)}, THEN)
    balance(then, Quarterly([replace(A, regency=THERE)], then.places, NOW))


@settings(max_examples=8)
@given(two_quarters(movers=True), st.randoms(use_true_random=False))
def test_shuffled_rows_give_the_identical_transitions(both: tuple[Quarterly, Quarterly], dice: Random) -> None:
    then, now = both
    start = first_decided(then)
    before, here = before_of(then, start), now_of(now, carried(start))

    def mixed(whole: Families) -> Families:
        return Families(shuffled(whole.records, dice), shuffled(whole.members, dice))

    assert_frame_equal(
        transitions(
            Now(
                mixed(here.families), shuffled(here.sources, dice), shuffled(here.decided, dice), here.terms,
                shuffled(here.seats, dice),
            ),
            Before(shuffled(before.statuses, dice), mixed(before.families), before.terms, before.seats),
        ),
        transitions(here, before),
        check_row_order=False,
    )  # fmt: skip


def test_a_child_that_turns_seven_moves_its_family_by_own_data() -> None:
    growing = replace(A, members=(ADULT, Person(date(2019, 3, 1))))
    rows = told(quarterly(growing, on=terms()), quarterly(growing, on=terms(quarter="2026Q2")))
    assert rows == {"a": ("recipient", "ineligible", "own_data")}


def test_a_member_recognised_as_victim_of_rights_violations_is_evidence() -> None:
    then, now = (replace(A, members=(Person(is_rights_victim=mark),)) for mark in (0, 1))
    assert told(quarterly(then), quarterly(now, on=NOW)) == {"a": ("ineligible", "recipient", "evidence")}


@pytest.mark.parametrize("support", [Support.BIRTH_RECORD, Support.SCHOOL_ENROLMENT])
def test_a_component_that_an_agency_supports_now_is_evidence(support: Support) -> None:
    bare, known = (replace(A, members=(ADULT, replace(CHILD, supported_by=by))) for by in ((), (support,)))
    assert told(quarterly(bare), quarterly(known, on=NOW)) == {"a": ("held", "recipient", "evidence")}
    assert told(quarterly(known, places=0), quarterly(bare, on=NOW)) == {"a": ("waiting", "held", "evidence")}


def test_a_component_that_bps_saw_is_a_correction_by_bps_and_one_that_an_agent_saw_own_data() -> None:
    bare, by_bps, by_agent = (
        replace(A, members=(ADULT, replace(CHILD, supported_by=by)))
        for by in ((), (Support.BPS_VISIT,), (Support.AGENT_SURVEY,))
    )
    assert told(quarterly(bare), quarterly(by_bps, on=NOW)) == {"a": ("held", "recipient", "bps_correction")}
    assert told(quarterly(bare), quarterly(by_agent, on=NOW)) == {"a": ("held", "recipient", "own_data")}


def test_a_child_stated_anew_is_own_data_even_where_its_number_is_known_at_once() -> None:
    childless = replace(A, members=(ADULT,))
    assert told(quarterly(childless), quarterly(A, on=NOW)) == {"a": ("ineligible", "recipient", "own_data")}


def test_a_hold_that_is_over_is_own_data_whatever_else_changes() -> None:
    bare = replace(A, members=(ADULT, replace(CHILD, supported_by=())))
    later = terms({"programmes.PKH.max_paid_members": 3}, quarter="2026Q2", day=DAY)
    for on in (NOW, later):
        assert told(quarterly(bare), quarterly(bare, on=on)) == {"a": ("held", "ineligible", "own_data")}


def test_a_margin_for_sitting_families_is_policy_when_it_ends() -> None:
    margin = {"ranking.sitting_margin_micro": 5_001}
    poorer = Made("n", 5)
    kept_then, kept_now = terms(margin, day=DAY), terms(margin, quarter="2026Q2", day=DAY)
    begins = told(quarterly(A), quarterly(A, poorer, on=kept_now))
    assert begins == {"a": STAYS, "n": ("new", "waiting", "registrations")}
    lasts = told(quarterly(A, on=kept_then), quarterly(A, poorer, on=kept_now))
    assert lasts == {"a": STAYS, "n": ("new", "waiting", "registrations")}
    assert told(quarterly(A, on=kept_then), quarterly(A, poorer, on=NOW)) == {
        "a": ("recipient", "waiting", "policy"), "n": ("new", "recipient", "registrations"),
    }  # fmt: skip


def test_places_kept_for_a_group_are_policy_when_they_begin_and_when_they_end() -> None:
    reason = {"id": "Tempat ini disediakan.", "en": "These places are kept."}
    kept = {"ranking.reserved_places": [{"fact": "elderly_alone", "share": 1, "reason": reason}],
            "ranking.tie_breakers": []}  # fmt: skip
    old = Made("o", 30, (Person(date(1950, 1, 1)),))
    kept_then, kept_now = terms(kept, day=DAY), terms(kept, quarter="2026Q2", day=DAY)
    comes, goes = ("waiting", "recipient", "policy"), ("recipient", "waiting", "policy")
    assert told(quarterly(A, old), quarterly(A, old, on=kept_now)) == {"a": goes, "o": comes}
    assert told(quarterly(A, old, on=kept_then), quarterly(A, old, on=NOW)) == {"a": comes, "o": goes}
    assert told(quarterly(A, old, on=kept_then), quarterly(A, old, on=kept_now)) == {"a": WAITS, "o": STAYS}
