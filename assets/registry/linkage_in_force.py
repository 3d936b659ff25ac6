"""The linkage model in force on a day: dated JSON that ships with the program, trained once per version.

How it was trained and how pairs are weighed is :mod:`assets.registry.linkage_training`'s and `linkage`'s.
"""

from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.resources import files

import polars as pl

from assets.registry.linkage import score_pairs
from assets.registry.linkage_model import LinkageModel
from quotas.rules import RegistryRule
from schemas.errors import Refused

FOLDER = "linkage_models"


def pair_scorer(day: date, rule: RegistryRule) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """What finds pairs under the model in force and the thresholds of policy (:func:`score_pairs`)."""
    model = model_on(day)

    def scored(people: pl.DataFrame) -> pl.DataFrame:
        return score_pairs(
            people,
            model,
            same_probability=rule.linkage_same_probability,
            clerk_probability=rule.linkage_clerk_probability,
        )

    return scored


@cache
def model_on(day: date) -> LinkageModel:
    """The model in force on a day: the last one dated up to it.

    Raises
    ------
    Refused
        If none is dated so early.
    Tampered
        If its file is not the one that was trained.
    """
    folder = files("assets.registry") / FOLDER
    dated = {
        date.fromisoformat(one.name.removesuffix(".json")): one
        for one in folder.iterdir()
        if one.name.endswith(".json")
    }
    begun = [since for since in dated if since <= day]
    if not begun:
        message = f"no linkage model is in force on {day}: the first is dated {min(dated)}."
        raise Refused(message)
    return LinkageModel.from_json(dated[max(begun)].read_bytes())
