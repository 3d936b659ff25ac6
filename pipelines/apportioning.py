"""Seats on request: `perlinsos quotas apportion` on any file of weights. The arithmetic is in `quotas.apportion`."""

import re
from collections.abc import Collection
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from assets.intake.codesystems import enclosing
from assets.intake.formats import Delivery, open_delivery
from assets.intake.headers import is_total_row, plain_name
from assets.intake.values import TWO_READINGS, DecimalMarks, Shape, is_nothing
from quotas.apportion import Method, apportion
from schemas.errors import Refused

_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_REGION = re.compile(r"[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?|[0-9]{4}|[0-9]{6,7}|[0-9]{10}")
"""Codes that may stand in a message; what else stands in their column may be a number or a name of a person."""
_WHOLE = re.compile(r"[0-9]+(\.0+)?")
_MOST_DIGITS = 60
_REMEDY = "Write it without marks between thousands and with a point before decimals, as 100130 or 100.13."


def seats_of_files(places: int, weights: Path, caps: Path | None, method: Method) -> dict[str, Any]:
    """Places over the weights of a file, by code.

    Parameters
    ----------
    weights, caps : Path
        Files of any kind that is read here, with the columns `code` and `weight`, or `code` and `cap`.

    Returns
    -------
    dict
        `seats` (places by code, in order of code), `ties` (groups of codes) and `unused`; see
        :class:`quotas.apportion.Apportionment`.

    Raises
    ------
    Refused
        If a file cannot be read, lacks a column, names a code twice, holds a total or an area beside its parts, or a
        figure is no number of zero or more; the message names the row. And what :func:`quotas.apportion.apportion`
        refuses.
    """
    weighed = _figures(weights, "weight", _DECIMAL)
    capped = {} if caps is None else {code: int(cap) for code, cap in _figures(caps, "cap", _WHOLE, weighed).items()}
    result = apportion(places, weighed, method, capped)
    return {"seats": result.seats, "ties": result.ties, "unused": result.unused}


def _figures(
    path: Path, column: str, form: re.Pattern[str], known: Collection[str] | None = None
) -> dict[str, Decimal]:
    """Read the figure of each code; with `known`, refuse a code that is not among them."""
    delivery = open_delivery(path, names={"code", column})
    header = [plain_name(cell) for cell in delivery.header[0]] if delivery.header else []
    places = [f"c{_place(delivery, header, name)}" for name in ("code", column)]
    first_row = delivery.first_row if delivery.is_named else delivery.first_row + 1
    found: dict[str, Decimal] = {}
    row_of: dict[str, int] = {}
    marks, twofold = DecimalMarks(), ""
    for chunk in delivery.chunks():
        cells = chunk.columns[2:]
        rows = chunk.filter(
            pl.col("row_number") >= first_row, pl.any_horizontal(pl.col("row_fault", *cells).is_not_null())
        ).select(
            "row_number",
            pl.col("row_fault").is_null() & pl.all_horizontal(pl.lit(True), pl.col(cells[len(header) :]).is_null()),
            is_total_row(cells, cells).alias("is_total"),
            *places,
        )
        marks.learn(rows.select(figure=places[1]))
        rows = rows.with_columns(_without_nothing(rows[places[0]]))
        for number, is_sound, is_total, code, figure in rows.iter_rows():
            where = _where(delivery, number, code)
            if not is_sound:
                message = f"{where}: cannot be cut into the cells the header names. {_REMEDY}"
                raise Refused(message)
            if is_total:
                message = f"{where}: holds a total and no area; its parts would count twice. Take the row out."
                raise Refused(message)
            if code is None or code in found or (known is not None and code not in known):
                message = f"{where}: {_fault_of_code(code, found, column)}"
                raise Refused(message)
            if figure is None or not form.fullmatch(figure) or len(figure) > _MOST_DIGITS:
                fault = "is missing" if figure is None else "is no number of zero or more"
                whole = " It must be whole." if form is _WHOLE else ""
                message = f"{where}: {column} {fault}.{whole} {_REMEDY}"
                raise Refused(message)
            found[code], row_of[code] = Decimal(figure), number
            twofold = twofold or (where if re.fullmatch(TWO_READINGS, figure) else "")
    if twofold and marks.of("figure") != ".":
        message = (
            f"{twofold}: the point of {column} stands before three digits, which may be thousands or decimals, and no "
            f"other row tells which. {_REMEDY}"
        )
        raise Refused(message)
    for code, part in enclosing(pl.Series(list(found), dtype=pl.String)).iter_rows():
        where = _where(delivery, row_of[code], code)
        message = f"{where}: holds {part} of row {row_of[part]}, which would count twice. Keep the area or its parts."
        raise Refused(message)
    return found


def _fault_of_code(code: str | None, found: Collection[str], column: str) -> str:
    if code is None:
        return "has no code. Give every row the code of its area."
    if code in found:
        return "the code stands in an earlier row too. Give each code one row."
    return f"has a {column} but no weight. Give it a weight, zero if need be, or take the row out."


def _where(delivery: Delivery, row: int, code: str | None) -> str:
    return f"{delivery.name}, row {row}" + (f" ({code})" if code and _REGION.fullmatch(code) else "")


def _without_nothing(codes: pl.Series) -> pl.Series:
    nothing = is_nothing(codes, Shape(pl.String()))
    return codes if nothing is None else codes.set(nothing, None)


def _place(delivery: Delivery, header: list[str], name: str) -> int:
    if header.count(name) != 1:
        fault = "has no column" if name not in header else "has more than one column"
        message = f"{delivery.name} {fault} '{name}' in its first row. Name the columns there, as in `code,weight`."
        raise Refused(message)
    return header.index(name)
