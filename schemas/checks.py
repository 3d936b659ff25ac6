"""Checks of a contract's columns as polars expressions.

Delivered files, tables of the lake and templates read pandera's checks here and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandera.polars as pa
import polars as pl

from schemas.identifiers import form_fault

IDENTIFIER = "identifier"
_COMPARED: Mapping[str, Callable[[pl.Expr, Any], pl.Expr]] = {
    "greater_than": pl.Expr.gt,
    "greater_than_or_equal_to": pl.Expr.ge,
    "less_than": pl.Expr.lt,
    "less_than_or_equal_to": pl.Expr.le,
    "equal_to": pl.Expr.eq,
    "not_equal_to": pl.Expr.ne,
}
_FORM = "str_matches"
_OWNED = "owned"
_KINDS = (*_COMPARED, "isin", "in_range", _FORM)


def name_kind(check: pa.Check) -> str:
    """Name of pandera's built-in check, `identifier` or `owned`; '' for any other.

    A check of form may bear any name (:func:`schemas.feed_columns.matches`).
    """
    given = check.statistics or {}
    if check.name == IDENTIFIER or "owners" in given:
        return IDENTIFIER if check.name == IDENTIFIER else _OWNED
    if not given or not check.ignore_na or check.groupby is not None:
        return ""
    if check.name in _KINDS:
        return str(check.name)
    return _FORM if set(given) == {"pattern"} and not str(check.name).startswith("str_") else ""


def build_expression(check: pa.Check, name: str, dtype: pl.DataType) -> pl.Expr | None:
    """A check as an expression over a column's values, true where they pass; None if it has no such form.

    Parameters
    ----------
    check : pandera Check
        A built-in check, or one of :mod:`schemas.feed_columns`.
    name : str
        The column.
    """
    kind, given, value = name_kind(check), check.statistics or {}, pl.col(name)
    passes: pl.Expr | None = None
    if kind == IDENTIFIER:
        passes = form_fault(name).is_null()
    elif kind == _OWNED:
        passes = owned(name, given["owner_column"], given["owners"])
    elif kind == "isin":
        passes = _is_one_of(value, dtype, given["allowed_values"])
    elif kind == "in_range":
        is_above = value >= given["min_value"] if given["include_min"] else value > given["min_value"]
        passes = is_above & (value <= given["max_value"] if given["include_max"] else value < given["max_value"])
    elif kind == _FORM:
        pattern = getattr(given["pattern"], "pattern", given["pattern"])
        passes = value.str.contains(pattern if pattern.startswith("^") else f"^{pattern}")
    elif kind in _COMPARED:
        passes = _COMPARED[kind](value, *given.values())
    return passes


def owned(name: str, owner_column: str, owners: Mapping[str, str]) -> pl.Expr:
    """Whether another column of the row names the owner of a value; true where either is out of its vocabulary."""
    owner = pl.col(name).replace_strict(dict(owners), default=None, return_dtype=pl.String)
    is_owner = pl.col(owner_column).is_in(sorted(set(owners.values())))
    return ((pl.col(owner_column) == owner) | ~is_owner).fill_null(value=True)


def _is_one_of(value: pl.Expr, dtype: pl.DataType, allowed: Sequence[Any]) -> pl.Expr | None:
    codes = sorted(allowed)
    if dtype.is_integer() and all(isinstance(code, int) for code in codes):
        if codes == list(range(codes[0], codes[-1] + 1)):
            return value.is_between(codes[0], codes[-1])
        return value.is_in(codes)
    return value.is_in(codes) if dtype == pl.String and all(isinstance(code, str) for code in codes) else None
