"""Simulation: the published quarter reproduced, scenarios beside it, errors with denominators; nothing touched."""

import dataclasses
import io
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import openpyxl
import polars as pl
import pytest

from assets.decision.decide import decide
from assets.decision.draft import read_draft
from assets.decision.judge import eligibility, judge
from assets.published import in_force
from assets.simulation.checked import as_stated, inside, of_checked
from assets.simulation.errors import errors
from assets.simulation.regencies import count_all
from assets.simulation.resampling import resampled
from assets.simulation.scenario import Scenario, read_scenario
from assets.simulation.simulate import simulate
from assets.simulation.snapshot import Snapshot, snapshot_of
from assets.simulation.worlds import Run, World, random_run, scenario_run
from assets.welfare.scorecard import Scorecard, write_scorecard
from pipelines.home import Home
from quotas.overlay import Overlay
from schemas.errors import PolicyError, Refused, Tampered
from schemas.messages import written
from schemas.quarter import Quarter
from schemas.vocabularies import Cause, Programme, Status
from tests.homes import SECOND, Demo, Said, contents, decisions, perlinsos
from tests.made_families import (
    CHILD,
    HERE,
    MICRO_PER_METRE,
    NOBODY,
    THERE,
    Made,
    Person,
    column_of,
    families,
    scorecard,
    seats,
    sitting,
    terms,
)

if TYPE_CHECKING:
    from assets.decision.history import History
    from assets.house import House
    from assets.published import Revision

PKH = Programme.PKH
NAMES = ("nothing", "decile 3", "one place", "goats")


def by(table: pl.DataFrame, run: str, programme: str = "PKH") -> dict[str, Any]:
    """The one row of a run and programme."""
    (row,) = table.filter((pl.col("run") == run) & (pl.col("programme") == programme)).rows(named=True)
    return row


def nobody_counts(_: object) -> pl.DataFrame:
    pytest.fail("places do not depend on who is eligible here")


@pytest.fixture(scope="module")
def snapshot(demo: Demo) -> Snapshot:
    return snapshot_of(Home(demo.home).house, Quarter.parse(SECOND))


@pytest.fixture(scope="module")
def first(snapshot: Snapshot, demo: Demo) -> dict[str, Any]:
    """The family first in the PKH queue of the regency with the longest one."""
    waiting = decisions(demo.home, SECOND).filter(programme="PKH", status="waiting")
    longest = waiting.group_by("regency_code").len().sort("len", "regency_code")["regency_code"][-1]
    row = waiting.filter(regency_code=longest, queue_position=1).row(0, named=True)
    draft = read_draft(snapshot.revision.restricted)
    eligible = draft.read(snapshot.house, "decision/eligibility").filter(programme="PKH", family_id=row["family_id"])
    family = draft.read(snapshot.house, "registry/families").filter(family_id=row["family_id"])
    return {**row, "due": eligible["amount_due_rupiah"][0], "agent": family["agent_id"][0] or "none"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, first: dict[str, Any]) -> list[Path]:
    """Four scenarios: one that changes nothing, a rule, a place, a scorecard with a rule and places."""
    folder = tmp_path_factory.mktemp("scenarios")
    write_scorecard(scorecard(), folder / "metres.json")
    (folder / "seats.csv").write_text(f"programme,code,seats\nBPNT,{first['regency_code']},3\n")
    texts = {
        "nothing": "",
        "decile 3": "changes: {programmes.PKH.max_decile: 3}",
        "one place": f'seats: {{PKH: {{"{first["regency_code"]}": {first["seats"] + 1}}}}}',
        "goats": "changes: {filters: []}\nscorecard: metres.json\nseats: seats.csv",
    }
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\nreason: For a test\n{text}\n")
    return [folder / f"{name}.yaml" for name in NAMES]


@pytest.fixture(scope="module")
def tables(snapshot: Snapshot, files: list[Path]) -> Mapping[str, pl.DataFrame]:
    """What a simulation of the four finds."""
    return simulate(snapshot, [read_scenario(file, snapshot.house.models) for file in files]).tables


