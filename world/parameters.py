"""The parameters of the synthetic country, read strictly: the truth (`country.yaml`, `names.yaml`) and `noise.yaml`.

What a parameter stands for, and where it comes from, is said beside its value in those files.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import SpecError
from schemas.vocabularies import Agency, AgentKind, Channel, IdentityDocument, Proposer

Share = Annotated[float, Field(ge=0, le=1)]
_ROUNDING = 1e-9


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _whole(shares: Mapping[Any, float]) -> Mapping[Any, float]:
    if abs(sum(shares.values()) - 1) > _ROUNDING:
        message = f"the shares add up to {sum(shares.values()):.4f}, not to 1"
        raise ValueError(message)
    return shares


class _Shares(_Strict):
    """Any group of parameters: every mapping of shares in it adds up to one."""

    @model_validator(mode="after")
    def _complete(self) -> "_Shares":
        for name in (
            "channels",
            "proposers_to_agent",
            "agent_kinds",
            "results",
            "births",
            "grandchildren",
            "words",
            "documents",
        ):
            if hasattr(self, name):
                _whole(getattr(self, name))
        return self


class Registration(_Shares):
    """Who registers, how, and how often."""

    share_by_first_quarter: Share
    share_of_recipients: Share
    pull_of_poverty: float
    channels: Mapping[Channel, Share]
    proposers_to_agent: Mapping[Proposer, Share]
    without_consent: Share
    repeated: Share
    repeated_with_new_card: Share
    families_per_agent: int = Field(gt=0)
    families_per_cadre: int = Field(gt=0)
    agent_kinds: Mapping[Literal[AgentKind.DASA_WISMA, AgentKind.PKH_COMPANION], Share]


class Verification(_Shares):
    """Identity checks by machine (portal) and in person, for all heads and for those of sixty and older."""

    ikd_verified: Share
    ikd_verified_elderly: Share
    face_failed: Share
    face_failed_elderly: Share
    face_not_available: Share
    face_not_available_elderly: Share
    checked_in_person: Share
    checked_in_person_elderly: Share
    checked_after_failed_face: Share
    checked_later: Share
    documents: Mapping[IdentityDocument, Share]


class SelfReport(_Strict):
    """How a family's own answers differ from the truth."""

    shy_families: Share
    hidden_assets: Share
    misread: Share
    gappy_families: Share
    left_out: Share


class Survey(_Shares):
    """How an agent's answers differ from the truth."""

    share_of_registered: Share
    misread: Share
    results: Mapping[int, Share]
    left_out_when_incomplete: Share
    shocks: Mapping[str, Share]
    struck_within_days: int


class Validation(_Shares):
    """Which families BPS checks on the ground."""

    share_of_registered: Share
    share_later: Share
    results: Mapping[int, Share]


class ListedElsewhere(_Strict):
    """How many families' cards list a member of another family, by why."""

    married_child: Share
    grandparent: Share
    child_of_divorced: Share


class NikFaults(_Strict):
    """What is wrong with stated numbers."""

    missing: Share
    digit: Share
    transposed: Share
    malformed: Share
    placeholder: Share


class NameFaults(_Strict):
    """What is wrong with stated names."""

    letter: Share
    dropped: Share
    swapped: Share
    abbreviated: Share
    spelling: Share


class BirthFaults(_Strict):
    """What is wrong with stated birth dates."""

    swapped: Share
    year: Share
    year_only: Share
    impossible: Share


class Faults(_Strict):
    """What is wrong with a stated identity."""

    nik: NikFaults
    name: NameFaults
    birth: BirthFaults


class FaultRates(_Strict):
    """The same for a person stated on his family's card, and for one stated once more."""

    first: Faults
    again: Faults


class MemberNoise(_Strict):
    """What is wrong with the stated persons."""

    claimed_twice: Share
    claimed_across_border: Share
    claimed_by_same_person: Share
    claimant_verified: Share
    newborn_without_nik: Share
    old_without_nik: Share
    remote_without_nik: Share
    listed_elsewhere: ListedElsewhere
    faults: FaultRates
    unknown_code: Share


