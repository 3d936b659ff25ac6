"""The demonstration: two published quarters whose counts reconcile, each status explained, the same bytes again."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from assets.decision.draft import read_draft
from assets.decision.ranking import RESERVED
from pipelines.home import Home
from schemas.vocabularies import Status
from tests.homes import (
    FAMILIES,
    FIRST,
    LISTS,
    SECOND,
    Demo,
    contents,
    decisions,
    perlinsos,
    perlinsos_process,
    pointer,
    revision,
)

QUARTERS = (FIRST, SECOND)
BY_STATUS = ("recipients", "waiting", "ineligible", "not_scorable", "held")
KEYS = ["family_id", "programme"]


def restricted(home: Path, quarter: str, name: str) -> pl.DataFrame:
    return pl.read_parquet(revision(home, quarter, restricted=True) / f"{name}.parquet")


def public(home: Path, quarter: str, name: str) -> pl.DataFrame:
    return pl.read_parquet(revision(home, quarter) / f"{name}.parquet")


def pairs(frame: pl.DataFrame, *columns: str) -> set[tuple[str, ...]]:
    return set(frame.select(*columns).iter_rows())


def recipients(home: Path, quarter: str) -> set[tuple[str, ...]]:
    return pairs(decisions(home, quarter).filter(pl.col("status") == Status.RECIPIENT), *KEYS)


def test_the_demo_publishes_two_quarters_and_says_where_the_lists_are(demo: Demo) -> None:
    assert list(pointer(demo.home)) == list(QUARTERS)
    for quarter in QUARTERS:
        assert str(revision(demo.home, quarter) / "site" / "index.html") in demo.said.out
        names = {path.name for path in revision(demo.home, quarter).iterdir()}
        lists = {f"{name}.{form}" for name in LISTS for form in ("csv", "parquet")}
        assert names == lists | {"published.duckdb", "manifest.json", "datapackage.json", "site"}
    assert demo.said.err == ""


def test_the_demo_says_that_its_keys_and_its_scale_are_no_real_ones(demo: Demo) -> None:
    assert "published pseudonym key: nothing here is secret" in demo.said.out
    assert "throw-away keys of this demo" in demo.said.out
    for quarter in QUARTERS:
        assert json.loads((revision(demo.home, quarter) / "manifest.json").read_text())["scaled"] is True
        assert "demo scale" in (revision(demo.home, quarter) / "site" / "index.html").read_text()


def test_the_demo_explains_one_family_of_each_status_there_is(demo: Demo) -> None:
    there = set(decisions(demo.home, SECOND)["status"])
    assert {Status.RECIPIENT, Status.WAITING, Status.INELIGIBLE, Status.NOT_SCORABLE} <= there
    for status in Status:
        assert (f"a family that is {status} in " in demo.said.out) == (status in there)


def test_the_national_totals_are_scaled_as_the_families_are_to_the_people(demo: Demo) -> None:
    seats = public(demo.home, FIRST, "seats")
    # Real totals: 10,000,000 and 18,277,083.
    totals = dict(seats.group_by("programme").agg(pl.col("seats").sum()).iter_rows())
    assert totals["BPNT"] / totals["PKH"] == pytest.approx(1.8277, rel=1e-3)
    here = seats.filter(pl.col("regency_code").is_in(["35.09", "35.10", "35.11", "35.12"]))
    # 2,130 PKH places for 20,000 families.
    assert dict(here.group_by("programme").agg(pl.col("seats").sum()).iter_rows())["PKH"] == pytest.approx(
        2_130 * FAMILIES / 20_000, rel=0.02
    )


@pytest.mark.parametrize("quarter", QUARTERS)
def test_what_was_read_is_accepted_rejected_or_parked(demo: Demo, quarter: str) -> None:
    feeds = perlinsos(demo.home, "status", quarter, "--json").json[quarter]["feeds"]
    assert feeds.keys() >= {"registrations", "members", "surveys", "evidence", "validations"}
    for feed in feeds.values():
        assert feed["read"] == feed["accepted"] + feed["rejected"] + feed["parked"]
        assert feed["accepted"] > 0
    assert sum(feed["rejected"] for feed in feeds.values()) > 0 or quarter == SECOND
    assert sum(feed["parked"] for feed in feeds.values()) > 0


@pytest.mark.parametrize("quarter", QUARTERS)
def test_every_registered_family_has_one_status_in_each_programme_and_the_lists_hold_just_those(
    demo: Demo, quarter: str
) -> None:
    decided = decisions(demo.home, quarter)
    families = {family for (family,) in pairs(decided, "family_id")}
    assert pairs(decided, *KEYS) == {(family, programme) for family in families for programme in ("PKH", "BPNT")}
    assert decided.height == 2 * len(families)
    registry = json.loads((revision(demo.home, quarter, restricted=True) / "draft.json").read_text())
    shards = registry["tables"]["registry/families"]["shards"].values()
    assert sum(shard["rows"] for shard in shards) == len(families)
    for name, status in (("recipients", Status.RECIPIENT), ("waiting_list", Status.WAITING)):
        listed = public(demo.home, quarter, name)
        expected = decided.filter(pl.col("status") == status)
        assert listed.height == expected.height > 0
        assert pairs(listed, "reference", "programme") == pairs(expected, "list_reference", "programme")
    assert recipients(demo.home, quarter) == pairs(restricted(demo.home, quarter, "payments"), *KEYS)


@pytest.mark.parametrize("quarter", QUARTERS)
def test_the_published_counts_add_up_where_they_are_shown(demo: Demo, quarter: str) -> None:
    summary = public(demo.home, quarter, "region_summary")
    decided = decisions(demo.home, quarter)
    shown = summary.drop_nulls()
    assert shown.height > 0
    assert (shown["evaluated"] == shown.select(pl.sum_horizontal(BY_STATUS)).to_series()).all()
    assert (shown["eligible"] == shown["recipients"] + shown["waiting"]).all()
    for level, column in (("regency", "regency_code"), ("district", "district_code"), ("village", "village_code")):
        told = summary.filter(pl.col("level") == level)
        counted = decided.filter(pl.col("status") == Status.RECIPIENT).group_by(column, "programme").len()
        joined = told.join(counted, left_on=["region_code", "programme"], right_on=[column, "programme"], how="left")
        assert (joined["recipients"] == joined["len"].fill_null(0)).all()
        assert told.height == decided.select(column, "programme").n_unique()


@pytest.mark.parametrize("quarter", QUARTERS)
def test_recipients_fill_the_places_of_their_regency_poorest_first_but_for_reserved_ones(
    demo: Demo, quarter: str
) -> None:
    seats = public(demo.home, quarter, "seats").select("regency_code", "programme", places="seats")
    listed = decisions(demo.home, quarter).filter(pl.col("rank").is_not_null())
    for (regency, programme), ranked in listed.sort("rank").group_by("regency_code", "programme"):
        places = seats.filter(regency_code=regency, programme=programme)["places"].item()
        assert ranked["rank"].to_list() == list(range(1, ranked.height + 1))
        assert ranked["score_micro"].drop_nulls().is_sorted()
        kept = ranked.filter("is_kept", status="recipient").height
        first = min(places, ranked.height)
        assert ranked.filter(status="recipient").height == first
        others = ranked.filter(~pl.col("is_kept"))
        is_reserved = pl.col("placed_by").str.starts_with(RESERVED).fill_null(value=False)
        by_order = others.filter(~is_reserved)["status"].to_list()
        assert by_order == sorted(by_order)  # recipient, then waiting
        # Exactly those wait because of reserved places who would be inside by the order.
        without = others.head(first - kept).filter(status="waiting")["family_id"].to_list()
        assert others.filter(pl.col("displaced_by").is_not_null())["family_id"].to_list() == without
        positions = ranked.filter(pl.col("status") == Status.WAITING)["queue_position"]
        assert positions.to_list() == list(range(1, ranked.height - first + 1))


def test_the_second_quarter_builds_on_the_first(demo: Demo) -> None:
    first, second = (json.loads((revision(demo.home, quarter) / "manifest.json").read_text()) for quarter in QUARTERS)
    assert first["builds_on"] is None
    assert second["builds_on"] == first["draft"]
    moved = restricted(demo.home, SECOND, "transitions")
    before = moved.filter(pl.col("from_status") != "new")
    assert pairs(before, *KEYS, "from_status") == pairs(decisions(demo.home, FIRST), *KEYS, "status")
    after = moved.filter(pl.col("to_status") != "gone")
    assert pairs(after, *KEYS, "to_status") == pairs(decisions(demo.home, SECOND), *KEYS, "status")
    changed = moved.filter(pl.col("from_status") != pl.col("to_status"), pl.col("from_status") != "new")
    assert changed.height > 0
    assert changed["cause"].is_not_null().all()


def test_recipients_now_are_those_of_before_without_who_left_and_with_who_came(demo: Demo) -> None:
    moved = restricted(demo.home, SECOND, "transitions")
    was, is_now = pl.col("from_status") == Status.RECIPIENT, pl.col("to_status") == Status.RECIPIENT
    left, came = pairs(moved.filter(was & ~is_now), *KEYS), pairs(moved.filter(~was & is_now), *KEYS)
    assert left
    assert came
    assert recipients(demo.home, SECOND) == (recipients(demo.home, FIRST) - left) | came


def test_places_opened_counts_the_recipients_who_left(demo: Demo) -> None:
    waiting = public(demo.home, SECOND, "waiting_list")
    moved = restricted(demo.home, SECOND, "transitions")
    was, is_now = pl.col("from_status") == Status.RECIPIENT, pl.col("to_status") == Status.RECIPIENT
    # Who receives in another regency now has left his place here.
    stays = is_now & (pl.col("regency_code") == pl.col("from_regency_code"))
    here = pl.col("from_regency_code").alias("regency_code")
    left = moved.filter(was & ~stays).group_by(here, "programme").len()
    joined = waiting.join(left, on=["regency_code", "programme"], how="left")
    assert (joined["places_opened"] == joined["len"].fill_null(0)).all()
    assert joined["places_opened"].max() > 0  # type: ignore[operator]


def test_the_first_quarter_removes_ineligible_current_recipients(demo: Demo) -> None:
    moved = restricted(demo.home, FIRST, "transitions")
    assert set(moved["from_status"]) == {"recipient", "new"}
    removed = moved.filter(pl.col("from_status") == Status.RECIPIENT, pl.col("to_status") == Status.INELIGIBLE)
    assert removed.height > 0


@pytest.mark.parametrize("quarter", QUARTERS)
def test_nobody_is_held_or_without_a_score_and_not_on_the_worklist(demo: Demo, quarter: str) -> None:
    waiting = decisions(demo.home, quarter).filter(pl.col("status").is_in(["held", "not_scorable"]))
    listed = restricted(demo.home, quarter, "worklist").explode("programmes")
    assert waiting.height > 0
    assert pairs(waiting, *KEYS) <= pairs(listed, "family_id", "programmes")


def test_whoever_was_held_a_quarter_ago_is_held_for_what_must_be_settled_alone(demo: Demo) -> None:
    rows = decisions(demo.home, SECOND).filter(status="held", held_since=FIRST)
    lasting = {"identity_case", "no_consent_unknown", "identity_unconfirmed_unknown"}
    assert rows.height > 0
    assert all(lasting & {*reasons} for reasons in rows["reasons"])
    listed = restricted(demo.home, SECOND, "worklist").filter(pl.col("since") == FIRST, pl.col("priority") == 1)
    assert set(listed["goes_to"]) == {"supervisor"}


@pytest.mark.parametrize("quarter", QUARTERS)
def test_the_open_checks_count_every_family_and_everybody_held(demo: Demo, quarter: str) -> None:
    counts = restricted(demo.home, quarter, "open_checks")
    rows = decisions(demo.home, quarter)
    assert counts["evaluated"].sum() == rows["family_id"].n_unique()
    assert counts["held"].sum() == rows.filter(status="held")["family_id"].n_unique()
    waits = counts.select(pl.sum_horizontal("held_one_quarter", "held_two_quarters", "held_longer")).to_series()
    assert waits.equals(counts["held"], check_names=False)
    shown = public(demo.home, quarter, "open_checks")
    assert not shown.select(pl.selectors.integer()).unpivot()["value"].is_between(1, 4).any()


def test_no_man_is_pregnant_and_no_bare_statement_of_a_newcomer_is_paid(demo: Demo) -> None:
    paid_in_all = 0
    for quarter in QUARTERS:
        made, house = read_draft(revision(demo.home, quarter, restricted=True)), Home(demo.home).house
        men = made.read(house, "registry/persons").filter(sex="male").select("person_id")
        members = made.read(house, "registry/members")
        assert members.join(men, on="person_id", how="semi").filter("is_pregnant").height == 0
        came = restricted(demo.home, quarter, "transitions").filter(pl.col("from_status") != "recipient")
        paid = restricted(demo.home, quarter, "payments").filter(programme="PKH").join(came, on=KEYS, how="semi")
        is_known = pl.col("seen_by").is_not_null() | (pl.col("is_pregnant_recorded") == 1)
        expecting = members.filter(pl.col("is_pregnant") & is_known)
        paid_for = paid.filter(pl.col("components").list.contains("pregnant"))
        assert pairs(paid_for, "family_id") <= pairs(expecting, "family_id")
        paid_in_all += paid_for.height
    assert paid_in_all > 0


def test_the_demo_refuses_a_home_with_something_else_in_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("years of work")
    said = perlinsos(home, "demo", "--families", "400")
    assert said.code == 4
    assert "holds something that is no demo" in said.err
    assert contents(home) == {"thesis.txt": b"years of work"}


def test_the_demo_refuses_a_home_made_by_init(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert perlinsos(home, "init", "--trial").code == 0
    key = (home / "keys" / "pseudonym.key").read_bytes()
    assert perlinsos(home, "demo", "--families", "400").code == 4
    assert (home / "keys" / "pseudonym.key").read_bytes() == key


def test_the_demo_refuses_a_home_that_is_a_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("no folder")
    said = perlinsos(home, "demo", "--families", "400")
    assert said.code == 4
    assert home.read_text() == "no folder"


def test_too_few_families_are_refused_before_an_earlier_demo_is_removed(demo_copy: Path) -> None:
    said = perlinsos(demo_copy, "demo", "--families", "3")
    assert said.code == 2
    assert "Take at least" in said.err
    assert list(pointer(demo_copy)) == list(QUARTERS)


def test_a_new_demo_touches_nothing_beside_its_home(tmp_path: Path) -> None:
    home, beside = tmp_path / "home", tmp_path / "home-truth"
    home.mkdir()
    (home / ".demo").touch()
    beside.mkdir()
    (beside / "mine.txt").write_text("not the demo's")
    # The demo ends early: what it clears away comes first.
    (home / "overlay.yaml").mkdir()
    perlinsos(home, "demo", "--families", "399")
    assert (beside / "mine.txt").exists()


@pytest.mark.slow
def test_two_demos_in_two_homes_and_one_again_in_the_same_home_give_the_same_bytes(demo: Demo, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    families = ["--families", str(FAMILIES)]
    expected = {quarter: contents(revision(demo.home, quarter)) for quarter in QUARTERS}
    for _ in range(2):
        said = perlinsos_process(other, "demo", *families)
        assert said.code == 0, said.err
        for quarter in QUARTERS:
            made = contents(revision(other, quarter))
            assert made.keys() == expected[quarter].keys()
            different = [name for name, content in made.items() if content != expected[quarter][name]]
            # A database file of DuckDB is no list: its bytes are not promised, its rows are.
            assert [name for name in different if name != "published.duckdb"] == []
        assert pointer(other) == pointer(demo.home)
    shutil.rmtree(other)


def test_the_visits_of_a_regency_are_a_workbook_in_which_fewer_targeted_leave_the_sample_whole(
    demo: Demo, tmp_path: Path
) -> None:
    visits = restricted(demo.home, SECOND, "visits").filter(regency_code="35.10")
    only_targeted = visits.filter(~pl.col("is_sampled")).height
    assert only_targeted > 0
    whole = perlinsos(
        demo.home, "visits", SECOND, "--region", "35.10", "--out", tmp_path / "visits.xlsx", "--json"
    ).json
    assert whole["visits"] == visits.height
    assert whole["worklist"] == restricted(demo.home, SECOND, "worklist").filter(regency_code="35.10").height
    sheets = pl.read_excel(tmp_path / "visits.xlsx", sheet_id=0, engine="openpyxl")
    families = read_draft(revision(demo.home, SECOND, restricted=True)).read(Home(demo.home).house, "registry/families")
    whose = families.select("family_id", "family_card_number", "head_name")
    for name in ("visits", "worklist"):
        asked = sheets[name].select("family_id", "family_card_number", "head_name")
        assert asked.join(whose, on=asked.columns, how="anti").is_empty()
    waiting = sheets["worklist"].filter(pl.col("reason") == "pending_statement")["family_card_number"]
    assert waiting.len() > 0
    assert set(waiting) <= set(sheets["statements"]["family_card_number"])
    assert sheets["statements"]["statement_id"].is_unique().all()
    fewer = ("visits", SECOND, "--region", "35.10", "--most", "0", "--out", tmp_path / "fewer.xlsx", "--json")
    assert perlinsos(demo.home, *fewer).json["visits"] == visits["is_sampled"].sum()


def test_the_sample_of_visits_makes_up_every_family_of_a_regency(demo: Demo) -> None:
    sampled = restricted(demo.home, SECOND, "visits").filter("is_sampled")
    strata = sampled.group_by("regency_code", "stratum").agg(
        pl.col("stratum_families").first(), pl.col("stratum_sampled").first(), drawn=pl.len()
    )
    assert (strata["drawn"] == strata["stratum_sampled"]).all()
    families = (
        decisions(demo.home, SECOND).group_by("regency_code").agg(n=pl.col("family_id").n_unique().cast(pl.Int64))
    )
    summed = strata.group_by("regency_code").agg(n=pl.col("stratum_families").sum())
    assert summed.sort("regency_code").equals(families.sort("regency_code"))


def test_deciles_are_compared_and_drift_is_told_of_every_draft_but_the_first(demo: Demo) -> None:
    compared = restricted(demo.home, SECOND, "deciles_compared")
    families = decisions(demo.home, SECOND)["family_id"].n_unique()
    assert dict(compared.group_by("frame").agg(pl.col("families").sum()).iter_rows()) == dict.fromkeys(
        ("national", "province", "regency"), families
    )
    told = perlinsos(demo.home, "status", SECOND, "--json").json[SECOND]["drafts"][0]
    assert {one["frame"] for one in told["deciles"]} == {"national", "province", "regency"}
    assert all(families >= one["families"] >= one["within_one"] > one["same"] > 0 for one in told["deciles"])
    assert restricted(demo.home, FIRST, "drift").is_empty()
    drift = restricted(demo.home, SECOND, "drift")
    assert "score_micro" in drift["feature"].to_list()
    assert (drift["families"] == families).all()
    assert told["drift"] == drift.filter("is_alarm").to_dicts()
