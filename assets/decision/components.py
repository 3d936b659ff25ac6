"""What a programme pays a family: PKH by the components of its members, BPNT a flat amount."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl
import pyarrow as pa

from assets.registry.rollups import age_on
from quotas.rules import Component, ProgrammeRule
from schemas.vocabularies import Programme

_ATTENDS = 2
_SEVERE = 2
_SCHOOL = {"primary": (1, 5), "junior_secondary": (6, 10), "senior_secondary": (11, 17)}
_UNDER_FIVE, _ADULT, _ELDERLY = 5, 18, 60
_BITS = 100
"""Of 127: what is left is for running sums over a regency's members."""


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


def of_members(facts: pl.DataFrame, programmes: Mapping[Programme, ProgrammeRule]) -> pl.DataFrame:
    """What a family is by its members: what breaks ties of score, and the components it is paid for.

    A programme pays one component per person, at the highest amount, within the caps. A person who fits several
    components counts once, at the highest amount; where a component's own cap leaves a person out, the person does not
    fall back on a lower one.

    Parameters
    ----------
    facts : DataFrame
        From :func:`member_facts`.

    Returns
    -------
    DataFrame
        One row per family with members, in no order: `family_id`, the counts of the vulnerable (policy
        `ranking.tie_breakers`), and for each programme that pays by components `components_<programme>` (codes, highest
        amount first) and `amount_<programme>` (rupiah per quarter), null where the family has none.
    """
    age = pl.col("age_years")
    counts = {
        "severe_disability_count": pl.col("has_severe_disability"),
        "pregnant_or_under_five_count": pl.col("is_pregnant") | (age < _UNDER_FIVE),
        "dependant_count": (age < _ADULT) | (age >= _ELDERLY),
        "_persons": pl.col("family_id").is_not_null(),
        "_elderly": age >= _ELDERLY,
    }
    paying = {
        programme: sorted(rule.components, key=lambda one: (-one.amount_rupiah, one.code))
        for programme, rule in programmes.items()
        if rule.components
    }
    summed = [
        *(count.fill_null(value=False).cast(pl.Int64).alias(name) for name, count in counts.items()),
        *(_best(ordered).alias(f"_{programme}") for programme, ordered in paying.items()),
    ]
    # Members of a family stand together: its sums are the running ones at its last member, less those before it.
    together = facts if facts["family_id"].is_sorted() else facts.sort("family_id")
    is_last = pl.col("family_id").ne_missing(pl.col("family_id").shift(-1))
    rolled = (
        together.select("family_id", *(one.cum_sum() for one in summed))
        .filter(is_last)
        .with_columns(pl.exclude("family_id") - pl.exclude("family_id").shift(1, fill_value=0))
        .with_columns(elderly_alone=((pl.col("_persons") == 1) & (pl.col("_elderly") == 1)).cast(pl.Int64))
        .drop("_persons", "_elderly")
    )
    for programme, ordered in paying.items():
        # Many families share few combinations of persons.
        shared = rolled[f"_{programme}"].unique()
        paid = [_paid(persons, ordered, programmes[programme].max_paid_members) for persons in shared]
        combinations = [
            shared,
            lists(f"components_{programme}", [components for components, _ in paid]),
            pl.Series(f"amount_{programme}", [amount for _, amount in paid], dtype=pl.Int64),
        ]
        rolled = rolled.join(pl.DataFrame(combinations), on=f"_{programme}").drop(f"_{programme}")
    return rolled


def lists(name: str, codes: Sequence[Sequence[str] | None]) -> pl.Series:
    """Lists of codes as a column; by way of Arrow, for row by row takes fifty times as long."""
    return pl.Series(name, pa.array(codes, pa.list_(pa.string())))


def _digit(ordered: Sequence[Component]) -> int:
    """Bits in which the persons of one kind are counted, side by side in one number: summed at once, and compared."""
    return _BITS // len(ordered)


def _best(ordered: Sequence[Component]) -> pl.Expr:
    """One person of the first kind that a member fits, else 0."""
    best = pl.lit(0, pl.Int128)
    for position, component in reversed(list(enumerate(ordered))):
        best = pl.when(_fits(component)).then(pl.lit(1 << position * _digit(ordered), pl.Int128)).otherwise(best)
    return best


def _paid(persons: int, ordered: Sequence[Component], most: int | None) -> tuple[list[str], int] | tuple[None, None]:
    """Components and rupiah of a family with so many persons of each kind, those of the highest amount first."""
    if not persons:
        return None, None
    digit = _digit(ordered)
    counts = [persons >> position * digit & (1 << digit) - 1 for position in range(len(ordered))]
    within = [
        component
        for component, count in zip(ordered, counts, strict=True)
        for _ in range(count if component.max_members is None else min(count, component.max_members))
    ][:most]
    return [component.code for component in within], sum(component.amount_rupiah for component in within)
