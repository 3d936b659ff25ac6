"""A regency in every world of every run, and what is counted of it; nothing by name leaves here but the checked sample.

Regencies are independent of each other: the same halves of `decide` run in each, and counts add up to the nation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from joblib import Parallel, delayed

from assets.decision.families import ELIGIBLE, Families, Terms
from assets.decision.judge import eligibility, judge
from assets.decision.ranking import rank
from assets.simulation.checked import as_stated, inside, is_checked
from assets.simulation.groups import GROUPS, groups
from assets.simulation.snapshot import Snapshot
from assets.simulation.worlds import BASE, Run, World, base_world
from schemas.errors import Tampered
from schemas.vocabularies import Status

NO_PROGRAMME = "no_programme"
"""Where a family stands in a programme that a scenario takes away."""

DIMENSIONS = ("regency", *GROUPS, "channel", "agent")
_KEY = ["family_id", "programme"]
_DECIDED = [*_KEY, "status", "rank", "amount_rupiah"]
_INSIDE = ["decile", "score_micro", "seats", "placed_by", "received_before"]
_AREAS = ["regency_code", "district_code", "village_code"]


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
        (as published), `receives`, `receives_as_stated` (had BPS not checked; null where lots decide), and `GROUPS`.
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
    eligible = _eligible(snapshot.families(regency), terms, snapshot.previous(regency))
    return eligible.filter(pl.col("status") == ELIGIBLE).select(terms.area, "programme", "status")


def count_regency(regency: str, snapshot: Snapshot, runs: Sequence[Run]) -> Counted:
    """What becomes of the families of one regency in every run."""
    families, previous = snapshot.families(regency), snapshot.previous(regency)
    known: dict[str, pl.DataFrame] = {}

    def decided(world: World) -> pl.DataFrame:
        if world.judged_as not in known:
            known[world.judged_as] = _eligible(families, world.terms, previous)
        eligible = known[world.judged_as]
        if world.is_lottery:
            eligible = eligible.with_columns(score_micro=pl.lit(0, pl.Int64))
        return rank(eligible, world.seats, world.terms).select(*_DECIDED, *_AREAS, *_INSIDE)

    base = decided(base_world(snapshot))
    _check_reproduced(base, snapshot.read("decision/decisions", regency), snapshot, regency)
    about = _about(families.records, snapshot.read("registry/provenance", regency), snapshot)
    sample = about.filter("is_checked").select("family_id")
    unchecked = as_stated(families, snapshot.read("registry/conflicts", regency), sample)
    kept = base.select(*_KEY, "decile", status_0="status", amount_before_rupiah="amount_rupiah")
    counted = []
    for run in (Run(BASE, ()), *runs):
        steps = [(world, decided(world)) for world in run.worlds]
        last, found = steps[-1] if steps else (base_world(snapshot), base)
        stated = inside(_eligible(unchecked, last.terms, previous), found, last)
        counted.append(_count(run.name, _path(kept, steps).join(stated, on=_KEY, how="left"), about))
    return Counted(*(pl.concat([getattr(one, name) for one in counted]) for name in Counted.__dataclass_fields__))


def _eligible(families: Families, terms: Terms, previous: pl.DataFrame) -> pl.DataFrame:
    return eligibility(judge(families, terms, parts=False), terms, previous)


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
    kind = pl.col("village_code").str.split(".").list.last().str.slice(0, 1)
    return records.select(
        "family_id",
        "village_code",
        *groups(records.columns),
        settlement=kind.replace_strict({"1": "kelurahan", "2": "desa"}, default="unknown"),
        regency="regency_code",
        channel="channel",
        agent=pl.col("agent_id").fill_null("none"),
    ).join(is_checked(provenance, snapshot.terms.scorecard), on="family_id", how="left", maintain_order="left")


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
        told.filter("is_checked").select(
            "run", "programme", "village_code", "decile", "receives", "receives_as_stated", *GROUPS
        ),
    )


def _added(frames: Sequence[pl.DataFrame], by: Sequence[str]) -> pl.DataFrame:
    return pl.concat(frames).group_by(by).agg(pl.all().sum()).sort(by, nulls_last=True)
