"""Published files: four ways to open them that agree, and nothing in them, or in any log, that identifies a person."""

import csv
import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import polars as pl
import pytest

from assets.lake import hash_of_file
from schemas.vocabularies import Programme
from tests.homes import (
    FIRST,
    LISTS,
    SECOND,
    Demo,
    Persons,
    decisions,
    perlinsos,
    revision,
    texts_of_databases,
)
from tests.made_senders import sender_of

QUARTERS = (FIRST, SECOND)
SPELLED = r"^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$"
"""A reference as it is read aloud."""
DESIGNED = {
    "recipients": {
        *("quarter", "programme", "reference", "masked_name"),
        *("province_code", "regency_code", "district_code", "village_code"),
    },
    "seats": {
        *("regency_code", "regency_code_bps", "programme", "weight", "exact_share", "remainder", "seats", "cap"),
        "seats_before",
    },
    "region_summary": {
        *("registered", "evaluated", "eligible", "recipients", "waiting", "ineligible", "not_scorable", "held"),
        "programme",
    },
}
DESIGNED["movements"] = {"programme", "region_code", "move", "cause", "families"}
DESIGNED["open_checks"] = {
    "regency_code", "channel", "age_group", "evaluated", "unverified", "pending", "held", "held_one_quarter",
    "held_two_quarters", "held_longer", "with_supervisor", "kept_places",
}  # fmt: skip
DESIGNED["budget"] = {"programme", "region_code", "families", "seats", "amount_rupiah", "ceiling_rupiah"}
DESIGNED["waiting_list"] = DESIGNED["recipients"] | {"queue_position", "places_opened"}
RESTRICTED = {
    "decisions": {
        *("family_id", "reference", "regency_code", "programme", "status", "reasons", "score_micro", "rank", "seats"),
        *("tie_break", "model_hash", "policy_hash", "input_hash"),
    },
    "filters": {"outcome", "observed", "threshold", "source", "source_date"},
    "payments": {"amount_rupiah", "components", "stage"},
    "transitions": {"from_status", "to_status", "cause"},
    "budget": {"region_code", "programme", "families", "amount_rupiah", "ceiling_rupiah"},
    "movements": {"region_code", "programme", "move", "cause", "families"},
    "referrals": {"family_id", "reference", "referral", "facts", "reason_id", "reason_en", "regency_code"},
    "displaced": {"regency_code", "programme", "placed_by", "families", "poorer_micro"},
    "open_checks": DESIGNED["open_checks"],
    "worklist": {"family_id", "reason", "programmes", "is_recipient", "since", "goes_to", "priority"},
}
STANDING_ALONE = re.compile(r"(?<![0-9A-Za-z])[0-9]{16,}(?![0-9A-Za-z])")
TEXT = {".csv", ".json", ".html"}


@pytest.fixture(scope="module")
def persons(demo: Demo) -> Persons:
    """Everybody the demo's files speak of."""
    found = Persons.of(demo.home)
    assert len(found.numbers) > 2_000
    assert len(found.names) > 500
    assert len(found.birth_dates) > 1_000
    return found


def public_files(home: Path) -> list[Path]:
    return sorted(path for path in (home / "published").rglob("*") if path.is_file())


def fields(folder: Path, name: str) -> dict[str, str]:
    """Types of a list's columns as the data package says."""
    package = json.loads((folder / "datapackage.json").read_text())
    resource = next(one for one in package["resources"] if one["path"] == f"{name}.csv")
    return {str(field["name"]): str(field["type"]) for field in resource["schema"]["fields"]}


def as_text(cell: Any) -> str:  # noqa: ANN401 - readers give what they like
    """A cell as the CSV writes it."""
    if cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell):  # noqa: PLR0124 - not a number
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