def asked(home: Path, files: Sequence[Path], to: Path, *more: str) -> Said:
    """`perlinsos simulate` of the second quarter."""
    scenarios = [part for file in files for part in ("--scenario", file)]
    return perlinsos(home, "simulate", SECOND, *scenarios, "--out", to, *more)


@pytest.fixture(scope="module")
def made(
    demo: Demo, files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, bytes], Said]:
    """The folder a simulation wrote, what the home held before, and what the command said."""
    before = contents(demo.home)
    to = tmp_path_factory.mktemp("simulated") / "out"
    said = asked(demo.home, files, to, "--lang", "en", "--json")
    assert said.code == 0, said.err
    return to, before, said


def test_an_empty_change_set_moves_nobody(tables: Mapping[str, pl.DataFrame]) -> None:
    for programme in Programme:
        base, nothing = by(tables["overview"], "base", programme), by(tables["overview"], "nothing", programme)
        assert {**nothing, "run": "base"} == base
        assert (nothing["entering"], nothing["leaving"], nothing["change_rupiah"]) == (0, 0, 0)
    assert tables["moves"].filter(run="nothing").is_empty()


def test_the_quarters_own_terms_on_its_own_snapshot_give_the_published_decisions(
    snapshot: Snapshot, tables: Mapping[str, pl.DataFrame], demo: Demo
) -> None:
    published = decisions(demo.home, SECOND)
    for programme in Programme:
        mine, base = published.filter(programme=programme.value), by(tables["overview"], "base", programme)
        assert {one: base[one] for one in Status} == {one: mine.filter(status=one.value).height for one in Status}
        assert base["amount_rupiah"] == mine["amount_rupiah"].sum()
    nation = read_draft(snapshot.revision.restricted).read(snapshot.house, "decision/budget").filter(level="nation")
    for row in nation.rows(named=True):
        base = by(tables["overview"], "base", row["programme"])
        assert (base["amount_rupiah"], base["ceiling_rupiah"]) == (row["amount_rupiah"], row["ceiling_rupiah"])
    flat = by(tables["overview"], "base", "BPNT")
    assert flat["full_rupiah"] == flat["places"] * 600_000


