"""What of a delivery was not used is told: notes, columns, sheets, units, repeated households, the feed it is of."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from assets.intake.batches import accepted_table, batches
from assets.intake.declaration import declaration_of, note_of
from assets.intake.loading import Intake, Loaded
from assets.lake import Lake
from schemas.errors import FileRefused
from schemas.messages import say
from schemas.quarter import Quarter
from schemas.tables import TABLES
from schemas.vocabularies import BatchState, Feed
from tests.homes import perlinsos
from tests.made_senders import SENDERS

QUARTER = Quarter(2026, 1)
NIK = "3510094703850001"
AGENTS = "agent_id,kind,regency_code\nA1,tksk,35.10\n"
SAMPLE = "household_id,regency_code,cluster_id,is_urban,weight,expenditure_rupiah_per_capita_month\n"


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(Lake(tmp_path / "lake"), TABLES, 1.0, SENDERS)


def written(folder: Path, text: str, name: str = "file.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def refusal(loaded: Loaded) -> str:
    assert loaded.state is BatchState.REFUSED
    assert loaded.reason is not None
    return loaded.reason


def stored(intake: Intake, feed: Feed) -> pl.DataFrame:
    lake = intake.lake
    return accepted_table(lake, feed, str(QUARTER), batches(lake, str(QUARTER))).read(
        intake.contracts[f"intake/{feed}"]
    )


def reasons(loaded: Loaded) -> list[tuple[int, str, str]]:
    assert loaded.report is not None
    found = pl.read_parquet(loaded.report.with_name("reasons.parquet"))
    return found.select("row_number", "column", "reason").rows()


# Notes


@pytest.mark.parametrize("name", ["file.csv.yaml", "file.csv.yml"])
def test_a_note_may_end_in_yaml_or_yml(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, AGENTS)
    note = written(tmp_path, "sender: kemensos\n", name)
    assert declaration_of(file, QUARTER).sender == "kemensos"
    assert note_of(file) == note


@pytest.mark.parametrize(
    "name",
    [
        "file.csv.YAML", "file.csv.Yaml", "FILE.CSV.YAML", "file.csv.YML", "file.csv.json", "file.csv.txt",
        "File.csv.yml", "file.yaml", "file.yml", "FILE.YAML", "file.csv.yaml.txt", "file.csv.yml.txt",
        "file.csv.yaml.bak", "file.csv.yaml.yaml", "file.csv (1).yaml", "file (1).csv.yaml", "file_csv.yaml",
        "file.csv.ymal", "file.csv .yaml", "Copy of file.csv.yaml", "file.csv.yaml~", "file.csv.yaml (2).txt",
    ],
)  # fmt: skip
def test_a_note_under_another_name_refuses_its_file_and_the_right_name_is_told(
    intake: Intake, tmp_path: Path, name: str
) -> None:
    file = written(tmp_path, AGENTS)
    written(tmp_path, "sender: kemensos\n", name)
    said = refusal(intake.load(Feed.AGENTS, file, QUARTER))
    assert f"lies {name}," in said
    assert "Rename it to file.csv.yaml" in said


def test_two_notes_of_one_file_refuse_it(intake: Intake, tmp_path: Path) -> None:
    file = written(tmp_path, AGENTS)
    for ending in ("yaml", "yml"):
        written(tmp_path, "sender: kemensos\n", f"file.csv.{ending}")
    assert "more than one note: file.csv.yaml, file.csv.yml" in refusal(intake.load(Feed.AGENTS, file, QUARTER))


def test_what_is_no_note_of_a_file_may_lie_beside_it(intake: Intake, tmp_path: Path) -> None:
    file = written(tmp_path, AGENTS)
    written(tmp_path, "id: household\ntarget: {column: y}\n", "file.yaml")
    written(tmp_path, "sender: kemensos\n", "other.csv.yaml")
    for name in ("file.json", "file.txt", "readme.txt", "file.csv.sig.bak", "file.csv.yaml.sig"):
        written(tmp_path, "{}", name)
    for name in ("file (1).csv", "file_csv"):
        written(tmp_path, AGENTS, name)
        written(tmp_path, "sender: kemensos\n", f"{name}.yaml")
    assert intake.load(Feed.AGENTS, file, QUARTER).state is BatchState.LOADED


def test_a_copy_that_an_editor_kept_of_a_note_is_none(intake: Intake, tmp_path: Path) -> None:
    file = written(tmp_path, AGENTS)
    for name in ("file.csv.yaml", "file.csv.yaml.bak", "file.csv.yaml~"):
        written(tmp_path, "sender: kemensos\n", name)
    assert intake.load(Feed.AGENTS, file, QUARTER).state is BatchState.LOADED


def test_a_note_with_the_ending_of_a_text_is_no_delivery_of_the_landing_zone(intake: Intake, tmp_path: Path) -> None:
    folder = tmp_path / "landing" / str(QUARTER) / "agents"
    folder.mkdir(parents=True)
    written(folder, AGENTS)
    written(folder, "sender: kemensos\n", "file.csv.yaml.txt")
    file, note = intake.load_landing(tmp_path / "landing", QUARTER)
    assert "Rename it to file.csv.yaml" in refusal(file)
    assert note.reason == say("load.lone_note", "en", file="file.csv.yaml.txt")


def test_a_key_written_twice_in_a_note_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, AGENTS)
    written(tmp_path, "sender: bps\nsender: kemensos\n", "file.csv.yaml")
    with pytest.raises(FileRefused, match="each key once"):
        declaration_of(file, QUARTER)


def test_the_landing_zone_takes_a_yml_note_and_refuses_one_in_capitals(intake: Intake, tmp_path: Path) -> None:
    folder = tmp_path / "landing" / str(QUARTER) / "agents"
    folder.mkdir(parents=True)
    for name, ending in (("a.csv", ".yml"), ("b.csv", ".YAML")):
        written(folder, AGENTS.replace("A1", name[0]), name)
        written(folder, "sender: kemensos\n", name + ending)
    first, second = intake.load_landing(tmp_path / "landing", QUARTER)
    assert first.batch is not None
    assert (tmp_path / "landing" / "done" / first.batch.batch_id / "a.csv.yml").exists()
    assert "Rename it to b.csv.yaml" in refusal(second)
    assert sorted(one.name for one in folder.iterdir()) == ["b.csv", "b.csv.YAML"]


# Columns and sheets


def test_columns_that_were_not_read_are_in_the_answer_for_machines_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert perlinsos(home, "init", "--trial").code == 0
    file = written(tmp_path, AGENTS.replace("code\n", "code,remark,\n").replace("35.10\n", "35.10,x,\n"))
    arguments = ("load", "agents", file, "--quarter", str(QUARTER), "--sender", "kemensos", "--json")
    for state in ("loaded", "duplicate"):
        told = perlinsos(home, *arguments).json
        assert (told["state"], told["unknown_columns"]) == (state, ["remark"])


@pytest.mark.parametrize("name", ["", "  ", "***", "\u0646\u0627\u0645"])
def test_content_below_an_empty_header_cell_is_told_by_its_place_and_rows_and_never_itself(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("assets.intake.delimited.CHUNK_ROWS", 1)
    text = f"agent_id,{name},kind,,regency_code\nA1,{NIK},tksk,,35.10\nA2,,tksk,,35.10\nA3,{NIK},tksk,,35.10\n"
    loaded = intake.load(Feed.AGENTS, written(tmp_path, text), QUARTER, sender="kemensos")
    told = say("load.nameless_column", "en", place="2", letters="B", rows=2)
    assert [one for one in loaded.warnings if "no name" in one] == [told]
    assert loaded.batch is not None
    assert loaded.batch.unknown_columns == ("(2)",)
    assert NIK not in str(loaded)


def test_a_column_without_a_name_is_told_to_people_and_machines(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert perlinsos(home, "init", "--trial").code == 0
    for number, arguments in enumerate(((), ("--json",))):
        file = written(tmp_path, f"agent_id,kind,regency_code,\nA{number},tksk,35.10,{NIK}\n", f"{number}.csv")
        told = perlinsos(home, "load", "agents", file, "--quarter", QUARTER, "--sender", "kemensos", *arguments)
        assert "Column 4 (D) has no name" in " ".join(told.out.split())
        assert NIK not in told.out
    assert told.json["unknown_columns"] == ["(4)"]


@pytest.mark.parametrize("ahead", [0, 2, 30])
def test_the_place_of_a_nameless_column_is_that_of_the_sheet(intake: Intake, tmp_path: Path, ahead: int) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    rows = (["agent_id", None, "kind", "regency_code", None], ["A1", NIK, "tksk", "35.10", None])
    for at, row in enumerate(rows, start=3):
        for place, cell in enumerate(row, start=ahead + 1):
            sheet.cell(at, place, cell)
    sheet.cell(1, ahead + 1, "DAFTAR AGEN")
    book.save(tmp_path / "file.xlsx")
    loaded = intake.load(Feed.AGENTS, tmp_path / "file.xlsx", QUARTER)
    letters = sheet.cell(1, ahead + 2).column_letter
    assert any(f"Column {ahead + 2} ({letters}) has no name" in one and "1 rows" in one for one in loaded.warnings)


def test_a_nameless_column_without_content_and_one_named_by_a_group_are_not_told(
    intake: Intake, tmp_path: Path
) -> None:
    text = "agent_id,kind,Kode,\n,,regency_code,village_code\nA1,tksk,35.10,35.10.09.2001\n"
    loaded = intake.load(Feed.AGENTS, written(tmp_path, text), QUARTER, sender="kemensos")
    assert not [one for one in loaded.warnings if "no name" in one]
    assert loaded.batch is not None
    assert loaded.batch.unknown_columns == ()


def two_sheets(other: str) -> openpyxl.Workbook:
    """A workbook with the agents' table, and another sheet behind it that holds none."""
    book = openpyxl.Workbook()
    first, second = book.worksheets[0], book.create_sheet(other)
    first.title = "agen"
    for row in (["agent_id", "kind", "regency_code"], ["A1", "tksk", "35.10"]):
        first.append(row)
    second.append(["agent_id", "keterangan"])
    second.append(["A2", "x"])
    return book


