"""Every table's contract: nothing left unsaid, an order that exists, and feeds that follow the questionnaire."""

import polars as pl
import pytest

from schemas.contract import Contract
from schemas.errors import Tampered
from schemas.feeds import ADDED_COLUMNS, answer_dtype, feeds
from schemas.questionnaire import Questionnaire, default_questionnaire
from schemas.tables import TABLES, tables
from schemas.vocabularies import Access, Feed

ALL = pytest.mark.parametrize("contract", TABLES.values(), ids=list(TABLES))
OWN = Questionnaire.model_validate(
    {
        "version": "own1",
        "title": "Three questions",
        "survey": {},
        "variables": {
            "has_boat": {
                "level": "family",
                "kind": "flag",
                "direction": "increasing",
                "label": {"id": "Perahu", "en": "Boat"},
            },
            "roof": {
                "level": "dwelling",
                "kind": "category",
                "direction": "none",
                "label": {"id": "Atap", "en": "Roof"},
                "codes": {1: "seng", 2: "genteng"},
                "aliases": ["atap"],
            },
            "household_size": {
                "level": "members",
                "kind": "number",
                "direction": "decreasing",
                "label": {"id": "Anggota", "en": "Members"},
                "range": [1, 30],
            },
        },
    }
)


@ALL
def test_a_table_says_what_it_is_for_and_what_one_row_is(contract: Contract) -> None:
    for said in (contract.title, contract.description, contract.grain):
        assert said.strip()
        assert said != "None"
    assert contract.description.endswith(".")


@ALL
def test_every_column_has_title_description_unit_and_source(contract: Contract) -> None:
    assert contract.columns
    for name, column in contract.columns.items():
        assert name == column.name
        for said in (column.title, column.description, column.metadata["unit"], column.metadata["source"]):
            assert isinstance(said, str), name
            assert said.strip(), name


@ALL
def test_the_order_names_columns_of_the_table_each_once(contract: Contract) -> None:
    assert contract.order
    assert len(set(contract.order)) == len(contract.order)
    assert set(contract.order) <= contract.columns.keys()


@ALL
def test_a_key_is_a_room_and_a_table(contract: Contract) -> None:
    room, table = contract.key.split("/")
    assert room in {"intake", "registry", "welfare", "decision", "publication"}
    assert table.replace("_", "").isalpha()
    assert TABLES[contract.key] is contract


@ALL
def test_an_empty_table_keeps_its_own_contract(contract: Contract) -> None:
    empty = contract.fit(contract.empty())
    contract.schema.validate(empty)
    assert empty.schema == contract.dtypes


def test_an_identifier_or_code_has_one_type_wherever_it_stands() -> None:
    types: dict[str, set[str]] = {}
    for contract in TABLES.values():
        for name, column in contract.columns.items():
            if column.metadata["unit"] in {"identifier", "id", "code", "word", "date", "rupiah", "sha256"}:
                types.setdefault(name, set()).add(str(contract.dtypes[name]))
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def test_public_tables_hold_no_number_name_birth_date_reason_or_score() -> None:
    forbidden = {
        "nik", "family_card_number", "name", "head_name", "birth_date", "reasons", "score_micro", "components",
        "disability", "family_id", "person_id", "decile",
    }  # fmt: skip
    public = [contract for contract in TABLES.values() if contract.access is Access.PUBLIC]
    assert {contract.key for contract in public} == {
        "publication/recipients", "publication/waiting_list", "publication/region_summary", "publication/budget",
        "publication/movements", "publication/open_checks",
        "decision/seats",
    }  # fmt: skip
    for contract in public:
        assert not forbidden & contract.columns.keys(), contract.key


def test_no_two_columns_of_a_feed_answer_to_one_header() -> None:
    for contract in feeds(default_questionnaire()).values():
        headers = [
            header
            for name, column in contract.columns.items()
            for header in (name, *column.metadata["aliases"])
        ]  # fmt: skip
        assert len(set(headers)) == len(headers), contract.key


