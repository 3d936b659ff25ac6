"""Faults: killed at any moment, tampered with, run twice at once: readers keep what they had, and a repeat mends it."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets.decision.draft import read_draft
from assets.lake import Lake, hash_of_file
from assets.publication import revisions
from assets.publication.pages import pages
from pipelines.home import Home
from pipelines.runs import opened_instance
from schemas.contract import Contract
from schemas.errors import Refused
from tests.homes import (
    COMMAND,
    FIRST,
    LISTS,
    SECOND,
    Demo,
    Said,
    approve_both,
    contents,
    copied,
    draft_of,
    environment,
    fresh,
    house_folders,
    perlinsos,
    perlinsos_process,
    pointer,
    revision,
)

KILLED = -signal.SIGKILL
POINTS = (
    "in the restricted folder",
    "between restricted and public",
    "in the public folder",
    "before the pointer",
    "after the pointer",
)
KILLED_PUBLISH = """
import os, signal, sys
from assets.publication.pages import pages
from assets.publication.revisions import publish
from assets.decision.draft import read_draft
from pipelines.home import Home
from schemas.contract import Contract
from schemas.errors import Refused
from tests.test_faults import cut_at

cut_at(sys.argv[1], lambda: os.kill(os.getpid(), signal.SIGKILL), setattr)
home = Home.from_environment()
publish(home.house, read_draft(home.path / "drafts" / sys.argv[2]), pages(home.house))
"""


def cut_at(point: str, end: Callable[[], object], put: Callable[[object, str, object], None]) -> None:
    """Let a publication end at a point; `put` sets an attribute."""
    name, call = {
        "in the restricted folder": ("_copy", 3),
        "between restricted and public": ("_public_files", 1),
        "in the public folder": ("_serving_database", 1),
        # After the restricted folder's two files and the public folder's manifest.
        "before the pointer": ("write_atomically", 4),
        "after the pointer": ("_serve_latest", 1),
    }[point]
    real, calls = getattr(revisions, name), iter(range(1, 10))

    def cut(*arguments: object) -> object:
        return end() if next(calls) == call else real(*arguments)

    put(revisions, name, cut)


def lists(home: Path, quarter: str) -> dict[str, bytes]:
    return {
        f"{name}.{form}": (revision(home, quarter) / f"{name}.{form}").read_bytes()
        for name in LISTS
        for form in ("csv", "parquet")
    }


def readable(home: Path, quarter: str) -> int:
    """What a reader does: the pointer first, then every file its manifest names; gives the revision."""
    entry = pointer(home)[quarter]
    folder = home / "published" / str(entry["path"])
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["revision"], manifest["draft"]) == (entry["revision"], entry["draft"])
    for name, said in manifest["files"].items():
        assert hash_of_file(folder / name) == said["sha256"], name
    assert (folder / "site" / "index.html").exists()
    with duckdb.connect(str(folder / "published.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT count(*) FROM recipients").fetchall()
    assert found == [(manifest["files"]["recipients.parquet"]["rows"],)]
    restricted = home / "restricted" / str(entry["path"])
    assert json.loads((restricted / "draft.json").read_text())["hash"] == entry["draft"]
    return int(entry["revision"])


# Publishing


class PowerCut(BaseException):
    """Ends everything at once."""


def left_by_a_cut(home: Path, point: str, before: dict[str, bytes]) -> None:
    """What readers meet after a publication of the first quarter was cut short, and that a repeat mends it."""
    assert readable(home, FIRST) == (2 if point == "after the pointer" else 1)
    assert readable(home, SECOND) == 1
    left = house_folders(home)
    untouched = [path for path in before if path != "published/current.json"]
    assert {path: left[path] for path in untouched} == {path: before[path] for path in untouched}
    said = perlinsos(home, "publish", FIRST, "--json")
    assert (said.code, said.json["revision"]) == (0, 2), said.err
    assert readable(home, FIRST) == 2
    assert [path for path in house_folders(home) if ".building" in path] == []


@pytest.mark.parametrize("point", POINTS)
def test_a_publication_cut_short_leaves_a_whole_revision_and_can_be_repeated(
    redrafted_copy: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end() -> None:
        raise PowerCut

    before = house_folders(redrafted_copy)
    cut_at(point, end, monkeypatch.setattr)
    # Nobody tidies up after a power cut.
    moving = getattr(revisions, "_folder_moved_into")  # noqa: B009 - private
    monkeypatch.setattr(moving, "__exit__", kept_if_cut(moving.__exit__))
    house = Home(redrafted_copy).house
    with pytest.raises(PowerCut):
        revisions.publish(house, read_draft(draft_folder(redrafted_copy, FIRST)), pages(house))
    monkeypatch.undo()
    left_by_a_cut(redrafted_copy, point, before)


def kept_if_cut(real: Callable[..., None]) -> Callable[..., None]:
    def leave(block: object, kind: object, *rest: object) -> None:
        if kind is None:
            real(block, kind, *rest)

    return leave


def draft_folder(home: Path, quarter: str) -> Path:
    return home / "drafts" / quarter / draft_of(home, quarter)


def killed_publication(home: Path, quarter: str, point: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED_PUBLISH, point, f"{quarter}/{draft_of(home, quarter)}"],
        env=environment(home),
        check=False,
        capture_output=True,
    )
    assert ended.returncode == KILLED, ended.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_a_publication_killed_leaves_a_whole_revision_and_can_be_repeated(redrafted_copy: Path, point: str) -> None:
    before = house_folders(redrafted_copy)
    killed_publication(redrafted_copy, FIRST, point)
    left_by_a_cut(redrafted_copy, point, before)


def test_a_publication_cut_short_after_the_pointer_moved_still_gets_its_database(
    redrafted_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = redrafted_copy / "published"
    served, newest = published / "published.duckdb", published / SECOND / "r2" / "published.duckdb"
    house = Home(redrafted_copy).house
    monkeypatch.setattr(revisions, "_serve_latest", lambda _: None)
    revisions.publish(house, read_draft(draft_folder(redrafted_copy, SECOND)), pages(house))
    monkeypatch.undo()
    assert newest.read_bytes() != served.read_bytes()
    assert perlinsos(redrafted_copy, "publish", SECOND).code == 0
    assert newest.read_bytes() == served.read_bytes()


def test_the_convenience_database_is_that_of_the_latest_quarter(redrafted_copy: Path) -> None:
    assert perlinsos(redrafted_copy, "publish", FIRST).code == 0
    with duckdb.connect(str(redrafted_copy / "published" / "published.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT DISTINCT quarter FROM recipients").fetchall() == [(SECOND,)]


@pytest.mark.parametrize("command", [perlinsos, pytest.param(perlinsos_process, marks=pytest.mark.slow)])
def test_readers_meet_whole_revisions_only_while_the_next_one_is_published(
    redrafted_copy: Path, command: Callable[..., Said]
) -> None:
    home, seen, stop = redrafted_copy, [1], threading.Event()
    faults: list[BaseException] = []

    def read() -> None:
        try:
            while not stop.wait(0.005):
                seen.append(readable(home, SECOND))
        except BaseException as fault:  # noqa: BLE001 - whatever a reader met is told below
            faults.append(fault)

    served = home / "published" / "published.duckdb"
    reader = threading.Thread(target=read)
    with duckdb.connect(str(served), read_only=True) as connection:
        before = connection.execute("SELECT count(*) FROM recipients").fetchall()
        reader.start()
        said = command(home, "publish", SECOND)
        while not faults and seen[-1] == 1:
            time.sleep(0.01)
        stop.set()
        reader.join()
        # Who holds the convenience database open keeps what he opened.
        assert connection.execute("SELECT count(*) FROM recipients").fetchall() == before
    assert said.code == 0, said.err
    assert faults == []
    assert seen == sorted(seen)
    assert set(seen) == {1, 2}
    assert served.read_bytes() == (revision(home, SECOND) / "published.duckdb").read_bytes()


def some_file(home: Path, key: str) -> Path:
    """A file of the unpublished draft's table that holds rows."""
    draft = json.loads((home / "drafts" / FIRST / draft_of(home, FIRST) / "draft.json").read_text())
    shards = draft["tables"][key]["shards"].values()
    file: str = next(one["file"] for one in shards if one["rows"])
    return home / "lake" / file


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def one_seat_more(path: Path) -> None:
    frame = pl.read_parquet(path)
    frame.with_columns(seats=pl.col("seats") + 1).write_parquet(path)


