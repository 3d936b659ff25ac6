"""NIK and family card numbers for many at once, unique across the country; as integers of sixteen digits.

What makes a number well-formed is for `schemas.identifiers`. Regencies are generated one after the other, so serials
are kept apart in bands: an issuing region's own people, those of the regency before, those of the regency after; and
from 5001 on the same three for newborns and new cards, who may share day, month and two-digit year with a centenarian.
"""

import numpy as np

from schemas.identifiers import WOMEN_DAY_OFFSET
from world.dice import Array, position_in_group

LATER_SERIALS = 5000
_FOREIGN_SERIALS = 1000
_EPOCH_YEAR = 1970
_MONTHS = 12


def day_month_year(days: Array) -> tuple[Array, Array, Array]:
    """Day, month and year of days since 1970-01-01."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    number = months.astype(np.int64)
    return (
        (dates - months.astype("datetime64[D]")).astype(np.int64) + 1,
        number % _MONTHS + 1,
        number // _MONTHS + _EPOCH_YEAR,
    )


def numbers(region: Array, days: Array, *, is_female: Array | None = None, serial: int | Array = 0) -> Array:
    """Sixteen-digit numbers: region, day (women + 40), month, two-digit year, serial beyond `serial`.

    Parameters
    ----------
    region : int64 array
        First six digits.
    days : int64 array
        Birth date, or recording date of a card, in days since 1970-01-01.
    """
    day, month, year = day_month_year(days)
    if is_female is not None:
        day = day + WOMEN_DAY_OFFSET * is_female
    stem = (((region * 100 + day) * 100 + month) * 100 + year % 100) * 10_000
    stem = stem + serial
    return np.asarray(stem + 1 + position_in_group(stem))


def band(step: Array) -> Array:
    """Serial beyond which numbers are kept for people whose regency issues none: by where the issuing region lies.

    `step` is -1 for the regency before their own, +1 for the one after, 0 for their own.
    """
    return np.where(step == 0, 0, _FOREIGN_SERIALS * (2 + step))


def ages(birth_days: Array, day: Array | int) -> Array:
    """Completed years on a day; both in days since 1970-01-01."""
    born_day, born_month, born_year = day_month_year(birth_days)
    now_day, now_month, now_year = day_month_year(np.broadcast_to(np.asarray(day, dtype=np.int64), birth_days.shape))
    had_no_birthday = (now_month < born_month) | ((now_month == born_month) & (now_day < born_day))
    return np.asarray(now_year - born_year - had_no_birthday)
