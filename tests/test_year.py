"""A year in which the law changes every quarter: who moves is who the change concerns, and the page tells it."""

import json
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import polars as pl
import pytest

from assets.publication.pages import PUBLIC
from reports.summary import summary_page
from schemas.messages import LANGUAGES, Lang, say
from schemas.regions import regency_name
from tests.homes import decisions, perlinsos, revision
from tests.made_year import FIRST, PKH_BEFORE, PKH_NOW, PLACES, RULES, WAGE_BEFORE, WAGE_NOW, WAGES, YEAR

pytestmark = pytest.mark.slow

OWN_FACTS = ["own_data", "bps_correction", "evidence"]
LISTED = pl.col("to_status").is_in(["recipient", "waiting"])
WAS_LISTED = pl.col("from_status").is_in(["recipient", "waiting"])


@dataclass(frozen=True)
class Year:
    """A home after four quarters under one law each."""

    home: Path

    def restricted(self, quarter: str, table: str) -> pl.DataFrame:
        """A restricted table of a quarter."""
        return pl.read_parquet(revision(self.home, quarter, restricted=True) / f"{table}.parquet")

    def public(self, quarter: str, table: str) -> pl.DataFrame:
        """A public table of a quarter."""
        return pl.read_parquet(revision(self.home, quarter) / f"{table}.parquet")

    def moved(self, quarter: str, programme: str) -> pl.DataFrame:
        """Moves of a programme's families beside what was decided now."""
        decided = decisions(self.home, quarter).filter(programme=programme).drop("programme", "regency_code")
        return self.restricted(quarter, "transitions").filter(programme=programme).join(
            decided, on="family_id", how="left"
        )  # fmt: skip

    def places(self, quarter: str, programme: str) -> pl.DataFrame:
        """Places of the regencies with families, as `regency_code, seats_before`."""
        mine = self.public(quarter, "seats").filter(pl.col("regency_code").is_in([*WAGE_BEFORE]), programme=programme)
        return mine.select("regency_code", "seats_before", "change")

    def page(self, quarter: str, lang: Lang) -> str:
        """The summary page; in Indonesian it is the one published."""
        folder = revision(self.home, quarter)
        manifest = json.loads((folder / "manifest.json").read_text())
        html = summary_page({name: self.public(quarter, name) for name in PUBLIC}, manifest, lang)
        if lang == "id":
            assert html == (folder / "site" / "index.html").read_text(encoding="utf-8")
        return html

    def explained(self, quarter: str, reference: str, lang: Lang) -> str:
        """The explanation of a family, lines joined: in Indonesian for its own eyes, in English for an analyst."""
        audience = "family" if lang == "id" else "analyst"
        said = perlinsos(
            self.home, "explain", quarter, "--reference", reference, "--lang", lang, "--audience", audience
        )
        assert said.code == 0, said.err
        return " ".join(said.out.split())


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def rules_told(html: str) -> list[tuple[str, ...]]:
    """Part or rule, value before, value now and source of every changed rule a page lists."""
    rows = re.findall(r'<tr><th scope="row"><code>(.*?)<br>.*?</th>(.*?)</tr>', html)
    return [(words_of(name), *map(words_of, re.findall(r"<td.*?</td>", cells))) for name, cells in rows]


@pytest.fixture(scope="module")
def year(year_home: Path) -> Year:
    """Four quarters run, approved and published through the command line, the law changed before each."""
    return Year(year_home)


def families(frame: pl.DataFrame) -> set[str]:
    return set(frame["family_id"])


@pytest.mark.parametrize("quarter", YEAR)
def test_moves_add_up_to_the_change_in_recipients(year: Year, quarter: str) -> None:
    moved = year.restricted(quarter, "movements").filter(level="nation")
    for programme in ("PKH", "BPNT"):
        now = decisions(year.home, quarter).filter(programme=programme, status="recipient").height
        came, went = (
            moved.filter(pl.col("move").is_in(ways), programme=programme)["families"].to_list()
            for ways in (["enters", "promoted"], ["leaves", "displaced"])
        )
        received = year.restricted(quarter, "transitions").filter(programme=programme, from_status="recipient").height
        assert now - received == sum(came) - sum(went)
    before = YEAR[YEAR.index(quarter) - 1]
    if quarter != FIRST:
        earlier = decisions(year.home, before).filter(status="recipient").height
        assert earlier == year.restricted(quarter, "transitions").filter(from_status="recipient").height


