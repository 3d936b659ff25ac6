"""The Parquet I/O manager: assets pass handles, the lake keeps their manifests, replaced atomically."""

import json
from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.house import House
from assets.intake.pins import Pins
from assets.lake import Table, write_atomically
from assets.welfare.models import scorecard, shelve
from assets.welfare.scorecard import Scorecard
from schemas.errors import Refused


class LakeIOManager(dg.IOManager):
    """Keeps what assets hand over under `lake/<room>/<table>/<quarter>/manifest.json`."""

    def __init__(self, house: House) -> None:
        self._house = house

    def handle_output(self, context: dg.OutputContext, obj: Table | Pins | Scorecard | Mapping[str, Any]) -> None:
        """Make the handle the table's current one."""
        if isinstance(obj, Table):
            self._house.lake.commit(obj)
            return
        if isinstance(obj, Scorecard):
            shelve(self._house.models, obj)
        plain = {"hash": obj.hash} if isinstance(obj, Scorecard) else obj if isinstance(obj, Mapping) else obj.to_json()
        folder = self._house.lake.folder("/".join(context.asset_key.path), context.partition_key)
        write_atomically(folder / "manifest.json", json.dumps(plain, indent=1).encode())

    def load_input(self, context: dg.InputContext) -> Table | Pins | Scorecard:
        """The handle as it was handed over.

        Raises
        ------
        Refused
            If the asset was not made for the quarter yet.
        """
        key = "/".join(context.asset_key.path)
        path = self._house.lake.folder(key, context.partition_key) / "manifest.json"
        if not path.exists():
            message = f"{key} was not made for {context.partition_key} yet. Run the whole quarter."
            raise Refused(message)
        plain = json.loads(path.read_text())
        if key == "intake/pins":
            return Pins.from_json(plain)
        if key == "welfare/scorecard":
            return scorecard(self._house.models, plain["hash"])
        return self._house.lake.from_json(plain)
