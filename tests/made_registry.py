"""A registry made by hand for the tests of that room: statements as rows, delivered in batches, resolved in a house.

Nothing is asserted here.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from assets.house import House
from assets.intake.batches import Batch, append
from assets.intake.declaration import Declaration
from assets.intake.evidence_requests import Request
from assets.intake.pins import Pins
from assets.lake import Table, digest
from assets.pseudonyms import PseudonymKey
from assets.published import POINTER
from assets.registry.resolve import resolve
from pipelines.asking import ask
from quotas.rulebook import rulebook
from schemas.contract import Contract
from schemas.feeds import FACT_AGENCY
from schemas.identifiers import bucket_of
from schemas.quarter import Quarter
from schemas.questionnaire import default_questionnaire
from schemas.vocabularies import Agency, AgentKind, Channel, FaceMatch, Feed, Proposer, Sex
from tests.made_families import scorecard

Row = Mapping[str, Any]

Q1, Q2, Q3 = Quarter(2026, 1), Quarter(2026, 2), Quarter(2026, 3)
HERE, THERE = "35.10", "35.12"
VILLAGE, VILLAGE_THERE = "35.10.09.2001", "35.12.01.2001"
OURS, OTHERS, NEW = "3510091203190004", "3510091203190012", "3510091203260007"
HUSBAND, WIFE, CHILD = "3510091505800001", "3510095203850002", "3510090101150003"
NEIGHBOUR = "3510090707700004"
NOV, DEC, JAN, FEB, MAR = (
    date(2025, 11, 3), date(2025, 12, 5), date(2026, 1, 12), date(2026, 2, 9), date(2026, 3, 9),
)  # fmt: skip


def registration(card: str, day: date = NOV, village: str = VILLAGE, *, verified: bool = True, **more: object) -> Row:
    """A family registers; `verified` by face, or not at all."""
    return {
        "family_card_number": card, "village_code": village, "registered_date": day, "channel": Channel.PORTAL.value,
        "proposer": Proposer.SELF.value, "has_consent": True, "is_ikd_verified": False,
        "face_match": FaceMatch.PASSED.value if verified else FaceMatch.FAILED.value, **more,
    }  # fmt: skip


def named(nik: str | None) -> str:
    """A name of its own for every number, unlike any other."""
    letters = hashlib.sha256(str(nik).encode()).hexdigest().translate(str.maketrans("0123456789", "GHIJKLMNOP"))
    return f"{letters[:7]} {letters[7:15]}".upper()


def born(nik: str | None) -> date:
    """The birth date that a number says, of this or the last century."""
    if nik is None:
        return date(2025, 12, 24)
    day, month, year = int(nik[6:8]) % 40, int(nik[8:10]), int(nik[10:12])
    return date(2000 + year if year <= 26 else 1900 + year, month, day)


def member(card: str, nik: str | None, relation: int = 1, day: date = NOV, **more: object) -> Row:
    """A person stated on a card: a grown man who works for himself, unless said otherwise."""
    return {
        "family_card_number": card, "nik": nik, "name": named(nik),
        "birth_date": more["birth_date"] if "birth_date" in more else born(nik),
        "sex": Sex.MALE.value, "relation": relation, "marital_status": 2, "is_pregnant": False,
        "school_participation": 3, "education": 1, "work_position": 1, "disability": 4, "stated_date": day, **more,
    }  # fmt: skip


def family(card: str, *niks: str | None, day: date = NOV, **more: Any) -> dict[Feed, list[Row]]:  # noqa: ANN401
    """A family registers with these persons: head, partner, then children born in 2015."""
    young = {"marital_status": 1, "school_participation": 2, "work_position": 0}
    persons = [member(card, nik, min(at + 1, 3), day, **(young if at > 1 else {})) for at, nik in enumerate(niks)]
    return {Feed.REGISTRATIONS: [registration(card, day, **more)], Feed.MEMBERS: persons}


def by(nik: str, *rows: Row) -> dict[Feed, list[Row]]:
    """Members as the portal delivers them when the person with this number signed in."""
    return {Feed.MEMBERS: [{**row, "verified_nik": nik} for row in rows]}


def survey(card: str, day: date = DEC, **answers: object) -> Row:
    """An agent's visit."""
    return {"family_card_number": card, "survey_date": day, "agent_id": "A1", **answers}


