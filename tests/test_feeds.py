"""The feeds: ministers' headers are understood, every column is explained, what agencies state has an agency."""

import csv
import json
from pathlib import Path

import pandera.polars as pa
import polars as pl
import pytest

from assets.intake.headers import plain_name
from assets.lake import Table
from schemas.contract import Contract
from schemas.feeds import ADDED_COLUMNS, EVIDENCE_FACTS, FACT_AGENCY, PERSON_FACTS, SHOCKS, feeds
from schemas.messages import catalogue
from schemas.questionnaire import default_questionnaire
from schemas.tables import TABLES
from schemas.vocabularies import Agency, Feed

CONTRACTS = feeds(default_questionnaire())
ALL = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=[str(feed) for feed in CONTRACTS])


def columns_of(contract: Contract) -> dict[str, pa.Column]:
    return {name: column for name, column in contract.columns.items() if name not in ADDED_COLUMNS}


def understood(feed: Feed) -> dict[str, str]:
    """Column by every header that is understood as it."""
    return {
        header: name
        for name, column in columns_of(CONTRACTS[feed]).items()
        for header in (name, *column.metadata["aliases"])
    }


@pytest.mark.parametrize(
    ("part", "feed", "count"), [("individu", Feed.DTSEN_PERSONS, 48), ("keluarga", Feed.DTSEN_FAMILIES, 52)]
)
def test_every_field_of_the_dtsen_delivery_is_a_column_of_its_own(
    test_data: Path, part: str, feed: Feed, count: int
) -> None:
    with (test_data / "formats/dtsen_v3_2026_fields.csv").open(encoding="utf-8") as file:
        fields = [row["field"] for row in csv.DictReader(file) if row["set"] == part]
    headers = understood(feed)
    assert [field for field in fields if field not in headers] == []
    assert len({headers[field] for field in fields}) == count
    assert set(columns_of(CONTRACTS[feed])) == {headers[field] for field in fields}


@pytest.mark.parametrize(
    ("vocabulary", "feed", "means"),
    [
        (
            "dtks_regsosek2022_keluarga",
            Feed.SURVEYS,
            {
                "luas_lantai": "floor_area_m2",
                "kd_jenis_atap": "roof_material",
                "kd_lemari_es": "has_refrigerator",
                "kd_rumah_ditempat_lain": "has_other_house",
                "jumlah_sapi": "cattle_count",
                "kd_hasil_pendataan_keluarga": "visit_result",
                "tanggal_pendataan": "survey_date",
            },
        ),
        (
            "dtks_regsosek2022_anggota",
            Feed.MEMBERS,
            {
                "kd_hubungan_dg_kk": "relation",
                "kd_partisipasi_sekolah": "school_participation",
                "kd_kedudukan_di_pekerjaan": "work_position",
                "kd_ijazah_tertinggi": "education",
            },
        ),
        (
            "impor_dtks_regsosek/3.keterangan perumahan",
            Feed.SURVEYS,
            {
                "no kartu keluarga": "family_card_number",
                "302": "floor_area_m2",
                "301a": "home_ownership",
                "306a": "water_source",
                "307b1": "electricity_connection",
                "310": "sewage_disposal",
            },
        ),
        (
            "impor_dtks_regsosek/5.keikutsertaan program dll",
            Feed.SURVEYS,
            {
                "a. Tabung gas 5,5 kg atau lebih": "has_gas_cylinder",
                "k. Mobil": "has_car",
                "b. Rumah/bangunan di tempat lain": "has_other_house",
                "e.Kambing/Domba": "goat_count",
            },
        ),
        (
            "impor_dtks_regsosek/4.ket sos-ek anggota",
            Feed.MEMBERS,
            {"402 Nama": "name", "403 NIK": "nik", "405": "sex", "408": "marital_status", "418": "work_position"},
        ),
        (
            "opensid_penduduk_import_header",
            Feed.MEMBERS,
            {"no_kk": "family_card_number", "nik": "nik", "nama": "name", "sex": "sex", "tanggallahir": "birth_date"},
        ),
        ("bip_ektp_header", Feed.MEMBERS, {"Nama Lengkap": "name", "NIK": "nik", "JK": "sex", "SHDK": "relation"}),
        (
            "bip_ektp_header",
            Feed.POPULATION_REGISTER,
            {"Nama Lengkap": "name", "NIK": "nik", "Tgl/Bln/Th": "birth_date", "SHDK": "relation"},
        ),
        (
            "opensid_penduduk_import_header",
            Feed.POPULATION_REGISTER,
            {
                "no_kk": "family_card_number",
                "nama": "name",
                "tanggallahir": "birth_date",
                "alamat": "address",
                "cacat_id": "impairment",
            },
        ),
        (
            "wp_siks/data_dtsen",
            Feed.DTSEN_FAMILIES,
            {
                "no_kk": "family_card_number",
                "desil_nasional": "decile_national",
                "alamat": "address",
                "nama_kepala_keluarga": "head_name",
            },
        ),
        (
            "wp_siks/data_dtsen_anggota_keluarga",
            Feed.DTSEN_PERSONS,
            {"no_kk": "family_card_number", "nik": "nik", "nama": "name", "hub_kepala_keluarga": "relation"},
        ),
        ("wp_siks/data_dtks", Feed.DTSEN_PERSONS, {"NOKK": "family_card_number", "NIK": "nik", "Nama": "name"}),
    ],
)
def test_headers_of_siks_and_regsosek_mean_our_columns(
    test_data: Path, vocabulary: str, feed: Feed, means: dict[str, str]
) -> None:
    headers = json.loads((test_data / "formats/registry_column_names.json").read_text(encoding="utf-8"))[vocabulary]
    assert set(means) <= set(headers)
    found = understood(feed)
    assert {header: found.get(plain_name(header)) for header in means} == means


