"""Filters: both sides of every threshold, unknown evidence for each, none hiding another, each told with its source."""

from dataclasses import dataclass, replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.decision.decide import decide
from assets.decision.families import Families, Terms
from assets.decision.filters import filter_rows
from assets.decision.judge import judge
from schemas.tables import TABLES
from tests.made_families import CLEAN, HERE, NOBODY, THERE, Made, column_of, families, seats, sitting, terms

TERMS = terms()
BOTH = sitting(("a", "PKH"), ("a", "BPNT"))


@dataclass(frozen=True)
class Side:
    """A filter's fact where it still passes and where it just fails, and what not knowing it does.

    `only_visits`: it sends to the field where it holds. `beside`: a filter on the same fact that then holds too.
    """

    fact: str
    passes: int
    fails: int
    unknown: str = "recipient"
    only_visits: bool = False
    beside: str | None = None

    def value(self, side: str | None) -> int | None:
        """The fact on a side, None where it is unknown."""
        return {"passes": self.passes, "fails": self.fails, None: None}[side]


SIDES = {
    "deceased": Side("living_member_count", 1, 0),
    "civil_servant": Side("has_civil_servant", 0, 1),
    "soldier_or_police": Side("has_soldier_or_police", 0, 1),
    "car_owner": Side("car_count", 0, 1, only_visits=True),
    "land_above": Side("land_area_m2", 20_000, 20_001, only_visits=True),
    "first_class_insurance": Side("has_first_class_insurance", 0, 1, only_visits=True),
    "pensioner": Side("has_pensioner", 0, 1),
    "certified_teacher": Side("has_certified_teacher", 0, 1),
    "state_income": Side("has_state_income", 0, 1),
    "wage_above_minimum": Side("wage_rupiah_month", 2_989_145, 2_989_146),
    "taxed_income": Side("income_rupiah_year", 54_000_000, 54_000_001, only_visits=True),
    "company_officer": Side("has_company_owner", 0, 1),
    "health_worker": Side("has_health_worker", 0, 1),
    "village_official": Side("has_village_official", 0, 1),
    "other_aid": Side("other_aid_finding", 0, 2, beside="other_aid_reported"),
    "other_aid_reported": Side("other_aid_finding", 0, 1, only_visits=True),
    "electricity_above": Side("electricity_va", 1300, 1301),
    "gambling_above": Side("gambling_rupiah", 0, 5_000_001, beside="gambling_reported"),
    "gambling_reported": Side("gambling_rupiah", 0, 5_000_000, only_visits=True),
    "abnormal_transactions": Side("has_abnormal_transactions", 0, 1, only_visits=True),
    "no_consent": Side("has_consent", 1, 0, unknown="held"),
    "identity_unconfirmed": Side("is_identity_confirmed", 1, 0, unknown="held", only_visits=True),
    "declaration_contradicted": Side("declared_contradiction_count", 0, 1, only_visits=True),
    "address_not_found": Side("address_finding", 0, 2, beside="address_doubted"),
    "address_doubted": Side("address_finding", 0, 1, only_visits=True),
    "person_not_found": Side("absence_finding", 0, 2, beside="nobody_met"),
    "nobody_met": Side("absence_finding", 0, 1, only_visits=True),
    "refuses": Side("refusal_finding", 0, 2, beside="visit_refused"),
    "visit_refused": Side("refusal_finding", 0, 1, only_visits=True),
}
EVERY = pytest.mark.parametrize("code", SIDES)
EXCLUDING = pytest.mark.parametrize("code", [code for code, side in SIDES.items() if not side.only_visits])
VISITING = pytest.mark.parametrize("code", [code for code, side in SIDES.items() if side.only_visits])
LIMITS = {
    "deceased": 1, "wage_above_minimum": 2_989_145, "electricity_above": 1300, "car_owner": 0, "land_above": 20_000,
    "taxed_income": 54_000_000, "gambling_above": 5_000_000, "gambling_reported": 0, "person_not_found": 1,
    "other_aid": 1, "other_aid_reported": 0, "address_not_found": 1, "address_doubted": 0,
    "declaration_contradicted": 0, "nobody_met": 0, "refuses": 1, "visit_refused": 0,
}  # fmt: skip