def validation(card: str, day: date = DEC, **answers: object) -> Row:
    """A ground check of BPS."""
    return {"family_card_number": card, "validation_date": day, **answers}


def found(nik: str, fact: str, value: int = 1, day: date = JAN) -> Row:
    """What an agency found of a person."""
    agency = FACT_AGENCY[fact]
    office = OPERATOR if agency is Agency.VILLAGE_OFFICE else None
    return {"agency": str(agency), "nik": nik, "fact": fact, "value": value, "as_of_date": day, "agent_id": office}


AGENT, AGENT_THERE = "A1", "A2"
OPERATOR, OPERATOR_THERE = "V1", "V2"
AGENTS = [
    {"agent_id": agent, "kind": AgentKind.TKSK.value, "regency_code": village[:5], "district_code": village[:8]}
    for agent, village in ((AGENT, VILLAGE), (AGENT_THERE, VILLAGE_THERE))
] + [
    {"agent_id": agent, "kind": AgentKind.VILLAGE_OPERATOR.value, "regency_code": village[:5], "village_code": village}
    for agent, village in ((OPERATOR, VILLAGE), (OPERATOR_THERE, VILLAGE_THERE))
]
SENDERS = {
    Feed.REGISTRATIONS: "portal_perlinsos", Feed.MEMBERS: "portal_perlinsos", Feed.REQUESTS: "portal_perlinsos",
    Feed.SURVEYS: "aplikasi_agen", Feed.IDENTITY_CHECKS: "aplikasi_agen", Feed.VALIDATIONS: "bps",
    Feed.DTSEN_FAMILIES: "bps", Feed.DTSEN_PERSONS: "bps", Feed.POPULATION_REGISTER: "dukcapil",
}  # fmt: skip
"""Who delivers a feed where a test does not say; the ministry all others."""
CARD = scorecard()


