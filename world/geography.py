"""The regencies and villages of the synthetic country, real where the reference tables know them, else invented."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from schemas.errors import WrongUsage
from schemas.regions import reference, regencies
from world.dice import Array
from world.parameters import Villages

_FIRST_DESA, _FIRST_WARD = 2001, 1001
_WARD = "kelurahan"
_FIRST_CITY = 71
_FEWEST = 8
"""Families of the smallest regency of the nation."""


@dataclass(frozen=True)
class Scope:
    """A part of the country that is invented at once.

    Attributes
    ----------
    codes : tuple of str or None
        Its regencies; None: all 514.
    smallest : int
        Families it takes at least.
    form : str
        How its files are written: `csv`, a file per regency; `parquet`, a file per province or for all.
    """

    codes: tuple[str, ...] | None
    smallest: int
    form: Literal["csv", "parquet"]


SCOPES: Mapping[str, Scope] = {
    "banyuwangi": Scope(("35.09", "35.10", "35.11", "35.12"), 400, "csv"),
    "nation": Scope(None, 2 * _FEWEST * regencies().height, "parquet"),
}


@dataclass(frozen=True)
class Regency:
    """A regency and its villages, ordered by code.

    Attributes
    ----------
    number : int
        The code as a number, 3510; the regency's share of the seed.
    code_bps : str
        Its code in the other system.
    families : int
        Families living there at the start.
    poverty_share, poverty_share_province, poverty_share_nation : float
        Official share of poor persons there and around.
    villages : pl.DataFrame
        village_code, village_name, region (first six digits, int64), is_urban, effect (welfare, standard deviations),
        village_luck (what no answer shows), share (of the regency's families).
    """

    code: str
    number: int
    code_bps: str
    families: int
    poverty_share: float
    poverty_share_province: float
    poverty_share_nation: float
    poverty_line: int
    villages: pl.DataFrame


def _village_codes(code: str, people: float, parameters: Villages) -> tuple[list[str], list[str], Array]:
    """Codes and names of a regency's villages, and which are wards."""
    known = reference("villages").filter(pl.col("district_code").str.starts_with(code)).sort("code")
    if known.height:
        return known["code"].to_list(), known["name"].to_list(), (known["kind"] == _WARD).to_numpy()
    # Cities are numbered from 71, and their villages are wards.
    is_city = int(code[-2:]) >= _FIRST_CITY
    usual = min(parameters.most_districts, max(1, round(people / parameters.people_per_district)))
    codes = [
        f"{code}.{district:02}.{(_FIRST_WARD if is_city else _FIRST_DESA) + village}"
        for district in range(1, parameters.districts.get(code, usual) + 1)
        for village in range(parameters.per_district)
    ]
    return codes, [f"Desa {int(one[6:8])}-{int(one[-3:])}" for one in codes], np.full(len(codes), is_city)


def _villages(code: str, number: int, people: float, seed: int, parameters: Villages) -> pl.DataFrame:
    codes, names, is_ward = _village_codes(code, people, parameters)
    rng = np.random.default_rng([seed, number])
    is_urban = is_ward | (rng.random(len(codes)) < parameters.urban_share)
    effect = parameters.urban_welfare * (is_urban - parameters.urban_share)
    effect += parameters.welfare_spread * rng.standard_normal(len(codes))
    size = np.exp(0.4 * rng.standard_normal(len(codes)) + 0.3 * is_urban)
    region = [int(village[:8].replace(".", "")) for village in codes]
    return pl.DataFrame(
        {
            "village_code": codes,
            "village_name": names,
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


def _at_least(fewest: int, total: int, weights: Array) -> Array:
    """The same, with at least `fewest` in each part."""
    small = np.zeros(len(weights), dtype=bool)
    while True:
        parts = np.full(len(weights), fewest, dtype=np.int64)
        parts[~small] = _shares(total - fewest * int(small.sum()), weights[~small])
        if not (parts < fewest).any():
            return parts
        small |= parts < fewest


def scope_of(name: str) -> Scope:
    """The scope of a name.

    Raises
    ------
    WrongUsage
        If the scope is unknown.
    """
    if name not in SCOPES:
        message = f"{name!r} is no scope of the synthetic country. Choose {' or '.join(SCOPES)}."
        raise WrongUsage(message)
    return SCOPES[name]


def regencies_of(scope: Scope, families: int, seed: int, parameters: Villages) -> tuple[Regency, ...]:
    """The regencies of a scope, ordered by code, the families split by people.

    A few regencies are split by registered population; the nation by the people whom poor count and poverty share
    imply, as places follow poor counts.
    """
    implied = pl.col("poor_count") / pl.col("poverty_share")
    everywhere = regencies().sort("code").with_columns(
        (pl.col("poor_count").sum() / implied.sum()).over("province_code").alias("poverty_share_province"),
        (pl.col("poor_count").sum() / implied.sum()).alias("poverty_share_nation"),
        implied.alias("people"),
    )  # fmt: skip
    if scope.codes is None:
        known, parts = everywhere, _at_least(_FEWEST, families, everywhere["people"].to_numpy())
    else:
        known = everywhere.filter(pl.col("code").is_in(scope.codes))
        parts = _shares(families, known["population"].to_numpy())
    return tuple(
        Regency(
            code=row["code"],
            number=(number := int(row["code"].replace(".", ""))),
            code_bps=row["code_bps"],
            families=int(part),
            poverty_share=row["poverty_share"],
            poverty_share_province=row["poverty_share_province"],
            poverty_share_nation=row["poverty_share_nation"],
            poverty_line=row["poverty_line_rupiah_per_capita_month"],
            villages=_villages(row["code"], number, row["people"], seed, parameters),
        )
        for row, part in zip(known.iter_rows(named=True), parts, strict=True)
    )
