"""The public tables: recipients, queue, and counts per region with small cells suppressed.

They carry nobody's reason, number, birth date, full name, score or component (UU PDP 27/2022, UU Adminduk art. 84).
Nor do two revisions of a quarter: their lists name who moved, so that a count that differs by few would tell why.
"""

from collections.abc import Sequence

import polars as pl

from assets.decision.draft import counts
from assets.decision.results import WHOLE_NATION
from schemas.vocabularies import Programme, Status

SMALLEST_SHOWN = 5
_AMOUNTS = ("amount_rupiah", "mean_rupiah", "full_rupiah", "ceiling_share_micro")
_NEXT = 2
_SENSITIVE = ("ineligible", "not_scorable", "held")
_CHECKS = (
    ("evaluated",), ("unverified",), ("pending",), ("held",),
    ("held_one_quarter", "held_two_quarters", "held_longer"), ("with_supervisor",), ("kept_places",),
)  # fmt: skip
"""Counts of the open checks that are suppressed together."""
_FEW_CHANGED, _CHANGED = "_few_changed", "_changed"
_LEVELS = {"regency": "regency_code", "district": "district_code", "village": "village_code"}


def recipients(decisions: pl.LazyFrame, named: Sequence[Programme]) -> pl.LazyFrame:
    """Rows of the public list of recipients, under the references of that list.

    Parameters
    ----------
    named : sequence of Programme
        Programmes whose recipients stand with their masked names (policy `publication.names`).
    """
    return _listed(decisions, Status.RECIPIENT, named)


def _listed(decisions: pl.LazyFrame, status: Status, named: Sequence[Programme]) -> pl.LazyFrame:
    return decisions.filter(pl.col("status") == status).with_columns(
        pl.when(pl.col("programme").is_in(list(named))).then("masked_name").alias("masked_name"),
        reference="list_reference",
    )


def waiting_list(decisions: pl.LazyFrame, transitions: pl.LazyFrame, named: Sequence[Programme]) -> pl.LazyFrame:
    """Rows of the public queue; `places_opened` counts last quarter's recipients who are none there now.

    Names and references are as in :func:`recipients`.
    """
    stays = (pl.col("to_status") == Status.RECIPIENT) & (pl.col("regency_code") == pl.col("from_regency_code"))
    opened = (
        transitions.filter((pl.col("from_status") == Status.RECIPIENT) & ~stays)
        .group_by(pl.col("from_regency_code").alias("regency_code"), "programme")
        .agg(places_opened=pl.len().cast(pl.Int64))
    )
    return (
        _listed(decisions, Status.WAITING, named)
        .join(opened, on=["regency_code", "programme"], how="left")
        .with_columns(pl.col("places_opened").fill_null(0))
    )


def region_summary(decisions: pl.LazyFrame, quarter: str, earlier: Sequence[pl.LazyFrame] = ()) -> pl.DataFrame:
    """Counts per region and programme (contract `publication/region_summary`).

    Where fewer than five families share a status nobody else may know, all such counts of the region and programme
    are suppressed, and the total too where it would give them away; where that leaves one region alone suppressed
    inside its parent, its smallest sibling is suppressed as well. The same holds where such a count differs from that
    of an earlier revision by fewer than five.

    Parameters
    ----------
    earlier : sequence of LazyFrame
        Contract `decision/decisions` of the quarter's earlier revisions.
    """
    parts = []
    received = decisions.filter(pl.col("status") == Status.RECIPIENT)
    several = received.filter(pl.col("programme").len().over("family_id") > 1)
    for level, column in _LEVELS.items():
        group = [column, "programme"]
        both = several.group_by(group).agg(both=pl.len().cast(pl.Int64)).collect()
        by_region = (
            counts(decisions, group)
            .join(both, on=group, how="left")
            .with_columns(pl.col("both").fill_null(0))
            .rename({column: "region_code"})
        )
        before = [counts(one, group).rename({column: "region_code"}) for one in earlier]
        by_region = _mark_changes(by_region, before, ["region_code", "programme"], _SENSITIVE)
        parts.append(_suppressed(by_region, level).with_columns(level=pl.lit(level), quarter=pl.lit(quarter)))
    return pl.concat(parts).with_columns(registered=pl.col("evaluated"))


