"""What a household survey means: which column is the target, the weight, the area, a feature. Reads no survey."""

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, ValidationError, model_validator

from schemas.errors import SpecError

Kind = Literal["number", "flag", "category"]
Direction = Literal["increasing", "decreasing", "none"]
_RESULTS = ("scorable", "score_micro", "reason", "problems")
AGGREGATES = ("count", "first", "sum", "mean", "min", "max", "any")


def _code_as_text(key: object) -> object:
    if isinstance(key, bool):
        message = "YAML reads an unquoted yes, no, on, off, true or false as a truth value; put the code in quotes"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns a ValueError, not a TypeError, into a placed report
    return str(key) if isinstance(key, int) else key


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Sentence(_Strict):
    """Public words of a feature: they tell the direction, never the points."""

    id: str
    en: str


class Target(_Strict):
    """Column of measured welfare, per capita, and its scale; higher is better off.

    ``level`` is an amount (logarithms are taken here), ``log`` its natural logarithm, ``ordinal`` a class number.
    """

    column: str
    scale: Literal["level", "log", "ordinal"]


class Feature(_Strict):
    """One question of the survey that may earn points.

    A number has an order, a flag is yes or no, a category has codes without order. ``range`` is what a number
    may lie in, both ends included; without it the surveyed range widened by its own width on both sides, never
    crossing zero. ``codes`` lists the codes a category may have, with labels; without it those of the survey.
    """

    kind: Kind
    direction: Direction = "none"
    range: tuple[float, float] | None = None
    codes: dict[Annotated[str, BeforeValidator(_code_as_text)], str] | None = None
    sentence: Sentence | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "category" and self.direction != "none":
            message = "a category has no order; remove direction, or declare kind number"
            raise ValueError(message)
        if self.range is not None and (self.kind != "number" or self.range[0] >= self.range[1]):
            message = "range belongs to a number and is written [lowest, highest]"
            raise ValueError(message)
        if self.codes is not None and self.kind != "category":
            message = "codes belong to a category; a number has a range, a flag is 0 or 1"
            raise ValueError(message)
        return self


class Quota(_Strict):
    """Number of places at which choices are judged, per area ``within`` (none: the whole survey).

    Either ``column``, whose sum is the number of places, or ``share`` of the households (0-1).
    """

    column: str | None = None
    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    within: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.column is None) == (self.share is None):
            message = "give either column or share (between 0 and 1), not both"
            raise ValueError(message)
        return self


class MissingBin(_Strict):
    """An unusable answer gets points of its own, in at most the share ``at_most`` of a household's features."""

    bin: Literal[True]
    at_most: Annotated[float, Field(gt=0, le=1)]


class RollUp(_Strict):
    """One answer of a household made of its members' answers: exactly one aggregate of an SQL expression.

    ``count`` and ``any`` take a condition, the others a value; ``where`` narrows the members first.
    """

    count: str | None = None
    first: str | None = None
    sum: str | None = None
    mean: str | None = None
    min: str | None = None
    max: str | None = None
    any: str | None = None
    where: str | None = None

    @model_validator(mode="after")
    def _one_aggregate(self) -> Self:
        if len([name for name in AGGREGATES if getattr(self, name) is not None]) != 1:
            message = f"give exactly one of {', '.join(AGGREGATES)}, and where if need be"
            raise ValueError(message)
        return self

    @property
    def aggregate(self) -> tuple[str, str]:
        """Name of the aggregate and its SQL expression."""
        return next((name, given) for name in AGGREGATES if (given := getattr(self, name)) is not None)


class Members(_Strict):
    """Persons of the surveyed households.

    ``file`` lies beside the specification; without it the survey is the person file, one household per ``key``, and
    what is not rolled up comes from the row ``head`` names. ``key`` is the household's id in the person file.
    """

    file: str | None = None
    key: str
    head: str | None = None
    roll_up: dict[str, RollUp] = {}

    @model_validator(mode="after")
    def _households_come_from_somewhere(self) -> Self:
        if self.file is None and self.head is None:
            message = "without file the survey is the person file; name the row a household comes from with head"
            raise ValueError(message)
        return self


