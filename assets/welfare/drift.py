"""How far answers and scores have moved between two quarters: counts per bin, and the population stability index.

What a quarter does about it is a decision.
"""

import numpy as np
import polars as pl

from assets.welfare.score import bins_of, score_micro
from assets.welfare.scorecard import MICRO, Scorecard
from assets.welfare.survey import Integers

SCORE = "score_micro"
"""Name under which the score itself stands among the features."""
SCORE_STEP = 10_000
"""Width of a bin of the score: 1% of expenditure."""
GROUPS = 10
_BY = ["feature", "bin"]


def profile(households: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """How many households lie in which bin of each feature of a scorecard and of its score.

    Parameters
    ----------
    households : DataFrame
        What :func:`assets.welfare.score.score` asks for.

    Returns
    -------
    DataFrame
        `feature` (the score is :data:`SCORE`), `bin` (null: no usable answer, or no score), `families`.
    """
    bins = bins_of(card.features, households)
    usable = bins.select(pl.when(pl.all() >= 0).then(pl.all()))
    binned = usable.with_columns((score_micro(households, card) // SCORE_STEP).alias(SCORE))
    counts = [
        binned.lazy().group_by(bin=name).agg(families=pl.len().cast(pl.Int64)).select(
            pl.lit(name).alias("feature"), pl.col("bin").cast(pl.Int64), "families"
        )
        for name in binned.columns
    ]  # fmt: skip
    return pl.concat(pl.collect_all(counts))


def stability(now: pl.DataFrame, then: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """The population stability index of each feature and of the score.

    The sum over groups of (p - q) ln(p / q), p being the group's share of the families now and q that of then. Numbers
    and the score are grouped into tenths of then (fewer where many share a value), codes stay apart, and whoever has no
    usable answer is a group; half a family is added to each group, so that an empty one counts as rare.

    Parameters
    ----------
    now, then : DataFrame
        From :func:`profile` with the same card, of all families.

    Returns
    -------
    DataFrame
        `feature, psi_micro` (Int64, millionths), `families, families_before, unusable, unusable_before`; the score
        first, features in their order on the card. Empty without families in either quarter.
    """
    counted = now.join(then, on=_BY, how="full", coalesce=True, nulls_equal=True, suffix="_before")
    counted = counted.with_columns(pl.col("families", "families_before").fill_null(0)).sort(_BY, nulls_last=True)
    codes = {feature.name for feature in card.features if feature.kind != "number"}
    rows = []
    for name in (SCORE, *(feature.name for feature in card.features)):
        mine = counted.filter(feature=name)
        here, before = (mine[column].to_numpy() for column in ("families", "families_before"))
        if not here.sum() or not before.sum():
            continue
        unusable = mine["bin"].is_null().to_numpy()
        group = np.arange(len(here)) if name in codes else _tenths(before * ~unusable)
        group = np.unique(np.where(unusable, group.max() + 1, group), return_inverse=True)[1]
        index = _index(*(np.bincount(group, weights=one).astype(np.int64) for one in (here, before)))
        unusable_now, unusable_before = (int(count[unusable].sum()) for count in (here, before))
        rows.append((name, round(index * MICRO), int(here.sum()), int(before.sum()), unusable_now, unusable_before))
    numbers = ("psi_micro", "families", "families_before", "unusable", "unusable_before")
    return pl.DataFrame(rows, schema={"feature": pl.String(), **dict.fromkeys(numbers, pl.Int64())}, orient="row")


def _tenths(counts: Integers) -> Integers:
    """Number of the tenth in which the middle of each bin's mass lies, so that a bin is never cut."""
    middle = 2 * np.cumsum(counts) - counts
    tenth = middle * GROUPS // max(2 * int(counts.sum()), 1)
    return np.asarray(np.minimum(tenth, GROUPS - 1), dtype=np.int64)


def _index(now: Integers, then: Integers) -> float:
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (now, then))
    return float(((p - q) * np.log(p / q)).sum())
