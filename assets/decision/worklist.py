"""The BPS worklist: which families to visit, and for what. Nothing is decided here."""

import polars as pl

from assets.decision.reviews import REVIEW_DUE
from schemas.vocabularies import Status


def worklist(decided: pl.DataFrame) -> pl.DataFrame:
    """Every family BPS is to visit, once per reason (contract `decision/worklist`).

    A family that a programme excludes for certain is not visited for it: nothing would follow. Nor is a family that is
    held: whose facts these are is for the village office to settle first.

    Parameters
    ----------
    decided : DataFrame
        Contract `decision/decisions`.
    """
    reasons = pl.when(REVIEW_DUE).then(pl.concat_list("ground_checks", pl.lit(REVIEW_DUE))).otherwise("ground_checks")
    places = ("reference", "regency_code", "district_code", "village_code")
    return (
        decided.filter(~pl.col("status").is_in([Status.INELIGIBLE.value, Status.HELD.value]))
        .with_columns(reason=reasons, is_recipient=pl.col("status") == Status.RECIPIENT)
        .explode("reason")
        .drop_nulls("reason")
        .group_by("family_id", "reason")
        .agg(
            pl.col(places).first(),
            programmes=pl.col("programme").sort(),
            is_recipient=pl.col("is_recipient").any(),
        )
        .sort("regency_code", "village_code", "family_id", "reason")
    )
