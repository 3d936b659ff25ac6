"""Who is excluded on the word of one agency alone: BPS decides whether it concerns the family, so BPS visits it."""

import polars as pl

from assets.decision.judge import NO_COMPONENT, TOO_RICH
from quotas.rulebook import Policy
from quotas.rules import Effect
from schemas.vocabularies import Source, Status

ONE_SOURCE = "one_source"


def find_contestable(decided: pl.DataFrame, provenance: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """List families excluded on exactly one ground that one agency states and BPS did not find.

    The number may be another person's, or the fact out of date: nothing else stands between the family and the
    programme.

    Parameters
    ----------
    decided : DataFrame
        Contract `decision/decisions`, with `received_before`.
    provenance : DataFrame
        Contract `registry/provenance` of these families, at least the sources of the facts that filters read.

    Returns
    -------
    DataFrame
        `family_id, programme, reason`, a row per programme that it is excluded from in this way.
    """
    excluding = [rule for rule in policy.filters if rule.effect is Effect.EXCLUDE]
    agencies = {rule.code: f"{rule.fact}_source" for rule in excluding if rule.agency != "registry"}
    grounds = [*(rule.code for rule in excluding), NO_COMPONENT, TOO_RICH]
    alone = (
        decided.filter(pl.col("status") == Status.INELIGIBLE)
        .with_columns(ground=pl.col("reasons").list.set_intersection(pl.lit(grounds)))
        .filter(pl.col("ground").list.len() == 1)
        .with_columns(pl.col("ground").list.first())
    )
    stated = (
        provenance.join(alone.select("family_id"), on="family_id", how="semi")
        .select("family_id", *(pl.col(source).alias(code) for code, source in agencies.items()))
        .unpivot(index="family_id", variable_name="ground", value_name="source")
        .filter(pl.col("source") != Source.BPS_VALIDATION)
    )
    return alone.join(stated, on=["family_id", "ground"]).select("family_id", "programme", reason=pl.lit(ONE_SOURCE))
