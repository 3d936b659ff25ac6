"""Intake: every row of a file is accepted or rejected with its reasons, whatever its shape; batches count once."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.intake import checking, loading, storing
from assets.intake.batches import Batch, accepted_table, batches, pinned
from assets.intake.checking import check, refuse_other_code_system
from assets.intake.declaration import Declaration, declaration_of, note_of
from assets.intake.loading import Intake, Loaded
from assets.intake.pins import Pins
from assets.lake import Lake
from schemas.errors import UnknownRegency
from schemas.identifiers import BUCKETS
from schemas.messages import catalogue, say
from schemas.quarter import Quarter
from schemas.regions import regencies
from schemas.tables import TABLES
from schemas.vocabularies import Agency, BatchState, Feed
from tests.made_senders import SENDERS
from world.country import write

QUARTER = Quarter(2026, 1)
DECLARED = Declaration(issued_on=date(2026, 1, 2), sender="tests")
NIK, CARD, NAME = "3510094703850001", "3510091203190004", "SITI AMINAH"
RECIPIENT = {
    "family_card_number": CARD,
    "head_nik": NIK,
    "programme": "PKH",
    "regency_code": "35.10",
    "since_date": "2024-07-01",
}
AGENT = {"agent_id": "A1", "kind": "tksk", "regency_code": "35.10", "village_code": "35.10.09.2001"}
SAMPLED = {
    "household_id": "h1",
    "regency_code": "35.10",
    "cluster_id": "c1",
    "is_urban": "true",
    "weight": "12.5",
    "expenditure_rupiah_per_capita_month": "500000",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "landing"
    write("banyuwangi", 800, [QUARTER], 1, out)
    return out


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(Lake(tmp_path / "lake"), TABLES, 0.1, SENDERS)


@pytest.fixture
def lenient(intake: Intake) -> Intake:
    """An intake that refuses no file for its share of wrong rows."""
    return Intake(intake.lake, intake.contracts, 1.0, SENDERS)


def members(world: Path) -> Path:
    return max((world / str(QUARTER) / Feed.MEMBERS).glob("*.csv"), key=lambda file: file.stat().st_size)


def csv(folder: Path, rows: list[dict[str, str]], name: str = "file.csv", delimiter: str = ",") -> Path:
    """A file as a sender would write it: header and cells, nothing quoted."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    lines = [delimiter.join(header), *(delimiter.join(row.get(name, "") for name in header) for row in rows)]
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def recipients(count: int = 20, **changed: str) -> list[dict[str, str]]:
    """Well-formed rows of current_recipients, the last of them changed."""
    rows = [RECIPIENT | {"family_card_number": f"351009120319{number:04}"} for number in range(1, count + 1)]
    rows[-1] |= changed
    return rows


def reasons(loaded: Loaded) -> list[tuple[int, str, str]]:
    assert loaded.report is not None
    found = pl.read_parquet(loaded.report.with_name("reasons.parquet"))
    return [(row["row_number"], row["column"], row["reason"]) for row in found.iter_rows(named=True)]


def stored(intake: Intake, feed: Feed) -> pl.DataFrame:
    """All accepted rows of the quarter as content: without batch and row."""
    contract = intake.contracts[f"intake/{feed}"]
    table = accepted_table(intake.lake, feed, str(QUARTER), batches(intake.lake, str(QUARTER)))
    rows = table.read(contract).drop("batch_id", "row_number").unique()
    return rows.sort(rows.columns)


def batch_of(loaded: Loaded) -> Batch:
    assert loaded.batch is not None, loaded.reason
    return loaded.batch


def refusal(loaded: Loaded) -> str:
    assert loaded.state is BatchState.REFUSED
    assert loaded.batch is None
    assert loaded.reason is not None
    return loaded.reason


def counting_files(intake: Intake) -> list[Path]:
    """Files of the lake that may count: all but rejection reports."""
    rejected = intake.lake.root / "intake" / "rejected"
    return [
        file for file in sorted(intake.lake.root.rglob("*")) if file.is_file() and not file.is_relative_to(rejected)
    ]


# A whole quarter


