"""Which persons there are: one person in one family, with what agencies know.

Here identity is exact (the NIK; without one, name and birth date within the family); doubt becomes a case for a
clerk, never a silent merge. Families and their answers are elsewhere.
"""

from collections.abc import Iterable, Sequence

import polars as pl

from assets.pseudonyms import PseudonymKey
from assets.registry.rollups import heads
from assets.registry.statements import Coverage, counted
from schemas.feeds import FACT_AGENCY, PERSON_FACTS

MEMBER_COLUMNS = (
    "name", "birth_date", "sex", "relation", "marital_status", "is_pregnant", "school_participation", "school_level",
    "education", "work_position", "disability",
)  # fmt: skip
_ASKED = {"regency_code": pl.String, "agency": pl.String, "as_of": pl.Date}
_TWO_FAMILIES = "nik_in_two_families"


def resolve_persons(
    members: pl.DataFrame,
    evidence: pl.DataFrame,
    previous: pl.DataFrame,
    previous_cases: pl.DataFrame,
    index: pl.DataFrame,
    coverage: Sequence[Coverage],
    key: PseudonymKey,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The persons of some buckets, each in one family, and the cases of those whom two families claim.

    A person stays with a verified family before an unverified one; among verified ones with the newest statement,
    among unverified ones where he was last quarter, then with a family that was there, then with the oldest
    registration. A case stays open in later quarters, though nothing is stated anew, as long as both families exist.

    Parameters
    ----------
    members, evidence : DataFrame
        Statements of these buckets (:meth:`assets.registry.statements.Statements.of`).
    previous, previous_cases : DataFrame
        Last quarter's persons of these buckets, and all its cases (contracts `registry/persons`, `registry/cases`).
    index : DataFrame
        From :func:`assets.registry.families.family_index`.

    Returns
    -------
    persons, cases : DataFrame
        By the contracts `registry/persons` and `registry/cases`.
    """
    claims = _claims(members, previous, previous_cases, index, key)
    current = index.filter("is_current").select(
        "family_id", "regency_code", "is_verified", "is_sitting", "first_registered_date"
    )
    ranked = claims.join(current, on="family_id").sort(
        "person_id",
        pl.col("stated_date").is_null(),
        pl.col("is_verified").not_(),
        pl.when("is_verified").then(-pl.col("stated_date").cast(pl.Int32)),
        pl.col("was_here").not_(),
        pl.col("is_sitting").not_(),
        "first_registered_date",
        "family_id",
    )
    claimed = ranked.with_columns(
        is_kept=pl.col("person_id").is_first_distinct(), _is_doubtful=pl.col("person_id").is_duplicated()
    )
    persons = _with_evidence(claimed.filter("is_kept"), evidence, coverage, previous)
    return persons, _cases(claimed.filter("_is_doubtful"), key)


def _claims(
    members: pl.DataFrame, previous: pl.DataFrame, previous_cases: pl.DataFrame, index: pl.DataFrame, key: PseudonymKey
) -> pl.DataFrame:
    """One row per person and family that claims him, as last stated; one known from an open case alone has no date."""
    cards = index.lazy().select("family_card_number", "family_id", "was_on_record")
    stated = counted(members.lazy(), cards).with_columns(was_here=pl.lit(value=False)).collect()
    # A newborn without a number is the same under the family's new card, so the family names it, not the card.
    identity = pl.coalesce(
        "nik", pl.concat_str("family_id", "name", pl.col("birth_date").cast(pl.String), separator="|")
    )
    stated = stated.with_columns(person_id=key.ids("person", stated.select(identity).to_series()))
    carried = previous.with_columns(issued_on="stated_date", was_here=pl.lit(value=True))
    doubted = previous_cases.filter(pl.col("is_kept").not_()).select("person_id", "family_id").join(
        previous.select("person_id", "nik_bucket", "nik"), on="person_id"
    )  # fmt: skip
    columns = ["person_id", "family_id", "nik_bucket", "nik", *MEMBER_COLUMNS, "stated_date", "issued_on", "was_here"]
    everything = pl.concat(
        [stated.select(columns), carried.select(columns), doubted.with_columns(was_here=pl.lit(value=False))],
        how="diagonal",
    )
    return (
        everything.sort("person_id", "family_id", "stated_date", "issued_on", *MEMBER_COLUMNS)
        .group_by("person_id", "family_id", maintain_order=True)
        .agg(pl.col("nik_bucket", "nik", *MEMBER_COLUMNS, "stated_date").last(), pl.col("was_here").any())
    )


def _cases(doubtful: pl.DataFrame, key: PseudonymKey) -> pl.DataFrame:
    return doubtful.select(
        "person_id", "family_id", "regency_code", "is_verified", "is_kept",
        case_id=key.ids("case", doubtful["person_id"]), kind=pl.lit(_TWO_FAMILIES),
    )  # fmt: skip


def _with_evidence(
    persons: pl.DataFrame, evidence: pl.DataFrame, coverage: Sequence[Coverage], previous: pl.DataFrame
) -> pl.DataFrame:
    """Persons with every fact and its date: as the newest answer has it, a row or its absence where one was asked."""
    is_known = pl.col("nik").is_in(previous["nik"].drop_nulls().implode())
    latest = (
        evidence.filter(~(pl.col("was_due") & is_known))
        .sort("nik", "fact", "answered_on", "as_of_date", "issued_on", "value")
        .unique(["nik", "fact"], keep="last", maintain_order=True)
        .pivot(on="fact", on_columns=PERSON_FACTS, index="nik", values=["value", "as_of_date", "answered_on"])
    )
    before = previous.select(
        "person_id",
        *(pl.col(name).alias(f"{name}_before") for fact in PERSON_FACTS for name in (fact, f"{fact}_date")),
    )
    joined = (
        persons.join(latest, on="nik", how="left")
        .join(_days_of_checks(coverage), on="regency_code", how="left")
        .join(before, on="person_id", how="left")
    )
    return joined.with_columns(part for fact in PERSON_FACTS for part in _newest(fact))


def _days_of_checks(coverage: Iterable[Coverage]) -> pl.DataFrame:
    """`regency_code` and per fact `checked_<fact>`: the last day on which its agency answered for the regency."""
    asked = pl.DataFrame([(one.regency_code, one.agency, one.as_of) for one in coverage], schema=_ASKED, orient="row")
    return asked.group_by("regency_code").agg(
        pl.col("as_of").filter(pl.col("agency") == agency).max().alias(f"checked_{fact}")
        for fact, agency in FACT_AGENCY.items()
    )


def _newest(fact: str) -> list[pl.Expr]:
    """The fact and its date: a row, its absence where one was asked for, or last quarter's, whichever is newest."""
    stated, checked, known = pl.col(f"answered_on_{fact}"), pl.col(f"checked_{fact}"), pl.col(f"{fact}_date_before")
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


def newcomers_without_persons(
    persons: pl.LazyFrame,
    cases: pl.LazyFrame,
    members: pl.LazyFrame,
    index: pl.DataFrame,
    previous_persons: pl.LazyFrame,
    previous_families: pl.LazyFrame,
    key: PseudonymKey,
) -> pl.DataFrame:
    """Unverified newcomers all of whose persons other families keep: `family_id, head_person_id, head_name`.

    They stay on record, so that they can be held and told so; the head is the one they named. A family whose persons
    counted there last quarter is not among them: it has dissolved.
    """
    losing = cases.filter(pl.col("is_kept").not_() & pl.col("is_verified").not_()).select("family_id").unique()
    losing = losing.collect().lazy()
    peopled = [
        frame.select("family_id").join(losing, on="family_id", how="semi").unique().collect()
        for frame in (persons, previous_persons)
    ]
    personless = index.filter("is_current").join(losing.collect(), on="family_id", how="semi").join(
        pl.concat(peopled), on="family_id", how="anti"
    )  # fmt: skip
    cards = personless.lazy().select("family_card_number", "family_id", "was_on_record")
    stated = counted(members, cards).select("family_id", "nik", "name", "relation", "birth_date").drop_nulls().collect()
    named = heads(stated.with_columns(person_id=key.ids("person", stated["nik"])))
    before = (
        previous_families.select("family_id", "head_person_id", "head_name")
        .join(cards, on="family_id", how="semi")
        .collect()
    )
    return pl.concat([named, before.join(named, on="family_id", how="anti")]).sort("family_id")
