"""`perlinsos link`: linkage alone, on any file of persons. Reading it, training and scoring are below."""

from datetime import date
from pathlib import Path

import polars as pl

from assets.lake import write_atomically
from assets.registry.linkage import CLERK, SAME, score_pairs
from assets.registry.linkage_training import train
from assets.registry.person_file import PersonFile
from quotas.rulebook import rulebook

SEED = 1
_WRITTEN = ("id_left", "id_right", "probability", "outcome")


def link_people(file: PersonFile, to: Path, day: date) -> dict[str, int | str]:
    """Train on the persons of a file, write its pairs to a CSV, and count.

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
    model = train(file.people, seed=SEED)
    pairs = score_pairs(
        file.people,
        model,
        same_probability=rule.linkage_same_probability,
        clerk_probability=rule.linkage_clerk_probability,
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
