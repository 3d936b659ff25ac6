"""Poverty figures: the delivered ones of the vintage, the last issued, or those that ship, never a part of all."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from quotas.poverty import LINE, delivered_figures, poverty_figures
from schemas.errors import Refused
from schemas.regions import regencies
from schemas.tables import TABLES
from tests.homes import perlinsos

CONTRACT = TABLES["intake/poverty_statistics"]
NOTHING = CONTRACT.empty().with_columns(issued_on=pl.lit(None, pl.Date))


def delivered(
    codes: list[str], vintage: str = "2025-03", poor: int | None = 7, batch: str = "b", day: int = 2
) -> pl.DataFrame:
    """Accepted rows of a delivery, one per area, issued on a day of January."""
    rows = pl.DataFrame({"area_code": codes, "row_number": range(2, len(codes) + 2)}).with_columns(
        vintage=pl.lit(vintage), poor_count=pl.lit(poor, pl.Int64), batch_id=pl.lit(batch),
        poverty_line_rupiah_per_capita_month=pl.lit(500_000), poor_percent=pl.lit(10.0),
        poverty_gap_percent=pl.lit(1.5),
    )  # fmt: skip
    return CONTRACT.fit(rows).with_columns(issued_on=date(2026, 1, day))


def test_without_a_delivery_the_shipped_figures_of_march_2025_stand() -> None:
    figures = poverty_figures(NOTHING, "2025-03")
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
        poverty_figures(NOTHING, "2026-03")


def test_declared_synthetic_areas_are_a_country_of_their_own() -> None:
    assert poverty_figures(delivered(["99.01.01.2001", "99.01.01.2002"]), "2025-03").height == 2


def test_the_gap_is_what_the_poor_together_lack_up_to_the_line_in_whole_rupiah() -> None:
    figures = poverty_figures(delivered(["99.01.01.2001"]), "2025-03")
    # 7 poor persons lack 15% of 500,000 each on average.
    assert figures["poverty_gap_rupiah_month"].to_list() == [525_000]
    shipped = poverty_figures(NOTHING, "2025-03").filter(area_code="11.01")
    assert shipped["poverty_gap_rupiah_month"].to_list() == [25_390 * 538_174 * 155 // 989]


def test_the_gap_is_unknown_where_a_figure_of_it_is_missing() -> None:
    without = delivered(["99.01.01.2001"]).with_columns(poverty_gap_percent=pl.lit(None, pl.Float64))
    assert poverty_figures(without, "2025-03")["poverty_gap_rupiah_month"].to_list() == [None]


def test_areas_inside_regencies_stand_beside_the_shipped_regencies() -> None:
    figures = poverty_figures(delivered(["35.10.01", "35.10.02"]), "2025-03")
    assert figures.height == 516
    with pytest.raises(Refused, match="for the regencies"):
        poverty_figures(delivered(["35.10.01"], vintage="2026-03"), "2026-03")


@pytest.mark.parametrize("batches", [("a", "b"), ("b", "a")])
def test_of_two_deliveries_of_a_vintage_the_one_issued_later_stands_figure_by_figure(batches: tuple[str, str]) -> None:
    first = delivered(["99.01", "99.02"], poor=7, batch=batches[0], day=2)
    later = delivered(["99.01"], poor=8, batch=batches[1], day=5).with_columns(
        poverty_line_rupiah_per_capita_month=pl.lit(None, pl.Int64)
    )
    figures = delivered_figures(pl.concat([later, first]), "2025-03")
    assert figures.select("area_code", "poor_count", LINE).rows() == [("99.01", 8, 500_000), ("99.02", 7, 500_000)]


def test_two_figures_of_one_day_that_differ_are_refused_and_equal_ones_stand() -> None:
    first, second = delivered(["99.01"], batch="a"), delivered(["99.01"], poor=8, batch="b")
    with pytest.raises(Refused, match=r"figures poor_count of 99\.01 that differ .* one day \(batches a, b\)"):
        delivered_figures(pl.concat([first, second]), "2025-03")
    corrected = pl.concat([first, second, delivered(["99.01"], poor=9, batch="c", day=3)])
    assert delivered_figures(corrected, "2025-03")["poor_count"].to_list() == [9]
    assert delivered_figures(pl.concat([first, first.with_columns(batch_id=pl.lit("b"))]), "2025-03").height == 1


@pytest.mark.parametrize("issued", [{"a": 2, "b": 5}, {"a": 5, "b": 2}])
def test_places_follow_the_poor_counts_issued_later_whatever_the_batches_are_called(
    tmp_path: Path, issued: dict[str, int]
) -> None:
    """Banyuwangi has half of the country's poor in one delivery and a 514th in the other."""
    home = tmp_path / "home"
    assert perlinsos(home, "init", "--trial").code == 0
    for name, poor in (("a", 513_000), ("b", 1_000)):
        lines = [f"{code},2025-03,{poor if code == '35.10' else 1_000}" for code in regencies()["code"]]
        (tmp_path / f"{name}.csv").write_text("\n".join(["area_code,vintage,poor_count", *lines]))
        (tmp_path / f"{name}.csv.yaml").write_text(f"issued_on: 2026-01-0{issued[name]}\nsender: bps\n")
        assert perlinsos(home, "load", "poverty_statistics", tmp_path / f"{name}.csv", "--quarter", "2026Q1").code == 0
    rows = perlinsos(home, "quotas", "show", "2026Q1", "--province", "35", "--json").json
    (pkh,) = [row for row in rows if (row["regency_code"], row["programme"]) == ("35.10", "PKH")]
    assert pkh["seats"] == (5_000_000 if issued["a"] > issued["b"] else 19_455)
