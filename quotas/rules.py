"""What each section of the rulebook may say: filters, programmes, quotas, ranking and the rest as strict records.

How files are read is in `parameters`; which values hold on a day is in `rulebook`; no rule is applied here.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from quotas.apportion import Method
from quotas.parameters import Citation, Sentence, Strict, is_percent
from schemas.errors import UnknownRegency
from schemas.regions import regencies
from schemas.vocabularies import (
    Agency,
    Author,
    FamilyStanding,
    Feed,
    Programme,
    SenderKind,
    Source,
    Standing,
    Subject,
    Support,
)

MILLION = 1_000_000
_AREA = r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$"
_REGENCY = r"^[0-9]{2}\.[0-9]{2}$"
_OLDEST = 150

Rupiah = Annotated[int, Field(ge=0, le=10**16)]
"""More than a budget of the state."""
Amount = Annotated[int, Field(ge=0, le=10**9)]
"""Rupiah due to one person or family in a quarter."""
Places = Annotated[int, Field(ge=0, le=10**9)]
"""More than there are people."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Operator(StrEnum):
    """How a filter compares the observed fact with its threshold; the family fails where it holds."""

    IS_TRUE = "is_true"
    IS_FALSE = "is_false"
    ABOVE = "above"
    BELOW = "below"


class Effect(StrEnum):
    """What a filter that holds does: it excludes, or decides as passed and puts the family on the BPS worklist."""

    EXCLUDE = "exclude"
    GROUND_CHECK = "ground_check"


class Unknown(StrEnum):
    """What a filter does while its fact is unknown."""

    PASS = "pass"  # noqa: S105
    GROUND_CHECK = "ground_check"
    HOLD = "hold"


class Scope(StrEnum):
    """Whether a filter asks about the family's members or the family itself; either way the whole family fails."""

    MEMBER = "member"
    FAMILY = "family"


class Filter(Strict):
    """One ground of exclusion or of a visit in one period; it holds where ``operator(fact, threshold)`` does.

    Attributes
    ----------
    code : str
        Name in results.
    categories : tuple of int
        Numbers among the fifteen categories of Kepmensos 73/2024 that it carries out; empty where it is none of them.
    agency : Agency or "registry"
        Who answers; ``registry`` for facts of our own record.
    scope : Scope
        Whether members or the family are asked.
    fact : str
        int64 column of the family frame; booleans are 0 and 1, null is unknown.
    operator : Operator
        ``is_true`` and ``is_false`` take no threshold.
    threshold : int, "minimum_wage" or None
        ``minimum_wage`` is the minimum wage of the family's regency on the day of decision.
    unit : str
        Unit of fact and threshold.
    programmes : tuple of Programme
        Where the filter holds.
    effect : Effect
        ``exclude``, or ``ground_check`` where holding proves too little to exclude.
    unknown : Unknown
        ``pass``: decided as passed; ``ground_check``: decided as passed and put on the BPS worklist; ``hold``: a
        newcomer is held, a sitting family decided as passed and put on the worklist.
    is_confidential : bool
        Whether the family may not be told what was found (no tipping off, UU 8/2010 article 12).
    reason : Sentence
        Told to a family for which it holds; of a confidential filter to staff alone.
    description, source, valid_from, valid_to
        As in every entry of the rulebook.
    """

    code: Name
    categories: tuple[Annotated[int, Field(ge=1, le=15)], ...]
    agency: Agency | Literal["registry"]
    scope: Scope
    fact: Name
    operator: Operator
    threshold: Annotated[int, Field(ge=0, le=10**16)] | Literal["minimum_wage"] | None
    unit: str = Field(min_length=1)
    programmes: tuple[Programme, ...] = Field(min_length=1)
    effect: Effect
    unknown: Unknown
    is_confidential: bool = False
    reason: Sentence
    description: Sentence
    source: Citation
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _threshold_fits_operator(self) -> Self:
        takes_threshold = self.operator in {Operator.ABOVE, Operator.BELOW}
        if takes_threshold != (self.threshold is not None):
            fault = f"operator {self.operator} " + ("needs a threshold" if takes_threshold else "takes threshold null")
            raise ValueError(fault)
        if is_percent(self.unit):
            fault = "shares are ratios here; name another unit"
            raise ValueError(fault)
        return self


