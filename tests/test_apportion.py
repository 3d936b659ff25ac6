"""Places from weights by both methods: textbook and real cases, properties, an independent library, the seat table."""

import csv
import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import polars as pl
import pytest
from apportionment.methods import TiesException, compute
from hypothesis import given
from hypothesis import strategies as st

from quotas.apportion import Method, apportion
from quotas.seats import seat_table
from schemas.errors import Refused
from schemas.vocabularies import Programme

ALABAMA = dict(zip("abcdef", (1500, 1500, 900, 500, 500, 200), strict=True))

POPULATION_1880 = {
    "Alabama": 1_262_505, "Arkansas": 802_525, "California": 864_694, "Colorado": 194_327, "Connecticut": 622_700,
    "Delaware": 146_608, "Florida": 269_493, "Georgia": 1_542_180, "Illinois": 3_077_871, "Indiana": 1_978_301,
    "Iowa": 1_624_615, "Kansas": 996_096, "Kentucky": 1_648_690, "Louisiana": 939_946, "Maine": 648_936,
    "Maryland": 934_943, "Massachusetts": 1_783_085, "Michigan": 1_636_937, "Minnesota": 780_773,
    "Mississippi": 1_131_597, "Missouri": 2_168_380, "Nebraska": 452_402, "Nevada": 62_266, "New Hampshire": 346_991,
    "New Jersey": 1_131_116, "New York": 5_082_871, "North Carolina": 1_399_750, "Ohio": 3_198_062, "Oregon": 174_768,
    "Pennsylvania": 4_282_891, "Rhode Island": 276_531, "South Carolina": 995_577, "Tennessee": 1_542_359,
    "Texas": 1_591_749, "Vermont": 332_286, "Virginia": 1_512_565, "West Virginia": 618_457, "Wisconsin": 1_315_497,
}  # fmt: skip

weights_of_areas = st.dictionaries(
    st.text("0123456789.", min_size=1, max_size=5), st.integers(0, 10**7), min_size=1, max_size=30
).filter(lambda weights: any(weights.values()))