def changed_payments(decisions: pl.LazyFrame, earlier: pl.LazyFrame) -> pl.DataFrame:
    """`region_code, programme, families`: whose amount differs between two revisions, by regency and in the nation.

    Parameters
    ----------
    decisions, earlier : LazyFrame
        Contract `decision/decisions` of two revisions of a quarter.
    """
    key, amount = ["family_id", "programme"], pl.col("amount_rupiah")
    columns = [*key, "regency_code", "amount_rupiah"]
    both = decisions.select(columns).join(earlier.select(columns), on=key, how="full", coalesce=True, suffix="_before")
    differs = both.filter(amount.fill_null(0) != pl.col("amount_rupiah_before").fill_null(0))
    return (
        differs.with_columns(region_code=pl.coalesce("regency_code", "regency_code_before"))
        .select("programme", region_code=pl.concat_list("region_code", pl.lit(WHOLE_NATION)))
        .explode("region_code")
        .group_by("region_code", "programme")
        .agg(families=pl.len().cast(pl.Int64))
        .collect()
    )


def budget(costs: pl.DataFrame, changed: Sequence[pl.DataFrame] = ()) -> pl.DataFrame:
    """Rows of the public budget (contract `publication/budget`), amounts of fewer than five families suppressed.

    What one family is paid tells its components, and so does the difference that few families make between two
    revisions. Where one regency alone is suppressed, the next smallest is too (of those that changed first, as the
    amounts of others are known), or, if there is none, the nation: its total would give the amount away.

    Parameters
    ----------
    costs : DataFrame
        Contract `decision/budget`.
    changed : sequence of DataFrame
        From :func:`changed_payments`, for each earlier revision of the quarter.
    """
    few = pl.col("families").is_between(1, SMALLEST_SHOWN - 1)
    costs = costs.with_columns(pl.lit(value=False).alias(name) for name in (_FEW_CHANGED, _CHANGED))
    for one in changed:
        marks = one.select("region_code", "programme", _few=few)
        costs = (
            costs.join(marks, on=["region_code", "programme"], how="left")
            .with_columns(
                pl.col(_FEW_CHANGED) | pl.col("_few").fill_null(value=False),
                pl.col(_CHANGED) | pl.col("_few").is_not_null(),
            )
            .drop("_few")
        )
    is_regency, few = pl.col("level") == "regency", few | pl.col(_FEW_CHANGED)
    pays = is_regency & (pl.col("families") > 0)
    marked = costs.sort("programme", ~pays, ~few, ~pl.col(_CHANGED), "families", "region_code").with_columns(
        _alone=(few & pays).sum().over("programme") == 1,
        _is_next=pays & (pays.cum_sum().over("programme") == _NEXT),
        _is_whole=~is_regency & (pays.sum().over("programme") == 1),
    )
    hide = few | (pl.col("_alone") & (pl.col("_is_next") | pl.col("_is_whole")))
    return marked.with_columns(pl.when(~hide).then(name).alias(name) for name in _AMOUNTS).drop(
        "_alone", "_is_next", "_is_whole", _FEW_CHANGED, _CHANGED
    )


def movements(moved: pl.DataFrame, earlier: Sequence[pl.DataFrame] = ()) -> pl.DataFrame:
    """Rows of the public movements (contract `publication/movements`).

    Regencies are told how many came and went, which their lists tell as well; why, only of the nation. Causes of fewer
    than five families, or of which an earlier revision of the quarter counts fewer than five more or less, stand
    together in one row without a cause; where that were one cause alone, the next smallest stands with it.

    Parameters
    ----------
    moved : DataFrame
        Contract `decision/movements`.
    earlier : sequence of DataFrame
        The same of the quarter's earlier revisions.
    """
    by = ["quarter", "level", "region_code", "programme", "move"]
    is_nation = pl.col("level") == "nation"
    small = (pl.col("families") < SMALLEST_SHOWN) | pl.col(_FEW_CHANGED)
    ordered = (
        _mark_changes(moved, earlier, [*by, "cause"], ["families"])
        .sort(*by, ~small, ~pl.col(_CHANGED), "families", "cause")
        .with_columns(_few=small.sum().over(by), _turn=pl.int_range(pl.len()).over(by))
    )
    together = small | ((pl.col("_few") == 1) & (pl.col("_turn") == 1))
    return (
        ordered.with_columns(cause=pl.when(is_nation & ~together).then("cause"))
        .group_by(*by, "cause")
        .agg(pl.col("families").sum())
        .sort(*by, "cause", nulls_last=True)
    )


