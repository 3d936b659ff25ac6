"""Where every family stood and stands, and the one cause of each move.

Factors are switched from last quarter's to this quarter's values one at a time, for everybody at once, with one
decision per factor. The cause of a move is the factor at which the final status was reached for good; where that
factor switched facts of families, but not this one's own, the cause is its competitors. Only families whose facts a
factor switches are judged anew, and all of them where law or model changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from assets.decision.components import need_support
from assets.decision.families import ELIGIBLE, Families, Terms
from assets.decision.judge import eligibility, judge
from assets.decision.ranking import read_of, statuses, taken
from assets.registry.rollups import FACTS_OF_THE_RECORD
from schemas.registry_tables import FAMILY_FACTS
from schemas.vocabularies import Cause, PriorStatus, Source, Status

EVIDENCE_FACTS = tuple(fact for fact in FAMILY_FACTS if fact not in FACTS_OF_THE_RECORD)
_MARK = "is_rights_victim"
MEMBER_EVIDENCE = (
    _MARK, "is_number_confirmed", "is_pregnant_recorded", "is_disability_recorded",
    "is_enrolled_in_school",
)  # fmt: skip
MEMBER_FACTS = (*MEMBER_EVIDENCE, "seen_by")
"""Facts of members that agencies state, and who visited."""
_FACTS_OF_FAMILIES = (Cause.OWN_DATA, Cause.BPS_CORRECTION, Cause.EVIDENCE, Cause.REGISTRATIONS)
_KEY = ["family_id", "programme"]
_PLACES = ["regency_code", "programme", "seats"]
_IS_LISTED = pl.col("status").is_in([Status.RECIPIENT.value, Status.WAITING.value])
_BEFORE_PLACES = pl.when(_IS_LISTED).then(pl.lit(ELIGIBLE)).otherwise("status")
_SOURCE = "_source"
_THEN = "_then"
_OWN = ["status", "score_micro", "reasons"]


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
        `family_id, programme, status, regency_code, score_micro, reasons, held_since, components` of every family
        decided then.
    families : Families
        What the registry held of them then, at least the facts of :func:`compared` and the members' `MEMBER_FACTS`;
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


@dataclass(frozen=True)
class _World:
    """A decision between the two quarters.

    Attributes
    ----------
    rows : Series
        For each row of this quarter, which of the rows at hand it is under this factor; null where the family is not
        there.
    """

    factor: Cause
    rows: pl.Series
    terms: Terms
    seats: pl.DataFrame


def transitions(now: Now, before: Before) -> pl.DataFrame:
    """From-status, to-status and cause of every family x programme in either quarter (contract `decision/transitions`).

    The factors in their order: the family's own data (and its age), corrections by BPS, evidence of agencies,
    registrations new and gone, model, policy, seats, lottery.
    """
    named, stood = now.decided.select(*_KEY, "regency_code"), before.statuses
    then = named.join(stood.select(*_KEY, then=_number()), on=_KEY, how="left", maintain_order="left")["then"]
    here = pl.concat(
        [
            named,
            taken(stood.select(from_regency_code="regency_code", from_status="status"), then),
            now.decided.select(to_status="status"),
        ],
        how="horizontal",
    ).with_columns(pl.col("from_status").fill_null(PriorStatus.NEW.value))
    moved = (here["from_status"] != here["to_status"]).arg_true()
    caused = pl.Series("cause", [None], pl.String).new_from_index(0, here.height)
    is_gone = pl.Series([True]).new_from_index(0, stood.height).scatter(then.drop_nulls(), values=False)
    gone = stood.filter(is_gone).select(
        *_KEY,
        "regency_code",
        from_regency_code="regency_code",
        from_status="status",
        to_status=pl.lit(PriorStatus.GONE.value),
        cause=pl.lit(Cause.REGISTRATIONS.value),
    )
    return pl.concat([here.with_columns(caused.scatter(moved, _causes(now, before, then, moved))), gone])


def _number() -> pl.Expr:
    return pl.int_range(pl.len(), dtype=pl.UInt32)


def _causes(now: Now, before: Before, then: pl.Series, moved: pl.Series) -> pl.Series:
    """The cause of each move: the last factor at which the status became another one, or the others if nobody but they.

    Parameters
    ----------
    then : Series
        For each row of this quarter, where it stood among the statuses of before; null where it was not there.
    moved : Series
        The rows whose cause is asked for.
    """
    stood = taken(before.statuses.select(_OWN), then.gather(moved))
    earlier, own = stood["status"], _own(stood.with_columns(status=_BEFORE_PLACES))
    cause = pl.Series([None], dtype=pl.String).new_from_index(0, len(moved))
    rows, worlds = _worlds(now, before, then.is_not_null())
    for number, world in enumerate(worlds, start=1):
        is_last = number == len(worlds)
        status = now.decided["status"] if is_last else statuses(rows, world.rows, world.seats, world.terms)
        status, own_now = status.gather(moved), _own(taken(rows.select(_OWN), world.rows.gather(moved)))
        word = pl.lit(world.factor.value)
        if world.factor in _FACTS_OF_FAMILIES:
            word = pl.when(own_now == own).then(pl.lit(Cause.COMPETITORS.value)).otherwise(word)
        cause = pl.select(pl.when(status.ne_missing(earlier)).then(word).otherwise(cause)).to_series()
        earlier, own = status, own_now
    return cause


def _own(rows: pl.DataFrame) -> pl.Series:
    """What a family's own facts make of it, whatever the others do; null for who is not there."""
    score = pl.col("score_micro").cast(pl.String).fill_null("")
    reasons = pl.col("reasons").list.join(",")
    return rows.select(pl.concat_str("status", score, reasons, separator="|")).to_series()


