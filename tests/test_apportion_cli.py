"""`quotas apportion`: any weights file in, seats as JSON out, and every fault of a file one sentence with its row."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from tests.homes import perlinsos


def said(folder: Path, places: int, weights: str | bytes, *more: str, caps: str | None = None) -> Any:  # noqa: ANN401
    """What the command prints for the text of a file; run where no home is."""
    file = folder / "weights.csv"
    file.write_bytes(weights if isinstance(weights, bytes) else weights.encode())
    arguments = ["--places", str(places), "--weights", str(file), *more]
    if caps is not None:
        (folder / "caps.csv").write_text(caps, encoding="utf-8")
        arguments += ["--caps", str(folder / "caps.csv")]
    return perlinsos(folder / "no home", "quotas", "apportion", *arguments)


def seats(folder: Path, places: int, weights: str | bytes, *more: str, caps: str | None = None) -> dict[str, Any]:
    answer = said(folder, places, weights, *more, caps=caps)
    assert answer.code == 0, answer.err
    printed: dict[str, Any] = json.loads(answer.out)
    assert list(printed) == ["seats", "ties", "unused"]
    assert not (folder / "no home").exists()
    return printed


ALABAMA = "code,weight\na,1500\nb,1500\nc,900\nd,500\ne,500\nf,200\n"


def test_both_lines_of_the_alabama_paradox_are_printed(tmp_path: Path) -> None:
    printed = seats(tmp_path, 25, ALABAMA)
    assert list(printed["seats"].values()) == [7, 7, 4, 3, 3, 1]
    printed = seats(tmp_path, 26, ALABAMA)
    assert list(printed["seats"].values()) == [8, 8, 5, 2, 2, 1]
    assert printed["ties"] == [["a", "b"], ["d", "e"]]


def test_the_places_of_pkh_over_the_poor_of_2025_are_those_of_the_record(tmp_path: Path, test_data: Path) -> None:
    with (test_data / "poverty" / "regency_reference_2025.csv").open(encoding="utf-8") as file:
        lines = [f"{row['kode_kemendagri']},{row['penduduk_miskin_ribu_2025']}" for row in csv.DictReader(file)]
    printed = seats(tmp_path, 10_000_000, "\n".join(["code,weight", *reversed(lines)]))
    assert printed["seats"]["35.10"] == 41_975
    assert sum(printed["seats"].values()) == 10_000_000
    assert (len(printed["seats"]), len(printed["ties"])) == (514, 14)
    assert list(printed["seats"]) == sorted(printed["seats"])


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffcode,weight\r\n91.20,3\r\n01,1\r\n",
        "code;weight\n91.20;3\n01;1\n",
        " Code | WEIGHT \n  91.20 | 3.00 \n\n 01 | 1 \n",
        'name,weight,code\nx,3,"91.20"\ny,1,"01"\n',
        "code\tweight\n91.20\t0.75\n01\t0.25\n",
        "code,weight\n91.20,3\n01,1\n,\n".encode("utf-16"),
    ],
    ids=["mark and CRLF", "semicolons", "spaces", "other columns", "decimals", "UTF-16"],
)
def test_a_file_may_be_written_in_any_usual_way_and_codes_stay_text(tmp_path: Path, text: str | bytes) -> None:
    assert seats(tmp_path, 4, text) == {"seats": {"01": 1, "91.20": 3}, "ties": [], "unused": 0}


def test_places_above_caps_go_to_the_others_and_unused_ones_are_counted(tmp_path: Path) -> None:
    weights = "code,weight\na,50\nb,30\nc,20\n"
    assert seats(tmp_path, 10, weights, caps="code,cap\na,2\n")["seats"] == {"a": 2, "b": 5, "c": 3}
    full = seats(tmp_path, 10, weights, caps="code,cap\na,2\nb,1\nc,0\n")
    assert (full["seats"], full["unused"]) == ({"a": 2, "b": 1, "c": 0}, 7)


def test_sainte_lague_takes_no_place_back_as_places_are_added(tmp_path: Path) -> None:
    found = [seats(tmp_path, places, ALABAMA, "--method", "sainte_lague") for places in (25, 26)]
    # 1500/15 = 900/9 = 500/5: five claims are equal from the 24th place on.
    assert [list(one["seats"].values()) for one in found] == [[8, 8, 4, 2, 2, 1], [8, 8, 5, 2, 2, 1]]
    assert [one["ties"] for one in found] == [[["a", "b", "c", "d", "e"]]] * 2


def test_a_tie_over_hundreds_of_codes_is_told_as_one_group(tmp_path: Path) -> None:
    text = "code,weight\n" + "".join(f"{number:03},7\n" for number in range(500))
    for method in ("largest_remainder", "sainte_lague"):
        printed = seats(tmp_path, 250, text, "--method", method)
        assert [code for code, n in printed["seats"].items() if n] == [f"{number:03}" for number in range(250)]
        assert printed["ties"] == [[f"{number:03}" for number in range(500)]]


@pytest.mark.parametrize(
    ("weights", "caps", "named"),
    [
        ("code,weight\na,1\nb,-1\n", None, "row 3: weight is no number of zero or more"),
        ("code,weight\na,1\n\nb,NaN\n", None, "row 4: weight is no number"),
        ("code,weight\na,inf\n", None, "row 2: weight is no number"),
        ("code,weight\na,1e5\n", None, "row 2: weight is no number"),
        ("code,weight\na,\n", None, "row 2: weight is missing"),
        ('code,weight\na,"100,130"\n', None, "row 2: weight is no number"),
        ("code;weight\na;1.234.567\n", None, "without marks between thousands"),
        ("code,weight\na,100,130\n", None, "row 2: cannot be cut into the cells"),
        ("code,weight\na,1\n,2\n", None, "row 3: has no code"),
        ("code,weight\na,1\nb,2\na,1\n", None, "row 4: the code stands in an earlier row too"),
        ("code\na\n", None, "no column 'weight'"),
        ("35.10,100\n35.09,200\n", None, "no column 'code'"),
        ("code,weight,weight\na,1,2\n", None, "more than one column 'weight'"),
        ("code,weight\n", None, "all weights are zero or there are none"),
        ("code,weight\na,0\n", None, "all weights are zero"),
        ("", None, "is empty"),
        ("code,weight\na,1\n", "code,cap\nb,1\n", "caps.csv, row 2: has a cap but no weight"),
        ("code,weight\na,1\n", "code,cap\na,1.5\n", "row 2: cap is no number"),
        ("code,weight\n35.10,x\n", None, "row 2 (35.10): weight is no number"),
        ("code,weight\na,1\n", "code,weight\na,1\n", "caps.csv has no column 'cap'"),
    ],
)
def test_a_fault_of_a_file_is_refused_with_row_and_remedy(
    tmp_path: Path, weights: str, caps: str | None, named: str
) -> None:
    answer = said(tmp_path, 10, weights, caps=caps)
    assert answer.code == 4
    assert answer.out == ""
    assert len(answer.err.strip().splitlines()) == 1
    assert named in answer.err


def test_a_negative_number_of_places_is_refused_and_a_word_is_wrong_usage(tmp_path: Path) -> None:
    assert said(tmp_path, -3, ALABAMA).code == 4
    file = tmp_path / "weights.csv"
    assert perlinsos(tmp_path, "quotas", "apportion", "--places", "many", "--weights", str(file)).code == 2


@pytest.mark.parametrize(
    ("weights", "named"),
    [
        ("code,weight\n35.10,1\n35.09,2\nJumlah,3\n", "row 4: holds a total"),
        ("code,weight\n35.10,1\n35.09,2\n,TOTAL\n", "row 4: holds a total"),
        ("name,code,weight\nBanyuwangi,3510,1\nJumlah/Total,,3\n", "row 3: holds a total"),
        ("name,code,weight\nBanyuwangi,3510,1\nJumlah Provinsi Jawa Timur,35,3\n", "row 3 (35): holds a total"),
        ("code,weight\n35,3\n35.10,1\n35.09,2\n", "row 2 (35): holds 35.09 of row 4"),
        ("code,weight\n3510,1\n3500,3\n3509,2\n", "row 3 (3500): holds 3509 of row 4"),
        ("code,weight\n35.10.09,1\n35.10,3\n", "row 3 (35.10): holds 35.10.09 of row 2"),
        ("code,weight\n3510,3\n3510090,1\n3510090001,1\n", "row 2 (3510): holds 3510090 of row 3"),
        ("code,weight\n3510090,1\n3510090001,1\n", "row 2 (3510090): holds 3510090001 of row 3"),
        ("code,weight\n9999,3\n3510,1\n1101,2\n", "row 2 (9999): holds 1101 of row 4"),
        ("code,weight\n00,3\n35,1\n11,2\n", "row 2 (00): holds 11 of row 4"),
        ("code,weight\n35.10,1\nINDONESIA,3\n", "row 3: holds 35.10 of row 2"),
        ("weight,code\n20,35.10\n30,35.09\n50,Jumlah\n", "row 4: holds a total"),
        ("no,code,weight\n1,35.10,20\n2,35.09,30\n3,Jumlah,50\n", "row 4: holds a total"),
        ("prov,code,weight\nJawa Timur,35.10,20\nJawa Timur,TOTAL,50\n", "row 3: holds a total"),
        ("no,x,y,name,code,weight\n1,,,a,35.10,20\n2,,,Jml.,35,50\n", "row 3 (35): holds a total"),
        ("code,weight\n35.10,20\nJml,50\n", "row 3: holds a total"),
        ("code,weight\n35.10,20\nJumlah (1+2),50\n", "row 3: holds a total"),
        ("code,weight\n35.10,20\nRata-rata,50\n", "row 3: holds a total"),
        ("code,weight\n35.10,20\nTOTAL JAWA TIMUR,50\n", "row 3: holds a total"),
        ("code,weight\n35.10,20\nNULL,50\n", "row 3: has no code"),
        ("code,weight\n35.10,20\n-,50\n", "row 3: has no code"),
        ("code,weight\n3510,20\n35.09,2\n35.10,20\n", "row 4 (35.10): holds 3510 of row 2"),
    ],
)  # fmt: skip
def test_sums_and_areas_beside_their_parts_are_refused_with_both_rows(tmp_path: Path, weights: str, named: str) -> None:
    answer = said(tmp_path, 10, weights)
    assert (answer.code, answer.out) == (4, "")
    assert named in answer.err


def test_codes_that_only_look_like_areas_within_one_another_are_shared_out(tmp_path: Path) -> None:
    assert seats(tmp_path, 4, "code,weight\n01,1\n0101,3\n")["seats"] == {"01": 1, "0101": 3}
    assert seats(tmp_path, 4, "code,weight\n9999,1\nx,3\n")["seats"] == {"9999": 1, "x": 3}
    assert seats(tmp_path, 4, "code,weight\n35.10,1\n35.09.01,3\n")["seats"] == {"35.09.01": 3, "35.10": 1}


def test_a_cap_on_a_total_is_refused_as_a_weight_of_one_is(tmp_path: Path) -> None:
    answer = said(tmp_path, 10, "code,weight\na,1\n", caps="code,cap\na,1\nTotal,1\n")
    assert "caps.csv, row 3: holds a total" in answer.err


def test_weights_that_a_workbook_states_as_numbers_have_one_reading(tmp_path: Path) -> None:
    file = tmp_path / "weights.xlsx"
    with xlsxwriter.Workbook(file) as made:
        sheet = made.add_worksheet()
        for at, row in enumerate([("code", "weight"), ("35.10", 21.125), ("35.11", 26.375), ("35.12", 53)]):
            sheet.write_row(at, 0, row)
    told = perlinsos(tmp_path / "no home", "quotas", "apportion", "--places", 100, "--weights", file)
    assert told.code == 0, told.err
    assert told.json["seats"] == {"35.10": 21, "35.11": 26, "35.12": 53}


@pytest.mark.parametrize(
    ("weights", "caps"),
    [
        ("code,weight\n3510094703850001,SITI AMINAH 1985-03-07\n", None),
        ("code,weight\nSITI AMINAH,3510094703850001 \nSITI AMINAH,1\n", None),
        ("code,weight\n3510094703850001,1.234\n35.10,567\n", None),
        ("code,weight\n35.10,1\n", "code,cap\n3510094703850001,1\n"),
    ],
)
def test_persons_given_by_mistake_are_not_printed(tmp_path: Path, weights: str, caps: str | None) -> None:
    answer = said(tmp_path, 10, weights, caps=caps)
    assert answer.code == 4
    assert ", row " in answer.err
    assert not any(part in answer.err + answer.out for part in ("3510094703850001", "SITI", "1985"))
