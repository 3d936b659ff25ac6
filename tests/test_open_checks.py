"""How many wait and how long: counted by regency, channel and age of the head, and what of it is published."""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from assets.decision.decide import decide
from assets.decision.families import Terms
from assets.decision.open_checks import open_checks
from assets.decision.worklist import worklist
from assets.publication.lists import SMALLEST_SHOWN
from assets.publication.lists import open_checks as published
from schemas.tables import TABLES
from schemas.vocabularies import Channel
from tests.made_families import ADULT, HERE, NOBODY, THERE, Made, families, held, seats, sitting, terms

TERMS = terms()
NOTHING = pl.DataFrame(schema={"family_id": pl.String, "reason": pl.String, "since": pl.String})
NO_DOUBTS = pl.DataFrame(schema={"family_id": pl.String, "programme": pl.String, "reason": pl.String})
COUNTS = [
    "evaluated", "unverified", "pending", "held", "held_one_quarter", "held_two_quarters", "held_longer",
    "with_supervisor", "kept_places",
]  # fmt: skip


def counted(
    *made: Made,
    heads: dict[str, int] | None = None,
    channels: dict[str, str] | None = None,
    before: pl.DataFrame = NOBODY,
    earlier: pl.DataFrame = NOTHING,
    on: Terms = TERMS,
) -> pl.DataFrame:
    """The open checks of these families; heads are 40 and registered with an agent unless said otherwise."""
    frames = families(*made)
    rows = decide(frames, on, seats({HERE: (9, 9), THERE: (9, 9)}), before)
    rows = rows.with_columns(reference="family_id")
    records = frames.records.with_columns(
        pl.col("family_id").replace_strict(heads or {}, default=40, return_dtype=pl.Int32).alias("head_age"),
        pl.col("family_id").replace_strict(channels or {}, default="agent", return_dtype=pl.String).alias("channel"),
    )
    pending = pl.Series("family_id", ["pending"])
    table = open_checks(records, rows, worklist(rows, NO_DOUBTS, earlier, on), pending, on)
    fitted = TABLES["decision/open_checks"].fit(table)
    TABLES["decision/open_checks"].schema.validate(fitted)
    return fitted


def of(table: pl.DataFrame, *where: str) -> dict[str, Any]:
    """The counts above nothing of one cell."""
    key = dict(zip(("regency_code", "channel", "age_group"), where, strict=True))
    row = table.filter(**key).select(COUNTS).row(0, named=True)
    return {name: count for name, count in row.items() if count}


def test_families_are_counted_by_regency_channel_and_age_of_the_head() -> None:
    made = [Made("a"), Made("b"), Made("c"), Made("d", regency=THERE)]
    table = counted(*made, heads={"a": 60, "b": 59}, channels={"c": Channel.PORTAL.value})
    assert [(*row[1:4], row[4]) for row in table.rows()] == [
        (HERE, "agent", "sixty_and_older", 1), (HERE, "agent", "under_sixty", 1), (HERE, "portal", "under_sixty", 1),
        (THERE, "agent", "under_sixty", 1),
    ]  # fmt: skip


def test_a_head_of_unknown_age_is_in_a_group_of_its_own() -> None:
    made = families(Made("a"))
    rows = decide(made, TERMS, seats({HERE: (9, 9)}), NOBODY).with_columns(reference="family_id")
    listed = worklist(rows, NO_DOUBTS, NOTHING, TERMS)
    nobody = pl.Series("family_id", [], pl.String)
    for records in (made.records, made.records.drop("head_age")):
        assert open_checks(records, rows, listed, nobody, TERMS)["age_group"].to_list() == ["unknown"]


def test_who_is_not_verified_and_who_has_a_pending_statement_is_counted() -> None:
    table = counted(Made("a"), Made("b", is_verified=True), Made("pending", is_verified=True))
    assert of(table, HERE, "agent", "under_sixty") == {"evaluated": 3, "unverified": 1, "pending": 1}


