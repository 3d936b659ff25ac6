"""Linkage on request: `perlinsos link` on any file of persons, and a model trained on a home's own registry.

Reading, training and scoring are below.
"""

from datetime import date
from pathlib import Path

import polars as pl

from assets.house import House
from assets.lake import write_atomically
from assets.registry.identity import compared, people_of
from assets.registry.linkage.in_force import FOLDER
from assets.registry.linkage.person_file import PersonFile
from assets.registry.linkage.scoring import CLERK, SAME, score_pairs
from assets.registry.linkage.training import train
from pipelines.adjudicating import registry_table
from quotas.rulebook import rulebook
from schemas.errors import Refused
from schemas.quarter import Quarter

SEED = 1
_WRITTEN = ("id_left", "id_right", "probability", "outcome")


def link_people(file: PersonFile, to: Path, day: date) -> dict[str, int | str]:
    """Train on the persons of a file, write its pairs to a CSV, and count; what goes beyond memory lies beside the CSV.

    Parameters
    ----------
    day : date
        Whose policy says what is certain and what is for a clerk.

    Returns
    -------
    dict
        `persons`, `same`, `clerk`, `unreadable_rows`, `unreadable_dates`, and `model`, its hash.
    """
    rule = rulebook().on(day).registry
    model = train(file.people, seed=SEED, folder=to.parent)
    pairs = score_pairs(
        file.people,
        model,
        same_probability=rule.linkage_same_probability,
        clerk_probability=rule.linkage_clerk_probability,
        folder=to.parent,
    )
    write_atomically(to, pairs.select(_WRITTEN).write_csv(float_precision=6).encode())
    counts = {outcome: pairs.filter(pl.col("outcome") == outcome).height for outcome in (SAME, CLERK)}
    return {
        "persons": file.people.height,
        **counts,
        "unreadable_rows": file.unreadable_rows,
        "unreadable_dates": file.unreadable_dates,
        "model": model.hash,
    }


def train_on_registry(house: House, quarter: Quarter, begins: date, seed: int) -> dict[str, int | str]:
    """Train on the persons of a quarter's registry and store the model, dated, among the home's.

    Returns
    -------
    dict
        `persons`, `model` (its hash) and `file`.

    Raises
    ------
    Refused
        If the quarter has not been run, or a model of that day is there: models are never changed.
    """
    to = house.models / FOLDER / f"{begins}.json"
    if to.exists():
        message = f"{to.name} is there already and holds from that day. Name a later day with --from."
        raise Refused(message)
    claims, homes = (registry_table(house, quarter, f"registry/{name}") for name in ("claims", "families"))
    people = compared(people_of(claims, homes))
    model = train(people, seed=seed, folder=house.models)
    write_atomically(to, model.to_json())
    return {"persons": people.height, "model": model.hash, "file": str(to)}
