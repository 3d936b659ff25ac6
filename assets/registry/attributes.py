"""The golden record of a family's answers: for each attribute one value, who said it and when.

BPS validation beats agent survey beats self-report; fresher wins within a rank; an answer older than policy allows
is unknown. Last quarter's values stand, with their own source and date, until something outranks them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import polars as pl

from assets.registry.authors import ROW
from quotas.rules import RegistryRule
from schemas.vocabularies import Feed, Source


def statements(
    registrations: pl.DataFrame,
    surveys: pl.DataFrame,
    validations: pl.DataFrame,
    third_party: pl.DataFrame,
    attributes: Sequence[str],
) -> pl.DataFrame:
    """All statements about families in one form: `family_id, source, date, issued_on`, their row and the attributes.

    An attribute a feed does not ask is null.

    Parameters
    ----------
    third_party : DataFrame
        `batch_id, row_number` of registrations that are a third party's words.
    """
    strangers = third_party.with_columns(_is_strange=pl.lit(value=True))
    named = registrations.join(strangers, on=ROW, how="left", maintain_order="left")
    whose = pl.when("_is_strange").then(pl.lit(str(Source.THIRD_PARTY))).otherwise(pl.lit(str(Source.SELF_REPORT)))
    feeds = (
        (named, Feed.REGISTRATIONS, whose, "registered_date"),
        (surveys, Feed.SURVEYS, pl.lit(str(Source.AGENT_SURVEY)), "survey_date"),
        (validations, Feed.VALIDATIONS, pl.lit(str(Source.BPS_VALIDATION)), "validation_date"),
    )
    return pl.concat(
        [
            frame.select(
                "family_id",
                source.alias("source"),
                pl.col(day).alias("date"),
                "issued_on",
                pl.lit(feed.value).alias("feed"),
                *ROW,
                *(name if name in frame.columns else pl.lit(None, pl.Int32).alias(name) for name in attributes),
            )
            for frame, feed, source, day in feeds
        ],
        how="vertical_relaxed",
    )


@dataclass(frozen=True)
class Precedence:
    """Which statements count, and which of several is believed.

    Attributes
    ----------
    sources : tuple of Source
        Strongest first; policy `registry.source_precedence`.
    oldest, newest : date
        Statements outside these days do not count.
    """

    sources: tuple[Source, ...]
    oldest: date
    newest: date

    @classmethod
    def of(cls, rule: RegistryRule, cut_off: date) -> Self:
        """What policy says at a cut-off: an answer older than `registry.answer_max_age_days` is unknown."""
        oldest = cut_off - timedelta(days=rule.answer_max_age_days)
        return cls(rule.source_precedence, oldest, cut_off)

    @property
    def by_strength(self) -> pl.Enum:
        """Sources as values in order of strength, the strongest least."""
        return pl.Enum([str(source) for source in self.sources])


def by_source(said: pl.DataFrame, attributes: Sequence[str], precedence: Precedence) -> pl.DataFrame:
    """What each source says last of each family: `family_id, source`, every attribute, its `_source` and `_date`.

    Parameters
    ----------
    said : DataFrame
        From :func:`statements`. Of two of the same source and day the one issued later is believed; where even that
        is the same, the greater answer, so that no order of arrival decides.

    Returns
    -------
    DataFrame
        Ordered by family and strength of the source.
    """
    parts = [f"{name}_{part}" for name in attributes for part in ("source", "date")]
    return (
        said.filter(pl.col("date").is_between(precedence.oldest, precedence.newest))
        .with_columns(pl.col("source").cast(precedence.by_strength))
        .sort(
            "family_id", "source", "date", "issued_on", *attributes,
            descending=[False, False, True, True, *[True for _ in attributes]], nulls_last=True,
        )
        .with_columns(
            pl.when(pl.col(name).is_not_null()).then(part).alias(f"{name}_{part}")
            for name in attributes
            for part in ("source", "date")
        )
        .group_by("family_id", "source", maintain_order=True)
        .agg(pl.col(*attributes, *parts).first(ignore_nulls=True))
    )  # fmt: skip


def expiry_days(families: pl.DataFrame, rule: RegistryRule, cut_off: date) -> pl.DataFrame:
    """`family_id, oldest`: the first day of which an answer of each family still counts.

    Families surveyed together do not expire together: each by its own number of days later, read off its pseudonym.
    Of a family that receives no answer expires: it is visited (policy `registry.kept_quarters`).

    Parameters
    ----------
    families : DataFrame
        `family_id, is_receiving`.
    """
    day = pl.lit(cut_off) - pl.duration(days=rule.answer_max_age_days) - pl.duration(days=expiry_delay(rule))
    return families.select("family_id", oldest=pl.when("is_receiving").then(pl.date(1, 1, 1)).otherwise(day))


def expiry_delay(rule: RegistryRule) -> pl.Expr:
    """How many days later than `registry.answer_max_age_days` the answers of a family expire, by its pseudonym."""
    return pl.col("family_id").str.slice(1, 6).str.to_integer(base=16) % (rule.answer_expiry_spread_days + 1)


def golden_records(
    told: pl.DataFrame,
    previous: pl.DataFrame,
    expiry: pl.DataFrame,
    attributes: Sequence[str],
    precedence: Precedence,
) -> pl.DataFrame:
    """One row per family: every attribute, `<attribute>_source` and `<attribute>_date`.

    Parameters
    ----------
    told : DataFrame
        From :func:`by_source`.
    previous : DataFrame
        Last quarter's values with source and date, same columns as the result.
    expiry : DataFrame
        From :func:`expiry_days`.
    """
    fresh = (
        told.drop("source").group_by("family_id", maintain_order=True).agg(pl.all().first(ignore_nulls=True))
    )  # fmt: skip
    stood = previous.with_columns(pl.col(f"{name}_source").cast(precedence.by_strength) for name in attributes)
    both = (
        fresh.join(stood, on="family_id", how="full", coalesce=True, suffix="_before")
        .join(expiry, on="family_id", how="left")
        .with_columns(pl.col("oldest").fill_null(precedence.oldest))
    )
    return both.select("family_id", *(part for name in attributes for part in _stronger(name, precedence))).sort(
        "family_id"
    )


def outdated_by_surveys(conflicts_before: pl.DataFrame, rule: RegistryRule, cut_off: date) -> pl.DataFrame:
    """`family_id, attribute, other_value, date, other_date`: answers of BPS that a fresher survey takes the place of.

    An answer of BPS older than `registry.bps_answer_firm_days` that a fresher survey contradicts held last quarter and
    brought a visit; unvisited by now, it yields.

    Parameters
    ----------
    conflicts_before : DataFrame
        Contract `registry/conflicts` of last quarter.
    """
    return conflicts_before.filter(is_overtaken(rule, cut_off)).select(
        "family_id", "attribute", "other_value", "date", "other_date"
    )


def is_overtaken(rule: RegistryRule, cut_off: date) -> pl.Expr:
    """Whether a conflict is one of an old answer of BPS with a fresher survey of an agent in his area."""
    is_old = pl.col("date") < cut_off - timedelta(days=rule.bps_answer_firm_days)
    return (
        (pl.col("source") == Source.BPS_VALIDATION.value)
        & (pl.col("other_source") == Source.AGENT_SURVEY.value)
        & (pl.col("other_date") > pl.col("date"))
        & is_old
    )


def with_outdated(answers: pl.DataFrame, outdated: pl.DataFrame, attributes: Sequence[str]) -> pl.DataFrame:
    """Answers in which those of :func:`outdated_by_surveys` have yielded, unless BPS has answered since."""
    asked = [name for name in attributes if name in set(outdated["attribute"])]
    if not asked:
        return answers
    wide = outdated.pivot(
        on="attribute", on_columns=asked, index="family_id", values=["other_value", "date", "other_date"]
    )
    joined = answers.join(wide, on="family_id", how="left", maintain_order="left")
    survey = pl.lit(Source.AGENT_SURVEY.value).cast(answers.schema[f"{asked[0]}_source"])
    for name in asked:
        yields = (pl.col(f"{name}_date") == pl.col(f"date_{name}")).fill_null(value=False)
        joined = joined.with_columns(
            pl.when(yields).then(pl.col(f"other_value_{name}").cast(answers.schema[name])).otherwise(name).alias(name),
            pl.when(yields).then(survey).otherwise(f"{name}_source").alias(f"{name}_source"),
            pl.when(yields).then(f"other_date_{name}").otherwise(f"{name}_date").alias(f"{name}_date"),
        )
    return joined.select(answers.columns)


def conflicts(
    told: pl.DataFrame, golden: pl.DataFrame, previous: pl.DataFrame, attributes: Sequence[str]
) -> pl.DataFrame:
    """Answers of which another source says otherwise: what is believed, and the strongest of those that differ.

    Parameters
    ----------
    told : DataFrame
        From :func:`by_source`.
    golden : DataFrame
        What :func:`golden_records` made of it.
    previous : DataFrame
        Last quarter's conflicts of these families: one lasts while its answer is the one believed and the other source
        has said nothing new.

    Returns
    -------
    DataFrame
        `family_id, attribute, value, source, date, other_value, other_source, other_date`.
    """
    both = told.join(golden, on="family_id", suffix="_golden", maintain_order="left").lazy()
    heard = told.lazy().select("family_id", other_source=pl.col("source").cast(pl.String))
    return pl.concat(
        pl.collect_all([_conflicts_over(name, both, heard, golden.lazy(), previous) for name in attributes])
    )


def _conflicts_over(
    name: str, both: pl.LazyFrame, heard: pl.LazyFrame, golden: pl.LazyFrame, previous: pl.DataFrame
) -> pl.LazyFrame:
    """Conflicts over one attribute."""
    believed = golden.select("family_id", source=pl.col(f"{name}_source").cast(pl.String), date=pl.col(f"{name}_date"))
    fresh = (
        both.filter(*(pl.col(part) != pl.col(f"{part}_golden") for part in (f"{name}_source", name)))
        .unique("family_id", keep="first", maintain_order=True)
        .select(
            "family_id",
            attribute=pl.lit(name),
            value=pl.col(f"{name}_golden").cast(pl.Float64),
            source=pl.col(f"{name}_source_golden").cast(pl.String),
            date=pl.col(f"{name}_date_golden"),
            other_value=pl.col(name).cast(pl.Float64),
            other_source=pl.col(f"{name}_source").cast(pl.String),
            other_date=pl.col(f"{name}_date"),
        )
    )
    mine = previous.filter(pl.col("attribute") == name).drop("regency_code", strict=False)
    if mine.is_empty():
        return fresh
    lasting = (
        mine.lazy()
        .join(believed, on=["family_id", "source", "date"], how="semi")
        .join(heard, on=["family_id", "other_source"], how="anti")
        .join(fresh, on="family_id", how="anti")
    )
    return pl.concat([fresh, lasting.select(fresh.collect_schema().names())])


def _stronger(name: str, precedence: Precedence) -> list[pl.Expr]:
    """Value, source and date of an attribute: last quarter's, unless something fresh outranks it or it is too old."""
    rank, rank_before = pl.col(f"{name}_source"), pl.col(f"{name}_source_before")
    day, day_before = pl.col(f"{name}_date"), pl.col(f"{name}_date_before")
    beats = rank.is_null() | (rank_before < rank) | ((rank_before == rank) & (day_before > day))
    is_alive = (day_before >= pl.col("oldest")) & (day_before <= precedence.newest)
    keep = pl.col(f"{name}_before").is_not_null() & is_alive & beats
    return [
        pl.when(keep.fill_null(value=False)).then(f"{part}_before").otherwise(part).alias(part)
        for part in (name, f"{name}_source", f"{name}_date")
    ]
