"""Batches through their states, rows that wait for their family, and what the command line tells of both."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest

from assets.intake.batches import Batch, accepted_table, batches, history, pinned, withdraw
from assets.intake.declaration import Declaration
from assets.intake.facts import facts_hash
from assets.intake.loading import Intake
from assets.intake.parking import still_parked
from assets.intake.pins import Pins
from assets.lake import Lake
from pipelines.home import Home
from schemas.errors import Refused
from schemas.quarter import Quarter
from schemas.regions import regencies
from schemas.tables import TABLES
from schemas.vocabularies import BatchState, Feed
from tests.homes import LOAD_KEYS, perlinsos
from tests.made_senders import SENDERS

QUARTER = Quarter(2026, 1)
AS_MINISTRY = ("--quarter", QUARTER, "--sender", "kemensos")
DECLARED = Declaration(issued_on=date(2026, 1, 2), sender="tests")
CUT_OFF = date(2026, 3, 31)
CARDS = [f"351009120319{number:04}" for number in range(1, 21)]
NIK = "3510094703850001"
ROOT = Path(__file__).parents[1]


def recipient(card: str, **changed: str) -> dict[str, str]:
    return {"family_card_number": card, "head_nik": NIK, "programme": "PKH", "regency_code": "35.10",
            "since_date": "2024-07-01"} | changed  # fmt: skip


def registration(card: str, **changed: str) -> dict[str, str]:
    return {"family_card_number": card, "village_code": "35.10.09.2001", "registered_date": "2025-12-01",
            "channel": "portal", "proposer": "self", "has_consent": "true", "is_ikd_verified": "true",
            "face_match": "passed"} | changed  # fmt: skip


def survey(card: str, **changed: str) -> dict[str, str]:
    return {"family_card_number": card, "survey_date": "2025-12-05"} | changed


def member(card: str, nik: str = NIK) -> dict[str, str]:
    return {"family_card_number": card, "nik": nik, "name": "SITI", "birth_date": "1985-03-07", "sex": "female",
            "relation": "1", "marital_status": "2", "is_pregnant": "false", "school_participation": "3",
            "education": "3", "work_position": "0", "disability": "4", "stated_date": "2025-12-01"}  # fmt: skip


def fact(nik: str = NIK) -> dict[str, str]:
    return {"agency": "pln", "nik": nik, "fact": "electricity_va", "value": "900", "as_of_date": "2025-12-31"}


def csv(folder: Path, rows: list[dict[str, str]], name: str) -> Path:
    file = folder / f"{name}.csv"
    header = list(rows[0])
    file.write_text("\n".join(",".join(line) for line in [header, *([row[key] for key in header] for row in rows)]))
    return file


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(Lake(tmp_path / "home" / "lake"), TABLES, 0.1, SENDERS)


def load(
    intake: Intake,
    folder: Path,
    feed: Feed,
    rows: list[dict[str, str]],
    name: str = "a",
    **said: Any,  # noqa: ANN401
) -> Batch:
    loaded = intake.load(feed, csv(folder, rows, name), QUARTER, DECLARED.model_copy(update=said))
    assert loaded.batch is not None, loaded.reason
    return loaded.batch


def states(intake: Intake) -> dict[str, BatchState]:
    return {batch.file_name.removesuffix(".csv"): batch.state for batch in batches(intake.lake, str(QUARTER))}


def read_by_a_new_run(intake: Intake) -> set[str]:
    return {batch.file_name.removesuffix(".csv") for batch in pinned(intake.lake, QUARTER)}


# States


def test_a_withdrawn_batch_is_read_by_no_new_run_and_stays_in_the_ledger(intake: Intake, tmp_path: Path) -> None:
    batch = load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[0])])
    before = Pins.of(intake.lake, QUARTER, None)
    withdrawn = withdraw(intake.lake, batch, "wrong regency", date(2026, 1, 9))
    assert withdrawn.state is BatchState.WITHDRAWN
    assert states(intake) == {"a": BatchState.WITHDRAWN}
    assert read_by_a_new_run(intake) == set()
    (event,) = history(intake.lake, str(QUARTER), batch.batch_id)
    assert (event["state"], event["why"], event["on"]) == ("withdrawn", "wrong regency", "2026-01-09")
    assert event["manifest"]["file_hash"] == batch.file_hash
    # What an earlier run pinned it can read again.
    assert before.tables(intake.lake)[Feed.CURRENT_RECIPIENTS].read(TABLES["intake/current_recipients"]).height == 1


def test_a_batch_is_withdrawn_once(intake: Intake, tmp_path: Path) -> None:
    batch = load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[0])])
    withdrawn = withdraw(intake.lake, batch, "wrong", date(2026, 1, 9))
    with pytest.raises(Refused, match="is withdrawn already"):
        withdraw(intake.lake, withdrawn, "again", date(2026, 1, 10))


def test_loading_a_withdrawn_file_once_more_brings_it_back_with_its_history(intake: Intake, tmp_path: Path) -> None:
    batch = load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[0])])
    withdraw(intake.lake, batch, "wrong", date(2026, 1, 9))
    loaded = intake.load(Feed.CURRENT_RECIPIENTS, tmp_path / "a.csv", QUARTER, DECLARED)
    assert (loaded.state, loaded.batch) == (BatchState.LOADED, batch)
    assert states(intake) == {"a": BatchState.LOADED}
    assert [event["state"] for event in history(intake.lake, str(QUARTER), batch.batch_id)] == ["withdrawn", "loaded"]
    again = intake.load(Feed.CURRENT_RECIPIENTS, tmp_path / "a.csv", QUARTER, DECLARED)
    assert again.state is BatchState.DUPLICATE


def test_a_file_that_supersedes_another_takes_its_place_until_it_is_withdrawn(intake: Intake, tmp_path: Path) -> None:
    first = load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[0])], "first")
    kept = load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[2])], "kept")
    second = load(
        intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[1])], "second", supersedes=(first.batch_id,)
    )
    assert states(intake) == {
        "first": BatchState.SUPERSEDED, "kept": BatchState.LOADED, "second": BatchState.LOADED,
    }  # fmt: skip
    assert read_by_a_new_run(intake) == {"kept", "second"}
    repeated = intake.load(Feed.CURRENT_RECIPIENTS, tmp_path / "first.csv", QUARTER, DECLARED)
    assert repeated.state is BatchState.DUPLICATE
    assert "has been superseded since" in str(repeated.reason)
    withdraw(intake.lake, second, "worse than the first", date(2026, 1, 9))
    assert read_by_a_new_run(intake) == {"first", "kept"}
    assert kept.state is BatchState.LOADED


def test_what_a_superseded_file_superseded_does_not_come_back(intake: Intake, tmp_path: Path) -> None:
    first = load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[0])], "first")
    second = load(
        intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[1])], "second", supersedes=(first.batch_id,)
    )
    load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[2])], "third", supersedes=(second.batch_id,))
    assert read_by_a_new_run(intake) == {"third"}


def test_a_file_that_supersedes_what_is_not_there_is_refused(intake: Intake, tmp_path: Path) -> None:
    other = load(intake, tmp_path, Feed.AGENTS, [{"agent_id": "A1", "kind": "tksk", "regency_code": "35.10"}], "agents")
    for unknown in ("0123456789abcdef", other.batch_id):
        said = DECLARED.model_copy(update={"supersedes": (unknown,)})
        file = csv(tmp_path, [recipient(CARDS[0])], "a")
        loaded = intake.load(Feed.CURRENT_RECIPIENTS, file, QUARTER, said)
        assert loaded.state is BatchState.REFUSED
        assert f"supersede batch {unknown}, which is none of current_recipients in 2026Q1" in str(loaded.reason)


def test_withdrawing_leaves_the_facts_as_though_the_file_had_never_come(intake: Intake, tmp_path: Path) -> None:
    load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[0])], "kept")
    facts = facts_hash(intake.lake, TABLES, QUARTER)
    other = load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[1])], "other")
    assert facts_hash(intake.lake, TABLES, QUARTER) != facts
    withdraw(intake.lake, other, "wrong", date(2026, 1, 9))
    assert facts_hash(intake.lake, TABLES, QUARTER) == facts


def test_a_later_declaration_of_the_same_rows_is_another_fact_whichever_comes_first(tmp_path: Path) -> None:
    days = (date(2026, 1, 2), date(2026, 2, 2))
    found = []
    for order in (days, days[::-1]):
        folder = tmp_path / str(order[0])
        folder.mkdir()
        intake = Intake(Lake(folder / "lake"), TABLES, 0.1, SENDERS)
        for day in order:
            load(intake, folder, Feed.CURRENT_RECIPIENTS, [recipient(CARDS[0])], f"of-{day}", issued_on=day)
        found.append(facts_hash(intake.lake, TABLES, QUARTER))
    assert found[0] == found[1]


# Rows that wait


def test_rows_of_unknown_families_are_parked_and_no_error(intake: Intake, tmp_path: Path) -> None:
    load(intake, tmp_path, Feed.REGISTRATIONS, [registration(card) for card in CARDS[:3]], "r")
    batch = load(intake, tmp_path, Feed.SURVEYS, [survey(card) for card in CARDS[:10]], "s")
    assert (batch.read, batch.accepted, batch.rejected, batch.parked) == (10, 3, 0, 7)
    assert batch.stored == 10


def test_parked_rows_are_taken_up_when_the_other_feed_comes(intake: Intake, tmp_path: Path) -> None:
    batch = load(intake, tmp_path, Feed.SURVEYS, [survey(card) for card in CARDS[:4]], "s")
    assert batch.parked == 4
    load(intake, tmp_path, Feed.REGISTRATIONS, [registration(card) for card in CARDS[:3]], "r")
    (waiting,) = still_parked(intake.lake, TABLES, QUARTER, CUT_OFF)
    assert (waiting.feed, waiting.batch_id, waiting.rows) == (Feed.SURVEYS, batch.batch_id, 1)
    load(intake, tmp_path, Feed.REGISTRATIONS, [registration(CARDS[3])], "late")
    assert still_parked(intake.lake, TABLES, QUARTER, CUT_OFF) == ()


def test_a_family_registered_after_the_cut_off_is_not_known_at_it(intake: Intake, tmp_path: Path) -> None:
    later = date(2026, 3, 12)
    load(
        intake,
        tmp_path,
        Feed.REGISTRATIONS,
        [registration(CARDS[0], registered_date="2026-03-11")],
        "r",
        issued_on=later,
    )
    load(intake, tmp_path, Feed.SURVEYS, [survey(CARDS[0])], "s")
    assert [one.rows for one in still_parked(intake.lake, TABLES, QUARTER, date(2026, 3, 10))] == [1]
    assert still_parked(intake.lake, TABLES, QUARTER, date(2026, 3, 11)) == ()


def test_evidence_waits_until_its_person_is_a_member_of_a_registered_family(intake: Intake, tmp_path: Path) -> None:
    assert load(intake, tmp_path, Feed.EVIDENCE, [fact()], "e1").parked == 1
    assert load(intake, tmp_path, Feed.MEMBERS, [member(CARDS[0])], "m").parked == 1
    load(intake, tmp_path, Feed.REGISTRATIONS, [registration(CARDS[0])], "r")
    assert load(intake, tmp_path, Feed.EVIDENCE, [fact() | {"value": "450"}], "e2").parked == 0
    assert still_parked(intake.lake, TABLES, QUARTER, CUT_OFF) == ()


def test_rows_are_parked_again_when_the_registration_is_withdrawn(intake: Intake, tmp_path: Path) -> None:
    registered = load(intake, tmp_path, Feed.REGISTRATIONS, [registration(CARDS[0])], "r")
    load(intake, tmp_path, Feed.SURVEYS, [survey(CARDS[0])], "s")
    assert still_parked(intake.lake, TABLES, QUARTER, CUT_OFF) == ()
    withdraw(intake.lake, registered, "without consent", date(2026, 1, 9))
    assert [one.rows for one in still_parked(intake.lake, TABLES, QUARTER, CUT_OFF)] == [1]


def test_equal_rows_of_an_unknown_family_are_each_counted_as_parked(intake: Intake, tmp_path: Path) -> None:
    batch = load(intake, tmp_path, Feed.SURVEYS, [survey(CARDS[0])] * 3, "s")
    assert (batch.read, batch.parked, batch.stored) == (3, 3, 1)


def test_rows_with_one_key_and_different_content_are_all_accepted(intake: Intake, tmp_path: Path) -> None:
    rows = [recipient(CARDS[0]), recipient(CARDS[0], regency_code="35.09"), recipient(CARDS[0])]
    batch = load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, rows)
    table = accepted_table(intake.lake, Feed.CURRENT_RECIPIENTS, str(QUARTER), [batch])
    kept = table.read(TABLES["intake/current_recipients"])
    assert sorted(kept["regency_code"]) == ["35.09", "35.10"]
    assert (batch.accepted, batch.stored) == (3, 2)


# The command line


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    Home(path).init(is_trial=True)
    return path


def test_load_prints_one_object_of_eleven_keys_for_every_file(home: Path, tmp_path: Path) -> None:
    good = csv(tmp_path, [recipient(card) for card in CARDS], "good")
    some = csv(tmp_path, [*(recipient(card) for card in CARDS[1:]), recipient("12")], "some")
    bad = csv(tmp_path, [recipient("12"), recipient(CARDS[0])], "bad")
    said = perlinsos(home, "load", "current_recipients", good, some, bad, good, *AS_MINISTRY, "--json")
    told = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 4
    assert all(tuple(one) == LOAD_KEYS for one in told)
    assert [one["state"] for one in told] == ["loaded", "loaded", "refused", "duplicate"]
    assert [(one["read"], one["accepted"], one["rejected"], one["parked"]) for one in told] == [
        (20, 20, 0, 0), (20, 19, 1, 0), (2, 0, 2, 0), (20, 20, 0, 0),
    ]  # fmt: skip
    assert told[0]["batch"] == told[3]["batch"]
    assert told[2]["batch"] is None
    assert "1 of 2 rows are wrong" in told[2]["reason"]
    for one, has_report in zip(told, (False, True, True, False), strict=True):
        assert (one["report"] is not None) is has_report
        assert not has_report or Path(one["report"]).suffix == ".xlsx"
        assert not has_report or Path(one["report"]).exists()


def test_set_aside_rows_give_three_when_strict(home: Path, tmp_path: Path) -> None:
    some = csv(tmp_path, [*(recipient(card) for card in CARDS[1:]), recipient("12")], "some")
    assert perlinsos(home, "load", "current_recipients", some, *AS_MINISTRY, "--strict").code == 3


@pytest.mark.parametrize(
    ("lang", "loaded", "duplicate"),
    [
        ("en", "20 rows read, 19 accepted, 1 rejected, 0 parked", "The same content is loaded already"),
        ("id", "20 baris dibaca, 19 diterima, 1 ditolak, 0 menunggu", "Isi yang sama sudah dimuat"),
    ],
)
def test_what_is_told_is_in_the_language_asked_for(
    home: Path, tmp_path: Path, lang: str, loaded: str, duplicate: str
) -> None:
    some = csv(tmp_path, [*(recipient(card) for card in CARDS[1:]), recipient("12")], "some")
    said = perlinsos(home, "load", "current_recipients", some, *AS_MINISTRY, lang=lang)
    assert loaded in said.out
    assert "1 x family_card_number" in said.out
    assert said.err == ""
    repeated = perlinsos(home, "load", "current_recipients", some, *AS_MINISTRY, "--json", lang=lang)
    assert repeated.json["reason"].startswith(duplicate)


def test_batches_are_listed_superseded_and_withdrawn_from_the_command_line(home: Path, tmp_path: Path) -> None:
    quarter = (*AS_MINISTRY, "--json")
    first = perlinsos(home, "load", "current_recipients", csv(tmp_path, [recipient(CARDS[0])], "a"), *quarter).json
    second = perlinsos(
        home, "load", "current_recipients", csv(tmp_path, [recipient(CARDS[1])], "b"), "--supersedes",
        first["batch"][:8], *quarter,
    ).json  # fmt: skip
    listed = {one["batch"]: one for one in perlinsos(home, "batches", "list", QUARTER, "--json").json}
    assert {batch: one["state"] for batch, one in listed.items()} == {
        first["batch"]: "superseded", second["batch"]: "loaded",
    }  # fmt: skip
    assert listed[second["batch"]]["supersedes"] == [first["batch"]]
    said = perlinsos(home, "batches", "withdraw", second["batch"][:8], "--reason", "of last year", "--json")
    assert (said.code, said.json["state"]) == (0, "withdrawn")
    listed = {one["batch"]: one for one in perlinsos(home, "batches", "list", QUARTER, "--json").json}
    assert listed[first["batch"]]["state"] == "loaded"
    assert [event["why"] for event in listed[second["batch"]]["history"]] == ["of last year"]
    assert "of last year" not in perlinsos(home, "batches", "list").out
    assert perlinsos(home, "batches", "withdraw", second["batch"], "--reason", "x").code == 4
    assert perlinsos(home, "batches", "withdraw", "nothing", "--reason", "x").code == 4
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        states = dict(connection.execute("SELECT batch_id, state FROM intake.batches").fetchall())
        cards = connection.execute("SELECT family_card_number FROM intake.current_recipients").fetchall()
    assert states == {first["batch"]: "loaded", second["batch"]: "withdrawn"}
    assert cards == [(CARDS[0],)]


def test_status_lists_what_is_still_parked_and_its_counts_add_up(home: Path, tmp_path: Path) -> None:
    surveys = csv(tmp_path, [survey(card) for card in CARDS], "s")
    batch = perlinsos(
        home, "load", "surveys", surveys, "--quarter", QUARTER, "--sender", "aplikasi_agen", "--json"
    ).json
    assert batch["parked"] == 20
    told = perlinsos(home, "status", QUARTER, "--json").json["2026Q1"]
    assert told["still_parked"] == [{"feed": "surveys", "batch": batch["batch"], "rows": 20}]
    assert f"still parked at the cut-off: 20 rows of surveys, batch {batch['batch']}" in perlinsos(home, "status").out
    registrations = csv(tmp_path, [registration(card) for card in CARDS[:15]], "r")
    perlinsos(home, "load", "registrations", registrations, "--quarter", QUARTER)
    counts = perlinsos(home, "status", QUARTER, "--json").json["2026Q1"]["feeds"]["surveys"]
    assert counts == {"batches": 1, "read": 20, "accepted": 15, "rejected": 0, "parked": 5}


def test_two_loads_of_one_file_at_once_end_with_one_batch(home: Path, tmp_path: Path) -> None:
    file = csv(tmp_path, [recipient(card) for card in CARDS], "a")
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", "load", "current_recipients",
               str(file), *map(str, AS_MINISTRY), "--json"]  # fmt: skip
    environment = {**os.environ, "PERLINSOS_HOME": str(home), "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ended = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0], ended
    assert sorted(json.loads(out)["state"] for out, _ in ended) == ["duplicate", "loaded"]
    assert len(batches(Lake(home / "lake"), str(QUARTER))) == 1


# The landing zone in Dagster


@pytest.mark.filterwarnings("ignore:Parameter `owners`")  # What Dagster says of itself.
def test_the_sensor_loads_what_lies_still_in_the_landing_zone_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERLINSOS_HOME", str(home))
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    from pipelines.definitions import defs, landing_zone, load_drops  # noqa: PLC0415 - reads the environment just set

    folder = home / "landing" / str(QUARTER) / Feed.CURRENT_RECIPIENTS
    folder.mkdir(parents=True)
    csv(folder, [*(recipient(card) for card in CARDS[1:]), recipient("12", programme="KIP")], "some")
    csv(folder, [{"wrong": "1"}], "bad")
    for name in ("some", "bad"):
        (folder / f"{name}.csv.yaml").write_text("sender: kemensos\n")

    def requested() -> list[Any]:
        with dg.build_sensor_context(repository_def=defs.get_repository_def()) as context:
            return list(landing_zone.evaluate_tick(context).run_requests or ())

    assert requested() == []
    for file in folder.iterdir():
        os.utime(file, (1, 1))
    (request,) = requested()
    assert (request.partition_key, request.job_name or load_drops.name) == ("2026Q1", "load_drops")
    assert [one.run_key for one in requested()] == [request.run_key]
    resources = {"house": dg.ResourceDefinition.hardcoded_resource(Home(home).house)}
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    result = load_drops.execute_in_process(resources=resources, partition_key="2026Q1", run_config=quiet)
    (seen,) = (
        event.asset_observation_data.asset_observation
        for event in result.all_events
        if event.event_type_value == "ASSET_OBSERVATION"
    )
    shown = {name: one.value for name, one in seen.metadata.items()}
    counts = {name: shown[name] for name in ("batches", "read", "accepted", "rejected", "parked", "refused")}
    assert counts == {"batches": 1, "read": 20, "accepted": 19, "rejected": 1, "parked": 0, "refused": 1}
    table = seen.metadata["reasons"]
    assert isinstance(table, dg.TableMetadataValue)
    records = [(one.data["column"], one.data["reason"], one.data["rows"]) for one in table.records]
    assert records == [("family_card_number", "identifier_length", 1), ("programme", "not_a_code", 1)]
    assert "bad.csv" in str(shown["refusals"])
    assert {file.name for file in folder.iterdir()} == {"bad.csv", "bad.csv.yaml"}
    os.utime(folder / "bad.csv", (1, 1))
    after = requested()
    assert len(after) == 1
    assert after[0].run_key != request.run_key


def test_rejected_rows_and_reasons_are_kept_whole_beside_the_workbook(intake: Intake, tmp_path: Path) -> None:
    file = csv(tmp_path, [*(recipient(card) for card in CARDS[1:]), recipient("12", programme="KIP")], "some")
    loaded = intake.load(Feed.CURRENT_RECIPIENTS, file, QUARTER, DECLARED)
    assert loaded.report is not None
    rows = pl.read_parquet(loaded.report.with_name("rows.parquet"))
    reasons = pl.read_parquet(loaded.report.with_name("reasons.parquet"))
    assert rows["row_number"].to_list() == [21]
    assert reasons.select("row_number", "column", "reason", "found").rows() == [
        (21, "family_card_number", "identifier_length", "12"),
        (21, "programme", "not_a_code", "KIP"),
    ]


# Numbers that a spreadsheet kept as numbers


def cards(count: int, last: str) -> list[str]:
    return [f"351009120319{number:03}{last}" for number in range(1, count + 1)]


def test_a_file_whose_numbers_all_lost_their_last_digit_is_refused_with_that_sentence(
    intake: Intake, tmp_path: Path
) -> None:
    file = csv(tmp_path, [recipient(card) for card in cards(12, "0")], "cut")
    refused = intake.load(Feed.CURRENT_RECIPIENTS, file, QUARTER, DECLARED)
    assert refused.state is BatchState.REFUSED
    assert "family_card_number of cut.csv" in str(refused.reason)
    assert "sixteenth digit" in str(refused.reason)
    assert states(intake) == {}


def test_a_few_numbers_that_end_in_nought_or_one_family_that_does_are_no_fault(intake: Intake, tmp_path: Path) -> None:
    some = [recipient(card) for card in [*cards(12, "0"), *cards(1, "7")]]
    assert load(intake, tmp_path, Feed.CURRENT_RECIPIENTS, some).accepted == len(some)
    family = [member(cards(1, "0")[0], f"35100915058{number:04}7") for number in range(12)]
    assert load(intake, tmp_path, Feed.MEMBERS, family, "family").rejected == 0


# What an earlier version of the program loaded


def earlier(intake: Intake, feed: Feed, *gained: str) -> Intake:
    """Intake as it was before a feed gained columns."""
    contract = intake.contracts[f"intake/{feed}"]
    schema = contract.schema.remove_columns(list(gained))
    then = replace(contract, schema=schema, order=tuple(name for name in contract.order if name not in gained))
    return replace(intake, contracts={**intake.contracts, contract.key: then})


def test_a_column_that_may_be_empty_and_was_gained_since_is_null_in_the_rows_loaded_before(
    intake: Intake, tmp_path: Path
) -> None:
    before = load(earlier(intake, Feed.SURVEYS, "agent_id"), tmp_path, Feed.SURVEYS, [survey(CARDS[0], agent_id="A1")])
    assert "agent_id" in before.unknown_columns
    load(intake, tmp_path, Feed.SURVEYS, [survey(CARDS[1], agent_id="A2")], "b")
    contract = TABLES["intake/surveys"]
    table = Pins.of(intake.lake, QUARTER, None).tables(intake.lake)[Feed.SURVEYS]
    rows = table.scan(contract).select("family_card_number", "agent_id").collect().sort("family_card_number").rows()
    assert rows == [(CARDS[0], None), (CARDS[1], "A2")]
    for shard in table.shards:
        assert table.read(contract, shard).schema == pl.Schema(contract.dtypes)


def test_a_column_that_a_feed_has_lost_since_is_not_read(intake: Intake, tmp_path: Path) -> None:
    load(intake, tmp_path, Feed.SURVEYS, [survey(CARDS[0], agent_id="A1")])
    later = earlier(intake, Feed.SURVEYS, "agent_id")
    load(later, tmp_path, Feed.SURVEYS, [survey(CARDS[1])], "b")
    contract = later.contracts["intake/surveys"]
    rows = Pins.of(intake.lake, QUARTER, None).tables(intake.lake)[Feed.SURVEYS].read(contract)
    assert (rows.height, rows.schema) == (2, pl.Schema(contract.dtypes))


def test_a_needed_column_gained_since_is_refused_by_batch_until_the_file_is_loaded_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    perlinsos(home, "init", "--trial")
    rows = [{"area_code": code, "vintage": "2025-03", "poor_count": "7"} for code in regencies()["code"]]
    file = csv(tmp_path, rows, "poor")
    then = earlier(Intake(Lake(home / "lake"), TABLES, 0.1, SENDERS), Feed.POVERTY_STATISTICS, "vintage")
    batch = then.load(Feed.POVERTY_STATISTICS, file, QUARTER).batch
    assert batch is not None
    refused = perlinsos(home, "quotas", "show", "2026Q1", lang="id")
    assert (refused.code, len(refused.err.strip().splitlines())) == (4, 1)
    assert f"Kiriman {batch.batch_id} (poverty_statistics, 2026Q1)" in refused.err
    assert "tidak memuat kolom vintage" in refused.err
    assert perlinsos(home, "batches", "withdraw", batch.batch_id, "--reason", "earlier version").code == 0
    assert perlinsos(home, "load", "poverty_statistics", file, "--quarter", "2026Q1", "--sender", "bps").code == 0
    shown = perlinsos(home, "quotas", "show", "2026Q1", "--json")
    assert shown.code == 0, shown.err
    assert {row["weight"] for row in shown.json} == {7}


def test_a_table_of_an_earlier_version_is_told_by_its_quarter_and_no_more_is_asked_than_what_is_read(
    intake: Intake,
) -> None:
    contract = TABLES["decision/cut_points"]
    older = replace(contract, schema=contract.schema.remove_columns(["decile"]), order=("frame",))
    table = intake.lake.write_whole(older, "2026Q1", pl.DataFrame({"frame": ["a"], "highest_score_micro": [1]}))
    with pytest.raises(Refused, match=r"decision/cut_points of 2026Q1 .* column decile .* Run 2026Q1 again"):
        table.read(contract)
    assert table.read(contract, columns=["frame"]).height == 1
    assert table.scan(contract, ["frame"]).collect().height == 1
