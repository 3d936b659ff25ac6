"""The blocking checks of a draft: sound tables pass them all, and each fails on tables that break its promise."""

from collections.abc import Callable

import polars as pl
import pytest

from assets.checks import DRAFT_CHECKS, Counted, unreconciled
from assets.decision.decide import decide
from tests.made_families import ADULT, HERE, NOBODY, THERE, Made, families, seats, terms

MADE = families(
    Made("a", 1), Made("b", 2), Made("c", 3, regency=THERE), Made("blank", None), Made("held", 4, case="case-1"),
    Made("out", 5, members=(ADULT,), facts={"has_pensioner": 1}),
)  # fmt: skip
PLACES = seats({HERE: (1, 1), THERE: (5, 5)})
DECISIONS = decide(MADE, terms(), PLACES, NOBODY).with_columns(
    reference=pl.concat_str(pl.lit("R-"), "family_id"), list_reference=pl.format("{}-{}", "programme", "family_id")
)
CHECKS = {one.name: one for one in DRAFT_CHECKS}
Tables = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
SOUND: Tables = (MADE.records, DECISIONS, PLACES)


def broken(tables: Tables) -> dict[str, int]:
    """Number of rows that break each check that is broken."""
    counts = {name: one.broken(*(frame.lazy() for frame in tables)) for name, one in CHECKS.items()}
    return {name: count for name, count in counts.items() if count}


def row(family: str, programme: str = "PKH") -> pl.Expr:
    return (pl.col("family_id") == family) & (pl.col("programme") == programme)


def with_value(column: str, value: object, where: pl.Expr) -> Tables:
    changed = pl.when(where).then(pl.lit(value, DECISIONS.schema[column])).otherwise(column).alias(column)
    return MADE.records, DECISIONS.with_columns(changed), PLACES


def with_decisions(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Tables:
    return MADE.records, change(DECISIONS), PLACES


def test_every_status_is_among_the_sound_tables_and_they_break_nothing() -> None:
    assert set(DECISIONS["status"]) == {"recipient", "waiting", "ineligible", "not_scorable", "held"}
    assert broken(SOUND) == {}


def test_a_country_without_families_breaks_nothing() -> None:
    assert broken((MADE.records.clear(), DECISIONS.clear(), PLACES.clear())) == {}


def test_each_check_has_a_name_of_its_own_and_says_what_it_promises() -> None:
    assert len(CHECKS) == len(DRAFT_CHECKS)
    assert all(one.promise.endswith(".") for one in DRAFT_CHECKS)


@pytest.mark.parametrize(
    ("check", "tables"),
    [
        ("statuses_partition", with_decisions(lambda all_: all_.filter(pl.col("family_id") != "blank"))),
        ("statuses_partition", with_decisions(lambda all_: all_.filter(~row("out")))),
        ("statuses_partition", with_decisions(pl.DataFrame.clear)),
        ("statuses_partition", with_value("status", None, row("out"))),
        ("statuses_partition", with_value("status", "eligible", row("out"))),
        ("statuses_partition", (MADE.records.filter(pl.col("family_id") != "out"), DECISIONS, PLACES)),
        ("statuses_partition", with_decisions(lambda all_: pl.concat([all_, all_.filter(row("out"))]))),
        ("recipients_within_places", with_value("status", "recipient", row("b"))),
        ("recipients_within_places", (MADE.records, DECISIONS, seats({HERE: (1, 1)}))),
        ("recipients_within_places", (MADE.records, DECISIONS, seats({HERE: (0, 1), THERE: (5, 5)}))),
        ("no_duplicates", with_decisions(lambda all_: pl.concat([all_, all_.filter(row("b"))]))),
        ("no_duplicates", with_value("reference", "R-a", row("b"))),
        ("no_duplicates", with_value("list_reference", "PKH-a", row("b"))),
        ("no_duplicates", with_value("list_reference", "PKH-a", row("a", "BPNT"))),
        ("no_unscored_listed", with_value("score_micro", None, row("a"))),
        ("no_unscored_listed", with_value("score_micro", None, row("b", "BPNT"))),
        ("no_unscored_listed", with_value("rank", None, row("a"))),
        ("no_unscored_listed", with_value("status", "waiting", row("blank"))),
        ("only_listed_ranked", with_value("rank", 9, row("out"))),
        ("only_listed_ranked", with_value("rank", 9, row("held"))),
        ("only_listed_ranked", with_value("rank", 9, row("blank", "BPNT"))),
    ],
)
def test_a_table_that_breaks_a_promise_is_found(check: str, tables: Tables) -> None:
    found = broken(tables)
    assert check in found
    assert found[check] >= 1


def test_one_recipient_too_many_breaks_nothing_else() -> None:
    assert broken(with_value("status", "recipient", row("b"))) == {"recipients_within_places": 1}


def test_no_family_without_a_score_is_counted_twice() -> None:
    assert broken(with_value("score_micro", None, row("a"))) == {"no_unscored_listed": 1}


@pytest.mark.parametrize(("area", "code"), [("district_code", f"{HERE}.01"), ("village_code", f"{HERE}.01.2001")])
def test_places_of_smaller_areas_are_checked_in_them(area: str, code: str) -> None:
    made = families(Made("a", 1), Made("b", 2))
    places = seats({code: (1, 1)})
    decided = decide(made, terms({"quotas.area": area}), places, NOBODY).with_columns(
        reference="family_id", list_reference=pl.format("{}-{}", "programme", "family_id")
    )
    assert broken((made.records, decided, places)) == {}
    all_in = decided.with_columns(status=pl.lit("recipient"))
    assert broken((made.records, all_in, places)) == {"recipients_within_places": 2}


def test_a_stage_whose_rows_do_not_add_up_is_named() -> None:
    stages = [Counted("whole", 5, 3, 2), Counted("lost one", 5, 4), Counted("one too many", 5, 4, 2)]
    assert unreconciled(stages) == ["lost one", "one too many"]