class OldTargeting(_Strict):
    """How the sitting recipients were chosen."""

    pkh_share: Share
    bpnt_share: Share
    error: float = Field(ge=0)
    error_of_one_programme: float = Field(ge=0)


class Uncovered(_Strict):
    """An agency that did not answer for a regency in the first quarter."""

    agency: Agency
    regency: str


class EvidenceNoise(_Strict):
    """What agencies leave unanswered."""

    uncovered: Uncovered


class Dtsen(_Strict):
    """What the national registry does not know, or not as it is."""

    unknown_families: Share
    stale_families: Share
    old_card: Share
    decile_error: float = Field(ge=0)


class Dukcapil(_Strict):
    """Which families the population register sends."""

    unknown_families: Share
    listed_families: Share


class Changes(_Strict):
    """What happens from quarter to quarter."""

    moved: Share
    moved_across_border: Share
    moved_with_new_card: Share
    split: Share
    new_head_stated: Share
    handed_over: Share
    merged: Share
    married: Share
    nik_issued_to_child: Share
    nik_issued_later: Share
    birth_corrected: Share
    changed_fortune: Share
    fortune_spread: float
    newly_registered: Share
    registered_again: Share
    registered_again_with_new_card: Share
    newly_surveyed: Share


class ConsumptionSurvey(_Strict):
    """Size of the sample with measured consumption."""

    households: int = Field(gt=0)
    households_per_cluster: int = Field(gt=0)


class Noise(_Strict):
    """Everything that goes wrong on the way from the truth to the files."""

    registration: Registration
    verification: Verification
    self_report: SelfReport
    survey: Survey
    validation: Validation
    members: MemberNoise
    malformed_registrations: Share
    old_targeting: OldTargeting
    evidence: EvidenceNoise
    dtsen: Dtsen
    dukcapil: Dukcapil
    changes: Changes
    consumption_survey: ConsumptionSurvey


class Villages(_Strict):
    """How villages differ, and how many the invented districts have."""

    welfare_spread: float
    urban_share: Share
    urban_welfare: float
    per_district: int = Field(gt=0)
    districts: Mapping[str, int]
    people_per_district: int = Field(gt=0)
    most_districts: int = Field(gt=0, le=99)


class Consumption(_Strict):
    """What makes log consumption per head."""

    spread: float
    welfare: float
    schooling: float
    size: float
    young: float
    working: float
    village: float
    luck: float


class HeadAge(_Strict):
    """Beta distribution of the age of heads."""

    youngest: float
    oldest: float
    a: float
    b: float


class Parents(_Strict):
    """Share who have had children."""

    couple: Share
    woman: Share
    man: Share


class Normal(_Strict):
    """A normal distribution."""

    mean: float
    spread: float


class Families(_Shares):
    """Who lives in a family."""

    shared_dwelling: Share
    head_age: HeadAge
    female_head: Share
    married_head: Share
    parents: Parents
    births: Mapping[int, Share]
    twins: Share
    first_birth: Normal
    leaving_home: Normal
    married_child: Share
    grandchildren: Mapping[int, Share]
    elderly_parent: Share
    other_relative: Share
    died_but_listed: Share


class Education(_Strict):
    """How certificates are spread."""

    shares: tuple[Share, Share, Share, Share, Share]
    pull: Share
    per_decade: float


class Position(_Strict):
    """How frequent a work position is."""

    share: Share
    welfare: float
    urban: float


class InsuredWage(_Strict):
    """Wages that the workers' insurance knows."""

    share: Share
    pull: float
    median_rupiah: int
    rise: float
    spread: float


