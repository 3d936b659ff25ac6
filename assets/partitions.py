"""Partitions of the assets: the quarters of the calendar, spelled `2026Q1`."""

import dagster as dg

from quotas.calendar import quarters
from schemas.contract import Contract
from schemas.quarter import Quarter

QUARTERS = dg.StaticPartitionsDefinition([str(quarter) for quarter in quarters()])
OWNERS = ["team:perlinsos"]


def quarter_of(context: dg.AssetExecutionContext) -> Quarter:
    """The quarter a run is for."""
    return Quarter.parse(context.partition_key)


def key_of(table: str) -> dg.AssetKey:
    """Asset key of a table: `room/table`."""
    return dg.AssetKey(table.split("/"))


def name_of(table: str) -> str:
    """Name of a table's output: the table without its room."""
    return table.split("/")[1]


def outs_of(*contracts: Contract) -> dict[str, dg.AssetOut]:
    """One output per table, described by its contract."""
    return {
        name_of(one.key): dg.AssetOut(
            key=key_of(one.key),
            description=f"{one.title}. {one.description} One row per {one.grain}.",
            owners=OWNERS,
            io_manager_key="lake",
        )
        for one in contracts
    }


def ins_of(*tables: str) -> dict[str, dg.AssetIn]:
    """One input per table, named by the table without its room."""
    return {name_of(one): dg.AssetIn(key=key_of(one), input_manager_key="lake") for one in tables}
