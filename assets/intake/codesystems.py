"""Region codes of a delivered file: which of the two systems they are of, and what they are in canonical form.

Each distinct code is judged once. A code of 2020 whose regency bears another one since the new provinces of Papua is
bridged where a regency is meant; villages and districts were numbered anew there, so theirs are set aside. The
systems themselves are in :mod:`schemas.regions`.
"""

from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import polars as pl

from assets.intake.declaration import Declaration
from assets.intake.values import TEXT_MARKS
from schemas.errors import FileRefused, UnknownRegency
from schemas.regions import BpsCode, kemendagri_of, reference, regencies, regency_name

REGION_COLUMNS = ("village_code", "regency_code", "area_code")
FAULTS = ("code_through_a_number", "stale_region", "unknown_region")
"""Reasons found here: a spreadsheet made a number of the code; a village of a regency that bears another code now;
no regency of the declared system."""

_CUTS = {4: (0, 2, 4), 6: (0, 2, 4, 6), 10: (0, 2, 4, 6, 10)}
"""Where dots go into Kemendagri codes written as bare digits, by their length."""
_NATION = ("", "0", "9999", "00", "99", "indonesia", "nasional")
"""How tables write the whole country where a region code belongs, without the last two zeros."""
_WITH_DECIMALS = r"^([0-9]{4}|[0-9]{6}|[0-9]{7}|[0-9]{10})[.,]0+$"
_THROUGH_A_NUMBER = r"^[0-9]{2}\.[0-9]$|(?i)^[0-9]+(?:[.,][0-9]+)?E\+?[0-9]+$"


@cache
def _known(system: str) -> pl.Series:
    """Regency codes of a system, those of 2025 and the stale ones with a successor."""
    current = regencies()["code" if system == "kemendagri" else "code_bps"]
    return pl.concat([current, _stale(system)["code"]])


@cache
def _stale(system: str) -> pl.DataFrame:
    return reference("successors").filter(system=system)


@cache
def _bridge(*, is_any_level: bool) -> pl.DataFrame:
    """BPS codes and the Kemendagri codes of today of the same regions: `code, successor`."""
    now = regencies().select(code="code_bps", successor="code")
    provinces = now.select(pl.col("code").str.head(2), pl.col("successor").str.head(2)).unique()
    # BPS writes a province alone or, in tables of regencies, with two zeros.
    tables = [
        now,
        _stale("bps").select("code", "successor"),
        provinces,
        provinces.select(pl.col("code") + "00", "successor"),
    ]
    if is_any_level:
        tables.append(reference("districts").select(code="code_bps", successor="code"))
    return pl.concat(tables)


def judged(codes: pl.Series, declared: str, *, is_any_level: bool = False) -> pl.DataFrame:
    """What distinct codes of one region column are.

    Parameters
    ----------
    codes : Series of str
        Distinct codes as delivered, without null, named as the column.
    declared : str
        Code system of the file.
    is_any_level : bool
        Whether the column of areas takes provinces and districts too, and regions that are not in the tables yet, as
        a list of codes does. Otherwise an area is a regency or, for its total, a province.

    Returns
    -------
    DataFrame
        `code` as delivered, `canonical`, `fault` (one of `FAULTS` or null), `kemendagri` and `bps` (whether the code
        fits the system). A code of no known form has no fault here: that is the contract's to say.
    """
    # A text mark of a spreadsheet, or the decimals of a whole number, take nothing away from a code.
    plain = pl.col("code").str.strip_chars_start(TEXT_MARKS).str.replace(_WITH_DECIMALS, "$1")
    table = codes.alias("code").to_frame().with_columns(plain=plain)
    if declared == "synthetic":
        return table.select(
            "code", canonical="code", fault=pl.lit(None, pl.String), kemendagri=pl.lit(False), bps=pl.lit(False)
        )
    table = table.with_columns(dotted=_dotted("plain")).with_columns(
        canonical=_current(declared, is_any_level=is_any_level), kemendagri=_fits_kemendagri(), bps=_fits_bps()
    )
    is_number = pl.col("plain").str.contains(_THROUGH_A_NUMBER)
    is_form = pl.col("canonical").str.contains(r"^[0-9]{2}\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?$")
    regency = pl.col("canonical").str.head(5)
    is_known = regency.is_in(regencies()["code"].implode())
    is_stale = regency.is_in(_stale("kemendagri")["code"].implode())
    is_unknown = is_form & ~is_known & (not is_any_level)
    if codes.name == "area_code" and not is_any_level:
        is_regency = is_known & (pl.col("canonical").str.len_bytes() == len("35.10"))
        is_unknown = ~is_regency & ~pl.col("canonical").is_in(regencies()["province_code"].unique().implode())
    fault = (
        pl.when(is_number)
        .then(pl.lit("code_through_a_number"))
        .when(is_form & is_stale)
        .then(pl.lit("stale_region"))
        .when(is_unknown)
        .then(pl.lit("unknown_region"))
    )
    return table.select("code", "canonical", "kemendagri", "bps", fault=fault)


