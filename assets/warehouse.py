"""The catalogue for SQL users: `warehouse.duckdb`, a schema per room, a view per table, the ledger as a table.

It is built aside and moved into place, so that nobody meets half of it; truth stays in the Parquet files.
"""

import json
from pathlib import Path

import duckdb
import polars as pl

from assets.house import House
from assets.intake.batches import accepted_table, batches, quarters_with_batches
from assets.lake import replacing
from schemas.vocabularies import BatchState

FILE = "warehouse.duckdb"
PARTITION = "lake_quarter"


def rebuild(house: House) -> dict[str, int]:
    """Build the catalogue anew from the manifests; gives the number of files behind each view."""
    tables = _files_by_table(house)
    with replacing(house.home / FILE) as temporary, duckdb.connect(str(temporary)) as connection:
        for room in sorted({"intake", *(key.split("/")[0] for key in tables)}):
            connection.execute(f"CREATE SCHEMA {room}")
        for key, quarters in sorted(tables.items()):
            parts = [
                f"SELECT '{quarter}' AS {PARTITION}, * "  # noqa: S608
                f"FROM read_parquet({[str(path) for path in paths]}, union_by_name = true)"
                for quarter, paths in sorted(quarters.items())
                if paths
            ]
            if parts:
                connection.execute(f"CREATE VIEW {key.replace('/', '.')} AS {' UNION ALL BY NAME '.join(parts)}")
        ledger = [
            {
                **json.loads(batch.to_json()), "shards": len(batch.shards), "state": str(batch.state),
                "declaration": batch.declaration.model_dump_json(), "reasons": json.dumps(batch.reasons),
            }
            for quarter in quarters_with_batches(house.lake)
            for batch in batches(house.lake, str(quarter))
        ]  # fmt: skip
        if ledger:
            frame = pl.DataFrame(ledger, infer_schema_length=None).sort("quarter", "feed", "batch_id")  # noqa: F841 - read by name
            connection.execute("CREATE TABLE intake.batches AS SELECT * FROM frame")
    return {key: sum(len(paths) for paths in quarters.values()) for key, quarters in sorted(tables.items())}


def _files_by_table(house: House) -> dict[str, dict[str, list[Path]]]:
    lake = house.lake
    found: dict[str, dict[str, list[Path]]] = {}
    for one in quarters_with_batches(lake):
        for batch in batches(lake, str(one)):
            if batch.state is BatchState.LOADED:
                table = accepted_table(lake, batch.feed, batch.quarter, [batch])
                paths = found.setdefault(table.key, {}).setdefault(batch.quarter, [])
                paths.extend(shard.path for shard in table.shards.values())
    for key in house.contracts:
        if key.startswith("intake/"):
            continue
        for manifest in sorted((lake.root / key).glob("*/manifest.json")):
            made = lake.table(key, manifest.parent.name)
            if made is not None:
                found.setdefault(key, {})[made.quarter] = [shard.path for _, shard in sorted(made.shards.items())]
    return found
