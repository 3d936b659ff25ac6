"""A simulation as one page with charts and as a workbook, both of the same tables. Nothing is counted anew here.

What the tables hold is said in :mod:`assets.simulation.simulate`.
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from reports.pages import page
from reports.sheets import Styles, add_table, new_book
from schemas.messages import NOTHING, Lang, catalogue, say, written
from schemas.regions import regency_name

MOST_REGENCIES = 40
MOST_AGENTS = 20
MOST_AGENTS_IN_WORKBOOK = 10_000
LONGEST_VALUE = 300
WIDTH = 1000
"""Units across a chart."""

BASELINES = {"base": "#5a6672", "random": "#a9b4bf", "perfect": "#1c2530"}
_COLOURS = ("#14645c", "#c98a1b", "#3b5b8a", "#8a3b3b", "#6b4a8a", "#4f7d2c")
CAUSES = {"model": "#3b5b8a", "policy": "#14645c", "seats": "#c98a1b", "lottery": "#a9b4bf"}
GROUPS = ("elderly_living", "head_age", "head_sex", "disability", "household_size", "settlement", "channel")
CHECKED = ("coverage", "stated_exclusion", "stated_inclusion")
_WORDS = ("dimension", "value")
_SHARES = ("error", "low", "high", "difference", "difference_low", "difference_high", "share")
_SHEETS = ("overview", "moves", "parts", "agents", "errors", "checked", "seats")

Tables = Mapping[str, pl.DataFrame]
Row = dict[str, Any]


def simulation_page(about: Mapping[str, Any], tables: Tables, lang: Lang = "id") -> str:
    """One self-contained page: what was compared, who moves and why, what it costs, what it does to errors.

    Parameters
    ----------
    about, tables
        Of :class:`assets.simulation.simulate.Simulated`.
    """
    overview = tables["overview"]
    runs = {name: _run(name, number, about, lang) for number, name in enumerate(_runs(overview))}
    runs["perfect"] = _run("perfect", len(runs), about, lang)
    programmes = overview["programme"].unique(maintain_order=True)
    return page(
        "simulation.html",
        lang,
        about=about,
        runs=runs,
        scenarios=[{**one, "changes": [_change(row) for row in one["changes"]]} for one in about["scenarios"]],
        fitted=_fitted(about, runs, lang),
        causes=CAUSES,
        programmes=[_programme(name, tables, lang) for name in programmes],
        hashes={name: about[name] for name in ("draft", "model_hash", "policy_hash")},
        seeds={name: str(about[name]) for name in ("lottery_seed", "bootstrap_seed", "replicates")},
    )


def simulation_workbook(about: Mapping[str, Any], tables: Tables, lang: Lang = "id") -> bytes:
    """A sheet on what was compared, then one per table with numbers as numbers; the same tables give the same bytes."""
    buffer = io.BytesIO()
    book = new_book(buffer)
    heads = [(say("simulation.about", lang), 34), ("", 110)]
    add_table(book, Styles(book), say("simulation.about", lang), heads, list(_told(about, tables, lang)))
    for name in _SHEETS:
        table = _of_agents(tables["parts"]).head(MOST_AGENTS_IN_WORKBOOK) if name == "agents" else tables[name]
        if name == "parts":
            table = table.filter(pl.col("dimension") != "agent")
        shown = _in_words(table, lang)
        title = {column: say(f"simulation.{column}", lang) for column in shown.columns}
        shares: dict[Any, str] = {title[column]: "0.0%" for column in _SHARES if column in title}
        shown.rename(title).write_excel(
            book, say(f"simulation.sheet_{name}", lang), autofit=True, freeze_panes=(1, 0), column_formats=shares,
            dtype_formats={pl.Int64: "#,##0"},
        )  # fmt: skip
    book.close()
    return buffer.getvalue()


def _runs(overview: pl.DataFrame) -> list[str]:
    return overview["run"].unique(maintain_order=True).to_list()


def run_label(name: str, lang: Lang) -> str:
    """What a column is called: a baseline by its words, a scenario by its name."""
    return say(f"simulation.{name}", lang) if name in BASELINES else name


def _run(name: str, number: int, about: Mapping[str, Any], lang: Lang) -> Row:
    colour = BASELINES.get(name) or _COLOURS[(number - 1) % len(_COLOURS)]
    return {"label": run_label(name, lang), "colour": colour, "quarter": about["quarter"]}


def _change(row: Mapping[str, Any]) -> Row:
    return {"path": row["path"], "before": _json(row["before"]), "after": _json(row["after"])}


def _json(value: object) -> str:
    text = NOTHING if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} …"


def _fitted(about: Mapping[str, Any], runs: Mapping[str, Row], lang: Lang) -> str | None:
    """How the households a scorecard was fitted on are scored, and which columns it concerns."""
    told = {"base": about["fitted_on_sample"], **{one["name"]: one["fitted_on_sample"] for one in about["scenarios"]}}
    labels = ", ".join(runs[name]["label"] for name, is_so in told.items() if is_so)
    return say("simulation.fitted_on_sample", lang, runs=labels, folds=about["folds"]) if labels else None


def _programme(name: str, tables: Tables, lang: Lang) -> Row:
    mine = {key: table.filter(pl.col("programme") == name) for key, table in tables.items()}
    overview = mine["overview"].rows(named=True)
    parts = mine["parts"]
    widest_move = max((max(row["entering"], row["leaving"]) for row in overview), default=0) or 1
    widest_cost = max((max(row["full_rupiah"] or 0, row["amount_rupiah"]) for row in overview), default=0) or 1
    regencies = _moved(parts.filter(pl.col("dimension") == "regency"))
    agents = _of_agents(parts)
    return {
        "name": name,
        "overview": overview,
        "money": [{**row, "bar": _money(row, widest_cost)} for row in overview],
        "movement": [{**row, "bar": _movement(row, mine["moves"], widest_move)} for row in overview],
        "moves": _moves(mine["moves"], lang),
        "errors": _errors(mine["errors"], lang),
        "poor": _poor(mine["errors"]),
        "fairness": _by_group(mine["errors"].filter(pl.col("measure") == "exclusion"), "error", "households", lang),
        "groups": _movement_of(parts.filter(pl.col("dimension").is_in(GROUPS)), lang),
        "regencies": _movement_of(regencies.filter(pl.col("value").is_in(_first(regencies, MOST_REGENCIES))), lang),
        "regency_count": regencies["value"].n_unique(),
        "regencies_shown": min(MOST_REGENCIES, regencies["value"].n_unique()),
        "agents": _movement_of(agents.filter(pl.col("value").is_in(_first(agents, MOST_AGENTS))), lang),
        "agent_count": agents["value"].n_unique(),
        "agents_shown": min(MOST_AGENTS, agents["value"].n_unique()),
        "checked": _checked(mine["checked"], lang),
        "coverage": _by_group(mine["checked"].filter(pl.col("measure") == "coverage"), "share", "families", lang),
        "measured": mine["errors"].height > 0,
    }


def _money(row: Row, widest: int) -> Row:
    return {
        "amount": row["amount_rupiah"] * WIDTH // widest,
        "full": None if row["full_rupiah"] is None else row["full_rupiah"] * WIDTH // widest,
    }


def _movement(row: Row, moves: pl.DataFrame, widest: int) -> Row:
    """Stretches of those who leave, leftwards from the middle, and of those who enter, by cause."""
    half = WIDTH // 2
    mine = moves.filter(pl.col("run") == row["run"])
    drawn: dict[str, list[Row]] = {"leaving": [], "entering": []}
    for way, column in (("leaving", "from_status"), ("entering", "to_status")):
        reached = 0
        for cause, colour in CAUSES.items():
            count = int(mine.filter((pl.col(column) == "recipient") & (pl.col("cause") == cause))["families"].sum())
            begin, end = reached * half // widest, (reached + count) * half // widest
            if end > begin:
                at = half + begin if way == "entering" else half - end
                drawn[way].append({"x": at, "width": end - begin, "colour": colour})
            reached += count
    return drawn


def _moves(moves: pl.DataFrame, lang: Lang) -> list[Row]:
    """Every kind of move of the nation's families, regencies added up."""
    keys = ["run", "from_status", "to_status", "cause"]
    added = moves.group_by(keys, maintain_order=True).agg(pl.col("families").sum())
    return [
        {
            "run": row["run"],
            "from": _status(row["from_status"], lang),
            "to": _status(row["to_status"], lang),
            "cause": say(f"simulation.cause_{row['cause']}", lang),
            "families": row["families"],
        }
        for row in added.rows(named=True)
    ]


