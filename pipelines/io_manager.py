"""The Parquet I/O manager: assets pass handles, the lake keeps their manifests, replaced atomically."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dagster as dg

from assets.house import House
from assets.intake.pins import Pins
from assets.lake import Table, code_hash, write_atomically
from assets.welfare.models import scorecard, shelve
from assets.welfare.scorecard import Scorecard
from schemas.errors import Refused
from schemas.quarter import Quarter


class LakeIOManager(dg.IOManager):
    """Keeps what assets hand over under `lake/<room>/<table>/<quarter>/manifest.json`.

    A table's manifest names what its step read: any asset can be materialised alone, and a draft must see that.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._read: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def handle_output(self, context: dg.OutputContext, obj: Table | Pins | Scorecard | Mapping[str, Any]) -> None:
        """Make the handle the table's current one."""
        if isinstance(obj, Table):
            self._house.lake.commit(replace(obj, made_from={**obj.made_from, **self._inputs_of(context)}))
            return
        if isinstance(obj, Scorecard):
            shelve(self._house.models, obj)
        plain = {"hash": obj.hash} if isinstance(obj, Scorecard) else obj if isinstance(obj, Mapping) else obj.to_json()
        folder = self._house.lake.folder("/".join(context.asset_key.path), context.partition_key)
        write_atomically(folder / "manifest.json", json.dumps(plain, indent=1).encode())

    def _inputs_of(self, context: dg.OutputContext) -> dict[str, str]:
        """Hash of everything the table's step works from, by asset or name."""
        house = self._house
        outside = {
            "policy": house.policy(Quarter.parse(context.partition_key)).hash,
            "pseudonym_key": house.key.hash,
            "code": code_hash(),
        }
        return outside | self._read[context.step_key]

    def load_input(self, context: dg.InputContext) -> Table | Pins | Scorecard:
        """The handle as it was handed over; its hash is kept for what the step makes of it.

        Raises
        ------
        Refused
            If the asset was not made for the quarter yet.
        """
        key = "/".join(context.asset_key.path)
        handle = self._handle(key, context.partition_key)
        of_step = self._read[context.step_context.step.key]
        of_step[key] = handle.content_hash if isinstance(handle, Table) else handle.hash
        return handle

    def _handle(self, key: str, quarter: str) -> Table | Pins | Scorecard:
        path = self._house.lake.folder(key, quarter) / "manifest.json"
        if not path.exists():
            message = f"{key} was not made for {quarter} yet. Run the whole quarter."
            raise Refused(message)
        plain = json.loads(path.read_text())
        if key == "intake/pins":
            return Pins.from_json(plain)
        if key == "welfare/scorecard":
            return scorecard(self._house.models, plain["hash"])
        return self._house.lake.from_json(plain)