class Sender(Strict):
    """Who may deliver files, and as what.

    Attributes
    ----------
    code : str
        What a file's note names as `sender`.
    name : Sentence
        The office.
    kind : SenderKind
        As what it delivers: whose words its rows are follows from it (policy `standing`).
    feeds : tuple of Feed
        What it may deliver.
    agencies : tuple of Agency
        For whom it may answer in the feed evidence.
    area : tuple of str
        Kemendagri codes of the regions its rows may be about; empty: the whole country.
    description, source, valid_from, valid_to
        As in every entry of the rulebook.
    """

    code: Name
    name: Sentence
    kind: SenderKind
    feeds: tuple[Feed, ...] = Field(min_length=1)
    agencies: tuple[Agency, ...] = ()
    area: tuple[Annotated[str, StringConstraints(pattern=_AREA)], ...] = ()
    description: Sentence
    source: Citation
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _answers_for_agencies_where_it_delivers_evidence(self) -> Self:
        if (Feed.EVIDENCE in self.feeds) != bool(self.agencies):
            fault = "agencies and the feed evidence go together; give both or neither"
            raise ValueError(fault)
        return self


class ByDirection(Strict):
    """What a statement does where it makes a family better or worse off in the order of the poor."""

    better: Standing
    worse: Standing


_AT_ONCE = (Subject.VISIT_RESULT, Subject.IDENTITY, Subject.EVIDENCE)


class StandingRule(Strict):
    """What each author's statement on one subject does to families of some standing.

    Attributes
    ----------
    code : str
        Name in results.
    subject : Subject
        What the statement concerns.
    families : tuple of FamilyStanding
        What the family has to lose.
    effects : mapping of Author to Standing or ByDirection
        Every author.
    description, source, valid_from, valid_to
        As in every entry of the rulebook.
    """

    code: Name
    subject: Subject
    families: tuple[FamilyStanding, ...] = Field(min_length=1)
    effects: Mapping[Author, Standing | ByDirection]
    description: Sentence
    source: Citation
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _names_every_author(self) -> Self:
        missing = [author for author in Author if author not in self.effects]
        if missing:
            fault = f"effects must name every author; {missing[0]} is missing"
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _says_what_can_be_carried_out(self) -> Self:
        effects = [(one.better, one.worse) for one in map(self.effect, Author)]
        at_once = {Standing.COUNTS, Standing.REFUSED}
        if self.subject in _AT_ONCE and not {one for both in effects for one in both} <= at_once:
            fault = f"statements on {self.subject} are not kept to wait; each counts or is refused"
            raise ValueError(fault)
        if self.subject is Subject.CONSENT:
            return self
        after_notice = (Standing.COUNTS, Standing.AFTER_NOTICE)
        by_direction = {both for both in effects if both[0] is not both[1] or Standing.AFTER_NOTICE in both}
        if by_direction - ({after_notice} if self.subject is Subject.ANSWERS else set()):
            fault = (
                f"statements on {self.subject} are judged whole; by direction only answers are, as better: counts, "
                "worse: after_notice, and consent"
            )
            raise ValueError(fault)
        return self

    def effect(self, author: Author) -> ByDirection:
        """What the author's statement does, by direction."""
        said = self.effects[author]
        return said if isinstance(said, ByDirection) else ByDirection(better=said, worse=said)


class Component(Strict):
    """One ground of a PKH payment; a member fits where the fact lies within the bounds or equals the word.

    Attributes
    ----------
    code : str
        Name in results.
    fact : str
        Column of the member frame.
    minimum, maximum : int or None
        Bounds of a number, both included; a boolean fact is 0 or 1.
    equals : str or None
        Word of a coded fact.
    amount_rupiah : int
        Rupiah per quarter and person.
    max_members : int or None
        Most persons paid on this ground in one family; None leaves only the family's own cap.
    supported_by : tuple of Support
        Sources of which one has to support the statement of a family that does not receive yet; empty: the statement
        is enough.
    """

    code: Name
    fact: Literal["age_years", "is_pregnant", "has_severe_disability", "is_rights_victim", "school_level"]
    minimum: Annotated[int, Field(ge=0, le=_OLDEST)] | None = None
    maximum: Annotated[int, Field(ge=0, le=_OLDEST)] | None = None
    equals: Literal["primary", "junior_secondary", "senior_secondary"] | None = None
    amount_rupiah: Amount
    max_members: Annotated[int, Field(ge=1)] | None = None
    supported_by: tuple[Support, ...] = ()

    @model_validator(mode="after")
    def _has_one_condition(self) -> Self:
        bounded = self.minimum is not None or self.maximum is not None
        if bounded == (self.equals is not None):
            fault = "a component needs either equals, or minimum and maximum, not both"
            raise ValueError(fault)
        if (self.fact == "school_level") != (self.equals is not None):
            fault = f"{self.fact} is " + (
                "a word: use equals" if self.fact == "school_level" else "a number: use bounds"
            )
            raise ValueError(fault)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            fault = f"minimum {self.minimum} lies above maximum {self.maximum}"
            raise ValueError(fault)
        return self


