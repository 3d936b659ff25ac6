"""Declared steps: what is read and used is in the name of a result, nothing else is, and nothing else can be read."""

import inspect
import pickle
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import assets
from assets.decision.history import MOVED_OUT, STATUSES, STATUSES_BEFORE
from assets.decision.open_checks import list_columns_of_families
from assets.lake import WHOLE, Lake, Table
from assets.pseudonyms import PseudonymKey
from assets.steps import FrameSource, Step, TableSource, step
from schemas.tables import TABLES
from tests.made_families import scorecard, terms

QUARTER = "2026Q1"
CUTS = "decision/cut_points"
HERE, THERE = "35.09", "35.10"


def list_steps() -> list[Step[..., Any]]:
    modules = [
        module.name for module in pkgutil.walk_packages(assets.__path__, "assets.") if ".asset" not in module.name
    ]
    found = [value for name in modules for value in vars(import_module(name)).values() if isinstance(value, Step)]
    return list({id(one): one for one in found}.values())


STEPS = list_steps()
of_every_step = pytest.mark.parametrize("of", STEPS, ids=lambda of: of.function.__name__)


@dataclass(frozen=True)
class Rows:
    """A source with a hash that says which version of the rows it has."""

    frame: pl.DataFrame
    version: str

    def content_hash(self, shard: str) -> str:
        return f"{self.version} {shard}"

    def scan(self, shard: str, columns: Sequence[str] | None = None) -> pl.LazyFrame:
        del shard
        return self.frame.lazy() if columns is None else self.frame.lazy().select(columns)


@dataclass(frozen=True)
class Setting:
    hash: str


def empty(key: str) -> pl.DataFrame:
    return TABLES[key].empty() if key in TABLES else pl.DataFrame()


class Counting:
    """A step with its declaration whose function is counted and gives tables without rows."""

    def __init__(self, of: Step[..., Any]) -> None:
        self.calls = 0
        made = tuple(empty(key) for key in of.writes)

        def function(**_: object) -> tuple[pl.DataFrame, ...]:
            self.calls += 1
            return made

        function.__signature__ = inspect.signature(of.function)  # type: ignore[attr-defined]
        self.step = replace(of, function=function, columns={})

    def run(self, lake: Lake, sources: Mapping[str, Rows], settings: Mapping[str, Setting]) -> int:
        before = self.calls
        self.step.run(lake, TABLES, QUARTER, [HERE], sources, **settings)
        return self.calls - before


@of_every_step
def test_a_step_is_computed_anew_for_each_table_it_reads_and_each_setting_it_uses_and_for_nothing_else(
    of: Step[..., Any], tmp_path: Path
) -> None:
    lake, counted = Lake(tmp_path), Counting(of)
    sources = {key: Rows(empty(key), "first") for key in of.reads.values()}
    settings = {name: Setting("first") for name in of.uses}
    assert counted.run(lake, sources, settings) == 1
    assert counted.run(lake, sources, settings) == 0
    for key in of.reads.values():
        assert counted.run(lake, {**sources, key: Rows(empty(key), "second")}, settings) == 1, key
    for name in of.uses:
        assert counted.run(lake, sources, {**settings, name: Setting("second")}) == 1, name
    assert counted.run(lake, {**sources, "registry/not_declared": Rows(pl.DataFrame(), "second")}, settings) == 0


@of_every_step
def test_a_step_is_given_frames_and_settings_and_nothing_that_could_read_another_table(of: Step[..., Any]) -> None:
    parameters = inspect.signature(of.function).parameters
    assert {parameters[name].annotation for name in of.reads} <= {pl.DataFrame, pl.LazyFrame}
    source = inspect.getsource(of.function)
    assert not [word for word in ("scan_", "read_parquet", ".read(", "house.", "lake.") if word in source]
    assert set(of.writes) <= set(TABLES)


@of_every_step
def test_a_step_is_pickled_by_its_place(of: Step[..., Any]) -> None:
    assert pickle.loads(pickle.dumps(of)) is of  # noqa: S301


