"""The worlds a scenario passes through: one factor switched after the other, model, then policy, then seats.

The order is that of :mod:`assets.decision.transitions`. What becomes of the families in them is in `regencies`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from assets.decision.deciles import cut_points
from assets.decision.families import Terms
from assets.decision.places import places
from assets.lake import digest
from assets.simulation.scenario import Scenario, Seats
from assets.simulation.snapshot import Snapshot
from assets.welfare.scorecard import Scorecard
from quotas.parameters import canonical_json
from quotas.rulebook import Policy, rulebook
from quotas.rules import Ranking
from schemas.errors import Refused
from schemas.vocabularies import Cause, Programme

BASE, RANDOM = "base", "random"
_PLACES = ["regency_code", "programme", "seats"]
_NOT_JUDGED_BY = ("quotas", "ranking", "budget", "referrals")

CountEligible = Callable[[Terms], pl.DataFrame]
"""Area, programme and status of every eligible family of the nation under the terms."""


@dataclass(frozen=True)
class World:
    """Terms and places under which families are decided.

    Attributes
    ----------
    factor : Cause
        What was switched last on the way here.
    is_lottery : bool
        Whether lots alone order the eligible.
    """

    factor: Cause
    terms: Terms
    seats: pl.DataFrame
    is_lottery: bool = False

    @cached_property
    def judged_as(self) -> str:
        """Names everything but places and order: worlds in which it is equal find the same families eligible."""
        terms = self.terms
        return digest([terms.scorecard.hash, terms.cut_points.rows(), _entries(terms.policy, _NOT_JUDGED_BY)])


@dataclass(frozen=True)
class Run:
    """A column of the comparison: its name, and the worlds on the way to its own; none where nothing differs."""

    name: str
    worlds: tuple[World, ...]


def base_world(snapshot: Snapshot) -> World:
    """The world the quarter was decided in."""
    return World(Cause.OWN_DATA, snapshot.terms, snapshot.seats)


def random_run(snapshot: Snapshot) -> Run:
    """The lottery among the eligible of the quarter, in its places: what a ranking must do better than."""
    policy = replace(
        snapshot.terms.policy, ranking=Ranking(tie_breakers=(), reserved_places=(), sitting_margin_micro=0)
    )
    days = snapshot.terms.days.model_copy(update={"lottery_seed": lottery_seed(snapshot)})
    terms = replace(snapshot.terms, policy=policy, days=days)
    return Run(RANDOM, (World(Cause.LOTTERY, terms, snapshot.seats, is_lottery=True),))


def lottery_seed(snapshot: Snapshot) -> str:
    """Seed of the random baseline: that of the quarter and a word, so that its lots are others."""
    return f"{snapshot.terms.days.lottery_seed}|simulation"


def scenario_run(snapshot: Snapshot, scenario: Scenario, count_eligible: CountEligible) -> Run:
    """The worlds of a scenario.

    Parameters
    ----------
    count_eligible : callable
        Called only where places depend on who is eligible.

    Raises
    ------
    PolicyError
        If a change is unknown or wrong, or a rule reads a fact that the registry does not hold.
    Refused
        If places are given to an area that has none, or deciles are to be cut without a consumption survey.
    """
    base = snapshot.terms
    book = rulebook(scenario.over(snapshot.overlay))
    policy = book.on(base.days.decision_date) if scenario.changes else base.policy
    snapshot.house.check_facts(policy)
    worlds: list[World] = []
    terms = base
    if scenario.card is not None and scenario.card.hash != base.scorecard.hash:
        terms = replace(base, scorecard=scenario.card, cut_points=_cuts(snapshot, base.policy, scenario.card))
        worlds.append(World(Cause.MODEL, terms, snapshot.seats))
    if _entries(policy, ("quotas",)) != _entries(base.policy, ("quotas",)):
        cuts = terms.cut_points
        if policy.welfare != base.policy.welfare or (_asks_decile(policy) and cuts.is_empty()):
            cuts = _cuts(snapshot, policy, terms.scorecard)
        # Places follow in a step of their own.
        terms = replace(terms, policy=replace(policy, quotas=base.policy.quotas), cut_points=cuts)
        worlds.append(World(Cause.POLICY, terms, snapshot.seats))
    terms = replace(terms, policy=policy)
    seats = _seats(snapshot, scenario, terms, bool(worlds), count_eligible)
    if terms.area != base.area or not _places(seats).equals(_places(snapshot.seats)):
        worlds.append(World(Cause.SEATS, terms, seats))
    return Run(scenario.name, tuple(worlds))


def _entries(policy: Policy, without: tuple[str, ...]) -> str:
    """The values of a policy without some sections; their sources apart, which an overlay changes too."""
    return canonical_json(sorted((one.key, one.value) for one in policy.entries if one.path[0] not in without))


def _asks_decile(policy: Policy) -> bool:
    return any(rule.max_decile is not None for rule in policy.programmes.values())


def _cuts(snapshot: Snapshot, policy: Policy, card: Scorecard) -> pl.DataFrame:
    """Cut points of the scorecard's own scale."""
    if not _asks_decile(policy):
        return snapshot.terms.cut_points.clear()
    if snapshot.survey.is_empty():
        message = f"{snapshot.terms.quarter} has no consumption survey, on which the deciles would be cut anew."
        raise Refused(message)
    return cut_points(snapshot.survey, card, policy.welfare)


def _seats(
    snapshot: Snapshot, scenario: Scenario, terms: Terms, decided_otherwise: bool, count_eligible: CountEligible  # noqa: FBT001
) -> pl.DataFrame:  # fmt: skip
    rule, base = terms.policy.quotas, snapshot.terms.policy.quotas
    counted = rule.unused_places == "redistribute"
    seats = snapshot.seats
    if rule != base or (counted and decided_otherwise):
        eligible = count_eligible(terms) if counted else None
        seats = places(terms.policy, snapshot.figures, eligible, snapshot.seats_before)
    return _overridden(seats, scenario.seats, scenario.name)


def _overridden(seats: pl.DataFrame, given: Seats, name: str) -> pl.DataFrame:
    for programme, by_code in given.items():
        known = set(seats.filter(pl.col("programme") == programme)["regency_code"])
        stranger = next((code for code in by_code if code not in known), None)
        if stranger is not None:
            message = (
                f"scenario '{name}', seats: {Programme(programme)} has no places in {stranger!r}. Write Kemendagri "
                "codes with dots, as 35.10."
            )
            raise Refused(message)
        here = pl.col("programme") == programme
        placed = pl.col("regency_code").replace_strict(dict(by_code), default=None, return_dtype=pl.Int64)
        seats = seats.with_columns(seats=pl.when(here).then(pl.coalesce(placed, "seats")).otherwise("seats"))
    return seats


def _places(seats: pl.DataFrame) -> pl.DataFrame:
    return seats.select(_PLACES).sort(_PLACES)
