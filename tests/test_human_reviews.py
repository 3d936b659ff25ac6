"""Human reviews that families ask for (UU 27/2022, article 10): on the worklist until a visit of BPS answers them."""

from datetime import date

import polars as pl
import pytest

from assets.decision.decide import decide
from assets.decision.worklist import worklist
from assets.registry.doubts import find_reviews
from schemas.tables import TABLES
from schemas.vocabularies import Doubt, Source
from tests.made_families import HERE, NOBODY, Made, families, seats, terms

ASKED, LATER, EARLIER = date(2026, 1, 10), date(2026, 1, 15), date(2026, 1, 5)
BPS, AGENT = Source.BPS_VALIDATION.value, Source.AGENT_SURVEY.value
DOUBTS = TABLES["registry/doubts"]


def requests(*rows: tuple[str, date]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"family_id": pl.String, "requested_date": pl.Date}, orient="row")


def earlier(*rows: tuple[str, date | None, date | None]) -> pl.DataFrame:
    """Doubts of the quarter before: family, day asked, day answered."""
    named = {"regency_code": HERE, "reason": Doubt.REVIEW_REQUESTED.value, "author": None}
    told = [{"family_id": name, "asked_on": asked, "answered_on": answered, **named} for name, asked, answered in rows]
    return pl.DataFrame(told, schema=DOUBTS.dtypes)


def visited(*rows: tuple[str, int | None, date | None, str | None]) -> pl.DataFrame:
    names = ("family_id", "visit_result", "visit_result_date", "visit_result_source")
    kinds = (pl.String, pl.Int32, pl.Date, pl.String)
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


NOT_VISITED = visited(("a", None, None, None))


def test_a_request_is_open_until_it_is_answered() -> None:
    assert find_reviews(requests(("a", ASKED)), earlier(), NOT_VISITED).rows() == [("a", ASKED, None)]
    assert find_reviews(requests(), earlier(("a", ASKED, None)), NOT_VISITED).rows() == [("a", ASKED, None)]


@pytest.mark.parametrize(
    ("visit", "answered"),
    [
        ((1, LATER, BPS), LATER),
        ((1, ASKED, BPS), ASKED),
        ((1, EARLIER, BPS), None),
        ((1, LATER, AGENT), None),
        ((3, LATER, BPS), None),
    ],
)
def test_a_completed_visit_of_bps_since_the_day_asked_answers_it_and_nothing_else_does(
    visit: tuple[int, date, str], answered: date | None
) -> None:
    found = find_reviews(requests(), earlier(("a", ASKED, None)), visited(("a", *visit)))
    assert found.rows() == [("a", ASKED, answered)]


def test_what_was_answered_is_over_and_may_be_asked_again() -> None:
    then, visit = earlier(("a", EARLIER, EARLIER)), visited(("a", 1, EARLIER, BPS))
    assert find_reviews(requests(), then, visit).is_empty()
    assert find_reviews(requests(("a", ASKED)), then, visit).rows() == [("a", ASKED, None)]


def test_asking_twice_keeps_the_first_day() -> None:
    twice = requests(("a", LATER), ("a", ASKED))
    assert find_reviews(twice, earlier(("a", EARLIER, None)), NOT_VISITED).rows() == [("a", EARLIER, None)]


def test_a_request_of_a_draft_of_before_this_rule_without_a_day_is_not_carried() -> None:
    assert find_reviews(requests(), earlier(("a", None, None)), NOT_VISITED).is_empty()


def listed(since: str | None, answered: date | None, made: Made) -> list[tuple[object, ...]]:
    """State, who acts and programmes of the review of one family that has stood since a quarter."""
    on = terms()
    decided = decide(families(made), on, seats({HERE: (0, 0)}), NOBODY).with_columns(reference="family_id")
    doubts = pl.DataFrame(
        {"family_id": ["a"], "programme": [None], "reason": ["review_requested"]},
        schema=dict.fromkeys(["family_id", "programme", "reason"], pl.String),
    )
    known = {"family_id": ["a"] * (since is not None), "reason": ["review_requested"] * (since is not None)}
    stood = pl.DataFrame(
        {**known, "since": [since] * (since is not None)}, schema=dict.fromkeys([*known, "since"], pl.String)
    )
    reviews = pl.DataFrame(
        [("a", ASKED, answered)],
        schema={"family_id": pl.String, "asked_on": pl.Date, "answered_on": pl.Date},
        orient="row",
    )
    rows = TABLES["decision/worklist"].fit(worklist(decided, doubts, stood, on, reviews))
    mine = rows.filter(reason="review_requested")
    return mine.select("review_state", "goes_to", "asked_on", "answered_on", "programmes").rows()


@pytest.mark.parametrize("made", [Made("a"), Made("a", facts={"has_pensioner": 1}), Made("a", metres=None)])
def test_any_family_that_asks_stands_on_the_worklist_whatever_was_decided(made: Made) -> None:
    both = ["BPNT", "PKH"]
    assert listed(None, None, made) == [("asked", "bps", ASKED, None, both)]
    assert listed("2025Q4", None, made) == [("under_review", "supervisor", ASKED, None, both)]
    assert listed(None, LATER, made) == [("answered", "bps", ASKED, LATER, both)]
