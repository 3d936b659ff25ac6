"""Training of the linkage model: Splink gives the start, a fixed point over all proposed pairs the end. No scoring."""

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
from splink import Linker, block_on
from splink.backends.duckdb import DuckDBAPI

from assets.registry.linkage.model import (
    COLUMNS,
    LevelRule,
    LinkageModel,
    Training,
    made,
    missing_condition,
    odds_of_two,
    recipe,
)
from assets.registry.linkage.scoring import blocking_rules, level_sql, pairs_sql, prepare, propose, workshop
from schemas.errors import Refused

Floats = npt.NDArray[np.float64]
Shares = dict[str, Floats]
_SAMPLE_PERSONS = 1_000
_PAIRS_OF_A_RULE, _PAIRS_OF_A_SESSION = 150_000, 1_000_000
_LEAST_PAIRS_OF_A_SESSION, _SESSION_ROUNDS = 200, 4
_MATCHES_ASSUMED, _OTHERS_ASSUMED = 30.0, 1_000.0
_LEAST_SEEN = 0.5
_START_MATCHES_PER_PERSON, _LEAST_MATCHES = 0.1, 0.5
_MOST_ROUNDS, _STILL = 300, 1e-6
_FREQUENCY_STEP = 125_000
_SESSIONS = {
    "birth_date": {"birth_date"},
    "name_key": {"given_name", "family_name", "full_name"},
    "national_id": {"national_id"},
}


def train(people: pl.DataFrame, *, seed: int, folder: Path | None = None) -> LinkageModel:
    """The linkage model of a file of persons, without labels; the same persons and seed give the same bytes.

    Splink's expectation maximisation, on one thread, gives the start. From there m, u and the
    number of matches are iterated to their common fixed point: m over all proposed pairs, each as much as it is
    probably a match, u over pairs of sampled persons as much as they are probably none (a small file full of
    duplicates has many matches among its random pairs), matches as the sum of the probabilities. The recipe's assumed
    shares count like 30 matches and 1,000 other pairs, so that a file of ten persons has a model too.

    Parameters
    ----------
    people : DataFrame
        `id` (String, unique) and any of :data:`assets.registry.linkage.model.COLUMNS`, `birth_date` as Date, the
        others as String.
    seed : int
        Chooses the sampled persons.
    folder : Path, optional
        See :func:`assets.registry.linkage.scoring.workshop`.

    Raises
    ------
    Refused
        If none of the columns is there.
    """
    columns = tuple(name for name in COLUMNS if name in people.columns)
    if not columns:
        message = f"the persons have none of the columns {', '.join(COLUMNS)}. Add at least one."
        raise Refused(message)
    rules = recipe(columns)
    with workshop(folder, None, None) as con:
        persons = prepare(con, people, columns)
        propose(con, columns, persons, _PAIRS_OF_A_RULE)
        candidates = _patterns(con, rules, f"SELECT DISTINCT left_n, right_n, {{}} FROM ({pairs_sql(columns)})")
        others = candidates
        if persons > _SAMPLE_PERSONS:
            con.execute(
                "CREATE OR REPLACE TABLE block AS SELECT 0::UBIGINT AS k, n FROM person "
                f"ORDER BY md5('{int(seed)}|' || id) LIMIT {_SAMPLE_PERSONS}"
            )
            others = _patterns(con, rules, f"SELECT left_n, right_n, {{}} FROM ({pairs_sql(columns)})")
        start = _start(con, rules, others)
    shares, matches, rounds = _fixed_point(rules, start, candidates, others, persons)
    training = Training(
        seed=seed,
        persons=persons,
        candidate_pairs=int(candidates["pairs"].sum()),
        compared_pairs=int(others["pairs"].sum()),
        expected_matches=float(f"{matches:.6g}"),
        rounds=rounds,
        versions={name: version(name) for name in ("duckdb", "numpy", "splink")},
    )
    stored = {kind: {name: tuple(map(float, values)) for name, values in one.items()} for kind, one in shares.items()}
    return made(stored, columns, tuple(blocking_rules(columns)), matches / max(1, persons), training)


def splink_settings(
    shares: Mapping[str, Mapping[str, Sequence[float] | Floats]], columns: Sequence[str]
) -> dict[str, Any]:
    """The recipe with these shares as settings of Splink, whose unique id is the column `n` of the table `person`."""
    comparisons = []
    for name, rules in recipe(columns).items():
        levels: list[dict[str, Any]] = [
            {"sql_condition": missing_condition(name, columns), "label_for_charts": "missing",
             "is_null_level": True}
        ]  # fmt: skip
        for rule, m, u in zip(rules, shares["m"][name], shares["u"][name], strict=True):
            level = {"sql_condition": rule.condition, "label_for_charts": rule.words,
                     "m_probability": float(m), "u_probability": float(u)}  # fmt: skip
            levels.append(level | ({"tf_adjustment_column": name} if rule.by_frequency else {}))
        comparisons.append({"output_column_name": name, "comparison_levels": levels})
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "n",
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
    }


def _assumed(rules: Mapping[str, Sequence[LevelRule]]) -> dict[str, Shares]:
    found: dict[str, Shares] = {}
    for kind in ("m", "u"):
        found[kind] = {}
        for name, levels in rules.items():
            values = np.array([getattr(level, kind) for level in levels])
            found[kind][name] = values / values.sum()
    return found


