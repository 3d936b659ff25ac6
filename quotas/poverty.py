"""Poverty figures per area: the delivered ones of a vintage, else those that ship. What they weigh is in `seats`."""

import polars as pl

from schemas.errors import Refused
from schemas.regions import regencies, regency_of

LINE = "poverty_line_rupiah_per_capita_month"
POOR, GAP = "poor_count", "poverty_gap_rupiah_month"
SHIPPED_VINTAGE = "2025-03"
_PROVINCE = r"^[0-9]{2}$"
_FIGURES = (POOR, LINE, "poor_percent", "poverty_gap_percent")


def delivered_figures(accepted: pl.DataFrame, vintage: str) -> pl.DataFrame:
    """Poverty figures of the areas that were delivered with a poor count.

    Poor counts and poverty lines may come in files of their own. Of several figures the one issued last stands; two
    that differ and were issued on one day are refused, for nothing says which of them is right. Totals of provinces
    weigh nothing.

    Parameters
    ----------
    accepted : DataFrame
        Feed `poverty_statistics` with `issued_on`, the day on which the sender issued the row.

    Returns
    -------
    DataFrame
        `area_code, poor_count, poverty_line_rupiah_per_capita_month, poor_percent, poverty_gap_percent`; ordered by
        area.

    Raises
    ------
    Refused
        If two figures of an area differ and were issued on one day, the last.
    """
    of_areas = accepted.filter((pl.col("vintage") == vintage) & ~pl.col("area_code").str.contains(_PROVINCE))
    newest = of_areas.group_by("area_code").agg(_newest(name) for name in _FIGURES).sort("area_code")
    for name in _FIGURES:
        several = newest.filter(pl.col(name).list.len() > 1)["area_code"]
        if several.len():
            batches = of_areas.filter(pl.col("area_code") == several[0]).select(_newest(name, of="batch_id"))
            message = (
                f"the poverty statistics of {vintage} hold figures {name} of {several[0]} that differ and were issued "
                f"on one day (batches {', '.join(batches.to_series().sort())}). Withdraw the wrong one: "
                "`perlinsos batches withdraw BATCH --reason …`."
            )
            raise Refused(message)
    return newest.with_columns(pl.col(*_FIGURES).list.first()).drop_nulls(POOR)


def _newest(name: str, of: str | None = None) -> pl.Expr:
    """The distinct values of a figure, or `of` another column beside it, among the rows that state it issued last."""
    issued = pl.col("issued_on").filter(pl.col(name).is_not_null())
    return pl.col(of or name).filter(pl.col(name).is_not_null(), pl.col("issued_on") == issued.max()).unique()


def poverty_figures(accepted: pl.DataFrame, vintage: str) -> pl.DataFrame:
    """Poor persons, what they lack and poverty line per area of one vintage.

    Parameters
    ----------
    accepted : DataFrame
        As in :func:`delivered_figures`; its figures of the vintage stand instead of the shipped ones, all or none.
        Areas inside a regency stand beside the regencies.
    vintage : str
        As `2025-03`.

    Returns
    -------
    DataFrame
        `area_code, area_bps, poor_count, poverty_gap_rupiah_month, poverty_line_rupiah_per_capita_month`; ordered by
        area. The gap is what all poor together lack up to the line in a month, poor count x line x P1 / P0, whole
        rupiah; null where a figure of the four is not known.

    Raises
    ------
    Refused
        If the vintage was neither delivered nor ships, was delivered without some regencies of the country, or twice
        on one day with figures that differ.

    References
    ----------
    Foster, Greer and Thorbecke (1984), A class of decomposable poverty measures: P0 and P1.
    """
    newest = delivered_figures(accepted, vintage)
    known = regencies()["code"]
    missing = known.filter(~known.is_in(newest["area_code"].implode()))
    is_delivered = missing.len() < known.len()
    if is_delivered and missing.len():
        message = (
            f"the poverty statistics of {vintage} lack {missing.len()} of {known.len()} regencies, {missing[0]} among "
            "them; places are shares of the whole country. Load the complete table."
        )
        raise Refused(message)
    is_of_country = newest.select(regency_of("area_code").is_in(known.implode()).any()).item()
    if not is_delivered and (is_of_country or newest.is_empty()):
        if vintage != SHIPPED_VINTAGE:
            message = (
                f"no poverty statistics of {vintage} were delivered for the regencies. Load them: "
                "`perlinsos load poverty_statistics FILE`."
            )
            raise Refused(message)
        newest = pl.concat([newest, _shipped()])
    codes = regencies().select(area_code="code", area_bps="code_bps")
    # Percents as whole hundredths, so that the arithmetic stays in whole numbers.
    p0, p1 = ((pl.col(name) * 100).round(mode="half_away_from_zero").cast(pl.Int64) for name in _FIGURES[2:])
    gap = pl.when(p0 > 0).then(pl.col(POOR) * pl.col(LINE) * p1 // p0).alias(GAP)
    return (
        newest.join(codes, on="area_code", how="left")
        .select("area_code", "area_bps", POOR, gap, LINE)
        .sort("area_code")
    )


def _shipped() -> pl.DataFrame:
    return regencies().select(
        pl.col("code").alias("area_code"),
        POOR,
        LINE,
        poor_percent=pl.col("poverty_share") * 100,
        poverty_gap_percent=pl.col("poverty_gap_share") * 100,
    )
