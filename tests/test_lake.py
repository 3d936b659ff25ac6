"""The lake: files named by what made them, resumed when killed, replaced atomically, found out when tampered with."""

import json
import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from joblib import parallel_config
from joblib.externals.loky import get_reusable_executor

import assets.lake
from assets.lake import PARQUET, WHOLE, Lake, Table, digest, hash_of_file, replacing, verify, write_atomically
from schemas.contract import Contract
from schemas.errors import BrokenContract, Tampered
from schemas.tables import TABLES

QUARTER = "2026Q1"
CUTS, PARKED = TABLES["decision/cut_points"], TABLES["registry/parked"]
MOVEMENTS = TABLES["decision/movements"]
MOVED = pl.DataFrame({"quarter": QUARTER, "level": "nation", "region_code": "all", "programme": "PKH", "move": "enters",
                      "cause": "own_data", "families": 1})  # fmt: skip
SHARDS = ["35.09", "35.10"]


@dataclass(frozen=True)
class Setting:
    hash: str


def cut_points(frame: str = "35.10") -> pl.DataFrame:
    return pl.DataFrame(
        {"frame": [frame] * 9, "decile": list(range(1, 10)), "highest_score_micro": list(range(100, 1000, 100))}
    )


def counted(shard: str, log: Path, factor: int = 1) -> tuple[pl.DataFrame, ...]:
    """Write down that the shard was computed; two tables."""
    with (log / f"{shard}.{os.getpid()}").open("a") as file:
        file.write("computed\n")
    parked = pl.DataFrame({"feed": [shard], "batch_id": ["b"], "rows": [factor]})
    return cut_points(shard).with_columns(pl.col("highest_score_micro") * factor), parked


def calls(log: Path) -> int:
    return sum(len(file.read_text().splitlines()) for file in log.iterdir())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    folder.mkdir()
    return folder


@pytest.fixture
def loky() -> Iterator[None]:
    with parallel_config(backend="loky", n_jobs=2):
        yield
    get_reusable_executor().shutdown(wait=True)


def input_table(lake: Lake, *frames: str) -> Table:
    return Table(
        CUTS.key, QUARTER, {one: lake.write(CUTS, QUARTER, one, digest(one), cut_points(one)) for one in frames}
    )


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def mapped(
    lake: Lake, log: Path, inputs: tuple[Table, ...] = (), factor: int = 1, settings: tuple[object, ...] = (1,)
) -> tuple[Table, ...]:
    return lake.map_shards(counted, QUARTER, [CUTS, PARKED], SHARDS, inputs, log, factor, settings=settings)


def test_a_shards_file_lies_in_its_table_quarter_and_shard_and_is_named_by_a_hash(lake: Lake, log: Path) -> None:
    scores, parked = mapped(lake, log)
    for table, contract in ((scores, CUTS), (parked, PARKED)):
        assert sorted(table.shards) == SHARDS
        for name, shard in table.shards.items():
            assert shard.path.parent == lake.root / contract.key / QUARTER / name
            assert len(shard.path.stem) == 32
            assert int(shard.path.stem, 16)
            assert shard.sha256 == hash_of_file(shard.path)
    assert scores.rows == 18
    assert parked.rows == 2


def test_a_shard_already_computed_is_not_computed_again(lake: Lake, log: Path) -> None:
    first = mapped(lake, log)
    assert calls(log) == 2
    assert mapped(lake, log) == first
    assert calls(log) == 2


def test_a_killed_run_resumes_with_the_shard_that_was_missing(lake: Lake, log: Path) -> None:
    scores, _ = first = mapped(lake, log)
    scores.shards["35.10"].path.unlink()
    assert mapped(lake, log) == first
    assert calls(log) == 3


def test_a_shard_changed_on_disk_is_computed_anew_with_the_bytes_it_had(lake: Lake, log: Path) -> None:
    scores, _ = first = mapped(lake, log)
    path = scores.shards["35.10"].path
    written = path.read_bytes()
    cut_points("35.10").with_columns(highest_score_micro=pl.lit(7)).write_parquet(path)
    assert mapped(lake, log) == first
    assert calls(log) == 3
    assert path.read_bytes() == written


def test_a_shard_without_its_recorded_hash_is_computed_anew(lake: Lake, log: Path) -> None:
    scores, _ = first = mapped(lake, log)
    scores.shards["35.10"].path.with_suffix(".json").unlink()
    assert mapped(lake, log) == first
    assert calls(log) == 3


