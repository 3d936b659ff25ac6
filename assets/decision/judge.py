"""Judging families one by one: filters, score, decile, components, and whether each programme's rules are met.

What a family gets depends on the others too: that is ranking's. Here no family sees another.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import polars as pl

from assets.decision.components import lists, member_facts, of_members, payments
from assets.decision.deciles import FRAMES, OFFICIAL, with_deciles
from assets.decision.families import ELIGIBLE, Families, Terms
from assets.decision.filters import PREFIX, outcomes
from assets.decision.kept import keep_places
from assets.decision.waits import quarters_since
from assets.welfare.score import score, score_micro
from assets.welfare.scorecard import Scorecard
from quotas.rules import Effect, FamilyCount, Filter, ProgrammeRule, Unknown
from schemas.vocabularies import Outcome, Programme, Status

FAMILY_COUNTS: tuple[str, ...] = get_args(FamilyCount)
CARRIED = (
    "family_card_number",
    "district_code",
    "village_code",
    "head_name",
    "registered_date",
    "is_verified",
    "case_id",
    "channel",
)
IDENTITY_CASE = "identity_case"
TOO_RICH = "decile_above"
NO_COMPONENT, UNCONFIRMED = "no_component", "component_unconfirmed"
NOT_SCORABLE, NO_DECILE = "not_scorable", "decile_unknown"
HELD_UNTIL_KNOWN = (IDENTITY_CASE, "no_consent_unknown", "identity_unconfirmed_unknown")
"""Grounds that hold a newcomer until they are settled; any other holds `registry.hold_quarters` at most."""
_BITS = 63
_OFFICIAL = [f"{OFFICIAL}decile_{frame}" for frame in FRAMES]


def asked_of(terms: Terms) -> list[str]:
    """Columns of `registry/families` that judging reads under these terms."""
    features = [*terms.scorecard.spec.strata, *(feature.name for feature in terms.scorecard.features)]
    filtered = [one.fact for one in terms.policy.filters]
    return [*dict.fromkeys(["family_id", "regency_code", *CARRIED, *features, *filtered, *_OFFICIAL])]


def judge(families: Families, terms: Terms, *, parts: bool = True) -> pl.DataFrame:
    """Every family with every filter's outcome, its score and its decile.

    Parameters
    ----------
    parts : bool
        Whether to give the points of each answer too, and what is wrong with those that cannot be used.

    Returns
    -------
    DataFrame
        One row per family, ordered by family: `family_id`, `regency_code`, `CARRIED`, `outcome_<filter>`,
        `scorable`, `score_micro` (Int64, lower is poorer, null when not scorable), `decile` (1 poorest),
        `decile_<frame>` (our own in every frame), `FAMILY_COUNTS`, and for each programme that pays by components
        `persons_<programme>` (:func:`assets.decision.components.of_members`); with `parts` also `problems` and
        `points_<feature>`.
    """
    records = families.records
    if not records["family_id"].is_sorted():
        records = records.sort("family_id")
    scores = _scores(records, terms.scorecard, parts=parts)
    members = member_facts(families.members, terms.days.decision_date)
    judged = records.select("family_id", "regency_code", *CARRIED, *outcomes(terms.policy, records))
    judged = judged.hstack(scores.get_columns()).join(
        of_members(members, terms.policy.programmes), on="family_id", how="left", maintain_order="left"
    )
    official = pl.col(f"{OFFICIAL}decile_{terms.policy.welfare.decile_frame}").alias("official_decile")
    placed = with_deciles(judged.hstack(records.select(_OFFICIAL)), terms).with_columns(official).drop(_OFFICIAL)
    return placed.with_columns(pl.col(FAMILY_COUNTS).fill_null(0))


def _scores(records: pl.DataFrame, card: Scorecard, *, parts: bool) -> pl.DataFrame:
    households = records.rename({"family_id": card.spec.id})
    if parts:
        return score(households, card).drop(card.spec.id, "reason")
    scores = score_micro(households, card)
    return pl.DataFrame([scores.is_not_null().alias("scorable"), scores])


def eligibility(judged: pl.DataFrame, terms: Terms, previous: pl.DataFrame) -> pl.DataFrame:
    """Which programme's rules each family meets, and every reason against it.

    Parameters
    ----------
    judged : DataFrame
        From :func:`judge`.
    previous : DataFrame
        `family_id, programme, status, held_since, components, score_micro, amount_rupiah` of the quarter before. Who
        received, whichever programme, is held neither for its identity nor for a fact that is not known, and keeps its
        place while data are missing.

    Returns
    -------
    DataFrame
        One row per family x programme with `status` (`eligible`, `ineligible`, `not_scorable`, `held`),
        `reasons` (codes), `ground_checks` (codes of what sends it to the BPS worklist), `components`,
        `amount_due_rupiah` (if it became a recipient), `received_before` (this programme in the quarter
        before), `held_since`, `is_kept` and `score_basis` (:func:`assets.decision.kept.keep_places`), the
        columns of `judged` that ranking and lists need; programme after programme, each in the order of
        `judged`.
    """
    is_recipient = pl.col("status") == Status.RECIPIENT.value
    sitting = previous.filter(is_recipient)["family_id"]
    marked = judged.with_columns(is_sitting=pl.col("family_id").is_in(sitting.implode()))
    told = previous.filter(is_recipient | pl.col("held_since").is_not_null()).select(
        "family_id", "programme", "held_since", received_before=is_recipient, components_before="components"
    )
    hold = terms.policy.registry.hold_quarters
    parts = []
    for programme, rule in terms.policy.programmes.items():
        before = told.filter(pl.col("programme") == programme.value).drop("programme")
        asked = marked.join(before, on="family_id", how="left", maintain_order="left").with_columns(
            programme=pl.lit(programme.value),
            received_before=pl.col("received_before").fill_null(value=False),
            hold_is_over=(quarters_since("held_since", terms.quarter) >= hold).fill_null(value=False),
        )
        asked = _with_amounts(asked, programme, rule)
        grounds = _grounds(terms.policy.filters, programme, rule)
        asked = asked.with_columns(_grounds=_bits(grounds))
        parts.append(
            asked.join(_outcomes(asked["_grounds"], grounds), on="_grounds", how="left", maintain_order="left").select(
                "family_id", "programme", "regency_code", *CARRIED, "score_micro", "decile", *FAMILY_COUNTS, "status",
                "reasons", "ground_checks", pl.col("components").fill_null([]),
                pl.col("amount_due_rupiah").fill_null(0), "received_before", "official_decile",
                held_since=_held_since(terms),
            )
        )  # fmt: skip
    return keep_places(pl.concat(parts), previous, terms).drop("official_decile")


def _with_amounts(asked: pl.DataFrame, programme: Programme, rule: ProgrammeRule) -> pl.DataFrame:
    if rule.components:
        return asked.hstack(payments(asked, programme, rule).get_columns())
    return asked.with_columns(
        components=pl.lit([], pl.List(pl.String)),
        amount_due_rupiah=pl.lit(rule.amount_rupiah, pl.Int64),
        is_unconfirmed=pl.lit(value=False),
    )


def _held_since(terms: Terms) -> pl.Expr:
    """The quarter in which the family was first held, as long as a ground of holding stands, whatever is decided.

    Were it forgotten when the hold is over, the same ground would hold the family anew a quarter later.
    """
    begins = pl.when(pl.col("status") == Status.HELD.value).then(pl.lit(str(terms.quarter)))
    return pl.when("waits").then(pl.coalesce("held_since", begins))


@dataclass(frozen=True)
class _Ground:
    """One ground on which a family may not become eligible, and what it is then; without a status, one of a visit.

    `waits`: it holds a newcomer or did so until policy ended the hold.
    """

    code: str
    status: Status | None
    holds: pl.Expr
    waits: bool = False


def _grounds(filters: Sequence[Filter], programme: Programme, rule: ProgrammeRule) -> list[_Ground]:
    """Every ground a programme knows, in the order in which reasons are told."""
    mine = [one for one in filters if programme in one.programmes]
    excluding = [one for one in mine if one.effect is Effect.EXCLUDE]
    found = [_Ground(one.code, Status.INELIGIBLE, pl.col(f"{PREFIX}{one.code}") == Outcome.FAIL) for one in excluding]
    has_none, is_new = pl.col("amount_due_rupiah").is_null(), ~pl.col("received_before")
    awaits = has_none & pl.col("is_unconfirmed") & is_new
    if rule.components:
        found.append(_Ground(NO_COMPONENT, Status.INELIGIBLE, has_none & ~(awaits & ~pl.col("hold_is_over"))))
    if rule.max_decile is not None:
        found.append(_Ground(TOO_RICH, Status.INELIGIBLE, pl.col("decile") > rule.max_decile))
    newcomer = ~pl.col("is_sitting")
    in_doubt = pl.col("case_id").is_not_null() & newcomer & ~pl.col("is_verified")
    holding = [_Ground(IDENTITY_CASE, Status.HELD, in_doubt, waits=True)]
    holding += [
        _Ground(f"{one.code}_unknown", Status.HELD, (pl.col(f"{PREFIX}{one.code}") == Outcome.UNKNOWN) & newcomer,
                waits=True)
        for one in mine
        if one.unknown is Unknown.HOLD
    ]  # fmt: skip
    if rule.components:
        holding.append(_Ground(UNCONFIRMED, Status.HELD, awaits, waits=True))
    lasting = [one for one in holding if one.code in HELD_UNTIL_KNOWN]
    limited = [one for one in holding if one.code not in HELD_UNTIL_KNOWN]
    found += [*lasting, *(replace(one, holds=one.holds & ~pl.col("hold_is_over")) for one in limited)]
    found.append(_Ground(NOT_SCORABLE, Status.NOT_SCORABLE, ~pl.col("scorable")))
    if rule.max_decile is not None:
        no_frame = pl.col("scorable") & pl.col("decile").is_null()
        found.append(_Ground(NO_DECILE, Status.NOT_SCORABLE, no_frame))
    found += [replace(one, status=None, holds=one.holds & pl.col("hold_is_over")) for one in limited]
    if rule.components:
        found.append(_Ground(UNCONFIRMED, None, pl.col("is_unconfirmed") & ~awaits))
    return [*found, *(visit for one in mine for visit in _visits(one))]


def _visits(rule: Filter) -> list[_Ground]:
    """What of a filter sends a family to the BPS worklist and is decided as passed."""
    outcome, visits = pl.col(f"{PREFIX}{rule.code}"), []
    if rule.effect is Effect.GROUND_CHECK:
        visits.append(_Ground(rule.code, None, outcome == Outcome.GROUND_CHECK))
    if rule.unknown is not Unknown.PASS:
        whose = pl.col("is_sitting") if rule.unknown is Unknown.HOLD else pl.lit(value=True)
        visits.append(_Ground(f"{rule.code}_unknown", None, (outcome == Outcome.UNKNOWN) & whose))
    return visits


def _bits(grounds: Sequence[_Ground]) -> pl.Expr:
    """The grounds that hold, as the bits of a whole number: many families share few combinations."""
    kind = _kind_of(grounds)
    return pl.sum_horizontal(
        one.holds.fill_null(value=False).cast(kind) * pl.lit(1 << position, kind)
        for position, one in enumerate(grounds)
    )


def _kind_of(grounds: Sequence[_Ground]) -> pl.DataType:
    """A whole number with a bit for every ground; a law that holds or visits for every unknown needs a wide one."""
    return pl.Int64() if len(grounds) <= _BITS else pl.Int128()


def _outcomes(combinations: pl.Series, grounds: Sequence[_Ground]) -> pl.DataFrame:
    """Status, reasons and ground checks of every combination of grounds that occurs.

    An identity case comes first: whose facts these are is what is in doubt. Then what excludes for certain, then
    what is held until it is known, then too little data.
    """
    numbers = combinations.unique().sort()
    statuses, reasons, visits, waits = [], [], [], []
    for bits in numbers:
        held = [one for position, one in enumerate(grounds) if bits >> position & 1]
        found = {one.status for one in held}
        order = (Status.INELIGIBLE, Status.HELD, Status.NOT_SCORABLE)
        is_in_doubt = any(one.code == IDENTITY_CASE for one in held)
        statuses.append(Status.HELD if is_in_doubt else next((one for one in order if one in found), ELIGIBLE))
        reasons.append([one.code for one in held if one.status is not None])
        visits.append([one.code for one in held if one.status is None])
        waits.append(any(one.waits for one in held))
    return pl.DataFrame(
        [
            numbers.alias("_grounds"),
            pl.Series("status", statuses, dtype=pl.String),
            pl.Series("waits", waits, dtype=pl.Boolean),
            lists("reasons", reasons),
            lists("ground_checks", visits),
        ]
    )


def lottery(card_numbers: pl.Series, seed: str) -> pl.Series:
    """Order of the lottery: SHA-256 of the quarter's published seed and the family card number, hexadecimal."""
    prefix = f"{seed}|".encode()
    drawn = [hashlib.sha256(prefix + number.encode()).hexdigest() for number in card_numbers]
    return pl.Series("lottery", drawn, dtype=pl.String)
