"""The regencies and villages of the synthetic country, real where the reference tables know them, else invented."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from schemas.errors import WrongUsage
from schemas.regions import reference, regencies
from world.dice import Array
from world.parameters import Villages

SCOPES: Mapping[str, tuple[str, ...]] = {"banyuwangi": ("35.09", "35.10", "35.11", "35.12")}
_FIRST_DESA = 2001
_WARD = "kelurahan"


@dataclass(frozen=True)
class Regency:
    """A regency and its villages, ordered by code.

    Attributes
    ----------
    number : int
        The code as a number, 3510; the regency's share of the seed.
    families : int
        Families living there at the start.
    villages : pl.DataFrame
        village_code, region (first six digits, int64), is_urban, effect (welfare, standard deviations), village_luck
        (what no answer shows), share (of the regency's families).
    """

    code: str
    number: int
    families: int
    poverty_share: float
    poverty_line: int
    villages: pl.DataFrame


def _village_codes(code: str, parameters: Villages) -> tuple[list[str], Array]:
    known = reference("villages").filter(pl.col("district_code").str.starts_with(code)).sort("code")
    if known.height:
        return known["code"].to_list(), (known["kind"] == _WARD).to_numpy()
    codes = [
        f"{code}.{district:02}.{_FIRST_DESA + village}"
        for district in range(1, parameters.districts[code] + 1)
        for village in range(parameters.per_district)
    ]
    return codes, np.zeros(len(codes), dtype=bool)


def _villages(code: str, number: int, seed: int, parameters: Villages) -> pl.DataFrame:
    codes, is_ward = _village_codes(code, parameters)
    rng = np.random.default_rng([seed, number])
    is_urban = is_ward | (rng.random(len(codes)) < parameters.urban_share)
    effect = parameters.urban_welfare * (is_urban - parameters.urban_share)
    effect += parameters.welfare_spread * rng.standard_normal(len(codes))
    size = np.exp(0.4 * rng.standard_normal(len(codes)) + 0.3 * is_urban)
    region = [int(village[:8].replace(".", "")) for village in codes]
    return pl.DataFrame(
        {
            "village_code": codes,
            "region": region,
            "is_urban": is_urban,
            "effect": effect,
            "village_luck": rng.standard_normal(len(codes)),
            "share": size / size.sum(),
        }
    )


def _shares(total: int, weights: Array) -> Array:
    """Whole parts of `total` in proportion to the weights, by largest remainder."""
    exact = total * weights / weights.sum()
    parts = np.floor(exact).astype(np.int64)
    parts[np.argsort(parts - exact, kind="stable")[: total - parts.sum()]] += 1
    return np.asarray(parts, dtype=np.int64)


def regencies_of(scope: str, families: int, seed: int, parameters: Villages) -> tuple[Regency, ...]:
    """The regencies of a scope, ordered by code, the families split by population.

    Raises
    ------
    WrongUsage
        If the scope is unknown.
    """
    if scope not in SCOPES:
        message = f"{scope!r} is no scope of the synthetic country. Choose {' or '.join(SCOPES)}."
        raise WrongUsage(message)
    known = regencies().filter(pl.col("code").is_in(SCOPES[scope])).sort("code")
    parts = _shares(families, known["population"].to_numpy())
    return tuple(
        Regency(
            code=row["code"],
            number=(number := int(row["code"].replace(".", ""))),
            families=int(part),
            poverty_share=row["poverty_share"],
            poverty_line=row["poverty_line_rupiah_per_capita_month"],
            villages=_villages(row["code"], number, seed, parameters),
        )
        for row, part in zip(known.iter_rows(named=True), parts, strict=True)
    )
