"""Places of a quarter: who weighs what, floors, caps, hold-harmless, and the split of a regency's places."""

import re
from collections.abc import Iterator

import polars as pl
import pytest

from assets.decision.places import places
from schemas.errors import Refused
from schemas.vocabularies import Programme
from tests.made_families import HERE, THERE, seats, terms

FIGURES = pl.DataFrame(
    [(HERE, "3510", 300), (THERE, "3512", 100)],
    schema={"area_code": pl.String, "area_bps": pl.String, "poor_count": pl.Int64},
    orient="row",
)
FEW = {"quotas.national_total.PKH": 8, "quotas.national_total.BPNT": 4}


def _counted() -> Iterator[tuple[str, str, str]]:
    for programme in Programme:
        yield from [(HERE, programme.value, "eligible")] * 2
        yield from [(HERE, programme.value, "held")] * 5
        yield from [(THERE, programme.value, "eligible")] * 5


COUNTED = pl.DataFrame([*_counted()], schema=["regency_code", "programme", "status"], orient="row")


def test_places_follow_the_poor_and_unused_ones_stay_empty() -> None:
    table = places(terms(FEW).policy, FIGURES, COUNTED, None)
    assert dict(table.filter(programme="PKH").select("regency_code", "seats").iter_rows()) == {HERE: 6, THERE: 2}
    assert dict(table.filter(programme="BPNT").select("regency_code", "seats").iter_rows()) == {HERE: 3, THERE: 1}
    assert table["cap"].null_count() == table.height
    assert table["seats_before"].null_count() == table["change"].null_count() == table.height


def test_where_policy_hands_unused_places_on_the_cap_is_the_number_of_eligible_families() -> None:
    handed_on = terms({**FEW, "quotas.unused_places": "redistribute"})
    table = places(handed_on.policy, FIGURES, COUNTED, None).filter(programme="PKH")
    assert dict(table.select("regency_code", "cap").iter_rows()) == {HERE: 2, THERE: 5}
    assert dict(table.select("regency_code", "seats").iter_rows()) == {HERE: 2, THERE: 5}


def test_places_tell_how_many_there_were_before() -> None:
    before = seats({HERE: (5, 9)})
    table = places(terms(FEW).policy, FIGURES, COUNTED, before)
    rows = table.select("regency_code", "programme", "seats_before", "change").iter_rows()
    assert {row[:2]: row[2:] for row in rows} == {
        (HERE, "PKH"): (5, 1), (HERE, "BPNT"): (9, -6), (THERE, "PKH"): (None, None), (THERE, "BPNT"): (None, None),
    }  # fmt: skip


def test_nobody_eligible_anywhere_leaves_no_place_to_hand_on() -> None:
    handed_on = terms({**FEW, "quotas.unused_places": "redistribute"})
    table = places(handed_on.policy, FIGURES, COUNTED.clear(), None)
    assert set(table["cap"]) == set(table["seats"]) == {0}


def test_an_area_keeps_the_share_of_its_places_that_policy_holds_harmless() -> None:
    kept = terms({**FEW, "quotas.hold_harmless_share": 0.9})
    table = places(kept.policy, FIGURES, COUNTED, seats({THERE: (4, 0), HERE: (4, 4)})).filter(programme="PKH")
    # Nine tenths of 4 places are 3.6, and a place is whole; without the rule THERE would have 2 of 8.
    assert dict(table.select("regency_code", "floor").iter_rows()) == {HERE: 4, THERE: 4}
    assert dict(table.select("regency_code", "seats").iter_rows()) == {HERE: 4, THERE: 4}
    assert dict(table.select("regency_code", "exact_share").iter_rows()) == {HERE: 6, THERE: 2}


def test_the_fewest_and_the_most_places_of_an_area_hold_in_every_programme() -> None:
    least = places(terms({**FEW, "quotas.min_places": 2}).policy, FIGURES, COUNTED, None)
    assert least.filter(regency_code=THERE)["seats"].to_list() == [2, 2]
    most = places(terms({**FEW, "quotas.max_places": 5}).policy, FIGURES, COUNTED, None).filter(programme="PKH")
    assert dict(most.select("regency_code", "seats").iter_rows()) == {HERE: 5, THERE: 3}


def test_places_follow_what_the_poor_lack_where_policy_says_so() -> None:
    by_gap = terms({**FEW, "quotas.weight": "poverty_gap_rupiah_month"})
    figures = FIGURES.with_columns(poverty_gap_rupiah_month=pl.Series([1_000_000, 3_000_000]))
    table = places(by_gap.policy, figures, COUNTED, None).filter(programme="PKH")
    assert dict(table.select("regency_code", "seats").iter_rows()) == {HERE: 2, THERE: 6}
    unknown = figures.with_columns(poverty_gap_rupiah_month=pl.Series([1_000_000, None]))
    with pytest.raises(Refused, match=rf"not known of 1 areas, {re.escape(THERE)} among them.*poverty_gap_percent"):
        places(by_gap.policy, unknown, COUNTED, None)


def test_the_places_of_a_regency_go_to_its_districts_where_their_weights_are_given() -> None:
    parts = [(f"{HERE}.01", None, 10), (f"{HERE}.02", None, 30), (f"{THERE}.01", None, 5)]
    figures = pl.concat([FIGURES, pl.DataFrame(parts, schema=FIGURES.schema, orient="row")])
    split = terms({**FEW, "quotas.area": "district_code"})
    eligible = COUNTED.with_columns(district_code=pl.col("regency_code") + ".01")
    table = places(split.policy, figures, eligible, None).filter(programme="PKH")
    # 6 of 8 places are HERE's: 1.5 and 4.5, and of equal remainders the larger weight goes first.
    assert dict(table.select("regency_code", "seats").iter_rows()) == {
        f"{HERE}.01": 1, f"{HERE}.02": 5, f"{THERE}.01": 2,
    }  # fmt: skip
    whole = places(terms(FEW).policy, figures, COUNTED, None)
    assert whole.equals(places(terms(FEW).policy, FIGURES, COUNTED, None))
    with pytest.raises(Refused, match=rf"weigh no such area of {re.escape(THERE)}, which has 2 places of PKH"):
        places(split.policy, figures[:-1], eligible, None)
