"""The worklist: which families to visit or settle, for what, since when and by whom. Nothing is decided here."""

import polars as pl

from assets.decision.families import Terms
from assets.decision.judge import HELD_UNTIL_KNOWN, IDENTITY_CASE, NO_COMPONENT, NO_DECILE, NOT_SCORABLE, UNCONFIRMED
from assets.decision.reviews import REVIEW_DUE
from assets.decision.waits import quarters_since
from schemas.vocabularies import Doubt, GoesTo, ReviewState, Status

_PLACES = ("reference", "regency_code", "district_code", "village_code")
_UNTIL_KNOWN, _SITTING, _HELD, _OTHERS = 1, 2, 3, 4
"""Priorities."""
_REVIEW = Doubt.REVIEW_REQUESTED.value
_IS_HELD = pl.col("status") == Status.HELD.value
_IS_RECIPIENT = pl.col("status") == Status.RECIPIENT.value


NO_REVIEWS = pl.DataFrame(schema={"family_id": pl.String, "asked_on": pl.Date, "answered_on": pl.Date})


def worklist(
    decided: pl.DataFrame,
    doubts: pl.DataFrame,
    earlier: pl.DataFrame,
    terms: Terms,
    reviews: pl.DataFrame = NO_REVIEWS,
) -> pl.DataFrame:
    """Every family that is to be visited or settled, once per reason (contract `decision/worklist`).

    Whoever is held or not scorable has a row for each reason of it. A family that a programme excludes for certain is
    not visited for it: nothing would follow. One without a component stays, where a component that it stated was never
    confirmed: the visit may confirm it.

    Parameters
    ----------
    decided : DataFrame
        Contract `decision/decisions` with `received_before`.
    doubts : DataFrame
        `family_id, programme, reason`: what else is to be settled, whatever was decided; without a programme, for all.
    earlier : DataFrame
        `family_id, reason, since` of the worklist of the quarter before.
    terms : Terms
        The quarter, and how long a reason may stand before it goes to the supervisor: `registry.hold_quarters` of a
        held family and of a human review, `registry.kept_quarters` of one that receives or did so before.
    reviews : DataFrame
        `family_id, asked_on, answered_on` of the doubts `review_requested`.
    """
    concerns = pl.col("programme_concerned").is_null() | (pl.col("programme_concerned") == pl.col("programme"))
    doubted = decided.join(doubts.rename({"programme": "programme_concerned"}), on="family_id").filter(concerns)
    return (
        pl.concat([_find_reasons(decided), doubted.select(*decided.columns, "reason")])
        .group_by("family_id", "reason")
        .agg(
            pl.col(_PLACES).first(),
            programmes=pl.col("programme").unique().sort(),
            is_recipient=_IS_RECIPIENT.any(),
            _is_sitting=(_IS_RECIPIENT | pl.col("received_before")).any(),
            _is_held=_IS_HELD.any(),
        )
        .join(earlier, on=["family_id", "reason"], how="left")
        .with_columns(pl.col("since").fill_null(str(terms.quarter)))
        .join(reviews.with_columns(reason=pl.lit(_REVIEW)), on=["family_id", "reason"], how="left")
        .with_columns(goes_to=_goes_to(terms), priority=_priority(), review_state=_review_state(terms))
        .drop("_is_sitting", "_is_held")
        .sort("regency_code", "village_code", "family_id", "reason")
    )


def _find_reasons(decided: pl.DataFrame) -> pl.DataFrame:
    """The rows of the decisions, once for each reason that the decision itself gives for a visit."""
    reasons = pl.col("reasons")
    of_status = reasons.list.eval(
        pl.element().filter(
            pl.element().is_in([IDENTITY_CASE, UNCONFIRMED, NOT_SCORABLE, NO_DECILE])
            | pl.element().str.ends_with("_unknown")
        )
    )
    review = (
        pl.when(REVIEW_DUE).then(pl.lit([REVIEW_DUE], pl.List(pl.String))).otherwise(pl.lit([], pl.List(pl.String)))
    )
    lacks_confirmation = (reasons.list.join(",") == NO_COMPONENT) & pl.col("ground_checks").list.contains(UNCONFIRMED)
    in_doubt = reasons.list.contains(IDENTITY_CASE)
    return (
        decided.filter((pl.col("status") != Status.INELIGIBLE.value) | lacks_confirmation)
        .with_columns(
            reason=pl.when(_IS_HELD & in_doubt)
            .then(of_status)
            .otherwise(pl.concat_list(of_status, "ground_checks", review))
        )
        .explode("reason")
        .drop_nulls("reason")
    )


def _goes_to(terms: Terms) -> pl.Expr:
    """To whom a case goes after the quarters that policy leaves to BPS."""
    rule, stood = terms.policy.registry, quarters_since("since", terms.quarter)
    is_overdue = (pl.col("_is_sitting") & (stood >= rule.kept_quarters)) | (
        (pl.col("_is_held") | (pl.col("reason") == _REVIEW)) & (stood >= rule.hold_quarters)
    )
    return pl.when(is_overdue).then(pl.lit(GoesTo.SUPERVISOR.value)).otherwise(pl.lit(GoesTo.BPS.value))


def _review_state(terms: Terms) -> pl.Expr:
    """How far a human review is: asked this quarter, on the list since an earlier one, or answered."""
    is_answered, is_new = pl.col("answered_on").is_not_null(), pl.col("since") == str(terms.quarter)
    state = (
        pl.when(is_answered)
        .then(pl.lit(ReviewState.ANSWERED.value))
        .when(is_new)
        .then(pl.lit(ReviewState.ASKED.value))
        .otherwise(pl.lit(ReviewState.UNDER_REVIEW.value))
    )
    return pl.when(pl.col("reason") == _REVIEW).then(state)


def _priority() -> pl.Expr:
    return (
        pl.when(pl.col("_is_held") & pl.col("reason").is_in(HELD_UNTIL_KNOWN))
        .then(_UNTIL_KNOWN)
        .when("_is_sitting")
        .then(_SITTING)
        .when("_is_held")
        .then(_HELD)
        .otherwise(_OTHERS)
        .cast(pl.Int64)
    )
