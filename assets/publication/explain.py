"""One family's decisions explained: rows of the tables, the law and the scorecard put together. Prints nothing.

What an explanation holds and how it looks is in `reports.explanation`. It decides nothing anew: what it tells is what
the tables hold, and it refuses where they do not fit together.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import polars as pl

from assets.decision.contestable import ONE_SOURCE
from assets.decision.families import Terms
from assets.decision.judge import IDENTITY_CASE, NO_COMPONENT, UNCONFIRMED
from assets.decision.ranking import RESERVED, SITTING
from assets.welfare.scorecard import MICRO, FeatureTable
from quotas.rules import Effect, Filter, Operator, ProgrammeRule, Unknown
from reports.explanation import (
    Audience,
    Explanation,
    PaidComponent,
    Places,
    ProgrammeDecision,
    Reason,
    Referred,
    RuleCheck,
    ScorePart,
)
from schemas.errors import Refused, Tampered
from schemas.messages import LANGUAGES, Words, catalogue, named, quantity, words, yes_or_no
from schemas.questionnaire import Questionnaire
from schemas.regions import reference, regency_name
from schemas.vocabularies import Cause, Doubt, GoesTo, Outcome, Programme, Standing, Status

Row = dict[str, Any]
PER_FAMILY = (
    "decision/decisions",
    "decision/filters",
    "decision/payments",
    "decision/transitions",
    "decision/referrals",
    "decision/scores",
    "decision/worklist",
    "registry/families",
    "registry/provenance",
    "registry/pending",
)
"""Tables an explanation reads rows of one family from; `decision/seats` is read for its area."""

_REVIEW = Doubt.REVIEW_REQUESTED.value
_AUTHORISED_CHECK = "authorised_check"
_UNKNOWN_SUFFIX = "_unknown"
_NOT_TOLD = frozenset({Doubt.CHECK_IN_PERSON_SAMPLED.value})
"""Whose check is checked again does not know it before the visit."""
_SIX_PLACES = 6
_BANDS = {"near": 0.1, "apart": 0.3, "far": math.inf}
"""Bands of the distance to the cut-off: predicted expenditure less than so far from it, as a share of it."""
_WEIGHED_MOST = 3


def explanation(
    family_id: str,
    tables: Mapping[str, pl.LazyFrame],
    terms: Terms,
    questionnaire: Questionnaire,
    *,
    audience: Audience = "analyst",
) -> Explanation:
    """Everything that can be said about a family's decisions of one quarter.

    Parameters
    ----------
    family_id : str
        Pseudonym of the family.
    tables : mapping of str to LazyFrame
        Those of `PER_FAMILY` and `decision/seats`, of one quarter, by their contracts; `decision/scores` with
        `points_intercept` and `points_<feature>`. Only the family's rows and its area's places are loaded.
    terms : Terms
        The terms the quarter was decided on.
    audience : {"analyst", "family"}
        A family is told answers, rules and results; never points, score or rank, and distances in three bands: the
        formula could be rebuilt from letters that say more.

    Raises
    ------
    Refused
        If no decision of the quarter is about the family.
    Tampered
        If the rows do not fit together: another scorecard or policy, a rule without a row, or points or payments
        that do not add up.
    """
    decisions = tables["decision/decisions"].filter(pl.col("family_id") == family_id).collect()
    if decisions.is_empty():
        message = f"{terms.quarter} has no decision about family {family_id}. Check the quarter and the reference."
        raise Refused(message)
    head = decisions.row(0, named=True)
    # The regency stands first in the order of these tables: with it readers skip what is not theirs.
    mine = (pl.col("regency_code") == head["regency_code"]) & (pl.col("family_id") == family_id)
    rows = {key: tables[key].filter(mine).collect().rows(named=True) for key in PER_FAMILY[1:]}
    one = {key: _only(rows[key], key) for key in ("decision/scores", "registry/families", "registry/provenance")}
    _same_terms(head, terms)
    score, family, provenance = one.values()
    by_programme = {row["programme"]: row for row in decisions.rows(named=True)}
    decided = {name: by_programme[name] for name in terms.policy.programmes if name in by_programme}
    days = terms.days
    areas = {row[terms.area] for row in decided.values()}
    places = tables["decision/seats"].filter(pl.col("regency_code").is_in(areas)).collect().rows(named=True)
    told = _Telling(terms, questionnaire, audience, family, provenance)
    analyst = audience == "analyst"
    listed = {row["reason"] for row in rows["decision/worklist"]}
    return Explanation(
        audience=audience,
        quarter=head["quarter"],
        reference=head["reference"] if analyst else None,
        masked_name=head["masked_name"],
        domicile=_domicile(head),
        decision_date=days.decision_date,
        announcement=days.announcement,
        objection_deadline=days.objection_deadline,
        is_planned=days.is_planned,
        scaled=terms.policy.overlay_name if terms.policy.scaled else None,
        case_id=family["case_id"] if analyst else None,
        decisions=tuple(
            told.decision(
                row,
                _of_programme(rows["decision/payments"], programme),
                _of_programme(rows["decision/transitions"], programme),
                _of_programme(places, programme),
                [
                    one
                    for one in rows["decision/worklist"]
                    if programme in one["programmes"]
                    and one["reason"] != _REVIEW
                    and (analyst or one["reason"] not in _NOT_TOLD)
                ],
            )
            for programme, row in decided.items()
        ),
        referrals=tuple(told.referral(row) for row in rows["decision/referrals"]),
        review=_review(rows["decision/worklist"]),
        objection=words("next.objection", announcement=days.announcement, deadline=days.objection_deadline),
        checks=tuple(
            told.check(rule, rows["decision/filters"], listed)
            for rule in terms.policy.filters
            if analyst or not rule.is_confidential
        ),
        waiting=tuple(dict.fromkeys(_waiting(row) for row in rows["registry/pending"])),
        scorable=score["scorable"],
        weighed_most=() if analyst else told.weighed_most(score),
        problems=tuple(told.problem(problem) for problem in score["problems"]),
        score_micro=_added_up(score, decided.values(), terms) if analyst else None,
        intercept_micro=score["points_intercept"] if analyst and score["scorable"] else None,
        parts=tuple(told.part(feature, score) for feature in terms.scorecard.features),
        model_hash=head["model_hash"],
        policy_hash=head["policy_hash"],
        input_hash=head["input_hash"],
    )


def _review(rows: Sequence[Row]) -> Words:
    """Where the human review stands that the family asked for, or how one is asked for."""
    row = next((one for one in rows if one["reason"] == _REVIEW and one["review_state"] is not None), None)
    if row is None:
        return words("review.may_ask")
    goes_to = words(f"goes_to.{row['goes_to']}")
    return words(f"review.{row['review_state']}", asked=row["asked_on"], answered=row["answered_on"], who=goes_to)


def _waiting(row: Row) -> Words:
    """A statement that does not count yet, with its author by kind and never the person."""
    code = row["standing"]
    if code == Standing.AFTER_NOTICE and row["counts_from"] is None:
        code = "in_turn"
    elif code == Standing.PENDING and not row["is_listed"]:
        code = "unlisted"
    return words(
        f"set_aside.{code}",
        feed=words(f"feed.{row['feed']}"),
        author=words(f"author.{row['author']}"),
        date=row["stated_date"],
    )


def _only(rows: Sequence[Row], key: str) -> Row:
    if len(rows) != 1:
        message = f"{key} holds {len(rows)} rows of the family, not one. Run the quarter again."
        raise Tampered(message)
    return rows[0]


def _of_programme(rows: Iterable[Row], programme: str) -> Row | None:
    return next((row for row in rows if row["programme"] == programme), None)


def _same_terms(row: Row, terms: Terms) -> None:
    for name, used, given in (
        ("scorecard", row["model_hash"], terms.scorecard.hash),
        ("policy", row["policy_hash"], terms.policy.hash),
    ):
        if used != given:
            message = f"the family was decided with {name} {used[:12]}, not {given[:12]}. Explain with that {name}."
            raise Tampered(message)


def _added_up(score: Row, decided: Iterable[Row], terms: Terms) -> int | None:
    """The score, after its parts, the score table and the decisions were found to agree to the last unit."""
    total: int | None = score["score_micro"]
    parts = ["points_intercept", *(f"points_{feature.name}" for feature in terms.scorecard.features)]
    added = sum(score[part] for part in parts) if score["scorable"] else None
    # Who is kept without a score of its own competes by another one.
    own = [row["score_micro"] for row in decided if not row["is_kept"]]
    if {total, *own} != {added}:
        message = f"base value and points add up to {added}, the score says {total}. Run the quarter again."
        raise Tampered(message)
    return total


def _domicile(row: Row) -> str:
    """Village, district and regency, by name where the reference tables have one, and the village's code."""
    named_places = [
        dict(reference(table).select("code", "name").iter_rows()).get(row[code])
        for table, code in (("villages", "village_code"), ("districts", "district_code"))
    ]
    place = ", ".join(name for name in (*named_places, regency_name(row["regency_code"])) if name is not None)
    return f"{place} ({row['village_code']})"


