"""Loading a million survey rows, beside plain polars: 5% bad rows, whole columns wrong, and ten million rows.

Each load runs in a process of its own, whose peak memory is its own.
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

from schemas.feeds import ADDED_COLUMNS
from schemas.tables import TABLES

ROWS = int(os.environ.get("PERLINSOS_BENCH_ROWS", "1000000"))
TIMES = int(os.environ.get("PERLINSOS_BENCH_TIMES", "10"))
COLUMNS = 45
BAD_SHARE = 0.05
ROWS_PER_SECOND = {"good": 120_000, "refused": 80_000}
PEAK_MIB = 1_280
LARGE_OVER_SMALL = 10.5
_CHUNK = 250_000
_LOAD = """
import json, resource, sys, time
from datetime import date
from pathlib import Path
from assets.intake.loading import Intake
from assets.intake.senders import Senders
from assets.lake import Lake
from quotas.rulebook import rulebook
from schemas.quarter import Quarter
from schemas.tables import TABLES
from schemas.vocabularies import Feed
lake, file = map(Path, sys.argv[1:])
senders = Senders({sender.code: sender for sender in rulebook().on(date(2026, 2, 20)).senders})
intake = Intake(Lake(lake), TABLES, 0.1, senders)
began = time.monotonic()
loaded = intake.load(Feed.SURVEYS, file, Quarter(2026, 1), sender="aplikasi_agen")
spent = time.monotonic() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps([spent, peak, loaded.state, loaded.read, loaded.rejected, str(loaded.report)]))
"""
_PLAIN = """
import json, resource, sys, time
import polars as pl
began = time.monotonic()
pl.read_csv(sys.argv[1], infer_schema=False)
print(json.dumps([time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10]))
"""


def _process(code: str, *arguments: Path) -> list[object]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    found: list[object] = json.loads(ended.stdout)
    return found


def write_surveys(file: Path, rows: int, *, whole_columns: bool = False) -> None:
    """Survey rows of 45 columns as a sender writes them; a share of them, or all of them, with a wrong answer."""
    contract = TABLES["intake/surveys"]
    answers = [name for name, dtype in contract.dtypes.items() if name not in ADDED_COLUMNS and dtype == pl.Int32]
    chosen = [name for name in answers if name != "visit_result"]
    dice = np.random.default_rng(7)
    with file.open("wb") as sink:
        for start in range(0, rows, _CHUNK):
            count = min(_CHUNK, rows - start)
            numbers = np.arange(start, start + count)
            frame = pl.DataFrame(
                {
                    "family_card_number": pl.Series(numbers).map_elements(
                        lambda number: f"{3510091203000001 + number // 9_000 * 10_000 + number % 9_000 + 1}",
                        return_dtype=pl.String,
                    ),
                    "survey_date": "2025-12-05",
                    "agent_id": pl.Series(numbers % 977).cast(pl.String),
                    **{name: pl.Series(_answers(contract.columns[name], dice, count)) for name in chosen},
                }
            )
            wrong = np.ones(count, bool) if whole_columns else dice.random(count) < BAD_SHARE
            spoilt = chosen[:5] if whole_columns else chosen[:2]
            frame = frame.with_columns(
                pl.when(pl.Series(wrong)).then(pl.lit("seng")).otherwise(pl.col(name).cast(pl.String)).alias(name)
                for name in spoilt
            )
            extra = [pl.lit(None, pl.String).alias(f"remark_{at}") for at in range(COLUMNS - frame.width)]
            frame.with_columns(extra).write_csv(sink, include_header=start == 0)


def _answers(column: object, dice: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    given = column.checks[0].statistics  # type: ignore[attr-defined]
    if "allowed_values" in given:
        return dice.choice(np.array(sorted(given["allowed_values"])), count)
    return dice.integers(int(given["min_value"]), min(int(given["max_value"]), 500) + 1, count)


def _line(name: str, rows: int, found: list[object], plain: float) -> float:
    seconds, peak, state, read, rejected, _ = found
    assert read == rows, found
    spent = float(str(seconds))
    print(
        f"  {name:<28} {spent:6.1f} s {rows / spent:9,.0f} rows/s {peak:>6} MiB  {state}, {rejected:,} rejected; "
        f"{spent / plain:.1f} times plain polars.read_csv"
    )
    return spent


def run() -> None:
    """Print rows per second, peak memory and the ratio to plain reading, each beside its target."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good, bad, large = folder / "good.csv", folder / "bad.csv", folder / "large.csv"
        write_surveys(good, ROWS)
        write_surveys(bad, ROWS, whole_columns=True)
        _process(_PLAIN, good)
        plain = float(str(_process(_PLAIN, good)[0]))
        print(f"{ROWS:,} rows of {COLUMNS} columns, {good.stat().st_size >> 20} MiB; plain read {plain:.2f} s")
        spent = _line("5% bad", ROWS, _process(_LOAD, folder / "a" / "lake", good), plain)
        refused = _line("whole columns wrong", ROWS, _process(_LOAD, folder / "b" / "lake", bad), plain)
        assert not list((folder / "b" / "lake" / "intake").glob("surveys/**/*.parquet"))
        print(f"  targets: {ROWS_PER_SECOND['good']:,} and {ROWS_PER_SECOND['refused']:,} rows/s, {PEAK_MIB:,} MiB:")
        print(f"  reached {ROWS / spent / ROWS_PER_SECOND['good']:.2f} and "
              f"{ROWS / refused / ROWS_PER_SECOND['refused']:.2f} times")  # fmt: skip
        if TIMES > 1:
            began = time.monotonic()
            write_surveys(large, ROWS * TIMES)
            print(f"  ({TIMES} times as many rows written in {time.monotonic() - began:.0f} s)")
            more = _line(f"5% bad, {TIMES} times the rows", ROWS * TIMES, _process(_LOAD, folder / "c" / "lake", large),
                         plain * TIMES)  # fmt: skip
            print(f"  {more / spent:.2f} times the time; target {LARGE_OVER_SMALL * TIMES / 10:.1f}")
