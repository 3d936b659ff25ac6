"""True consumption, true poverty and true eligibility; what anybody knows of them is not decided here."""

from datetime import date

import numpy as np
import polars as pl

from schemas.vocabularies import Programme
from world.dice import Array
from world.geography import Regency
from world.livelihoods import livelihoods
from world.numbers import ages
from world.parameters import Consumption, Country, Payments
from world.people import AT_SCHOOL, ELDERLY, SEVERE, days

DECILES = {Programme.PKH: 4, Programme.BPNT: 5}
"""Highest decile of consumption, among the families of the regency, that is truly in need (Kepmensos 79/HUK/2025)."""
ELECTRICITY_LIMIT, GAMBLING_LIMIT = 1300, 5_000_000
_OFFICES = ("is_certified_teacher", "has_state_income", "is_company_owner", "is_health_worker", "is_village_official")
_HIGHEST_SCHOOL_STAGE = 17
_HIGHEST_OF_STAGE = {"primary": 5, "junior_secondary": 10, "senior_secondary": _HIGHEST_SCHOOL_STAGE}
_TYPICAL_SIZE = 3
_TYPICAL_WORKING = 0.5
_YOUNG_CHILD = 7


def standing(families: pl.DataFrame, members: pl.DataFrame, parameters: Consumption) -> Array:
    """Log consumption per head up to place and scale of the regency; families without a living member as of one."""
    size = members["household_size"].fill_null(1).to_numpy().astype(np.float64)

    def of(name: str) -> Array:
        return members[name].fill_null(0).to_numpy().astype(np.float64)

    return np.asarray(
        parameters.welfare * families["welfare"].to_numpy()
        + parameters.schooling * of("highest_education")
        + parameters.size * (np.minimum(size, 8) - _TYPICAL_SIZE)
        + parameters.young * of("under_seven_count")
        + parameters.working * (of("working_count") / size - _TYPICAL_WORKING)
        + parameters.village * families["village_luck"].to_numpy()
        + parameters.luck * families["luck"].to_numpy()
    )


def calibrated(standings: Array, size: Array, regency: Regency, spread: float) -> tuple[float, float]:
    """Place and scale (log rupiah) with which the person share below the poverty line is the regency's P0.

    Parameters
    ----------
    standings : array of shape (n_families,)
    size : array of shape (n_families,)
        Living members, the weights.
    """
    order = np.argsort(standings, kind="stable")
    below = np.cumsum(size[order]) / size.sum()
    at = int(np.searchsorted(below, regency.poverty_share))
    scale = spread / float(standings.std())
    # Halfway between the last poor family and the next, so that rounding to rupiah moves nobody over the line.
    edge = (standings[order[at]] + standings[order[max(at - 1, 0)]]) / 2
    return float(np.log(regency.poverty_line) - scale * edge), scale


def consumption(standings: Array, place: float, scale: float) -> Array:
    """Consumption in whole rupiah per head and month."""
    return np.round(np.exp(place + scale * standings)).astype(np.int64)


