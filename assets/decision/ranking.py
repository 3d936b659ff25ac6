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
_GROUP, _ROW, _SLOT = "_group", "_row", "_slot"


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
        waits is placed by the order, unless it is kept), `cutoff_distance_micro` (the score less the highest
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
    queue = _in_order(queue, keys, terms.days.lottery_seed)
    queue = queue.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(_GROUP))
    queue = queue.with_columns(tie_break=_tie_break([name for name, _ in keys]))
    queue = _placed(queue, rules)
    decided = queue.select(
        "rank",
        decided=pl.when("inside").then(pl.lit(Status.RECIPIENT.value)).otherwise(pl.lit(Status.WAITING.value)),
        queue_position=pl.when(~pl.col("inside")).then(pl.col("turn") - pl.col("open_seats")),
        placed_by=_placed_by(rules),
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

    Kept families take their places first; where they exceed them, all are ranked. Of the others all below the last
    score inside have a place and all above it have none; only who has that score is ranked.

    Parameters
    ----------
    rows : Series
        Which rows of `eligible` are to be ranked against each other, in the order of the result; null stays null.
    """
    if not _is_plain(terms.policy.ranking) or find_exclusive(eligible, terms):
        return rank(taken(eligible, rows), seats, terms)["status"]
    score = pl.col("score_micro")
    at = (eligible["status"] == ELIGIBLE).gather(rows).arg_true()
    row = rows.gather(at)
    placed = _with_places(taken(eligible.select(terms.area, "programme", score, "is_kept"), row), seats, terms)
    taking = placed.group_by(_GROUP).agg(kept=pl.col("is_kept").sum().cast(pl.Int64), seats=pl.col("seats").first())
    if (taking["kept"] > taking["seats"]).any():
        return rank(taken(eligible, rows), seats, terms)["status"]
    competing = placed.join(taking.select(_GROUP, "kept"), on=_GROUP, how="left", maintain_order="left")
    competes = ~placed["is_kept"]
    kept_at, at, row = at.filter(~competes), at.filter(competes), row.filter(competes)
    queue = competing.filter(competes).select(_GROUP, score, seats=pl.col("seats") - pl.col("kept"))
    last = queue.group_by(_GROUP).agg(
        last=pl.when(pl.col("seats").first().is_between(1, pl.len())).then(
            score.sort().get(pl.col("seats").first() - 1, null_on_oob=True)
        )
    )
    queue = queue.join(last, on=_GROUP, how="left", maintain_order="left").with_columns(
        inside=pl.when(pl.col("last").is_null()).then(pl.col("seats") > 0).otherwise(score < pl.col("last"))
    )
    left = pl.col("seats").first() - pl.col("inside").sum()
    open_seats = queue.group_by(_GROUP).agg(open_seats=left.cast(pl.Int64))
    is_edge = queue["score_micro"] == queue["last"]
    drawn = taken(eligible, row.filter(is_edge))
    open_here = queue.filter(is_edge).join(open_seats, on=_GROUP, how="left", maintain_order="left")["open_seats"]
    places = drawn.select("programme", regency_code=terms.area, seats=open_here).unique()
    is_drawn = rank(drawn, places, terms)["status"] == Status.RECIPIENT
    inside = queue["inside"].scatter(is_edge.arg_true(), is_drawn)
    words = pl.concat([eligible["status"], pl.Series([Status.RECIPIENT.value, Status.WAITING.value])])
    word = eligible.height + (~inside).cast(rows.dtype)
    chosen = rows.clone().scatter(at, word)
    return words.gather(chosen.scatter(kept_at, eligible.height))


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
    """The ranked queue with who is `inside`: kept families first, then groups, then the open competition.

    Adds `kept_for` (the fact of the reserved place taken, else null), `competing_micro` (the score a family competes
    with in the open competition), `turn` in it from 1, and `open_seats`.
    """
    margin = pl.col("received_before").cast(pl.Int64) * rules.sitting_margin_micro
    queue = queue.with_columns(kept_for=pl.lit(None, pl.String), competing_micro=pl.col("score_micro") - margin)
    if _is_plain(rules) and not queue["is_kept"].any():
        inside = pl.col("rank") <= pl.col("seats")
        return queue.with_columns(turn="rank", open_seats="seats", inside=inside)
    is_kept = pl.col("is_kept") & (pl.col("is_kept").cum_sum().over(_GROUP) <= pl.col("seats"))
    queue = queue.with_columns(kept_for=pl.when(is_kept).then(pl.lit(KEPT)))
    for one in rules.reserved_places:
        is_candidate = (pl.col(one.fact) >= 1) & pl.col("kept_for").is_null()
        free = pl.col("seats") - (pl.col("kept_for") == KEPT).fill_null(value=False).sum().over(_GROUP).cast(pl.Int64)
        share = pl.min_horizontal(pl.col("seats") * one.share_micro // MILLION, free)
        gets = is_candidate & (is_candidate.cum_sum().over(_GROUP) <= share)
        queue = queue.with_columns(kept_for=pl.when(gets).then(pl.lit(one.fact)).otherwise("kept_for"))
    is_open = pl.col("kept_for").is_null()
    return (
        queue.sort(_GROUP, "competing_micro", "rank", nulls_last=True)
        .with_columns(
            turn=pl.when(is_open).then(is_open.cum_sum().over(_GROUP).cast(pl.Int64)),
            open_seats=pl.col("seats") - (~is_open).sum().over(_GROUP).cast(pl.Int64),
        )
        .with_columns(inside=~is_open | (pl.col("turn") <= pl.col("open_seats")))
    )


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
