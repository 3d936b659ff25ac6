"""Cases of identity before a clerk: which are open, what each shows, and rulings as deliveries of their feed.

A ruling enters like any other statement, through intake; what it does is the registry's.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assets.house import House
from assets.intake.cell_faults import reasons_of_rows
from assets.intake.declaration import note_of
from assets.intake.formats import open_delivery
from assets.intake.headers import fit_header, names_of
from assets.intake.loading import Intake, Loaded
from assets.intake.senders import sign
from assets.registry.clerk import TABLES, Case, Side, Step, cases_of
from assets.registry.linkage.in_force import model_on
from reports.cases import CaseRow, cases_workbook
from reports.sheets import landing_columns
from schemas.errors import Refused
from schemas.messages import Lang, named, say
from schemas.quarter import Quarter
from schemas.vocabularies import ClerkRole, Feed, Ruling

CONTRACT = f"intake/{Feed.ADJUDICATIONS}"
SENDER = "kemensos"
"""Who delivers rulings, by the code in `senders.yaml`."""


def latest_quarter(house: House) -> Quarter:
    """The last quarter whose registry was made.

    Raises
    ------
    Refused
        If none was.
    """
    made = sorted(
        Quarter.parse(path.parent.name) for path in (house.lake.root / "registry/cases").glob("*/manifest.json")
    )
    if not made:
        message = "no quarter has been run yet, so that there are no cases. Run one: perlinsos run QUARTER --first"
        raise Refused(message)
    return made[-1]


def open_cases(house: House, quarter: Quarter, wanted: Sequence[str] | None = None) -> list[Case]:
    """The open cases of the last run of a quarter.

    Raises
    ------
    Refused
        If the quarter has not been run.
    """
    tables = {key: registry_table(house, quarter, key) for key in TABLES}
    return cases_of(tables, model_on(house.models, quarter.first_day), wanted)


def registry_table(house: House, quarter: Quarter, key: str) -> pl.LazyFrame:
    """A table of the registry as the last run of a quarter made it.

    Raises
    ------
    Refused
        If the quarter has not been run.
    """
    table = house.lake.table(key, str(quarter))
    if table is None:
        message = f"{quarter} has no registry yet. Run it: perlinsos run {quarter}"
        raise Refused(message)
    return table.scan(house.contracts[key])


def find_case(house: House, quarter: Quarter, begins: str) -> Case:
    """The one open case whose identifier begins so.

    Raises
    ------
    Refused
        If there is none, or several.
    """
    found = [case for case in open_cases(house, quarter) if begins and case.case_id.startswith(begins)]
    if len(found) != 1:
        count = "no open case begins" if not found else f"{len(found)} open cases begin"
        message = f"{count} with {begins!r} in {quarter}. `perlinsos adjudicate list {quarter}` gives them."
        raise Refused(message)
    return found[0]


@dataclass(frozen=True)
class Decision:
    """What a clerk decided: the ruling, in which role, who, why, when and, where it matters, for which family."""

    ruling: Ruling
    role: ClerkRole
    decided_by: str
    reason: str
    decided_date: date
    family_id: str | None = None


def decide(
    house: House, quarter: Quarter, case: Case, decision: Decision, lang: Lang = "en",
    key: Ed25519PrivateKey | None = None,
) -> Loaded:  # fmt: skip
    """Deliver a ruling as the ministry; the next run of the quarter, or the next quarter, obeys it.

    Parameters
    ----------
    key : Ed25519PrivateKey, optional
        The ministry's, where the home takes signed deliveries alone.

    Raises
    ------
    Refused
        If the family named is no side of the case.
    """
    sides = sorted({side.family_id for side in case.sides})
    if decision.family_id is not None and decision.family_id not in sides:
        message = f"{decision.family_id!r} is no side of case {case.case_id}. Its sides are {', '.join(sides)}."
        raise Refused(message)
    row = {**asdict(decision), "case_id": case.case_id, "facts_hash": case.facts_hash}
    return _deliver(house, quarter, f"ruling-{case.case_id}.csv", [row], lang, key)


def decide_all(
    house: House, quarter: Quarter, file: Path, lang: Lang = "en", key: Ed25519PrivateKey | None = None
) -> Loaded:
    """Deliver the rulings of a filled workbook of cases as :func:`decide`; rows without a ruling wait for another day.

    Raises
    ------
    FileRefused
        If the file cannot be read or lacks a column.
    Refused
        If it holds no ruling, or a row cannot be trusted: a ruling that is a formula would pass for none.
    """
    contract = house.contracts[CONTRACT]
    delivery = open_delivery(file, names=names_of(contract))
    fit = fit_header(delivery.header, contract, delivery.name, is_named=delivery.is_named, first_row=delivery.first_row)
    stated = pl.concat([fit.rows(chunk) for chunk in delivery.chunks()])
    faulty = stated.filter(pl.col("row_fault").is_not_null())
    if faulty.height:
        fault = reasons_of_rows(faulty).row(0, named=True)
        sentence = say(f"row.{fault['reason']}", lang, column=fault["column"])
        raise Refused(say("cases.unreadable", lang, file=file.name, row=str(fault["row_number"]), sentence=sentence))
    rows = stated.filter(pl.col("ruling").str.strip_chars() != "").to_dicts()
    if not rows:
        raise Refused(say("cases.no_ruling", lang, file=file.name))
    return _deliver(house, quarter, f"{file.stem}.csv", rows, lang, key)


def _deliver(
    house: House, quarter: Quarter, name: str, rows: Sequence[Mapping[str, object]], lang: Lang,
    key: Ed25519PrivateKey | None,
) -> Loaded:  # fmt: skip
    with TemporaryDirectory(dir=house.home) as folder:
        file = Path(folder) / name
        with file.open("w", newline="", encoding="utf-8") as sink:
            writer = csv.DictWriter(sink, landing_columns(house.contracts[CONTRACT]), extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        note_of(file).write_text(f"sender: {SENDER}\n", encoding="utf-8")
        if key is not None:
            sign(Feed.ADJUDICATIONS, file, quarter, key)
        return Intake.of(house, quarter, lang).load(Feed.ADJUDICATIONS, file, quarter)


def workbook_of(house: House, cases: Sequence[Case], lang: Lang) -> bytes:
    """The cases as a workbook to fill and load."""
    return cases_workbook([_row(case, lang) for case in cases], house.contracts[CONTRACT], lang)


def _row(case: Case, lang: Lang) -> CaseRow:
    kept = [side for side in case.sides if side.is_kept]
    beside = {
        "kind": say(f"case_kind.{case.kind}", lang),
        "weight": "" if case.probability is None else f"{case.probability:.4f}",
        "agrees": ", ".join(name for name, agrees in case.agrees.items() if agrees),
        "differs": ", ".join(name for name, agrees in case.agrees.items() if agrees is False),
        "first_side": "\n".join(told(side) for side in kept),
        "other_sides": "\n".join(told(side) for side in case.sides if not side.is_kept),
    }
    return CaseRow({"case_id": case.case_id, "facts_hash": case.facts_hash}, beside, told_steps(case, lang))


def told_steps(case: Case, lang: Lang) -> list[tuple[str, str, str]]:
    """Where the match weight comes from: each part in words, what it found, and its bits."""
    return [(say(f"linkage.{step.name}", lang), _found(step, lang), f"{step.bits:+.2f}") for step in case.steps]


def _found(step: Step, lang: Lang) -> str:
    """What a comparison found, as the catalogue says it; models bear English words."""
    return named(f"linkage_found.{step.found}", step.found).of(lang)


def told(side: Side) -> str:
    """A side in one line: family, person, how it registered."""
    shown = "; ".join(str(value) for value in side.shown.values() if value is not None)
    return f"{side.family_id}: {shown}"
