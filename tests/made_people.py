"""Invented persons with known duplicates: every record knows whose it is."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import combinations

import numpy as np
import polars as pl

_STARTS = ("Su", "Wi", "Ra", "Di", "Ma", "Ha", "Se", "Pu", "Yu", "Ka", "Ba", "No", "Li", "Tri", "Ci", "Fe")
_MIDDLES = ("ra", "di", "ti", "na", "ha", "mi", "yu", "la", "ki", "so", "ri", "wa")
_ENDS = ("no", "ti", "wan", "yah", "ningsih", "to", "ni", "man", "sari", "di", "tha", "na")
_FIRST, _DAYS = date(1935, 1, 1), 31_000


def _names(dice: np.random.Generator, count: int) -> list[str]:
    """So many names, the first of them the most frequent ones."""
    every = [a + b + c for a in _STARTS for b in _MIDDLES for c in _ENDS]
    return [every[at] for at in dice.permutation(len(every))[:count]]


def made_people(
    originals: int, duplicates: int, seed: int, errors: float = 1.5
) -> tuple[pl.DataFrame, set[tuple[str, str]]]:
    """Persons with all columns of linkage but the full name, and the pairs that are the same person.

    Parameters
    ----------
    originals, duplicates : int
        Persons, and further records of some of them, some with several.
    errors : float
        Mean number of columns that a duplicate has wrong, exchanged or missing.
    """
    dice = np.random.default_rng(seed)
    given, family, villages = _names(dice, 400), _names(dice, 900), _names(dice, 80)

    def one(names: list[str]) -> str:
        return names[min(int(dice.zipf(1.3)) + int(dice.integers(0, 12)), len(names)) - 1]

    records = []
    for number in range(originals):
        day = _FIRST + timedelta(days=int(dice.integers(_DAYS)))
        record = {
            "given_name": one(given), "family_name": one(family), "birth_date": day,
            "address": f"Jl {one(given)} {int(dice.integers(1, 200))}", "region": one(villages),
            "national_id": f"3510{int(dice.integers(1, 26)):02}{day:%d%m%y}{int(dice.integers(1, 9999)):04}",
            "contact": f"08{int(dice.integers(10**9, 10**10))}",
        }  # fmt: skip
        records.append((number, record))
    for _ in range(duplicates):
        number = int(dice.integers(min(originals, max(1, duplicates))))
        copy = dict(records[number][1])
        for _ in range(int(dice.poisson(errors))):
            _spoil(copy, dice)
        records.append((number, copy))
    order = dice.permutation(len(records))
    people = pl.DataFrame([{"id": f"p{at}", **records[position][1]} for at, position in enumerate(order)])
    owners = defaultdict(list)
    for at, position in enumerate(order):
        owners[records[position][0]].append(f"p{at}")
    truth = {(min(pair), max(pair)) for held in owners.values() for pair in combinations(held, 2)}
    return people, truth


def _spoil(record: dict[str, object], dice: np.random.Generator) -> None:
    column = str(dice.choice(list(record)))
    value = record[column]
    kind = dice.random()
    if value is None:
        return
    if kind < 0.15:
        record[column] = None
    elif kind < 0.25 and column in {"given_name", "family_name"}:
        record["given_name"], record["family_name"] = record["family_name"], record["given_name"]
    elif isinstance(value, date):
        record[column] = value.replace(year=value.year + 1, day=1) if kind < 0.6 else value + timedelta(days=1)
    else:
        text = str(value)
        at = int(dice.integers(len(text)))
        letter = str(dice.integers(10)) if text[at].isdigit() else "abcdefghijklmnopqrstuvwxyz"[int(dice.integers(26))]
        record[column] = text[:at] + letter + text[at + (kind < 0.6) :]
