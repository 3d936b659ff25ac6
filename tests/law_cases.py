"""The cases of `tests/law/*.yaml` as records, and what a rulebook makes of each; nothing is asserted here.

A case of a family states one family and what is decided for it; a queue several families of one regency and who comes
first; one of places the poor of some regencies and their places; one of deciles a survey and where a family falls; one
of answers what several people say and which of it is believed; one of values the persons of a family and what of them
is impossible; one of waits how long a case stands and who acts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from assets.decision.decide import decide
from assets.decision.deciles import FRAMES, OFFICIAL, cut_points, with_deciles
from assets.decision.families import Terms
from assets.decision.places import places
from assets.decision.referrals import referrals
from assets.decision.worklist import worklist
from assets.registry.attributes import Precedence, by_source, golden_records
from assets.registry.plausibility import find_implausible
from quotas.calendar import calendar_of
from quotas.overlay import Overlay
from quotas.parameters import Strict, read_yaml, validated
from quotas.rulebook import Policy, Rulebook
from schemas.quarter import Quarter
from schemas.regions import regencies
from schemas.tables import TABLES
from schemas.vocabularies import GoesTo, Implausible, Programme, Sex, Shock, Source, Status, Support
from tests.made_families import CARD, NOBODY, Made, Person, column_of, families, held, seats, sitting
from tests.made_families import cut_points as even_cuts

FOLDER = Path(__file__).parent / "law"
QUARTER = Quarter.parse("2026Q1")
DISABILITY = {"cannot": 1, "much": 2, "some": 3, "none": 4}
Wording = Annotated[str, Field(pattern=r"^[A-Z].*\.$")]
_NO_DOUBTS = pl.DataFrame(schema=dict.fromkeys(["family_id", "programme", "reason"], pl.String))
_TOLD = ("status", "amount_rupiah", "reasons", "components", "ground_checks", "review_due", "placed_by")


class Member(Strict):
    """A person by age on the day of decision, whose birthday it is then, or by day of birth; the first is the head."""

    age: int | None = None
    born: date | None = None
    pregnant: bool = False
    school: Literal["primary", "junior_secondary", "senior_secondary", "university"] | None = None
    disability: Literal["cannot", "much", "some", "none"] = "none"
    rights_victim: bool | None = False
    supported_by: tuple[Support, ...] | None = None

    def person(self, day: date) -> Person:
        """The member as the registry holds him."""
        born = self.born or day.replace(year=day.year - (self.age or 0))
        victim = None if self.rights_victim is None else int(self.rights_victim)
        return Person(
            born, self.pregnant, self.school, DISABILITY[self.disability], victim, supported_by=self.supported_by
        )


class Expected(Strict):
    """What must be decided in a programme; reasons and ground checks in any order, components highest amount first."""

    status: Status
    amount: int = 0
    reasons: tuple[str, ...] = ()
    components: tuple[str, ...] | None = None
    ground_checks: tuple[str, ...] = ()
    review_due: bool = False
    placed_by: str | None = None


Told = tuple[dict[Programme, Expected], tuple[str, ...] | None]
"""What is decided by programme, and referrals where they are stated."""


class Other(Strict):
    """Other families of the same regency, newcomers unless they receive, that compete for the same places."""

    decile: int
    members: tuple[Member, ...]
    receives: tuple[Programme, ...] = ()
    families: int = 1


class FamilyCase(Strict):
    """A family and what the law makes of it; `under` changes values of the rulebook by dotted path.

    `facts` are facts of the record and answers by code; `struck` are shocks with their days.
    """

    case: Wording
    decided_on: date
    regency: str
    decile: int | None
    members: tuple[Member, ...]
    facts: Mapping[str, int | None] = Field(default_factory=dict)
    verified: bool = False
    identity_case: bool = False
    receives: tuple[Programme, ...] = ()
    since: date = date(2025, 10, 1)
    paid_for: tuple[str, ...] | None = None
    held_since: str | None = None
    places: int = 1
    beside: tuple[Other, ...] = ()
    struck: Mapping[Shock, date] = Field(default_factory=dict)
    under: Mapping[str, object] = Field(default_factory=dict)
    expected: Mapping[Programme, Expected]
    referred: tuple[str, ...] | None = None

    @property
    def rivals(self) -> tuple[Other, ...]:
        """Those beside it, each once."""
        return tuple(one for one in self.beside for _ in range(one.families))

    @property
    def people(self) -> tuple[Person, ...]:
        """Members as the registry holds them."""
        return tuple(one.person(self.decided_on) for one in self.members)

    def made(self, name: str) -> Made:
        """The family as the registry holds it."""
        return Made(
            name, self.decile and self.decile * 100, self.people, self.regency, self.facts,
            {name: area for name, area in self.facts.items() if name == "floor_area_m2"},
            is_verified=self.verified, case="a case" if self.identity_case else None,
        )  # fmt: skip

    def told(self, decided: pl.DataFrame, referred: Iterable[str], name: str) -> Told:
        """What was decided, in the form of what is stated; what the case does not state is left out."""
        found = {}
        for programme, expected in self.expected.items():
            values = (column_of(decided, column, programme.value)[name] for column in _TOLD)
            status, amount, reasons, components, checks, review, placed_by = values
            found[programme] = Expected(
                status=Status(status), amount=amount, reasons=tuple(sorted(reasons)),
                components=None if expected.components is None else tuple(components),
                ground_checks=tuple(sorted(checks)), review_due=review,
                placed_by=None if expected.placed_by is None else placed_by,
            )  # fmt: skip
        return found, None if self.referred is None else tuple(sorted(referred))

    @property
    def stated(self) -> Told:
        """What is expected, codes in the order in which :meth:`told` gives them."""
        expected = {
            programme: one.model_copy(
                update={"reasons": tuple(sorted(one.reasons)), "ground_checks": tuple(sorted(one.ground_checks))}
            )
            for programme, one in self.expected.items()
        }
        return expected, None if self.referred is None else tuple(sorted(self.referred))


class Queued(Strict):
    """A family of a queue; of equal decile where nothing is said. `lot` makes another draw of the lottery."""

    members: tuple[Member, ...]
    registered: date = date(2025, 10, 1)
    decile: int = 2
    village: str = "01.2001"
    lot: int | None = None


class QueueCase(Strict):
    """Families of one regency of which each qualifies, and in which order they stand."""

    case: Wording
    decided_on: date = date(2026, 1, 26)
    programme: Programme = Programme.BPNT
    families: Mapping[str, Queued]
    places: int = 1
    under: Mapping[str, object] = Field(default_factory=dict)
    order: tuple[str, ...]

    def holds(self, policy: Policy) -> bool:
        """Whether they stand in the order stated, the first of them inside the places."""
        made = [
            Made(name, one.decile * 100, tuple(who.person(self.decided_on) for who in one.members),
                 registered=one.registered, village=one.village, number=one.lot)
            for name, one in self.families.items()
        ]  # fmt: skip
        room = seats({made[0].regency: (self.places, self.places)})
        decided = decide(families(*made), _terms(policy), room, NOBODY)
        rank = column_of(decided, "rank", self.programme.value)
        if None in rank.values():
            return False
        status = column_of(decided, programme=self.programme.value)
        received = [name for name in self.order if status[name] == Status.RECIPIENT]
        return tuple(sorted(rank, key=rank.__getitem__)) == self.order and len(received) == self.places


class PlacesCase(Strict):
    """Poor people (official: BPS, March 2025) and eligible families by regency, and the places of some of them."""

    case: Wording
    decided_on: date = date(2026, 1, 26)
    poor: Mapping[str, int] | Literal["official"]
    eligible: Mapping[str, int] = Field(default_factory=dict)
    before: Mapping[str, int] = Field(default_factory=dict)
    under: Mapping[str, object] = Field(default_factory=dict)
    expected: Mapping[Programme, Mapping[str, int]]

    def holds(self, policy: Policy) -> bool:
        """Whether the places are as stated; the key `total` is their sum."""
        known = regencies().select("code", "poor_count") if self.poor == "official" else pl.DataFrame(
            {"code": list(self.poor), "poor_count": list(self.poor.values())}
        )  # fmt: skip
        figures = known.select(
            area_code="code",
            area_bps=pl.lit(None, pl.String),
            poor_count="poor_count",
            poverty_gap_rupiah_month=pl.col("poor_count") ** 2,
        )
        rows = [
            (code, programme.value, "eligible") for code, n in self.eligible.items() for programme in Programme
            for _ in range(n)
        ]  # fmt: skip
        counted = pl.DataFrame(rows, schema=[policy.quotas.area, "programme", "status"], orient="row")
        earlier = [(code, programme.value, n) for code, n in self.before.items() for programme in Programme]
        before = pl.DataFrame(earlier, schema=["regency_code", "programme", "seats"], orient="row") if earlier else None
        table = places(policy, figures, counted, before)
        for programme, expected in self.expected.items():
            found = dict(table.filter(programme=programme.value).select("regency_code", "seats").iter_rows())
            found["total"] = sum(found.values())
            if any(found[code] != n for code, n in expected.items()):
                return False
        return True


class Household(Strict):
    """A household of the survey, poorer the fewer square metres, and how many families it stands for."""

    metres: int
    families: int = 1
    people: int = 4
    regency: str = "35.10"


class DecileCase(Strict):
    """A survey, and the decile of a registered family of so many square metres that the official register may list."""

    case: Wording
    decided_on: date = date(2026, 1, 26)
    survey: tuple[Household, ...]
    metres: int
    regency: str = "35.10"
    official: int | None = None
    under: Mapping[str, object] = Field(default_factory=dict)
    decile: int | None

    def holds(self, policy: Policy) -> bool:
        """Whether the family falls into the decile stated."""
        rows = [(one.metres, float(one.families), one.people, one.regency) for one in self.survey]
        schema = {
            "floor_area_m2": pl.Int32,
            "weight": pl.Float64,
            "household_size": pl.Int32,
            "regency_code": pl.String,
        }
        survey = pl.DataFrame(rows, schema=schema, orient="row").with_columns(household_id=pl.lit("h"))
        on = _terms(policy, cut_points(survey, CARD, policy.welfare))
        family = pl.DataFrame({"score_micro": [self.metres * 1000], "regency_code": [self.regency]}).with_columns(
            pl.lit(self.official, pl.Int32).alias(f"{OFFICIAL}decile_{frame}") for frame in FRAMES
        )
        return bool(with_deciles(family, on)["decile"].item() == self.decile)


class Answer(Strict):
    """What somebody says of a family on a day."""

    source: Source
    day: date
    value: int


class AnswerCase(Strict):
    """Answers to one question about a family, and the one that is believed at the cut-off; null: none."""

    case: Wording
    decided_on: date = date(2026, 1, 26)
    cut_off: date = date(2026, 1, 20)
    answers: tuple[Answer, ...]
    under: Mapping[str, object] = Field(default_factory=dict)
    believed: int | None

    def holds(self, policy: Policy) -> bool:
        """Whether the answer stated is the one believed."""
        rows = [("f", one.source.value, one.day, one.day, one.value) for one in self.answers]
        said = pl.DataFrame(rows, schema=["family_id", "source", "date", "issued_on", "rooms"], orient="row")
        precedence = Precedence.of(policy.registry, self.cut_off)
        told = by_source(said, ["rooms"], precedence)
        expiry = pl.DataFrame({"family_id": ["f"], "oldest": [precedence.oldest]})
        found = golden_records(told, told.drop("source").clear(), expiry, ["rooms"], precedence)["rooms"].to_list()
        return found == ([] if self.believed is None else [self.believed])


class Relative(Strict):
    """A person of a family as stated, by age on the day of the statement or by day of birth."""

    relation: Literal["head", "spouse", "child", "parent", "other"] = "head"
    sex: Sex = Sex.FEMALE
    age: int | None = None
    born: date | None = None
    pregnant: bool = False
    school: Literal["primary", "junior_secondary", "senior_secondary"] | None = None


class ValueCase(Strict):
    """The persons of a family, stated on the day of decision, and what of them is impossible."""

    case: Wording
    decided_on: date = date(2026, 1, 26)
    persons: tuple[Relative, ...]
    under: Mapping[str, object] = Field(default_factory=dict)
    impossible: tuple[Implausible, ...] = ()

    def holds(self, policy: Policy) -> bool:
        """Whether exactly these values are impossible, each once for every person it is found of."""
        codes = {"head": 1, "spouse": 2, "child": 3, "parent": 6, "other": 8}
        levels = {"primary": 3, "junior_secondary": 7, "senior_secondary": 12}
        day, contract = self.decided_on, TABLES["registry/persons"]
        rows = [
            {
                **dict.fromkeys(contract.columns), "person_id": str(at), "family_id": "f", "regency_code": "35.10",
                "birth_date": one.born or day.replace(year=day.year - (one.age or 0)), "sex": one.sex.value,
                "relation": codes[one.relation], "is_pregnant": one.pregnant, "stated_date": day,
                "school_participation": 2 if one.school else 3,
                "school_level": levels[one.school] if one.school else None, "is_number_confirmed": False,
            }
            for at, one in enumerate(self.persons)
        ]  # fmt: skip
        found = find_implausible(pl.DataFrame(rows, schema=contract.dtypes), policy.plausibility, day)
        return sorted(found["check"]) == sorted(one.value for one in self.impossible)


class WaitCase(Strict):
    """A family on the worklist for a reason that has stood for so many quarters, and who acts."""

    case: Wording
    decided_on: date = date(2026, 1, 26)
    family: Literal["receives", "held", "waits"]
    quarters: int
    under: Mapping[str, object] = Field(default_factory=dict)
    goes_to: GoesTo

    def holds(self, policy: Policy) -> bool:
        """Whether the case goes where it is stated to go."""
        on, reason = _terms(policy), "car_owner"
        since = QUARTER
        for _ in range(self.quarters):
            since = since.previous
        made = Made("f", 200, facts={"car_count": 1}, case="a case" if self.family == "held" else None)
        before = sitting(*(("f", code.value) for code in Programme)) if self.family == "receives" else NOBODY
        places_here = seats({made.regency: (0, 0) if self.family == "waits" else (9, 9)})
        decided = decide(families(made), on, places_here, before).with_columns(reference="family_id")
        reason = "identity_case" if self.family == "held" else reason
        earlier = pl.DataFrame({"family_id": ["f"], "reason": [reason], "since": [str(since)]})
        listed = worklist(decided, _NO_DOUBTS, earlier, on)
        return listed.select("reason", "goes_to").rows() == [(reason, self.goes_to.value)]


class FamilyBook(Strict):
    """A file of families; what `family` states holds in each case that does not state it itself."""

    family: Mapping[str, object]
    cases: tuple[Mapping[str, object], ...]


class OtherBook(Strict):
    """A file of the other kinds of cases."""

    queues: tuple[QueueCase, ...] = ()
    places: tuple[PlacesCase, ...] = ()
    deciles: tuple[DecileCase, ...] = ()
    answers: tuple[AnswerCase, ...] = ()
    values: tuple[ValueCase, ...] = ()
    waits: tuple[WaitCase, ...] = ()


OtherCase = QueueCase | PlacesCase | DecileCase | AnswerCase | ValueCase | WaitCase


def _terms(policy: Policy, cuts: pl.DataFrame | None = None) -> Terms:
    days = calendar_of(QUARTER).drawn("drawn for law cases").model_copy(update={"decision_date": policy.day})
    return Terms(QUARTER, policy, days, CARD, even_cuts() if cuts is None else cuts)


def read_families() -> Iterator[FamilyCase]:
    """The cases of families of all files."""
    for path in sorted(FOLDER.glob("*.yaml")):
        content = read_yaml(path.read_text(encoding="utf-8"), path.name)
        if isinstance(content, dict) and "family" in content:
            book = validated(FamilyBook, content, path.name)
            for number, stated in enumerate(book.cases, start=1):
                yield validated(FamilyCase, {**book.family, **stated}, f"{path.name}: case {number}")


def read_others() -> Iterator[OtherCase]:
    """All other cases but those of causes, which are of two quarters (tests/test_causes.py)."""
    for path in sorted(FOLDER.glob("*.yaml")):
        content = read_yaml(path.read_text(encoding="utf-8"), path.name)
        if isinstance(content, dict) and not {"family", "causes"} & {*content}:
            book = validated(OtherBook, content, path.name)
            found: tuple[OtherCase, ...] = (
                *book.queues, *book.places, *book.deciles, *book.answers, *book.values, *book.waits,
            )  # fmt: skip
            yield from found


FAMILIES = tuple(read_families())
OTHERS = tuple(read_others())


@dataclass(frozen=True)
class _Sitting:
    """What families that are decided together share; those that compete with others are decided alone."""

    decided_on: date
    overlay: Overlay | None
    has_place: bool
    alone: str | None


def alone(case: FamilyCase, book: Rulebook) -> Told:
    """What is decided for the family of a case where no other is registered but those beside it."""
    return _decided(Rulebook(book.entries, _overlay(case)).on(case.decided_on), [case])[0]


def broken(
    book: Rulebook, cases: Iterable[FamilyCase] = FAMILIES, others: Iterable[OtherCase] = OTHERS
) -> Iterator[str]:
    """The wording of each case that is decided otherwise under a rulebook.

    Parameters
    ----------
    book : Rulebook
        Without an overlay: those of the cases are laid over it.
    """
    together: dict[_Sitting, list[FamilyCase]] = {}
    for case in cases:
        shared = _Sitting(case.decided_on, _overlay(case), case.places > 0, case.case if case.beside else None)
        together.setdefault(shared, []).append(case)
    for one, of_one in together.items():
        told = _decided(Rulebook(book.entries, one.overlay).on(one.decided_on), of_one)
        yield from (case.case for case, found in zip(of_one, told, strict=True) if found != case.stated)
    for other in others:
        if not other.holds(Rulebook(book.entries, _overlay(other)).on(other.decided_on)):
            yield other.case


def _overlay(case: FamilyCase | OtherCase) -> Overlay | None:
    return Overlay.of("test", "Another reading of the law", case.under) if case.under else None


def _decided(policy: Policy, cases: list[FamilyCase]) -> list[Told]:
    """What is decided for the family of each case; they stand beside each other with a free place for each."""
    made = {f"{number:04d}": case for number, case in enumerate(cases)}
    rivals = [
        (Made(f"{name} beside {number}", one.decile * 100, tuple(each.person(case.decided_on) for each in one.members),
              case.regency), one.receives)
        for name, case in made.items() for number, one in enumerate(case.rivals)
    ]  # fmt: skip
    room = sum(case.places for case in cases)
    received = [
        *(
            sitting((name, code.value), since=case.since, paid_for=case.paid_for)
            for name, case in made.items()
            for code in case.receives
        ),
        *(
            held((name, code.value, case.held_since))
            for name, case in made.items()
            for code in Programme
            if case.held_since is not None
        ),
        *(sitting((rival.name, code.value)) for rival, codes in rivals for code in codes),
    ]
    frames, on = (
        families(*(case.made(name) for name, case in made.items()), *(rival for rival, _ in rivals)),
        _terms(policy),
    )
    places_here = seats(dict.fromkeys(sorted({case.regency for case in cases}), (room, room)))
    decided = decide(frames, on, places_here, pl.concat(received) if received else NOBODY)
    struck = [(name, shock.value, day) for name, case in made.items() for shock, day in case.struck.items()]
    schema = {"family_id": pl.String, "shock": pl.String, "shock_date": pl.Date}
    shocks = pl.DataFrame(struck, schema=schema, orient="row")
    referred = referrals(frames, shocks, decided.with_columns(reference="family_id", quarter=pl.lit(str(QUARTER))), on)
    by_family: dict[Any, pl.DataFrame] = decided.partition_by("family_id", as_dict=True)
    return [
        case.told(by_family[(name,)], referred.filter(family_id=name)["referral"].to_list(), name)
        for name, case in made.items()
    ]
