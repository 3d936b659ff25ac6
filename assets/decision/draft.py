"""The draft: what a run proposes, named by the hash of all it rests on. Approvals are files over that hash."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from assets.decision.families import Terms
from assets.house import House
from assets.intake.pins import Pins
from assets.lake import Table, digest, write_atomically
from assets.published import revision_at
from assets.welfare.models import scorecard
from quotas.overlay import Overlay
from quotas.rulebook import Policy, rulebook
from schemas.errors import Refused, Tampered, Worded
from schemas.quarter import Quarter
from schemas.vocabularies import Status

FILE = "draft.json"
SHORT = 12
CHECKS = "checks"
"""Beside what the decisions were made from: the blocking checks they failed, empty where they passed all."""


@dataclass(frozen=True)
class Draft:
    """A proposal for a quarter: the tables it consists of and everything they rest on.

    Attributes
    ----------
    hash : str
        SHA-256 over inputs, terms and the contents of its tables.
    tables : mapping
        Plain forms of every table of the run, by key.
    overlay : mapping or None
        Name, reason and changes laid over the rulebook.
    """

    hash: str
    quarter: Quarter
    policy_hash: str
    model_hash: str
    key_fingerprint: str
    overlay: Mapping[str, Any] | None
    is_scaled: bool
    pins: Pins
    tables: Mapping[str, Mapping[str, Any]]

    def content_hash(self, house: House) -> str:
        """What names it: SHA-256 over inputs, terms and the contents of its tables."""
        tables = {key: self.table(house, key).content_hash for key in self.tables}
        return digest({**self.content(), "hash": None, "tables": tables})

    def table(self, house: House, key: str) -> Table:
        """One of its tables."""
        return house.lake.from_json(self.tables[key])

    def read(self, house: House, key: str) -> pl.DataFrame:
        """All rows of one of its tables."""
        return self.table(house, key).read(house.contracts[key])

    def content(self) -> dict[str, Any]:
        """Plain form."""
        return {
            "hash": self.hash,
            "quarter": str(self.quarter),
            "policy_hash": self.policy_hash,
            "model_hash": self.model_hash,
            "key_fingerprint": self.key_fingerprint,
            "overlay": self.overlay,
            "is_scaled": self.is_scaled,
            "pins": self.pins.to_json(),
            "tables": dict(self.tables),
        }

    def overlaid(self) -> Overlay | None:
        """The overlay it was decided under."""
        return None if self.overlay is None else Overlay.of(**self.overlay)

    def policy(self, house: House) -> Policy:
        """The rules it was decided on."""
        return rulebook(self.overlaid()).on(house.days(self.quarter).decision_date)

    def terms(self, house: House) -> Terms:
        """The terms it was decided on, for the next quarter to compare with."""
        card = scorecard(house.models, self.model_hash)
        cut_points, days = self.read(house, "decision/cut_points"), house.days(self.quarter)
        # Before there were draws the calendar's seed was every home's.
        drawn = house.drawn_days(self.quarter) if self.pins.draw else days.drawn(days.trial_seed)
        return Terms(self.quarter, self.policy(house), drawn, card, cut_points)


def compose(house: House, pins: Pins, terms: Terms, tables: Mapping[str, Table]) -> Draft:
    """Name a draft and put it into `drafts/<quarter>/<hash>/`; the same proposal is the same folder.

    Raises
    ------
    Worded
        If its tables do not belong together.
    """
    overlay = house.rulebook.overlay
    laid = None if overlay is None else {"name": overlay.name, "reason": overlay.reason, "changes": overlay.changes}
    unnamed = Draft(
        "", terms.quarter, terms.policy.hash, terms.scorecard.hash, house.key.hash, laid, terms.policy.scaled, pins,
        {key: table.to_json() for key, table in sorted(tables.items())},
    )  # fmt: skip
    refuse_mixed(house, unnamed)
    draft = replace(unnamed, hash=unnamed.content_hash(house))
    path = folder(house, draft.quarter, draft.hash) / FILE
    write_atomically(path, json.dumps(draft.content(), indent=1, sort_keys=True).encode())
    return draft


def refuse_mixed(house: House, draft: Draft) -> None:
    """Refuse a draft unless every table was made from its pins, its terms and its other tables.

    An asset materialised alone, a run killed between two of them or terms changed meanwhile leave tables that each
    are sound and do not belong together; and a check that failed blocks the draft of its own run alone.

    Raises
    ------
    Worded
        With the first table of other inputs, in the order of the contracts; or with the checks that failed.
    """
    tables = {key: draft.table(house, key) for key in house.contracts if key in draft.tables}
    feeds = draft.pins.tables(house.lake).values()
    own = {
        "intake/pins": draft.pins.hash,
        "policy": draft.policy_hash,
        "welfare/scorecard": draft.model_hash,
        "pseudonym_key": draft.key_fingerprint,
        CHECKS: "",
        # A draft of before an upgrade may be published after it: its tables are of one code, whichever.
        "code": next((table.made_from.get("code") for table in tables.values()), None),
        **{table.key: table.content_hash for table in (*feeds, *tables.values())},
    }
    named = {
        key: [one for one in (*_ALWAYS, *sorted(table.made_from)) if table.made_from.get(one) != own.get(one)]
        for key, table in tables.items()
    }
    mixed = {key: inputs for key, inputs in named.items() if inputs}
    if mixed:
        table, inputs = next(iter(mixed.items()))
        if inputs == [CHECKS]:
            raise Worded("failed_checks", checks=tables[table].made_from[CHECKS], quarter=str(draft.quarter))
        raise Worded("mixed_draft", table=table, input=inputs[0], count=len(mixed), quarter=str(draft.quarter))


_ALWAYS = ("intake/pins", "policy")
"""What every table of a draft is made from."""


def folder(house: House, quarter: Quarter, name: str) -> Path:
    """Where a draft lies."""
    return house.drafts / str(quarter) / name


def read_draft(path: Path) -> Draft:
    """The draft in a folder.

    Raises
    ------
    Tampered
        If the file is no draft.
    """
    try:
        plain = json.loads((path / FILE).read_text())
        quarter, pins = Quarter.parse(plain.pop("quarter")), Pins.from_json(plain.pop("pins"))
        return Draft(quarter=quarter, pins=pins, **plain)
    except (OSError, ValueError, TypeError, KeyError) as error:
        message = f"{path.name[:SHORT]}: {FILE} is no draft. Run the quarter again."
        raise Tampered(message) from error


def previous_draft(house: House, pins: Pins) -> Draft | None:
    """The draft of the revision that a run built on, or None in a first quarter."""
    if pins.builds_on_revision is None:
        return None
    before = Quarter.parse(pins.quarter).previous
    return read_draft(revision_at(house, before, pins.builds_on_revision, str(pins.builds_on)).restricted)


def find_draft(house: House, name: str) -> Draft:
    """The draft whose hash begins with `name`.

    Raises
    ------
    Refused
        If none or several do.
    """
    found = sorted(path for path in house.drafts.glob(f"*/{name}*") if (path / FILE).exists()) if name else []
    if len(found) != 1:
        what = "no draft begins" if not found else f"{len(found)} drafts begin"
        message = f"{what} with {name!r}. `perlinsos status` lists the drafts."
        raise Refused(message)
    return read_draft(found[0])


def counts(decisions: pl.LazyFrame, by: list[str]) -> pl.DataFrame:
    """Families by status: `evaluated, eligible, recipients, waiting, ineligible, not_scorable, held` per group."""
    status = pl.col("status")

    def of(*words: Status) -> pl.Expr:
        return status.is_in([word.value for word in words]).sum().cast(pl.Int64)

    return (
        decisions.group_by(by)
        .agg(
            evaluated=pl.len().cast(pl.Int64),
            eligible=of(Status.RECIPIENT, Status.WAITING),
            recipients=of(Status.RECIPIENT),
            waiting=of(Status.WAITING),
            ineligible=of(Status.INELIGIBLE),
            not_scorable=of(Status.NOT_SCORABLE),
            held=of(Status.HELD),
        )
        .sort(by)
        .collect()
    )
