"""Stated values that are impossible beside others: they count as unknown, the persons stay, and BPS visits.

What counts as impossible is policy (plausibility.yaml). A value that another source supports stays as it is stated.
"""

from collections.abc import Mapping
from datetime import date

import polars as pl

from assets.registry.authors import HEAD
from assets.registry.rollups import age_on
from quotas.rules import AgeRange, PlausibilityRule
from schemas.feeds import RELATIONS
from schemas.regsosek import SCHOOL_STAGES
from schemas.vocabularies import Implausible, Sex

_BY_WORD = {word: code for code, word in RELATIONS.items()}
_SPOUSE, _CHILD, _PARENT = (_BY_WORD[word] for word in ("istri_suami", "anak", "orang_tua"))
_ATTENDS = 2
_IS_UNLISTED_PUPIL = (pl.col("school_participation") == _ATTENDS) & pl.col("is_enrolled_in_school").ne_missing(1)
WITHHELD: Mapping[Implausible, str] = {
    Implausible.PREGNANCY: "is_pregnant",
    Implausible.SCHOOL_LEVEL: "school_level",
    Implausible.BIRTHS: "birth_date",
    Implausible.KINSHIP: "relation",
    Implausible.BIRTH_DATE: "birth_date",
}
"""The value of a person that counts as unknown, by check."""
_KEY = ["person_id", "family_id", "regency_code"]
_READ = (
    "birth_date", "stated_date", "sex", "relation", "is_pregnant", "is_pregnant_recorded", "school_participation",
    "school_level", "is_enrolled_in_school", "is_number_confirmed",
)  # fmt: skip


def find_implausible(persons: pl.DataFrame, rule: PlausibilityRule, day: date) -> pl.DataFrame:
    """Find the persons with a stated value that is impossible beside others.

    Parameters
    ----------
    persons : DataFrame
        Contract `registry/persons`, families complete.
    rule : PlausibilityRule
        Policy `plausibility`.
    day : date
        Decision day.

    Returns
    -------
    DataFrame
        Contract `registry/implausible`: `person_id, family_id, regency_code, check, attribute`, ordered by all.
    """
    persons = persons.select(*_KEY, *_READ)
    is_dated = pl.col("birth_date").is_not_null() & ~_is_impossible_birth(rule, day)
    dated = persons.filter(is_dated)
    found = {
        Implausible.BIRTH_DATE: persons.filter(~is_dated),
        # Few are pregnant, and few pupils are not on Dapodik's list: they alone are looked at.
        Implausible.PREGNANCY: dated.filter("is_pregnant").filter(_is_impossible_pregnancy(rule)),
        Implausible.SCHOOL_LEVEL: dated.filter(_IS_UNLISTED_PUPIL).filter(_is_impossible_level(rule)),
        Implausible.KINSHIP: _find_impossible_kin(dated, rule),
        Implausible.BIRTHS: _find_impossible_births(dated, rule),
    }
    return pl.concat(
        [
            rows.select(*_KEY, check=pl.lit(check.value), attribute=pl.lit(WITHHELD[check]))
            for check, rows in found.items()
        ]
    ).sort("family_id", "person_id", "check")


def withhold_values(persons: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Set the impossible values of the persons to null.

    Parameters
    ----------
    found : DataFrame
        From :func:`find_implausible`.
    """
    for attribute in dict.fromkeys(WITHHELD.values()):
        whose = found.filter(pl.col("attribute") == attribute)["person_id"]
        is_stated = ~pl.col("person_id").is_in(whose.implode())
        persons = persons.with_columns(pl.when(is_stated).then(attribute).alias(attribute))
    return persons


def _is_impossible_birth(rule: PlausibilityRule, day: date) -> pl.Expr:
    return (age_on(day) > rule.oldest_age) | (pl.col("birth_date") > day)


def _age_when_stated() -> pl.Expr:
    """Completed years on the day of the statement: whoever was a pupil of 18 then may be older now."""
    born, stated = pl.col("birth_date"), pl.col("stated_date")
    had_birthday = (born.dt.month() < stated.dt.month()) | (
        (born.dt.month() == stated.dt.month()) & (born.dt.day() <= stated.dt.day())
    )
    return stated.dt.year() - born.dt.year() - had_birthday.not_().cast(pl.Int32)


def _is_outside(ages: AgeRange) -> pl.Expr:
    return ~_age_when_stated().is_between(ages.youngest, ages.oldest)


def _is_impossible_pregnancy(rule: PlausibilityRule) -> pl.Expr:
    is_impossible = (pl.col("sex") == Sex.MALE.value) | _is_outside(rule.pregnancy_ages)
    return is_impossible & pl.col("is_pregnant_recorded").ne_missing(1)


def _is_impossible_level(rule: PlausibilityRule) -> pl.Expr:
    return pl.any_horizontal(
        pl.col("school_level").is_between(*codes) & _is_outside(getattr(rule.pupil_ages, stage))
        for stage, codes in SCHOOL_STAGES.items()
    )


def _find_impossible_kin(dated: pl.DataFrame, rule: PlausibilityRule) -> pl.DataFrame:
    """Children and parents whose age fits neither the head nor a spouse.

    A relation code does not tell a stepchild from a child, nor a parent from a parent-in-law: whoever fits one of the
    couple is left alone.
    """
    kin = dated.filter(pl.col("relation").is_in([_CHILD, _PARENT]))
    couple = dated.filter(pl.col("relation").is_in([HEAD, _SPOUSE]))
    born = (
        couple.select("family_id", "birth_date")
        .group_by("family_id")
        .agg(_oldest=pl.col("birth_date").min(), _youngest=pl.col("birth_date").max())
    )
    years = f"{rule.parent_years}y"
    is_impossible_child = (pl.col("relation") == _CHILD) & (
        pl.col("birth_date") < pl.col("_oldest").dt.offset_by(years)
    )
    is_impossible_parent = (pl.col("relation") == _PARENT) & (
        pl.col("_youngest") < pl.col("birth_date").dt.offset_by(years)
    )
    return kin.join(born, on="family_id").filter(is_impossible_child | is_impossible_parent)


def _find_impossible_births(dated: pl.DataFrame, rule: PlausibilityRule) -> pl.DataFrame:
    """Children of the head of whom more were born within some months than the mothers of the family can bear.

    Every woman who is head or spouse may be a mother; where there is none, one is taken to have been.
    """
    children = dated.filter(pl.col("relation") == _CHILD)
    several = children.group_by("family_id").agg(_children=pl.len()).filter(pl.col("_children") > rule.most_births)
    is_mother = pl.col("relation").is_in([HEAD, _SPOUSE]) & (pl.col("sex") == Sex.FEMALE.value)
    most = rule.most_births * is_mother.sum().clip(lower_bound=1)
    many = dated.join(several, on="family_id", how="semi").group_by("family_id").agg(_most=most)
    children = children.join(many, on="family_id")
    later = children.select("family_id", _first="birth_date").unique().join(children, on="family_id")
    apart = (pl.col("birth_date") - pl.col("_first")).dt.total_days()
    close = later.filter(apart.is_between(0, rule.births_within_days, closed="left"))
    crowded = close.filter(pl.len().over("family_id", "_first") > pl.col("_most"))
    return crowded.filter(~pl.col("is_number_confirmed")).unique("person_id", maintain_order=True)
