"""What the explanation of a family's decisions holds, and how it is printed: as text, as JSON, as a page.

It is put together from the tables by the publication room; no rule or score is worked out here.
"""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from reports.pages import page
from schemas.messages import NOTHING, Lang, Words, named, say, written
from schemas.vocabularies import Cause, PriorStatus, Status

Audience = Literal["analyst", "family"]
WIDTH = 100
"""Characters in a line of plain text."""


@dataclass(frozen=True)
class Reason:
    """One reason against the family: its code and what is told to people."""

    code: str
    sentence: Words


@dataclass(frozen=True)
class Places:
    """The area's places in a programme with their arithmetic; see contract `decision/seats`."""

    weight: int
    exact_share: Decimal
    remainder: Decimal
    has_remainder_seat: bool
    seats: int
    cap: int | None
    seats_before: int | None
    change: int | None


@dataclass(frozen=True)
class PaidComponent:
    """One paid person: ground and rupiah per quarter."""

    code: str
    label: Words
    amount_rupiah: int


@dataclass(frozen=True)
class ProgrammeDecision:
    """What was decided for the family in one programme.

    Attributes
    ----------
    list_reference : str
        Reference of the family on the public list of the programme and quarter.
    decile, max_decile : int or None
        The family's welfare decile (1 is poorest) and the highest that qualifies.
    rank, queue_position : int or None
        Place in the order of the eligible, None for a family's own eyes, and in the queue; both from 1.
    seats : int
        Places of the area.
    places : Places or None
        Their arithmetic, where the area has a row of it.
    cutoff_side : {"below", "same", "above"} or None
        Where an eligible family stands beside the highest score with which it would receive; None if nobody receives
        with whom it competes.
    cutoff_band : {"near", "apart", "far"} or None
        How far; None also where the score is no logarithm of expenditure.
    cutoff_distance_micro : int or None
        Score minus that score, micro-units; None for a family's own eyes.
    cutoff_distance_share : float or None
        The same as a share of the predicted expenditure at the cut-off; None for a family, and where the score is no
        logarithm of expenditure.
    placed_by : Words or None
        The rule that gave it a place before poorer families, or gave others a place before it; None in plain order.
    tie_break : str or None
        First criterion that told the family from the next in order; label in `tie_break_label`.
    visits : tuple of Reason
        What BPS is to check in the field; decided meanwhile as though it spoke for the family.
    member_since : date or None
        First day of receiving without a break, of a recipient.
    from_status, cause : str or None
        Status in the quarter before (or `new`) and why it moved.
    is_decisive : bool or None
        Whether the cause alone decided; None where nothing moved, and in revisions that do not say.
    next_step : Words
        What to do next.
    """

    programme: str
    list_reference: str
    status: str
    reasons: tuple[Reason, ...]
    decile: int | None
    max_decile: int | None
    rank: int | None
    queue_position: int | None
    seats: int
    places: Places | None
    cutoff_side: str | None
    cutoff_band: str | None
    cutoff_distance_micro: int | None
    cutoff_distance_share: float | None
    placed_by: Words | None
    tie_break: str | None
    amount_rupiah: int
    components: tuple[PaidComponent, ...]
    visits: tuple[Reason, ...]
    member_since: date | None
    from_status: str | None
    cause: str | None
    is_decisive: bool | None
    next_step: Words


@dataclass(frozen=True)
class Referred:
    """A programme besides PKH and BPNT to which the family's profile leads, and the facts that is taken from.

    Attributes
    ----------
    grounds : tuple of pairs of Words
        What the fact is, and what is known of it.
    """

    code: str
    name: Words
    reason: Words
    grounds: tuple[tuple[Words, Words], ...]
    legal_source: Words
    legal_url: str | None


@dataclass(frozen=True)
class RuleCheck:
    """One rule as it came out for the family, whether or not another one failed.

    Attributes
    ----------
    observed, threshold : int or None
        What the record holds and what it is compared with, in `unit`; in words beside them.
    source, source_date : Words or None, date or None
        Who states the fact and as of when; the agency that would answer where nobody has.
    note : Words or None
        The reason told to a family that fails, or what an unknown fact does.
    """

    code: str
    label: Words
    outcome: str
    observed: int | None
    observed_words: Words
    threshold: int | None
    threshold_words: Words
    unit: str
    source: Words
    source_date: date | None
    programmes: tuple[str, ...]
    note: Words | None
    legal_source: Words
    legal_url: str | None


