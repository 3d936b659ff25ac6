"""Families and persons through time: in which card, place, head or family they stood, from which day to which.

Periods are closed and opened by comparing this quarter's records with the period that was open; what is closed is
never changed. What the registry held of a past quarter is not told from here: that quarter's tables are kept whole.
"""

from datetime import date

import polars as pl

from schemas.vocabularies import FamilyEvent, PersonEvent

_STATE = ("family_card_number", "village_code", "head_person_id")
_FAMILY_COLUMNS = ("family_id", "valid_from", "valid_to", *_STATE, "began_by", "ended_by")
_PERSON_COLUMNS = ("person_id", "family_id", "valid_from", "valid_to", "began_by", "ended_by")
PERIOD_COLUMNS = ("person_id", "family_id", "birth_date", "stated_date", "is_deceased", "is_deceased_date")
"""What of a person decides its periods."""
_NEWBORN_DAYS = 366
_DAY = pl.duration(days=1)


def family_periods(families: pl.DataFrame, previous: pl.DataFrame, cut_off: date) -> pl.DataFrame:
    """Every period of these families (contract `registry/family_periods`).

    A new card or place holds from the day of the registration that says so, a new head from the cut-off, if nothing
    says when. A family that is on record no more has dissolved by the cut-off.

    Parameters
    ----------
    families : DataFrame
        Contract `registry/families`: the families of some regencies.
    previous : DataFrame
        Last quarter's periods of these families, and of those that were in these regencies and are nowhere now.
    """
    is_open = pl.col("valid_to").is_null()
    stood = previous.filter(is_open)
    now = families.select("family_id", *_STATE, "registered_date", "registration_date", "split_from_family_id")
    both = stood.join(now, on="family_id", how="full", suffix="_now", coalesce=True)
    is_new, is_gone = pl.col("valid_from").is_null(), pl.col("registered_date").is_null()
    moved = {name: (pl.col(name) != pl.col(f"{name}_now")).fill_null(value=False) for name in _STATE}
    has_changed = pl.any_horizontal(moved.values())
    dated = pl.when(pl.col("registration_date") > pl.col("valid_from")).then("registration_date").otherwise(cut_off)
    since = pl.when(moved["family_card_number"] | moved["village_code"]).then(dated).otherwise(cut_off)
    event = (
        pl.when(moved["family_card_number"])
        .then(pl.lit(FamilyEvent.NEW_CARD.value))
        .when(moved["village_code"])
        .then(pl.lit(FamilyEvent.MOVED.value))
        .otherwise(pl.lit(FamilyEvent.NEW_HEAD.value))
    )
    begun = pl.when(pl.col("split_from_family_id").is_null()).then(pl.lit(FamilyEvent.REGISTERED.value)).otherwise(
        pl.lit(FamilyEvent.SPLIT.value)
    )  # fmt: skip
    current = {f"{name}_now": name for name in _STATE}
    opened = both.filter(~is_gone & (is_new | has_changed)).select(
        "family_id",
        valid_from=pl.when(is_new).then("registered_date").otherwise(since),
        valid_to=pl.lit(None, pl.Date),
        **{name: pl.col(held) for held, name in current.items()},
        began_by=pl.when(is_new).then(begun).otherwise(event),
        ended_by=pl.lit(None, pl.String),
    )
    ended = both.filter(~is_new & (is_gone | has_changed)).with_columns(
        valid_to=pl.max_horizontal("valid_from", pl.when(is_gone).then(cut_off).otherwise(since - _DAY)),
        ended_by=pl.when(is_gone).then(pl.lit(FamilyEvent.DISSOLVED.value)).otherwise(event),
    )
    lasting = both.filter(~is_new & ~is_gone & ~has_changed)
    parts = [previous.filter(~is_open), lasting, ended, opened]
    return pl.concat([one.select(_FAMILY_COLUMNS) for one in parts])


def person_periods(persons: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Every period of these persons (contract `registry/person_periods`).

    A person counts in a family from the day it was stated there, a newborn from birth. Who dies leaves on the day
    Dukcapil says so; who is on record no more keeps the last period as it was.

    Parameters
    ----------
    persons : DataFrame
        Contract `registry/persons`, at least `PERIOD_COLUMNS`.
    previous : DataFrame
        Last quarter's periods of these persons.
    """
    is_open = pl.col("valid_to").is_null()
    now = persons.select(
        "person_id", "birth_date", "stated_date",
        now="family_id", died=pl.when(pl.col("is_deceased") == 1).then("is_deceased_date"),
    )  # fmt: skip
    buried = previous.filter(pl.col("ended_by") == PersonEvent.DIED.value).select("person_id")
    again = now.filter(pl.col("died").is_not_null()).join(buried, on="person_id", how="semi")
    both = previous.filter(is_open).join(
        now.join(again.select("person_id"), on="person_id", how="anti"), on="person_id", how="full", coalesce=True
    )
    is_new, is_gone = pl.col("valid_from").is_null(), pl.col("now").is_null()
    has_left = (pl.col("family_id") != pl.col("now")).fill_null(value=False)
    is_dead = pl.col("died").is_not_null()
    is_newborn = pl.col("stated_date") - pl.col("birth_date") < pl.duration(days=_NEWBORN_DAYS)
    opened = both.filter(~is_gone & (is_new | has_left)).select(
        "person_id",
        family_id="now",
        valid_from=pl.when(is_new & is_newborn).then("birth_date").otherwise("stated_date"),
        began_by=pl.when(has_left)
        .then(pl.lit(PersonEvent.JOINED.value))
        .when(is_newborn)
        .then(pl.lit(PersonEvent.BORN.value))
        .otherwise(pl.lit(PersonEvent.REGISTERED.value)),
        died="died",
    )
    left = both.filter(has_left).with_columns(
        valid_to=pl.max_horizontal("valid_from", pl.col("stated_date") - _DAY),
        ended_by=pl.lit(PersonEvent.LEFT.value),
    )
    lasting = both.filter(~is_new & ~has_left)
    standing = pl.concat([lasting.select("person_id", "family_id", "valid_from", "began_by", "died"), opened.select(
        "person_id", "family_id", "valid_from", "began_by", "died")]).with_columns(
        valid_to=pl.when(is_dead).then(pl.max_horizontal("valid_from", "died")),
        ended_by=pl.when(is_dead).then(pl.lit(PersonEvent.DIED.value)),
    )  # fmt: skip
    return pl.concat([one.select(_PERSON_COLUMNS) for one in (previous.filter(~is_open), left, standing)])
