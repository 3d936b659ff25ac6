"""Money: what a stage costs by regency and in the nation, whom rules displace, and what of it the public is shown."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.checks import budget_off_payments
from assets.decision.decide import decide
from assets.decision.families import Terms
from assets.decision.results import budget, displaced
from assets.publication.lists import budget as public_budget
from quotas.rulebook import rulebook
from schemas.tables import TABLES
from schemas.vocabularies import Programme
from tests.made_families import (
    ADULT,
    CHILD,
    ELDER,
    HERE,
    NOBODY,
    PUPIL,
    THERE,
    Made,
    column_of,
    families,
    seats,
    sitting,
    terms,
)

MADE = (
    Made("child", 1),
    Made("pupil", 2, (ADULT, PUPIL)),
    Made("old", 3, (ELDER,)),
    Made("there", 4, (ADULT, PUPIL, CHILD), THERE),
    Made("waits", 5),
)
PLACES = {HERE: (3, 2), THERE: (4, 0)}
CHILD_RUPIAH, PUPIL_RUPIAH, OLD_RUPIAH, FLAT = 750_000, 225_000, 600_000, 600_000


def decided(on: Terms, made: tuple[Made, ...] = MADE, places: dict[str, tuple[int, int]] = PLACES) -> pl.DataFrame:
    return decide(families(*made), on, seats(places), NOBODY)


def costs(on: Terms | None = None) -> pl.DataFrame:
    rules = on or terms()
    return TABLES["decision/budget"].fit(budget(decided(rules).lazy(), seats(PLACES), rules))


def row(region: str, programme: str, on: Terms | None = None) -> dict[str, object]:
    return costs(on).filter(region_code=region, programme=programme).row(0, named=True)


def test_the_budget_adds_up_what_is_due_and_reckons_what_all_places_would_cost() -> None:
    here = CHILD_RUPIAH + PUPIL_RUPIAH + OLD_RUPIAH
    told = row(HERE, "PKH")
    assert (told["families"], told["amount_rupiah"], told["mean_rupiah"]) == (3, here, here // 3)
    assert (told["seats"], told["full_rupiah"], told["stage"], told["quarter"]) == (3, here, 1, "2026Q1")
    assert row("all", "PKH")["full_rupiah"] == (here + PUPIL_RUPIAH + CHILD_RUPIAH) * 7 // 4
    there = row(THERE, "PKH")
    assert (there["families"], there["seats"]) == (1, 4)
    assert there["full_rupiah"] == 4 * (PUPIL_RUPIAH + CHILD_RUPIAH)
    nation = row("all", "PKH")
    assert (nation["families"], nation["seats"]) == (4, 7)
    assert nation["amount_rupiah"] == here + PUPIL_RUPIAH + CHILD_RUPIAH


def test_a_flat_amount_prices_places_that_pay_nobody_and_an_average_does_not() -> None:
    nobody = seats({HERE: (2, 2)})
    told = budget(decided(terms(), places={}).lazy(), nobody, terms())
    full = {one["programme"]: one["full_rupiah"] for one in told.filter(level="regency").iter_rows(named=True)}
    assert full == {"PKH": None, "BPNT": 2 * FLAT}


def test_places_of_smaller_areas_count_in_their_regency() -> None:
    on = terms({"quotas.area": "district_code"})
    places = {f"{HERE}.01": (2, 0), f"{HERE}.02": (1, 0)}
    told = budget(decided(on, places=places).lazy(), seats(places), on).filter(region_code=HERE, programme="PKH")
    assert told.select("families", "seats").row(0) == (2, 3)


def test_only_the_nation_has_a_ceiling_a_fourth_of_the_years() -> None:
    on = terms({"budget.national_ceiling.PKH": 40_000_001})
    assert row(HERE, "PKH", on)["ceiling_rupiah"] is None
    nation = row("all", "PKH", on)
    assert nation["ceiling_rupiah"] == 10_000_000
    assert nation["ceiling_share_micro"] == 255_000
    unset = row("all", "PKH", terms({"budget.national_ceiling.PKH": None}))
    assert (unset["ceiling_rupiah"], unset["ceiling_share_micro"]) == (None, None)


def test_the_share_of_the_ceiling_is_exact_for_a_whole_nation() -> None:
    many = decided(terms()).filter(programme="BPNT", status="recipient").with_columns(amount_rupiah=10_950_000_000_000)
    told = budget(many.head(1).lazy(), seats(PLACES), terms()).filter(region_code="all", programme="BPNT")
    assert told["ceiling_share_micro"].item() == 1_000_000


def test_the_ceilings_of_2026_are_those_reported_and_other_years_have_none() -> None:
    reported = {Programme.PKH: 28_700_000_000_000, Programme.BPNT: 43_800_000_000_000}
    assert dict(rulebook().on(date(2026, 12, 31)).budget.national_ceiling) == reported
    for day in (date(2025, 12, 31), date(2027, 1, 1)):
        assert set(rulebook().on(day).budget.national_ceiling.values()) == {None}


def payments() -> pl.DataFrame:
    return decided(terms()).filter(status="recipient")


def test_the_budget_is_the_sum_of_the_payments() -> None:
    assert budget_off_payments(payments().lazy(), costs().lazy()) == 0
    assert budget_off_payments(payments().clear().lazy(), costs().clear().lazy()) == 0


@pytest.mark.parametrize(
    "paid",
    [
        payments().with_columns(amount_rupiah=pl.col("amount_rupiah") + (pl.col("family_id") == "old").cast(pl.Int64)),
        payments().filter(pl.col("family_id") != "there"),
        payments().with_columns(regency_code=pl.lit("35.99")),
        pl.concat([payments(), payments().head(1)]),
        payments().clear(),
    ],
)
def test_payments_that_are_not_the_budgets_are_found(paid: pl.DataFrame) -> None:
    assert budget_off_payments(paid.lazy(), costs().lazy()) > 0


def cost(region: str, count: int) -> tuple[str, str, int, int]:
    return ("nation" if region == "all" else "regency", region, count, count * 100)


def shown(*counts: int) -> dict[str, int | None]:
    """Public amounts of regencies 35.01, 35.02, … in which so many families are paid 100 rupiah each."""
    rows = [cost("all", sum(counts)), *(cost(f"35.{at:02}", count) for at, count in enumerate(counts, start=1))]
    schema = ["level", "region_code", "families", "amount_rupiah"]
    made = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        programme=pl.lit("PKH"), mean_rupiah=100, full_rupiah=100, ceiling_share_micro=1
    )
    return dict(public_budget(made).sort("region_code").select("region_code", "amount_rupiah").iter_rows())


def test_what_fewer_than_five_families_are_paid_is_not_shown_nor_given_away_by_the_total() -> None:
    assert shown(9, 5, 0) == {"35.01": 900, "35.02": 500, "35.03": 0, "all": 1400}
    assert shown(9, 4, 2) == {"35.01": 900, "35.02": None, "35.03": None, "all": 1500}
    assert shown(9, 4, 7, 0) == {"35.01": 900, "35.02": None, "35.03": None, "35.04": 0, "all": 2000}
    assert shown(4, 0) == {"35.01": None, "35.02": 0, "all": None}


@settings(max_examples=60)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_no_amount_of_few_families_can_be_had_by_subtraction(counts: list[int]) -> None:
    told = shown(*counts)
    hidden = [count for at, count in enumerate(counts, start=1) if told[f"35.{at:02}"] is None]
    assert all(told[f"35.{at:02}"] is None for at, count in enumerate(counts, start=1) if 0 < count < 5)
    assert told["all"] is None or len(hidden) != 1


def test_by_default_nobody_is_displaced() -> None:
    assert displaced(decided(terms()).lazy(), "regency_code").is_empty()


def test_each_rule_tells_how_many_it_placed_and_how_much_poorer_those_are_who_wait() -> None:
    reason = {"id": "Tempat ini disediakan.", "en": "These places are kept."}
    kept = [{"fact": "elderly_alone", "share": 0.25, "reason": reason}]
    on = terms({"ranking.reserved_places": kept, "ranking.sitting_margin_micro": 30_001, "filters": []})
    made = [Made(f"f{metres}", metres) for metres in (10, 20, 30, 40)]
    made += [Made("sits", 60), Made("old", 70, (ELDER,))]
    rows = decide(families(*made), on, seats({HERE: (4, 0)}), sitting(("sits", "PKH")))
    told = displaced(rows.lazy(), "regency_code")
    assert told.select("placed_by", "families").rows() == [("reserved_elderly_alone", 1), ("sitting", 1)]
    assert told["placed_score_micro"].to_list() == [70_000, 60_000]
    assert told["displaced_score_micro"].to_list() == [35_000, 35_000]
    assert told["poorer_micro"].to_list() == [35_000, 25_000]
    TABLES["decision/displaced"].schema.validate(TABLES["decision/displaced"].fit(told))


def test_a_floor_s_cost_is_told_where_kept_families_hold_places_too() -> None:
    reason = {"id": "Tempat ini disediakan.", "en": "These places are kept."}
    kept = [{"fact": "elderly_alone", "share": 0.25, "reason": reason}]
    on = terms({"ranking.reserved_places": kept, "filters": []})
    made = [Made("kept", None), *(Made(f"f{metres}", metres) for metres in (10, 20, 30, 40)), Made("old", 35, (ELDER,))]
    receiving = sitting(("kept", "PKH")).with_columns(score_micro=pl.lit(90_000, pl.Int64))
    rows = decide(families(*made), on, seats({HERE: (4, 0)}), receiving)
    assert column_of(rows, "rank")["old"] == 4
    assert column_of(rows, "displaced_by")["f30"] == ["reserved_elderly_alone"]
    told = displaced(rows.lazy(), "regency_code").filter(placed_by="reserved_elderly_alone")
    assert told.select("families", "placed_score_micro", "displaced_score_micro").row(0) == (1, 35_000, 30_000)
