"""Explanations: what the rows of a family say, put together without loss, and refused where they contradict."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from assets.decision.contestable import ONE_SOURCE
from assets.decision.families import Terms
from assets.decision.judge import IDENTITY_CASE, NO_COMPONENT, NO_DECILE, NOT_SCORABLE, UNCONFIRMED
from assets.decision.reviews import REVIEW_DUE
from assets.publication.explain import explanation
from assets.welfare.score import score
from assets.welfare.scorecard import FeatureTable, Provenance, Scorecard
from assets.welfare.spec import Direction, Kind, SurveySpec
from quotas.calendar import calendar_of
from quotas.overlay import Overlay
from quotas.rulebook import rulebook
from reports.explanation import Audience, Explanation, as_html, as_json, as_text
from schemas.contract import Contract
from schemas.errors import Refused, Tampered
from schemas.messages import catalogue
from schemas.quarter import Quarter
from schemas.questionnaire import default_questionnaire
from schemas.tables import TABLES
from schemas.vocabularies import Doubt, Implausible

FAMILY, OTHER = "f-0001", "f-0002"
QUARTER = Quarter.parse("2026Q1")
DAYS = calendar_of(QUARTER).drawn("drawn for a test")
POLICY = rulebook().on(DAYS.decision_date)
QUESTIONNAIRE = default_questionnaire()
POINTS = {"floor_area_m2": -120_001, "has_car": -33_007, "head_education": 45_678, "household_size": -250_913}
INTERCEPT = 13_456_789
SCORE = INTERCEPT + sum(POINTS.values())

Tables = dict[str, pl.DataFrame]


def _number(
    name: str, direction: Direction, points: tuple[int, int], bound: float, between: tuple[float, float]
) -> FeatureTable:
    means = (bound - 1, bound + 1)
    return FeatureTable(name, "number", direction, (bound,), means, between, (), {"": points}, None)


def _coded(name: str, kind: Kind, direction: Direction, points: tuple[int, ...]) -> FeatureTable:
    codes = tuple(str(code) for code in range(len(points)))
    return FeatureTable(name, kind, direction, (), (), None, codes, {"": points}, None)


CARD = Scorecard(
    spec=SurveySpec.model_validate(
        {
            "id": "family_id",
            "target": {"column": "expenditure", "scale": "level"},
            "features": {
                "floor_area_m2": {"kind": "number", "direction": "increasing", "range": [1, 999]},
                "has_car": {"kind": "flag", "direction": "increasing"},
                "head_education": {"kind": "category", "codes": dict.fromkeys("01234", "")},
                "household_size": {"kind": "number", "direction": "decreasing", "range": [1, 30]},
            },
        }
    ),
    scale="log",
    relative_to_line=False,
    intercept={"": INTERCEPT},
    features=(
        _number("floor_area_m2", "increasing", (-120_001, 80_000), 45.0, (1.0, 999.0)),
        _coded("has_car", "flag", "increasing", (-33_007, 400_000)),
        _coded("head_education", "category", "none", (-90_000, -20_000, 45_678, 90_000, 210_000)),
        _number("household_size", "decreasing", (150_000, -250_913), 3.5, (1.0, 30.0)),
    ),
    provenance=Provenance("0" * 64, 1, 1.0, {}, 1.0, 0.1, 0, 0, None, {}),
)
TERMS = Terms(QUARTER, POLICY, DAYS, CARD, pl.DataFrame(schema=TABLES["decision/cut_points"].dtypes))


def frame(contract: Contract, *rows: dict[str, Any]) -> pl.DataFrame:
    """Rows by contract; what a row does not say is null."""
    table = pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in contract.dtypes}, schema=contract.dtypes, strict=False
    )
    extra = [pl.Series(name, [row[name] for row in rows]) for name in rows[0] if name not in contract.dtypes]
    return table.with_columns(extra)


PLACE = {"province_code": "35", "regency_code": "35.10", "district_code": "35.10.01", "village_code": "35.10.01.2001"}
RECORD = {"floor_area_m2": 36, "has_car": 0, "head_education": 2, "household_size": 5}
FACTS = {
    "living_member_count": 5, "has_civil_servant": 0, "has_soldier_or_police": 0, "has_pensioner": None,
    "wage_rupiah_month": 3_100_000, "electricity_va": 900, "has_consent": 1, "address_finding": None,
    "has_certified_teacher": 0, "has_state_income": 0, "has_company_owner": 0, "has_health_worker": 0,
    "has_village_official": 0, "other_aid_finding": 0, "car_count": 1, "land_area_m2": None,
    "has_first_class_insurance": 0, "income_rupiah_year": 0, "gambling_rupiah": 0, "has_abnormal_transactions": 0,
    "absence_finding": None, "refusal_finding": None, "is_identity_confirmed": 1, "declared_contradiction_count": 0,
}  # fmt: skip
OUTCOMES = {"wage_above_minimum": "fail", "car_owner": "ground_check"}


def tables(**changes: dict[str, Any]) -> Tables:
    """Everything about one family: waiting for PKH, ineligible for BPNT; `changes` by programme or table."""
    decided = {
        **PLACE, "family_id": FAMILY, "reference": "R-7K2P", "list_reference": "L-1", "quarter": "2026Q1",
        "masked_name": "S*** A***",
        "score_micro": SCORE, "decile": 3, "model_hash": CARD.hash, "policy_hash": POLICY.hash, "input_hash": "c" * 64,
        "reasons": [], "ground_checks": ["car_owner"], "review_due": False, "amount_rupiah": 0,
    }  # fmt: skip
    pkh = {
        **decided, "programme": "PKH", "status": "waiting", "rank": 47, "queue_position": 5, "seats": 42,
        "cutoff_distance_micro": 34_000, "tie_break": "elderly_alone", **changes.get("PKH", {}),
    }  # fmt: skip
    bpnt = {
        **decided, "programme": "BPNT", "status": "ineligible", "seats": 80,
        "reasons": ["wage_above_minimum", "decile_above"], "decile": 6, **changes.get("BPNT", {}),
    }  # fmt: skip
    record = {
        **PLACE, "family_id": FAMILY, "family_card_number": "3510010101010001", "head_name": "Siti Aminah",
        "case_id": None, **RECORD, **FACTS, **changes.get("record", {}),
    }  # fmt: skip
    families = frame(TABLES["registry/families"], record)
    scored = score(families, CARD).drop("reason").with_columns(regency_code=pl.lit("35.10"))
    limits = {"electricity_above": 1300, "wage_above_minimum": 2_989_145, "deceased": 1, "car_owner": 0}
    filters = [
        {
            "family_id": FAMILY, "regency_code": "35.10", "filter": rule.code, "observed": FACTS[rule.fact],
            "outcome": "unknown" if FACTS[rule.fact] is None else OUTCOMES.get(rule.code, "pass"),
            "threshold": limits.get(rule.code),
            "source": None if FACTS[rule.fact] is None else str(rule.agency),
            "source_date": None if FACTS[rule.fact] is None else date(2026, 1, 15),
        }
        for rule in reversed(POLICY.filters)
    ]  # fmt: skip
    said: dict[str, Any] = {"family_id": FAMILY, "regency_code": "35.10"}
    for name in ("floor_area_m2", "has_car"):
        said |= {f"{name}_source": "bps_validation", f"{name}_date": date(2025, 11, 3)}
    seat = {
        "regency_code": "35.10", "regency_code_bps": "3510", "weight": 100_130, "exact_share": Decimal("41.600000"),
        "remainder": Decimal("0.600000"), "has_remainder_seat": True, "seats": 42, "cap": None, "seats_before": 40,
        "change": 2,
    }  # fmt: skip
    stranger = {**pkh, "family_id": OTHER, "reference": "R-OTHER", "masked_name": "B***"}
    moved = {"family_id": FAMILY, "regency_code": "35.10", "programme": "PKH", "from_status": "recipient",
             "to_status": "waiting", "cause": "newcomers", "is_decisive": True}  # fmt: skip
    payment = {"family_id": FAMILY, "regency_code": "35.10", "programme": "PKH", "quarter": "2026Q1", "stage": 1}
    paid = [{**payment, **changes["payment"]}] if "payment" in changes else []
    referral = {
        "family_id": FAMILY, "regency_code": "35.10", "referral": "rutilahu",
        "reason_id": "Rumah keluarga ini tidak layak huni.", "reason_en": "The house is uninhabitable.",
        "facts": ["is_eligible=1", "floor_material=8", "floor_area_dm2_per_member=700"],
    }  # fmt: skip
    checks = [*pkh["ground_checks"], *(["review_due"] if pkh["review_due"] else []), *changes.get("doubts", {})]
    listed = [{**PLACE, "family_id": FAMILY, "reason": code, "programmes": ["PKH"]} for code in checks]
    contract = TABLES["decision/payments"]
    waits = [{**row, "statement_id": name} for name, row in changes.get("pending", {}).items()]
    return {
        "decision/decisions": frame(TABLES["decision/decisions"], stranger, bpnt, pkh),
        "decision/filters": frame(TABLES["decision/filters"], *filters),
        "decision/scores": scored,
        "decision/seats": frame(TABLES["decision/seats"], {**seat, "programme": "PKH"}),
        "decision/payments": frame(contract, *paid) if paid else contract.empty(),
        "decision/referrals": frame(TABLES["decision/referrals"], referral),
        "decision/transitions": frame(TABLES["decision/transitions"], moved),
        "decision/worklist": frame(TABLES["decision/worklist"], *listed),
        "registry/families": families,
        "registry/pending": frame(TABLES["registry/pending"], *waits) if waits else TABLES["registry/pending"].empty(),
        "registry/provenance": frame(TABLES["registry/provenance"], said),
    }


def explain(made: Tables | None = None, family: str = FAMILY, audience: Audience = "analyst") -> Explanation:
    lazy = {key: table.lazy() for key, table in (made or tables()).items()}
    return explanation(family, lazy, TERMS, QUESTIONNAIRE, audience=audience)


def test_an_explanation_tells_status_rank_seats_queue_and_distance_per_programme() -> None:
    one = explain()
    pkh, bpnt = one.decisions
    assert (pkh.programme, pkh.status, pkh.rank, pkh.queue_position, pkh.seats) == ("PKH", "waiting", 47, 5, 42)
    assert (pkh.decile, pkh.max_decile) == (3, 4)
    assert pkh.cutoff_distance_micro == 34_000
    assert pkh.cutoff_distance_share == 0.034585
    assert pkh.cutoff_side == "above"
    assert (pkh.from_status, pkh.cause, pkh.tie_break) == ("recipient", "newcomers", "elderly_alone")
    assert pkh.places is not None
    assert (pkh.places.exact_share, pkh.places.seats_before) == (Decimal("41.600000"), 40)
    assert (bpnt.status, bpnt.rank, bpnt.cutoff_side, bpnt.places) == ("ineligible", None, None, None)


def test_every_reason_is_a_sentence_and_that_of_a_filter_is_the_policys() -> None:
    wage, decile = explain().decisions[1].reasons
    assert wage.sentence.id == next(one.reason.id for one in POLICY.filters if one.code == "wage_above_minimum")
    assert decile.sentence.en == "The family's estimated welfare lies in decile 6; BPNT goes up to decile 5."


CONFIDENTIAL = [rule.code for rule in POLICY.filters if rule.is_confidential]


@pytest.mark.parametrize("found", [["gambling_above"], ["gambling_above", "abnormal_transactions"]])
def test_a_family_is_told_of_a_check_by_an_authorised_body_and_nothing_of_what_it_found(found: list[str]) -> None:
    said: dict[str, Any] = {
        "BPNT": {"reasons": [*found, "decile_above"]},
        "doubts": ["gambling_reported", "abnormal_transactions"],
    }
    told = explain(tables(**said), audience="family")
    pkh, bpnt = told.decisions
    assert [reason.code for reason in bpnt.reasons] == ["authorised_check", "decile_above"]
    assert [visit.code for visit in pkh.visits] == ["car_owner", "authorised_check"]
    assert "review" in bpnt.reasons[0].sentence.en
    for page in (as_json(told), *(form(told, lang) for form in (as_text, as_html) for lang in ("id", "en"))):
        for word in (*CONFIDENTIAL, "PPATK", "ppatk", "judi", "gambling", "financial intelligence", "tidak wajar"):
            assert word not in page
    analyst = explain(tables(**said)).decisions[1].reasons
    assert [reason.code for reason in analyst] == [*found, "decile_above"]
    assert {"gambling_above", "gambling_reported", "abnormal_transactions"} == {*CONFIDENTIAL}


def test_that_an_agencys_word_moved_a_family_is_not_told_where_its_finding_is_not() -> None:
    made = tables(BPNT={"reasons": ["gambling_above"]})
    moved = made["decision/transitions"].with_columns(cause=pl.lit("evidence"), from_status=pl.lit("recipient"))
    of_both = pl.concat([moved.with_columns(programme=pl.lit(programme)) for programme in ("PKH", "BPNT")])
    made["decision/transitions"] = of_both
    told, known = (explain(made, audience=audience).decisions[1] for audience in ("family", "analyst"))
    assert (told.cause, told.from_status, known.cause) == (None, "recipient", "evidence")
    assert explain(made, audience="family").decisions[0].cause == "evidence"


VISITED_FOR = [
    *(rule.code for rule in POLICY.filters), *(f"{rule.code}_unknown" for rule in POLICY.filters), *Doubt, *Implausible,
    ONE_SOURCE, NOT_SCORABLE, IDENTITY_CASE, UNCONFIRMED, NO_COMPONENT, NO_DECILE, REVIEW_DUE,
]  # fmt: skip


@pytest.mark.parametrize("reason", VISITED_FOR)
def test_every_reason_of_the_worklist_is_told_in_both_languages(reason: str) -> None:
    made = tables()
    listed = {**PLACE, "family_id": FAMILY, "reason": reason, "programmes": ["PKH", "BPNT"]}
    made["decision/worklist"] = frame(TABLES["decision/worklist"], listed)
    for audience in ("analyst", "family"):
        for visit in (visit for one in explain(made, audience=audience).decisions for visit in one.visits):
            assert len(visit.sentence.id) > 20
            assert len(visit.sentence.en) > 20


def test_that_one_body_alone_excludes_is_not_told_where_it_is_the_one_that_may_not_be_named() -> None:
    for ground, visits in (("gambling_above", ["authorised_check"]), ("wage_above_minimum", ["one_source"])):
        made = tables(BPNT={"reasons": [ground]})
        listed = {**PLACE, "family_id": FAMILY, "reason": "one_source", "programmes": ["BPNT"]}
        made["decision/worklist"] = frame(TABLES["decision/worklist"], listed)
        told = explain(made, audience="family").decisions[1]
        assert [visit.code for visit in told.visits] == visits
        assert explain(made).decisions[1].visits[0].code == "one_source"


def test_whoever_nothing_was_found_of_is_told_the_same_rules_as_whoever_something_was() -> None:
    clean, found = explain(audience="family"), explain(tables(BPNT={"reasons": ["gambling_above"]}), audience="family")
    assert [one.code for one in clean.checks] == [one.code for one in found.checks]
    assert not {one.code for one in clean.checks} & {*CONFIDENTIAL}


def test_every_filter_of_the_policy_is_told_in_its_order_with_value_threshold_source_and_law() -> None:
    checks = explain().checks
    assert [one.code for one in checks] == [one.code for one in POLICY.filters]
    wage = next(one for one in checks if one.code == "wage_above_minimum")
    assert (wage.outcome, wage.observed, wage.threshold) == ("fail", 3_100_000, 2_989_145)
    assert wage.observed_words.id == "Rp 3.100.000 per bulan"
    assert wage.threshold_words.en == "above Rp 2,989,145 a month"
    assert wage.source.id == "BPJS Ketenagakerjaan"
    assert wage.source_date == date(2026, 1, 15)
    assert "category 11" in wage.legal_source.en
    assert "kategori 11" in wage.legal_source.id
    car = next(one for one in checks if one.code == "car_owner")
    assert car.threshold_words.id == "di atas 0 mobil: dikunjungi BPS, tidak dikeluarkan"
    pension = next(one for one in checks if one.code == "pensioner")
    assert (pension.outcome, pension.observed_words.en) == ("unknown", "none yet")
    assert pension.source.id == "Taspen (pensiun)"
    assert pension.note is not None
    assert "does not count against" in pension.note.en


def test_base_value_and_points_add_up_to_the_score_and_every_answer_has_its_label() -> None:
    one = explain()
    assert one.intercept_micro == INTERCEPT
    assert {part.feature: part.points_micro for part in one.parts} == POINTS
    assert one.score_micro == SCORE
    by_name = {part.feature: part for part in one.parts}
    assert by_name["head_education"].answer.id == "SMP sederajat"
    assert by_name["has_car"].answer.id == "Tidak"
    assert by_name["floor_area_m2"].answer.id == "36 m²"
    assert by_name["floor_area_m2"].source is not None
    assert by_name["floor_area_m2"].source.en == "Check by BPS"
    assert by_name["floor_area_m2"].source_date == date(2025, 11, 3)
    assert by_name["household_size"].source is not None
    assert by_name["household_size"].source.en == "Data of the members"
    assert (by_name["head_education"].effect, by_name["has_car"].effect) == ("raises", "lowers")


@pytest.mark.parametrize(
    "change",
    [
        {"decision/scores": pl.col("points_has_car") + 1},
        {"decision/scores": pl.col("score_micro") - 1},
        {"decision/decisions": pl.col("score_micro") + 1},
    ],
)
def test_points_that_do_not_add_up_to_the_last_unit_are_refused(change: dict[str, pl.Expr]) -> None:
    made = tables()
    for key, expression in change.items():
        made[key] = made[key].with_columns(expression)
    with pytest.raises(Tampered, match="add up"):
        explain(made)


def test_another_scorecard_or_policy_than_the_one_used_is_refused() -> None:
    with pytest.raises(Tampered, match="was decided with scorecard"):
        explain(tables(BPNT={"model_hash": "d" * 64}))
    with pytest.raises(Tampered, match="was decided with policy"):
        explain(tables(BPNT={"policy_hash": "d" * 64}))


def test_a_family_nobody_decided_on_is_refused() -> None:
    with pytest.raises(Refused, match="2026Q1 has no decision about family f-none"):
        explain(family="f-none")


def test_what_only_sends_to_the_field_is_told_as_such_beside_the_decision() -> None:
    told = explain()
    waiting, ineligible = told.decisions
    assert [one.code for one in waiting.visits] == ["car_owner"]
    assert waiting.visits[0].sentence.en.endswith("BPS will check this in the field.")
    assert ineligible.visits == ()
    check = next(one for one in told.checks if one.code == "car_owner")
    assert (check.outcome, check.note) == ("ground_check", waiting.visits[0].sentence)
    assert "Diputuskan seperti lolos" in as_text(told, "id")
    assert "Decided as passed" in as_html(told, "en")


def test_a_visit_that_is_not_on_the_worklist_is_told_nowhere() -> None:
    made = tables(PKH={"status": "ineligible", "reasons": ["pensioner", "identity_unconfirmed_unknown"]})
    made["decision/worklist"] = TABLES["decision/worklist"].empty()
    told = explain(made, audience="family")
    assert all(one.visits == () for one in told.decisions)
    (finding,) = (one for one in told.checks if one.outcome == "ground_check")
    assert finding.note is not None
    assert finding.note.en.startswith("Decided as passed. Nobody visits for it")
    assert "BPS will" not in as_text(told, "en")


@pytest.mark.parametrize(("goes_to", "is_told"), [("bps", False), ("supervisor", True)])
def test_a_case_that_went_to_the_supervisor_is_told_as_such(goes_to: str, is_told: bool) -> None:  # noqa: FBT001
    made = tables()
    for reason in ("car_owner", "gambling_reported"):
        listed = {**PLACE, "family_id": FAMILY, "reason": reason, "programmes": ["PKH"], "goes_to": goes_to}
        made["decision/worklist"] = frame(TABLES["decision/worklist"], {**listed, "since": "2025Q3"})
        (visit,) = explain(made, audience="family").decisions[0].visits
        assert ("This is open since 2025Q3 and is with the supervisor now." in visit.sentence.en) == is_told


def test_whose_check_in_person_is_checked_again_reads_nothing_of_it() -> None:
    made = tables(doubts={"check_in_person_sampled": {}})
    assert "at random" in as_text(explain(made), "en")
    assert "at random" not in as_text(explain(made, audience="family"), "en")


def test_no_family_is_promised_that_a_survey_in_notice_ends_nothing() -> None:
    told = " ".join(as_text(explain(tables(doubts={"survey_after_notice": {}})), "en").split())
    assert "counts from the next quarter, unless BPS finds otherwise" in told
    assert "no assistance ends" not in told


def test_a_recipient_under_review_is_told_since_when_it_receives_and_that_the_assistance_goes_on() -> None:
    kept = {
        "status": "recipient", "rank": 3, "queue_position": None, "amount_rupiah": 750_000, "review_due": True,
        "member_since": date(2020, 7, 1), "ground_checks": ["electricity_above_unknown"],
    }  # fmt: skip
    told = explain(tables(PKH=kept, payment={"components": ["early_childhood"], "amount_rupiah": 750_000}))
    assert [one.code for one in told.decisions[0].visits] == ["electricity_above_unknown", "review_due"]
    text = as_text(told, "en")
    assert "has received PKH for 5 years or more" in text
    assert "1 July 2020" in text
    assert "Nothing is known yet about: Electricity connection." in text


def test_who_keeps_the_place_without_any_component_known_is_told_what_it_goes_on_receiving() -> None:
    amount = 875_000
    kept = {"status": "recipient", "is_kept": True, "score_basis": "official_decile", "placed_by": "kept", "rank": 3,
            "queue_position": None, "cutoff_distance_micro": None, "amount_rupiah": amount}  # fmt: skip
    told = explain(tables(PKH=kept, payment={"components": [], "amount_rupiah": amount}))
    assert (told.decisions[0].components, told.decisions[0].amount_rupiah) == ((), amount)
    assert "Rp 875.000" in as_text(told)
    assert "no recipient to compare with" not in as_text(told, "en")
    assert "goes on receiving although data are missing" in as_text(told, "en")
    with pytest.raises(Tampered, match="components add up to"):
        explain(tables(PKH={**kept, "is_kept": False}, payment={"components": [], "amount_rupiah": amount}))
    with pytest.raises(Tampered, match="components add up to"):
        explain(tables(PKH=kept, payment={"components": [], "amount_rupiah": amount + 1}))


def test_only_who_is_on_a_list_is_told_a_reference_on_it() -> None:
    assert "Reference on the list" in as_text(explain(tables(PKH={"status": "waiting"})), "en").split("BPNT")[0]
    excluded = {"status": "ineligible", "reasons": ["no_component"], "rank": None, "queue_position": None}
    told = as_text(explain(tables(PKH=excluded)), "en").split("BPNT")[0]
    assert "Reference of this decision" in told
    assert "Reference on the list" not in told


def test_who_waits_where_nobody_receives_is_told_that_there_is_no_cut_off() -> None:
    waiting = {"status": "waiting", "placed_by": None, "displaced_by": None, "rank": 1, "seats": 0,
               "cutoff_distance_micro": None}  # fmt: skip
    assert "no recipient to compare with" in as_text(explain(tables(PKH=waiting)), "en")


def test_no_reason_tells_a_family_that_its_aid_goes_on_but_the_review_of_who_receives() -> None:
    promise = ("goes on", "tetap berjalan")
    promising = {code for code, words in catalogue().items() if code.startswith("reason.")
                 and any(part in text for part in promise for text in (words.id, words.en))}  # fmt: skip
    assert promising == {"reason.review_due"}


def test_a_doubt_of_the_registry_is_told_and_what_holds_the_family_is_told_once() -> None:
    bare = {"status": "held", "reasons": ["component_unconfirmed"], "rank": None, "queue_position": None}
    held = {**bare, "ground_checks": ["component_unconfirmed"]}
    told = explain(tables(PKH=held, doubts={"implausible_kinship": None})).decisions[0]
    assert [one.code for one in told.visits] == ["implausible_kinship"]
    assert "is not supported by another source yet" in told.reasons[0].sentence.en
    assert "relation counts as not known" in told.visits[0].sentence.en
    assert "In the next quarter at the latest PKH is decided" in told.next_step.en


def test_who_was_not_visited_in_time_is_told_that_nothing_is_known_yet_and_that_the_visit_stands() -> None:
    decided = {"status": "ineligible", "reasons": ["no_component"], "rank": None, "queue_position": None}
    told = explain(tables(PKH={**decided, "ground_checks": ["component_unconfirmed"]})).decisions[0]
    assert told.reasons[0].sentence.en.startswith("No member of the family is known to fit a component of PKH")
    assert [one.code for one in told.visits] == ["component_unconfirmed"]


def test_a_rule_without_a_row_is_refused() -> None:
    made = tables()
    made["decision/filters"] = made["decision/filters"].filter(pl.col("filter") != "pensioner")
    with pytest.raises(Tampered, match="no row of the rule 'pensioner'"):
        explain(made)


def test_a_recipient_is_told_amount_components_and_when_it_is_paid() -> None:
    amount = 750_000 + 225_000
    paid = {"components": ["early_childhood", "primary"], "amount_rupiah": amount}
    recipient = {"status": "recipient", "queue_position": None, "cutoff_distance_micro": -200_000}
    pkh = explain(tables(PKH={**recipient, "amount_rupiah": amount}, payment=paid)).decisions[0]
    assert {one.code: one.amount_rupiah for one in pkh.components} == {"early_childhood": 750_000, "primary": 225_000}
    assert "Rp 975.000 untuk triwulan 2026Q1 dibayarkan pada tahap 1" in pkh.next_step.id
    assert pkh.cutoff_side == "below"
    assert pkh.cutoff_distance_share == -0.181269


def test_components_that_do_not_add_up_to_the_amount_are_refused() -> None:
    paid = {"components": ["primary"], "amount_rupiah": 975_000}
    with pytest.raises(Tampered, match="components add up to 225000 rupiah"):
        explain(tables(PKH={"status": "recipient", "amount_rupiah": 975_000}, payment=paid))


@pytest.mark.parametrize(
    ("status", "reasons", "told"),
    [
        ("waiting", [], "urutan ke-5"),
        ("ineligible", ["no_component"], "minta peninjauan"),
        ("not_scorable", ["not_scorable"], "akan berkunjung untuk melengkapi data"),
        ("held", ["identity_case"], "memastikan identitas"),
        ("held", ["no_consent_unknown"], "melengkapi keterangan"),
    ],
)
def test_every_status_says_what_to_do_next_and_until_when_to_object(status: str, reasons: list[str], told: str) -> None:
    one = explain(tables(PKH={"status": status, "reasons": reasons}))
    assert told in one.decisions[0].next_step.id
    assert "2 Februari 2026" in one.objection.id
    assert "2 March 2026" in one.objection.en
    assert [reason.code for reason in one.decisions[0].reasons] == reasons


def test_a_family_that_cannot_be_scored_is_told_which_answers_are_lacking() -> None:
    nothing = dict.fromkeys(["score_micro", "decile", "rank", "queue_position", "cutoff_distance_micro"])
    unscored = {**nothing, "status": "not_scorable", "reasons": ["not_scorable"]}
    one = explain(tables(record={"floor_area_m2": None}, PKH=unscored, BPNT=unscored))
    assert not one.scorable
    assert one.score_micro is None
    assert [problem.en for problem in one.problems] == ["Floor area: no answer"]
    assert {(part.effect, part.points_micro) for part in one.parts} == {(None, None)}
    assert "Luas lantai: belum ada jawaban" in as_text(one)


def test_a_family_is_never_told_points_score_or_exact_distance() -> None:
    one = explain(audience="family")
    assert "Luas lantai" in as_text(one)
    for way in ("menurunkan", "menaikkan", "lowers", "raises"):
        assert way not in as_text(one) + as_text(one, "en") + as_html(one)
    secrets = [SCORE, INTERCEPT, 34_000, *POINTS.values()]
    for printed in (as_json(one), as_text(one), as_text(one, "en"), as_html(one), as_html(one, "en")):
        for secret in secrets:
            for spelling in (str(abs(secret)), f"{abs(secret):,}", f"{abs(secret):,}".replace(",", ".")):
                assert spelling not in printed
    pkh = one.decisions[0]
    assert (pkh.rank, pkh.cutoff_distance_share, pkh.cutoff_side, pkh.cutoff_band) == (None, None, "above", "near")
    assert "a little above the cut-off" in as_text(one, "en")


@pytest.mark.parametrize(
    ("micro", "told"),
    [(94_000, "a little above"), (96_000, "above"), (262_000, "above"), (263_000, "far above"), (0, "exactly at"),
     (-105_000, "a little below"), (-106_000, "below"), (-356_000, "below"), (-357_000, "far below")],
)  # fmt: skip
def test_a_family_is_told_the_distance_in_three_bands(micro: int, told: str) -> None:
    text = as_text(explain(tables(PKH={"cutoff_distance_micro": micro}), audience="family"), "en")
    assert re.search(rf"cut-off +{told} the cut-off\n", text)


def test_a_family_is_told_what_weighed_most_in_the_order_of_the_questions() -> None:
    told = [question.en for question in explain(audience="family").weighed_most]
    assert told == ["Floor area", "Schooling of the head", "Family members"]
    assert explain().weighed_most == ()
    assert "Floor area; Schooling of the head; Family members" in as_html(explain(audience="family"), "en")


def test_an_explanation_holds_nothing_of_another_family_nor_a_name_or_card_number() -> None:
    for one in (explain(), explain(audience="family")):
        printed = as_json(one) + as_text(one)
        for forbidden in ("R-OTHER", OTHER, "Siti", "Aminah", "3510010101010001"):
            assert forbidden not in printed


@pytest.mark.parametrize("printing", [as_json, as_text, as_html])
def test_the_same_family_gives_the_same_bytes(printing: Callable[[Explanation], str]) -> None:
    shuffled = {key: table.reverse() for key, table in tables().items()}
    assert printing(explain()) == printing(explain(shuffled))


def test_the_json_form_keeps_everything_in_plain_types() -> None:
    plain = json.loads(as_json(explain()))
    assert plain["decisions"][0]["places"]["exact_share"] == "41.600000"
    assert plain["objection_deadline"] == "2026-03-02"
    assert plain["policy_hash"] == POLICY.hash


def test_the_text_shows_status_filters_parts_and_next_steps_in_both_languages() -> None:
    indonesian, english = as_text(explain()), as_text(explain(), "en")
    for expected in (
        "Program Keluarga Harapan (PKH): Antrean",
        "pengeluaran yang diperkirakan 3,46% lebih tinggi daripada batas penerimaan (+34.000)",
        "Rp 3.100.000 per bulan",
        "Kepmensos 73/2024, kategori 11",
        "lansia yang hidup sendiri",
        "Sarongan, Pesanggaran, Kabupaten Banyuwangi (35.10.01.2001)",
        "-250.913",
        "+13.456.789",
    ):
        assert expected in " ".join(indonesian.split())
    for expected in ("Family Hope Programme (PKH): Waiting list", "position 5", "Passed", "-250,913", "13,098,546"):
        assert expected in " ".join(english.split())
    table = english.splitlines()[english.splitlines().index("Answers scored") :]
    ends = {len(line) for line in table if line.startswith(("Base value", "Floor area", "Car ", "Score (lower"))}
    assert len(ends) == 1


def test_the_page_loads_nothing_and_escapes_what_it_shows() -> None:
    page = as_html(explain(tables(PKH={"masked_name": "<b>X</b>***"}, BPNT={"masked_name": "<b>X</b>***"})))
    assert "<b>X" not in page
    assert "&lt;b&gt;X" in page
    for loading in ("http://", "https://", "<script", "<link", "@import", "url(", "src="):
        assert loading not in page
    assert '<html lang="id">' in page


def test_a_referral_is_told_with_its_reason_its_facts_and_its_source() -> None:
    for audience in ("analyst", "family"):
        one = explain(audience=audience)
        (referral,) = one.referrals
        grounds = [(label.en, value.en) for label, value in referral.grounds]
        assert grounds == [
            ("Eligible for a programme", "Yes"), ("Main floor", "tanah"), ("Floor area per person (dm²)", "700"),
        ]  # fmt: skip
        for printed in (as_text(one), as_html(one)):
            assert "Rehabilitasi rumah tidak layak huni (RUTILAHU)" in printed
            assert "Rumah keluarga ini tidak layak huni." in printed
            assert "Permensos 20/2017" in printed
        assert "a referral changes none" in as_text(one, "en").replace("\n", " ")


def test_a_family_without_referrals_is_told_of_none() -> None:
    made = tables()
    made["decision/referrals"] = made["decision/referrals"].clear()
    assert "Rujukan" not in as_text(explain(made)) + as_html(explain(made))


def test_every_fact_of_the_referrals_in_force_has_words_in_both_languages() -> None:
    for rule in POLICY.referrals:
        for one in (*rule.needs, *rule.signs):
            assert f"fact.{one.fact}" in catalogue() or one.fact in QUESTIONNAIRE.variables, one.fact


PLACED = {"id": "Tempat ini disediakan bagi lansia.", "en": "These places are kept for the elderly."}
RULES = {
    "ranking.reserved_places": [{"fact": "elderly_alone", "share": 0.1, "reason": PLACED}],
    "ranking.sitting_margin_micro": 10_000,
}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"status": "recipient", "placed_by": "reserved_elderly_alone"}, [PLACED["en"]]),
        ({"status": "recipient", "placed_by": "sitting"}, ["goes on receiving while its score is still close"]),
        ({"rank": 42, "displaced_by": ["reserved_elderly_alone"]}, [f"{PLACED['en']} Without that, this family would"]),
        ({"rank": 48, "displaced_by": ["reserved_elderly_alone", "sitting"]}, [PLACED["en"], "still close", "Without"]),
        ({"rank": 42, "displaced_by": None}, ["lies within the number of places", "whose data are missing"]),
        ({"rank": 43}, []),
        ({"status": "recipient", "placed_by": "order", "rank": 1}, []),
    ],
)
def test_whoever_is_placed_or_passed_over_by_a_rule_is_told_the_rule(row: dict[str, Any], told: list[str]) -> None:
    policy = rulebook(Overlay.of("test", "Made for a test", RULES)).on(DAYS.decision_date)
    made = tables(PKH={**row, "policy_hash": policy.hash}, BPNT={"policy_hash": policy.hash})
    lazy = {key: table.lazy() for key, table in made.items()}
    one = explanation(FAMILY, lazy, replace(TERMS, policy=policy), QUESTIONNAIRE)
    words = one.decisions[0].placed_by
    assert (words is None) == (not told)
    if row.get("displaced_by"):
        assert "earlier" not in one.decisions[0].next_step.en, "a place went to a family behind it"
    for sentence in told:
        assert words is not None
        assert sentence in words.en
        assert sentence in " ".join(as_text(one, "en").split())


def test_what_does_not_count_is_told_once_with_its_kind_of_author_and_never_the_person() -> None:
    row = {
        **PLACE, "family_id": FAMILY, "feed": "members", "subject": "members", "author": "third_party",
        "standing": "pending", "stated_date": date(2026, 1, 3), "agent_id": "A351010-T",
    }  # fmt: skip
    said = "Members, 3 January 2026: stated by a neighbour or other third party, unverified"
    told = explain(tables(pending={"s1": {**row, "is_listed": True}, "s2": {**row, "is_listed": True}}))
    assert [one.en for one in told.waiting] == [f"{said}; waits for BPS."]
    unlisted = explain(tables(pending={"s1": row}))
    assert [one.en.startswith(f"{said}; it is not used") for one in unlisted.waiting] == [True]
    assert "Nobody visits" in unlisted.waiting[0].en
    assert "A351010-T" not in as_text(told, "en")


def render_in_english(made: Tables) -> str:
    return " ".join(as_text(explain(made, audience="family"), "en").split())


def test_the_sentence_of_a_cause_says_by_which_test_it_holds() -> None:
    made = tables()

    def with_cause(cause: str, *, is_decisive: bool | None) -> str:
        moved = made["decision/transitions"].with_columns(
            cause=pl.lit(cause), is_decisive=pl.lit(is_decisive, pl.Boolean)
        )
        return render_in_english({**made, "decision/transitions": moved})

    alone = "Had that alone stayed as it was in the quarter before, the family would have kept its status."
    together = "Several things changed together and none of them decided alone;"
    decisive, several = with_cause("newcomers", is_decisive=True), with_cause("newcomers", is_decisive=False)
    assert f"Other families registered newly. {alone}" in decisive
    assert f"Other families registered newly. {together}" in several
    for cause, is_decisive in (("first_assessment", True), ("competitors", None)):
        told = with_cause(cause, is_decisive=is_decisive)
        assert alone not in told
        assert together not in told
    assert "The data of other families in the area changed." in told


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, "Any family may ask that a person review this decision"),
        ("asked", "The family asked for a human review on 10 January 2026. The request is on record and goes to: BPS."),
        ("under_review", "The human review asked for on 10 January 2026 is not finished. It is with: BPS."),
        ("answered", "was answered by a visit of BPS on 15 January 2026"),
    ],
)
def test_a_letter_says_where_a_human_review_stands_or_how_one_is_asked_for(state: str | None, said: str) -> None:
    made = tables()
    row = {**PLACE, "family_id": FAMILY, "reason": "review_requested", "programmes": ["PKH"], "review_state": state,
           "goes_to": "bps", "asked_on": date(2026, 1, 10), "answered_on": date(2026, 1, 15)}  # fmt: skip
    listed = frame(TABLES["decision/worklist"], row)
    told = render_in_english({**made, "decision/worklist": listed if state else listed.clear()})
    assert said in told
    assert "This family asked for a human review." not in told