@pytest.mark.parametrize("quarter", QUARTERS)
@pytest.mark.parametrize("name", LISTS)
def test_polars_duckdb_pandas_and_a_plain_csv_reader_agree_on_every_cell(demo: Demo, quarter: str, name: str) -> None:
    folder = revision(demo.home, quarter)
    parquet, text = folder / f"{name}.parquet", folder / f"{name}.csv"
    with text.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    expected = [tuple(row) for row in rows]
    assert len(expected) == json.loads((folder / "manifest.json").read_text())["files"][parquet.name]["rows"] > 0

    read = pl.read_parquet(parquet)
    assert read.columns == header == list(fields(folder, name))
    assert [tuple(map(as_text, row)) for row in read.iter_rows()] == expected
    assert [tuple(map(as_text, row)) for row in pl.read_csv(text, infer_schema=False).iter_rows()] == expected

    with duckdb.connect() as connection:
        connection.execute("SET autoinstall_known_extensions = false")
        for source in (f"read_parquet('{parquet}')", f"read_csv('{text}', all_varchar = true)"):
            found = connection.execute(f"SELECT * FROM {source}").fetchall()  # noqa: S608
            assert [tuple(map(as_text, row)) for row in found] == expected
    with duckdb.connect(str(folder / "published.duckdb"), read_only=True) as connection:
        found = connection.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608
        assert [tuple(map(as_text, row)) for row in found] == expected

    frames = (pd.read_parquet(parquet, dtype_backend="pyarrow"), pd.read_csv(text, dtype=str))
    for frame in frames:
        assert list(frame.columns) == header
        assert [tuple(map(as_text, row)) for row in frame.itertuples(index=False, name=None)] == expected


def test_codes_are_text_in_every_typed_form_and_keep_their_zeros(demo: Demo) -> None:
    folder = revision(demo.home, FIRST)
    for name in LISTS:
        codes = [column for column in fields(folder, name) if column.endswith(("_code", "_code_bps"))]
        assert codes
        assert {fields(folder, name)[column] for column in codes} == {"string"}
        assert set(pl.read_parquet(folder / f"{name}.parquet").select(codes).dtypes) == {pl.String}
        with duckdb.connect(str(folder / "published.duckdb"), read_only=True) as connection:
            described = connection.execute(f"DESCRIBE {name}").fetchall()
        assert {kind for column, kind, *_ in described if column in codes} == {"VARCHAR"}
    seats = pl.read_parquet(folder / "seats.parquet")
    assert seats["regency_code"].n_unique() == 514
    assert {"35.10", "91.20"} <= set(seats["regency_code"])
    assert "3510" in set(seats["regency_code_bps"])


@pytest.mark.parametrize("quarter", QUARTERS)
def test_the_published_tables_have_the_columns_others_rely_on(demo: Demo, quarter: str) -> None:
    for names, is_restricted in ((DESIGNED, False), (RESTRICTED, True)):
        for name, columns in names.items():
            file = revision(demo.home, quarter, restricted=is_restricted) / f"{name}.parquet"
            assert columns <= set(pl.read_parquet_schema(file)), name


def test_a_list_is_not_published_in_the_order_of_welfare(demo: Demo) -> None:
    listed = pl.read_parquet(revision(demo.home, FIRST) / "recipients.parquet")
    decided = decisions(demo.home, FIRST)
    ranked = listed.join(decided, left_on="reference", right_on="list_reference", maintain_order="left")
    village = ranked.group_by("village_code", "programme").agg("rank").filter(pl.col("rank").list.len() > 2)
    assert village.height > 5
    assert not all(ranks == sorted(ranks) for ranks in village["rank"].to_list())


def test_seats_are_decimals_of_six_places(demo: Demo) -> None:
    rows = pl.read_csv(revision(demo.home, FIRST) / "seats.csv", infer_schema=False)
    for column in ("exact_share", "remainder"):
        assert rows[column].str.contains(r"^\d+\.\d{6}$").all()


def test_the_manifest_names_every_list_with_its_bytes(demo: Demo) -> None:
    for quarter in QUARTERS:
        folder = revision(demo.home, quarter)
        files = json.loads((folder / "manifest.json").read_text())["files"]
        assert set(files) == {f"{name}.{form}" for name in LISTS for form in ("csv", "parquet")}
        for name, said in files.items():
            assert hash_of_file(folder / name) == said["sha256"]
            assert (folder / name).stat().st_size == said["bytes"]


