"""Errors against measured consumption, with intervals from whole clusters.

Consumption is measured in the consumption survey alone, so that only there can an error be told: its households are
scored, placed into deciles and given the places of their regency, and held against the poorest by what they consume.
Reserved places are kept where the survey knows the group. The filters and components of the law cannot be asked of
them: what is measured is the ranking at the quota.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from assets.decision.deciles import own_decile
from assets.decision.judge import lottery
from assets.simulation.groups import FACT, cells, group_facts, groups
from assets.simulation.resampling import middle, resampled, within
from assets.simulation.snapshot import Snapshot
from assets.simulation.worlds import BASE, Run, World, base_world, lottery_seed
from assets.welfare.fit import fit
from assets.welfare.score import score_micro
from assets.welfare.scorecard import Scorecard
from assets.welfare.spec import SurveySpec
from assets.welfare.survey import training_rows
from quotas.poverty import LINE
from quotas.rules import MILLION
from schemas.errors import NotScorable, Refused, SpecError

PERFECT = "perfect"
FOLDS = 5
_EXPENDITURE = "expenditure_rupiah_per_capita_month"
_THOUSANDTHS = 1000


def fitted_on_sample(snapshot: Snapshot, card: Scorecard) -> bool:
    """Whether a scorecard was fitted on the very households it is measured on here."""
    if snapshot.survey.is_empty():
        return False
    survey, spec = _as_fitted(snapshot, card)
    try:
        return training_rows(survey, spec).hash == card.provenance.survey_hash
    except (NotScorable, SpecError, pl.exceptions.ColumnNotFoundError):
        # A scorecard of another survey asks for columns that this one has not.
        return False


def out_of_sample(snapshot: Snapshot, card: Scorecard) -> pl.DataFrame:
    """Scores of the surveyed households by a scorecard that has not seen them: `household_id, score_micro`.

    A scorecard fitted on this very survey would do too well on it. Each household is then scored by one fitted in the
    same way on the other folds of whole clusters.
    """
    if not fitted_on_sample(snapshot, card):
        return _scored(snapshot.survey, card)
    survey, spec = _as_fitted(snapshot, card)
    fold = survey["cluster_id"].rank("dense") % FOLDS
    made_of = card.provenance
    parts = []
    for number in fold.unique().sort():
        other = fit(
            survey.filter(fold != number), spec, penalties=(made_of.penalty,), rounds=(made_of.rounds,),
            learning_rates=(made_of.learning_rate,),
        )  # fmt: skip
        parts.append(_scored(survey.filter(fold == number), other))
    return pl.concat(parts)


def _as_fitted(snapshot: Snapshot, card: Scorecard) -> tuple[pl.DataFrame, SurveySpec]:
    """The survey with its poverty lines, and the specification it was fitted by."""
    lines = snapshot.figures.select(regency_code="area_code", **{LINE: LINE})
    survey = snapshot.survey.join(lines, on="regency_code", how="left").sort("household_id")
    return survey, card.spec


def _scored(survey: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    return survey.select("household_id").with_columns(score_micro(survey, card))


def errors(snapshot: Snapshot, runs: Sequence[Run]) -> pl.DataFrame:
    """Exclusion and inclusion error at the quota of every run, for all and by group.

    Poor are as many families of a regency as the quarter had places there, the poorest by measured consumption per
    head: the same ones in every run. Exclusion error = poor families not selected / poor families; inclusion error =
    selected families that are not poor / selected families. Families are counted by the survey's weights; a household
    on the margin counts for the part of its weight that is inside.

    Returns
    -------
    DataFrame
        `run, programme, dimension, value, measure` (exclusion, inclusion), `households` (of the sample, in the
        denominator), `families` (they stand for: the denominator), `error` (share), `low` and `high` (95% interval),
        `difference`, `difference_low`, `difference_high` (to the base, drawn with the same clusters). Empty where the
        survey has fewer than `FOLDS` clusters.

    Raises
    ------
    Refused
        If the survey names a household twice.
    """
    survey = snapshot.survey.sort("household_id")
    if survey["cluster_id"].n_unique() < FOLDS:
        return pl.DataFrame(schema=_SCHEMA)
    if survey["household_id"].is_duplicated().any():
        message = f"the consumption survey of {snapshot.terms.quarter} names a household twice: errors need each once."
        raise Refused(message)
    households = survey.select(
        "household_id",
        "regency_code",
        "cluster_id",
        _EXPENDITURE,
        *groups(survey.columns),
        *group_facts(survey.columns).values(),
        settlement=pl.when("is_urban").then(pl.lit("urban")).otherwise(pl.lit("rural")),
        mass=(pl.col("weight") * _THOUSANDTHS).round(0, mode="half_away_from_zero").cast(pl.Int64),
    ).with_columns(lottery(survey["household_id"], lottery_seed(snapshot)))
    base = base_world(snapshot)
    last = {BASE: base, **{run.name: run.worlds[-1] if run.worlds else base for run in runs}}
    cards = {world.terms.scorecard.hash: world.terms.scorecard for world in last.values()}
    scores = {name: out_of_sample(snapshot, card) for name, card in cards.items()}
    parts = []
    for programme in snapshot.terms.policy.programmes:
        at_base = _places(base, programme)
        poor = _inside(households, [_EXPENDITURE], _as_mass(at_base))
        selected = {
            name: _selected(
                households.join(
                    scores[world.terms.scorecard.hash], on="household_id", how="left", maintain_order="left"
                ),
                world,
                programme,
            )
            for name, world in last.items()
        }
        selected[PERFECT] = poor
        parts.append(_measured(households, poor, selected).with_columns(programme=pl.lit(programme.value)))
    return pl.concat(parts).select(*_SCHEMA)


_SCHEMA = {
    "run": pl.String, "programme": pl.String, "dimension": pl.String, "value": pl.String, "measure": pl.String,
    "households": pl.Int64, "families": pl.Int64, "error": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "difference": pl.Float64, "difference_low": pl.Float64, "difference_high": pl.Float64,
}  # fmt: skip


def _places(world: World, programme: str) -> pl.DataFrame:
    """Places by regency, whichever areas they were given to."""
    here = world.seats.filter(pl.col("programme") == programme)
    return here.group_by(pl.col("regency_code").str.slice(0, 5)).agg(pl.col("seats").sum())


def _selected(households: pl.DataFrame, world: World, programme: str) -> pl.Series:
    """Mass of each household that the world's order and its reserved places put inside its regency's places."""
    terms = world.terms
    rule = {str(name): one for name, one in terms.policy.programmes.items()}.get(programme)
    if rule is None:
        return pl.Series("inside", [0] * households.height, dtype=pl.Int64)
    # Surveyed households have no official decile, whichever decides.
    frame = terms.policy.welfare.decile_frame
    placed = households.with_columns(decile=own_decile(terms.cut_points, frame, households["regency_code"].unique()))
    qualifies = pl.col("score_micro").is_not_null()
    if rule.max_decile is not None:
        qualifies &= (pl.col("decile") <= rule.max_decile).fill_null(value=False)
    placed = placed.with_columns(mass=pl.when(qualifies).then("mass").otherwise(0))
    order = ["lottery"] if world.is_lottery else ["score_micro", "lottery"]
    places = _places(world, programme)
    taken = pl.Series("taken", [0] * households.height, dtype=pl.Int64)
    for one in terms.policy.ranking.reserved_places:
        if f"{FACT}{one.fact}" not in placed.columns:
            continue
        is_member = placed[f"{FACT}{one.fact}"]
        floors = _as_mass(places.with_columns(pl.col("seats") * one.share_micro // MILLION))
        missing = _less(floors, placed.select("regency_code", taken=taken * is_member.cast(pl.Int64)))
        free = _less(_as_mass(places), placed.select("regency_code", taken=taken))
        room = missing.join(free.rename({"room": "free"}), on="regency_code").with_columns(
            room=pl.min_horizontal("room", "free")
        )
        taken += _inside(placed.with_columns(mass=(pl.col("mass") - taken) * is_member.cast(pl.Int64)), order, room)
    left = _less(_as_mass(places), placed.select("regency_code", taken=taken))
    return taken + _inside(placed.with_columns(pl.col("mass") - taken), order, left)


def _as_mass(places: pl.DataFrame) -> pl.DataFrame:
    """`regency_code, room`: places as mass."""
    return places.select("regency_code", room=pl.col("seats") * _THOUSANDTHS)


def _less(room: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """The room that is left of each regency when households have taken theirs."""
    filled = taken.group_by("regency_code").agg(pl.col("taken").sum())
    left = (pl.col("room") - pl.col("taken").fill_null(0)).clip(lower_bound=0)
    return room.join(filled, on="regency_code", how="left", maintain_order="left").select("regency_code", room=left)


def _inside(households: pl.DataFrame, order: Sequence[str], room: pl.DataFrame) -> pl.Series:
    """Mass of each household inside its regency's room, the first in order going first; in the order given."""
    placed = (
        households.with_row_index("_row")
        .join(room, on="regency_code", how="left", maintain_order="left")
        .sort("regency_code", *order, "household_id", nulls_last=True)
        .with_columns(before=pl.col("mass").cum_sum().over("regency_code") - pl.col("mass"))
        .with_columns(left=(pl.col("room").fill_null(0) - pl.col("before")).clip(lower_bound=0))
        .with_columns(inside=pl.min_horizontal("mass", "left"))
    )
    return placed.sort("_row")["inside"]


