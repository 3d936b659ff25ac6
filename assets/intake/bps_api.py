"""An answer of the BPS Web API as rows of the feed poverty_statistics. Fetching it is not done here, nor anywhere.

The API answers with lists of areas (`vervar`), figures (`var`), breakdowns (`turvar`), years (`tahun`) and periods
(`turtahun`), and with `datacontent`, whose keys are their five codes written one after the other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import product
from typing import Any

import polars as pl

from assets.intake.headers import factor_of
from schemas.errors import FileRefused
from schemas.regions import regencies

COLUMNS = ("area_code", "vintage", "poor_count", "poverty_line_rupiah_per_capita_month")
_LARGEST = 2_000_000
_KEY_PARTS = ("vervar", "var", "turvar", "tahun", "turtahun")
_NATION = "9999"
_IN_BRACKETS = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True)
class _Figure:
    """What a variable of the API is here: a column, and how many of its units one of theirs is."""

    column: str
    factor: int


def is_api_answer(content: object) -> bool:
    """Whether a JSON document is an answer of the BPS Web API."""
    return isinstance(content, Mapping) and "datacontent" in content and "vervar" in content


def rows_of(content: Mapping[str, Any]) -> pl.DataFrame:
    """Poor counts and poverty lines per area and vintage, as text.

    Parameters
    ----------
    content : mapping
        The JSON document.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`, all String, in canonical Kemendagri codes whatever the sender declares: the API
        speaks BPS codes alone. Provinces are areas too; a code of no regency or province of 2025 stays as it is.
        Yearly figures are those of March. Ordered by area and vintage.

    Raises
    ------
    FileRefused
        If the answer is an error, holds another figure than poor counts and poverty lines, or a value that its own
        lists do not explain.
    """
    if content.get("data-availability") != "available" or not isinstance(content.get("datacontent"), Mapping):
        raise FileRefused("api_no_data")
    lists = {name: _listed(content, name) for name in _KEY_PARTS}
    figures = {str(one["val"]): _figure(one) for one in lists["var"]}
    if not all(lists.values()) or _size(lists) > _LARGEST:
        raise FileRefused("api_size")
    values: Mapping[str, Any] = content["datacontent"]
    found: dict[tuple[str, str], dict[str, str]] = {}
    explained = 0
    for area, figure, breakdown, year, period in product(*lists.values()):
        value = values.get("".join(str(one["val"]) for one in (area, figure, breakdown, year, period)))
        if value is None:
            continue
        explained += 1
        about = figures[str(figure["val"])]
        row = found.setdefault((_canonical(str(area["val"])), _vintage(year, period)), {})
        if about.column in row:
            raise FileRefused("api_breakdown")
        row[about.column] = _whole(value, about.factor)
    lost = sum(value is not None for value in values.values()) - explained
    if lost:
        raise FileRefused("api_lost", count=lost)
    rows = [{"area_code": area, "vintage": vintage, **row} for (area, vintage), row in sorted(found.items())]
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))


def _listed(content: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    listed = content.get(name)
    if not isinstance(listed, list) or not all(isinstance(one, dict) and "val" in one for one in listed):
        raise FileRefused("api_list", name=name)
    return listed


def _size(lists: Mapping[str, list[dict[str, Any]]]) -> int:
    size = 1
    for listed in lists.values():
        size *= len(listed)
    return size


def _figure(variable: Mapping[str, Any]) -> _Figure:
    """By label and unit: the numbers of the variables differ between the API's domains.

    A label may state the unit again, as in Jumlah Penduduk Miskin (Ribu Jiwa); two that differ are refused.
    """
    label, unit = str(variable.get("label", "")).lower(), str(variable.get("unit", "")).lower()
    if label.startswith("garis kemiskinan") and unit.startswith("rupiah"):
        return _Figure("poverty_line_rupiah_per_capita_month", 1)
    if label.startswith("jumlah penduduk miskin"):
        stated = {factor_of(one, "persons") for one in (unit, *_IN_BRACKETS.findall(label))} - {None}
        if len(stated) == 1:
            return _Figure("poor_count", stated.pop() or 1)
    raise FileRefused("api_figure")


def _vintage(year: Mapping[str, Any], period: Mapping[str, Any]) -> str:
    """The survey's month: September where the period says so, else March, when the yearly figures are taken."""
    named = str(year.get("label", ""))
    if not (named.isascii() and named.isdigit()):
        raise FileRefused("api_year")
    said = str(period.get("label", "")).lower()
    return f"{named}-{'09' if 'september' in said or 'semester 2' in said else '03'}"


def _whole(value: object, factor: int) -> str:
    """A figure in whole units; half a unit is rounded up. What is no number stays, for the check to reject."""
    try:
        exact = Decimal(str(value)) * factor
        return str(int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)))
    except (InvalidOperation, ValueError, OverflowError):
        return str(value)[:32]


def _canonical(code: str) -> str:
    """Kemendagri code of a BPS regency, or of a province, which the API writes with two zeros."""
    known = regencies()
    if code.endswith("00") and code != _NATION:
        inside = known.filter(pl.col("code_bps").str.starts_with(code[:2]))["province_code"].unique()
        return str(inside[0]) if inside.len() == 1 else code
    found = known.filter(code_bps=code)["code"]
    return str(found[0]) if found.len() else code
