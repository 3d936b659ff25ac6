"""Doors of the decision room to Dagster: judging, deciding behind the checks, and the draft."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import dagster as dg

from assets.checks import (
    BUDGET_EQUALS_PAYMENTS,
    BUDGET_PROMISE,
    COUNTS_PROMISE,
    COUNTS_RECONCILE,
    DRAFT_CHECKS,
    DRIFT_BELOW_ALARM,
    DRIFT_PROMISE,
    MOVES_BALANCE,
    MOVES_PROMISE,
    Counted,
    budget_off_payments,
    unbalanced_moves,
    unreconciled,
)
from assets.decision.draft import CHECKS, SHORT, compose, counts, previous_draft
from assets.decision.drift import drift_tables
from assets.decision.history import history_of
from assets.decision.quarter import cut_points_of, cut_points_table, decided_tables, judged_tables, terms_of
from assets.decision.results import result_tables
from assets.house import House
from assets.intake.pins import Pins
from assets.intake.poverty import poverty_of
from assets.lake import Table
from assets.partitions import OWNERS, QUARTERS, ins_of, key_of, name_of, outs_of, quarter_of
from assets.registry.resolve import TABLES as REGISTRY_TABLES
from assets.welfare.scorecard import Scorecard
from schemas.tables import TABLES

_JUDGED = (
    "decision/cut_points", "decision/scores", "decision/filters", "decision/eligibility", "decision/deciles_compared",
    "decision/profiles", "decision/drift",
)  # fmt: skip
_DECIDED = (
    "decision/seats", "decision/decisions", "decision/payments", "decision/worklist", "decision/transitions",
    "decision/budget", "decision/displaced", "decision/referrals", "decision/movements", "decision/visits",
    "decision/open_checks",
)  # fmt: skip
_REGISTRY = ("registry/families", "registry/provenance", "registry/members")


def _outputs(tables: Mapping[str, Table]) -> Iterator[dg.Output[Table]]:
    for key, table in tables.items():
        yield dg.Output(table, name_of(key), metadata={"dagster/row_count": table.rows})


@dg.multi_asset(
    name="judge",
    outs=outs_of(*(TABLES[key] for key in _JUDGED)),
    ins=ins_of(
        "intake/pins",
        *_REGISTRY,
        "registry/persons",
        "welfare/scorecard",
        "intake/consumption_survey",
        "intake/current_recipients",
    ),
    check_specs=[dg.AssetCheckSpec(DRIFT_BELOW_ALARM, asset=key_of("decision/drift"), description=DRIFT_PROMISE)],
    partitions_def=QUARTERS,
    group_name="decision",
)
def judge(
    context: dg.AssetExecutionContext,
    house: dg.ResourceParam[House],
    pins: Pins,
    families: Table,
    provenance: Table,
    members: Table,
    persons: Table,
    scorecard: Scorecard,
    consumption_survey: Table,
    current_recipients: Table,
) -> Iterator[dg.Output[Table] | dg.AssetCheckResult]:
    """Every filter's outcome, the score and the decile of every family; one failing filter never hides another."""
    quarter = quarter_of(context)
    survey = consumption_survey.read(house.contracts["intake/consumption_survey"])
    cuts = cut_points_of(house, quarter, scorecard, survey)
    terms = terms_of(house, quarter, scorecard, cuts)
    registry = dict(zip(_REGISTRY, (families, provenance, members), strict=True))
    history = history_of(house, previous_draft(house, pins), current_recipients, families, persons)
    cut = cut_points_table(house, terms)
    moved = drift_tables(house, terms, families, history)
    yield from _outputs({cut.key: cut, **judged_tables(house, terms, registry, history), **moved})
    drift = moved["decision/drift"]
    drifted = drift.read(house.contracts[drift.key]).filter("is_alarm")["feature"].to_list()
    yield dg.AssetCheckResult(
        passed=not drifted,
        check_name=DRIFT_BELOW_ALARM,
        asset_key=key_of("decision/drift"),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"broken by": drifted},
    )


