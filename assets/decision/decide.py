"""The heart: one pure function from families, terms, places and last quarter's recipients to every decision."""

import polars as pl

from assets.decision.families import Families, Terms
from assets.decision.judge import eligibility, judge
from assets.decision.ranking import rank
from assets.decision.reviews import memberships, of_recipients


def decide(families: Families, terms: Terms, seats: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """What every family gets in every programme, and why.

    Pure: the same arguments give the same frame, on any day and machine. The quarterly run, the causes of
    transitions, letters and simulations all call it, or its two halves (:func:`~assets.decision.judge.eligibility`
    per family, :func:`~assets.decision.ranking.rank` per area) shard by shard.

    Parameters
    ----------
    families : Families
        Complete for every area they touch.
    terms : Terms
        Law, days, scorecard and cut points.
    seats : DataFrame
        Area x programme with `seats`, places that may be filled.
    previous : DataFrame
        `family_id, programme, status, member_since, held_since, components` of the quarter before: at least of those
        who received or were held.

    Returns
    -------
    DataFrame
        See :func:`assets.decision.ranking.rank` and :func:`assets.decision.reviews.of_recipients`.
    """
    judged = judge(families, terms)
    eligible = memberships(eligibility(judged, terms, previous), families, terms, previous)
    return of_recipients(rank(eligible, seats, terms), terms)
