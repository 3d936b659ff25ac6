"""What a programme pays a family: PKH by the components of its members, BPNT a flat amount."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from assets.registry.rollups import age_on
from quotas.rules import Component, ProgrammeRule

_ATTENDS = 2
_SEVERE = 2
_SCHOOL = {"primary": (1, 5), "junior_secondary": (6, 10), "senior_secondary": (11, 17)}
_UNDER_FIVE, _ADULT, _ELDERLY = 5, 18, 60
_PAID = {"components": pl.List(pl.String), "amount_rupiah": pl.Int64()}


def member_facts(members: pl.DataFrame, day: date) -> pl.DataFrame:
    """The members with the facts that components read, as of a day.

    Adds `age_years`, `school_level` as a word (`primary`, `junior_secondary`, `senior_secondary`) of those who
    attend, and `has_severe_disability` (cannot at all, or much difficulty: Regsosek 428 codes 1 and 2).
    """
    level = pl.lit(None, pl.String)
    for word, (first, last) in _SCHOOL.items():
        level = pl.when(pl.col("school_level").is_between(first, last)).then(pl.lit(word)).otherwise(level)
    return members.with_columns(
        age_years=age_on(day),
        school_level=pl.when(pl.col("school_participation") == _ATTENDS).then(level),
        has_severe_disability=pl.col("disability") <= _SEVERE,
    )


def _fits(component: Component) -> pl.Expr:
    fact = pl.col(component.fact)
    if component.equals is not None:
        return (fact == component.equals).fill_null(value=False)
    number = fact.cast(pl.Int64)
    low = number >= component.minimum if component.minimum is not None else pl.lit(value=True)
    high = number <= component.maximum if component.maximum is not None else pl.lit(value=True)
    return (low & high).fill_null(value=False)


def with_a_component(facts: pl.DataFrame, components: Sequence[Component]) -> pl.Series:
    """`family_id` of the families with a member who fits one of the components, paid or not."""
    fits = pl.any_horizontal(pl.lit(value=False), *(_fits(one) for one in components))
    return facts.filter(fits)["family_id"].unique().sort()


def paid_components(facts: pl.DataFrame, rule: ProgrammeRule) -> pl.DataFrame:
    """The components a family is paid for: one per person at the highest amount, within the caps.

    Parameters
    ----------
    facts : DataFrame
        From :func:`member_facts`.

    Returns
    -------
    DataFrame
        `family_id, components` (codes, highest amount first), `amount_rupiah` per quarter; families with none are
        absent. A person who fits several components counts once, at the highest amount; where a component's own cap
        leaves a person out, the person does not fall back on a lower one.
    """
    ordered = sorted(rule.components, key=lambda one: (-one.amount_rupiah, one.code))
    best = pl.lit(None, pl.Int32)
    for position, component in reversed(list(enumerate(ordered))):
        best = pl.when(_fits(component)).then(pl.lit(position, pl.Int32)).otherwise(best)
    codes = [component.code for component in ordered]
    counted = (
        facts.select("family_id", _best=best)
        .drop_nulls("_best")
        .group_by("family_id")
        .agg((pl.col("_best") == position).sum().alias(code) for position, code in enumerate(codes))
    )
    # Many families share few combinations of persons.
    paid = [(*counts, *_paid(counts, ordered, rule.max_paid_members)) for counts in counted[codes].unique().rows()]
    schema = {**{code: counted.schema[code] for code in codes}, **_PAID}
    combinations = pl.DataFrame(paid, schema=schema, orient="row")
    return counted.join(combinations, on=codes).select("family_id", *_PAID)


def _paid(counts: Sequence[int], ordered: Sequence[Component], most: int | None) -> tuple[list[str], int]:
    """Components and rupiah of a family with so many persons of each kind, those of the highest amount first."""
    within = [
        component
        for component, count in zip(ordered, counts, strict=True)
        for _ in range(count if component.max_members is None else min(count, component.max_members))
    ][:most]
    return [component.code for component in within], sum(component.amount_rupiah for component in within)


def tie_break_facts(facts: pl.DataFrame) -> pl.DataFrame:
    """What breaks ties of score, one row per family: counts of the vulnerable (policy `ranking.tie_breakers`)."""
    age = pl.col("age_years")
    vulnerable = pl.col("is_pregnant") | (age < _UNDER_FIVE)
    return facts.group_by("family_id").agg(
        severe_disability_count=pl.col("has_severe_disability").sum().cast(pl.Int64),
        elderly_alone=((pl.len() == 1) & (age.min() >= _ELDERLY)).cast(pl.Int64),
        pregnant_or_under_five_count=vulnerable.sum().cast(pl.Int64),
        dependant_count=((age < _ADULT) | (age >= _ELDERLY)).sum().cast(pl.Int64),
    )