@dataclass
class Office:
    """A house to which statements are delivered, and the registry of its last quarter resolved.

    Agent A1 works in the district of `VILLAGE`, A2 in that of `VILLAGE_THERE`; V1 and V2 are the operators of their
    offices.
    """

    house: House
    registry: dict[str, Table] = field(default_factory=dict)

    @classmethod
    def in_folder(cls, folder: Path) -> "Office":
        """A new house."""
        made = cls(House(folder, rulebook(None), default_questionnaire(), PseudonymKey(b"t" * 32), is_trial=True))
        made.deliver(Q1, {Feed.AGENTS: AGENTS})
        return made

    def deliver(
        self, quarter: Quarter, *parcels: Mapping[Feed, Sequence[Row]], issued_on: date | None = None,
        sender: str | None = None,
    ) -> None:  # fmt: skip
        """Batches of a quarter, one per feed and parcel, by the feed's usual sender or another."""
        for parcel in parcels:
            for feed, rows in parcel.items():
                named = sender or SENDERS.get(feed, "kemensos")
                self._batch(quarter, feed, rows, Declaration(issued_on=issued_on or quarter.first_day, sender=named))

    def answer(
        self, quarter: Quarter, fact: str, *rows: Row, regencies: Sequence[str] = (HERE,), as_of: date = JAN,
        request: Request | None = None,
    ) -> None:  # fmt: skip
        """An agency's answer about all registered persons of some regencies, or about those of a request."""
        declared = Declaration(
            issued_on=as_of, as_of=as_of, agency=FACT_AGENCY[fact], coverage=tuple(regencies),
            request=request and request.request_id,
        )  # fmt: skip
        self._batch(quarter, Feed.EVIDENCE, rows, declared)

    def find(self, quarter: Quarter, *rows: Row, day: date = JAN) -> None:
        """What BPS found of persons on a visit, dated that day."""
        declared = Declaration(issued_on=day, as_of=day, agency=Agency.BPS)
        found_by_bps = [{**row, "agency": str(Agency.BPS), "as_of_date": day} for row in rows]
        self._batch(quarter, Feed.EVIDENCE, found_by_bps, declared)

    def publish(self, quarter: Quarter) -> None:
        """The registry resolved last stands as the published revision of a quarter."""
        folder = self.house.restricted / str(quarter) / "r1"
        folder.mkdir(parents=True, exist_ok=True)
        tables = {key: table.to_json() for key, table in self.registry.items()}
        (folder / "draft.json").write_text(json.dumps({"tables": tables}))
        self.house.published.mkdir(parents=True, exist_ok=True)
        pointer = {str(quarter): {"revision": 1, "draft": "d", "path": f"{quarter}/r1"}}
        (self.house.published / POINTER).write_text(json.dumps(pointer))

    def ask(self, quarter: Quarter, fact: str, file: Path, *regencies: str, day: date = JAN) -> Request:
        """Ask the agency of a fact about everybody stated so far, or those registered in some regencies."""
        return ask(self.house, quarter, FACT_AGENCY[fact], regencies, file, day)

    def _batch(self, quarter: Quarter, feed: Feed, rows: Sequence[Row], declared: Declaration) -> None:
        contract = self.house.contracts[f"intake/{feed}"]
        content = sorted(str(sorted(row.items())) for row in rows)
        batch_id = digest([feed, str(quarter), content, declared.model_dump(mode="json")])[:16]
        frame = framed(contract, rows, batch_id)
        shard = self.house.lake.write(contract, str(quarter), batch_id, batch_id, frame)
        append(
            self.house.lake,
            Batch(
                batch_id, feed, str(quarter), f"{batch_id}.csv", batch_id, declared, read=len(rows),
                accepted=len(rows), rejected=0, parked=0, reasons={},
                shards=({"file": shard.path.name, "sha256": shard.sha256, "rows": shard.rows},),
            ),
        )  # fmt: skip

    def resolve(self, quarter: Quarter) -> "Office":
        """Resolve a quarter on top of the one resolved before."""
        pins = Pins.of(self.house.lake, quarter, None)
        lake = self.house.lake
        self.registry = resolve(self.house, quarter, pins.tables(lake), pins.read(lake), self.registry, CARD)
        return self

    def remember(self, decided: pl.DataFrame) -> "Office":
        """Keep decisions of the quarter resolved last, for the next one to look back at."""
        contract = self.house.contracts["decision/decisions"]
        plain = {pl.String(): "", pl.Int64(): 0, pl.Int32(): 0, pl.Boolean(): False}
        missing = [
            pl.lit(None if contract.columns[name].nullable else plain.get(dtype, []), dtype).alias(name)
            for name, dtype in contract.dtypes.items()
            if name not in decided.columns
        ]
        quarter = self.registry["registry/families"].quarter
        rows = decided.with_columns(missing)
        self.registry["decision/decisions"] = self.house.lake.write_whole(contract, quarter, rows)
        return self

    def table(self, name: str) -> pl.DataFrame:
        """A table of the registry."""
        return self.registry[f"registry/{name}"].read(self.house.contracts[f"registry/{name}"])

    def family(self, card: str) -> dict[str, Any]:
        """Record and provenance of the family under a card in force."""
        record = self.table("families").row(by_predicate=pl.col("family_card_number") == card, named=True)
        said = self.table("provenance").row(by_predicate=pl.col("family_id") == record["family_id"], named=True)
        return said | record

    def cards(self) -> set[str]:
        """Cards in force."""
        return set(self.table("families")["family_card_number"])

    def person(self, nik: str) -> dict[str, Any]:
        """Record of a person, with the card of the family it is in."""
        cards = self.table("families").select("family_id", "family_card_number")
        return self.table("persons").join(cards, on="family_id", how="left").row(
            by_predicate=pl.col("nik") == nik, named=True
        )  # fmt: skip

    def persons_of(self, card: str) -> list[str | None]:
        """Numbers of the persons of a family, in order."""
        mine = self.table("persons").filter(pl.col("family_id") == self.family(card)["family_id"])
        return mine.sort("nik", nulls_last=True)["nik"].to_list()


def framed(contract: Contract, rows: Sequence[Row], batch_id: str = "b") -> pl.DataFrame:
    """Rows as the lake keeps them; what a row does not say is null."""
    dtypes = {name: dtype for name, dtype in contract.dtypes.items() if name != "nik_bucket"}
    numbered = [
        {**dict.fromkeys(dtypes), **row, "batch_id": batch_id, "row_number": at + 2} for at, row in enumerate(rows)
    ]
    frame = pl.DataFrame(numbered, schema=dtypes)
    if "nik_bucket" in contract.columns:
        known = pl.coalesce("nik", "family_card_number") if "family_card_number" in frame.columns else pl.col("nik")
        frame = frame.with_columns(_key=known).with_columns(nik_bucket=bucket_of("_key")).drop("_key")
    return contract.fit(frame)
