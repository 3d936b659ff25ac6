"""What has changed among the families since last quarter, in the eyes of the scorecard in force; nothing is decided."""

import polars as pl

from assets.decision.families import Terms
from assets.decision.history import History, previous
from assets.house import House
from assets.lake import WHOLE, Table
from assets.steps import list_sources, step
from assets.welfare.drift import profile, stability
from assets.welfare.scorecard import Scorecard
from quotas.rules import MILLION
from schemas.quarter import Quarter
from schemas.tables import TABLES

PROFILES = "decision/profiles"


def drift_tables(house: House, terms: Terms, families: Table, history: History) -> dict[str, Table]:
    """Counts of this quarter's families per bin, by regency, and the drift against last quarter's, if there was one.

    Last quarter's families are counted in the bins of the scorecard of now. Where it was in force then too, and the
    code is the same, their counts lie in the lake from then.
    """
    now = _profile(house, terms.quarter, terms.scorecard, families)
    then = history.tables.get(families.key)
    before = Table(PROFILES, "", {}) if then is None else _profile(house, terms.quarter.previous, terms.scorecard, then)
    sources = list_sources(house.contracts, {PROFILES: now, previous(PROFILES): before})
    found = find_drift.run(house.lake, house.contracts, str(terms.quarter), [WHOLE], sources, terms=terms)
    return {PROFILES: now, **found}


def _profile(house: House, quarter: Quarter, card: Scorecard, families: Table) -> Table:
    sources = list_sources(house.contracts, {families.key: families})
    shards = sorted(families.shards)
    return profile_regency.run(house.lake, house.contracts, str(quarter), shards, sources, card=card)[PROFILES]


@step(reads={"records": "registry/families"}, uses=("card",), writes=(PROFILES,))
def profile_regency(records: pl.DataFrame, *, card: Scorecard) -> pl.DataFrame:
    """Count the families of a regency per bin."""
    households = records.rename({"family_id": card.spec.id})
    return profile(households, card).with_columns(regency_code=pl.lit(records["regency_code"].first()))


@step(
    reads={"profiles": PROFILES, "previous_profiles": previous(PROFILES)}, uses=("terms",), writes=("decision/drift",)
)
def find_drift(profiles: pl.LazyFrame, previous_profiles: pl.LazyFrame, *, terms: Terms) -> pl.DataFrame:
    """Compare this quarter's counts with last quarter's; no row where there are none of last quarter."""
    now, then = _add_up(profiles), _add_up(previous_profiles)
    return TABLES["decision/drift"].empty() if then.is_empty() else drift(now, then, terms)


def _add_up(profiles: pl.LazyFrame) -> pl.DataFrame:
    return profiles.group_by("feature", "bin").agg(pl.col("families").sum()).sort("feature", "bin").collect()


def drift(now: pl.DataFrame, then: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The drift of each feature and of the score, and whether it passes policy's alarm (contract `decision/drift`)."""
    alarm = round(terms.policy.welfare.drift_alarm * MILLION)
    found = stability(now, then, terms.scorecard)
    return found.with_columns(alarm_micro=pl.lit(alarm, pl.Int64), is_alarm=pl.col("psi_micro") > alarm)
