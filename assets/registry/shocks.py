"""What struck a family and when: shocks agents reported, and the death of a head or spouse. For referrals alone."""

from datetime import date

import polars as pl

from schemas.feeds import FACT_AGENCY, SHOCKS
from schemas.vocabularies import Shock, Source

_HEAD_OR_SPOUSE = (1, 2)
_COLUMNS = ("family_id", "shock", "shock_date", "source", "stated_date")


def family_shocks(surveys: pl.DataFrame, persons: pl.DataFrame, previous: pl.DataFrame, oldest: date) -> pl.DataFrame:
    """The last shock of each kind of every family, with who says so (contract `registry/shocks`, without the regency).

    Parameters
    ----------
    surveys : DataFrame
        Contract `intake/surveys` with `family_id`: visits that count now. A shock dated after the visit is none.
    persons : DataFrame
        Contract `registry/persons`, the dead among them. A bereavement bears the day of the register's statement; it
        is found anew each quarter, so that a death withdrawn is none.
    previous : DataFrame
        Last quarter's rows of these families. Of two reports of one kind the later shock stands.
    oldest : date
        What was stated before is dropped: answers of that age count no more.
    """
    reported = [
        surveys.select(
            "family_id",
            shock=pl.lit(name.removesuffix("_date")),
            shock_date=name,
            source=pl.lit(str(Source.AGENT_SURVEY)),
            stated_date="survey_date",
        ).filter(pl.col("shock_date") <= pl.col("stated_date"))
        for name in SHOCKS
    ]
    died = persons.filter((pl.col("is_deceased") == 1) & pl.col("relation").is_in(_HEAD_OR_SPOUSE)).select(
        "family_id",
        shock=pl.lit(str(Shock.BEREAVEMENT)),
        shock_date="is_deceased_date",
        source=pl.lit(str(FACT_AGENCY["is_deceased"])),
        stated_date="is_deceased_date",
    )
    stood = previous.select(_COLUMNS).filter(pl.col("shock") != Shock.BEREAVEMENT)
    told = pl.concat([*reported, stood]).filter(pl.col("stated_date") >= oldest)
    return (
        pl.concat([told, died])
        .sort("family_id", "shock", "shock_date", "stated_date", "source", nulls_last=True)
        .unique(["family_id", "shock"], keep="last", maintain_order=True)
    )