class _Telling:
    """Rows of one family turned into what is told, in the terms of the quarter and for one audience."""

    def __init__(
        self, terms: Terms, questionnaire: Questionnaire, audience: Audience, family: Row, provenance: Row
    ) -> None:
        self.terms = terms
        self.questionnaire = questionnaire
        self.is_analyst = audience == "analyst"
        self.family = family
        self.provenance = provenance

    @property
    def _hidden(self) -> frozenset[str]:
        """Filters of which this audience is told nothing but a check by an authorised body."""
        rules = () if self.is_analyst else self.terms.policy.filters
        return frozenset(one.code for one in rules if one.is_confidential)

    def decision(
        self, row: Row, payment: Row | None, transition: Row | None, places: Row | None, listed: Sequence[Row]
    ) -> ProgrammeDecision:
        programme = Programme(row["programme"])
        rule = self.terms.policy.programmes[programme]
        side, band, micro, share = self._distance(row["cutoff_distance_micro"])
        # That an agency's word ended aid would tell a family more than the check by an authorised body.
        is_hidden = (
            transition is not None and transition["cause"] == Cause.EVIDENCE and self._hidden & {*row["reasons"]}
        )
        cause = None if is_hidden else transition
        return ProgrammeDecision(
            programme=programme.value,
            list_reference=row["list_reference"],
            status=row["status"],
            reasons=self._reasons(row["reasons"], row, rule, listed),
            decile=row["decile"],
            max_decile=rule.max_decile,
            rank=row["rank"] if self.is_analyst else None,
            queue_position=row["queue_position"],
            seats=row["seats"],
            places=None if places is None else Places(**{field.name: places[field.name] for field in fields(Places)}),
            cutoff_side=side,
            cutoff_band=band,
            cutoff_distance_micro=micro,
            cutoff_distance_share=share,
            placed_by=self._placed_by(row),
            tie_break=row["tie_break"],
            amount_rupiah=row["amount_rupiah"],
            components=_paid(row, payment, rule),
            visits=self._reasons(
                [one["reason"] for one in listed if one["reason"] not in row["reasons"]], row, rule, listed
            ),
            member_since=row["member_since"],
            from_status=transition["from_status"] if transition is not None else None,
            cause=cause["cause"] if cause is not None else None,
            is_decisive=cause["is_decisive"] if cause is not None else None,
            next_step=self._next_step(row, payment),
        )

    def _reasons(
        self, codes: Sequence[str], row: Row, rule: ProgrammeRule, listed: Sequence[Row]
    ) -> tuple[Reason, ...]:
        """Reasons in words; to a family, findings of confidential filters are all the same check.

        Whoever is told of a visit has a row on the worklist: without one the reason is told alone, and where the case
        went on to the supervisor, that is told.
        """
        confidential = self._hidden | ({ONE_SOURCE} if self._hidden & {*row["reasons"]} else frozenset())
        told = {code: _AUTHORISED_CHECK if code in confidential else code for code in codes}
        since = {told.get(one["reason"]): one["since"] for one in listed if one["goes_to"] == GoesTo.SUPERVISOR}
        on_list = {one["reason"] for one in listed}
        return tuple(
            Reason(code, _and_supervisor(self._reason(code, row, rule, is_listed=code in on_list), since.get(code)))
            for code in dict.fromkeys(told.values())
        )

    def _reason(self, code: str, row: Row, rule: ProgrammeRule, *, is_listed: bool) -> Words:
        filters = {one.code: one for one in self.terms.policy.filters}
        if code in filters:
            return Words(filters[code].reason.id, filters[code].reason.en)
        if not is_listed and f"unlisted.{code}" in catalogue():
            return words(f"unlisted.{code}", programme=row["programme"])
        if (unknown := filters.get(code.removesuffix(_UNKNOWN_SUFFIX))) is not None:
            own = f"reason.{code}"
            return (
                words(own)
                if own in catalogue()
                else words("reason.filter_unknown", fact=self._fact_label(unknown.fact))
            )
        if code == NO_COMPONENT and UNCONFIRMED in row["ground_checks"]:
            code = "no_component_confirmed"
        known = {
            "programme": row["programme"], "decile": row["decile"], "limit": rule.max_decile,
            "other": rule.exclusive_with, "years": rule.review_after_years,
        }  # fmt: skip
        return words(f"reason.{code}", **known)

    def _placed_by(self, row: Row) -> Words | None:
        """The rule that put a family out of the order of the poor: before others who wait, or behind its own rank."""
        ranking = self.terms.policy.ranking
        rules = {f"{RESERVED}{one.fact}": Words(one.reason.id, one.reason.en) for one in ranking.reserved_places}
        if ranking.sitting_margin_micro:
            rules[SITTING] = words("placing.sitting")
        if row["is_kept"]:
            basis = words(f"score_basis.{row['score_basis'] or 'none'}")
            return words("placing.kept" if row["status"] == Status.RECIPIENT else "placing.not_kept", basis=basis)
        if row["placed_by"] in rules:
            return rules[row["placed_by"]]
        if row["displaced_by"]:
            named = [rules[rule] for rule in row["displaced_by"]]
            told = Words(*(" ".join(one.of(lang) for one in named) for lang in LANGUAGES))
            return words("placing.displaced", rules=told)
        if row["status"] == Status.WAITING and row["rank"] <= row["seats"]:
            return words("placing.passed_over")
        return None

    def _distance(self, micro: int | None) -> tuple[str | None, str | None, int | None, float | None]:
        """Side of the cut-off and band beside it; to analysts also micro-units and share, which give the score away."""
        if micro is None:
            return None, None, None, None
        side = "same" if micro == 0 else "below" if micro < 0 else "above"
        if self.terms.scorecard.scale != "log":
            return side, None, micro if self.is_analyst else None, None
        share = math.expm1(micro / MICRO)
        band = next(name for name, bound in _BANDS.items() if abs(share) < bound)
        return side, band, *((micro, round(share, _SIX_PLACES)) if self.is_analyst else (None, None))

    def _next_step(self, row: Row, payment: Row | None) -> Words:
        step = row["status"]
        if step == Status.HELD and IDENTITY_CASE not in row["reasons"]:
            step = "held_unconfirmed" if UNCONFIRMED in row["reasons"] else "held_unknown"
        return words(
            f"next.{step}",
            programme=row["programme"],
            quarter=row["quarter"],
            amount=row["amount_rupiah"],
            stage=payment["stage"] if payment is not None else self.terms.quarter.stage,
            position=row["queue_position"],
            seats=row["seats"],
        )

    def referral(self, row: Row) -> Referred:
        rule = next(one for one in self.terms.policy.referrals if one.code == row["referral"])
        known = [fact.partition("=") for fact in row["facts"]]
        return Referred(
            code=rule.code,
            name=Words(rule.name.id, rule.name.en),
            reason=Words(row["reason_id"], row["reason_en"]),
            grounds=tuple((self._fact_label(fact), self._known(fact, int(value))) for fact, _, value in known),
            legal_source=Words(rule.source.title.id, rule.source.title.en),
            legal_url=rule.source.url,
        )

    def _known(self, fact: str, value: int) -> Words:
        if fact.startswith(("has_", "is_", "receives_")):
            return yes_or_no(value)
        return self._answer(fact, value) if fact in self.questionnaire.variables else quantity(value, "")

    def check(self, rule: Filter, rows: Sequence[Row], listed: Collection[str]) -> RuleCheck:
        row = next((one for one in rows if one["filter"] == rule.code), None)
        if row is None:
            message = f"decision/filters has no row of the rule {rule.code!r} for the family. Run the quarter again."
            raise Tampered(message)
        observed, threshold = row["observed"], row["threshold"]
        limit = words("answer.none") if threshold is None else _measured(threshold, rule.unit)
        note = {
            Outcome.FAIL: Words(rule.reason.id, rule.reason.en),
            Outcome.GROUND_CHECK: (
                Words(rule.reason.id, rule.reason.en) if rule.code in listed else words("unlisted.ground_check")
            ),
            Outcome.UNKNOWN: words(f"unknown.{self._when_unknown(rule, listed)}"),
            Outcome.PASS: None,
        }[Outcome(row["outcome"])]
        is_asked = rule.operator in {Operator.IS_TRUE, Operator.IS_FALSE}
        holds = words(f"operator.{rule.operator}", threshold="" if is_asked else limit)
        return RuleCheck(
            code=rule.code,
            label=self._fact_label(rule.fact),
            outcome=row["outcome"],
            observed=observed,
            observed_words=words("answer.none") if observed is None else _measured(observed, rule.unit),
            threshold=threshold,
            threshold_words=words("page.visit_only", holds=holds) if rule.effect is Effect.GROUND_CHECK else holds,
            unit=rule.unit,
            source=_who(row["source"]) or words(f"agency.{rule.agency}"),
            source_date=row["source_date"],
            programmes=tuple(programme.value for programme in rule.programmes),
            note=note,
            legal_source=Words(rule.source.title.id, rule.source.title.en),
            legal_url=rule.source.url,
        )

    def part(self, feature: FeatureTable, score: Row) -> ScorePart:
        value = self.family[feature.name]
        points: int | None = score[f"points_{feature.name}"] if score["scorable"] else None
        is_rolled_up = feature.name in self.questionnaire.rolled_up
        source = "members" if is_rolled_up and value is not None else self.provenance.get(f"{feature.name}_source")
        return ScorePart(
            feature=feature.name,
            label=self._question(feature.name),
            value=value,
            answer=self._answer(feature.name, value),
            source=_who(source),
            source_date=self.provenance.get(f"{feature.name}_date"),
            # Points are centred on the surveyed families: their sign says which way an answer moves the estimate.
            effect=None if points is None or not self.is_analyst else _effect(points),
            points_micro=points if self.is_analyst else None,
        )

    def weighed_most(self, score: Row) -> tuple[Words, ...]:
        """The answers farthest from the average family's, at most three, in the order of the questions."""
        if not score["scorable"]:
            return ()
        points = {feature.name: abs(score[f"points_{feature.name}"]) for feature in self.terms.scorecard.features}
        most = sorted((name for name in points if points[name]), key=lambda name: -points[name])[:_WEIGHED_MOST]
        return tuple(self._question(name) for name in points if name in most)

    def problem(self, problem: str) -> Words:
        """Words of a problem as scoring states it, `missing:floor_area_m2`."""
        fault, _, name = problem.partition(":")
        return words(f"problem.{fault}", question=self._question(name))

    def _when_unknown(self, rule: Filter, listed: Collection[str]) -> str:
        """What an unknown fact does; a visit is told only where one is on the worklist."""
        is_unlisted = rule.unknown is Unknown.GROUND_CHECK and f"{rule.code}{_UNKNOWN_SUFFIX}" not in listed
        return "unlisted" if is_unlisted else str(rule.unknown)

    def _question(self, name: str) -> Words:
        variable = self.questionnaire.variables.get(name)
        return Words(name, name) if variable is None else Words(variable.label.id, variable.label.en)

    def _answer(self, name: str, value: float | None) -> Words:
        variable = self.questionnaire.variables.get(name)
        if value is None:
            return words("answer.none")
        if variable is not None and variable.kind == "flag":
            return yes_or_no(value)
        if variable is not None and variable.codes is not None:
            label = variable.codes.get(int(value), str(value))
            return Words(label, label)
        return quantity(value, (variable.unit if variable is not None else None) or "")

    def _fact_label(self, fact: str) -> Words:
        return words(f"fact.{fact}") if f"fact.{fact}" in catalogue() else self._question(fact)