def _current(declared: str, *, is_any_level: bool) -> pl.Expr:
    """Canonical codes of today; a code that cannot be read stays as it is, for the contract to reject."""
    # Dots tell a Kemendagri code in a file of the other system: it stays.
    known, name = (
        (_stale(declared), "dotted") if declared == "kemendagri" else (_bridge(is_any_level=is_any_level), "plain")
    )
    return pl.col(name).replace(known["code"], known["successor"])


def _dotted(name: str) -> pl.Expr:
    """Kemendagri codes written as bare digits with their dots: 3510092001 becomes 35.10.09.2001."""
    code = dotted = pl.col(name)
    for length, cuts in _CUTS.items():
        parts = [code.str.slice(start, end - start) for start, end in pairwise(cuts)]
        is_bare = code.str.contains(rf"^[0-9]{{{length}}}$")
        dotted = pl.when(is_bare).then(pl.concat_str(parts, separator=".")).otherwise(dotted)
    return dotted


def _fits_kemendagri() -> pl.Expr:
    is_form = pl.col("dotted").str.contains(r"^[0-9]{2}\.[0-9]{2}(\.[0-9]{2}(\.[1-9][0-9]{3})?)?$")
    return is_form & pl.col("dotted").str.head(5).is_in(_known("kemendagri").implode())


def _fits_bps() -> pl.Expr:
    # District codes of seven digits end in 0 (but for the few that split), so the seventh digit of a village is 0;
    # in Kemendagri codes it is the first of the serial, 1 or 2.
    is_form = pl.col("plain").str.contains(r"^[0-9]{4}([0-9]{3}|[0-9]{2}0[0-9]{3})?$")
    return is_form & pl.col("plain").str.head(4).is_in(_known("bps").implode())


