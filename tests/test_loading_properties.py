"""Loading leads to the same facts whatever the order, the files, the repetitions and the kills on the way."""

import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.intake import storing
from assets.intake.batches import batches
from assets.intake.declaration import Declaration
from assets.intake.facts import facts_hash, facts_of
from assets.intake.loading import Intake, Loaded
from assets.lake import Lake
from schemas.quarter import Quarter
from schemas.tables import TABLES
from schemas.vocabularies import BatchState, Feed
from tests.made_senders import SENDERS
from world.country import write

QUARTER = Quarter(2026, 1)
DECLARED = Declaration(issued_on=date(2026, 1, 14), sender="tests")
FEEDS = (Feed.REGISTRATIONS, Feed.MEMBERS, Feed.SURVEYS, Feed.EVIDENCE)
ROWS = 25
FILE_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


class Killed(BaseException):
    """The process is no more."""


@dataclass
class Reaper:
    """Ends a load at its n-th touch of a file below a folder; what it touches after that does not happen either."""

    below: str = ""
    left: int = 0
    touched: int = 0
    armed: bool = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.armed or event not in FILE_EVENTS or not str(arguments[0]).startswith(self.below):
            return
        self.touched += 1
        if self.touched > self.left:
            raise Killed

    @contextmanager
    def at(self, left: int, below: Path) -> Iterator[None]:
        self.below, self.left, self.touched, self.armed = str(below), left, 0, True
        try:
            yield
        finally:
            self.armed = False


REAPER = Reaper()
sys.addaudithook(REAPER)


@dataclass(frozen=True)
class Rows:
    """Delivered rows of a few feeds as lines, some of them wrong, and the facts they come to."""

    header: dict[Feed, str] = field(repr=False)
    lines: dict[Feed, list[str]] = field(repr=False)
    facts: str = ""


def intake_of(folder: Path) -> Intake:
    return Intake(Lake(folder / "lake"), TABLES, 1.0, SENDERS)


def hash_of(intake: Intake) -> str:
    return facts_hash(intake.lake, intake.contracts, QUARTER)


def deliver(folder: Path, rows: Rows, feed: Feed, lines: list[str], number: int = 0) -> Path:
    file = folder / f"{feed}-{number}.csv"
    file.write_text("\n".join([rows.header[feed], *lines]) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    out = tmp_path_factory.mktemp("world") / "landing"
    write("banyuwangi", 400, [QUARTER], 2, out)
    header, lines = {}, {}
    for feed in FEEDS:
        file = max((out / str(QUARTER) / feed).glob("*.csv"), key=lambda one: one.stat().st_size)
        header[feed], *found = file.read_text(encoding="utf-8").splitlines()
        assert len(found) >= ROWS + 3
        lines[feed] = [*found[:ROWS], *(f"wrong{line[5:]}" for line in found[ROWS : ROWS + 3])]
    intake = intake_of(tmp_path_factory.mktemp("whole"))
    made = Rows(header, lines)
    for feed in FEEDS:
        file = deliver(out, made, feed, lines[feed])
        assert intake.load(feed, file, QUARTER, DECLARED).state is BatchState.LOADED
    assert facts_of(intake.lake, TABLES, QUARTER, Feed.MEMBERS).height == ROWS
    return Rows(header, lines, hash_of(intake))


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[Feed, list[int]]]:
    """Files that together hold every row at least once: cut, shuffled, repeated, in any order of feeds."""
    found = []
    for feed in FEEDS:
        order = draw(st.permutations(range(ROWS + 3)))
        cuts = sorted(draw(st.sets(st.integers(1, ROWS + 2), max_size=2)))
        found += [(feed, list(order[start:end])) for start, end in zip([0, *cuts], [*cuts, ROWS + 3], strict=True)]
        again = draw(st.lists(st.integers(0, ROWS + 2), max_size=4))
        found += [(feed, again)] if again else []
    found += draw(st.lists(st.sampled_from(found), max_size=2))
    return list(draw(st.permutations(found)))


@pytest.mark.slow
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=deliveries(), kills=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 30)), max_size=4))
def test_any_order_any_split_twice_or_killed_and_repeated_gives_the_same_facts(
    rows: Rows, files: list[tuple[Feed, list[int]]], kills: list[tuple[int, int]]
) -> None:
    with TemporaryDirectory() as name:
        folder, killed = Path(name), dict(kills)
        intake = intake_of(folder)
        for number, (feed, chosen) in enumerate(files):
            file = deliver(folder, rows, feed, [rows.lines[feed][at] for at in chosen], number)
            if number in killed:
                with suppress(Killed), REAPER.at(killed[number], folder / "lake"):
                    intake.load(feed, file, QUARTER, DECLARED)
            loaded = intake.load(feed, file, QUARTER, DECLARED)
            assert loaded.state in {BatchState.LOADED, BatchState.DUPLICATE}
            assert loaded.batch is not None
            assert loaded.batch.read == loaded.batch.accepted + loaded.batch.rejected + loaded.batch.parked
            assert loaded.batch.read == len(chosen)
            assert loaded.batch.rejected == sum(at >= ROWS for at in chosen)
        assert hash_of(intake) == rows.facts


