"""The causes of moves found the slow way: the whole area decided anew, once per factor and family.

Written from docs/method.md alone: nothing of `assets.decision.causes`, `compared` or `alone` is used. Families are
taken back at the level of what a test states of them. Nothing is asserted here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from assets.decision.decide import decide
from assets.decision.families import Terms
from assets.decision.judge import eligibility, judge
from assets.decision.ranking import rank, read_of
from schemas.vocabularies import Support
from tests.made_families import NOBODY, Made, Person, families, seats

Key = tuple[str, str]
Both = tuple[int, int]
Told = tuple[str, str, str | None, bool | None]
"""From, to, cause, and whether it alone decided."""
EVIDENCE = (
    "living_member_count", "has_civil_servant", "has_soldier_or_police", "has_pensioner", "wage_rupiah_month",
    "electricity_va",
)  # fmt: skip
AGENCIES = ("birth_record", "health_record", "disability_record", "school_enrolment")
ALL = (*AGENCIES, "agent_survey", "bps_visit")


@dataclass(frozen=True)
class Quarterly:
    """What a quarter is decided on."""

    made: Sequence[Made]
    places: Mapping[str, Both]
    terms: Terms = field(repr=False)
    before: pl.DataFrame = field(default_factory=lambda: NOBODY, repr=False)
    """Who received in the quarter before; the oracle asks it of the earlier quarter alone."""


@dataclass(frozen=True)
class Stands:
    """A family as it stands in a world: as stated, and whether it is as old, and has waited as long, as then."""

    made: Made
    as_then: bool = False


def find_causes_slowly(then: Quarterly, now: Quarterly) -> dict[Key, Told]:
    """From-status, to-status, cause and whether it is decisive of every family and programme."""
    start = decide(families(*then.made), then.terms, seats(then.places), then.before)
    end = decide(families(*now.made), now.terms, seats(now.places), start)
    known = {one.name: one for one in then.made}
    staying = {one.name for one in now.made} & {*known}
    told: dict[Key, Told] = {}
    first, last = statuses_of(start), statuses_of(end)
    for key in {*first, *last}:
        before, after = first.get(key, "new"), last.get(key, "gone")
        if before == "new" or after == "gone":
            told[key] = (before, after, "policy" if key[0] in staying else "registrations", True)
        elif before == after:
            told[key] = (before, after, None, None)
        else:
            told[key] = (before, after, *_find_cause(key, before, after, _Oracle(then, now, start)))
    return told


def statuses_of(decided: pl.DataFrame) -> dict[Key, str]:
    """Status by family and programme."""
    return {
        (name, code): status for name, code, status in decided.select("family_id", "programme", "status").iter_rows()
    }


def _find_cause(key: Key, before: str, after: str, oracle: "_Oracle") -> tuple[str, bool]:
    for cause, status in oracle.put_back(key):
        if status == before:
            return cause, True
    for cause, status in oracle.switch(key):
        if cause in {"seats", "newcomers", "others_data", "lottery"} and oracle.is_of_its_own(after):
            return "earlier_receipt", True
        if status == after:
            return cause, False
    return "others_data", False


@dataclass(frozen=True)
class _Oracle:
    then: Quarterly
    now: Quarterly
    start: pl.DataFrame

    def put_back(self, key: Key) -> Iterator[tuple[str, str | None]]:
        """Status of a family with each factor alone as it was."""
        me, was = (next(one for one in side.made if one.name == key[0]) for side in (self.now, self.then))
        others = [Stands(one) for one in self.now.made if one is not me]
        everybody, law, places = [Stands(one) for one in self.now.made], self.now.terms, self.now.places
        yield "own_data", self.status(key, [*others, Stands(own_as_it_was(me, was), as_then=True)], law, places)
        yield "bps_correction", self.status(key, [*others, Stands(uncorrected(me, was))], law, places)
        yield "evidence", self.status(key, [*others, Stands(with_evidence_of(me, was))], law, places)
        yield "model", self.status(key, everybody, self.law(model=self.then), places)
        yield "policy", self.status(key, everybody, self.law(policy=self.then), places)
        yield "seats", self.status(key, everybody, self.law(quotas=self.then), self.then.places)
        yield "newcomers", self.status(key, [one for one in everybody if self.is_known(one.made)], law, places)
        neighbours = [Stands(one, as_then=True) for one in self.then.made if one is not was]
        newcomers = [one for one in everybody if not self.is_known(one.made)]
        yield "others_data", self.status(key, [*neighbours, *newcomers, Stands(me)], law, places)
        yield "lottery", self.status(key, everybody, self.law(seed=self.then), places)

    def switch(self, key: Key) -> Iterator[tuple[str, str | None]]:
        """Status of a family after each factor was switched from then to now, those before it switched too."""
        me, was = (next(one for one in side.made if one.name == key[0]) for side in (self.now, self.then))
        neighbours = [Stands(one, as_then=True) for one in self.then.made if one is not was]
        newcomers = [Stands(one) for one in self.now.made if not self.is_known(one)]
        everybody = [Stands(one) for one in self.now.made]
        law, places = self.law(self.then, self.then, self.then, self.then), self.then.places
        own = (
            ("own_data", uncorrected(with_evidence_of(me, was), was)),
            ("bps_correction", with_evidence_of(me, was)),
            ("evidence", me),
        )
        earlier = Stands(was, as_then=True)
        for cause, made in own:
            if self.facts_of(key, Stands(made), law) != self.facts_of(key, earlier, law):
                yield cause, self.status(key, [*neighbours, Stands(made)], law, places)
            earlier = Stands(made)
        mine = [*neighbours, Stands(me)]
        of_then, of_now = self.then.terms, self.now.terms
        law = self.law(self.now, self.then, self.then, self.then)
        if (of_then.scorecard, of_then.cut_points.rows()) != (of_now.scorecard, of_now.cut_points.rows()):
            yield "model", self.status(key, mine, law, places)
        law = self.law(self.now, self.now, self.then, self.then)
        if of_then.policy != of_now.policy:
            yield "policy", self.status(key, mine, law, places)
        law, places = self.law(self.now, self.now, self.now, self.then), self.now.places
        if of_then.policy.quotas != of_now.policy.quotas or self.then.places != places:
            yield "seats", self.status(key, mine, law, places)
        if newcomers:
            yield "newcomers", self.status(key, [*mine, *newcomers], law, places)
        yield "others_data", self.status(key, everybody, law, places)
        yield "lottery", self.status(key, everybody, self.now.terms, places)

    def is_of_its_own(self, status: str) -> bool:
        """Whether other families have no part in a status."""
        programmes = self.now.terms.policy.programmes.values()
        is_exclusive = any(one.exclusive_with is not None for one in programmes)
        return status in {"held", "not_scorable"} or (status == "ineligible" and not is_exclusive)

    def is_known(self, made: Made) -> bool:
        """Whether a family was on record then."""
        return any(one.name == made.name for one in self.then.made)

    def law(
        self,
        model: Quarterly | None = None,
        policy: Quarterly | None = None,
        quotas: Quarterly | None = None,
        seed: Quarterly | None = None,
    ) -> Terms:
        """The law of now with parts as they were."""
        of_model, of_policy, of_quotas, of_seed = (
            (one or self.now).terms for one in (model, policy, quotas, seed)
        )  # fmt: skip
        return replace(
            self.now.terms,
            policy=replace(of_policy.policy, quotas=of_quotas.policy.quotas),
            scorecard=of_model.scorecard,
            cut_points=of_model.cut_points,
            days=self.now.terms.days.model_copy(update={"lottery_seed": of_seed.days.lottery_seed}),
        )

    def status(self, key: Key, world: Sequence[Stands], law: Terms, places: Mapping[str, Both]) -> str | None:
        """Status of a family in a world that is decided as a whole."""
        if not any(one.as_then for one in world):
            decided = decide(families(*(one.made for one in world)), law, seats(places), self.start)
        else:
            decided = rank(self.judged(world, law), seats(places), law)
        return statuses_of(decided).get(key)

    def judged(self, world: Sequence[Stands], law: Terms) -> pl.DataFrame:
        """The families before places are given, each on its day."""
        day = law.days.model_copy(update={"decision_date": self.then.terms.days.decision_date})
        on_days = {False: law, True: replace(law, quarter=self.then.terms.quarter, days=day)}
        return pl.concat(
            eligibility(judge(families(*made), on), on, self.start)
            for as_then, on in on_days.items()
            if (made := [one.made for one in world if one.as_then is as_then])
        )

    def facts_of(self, key: Key, stands: Stands, law: Terms) -> list[tuple[object, ...]]:
        """What ranking sees of a family."""
        columns = [*dict.fromkeys([*read_of(self.now.terms), *read_of(self.then.terms)])]
        return self.judged([stands], law).filter(family_id=key[0], programme=key[1]).select(columns).rows()


def own_as_it_was(now: Made, then: Made) -> Made:
    """The family as it was, but for what agencies state and what BPS found now."""
    found = {name: value for name, value in now.facts.items() if name in now.by_bps}
    facts = {name: value for name, value in then.facts.items() if name not in EVIDENCE and name not in now.by_bps}
    evidence = {name: value for name, value in now.facts.items() if name in EVIDENCE}
    return replace(
        then,
        metres=now.metres if "floor_area_m2" in now.by_bps else then.metres,
        facts={**facts, **found, **evidence},
        by_bps=now.by_bps,
        members=tuple(
            replace(
                was,
                is_rights_victim=here.is_rights_victim,
                supported_by=_supports(_by_agencies(here), _seen(here if _seen(here) == ["bps_visit"] else was)),
            )
            if here is not None
            else was
            for was, here in _pairs(then.members, now.members)
        ),
    )


def uncorrected(now: Made, then: Made) -> Made:
    """The family as it would be, had BPS not come this quarter."""
    facts = {name: value for name, value in now.facts.items() if name not in now.by_bps}
    facts |= {name: value for name, value in then.facts.items() if name in now.by_bps}
    return replace(
        now,
        metres=then.metres if "floor_area_m2" in now.by_bps else now.metres,
        facts=facts,
        members=tuple(
            replace(here, supported_by=_supports(_by_agencies(here), _seen(was)))
            if was is not None and _seen(here) == ["bps_visit"]
            else here
            for here, was in _pairs(now.members, then.members)
        ),
    )


def with_evidence_of(now: Made, then: Made) -> Made:
    """The family with what agencies stated of it then."""
    kept = {fact: value for fact, value in now.facts.items() if fact not in EVIDENCE}
    return replace(
        now,
        facts=kept | {fact: value for fact, value in then.facts.items() if fact in EVIDENCE},
        members=tuple(
            replace(here, is_rights_victim=was.is_rights_victim, supported_by=_supports(_by_agencies(was), _seen(here)))
            if was is not None
            else replace(here, is_rights_victim=None)
            for here, was in _pairs(now.members, then.members)
        ),
    )


def _pairs(these: Sequence[Person], those: Sequence[Person]) -> Iterator[tuple[Person, Person | None]]:
    return ((one, those[place] if place < len(those) else None) for place, one in enumerate(these))


def _stated(person: Person) -> list[str]:
    return [*ALL] if person.supported_by is None else [one.value for one in person.supported_by]


def _by_agencies(person: Person) -> list[str]:
    return [one for one in _stated(person) if one in AGENCIES]


def _seen(person: Person) -> list[str]:
    stated = _stated(person)
    return next(([one] for one in ("bps_visit", "agent_survey") if one in stated), [])


def _supports(*words: Iterable[str]) -> tuple[Support, ...]:
    return tuple(Support(one) for some in words for one in some)
