"""The ledger of evidence requests: what each agency was asked, when, and about whom, without any personal number.

Whom a request asks about follows from the batches and the revision that it names; the numbers are the registry's.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from assets.intake.declaration import Declaration
from assets.lake import Lake, digest, write_atomically
from schemas.errors import FileRefused
from schemas.quarter import Quarter
from schemas.vocabularies import Agency, Feed

LEDGER = "intake/evidence_requests"


@dataclass(frozen=True)
class Request:
    """One request for evidence.

    Attributes
    ----------
    day : date
        Day on which it was made.
    regencies : tuple of str
        Where the persons asked about were registered; empty is everywhere.
    batches : tuple of (quarter, batch)
        Batches of members and registrations whose persons are asked about.
    revision : (quarter, number, draft) or None
        Published revision whose persons are asked about too.
    sha256 : str
        Of the file of persons.
    persons : int
        Rows of that file.
    """

    agency: Agency
    quarter: str
    day: date
    regencies: tuple[str, ...]
    batches: tuple[tuple[str, str], ...]
    revision: tuple[str, int, str] | None
    sha256: str
    persons: int

    @property
    def request_id(self) -> str:
        """What an answer's note names: a hash of all that the request says, with a letter so that YAML reads text."""
        return f"r{digest(self.to_json())[:15]}"

    def to_json(self) -> dict[str, Any]:
        """Plain form."""
        return {**asdict(self), "day": str(self.day)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """From the plain form."""
        revision = plain["revision"]
        return cls(
            Agency(plain["agency"]),
            plain["quarter"],
            date.fromisoformat(plain["day"]),
            tuple(plain["regencies"]),
            tuple((quarter, batch) for quarter, batch in plain["batches"]),
            None if revision is None else (revision[0], revision[1], revision[2]),
            plain["sha256"],
            plain["persons"],
        )


def enter(lake: Lake, request: Request) -> Path:
    """Enter a request; the same one twice is one."""
    path = lake.root / LEDGER / request.quarter / f"{request.request_id}.json"
    write_atomically(path, json.dumps(request.to_json(), indent=1).encode())
    return path


def requests(lake: Lake, quarter: Quarter) -> tuple[Request, ...]:
    """Requests of a quarter, by agency, day and identity."""
    folder = lake.root / LEDGER / str(quarter)
    found = [Request.from_json(json.loads(path.read_text())) for path in folder.glob("[!.]*.json")]
    return tuple(sorted(found, key=lambda one: (one.agency, one.day, one.request_id)))


def find_request(lake: Lake, request_id: str) -> Request | None:
    """The request of this identity, whatever its quarter, or None."""
    # The name comes from a note: it must not lead out of the ledger.
    if not request_id.isalnum():
        return None
    paths = sorted((lake.root / LEDGER).glob(f"*/{request_id}.json"))
    return Request.from_json(json.loads(paths[0].read_text())) if paths else None


def refuse_unasked(lake: Lake, said: Declaration, feed: Feed) -> None:
    """Pass if a delivery names no request, or one that its agency was made and that covers what it covers.

    Raises
    ------
    FileRefused
        If the request is unknown, another agency's, or about fewer regencies than the answer declares.
    """
    if said.request is None:
        return
    request = find_request(lake, said.request)
    if request is None or feed is not Feed.EVIDENCE:
        raise FileRefused("request_unknown", request=said.request)
    if request.agency != said.agency:
        raise FileRefused("request_of_another", request=said.request, agency=str(request.agency))
    beyond = sorted(set(said.coverage) - set(request.regencies)) if request.regencies else []
    if beyond:
        raise FileRefused("request_exceeded", request=said.request, regency=beyond[0])
