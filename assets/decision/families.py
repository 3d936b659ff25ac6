"""What is decided on and on what terms: the families as the registry has them, and the terms of a quarter."""

from dataclasses import dataclass

import polars as pl

from assets.welfare.scorecard import Scorecard
from quotas.calendar import QuarterDays
from quotas.rulebook import Policy
from schemas.quarter import Quarter


@dataclass(frozen=True)
class Families:
    """Families of some regencies.

    Attributes
    ----------
    records : DataFrame
        Contract `registry/families`: one row per family.
    members : DataFrame
        Contract `registry/members`: one row per living member.
    """

    records: pl.DataFrame
    members: pl.DataFrame


@dataclass(frozen=True)
class Terms:
    """Everything a decision rests on besides the families, the places and the quarter before.

    Attributes
    ----------
    policy : Policy
        The law of the decision day.
    days : QuarterDays
        The days that count, and the lottery seed.
    scorecard : Scorecard
        The model in force.
    cut_points : DataFrame
        Contract `decision/cut_points`: highest score of deciles 1 to 9 per frame.
    """

    quarter: Quarter
    policy: Policy
    days: QuarterDays
    scorecard: Scorecard
    cut_points: pl.DataFrame

    @property
    def area(self) -> str:
        """Column of the areas that have places of their own."""
        return self.policy.quotas.area

    @property
    def hash(self) -> str:
        """What names these terms in the name of a shard's file."""
        cuts = self.cut_points.rows()
        return f"{self.quarter} {self.policy.hash} {self.days!r} {self.scorecard.hash} {cuts}"
