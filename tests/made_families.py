"""Families made by hand for the tests of the decision room: registry frames, a scorecard one can read, terms, places.

A family's score is its floor area in thousand micro-units, so that a test states welfare as a number of square metres.
Nothing is asserted here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

import polars as pl

from assets.decision.families import Families, Terms
from assets.welfare.scorecard import FeatureTable, Provenance, Scorecard
from assets.welfare.spec import SurveySpec
from quotas.calendar import calendar_of
from quotas.overlay import Overlay
from quotas.rulebook import rulebook
from schemas.quarter import Quarter
from schemas.tables import TABLES
from schemas.vocabularies import Source, Status, Support

MICRO_PER_METRE = 1000
HERE, THERE = "35.10", "35.12"
SCHOOL_LEVELS = {"primary": 3, "junior_secondary": 7, "senior_secondary": 12, "university": 18}
"""One Regsosek code (question 413) of each school that components ask for, and one of a school that none asks for."""


def scorecard(feature: str = "floor_area_m2", highest: int = 999, *, falls: bool = False) -> Scorecard:
    """A card of one question: every square metre (or goat) is worth a thousand micro-points, or costs as many."""
    values = tuple(range(1, highest + 1))
    sign = -1 if falls else 1
    spec = {
        "id": "household_id",
        "target": {"column": "expenditure", "scale": "level"},
        "features": {feature: {"kind": "number", "range": [1, highest]}},
    }
    points = FeatureTable(
        feature, "number", "none", tuple(map(float, values[:-1])), tuple(map(float, values)), (1.0, float(highest)), (),
        {"": tuple(sign * value * MICRO_PER_METRE for value in values)}, None,
    )  # fmt: skip
    made_of = Provenance("0" * 64, 1, 1.0, {}, 1.0, 0.1, 0, 0, None, {})
    return Scorecard(SurveySpec.model_validate(spec), "log", False, {"": 0}, (points,), made_of)  # noqa: FBT003


CARD = scorecard()


@dataclass(frozen=True)
class Person:
    """A living member; what is stated of it is supported by every source, unless a test says by which."""

    born: date = date(1990, 6, 15)
    is_pregnant: bool = False
    school: str | None = None
    disability: int = 4
    is_rights_victim: int | None = 0
    supported_by: tuple[Support, ...] | None = None


ADULT = Person()
CHILD = Person(date(2022, 3, 1))
PUPIL = Person(date(2016, 3, 1), school="primary")
ELDER = Person(date(1950, 3, 1))


@dataclass(frozen=True)
class Made:
    """A family as a test states it; what it does not state is in nobody's way. `number` draws its lot."""

    name: str
    metres: int | None = 10
    members: Sequence[Person] = (ADULT, CHILD)
    regency: str = HERE
    facts: Mapping[str, int | None] = field(default_factory=dict)
    answers: Mapping[str, int | None] = field(default_factory=dict)
    by_bps: frozenset[str] = frozenset()
    is_verified: bool = False
    case: str | None = None
    registered: date = date(2025, 10, 1)
    village: str = "01.2001"
    number: int | None = None

    @property
    def card_number(self) -> str:
        """Sixteen digits of its own."""
        own = int.from_bytes(self.name.encode()[-4:], "big") if self.number is None else self.number
        return f"351001{own:010d}"


CLEAN = {
    "living_member_count": 1, "has_civil_servant": 0, "has_soldier_or_police": 0, "has_pensioner": 0,
    "wage_rupiah_month": 0, "electricity_va": 900, "has_certified_teacher": 0, "has_state_income": 0,
    "has_company_owner": 0, "has_health_worker": 0, "has_village_official": 0, "other_aid_finding": 0, "car_count": 0,
    "land_area_m2": 0, "has_first_class_insurance": 0, "income_rupiah_year": 0, "gambling_rupiah": 0,
    "has_abnormal_transactions": 0,
    "is_identity_confirmed": 1, "declared_contradiction_count": 0,
    "has_consent": 1, "address_finding": 0, "absence_finding": 0, "refusal_finding": 0,
}  # fmt: skip
"""Facts that no filter objects to."""


def families(*made: Made) -> Families:
    """The families as the registry holds them."""
    return Families(
        _frame("registry/families", [_record(one) for one in made]),
        _frame("registry/members", [_member(one, place) for one in made for place in range(len(one.members))]),
    )


def sources(*made: Made) -> pl.DataFrame:
    """Who says what of the families: BPS what it validated, nobody the rest."""
    return _frame(
        "registry/provenance",
        [
            {"family_id": one.name, "regency_code": one.regency}
            | {f"{name}_source": Source.BPS_VALIDATION.value for name in one.by_bps}
            for one in made
        ],
    )


