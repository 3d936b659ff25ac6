"""Which families there are: every card ever registered, the family it belongs to, and where that family lives.

A narrow national index; persons and answers are joined to it elsewhere.
"""

from collections.abc import Mapping

import polars as pl

from assets.frames import split_repeated
from assets.pseudonyms import PseudonymKey
from assets.registry.authors import FACE, HEAD, IKD, IN_PERSON, ROW, Record, is_unregistered
from assets.registry.standing import Effects
from schemas.regions import district_of, regency_of
from schemas.vocabularies import FaceMatch, FamilyStanding

REGISTRATION_COLUMNS = (
    "village_code", "registration_date", "channel", "proposer", "agent_id", "has_consent", "consent_date",
    "is_ikd_verified", "face_match", "verified_by",
)  # fmt: skip
_CONSENT = ("has_consent", "consent_date")
_IN_FORCE = tuple(name for name in REGISTRATION_COLUMNS if name not in {*_CONSENT, "verified_by"})
_IS_VERIFIED = pl.col("verified_by").is_not_null()
_IS_DIGITAL = pl.col("verified_by").is_in([IKD, FACE]).fill_null(value=False)


def family_index(
    registrations: pl.LazyFrame,
    members: pl.LazyFrame,
    previous: Mapping[str, pl.LazyFrame],
    current_recipients: pl.LazyFrame,
    record: Record,
    effects: Effects,
    key: PseudonymKey,
) -> pl.DataFrame:
    """One row per family card: its family, and the registration under which it stands.

    A card registered before keeps its family. A new card whose head headed a family before is that family under a
    new number if IKD or face verified somebody of that family as it was registered; nobody else takes over a family.
    Of the registrations that count the newest verified one is in force, else the newest.

    Parameters
    ----------
    registrations, members : LazyFrame
        Statements of the quarter that count (:meth:`assets.registry.statements.Statements.of`).
    previous : mapping of str to LazyFrame
        Last quarter's `registry/families`, `registry/provenance` and `registry/persons`; empty in a first quarter.
    current_recipients : LazyFrame
        Feed of that name, which stands for last quarter in a first one; empty otherwise.
    record : Record
        What each family had to lose before these statements.
    effects : Effects
        Which registrations verify their family, and whose refusal of consent does not count.

    Returns
    -------
    DataFrame
        `family_card_number` (unique), `family_id`, `is_current` (the family's card in force), `is_sitting` (the
        family was there last quarter, or received before the first one), `was_on_record` (the card was in force
        last quarter), `was_known` (any of the family's cards was), `is_verified`, `is_digital` (IKD or face
        verified the family), `is_protected` (it receives, waits or was verified before), `has_registered` (it
        was on record as a recipient only and has registered now), `first_registered_date`, the columns of
        `REGISTRATION_COLUMNS`, `regency_code`, `district_code`; ordered by card number.
    """
    dates_of_consent = previous["registry/provenance"].select("family_id", "has_consent_date")
    before = (
        previous["registry/families"]
        .join(dates_of_consent, on="family_id")
        .with_columns(
            first_registered_date="registered_date", consent_date="has_consent_date", issued_on="registration_date",
            has_consent=pl.col("has_consent") == 1, was_on_record=pl.lit(value=True),
            was_unregistered=is_unregistered(),
        )
        .select(
            "family_card_number", "family_id", *REGISTRATION_COLUMNS, "issued_on", "first_registered_date",
            "is_verified", "was_on_record", "was_unregistered",
        )
        .collect()
    )  # fmt: skip
    is_unsaid = effects.unsaid_consent.lazy().select(*ROW, is_unsaid=pl.lit(value=True))
    stated = (
        registrations.join(effects.verifications.lazy(), on=ROW, how="left")
        .join(is_unsaid, on=ROW, how="left")
        .with_columns(
            family_id=pl.lit(None, pl.String), first_registered_date="registered_date",
            registration_date="registered_date",
            has_consent=pl.when(pl.col("is_unsaid").is_null()).then("has_consent"),
            consent_date=pl.coalesce("consent_date", "registered_date"), is_verified=_IS_VERIFIED,
            was_on_record=pl.lit(value=False), was_unregistered=pl.lit(value=False),
            is_ikd_verified=pl.col("is_ikd_verified") & _IS_DIGITAL,
            face_match=pl.when(_IS_DIGITAL | (pl.col("face_match") != FaceMatch.PASSED))
            .then("face_match")
            .otherwise(pl.lit(FaceMatch.NOT_AVAILABLE.value)),
        )
        .filter(~(pl.col("was_due") & pl.col("family_card_number").is_in(before["family_card_number"].implode())))
        .select(before.columns)
        .collect()
    )  # fmt: skip
    # A withdrawal that counts is its head's; words of whom nobody confirmed do not undo it.
    is_told = pl.col("has_consent").is_not_null()
    decides = _IS_VERIFIED | ~pl.col("has_consent")
    once, often = split_repeated(pl.concat([before, stated]), ["family_card_number"])
    settled = (
        often.sort("family_card_number", _IS_VERIFIED, "registration_date", "issued_on", *REGISTRATION_COLUMNS)
        .group_by("family_card_number", maintain_order=True)
        .agg(
            pl.col(_IN_FORCE).last(),
            pl.col(_CONSENT)
            .filter(is_told)
            .sort_by(decides.filter(is_told), pl.col("consent_date").filter(is_told), maintain_order=True)
            .last(),
            pl.col("family_id").max(),
            pl.col("was_on_record", "is_verified", "was_unregistered").any(),
            pl.col("first_registered_date").min(),
            verified_by=pl.coalesce(
                pl.col("verified_by").filter(_IS_DIGITAL).last(), pl.col("verified_by").drop_nulls().last()
            ),
        )
    )
    alone = once.with_columns(pl.when(is_told).then(name).alias(name) for name in _CONSENT)
    cards = pl.concat([alone.select(settled.columns), settled]).sort("family_card_number")
    checked = effects.checked.with_columns(_checked=pl.lit(value=True))
    cards = (
        cards.join(checked, on="family_card_number", how="left", maintain_order="left")
        .with_columns(
            is_verified=pl.col("is_verified") | pl.col("_checked").fill_null(value=False),
            verified_by=pl.coalesce("verified_by", pl.when(pl.col("_checked")).then(pl.lit(IN_PERSON))),
        )
        .drop("_checked")
    )
    taken_over = _new_cards_of_old_families(
        cards, members, previous["registry/families"], previous["registry/persons"], effects.speakers
    )
    had = record.families.select(
        "family_card_number",
        is_protected=pl.col("standing") != FamilyStanding.KNOWN.value,
        is_receiving=pl.col("standing") == FamilyStanding.RECEIVING.value,
    )
    sitting = current_recipients.select("family_card_number", _receives=pl.lit(value=True)).unique().collect()
    is_new = cards["family_id"].is_null()
    fresh = cards.filter(is_new).select(
        "family_card_number", _fresh=key.ids("family", cards.filter(is_new)["family_card_number"])
    )
    return (
        cards.join(taken_over, on="family_card_number", how="left")
        .join(fresh, on="family_card_number", how="left")
        .join(sitting, on="family_card_number", how="left")
        .join(had, on="family_card_number", how="left")
        .with_columns(family_id=pl.coalesce("family_id", "_taken_over", "_fresh"))
        .with_columns(
            is_sitting=(pl.col("was_on_record") | pl.col("_receives").fill_null(value=False)).any().over("family_id"),
            is_verified=pl.col("is_verified").any().over("family_id"),
            is_digital=_IS_DIGITAL.any().over("family_id"),
            **{
                name: pl.col(name).fill_null(value=False).any().over("family_id")
                for name in ("is_protected", "is_receiving")
            },
            was_known=pl.col("was_on_record").any().over("family_id"),
            has_registered=(pl.col("was_unregistered") & ~is_unregistered()).any().over("family_id"),
            first_registered_date=pl.col("first_registered_date").min().over("family_id"),
            regency_code=regency_of("village_code"),
            district_code=district_of("village_code"),
        )
        .drop("_taken_over", "_fresh", "_receives", "was_unregistered")
        .sort("family_id", _IS_VERIFIED, "registration_date", "family_card_number")
        .with_columns(is_current=pl.col("family_id").is_last_distinct())
        .sort("family_card_number")
    )


