"""What has changed among the families since last quarter, in the eyes of the scorecard in force; nothing is decided."""

import polars as pl

from assets.decision.families import Terms
from assets.decision.quarter import History
from assets.house import House
from assets.lake import Table
from assets.welfare.drift import profile, stability
from assets.welfare.scorecard import Scorecard
from quotas.rules import MILLION

_FAMILIES = "registry/families"


def drift_tables(house: House, terms: Terms, families: Table, history: History) -> tuple[Table, Table]:
    """Counts of this quarter's families per bin, by regency, and the drift against last quarter's, if there was one.

    Last quarter's families are counted in the bins of the scorecard of now. Where it was in force then too, and the
    code is the same, their counts lie in the lake from then.
    """
    now = _profiles(house, str(terms.quarter), terms.scorecard, families)
    before = history.tables.get(_FAMILIES)
    contract = house.contracts["decision/drift"]
    found = contract.empty()
    if before is not None:
        then = _profiles(house, str(terms.quarter.previous), terms.scorecard, before)
        found = drift(_nation(house, now), _nation(house, then), terms)
    return now, house.lake.write_whole(contract, str(terms.quarter), found)


def drift(now: pl.DataFrame, then: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The drift of each feature and of the score, and whether it passes policy's alarm (contract `decision/drift`)."""
    alarm = round(terms.policy.welfare.drift_alarm * MILLION)
    found = stability(now, then, terms.scorecard)
    return found.with_columns(alarm_micro=pl.lit(alarm, pl.Int64), is_alarm=pl.col("psi_micro") > alarm)


def _profiles(house: House, quarter: str, card: Scorecard, families: Table) -> Table:
    (made,) = house.lake.map_shards(
        _profile_regency, quarter, [house.contracts["decision/profiles"]], sorted(families.shards), [families],
        house, card, families, settings=(card,),
    )  # fmt: skip
    return made


def _profile_regency(regency: str, house: House, card: Scorecard, families: Table) -> tuple[pl.DataFrame, ...]:
    records = families.read(house.contracts[_FAMILIES], regency).rename({"family_id": card.spec.id})
    return (profile(records, card).with_columns(regency_code=pl.lit(regency)),)


def _nation(house: House, profiles: Table) -> pl.DataFrame:
    by_regency = profiles.scan(house.contracts[profiles.key])
    return by_regency.group_by("feature", "bin").agg(pl.col("families").sum()).sort("feature", "bin").collect()
