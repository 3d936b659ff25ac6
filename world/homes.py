"""How families truly dwell and what they own: answers to the questionnaire as they follow from welfare."""

from collections.abc import Iterable, Mapping

import numpy as np

from world.dice import Array, by_shares, chosen, latent, normal_quantile
from world.parameters import Answer

_WITH_METER = 1


def _answer(rng: np.random.Generator, welfare: Array, one: Answer) -> Array:
    hidden = latent(rng, one.pull, welfare)
    if one.shares is not None:
        return by_shares(hidden, one.shares)
    if one.median is not None and one.spread is not None:
        return np.clip(np.round(one.median * np.exp(one.spread * hidden)), one.smallest, one.largest).astype(np.int32)
    yes = hidden > normal_quantile(1 - (one.share or 0))
    if one.mean is None or one.most is None:
        return yes.astype(np.int32)
    return np.where(yes, np.minimum(1 + rng.poisson(one.mean, len(welfare)), one.most), 0).astype(np.int32)


def furnish(
    rng: np.random.Generator, welfare: Array, answers: Mapping[str, Answer], names: Iterable[str]
) -> dict[str, Array]:
    """True answers (int32) to the named questions of families of the given welfare (standard normal)."""
    drawn = {name: _answer(rng, welfare, answers[name]) for name in names}
    if {"lighting_source", "electricity_connection"} <= set(drawn):
        metered = drawn["lighting_source"] == _WITH_METER
        drawn["electricity_connection"] = np.where(metered, drawn["electricity_connection"], 0).astype(np.int32)
    return drawn


def share_roofs(rng: np.random.Generator, village: Array, share: float) -> Array:
    """Row of the family whose dwelling each family lives in: mostly its own, else that of the one before it."""
    rows = np.arange(len(village))
    joins = chosen(rng, len(village), share)
    joins[0] = False
    joins[1:] &= village[1:] == village[:-1]
    # Neighbours of a family that itself lives with another go to that one's host.
    return np.maximum.accumulate(np.where(joins, -1, rows))
