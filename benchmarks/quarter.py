"""A quarter of Banyuwangi's size, first and second, stage by stage beside the budget and beside plain polars.

With PERLINSOS_BENCH_SCOPE=nation (and PERLINSOS_BENCH_FAMILIES, say 950000) the same of all 514 regencies.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.demo import scale, throw_away_key
from pipelines.home import Home
from schemas.vocabularies import Role

SCOPE = os.environ.get("PERLINSOS_BENCH_SCOPE", "banyuwangi")
FAMILIES = int(os.environ.get("PERLINSOS_BENCH_FAMILIES", "680000"))
QUARTERS = ("2026Q1", "2026Q2")
BUDGET_SECONDS = {"intake": 40, "registry": 30, "decision": 10, "publication": 30}
"""docs/design.md, the budget: 680,000 families, 2 cores, the whole quarter within 8 GiB."""
_STAGES = {"intake": ("intake",), "registry": ("registry",), "decision": ("judge", "decide", "decision__draft")}


def _perlinsos(home: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", *arguments]
    environment = {**os.environ, "PERLINSOS_HOME": str(home)}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout  # noqa: S603


def _plain_reading(folder: Path) -> float:
    """Seconds that polars alone takes to read every file of a quarter, of a CSV all columns as text."""
    began = time.monotonic()
    for file in sorted(folder.glob("*/*.csv")):
        pl.read_csv(file, infer_schema=False)
    for file in sorted(folder.glob("*/*.parquet")):
        pl.read_parquet(file)
    return time.monotonic() - began


def invent(home: Path, quarters: Sequence[str] = QUARTERS) -> dict[Role, Path]:
    """A new home with a synthetic country in its landing zone; the keys of those who approve."""
    _perlinsos(home, "init", "--trial")
    (home / "overlay.yaml").write_text(scale(FAMILIES, SCOPE).text(), encoding="utf-8")
    began = time.monotonic()
    world = ("world", "--scope", SCOPE, "--families", str(FAMILIES), "--quarters", ",".join(quarters))
    _perlinsos(home, *world, "--out", str(home / "landing"))
    print(f"{FAMILIES:,} families invented in {time.monotonic() - began:.1f} s")
    return {role: throw_away_key(Home(home), role) for role in Role}


def run_and_publish(home: Path, quarter: str, keys: Mapping[Role, Path], *, is_first: bool) -> tuple[Any, float]:
    """What `run` tells of a quarter, approved and published afterwards, and the seconds of its publication."""
    ran = json.loads(_perlinsos(home, "run", quarter, *(["--first"] if is_first else []), "--json"))
    for role, key in keys.items():
        _perlinsos(home, "approve", ran["draft"], "--role", role, "--key", str(key), "--decree", "BENCH")
    began = time.monotonic()
    _perlinsos(home, "publish", quarter)
    return ran, time.monotonic() - began


def run() -> None:
    """Print the stages of two quarters with their share of the budget, peak memory and the ratio to plain reading."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        keys = invent(home)
        for quarter in QUARTERS:
            plain = _plain_reading(home / "landing" / quarter)
            ran, published = run_and_publish(home, quarter, keys, is_first=quarter == QUARTERS[0])
            seconds = {stage["stage"]: stage["seconds"] for stage in ran["stages"]}
            spent = {name: sum(seconds[one] for one in steps) for name, steps in _STAGES.items()}
            spent["publication"] = published
            print(f"{quarter}: run {ran['seconds']:.1f} s, peak {ran['peak_mib']:,} MiB")
            for name, value in spent.items():
                print(f"  {name:<12} {value:6.1f} s   {value / BUDGET_SECONDS[name]:5.0%} of its budget")
            fitting = seconds["welfare__scorecard"]
            print(f"  {'scorecard':<12} {fitting:6.1f} s   (fitted in a first quarter only)")
            print(f"  intake takes {spent['intake'] / plain:.1f} times plain polars reading of the same files")
        shutil.rmtree(home)