@pytest.mark.parametrize("quarter", YEAR)
def test_nobody_who_receives_ends_for_missing_data_or_for_not_having_been_there(year: Year, quarter: str) -> None:
    ended = year.restricted(quarter, "transitions").filter(
        pl.col("to_status").is_in(["gone", "not_scorable", "held"]), from_status="recipient"
    )
    periods = pl.read_parquet(year.home / f"lake/registry/family_periods/{quarter}/**/*.parquet")
    over = periods.filter(pl.col("valid_to").is_not_null())
    assert ended.join(over, on="family_id", how="anti").is_empty()


@pytest.mark.parametrize("quarter", YEAR)
def test_nobody_is_held_without_a_row_on_the_worklist(year: Year, quarter: str) -> None:
    held = decisions(year.home, quarter).filter(status="held")
    assert held.height > 0
    assert held.join(year.restricted(quarter, "worklist"), on="family_id", how="anti").is_empty()


@pytest.mark.parametrize("quarter", YEAR)
def test_answers_expire_over_quarters_and_not_in_one(year: Year, quarter: str) -> None:
    forecast = pl.read_parquet(year.home / f"lake/registry/expiries/{quarter}/**/*.parquet")
    counts = forecast.group_by("quarter").agg(pl.col("families").sum())["families"].to_list()
    assert len(counts) >= 3
    assert max(counts) <= sum(counts) * 7 // 10


def test_the_decile_rule_takes_off_those_who_were_above_it_already_and_no_one_below(year: Year) -> None:
    moved = year.moved(RULES, "BPNT").filter(WAS_LISTED, pl.col("to_status") == "ineligible")
    only_by_decile = pl.col("reasons") == pl.lit(["decile_above"])
    then = decisions(year.home, FIRST).filter(programme="BPNT").select("family_id", decile_then="decile")
    above = moved.filter(only_by_decile, pl.col("decile") == 5).join(then, on="family_id")
    were = above.filter(pl.col("decile_then") == 5)
    assert were.height
    assert families(were) <= families(moved.filter(cause="policy")) <= families(above)
    # Whoever was poorer then may have come above it by its own facts, and may have been elsewhere with them.
    became = above.filter(pl.col("decile_then") < 5)["cause"]
    assert became.is_in(OWN_FACTS).any()
    assert became.is_in([*OWN_FACTS, "policy"]).all()
    assert year.moved(RULES, "PKH").filter(cause="policy", is_decisive=True).is_empty()


def test_the_new_wage_brings_back_and_takes_off_exactly_families_between_the_old_and_the_new(year: Year) -> None:
    wages = year.restricted(WAGES, "filters").filter(pl.col("filter") == "wage_above_minimum")
    old, new = (pl.col("regency_code").replace_strict(of, return_dtype=pl.Int64) for of in (WAGE_BEFORE, WAGE_NOW))
    freed = families(wages.filter(pl.col("observed") > old, pl.col("observed") <= new))
    caught = families(wages.filter(pl.col("observed") > new, pl.col("observed") <= old))
    brought_back, taken_off = set(), set()
    for programme in ("PKH", "BPNT"):
        moved = year.moved(WAGES, programme)
        back = moved.filter(LISTED, from_status="ineligible")
        off = moved.filter(WAS_LISTED, pl.col("reasons") == pl.lit(["wage_above_minimum"]), to_status="ineligible")
        assert families(back.filter(cause="policy")) == families(back) & freed
        assert families(moved.filter(WAS_LISTED, cause="policy", to_status="ineligible")) == families(off) & caught
        brought_back |= families(back) & freed
        taken_off |= families(off) & caught
    assert brought_back
    assert taken_off


def in_turn(moved: pl.DataFrame) -> pl.DataFrame:
    """The ranked with their `turn` for places of a regency: kept families, those of floors, then the others."""
    is_by_floor = pl.col("placed_by").str.starts_with("reserved_").fill_null(value=False)
    listed = moved.filter(pl.col("rank").is_not_null()).sort(
        "regency_code", "is_kept", is_by_floor, "rank", descending=[False, True, True, False]
    )
    return listed.with_columns(turn=pl.int_range(1, pl.len() + 1).over("regency_code"))


