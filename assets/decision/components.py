"""What a programme pays a family: PKH by the components of its members, BPNT a flat amount."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache

import polars as pl
import pyarrow as pa

from assets.registry.rollups import age_on
from quotas.rules import Component, ProgrammeRule
from schemas.regsosek import SCHOOL_STAGES
from schemas.vocabularies import Programme, Source, Support

_ATTENDS = 2
_SEVERE = 2
_UNDER_FIVE, _ADULT, _ELDERLY = 5, 18, 60
PERSONS = "persons_"
"""Beginning of the column that tells which kinds of persons a family has for a programme."""
_SUPPORTS: Mapping[Support, pl.Expr] = {
    Support.BIRTH_RECORD: pl.col("is_number_confirmed"),
    Support.HEALTH_RECORD: pl.col("is_pregnant_recorded") == 1,
    Support.DISABILITY_RECORD: pl.col("is_disability_recorded") == 1,
    Support.SCHOOL_ENROLMENT: pl.col("is_enrolled_in_school") == 1,
    Support.AGENT_SURVEY: pl.col("seen_by") == Source.AGENT_SURVEY.value,
    Support.BPS_VISIT: pl.col("seen_by") == Source.BPS_VALIDATION.value,
}
"""Whether a source supports what is stated of a member."""


def member_facts(members: pl.DataFrame, day: date) -> pl.DataFrame:
    """The members with the facts that components read, as of a day.

    Adds `age_years`, `school_level` as a word (`primary`, `junior_secondary`, `senior_secondary`) of those who
    attend, and `has_severe_disability` (cannot at all, or much difficulty: Regsosek 428 codes 1 and 2).
    """
    level = pl.lit(None, pl.String)
    for word, (first, last) in SCHOOL_STAGES.items():
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


def need_support(members: pl.DataFrame, programmes: Mapping[Programme, ProgrammeRule], day: date) -> pl.DataFrame:
    """The members who fit a component whose statement needs a source beside it."""
    asking = [one for rule in programmes.values() for one in rule.components if one.supported_by]
    fits = pl.any_horizontal(pl.lit(value=False), *(_fits(one) for one in asking))
    return members.filter(member_facts(members, day).select(fits).to_series())


def of_members(facts: pl.DataFrame, programmes: Mapping[Programme, ProgrammeRule]) -> pl.DataFrame:
    """What a family is by its members: what breaks ties of score, and which kinds of persons it has.

    Parameters
    ----------
    facts : DataFrame
        From :func:`member_facts`.

    Returns
    -------
    DataFrame
        One row per family with members, in no order: `family_id`, the counts of the vulnerable (policy
        `ranking.tie_breakers` and `ranking.reserved_places`), and for each programme that pays by components
        `persons_<programme>`, from which :func:`payments` tells what it is paid; null where nobody fits a component.
    """
    age = pl.col("age_years")
    counts = {
        "severe_disability_count": pl.col("has_severe_disability"),
        "pregnant_or_under_five_count": pl.col("is_pregnant") | (age < _UNDER_FIVE),
        "dependant_count": (age < _ADULT) | (age >= _ELDERLY),
        "supported_disability_count": pl.col("has_severe_disability") & _has_supported_disability(programmes),
        "elderly_count": age >= _ELDERLY,
        "_persons": pl.col("family_id").is_not_null(),
    }
    paying = {programme: _dearest_first(rule) for programme, rule in programmes.items() if rule.components}
    # Members of a family stand together: its sums are the running ones at its last member, less those before it.
    together = facts if facts["family_id"].is_sorted() else facts.sort("family_id")
    is_last = pl.col("family_id").ne_missing(pl.col("family_id").shift(-1))
    rolled = (
        together.select(
            "family_id",
            *(count.fill_null(value=False).cast(pl.Int64).cum_sum().alias(name) for name, count in counts.items()),
        )
        .filter(is_last)
        .with_columns(pl.exclude("family_id") - pl.exclude("family_id").shift(1, fill_value=0))
        .with_columns(_all_are_elderly=pl.col("elderly_count") == pl.col("_persons"))
        .with_columns(
            elderly_alone=(pl.col("_all_are_elderly") & (pl.col("_persons") == 1)).cast(pl.Int64),
            elderly_alone_or_pair=(pl.col("_all_are_elderly") & pl.col("_persons").is_between(1, 2)).cast(pl.Int64),
        )
        .drop("_persons", "_all_are_elderly")
    )
    for programme, ordered in paying.items():
        kinds = together.select("family_id", _kind=_kind(ordered)).filter(pl.col("_kind") > 0).sort("_kind")
        # Groups keep the order of their rows. Lists are joined as lists: one expression per family takes longer.
        listed = kinds.group_by("family_id").agg("_kind")
        key = pl.col("_kind").cast(pl.List(pl.String)).list.join(",").alias(f"{PERSONS}{programme}")
        rolled = rolled.join(listed.select("family_id", key), on="family_id", how="left")
    return rolled


def _has_supported_disability(programmes: Mapping[Programme, ProgrammeRule]) -> pl.Expr:
    """Whether a source that a component on severe disability names supports a member's statement.

    A statement alone would be a way into reserved places. Where no component asks for support, none is needed.
    """
    asking = [
        source
        for rule in programmes.values()
        for one in rule.components
        if one.fact == "has_severe_disability"
        for source in one.supported_by
    ]
    return pl.any_horizontal(_SUPPORTS[source] for source in dict.fromkeys(asking)) if asking else pl.lit(value=True)


def _dearest_first(rule: ProgrammeRule) -> list[Component]:
    return sorted(rule.components, key=lambda one: (-one.amount_rupiah, one.code))


def _kind(ordered: Sequence[Component]) -> pl.Expr:
    """A member as bits: which components it fits, and then of which of them nothing supports the statement."""
    kind = pl.lit(0, pl.Int32)
    for position, component in enumerate(ordered):
        fits = _fits(component)
        kind += fits.cast(pl.Int32) * (1 << position)
        if component.supported_by:
            is_supported = pl.any_horizontal(_SUPPORTS[one] for one in component.supported_by).fill_null(value=False)
            kind += (fits & ~is_supported).cast(pl.Int32) * (1 << position + len(ordered))
    return kind


def payments(judged: pl.DataFrame, programme: Programme, rule: ProgrammeRule) -> pl.DataFrame:
    """What each family is paid for its members, one component per person.

    The family is paid as much as the caps of the components and of the family allow; whom the cap of its best
    component leaves out is paid for the next that fits. A component whose statement needs support (`supported_by`)
    counts only where a source supports it. A family that received the programme keeps as many unsupported ones as it
    was paid for, or all where that is not known or nothing else is left: aid ends by a finding.

    Parameters
    ----------
    judged : DataFrame
        `persons_<programme>`, `received_before`, and `components_before` (what it was paid for then; null or empty: not
        known).

    Returns
    -------
    DataFrame
        In the order of `judged`: `components` (codes, highest amount first) and `amount_due_rupiah` (per quarter), null
        where nothing counts; `is_unconfirmed`: more would be paid if everything stated were supported.
    """
    before = pl.col("components_before").list.join(",")
    kept = pl.when(~pl.col("received_before")).then(pl.lit("")).when(before == "").then(None).otherwise(before)
    asked = judged.select(persons=f"{PERSONS}{programme}", kept=kept)
    # Many families share few combinations of persons.
    shared = asked.unique()
    ordered = tuple(_dearest_first(rule))
    found = [_paid_of(persons, kept, ordered, rule.max_paid_members) for persons, kept in shared.iter_rows()]
    told = shared.with_columns(
        lists("components", [[one.code for one in paid] or None for paid, _ in found]),
        pl.Series("amount_due_rupiah", [_total(paid) if paid else None for paid, _ in found], pl.Int64),
        pl.Series("is_unconfirmed", [more for _, more in found], pl.Boolean),
    )
    return asked.join(told, on=["persons", "kept"], how="left", nulls_equal=True, maintain_order="left").drop(
        "persons", "kept"
    )


def lists(name: str, codes: Sequence[Sequence[str] | None]) -> pl.Series:
    """Lists of codes as a column; by way of Arrow, for row by row takes fifty times as long."""
    return pl.Series(name, pa.array(codes, pa.list_(pa.string())))


@lru_cache(maxsize=100_000)
def _paid_of(
    persons: str | None, kept: str | None, ordered: tuple[Component, ...], most: int | None
) -> tuple[tuple[Component, ...], bool]:
    """Components paid to a family of such persons, and whether it would be paid more if everything were supported.

    Kept between calls: a quarter with its causes asks nine times about the same few thousand combinations.
    """
    if persons is None:
        return (), False
    kinds = [int(kind) for kind in persons.split(",")]
    everything = _best(kinds, None, ordered, most)
    supported = _best(kinds, {}, ordered, most)
    if kept == "":
        paid = supported
    elif kept is None:
        paid = everything
    else:
        codes = kept.split(",")
        paid = _best(kinds, {code: codes.count(code) for code in codes}, ordered, most) or everything
    return tuple(paid), _total(supported) < _total(everything)


def _total(paid: Sequence[Component]) -> int:
    return sum(one.amount_rupiah for one in paid)


def _best(
    kinds: Sequence[int], unsupported: Mapping[str, int] | None, ordered: Sequence[Component], most: int | None
) -> list[Component]:
    """The components of the highest total for these persons, each paid once, within all caps.

    Parameters
    ----------
    kinds : sequence of int
        From :func:`_kind`.
    unsupported : mapping or None
        How many persons may be paid for a component without support; none where it names none, None: everybody.

    Notes
    -----
    The sets of payments that can be given to different persons form a matroid, of which the cap of the family is a
    truncation: to add the dearest payment that still finds a person, as long as there is one, is optimal.
    """
    whose: dict[int, int] = {}
    paid: list[Component] = []
    candidates: list[list[int]] = []
    for position, component in enumerate(ordered):
        fitting = [at for at, kind in enumerate(kinds) if kind >> position & 1]
        sure = [at for at in fitting if not kinds[at] >> (position + len(ordered)) & 1]
        cap = len(fitting) if component.max_members is None else min(component.max_members, len(fitting))
        free = cap if unsupported is None else unsupported.get(component.code, 0)
        for turn in range(cap):
            if most is not None and len(paid) == most:
                return paid
            candidates.append(fitting if turn < free else sure)
            if _finds_person(len(candidates) - 1, candidates, whose, set()):
                paid.append(component)
            else:
                candidates.pop()
    return paid


def _finds_person(payment: int, candidates: Sequence[Sequence[int]], whose: dict[int, int], seen: set[int]) -> bool:
    """Whether a payment finds a person, others moving to another of theirs if need be (an augmenting path)."""
    for person in candidates[payment]:
        if person not in seen:
            seen.add(person)
            if person not in whose or _finds_person(whose[person], candidates, whose, seen):
                whose[person] = payment
                return True
    return False
