"""The text files of a revision: its page, its descriptor and its dictionary, as the press prints them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from assets.house import House
from reports.dictionary import datapackage
from reports.summary import summary_page

PUBLIC = {
    "recipients": "publication/recipients",
    "waiting_list": "publication/waiting_list",
    "region_summary": "publication/region_summary",
    "budget": "publication/budget",
    "movements": "publication/movements",
    "open_checks": "publication/open_checks",
    "seats": "decision/seats",
}


def pages(house: House) -> Callable[[Mapping[str, pl.DataFrame], Mapping[str, Any]], Mapping[str, str]]:
    """How the text files of a revision are made from its public frames and its manifest."""

    def made(frames: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any]) -> Mapping[str, str]:
        contracts = {name: house.contracts[key] for name, key in PUBLIC.items()}
        described = datapackage(contracts, manifest)
        return {
            "site/index.html": summary_page(frames, manifest),
            "datapackage.json": json.dumps(described, indent=1, ensure_ascii=False),
        }

    return made
