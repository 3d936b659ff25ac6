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
from schemas.tables import TABLES
from schemas.vocabularies import Feed

_READ = (Feed.REGISTRATIONS, Feed.MEMBERS, Feed.SURVEYS, Feed.VALIDATIONS, Feed.EVIDENCE)


@dg.multi_asset(
    name="registry",
    outs=outs_of(*(TABLES[key] for key in MADE)),
    ins=ins_of("intake/pins", *(f"intake/{feed}" for feed in _READ)),
    partitions_def=QUARTERS,
    group_name="registry",
)
def registry(  # noqa: PLR0913
    context: dg.AssetExecutionContext,
    house: dg.ResourceParam[House],
    pins: Pins,
    registrations: Table,
    members: Table,
    surveys: Table,
    validations: Table,
    evidence: Table,
) -> Iterator[dg.Output[Table]]:
    """One record per family and person, with the source and date of every attribute, and the open identity cases."""
    feeds = dict(zip(_READ, (registrations, members, surveys, validations, evidence), strict=True))
    quarter = quarter_of(context)
    before = None if pins.builds_on_revision is None else revision_at(
        house, quarter.previous, pins.builds_on_revision, str(pins.builds_on)
    )  # fmt: skip
    made = resolve(house, quarter, feeds, pins.read(house.lake), tables_of(house, before))
    for key in MADE:
        yield dg.Output(made[key], name_of(key), metadata={"dagster/row_count": made[key].rows})
