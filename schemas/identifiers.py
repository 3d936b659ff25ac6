"""NIK and family card numbers: what makes one well-formed, and what about one is merely odd.

Reject on form, warn on mismatch: a NIK is never reissued when a person moves or a birth date is corrected, so
what its digits say about region, birth date or sex proves nothing. The domicile is never derived from it.
Source: UU Adminduk 24/2013; form as described in the design, section on identifiers.
"""

from datetime import date

import polars as pl

from schemas.vocabularies import Sex

BUCKETS = 251
NIK_DIGITS = 16
"""Digits of a NIK, and of a family card number."""
_REPEATED = tuple(digit * NIK_DIGITS for digit in "0123456789")
WOMEN_DAY_OFFSET = 40
"""What a NIK adds to the day of birth of a woman."""


def form_fault(column: str) -> pl.Expr:
    """Message code of the first fault of form of an identifier, or null where there is none.

    Codes: `identifier_through_a_number` (Excel made 3.51E+15 of it), `identifier_length`, `identifier_repeated`
    (all digits the same), `identifier_serial` (serial 0000).
    """
    text = pl.col(column)
    return (
        pl.when(text.str.contains(r"(?i)^\s*[0-9]+([.,][0-9]+)?E\+?[0-9]+\s*$"))
        .then(pl.lit("identifier_through_a_number"))
        .when(~text.str.contains(r"^[0-9]{16}$"))
        .then(pl.lit("identifier_length"))
        .when(text.is_in(_REPEATED))
        .then(pl.lit("identifier_repeated"))
        .when(text.str.ends_with("0000"))
        .then(pl.lit("identifier_serial"))
    )


def nik_warnings(nik: str, birth_date: date, sex: Sex) -> tuple[str, ...]:
    """Message codes of what a well-formed NIK says differently from the record; never a ground to reject."""
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    is_woman = day > WOMEN_DAY_OFFSET
    found = []
    if (day - WOMEN_DAY_OFFSET * is_woman, month, year) != (birth_date.day, birth_date.month, birth_date.year % 100):
        found.append("nik_birth_date_differs")
    if is_woman != (sex is Sex.FEMALE):
        found.append("nik_sex_differs")
    return tuple(found)


def nik_of(region: str, birth_date: date, sex: Sex, serial: int) -> str:
    """The NIK a region's office would write: region (6 digits), birth date (women: day + 40), serial."""
    day = birth_date.day + WOMEN_DAY_OFFSET * (sex is Sex.FEMALE)
    return f"{region}{day:02}{birth_date.month:02}{birth_date.year % 100:02}{serial:04}"


def bucket_of(column: str) -> pl.Expr:
    """Bucket 0 to 250 of an identifier column, Int16: the shard key of everything keyed by person."""
    return (pl.col(column).cast(pl.Int64) % BUCKETS).cast(pl.Int16)
