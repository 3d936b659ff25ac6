"""Places out of the order of the poor: what policy may keep for groups or for who sits, what it does, what it costs."""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.decision.decide import decide
from assets.decision.families import Terms
from assets.decision.judge import eligibility, judge
from assets.decision.ranking import ORDER, RESERVED, SITTING, rank, statuses
from quotas.overlay import Overlay
from quotas.rulebook import rulebook
from schemas.errors import PolicyError
from tests.made_families import (
    ADULT,
    CHILD,
    ELDER,
    HERE,
    MICRO_PER_METRE,
    THERE,
    Made,
    Person,
    families,
    seats,
    sitting,
    terms,
)

OPEN: dict[str, object] = {"filters": [], "programmes.PKH": None, "programmes.BPNT.max_decile": None}
TOLD = {"id": "Tempat ini disediakan.", "en": "These places are kept."}
DISABLED = Person(disability=1)
OLD_AND_DISABLED = Person(date(1950, 3, 1), disability=1)
KINDS = ((ADULT, CHILD), (ELDER,), (ADULT, DISABLED), (OLD_AND_DISABLED,))
GROUPS = {"elderly_alone": (KINDS[1], KINDS[3]), "severe_disability_count": (KINDS[2], KINDS[3])}
MARGINS = (0, 1500, 3000)
SHARES = (None, 0.25, 0.29, 0.5)


def under(margin: int = 0, **shares: float | None) -> Terms:
    kept = [{"fact": fact, "share": share, "reason": TOLD} for fact, share in shares.items() if share]
    return terms({**OPEN, "ranking.reserved_places": kept, "ranking.sitting_margin_micro": margin})


TERMS = {
    (margin, first, second): under(margin, elderly_alone=first, severe_disability_count=second)
    for margin in MARGINS
    for first in SHARES
    for second in SHARES
}
Rule = tuple[int, float | None, float | None]
PLAIN = TERMS[0, None, None]


@dataclass(frozen=True)
class World:
    """Families in two regencies, places of both, who sits, and the rules."""

    made: tuple[Made, ...]
    free: dict[str, int]
    sits: frozenset[str]
    terms: Terms = field(repr=False)

    def decided(self, on: Terms | None = None) -> pl.DataFrame:
        return decide(
            families(*self.made),
            on or self.terms,
            seats({area: (0, count) for area, count in self.free.items()}),
            sitting(*((name, "BPNT") for name in sorted(self.sits))),
        )


def world_of(rows: list[tuple[int, tuple[Person, ...], str, bool]], free: tuple[int, int], rule: Rule) -> World:
    made = tuple(Made(f"f{at}", metres, people, area) for at, (metres, people, area, _) in enumerate(rows))
    sits = frozenset(f"f{at}" for at, row in enumerate(rows) if row[3])
    return World(made, dict(zip((HERE, THERE), free, strict=True)), sits, TERMS[rule])


ROW = st.tuples(
    st.integers(1, 8), st.sampled_from(KINDS), st.sampled_from([HERE, HERE, THERE]),
    st.booleans(),
)  # fmt: skip
WORLDS = st.builds(
    world_of, st.lists(ROW, max_size=12), st.tuples(st.integers(0, 8), st.integers(0, 8)), st.sampled_from(list(TERMS))
)


def placed_slowly(world: World, area: str) -> tuple[dict[str, str | None], list[str]]:
    """Who takes which place, by the rules as one would read them aloud, and who waits in which order."""
    ranks = world.decided(PLAIN).filter(regency_code=area).sort("rank")["family_id"].to_list()
    by_name = {one.name: one for one in world.made}
    rules, free = world.terms.policy.ranking, world.free[area]
    places: dict[str, str | None] = {}
    for one in rules.reserved_places:
        group = [name for name in ranks if by_name[name].members in GROUPS[one.fact]]
        missing = int(free * Fraction(str(one.share))) - len([name for name in group if name in places])
        for name in [name for name in group if name not in places][: max(missing, 0)]:
            places[name] = one.fact
    advantage = {name: rules.sitting_margin_micro * (name in world.sits) for name in ranks}
    rest = [name for name in ranks if name not in places]
    rest.sort(key=lambda name: ((by_name[name].metres or 0) * MICRO_PER_METRE - advantage[name], ranks.index(name)))
    open_places = free - len(places)
    return places | dict.fromkeys(rest[:open_places]), rest[open_places:]


