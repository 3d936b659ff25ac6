"""Who is missing: families that DTSEN knows and that have not registered, by village and agent, the frailest first.

Undercoverage starts here. Whether a missing family would qualify is not asked.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from assets.registry.rollups import ELDERLY_AGE, SEVERE, age_on
from schemas.regions import district_of, reference, regencies, regency_of

COUNTED = (
    "sight_difficulty", "hearing_difficulty", "walking_difficulty", "hands_difficulty", "learning_difficulty",
    "behaviour_difficulty", "speech_difficulty", "self_care_difficulty", "memory_difficulty",
)  # fmt: skip
"""The difficulties of DTSEN that tell a disability."""
_DIGITS = pl.col("village_code_stated").str.replace_all(".", "", literal=True)


def stated_regency(bps_batches: Sequence[str]) -> pl.Expr:
    """Regency (Kemendagri) of a row of `dtsen_families`; a BPS code names it through the bridge of 2025.

    Parameters
    ----------
    bps_batches : sequence of str
        Batches that declare BPS codes; the others bear Kemendagri's.
    """
    pairs = regencies()
    bridged = _DIGITS.str.slice(0, 4).replace_strict(pairs["code_bps"], pairs["code"], default=None)
    dotted = pl.concat_str([_DIGITS.str.slice(0, 2), _DIGITS.str.slice(2, 2)], separator=".")
    return pl.when(pl.col("batch_id").is_in(sorted(bps_batches))).then(bridged).otherwise(dotted)


def placed(families: pl.LazyFrame, bps_batches: Sequence[str]) -> pl.LazyFrame:
    """Families of DTSEN with `village_code`, in canonical form.

    A BPS code names its district where the reference tables have the pair, and its village by the name stated beside
    it; what cannot be told stays a district or a regency.

    Parameters
    ----------
    families : LazyFrame
        Feed `dtsen_families`, at least the columns of the village and `batch_id`.
    bps_batches : sequence of str
        As in :func:`stated_regency`.
    """
    dotted = pl.concat_str(
        [stated_regency(()), _DIGITS.str.slice(4, 2), _DIGITS.str.slice(6)], separator="."
    )  # fmt: skip
    districts, villages = reference("districts"), reference("villages")
    district = _DIGITS.str.slice(0, 7).replace_strict(districts["code_bps"], districts["code"], default=None)
    named = villages.lazy().select(_district="district_code", _name=pl.col("name").str.to_uppercase(), _village="code")
    return (
        families.with_columns(_district=district, _name=pl.col("village_name").str.strip_chars().str.to_uppercase())
        .join(named, on=["_district", "_name"], how="left")
        .with_columns(
            village_code=pl.when(pl.col("batch_id").is_in(sorted(bps_batches)))
            .then(pl.coalesce("_village", "_district", stated_regency(bps_batches)))
            .otherwise(dotted)
        )
        .drop("_district", "_name", "_village")
    )


def registered_families(persons: pl.LazyFrame, cards: pl.LazyFrame, numbers: pl.LazyFrame) -> pl.DataFrame:
    """`family_card_number` of the families of DTSEN that are registered, under whatever card.

    A family is registered if its card is on record, or any of its persons is.

    Parameters
    ----------
    persons : LazyFrame
        Feed `dtsen_persons`, at least card and NIK.
    cards, numbers : LazyFrame
        `family_card_number` and `nik` on record.
    """
    by_person = persons.select("family_card_number", "nik").join(numbers, on="nik", how="semi")
    return pl.concat([cards, by_person.select("family_card_number")]).unique().collect()


def frailty(persons: pl.LazyFrame, registered: pl.DataFrame, day: date) -> pl.DataFrame:
    """`family_card_number, elderly_count, disabled_count`, and `stated`, the number of persons, of the unregistered.

    Parameters
    ----------
    persons : LazyFrame
        Feed `dtsen_persons`: card, NIK, name, birth date and `COUNTED`.
    registered : DataFrame
        From :func:`registered_families`.
    day : date
        On which ages are counted.
    """
    return (
        persons.join(registered.lazy(), on="family_card_number", how="anti")
        .unique()
        .group_by("family_card_number")
        .agg(
            elderly_count=(age_on(day) >= ELDERLY_AGE).sum().cast(pl.Int64),
            disabled_count=(pl.min_horizontal(COUNTED) <= SEVERE).sum().cast(pl.Int64),
            stated=pl.len().cast(pl.Int64),
        )
        .collect()
    )


def outreach(
    families: pl.DataFrame, registered: pl.DataFrame, frail: pl.DataFrame, agents: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The families to be called on, and how well each village is covered.

    Parameters
    ----------
    families : DataFrame
        Feed `dtsen_families` of some regencies, with `village_code` in canonical form.
    registered, frail : DataFrame
        From :func:`registered_families` and :func:`frailty`, at least of these families.
    agents : DataFrame
        Feed `agents` of these regencies.

    Returns
    -------
    outreach, coverage : DataFrame
        By the contracts `registry/outreach` and `registry/coverage`. The agent is the first by name of those who
        serve the village.
    """
    serving = agents.drop_nulls("village_code").group_by("village_code").agg(
        pl.col("agent_id").min(), agents=pl.col("agent_id").n_unique().cast(pl.Int64)
    )  # fmt: skip
    placed_families = (
        families.join(frail, on="family_card_number", how="left")
        .join(registered.with_columns(is_registered=pl.lit(value=True)), on="family_card_number", how="left")
        .join(serving, on="village_code", how="left")
        .with_columns(
            pl.col("elderly_count", "disabled_count", "agents").fill_null(0),
            pl.col("is_registered").fill_null(value=False),
            member_count=pl.coalesce("member_count", "stated", 0),
            regency_code=regency_of("village_code"),
            district_code=district_of("village_code"),
        )
    )
    missing = placed_families.filter(~pl.col("is_registered")).sort(
        "village_code", "elderly_count", "disabled_count", "decile_national", "family_card_number",
        descending=[False, True, True, False, False], nulls_last=True,
    )  # fmt: skip
    is_missing = ~pl.col("is_registered")
    covered = placed_families.group_by("regency_code", "district_code", "village_code").agg(
        pl.col("agents").first(),
        known=pl.len().cast(pl.Int64),
        registered=pl.col("is_registered").sum().cast(pl.Int64),
        missing=is_missing.sum().cast(pl.Int64),
        missing_elderly=(is_missing & (pl.col("elderly_count") > 0)).sum().cast(pl.Int64),
        missing_disabled=(is_missing & (pl.col("disabled_count") > 0)).sum().cast(pl.Int64),
    )
    return missing.with_columns(priority=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("village_code")), covered