class ProgrammeRule(Strict):
    """Who qualifies for a programme and what it pays.

    Attributes
    ----------
    max_decile : int or None
        Highest welfare decile that qualifies; None asks no decile.
    amount_rupiah : int or None
        Rupiah per quarter and family, where the programme pays a flat amount.
    components : tuple of Component
        Where there are any, a family needs at least one, and is paid by person, each once: as much as `max_members` of
        the components and `max_paid_members` of the family allow.
    max_paid_members : int or None
        Most persons paid in one family.
    review_after_years : int or None
        A recipient is marked for review after so many years of membership; None reviews nobody.
    review_exempt : tuple of str
        Components; a family with a member who fits one is not reviewed.
    exclusive_with : Programme or None
        Who receives that programme does not get this one; None links them not.
    """

    max_decile: Annotated[int, Field(ge=1, le=10)] | None
    amount_rupiah: Amount | None = None
    components: tuple[Component, ...] = ()
    max_paid_members: Annotated[int, Field(ge=1)] | None = None
    review_after_years: Annotated[int, Field(ge=1)] | None = None
    review_exempt: tuple[Name, ...] = ()
    exclusive_with: Programme | None = None

    @model_validator(mode="after")
    def _pays_in_one_way(self) -> Self:
        if bool(self.components) == (self.amount_rupiah is not None):
            fault = "a programme pays either by components or a flat amount_rupiah; give exactly one"
            raise ValueError(fault)
        return self


class Quotas(Strict):
    """How many places there are and how they are shared out.

    Attributes
    ----------
    national_total : mapping of Programme to int
        Places in the country; only a presidential decision changes them.
    weight : str
        Column of the poverty figures that places follow.
    method : Method
        Method of apportionment.
    tie_rule : str
        Who of equal claims gets the last place.
    area : str
        Column of the areas that have places of their own. Areas inside regencies share out the places of their
        regency by their own weights.
    min_places, max_places : int or None
        Fewest and most places of an area; None sets no limit. Places above the most go to other areas.
    hold_harmless_share : float
        Share (0 to 1) of its places of the quarter before that an area keeps at least, rounded up.
    unused_places : str
        Places above the number eligible stay empty or go to other areas.
    """

    national_total: Mapping[Programme, Places]
    weight: Literal["poor_count", "poverty_gap_rupiah_month"]
    method: Method
    tie_rule: Literal["larger_weight_then_smaller_code"]
    area: Literal["regency_code", "district_code", "village_code"]
    min_places: Places
    max_places: Places | None
    hold_harmless_share: Annotated[float, Field(ge=0, le=1)]
    unused_places: Literal["leave_empty", "redistribute"]

    @model_validator(mode="after")
    def _has_room_between_its_limits(self) -> Self:
        if self.max_places is not None and self.min_places > self.max_places:
            fault = f"min_places {self.min_places} lies above max_places {self.max_places}"
            raise ValueError(fault)
        return self


FamilyCount = Literal[
    "severe_disability_count",
    "elderly_alone",
    "pregnant_or_under_five_count",
    "dependant_count",
    "elderly_alone_or_pair",
    "supported_disability_count",
    "elderly_count",
]
"""Counts of a family's members that order families of equal score, or put them in a group with reserved places."""


class TieBreaker(Strict):
    """A column that goes before the lottery among equal scores; nulls come last in either order."""

    fact: FamilyCount | Literal["registered_date"]
    order: Literal["ascending", "descending"]


class ReservedPlaces(Strict):
    """A floor for one vulnerable group in every area: the eligible of whom the fact is at least 1.

    The share is taken of the area's places and rounded down. The group's families that have a place by the order count
    towards it; what is missing goes to the poorest of the group, and what they leave returns to the open competition.

    Attributes
    ----------
    fact : str
        Column of the family frame.
    share : float
        Share (0 to 1) of the area's places, exact to a millionth.
    reason : Sentence
        Told to whoever takes such a place, and to whoever waits because of it.
    """

    fact: FamilyCount
    share: Annotated[float, Field(gt=0, le=1)]
    reason: Sentence

    @property
    def share_micro(self) -> int:
        """The share in millionths."""
        return round(self.share * MILLION)


