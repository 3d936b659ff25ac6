"""The BPS Web API's answer as rows: every value once, in canonical codes, or a sentence that says what to ask for."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.intake.bps_api import COLUMNS, is_api_answer, rows_of
from quotas.poverty import delivered_figures, poverty_figures
from schemas.errors import FileRefused
from schemas.regions import regencies

LINE = "poverty_line_rupiah_per_capita_month"


def answer(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    plain = {
        "status": "OK",
        "data-availability": "available",
        "vervar": [
            {"val": 3500, "label": "<b>JAWA TIMUR</b>"},
            {"val": 3510, "label": "Banyuwangi"},
            {"val": 1101, "label": "Simeulue"},
        ],
        "var": [{"val": 619, "label": "Jumlah Penduduk Miskin Menurut Kabupaten/Kota", "unit": "Ribu Jiwa"}],
        "turvar": [{"val": "0", "label": "Tidak ada"}],
        "tahun": [{"val": 125, "label": "2025"}],
        "turtahun": [{"val": 0, "label": "Tahun"}],
        "datacontent": {"351061901250": 100.13, "350061901250": 3875.88, "110161901250": 15.5},
    }
    return plain | changes


def test_the_real_answer_gives_every_value_once_in_canonical_codes(test_data: Path) -> None:
    content = json.loads((test_data / "poverty/bps_webapi_var624_garis_kemiskinan_2025.json").read_text())
    rows = rows_of(content)
    assert rows.height == len(content["datacontent"]) == 552
    assert rows["vintage"].unique().to_list() == ["2025-03"]
    lines = dict(rows.select("area_code", LINE).iter_rows())
    shipped = dict(regencies().select("code", LINE).iter_rows())
    assert {code: int(lines[code]) for code in shipped} == shipped
    assert {code for code in lines if len(code) == 2} == set(regencies()["province_code"])
    assert rows["poor_count"].null_count() == rows.height


def test_thousands_of_persons_become_persons_and_bps_codes_become_kemendagri_codes() -> None:
    rows = rows_of(answer())
    assert rows.columns == list(COLUMNS)
    assert set(rows.dtypes) == {pl.String}
    assert rows.select("area_code", "vintage", "poor_count").rows() == [
        ("11.09", "2025-03", "15500"),
        ("35", "2025-03", "3875880"),
        ("35.10", "2025-03", "100130"),
    ]


def test_the_second_semester_is_september() -> None:
    assert rows_of(answer(turtahun=[{"val": 0, "label": "Semester 2 (September)"}]))["vintage"][0] == "2025-09"


def test_two_figures_of_one_area_are_one_row() -> None:
    both = [*answer()["var"], {"val": 624, "label": "Garis Kemiskinan", "unit": "Rupiah/kapita/bulan"}]
    rows = rows_of(answer(var=both, datacontent={"351061901250": 100.13, "351062401250": 491873.5}))
    assert rows.rows() == [("35.10", "2025-03", "100130", "491874")]


def test_a_code_of_no_regency_and_a_value_that_is_no_number_stay_for_the_check() -> None:
    areas = [{"val": 9999, "label": "INDONESIA"}, {"val": 3510, "label": "Banyuwangi"}]
    rows = rows_of(answer(vervar=areas, datacontent={"999961901250": 23854.91, "351061901250": "-"}))
    assert rows.select("area_code", "poor_count").rows() == [("35.10", "-"), ("9999", "23854910")]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data-availability": "list-not-available"}, "holds no data. Ask for it again"),
        ({"datacontent": []}, "holds no data. Ask for it again"),
        ({"vervar": []}, "lists no areas, figures or years"),
        ({"tahun": None}, "lacks its list 'tahun'"),
        ({"tahun": [{"val": 125, "label": "dua ribu"}]}, "is no number"),
        ({"var": [{"val": 619, "label": "Gini Ratio", "unit": ""}]}, "holds another figure"),
        ({"datacontent": {"351061901250": 1, "999961901250": 2}}, "1 values of the BPS Web API answer fit none"),
        (
            {
                "turvar": [{"val": 1, "label": "Kota"}, {"val": 2, "label": "Desa"}],
                "datacontent": {"351061911250": 1, "351061921250": 2},
            },
            "Ask for the total alone",
        ),
        ({"vervar": [{"val": one, "label": ""} for one in range(2_000_001)]}, "too many. Ask for fewer"),
    ],
)
def test_an_answer_that_is_not_understood_is_refused_with_what_to_ask_for(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(FileRefused, match=sentence):
        rows_of(answer(**changes))


def test_other_json_is_no_answer_of_the_api() -> None:
    assert is_api_answer(answer())
    assert not is_api_answer([answer()])
    assert not is_api_answer({"type": "FeatureCollection", "features": []})


def test_counts_and_lines_of_two_answers_make_the_figures_of_an_area_and_totals_of_provinces_weigh_nothing() -> None:
    line = {"val": 624, "label": "Garis Kemiskinan", "unit": "Rupiah/kapita/bulan"}
    lines = rows_of(answer(var=[line], datacontent={"351062401250": 491873, "110162401250": 600000, "350062401250": 5}))
    numbers = ("poor_count", LINE)
    accepted = pl.concat(
        rows.with_columns(
            *(pl.col(name).cast(pl.Int64) for name in numbers),
            batch_id=pl.lit(batch),
            issued_on=date(2026, 1, 2),
            row_number=pl.int_range(2, pl.len() + 2),
            poor_percent=pl.lit(None, pl.Float64),
            poverty_gap_percent=pl.lit(None, pl.Float64),
        )
        for batch, rows in (("b", rows_of(answer())), ("a", lines))
    )
    figures = delivered_figures(accepted, "2025-03")
    assert figures.select("area_code", *numbers).rows() == [("11.09", 15500, 600000), ("35.10", 100130, 491873)]
    without_counts = poverty_figures(accepted.filter(pl.col("batch_id") == "a"), "2025-03")
    assert without_counts["poor_count"].sum() == regencies()["poor_count"].sum()