def decided(*made: Made, on: Terms = TERMS, receives: pl.DataFrame = NOBODY) -> pl.DataFrame:
    return decide(families(*made), on, seats({HERE: (9, 9), THERE: (9, 9)}), receives)


def statuses(facts: dict[str, int | None], receives: pl.DataFrame = NOBODY, *, is_verified: bool = False) -> set[str]:
    return set(decided(Made("a", facts=facts, is_verified=is_verified), receives=receives)["status"])


def provenance(made: Families) -> pl.DataFrame:
    names = TABLES["registry/provenance"].dtypes
    rows = made.records.select("family_id", "regency_code")
    said = [
        (pl.lit(f"says {fact}") if name.endswith("_source") else pl.lit(date(2026, 1, 5))).alias(name)
        for fact in CLEAN
        for name in (f"{fact}_source", f"{fact}_date")
    ]
    return rows.with_columns(said).with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in names.items() if name not in {*rows.columns, *_told()}
    )


def _told() -> list[str]:
    return [f"{fact}_{part}" for fact in CLEAN for part in ("source", "date")]


def told(made: Families, on: Terms = TERMS) -> pl.DataFrame:
    return filter_rows(judge(made, on), made.records, provenance(made), on.policy)


def test_the_rulebook_has_no_filter_this_test_does_not_know() -> None:
    assert [one.code for one in TERMS.policy.filters] == list(SIDES)
    assert {one.code: one.fact for one in TERMS.policy.filters} == {code: side.fact for code, side in SIDES.items()}


@EVERY
def test_a_family_on_the_passing_side_of_a_threshold_is_not_excluded(code: str) -> None:
    assert statuses({SIDES[code].fact: SIDES[code].passes}) == {"recipient"}


@EXCLUDING
def test_a_family_on_the_failing_side_of_a_threshold_is_excluded_from_both_programmes(code: str) -> None:
    rows = decided(Made("a", facts={SIDES[code].fact: SIDES[code].fails}))
    assert set(rows["status"]) == {"ineligible"}
    assert rows["reasons"].to_list() == [[code], [code]]


@EXCLUDING
def test_neither_receiving_nor_being_verified_spares_a_family_a_failing_filter(code: str) -> None:
    facts: dict[str, int | None] = {SIDES[code].fact: SIDES[code].fails}
    assert statuses(facts, BOTH, is_verified=True) == {"ineligible"}


@VISITING
def test_a_filter_that_only_visits_excludes_nobody_and_puts_the_family_on_the_worklist(code: str) -> None:
    rows = decided(Made("a", facts={SIDES[code].fact: SIDES[code].fails}))
    assert set(rows["status"]) == {"recipient"}
    assert rows["reasons"].to_list() == [[], []]
    assert rows["ground_checks"].to_list() == [[code], [code]]


@EVERY
def test_unknown_evidence_does_to_a_newcomer_what_the_filter_says(code: str) -> None:
    rows = decided(Made("a", facts={SIDES[code].fact: None}))
    assert set(rows["status"]) == {SIDES[code].unknown}
    reasons = [f"{code}_unknown"] if SIDES[code].unknown == "held" else []
    assert rows["reasons"].to_list() == [reasons, reasons]


@EVERY
def test_unknown_evidence_never_takes_a_sitting_family_away(code: str) -> None:
    assert statuses({SIDES[code].fact: None}, BOTH) == {"recipient"}


