"""Ranking: the eligible of an area and programme in one total order, cut at the places; the rest is the queue."""

from collections.abc import Mapping

import polars as pl

from assets.decision.families import ELIGIBLE, Terms
from assets.decision.judge import lottery
from quotas.rules import MILLION, Ranking
from schemas.vocabularies import Status

OTHER_PROGRAMME = "other_programme"
_KEY = ["family_id", "programme"]
ORDER, SITTING, RESERVED, KEPT = "order", "sitting", "reserved_", "kept"
"""Words of `placed_by`; `reserved_` is followed by the fact of the group."""
_GROUP, _ROW, _SLOT, _FLOOR = "_group", "_row", "_slot", "_floor_"
"""`_floor_` is followed by the fact of the group: how many of its families have a place at least."""


def rank(eligible: pl.DataFrame, seats: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Status, rank, queue position and distance to the cut-off of every family x programme.

    The order is score (lower is poorer, first), the policy's tie-breakers, then the lottery: SHA-256 of the
    quarter's published seed and the family card number. Places go by that order, unless policy keeps some for a group
    or lets sitting recipients compete as though they were poorer (:class:`quotas.rules.Ranking`). Families that keep
    their place for want of data go first, in that order, within the places.

    Parameters
    ----------
    eligible : DataFrame
        From :func:`assets.decision.kept.keep_places`; complete for every area it touches.
    seats : DataFrame
        Contract `decision/seats`: area (`regency_code`) x programme with `seats`; an area without a row has none.

    Returns
    -------
    DataFrame
        The input with `status` (recipient, waiting or as it was), `rank`, `queue_position`, `seats`,
        `placed_by` (`order`, `sitting`, `kept` or `reserved_<fact>`; a recipient before whom in rank nobody
        waits is placed by the order, unless it is kept), `displaced_by` (of a family that waits: the rules without
        which it would have a place; null where there are none), `cutoff_distance_micro` (the score less the highest
        with which this family would get a place; never above 0 for a recipient, never below it for who waits;
        null for a kept one), `tie_break`, `amount_rupiah`; in the order of the input. Where policy makes a
        programme exclusive with another, that one is ranked first and its recipients are ineligible.
    """
    if later := find_exclusive(eligible, terms):
        return _one_after_the_other(eligible, seats, terms, later)
    rules = terms.policy.ranking
    keys = _keys(rules)
    placed = _with_places(eligible.with_row_index(_ROW), seats, terms)
    queue = placed.filter(pl.col("status") == ELIGIBLE).select(_ROW, _GROUP, "seats", *_facts(rules))
    queue = _ranked(queue.with_columns(_floors(rules)), terms)
    queue = queue.with_columns(tie_break=_tie_break([name for name, _ in keys]))
    queue = _placed(queue, rules)
    decided = queue.select(
        "rank",
        decided=pl.when("inside").then(pl.lit(Status.RECIPIENT.value)).otherwise(pl.lit(Status.WAITING.value)),
        queue_position=pl.when(~pl.col("inside")).then(pl.col("turn") - pl.col("open_seats")),
        placed_by=_placed_by(rules),
        displaced_by=_displaced_by(queue, rules),
        cutoff_distance_micro=_distance(rules),
        tie_break="tie_break",
    )
    slot = pl.Series([None], dtype=pl.UInt32).new_from_index(0, placed.height)
    slot = slot.scatter(queue[_ROW], pl.int_range(queue.height, dtype=pl.UInt32, eager=True))
    return (
        placed.hstack(taken(decided, slot))
        .with_columns(status=pl.coalesce("decided", "status"))
        .with_columns(
            amount_rupiah=pl.when(pl.col("status") == Status.RECIPIENT).then("amount_due_rupiah").otherwise(0)
        )
        .drop("decided", _ROW, _GROUP)
    )


def statuses(eligible: pl.DataFrame, rows: pl.Series, seats: pl.DataFrame, terms: Terms) -> pl.Series:
    """The statuses that :func:`rank` gives to chosen rows, and nothing else: several times as fast.

    Kept families take their places first; where they exceed them, all are ranked. Of the others these have a place
    whatever reserved places do: all below the last score inside were every reserved place given out of order. These
    have none: all above the last score inside that are not among the poorest of their group, as many as it has
    reserved places. Only the families between are ranked, with the places and reserved places that are left.

    Parameters
    ----------
    rows : Series
        Which rows of `eligible` are to be ranked against each other, in the order of the result; null stays null.
    """
    rules = terms.policy.ranking
    if rules.sitting_margin_micro or find_exclusive(eligible, terms):
        return rank(taken(eligible, rows), seats, terms)["status"]
    at = (eligible["status"] == ELIGIBLE).gather(rows).arg_true()
    row = rows.gather(at)
    read = [terms.area, "programme", "score_micro", "is_kept", *(one.fact for one in rules.reserved_places)]
    placed = _with_places(taken(eligible.select(read), row), seats, terms).with_columns(_floors(rules))
    if placed.select((pl.col("is_kept").sum().over(_GROUP) > pl.col("seats")).any()).item():
        return rank(taken(eligible, rows), seats, terms)["status"]
    left = _less(placed, pl.col("is_kept"), rules)
    competes = ~placed["is_kept"]
    kept_at, at, row = at.filter(~competes), at.filter(competes), row.filter(competes)
    queue = left.filter(competes)
    queue = queue.hstack(_bounds(queue, rules).select("is_inside", "is_between"))
    between = _less(queue, pl.col("is_inside"), rules).filter("is_between")
    named = [name for name in between.columns if name in {_GROUP, "seats"} or name.startswith(_FLOOR)]
    drawn = taken(eligible.select(_facts(rules)), row.filter(queue["is_between"])).hstack(between.select(named))
    drawn = _placed(_ranked(drawn.with_row_index(_ROW), terms), rules).sort(_ROW)
    inside = queue["is_inside"].scatter(queue["is_between"].arg_true(), drawn["inside"])
    words = pl.concat([eligible["status"], pl.Series([Status.RECIPIENT.value, Status.WAITING.value])])
    word = eligible.height + (~inside).cast(rows.dtype)
    chosen = rows.clone().scatter(at, word)
    return words.gather(chosen.scatter(kept_at, eligible.height))


def _less(queue: pl.DataFrame, has_place: pl.Expr, rules: Ranking) -> pl.DataFrame:
    """The queue with the places and reserved places that those who have a place leave to the others."""
    return queue.with_columns(
        pl.col("seats") - has_place.sum().over(_GROUP).cast(pl.Int64),
        *(
            (
                pl.col(f"{_FLOOR}{one.fact}") - (has_place & (pl.col(one.fact) >= 1)).sum().over(_GROUP).cast(pl.Int64)
            ).clip(lower_bound=0)
            for one in rules.reserved_places
        ),
    )


def _bounds(queue: pl.DataFrame, rules: Ranking) -> pl.DataFrame:
    """Per row: `is_inside`, has a place by its score alone; `is_between`, its score alone does not say."""
    score, seats = pl.col("score_micro"), pl.col("seats").first()
    floors = {one.fact: pl.col(f"{_FLOOR}{one.fact}").first() for one in rules.reserved_places}
    ordered, surely = score.sort(), seats - pl.sum_horizontal(pl.lit(0, pl.Int64), *floors.values())
    limits = queue.group_by(_GROUP).agg(
        has_room=seats >= pl.len(),
        sure=pl.when(surely >= 1).then(ordered.get(surely - 1, null_on_oob=True)),
        last=pl.when(seats >= 1).then(ordered.get(seats - 1, null_on_oob=True)),
        **{
            f"_last_{fact}": score.filter(pl.col(fact) >= 1).sort().get(
                pl.min_horizontal(floor, (pl.col(fact) >= 1).sum().cast(pl.Int64)) - 1, null_on_oob=True
            )
            for fact, floor in floors.items()
        },
    )  # fmt: skip
    known = queue.select(_GROUP, score, *floors).join(limits, on=_GROUP, how="left", maintain_order="left")
    of_group = [(pl.col(fact) >= 1) & (score <= pl.col(f"_last_{fact}")) for fact in floors]
    return known.select(
        is_inside=pl.col("has_room") | (score < pl.col("sure")).fill_null(value=False),
        may_be_inside=pl.any_horizontal(score <= pl.col("last"), *of_group).fill_null(value=False),
    ).with_columns(is_between=pl.col("may_be_inside") & ~pl.col("is_inside"))


def taken(frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """The rows with these numbers, in their order; all null where the number is null."""
    return frame.select(pl.all().gather(rows))


def read_of(terms: Terms) -> list[str]:
    """Columns that ranking reads under these terms."""
    others = [terms.area, "programme", "status", "amount_due_rupiah"]
    return [*dict.fromkeys([*others, *_facts(terms.policy.ranking)])]


def _keys(rules: Ranking) -> list[tuple[str, bool]]:
    """Columns of the order before the lottery, and whether each is descending."""
    return [("score_micro", False), *((one.fact, one.order == "descending") for one in rules.tie_breakers)]


def _facts(rules: Ranking) -> list[str]:
    ordered, groups = [name for name, _ in _keys(rules)], [one.fact for one in rules.reserved_places]
    return [*dict.fromkeys(["family_id", "family_card_number", *ordered, *groups, "received_before", "is_kept"])]


def _with_places(eligible: pl.DataFrame, seats: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The rows with the number of their area and programme (cheaper than the words) and its `seats`."""
    group = [terms.area, "programme"]
    places = seats.select(pl.col("regency_code").alias(terms.area), "programme", "seats")
    # Rows of one area and programme mostly stand together: runs of them are looked up, not rows.
    named = eligible.select(*group, _run=pl.struct(group).rle_id())
    runs = named.filter(pl.col("_run").ne_missing(pl.col("_run").shift(1))).select(group)
    groups = runs.unique().sort(group).with_row_index(_GROUP)
    numbered = groups.join(places, on=group, how="left").with_columns(pl.col("seats").fill_null(0))
    found = runs.join(numbered, on=group, how="left", maintain_order="left").select(_GROUP, "seats")
    return eligible.hstack(taken(found, named["_run"]))


def _floors(rules: Ranking) -> list[pl.Expr]:
    """How many families of each group have a place at least: its share of the places, rounded down."""
    return [
        (pl.col("seats") * one.share_micro // MILLION).alias(f"{_FLOOR}{one.fact}") for one in rules.reserved_places
    ]


def _ranked(queue: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The queue in its total order with `rank` from 1 in each area and programme."""
    ordered = _in_order(queue, _keys(terms.policy.ranking), terms.days.lottery_seed)
    return ordered.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(_GROUP))


def find_exclusive(eligible: pl.DataFrame, terms: Terms) -> dict[str, str]:
    """Programmes that are exclusive with another, and with which, where both are to be ranked."""
    named = {code.value: one.exclusive_with for code, one in terms.policy.programmes.items()}
    linked = {code: other.value for code, other in named.items() if other is not None}
    here = set(eligible["programme"].unique()) if linked else set()
    return {code: other for code, other in linked.items() if {code, other} <= here}


def _one_after_the_other(
    eligible: pl.DataFrame, seats: pl.DataFrame, terms: Terms, later: Mapping[str, str]
) -> pl.DataFrame:
    """Programmes that are exclusive with another ranked after it, without its recipients."""
    first = rank(eligible.filter(~pl.col("programme").is_in(list(later))), seats, terms)
    parts = [first]
    for programme, other in later.items():
        holders = first.filter(pl.col("status") == Status.RECIPIENT, pl.col("programme") == other)["family_id"]
        barred = pl.col("family_id").is_in(holders.implode()) & (pl.col("status") == ELIGIBLE)
        left = eligible.filter(pl.col("programme") == programme)
        if "reasons" in left.columns:
            told = pl.when(barred).then(pl.lit([OTHER_PROGRAMME], pl.List(pl.String))).otherwise("reasons")
            left = left.with_columns(reasons=told)
        status = pl.when(barred).then(pl.lit(Status.INELIGIBLE.value)).otherwise("status")
        parts.append(rank(left.with_columns(status=status), seats, terms))
    return eligible.select(_KEY).join(pl.concat(parts), on=_KEY, how="left", maintain_order="left")


def _is_plain(rules: Ranking) -> bool:
    return not rules.reserved_places and not rules.sitting_margin_micro


def _placed(queue: pl.DataFrame, rules: Ranking) -> pl.DataFrame:
    """The ranked queue with who is `inside`: kept families first, then groups up to their floors, then the others.

    Whoever of a group has a place already (kept, or for another group) counts towards its floor, and the poorest of the
    group take what is missing, so that families inside by the order fill it before anybody is moved. Adds `kept_for`
    (`kept`, or the fact of the floor filled, else null), `competing_micro` (the score a family competes with in the
    open competition), `turn` in it from 1, `open_seats`, and `is_inside_unreserved` (had nobody reserved places).
    """
    margin = pl.col("received_before").cast(pl.Int64) * rules.sitting_margin_micro
    queue = queue.with_columns(kept_for=pl.lit(None, pl.String), competing_micro=pl.col("score_micro") - margin)
    if _is_plain(rules) and not queue["is_kept"].any():
        inside = pl.col("rank") <= pl.col("seats")
        return queue.with_columns(turn="rank", open_seats="seats", inside=inside, is_inside_unreserved=inside)
    is_kept = pl.col("is_kept") & (pl.col("is_kept").cum_sum().over(_GROUP) <= pl.col("seats"))
    queue = queue.with_columns(kept_for=pl.when(is_kept).then(pl.lit(KEPT)))
    is_placed = pl.col("kept_for").is_not_null()
    for one in rules.reserved_places:
        is_member = pl.col(one.fact) >= 1
        is_candidate = is_member & ~is_placed
        missing = pl.col(f"{_FLOOR}{one.fact}") - (is_member & is_placed).sum().over(_GROUP).cast(pl.Int64)
        free = pl.col("seats") - is_placed.sum().over(_GROUP).cast(pl.Int64)
        gets = is_candidate & (is_candidate.cum_sum().over(_GROUP).cast(pl.Int64) <= pl.min_horizontal(missing, free))
        queue = queue.with_columns(kept_for=pl.when(gets).then(pl.lit(one.fact)).otherwise("kept_for"))
    is_open, competes = ~is_placed, (pl.col("kept_for") != KEPT).fill_null(value=True)
    if rules.sitting_margin_micro:
        queue = queue.sort(_GROUP, "competing_micro", "rank", nulls_last=True)
    kept_seats = (~competes).sum().over(_GROUP).cast(pl.Int64)
    unreserved = competes.cum_sum().over(_GROUP).cast(pl.Int64) <= pl.col("seats") - kept_seats
    return queue.with_columns(
        turn=pl.when(is_open).then(is_open.cum_sum().over(_GROUP).cast(pl.Int64)),
        open_seats=pl.col("seats") - is_placed.sum().over(_GROUP).cast(pl.Int64),
        is_inside_unreserved=~competes | unreserved,
    ).with_columns(inside=is_placed | (pl.col("turn") <= pl.col("open_seats")))


def _placed_by(rules: Ranking) -> pl.Expr:
    """The rule that gave a recipient its place; a poorer family waits only where that is not the order."""
    first_waiting = pl.col("rank").filter(~pl.col("inside")).min().over(_GROUP)
    in_order = (pl.col("rank") < first_waiting).fill_null(value=True)
    is_kept = (pl.col("kept_for") == KEPT).fill_null(value=False)
    group = pl.concat_str(pl.lit(RESERVED), "kept_for")
    # Without other rules, whoever is not kept is placed by the order among those who are not.
    rule = pl.lit(ORDER) if _is_plain(rules) else pl.when(in_order).then(pl.lit(ORDER)).otherwise(
        pl.coalesce(group, pl.lit(SITTING))
    )  # fmt: skip
    return pl.when("inside").then(pl.when(is_kept).then(pl.lit(KEPT)).otherwise(rule))


def _displaced_by(queue: pl.DataFrame, rules: Ranking) -> pl.Series:
    """The rules without which a family that waits would have a place; null where there are none.

    Of the groups those are named of which a family has a place in the area that the order would not give it: one of two
    groups would have it by the other's floor. The margin is named where a place would be missing without floors too.
    """
    if _is_plain(rules):
        return pl.Series([None], dtype=pl.List(pl.String)).new_from_index(0, queue.height)
    by_order = pl.col("is_inside_unreserved")
    if rules.sitting_margin_micro:
        competes = (pl.col("kept_for") != KEPT).fill_null(value=True)
        kept_seats = (~competes).sum().over(_GROUP).cast(pl.Int64)
        before = pl.when(competes).then("rank").rank("ordinal").over(_GROUP).cast(pl.Int64)
        by_order = competes & (before <= pl.col("seats") - kept_seats)
    is_moved_in = pl.col("inside") & ~pl.col("is_inside_unreserved")
    words = [
        pl.when((is_moved_in & (pl.col(one.fact) >= 1)).any().over(_GROUP)).then(pl.lit(f"{RESERVED}{one.fact}"))
        for one in rules.reserved_places
    ]
    words.append(pl.when(by_order & ~pl.col("is_inside_unreserved")).then(pl.lit(SITTING)))
    is_displaced = ~pl.col("inside") & (pl.col("is_inside_unreserved") | by_order)
    return queue.select(pl.when(is_displaced).then(pl.concat_list(words).list.drop_nulls()).alias("displaced_by"))[
        "displaced_by"
    ]


def _distance(rules: Ranking) -> pl.Expr:
    """The least distance from a cut-off that concerns the family: that of the open places, or of its group's own."""
    is_open = pl.col("kept_for").is_null()
    last = pl.col("competing_micro").filter(pl.col("inside") & is_open).max().over(_GROUP)
    of_groups = [
        pl.when(pl.col(one.fact) >= 1).then(
            pl.col("score_micro") - pl.col("score_micro").filter(pl.col("kept_for") == one.fact).max().over(_GROUP)
        )
        for one in rules.reserved_places
    ]
    is_kept = (pl.col("kept_for") == KEPT).fill_null(value=False)
    return pl.when(~is_kept).then(pl.min_horizontal(pl.col("competing_micro") - last, *of_groups))


def _in_order(queue: pl.DataFrame, keys: list[tuple[str, bool]], seed: str) -> pl.DataFrame:
    """The queue in its total order; lots are drawn only where score and tie-breakers are equal, which is rare."""
    names = [_GROUP, *(name for name, _ in keys)]
    descending = [False, *(down for _, down in keys)]
    ordered = queue.sort(names, descending=descending, nulls_last=True)
    as_before = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in names)
    tied = ordered.select(tied=as_before & (pl.int_range(pl.len()) > 0)).to_series()
    tied |= tied.shift(-1, fill_value=False)
    if not tied.any():
        return ordered
    drawn = ordered.filter(tied)
    drawn = drawn.with_columns(lottery(drawn["family_card_number"], seed)).sort(
        *names, "lottery", "family_id", descending=[*descending, False, False], nulls_last=True
    )
    # Equals stand side by side, so that the drawn take the places of the tied.
    slots = tied.arg_true().alias(_SLOT)
    untied = ordered.filter(~tied).with_columns((~tied).arg_true().alias(_SLOT))
    return pl.concat([untied, drawn.drop("lottery").with_columns(slots)]).sort(_SLOT).drop(_SLOT)


def _tie_break(names: list[str]) -> pl.Expr:
    """The first criterion in which a family differs from the next in the queue; null for the last."""
    has_next = pl.col("rank") < pl.len().over(_GROUP)
    word = pl.lit("lottery")
    for name in reversed(names):
        differs = pl.col(name).ne_missing(pl.col(name).shift(-1))
        word = pl.when(differs).then(pl.lit("score" if name == "score_micro" else name)).otherwise(word)
    return pl.when(has_next).then(word)
