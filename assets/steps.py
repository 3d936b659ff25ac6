"""Declared steps: which tables a function reads, which settings it uses and which tables it writes.

The declaration decides everything else: what the function is given, under which name its result is kept, and when it is
computed again.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

import polars as pl
from joblib import Parallel, delayed

from assets.lake import WHOLE, Lake, Table, code_hash, digest, hash_rows
from schemas.contract import Contract

P = ParamSpec("P")
Made = TypeVar("Made", pl.DataFrame, tuple[pl.DataFrame, ...])
Columns = Sequence[str] | Callable[[Mapping[str, Any]], Sequence[str]]
_PLAIN = (str, int, bool, date)


class Source(Protocol):
    """Rows that a step may read, shard by shard."""

    def content_hash(self, shard: str) -> str:
        """Hash of everything that :meth:`scan` reads for a shard."""

    def scan(self, shard: str, columns: Sequence[str] | None) -> pl.LazyFrame:
        """Rows of a shard in these columns, or all; none where there is no such shard."""


@dataclass(frozen=True)
class TableSource:
    """A table of the quarter: the shard asked for, or all rows of a table that is not sharded or read whole."""

    table: Table
    contract: Contract

    def _part(self, shard: str) -> Table:
        shards = self.table.shards
        is_whole = shard == WHOLE or set(shards) == {WHOLE}
        chosen = shards if is_whole else {name: file for name, file in shards.items() if name == shard}
        return Table(self.table.key, self.table.quarter, chosen)

    def content_hash(self, shard: str) -> str:
        """Hash of the rows of a shard."""
        return self._part(shard).content_hash

    def scan(self, shard: str, columns: Sequence[str] | None = None) -> pl.LazyFrame:
        """Rows of a shard."""
        return self._part(shard).scan(self.contract, columns)


@dataclass(frozen=True)
class FrameSource:
    """A small frame that every shard reads whole."""

    frame: pl.DataFrame

    def content_hash(self, shard: str) -> str:
        """Hash of all rows."""
        del shard
        return hash_rows(self.frame)

    def scan(self, shard: str, columns: Sequence[str] | None = None) -> pl.LazyFrame:
        """All rows."""
        del shard
        return self.frame.lazy() if columns is None else self.frame.lazy().select(columns)


def list_sources(contracts: Mapping[str, Contract], tables: Mapping[str, Table]) -> dict[str, Source]:
    """A source for each table, by its key."""
    return {key: TableSource(table, contracts[table.key]) for key, table in tables.items()}


@dataclass(frozen=True)
class Step(Generic[P, Made]):
    """A function over tables with its declaration; calling it calls the function.

    Attributes
    ----------
    reads : mapping
        Key of the source by parameter. A parameter annotated as LazyFrame gets a scan, any other the rows.
    uses : tuple of str
        Parameters that are settings: plain values, None, or objects with a `hash`.
    writes : tuple of str
        Keys of the tables, in the order in which the function returns them.
    columns : mapping
        By parameter the columns read, or what lists them from the settings; else all of the contract.
    """

    function: Callable[P, Made]
    reads: Mapping[str, str]
    uses: tuple[str, ...]
    writes: tuple[str, ...]
    columns: Mapping[str, Columns]

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> Made:
        """The function's result."""
        return self.function(*arguments, **named)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        """Pickled by its place: the module holds the step where the function stood."""
        return _import_step, (self.function.__module__, self.function.__name__)

    def run(
        self,
        lake: Lake,
        contracts: Mapping[str, Contract],
        quarter: str,
        shards: Sequence[str],
        sources: Mapping[str, Source],
        /,
        **settings: Any,  # noqa: ANN401
    ) -> dict[str, Table]:
        """Compute the tables shard by shard, through joblib; a shard computed from the same inputs is taken as it is.

        Parameters
        ----------
        shards : sequence of str
            Shards to compute; `[WHOLE]` for tables that are not sharded.
        sources : mapping
            By key, at least those read; others may be among them.
        **settings
            Exactly the settings declared.

        Returns
        -------
        dict
            The tables written, by key.

        Raises
        ------
        TypeError
            If a setting is missing, not declared, or has no hash.
        KeyError
            If a source is missing.
        """
        if set(settings) != set(self.uses):
            message = f"{self.function.__name__} uses {', '.join(self.uses)}; it was given {', '.join(settings)}."
            raise TypeError(message)
        hashes = {name: _hash_setting(name, value) for name, value in settings.items()}
        read = {parameter: sources[key] for parameter, key in self.reads.items()}
        outputs = [contracts[key] for key in self.writes]
        made = list(
            Parallel()(
                delayed(_compute)(self, lake, outputs, quarter, shard, read, settings, hashes) for shard in shards
            )
        )
        return {
            key: Table(key, quarter, {shard: files[at] for shard, files in zip(shards, made, strict=True)})
            for at, key in enumerate(self.writes)
        }

    def read(
        self, parameter: str, source: Source, shard: str, settings: Mapping[str, Any]
    ) -> pl.DataFrame | pl.LazyFrame:
        """What the function gets as a parameter."""
        columns = self.columns.get(parameter)
        rows = source.scan(shard, columns(settings) if callable(columns) else columns)
        is_lazy = inspect.signature(self.function).parameters[parameter].annotation is pl.LazyFrame
        return rows if is_lazy else rows.collect()


