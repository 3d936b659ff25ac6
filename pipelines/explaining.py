"""Finding the family that is asked about, in a published revision or a draft, and explaining it."""

import polars as pl

from assets.decision.draft import SHORT, Draft, find_draft, read_draft
from assets.house import House
from assets.publication.explain import PER_FAMILY, explanation
from assets.published import in_force
from reports.explanation import Audience, Explanation
from schemas.errors import Refused
from schemas.quarter import Quarter


def source_of(house: House, quarter: Quarter, draft: str | None) -> Draft:
    """The draft to explain: the one named, else that of the revision in force.

    Raises
    ------
    Refused
        If nothing is published for the quarter and no draft is named, or the draft is another quarter's.
    """
    if draft is not None:
        found = find_draft(house, draft)
        if found.quarter != quarter:
            message = f"draft {found.hash[:SHORT]} is of {found.quarter}, not of {quarter}. Ask for {found.quarter}."
            raise Refused(message)
        return found
    revision = in_force(house, quarter)
    if revision is None:
        message = f"{quarter} has no published revision. Name a draft with --draft; `perlinsos status` lists them."
        raise Refused(message)
    return read_draft(revision.restricted)


def _scan(house: House, source: Draft, key: str) -> pl.LazyFrame:
    return source.table(house, key).scan(house.contracts[key])


def family_of_reference(house: House, source: Draft, reference: str) -> str:
    """The family that bears a public reference of the quarter, or a restricted one.

    Raises
    ------
    Refused
        If no family of the quarter does.
    """
    bears = pl.any_horizontal(pl.col("list_reference", "reference") == reference.strip().upper())
    found = _scan(house, source, "decision/decisions").filter(bears).select("family_id").unique().collect()
    if found.height != 1:
        message = (
            f"{source.quarter} has no family with that reference. References look like K3QF-9XW2-7M0A-4T1B; "
            "one from a public list is of that list's quarter."
        )
        raise Refused(message)
    return str(found.item())


def family_of_number(house: House, source: Draft, number: str) -> str:
    """The family with a card number, or of the person with a NIK; the number is in no message.

    Raises
    ------
    Refused
        If the quarter knows neither.
    """
    cards = _scan(house, source, "registry/families").filter(pl.col("family_card_number") == number)
    persons = _scan(house, source, "registry/persons").filter(pl.col("nik") == number)
    for found in (cards.select("family_id").collect(), persons.select("family_id").collect()):
        if found.height == 1:
            return str(found.item())
    message = f"no family or person of {source.quarter} has the number given. It has 16 digits."
    raise Refused(message)


def explained(house: House, source: Draft, family_id: str, audience: Audience) -> Explanation:
    """The explanation of a family, from the tables and on the terms of its draft."""
    tables = {key: _scan(house, source, key) for key in (*PER_FAMILY, "decision/seats")}
    return explanation(family_id, tables, source.terms(house), house.questionnaire, audience=audience)
