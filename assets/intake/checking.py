"""Checking rows against the contract of their feed: typed rows, and every reason against every bad row.

Values are read cell by cell into the contract's types, then pandera checks them in bounded chunks. Rejected rows
keep their text; nothing is dropped silently.
"""

from dataclasses import dataclass
from itertools import pairwise

import pandera.errors
import polars as pl

from assets.intake.declaration import Declaration
from schemas.contract import Contract
from schemas.errors import FileRefused, UnknownRegency
from schemas.feeds import ADDED_COLUMNS
from schemas.identifiers import bucket_of, form_fault
from schemas.regions import BpsCode, kemendagri_of, regencies, regency_name

CHUNK_ROWS = 100_000
REGION_COLUMNS = ("village_code", "regency_code", "area_code")
_YES, _NO = ["true", "1", "ya", "y", "yes"], ["false", "0", "tidak", "t", "no"]
_CHECK_FAULT = {"not_nullable": "missing", "isin": "not_a_code", "in_range": "out_of_range"}
"""Reasons of pandera's own checks; a check of ours is its own reason, `identifier` stands for a fault of form."""
_REASONS = {"row_number": pl.Int64, "column": pl.String, "reason": pl.String}
_CUTS = {4: (0, 2, 4), 6: (0, 2, 4, 6), 10: (0, 2, 4, 6, 10)}
"""Where dots go into Kemendagri codes written as bare digits, by their length."""


@dataclass(frozen=True)
class Checked:
    """The rows of a file after the check: read = rows of `accepted` + rows of `rejected`.

    Attributes
    ----------
    accepted : DataFrame
        Typed columns of the feed and `row_number`.
    rejected : DataFrame
        Text columns as delivered and `row_number`.
    reasons : DataFrame
        `row_number, column, reason`: every reason of every rejected row, in this order.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    reasons: pl.DataFrame


def check(text: pl.DataFrame, contract: Contract, declaration: Declaration) -> Checked:
    """Type and check every row of a feed.

    Parameters
    ----------
    text : DataFrame
        The feed's columns as text and `row_number` (from :func:`assets.intake.reading.fit_header`).

    Raises
    ------
    UnknownRegency
        If the file's region codes fit the other code system better than the declared one.
    FileRefused
        If villages come in BPS codes.
    """
    refuse_other_code_system(text, declaration)
    # A file without rows is one empty chunk: it still gives the columns.
    starts = range(0, max(text.height, 1), CHUNK_ROWS)
    parts = [_check_chunk(text.slice(start, CHUNK_ROWS), contract, declaration) for start in starts]
    return Checked(
        pl.concat([part.accepted for part in parts]),
        pl.concat([part.rejected for part in parts]),
        pl.concat([part.reasons for part in parts]),
    )


def _check_chunk(text: pl.DataFrame, contract: Contract, declaration: Declaration) -> Checked:
    columns = [name for name in contract.columns if name not in ADDED_COLUMNS]
    typed = text.select("row_number", *(_typed(name, contract.dtypes[name]) for name in columns))
    typed = typed.with_columns(
        _canonical(name, declaration.code_system) for name in REGION_COLUMNS if name in typed.columns
    )
    unread = pl.concat(
        [
            pl.DataFrame(schema=_REASONS),
            *(
                text.filter(text[name].is_not_null() & typed[name].is_null()).select(
                    "row_number", column=pl.lit(name), reason=pl.lit(_unread_fault(contract.dtypes[name]))
                )
                for name in columns
            ),
        ]
    )
    # A cell that cannot be read is null by now, but it was not left empty.
    broken = _contract_faults(typed, contract, columns).join(unread, on=["row_number", "column"], how="anti")
    reasons = pl.concat([unread, broken]).unique().sort("row_number", "column", "reason")
    is_bad = text["row_number"].is_in(reasons["row_number"].unique().implode())
    return Checked(typed.filter(~is_bad), text.filter(is_bad), reasons)


def _typed(name: str, dtype: pl.DataType) -> pl.Expr:
    """A text column in the contract's type; null where a cell cannot be read without guessing."""
    cell = pl.col(name)
    if dtype == pl.Date:
        day = cell.str.replace(r"[T ]\d{1,2}:\d{2}.*$", "")
        iso = pl.when(day.str.contains(r"^\d{4}-\d{1,2}-\d{1,2}$")).then(day)
        indonesian = pl.when(day.str.contains(r"^\d{1,2}/\d{1,2}/\d{4}$")).then(day)
        return pl.coalesce(
            iso.str.to_date("%Y-%m-%d", strict=False), indonesian.str.to_date("%d/%m/%Y", strict=False)
        ).alias(name)
    if dtype == pl.Boolean:
        word = cell.str.to_lowercase()
        return pl.when(word.is_in(_YES)).then(pl.lit(True)).when(word.is_in(_NO)).then(pl.lit(False)).alias(name)
    if dtype.is_integer():
        # One or two zeros are the decimals of a spreadsheet; three may be thousands (500.000) and are not guessed at.
        return cell.str.replace(r"\.0{1,2}$", "").cast(dtype, strict=False).alias(name)
    if dtype.is_float():
        value = cell.cast(dtype, strict=False)
        return pl.when(value.is_finite()).then(value).alias(name)
    return cell


