"""The golden record: one value per attribute, with who said it and when."""

from datetime import date, timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.registry.attributes import Precedence, by_source, conflicts, golden_records, statements
from schemas.tables import TABLES
from schemas.vocabularies import Source

ATTRIBUTES = ("has_car", "goat_count")
CUT_OFF = date(2026, 1, 20)
OLDEST = CUT_OFF - timedelta(days=730)
SELF, AGENT, BPS = Source.SELF_REPORT.value, Source.AGENT_SURVEY.value, Source.BPS_VALIDATION.value
PRECEDENCE = (Source.BPS_VALIDATION, Source.AGENT_SURVEY, Source.SELF_REPORT, Source.THIRD_PARTY)
OCT, NOV, DEC = date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1)
SAID = {
    "family_id": pl.String, "source": pl.String, "date": pl.Date, "issued_on": pl.Date, "has_car": pl.Int32,
    "goat_count": pl.Int32,
}  # fmt: skip
GOLDEN = {"family_id": pl.String} | {
    part: dtype
    for name in ATTRIBUTES
    for part, dtype in ((name, pl.Int32), (f"{name}_source", pl.String), (f"{name}_date", pl.Date))
}
Said = tuple[str, date, int | None]


def said(*rows: tuple[Any, ...], issued_on: date = CUT_OFF) -> pl.DataFrame:
    """Statements of family F as (source, day, car, goats)."""
    full = [("F", source, day, issued_on, car, *(goats or [None])) for source, day, car, *goats in rows]
    return pl.DataFrame(full, schema=SAID, orient="row")


def golden(frame: pl.DataFrame, previous: pl.DataFrame | None = None, newest: date = CUT_OFF) -> pl.DataFrame:
    before = pl.DataFrame(schema=GOLDEN) if previous is None else previous
    precedence = Precedence(PRECEDENCE, newest - timedelta(days=730), newest)
    expiry = pl.DataFrame({"family_id": ["F"], "oldest": [precedence.oldest]})
    made = golden_records(by_source(frame, ATTRIBUTES, precedence), before, expiry, ATTRIBUTES, precedence)
    return made.cast(GOLDEN)  # type: ignore[arg-type]


def car(frame: pl.DataFrame) -> tuple[Any, ...]:
    """Value, source and day of the only family's car."""
    return frame.select("has_car", "has_car_source", "has_car_date").row(0)


def test_bps_beats_an_agent_who_beats_the_family_itself_however_fresh_these_are() -> None:
    assert car(golden(said((SELF, DEC, 0), (AGENT, NOV, 1)))) == (1, AGENT, NOV)
    assert car(golden(said((SELF, DEC, 0), (AGENT, NOV, 1), (BPS, OCT, 0)))) == (0, BPS, OCT)


def test_of_two_visits_the_fresher_one_is_believed() -> None:
    assert car(golden(said((AGENT, OCT, 1), (AGENT, DEC, 0), (AGENT, NOV, 1)))) == (0, AGENT, DEC)


def test_of_two_visits_of_one_day_the_one_issued_later_is_believed() -> None:
    early, late = said((AGENT, NOV, 1), issued_on=DEC), said((AGENT, NOV, 0), issued_on=CUT_OFF)
    assert car(golden(pl.concat([early, late]))) == car(golden(pl.concat([late, early]))) == (0, AGENT, NOV)


def test_a_question_left_out_takes_nothing_away_from_a_weaker_answer() -> None:
    made = golden(said((BPS, DEC, 0, None), (SELF, NOV, 1, 7)))
    assert car(made) == (0, BPS, DEC)
    assert made.select("goat_count", "goat_count_source", "goat_count_date").row(0) == (7, SELF, NOV)


def test_an_answer_older_than_policy_allows_is_unknown_and_has_no_source() -> None:
    assert car(golden(said((BPS, OLDEST, 1)))) == (1, BPS, OLDEST)
    assert golden(said((BPS, date(2024, 1, 20), 1))).is_empty()
    mixed = golden(said((BPS, date(2024, 1, 20), 1, None), (SELF, NOV, None, 2)))
    assert car(mixed) == (None, None, None)


def test_last_quarters_value_stands_with_its_own_source_and_date_until_something_outranks_it() -> None:
    before = golden(said((AGENT, NOV, 1)))
    april = date(2026, 4, 20)
    assert car(golden(said(), before, april)) == (1, AGENT, NOV)
    assert car(golden(said((SELF, date(2026, 3, 1), 0)), before, april)) == (1, AGENT, NOV)
    assert car(golden(said((AGENT, OCT, 0)), before, april)) == (1, AGENT, NOV)
    assert car(golden(said((AGENT, date(2026, 3, 1), 0)), before, april)) == (0, AGENT, date(2026, 3, 1))
    assert car(golden(said((BPS, OCT, 0)), before, april)) == (0, BPS, OCT)