@dg.multi_asset(
    name="decide",
    outs=outs_of(*(TABLES[key] for key in _DECIDED)),
    ins=ins_of(
        "intake/pins", *_REGISTRY, "registry/persons", "registry/shocks", "registry/implausible",
        "registry/doubts", "registry/pending", "welfare/scorecard",
        "welfare/residuals", "decision/cut_points",
        "decision/eligibility", "intake/poverty_statistics", "intake/current_recipients",
    ),
    check_specs=[
        dg.AssetCheckSpec(one.name, asset=key_of("decision/decisions"), description=one.promise, blocking=True)
        for one in DRAFT_CHECKS
    ]
    + [
        dg.AssetCheckSpec(name, asset=key_of("decision/decisions"), description=promise, blocking=True)
        for name, promise in (
            (BUDGET_EQUALS_PAYMENTS, BUDGET_PROMISE),
            (MOVES_BALANCE, MOVES_PROMISE),
            (COUNTS_RECONCILE, COUNTS_PROMISE),
        )
    ],
    partitions_def=QUARTERS,
    group_name="decision",
)  # fmt: skip
def decide(
    context: dg.AssetExecutionContext,
    house: dg.ResourceParam[House],
    pins: Pins,
    families: Table,
    provenance: Table,
    members: Table,
    persons: Table,
    shocks: Table,
    implausible: Table,
    doubts: Table,
    pending: Table,
    scorecard: Scorecard,
    residuals: Table,
    cut_points: Table,
    eligibility: Table,
    poverty_statistics: Table,
    current_recipients: Table,
) -> Iterator[dg.Output[Table] | dg.AssetCheckResult]:
    """Places, ranks, statuses, amounts and what follows; the checks decide whether a draft may be made."""
    quarter = quarter_of(context)
    contracts = house.contracts
    terms = terms_of(house, quarter, scorecard, cut_points.read(contracts["decision/cut_points"]))
    read = (families, provenance, members, shocks, implausible, doubts, pending, residuals, eligibility)
    tables = {table.key: table for table in read}
    history = history_of(house, previous_draft(house, pins), current_recipients, families, persons)
    decided = decided_tables(house, terms, tables, poverty_of(house, pins, poverty_statistics), history)
    made = {**decided, **result_tables(house, terms, {**tables, **decided})}
    seats, decisions, payments, costs, moved = (
        made[f"decision/{name}"] for name in ("seats", "decisions", "payments", "budget", "movements")
    )
    registered, statuses, places = (table.scan(contracts[table.key]) for table in (families, decisions, seats))
    off = budget_off_payments(*(table.scan(contracts[table.key]) for table in (payments, costs)))
    moves = moved.scan(contracts[moved.key])
    checked = [
        *(_checked(check.name, check.broken(registered, statuses, places)) for check in DRAFT_CHECKS),
        _checked(BUDGET_EQUALS_PAYMENTS, off),
        _checked(MOVES_BALANCE, unbalanced_moves(moves, statuses, history.recipients(contracts))),
        _checked(COUNTS_RECONCILE, unreconciled(_counted(house, pins, families, decisions, payments))),
    ]
    failed = [str(result.check_name) for result in checked if not result.passed]
    yield from _outputs({**made, decisions.key: replace(decisions, made_from={CHECKS: ", ".join(failed)})})
    yield from checked


def _checked(name: str, broken: int | list[str]) -> dg.AssetCheckResult:
    """How a check ended: passed where no row, or no stage, breaks it."""
    return dg.AssetCheckResult(
        passed=not broken,
        check_name=name,
        asset_key=key_of("decision/decisions"),
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"broken by": broken},
    )


def _counted(house: House, pins: Pins, families: Table, decisions: Table, payments: Table) -> Iterator[Counted]:
    for batch in pins.read(house.lake):
        yield Counted(f"batch {batch.batch_id}", batch.read, batch.accepted + batch.parked, batch.rejected)
    by_programme = counts(decisions.scan(house.contracts["decision/decisions"]), ["programme"]).to_dicts()
    for one in by_programme:
        aside = one["ineligible"] + one["not_scorable"] + one["held"]
        yield Counted(f"families of {one['programme']}", families.rows, one["evaluated"])
        yield Counted(f"statuses of {one['programme']}", one["evaluated"], one["recipients"] + one["waiting"], aside)
    yield Counted("payments", sum(one["recipients"] for one in by_programme), payments.rows)


@dg.asset(
    key=key_of("decision/draft"),
    ins=ins_of("intake/pins", *REGISTRY_TABLES,
               "welfare/scorecard", "welfare/residuals", *_JUDGED, *_DECIDED),
    partitions_def=QUARTERS,
    group_name="decision",
    owners=OWNERS,
    io_manager_key="lake",
)  # fmt: skip
def draft(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House], pins: Pins, scorecard: Scorecard, **tables: Table
) -> dict[str, Any]:
    """The proposal for the quarter, named by its hash; approvals are given over that hash."""
    quarter = quarter_of(context)
    by_key = {table.key: table for table in tables.values()}
    terms = terms_of(house, quarter, scorecard, tables["cut_points"].read(house.contracts["decision/cut_points"]))
    made = compose(house, pins, terms, by_key)
    decisions = by_key["decision/decisions"].scan(house.contracts["decision/decisions"])
    shown = {row["programme"]: row for row in counts(decisions, ["programme"]).to_dicts()}
    context.add_output_metadata(
        {
            "draft": made.hash,
            "policy": made.policy_hash,
            "model": made.model_hash,
            "scaled": made.is_scaled,
            "counts": shown,
        }
    )
    context.log.info("draft %s of %s", made.hash[:SHORT], quarter)
    return {"hash": made.hash}
