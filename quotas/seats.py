"""The seat table of a programme: places per area with the arithmetic behind them. The method is in `apportion`."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import polars as pl

from quotas.apportion import Method, apportion
from schemas.errors import Refused
from schemas.vocabularies import Programme

_PLACES = 6
_SIX_PLACES = pl.Decimal(precision=24, scale=_PLACES)


def seat_table(
    programme: Programme,
    national_total: int,
    weights: pl.DataFrame,
    method: Method = Method.LARGEST_REMAINDER,
    *,
    caps: Mapping[str, int] | None = None,
    floors: Mapping[str, int] | None = None,
    before: Mapping[str, int] | None = None,
    area: str = "regency_code",
) -> pl.DataFrame:
    """Places of a programme by area.

    Parameters
    ----------
    programme : Programme
        Goes into every row.
    national_total : int
        Places to share out.
    weights : polars.DataFrame
        One row per area: `area` (text), `area` + ``_bps`` (text, may be absent), ``weight`` (whole number or
        Decimal, no null); the number of poor people, or what they lack.
    method : Method
        How whole places are made of exact shares.
    caps, floors : mapping of str to int, optional
        Most and fewest places per area code; see :func:`quotas.apportion.apportion`.
    before : mapping of str to int, optional
        Places per area code in the quarter before.
    area : str
        Name of the area column.

    Returns
    -------
    polars.DataFrame
        Sorted by programme and area: `area`, `area` + ``_bps``, programme, weight, exact_share and remainder
        (decimals of 6 places, half away from zero), has_remainder_seat, seats, floor and cap (null: none),
        seats_before (null: unknown), change (seats less seats_before, null where that is unknown). exact_share,
        remainder and has_remainder_seat (rounding gave more than the whole part of the share) are those before
        floors and caps.

    Raises
    ------
    Refused
        If an area is missing or comes twice, or a weight is missing, negative or no exact number.

    References
    ----------
    Places in proportion to poor people: the rule documented for PBI-JK by the ministry to parliament, 7 May 2025.
    """
    codes = weights[area].to_list()
    if None in codes or len(set(codes)) != len(codes):
        message = f"weights, column '{area}': an area is missing or comes twice. Give each area one row."
        raise Refused(message)
    weighed = dict(zip(codes, weights["weight"].to_list(), strict=True))
    result = apportion(national_total, weighed, method, caps, floors)
    bps = pl.col(f"{area}_bps") if f"{area}_bps" in weights.columns else pl.lit(None)
    counted = pl.DataFrame(
        {
            area: codes,
            "exact_share": [_six_places(result.exact_share[code]) for code in codes],
            "remainder": [_six_places(result.remainder[code]) for code in codes],
            "has_remainder_seat": [result.got_remainder_seat[code] for code in codes],
            "seats": [result.seats[code] for code in codes],
            "floor": [(floors or {}).get(code) for code in codes],
            "cap": [(caps or {}).get(code) for code in codes],
            "seats_before": [(before or {}).get(code) for code in codes],
        },
        schema={
            area: pl.String,
            "exact_share": _SIX_PLACES,
            "remainder": _SIX_PLACES,
            "has_remainder_seat": pl.Boolean,
            "seats": pl.Int64,
            "floor": pl.Int64,
            "cap": pl.Int64,
            "seats_before": pl.Int64,
        },
    )
    return (
        weights.select(area, bps.cast(pl.String).alias(f"{area}_bps"), "weight")
        .join(counted, on=area, how="inner", validate="1:1")
        .select(
            area,
            f"{area}_bps",
            pl.lit(str(programme)).alias("programme"),
            "weight",
            "exact_share",
            "remainder",
            "has_remainder_seat",
            "seats",
            "floor",
            "cap",
            "seats_before",
            (pl.col("seats") - pl.col("seats_before")).alias("change"),
        )
        .sort("programme", area)
    )


def _six_places(number: Fraction) -> Decimal:
    """Half away from zero, as in published tables; the number is never negative."""
    return Decimal((number * 2 * 10**_PLACES + 1) // 2).scaleb(-_PLACES)