def _measured(households: pl.DataFrame, poor: pl.Series, selected: Mapping[str, pl.Series]) -> pl.DataFrame:
    """Both errors of every run, for all and by group."""
    marked = households.with_columns(
        _poor=poor,
        **{f"_in_{number}": mass for number, mass in enumerate(selected.values())},
    ).with_columns(**{f"_hit_{number}": pl.min_horizontal("_poor", f"_in_{number}") for number in range(len(selected))})
    every = cells(marked)
    ratios = {}
    for number, run in enumerate(selected):
        mine, hit = pl.col(f"_in_{number}"), pl.col(f"_hit_{number}")
        for dimension, value, here in every:
            ratios[run, dimension, value, "exclusion"] = within(here, pl.col("_poor") - hit, pl.col("_poor"))
            ratios[run, dimension, value, "inclusion"] = within(here, mine - hit, mine)
    drawn = resampled(marked, "cluster_id", ratios)
    rows = []
    for (run, dimension, value, measure), ratio in drawn.items():
        base = drawn[BASE, dimension, value, measure]
        gap = None if ratio.share is None or base.share is None else ratio.share - base.share
        shown = (ratio.rows, round(ratio.total / _THOUSANDTHS), ratio.share, *ratio.interval)
        rows.append(
            (run, dimension, value, measure, *shown, gap, *middle(ratio.replicates - base.replicates, ratio.clusters))
        )
    schema = {name: dtype for name, dtype in _SCHEMA.items() if name != "programme"}
    return pl.DataFrame(rows, schema=schema, orient="row")