def _status(status: str, lang: Lang) -> str:
    return say(f"simulation.{status}" if status == "no_programme" else f"status.{status}", lang)


def _errors(errors: pl.DataFrame, lang: Lang) -> list[Row]:
    """Both errors of every run, for all families."""
    whole = errors.filter(pl.col("dimension") == "all").rows(named=True)
    found: dict[str, Row] = {}
    for row in whole:
        told = {"whisker": whisker(row["error"], row["low"], row["high"]), **_percents(row, lang)}
        found.setdefault(row["run"], {"run": row["run"]})[row["measure"]] = told
    return list(found.values())


def _percents(row: Row, lang: Lang) -> Row:
    return {
        "value": percent(row["error"], lang),
        "range": between(row["low"], row["high"], lang),
        "difference": None if row["run"] == "base" else points(row["difference"], lang),
        "difference_range": between(row["difference_low"], row["difference_high"], lang, points),
    }


def _checked(checked: pl.DataFrame, lang: Lang) -> dict[str, list[Row]]:
    """What is told of all checked families, measure by measure and run by run."""
    told: dict[str, list[Row]] = {measure: [] for measure in CHECKED}
    for row in checked.filter((pl.col("dimension") == "all") & pl.col("families").gt(0)).rows(named=True):
        told[row["measure"]].append({
            "run": row["run"], "families": row["families"], "value": percent(row["share"], lang),
            "range": between(row["low"], row["high"], lang), "whisker": whisker(row["share"], row["low"], row["high"]),
        })  # fmt: skip
    return told