def deciles(rupiah: Array) -> Array:
    """Decile 1 (poorest) to 10 of families by consumption per head."""
    rank = np.empty(len(rupiah), dtype=np.int64)
    rank[np.argsort(rupiah, kind="stable")] = np.arange(len(rupiah))
    return np.asarray(1 + rank * 10 // len(rupiah))


def electricity(families: pl.DataFrame, country: Country) -> Array:
    """Volt-amperes of each family's own connection: what the answer says, the dwelling telling 3,500 from 5,500."""
    choices = country.electricity_va
    table = np.zeros((max(choices) + 1, 2), dtype=np.int64)
    for code, amounts in choices.items():
        table[code] = amounts[0], amounts[-1]
    return np.asarray(table[families["electricity_connection"].to_numpy(), families["dwelling"].to_numpy() % 2])


def truth(families: pl.DataFrame, persons: pl.DataFrame, regency: Regency, day: date, country: Country) -> pl.DataFrame:
    """Per family row: why it is truly excluded (null: it is not), decile, and for whom it is truly eligible.

    `families` holds consumption_rupiah_per_capita_month. The deciles are those of the home regency's families.
    """
    limit = country.minimum_wage_rupiah_month.get(regency.code, country.minimum_wage_elsewhere_rupiah_month)
    age = pl.Series("age", ages(persons["birth"].to_numpy(), days(day)))
    living = livelihoods(persons, families, days(day), country)
    found = (
        pl.concat([persons.with_columns(age), living], how="horizontal")
        .filter(pl.col("is_alive"))
        .group_by("family")
        .agg(
            pl.col("is_civil_servant", "is_soldier_or_police", "is_pensioner").any(),
            (pl.col("wage").max() > limit).alias("is_well_paid"),
            pl.col(*_OFFICES, "receives_other_aid", "gambling_rupiah").max(),
            (
                pl.col("is_pregnant") | (pl.col("age") < _YOUNG_CHILD) | (pl.col("age") >= ELDERLY)
                | (pl.col("disability") <= SEVERE) | pl.col("is_rights_victim")
                | ((pl.col("school_participation") == AT_SCHOOL) & (pl.col("school_level") <= _HIGHEST_SCHOOL_STAGE))
            ).any().alias("has_component"),
        )
    )  # fmt: skip
    rupiah = families["consumption_rupiah_per_capita_month"].to_numpy()
    rows = pl.DataFrame(
        {
            "family": np.arange(families.height),
            "decile": deciles(rupiah),
            "is_poor": rupiah < regency.poverty_line,
            "electricity": electricity(families, country),
        }
    )
    joined = rows.join(found, on="family", how="left").sort("family")
    exclusion = (
        pl.when(pl.col("has_component").is_null()).then(pl.lit("no_living_member"))
        .when(pl.col("is_civil_servant")).then(pl.lit("civil_servant"))
        .when(pl.col("is_soldier_or_police")).then(pl.lit("soldier_or_police"))
        .when(pl.col("is_pensioner")).then(pl.lit("pensioner"))
        .when(pl.any_horizontal(pl.col(_OFFICES) == 1)).then(pl.lit("office"))
        .when(pl.col("receives_other_aid") == 1).then(pl.lit("other_aid"))
        .when(pl.col("is_well_paid")).then(pl.lit("wage"))
        .when(pl.col("electricity") > ELECTRICITY_LIMIT).then(pl.lit("electricity"))
        .when(pl.col("gambling_rupiah") > GAMBLING_LIMIT).then(pl.lit("gambling"))
    )  # fmt: skip
    free = pl.col("exclusion").is_null()
    return joined.with_columns(exclusion.alias("exclusion"), pl.col("has_component").fill_null(value=False)).select(
        "is_poor",
        "decile",
        "exclusion",
        "has_component",
    ).with_columns(
        (free & (pl.col("decile") <= DECILES[Programme.PKH]) & pl.col("has_component")).alias("is_eligible_pkh"),
        (free & (pl.col("decile") <= DECILES[Programme.BPNT])).alias("is_eligible_bpnt"),
    )  # fmt: skip


def pkh_rupiah(persons: pl.DataFrame, families: int, day: date, payments: Payments) -> Array:
    """Rupiah per family row that PKH pays for its living members by what they truly are: each once, at his highest."""
    at_school = pl.col("school_participation") == AT_SCHOOL
    stages = list(_HIGHEST_OF_STAGE.items())
    level = pl.lit(None, pl.String)
    for stage, highest in reversed(stages):
        level = pl.when(pl.col("school_level") <= highest).then(pl.lit(stage)).otherwise(level)
    fits = {
        "rights_victim": pl.col("is_rights_victim"),
        "pregnant": pl.col("is_pregnant"),
        "early_childhood": pl.col("age") < _YOUNG_CHILD,
        "elderly": pl.col("age") >= ELDERLY,
        "severe_disability": pl.col("disability") <= SEVERE,
        **{stage: at_school & (level == stage) for stage, _ in stages},
    }
    component = pl.lit(None, pl.String)
    for name in sorted(payments.pkh, key=lambda one: payments.pkh[one]):
        component = pl.when(fits[name]).then(pl.lit(name)).otherwise(component)
    age = pl.Series("age", ages(persons["birth"].to_numpy(), days(day)))
    most = pl.col("component").replace_strict(payments.pkh_most_of_one, default=payments.pkh_most_persons)
    paid = (
        persons.with_columns(age)
        .filter("is_alive")
        .select("family", component=component)
        .drop_nulls()
        .with_columns(rupiah=pl.col("component").replace_strict(payments.pkh, return_dtype=pl.Int64))
        .filter(pl.int_range(pl.len()).over("family", "component") < most)
        .sort("family", "rupiah", descending=[False, True])
        .filter(pl.int_range(pl.len()).over("family") < payments.pkh_most_persons)
        .group_by("family")
        .agg(pl.col("rupiah").sum())
    )
    total = np.zeros(families, dtype=np.int64)
    total[paid["family"].to_numpy()] = paid["rupiah"].to_numpy()
    return total