def test_sheets_that_were_not_read_are_named(intake: Intake, tmp_path: Path) -> None:
    two_sheets("tambahan").save(tmp_path / "file.xlsx")
    loaded = intake.load(Feed.AGENTS, tmp_path / "file.xlsx", QUARTER)
    assert loaded.warnings == ("Only the sheet agen was read. Not read: tambahan.",)


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_are_named_and_refuse_the_file_if_they_hold_the_table(
    intake: Intake, tmp_path: Path, state: str
) -> None:
    book = two_sheets(f"tambahan {NIK}")
    book.move_sheet(book.worksheets[1], -1)
    second, first = book.worksheets
    second.sheet_state, book.active = state, first
    book.save(tmp_path / "file.xlsx")
    loaded = intake.load(Feed.AGENTS, tmp_path / "file.xlsx", QUARTER)
    assert loaded.warnings == ("Only the sheet agen was read. Not read: tambahan ********.",)
    for at, name in enumerate(["agent_id", "kind", "regency_code"], start=1):
        second.cell(1, at, name)
    book.save(tmp_path / "file2.xlsx")
    assert "in 2 sheets, hidden ones counted: tambahan ********, agen." in refusal(
        intake.load(Feed.AGENTS, tmp_path / "file2.xlsx", QUARTER)
    )


