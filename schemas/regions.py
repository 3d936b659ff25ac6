"""Region codes of both systems in their canonical forms, and the bridge between them.

Kemendagri codes carry dots (`35.10`, `35.10.09.2001`), BPS codes are bare digits (`3510`, `3510100`), so that a
careless join matches nothing instead of another regency. 169 of the 514 BPS regency codes are, as digits, another
regency's Kemendagri code. The 2025 pairs ship in `schemas/reference/regencies.csv`.
"""

import re
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import NewType

import polars as pl

from schemas.errors import UnknownRegency

KemendagriCode = NewType("KemendagriCode", str)
BpsCode = NewType("BpsCode", str)

_KEMENDAGRI = re.compile(r"[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?")
_BPS_LENGTHS = frozenset({2, 4, 7, 10})
_KEMENDAGRI_CUTS = (2, 4, 6, 10)


@cache
def reference(name: str) -> pl.DataFrame:
    """A shipped reference table, all columns as text: `regencies`, `provinces`, `districts` or `villages`."""
    with files("schemas").joinpath("reference", f"{name}.csv").open("rb") as file:
        return pl.read_csv(file, infer_schema=False)


@cache
def regencies() -> pl.DataFrame:
    """The 514 regencies, one row each, ordered by code.

    Columns
    -------
    code, code_bps : str
        Kemendagri and BPS code, pairs of 2025.
    name, province_code, province_name : str
    poor_count : Int64
        Poor persons, BPS, March 2025.
    poverty_share : Float64
        P0 as a share, 0 to 1.
    poverty_gap_share : Float64
        P1 as a share, 0 to 1: what the poor lack up to the line, by the line, over the whole population.
    poverty_line_rupiah_per_capita_month : Int64
    population : Int64
        Dukcapil, 2025.
    source, reference_date : str
    """
    return reference("regencies").with_columns(
        pl.col("poor_count", "poverty_line_rupiah_per_capita_month", "population").cast(pl.Int64),
        pl.col("poverty_share", "poverty_gap_share").cast(pl.Float64),
    )


@cache
def _bps_to_kemendagri() -> dict[str, str]:
    return dict(regencies().select("code_bps", "code").iter_rows())


@cache
def _names() -> dict[str, str]:
    return dict(regencies().select("code", "name").iter_rows())


def kemendagri(text: str) -> KemendagriCode:
    """Canonical Kemendagri code of `35.10.09.2001` or `3510092001`, of any level.

    Raises
    ------
    UnknownRegency
        If the form fits no level.
    """
    code = text.strip()
    if code.isascii() and code.isdigit() and len(code) in _KEMENDAGRI_CUTS:
        cuts = [0, *(cut for cut in _KEMENDAGRI_CUTS if cut <= len(code))]
        code = ".".join(code[start:end] for start, end in pairwise(cuts))
    if not _KEMENDAGRI.fullmatch(code):
        raise UnknownRegency("no_kemendagri_code", found=text)
    return KemendagriCode(code)


def bps(text: str) -> BpsCode:
    """Canonical BPS code: bare digits of 2, 4, 7 or 10 places.

    Raises
    ------
    UnknownRegency
        If the form fits no level.
    """
    code = text.strip()
    if not (code.isascii() and code.isdigit() and len(code) in _BPS_LENGTHS):
        raise UnknownRegency("no_bps_code", found=text)
    return BpsCode(code)


def kemendagri_of(code: BpsCode) -> KemendagriCode:
    """The Kemendagri code of a BPS regency code, pairs of 2025.

    Raises
    ------
    UnknownRegency
        If no regency of 2025 bears the code.
    """
    found = _bps_to_kemendagri().get(code)
    if found is None:
        raise UnknownRegency("no_bps_regency", found=code)
    return KemendagriCode(found)


def regency_name(code: str) -> str:
    """Name of a regency by Kemendagri code; a declared synthetic code is its own name."""
    return _names().get(code, code)


def regency_of(column: str) -> pl.Expr:
    """Regency code of a column of canonical Kemendagri codes of regency level or below."""
    return pl.col(column).str.slice(0, 5)


def district_of(column: str) -> pl.Expr:
    """District code of a column of canonical Kemendagri village codes."""
    return pl.col(column).str.slice(0, 8)
