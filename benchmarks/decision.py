"""Ten million families decided: filters, score, deciles, places, ranking, causes of moves; beside a plain query.

Two quarters of a synthetic Banyuwangi are run and published; their registry is then laid out as often as it takes, each
copy as regencies of its own; the places of the whole country are shared out beside. Either measurement runs in a
process of its own, whose peak memory is its own, on the same files. The plain query only scores, ranks and cuts.
"""

import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from joblib import Parallel, delayed

from assets.decision.compared import Before, Now, list_compared_facts, sources_of
from assets.decision.draft import find_draft
from assets.decision.families import Families, Terms
from assets.decision.judge import asked_of, eligibility, judge
from assets.decision.places import places
from assets.decision.ranking import rank
from assets.decision.transitions import transitions
from assets.intake.poverty import poverty_of
from assets.lake import PARQUET
from assets.published import current
from assets.welfare.score import lookup
from benchmarks.quarter import QUARTERS, invent, run_and_publish
from pipelines.home import Home
from schemas.regions import regencies
from schemas.tables import TABLES
from schemas.vocabularies import Feed, Status

FAMILIES = int(os.environ.get("PERLINSOS_BENCH_DECIDED", "10000000"))
BUDGET_SECONDS, BUDGET_MIB, BUDGET_FOR = 90, 6_144, 10_000_000
_NOW = ("registry/families", "registry/provenance", "registry/members", "decision/seats")
_THEN = ("registry/families", "registry/members", "decision/decisions", "decision/seats")
_LOOKED_BACK_AT = (
    "family_id", "programme", "status", "regency_code", "score_micro", "reasons", "held_since", "components",
    "amount_rupiah",
)  # fmt: skip
_IDS = ("family_id", "person_id", "head_person_id")
_CODES = ("regency_code", "district_code", "village_code")
_TERMS = "terms.pickle"


def _laid_out(home: Home, folder: Path) -> int:
    """Write the copies, one folder per regency, and count their families."""
    house = home.house
    drafts = [find_draft(house, current(house)[quarter]["draft"]) for quarter in QUARTERS]
    figures = poverty_of(house, drafts[1].pins, drafts[1].pins.tables(house.lake)[Feed.POVERTY_STATISTICS])
    (folder / _TERMS).write_bytes(pickle.dumps([*(draft.terms(house) for draft in drafts), figures]))
    tables = [{key: draft.table(house, key) for key in keys} for draft, keys in zip(drafts, (_THEN, _NOW), strict=True)]
    here = sorted(tables[1]["registry/families"].shards)
    codes = iter(regencies()["code"].sort())
    written = 0
    while written < FAMILIES:
        for regency in here:
            code = next(codes)
            (folder / code).mkdir()
            for time_of, keys in zip(("then", "now"), tables, strict=True):
                for key, table in keys.items():
                    contract = house.contracts[key]
                    whole = key == "decision/seats"
                    rows = table.read(contract).filter(regency_code=regency) if whole else table.read(contract, regency)
                    copy = rows.with_columns(
                        *(pl.concat_str(name, pl.lit(f"-{code}")).alias(name) for name in _IDS if name in rows.columns),
                        *(
                            pl.concat_str(pl.lit(code), pl.col(name).str.slice(len(code))).alias(name)
                            for name in _CODES
                            if name in rows.columns
                        ),
                    )
                    copy.write_parquet(folder / code / f"{time_of}-{key.replace('/', '-')}.parquet", **PARQUET)
            written += tables[1]["registry/families"].shards[regency].rows
    return written


