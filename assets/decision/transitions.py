"""Where every family stood and stands, and the one cause of each move.

Factors are switched from last quarter's to this quarter's values one at a time, for everybody at once, with one
decision per factor. The cause of a move is the factor at which the final status was reached for good; where that
factor switched facts of families, but not this one's own, the cause is its competitors. Only families whose facts a
factor switches are judged anew, and all of them where law or model changed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from assets.decision.families import Families, Terms
from assets.decision.judge import ELIGIBLE, eligibility, judge
from assets.decision.ranking import read_of, statuses
from assets.registry.rollups import FACTS_OF_THE_RECORD
from schemas.registry_tables import FAMILY_FACTS
from schemas.vocabularies import Cause, PriorStatus, Source, Status

EVIDENCE_FACTS = tuple(fact for fact in FAMILY_FACTS if fact not in FACTS_OF_THE_RECORD)
MEMBER_EVIDENCE = "is_rights_victim"
_FACTS_OF_FAMILIES = (Cause.OWN_DATA, Cause.BPS_CORRECTION, Cause.EVIDENCE, Cause.REGISTRATIONS)
_KEY = ["family_id", "programme"]
_PLACES = ["regency_code", "programme", "seats"]
_IS_LISTED = pl.col("status").is_in([Status.RECIPIENT.value, Status.WAITING.value])
_BEFORE_PLACES = pl.when(_IS_LISTED).then(pl.lit(ELIGIBLE)).otherwise("status")
_SOURCE = "_source"
_THEN = "_then"


@dataclass(frozen=True)
class Now:
    """The quarter decided, complete for the areas of the families at hand.

    Attributes
    ----------
    families : Families
        What the registry holds of them.
    sources : DataFrame
        Contract `registry/provenance` of them, at least :func:`sources_of` the facts compared: who says what.
    decided : DataFrame
        From :func:`assets.decision.ranking.rank`.
    terms, seats
        As :func:`assets.decision.decide.decide` takes them.
    """

    families: Families
    sources: pl.DataFrame
    decided: pl.DataFrame
    terms: Terms
    seats: pl.DataFrame


@dataclass(frozen=True)
class Before:
    """The quarter before, as far as it concerns the families at hand and those gone from their areas.

    Attributes
    ----------
    statuses : DataFrame
        `family_id, programme, status, regency_code, score_micro, reasons` of every family decided then.
    families : Families
        What the registry held of them then, at least the facts of :func:`compared` and the members' `MEMBER_EVIDENCE`;
        empty before the first quarter.
    terms : Terms or None
        Terms of then; None before the first quarter.
    seats : DataFrame or None
        Places of then.
    """

    statuses: pl.DataFrame
    families: Families
    terms: Terms | None
    seats: pl.DataFrame | None

    @property
    def sitting(self) -> pl.DataFrame:
        """`family_id, programme` of those who received."""
        return self.statuses.filter(pl.col("status") == Status.RECIPIENT).select(*_KEY)


@dataclass(frozen=True)
class _World:
    """A decision between the two quarters: `rows` are those of this quarter, in their order."""

    factor: Cause
    rows: pl.DataFrame
    terms: Terms
    seats: pl.DataFrame


def transitions(now: Now, before: Before) -> pl.DataFrame:
    """From-status, to-status and cause of every family x programme in either quarter (contract `decision/transitions`).

    The factors in their order: the family's own data (and its age), corrections by BPS, evidence of agencies,
    registrations new and gone, model, policy, seats, lottery.
    """
    read = dict.fromkeys([*read_of(now.terms), *read_of(before.terms or now.terms)])
    rows = now.decided.with_columns(status=_BEFORE_PLACES).select(*read, own=_own())
    then = before.statuses.with_columns(status_0="status", status=_BEFORE_PLACES)
    path = then.select(*_KEY, from_regency_code="regency_code", status_0="status_0", own=_own()).join(
        now.decided.select(*_KEY, "regency_code", to_status="status", row=pl.int_range(pl.len(), dtype=pl.UInt32)),
        on=_KEY, how="full", coalesce=True,
    )  # fmt: skip
    before_rows = path.drop_nulls("row").sort("row").select("status_0", "own")
    worlds = list(_worlds(now, rows, before, before_rows["status_0"].is_not_null()))
    steps = []
    own = before_rows["own"]
    for number, world in enumerate(worlds, start=1):
        is_last = number == len(worlds)
        status = now.decided["status"] if is_last else statuses(world.rows, world.seats, world.terms)
        steps.append(_at_row(status).alias(f"status_{number}"))
        if world.factor in _FACTS_OF_FAMILIES:
            is_own_alike = (world.rows["own"] == own).fill_null(value=False)
            steps.append(_at_row(is_own_alike).alias(f"is_own_alike_{number}"))
        own = world.rows["own"]
    return path.with_columns(steps).select(
        "family_id",
        "programme",
        pl.coalesce("regency_code", "from_regency_code"),
        "from_regency_code",
        from_status=pl.col("status_0").fill_null(PriorStatus.NEW.value),
        to_status=pl.col("to_status").fill_null(PriorStatus.GONE.value),
        cause=_cause([world.factor for world in worlds]),
    )


def _at_row(values: pl.Series) -> pl.Expr:
    return pl.lit(values).gather(pl.col("row")) if len(values) else pl.lit(None, values.dtype)


def _own() -> pl.Expr:
    """What a family's own facts make of it, whatever the others do; null for who is not there."""
    score = pl.col("score_micro").cast(pl.String).fill_null("")
    return pl.concat_str("status", score, pl.col("reasons").list.join(","), separator="|")


