"""The public tables: recipients, queue, and counts per region with small cells suppressed.

They carry nobody's reason, number, birth date, full name, score or component (UU PDP 27/2022, UU Adminduk art. 84).
"""

from collections.abc import Sequence

import polars as pl

from assets.decision.draft import counts
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


def region_summary(decisions: pl.LazyFrame, quarter: str) -> pl.DataFrame:
    """Counts per region and programme (contract `publication/region_summary`).

    Where fewer than five families share a status nobody else may know, all such counts of the region and programme
    are suppressed, and the total too where it would give them away; where that leaves one region alone suppressed
    inside its parent, its smallest sibling is suppressed as well.
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
        parts.append(_suppressed(by_region, level).with_columns(level=pl.lit(level), quarter=pl.lit(quarter)))
    return pl.concat(parts).with_columns(registered=pl.col("evaluated"))


def budget(costs: pl.DataFrame) -> pl.DataFrame:
    """Rows of the public budget (contract `publication/budget`), amounts of fewer than five families suppressed.

    What one family is paid tells its components. Where one regency alone is suppressed, the next smallest is too, or,
    if there is none, the nation: its total would give the amount away.

    Parameters
    ----------
    costs : DataFrame
        Contract `decision/budget`.
    """
    is_regency, few = pl.col("level") == "regency", pl.col("families").is_between(1, SMALLEST_SHOWN - 1)
    pays = is_regency & (pl.col("families") > 0)
    marked = costs.sort("programme", ~pays, "families", "region_code").with_columns(
        _alone=(few & pays).sum().over("programme") == 1,
        _is_next=pays & (pays.cum_sum().over("programme") == _NEXT),
        _is_whole=~is_regency & (pays.sum().over("programme") == 1),
    )
    hide = few | (pl.col("_alone") & (pl.col("_is_next") | pl.col("_is_whole")))
    return marked.with_columns(pl.when(~hide).then(name).alias(name) for name in _AMOUNTS).select(costs.columns)


def movements(moved: pl.DataFrame) -> pl.DataFrame:
    """Rows of the public movements (contract `publication/movements`).

    Regencies are told how many came and went, which their lists tell as well; why, only of the nation. Causes of fewer
    than five families stand together in one row without a cause; where that were one cause alone, the next smallest
    stands with it.

    Parameters
    ----------
    moved : DataFrame
        Contract `decision/movements`.
    """
    by = ["quarter", "level", "region_code", "programme", "move"]
    is_nation = pl.col("level") == "nation"
    ordered = moved.sort(*by, "families", "cause").with_columns(
        _few=(pl.col("families") < SMALLEST_SHOWN).sum().over(by), _turn=pl.int_range(pl.len()).over(by)
    )
    together = (pl.col("families") < SMALLEST_SHOWN) | ((pl.col("_few") == 1) & (pl.col("_turn") == 1))
    return (
        ordered.with_columns(cause=pl.when(is_nation & ~together).then("cause"))
        .group_by(*by, "cause")
        .agg(pl.col("families").sum())
        .sort(*by, "cause", nulls_last=True)
    )


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
    """The table with `_hide`: whether one of these counts is small, or the row hides the only small one beside it."""
    small = pl.any_horizontal(pl.col(name).is_between(1, SMALLEST_SHOWN - 1) for name in together)
    ordered = table.with_columns(_small=small, _rest=pl.sum_horizontal(together))
    ordered = ordered.sort(*siblings, "_small", "_rest", *key)
    is_alone = pl.col("_small").sum().over(siblings) == 1
    is_next = ~pl.col("_small") & (pl.int_range(pl.len()).over(siblings) == 0)
    return ordered.with_columns(_hide=pl.col("_small") | (is_alone & is_next)).drop("_small", "_rest")


def open_checks(counted: pl.DataFrame) -> pl.DataFrame:
    """Rows of the public open checks (contract `publication/open_checks`), counts below five suppressed.

    The three waits of the held are suppressed together: their total would give one of them away. Where one cell alone
    of a regency would be suppressed, its smallest sibling is too.

    Parameters
    ----------
    counted : DataFrame
        Contract `decision/open_checks`.
    """
    for together in _CHECKS:
        marked = _marked(counted, together, ["regency_code"], ["channel", "age_group"])
        counted = marked.with_columns(pl.when(~pl.col("_hide")).then(name).alias(name) for name in together).drop(
            "_hide"
        )
    return counted.sort("regency_code", "channel", "age_group")
