"""Authority in scenarios a lawyer can read (`tests/standing/*.yaml`): who says what of whom, who moves, who is told.

A town of a few families lives through some quarters: the real registry, the real decision, no stub between.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from pydantic import Field

from assets.decision.decide import decide
from assets.decision.families import Families
from assets.decision.worklist import worklist
from quotas.calendar import calendar_of
from quotas.parameters import Strict, read_yaml, validated
from schemas.feeds import FACT_AGENCY
from schemas.quarter import Quarter
from schemas.vocabularies import Feed, Sex, Status
from tests.made_families import seats, terms
from tests.made_registry import HERE, OPERATOR, VILLAGE, Office, Row, member, registration, survey
from tests.made_registry import validation as check

FOLDER = Path(__file__).parent / "standing"
QUARTERS = tuple(Quarter(2026, number) for number in (1, 2, 3, 4))
CARDS = {letter: f"35100912031900{at:02}" for at, letter in enumerate("ABCDEFGHIJ", start=11)}
RELATIONS = {"head": 1, "spouse": 2, "child": 3}
PROGRAMMES = ("PKH", "BPNT")
Card = Literal["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"]


class Person(Strict):
    """Somebody of the scenarios; whom no register knows is invented."""

    nik: str | None = None
    born: date
    sex: Sex = Sex.MALE
    invented: bool = False


class Registers(Strict):
    """Somebody registers a card, or states members of it: through a sender, with whomever the portal confirmed."""

    card: Card
    sender: str = "portal_perlinsos"
    confirmed: str | None = None
    proposer: str = "self"
    agent: str | None = None
    consent: bool = True
    floor: int | None = None
    members: Mapping[str, str] = Field(default_factory=dict)
    pregnant: tuple[str, ...] = ()
    village: str = VILLAGE
    only_members: bool = False


class Visits(Strict):
    """An agent surveys a family, or BPS visits it: what was found, and which pending statement it confirms."""

    card: Card
    agent: str = "A1"
    result: int = 1
    floor: int | None = None
    confirms: Literal["registrations", "members", "surveys"] | None = None


class Sees(Strict):
    """A person's document is seen; he may confirm a registration of an earlier quarter as his own."""

    card: Card
    person: str
    agent: str = "A1"
    sender: str = "aplikasi_agen"
    confirms_quarter: int | None = None


class States(Strict):
    """An agency, a village office by its operator, or BPS states a fact of a person."""

    person: str
    fact: str
    value: int = 1
    by_bps: bool = False
    agent: str | None = OPERATOR


class Asks(Strict):
    """A family asks for a review or a check of its identity."""

    card: Card
    kind: Literal["review", "check_in_person"]


class Event(Strict):
    """One thing that happens; exactly one of these."""

    registers: Registers | None = None
    agent_surveys: Visits | None = None
    bps_visits: Visits | None = None
    document_seen: Sees | None = None
    states: States | None = None
    asks: Asks | None = None


class Family(Strict):
    """A family of the town as the first quarter begins."""

    members: Mapping[str, str]
    floor: int = 20
    receives: tuple[str, ...] = ()
    registers: bool = True
    verified: bool = True


class Expected(Strict):
    """What must hold after one quarter; families that are not named stand as the first quarter left them."""

    statuses: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    pending: Mapping[Card, tuple[str, ...]] = Field(default_factory=dict)
    refused: tuple[str, ...] = ()
    worklist: Mapping[Card, tuple[str, ...]] = Field(default_factory=dict)
    not_on_worklist: Mapping[Card, tuple[str, ...]] = Field(default_factory=dict)
    supervisor: Mapping[Card, tuple[str, ...]] = Field(default_factory=dict)
    floor: Mapping[Card, int | None] = Field(default_factory=dict)
    kept: tuple[Card, ...] | None = None
    amount: Mapping[Card, int] = Field(default_factory=dict)
    absent: tuple[Card, ...] = ()


class Step(Strict):
    """What happens in one quarter, and what must hold after it."""

    events: tuple[Event, ...] = ()
    then: Expected = Field(default_factory=Expected)


class Scenario(Strict):
    """A sentence, the town, and one step per quarter."""

    case: str
    town: Mapping[Card, Family]
    places: Mapping[str, int] = Field(default_factory=lambda: {"PKH": 2, "BPNT": 2})
    quarters: tuple[Step, ...] = Field(min_length=1)


class Book(Strict):
    """A file of scenarios."""

    persons: Mapping[str, Person]
    town: Mapping[Card, Family]
    scenarios: tuple[Mapping[str, Any], ...]


def scenarios() -> Iterator[Any]:
    for file in sorted(FOLDER.glob("*.yaml")):
        book = validated(Book, read_yaml(file.read_text(encoding="utf-8"), file.name), file.name)
        for row in book.scenarios:
            plain = {"town": {card: one.model_dump() for card, one in book.town.items()}} | dict(row)
            scenario = validated(Scenario, plain, f"{file.name}: {row.get('case')}")
            yield pytest.param(book.persons, scenario, id=scenario.case)


