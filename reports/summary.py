"""The summary page of a published revision: counts, places and their arithmetic, files; public data only."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from reports.pages import page
from schemas.messages import Lang, say, written
from schemas.regions import regency_name

COUNTS = ("registered", "evaluated", "eligible", "recipients", "waiting", "ineligible", "not_scorable", "held")
MONEY = ("families", "amount_rupiah", "mean_rupiah", "full_rupiah")
LONG = 40
"""A table of more regencies than this is folded up on the screen; paper shows it whole."""


def summary_page(
    summary: pl.DataFrame,
    seats: pl.DataFrame,
    budget: pl.DataFrame,
    manifest: Mapping[str, Any],
    lang: Lang = "id",
    files_at: str = "../",
) -> str:
    """One self-contained page on a revision: for phone, screen and paper.

    Parameters
    ----------
    summary : DataFrame
        Contract `publication/region_summary`; the rows of level `regency` are shown, suppressed counts as a dash.
        A total is a dash where one of its parts is: it would give the part away.
    seats : DataFrame
        Contract `decision/seats`; the areas of the summary are shown one by one, all others in one row.
    budget : DataFrame
        Contract `publication/budget`; the nation, and the regencies of the summary, are shown.
    manifest : mapping
        Manifest of the revision: `quarter`, `revision`, `draft`, `policy_hash`, `model_hash`, `scaled`, `overlay`,
        `announcement` and `objection_deadline` (ISO), `files` (`sha256` and `bytes` by name); `is_planned` if the
        days are planned rather than announced.
    files_at : str
        Where the files lie, seen from the page.
    """
    regencies = summary.filter(pl.col("level") == "regency").sort("programme", "region_code")
    programmes = sorted({*regencies["programme"], *seats["programme"]}, reverse=True)
    return page(
        "summary.html",
        lang,
        about=manifest,
        announcement=date.fromisoformat(manifest["announcement"]),
        deadline=date.fromisoformat(manifest["objection_deadline"]),
        hashes={"draft_hash": manifest["draft"], **{name: manifest[name] for name in ("model_hash", "policy_hash")}},
        files_at=files_at,
        counts=COUNTS,
        money=MONEY,
        long=LONG,
        programmes=[
            _programme(
                name,
                regencies.filter(pl.col("programme") == name),
                seats.filter(pl.col("programme") == name).sort("regency_code"),
                budget.filter(pl.col("programme") == name).sort("region_code"),
                lang,
            )
            for name in programmes
        ],
    )


def _programme(
    name: str, counted: pl.DataFrame, seats: pl.DataFrame, budget: pl.DataFrame, lang: Lang
) -> dict[str, Any]:
    of_regencies = budget.filter(pl.col("region_code").is_in(counted["region_code"].unique().implode()))
    nation = budget.filter(pl.col("level") == "nation")
    is_shown = pl.col("regency_code").is_in(counted["region_code"].unique().implode())
    shown, others = seats.filter(is_shown), seats.filter(~is_shown)
    if shown.is_empty():
        # Places go to other areas than regencies.
        shown, others = seats, shown
    places = dict(shown.select("regency_code", "seats").iter_rows())
    regions = [
        {**row, "name": regency_name(row["region_code"]), "places": places.get(row["region_code"])}
        for row in counted.iter_rows(named=True)
    ]
    widest = max((max(sum(_inside(row)), row["places"] or 0) for row in regions), default=0)
    return {
        "name": name,
        "regions": [{**row, "bar": _bar(row, widest, lang)} for row in regions],
        "totals": {column: _total(counted[column]) for column in COUNTS},
        "places": _total(shown["seats"]),
        "bounds": [name for name in ("floor", "cap") if seats[name].null_count() < seats.height],
        "seats": [{**row, "name": regency_name(row["regency_code"])} for row in shown.iter_rows(named=True)],
        "others": None if others.is_empty() else _added(others),
        "all": _added(seats),
        "budget": [{**row, "name": regency_name(row["region_code"])} for row in of_regencies.iter_rows(named=True)],
        "nation": None if nation.is_empty() else _nation(nation.row(0, named=True), lang),
    }


def _nation(row: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    micro = row["ceiling_share_micro"]
    if micro is None:
        return {**row, "share": None}
    finest = Decimal("0.01")
    percent = (Decimal(micro) / 10_000).quantize(finest)
    share = f"{written(percent or finest, lang)}%"
    return {**row, "share": share if percent or not row["amount_rupiah"] else say("page.less_than", lang, share=share)}


def _added(seats: pl.DataFrame) -> dict[str, int | None]:
    return {column: _total(seats[column]) for column in ("weight", "seats")}


def _inside(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["recipients"] or 0, row["waiting"] or 0


def _total(column: pl.Series) -> int | None:
    return None if column.null_count() else int(column.sum())


def _bar(row: Mapping[str, Any], widest: int, lang: Lang) -> dict[str, Any] | None:
    """Lengths in thousandths of the widest bar, and the same in words for those who do not see it."""
    if row["recipients"] is None or row["waiting"] is None or not widest:
        return None
    return {
        "recipients": row["recipients"] * 1000 // widest,
        "waiting": row["waiting"] * 1000 // widest,
        "places": None if row["places"] is None else row["places"] * 1000 // widest,
        "words": say("page.legend", lang, **{name: row[name] for name in ("recipients", "waiting", "places")}),
    }