def _unread_fault(dtype: pl.DataType) -> str:
    if dtype == pl.Date:
        return "not_a_date"
    if dtype == pl.Boolean:
        return "not_yes_or_no"
    return "not_a_number"


def _contract_faults(typed: pl.DataFrame, contract: Contract, columns: list[str]) -> pl.DataFrame:
    """Rows, columns and reasons of what pandera finds, each identifier with its own fault of form."""
    try:
        contract.schema.select_columns(columns).validate(typed.select(columns), lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
    else:
        return pl.DataFrame(schema=_REASONS)
    no_row = cases.filter(pl.col("index").is_null())
    if no_row.height:
        message = f"{contract.key}: the check {no_row['check'][0]!r} of {no_row['column'][0]!r} names no row."
        raise FileRefused(message)
    faults = cases.select(
        row_number=typed["row_number"].gather(cases["index"]),
        column=pl.col("column"),
        reason=pl.col("check").str.extract(r"^(\w+)").replace(_CHECK_FAULT),
    )
    identifiers = faults.filter(reason="identifier")["column"].unique()
    forms = [
        typed.select("row_number", column=pl.lit(name), form=form_fault(name)).drop_nulls("form")
        for name in identifiers
    ]
    if not forms:
        return faults
    return faults.join(pl.concat(forms), on=["row_number", "column"], how="left").select(
        "row_number", "column", reason=pl.when(reason="identifier").then("form").otherwise("reason")
    )


def refuse_other_code_system(text: pl.DataFrame, declaration: Declaration) -> None:
    """Refuse a file whose region codes fit the other code system better than the declared one.

    Raises
    ------
    UnknownRegency
        With the system they fit.
    FileRefused
        If villages are declared in BPS codes: only regencies have a bridge.
    """
    declared = declaration.code_system
    if declared == "synthetic":
        return
    if declared == "bps" and "village_code" in text.columns:
        message = "Villages in BPS codes cannot be bridged here. Send them in Kemendagri codes."
        raise FileRefused(message)
    other = "kemendagri" if declared == "bps" else "bps"
    for name in (one for one in REGION_COLUMNS if one in text.columns):
        codes = text.select(name).drop_nulls().unique().sort(name)
        fits = codes.select(code=name, kemendagri=_fits_kemendagri(name), bps=_fits_bps(name))
        if fits[other].sum() <= fits[declared].sum():
            continue
        code = str(fits.filter(pl.col(other) & ~pl.col(declared))["code"][0])
        regency = kemendagri_of(BpsCode(code[:4])) if other == "bps" else code
        remedy = f"Declare code_system: {other} for this file."
        if name == "village_code":
            remedy = "Villages in BPS codes cannot be bridged here: send them in Kemendagri codes."
        message = (
            f"{name} {code!r} is no {declared} code; the file's codes look like {other} "
            f"({regency_name(regency)}, Kemendagri {regency}). {remedy}"
        )
        raise UnknownRegency(message)


def _fits_kemendagri(name: str) -> pl.Expr:
    code = _dotted(name)
    is_form = code.str.contains(r"^\d{2}\.\d{2}(\.\d{2}\.[1-9]\d{3})?$")
    return is_form & code.str.slice(0, 5).is_in(regencies()["code"].implode())


def _fits_bps(name: str) -> pl.Expr:
    # District codes of seven digits end in 0 (but for the few that split), so the seventh digit of a village is 0;
    # in Kemendagri codes it is the first of the serial, 1 or 2.
    is_form = pl.col(name).str.contains(r"^\d{4}(\d{2}0\d{3})?$")
    return is_form & pl.col(name).str.slice(0, 4).is_in(regencies()["code_bps"].implode())


def _canonical(name: str, code_system: str) -> pl.Expr:
    """Region codes in canonical form; a code that cannot be read stays as it is, for the contract to reject."""
    if code_system == "kemendagri":
        return _dotted(name)
    if code_system == "bps":
        bridge = regencies()
        return pl.col(name).replace(bridge["code_bps"], bridge["code"])
    return pl.col(name)


def _dotted(name: str) -> pl.Expr:
    """Kemendagri codes written as bare digits with their dots: 3510092001 becomes 35.10.09.2001."""
    code = dotted = pl.col(name)
    for length, cuts in _CUTS.items():
        parts = [code.str.slice(start, end - start) for start, end in pairwise(cuts)]
        is_bare = code.str.contains(rf"^\d{{{length}}}$")
        dotted = pl.when(is_bare).then(pl.concat_str(parts, separator=".")).otherwise(dotted)
    return dotted.alias(name)


def with_added(accepted: pl.DataFrame, contract: Contract, batch_id: str) -> pl.DataFrame:
    """The accepted rows as the lake keeps them: equal rows once, with batch and, of a person, bucket."""
    content = [name for name in accepted.columns if name != "row_number"]
    rows = accepted.sort("row_number").unique(content, keep="first", maintain_order=True)
    rows = rows.with_columns(batch_id=pl.lit(batch_id))
    if "nik_bucket" not in contract.columns:
        return rows
    # A newborn without a number goes by the number of the family card.
    numbers = [name for name in ("nik", "family_card_number") if name in rows.columns]
    return rows.with_columns(nik_bucket=pl.coalesce(numbers)).with_columns(bucket_of("nik_bucket"))
