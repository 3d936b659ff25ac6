"""The catalogue for SQL users: `warehouse.duckdb`, a schema per room, a view per table, the ledger as a table.

It is built aside and moved into place, so that nobody meets half of it; truth stays in the Parquet files.
"""

import json
from pathlib import Path

import duckdb

from assets.house import House
from assets.intake.batches import LEDGER
from assets.lake import replacing

FILE = "warehouse.duckdb"
PARTITION = "lake_quarter"


def rebuild(house: House) -> dict[str, int]:
    """Build the catalogue anew from the manifests; gives the number of files behind each view."""
    tables = _files_by_table(house)
    with replacing(house.home / FILE) as temporary, duckdb.connect(str(temporary)) as connection:
        for room in sorted({key.split("/")[0] for key in tables}):
            connection.execute(f"CREATE SCHEMA {room}")
        for key, quarters in sorted(tables.items()):
            parts = [
                f"SELECT '{quarter}' AS {PARTITION}, * FROM read_parquet({[str(path) for path in paths]})"  # noqa: S608
                for quarter, paths in sorted(quarters.items())
                if paths
            ]
            if parts:
                connection.execute(f"CREATE VIEW {key.replace('/', '.')} AS {' UNION ALL BY NAME '.join(parts)}")
        ledger = sorted(str(path) for path in (house.lake.root / LEDGER).glob("*/*.json"))
        if ledger:
            connection.execute(
                "CREATE TABLE intake.batches AS SELECT batch_id, feed, quarter, file_name, file_hash, declaration, "
                "read, accepted, rejected, parked, reasons FROM read_json($files, union_by_name = true) "
                "ORDER BY quarter, feed, batch_id",
                {"files": ledger},
            )
    return {key: sum(len(paths) for paths in quarters.values()) for key, quarters in sorted(tables.items())}


def _files_by_table(house: House) -> dict[str, dict[str, list[Path]]]:
    lake = house.lake
    found: dict[str, dict[str, list[Path]]] = {}
    for path in sorted((lake.root / LEDGER).glob("*/*.json")):
        plain = json.loads(path.read_text())
        key = f"intake/{plain['feed']}"
        file = lake.folder(key, plain["quarter"]) / plain["batch_id"] / plain["shard"]["file"]
        found.setdefault(key, {}).setdefault(plain["quarter"], []).append(file)
    for key in house.contracts:
        if key.startswith("intake/"):
            continue
        for manifest in sorted((lake.root / key).glob("*/manifest.json")):
            table = lake.table(key, manifest.parent.name)
            if table is not None:
                found.setdefault(key, {})[table.quarter] = [shard.path for _, shard in sorted(table.shards.items())]
    return found
