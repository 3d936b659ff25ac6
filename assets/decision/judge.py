"""Judging families one by one: filters, score, decile, components, and whether each programme's rules are met.

What a family gets depends on the others too: that is ranking's. Here no family sees another.
"""

import hashlib
from collections.abc import Sequence

import polars as pl

from assets.decision.components import member_facts, paid_components, tie_break_facts
from assets.decision.deciles import decile_of
from assets.decision.families import Families, Terms
from assets.decision.filters import PREFIX, outcomes
from assets.welfare.score import score
from quotas.rules import Filter, ProgrammeRule, Unknown
from schemas.vocabularies import Outcome, Programme, Status

TIE_BREAK_FACTS = ("severe_disability_count", "elderly_alone", "pregnant_or_under_five_count", "dependant_count")
CARRIED = ("family_card_number", "district_code", "village_code", "head_name", "registered_date", "is_verified", "case_id")
ELIGIBLE = "eligible"
"""Status of a family that meets every rule, before places are given."""


def judge(families: Families, terms: Terms) -> pl.DataFrame:
    """Every family with every filter's outcome, its score and its decile.

    Returns
    -------
    DataFrame
        One row per family, ordered by family: `family_id`, `regency_code`, `CARRIED`, `outcome_<filter>`,
        `scorable`, `score_micro` (Int64, lower is poorer, null when not scorable), `problems`, `decile` (1 poorest),
        `points_<feature>`, the tie-break facts.
    """
    records = families.records.sort("family_id")
    scored = score(records.rename({"family_id": terms.scorecard.spec.id}), terms.scorecard).rename(
        {terms.scorecard.spec.id: "family_id"}
    )
    facts = tie_break_facts(member_facts(families.members, terms.days.decision_date))
    judged = records.select("family_id", "regency_code", *CARRIED, *outcomes(terms.policy, records))
    scores = scored.drop("family_id", "reason")
    return (
        judged.hstack(scores.get_columns())
        .join(facts, on="family_id", how="left", maintain_order="left")
        .with_columns(pl.col(TIE_BREAK_FACTS).fill_null(0), decile=decile_of(terms))
    )


def eligibility(judged: pl.DataFrame, families: Families, terms: Terms, sitting: pl.DataFrame) -> pl.DataFrame:
    """Which programme's rules each family meets, and every reason against it.

    Parameters
    ----------
    judged : DataFrame
        From :func:`judge`.
    sitting : DataFrame
        `family_id, programme` of those who received in the quarter before: never held.

    Returns
    -------
    DataFrame
        One row per family x programme with `status` (`eligible`, `ineligible`, `not_scorable`, `held`), `reasons`
        (codes), `components`, `amount_due_rupiah` (if it became a recipient), the columns of `judged` that ranking
        and lists need.
    """
    facts = member_facts(families.members, terms.days.decision_date)
    parts = []
    for programme, rule in terms.policy.programmes.items():
        now_sitting = sitting.filter(pl.col("programme") == programme).select("family_id", is_sitting=pl.lit(value=True))
        due = _amounts(judged, facts, rule)
        parts.append(
            judged.join(now_sitting, on="family_id", how="left", maintain_order="left")
            .join(due, on="family_id", how="left", maintain_order="left")
            .with_columns(pl.col("is_sitting").fill_null(value=False), programme=pl.lit(programme.value))
            .with_columns(_reasons(terms.policy.filters, programme, rule))
            .with_columns(_status())
            .select(
                "family_id", "programme", "regency_code", *CARRIED, "score_micro", "decile", *TIE_BREAK_FACTS, "status",
                "reasons", pl.col("components").fill_null([]), pl.col("amount_due_rupiah").fill_null(0),
            )
        )  # fmt: skip
    return pl.concat(parts).sort("family_id", "programme")


def _amounts(judged: pl.DataFrame, facts: pl.DataFrame, rule: ProgrammeRule) -> pl.DataFrame:
    if rule.components:
        return paid_components(facts, rule).rename({"amount_rupiah": "amount_due_rupiah"})
    return judged.select(
        "family_id",
        components=pl.lit([], pl.List(pl.String)),
        amount_due_rupiah=pl.lit(rule.amount_rupiah, pl.Int64),
    )


def _reasons(filters: Sequence[Filter], programme: Programme, rule: ProgrammeRule) -> list[pl.Expr]:
    mine = [one for one in filters if programme in one.programmes]
    excluding = [
        pl.when(pl.col(f"{PREFIX}{one.code}") == Outcome.FAIL).then(pl.lit(one.code)) for one in mine
    ]
    if rule.components:
        excluding.append(pl.when(pl.col("amount_due_rupiah").is_null()).then(pl.lit("no_component")))
    if rule.max_decile is not None:
        excluding.append(pl.when(pl.col("decile") > rule.max_decile).then(pl.lit("decile_above")))
    newcomer = ~pl.col("is_verified") & ~pl.col("is_sitting")
    holding = [pl.when(pl.col("case_id").is_not_null() & newcomer).then(pl.lit("identity_case"))]
    holding += [
        pl.when((pl.col(f"{PREFIX}{one.code}") == Outcome.UNKNOWN) & newcomer).then(pl.lit(f"{one.code}_unknown"))
        for one in mine
        if one.unknown is Unknown.HOLD
    ]
    not_scorable = [pl.when(~pl.col("scorable")).then(pl.lit("not_scorable"))]
    return [
        pl.concat_list(group or [pl.lit(None, pl.String)]).list.drop_nulls().alias(name)
        for name, group in (("_excluding", excluding), ("_holding", holding), ("_unscored", not_scorable))
    ]


def _status() -> list[pl.Expr]:
    def some(name: str) -> pl.Expr:
        return pl.col(name).list.len() > 0

    has_case = pl.col("_holding").list.contains("identity_case")
    return [
        pl.when(has_case)
        .then(pl.lit(Status.HELD.value))
        .when(some("_excluding"))
        .then(pl.lit(Status.INELIGIBLE.value))
        .when(some("_holding"))
        .then(pl.lit(Status.HELD.value))
        .when(some("_unscored"))
        .then(pl.lit(Status.NOT_SCORABLE.value))
        .otherwise(pl.lit(ELIGIBLE))
        .alias("status"),
        pl.concat_list("_excluding", "_holding", "_unscored").alias("reasons"),
    ]


def lottery(card_numbers: pl.Series, seed: str) -> pl.Series:
    """Order of the lottery: SHA-256 of the quarter's published seed and the family card number, hexadecimal."""
    prefix = f"{seed}|".encode()
    drawn = [hashlib.sha256(prefix + number.encode()).hexdigest() for number in card_numbers]
    return pl.Series("lottery", drawn, dtype=pl.String)
