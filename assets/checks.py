"""What must hold before a draft is accepted; each check says how many rows break it. Nothing is mended here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from schemas.vocabularies import Move, Status

LISTED = (Status.RECIPIENT.value, Status.WAITING.value)


@dataclass(frozen=True)
class Check:
    """One blocking check: its name, what it promises, and the number of rows that break it."""

    name: str
    promise: str
    broken: Callable[[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame], int]


def _count(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect().item())


def _families_without_one_status(families: pl.LazyFrame, decisions: pl.LazyFrame, seats: pl.LazyFrame) -> int:
    programmes = seats.select(pl.col("programme").n_unique()).collect().item()
    known = pl.col("status").is_in([status.value for status in Status])
    decided = decisions.filter(known).group_by("family_id").agg(pl.len(), pl.col("programme").n_unique().alias("n"))
    complete = decided.filter((pl.col("len") == programmes) & (pl.col("n") == programmes))
    missing = families.select("family_id").join(complete, on="family_id", how="anti")
    foreign = decisions.select("family_id").join(families.select("family_id"), on="family_id", how="anti")
    return _count(missing) + _count(foreign)


def _areas_over_their_places(_: pl.LazyFrame, decisions: pl.LazyFrame, seats: pl.LazyFrame) -> int:
    area = pl.coalesce(
        pl.when(
            pl.col("village_code").is_in(codes := seats.select("regency_code").collect().to_series().implode())
        ).then("village_code"),
        pl.when(pl.col("district_code").is_in(codes)).then("district_code"),
        "regency_code",
    )
    filled = (
        decisions.filter(pl.col("status") == Status.RECIPIENT)
        .with_columns(regency_code=area)
        .group_by("regency_code", "programme")
        .len()
    )
    joined = filled.join(
        seats.select("regency_code", "programme", "seats"), on=["regency_code", "programme"], how="left"
    )
    return _count(joined.filter(pl.col("len") > pl.col("seats").fill_null(0)))


def _repeated(_: pl.LazyFrame, decisions: pl.LazyFrame, __: pl.LazyFrame) -> int:
    by_family = decisions.group_by("family_id", "programme").len().filter(pl.col("len") > 1)
    by_reference = decisions.group_by("reference", "programme").len().filter(pl.col("len") > 1)
    by_list_reference = decisions.group_by("list_reference").len().filter(pl.col("len") > 1)
    return sum(_count(repeated) for repeated in (by_family, by_reference, by_list_reference))


def _listed_without_score(_: pl.LazyFrame, decisions: pl.LazyFrame, __: pl.LazyFrame) -> int:
    listed = pl.col("status").is_in(LISTED)
    is_unscored = pl.col("score_micro").is_null() & ~pl.col("is_kept")
    return _count(decisions.filter(listed & (is_unscored | pl.col("rank").is_null())))


def _ranked_without_being_listed(_: pl.LazyFrame, decisions: pl.LazyFrame, __: pl.LazyFrame) -> int:
    return _count(decisions.filter(~pl.col("status").is_in(LISTED) & pl.col("rank").is_not_null()))


@dataclass(frozen=True)
class Counted:
    """Rows in and out of one stage: `went_in` = `came_out` + `set_aside`."""

    stage: str
    went_in: int
    came_out: int
    set_aside: int = 0


COUNTS_RECONCILE = "counts_reconcile"
COUNTS_PROMISE = "At every stage rows in are rows out and rows set aside: files, registry, decisions, payments."


def unreconciled(stages: Iterable[Counted]) -> list[str]:
    """Stages whose counts do not reconcile."""
    return [one.stage for one in stages if one.went_in != one.came_out + one.set_aside]


BUDGET_EQUALS_PAYMENTS = "budget_equals_payments"
BUDGET_PROMISE = "In every regency and in the nation the budget is the sum of the payments due, family by family."


def budget_off_payments(payments: pl.LazyFrame, budget: pl.LazyFrame) -> int:
    """Rows of the budget whose families or rupiah are not those of the payments, and payments it does not know."""
    by = ["region_code", "programme"]
    counted = (pl.len().cast(pl.Int64).alias("paid"), pl.col("amount_rupiah").sum().alias("due"))
    of_regencies = payments.group_by(region_code="regency_code", programme="programme").agg(*counted)
    of_nation = payments.group_by("programme").agg(*counted).with_columns(region_code=pl.lit("all"))
    due = pl.concat([of_regencies, of_nation.select(*by, "paid", "due")])
    both = budget.join(due, on=by, how="full", coalesce=True).with_columns(pl.col("paid", "due").fill_null(0))
    return _count(
        both.filter(pl.col("families").ne_missing(pl.col("paid")) | pl.col("amount_rupiah").ne_missing(pl.col("due")))
    )


MOVES_BALANCE = "moves_balance"
MOVES_PROMISE = "In every regency enters + promoted - leaves - displaced is the change in filled places."


def unbalanced_moves(movements: pl.LazyFrame, decisions: pl.LazyFrame, filled_before: pl.LazyFrame) -> int:
    """Regencies x programmes whose moves do not make up the change in filled places.

    Parameters
    ----------
    movements, decisions : LazyFrame
        Contracts `decision/movements` and `decision/decisions`.
    filled_before : LazyFrame
        `regency_code, programme` of every recipient of the quarter before.
    """
    by = ["region_code", "programme"]
    onto = pl.col("move").is_in([Move.ENTERS.value, Move.PROMOTED.value])
    signed = pl.when(onto).then("families").otherwise(-pl.col("families"))
    filled = decisions.filter(pl.col("status") == Status.RECIPIENT)
    parts = [
        movements.filter(pl.col("level") == "regency").select(*by, change=signed),
        filled.select(region_code="regency_code", programme="programme", change=pl.lit(-1, pl.Int64)),
        filled_before.select(region_code="regency_code", programme="programme", change=pl.lit(1, pl.Int64)),
    ]
    return _count(pl.concat(parts).group_by(by).agg(pl.col("change").sum()).filter(pl.col("change") != 0))


DRIFT_BELOW_ALARM = "drift_below_alarm"
DRIFT_PROMISE = "No answer, and not the score, has moved further since last quarter than policy's alarm; a warning."

DRAFT_CHECKS = (
    Check(
        "statuses_partition",
        "Every registered family has exactly one status in every programme.",
        _families_without_one_status,
    ),
    Check("recipients_within_places", "No area has more recipients than places.", _areas_over_their_places),
    Check("no_duplicates", "No family and no reference stands twice in a programme.", _repeated),
    Check(
        "no_unscored_listed",
        "Nobody without a score is a recipient or in the queue, unless it keeps its place.",
        _listed_without_score,
    ),
    Check("only_listed_ranked", "Only recipients and waiting families have a rank.", _ranked_without_being_listed),
)