TERMS = terms()
SETTINGS: Mapping[str, object] = {
    "terms": TERMS, "previous_terms": TERMS, "key": PseudonymKey(b"key"), "facts": (),
    "asked": list_columns_of_families(TABLES["registry/families"].columns),
    "area": "regency_code", "quarter": QUARTER, "card": scorecard(),
}  # fmt: skip
"""Values of every setting that a step uses."""
OTHERS = {STATUSES_BEFORE: pl.DataFrame(schema=STATUSES), MOVED_OUT: pl.DataFrame(schema=STATUSES)}
"""Frames that are no tables."""


@pytest.mark.parametrize(
    "of", [of for of in STEPS if of.writes != ("decision/seats",)], ids=lambda of: of.function.__name__
)
def test_a_step_makes_empty_tables_of_its_contracts_from_a_shard_without_rows(
    of: Step[..., Any], tmp_path: Path
) -> None:
    frames = {key: empty(key.removeprefix("previous/").removeprefix("elsewhere/")) for key in of.reads.values()}
    sources = {key: FrameSource(OTHERS.get(key, frame)) for key, frame in frames.items()}
    settings = {name: SETTINGS[name] for name in of.uses}
    made = of.run(Lake(tmp_path), TABLES, QUARTER, [HERE], sources, **settings)
    assert {key: table.rows for key, table in made.items()} == dict.fromkeys(of.writes, 0)


def cut_points(*frames: str) -> pl.DataFrame:
    rows = [{"frame": frame, "decile": 1, "highest_score_micro": 5} for frame in frames]
    return pl.DataFrame(rows, schema=TABLES[CUTS].dtypes)


def doubled(cuts: pl.DataFrame, *, factor: int) -> pl.DataFrame:
    return cuts.with_columns(pl.col("highest_score_micro") * factor)


def test_a_declaration_that_differs_from_the_parameters_is_refused() -> None:
    wrong: list[Callable[[], object]] = [
        lambda: step(reads={"cut": CUTS}, uses=("factor",), writes=(CUTS,))(doubled),
        lambda: step(reads={"cuts": CUTS}, writes=(CUTS,))(doubled),
        lambda: step(reads={"cuts": CUTS}, columns={"cut": ("frame",)}, uses=("factor",), writes=(CUTS,))(doubled),
    ]
    for declare in wrong:
        with pytest.raises(TypeError, match="declaration and parameters differ"):
            declare()


def test_a_setting_without_a_hash_is_refused_for_its_identity_says_nothing(tmp_path: Path) -> None:
    of = step(reads={"cuts": CUTS}, uses=("factor",), writes=(CUTS,))(doubled)
    sources = {CUTS: FrameSource(cut_points(HERE))}
    for value in (object(), [1], {"factor": 2}):
        with pytest.raises(TypeError, match="the setting factor has no hash"):
            of.run(Lake(tmp_path), TABLES, QUARTER, [HERE], sources, factor=value)
    with pytest.raises(TypeError, match="uses factor; it was given other"):
        of.run(Lake(tmp_path), TABLES, QUARTER, [HERE], sources, other=2)


def test_a_shard_reads_its_own_rows_a_whole_table_all_of_them_and_the_nation_every_shard(tmp_path: Path) -> None:
    lake, contract = Lake(tmp_path), TABLES[CUTS]
    shards = {code: lake.write(contract, QUARTER, code, code, cut_points(code)) for code in (HERE, THERE)}
    by_regency = TableSource(Table(CUTS, QUARTER, shards), contract)
    whole = TableSource(lake.write_whole(contract, QUARTER, cut_points("a", "b")), contract)
    assert by_regency.scan(HERE).collect()["frame"].to_list() == [HERE]
    assert by_regency.scan("35.11").collect().schema == contract.dtypes
    assert by_regency.scan("35.11").collect().is_empty()
    assert by_regency.scan(WHOLE).collect()["frame"].to_list() == [HERE, THERE]
    assert whole.scan(HERE).collect()["frame"].to_list() == ["a", "b"]
    assert len({by_regency.content_hash(shard) for shard in (HERE, THERE, "35.11", WHOLE)}) == 4


def test_a_step_called_by_hand_is_its_function() -> None:
    of = step(reads={"cuts": CUTS}, uses=("factor",), writes=(CUTS,))(doubled)
    assert of(cut_points(HERE), factor=2).equals(doubled(cut_points(HERE), factor=2))