def _cause(factors: list[Cause]) -> pl.Expr:
    cause = pl.lit(None, pl.String)
    for number, factor in enumerate(factors, start=1):
        now, earlier = pl.col(f"status_{number}"), pl.col(f"status_{number - 1}")
        word = pl.lit(factor.value)
        if factor in _FACTS_OF_FAMILIES:
            word = pl.when(f"is_own_alike_{number}").then(pl.lit(Cause.COMPETITORS.value)).otherwise(word)
        cause = pl.when(now.ne_missing(earlier)).then(word).otherwise(cause)
    gone = pl.col("row").is_null()
    same = pl.col("to_status").eq_missing(pl.col("status_0"))
    return pl.when(gone).then(pl.lit(Cause.REGISTRATIONS.value)).when(~same).then(cause)


def _worlds(now: Now, rows: pl.DataFrame, before: Before, was_here: pl.Series) -> Iterator[_World]:
    # People are as old as they are: the day of decision belongs to the family's own data, not to the law.
    then = before.terms or now.terms
    then = replace(then, days=then.days.model_copy(update={"decision_date": now.terms.days.decision_date}))
    seats_then = now.seats if before.seats is None else before.seats

    sitting = before.sitting

    def judged(families: Families, terms: Terms) -> pl.DataFrame:
        made = eligibility(judge(families, terms, parts=False), terms, sitting)
        return made.select(*(name for name in rows.columns if name != "own"), own=_own())

    def everybody(terms: Terms) -> pl.DataFrame:
        """Everybody of now under other terms, in the rows of now."""
        return rows if _same(terms, now.terms) else _laid(rows, judged(now.families, terms))

    facts = compared(now.families.records.columns, now.sources.columns)
    switched = _switched(now, before, facts)
    all_of_now = everybody(then)
    stayed = all_of_now.with_columns(pl.when(was_here).then(name).alias(name) for name in ("status", "own"))
    few = _of(now.families, switched)
    of_evidence = _as_they_were(few, before, switched.filter("evidence"), EVIDENCE_FACTS)
    without_evidence = _laid(stayed, judged(of_evidence, then))
    of_both = _as_they_were(few, before, switched.filter("bps"), facts)
    own = _laid(without_evidence, judged(of_both, then))
    yield _World(Cause.OWN_DATA, own, then, seats_then)
    yield _World(Cause.BPS_CORRECTION, without_evidence, then, seats_then)
    yield _World(Cause.EVIDENCE, stayed, then, seats_then)
    yield _World(Cause.REGISTRATIONS, all_of_now, then, seats_then)
    modelled = replace(then, scorecard=now.terms.scorecard, cut_points=now.terms.cut_points)
    if not _same(then, modelled):
        yield _World(Cause.MODEL, everybody(modelled), modelled, seats_then)
    same_draw = replace(now.terms, days=now.terms.days.model_copy(update={"lottery_seed": then.days.lottery_seed}))
    if modelled.policy != now.terms.policy:
        yield _World(Cause.POLICY, rows, same_draw, seats_then)
    if not seats_then.select(_PLACES).equals(now.seats.select(_PLACES)):
        yield _World(Cause.SEATS, rows, same_draw, now.seats)
    if then.days.lottery_seed != now.terms.days.lottery_seed:
        yield _World(Cause.LOTTERY, rows, now.terms, now.seats)


def _same(one: Terms, other: Terms) -> bool:
    """Whether families are judged alike under both."""
    return (one.policy, one.scorecard.hash, one.cut_points.rows()) == (
        other.policy, other.scorecard.hash, other.cut_points.rows(),
    )  # fmt: skip


