"""The days that matter in each quarter, as published. No clock here; quarters count in `schemas.quarter`."""

import calendar
import hashlib
from datetime import date
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Self

from pydantic import Field, model_validator

from quotas.parameters import Citation, Sentence, Strict, read_yaml, validated
from schemas.errors import PolicyError, WrongUsage
from schemas.quarter import Quarter

_DECEMBER = 12
_SHORTEST_SEED = 8


class QuarterDays(Strict):
    """The days of one quarter; frozen.

    Attributes
    ----------
    cut_off : date
        Last day of data; what arrives later counts for the next quarter.
    decision_date : date
        Ages and policy are those of this day.
    announcement : date
        Lists are published.
    objection_deadline : date
        Last day of objection, one month after the announcement.
    poverty_vintage : str
        Year and month of the poverty figures that weigh the places, as ``2025-03``.
    trial_seed : str
        Seed of the lottery and of samples in homes for trying out alone: whoever reads the calendar knows it.
    is_planned : bool
        Whether the days are the project's own planning rather than announced.
    description : Sentence
        Ground of the days.
    source : Citation
        Where they come from.
    """

    cut_off: date
    decision_date: date
    announcement: date
    objection_deadline: date
    poverty_vintage: str = Field(pattern=r"^20[0-9]{2}-(03|09)$")
    trial_seed: str = Field(min_length=_SHORTEST_SEED)
    is_planned: bool
    description: Sentence
    source: Citation

    @model_validator(mode="after")
    def _days_follow_each_other(self) -> Self:
        if not self.cut_off <= self.decision_date <= self.announcement:
            fault = "cut_off, decision_date and announcement must follow each other"
            raise ValueError(fault)
        if self.objection_deadline != one_month_after(self.announcement):
            fault = f"objection_deadline must be one month after the announcement: {one_month_after(self.announcement)}"
            raise ValueError(fault)
        return self

    def drawn(self, seed: str) -> "DrawnDays":
        """The days with the seed that was drawn for the quarter."""
        return DrawnDays(**dict(self), lottery_seed=seed)


class DrawnDays(QuarterDays):
    """The days of a quarter whose seed is drawn; without one nothing is ranked and nobody sampled.

    Attributes
    ----------
    lottery_seed : str
        Decides among equals and draws samples; secret until the quarter's visits are over.
    """

    # Whoever prints the days does not print the seed.
    lottery_seed: str = Field(min_length=_SHORTEST_SEED, repr=False)

    @property
    def hash(self) -> str:
        """What names these days and their seed, which does not follow from it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def one_month_after(day: date) -> date:
    """The same day of the next month, or its last day where the month is shorter."""
    year, month = (day.year + 1, 1) if day.month == _DECEMBER else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def calendar_of(quarter: Quarter) -> QuarterDays:
    """The days of a quarter.

    Raises
    ------
    PolicyError
        If the calendar does not hold the quarter.
    """
    days = _calendar().get(quarter)
    if days is None:
        known = ", ".join(map(str, quarters()))
        message = f"calendar.yaml: {quarter} is missing. Add its days with their source; known are {known}."
        raise PolicyError(message)
    return days


def quarters() -> tuple[Quarter, ...]:
    """Every quarter of the calendar, earliest first."""
    return tuple(_calendar())


@lru_cache(maxsize=1)
def _calendar() -> dict[Quarter, QuarterDays]:
    return read_calendar(files("quotas") / "policy" / "calendar.yaml")


def _quarter(key: str) -> Quarter:
    try:
        return Quarter.parse(key)
    except WrongUsage as error:
        message = f"calendar.yaml: {error.args[0]}"
        raise PolicyError(message) from error


def read_calendar(file: Traversable) -> dict[Quarter, QuarterDays]:
    """Days by quarter, earliest first, from a YAML file.

    Raises
    ------
    PolicyError
        If a key is unknown or missing or no quarter, days do not follow each other, a quarter's announcement lies
        outside it, a quarter's cut-off does not come after that of the quarter before, or two have one trial seed.
    """
    content = read_yaml(file.read_text(encoding="utf-8"), "calendar.yaml")
    if not isinstance(content, dict) or not content:
        message = "calendar.yaml: expected quarters. Write 2026Q1: with its days below."
        raise PolicyError(message)
    found = {_quarter(key): validated(QuarterDays, row, f"calendar.yaml: {key}") for key, row in content.items()}
    result = dict(sorted(found.items()))
    before: QuarterDays | None = None
    seeds: dict[str, Quarter] = {}
    for quarter, days in result.items():
        same = seeds.setdefault(days.trial_seed, quarter)
        if same is not quarter:
            message = f"calendar.yaml: {quarter}, key 'trial_seed': {same} has the same one. Write another."
            raise PolicyError(message)
        if Quarter.of(days.announcement) != quarter:
            message = f"calendar.yaml: {quarter}, key 'announcement': {days.announcement} lies outside. Correct it."
            raise PolicyError(message)
        if before is not None and days.cut_off <= before.cut_off:
            message = f"calendar.yaml: {quarter}, key 'cut_off': {days.cut_off} is not after the quarter before."
            raise PolicyError(message)
        before = days
    return result
