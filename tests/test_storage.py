"""Dagster's storage with kept connections: what Dagster's own classes read in it, and what stays open."""

import os
from pathlib import Path
from unittest import mock

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.home import Home
from pipelines.runs import opened_instance
from pipelines.storage import SqliteEventLog, SqliteStorage
from tests.homes import SECOND, perlinsos


def open_files(folder: Path) -> set[str]:
    held = (os.path.realpath(one) for one in Path("/proc/self/fd").iterdir())
    return {Path(file).name for file in held if Path(file).is_relative_to(folder)}


def test_dagsters_own_classes_read_every_event_of_a_run(demo_copy: Path) -> None:
    said = perlinsos(demo_copy, "run", SECOND, "--json")
    assert said.code == 0, said.err
    dagster = mock.patch.dict(os.environ, {"DAGSTER_HOME": str(demo_copy / "dagster")})
    with dagster, opened_instance(Home(demo_copy)) as instance:
        assert isinstance(instance.event_log_storage, SqliteEventLog)
        (run,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1)
        events = [*instance.all_logs(run.run_id)]
        latest = instance.get_latest_materialization_event(dg.AssetKey(["decision", "decisions"]))
    assert len(events) > 300
    assert latest is not None
    assert latest.run_id == run.run_id
    theirs = SqliteEventLogStorage(str(demo_copy / "dagster" / "history" / "runs"))
    assert theirs.get_logs_for_run(run.run_id) == events


def test_the_index_and_one_run_stay_open_and_nothing_once_the_instance_is_left(tmp_path: Path) -> None:
    log = SqliteStorage(str(tmp_path)).event_log_storage
    for run in ("first", "second", "third"):
        log.get_logs_for_run(run)
        log.get_latest_materialization_events([dg.AssetKey("decision")])
    assert {name for name in open_files(tmp_path) if name.endswith(".db")} == {"index.db", "third.db"}
    log.dispose()
    assert open_files(tmp_path) == set()
