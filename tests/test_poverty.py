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
        poverty_line_rupiah_per_capita_month=pl.lit(500_000), poor_percent=pl.lit(10.0),
        poverty_gap_percent=pl.lit(1.5),
    )  # fmt: skip
    return CONTRACT.fit(rows)


def test_without_a_delivery_the_shipped_figures_of_march_2025_stand() -> None:
    figures = poverty_figures(CONTRACT.empty(), "2025-03")
    assert (figures.height, figures["poor_count"].sum()) == (514, 23_854_910)


def test_a_complete_delivery_stands_instead_of_the_shipped_figures() -> None:
    figures = poverty_figures(delivered(regencies()["code"].to_list()), "2025-03")
    assert (figures.height, set(figures["poor_count"])) == (514, {7})


def test_a_delivery_that_lacks_a_regency_is_refused_because_places_are_shares_of_the_whole() -> None:
    with pytest.raises(Refused, match=r"lack 1 of 514 regencies, 11\.01 among them"):
        poverty_figures(delivered(regencies()["code"].to_list()[1:]), "2025-03")


def test_totals_of_provinces_and_lines_without_counts_weigh_nothing() -> None:
    both = pl.concat([delivered(["11", "35"]), delivered(["35.10"], poor=None)])
    assert poverty_figures(both, "2025-03")["poor_count"].sum() == 23_854_910


def test_a_vintage_that_was_not_delivered_and_does_not_ship_is_refused_with_the_command() -> None:
    with pytest.raises(Refused, match="perlinsos load poverty_statistics"):
        poverty_figures(CONTRACT.empty(), "2026-03")


def test_declared_synthetic_areas_are_a_country_of_their_own() -> None:
    assert poverty_figures(delivered(["99.01.01.2001", "99.01.01.2002"]), "2025-03").height == 2


def test_the_gap_is_what_the_poor_together_lack_up_to_the_line_in_whole_rupiah() -> None:
    figures = poverty_figures(delivered(["99.01.01.2001"]), "2025-03")
    # 7 poor persons lack 15% of 500,000 each on average.
    assert figures["poverty_gap_rupiah_month"].to_list() == [525_000]
    shipped = poverty_figures(CONTRACT.empty(), "2025-03").filter(area_code="11.01")
    assert shipped["poverty_gap_rupiah_month"].to_list() == [25_390 * 538_174 * 155 // 989]


def test_the_gap_is_unknown_where_a_figure_of_it_is_missing() -> None:
    without = delivered(["99.01.01.2001"]).with_columns(poverty_gap_percent=pl.lit(None, pl.Float64))
    assert poverty_figures(without, "2025-03")["poverty_gap_rupiah_month"].to_list() == [None]


def test_areas_inside_regencies_stand_beside_the_shipped_regencies() -> None:
    figures = poverty_figures(delivered(["35.10.01", "35.10.02"]), "2025-03")
    assert figures.height == 516
    with pytest.raises(Refused, match="for the regencies"):
        poverty_figures(delivered(["35.10.01"], vintage="2026-03"), "2026-03")