@pytest.fixture(scope="session")
def poor(test_data: Path) -> dict[str, int]:
    """Poor people of March 2025 by Kemendagri code."""
    with (test_data / "poverty" / "regency_reference_2025.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row["kode_kemendagri"]: int(Decimal(row["penduduk_miskin_ribu_2025"]) * 1000) for row in rows}


@pytest.mark.parametrize(("places", "seats"), [(25, [7, 7, 4, 3, 3, 1]), (26, [8, 8, 5, 2, 2, 1])])
def test_one_place_more_takes_a_place_from_two_as_in_alabama(places: int, seats: list[int]) -> None:
    result = apportion(places, ALABAMA)
    assert list(result.seats.values()) == seats
    assert result.ties == (("d", "e"), ("a", "b")) if places == 25 else (("a", "b"), ("d", "e"))
    assert result.contested == ()


@pytest.mark.parametrize(
    ("weights", "places", "remainders", "quotients"),
    [
        # Balinski and Young (1982): the methods part on one example of five states and 26 seats.
        ((9_061, 7_179, 5_259, 3_319, 1_182), 26, (9, 7, 5, 4, 1), (9, 8, 5, 3, 1)),
        ((53_000, 24_000, 23_000), 7, (4, 2, 1), (3, 2, 2)),
        ((47_000, 16_000, 15_900, 12_000, 6_000, 3_100), 10, (5, 2, 1, 1, 1, 0), (4, 2, 2, 1, 1, 0)),
    ],
)
def test_both_methods_give_the_places_of_textbooks(
    weights: tuple[int, ...], places: int, remainders: tuple[int, ...], quotients: tuple[int, ...]
) -> None:
    named = dict(zip("abcdef", weights, strict=False))
    for method, seats in zip(Method, (remainders, quotients), strict=True):
        assert tuple(apportion(places, named, method).seats.values()) == seats


def test_alabama_lost_its_eighth_seat_of_1880_as_the_house_grew_from_299_to_300() -> None:
    """Census of 1880, 38 states. One seat was Nevada's by the constitution; the others went by remainder."""
    by_remainder = {}
    for places in (299, 300):
        result = apportion(places, POPULATION_1880)
        whole = sum(share.numerator // share.denominator for share in result.exact_share.values())
        queue = sorted(POPULATION_1880, key=lambda state: -result.remainder[state])
        by_remainder[places] = queue[: places - whole - 1]
    assert sum(POPULATION_1880.values()) == 49_371_340
    assert set(by_remainder[299]) & {"Alabama", "Illinois", "Texas"} == {"Alabama"}
    assert set(by_remainder[300]) & {"Alabama", "Illinois", "Texas"} == {"Illinois", "Texas"}


def test_ten_million_places_over_the_poor_of_2025_give_banyuwangi_41975(poor: dict[str, int]) -> None:
    result = apportion(10_000_000, poor)
    assert len(poor) == 514
    assert sum(result.seats.values()) == 10_000_000
    assert result.seats["35.10"] == 41_975
    assert round(result.exact_share["35.10"], 3) == Fraction(41_974_587, 1000)
    assert result.got_remainder_seat["35.10"]
    assert len(result.ties) == 14
    assert sum(len(group) for group in result.ties) == 28


def test_ten_million_places_over_514_regencies_take_milliseconds() -> None:
    dice = random.Random(514)  # noqa: S311
    weights = {f"{number:04}": dice.randrange(1, 500_000) for number in range(514)}
    begun = perf_counter()
    apportion(10_000_000, weights)
    assert perf_counter() - begun < 0.5


def test_the_last_place_among_equals_goes_to_the_larger_weight_then_the_smaller_code() -> None:
    equal = apportion(1, {"b": 1, "a": 1, "c": 1})
    assert equal.seats == {"a": 1, "b": 0, "c": 0}
    assert equal.ties == equal.contested == (("a", "b", "c"),)
    # Shares 2.5 and 0.5 of 3 places: the same remainder, the larger weight first although its code is larger.
    larger = apportion(3, {"a": 1, "b": 5})
    assert larger.seats == {"a": 0, "b": 3}
    assert larger.contested == (("b", "a"),)


def test_a_tie_over_hundreds_of_areas_goes_by_code() -> None:
    result = apportion(250, {f"{number:03}": 7 for number in range(500)})
    assert [code for code, n in result.seats.items() if n] == [f"{number:03}" for number in range(250)]
    assert [len(group) for group in result.contested] == [500]


def test_places_above_a_cap_go_to_the_others_by_their_weights() -> None:
    result = apportion(10, {"a": 50, "b": 30, "c": 20}, caps={"a": 2})
    # 5, 3, 2 without the cap; the 3 places of a are shared out 30 to 20: 1.8 and 1.2.
    assert result.seats == {"a": 2, "b": 5, "c": 3}
    assert result.exact_share == {"a": 5, "b": 3, "c": 2}
    assert result.unused == 0


def test_caps_are_filled_again_and_again_until_none_is_above() -> None:
    result = apportion(100, {"a": 60, "b": 30, "c": 9, "d": 1}, caps={"a": 10, "b": 40, "c": 30})
    assert result.seats == {"a": 10, "b": 40, "c": 30, "d": 20}
    assert result.unused == 0


def test_more_places_than_all_caps_leave_the_rest_unused() -> None:
    result = apportion(100, {"a": 3, "b": 1}, caps={"a": 10, "b": 5})
    assert result.seats == {"a": 10, "b": 5}
    assert result.unused == 85


def test_places_are_not_handed_to_an_area_without_weight() -> None:
    result = apportion(10, {"a": 1, "b": 0}, caps={"a": 4})
    assert result.seats == {"a": 4, "b": 0}
    assert result.unused == 6


def test_no_places_give_nobody_a_place_whatever_the_weights() -> None:
    for weights in ({"a": 0}, {"a": 3, "b": 1}):
        result = apportion(0, weights)
        assert set(result.seats.values()) == {0}
        assert result.unused == 0
    assert apportion(0, {}).seats == {}


@pytest.mark.parametrize(
    ("places", "weights", "caps", "named"),
    [
        (5, {"a": 0, "b": 0}, None, "all weights are zero"),
        (5, {}, None, "all weights are zero or there are none"),
        (-1, {"a": 1}, None, "-1 places"),
        (5, {"a": -1}, None, "weight -1 of a is negative"),
        (5, {"a": Decimal("NaN")}, None, "weight NaN of a is no number"),
        (5, {"a": Decimal("Infinity")}, None, "weight Infinity of a is no number"),
        (5, {"a": 0.5}, None, "weight 0.5 of a is not exact"),
        (5, {"a": None}, None, "weight None of a is not exact"),
        (5, {"a": 1}, {"a": -1}, "cap -1 of a"),
        (5, {"a": 1}, {"b": 1}, "b has a cap but no weight"),
    ],
)
def test_what_cannot_be_shared_out_is_refused_by_name(
    places: int, weights: dict[str, int], caps: dict[str, int] | None, named: str
) -> None:
    with pytest.raises(Refused, match=named):
        apportion(places, weights, caps=caps)


@given(st.integers(0, 10**7), weights_of_areas)
def test_places_add_up_and_each_area_gets_its_share_rounded_down_or_up(places: int, weights: dict[str, int]) -> None:
    result = apportion(places, weights)
    assert sum(result.seats.values()) == places
    assert sum(result.exact_share.values()) == places
    for code, seats in result.seats.items():
        whole = result.exact_share[code] - result.remainder[code]
        assert whole.denominator == 1
        assert seats == whole + result.got_remainder_seat[code]
        assert 0 <= result.remainder[code] < 1
        assert weights[code] or not seats


@given(st.integers(0, 1000), weights_of_areas, st.data())
def test_the_order_and_the_scale_of_the_weights_do_not_matter(
    places: int, weights: dict[str, int], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(list(weights)))
    scaled = {code: Fraction(weights[code], 7) for code in shuffled}
    assert apportion(places, scaled) == apportion(places, weights)


@given(st.integers(0, 500), weights_of_areas, st.data())
def test_with_caps_nobody_is_above_and_places_stay_unused_only_if_all_are_full(
    places: int, weights: dict[str, int], data: st.DataObject
) -> None:
    caps = data.draw(st.dictionaries(st.sampled_from(list(weights)), st.integers(0, 100)))
    result = apportion(places, weights, caps=caps)
    assert sum(result.seats.values()) + result.unused == places
    assert all(result.seats[code] <= cap for code, cap in caps.items())
    if result.unused:
        assert all(result.seats[code] == caps.get(code) for code, weight in weights.items() if weight)
    plain = apportion(places, weights)
    for code, seats in result.seats.items():
        assert seats >= min(plain.seats[code], caps.get(code, plain.seats[code]))


@given(st.integers(0, 300), weights_of_areas)
def test_seats_equal_the_plain_method_on_fractions(places: int, weights: dict[str, int]) -> None:
    total = sum(weights.values())
    shares = {code: Fraction(places * weight, total) for code, weight in weights.items()}
    seats = {code: int(share) for code, share in shares.items()}
    for code in sorted(weights, key=lambda code: (seats[code] - shares[code], -weights[code], code))[
        : places - sum(seats.values())
    ]:
        seats[code] += 1
    assert apportion(places, weights).seats == seats


# Both methods beside an independent library, which serves ties in the order in which it is given the weights.


def ordered(weights: dict[str, int]) -> list[str]:
    """Codes in the order of the tie rule."""
    return sorted(weights, key=lambda code: (-weights[code], code))


@pytest.mark.parametrize("method", Method)
def test_seats_equal_those_of_an_independent_library_on_random_cases(method: Method) -> None:
    dice = random.Random(2026)  # noqa: S311
    name = {Method.LARGEST_REMAINDER: "largest_remainder", Method.SAINTE_LAGUE: "saintelague"}[method]
    contested = 0
    for _ in range(300):
        most = dice.choice([5, 100, 10**6])
        weights = {f"{code:02}": dice.randrange(most) + (code == 0) for code in range(dice.randrange(1, 25))}
        places = dice.randrange(1, dice.choice([10, 60, 200]))
        result, codes = apportion(places, weights, method), ordered(weights)
        votes = [weights[code] for code in codes]
        try:
            theirs = compute(name, votes, places, fractions=True, parties=codes, tiesallowed=False)
        except TiesException:
            # In a tie its largest remainder may pass over a larger one, so that only its divisor method is a witness.
            assert result.contested
            contested += 1
            if method is Method.LARGEST_REMAINDER:
                continue
            theirs = compute(name, votes, places, fractions=True, parties=codes)
        else:
            assert not result.contested
        assert [result.seats[code] for code in codes] == theirs
    assert contested > 20


@given(st.integers(0, 200), weights_of_areas)
def test_sainte_lague_equals_places_given_one_by_one(places: int, weights: dict[str, int]) -> None:
    seats = dict.fromkeys(weights, 0)
    for _ in range(places):
        claims = {code: Fraction(weight, 2 * seats[code] + 1) for code, weight in weights.items() if weight}
        seats[min(claims, key=lambda code: (-claims[code], -weights[code], code))] += 1
    assert apportion(places, weights, Method.SAINTE_LAGUE).seats == seats


@given(st.integers(0, 10**7), weights_of_areas)
def test_by_sainte_lague_one_place_more_takes_a_place_from_nobody(places: int, weights: dict[str, int]) -> None:
    before = apportion(places, weights, Method.SAINTE_LAGUE).seats
    after = apportion(places + 1, weights, Method.SAINTE_LAGUE).seats
    assert sum(before.values()) == places
    assert sorted(after[code] - before[code] for code in weights)[-2:] in ([1], [0, 1])
    assert min(after[code] - before[code] for code in weights) >= 0


@given(st.integers(0, 1000), weights_of_areas, st.data())
def test_by_sainte_lague_too_the_order_and_the_scale_of_the_weights_do_not_matter(
    places: int, weights: dict[str, int], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(list(weights)))
    scaled = {code: Decimal(weights[code]) / 8 for code in shuffled}
    assert apportion(places, scaled, Method.SAINTE_LAGUE) == apportion(places, weights, Method.SAINTE_LAGUE)


def test_by_sainte_lague_the_group_that_met_at_the_last_place_is_the_tie() -> None:
    # b claims 6 and then 2, a and c claim 2 each: three equal claims to the second and third place.
    tied = apportion(3, {"c": 2, "b": 6, "a": 2, "d": 1}, Method.SAINTE_LAGUE)
    assert tied.seats == {"a": 1, "b": 2, "c": 0, "d": 0}
    assert tied.ties == tied.contested == (("b", "a", "c"),)
    assert apportion(4, {"c": 2, "b": 6, "a": 2, "d": 1}, Method.SAINTE_LAGUE).ties == ()


def test_ten_million_places_by_sainte_lague_take_milliseconds_too(poor: dict[str, int]) -> None:
    begun = perf_counter()
    result = apportion(10_000_000, poor, Method.SAINTE_LAGUE)
    assert perf_counter() - begun < 0.5
    assert sum(result.seats.values()) == 10_000_000
    assert all(abs(result.seats[code] - share) < 1 for code, share in result.exact_share.items())


# Floors


def test_who_comes_out_below_the_floor_gets_it_from_all_others_by_their_weights() -> None:
    result = apportion(100, {"a": 1, "b": 33, "c": 66}, floors={"a": 10, "b": 20})
    assert result.seats == {"a": 10, "b": 30, "c": 60}
    assert result.exact_share == {"a": 1, "b": 33, "c": 66}


def test_a_floor_holds_for_an_area_without_weight_and_gives_way_to_a_cap() -> None:
    assert apportion(10, {"a": 0, "b": 1}, floors={"a": 3}).seats == {"a": 3, "b": 7}
    assert apportion(10, {"a": 0, "b": 1}, caps={"a": 2}, floors={"a": 3}).seats == {"a": 2, "b": 8}


def test_where_there_are_fewer_places_than_floors_the_floors_are_the_weights() -> None:
    assert apportion(10, {"a": 1, "b": 99}, floors={"a": 30, "b": 10}).seats == {"a": 8, "b": 2}


def test_places_handed_on_above_a_cap_fill_floors_before_others_give_up_places() -> None:
    result = apportion(100, {"a": 10, "b": 60, "c": 30}, caps={"b": 20}, floors={"a": 20})
    # 40 places above b's cap go 10 to 30: a has 20 by them alone.
    assert result.seats == {"a": 20, "b": 20, "c": 60}


@given(st.sampled_from(Method), st.integers(0, 500), weights_of_areas, st.data())
def test_floors_and_caps_hold_together_and_every_place_is_accounted_for(
    method: Method, places: int, weights: dict[str, int], data: st.DataObject
) -> None:
    bounds = st.dictionaries(st.sampled_from(list(weights)), st.integers(0, 100))
    caps, floors = data.draw(bounds), data.draw(bounds)
    result = apportion(places, weights, method, caps, floors)
    assert sum(result.seats.values()) + result.unused == places
    assert all(0 <= result.seats[code] <= caps.get(code, places) for code in weights)
    due = {code: min(floor, caps.get(code, floor)) for code, floor in floors.items()}
    if sum(due.values()) <= places:
        assert all(result.seats[code] >= floor for code, floor in due.items())
    if result.unused:
        assert all(result.seats[code] == caps.get(code) for code, weight in weights.items() if weight)


# The seat table


def regencies() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "regency_code": ["35.10", "35.09", "35.12"],
            "regency_code_bps": ["3510", "3509", "3512"],
            "weight": [100_130, 216_760, 73_000],
        }
    )


