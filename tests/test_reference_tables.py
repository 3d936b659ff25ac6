"""The reference tables that ship: counts and figures of the sources, and codes that lead somewhere."""

from pathlib import Path

import polars as pl
import pytest

from schemas.regions import reference, regencies

TABLES = ("regencies", "provinces", "districts", "villages")


def test_there_are_514_regencies_each_with_one_code_of_each_system() -> None:
    frame = regencies()
    assert frame.height == 514
    assert frame["code"].n_unique() == frame["code_bps"].n_unique() == 514
    assert frame["code"].str.contains(r"^\d{2}\.\d{2}$").all()
    assert frame["code_bps"].str.contains(r"^\d{4}$").all()
    assert frame["code"].is_sorted()


def test_the_poor_of_march_2025_add_up_to_23_854_910_and_banyuwangi_has_100_130() -> None:
    frame = regencies()
    assert frame["poor_count"].sum() == 23_854_910
    banyuwangi = frame.row(by_predicate=pl.col("code") == "35.10", named=True)
    assert banyuwangi["name"] == "Kabupaten Banyuwangi"
    assert banyuwangi["poor_count"] == 100_130


def test_199_codes_differ_and_169_bps_codes_are_another_regencys_kemendagri_code() -> None:
    frame = regencies().with_columns(digits=pl.col("code").str.replace(".", "", literal=True))
    differ = frame.filter(pl.col("digits") != pl.col("code_bps"))
    assert differ.height == 199
    assert differ.filter(pl.col("code_bps").is_in(frame["digits"].implode())).height == 169


def test_poverty_is_a_share_and_every_figure_is_there() -> None:
    frame = regencies()
    assert sum(frame.null_count().row(0)) == 0
    assert frame["poverty_share"].is_between(0.01, 0.6).all()
    assert frame["poverty_line_rupiah_per_capita_month"].is_between(300_000, 1_500_000).all()
    assert frame["population"].sum() > 280_000_000
    assert (frame["poor_count"] < frame["population"]).all()


def test_banyuwangi_has_25_districts_and_217_villages_of_which_28_are_kelurahan() -> None:
    districts, villages = reference("districts"), reference("villages")
    assert districts.filter(regency_code="35.10").height == 25
    assert villages.filter(pl.col("district_code").str.starts_with("35.10.")).height == 217
    kinds = dict(villages["kind"].value_counts().iter_rows())
    assert kinds == {"desa": 189, "kelurahan": 28}


def test_the_serial_of_a_village_begins_with_1_in_a_kelurahan_and_2_in_a_desa() -> None:
    first = reference("villages").select("kind", first=pl.col("code").str.slice(9, 1)).unique().sort("kind")
    assert first.rows() == [("desa", "2"), ("kelurahan", "1")]


def test_every_code_lies_in_a_region_of_the_level_above() -> None:
    codes = {name: set(reference(name)["code"]) for name in TABLES}
    assert set(regencies()["province_code"]) == codes["provinces"]
    assert len(codes["provinces"]) == 38
    assert set(reference("districts")["regency_code"]) <= codes["regencies"]
    assert set(reference("villages")["district_code"]) == codes["districts"]
    for name in ("districts", "villages"):
        frame = reference(name)
        above = frame.columns[2] if name == "villages" else "regency_code"
        assert frame.filter(~pl.col("code").str.starts_with(pl.col(above) + ".")).height == 0


@pytest.mark.parametrize("name", TABLES)
def test_each_row_has_a_unique_code_a_name_a_source_and_a_date(name: str) -> None:
    frame = reference(name)
    assert frame["code"].is_unique().all()
    for column in ("code", "name", "source", "reference_date"):
        assert (frame[column].str.strip_chars() == frame[column]).all()
        assert frame[column].str.len_chars().min() > 0  # type: ignore[operator]
    frame["reference_date"].str.to_date("%Y-%m-%d")


def test_the_regencies_that_ship_are_those_of_the_published_figures(test_data: Path) -> None:
    published = pl.read_csv(test_data / "poverty" / "regency_reference_2025.csv", infer_schema=False)
    shipped = reference("regencies")
    pairs = ("kode_kemendagri", "kode_bps_2025", "garis_kemiskinan_rp_2025", "penduduk_dukcapil_2025")
    ours = ("code", "code_bps", "poverty_line_rupiah_per_capita_month", "population")
    assert set(published.select(pairs).iter_rows()) == set(shipped.select(ours).iter_rows())
    poor = published.select(
        "kode_kemendagri", (pl.col("penduduk_miskin_ribu_2025").cast(pl.Decimal(12, 2)) * 1000).cast(pl.Int64)
    )
    assert dict(poor.iter_rows()) == dict(regencies().select("code", "poor_count").iter_rows())
