"""The command `simulate`: scenarios beside a published quarter. The work is :mod:`pipelines.simulating`'s."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import AsJson, Language, QuarterArgument, open_home, out, print_grid, print_json
from schemas.quarter import Quarter

COLUMNS = ("run", "places", "recipient", "waiting", "entering", "leaving", "change_rupiah")


def simulate(
    quarter: QuarterArgument,
    scenario: Annotated[
        list[Path], typer.Option(exists=True, dir_okay=False, help="Scenario (YAML); once per scenario to compare.")
    ],
    to: Annotated[Path, typer.Option("--out", help="Folder for page and workbook; must be empty or new.")],
    lang: Annotated[Language, typer.Option(help="id or en.")] = Language.ID,
    as_json: AsJson = False,
) -> None:
    """Lay other rules, another scorecard or other places over a published quarter: who moves, cost, errors."""
    from pipelines.simulating import PAGE, WORKBOOK, simulate_into

    simulated = simulate_into(open_home().house, Quarter.parse(quarter), scenario, to, lang.value)
    overview, errors = simulated.tables["overview"], simulated.tables["errors"]
    if as_json:
        whole = errors.filter(errors["dimension"] == "all").drop("dimension", "value")
        files = {"page": str(to / PAGE), "workbook": str(to / WORKBOOK)}
        print_json({"quarter": quarter, **files, "overview": overview.to_dicts(), "errors": whole.to_dicts()})
        return
    for (programme,), rows in overview.partition_by("programme", as_dict=True, maintain_order=True).items():
        print_grid(str(programme), COLUMNS, rows.select(COLUMNS).iter_rows())
    out.print(f"{to / PAGE}, {to / WORKBOOK}", markup=False)
