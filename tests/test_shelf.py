"""The model card of a home: approval, drift against last quarter, whom the lists reach by group and channel."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.decision.draft import read_draft
from assets.published import in_force as revision_in_force
from assets.welfare.fit import Parameters, fit
from assets.welfare.models import adopt, in_force, scorecard_on, validation_on, write_validation
from assets.welfare.spec import SurveySpec
from assets.welfare.validate import validated
from pipelines import shelf
from pipelines.home import Home
from schemas.errors import Refused
from schemas.quarter import Quarter
from tests.homes import SECOND, Demo, perlinsos
from tests.made_families import CARD as FOREIGN
from tests.made_households import FIXED, SPEC, households

DAY = date(2026, 5, 1)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    survey, spec = households(200), SurveySpec.model_validate(SPEC)
    return validated(survey, spec, fit(survey, spec, **FIXED), (Parameters(10.0, 0, 0.1),))


def test_a_card_tells_approval_drift_and_whom_the_lists_reach(
    demo_copy: Path, found: dict[str, Any], tmp_path: Path
) -> None:
    house = Home(demo_copy).house
    card = scorecard_on(house.models, DAY)
    write_validation(validation_on(house.models, card.hash), card.hash, found)
    said = perlinsos(demo_copy, "model", "show", "--card", tmp_path / "card", "--lang", "en")
    assert (said.code, said.err) == (0, "")
    text = (tmp_path / "card" / "card.md").read_text(encoding="utf-8")
    assert f"Approval: {in_force(house.models)[0].approval}." in text
    assert f"{SECOND} against the quarter before. Alarms above 0.25: 0." in text
    assert all(f"| {feature.name} |" in text for feature in card.features)
    assert "| Channel: Field agent |" in text
    assert "Age of the head: Sixty or older" in (tmp_path / "card" / "card.html").read_text(encoding="utf-8")


def test_every_registered_family_is_in_one_value_of_each_group(demo: Demo) -> None:
    house = Home(demo.home).house
    told = shelf.known_of(house, scorecard_on(house.models, DAY))
    revision = revision_in_force(house, Quarter.parse(SECOND))
    assert revision is not None
    draft = read_draft(revision.restricted)
    scores = draft.read(house, "decision/scores")
    decided = draft.read(house, "decision/decisions").filter(pl.col("status") == "recipient")["family_id"].n_unique()
    expected = (scores.height, (~scores["scorable"]).sum(), decided)
    rows = pl.DataFrame(told["reach"])
    for (group,), mine in rows.group_by("group"):
        assert mine.select("families", "not_scorable", "recipients").sum().row(0) == expected, group
    assert {*rows.filter(group="channel")["value"]} == {"agent", "portal", "recipient_list", "village_office"}


def test_a_first_quarter_s_scorecard_is_validated_on_the_survey_it_was_fitted_on_and_once(
    demo_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Home(demo_copy).house
    card = scorecard_on(house.models, DAY)
    monkeypatch.setattr(shelf, "validated", lambda survey, spec, card: {"of": [survey.height, *spec.groups, card.hash]})
    first = shelf.validation_of(house, card)
    assert first == {"of": [card.provenance.rows, *card.spec.groups, card.hash]}
    groups = {
        "elderly_head",
        "female_head",
        "with_disability",
        "size",
        "urban",
        "elderly_alone_or_pair",
        "with_elderly",
    }
    assert groups == {*card.spec.groups}
    monkeypatch.setattr(shelf, "validated", None)
    assert shelf.validation_of(house, card) == first


def test_a_scorecard_of_an_unknown_survey_is_not_validated_here(demo_copy: Path) -> None:
    house = Home(demo_copy).house
    with pytest.raises(Refused, match="is in no quarter of this home"):
        shelf.validation_of(house, FOREIGN)
    adopt(house.models, FOREIGN, date(2026, 10, 1), "9/2026")
    told = shelf.known_of(house, FOREIGN)
    assert (told["quarter"], told["drift"], told["reach"]) == (None, [], [])
    assert told["in_force"] == [{"valid_from": date(2026, 10, 1), "approval": "9/2026"}]
