"""Which families there are: every card ever registered, the family it belongs to, and where that family lives.

A narrow national index; persons and answers are joined to it elsewhere.
"""

import polars as pl

from assets.pseudonyms import PseudonymKey
from schemas.feeds import RELATIONS
from schemas.regions import district_of, regency_of
from schemas.vocabularies import FaceMatch

HEAD = next(code for code, word in RELATIONS.items() if word == "kepala")
REGISTRATION_COLUMNS = (
    "village_code", "registered_date", "channel", "proposer", "agent_id", "has_consent", "is_ikd_verified", "face_match",
)  # fmt: skip


def family_index(
    registrations: pl.LazyFrame,
    members: pl.LazyFrame,
    previous_families: pl.LazyFrame,
    previous_persons: pl.LazyFrame,
    key: PseudonymKey,
) -> pl.DataFrame:
    """One row per family card: its family, and the family's registration as last stated.

    A card registered before keeps its family. A new card whose head headed a family before is that family under a
    new number if the newcomer is IKD or face verified; an unverified newcomer never takes over a family.

    Parameters
    ----------
    registrations, members : LazyFrame
        Accepted statements of the quarter, with `issued_on`.
    previous_families, previous_persons : LazyFrame
        Last quarter's registry; empty in a first quarter.

    Returns
    -------
    DataFrame
        `family_card_number` (unique), `family_id`, `is_current` (the family's card in force), `is_sitting` (family
        was in last quarter's registry), `is_verified`, `first_registered_date`, the columns of
        `REGISTRATION_COLUMNS`, `regency_code`, `district_code`; ordered by card number.
    """
    is_verified = pl.col("is_ikd_verified") | (pl.col("face_match") == FaceMatch.PASSED)
    stated = (
        registrations.select("family_card_number", *REGISTRATION_COLUMNS, "issued_on", is_verified=is_verified)
        .sort("family_card_number", "registered_date", "issued_on", *REGISTRATION_COLUMNS, nulls_last=True)
        .group_by("family_card_number", maintain_order=True)
        .agg(
            pl.col(REGISTRATION_COLUMNS).last(),
            pl.col("is_verified").any(),
            first_registered_date=pl.col("registered_date").min(),
        )
        .collect()
    )
    before = previous_families.select(
        "family_card_number", "family_id", "village_code", "registered_date", "channel", "proposer", "agent_id",
        "is_ikd_verified", "face_match", "is_verified",
        has_consent=pl.col("has_consent") == 1,
        first_registered_date=pl.col("registered_date"),
    ).collect()  # fmt: skip
    cards = stated.join(before.select("family_card_number", "family_id"), on="family_card_number", how="left")
    taken_over = _new_cards_of_old_families(cards, members, previous_persons)
    cards = cards.join(taken_over, on="family_card_number", how="left", maintain_order="left")
    fresh = key.ids("family", cards["family_card_number"])
    cards = cards.with_columns(family_id=pl.coalesce("family_id", "taken_over", fresh)).drop("taken_over")
    carried = before.filter(~pl.col("family_card_number").is_in(stated["family_card_number"].implode()))
    index = pl.concat([cards, carried.select(cards.columns)])
    family_before = before.select("family_id", verified_before="is_verified", first_before="first_registered_date")
    return (
        index.join(family_before, on="family_id", how="left")
        .with_columns(
            is_sitting=pl.col("first_before").is_not_null(),
            is_verified=pl.col("is_verified") | pl.col("verified_before").fill_null(value=False),
            first_registered_date=pl.min_horizontal("first_registered_date", "first_before"),
            regency_code=regency_of("village_code"),
            district_code=district_of("village_code"),
        )
        .drop("verified_before", "first_before")
        .sort("family_id", "registered_date", "family_card_number")
        .with_columns(is_current=pl.col("family_id").is_last_distinct())
        .sort("family_card_number")
    )


def _new_cards_of_old_families(
    cards: pl.DataFrame, members: pl.LazyFrame, previous_persons: pl.LazyFrame
) -> pl.DataFrame:
    new = cards.filter(pl.col("family_id").is_null() & pl.col("is_verified"))
    heads = members.filter(pl.col("relation") == HEAD).select("family_card_number", "nik").unique()
    headed = previous_persons.filter(pl.col("relation") == HEAD).select("nik", taken_over="family_id")
    return (
        new.lazy()
        .select("family_card_number", "registered_date")
        .join(heads, on="family_card_number")
        .join(headed, on="nik")
        .sort("taken_over", "registered_date", "family_card_number")
        .unique("taken_over", keep="last", maintain_order=True)
        .select("family_card_number", "taken_over")
        .unique("family_card_number", keep="last", maintain_order=True)
        .collect()
    )
