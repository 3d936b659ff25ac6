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
    "village_code", "registration_date", "channel", "proposer", "agent_id", "has_consent", "consent_date",
    "is_ikd_verified", "face_match",
)  # fmt: skip
_IS_VERIFIED = pl.col("is_ikd_verified") | (pl.col("face_match") == FaceMatch.PASSED)


def family_index(
    registrations: pl.LazyFrame,
    members: pl.LazyFrame,
    previous_families: pl.LazyFrame,
    previous_provenance: pl.LazyFrame,
    previous_persons: pl.LazyFrame,
    current_recipients: pl.LazyFrame,
    key: PseudonymKey,
) -> pl.DataFrame:
    """One row per family card: its family, and the registration under which it stands.

    A card registered before keeps its family. A new card whose head headed a family before is that family under a
    new number if the newcomer is IKD or face verified; an unverified newcomer never takes over a family. For the
    same reason an unverified registration changes neither where a verified family lives nor what it consented to
    (its answers count as self-report all the same); otherwise the newest registration is in force.

    Parameters
    ----------
    registrations, members : LazyFrame
        Statements of the quarter (:meth:`assets.registry.statements.Statements.of`).
    previous_families, previous_provenance, previous_persons : LazyFrame
        Last quarter's registry; empty in a first quarter.
    current_recipients : LazyFrame
        Feed of that name, which stands for last quarter in a first one; empty otherwise.

    Returns
    -------
    DataFrame
        `family_card_number` (unique), `family_id`, `is_current` (the family's card in force), `is_sitting` (the
        family was there last quarter, or received before the first one), `was_on_record` (the card was in force last
        quarter), `is_verified`, `first_registered_date`, the columns of `REGISTRATION_COLUMNS`, `regency_code`,
        `district_code`; ordered by card number.
    """
    before = (
        previous_families.join(previous_provenance.select("family_id", "has_consent_date"), on="family_id")
        .with_columns(
            first_registered_date="registered_date", consent_date="has_consent_date", issued_on="registration_date",
            has_consent=pl.col("has_consent") == 1, was_on_record=pl.lit(value=True),
        )
        .select(
            "family_card_number", "family_id", *REGISTRATION_COLUMNS, "issued_on", "first_registered_date",
            "is_verified", "was_on_record",
        )
        .collect()
    )  # fmt: skip
    stated = (
        registrations.with_columns(
            family_id=pl.lit(None, pl.String), first_registered_date="registered_date",
            registration_date="registered_date",
            consent_date=pl.coalesce("consent_date", "registered_date"), is_verified=_IS_VERIFIED,
            was_on_record=pl.lit(value=False),
        )
        .filter(~(pl.col("was_due") & pl.col("family_card_number").is_in(before["family_card_number"].implode())))
        .select(before.columns)
        .collect()
    )  # fmt: skip
    cards = (
        pl.concat([before, stated])
        .sort("family_card_number", _IS_VERIFIED, "registration_date", "issued_on", *REGISTRATION_COLUMNS)
        .group_by("family_card_number", maintain_order=True)
        .agg(
            pl.col(REGISTRATION_COLUMNS).last(),
            pl.col("family_id").max(),
            pl.col("was_on_record", "is_verified").any(),
            pl.col("first_registered_date").min(),
        )
    )
    taken_over = _new_cards_of_old_families(cards, members, previous_families, previous_persons)
    sitting = current_recipients.select("family_card_number", _receives=pl.lit(value=True)).unique().collect()
    is_new = cards["family_id"].is_null()
    fresh = cards.filter(is_new).select(
        "family_card_number", _fresh=key.ids("family", cards.filter(is_new)["family_card_number"])
    )
    return (
        cards.join(taken_over, on="family_card_number", how="left")
        .join(fresh, on="family_card_number", how="left")
        .join(sitting, on="family_card_number", how="left")
        .with_columns(family_id=pl.coalesce("family_id", "_taken_over", "_fresh"))
        .with_columns(
            is_sitting=(pl.col("was_on_record") | pl.col("_receives").fill_null(value=False)).any().over("family_id"),
            is_verified=pl.col("is_verified").any().over("family_id"),
            first_registered_date=pl.col("first_registered_date").min().over("family_id"),
            regency_code=regency_of("village_code"),
            district_code=district_of("village_code"),
        )
        .drop("_taken_over", "_fresh", "_receives")
        .sort("family_id", _IS_VERIFIED, "registration_date", "family_card_number")
        .with_columns(is_current=pl.col("family_id").is_last_distinct())
        .sort("family_card_number")
    )


def _new_cards_of_old_families(
    cards: pl.DataFrame, members: pl.LazyFrame, previous_families: pl.LazyFrame, previous_persons: pl.LazyFrame
) -> pl.DataFrame:
    """Of verified new cards, which old family each is: whoever headed it, or had taken over, heads the new card."""
    new = cards.lazy().filter(pl.col("family_id").is_null() & pl.col("is_verified"))
    heads = members.filter(pl.col("relation") == HEAD).select("family_card_number", "nik").unique()
    headed = previous_families.select("head_person_id", _taken_over="family_id").join(
        previous_persons.select("person_id", "nik"), left_on="head_person_id", right_on="person_id"
    )
    return (
        new.select("family_card_number", "registration_date")
        .join(heads, on="family_card_number")
        .join(headed, on="nik")
        .sort("_taken_over", "registration_date", "family_card_number")
        .unique("_taken_over", keep="last", maintain_order=True)
        .select("family_card_number", "_taken_over")
        .unique("family_card_number", keep="last", maintain_order=True)
        .collect()
    )