def _read(folder: Path, when: str, key: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    found = pl.scan_parquet(folder / f"{when}-{key.replace('/', '-')}.parquet")
    return (found if columns is None else found.select(columns)).collect()


def decide_regency(folder: Path, then: Terms, now: Terms) -> dict[str, int]:
    """Everything decided for one regency from its files; counts by status and cause."""
    facts = list_compared_facts(*([*TABLES[f"registry/{name}"].columns] for name in ("families", "provenance")))
    asked = dict.fromkeys([*asked_of(now), *asked_of(then), *facts])
    families = Families(_read(folder, "now", "registry/families", [*asked]), _read(folder, "now", "registry/members"))
    seats = _read(folder, "now", "decision/seats")
    before = Before(
        _read(folder, "then", "decision/decisions", _LOOKED_BACK_AT),
        Families(
            _read(folder, "then", "registry/families", [*asked]),
            _read(folder, "then", "registry/members"),
        ),
        then,
        _read(folder, "then", "decision/seats"),
    )
    eligible = eligibility(judge(families, now, parts=False), now, before.statuses)
    decided = rank(eligible, seats, now)
    sources = _read(folder, "now", "registry/provenance", ["family_id", *sources_of(facts)])
    moved = transitions(Now(families, sources, decided, now, seats), before)
    causes = moved.drop_nulls("cause").group_by("cause").len().iter_rows()
    recipients = decided.filter(pl.col("status") == Status.RECIPIENT).height
    return {"families": families.records.height, "recipients": recipients, **dict(causes)}


def decided(folder: str) -> None:
    """Give every regency of the country its places, decide those of a folder, two at a time; print what it took."""
    began = time.monotonic()
    then, now, figures = pickle.loads((Path(folder) / _TERMS).read_bytes())  # noqa: S301
    given = places(now.policy, figures, None, None)
    here = sorted(place for place in Path(folder).iterdir() if place.is_dir())
    counts = Parallel(n_jobs=2, backend="threading")(delayed(decide_regency)(place, then, now) for place in here)
    total = {name: sum(one.get(name, 0) for one in counts) for name in sorted({name for one in counts for name in one})}
    _tell(began, {"places": int(given["seats"].sum()), **total})


def plain(folder: str) -> None:
    """Score the same families, put them in order and cut, as one would by hand, and print what it took."""
    began = time.monotonic()
    _, now, _ = pickle.loads((Path(folder) / _TERMS).read_bytes())  # noqa: S301
    here = sorted(place for place in Path(folder).iterdir() if place.is_dir())
    recipients = 0
    for place in here:
        asked = [feature.name for feature in now.scorecard.features]
        families = pl.scan_parquet(place / "now-registry-families.parquet").select("family_id", *asked)
        schema = families.collect_schema()
        score = pl.lit(next(iter(now.scorecard.intercept.values())))
        for feature in now.scorecard.features:
            found = lookup(feature, schema[feature.name])
            points = [next(iter(feature.points.values()))[at] if at >= 0 else None for at in found.bins.tolist()]
            score = score + pl.lit(pl.Series(points, dtype=pl.Int64)).gather(found.slot)
        scored = families.select("family_id", score=score).drop_nulls("score").sort("score", "family_id").collect()
        for seats in _read(place, "now", "decision/seats")["seats"]:
            recipients += scored.head(seats).height
    _tell(began, {"recipients": recipients})


def _tell(began: float, counts: dict[str, int]) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([time.monotonic() - began, used.ru_maxrss >> 10, used.ru_utime + used.ru_stime, counts]))


def _process(name: str, folder: Path) -> tuple[float, int, float, dict[str, int]]:
    command = [sys.executable, "-c", f"import sys; from benchmarks.decision import {name} as run; run(sys.argv[1])"]
    ended = subprocess.run([*command, str(folder)], check=True, capture_output=True, text=True)  # noqa: S603
    spent, peak, processor, counts = json.loads(ended.stdout)
    return spent, peak, processor, counts


def run() -> None:
    """Print seconds and peak memory of everything decided, beside the budget and the plain query."""
    with tempfile.TemporaryDirectory() as name:
        home, folder = Path(name) / "home", Path(name) / "laid-out"
        folder.mkdir()
        keys = invent(home)
        for quarter in QUARTERS:
            run_and_publish(home, quarter, keys, is_first=quarter == QUARTERS[0])
        families = _laid_out(Home(home), folder)
        by_hand, peak_by_hand, processor_by_hand, _ = _process("plain", folder)
        spent, peak, processor, counts = _process("decided", folder)
        share = spent / (BUDGET_SECONDS * families / BUDGET_FOR)
        print(f"{families:,} families decided in {spent:.1f} s ({processor:.1f} s of processor time), {peak:,} MiB;")
        print(f"  {share:.0%} of the budget of {BUDGET_SECONDS} s and {BUDGET_MIB:,} MiB for {BUDGET_FOR:,}")
        print(f"  {', '.join(f'{name} {count:,}' for name, count in counts.items())}")
        ratio = spent / by_hand
        print(f"plain query: {by_hand:.1f} s ({processor_by_hand:.1f} s), {peak_by_hand:,} MiB; ratio {ratio:.1f}")
