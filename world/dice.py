"""Draws the synthetic country needs again and again, vectorised; what is drawn, and why, is said elsewhere."""

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_NORMAL = NormalDist()
_LARGEST = 12.0


def normal_quantile(share: float) -> float:
    """The point below which a standard normal draw lies with this probability."""
    if share <= 0:
        return -_LARGEST
    return _LARGEST if share >= 1 else _NORMAL.inv_cdf(share)


def chosen(rng: np.random.Generator, count: int, share: float | Array) -> Array:
    """Which of `count` things are chosen, each independently with its probability."""
    return np.less(rng.random(count), share)


def pick(rng: np.random.Generator, count: int, shares: Mapping[Any, float]) -> Array:
    """One key of `shares` for each of `count` things, as positions 0, 1, … in the order of the mapping."""
    bounds = np.cumsum(list(shares.values()))
    return np.asarray(np.minimum(np.searchsorted(bounds, rng.random(count), side="right"), len(shares) - 1))


def about(rng: np.random.Generator, expected: float) -> int:
    """A whole number of things, `expected` on average: few of them do not vanish where places are small."""
    return int(expected + rng.random())


def latent(rng: np.random.Generator, pull: float, on: Array) -> Array:
    """Standard normal draws that correlate with the standard normal `on` as strongly as `pull`."""
    return np.asarray(pull * on + np.sqrt(1 - pull * pull) * rng.standard_normal(len(on)))


def by_shares(hidden: Array, shares: Mapping[int, float]) -> Array:
    """Codes whose shares are as given, the first code for the smallest hidden values."""
    bounds = [normal_quantile(share) for share in np.cumsum(list(shares.values()))[:-1]]
    codes = np.array(list(shares), dtype=np.int32)
    return codes[np.searchsorted(bounds, hidden)]


def position_in_group(keys: Array) -> Array:
    """How many equal keys stand before each key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(keys) else np.array([], dtype=np.int64)
    lengths = np.diff(np.r_[starts, len(keys)])
    result = np.empty(len(keys), dtype=np.int64)
    result[order] = np.arange(len(keys)) - np.repeat(starts, lengths)
    return result
