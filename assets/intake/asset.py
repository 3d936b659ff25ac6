"""Door of intake to Dagster: loads what lies in the landing zone and pins what the quarter reads."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.house import House
from assets.intake.loading import Intake
from assets.intake.pins import Pins
from assets.partitions import OWNERS, QUARTERS, key_of, outs_of, quarter_of
from assets.published import builds_on
from schemas.errors import FileRefused
from schemas.tables import TABLES
from schemas.vocabularies import BatchState, Feed


class QuarterConfig(dg.Config):
    """How a quarter is run.

    Attributes
    ----------
    first : bool
        Whether it is the first quarter decided here: the feed current_recipients stands for the quarter before, and
        a scorecard is fitted where none is in force.
    """

    first: bool = False


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
    loader = Intake(house.lake, house.contracts, house.policy(quarter).intake.max_error_share)
    refused = []
    for loaded in loader.load_landing(house.landing, quarter):
        read = loaded.batch.read if loaded.batch else 0
        context.log.info("%s: %s: %s, %d rows read", loaded.feed, loaded.file_name, loaded.state, read)
        if loaded.state is BatchState.REFUSED:
            refused.append(loaded.reason or loaded.file_name)
    if refused:
        message = f"{len(refused)} file(s) of landing/{quarter} were refused. Mend or remove them. First: {refused[0]}"
        raise FileRefused(message)
    pins = Pins.of(house.lake, quarter, before)
    chosen = pins.read(house.lake)
    yield dg.Output(pins, "pins", metadata={"batches": len(chosen)})
    for feed, table in pins.tables(house.lake).items():
        mine = [batch for batch in chosen if batch.feed is feed]
        yield dg.Output(
            table,
            str(feed),
            metadata={
                "dagster/row_count": table.rows,
                "batches": len(mine),
                "read": sum(batch.read for batch in mine),
                "accepted": sum(batch.accepted for batch in mine),
                "rejected": sum(batch.rejected for batch in mine),
                "parked": sum(batch.parked for batch in mine),
            },
        )
