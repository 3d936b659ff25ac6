"""The heart: equal to a plain slow reference, whatever the order of rows; its promises hold in any small world."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from itertools import product
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from assets.decision.decide import decide
from assets.decision.families import Families, Terms
from assets.decision.judge import eligibility, judge
from assets.decision.reviews import memberships
from quotas.rulebook import Policy
from quotas.rules import Component, Effect, Filter, ProgrammeRule, Unknown
from schemas.tables import TABLES
from schemas.vocabularies import Programme, Status, Support
from tests.made_families import (
    ADULT,
    CHILD,
    CLEAN,
    HERE,
    MICRO_PER_METRE,
    NOBODY,
    SCHOOL_LEVELS,
    THERE,
    Made,
    Person,
    column_of,
    families,
    held,
    scorecard,
    seats,
    shuffled,
    sitting,
    terms,
)

Both = tuple[int, int]
_Tests = dict[str, Callable[[int], bool]]
TERMS = terms()
SEEDS = [terms(seed=f"drawn-in-public-{number}") for number in range(3)]
RICHEST = 999


@dataclass(frozen=True)
class World:
    """A small country to decide on."""

    made: tuple[Made, ...]
    places: dict[str, Both]
    receives: frozenset[tuple[str, str]]
    terms: Terms = field(repr=False)
    paid_for: tuple[str, ...] | None = None
    held_since: Mapping[str, str] = field(default_factory=dict)

    @property
    def previous(self) -> pl.DataFrame:
        """The quarter before: who received, all paid for the same, and who was held in both programmes."""
        waiting = [(name, code.value, since) for name, since in self.held_since.items() for code in Programme]
        return pl.concat([sitting(*sorted(self.receives), paid_for=self.paid_for), held(*waiting)])

    def decided(self) -> pl.DataFrame:
        """What `decide()` makes of it."""
        return decide(families(*self.made), self.terms, seats(self.places), self.previous)


# The plain slow reference: the law as one would read it aloud.


def fails(rule: Filter, made: Made, policy: Policy) -> bool | None:
    fact = (CLEAN | dict(made.facts))[rule.fact]
    limit = policy.minimum_wage(made.regency) if rule.threshold == "minimum_wage" else rule.threshold or 0
    tests: _Tests = {
        "is_true": lambda fact: fact == 1,
        "is_false": lambda fact: fact == 0,
        "above": lambda fact: fact > limit,
        "below": lambda fact: fact < limit,
    }
    return None if fact is None else tests[rule.operator](fact)


def age(person: Person, day: date) -> int:
    return day.year - person.born.year - ((day.month, day.day) < (person.born.month, person.born.day))


def fits(one: Component, person: Person, day: date) -> bool:
    facts = {
        "age_years": age(person, day), "is_pregnant": int(person.is_pregnant), "school_level": person.school,
        "has_severe_disability": int(person.disability <= 2), "is_rights_victim": person.is_rights_victim,
    }  # fmt: skip
    fact = facts[one.fact]
    if one.equals is not None or not isinstance(fact, int):
        return one.equals is not None and fact == one.equals
    return (one.minimum is None or fact >= one.minimum) and (one.maximum is None or fact <= one.maximum)


def is_supported(one: Component, person: Person) -> bool:
    return not one.supported_by or person.supported_by is None or bool({*one.supported_by} & {*person.supported_by})


@cache
def paid(
    members: tuple[Person, ...], rule: ProgrammeRule, day: date, before: tuple[str, ...] | None = ()
) -> list[Component]:
    """Every way of paying each person for one component or none, and the dearest of them within the caps.

    Unsupported statements count as often as the family was paid for them before; all of them where that is not known.
    """
    dearest_first = sorted(rule.components, key=lambda one: (-one.amount_rupiah, one.code))
    choices = [[None, *(one for one in dearest_first if fits(one, person, day))] for person in members]
    best: list[Component] = []
    for way in product(*choices):
        chosen = [(one, person) for one, person in zip(way, members, strict=True) if one is not None]
        codes = [one.code for one, _ in chosen]
        bare = [one.code for one, person in chosen if not is_supported(one, person)]
        within = all(one.max_members is None or codes.count(one.code) <= one.max_members for one in dearest_first)
        known = before is None or all(bare.count(code) <= before.count(code) for code in bare)
        if within and known and len(codes) <= (rule.max_paid_members or 99):
            found = sorted((one for one, _ in chosen), key=dearest_first.index)
            best = max(best, found, key=total)
    return best


def total(components: Iterable[Component]) -> int:
    return sum(one.amount_rupiah for one in components)


def order(made: Made, world: World) -> tuple[Any, ...]:
    ages = [age(one, world.terms.days.decision_date) for one in made.members]
    drawn = hashlib.sha256(f"{world.terms.days.lottery_seed}|{made.card_number}".encode()).hexdigest()
    return (
        made.metres or math.inf,
        -sum(one.disability <= 2 for one in made.members),
        -(len(ages) == 1 and ages[0] >= 60),
        -sum(one.is_pregnant or years < 5 for one, years in zip(made.members, ages, strict=True)),
        -sum(years < 18 or years >= 60 for years in ages),
        made.registered,
        drawn,
    )


def hold_is_over(made: Made, world: World) -> bool:
    return world.held_since.get(made.name, "2026Q1") < "2026Q1"


def due_slowly(made: Made, code: Programme, world: World) -> list[Component]:
    people, rule, day = tuple(made.members), world.terms.policy.programmes[code], world.terms.days.decision_date
    if (made.name, code.value) in world.receives:
        return paid(people, rule, day, world.paid_for or None) or paid(people, rule, day, None)
    return paid(people, rule, day)


def is_unconfirmed(made: Made, code: Programme, world: World) -> bool:
    people, rule, day = tuple(made.members), world.terms.policy.programmes[code], world.terms.days.decision_date
    return total(paid(people, rule, day)) < total(paid(people, rule, day, None))


def awaits_slowly(made: Made, code: Programme, world: World) -> bool:
    is_new = (made.name, code.value) not in world.receives
    return is_new and not due_slowly(made, code, world) and is_unconfirmed(made, code, world)


def judged_slowly(made: Made, code: Programme, world: World) -> tuple[str, list[str], int]:
    policy, rule = world.terms.policy, world.terms.policy.programmes[code]
    mine = [one for one in policy.filters if code in one.programmes]
    due = due_slowly(made, code, world)
    newcomer = made.name not in {name for name, _ in world.receives}
    awaits = awaits_slowly(made, code, world) and not hold_is_over(made, world)
    against = [one.code for one in mine if one.effect is Effect.EXCLUDE and fails(one, made, policy)]
    if rule.components and not due and not awaits:
        against.append("no_component")
    if rule.max_decile and made.metres and made.metres > rule.max_decile * 100:
        against.append("decile_above")
    case = ["identity_case"] if made.case and newcomer and not made.is_verified else []
    waits = [f"{one.code}_unknown" for one in mine if one.unknown is Unknown.HOLD and fails(one, made, policy) is None]
    holds = case + (waits if newcomer else []) + (["component_unconfirmed"] if awaits else [])
    blank = [] if made.metres or is_kept_slowly(made, code, world) else ["not_scorable"]
    in_turn = [("held", case), ("ineligible", against), ("held", holds), ("not_scorable", blank)]
    status = next((word for word, reasons in in_turn if reasons), "eligible")
    amount = rule.amount_rupiah or total(due)
    if is_kept_slowly(made, code, world):
        amount = amount or min(one.amount_rupiah for one in rule.components)
    return status, against + holds + blank, amount


def is_kept_slowly(made: Made, code: Programme, world: World) -> bool:
    """Whether a recipient of the quarter before has nothing against it but that no answer of it can be used."""
    if made.metres or (made.name, code.value) not in world.receives:
        return False
    answered = replace(made, metres=1)
    return judged_slowly(answered, code, world)[0] == "eligible"


def visits_slowly(made: Made, code: Programme, world: World) -> list[str]:
    mine = [one for one in world.terms.policy.filters if code in one.programmes]
    holds = {one.code: fails(one, made, world.terms.policy) for one in mine}
    receives = made.name in {name for name, _ in world.receives}
    asks = {Unknown.PASS: False, Unknown.GROUND_CHECK: True, Unknown.HOLD: receives}
    found = [one.code for one in mine if one.effect is Effect.GROUND_CHECK and holds[one.code]]
    if is_unconfirmed(made, code, world) and (hold_is_over(made, world) or not awaits_slowly(made, code, world)):
        found.append("component_unconfirmed")
    if is_kept_slowly(made, code, world):
        found.append("not_scorable")
    return sorted(found + [f"{one.code}_unknown" for one in mine if holds[one.code] is None and asks[one.unknown]])


Row = tuple[str, list[str], int | None, int | None, int]


def decided_slowly(world: World) -> dict[tuple[str, str], Row]:
    decided: dict[tuple[str, str], Row] = {}
    for code in world.terms.policy.programmes:
        queues: defaultdict[str, list[Made]] = defaultdict(list)
        for made in world.made:
            status, reasons, _ = judged_slowly(made, code, world)
            decided[made.name, code.value] = (status, reasons, None, None, 0)
            if status == "eligible":
                queues[made.regency].append(made)
        for area, queue in queues.items():
            free = world.places.get(area, (0, 0))[code is Programme.BPNT]
            in_order = sorted(queue, key=lambda one: order(one, world))
            kept_first = sorted(in_order, key=lambda one: not is_kept_slowly(one, code, world))
            inside, outside = kept_first[:free], kept_first[free:]
            waiting = sorted(outside, key=in_order.index)
            for rank, made in enumerate(in_order, start=1):
                _, _, amount = judged_slowly(made, code, world)
                place = None if made in inside else waiting.index(made) + 1
                decided[made.name, code.value] = (
                    ("recipient", [], rank, None, amount) if place is None else ("waiting", [], rank, place, 0)
                )
    return decided


# Random small worlds, in which ties, every filter, components, caps, cases and missing answers are common.

ODD = [
    ("living_member_count", 0), ("has_civil_servant", 1), ("has_soldier_or_police", 1), ("has_pensioner", 1),
    ("wage_rupiah_month", 2_483_963), ("wage_rupiah_month", 2_989_146), ("electricity_va", 1301), ("has_consent", 0),
    ("address_finding", 1), ("address_finding", 2), ("is_identity_confirmed", None), ("other_aid_finding", 1),
    ("has_health_worker", 1), ("car_count", 1), ("land_area_m2", 20_001),
    ("gambling_rupiah", 5_000_000), ("gambling_rupiah", 5_000_001), ("refusal_finding", 1), ("refusal_finding", 2),
    *((fact, None) for fact in CLEAN),
]  # fmt: skip
BORN = [date(1950, 1, 1), date(1966, 1, 26), date(1966, 1, 27), date(1990, 6, 1), date(2010, 5, 1), date(2019, 1, 26),
        date(2019, 1, 27), date(2021, 1, 26), date(2021, 1, 27), date(2025, 12, 31)]  # fmt: skip
PEOPLE = st.builds(
    Person,
    born=st.sampled_from(BORN),
    is_pregnant=st.sampled_from([False, False, True]),
    school=st.sampled_from([None, *SCHOOL_LEVELS]),
    disability=st.sampled_from([4, 4, 3, 2, 1]),
    is_rights_victim=st.sampled_from([0, 0, 0, None, 1]),
    supported_by=st.sampled_from([None, None, (), (Support.BPS_VISIT,), (Support.SCHOOL_ENROLMENT,)]),
)
FAMILY = st.fixed_dictionaries(
    {
        "metres": st.sampled_from([5, 5, 5, 6, 7, 400, 401, 500, 501, None]),
        "members": st.lists(PEOPLE, min_size=1, max_size=6).map(tuple),
        "regency": st.sampled_from([HERE, HERE, THERE]),
        "facts": st.one_of(st.just({}), st.lists(st.sampled_from(ODD), max_size=3).map(dict)),
        "is_verified": st.booleans(),
        "case": st.sampled_from([None, None, "case-1"]),
        "registered": st.sampled_from([date(2025, 10, 1), date(2025, 10, 2)]),
    }
)
ROW = st.tuples(
    FAMILY, st.sampled_from([(), (), ("PKH",), ("BPNT",), ("PKH", "BPNT"), ("held", "2025Q4"), ("held", "2026Q1")])
)
PAID_FOR = st.sampled_from([None, (), ("early_childhood",), ("pregnant", "severe_disability"), ("primary",)])
PLACES = st.tuples(st.integers(0, 4), st.integers(0, 4))


def world_of(
    rows: list[tuple[dict[str, Any], tuple[str, ...]]],
    free: dict[str, Both],
    seed: int,
    paid_for: tuple[str, ...] | None,
) -> World:
    made = tuple(Made(f"f{number}", **row) for number, (row, _) in enumerate(rows))
    before = {f"f{number}": words for number, (_, words) in enumerate(rows)}
    receives = frozenset((name, code) for name, words in before.items() for code in words if words[0] != "held")
    held_since = {name: words[1] for name, words in before.items() if words[:1] == ("held",)}
    return World(made, free, receives, SEEDS[seed], paid_for, held_since)


def worlds(largest: int = 7) -> st.SearchStrategy[World]:
    free = st.fixed_dictionaries({HERE: PLACES}, optional={THERE: PLACES})
    seed = st.sampled_from(range(len(SEEDS)))
    return st.builds(world_of, st.lists(ROW, max_size=largest), free, seed, PAID_FOR)


def rows_of(decided: pl.DataFrame) -> dict[tuple[str, str], Row]:
    columns = ("family_id", "programme", "status", "reasons", "rank", "queue_position", "amount_rupiah")
    return {
        (row[0], row[1]): (row[2], sorted(row[3]), row[4], row[5], row[6])
        for row in decided.select(columns).iter_rows()
    }


def test_the_made_families_keep_the_contracts_of_the_registry() -> None:
    made = families(Made("a"), Made("b", metres=None, members=(Person(is_rights_victim=None, school="primary"),)))
    TABLES["registry/families"].schema.validate(made.records)
    TABLES["registry/members"].schema.validate(made.members)


@settings(max_examples=120)
@given(worlds())
def test_deciding_equals_the_plain_slow_reference(world: World) -> None:
    slowly = {key: (row[0], sorted(row[1]), *row[2:]) for key, row in decided_slowly(world).items()}
    decided = world.decided()
    assert rows_of(decided) == slowly
    visits = {(made.name, code): visits_slowly(made, code, world) for made in world.made for code in Programme}
    told = decided.select("family_id", "programme", "ground_checks").iter_rows()
    assert {(name, code): sorted(checks) for name, code, checks in told} == visits


@settings(max_examples=20)
@given(worlds(), st.randoms(use_true_random=False))
def test_shuffled_rows_give_the_identical_frame(world: World, dice: Random) -> None:
    made = families(*world.made)
    places_here, before = seats(world.places), world.previous

    mixed = Families(shuffled(made.records, dice), shuffled(made.members, dice))
    assert_frame_equal(
        decide(mixed, world.terms, shuffled(places_here, dice), shuffled(before, dice)),
        decide(made, world.terms, places_here, before),
    )


@settings(max_examples=20)
@given(worlds())
def test_deciding_area_by_area_equals_deciding_all_at_once(world: World) -> None:
    parts = [replace(world, made=tuple(one for one in world.made if one.regency == area)) for area in (HERE, THERE)]
    assert_frame_equal(pl.concat([part.decided() for part in parts]), world.decided(), check_row_order=False)


@settings(max_examples=40)
@given(worlds())
def test_the_statuses_partition_the_families_and_recipients_fit_the_places(world: World) -> None:
    decided = world.decided()
    keys = {(one.name, code.value) for one in world.made for code in Programme}
    assert decided.height == len(keys)
    assert set(decided.select("family_id", "programme").iter_rows()) == keys
    assert set(decided["status"]) <= set(Status)
    filled = decided.filter(pl.col("status") == "recipient").group_by("regency_code", "programme").len()
    for area, programme, count in filled.iter_rows():
        assert count <= world.places.get(area, (0, 0))[programme == "BPNT"]


@settings(max_examples=40)
@given(worlds())
def test_nobody_waits_while_a_place_is_free_or_a_richer_family_receives(world: World) -> None:
    for (area, programme), rows in world.decided().partition_by("regency_code", "programme", as_dict=True).items():
        receiving, queue = (rows.filter(pl.col("status") == word) for word in ("recipient", "waiting"))
        if queue.height:
            assert receiving.height == world.places.get(str(area), (0, 0))[programme == "BPNT"]
        for poorest in queue["score_micro"].to_list():
            assert all(score <= poorest for score in receiving["score_micro"])


@settings(max_examples=40)
@given(worlds())
def test_reasons_stand_exactly_at_those_who_are_not_listed(world: World) -> None:
    for status, reasons, rank, position, amount in rows_of(world.decided()).values():
        listed = status in {"recipient", "waiting"}
        assert listed == (not reasons) == (rank is not None)
        assert (status == "waiting") == (position is not None)
        assert (status == "recipient") == (amount > 0)


@settings(max_examples=40)
@given(worlds(), st.sampled_from([HERE, THERE]), st.sampled_from(list(Programme)))
def test_raising_a_quota_by_one_promotes_exactly_the_first_in_the_queue(
    world: World, area: str, programme: Programme
) -> None:
    pkh, bpnt = world.places.get(area, (0, 0))
    one_more = (pkh, bpnt + 1) if programme is Programme.BPNT else (pkh + 1, bpnt)
    before, after = world.decided(), replace(world, places={**world.places, area: one_more}).decided()
    moved = {key for key, row in rows_of(before).items() if rows_of(after)[key][0] != row[0]}
    first = (
        (pl.col("regency_code") == area) & (pl.col("programme") == programme.value) & (pl.col("queue_position") == 1)
    )
    assert moved == set(before.filter(first).select("family_id", "programme").iter_rows())
    assert all(rows_of(after)[key][0] == "recipient" for key in moved)


@settings(max_examples=40)
@given(worlds(), FAMILY)
def test_a_newcomer_changes_nobody_poorer(world: World, row: dict[str, Any]) -> None:
    newcomer = Made("newcomer", **row)
    before, after = world.decided(), replace(world, made=(*world.made, newcomer)).decided()
    richness = (newcomer.metres or RICHEST) * MICRO_PER_METRE
    poorer = pl.col("score_micro").is_null() | (pl.col("score_micro") < richness)
    kept = ["family_id", "programme", "status", "reasons", "rank", "queue_position", "amount_rupiah", "seats"]
    seen = before.filter(poorer).select(kept)
    assert_frame_equal(after.join(seen, on=["family_id", "programme"], how="semi").select(kept), seen)


def test_no_families_give_no_decisions_in_the_same_shape() -> None:
    nothing = decide(families(), TERMS, seats({HERE: (1, 1)}), NOBODY)
    something = decide(families(Made("a")), TERMS, seats({HERE: (1, 1)}), NOBODY)
    assert nothing.height == 0
    assert {*nothing.columns} == {*something.columns}


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"is_verified": True},
        {"members": (CHILD,)},
        {"answers": {"floor_area_m2": 1000}},
        {"answers": {"floor_area_m2": 0}},
    ],
)
def test_a_family_without_a_usable_answer_is_not_scorable_and_never_listed(row: dict[str, Any]) -> None:
    made = families(Made("blank", **{"metres": None, **row}), Made("poor", 999))
    decided = decide(made, terms({"programmes.PKH.max_decile": None}), seats({HERE: (9, 9)}), NOBODY)
    assert column_of(decided)["blank"] == column_of(decided, programme="BPNT")["blank"] == "not_scorable"
    assert column_of(decided, "reasons")["blank"] == ["not_scorable"]
    assert column_of(decided, "rank") == {"blank": None, "poor": 1}
    assert column_of(decided, "score_micro")["blank"] is None


def test_a_family_without_a_score_that_a_filter_excludes_is_ineligible_with_both_reasons() -> None:
    made = families(Made("blank", metres=None, facts={"has_pensioner": 1}))
    decided = decide(made, TERMS, seats({HERE: (9, 9)}), NOBODY)
    assert column_of(decided)["blank"] == "ineligible"
    assert column_of(decided, "reasons")["blank"] == ["pensioner", "not_scorable"]


def test_a_held_newcomer_takes_no_place_and_reserves_none() -> None:
    made = families(Made("held", 1, case="case-1"), Made("next", 2), Made("last", 3))
    decided = decide(made, TERMS, seats({HERE: (1, 1)}), NOBODY)
    assert column_of(decided) == {"held": "held", "next": "recipient", "last": "waiting"}
    assert column_of(decided, "reasons")["held"] == ["identity_case"]
    assert column_of(decided, "rank") == {"held": None, "next": 1, "last": 2}
    assert column_of(decided, "amount_rupiah")["held"] == 0


@pytest.mark.parametrize("protected", [{"is_verified": True}, {}])
def test_a_verified_or_sitting_family_with_a_case_is_decided_as_though_there_were_none(
    protected: dict[str, bool],
) -> None:
    receives = sitting() if protected else sitting(("a", "PKH"), ("a", "BPNT"))
    others = (Made("b", 2), Made("c", 3))
    for metres in (1, 4, None):
        for facts in ({}, {"has_civil_servant": 1}):
            family = Made("a", metres, facts=facts, **protected)  # type: ignore[arg-type]
            decided = [
                decide(families(replace(family, case=case), *others), TERMS, seats({HERE: (1, 1)}), receives)
                for case in (None, "case-1")
            ]
            assert_frame_equal(*(one.drop("case_id") for one in decided))


def test_where_both_sides_of_a_case_are_protected_neither_is_held() -> None:
    made = families(Made("sits", 1, case="case-1"), Made("verified", 2, case="case-1", is_verified=True))
    decided = decide(made, TERMS, seats({HERE: (2, 2)}), sitting(("sits", "PKH"), ("sits", "BPNT")))
    assert set(decided["status"]) == {"recipient"}


def test_a_case_that_is_held_tells_every_other_reason_too() -> None:
    made = families(Made("held", 999, members=(ADULT,), case="case-1", facts={"has_pensioner": 1, "has_consent": None}))
    decided = decide(made, TERMS, seats({HERE: (9, 9)}), NOBODY)
    assert column_of(decided)["held"] == "held"
    told = {"pensioner", "no_component", "decile_above", "identity_case", "no_consent_unknown"}
    assert set(column_of(decided, "reasons")["held"]) == told
    assert set(column_of(decided, "reasons", "BPNT")["held"]) == told - {"no_component"}


def test_holding_both_programmes_is_normal_and_each_has_its_own_queue() -> None:
    made = families(Made("both", 1), Made("childless", 2, members=(ADULT,)), Made("third", 3))
    decided = decide(made, TERMS, seats({HERE: (2, 1)}), NOBODY)
    assert column_of(decided) == {"both": "recipient", "childless": "ineligible", "third": "recipient"}
    assert column_of(decided, programme="BPNT") == {"both": "recipient", "childless": "waiting", "third": "waiting"}


def test_a_programme_that_policy_takes_away_is_not_decided() -> None:
    decided = decide(families(Made("a")), terms({"programmes.BPNT": None}), seats({HERE: (1, 1)}), NOBODY)
    assert decided["programme"].to_list() == ["PKH"]


def test_another_scorecard_puts_the_families_in_another_order() -> None:
    made = families(Made("a", 1), Made("b", 2))
    here = seats({HERE: (1, 0)})
    assert column_of(decide(made, TERMS, here, NOBODY))["a"] == "recipient"
    turned = terms({"programmes.PKH.max_decile": None}, card=scorecard(falls=True))
    assert column_of(decide(made, turned, here, NOBODY))["b"] == "recipient"


def test_the_two_halves_of_deciding_hold_what_their_contracts_promise() -> None:
    made = families(Made("b", None), Made("a"), Made("c", case="case-1"))
    judged = judge(made, TERMS)
    TABLES["decision/scores"].fit(
        judged.with_columns(model_hash=pl.lit(TERMS.scorecard.hash), input_hash=pl.lit("0" * 64))
    )
    rows = memberships(eligibility(judged, TERMS, NOBODY), made, TERMS, NOBODY)
    rows = rows.with_columns(input_hash=pl.lit("0" * 64))
    fitted = TABLES["decision/eligibility"].fit(rows)
    TABLES["decision/eligibility"].schema.validate(fitted)
    assert judged["family_id"].to_list() == ["a", "b", "c"]
    assert set(fitted["status"]) == {"eligible", "not_scorable", "held"}


def test_a_family_that_receives_one_programme_is_not_held_in_the_other() -> None:
    decided = decide(families(Made("a", 1, case="case-1")), TERMS, seats({HERE: (1, 1)}), sitting(("a", "PKH")))
    assert set(decided["status"]) == {"recipient"}


def test_a_verified_newcomer_is_held_while_a_fact_that_holds_is_unknown() -> None:
    made = families(Made("a", 1, is_verified=True, facts={"has_consent": None}))
    decided = decide(made, TERMS, seats({HERE: (1, 1)}), NOBODY)
    assert column_of(decided) == {"a": "held"}
    assert column_of(decided, "reasons")["a"] == ["no_consent_unknown"]
