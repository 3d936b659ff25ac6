"""Clerks at the command line: open cases, what each shows, rulings one by one and by workbook; a past registry."""

import json
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from assets.registry.linkage.model import recipe
from assets.registry.resolve import TABLES
from schemas.messages import named
from schemas.vocabularies import CaseKind
from tests.homes import FIRST, SECOND, Demo, Persons, decisions, perlinsos, revision


def cases(home: Path) -> list[dict[str, Any]]:
    said = perlinsos(home, "adjudicate", "list", "--json")
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = said.json
    return found


def of_kind(home: Path, kind: CaseKind) -> str:
    return str(next(case["case"] for case in cases(home) if case["kind"] == kind))


def ruled(home: Path, case: str, *more: str) -> None:
    who = ("--role", "village_office", "--by", "A clerk", "--reason", "cards seen")
    said = perlinsos(home, "adjudicate", "decide", case, *who, *more)
    assert said.code == 0, said.err


def run_again(home: Path) -> str:
    said = perlinsos(home, "run", SECOND, "--json")
    assert said.code == 0, said.err
    draft: str = said.json["draft"]
    return draft


def test_the_list_of_cases_names_nobody(demo: Demo) -> None:
    said = perlinsos(demo.home, "adjudicate", "list", "--json")
    people = Persons.of(demo.home)
    assert cases(demo.home)
    assert people.found_in(said.out) == []


def test_a_case_shows_both_sides_and_a_weight_whose_parts_add_up(demo: Demo) -> None:
    linked = next(case for case in cases(demo.home) if case["weight_bits"] is not None)
    said = perlinsos(demo.home, "adjudicate", "show", linked["case"], "--json")
    assert said.code == 0, said.err
    shown = said.json
    assert len(shown["sides"]) >= 2
    assert all(side["shown"]["name"] for side in shown["sides"])
    *parts, total = shown["steps"]
    assert total["name"] == "total"
    assert sum(part["bits"] for part in parts) == pytest.approx(total["bits"], abs=1e-9)
    odds = 2 ** total["bits"]
    assert shown["probability"] == pytest.approx(odds / (1 + odds), abs=1e-6)


def test_a_case_is_told_in_indonesian_too(demo: Demo) -> None:
    said = perlinsos(demo.home, "adjudicate", "show", of_kind(demo.home, CaseKind.NIK_IN_TWO_FAMILIES), lang="id")
    assert said.code == 0, said.err
    assert "Satu NIK tercantum di dua keluarga" in said.out
    assert "Dihitung di" in said.out


def test_a_case_nobody_knows_is_refused_in_one_sentence(demo: Demo) -> None:
    said = perlinsos(demo.home, "adjudicate", "show", "C0000nobody")
    assert said.code == 4
    assert "no open case begins" in said.err


def test_a_ruling_without_its_reason_is_wrong_usage(demo: Demo) -> None:
    case = cases(demo.home)[0]["case"]
    said = perlinsos(demo.home, "adjudicate", "decide", case, "--ruling", "same", "--role", "ministry", "--by", "X")
    assert said.code == 2


def test_a_ruling_closes_its_case_in_the_next_run_and_is_kept_with_name_role_and_reason(demo_copy: Path) -> None:
    case = of_kind(demo_copy, CaseKind.NIK_IN_TWO_FAMILIES)
    ruled(demo_copy, case, "--ruling", "same")
    run_again(demo_copy)
    assert case not in {one["case"] for one in cases(demo_copy)}
    kept = pl.read_parquet(demo_copy / f"lake/registry/adjudications/{SECOND}/**/*.parquet")
    (row,) = kept.filter(pl.col("case_id") == case).to_dicts()
    assert (row["role"], row["decided_by"], row["reason"]) == ("village_office", "A clerk", "cards seen")


def test_a_filled_workbook_is_delivered_and_what_was_left_empty_stays_open(demo_copy: Path, tmp_path: Path) -> None:
    book = tmp_path / "cases.xlsx"
    assert perlinsos(demo_copy, "adjudicate", "list", "--out", book).code == 0
    filled = openpyxl.load_workbook(book)
    sheet = filled.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    first, second = (str(sheet.cell(row, heads.index("case_id") + 1).value) for row in (2, 3))
    ruling = {"ruling": "different", "role": "civil_registry", "decided_by": "A clerk", "reason": "two births",
              "decided_date": "2026-04-25"}  # fmt: skip
    for name, value in ruling.items():
        sheet.cell(2, heads.index(name) + 1, value)
    filled.save(book)
    said = perlinsos(demo_copy, "adjudicate", "decide", "--file", book, "--json")
    assert (said.code, said.json["accepted"], said.json["rejected"]) == (0, 1, 0), said.err
    run_again(demo_copy)
    still_open = {one["case"] for one in cases(demo_copy)}
    assert first not in still_open
    assert second in still_open


