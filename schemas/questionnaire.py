"""The questionnaire: one description of a survey, to which intake, the scorecard and every sentence refer.

A questionnaire is a versioned YAML file (`schemas/questionnaires/`, or one of the home's own). What an answer is
worth is the scorecard's, not this file's.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import SpecError

DEFAULT = "regsosek2022.yaml"
_SMALLEST_CODED = 2


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(_Strict):
    """Words of a variable in Indonesian and English."""

    id: str
    en: str


class Variable(_Strict):
    """One question: who it is asked about, what may be answered, and which way it moves welfare.

    Attributes
    ----------
    level : str
        `dwelling` or `family` are asked once per family; `members` is rolled up from the persons of the registry.
    kind : str
        `number` (within `range`), `flag` (0 or 1) or `category` (one of `codes`).
    direction : str
        `increasing`: more of it is better off; `decreasing`; `none`: the data alone say.
    is_whole : bool
        Whether answers are whole numbers; false for a measure with decimals.
    """

    level: Literal["dwelling", "family", "members"]
    kind: Literal["number", "flag", "category"]
    direction: Literal["increasing", "decreasing", "none"]
    label: Label
    question: str | int | None = None
    unit: str | None = None
    range: tuple[float, float] | None = None
    is_whole: bool = True
    codes: Mapping[int, str] | None = None
    aliases: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> "Variable":
        if (self.kind == "category") != (self.codes is not None):
            message = "a category lists its codes, and only a category does"
            raise ValueError(message)
        if (self.kind == "number") != (self.range is not None):
            message = "a number states its range, and only a number does"
            raise ValueError(message)
        if not self.is_whole and self.kind != "number":
            message = "only a number may have decimals; remove is_whole"
            raise ValueError(message)
        if self.codes is not None and len(self.codes) < _SMALLEST_CODED:
            message = "a category needs at least two codes"
            raise ValueError(message)
        return self


class Questionnaire(_Strict):
    """All variables of one survey instrument, in the order they are asked."""

    version: str
    title: str
    survey: Mapping[str, Any] = Field(description="Keys of the survey specification other than `features`.")
    variables: Mapping[str, Variable]

    @property
    def answers(self) -> Mapping[str, Variable]:
        """Variables asked about the family or its dwelling: the columns of the delivered files."""
        return MappingProxyType({name: v for name, v in self.variables.items() if v.level != "members"})

    @property
    def rolled_up(self) -> Mapping[str, Variable]:
        """Variables computed from the members of the family."""
        return MappingProxyType({name: v for name, v in self.variables.items() if v.level == "members"})


def read_questionnaire(path: Path) -> Questionnaire:
    """Read a questionnaire file.

    Raises
    ------
    SpecError
        With file, key and what is wrong there.
    """
    return _parse(path.read_text(encoding="utf-8"), path.name)


@cache
def default_questionnaire() -> Questionnaire:
    """The questionnaire that ships: Regsosek 2022 (BPS)."""
    text = files("schemas").joinpath("questionnaires", DEFAULT).read_text(encoding="utf-8")
    return _parse(text, DEFAULT)


def _parse(text: str, name: str) -> Questionnaire:
    try:
        return Questionnaire.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"questionnaire {name}, {place}: {first['msg']}"
        raise SpecError(message) from None
