"""Identity in cases a lawyer can read (`tests/identity/*.yaml`): who is one person, in which family, and who is held.

What is decided about a held family is in `tests/law`. A row that intake rejects for the form of its number is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from pydantic import Field

from quotas.parameters import Strict, read_yaml, validated
from schemas.identifiers import form_fault
from schemas.vocabularies import Channel, Feed, Ruling, Sex
from tests.made_registry import (
    DEC,
    FEB,
    HERE,
    MAR,
    NOV,
    Q1,
    Q2,
    VILLAGE,
    Office,
    Row,
    found,
    member,
    registration,
    survey,
)
from tests.made_registry import validation as check

FOLDER = Path(__file__).parent / "identity"
CARDS = {"A": "3510091203190004", "B": "3510091203190012", "C": "3510091203260007"}
RELATIONS = {"head": 1, "spouse": 2, "child": 3}
NAMES = {
    "slamet": "SLAMET RIYADI", "siti": "SITI AMINAH", "budi": "BUDI HARTONO", "rina": "RINA KUSUMA",
    "tarno": "SUTARNO", "wagini": "WAGINI", "bayi": "PUTRI LESTARI", "cucu": "SRI RAHAYU", "hasan": "HASAN",
    "husen": "HUSEN", "kartini": "SITI", "first_newborn": "BAYI NY. SITI", "second_newborn": "BAYI NY. SITI",
}  # fmt: skip
Card = Literal["A", "B", "C"]
Relation = Literal["head", "spouse", "child"]


class Person(Strict):
    """Somebody of the cases."""

    nik: str | None = None
    born: date
    sex: Sex = Sex.MALE


class Registers(Strict):
    """A family registers, or states its members again."""

    card: Card
    day: date | None = None
    village: str = VILLAGE
    channel: Channel = Channel.AGENT
    unverified: bool = False
    signed_in: tuple[str, ...] = ()
    """Members who signed in at the portal too, each for himself."""
    members: Mapping[str, Relation]
    numbers: Mapping[str, str] = Field(default_factory=dict)
    born: Mapping[str, date] = Field(default_factory=dict)


class Answers(Strict):
    """A visit."""

    card: Card
    day: date
    answers: Mapping[str, int]


class Finds(Strict):
    """An agency finds a fact of a person."""

    person: str
    fact: str


class Receives(Strict):
    """A family received before the first quarter, under this head."""

    card: Card
    head: str


class Rules(Strict):
    """A clerk rules on the case between two families."""

    ruling: Ruling
    between: tuple[Card, Card]
    counts_in: Card | None = None


class Event(Strict):
    """One thing that happens; exactly one of these."""

    registers: Registers | None = None
    states: Registers | None = None
    bps_checks: Answers | None = None
    agent_visits: Answers | None = None
    agency_finds: Finds | None = None
    receives: Receives | None = None
    clerk_rules: Rules | None = None


class Expected(Strict):
    """What the registry must hold; what is left out is not asked."""

    families: Mapping[Card, tuple[str, ...]] | None = None
    held: tuple[Card, ...] | None = None
    kinds: tuple[str, ...] | None = None
    goes_on_as: Mapping[Card, Card] = Field(default_factory=dict)
    split_from: Mapping[Card, Card] = Field(default_factory=dict)
    periods: Mapping[Card, tuple[str, ...]] = Field(default_factory=dict)
    ended: Mapping[Card, str] = Field(default_factory=dict)
    ended_person: Mapping[str, str] = Field(default_factory=dict)
    same_person: tuple[str, ...] = ()
    head: Mapping[Card, str] = Field(default_factory=dict)
    living: Mapping[Card, int] = Field(default_factory=dict)
    regency: Mapping[Card, str] = Field(default_factory=dict)
    channel: Mapping[Card, str] = Field(default_factory=dict)
    born: Mapping[str, date] = Field(default_factory=dict)
    numbers: Mapping[Card, int] = Field(default_factory=dict)
    answers: Mapping[Card, Mapping[str, tuple[int, str]]] = Field(default_factory=dict)
    conflicts: Mapping[Card, Mapping[str, tuple[int, int]]] = Field(default_factory=dict)
    office: Mapping[Card, tuple[str, ...]] = Field(default_factory=dict)


class Case(Strict):
    """What is stated in one or two quarters, and what follows."""

    case: str = Field(pattern=r"^[A-Z].*\.$")
    persons: Mapping[str, Person]
    first: tuple[Event, ...]
    second: tuple[Event, ...] = ()
    expected: Expected


def read_cases() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*.yaml")):
        book = read_yaml(path.read_text(encoding="utf-8"), path.name)
        assert isinstance(book, dict)
        for number, stated in enumerate(book["cases"], start=1):
            yield validated(Case, {**stated, "persons": book["persons"]}, f"{path.name}: case {number}")


CASES = tuple(read_cases())


def rows_of(said: Registers, persons: Mapping[str, Person], day: date) -> dict[Feed, list[Any]]:
    """A registration with its members."""
    card, on = CARDS[said.card], said.day or day
    members = [
        member(
            card, said.numbers.get(name, persons[name].nik), RELATIONS[relation], on, name=NAMES[name],
            birth_date=said.born.get(name, persons[name].born), sex=persons[name].sex.value,
        )
        for name, relation in said.members.items()
    ]  # fmt: skip
    fault = pl.DataFrame({"nik": [one["nik"] for one in members]}, schema={"nik": pl.String}).select(form_fault("nik"))
    members = [
        one for one, wrong in zip(members, fault.to_series(), strict=True) if one["nik"] is None or wrong is None
    ]
    registered = registration(card, on, said.village, verified=not said.unverified, channel=said.channel.value)
    numbers = {persons[name].nik for name in said.signed_in}
    themselves = [{**row, "verified_nik": row["nik"]} for row in members if row["nik"] in numbers]
    return {Feed.REGISTRATIONS: [registered], Feed.MEMBERS: members + themselves}


def rows_by_the_head(office: Office, said: Registers, persons: Mapping[str, Person], day: date) -> list[Row]:
    """Members that a family states again, as the portal delivers them when its head signed in."""
    rows = rows_of(said, persons, day)[Feed.MEMBERS]
    if not office.registry:
        return rows
    head = office.family(CARDS[said.card])["head_person_id"]
    (nik,) = office.table("persons").filter(pl.col("person_id") == head)["nik"]
    return [{**row, "verified_nik": nik} for row in rows]


def happens(office: Office, event: Event, case: Case, *, is_first: bool) -> None:
    """Deliver what an event makes somebody state."""
    quarter, day = (Q1, NOV) if is_first else (Q2, FEB)
    if event.registers is not None:
        office.deliver(quarter, rows_of(event.registers, case.persons, day))
    if event.states is not None:
        office.deliver(quarter, {Feed.MEMBERS: rows_by_the_head(office, event.states, case.persons, day)})
    for visit, feed, made in (
        (event.bps_checks, Feed.VALIDATIONS, check), (event.agent_visits, Feed.SURVEYS, survey),
    ):  # fmt: skip
        if visit is not None:
            office.deliver(quarter, {feed: [made(CARDS[visit.card], visit.day, **visit.answers)]})
    if event.agency_finds is not None:
        nik = case.persons[event.agency_finds.person].nik
        assert nik is not None
        day = DEC if is_first else MAR
        office.answer(quarter, event.agency_finds.fact, found(nik, event.agency_finds.fact, day=day), as_of=day)
    if event.receives is not None:
        row = {
            "family_card_number": CARDS[event.receives.card], "programme": "PKH", "regency_code": HERE,
            "head_nik": case.persons[event.receives.head].nik, "since_date": NOV, "village_code": VILLAGE,
            "head_name": NAMES[event.receives.head],
        }  # fmt: skip
        office.deliver(quarter, {Feed.CURRENT_RECIPIENTS: [row]})
    if event.clerk_rules is not None:
        office.deliver(quarter, {Feed.ADJUDICATIONS: [ruling(office, event.clerk_rules)]})


def ruling(office: Office, said: Rules) -> dict[str, object]:
    """The ruling on the one case between two families, on the facts as they stand."""
    sides = [office.family(CARDS[card])["family_id"] for card in said.between]
    cases = office.table("cases").filter(pl.col("family_id").is_in(sides))
    (one,) = cases.select("case_id", "facts_hash").unique().rows()
    family = None if said.counts_in is None else office.family(CARDS[said.counts_in])["family_id"]
    return {
        "case_id": one[0], "ruling": said.ruling.value, "family_id": family, "role": "village_office",
        "decided_by": "clerk", "reason": "seen at the office", "decided_date": MAR, "facts_hash": one[1],
    }  # fmt: skip


@dataclass
class Outcome:
    """What came of a case: the registry, and what families and persons were called in the first quarter."""

    office: Office
    families_before: Mapping[str, str]
    persons_before: Mapping[str, str]

    @property
    def now(self) -> dict[str, dict[str, Any]]:
        """Records by card."""
        card_of = {number: card for card, number in CARDS.items()}
        return {card_of[row["family_card_number"]]: row for row in self.office.table("families").to_dicts()}

    def of_family(self, table: str, card: str) -> pl.DataFrame:
        """Rows of a table about the family under a card."""
        return self.office.table(table).filter(pl.col("family_id") == self.now[card]["family_id"])


def decided(case: Case, folder: Path) -> Outcome:
    """Deliver what the case states and resolve its quarters."""
    office = Office.in_folder(folder)
    for event in case.first:
        happens(office, event, case, is_first=True)
    office.resolve(Q1)
    families = dict(office.table("families").select("family_card_number", "family_id").rows())
    persons = dict(office.table("persons").select("name", "person_id").rows())
    if case.second:
        for event in case.second:
            happens(office, event, case, is_first=False)
        office.resolve(Q2)
    return Outcome(office, families, persons)


def check_families(expected: Expected, outcome: Outcome) -> None:
    now, told = outcome.now, {name: short for short, name in NAMES.items()}
    if expected.families is not None:
        counted = {card: sorted(told[name] for name in outcome.of_family("persons", card)["name"]) for card in now}
        assert counted == {card: sorted(names) for card, names in expected.families.items()}
    if expected.held is not None:
        assert {card for card, row in now.items() if row["case_id"] and not row["is_verified"]} == set(expected.held)
    if expected.kinds is not None:
        assert sorted(outcome.office.table("cases").unique("case_id")["kind"]) == sorted(expected.kinds)
    for old, new in expected.goes_on_as.items():
        assert now[new]["family_id"] == outcome.families_before[CARDS[old]]
    for new, old in expected.split_from.items():
        assert now[new]["split_from_family_id"] == outcome.families_before[CARDS[old]]
    for card, name in expected.head.items():
        assert now[card]["head_name"] == NAMES[name]
    for column, wanted in (
        ("living_member_count", expected.living), ("regency_code", expected.regency), ("channel", expected.channel),
    ):  # fmt: skip
        assert {card: now[card][column] for card in wanted} == dict(wanted)
    for card, reasons in expected.office.items():
        assert outcome.of_family("village_office", card)["reason"].to_list() == list(reasons)


def check_time(expected: Expected, outcome: Outcome) -> None:
    persons = dict(outcome.office.table("persons").select("name", "person_id").rows())
    for name in expected.same_person:
        assert persons[NAMES[name]] == outcome.persons_before[NAMES[name]]
    for card, events in expected.periods.items():
        periods = outcome.of_family("family_periods", card).sort("valid_from")
        assert periods["began_by"].to_list() == list(events)
        assert periods["valid_to"].null_count() == 1
    periods = outcome.office.table("family_periods")
    for card, end in expected.ended.items():
        gone = pl.col("family_id") == outcome.families_before[CARDS[card]]
        assert periods.filter(gone)["ended_by"].to_list() == [end]
    for name, end in expected.ended_person.items():
        mine = outcome.office.table("person_periods").filter(pl.col("person_id") == persons[NAMES[name]])
        assert mine["ended_by"].to_list() == [end]


def check_facts(expected: Expected, outcome: Outcome) -> None:
    for name, born in expected.born.items():
        person = outcome.office.table("persons").row(by_predicate=pl.col("name") == NAMES[name], named=True)
        assert person["birth_date"] == born
    for card, count in expected.numbers.items():
        assert outcome.of_family("persons", card)["nik"].drop_nulls().len() == count
    for card, answers in expected.answers.items():
        record = outcome.office.family(CARDS[card])
        assert {name: (record[name], record[f"{name}_source"]) for name in answers} == dict(answers)
    for card, values in expected.conflicts.items():
        mine = outcome.of_family("conflicts", card).to_dicts()
        assert {row["attribute"]: (row["value"], row["other_value"]) for row in mine} == dict(values)


@pytest.mark.parametrize("case", CASES, ids=[case.case for case in CASES])
def test_identity_in(case: Case, tmp_path: Path) -> None:
    outcome = decided(case, tmp_path)
    check_families(case.expected, outcome)
    check_time(case.expected, outcome)
    check_facts(case.expected, outcome)
