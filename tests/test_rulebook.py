"""The rulebook: strict reading of dated values, the policy of a day, its hash, and overlays."""

import pickle
import re
import shutil
from collections.abc import Callable
from datetime import date
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from assets.house import House
from assets.pseudonyms import PseudonymKey
from quotas.overlay import Overlay, read_overlay
from quotas.parameters import Citation, entries_of, read_yaml
from quotas.rulebook import Rulebook, rulebook
from quotas.rules import Operator, Unknown
from schemas.errors import PolicyError, UnknownRegency
from schemas.quarter import Quarter
from schemas.questionnaire import default_questionnaire
from schemas.vocabularies import Agency, Programme, Source

DAY = date(2026, 1, 26)

PARAMETER = """
limit:
  description: {{id: Batas untuk uji., en: A limit for tests.}}
  unit: {unit}
  values:
    {values}
"""
SOURCE = "source: {title: A decree}"


def parameter(values: str, unit: str = "VA") -> str:
    return PARAMETER.format(values=values, unit=unit)


def read_parameter(text: str) -> list[object]:
    return [entry.value for entry in entries_of(read_yaml(text, "test.yaml"), "test.yaml", ("test",))]


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Copies the rule files and replaces one passage in one of them."""

    def edit(file: str, old: str, new: str) -> Path:
        with as_file(files("quotas") / "policy") as folder:
            shutil.copytree(folder, tmp_path / "policy")
        path = tmp_path / "policy" / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return tmp_path / "policy"

    return edit


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (parameter(f"- {{valid_from: 2025-01-01, value: 1, colour: red, {SOURCE}}}"), "values.0.colour': unknown key"),
        (parameter("- {valid_from: 2025-01-01, value: 1}"), "values.0.source': missing"),
        (parameter(f"- {{value: 1, {SOURCE}}}"), "values.0.valid_from': missing"),
        (parameter("- {valid_from: 2025-01-01, value: 1, source: {title: A decree, page: 3}}"), "source.page'"),
        (parameter("- {valid_from: 2025-01-01, value: 1, source: {title: ''}}"), "source.title'"),
        (parameter(f"- {{valid_from: first of May, value: 1, {SOURCE}}}"), "values.0.valid_from'"),
        (parameter("[]"), "key 'values'"),
        (
            parameter(
                f"- {{valid_from: 2025-01-01, valid_to: 2025-06-29, value: 1, {SOURCE}}}\n"
                f"    - {{valid_from: 2025-07-01, value: 2, {SOURCE}}}"
            ),
            "gap between the values from 2025-01-01 and from 2025-07-01. Write valid_to: 2025-06-30",
        ),
        (
            parameter(
                f"- {{valid_from: 2025-01-01, value: 1, {SOURCE}}}\n"
                f"    - {{valid_from: 2025-07-01, value: 2, {SOURCE}}}"
            ),
            "overlap between the values from 2025-01-01 and from 2025-07-01. Write valid_to: 2025-06-30",
        ),
        (
            parameter(
                f"- {{valid_from: 2025-07-01, value: 1, {SOURCE}}}\n"
                f"    - {{valid_from: 2025-01-01, value: 2, {SOURCE}}}"
            ),
            "Oldest first",
        ),
        (
            parameter(f"- {{valid_from: 2025-07-01, valid_to: 2025-01-01, value: 1, {SOURCE}}}"),
            "valid_to 2025-01-01 lies before valid_from 2025-07-01",
        ),
        (
            parameter(f"- {{valid_from: 2025-01-01, value: 10, {SOURCE}}}", "ratio"),
            "10 is no ratio between 0 and 1. Write a percent as a ratio",
        ),
        (
            parameter(f"- {{valid_from: 2025-01-01, value: {{PKH: [0.1, 25]}}, {SOURCE}}}", "ratio"),
            "25 is no ratio",
        ),
        (parameter(f"- {{valid_from: 2025-01-01, value: .nan, {SOURCE}}}"), "limit"),
        ("limit: 5", "test.limit: expected a parameter"),
        ("limit: {}", "test.limit: expected a parameter"),
        ("limit: {description: {id: Tidak ada., en: None given.}, unit: VA}", "values': missing"),
    ],
)
def test_a_parameter_that_breaks_a_rule_is_refused_by_file_key_and_remedy(text: str, named: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(named)) as refusal:
        read_parameter(text)
    assert "test.yaml: test.limit" in str(refusal.value)


def test_a_key_written_twice_is_refused_with_its_line() -> None:
    with pytest.raises(PolicyError, match=r"test\.yaml: key 'unit' is written twice, again on line 3"):
        read_yaml("a:\n  unit: VA\n  unit: W\n", "test.yaml")


def test_a_code_without_quotes_is_refused_before_it_loses_its_zero() -> None:
    with pytest.raises(PolicyError, match=r"key 91\.2 on line 1 is no text; write it in quotes"):
        read_yaml("91.20: 1\n", "test.yaml")


def test_a_text_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"test\.yaml, line 1: this is no YAML"):
        read_yaml("a: [1", "test.yaml")


def test_values_may_be_scalars_lists_or_mappings_and_change_on_their_day() -> None:
    values = (
        f"- {{valid_from: 2025-01-01, valid_to: 2025-12-31, value: {{PKH: [1, 2]}}, {SOURCE}}}\n"
        f"    - {{valid_from: 2026-01-01, value: 3, {SOURCE}}}"
    )
    assert read_parameter(parameter(values)) == [{"PKH": [1, 2]}, 3]


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("quotas.yaml", "PKH: 10_000_000", "PKH: 1.5", "quotas.yaml, key 'national_total.PKH'"),
        ("quotas.yaml", "PKH: 10_000_000", "PHK: 10_000_000", "quotas.yaml, key 'national_total.PHK"),
        ("quotas.yaml", "PKH: 10_000_000, ", "", "national_total has no number of places for PKH"),
        ("quotas.yaml", "value: largest_remainder", "value: by_feeling", "quotas.yaml, key 'method'"),
        ("quotas.yaml", "tie_rule:", "tie_rules:", "quotas.yaml, key 'tie_rule': missing"),
        ("programmes.yaml", "value: 4\n", "value: 40\n", "programmes.yaml, key 'PKH.max_decile'"),
        ("programmes.yaml", "equals: primary", "equals: null", "either equals, or minimum and maximum"),
        ("programmes.yaml", "minimum: 0, maximum: 6", "minimum: 9, maximum: 6", "minimum 9 lies above maximum 6"),
        ("programmes.yaml", "BPNT:\n", "KIP:\n", "programmes.yaml, key 'KIP': unknown key"),
        ("registry.yaml", "[bps_validation, agent_survey, ", "[agent_survey, agent_survey, ", "exactly once"),
        ("intake.yaml", "value: 0.10", "value: 10", "10 is no ratio between 0 and 1"),
        ("minimum_wages.yaml", '"35.10": 2_638_628', '"3510": 2_638_628', "minimum_wages.yaml, key 'regency.3510"),
        ("welfare.yaml", "value: national", "value: village", "welfare.yaml, key 'decile_frame'"),
        ("ranking.yaml", "order: ascending", "order: up", "ranking.yaml, key 'tie_breakers.4.order'"),
        ("filters.yaml", "operator: below", "operator: beneath", "filters.yaml: filter 1 (deceased), key 'operator'"),
        ("filters.yaml", "threshold: 1300", "threshold: null", "operator above needs a threshold"),
        ("filters.yaml", "threshold: null", "threshold: 1", "operator is_true takes threshold null"),
        ("filters.yaml", "categories: [3]", "categories: [16]", "filter 1 (deceased), key 'categories"),
        ("filters.yaml", "agency: pln", "agency: plm", "filter 17 (electricity_above), key 'agency"),
        ("filters.yaml", "  effect: exclude", "  effect: warn", "filter 1 (deceased), key 'effect'"),
        ("programmes.yaml", "[elderly, severe_disability]", "[aged]", "PKH.review_exempt names aged"),
        ("filters.yaml", "unknown: hold", "unknown: ignore", "filter 21 (no_consent), key 'unknown'"),
        ("filters.yaml", "    en: According to the population", "    fr: Selon la population", "reason.en': missing"),
        ("filters.yaml", "code: civil_servant", "code: deceased", "filters.yaml: deceased: the value from"),
        (
            "filters.yaml",
            "threshold: 1300",
            "threshold: -1",
            "filter 17 (electricity_above), key 'threshold'",
        ),
        (
            "filters.yaml",
            "valid_from: 2025-09-09",
            "valid_from: 2025-13-09",
            "month must be in 1..12; correct it",
        ),
        ("programmes.yaml", "fact: is_pregnant", "fact: is_pregnnt", "key 'PKH.components.pregnant.fact'"),
        ("programmes.yaml", "equals: primary", "equals: primry", "key 'PKH.components.primary.equals'"),
        ("programmes.yaml", "minimum: 60, maximum: null", "minimum: 600, maximum: null", "components.elderly.minimum'"),
        ("programmes.yaml", "fact: school_level, minimum: null", "fact: age_years, minimum: null", "use bounds"),
        ("ranking.yaml", "fact: dependant_count", "fact: dependants", "ranking.yaml, key 'tie_breakers.3.fact'"),
        ("minimum_wages.yaml", '"35.10": 2_638_628', '"35.99": 2_638_628', "35.99 is no Kemendagri code"),
        ("minimum_wages.yaml", '"31": 5_067_381', '"30": 5_067_381', "30 is no Kemendagri code"),
        (
            "quotas.yaml",
            "unit: ratio",
            "unit: percent",
            "quotas.hold_harmless_share, key 'unit': shares are ratios here",
        ),
        ("quotas.yaml", "value: poor_count", "value: population", "quotas.yaml, key 'weight'"),
        ("quotas.yaml", "      value: null", "      value: -1", "quotas.yaml, key 'max_places"),
        ("filters.yaml", "- code: deceased", "- kode: deceased", "filters.yaml: filter 1 (None), key 'code': missing"),
    ],
)
def test_a_rule_file_with_a_fault_is_refused_and_names_it(
    edited: Callable[[str, str, str], Path], file: str, old: str, new: str, named: str
) -> None:
    folder = edited(file, old, new)
    with pytest.raises(PolicyError, match=re.escape(named)):
        Rulebook.read(folder)


def test_a_percent_for_the_share_held_harmless_and_a_floor_above_the_cap_are_refused() -> None:
    for changes, named in (
        ({"quotas.hold_harmless_share": 90}, "90 is no ratio between 0 and 1"),
        ({"quotas.min_places": 5, "quotas.max_places": 4}, "min_places 5 lies above max_places 4"),
    ):
        with pytest.raises(PolicyError, match=named):
            rulebook(Overlay.of("x", "To be refused.", changes))


def test_a_description_in_one_language_alone_is_refused() -> None:
    text = parameter(f"- {{valid_from: 2025-01-01, value: 1, {SOURCE}}}").replace("id: Batas untuk uji., ", "")
    with pytest.raises(PolicyError, match=r"key 'description\.id': missing. Add it"):
        read_parameter(text)


def test_a_source_has_one_name_or_one_in_each_language() -> None:
    both = Citation.model_validate({"title": {"id": "Keputusan proyek", "en": "Project decision"}})
    assert (both.title.of("id"), both.title.of("en")) == ("Keputusan proyek", "Project decision")
    assert Citation.model_validate({"title": "Kepmensos 79/HUK/2025"}).title.of("id") == "Kepmensos 79/HUK/2025"


def test_the_hash_ignores_how_a_source_is_translated(edited: Callable[[str, str, str], Path]) -> None:
    folder = edited("quotas.yaml", "Kuota nasional PKH dan BPNT, menurut berita", "Kuota nasional, menurut pers")
    assert Rulebook.read(folder).on(DAY).hash == rulebook().on(DAY).hash


def test_a_filter_that_asks_for_a_fact_no_registry_holds_is_refused_with_the_nearest(tmp_path: Path) -> None:
    changes: dict[str, object] = {"filters.electricity_above.fact": "electricty_va"}
    law = rulebook(Overlay.of("x", "To be refused.", changes))
    house = House(tmp_path, law, default_questionnaire(), PseudonymKey(b"k" * 32))
    with pytest.raises(
        PolicyError, match=r"electricity_above, key 'fact'.*'electricty_va'.*nearest is 'electricity_va'"
    ):
        house.policy(Quarter.parse("2026Q1"))


def test_a_missing_rule_file_is_named(edited: Callable[[str, str, str], Path]) -> None:
    folder = edited("intake.yaml", "0.10", "0.20")
    (folder / "welfare.yaml").unlink()
    with pytest.raises(PolicyError, match=r"welfare\.yaml: the rulebook has no such file"):
        Rulebook.read(folder)


def test_a_day_without_a_value_in_force_names_the_key_and_the_first_day() -> None:
    with pytest.raises(PolicyError, match=r"max_decile has no value in force on 2024-06-01.*begins on 2025-01-01"):
        rulebook().on(date(2024, 6, 1))


def test_the_filters_are_those_of_the_pilot_and_each_tells_its_reason_in_both_languages() -> None:
    policy = rulebook().on(DAY)
    assert [(f.code, f.fact, f.agency) for f in policy.filters] == [
        ("deceased", "living_member_count", Agency.DUKCAPIL),
        ("civil_servant", "has_civil_servant", Agency.BKN),
        ("soldier_or_police", "has_soldier_or_police", Agency.TNI_POLRI),
        ("car_owner", "car_count", Agency.KORLANTAS),
        ("land_above", "land_area_m2", Agency.ATR_BPN),
        ("first_class_insurance", "has_first_class_insurance", Agency.BPJS_KESEHATAN),
        ("pensioner", "has_pensioner", Agency.TASPEN),
        ("certified_teacher", "has_certified_teacher", Agency.DAPODIK),
        ("state_income", "has_state_income", Agency.BKN),
        ("wage_above_minimum", "wage_rupiah_month", Agency.BPJS_KETENAGAKERJAAN),
        ("taxed_income", "income_rupiah_year", Agency.TAX_OFFICE),
        ("company_officer", "has_company_owner", Agency.TAX_OFFICE),
        ("health_worker", "has_health_worker", Agency.HEALTH_MINISTRY),
        ("village_official", "has_village_official", Agency.HOME_MINISTRY),
        ("other_aid", "other_aid_finding", Agency.BPS),
        ("other_aid_reported", "other_aid_finding", Agency.VILLAGE_OFFICE),
        ("electricity_above", "electricity_va", Agency.PLN),
        ("gambling_above", "gambling_rupiah", Agency.PPATK),
        ("gambling_reported", "gambling_rupiah", Agency.PPATK),
        ("abnormal_transactions", "has_abnormal_transactions", Agency.PPATK),
        ("no_consent", "has_consent", "registry"),
        ("identity_unconfirmed", "is_identity_confirmed", Agency.DUKCAPIL),
        ("declaration_contradicted", "declared_contradiction_count", "registry"),
        ("address_not_found", "address_finding", "registry"),
        ("address_doubted", "address_finding", "registry"),
        ("person_not_found", "absence_finding", "registry"),
        ("nobody_met", "absence_finding", "registry"),
        ("refuses", "refusal_finding", "registry"),
        ("visit_refused", "refusal_finding", "registry"),
    ]
    for rule in policy.filters:
        assert rule.reason.id.endswith(".")
        assert rule.reason.en.endswith(".")
        assert rule.reason.id != rule.reason.en
        assert rule.source.title
    by_code = {rule.code: rule for rule in policy.filters}
    assert (by_code["deceased"].operator, by_code["deceased"].threshold) == (Operator.BELOW, 1)
    assert (by_code["electricity_above"].operator, by_code["electricity_above"].threshold) == (Operator.ABOVE, 1300)
    assert by_code["wage_above_minimum"].threshold == "minimum_wage"
    assert by_code["no_consent"].unknown is Unknown.HOLD


def test_a_filter_holds_from_its_first_day_on() -> None:
    before = {rule.code for rule in rulebook().on(date(2025, 9, 8)).filters}
    after = {rule.code for rule in rulebook().on(date(2025, 9, 9)).filters}
    assert after - before == {"electricity_above", "wage_above_minimum"}


def test_amounts_and_deciles_are_those_of_the_decrees() -> None:
    programmes = rulebook().on(DAY).programmes
    pkh, bpnt = programmes[Programme.PKH], programmes[Programme.BPNT]
    assert {c.code: c.amount_rupiah for c in pkh.components} == {
        "pregnant": 750_000,
        "early_childhood": 750_000,
        "primary": 225_000,
        "junior_secondary": 375_000,
        "senior_secondary": 500_000,
        "elderly": 600_000,
        "severe_disability": 600_000,
        "rights_victim": 2_700_000,
    }
    assert (pkh.max_decile, pkh.max_paid_members, pkh.amount_rupiah) == (4, 4, None)
    assert (bpnt.max_decile, bpnt.amount_rupiah, bpnt.components) == (5, 600_000, ())


def test_quotas_order_and_precedence_are_as_stated() -> None:
    policy = rulebook().on(DAY)
    assert policy.quotas.national_total == {Programme.PKH: 10_000_000, Programme.BPNT: 18_277_083}
    assert [breaker.fact for breaker in policy.ranking.tie_breakers] == [
        "severe_disability_count",
        "elderly_alone",
        "pregnant_or_under_five_count",
        "dependant_count",
        "registered_date",
    ]
    assert policy.registry.source_precedence == (
        Source.BPS_VALIDATION, Source.AGENT_SURVEY, Source.SELF_REPORT, Source.THIRD_PARTY,
    )  # fmt: skip
    assert policy.intake.max_error_share == 0.10


@pytest.mark.parametrize(
    ("day", "code", "wage"),
    [
        (date(2025, 12, 31), "35.10", 2_810_139),
        (date(2026, 1, 1), "35.10", 2_989_145),
        (DAY, "35.09", 3_012_197),
        (DAY, "35.11", 2_496_886),
        (DAY, "35.12", 2_483_962),
        (DAY, "35.01", 2_446_880),  # no UMK here: the province's
        (DAY, "11.01", 5_729_876),  # no province here: the highest known
    ],
)
def test_the_minimum_wage_is_the_regencys_of_that_year_or_the_stated_fall_back(day: date, code: str, wage: int) -> None:
    assert rulebook().on(day).minimum_wage(code) == wage


def test_a_bps_code_gets_no_minimum_wage() -> None:
    with pytest.raises(UnknownRegency, match=r"3510.*35\.10"):
        rulebook().on(DAY).minimum_wage("3510")


def test_a_policy_survives_pickling_and_serves_as_a_key() -> None:
    policy = rulebook().on(DAY)
    copy = pickle.loads(pickle.dumps(policy))  # noqa: S301
    assert copy == policy
    assert {policy: 1}[copy] == 1
    assert copy.filters == policy.filters


def test_the_hash_is_the_same_while_no_value_changes_and_another_when_one_does(
    edited: Callable[[str, str, str], Path],
) -> None:
    policy = rulebook().on(DAY)
    assert re.fullmatch("[0-9a-f]{64}", policy.hash)
    assert rulebook().on(date(2026, 12, 31)).hash == policy.hash
    assert rulebook().on(date(2025, 12, 31)).hash != policy.hash
    folder = edited("filters.yaml", "threshold: 1300", "threshold: 900")
    assert Rulebook.read(folder).on(DAY).hash != policy.hash


def test_the_hash_ignores_layout_and_descriptions(edited: Callable[[str, str, str], Path]) -> None:
    folder = edited("intake.yaml", "# When", "# If ever")
    text = (folder / "intake.yaml").read_text(encoding="utf-8")
    (folder / "intake.yaml").write_text(text.replace("merely untidy", "only untidy"), encoding="utf-8")
    assert Rulebook.read(folder).on(DAY).hash == rulebook().on(DAY).hash


def test_every_value_in_force_is_listed_once_with_its_source() -> None:
    entries = rulebook().on(DAY).entries
    keys = [entry.key for entry in entries]
    assert len(keys) == len(set(keys))
    assert {"programmes.PKH.max_decile", "filters.electricity_above", "quotas.national_total"} <= set(keys)
    assert all(entry.source.title and entry.description and entry.covers(DAY) for entry in entries)


def test_an_overlay_changes_the_value_the_hash_and_says_scaled() -> None:
    plain = rulebook().on(DAY)
    overlay = Overlay.of("demo", "Scaled to the families of the demo.", {"quotas.national_total.PKH": 2130})
    policy = rulebook(overlay).on(DAY)
    assert policy.quotas.national_total == {Programme.PKH: 2130, Programme.BPNT: 18_277_083}
    assert (policy.scaled, policy.overlay_name, plain.scaled, plain.overlay_name) == (True, "demo", False, None)
    assert policy.hash != plain.hash
    changed = next(entry for entry in policy.entries if entry.key == "quotas.national_total")
    assert changed.source.title.en == "Overlay 'demo': Scaled to the families of the demo."
    renamed = Overlay.of("other", overlay.reason, overlay.changes)
    assert rulebook(renamed).on(DAY).hash != policy.hash


def test_an_overlay_can_leave_one_programme_without_filters_deciles_or_components() -> None:
    changes: dict[str, object] = {"filters": [], "programmes.PKH": None, "programmes.BPNT.max_decile": None}
    policy = rulebook(Overlay.of("households of 2008", "As in the experiment.", changes)).on(DAY)
    assert policy.filters == ()
    assert list(policy.programmes) == [Programme.BPNT]
    assert policy.programmes[Programme.BPNT].max_decile is None
    assert not policy.scaled


def test_an_overlay_reaches_into_filters_components_and_codes_with_dots() -> None:
    changes = {
        "filters.electricity_above.threshold": 900,
        "filters.pensioner": None,
        "programmes.PKH.components.elderly.minimum": 70,
        "programmes.PKH.components.rights_victim": None,
        "minimum_wages.regency.35.10": 1,
    }
    policy = rulebook(Overlay.of("other readings", "Try them.", changes)).on(DAY)
    by_code = {rule.code: rule for rule in policy.filters}
    assert by_code["electricity_above"].threshold == 900
    assert "pensioner" not in by_code
    components = {component.code: component for component in policy.programmes[Programme.PKH].components}
    assert components["elderly"].minimum == 70
    assert "rights_victim" not in components
    assert policy.minimum_wage("35.10") == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"quotas.national_totals.PKH": 1}, "'quotas.national_totals.PKH' is no key of the rulebook"),
        ({"quotas.national_total.KIP": 1}, "'quotas.national_total.KIP' is no key of the rulebook"),
        ({"quotas.national_total.PKH": -1}, "quotas.yaml under overlay 'x', key 'national_total.PKH'"),
        ({"quotas.national_total.PKH": "many"}, "quotas.yaml under overlay 'x', key 'national_total.PKH'"),
        ({"programmes.PKH.max_decile": 11}, "key 'PKH.max_decile'"),
        ({"programmes.PKH": 4}, "'programmes.PKH' is a group"),
        ({"programmes": None}, "no programme is left"),
        ({"intake.max_error_share": 10}, "10 is no ratio"),
        ({"intake.max_error_share": None}, "intake.yaml under overlay 'x', key 'max_error_share'"),
        ({"welfare": None}, "welfare.yaml under overlay 'x'"),
        ({"filters.electricity_above.threshold": "high"}, "filters.electricity_above, key 'threshold"),
        ({"filters.electricity_above.code": "watts"}, "keeps its mapping and its code"),
        ({"filters.electricity_above": 900}, "keeps its mapping and its code"),
        ({"programmes.PKH.exclusive_with": "PKH"}, "PKH.exclusive_with names PKH"),
        (
            {"programmes.PKH.exclusive_with": "BPNT", "programmes.BPNT.exclusive_with": "PKH"},
            "PKH.exclusive_with names BPNT, so that neither is decided first",
        ),
        ({"programmes.PKH.components": None}, "either by components or a flat amount_rupiah"),
    ],
)
def test_an_overlay_is_validated_as_strictly_as_the_files(changes: dict[str, object], named: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(named)):
        rulebook(Overlay.of("x", "To be refused.", changes))


def test_an_overlay_reads_back_from_its_own_text(tmp_path: Path) -> None:
    overlay = Overlay.of("demo", "Kecil: untuk contoh.", {"quotas.national_total.PKH": 2130, "filters": []})
    path = tmp_path / "overlay.yaml"
    path.write_text(overlay.text(), encoding="utf-8")
    assert read_overlay(path) == overlay
    assert rulebook(read_overlay(path)) is rulebook(overlay)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name: x\nreason: because\n", "changes': missing"),
        ("name: x\nreason: because\nchanges: {}\n", "key 'changes'"),
        ("name: x\nreason: because\nchanges: {a: 1}\nwhen: now\n", "when': unknown key"),
        ("name: x\nname: y\n", "key 'name' is written twice"),
        ("- x\n", "scenario.yaml"),
    ],
)
def test_an_overlay_file_with_a_fault_is_refused(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=re.escape(named)):
        read_overlay(path)


def test_an_overlay_file_that_is_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"none\.yaml: the overlay cannot be read"):
        read_overlay(tmp_path / "none.yaml")