@EVERY
@pytest.mark.parametrize("observed", ["passes", "fails", None])
def test_each_outcome_is_told_with_what_was_observed_against_what_and_by_whom(code: str, observed: str | None) -> None:
    side = SIDES[code]
    value = side.value(observed)
    row = told(families(Made("a", facts={side.fact: value}))).filter(filter=code).row(0, named=True)
    holds = "ground_check" if side.only_visits else "fail"
    assert row == {
        "family_id": "a", "regency_code": HERE, "filter": code, "observed": value, "threshold": LIMITS.get(code),
        "outcome": {"passes": "pass", "fails": holds, None: "unknown"}[observed],
        "source": f"says {side.fact}", "source_date": date(2026, 1, 5),
    }  # fmt: skip


VALUE = st.sampled_from(["passes", "fails", None])
DRAWN = [code for code in SIDES if code not in {side.beside for side in SIDES.values()}]
"""Filters whose facts can be drawn apart: of two on one fact, the one that excludes."""


@settings(max_examples=60)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(DRAWN, VALUE)), min_size=1, max_size=3))
def test_every_failing_filter_is_a_reason_and_none_hides_another(drawn: list[dict[str, str | None]]) -> None:
    facts = [{SIDES[code].fact: SIDES[code].value(word) for code, word in one.items()} for one in drawn]
    made = families(*(Made(f"f{number}", facts=stated) for number, stated in enumerate(facts)))
    rows = told(made)
    assert rows.height == len(drawn) * len(SIDES)
    assert rows.select("family_id", "filter").is_unique().all()
    result = decide(made, TERMS, seats({HERE: (9, 9)}), NOBODY)
    for number, one in enumerate(drawn):
        failing = [code for code, word in one.items() if word == "fails" and not SIDES[code].only_visits]
        mine = rows.filter(family_id=f"f{number}", outcome="fail")["filter"].to_list()
        assert sorted(mine) == sorted(failing)
        for programme in ("PKH", "BPNT"):
            reasons = column_of(result, "reasons", programme)[f"f{number}"]
            unknown = [
                f"{code}_unknown" for code, word in one.items() if word is None and SIDES[code].unknown == "held"
            ]
            assert sorted(reasons) == sorted(failing + unknown)
            excluded = column_of(result, programme=programme)[f"f{number}"] == "ineligible"
            assert excluded == bool(failing)


def test_of_two_filters_on_one_fact_both_are_told_and_one_excludes() -> None:
    for code, side in SIDES.items():
        if side.beside is not None:
            made = families(Made("a", facts={side.fact: side.fails}))
            outcomes = dict(told(made).select("filter", "outcome").iter_rows())
            assert (outcomes[code], outcomes[side.beside]) == ("fail", "ground_check")
            rows = decide(made, TERMS, seats({HERE: (9, 9)}), NOBODY)
            assert rows["reasons"].to_list() == [[code], [code]]
            assert rows["ground_checks"].to_list() == [[side.beside], [side.beside]]


def test_all_the_told_rows_fit_their_contract() -> None:
    rows = TABLES["decision/filters"].fit(told(families(Made("b"), Made("a", facts={"electricity_va": None}))))
    TABLES["decision/filters"].schema.validate(rows)
    assert rows.height == 2 * len(SIDES)


@pytest.mark.parametrize(
    ("regency", "day", "wage"),
    [
        (HERE, date(2025, 12, 31), 2_810_139),
        (HERE, date(2026, 1, 1), 2_989_145),
        (THERE, date(2026, 1, 26), 2_483_962),
        ("35.78", date(2026, 1, 26), 2_446_880),
        ("31.71", date(2026, 1, 26), 5_729_876),
        ("94.01", date(2026, 1, 26), 5_729_876),
    ],
)
def test_a_wage_is_measured_against_the_minimum_of_its_regency_on_the_day(regency: str, day: date, wage: int) -> None:
    at, above = (
        Made(name, facts={"wage_rupiah_month": pay}, regency=regency) for name, pay in (("at", wage), ("up", wage + 1))
    )
    rows = decide(families(at, above), terms(day=day), seats({regency: (9, 9)}), NOBODY)
    assert column_of(rows) == {"at": "recipient", "up": "ineligible"}
    limits = told(families(at, above), terms(day=day)).filter(filter="wage_above_minimum")["threshold"]
    assert limits.to_list() == [wage, wage]


