"""Ranking: score, then the policy's tie-breakers, then the lottery; positions without a gap, cut at the places."""

import hashlib
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.decision.decide import decide
from assets.decision.families import Terms
from assets.decision.judge import eligibility, judge
from assets.decision.ranking import rank, statuses
from tests.made_families import (
    ADULT,
    CHILD,
    ELDER,
    HERE,
    NOBODY,
    THERE,
    Made,
    Person,
    column_of,
    families,
    seats,
    terms,
)

OPEN: dict[str, object] = {"filters": [], "programmes.PKH": None, "programmes.BPNT.max_decile": None}
"""Every family that can be scored is eligible: only the order is left to decide."""
TERMS = terms(OPEN)
ALONE_ELDER = (ELDER,)
DISABLED = Person(date(1990, 6, 15), disability=2)
PREGNANT = Person(date(1990, 6, 15), is_pregnant=True)
TODDLER = Person(date(2021, 1, 27))
FIVE_TODAY = Person(date(2021, 1, 26))
MINOR = Person(date(2008, 1, 27))
ADULT_TODAY = Person(date(2008, 1, 26))
SIXTY_TODAY = Person(date(1966, 1, 26))
SIXTY_TOMORROW = Person(date(1966, 1, 27))


def ranked(*made: Made, places: int = 0, on: Terms = TERMS, regency: str = HERE) -> pl.DataFrame:
    return decide(families(*made), on, seats({regency: (0, places)}), NOBODY)


def order(*made: Made, on: Terms = TERMS) -> str:
    """Names in the order of their rank, whichever stood first among the rows."""
    decided = ranked(*reversed(made), on=on).sort("rank")
    assert decided["rank"].to_list() == list(range(1, len(made) + 1))
    return " ".join(decided["family_id"])


def test_the_poorest_comes_first() -> None:
    assert order(Made("c", 30), Made("a", 10), Made("b", 20)) == "a b c"


@pytest.mark.parametrize(
    ("first", "second", "tie_break"),
    [
        ((DISABLED, ADULT), (ADULT, ADULT), "severe_disability_count"),
        ((DISABLED, DISABLED), (DISABLED, CHILD), "severe_disability_count"),
        (ALONE_ELDER, (TODDLER, CHILD), "elderly_alone"),
        ((SIXTY_TODAY,), (SIXTY_TOMORROW,), "elderly_alone"),
        (ALONE_ELDER, (ELDER, ELDER), "elderly_alone"),
        ((PREGNANT, ADULT), (ADULT, MINOR, MINOR), "pregnant_or_under_five_count"),
        ((TODDLER, ADULT), (FIVE_TODAY, ADULT), "pregnant_or_under_five_count"),
        ((ADULT, MINOR), (ADULT, ADULT_TODAY), "dependant_count"),
        ((ADULT, SIXTY_TODAY), (ADULT, SIXTY_TOMORROW), "dependant_count"),
    ],
)
def test_among_equal_scores_the_vulnerable_go_first(
    first: tuple[Person, ...], second: tuple[Person, ...], tie_break: str
) -> None:
    made = (Made("z", members=first, registered=date(2025, 12, 1)), Made("a", members=second))
    assert order(*made) == "z a"
    assert column_of(ranked(*made), "tie_break", "BPNT")["z"] == tie_break


def test_a_higher_tie_breaker_goes_before_any_number_of_lower_ones() -> None:
    made = (Made("z", members=(DISABLED,)), Made("a", members=(PREGNANT, TODDLER, TODDLER, MINOR, ELDER)))
    assert order(*made) == "z a"


def test_a_score_a_millionth_lower_goes_before_every_tie_breaker() -> None:
    made = (Made("z", 10, members=(ADULT,)), Made("a", 11, members=(DISABLED, PREGNANT, TODDLER)))
    assert order(*made) == "z a"
    assert column_of(ranked(*made), "tie_break", "BPNT") == {"z": "score", "a": None}


def test_after_the_vulnerable_the_earlier_registration_goes_first() -> None:
    made = (Made("z", registered=date(2025, 10, 1)), Made("a", registered=date(2025, 10, 2)))
    assert order(*made) == "z a"
    assert column_of(ranked(*made), "tie_break", "BPNT")["z"] == "registered_date"


def test_the_lottery_draws_by_the_hash_of_the_published_seed_and_the_card_number() -> None:
    made = [Made(f"f{number}") for number in range(12)]
    orders = set()
    for seed in ("drawn-in-public-1", "drawn-in-public-2"):
        drawn = sorted(made, key=lambda one: hashlib.sha256(f"{seed}|{one.card_number}".encode()).hexdigest())
        assert order(*made, on=terms(OPEN, seed=seed)) == " ".join(one.name for one in drawn)
        orders.add(order(*made, on=terms(OPEN, seed=seed)))
    assert len(orders) == 2
    assert set(ranked(*made).sort("rank")["tie_break"].to_list()[:-1]) == {"lottery"}


