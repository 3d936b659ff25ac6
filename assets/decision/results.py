"""What follows from a quarter's decisions: referrals, what it costs, and what placing out of order does to others.

Nothing here changes a decision.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from assets.decision.families import Families, Terms
from assets.decision.open_checks import count_open_checks, list_columns_of_families
from assets.decision.ranking import KEPT, ORDER
from assets.decision.referrals import referrals
from assets.house import House
from assets.lake import WHOLE, Table
from assets.steps import list_sources, step
from quotas.rules import MILLION
from schemas.vocabularies import MOVED, Move, Status

NATION, REGENCY, WHOLE_NATION = "nation", "regency", "all"
REGENCY_CODE_LENGTH = len("35.10")
STAGES = 4
_RECEIVES = pl.col("status") == Status.RECIPIENT.value


@step(
    reads={"decisions": "decision/decisions", "seats": "decision/seats"}, uses=("terms",), writes=("decision/budget",)
)
def budget(decisions: pl.LazyFrame, seats: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """What a stage costs, by regency and in the nation (contract `decision/budget`).

    Parameters
    ----------
    decisions : LazyFrame
        Contract `decision/decisions`.
    seats : DataFrame
        Contract `decision/seats`; places of smaller areas count in their regency.

    Notes
    -----
    Averages, and what all places cost by them, are rounded down to whole rupiah. A programme that pays a flat amount
    costs that amount per place whether anybody is paid or not; else the average of those paid stands for the places
    that are empty. Only the nation has a ceiling (policy `budget.national_ceiling`): a fourth of the year's.
    """
    by = ["region_code", "programme"]
    paid = (
        decisions.filter(_RECEIVES)
        .group_by(region_code="regency_code", programme="programme")
        .agg(families=pl.len().cast(pl.Int64), amount_rupiah=pl.col("amount_rupiah").sum())
        .collect()
    )
    places = seats.group_by(
        pl.col("regency_code").str.slice(0, REGENCY_CODE_LENGTH).alias("region_code"), "programme"
    ).agg(pl.col("seats").sum())
    counted = ["families", "amount_rupiah", "seats"]
    regencies = paid.join(places, on=by, how="full", coalesce=True).with_columns(pl.col(counted).fill_null(0))
    flat = {one.value: rule.amount_rupiah for one, rule in terms.policy.programmes.items()}
    ceilings = {one.value: year and year // STAGES for one, year in terms.policy.budget.national_ceiling.items()}

    def of_programme(amounts: dict[str, int | None]) -> pl.Expr:
        return pl.col("programme").replace_strict(amounts, default=None, return_dtype=pl.Int64)

    return (
        _with_nation(regencies.select(*by, *counted), ["programme"], counted)
        .with_columns(
            quarter=pl.lit(str(terms.quarter)),
            stage=pl.lit(terms.quarter.stage, pl.Int32),
            mean_rupiah=pl.coalesce(of_programme(flat), _share_of("amount_rupiah", pl.lit(1), "families")),
            full_rupiah=pl.coalesce(
                of_programme(flat) * pl.col("seats"), _share_of("amount_rupiah", pl.col("seats"), "families")
            ),
            ceiling_rupiah=pl.when(pl.col("region_code") == WHOLE_NATION).then(of_programme(ceilings)),
        )
        .with_columns(ceiling_share_micro=_share_of("amount_rupiah", pl.lit(MILLION), "ceiling_rupiah"))
        .sort("level", "region_code", "programme")
    )


def _share_of(amount: str, times: pl.Expr, of: str) -> pl.Expr:
    """Whole part of amount x times / of, null where that is 0 or null; for a nation the product outgrows 64 bits."""
    return pl.when(pl.col(of) > 0).then((pl.col(amount).cast(pl.Int128) * times // pl.col(of)).cast(pl.Int64))


@step(reads={"decisions": "decision/decisions"}, uses=("area",), writes=("decision/displaced",))
def displaced(decisions: pl.LazyFrame, area: str) -> pl.DataFrame:
    """What each rule that places out of order does, by area and programme (contract `decision/displaced`).

    A kept family that receives with a rank above the number of places has the place of somebody who waits with a rank
    within it. Reserved places and the margin bring in whom the order would not have reached: with a rank above all that
    are placed by it or displaced (`displaced_by`).

    Parameters
    ----------
    decisions : LazyFrame
        Contract `decision/decisions`.
    area : str
        Column of the areas that have places of their own.
    """
    by = ["regency_code", "programme"]
    decisions = decisions.with_columns(regency_code=pl.col(area))
    mean_score = pl.col("score_micro").sum() // pl.len().cast(pl.Int64)
    is_displaced, is_kept = pl.col("displaced_by").is_not_null(), pl.col("placed_by") == KEPT
    reached = pl.col("rank").filter((pl.col("placed_by") == ORDER) | is_displaced).max().fill_null(0).over(by)
    came_in = (
        decisions.with_columns(_last=pl.when(is_kept).then("seats").otherwise(reached))
        .filter(_RECEIVES & (pl.col("placed_by") != ORDER) & (pl.col("rank") > pl.col("_last")))
        .group_by(*by, "placed_by")
        .agg(families=pl.len().cast(pl.Int64), placed_score_micro=mean_score)
        .with_columns(is_by_rule=~is_kept)
    )
    stayed_out = (
        decisions.filter((pl.col("status") == Status.WAITING.value) & (pl.col("rank") <= pl.col("seats")))
        .group_by(*by, is_by_rule=is_displaced)
        .agg(displaced_score_micro=mean_score)
    )
    return (
        came_in.join(stayed_out, on=[*by, "is_by_rule"])
        .drop("is_by_rule")
        .with_columns(poorer_micro=pl.col("placed_score_micro") - pl.col("displaced_score_micro"))
        .sort("regency_code", "programme", "placed_by")
        .collect()
    )


@step(reads={"transitions": "decision/transitions"}, uses=("quarter",), writes=("decision/movements",))
def movements(transitions: pl.LazyFrame, quarter: str) -> pl.DataFrame:
    """How many families came onto the lists and off them, and why, by regency and in the nation.

    Rows of the contract `decision/movements`. A family that receives in another regency than before leaves the one and
    enters the other, by `moved`. Enters + promoted - leaves - displaced is a regency's change in filled places.

    Parameters
    ----------
    transitions : LazyFrame
        Contract `decision/transitions`.
    """
    same_place = pl.col("regency_code") == pl.col("from_regency_code")
    received = (pl.col("from_status") == Status.RECIPIENT.value).fill_null(value=False)
    receives = pl.col("to_status") == Status.RECIPIENT.value
    moved = transitions.filter(received | receives, ~(received & receives & same_place))
    waited = (pl.col("from_status") == Status.WAITING.value) & same_place
    waits = (pl.col("to_status") == Status.WAITING.value) & same_place
    ways = (
        (
            receives,
            "regency_code",
            pl.when(waited).then(pl.lit(Move.PROMOTED.value)).otherwise(pl.lit(Move.ENTERS.value)),
        ),
        (
            received,
            "from_regency_code",
            pl.when(waits).then(pl.lit(Move.DISPLACED.value)).otherwise(pl.lit(Move.LEAVES.value)),
        ),
    )
    counted = (
        pl.concat(
            [
                moved.filter(happened).select(
                    "programme", region_code=region, move=move, cause=pl.col("cause").fill_null(MOVED)
                )
                for happened, region, move in ways
            ]
        )
        .group_by("region_code", "programme", "move", "cause")
        .agg(families=pl.len().cast(pl.Int64))
        .collect()
    )
    return _with_nation(counted, ["programme", "move", "cause"], ["families"]).with_columns(quarter=pl.lit(quarter))


def _with_nation(regencies: pl.DataFrame, by: Sequence[str], counted: Sequence[str]) -> pl.DataFrame:
    """The rows of regencies and, added up by these columns, of the nation, each with its `level`."""
    nation = regencies.group_by(by).agg(pl.col(counted).sum()).with_columns(region_code=pl.lit(WHOLE_NATION))
    return pl.concat([nation.select(regencies.columns), regencies]).with_columns(
        level=pl.when(pl.col("region_code") == WHOLE_NATION).then(pl.lit(NATION)).otherwise(pl.lit(REGENCY))
    )


@step(
    reads={
        "records": "registry/families",
        "members": "registry/members",
        "shocks": "registry/shocks",
        "decisions": "decision/decisions",
    },
    uses=("terms",),
    writes=("decision/referrals",),
)
def refer_regency(
    records: pl.DataFrame, members: pl.DataFrame, shocks: pl.DataFrame, decisions: pl.DataFrame, *, terms: Terms
) -> pl.DataFrame:
    """Refer the families of a regency to other programmes."""
    return referrals(Families(records, members), shocks, decisions, terms)


def result_tables(house: House, terms: Terms, tables: Mapping[str, Table]) -> dict[str, Table]:
    """Budget, movements, displaced families, referrals and open checks of a quarter.

    Parameters
    ----------
    tables : mapping
        By key, those of the registry and what was decided.
    """
    lake, contracts, quarter = house.lake, house.contracts, str(terms.quarter)
    sources = list_sources(contracts, tables)
    shards = sorted(tables["decision/decisions"].shards)
    columns = list_columns_of_families(contracts["registry/families"].columns)
    return {
        **budget.run(lake, contracts, quarter, [WHOLE], sources, terms=terms),
        **movements.run(lake, contracts, quarter, [WHOLE], sources, quarter=quarter),
        **displaced.run(lake, contracts, quarter, [WHOLE], sources, area=terms.area),
        **refer_regency.run(lake, contracts, quarter, shards, sources, terms=terms),
        **count_open_checks.run(lake, contracts, quarter, shards, sources, terms=terms, asked=columns),
    }