def _worlds(now: Now, before: Before, was_here: pl.Series) -> tuple[pl.DataFrame, list[_World]]:
    """The worlds in the order of their factors, and the rows that they choose from: before places are given."""
    # People are as old as they are, and who is held waits on: the day of decision belongs to the family's own data,
    # not to the law.
    then = before.terms or now.terms
    days = then.days.model_copy(update={"decision_date": now.terms.days.decision_date})
    then = replace(then, quarter=now.terms.quarter, days=days)
    seats_then = now.seats if before.seats is None else before.seats
    columns = dict.fromkeys([*read_of(now.terms), *read_of(then), "reasons"])
    decided = now.decided.select(*columns).with_columns(status=_BEFORE_PLACES)
    at_hand = [decided]
    as_now = decided.select(_number()).to_series()

    def laid(rows: pl.Series, families: Families, terms: Terms) -> pl.Series:
        """The rows, with these families judged under other terms in the place of themselves.

        Who is not there stays away.
        """
        is_judged = pl.col("family_id").is_in(families.records["family_id"].implode())
        judged, previous = judge(families, terms, parts=False), before.statuses.filter(is_judged)
        anew = eligibility(judged, terms, previous).select(*columns)
        places = decided.select(*_KEY, _at=_number()).filter(is_judged, rows.is_not_null())
        placed = anew.join(places, on=_KEY)
        first = sum(block.height for block in at_hand)
        at_hand.append(placed.select(*columns))
        numbers = pl.int_range(first, first + placed.height, dtype=pl.UInt32, eager=True)
        return rows.clone().scatter(placed["_at"], numbers)

    def everybody(terms: Terms) -> pl.Series:
        return as_now if _same(terms, now.terms) else laid(as_now, now.families, terms)

    facts = compared(now.families.records.columns, now.sources.columns)
    switched = _switched(now, before, facts)
    all_of_now = everybody(then)
    stayed = all_of_now.zip_with(was_here, pl.Series([None], dtype=pl.UInt32))
    few = _of(now.families, switched)
    without_evidence = laid(
        stayed, _as_they_were(few, before, switched.filter("evidence"), EVIDENCE_FACTS, MEMBER_EVIDENCE), then
    )
    own = laid(without_evidence, _as_they_were(few, before, switched.filter("bps"), facts, MEMBER_FACTS), then)
    worlds = [
        _World(Cause.OWN_DATA, own, then, seats_then),
        _World(Cause.BPS_CORRECTION, without_evidence, then, seats_then),
        _World(Cause.EVIDENCE, stayed, then, seats_then),
        _World(Cause.REGISTRATIONS, all_of_now, then, seats_then),
    ]
    modelled = replace(then, scorecard=now.terms.scorecard, cut_points=now.terms.cut_points)
    if not _same(then, modelled):
        worlds.append(_World(Cause.MODEL, everybody(modelled), modelled, seats_then))
    same_draw = replace(now.terms, days=now.terms.days.model_copy(update={"lottery_seed": then.days.lottery_seed}))
    if modelled.policy != now.terms.policy:
        worlds.append(_World(Cause.POLICY, as_now, same_draw, seats_then))
    if not seats_then.select(_PLACES).equals(now.seats.select(_PLACES)):
        worlds.append(_World(Cause.SEATS, as_now, same_draw, now.seats))
    if then.days.lottery_seed != now.terms.days.lottery_seed:
        worlds.append(_World(Cause.LOTTERY, as_now, now.terms, now.seats))
    return pl.concat(at_hand), worlds