def test_every_feed_has_a_table() -> None:
    assert {f"intake/{feed}" for feed in Feed} == {key for key in TABLES if key.startswith("intake/")}


def test_feeds_of_another_questionnaire_ask_its_questions_and_no_others() -> None:
    own, regsosek = feeds(OWN), default_questionnaire()
    for feed in (Feed.REGISTRATIONS, Feed.SURVEYS, Feed.VALIDATIONS):
        columns = own[feed].columns
        assert {"has_boat", "roof"} <= columns.keys()
        assert "household_size" not in columns
        assert not columns.keys() & regsosek.answers.keys()
        assert columns["roof"].metadata["aliases"] == ["atap"]
        assert columns["roof"].nullable
    assert {"has_boat", "roof", "household_size"} <= own[Feed.CONSUMPTION_SURVEY].columns.keys()
    assert own[Feed.MEMBERS].columns.keys() == feeds(regsosek)[Feed.MEMBERS].columns.keys()


def test_the_registry_of_another_questionnaire_keeps_its_answers_with_their_source() -> None:
    own = tables(OWN)
    assert own.keys() == TABLES.keys()
    assert {"has_boat", "roof", "household_size"} <= own["registry/families"].columns.keys()
    assert {"roof_source", "roof_date", "has_boat_source"} <= own["registry/provenance"].columns.keys()
    assert "household_size_source" not in own["registry/provenance"].columns


def test_a_measure_with_decimals_is_kept_as_such_and_a_code_as_a_whole_number() -> None:
    plain = {"level": "family", "kind": "number", "direction": "none", "label": {"id": "x", "en": "x"}, "range": [0, 9]}
    variables = {"whole": plain, "measure": plain | {"is_whole": False}}
    own = Questionnaire.model_validate({"version": "v", "title": "t", "survey": {}, "variables": variables})
    assert {name: answer_dtype(one) for name, one in own.variables.items()} == {
        "whole": pl.Int32(),
        "measure": pl.Float64(),
    }


def test_what_intake_adds_is_on_every_feed() -> None:
    for feed, contract in feeds(default_questionnaire()).items():
        added = [name for name in contract.columns if name in ADDED_COLUMNS]
        by_person = feed in {
            Feed.MEMBERS, Feed.EVIDENCE, Feed.DTSEN_PERSONS, Feed.POPULATION_REGISTER, Feed.IDENTITY_CHECKS,
        }  # fmt: skip
        assert added == ([*(["nik_bucket"] if by_person else []), "batch_id", "row_number"])


def test_fitting_casts_orders_and_drops_what_was_not_promised() -> None:
    contract = TABLES["decision/cut_points"]
    frame = pl.DataFrame({"decile": [2, 1], "highest_score_micro": [20, 10], "frame": ["all", "all"], "extra": [1, 2]})
    fitted = contract.fit(frame)
    assert fitted.schema == contract.dtypes
    assert fitted.rows() == [("all", 1, 10), ("all", 2, 20)]


def test_fitting_keeps_the_points_of_every_feature_and_puts_nulls_last() -> None:
    contract = TABLES["decision/scores"]
    frame = pl.DataFrame(
        {
            "family_id": ["b", None, "a"],
            "regency_code": ["35.10"] * 3,
            "scorable": [True] * 3,
            "score_micro": [2, 3, 1],
            "problems": [[], [], []],
            "points_roof": [20, 30, 10],
            "stray": [0, 0, 0],
            **{f"decile_{frame}": [1, 1, 1] for frame in ("national", "province", "regency")},
            **{f"{name}_hash": ["0" * 64] * 3 for name in ("model", "input")},
        },
        schema_overrides={"problems": pl.List(pl.String)},
    )
    fitted = contract.fit(frame)
    assert fitted["points_roof"].to_list() == [10, 20, 30]
    assert "stray" not in fitted.columns


def test_a_missing_column_is_named() -> None:
    with pytest.raises(Tampered, match="decision/cut_points lacks the columns frame, highest_score_micro"):
        TABLES["decision/cut_points"].fit(pl.DataFrame({"decile": [1]}))
