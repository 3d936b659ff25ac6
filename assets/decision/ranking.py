"""Ranking: the eligible of an area and programme in one total order, cut at the places; the rest is the queue."""

from collections.abc import Mapping

import polars as pl

from assets.decision.families import Terms
from assets.decision.judge import ELIGIBLE, lottery
from schemas.vocabularies import Status

OTHER_PROGRAMME = "other_programme"
_KEY = ["family_id", "programme"]


def rank(eligible: pl.DataFrame, seats: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Status, rank, queue position and distance to the cut-off of every family x programme.

    The order is score (lower is poorer, first), the policy's tie-breakers, then the lottery: SHA-256 of the
    quarter's published seed and the family card number.

    Parameters
    ----------
    eligible : DataFrame
        From :func:`assets.decision.judge.eligibility`; complete for every area it touches.
    seats : DataFrame
        Contract `decision/seats`: area (`regency_code`) x programme with `seats`; an area without a row has none.

    Returns
    -------
    DataFrame
        The input with `status` (recipient, waiting or as it was), `rank`, `queue_position`, `seats`,
        `cutoff_distance_micro`, `tie_break`, `amount_rupiah`; in the order of the input. Where policy makes a programme
        exclusive with another, that one is ranked first and its recipients are ineligible for this one.
    """
    ranked_here = set(eligible["programme"].unique())
    exclusive = {code.value: str(one.exclusive_with) for code, one in terms.policy.programmes.items()}
    later = {code: other for code, other in exclusive.items() if {code, other} <= ranked_here}
    if later:
        return _one_after_the_other(eligible, seats, terms, later)
    group = [terms.area, "programme"]
    tie_breakers = [(one.fact, one.order == "descending") for one in terms.policy.ranking.tie_breakers]
    keys = [("score_micro", False), *tie_breakers]
    places = seats.select(pl.col("regency_code").alias(terms.area), "programme", "seats")
    placed = eligible.join(places, on=group, how="left", maintain_order="left").with_columns(
        pl.col("seats").fill_null(0)
    )
    names = dict.fromkeys([*_KEY, *group, "seats", "family_card_number", *(name for name, _ in keys)])
    queue = _in_order(placed.filter(pl.col("status") == ELIGIBLE).select(*names), group, keys, terms.days.lottery_seed)
    queue = queue.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(group))
    inside = pl.col("rank") <= pl.col("seats")
    last_score = pl.col("score_micro").filter(inside).max().over(group)
    decided = queue.select(
        *_KEY,
        "rank",
        decided=pl.when(inside).then(pl.lit(Status.RECIPIENT.value)).otherwise(pl.lit(Status.WAITING.value)),
        queue_position=pl.when(~inside).then(pl.col("rank") - pl.col("seats")),
        cutoff_distance_micro=pl.col("score_micro") - last_score,
        tie_break=_tie_break(group, [name for name, _ in keys]),
    )
    return (
        placed.join(decided, on=_KEY, how="left", maintain_order="left")
        .with_columns(status=pl.coalesce("decided", "status"))
        .with_columns(
            amount_rupiah=pl.when(pl.col("status") == Status.RECIPIENT).then("amount_due_rupiah").otherwise(0)
        )
        .drop("decided")
    )


def _one_after_the_other(
    eligible: pl.DataFrame, seats: pl.DataFrame, terms: Terms, later: Mapping[str, str]
) -> pl.DataFrame:
    """Programmes that are exclusive with another ranked after it, without its recipients."""
    first = rank(eligible.filter(~pl.col("programme").is_in(list(later))), seats, terms)
    parts = [first]
    for programme, other in later.items():
        holders = first.filter(pl.col("status") == Status.RECIPIENT, pl.col("programme") == other)["family_id"]
        barred = pl.col("family_id").is_in(holders.implode()) & (pl.col("status") == ELIGIBLE)
        left = eligible.filter(pl.col("programme") == programme).with_columns(
            reasons=pl.when(barred).then(pl.lit([OTHER_PROGRAMME], pl.List(pl.String))).otherwise("reasons"),
            status=pl.when(barred).then(pl.lit(Status.INELIGIBLE.value)).otherwise("status"),
        )
        parts.append(rank(left, seats, terms))
    return eligible.select(_KEY).join(pl.concat(parts), on=_KEY, how="left", maintain_order="left")


def _in_order(queue: pl.DataFrame, group: list[str], keys: list[tuple[str, bool]], seed: str) -> pl.DataFrame:
    """The queue in its total order; lots are drawn only where score and tie-breakers are equal, which is rare."""
    names = [*group, *(name for name, _ in keys)]
    descending = [*(False for _ in group), *(down for _, down in keys), False]
    ordered = queue.sort(*names, "family_id", descending=descending, nulls_last=True)
    as_before = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in names)
    tied = (as_before & (pl.int_range(pl.len()) > 0)).alias("tied")
    marked = ordered.with_columns(tied).with_columns(tied=pl.col("tied") | pl.col("tied").shift(-1, fill_value=False))
    drawn = marked.filter("tied").select(*_KEY, "family_card_number")
    if drawn.is_empty():
        return ordered
    drawn = drawn.with_columns(lottery(drawn["family_card_number"], seed)).drop("family_card_number")
    return ordered.join(drawn, on=_KEY, how="left", maintain_order="left").sort(
        *names, "lottery", "family_id", descending=[*descending, False], nulls_last=True
    )


def _tie_break(group: list[str], names: list[str]) -> pl.Expr:
    """The first criterion in which a family differs from the next in the queue; null for the last."""
    has_next = pl.col("rank") < pl.len().over(group)
    word = pl.lit("lottery")
    for name in reversed(names):
        differs = pl.col(name).ne_missing(pl.col(name).shift(-1))
        word = pl.when(differs).then(pl.lit("score" if name == "score_micro" else name)).otherwise(word)
    return pl.when(has_next).then(word)
