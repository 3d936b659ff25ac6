"""From accepted statements to the registry of a quarter: which shards are mapped, in which order, over which tables.

Identity goes by buckets of the person's number, records by regency; a narrow index of family cards joins the two.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import polars as pl

from assets.house import House
from assets.intake.batches import Batch
from assets.lake import WHOLE, Table, digest
from assets.pseudonyms import PseudonymKey
from assets.registry.attributes import oldest_day, statements
from assets.registry.families import family_index
from assets.registry.persons import newcomers_without_persons, resolve_persons
from assets.registry.records import attributes_of, family_records
from assets.registry.statements import FEEDS, Statements, counted
from schemas.identifiers import BUCKETS
from schemas.quarter import Quarter
from schemas.vocabularies import Feed

ROWS_PER_BUCKET_SHARD = 1_000_000
TABLES = (
    "registry/families", "registry/provenance", "registry/members", "registry/persons", "registry/cases",
    "registry/parked",
)  # fmt: skip
UNNUMBERED = "unnumbered"
"""Shard of the persons without a NIK; a family's card, and so the bucket of its newborn, may change."""


def resolve(
    house: House,
    quarter: Quarter,
    feeds: Mapping[Feed, Table],
    pinned: Sequence[Batch],
    previous: Mapping[str, Table],
) -> dict[str, Table]:
    """The registry of a quarter.

    Parameters
    ----------
    feeds : mapping
        Accepted tables of the pinned batches, at least of :data:`assets.registry.statements.FEEDS`.
    previous : mapping
        Registry tables of the revision built on; empty in a first quarter.

    Returns
    -------
    dict
        Tables by key: `registry/families`, `provenance`, `members` by regency, `persons` and `cases` by bucket,
        `parked` whole.
    """
    lake, contracts = house.lake, house.contracts
    said = Statements.of_quarter(house, quarter, feeds, pinned)
    before = {key: previous.get(key) or Table(key, str(quarter.previous), {}) for key in TABLES}
    scans = {key: table.scan(contracts[key]) for key, table in before.items()}
    receiving = said.raw(Feed.CURRENT_RECIPIENTS) if not previous else said.raw(Feed.CURRENT_RECIPIENTS).clear()
    index = family_index(
        said.of(Feed.REGISTRATIONS), said.of(Feed.MEMBERS), scans["registry/families"], scans["registry/provenance"],
        scans["registry/persons"], receiving, house.key,
    )  # fmt: skip
    read = [feeds[feed] for feed in FEEDS]
    settings = (house.key, said, house.policy(quarter), house.days(quarter), house.questionnaire)

    rows = feeds[Feed.MEMBERS].rows + before["registry/persons"].rows
    numbered, cases = lake.map_shards(
        _numbered_persons, str(quarter), [contracts["registry/persons"], contracts["registry/cases"]],
        _bucket_shards(-(-rows // ROWS_PER_BUCKET_SHARD)), [*read, *before.values()],
        said, scans, index, house.key,
        settings=settings,
    )  # fmt: skip
    (unnumbered,) = lake.map_shards(
        _persons_without_number, str(quarter), [contracts["registry/persons"]],
        [UNNUMBERED], [*read, *before.values(), numbered],
        said, scans, index, numbered.scan(contracts["registry/persons"]), house.key,
        settings=settings,
    )  # fmt: skip
    persons = Table(numbered.key, numbered.quarter, {**numbered.shards, **unnumbered.shards})
    found = {table.key: table.scan(contracts[table.key]) for table in (persons, cases)}

    personless = newcomers_without_persons(
        found["registry/persons"], found["registry/cases"], said.of(Feed.MEMBERS), index,
        scans["registry/persons"], scans["registry/families"], house.key,
    )  # fmt: skip
    families, provenance, members = lake.map_shards(
        _records_of_regency, str(quarter),
        [contracts["registry/families"], contracts["registry/provenance"], contracts["registry/members"]],
        index.filter("is_current")["regency_code"].unique().sort().to_list(),
        [*read, persons, cases, *before.values()],
        house, quarter, said, index, personless, found, scans,
        settings=settings,
    )  # fmt: skip

    parked = _parked(said, index, found["registry/persons"])
    shard = lake.write(contracts["registry/parked"], str(quarter), WHOLE, digest([parked.rows()])[:32], parked)
    made = (families, provenance, members, persons, cases, Table("registry/parked", str(quarter), {WHOLE: shard}))
    return {table.key: table for table in made}


def _bucket_shards(count: int) -> list[str]:
    count = min(max(count, 1), BUCKETS)
    edges = [position * BUCKETS // count for position in range(count + 1)]
    return [f"b{low:03}-{high - 1:03}" for low, high in pairwise(edges)]


def _numbered_persons(
    shard: str, said: Statements, before: Mapping[str, pl.LazyFrame], index: pl.DataFrame, key: PseudonymKey
) -> tuple[pl.DataFrame, ...]:
    low, high = (int(edge) for edge in shard[1:].split("-"))
    mine = pl.col("nik_bucket").is_between(low, high) & pl.col("nik").is_not_null()
    return resolve_persons(
        said.of(Feed.MEMBERS).filter(mine).collect(),
        said.of(Feed.EVIDENCE).filter(mine).collect(),
        before["registry/persons"].filter(mine).collect(),
        before["registry/cases"].collect(),
        index,
        said.coverage,
        key,
    )


def _persons_without_number(
    shard: str,  # noqa: ARG001
    said: Statements,
    before: Mapping[str, pl.LazyFrame],
    index: pl.DataFrame,
    numbered: pl.LazyFrame,
    key: PseudonymKey,
) -> tuple[pl.DataFrame, ...]:
    mine = pl.col("nik").is_null()
    persons, _ = resolve_persons(
        said.of(Feed.MEMBERS).filter(mine).collect(),
        said.of(Feed.EVIDENCE).clear().collect(),
        before["registry/persons"].filter(mine).collect(),
        before["registry/cases"].clear().collect(),
        index,
        said.coverage,
        key,
    )
    # Who has been given a number since is there under it already.
    identity = ["family_id", "name", "birth_date"]
    since_numbered = numbered.join(persons.lazy().select(identity), on=identity, how="semi").select(identity).collect()
    return (persons.join(since_numbered, on=identity, how="anti"),)


def _records_of_regency(
    regency: str,
    house: House,
    quarter: Quarter,
    said: Statements,
    index: pl.DataFrame,
    personless: pl.DataFrame,
    found: Mapping[str, pl.LazyFrame],
    before: Mapping[str, pl.LazyFrame],
) -> tuple[pl.DataFrame, ...]:
    here = pl.col("regency_code") == regency
    current = index.filter("is_current", here)
    families = current.lazy().select("family_id")
    # An older card of the family may still bear the code of the regency it left.
    cards = (
        index.lazy()
        .select("family_card_number", "family_id", "was_on_record")
        .join(families, on="family_id", how="semi")
    )
    attributes = attributes_of(house.questionnaire)
    registrations, surveys, validations = (
        counted(said.of(feed), cards).collect() for feed in (Feed.REGISTRATIONS, Feed.SURVEYS, Feed.VALIDATIONS)
    )
    sources = [f"{name}_{part}" for name in attributes for part in ("source", "date")]
    carried = (
        before["registry/families"]
        .join(families, on="family_id", how="semi")
        .join(before["registry/provenance"].select("family_id", *sources, "visit_result"), on="family_id")
        .select("family_id", *attributes, *sources)
        .collect()
    )
    policy, days = house.policy(quarter), house.days(quarter)
    return family_records(
        current,
        found["registry/persons"].filter(here).collect(),
        personless,
        found["registry/cases"].filter(here).collect(),
        statements(registrations, surveys, validations, attributes),
        carried,
        house.questionnaire,
        precedence=policy.registry.source_precedence,
        oldest=oldest_day(days.cut_off, policy.registry.answer_max_age_days),
        newest=days.cut_off,
        day=days.decision_date,
    )


def _parked(said: Statements, index: pl.DataFrame, persons: pl.LazyFrame) -> pl.DataFrame:
    """Rows that wait: for the registration of their family, for its members, or for the person asked about."""
    card = "family_card_number"
    cards = index.lazy().select(card)
    peopled = pl.concat([said.raw(Feed.MEMBERS).select(card), index.lazy().filter("was_on_record").select(card)])
    waiting = [
        said.raw(feed)
        .join(known, on=key, how="anti")
        .group_by("batch_id")
        .agg(rows=pl.len().cast(pl.Int64))
        .select(pl.lit(feed.value).alias("feed"), "batch_id", "rows")
        for feed, key, known in (
            (Feed.REGISTRATIONS, card, peopled),
            (Feed.MEMBERS, card, cards),
            (Feed.SURVEYS, card, cards),
            (Feed.VALIDATIONS, card, cards),
            (Feed.EVIDENCE, "nik", persons.select("nik")),
        )
    ]
    return pl.concat(waiting).sort("feed", "batch_id").collect()