def test_every_feed_of_a_small_country_loads_and_no_row_disappears(world: Path, intake: Intake, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    shutil.copytree(world, landing)
    delivered = {file: pl.read_csv(file, infer_schema=False).height for file in landing.rglob("*.csv")}
    loaded = list(intake.load_landing(landing, QUARTER))
    assert {one.feed for one in loaded} == {Feed(folder.name) for folder in (world / str(QUARTER)).iterdir()}
    assert {one.state for one in loaded} == {BatchState.LOADED}
    assert len(loaded) == len(delivered)
    for one in loaded:
        batch = batch_of(one)
        assert batch.read == batch.accepted + batch.rejected + batch.parked
        assert batch.read == delivered[landing / str(QUARTER) / one.feed / one.file_name]
        assert batch.accepted + batch.parked >= batch.stored
        assert batch.declaration.sender != "undeclared"
        assert sum(batch.reasons.values()) >= batch.rejected
    for feed in {one.feed for one in loaded}:
        contract = TABLES[f"intake/{feed}"]
        table = accepted_table(intake.lake, feed, str(QUARTER), batches(intake.lake, str(QUARTER)))
        rows = table.read(contract)
        contract.schema.validate(rows)
        assert rows.select(contract.order).is_unique().all()


def test_loaded_files_move_out_of_the_landing_zone_with_their_notes(
    world: Path, intake: Intake, tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    shutil.copytree(world, landing)
    loaded = list(intake.load_landing(landing, QUARTER))
    assert [file for file in (landing / str(QUARTER)).rglob("*") if file.is_file()] == []
    for one in loaded:
        done = landing / "done" / batch_of(one).batch_id
        assert {file.name for file in done.iterdir()} == {one.file_name, f"{one.file_name}.yaml"}
    assert list(intake.load_landing(landing, QUARTER)) == []


def test_a_refused_file_stays_in_the_landing_zone(intake: Intake, tmp_path: Path) -> None:
    folder = tmp_path / "landing" / str(QUARTER) / Feed.AGENTS
    folder.mkdir(parents=True)
    csv(folder, [{"wrong": "1"}], "bad.csv")
    csv(folder, [AGENT], "good.csv")
    states = {one.file_name: one.state for one in intake.load_landing(tmp_path / "landing", QUARTER)}
    assert states == {"bad.csv": BatchState.REFUSED, "good.csv": BatchState.LOADED}
    assert [file.name for file in folder.iterdir()] == ["bad.csv"]


def test_a_note_without_its_file_and_a_hidden_file_are_told_and_folders_are_left_alone(
    intake: Intake, tmp_path: Path
) -> None:
    folder = tmp_path / "landing" / str(QUARTER) / Feed.AGENTS
    (folder / "old").mkdir(parents=True)
    (folder / ".agents.csv.part").write_text("half")
    (folder / "agents.yaml").write_text("sender: x")
    hidden, told = intake.load_landing(tmp_path / "landing", QUARTER)
    assert (hidden.file_name, hidden.state) == (".agents.csv.part", BatchState.IGNORED)
    assert "agents.yaml is a note, but the file it speaks of is not here" in refusal(told)


# Batches


def test_the_same_file_twice_is_a_no_op_that_says_so(world: Path, intake: Intake, tmp_path: Path) -> None:
    first = intake.load(Feed.MEMBERS, members(world), QUARTER)
    before = {file: file.read_bytes() for file in intake.lake.root.rglob("*") if file.is_file()}
    renamed = tmp_path / "again.csv"
    shutil.copy(members(world), renamed)
    shutil.copy(note_of(members(world)), note_of(renamed))
    second = intake.load(Feed.MEMBERS, renamed, QUARTER)
    assert second.state is BatchState.DUPLICATE
    assert second.batch == first.batch
    assert second.reason == say("load.duplicate", "en")
    assert {file: file.read_bytes() for file in intake.lake.root.rglob("*") if file.is_file()} == before


def test_the_same_rows_in_another_order_or_in_two_batches_are_the_same_content(world: Path, tmp_path: Path) -> None:
    header, *lines = members(world).read_text(encoding="utf-8").splitlines()
    shuffled = [lines[at] for at in np.random.default_rng(7).permutation(len(lines))]
    half = len(lines) // 2
    deliveries = {
        "whole": [lines],
        "shuffled": [shuffled],
        "split": [shuffled[:half], shuffled[half:]],
        "repeated": [lines, [*shuffled, *lines[:9]]],
    }
    found = {}
    for name, parts in deliveries.items():
        intake = Intake(Lake(tmp_path / name), TABLES, 0.1, SENDERS)
        for at, part in enumerate(parts):
            file = tmp_path / f"{name}{at}.csv"
            file.write_text("\n".join([header, *part]) + "\n", encoding="utf-8")
            assert intake.load(Feed.MEMBERS, file, QUARTER).state is BatchState.LOADED
        found[name] = stored(intake, Feed.MEMBERS)
    assert found["whole"].height > 400
    for name in ("shuffled", "split", "repeated"):
        assert found[name].equals(found["whole"]), name


def test_equal_rows_are_counted_each_and_stored_once(intake: Intake, tmp_path: Path) -> None:
    rows = recipients(5)
    batch = batch_of(intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, [*rows, rows[2], rows[2]]), QUARTER))
    assert (batch.read, batch.accepted, batch.stored) == (7, 7, 5)


