"""What status a family would have if it alone stood otherwise among all the others."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from assets.decision.families import ELIGIBLE, Terms
from assets.decision.ranking import find_exclusive, rank, statuses
from quotas.rules import Ranking
from schemas.vocabularies import Status

_KEY = ["family_id", "programme"]
_UNIT, _KIND, _ASKED, _NAME = "_unit", "_kind", "_asked", "_name"
_ROWS_AT_ONCE = 1_000_000
_KEPT = 1
"""Bit of a kept place."""
_INSIDE, _OUTSIDE = 2, 3
"""How many of the nearest are looked at: the family itself may be one of them, and its own place may fall free."""


@dataclass(frozen=True, eq=False)
class World:
    """Families before places are given, the terms and places on which they are, and the statuses that follow.

    Attributes
    ----------
    rows : DataFrame
        From :func:`assets.decision.judge.eligibility`: at least :func:`assets.decision.ranking.read_of` the terms.
    """

    rows: pl.DataFrame
    terms: Terms
    seats: pl.DataFrame
    statuses: pl.Series

    @cached_property
    def listed(self) -> pl.DataFrame:
        """Who receives or waits: area, programme, family, score, the rules that favour it, and `is_inside`."""
        kind = _kind(self.terms.policy.ranking)
        return (
            self.rows.select(self.terms.area, "programme", "family_id", "score_micro", kind)
            .with_columns(is_inside=self.statuses == Status.RECIPIENT.value)
            .filter(self.statuses.is_in([Status.RECIPIENT.value, Status.WAITING.value]))
        )

    @cached_property
    def nearest(self) -> pl.DataFrame:
        """Of every area, programme and kind of favour the richest inside and the poorest outside."""
        group, columns = [self.terms.area, "programme", _KIND], pl.col("family_id", "score_micro")
        scored = self.listed.drop_nulls("score_micro")
        inside = scored.filter("is_inside").group_by(group).agg(columns.top_k_by("score_micro", _INSIDE))
        outside = scored.filter(~pl.col("is_inside")).group_by(group).agg(columns.bottom_k_by("score_micro", _OUTSIDE))
        return pl.concat(
            [
                near.explode("family_id", "score_micro").with_columns(is_inside=pl.lit(is_inside))
                for near, is_inside in ((inside, True), (outside, False))
            ]
        )


def rank_world(rows: pl.DataFrame, terms: Terms, seats: pl.DataFrame) -> World:
    """The world in which these families are ranked on these terms."""
    every = pl.int_range(rows.height, dtype=pl.UInt32, eager=True)
    return World(rows, terms, seats, statuses(rows, every, seats, terms))


def place_alone(altered: pl.DataFrame, world: World) -> pl.Series:
    """Statuses of altered families, each as though it alone stood so among the others of a world.

    Who is not eligible, or not altered, has the status it has. Of the others most are certain without ranking anybody
    anew: places go by score among families that the same rules favour, so that whoever is poorer than a family inside,
    and favoured by at least the same rules, is inside; whoever is richer than one that waits, and favoured by no other
    rules, waits.
    Where the family's own place falls free, two must wait before it: one of them may get that place. Whoever is
    between (equal scores too) is ranked anew among all families of its area.

    Parameters
    ----------
    altered : DataFrame
        Columns of the world's rows; families are taken out of the world where they stand in it. Where programmes are
        exclusive, all programmes of a family.
    """
    area = world.terms.area
    asked = altered.with_row_index(_ASKED)
    if find_exclusive(world.rows, world.terms):
        competing = asked.filter(pl.col("status") == ELIGIBLE)
        return altered["status"].scatter(competing[_ASKED], _rank_anew(competing, altered, world, by=[area]))
    stands = world.rows.with_columns(stands=world.statuses).join(altered.select(_KEY), on=_KEY, how="semi")
    asked = asked.join(stands, on=altered.columns, how="left", nulls_equal=True, maintain_order="left")
    status = asked.select(pl.coalesce("stands", "status")).to_series()
    competing = asked.filter(pl.col("stands").is_null(), pl.col("status") == ELIGIBLE).drop("stands")
    is_inside = _find_certain(competing, world)
    open_rows = competing.filter(is_inside.is_null())
    anew = _rank_anew(open_rows, open_rows.drop(_ASKED), world, by=[area, "programme"])
    words = pl.select(
        pl.when(is_inside).then(pl.lit(Status.RECIPIENT.value)).otherwise(pl.lit(Status.WAITING.value))
    ).to_series()
    return status.clone().scatter(competing[_ASKED], words).scatter(open_rows[_ASKED], anew)


def _find_certain(competing: pl.DataFrame, world: World) -> pl.Series:
    """Whether each is inside, by the nearest families inside and outside; null where these do not tell."""
    area, rules = world.terms.area, world.terms.policy.ranking
    group, score = [area, "programme"], pl.col("score_micro")
    asked = competing.select(_ASKED, *group, "family_id", "score_micro", _kind(rules))
    inside_now = world.listed.filter("is_inside").select(*group, "family_id", leaves_a_place=pl.lit(value=True))
    beside = (
        asked.join(inside_now, on=[*group, "family_id"], how="left")
        .with_columns(pl.col("leaves_a_place").fill_null(value=False))
        .join(world.nearest, on=group, suffix="_near")
        .filter(pl.col("family_id") != pl.col("family_id_near"))
    )
    near, kind, kind_near = pl.col("score_micro_near"), pl.col(_KIND), pl.col(f"{_KIND}_near")
    is_inside = pl.col("is_inside")
    weaker_inside = near.filter(is_inside & ((kind & kind_near) == kind_near))
    stronger_outside = near.filter(~is_inside & ((kind & kind_near) == kind)).sort(nulls_last=True)
    bounds = beside.group_by(_ASKED).agg(
        score=score.first(),
        last_inside=weaker_inside.max(),
        first_outside=stronger_outside.get(pl.col("leaves_a_place").first().cast(pl.Int64), null_on_oob=True),
    )
    told = bounds.select(
        _ASKED,
        told=pl.when(pl.col("score") < pl.col("last_inside"))
        .then(pl.lit(value=True))
        .when(pl.col("score") > pl.col("first_outside"))
        .then(pl.lit(value=False)),
    )
    has_room = _has_room(asked, world)
    is_told = asked.join(told, on=_ASKED, how="left", maintain_order="left")["told"]
    return pl.select(pl.when(has_room).then(pl.lit(value=True)).otherwise(is_told)).to_series()


def _has_room(asked: pl.DataFrame, world: World) -> pl.Series:
    """Whether all others who are eligible, or for a kept family all others who are kept, are fewer than the places."""
    area = world.terms.area
    group = [area, "programme"]
    places = world.seats.select(pl.col("regency_code").alias(area), "programme", "seats")
    counted = world.listed.select(*group, "family_id", eligible=pl.lit(1, pl.Int64), kept=pl.col(_KIND) & _KEPT)
    others = {name: pl.col(name).fill_null(0) - pl.col(f"{name}_itself").fill_null(0) for name in ("eligible", "kept")}
    has_room = (others["eligible"] < pl.col("seats")) | (
        (pl.col(_KIND) & _KEPT == _KEPT) & (others["kept"] < pl.col("seats"))
    )
    return (
        asked.join(counted.group_by(group).agg(pl.col("eligible", "kept").sum()), on=group, how="left")
        .join(places, on=group, how="left")
        .join(counted, on=[*group, "family_id"], how="left", suffix="_itself")
        .sort(_ASKED)
        .select(has_room.fill_null(value=False))
        .to_series()
    )


def _kind(rules: Ranking) -> pl.Expr:
    """The rules that favour a family, as bits: kept place, margin of sitting families, groups with places of theirs."""
    favoured = [pl.col("is_kept")]
    if rules.sitting_margin_micro:
        favoured.append(pl.col("received_before"))
    favoured += [(pl.col(one.fact) >= 1).fill_null(value=False) for one in rules.reserved_places]
    return pl.sum_horizontal(rule.cast(pl.Int64) * (1 << place) for place, rule in enumerate(favoured)).alias(_KIND)


def _rank_anew(asked: pl.DataFrame, altered: pl.DataFrame, world: World, by: list[str]) -> pl.Series:
    """Statuses of rows, each family ranked among the others of its area (and programme) in an area of its own."""
    if asked.is_empty():
        return pl.Series([], dtype=pl.String)
    area = world.terms.area
    unit = [*dict.fromkeys(["family_id", *by])]
    units = asked.select(unit).unique(maintain_order=True).with_row_index(_UNIT)
    others = world.rows.filter(pl.col("status") == ELIGIBLE)
    largest = others.join(units, on=by, how="semi").group_by(by).len()["len"].max()
    at_once = max(1, _ROWS_AT_ONCE // (largest if isinstance(largest, int) else 1))
    found = []
    for some in units.iter_slices(at_once):
        rows = pl.concat(
            [
                altered.join(some, on=unit, maintain_order="left"),
                others.join(some.rename({"family_id": "_itself"}), on=by)
                .filter(pl.col("family_id") != pl.col("_itself"))
                .select(*altered.columns, _UNIT),
            ]
        ).with_columns(
            pl.concat_str(area, pl.lit("#"), _UNIT).alias(area),
            # Nobody may stand twice: where programmes are exclusive, families are known by their names.
            pl.concat_str("family_id", pl.lit("#"), _UNIT).alias("family_id"),
            pl.col("family_id").alias(_NAME),
        )
        named = some.select(_UNIT, area).join(world.seats, left_on=area, right_on="regency_code")
        seats = named.select(pl.concat_str(area, pl.lit("#"), _UNIT).alias("regency_code"), "programme", "seats")
        ranked = rank(rows, seats, world.terms)
        mine = ranked.join(some.select(_UNIT, pl.col("family_id").alias(_NAME)), on=[_UNIT, _NAME], how="semi")
        found.append(mine.select(pl.col(_NAME).alias("family_id"), "programme", "status"))
    return asked.select(_KEY).join(pl.concat(found), on=_KEY, how="left", maintain_order="left")["status"]