def test_a_load_killed_at_any_touch_of_a_file_counts_wholly_or_not_at_all_and_repeats(
    rows: Rows, tmp_path: Path
) -> None:
    file = deliver(tmp_path, rows, Feed.MEMBERS, rows.lines[Feed.MEMBERS])
    undisturbed = intake_of(tmp_path / "undisturbed")
    with REAPER.at(10_000, tmp_path / "undisturbed" / "lake"):
        whole = undisturbed.load(Feed.MEMBERS, file, QUARTER, DECLARED)
    touches = REAPER.touched
    assert touches > 10
    for left in range(touches):
        folder = tmp_path / str(left)
        intake = intake_of(folder)
        with REAPER.at(left, folder / "lake"), pytest.raises(Killed):
            intake.load(Feed.MEMBERS, file, QUARTER, DECLARED)
        counting = batches(intake.lake, str(QUARTER))
        assert counting in ((), (whole.batch,))
        repeated = intake.load(Feed.MEMBERS, file, QUARTER, DECLARED)
        assert repeated.batch == whole.batch
        assert repeated.state is (BatchState.DUPLICATE if counting else BatchState.LOADED)
        assert files_below(intake.lake) == files_below(undisturbed.lake)
        shutil.rmtree(folder)


def files_below(lake: Lake) -> dict[str, bytes]:
    found = (file for file in lake.root.rglob("*") if file.is_file())
    # A workbook says when it was made.
    return {str(file.relative_to(lake.root)): file.read_bytes() for file in found if file.suffix != ".xlsx"}


def test_a_file_too_large_for_memory_comes_to_the_same_facts_and_counts(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "HELD_ROWS", 7)
    intake = intake_of(tmp_path)
    for feed in FEEDS:
        # Thrice over, so that equal rows come far apart.
        file = deliver(tmp_path, rows, feed, rows.lines[feed] * 3)
        batch = intake.load(feed, file, QUARTER, DECLARED).batch
        assert batch is not None
        assert (batch.read, batch.rejected, batch.stored) == (3 * (ROWS + 3), 9, ROWS)
        assert len(batch.shards) > 1
        contract = TABLES[f"intake/{feed}"]
        folder = intake.lake.folder(contract.key, str(QUARTER)) / batch.batch_id
        stored = [pl.read_parquet(folder / str(shard["file"])) for shard in batch.shards]
        assert all(part.sort(contract.order, nulls_last=True).equals(part) for part in stored)
        if "nik_bucket" in contract.columns:
            assert pl.concat(stored)["nik_bucket"].is_sorted()
    assert hash_of(intake) == rows.facts


def test_two_loads_at_once_both_end_well(rows: Rows, tmp_path: Path) -> None:
    waited = []
    intake = Intake(Lake(tmp_path / "lake"), TABLES, 1.0, SENDERS, on_wait=lambda: waited.append(1))
    files = [(feed, deliver(tmp_path, rows, feed, rows.lines[feed])) for feed in FEEDS] * 3

    def load(one: tuple[Feed, Path]) -> Loaded:
        return intake.load(*one, QUARTER, DECLARED)

    with ThreadPoolExecutor(4) as pool:
        states = [loaded.state for loaded in pool.map(load, files)]
    assert sorted(states) == sorted([BatchState.LOADED] * 4 + [BatchState.DUPLICATE] * 8)
    assert waited
    assert hash_of(intake) == rows.facts


def test_two_processes_on_one_landing_zone_load_every_file_once(rows: Rows, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    for feed in FEEDS:
        (landing / str(QUARTER) / feed).mkdir(parents=True)
        for number in range(3):
            deliver(landing / str(QUARTER) / feed, rows, feed, rows.lines[feed][number::3], number)
    intake = intake_of(tmp_path)
    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(lambda _: list(intake.load_landing(landing, QUARTER)), range(3)))
    states = [loaded.state for one in told for loaded in one]
    assert states == [BatchState.LOADED] * 12
    assert [file for file in (landing / str(QUARTER)).rglob("*") if file.is_file()] == []