def test_a_load_killed_before_the_ledger_leaves_nothing_that_counts_and_can_be_repeated(
    world: Path, intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        message = "killed"
        raise KeyboardInterrupt(message)

    with monkeypatch.context() as patched:
        patched.setattr(loading, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            intake.load(Feed.MEMBERS, members(world), QUARTER)
    assert batches(intake.lake, str(QUARTER)) == ()
    assert stored(intake, Feed.MEMBERS).height == 0
    assert pinned(intake.lake, QUARTER) == ()
    repeated = intake.load(Feed.MEMBERS, members(world), QUARTER)
    assert repeated.state is BatchState.LOADED
    undisturbed = Intake(Lake(tmp_path / "undisturbed"), TABLES, 0.1, SENDERS)
    assert undisturbed.load(Feed.MEMBERS, members(world), QUARTER).batch == repeated.batch


def test_a_load_killed_while_writing_leaves_no_half_file(
    world: Path, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pl.DataFrame.write_parquet

    def torn(frame: pl.DataFrame, file: Path, **more: Any) -> None:  # noqa: ANN401
        real(frame, file, **more)
        if "rejected" not in str(file):
            file.write_bytes(file.read_bytes()[:100])
            message = "killed"
            raise KeyboardInterrupt(message)

    with monkeypatch.context() as patched:
        patched.setattr(pl.DataFrame, "write_parquet", torn)
        with pytest.raises(KeyboardInterrupt):
            intake.load(Feed.MEMBERS, members(world), QUARTER)
    assert counting_files(intake) == []
    assert intake.load(Feed.MEMBERS, members(world), QUARTER).state is BatchState.LOADED


def test_a_file_left_by_a_killed_load_of_other_code_is_not_taken(
    world: Path, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(loading, "code_hash", lambda: "older code")
        patched.setattr(loading, "as_kept", lambda rows, *_: storing.as_kept(rows, *_).head(1))
        patched.setattr(loading, "append", lambda *_: None)
        intake.load(Feed.MEMBERS, members(world), QUARTER)
    batch = batch_of(intake.load(Feed.MEMBERS, members(world), QUARTER))
    assert batch.stored > 400


def test_a_batch_reads_back_from_the_ledger_as_it_was_entered(world: Path, intake: Intake) -> None:
    loaded = {batch_of(intake.load(feed, file, QUARTER)) .batch_id: batch_of(intake.load(feed, file, QUARTER))
              for feed in (Feed.MEMBERS, Feed.EVIDENCE)
              for file in sorted((world / str(QUARTER) / feed).glob("*.csv"))}  # fmt: skip
    found = batches(intake.lake, str(QUARTER))
    assert {batch.batch_id: batch for batch in found} == loaded
    assert list(found) == sorted(found, key=lambda batch: (batch.feed, batch.batch_id))


def test_a_quarter_reads_its_own_batches_those_before_and_the_latest_standing_ones(
    intake: Intake, tmp_path: Path
) -> None:
    file, quarters = csv(tmp_path, [AGENT]), [Quarter(2025, 3), Quarter(2025, 4), QUARTER, QUARTER.next]
    for quarter in quarters:
        intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, recipients(2), "r.csv"), quarter)
    for quarter in quarters[:2]:
        intake.load(Feed.AGENTS, file, quarter)
    read = {(batch.feed, batch.quarter) for batch in pinned(intake.lake, QUARTER)}
    assert read == {
        (Feed.CURRENT_RECIPIENTS, "2025Q4"),
        (Feed.CURRENT_RECIPIENTS, "2026Q1"),
        (Feed.AGENTS, "2025Q4"),
    }


def test_what_arrives_after_the_pins_is_not_read(intake: Intake, tmp_path: Path) -> None:
    intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, recipients(3), "a.csv"), QUARTER)
    pins = Pins.of(intake.lake, QUARTER, None)
    intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, recipients(9), "b.csv"), QUARTER)
    assert pins.is_first
    assert Pins.from_json(pins.to_json()) == pins
    assert [batch.file_name for batch in pins.read(intake.lake)] == ["a.csv"]
    assert pins.tables(intake.lake)[Feed.CURRENT_RECIPIENTS].rows == 3


# Declarations


def test_an_undeclared_file_is_of_an_undeclared_sender_as_old_as_can_be_and_covers_nothing(tmp_path: Path) -> None:
    said = declaration_of(csv(tmp_path, [AGENT]), QUARTER)
    assert (said.sender, said.issued_on, said.code_system) == ("undeclared", QUARTER.first_day, "kemendagri")
    assert (said.coverage, said.agency, said.as_of) == ((), None, None)


def test_undeclared_coverage_is_kept_as_covering_no_regency(intake: Intake, tmp_path: Path) -> None:
    row = {"agency": "dukcapil", "nik": NIK, "fact": "is_deceased", "value": "1", "as_of_date": "2025-12-31"}
    file = csv(tmp_path, [row])
    note_of(file).write_text("agency: dukcapil\n")
    batch = batch_of(intake.load(Feed.EVIDENCE, file, QUARTER))
    assert batch.declaration.agency is Agency.DUKCAPIL
    assert batch.declaration.coverage == ()


def test_coverage_is_kept_in_kemendagri_codes_whatever_system_declares_it(tmp_path: Path) -> None:
    file = csv(tmp_path, [AGENT])
    for system, codes in (("kemendagri", ["3510", "11.09"]), ("bps", ["3510", "1101"]), ("bps", ["35.10", "11.09"])):
        note_of(file).write_text(yaml.safe_dump({"code_system": system, "coverage": codes}))
        said = declaration_of(file, QUARTER)
        assert said.coverage == ("35.10", "11.09")
        assert Declaration.model_validate(said.model_dump(mode="json")) == said


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("colour: red", "colour"),
        ("code_system: dagri", "code_system"),
        ("issued_on: soon", "issued_on"),
        ("agency: nobody", "agency"),
        ("coverage: [35.10]", "coverage"),
        ("coverage: ['35.99']", "35.99"),
        ("coverage: [Banyuwangi]", "Banyuwangi"),
        ("- a list", "no YAML of lines"),
        ("a: [", "no YAML of lines"),
        ("just words", "no YAML of lines"),
    ],
)
def test_a_wrong_note_refuses_the_file_and_names_the_key(intake: Intake, tmp_path: Path, note: str, told: str) -> None:
    file = csv(tmp_path, [AGENT])
    note_of(file).write_text(note)
    assert told in refusal(intake.load(Feed.AGENTS, file, QUARTER))
    assert counting_files(intake) == []


