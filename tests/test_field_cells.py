"""Cells as the field writes them: instants, numbers with two readings, impossible days, marks of nothing, digits."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from assets.intake.batches import accepted_table, batches
from assets.intake.loading import Intake, Loaded
from assets.intake.values import MONTHS, NOTHING, Shape, is_nothing, read
from assets.lake import Lake
from assets.registry.linkage.person_file import PersonSpec, read_people
from assets.welfare.spec import read_spec
from assets.welfare.survey import read_survey
from pipelines import cli
from schemas.errors import FileRefused
from schemas.quarter import Quarter
from schemas.tables import TABLES
from schemas.vocabularies import BatchState, Feed
from tests.homes import perlinsos
from tests.made_senders import SENDERS

QUARTER, TODAY = Quarter(2026, 1), date(2026, 2, 10)
CARD = "3510091203190004"
MEMBER = {
    "family_card_number": CARD, "nik": "3510094703850001", "name": "SITI AMINAH", "birth_date": "1985-03-07",
    "sex": "female", "relation": "1", "marital_status": "2", "is_pregnant": "false", "school_participation": "3",
    "school_level": "", "education": "23", "work_position": "0", "disability": "4", "stated_date": "2025-12-05",
    "verified_nik": "", "agent_id": "A1",
}  # fmt: skip
SURVEY = {"family_card_number": CARD, "survey_date": "2025-12-05", "agent_id": "A1", "visit_result": "1"}
POVERTY = {"area_code": "35.10", "vintage": "2025-03", "poor_count": "100130", "poor_percent": "6.54"}
SAMPLED = {
    "household_id": "h1", "regency_code": "35.10", "cluster_id": "c1", "is_urban": "true", "weight": "12.5",
    "expenditure_rupiah_per_capita_month": "500000",
}  # fmt: skip


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(Lake(tmp_path / "lake"), TABLES, 1.0, SENDERS, today=TODAY)


def loaded(
    intake: Intake, feed: Feed, rows: Sequence[Mapping[str, str]] | bytes, note: Mapping[str, Any] | None = None,
    name: str = "file.csv",
) -> Loaded:  # fmt: skip
    file = intake.lake.root.parent / name
    if isinstance(rows, bytes):
        file.write_bytes(rows)
    else:
        header = list(rows[0])
        lines = ["|".join(header), *("|".join(row[name] for name in header) for row in rows)]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file.with_name(f"{name}.yaml").write_text(yaml.safe_dump({"sender": "tests", **(note or {})}), encoding="utf-8")
    return intake.load(feed, file, QUARTER)


def stored(intake: Intake, feed: Feed) -> pl.DataFrame:
    table = accepted_table(intake.lake, feed, str(QUARTER), batches(intake.lake, str(QUARTER)))
    return table.read(intake.contracts[f"intake/{feed}"]).sort("row_number")


def reasons(of: Loaded) -> list[tuple[int, str, str]]:
    assert of.report is not None, of.reason
    return pl.read_parquet(of.report.with_name("reasons.parquet")).select("row_number", "column", "reason").rows()


# Instants


@pytest.mark.parametrize(
    "cell",
    [
        "1990-05-03T17:00:00Z", "1990-05-03T17:00:00.000Z", "1990-05-03T17:00:00+00:00", "1990-05-03 17:00:00 UTC",
        "1990-05-04T00:00:00+07:00", "1990-05-04T00:00:00.000+0700", "1990-05-04 00:00 WIB", "1990-05-04 08:00 WIT",
        "1990-05-04T00:00:00+09:00", "1990-05-03T12:00:00-05:00", "1990-05-04", "641754000000", "03/05/1990 18:30 GMT",
        "1990-05-03T16:00:00Z", "1990-05-03T15:00:00.000Z", "1990-05-03T16:00:00+00:00", "1990-05-03 15:00:00 UTC",
        "03/05/1990 04:00:00 PM GMT", "'1990-05-03T16:00:00Z", "641750400000", "641746800000",
        "1990-05-04T00:00:00+08:00",
        "1990-05-03 23:00:00+07", "1990-05-03 22:00:00+07:00", "1990-05-03T23:00:00+08:00", "1990-05-04T01:00:00+08:00",
        "1990-05-04 16:30:00", "1990-05-04 00:00:00", "1990-05-04 23:30 WIB", "1990-05-04 23:00 WIB",
    ],
)  # fmt: skip
def test_an_instant_is_the_day_that_begins_or_is_in_all_of_indonesia(intake: Intake, cell: str) -> None:
    assert loaded(intake, Feed.MEMBERS, [MEMBER | {"birth_date": cell}]).state is BatchState.LOADED
    assert stored(intake, Feed.MEMBERS)["birth_date"].to_list() == [date(1990, 5, 4)]


def test_instants_in_json_and_parquet_mean_jakarta_too(intake: Intake) -> None:
    content = json.dumps([MEMBER | {"birth_date": "1990-05-03T17:00:00.000Z", "school_level": None}]).encode()
    loaded(intake, Feed.MEMBERS, content, name="file.json")
    born = pl.Series(["1990-05-03T17:00:00"]).str.to_datetime(time_zone="UTC")
    rows = pl.DataFrame([MEMBER]).with_columns(birth_date=born, nik=pl.lit("3510094703850002"))
    rows.write_parquet(intake.lake.root.parent / "made.parquet")
    loaded(intake, Feed.MEMBERS, (intake.lake.root.parent / "made.parquet").read_bytes(), name="file.parquet")
    assert stored(intake, Feed.MEMBERS)["birth_date"].to_list() == [date(1990, 5, 4)] * 2


@pytest.mark.parametrize(
    ("cell", "born"),
    [
        ("1955-03-06T16:30:00.000Z", date(1955, 3, 7)), ("1955-03-06T16:30:00Z", date(1955, 3, 7)),
        ("1955-03-07T00:00:00+07:30", date(1955, 3, 7)), ("1955-03-07 00:00:00+0730", date(1955, 3, 7)),
        ("1955-03-07T00:00:00+7:30", date(1955, 3, 7)), ("-467796600000", date(1955, 3, 7)),
        ("1955-03-06T15:00:00Z", date(1955, 3, 7)), ("1955-03-06T14:30:00Z", date(1955, 3, 7)),
        ("1955-03-06T14:29:59Z", date(1955, 3, 6)),
        ("1949-06-30T16:00:00Z", date(1949, 7, 1)), ("1944-06-30T15:00:00Z", date(1944, 7, 1)),
        ("1939-06-30T16:30:00Z", date(1939, 7, 1)), ("1930-06-30T16:40:00Z", date(1930, 7, 1)),
        ("1930-07-01T00:00:00+07:20", date(1930, 7, 1)),
        ("1964-06-30T17:00:00Z", date(1964, 7, 1)),
    ],
)  # fmt: skip
def test_an_instant_before_1964_is_the_day_of_the_clocks_then_or_of_today(
    intake: Intake, cell: str, born: date
) -> None:
    stated = {"birth_date": cell, "stated_date": "2025-12-05"}
    assert loaded(intake, Feed.MEMBERS, [MEMBER | stated]).state is BatchState.LOADED
    assert stored(intake, Feed.MEMBERS)["birth_date"].to_list() == [born]


@pytest.mark.parametrize(
    "cell",
    ["1990-05-03T15:30:00Z", "1990-05-03T16:30:00Z", "1990-05-03T16:00:00.123Z", "1990-05-03T16:00:59Z", "641752200000",
     "1964-06-30T16:30:00Z", "1955-03-06T16:29:59Z", "-467796601000", "1990-05-03 16:00:00", "1990-05-03T17:00:00",
     "1990-05-03 15:00:00.000000", "1990-05-03 3:00:00 PM", "03/05/1990 16:00", "1955-03-06 16:30:00"],
)  # fmt: skip
def test_an_instant_that_is_two_days_and_begins_neither_is_rejected_with_its_reason(intake: Intake, cell: str) -> None:
    found = loaded(intake, Feed.MEMBERS, [MEMBER | {"birth_date": cell}])
    assert reasons(found) == [(2, "birth_date", "instant_of_two_days")]
    assert "leaves open which day is meant" in found.tally[0].sentence("en")


@pytest.mark.parametrize("rows", [1, 100_000])
@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (("03T15:00:00Z", "03T16:00:00Z", "03T17:00:00Z"), [4, 4, 4]),
        (("03T16:00:00Z", "03T16:00:00Z", "03T02:11:07Z"), [4, 4, 3]),
        (("03T16:00:00Z", "03T02:11:07Z", "04T03:40:18Z", "03T17:00:00Z", "05T09:12:00Z", "06T07:00:01Z"),
         [None, 3, 4, 4, 5, 6]),
        (("03 23:00:00+07", "04 00:00:00+07"), [4, 4]),
        (("03 23:00:00+07", "04 08:12:33+07", "05 09:14:01+07"), [3, 4, 5]),
        (("03 16:00:00", "03 17:00:00", "03 15:00:00") * 4, [4] * 12),
        (("03 16:00:00", "03 17:00:00", "03 15:00:00") * 3, [None] * 9),
        (("03 16:00:00", "03 17:00:00", "03 15:00:00") * 4 + ("04",), [None] * 12 + [4]),
        (("03 16:00:00", "04 00:00:00"), [None, 4]),
        (("03 16:00:00", "04"), [None, 4]),
        (("03 16:00:00", "04 08:12:33", "05 09:14:01"), [3, 4, 5]),
        (("03 16:00:00", "03 17:00:00", "05 09:14:01"), [None, None, 5]),
        (("03 16:00:00", "03T17:00:00Z", "03T04:30:00Z"), [None, 4, 3]),
        (("03T16:00:00Z", "04", "04 00:00:00"), [4, 4, 4]),
    ],
)  # fmt: skip
def test_what_an_instant_begins_is_settled_by_the_column(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, cells: tuple[str, ...], days: list[int | None], rows: int
) -> None:
    monkeypatch.setattr("assets.intake.delimited.CHUNK_ROWS", rows)
    found = loaded(intake, Feed.MEMBERS, born(*(f"1990-05-{cell}" for cell in cells)))
    assert found.rejected == days.count(None)
    known = [date(1990, 5, day) for day in days if day is not None]
    assert not known or stored(intake, Feed.MEMBERS)["birth_date"].to_list() == known


def test_instants_of_other_files_mean_the_day_that_begins_too(intake: Intake, tmp_path: Path) -> None:
    content = json.dumps([MEMBER | {"birth_date": "1990-05-03T16:00:00.000Z"}]).encode()
    loaded(intake, Feed.MEMBERS, content, name="file.json")
    at = datetime(1990, 5, 3, 16, tzinfo=UTC).replace(tzinfo=None)
    rows = pl.DataFrame(born(*["2025"] * 10)).with_columns(birth_date=at)
    rows.write_parquet(tmp_path / "made.parquet")
    loaded(intake, Feed.MEMBERS, (tmp_path / "made.parquet").read_bytes(), name="file.parquet")
    rows.write_excel(tmp_path / "made.xlsx", dtype_formats={pl.Datetime: "yyyy-mm-dd hh:mm"})
    loaded(intake, Feed.MEMBERS, (tmp_path / "made.xlsx").read_bytes(), name="file.xlsx")
    assert stored(intake, Feed.MEMBERS)["birth_date"].to_list() == [date(1990, 5, 4)] * 21
    people = tmp_path / "people.csv"
    for form, cell in (("%Y-%m-%d", "1990-05-03T16:00:00Z"), ("%Y-%m-%dT%H:%M:%S%z", "1990-05-04T00:00:00+0900")):
        people.write_text(f"no,lahir\n1,{cell}\n", encoding="utf-8")
        spec = PersonSpec.model_validate({"id": "no", "birth_date": {"column": "lahir", "format": form}})
        assert read_people(people, spec, TODAY).people["birth_date"].to_list() == [date(1990, 5, 4)]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Jakarta"])
def test_instants_before_1964_in_json_parquet_and_link_are_on_their_day_too(
    intake: Intake, tmp_path: Path, zone: str
) -> None:
    born = pl.Series(["1955-03-06T16:30:00"]).str.to_datetime(time_zone="UTC").dt.convert_time_zone(zone)
    content = json.dumps([MEMBER | {"birth_date": "1955-03-06T16:30:00.000Z"}]).encode()
    loaded(intake, Feed.MEMBERS, content, name="file.json")
    rows = pl.DataFrame([MEMBER]).with_columns(birth_date=born, nik=pl.lit("3510094703850002"))
    rows.write_parquet(tmp_path / "made.parquet")
    loaded(intake, Feed.MEMBERS, (tmp_path / "made.parquet").read_bytes(), name="file.parquet")
    assert stored(intake, Feed.MEMBERS)["birth_date"].to_list() == [date(1955, 3, 7)] * 2
    (tmp_path / "people.csv").write_text("id,name,born\n1,SITI,1955-03-06T16:30:00.000Z\n")
    spec = PersonSpec.model_validate({"id": "id", "full_name": "name", "birth_date": {"column": "born"}})
    people = read_people(tmp_path / "people.csv", spec, TODAY).people
    assert people["birth_date"].to_list() == [date(1955, 3, 7)]


@pytest.mark.parametrize("cell", ["1990-05-03 17:00 PDT", "1714694400", "1990-05-03T17:00:00[x]"])
def test_an_instant_of_an_unknown_zone_or_unit_stays_unread(cell: str) -> None:
    assert read(pl.DataFrame({"day": [cell]}), {"day": Shape(pl.Date())})["day"].to_list() == [None]


# Days in numbers

MONTH_FIRST = ("03/25/1990", "03/04/1990", "12/31/1960", "01/12/1960", "02/03/1971")


def born(*days: str) -> list[Mapping[str, str]]:
    return [MEMBER | {"nik": f"35100947038500{at:02}", "birth_date": day} for at, day in enumerate(days, start=1)]


@pytest.mark.parametrize("mark", ["/", "-", "."])
@pytest.mark.parametrize("rows", [1, 100_000])
def test_a_column_that_is_written_month_first_refuses_the_file(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, mark: str, rows: int
) -> None:
    monkeypatch.setattr("assets.intake.delimited.CHUNK_ROWS", rows)
    found = loaded(intake, Feed.MEMBERS, born(*(day.replace("/", mark) for day in MONTH_FIRST)))
    assert found.state is BatchState.REFUSED
    assert "Column birth_date of file.csv writes the month before the day" in str(found.reason)
    assert "2026-01-31" in str(found.reason)


def test_of_a_column_that_is_written_day_first_an_impossible_day_alone_is_rejected(intake: Intake) -> None:
    found = loaded(intake, Feed.MEMBERS, born("25/03/1990", "03/04/1990", "03/25/1990"))
    assert reasons(found) == [(4, "birth_date", "not_a_date")]
    assert stored(intake, Feed.MEMBERS)["birth_date"].to_list() == [date(1990, 3, 25), date(1990, 4, 3)]


# Numbers with two readings


def weights(*cells: str) -> list[Mapping[str, str]]:
    return [SAMPLED | {"household_id": f"h{at}", "weight": cell} for at, cell in enumerate(cells)]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("1.234", "567", "0.5"), [1.234, 567.0, 0.5]),
        (("1.234", "567", "12,5"), [1234.0, 567.0, 12.5]),
        (("1.234", "567", "1.234.567"), [1234.0, 567.0, 1234567.0]),
        (("1,234", "567", "12.25"), [1234.0, 567.0, 12.25]),
        (("1,234", "567", "1.234,5"), [1.234, 567.0, 1234.5]),
        (("12,5", "12.5", "567"), [12.5, 12.5, 567.0]),
    ],
)
def test_what_a_single_mark_means_is_settled_by_the_column(
    intake: Intake, cells: tuple[str, ...], values: list[float]
) -> None:
    assert loaded(intake, Feed.CONSUMPTION_SURVEY, weights(*cells)).rejected == 0
    assert stored(intake, Feed.CONSUMPTION_SURVEY)["weight"].to_list() == values


def test_what_the_column_does_not_settle_is_rejected_with_its_reason(intake: Intake) -> None:
    found = loaded(intake, Feed.CONSUMPTION_SURVEY, weights("1.234", "567", "890"))
    assert reasons(found) == [(2, "weight", "two_readings")]
    found = loaded(intake, Feed.CONSUMPTION_SURVEY, weights("1.234", "12,5", "12.5", "1,234"), name="both.csv")
    assert reasons(found) == [(2, "weight", "two_readings"), (5, "weight", "two_readings")]


@pytest.mark.parametrize("rows", [1, 100_000])
@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("109.220", "1.109.220"), [109_220, 1_109_220]),
        (("109,220", "1,109,220", "87"), [109_220, 1_109_220, 87]),
        (("109.220", "1.109,00", "1.100"), [109_220, 1_109, 1_100]),
        (("109.220", "500,0"), [109_220, 500]),
        (("'109.220", "'1.109.220"), [109_220, 1_109_220]),
        (("\uff11\uff10\uff19.220", "1.109.\uff12\uff12\uff10"), [109_220, 1_109_220]),
        (("1.000", "2.0"), [None, 2]),
        (("109.220", "88.123"), [None, None]),
        (("109.220", "1,109,220"), [None, 1_109_220]),
        (("109.220", "1.109.220", "1,109,220"), [None, 1_109_220, 1_109_220]),
        (("109,220", "1.109.220"), [None, 1_109_220]),
        (("109.220", "1.109.220", "7.0"), [None, 1_109_220, 7]),
    ],
)
def test_what_a_single_mark_in_whole_numbers_means_is_settled_by_the_column(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, cells: tuple[str, ...], values: list[int | None], rows: int
) -> None:
    monkeypatch.setattr("assets.intake.delimited.CHUNK_ROWS", rows)
    counts = [POVERTY | {"area_code": f"35.1{at}", "poor_count": cell} for at, cell in enumerate(cells)]
    found = loaded(intake, Feed.POVERTY_STATISTICS, counts)
    unread = [(at, "poor_count", "not_a_number") for at, value in enumerate(values, start=2) if value is None]
    assert (reasons(found) if unread else found.rejected) == (unread or 0)
    known = [value for value in values if value is not None]
    if known:
        assert stored(intake, Feed.POVERTY_STATISTICS)["poor_count"].to_list() == known


def test_a_cell_of_another_chunk_settles_a_column(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.intake.delimited.CHUNK_ROWS", 2)
    assert loaded(intake, Feed.CONSUMPTION_SURVEY, weights("1.234", "567", "890", "12,5")).rejected == 0
    assert stored(intake, Feed.CONSUMPTION_SURVEY)["weight"].to_list() == [1234.0, 567.0, 890.0, 12.5]


def test_bounds_of_a_column_settle_what_its_cells_do_not(intake: Intake) -> None:
    assert loaded(intake, Feed.POVERTY_STATISTICS, [POVERTY | {"poor_percent": "6.541"}]).rejected == 0
    assert stored(intake, Feed.POVERTY_STATISTICS)["poor_percent"].to_list() == [6.541]


def test_numbers_that_a_file_states_as_numbers_have_one_reading(intake: Intake) -> None:
    rows = [SAMPLED | {"weight": 1.234}, SAMPLED | {"household_id": "h2", "weight": 567}]
    assert loaded(intake, Feed.CONSUMPTION_SURVEY, json.dumps(rows).encode(), name="file.json").rejected == 0
    pl.DataFrame([SAMPLED | {"household_id": "h3", "weight": 1.234}]).write_parquet(
        intake.lake.root.parent / "made.parquet"
    )
    content = (intake.lake.root.parent / "made.parquet").read_bytes()
    assert loaded(intake, Feed.CONSUMPTION_SURVEY, content, name="file.parquet").rejected == 0
    assert sorted(stored(intake, Feed.CONSUMPTION_SURVEY)["weight"]) == [1.234, 1.234, 567.0]


SPEC = """
id: hhid
target: {column: consumption, scale: level}
features:
  floor: {kind: number, direction: increasing}
  fuel: {kind: category}
