"""Why a family's status moved: the one factor without which it would have kept the status it had.

Each factor by itself is put back to what it was, with all else as it is; whoever would then have its old status moved
by that factor. The family's own facts are asked first: it can check and mend them. Then what the State changed, which
answers for it; then other families; last the lottery. Where no factor alone would have kept the status (two were each
enough), the factors are switched from then to now in the same order, and the first at which the present status is
reached is the cause. Ages and quarters of waiting belong to a family's own facts. Other families have no part in a
status that takes no place: where nothing else brought it, the family received before, and does no longer.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

import polars as pl

from assets.decision.alone import World, place_alone, rank_world
from assets.decision.compared import Before, FactsThen, Now, chosen
from assets.decision.families import ELIGIBLE, Families, Terms
from assets.decision.judge import eligibility, judge
from assets.decision.ranking import OTHER_PROGRAMME, find_exclusive, read_of
from schemas.vocabularies import Cause, Status

ORDER = (
    Cause.OWN_DATA, Cause.BPS_CORRECTION, Cause.EVIDENCE, Cause.MODEL, Cause.POLICY, Cause.SEATS, Cause.NEWCOMERS,
    Cause.OTHERS_DATA, Cause.LOTTERY,
)  # fmt: skip
"""In which order factors are asked, and switched where none alone decided."""
_KEY = ["family_id", "programme"]
_PLACES = ["regency_code", "programme", "seats"]
_OF_ONE_FAMILY = [Status.HELD.value, Status.NOT_SCORABLE.value]
"""Statuses that no other family has a part in, nor has it in `ineligible` where no programmes are exclusive."""
_LISTED = [Status.RECIPIENT.value, Status.WAITING.value]
_IS_BARRED = (pl.col("status") == Status.INELIGIBLE.value) & pl.col("reasons").list.join(",").is_in(
    ["", OTHER_PROGRAMME]
)
"""Whether a recipient of another, exclusive programme is out for it alone."""
_BEFORE_PLACES = (
    pl.when(pl.col("status").is_in(_LISTED) | _IS_BARRED).then(pl.lit(ELIGIBLE)).otherwise("status").alias("status")
)


def find_causes(now: Now, before: Before, moved: pl.DataFrame) -> pl.DataFrame:
    """The cause of each move of families decided in both quarters.

    Parameters
    ----------
    moved : DataFrame
        `family_id, programme, from_status, to_status` of families on record in both quarters.

    Returns
    -------
    DataFrame
        `family_id, programme, cause, is_decisive` in no order. Decisive: without it the family would have kept its
        status; else it is the first that sufficed among several.
    """
    if before.terms is None or before.seats is None:
        return moved.select(*_KEY, cause=pl.lit(Cause.FIRST_ASSESSMENT.value), is_decisive=pl.lit(value=True))
    search = _Search(now, before, before.terms, before.seats, moved)
    rest, found = moved, [_with_cause(moved.clear(), Cause.OTHERS_DATA, is_decisive=True)]
    for cause, find_statuses in search.list_tests():
        if rest.is_empty():
            break
        kept = (find_statuses(rest) == rest["from_status"]).fill_null(value=False)
        found.append(_with_cause(rest.filter(kept), cause, is_decisive=True))
        rest = rest.filter(~kept)
    if not rest.is_empty():
        found.append(_find_sufficient(search, rest))
    return pl.concat(found)


def _with_cause(rows: pl.DataFrame, cause: Cause, *, is_decisive: bool) -> pl.DataFrame:
    return rows.select(*_KEY, cause=pl.lit(cause.value), is_decisive=pl.lit(value=is_decisive))


def _find_sufficient(search: "_Search", rest: pl.DataFrame) -> pl.DataFrame:
    """For each row the first factor that, switched after those before it, brings the present status."""
    found = []
    for cause, reached in search.switch(rest):
        is_reached = (reached == rest["to_status"]).fill_null(value=False)
        # What was received before is all that is left then: it decides alone.
        is_decisive = cause is Cause.EARLIER_RECEIPT
        found.append(_with_cause(rest.filter(is_reached), cause, is_decisive=is_decisive))
    # Nothing but others is left: what they received before weighs where the law has a margin for sitting families.
    found.append(_with_cause(rest, Cause.OTHERS_DATA, is_decisive=False))
    return pl.concat(found).unique(_KEY, keep="first", maintain_order=True)


class _Search:
    """The worlds in which factors stand as they were; each is made when it is first asked for."""

    def __init__(self, now: Now, before: Before, then: Terms, seats_then: pl.DataFrame, moved: pl.DataFrame) -> None:
        self.now, self.before, self.then, self.seats_then = now, before, then, seats_then
        self.columns = [*dict.fromkeys(["regency_code", *read_of(now.terms), *read_of(then)])]
        self.rows = now.decided.with_columns(_BEFORE_PLACES).select(self.columns)
        self.facts = FactsThen(now, before, moved["family_id"].unique())
        self.is_new = ~self.rows["family_id"].is_in(before.statuses["family_id"].unique().implode())

    # Terms: the law of one quarter with parts of the other's. How places are shared out goes with the places.

    def _use_law(self, *, model: Terms, policy: Terms, quotas: Terms, seed: Terms) -> Terms:
        return replace(
            self.now.terms,
            policy=policy.policy if policy is quotas else replace(policy.policy, quotas=quotas.policy.quotas),
            scorecard=model.scorecard,
            cut_points=model.cut_points,
            days=self.now.terms.days.model_copy(update={"lottery_seed": seed.days.lottery_seed}),
        )

    @cached_property
    def _differs(self) -> dict[Cause, bool]:
        """Whether each part of the law is another than it was."""
        now, then = self.now.terms, self.then
        cuts = now.cut_points.rows() != then.cut_points.rows()
        return {
            Cause.MODEL: now.scorecard.hash != then.scorecard.hash or cuts,
            Cause.POLICY: now.policy != then.policy,
            Cause.SEATS: now.policy.quotas != then.policy.quotas
            or not self.seats_then.select(_PLACES).sort(_PLACES).equals(self.now.seats.select(_PLACES).sort(_PLACES)),
            Cause.LOTTERY: now.days.lottery_seed != then.days.lottery_seed,
        }

    # Rows.

    def _judge(self, families: Families, terms: Terms) -> pl.DataFrame:
        ids = families.records["family_id"]
        previous = self.before.statuses.filter(pl.col("family_id").is_in(ids.implode()))
        return eligibility(judge(families, terms, parts=False), terms, previous).select(self.columns)

    def _judge_then(self, families: Families, terms: Terms) -> pl.DataFrame:
        """Families judged as old as they were, and as long waiting."""
        days = terms.days.model_copy(update={"decision_date": self.then.days.decision_date})
        return self._judge(families, replace(terms, quarter=self.then.quarter, days=days))

    def _judge_neighbours_then(self, terms: Terms) -> pl.DataFrame:
        """All who lived in the areas at hand then, where law or model is another than now's."""
        if not self._differs[Cause.MODEL] and not self._differs[Cause.POLICY]:
            return self._neighbours_then
        return self._judge_all_then(terms)

    def _judge_all_then(self, terms: Terms) -> pl.DataFrame:
        regencies = self.rows["regency_code"].unique().implode()
        return self._judge_then(self.before.families, terms).filter(pl.col("regency_code").is_in(regencies))

    @cached_property
    def _neighbours_then(self) -> pl.DataFrame:
        return self._judge_all_then(self.now.terms)

    @cached_property
    def _newcomers(self) -> pl.DataFrame:
        return self.rows.filter(self.is_new)

    @cached_property
    def _now_world(self) -> World:
        return World(self.rows, self.now.terms, self.now.seats, self.now.decided["status"])

    def _rows_of(self, asked: pl.DataFrame) -> pl.DataFrame:
        return self.rows.join(asked.select("family_id").unique(), on="family_id", how="semi")

    # Tests: with one factor as it was.

    def list_tests(self) -> Iterator[tuple[Cause, Callable[[pl.DataFrame], pl.Series]]]:
        """For each factor that is another, what gives the statuses of asked rows with this factor as it was."""
        now, then = self.now.terms, self.then
        yield Cause.OWN_DATA, self._without_own
        yield Cause.BPS_CORRECTION, lambda asked: self._without(asked, Cause.BPS_CORRECTION)
        yield Cause.EVIDENCE, lambda asked: self._without(asked, Cause.EVIDENCE)
        if self._differs[Cause.MODEL]:
            terms = self._use_law(model=then, policy=now, quotas=now, seed=now)
            yield Cause.MODEL, lambda asked: self._in_another(asked, terms, self.now.seats)
        if self._differs[Cause.POLICY]:
            law = self._use_law(model=now, policy=then, quotas=now, seed=now)
            yield Cause.POLICY, lambda asked: self._in_another(asked, law, self.now.seats)
        if self._differs[Cause.SEATS]:
            shared = self._use_law(model=now, policy=now, quotas=then, seed=now)
            yield Cause.SEATS, lambda asked: _look_up(asked, rank_world(self.rows, shared, self.seats_then))
        yield Cause.NEWCOMERS, self._without_newcomers
        yield Cause.OTHERS_DATA, self._with_others_as_they_were
        if self._differs[Cause.LOTTERY]:
            drawn = self._use_law(model=now, policy=now, quotas=now, seed=then)
            yield Cause.LOTTERY, lambda asked: _look_up(asked, rank_world(self.rows, drawn, self.now.seats))

    def _without_own(self, asked: pl.DataFrame) -> pl.Series:
        world = self._now_world
        if self.now.elsewhere is not None:
            rows = pl.concat([world.rows, self.now.elsewhere.with_columns(_BEFORE_PLACES).select(self.columns)])
            found = pl.concat([world.statuses, self.now.elsewhere["status"]])
            world = World(rows, world.terms, world.seats, found)
        return _place(asked, self._judge_then(self.facts.without_own(), self.now.terms), world)

    def _without(self, asked: pl.DataFrame, cause: Cause) -> pl.Series:
        """With what BPS corrected, or what other agencies state, as it was."""
        changed = self.facts.corrected if cause is Cause.BPS_CORRECTION else self.facts.evidenced
        few = chosen(self.facts.as_now(), changed.filter(changed.is_in(asked["family_id"].unique().implode())))
        put_back = self.facts.without_correction if cause is Cause.BPS_CORRECTION else self.facts.without_evidence
        return _place(asked, self._judge(put_back(few), self.now.terms), self._now_world)

    def _in_another(self, asked: pl.DataFrame, terms: Terms, seats: pl.DataFrame) -> pl.Series:
        return _look_up(asked, rank_world(self._judge(self.now.families, terms), terms, seats))

    def _without_newcomers(self, asked: pl.DataFrame) -> pl.Series:
        if self._newcomers.is_empty():
            return pl.Series([None], dtype=pl.String).new_from_index(0, asked.height)
        return _look_up(asked, rank_world(self.rows.filter(~self.is_new), self.now.terms, self.now.seats))

    def _with_others_as_they_were(self, asked: pl.DataFrame) -> pl.Series:
        """Others with their facts of then, those gone among them again; newcomers are there."""
        others = pl.concat([self._neighbours_then, self._newcomers])
        return _place(asked, self._rows_of(asked), rank_world(others, self.now.terms, self.now.seats))

    # Switching from then to now, one factor after the other.

    def switch(self, asked: pl.DataFrame) -> Iterator[tuple[Cause, pl.Series]]:
        """Statuses of the asked rows after each factor, the ones before it switched too.

        A row that a factor of the family's own facts leaves as it was has no status there: it is not moved by it.
        """
        now, then = self.now.terms, self.then
        terms, seats = self._use_law(model=then, policy=then, quotas=then, seed=then), self.seats_then
        yield from self._switch_own(asked, terms)
        if self._differs[Cause.MODEL]:
            terms = self._use_law(model=now, policy=then, quotas=then, seed=then)
            rows_of_asked = self._judge(self._families_of(asked), terms)
            world = rank_world(self._judge_neighbours_then(terms), terms, seats)
            yield Cause.MODEL, _place(asked, rows_of_asked, world, "to_status")
        if self._differs[Cause.POLICY]:
            terms = self._use_law(model=now, policy=now, quotas=then, seed=then)
            world = rank_world(self._neighbours_then, terms, seats)
            yield Cause.POLICY, _place(asked, self._rows_of(asked), world, "to_status")
        yield Cause.EARLIER_RECEIPT, self._without_others(asked)
        terms, seats = self._use_law(model=now, policy=now, quotas=now, seed=then), self.now.seats
        if self._differs[Cause.SEATS]:
            world = rank_world(self._neighbours_then, terms, seats)
            yield Cause.SEATS, _place(asked, self._rows_of(asked), world, "to_status")
        if not self._newcomers.is_empty():
            world = rank_world(pl.concat([self._neighbours_then, self._newcomers]), terms, seats)
            yield Cause.NEWCOMERS, _place(asked, self._rows_of(asked), world, "to_status")
        yield Cause.OTHERS_DATA, _look_up(asked, rank_world(self.rows, terms, seats))
        yield Cause.LOTTERY, _look_up(asked, self._now_world)

    def _without_others(self, asked: pl.DataFrame) -> pl.Series:
        """Statuses that no other family has a part in; null for the others."""
        of_one = list(_OF_ONE_FAMILY)
        if not find_exclusive(self.rows, self.now.terms):
            of_one.append(Status.INELIGIBLE.value)
        return asked.select(pl.when(pl.col("to_status").is_in(of_one)).then("to_status")).to_series()

    def _switch_own(self, asked: pl.DataFrame, terms: Terms) -> Iterator[tuple[Cause, pl.Series]]:
        families, facts = self._families_of(asked), self.facts
        uncorrected = facts.without_correction(facts.without_evidence(families))
        world = rank_world(self._judge_neighbours_then(terms), terms, self.seats_then)
        earlier = self._judge_then(chosen(self.before.families, asked["family_id"].unique()), terms)
        for cause, switched in (
            (Cause.OWN_DATA, uncorrected),
            (Cause.BPS_CORRECTION, facts.without_evidence(families)),
            (Cause.EVIDENCE, families),
        ):
            rows = self._judge(switched, terms)
            altered = rows.join(earlier, on=self.columns, how="anti", nulls_equal=True)
            is_altered = (
                asked.select(_KEY)
                .join(altered.select(*_KEY, is_altered=pl.lit(value=True)), on=_KEY, how="left", maintain_order="left")[
                    "is_altered"
                ]
                .fill_null(value=False)
            )
            reached = _place(asked, rows, world, "to_status")
            yield cause, pl.select(pl.when(is_altered).then(reached)).to_series()
            earlier = rows

    def _families_of(self, asked: pl.DataFrame) -> Families:
        return chosen(self.facts.as_now(), asked["family_id"].unique())


def _look_up(asked: pl.DataFrame, world: World) -> pl.Series:
    """Statuses of the asked rows in a world; null where they are not in it."""
    found = world.rows.select(_KEY).with_columns(status=world.statuses)
    return asked.select(_KEY).join(found, on=_KEY, how="left", maintain_order="left")["status"]


def _place(asked: pl.DataFrame, rows: pl.DataFrame, world: World, looked_for: str = "from_status") -> pl.Series:
    """Statuses of the asked rows, each family with these rows alone in the place of its own; null without a row.

    Where the status looked for needs no place, who is eligible is left so.
    """
    if find_exclusive(world.rows, world.terms):
        needs_place = asked.select("family_id").unique()
        placed = rows.join(needs_place, on="family_id", how="semi")
        left = rows.clear()
    else:
        needs_place = asked.filter(pl.col(looked_for).is_in(_LISTED)).select(_KEY)
        placed = rows.join(needs_place, on=_KEY, how="semi")
        left = rows.join(needs_place, on=_KEY, how="anti")
    found = pl.concat(
        [placed.select(_KEY).with_columns(status=place_alone(placed, world)), left.select(*_KEY, "status")]
    )
    return asked.select(_KEY).join(found, on=_KEY, how="left", maintain_order="left")["status"]