def test_the_policy_says_which_tie_breakers_there_are() -> None:
    breakers = [{"fact": "registered_date", "order": "descending"}]
    made = (Made("a", members=(DISABLED,), registered=date(2025, 10, 1)), Made("z", registered=date(2025, 10, 2)))
    assert order(*made, on=terms({**OPEN, "ranking.tie_breakers": breakers})) == "z a"
    lottery = terms({**OPEN, "ranking.tie_breakers": []})
    drawn = sorted(
        made, key=lambda one: hashlib.sha256(f"{lottery.days.lottery_seed}|{one.card_number}".encode()).digest()
    )
    assert order(*made, on=lottery) == " ".join(one.name for one in drawn)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from([HERE, THERE])), max_size=9), st.integers(0, 5))
def test_ranks_and_queue_positions_have_no_gap_in_any_area(rows: list[tuple[int, str]], places: int) -> None:
    made = [Made(f"f{number}", metres, regency=area) for number, (metres, area) in enumerate(rows)]
    decided = ranked(*made, places=places)
    for area, free in ((HERE, places), (THERE, 0)):
        mine = decided.filter(regency_code=area).sort("rank")
        assert mine["rank"].to_list() == list(range(1, mine.height + 1))
        queue = mine.filter(status="waiting")["queue_position"].to_list()
        assert queue == list(range(1, max(0, mine.height - free) + 1))
        assert mine.filter(status="recipient")["queue_position"].null_count() == min(free, mine.height)
        assert mine["seats"].to_list() == [free] * mine.height


def test_the_distance_to_the_cut_off_is_measured_from_the_last_recipient() -> None:
    decided = ranked(Made("a", 10), Made("b", 25), Made("c", 25, members=(ADULT,)), Made("d", 40), places=2)
    assert column_of(decided, "cutoff_distance_micro", "BPNT") == {"a": -15_000, "b": 0, "c": 0, "d": 15_000}
    assert column_of(decided, programme="BPNT")["c"] == "waiting"


def test_without_a_recipient_there_is_no_cut_off_to_be_distant_from() -> None:
    assert column_of(ranked(Made("a")), "cutoff_distance_micro", "BPNT") == {"a": None}


def test_an_area_without_a_row_of_places_has_none() -> None:
    decided = ranked(Made("a"), Made("b", regency=THERE), places=1, regency=THERE)
    assert column_of(decided, programme="BPNT") == {"a": "waiting", "b": "recipient"}
    assert column_of(decided, "seats", "BPNT") == {"a": 0, "b": 1}


def test_places_nobody_is_eligible_for_stay_empty() -> None:
    decided = ranked(Made("a"), Made("blank", metres=None), places=9)
    assert column_of(decided, programme="BPNT") == {"a": "recipient", "blank": "not_scorable"}


def test_the_poor_of_one_area_do_not_take_the_places_of_another() -> None:
    made = (Made("poor", 1), Made("poorer still", 2), Made("rich", 999, regency=THERE))
    decided = decide(families(*made), TERMS, seats({HERE: (0, 1), THERE: (0, 1)}), NOBODY)
    assert column_of(decided, programme="BPNT") == {
        "poor": "recipient", "poorer still": "waiting", "rich": "recipient",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("area", "codes"),
    [("district_code", (f"{HERE}.01", f"{HERE}.02")), ("village_code", (f"{HERE}.01.2001", f"{HERE}.02.2001"))],
)
def test_places_may_belong_to_smaller_areas(area: str, codes: tuple[str, str]) -> None:
    made = (Made("a", 1), Made("b", 2), Made("c", 3, village="02.2001"), Made("d", 4, village="02.2001"))
    decided = decide(
        families(*made), terms({**OPEN, "quotas.area": area}), seats({codes[0]: (0, 1), codes[1]: (0, 1)}), NOBODY
    )
    assert column_of(decided, programme="BPNT") == {"a": "recipient", "b": "waiting", "c": "recipient", "d": "waiting"}
    assert column_of(decided, "rank", "BPNT") == {"a": 1, "b": 2, "c": 1, "d": 2}


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 2, 2, 3, None]), st.sampled_from([HERE, THERE])), max_size=9),
    st.integers(0, 5),
    st.integers(0, 5),
    st.sets(st.integers(0, 17)),
)
def test_statuses_alone_are_those_that_ranking_gives(
    rows: list[tuple[int | None, str]], here: int, there: int, absent: set[int]
) -> None:
    made = families(*(Made(f"f{number}", metres, regency=area) for number, (metres, area) in enumerate(rows)))
    eligible = eligibility(judge(made, terms()), terms(), NOBODY)
    free = seats({HERE: (here, there), THERE: (there, here)})
    numbers = [None if number in absent else number for number in range(eligible.height)]
    chosen = pl.Series(numbers, dtype=pl.UInt32)
    told = statuses(eligible, chosen, free, terms())
    assert told.filter(chosen.is_null()).to_list() == [None] * len(told.filter(chosen.is_null()))
    assert told.drop_nulls().to_list() == rank(eligible[chosen.drop_nulls()], free, terms())["status"].to_list()
