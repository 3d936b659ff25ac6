"""Places of a quarter: the poverty figures of the vintage in force turned into seats by the rulebook's arithmetic."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction

import polars as pl

from assets.decision.families import ELIGIBLE
from quotas.rulebook import Policy
from quotas.rules import Quotas
from quotas.seats import seat_table
from schemas.errors import Refused
from schemas.vocabularies import Programme

_LENGTHS = {"regency_code": 5, "district_code": 8, "village_code": 13}
_REGENCY = _LENGTHS["regency_code"]


def places(
    policy: Policy, figures: pl.DataFrame, eligible: pl.DataFrame | None, before: pl.DataFrame | None
) -> pl.DataFrame:
    """The seat table of every programme (contract `decision/seats`).

    Where policy gives places to areas inside regencies and the figures weigh the regencies too, places go to the
    regencies first and those of each regency to its areas; floors and caps of an area hold there.

    Parameters
    ----------
    figures : DataFrame
        From :func:`quotas.poverty.poverty_figures`.
    eligible : DataFrame or None
        Policy's area, `programme, status`: what the cap is counted from where policy redistributes unused places;
        None before families were judged, without such caps.
    before : DataFrame or None
        Seat table of the quarter before.

    Raises
    ------
    Refused
        If the weight of an area is not known, or a regency with places has no areas to share them out to.
    """
    weighed = _weighed(policy.quotas, figures)
    return pl.concat([_of_programme(one, policy.quotas, weighed, eligible, before) for one in policy.programmes]).sort(
        "programme", "regency_code"
    )


def _weighed(quotas: Quotas, figures: pl.DataFrame) -> pl.DataFrame:
    """Areas that share places, the regencies among them, with the weight that policy names."""
    length = pl.col("area_code").str.len_chars()
    weighed = figures.filter(length.is_in([_REGENCY, _LENGTHS[quotas.area]])).select(
        regency_code="area_code", regency_code_bps="area_bps", weight=quotas.weight
    )
    unknown = weighed.filter(pl.col("weight").is_null())["regency_code"]
    if unknown.len():
        message = (
            f"{quotas.weight} is not known of {unknown.len()} areas, {unknown[0]} among them. Load poverty statistics "
            "with poor_count, the poverty line, poor_percent and poverty_gap_percent, or let places follow poor_count."
        )
        raise Refused(message)
    return weighed


def _of_programme(
    programme: Programme, quotas: Quotas, weighed: pl.DataFrame, eligible: pl.DataFrame | None,
    before: pl.DataFrame | None,
) -> pl.DataFrame:  # fmt: skip
    total = quotas.national_total[programme]
    can_fill = earlier = None
    if eligible is not None and quotas.unused_places == "redistribute":
        counted = eligible.filter((pl.col("programme") == programme) & (pl.col("status") == ELIGIBLE))
        can_fill = Counter(dict(counted.group_by(quotas.area).len().iter_rows()))
    if before is not None:
        earlier = dict(before.filter(pl.col("programme") == programme).select("regency_code", "seats").iter_rows())
    is_regency = pl.col("regency_code").str.len_chars() == _REGENCY
    regencies, areas = weighed.filter(is_regency), weighed.filter(~is_regency)
    if quotas.area == "regency_code" or regencies.is_empty():
        return _table(programme, total, quotas, weighed, can_fill, earlier)
    # A limit of an area says nothing of a whole regency.
    of_regency = quotas.model_copy(update={"min_places": 0, "max_places": None})
    table = _table(programme, total, of_regency, regencies, _by_regency(can_fill), _by_regency(earlier))
    parts = dict(_parts(areas))
    tables = []
    for code, seats in table.select("regency_code", "seats").iter_rows():
        if code in parts:
            tables.append(_table(programme, seats, quotas, parts[code], can_fill, earlier))
        elif seats:
            message = (
                f"quotas.area is {quotas.area}, but the poverty statistics weigh no such area of {code}, which has "
                f"{seats} places of {programme}. Load the weights of its areas."
            )
            raise Refused(message)
    return pl.concat(tables)


def _parts(areas: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    of_regency = pl.col("regency_code").str.slice(0, _REGENCY)
    for (code,), part in areas.group_by(of_regency.alias("of"), maintain_order=True):
        yield str(code), part


def _table(
    programme: Programme, total: int, quotas: Quotas, weighed: pl.DataFrame, can_fill: Mapping[str, int] | None,
    before: Mapping[str, int] | None,
) -> pl.DataFrame:  # fmt: skip
    codes = weighed["regency_code"].to_list()
    most = {} if quotas.max_places is None else dict.fromkeys(codes, quotas.max_places)
    caps = (
        {code: min(most.get(code, can_fill[code]), can_fill[code]) for code in codes} if can_fill is not None else most
    )
    # The decimal that stands in the rule, not its nearest binary fraction.
    kept = Fraction(str(quotas.hold_harmless_share))
    floors = {code: max(quotas.min_places, math.ceil(kept * (before or {}).get(code, 0))) for code in codes}
    return seat_table(
        programme, total, weighed, quotas.method, caps=caps, floors={c: n for c, n in floors.items() if n},
        before=before,
    )  # fmt: skip


def _by_regency(counts: Mapping[str, int] | None) -> Counter[str] | None:
    if counts is None:
        return None
    added: Counter[str] = Counter()
    for code, count in counts.items():
        added[code[:_REGENCY]] += count
    return added
