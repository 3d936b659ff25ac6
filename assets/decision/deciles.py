"""Deciles: cut points from a weighted population survey, and the families placed into them.

Deciles need a population; registrants are placed into cut points made elsewhere, never cut among themselves.
"""

import numpy as np
import polars as pl

from assets.decision.families import Terms
from assets.welfare.score import score
from assets.welfare.scorecard import Scorecard
from quotas.rules import WelfareRule

NATION = "all"
_DECILES = 10
_FRAME_LENGTH = {"province": 2, "regency": 5}


def cut_points(survey: pl.DataFrame, card: Scorecard, rule: WelfareRule) -> pl.DataFrame:
    """Highest score of deciles 1 to 9 in every frame, from the survey scored with the scorecard in force.

    Parameters
    ----------
    survey : DataFrame
        Accepted consumption survey: `regency_code`, `weight`, `household_size` and the answers.
    rule : WelfareRule
        Policy: `decile_frame` (national, province or regency) and `decile_unit` (families or people).

    Returns
    -------
    DataFrame
        Contract `decision/cut_points`. The decile of weight w ends at the smallest score that at least w of the
        weight does not exceed.
    """
    scored = score(survey, card, parts=False)
    weight = pl.col("weight") * (pl.col("household_size") if rule.decile_unit == "people" else 1)
    frame = survey.select(
        score_micro=scored["score_micro"],
        weight=weight,
        frame=pl.col("regency_code").str.slice(0, _FRAME_LENGTH[rule.decile_frame])
        if rule.decile_frame in _FRAME_LENGTH
        else pl.lit(NATION),
    ).drop_nulls("score_micro")
    rows = []
    for (name,), part in sorted(frame.partition_by("frame", as_dict=True).items()):
        ordered = part.sort("score_micro", "weight")
        # Weights add up exactly as whole thousandths, so that the cut does not hang on the order of a float sum.
        whole = np.rint(ordered["weight"].to_numpy() * 1000).astype(np.int64)
        reached, total = np.cumsum(whole), int(whole.sum())
        for decile in range(1, _DECILES):
            place = int(np.searchsorted(reached * _DECILES, total * decile, side="left"))
            rows.append((str(name), decile, int(ordered["score_micro"][place])))
    schema = {"frame": pl.String, "decile": pl.Int32, "highest_score_micro": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def decile_of(terms: Terms) -> pl.Expr:
    """Decile of `score_micro`, 1 is poorest, Int32; null where there is no score or no cut points for the frame."""
    score_micro = pl.col("score_micro")
    found = pl.lit(None, pl.Int32)
    for (name,), part in sorted(terms.cut_points.partition_by("frame", as_dict=True).items()):
        above = [score_micro > cut for cut in part.sort("decile")["highest_score_micro"]]
        placed = pl.sum_horizontal(one.cast(pl.Int32) for one in above) + 1
        inside = pl.lit(value=True) if name == NATION else pl.col("regency_code").str.starts_with(str(name))
        found = pl.when(inside).then(placed).otherwise(found)
    return pl.when(score_micro.is_not_null()).then(found).cast(pl.Int32)
