"""The snapshot of a published quarter: its draft's tables and terms, and what it built on. It is only read."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from assets.decision.draft import previous_draft, read_draft
from assets.decision.families import Families, Terms
from assets.decision.history import History, history_of
from assets.house import House
from assets.intake.poverty import poverty_of
from assets.lake import Table, verify
from assets.published import Revision, in_force
from quotas.overlay import Overlay
from schemas.errors import Refused, Tampered
from schemas.quarter import Quarter
from schemas.vocabularies import Feed

TABLES = ("registry/families", "registry/members", "registry/provenance", "registry/conflicts", "decision/decisions")
"""Tables read by regency."""


@dataclass(frozen=True)
class Snapshot:
    """What a published quarter was decided on, and what was decided.

    Attributes
    ----------
    tables : mapping
        Those of `TABLES`, by key, sharded by regency.
    overlay : Overlay or None
        What was laid over the rulebook.
    terms : Terms
        What the decision rested on.
    seats, seats_before : DataFrame, DataFrame or None
        Seat tables of the quarter and of the one before.
    history : History
        What the quarter before left.
    figures : DataFrame
        From :func:`quotas.poverty.poverty_figures`.
    survey : DataFrame
        Feed `consumption_survey`, the sample with measured consumption; empty where none was delivered.
    """

    house: House
    revision: Revision
    tables: Mapping[str, Table]
    overlay: Overlay | None
    is_scaled: bool
    terms: Terms
    seats: pl.DataFrame
    seats_before: pl.DataFrame | None
    history: History
    figures: pl.DataFrame
    survey: pl.DataFrame

    @property
    def regencies(self) -> list[str]:
        """Regencies with registered families, in order."""
        return sorted(self.tables["registry/families"].shards)

    def read(self, key: str, regency: str) -> pl.DataFrame:
        """The rows of a regency, the file checked against its manifest.

        Raises
        ------
        Tampered
            If the file is not the one that was published.
        """
        table = self.tables[key]
        if regency in table.shards:
            verify(table.shards[regency])
        return table.read(self.house.contracts[key], regency)

    def families(self, regency: str) -> Families:
        """The registered families of a regency and their members."""
        return Families(self.read("registry/families", regency), self.read("registry/members", regency))

    def previous(self, regency: str) -> pl.DataFrame:
        """What was decided for the families of a regency in the quarter before."""
        return self.history.statuses(self.house.contracts, regency)


def snapshot_of(house: House, quarter: Quarter) -> Snapshot:
    """The snapshot of a quarter's revision in force.

    Raises
    ------
    Refused
        If the quarter has no published revision, or this version's rulebook is not the one it was decided under.
    Tampered
        If a file is not what the draft's hash names.
    """
    revision = in_force(house, quarter)
    if revision is None:
        message = f"{quarter} has no published revision to simulate on. `perlinsos status` shows what is published."
        raise Refused(message)
    draft = read_draft(revision.restricted)
    if draft.content_hash(house) != draft.hash:
        message = f"{quarter} r{revision.number} does not hold what its draft's hash names. Restore it from a backup."
        raise Tampered(message)
    terms = draft.terms(house)
    if terms.policy.hash != draft.policy_hash:
        message = (
            f"{quarter} was decided under policy {draft.policy_hash[:12]}; the rulebook of this version gives "
            f"{terms.policy.hash[:12]} for its decision day. Simulate with the version that decided it."
        )
        raise Refused(message)
    feeds = draft.pins.tables(house.lake)
    history = history_of(
        house, previous_draft(house, draft.pins), feeds[Feed.CURRENT_RECIPIENTS],
        draft.table(house, "registry/families"), draft.table(house, "registry/persons"),
    )  # fmt: skip
    before = history.tables.get("decision/seats")
    return Snapshot(
        house=house,
        revision=revision,
        tables={key: draft.table(house, key) for key in TABLES},
        overlay=draft.overlaid(),
        is_scaled=draft.is_scaled,
        terms=terms,
        seats=_whole(house, draft.table(house, "decision/seats")),
        seats_before=None if before is None else _whole(house, before),
        history=history,
        figures=poverty_of(house, draft.pins, feeds[Feed.POVERTY_STATISTICS]),
        survey=_whole(house, feeds[Feed.CONSUMPTION_SURVEY]),
    )


def _whole(house: House, table: Table) -> pl.DataFrame:
    """All rows of a small table, its files checked against their manifest."""
    for shard in table.shards.values():
        verify(shard)
    return table.read(house.contracts[table.key])