@dataclass(frozen=True)
class ScorePart:
    """One answer that was scored.

    Attributes
    ----------
    value : int, float or None
        Code or number as recorded; in words beside it.
    effect : {"raises", "lowers", "neutral"} or None
        Beside the average family of the survey; None where nothing was scored, and for a family's own eyes.
    points_micro : int or None
        Micro-points of the answer; None for a family's own eyes.
    """

    feature: str
    label: Words
    value: float | None
    answer: Words
    source: Words | None
    source_date: date | None
    effect: str | None
    points_micro: int | None


@dataclass(frozen=True)
class Explanation:
    """Everything that is told about a family's decisions of one quarter; plain types only.

    Attributes
    ----------
    audience : {"analyst", "family"}
        A family is told its answers, the rules and the result, never points or the score.
    reference : str or None
        Restricted reference of the family; None for a family, which is told those of the lists.
    review : Words
        Where a human review stands, or how one is asked for.
    objection : Words
        Until when and where anybody may object.
    waiting : tuple of Words
        Statements about the family that do not count yet, each with its author by kind.
    scorable : bool
        Whether the answers could be scored; if not, `problems` says which could not.
    weighed_most : tuple of Words
        For a family: the questions whose answers weighed most, in the order in which they are asked.
    score_micro, intercept_micro : int or None
        The score and its base value in micro-units: base value and points add up to the score.
    scaled : str or None
        Name of the overlay that scales the national totals, where one does.
    is_planned : bool
        Whether the days are planned rather than announced.
    """

    audience: Audience
    quarter: str
    reference: str | None
    masked_name: str
    domicile: str
    decision_date: date
    announcement: date
    objection_deadline: date
    is_planned: bool
    scaled: str | None
    case_id: str | None
    decisions: tuple[ProgrammeDecision, ...]
    referrals: tuple[Referred, ...]
    review: Words
    objection: Words
    checks: tuple[RuleCheck, ...]
    waiting: tuple[Words, ...]
    scorable: bool
    weighed_most: tuple[Words, ...]
    problems: tuple[Words, ...]
    score_micro: int | None
    intercept_micro: int | None
    parts: tuple[ScorePart, ...]
    model_hash: str
    policy_hash: str
    input_hash: str

    def to_json(self) -> dict[str, Any]:
        """Plain form: days as ISO text, exact shares as decimal text, words in both languages."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return plain


def as_json(explanation: Explanation) -> str:
    """The explanation as indented JSON."""
    return json.dumps(explanation.to_json(), ensure_ascii=False, indent=2) + "\n"


def as_html(explanation: Explanation, lang: Lang = "id") -> str:
    """The explanation as one self-contained page, for phone and paper."""
    longest = max((abs(part.points_micro or 0) for part in explanation.parts), default=0) or 1
    return page(
        "explanation.html",
        lang,
        one=explanation,
        heading=_heading(explanation, lang),
        notes=_notes(explanation, lang),
        decisions=[(one, _facts(one, explanation, lang)) for one in explanation.decisions],
        parts=[(part, _part_cells(part, lang), (part.points_micro or 0) / longest) for part in explanation.parts],
        intercept=_points(explanation.intercept_micro, lang),
        answers_note=_answers_note(explanation),
        weighed_most=_weighed_most(explanation, lang),
    )


def as_text(explanation: Explanation, lang: Lang = "id") -> str:
    """The explanation as plain text in aligned columns, lines of at most `WIDTH` characters where words allow."""
    lines = [say("page.explanation", lang).upper(), "", *_aligned(_heading(explanation, lang))]
    lines += [line for note in _notes(explanation, lang) for line in _wrapped(f"! {note}")]
    for one in explanation.decisions:
        title = f"{say(f'programme.{one.programme}', lang)}: {say(f'status.{one.status}', lang)}"
        lines += _section(title)
        lines += [line for reason in one.reasons for line in _wrapped(f"- {reason.sentence.of(lang)}")]
        if one.visits:
            lines += [say("page.visits", lang) + ":"]
            lines += [line for visit in one.visits for line in _wrapped(f"- {visit.sentence.of(lang)}")]
        lines += _aligned(_facts(one, explanation, lang))
        lines += ["", say("page.next", lang) + ":", *_wrapped(one.next_step.of(lang))]
    lines += _referral_lines(explanation, lang)
    lines += [*_section(say("page.review", lang)), *_wrapped(explanation.review.of(lang), "")]
    lines += [*_section(say("page.objection", lang)), *_wrapped(explanation.objection.of(lang), "")]
    lines += _section(say("page.filters", lang))
    for check in explanation.checks:
        lines += _check_lines(check, lang)
    if explanation.waiting:
        lines += [*_section(say("page.not_counting", lang)), *_wrapped(say("page.not_counting_note", lang), ""), ""]
        lines += [line for one in explanation.waiting for line in _wrapped(f"- {one.of(lang)}")]
    lines += [*_section(say("page.answers", lang)), *_wrapped(say(_answers_note(explanation), lang), ""), ""]
    lines += [line for problem in explanation.problems for line in _wrapped(f"! {problem.of(lang)}")]
    lines += _aligned(_weighed_most(explanation, lang))
    lines += _score_lines(explanation, lang)
    lines += _section(say("page.origin", lang))
    lines += _aligned([(say(f"page.{name}", lang), getattr(explanation, name)) for name in _HASHES])
    return "\n".join(line.rstrip() for line in lines) + "\n"


_HASHES = ("model_hash", "policy_hash", "input_hash")


def _heading(explanation: Explanation, lang: Lang) -> list[tuple[str, str]]:
    rows = [
        ("quarter", explanation.quarter),
        *([] if explanation.reference is None else [("reference", explanation.reference)]),
        ("masked_name", explanation.masked_name),
        ("domicile", explanation.domicile),
        ("decision_day", written(explanation.decision_date, lang)),
        ("announced", written(explanation.announcement, lang)),
        ("objections_until", written(explanation.objection_deadline, lang)),
    ]
    if explanation.case_id is not None:
        rows.append(("case", explanation.case_id))
    return [(say(f"page.{name}", lang), value) for name, value in rows]


def _notes(explanation: Explanation, lang: Lang) -> list[str]:
    notes = [say("page.scaled", lang, overlay=explanation.scaled)] if explanation.scaled is not None else []
    return [*notes, say("page.planned", lang)] if explanation.is_planned else notes


def _facts(one: ProgrammeDecision, explanation: Explanation, lang: Lang) -> list[tuple[str, str]]:
    """What is known of a programme's decision, label and words; what does not apply is left out."""
    is_listed = one.status in {Status.RECIPIENT, Status.WAITING}
    rows: list[tuple[str, str | None]] = [
        ("list_reference" if is_listed else "decision_reference", one.list_reference),
        ("decile", _decile(one, lang)),
        ("score", None if explanation.score_micro is None else written(explanation.score_micro, lang)),
        ("rank", None if one.rank is None else written(one.rank, lang)),
        ("queue_position", None if one.queue_position is None else written(one.queue_position, lang)),
        ("seats", _seats(one, lang)),
        ("distance", _distance(one, explanation, lang)),
        ("placed_by", None if one.placed_by is None else one.placed_by.of(lang)),
        ("tie_break", None if one.tie_break is None else named(f"tie_break.{one.tie_break}", one.tie_break).of(lang)),
        ("amount", f"Rp {written(one.amount_rupiah, lang)}" if one.amount_rupiah else None),
        ("components", _components(one.components, lang) or None),
        ("member_since", None if one.member_since is None else written(one.member_since, lang)),
        ("before", _before(one, lang)),
        ("cause", _cause(one, lang)),
    ]
    return [(say(f"page.{name}", lang), value) for name, value in rows if value is not None]


