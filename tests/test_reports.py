"""The press: the summary page, the data dictionary and the data package, from small frames made by contract."""

import json
import re
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest

from assets.publication.lists import movements as public_movements
from quotas.changes import changes
from quotas.overlay import Overlay
from quotas.rulebook import rulebook
from reports.dictionary import allowed, datapackage, dictionary_page
from reports.pages import page
from reports.summary import LONG, summary_page
from schemas.errors import Refused
from schemas.messages import NOTHING
from schemas.tables import TABLES

SUMMARY, SEATS = TABLES["publication/region_summary"], TABLES["decision/seats"]
SHA = "ab" * 32
MANIFEST: dict[str, Any] = {
    "quarter": "2026Q1",
    "revision": 1,
    "draft": "d1" * 32,
    "policy_hash": "e2" * 32,
    "model_hash": "f3" * 32,
    "scaled": True,
    "overlay": "demo-scale",
    "announcement": "2026-02-02",
    "objection_deadline": "2026-03-02",
    "rules_changed": [],
    "files": {
        "recipients.csv": {"sha256": SHA, "bytes": 251_904, "rows": 2130},
        "recipients.parquet": {"sha256": SHA, "bytes": 60_112, "rows": 2130},
        "seats.csv": {"sha256": SHA, "bytes": 1_112, "rows": 8},
    },
}


def summary(*rows: tuple[str, str, tuple[int | None, ...]]) -> pl.DataFrame:
    """Rows of level regency: code, programme, and the nine counts."""
    counts = (
        "registered",
        "evaluated",
        "eligible",
        "recipients",
        "both",
        "waiting",
        "ineligible",
        "not_scorable",
        "held",
    )
    known = [
        {"quarter": "2026Q1", "level": "regency", "region_code": code, "programme": programme}
        | dict(zip(counts, numbers, strict=True))
        for code, programme, numbers in rows
    ]
    known.append({**known[0], "level": "village", "region_code": "35.10.01.2001", "registered": 987_654})
    return SUMMARY.fit(pl.DataFrame(known, schema=SUMMARY.dtypes))


def budget(*rows: tuple[str, str, int, int | None, int | None]) -> pl.DataFrame:
    """Code ('all': the nation), programme, families paid, amount, ceiling; the average and full cost follow."""
    contract = TABLES["publication/budget"]
    known = [
        {
            "quarter": "2026Q1", "stage": 1, "level": "nation" if code == "all" else "regency", "region_code": code,
            "programme": programme, "families": families, "seats": 2 * families, "amount_rupiah": amount,
            "mean_rupiah": amount and amount // families, "full_rupiah": amount and 2 * amount,
            "ceiling_rupiah": ceiling, "ceiling_share_micro": ceiling and amount and amount * 1_000_000 // ceiling,
        }
        for code, programme, families, amount, ceiling in rows
    ]  # fmt: skip
    return contract.fit(pl.DataFrame(known, schema=contract.dtypes))


BUDGET = budget(("all", "PKH", 2130, 1_234_500_000, 7_175_000_000_000), ("35.10", "PKH", 2130, 1_234_500_000, None))


def movements(*rows: tuple[str, str, str | None, int]) -> pl.DataFrame:
    """Region, way, cause, families of PKH."""
    known = [
        {
            "region_code": region, "move": move, "cause": cause, "families": families, "quarter": "2026Q1",
            "level": "nation" if region == "all" else "regency", "programme": "PKH",
        }
        for region, move, cause, families in rows
    ]  # fmt: skip
    contract = TABLES["publication/movements"]
    return contract.fit(pl.DataFrame(known, schema=contract.dtypes))


def seats(*rows: tuple[str, str, int, str, int, int | None]) -> pl.DataFrame:
    """Code, programme, poor people, exact share, places, places before."""
    known = [
        {
            "regency_code": code,
            "regency_code_bps": code.replace(".", ""),
            "programme": programme,
            "weight": weight,
            "exact_share": Decimal(share),
            "remainder": Decimal(share) % 1,
            "has_remainder_seat": number > int(Decimal(share)),
            "seats": number,
            "floor": None,
            "cap": None,
            "seats_before": before,
            "change": None if before is None else number - before,
        }
        for code, programme, weight, share, number, before in rows
    ]
    return SEATS.fit(pl.DataFrame(known, schema=SEATS.dtypes))