def test_another_declaration_of_the_same_content_is_another_batch(intake: Intake, tmp_path: Path) -> None:
    file = csv(tmp_path, recipients())
    first = intake.load(Feed.CURRENT_RECIPIENTS, file, QUARTER)
    second = intake.load(Feed.CURRENT_RECIPIENTS, file, QUARTER, DECLARED)
    assert second.state is BatchState.LOADED
    assert batch_of(first).batch_id != batch_of(second).batch_id
    assert stored(intake, Feed.CURRENT_RECIPIENTS).height == 20


# Shapes of files


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_delimiters_byte_order_marks_and_line_ends_do_not_matter(
    intake: Intake, tmp_path: Path, delimiter: str, encoding: str, newline: str
) -> None:
    file = csv(tmp_path, recipients(), delimiter=delimiter)
    file.write_bytes(file.read_text().replace("\n", newline).encode(encoding))
    assert batch_of(intake.load(Feed.CURRENT_RECIPIENTS, file, QUARTER)).accepted == 20
    plain = Intake(Lake(tmp_path / "plain"), TABLES, 0.1, SENDERS)
    plain.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, recipients(), "plain.csv"), QUARTER)
    assert stored(intake, Feed.CURRENT_RECIPIENTS).equals(stored(plain, Feed.CURRENT_RECIPIENTS))


def test_parquet_is_read_whatever_it_is_called(intake: Intake, tmp_path: Path) -> None:
    frame = pl.DataFrame(recipients()).with_columns(pl.col("since_date").str.to_datetime("%Y-%m-%d"))
    frame.write_parquet(tmp_path / "recipients.csv")
    assert batch_of(intake.load(Feed.CURRENT_RECIPIENTS, tmp_path / "recipients.csv", QUARTER)).accepted == 20
    assert stored(intake, Feed.CURRENT_RECIPIENTS)["since_date"].unique().to_list() == [date(2024, 7, 1)]


def test_headers_are_known_by_alias_case_and_spaces_in_any_order(intake: Intake, tmp_path: Path) -> None:
    renamed = {"family_card_number": " Nomor Kartu Keluarga", "regency_code": "KODE_KABUPATEN", "head_nik": "Head NIK "}
    rows = [
        dict(reversed([(renamed.get(name, name), f" {cell} ") for name, cell in row.items()])) | {"remark": "x"}
        for row in recipients()
    ]
    assert batch_of(intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, rows), QUARTER)).accepted == 20


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"  \n\n ", "is empty"),
        (b"agent_id,kind\nA1,tksk\n", "lacks the column regency_code"),
        (b"agent_id,kind,regency_code,Agent_ID\nA1,tksk,35.10,A2\n", "columns 1, 4 have the same name"),
        (b"kind,kind,agent_id,regency_code\ntksk,tksk,A1,35.10\n", "columns 1, 2 have the same name"),
        (b"PAR1 and no more", "is damaged"),
        (b"PK\x03\x04\xff\xfe", "is damaged"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_with_a_sentence_that_mends_it(
    intake: Intake, tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "agents.csv"
    file.write_bytes(content)
    reason = refusal(intake.load(Feed.AGENTS, file, QUARTER))
    assert told.replace("is damaged", "damaged") in reason
    assert "agents.csv" in reason
    assert counting_files(intake) == []


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_with_a_header_alone_is_accepted_as_saying_nothing(intake: Intake, tmp_path: Path, end: str) -> None:
    file = tmp_path / "evidence.csv"
    file.write_bytes(("agency,nik,fact,value,as_of_date" + end).encode())
    loaded = intake.load(Feed.EVIDENCE, file, QUARTER)
    assert loaded.state is BatchState.LOADED
    assert (batch_of(loaded).read, batch_of(loaded).stored, loaded.report) == (0, 0, None)
    assert stored(intake, Feed.EVIDENCE).height == 0


def test_absent_columns_that_may_be_empty_are_empty(intake: Intake, tmp_path: Path) -> None:
    row = {"family_card_number": CARD, "survey_date": "2025-12-01"}
    assert batch_of(intake.load(Feed.SURVEYS, csv(tmp_path, [row]), QUARTER)).parked == 1
    assert stored(intake, Feed.SURVEYS)["roof_material"].to_list() == [None]


def test_blank_lines_are_no_rows_and_do_not_shift_row_numbers(lenient: Intake, tmp_path: Path) -> None:
    file = csv(tmp_path, recipients(3, programme="XXX"))
    header, *lines = file.read_text().splitlines()
    file.write_text("\n".join([header, lines[0], "", ",,,,", lines[1], lines[2], "", ""]) + "\n")
    loaded = lenient.load(Feed.CURRENT_RECIPIENTS, file, QUARTER)
    assert batch_of(loaded).read == 3
    assert reasons(loaded) == [(6, "programme", "not_a_code")]


def test_a_row_of_unknown_columns_alone_is_rejected_and_not_dropped(lenient: Intake, tmp_path: Path) -> None:
    rows = [row | {"remark": ""} for row in recipients(2)] + [dict.fromkeys(RECIPIENT, "") | {"remark": "TOTAL 2"}]
    loaded = lenient.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, rows), QUARTER)
    assert (batch_of(loaded).read, batch_of(loaded).rejected) == (3, 1)
    assert reasons(loaded) == [(4, name, "missing") for name in sorted(RECIPIENT)]


