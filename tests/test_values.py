"""Cells as people write them: read where one meaning is possible, left unread where two are."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.intake.checking import check
from assets.intake.declaration import Declaration
from assets.intake.values import MONTHS, NO, YES, Shape, labels_of, read
from reports.sheets import codes_of, landing_columns
from reports.template import example_of
from schemas.contract import Contract
from schemas.feed_columns import YES_OR_NO
from schemas.messages import Words, catalogue
from schemas.tables import TABLES

AMOUNT, AREA, CODE, FLAG = (
    Shape(pl.Int64()),
    Shape(pl.Int32(), 1, 999),
    Shape(pl.Int32(), 1, 9),
    Shape(pl.Int32(), 0, 1),
)
WAGE = Shape(pl.Int64(), 1_000_000, 20_000_000)
MEASURE, DAY, YESNO = Shape(pl.Float64()), Shape(pl.Date()), Shape(pl.Boolean())
WORD = Shape(pl.String(), words=("portal", "village_office", "PKH"), spellings=(("kantor desa", "village_office"),))
NAME = Shape(pl.String(), is_free=True)
JULY = date(2024, 7, 1)


def column(shape: Shape, *cells: str | None) -> list[Any]:
    text = pl.DataFrame({"cell_of": list(cells)}, schema={"cell_of": pl.String})
    found = read(text, {"cell_of": shape})["cell_of"]
    assert found.dtype == shape.dtype
    return found.to_list()


@pytest.mark.parametrize(
    ("shape", "cell", "value"),
    [
        (AMOUNT, "12", 12),
        (AMOUNT, "0012", 12),
        (AMOUNT, "-1", -1),
        (AMOUNT, "+5", 5),
        (AMOUNT, "500000.0", 500_000),
        (AMOUNT, "500000,00", 500_000),
        (AMOUNT, "1.250.000", 1_250_000),
        (AMOUNT, "1,250,000", 1_250_000),
        (AMOUNT, "-1.250.000", -1_250_000),
        (AMOUNT, "500.000,00", 500_000),
        (AMOUNT, "500,000.00", 500_000),
        (AMOUNT, "1.250.000,00", 1_250_000),
        (AMOUNT, "Rp 1.250.000", 1_250_000),
        (AMOUNT, "rp. 500.000,00", 500_000),
        (AMOUNT, "Rp500.000,-", 500_000),
        (AMOUNT, "500.000,--", 500_000),
        (AMOUNT, "1\xa0250 000", 1_250_000),
        (AMOUNT, "\u2019500000", 500_000),
        (MEASURE, "Rp 1.250.000", 1_250_000.0),
        (AREA, "36.000", 36),
        (AREA, "36,000", 36),
        (CODE, "2.0", 2),
        (WAGE, "2.989.145", 2_989_145),
        (FLAG, "1.0", 1),
        (FLAG, "Ya", 1),
        (FLAG, "TIDAK", 0),
        (MEASURE, "12.5", 12.5),
        (MEASURE, "12,5", 12.5),
        (MEASURE, "-0,125", -0.125),
        (MEASURE, "1.234,5", 1234.5),
        (MEASURE, "1,234.5", 1234.5),
        (MEASURE, "1.234.567", 1_234_567.0),
        (MEASURE, "1e3", 1000.0),
        (YESNO, "true", True),
        (YESNO, "Ya", True),
        (YESNO, "1.0", True),
        (YESNO, "tidak ada", False),
        (YESNO, "0", False),
        (WORD, "PORTAL", "portal"),
        (WORD, "Village Office", "village_office"),
        (WORD, "village-office", "village_office"),
        (WORD, "Kantor Desa", "village_office"),
        (WORD, "pkh", "PKH"),
        (WORD, "'PKH", "PKH"),
        (WORD, "`Kantor Desa", "village_office"),
        (NAME, "SITI AMINAH", "SITI AMINAH"),
        (NAME, "two\nlines", "two\nlines"),
        (NAME, "Ny. é", "Ny. é"),
    ],
)
def test_a_cell_with_one_meaning_is_read(shape: Shape, cell: str, value: object) -> None:
    assert column(shape, cell) == [value]


@pytest.mark.parametrize(
    ("shape", "cell"),
    [
        (AMOUNT, "500.000"),
        (AMOUNT, "500,000"),
        (AMOUNT, "1.5"),
        (AMOUNT, "1.25.000"),
        (AMOUNT, "012.345.678"),
        (AMOUNT, "1.250,000"),
        (AMOUNT, "USD 500000"),
        (AMOUNT, "3.51E+15"),
        (AMOUNT, "=1+1"),
        (AMOUNT, "ya"),
        (AMOUNT, "9" * 20),
        (AMOUNT, "\u0661"),
        (AREA, "36.5"),
        (CODE, "ya"),
        (CODE, "99999999999"),
        (MEASURE, "nan"),
        (MEASURE, "inf"),
        (MEASURE, "1e999"),
        (MEASURE, "1,2,3"),
        (MEASURE, "12,"),
        (YESNO, "perhaps"),
        (YESNO, "2"),
        (NAME, "SITI\x00AMINAH"),
        (NAME, "\x1b[31m"),
    ],
)
def test_a_cell_with_two_meanings_or_none_stays_unread(shape: Shape, cell: str) -> None:
    assert column(shape, cell) == [None]
    assert f"row.{shape.fault}" in catalogue()


def test_thousands_points_are_read_alone_where_the_column_leaves_no_doubt() -> None:
    assert column(Shape(pl.Int64(), 10_000), "500.000") == [500_000]
    assert column(Shape(pl.Int64(), 0, 999), "500.000") == [500]
    assert column(Shape(pl.Int64(), 0, 500_000), "500.000") == [None]


def test_a_word_of_no_vocabulary_stays_for_the_check_to_name() -> None:
    assert column(WORD, "KIP", "portal", None) == ["KIP", "portal", None]


def test_two_stands_for_no_where_the_contract_spells_it_so() -> None:
    flag = Shape(pl.Int32(), 0, 1, spellings=(("2", "0"), ("ada", "1")))
    assert column(flag, "1", "2", "2.0", "0", "ADA", "3") == [1, 0, 0, 0, 1, 3]
    assert column(FLAG, "2") == [2]


@pytest.mark.parametrize(
    "cell",
    [
        "2024-07-01", "2024-7-1", "2024/07/01", "01/07/2024", "1/7/2024", "01-07-2024", "1.7.2024", "1 Juli 2024",
        "01 JUL 2024", "1-Jul-2024", "Senin, 1 Juli 2024", "1 July 2024", "2024-07-01T00:00:00",
        "2024-07-01 00:00:00.000", "01/07/2024 7:30", "20240701", "01072024", "'01/07/2024",
        "July 1, 2024", "JULY 01, 2024", "Jul 1 2024", "Juli 1, 2024", "Jul-01-2024", "July 1st, 2024", "1st July 2024",
        "1 July, 2024", "Monday, July 1, 2024", "Mon Jul 01 2024", "Senin 1 Juli 2024", "Mon, 1 Jul 2024",
        "Sun, 30 Jun 2024 17:00:00 GMT (Coordinated Universal Time)", "Jul. 1, 2024",
        "2024-Jul-01", "2024 Juli 1", "Sen, 1 Jul 2024", "Monday 1 July 2024", "1 Jul. 2024", "1/Jul/2024", "01JUL2024",
        "Mon Jul 01 2024 00:00:00 GMT+0700 (Western Indonesia Time)", "Sun, 30 Jun 2024 17:00:00 GMT",
        "Jul 1, 2024 12:00:00 AM",
    ],
)  # fmt: skip
def test_days_are_read_in_every_order_that_names_one_day(cell: str) -> None:
    assert column(DAY, cell) == [JULY]


@pytest.mark.parametrize(
    "cell",
    [
        "01/07/24", "24-07-01", "0024-07-01", "+024-07-01", "12024-7-1", "31/02/2024", "2024-13-01", "07/25/2024",
        "2024-07-011", "2024", "45474", "1 Juli 24", "1 Julember 2024", "31 Juni 2024", "soon", "3.51E+15",
        "20241301", "13072424", "20240732", "July 1, 24", "July 32, 2024", "July 12024", "Julember 1, 2024",
        "1 7 Juli 2024", "sebelum 1 Juli 2024", "Juli 2024", "1-2 Juli 2024", "July 1", "Ma 1 2024", "Ju 1, 2024",
    ],
)  # fmt: skip
def test_what_names_no_day_or_two_stays_unread(cell: str) -> None:
    assert column(DAY, cell) == [None]


def test_every_month_is_known_by_its_indonesian_and_english_name() -> None:
    for number in range(1, 13):
        for said in (catalogue()[f"month.{number}"].id, catalogue()[f"month.{number}"].en):
            assert column(DAY, f"3 {said} 2024", f"{said} 3, 2024") == [date(2024, number, 3)] * 2, said
    for name, number in MONTHS.items():
        assert column(DAY, f"3 {name.upper()} 2024", f"{name.upper()} 3, 2024") == [date(2024, number, 3)] * 2


def test_no_word_is_both_yes_and_no() -> None:
    assert set(YES) & set(NO) == set()
    assert column(YESNO, *YES) == [True] * len(YES)
    assert column(YESNO, *NO) == [False] * len(NO)


def test_a_column_that_a_program_wrote_with_decimals_throughout_is_read_as_one_written_without() -> None:
    codes = [str(number % 9 + 1) for number in range(200)]
    cells = [f"{code}.0" for code in codes]
    cells[7:9] = ["1.000.0", "2,0"]
    found = column(CODE, *cells)
    assert found[:7] + found[9:] == [int(code) for code in codes[:7] + codes[9:]]
    assert found[7:9] == [None, 2]


@given(st.integers(-(10**12), 10**12), st.sampled_from([".", ","]))
def test_grouped_digits_mean_the_number_they_group(number: int, mark: str) -> None:
    grouped = f"{number:,}".replace(",", mark)
    expected = None if grouped.count(mark) == 1 else number
    assert column(AMOUNT, grouped) == [expected]


@given(st.dates(date(1000, 1, 1), date(2999, 12, 31)))
def test_a_day_means_the_same_however_it_is_written(day: date) -> None:
    month = catalogue()[f"month.{day.month}"].id
    cells = (f"{day:%Y-%m-%d}", f"{day.day}/{day.month}/{day.year}", f"{day.day} {month} {day.year}")
    assert column(DAY, *cells) == [day] * 3


@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), max_size=8))
def test_no_cell_breaks_the_reading_and_an_empty_one_stays_empty(cells: list[str | None]) -> None:
    for shape in (AMOUNT, AREA, FLAG, MEASURE, YESNO, DAY, WORD, NAME):
        found = column(shape, *cells)
        assert all(value is None for cell, value in zip(cells, found, strict=True) if cell is None)


MATERIAL = {"1": Words("marmer atau granit", "marble"), "2": Words("keramik", "tiles"), "3": Words("lainnya", "other"),
            "4": Words("lainnya", "earth"), "5": Words("900 watt", "900 watt")}  # fmt: skip
LABELLED = Shape(pl.Int32(), 1, 9, spellings=(("ubin", "2"),), labels=labels_of(MATERIAL, {"ubin": "2"}))


@pytest.mark.parametrize(
    "cell",
    ["2", "2. Keramik", "2 - Keramik", "2-keramik", "2 \N{EN DASH} Keramik", "2) KERAMIK", "(2) keramik", "[2] tiles",
     "2: Keramik", "2=Keramik", "2 keramik", "KERAMIK", "Tiles", " keramik", "Ubin", "2. Ubin", "2.Keramik"],
)  # fmt: skip
def test_a_label_alone_or_behind_its_code_is_read_as_the_code(cell: str) -> None:
    assert column(LABELLED, cell) == [2]


@pytest.mark.parametrize(
    "cell", ["2. granit", "1. keramik", "lainnya", "keramik 2", "2.900 watt", "3 2. keramik", "2.", "kera"]
)
def test_a_label_of_another_code_of_two_codes_or_of_none_stays_unread(cell: str) -> None:
    assert column(LABELLED, cell) == [None]


def test_a_label_of_two_codes_is_read_behind_its_code() -> None:
    assert column(LABELLED, "4. Lainnya", "3 - LAINNYA", "5. 900 watt", "900 Watt") == [4, 3, 5, 5]


def test_yes_and_no_are_read_behind_their_number() -> None:
    flag = Shape(pl.Int32(), 0, 1, spellings=tuple(YES_OR_NO.items()), labels=labels_of({}, YES_OR_NO))
    assert column(flag, "1. Ya", "2. Tidak", "0 - tidak", "1. Tidak", "2. Ya") == [1, 0, 0, None, None]
    truth = Shape(pl.Boolean(), labels=labels_of({}, YES_OR_NO))
    assert column(truth, "1. Ya", "2. Tidak", "0 - tidak", "1. Tidak") == [True, False, False, None]


def test_a_percent_sign_is_read_in_a_column_of_percent_alone() -> None:
    assert column(Shape(pl.Float64(), 0, 100, is_percent=True), "36,5%", "7.45 %", "9%", "%", "5%%") == [
        36.5, 7.45, 9.0, None, None,
    ]  # fmt: skip
    assert column(MEASURE, "36,5%") == [None]
    assert column(AMOUNT, "36%") == [None]


def test_a_day_with_its_time_is_no_text() -> None:
    assert column(NAME, "2026-05-03 00:00:00", "SITI 2026-05-03 00:00:00") == [None, "SITI 2026-05-03 00:00:00"]


@pytest.mark.parametrize(
    "contract", [one for key, one in TABLES.items() if key.startswith("intake/")], ids=lambda one: one.key
)
def test_every_label_of_a_template_is_read_behind_its_code_in_both_languages(contract: Contract) -> None:
    declared = Declaration(issued_on=date(2026, 1, 2))
    told = [(name, code, both) for name in landing_columns(contract) if contract.dtypes[name] != pl.Boolean
            for code, both in codes_of(contract.columns[name]).items()]  # fmt: skip
    cells = [(name, code, cell) for name, code, both in told for label in (both.id, both.en) if label != code
             for cell in (f"{code}. {label}", f"{code} - {label.upper()}")]  # fmt: skip
    example = example_of(contract)

    def read_with(values: list[tuple[str, str]]) -> pl.DataFrame:
        rows = [{**example, "row_number": str(at), name: cell} for at, (name, cell) in enumerate(values)]
        text = pl.DataFrame(rows, schema=dict.fromkeys(["row_number", *example], pl.String))
        return check(text.with_columns(pl.col("row_number").cast(pl.Int64)), contract, declared).accepted

    labelled = read_with([(name, cell) for name, _, cell in cells])
    assert labelled.equals(read_with([(name, code) for name, code, _ in cells]))
