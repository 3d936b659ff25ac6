"""The data dictionary of the tables, as Markdown and as a Frictionless data package; all from the contracts."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

import pandera.polars as pa
import polars as pl

from schemas.contract import Contract
from schemas.errors import Refused
from schemas.vocabularies import Access

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_MEDIA_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_BOUNDS = {
    "greater_than_or_equal_to": "at least",
    "greater_than": "above",
    "less_than_or_equal_to": "at most",
    "less_than": "below",
}


def dictionary_page(tables: Mapping[str, Contract]) -> str:
    """Every table with its columns, as Markdown.

    Parameters
    ----------
    tables : mapping of str to Contract
        :data:`schemas.tables.TABLES`, or those of another questionnaire.
    """
    lines = [
        "# Data dictionary",
        "",
        "Made from the table contracts: every table of the house by `room/table`. *Public* tables are published,",
        "*restricted* ones are kept with the revision for those in charge, *internal* ones stay in the lake.",
        "",
        "| table | what it holds | one row per | access |",
        "|---|---|---|---|",
        *(
            f"| [{one.key}](#{_anchor(one.key)}) | {_cell(one.title)} | {_cell(one.grain)} | {one.access} |"
            for one in tables.values()
        ),
    ]
    for one in tables.values():
        lines += _table(one)
    return "\n".join(lines) + "\n"


def _table(one: Contract) -> Iterator[str]:
    yield from ("", f"## {one.key}", "", f"**{one.title}.** {one.description}", "")
    order = ", ".join(f"`{name}`" for name in one.order)
    yield f"One row per {one.grain}. Access: {one.access}. Rows in order of {order}."
    if one.open_prefix is not None:
        yield f"Columns whose names begin with `{one.open_prefix}` follow those listed."
    yield from ("", "| column | type | unit | null | source | allowed | meaning |", "|---|---|---|---|---|---|---|")
    for name, column in one.columns.items():
        about = column.metadata
        cells = [
            f"`{name}`",
            str(one.dtypes[name]),
            about["unit"],
            "yes" if column.nullable else "",
            about["source"],
            allowed(column),
            column.description,
        ]
        yield "| " + " | ".join(_cell(str(cell)) for cell in cells) + " |"


def allowed(column: pa.Column) -> str:
    """What the checks of a contract's column let pass, in words; empty where it is any value of the type.

    Parameters
    ----------
    column : pandera.polars.Column
        A column of :attr:`schemas.contract.Contract.columns`.
    """
    return "; ".join(told for check in column.checks if (told := _allowed(check)))


def _allowed(check: pa.Check) -> str:
    values = check.statistics or {}
    if check.name == "isin":
        return _listed(values["allowed_values"])
    if check.name == "in_range":
        return f"{values['min_value']:g} to {values['max_value']:g}"
    if check.name in _BOUNDS:
        return f"{_BOUNDS[check.name]} {next(iter(values.values())):g}"
    return str(values.get("pattern") or check.title or check.name)


def _listed(values: Sequence[Any]) -> str:
    """Words as they are, whole numbers without a gap as a span."""
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) == len(values) > 2 and all(after - before == 1 for before, after in pairwise(numbers)):  # noqa: PLR2004
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, values))


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _anchor(key: str) -> str:
    return key.replace("/", "")


def datapackage(contracts: Mapping[str, Contract], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A Frictionless data package (version 2) of a revision's files, as the content of `datapackage.json`.

    Parameters
    ----------
    contracts : mapping of str to Contract
        Contract of each file's rows by the file's name without ending.
    manifest : mapping
        Manifest of the revision: `quarter`, `revision`, `files` (`sha256` and `bytes` by file name beside the package).

    Raises
    ------
    Refused
        If a file has no contract or one that is not public.
    """
    files = manifest["files"]
    for path in files:
        contract = contracts.get(PurePosixPath(path).stem)
        if contract is None or contract.access is not Access.PUBLIC:
            message = f"{path} has no contract of a public table. Publish public tables only."
            raise Refused(message)
    quarter, revision = manifest["quarter"], manifest["revision"]
    return {
        "$schema": PROFILE,
        "name": f"perlinsos-{quarter.lower()}-r{revision}",
        "title": f"Perlinsos {quarter}, revision {revision}",
        "version": f"{quarter}-r{revision}",
        "resources": [_resource(path, files[path], contracts[PurePosixPath(path).stem]) for path in sorted(files)],
    }


def _resource(path: str, file: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    fields = [_field(name, column, contract.dtypes[name]) for name, column in contract.columns.items()]
    # Names must differ within a package, and a table comes in two formats.
    ending = PurePosixPath(path).suffix[1:]
    return {
        "name": f"{PurePosixPath(path).stem}-{ending}",
        "path": path,
        "title": contract.title,
        "description": f"{contract.description} One row per {contract.grain}.",
        "type": "table",
        "format": ending,
        "mediatype": _MEDIA_TYPES[ending],
        "encoding": "utf-8",
        "bytes": file["bytes"],
        "hash": f"sha256:{file['sha256']}",
        "schema": {"fields": fields, "primaryKey": list(contract.order), "missingValues": [""]},
    }


def _field(name: str, column: pa.Column, dtype: pl.DataType) -> dict[str, Any]:
    field = {
        "name": name,
        "type": _field_type(dtype),
        "title": column.title,
        "description": column.description,
        "unit": column.metadata["unit"],
        "source": column.metadata["source"],
    }
    constraints: dict[str, Any] = {} if column.nullable else {"required": True}
    enums = [list(check.statistics["allowed_values"]) for check in column.checks if check.name == "isin"]
    if enums:
        constraints["enum"] = enums[0]
    return {**field, "constraints": constraints} if constraints else field


def _field_type(dtype: pl.DataType) -> str:
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    if dtype == pl.List:
        return "array"
    return {pl.Boolean(): "boolean", pl.Date(): "date"}.get(dtype, "string")
