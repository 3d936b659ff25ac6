"""Two quarters side by side, and a family's own facts as they were in the earlier one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from assets.decision.components import need_support
from assets.decision.families import Families, Terms
from assets.registry.rollups import FACTS_OF_THE_RECORD
from schemas.registry_tables import FAMILY_FACTS
from schemas.vocabularies import Source

EVIDENCE_FACTS = tuple(fact for fact in FAMILY_FACTS if fact not in FACTS_OF_THE_RECORD)
_MARK = "is_rights_victim"
MEMBER_EVIDENCE = (
    _MARK, "is_number_confirmed", "is_pregnant_recorded", "is_disability_recorded",
    "is_enrolled_in_school",
)  # fmt: skip
_SEEN_BY = "seen_by"
_SOURCE, _THEN, _NOW = "_source", "_then", "_now"


def _no_ids() -> pl.Series:
    return pl.Series("family_id", [], dtype=pl.String)


@dataclass(frozen=True)
class Now:
    """The quarter decided, complete for the areas of the families at hand.

    Attributes
    ----------
    families : Families
        What the registry holds of them.
    sources : DataFrame
        Contract `registry/provenance` of them, at least :func:`sources_of` the facts compared: who says what.
    decided : DataFrame
        From :func:`assets.decision.ranking.rank`.
    terms, seats
        As :func:`assets.decision.decide.decide` takes them.
    elsewhere : DataFrame or None
        Columns of `decided`, complete for the other regencies in which families at hand lived before; None: none did.
    """

    families: Families
    sources: pl.DataFrame
    decided: pl.DataFrame
    terms: Terms
    seats: pl.DataFrame
    elsewhere: pl.DataFrame | None = None


@dataclass(frozen=True)
class Before:
    """The quarter before: the families at hand, and whoever lived in their areas then.

    Attributes
    ----------
    statuses : DataFrame
        `family_id, programme, status, regency_code, score_micro, reasons, held_since, components, amount_rupiah` of
        every family decided then.
    families : Families
        What the registry held of them then, where they lived then; empty before the first quarter.
    terms : Terms or None
        Terms of then; None before the first quarter.
    seats : DataFrame or None
        Places of then.
    moved_out : Series
        `family_id` of those that live in another regency now: their moves are told there.
    """

    statuses: pl.DataFrame
    families: Families
    terms: Terms | None
    seats: pl.DataFrame | None
    moved_out: pl.Series = field(default_factory=_no_ids)


def list_compared_facts(families: Sequence[str], sources: Sequence[str]) -> list[str]:
    """Facts that are compared between quarters: those of agencies, then the answers of which a source is told.

    Parameters
    ----------
    families, sources : sequence of str
        Columns of the contracts `registry/families` and `registry/provenance`.
    """
    answers = [name for name in families if f"{name}{_SOURCE}" in sources and name not in EVIDENCE_FACTS]
    return [*EVIDENCE_FACTS, *answers]


def sources_of(facts: Sequence[str]) -> list[str]:
    """Columns that tell who gives the answers among these facts."""
    return [f"{name}{_SOURCE}" for name in _answers(facts)]


def _answers(facts: Iterable[str]) -> list[str]:
    return [name for name in facts if name not in EVIDENCE_FACTS]


def chosen(families: Families, ids: pl.Series) -> Families:
    """The families with these identifiers."""
    is_chosen = pl.col("family_id").is_in(ids.implode())
    return Families(families.records.filter(is_chosen), families.members.filter(is_chosen))


class FactsThen:
    """Facts of some families as they were, kind by kind: what BPS corrected, what agencies state, all else.

    Parameters
    ----------
    families : Series
        `family_id` of families that were on record in both quarters.
    """

    def __init__(self, now: Now, before: Before, families: pl.Series) -> None:
        self._now, self._then = chosen(now.families, families), chosen(before.families, families)
        self._terms = now.terms
        self._sources = now.sources.filter(pl.col("family_id").is_in(families.implode()))
        self._facts = list_compared_facts(now.families.records.columns, now.sources.columns)
        changed = self._find_changed()
        self.corrected = changed.filter("corrected")["family_id"]
        self.evidenced = changed.filter("evidenced")["family_id"]

    def without_correction(self, families: Families) -> Families:
        """These families without what BPS corrected this quarter: its answers, and whom of the members it saw."""
        answers = _answers(self._facts)
        by_bps = self._sources.select(
            "family_id", *((pl.col(f"{name}{_SOURCE}") == Source.BPS_VALIDATION.value).alias(name) for name in answers)
        )
        then = (
            self._then.records.select("family_id", *answers)
            .join(by_bps, on="family_id", suffix="_by_bps")
            .join(families.records.select("family_id", *answers), on="family_id", suffix=_NOW)
            .select(
                "family_id",
                *(
                    pl.when(f"{name}_by_bps").then(name).otherwise(f"{name}{_NOW}").alias(f"{name}{_THEN}")
                    for name in answers
                ),
            )
        )
        is_unseen = pl.col("was_here") & (pl.col(_SEEN_BY) == Source.BPS_VALIDATION.value)
        return Families(
            _replaced(families.records, then, answers), self._replace_members(families, {_SEEN_BY: is_unseen})
        )

    def without_evidence(self, families: Families) -> Families:
        """These families with what other agencies stated last quarter.

        Members who were not on record then keep what supports them now: that they are there is the family's own data.
        """
        then = self._then.records.select(
            "family_id", *(pl.col(name).alias(f"{name}{_THEN}") for name in EVIDENCE_FACTS)
        )
        was_stated = {name: pl.col("was_here") | pl.lit(name == _MARK) for name in MEMBER_EVIDENCE}
        return Families(_replaced(families.records, then, EVIDENCE_FACTS), self._replace_members(families, was_stated))

    def without_own(self) -> Families:
        """The families as they were, but for what BPS corrected and agencies state now."""
        answers = _answers(self._facts)
        of_now = (
            self._now.records.select("family_id", *self._facts)
            .join(self._sources, on="family_id", how="left")
            .join(self._then.records.select("family_id", *answers), on="family_id", suffix=_THEN)
            .select(
                "family_id",
                *(pl.col(name).alias(f"{name}{_THEN}") for name in EVIDENCE_FACTS),
                *(
                    pl.when(pl.col(f"{name}{_SOURCE}") == Source.BPS_VALIDATION.value)
                    .then(name)
                    .otherwise(f"{name}{_THEN}")
                    .alias(f"{name}{_THEN}")
                    for name in answers
                ),
            )
        )
        members = self._then.members
        stated = self._now.members.select(
            "person_id",
            pl.lit(value=True).alias("is_here"),
            *(pl.col(name).alias(f"{name}{_NOW}") for name in (*MEMBER_EVIDENCE, _SEEN_BY)),
        )
        joined = members.join(stated, on="person_id", how="left", maintain_order="left")
        is_seen = pl.col(f"{_SEEN_BY}{_NOW}") == Source.BPS_VALIDATION.value
        return Families(
            _replaced(self._then.records, of_now, self._facts),
            joined.with_columns(
                *(pl.when("is_here").then(f"{name}{_NOW}").otherwise(name).alias(name) for name in MEMBER_EVIDENCE),
                pl.when(is_seen).then(f"{_SEEN_BY}{_NOW}").otherwise(_SEEN_BY).alias(_SEEN_BY),
            ).select(members.columns),
        )

    def as_now(self) -> Families:
        """The families as they are."""
        return self._now

    def _replace_members(self, families: Families, replaced: dict[str, pl.Expr]) -> pl.DataFrame:
        """Members with these facts as they were, each where a condition over `was_here` holds."""
        members = families.members
        then = self._then.members.select(
            "person_id",
            pl.lit(value=True).alias("was_here"),
            *(pl.col(name).alias(f"{name}{_THEN}") for name in replaced),
        )
        then = then.join(members.select("person_id"), on="person_id", how="semi")
        return (
            members.join(then, on="person_id", how="left", maintain_order="left")
            .with_columns(
                pl.when(where.fill_null(value=False)).then(f"{name}{_THEN}").otherwise(name).alias(name)
                for name, where in replaced.items()
            )
            .select(members.columns)
        )

    def _find_changed(self) -> pl.DataFrame:
        """`family_id, corrected, evidenced`: whether answers that BPS gives, or facts of agencies, were others."""
        answers = _answers(self._facts)
        by_bps = [
            (pl.col(f"{name}{_SOURCE}") == Source.BPS_VALIDATION.value)
            & pl.col(name).ne_missing(pl.col(f"{name}{_THEN}"))
            for name in answers
        ]
        marked = [
            members.filter(pl.col(_MARK) == 1).select("family_id", "person_id")
            for members in (self._now.members, self._then.members)
        ]
        remarked = [one.join(other, on="person_id", how="anti") for one, other in (marked, marked[::-1])]
        support = need_support(
            self._now.members, self._terms.policy.programmes, self._terms.days.decision_date
        ).join(self._then.members.drop("family_id"), on="person_id", suffix=_THEN)  # fmt: skip
        is_seen = (pl.col(_SEEN_BY) == Source.BPS_VALIDATION.value) & _differ([_SEEN_BY])
        of_members = {
            "corrected": support.filter(is_seen)["family_id"],
            "evidenced": pl.concat(
                [support.filter(_differ(MEMBER_EVIDENCE))["family_id"], *(one["family_id"] for one in remarked)]
            ),
        }
        of_records = {
            "corrected": pl.any_horizontal(pl.lit(value=False), *by_bps).fill_null(value=False),
            "evidenced": _differ(EVIDENCE_FACTS),
        }
        return (
            self._now.records.select("family_id", *self._facts)
            .join(self._then.records.select("family_id", *self._facts), on="family_id", suffix=_THEN)
            .join(self._sources, on="family_id", how="left")
            .select(
                "family_id",
                **{
                    name: of_records[name] | pl.col("family_id").is_in(of_members[name].implode())
                    for name in of_records
                },
            )
        )


def _replaced(records: pl.DataFrame, then: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Records with the columns `<name>_then` in the place of their own."""
    return (
        records.join(then, on="family_id", how="left", maintain_order="left")
        .with_columns(pl.col(f"{name}{_THEN}").alias(name) for name in names)
        .select(records.columns)
    )


def _differ(names: Iterable[str]) -> pl.Expr:
    return pl.any_horizontal(
        pl.lit(value=False), *(pl.col(name).ne_missing(pl.col(f"{name}{_THEN}")) for name in names)
    )
