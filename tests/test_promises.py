"""What letters promise: every visit and check that they tell stands as a row, of all families of four quarters."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.decision.draft import read_draft
from pipelines.explaining import explained
from pipelines.home import Home
from quotas.rulebook import rulebook
from quotas.rules import Effect, Unknown
from reports.explanation import Explanation
from schemas.messages import Words, catalogue
from schemas.quarter import Quarter
from tests.homes import revision
from tests.made_year import YEAR

NOT_TOLD = "check_in_person_sampled"
UNLISTED = {"component_unconfirmed", "identity_unconfirmed_unknown", "no_consent_unknown"}
"""Reasons that promise a visit or a question, of families that another reason excludes told without it."""
BACKED_BY: Mapping[str, frozenset[str] | None] = {
    **{f"reason.{code}": frozenset({code}) for code in (
        *UNLISTED, "one_source", "not_registered", "survey_after_notice", "bps_answer_overtaken", "review_due",
        "review_requested", "check_in_person_sampled",
    )},
    "unknown.ground_check": None,
    "set_aside.pending": frozenset({"pending_statement"}),
    "next.not_scorable": frozenset({"not_scorable", "decile_unknown"}),
    "next.held_unconfirmed": frozenset({"component_unconfirmed"}),
    "goes_on.supervisor": None,
}  # fmt: skip
"""Sentences that say somebody will act, and which reasons on the worklist make one of them true; None: told apart."""
PROMISES_NOTHING = {
    "reason.authorised_check": "a review can be asked for: tests/standing/honest.yaml",
    "next.objection": "a review can be asked for: tests/standing/honest.yaml",
    "next.ineligible": "a review can be asked for: tests/standing/honest.yaml",
    "next.held": "the head comes to the village office: feed identity_checks",
    "set_aside.unlisted": "says that nobody visits",
    "unknown.unlisted": "says that nobody visits",
    "unlisted.ground_check": "says that nobody visits",
    "reason.answers_expire": "says what is to be renewed",
}
LAW = rulebook().on(Quarter.parse(YEAR[0]).first_day)
CHECKED_IN_THE_FIELD = {one.code for one in LAW.filters if one.effect is Effect.GROUND_CHECK}
"""Filters whose reason says that BPS will check; findings of confidential ones are told as a check alone."""
OFFICES = {"portal": "portal_perlinsos", "village office": "siks_ng", "field agent or the": "aplikasi_agen",
           "companion": "aplikasi_agen"}  # fmt: skip
"""Where letters send families, and who delivers what they bring."""
TAKEN_AS: Mapping[str, tuple[str, ...]] = {
    "next.not_scorable": ("registrations",),
    "next.held": ("identity_checks",),
    "next.held_unknown": ("registrations",),
    "next.objection": ("registrations", "members", "requests"),
    "next.recipient": ("members",),
    "reason.authorised_check": ("requests",),
    "reason.identity_unconfirmed_unknown": ("members",),
    "unlisted.identity_unconfirmed_unknown": ("members",),
}
_ACTS = re.compile(r"\b(will|visits?|BPS|supervisor|review|checks?|checked|examined)\b")
_LETTER_GROUPS = ("reason", "unlisted", "goes_on", "unknown", "set_aside", "next", "placing", "outcome", "status")


def test_every_sentence_of_a_letter_that_says_somebody_will_act_is_known_here() -> None:
    says = {
        code
        for code, message in catalogue().items()
        if code.split(".")[0] in _LETTER_GROUPS and _ACTS.search(message.en)
    }
    assert says - BACKED_BY.keys() - PROMISES_NOTHING.keys() == set()
    assert {one.code for one in LAW.filters if " will " in one.reason.en} <= CHECKED_IN_THE_FIELD


@pytest.mark.parametrize("code", [one for one in catalogue() if one.split(".")[0] in _LETTER_GROUPS])
def test_what_a_letter_asks_a_family_to_do_is_taken_there_today(code: str) -> None:
    said = catalogue()[code].en
    by_sender = {one.code: {str(feed) for feed in one.feeds} for one in LAW.senders}
    offices = {office for words, office in OFFICES.items() if words in said}
    assert bool(offices) == (code in TAKEN_AS), code
    for office in offices:
        assert set(TAKEN_AS[code]) <= by_sender[office], (code, office)


def table(home: Path, quarter: str, name: str) -> pl.DataFrame:
    return pl.read_parquet(revision(home, quarter, restricted=True) / f"{name}.parquet")


def promised(home: Path, quarter: str) -> pl.DataFrame:
    """`family_id, code, reason`: every sentence that promises something, by family, and a reason that backs it."""
    decided = table(home, quarter, "decisions")
    policy = rulebook().on(Home(home).house.days(Quarter.parse(quarter)).decision_date)
    confidential = {one.code for one in policy.filters if one.is_confidential}
    reasons = decided.explode("reasons").drop_nulls("reasons")
    on_list = (
        table(home, quarter, "worklist").select("family_id", "reason", programme="programmes").explode("programme")
    )
    # That one agency alone speaks against a family would name the check that is not told.
    tipped = reasons.filter(pl.col("reasons").is_in([*confidential])).select(
        "family_id", "programme", reason=pl.lit("one_source")
    )
    excluded = pl.col("status") == "ineligible"
    unlisted = reasons.filter(excluded, pl.col("reasons").is_in([*UNLISTED])).join(
        on_list,
        left_on=["family_id", "programme", "reasons"],
        right_on=["family_id", "programme", "reason"],
        how="anti",
    )
    told = reasons.filter(pl.format("reason.{}", "reasons").is_in([*BACKED_BY])).join(
        unlisted, on=["family_id", "programme", "reasons"], how="anti"
    )
    steps = (
        pl.when(pl.col("status") == "not_scorable").then(pl.lit("next.not_scorable"))
        .when((pl.col("status") == "held") & ~pl.col("reasons").list.contains("identity_case")
              & pl.col("reasons").list.contains("component_unconfirmed"))
        .then(pl.lit("next.held_unconfirmed"))
    )  # fmt: skip
    next_steps = decided.select("family_id", code=steps).drop_nulls().unique()
    goes = [rule.code for rule in policy.filters if rule.unknown is Unknown.GROUND_CHECK]
    unknown = table(home, quarter, "filters").filter(pl.col("filter").is_in(goes), outcome="unknown")
    visited = unknown.select("family_id", reason=pl.format("{}_unknown", "filter")).join(
        on_list.select("family_id", "reason").unique(), on=["family_id", "reason"], how="semi"
    )
    pending = read_draft(revision(home, quarter, restricted=True)).read(Home(home).house, "registry/pending")
    waits = pending.filter("is_listed", standing="pending").select("family_id").unique()
    return pl.concat(
        [
            told.select("family_id", code=pl.format("reason.{}", "reasons"), reason="reasons"),
            *(
                next_steps.filter(code=code).join(pl.DataFrame({"reason": [*sorted(backing)]}), how="cross")
                for code, backing in BACKED_BY.items()
                if backing is not None and code.startswith("next.")
            ),
            visited.select("family_id", code=pl.lit("unknown.ground_check"), reason="reason"),
            on_list.filter(pl.format("reason.{}", "reason").is_in([*BACKED_BY]), pl.col("reason") != NOT_TOLD)
            .join(tipped, on=["family_id", "programme", "reason"], how="anti")
            .select("family_id", code=pl.format("reason.{}", "reason"), reason="reason"),
            on_list.filter(pl.col("reason").is_in([*CHECKED_IN_THE_FIELD - confidential])).select(
                "family_id", code=pl.format("filter.{}", "reason"), reason="reason"
            ),
            waits.select("family_id", code=pl.lit("set_aside.pending"), reason=pl.lit("pending_statement")),
        ]
    ).unique()


@pytest.mark.slow
@pytest.mark.parametrize("quarter", YEAR)
def test_no_letter_promises_what_no_row_backs(year_home: Path, quarter: str) -> None:
    rows = table(year_home, quarter, "worklist").select("family_id", "reason", is_listed=pl.lit(value=True))
    said = promised(year_home, quarter).join(rows, on=["family_id", "reason"], how="left")
    backed = said.group_by("family_id", "code").agg(pl.col("is_listed").any())
    counts = backed.group_by("code").agg(pl.len(), broken=(~pl.col("is_listed").fill_null(value=False)).sum())
    print(f"\n{quarter}: promises made to families, and those that no row backs")  # noqa: T201
    for code, families, broken in counts.sort("code").iter_rows():
        print(f"  {families:6,} {broken:6,}  {code}")  # noqa: T201
    assert counts["len"].sum() > 100
    assert counts["broken"].sum() == 0


@pytest.mark.slow
@pytest.mark.parametrize("quarter", YEAR)
def test_every_ground_of_a_hold_of_no_score_and_of_a_ground_check_is_on_the_worklist(
    year_home: Path, quarter: str
) -> None:
    decided, listed = table(year_home, quarter, "decisions"), table(year_home, quarter, "worklist")
    on_list = listed.select("family_id", "reason", programme="programmes").explode("programme")
    open_grounds = decided.filter(pl.col("status").is_in(["held", "not_scorable"])).explode("reasons").filter(
        pl.col("reasons").is_in(["identity_case", "component_unconfirmed", "not_scorable", "decile_unknown"])
        | pl.col("reasons").str.ends_with("_unknown")
    )  # fmt: skip
    # Whose facts these are is settled first: nothing else is asked of a family with a case.
    checks = decided.filter(
        pl.col("status") != "ineligible",
        ~((pl.col("status") == "held") & pl.col("reasons").list.contains("identity_case")),
    ).explode("ground_checks")
    asked = pl.concat([
        open_grounds.select("family_id", "programme", reason="reasons"),
        checks.select("family_id", "programme", reason="ground_checks").drop_nulls(),
    ])  # fmt: skip
    assert asked.height > 100
    assert asked.join(on_list, on=["family_id", "programme", "reason"], how="anti").is_empty()
    statuses = decided.filter(pl.col("status").is_in(["held", "not_scorable"]))
    assert statuses.join(listed, on="family_id", how="anti").is_empty()


@pytest.mark.slow
@pytest.mark.parametrize("quarter", YEAR)
def test_a_case_is_with_the_supervisor_once_it_has_stood_as_long_as_policy_leaves_it_to_bps(
    year_home: Path, quarter: str
) -> None:
    rule = rulebook().on(Home(year_home).house.days(Quarter.parse(quarter)).decision_date).registry
    decided, listed = table(year_home, quarter, "decisions"), table(year_home, quarter, "worklist")
    before = table(year_home, quarter, "transitions").filter(from_status="recipient").select("family_id").unique()
    at = YEAR.index(quarter)
    stood = pl.col("since").replace_strict({name: at - number for number, name in enumerate(YEAR)}, default=9)
    sitting = pl.concat([before, decided.filter(status="recipient").select("family_id")]).unique()
    held = decided.filter(status="held").select("family_id").unique()
    marked = listed.with_columns(
        due=(pl.col("family_id").is_in(sitting["family_id"].implode()) & (stood >= rule.kept_quarters))
        | (pl.col("family_id").is_in(held["family_id"].implode()) & (stood >= rule.hold_quarters))
    )
    # A programme that a case does not concern makes nobody sit for it.
    assert marked.filter(~pl.col("due"), goes_to="supervisor").is_empty()
    assert marked.filter("due", "is_recipient", goes_to="bps").is_empty()
    assert set(listed["goes_to"]) <= {"bps", "supervisor"}
    if at >= max(rule.kept_quarters, rule.hold_quarters):
        assert "supervisor" in set(listed["goes_to"])


@pytest.mark.slow
@pytest.mark.parametrize("quarter", YEAR)
def test_every_recipient_is_paid_and_every_place_in_the_queue_is_on_the_public_list(
    year_home: Path, quarter: str
) -> None:
    decided = table(year_home, quarter, "decisions")
    key = ["family_id", "programme", "amount_rupiah"]
    receives, paid = decided.filter(status="recipient").select(key), table(year_home, quarter, "payments").select(key)
    assert receives.height == paid.height
    assert receives.join(paid, on=key, how="anti").is_empty()
    queue = decided.filter(status="waiting").select(reference="list_reference", queue_position="queue_position")
    public = pl.read_parquet(revision(year_home, quarter) / "waiting_list.parquet").select(queue.columns)
    assert queue.sort("reference").equals(public.sort("reference"))


def sentences(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever an explanation holds
    """Every English sentence of an explanation."""
    if isinstance(value, Words):
        yield value.en
    elif isinstance(value, tuple):
        for one in value:
            yield from sentences(one)
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from sentences(getattr(value, one.name))


def codes_in(letter: Explanation) -> set[str]:
    """The promising sentences that stand in a letter."""
    text = "\n".join(sentences(letter))
    found = set()
    said = {code: catalogue()[code].en for code in BACKED_BY}
    said |= {f"filter.{one.code}": one.reason.en for one in LAW.filters if one.code in CHECKED_IN_THE_FIELD}
    for code, sentence in said.items():
        pattern = "[^\n]+".join(re.escape(part) for part in re.split(r"\{\w+\}", sentence))
        if re.search(pattern, text):
            found.add(code)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("quarter", YEAR)
def test_letters_say_what_the_tables_say_and_promise_no_more_than_the_worklist_holds(
    year_home: Path, quarter: str
) -> None:
    house = Home(year_home).house
    source = read_draft(revision(year_home, quarter, restricted=True))
    decided, listed = table(year_home, quarter, "decisions"), table(year_home, quarter, "worklist")
    said = promised(year_home, quarter)
    strata = decided.group_by("status", "reasons").agg(pl.col("family_id").min())["family_id"]
    rare = said.group_by("code").agg(pl.col("family_id").sort().head(3)).explode("family_id")["family_id"]
    overdue = listed.filter(goes_to="supervisor").group_by("reason").agg(pl.col("family_id").min())["family_id"]
    sample = pl.concat([strata, rare, overdue]).unique().sort()[:150]
    for family in sample:
        mine = listed.filter(family_id=family)
        on_list = set(mine["reason"])
        letter = explained(house, source, family, "family")
        found = codes_in(letter)
        for code in found - {"unknown.ground_check", "goes_on.supervisor"}:
            assert (BACKED_BY.get(code) or {code.removeprefix("filter.")}) & on_list, code
        expected = set(said.filter(family_id=family)["code"])
        assert expected <= found
        assert ("unknown.ground_check" in found) == ("unknown.ground_check" in expected)
        assert f"reason.{NOT_TOLD}" not in found
        overdue_now = mine.filter(pl.col("reason") != NOT_TOLD, goes_to="supervisor")
        assert ("goes_on.supervisor" in found) == (overdue_now.height > 0)