def test_masked_names_show_one_letter_of_each_word(demo: Demo) -> None:
    for quarter in QUARTERS:
        for name in ("recipients", "waiting_list"):
            masked = pl.read_parquet(revision(demo.home, quarter) / f"{name}.parquet")["masked_name"]
            assert masked.str.contains(r"^\p{Lu}\*\*\*( \p{Lu}\*\*\*)*$").all()


def test_restricted_references_are_one_to_a_family_and_the_same_in_both_quarters(demo: Demo) -> None:
    both = pl.concat([decisions(demo.home, quarter).select("family_id", "reference") for quarter in QUARTERS]).unique()
    assert both["family_id"].is_unique().all()
    assert both["reference"].is_unique().all()
    assert both["reference"].str.contains(SPELLED).all()


def test_no_reference_leads_from_one_public_list_to_another(demo: Demo) -> None:
    lists = [
        pl.read_parquet(revision(demo.home, quarter) / f"{name}.parquet").filter(programme=programme)["reference"]
        for quarter, name, programme in product(QUARTERS, ("recipients", "waiting_list"), Programme)
    ]
    listed = pl.concat(lists)
    assert min(map(len, lists)) > 0
    assert listed.str.contains(SPELLED).all()
    assert listed.is_unique().all()
    for quarter in QUARTERS:
        decided = decisions(demo.home, quarter)
        assert listed.is_in(decided["reference"].implode()).sum() == 0
        several = decided.filter(pl.col("status") == "recipient", pl.len().over("family_id", "status") > 1)
        assert several.height > 0


