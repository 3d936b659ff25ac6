"""Places of a quarter: the poverty figures of the vintage in force turned into seats by the rulebook's arithmetic."""

import polars as pl

from assets.decision.families import Terms
from assets.decision.judge import ELIGIBLE
from quotas.seats import seat_table


def places(terms: Terms, figures: pl.DataFrame, eligible: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """The seat table of every programme (contract `decision/seats`).

    Parameters
    ----------
    figures : DataFrame
        From :func:`quotas.poverty.poverty_figures`.
    eligible : DataFrame
        `area, programme, status`: what the cap is counted from where policy redistributes unused places.
    before : DataFrame or None
        Seat table of the quarter before.
    """
    policy = terms.policy
    weights = figures.select(regency_code="area_code", regency_code_bps="area_bps", weight="weight")
    tables = []
    for programme in policy.programmes:
        caps = None
        if policy.quotas.unused_places == "redistribute":
            counted = eligible.filter((pl.col("programme") == programme) & (pl.col("status") == ELIGIBLE))
            known = dict(counted.group_by(terms.area).len().iter_rows())
            caps = {code: int(known.get(code, 0)) for code in weights["regency_code"]}
        earlier = None
        if before is not None:
            earlier = dict(before.filter(pl.col("programme") == programme).select("regency_code", "seats").iter_rows())
        tables.append(seat_table(programme, policy.quotas.national_total[programme], weights, caps, earlier))
    return pl.concat(tables)