def _same(one: Terms, other: Terms) -> bool:
    """Whether families are judged alike under both."""
    return (one.policy, one.scorecard.hash, one.cut_points.rows()) == (
        other.policy, other.scorecard.hash, other.cut_points.rows(),
    )  # fmt: skip


def _switched(now: Now, before: Before, facts: Sequence[str]) -> pl.DataFrame:
    """Families with facts of agencies (`evidence`) or answers that BPS gives now (`bps`) that were others last quarter.

    Beside the two flags, `<fact>_then`: the fact as it was; of an answer that BPS does not give, as it is.
    """
    records = now.families.records
    answers = [name for name in facts if name not in EVIDENCE_FACTS]
    marked = [
        members.filter(pl.col(_MARK) == 1).select("family_id", "person_id")
        for members in (now.families.members, before.families.members)
    ]
    by_bps = pl.col("seen_by") == Source.BPS_VALIDATION.value
    support = (
        need_support(now.families.members, now.terms.policy.programmes, now.terms.days.decision_date)
        .join(before.families.members.drop("family_id"), on="person_id", suffix=_THEN)
        .with_columns(
            is_supported_anew=_differ(MEMBER_EVIDENCE),
            is_seen_anew=by_bps & _differ(["seen_by"]),
        )
    )
    remarked = pl.concat(
        [
            *(one.join(other, on="person_id", how="anti")["family_id"] for one, other in (marked, marked[::-1])),
            support.filter("is_supported_anew")["family_id"],
        ]
    )
    is_seen_anew = pl.col("family_id").is_in(support.filter("is_seen_anew")["family_id"].implode())
    # Of current recipients before the first quarter nothing is on record: their evidence was unknown.
    then = before.families.records.select("family_id", *facts, is_on_record=pl.lit(value=True))
    is_on_record = pl.col("is_on_record").fill_null(value=False)
    return (
        records.select("family_id", *facts)
        .join(then, on="family_id", how="left", suffix=_THEN)
        .with_columns(
            evidence=_differ(EVIDENCE_FACTS) | pl.col("family_id").is_in(remarked.implode()),
            bps=(_differ(answers) | is_seen_anew) & is_on_record,
        )
        .filter(pl.col("evidence") | pl.col("bps"))
        .join(before.statuses, on="family_id", how="semi")
        .join(now.sources.select("family_id", *sources_of(facts)), on="family_id", how="left")
        .with_columns(
            pl.when(is_on_record & (pl.col(f"{name}{_SOURCE}") == Source.BPS_VALIDATION.value))
            .then(f"{name}{_THEN}")
            .otherwise(name)
            .alias(f"{name}{_THEN}")
            for name in answers
        )
        .with_columns(bps=_differ(answers) | is_seen_anew)
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
    is_chosen = pl.col("family_id").is_in(chosen["family_id"].implode())
    return Families(families.records.filter(is_chosen), families.members.filter(is_chosen))


def _as_they_were(
    few: Families, before: Before, switched: pl.DataFrame, facts: Sequence[str], of_members: Sequence[str]
) -> Families:
    """Those switched of a few families of now, with these facts of theirs and of their members as they were.

    Members who were not on record then keep what supports them now: that they are there is the family's own data.
    """
    then = switched.select("family_id", *(f"{name}{_THEN}" for name in facts))
    here = _of(few, then)
    marks = before.families.members.select("person_id", *of_members, was_here=pl.lit(value=True))
    marks = marks.join(here.members.select("person_id"), on="person_id", how="semi")
    as_then = [
        pl.when(pl.col("was_here") | pl.lit(name == _MARK)).then(f"{name}{_THEN}").otherwise(name).alias(name)
        for name in of_members
    ]
    return Families(
        here.records.join(then, on="family_id")
        .with_columns(pl.col(f"{name}{_THEN}").alias(name) for name in facts)
        .select(here.records.columns),
        here.members.join(marks, on="person_id", how="left", maintain_order="left", suffix=_THEN)
        .with_columns(as_then)
        .select(here.members.columns),
    )
