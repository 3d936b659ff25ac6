"""What a home knows of a scorecard beyond its file: validation, approval, drift, and whom its lists reach.

Nothing is fitted anew but where a first quarter's scorecard was never validated.
"""

from typing import Any

import polars as pl

from assets.decision.draft import Draft, read_draft
from assets.house import House
from assets.intake.pins import Pins
from assets.intake.poverty import poverty_of
from assets.published import current, in_force
from assets.simulation.groups import groups
from assets.welfare.first_fit import with_lines
from assets.welfare.models import in_force as listed
from assets.welfare.models import read_validation, validation_on, write_validation
from assets.welfare.scorecard import Scorecard
from assets.welfare.survey import training_rows
from assets.welfare.validate import validated
from schemas.errors import NotScorable, Refused, SpecError
from schemas.quarter import Quarter
from schemas.vocabularies import Feed, Status

_SURVEY = "intake/consumption_survey"
_GROUPS = ("head_age", "head_sex", "disability", "household_size", "settlement", "channel")


def validation_of(house: House, card: Scorecard) -> dict[str, Any]:
    """What validating a scorecard found: as kept on the shelf, else found now on the home's survey, and kept.

    Raises
    ------
    Refused
        If it was never validated and the survey it was fitted on is not in this home.
    """
    path = validation_on(house.models, card.hash)
    found = read_validation(path, card.hash)
    if found is None:
        found = validated(_survey_of(house, card), card.spec, card)
        write_validation(path, card.hash, found)
    return found


def _survey_of(house: House, card: Scorecard) -> pl.DataFrame:
    for name in sorted(folder.name for folder in (house.lake.root / _SURVEY).glob("*")):
        pins = Pins.of(house.lake, Quarter.parse(name), None)
        delivered = pins.tables(house.lake)
        survey, poverty = delivered[Feed.CONSUMPTION_SURVEY], delivered[Feed.POVERTY_STATISTICS]
        if not survey.rows or not poverty.rows:
            continue
        households = with_lines(survey.read(house.contracts[_SURVEY]), poverty_of(house, pins, poverty), card.spec)
        try:
            if training_rows(households, card.spec).hash == card.provenance.survey_hash:
                return households
        except (NotScorable, SpecError):
            continue
    message = (
        f"scorecard {card.hash[:12]} was never validated here, and the survey it was fitted on is in no quarter of "
        "this home. Adopt it from the folder `perlinsos model fit` wrote, where validation.json lies beside model.json."
    )
    raise Refused(message)


def known_of(house: House, card: Scorecard) -> dict[str, Any]:
    """Approvals of a scorecard, and what the latest published quarter that it decided tells, for its card.

    Returns
    -------
    dict
        ``in_force`` (``valid_from``, ``approval`` per entry of the list), ``quarter`` (None where it decided none),
        ``drift`` (rows of `decision/drift`, the most moved first) and ``reach`` (per group of registered families:
        ``families``, ``not_scorable``, ``recipients`` of any programme).
    """
    approvals = [one for one in listed(house.models) if one.model_hash == card.hash]
    draft = _latest(house, card)
    return {
        "in_force": [{"valid_from": one.valid_from, "approval": one.approval} for one in approvals],
        "quarter": None if draft is None else str(draft.quarter),
        "drift": [] if draft is None else _drift(house, draft),
        "reach": [] if draft is None else _reach(house, draft),
    }


def _latest(house: House, card: Scorecard) -> Draft | None:
    for name in sorted(current(house), reverse=True):
        revision = in_force(house, Quarter.parse(name))
        if revision is not None and (draft := read_draft(revision.restricted)).model_hash == card.hash:
            return draft
    return None


def _drift(house: House, draft: Draft) -> list[dict[str, Any]]:
    return draft.read(house, "decision/drift").sort("psi_micro", "feature", descending=[True, False]).to_dicts()


def _reach(house: House, draft: Draft) -> list[dict[str, Any]]:
    def scan(key: str) -> pl.LazyFrame:
        return draft.table(house, key).scan(house.contracts[key])

    families = scan("registry/families")
    kind = pl.col("village_code").str.split(".").list.last().str.slice(0, 1)
    about = families.select(
        "family_id",
        *groups(families.collect_schema().names()),
        settlement=kind.replace_strict({"1": "kelurahan", "2": "desa"}, default="unknown"),
        channel="channel",
    )
    receives = (pl.col("status") == Status.RECIPIENT).any()
    decided = scan("decision/decisions").group_by("family_id").agg(receives=receives)
    told = (
        about.join(scan("decision/scores").select("family_id", "scorable"), on="family_id", how="inner")
        .join(decided, on="family_id", how="left")
        .collect()
    )
    counts = {
        "families": pl.len(),
        "not_scorable": (~pl.col("scorable")).sum(),
        "recipients": pl.col("receives").fill_null(value=False).sum(),
    }
    rows = []
    for group in _GROUPS:
        of_group = told.group_by(value=pl.col(group)).agg(**counts).sort(pl.col("value") == "unknown", "value")
        rows += [{"group": group, **row} for row in of_group.to_dicts()]
    return rows