@pytest.mark.parametrize(
    ("contract", "frame", "where"),
    [
        (CUTS, cut_points().with_columns(decile=pl.lit(None, pl.Int64)), "decile"),
        (CUTS, pl.concat([cut_points(), cut_points().tail(1)]), "frame, decile"),
        (MOVEMENTS, MOVED.with_columns(move=pl.lit("vanished")), "move"),
        (CUTS, cut_points().with_columns(decile=pl.lit(99)).head(1), "decile"),
    ],
    ids=["null", "key twice", "no word of the vocabulary", "out of range"],
)
def test_a_table_that_breaks_its_contract_is_not_written_and_the_place_is_told_without_a_value(
    lake: Lake, contract: Contract, frame: pl.DataFrame, where: str
) -> None:
    with pytest.raises(BrokenContract) as told:
        lake.write(contract, QUARTER, "35.10", "a" * 32, frame)
    message = str(told.value)
    assert f"{contract.key}, column {where}: " in message
    assert "row" in message
    assert "99" not in message
    assert "vanished" not in message
    assert files_below(lake.root) == {}


@pytest.mark.parametrize("settings", [(2,), (Setting("x"),), (1, 1), ()])
def test_a_changed_setting_is_computed_anew_beside_the_old(lake: Lake, log: Path, settings: tuple[object, ...]) -> None:
    before = mapped(lake, log)
    after = mapped(lake, log, settings=settings)
    assert calls(log) == 4
    for old, new in zip(before, after, strict=True):
        assert {shard.path for shard in old.shards.values()}.isdisjoint({shard.path for shard in new.shards.values()})
        assert all(shard.path.exists() for shard in old.shards.values())


def test_a_setting_with_a_hash_is_known_by_it_and_not_by_its_identity(lake: Lake, log: Path) -> None:
    assert mapped(lake, log, settings=(Setting("x"),)) == mapped(lake, log, settings=(Setting("x"),))
    assert calls(log) == 2
    mapped(lake, log, settings=(Setting("y"),))
    assert calls(log) == 4


def test_only_the_shard_whose_input_changed_is_computed_anew(lake: Lake, log: Path) -> None:
    table = input_table(lake, *SHARDS)
    mapped(lake, log, (table,))
    changed = lake.write(CUTS, QUARTER, "35.10", digest("changed"), cut_points("35.10").head(3))
    scores, _ = mapped(lake, log, (replace(table, shards={**table.shards, "35.10": changed}),))
    assert calls(log) == 3
    assert len(list((lake.root / CUTS.key / QUARTER / "35.09").glob("*.parquet"))) == 2
    assert scores.rows == 18


def test_an_input_without_the_shard_counts_as_a_whole(lake: Lake, log: Path) -> None:
    whole = Table(PARKED.key, QUARTER, {WHOLE: lake.write(PARKED, QUARTER, WHOLE, "a" * 32, counted("x", log)[1])})
    other = Table(PARKED.key, QUARTER, {WHOLE: lake.write(PARKED, QUARTER, WHOLE, "b" * 32, counted("y", log)[1])})
    before = calls(log)
    mapped(lake, log, (whole,))
    mapped(lake, log, (other,))
    assert calls(log) - before == 4