class Answer(_Strict):
    """How an answer depends on welfare: by shares of codes, by the share of yes, as a measure, or as a count.

    Attributes
    ----------
    pull : float
        Correlation of what lies behind the answer with welfare.
    """

    pull: Annotated[float, Field(ge=-1, le=1)]
    shares: Mapping[int, Share] | None = None
    share: Share | None = None
    median: float | None = None
    spread: float | None = None
    smallest: int | None = None
    largest: int | None = None
    mean: float | None = None
    most: int | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Answer":
        given = set(self.model_dump(exclude_none=True)) - {"pull"}
        kinds: tuple[set[str], ...] = (
            {"shares"}, {"share"}, {"median", "spread", "smallest", "largest"}, {"share", "mean", "most"}
        )  # fmt: skip
        if given not in kinds:
            message = "give shares, or share, or median, spread, smallest and largest, or share, mean and most"
            raise ValueError(message)
        if self.shares is not None:
            _whole(self.shares)
        return self


class RegionNames(_Strict):
    """Elements of names that are common in some provinces."""

    provinces: tuple[str, ...]
    elements: tuple[str, ...]


class Names(_Shares):
    """Elements of names, and how names are made of them."""

    words: Mapping[int, Share]
    fewer_per_decade: float
    opening: Share
    regional: Share
    of_the_head: Share
    flattening: float = Field(ge=0)
    steepness: float = Field(gt=0)
    opening_male: tuple[str, ...]
    opening_female: tuple[str, ...]
    given_male: tuple[str, ...]
    given_female: tuple[str, ...]
    further_male: tuple[str, ...]
    further_female: tuple[str, ...]
    regions: tuple[RegionNames, ...]


class Lookalikes(_Strict):
    """How many people look like somebody else."""

    old_born_on_new_year: Share
    son_named_like_father: Share
    namesake_of_village: Share
    namesake_of_regency: Share


class Livelihoods(_Strict):
    """How many people hold what offices, property and money, as agencies know it."""

    certified_teacher: Share
    health_worker: Share
    state_income: Share
    company_owner: Share
    village_official: Share
    other_aid: Share
    registered_car: Share
    registered_land: Share
    most_land_m2: int
    first_class_wage_rupiah_month: int
    taxed_employer: Share
    most_income_rupiah_year: int
    gambling: Share
    most_gambling_rupiah: int
    abnormal_transactions: Share
    recorded_pregnancy: Share
    recorded_disability: Share
    enrolled_pupil: Share


class Payments(_Strict):
    """What the old list paid a family per stage, in rupiah."""

    pkh: Mapping[str, int]
    pkh_most_of_one: Mapping[str, int]
    pkh_most_persons: int
    bpnt: int


class Country(_Strict):
    """Who lives in the country, how, and how well."""

    villages: Villages
    consumption: Consumption
    families: Families
    education: Education
    work: Mapping[int, Position]
    civil_servant: Share
    soldier_or_police: Share
    pensioner: Share
    insured_wage: InsuredWage
    rights_victim: Share
    livelihoods: Livelihoods
    payments: Payments
    minimum_wage_rupiah_month: Mapping[str, int]
    minimum_wage_elsewhere_rupiah_month: int
    electricity_va: Mapping[int, tuple[int, ...]]
    answers: Mapping[str, Answer]
    lookalikes: Lookalikes


_Model = TypeVar("_Model", bound=BaseModel)


def parse(kind: type[_Model], text: str, name: str) -> _Model:
    """Parameters of a YAML text.

    Raises
    ------
    SpecError
        With file, key and what is wrong there.
    """
    try:
        return kind.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"{name}, {place}: {first['msg']}"
        raise SpecError(message) from None


def _shipped(name: str) -> str:
    return files("world").joinpath(name).read_text(encoding="utf-8")


@cache
def noise() -> Noise:
    """What goes wrong, as shipped."""
    return parse(Noise, _shipped("noise.yaml"), "noise.yaml")


@cache
def country() -> Country:
    """What is true, as shipped."""
    return parse(Country, _shipped("country.yaml"), "country.yaml")


@cache
def names() -> Names:
    """What people are called, as shipped."""
    return parse(Names, _shipped("names.yaml"), "names.yaml")
