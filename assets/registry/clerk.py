"""What a clerk sees of a case of identity: both sides, what agrees, and where the match weight comes from.

Which cases there are is `identity`'s; what a ruling does is `settling`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from assets.registry.linkage.model import LinkageModel
from assets.registry.linkage.scoring import waterfall
from schemas.vocabularies import CaseKind, Ruling

TABLES = (
    "registry/cases", "registry/links", "registry/claims", "registry/families", "registry/family_periods",
    "registry/adjudications",
)  # fmt: skip
COMPARED = ("name", "birth_date", "sex", "nik", "village_code", "relation")
_SHOWN = (*COMPARED, "family_card_number", "channel", "face_match", "registered_date", "stated_date")


@dataclass(frozen=True)
class Side:
    """One family's claim to a person.

    Attributes
    ----------
    is_kept : bool
        Whether the person counts in this family meanwhile.
    shown : mapping
        What is known: `COMPARED`, the card, how the family registered and when the person was stated.
    """

    identity_id: str
    family_id: str
    is_verified: bool
    is_kept: bool
    shown: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A part of the match weight in bits, with what the comparison found."""

    name: str
    found: str
    bits: float


@dataclass(frozen=True)
class Case:
    """A case of identity.

    Attributes
    ----------
    agrees : mapping
        Of each of `COMPARED`: whether all sides say the same, None where one says nothing.
    steps : tuple of Step
        Prior, comparisons and total of the match weight; empty where the number itself is claimed twice.
    ruling_before : str or None
        What a clerk ruled before the facts changed.
    """

    case_id: str
    kind: CaseKind
    facts_hash: str
    probability: float | None
    sides: tuple[Side, ...]
    agrees: Mapping[str, bool | None]
    steps: tuple[Step, ...]
    ruling_before: Ruling | None
    ruled_on: date | None

    @property
    def weight_bits(self) -> float | None:
        """Match weight, the sum of the steps before the total."""
        return self.steps[-1].bits if self.steps else None


def cases_of(
    tables: Mapping[str, pl.LazyFrame], model: LinkageModel, wanted: Sequence[str] | None = None
) -> list[Case]:
    """Open cases, those with a sitting or verified family first, then by probability.

    Parameters
    ----------
    tables : mapping
        The registry's tables of a quarter, at least `TABLES`.
    model : LinkageModel
        In whose words the steps are told.
    wanted : sequence of str, optional
        These cases alone.
    """
    rows = tables["registry/cases"].collect()
    if wanted is not None:
        rows = rows.filter(pl.col("case_id").is_in(list(wanted)))
    keys = rows.lazy().select("identity_id", "family_id").unique()
    claims = tables["registry/claims"].join(keys, on=["identity_id", "family_id"], how="semi")
    homes = tables["registry/families"].select(
        "family_id", "family_card_number", "village_code", "channel", "face_match", "registered_date"
    )
    sides = (
        rows.lazy()
        .join(
            claims.drop("nik_bucket").with_columns(nik=pl.coalesce("nik", "shared_nik")),
            on=["identity_id", "family_id"],
            how="left",
        )
        .join(homes, on="family_id", how="left")
        .sort("case_id", pl.col("is_kept").not_(), "identity_id", "family_id")
        .collect()
    )
    links = {row["case_id"]: row for row in tables["registry/links"].drop_nulls("weight_micro").collect().to_dicts()}
    rulings = {row["case_id"]: row for row in tables["registry/adjudications"].collect().to_dicts()}
    found = [
        _case(group.to_dicts(), links.get(str(case_id)), rulings.get(str(case_id)), model)
        for (case_id,), group in sides.group_by("case_id", maintain_order=True)
    ]
    return sorted(found, key=lambda one: (-(one.probability or 1), one.case_id))


def _case(
    rows: list[dict[str, Any]], link: dict[str, Any] | None, ruling: dict[str, Any] | None, model: LinkageModel
) -> Case:
    first = rows[0]
    sides = tuple(
        Side(
            row["identity_id"],
            row["family_id"],
            row["is_verified"],
            row["is_kept"],
            {name: row[name] for name in _SHOWN},
        )
        for row in rows
    )
    is_pair = link is not None and first["kind"] not in {
        CaseKind.NIK_IN_TWO_FAMILIES,
        CaseKind.NIK_OF_TWO_IN_ONE_FAMILY,
    }
    steps = (
        tuple(Step(name, words, micro / 1e6) for name, words, micro in waterfall(link, model))
        if is_pair and link
        else ()
    )
    before = ruling if ruling is not None and first["was_ruled"] else None
    return Case(
        first["case_id"],
        CaseKind(first["kind"]),
        first["facts_hash"],
        first["probability"],
        sides,
        {name: _agrees([side.shown[name] for side in sides]) for name in COMPARED},
        steps,
        Ruling(before["ruling"]) if before else None,
        before["decided_date"] if before else None,
    )


def _agrees(values: list[Any]) -> bool | None:
    return None if None in values else len(set(values)) == 1
