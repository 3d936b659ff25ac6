"""A year in which the law changes: a decile rule, a minimum wage, a presidential increase, and places that shrink.

Nothing is delivered after the second quarter, so that what moves families is the law alone, their age, and the lottery.
In the fourth quarter the places follow what the poor lack rather than how many they are: some regencies get fewer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from quotas.overlay import Overlay, read_overlay
from schemas.messages import say
from tests.homes import SECOND, Demo, approve_both, copied, perlinsos, revision

THIRD, FOURTH = "2026Q3", "2026Q4"
HERE = "35.10"
KEY = ["family_id", "programme"]

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Year:
    """A home after four published quarters, and what the law of each was changed to."""

    home: Path
    wage: int

    def read(self, quarter: str, table: str) -> pl.DataFrame:
        return pl.read_parquet(revision(self.home, quarter, restricted=True) / f"{table}.parquet")

    def moved(self, quarter: str) -> pl.DataFrame:
        """Transitions with what was decided before and now."""
        columns = [*KEY, "reasons", "decile", "rank", "queue_position"]
        now = self.read(quarter, "decisions").select(columns)
        before = self.read({FOURTH: THIRD, THIRD: SECOND}[quarter], "decisions").select(columns)
        moves = self.read(quarter, "transitions").filter(pl.col("from_status") != pl.col("to_status"))
        return moves.join(now, on=KEY, how="left").join(before, on=KEY, how="left", suffix="_before")

    def page(self, quarter: str) -> str:
        return (revision(self.home, quarter) / "site" / "index.html").read_text(encoding="utf-8")


def decided(home: Path, quarter: str, changes: Mapping[str, object]) -> None:
    """Run, approve and publish a quarter under the law as it stands, with changes by dotted path."""
    standing = read_overlay(home / "overlay.yaml")
    overlay = Overlay.of(standing.name, standing.reason, {**standing.changes, **changes})
    (home / "overlay.yaml").write_text(overlay.text(), encoding="utf-8")
    ran = perlinsos(home, "run", quarter, "--json")
    assert ran.code == 0, ran.err
    approve_both(home, ran.json["draft"])
    said = perlinsos(home, "publish", quarter)
    assert said.code == 0, said.err


@pytest.fixture(scope="module")
def year(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Year:
    home = copied(demo.home, tmp_path_factory.mktemp("year") / "home")
    filters = pl.read_parquet(revision(home, SECOND, restricted=True) / "filters.parquet")
    received = pl.read_parquet(revision(home, SECOND, restricted=True) / "decisions.parquet").filter(status="recipient")
    wages = filters.filter(filter="wage_above_minimum", regency_code=HERE, outcome="pass").join(
        received.select("family_id").unique(), on="family_id", how="semi"
    )
    wage = int(wages["observed"].drop_nulls().max()) - 1  # type: ignore[arg-type]
    decided(home, THIRD, {"programmes.BPNT.max_decile": 4, f"minimum_wages.regency.{HERE}": wage})
    totals = {
        key: round(value * 2.6)
        for key, value in read_overlay(home / "overlay.yaml").changes.items()
        if key.startswith("quotas.national_total") and isinstance(value, int)
    }
    decided(home, FOURTH, {**totals, "quotas.weight": "poverty_gap_rupiah_month"})
    return Year(home, wage)


def test_the_new_decile_rule_takes_off_whom_it_excludes_and_nobody_else(year: Year) -> None:
    left = year.moved(THIRD).filter(programme="BPNT", from_status="recipient", to_status="ineligible", cause="policy")
    by_decile = left.filter(pl.col("reasons").list.contains("decile_above"))
    assert by_decile.height > 0
    assert set(by_decile["decile"]) == {5}
    now = year.read(THIRD, "decisions").filter(programme="BPNT", decile=5)
    assert set(now["status"]) <= {"ineligible", "held"}
    others = left.filter(~pl.col("reasons").list.contains("decile_above"))
    assert set(others["reasons"].explode()) <= {"wage_above_minimum"}


def test_the_new_minimum_wage_takes_off_exactly_the_families_between_the_old_and_the_new(year: Year) -> None:
    def failing(quarter: str) -> set[str]:
        wages = year.read(quarter, "filters").filter(filter="wage_above_minimum", regency_code=HERE)
        return set(wages.filter(outcome="fail")["family_id"])

    newly = failing(THIRD) - failing(SECOND)
    wages = year.read(THIRD, "filters").filter(filter="wage_above_minimum").filter(pl.col("family_id").is_in(newly))
    assert newly
    assert wages["observed"].min() > year.wage  # type: ignore[operator]
    lost = year.moved(THIRD).filter(from_status="recipient", to_status="ineligible").filter(
        pl.col("family_id").is_in(newly)
    )  # fmt: skip
    assert lost.height > 0
    assert set(lost["cause"]) == {"policy"}


def changes_of(year: Year) -> pl.DataFrame:
    """Regencies of the home with what they have more or fewer places in the fourth quarter."""
    seats = pl.read_parquet(revision(year.home, FOURTH) / "seats.parquet")
    here = year.read(FOURTH, "decisions")["regency_code"].unique()
    return seats.filter(pl.col("regency_code").is_in(here.implode())).select("regency_code", "programme", "change")


def test_where_places_are_added_the_heads_of_the_queues_are_promoted(year: Year) -> None:
    grown = changes_of(year).filter(pl.col("change") > 0)
    promoted = year.moved(FOURTH).filter(cause="seats").join(grown, on=["regency_code", "programme"])
    assert promoted.height > 0
    assert set(promoted["to_status"]) == {"recipient"}
    waiting = year.read(FOURTH, "decisions").filter(status="waiting")
    for code, programme, more in grown.iter_rows():
        mine = promoted.filter(regency_code=code, programme=programme)["rank"]
        stay = waiting.filter(regency_code=code, programme=programme)["rank"]
        assert len(mine) <= more
        assert not len(mine) or not len(stay) or mine.max() < stay.min()  # type: ignore[operator]


def test_where_places_shrink_the_last_of_the_list_go_back_to_the_queue(year: Year) -> None:
    shrunk = changes_of(year).filter(pl.col("change") < 0)
    assert shrunk.height > 0
    for code, programme, fewer in shrunk.iter_rows():
        mine = year.moved(FOURTH).filter(regency_code=code, programme=programme, cause="seats")
        assert set(mine["to_status"]) == {"waiting"}
        assert 0 < mine.height <= -fewer
        stay = year.read(FOURTH, "decisions").filter(regency_code=code, programme=programme, status="recipient")
        assert mine["rank"].min() > stay["rank"].max()  # type: ignore[operator]


@pytest.mark.parametrize("quarter", [THIRD, FOURTH])
def test_the_page_tells_how_many_came_and_went_and_that_the_law_did_it(year: Year, quarter: str) -> None:
    page = year.page(quarter)
    assert "Siapa masuk, siapa keluar, dan mengapa" in page
    public = pl.read_parquet(revision(year.home, quarter) / "movements.parquet")
    causes = set(public["cause"].drop_nulls())
    assert quarter == THIRD or "seats" in causes
    assert all(say(f"cause.{cause}", "id") in page for cause in causes)
    assert "policy" in set(year.read(quarter, "movements")["cause"]) or quarter == FOURTH
    counted = year.read(quarter, "movements").filter(level="nation").group_by("programme", "move")
    told = public.filter(level="nation").group_by("programme", "move").agg(pl.col("families").sum())
    assert sorted(told.rows()) == sorted(counted.agg(pl.col("families").sum()).rows())


def test_a_displaced_family_is_told_that_the_places_became_fewer(year: Year) -> None:
    displaced = year.moved(FOURTH).filter(cause="seats", from_status="recipient").sort(KEY)
    one = displaced.row(0, named=True)
    rows = year.read(FOURTH, "decisions").filter(family_id=one["family_id"], programme=one["programme"])
    told = perlinsos(
        year.home, "explain", FOURTH, "--reference", rows["reference"].item(), "--audience", "family", "--lang", "en"
    )
    assert told.code == 0, told.err
    assert "The number of places changed." in told.out
    analyst = json.loads(
        perlinsos(year.home, "explain", FOURTH, "--reference", rows["reference"].item(), "--format", "json").out
    )
    assert "seats" in json.dumps(analyst)
