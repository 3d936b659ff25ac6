"""The command `visits`: BPS's lists of a region as a workbook. Whom to visit is the decision room's word."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import AsJson, QuarterArgument, open_home, out, print_json
from schemas.quarter import Quarter


def visits(
    quarter: QuarterArgument,
    region: Annotated[str, typer.Option(help="Kemendagri code of a regency, district or village, as 35.10.")],
    to: Annotated[Path, typer.Option("--out", help="XLSX file to write (restricted).")],
    most: Annotated[
        int | None, typer.Option(min=0, help="Only so many of the targeted, the likeliest; the sample stays whole.")
    ] = None,
    draft: Annotated[str | None, typer.Option(help="Lists of a draft instead of the published revision.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write whom BPS is to visit: the likeliest on the wrong side of a cut-off, a random sample, and its worklist."""
    from pipelines.explaining import source_of
    from pipelines.visiting import field_lists
    from reports.lists import lists_workbook
    from schemas.regions import kemendagri

    house = open_home().house
    lists = field_lists(house, source_of(house, Quarter.parse(quarter), draft), kemendagri(region), most)
    to.write_bytes(lists_workbook(lists))
    counts = {name: rows.height for name, rows in lists.items()}
    if as_json:
        print_json({"file": str(to), **counts})
        return
    out.print(f"{to}: " + ", ".join(f"{count:,} in {name}" for name, count in counts.items()), markup=False)