def _decile(one: ProgrammeDecision, lang: Lang) -> str | None:
    if one.decile is None or one.max_decile is None:
        return None if one.decile is None else str(one.decile)
    return say("page.decile_limit", lang, decile=one.decile, limit=one.max_decile)


def _seats(one: ProgrammeDecision, lang: Lang) -> str:
    if one.places is None:
        return written(one.seats, lang)
    before = one.places.seats_before
    return say(
        "page.seats_detail",
        lang,
        seats=one.seats,
        exact=one.places.exact_share,
        weight=one.places.weight,
        before=say("page.not_known", lang) if before is None else before,
    )


def _distance(one: ProgrammeDecision, explanation: Explanation, lang: Lang) -> str | None:
    if one.status not in {Status.RECIPIENT, Status.WAITING}:
        return None
    if one.cutoff_side is None:
        # Who keeps a place, or lost it to others who keep theirs, is measured by no cut-off: `placed_by` tells why.
        is_measured = one.status == Status.WAITING and one.placed_by is None
        return say("page.distance_no_recipient", lang) if is_measured else None
    if one.cutoff_side == "same":
        return say("page.distance_same", lang)
    if explanation.audience == "family" and one.cutoff_band is not None:
        return say(f"page.distance_{one.cutoff_side}_{one.cutoff_band}", lang)
    micro = "" if one.cutoff_distance_micro is None else f" ({_signed(one.cutoff_distance_micro, lang)})"
    if one.cutoff_distance_share is None:
        return say(f"page.score_{one.cutoff_side}", lang) + micro
    finest = Decimal("0.01")
    percent = abs(Decimal(str(one.cutoff_distance_share)) * 100).quantize(finest)
    share = _percent(percent, lang) if percent else say("page.less_than", lang, share=_percent(finest, lang))
    return say(f"page.distance_{one.cutoff_side}", lang, share=share) + micro


