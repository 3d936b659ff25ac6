"""The summary page of a published revision: counts, places and their arithmetic, files; public data only."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from reports.pages import page
from reports.rules import in_one_line, label
from schemas.messages import Lang, say, written
from schemas.regions import regency_name

COUNTS = ("registered", "evaluated", "eligible", "recipients", "both", "waiting", "ineligible", "not_scorable", "held")
MOVES = {"enters": 1, "promoted": 1, "leaves": -1, "displaced": -1}
"""Ways onto the list and off it, with the sign they have in the change of filled places."""
MONEY = ("families", "amount_rupiah", "mean_rupiah", "full_rupiah")
CHECKS = (
    "evaluated", "unverified", "pending", "held", "held_one_quarter", "held_two_quarters", "held_longer",
    "with_supervisor", "kept_places",
)  # fmt: skip
LONG = 40
"""A table of more regencies than this is folded up on the screen; paper shows it whole."""


def summary_page(
    public: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any], lang: Lang = "id", files_at: str = "../"
) -> str:
    """One self-contained page on a revision: for phone, screen and paper.

    Parameters
    ----------
    public : mapping
        Public tables of the revision by name. `region_summary`: the rows of level `regency` are shown, suppressed
        counts as a dash; a total is a dash where one of its parts is: it would give the part away. `seats`: the areas
        of the summary one by one, all others in one row. `budget` and `movements`: the nation and the regencies of
        the summary. `open_checks`: all rows.
    manifest : mapping
        Manifest of the revision: `quarter`, `revision`, `draft`, `policy_hash`, `model_hash`, `scaled`, `overlay`,
        `announcement` and `objection_deadline` (ISO), `files` (`sha256` and `bytes` by name); `is_planned` if the
        days are planned rather than announced; `rules_changed`, what differs from the rules of the quarter before.
    files_at : str
        Where the files lie, seen from the page.
    """
    regencies = public["region_summary"].filter(pl.col("level") == "regency").sort("programme", "region_code")
    programmes = sorted({*regencies["programme"], *public["seats"]["programme"]}, reverse=True)
    others = public["seats"].sort("regency_code"), public["budget"].sort("region_code"), public["movements"]
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
        moves=tuple(MOVES),
        long=LONG,
        held_together=_held_together(regencies),
        checks=CHECKS,
        open_checks=[
            {**row, "name": regency_name(row["regency_code"])} for row in public["open_checks"].iter_rows(named=True)
        ],
        rules_changed=[_rule(one, lang) for one in manifest["rules_changed"]],
        programmes=[
            _programme(
                name, regencies.filter(programme=name), *(table.filter(programme=name) for table in others), lang=lang
            )
            for name in programmes
        ],
    )


def _rule(change: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    """A changed value of a rule in words."""
    field = ["", *change["parts"]][-1]
    day = change["source"]["date"]
    source = change["source"]["title"][lang]
    return {
        "key": change["key"],
        "part": ", ".join(label(part, lang) for part in change["parts"]),
        # Its first sentence says what the rule decides; the others are on the page of the law.
        "description": change["description"][lang].partition(". ")[0].removesuffix("."),
        **{name: in_one_line(change[name], field, change["unit"], lang) for name in ("before", "now")},
        "source": source if day is None else f"{source} ({written(date.fromisoformat(day), lang)})",
    }


def _programme(
    name: str, counted: pl.DataFrame, seats: pl.DataFrame, budget: pl.DataFrame, movements: pl.DataFrame, *, lang: Lang
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
        "moves": [_moves(row["region_code"], row["name"], movements) for row in regions],
        "moved": _moves("all", say("page.nation", lang), movements),
        "causes": _causes(movements, lang),
    }


def _held_together(regencies: pl.DataFrame) -> list[tuple[str | None, int]]:
    """Families that receive both programmes (None), and those that receive one alone, by programme."""
    by_programme = regencies.group_by("programme").agg(pl.col("recipients", "both").sum()).sort("programme")
    alone = [(row["programme"], row["recipients"] - row["both"]) for row in by_programme.iter_rows(named=True)]
    return [(None, max(by_programme["both"])), *reversed(alone)] if alone else []


def _moves(region: str, name: str, movements: pl.DataFrame) -> dict[str, Any]:
    """A region's families by way onto the list and off it, and the change in filled places they add up to."""
    found = dict(movements.filter(region_code=region).group_by("move").agg(pl.col("families").sum()).iter_rows())
    told = {move: found.get(move, 0) for move in MOVES}
    return {"name": name, "code": region, **told, "change": sum(sign * told[move] for move, sign in MOVES.items())}


def _causes(movements: pl.DataFrame, lang: Lang) -> list[dict[str, Any]]:
    """The nation's families by cause, the most frequent first within a way; the few of several causes last."""
    told = movements.filter(pl.col("level") == "nation").sort(
        pl.col("move").cast(pl.Enum([*MOVES])), pl.col("cause").is_null(), -pl.col("families"), "cause"
    )
    return [
        {
            "move": row["move"],
            "families": row["families"],
            "words": say("page.few_causes" if row["cause"] is None else f"cause.{row['cause']}", lang),
        }
        for row in told.iter_rows(named=True)
    ]


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
