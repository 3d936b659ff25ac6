"""Referrals: on which facts they rest, that rules are read strictly, and what the registry keeps of shocks for them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assets.decision.decide import decide
from assets.decision.families import Families, Terms
from assets.decision.referrals import referrals
from assets.registry.shocks import family_shocks
from quotas.overlay import Overlay
from quotas.parameters import validated
from quotas.referrals import Referral
from quotas.rulebook import rulebook
from schemas.errors import PolicyError
from schemas.tables import TABLES
from schemas.vocabularies import Feed
from tests.made_families import ADULT, CHILD, ELDER, HERE, NOBODY, THERE, Made, Person, families, seats, shuffled, terms
from tests.made_registry import CHILD as DAUGHTER
from tests.made_registry import DEC, HUSBAND, JAN, OURS, Q1, Q2, WIFE, Office, family, found, survey

TERMS = terms()
DAY = TERMS.days.decision_date
HUT = {"home_ownership": 1, "floor_material": 8, "wall_material": 4}
MADE = (
    Made("hut", 36, (ADULT,), answers={**HUT, "household_size": 5}),
    Made("old", 20, (ELDER,), THERE),
    Made("young", 30, (ADULT, CHILD, Person(disability=1))),
)


def struck(*rows: tuple[str, str, date]) -> pl.DataFrame:
    contract = TABLES["registry/shocks"]
    known = [dict(zip(("family_id", "shock", "shock_date"), row, strict=True)) for row in rows]
    return pl.DataFrame({name: [row.get(name) for row in known] for name in contract.dtypes}, schema=contract.dtypes)


def decided(frames: Families, on: Terms = TERMS) -> pl.DataFrame:
    rows = decide(frames, on, seats({HERE: (9, 9), THERE: (9, 9)}), NOBODY)
    return rows.with_columns(reference=pl.concat_str(pl.lit("R-"), "family_id"), quarter=pl.lit("2026Q1"))


def referred(*made: Made, shocks: pl.DataFrame | None = None, on: Terms = TERMS) -> pl.DataFrame:
    frames = families(*made)
    found = referrals(frames, struck() if shocks is None else shocks, decided(frames, on), on)
    return TABLES["decision/referrals"].fit(found)


def facts_of(found: pl.DataFrame) -> dict[tuple[str, str], list[str]]:
    return {(row[0], row[1]): row[2] for row in found.select("family_id", "referral", "facts").iter_rows()}


def test_a_referral_names_the_facts_it_rests_on_the_family_and_its_place() -> None:
    found = referred(*MADE, shocks=struck(("young", "illness", date(2026, 1, 16))))
    TABLES["decision/referrals"].schema.validate(found)
    facts = facts_of(found)
    assert facts["hut", "rutilahu"] == [
        "has_consent=1", "is_eligible=1", "home_ownership=1", "floor_material=8", "wall_material=4",
    ]  # fmt: skip
    assert facts["old", "permakanan"] == ["has_consent=1", "is_eligible=1", "member_count=1", "elderly_member_count=1"]
    assert facts["young", "atensi_disability"] == ["has_consent=1", "severe_disability_count=1"]
    assert facts["young", "visit"] == ["has_consent=1", "days_since_illness=10"]
    assert len(facts) == found.height == 4
    one = found.filter(referral="permakanan").row(0, named=True)
    assert (one["reference"], one["regency_code"], one["village_code"]) == ("R-old", THERE, f"{THERE}.01.2001")
    assert "seorang diri" in one["reason_id"]
    assert "lives alone" in one["reason_en"]


@pytest.mark.parametrize(("persons", "is_sign"), [(5, False), (6, True)])
def test_exactly_seven_point_two_square_metres_a_person_are_enough(persons: int, *, is_sign: bool) -> None:
    one = Made("a", 36, (ADULT,), answers={"home_ownership": 1, "floor_material": 8, "household_size": persons})
    assert (("a", "rutilahu") in facts_of(referred(one))) == is_sign


def test_referrals_move_no_decision_and_no_order_of_rows_moves_them() -> None:
    frames, shocks = families(*MADE), struck(("young", "illness", date(2026, 1, 16)), ("old", "disaster", DAY))
    none = terms({"referrals": []})
    kept = ["family_id", "programme", "status", "rank", "amount_rupiah"]
    assert_frame_equal(decided(frames).select(kept), decided(frames, none).select(kept))
    assert referred(*MADE, shocks=shocks, on=none).is_empty()
    found, dice = referred(*MADE, shocks=shocks), Random(4)  # noqa: S311
    mixed = Families(shuffled(frames.records, dice), shuffled(frames.members, dice))
    again = referrals(mixed, shuffled(shocks, dice), shuffled(decided(frames), dice), TERMS)
    assert_frame_equal(TABLES["decision/referrals"].fit(again), found)
    parts = [referred(*(one for one in MADE if one.regency == area), shocks=shocks) for area in (HERE, THERE)]
    assert_frame_equal(pl.concat(parts), found)


def test_every_fact_of_the_law_in_force_is_known_of_families() -> None:
    for year in (2025, 2026, 2027):
        on = replace(TERMS, policy=rulebook().on(date(year, 2, 1)))
        referred(*MADE, on=on)


def test_an_answer_the_questionnaire_does_not_ask_is_not_known() -> None:
    frames = families(MADE[0])
    without = Families(frames.records.drop("wall_material", "floor_area_m2"), frames.members)
    assert referrals(without, struck(), decided(frames), TERMS).is_empty()


def test_a_fact_nobody_knows_is_refused_with_the_nearest() -> None:
    with pytest.raises(PolicyError, match=r"visit: nothing is known as 'has_consents'\. The nearest is 'has_consent'"):
        referred(*MADE, on=terms({"referrals.visit.needs": [{"fact": "has_consents", "minimum": 1}]}))


RULE = {
    "code": "help", "name": {"id": "Bantuan lain", "en": "Other help"}, "needs": [{"fact": "decile", "maximum": 2}],
    "reason": {"id": "Keluarga ini miskin.", "en": "This family is poor."},
    "description": {"id": "Dibuat untuk uji.", "en": "Made for a test."},
    "source": {"title": "A test"}, "valid_from": "2025-01-01",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"needs": []}, "at least 1"),
        ({"needs": [{"fact": "decile"}]}, "either one_of, or minimum and maximum"),
        ({"needs": [{"fact": "decile", "minimum": 1, "one_of": [1]}]}, "either one_of, or minimum and maximum"),
        ({"needs": [{"fact": "decile", "minimum": 3, "maximum": 2}]}, "minimum 3 lies above maximum 2"),
        ({"needs": [{"fact": "decile", "maximum": 2, "unless": 1}]}, "unknown key"),
        ({"signs": [{"fact": "decile", "maximum": 2}]}, "signs_needed is 0, but there are 1 signs"),
        ({"signs_needed": 1}, "signs_needed is 1, but there are 0 signs"),
        ({"source": None}, "source"),
        ({"reason": {"id": "Keluarga ini miskin."}}, "missing"),
    ],
)
def test_a_rule_of_referral_is_read_strictly(change: Mapping[str, object], fault: str) -> None:
    validated(Referral, RULE, "referrals.yaml")
    with pytest.raises(PolicyError, match=fault):
        validated(Referral, {**RULE, **change}, "referrals.yaml")


def test_an_overlay_takes_one_referral_away() -> None:
    on = rulebook(Overlay.of("test", "Made for a test", {"referrals.pena": None})).on(DAY)
    assert [one.code for one in on.referrals] == [one.code for one in TERMS.policy.referrals if one.code != "pena"]


# What the registry keeps of shocks.


def visits(*rows: tuple[str, date, Mapping[str, date]]) -> pl.DataFrame:
    shocks = ("illness_date", "failed_crop_date", "disaster_date", "lost_work_date")
    schema: dict[str, pl.DataType] = {"family_id": pl.String(), **dict.fromkeys(("survey_date", *shocks), pl.Date())}
    known = [(family, day, *(told.get(name) for name in shocks)) for family, day, told in rows]
    return pl.DataFrame(known, schema=schema, orient="row")


def persons(*rows: tuple[str, int, int | None, date | None]) -> pl.DataFrame:
    """Family, relation to the head, whether dead, day of the register's statement."""
    schema = {"family_id": pl.String, "relation": pl.Int32, "is_deceased": pl.Int64, "is_deceased_date": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row")


EARLIER, LATER, LONG_AGO = date(2025, 6, 1), date(2025, 9, 1), date(2020, 1, 1)
OLDEST = date(2024, 1, 1)


def kept(surveys: pl.DataFrame, people: pl.DataFrame, previous: pl.DataFrame | None = None) -> list[tuple[object, ...]]:
    found = family_shocks(surveys, people, struck() if previous is None else previous, OLDEST)
    return found.select("family_id", "shock", "shock_date", "source").rows()


def test_the_last_shock_of_each_kind_stands_with_who_says_so() -> None:
    told = visits(
        ("a", EARLIER, {"illness_date": date(2025, 5, 1)}),
        ("a", LATER, {"illness_date": date(2025, 8, 1), "failed_crop_date": LATER}),
        ("b", LATER, {}),
    )
    assert kept(told, persons()) == [
        ("a", "failed_crop", LATER, "agent_survey"), ("a", "illness", date(2025, 8, 1), "agent_survey"),
    ]  # fmt: skip


def test_a_shock_after_the_visit_that_reports_it_is_none() -> None:
    assert kept(visits(("a", EARLIER, {"illness_date": LATER})), persons()) == []


def test_a_shock_stands_until_it_is_too_old_or_a_later_one_is_reported() -> None:
    stood = struck(("a", "illness", EARLIER), ("b", "disaster", EARLIER)).with_columns(
        source=pl.lit("agent_survey"), stated_date=pl.lit(EARLIER)
    )
    later = visits(("a", LATER, {"illness_date": LATER}))
    assert [row[2] for row in kept(later, persons(), stood)] == [LATER, EARLIER]
    assert kept(visits(), persons(), stood.with_columns(stated_date=pl.lit(LONG_AGO))) == []


def test_the_death_of_a_head_or_spouse_is_a_bereavement_as_long_as_the_register_says_so() -> None:
    people = persons(("a", 2, 1, EARLIER), ("b", 3, 1, EARLIER), ("c", 1, 0, EARLIER), ("d", 1, None, None))
    assert kept(visits(), people) == [("a", "bereavement", EARLIER, "dukcapil")]
    stood = family_shocks(visits(), people, struck(), OLDEST)
    assert kept(visits(), people.with_columns(is_deceased=pl.lit(0, pl.Int64)), stood) == []


def test_a_reported_shock_goes_through_the_registry_and_stays_the_quarter_after(tmp_path: Path) -> None:
    office = Office.in_folder(tmp_path)
    fell_ill = date(2025, 10, 30)
    office.deliver(Q1, family(OURS, HUSBAND, WIFE), {Feed.SURVEYS: [survey(OURS, illness_date=fell_ill)]})
    for quarter in (Q1, Q2):
        rows = (
            office.resolve(quarter).table("shocks").select("regency_code", "shock", "shock_date", "stated_date").rows()
        )
        assert rows == [(HERE, "illness", fell_ill, DEC)]


def test_a_head_the_register_knows_to_be_dead_is_a_bereavement_of_the_family(tmp_path: Path) -> None:
    office = Office.in_folder(tmp_path)
    office.deliver(Q1, family(OURS, HUSBAND, WIFE, DAUGHTER))
    office.answer(Q1, "is_deceased", found(HUSBAND, "is_deceased"))
    rows = office.resolve(Q1).table("shocks").select("shock", "shock_date", "source").rows()
    assert rows == [("bereavement", JAN, "dukcapil")]
