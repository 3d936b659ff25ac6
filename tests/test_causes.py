"""Why a family moved, in cases a lawyer can read (`tests/law/causes.yaml`), each checked by deciding all anew."""

from collections.abc import Mapping
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from pydantic import Field

from assets.decision.causes import ORDER
from assets.decision.compared import Before, Now
from assets.decision.decide import decide
from assets.decision.families import Terms
from assets.decision.transitions import transitions
from quotas.parameters import Strict, read_yaml, validated
from schemas.vocabularies import Cause
from tests.cause_oracle import Quarterly, find_causes_slowly
from tests.law_cases import Member, Wording
from tests.made_families import HERE, Made, cut_points, families, scorecard, seats, sitting, sources, terms

DAY = date(2026, 1, 26)
CARDS = {"fewer metres are poorer": scorecard(), "more metres are poorer": scorecard(falls=True)}
UNDECILED = {"programmes.PKH.max_decile": None, "programmes.BPNT.max_decile": None}
PARENT_AND_CHILD = (Member(age=33), Member(age=3))


class State(Strict):
    """A family in a quarter; `found_by_bps` names answers that BPS gives."""

    metres: int | None = None
    members: tuple[Member, ...] | None = None
    facts: Mapping[str, int | None] | None = None
    found_by_bps: frozenset[str] = frozenset()
    registered: date = date(2025, 10, 1)


class Family(Strict):
    """A family then and now: without `then` it is new, with `now: null` gone, without `now` as it was."""

    then: State | None = None
    now: State | None = Field(default_factory=State)
    lot: int | None = None
    received_before_then: bool = False


class TwoTimes(Strict):
    """A number of then and of now."""

    then: int
    now: int


class Days(Strict):
    """Days of decision."""

    then: date
    now: date


class Laws(Strict):
    """Values of the rulebook by dotted path."""

    then: Mapping[str, object] = Field(default_factory=dict)
    now: Mapping[str, object] = Field(default_factory=dict)


class Scorecards(Strict):
    """Which way welfare goes by the scorecard."""

    then: Literal["fewer metres are poorer", "more metres are poorer"]
    now: Literal["fewer metres are poorer", "more metres are poorer"]


class Draws(Strict):
    """Seeds of the lottery."""

    then: str
    now: str


class CauseCase(Strict):
    """Families of one regency in two quarters, and the cause of every move in PKH.

    `several` are those whom no single factor kept from their status; `first_quarter` those on the list of current
    recipients where nobody was assessed before.
    """

    case: Wording
    families: Mapping[str, Family]
    places: TwoTimes = TwoTimes(then=1, now=1)
    days: Days = Days(then=DAY, now=DAY)
    law: Laws = Field(default_factory=Laws)
    scorecard: Scorecards | None = None
    decile_width: TwoTimes = TwoTimes(then=100, now=100)
    draws: Draws | None = None
    first_quarter: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    causes: Mapping[str, Cause]

    def quarters(self) -> tuple[Quarterly, Quarterly]:
        """Both quarters as the oracle takes them."""
        made: tuple[list[Made], list[Made]] = ([], [])
        for name, family in self.families.items():
            if family.then is not None:
                made[0].append(_made(name, family, family.then, State(), self.days.then))
            if family.now is not None:
                made[1].append(_made(name, family, family.now, family.then or State(), self.days.now))
        received = [(name, "PKH") for name, family in self.families.items() if family.received_before_then]
        places = {HERE: (self.places.then, self.places.then)}
        then = Quarterly(made[0], places, self._terms("then", "2026Q1"), sitting(*received))
        return then, Quarterly(made[1], {HERE: (self.places.now, self.places.now)}, self._terms("now", "2026Q2"))

    def _terms(self, when: Literal["then", "now"], quarter: str) -> Terms:
        law = {**(UNDECILED if self.scorecard else {}), **getattr(self.law, when)}
        return terms(
            law or None,
            quarter=quarter,
            day=getattr(self.days, when),
            seed=getattr(self.draws, when) if self.draws else "the same draw",
            card=CARDS[getattr(self.scorecard, when) if self.scorecard else "fewer metres are poorer"],
            cuts=cut_points(getattr(self.decile_width, when)),
        )

    @property
    def stated(self) -> dict[str, tuple[str, bool]]:
        """Cause, and whether it alone decided, of every family that moved."""
        return {name: (cause.value, name not in self.several) for name, cause in self.causes.items()}


