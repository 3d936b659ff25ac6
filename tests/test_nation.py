"""A nation of 950,000 families in all 514 regencies through a whole quarter, and identity against its kept truth."""

from pathlib import Path

import polars as pl
import pytest

from assets.registry.resolve import TABLES
from benchmarks.identity import Measured, against_truth
from pipelines.demo import scale
from pipelines.home import Home
from schemas.quarter import Quarter
from tests.homes import FIRST, Said, perlinsos_process

FAMILIES = 950_000
REGENCIES = 514
MOST_WRONG_IN_100_000 = 1


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Path, Said]:
    """A home in which the nation's first quarter was run."""
    path = tmp_path_factory.mktemp("nation") / "home"
    assert perlinsos_process(path, "init", "--trial").code == 0
    (path / "overlay.yaml").write_text(scale(FAMILIES, "nation").text(), encoding="utf-8")
    world = ("world", "--scope", "nation", "--families", FAMILIES, "--quarters", FIRST)
    said = perlinsos_process(path, *world, "--out", path / "landing")
    assert said.code == 0, said.err
    ran = perlinsos_process(path, "run", FIRST, "--first", "--json")
    assert ran.code == 0, ran.err
    return Home(path), path / "landing-truth" / FIRST, ran


@pytest.fixture(scope="module")
def identity(nation: tuple[Home, Path, Said]) -> Measured:
    home, truth, _ = nation
    found = {key: home.house.lake.table(key, FIRST) for key in TABLES}
    tables = {key: table for key, table in found.items() if table is not None}
    return against_truth(home.house, tables, pl.read_parquet(truth / "persons" / "*.parquet"))


@pytest.mark.slow
def test_every_regency_of_the_nation_is_decided_within_its_places(nation: tuple[Home, Path, Said]) -> None:
    home, _, _ = nation
    lake, contracts = home.house.lake, home.house.contracts
    decisions, seats = (lake.table(f"decision/{name}", FIRST) for name in ("decisions", "seats"))
    assert decisions is not None
    assert seats is not None
    decided = decisions.scan(contracts["decision/decisions"])
    filled = decided.filter(pl.col("status") == "recipient").group_by("regency_code", "programme").len().collect()
    places = seats.read(contracts["decision/seats"])
    assert places["regency_code"].n_unique() == REGENCIES
    assert decided.select(pl.col("regency_code").n_unique()).collect().item() == REGENCIES
    both = places.join(filled, on=["regency_code", "programme"], how="left")
    assert both.filter(pl.col("len") > pl.col("seats")).is_empty()
    assert filled["len"].sum() > 0
    assert home.house.days(Quarter.parse(FIRST)).cut_off.year == 2026


@pytest.mark.slow
def test_at_most_one_person_in_100_000_is_taken_for_another(
    identity: Measured, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled(), pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True):
        print(f"\n{identity.persons:,} persons, {identity.wrongly_merged} wrongly merged")  # noqa: T201
        print(identity.duplicates.filter(pl.col("missed") + pl.col("clerk") > 0).head(40))  # noqa: T201
        print(identity.cases)  # noqa: T201
    assert identity.persons > FAMILIES
    assert identity.wrongly_merged * 100_000 <= MOST_WRONG_IN_100_000 * identity.persons


@pytest.mark.slow
def test_nine_in_ten_who_are_stated_again_are_found_or_shown_to_a_clerk(identity: Measured) -> None:
    counts = identity.duplicates.select(pl.col("stated", "missed").sum()).row(0)
    assert counts[0] > 1_000
    assert counts[1] * 10 < counts[0]