"""


def survey(folder: Path, text: str) -> pl.DataFrame:
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    (folder / "survey.csv").write_text(text, encoding="utf-8")
    return read_survey(folder / "survey.csv", read_spec(folder / "spec.yaml"))


def test_decimal_commas_of_a_survey_are_read_whatever_stands_between_its_cells(tmp_path: Path) -> None:
    found = survey(tmp_path, "hhid|consumption|floor|fuel\n1|1.250,5|36,5|1\n2|2.000|40|2\n")
    assert (found["consumption"].to_list(), found["floor"].to_list()) == ([1250.5, 2000.0], [36.5, 40.0])
    found = survey(tmp_path, 'hhid,consumption,floor,fuel\n1,100,"36,5",1\n2,200,40,2\n')
    assert found["floor"].to_list() == [36.5, 40.0]


def test_a_survey_whose_numbers_have_two_readings_is_refused_with_the_row(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="consumption in row 2 can be read in two ways"):
        survey(tmp_path, "hhid;consumption;floor;fuel\n1;567;3;1\n2;1.234;4;2\n")


def test_marks_of_nothing_in_a_survey_are_missing_answers(tmp_path: Path) -> None:
    found = survey(tmp_path, "hhid,consumption,floor,fuel\n1,NA,-,NULL\n2,200,40,2\n")
    assert found.row(0) == ("1", None, None, None)


@pytest.mark.parametrize("cells", [("21.000", "26.000", "53"), ("1.234", "567", "890")])
def test_weights_with_two_readings_get_no_seats(tmp_path: Path, cells: tuple[str, ...]) -> None:
    lines = ["code,weight", *(f"{name},{cell}" for name, cell in zip("abc", cells, strict=True))]
    (tmp_path / "weights.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = perlinsos(tmp_path / "home", "quotas", "apportion", "--places", 100, "--weights", tmp_path / "weights.csv")
    assert told.code == 4
    assert "weights.csv, row 2:" in told.err
    assert "thousands or decimals" in told.err


# Encodings


def names_in(encoding: str, *names: str) -> bytes:
    header = ",".join(MEMBER)
    rows = [
        ",".join({**MEMBER, "name": name, "nik": f"351009470385{at:04}"}.values()) for at, name in enumerate(names, 1)
    ]
    return "\n".join([header, *rows, ""]).encode(encoding)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("mac_roman", "Andr\u00e9"), ("mac_roman", "MU\u00d1OZ"), ("mac_roman", "J\u00fcrgen"), ("cp850", "Andr\u00e9"),
        ("cp437", "Mu\u00f1oz"), ("shift_jis", "\u30a2\u30ad\u30e4\u30de"),
        ("cp1251", "\u0418\u0432\u0430\u043d\u043e\u0432"), ("gb18030", "\u5f20\u4e09"),
        ("mac_roman", "MAR\u00cdA"), ("mac_roman", "JES\u00daS"), ("mac_roman", "M\u00c1RQUEZ"),
        ("mac_roman", "ASUNCI\u00d3N"), ("mac_roman", "\u00d3SCAR"), ("mac_roman", "Mar\u00eda"),
        ("mac_roman", "Garc\u00eda"), ("mac_roman", "Rodr\u00edguez"), ("mac_roman", "Mart\u00edn"),
        ("mac_roman", "Jes\u00fas"), ("mac_roman", "Bj\u00f6rn"), ("mac_roman", "No\u00ebl"),
        ("mac_roman", "Mu\u00f1oz"), ("mac_roman", "Ram\u00f3n"), ("cp850", "S\u00e1nchez"),
        ("cp850", "Hern\u00e1ndez"),
        ("cp850", "P\u00e1ez"), ("cp850", "S\u00c1NCHEZ"), ("cp850", "CONCEI\u00c7\u00c3O"), ("cp850", "Jo\u00e3o"),
        ("cp850", "ASUNCI\u00d3N"), ("cp437", "M\u00e1rquez"), ("cp437", "S\u00e1nchez"),
    ],
)  # fmt: skip
def test_names_that_would_be_kept_wrong_refuse_the_file(intake: Intake, encoding: str, name: str) -> None:
    refused = loaded(intake, Feed.MEMBERS, names_in(encoding, "SITI", name))
    assert refused.state is BatchState.REFUSED
    assert "CSV UTF-8" in str(refused.reason)
    assert name not in str(refused.reason)


def test_text_that_was_read_twice_is_refused(intake: Intake) -> None:
    assert loaded(intake, Feed.MEMBERS, names_in("utf-8", "Andr\u00c3\u00a9")).state is BatchState.REFUSED


def test_names_in_windows_letters_stay_themselves(intake: Intake) -> None:
    names = [
        "Andr\u00e9",
        "MU\u00d1OZ",
        "Ma\u2019ruf",
        "Zo\u00eb",
        "M\u00e4kel\u00e4 J\u00e4\u00e4skel\u00e4inen",
        "d\u2019\u00c9lia",
        "Nur\u2019aini",
        "Rif\u2019ah",
        "Jum\u2019at",
        "Syafi\u2019i",
        "Nur\u2019laila",
        "Mas\u2019ud",
        "Ma\u2018ruf",
        "\u2018Aisyah",
        "MA\u2019RUF",
        "NUR\u2019AINI",
        "O\u2019Brien",
        "D\u2019Costa",
        "Siti\u00a0Aminah",
        "Ahmad\u00a0bin\u00a0Ali",
        "SITI\u00a0AMINAH",
        "MAR\u00cdA JOS\u00c9",
        "Jo\u00e3o da Concei\u00e7\u00e3o",
        "CONCEI\u00c7\u00c3O",
        "S\u00e1nchez",
        "NICOL\u00f2",
        "desa\u2013kota",
    ]
    loaded(intake, Feed.MEMBERS, names_in("cp1252", *names))
    assert stored(intake, Feed.MEMBERS)["name"].to_list() == names


# Days that cannot be


@pytest.mark.parametrize(
    "born",
    [
        "2068-01-01", "1025-06-01", "1900-12-04", "2025-12-06", "1001-01-01", "0000-00-00", "0001-01-01", "00/00/1955",
        "1955-00-00", "31/02/1955", "29/02/1955", "0001-01-01T00:00:00", "0000-00-00 00:00:00", "1955-02-30",
        "00-00-0000", "1/0/1955", "01.01.0001", "1955/02/29",
    ],
)  # fmt: skip
def test_a_birth_that_cannot_be_is_unknown_and_the_sender_hears_of_it(intake: Intake, born: str) -> None:
    other = MEMBER | {"nik": "3510094703850002"}
    found = loaded(intake, Feed.MEMBERS, [other, MEMBER | {"birth_date": born}])
    assert (found.rejected, stored(intake, Feed.MEMBERS)["birth_date"].null_count()) == (0, 1)
    assert found.batch is not None
    assert found.batch.unknown_births == 1
    assert any("birth dates of 1 persons" in warning and "row 3" in warning for warning in found.warnings)


@pytest.mark.parametrize("born", ["03/25/1990", "1990-13-05", "32/01/1990", "1990-05-03 17:00 PDT", "1990", "01/01/90"])
def test_a_birth_that_may_be_another_day_is_rejected_as_before(intake: Intake, born: str) -> None:
    found = loaded(intake, Feed.MEMBERS, [MEMBER | {"birth_date": born}])
    assert reasons(found) == [(2, "birth_date", "not_a_date")]


@pytest.mark.parametrize("born", ["2025-12-05", "1900-12-05"])
def test_a_birth_on_the_day_or_125_years_before_is_kept(intake: Intake, born: str) -> None:
    assert not loaded(intake, Feed.MEMBERS, [MEMBER | {"birth_date": born}]).warnings
    assert stored(intake, Feed.MEMBERS)["birth_date"].to_list() == [date.fromisoformat(born)]


@pytest.mark.parametrize(
    ("note", "day", "is_taken"),
    [
        ({}, "2026-02-10", True),
        ({}, "2026-02-11", False),
        ({"issued_on": "2026-01-20"}, "2026-01-20", True),
        ({"issued_on": "2026-01-20"}, "2026-01-21", False),
        ({}, "2052-01-01", False),
        ({}, "1001-01-01", False),
        ({}, "1970-01-01", False),
    ],
)
def test_a_visit_is_no_later_than_the_files_issue(
    intake: Intake, note: Mapping[str, Any], day: str, *, is_taken: bool
) -> None:
    declared = {key: date.fromisoformat(value) for key, value in note.items()}
    found = loaded(intake, Feed.SURVEYS, [SURVEY | {"survey_date": day}], declared)
    if is_taken:
        assert found.rejected == 0
    else:
        assert reasons(found) == [(2, "survey_date", "implausible_day")]
        assert "2000-01-01 - 2026" in found.tally[0].sentence("en")


@pytest.mark.parametrize(("day", "is_taken"), [("2027-03-31", True), ("2027-04-01", False), ("2062-01-01", False)])
def test_a_file_is_not_issued_more_than_a_year_after_its_quarter(intake: Intake, day: str, *, is_taken: bool) -> None:
    note = {"issued_on": date.fromisoformat(day)}
    found = loaded(intake, Feed.SURVEYS, [SURVEY | {"survey_date": "2025-12-05"}], note)
    assert (found.state is BatchState.LOADED) == is_taken
    if not is_taken:
        assert f"The note says that file.csv was issued on {day}" in str(found.reason)
        assert "the latest day is 2027-03-31" in str(found.reason)


def test_a_decree_may_hold_from_a_later_day(intake: Intake) -> None:
    wage = {
        "area_code": "35.10",
        "kind": "umk",
        "valid_from_date": "2027-01-01",
        "minimum_wage_rupiah_month": "3000000",
    }
    kind = read_kind()
    assert loaded(intake, Feed.MINIMUM_WAGES, [wage | {"kind": kind}]).rejected == 0


def read_kind() -> str:
    return str(next(iter(TABLES["intake/minimum_wages"].columns["kind"].metadata["codes"])))


# Marks of nothing


@pytest.mark.parametrize("mark", [*NOTHING, "NA", "N/A", "NULL", "NaN", "None", "\\N", "tidak ada", "kosong", "0"])
def test_a_mark_of_nothing_is_an_empty_cell_where_that_is_allowed(intake: Intake, mark: str) -> None:
    number = mark if mark not in {"tidak ada", "kosong", "0"} else "NA"
    row = MEMBER | {"nik": mark, "school_level": number, "verified_nik": mark}
    assert loaded(intake, Feed.MEMBERS, [row]).rejected == 0
    kept = stored(intake, Feed.MEMBERS).row(0, named=True)
    assert (kept["nik"], kept["school_level"], kept["verified_nik"]) == (None, None, None)


@pytest.mark.parametrize("mark", ["-", "NULL", "null", "nan", "N/A", "\\N", ".", "\u2026", "?"])
def test_nobody_is_called_by_a_mark_of_nothing(intake: Intake, mark: str) -> None:
    rows = [MEMBER, MEMBER | {"nik": "3510094703850002", "name": mark, "birth_date": mark, "education": mark}]
    found = [(3, "birth_date", "missing"), (3, "education", "missing"), (3, "name", "missing")]
    assert reasons(loaded(intake, Feed.MEMBERS, rows)) == found


@pytest.mark.parametrize(
    "mark",
    [
        "tidak ada", "Tidak Ada", "TDK ADA", "KOSONG", "(kosong)", "#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!",
        "#NUM!", "#NULL!", "undefined", "NaT", "(blank)", "(BLANK)", "-----", "---------------", "\u2212", "\u2010",
        "_", "* * *", "()",
    ],
)  # fmt: skip
def test_nobody_is_called_by_words_signs_or_failed_formulas(intake: Intake, tmp_path: Path, mark: str) -> None:
    rows = [MEMBER, MEMBER | {"nik": "3510094703850002", "name": mark}]
    assert reasons(loaded(intake, Feed.MEMBERS, rows)) == [(3, "name", "missing")]
    (tmp_path / "people.csv").write_text(f"no,nama\n1,{mark}\n2,Siti\n", encoding="utf-8")
    people = read_people(tmp_path / "people.csv", PersonSpec(id="no", full_name="nama"), TODAY).people
    assert people["full_name"].to_list() == [None, "Siti"]


@pytest.mark.parametrize(
    "names",
    [
        ("Siti", "Nan"),
        ("Siti", "Nat"),
        ("SITI", "NAT"),
        ("Siti", "Na"),
        ("SITI", "NA"),
        ("siti", "nan"),
        ("SITI", "NAN"),
        ("Siti", "None"),
    ],
)
def test_a_person_called_nan_na_or_none_keeps_the_name(intake: Intake, names: tuple[str, str]) -> None:
    rows = [MEMBER | {"name": name, "nik": f"351009470385000{at}"} for at, name in enumerate(names, 1)]
    assert loaded(intake, Feed.MEMBERS, rows).rejected == 0
    assert stored(intake, Feed.MEMBERS)["name"].to_list() == list(names)


@pytest.mark.parametrize("mark", ["-", "NULL", "NA", "na", "NaN", "None", "\\N", "N/A", "#N/A", "tidak ada", "nil"])
@pytest.mark.parametrize("others", [("A1", "A2"), ("a1", "a2"), ("1", "2"), ()])
def test_an_identifier_of_free_text_is_no_mark_of_nothing(intake: Intake, mark: str, others: tuple[str, ...]) -> None:
    rows = [
        MEMBER | {"nik": f"351009470385000{at}", "agent_id": agent} for at, agent in enumerate((*others, mark), start=1)
    ]
    assert loaded(intake, Feed.MEMBERS, rows).rejected == 0
    assert stored(intake, Feed.MEMBERS)["agent_id"].to_list() == [*others, None]


def test_an_identifier_that_must_be_filled_is_missing_under_a_mark_of_nothing(intake: Intake) -> None:
    agents = [{"agent_id": agent, "kind": "tksk", "regency_code": "35.10"} for agent in ("A1", "NA", "-")]
    assert reasons(loaded(intake, Feed.AGENTS, agents)) == [(3, "agent_id", "missing"), (4, "agent_id", "missing")]


def test_an_identifier_of_free_text_in_wide_letters_is_the_one_in_ascii(intake: Intake) -> None:
    loaded(intake, Feed.MEMBERS, [MEMBER | {"agent_id": "\uff21\uff11"}])
    assert stored(intake, Feed.MEMBERS)["agent_id"].to_list() == ["A1"]


def test_tidak_ada_says_no_where_the_column_has_that_word_and_is_unread_where_it_may_be_zero() -> None:
    told = read(pl.DataFrame({"flag": ["tidak ada"]}), {"flag": Shape(pl.Boolean())})
    assert told["flag"].to_list() == [False]
    assert is_nothing(pl.Series(["tidak ada"]), Shape(pl.Int64())) is None
    assert is_nothing(pl.Series(["kosong"]), Shape(pl.String(), words=("kosong",))) is None
    assert not set(NOTHING) & set(MONTHS)


def test_a_failed_formula_is_no_mark_of_nothing(intake: Intake) -> None:
    assert reasons(loaded(intake, Feed.MEMBERS, [MEMBER | {"school_level": "#N/A"}])) == [
        (2, "school_level", "not_a_number")
    ]


def test_persons_to_link_are_not_called_null_and_are_born_on_their_day(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("no,nama,lahir,nik\n1,NULL,1990-05-03T17:00:00Z,-\n2,Siti,2068-01-01,0\n3,Nan,1990-05-04,12\n")
    spec = PersonSpec(id="no", full_name="nama", birth_date="lahir", national_id="nik")
    found = read_people(file, spec, TODAY)
    assert found.people.rows() == [("1", None, date(1990, 5, 4), None), ("2", "Siti", None, None),
                                   ("3", "Nan", date(1990, 5, 4), "12")]  # fmt: skip
    assert found.unreadable_dates == 1


def test_years_of_two_digits_are_years_of_somebody_alive(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("no,lahir\n1,03/05/68\n2,03/05/24\n")
    spec = PersonSpec.model_validate({"id": "no", "birth_date": {"column": "lahir", "format": "%d/%m/%y"}})
    assert read_people(file, spec, TODAY).people["birth_date"].to_list() == [date(1968, 5, 3), date(2024, 5, 3)]


# Digits of other scripts

ARABIC = str.maketrans("0123456789", "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669")
DEVANAGARI = str.maketrans("0123456789", "\u0966\u0967\u0968\u0969\u096a\u096b\u096c\u096d\u096e\u096f")
RAISED = str.maketrans("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
WIDE = str.maketrans("0123456789.", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff0e")


@pytest.mark.parametrize("digits", [ARABIC, DEVANAGARI, RAISED])
def test_digits_of_other_scripts_are_rejected_with_their_reason(intake: Intake, digits: dict[int, int]) -> None:
    row = MEMBER | {name: MEMBER[name].translate(digits) for name in ("nik", "family_card_number", "relation")}
    assert reasons(loaded(intake, Feed.MEMBERS, [MEMBER, row])) == [
        (3, "family_card_number", "identifier_length"), (3, "nik", "identifier_length"),
        (3, "relation", "not_a_number"),
    ]  # fmt: skip


def test_wide_digits_of_east_asian_keyboards_are_the_digits_they_stand_for(intake: Intake) -> None:
    row = MEMBER | {
        name: MEMBER[name].translate(WIDE) for name in ("nik", "family_card_number", "relation", "birth_date")
    }
    assert loaded(intake, Feed.MEMBERS, [row]).rejected == 0
    kept = stored(intake, Feed.MEMBERS).row(0, named=True)
    assert (kept["nik"], kept["family_card_number"], kept["relation"]) == (MEMBER["nik"], CARD, 1)
    agent = {
        "agent_id": "A1",
        "kind": "tksk",
        "regency_code": "35.10".translate(WIDE),
        "village_code": "",
        "district_code": "",
    }
    assert loaded(intake, Feed.AGENTS, [agent]).rejected == 0
    assert stored(intake, Feed.AGENTS)["regency_code"].to_list() == ["35.10"]


def test_codes_of_regions_are_ascii(intake: Intake) -> None:
    agent = {"agent_id": "A1", "kind": "tksk", "regency_code": "35.10".translate(ARABIC)}
    assert reasons(loaded(intake, Feed.AGENTS, [agent])) == [(2, "regency_code", "regency_code")]


def test_the_text_of_an_unexpected_exception_reaches_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        message = f"conversion failed for {MEMBER['nik']}"
        raise ValueError(message)

    monkeypatch.setattr(cli, "open_home", fail)
    told = perlinsos(tmp_path, "status")
    assert told.code == 1
    assert MEMBER["nik"] not in told.out + told.err
    assert "Traceback" not in told.err
    assert "ValueError at pipelines/cli.py" in told.err