@settings(max_examples=40)
@given(WORLDS)
def test_placing_equals_the_rules_read_aloud(world: World) -> None:
    decided = world.decided()
    for area in (HERE, THERE):
        places, queue = placed_slowly(world, area)
        mine = decided.filter(regency_code=area)
        assert set(mine.filter(status="recipient")["family_id"]) == places.keys()
        assert mine.filter(status="waiting").sort("queue_position")["family_id"].to_list() == queue
        assert mine.filter(status="waiting")["queue_position"].sort().to_list() == list(range(1, len(queue) + 1))
        assert len(places) <= world.free[area]
        assert len(places) == world.free[area] or not queue
        for name, rule in (
            mine.filter(pl.col("placed_by").str.starts_with(RESERVED)).select("family_id", "placed_by").iter_rows()
        ):
            assert rule == f"{RESERVED}{places[name]}"


@settings(max_examples=50)
@given(WORLDS)
def test_no_waiting_family_scores_poorer_than_a_recipient_without_a_stated_rule(world: World) -> None:
    rules = world.terms.policy.ranking
    known = {ORDER, *(f"{RESERVED}{one.fact}" for one in rules.reserved_places)}
    known |= {SITTING} if rules.sitting_margin_micro else set()
    for rows in world.decided().partition_by("regency_code"):
        receiving, queue = rows.filter(status="recipient"), rows.filter(status="waiting")
        assert set(receiving["placed_by"]) <= known
        assert queue["placed_by"].null_count() == queue.height
        poorest = 99 if queue.is_empty() else queue["rank"].min()
        assert receiving.filter(placed_by=ORDER).filter(pl.col("rank") > poorest).is_empty()
        assert receiving.filter(pl.col("placed_by") != ORDER).filter(pl.col("rank") < poorest).is_empty()
        for one in receiving.filter(placed_by=SITTING).iter_rows(named=True):
            assert one["family_id"] in world.sits
            poorer = queue.filter(pl.col("rank") < one["rank"])["score_micro"]
            assert all(
                one["score_micro"] - score < rules.sitting_margin_micro or score == one["score_micro"]
                for score in poorer
            )


@settings(max_examples=50)
@given(WORLDS)
def test_recipients_stand_below_their_cut_off_and_who_waits_above_it(world: World) -> None:
    decided = world.decided()
    assert (decided.filter(status="recipient")["cutoff_distance_micro"] <= 0).all()
    assert (decided.filter(status="waiting")["cutoff_distance_micro"].drop_nulls() >= 0).all()


