"""Asking agencies: the command, the file it writes, the request it enters, and answers that name none or another."""

import hashlib
import re
from pathlib import Path

import polars as pl
import pytest
import yaml

from tests.homes import FIRST, SECOND, Demo, Persons, Said, perlinsos

NOTE = {"sender": "pln", "issued_on": "2026-04-14", "as_of": "2026-01-13", "agency": "pln"}


def ask(home: Path, file: Path, *options: object, agency: str = "pln") -> Said:
    return perlinsos(home, "evidence", "request", SECOND, "--agency", agency, "--out", file, *options)


def answer(home: Path, folder: Path, quarter: str = SECOND, **note: object) -> Said:
    """PLN found a connection of one person; the note says more."""
    file = folder / "pln.csv"
    file.write_text("agency,nik,fact,value,as_of_date\npln,3510094101990001,electricity_va,900,2026-04-13\n")
    (folder / "pln.csv.yaml").write_text(yaml.safe_dump({**NOTE, **note}))
    return perlinsos(home, "load", "evidence", file, "--quarter", quarter)


def test_a_request_is_written_entered_listed_and_answered(demo_copy: Path, tmp_path: Path) -> None:
    file = tmp_path / "pln.csv"
    made = ask(demo_copy, file, "--json").json
    numbers = pl.read_csv(file, infer_schema=False)
    assert numbers.columns == ["nik"]
    assert numbers["nik"].is_unique().all()
    assert numbers.height == made["persons"]
    assert made["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    listed = {one["request"]: one for one in perlinsos(demo_copy, "evidence", "list", SECOND, "--json").json}
    assert listed[made["request"]]["answers"] == 0
    assert answer(demo_copy, tmp_path, request=made["request"]).code == 0
    listed = {one["request"]: one for one in perlinsos(demo_copy, "evidence", "list", SECOND, "--json").json}
    assert listed[made["request"]]["answers"] == 1


def test_whoever_answers_without_a_request_is_told_that_silence_counts_as_nothing_found(
    demo_copy: Path, tmp_path: Path
) -> None:
    told = " ".join(answer(demo_copy, tmp_path, coverage=["35.10"]).out.split())
    assert "names no request" in told
    assert "these 1 rows, everybody on record in 35.10 counts" in told
    request = ask(demo_copy, tmp_path / "asked.csv", "--json").json["request"]
    named = answer(demo_copy, tmp_path, coverage=["35.10"], request=request)
    assert named.code == 0
    assert "names no request" not in named.out


def test_a_request_asks_about_everybody_on_record_and_everybody_stated_since(
    demo: Demo, demo_copy: Path, tmp_path: Path
) -> None:
    ask(demo_copy, tmp_path / "pln.parquet")
    numbers = pl.read_parquet(tmp_path / "pln.parquet")
    persons = sorted((demo.home / "lake" / "registry" / "persons").rglob("*.parquet"))
    known = pl.concat([pl.scan_parquet(one).select("nik") for one in persons]).drop_nulls().unique().collect()
    assert known.join(numbers, on="nik", how="anti").is_empty()


def test_neither_the_request_nor_what_is_printed_holds_a_number(demo: Demo, demo_copy: Path, tmp_path: Path) -> None:
    said = ask(demo_copy, tmp_path / "pln.csv", "--region", "35.10")
    assert said.code == 0
    kept = [path.read_text() for path in (demo_copy / "lake" / "intake" / "evidence_requests").rglob("*.json")]
    assert kept
    for text in (said.out, said.err, *kept):
        assert not Persons.of(demo.home).found_in(text)
        assert not re.search(r"(?<![0-9a-f])\d{16}(?![0-9a-f])", text)


def test_the_demos_agencies_answered_what_they_were_asked(demo: Demo) -> None:
    for quarter in (FIRST, SECOND):
        asked = perlinsos(demo.home, "evidence", "list", quarter, "--json").json
        assert len({one["agency"] for one in asked}) == len(asked) > 10
        assert {one["answers"] for one in asked} == {1}
    told = perlinsos(demo.home, "evidence", "list", FIRST).out
    assert "dukcapil" in told


@pytest.mark.parametrize(
    ("options", "agency", "words"),
    [
        (("--region", "35.99"), "pln", "no regency"),
        ((), "bps", "worklist"),
    ],
)
def test_a_request_nobody_can_answer_is_refused(
    demo_copy: Path, tmp_path: Path, options: tuple[str, ...], agency: str, words: str
) -> None:
    said = ask(demo_copy, tmp_path / "asked.csv", *options, agency=agency)
    assert said.code in {2, 4}
    assert words in said.err
    assert not (tmp_path / "asked.csv").exists()


def test_a_request_in_another_form_is_refused(demo_copy: Path, tmp_path: Path) -> None:
    said = ask(demo_copy, tmp_path / "asked.xlsx")
    assert said.code == 2
    assert "asked.xlsx" in said.err


def test_there_is_nobody_to_ask_about_before_anybody_registered(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert perlinsos(home, "init", "--trial").code == 0
    said = ask(home, tmp_path / "asked.csv")
    assert said.code == 4
    assert "Load registrations" in said.err


def test_an_answer_to_no_request_anothers_or_beyond_it_is_refused_in_a_sentence(
    demo_copy: Path, tmp_path: Path
) -> None:
    mine = ask(demo_copy, tmp_path / "asked.csv", "--region", "35.10", "--json").json["request"]
    others = ask(demo_copy, tmp_path / "asked.csv", "--json", agency="bkn").json["request"]
    for note, words in (
        ({"request": "r0123"}, "no agency was made such a request"),
        ({"request": "../../x"}, "no agency was made such a request"),
        ({"request": others}, "made to bkn"),
        ({"request": mine, "coverage": ["35.10", "35.11"]}, "35.11"),
    ):
        said = answer(demo_copy, tmp_path, **note)
        assert said.code == 4, note
        assert words in said.err
        assert "Traceback" not in said.err
    assert answer(demo_copy, tmp_path, request=mine, coverage=["35.10"]).code == 0