def test_a_snapshot_that_does_not_give_the_published_decisions_is_refused(snapshot: Snapshot) -> None:
    fewer = snapshot.seats.with_columns(pl.col("seats") // 2)
    with pytest.raises(Tampered, match="do not come out as they were published"):
        count_all(dataclasses.replace(snapshot, seats=fewer), [])


def test_one_more_place_promotes_exactly_the_first_in_the_queue(
    tables: Mapping[str, pl.DataFrame], first: dict[str, Any]
) -> None:
    (move,) = tables["moves"].filter(run="one place").rows(named=True)
    assert move == {
        "run": "one place", "programme": "PKH", "regency_code": first["regency_code"], "from_status": "waiting",
        "to_status": "recipient", "cause": "seats", "families": 1,
    }  # fmt: skip
    told = by(tables["overview"], "one place")
    assert (told["entering"], told["leaving"], told["change_rupiah"]) == (1, 0, first["due"])
    agents = tables["parts"].filter((pl.col("run") == "one place") & (pl.col("dimension") == "agent"))
    assert agents.filter(pl.col("entering") > 0)["value"].to_list() == [first["agent"]]


def test_a_stricter_decile_takes_only_families_above_it_off_the_list(tables: Mapping[str, pl.DataFrame]) -> None:
    moves = tables["moves"].filter(pl.col("run") == "decile 3")
    assert moves.height
    assert set(moves["cause"]) == {"policy"}
    assert set(moves["programme"]) == {"PKH"}
    assert set(moves["to_status"]) <= {"ineligible", "recipient"}
    assert by(tables["overview"], "decile 3")["ineligible"] > by(tables["overview"], "base")["ineligible"]


def test_causes_are_told_by_the_factor_at_which_a_status_was_reached(tables: Mapping[str, pl.DataFrame]) -> None:
    moves = tables["moves"].filter(pl.col("run") == "goats")
    assert set(moves["cause"]) == {"model", "policy", "seats"}
    by_seats = moves.filter(pl.col("cause") == "seats")
    assert set(by_seats["programme"]) == {"BPNT"}
    assert set(by_seats["to_status"]) == {"waiting"}


def test_who_enters_and_leaves_is_the_change_in_recipients_in_every_part(tables: Mapping[str, pl.DataFrame]) -> None:
    parts = tables["parts"]
    assert parts.filter(
        pl.col("recipients") - pl.col("recipients_before") != pl.col("entering") - pl.col("leaving")
    ).is_empty()
    keys, columns = ["run", "programme"], ["recipients", "entering", "leaving", "amount_rupiah"]
    whole = tables["overview"].select(*keys, recipients="recipient", entering="entering", leaving="leaving",
                                      amount_rupiah="amount_rupiah").sort(keys)  # fmt: skip
    for (dimension,), part in parts.partition_by("dimension", as_dict=True).items():
        added = part.group_by(keys).agg(pl.col(columns).sum()).sort(keys)
        assert added.equals(whole.select(*keys, *columns)), dimension


def test_the_lottery_keeps_places_and_eligibility_and_moves_both_ways(tables: Mapping[str, pl.DataFrame]) -> None:
    base, drawn = by(tables["overview"], "base"), by(tables["overview"], "random")
    assert drawn["entering"] == drawn["leaving"] > 0
    for name in ("places", "recipient", "waiting", "ineligible", "held", "not_scorable"):
        assert drawn[name] == base[name]


def test_unused_places_go_elsewhere_where_the_scenario_says_so(snapshot: Snapshot) -> None:
    generous = Scenario("generous", "For a test", {"quotas.unused_places": "redistribute"})
    overview = simulate(snapshot, [generous]).tables["overview"]
    told = by(overview, "generous")
    # The demo's regencies are the only ones with eligible families, so that every place there is can be filled.
    assert told["recipient"] == told["places"] == by(overview, "base")["recipient"] + by(overview, "base")["waiting"]


def test_a_programme_taken_away_leaves_nobody_receiving_it(snapshot: Snapshot) -> None:
    gone = Scenario("without", "For a test", {"programmes.BPNT": None})
    found = simulate(snapshot, [gone]).tables
    told = by(found["overview"], "without", "BPNT")
    assert (told["recipient"], told["leaving"]) == (0, by(found["overview"], "base", "BPNT")["recipient"])
    assert told["amount_rupiah"] == 0
    assert set(found["moves"].filter(run="without", programme="BPNT")["to_status"]) == {"no_programme"}


def test_a_scenarios_change_holds_where_the_quarters_own_overlay_names_the_value_too(snapshot: Snapshot) -> None:
    total: dict[str, Any] = {"quotas.national_total": {"PKH": 500, "BPNT": 900}}
    (world,) = scenario_run(snapshot, Scenario("totals", "For a test", total), nobody_counts).worlds
    assert dict(world.terms.policy.quotas.national_total) == {"PKH": 500, "BPNT": 900}
    one = scenario_run(snapshot, Scenario("one", "For a test", {"quotas.national_total.PKH": 500}), nobody_counts)
    kept = snapshot.terms.policy.quotas.national_total[Programme.BPNT]
    assert dict(one.worlds[-1].terms.policy.quotas.national_total) == {"PKH": 500, "BPNT": kept}


def test_a_part_of_what_the_quarters_overlay_empties_cannot_be_changed() -> None:
    home = Overlay.of("home", "For a test", {"filters.electricity_above": None})
    with pytest.raises(PolicyError, match="which the quarter's overlay empties"):
        Scenario("one", "For a test", {"filters.electricity_above.threshold": 900}).over(home)


# Errors, on a sample made by hand: one hundred metres and rupiah that follow them, or not.


def sample(rupiah: Callable[[int], int], *, households: int = 200, clusters: int = 20) -> pl.DataFrame:
    """Households of one regency with 1, 2, 3 … square metres, each standing for two families."""
    numbers = range(1, households + 1)
    return pl.DataFrame(
        {
            "household_id": [f"H{number:04}" for number in numbers],
            "regency_code": HERE,
            "cluster_id": [f"C{number % clusters:02}" for number in numbers],
            "is_urban": [number % 2 == 0 for number in numbers],
            "weight": 2.0,
            "expenditure_rupiah_per_capita_month": [rupiah(number) for number in numbers],
            "floor_area_m2": list(numbers),
            "head_age": [70 if number % 4 == 0 else 40 for number in numbers],
        }
    )


def snapshot_with(survey: pl.DataFrame, places: int, card: Scorecard | None = None) -> Snapshot:
    """A snapshot of nothing but terms, places of one regency, and a survey."""
    changes = {"programmes.PKH.max_decile": None, "programmes.BPNT": None}
    figures = pl.DataFrame({"area_code": [HERE], "poverty_line_rupiah_per_capita_month": [500_000]})
    nothing = cast("House", None)
    return Snapshot(
        nothing, cast("Revision", None), {}, None, False, terms(changes, card=card or scorecard()),  # noqa: FBT003
        seats({HERE: (places, 0), THERE: (9, 9)}), None, cast("History", None), figures, survey,
    )  # fmt: skip


def whole(found: pl.DataFrame, run: str, measure: str = "exclusion") -> dict[str, Any]:
    return by(found.filter((pl.col("dimension") == "all") & (pl.col("measure") == measure)), run)


def test_a_score_that_follows_consumption_makes_no_error_and_one_against_it_nothing_else() -> None:
    follows = errors(snapshot_with(sample(lambda number: number * 1000), places=80), [])
    against = errors(snapshot_with(sample(lambda number: (201 - number) * 1000), places=80), [])
    for measure in ("exclusion", "inclusion"):
        assert (whole(follows, "base", measure)["error"], whole(against, "base", measure)["error"]) == (0, 1)
        assert whole(against, "perfect", measure)["error"] == 0


def test_errors_are_those_of_the_places_reserved_where_the_survey_knows_the_group() -> None:
    known = sample(lambda number: number * 1000).with_columns(household_size=1, disabled_count=0)
    is_poor = pl.col("floor_area_m2") <= 50
    # Of eighty places three are kept for the elderly who live alone: 3.8%, rounded down.
    rich, poor = (
        errors(snapshot_with(known.with_columns(elderly_count=old.cast(pl.Int32)), places=80), [])
        for old in (~is_poor, is_poor)
    )
    assert whole(rich, "base")["error"] == whole(rich, "base", "inclusion")["error"] == 3 / 80
    assert whole(poor, "base")["error"] == 0
    mine = rich.filter(dimension="elderly_living", value="alone_or_pair", measure="inclusion", run="base")
    assert mine["error"].item() == 1


def test_perfect_information_errs_least(tables: Mapping[str, pl.DataFrame]) -> None:
    found = tables["errors"].filter(pl.col("dimension") == "all")
    assert set(found.filter(pl.col("run") == "perfect")["error"]) == {0.0}
    assert (found.filter(pl.col("run") != "perfect")["error"] > 0).all()


def test_the_lottery_errs_by_about_one_minus_the_share_of_places() -> None:
    made_up = snapshot_with(sample(lambda number: number * 1000, households=900), places=540)
    drawn = []
    for number in range(10):
        days = made_up.terms.days.model_copy(update={"lottery_seed": f"for a test {number}"})
        other = dataclasses.replace(made_up, terms=dataclasses.replace(made_up.terms, days=days))
        row = whole(errors(other, [random_run(other)]), "random")
        assert row["low"] < row["error"] == row["difference"] < row["high"]
        drawn.append(row["error"])
    assert sum(drawn) / len(drawn) == pytest.approx(1 - 540 / 1800, abs=0.02)


def test_errors_name_their_denominators_and_a_household_on_the_margin_counts_in_part() -> None:
    # Places for 81 families are 40 households of two and half of the next.
    row = whole(errors(snapshot_with(sample(lambda number: number * 1000), places=81), []), "base")
    assert (row["families"], row["households"], row["error"]) == (81, 41, 0)


def test_more_places_exclude_fewer_poor_and_include_more_others() -> None:
    made_up = snapshot_with(sample(lambda number: number * 1000), places=80)
    run = Run("more", (World(Cause.SEATS, made_up.terms, seats({HERE: (160, 0)})),))
    found = errors(made_up, [run])
    assert whole(found, "more")["error"] == 0
    included = whole(found, "more", "inclusion")
    assert (included["error"], included["families"]) == (0.5, 160)


def test_groups_are_told_apart_and_what_was_not_asked_is_unknown() -> None:
    found = errors(snapshot_with(sample(lambda number: (number % 4 == 0) * 10**6 + number), places=80), [])
    found = found.filter((pl.col("measure") == "exclusion") & (pl.col("run") == "base"))
    rows = {(row["dimension"], row["value"]): row["families"] for row in found.rows(named=True)}
    # The elderly consume most: none of the eighty poorest families is one.
    assert rows["head_age", "elderly"] == 0
    assert rows["head_age", "younger"] == rows["head_sex", "unknown"] == 80
    assert found.filter(value="elderly")["error"].to_list() == [None]


def test_a_group_of_equal_clusters_has_an_interval_without_width_and_unequal_ones_have_not() -> None:
    rows = pl.DataFrame({"cluster": ["a", "a", "b", "b"], "hit": [1, 0, 1, 0], "lucky": [1, 1, 0, 0]})
    found = resampled(rows, "cluster", {(one,): (pl.col(one), pl.lit(1)) for one in ("hit", "lucky")})
    assert set(found["hit",].replicates) == {0.5}
    assert set(found["lucky",].replicates) == {0.0, 0.5, 1.0}
    again = resampled(rows, "cluster", {("lucky",): (pl.col("lucky"), pl.lit(1))})
    assert (again["lucky",].replicates == found["lucky",].replicates).all()


def test_a_scorecard_fitted_on_the_survey_is_measured_on_clusters_it_has_not_seen(
    snapshot: Snapshot, tables: Mapping[str, pl.DataFrame]
) -> None:
    fitted = simulate(snapshot, []).about["fitted_on_sample"]
    assert fitted
    # Were its own scores taken, the survey would look easier than it is.
    unseen = dataclasses.replace(snapshot, survey=snapshot.survey.with_columns(pl.col("weight") + 0.001))
    seen = whole(errors(unseen, []), "base")["error"]
    assert seen < whole(tables["errors"], "base")["error"]


def test_a_survey_that_names_a_household_twice_is_refused() -> None:
    survey = sample(lambda number: number * 1000)
    with pytest.raises(Refused, match="names a household twice"):
        errors(snapshot_with(pl.concat([survey, survey.head(1)]), places=80), [])


def test_no_interval_is_told_of_a_few_clusters() -> None:
    nine, ten = (
        whole(errors(snapshot_with(sample(lambda number: number * 7 % 199, clusters=count), places=80), []), "base")
        for count in (9, 10)
    )
    assert 0 < nine["error"] == ten["error"] < 1
    assert (nine["low"], nine["high"], nine["difference_high"]) == (None, None, None)
    assert ten["low"] < ten["error"] < ten["high"]


def test_no_interval_is_told_where_all_or_none_of_the_sample_count() -> None:
    row = whole(errors(snapshot_with(sample(lambda number: number * 1000), places=80), []), "base")
    assert (row["error"], row["low"], row["high"]) == (0, None, None)


def test_a_quarter_without_a_survey_tells_no_error(snapshot: Snapshot) -> None:
    assert errors(dataclasses.replace(snapshot, survey=snapshot.survey.clear()), []).is_empty()


def test_coverage_counts_checked_families_of_the_deciles_the_programme_takes(snapshot: Snapshot) -> None:
    checked = pl.DataFrame(
        {
            "run": "base", "programme": "PKH", "village_code": ["v1", "v1", "v2", "v2"], "decile": [1, 4, 5, None],
            "receives": [True, False, True, False], "receives_as_stated": [False, True, True, False],
            "elderly_living": "others", "head_age": "elderly", "head_sex": "male", "disability": "with",
            "household_size": "1", "settlement": "desa",
        },
        schema_overrides={"decile": pl.Int32},
    )  # fmt: skip
    found = of_checked(checked, snapshot).filter(dimension="all").rows_by_key("measure", named=True, unique=True)
    shares = {measure: (row["families"], row["counted"], row["share"]) for measure, row in found.items()}
    assert shares == {
        "coverage": (2, 1, 0.5), "stated_exclusion": (2, 1, 0.5), "stated_inclusion": (2, 1, 0.5),
    }  # fmt: skip


def test_what_bps_corrected_is_put_back_and_decided_again_with_the_others_as_they_were() -> None:
    # Two places: by what BPS found the shy family waits behind two poorer ones; by its own word it was the poorest.
    registered = families(Made("shy", 30), Made("open", 20), Made("other", 10), Made("unchecked", 40))
    conflicts = pl.DataFrame(
        {
            "family_id": ["shy", "open", "unchecked", "other"],
            "attribute": ["floor_area_m2", "floor_area_m2", "floor_area_m2", "visit_result"],
            "source": ["bps_validation", "agent_survey", "bps_validation", "bps_validation"],
            "other_value": [5.0, 90.0, 1.0, 5.0],
        }
    )
    sample_of = pl.DataFrame({"family_id": ["shy", "open", "other"]})
    stated = as_stated(registered, conflicts, sample_of)
    metres = dict(stated.records.select("family_id", "floor_area_m2").iter_rows())
    assert metres == {"shy": 5, "open": 20, "other": 10}
    world = World(Cause.OWN_DATA, terms(), seats({HERE: (2, 0)}))
    judged = eligibility(judge(stated, world.terms), world.terms, NOBODY)
    found = inside(judged, decide(registered, world.terms, world.seats, NOBODY), world)
    assert column_of(found, "receives_as_stated") == {"shy": True, "open": True, "other": True}
    closed = dataclasses.replace(world, seats=seats({HERE: (0, 0)}))
    nobody = inside(judged, decide(registered, world.terms, closed.seats, NOBODY), closed)
    assert set(column_of(nobody, "receives_as_stated").values()) == {False}


def test_stated_answers_compete_with_a_sitting_familys_margin_and_for_places_kept_for_its_group() -> None:
    frail = Person(date(1990, 6, 15), disability=1)
    registered = families(Made("sits", 30), Made("poor", 10), Made("frail", 50, (frail, CHILD)), Made("richer", 60))
    why = {"id": "Tempat khusus untuk pengujian.", "en": "A place kept for a test."}
    kept = [{"fact": "severe_disability_count", "share": 0.5, "reason": why}]
    changes = {"ranking.sitting_margin_micro": 25 * MICRO_PER_METRE, "ranking.reserved_places": kept}
    world = World(Cause.OWN_DATA, terms(changes), seats({HERE: (2, 0)}))
    received = sitting(("sits", "PKH"))
    decided = decide(registered, world.terms, world.seats, received)
    assert column_of(decided) == {"sits": "recipient", "poor": "waiting", "frail": "recipient", "richer": "waiting"}
    judged = eligibility(judge(registered, world.terms), world.terms, received)
    found = column_of(inside(judged, decided, world), "receives_as_stated")
    assert found == {"sits": True, "poor": False, "frail": True, "richer": False}


def test_checked_families_are_told_in_every_run_but_what_they_stated_not_where_lots_decide(
    tables: Mapping[str, pl.DataFrame],
) -> None:
    found = tables["checked"].filter((pl.col("dimension") == "all") & (pl.col("programme") == "PKH"))
    counted = {(row["run"], row["measure"]): row["families"] for row in found.rows(named=True)}
    assert counted["base", "coverage"] == counted["random", "coverage"] > 0
    assert counted["base", "stated_exclusion"] > 0
    assert counted["random", "stated_exclusion"] == counted["random", "stated_inclusion"] == 0


# The command.


def test_nothing_in_the_home_changes(demo: Demo, made: tuple[Path, dict[str, bytes], Said]) -> None:
    assert contents(demo.home) == made[1]
    assert sorted(path.name for path in made[0].iterdir()) == ["simulation.html", "simulation.xlsx"]


@pytest.mark.slow
def test_the_same_scenarios_give_the_same_bytes(
    demo: Demo, files: list[Path], made: tuple[Path, dict[str, bytes], Said], tmp_path: Path
) -> None:
    said = asked(demo.home, files, tmp_path / "again", "--lang", "en")
    assert said.code == 0, said.err
    assert contents(tmp_path / "again") == contents(made[0])


class _Cells(HTMLParser):
    """Texts of the cells of a page's tables, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


def test_page_and_workbook_tell_the_same_numbers(made: tuple[Path, dict[str, bytes], Said]) -> None:
    parser = _Cells()
    parser.feed((made[0] / "simulation.html").read_text(encoding="utf-8"))
    book = openpyxl.load_workbook(io.BytesIO((made[0] / "simulation.xlsx").read_bytes()))
    head, *rows = book["Overview"].iter_rows(values_only=True)
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert len(told) == 2 * (len(NAMES) + 2)
    for row in told:
        counts = [written(row[one], "en") for one in ("Places", "Recipients", "Waiting", "Not eligible")]
        assert any(cells[:1] == [row["Column"]] and cells[1:5] == counts for cells in parser.rows), row
        amounts = [written(row[one], "en") for one in ("Amount (Rp)", "All places filled (Rp)")]
        assert any(cells[:1] == [row["Column"]] and cells[2:6:2] == amounts for cells in parser.rows), row
    head, *rows = book["Errors"].iter_rows(values_only=True)
    for row in (dict(zip(head, row, strict=True)) for row in rows):
        if row["Group"] == "All":
            share = f"{row['Error'] * 100:.1f}%"
            assert any(cells[:1] == [row["Column"]] and share in cells for cells in parser.rows), row
    book.close()


def test_the_command_answers_with_what_the_workbook_holds(made: tuple[Path, dict[str, bytes], Said]) -> None:
    told = made[2].json
    assert [row["run"] for row in told["overview"] if row["programme"] == "PKH"] == ["base", *NAMES, "random"]
    assert {row["run"] for row in told["errors"]} == {"base", *NAMES, "random", "perfect"}


def test_the_page_stands_alone_and_tells_what_it_is_in_both_languages(
    demo: Demo, made: tuple[Path, dict[str, bytes], Said], tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text("name: <b>=1+1</b>\nreason: For a test\n")
    assert asked(demo.home, [tmp_path / "a.yaml"], tmp_path / "out").code == 0
    indonesian, english = ((to / "simulation.html").read_text(encoding="utf-8") for to in (tmp_path / "out", made[0]))
    assert "Simulasi, bukan keputusan" in indonesian
    assert "A simulation, no decision" in english
    assert ("<b>" in indonesian, "&lt;b&gt;=1+1&lt;/b&gt;" in indonesian) == (False, True)
    for text in (indonesian, english):
        assert not re.search(r"""(src|href)=["']|url\(|https?://""", text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a\nreason: For a test\nchanges: {programmes.PKH.max_desil: 3}", "no key of the rulebook"),
        ("name: a\nreason: For a test\nchange: {}", "key 'change': unknown key"),
        ("name: a\nreason: For a test\nchanges: {registry.answer_max_age_days: 1}", "takes as it is"),
        ("name: a\nreason: For a test\nchanges: {filters.no_consent.fact: goats}", "goats"),
        (
            "name: a\nreason: For a test\nchanges: {quotas.area: district_code}",
            "weigh no such area",
        ),
        ("name: a\nreason: For a test\nseats: {PKH: {'99.99': 3}}", "no places in '99.99'"),
        ("name: a\nreason: For a test\nseats: {PKH: {'35.10': -3}}", "key 'seats"),
        ("name: a\nreason: For a test\nseats: none.csv", "none.csv: the places cannot be read"),
        ("name: a\nreason: For a test\nscorecard: abcdef012345", "neither a file beside it nor the hash"),
        ("name: random\nreason: For a test", "'random'"),
        ("name: [a\nreason", "this is no YAML"),
        ("", "a.yaml"),
    ],
)
def test_a_wrong_scenario_is_refused_and_nothing_written(demo: Demo, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    said = asked(demo.home, [tmp_path / "a.yaml"], tmp_path / "out")
    assert (said.code, told in said.err) == (4, True), said.err
    assert not (tmp_path / "out").exists()


def test_a_scorecard_that_was_changed_is_told(demo: Demo, files: list[Path], tmp_path: Path) -> None:
    for file in (files[3], files[3].parent / "seats.csv"):
        shutil.copyfile(file, tmp_path / file.name)
    text = (files[3].parent / "metres.json").read_text()
    (tmp_path / "metres.json").write_text(text.replace("1000", "1001", 1))
    said = asked(demo.home, [tmp_path / files[3].name], tmp_path / "out")
    assert (said.code, "was changed after it was written" in said.err) == (1, True), said.err


def test_a_quarter_that_is_not_published_is_refused(demo: Demo, files: list[Path], tmp_path: Path) -> None:
    said = perlinsos(demo.home, "simulate", "2026Q3", "--scenario", files[0], "--out", tmp_path / "out")
    assert (said.code, "no published revision" in said.err) == (4, True)


def test_a_folder_that_holds_something_or_is_the_houses_own_is_refused(
    demo: Demo, files: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "note").write_text("mine")
    said = asked(demo.home, files[:1], tmp_path)
    assert (said.code, "is not empty" in said.err) == (4, True)
    said = asked(demo.home, files[:1], demo.home / "published" / "simulated")
    assert (said.code, "the house itself keeps" in said.err) == (4, True)
    assert not (demo.home / "published" / "simulated").exists()


def test_a_changed_file_of_the_snapshot_is_found(demo_copy: Path) -> None:
    house = Home(demo_copy).house
    revision = in_force(house, Quarter.parse(SECOND))
    assert revision is not None
    shards = json.loads((revision.restricted / "draft.json").read_text())["tables"]["registry/members"]["shards"]
    path = house.lake.root / next(iter(shards.values()))["file"]
    pl.read_parquet(path).head(1).write_parquet(path)
    with pytest.raises(Tampered, match="is not the file its manifest names"):
        simulate(snapshot_of(house, Quarter.parse(SECOND)), [])


def test_a_seats_file_with_a_line_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "seats.csv").write_text("programme,code,seats\nPKH,35.10,3\nPKH,35.10,4\n")
    (tmp_path / "a.yaml").write_text("name: a\nreason: For a test\nseats: seats.csv\n")
    with pytest.raises(Refused, match="come twice"):
        read_scenario(tmp_path / "a.yaml", tmp_path)


