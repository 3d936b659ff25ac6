"""The BPS worklist, the review after five years of membership, and who holds both programmes."""

from datetime import date

import polars as pl
import pytest

from assets.decision.decide import decide
from assets.decision.families import Terms
from assets.decision.worklist import worklist
from assets.publication.lists import region_summary
from schemas.tables import TABLES
from tests.made_families import (
    ADULT,
    CHILD,
    ELDER,
    HERE,
    NOBODY,
    Made,
    Person,
    column_of,
    families,
    seats,
    sitting,
    terms,
)

TERMS = terms()
BOTH = (("a", "PKH"), ("a", "BPNT"))
LONG_AGO = date(2015, 1, 1)


def decided(*made: Made, on: Terms = TERMS, receives: pl.DataFrame = NOBODY, places: int = 9) -> pl.DataFrame:
    rows = decide(families(*made), on, seats({HERE: (places, places)}), receives)
    return rows.with_columns(reference=pl.format("R-{}", "family_id"))


def listed(rows: pl.DataFrame) -> dict[tuple[str, str], tuple[list[str], bool]]:
    """Programmes and whether it receives, by family and reason."""
    fitted = TABLES["decision/worklist"].fit(worklist(rows))
    TABLES["decision/worklist"].schema.validate(fitted)
    told = fitted.select("family_id", "reason", "programmes", "is_recipient").iter_rows()
    return {(family, reason): (programmes, receives) for family, reason, programmes, receives in told}


def test_a_family_is_listed_once_for_each_reason_with_the_programmes_it_matters_for() -> None:
    made = Made("a", facts={"car_count": 1, "electricity_va": None})
    assert listed(decided(made)) == {
        ("a", "car_owner"): (["BPNT", "PKH"], True), ("a", "electricity_above_unknown"): (["BPNT", "PKH"], True),
    }  # fmt: skip


def test_nobody_is_visited_for_a_programme_that_excludes_him_anyway() -> None:
    childless = Made("a", facts={"car_count": 1}, members=(ADULT,))
    assert listed(decided(childless)) == {("a", "car_owner"): (["BPNT"], True)}
    assert listed(decided(Made("a", facts={"car_count": 1, "has_pensioner": 1}))) == {}


def test_who_waits_or_cannot_be_scored_is_visited_too_but_not_who_is_held() -> None:
    car = {"car_count": 1}
    assert listed(decided(Made("a", facts=car), places=0)) == {("a", "car_owner"): (["BPNT", "PKH"], False)}
    assert listed(decided(Made("a", None, facts=car))) == {("a", "car_owner"): (["BPNT", "PKH"], False)}
    assert listed(decided(Made("a", facts=car, case="case-1"))) == {}


def test_unknown_consent_holds_a_newcomer_and_sends_bps_to_a_sitting_family() -> None:
    made = Made("a", facts={"has_consent": None})
    assert listed(decided(made)) == {}
    assert listed(decided(made, receives=sitting(*BOTH))) == {("a", "no_consent_unknown"): (["BPNT", "PKH"], True)}


def test_a_worklist_without_anything_to_visit_is_empty_and_keeps_its_contract() -> None:
    assert listed(decided(Made("a"))) == {}


def test_the_worklist_goes_by_village_whatever_the_order_of_the_families() -> None:
    made = [Made("a", facts={"car_count": 1}, village="02.2001"), Made("b", facts={"car_count": 1}, village="01.2001")]
    lists = [worklist(decided(*rows)) for rows in (made, made[::-1])]
    assert lists[0]["family_id"].to_list() == ["b", "a"]
    assert lists[0].equals(lists[1])


def review_due(made: Made, since: date, on: Terms = TERMS) -> bool:
    rows = decided(made, on=on, receives=sitting(*BOTH, since=since))
    assert not column_of(rows, "review_due", "BPNT")["a"]
    due = column_of(rows, "review_due")["a"]
    assert (("a", "review_due") in listed(rows)) == due
    return bool(due)


@pytest.mark.parametrize(("since", "due"), [(date(2021, 1, 26), True), (date(2021, 1, 27), False), (LONG_AGO, True)])
def test_a_recipient_of_pkh_is_marked_when_five_years_are_full(since: date, due: bool) -> None:  # noqa: FBT001
    assert review_due(Made("a"), since) == due


def test_elderly_and_disabled_members_exempt_even_if_others_are_paid_before_them() -> None:
    paid_before = (Person(is_pregnant=True), Person(is_pregnant=True), CHILD, CHILD)
    assert review_due(Made("a", members=paid_before), LONG_AGO)
    assert not review_due(Made("a", members=(*paid_before, ELDER)), LONG_AGO)
    assert not review_due(Made("a", members=(*paid_before, Person(disability=2))), LONG_AGO)


def test_the_mark_changes_nobodys_status_and_policy_can_take_it_away() -> None:
    kept = sitting(*BOTH, since=LONG_AGO)
    without = terms({"programmes.PKH.review_after_years": None})
    marked, unmarked = decided(Made("a"), receives=kept), decided(Made("a"), on=without, receives=kept)
    assert column_of(unmarked, "review_due") == {"a": False}
    same = ["status", "rank", "amount_rupiah", "member_since"]
    assert marked.select(same).equals(unmarked.select(same))


def test_membership_begins_with_the_quarter_goes_on_without_a_break_and_ends_with_the_place() -> None:
    rows = decided(Made("a"), Made("b"), receives=sitting(*BOTH, since=LONG_AGO))
    assert column_of(rows, "member_since") == {"a": LONG_AGO, "b": date(2026, 1, 1)}
    assert column_of(decided(Made("a"), receives=sitting(*BOTH), places=0), "member_since") == {"a": None}


EXCLUSIVE = terms({"programmes.BPNT.exclusive_with": "PKH"})


def test_where_a_programme_is_exclusive_its_places_go_to_those_without_the_other() -> None:
    made = (Made("a", 5), Made("b", 10), Made("c", 15))
    assert column_of(decided(*made, on=EXCLUSIVE, places=1), programme="BPNT") == {
        "a": "ineligible", "b": "recipient", "c": "waiting",
    }  # fmt: skip
    assert column_of(decided(*made, places=1), programme="BPNT") == {
        "a": "recipient", "b": "waiting", "c": "waiting",
    }  # fmt: skip


def test_an_exclusive_programme_keeps_the_order_of_the_rows() -> None:
    made = [Made(name, metres) for name, metres in (("c", 5), ("a", 10), ("b", 15))]
    keys = ["family_id", "programme"]
    linked = decided(*made, on=EXCLUSIVE, places=1)
    assert linked.select(keys).rows() == decided(*made, places=1).select(keys).rows()


def test_the_summary_counts_the_recipients_who_hold_the_other_programme_too() -> None:
    rows = decided(Made("a"), Made("b"), Made("c", members=(ADULT,)), Made("d", facts={"has_pensioner": 1}))
    found = region_summary(rows.lazy(), "2026Q1").filter(level="regency")
    counted = found.select("programme", "recipients", "both").sort("programme").rows()
    assert counted == [("BPNT", 3, 2), ("PKH", 2, 2)]