class CauseBook(Strict):
    """The file of cases."""

    causes: tuple[CauseCase, ...]


def _made(name: str, family: Family, state: State, before: State, day: date) -> Made:
    members = next((one for one in (state.members, before.members) if one is not None), PARENT_AND_CHILD)
    metres = next((one for one in (state.metres, before.metres) if one is not None), 10)
    return Made(
        name, metres, tuple(one.person(day) for one in members), facts={**(before.facts or {}), **(state.facts or {})},
        by_bps=state.found_by_bps, registered=state.registered, number=family.lot,
    )  # fmt: skip


FILE = Path(__file__).parent / "law" / "causes.yaml"
CASES = validated(CauseBook, read_yaml(FILE.read_text(encoding="utf-8"), FILE.name), FILE.name).causes
TESTED = [one for one in CASES if not one.first_quarter]


def find_causes_in(case: CauseCase) -> dict[str, tuple[str, bool]]:
    """What production says of the moves in PKH."""
    then, now = case.quarters()
    made = families(*now.made)
    if case.first_quarter:
        before = sitting(*((name, "PKH") for name in case.first_quarter)).with_columns(regency_code=pl.lit(HERE))
        history = Before(before.with_columns(reasons=pl.lit(None, pl.List(pl.String))), families(), None, None)
    else:
        before = decide(families(*then.made), then.terms, seats(then.places), then.before)
        history = Before(before, families(*then.made), then.terms, seats(then.places))
    decided = decide(made, now.terms, seats(now.places), before)
    rows = transitions(Now(made, sources(*now.made), decided, now.terms, seats(now.places)), history)
    mine = rows.filter(pl.col("programme") == "PKH", pl.col("cause").is_not_null())
    return {name: (cause, told) for name, cause, told in mine.select("family_id", "cause", "is_decisive").iter_rows()}


@pytest.mark.parametrize("case", CASES, ids=[one.case for one in CASES])
def test_the_law_tells_why_a_family_moved(case: CauseCase) -> None:
    assert find_causes_in(case) == case.stated


@pytest.mark.slow
@pytest.mark.parametrize("case", TESTED, ids=[one.case for one in TESTED])
def test_whole_decisions_with_each_factor_as_it_was_tell_the_same(case: CauseCase) -> None:
    told = {key[0]: row[2:] for key, row in find_causes_slowly(*case.quarters()).items() if key[1] == "PKH"}
    assert {name: row for name, row in told.items() if row[0] is not None} == case.stated


def test_every_cause_has_a_case_in_which_it_alone_decides() -> None:
    decisive = {cause for one in CASES for name, cause in one.causes.items() if name not in one.several}
    assert decisive == {*Cause} - {Cause.COMPETITORS}


def changed(case: CauseCase) -> set[Cause]:
    """The factors that are others for the family asked."""
    asked, rest = case.families["asked"], [one for name, one in case.families.items() if name != "asked"]
    then, now = asked.then, asked.now
    if then is None or now is None:
        return set()
    facts = {name for name, value in (now.facts or {}).items() if value != (then.facts or {}).get(name)}
    evidence = {name for name in facts if name in {"has_pensioner", "electricity_va"}}
    answers = facts - evidence | ({"floor_area_m2"} if now.metres is not None else set())
    found = {
        Cause.OWN_DATA: bool(answers - now.found_by_bps) or now.members is not None or case.days.then != case.days.now
        or now.registered != then.registered,
        Cause.BPS_CORRECTION: bool(now.found_by_bps),
        Cause.EVIDENCE: bool(evidence),
        Cause.MODEL: case.scorecard is not None or case.decile_width.then != case.decile_width.now,
        Cause.POLICY: case.law.then != case.law.now,
        Cause.SEATS: case.places.then != case.places.now,
        Cause.NEWCOMERS: any(one.then is None for one in rest),
        Cause.OTHERS_DATA: any(one.then is not None and one.now != State() for one in rest),
        Cause.LOTTERY: case.draws is not None,
    }  # fmt: skip
    return {cause for cause, is_changed in found.items() if is_changed}


def test_every_pair_of_causes_has_a_case_in_which_both_changed() -> None:
    pairs = {pair for one in TESTED if "asked" in one.families for pair in combinations(sorted(changed(one)), 2)}
    assert {*combinations(sorted(ORDER), 2)} - pairs == set()
    assert len(CASES) >= 30
