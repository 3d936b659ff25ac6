"""Checking rows against the contract of their feed: typed rows, and every reason against every bad row.

Values are read cell by cell into the contract's types, then pandera checks them in bounded chunks. Rejected rows
keep their text; nothing is dropped silently.
"""

from dataclasses import dataclass

import pandera.errors
import polars as pl

from assets.intake.declaration import Declaration
from schemas.contract import Contract
from schemas.errors import FileRefused
from schemas.feeds import ADDED_COLUMNS
from schemas.identifiers import bucket_of, form_fault
from schemas.regions import regencies

CHUNK_ROWS = 100_000
_YES, _NO = ["true", "1", "ya", "y", "yes"], ["false", "0", "tidak", "t", "no"]
_TYPE_FAULT = {pl.Date: "not_a_date", pl.Boolean: "not_yes_or_no", pl.String: "not_text"}
_CHECK_FAULT = {"not_nullable": "missing", "isin": "not_a_code", "in_range": "out_of_range"}
_DIGITS_TO_DOTS = {4: (2,), 6: (2, 4), 10: (2, 4, 6)}


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
        `row_number, column, reason`: every reason of every rejected row.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    reasons: pl.DataFrame


def check(text: pl.DataFrame, contract: Contract, declaration: Declaration) -> Checked:
    """Type and check every row of a feed.

    Parameters
    ----------
    text : DataFrame
        The feed's columns as text (from :func:`assets.intake.reading.fit_header`).
    """
    numbered = text.with_row_index("row_number", offset=2).with_columns(pl.col("row_number").cast(pl.Int64))
    parts = [_check_chunk(chunk, contract, declaration) for chunk in numbered.iter_slices(CHUNK_ROWS)]
    if not parts:
        parts = [_check_chunk(numbered, contract, declaration)]
    return Checked(
        pl.concat([part.accepted for part in parts]),
        pl.concat([part.rejected for part in parts]),
        pl.concat([part.reasons for part in parts]),
    )


def _check_chunk(text: pl.DataFrame, contract: Contract, declaration: Declaration) -> Checked:
    columns = [name for name in contract.columns if name not in ADDED_COLUMNS]
    typed = text.select("row_number", *(_typed(name, contract.dtypes[name]) for name in columns))
    typed = canonical_regions(typed, declaration)
    faults = [
        text.filter(pl.col(name).is_not_null() & typed[name].is_null()).select(
            "row_number", column=pl.lit(name), reason=pl.lit(_type_fault(name, contract))
        )
        for name in columns
        if contract.dtypes[name] != pl.String
    ]
    faults.append(_contract_faults(typed, contract, columns))
    reasons = (
        pl.concat(faults)
        .unique(["row_number", "column"], keep="first", maintain_order=True)
        .sort("row_number", "column")
    )
    bad = pl.col("row_number").is_in(reasons["row_number"].unique().implode())
    return Checked(typed.filter(~bad), text.filter(bad), reasons)


def _type_fault(name: str, contract: Contract) -> str:
    return _TYPE_FAULT.get(type(contract.dtypes[name]), _TYPE_FAULT.get(contract.dtypes[name], "not_a_number"))  # type: ignore[call-overload, no-any-return]


def _typed(name: str, dtype: pl.DataType) -> pl.Expr:
    cell = pl.col(name)
    if dtype == pl.Date:
        day = cell.str.slice(0, 10)
        return pl.coalesce(
            day.str.to_date("%Y-%m-%d", strict=False), day.str.to_date("%d/%m/%Y", strict=False)
        ).alias(name)
    if dtype == pl.Boolean:
        word = cell.str.to_lowercase()
        return (
            pl.when(word.is_in(_YES)).then(statement=True).when(word.is_in(_NO)).then(statement=False).alias(name)
        )
    if dtype.is_integer():
        return cell.str.replace(r"\.0+$", "").cast(dtype, strict=False).alias(name)
    if dtype.is_float():
        return cell.cast(dtype, strict=False).alias(name)
    return cell


