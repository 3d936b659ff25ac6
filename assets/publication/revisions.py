"""Revisions: immutable folders of a quarter, built aside and moved into place, and the pointer readers follow.

Order of a publication: restricted folder, public folder, pointer, convenience database. Killed anywhere before the
pointer moves, readers still see the old revision and the next attempt starts over.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from filelock import FileLock

from assets.decision.draft import SHORT, Draft, previous_draft, refuse_mixed
from assets.house import House
from assets.lake import PARQUET, Table, digest, hash_of_file, replacing, verify, write_atomically
from assets.publication.approvals import require_both
from assets.publication.lists import (
    budget,
    changed_payments,
    movements,
    open_checks,
    recipients,
    region_summary,
    waiting_list,
)
from assets.published import POINTER, Revision, current, in_force, revision_at
from quotas.changes import changes
from schemas.errors import StaleDraft, Tampered, Worded

DATABASE = "published.duckdb"
STORAGE_VERSION = "v1.2.0"
"""Storage format of the serving databases: the oldest that dashboards still open."""

RESTRICTED_TABLES = (
    "decision/decisions",
    "decision/filters",
    "decision/payments",
    "decision/worklist",
    "decision/visits",
    "decision/transitions",
    "decision/scores",
    "decision/deciles_compared",
    "decision/drift",
    "decision/budget",
    "decision/displaced",
    "decision/referrals",
    "decision/movements",
    "decision/open_checks",
)
Page = Callable[[Mapping[str, pl.DataFrame], Mapping[str, Any]], Mapping[str, str]]
PUBLIC_TABLES = (
    "publication/recipients",
    "publication/waiting_list",
    "publication/region_summary",
    "publication/budget",
    "publication/movements",
    "publication/open_checks",
    "decision/seats",
)


def name_of(key: str) -> str:
    """File name of a table without its room."""
    return key.split("/")[1]


def publish(house: House, draft: Draft, page: Page) -> Revision:
    """Publish an approved draft as the quarter's next revision; published already, it is a no-op.

    Parameters
    ----------
    page : callable
        `page(public frames by table name, manifest)` gives the text files of the revision (pages, descriptor).

    Raises
    ------
    ApprovalMissing
        If one of the two roles has not approved it.
    StaleDraft
        If the revision it builds on is no longer in force.
    Tampered
        If the draft or one of its files is not what its hash names.
    Worded
        If its tables do not belong together.
    """
    # One publication at a time: the pointer is read and written, and what a draft builds on must stay in force.
    with FileLock(house.home / "locks" / "publish.lock"):
        revision = in_force(house, draft.quarter)
        if revision is None or revision.draft != draft.hash:
            revision = _next_revision(house, draft, revision, page)
        _serve_latest(house)
    return revision


def _next_revision(house: House, draft: Draft, existing: Revision | None, page: Page) -> Revision:
    signed = require_both(house, draft)
    before = in_force(house, draft.quarter.previous)
    if draft.pins.builds_on != (before.draft if before else None) and not (draft.pins.is_first and before is None):
        message = (
            f"draft {draft.hash[:SHORT]} builds on a revision of {draft.quarter.previous} that is no longer in force. "
            f"Run {draft.quarter} again."
        )
        raise StaleDraft(message)
    if draft.content_hash(house) != draft.hash:
        message = f"draft {draft.hash[:SHORT]} does not hold what its hash names. Run {draft.quarter} again."
        raise Tampered(message)
    refuse_mixed(house, draft)
    _refuse_other_draw(house, draft, existing)
    for key in draft.tables:
        for shard in draft.table(house, key).shards.values():
            verify(shard)
    number = (existing.number if existing else 0) + 1
    revision = revision_at(house, draft.quarter, number, draft.hash)
    by_role = {str(role): asdict(approval) for role, approval in sorted(signed.items())}
    with _folder_moved_into(revision.restricted) as folder:
        for key in RESTRICTED_TABLES:
            _copy(draft.table(house, key), house, folder / f"{name_of(key)}.parquet")
        content = draft.content()
        write_atomically(folder / "draft.json", json.dumps(content, indent=1, sort_keys=True).encode())
        write_atomically(folder / "approvals.json", json.dumps(by_role, indent=1, sort_keys=True).encode())
    with _folder_moved_into(revision.folder) as folder:
        _public_files(house, draft, number, by_role, folder, page)
    pointer = current(house) | {
        str(draft.quarter): {"revision": number, "draft": draft.hash, "path": f"{draft.quarter}/r{number}"}
    }
    write_atomically(house.published / POINTER, json.dumps(dict(sorted(pointer.items())), indent=1).encode())
    return revision


def _refuse_other_draw(house: House, draft: Draft, existing: Revision | None) -> None:
    """Pass if the draft rests on the quarter's draw of today, and so do the revisions before it."""
    basis = house.draw_basis(draft.quarter)
    before = None if existing is None else json.loads((existing.folder / "manifest.json").read_text()).get("draw")
    if draft.pins.draw != digest(basis) or before not in (None, basis):
        raise Worded("draw_changed", quarter=str(draft.quarter))


