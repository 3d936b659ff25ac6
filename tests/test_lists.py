"""What outsiders learn by laying public lists beside each other: at most one family in a hundred beyond chance."""

from itertools import combinations, product
from pathlib import Path

import polars as pl
import pytest

from assets.publication.lists import recipients
from quotas.rulebook import rulebook
from schemas.quarter import Quarter
from schemas.vocabularies import Programme
from tests.homes import FIRST, SECOND, Demo, decisions, revision

LISTS = ("recipients", "waiting_list")
LARGEST_LINKED_SHARE = 0.01
KNOWN_TO_ALL = ["village_code"]

Listed = dict[tuple[str, str, Programme], pl.DataFrame]


def public_lists(home: Path) -> Listed:
    """Every list of every quarter and programme as published, with the family behind each row."""
    found: Listed = {}
    for quarter, name in product((FIRST, SECOND), LISTS):
        families = decisions(home, quarter).select(reference="list_reference", family_id="family_id")
        rows = pl.read_parquet(revision(home, quarter) / f"{name}.parquet").join(families, on="reference")
        for programme in Programme:
            found[quarter, name, programme] = rows.filter(programme=programme)
    return found


def right_guesses(one: pl.DataFrame, other: pl.DataFrame, by: list[str]) -> float:
    """Share of the first list's families that a stranger finds on the second by guessing among rows alike in `by`."""
    alike = other.group_by(by).agg(candidates=pl.len())
    on_both = one.join(other, on="family_id", how="semi").join(alike, on=by)
    return float((1 / on_both["candidates"]).sum()) / max(one.height, 1)


def linked_share(one: pl.DataFrame, other: pl.DataFrame) -> float:
    """Share that a stranger links beyond what the village alone gives, by the best of the public columns."""
    columns = ["reference", "masked_name", "district_code"]
    tried = [[*KNOWN_TO_ALL, *more] for size in (1, 2, 3) for more in combinations(columns, size)]
    return max(right_guesses(one, other, by) for by in tried) - right_guesses(one, other, KNOWN_TO_ALL)


def test_no_family_is_followed_from_the_list_of_one_programme_to_that_of_another(demo: Demo) -> None:
    lists = public_lists(demo.home)
    learned = {(one, other): linked_share(lists[one], lists[other]) for one, other in combinations(lists, 2)}
    print("\nlinked beyond chance by village, name and reference:")  # noqa: T201
    for (one, other), share in sorted(learned.items(), key=lambda pair: -pair[1]):
        print(f"  {share:6.1%}  {' '.join(one):36} {' '.join(other)}")  # noqa: T201
    between = {pair: share for pair, share in learned.items() if pair[0][2] is not pair[1][2]}
    assert len(between) == 16
    assert max(between.values()) <= LARGEST_LINKED_SHARE


def test_names_on_the_lists_of_both_programmes_would_link_them(demo: Demo) -> None:
    named = decisions(demo.home, FIRST).filter(pl.col("status") == "recipient").lazy()
    rows = recipients(named, [*Programme]).collect()
    pkh, bpnt = (rows.filter(programme=programme) for programme in Programme)
    assert linked_share(pkh, bpnt) > 10 * LARGEST_LINKED_SHARE


@pytest.mark.parametrize("programme", Programme)
def test_policy_says_on_which_lists_names_stand(demo: Demo, programme: Programme) -> None:
    names = rulebook().on(Quarter.parse(FIRST).first_day).publication.names
    rows = {name: pl.read_parquet(revision(demo.home, FIRST) / f"{name}.parquet") for name in LISTS}
    for name, listed in rows.items():
        mine = listed.filter(programme=programme)["masked_name"]
        assert mine.null_count() == (0 if programme in getattr(names, name) else mine.len())
        assert mine.len() > 0
