"""Poverty figures per area: the accepted ones of a vintage, else those that ship. What they weigh is in `seats`."""

import polars as pl

from schemas.errors import Refused
from schemas.regions import regencies

LINE = "poverty_line_rupiah_per_capita_month"
SHIPPED_VINTAGE = "2025-03"
_PROVINCE = r"^\d{2}$"


def delivered_figures(accepted: pl.DataFrame, vintage: str) -> pl.DataFrame:
    """Poor persons and poverty line of the areas that were delivered with a poor count.

    Poor counts and poverty lines may come in files of their own. Totals of provinces weigh nothing.

    Returns
    -------
    DataFrame
        `area_code, weight` (poor persons), `poverty_line_rupiah_per_capita_month`; ordered by area.
    """
    return (
        accepted.filter((pl.col("vintage") == vintage) & ~pl.col("area_code").str.contains(_PROVINCE))
        .sort("area_code", "batch_id", "row_number")
        .group_by("area_code", maintain_order=True)
        .agg(weight=pl.col("poor_count").drop_nulls().last(), **{LINE: pl.col(LINE).drop_nulls().last()})
        .drop_nulls("weight")
    )


def poverty_figures(accepted: pl.DataFrame, vintage: str) -> pl.DataFrame:
    """Poor persons and poverty line per area of one vintage.

    Parameters
    ----------
    accepted : DataFrame
        Feed `poverty_statistics`; its figures of the vintage stand instead of the shipped ones, all or none.
    vintage : str
        As `2025-03`.

    Returns
    -------
    DataFrame
        `area_code, area_bps, weight` (poor persons), `poverty_line_rupiah_per_capita_month`; ordered by area.

    Raises
    ------
    Refused
        If the vintage was neither delivered nor ships, or was delivered without some regencies of the country.
    """
    newest = delivered_figures(accepted, vintage)
    known = regencies()["code"]
    missing = known.filter(~known.is_in(newest["area_code"].implode()))
    if newest["area_code"].is_in(known.implode()).any() and missing.len():
        message = (
            f"the poverty statistics of {vintage} lack {missing.len()} of {known.len()} regencies, {missing[0]} among "
            "them; places are shares of the whole country. Load the complete table."
        )
        raise Refused(message)
    if not newest.height and vintage != SHIPPED_VINTAGE:
        message = (
            f"no poverty statistics of {vintage} were delivered. Load them: `perlinsos load poverty_statistics FILE`."
        )
        raise Refused(message)
    shipped = regencies().select(pl.col("code").alias("area_code"), pl.col("poor_count").alias("weight"), LINE)
    codes = regencies().select(area_code="code", area_bps="code_bps")
    return (newest if newest.height else shipped).join(codes, on="area_code", how="left").sort("area_code")
