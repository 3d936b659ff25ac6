"""From accepted statements to the registry of a quarter: which shards are mapped, in which order, over which tables.

Identity goes by buckets of the person's number, records by regency; a narrow index of family cards joins the two.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from assets.house import House
from assets.intake.batches import Batch
from assets.lake import WHOLE, Table, digest
from assets.registry.attributes import oldest_day, statements
from assets.registry.families import family_index
from assets.registry.persons import Coverage, resolve_persons
from assets.registry.records import attributes_of, family_records
from schemas.identifiers import BUCKETS
from schemas.quarter import Quarter
from schemas.vocabularies import Feed

ROWS_PER_BUCKET_SHARD = 1_000_000
TABLES = ("registry/families", "registry/provenance", "registry/members", "registry/persons", "registry/cases", "registry/parked")
_DATE_OF = {
    Feed.REGISTRATIONS: "registered_date",
    Feed.MEMBERS: "stated_date",
    Feed.SURVEYS: "survey_date",
    Feed.VALIDATIONS: "validation_date",
    Feed.EVIDENCE: "as_of_date",
}


class Statements:
    """The accepted statements a quarter counts: dated up to its cut-off, and not counted by the quarter before."""

    def __init__(self, house: House, quarter: Quarter, feeds: Mapping[Feed, Table], pinned: Sequence[Batch]) -> None:
        self._contracts = house.contracts
        self._feeds = feeds
        self._cut_off = house.days(quarter).cut_off
        self._issued = {batch.batch_id: batch.declaration.issued_on for batch in pinned}
        self._late = [batch.batch_id for batch in pinned if batch.quarter != str(quarter)]
        self._since = house.days(quarter.previous).cut_off if self._late else date.min

    def of(self, feed: Feed) -> pl.LazyFrame:
        """Statements of a feed with `issued_on`."""
        day = pl.col(_DATE_OF[feed])
        counts = (day <= self._cut_off) & (~pl.col("batch_id").is_in(self._late) | (day > self._since))
        issued = pl.col("batch_id").replace_strict(self._issued, default=None, return_dtype=pl.Date)
        return self._feeds[feed].scan(self._contracts[f"intake/{feed}"]).filter(counts).with_columns(issued_on=issued)


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
        Accepted tables of the pinned batches.
    previous : mapping
        Registry tables of the revision built on; empty in a first quarter.

    Returns
    -------
    dict
        Tables by key: `registry/families`, `provenance`, `members` by regency, `persons` and `cases` by bucket,
        `parked` whole.
    """
    said = Statements(house, quarter, feeds, pinned)
    before = {key: previous.get(key) or Table(key, str(quarter.previous), {}) for key in TABLES}
    scans = {key: table.scan(house.contracts[key]) for key, table in before.items()}
    index = family_index(
        said.of(Feed.REGISTRATIONS), said.of(Feed.MEMBERS), scans["registry/families"], scans["registry/persons"], house.key
    )
    coverage = tuple(
        Coverage(str(batch.declaration.agency), code, batch.declaration.as_of or batch.declaration.issued_on)
        for batch in pinned
        if batch.feed is Feed.EVIDENCE and batch.quarter == str(quarter)
        for code in batch.declaration.coverage
    )
    settings = (house.key, coverage, house.policy(quarter), house.days(quarter), house.questionnaire, sorted(said._late))
    lake, contracts = house.lake, house.contracts
    rows = feeds[Feed.MEMBERS].rows + before["registry/persons"].rows
    persons, cases = lake.map_shards(
        _persons_of_buckets,
        str(quarter),
        [contracts["registry/persons"], contracts["registry/cases"]],
        _bucket_shards(max(1, -(-rows // ROWS_PER_BUCKET_SHARD))),
        [feeds[Feed.REGISTRATIONS], feeds[Feed.MEMBERS], feeds[Feed.EVIDENCE], *before.values()],
        said, scans["registry/persons"], index, coverage, house.key,
        settings=settings,
    )  # fmt: skip
    families, provenance, members = lake.map_shards(
        _records_of_regency,
        str(quarter),
        [contracts["registry/families"], contracts["registry/provenance"], contracts["registry/members"]],
        index["regency_code"].unique().sort().to_list(),
        [*feeds.values(), persons, cases, *before.values()],
        house, quarter, said, index, persons, cases, scans,
        settings=settings,
    )  # fmt: skip
    parked = _parked(house, feeds, index, persons)
    name = digest([parked.rows()])[:32]
    shard = lake.write(contracts["registry/parked"], str(quarter), WHOLE, name, parked)
    made = (families, provenance, members, persons, cases, Table("registry/parked", str(quarter), {WHOLE: shard}))
    return {table.key: table for table in made}


def _bucket_shards(count: int) -> list[str]:
    edges = [round(position * BUCKETS / count) for position in range(count + 1)]
    return [f"b{low:03}-{high - 1:03}" for low, high in zip(edges, edges[1:], strict=False)]


def _persons_of_buckets(  # noqa: PLR0913
    shard: str, said: Statements, previous: pl.LazyFrame, index: pl.DataFrame, coverage: Sequence[Coverage], key: object
) -> tuple[pl.DataFrame, ...]:
    low, high = (int(edge) for edge in shard[1:].split("-"))
    mine = pl.col("nik_bucket").is_between(low, high)
    members = said.of(Feed.MEMBERS).filter(mine).collect()
    evidence = said.of(Feed.EVIDENCE).filter(mine).collect()
    return resolve_persons(members, evidence, previous.filter(mine).collect(), index, coverage, key)  # type: ignore[arg-type]


def _records_of_regency(  # noqa: PLR0913
    regency: str,
    house: House,
    quarter: Quarter,
    said: Statements,
    index: pl.DataFrame,
    persons: Table,
    cases: Table,
    before: Mapping[str, pl.LazyFrame],
) -> tuple[pl.DataFrame, ...]:
    mine = index.filter(pl.col("regency_code") == regency)
    cards = mine.lazy().select("family_card_number", "family_id")
    families = cards.select("family_id").unique()

    def of_families(feed: Feed) -> pl.DataFrame:
        return said.of(feed).join(cards.select("family_card_number"), on="family_card_number", how="semi").collect()

    attributes = attributes_of(house.questionnaire)
    statements_here = statements(
        of_families(Feed.REGISTRATIONS), of_families(Feed.SURVEYS), of_families(Feed.VALIDATIONS), attributes
    ).join(cards.collect(), on="family_card_number")
    sources = [f"{name}_{part}" for name in attributes for part in ("source", "date")]
    carried = (
        before["registry/families"]
        .join(families, on="family_id", how="semi")
        .join(before["registry/provenance"].select("family_id", *sources, "visit_result"), on="family_id")
        .select("family_id", *attributes, *sources)
        .collect()
    )
    policy, days = house.policy(quarter), house.days(quarter)
    here = pl.col("regency_code") == regency
    return family_records(
        mine,
        persons.scan(house.contracts["registry/persons"]).filter(here).collect(),
        cases.scan(house.contracts["registry/cases"]).filter(here).collect(),
        statements_here,
        carried,
        house.questionnaire,
        precedence=policy.registry.source_precedence,
        oldest=oldest_day(days.cut_off, policy.registry.answer_max_age_days),
        newest=days.cut_off,
        day=days.decision_date,
    )


def _parked(house: House, feeds: Mapping[Feed, Table], index: pl.DataFrame, persons: Table) -> pl.DataFrame:
    cards = index.lazy().select("family_card_number")
    niks = persons.scan(house.contracts["registry/persons"]).select("nik")
    waiting = [
        feeds[feed]
        .scan(house.contracts[f"intake/{feed}"])
        .join(known, on=key, how="anti")
        .group_by("batch_id")
        .agg(rows=pl.len().cast(pl.Int64))
        .select(pl.lit(feed.value).alias("feed"), "batch_id", "rows")
        for feed, key, known in (
            (Feed.MEMBERS, "family_card_number", cards),
            (Feed.SURVEYS, "family_card_number", cards),
            (Feed.VALIDATIONS, "family_card_number", cards),
            (Feed.EVIDENCE, "nik", niks),
        )
    ]
    return pl.concat(waiting).sort("feed", "batch_id").collect()