def enclosing(codes: pl.Series) -> pl.DataFrame:
    """Which of these region codes, of either system, stand for areas that hold others of them.

    Parameters
    ----------
    codes : Series of str
        As written, with or without dots. Unless half of them are of known provinces and regencies they are numbers of
        another kind, of which none holds another.

    Returns
    -------
    DataFrame
        `code, part`: an area and the first, in order of text, of those within it or of its own other spellings, as
        3510 beside 35.10; ordered by code.
    """
    written = codes.drop_nulls().unique().alias("code").to_frame()
    digits = pl.col("code").str.to_lowercase().str.replace_all(r"\.|\s", "").str.replace(r"^([0-9]{2})00$", "$1")
    table = written.with_columns(digits=pl.when(digits.is_in(_NATION)).then(pl.lit("")).otherwise(digits))
    current = regencies()
    provinces = pl.concat([current["province_code"], current["code_bps"].str.head(2)])
    known = pl.concat([_known("kemendagri").str.replace(".", "", literal=True), _known("bps")])
    is_known = pl.col("digits").str.head(4).is_in(known.implode()) | pl.col("digits").is_in(provinces.implode())
    regions = table.filter(is_known, pl.col("digits").str.contains(r"^[0-9]{2}([0-9]{2}|[0-9]{4}|[0-9]{5}|[0-9]{8})?$"))
    if 2 * regions.height < table.height:
        regions = regions.clear()
    lengths = (0, 2, 4, 6, 7)
    within = pl.concat(
        regions.filter(pl.col("digits").str.len_bytes() > length).select(
            digits=pl.col("digits").str.head(length), part="code"
        )
        for length in lengths
    )
    holding = pl.concat([regions, table.filter(pl.col("digits") == "")])
    again = regions.join(regions.select("digits", part="code"), on="digits").filter(pl.col("code") < pl.col("part"))
    found = pl.concat([holding.join(within, on="digits"), again]).group_by("code").agg(pl.col("part").min())
    return found.sort("code")


@dataclass
class _Fit:
    """Rows of one column that fit one system alone, and the first code, in order, that fits the other one."""

    declared: int = 0
    other: int = 0
    example: str | None = None


@dataclass
class Tally:
    """Which code system the codes of a whole file fit, counted chunk by chunk in constant memory."""

    declaration: Declaration
    _fits: dict[str, _Fit] = field(default_factory=dict)

    @property
    def _other(self) -> str:
        return "kemendagri" if self.declaration.code_system == "bps" else "bps"

    def judge(self, codes: pl.Series, *, is_any_level: bool = False) -> pl.DataFrame:
        """The distinct codes of a column of a chunk, as :func:`judged`, and counted in.

        Raises
        ------
        FileRefused
            If villages are declared in BPS codes: only regencies have a bridge.
        """
        counted = codes.drop_nulls().value_counts(name="rows")
        if counted.height and self.declaration.code_system == "bps" and codes.name == "village_code":
            raise FileRefused("bps_villages")
        table = judged(counted[codes.name], self.declaration.code_system, is_any_level=is_any_level)
        if self.declaration.code_system == "synthetic":
            return table
        fit = self._fits.setdefault(codes.name, _Fit())
        declared, other = table[self.declaration.code_system], table[self._other]
        fit.declared += int(counted["rows"].filter(declared & ~other).sum())
        fit.other += int(counted["rows"].filter(other & ~declared).sum())
        # Sorted as text: which code is quoted does not depend on where the chunks are cut.
        examples = [fit.example, table["code"].filter(other & ~declared).min()]
        fit.example = min((str(one) for one in examples if one is not None), default=None)
        return table

    def refuse_other_system(self) -> None:
        """Refuse the file if the codes seen so far fit the other code system better than the declared one.

        Raises
        ------
        UnknownRegency
            With the system they fit.
        """
        declared, other = self.declaration.code_system, self._other
        for name in REGION_COLUMNS:
            fit = self._fits.get(name)
            if fit is None or fit.example is None or fit.other <= fit.declared:
                continue
            regency = _regency_of(fit.example, other)
            raise UnknownRegency(
                "other_system_villages" if name == "village_code" else "other_system",
                column=name, found=fit.example, declared=declared, other=other,
                regency=regency, regency_name=regency_name(regency),
            )  # fmt: skip


def _regency_of(code: str, system: str) -> str:
    """Kemendagri code of today of the regency that a fitting code names."""
    plain = code.lstrip(TEXT_MARKS).replace(".", "")[:4]
    regency = plain if system == "bps" else f"{plain[:2]}.{plain[2:]}"
    bridged = dict(_stale(system).select("code", "successor").iter_rows()).get(regency)
    if bridged is not None:
        return str(bridged)
    return kemendagri_of(BpsCode(regency)) if system == "bps" else regency