def test_a_scorecard_is_found_by_how_its_hash_begins(demo: Demo, snapshot: Snapshot, tmp_path: Path) -> None:
    mine = snapshot.terms.scorecard.hash
    (tmp_path / "a.yaml").write_text(f"name: a\nreason: For a test\nscorecard: {mine[:12]}\n")
    found = read_scenario(tmp_path / "a.yaml", demo.home / "models")
    assert found.card is not None
    assert found.card.hash == mine
    assert scenario_run(snapshot, found, nobody_counts).worlds == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("filters.electricity_above.fact: head_name", "the registry holds no fact 'head_name' with its source"),
        (
            "filters.electricity_above.fact: household_size",
            "the registry holds no fact 'household_size' with its source",
        ),
        ("ranking.sitting_margin_micro: 9000000", "9000000 lies outside the score's range"),
    ],
)
def test_what_only_the_quarter_can_know_of_a_scenario_is_refused_too(
    demo: Demo, tmp_path: Path, change: str, named: str
) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(f"name: try\nreason: made for a test\nchanges: {{{change}}}\n")
    said = asked(demo.home, [file], tmp_path / "out")
    assert (said.code, len(said.err.strip().splitlines())) == (4, 1)
    assert said.err.startswith("PolicyError: scenario 'try': ")
    assert named in said.err
