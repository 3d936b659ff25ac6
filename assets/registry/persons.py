"""The persons of a quarter: each with the facts last stated of it and with what agencies know.

Who is whom and in which family a person counts is settled in `claims` and `identity`; here nobody is matched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from assets.registry.asked import ANSWERED, CHECKED, days_of_checks
from assets.registry.claims import MEMBER_COLUMNS
from assets.registry.statements import Coverage, Group
from schemas.feeds import FACT_AGENCY, PERSON_FACTS
from schemas.vocabularies import Agency

_ASKED_BY_NAME = frozenset({"is_unknown_number"})
"""Facts that are looked up of whom a request names alone: of nobody else their absence says anything."""


@dataclass(frozen=True)
class Evidence:
    """What is stated of the persons of some buckets, and about whom nothing was found.

    Attributes
    ----------
    rows : DataFrame
        Statements of agencies and of BPS (:meth:`assets.registry.statements.Statements.of`).
    coverage : sequence of Coverage
        The agencies' answers that count.
    asked : mapping
        Numbers of each group that an answer to a request is about (:func:`assets.registry.asked.numbers_asked`).
    recorded : DataFrame
        From :func:`assets.registry.asked.recorded_numbers`.
    begins : date
        First day of the quarter: by then a number of last quarter's registry was on record, where no day was kept.
    oldest : date
        A finding of BPS older than this holds no more.
    """

    rows: pl.DataFrame
    coverage: Sequence[Coverage]
    asked: Mapping[Group, pl.DataFrame]
    recorded: pl.DataFrame
    begins: date
    oldest: date


def persons_of(
    claims: pl.DataFrame, settled: pl.DataFrame, evidence: Evidence, previous: pl.DataFrame, index: pl.DataFrame
) -> pl.DataFrame:
    """The persons of some buckets, by the contract `registry/persons` but for whose number is confirmed.

    Parameters
    ----------
    claims : DataFrame
        Claims that are in no doubt (contract `registry/claims`): each is a person.
    settled : DataFrame
        Persons that were, of these buckets (:class:`assets.registry.settling.Settled`).
    previous : DataFrame
        What last quarter knew of these persons, and at least of those of these buckets.
    index : DataFrame
        From :func:`assets.registry.families.family_index`.
    """
    columns = ["person_id", "identity_id", "family_id", "nik_bucket", "nik", *MEMBER_COLUMNS, "stated_date"]
    homes = index.filter("is_current").select("family_id", "regency_code")
    before = previous.select("person_id", _family_before="family_id")
    persons = (
        pl.concat([claims.with_columns(person_id="identity_id").select(columns), settled.select(columns)])
        .join(homes, on="family_id")
        .join(before, on="person_id", how="left")
        .with_columns(
            came_from_family_id=pl.when(pl.col("_family_before") != pl.col("family_id")).then("_family_before")
        )
    )
    findings = _findings(persons, evidence, previous)
    known = _with_evidence(_with_record(persons, evidence, previous), evidence, _as_agencies_state(previous))
    return _with_findings(known, evidence, findings)


def _with_record(persons: pl.DataFrame, evidence: Evidence, previous: pl.DataFrame) -> pl.DataFrame:
    """Persons with `recorded_on`: since when the number is on record, and without a number, the person."""
    on_record = pl.coalesce("recorded_on", pl.lit(evidence.begins))
    kept = previous.filter(pl.col("nik").is_not_null()).select("nik", _kept_on=on_record).unique("nik")
    named = previous.filter(pl.col("nik").is_null()).select("person_id", _named_on=on_record)
    return (
        persons.join(kept, on="nik", how="left")
        .join(evidence.recorded, on="nik", how="left")
        .join(named, on="person_id", how="left")
        .with_columns(
            recorded_on=pl.when(pl.col("nik").is_null())
            .then(pl.coalesce("_named_on", "stated_date"))
            .otherwise(pl.min_horizontal("_kept_on", "recorded_on"))
        )
        .drop("_kept_on", "_named_on")
    )


def _with_evidence(persons: pl.DataFrame, evidence: Evidence, previous: pl.DataFrame) -> pl.DataFrame:
    """Persons with every fact and its date: as the newest answer has it, a row or its absence where one was asked."""
    is_known = pl.col("nik").is_in(previous["nik"].drop_nulls().implode())
    latest = (
        evidence.rows.filter(~(pl.col("was_due") & is_known), pl.col("agency") != str(Agency.BPS))
        .sort("nik", "fact", "answered_on", "as_of_date", "issued_on", "value")
        .unique(["nik", "fact"], keep="last", maintain_order=True)
        .pivot(on="fact", on_columns=PERSON_FACTS, index="nik", values=["value", "as_of_date", "answered_on"])
    )
    before = previous.select(
        "person_id", *(pl.col(name).alias(f"{name}_before") for fact in PERSON_FACTS for name in (fact, f"{fact}_date"))
    )
    joined = (
        days_of_checks(persons, evidence.coverage, evidence.asked)
        .join(latest, on="nik", how="left")
        .join(before, on="person_id", how="left")
    )
    facts = joined.lazy().with_columns(part for fact in PERSON_FACTS for part in _newest(fact))
    made = (name for fact in PERSON_FACTS for name in (fact, f"{fact}_date"))
    return facts.select(*persons.columns, *made).collect()


def _as_agencies_state(previous: pl.DataFrame) -> pl.DataFrame:
    """Last quarter's persons without what BPS found: the agency's own word is not kept, it is asked again."""
    is_found = pl.any_horizontal(f"{fact}_by_bps" for fact in PERSON_FACTS).fill_null(value=False)
    found = previous.filter(is_found).with_columns(
        pl.when(pl.col(f"{fact}_by_bps").fill_null(value=False).not_()).then(name).alias(name)
        for fact in PERSON_FACTS
        for name in (fact, f"{fact}_date")
    )
    return pl.concat([previous.filter(is_found.not_()), found])


def _newest(fact: str) -> list[pl.Expr]:
    """The fact and its date: a row, its absence where one was asked for, or last quarter's, whichever is newest."""
    prefix = ANSWERED if fact in _ASKED_BY_NAME else CHECKED
    stated, checked = pl.col(f"answered_on_{fact}"), pl.col(f"{prefix}{FACT_AGENCY[fact]}")
    known = pl.col(f"{fact}_date_before")
    is_stated = stated.is_not_null() & (checked.is_null() | (stated >= checked))
    is_news = pl.coalesce(pl.max_horizontal(stated, checked) >= known, pl.max_horizontal(stated, checked).is_not_null())
    choices = (
        (fact, pl.col(f"value_{fact}"), pl.lit(0, pl.Int64), pl.col(f"{fact}_before")),
        (f"{fact}_date", pl.col(f"as_of_date_{fact}"), checked, known),
    )
    return [
        pl.when(is_news & is_stated).then(row).when(is_news).then(absence).otherwise(before).alias(name)
        for name, row, absence, before in choices
    ]