def test_a_coded_answer_is_no_alias_where_the_codes_differ() -> None:
    # OpenSID's kk_level counts the wife as 3 and the child as 4; BDT 2015 has other floors.
    assert {"kk_level", "lantai_terluas", "pendidikan_kk_id"}.isdisjoint(understood(Feed.MEMBERS))
    assert "lantai_terluas" not in understood(Feed.SURVEYS)


@ALL
def test_an_alias_is_written_as_headers_are_compared(contract: Contract) -> None:
    for name, column in columns_of(contract).items():
        for alias in column.metadata["aliases"]:
            assert alias == plain_name(alias), name


@ALL
def test_every_column_is_explained_in_indonesian(contract: Contract) -> None:
    for name, column in columns_of(contract).items():
        label = column.metadata["label"] or catalogue().get(f"column.{name}")
        assert label is not None, name
        assert label.id
        assert label.en


@ALL
def test_a_spelling_means_a_value_the_column_may_hold(contract: Contract) -> None:
    for name, column in columns_of(contract).items():
        values = pl.Series(name, list(column.metadata["spellings"].values()), pl.String)
        if not values.len():
            continue
        assert all(spelling == spelling.lower() for spelling in column.metadata["spellings"]), name
        typed = pl.DataFrame({name: values.cast(contract.dtypes[name])})
        contract.schema.select_columns([name]).validate(typed)


@ALL
def test_every_code_is_told_and_no_other(contract: Contract) -> None:
    for name, column in columns_of(contract).items():
        listed = [one.statistics["allowed_values"] for one in column.checks if one.name == "isin"]
        told = column.metadata["codes"]
        if told:
            assert set(told) == {str(one) for one in listed[0]}, name


def test_l_and_p_are_male_and_female() -> None:
    for feed in (Feed.MEMBERS, Feed.DTSEN_PERSONS):
        spellings = CONTRACTS[feed].columns["sex"].metadata["spellings"]
        assert [spellings[one] for one in ("l", "laki-laki", "1")] == ["male"] * 3
        assert [spellings[one] for one in ("p", "perempuan", "2")] == ["female"] * 3


def test_every_agency_answers_for_a_fact_and_the_registry_keeps_those_that_rules_read() -> None:
    # BPS may state any fact: what it found of a person on a visit.
    assert set(EVIDENCE_FACTS.values()) == set(Agency) - {Agency.BPS}
    assert set(PERSON_FACTS) == set(FACT_AGENCY)
    assert {fact: EVIDENCE_FACTS[fact] for fact in PERSON_FACTS} == FACT_AGENCY
    allowed = CONTRACTS[Feed.EVIDENCE].columns["fact"].checks[0].statistics["allowed_values"]
    assert set(allowed) == set(EVIDENCE_FACTS)


def test_shocks_are_days_of_surveys_alone_and_reach_no_score() -> None:
    for feed, contract in CONTRACTS.items():
        assert (set(SHOCKS) <= contract.columns.keys()) == (feed is Feed.SURVEYS)
    assert {CONTRACTS[Feed.SURVEYS].dtypes[name] for name in SHOCKS} == {pl.Date()}
    assert not set(SHOCKS) & default_questionnaire().variables.keys()
    assert not set(SHOCKS) & TABLES["registry/families"].columns.keys()


def test_official_deciles_are_kept_in_all_three_frames() -> None:
    contract = CONTRACTS[Feed.DTSEN_FAMILIES]
    for frame in ("national", "province", "regency"):
        name = f"decile_{frame}"
        good, bad = (pl.DataFrame({name: [value]}, schema={name: pl.Int32}) for value in (10, 11))
        schema = contract.schema.select_columns([name])
        schema.validate(good)
        with pytest.raises(pa.errors.SchemaError):
            schema.validate(bad)


@ALL
def test_a_feed_nobody_sent_is_an_empty_table(contract: Contract) -> None:
    empty = Table(contract.key, "2026Q1", {}).read(contract)
    assert empty.schema == contract.dtypes
    assert empty.height == 0


def test_every_feed_of_the_vocabulary_has_a_contract_and_a_table() -> None:
    assert set(CONTRACTS) == set(Feed)
    assert {f"intake/{feed}" for feed in Feed} <= TABLES.keys()