class Ranking(Strict):
    """Who goes first within an area and programme: the poorest, unless a rule below places somebody else.

    Attributes
    ----------
    tie_breakers : tuple of TieBreaker
        What decides among families with the same score; after the last comes the lottery.
    reserved_places : tuple of ReservedPlaces
        Groups with a floor, seen to in this order; a family of several counts towards each.
    sitting_margin_micro : int
        In the open competition a family that received the programme in the quarter before competes as though it were
        this many micro-points poorer; 0 gives it no advantage.
    """

    tie_breakers: tuple[TieBreaker, ...]
    reserved_places: tuple[ReservedPlaces, ...]
    sitting_margin_micro: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _reserves_no_more_than_there_is(self) -> Self:
        facts = [one.fact for one in self.reserved_places]
        if len(set(facts)) < len(facts):
            fault = "reserved_places names a fact twice; give each group one share"
            raise ValueError(fault)
        if sum(one.share_micro for one in self.reserved_places) > MILLION:
            fault = "the shares of reserved_places add up to more than 1"
            raise ValueError(fault)
        return self


class Budget(Strict):
    """What may be spent.

    Attributes
    ----------
    national_ceiling : mapping of Programme to int or None
        Rupiah of a year for the whole country; None where no ceiling is set.
    """

    national_ceiling: Mapping[Programme, Rupiah | None]


class RegistryRule(Strict):
    """Which answer of several the registry believes, and from when on two records are one person.

    Attributes
    ----------
    source_precedence : tuple of Source
        Strongest first, each source once.
    answer_max_age_days : int
        An answer older than this on the day of decision counts as missing.
    linkage_same_probability, linkage_clerk_probability : float
        Probability of linkage from which on two records are one person, and from which on a clerk decides.
    clerk_cases_per_thousand_families : int
        Pairs of persons left to clerks, at most, per thousand families of the registry.
    bps_answer_firm_days : int
        So long an answer of BPS goes before a fresher survey by an agent of the area, whatever that says.
    answer_expiry_spread_days : int
        By so many days at most the expiry of a family's answers is put off, each family by its own number of days.
    kept_quarters : int
        After so many quarters the case of a recipient who is kept for want of data goes to the supervisor.
    hold_quarters : int
        For so many quarters at most a newcomer is held for want of a visit.
    pending_visits_per_thousand_families, pending_visits_per_author : int
        To how many families contradicting statements send BPS at most, of a regency and of one author.
    noticed_per_author : int
        Of one author's statements that need notice so many at most are given notice of in a quarter, send BPS and count
        a quarter later; the others wait for their turn.
    in_person_checks_sampled_per_thousand : int
        Of so many families in a thousand verified in person BPS checks the identity again.
    """

    source_precedence: tuple[Source, ...]
    answer_max_age_days: Annotated[int, Field(ge=1)]
    linkage_same_probability: Annotated[float, Field(gt=0.5, lt=1)]
    linkage_clerk_probability: Annotated[float, Field(gt=0, lt=1)]
    clerk_cases_per_thousand_families: Annotated[int, Field(ge=0)]
    bps_answer_firm_days: Annotated[int, Field(ge=0)]
    answer_expiry_spread_days: Annotated[int, Field(ge=0)]
    kept_quarters: Annotated[int, Field(ge=1)]
    hold_quarters: Annotated[int, Field(ge=1)]
    pending_visits_per_thousand_families: Annotated[int, Field(ge=0, le=1000)]
    pending_visits_per_author: Annotated[int, Field(ge=0)]
    noticed_per_author: Annotated[int, Field(ge=0)]
    in_person_checks_sampled_per_thousand: Annotated[int, Field(ge=0, le=1000)]

    @model_validator(mode="after")
    def _names_each_source_once(self) -> Self:
        if sorted(self.source_precedence) != sorted(Source):
            fault = f"source_precedence must name each of {', '.join(Source)} exactly once"
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _leaves_the_doubtful_to_a_clerk(self) -> Self:
        if self.linkage_clerk_probability > self.linkage_same_probability:
            fault = "linkage_clerk_probability lies above linkage_same_probability"
            raise ValueError(fault)
        return self


