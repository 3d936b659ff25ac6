"""The linkage model in force on a day: dated JSON, trained once per version, shipped or put into the home.

How it is trained and how pairs are weighed is `training`'s and `scoring`'s.
"""

import shutil
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from pathlib import Path

import polars as pl

from assets.registry.linkage.model import LinkageModel
from assets.registry.linkage.scoring import score_pairs
from quotas.rules import RegistryRule
from schemas.errors import Refused

FOLDER = "linkage"
"""Folder of the models below a home's `models/`; files are named by the first day they hold."""


def pair_scorer(model: LinkageModel, rule: RegistryRule, folder: Path) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """What finds pairs under a model and the thresholds of policy; see `scoring.score_pairs`.

    Parameters
    ----------
    folder : Path
        Holds persons while they are compared, so that they never leave the home; empty before and afterwards.
    """

    def scored(people: pl.DataFrame) -> pl.DataFrame:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return score_pairs(
            people,
            model,
            same_probability=rule.linkage_same_probability,
            clerk_probability=rule.linkage_clerk_probability,
            folder=folder,
        )

    return scored


def model_on(models: Path, day: date) -> LinkageModel:
    """The model in force on a day: the last one dated up to it; of one date the home's rather than the shipped one.

    Parameters
    ----------
    models : Path
        A home's folder of models.

    Raises
    ------
    Refused
        If none is dated so early.
    Tampered
        If its file is not the one that was trained.
    """
    shipped = {
        one.name: one for one in (files("assets.registry.linkage") / "models").iterdir() if one.name.endswith(".json")
    }
    own = {one.name: one for one in (models / FOLDER).glob("*.json")}
    dated = {date.fromisoformat(name.removesuffix(".json")): file for name, file in {**shipped, **own}.items()}
    begun = [since for since in dated if since <= day]
    if not begun:
        message = f"no linkage model is in force on {day}: the first is dated {min(dated)}."
        raise Refused(message)
    return LinkageModel.from_json(dated[max(begun)].read_bytes())