def test_a_ruling_that_is_a_formula_without_its_result_is_not_taken_for_none(demo: Demo, tmp_path: Path) -> None:
    book = tmp_path / "cases.xlsx"
    assert perlinsos(demo.home, "adjudicate", "list", "--out", book).code == 0
    filled = openpyxl.load_workbook(book)
    sheet = filled.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    sheet.cell(2, heads.index("ruling") + 1, "different")
    sheet.cell(3, heads.index("ruling") + 1, '="same"')
    filled.save(book)
    said = perlinsos(demo.home, "adjudicate", "decide", "--file", book)
    assert said.code == 4
    assert "cases.xlsx, row 3: Column ruling holds a formula" in said.err


def test_a_workbook_without_a_ruling_is_refused(demo: Demo, tmp_path: Path) -> None:
    book = tmp_path / "cases.xlsx"
    assert perlinsos(demo.home, "adjudicate", "list", "--out", book).code == 0
    said = perlinsos(demo.home, "adjudicate", "decide", "--file", book)
    assert said.code == 4
    assert "cases.xlsx" in said.err


def test_the_registry_as_of_a_day_is_that_of_the_quarter_cut_off_by_then_to_the_byte(
    demo: Demo, tmp_path: Path
) -> None:
    for day, quarter in (("2026-01-20", FIRST), ("2026-04-19", FIRST), ("2026-04-20", SECOND)):
        said = perlinsos(demo.home, "registry", "as-of", day, "--out", tmp_path / day, "--json")
        assert (said.code, said.json["quarter"]) == (0, quarter), said.err
        made = json.loads((revision(demo.home, quarter, restricted=True) / "draft.json").read_text())["tables"]
        for key in TABLES:
            for name, shard in made[key]["shards"].items():
                held = demo.home / "lake" / shard["file"]
                assert (tmp_path / day / key.split("/")[1] / f"{name}.parquet").read_bytes() == held.read_bytes()


def test_there_is_no_registry_before_the_first_cut_off(demo: Demo, tmp_path: Path) -> None:
    said = perlinsos(demo.home, "registry", "as-of", "2025-12-31", "--out", tmp_path / "past")
    assert said.code == 4
    assert FIRST in said.err


def test_the_outreach_list_holds_who_is_not_registered_the_frail_first(demo: Demo, tmp_path: Path) -> None:
    book = tmp_path / "outreach.xlsx"
    assert perlinsos(demo.home, "registry", "outreach", FIRST, "--region", "35.10", "--out", book).code == 0
    sheet = openpyxl.load_workbook(book)["outreach"]
    header, *rows = sheet.values
    missing = pl.DataFrame(rows, schema=list(map(str, header)), orient="row", infer_schema_length=None)
    assert missing.height > 0
    families = pl.read_parquet(demo.home / f"lake/registry/families/{FIRST}/**/*.parquet")
    listed = pl.col("channel") == "recipient_list"
    assert not set(missing["family_card_number"]) & set(families.filter(~listed)["family_card_number"])
    for _, village in missing.group_by("village_code"):
        ordered = village.sort("priority")
        assert ordered["elderly_count"].to_list() == sorted(ordered["elderly_count"], reverse=True)


def test_only_an_unverified_newcomer_is_held_for_a_case_and_nobody_who_keeps_the_person(demo: Demo) -> None:
    families = pl.read_parquet(demo.home / f"lake/registry/families/{SECOND}/**/*.parquet")
    decided = decisions(demo.home, SECOND).join(families.select("family_id", "case_id", "is_verified"), on="family_id")
    held = decided.filter((pl.col("status") == "held") & pl.col("reasons").list.contains("identity_case"))
    assert held.height > 0
    assert not held["is_verified"].any()
    assert held["case_id"].null_count() == 0
    keeping = pl.read_parquet(demo.home / f"lake/registry/cases/{SECOND}/**/*.parquet").filter("is_kept")
    lost = families.filter(pl.col("case_id").is_not_null())["family_id"].implode()
    assert decided.filter(
        pl.col("family_id").is_in(keeping["family_id"].implode()) & ~pl.col("family_id").is_in(lost)
    )["reasons"].list.contains("identity_case").sum() == 0  # fmt: skip


def test_what_a_comparison_finds_is_told_in_the_clerks_language() -> None:
    compared = recipe(("full_name", "birth_date", "region", "national_id"))
    found = {level.words for levels in compared.values() for level in levels}
    told = {words: named(f"linkage_found.{words}", "") for words in found}
    assert all(one.id and one.en == words and one.id != one.en for words, one in told.items())
