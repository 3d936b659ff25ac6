"""The kinds of columns that the tables of the rooms are made of, and those that several tables share.

Columns of delivered files are in :mod:`schemas.feed_columns`; which table has which column is not said here.
"""

import pandera.polars as pa
import polars as pl

from schemas.contract import column
from schemas.vocabularies import Access, Programme, Status

RESTRICTED = Access.RESTRICTED
PUBLIC = Access.PUBLIC


def col(
    name: str, dtype: pl.DataType | type[pl.DataType], title: str, description: str, unit: str = "text",
    source: str = "computed", *, nullable: bool = False, checks: list[pa.Check] | None = None,
) -> pa.Column:  # fmt: skip
    """A column that the program makes itself."""
    return column(name, dtype, title, description, unit=unit, source=source, nullable=nullable, checks=checks or [])


def one_of(*vocabularies: type) -> list[pa.Check]:
    """The check that a column holds words of these vocabularies alone."""
    return [pa.Check.isin([str(word) for one in vocabularies for word in one])]  # type: ignore[attr-defined]


FAMILY = col("family_id", pl.String, "Family", "Keyed pseudonym of the family; survives a new card number.", "id")
PERSON = col("person_id", pl.String, "Person", "Keyed pseudonym of the person.", "id")
REGENCY = col("regency_code", pl.String, "Regency", "Domicile, Kemendagri regency code.", "code", "registration")
DISTRICT = col("district_code", pl.String, "District", "Domicile, Kemendagri district code.", "code", "registration")
VILLAGE = col("village_code", pl.String, "Village", "Domicile, Kemendagri village code.", "code", "registration")
PROVINCE = col("province_code", pl.String, "Province", "Domicile, Kemendagri province code.", "code", "registration")
PROGRAMME = col("programme", pl.String, "Programme", "PKH or BPNT.", "word", checks=one_of(Programme))
QUARTER = col("quarter", pl.String, "Quarter", "Quarter decided, as 2026Q1.", "quarter")
STATUS = col("status", pl.String, "Status", "What was decided.", "word", checks=one_of(Status))
REFERENCE = col(
    "reference",
    pl.String,
    "Reference",
    "Public reference of the family on this list of this quarter; another one on every other list.",
    "id",
)
FAMILY_REFERENCE = col(
    "reference",
    pl.String,
    "Reference",
    "Restricted reference of the family, the same in every quarter; on no public list.",
    "id",
)
LIST_REFERENCE = col(
    "list_reference",
    pl.String,
    "List reference",
    "Public reference of the family on the list of this programme and quarter.",
    "id",
)
MASKED = col("masked_name", pl.String, "Masked name", "First letters of the head's names.", "text")
PUBLISHED_NAME = col(
    "masked_name",
    pl.String,
    "Masked name",
    "First letters of the head's names, on the lists that policy publication.names gives them.",
    "text",
    nullable=True,
)
HASHES = [
    col("model_hash", pl.String, "Scorecard", "Content hash of the scorecard used.", "sha256"),
    col("policy_hash", pl.String, "Policy", "Content hash of the policy used.", "sha256"),
    col("input_hash", pl.String, "Inputs", "Content hash of the facts the family was decided on.", "sha256"),
]


def fact(name: str, title: str, description: str, unit: str = "yes=1 no=0") -> pa.Column:
    """A fact an agency states: a whole number, null for unknown."""
    return col(name, pl.Int64, title, description, unit, "evidence", nullable=True, checks=[pa.Check.ge(0)])
