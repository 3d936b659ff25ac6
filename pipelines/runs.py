"""Running the Dagster jobs from the command line: the same jobs, the same instance, so that the UI shows them."""

import os
import resource
import time
import warnings
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError

from pipelines.home import Home
from schemas.errors import PerlinsosError, Refused
from schemas.quarter import Quarter

_KIB = 1024


@dataclass(frozen=True)
class Stage:
    """One step of a run: its rows by table, and how long it took."""

    name: str
    seconds: float
    rows: dict[str, int]


@dataclass(frozen=True)
class Ran:
    """A run that ended well.

    Attributes
    ----------
    peak_bytes : int
        Largest resident memory of this process so far.
    """

    stages: tuple[Stage, ...]
    seconds: float
    peak_bytes: int
    metadata: dict[str, dict[str, Any]]


def opened_instance(home: Home) -> dg.DagsterInstance:
    """The Dagster instance that `DAGSTER_HOME` names; its tables are made at the first opening, by one process alone.

    Dagster makes them without a lock of its own: of two that open a new home at once, one would fail.
    """
    with home.lock("dagster").acquire(timeout=-1):
        return dg.DagsterInstance.get()


def execute(home: Home, job: str, quarter: Quarter, config: dict[str, Any] | None = None) -> Ran:
    """Execute a job for a quarter in this process, recorded in the home's Dagster instance.

    Raises
    ------
    PerlinsosError
        What made a step fail, if a user can act on it; any other fault is raised as it is.
    """
    # A home or a quarter that is not there is told in our words, not Dagster's.
    home.house.days(quarter)
    os.environ["PERLINSOS_HOME"] = str(home.path)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    from pipelines.definitions import defs  # noqa: PLC0415 - reads the environment just set

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    began = time.monotonic()
    with warnings.catch_warnings():
        # Dagster copies every sensor with a beta parameter of its own.
        warnings.filterwarnings("ignore", message="Parameter `owners` of initializer `SensorDefinition")
        job_definition = defs.resolve_job_def(job)
    with opened_instance(home) as instance:
        try:
            result = job_definition.execute_in_process(
                instance=instance, partition_key=str(quarter), run_config={**quiet, **(config or {})}
            )
        except dg.DagsterError as error:
            reason = _reason(error)
            if reason is error:
                raise
            raise reason from error
    stages, metadata = [], {}
    for event in result.all_events:
        if event.is_step_success:
            rows = {}
            for made in result.all_events:
                if made.is_step_materialization and made.step_key == event.step_key:
                    key = "/".join(made.asset_key.path) if made.asset_key else ""
                    values = {name: one.value for name, one in made.materialization.metadata.items()}
                    metadata[key] = values
                    if isinstance(count := values.get("dagster/row_count"), int):
                        rows[key] = count
            stages.append(Stage(str(event.step_key), event.step_success_data.duration_ms / 1000, rows))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    return Ran(tuple(stages), time.monotonic() - began, peak, metadata)


def _reason(error: BaseException) -> BaseException:
    """The fault behind Dagster's wrapping, where a user can act on it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, PerlinsosError):
            return seen
        seen = getattr(seen, "user_exception", None) or seen.__cause__
    if isinstance(error, DagsterAssetCheckFailedError):
        message = f"a check before the draft failed, no draft was made: {error}"
        return Refused(message)
    return error
