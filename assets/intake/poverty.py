"""The poverty figures of a quarter, of the batches it reads. Which of several stands is in `quotas.poverty`."""

import polars as pl

from assets.house import House
from assets.intake.batches import issued_on
from assets.intake.pins import Pins
from assets.lake import Table, verify
from quotas.poverty import poverty_figures
from schemas.quarter import Quarter

POVERTY_FIGURES = "intake/poverty_figures"
"""Key of the figures of the vintage in force among the sources of a step."""


def poverty_of(house: House, pins: Pins, delivered: Table) -> pl.DataFrame:
    """Poverty figures per area of the vintage that counts in a quarter.

    Parameters
    ----------
    pins : Pins
        What the quarter reads.
    delivered : Table
        Its feed `poverty_statistics`.

    Returns
    -------
    DataFrame
        From :func:`quotas.poverty.poverty_figures`.

    Raises
    ------
    Refused
        As :func:`quotas.poverty.poverty_figures` does.
    Tampered
        If a file is not the one that was loaded.
    """
    for shard in delivered.shards.values():
        verify(shard)
    accepted = delivered.read(house.contracts[delivered.key]).with_columns(issued_on=issued_on(pins.read(house.lake)))
    return poverty_figures(accepted, house.days(Quarter.parse(pins.quarter)).poverty_vintage)