def test_other_code_computes_anew(lake: Lake, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped(lake, log)
    monkeypatch.setattr(assets.lake, "code_hash", lambda: "other code")
    mapped(lake, log)
    assert calls(log) == 4


def test_the_code_hash_follows_code_law_and_reference_tables_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("schemas/reference/regencies.csv", "quotas/policy/quotas.yaml", "assets/intake/checking.py"):
        file = tmp_path / place
        file.parent.mkdir(parents=True)
        file.write_text("one")
    monkeypatch.setattr("assets.lake.files", tmp_path.joinpath)
    code_hash = assets.lake.code_hash.__wrapped__
    found = [code_hash()]
    for place in ("schemas/reference/regencies.csv", "quotas/policy/quotas.yaml", "assets/intake/checking.py"):
        (tmp_path / place).write_text("two")
        found.append(code_hash())
    (tmp_path / "assets/intake/checking.py").rename(tmp_path / "assets/intake/renamed.py")
    found.append(code_hash())
    assert len(set(found)) == len(found)
    for place in ("assets/intake/__pycache__/checking.py", "assets/notes.txt"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text("of no account")
    assert code_hash() == found[-1]


def test_the_same_rows_in_another_order_are_the_same_bytes(lake: Lake) -> None:
    frame = pl.concat([cut_points(f"{number:05}") for number in range(20_000)])
    assert frame.height > PARQUET["row_group_size"]
    shuffled = frame[np.random.default_rng(3).permutation(frame.height)]
    first = lake.write(CUTS, QUARTER, WHOLE, "a" * 32, frame)
    second = lake.write(CUTS, QUARTER, WHOLE, "b" * 32, shuffled)
    assert first.path != second.path
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256


def test_a_file_that_is_there_is_kept(lake: Lake) -> None:
    first = lake.write(CUTS, QUARTER, WHOLE, "a" * 32, cut_points())
    assert lake.write(CUTS, QUARTER, WHOLE, "a" * 32, cut_points().head(1)) == first
    assert first.rows == 9


def test_worker_processes_write_the_same_files_as_one_process(tmp_path: Path, log: Path, loky: None) -> None:  # noqa: ARG001
    many, one = Lake(tmp_path / "many"), Lake(tmp_path / "one")
    of_many = mapped(many, log)
    with parallel_config(backend="sequential"):
        of_one = mapped(one, log)
    assert calls(log) == 4
    assert {file.suffix for file in log.iterdir()} > {f".{os.getpid()}"}
    assert files_below(many.root) == files_below(one.root)
    assert [table.content_hash for table in of_many] == [table.content_hash for table in of_one]


def test_a_committed_table_reads_back_as_it_was(lake: Lake, log: Path) -> None:
    scores, _ = mapped(lake, log)
    assert lake.table(CUTS.key, QUARTER) is None
    lake.commit(scores)
    assert lake.table(CUTS.key, QUARTER) == scores
    assert lake.from_json(json.loads(json.dumps(scores.to_json()))) == scores
    assert pickle.loads(pickle.dumps(scores)) == scores  # noqa: S301


def test_a_manifest_holds_no_path_of_the_machine(lake: Lake, log: Path, tmp_path: Path) -> None:
    scores, _ = mapped(lake, log)
    lake.commit(scores)
    text = (lake.folder(CUTS.key, QUARTER) / "manifest.json").read_text()
    assert str(tmp_path) not in text
    moved = Lake(tmp_path / "moved")
    lake.root.rename(moved.root)
    table = moved.table(CUTS.key, QUARTER)
    assert table is not None
    assert table.read(CUTS).height == 18


def test_a_manifest_is_the_old_one_or_the_new_one_and_never_half_of_it(
    lake: Lake, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores, _ = mapped(lake, log)
    lake.commit(scores)
    folder = lake.folder(CUTS.key, QUARTER)

    def fails(_: int) -> None:
        message = "disk full"
        raise OSError(message)

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="disk full"):
        lake.commit(replace(scores, shards={}))
    assert lake.table(CUTS.key, QUARTER) == scores
    assert [file.name for file in folder.iterdir() if file.is_file()] == ["manifest.json"]


def test_a_block_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def half(temporary: Path) -> None:
        temporary.write_bytes(b"ne")
        message = "killed"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="killed"), replacing(path) as temporary:
        half(temporary)
    assert files_below(tmp_path) == {"file": b"old"}
    write_atomically(path, b"new")
    assert files_below(tmp_path) == {"file": b"new"}


@pytest.mark.parametrize("at", [10, -10])
def test_a_tampered_shard_is_found_out(lake: Lake, at: int) -> None:
    shard = lake.write(CUTS, QUARTER, WHOLE, "a" * 32, cut_points())
    verify(shard)
    content = bytearray(shard.path.read_bytes())
    content[at] ^= 1
    shard.path.write_bytes(content)
    with pytest.raises(Tampered, match="is not the file its manifest names"):
        verify(shard)


def test_a_table_without_shards_has_its_columns_and_no_rows() -> None:
    table = Table(CUTS.key, QUARTER, {})
    assert table.rows == 0
    assert table.read(CUTS).schema == CUTS.dtypes
    assert table.read(CUTS, "35.10").schema == CUTS.dtypes


def test_a_table_reads_whole_or_by_shard(lake: Lake) -> None:
    table = input_table(lake, *SHARDS)
    assert table.read(CUTS).height == table.rows == 18
    assert table.read(CUTS, "35.10")["frame"].unique().to_list() == ["35.10"]
    assert table.read(CUTS, "35.11").height == 0


def test_equal_content_has_an_equal_hash_whatever_the_order_of_the_shards(lake: Lake) -> None:
    table = input_table(lake, *SHARDS)
    turned = replace(table, shards=dict(reversed(list(table.shards.items()))))
    assert turned.content_hash == table.content_hash
    fewer = replace(table, shards={"35.09": table.shards["35.09"]})
    assert fewer.content_hash != table.content_hash


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})
