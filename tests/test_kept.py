"""A sitting family keeps its place while data about it are missing, and what it is paid and compared by then."""

from typing import Any

import polars as pl
import pytest

from assets.decision.decide import decide
from schemas.vocabularies import Channel, Programme
from tests.made_families import ADULT, HERE, MICRO_PER_METRE, NOBODY, Made, families, seats, sitting, terms

TERMS = terms()
BLANK = Made("a", metres=None)
SITS = sitting(("a", "BPNT"))


def row_of(*made: Made, before: pl.DataFrame = SITS, places: int = 1, **record: object) -> dict[str, Any]:
    """What is decided of family `a` in BPNT; `record` changes what the registry holds of it."""
    frames = families(*made)
    mine = pl.col("family_id") == "a"
    records = frames.records.with_columns(
        pl.when(mine).then(pl.lit(value)).otherwise(name).cast(frames.records.schema[name]).alias(name)
        for name, value in record.items()
    )
    decided = decide(type(frames)(records, frames.members), TERMS, seats({HERE: (places, places)}), before)
    return decided.filter(mine, programme="BPNT").row(0, named=True)


def test_a_recipient_nobody_has_answers_of_keeps_its_place_before_poorer_newcomers() -> None:
    row = row_of(BLANK, Made("poor", 1))
    assert (row["status"], row["is_kept"], row["placed_by"]) == ("recipient", True, "kept")
    assert row["ground_checks"] == ["not_scorable"]


def test_a_newcomer_nobody_has_answers_of_keeps_nothing() -> None:
    row = row_of(BLANK, before=NOBODY)
    assert (row["status"], row["is_kept"]) == ("not_scorable", False)


def test_a_recipient_of_another_programme_keeps_no_place_in_this_one() -> None:
    assert row_of(BLANK, before=sitting(("a", "PKH")))["status"] == "not_scorable"


def test_a_finding_ends_aid_whatever_is_missing() -> None:
    found = Made("a", metres=None, facts={"has_pensioner": 1})
    assert row_of(found)["status"] == "ineligible"


def test_who_is_excluded_for_certain_keeps_no_place_in_a_later_quarter_either() -> None:
    waits = SITS.with_columns(status=pl.lit("ineligible"))
    assert row_of(BLANK, before=waits)["status"] == "not_scorable"


def test_kept_families_beyond_the_places_compete_among_themselves_by_their_last_score() -> None:
    before = sitting(("a", "BPNT"), ("b", "BPNT")).with_columns(score_micro=pl.Series([30, 20], dtype=pl.Int64))
    row = row_of(BLANK, Made("b", metres=None), Made("poor", 1), before=before)
    assert (row["status"], row["score_basis"]) == ("waiting", "last_known")
    assert row_of(BLANK, Made("b", metres=None), before=before, places=2)["status"] == "recipient"


@pytest.mark.parametrize(("decile", "metres"), [(1, 50), (2, 150), (10, 950)])
def test_without_a_score_of_before_it_competes_by_the_middle_of_its_official_decile(decile: int, metres: int) -> None:
    row = row_of(BLANK, official_decile_national=decile)
    assert (row["score_basis"], row["score_micro"]) == ("official_decile", metres * MICRO_PER_METRE)


def test_with_neither_it_competes_last() -> None:
    before = sitting(("a", "BPNT"), ("b", "BPNT")).with_columns(score_micro=pl.Series([None, 10**9], dtype=pl.Int64))
    row = row_of(BLANK, Made("b", metres=None), before=before)
    assert (row["status"], row["score_basis"]) == ("waiting", None)


LEAST = min(one.amount_rupiah for one in TERMS.policy.programmes[Programme.PKH].components)


@pytest.mark.parametrize(("known", "paid"), [(450_000, 450_000), (None, LEAST)])
def test_it_is_paid_what_it_received_last_where_what_is_due_is_unknown(known: int | None, paid: int) -> None:
    sits = sitting(("a", "PKH")).with_columns(amount_rupiah=pl.lit(known, pl.Int64))
    childless = families(Made("a", metres=None, members=(ADULT,)))
    records = childless.records.with_columns(channel=pl.lit(Channel.RECIPIENT_LIST.value))
    decided = decide(type(childless)(records, childless.members), TERMS, seats({HERE: (1, 1)}), sits)
    row = decided.filter(programme="PKH").row(0, named=True)
    assert (row["status"], row["amount_rupiah"]) == ("recipient", paid)


def test_a_registered_recipient_without_a_component_keeps_no_place() -> None:
    sits = sitting(("a", "PKH"))
    decided = decide(families(Made("a", metres=None, members=(ADULT,))), TERMS, seats({HERE: (1, 1)}), sits)
    assert decided.filter(programme="PKH")["status"].item() == "ineligible"
