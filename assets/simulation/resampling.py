"""Ratios over a sample of clusters, with what they might have been in another sample of whole clusters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

SEED = 2026
REPLICATES = 1_000
FEWEST_CLUSTERS = 10
"""Clusters in the denominator from which on an interval is told; of fewer it would be an accident."""

_TAIL = 0.025
_WIDEST = 8_000_000
"""Drawn counts held at once: replicates x clusters."""

Floats = npt.NDArray[np.float64]
Key = TypeVar("Key", bound=tuple[str, ...])


@dataclass(frozen=True)
class Ratio:
    """A ratio of two sums over a sample, and the same in every replicate (NaN where there is nothing to divide by).

    Attributes
    ----------
    rows, clusters : int
        Of the sample, in the denominator.
    """

    rows: int
    clusters: int
    hits: int
    total: int
    replicates: Floats

    @property
    def share(self) -> float | None:
        """The ratio; None where there is nothing to divide by."""
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """The middle 95% of the replicates; None of fewer clusters than `FEWEST_CLUSTERS`, or where all or none count.

        Where all or none of the sample count, so they do in every replicate, which is no knowledge of the population.
        """
        return (None, None) if self.hits in {0, self.total} else middle(self.replicates, self.clusters)


def within(here: pl.Expr, numerator: pl.Expr, denominator: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Numerator and denominator, nothing outside a cell."""
    return pl.when(here).then(numerator).otherwise(0), pl.when(here).then(denominator).otherwise(0)


def resampled(frame: pl.DataFrame, cluster: str, ratios: Mapping[Key, tuple[pl.Expr, pl.Expr]]) -> dict[Key, Ratio]:
    """Ratios of sums with the same in `REPLICATES` samples of whole clusters, drawn with replacement from `SEED`.

    Who is poor and who is selected stays as in the sample: an interval tells the chance of the sample alone. Every
    ratio sees the same draws, so that differences are of one sample. Sums are of whole numbers below 2**53, exact in
    any order.
    """
    of = frame[cluster].rank("dense").cast(pl.Int64).to_numpy() - 1
    count = int(of.max()) + 1 if len(of) else 0
    sums, cells = [], []
    for numerator, denominator in ratios.values():
        both = frame.with_columns(_n=numerator.cast(pl.Int64), _d=denominator.cast(pl.Int64)).select("_n", "_d")
        sums += [np.bincount(of, weights=both[name].to_numpy(), minlength=count) for name in both.columns]
        told = both["_d"] > 0
        inside = frame[cluster].filter(told).n_unique()
        cells.append((int(told.sum()), inside, int(both["_n"].sum()), int(both["_d"].sum())))
    by_cluster = np.column_stack(sums)
    rng = np.random.Generator(np.random.PCG64(SEED))
    step = max(1, _WIDEST // max(1, count))
    drawn = []
    for start in range(0, REPLICATES, step):
        times = rng.multinomial(count, np.full(count, 1 / count), size=min(step, REPLICATES - start))
        drawn.append(times.astype(np.float64) @ by_cluster)
    together = np.concatenate(drawn)
    found = {}
    for place, (key, counts) in enumerate(zip(ratios, cells, strict=True)):
        replicates = np.full(REPLICATES, np.nan)
        above, below = together[:, 2 * place], together[:, 2 * place + 1]
        np.divide(above, below, out=replicates, where=below > 0)
        found[key] = Ratio(*counts, replicates)
    return found


def middle(replicates: Floats, clusters: int) -> tuple[float | None, float | None]:
    """The middle 95% of replicates by order statistics; None where there are too few clusters to tell."""
    known = np.sort(replicates[~np.isnan(replicates)])
    if clusters < FEWEST_CLUSTERS or not len(known):
        return None, None
    last = len(known) - 1
    low, high = round(last * _TAIL), round(last * (1 - _TAIL))
    return float(known[low]), float(known[high])
