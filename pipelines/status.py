"""What the command line tells of a home: loaded, proposed, approved, published, and the places of a quarter."""

from typing import Any

import polars as pl

from assets.decision.draft import FILE, Draft, read_draft
from assets.decision.places import places
from assets.house import House
from assets.intake.batches import LEDGER, batches
from assets.intake.parking import still_parked
from assets.intake.pins import Pins
from assets.intake.poverty import poverty_of
from assets.intake.senders import Senders
from assets.publication.approvals import approvals
from assets.published import current, in_force, tables_of
from schemas.quarter import Quarter
from schemas.vocabularies import BatchState, Feed

_COUNTS = ("read", "accepted", "rejected", "parked")


def status_of(house: House, only: Quarter | None) -> dict[str, Any]:
    """Feeds with their counts, drafts with their approvals and the revision in force, by quarter.

    What is parked is counted now, as of the cut-off: rows whose family or person no registration in force names.
    Withdrawn and superseded batches are not counted. Read = accepted + rejected + parked. `third_party` are the batches
    without a registered sender.
    """
    ledger = house.lake.root / LEDGER
    known = {folder.name for folder in (*ledger.glob("*"), *house.drafts.glob("*")) if folder.is_dir()}
    told = {}
    for name in sorted(known if only is None else {str(only)}):
        quarter = Quarter.parse(name)
        waiting = still_parked(house.lake, house.contracts, quarter, house.days(quarter).cut_off)
        registered = Senders.in_force(house, quarter).registered
        third_party = []
        feeds: dict[str, dict[str, int]] = {}
        for batch in batches(house.lake, name):
            if batch.state is not BatchState.LOADED:
                continue
            if batch.declaration.sender not in registered:
                third_party.append(batch.batch_id)
            feed = feeds.setdefault(batch.feed, {"batches": 0, **dict.fromkeys(_COUNTS, 0)})
            feed["batches"] += 1
            parked = sum(one.rows for one in waiting if one.batch_id == batch.batch_id)
            feed["read"] += batch.read
            feed["rejected"] += batch.rejected
            feed["parked"] += parked
            feed["accepted"] += batch.accepted + batch.parked - parked
        drafts = [read_draft(path.parent) for path in sorted(house.drafts.glob(f"{name}/*/{FILE}"))]
        told[name] = {
            "feeds": feeds,
            "still_parked": [{"feed": str(one.feed), "batch": one.batch_id, "rows": one.rows} for one in waiting],
            "third_party": third_party,
            "drafts": [
                {
                    "draft": draft.hash,
                    "scaled": draft.is_scaled,
                    "approvals": [str(role) for role in approvals(house, draft)],
                    "budget": _read(house, draft, "decision/budget").filter(level="nation").to_dicts(),
                    "displaced": _displaced(_read(house, draft, "decision/displaced")),
                    "drift": _read(house, draft, "decision/drift").filter("is_alarm").to_dicts(),
                    "waiting": _waiting(_read(house, draft, "decision/open_checks")),
                    "reviews": _reviews(house, draft),
                    "refused_statements": _read(house, draft, "registry/refused").height,
                    "expiries": _expiries(_read(house, draft, "registry/expiries")),
                    "deciles": _deciles(_read(house, draft, "decision/deciles_compared")),
                }
                for draft in drafts
            ],
            "published": current(house).get(name),
        }
    return told


def _read(house: House, draft: Draft, key: str) -> pl.DataFrame:
    """A small table of a draft; empty where a draft of an earlier version has none."""
    return draft.read(house, key) if key in draft.tables else house.contracts[key].empty()


def _displaced(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Families that rules placed before others in the whole country, and how much poorer those are on average."""
    poorer = (pl.col("poorer_micro") * pl.col("families")).sum() // pl.col("families").sum()
    by_rule = table.group_by("programme", "placed_by").agg(poorer_micro=poorer, families=pl.col("families").sum())
    return by_rule.sort("programme", "placed_by").to_dicts()


def _waiting(table: pl.DataFrame) -> dict[str, int]:
    """Families of the whole country that are held, since when, whose case waits for the supervisor; places kept."""
    counted = table.select(pl.selectors.integer().sum()).rows(named=True)
    return counted[0] if table.height else {}


def _reviews(house: House, draft: Draft) -> dict[str, int]:
    """Families of the whole country that asked for a human review, by how far it is."""
    key = "decision/worklist"
    if key not in draft.tables:
        return {}
    states = draft.table(house, key).scan(house.contracts[key], ["review_state"]).drop_nulls().collect()
    return dict(states.group_by("review_state").len().sort("review_state").iter_rows())


def _expiries(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Families of the whole country whose answers expire, by quarter and whether they receive."""
    return (
        table.group_by("quarter", "is_receiving")
        .agg(pl.col("families").sum())
        .sort("quarter", "is_receiving")
        .to_dicts()
    )


def _deciles(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Families with our own and an official decile, by frame: how many, in the same, and in the same or the next."""
    apart = (pl.col("own_decile") - pl.col("official_decile")).abs()
    return (
        table.drop_nulls(["own_decile", "official_decile"])
        .group_by("frame")
        .agg(
            families=pl.col("families").sum(),
            same=pl.col("families").filter(apart == 0).sum(),
            within_one=pl.col("families").filter(apart <= 1).sum(),
        )
        .sort("frame")
        .to_dicts()
    )


def seats_of(house: House, quarter: Quarter) -> pl.DataFrame:
    """The seat table of a quarter (contract `decision/seats`): the published one, else by the law and the home's data.

    Before a quarter is published its places follow from the poverty figures that lie in the home and the places of
    the quarter before; caps counted from eligible families are not known then.
    """
    contract = house.contracts["decision/seats"]
    published = tables_of(house, in_force(house, quarter)).get(contract.key)
    if published is not None:
        return published.read(contract)
    pins = Pins.of(house.lake, quarter, None)
    figures = poverty_of(house, pins, pins.tables(house.lake)[Feed.POVERTY_STATISTICS])
    before = tables_of(house, in_force(house, quarter.previous)).get(contract.key)
    return places(house.policy(quarter), figures, None, None if before is None else before.read(contract))
