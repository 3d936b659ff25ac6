"""Door of intake to Dagster: loads what lies in the landing zone and pins what the quarter reads."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from assets.house import House
from assets.intake.batches import Batch
from assets.intake.loading import Intake, Loaded
from assets.intake.pins import Pins
from assets.lake import digest
from assets.partitions import OWNERS, QUARTERS, key_of, outs_of, quarter_of
from assets.published import builds_on
from schemas.errors import FileRefused, Worded
from schemas.quarter import Quarter
from schemas.tables import TABLES
from schemas.vocabularies import BatchState, Feed

COUNTS = ("read", "accepted", "rejected", "parked")
MOST_REASONS = 100
"""Rows of a table of reasons that Dagster shows; the report of the batch has them all."""


class QuarterConfig(dg.Config):
    """How a quarter is run.

    Attributes
    ----------
    first : bool
        Whether it is the first quarter decided here: the feed current_recipients stands for the quarter before, and
        a scorecard is fitted where none is in force.
    """

    first: bool = False


def load_drops(context: dg.OpExecutionContext, house: House, quarter: Quarter) -> list[Loaded]:
    """Load what lies in the landing zone of a quarter, told line by line in the log of the run."""
    loader = Intake.of(house, quarter)
    found = []
    for loaded in loader.load_landing(house.landing, quarter):
        context.log.info("%s: %s: %s, %d rows read", loaded.feed, loaded.file_name, loaded.state, loaded.read)
        if loaded.state is BatchState.IGNORED:
            context.log.warning("%s: %s", loaded.feed, loaded.reason)
        for warning in loaded.warnings:
            context.log.warning("%s: %s: %s", loaded.feed, loaded.file_name, warning)
        found.append(loaded)
    return found


def counts_of(mine: Sequence[Batch]) -> dict[str, Any]:
    """Metadata: how many batches, and their rows by what became of them."""
    return {"batches": len(mine), **{name: sum(getattr(batch, name) for batch in mine) for name in COUNTS}}


def reasons_of(loaded: Sequence[Loaded]) -> dg.MetadataValue:
    """Metadata: the reasons files gave, by file, column and reason, with the sentence that says how to mend them."""
    columns = {"file": "string", "state": "string", "column": "string", "reason": "string", "rows": "int",
               "first_row": "int", "sentence": "string"}  # fmt: skip
    records = [
        dg.TableRecord(
            {"file": one.file_name, "state": str(one.state), "column": tally.column, "reason": tally.reason,
             "rows": tally.rows, "first_row": tally.first_row, "sentence": tally.sentence("en")}
        )
        for one in loaded
        for tally in one.tally
    ]  # fmt: skip
    schema = dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns.items()])
    return dg.MetadataValue.table(records[:MOST_REASONS], schema)


@dg.multi_asset(
    name="intake",
    outs={
        "pins": dg.AssetOut(
            key=key_of("intake/pins"), io_manager_key="lake", owners=OWNERS,
            description="What the run reads: the batches and the revision it builds on, fixed at its start.",
        ),
        **outs_of(*(TABLES[f"intake/{feed}"] for feed in Feed)),
    },
    partitions_def=QUARTERS,
    group_name="intake",
)  # fmt: skip
def intake(
    context: dg.AssetExecutionContext, config: QuarterConfig, house: dg.ResourceParam[House]
) -> Iterator[dg.Output[Any]]:
    """Accepted statements of every feed, with batches, reasons and counts."""
    quarter = quarter_of(context)
    before = builds_on(house, quarter, first=config.first)
    # Whoever does not reveal a draw decides no further quarter; a run without one could rank nobody.
    if before is not None and not house.is_trial and not house.draws(quarter.previous).is_revealed:
        raise Worded("draw_not_revealed", quarter=str(quarter), previous=str(quarter.previous))
    house.drawn_days(quarter)
    found = load_drops(context.op_execution_context, house, quarter)
    refused = [loaded.reason or loaded.file_name for loaded in found if loaded.state is BatchState.REFUSED]
    if refused:
        raise FileRefused("landing", count=len(refused), quarter=str(quarter), first=refused[0])
    pins = Pins.of(house.lake, quarter, before, digest(house.draw_basis(quarter)))
    chosen = pins.read(house.lake)
    ignored = [f"{loaded.feed}/{loaded.file_name}" for loaded in found if loaded.state is BatchState.IGNORED]
    yield dg.Output(pins, "pins", metadata={"batches": len(chosen), "ignored": dg.MetadataValue.json(ignored)})
    for feed, table in pins.tables(house.lake).items():
        mine = [batch for batch in chosen if batch.feed is feed]
        reasons = reasons_of([loaded for loaded in found if loaded.feed is feed])
        metadata = {"dagster/row_count": table.rows, **counts_of(mine), "reasons": reasons}
        yield dg.Output(table, str(feed), metadata=metadata)


@dg.op(description="Load what lies in the landing zone of a quarter, before its run pins it.")
def load_landing(context: dg.OpExecutionContext, house: dg.ResourceParam[House]) -> None:
    """Load the drops of a quarter and show on every feed what came in, with a table of reasons.

    A refused file stays where it lies and does not fail the others.
    """
    quarter = Quarter.parse(context.partition_key)
    found = load_drops(context, house, quarter)
    for feed in sorted({loaded.feed for loaded in found}):
        mine = [loaded for loaded in found if loaded.feed is feed]
        refused = [loaded for loaded in mine if loaded.state is BatchState.REFUSED]
        metadata = {
            **counts_of([loaded.batch for loaded in mine if loaded.batch is not None]),
            "refused": len(refused),
            "refusals": dg.MetadataValue.md("\n".join(f"- {one.file_name}: {one.reason}" for one in refused)),
            "reasons": reasons_of(mine),
        }
        context.log_event(
            dg.AssetObservation(key_of(f"intake/{feed}"), partition=context.partition_key, metadata=metadata)
        )
