"""Poverty figures: the delivered ones of the vintage or those that ship, never a part of the country."""

import polars as pl
import pytest

from quotas.poverty import poverty_figures
from schemas.errors import Refused
from schemas.regions import regencies
from schemas.tables import TABLES

CONTRACT = TABLES["intake/poverty_statistics"]


def delivered(codes: list[str], vintage: str = "2025-03", poor: int | None = 7) -> pl.DataFrame:
    """Accepted rows of a delivery, one per area."""
    rows = pl.DataFrame({"area_code": codes, "row_number": range(2, len(codes) + 2)}).with_columns(
        vintage=pl.lit(vintage), poor_count=pl.lit(poor, pl.Int64), batch_id=pl.lit("b"),
        poverty_line_rupiah_per_capita_month=pl.lit(500_000),
    )  # fmt: skip
    return CONTRACT.fit(rows)


def test_without_a_delivery_the_shipped_figures_of_march_2025_stand() -> None:
    figures = poverty_figures(CONTRACT.empty(), "2025-03")
    assert (figures.height, figures["weight"].sum()) == (514, 23_854_910)


def test_a_complete_delivery_stands_instead_of_the_shipped_figures() -> None:
    figures = poverty_figures(delivered(regencies()["code"].to_list()), "2025-03")
    assert (figures.height, set(figures["weight"])) == (514, {7})


def test_a_delivery_that_lacks_a_regency_is_refused_because_places_are_shares_of_the_whole() -> None:
    with pytest.raises(Refused, match=r"lack 1 of 514 regencies, 11\.01 among them"):
        poverty_figures(delivered(regencies()["code"].to_list()[1:]), "2025-03")


def test_totals_of_provinces_and_lines_without_counts_weigh_nothing() -> None:
    both = pl.concat([delivered(["11", "35"]), delivered(["35.10"], poor=None)])
    assert poverty_figures(both, "2025-03")["weight"].sum() == 23_854_910


def test_a_vintage_that_was_not_delivered_and_does_not_ship_is_refused_with_the_command() -> None:
    with pytest.raises(Refused, match="perlinsos load poverty_statistics"):
        poverty_figures(CONTRACT.empty(), "2026-03")


def test_declared_synthetic_areas_are_a_country_of_their_own() -> None:
    assert poverty_figures(delivered(["99.01.01.2001", "99.01.01.2002"]), "2025-03").height == 2
