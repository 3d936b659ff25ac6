"""What is decided on and on what terms: the families as the registry has them, and the terms of a quarter."""

from dataclasses import dataclass

import polars as pl

from assets.welfare.scorecard import Scorecard
from quotas.calendar import DrawnDays
from quotas.rulebook import Policy
from schemas.errors import PolicyError
from schemas.quarter import Quarter

ELIGIBLE = "eligible"
"""Status of a family that meets every rule, before places are given."""


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
    days : DrawnDays
        The days that count, and the lottery seed.
    scorecard : Scorecard
        The model in force.
    cut_points : DataFrame
        Contract `decision/cut_points`: highest score of deciles 1 to 9 per frame.

    Raises
    ------
    PolicyError
        If the margin of sitting families is wider than the range of the scorecard's scores.
    """

    quarter: Quarter
    policy: Policy
    days: DrawnDays
    scorecard: Scorecard
    cut_points: pl.DataFrame

    def __post_init__(self) -> None:
        """Law and scorecard are made apart; here they meet first."""
        margin = self.policy.ranking.sitting_margin_micro
        lowest, highest = self.scorecard.score_range
        if margin > highest - lowest:
            message = (
                f"ranking.yaml, key 'sitting_margin_micro': {margin} lies outside the score's range. Scorecard "
                f"{self.scorecard.hash[:12]} tells families apart by {highest - lowest} micro-points at most: every "
                "sitting family would go first. Write less."
            )
            raise PolicyError(message)

    @property
    def area(self) -> str:
        """Column of the areas that have places of their own."""
        return self.policy.quotas.area

    @property
    def hash(self) -> str:
        """What names these terms in the name of a shard's file."""
        cuts = self.cut_points.rows()
        return f"{self.quarter} {self.policy.hash} {self.days.hash} {self.scorecard.hash} {cuts}"
