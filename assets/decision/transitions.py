"""Where every family stood and stands, and the one cause of each move.

Factors are switched from last quarter's to this quarter's values one at a time, for everybody at once, with one
decision per factor. The cause of a move is the factor at which the final status was reached for good; where that
factor switched facts of families, but not this one's own, the cause is its competitors.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from assets.decision.families import Families, Terms
from assets.decision.judge import eligibility, judge
from assets.decision.ranking import rank
from assets.registry.rollups import FACTS_OF_THE_RECORD
from schemas.registry_tables import FAMILY_FACTS
from schemas.vocabularies import Cause, PriorStatus

EVIDENCE_FACTS = tuple(fact for fact in FAMILY_FACTS if fact not in FACTS_OF_THE_RECORD)
MEMBER_EVIDENCE = "is_rights_victim"
_FACTS_OF_FAMILIES = (Cause.OWN_DATA, Cause.EVIDENCE, Cause.REGISTRATIONS)
_RANK_ONLY = (Cause.SEATS, Cause.LOTTERY)
_BEFORE_NEWCOMERS = (Cause.OWN_DATA, Cause.EVIDENCE)
_KEY = ["family_id", "programme"]
_PLACES = ["regency_code", "programme", "seats"]


@dataclass(frozen=True)
class Before:
    """The quarter before, as far as it concerns the families at hand.

    Attributes
    ----------
    statuses : DataFrame
        `family_id, programme, status, regency_code` of every family decided then.
    families : Families
        What the registry held of them then; empty before the first quarter.
    terms : Terms or None
        Terms of then; None before the first quarter.
    seats : DataFrame or None
        Places of then.
    """

    statuses: pl.DataFrame
    families: Families
    terms: Terms | None
    seats: pl.DataFrame | None


@dataclass(frozen=True)
class _World:
    factor: Cause
    families: Families
    terms: Terms
    seats: pl.DataFrame


def transitions(
    families: Families, terms: Terms, seats: pl.DataFrame, sitting: pl.DataFrame, before: Before
) -> pl.DataFrame:
    """From-status, to-status and cause of every family x programme in either quarter (contract `decision/transitions`).

    Parameters
    ----------
    families, terms, seats, sitting
        This quarter's arguments of :func:`assets.decision.decide.decide`, complete for their areas.
    """
    path = before.statuses.select(*_KEY, "regency_code", from_regency_code="regency_code", status_0="status")
    if before.terms is None:
        path = path.with_columns(own_0=pl.lit(None, pl.String))
    else:
        path = path.join(_own(_eligible(before.families, before.terms, sitting), 0), on=_KEY, how="left")
    steps: list[Cause] = []
    eligible = None
    for world in _worlds(families, terms, seats, before):
        steps.append(world.factor)
        number = len(steps)
        if eligible is None or world.factor not in _RANK_ONLY:
            eligible = _eligible(world.families, world.terms, sitting)
        if world.factor in _BEFORE_NEWCOMERS:
            eligible = eligible.join(before.statuses, on=_KEY, how="semi")
        decided = rank(eligible, world.seats, world.terms).select(
            *_KEY, pl.col("status").alias(f"status_{number}"), pl.col("regency_code").alias("regency_now")
        )
        path = path.join(decided, on=_KEY, how="full", coalesce=True).with_columns(
            regency_code=pl.coalesce("regency_now", "regency_code")
        ).drop("regency_now").join(_own(eligible, number), on=_KEY, how="left")  # fmt: skip
    last = len(steps)
    return path.select(
        "family_id",
        "programme",
        "regency_code",
        "from_regency_code",
        from_status=pl.col("status_0").fill_null(PriorStatus.NEW.value),
        to_status=pl.col(f"status_{last}").fill_null(PriorStatus.GONE.value),
        cause=_cause(steps, families.records["family_id"]),
    ).sort("regency_code", *_KEY)


def _eligible(families: Families, terms: Terms, sitting: pl.DataFrame) -> pl.DataFrame:
    eligible = eligibility(judge(families, terms, parts=False), families, terms, sitting)
    return eligible.drop("components", "head_name", "case_id")


def _own(eligible: pl.DataFrame, number: int) -> pl.DataFrame:
    """What a family's own facts make of it, whatever the others do."""
    score = pl.col("score_micro").cast(pl.String).fill_null("")
    own = pl.concat_str("status", score, pl.col("reasons").list.join(","), separator="|")
    return eligible.select(*_KEY, own.alias(f"own_{number}"))


def _cause(steps: list[Cause], here: pl.Series) -> pl.Expr:
    final = pl.col(f"status_{len(steps)}")
    cause = pl.lit(None, pl.String)
    for number, factor in enumerate(steps, start=1):
        now, earlier = pl.col(f"status_{number}"), pl.col(f"status_{number - 1}")
        word = pl.lit(factor.value)
        if factor in _FACTS_OF_FAMILIES:
            unchanged = (pl.col(f"own_{number}") == pl.col(f"own_{number - 1}")).fill_null(value=False)
            word = pl.when(unchanged).then(pl.lit(Cause.COMPETITORS.value)).otherwise(word)
        cause = pl.when(now.ne_missing(earlier)).then(word).otherwise(cause)
    gone = final.is_null() & ~pl.col("family_id").is_in(here.implode())
    same = final.eq_missing(pl.col("status_0"))
    return pl.when(gone).then(pl.lit(Cause.REGISTRATIONS.value)).when(~same).then(cause)


def _worlds(families: Families, terms: Terms, seats: pl.DataFrame, before: Before) -> Iterator[_World]:
    stayed = before.statuses.select("family_id").unique()
    records = families.records
    known = records.join(stayed, on="family_id", how="semi")
    facts_before = before.families.records.select("family_id", *EVIDENCE_FACTS)
    own_new = known.drop(EVIDENCE_FACTS).join(facts_before, on="family_id", how="left")
    members = families.members.join(stayed, on="family_id", how="semi")
    marks = before.families.members.select("person_id", MEMBER_EVIDENCE)
    members_then = members.drop(MEMBER_EVIDENCE).join(marks, on="person_id", how="left", maintain_order="left")
    # People are as old as they are: the day of decision belongs to the family's own data, not to the law.
    then = before.terms or terms
    then = replace(then, days=then.days.model_copy(update={"decision_date": terms.days.decision_date}))
    seats_then = seats if before.seats is None else before.seats
    yield _World(Cause.OWN_DATA, Families(own_new, members_then), then, seats_then)
    yield _World(Cause.EVIDENCE, Families(known, members), then, seats_then)
    yield _World(Cause.REGISTRATIONS, families, then, seats_then)
    if before.terms is None:
        return
    now = replace(then, scorecard=terms.scorecard, cut_points=terms.cut_points)
    if (then.scorecard.hash, then.cut_points.rows()) != (now.scorecard.hash, now.cut_points.rows()):
        yield _World(Cause.MODEL, families, now, seats_then)
    same_seed = terms.days.model_copy(update={"lottery_seed": then.days.lottery_seed})
    now = replace(terms, days=same_seed)
    if then.policy != terms.policy:
        yield _World(Cause.POLICY, families, now, seats_then)
    if not seats_then.select(_PLACES).equals(seats.select(_PLACES)):
        yield _World(Cause.SEATS, families, now, seats)
    if then.days.lottery_seed != terms.days.lottery_seed:
        yield _World(Cause.LOTTERY, families, terms, seats)
