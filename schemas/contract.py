"""How a table contract is written: a pandera schema whose every column has title, description, unit and source.

The contracts themselves are in :mod:`schemas.tables`; which rows a file may hold is decided there, not here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import pandera.polars as pa
import polars as pl

from schemas.checks import build_expression
from schemas.errors import BrokenContract, Tampered
from schemas.messages import Words
from schemas.vocabularies import Access


@dataclass(frozen=True)
class Contract:
    """What one table is: its key, who may read it, how its rows are ordered, and its columns.

    Attributes
    ----------
    key : str
        `room/table`; also the folder in the lake and the heading in the dictionary.
    grain : str
        What one row is.
    order : tuple of str
        Columns of the total order in which the rows are written; together they are unique.
    schema : pandera.polars.DataFrameSchema
        Columns with dtype, checks, nullability, title, description and metadata (`unit`, `source`, `aliases`, `label`,
        `codes`, `spellings`).
    open_prefix : str or None
        Columns whose name begins so are kept beside the listed ones.
    """

    key: str
    grain: str
    access: Access
    order: tuple[str, ...]
    schema: pa.DataFrameSchema
    open_prefix: str | None = None

    @property
    def title(self) -> str:
        """Heading of the table in the dictionary."""
        return str(self.schema.title)

    @property
    def description(self) -> str:
        """What the table is for."""
        return str(self.schema.description)

    @property
    def columns(self) -> Mapping[str, Any]:
        """Pandera columns by name, in order."""
        return self.schema.columns

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """Polars dtype of every column, in order."""
        return {name: column.dtype.type for name, column in self.schema.columns.items()}

    def open_columns(self, names: Iterable[str]) -> list[str]:
        """Those of the names that only the open prefix lets in."""
        prefix = self.open_prefix
        return [one for one in names if prefix is not None and one.startswith(prefix) and one not in self.columns]

    def empty(self) -> pl.DataFrame:
        """The table without rows."""
        return pl.DataFrame(schema=self.dtypes)

    def fit(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with this contract's columns and dtypes, in its total order.

        Raises
        ------
        Tampered
            If a promised column is missing.
        """
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            message = f"{self.key} lacks the columns {', '.join(missing)}, which its contract promises."
            raise Tampered(message)
        typed = frame.select(
            *(pl.col(name).cast(dtype) for name, dtype in self.dtypes.items()),
            *self.open_columns(frame.columns),
        )
        return typed.sort(self.order, nulls_last=True) if self.order else typed

    def check_rows(self, frame: pl.DataFrame) -> None:
        """Pass if every row keeps the contract: nulls, vocabularies, ranges, forms and the uniqueness of the order.

        Parameters
        ----------
        frame : DataFrame
            From :meth:`fit`.

        Raises
        ------
        BrokenContract
            With table, column, rule, number of rows and the first of them by its number; no value is named.
        """
        counts = frame.select(is_broken.sum().alias(name) for name, is_broken in self._breaches.items())
        broken = next((name for name in self._breaches if not frame.is_empty() and counts[name].item()), None)
        if broken is not None:
            first = frame.select(self._breaches[broken].arg_true().first()).item()
            column, rule = broken.split(":")
            raise BrokenContract(self.key, column, rule, counts[broken].item(), frame.height, first + 1)

    @cached_property
    def _breaches(self) -> dict[str, pl.Expr]:
        """What breaks the contract, by `column:rule`."""
        found = {
            f"{name}:not null": pl.col(name).is_null() for name, column in self.columns.items() if not column.nullable
        }
        for name, column in self.columns.items():
            for check in column.checks:
                passes = build_expression(check, name, column.dtype.type)
                if passes is None:
                    message = f"{self.key}, column {name}: the check {check.name} has no expression. Use another."
                    raise ValueError(message)
                found[f"{name}:{check.name}"] = ~passes
        if self.order:
            is_repeated = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in self.order)
            found[f"{', '.join(self.order)}:unique"] = is_repeated & (pl.int_range(pl.len()) > 0)
        return found


def column(  # noqa: PLR0913
    name: str,
    dtype: pl.DataType | type[pl.DataType],
    title: str,
    description: str,
    *,
    source: str,
    unit: str = "text",
    nullable: bool = False,
    checks: Sequence[pa.Check] = (),
    aliases: Sequence[str] = (),
    label: Words | None = None,
    codes: Mapping[str, Words] = MappingProxyType({}),
    spellings: Mapping[str, str] = MappingProxyType({}),
) -> pa.Column:
    """One column of a contract; nothing about it may be left unsaid.

    Parameters
    ----------
    aliases : sequence of str
        Other headers under which files deliver it, lower case with underscores.
    label : Words, optional
        What people call it; else the message `column.<name>`, if there is one.
    codes : mapping
        What each allowed value means.
    spellings : mapping
        Other ways in which files write a value, lower case, to the value as the contract has it (`ya` to `1`).
    """
    return pa.Column(
        dtype,
        checks=list(checks),
        nullable=nullable,
        name=name,
        title=title,
        description=description,
        metadata={
            "unit": unit,
            "source": source,
            "aliases": list(aliases),
            "label": label,
            "codes": dict(codes),
            "spellings": dict(spellings),
        },
    )


def contract(
    key: str,
    title: str,
    description: str,
    columns: Sequence[pa.Column],
    *,
    grain: str,
    order: Sequence[str],
    access: Access = Access.INTERNAL,
    open_prefix: str | None = None,
) -> Contract:
    """A table contract; with `open_prefix` it also takes columns whose name begins so (points per feature)."""
    schema = pa.DataFrameSchema(
        {str(one.name): one for one in columns},
        name=key,
        title=title,
        description=description,
        strict=open_prefix is None,
        ordered=False,
    )
    return Contract(key, grain, access, tuple(order), schema, open_prefix)
