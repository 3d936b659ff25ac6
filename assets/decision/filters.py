"""The filters of the law on the facts of the families: pass, fail, ground check or unknown, each for itself."""

import polars as pl

from quotas.rulebook import Policy
from quotas.rules import Effect, Filter, Operator
from schemas.vocabularies import Outcome

PREFIX = "outcome_"
WORDS = pl.Enum([word.value for word in Outcome])
"""Outcomes while families are judged; tables hold them as text."""
_HOLDS = {Effect.EXCLUDE: Outcome.FAIL, Effect.GROUND_CHECK: Outcome.GROUND_CHECK}


def threshold(rule: Filter, policy: Policy, records: pl.DataFrame) -> pl.Expr:
    """What a filter compares with for each family, Int64: its number, the family's minimum wage, or null."""
    if rule.threshold != "minimum_wage":
        return pl.lit(rule.threshold, pl.Int64)
    wages = {code: policy.minimum_wage(code) for code in records["regency_code"].unique().sort()}
    return pl.col("regency_code").replace_strict(wages, default=None, return_dtype=pl.Int64)


def outcomes(policy: Policy, records: pl.DataFrame) -> list[pl.Expr]:
    """One expression of `WORDS` per filter, named `outcome_<code>`."""
    expressions = []
    for rule in policy.filters:
        fact = pl.col(rule.fact)
        match rule.operator:
            case Operator.IS_TRUE:
                holds = fact == 1
            case Operator.IS_FALSE:
                holds = fact == 0
            case Operator.ABOVE:
                holds = fact > threshold(rule, policy, records)
            case Operator.BELOW:
                holds = fact < threshold(rule, policy, records)
        expressions.append(
            pl.when(fact.is_null())
            .then(pl.lit(Outcome.UNKNOWN.value, WORDS))
            .when(holds)
            .then(pl.lit(_HOLDS[rule.effect].value, WORDS))
            .otherwise(pl.lit(Outcome.PASS.value, WORDS))
            .alias(f"{PREFIX}{rule.code}")
        )
    return expressions


def filter_rows(judged: pl.DataFrame, records: pl.DataFrame, provenance: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Every filter of every family as a row (contract `decision/filters`), with what was observed and who says so.

    Parameters
    ----------
    judged : DataFrame
        From :func:`assets.decision.judge.judge`.
    records, provenance : DataFrame
        Contracts `registry/families` and `registry/provenance` of the same families.
    """
    joined = judged.join(records.select("family_id", *_facts(policy)), on="family_id").join(
        provenance.drop("regency_code"), on="family_id"
    )
    rows = [
        joined.select(
            "family_id",
            "regency_code",
            pl.lit(rule.code).alias("filter"),
            pl.col(f"{PREFIX}{rule.code}").cast(pl.String).alias("outcome"),
            pl.col(rule.fact).cast(pl.Int64).alias("observed"),
            threshold(rule, policy, joined).alias("threshold"),
            pl.col(f"{rule.fact}_source").alias("source"),
            pl.col(f"{rule.fact}_date").alias("source_date"),
        )
        for rule in policy.filters
    ]
    empty = {
        "family_id": pl.String, "regency_code": pl.String, "filter": pl.String, "outcome": pl.String,
        "observed": pl.Int64, "threshold": pl.Int64, "source": pl.String, "source_date": pl.Date,
    }  # fmt: skip
    return pl.concat(rows) if rows else pl.DataFrame(schema=empty)


def _facts(policy: Policy) -> list[str]:
    return sorted({rule.fact for rule in policy.filters})
