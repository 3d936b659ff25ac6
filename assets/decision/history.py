"""The quarter before: tables of the revision built on, sorted by where its families live now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from assets.decision.draft import Draft
from assets.decision.families import Terms
from assets.house import House
from assets.lake import Table, digest, hash_rows
from assets.steps import Source, TableSource
from schemas.contract import Contract
from schemas.vocabularies import Status

DECISIONS, WORKLIST, SEATS = "decision/decisions", "decision/worklist", "decision/seats"
FAMILIES, MEMBERS = "registry/families", "registry/members"
STATUSES: Mapping[str, pl.DataType] = {
    "family_id": pl.String(), "programme": pl.String(), "status": pl.String(), "regency_code": pl.String(),
    "score_micro": pl.Int64(), "reasons": pl.List(pl.String), "member_since": pl.Date(), "held_since": pl.String(),
    "components": pl.List(pl.String), "amount_rupiah": pl.Int64(),
}  # fmt: skip
"""Columns of decisions that the next quarter looks at."""
_READ_BY_FAMILY: Mapping[str, Sequence[str] | None] = {
    FAMILIES: None,
    MEMBERS: None,
    DECISIONS: tuple(STATUSES),
    WORKLIST: ("family_id", "reason", "since"),
}
"""Tables whose rows follow their families to the regency of now, and the columns that can be asked for; None: all."""


def previous(key: str) -> str:
    """Key of a table of the quarter before among the sources of a step."""
    return f"previous/{key}"


STATUSES_BEFORE, MOVED_OUT = previous("statuses"), previous("moved_out")


@dataclass(frozen=True)
class History:
    """Tables of the revision built on, or the list of current recipients in a first quarter.

    Attributes
    ----------
    tables : mapping
        Tables of the previous revision by key; empty in a first quarter.
    terms : Terms or None
        Terms of the previous quarter.
    departed : DataFrame
        `family_id, regency_code, now`: families that live elsewhere now (null: nowhere), and where they lived; few.
    of_departed : mapping
        Their rows by table.
    received : DataFrame
        In a first quarter `family_id, programme, status, regency_code, member_since, amount_rupiah, now` of the current
        recipients.
    """

    tables: Mapping[str, Table]
    terms: Terms | None
    departed: pl.DataFrame
    of_departed: Mapping[str, pl.DataFrame]
    received: pl.DataFrame

    def list_sources(self, contracts: Mapping[str, Contract]) -> dict[str, Source]:
        """Sources of a regency's step, empty in a first quarter but for the statuses of the current recipients.

        Tables have the previous rows of the families that live in the regency now or lived in it then.
        `previous/statuses` (:data:`STATUSES`) is of those that live in it now, or lived there and are nowhere now;
        `previous/moved_out` (the same columns) is of those that live in another regency now.
        """
        followed = {key: FollowedSource(key, contracts[key], self) for key in _READ_BY_FAMILY}
        seats = self.tables.get(SEATS, Table(SEATS, "", {}))
        return {
            **{previous(key): source for key, source in followed.items()},
            previous(SEATS): TableSource(seats, contracts[SEATS]),
            STATUSES_BEFORE: StatusSource(followed[DECISIONS]),
            MOVED_OUT: MovedOutSource(followed[DECISIONS]),
        }

    def statuses(self, contracts: Mapping[str, Contract], regency: str) -> pl.DataFrame:
        """Rows of `previous/statuses` of a regency."""
        return self.list_sources(contracts)[STATUSES_BEFORE].scan(regency, None).collect()

    def moves(self, regency: str) -> pl.DataFrame:
        """Rows of `departed` from or to a regency."""
        return self.departed.filter((pl.col("regency_code") == regency) | (pl.col("now") == regency))

    def moved_out(self, regency: str) -> pl.DataFrame:
        """`family_id` of families that lived in a regency then and live in another one now."""
        return self.departed.filter(pl.col("regency_code") == regency, pl.col("now").is_not_null()).select("family_id")

    def recipients(self, contracts: Mapping[str, Contract]) -> pl.LazyFrame:
        """`regency_code, programme` of everybody who received, where it was then."""
        columns = ["regency_code", "programme", "status"]
        then = self.tables[DECISIONS].scan(contracts[DECISIONS], columns) if self.tables else self.received.lazy()
        return then.filter(pl.col("status") == Status.RECIPIENT).select("regency_code", "programme")

    def list_regencies_left(self) -> set[str]:
        """Regencies that families are gone from."""
        gone = pl.concat(
            [self.departed.select("regency_code", "now"), self.received.select("regency_code", "now")]
        ).filter(pl.col("now").is_null())
        return set(gone["regency_code"])


@dataclass(frozen=True)
class FollowedSource:
    """A previous table's rows of the families that live in a regency now or lived in it then."""

    key: str
    contract: Contract
    history: History

    def content_hash(self, shard: str) -> str:
        """Hash of the files that hold such rows, and of who moved."""
        if not self.history.tables:
            return digest(None)
        moves = self.history.moves(shard)
        shards = self.history.tables[self.key].shards
        files = sorted((name, shards[name].sha256) for name in {shard, *moves["regency_code"]} if name in shards)
        return digest([self.key, files, moves.rows()])

    def scan(self, shard: str, columns: Sequence[str] | None = None) -> pl.LazyFrame:
        """Rows of a regency."""
        asked = columns or _READ_BY_FAMILY[self.key] or [*self.contract.columns]
        if not self.history.tables:
            return self.contract.empty().lazy().select(asked)
        came = self.history.departed.lazy().filter(pl.col("now") == shard).select("family_id")
        rows = self.history.of_departed[self.key].lazy().select(asked).join(came, on="family_id", how="semi")
        lived = TableSource(self.history.tables[self.key], self.contract).scan(shard, asked)
        return pl.concat([lived, rows])