# Cells


@pytest.mark.parametrize(
    "text", ["2024-07-01", "01/07/2024", "1/7/2024", "2024-7-1", "2024-07-01T00:00:00", "2024-07-01 00:00:00.000"]
)
def test_dates_are_read_in_both_orders(intake: Intake, tmp_path: Path, text: str) -> None:
    intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, [RECIPIENT | {"since_date": text}]), QUARTER)
    assert stored(intake, Feed.CURRENT_RECIPIENTS)["since_date"].to_list() == [date(2024, 7, 1)]


@pytest.mark.parametrize(
    "text", ["01/07/24", "24-07-01", "31/02/2024", "2024-13-01", "07/25/2024", "2024-07-011", "2024", "4547"]
)
def test_what_is_no_date_is_not_guessed_at(lenient: Intake, tmp_path: Path, text: str) -> None:
    loaded = lenient.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, [RECIPIENT | {"since_date": text}]), QUARTER)
    assert reasons(loaded) == [(2, "since_date", "not_a_date")]


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("is_urban", "Ya", True),
        ("is_urban", "TIDAK", False),
        ("is_urban", "0", False),
        ("expenditure_rupiah_per_capita_month", "500000.0", 500_000),
        ("expenditure_rupiah_per_capita_month", "500000.00", 500_000),
        ("weight", "7", 7.0),
        ("roof_material", "2.0", 2),
        ("roof_material", "", None),
    ],
)
def test_cells_are_read_into_the_type_of_their_column(
    intake: Intake, tmp_path: Path, column: str, text: str, expected: object
) -> None:
    intake.load(Feed.CONSUMPTION_SURVEY, csv(tmp_path, [SAMPLED | {column: text}]), QUARTER)
    assert stored(intake, Feed.CONSUMPTION_SURVEY)[column].to_list() == [expected]


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("is_urban", "perhaps", "not_yes_or_no"),
        ("is_urban", "", "missing"),
        ("expenditure_rupiah_per_capita_month", "500.000", "not_a_number"),
        ("expenditure_rupiah_per_capita_month", "USD 500000", "not_a_number"),
        ("expenditure_rupiah_per_capita_month", "1.5", "not_a_number"),
        ("expenditure_rupiah_per_capita_month", "0", "greater_than"),
        ("weight", "nan", "missing"),
        ("weight", "inf", "not_a_number"),
        ("weight", "1e999", "not_a_number"),
        ("weight", "-1", "greater_than"),
        ("roof_material", "77", "not_a_code"),
        ("roof_material", "seng baru", "not_a_number"),
        ("household_size", "99999999999", "not_a_number"),
        ("household_size", "31", "out_of_range"),
        ("household_size", "0", "out_of_range"),
        ("regency_code", "Banyuwangi", "regency_code"),
        ("regency_code", "35.1", "code_through_a_number"),
        ("regency_code", "91.2", "code_through_a_number"),
    ],
)
def test_a_wrong_cell_is_named_by_row_column_and_reason(
    lenient: Intake, tmp_path: Path, column: str, text: str, reason: str
) -> None:
    loaded = lenient.load(Feed.CONSUMPTION_SURVEY, csv(tmp_path, [SAMPLED, SAMPLED | {column: text}]), QUARTER)
    assert reasons(loaded) == [(3, column, reason)]
    assert f"row.{reason}" in catalogue()
    assert batch_of(loaded).reasons == {reason: 1}
    assert (batch_of(loaded).accepted, batch_of(loaded).rejected) == (1, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3.51E+15", "identifier_through_a_number"),
        ("351009470385000", "identifier_length"),
        ("2222222222222222", "identifier_repeated"),
        ("3510094703850000", "identifier_serial"),
        ("", "missing"),
    ],
)
@pytest.mark.parametrize("column", ["head_nik", "family_card_number"])
def test_each_fault_of_an_identifier_is_named_with_row_and_column(
    intake: Intake, tmp_path: Path, text: str, reason: str, column: str
) -> None:
    loaded = intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, recipients(20, **{column: text})), QUARTER)
    assert reasons(loaded) == [(21, column, reason)]
    assert batch_of(loaded).accepted == 19


def test_every_reason_of_a_row_is_kept_and_each_identifier_has_its_own(lenient: Intake, tmp_path: Path) -> None:
    wrong = {
        "family_card_number": "3.51E+15",
        "head_nik": "12",
        "programme": "KIP",
        "since_date": "soon",
        "regency_code": "",
    }
    rows = [*recipients(3), RECIPIENT | wrong, RECIPIENT | {"head_nik": "3510094703850000"}]
    loaded = lenient.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, rows), QUARTER)
    assert reasons(loaded) == [
        (5, "family_card_number", "identifier_through_a_number"),
        (5, "head_nik", "identifier_length"),
        (5, "programme", "not_a_code"),
        (5, "regency_code", "missing"),
        (5, "since_date", "not_a_date"),
        (6, "head_nik", "identifier_serial"),
    ]
    assert (batch_of(loaded).accepted, batch_of(loaded).rejected) == (3, 2)