def test_a_wait_is_counted_once_per_family_by_how_long_it_has_lasted() -> None:
    made = [Made(f"f{at}", case="case-1") for at in range(4)]
    waits = [(f"f{at}", code, since) for at, since in ((1, "2025Q4"), (2, "2025Q3"), (3, "2024Q1"))
             for code in ("PKH", "BPNT")]  # fmt: skip
    table = counted(*made, before=held(*waits))
    assert of(table, HERE, "agent", "under_sixty") == {
        "evaluated": 4, "unverified": 4, "held": 4, "held_one_quarter": 1, "held_two_quarters": 1, "held_longer": 2,
    }  # fmt: skip


def test_places_of_recipients_with_an_open_check_are_kept_by_it_but_not_by_a_due_review() -> None:
    car = {"car_count": 1}
    both = sitting(("a", "PKH"), ("a", "BPNT"))
    assert of(counted(Made("a", facts=car), before=both), HERE, "agent", "under_sixty")["kept_places"] == 2
    alone = Made("a", facts=car, members=(ADULT,))
    assert of(counted(alone, before=both), HERE, "agent", "under_sixty")["kept_places"] == 1
    long_ago = both.with_columns(member_since=pl.date(2015, 1, 1))
    assert "kept_places" not in of(counted(Made("a"), before=long_ago), HERE, "agent", "under_sixty")


def test_a_case_that_stood_too_long_is_counted_with_the_supervisor() -> None:
    earlier = pl.DataFrame({"family_id": ["a"], "reason": ["car_owner"], "since": ["2025Q3"]})
    made = Made("a", facts={"car_count": 1})
    table = counted(made, before=sitting(("a", "BPNT")), earlier=earlier)
    assert of(table, HERE, "agent", "under_sixty")["with_supervisor"] == 1


def cells(**columns: list[int]) -> pl.DataFrame:
    """Cells of one regency, one per channel, with counts nobody hides where not said otherwise."""
    size = len(next(iter(columns.values())))
    rows = [
        {"quarter": "2026Q1", "regency_code": HERE, "channel": [*Channel][at].value, "age_group": "under_sixty"}
        | dict.fromkeys(COUNTS, 100 + at)
        | {name: values[at] for name, values in columns.items()}
        for at in range(size)
    ]
    return pl.DataFrame(rows, schema=TABLES["decision/open_checks"].dtypes)


@pytest.mark.parametrize("name", [one for one in COUNTS if not one.startswith("held_")])
def test_a_small_count_is_suppressed_and_the_next_smallest_with_it(name: str) -> None:
    table = cells(**{name: [50, SMALLEST_SHOWN - 1, 9]})
    public = published(table)
    TABLES["publication/open_checks"].schema.validate(TABLES["publication/open_checks"].fit(public))
    hidden = public.filter(pl.col(name).is_null())["channel"].to_list()
    assert sorted(hidden) == sorted([Channel.AGENT.value, Channel.VILLAGE_OFFICE.value])
    others = [one for one in COUNTS if one != name]
    assert public.select(others).null_count().sum_horizontal().item() == 0


def test_the_waits_of_the_held_are_suppressed_together() -> None:
    public = published(cells(held_one_quarter=[1, 50, 60], held_two_quarters=[30, 9, 60]))
    waits = public.select("held_one_quarter", "held_two_quarters", "held_longer")
    assert waits.null_count().row(0) == (2, 2, 2)
    assert public["held"].null_count() == 0


def test_nothing_is_suppressed_where_nothing_is_small() -> None:
    table = cells(held=[0, SMALLEST_SHOWN, 70])
    assert published(table).equals(table.sort("regency_code", "channel", "age_group"))


def test_a_quarter_without_families_has_no_open_checks() -> None:
    assert counted().height == 0
    assert published(counted()).height == 0


def test_the_order_of_the_families_changes_nothing() -> None:
    made = [Made("a", case="case-1"), Made("b"), replace(Made("c"), facts={"car_count": 1})]
    assert counted(*made).equals(counted(*made[::-1]))
