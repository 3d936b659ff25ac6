"""Since when a family receives, and whom a programme reviews after years of membership. No status follows from it."""

import polars as pl

from assets.decision.components import member_facts, with_a_component
from assets.decision.families import Families, Terms
from schemas.vocabularies import Status

REVIEW_DUE = "review_due"


def memberships(eligible: pl.DataFrame, families: Families, terms: Terms, previous: pl.DataFrame) -> pl.DataFrame:
    """The families of :func:`assets.decision.judge.eligibility` with what follows if they go on receiving.

    Parameters
    ----------
    previous : DataFrame
        `family_id, programme, status, member_since` of the quarter before.

    Returns
    -------
    DataFrame
        The input with `member_since` (first day of receiving without a break; null for who did not receive) and
        `review_due` (policy `review_after_years`, `review_exempt` of the programme).
    """
    facts = member_facts(families.members, terms.days.decision_date)
    due = pl.lit(value=False)
    for programme, rule in terms.policy.programmes.items():
        if rule.review_after_years is None:
            continue
        exempt = with_a_component(facts, [one for one in rule.components if one.code in rule.review_exempt])
        served = pl.col("member_since").dt.offset_by(f"{rule.review_after_years}y") <= terms.days.decision_date
        reviewed = (pl.col("programme") == programme.value) & ~pl.col("family_id").is_in(exempt.implode())
        due = due | (reviewed & served.fill_null(value=False))
    received = previous.filter(pl.col("status") == Status.RECIPIENT.value)
    since = received.select("family_id", "programme", "member_since")
    return eligible.join(since, on=["family_id", "programme"], how="left", maintain_order="left").with_columns(
        due.alias(REVIEW_DUE)
    )


def of_recipients(decided: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The ranked families with `member_since` and `review_due` of recipients alone; new ones begin with the quarter."""
    receives = pl.col("status") == Status.RECIPIENT
    since = pl.col("member_since").fill_null(terms.quarter.first_day)
    return decided.with_columns(
        pl.when(receives).then(since).alias("member_since"), review_due=receives & pl.col(REVIEW_DUE)
    )