def test_a_newborn_without_a_number_goes_into_the_bucket_of_its_card(
    world: Path, intake: Intake, tmp_path: Path
) -> None:
    rows = pl.read_csv(members(world), infer_schema=False).drop_nulls("nik").head(20)
    half = pl.int_range(pl.len()) < 10
    rows.with_columns(nik=pl.when(half).then("nik")).write_csv(tmp_path / "file.csv")
    intake.load(Feed.MEMBERS, tmp_path / "file.csv", QUARTER)
    kept = stored(intake, Feed.MEMBERS).with_columns(
        of_nik=pl.col("nik").cast(pl.Int64) % BUCKETS, of_card=pl.col("family_card_number").cast(pl.Int64) % BUCKETS
    )
    assert kept["nik"].null_count() == 10
    assert kept["nik_bucket"].to_list() == [
        nik if nik is not None else card for nik, card in kept.select("of_nik", "of_card").iter_rows()
    ]


CELLS = st.sampled_from(
    [
        None,
        "",
        "0",
        "-1",
        "1",
        "nan",
        "1.000",
        "3.51E+15",
        NIK,
        "PKH",
        "35.10",
        "9999",
        "2024-07-01",
        "31/02/2024",
        "=1+1",
        "ya",
        "é\x00",
    ]
)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from(list(RECIPIENT)), CELLS), max_size=10), st.integers(2, 9))
def test_read_is_accepted_plus_rejected_wherever_the_chunks_are_cut(
    spoilt: list[tuple[int, str, str | None]], chunk: int
) -> None:
    rows: list[dict[str, str | None]] = [dict(row) for row in recipients(8)]
    for row, column, cell in spoilt:
        rows[row][column] = cell
    contract = TABLES["intake/current_recipients"]
    text = pl.DataFrame(rows, schema=dict.fromkeys(RECIPIENT, pl.String)).with_row_index("row_number", offset=2)
    text = text.with_columns(pl.col("row_number").cast(pl.Int64), pl.col(list(RECIPIENT)).replace("", None))
    with pytest.MonkeyPatch.context() as patched:
        whole = check(text, contract, DECLARED)
        patched.setattr(checking, "CHUNK_ROWS", chunk)
        cut = check(text, contract, DECLARED)
    for one, other in ((whole.accepted, cut.accepted), (whole.rejected, cut.rejected), (whole.reasons, cut.reasons)):
        assert one.equals(other)
    numbers = [*whole.accepted["row_number"], *whole.rejected["row_number"]]
    assert sorted(numbers) == text["row_number"].to_list()
    assert set(whole.reasons["row_number"]) == set(whole.rejected["row_number"])
    assert whole.reasons.is_unique().all()
    assert whole.reasons.drop("found").null_count().row(0) == (0, 0, 0, 0)
    typed = whole.accepted.drop("row_number")
    contract.schema.select_columns(typed.columns).validate(typed)


# Rows that cannot be cut into cells


@pytest.mark.parametrize(
    ("line", "fault"),
    [("A2,tksk,35.10,35.10.09.2001", "too_many_cells"), ('A2,"tksk,35.10', "open_quote")],
)
def test_a_row_that_cannot_be_cut_into_cells_is_set_aside_alone(
    lenient: Intake, tmp_path: Path, line: str, fault: str
) -> None:
    file = tmp_path / "file.csv"
    file.write_text(f"agent_id,kind,regency_code\nA1,tksk,35.10\n{line}\nA3,tksk,35.10\n", encoding="utf-8")
    loaded = lenient.load(Feed.AGENTS, file, QUARTER)
    batch = batch_of(loaded)
    assert (batch.read, batch.accepted, batch.rejected) == (3, 2, 1)
    assert reasons(loaded) == [(3, "", fault)]
    assert f"row.{fault}" in catalogue()


def test_columns_the_feed_does_not_know_are_told(intake: Intake, tmp_path: Path) -> None:
    file = csv(tmp_path, [AGENT | {"remark": "x", "Nomor HP": "y"}])
    assert batch_of(intake.load(Feed.AGENTS, file, QUARTER)).unknown_columns == ("remark", "Nomor HP")


# Too many errors


def test_a_file_above_the_share_of_errors_is_refused_and_leaves_no_row(intake: Intake, tmp_path: Path) -> None:
    rows = recipients(18) + [RECIPIENT | {"head_nik": "12"}] * 2
    assert (
        batch_of(intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, rows, "at_the_share.csv"), QUARTER)).rejected == 2
    )
    before = counting_files(intake)
    loaded = intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, rows[1:], "above.csv"), QUARTER)
    reason = refusal(loaded)
    assert "above.csv: 2 of 19 rows are wrong, more than policy allows (10%); nothing was loaded" in reason
    assert "The first, row 19: Column head_nik must be exactly sixteen digits" in reason
    assert counting_files(intake) == before
    assert len(batches(intake.lake, str(QUARTER))) == 1
    assert stored(intake, Feed.CURRENT_RECIPIENTS).height == 18
    assert reasons(loaded) == [(19, "head_nik", "identifier_length"), (20, "head_nik", "identifier_length")]


def test_a_refused_file_once_mended_is_loaded(intake: Intake, tmp_path: Path) -> None:
    file = csv(tmp_path, recipients(3, programme=""))
    refusal(intake.load(Feed.CURRENT_RECIPIENTS, file, QUARTER))
    assert batch_of(intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, recipients(3)), QUARTER)).accepted == 3


# Code systems