def _findings(persons: pl.DataFrame, evidence: Evidence, previous: pl.DataFrame) -> pl.DataFrame:
    """What BPS found last of each person and fact, and when: `person_id, fact, found, found_on`; few rows."""
    found_before = previous.filter(pl.any_horizontal(f"{fact}_by_bps" for fact in PERSON_FACTS))
    stood = [
        found_before.filter(f"{fact}_by_bps").select(
            "person_id", fact=pl.lit(fact), found=pl.col(fact), found_on=pl.col(f"{fact}_date")
        )
        for fact in PERSON_FACTS
    ]
    stated = (
        evidence.rows.filter(pl.col("agency") == str(Agency.BPS), pl.col("fact").is_in(PERSON_FACTS))
        .sort("nik", "fact", "as_of_date", "issued_on", "value")
        .join(persons.select("nik", "person_id"), on="nik", maintain_order="left")
        .select("person_id", "fact", found="value", found_on="as_of_date")
    )
    return (
        pl.concat([*stood, stated])
        .sort("person_id", "fact", "found_on", maintain_order=True)
        .unique(["person_id", "fact"], keep="last", maintain_order=True)
    )


def _with_findings(persons: pl.DataFrame, evidence: Evidence, findings: pl.DataFrame) -> pl.DataFrame:
    """Persons with what BPS found in the place of what agencies state, and `<fact>_by_bps`.

    A finding holds until BPS finds otherwise or it is older than an answer may be.
    """
    in_force = findings.filter(pl.col("found_on") >= evidence.oldest)
    by_nobody = [pl.lit(value=False).alias(f"{fact}_by_bps") for fact in PERSON_FACTS]
    if in_force.is_empty():
        return persons.with_columns(by_nobody)
    is_found = {fact: pl.col(f"found_on_{fact}").is_not_null() for fact in PERSON_FACTS}
    concerned = persons.join(in_force, on="person_id", how="semi")
    found = in_force.pivot(on="fact", on_columns=PERSON_FACTS, index="person_id", values=["found", "found_on"])
    corrected = (
        concerned.join(found, on="person_id", how="left")
        .with_columns(
            part
            for fact in PERSON_FACTS
            for part in (
                pl.when(is_found[fact]).then(f"found_{fact}").otherwise(fact).alias(fact),
                pl.when(is_found[fact]).then(f"found_on_{fact}").otherwise(f"{fact}_date").alias(f"{fact}_date"),
                is_found[fact].alias(f"{fact}_by_bps"),
            )
        )
        .select(*persons.columns, *(f"{fact}_by_bps" for fact in PERSON_FACTS))
    )
    others = persons.join(in_force, on="person_id", how="anti").with_columns(by_nobody)
    return pl.concat([others, corrected])
