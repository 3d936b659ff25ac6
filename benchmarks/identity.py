"""Who is whom, held against the truth of the synthetic country: wrong merges, missed duplicates, work for clerks."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from assets.house import House
from assets.intake.loading import Intake
from assets.intake.pins import Pins
from assets.intake.poverty import poverty_of
from assets.lake import Table
from assets.pseudonyms import PseudonymKey
from assets.registry.resolve import resolve
from assets.welfare.first_fit import fitted
from quotas.rulebook import rulebook
from schemas.quarter import Quarter
from schemas.questionnaire import default_questionnaire
from schemas.vocabularies import CaseKind, Feed
from world.country import write

FAMILIES = int(os.environ.get("PERLINSOS_BENCH_FAMILIES", "200000"))
QUARTER = Quarter(2026, 1)
REJECTED = ("nik_malformed", "nik_placeholder", "birth_impossible", "unknown_code")
"""Causes of rows that intake rejects: nobody is linked by them."""


def run() -> None:
    """Print wrong merges, and undetected duplicates and clerks' cases by channel and cause."""
    pl.Config.set_tbl_rows(60)
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), rulebook(None), default_questionnaire(), PseudonymKey(b"b" * 32), is_trial=True)
        write("banyuwangi", FAMILIES, [QUARTER], 1, house.landing)
        truth = pl.read_parquet(house.landing.with_name("landing-truth") / str(QUARTER) / "persons" / "*.parquet")
        intake = replace(Intake.of(house, QUARTER), max_error_share=1.0)
        for _ in intake.load_landing(house.landing, QUARTER):
            pass
        pins = Pins.of(house.lake, QUARTER, None)
        feeds = pins.tables(house.lake)
        survey = feeds[Feed.CONSUMPTION_SURVEY].read(house.contracts[f"intake/{Feed.CONSUMPTION_SURVEY}"])
        card = fitted(survey, poverty_of(house, pins, feeds[Feed.POVERTY_STATISTICS]), house.questionnaire)
        tables = resolve(house, QUARTER, feeds, pins.read(house.lake), {}, card)
        measured = against_truth(house, tables, truth)
    share = measured.wrongly_merged / measured.persons * 100_000
    print(f"{measured.persons:,} persons, {measured.wrongly_merged} wrongly merged ({share:.2f} in 100,000)")
    print(measured.duplicates.select(pl.col("stated", "found", "clerk", "missed").sum()))
    print(measured.duplicates)
    print(measured.cases)


@dataclass(frozen=True)
class Measured:
    """How identity did against the truth.

    Attributes
    ----------
    persons, wrongly_merged : int
        True persons stated, and those of them taken for another one by a link.
    duplicates : DataFrame
        Of persons stated more than once, by channel, listing and cause of the later row: how many were found, left to
        a clerk or missed.
    cases : DataFrame
        Open cases by kind and whether both sides are truly one person.
    """

    persons: int
    wrongly_merged: int
    duplicates: pl.DataFrame
    cases: pl.DataFrame


def against_truth(house: House, tables: Mapping[str, Table], truth: pl.DataFrame) -> Measured:
    """What identity made of the stated persons of a first quarter.

    Parameters
    ----------
    truth : DataFrame
        The country's table `persons`: one row per row of the feed members.
    """
    scans = {key: table.scan(house.contracts[key]) for key, table in tables.items()}
    stated = _identified(house, scans, truth)
    # Whoever bears another's number, lent or by a slip, is a case of that number, not of linkage.
    bearer = truth.select("nik", bearer_uid="person_uid").drop_nulls().unique("nik")
    named = stated.join(bearer, left_on="nik_landed", right_on="nik", how="left")
    honest = named.filter(pl.col("bearer_uid").is_null() | (pl.col("bearer_uid") == pl.col("person_uid")))
    merged = honest.group_by("person_id").agg(pl.col("person_uid").n_unique().alias("uids"))
    wrong = honest.join(merged.filter(pl.col("uids") > 1), on="person_id")["person_uid"].n_unique()
    pairs = scans["registry/cases"].filter(pl.col("kind") == CaseKind.POSSIBLE_DUPLICATE.value)
    asked = pairs.select("person_id").unique().collect()["person_id"].implode()
    first = honest.filter(pl.col("listing").is_null()).select("person_uid", first_id="person_id").unique("person_uid")
    again = honest.filter(pl.col("listing").is_not_null()).join(first, on="person_uid")
    outcome = (
        pl.when(pl.col("person_id") == pl.col("first_id"))
        .then(pl.lit("found"))
        .when(pl.col("person_id").is_in(asked) & pl.col("first_id").is_in(asked))
        .then(pl.lit("clerk"))
        .otherwise(pl.lit("missed"))
    )
    counted = (
        again.with_columns(outcome=outcome, cause=pl.col("cause").fill_null("none"))
        .group_by("channel", "listing", "cause")
        .agg(
            stated=pl.len(),
            **{word: (pl.col("outcome") == word).sum() for word in ("found", "clerk", "missed")},
        )
        .sort("missed", "stated", "channel", "listing", "cause", descending=[True, True, False, False, False])
    )
    sides = scans["registry/cases"].select("case_id", "kind", "person_id").unique().collect()
    uids = stated.select("person_id", "person_uid").unique()
    cases = (
        sides.join(uids, on="person_id")
        .group_by("case_id", "kind")
        .agg(is_one_person=pl.col("person_uid").n_unique() == 1)
        .group_by("kind", "is_one_person")
        .len()
        .sort("kind", "is_one_person")
    )
    return Measured(honest["person_uid"].n_unique(), wrong, counted, cases)


def _identified(house: House, scans: dict[str, pl.LazyFrame], truth: pl.DataFrame) -> pl.DataFrame:
    """The rows of the truth that were accepted, each with the person the registry made of it."""
    claims = scans["registry/claims"].select("identity_id", "family_id", "nik", "name", "birth_date")
    homes = truth.select("family_card_number").unique().sort("family_card_number")
    homes = homes.with_columns(family_id=house.key.ids("family", homes["family_card_number"]))
    sound = ~pl.col("cause").fill_null("").str.contains("|".join(REJECTED))
    rows = (
        truth.filter(sound)
        .join(homes, on="family_card_number")
        .with_columns(birth_date_landed=pl.col("birth_date_landed").str.to_date(strict=False))
    )
    numbered = claims.filter(pl.col("nik").is_not_null()).select("nik", "identity_id").unique("nik").collect()
    unnumbered = claims.filter(pl.col("nik").is_null()).collect()
    found = pl.concat(
        [
            rows.filter(pl.col("nik_landed").is_not_null()).join(numbered, left_on="nik_landed", right_on="nik"),
            rows.filter(pl.col("nik_landed").is_null()).join(
                unnumbered.drop("nik"),
                left_on=["family_id", "name_landed", "birth_date_landed"],
                right_on=["family_id", "name", "birth_date"],
            ),
        ]
    )
    aliases = scans["registry/aliases"].collect()
    return found.join(aliases, on="identity_id", how="left").with_columns(
        person_id=pl.coalesce("person_id", "identity_id")
    )