def _laid(rows: pl.DataFrame, anew: pl.DataFrame) -> pl.DataFrame:
    """The rows, in their order, with those judged anew in the place of the same families and programmes.

    Rows without a status stay so: these families are not there in that world.
    """
    numbered = rows.select(*_KEY, _at=pl.int_range(pl.len())).filter(rows["status"].is_not_null())
    placed = anew.join(numbered, on=_KEY)
    taken = np.arange(rows.height)
    taken[placed["_at"].to_numpy()] = rows.height + np.arange(placed.height)
    return pl.concat([rows, placed.select(rows.columns)]).select(pl.all().gather(taken))


def _switched(now: Now, before: Before, facts: Sequence[str]) -> pl.DataFrame:
    """Families with facts of agencies (`evidence`) or answers that BPS gives now (`bps`) that were others last quarter.

    Beside the two flags, `<fact>_then`: the fact as it was; of an answer that BPS does not give, as it is.
    """
    records = now.families.records
    answers = [name for name in facts if name not in EVIDENCE_FACTS]
    marked = [
        members.filter(pl.col(MEMBER_EVIDENCE) == 1).select("family_id", "person_id")
        for members in (now.families.members, before.families.members)
    ]
    remarked = pl.concat(
        [marked[one].join(marked[other], on="person_id", how="anti") for one, other in ((0, 1), (1, 0))]
    )["family_id"]
    # Of current recipients before the first quarter nothing is on record: their evidence was unknown.
    then = before.families.records.select("family_id", *facts, is_on_record=pl.lit(value=True))
    is_on_record = pl.col("is_on_record").fill_null(value=False)
    return (
        records.select("family_id", *facts)
        .join(before.statuses, on="family_id", how="semi")
        .join(then, on="family_id", how="left", suffix=_THEN)
        .with_columns(
            evidence=_differ(EVIDENCE_FACTS) | pl.col("family_id").is_in(remarked.implode()),
            bps=_differ(answers) & is_on_record,
        )
        .filter(pl.col("evidence") | pl.col("bps"))
        .join(now.sources.select("family_id", *sources_of(facts)), on="family_id", how="left")
        .with_columns(
            pl.when(is_on_record & (pl.col(f"{name}{_SOURCE}") == Source.BPS_VALIDATION.value))
            .then(f"{name}{_THEN}")
            .otherwise(name)
            .alias(f"{name}{_THEN}")
            for name in answers
        )
        .with_columns(bps=_differ(answers))
        .filter(pl.col("evidence") | pl.col("bps"))
        .select("family_id", "evidence", "bps", *(f"{name}{_THEN}" for name in facts))
    )


def compared(families: Sequence[str], sources: Sequence[str]) -> list[str]:
    """Facts that are compared between quarters: those of agencies, then the answers of which a source is told.

    Parameters
    ----------
    families, sources : sequence of str
        Columns of the contracts `registry/families` and `registry/provenance`.
    """
    answers = [name for name in families if f"{name}{_SOURCE}" in sources and name not in EVIDENCE_FACTS]
    return [*EVIDENCE_FACTS, *answers]


def sources_of(facts: Sequence[str]) -> list[str]:
    """Columns that tell who gives the answers among these facts."""
    return [f"{name}{_SOURCE}" for name in facts if name not in EVIDENCE_FACTS]


def _differ(names: Iterable[str]) -> pl.Expr:
    return pl.any_horizontal(
        pl.lit(value=False), *(pl.col(name).ne_missing(pl.col(f"{name}{_THEN}")) for name in names)
    )


def _of(families: Families, chosen: pl.DataFrame) -> Families:
    ids = chosen.select("family_id")
    parts = (frame.join(ids, on="family_id", how="semi") for frame in (families.records, families.members))
    return Families(*parts)


def _as_they_were(few: Families, before: Before, switched: pl.DataFrame, facts: Sequence[str]) -> Families:
    """Those switched of a few families of now, with these facts as they were, and the marks of their members."""
    then = switched.select("family_id", *(f"{name}{_THEN}" for name in facts))
    here = _of(few, then)
    marks = before.families.members.select("person_id", MEMBER_EVIDENCE)
    marks = marks.join(here.members.select("person_id"), on="person_id", how="semi")
    return Families(
        here.records.join(then, on="family_id")
        .with_columns(pl.col(f"{name}{_THEN}").alias(name) for name in facts)
        .select(here.records.columns),
        here.members.drop(MEMBER_EVIDENCE)
        .join(marks, on="person_id", how="left", maintain_order="left")
        .select(here.members.columns),
    )