def _poor(errors: pl.DataFrame) -> Row | None:
    rows = errors.filter(
        (pl.col("dimension") == "all") & (pl.col("measure") == "exclusion") & (pl.col("run") == "base")
    ).rows(named=True)
    return rows[0] if rows else None


def whisker(value: float | None, low: float | None, high: float | None) -> Row | None:
    """Where a share and its interval, if one is told, stand in a chart from 0 to 1."""
    if value is None:
        return None
    low, high = (value, value) if low is None or high is None else (low, high)
    return {"x": round(value * WIDTH), "low": round(low * WIDTH), "width": max(round((high - low) * WIDTH), 1)}


def percent(share: float | None, lang: Lang) -> str:
    """A share in percent with one decimal, as the language writes it."""
    return NOTHING if share is None else f"{written(Decimal(f'{share * 100:.1f}'), lang)}%"


def points(difference: float | None, lang: Lang) -> str:
    """A difference of shares in percentage points with its sign."""
    if difference is None:
        return NOTHING
    value = Decimal(f"{difference * 100:.1f}")
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
    return sign + written(abs(value), lang)


def between(
    low: float | None, high: float | None, lang: Lang, told: Callable[[float | None, Lang], str] = percent
) -> str:
    """An interval, both ends told in the same way."""
    return NOTHING if low is None or high is None else f"{told(low, lang)} … {told(high, lang)}"


def _by_group(table: pl.DataFrame, share: str, count: str, lang: Lang) -> list[Row]:
    """A row per value of a group, in it a share with its interval per run."""
    rows: dict[tuple[str, str], Row] = {}
    for row in table.rows(named=True):
        line = rows.setdefault(
            (row["dimension"], row["value"]),
            {**_place(row, lang), "count": row[count], "runs": {}},
        )
        line["runs"][row["run"]] = {
            "value": percent(row[share], lang),
            "range": between(row["low"], row["high"], lang),
            "whisker": whisker(row[share], row["low"], row["high"]),
        }
    return [rows[key] for key in sorted(rows, key=_order)]


def _movement_of(parts: pl.DataFrame, lang: Lang) -> list[Row]:
    """A row per value of a dimension, in it recipients, entering and leaving per run."""
    rows: dict[tuple[str, str], Row] = {}
    for row in parts.rows(named=True):
        line = rows.setdefault(
            (row["dimension"], row["value"]),
            {**_place(row, lang), "before": row["recipients_before"], "families": row["families"], "runs": {}},
        )
        line["runs"][row["run"]] = {name: row[name] for name in ("recipients", "entering", "leaving")}
    return [rows[key] for key in sorted(rows, key=_order)]


def _order(key: tuple[str, str]) -> tuple[int, bool]:
    """Groups as they are told, who is in none of a group's values last; otherwise as the rows stand."""
    dimension, value = key
    return GROUPS.index(dimension) + 1 if dimension in GROUPS else 0, value == "unknown"


def _place(row: Row, lang: Lang) -> Row:
    dimension, value = row["dimension"], row["value"]
    return {"dimension": dimension_word(dimension, lang), "value": value_word(dimension, value, lang)}


def _moved(parts: pl.DataFrame) -> pl.DataFrame:
    """Rows of the same value together, most movement by scenarios first."""
    movement = pl.col("entering") + pl.col("leaving")
    total = pl.when(pl.col("run") != "random").then(movement).otherwise(0).sum().over("value")
    return parts.with_columns(_moved=total).sort("_moved", "value", descending=[True, False], maintain_order=True)