@settings(max_examples=30)
@given(WORLDS, st.data())
def test_a_family_that_waits_and_became_poorer_by_more_than_its_distance_would_receive(
    world: World, data: st.DataObject
) -> None:
    queue = world.decided().filter(status="waiting").drop_nulls("cutoff_distance_micro").sort("family_id")
    queue = queue.filter(pl.col("score_micro") - pl.col("cutoff_distance_micro") > MICRO_PER_METRE)
    if queue.is_empty():
        return
    one = data.draw(st.sampled_from(queue.rows(named=True)))
    metres = -(-(one["score_micro"] - one["cutoff_distance_micro"]) // MICRO_PER_METRE) - 1
    poorer = tuple(
        Made(f.name, metres if f.name == one["family_id"] else f.metres, f.members, f.regency) for f in world.made
    )
    after = World(poorer, world.free, world.sits, world.terms).decided()
    assert after.filter(family_id=one["family_id"])["status"].item() == "recipient"


@settings(max_examples=30)
@given(WORLDS)
def test_with_neither_rule_places_go_by_rank_alone(world: World) -> None:
    decided = world.decided(terms(OPEN)).filter(pl.col("rank").is_not_null())
    inside = pl.col("rank") <= pl.col("seats")
    last = pl.col("score_micro").filter(inside).max().over("regency_code")
    expected = decided.with_columns(
        status=pl.when(inside).then(pl.lit("recipient")).otherwise(pl.lit("waiting")),
        queue_position=pl.when(~inside).then(pl.col("rank") - pl.col("seats")),
        placed_by=pl.when(inside).then(pl.lit(ORDER)),
        cutoff_distance_micro=pl.col("score_micro") - last,
    )
    assert decided.equals(expected)


@settings(max_examples=30)
@given(WORLDS, st.sampled_from([HERE, THERE]))
def test_with_a_margin_one_more_place_still_promotes_exactly_the_first_in_the_queue(world: World, area: str) -> None:
    margin_only = TERMS[1500, None, None]
    more = World(world.made, {**world.free, area: world.free[area] + 1}, world.sits, margin_only)
    before = world.decided(margin_only)
    promoted = set(more.decided().filter(status="recipient")["family_id"]) - set(
        before.filter(status="recipient")["family_id"]
    )
    assert promoted == set(before.filter(regency_code=area, queue_position=1)["family_id"])


@settings(max_examples=60)
@given(WORLDS)
def test_a_waiting_family_is_told_of_a_rule_exactly_where_it_would_have_a_place_without_the_rules(world: World) -> None:
    decided = world.decided().sort("family_id")
    rules = world.terms.policy.ranking
    receives = {
        without: set(world.decided(TERMS[margin, None, None]).filter(status="recipient")["family_id"])
        for without, margin in (("places", rules.sitting_margin_micro), ("both", 0))
    }
    for row in decided.filter(status="waiting").iter_rows(named=True):
        would_receive = {without for without, names in receives.items() if row["family_id"] in names}
        assert (row["displaced_by"] is not None) == bool(would_receive)
        told = set(row["displaced_by"] or ())
        inside = set(decided.filter(regency_code=row["regency_code"], status="recipient")["family_id"])
        moved_in = {one.members for one in world.made if one.name in inside - receives["places"]}
        if told:
            assert (SITTING in told) == (would_receive == {"both"})
            named = {one.fact for one in rules.reserved_places if moved_in & {*GROUPS[one.fact]}}
            assert told - {SITTING} == {f"{RESERVED}{fact}" for fact in named}
    assert decided.filter(status="recipient")["displaced_by"].null_count() == decided.filter(status="recipient").height


@settings(max_examples=60)
@given(WORLDS)
def test_a_group_has_its_share_of_the_places_and_nobody_is_moved_who_need_not_be(world: World) -> None:
    """One group, no margin: exactly as many families are moved in as the order leaves below the floor."""
    only = TERMS[0, 0.5, None]
    decided = world.decided(only)
    by_order = set(world.decided(PLAIN).filter(status="recipient")["family_id"])
    group = {one.name for one in world.made if one.members in GROUPS["elderly_alone"]}
    for area in (HERE, THERE):
        mine = decided.filter(regency_code=area)
        inside = set(mine.filter(status="recipient")["family_id"])
        everybody = set(mine.filter(pl.col("rank").is_not_null())["family_id"])
        floor = min(world.free[area] // 2, len(group & everybody))
        before = len(by_order & group & everybody)
        assert len(inside & group) == max(floor, before)
        assert len(inside - by_order) == max(floor - before, 0)


@settings(max_examples=60)
@given(WORLDS, st.sets(st.integers(0, 11)))
def test_statuses_alone_are_those_that_ranking_gives_with_reserved_places(world: World, kept: set[int]) -> None:
    terms_of_world = world.terms
    made = families(*world.made)
    who = sitting(*((name, "BPNT") for name in sorted(world.sits)))
    eligible = eligibility(judge(made, terms_of_world), terms_of_world, who)
    eligible = eligible.with_columns(is_kept=pl.Series([at in kept for at in range(eligible.height)], dtype=pl.Boolean))
    free = seats({area: (0, count) for area, count in world.free.items()})
    rows = pl.Series(range(eligible.height), dtype=pl.UInt32)
    told = rank(eligible, free, terms_of_world)
    assert statuses(eligible, rows, free, terms_of_world).to_list() == told["status"].to_list()
    filled = told.filter(status="recipient").group_by("regency_code").len()
    assert all(count <= world.free[area] for area, count in filled.iter_rows())


def test_a_share_is_exact_where_binary_fractions_are_not() -> None:
    made = [Made(f"old{at:02}", 200 + at, (ELDER,)) for at in range(40)] + [
        Made(f"poor{at:03}", 1 + at) for at in range(100)
    ]
    decided = World(tuple(made), {HERE: 100, THERE: 0}, frozenset(), under(elderly_alone=0.29)).decided()
    assert decided.filter(placed_by=f"{RESERVED}elderly_alone").height == 29


@pytest.mark.parametrize(
    ("kept", "fault"),
    [
        ([{"fact": "elderly_alone", "share": 5, "reason": TOLD}], "no ratio between 0 and 1"),
        ([{"fact": "elderly_alone", "share": 0, "reason": TOLD}], "greater than 0"),
        ([{"fact": "is_rich", "share": 0.1, "reason": TOLD}], "elderly_alone"),
        ([{"fact": "elderly_alone", "share": 0.1}], "reason"),
        ([{"fact": "elderly_alone", "share": 0.1, "reason": TOLD}] * 2, "names a fact twice"),
        (
            [
                {"fact": "elderly_alone", "share": 0.6, "reason": TOLD},
                {"fact": "dependant_count", "share": 0.41, "reason": TOLD},
            ],
            "more than 1",
        ),
    ],
)
def test_reserved_places_are_read_strictly(kept: list[object], fault: str) -> None:
    with pytest.raises(PolicyError, match=fault):
        rulebook(Overlay.of("test", "Made for a test", {"ranking.reserved_places": kept}))


def test_a_negative_margin_is_refused() -> None:
    with pytest.raises(PolicyError, match="sitting_margin_micro"):
        rulebook(Overlay.of("test", "Made for a test", {"ranking.sitting_margin_micro": -1}))
