"""Door of the registry to Dagster."""

from collections.abc import Iterator

import dagster as dg

from assets.house import House
from assets.intake.pins import Pins
from assets.lake import Table
from assets.partitions import QUARTERS, ins_of, name_of, outs_of, quarter_of
from assets.published import revision_at, tables_of
from assets.registry.resolve import TABLES as MADE
from assets.registry.resolve import resolve
from assets.registry.statements import FEEDS
from assets.welfare.scorecard import Scorecard
from schemas.tables import TABLES


@dg.multi_asset(
    name="registry",
    outs=outs_of(*(TABLES[key] for key in MADE)),
    ins=ins_of("intake/pins", *(f"intake/{feed}" for feed in FEEDS), "welfare/scorecard"),
    partitions_def=QUARTERS,
    group_name="registry",
)
def registry(
    context: dg.AssetExecutionContext,
    house: dg.ResourceParam[House],
    pins: Pins,
    registrations: Table,
    members: Table,
    surveys: Table,
    validations: Table,
    evidence: Table,
    current_recipients: Table,
    adjudications: Table,
    agents: Table,
    dtsen_families: Table,
    dtsen_persons: Table,
    population_register: Table,
    identity_checks: Table,
    agent_families: Table,
    requests: Table,
    scorecard: Scorecard,
) -> Iterator[dg.Output[Table]]:
    """One record per family and person, with the source and date of every attribute, and the open identity cases."""
    read = (
        registrations, members, surveys, validations, evidence, current_recipients, adjudications, agents,
        dtsen_families, dtsen_persons, population_register, identity_checks, agent_families, requests,
    )  # fmt: skip
    feeds = dict(zip(FEEDS, read, strict=True))
    quarter = quarter_of(context)
    number = pins.builds_on_revision
    before = None if number is None else revision_at(house, quarter.previous, number, str(pins.builds_on))
    made = resolve(house, quarter, feeds, pins.read(house.lake), tables_of(house, before), scorecard)
    for key in MADE:
        yield dg.Output(made[key], name_of(key), metadata={"dagster/row_count": made[key].rows})