# The feed a file is of

DTSEN_FAMILIES = "family_card_number,village_code"
PERSONS = "family_card_number,nik,name,birth_date,sex"


def test_persons_are_not_taken_as_families_because_some_columns_fit(intake: Intake, tmp_path: Path) -> None:
    columns = [name for name in TABLES["intake/dtsen_families"].columns if name not in {"batch_id", "row_number"}]
    required = [name for name in columns if not TABLES["intake/dtsen_families"].columns[name].nullable]
    persons = [
        name for name in TABLES["intake/dtsen_persons"].columns if name not in {"batch_id", "row_number", "nik_bucket"}
    ]
    header = list(dict.fromkeys([*required, *persons]))
    file = written(tmp_path, ",".join(header) + "\n" + ",".join("1" for _ in header) + "\n")
    said = refusal(intake.load(Feed.DTSEN_FAMILIES, file, QUARTER))
    assert "`perlinsos load dtsen_persons`" in said


def test_another_feed_is_advised_only_if_it_reads_more_columns(intake: Intake, tmp_path: Path) -> None:
    file = written(tmp_path, "agent_id,kind,remark,note\nA1,tksk,x,y\n")
    assert "load with" not in refusal(intake.load(Feed.AGENTS, file, QUARTER))


MEMBER = {
    "family_card_number": "3510091203190004", "nik": "3510094703850001", "name": "SITI", "birth_date": "1985-03-07",
    "sex": "female", "relation": "1", "marital_status": "2", "is_pregnant": "false", "school_participation": "3",
    "school_level": "", "education": "23", "work_position": "0", "disability": "4", "stated_date": "2025-12-05",
    "verified_nik": "", "agent_id": "A1",
}  # fmt: skip
VISIT = {"family_card_number": "3510091203190004", "agent_id": "A1", "visit_result": "1"}
REGISTERED = {
    "tanggal_pendaftaran": "2025-11-01", "village_code": "35.10.09.2001", "channel": "agent", "proposer": "village",
    "has_consent": "true", "consent_date": "2025-11-01", "is_ikd_verified": "false", "face_match": "passed",
}  # fmt: skip
SHOCKS = {"survey_date": "2025-12-01", "illness_date": "", "failed_crop_date": "", "disaster_date": ""}
DTSEN = {
    name: "" for name in TABLES["intake/dtsen_persons"].columns if name not in {"batch_id", "row_number", "nik_bucket"}
}  # fmt: skip