def _frame(key: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    columns = {name: [row.get(name) for row in rows] for name in TABLES[key].dtypes}
    return pl.DataFrame(columns, schema=TABLES[key].dtypes)


def _record(made: Made) -> dict[str, Any]:
    return {
        **CLEAN, **made.facts, "floor_area_m2": made.metres, **made.answers,
        "family_id": made.name, "family_card_number": made.card_number,
        "regency_code": made.regency, "district_code": f"{made.regency}.{made.village[:2]}",
        "village_code": f"{made.regency}.{made.village}",
        "head_person_id": f"{made.name}-0", "head_name": "Siti", "registered_date": made.registered,
        "registration_date": made.registered,
        "channel": "agent", "proposer": "agent", "is_ikd_verified": made.is_verified, "face_match": "not_available",
        "is_verified": made.is_verified, "case_id": made.case,
    }  # fmt: skip


def _member(made: Made, place: int) -> dict[str, Any]:
    person = made.members[place]
    supports = tuple(Support) if person.supported_by is None else person.supported_by
    return {
        "person_id": f"{made.name}-{place}", "family_id": made.name, "regency_code": made.regency,
        "birth_date": person.born, "relation": 1 if place == 0 else 3, "is_pregnant": person.is_pregnant,
        "school_participation": 2 if person.school else 3,
        "school_level": SCHOOL_LEVELS[person.school] if person.school else None,
        "disability": person.disability, "is_rights_victim": person.is_rights_victim,
        "is_number_confirmed": Support.BIRTH_RECORD in supports,
        "is_pregnant_recorded": int(Support.HEALTH_RECORD in supports),
        "is_disability_recorded": int(Support.DISABILITY_RECORD in supports),
        "is_enrolled_in_school": int(Support.SCHOOL_ENROLMENT in supports),
        "seen_by": Source.BPS_VALIDATION.value if Support.BPS_VISIT in supports
        else Source.AGENT_SURVEY.value if Support.AGENT_SURVEY in supports else None,
    }  # fmt: skip


def cut_points(width: int = 100, frame: str = "all") -> pl.DataFrame:
    """Deciles of `width` square metres each: up to 100 the first, up to 200 the second, above 900 the tenth."""
    rows = [(frame, decile, decile * width * MICRO_PER_METRE) for decile in range(1, 10)]
    return pl.DataFrame(rows, schema=TABLES["decision/cut_points"].dtypes, orient="row")


def terms(
    changes: Mapping[str, object] | None = None,
    *,
    quarter: str = "2026Q1",
    day: date | None = None,
    seed: str | None = None,
    card: Scorecard = CARD,
    cuts: pl.DataFrame | None = None,
) -> Terms:
    """The terms of a quarter under the rulebook that ships, with changes by dotted path."""
    when = Quarter.parse(quarter)
    days = calendar_of(when)
    days = days.drawn(seed or days.trial_seed)
    days = days.model_copy(update={"decision_date": day or days.decision_date})
    book = rulebook(Overlay.of("test", "Made for a test", changes) if changes else None)
    return Terms(when, book.on(days.decision_date), days, card, cut_points() if cuts is None else cuts)


def seats(places: Mapping[str, tuple[int, int]]) -> pl.DataFrame:
    """Places by area, of PKH and of BPNT."""
    rows = [(area, *one) for area, both in places.items() for one in zip(("PKH", "BPNT"), both, strict=True)]
    schema = {"regency_code": pl.String, "programme": pl.String, "seats": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def sitting(
    *rows: tuple[str, str], since: date = date(2025, 10, 1), paid_for: Sequence[str] | None = None
) -> pl.DataFrame:
    """Recipients of the quarter before: family and programme, since a day, and what they were paid for, if known."""
    received = pl.DataFrame(rows, schema={"family_id": pl.String, "programme": pl.String}, orient="row")
    return received.with_columns(
        status=pl.lit(Status.RECIPIENT.value),
        member_since=pl.lit(since, pl.Date),
        held_since=pl.lit(None, pl.String),
        components=pl.lit(None if paid_for is None else list(paid_for), pl.List(pl.String)),
        score_micro=pl.lit(None, pl.Int64),
        amount_rupiah=pl.lit(None, pl.Int64),
    )


def held(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Families held in the quarter before: family, programme and the quarter since which they are."""
    known = pl.DataFrame(rows, schema=["family_id", "programme", "held_since"], orient="row")
    return known.select(
        "family_id",
        "programme",
        status=pl.lit(Status.HELD.value),
        member_since=pl.lit(None, pl.Date),
        held_since="held_since",
        components=pl.lit([], pl.List(pl.String)),
        score_micro=pl.lit(None, pl.Int64),
        amount_rupiah=pl.lit(0, pl.Int64),
    )


NOBODY = sitting()


def shuffled(frame: pl.DataFrame, dice: Random) -> pl.DataFrame:
    """The same rows in another order."""
    return frame.select(pl.all().gather(dice.sample(range(frame.height), frame.height)))


def column_of(decided: pl.DataFrame, column: str = "status", programme: str = "PKH") -> dict[str, Any]:
    """One column of a programme's decisions by family."""
    mine = decided.filter(pl.col("programme") == programme)
    return dict(mine.select("family_id", column).iter_rows())
