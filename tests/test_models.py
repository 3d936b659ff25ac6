"""The shelf of scorecards: dated, immutable, named by content; and scores that say which card and facts made them."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from assets.decision.history import History
from assets.decision.quarter import judged_tables
from assets.lake import Table
from assets.welfare.models import (
    LIST,
    adopt,
    in_force,
    read_validation,
    scorecard,
    scorecard_on,
    shelve,
    validation_on,
    write_validation,
)
from assets.welfare.scorecard import Scorecard
from schemas.errors import Refused, Tampered
from schemas.vocabularies import Feed
from tests.made_families import CARD, terms
from tests.made_families import scorecard as made_card
from tests.made_registry import (
    HERE,
    HUSBAND,
    NEIGHBOUR,
    OTHERS,
    OURS,
    Q1,
    THERE,
    VILLAGE_THERE,
    Office,
    family,
    survey,
    validation,
)

NOW_ELSEWHERE = pl.DataFrame(schema=dict.fromkeys(["family_id", "regency_code", "now"], pl.String))
RECEIVED = NOW_ELSEWHERE.with_columns(
    pl.lit(None, pl.String).alias("programme"), pl.lit(None, pl.String).alias("status"),
    pl.lit(None, pl.Date).alias("member_since"),
)  # fmt: skip
OTHER = made_card(highest=500)
NEW_YEAR, SPRING = date(2026, 1, 1), date(2026, 4, 1)


def test_a_scorecard_is_in_force_from_its_day_until_the_next_one_is(tmp_path: Path) -> None:
    adopt(tmp_path, OTHER, SPRING, "2/2026")
    adopt(tmp_path, CARD, NEW_YEAR, "1/2026")
    assert scorecard_on(tmp_path, NEW_YEAR) == scorecard_on(tmp_path, date(2026, 3, 31)) == CARD
    assert scorecard_on(tmp_path, SPRING) == OTHER
    assert [(one.valid_from, one.approval) for one in in_force(tmp_path)] == [(NEW_YEAR, "1/2026"), (SPRING, "2/2026")]
    with pytest.raises(Refused, match="no scorecard is in force on 2025-12-31"):
        scorecard_on(tmp_path, date(2025, 12, 31))


def test_the_file_is_named_by_its_content_and_never_written_again(tmp_path: Path) -> None:
    path = shelve(tmp_path, CARD)
    assert path.name == f"{CARD.hash}.json"
    written = path.stat().st_mtime_ns, path.read_bytes()
    assert shelve(tmp_path, CARD) == path
    assert (path.stat().st_mtime_ns, path.read_bytes()) == written


def test_another_whole_scorecard_under_a_name_in_force_is_refused(tmp_path: Path) -> None:
    adopt(tmp_path, CARD, NEW_YEAR, "1/2026")
    shelve(tmp_path, OTHER).rename(tmp_path / f"{CARD.hash}.json")
    with pytest.raises(Tampered, match=OTHER.hash[:12]):
        scorecard_on(tmp_path, NEW_YEAR)
    with pytest.raises(Tampered, match=f"Restore models/{CARD.hash}"):
        adopt(tmp_path, CARD, SPRING, "2/2026")


def test_changed_points_under_a_name_in_force_are_refused(tmp_path: Path) -> None:
    adopt(tmp_path, CARD, NEW_YEAR, "1/2026")
    path = tmp_path / f"{CARD.hash}.json"
    path.write_bytes(path.read_bytes().replace(b"[1000,2000", b"[1001,2000"))
    with pytest.raises(Tampered, match="was changed after it was written"):
        scorecard(tmp_path, CARD.hash)


def test_a_list_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    adopt(tmp_path, CARD, NEW_YEAR, "1/2026")
    rows = yaml.safe_load((tmp_path / LIST).read_text())
    (tmp_path / LIST).write_text(yaml.safe_dump([{**rows[0], "until": SPRING}]))
    with pytest.raises(Refused, match="valid_from, model_hash and approval"):
        scorecard_on(tmp_path, NEW_YEAR)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office.in_folder(tmp_path)
    made.deliver(Q1, family(OURS, HUSBAND), family(OTHERS, NEIGHBOUR, village=VILLAGE_THERE))
    made.deliver(Q1, {Feed.SURVEYS: [survey(OURS, floor_area_m2=40), survey(OTHERS, floor_area_m2=50)]})
    return made.resolve(Q1)


def scored(office: Office, card: Scorecard = CARD) -> Table:
    nobody = History({}, None, NOW_ELSEWHERE, {}, RECEIVED)
    return judged_tables(office.house, terms(card=card), office.registry, nobody)["decision/scores"]


def row(office: Office, table: Table, card: str) -> dict[str, Any]:
    found = table.read(office.house.contracts["decision/scores"])
    return found.row(by_predicate=pl.col("family_id") == office.family(card)["family_id"], named=True)


def test_a_score_says_which_scorecard_and_which_facts_made_it(office: Office) -> None:
    found = row(office, scored(office), OURS)
    assert (found["score_micro"], found["model_hash"], len(found["input_hash"])) == (40_000, CARD.hash, 64)


def test_a_corrected_answer_is_scored_anew_and_an_untouched_regency_is_not(office: Office) -> None:
    before, ours, others = scored(office), *(row(office, scored(office), card) for card in (OURS, OTHERS))
    office.deliver(Q1, {Feed.VALIDATIONS: [validation(OURS, floor_area_m2=60)]})
    office.registry = {}
    office.resolve(Q1)
    after = scored(office)
    assert (row(office, after, OURS)["score_micro"], ours["score_micro"]) == (60_000, 40_000)
    assert row(office, after, OURS)["input_hash"] != ours["input_hash"]
    assert row(office, after, OTHERS) == others
    assert after.shards[HERE].path != before.shards[HERE].path
    assert after.shards[THERE] == before.shards[THERE]
    assert scored(office) == after


def test_another_scorecard_scores_everybody_anew(office: Office) -> None:
    before, after = scored(office), scored(office, OTHER)
    assert all(after.shards[name].path != before.shards[name].path for name in (HERE, THERE))
    assert row(office, after, OURS)["model_hash"] == OTHER.hash


def test_a_validation_is_kept_beside_its_scorecard_and_another_s_is_refused(tmp_path: Path) -> None:
    path = validation_on(tmp_path, CARD.hash)
    assert read_validation(path, CARD.hash) is None
    write_validation(path, CARD.hash, {"folds": 5})
    assert read_validation(path, CARD.hash) == {"folds": 5}
    with pytest.raises(Tampered, match=f"of the scorecard {CARD.hash[:12]}, not {OTHER.hash[:12]}"):
        read_validation(path, OTHER.hash)
    path.write_text("[]")
    with pytest.raises(Tampered, match="no validation"):
        read_validation(path, CARD.hash)