class SurveySpec(_Strict):
    """A survey described once: what ``fit``, ``score`` and ``evaluate`` need to know of its columns.

    ``groups`` are columns to report errors by, or names with an SQL expression of the survey's columns each.
    ``adult_equivalent`` are further readings of who is poor: per name an SQL expression of what multiplies expenditure
    per head, household size / adult equivalents. Errors are reported under each of them too.
    """

    id: str
    target: Target
    weight: str | None = None
    area: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    poverty_line: str | PositiveFloat | None = None
    members: Members | None = None
    features: Annotated[dict[str, Feature], Field(min_length=1)]
    quota: Quota = Quota(share=0.3)
    groups: tuple[str, ...] | dict[str, str] = ()
    # Left out of a scorecard's file where there are none: those of before this key stay readable.
    adult_equivalent: Annotated[dict[str, str], Field(exclude_if=lambda readings: not readings)] = {}
    missing: Literal["not_scorable"] | MissingBin = "not_scorable"

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {key: value for key, value in given.items() if value is not None or key not in _MAY_BE_NULL}

    @model_validator(mode="after")
    def _target_does_not_explain_itself(self) -> Self:
        others = {self.id, self.target.column, self.weight, self.quota.column, self.poverty_line}
        leaks = [name for name in self.features if name in others]
        if leaks:
            message = f"{', '.join(leaks)} cannot be a feature: it is the id, target, weight, quota or line; remove it"
            raise ValueError(message)
        if self.id in _RESULTS or "intercept" in self.features:
            name = self.id if self.id in _RESULTS else "intercept"
            message = f"{name} is a column that scoring writes; rename that of the survey"
            raise ValueError(message)
        columns = {*others, *self.features, *self.area, *self.strata, *self.quota.within}
        taken = [name for name in self.groups if name in columns] if isinstance(self.groups, dict) else []
        if taken:
            message = f"groups: {', '.join(taken)} is a column used otherwise; give the group a name of its own"
            raise ValueError(message)
        if self.poverty_line is not None and self.target.scale == "ordinal":
            message = "an ordinal target has no poverty line; remove poverty_line, or declare scale level or log"
            raise ValueError(message)
        if self.adult_equivalent and self.target.scale == "ordinal":
            message = "a class is not expenditure per head; remove adult_equivalent, or declare scale level or log"
            raise ValueError(message)
        return self


_MAY_BE_NULL = frozenset(name for name, field in SurveySpec.model_fields.items() if not field.is_required())
_PARTS: dict[str, type[BaseModel]] = {
    "target": Target,
    "features": Feature,
    "quota": Quota,
    "missing": MissingBin,
    "members": Members,
}


def read_spec(path: Path) -> SurveySpec:
    """Survey specification written in the YAML file at ``path``.

    Raises
    ------
    SpecError
        The file cannot be read, or a key is missing, unknown or has a wrong value; file, key and remedy are named.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        message = f"{path}: cannot be read as YAML ({fault}). Give the path of a survey specification in UTF-8."
        raise SpecError(message) from fault
    try:
        return SurveySpec.model_validate(content)
    except ValidationError as fault:
        message = f"{path}: " + " ".join(_told(error["loc"], error["type"], error["msg"]) for error in fault.errors())
        raise SpecError(message) from fault


def _told(location: tuple[int | str, ...], fault: str, words: str) -> str:
    key = ".".join(str(part) for part in location) or "the file"
    model = _PARTS.get(str(location[0]), SurveySpec) if len(location) > 1 else SurveySpec
    if location[1:2] == ("roll_up",) and len(location) > 2:  # noqa: PLR2004 - below members.roll_up.<name>
        model = RollUp
    if fault == "extra_forbidden":
        return f"{key} is not a known key; remove it or use one of {', '.join(model.model_fields)}."
    if fault == "missing":
        return f"{key} is missing; add it."
    return f"{key}: {words.removeprefix('Value error, ')}; correct it."