def _new_cards_of_old_families(
    cards: pl.DataFrame,
    members: pl.LazyFrame,
    previous_families: pl.LazyFrame,
    previous_persons: pl.LazyFrame,
    speakers: pl.DataFrame,
) -> pl.DataFrame:
    """Of new cards that IKD or face verified, which old family each is: its head heads it, one of its persons spoke."""
    new = cards.lazy().filter(pl.col("family_id").is_null() & _IS_DIGITAL)
    heads = members.filter(pl.col("relation") == HEAD).select("family_card_number", "nik").unique()
    headed = previous_families.select("head_person_id", _taken_over="family_id").join(
        previous_persons.select("person_id", "nik"), left_on="head_person_id", right_on="person_id"
    )
    of_old = speakers.lazy().join(previous_persons.select("nik", _taken_over="family_id"), on="nik")
    return (
        new.select("family_card_number", "registration_date")
        .join(heads, on="family_card_number")
        .join(headed, on="nik")
        .join(of_old, on=["family_card_number", "_taken_over"], how="semi")
        .sort("_taken_over", "registration_date", "family_card_number")
        .unique("_taken_over", keep="last", maintain_order=True)
        .select("family_card_number", "_taken_over")
        .unique("family_card_number", keep="last", maintain_order=True)
        .collect()
    )
