"""Ranking: the eligible of an area and programme in one total order, cut at the places; the rest is the queue."""

import polars as pl

from assets.decision.families import Terms
from assets.decision.judge import ELIGIBLE, lottery
from schemas.vocabularies import Status


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
        `cutoff_distance_micro`, `tie_break`, `amount_rupiah`; ordered by family and programme.
    """
    area = terms.area
    group = [area, "programme"]
    keys = [("score_micro", False), *((one.fact, one.order == "descending") for one in terms.policy.ranking.tie_breakers)]
    names = [name for name, _ in keys]
    placed = eligible.join(
        seats.select(pl.col("regency_code").alias(area), "programme", "seats"),
        on=group, how="left", maintain_order="left",
    ).with_columns(pl.col("seats").fill_null(0))  # fmt: skip
    queue = placed.filter(pl.col("status") == ELIGIBLE)
    queue = (
        queue.with_columns(lottery(queue["family_card_number"], terms.days.lottery_seed))
        .sort(
            *group, *names, "lottery", "family_id",
            descending=[False, False, *(descending for _, descending in keys), False, False], nulls_last=True,
        )
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(group))
    )  # fmt: skip
    inside = pl.col("rank") <= pl.col("seats")
    last_score = pl.col("score_micro").filter(inside).max().over(group)
    tie_break = pl.when(pl.col("rank") < pl.len().over(group)).then(pl.lit("lottery"))
    for name in reversed(names):
        word = "score" if name == "score_micro" else name
        differs = pl.col(name).ne_missing(pl.col(name).shift(-1).over(group))
        tie_break = pl.when(differs & (pl.col("rank") < pl.len().over(group))).then(pl.lit(word)).otherwise(tie_break)
    queue = queue.with_columns(
        status=pl.when(inside).then(pl.lit(Status.RECIPIENT.value)).otherwise(pl.lit(Status.WAITING.value)),
        queue_position=pl.when(~inside).then(pl.col("rank") - pl.col("seats")),
        cutoff_distance_micro=pl.col("score_micro") - last_score,
        amount_rupiah=pl.when(inside).then("amount_due_rupiah").otherwise(0),
        tie_break=tie_break,
    ).drop("lottery")
    rest = placed.filter(pl.col("status") != ELIGIBLE)
    return pl.concat([queue, rest.with_columns(amount_rupiah=pl.lit(0, pl.Int64))], how="diagonal").sort(
        "family_id", "programme"
    )