@dataclass
class Town:
    """The registry and the decisions of a town, quarter after quarter."""

    office: Office
    persons: Mapping[str, Person]
    scenario: Scenario
    decided: list[pl.DataFrame] = field(default_factory=list)
    listed: list[pl.DataFrame] = field(default_factory=list)

    def begin(self) -> None:
        """Deliver what the registers know and who receives, and let the town register."""
        cards = {name: card for card, one in self.scenario.town.items() for name in one.members}
        known = [
            {"family_card_number": CARDS[cards.get(name, "J")], "nik": one.nik, "name": name.upper(),
             "birth_date": one.born, "relation": 1, "village_code": VILLAGE}
            for name, one in self.persons.items()
            if one.nik and not one.invented
        ]  # fmt: skip
        self.office.deliver(QUARTERS[0], {Feed.POPULATION_REGISTER: known}, issued_on=date(2025, 9, 1))
        listed = [
            {"family_card_number": CARDS[card], "programme": programme, "regency_code": HERE,
             "head_nik": self.persons[self._head(one.members)].nik, "since_date": date(2025, 1, 1),
             "head_name": self._head(one.members).upper(), "village_code": VILLAGE, "amount_rupiah": 600_000}
            for card, one in self.scenario.town.items()
            for programme in one.receives
        ]  # fmt: skip
        self.office.deliver(QUARTERS[0], {Feed.CURRENT_RECIPIENTS: listed})
        for card, one in self.scenario.town.items():
            if one.registers:
                said = Registers(
                    card=card, members=one.members, floor=one.floor,
                    confirmed=self._head(one.members) if one.verified else None,
                )  # fmt: skip
                self._register(QUARTERS[0], said)

    @staticmethod
    def _head(members: Mapping[str, str]) -> str:
        return next(name for name, relation in members.items() if relation == "head")

    def _day(self, quarter: Quarter) -> date:
        return date(2025, 11, 3) if quarter == QUARTERS[0] else quarter.previous.first_day.replace(day=9)

    def _register(self, quarter: Quarter, said: Registers) -> None:
        day, card = self._day(quarter), CARDS[said.card]
        nik = None if said.confirmed is None else self.persons[said.confirmed].nik
        answers = {} if said.floor is None else {"floor_area_m2": said.floor}
        registered = registration(
            card, day, said.village, verified=said.confirmed is not None, verified_nik=nik, agent_id=said.agent,
            proposer=said.proposer, has_consent=said.consent, **answers,
        )  # fmt: skip
        rows = [
            member(
                card, self.persons[name].nik, RELATIONS[relation], day, name=name.upper(),
                birth_date=self.persons[name].born, sex=self.persons[name].sex.value, verified_nik=nik,
                agent_id=said.agent, is_pregnant=name in said.pregnant,
                marital_status=1 if relation == "child" else 2,
            )
            for name, relation in said.members.items()
        ]  # fmt: skip
        parcel: dict[Feed, list[Row]] = {} if said.only_members else {Feed.REGISTRATIONS: [registered]}
        self.office.deliver(quarter, parcel | ({Feed.MEMBERS: rows} if rows else {}), sender=said.sender)

    def happens(self, quarter: Quarter, event: Event) -> None:
        """Deliver what an event makes somebody state."""
        day = self._day(quarter)
        if event.registers is not None:
            self._register(quarter, event.registers)
        if (said := event.agent_surveys) is not None:
            answers = {} if said.floor is None else {"floor_area_m2": said.floor}
            row = survey(CARDS[said.card], day, agent_id=said.agent, visit_result=said.result, **answers)
            self.office.deliver(quarter, {Feed.SURVEYS: [row]})
        if (said := event.bps_visits) is not None:
            found: dict[str, Any] = {} if said.floor is None else {"floor_area_m2": said.floor}
            if said.confirms:
                found["statement_id"] = self._waiting(said.card, said.confirms)
            row = check(CARDS[said.card], day, visit_result=said.result, **found)
            self.office.deliver(quarter, {Feed.VALIDATIONS: [row]})
        if (seen := event.document_seen) is not None:
            confirmed = None if seen.confirms_quarter is None else self._day(QUARTERS[seen.confirms_quarter - 1])
            row = {
                "family_card_number": CARDS[seen.card], "nik": self.persons[seen.person].nik, "agent_id": seen.agent,
                "checked_date": day, "document": "identity_card", "confirmed_date": confirmed,
            }  # fmt: skip
            self.office.deliver(quarter, {Feed.IDENTITY_CHECKS: [row]}, sender=seen.sender)
        if (stated := event.states) is not None:
            nik = self.persons[stated.person].nik
            row = {"agency": str(FACT_AGENCY[stated.fact]), "nik": nik, "fact": stated.fact, "value": stated.value,
                   "as_of_date": day, "agent_id": stated.agent}  # fmt: skip
            if stated.by_bps:
                self.office.find(quarter, row, day=day)
            else:
                self.office.answer(quarter, stated.fact, row, regencies=(HERE,), as_of=day)
        if (asked := event.asks) is not None:
            row = {"family_card_number": CARDS[asked.card], "kind": asked.kind, "requested_date": day,
                   "channel": "village_office", "has_consent": True}  # fmt: skip
            self.office.deliver(quarter, {Feed.REQUESTS: [row]})

    def _waiting(self, card: str, feed: str) -> str:
        waiting = self.office.table("pending").filter(
            pl.col("family_card_number") == CARDS[card], pl.col("feed") == feed
        )
        return str(waiting["statement_id"].item())

    def decide(self, quarter: Quarter) -> None:
        """Resolve and decide a quarter, and keep what the next one looks back at."""
        self.office.resolve(quarter)
        made = Families(self.office.table("families"), self.office.table("members"))
        on = terms(quarter=str(quarter))
        places = seats({HERE: tuple(self.scenario.places[one] for one in PROGRAMMES)})  # type: ignore[dict-item]
        decided = decide(made, on, places, self._previous(made.records)).with_columns(reference=pl.col("family_id"))
        every = pl.lit(None, pl.String).alias("programme")
        doubts = pl.concat(
            self.office.table(name).select("family_id", every, pl.col(column).alias("reason"))
            for name, column in (("doubts", "reason"), ("implausible", "check"))
        ).unique()
        earlier = self.listed[-1] if self.listed else worklist(decided, doubts, _nothing(), on).clear()
        self.listed.append(worklist(decided, doubts, earlier.select("family_id", "reason", "since"), on))
        self.decided.append(decided)
        self.office.remember(decided)

    def _previous(self, records: pl.DataFrame) -> pl.DataFrame:
        if self.decided:
            return self.decided[-1]
        cards = records.select("family_id", "family_card_number")
        listed: list[tuple[Any, ...]] = [
            (CARDS[card], programme, Status.RECIPIENT.value, date(2025, 1, 1), None, [], None, 600_000)
            for card, one in self.scenario.town.items()
            for programme in one.receives
        ]
        schema: dict[str, Any] = {
            "family_card_number": pl.String, "programme": pl.String, "status": pl.String, "member_since": pl.Date,
            "held_since": pl.String, "components": pl.List(pl.String), "score_micro": pl.Int64,
            "amount_rupiah": pl.Int64,
        }  # fmt: skip
        return pl.DataFrame(listed, schema=schema, orient="row").join(cards, on="family_card_number")

    def statuses(self, at: int) -> dict[str, dict[str, str]]:
        """Statuses by card and programme after a quarter."""
        letters = {number: letter for letter, number in CARDS.items()}
        found: dict[str, dict[str, str]] = {}
        for row in self.decided[at].select("family_card_number", "programme", "status").to_dicts():
            found.setdefault(letters[row["family_card_number"]], {})[row["programme"]] = row["status"]
        return found

    def of(self, card: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of a frame about the family under a card."""
        return frame.filter(pl.col("family_id") == self.office.family(CARDS[card])["family_id"])


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(["family_id", "reason", "since"], pl.String))


@pytest.mark.parametrize(("persons", "scenario"), list(scenarios()))
def test_scenario(persons: Mapping[str, Person], scenario: Scenario, tmp_path: Path) -> None:
    town = Town(Office.in_folder(tmp_path), persons, scenario)
    town.begin()
    for at, step in enumerate(scenario.quarters):
        quarter = QUARTERS[at]
        assert calendar_of(quarter).cut_off >= town._day(quarter)  # noqa: SLF001
        for event in step.events:
            town.happens(quarter, event)
        town.decide(quarter)
        _holds(town, at, step.then)


def _holds(town: Town, at: int, then: Expected) -> None:
    statuses, first = town.statuses(at), town.statuses(0)
    named = set(first) - set(then.absent) | set(then.statuses)
    expected = {
        card: first.get(card, {}) | dict(then.statuses[card]) if card in then.statuses else first[card]
        for card in named
    }
    assert statuses == expected
    for card, told in then.pending.items():
        waiting = town.of(card, town.office.table("pending")).sort("feed", "author")
        found = [f"{row['feed']} {row['author']} {row['standing']}" for row in waiting.to_dicts()]
        assert found == list(told), card
    refused = town.office.table("refused").sort("feed", "author")
    assert [f"{row['feed']} {row['author']}" for row in refused.to_dicts()] == list(then.refused)
    listed = town.listed[at]
    for card, reasons in then.worklist.items():
        assert set(reasons) <= set(town.of(card, listed)["reason"]), (card, town.of(card, listed)["reason"].to_list())
    for card, reasons in then.not_on_worklist.items():
        assert not set(reasons) & set(town.of(card, listed)["reason"]), card
    for card, reasons in then.supervisor.items():
        overdue = town.of(card, listed).filter(pl.col("goes_to") == "supervisor")
        assert set(reasons) <= set(overdue["reason"]), card
    for card, floor in then.floor.items():
        assert town.office.family(CARDS[card])["floor_area_m2"] == floor, card
    decided = town.decided[at]
    if then.kept is not None:
        kept = decided.filter("is_kept")["family_card_number"].unique()
        assert set(kept) == {CARDS[card] for card in then.kept}
    for card, amount in then.amount.items():
        paid = town.of(card, decided).filter(pl.col("programme") == "PKH")["amount_rupiah"].item()
        assert paid == amount, card