def step(
    *,
    reads: Mapping[str, str],
    writes: Sequence[str],
    uses: Sequence[str] = (),
    columns: Mapping[str, Columns] | None = None,
) -> Callable[[Callable[P, Made]], Step[P, Made]]:
    """Declare a function as a step, see :class:`Step`.

    Raises
    ------
    TypeError
        If the parameters of the function are not those declared.
    """

    def declare(function: Callable[P, Made]) -> Step[P, Made]:
        made = Step(function, dict(reads), tuple(uses), tuple(writes), dict(columns or {}))
        parameters = set(inspect.signature(function).parameters)
        declared = {*reads, *uses}
        if parameters != declared or not set(made.columns) <= set(reads):
            wrong = ", ".join(sorted(parameters ^ declared)) or ", ".join(sorted(set(made.columns) - set(reads)))
            message = f"{function.__name__}: declaration and parameters differ in {wrong}. Make them the same."
            raise TypeError(message)
        return made

    return declare


def _import_step(module: str, name: str) -> Step[..., Any]:
    found: Step[..., Any] = getattr(import_module(module), name)
    return found


def _hash_setting(name: str, value: object) -> object:
    """What stands for a setting in the name of a result: its hash, or the plain value itself."""
    hashed = getattr(value, "hash", None)
    if isinstance(hashed, str):
        return hashed
    is_plain = isinstance(value, tuple) and all(isinstance(part, _PLAIN) for part in value)
    if value is None or is_plain or isinstance(value, _PLAIN):
        return repr(value)
    message = f"the setting {name} has no hash and is no plain value: {type(value).__name__}. Give it a hash."
    raise TypeError(message)


def _compute(
    of: Step[..., Any],
    lake: Lake,
    outputs: Sequence[Contract],
    quarter: str,
    shard: str,
    sources: Mapping[str, Source],
    settings: Mapping[str, Any],
    hashes: Mapping[str, object],
) -> tuple[Any, ...]:
    read = {parameter: source.content_hash(shard) for parameter, source in sources.items()}
    name = digest([of.function.__module__, of.function.__qualname__, code_hash(), shard, read, hashes])

    def make() -> tuple[pl.DataFrame, ...]:
        rows = {parameter: of.read(parameter, source, shard, settings) for parameter, source in sources.items()}
        made = of.function(**rows, **settings)
        return made if isinstance(made, tuple) else (made,)

    return lake.find_or_write(outputs, quarter, shard, name, make)