def test_a_bps_correction_withstands_a_later_agent_survey() -> None:
    corrected = golden(said((BPS, DEC, 0)))
    assert car(golden(said((AGENT, date(2026, 3, 1), 1)), corrected, date(2026, 4, 20))) == (0, BPS, DEC)


def test_last_quarters_value_is_unknown_once_it_is_older_than_policy_allows() -> None:
    before = golden(said((BPS, OLDEST, 1)))
    later = date(2026, 4, 20)
    assert car(golden(said(), before, later)) == (None, None, None)
    assert car(golden(said((SELF, DEC, 0)), before, later)) == (0, SELF, DEC)


def test_a_feed_that_does_not_ask_a_question_says_nothing_about_it() -> None:
    days = {"family_id": ["F"], "issued_on": [CUT_OFF], "batch_id": ["b"], "row_number": [2]}
    made = statements(
        pl.DataFrame({**days, "registered_date": [OCT], "has_car": [1]}),
        pl.DataFrame({**days, "survey_date": [NOV], "has_car": [0], "goat_count": [3]}),
        pl.DataFrame({**days, "validation_date": [DEC]}),
        pl.DataFrame(schema={"batch_id": pl.String, "row_number": pl.Int64}),
        ATTRIBUTES,
    )
    assert made.select("source", "date", "has_car", "goat_count").rows() == [
        (SELF, OCT, 1, None),
        (AGENT, NOV, 0, 3),
        (BPS, DEC, None, None),
    ]


STATEMENT = st.tuples(
    st.sampled_from([SELF, AGENT, BPS]),
    st.dates(date(2023, 12, 1), CUT_OFF),
    st.none() | st.integers(0, 1),
    st.none() | st.integers(0, 9),
)


@given(st.lists(STATEMENT, max_size=8), st.randoms(use_true_random=False))
def test_no_order_of_arrival_decides(rows: list[Said], random: Random) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)
    assert golden(said(*rows)).equals(golden(said(*shuffled)))


@given(st.lists(STATEMENT, max_size=8))
def test_the_golden_record_is_what_a_plain_search_finds(rows: list[Said]) -> None:
    made = golden(said(*rows))
    strength = {source.value: place for place, source in enumerate(PRECEDENCE)}
    answers = [(source, day, value) for source, day, value, *_ in rows if value is not None and day >= OLDEST]
    if not answers:
        assert made.is_empty() or car(made) == (None, None, None)
        return
    best = min(answers, key=lambda one: (strength[one[0]], -one[1].toordinal()))
    assert car(made)[1:] == best[:2]
    assert car(made)[0] in {value for source, day, value in answers if (source, day) == best[:2]}


@pytest.mark.parametrize("cut", range(5))
def test_stating_half_in_one_quarter_and_half_in_the_next_ends_in_the_same_record(cut: int) -> None:
    rows = [(SELF, NOV, 1, 2), (AGENT, OCT, None, 3), (BPS, OCT, 0), (AGENT, NOV, 1, None)]
    assert golden(said(*rows[cut:]), golden(said(*rows[:cut]))).equals(golden(said(*rows)))


def conflicting(
    frame: pl.DataFrame, last: pl.DataFrame | None = None, before: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Conflicts of a quarter on top of last quarter's golden record and conflicts."""
    precedence = Precedence(PRECEDENCE, OLDEST, CUT_OFF)
    record = golden(frame, before)
    known = pl.DataFrame(schema=TABLES["registry/conflicts"].dtypes) if last is None else last
    return conflicts(by_source(frame, ATTRIBUTES, precedence), record, known, ATTRIBUTES)


def test_a_conflict_names_what_is_believed_and_the_strongest_source_that_says_otherwise() -> None:
    found = conflicting(said((SELF, DEC, 0, 3), (AGENT, NOV, 0, 2), (BPS, OCT, 1, 3)))
    assert found.sort("attribute").rows() == [
        ("F", "goat_count", 3.0, BPS, OCT, 2.0, AGENT, NOV),
        ("F", "has_car", 1.0, BPS, OCT, 0.0, AGENT, NOV),
    ]


def test_an_answer_that_one_source_changed_is_no_conflict() -> None:
    assert conflicting(said((AGENT, NOV, 0), (AGENT, DEC, 1))).is_empty()


def test_a_conflict_lasts_until_its_answer_or_the_other_source_says_something_new() -> None:
    first = said((SELF, NOV, 0), (BPS, OCT, 1))
    conflict, record = conflicting(first), golden(first)
    assert conflicting(said(), conflict, record).equals(conflict)
    assert conflicting(said((SELF, DEC, 1)), conflict, record).is_empty()
    assert conflicting(said((BPS, DEC, 0)), conflict, record).is_empty()
