"""Deciles: cut points from a weighted population survey, and the families placed into them, beside the official ones.

Deciles need a population; registrants are placed into cut points made elsewhere, never cut among themselves.
"""

from collections.abc import Iterable

import numpy as np
import polars as pl

from assets.decision.families import Terms
from assets.welfare.score import score_micro
from assets.welfare.scorecard import Scorecard
from quotas.rules import WelfareRule

NATION = "all"
FRAMES = {"national": 0, "province": 2, "regency": 5}
"""Populations whose tenths are taken, and how much of a regency's code names one."""
OFFICIAL = "official_"
_DECILES = 10


def cut_points(survey: pl.DataFrame, card: Scorecard, rule: WelfareRule) -> pl.DataFrame:
    """Highest score of deciles 1 to 9 in the nation, every province and every regency that is surveyed.

    Parameters
    ----------
    survey : DataFrame
        Accepted consumption survey: `regency_code`, `weight`, `household_size` and the answers.
    rule : WelfareRule
        Policy: `decile_unit` (families or people).

    Returns
    -------
    DataFrame
        Contract `decision/cut_points`. The decile of weight w ends at the smallest score that at least w of the
        weight does not exceed.
    """
    weight = pl.col("weight") * (pl.col("household_size") if rule.decile_unit == "people" else 1)
    households = survey.select("regency_code", score_micro=score_micro(survey, card), weight=weight)
    households = households.drop_nulls("score_micro")
    rows = []
    for length in FRAMES.values():
        of_frame = households.with_columns(frame=_frame(length))
        for (name,), part in sorted(of_frame.partition_by("frame", as_dict=True).items()):
            ordered = part.sort("score_micro", "weight")
            # Weights add up exactly as whole thousandths, so that the cut does not hang on the order of a float sum.
            whole = np.rint(ordered["weight"].to_numpy() * 1000).astype(np.int64)
            reached, total = np.cumsum(whole), int(whole.sum())
            for decile in range(1, _DECILES):
                place = int(np.searchsorted(reached * _DECILES, total * decile, side="left"))
                rows.append((str(name), decile, int(ordered["score_micro"][place])))
    schema = {"frame": pl.String, "decile": pl.Int32, "highest_score_micro": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("frame", "decile")


def _frame(length: int) -> pl.Expr:
    """Name of the frame that a `regency_code` lies in."""
    return pl.col("regency_code").str.slice(0, length) if length else pl.lit(NATION)


def own_decile(cuts: pl.DataFrame, frame: str, regencies: Iterable[str]) -> pl.Expr:
    """Decile of `score_micro` in a frame of :data:`FRAMES`, 1 is poorest, Int32; null without a score or cut points.

    Parameters
    ----------
    cuts : DataFrame
        Contract `decision/cut_points`.
    regencies : iterable of str
        The regencies that occur; other cut points are not looked at.
    """
    scored, length = pl.col("score_micro"), FRAMES[frame]
    here = sorted({code[:length] or NATION for code in regencies})
    found = pl.lit(None, pl.Int32)
    for (name,), part in sorted(cuts.filter(pl.col("frame").is_in(here)).partition_by("frame", as_dict=True).items()):
        above = [scored > cut for cut in part.sort("decile")["highest_score_micro"]]
        placed = pl.sum_horizontal(one.cast(pl.Int32) for one in above) + 1
        found = pl.when(_frame(length) == name).then(placed).otherwise(found)
    return pl.when(scored.is_not_null()).then(found).cast(pl.Int32)


def with_deciles(scored: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Families with their own decile in each frame and, as `decile`, the one that decides by policy.

    Parameters
    ----------
    scored : DataFrame
        `regency_code`, `score_micro` and, unless policy goes by our own decile alone, the official deciles
        (`official_decile_<frame>`, null where the official register has none).

    Returns
    -------
    DataFrame
        The input with `decile_<frame>` for each of :data:`FRAMES` and `decile`, all Int32.
    """
    rule, regencies = terms.policy.welfare, scored["regency_code"].unique()
    placed = scored.with_columns(
        own_decile(terms.cut_points, frame, regencies).alias(f"decile_{frame}") for frame in FRAMES
    )
    own = pl.col(f"decile_{rule.decile_frame}")
    official = pl.col(f"{OFFICIAL}decile_{rule.decile_frame}")
    decides = {"own": [own], "official": [official], "official_else_own": [official, own]}[rule.decile_source]
    return placed.with_columns(decile=pl.coalesce(decides).cast(pl.Int32))


def compared(own: pl.DataFrame, official: pl.DataFrame) -> pl.DataFrame:
    """How many families of one regency lie in which of our deciles and which official one, in each frame.

    Parameters
    ----------
    own, official : DataFrame
        `family_id, regency_code, decile_<frame>`, and `family_id, official_decile_<frame>` of the same families.

    Returns
    -------
    DataFrame
        Contract `decision/deciles_compared`.
    """
    both = own.join(official, on="family_id")
    names = {"own_decile": "", "official_decile": OFFICIAL}
    return pl.concat(
        both.group_by(
            "regency_code", *(pl.col(f"{prefix}decile_{frame}").alias(name) for name, prefix in names.items())
        )
        .agg(families=pl.len().cast(pl.Int64))
        .with_columns(frame=pl.lit(frame))
        for frame in FRAMES
    )
