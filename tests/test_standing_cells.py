"""Every cell of policy `standing` that a statement can reach decides what that statement does.

In one town every author speaks on every subject of a family of every standing. One policy after another judges it; the
cells of a subject are drawn at random, so that one that is ignored or taken for another shows.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from random import Random

import polars as pl
import pytest

from assets.intake.pins import Pins
from assets.registry.authors import CARD, ROW, Record
from assets.registry.standing import judge_statements
from assets.registry.statements import Statements
from quotas.rulebook import Policy
from quotas.rules import ByDirection, StandingRule
from schemas.feeds import VISIT_NOT_FOUND
from schemas.vocabularies import Author, FamilyStanding, Feed, Standing, Subject
from tests.made_registry import (
    AGENT,
    AGENT_THERE,
    DEC,
    NOV,
    OPERATOR,
    OPERATOR_THERE,
    Q1,
    VILLAGE,
    Office,
    Row,
    found,
    member,
    registration,
    survey,
)  # fmt: skip

PORTAL, AGENTS, OFFICES, NOBODY = "portal_perlinsos", "aplikasi_agen", "siks_ng", "nobody_registered"
FIELD = {
    Author.THIRD_PARTY: (NOBODY, AGENT),
    Author.AGENT: (AGENTS, AGENT),
    Author.AGENT_ELSEWHERE: (AGENTS, AGENT_THERE),
    Author.OFFICE: (OFFICES, OPERATOR),
    Author.OFFICE_ELSEWHERE: (OFFICES, OPERATOR_THERE),
}
"""Sender and `agent_id` of whoever visits a family, sees its document or states a fact of it."""
OWN = (
    Author.THIRD_PARTY, Author.UNVERIFIED_SELF, Author.HEAD_IN_PERSON, Author.VERIFIED_MEMBER, Author.VERIFIED_HEAD,
)  # fmt: skip
SURVEYORS = (Author.THIRD_PARTY, Author.AGENT, Author.AGENT_ELSEWHERE)
SPEAKERS: Mapping[tuple[Subject, Feed], tuple[Author, ...]] = {
    (Subject.FAMILY, Feed.REGISTRATIONS): OWN,
    (Subject.ANSWERS, Feed.REGISTRATIONS): OWN,
    (Subject.ANSWERS, Feed.SURVEYS): SURVEYORS,
    (Subject.MEMBERS, Feed.MEMBERS): OWN,
    (Subject.CONSENT, Feed.REGISTRATIONS): OWN,
    (Subject.VISIT_RESULT, Feed.SURVEYS): SURVEYORS,
    (Subject.IDENTITY, Feed.IDENTITY_CHECKS): tuple(FIELD),
    (Subject.EVIDENCE, Feed.EVIDENCE): (Author.OFFICE, Author.OFFICE_ELSEWHERE),
}
"""Who can be the author on a subject, in which feed."""
REACHABLE = {(subject, author) for (subject, _), authors in SPEAKERS.items() for author in authors}
UNREACHABLE: Mapping[Author, str] = {
    **dict.fromkeys(OWN, "no such author is made out of surveys, checks or office facts"),
    **dict.fromkeys((Author.AGENT, Author.AGENT_ELSEWHERE), "what an agent hands in is the family's word"),
    **dict.fromkeys((Author.OFFICE, Author.OFFICE_ELSEWHERE), "what an office hands in is too, and it surveys nobody"),
    Author.AGENCY: "an agency delivers evidence only, which counts as accepted",
    Author.BPS: "ground checks and findings of BPS count as accepted",
}
"""Why an author speaks on no other subject."""


def plain(word: Standing) -> ByDirection:
    return ByDirection(better=word, worse=word)


COUNTS, REFUSED = plain(Standing.COUNTS), plain(Standing.REFUSED)
KEPT = (COUNTS, REFUSED, plain(Standing.PENDING))
WORDS: Mapping[Subject, tuple[ByDirection, ...]] = {
    Subject.FAMILY: KEPT,
    Subject.ANSWERS: (*KEPT, ByDirection(better=Standing.COUNTS, worse=Standing.AFTER_NOTICE)),
    Subject.MEMBERS: KEPT,
    Subject.CONSENT: tuple(ByDirection(better=better, worse=worse) for better in Standing for worse in Standing),
    Subject.VISIT_RESULT: (COUNTS, REFUSED),
    Subject.IDENTITY: (COUNTS, REFUSED),
    Subject.EVIDENCE: (COUNTS, REFUSED),
}
"""What a cell may say: only answers and consent have a direction."""
DRAWS = 16

Cell = tuple[Subject, FamilyStanding, Author]
Cells = Mapping[Cell, ByDirection]


@dataclass(frozen=True)
class Statement:
    """A statement, the only one but for a registration about its family; `gives_consent` says that registration."""

    number: int
    subject: Subject
    standing: FamilyStanding
    author: Author
    feed: Feed
    gives_consent: bool

    @property
    def card(self) -> str:
        return f"351009120319{self.number:04}"

    @property
    def niks(self) -> tuple[str, str]:
        """Head and partner."""
        return f"351009150580{self.number:04}", f"351009520385{self.number:04}"

    def effect(self, cells: Cells) -> Standing:
        """What the statement does by its cell."""
        said = cells[self.subject, self.standing, self.author]
        if self.subject is Subject.CONSENT:
            return said.better if self.gives_consent else said.worse
        return said.worse if said == WORDS[Subject.ANSWERS][-1] else said.better


STATEMENTS = [
    Statement(number, subject, standing, author, feed, gives_consent)
    for number, (subject, feed, author, standing, gives_consent) in enumerate(
        (subject, feed, author, standing, gives_consent)
        for (subject, feed), authors in SPEAKERS.items()
        for author, standing in product(authors, FamilyStanding)
        for gives_consent in ((True, False) if subject is Subject.CONSENT else (True,))
    )
]


class Town:
    """What is delivered, by sender and feed, and judged under policies of any cells."""

    def __init__(self, office: Office) -> None:
        self.rows: dict[str, dict[Feed, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for said in STATEMENTS:
            self._deliver(said)
        for sender, parcel in self.rows.items():
            office.deliver(Q1, parcel, issued_on=DEC, sender=sender)
        self.policy, lake = office.house.policy(Q1), office.house.lake
        pins = Pins.of(lake, Q1, None)
        self.statements = Statements.of_quarter(office.house, Q1, pins.tables(lake), pins.read(lake))
        known = [said for said in STATEMENTS if said.standing is not FamilyStanding.NEW]
        families = [(said.card, said.standing.value, VILLAGE, said.niks[0]) for said in known]
        persons = [(said.card, nik) for said in known for nik in said.niks]
        self.record = Record(
            pl.DataFrame(families, schema=[CARD, "standing", "village_code", "head_nik"], orient="row"),
            pl.DataFrame(persons, schema=[CARD, "nik"], orient="row"),
        )
        self.cards = {
            (feed, batch, row): card
            for feed in (Feed.REGISTRATIONS, Feed.SURVEYS)
            for batch, row, card in self.statements.raw(feed).select(*ROW, CARD).collect().rows()
        }

    def _deliver(self, said: Statement) -> None:
        sender, agent = FIELD.get(said.author, (AGENTS, AGENT))
        author = said.author if said.feed in {Feed.REGISTRATIONS, Feed.MEMBERS} else Author.UNVERIFIED_SELF
        head, partner = said.niks
        confirmed = {Author.VERIFIED_HEAD: head, Author.VERIFIED_MEMBER: partner}.get(author)
        family = self.rows[NOBODY if author is Author.THIRD_PARTY else PORTAL]
        family[Feed.REGISTRATIONS].append(
            registration(
                said.card, verified=confirmed is not None, verified_nik=confirmed, has_consent=said.gives_consent
            )
        )
        family[Feed.MEMBERS] += [
            member(said.card, nik, relation, verified_nik=confirmed) for relation, nik in enumerate(said.niks, start=1)
        ]
        if said.feed is Feed.IDENTITY_CHECKS or author is Author.HEAD_IN_PERSON:
            check = {"family_card_number": said.card, "nik": head, "agent_id": agent, "document": "identity_card"}
            self.rows[sender][Feed.IDENTITY_CHECKS].append(check | {"checked_date": DEC, "confirmed_date": NOV})
        elif said.feed is Feed.SURVEYS:
            result = VISIT_NOT_FOUND if said.subject is Subject.VISIT_RESULT else 1
            self.rows[sender][said.feed].append(survey(said.card, agent_id=agent, visit_result=result))
        elif said.feed is Feed.EVIDENCE:
            self.rows[sender][said.feed].append({**found(head, "receives_other_aid", day=DEC), "agent_id": agent})

    def effects(self, cells: Cells) -> dict[Statement, Standing]:
        """What every statement does by a policy of these cells."""
        judged = judge_statements(self.statements, self.record, _with_cells(self.policy, cells))
        late = [(row[0], self.cards[row]) for row in judged.if_not_worse.select("feed", *ROW).rows()]
        words: dict[tuple[str, str], str] = dict.fromkeys(late, "after_notice")
        words |= {(feed, card): word for feed, card, word in judged.set_aside.select("feed", CARD, "standing").rows()}
        unsaid: dict[str, str] = dict(judged.unsaid_consent.select(CARD, "standing").rows())
        verified = {self.cards[Feed.REGISTRATIONS, *row] for row in judged.verifications.select(ROW).rows()}

        def word(said: Statement) -> str:
            if said.subject is Subject.IDENTITY:
                # A head whose document was seen is verified by his registration.
                return "counts" if said.card in verified else "refused"
            if said.subject is Subject.CONSENT:
                return unsaid.get(said.card, "counts")
            return words.get((said.feed.value, said.card), "counts")

        return {said: Standing(word(said)) for said in STATEMENTS}


def _with_cells(policy: Policy, cells: Cells) -> Policy:
    """The policy with a rule for every subject and standing; cells that are not given count."""
    rules = [
        dict(policy.standing[0])
        | {"code": f"{subject}_{standing}", "subject": subject, "families": (standing,)}
        | {"effects": {author: cells.get((subject, standing, author), COUNTS) for author in Author}}
        for subject, standing in product(Subject, FamilyStanding)
    ]
    return replace(policy, standing=tuple(StandingRule(**rule) for rule in rules))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(Office.in_folder(tmp_path_factory.mktemp("town")))


def drawn(subject: Subject) -> list[dict[Cell, ByDirection]]:
    """Words for the cells of a subject, once for each policy."""
    mine = [(subject, standing, author) for standing, author in product(FamilyStanding, Author)]
    randoms = [Random(seed) for seed in range(DRAWS)]  # noqa: S311 - a draw of cases, no secret
    return [dict(zip(mine, random.choices(WORDS[subject], k=len(mine)), strict=True)) for random in randoms]


@pytest.mark.parametrize("subject", Subject)
def test_every_cell_decides_what_its_author_s_statement_does(town: Town, subject: Subject) -> None:
    for cells in drawn(subject):
        told = {said: word for said, word in town.effects(cells).items() if said.subject is subject}
        assert told == {said: said.effect(cells) for said in told}


@pytest.mark.parametrize("subject", Subject)
def test_no_two_cells_and_no_two_directions_say_the_same_in_every_draw(subject: Subject) -> None:
    policies, directions = drawn(subject), (True, False) if subject is Subject.CONSENT else (True,)
    words = [
        tuple(Statement(0, subject, standing, author, Feed.SURVEYS, gives).effect(cells) for cells in policies)
        for standing, author, gives in product(FamilyStanding, Author, directions)
    ]
    assert len(set(words)) == len(words)
    assert all(len(set(told)) > 1 for told in words)


def test_every_subject_and_standing_has_one_rule(town: Town) -> None:
    ruled = [(rule.subject, standing) for rule in town.policy.standing for standing in rule.families]
    assert sorted(ruled) == sorted(product(Subject, FamilyStanding))


def test_whoever_cannot_speak_on_a_subject_is_refused_there_unless_delivery_alone_decides(town: Town) -> None:
    counting = {(Subject.EVIDENCE, Author.AGENCY), *((subject, Author.BPS) for subject in Subject)}
    for rule in town.policy.standing:
        for author in Author:
            cell = rule.subject, author
            if cell not in REACHABLE:
                assert rule.effect(author) == (COUNTS if cell in counting else REFUSED), (cell, UNREACHABLE[author])
