"""A regency in every world of every run, and what is counted of it; nothing by name leaves here but the checked sample.

Regencies are independent of each other: the same halves of `decide` run in each, and counts add up to the nation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from joblib import Parallel, delayed

from assets.decision.families import Families, Terms
from assets.decision.judge import ELIGIBLE, eligibility, judge
from assets.decision.ranking import rank
from assets.simulation.snapshot import Snapshot
from assets.simulation.worlds import Run, World, base_world
from schemas.errors import Tampered
from schemas.vocabularies import Source, Status

BASE = "base"
NO_PROGRAMME = "no_programme"
"""Where a family stands in a programme that a scenario takes away."""

GROUPS = ("head_age", "head_sex", "disability", "household_size", "settlement")
"""Groups of families by which movements and errors are told."""

DIMENSIONS = ("regency", *GROUPS, "channel", "agent")
_ELDERLY = 60
_KEY = ["family_id", "programme"]
_DECIDED = [*_KEY, "status", "rank", "amount_rupiah"]
_SIZES = ((1, "1"), (3, "2-3"), (5, "4-5"))
_LARGEST = "6+"


@dataclass(frozen=True)
class Counted:
    """What was counted; of one regency or, added up, of all.

    Attributes
    ----------
    statuses : DataFrame
        `run, programme, status, families, amount_rupiah`.
    moves : DataFrame
        `run, programme, regency_code, from_status, to_status, cause, families`.
    parts : DataFrame
        `run, programme, dimension, value, families, recipients_before, recipients, entering, leaving,
        amount_before_rupiah, amount_rupiah`.
    checked : DataFrame
        Families all of whose answers to the scorecard were last stated by BPS: `run, programme, village_code, decile`
        (as published), `receives`, and `GROUPS`.
    """

    statuses: pl.DataFrame
    moves: pl.DataFrame
    parts: pl.DataFrame
    checked: pl.DataFrame


def count_all(snapshot: Snapshot, runs: Sequence[Run]) -> Counted:
    """Every regency decided in every world, counts added up.

    Raises
    ------
    Tampered
        If the quarter does not come out as it was published: then neither do its changes.
    """
    found = list(Parallel()(delayed(count_regency)(regency, snapshot, runs) for regency in snapshot.regencies))
    if not found:
        message = f"{snapshot.terms.quarter} has no registered families. Restore its tables from a backup."
        raise Tampered(message)
    return Counted(
        _added([one.statuses for one in found], ["run", "programme", "status"]),
        _added([one.moves for one in found], ["run", "programme", "regency_code", "from_status", "to_status", "cause"]),
        _added([one.parts for one in found], ["run", "programme", "dimension", "value"]),
        pl.concat([one.checked for one in found]),
    )


def eligible_of_all(snapshot: Snapshot, terms: Terms) -> pl.DataFrame:
    """Area, programme and status of every eligible family: what caps of places are counted from."""
    found = list(Parallel()(delayed(_eligible_of)(regency, snapshot, terms) for regency in snapshot.regencies))
    everywhere: pl.DataFrame = pl.concat(found)
    return everywhere


def _eligible_of(regency: str, snapshot: Snapshot, terms: Terms) -> pl.DataFrame:
    eligible = _eligible(snapshot.families(regency), terms, snapshot.sitting)
    return eligible.filter(pl.col("status") == ELIGIBLE).select(terms.area, "programme", "status")


def count_regency(regency: str, snapshot: Snapshot, runs: Sequence[Run]) -> Counted:
    """What becomes of the families of one regency in every run."""
    families = snapshot.families(regency)
    known: dict[str, pl.DataFrame] = {}

    def decided(world: World) -> pl.DataFrame:
        if world.judged_as not in known:
            known[world.judged_as] = _eligible(families, world.terms, snapshot.sitting)
        eligible = known[world.judged_as]
        if world.is_lottery:
            eligible = eligible.with_columns(score_micro=pl.lit(0, pl.Int64))
        return rank(eligible, world.seats, world.terms).select(*_DECIDED, "decile")

    base = decided(base_world(snapshot))
    _check_reproduced(base, snapshot.read("decision/decisions", regency), snapshot, regency)
    about = _about(families.records, snapshot.read("registry/provenance", regency), snapshot)
    kept = base.select(*_KEY, "decile", status_0="status", amount_before_rupiah="amount_rupiah")
    counted = [
        _count(run.name, _path(kept, [(world, decided(world)) for world in run.worlds]), about)
        for run in (Run(BASE, ()), *runs)
    ]
    return Counted(*(pl.concat([getattr(one, name) for one in counted]) for name in Counted.__dataclass_fields__))


def _eligible(families: Families, terms: Terms, sitting: pl.DataFrame) -> pl.DataFrame:
    return eligibility(judge(families, terms, parts=False), families, terms, sitting)


def _check_reproduced(base: pl.DataFrame, published: pl.DataFrame, snapshot: Snapshot, regency: str) -> None:
    if not base.select(_DECIDED).sort(_KEY).equals(published.select(_DECIDED).sort(_KEY)):
        message = (
            f"the decisions of {snapshot.terms.quarter} in {regency} do not come out as they were published. Simulate "
            "with the version that decided them."
        )
        raise Tampered(message)


def _path(base: pl.DataFrame, steps: Sequence[tuple[World, pl.DataFrame]]) -> pl.DataFrame:
    """Status and amount before and in the last world, and the factor at which the last status was reached for good."""
    path, cause = base, pl.lit(None, pl.String)
    for number, (world, decided) in enumerate(steps, start=1):
        now = decided.select(*_KEY, pl.col("status").alias(f"status_{number}"), amount_rupiah="amount_rupiah")
        path = path.drop("amount_rupiah", strict=False).join(now, on=_KEY, how="full", coalesce=True)
        moved = pl.col(f"status_{number}").ne_missing(pl.col(f"status_{number - 1}"))
        cause = pl.when(moved).then(pl.lit(world.factor.value)).otherwise(cause)
    if not steps:
        path = path.with_columns(amount_rupiah="amount_before_rupiah")
    before, after = (pl.col(f"status_{number}").fill_null(NO_PROGRAMME) for number in (0, len(steps)))
    return path.select(
        *_KEY,
        "decile",
        from_status=before,
        to_status=after,
        cause=pl.when(before != after).then(cause),
        amount_before_rupiah=pl.col("amount_before_rupiah").fill_null(0),
        amount_rupiah=pl.col("amount_rupiah").fill_null(0),
    )


def _about(records: pl.DataFrame, provenance: pl.DataFrame, snapshot: Snapshot) -> pl.DataFrame:
    """Dimensions of every family, its village, and whether BPS checked every answer that earns it points."""
    stated = [f"{one.name}_source" for one in snapshot.terms.scorecard.features]
    by_bps = [pl.col(name) == Source.BPS_VALIDATION for name in stated if name in provenance.columns]
    checked = provenance.select("family_id", is_checked=pl.all_horizontal(by_bps).fill_null(value=False))
    kind = pl.col("village_code").str.split(".").list.last().str.slice(0, 1)
    return records.select(
        "family_id",
        "village_code",
        *groups(records.columns),
        settlement=kind.replace_strict({"1": "kelurahan", "2": "desa"}, default="unknown"),
        regency="regency_code",
        channel="channel",
        agent=pl.col("agent_id").fill_null("none"),
    ).join(checked, on="family_id", how="left", maintain_order="left")


def groups(columns: Sequence[str]) -> list[pl.Expr]:
    """The groups that answers tell, as words; of registered families and surveyed households alike.

    A group whose question the home's questionnaire does not ask is unknown of everybody.
    """
    size = pl.lit(_LARGEST)
    for most, word in reversed(_SIZES):
        size = pl.when(pl.col("household_size") <= most).then(pl.lit(word)).otherwise(size)

    def told(question: str, is_so: pl.Expr, yes: str, no: str) -> pl.Expr:
        if question not in columns:
            return pl.lit("unknown")
        word = pl.when(is_so).then(pl.lit(yes)).otherwise(pl.lit(no))
        return pl.when(pl.col(question).is_null()).then(pl.lit("unknown")).otherwise(word)

    known_size = pl.when(pl.col("household_size").is_null()).then(pl.lit("unknown")).otherwise(size)
    return [
        told("head_age", pl.col("head_age") >= _ELDERLY, "elderly", "younger").alias("head_age"),
        told("head_is_female", pl.col("head_is_female") == 1, "female", "male").alias("head_sex"),
        told("disabled_count", pl.col("disabled_count") > 0, "with", "without").alias("disability"),
        (known_size if "household_size" in columns else pl.lit("unknown")).alias("household_size"),
    ]


def _count(run: str, path: pl.DataFrame, about: pl.DataFrame) -> Counted:
    named = path.with_columns(run=pl.lit(run))
    receives, received = pl.col("to_status") == Status.RECIPIENT, pl.col("from_status") == Status.RECIPIENT
    whole = {"families": pl.len().cast(pl.Int64)}
    told = named.join(about, on="family_id", how="left").with_columns(receives=receives, received=received)
    sums: Mapping[str, pl.Expr] = {
        "recipients_before": pl.col("received").sum(),
        "recipients": pl.col("receives").sum(),
        "entering": (pl.col("receives") & ~pl.col("received")).sum(),
        "leaving": (pl.col("received") & ~pl.col("receives")).sum(),
        "amount_before_rupiah": pl.col("amount_before_rupiah").sum(),
        "amount_rupiah": pl.col("amount_rupiah").sum(),
    }
    parts = [
        told.group_by("run", "programme", value=pl.col(one).cast(pl.String))
        .agg(**whole, **{name: total.cast(pl.Int64) for name, total in sums.items()})
        .select("run", "programme", pl.lit(one).alias("dimension"), pl.exclude("run", "programme"))
        for one in DIMENSIONS
    ]
    return Counted(
        named.group_by("run", "programme", status="to_status").agg(
            **whole, amount_rupiah=pl.col("amount_rupiah").sum()
        ),
        told.filter(pl.col("from_status") != pl.col("to_status"))
        .group_by("run", "programme", "from_status", "to_status", "cause", regency_code="regency")
        .agg(**whole),
        pl.concat(parts),
        told.filter("is_checked").select("run", "programme", "village_code", "decile", "receives", *GROUPS),
    )


def _added(frames: Sequence[pl.DataFrame], by: Sequence[str]) -> pl.DataFrame:
    return pl.concat(frames).group_by(by).agg(pl.all().sum()).sort(by, nulls_last=True)