def _contract_faults(typed: pl.DataFrame, contract: Contract, columns: list[str]) -> pl.DataFrame:
    schema = contract.schema.select_columns(columns)
    empty = pl.DataFrame(schema={"row_number": pl.Int64, "column": pl.String, "reason": pl.String})
    try:
        schema.validate(typed.select(columns), lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return empty
    lost = cases.filter(pl.col("index").is_null())
    if lost.height:
        message = f"{contract.key}: the check {lost['check'][0]!r} of {lost['column'][0]!r} names no row."
        raise FileRefused(message)
    check_name = pl.col("check").str.extract(r"^(\w+)")
    faults = cases.select(
        row_number=typed["row_number"].gather(cases["index"]),
        column=pl.col("column"),
        reason=check_name.replace(_CHECK_FAULT),
    )
    identifiers = faults.filter(pl.col("reason") == "identifier")["column"].unique().sort()
    for name in identifiers:
        named = typed.select("row_number", fault=form_fault(name))
        faults = faults.join(named, on="row_number", how="left", maintain_order="left").select(
            "row_number",
            "column",
            reason=pl.when((pl.col("reason") == "identifier") & (pl.col("column") == name))
            .then("fault")
            .otherwise("reason"),
        )
    return pl.concat([empty, faults])


def canonical_regions(typed: pl.DataFrame, declaration: Declaration) -> pl.DataFrame:
    """Region code columns in canonical Kemendagri form, as the declared code system says.

    Raises
    ------
    FileRefused
        If the regency codes fit the other system better than the declared one, or villages come in BPS codes.
    """
    names = [name for name in ("village_code", "regency_code", "area_code") if name in typed.columns]
    if declaration.code_system == "synthetic" or not names:
        return typed
    if declaration.code_system == "bps":
        if "village_code" in names:
            message = "villages in BPS codes cannot be bridged here. Send them in Kemendagri codes."
            raise FileRefused(message)
        bridge = dict(regencies().select("code_bps", "code").iter_rows())
        _refuse_other_system(typed, names, set(bridge), set(regencies()["code"].str.replace(r"\.", "")), "bps")
        return typed.with_columns(pl.col(name).replace_strict(bridge, default=pl.col(name)) for name in names)
    typed = typed.with_columns(_dotted(name) for name in names)
    known = set(regencies()["code"])
    return _refuse_other_system(typed, names, known, _dotted_set(set(regencies()["code_bps"])), "kemendagri")


def _dotted(name: str) -> pl.Expr:
    code = pl.col(name)
    dotted = code
    for length, cuts in _DIGITS_TO_DOTS.items():
        parts = [code.str.slice(start, end - start) for start, end in zip((0, *cuts), (*cuts, length), strict=True)]
        dotted = pl.when(code.str.contains(rf"^\d{{{length}}}$")).then(pl.concat_str(parts, separator=".")).otherwise(dotted)
    return dotted.alias(name)


def _dotted_set(codes: set[str]) -> set[str]:
    return {f"{code[:2]}.{code[2:]}" for code in codes}


def _refuse_other_system(
    typed: pl.DataFrame, names: list[str], known: set[str], other: set[str], declared: str
) -> pl.DataFrame:
    for name in names:
        cut = pl.col(name) if declared == "bps" else pl.col(name).str.slice(0, 5)
        codes = set(typed.select(cut).to_series().drop_nulls())
        unknown = sorted(codes - known)
        if unknown and len(codes & other) > len(codes & known):
            right = "kemendagri" if declared == "bps" else "bps"
            message = (
                f"UnknownRegency in {name}: {unknown[0]!r} is no {declared} code; the file's codes look like {right}. "
                f"Declare code_system: {right} for this file."
            )
            raise FileRefused(message)
    return typed


def with_added(accepted: pl.DataFrame, contract: Contract, batch_id: str) -> pl.DataFrame:
    """The accepted rows as the lake keeps them: equal rows once, with batch and bucket."""
    content = [name for name in accepted.columns if name != "row_number"]
    rows = accepted.sort("row_number").unique(content, keep="first", maintain_order=True)
    rows = rows.with_columns(batch_id=pl.lit(batch_id))
    if "nik_bucket" in contract.columns:
        key = "nik" if "family_card_number" not in rows.columns else "_key"
        keyed = rows.with_columns(_key=pl.coalesce("nik", "family_card_number")) if key == "_key" else rows
        rows = keyed.with_columns(nik_bucket=bucket_of(key)).drop("_key", strict=False)
    return rows