def _patterns(con: duckdb.DuckDBPyConnection, rules: Mapping[str, Sequence[LevelRule]], pairs: str) -> pl.DataFrame:
    """How many pairs there are of each pattern: `level_<name>` per comparison, `frequency` in bits, `pairs`.

    The adjustments for frequency of a pair are added up, to an eighth of a bit.
    """
    levels = ", ".join(f"{level_sql(name, list(rules))} AS level_{name}" for name in rules)
    shares = "".join(f", frequency_{name}" for name, held in rules.items() if held[0].by_frequency)
    adjusted = " + ".join(
        f"CASE WHEN level_{name} = {len(held) - 1} THEN frequency_{name} ELSE 0 END"
        for name, held in rules.items()
        if held[0].by_frequency
    )
    names = ", ".join(f"level_{name}" for name in rules)
    found = pl.from_arrow(
        con.sql(
            f"SELECT {names}, ({adjusted or '0'} + {_FREQUENCY_STEP // 2})::BIGINT // {_FREQUENCY_STEP} AS steps, "
            f"count(*) AS pairs FROM ({pairs.format(levels + shares)}) GROUP BY ALL ORDER BY ALL"
        ).to_arrow_table()
    )
    assert isinstance(found, pl.DataFrame)  # noqa: S101
    return found.with_columns(frequency=pl.col("steps") * _FREQUENCY_STEP / 1e6)


def _start(
    con: duckdb.DuckDBPyConnection, rules: Mapping[str, Sequence[LevelRule]], others: pl.DataFrame
) -> dict[str, Shares]:
    """Where the iteration begins: u of the sampled pairs, m of Splink's sessions in equal parts with the assumed m."""
    columns, assumed = set(rules), _assumed(rules)
    of_others = _shares(rules, others, others["pairs"].to_numpy().astype(float), assumed["u"], _OTHERS_ASSUMED)
    settings = splink_settings({"m": assumed["m"], "u": of_others}, list(rules)) | {"max_iterations": _SESSION_ROUNDS}
    # Sums of floats depend on how many threads add them up.
    con.execute("SET threads = 1")
    linker = Linker(DuckDBAPI(con).register("person"), settings, logging.CRITICAL, validate_settings=False)
    for blocked, touched in _SESSIONS.items():
        # A session learns nothing of what it blocks on, and Splink's SQL breaks where that is everything.
        if not touched & columns or touched >= columns:
            continue
        pairs = con.sql(
            f"SELECT coalesce(sum(c * (c - 1) // 2), 0) FROM "
            f"(SELECT count({blocked}) AS c FROM person GROUP BY {blocked})"
        ).fetchall()[0][0]
        if pairs >= _LEAST_PAIRS_OF_A_SESSION:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(blocked), max_pairs=_PAIRS_OF_A_SESSION
            )
    learned = {}
    for comparison in linker.misc.save_model_to_json()["comparisons"]:
        name = comparison["output_column_name"]
        # A level that was never seen has no share, or text in its place.
        held = [level.get("m_probability") for level in comparison["comparison_levels"][1:]]
        given = [m if isinstance(m, float) else 0.0 for m in held]
        both = (np.array(given) + assumed["m"][name]) / 2
        learned[name] = both / both.sum()
    return {"m": learned, "u": of_others}


def _fixed_point(
    rules: Mapping[str, Sequence[LevelRule]],
    start: dict[str, Shares],
    candidates: pl.DataFrame,
    others: pl.DataFrame,
    persons: int,
) -> tuple[dict[str, Shares], float, int]:
    """Shares and number of matches that reproduce themselves, and after how many rounds."""
    assumed, shares = _assumed(rules), start
    matches = max(_START_MATCHES_PER_PERSON * persons, _LEAST_MATCHES)
    rounds, moved = 0, 1.0
    while moved > _STILL and rounds < _MOST_ROUNDS:
        rounds += 1
        prior = np.log2(odds_of_two(matches / max(1, persons), persons))
        matching = candidates["pairs"].to_numpy() * _probability(rules, shares, candidates, prior)
        differing = others["pairs"].to_numpy() * (1 - _probability(rules, shares, others, prior))
        renewed = {
            "m": _shares(rules, candidates, matching, assumed["m"], _MATCHES_ASSUMED),
            "u": _shares(rules, others, differing, assumed["u"], _OTHERS_ASSUMED),
        }
        total = max(float(matching.sum()), _LEAST_MATCHES)
        moved = max(
            abs(total - matches) / max(1, persons),
            *(float(np.abs(renewed[kind][name] - shares[kind][name]).max()) for kind in renewed for name in rules),
        )
        shares, matches = renewed, total
    return shares, matches, rounds


def _probability(
    rules: Mapping[str, Sequence[LevelRule]], shares: dict[str, Shares], patterns: pl.DataFrame, prior: float
) -> Floats:
    weight = prior + patterns["frequency"].to_numpy()
    for name, levels in rules.items():
        ratios = np.log2(shares["m"][name] / np.where([one.by_frequency for one in levels], 1, shares["u"][name]))
        weight = weight + np.append(ratios[::-1], 0.0)[patterns[f"level_{name}"].to_numpy()]
    probability: Floats = 1 / (1 + np.exp2(-weight))
    return probability


def _shares(
    rules: Mapping[str, Sequence[LevelRule]], patterns: pl.DataFrame, pairs: Floats, assumed: Shares, strength: float
) -> Shares:
    found = {}
    for name, levels in rules.items():
        counted = np.bincount(patterns[f"level_{name}"].to_numpy() + 1, weights=pairs, minlength=len(levels) + 1)
        seen = counted[1:][::-1] + np.maximum(strength * assumed[name], _LEAST_SEEN)
        found[name] = seen / seen.sum()
    return found