@pytest.mark.parametrize(
    ("feed", "row"),
    [
        (Feed.SURVEYS, VISIT | {"survey_date": "2025-12-05"} | REGISTERED),
        (Feed.VALIDATIONS, VISIT | {"validation_date": "2025-12-05", "building_number": "1"} | SHOCKS),
        (Feed.MEMBERS, DTSEN | MEMBER),
    ],
)
def test_a_form_of_two_feeds_is_loaded_as_the_one_that_alone_reads_some_of_it(
    tmp_path: Path, feed: Feed, row: dict[str, str]
) -> None:
    intake = Intake(Lake(tmp_path / "lake"), TABLES, 1.0, SENDERS, today=date(2026, 2, 10))
    file = written(tmp_path, ",".join(row) + "\n" + ",".join(row.values()) + "\n")
    written(tmp_path, "sender: tests\n", "file.csv.yaml")
    loaded = intake.load(feed, file, QUARTER)
    assert loaded.state is BatchState.LOADED, loaded.reason
    assert loaded.batch is not None
    assert loaded.batch.unknown_columns


# Units of figures


POOR = "Jumlah Penduduk Miskin"


@pytest.mark.parametrize(
    ("text", "poor"),
    [
        (f"area_code,vintage,{POOR}\n35.10,2025-03,100130\n", 100_130),
        (f"area_code,vintage,{POOR} (Jiwa)\n35.10,2025-03,100130\n", 100_130),
        (f"area_code,vintage,{POOR} (Ribu Jiwa)\n35.10,2025-03,100.13\n", 100_130),
        (f"area_code;vintage;{POOR} [ribu orang]\n35.10;2025-03;100,13\n", 100_130),
        (f"area_code,vintage,{POOR} - Ribu\n35.10,2025-03,131\n", 131_000),
        (f"area_code,vintage,{POOR} ('000 jiwa)\n35.10,2025-03,131\n", 131_000),
        (f"area_code,vintage,{POOR} (000)\n35.10,2025-03,131\n", 131_000),
        (f"area_code,vintage,{POOR}\n,,(000)\n35.10,2025-03,131\n", 131_000),
        (f"area_code,vintage,{POOR}\n35.10,2025-03,000\n", 0),
        ("area_code,vintage,poor_count (thousand persons)\n35.10,2025-03,0.5\n", 500),
        (f"area_code,vintage,{POOR}\n,,(Ribu Jiwa)\n35.10,2025-03,131\n", 131_000),
        (f"area_code,vintage,{POOR},Garis Kemiskinan\n,,Ribu Orang,(Rupiah)\n(1),(2),(3),(4)\n35.10,2025-03,131,1\n",
         131_000),
        (f"area_code,vintage,{POOR}\nWilayah,Bulan,Ribu Jiwa\n35.10,2025-03,131\n", 131_000),
        (f"area_code,vintage,Kemiskinan,\n,,{POOR},P0\n,,(Ribu Jiwa),(%)\n35.10,2025-03,131,7\n", 131_000),
        (f"area_code,vintage,{POOR}\n(1),(2),(3)\n,,dalam ribuan\n35.10,2025-03,131\n", 131_000),
    ],
)  # fmt: skip
def test_poor_counts_in_thousands_are_understood(intake: Intake, tmp_path: Path, text: str, poor: int) -> None:
    loaded = intake.load(Feed.POVERTY_STATISTICS, written(tmp_path, text), QUARTER)
    assert loaded.state is BatchState.LOADED, loaded.reason
    assert loaded.rejected == 0
    assert stored(intake, Feed.POVERTY_STATISTICS)["poor_count"].to_list() == [poor]