def test_nothing_public_identifies_a_person(demo: Demo, persons: Persons) -> None:
    read = 0
    for path in public_files(demo.home):
        if path.suffix in TEXT:
            assert persons.found_in(path.read_text(encoding="utf-8")) == [], path.name
        elif path.suffix == ".parquet":
            assert persons.found_in(pl.read_parquet(path).cast(pl.String).write_csv(separator="\n")) == [], path.name
        else:
            assert path.suffix == ".duckdb"
            with duckdb.connect(str(path), read_only=True) as connection:
                for (table,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall():
                    rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
                    assert persons.found_in(repr(rows)) == [], table
            content = path.read_bytes().decode("latin-1")
            assert persons.found_in(content) == [], path.name
        read += 1
    assert read > 20


def test_the_search_for_persons_finds_them_where_they_are(demo: Demo, persons: Persons) -> None:
    batches = [path.read_text() for path in demo.home.glob("landing/done/*/*35.10.csv")]
    members = next(text for text in batches if "birth_date" in text.splitlines()[0])
    row = dict(zip(members.splitlines()[0].split(","), members.splitlines()[1].split(","), strict=True))
    for hidden in (row["nik"], row["family_card_number"], row["birth_date"], f"x {row['name'].upper()}, y"):
        assert persons.found_in(f'{{"told": "{hidden}"}}') != []
    head = decisions(demo.home, FIRST).select(pl.col("masked_name").unique())
    assert persons.found_in(head.write_csv()) == []


def test_no_public_text_holds_sixteen_digits_standing_alone(demo: Demo) -> None:
    for path in public_files(demo.home):
        if path.suffix in TEXT:
            # A decimal point is no letter: digits behind it stand alone, too.
            assert STANDING_ALONE.findall(path.read_text(encoding="utf-8")) == [], path
    for alone in ("0.1234567890123456", '"3510090101900001"', "3510090101900001234", "a,3510090101900001\n"):
        assert STANDING_ALONE.search(alone)
    assert not STANDING_ALONE.search("ab1234567890123456cd 123456789012345 0.123456")


def test_no_log_event_draft_or_answer_of_the_house_identifies_a_person(demo: Demo, persons: Persons) -> None:
    assert persons.found_in(demo.said.out + demo.said.err) == []
    events = 0
    for path, text in texts_of_databases(demo.home / "dagster"):
        assert persons.found_in(text) == [], path.name
        events += text.count("STEP_SUCCESS")
    assert events >= 14
    kept = [
        path
        for name in ("dagster", "drafts", "locks", "models", "published", "keys")
        for path in (demo.home / name).rglob("*")
        if path.is_file()
    ]
    assert len(kept) > 40
    for path in [*kept, demo.home / "overlay.yaml", demo.home / "warehouse.duckdb"]:
        assert persons.found_in(path.read_bytes().decode("latin-1")) == [], path.name
        assert persons.found_in(path.name) == []


def test_a_refused_file_full_of_persons_leaves_none_of_them_in_logs_errors_or_events(
    demo_copy: Path, persons: Persons
) -> None:
    members = next(
        path for path in demo_copy.glob("landing/done/*/*35.10.csv") if "birth_date" in path.read_text()[:200]
    )
    registrations = next(
        path for path in demo_copy.glob("landing/done/*/*35.10.csv") if "channel" in path.read_text()[:200]
    )
    header, *rows = members.read_text().splitlines()
    moved = [",".join([*row.split(",")[1:], row.split(",")[0]]) for row in rows]
    spoilt = {
        ("members", "moved.csv"): "\n".join([header, *moved]),
        ("members", "open.csv"): "\n".join([header, *('"' + row for row in rows)]),
        ("members", "headless.csv"): "\n".join(rows),
        ("registrations", "villages.csv"): registrations.read_text().replace(",35.10.", ",3510090101900001"),
        ("evidence", "evidence.csv"): members.read_text(),
    }
    said = []
    for (feed, name), text in spoilt.items():
        file = demo_copy.parent / name
        file.write_text(text)
        loaded = perlinsos(demo_copy, "load", feed, file, "--quarter", FIRST, "--sender", sender_of(feed))
        assert loaded.code == 4, (name, loaded.out)
        said.append(loaded)
        folder = demo_copy / "landing" / FIRST / feed
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        (folder / f"{name}.yaml").write_text(f"sender: {sender_of(feed)}\n")
    said.append(perlinsos(demo_copy, "run", FIRST, "--first"))
    assert said[-1].code == 4
    assert len(said[-1].err.strip().splitlines()) == 1
    assert "5 file(s) of landing/2026Q1 were refused" in said[-1].err
    for one in said:
        assert persons.found_in(one.out + one.err) == []
        assert STANDING_ALONE.findall(one.err) == []
    for path, text in texts_of_databases(demo_copy / "dagster"):
        assert persons.found_in(text) == [], path.name


def test_a_template_opens_in_a_spreadsheet_with_its_columns_as_text(demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "members.xlsx"
    assert perlinsos(demo.home, "template", "members", "--out", path).code == 0
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["data", "columns", "codes", "example"]
    header = [cell.value for cell in book["data"][1]]
    assert header[:3] == ["family_card_number", "nik", "name"]
    widths = book["data"].column_dimensions
    assert all(openpyxl_format == "@" for openpyxl_format in {widths["A"].number_format, widths["B"].number_format})
    explained = [row[0].value for row in book["columns"].iter_rows(min_row=2)]
    assert explained == header


def test_the_workbook_of_a_regency_holds_its_lists_with_codes_as_text(demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "banyuwangi.xlsx"
    assert perlinsos(demo.home, "workbook", SECOND, "--region", "35.10", "--out", path).code == 0
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["recipients", "waiting_list"]
    for name in book.sheetnames:
        published = pl.read_parquet(demo.home / "published" / SECOND / "r1" / f"{name}.parquet")
        header, *rows = book[name].iter_rows(values_only=True)
        mine = published.filter(regency_code="35.10")
        assert list(header) == published.columns
        assert rows == mine.rows()
        assert {row[header.index("regency_code")] for row in rows} == {"35.10"}