def test_wages_of_several_regencies_are_measured_in_one_frame() -> None:
    pay = {"wage_rupiah_month": 2_700_000}
    rows = decided(Made("here", facts=pay), Made("there", facts=pay, regency=THERE))
    assert column_of(rows) == {"here": "recipient", "there": "ineligible"}


@pytest.mark.parametrize("code", ["wage_above_minimum", "electricity_above"])
def test_a_pilot_filter_holds_from_the_day_it_was_reported(code: str) -> None:
    family = Made("a", facts={SIDES[code].fact: 9_000_000})
    assert set(decided(family, on=terms(day=date(2025, 9, 8)))["status"]) == {"recipient"}
    assert set(decided(family, on=terms(day=date(2025, 9, 9)))["status"]) == {"ineligible"}


def test_a_filter_of_one_programme_leaves_the_other_alone() -> None:
    rows = decided(Made("a", facts={"has_pensioner": 1}), on=terms({"filters.pensioner.programmes": ["BPNT"]}))
    assert column_of(rows) == {"a": "recipient"}
    assert column_of(rows, programme="BPNT") == {"a": "ineligible"}


@pytest.mark.parametrize("word", ["pass", "ground_check", "hold"])
def test_what_unknown_does_is_the_policys_to_say(word: str) -> None:
    on = terms({"filters.pensioner.unknown": word})
    family = Made("a", facts={"has_pensioner": None})
    assert set(decided(family, on=on)["status"]) == {"held" if word == "hold" else "recipient"}
    assert set(decided(family, on=on, receives=BOTH)["status"]) == {"recipient"}


def test_a_filter_switched_off_neither_excludes_nor_is_told() -> None:
    on = terms({"filters.pensioner": None})
    family = Made("a", facts={"has_pensioner": 1})
    assert set(decided(family, on=on)["status"]) == {"recipient"}
    assert "pensioner" not in told(families(family), on)["filter"].to_list()


def test_without_any_filter_nobody_is_excluded_and_nothing_is_told() -> None:
    on = terms({"filters": []})
    worst = Made("a", facts={side.fact: side.fails for side in SIDES.values()})
    assert set(decided(worst, on=on)["status"]) == {"recipient"}
    rows = told(families(worst), on)
    assert rows.height == 0
    assert TABLES["decision/filters"].fit(rows).height == 0


def test_an_outcome_never_hangs_on_the_other_families() -> None:
    made = [
        Made("a", facts={"electricity_va": 1301}),
        Made("b", facts={"has_pensioner": None}),
        Made("c", regency=THERE),
    ]
    together = told(families(*made)).sort("family_id", "filter")
    alone = pl.concat([told(families(replace(one))) for one in made]).sort("family_id", "filter")
    assert together.rows() == alone.rows()


def test_a_law_that_holds_whatever_is_unknown_has_room_for_all_its_grounds() -> None:
    codes = [one.code for one in TERMS.policy.filters]
    strict = terms(
        {f"filters.{code}.unknown": "hold" for code in codes}
        | {f"filters.{code}.effect": "ground_check" for code in codes}
    )
    nothing_known = dict.fromkeys({one.fact for one in TERMS.policy.filters})
    made = (Made("a", facts=nothing_known), Made("newcomer", facts=nothing_known))
    rows = decided(*made, on=strict, receives=BOTH).filter(programme="PKH").sort("family_id")
    unknown = sorted(f"{code}_unknown" for code in codes)
    assert rows["status"].to_list() == ["recipient", "held"]
    assert [sorted(one) for one in rows["ground_checks"]] == [unknown, []]
    assert [sorted(one) for one in rows["reasons"]] == [[], unknown]
