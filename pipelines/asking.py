"""Asking an agency for evidence: the file of persons for it, and the request in the home's ledger.

Whom a request asks about is the registry's; here a file is written and a day is noted.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from assets.house import House
from assets.intake.batches import batches, pinned
from assets.intake.evidence_requests import Request, enter, requests
from assets.lake import hash_of_file
from assets.published import in_force
from assets.registry.asked import numbers_asked
from assets.registry.statements import Group
from schemas.errors import UnknownRegency, Worded, WrongUsage
from schemas.feeds import EVIDENCE_FACTS
from schemas.quarter import Quarter
from schemas.regions import kemendagri, regencies
from schemas.vocabularies import Agency, BatchState, Feed

_FORMS = (".csv", ".parquet")
_ROW_GROUP = 100_000


@dataclass(frozen=True)
class Asked:
    """A request and how many batches answer it."""

    request: Request
    answers: int


def ask(
    house: House, quarter: Quarter, agency: Agency, regency_codes: Sequence[str], file: Path, day: date
) -> Request:  # fmt: skip
    """Write the numbers to ask an agency about, in one column `nik`, and enter the request.

    They are the numbers stated in the batches of the quarter so far, and those of the persons of the revision it builds
    on. The file holds no more than the number: an agency needs no more to answer for it.

    Parameters
    ----------
    regency_codes : sequence of str
        Where they were registered; empty is everywhere.
    file : Path
        `.csv` or `.parquet`; readable by its owner alone.
    day : date
        Day of the request.

    Raises
    ------
    WrongUsage
        If the file's form is another one, or nobody asks this agency.
    UnknownRegency
        If a code is no regency.
    Worded
        If there is nobody to ask about.
    """
    if file.suffix not in _FORMS:
        message = f"{file.name}: a request is written as .csv or .parquet. Name the file so."
        raise WrongUsage(message)
    if agency not in EVIDENCE_FACTS.values():
        message = f"{agency} answers for no fact of its own. BPS visits; it is asked by the worklist."
        raise WrongUsage(message)
    codes = tuple(sorted({kemendagri(code) for code in regency_codes}))
    unknown = sorted(set(codes) - set(regencies()["code"]))
    if unknown:
        raise UnknownRegency("coverage", found=unknown[0])
    stated = tuple(
        (batch.quarter, batch.batch_id)
        for batch in pinned(house.lake, quarter)
        if batch.feed in {Feed.MEMBERS, Feed.REGISTRATIONS}
    )
    before = in_force(house, quarter.previous)
    revision = None if before is None else (str(before.quarter), before.number, before.draft)
    numbers = numbers_asked(house, Group(stated, revision, codes)).sort("nik").collect()
    if numbers.is_empty():
        raise Worded("nobody_to_ask", quarter=str(quarter))
    _write(numbers, file)
    request = Request(agency, str(quarter), day, codes, stated, revision, hash_of_file(file), numbers.height)
    enter(house.lake, request)
    return request


def _write(numbers: pl.DataFrame, file: Path) -> None:
    """Write the numbers where only the owner of the file may read them."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    file.chmod(0o600)
    if file.suffix == ".csv":
        numbers.write_csv(file)
    else:
        numbers.write_parquet(file, row_group_size=_ROW_GROUP)


def requests_with_answers(house: House, quarter: Quarter) -> list[Asked]:
    """The requests of a quarter, each with the number of batches in force that answer it, in whichever quarter."""
    answers = [
        batch.declaration.request
        for one in (quarter, quarter.next)
        for batch in batches(house.lake, str(one))
        if batch.feed is Feed.EVIDENCE and batch.state is BatchState.LOADED
    ]
    return [Asked(one, answers.count(one.request_id)) for one in requests(house.lake, quarter)]