def _mark_changes(
    table: pl.DataFrame, earlier: Sequence[pl.DataFrame], key: Sequence[str], columns: Sequence[str]
) -> pl.DataFrame:
    """The table with `_few_changed` and `_changed`: whether a count differs from an earlier revision's, and by few."""
    table = table.with_columns(pl.lit(value=False).alias(name) for name in (_FEW_CHANGED, _CHANGED))
    for before in earlier:
        known = before.select(*key, *(pl.col(name).alias(f"_{name}") for name in columns))
        apart = [(pl.col(name) - pl.col(f"_{name}").fill_null(0)).abs() for name in columns]
        table = (
            table.join(known, on=key, how="left")
            .with_columns(
                pl.any_horizontal(_FEW_CHANGED, *(one.is_between(1, SMALLEST_SHOWN - 1) for one in apart)),
                pl.any_horizontal(_CHANGED, *(one > 0 for one in apart)).alias(_CHANGED),
            )
            .drop(f"_{name}" for name in columns)
        )
    return table


def _suppressed(table: pl.DataFrame, level: str) -> pl.DataFrame:
    parent = pl.col("region_code").str.slice(0, {"regency": 2, "district": 5, "village": 8}[level])
    marked = _marked(table.with_columns(_parent=parent), _SENSITIVE, ["_parent", "programme"], ["region_code"])
    hidden = [pl.when(~pl.col("_hide")).then(name).alias(name) for name in _SENSITIVE]
    tells = pl.col("_hide") & pl.sum_horizontal(_SENSITIVE).is_between(1, SMALLEST_SHOWN - 1)
    return (
        marked.with_columns(*hidden, evaluated=pl.when(~tells).then("evaluated"))
        .drop("_parent", "_hide")
        .sort("region_code", "programme")
    )


def _marked(table: pl.DataFrame, together: Sequence[str], siblings: Sequence[str], key: Sequence[str]) -> pl.DataFrame:
    """The table with `_hide`: whether a count is small or changed by few, or hides the only such one beside it.

    Beside one that changed, only another that changed hides it: what did not change is known from before.
    """
    small = pl.any_horizontal(pl.col(name).is_between(1, SMALLEST_SHOWN - 1) for name in together)
    small |= pl.col(_FEW_CHANGED)
    ordered = table.with_columns(_small=small, _rest=pl.sum_horizontal(together))
    ordered = ordered.sort(*siblings, "_small", ~pl.col(_CHANGED), "_rest", *key)
    is_alone = pl.col("_small").sum().over(siblings) == 1
    is_next = ~pl.col("_small") & (pl.int_range(pl.len()).over(siblings) == 0)
    hide = pl.col("_small") | (is_alone & is_next)
    return ordered.with_columns(_hide=hide).drop("_small", "_rest", _FEW_CHANGED, _CHANGED)


def open_checks(counted: pl.DataFrame, earlier: Sequence[pl.DataFrame] = ()) -> pl.DataFrame:
    """Rows of the public open checks (contract `publication/open_checks`), counts below five suppressed.

    The three waits of the held are suppressed together: their total would give one of them away. Where one cell alone
    of a regency would be suppressed, its smallest sibling is too. A count that differs by fewer than five from an
    earlier revision's is suppressed like a small one.

    Parameters
    ----------
    counted : DataFrame
        Contract `decision/open_checks`.
    earlier : sequence of DataFrame
        The same of the quarter's earlier revisions.
    """
    shown = counted
    for together in _CHECKS:
        compared = _mark_changes(counted, earlier, ["regency_code", "channel", "age_group"], together)
        hidden = _marked(compared, together, ["regency_code"], ["channel", "age_group"])
        marks = hidden.select("regency_code", "channel", "age_group", "_hide")
        shown = (
            shown.join(marks, on=["regency_code", "channel", "age_group"], how="left")
            .with_columns(pl.when(~pl.col("_hide")).then(name).alias(name) for name in together)
            .drop("_hide")
        )
    return shown.sort("regency_code", "channel", "age_group")