def statistics(folder: Path, codes: pl.Series) -> Path:
    rows = [{"area_code": code, "vintage": "2025-03", "poor_count": "1000"} for code in codes]
    return csv(folder, rows, "poverty.csv")


def test_bps_codes_declared_as_kemendagri_are_refused_with_the_system_they_are(intake: Intake, tmp_path: Path) -> None:
    reason = refusal(intake.load(Feed.POVERTY_STATISTICS, statistics(tmp_path, regencies()["code_bps"]), QUARTER))
    assert reason.startswith("poverty.csv: area_code ")
    assert "is no kemendagri code; the file's codes look like bps" in reason
    assert "Declare code_system: bps for this file." in reason
    assert counting_files(intake) == []


def test_kemendagri_codes_declared_as_bps_are_refused_with_the_system_they_are(intake: Intake, tmp_path: Path) -> None:
    for codes in (regencies()["code"], regencies()["code"].str.replace(".", "", literal=True)):
        file = statistics(tmp_path, codes)
        declared = DECLARED.model_copy(update={"code_system": "bps"})
        reason = refusal(intake.load(Feed.POVERTY_STATISTICS, file, QUARTER, declared))
        assert "look like kemendagri" in reason
        assert "Declare code_system: kemendagri for this file." in reason


def test_the_refusal_names_the_regency_the_code_belongs_to() -> None:
    text = pl.DataFrame({"regency_code": ["9419", "9409", None, "9427", "9409"]})
    with pytest.raises(
        UnknownRegency, match=r"'9409' is no kemendagri code; .*\(Kabupaten Biak Numfor, Kemendagri 91\.06\)"
    ):
        refuse_other_code_system(text, DECLARED)


def test_codes_that_are_good_in_both_systems_are_taken_as_declared() -> None:
    # BPS 1101 is another regency than Kemendagri 11.01: only the declaration can tell.
    text = pl.DataFrame({"regency_code": ["1101", "1102"]})
    refuse_other_code_system(text, DECLARED)
    refuse_other_code_system(text, DECLARED.model_copy(update={"code_system": "bps"}))


def test_declared_bps_codes_become_the_kemendagri_codes_of_the_same_regencies(intake: Intake, tmp_path: Path) -> None:
    declared = DECLARED.model_copy(update={"code_system": "bps"})
    file = statistics(tmp_path, regencies()["code_bps"])
    assert batch_of(intake.load(Feed.POVERTY_STATISTICS, file, QUARTER, declared)).accepted == 514
    assert set(stored(intake, Feed.POVERTY_STATISTICS)["area_code"]) == set(regencies()["code"])


def test_bare_kemendagri_digits_get_their_dots(intake: Intake, tmp_path: Path) -> None:
    intake.load(Feed.AGENTS, csv(tmp_path, [AGENT | {"regency_code": "3510", "village_code": "3510092001"}]), QUARTER)
    assert stored(intake, Feed.AGENTS).select("regency_code", "village_code").row(0) == ("35.10", "35.10.09.2001")


def test_villages_in_bps_codes_are_refused_declared_or_not(intake: Intake, tmp_path: Path) -> None:
    rows = [
        AGENT | {"agent_id": f"A{n}", "regency_code": "3510", "village_code": f"35101000{n:02}"} for n in range(1, 9)
    ]
    undeclared = refusal(intake.load(Feed.AGENTS, csv(tmp_path, rows), QUARTER))
    assert "village_code '3510100001' is no kemendagri code; the file's codes look like bps" in undeclared
    declared = DECLARED.model_copy(update={"code_system": "bps"})
    for reason in (undeclared, refusal(intake.load(Feed.AGENTS, csv(tmp_path, rows), QUARTER, declared))):
        assert "in Kemendagri codes" in reason


def test_one_bps_village_among_many_is_a_wrong_row_and_no_wrong_file(intake: Intake, tmp_path: Path) -> None:
    rows = [AGENT | {"agent_id": f"A{n}", "village_code": f"35.10.09.20{n:02}"} for n in range(1, 20)]
    loaded = intake.load(Feed.AGENTS, csv(tmp_path, [*rows, AGENT | {"village_code": "3510100001"}]), QUARTER)
    assert reasons(loaded) == [(21, "village_code", "village_code")]


def test_synthetic_areas_are_taken_as_they_are(intake: Intake, tmp_path: Path) -> None:
    declared = DECLARED.model_copy(update={"code_system": "synthetic"})
    file = statistics(tmp_path, pl.Series(["12-1-3-4", "3510"]))
    intake.load(Feed.POVERTY_STATISTICS, file, QUARTER, declared)
    assert sorted(stored(intake, Feed.POVERTY_STATISTICS)["area_code"]) == ["12-1-3-4", "3510"]


# What is told


