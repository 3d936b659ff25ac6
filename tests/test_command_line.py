"""The command line: what each command prints, its exit codes, and that a user's mistake is one sentence."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import openpyxl
import polars as pl
import pytest
import yaml

from assets.intake.declaration import note_of
from pipelines import console
from quotas.calendar import calendar_of
from quotas.rulebook import rulebook
from schemas.feeds import feeds
from schemas.quarter import Quarter
from schemas.questionnaire import default_questionnaire
from schemas.tables import TABLES
from schemas.vocabularies import Feed, Outcome, Status
from tests.homes import (
    COMMAND,
    FIRST,
    LOAD_KEYS,
    SECOND,
    Demo,
    Persons,
    Said,
    contents,
    decisions,
    environment,
    perlinsos,
    perlinsos_process,
    pointer,
    revision,
)
from tests.made_households import SPEC, households
from tests.made_senders import sender_of

DELIVERED = {
    Feed.REGISTRATIONS, Feed.MEMBERS, Feed.SURVEYS, Feed.AGENTS, Feed.EVIDENCE, Feed.VALIDATIONS,
    Feed.CURRENT_RECIPIENTS, Feed.CONSUMPTION_SURVEY, Feed.POVERTY_STATISTICS, Feed.DTSEN_FAMILIES, Feed.DTSEN_PERSONS,
    Feed.POPULATION_REGISTER, Feed.IDENTITY_CHECKS, Feed.AGENT_FAMILIES,
}  # fmt: skip
"""Feeds the invented country delivers."""
MEMBERS = "family_card_number,nik,name,birth_date,sex,relation,stated_date"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home."""
    path = tmp_path / "home"
    assert perlinsos(path, "init", "--trial").code == 0
    return path


def delivered(home: Path, column: str) -> Path:
    """A loaded file of Banyuwangi that has a column."""
    files = sorted(home.glob("landing/done/*/*35.10.csv"))
    return max(
        (one for one in files if column in one.read_text().splitlines()[0].split(",")),
        key=lambda one: one.stat().st_size,
    )


def one_sentence(said: Said, code: int, *words: str) -> None:
    assert said.code == code, said.out + said.err
    assert "Traceback" not in said.err
    assert len(said.err.strip().splitlines()) == 1
    for word in words:
        assert word in said.err


# Help and usage