def test_the_seat_table_shows_the_arithmetic_of_each_regency() -> None:
    table = seat_table(Programme.PKH, 1000, regencies(), before={"35.10": 300, "35.09": 500})
    assert table.columns == [
        "regency_code",
        "regency_code_bps",
        "programme",
        "weight",
        "exact_share",
        "remainder",
        "has_remainder_seat",
        "seats",
        "floor",
        "cap",
        "seats_before",
        "change",
    ]
    assert table["regency_code"].to_list() == ["35.09", "35.10", "35.12"]
    # 389,890 poor: 555.951678…, 256.816025…, 187.232296…
    assert table["exact_share"].to_list() == [Decimal("555.951679"), Decimal("256.816025"), Decimal("187.232296")]
    assert table["remainder"].to_list() == [Decimal("0.951679"), Decimal("0.816025"), Decimal("0.232296")]
    assert table["has_remainder_seat"].to_list() == [True, True, False]
    assert table["seats"].to_list() == [556, 257, 187]
    assert table["seats_before"].to_list() == [500, 300, None]
    assert table["change"].to_list() == [56, -43, None]
    assert table["cap"].null_count() == 3
    assert table["regency_code_bps"].to_list() == ["3509", "3510", "3512"]


def test_the_seat_table_hands_on_places_above_a_cap() -> None:
    table = seat_table(Programme.BPNT, 1000, regencies(), caps={"35.09": 100})
    assert table["seats"].to_list() == [100, 257 + 264, 187 + 192]
    assert table["cap"].to_list() == [100, None, None]
    assert table["exact_share"].to_list()[0] == Decimal("555.951679")


def test_the_seat_table_is_the_same_for_any_order_of_rows() -> None:
    table = seat_table(Programme.PKH, 1000, regencies())
    assert table.equals(seat_table(Programme.PKH, 1000, regencies().reverse()))


def test_the_seat_table_takes_other_areas_and_weights_in_decimals() -> None:
    weights = pl.DataFrame({"village_code": ["b", "a"], "weight": [Decimal("0.75"), Decimal("0.25")]})
    table = seat_table(Programme.BPNT, 8, weights, area="village_code")
    assert table.select("village_code", "seats").rows() == [("a", 2), ("b", 6)]
    assert table["village_code_bps"].to_list() == [None, None]


def test_an_area_that_comes_twice_or_has_no_weight_is_refused() -> None:
    with pytest.raises(Refused, match="'regency_code': an area is missing or comes twice"):
        seat_table(Programme.PKH, 10, pl.concat([regencies(), regencies()]))
    gap = pl.when(pl.col("regency_code") != "35.10").then("weight").alias("weight")
    with pytest.raises(Refused, match=r"weight None of 35\.10"):
        seat_table(Programme.PKH, 10, regencies().with_columns(gap))