def test_amounts_and_percents_with_their_units_in_the_header_are_read(intake: Intake, tmp_path: Path) -> None:
    header = "area_code;vintage;Garis Kemiskinan (Rp/Kapita/Bulan);Persentase Penduduk Miskin (Persen)"
    loaded = intake.load(Feed.POVERTY_STATISTICS, written(tmp_path, f"{header}\n35.10;2025-03;517000;7,5\n"), QUARTER)
    assert loaded.batch is not None
    assert loaded.batch.unknown_columns == ()
    row = stored(intake, Feed.POVERTY_STATISTICS).row(0, named=True)
    assert (row["poverty_line_rupiah_per_capita_month"], row["poor_percent"]) == (517_000, 7.5)


def test_a_unit_that_is_not_known_leaves_its_column_unread_and_named(intake: Intake, tmp_path: Path) -> None:
    file = written(tmp_path, f"area_code,vintage,{POOR} (lusin)\n35.10,2025-03,131\n")
    loaded = intake.load(Feed.POVERTY_STATISTICS, file, QUARTER)
    assert loaded.batch is not None
    assert loaded.batch.unknown_columns == (f"{POOR} (lusin)",)


@pytest.mark.parametrize(
    "text",
    [
        f"Penduduk miskin 2025 (ribu jiwa),,\narea_code,vintage,{POOR}\n35.10,2025-03,131\n",
        f"area_code,vintage,{POOR}\n35.10,2025-03,131\nCatatan: dalam ribu jiwa,,\n",
        f"area_code,vintage,satuan,{POOR}\n35.10,2025-03,ribu jiwa,131\n",
        f"area_code,vintage,{POOR},\n35.10,2025-03,131,ribu jiwa\n",
        f"area_code,vintage,{POOR}\n,,ribu jiwa per tahun\n35.10,2025-03,131\n",
    ],
    ids=["title", "note", "column of units", "column without a name", "row below the header"],
)
def test_what_speaks_of_thousands_outside_the_header_refuses_the_file(
    intake: Intake, tmp_path: Path, text: str
) -> None:
    assert '"ribu jiwa"' in refusal(intake.load(Feed.POVERTY_STATISTICS, written(tmp_path, text), QUARTER))
    stated = text.replace(POOR, f"{POOR} (Ribu Jiwa)")
    assert intake.load(Feed.POVERTY_STATISTICS, written(tmp_path, stated), QUARTER).state is BatchState.LOADED