def _percent(number: Decimal, lang: Lang) -> str:
    return f"{written(number, lang)}%"


def _signed(number: int, lang: Lang) -> str:
    return f"{'+' if number > 0 else ''}{written(number, lang)}"


def _components(components: Sequence[PaidComponent], lang: Lang) -> str:
    return "; ".join(f"{one.label.of(lang)} Rp {written(one.amount_rupiah, lang)}" for one in components)


def _before(one: ProgrammeDecision, lang: Lang) -> str | None:
    if one.from_status is None:
        return None
    group = "prior_status" if one.from_status in {"new", "gone"} else "status"
    return say(f"{group}.{one.from_status}", lang)


def _cause(one: ProgrammeDecision, lang: Lang) -> str | None:
    """Why a family on record moved, and by which test."""
    if one.cause is None or one.from_status == PriorStatus.NEW:
        return None
    is_tested = one.is_decisive is not None and one.cause not in {Cause.REGISTRATIONS, Cause.FIRST_ASSESSMENT}
    test = "only" if not is_tested else "decisive" if one.is_decisive else "first"
    return say(f"page.cause_{test}", lang, cause=say(f"cause.{one.cause}", lang))


def _referral_lines(explanation: Explanation, lang: Lang) -> Iterator[str]:
    if not explanation.referrals:
        return
    yield from _section(say("page.referrals", lang))
    yield from _wrapped(say("page.referrals_note", lang), "")
    for one in explanation.referrals:
        yield from ("", one.name.of(lang), *_wrapped(one.reason.of(lang)))
        rows = [(label.of(lang), value.of(lang)) for label, value in one.grounds]
        yield from (
            f"  {line}" for line in _aligned([*rows, (say("page.legal_source", lang), one.legal_source.of(lang))])
        )


def _check_lines(check: RuleCheck, lang: Lang) -> Iterator[str]:
    yield f"[{say(f'outcome.{check.outcome}', lang)}] {check.label.of(lang)} ({', '.join(check.programmes)})"
    source = check.source.of(lang)
    dated = source if check.source_date is None else f"{source}, {written(check.source_date, lang)}"
    rows = [
        (say("page.observed", lang), check.observed_words.of(lang)),
        (say("page.threshold", lang), check.threshold_words.of(lang)),
        (say("page.source", lang), dated),
        (say("page.legal_source", lang), check.legal_source.of(lang)),
    ]
    yield from (f"  {line}" for line in _aligned(rows))
    if check.note is not None:
        yield from _wrapped(check.note.of(lang), "  ")


def _score_lines(explanation: Explanation, lang: Lang) -> Iterator[str]:
    names = ["question", "answer", "source", "date", "effect", "points"]
    table = [[say(f"page.{name}", lang) for name in names]]
    table += [[say("page.intercept", lang), "", "", "", "", _points(explanation.intercept_micro, lang)]]
    table += [_part_cells(part, lang) for part in explanation.parts]
    table += [[say("page.score", lang), "", "", "", "", written(explanation.score_micro, lang)]]
    if explanation.audience == "family":
        table = [row[:-2] for row in (table[0], *table[2:-1])]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        *texts, last = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join([*texts, row[-1].rjust(widths[-1]) if explanation.audience == "analyst" else last])


def _answers_note(explanation: Explanation) -> str:
    return "page.answers_note" + ("_family" if explanation.audience == "family" else "")


def _weighed_most(explanation: Explanation, lang: Lang) -> list[tuple[str, str]]:
    told = "; ".join(question.of(lang) for question in explanation.weighed_most)
    return [(say("page.weighed_most", lang), told)] if told else []


def _part_cells(part: ScorePart, lang: Lang) -> list[str]:
    return [
        part.label.of(lang),
        part.answer.of(lang),
        written(part.source, lang),
        written(part.source_date, lang),
        NOTHING if part.effect is None else say(f"effect.{part.effect}", lang),
        _points(part.points_micro, lang),
    ]


def _points(number: int | None, lang: Lang) -> str:
    return NOTHING if number is None else _signed(number, lang)


def _section(title: str) -> list[str]:
    return ["", title, "-" * len(title)]


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(label) for label, _ in rows), default=0) + 2
    hanging = " " * width
    return [
        line
        for label, value in rows
        for line in textwrap.wrap(
            value, WIDTH, initial_indent=label.ljust(width), subsequent_indent=hanging, break_long_words=False
        )
    ]


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    first = "" if text[:2] in {"- ", "! "} else indent
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False)
