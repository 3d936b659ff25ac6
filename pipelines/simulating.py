"""A simulation from files to files: scenarios read, the quarter's snapshot decided anew, page and workbook written."""

from collections.abc import Sequence
from pathlib import Path

from assets.house import House
from assets.simulation.scenario import read_scenario
from assets.simulation.simulate import Simulated, simulate
from assets.simulation.snapshot import snapshot_of
from reports.simulation import simulation_page, simulation_workbook
from schemas.errors import Refused
from schemas.messages import Lang
from schemas.quarter import Quarter

PAGE, WORKBOOK = "simulation.html", "simulation.xlsx"


def simulate_into(house: House, quarter: Quarter, files: Sequence[Path], to: Path, lang: Lang) -> Simulated:
    """Simulate scenarios on a published quarter and write the page and the workbook into a new or empty folder.

    Raises
    ------
    Refused
        If the quarter is not published, a scenario cannot be read, or the folder holds something or is the house's own.
    Tampered
        If a scorecard or the snapshot is not what its hash promises.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        message = f"{to} is not empty. Name a new folder."
        raise Refused(message)
    kept = (house.lake.root, house.published, house.restricted, house.drafts, house.models, house.landing)
    if any(to.resolve().is_relative_to(folder.resolve()) for folder in kept):
        message = f"{to} lies among what the house itself keeps. Name a folder elsewhere."
        raise Refused(message)
    scenarios = [read_scenario(file, house.models) for file in files]
    simulated = simulate(snapshot_of(house, quarter), scenarios)
    page = simulation_page(simulated.about, simulated.tables, lang)
    workbook = simulation_workbook(simulated.about, simulated.tables, lang)
    to.mkdir(parents=True, exist_ok=True)
    (to / PAGE).write_text(page, encoding="utf-8")
    (to / WORKBOOK).write_bytes(workbook)
    return simulated