def test_help_answers_within_a_second_and_without_dagster(tmp_path: Path) -> None:
    fastest = 60.0
    for _ in range(3):
        began = time.monotonic()
        assert perlinsos_process(tmp_path / "home", "--help").code == 0
        fastest = min(fastest, time.monotonic() - began)
        if fastest < 1:
            break
    assert fastest < 1
    code = (
        "import sys; sys.argv = ['perlinsos', '--help']\n"
        "from pipelines.cli import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "heavy = {'dagster', 'polars', 'duckdb', 'sklearn', 'pandera'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    said = subprocess.run([sys.executable, "-c", code], env=environment(tmp_path), check=False, capture_output=True)
    assert said.returncode == 0, said.stderr.decode()
    assert not (tmp_path / "home").exists()


def test_help_names_every_command(tmp_path: Path) -> None:
    said = perlinsos(tmp_path / "home", "--help").out
    commands = (
        *("demo", "init", "world", "template", "load", "run", "status", "approve", "publish", "explain", "dictionary"),
        *("warehouse", "model", "quotas"),
    )
    for command in commands:
        assert f" {command} " in said
        assert perlinsos(tmp_path / "home", command, "--help").code == 0
    models = perlinsos(tmp_path / "home", "model", "--help").out
    assert all(f" {command} " in models for command in ("fit", "evaluate", "score", "show", "adopt"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("run",),
        ("run", "2026Q5"),
        ("run", "first quarter"),
        ("load", "recipes", "x.csv"),
        ("load", "members", "/no/such/file.csv"),
        ("publish", FIRST, "--loudly"),
        ("explain", FIRST),
        ("explain", FIRST, "--reference", "K3QF-9XW2-7M0A-4T1B", "--family"),
        ("world", "--families", "3", "--out", "unused"),
        ("world", "--families", "400", "--scope", "atlantis", "--out", "unused"),
        ("world", "--families", "400", "--quarters", "2026Q2,2026Q1", "--out", "unused"),
        ("template", "recipes"),
    ],
    ids=" ".join,
)
def test_wrong_usage_gives_2(home: Path, arguments: tuple[str, ...]) -> None:
    before = contents(home)
    said = perlinsos(home, *arguments)
    assert said.code == 2
    assert said.err
    assert "Traceback" not in said.err
    assert contents(home) == before


def test_a_personal_number_is_refused_as_an_argument_and_not_repeated(demo: Demo) -> None:
    number = "3510090101900001"
    for arguments in (
        ("explain", FIRST, "--reference", number),
        ("explain", FIRST, f"--reference={number}"),
        ("explain", FIRST, "--family", number),
        ("explain", number, "--family"),
        ("status", number),
    ):
        said = perlinsos(demo.home, *arguments)
        one_sentence(said, 2, "standard input")
        assert number not in said.out + said.err


def test_without_a_home_commands_are_refused_and_name_init(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for arguments in (("status",), ("run", FIRST), ("publish", FIRST), ("warehouse",), ("quotas", "show", FIRST)):
        one_sentence(perlinsos(home, *arguments), 4, "perlinsos init")
    assert not home.exists()


def test_init_lays_out_a_private_home_and_keeps_its_key(home: Path) -> None:
    assert home.stat().st_mode & 0o777 == 0o700
    key = home / "keys" / "pseudonym.key"
    assert key.stat().st_mode & 0o777 == 0o600
    secret = key.read_bytes()
    assert len(secret) == 32
    assert {"landing", "lake", "drafts", "published", "restricted", "keys", "models", "dagster"} <= {
        path.name for path in home.iterdir()
    }
    assert (home / "dagster" / "dagster.yaml").exists()
    said = perlinsos(home, "init", "--trial")
    assert (said.code, "was a home already" in said.out) == (0, True)
    assert key.read_bytes() == secret


def test_two_homes_have_two_keys(home: Path, tmp_path: Path) -> None:
    assert perlinsos(tmp_path / "other", "init").code == 0
    keys = [(one / "keys" / "pseudonym.key").read_bytes() for one in (home, tmp_path / "other")]
    assert keys[0] != keys[1]


# Templates and loading


@pytest.mark.parametrize("feed", list(Feed))
def test_a_template_of_every_feed_in_both_formats_has_the_feeds_columns(home: Path, tmp_path: Path, feed: Feed) -> None:
    columns = [
        name
        for name in feeds(default_questionnaire())[feed].columns
        if name not in {"batch_id", "row_number", "nik_bucket"}
    ]
    for form in ("csv", "xlsx"):
        path = tmp_path / f"{feed}.{form}"
        said = perlinsos(home, "template", feed, "--format", form, "--out", path)
        assert (said.code, said.out.strip()) == (0, str(path))
        if form == "csv":
            assert path.read_text() == ",".join(columns) + "\n"
        else:
            book = openpyxl.load_workbook(path)
            assert [cell.value for cell in book["data"][1]] == columns
            described = {row[0].value: row[2].value for row in book["columns"].iter_rows(min_row=2)}
            assert list(described) == columns
            assert all(described.values())


def test_a_template_is_the_same_bytes_each_time(home: Path, tmp_path: Path) -> None:
    made = []
    for name in ("a.xlsx", "b.xlsx"):
        assert perlinsos(home, "template", "members", "--out", tmp_path / name).code == 0
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]


def load(home: Path, feed: str, file: Path, *more: str) -> Said:
    sender = () if note_of(file).exists() else ("--sender", sender_of(feed))
    return perlinsos(home, "load", feed, file, "--quarter", FIRST, *sender, *more)


def test_loading_tells_what_became_of_every_row(home: Path, demo: Demo) -> None:
    said = load(home, "members", delivered(demo.home, "stated_date"), "--json")
    assert said.code == 0, said.err
    told = said.json
    assert told.keys() == {*LOAD_KEYS}
    assert (told["feed"], told["state"], told["reason"]) == ("members", "loaded", None)
    assert told["read"] == told["accepted"] + told["rejected"] + told["parked"]
    assert told["rejected"] > 0
    reasons = openpyxl.load_workbook(told["report"])["reasons"]
    rows = {row[0].value for row in reasons.iter_rows(min_row=2)}
    assert len(rows) == told["rejected"]


def test_the_same_content_twice_changes_nothing(home: Path, demo: Demo) -> None:
    file = delivered(demo.home, "stated_date")
    first = load(home, "members", file, "--json").json
    lake = contents(home / "lake")
    again = load(home, "members", file, "--json")
    assert again.code == 0
    assert again.json.keys() == {*LOAD_KEYS}
    assert (again.json["state"], again.json["batch"]) == ("duplicate", first["batch"])
    assert contents(home / "lake") == lake


def test_strict_loading_of_a_file_with_wrong_rows_gives_3(home: Path, demo: Demo) -> None:
    file = delivered(demo.home, "stated_date")
    said = load(home, "members", file, "--strict")
    assert said.code == 3
    assert "rejected rows: " in said.out
    assert load(home, "agents", delivered(demo.home, "kind"), "--strict").code == 0


def test_a_refused_file_gives_4_and_leaves_the_lake_as_it_was(home: Path, tmp_path: Path) -> None:
    before = contents(home / "lake")
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("colour,taste\nred,sweet\n")
    said = load(home, "members", wrong)
    one_sentence(said, 4, "wrong.csv", "lacks the column")
    told = load(home, "members", wrong, "--json")
    assert told.code == 4
    assert told.json.keys() == {*LOAD_KEYS}
    assert (told.json["state"], told.json["batch"], told.json["read"]) == ("refused", None, 0)
    assert "lacks the column" in told.json["reason"]
    assert contents(home / "lake") == before


def test_a_broken_note_is_one_object_and_one_sentence_in_either_language(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "agents.csv"
    file.write_text("agent_id,kind,regency_code\nA1,tksk,35.10\n")
    first = load(home, "agents", file, "--json").json["batch"]
    file.with_name("agents.csv.yaml").write_text("issued_on: kemarin\nsender: kemensos\n")
    arguments = ("load", "agents", file, "--quarter", FIRST, "--supersedes", first, "--json")
    told = {"en": "the value of issued_on cannot be used", "id": "nilai issued_on tidak dapat dipakai"}
    for lang, sentence in told.items():
        said = perlinsos(home, *arguments, lang=lang)
        assert (said.code, said.json.keys(), said.json["state"]) == (4, {*LOAD_KEYS}, "refused")
        assert sentence in said.json["reason"]
        assert said.err == ""


def test_of_several_files_the_good_ones_are_loaded_and_the_exit_code_tells_of_the_bad_one(
    home: Path, demo: Demo, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("")
    agents = delivered(demo.home, "kind")
    said = perlinsos(home, "load", "agents", wrong, agents, "--quarter", FIRST, "--sender", "kemensos", "--json")
    assert said.code == 4
    assert [json.loads(line)["state"] for line in said.out.splitlines()] == ["refused", "loaded"]


# Runs


def test_a_run_without_files_or_scorecard_is_refused(home: Path) -> None:
    one_sentence(perlinsos(home, "run", FIRST), 4, "no published revision to build on", "--first")
    said = perlinsos(home, "run", FIRST, "--first")
    assert said.code == 4
    assert "Traceback" not in said.err
    assert not list((home / "drafts").rglob("*.json"))


@pytest.mark.parametrize("command", ["run", "publish", "explain", "quotas show"])
def test_a_quarter_the_calendar_does_not_hold_is_refused(demo: Demo, command: str) -> None:
    more = ("--reference", "K3QF-9XW2-7M0A-4T1B") if command == "explain" else ()
    said = perlinsos(demo.home, *command.split(), "2099Q4", *more)
    one_sentence(said, 4, "2099Q4")


def test_publishing_a_quarter_without_a_draft_is_refused(demo: Demo) -> None:
    one_sentence(perlinsos(demo.home, "publish", "2026Q3"), 4, "2026Q3 has no draft", "perlinsos run 2026Q3")


def test_a_run_tells_stages_counts_and_draft_as_json(demo_copy: Path) -> None:
    litter = demo_copy / "landing" / FIRST / "members" / "~$members.xlsx"
    litter.parent.mkdir(parents=True, exist_ok=True)
    litter.write_bytes(b"x")
    said = perlinsos(demo_copy, "run", FIRST, "--first", "--json")
    assert said.code == 0, said.err
    told = said.json
    assert told["ignored"] == ["members/~$members.xlsx"]
    assert told["draft"] == pointer(demo_copy)[FIRST]["draft"]
    assert told["scaled"] is True
    stages = [stage["stage"] for stage in told["stages"]]
    in_order = ["intake", "welfare__scorecard", "registry", "judge", "decide", "decision__draft"]
    assert [stage for stage in stages if stage != "welfare__residuals"] == in_order
    assert stages.index("welfare__scorecard") < stages.index("welfare__residuals") < stages.index("decide")
    assert told["counts"].keys() == {"PKH", "BPNT"}
    decided = decisions(demo_copy, FIRST)
    for programme, counts in told["counts"].items():
        of_programme = decided.filter(pl.col("programme") == programme)
        assert counts["evaluated"] == of_programme.height
        assert counts["recipients"] == of_programme.filter(pl.col("status") == Status.RECIPIENT).height
    assert told["peak_mib"] > 0


# Looking


def test_status_tells_feeds_drafts_approvals_and_revisions(demo: Demo) -> None:
    told = perlinsos(demo.home, "status", "--json").json
    assert list(told) == [FIRST, SECOND]
    for quarter, one in told.items():
        assert one["published"] == pointer(demo.home)[quarter]
        (draft,) = one["drafts"]
        assert draft["draft"] == one["published"]["draft"]
        assert sorted(draft["approvals"]) == ["approver", "preparer"]
    text = perlinsos(demo.home, "status", FIRST)
    assert text.code == 0
    assert "published: revision 1" in text.out
    assert "approved by preparer, approver" in text.out
    assert SECOND not in text.out


def test_status_of_an_empty_home_says_so(home: Path) -> None:
    said = perlinsos(home, "status").out.splitlines()
    assert said == ["Deliveries are taken unsigned: keys/senders holds no sender's key.", "nothing was loaded yet"]
    assert perlinsos(home, "status", "--json").json == {}


def test_quotas_show_gives_every_regency_with_its_arithmetic(demo: Demo) -> None:
    rows = perlinsos(demo.home, "quotas", "show", FIRST, "--json").json
    assert len(rows) == 2 * 514
    published = pl.read_parquet(revision(demo.home, FIRST) / "seats.parquet")
    seats = {(row["regency_code"], row["programme"]): row["seats"] for row in published.to_dicts()}
    assert {(row["regency_code"], row["programme"]): row["seats"] for row in rows} == seats
    for programme in ("PKH", "BPNT"):
        mine = [row for row in rows if row["programme"] == programme]
        assert sum(row["seats"] for row in mine) == sum(count for (_, one), count in seats.items() if one == programme)
    east_java = perlinsos(demo.home, "quotas", "show", FIRST, "--province", "35", "--json").json
    assert {row["regency_code"][:2] for row in east_java} == {"35"}
    assert len(east_java) == 2 * 38
    assert "35.10" in perlinsos(demo.home, "quotas", "show", FIRST, "--province", "35").out


def test_a_table_of_many_columns_keeps_its_numbers_in_a_narrow_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with mock.patch.object(console.out, "_width", 40):
        console.print_grid("narrow", [f"column {n}" for n in range(12)], [[f"35.{n:02}" for n in range(12)]])
    told = capsys.readouterr().out
    assert all(f"35.{n:02}" in told for n in range(12))


def test_the_dictionary_describes_every_table(home: Path, tmp_path: Path) -> None:
    page = perlinsos(home, "dictionary")
    assert page.code == 0
    for key in TABLES:
        assert key in page.out
    file = tmp_path / "dictionary.md"
    assert perlinsos(home, "dictionary", "--out", file).code == 0
    assert file.read_text() == page.out


def test_the_warehouse_opens_in_duckdb_and_counts_as_the_files_do(demo_copy: Path) -> None:
    said = perlinsos(demo_copy, "warehouse")
    assert said.code == 0, said.err
    with duckdb.connect(str(demo_copy / "warehouse.duckdb"), read_only=True) as connection:

        def count(table: str) -> dict[str, int]:
            rows = connection.execute(f"SELECT lake_quarter, count(*) FROM {table} GROUP BY ALL").fetchall()  # noqa: S608
            return dict(rows)

        for quarter in (FIRST, SECOND):
            assert count("decision.decisions")[quarter] == decisions(demo_copy, quarter).height
        accepted = dict(
            connection.execute(
                "SELECT quarter, sum(accepted) FROM intake.batches WHERE feed = 'registrations' GROUP BY ALL"
            ).fetchall()
        )
        assert count("intake.registrations").keys() == accepted.keys()
        assert all(rows <= accepted[quarter] for quarter, rows in count("intake.registrations").items())
        views = {
            f"{schema}/{name}"
            for schema, name in connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables"
            ).fetchall()
        }
    delivered_feeds = {f"intake/{feed}" for feed in DELIVERED}
    made = {key for key in TABLES if not key.startswith(("publication/", "intake/"))}
    assert views == made | delivered_feeds | {"intake/batches"}


# Explaining


def explained(home: Path, reference: str, *more: str, quarter: str = FIRST) -> Said:
    said = perlinsos(home, "explain", quarter, "--reference", reference, *more)
    assert said.code == 0, said.err
    return said


@pytest.mark.parametrize("status", list(Status))
def test_explain_tells_everything_that_decided_a_family_of_each_status(demo: Demo, status: Status) -> None:
    decided = decisions(demo.home, FIRST)
    mine = decided.filter(pl.col("status") == status)
    # One with a cut-off to tell of, where the status has any.
    row = mine.sort(pl.col("cutoff_distance_micro").is_null(), "reference", "programme").row(0, named=True)
    told = explained(demo.home, row["reference"], "--format", "json").json
    assert told["audience"] == "analyst"
    for name in ("reference", "masked_name", "model_hash", "policy_hash", "input_hash"):
        assert told[name] == row[name]

    checks = told["checks"]
    filters = pl.read_parquet(revision(demo.home, FIRST, restricted=True) / "filters.parquet")
    mine = filters.filter(pl.col("family_id") == row["family_id"])
    assert len(checks) == mine.height > 5
    outcomes = {check["code"]: check["outcome"] for check in checks}
    assert outcomes == dict(mine.select("filter", "outcome").iter_rows())
    for check in checks:
        assert check["outcome"] in set(Outcome)
        for words in ("label", "observed_words", "threshold_words", "source"):
            assert check[words]["id"]
            assert check[words]["en"]
        assert check["legal_source"]

    if told["scorable"]:
        assert told["intercept_micro"] + sum(part["points_micro"] for part in told["parts"]) == told["score_micro"]
        assert told["score_micro"] == row["score_micro"]
    else:
        assert told["score_micro"] is None
        assert told["problems"]
    for part in told["parts"]:
        assert part["label"]["id"]
        assert part["answer"]["id"]

    one = next(one for one in told["decisions"] if one["programme"] == row["programme"])
    assert one["status"] == status
    assert one["seats"] == row["seats"]
    assert one["places"]["seats"] == row["seats"]
    assert one["next_step"]["id"]
    assert one["next_step"]["en"]
    assert told["objection"]["id"]
    if status in {Status.RECIPIENT, Status.WAITING}:
        assert one["rank"] == row["rank"]
        # Families that keep a place take it from the last in order.
        kept = decided.filter(pl.col("is_kept"), regency_code=row["regency_code"], programme=row["programme"]).height
        assert one["rank"] <= one["seats"] if status is Status.RECIPIENT else one["rank"] + kept > one["seats"]
        assert one["cutoff_side"] in {"below", "same", "above"}
        assert one["cutoff_distance_micro"] is not None
        assert (one["queue_position"] is not None) == (status is Status.WAITING)
    else:
        assert one["rank"] is None
        assert one["reasons"]
    if status is Status.HELD:
        assert (told["case_id"] is not None) == ("identity_case" in row["reasons"])


@pytest.mark.parametrize("status", list(Status))
def test_a_family_sees_neither_points_nor_score(demo: Demo, status: Status) -> None:
    decided = decisions(demo.home, FIRST)
    row = decided.filter(pl.col("status") == status).sort("reference", "programme").row(0, named=True)
    family = ("--audience", "family")
    told = explained(demo.home, row["reference"], *family, "--format", "json").json
    analyst = explained(demo.home, row["reference"], "--format", "json").json

    def points(content: Any) -> list[Any]:  # noqa: ANN401 - JSON may be anything
        if isinstance(content, dict):
            own = [value for key, value in content.items() if "micro" in key]
            return own + [found for value in content.values() for found in points(value)]
        return [found for one in content for found in points(one)] if isinstance(content, list) else []

    assert told["reference"] is None
    assert set(points(told)) <= {None}
    open_to_all = [
        rule.code
        for rule in rulebook().on(calendar_of(Quarter.parse(FIRST)).decision_date).filters
        if not rule.is_confidential
    ]
    assert [check["code"] for check in told["checks"]] == open_to_all
    assert {check["code"] for check in analyst["checks"]} > {*open_to_all}
    secret = {value for value in points(analyst) if value is not None and abs(value) > 999}
    for lang in ("id", "en"):
        for form in ("text", "html"):
            page = explained(demo.home, row["reference"], *family, "--format", form, "--lang", lang).out
            assert row["reference"] not in page
            assert row["list_reference"] in page
            # Numbers as they stand alone; a hash or a reference may hold any digits.
            numbers = set(re.findall(r"(?<![\w-])\d+(?![\w-])", page.replace(".", "").replace(",", "")))
            assert not {str(abs(value)) for value in secret} & numbers


def test_explain_finds_a_family_by_card_or_by_a_members_number_read_from_standard_input(demo: Demo) -> None:
    card, nik = delivered(demo.home, "stated_date").read_text().splitlines()[1].split(",")[:2]
    answers = [
        perlinsos(demo.home, "explain", FIRST, "--family", "--format", "json", stdin=f"{number}\n")
        for number in (card, nik)
    ]
    assert [said.code for said in answers] == [0, 0]
    assert answers[0].json["reference"] == answers[1].json["reference"]
    listed = answers[0].json["decisions"][0]["list_reference"]
    assert explained(demo.home, listed, "--format", "json").json == answers[0].json
    one_sentence(perlinsos(demo.home, "explain", SECOND, "--reference", listed), 4, "of that list's quarter")
    for said in answers:
        assert Persons.of(demo.home).found_in(said.out + said.err) == []


def test_an_unknown_number_or_reference_is_refused_without_repeating_it(demo: Demo) -> None:
    number = "1101010101010001"
    said = perlinsos(demo.home, "explain", FIRST, "--family", stdin=f"{number}\n")
    one_sentence(said, 4, "16 digits")
    assert number not in said.err
    one_sentence(perlinsos(demo.home, "explain", FIRST, "--family", stdin=""), 4)
    one_sentence(perlinsos(demo.home, "explain", FIRST, "--reference", "0000-0000-0000"), 4, "no family")


def test_explain_reads_the_quarter_asked_for_and_a_draft_by_name(demo: Demo) -> None:
    both = set(decisions(demo.home, FIRST)["reference"]) & set(decisions(demo.home, SECOND)["reference"])
    reference = min(both)
    for quarter in (FIRST, SECOND):
        told = explained(demo.home, reference, "--format", "json", quarter=quarter).json
        assert told["quarter"] == quarter
        draft = pointer(demo.home)[quarter]["draft"]
        again = explained(demo.home, reference, "--format", "json", "--draft", draft[:12], quarter=quarter).json
        assert again == told
    wrong = perlinsos(
        demo.home, "explain", FIRST, "--reference", reference, "--draft", pointer(demo.home)[SECOND]["draft"]
    )
    one_sentence(wrong, 4, f"is of {SECOND}, not of {FIRST}")


def test_explain_without_a_published_revision_is_refused(home: Path) -> None:
    one_sentence(perlinsos(home, "explain", FIRST, "--reference", "K3QF-9XW2-7M0A-4T1B"), 4, "no published revision")


def test_the_html_page_of_a_family_stands_alone(demo: Demo) -> None:
    reference = decisions(demo.home, FIRST)["reference"].min()
    assert isinstance(reference, str)
    page = explained(demo.home, reference, "--format", "html", "--audience", "family").out
    assert page.lstrip().lower().startswith("<!doctype html>")
    for outside in ("http://", "https://", "src=", "@import"):
        assert outside not in page


# Models and worlds


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a survey, its specification and the scorecard fitted on it."""
    folder = tmp_path_factory.mktemp("model")
    households(300).write_csv(folder / "survey.csv")
    (folder / "spec.yaml").write_text(yaml.safe_dump(SPEC))
    said = perlinsos(
        folder / "no home", "model", "fit", "--survey", folder / "survey.csv", "--spec", folder / "spec.yaml",
        "--out", folder / "fitted", "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json["rows"] == 300
    assert said.json["model"] == str(folder / "fitted" / "model.json")
    return folder


def test_a_scorecard_is_fitted_shown_and_scores_without_a_home(fitted: Path) -> None:
    model = fitted / "fitted" / "model.json"
    shown = perlinsos(fitted / "no home", "model", "show", "--model", model, "--json")
    assert shown.code == 0, shown.err
    assert {row["feature"] for row in shown.json["points"]} >= set(SPEC["features"])
    assert "points" in perlinsos(fitted / "no home", "model", "show", "--model", model).out
    scores = fitted / "scores.csv"
    said = perlinsos(
        fitted / "no home", "model", "score", "--model", model, "--survey", fitted / "survey.csv", "--out", scores
    )
    assert said.code == 0, said.err
    scored = pl.read_csv(scores, schema_overrides={"id": pl.String})
    assert scored.columns == ["id", "scorable", "score_micro", "expenditure", "reason"]
    assert scored.height == 300
    assert scored["score_micro"].dtype == pl.Int64
    assert scored["scorable"].all()


def test_fitting_writes_the_card_and_a_scorecard_is_evaluated(fitted: Path) -> None:
    html = (fitted / "fitted" / "card.html").read_text(encoding="utf-8")
    assert html.count('class="shape"') == len(SPEC["features"])
    assert "# Kartu model" in (fitted / "fitted" / "card.md").read_text(encoding="utf-8")
    asked = ("--survey", fitted / "survey.csv", "--spec", fitted / "spec.yaml")
    said = perlinsos(fitted / "no home", "model", "evaluate", "--model", fitted / "fitted" / "model.json", *asked)
    assert said.code == 0, said.err
    assert said.json["n"] == 300
    low, high = said.json["intervals"]["exclusion_error"]
    assert low <= said.json["exclusion_error"] <= high


def test_persons_lie_beside_the_specification_and_others_may_be_given_to_score(tmp_path: Path) -> None:
    surveyed = households(60)
    members = {"file": "who/persons.csv", "key": "hhid", "roll_up": {"persons": {"count": "true"}}}
    features = {**{name: SPEC["features"][name] for name in ("floor", "size")}, "persons": {"kind": "number"}}
    for folder in ("spec/who", "survey"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "spec" / "spec.yaml").write_text(yaml.safe_dump({**SPEC, "members": members, "features": features}))
    persons = surveyed.select("hhid")
    pl.concat([persons, persons.head(30)]).write_csv(tmp_path / "spec" / "who" / "persons.csv")
    surveyed.write_csv(tmp_path / "survey" / "survey.csv")
    survey = ("--survey", tmp_path / "survey" / "survey.csv")
    fit = ("model", "fit", *survey, "--spec", tmp_path / "spec" / "spec.yaml", "--out", tmp_path / "out")
    assert perlinsos(tmp_path, *fit).code == 0
    score = ("model", "score", "--model", tmp_path / "out" / "model.json", *survey, "--out", tmp_path / "scores.csv")
    one_sentence(perlinsos(tmp_path, *score), 4, "persons.csv: cannot be read")
    persons.head(50).write_csv(tmp_path / "fewer.csv")
    assert perlinsos(tmp_path, *score, "--members", tmp_path / "fewer.csv").code == 0
    scored = pl.read_csv(tmp_path / "scores.csv")
    assert scored.filter(~pl.col("scorable"))["reason"].to_list() == ["missing:persons"] * 10


def test_an_adopted_scorecard_is_in_force_and_another_of_the_same_day_is_refused(home: Path, fitted: Path) -> None:
    model = fitted / "fitted" / "model.json"
    one_sentence(perlinsos(home, "model", "show"), 4, "no scorecard is in force")
    adopt = ("model", "adopt", "--from", "2026-01-01", "--decree", "3/2026")
    assert perlinsos(home, *adopt, "--model", model).code == 0
    shown = perlinsos(home, "model", "show", "--json").json
    kept = home / "models" / f"{shown['hash']}.validation.json"
    assert kept.read_bytes() == (fitted / "fitted" / "validation.json").read_bytes()
    assert shown["hash"] == json.loads(perlinsos(home, "model", "show", "--model", model, "--json").out)["hash"]
    before = contents(home)
    assert perlinsos(home, *adopt, "--model", model).code == 0
    assert contents(home) == before
    demo_card = fitted / "other.json"
    plain = {**SPEC, "features": {name: SPEC["features"][name] for name in ("floor", "size")}}
    (fitted / "other.yaml").write_text(yaml.safe_dump(plain))
    other = ("--survey", fitted / "survey.csv", "--spec", fitted / "other.yaml", "--out", fitted / "other")
    assert perlinsos(home, "model", "fit", *other).code == 0
    demo_card = fitted / "other" / "model.json"
    one_sentence(perlinsos(home, *adopt, "--model", demo_card), 4, "in force from 2026-01-01 already")
    assert contents(home) == before


def test_a_tampered_scorecard_is_not_taken(home: Path, fitted: Path) -> None:
    plain = json.loads((fitted / "fitted" / "model.json").read_text())
    plain["scorecard"]["intercept"][""] += 1
    (fitted / "tampered.json").write_text(json.dumps(plain))
    said = perlinsos(
        home, "model", "adopt", "--model", fitted / "tampered.json", "--from", "2026-01-01", "--decree", "3"
    )
    one_sentence(said, 1, "Tampered")
    assert not list((home / "models").iterdir())


def test_a_specification_that_does_not_fit_is_refused(fitted: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    wrongs: list[dict[str, Any]] = [{"colour": 1}, {"features": {}}, {"features": {"nowhere": {"kind": "number"}}}]
    for wrong in wrongs:
        spec.write_text(yaml.safe_dump({**SPEC, **wrong}))
        said = perlinsos(
            tmp_path, "model", "fit", "--survey", fitted / "survey.csv", "--spec", spec, "--out", tmp_path / "m"
        )
        assert said.code == 4, said.err
        assert "Traceback" not in said.err
    assert not (tmp_path / "m").exists()


def test_a_world_is_the_same_bytes_for_the_same_seed_and_others_for_another(tmp_path: Path) -> None:
    made = {}
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        out = tmp_path / name
        said = perlinsos(
            tmp_path, "world", "--families", "400", "--seed", seed, "--quarters", FIRST, "--out", out, "--json"
        )
        assert said.code == 0, said.err
        assert said.json[FIRST]["registrations"] > 0
        made[name] = contents(out), contents(tmp_path / f"{name}-truth")
    assert made["a"] == made["b"]
    assert made["a"] != made["c"]
    feeds_there = {Path(path).parts[1] for path in made["a"][0]}
    assert feeds_there == DELIVERED
    assert not any("truth" in path for path in made["a"][0])


def test_the_command_is_installed_under_its_name() -> None:
    said = subprocess.run(
        [*COMMAND, "run", "2026Q9"], capture_output=True, text=True, check=False, env=environment(Path("/nonexistent"))
    )
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("WrongUsage: '2026Q9' is no quarter.")
