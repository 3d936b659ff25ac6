"""Where every family stood and stands, and the one cause of each move (:mod:`assets.decision.causes`)."""

import polars as pl

from assets.decision.causes import find_causes
from assets.decision.compared import Before, Now
from schemas.vocabularies import Cause, PriorStatus

_KEY = ["family_id", "programme"]


def transitions(now: Now, before: Before) -> pl.DataFrame:
    """From-status, to-status and cause of every family x programme in either quarter (contract `decision/transitions`).

    Who is new came by its registration, and who is gone left by it; a programme that begins or ends for families on
    record is policy. In a first quarter whatever moved is the first assessment.
    """
    named = before.statuses.select(*_KEY, from_regency_code="regency_code", from_status="status")
    stands = now.decided.select(*_KEY, "regency_code", to_status="status")
    here = stands.join(named, on=_KEY, how="left", maintain_order="left")
    here = here.with_columns(pl.col("from_status").fill_null(PriorStatus.NEW.value))
    gone = (
        named.join(stands.select(_KEY), on=_KEY, how="anti", maintain_order="left")
        .filter(~pl.col("family_id").is_in(before.moved_out.implode()))
        .select(
            *_KEY,
            "from_regency_code",
            "from_status",
            regency_code="from_regency_code",
            to_status=pl.lit(PriorStatus.GONE.value),
        )
    )
    both = pl.concat([here, gone.select(here.columns)])
    is_new, is_gone = pl.col("from_status") == PriorStatus.NEW.value, pl.col("to_status") == PriorStatus.GONE.value
    moved = here.filter(~is_new, pl.col("from_status") != pl.col("to_status"))
    caused = find_causes(now, before, moved.select(*_KEY, "from_status", "to_status"))
    return (
        both.join(caused, on=_KEY, how="left", maintain_order="left")
        .with_columns(
            cause=pl.when(is_new | is_gone).then(_of_registration(now, before)).otherwise("cause"),
            is_decisive=pl.when(is_new | is_gone).then(pl.lit(value=True)).otherwise("is_decisive"),
        )
        .select(
            *_KEY, "regency_code", "from_regency_code", "from_status", "to_status", "cause", "is_decisive"
        )
    )  # fmt: skip


def _of_registration(now: Now, before: Before) -> pl.Expr:
    """The cause where a family has a row in one of the quarters alone."""
    if before.terms is None:
        return pl.lit(Cause.FIRST_ASSESSMENT.value)
    families_now = now.decided["family_id"].unique()
    families_then = before.statuses["family_id"].unique()
    in_both = families_now.filter(families_now.is_in(families_then.implode()))
    is_in_both = pl.col("family_id").is_in(in_both.implode())
    return pl.when(is_in_both).then(pl.lit(Cause.POLICY.value)).otherwise(pl.lit(Cause.REGISTRATIONS.value))
