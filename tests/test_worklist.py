"""The BPS worklist, the review after five years of membership, and who holds both programmes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.decision.decide import decide
from assets.decision.families import Terms
from assets.decision.judge import IDENTITY_CASE
from assets.decision.worklist import worklist
from assets.publication.lists import region_summary
from schemas.tables import TABLES
from schemas.vocabularies import Support
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
    held,
    seats,
    sitting,
    terms,
)

TERMS = terms()
BOTH = (("a", "PKH"), ("a", "BPNT"))
LONG_AGO = date(2015, 1, 1)
CONSENT = "no_consent_unknown"


def decided(*made: Made, on: Terms = TERMS, receives: pl.DataFrame = NOBODY, places: int = 9) -> pl.DataFrame:
    rows = decide(families(*made), on, seats({HERE: (places, places)}), receives)
    return rows.with_columns(reference=pl.format("R-{}", "family_id"))


def listed(rows: pl.DataFrame) -> dict[tuple[str, str], tuple[list[str], bool]]:
    """Programmes and whether it receives, by family and reason."""
    told = whole(rows).select("family_id", "reason", "programmes", "is_recipient").iter_rows()
    return {(family, reason): (programmes, receives) for family, reason, programmes, receives in told}


NOTHING = pl.DataFrame(schema={"family_id": pl.String, "programme": pl.String, "reason": pl.String})


def whole(
    rows: pl.DataFrame,
    doubts: pl.DataFrame = NOTHING,
    earlier: Mapping[tuple[str, str], str] | None = None,
    on: Terms = TERMS,
) -> pl.DataFrame:
    """The worklist; `earlier` tells since when a reason stood on that of the quarter before."""
    stood = [(family, reason, since) for (family, reason), since in (earlier or {}).items()]
    known = pl.DataFrame(stood, schema=dict.fromkeys(("family_id", "reason", "since"), pl.String), orient="row")
    fitted = TABLES["decision/worklist"].fit(worklist(rows, doubts, known, on))
    TABLES["decision/worklist"].schema.validate(fitted)
    return fitted


def test_a_family_is_listed_once_for_each_reason_with_the_programmes_it_matters_for() -> None:
    made = Made("a", facts={"car_count": 1, "electricity_va": None})
    assert listed(decided(made)) == {
        ("a", "car_owner"): (["BPNT", "PKH"], True), ("a", "electricity_above_unknown"): (["BPNT", "PKH"], True),
    }  # fmt: skip


def test_nobody_is_visited_for_a_programme_that_excludes_him_anyway() -> None:
    childless = Made("a", facts={"car_count": 1}, members=(ADULT,))
    assert listed(decided(childless)) == {("a", "car_owner"): (["BPNT"], True)}
    assert listed(decided(Made("a", facts={"car_count": 1, "has_pensioner": 1}))) == {}


def test_who_waits_cannot_be_scored_or_is_held_is_listed_too() -> None:
    car, both = {"car_count": 1}, ["BPNT", "PKH"]
    assert listed(decided(Made("a", facts=car), places=0)) == {("a", "car_owner"): (both, False)}
    assert listed(decided(Made("a", None, facts=car))) == {
        ("a", "car_owner"): (both, False), ("a", "not_scorable"): (both, False),
    }  # fmt: skip
    # Whose facts these are is settled first.
    assert listed(decided(Made("a", facts=car, case="case-1"))) == {("a", "identity_case"): (both, False)}


def test_unknown_consent_holds_a_newcomer_and_sends_bps_to_a_sitting_family() -> None:
    made = Made("a", facts={"has_consent": None})
    assert listed(decided(made)) == {("a", "no_consent_unknown"): (["BPNT", "PKH"], False)}
    assert listed(decided(made, receives=sitting(*BOTH))) == {("a", "no_consent_unknown"): (["BPNT", "PKH"], True)}


def test_a_worklist_without_anything_to_visit_is_empty_and_keeps_its_contract() -> None:
    assert listed(decided(Made("a"))) == {}


def test_the_worklist_goes_by_village_whatever_the_order_of_the_families() -> None:
    made = [Made("a", facts={"car_count": 1}, village="02.2001"), Made("b", facts={"car_count": 1}, village="01.2001")]
    lists = [whole(decided(*rows)) for rows in (made, made[::-1])]
    assert lists[0]["family_id"].to_list() == ["b", "a"]
    assert lists[0].equals(lists[1])


BARE = Person(date(2022, 3, 1), supported_by=())
UNSUPPORTED = Made("a", members=(ADULT, BARE))


def carried(rows: pl.DataFrame) -> pl.DataFrame:
    """What the next quarter is told of this one."""
    return rows.select(
        "family_id", "programme", "status", "member_since", "held_since", "components", "score_micro", "amount_rupiah"
    )


def test_a_held_newcomer_without_a_visit_is_decided_after_one_quarter_and_not_held_again() -> None:
    quarters = [terms(quarter=name) for name in ("2026Q1", "2026Q2", "2026Q3", "2026Q4")]
    before, told, since = NOBODY, [], []
    for on in quarters:
        rows = decided(UNSUPPORTED, on=on, receives=before)
        told.append(column_of(rows)["a"])
        since.append(column_of(rows, "held_since")["a"])
        assert ("a", "component_unconfirmed") in listed(rows)
        before = carried(rows)
    assert told == ["held", "ineligible", "ineligible", "ineligible"]
    assert since == ["2026Q1"] * 4


def test_a_visit_ends_the_hold_whenever_it_comes() -> None:
    seen = Made("a", members=(ADULT, Person(date(2022, 3, 1), supported_by=(Support.BPS_VISIT,))))
    for since in ("2025Q4", "2026Q1"):
        rows = decided(seen, receives=held(("a", "PKH", since)))
        assert column_of(rows) == {"a": "recipient"}
        assert column_of(rows, "held_since") == {"a": None}
        assert listed(rows) == {}


def test_what_must_be_settled_holds_on_and_goes_to_the_supervisor_first_in_line() -> None:
    for made, reason in ((Made("a", case="case-1"), IDENTITY_CASE), (Made("a", facts={"has_consent": None}), CONSENT)):
        rows = decided(made, receives=held(("a", "PKH", "2025Q1"), ("a", "BPNT", "2025Q1")))
        assert column_of(rows) == {"a": "held"}
        assert column_of(rows, "held_since") == {"a": "2025Q1"}
        (row,) = whole(rows, earlier={("a", reason): "2025Q1"}).to_dicts()
        assert (row["reason"], row["since"], row["goes_to"], row["priority"]) == (reason, "2025Q1", "supervisor", 1)


def test_another_fact_that_holds_does_so_for_a_quarter_and_then_sends_to_the_field() -> None:
    on = terms({"filters.electricity_above.unknown": "hold"})
    made = Made("a", facts={"electricity_va": None})
    first = decided(made, on=on)
    assert column_of(first) == {"a": "held"}
    later = decided(made, on=on, receives=held(("a", "PKH", "2025Q4"), ("a", "BPNT", "2025Q4")))
    assert column_of(later) == {"a": "recipient"}
    assert column_of(later, "ground_checks") == {"a": ["electricity_above_unknown"]}


def test_a_reason_keeps_the_quarter_in_which_it_first_stood_and_a_new_one_begins() -> None:
    made = Made("a", facts={"car_count": 1, "electricity_va": None})
    rows = whole(decided(made, receives=sitting(*BOTH)), earlier={("a", "car_owner"): "2025Q3"})
    told = {row["reason"]: (row["since"], row["goes_to"]) for row in rows.to_dicts()}
    assert told == {"car_owner": ("2025Q3", "supervisor"), "electricity_above_unknown": ("2026Q1", "bps")}


def test_who_is_held_until_it_is_known_and_who_receives_stands_before_others() -> None:
    car = {"car_count": 1}
    rows = decided(
        Made("case", case="case-1"), Made("sits", facts=car), replace(UNSUPPORTED, name="bare"),
        Made("waits", 900, facts=car), receives=sitting(("sits", "PKH"), ("sits", "BPNT")),
    )  # fmt: skip
    rows = rows.with_columns(status=pl.when(family_id="waits").then(pl.lit("waiting")).otherwise("status"))
    told = dict(whole(rows).select("family_id", "priority").iter_rows())
    assert told == {"case": 1, "sits": 2, "bare": 3, "waits": 4}


def test_doubts_of_the_registry_are_listed_whatever_was_decided_and_once() -> None:
    said = [("a", None, "implausible_kinship"), ("a", None, "implausible_kinship"), ("b", None, "car_owner")]
    doubts = pl.DataFrame(said, schema=NOTHING.schema, orient="row")
    rows = decided(Made("a", facts={"has_pensioner": 1}), Made("b", facts={"car_count": 1}))
    told = whole(rows, doubts).select("family_id", "reason", "programmes").rows()
    assert told == [("a", "implausible_kinship", ["BPNT", "PKH"]), ("b", "car_owner", ["BPNT", "PKH"])]


@settings(max_examples=40)
@given(st.lists(st.tuples(
    st.sampled_from([10, None]),
    st.sampled_from([None, "case-1"]),
    st.sampled_from([{}, {"has_consent": None}, {"has_pensioner": 1}, {"car_count": 1}]),
    st.sampled_from([(ADULT, CHILD), (ADULT, BARE), (ADULT,)]),
    st.sampled_from(["", "recipient", "2025Q4", "2026Q1"]),
), max_size=5))  # fmt: skip
def test_nobody_is_held_or_without_a_score_and_not_on_the_worklist(families_made: list[tuple[Any, ...]]) -> None:
    made = [
        Made(f"f{at}", metres, members, facts=facts, case=case)
        for at, (metres, case, facts, members, _) in enumerate(families_made)
    ]
    words = {f"f{at}": row[-1] for at, row in enumerate(families_made)}
    receives = [(name, code) for name, word in words.items() if word == "recipient" for code in ("PKH", "BPNT")]
    holds = [(name, code, word) for name, word in words.items() if "Q" in word for code in ("PKH", "BPNT")]
    rows = decided(*made, receives=pl.concat([sitting(*receives), held(*holds)]))
    on_list = set(whole(rows)["family_id"])
    waiting = set(rows.filter(pl.col("status").is_in(["held", "not_scorable"]))["family_id"])
    assert waiting <= on_list


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