BANYUWANGI = ("35.10", "PKH", (6100, 6100, 1430, 620, 300, 810, 4500, 130, 40))
JEMBER = ("35.09", "PKH", (8200, None, 2650, 1040, 500, 1610, None, None, None))
PLACES = seats(
    ("35.10", "PKH", 100_130, "619.511000", 620, 600),
    ("35.09", "PKH", 224_770, "1390.200000", 1390, 1400),
    ("11.01", "PKH", 25_390, "157.100000", 157, None),
)


MOVED = movements(
    ("35.10", "promoted", None, 40), ("35.10", "leaves", None, 12), ("35.10", "displaced", None, 8),
    ("all", "promoted", "newcomers", 30), ("all", "promoted", "seats", 7), ("all", "promoted", None, 3),
    ("all", "leaves", "evidence", 12), ("all", "displaced", "own_data", 8),
)  # fmt: skip


CHECKS = pl.DataFrame(
    [("2026Q1", "35.10", "agent", "sixty_and_older", 900, 410, 0, 21, 14, 7, 0, None, 55)],
    schema=TABLES["publication/open_checks"].dtypes,
    orient="row",
)


def public(
    counted: pl.DataFrame, places: pl.DataFrame = PLACES, costs: pl.DataFrame = BUDGET
) -> dict[str, pl.DataFrame]:
    return {
        "region_summary": counted, "seats": places, "budget": costs, "movements": MOVED, "open_checks": CHECKS,
    }  # fmt: skip


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self.in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
            self.in_cell = True
        elif tag == "a":
            self.links.append(dict(attrs)["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data.strip()}".strip()


def read(html: str) -> _Text:
    found = _Text()
    found.feed(html)
    return found


def row_of(html: str, start: str) -> list[str]:
    return next(row for row in read(html).rows if row and row[0].startswith(start))


def test_the_summary_shows_the_counts_of_every_regency_and_suppressed_ones_as_a_dash() -> None:
    html = summary_page(public(summary(BANYUWANGI, JEMBER)), MANIFEST)
    counted = row_of(html, "Kabupaten Banyuwangi 35.10")
    assert counted[1:] == ["6.100", "6.100", "1.430", "620", "300", "810", "4.500", "130", "40"]
    assert row_of(html, "Kabupaten Jember 35.09")[1:] == [
        "8.200",
        NOTHING,
        "2.650",
        "1.040",
        "500",
        "1.610",
        NOTHING,
        NOTHING,
        NOTHING,
    ]
    assert "987.654" not in html


def test_the_summary_counts_families_with_both_programmes_and_with_one_alone() -> None:
    bpnt = ("35.10", "BPNT", (6100, 6100, 2000, 1100, 300, 900, 4000, 60, 40))
    html = summary_page(public(summary(BANYUWANGI, bpnt)), MANIFEST, "en")
    figures = re.findall(r"<p><strong>([\d,]+)</strong>(receive both|PKH alone|BPNT alone)</p>", html)
    assert figures == [("300", "receive both"), ("320", "PKH alone"), ("800", "BPNT alone")]


def test_a_total_is_withheld_where_a_part_is_suppressed_because_it_would_give_it_away() -> None:
    html = summary_page(public(summary(BANYUWANGI, JEMBER)), MANIFEST)
    totals = ["14.300", NOTHING, "4.080", "1.660", "800", "2.420", NOTHING, NOTHING, NOTHING]
    assert row_of(html, "Jumlah")[1:] == totals


def test_the_places_are_shown_with_their_arithmetic_and_other_regencies_in_one_row() -> None:
    html = summary_page(public(summary(BANYUWANGI, JEMBER)), MANIFEST, "en")
    rows = [row for row in read(html).rows if row and row[0].startswith("Kabupaten Banyuwangi")]
    assert rows[1][1:] == ["3510", "100,130", "619.511000", "0.511000 ●", "620", "600", "+20"]
    assert row_of(html, "Other regencies")[2] == "25,390"
    assert row_of(html, "Other regencies")[5] == "157"
    totals = [row for row in read(html).rows if row and row[0] == "Total"]
    assert (totals[1][2], totals[1][5]) == ("350,290", "2,167")


def test_who_waits_for_a_check_is_told_by_channel_and_age_and_small_counts_are_a_dash() -> None:
    html = summary_page(public(summary(BANYUWANGI)), MANIFEST, "en")
    found = [row for row in read(html).rows if "60 and older" in row]
    assert [row[2:] for row in found] == [["60 and older", "900", "410", "0", "21", "14", "7", "0", NOTHING, "55"]]
    nobody = summary_page(public(summary(BANYUWANGI)) | {"open_checks": CHECKS.clear()}, MANIFEST, "en")
    assert "Who waits for a check" not in nobody


def test_bars_are_as_long_as_their_counts_and_told_in_words() -> None:
    html = summary_page(public(summary(BANYUWANGI, JEMBER)), MANIFEST, "en")
    assert 'aria-label="1,040 recipients, 1,610 waiting, 1,390 places"' in html
    bars = re.findall(r"<svg.*?</svg>", html)
    jember, banyuwangi = (re.findall(r'<rect (?:x="\d+" )?width="(\d+)"', bar) for bar in bars)
    # Jember's 2,650 families are the widest bar of 1,000; 1,040 of them receive.
    assert jember[1:3] == ["392", "607"]
    assert banyuwangi[1:3] == ["233", "305"]


def test_a_scaled_revision_says_so_and_another_does_not() -> None:
    assert "demo-scale" in summary_page(public(summary(BANYUWANGI)), MANIFEST)
    assert "diperkecil" not in summary_page(public(summary(BANYUWANGI)), MANIFEST | {"scaled": False, "overlay": None})


def test_the_summary_says_how_and_until_when_to_object_and_links_the_lists_beside_it() -> None:
    html = summary_page(public(summary(BANYUWANGI)), MANIFEST)
    assert "dari 2 Februari 2026 sampai 2 Maret 2026. Sistem ini belum memproses sanggahan." in html
    assert read(html).links == ["../recipients.csv", "../recipients.parquet", "../seats.csv"]
    assert row_of(html, "recipients.csv")[1:] == ["251.904 B", SHA]
    assert all(MANIFEST[name] in html for name in ("draft", "policy_hash", "model_hash"))


def test_the_summary_tells_which_rules_changed_from_what_to_what_and_by_which_source() -> None:
    laid = {"programmes.BPNT.max_decile": 4, "minimum_wages.regency.35.10": 3_100_000, "filters.gambling_above": None}
    before, now = (rulebook(one).on(date(2026, 1, 26)) for one in (None, Overlay.of("test", "For a test", laid)))
    manifest = MANIFEST | {"rules_changed": [change.to_json() for change in changes(before, now)]}
    html = summary_page(public(summary(BANYUWANGI)), manifest, "en")
    wage, decile = (row_of(html, name) for name in ("minimum_wages.regency 35.10", "programmes.BPNT.max_decile"))
    source = "Overlay 'test': For a test"
    assert wage[0].startswith("minimum_wages.regency 35.10 Kabupaten Banyuwangi")
    assert wage[1:] == ["Rp 2,989,145 a month", "Rp 3,100,000 a month", source]
    assert decile == ["programmes.BPNT.max_decile Highest welfare decile that qualifies", "5", "4", source]
    gambling = row_of(html, "filters.gambling_above")
    assert "5,000,000" in gambling[1]
    assert gambling[2] == "none"
    indonesian = summary_page(public(summary(BANYUWANGI)), manifest)
    assert row_of(indonesian, "minimum_wages.regency 35.10")[1:3] == [
        "Rp 2.989.145 per bulan",
        "Rp 3.100.000 per bulan",
    ]
    assert "Aturan yang berubah" in indonesian
    assert changes(now, now) == ()
    assert "Aturan yang berubah" not in summary_page(public(summary(BANYUWANGI)), MANIFEST)


def test_a_page_of_the_whole_nation_is_folded_up() -> None:
    many = [(f"{11 + n // 90}.{n % 90 + 10}", "PKH", BANYUWANGI[2]) for n in range(LONG + 1)]
    assert "<details open>" in summary_page(public(summary(*many[:-1])), MANIFEST)
    everywhere = public(summary(*many)) | {"open_checks": pl.concat([CHECKS] * (LONG + 1))}
    assert "<details open>" not in summary_page(everywhere, MANIFEST).partition("<h2>")[0]


def test_places_of_other_areas_than_regencies_are_shown_as_they_are() -> None:
    html = summary_page(public(summary(BANYUWANGI), seats(("V-001", "PKH", 12, "3.000000", 3, None))), MANIFEST)
    assert row_of(html, "V-001")[2:] == ["12", "3,000000", "0,000000", "3", "", ""]


def test_a_floor_or_a_cap_is_shown_where_one_is_set() -> None:
    html = summary_page(public(summary(BANYUWANGI), PLACES.with_columns(floor=pl.lit(17, pl.Int64))), MANIFEST)
    rows = [row for row in read(html).rows if row and row[0].startswith("Kabupaten Banyuwangi")]
    assert rows[1][-3:] == ["17", "600", "+20"]
    assert "Paling sedikit" in html
    assert "Paling banyak" not in html


def test_the_summary_loads_nothing_and_escapes_what_it_is_given() -> None:
    html = summary_page(public(summary(BANYUWANGI)), MANIFEST | {"overlay": "<script>alert(1)</script>"})
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    for loading in ("http://", "https://", "<link", "@import", "url(", "src="):
        assert loading not in html


def test_the_same_frames_in_any_order_give_the_same_page() -> None:
    counted = summary(BANYUWANGI, JEMBER)
    other = {name: table.reverse() for name, table in public(counted).items()}
    assert summary_page(public(counted), MANIFEST) == summary_page(other, MANIFEST)


def test_no_number_of_the_page_could_be_a_personal_number() -> None:
    html = summary_page(public(summary(BANYUWANGI, JEMBER)), MANIFEST)
    assert re.search(r"(?<![0-9a-f])\d{16}(?![0-9a-f])", html) is None


def test_a_template_that_asks_for_what_it_was_not_given_fails() -> None:
    with pytest.raises(Exception, match="'about' is undefined"):
        page("summary.html", "id")


def test_the_dictionary_tells_every_column_of_every_table() -> None:
    text = dictionary_page(TABLES)
    for key, contract in TABLES.items():
        section = text.partition(f"## {key}\n")[2].partition("\n## ")[0]
        assert contract.description in section
        assert f"One row per {contract.grain}." in section
        told = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
        assert told == list(contract.columns)


def test_a_row_of_the_dictionary_has_type_unit_source_and_allowed_values() -> None:
    text = dictionary_page(TABLES)
    assert "| `floor_area_m2` | Int32 | m2 | yes | regsosek2022 302 | 1 to 999 | Floor area (Luas lantai). |" in text
    assert all(line.replace("\\|", "").count("|") in {5, 8} for line in text.splitlines() if line.startswith("|"))


def test_what_a_column_may_hold_is_said_in_words() -> None:
    columns = {**TABLES["intake/members"].columns, **TABLES["intake/consumption_survey"].columns}
    assert allowed(columns["sex"]) == "male, female"
    assert allowed(columns["marital_status"]) == "1 to 4"
    assert allowed(columns["is_pregnant"]) == ""
    assert allowed(columns["weight"]) == "above 0"
    assert allowed(columns["has_car"]) == "0, 1"


def test_the_data_package_describes_every_file_with_its_hash_size_and_fields() -> None:
    contracts = {"recipients": TABLES["publication/recipients"], "seats": SEATS}
    package = json.loads(json.dumps(datapackage(contracts, MANIFEST)))
    assert (package["name"], package["version"]) == ("perlinsos-2026q1-r1", "2026Q1-r1")
    names = [resource["name"] for resource in package["resources"]]
    assert names == ["recipients-csv", "recipients-parquet", "seats-csv"]
    places = package["resources"][2]
    assert (places["path"], places["bytes"], places["hash"]) == ("seats.csv", 1_112, f"sha256:{SHA}")
    assert places["schema"]["primaryKey"] == ["programme", "regency_code"]
    fields = {field["name"]: field for field in places["schema"]["fields"]}
    assert list(fields) == list(SEATS.columns)
    assert {name: fields[name]["type"] for name in ("programme", "seats", "exact_share", "has_remainder_seat")} == {
        "programme": "string",
        "seats": "integer",
        "exact_share": "number",
        "has_remainder_seat": "boolean",
    }
    assert fields["programme"]["constraints"] == {"required": True, "enum": ["PKH", "BPNT"]}
    assert "constraints" not in fields["cap"]


@pytest.mark.parametrize("stem", ["decisions", "forgotten"])
def test_a_file_that_is_not_public_gets_no_data_package(stem: str) -> None:
    manifest = MANIFEST | {"files": {f"{stem}.csv": {"sha256": SHA, "bytes": 1}}}
    with pytest.raises(Refused, match=f"{stem}.csv has no contract of a public table"):
        datapackage({"decisions": TABLES["decision/decisions"]}, manifest)


def test_the_summary_shows_what_the_stage_costs_beside_the_ceiling() -> None:
    html = summary_page(public(summary(BANYUWANGI)), MANIFEST)
    assert "Rp 1.234.500.000 dari pagu nasional Rp 7.175.000.000.000 untuk tahap ini (0,02%)." in html
    assert "2.469.000.000" in html
    little = budget(("all", "PKH", 5, 1_000, 7_175_000_000_000), ("35.10", "PKH", 5, 1_000, None))
    assert "(kurang dari 0,01%)" in summary_page(public(summary(BANYUWANGI), costs=little), MANIFEST)
    none = budget(("all", "PKH", 3, None, None), ("35.10", "PKH", 3, None, None))
    english = summary_page(public(summary(BANYUWANGI), costs=none), MANIFEST, "en")
    assert "No national ceiling is set for this year." in english


def test_the_summary_tells_who_moved_and_why_and_what_it_adds_up_to() -> None:
    html = summary_page(public(summary(BANYUWANGI)), MANIFEST, "en")
    rows = [row for row in read(html).rows if row and row[0].startswith("Kabupaten Banyuwangi")]
    assert ["0", "40", "12", "8", "+20"] in [row[1:] for row in rows]
    assert row_of(html, "Promoted from the queue")[1:] == ["Other families registered newly", "30"]
    assert ["", "Other causes (few families each)", "3"] in read(html).rows


def test_a_quarter_in_which_nobody_moved_shows_no_moves() -> None:
    still = public(summary(BANYUWANGI)) | {"movements": MOVED.clear()}
    assert "Siapa masuk" not in summary_page(still, MANIFEST)


RESTRICTED_MOVES = [
    ("35.10", "enters", "own_data", 20), ("35.10", "enters", "evidence", 2), ("35.10", "enters", "policy", 9),
    ("all", "enters", "own_data", 20), ("all", "enters", "evidence", 2), ("all", "enters", "policy", 9),
    ("all", "leaves", "evidence", 1),
]  # fmt: skip


def test_public_moves_tell_no_cause_of_a_regency_nor_of_few_families() -> None:
    told = public_movements(movements(*RESTRICTED_MOVES)).select("region_code", "move", "cause", "families").rows()
    assert set(told) == {
        ("35.10", "enters", None, 31), ("all", "enters", "own_data", 20), ("all", "enters", None, 11),
        ("all", "leaves", None, 1),
    }  # fmt: skip
