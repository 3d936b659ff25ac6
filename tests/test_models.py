"""The shelf of scorecards: dated, immutable, named by content; and scores that say which card and facts made them."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from assets.welfare.models import LIST, adopt, in_force, scorecard, scorecard_on, shelve
from schemas.errors import Refused, Tampered
from tests.made_families import CARD
from tests.made_families import scorecard as made_card

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
