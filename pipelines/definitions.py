"""Dagster's view of the house: assets, jobs, schedule, sensor, resources. `dagster dev -m pipelines.definitions`."""

import time
from collections.abc import Iterator

import dagster as dg

from assets.decision.asset import decide, draft, judge
from assets.house import House
from assets.intake.asset import intake, load_landing
from assets.intake.containers import is_litter
from assets.lake import digest
from assets.partitions import QUARTERS
from assets.publication.asset import revision
from assets.registry.asset import registry
from assets.welfare.asset import residuals, scorecard
from pipelines.home import Home
from pipelines.io_manager import LakeIOManager
from quotas.calendar import calendar_of
from schemas.quarter import Quarter

ASSETS = [intake, registry, scorecard, residuals, judge, decide, draft, revision]

quarterly_run = dg.define_asset_job(
    "quarterly_run",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("publication"),
    description="From the files of a quarter to its draft: load, resolve, score, decide, check, propose.",
)
publish_quarter = dg.define_asset_job(
    "publish_quarter",
    selection=dg.AssetSelection.groups("publication"),
    description="The approved draft of a quarter becomes its next revision, and the pointer moves to it.",
)


@dg.schedule(job=quarterly_run, cron_schedule="0 6 * * *", execution_timezone="Asia/Jakarta")
def on_decision_day(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Run the quarter on its decision day, at six in the morning in Jakarta."""
    today = context.scheduled_execution_time.date()
    quarter = Quarter.of(today)
    if str(quarter) not in QUARTERS.get_partition_keys() or calendar_of(quarter).decision_date != today:
        return dg.SkipReason(f"{today} is no decision day")
    return dg.RunRequest(run_key=str(quarter), partition_key=str(quarter))


SETTLED_SECONDS = 10
"""A file touched more recently may still be on its way into the landing zone."""


@dg.job(partitions_def=QUARTERS, description="Load the drops of a quarter: counts and reasons show on the feeds.")
def load_drops() -> None:
    """One step: every file of the quarter's landing zone."""
    load_landing()


@dg.sensor(job=load_drops, minimum_interval_seconds=30)
def landing_zone() -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Load what is dropped into the landing zone, once it lies still; what was refused waits to be changed."""
    landing, now = Home.from_environment().path / "landing", time.time()
    requested = False
    for quarter in QUARTERS.get_partition_keys():
        drops = sorted(one for one in landing.glob(f"{quarter}/*/[!.]*") if one.is_file() and not is_litter(one.name))
        stats = [one.stat() for one in drops]
        if not drops or any(now - stat.st_mtime < SETTLED_SECONDS for stat in stats):
            continue
        seen = [(str(one), stat.st_size, stat.st_mtime_ns) for one, stat in zip(drops, stats, strict=True)]
        requested = True
        yield dg.RunRequest(run_key=digest(seen), partition_key=quarter)
    if not requested:
        yield dg.SkipReason("nothing lies still in the landing zone")


@dg.resource(description="The house in PERLINSOS_HOME, locked for the quarter while a run is in it.")
def house(context: dg.InitResourceContext) -> Iterator[House]:
    """The house of the environment's home; one run per quarter at a time."""
    home = Home.from_environment()
    quarter = context.run.tags.get("dagster/partition") if context.run else None
    if quarter is None:
        yield home.house
        return
    with home.locked(f"run-{quarter}", f"a run of {quarter}"):
        yield home.house


@dg.io_manager(required_resource_keys={"house"})
def lake(context: dg.InitResourceContext) -> LakeIOManager:
    """The lake of the house."""
    return LakeIOManager(context.resources.house)


defs = dg.Definitions(
    assets=ASSETS,
    jobs=[quarterly_run, publish_quarter, load_drops],
    schedules=[on_decision_day],
    sensors=[landing_zone],
    resources={"house": house, "lake": lake},
    executor=dg.in_process_executor,
)
