"""Referrals: which families' profiles lead to which other programmes, on what facts. No decision reads them."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import polars as pl

from assets.decision.components import member_facts
from assets.decision.families import Families, Terms
from quotas.referrals import Condition, Fact, Referral
from schemas.errors import PolicyError
from schemas.questionnaire import default_questionnaire
from schemas.vocabularies import Programme, Shock, Status

_LISTED = (Status.RECIPIENT.value, Status.WAITING.value)


def profiles(families: Families, shocks: pl.DataFrame, decisions: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """What rules of referral may ask of a family: whole numbers, null where not known.

    Parameters
    ----------
    shocks : DataFrame
        Contract `registry/shocks` of these families.
    decisions : DataFrame
        Contract `decision/decisions` of these families.

    Returns
    -------
    DataFrame
        One row per decided family: the whole numbers of its record that rules ask for, `floor_area_dm2_per_member`
        (hundredths of a square metre per person, rounded down), `days_since_<shock>` on the day of decision,
        `receives_<programme>`, `is_eligible`, `decile`, `review_due` (in any programme); ordered by family. What
        another questionnaire does not ask is not known.
    """
    status = pl.col("status")
    standing = decisions.group_by("family_id").agg(
        *(
            (status.filter(pl.col("programme") == one.value) == Status.RECIPIENT.value)
            .any()
            .cast(pl.Int64)
            .alias(f"receives_{one.lower()}")
            for one in Programme
        ),
        is_eligible=status.is_in(_LISTED).any().cast(pl.Int64),
        decile=pl.col("decile").min().cast(pl.Int64),
        review_due=pl.col("review_due").any().cast(pl.Int64),
    )
    days = (pl.lit(terms.days.decision_date) - pl.col("shock_date")).dt.total_days()
    struck = shocks.group_by("family_id").agg(
        days.filter(pl.col("shock") == one.value).min().alias(f"days_since_{one}") for one in Shock
    )
    asked = {one.fact for rule in terms.policy.referrals for one in _conditions(rule)}
    asked |= {"floor_area_m2", "household_size"}
    whole = [name for name, dtype in families.records.schema.items() if dtype.is_integer() and name in asked]
    not_asked = [name for name in default_questionnaire().variables if name not in families.records.columns]
    return (
        families.records.select("family_id", *whole)
        .join(standing, on="family_id")
        .join(struck, on="family_id", how="left")
        .with_columns(pl.lit(None, pl.Int64).alias(name) for name in not_asked)
        .with_columns(
            floor_area_dm2_per_member=pl.col("floor_area_m2").cast(pl.Int64) * 100 // pl.col("household_size")
        )
        .sort("family_id")
    )


def referrals(families: Families, shocks: pl.DataFrame, decisions: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Every family's referrals with the facts each rests on (contract `decision/referrals`).

    Parameters
    ----------
    families : Families
        Of one or several regencies, with their `shocks` and `decisions` as in :func:`profiles`.

    Returns
    -------
    DataFrame
        One row per family x referral; `facts` are `fact=value` of every condition that holds, in order of the rule.

    Raises
    ------
    PolicyError
        If a rule asks for a fact that a profile or a member does not have.
    """
    rules = terms.policy.referrals
    members = member_facts(families.members, terms.days.decision_date)
    profile = profiles(families, shocks, decisions, terms)
    counts = [
        _all(one.members, members, rule).sum().cast(pl.Int64).alias(_name(rule, one))
        for rule in rules
        for one in _conditions(rule)
        if one.members
    ]
    if counts:
        counted = members.group_by("family_id").agg(counts)
        profile = profile.join(counted, on="family_id", how="left", maintain_order="left").with_columns(
            pl.col(counted.drop("family_id").columns).fill_null(0)
        )
    where = decisions.select(
        "family_id", "reference", "quarter", "regency_code", "district_code", "village_code"
    ).unique()
    found = [_referred(rule, profile) for rule in rules] or [_nobody()]
    return pl.concat(found).join(where.lazy(), on="family_id").collect()


def _nobody() -> pl.LazyFrame:
    texts = dict.fromkeys(("family_id", "referral", "reason_id", "reason_en"), pl.String())
    return pl.LazyFrame(schema={**texts, "facts": pl.List(pl.String)})


def _referred(rule: Referral, profile: pl.DataFrame) -> pl.LazyFrame:
    needs = [_holds(one, _name(rule, one), profile, rule) for one in rule.needs]
    signs = [_holds(one, _name(rule, one), profile, rule) for one in rule.signs]
    enough = pl.sum_horizontal(pl.lit(0), *(one.cast(pl.Int64) for one in signs)) >= rule.signs_needed
    told = [
        pl.when(holds).then(pl.concat_str(pl.lit(f"{one.fact}="), pl.col(_name(rule, one)).cast(pl.String)))
        for one, holds in zip(_conditions(rule), [*needs, *signs], strict=True)
    ]
    return (
        profile.lazy()
        .filter(*needs, enough)
        .select(
            "family_id",
            referral=pl.lit(rule.code),
            reason_id=pl.lit(rule.reason.id),
            reason_en=pl.lit(rule.reason.en),
            facts=pl.concat_list(told).list.drop_nulls(),
        )
    )


def _conditions(rule: Referral) -> Iterator[Condition]:
    yield from (*rule.needs, *rule.signs)


def _name(rule: Referral, one: Condition) -> str:
    """Column of a condition: two rules may count other members under one name."""
    return f"{rule.code}:{one.fact}" if one.members else one.fact


def _all(facts: Sequence[Fact], frame: pl.DataFrame, rule: Referral) -> pl.Expr:
    return pl.all_horizontal(_holds(one, one.fact, frame, rule) for one in facts)


def _holds(one: Fact, name: str, frame: pl.DataFrame, rule: Referral) -> pl.Expr:
    """Whether the fact is known and lies within its bounds or among its codes."""
    dtype = frame.schema.get(name)
    if dtype is None or not (dtype.is_integer() or dtype == pl.Boolean):
        near = get_close_matches(name, frame.columns, n=1, cutoff=0.0)
        message = f"referrals.yaml: {rule.code}: nothing is known as '{one.fact}'. The nearest is '{near[0]}'."
        raise PolicyError(message)
    fact = pl.col(name).cast(pl.Int64)
    if one.one_of:
        return fact.is_in(one.one_of).fill_null(value=False)
    low = fact >= one.minimum if one.minimum is not None else pl.lit(value=True)
    high = fact <= one.maximum if one.maximum is not None else pl.lit(value=True)
    return (low & high).fill_null(value=False)