@pytest.mark.parametrize(
    "title",
    [
        "Penduduk Miskin 2025 (Ribu)", "PENDUDUK MISKIN (DALAM RIBUAN)", "Satuan: ribu penduduk", "Satuan: Ribuan",
        "Penduduk Miskin ('000)", "Penduduk Miskin (000)", "Penduduk Miskin (x 1000 jiwa)", "Penduduk Miskin (x 1.000)",
        "Poor population (in thousands)", "Keterangan: angka dalam ribu", "Penduduk miskin, ribu", "dalam juta",
        "Poor (million inhabitants)",
    ],
)  # fmt: skip
def test_thousands_in_a_title_or_a_note_need_no_unit_behind_them(intake: Intake, tmp_path: Path, title: str) -> None:
    table = f"area_code,vintage,{POOR}\n35.10,2025-03,131\n"
    for text in (f'"{title}",,\n{table}', f'{table}"{title}",,\n'):
        said = refusal(intake.load(Feed.POVERTY_STATISTICS, written(tmp_path, text), QUARTER))
        assert "Write the unit behind the name of the column" in said


@pytest.mark.parametrize(("column", "unit"), [("satuan", "ribu"), ("unit", "Thousand"), ("satuan", "Ribuan")])
def test_thousands_in_a_column_of_units_need_no_unit_behind_them(
    intake: Intake, tmp_path: Path, column: str, unit: str
) -> None:
    file = written(tmp_path, f"area_code,vintage,{column},{POOR}\n35.10,2025-03,{unit},131\n")
    assert f'"{unit}"' in refusal(intake.load(Feed.POVERTY_STATISTICS, file, QUARTER))


def test_an_area_whose_name_has_a_thousand_in_it_is_loaded(intake: Intake, tmp_path: Path) -> None:
    text = f"Kepulauan Seribu 2025,,,\narea_code,vintage,nama,{POOR}\n31.01,2025-03,Kepulauan Seribu,4000\n"
    loaded = intake.load(Feed.POVERTY_STATISTICS, written(tmp_path, text), QUARTER)
    assert (loaded.state, loaded.rejected) == (BatchState.LOADED, 0)


def _api(label: str, unit: str) -> dict[str, Any]:
    return {
        "data-availability": "available", "vervar": [{"val": 3510, "label": "Banyuwangi"}],
        "var": [{"val": 619, "label": label, "unit": unit}], "turvar": [{"val": 0, "label": "-"}],
        "tahun": [{"val": 125, "label": "2025"}], "turtahun": [{"val": 0, "label": "Tahun"}],
        "datacontent": {"351061901250": 131},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "unit", "poor"),
    [
        (POOR, "Ribu Jiwa", 131_000),
        (POOR, "000 Jiwa", 131_000),
        (POOR, "Thousand People", 131_000),
        (POOR, "Jiwa", 131),
        (f"{POOR} (Ribu Jiwa)", "", 131_000),
        (f"{POOR} (Ribu Jiwa)", "Ribu Orang", 131_000),
        (f"{POOR} (Ribu Jiwa)", "Jiwa", None),
        (POOR, "", None),
        (POOR, "Persen", None),
    ],
)
def test_an_answer_of_the_bps_api_is_read_in_its_unit_or_refused(
    intake: Intake, tmp_path: Path, label: str, unit: str, poor: int | None
) -> None:
    file = written(tmp_path, json.dumps(_api(label, unit)), "file.json")
    loaded = intake.load(Feed.POVERTY_STATISTICS, file, QUARTER)
    if poor is None:
        refusal(loaded)
    else:
        assert stored(intake, Feed.POVERTY_STATISTICS)["poor_count"].to_list() == [poor]


# Households given twice


def test_a_survey_household_given_twice_is_told_at_load_with_its_row(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.intake.delimited.CHUNK_ROWS", 2)
    lines = ["h1,35.10,c1,true,12.5,500000", "h2,35.10,c1,true,12.5,500000", "h2,35.10,c1,true,12.5,500000",
             "h3,35.10,c1,true,12.5,500000", "h1,35.10,c1,true,3,900000"]  # fmt: skip
    loaded = intake.load(Feed.CONSUMPTION_SURVEY, written(tmp_path, SAMPLE + "\n".join(lines) + "\n"), QUARTER)
    assert reasons(loaded) == [(4, "household_id", "given_before"), (6, "household_id", "given_before")]
    assert loaded.batch is not None
    assert (loaded.batch.read, loaded.batch.accepted, loaded.batch.rejected) == (5, 3, 2)
    assert "earlier row of the file" in loaded.tally[0].sentence("en")
