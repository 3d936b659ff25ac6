"""Everybody resolved: persons with the same NIK and everybody scored against everybody, beside a plain self-join.

Each measurement runs in a process of its own, whose peak memory is its own. The model is trained beforehand.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

SIZES = tuple(int(size) for size in os.environ.get("PERLINSOS_BENCH_PERSONS", "2000000,10000000").split(","))
BUDGET = {2_000_000: (30, 2_048), 10_000_000: (150, 4_096)}
"""Persons to seconds and MiB of memory on 2 cores."""
_TRAINED_ON = 50_000
_DUPLICATES, _TYPOS, _OTHER_DAY, _WITHOUT_NIK, _THREE_WORDS = 0.02, 0.3, 0.1, 0.03, 0.4
_CHUNK = 500_000
_STARTS = ("su", "wi", "ra", "di", "ma", "ha", "se", "pu", "yu", "ka", "ba", "no", "li", "tri", "ci", "fe", "mu", "nu")
_MIDDLES = ("ra", "di", "ti", "na", "ha", "mi", "yu", "la", "ki", "so", "ri", "wa", "lis", "man")
_ENDS = ("no", "ti", "wan", "yah", "ningsih", "to", "ni", "man", "sari", "di", "tha", "na", "wati", "yanto", "ah", "ul")
_MEASURED = """
import json, resource, sys, time
from pathlib import Path
from assets.registry.linkage.scoring import score_pairs
from assets.registry.linkage.model import LinkageModel
file, model, folder, memory = sys.argv[1:]
began = time.monotonic()
found = score_pairs(Path(file), LinkageModel.from_json(Path(model).read_bytes()), same_probability=0.99,
                    clerk_probability=0.5, folder=Path(folder), threads=2, memory_mib=int(memory))
spent = time.monotonic() - began
counts = dict(found.group_by("outcome").len().iter_rows())
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([spent, used.ru_maxrss >> 10, counts, used.ru_utime + used.ru_stime]))
"""
_PLAIN = """
import json, resource, sys, time
import duckdb
file, folder = sys.argv[1:]
began = time.monotonic()
con = duckdb.connect(config={"threads": 2, "temp_directory": folder})
con.execute("SET enable_progress_bar = false")
found = con.sql(f"SELECT count(*) FROM '{file}' l JOIN '{file}' r ON l.national_id = r.national_id AND l.id < r.id")
pairs = found.fetchall()[0][0]
print(json.dumps([time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, pairs]))
"""


def _names() -> npt.NDArray[np.str_]:
    every = np.array([a + b + c for a in _STARTS for b in _MIDDLES for c in _ENDS])
    return np.random.default_rng(1).permutation(every)


def write_people(file: Path, persons: int, seed: int) -> None:
    """Persons as a registry knows them: name, birth date, village and NIK; some twice, some of those with a typo."""
    dice, names = np.random.default_rng(seed), _names()
    rank = np.arange(1, len(names) + 1)
    shares = 1 / (rank + 20.0) ** 0.9
    shares /= shares.sum()
    folder = file.with_suffix("")
    folder.mkdir()
    for at, start in enumerate(range(0, persons, _CHUNK)):
        count = min(_CHUNK, persons - start)
        copies = int(count * _DUPLICATES)
        own = count - copies
        words = dice.choice(names, (3, own), p=shares)
        born = np.datetime64("1935-01-01") + dice.integers(0, 31_000, own)
        village = dice.integers(0, 80_000 * persons // 270_000_000 + 200, own)
        people = pl.DataFrame({"one": words[0], "two": words[1], "three": words[2], "birth_date": born, "v": village,
                               "serial": dice.integers(1, 1_000_000, own),
                               "long": dice.random(own) < _THREE_WORDS})  # fmt: skip
        day = pl.col("birth_date").cast(pl.Date)
        people = people.select(
            full_name=pl.concat_str("one", "two", pl.when("long").then("three"), separator=" ", ignore_nulls=True),
            birth_date=day,
            region=pl.format("35.{}.{}", pl.col("v") % 700, pl.col("v")),
            national_id=pl.format(
                "{}{}{}", pl.col("v") % 700 + 350_000, day.dt.strftime("%d%m%y"),
                pl.col("serial").cast(pl.String).str.zfill(6),
            ),
        )  # fmt: skip
        again = people[dice.integers(0, own, copies)]
        again = again.with_columns(
            full_name=_typed(again["full_name"], dice),
            national_id=_typed(again["national_id"], dice),
            birth_date=pl.when(pl.Series(dice.random(copies) < _OTHER_DAY)).then(day.dt.offset_by("1d"))
            .otherwise("birth_date"),
        )  # fmt: skip
        both = pl.concat([people, again])
        both = both.with_columns(
            pl.when(pl.Series(dice.random(count) >= _WITHOUT_NIK)).then("national_id").alias("national_id"),
            id=pl.format("p{}", pl.int_range(start, start + count).cast(pl.String).str.zfill(9)),
        )
        both.write_parquet(folder / f"{at:04}.parquet")
    pl.scan_parquet(folder / "*.parquet").sink_parquet(file, row_group_size=200_000)


def _typed(texts: pl.Series, dice: np.random.Generator) -> pl.Series:
    """The texts, some of them with a character left out."""
    at = pl.Series(dice.integers(1, 12, texts.len()))
    has = pl.Series(dice.random(texts.len()) < _TYPOS)
    frame = pl.DataFrame({"text": texts, "at": at, "has": has})
    shorter = pl.col("text").str.slice(0, pl.col("at")) + pl.col("text").str.slice(pl.col("at") + 1)
    return frame.select(pl.when("has").then(shorter).otherwise("text")).to_series()


def _process(code: str, *arguments: object) -> list[object]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    found: list[object] = json.loads(ended.stdout)
    return found


def run() -> None:
    """Print seconds and peak memory of everybody resolved, beside the budget and a plain self-join on the NIK."""
    from assets.registry.linkage.training import train  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample = folder / "sample.parquet"
        write_people(sample, _TRAINED_ON, seed=1)
        began = time.monotonic()
        model = folder / "model.json"
        model.write_bytes(train(pl.read_parquet(sample), seed=1).to_json())
        print(f"trained on {_TRAINED_ON:,} persons in {time.monotonic() - began:.1f} s")
        for persons in SIZES:
            seconds, memory = BUDGET.get(persons, (30, 2_048))
            people = folder / f"{persons}.parquet"
            write_people(people, persons, seed=2)
            # DuckDB's limit leaves out what the interpreter and its libraries hold.
            limit = memory * 6 // 10
            plain, plain_peak, pairs = _process(_PLAIN, people, folder)
            spent, peak, counts, processor = _process(_MEASURED, people, model, folder, limit)
            print(f"{persons:,} persons: everybody resolved in {float(str(spent)):.1f} s (budget {seconds} s), "
                  f"peak {peak} MiB (budget {memory} MiB), "
                  f"processor {float(str(processor)):.1f} s: {counts}")  # fmt: skip
            print(f"  plain self-join on the NIK alone: {float(str(plain)):.1f} s, peak {plain_peak} MiB, {pairs:,} "
                  f"pairs; {float(str(spent)) / float(str(plain)):.1f} times")  # fmt: skip
            people.unlink()