def _serve_latest(house: House) -> None:
    """Make the convenience database that of the latest quarter, where it is not: a publication may have been killed."""
    served, entry = house.published / DATABASE, max(current(house).items())[1]
    latest = house.published / entry["path"] / DATABASE
    if not served.exists() or hash_of_file(served) != hash_of_file(latest):
        with replacing(served) as temporary:
            shutil.copyfile(latest, temporary)


class _folder_moved_into:  # noqa: N801
    """A folder built aside that takes its place when the block ends well; what a killed attempt left is replaced."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._aside = place.with_name(f".{place.name}.building")

    def __enter__(self) -> Path:
        shutil.rmtree(self._aside, ignore_errors=True)
        self._aside.mkdir(parents=True)
        return self._aside

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            shutil.rmtree(self._place, ignore_errors=True)
            self._aside.replace(self._place)
        else:
            shutil.rmtree(self._aside, ignore_errors=True)


def _copy(table: Table, house: House, path: Path) -> None:
    lazy = table.scan(house.contracts[table.key])
    lazy.sink_parquet(path, maintain_order=True, **PARQUET)


def _public_files(
    house: House,
    draft: Draft,
    number: int,
    signed: Mapping[str, Mapping[str, Any]],
    folder: Path,
    page: Page,
) -> None:
    decisions = draft.table(house, "decision/decisions").scan(house.contracts["decision/decisions"])
    moved = draft.table(house, "decision/transitions").scan(house.contracts["decision/transitions"])
    names = house.policy(draft.quarter).publication.names
    # Whoever lays a revision beside the ones before it learns the difference.
    earlier = [revision_at(house, draft.quarter, one, "").restricted for one in range(1, number)]
    decided = [pl.scan_parquet(one / "decisions.parquet") for one in earlier]
    moves, checks = (
        [pl.read_parquet(one / f"{name}.parquet") for one in earlier] for name in ("movements", "open_checks")
    )
    frames = {
        "publication/recipients": recipients(decisions, names.recipients).collect(),
        "publication/waiting_list": waiting_list(decisions, moved, names.waiting_list).collect(),
        "publication/region_summary": region_summary(decisions, str(draft.quarter), decided),
        "publication/budget": budget(
            draft.read(house, "decision/budget"), [changed_payments(decisions, one) for one in decided]
        ),
        "publication/movements": movements(draft.read(house, "decision/movements"), moves),
        "publication/open_checks": open_checks(draft.read(house, "decision/open_checks"), checks),
        "decision/seats": draft.read(house, "decision/seats"),
    }
    fitted = {name_of(key): house.contracts[key].fit(frame) for key, frame in frames.items()}
    for name, frame in fitted.items():
        frame.write_parquet(folder / f"{name}.parquet", **PARQUET)
        frame.write_csv(folder / f"{name}.csv")
    _serving_database(folder)
    days = house.days(draft.quarter)
    listed = {
        path.name: {"sha256": hash_of_file(path), "bytes": path.stat().st_size, "rows": fitted[path.stem].height}
        for path in sorted(folder.iterdir())
        if path.stem in fitted and path.suffix in {".csv", ".parquet"}
    }
    manifest = {
        "quarter": str(draft.quarter),
        "revision": number,
        "draft": draft.hash,
        "builds_on": draft.pins.builds_on,
        "policy_hash": draft.policy_hash,
        "model_hash": draft.model_hash,
        "scaled": draft.is_scaled,
        "overlay": None if draft.overlay is None else draft.overlay["name"],
        "announcement": days.announcement.isoformat(),
        "objection_deadline": days.objection_deadline.isoformat(),
        "is_planned": days.is_planned,
        "draw": house.draw_basis(draft.quarter),
        "rules_changed": _rules_changed(house, draft),
        "approvals": {role: {"decree": one["decree"]} for role, one in signed.items()},
        "files": listed,
    }
    for name, text in page(fitted, manifest).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_atomically(folder / "manifest.json", json.dumps(manifest, indent=1, ensure_ascii=False).encode())


def _rules_changed(house: House, draft: Draft) -> list[dict[str, Any]]:
    before = previous_draft(house, draft.pins)
    if before is None:
        return []
    return [change.to_json() for change in changes(before.policy(house), draft.policy(house))]


def _serving_database(folder: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute(f"ATTACH '{folder / DATABASE}' AS served (STORAGE_VERSION '{STORAGE_VERSION}')")
        for key in PUBLIC_TABLES:
            name = name_of(key)
            connection.execute(
                f"CREATE TABLE served.{name} AS SELECT * FROM read_parquet('{folder / name}.parquet')"  # noqa: S608
            )
        connection.execute("DETACH served")