class AgeRange(Strict):
    """Completed years, both included."""

    youngest: Annotated[int, Field(ge=0, le=_OLDEST)]
    oldest: Annotated[int, Field(ge=0, le=_OLDEST)]

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.youngest > self.oldest:
            fault = f"youngest {self.youngest} lies above oldest {self.oldest}"
            raise ValueError(fault)
        return self


class PupilAges(Strict):
    """Ages of pupils by level of school."""

    primary: AgeRange
    junior_secondary: AgeRange
    senior_secondary: AgeRange


class PlausibilityRule(Strict):
    """Which stated combinations are impossible, so that a value counts as unknown and BPS visits.

    Attributes
    ----------
    pregnancy_ages : AgeRange
        Ages of women who can be pregnant, on the day of the statement.
    pupil_ages : PupilAges
        Ages of pupils, on the day of the statement.
    most_births : int
        Most births of one woman in less than `births_within_days`.
    births_within_days : int
        Days in which one woman does not give birth from two pregnancies.
    parent_years : int
        Years a parent is older than a child at least.
    oldest_age : int
        Highest possible age on the day of decision.
    """

    pregnancy_ages: AgeRange
    pupil_ages: PupilAges
    most_births: Annotated[int, Field(ge=1)]
    births_within_days: Annotated[int, Field(ge=1)]
    parent_years: Annotated[int, Field(ge=0)]
    oldest_age: Annotated[int, Field(ge=1, le=_OLDEST)]


class IntakeRule(Strict):
    """When a delivered file is refused as a whole.

    Attributes
    ----------
    max_error_share : float
        Largest share (0 to 1) of rejected rows with which the rest of a file is still taken.
    """

    max_error_share: Annotated[float, Field(ge=0, le=1)]


class PublishedNames(Strict):
    """Programmes whose public lists carry masked names, by list; elsewhere the name is null."""

    recipients: tuple[Programme, ...]
    waiting_list: tuple[Programme, ...]


class PublicationRule(Strict):
    """What is published beside places and references.

    Attributes
    ----------
    draw_parties : tuple of two codes of senders
        Whose secrets a quarter's draw rests on. The first keeps the home: it commits and hands over first.
    """

    names: PublishedNames
    draw_parties: tuple[str, str]

    @model_validator(mode="after")
    def _is_between_two(self) -> Self:
        if len(set(self.draw_parties)) < len(self.draw_parties):
            fault = "draw_parties names one party twice"
            raise ValueError(fault)
        return self


class WelfareRule(Strict):
    """What a decile is a tenth of and whose decile counts; when drift raises an alarm, and how many BPS visits."""

    decile_frame: Literal["national", "province", "regency"]
    decile_unit: Literal["families", "people"]
    decile_source: Literal["own", "official", "official_else_own"]
    drift_alarm: Annotated[float, Field(gt=0)]
    visits_per_thousand_families: Annotated[int, Field(ge=0, le=1000)]
    sample_per_thousand_families: Annotated[int, Field(ge=0, le=1000)]


class MinimumWages(Strict):
    """Monthly minimum wages in rupiah, by Kemendagri code with dots.

    Attributes
    ----------
    regency : mapping of str to int
        UMK; codes as ``35.10``.
    province : mapping of str to int
        UMP, which holds where no UMK is known; codes as ``35``.
    unlisted_province : str
        Which of the known province wages stands in where the province has none here.
    """

    regency: Mapping[Annotated[str, StringConstraints(pattern=_REGENCY)], Rupiah]
    province: Mapping[Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")], Rupiah] = Field(min_length=1)
    unlisted_province: Literal["highest", "lowest"]

    @model_validator(mode="after")
    def _names_areas_that_are_there(self) -> Self:
        known = regencies()
        for codes, column in ((self.regency, "code"), (self.province, "province_code")):
            unknown = sorted({*codes} - {*known[column]})
            if unknown:
                fault = f"{unknown[0]} is no Kemendagri code of a regency or province of today"
                raise ValueError(fault)
        return self

    def of(self, regency_code: str) -> int:
        """Minimum wage of a regency in rupiah a month, by the stated fall-back where no UMK is known.

        Raises
        ------
        UnknownRegency
            If the code is not written in Kemendagri's form.
        """
        if re.fullmatch(_REGENCY, regency_code) is None:
            raise UnknownRegency("no_kemendagri_regency", found=regency_code)
        if regency_code in self.regency:
            return self.regency[regency_code]
        province = self.province.get(regency_code[:2])
        if province is not None:
            return province
        known = self.province.values()
        return max(known) if self.unlisted_province == "highest" else min(known)