def test_the_presidential_increase_promotes_from_the_head_of_each_queue(year: Year) -> None:
    moved = year.moved(RULES, "PKH").join(year.places(RULES, "PKH"), on="regency_code")
    added = in_turn(moved).filter(pl.col("turn") > pl.col("seats_before"), pl.col("turn") <= pl.col("seats"))
    promoted = moved.filter(cause="seats", to_status="recipient", is_decisive=True)
    assert promoted["regency_code"].n_unique() > 1
    in_added = added.filter(pl.col("from_status") != "recipient")
    assert families(promoted) == families(in_added.filter(~pl.col("cause").is_in([*OWN_FACTS, "registrations"])))
    waiting = moved.filter(to_status="waiting")
    ends = promoted.group_by("regency_code").agg(last=pl.col("score_micro").max())
    heads = waiting.group_by("regency_code").agg(head=pl.col("score_micro").min())
    assert ends.join(heads, on="regency_code").filter(pl.col("last") > pl.col("head")).is_empty()


def test_where_places_shrink_the_last_of_the_list_are_displaced(year: Year) -> None:
    places = year.places(PLACES, "BPNT")
    assert places.filter(pl.col("change") < 0).height
    moved = year.moved(PLACES, "BPNT").join(places, on="regency_code")
    lost = in_turn(moved).filter(pl.col("turn") > pl.col("seats"), pl.col("turn") <= pl.col("seats_before"))
    displaced = moved.filter(cause="seats", to_status="waiting", from_status="recipient", is_decisive=True)
    assert displaced.height
    assert families(displaced) == families(lost.filter(~pl.col("cause").is_in(OWN_FACTS), from_status="recipient"))
    assert set(displaced["regency_code"]) <= set(places.filter(pl.col("change") < 0)["regency_code"])


def test_no_regency_falls_below_the_share_of_its_places_that_is_kept(year: Year) -> None:
    seats = year.public(PLACES, "seats").filter(pl.col("seats_before").is_not_null())
    kept = -(-seats["seats_before"] * 97 // 100)
    assert (seats["seats"] >= kept).all()
    assert (seats["floor"] == kept).all()
    # It binds: without it some would have fallen further.
    assert seats.filter((pl.col("seats") == kept) & (pl.col("change") < 0)).height


def test_the_page_tells_which_rules_changed_from_what_to_what(year: Year) -> None:
    told: dict[str, list[tuple[str, str, str]]] = {
        FIRST: [],
        RULES: [
            ("programmes.BPNT.max_decile", "5", "4"),
            ("quotas.national_total PKH", f"{PKH_BEFORE:,} families", f"{PKH_NOW:,} families"),
        ],
        WAGES: [
            (
                f"minimum_wages.regency {code} {regency_name(code)}",
                f"Rp {WAGE_BEFORE[code]:,} a month",
                f"Rp {WAGE_NOW[code]:,} a month",
            )
            for code in WAGE_BEFORE
        ],
        PLACES: [
            ("quotas.hold_harmless_share", "0", "0.97"),
            ("quotas.weight", "poor_count", "poverty_gap_rupiah_month"),
        ],
    }
    for quarter, rules in told.items():
        english, indonesian = year.page(quarter, "en"), year.page(quarter, "id")
        source = f"Overlay 'law of {quarter}': For a test"
        assert rules_told(english) == [(*rule, source) for rule in rules]
        assert [row[0] for row in rules_told(indonesian)] == [rule[0] for rule in rules]
        assert ("What changed in the rules" in english) == ("Aturan yang berubah" in indonesian) == bool(rules)


def test_the_page_counts_the_families_that_a_cause_moved(year: Year) -> None:
    told = set()
    for quarter in YEAR:
        counted = year.public(quarter, "movements").filter(pl.col("cause").is_not_null(), level="nation")
        pages = {lang: words_of(year.page(quarter, lang)) for lang in LANGUAGES}
        for cause, number in counted.select("cause", "families").iter_rows():
            told.add(cause)
            assert all(f"{say(f'cause.{cause}', lang)} {number}" in page for lang, page in pages.items())
    assert {"first_assessment", "own_data", "registrations"} <= told


def test_one_displaced_and_one_promoted_are_told_the_cause_and_the_places_before_and_now(year: Year) -> None:
    for quarter, programme, start, end in (
        (PLACES, "BPNT", "recipient", "waiting"),
        (RULES, "PKH", "waiting", "recipient"),
    ):
        moved = year.moved(quarter, programme).filter(cause="seats", from_status=start, to_status=end)
        one = moved.join(year.places(quarter, programme), on="regency_code").sort("reference").row(0, named=True)
        english, indonesian = (year.explained(quarter, one["reference"], lang) for lang in ("en", "id"))
        assert "The number of places changed." in english
        assert "Jumlah tempat berubah." in indonesian
        for text in (english, indonesian):
            assert re.search(rf"\b{one['seats']} \([^)]*\b{one['seats_before']}\)", text), text
