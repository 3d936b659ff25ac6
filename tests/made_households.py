"""A surveyed population made by a formula, for the tests of the welfare room. Nothing is asserted here."""

from typing import Any

import numpy as np
import polars as pl

SPEC: dict[str, Any] = {
    "id": "hhid",
    "target": {"column": "consumption", "scale": "level"},
    "weight": "weight",
    "area": ["village"],
    "features": {
        "floor": {"kind": "number", "direction": "increasing"},
        "size": {"kind": "number", "direction": "decreasing"},
        "tv": {"kind": "flag", "direction": "increasing"},
        "fuel": {"kind": "category"},
    },
}
FIXED: Any = {"penalties": (10.0,), "rounds": (40,), "learning_rates": (0.1,)}
"""Parameters of a fit that chooses none."""


def households(count: int = 800) -> pl.DataFrame:
    """Households whose consumption follows floor, size, set and fuel, but for noise."""
    dice = np.random.default_rng(7)
    floor = np.round(dice.gamma(2.0, 20.0, count), 2)
    size = dice.integers(1, 9, count)
    tv = dice.integers(0, 2, count)
    fuel = dice.integers(1, 5, count)
    log = 12 + 0.3 * np.log1p(floor) - 0.1 * size + 0.2 * tv + 0.3 * (fuel == 3) + dice.normal(0, 0.3, count)
    return pl.DataFrame(
        {
            "hhid": [f"{number:05d}" for number in range(count)],
            "village": np.arange(count) // 20,
            "urban": np.arange(count) // 20 % 2,
            "weight": dice.uniform(0.5, 2.0, count),
            "consumption": np.exp(log),
            "floor": floor,
            "size": size,
            "tv": tv,
            "fuel": fuel,
        }
    )
