"""A quarter simulated: scenarios and the random baseline beside what was published, as plain tables for the press."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from assets.decision.families import Terms
from assets.decision.results import STAGES
from assets.simulation.checked import of_checked
from assets.simulation.errors import FOLDS, PERFECT, errors, fitted_on_sample
from assets.simulation.regencies import Counted, count_all, eligible_of_all
from assets.simulation.resampling import REPLICATES, SEED
from assets.simulation.scenario import Scenario
from assets.simulation.snapshot import Snapshot
from assets.simulation.worlds import BASE, RANDOM, Run, World, base_world, lottery_seed, random_run, scenario_run
from quotas.overlay import of_file
from schemas.errors import Refused
from schemas.vocabularies import Programme, Status

RESERVED = (BASE, RANDOM, PERFECT)


@dataclass(frozen=True)
class Simulated:
    """What a simulation found.

    Attributes
    ----------
    about : mapping
        What it stands on: quarter, revision, hashes, seeds, denominators; the scenarios with their changes.
    tables : mapping of str to DataFrame
        `overview`, `moves`, `parts`, `errors`, `checked`, `seats`; runs in the order base, scenarios, random,
        perfect.
    """

    about: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame]


def simulate(snapshot: Snapshot, scenarios: Sequence[Scenario]) -> Simulated:
    """Scenarios beside the published quarter, the lottery among the eligible, and perfect information.

    Raises
    ------
    Refused
        If two scenarios bear one name, or one bears the name of a baseline.
    PolicyError
        If a change is unknown or wrong.
    Tampered
        If the published quarter does not come out of its own snapshot.
    """
    names = [*RESERVED, *(one.name for one in scenarios)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"two columns of the comparison would be named '{twice}'. Give each scenario a name of its own."
        raise Refused(message)

    def count_eligible(terms: Terms) -> pl.DataFrame:
        return eligible_of_all(snapshot, terms)

    runs = []
    for one in scenarios:
        with of_file(f"scenario '{one.name}'"):
            runs.append(scenario_run(snapshot, one, count_eligible))
    every = [*runs, random_run(snapshot)]
    counted = count_all(snapshot, every)
    order = pl.Enum([BASE, *(run.name for run in every), PERFECT])
    programmes = pl.Enum([str(one) for one in Programme])
    worlds = {BASE: base_world(snapshot), **{run.name: _last(run, snapshot) for run in every}}
    seats = _seats(snapshot, worlds)
    tables = {
        "overview": _overview(counted, seats, worlds),
        "moves": counted.moves,
        "parts": counted.parts,
        "errors": errors(snapshot, every),
        "checked": of_checked(counted.checked, snapshot),
        "seats": seats,
    }
    return Simulated(
        _about(snapshot, scenarios, runs),
        {name: _in_order(table, order, programmes) for name, table in tables.items()},
    )


def _in_order(table: pl.DataFrame, order: pl.Enum, programmes: pl.Enum) -> pl.DataFrame:
    """Rows by programme as the law names them, by run as they stand beside each other, then by everything told."""
    keys = [name for name in table.columns if table.schema[name] == pl.String and name not in {"run", "programme"}]
    told = table.with_columns(pl.col("run").cast(order), pl.col("programme").cast(programmes))
    return told.sort("programme", "run", *keys, nulls_last=True, maintain_order=True).with_columns(
        pl.col("run", "programme").cast(pl.String)
    )


def _last(run: Run, snapshot: Snapshot) -> World:
    return run.worlds[-1] if run.worlds else base_world(snapshot)


def _seats(snapshot: Snapshot, worlds: Mapping[str, World]) -> pl.DataFrame:
    """Places of every run in the areas of the registered regencies: `run, programme, regency_code, before, seats`."""
    before = snapshot.seats.select("regency_code", "programme", before="seats")
    here = pl.col("regency_code").str.slice(0, 5).is_in(snapshot.regencies)
    tables = []
    for name, world in worlds.items():
        both = world.seats.select("regency_code", "programme", "seats").join(
            before, on=["regency_code", "programme"], how="left"
        )
        tables.append(
            both.filter(here).select(pl.lit(name).alias("run"), "programme", "regency_code", "before", "seats")
        )
    return pl.concat(tables)


def _rates(worlds: Mapping[str, World]) -> pl.DataFrame:
    """`run, programme`, what a flat programme pays a family, and the nation's ceiling of the stage."""
    rows = [
        (name, programme.value, rule.amount_rupiah, ceiling and ceiling // STAGES)
        for name, world in worlds.items()
        for programme, rule in world.terms.policy.programmes.items()
        for ceiling in (world.terms.policy.budget.national_ceiling[programme],)
    ]
    schema = {"run": pl.String, "programme": pl.String, "flat_rupiah": pl.Int64, "ceiling_rupiah": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _overview(counted: Counted, seats: pl.DataFrame, worlds: Mapping[str, World]) -> pl.DataFrame:
    """One row per run and programme: places, families by status, who enters and leaves, and what it costs.

    As in :func:`assets.decision.results.budget`: `full_rupiah` is what the places of the registered regencies would
    cost if all were filled, `ceiling_rupiah` the nation's ceiling of the stage under the run's policy.
    """
    key = ["run", "programme"]
    statuses, parts = counted.statuses, counted.parts
    amounts = statuses.group_by(key).agg(pl.col("amount_rupiah").sum())
    counts = statuses.group_by(key).agg(
        evaluated=pl.col("families").sum(),
        **{one.value: pl.col("families").filter(pl.col("status") == one).sum() for one in Status},
    )
    moved = (
        parts.filter(pl.col("dimension") == "regency")
        .group_by(key)
        .agg(pl.col("entering", "leaving", "amount_before_rupiah").sum())
    )
    placed = seats.group_by(key).agg(places=pl.col("seats").sum())
    told = placed.join(counts, on=key, how="right").join(amounts, on=key).join(moved, on=key)
    told = told.join(_rates(worlds), on=key, how="left").with_columns(pl.col("places").fill_null(0))
    places, paid = pl.col("places"), pl.col(Status.RECIPIENT.value)
    by_mean = pl.when(paid > 0).then((pl.col("amount_rupiah").cast(pl.Int128) * places // paid).cast(pl.Int64))
    return told.select(
        *key,
        "places",
        "evaluated",
        *(one.value for one in Status),
        "entering",
        "leaving",
        "amount_rupiah",
        "amount_before_rupiah",
        change_rupiah=pl.col("amount_rupiah") - pl.col("amount_before_rupiah"),
        full_rupiah=pl.coalesce(pl.col("flat_rupiah") * places, by_mean),
        ceiling_rupiah="ceiling_rupiah",
    )


def _about(snapshot: Snapshot, scenarios: Sequence[Scenario], runs: Sequence[Run]) -> dict[str, Any]:
    base = snapshot.terms
    return {
        "quarter": str(base.quarter),
        "revision": snapshot.revision.number,
        "draft": snapshot.revision.draft,
        "policy_hash": base.policy.hash,
        "model_hash": base.scorecard.hash,
        "decision_date": base.days.decision_date,
        "scaled": snapshot.is_scaled,
        "overlay": None if snapshot.overlay is None else snapshot.overlay.name,
        "regencies": snapshot.regencies,
        # The seed itself would give the audit sample away until it is revealed.
        "lottery_seed": hashlib.sha256(lottery_seed(snapshot).encode()).hexdigest(),
        "bootstrap_seed": SEED,
        "replicates": REPLICATES,
        "folds": FOLDS,
        "survey_households": snapshot.survey.height,
        "survey_clusters": snapshot.survey["cluster_id"].n_unique(),
        "fitted_on_sample": fitted_on_sample(snapshot, base.scorecard),
        "scenarios": [
            {
                "name": scenario.name,
                "reason": scenario.reason,
                "changes": _changes(snapshot, scenario),
                "model_hash": None if scenario.card is None else scenario.card.hash,
                "seats_given": sum(len(one) for one in scenario.seats.values()),
                "policy_hash": _last(run, snapshot).terms.policy.hash,
                "fitted_on_sample": fitted_on_sample(snapshot, _last(run, snapshot).terms.scorecard),
                "factors": [world.factor.value for world in run.worlds],
            }
            for scenario, run in zip(scenarios, runs, strict=True)
        ],
    }


def _changes(snapshot: Snapshot, scenario: Scenario) -> list[dict[str, Any]]:
    """Every change of the scenario with the value it takes the place of."""
    before = {entry.key: entry.value for entry in snapshot.terms.policy.entries}
    return [
        {"path": path, "before": _within(before, path), "after": after}
        for path, after in sorted(scenario.changes.items())
    ]


def _within(values: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON may be anything
    """The value at a dotted path, which may lie inside a value; None where it is a group."""
    key = next((one for one in values if path == one or path.startswith(f"{one}.")), None)
    if key is None:
        return None
    value, rest = values[key], path.removeprefix(key).removeprefix(".")
    while rest and isinstance(value, dict):
        head = next((one for one in value if rest == one or rest.startswith(f"{one}.")), None)
        if head is None:
            return None
        value, rest = value[head], rest.removeprefix(head).removeprefix(".")
    return value