@dataclass(frozen=True)
class StatusSource:
    """Previous statuses of the families of a regency, in a first quarter those of the current recipients."""

    decisions: FollowedSource

    def content_hash(self, shard: str) -> str:
        """Hash of the rows of a regency, or of the files that hold them."""
        if self.decisions.history.tables:
            return self.decisions.content_hash(shard)
        return hash_rows(self.scan(shard).collect())

    def scan(self, shard: str, columns: Sequence[str] | None = None) -> pl.LazyFrame:
        """Rows of a regency."""
        history, asked = self.decisions.history, columns or [*STATUSES]
        if history.tables:
            left = history.moved_out(shard).lazy()
            return self.decisions.scan(shard, asked).join(left, on="family_id", how="anti", maintain_order="left")
        here = pl.coalesce("now", "regency_code") == shard
        rows = history.received.lazy().filter(here)
        known = rows.match_to_schema(dict(STATUSES), missing_columns="insert", extra_columns="ignore")
        return known.select(asked)


@dataclass(frozen=True)
class MovedOutSource:
    """Previous statuses of the families of a regency that live in another one now."""

    decisions: FollowedSource

    def content_hash(self, shard: str) -> str:
        """Hash of the files that hold the rows."""
        return self.decisions.content_hash(shard)

    def scan(self, shard: str, columns: Sequence[str] | None = None) -> pl.LazyFrame:
        """Rows of a regency."""
        left = self.decisions.history.moved_out(shard).lazy()
        return self.decisions.scan(shard, columns or [*STATUSES]).join(left, on="family_id", how="semi")


@dataclass(frozen=True)
class ElsewhereSource:
    """A table of this quarter: its rows of the other regencies from which families came to a regency."""

    table: Table
    contract: Contract
    departed: pl.DataFrame

    def _part(self, shard: str) -> Table:
        left = set(self.departed.filter(pl.col("now") == shard)["regency_code"]) - {shard}
        shards = self.table.shards
        return Table(
            self.table.key, self.table.quarter, {name: shards[name] for name in sorted(left) if name in shards}
        )

    def content_hash(self, shard: str) -> str:
        """Hash of the rows of these regencies."""
        return self._part(shard).content_hash

    def scan(self, shard: str, columns: Sequence[str] | None = None) -> pl.LazyFrame:
        """Rows of these regencies."""
        return self._part(shard).scan(self.contract, columns)


def elsewhere(key: str) -> str:
    """Key of a table of the regencies that families came from among the sources of a step."""
    return f"elsewhere/{key}"


def history_of(house: House, previous_draft: Draft | None, current: Table, families: Table, persons: Table) -> History:
    """The history a quarter builds on: the previous revision, or the current recipients of a first quarter.

    Parameters
    ----------
    previous_draft : Draft or None
        Draft of the revision built on.
    current : Table
        Feed `current_recipients`.
    families, persons : Table
        This quarter's registry, in which the current recipients are found by card, else by the head's number.
    """
    contracts = house.contracts
    homes = families.scan(contracts[FAMILIES]).select("family_id", now="regency_code")
    if previous_draft is not None:
        tables = {key: previous_draft.table(house, key) for key in previous_draft.tables}
        departed = (
            tables[FAMILIES]
            .scan(contracts[FAMILIES], ["family_id", "regency_code"])
            .join(homes, on="family_id", how="left")
            .filter(pl.col("regency_code").ne_missing(pl.col("now")))
            .sort("family_id")
            .collect()
        )
        of_departed = {
            key: tables[key]
            .scan(contracts[key], columns)
            .join(departed.lazy().select("family_id"), on="family_id", how="semi")
            for key, columns in _READ_BY_FAMILY.items()
        }
        rows = {key: frame.collect() for key, frame in of_departed.items()}
        return History(tables, previous_draft.terms(house), departed, rows, _nobody())
    cards = families.scan(contracts[FAMILIES]).select("family_card_number", by_card="family_id")
    heads = persons.scan(contracts[persons.key]).select(head_nik="nik", by_head="family_id").drop_nulls()
    nobody = pl.concat_str(pl.lit("unregistered:"), "batch_id", pl.col("row_number").cast(pl.String))
    received = (
        current.scan(contracts[current.key])
        .join(cards, on="family_card_number", how="left")
        .join(heads, on="head_nik", how="left")
        .select(
            pl.coalesce("by_card", "by_head", nobody).alias("family_id"),
            "programme",
            pl.lit(Status.RECIPIENT.value).alias("status"),
            "regency_code",
            "amount_rupiah",
            member_since="since_date",
        )
        .sort(pl.all())
        .unique(["family_id", "programme"], keep="first", maintain_order=True)
        .join(homes, on="family_id", how="left")
        .sort("family_id", "programme")
        .collect()
    )
    return History({}, None, _nobody().select("family_id", "regency_code", "now"), {}, received)


def _nobody() -> pl.DataFrame:
    words = dict.fromkeys(["family_id", "programme", "status", "regency_code", "now"], pl.String)
    return pl.DataFrame(schema={**words, "member_since": pl.Date, "amount_rupiah": pl.Int64})
