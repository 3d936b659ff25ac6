"""Door of publication to Dagster: the approved draft of a quarter becomes its next revision."""

import json
from typing import Any

import dagster as dg

from assets.decision.draft import folder, read_draft
from assets.house import House
from assets.partitions import OWNERS, QUARTERS, key_of, quarter_of
from assets.publication.pages import pages
from assets.publication.revisions import publish
from schemas.errors import Refused


@dg.asset(
    key=key_of("publication/revision"),
    deps=[key_of("decision/draft")],
    partitions_def=QUARTERS,
    group_name="publication",
    owners=OWNERS,
    io_manager_key="lake",
)
def revision(context: dg.AssetExecutionContext, house: dg.ResourceParam[House]) -> dict[str, Any]:
    """The immutable revision of a quarter, public and restricted, and the pointer that names it."""
    quarter = quarter_of(context)
    proposed = house.lake.folder("decision/draft", str(quarter)) / "manifest.json"
    if not proposed.exists():
        message = f"{quarter} has no draft. Make one with `perlinsos run {quarter}`."
        raise Refused(message)
    draft = read_draft(folder(house, quarter, json.loads(proposed.read_text())["hash"]))
    made = publish(house, draft, pages(house))
    context.add_output_metadata({"revision": made.number, "folder": str(made.folder), "draft": made.draft})
    return {"quarter": str(quarter), "revision": made.number, "draft": made.draft}