def _and_supervisor(sentence: Words, since: str | None) -> Words:
    """A sentence, and that its case is with the supervisor where it has stood too long."""
    if since is None:
        return sentence
    more = words("goes_on.supervisor", since=since)
    return Words(*(f"{sentence.of(lang)} {more.of(lang)}" for lang in LANGUAGES))


def _effect(points: int) -> str:
    return "neutral" if points == 0 else "raises" if points > 0 else "lowers"


def _paid(row: Row, payment: Row | None, rule: ProgrammeRule) -> tuple[PaidComponent, ...]:
    if payment is None or not rule.components:
        return ()
    amounts = {component.code: component.amount_rupiah for component in rule.components}
    paid = tuple(PaidComponent(code, named(f"component.{code}", code), amounts[code]) for code in payment["components"])
    # Who is kept without any component known is paid what it received before.
    added = row["amount_rupiah"] if row["is_kept"] and not paid else sum(one.amount_rupiah for one in paid)
    if {added, payment["amount_rupiah"]} != {row["amount_rupiah"]}:
        message = f"components add up to {added} rupiah, the decision says {row['amount_rupiah']}. Run it again."
        raise Tampered(message)
    return paid


def _measured(value: int, unit: str) -> Words:
    return yes_or_no(value) if unit == "boolean" else quantity(value, unit)


def _who(source: str | None) -> Words | None:
    if source is None:
        return None
    return named(f"source.{source}" if f"source.{source}" in catalogue() else f"agency.{source}", source)