@pytest.mark.parametrize(
    ("key", "tamper"),
    [
        ("decision/decisions", flip),
        ("decision/seats", one_seat_more),
        ("registry/families", flip),
        ("decision/payments", Path.unlink),
    ],
    ids=["decisions", "seats", "registry", "missing"],
)
def test_a_tampered_lake_file_is_not_published(redrafted_copy: Path, key: str, tamper: Callable[[Path], None]) -> None:
    tamper(some_file(redrafted_copy, key))
    before = house_folders(redrafted_copy)
    said = perlinsos(redrafted_copy, "publish", FIRST)
    assert said.code == 1
    assert "Tampered" in said.err
    assert "Traceback" not in said.err
    assert house_folders(redrafted_copy) == before


def other_table(plain: dict[str, Any]) -> None:
    shards = plain["tables"]["decision/decisions"]["shards"]
    names = sorted(shards)
    shards[names[0]] = shards[names[1]]


def unscaled(plain: dict[str, Any]) -> None:
    plain["is_scaled"] = False


def other_batches(plain: dict[str, Any]) -> None:
    plain["pins"]["batches"].pop()


@pytest.mark.parametrize("change", [other_table, unscaled, other_batches], ids=lambda one: str(one.__name__))
def test_a_draft_that_was_changed_after_it_was_approved_is_not_published(
    redrafted_copy: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    file = redrafted_copy / "drafts" / FIRST / draft_of(redrafted_copy, FIRST) / "draft.json"
    plain = json.loads(file.read_text())
    change(plain)
    file.write_text(json.dumps(plain))
    before = house_folders(redrafted_copy)
    said = perlinsos(redrafted_copy, "publish", FIRST)
    assert said.code == 1
    assert "Tampered" in said.err
    assert house_folders(redrafted_copy) == before


# Running


@pytest.mark.slow
def test_everything_computed_anew_gives_the_same_draft_and_the_same_files(demo_copy: Path) -> None:
    expected = {path: content for path, content in contents(demo_copy / "lake").items() if f"/{FIRST}/" in path}
    for room in ("registry", "welfare", "decision"):
        shutil.rmtree(demo_copy / "lake" / room)
    shutil.rmtree(demo_copy / "models")
    said = perlinsos(demo_copy, "run", FIRST, "--first", "--json")
    assert said.code == 0, said.err
    assert said.json["draft"] == pointer(demo_copy)[FIRST]["draft"]
    made = contents(demo_copy / "lake")
    assert {path: made.get(path) for path in expected} == expected


class Crash(Exception):
    """Stands for a fault of the machine."""


@dataclass
class Shards:
    """Which shards are computed, and after how many the machine fails."""

    computed: list[tuple[str, str]]
    last: int | None = None

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Note the first table and the name of every shard that is computed rather than found."""
        real = Lake.find_or_write

        def find_or_write(
            lake: Lake, outputs: Sequence[Contract], quarter: str, shard: str, name: str, make: Callable[[], Any]
        ) -> object:
            def noted() -> object:
                if len(self.computed) == self.last:
                    raise Crash
                self.computed.append((outputs[0].key, shard))
                return make()

            return real(lake, outputs, quarter, shard, name, noted)  # type: ignore[arg-type]

        monkeypatch.setattr(Lake, "find_or_write", find_or_write)


@pytest.mark.slow
def test_a_run_that_broke_resumes_without_computing_again_what_was_finished(
    demo_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in ("decisions", "payments"):
        shutil.rmtree(demo_copy / "lake" / "decision" / table / FIRST)
    shards = Shards([], last=3)
    shards.watch(monkeypatch)
    broken = perlinsos(demo_copy, "run", FIRST, "--first")
    assert (broken.code, Crash.__name__ in broken.err) == (1, True)
    before = list(shards.computed)
    assert before == [("decision/decisions", shard) for shard in ("35.09", "35.10", "35.11")]
    shards.last = None
    said = perlinsos(demo_copy, "run", FIRST, "--first", "--json")
    assert said.code == 0, said.err
    assert said.json["draft"] == pointer(demo_copy)[FIRST]["draft"]
    assert shards.computed == [*before, ("decision/decisions", "35.12")]


def test_two_runs_of_one_quarter_at_once_one_is_refused_with_a_sentence(demo_copy: Path) -> None:
    before = house_folders(demo_copy)
    with Home(demo_copy).locked(f"run-{FIRST}", "a run"):
        for command in (("run", FIRST, "--first"), ("publish", FIRST)):
            said = perlinsos(demo_copy, *command)
            assert (said.code, said.out) == (4, "")
            assert said.err.strip().splitlines() == [
                f"Refused: a run of {FIRST} is under way in this home already. Wait for it to end."
            ]
    assert house_folders(demo_copy) == before


def test_a_lock_is_given_back_at_the_end_of_its_block_though_somebody_still_holds_it_in_his_hands(
    tmp_path: Path,
) -> None:
    taken = Home(tmp_path).locked("run", "a run")
    with taken, pytest.raises(Refused):
        Home(tmp_path).locked("run", "a run")
    with Home(tmp_path).locked("run", "a run"):
        pass


@pytest.mark.slow
def test_of_two_processes_that_run_one_quarter_one_is_refused_and_one_ends_well(demo_copy: Path) -> None:
    shutil.rmtree(demo_copy / "lake" / "registry")
    started = [
        subprocess.Popen([*COMMAND, "run", FIRST, "--first"], env=environment(demo_copy), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]  # fmt: skip
    ended = [Said(one.returncode, *said) for one, said in [(one, one.communicate()) for one in started]]
    assert sorted(one.code for one in ended) == [0, 4]
    refused = max(ended, key=lambda one: one.code)
    assert f"a run of {FIRST} is under way in this home already" in refused.err
    assert "Traceback" not in refused.err
    assert draft_of(demo_copy, FIRST) == pointer(demo_copy)[FIRST]["draft"]


def _open_instance(home: Path, at_once: Barrier) -> None:
    os.environ["DAGSTER_HOME"] = str(home / "dagster")
    at_once.wait()
    opened_instance(Home(home)).dispose()


@pytest.mark.slow
def test_many_processes_open_a_new_home_at_the_same_time(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert perlinsos(home, "init", "--trial").code == 0
    assert not list(home.glob("dagster/**/*.db"))
    context = multiprocessing.get_context("spawn")
    at_once = context.Barrier(4)
    started = [context.Process(target=_open_instance, args=(home, at_once)) for _ in range(at_once.parties)]
    for one in started:
        one.start()
    for one in started:
        one.join()
    assert [one.exitcode for one in started] == [0] * at_once.parties


@pytest.mark.slow
def test_a_run_of_another_quarter_is_not_kept_waiting(demo_copy: Path) -> None:
    with Home(demo_copy).locked(f"run-{FIRST}", "a run"):
        assert perlinsos(demo_copy, "run", SECOND).code == 0


def test_a_second_quarter_without_a_first_is_refused(demo_copy: Path) -> None:
    (demo_copy / "published" / "current.json").unlink()
    before = house_folders(demo_copy)
    said = perlinsos(demo_copy, "run", SECOND)
    assert said.code == 4
    assert f"{FIRST} has no published revision to build on" in said.err
    assert house_folders(demo_copy) == before


def test_a_quarter_after_a_published_one_is_not_the_first(demo_copy: Path) -> None:
    said = perlinsos(demo_copy, "run", SECOND, "--first")
    assert said.code == 4
    assert "Run it without --first" in said.err


def shuffled(text: str) -> str:
    header, *rows = text.splitlines(keepends=True)
    random.Random(1).shuffle(rows)  # noqa: S311 - no secret
    return "".join([header, *rows])


@pytest.mark.slow
def test_rows_shuffled_inside_the_landing_files_give_identical_lists(demo: Demo, tmp_path: Path) -> None:
    home = fresh(tmp_path / "home", demo, shuffled)
    said = perlinsos(home, "run", FIRST, "--first", "--json")
    assert said.code == 0, said.err
    approve_both(home, said.json["draft"])
    assert perlinsos(home, "publish", FIRST).code == 0
    expected = lists(demo.home, FIRST)
    different = [name for name, content in lists(home, FIRST).items() if content != expected[name]]
    assert different == []


def finished_files(lake: Path) -> list[Path]:
    """Files that a killed run need not write again; those of a load that the ledger does not name yet are not."""
    named = {path.stem for path in (lake / "intake" / "batches" / FIRST).glob("[!.]*.json")}
    return [
        path
        for path in lake.rglob("[!.]*.parquet")
        if path.relative_to(lake).parts[0] != "intake" or path.parent.name.rpartition("-")[2] in named
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "until", ["intake/batches", "registry/persons", "registry/families", "decision/scores", "decision/decisions"]
)
def test_a_run_killed_half_way_resumes_and_gives_the_same_draft(demo: Demo, tmp_path: Path, until: str) -> None:
    home = fresh(tmp_path / "home", demo)
    started = subprocess.Popen(
        [*COMMAND, "run", FIRST, "--first"],
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        folder = home / "lake" / until / FIRST
        while started.poll() is None and not any(path.is_file() for path in folder.rglob("*")):
            time.sleep(0.01)
    finally:
        os.killpg(started.pid, signal.SIGKILL)
    assert started.wait() == KILLED
    assert not (home / "drafts" / FIRST).exists()
    finished = {path: path.stat().st_mtime_ns for path in finished_files(home / "lake")}
    assert finished

    said = perlinsos_process(home, "run", FIRST, "--first", "--json")
    assert said.code == 0, said.err
    assert said.json["draft"] == pointer(demo.home)[FIRST]["draft"]
    assert {path: path.stat().st_mtime_ns for path in finished} == finished


@pytest.mark.slow
def test_a_publication_killed_at_any_moment_leaves_a_whole_revision(redrafted: Path, tmp_path: Path) -> None:
    dice = random.Random(2026)  # noqa: S311 - no secret
    home = copied(redrafted, tmp_path / "home")
    began = time.monotonic()
    assert perlinsos_process(home, "publish", FIRST).code == 0
    whole = time.monotonic() - began
    shutil.rmtree(home)
    home = copied(redrafted, tmp_path / "home")
    for _ in range(6):
        started = subprocess.Popen(
            [*COMMAND, "publish", FIRST],
            env=environment(home),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(dice.uniform(0.5, 1) * whole)
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        assert readable(home, FIRST) in {1, 2}
    assert perlinsos(home, "publish", FIRST).code == 0
    assert readable(home, FIRST) == 2


@pytest.mark.slow
def test_two_quarters_published_at_the_same_time_both_stand(redrafted: Path, tmp_path: Path) -> None:
    home = copied(redrafted, tmp_path / "home")
    started = [
        subprocess.Popen(
            [*COMMAND, "publish", quarter], env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for quarter in (FIRST, SECOND)
    ]
    codes = [(one.communicate(), one.returncode)[1] for one in started]
    # The second quarter's draft builds on the first's revision: published before it, it stands; after it, it is stale.
    assert codes[0] == 0
    assert codes[1] in {0, 4}
    assert readable(home, FIRST) == 2
    assert readable(home, SECOND) == (2 if codes[1] == 0 else 1)