def test_the_report_keeps_the_row_as_delivered_and_disarms_formulas(lenient: Intake, tmp_path: Path) -> None:
    row = RECIPIENT | {
        "head_nik": "=HYPERLINK(1)",
        "since_date": "31/02/2024",
        "programme": "@SUM(1)",
        "regency_code": "-3510",
    }
    loaded = lenient.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, [RECIPIENT, row]), QUARTER)
    assert loaded.report is not None
    kept = pl.read_parquet(loaded.report.with_name("rows.parquet"))
    absent = dict.fromkeys(("head_name", "village_code", "amount_rupiah"))
    assert kept.rows(named=True) == [{"row_number": 3, **row, **absent}]
    assert reasons(loaded) == [
        (3, "head_nik", "identifier_length"),
        (3, "programme", "not_a_code"),
        (3, "regency_code", "regency_code"),
        (3, "since_date", "not_a_date"),
    ]
    sheet = openpyxl.load_workbook(loaded.report).worksheets[0]
    header, wrong = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=1, max_row=2)]
    shown = dict(zip(header, wrong, strict=True))
    assert {name: shown[name] for name in row} == row
    # As text, whatever it looks like: a spreadsheet runs none of it.
    assert {cell.data_type for cell in next(sheet.iter_rows(min_row=2, max_row=2)) if cell.value} == {"s"}


def test_a_file_without_faults_has_no_report(intake: Intake, tmp_path: Path) -> None:
    assert intake.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, recipients()), QUARTER).report is None
    assert not (intake.lake.root / "intake" / "rejected").exists()


def test_no_number_name_or_birth_date_stands_in_any_refusal(intake: Intake, tmp_path: Path) -> None:
    header = (
        "family_card_number,nik,name,birth_date,sex,relation,marital_status,is_pregnant,school_participation,"
        "education,work_position,disability,stated_date"
    )
    row = f"{CARD},{NIK},{NAME},1985-03-07,female,2,2,false,3,3,0,4,2025-12-01"
    contents = {
        "one cell more": f"{header}\n{row},{NIK}\n",
        "open quote": f"{header}\n{row.replace(NAME, chr(34) + NAME)}\n{row}\n",
        "no header": f"{row}\n{row}\n",
        "header lost": f"{NAME},{NIK}\n{row}\n",
        "all wrong": f"{header}\n{row.replace('female', NAME).replace(',2,2,', f',{NIK},{NAME},')}\n",
        "shifted": f"{header}\n{NAME},{row}\n",
        "number for a region": f"{header},village_code\n{row},{NIK}\n",
        "repeated name": f"{header},{NAME},{NAME}\n{row},1,2\n",
    }
    for name, content in contents.items():
        file = tmp_path / "file.csv"
        file.write_text(content, encoding="utf-8")
        loaded = intake.load(Feed.MEMBERS, file, QUARTER)
        told = f"{loaded.reason} {loaded.batch}"
        for secret in (NIK, CARD, "SITI ", "AMINAH", "1985"):
            assert secret.lower() not in told.lower(), name


def test_a_number_in_a_region_column_is_not_quoted() -> None:
    text = pl.DataFrame({"regency_code": [NIK, "9409", "9419"]})
    with pytest.raises(UnknownRegency) as refused:
        refuse_other_code_system(text, DECLARED)
    assert NIK not in str(refused.value)


def test_an_evidence_row_of_the_wrong_agency_is_rejected_with_the_agency_that_answers(
    lenient: Intake, tmp_path: Path
) -> None:
    facts = ("electricity_va", "is_deceased", "is_deceased", "wage_rupiah_month")
    rows = [{"agency": "pln", "nik": NIK, "fact": fact, "value": "1", "as_of_date": "2025-12-31"} for fact in facts]
    loaded = lenient.load(Feed.EVIDENCE, csv(tmp_path, rows), QUARTER)
    assert (batch_of(loaded).rejected, batch_of(loaded).reasons) == (3, {"fact_of_another_agency": 3})
    told = [(one.rows, one.first_row, one.expected) for one in loaded.tally]
    assert told == [(2, 3, "dukcapil"), (1, 5, "bpjs_ketenagakerjaan")]
    assert "yang berwenang adalah dukcapil" in loaded.tally[0].sentence("id")
    assert "dukcapil answers for it" in loaded.tally[0].sentence("en")


def test_a_refusal_is_told_in_the_language_of_who_loads(intake: Intake, tmp_path: Path) -> None:
    file = csv(tmp_path, [{"colour": "red"}])
    note_of(file).write_text("colour: red\n")
    speaker = replace(intake, lang="id")
    assert refusal(speaker.load(Feed.AGENTS, file, QUARTER)).startswith("file.csv.yaml: kunci colour tidak dikenal.")
    note_of(file).unlink()
    said = "file.csv tidak memiliki kolom agent_id, kind, regency_code. Templat menunjukkan semua kolom."
    assert refusal(speaker.load(Feed.AGENTS, file, QUARTER)) == said
    said = refusal(speaker.load(Feed.CURRENT_RECIPIENTS, csv(tmp_path, [RECIPIENT | {"head_nik": "12"}]), QUARTER))
    assert "1 dari 1 baris salah" in said
    assert "Yang pertama, baris 2: Kolom head_nik harus tepat enam belas angka" in said


def test_a_file_of_another_feed_is_refused_with_the_feed_it_is_of(intake: Intake, tmp_path: Path) -> None:
    file = csv(tmp_path, [RECIPIENT])
    said = refusal(intake.load(Feed.VALIDATIONS, file, QUARTER))
    assert said == (
        "file.csv lacks the column validation_date. Its columns are those of current_recipients: load it with "
        "`perlinsos load current_recipients`."
    )
    strange = csv(tmp_path, [{"kode": "35.10", "a": "1", "b": "2", "c": "3"}])
    said = refusal(intake.load(Feed.VALIDATIONS, strange, QUARTER))
    assert said.endswith("The template of the feed shows every column.")