def _of_agents(parts: pl.DataFrame) -> pl.DataFrame:
    """Agents with families that a scenario moves, most movement first."""
    agents = parts.filter((pl.col("dimension") == "agent") & ~pl.col("run").is_in(["base", "random"]))
    return _moved(agents).filter(pl.col("_moved") > 0).drop("_moved")


def _first(table: pl.DataFrame, count: int) -> list[str]:
    return table["value"].unique(maintain_order=True).head(count).to_list()


def dimension_word(dimension: str, lang: Lang) -> str:
    """What a dimension is called."""
    return say(f"simulation.dimension_{dimension}", lang)


def value_word(dimension: str, value: str, lang: Lang) -> str:
    """What a value of a dimension is called; codes of agents and sizes of families stand for themselves."""
    if dimension == "regency":
        return f"{regency_name(value)} ({value})"
    if dimension == "channel":
        return say(f"channel.{value}", lang)
    code = f"simulation.value_{value}"
    return say(code, lang) if code in catalogue() else value


def _in_words(table: pl.DataFrame, lang: Lang) -> pl.DataFrame:
    """Coded columns in the words of the page, everything else as it is."""
    shown = table.with_columns(
        pl.col("run").replace({name: run_label(name, lang) for name in BASELINES}),
    )
    if {*_WORDS} <= {*table.columns}:
        pairs = table.select(_WORDS).unique(maintain_order=True).rows()
        words = {(one, value): value_word(one, value, lang) for one, value in pairs}
        shown = shown.with_columns(
            pl.Series("value", [words[pair] for pair in table.select(_WORDS).iter_rows()], dtype=pl.String),
            dimension=pl.Series([dimension_word(one, lang) for one in table["dimension"]], dtype=pl.String),
        )
    codes: Mapping[str, Callable[[str], str]] = {
        "measure": lambda word: say(f"simulation.{word}", lang),
        "from_status": lambda word: _status(word, lang),
        "to_status": lambda word: _status(word, lang),
        "cause": lambda word: say(f"simulation.cause_{word}", lang),
    }
    for column, told in codes.items():
        if column in shown.columns:
            meanings = {word: told(word) for word in table[column].unique().drop_nulls()}
            shown = shown.with_columns(pl.col(column).replace(meanings))
    return shown


def _told(about: Mapping[str, Any], tables: Tables, lang: Lang) -> Iterable[Sequence[str]]:
    """The sheet on what was compared and how it is to be read."""
    yield say("simulation.title", lang), say("simulation.banner", lang)
    yield say("simulation.snapshot", lang), f"{about['quarter']} r{about['revision']}"
    if about["scaled"]:
        yield "", say("page.scaled", lang, overlay=about["overlay"])
    for name in BASELINES:
        yield run_label(name, lang), say(f"simulation.{name}_note", lang)
    yield from _scenarios_told(about["scenarios"], lang)
    yield say("simulation.money", lang), say("simulation.money_note", lang)
    runs = {name: {"label": run_label(name, lang)} for name in _runs(tables["overview"])}
    if tables["errors"].height:
        counts = {"households": about["survey_households"], "clusters": about["survey_clusters"]}
        yield say("simulation.errors", lang), say("simulation.errors_note", lang, **counts)
        fitted = _fitted(about, runs, lang)
        if fitted:
            yield "", fitted
    else:
        yield say("simulation.errors", lang), say("simulation.no_survey", lang)
    yield say("simulation.checked", lang), say("simulation.checked_note", lang)
    for measure in CHECKED:
        yield say(f"simulation.{measure}", lang), say(f"simulation.{measure}_of", lang)
    yield say("simulation.decision_date", lang), written(about["decision_date"], lang)
    for name in ("draft", "model_hash", "policy_hash", "lottery_seed", "bootstrap_seed", "replicates"):
        yield say(f"simulation.{name}", lang), str(about[name])


def _scenarios_told(scenarios: Sequence[Mapping[str, Any]], lang: Lang) -> Iterable[Sequence[str]]:
    for one in scenarios:
        yield f"{say('simulation.scenario', lang)}: {one['name']}", one["reason"]
        for row in map(_change, one["changes"]):
            yield "", f"{row['path']}: {row['before']} → {row['after']}"
        if one["model_hash"]:
            yield "", f"{say('simulation.model_hash', lang)}: {one['model_hash']}"
        if one["seats_given"]:
            yield "", say("simulation.seats_given", lang, count=one["seats_given"])
