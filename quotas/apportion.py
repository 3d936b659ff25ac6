"""Whole places from weights by exact arithmetic. No tables and no policy: those are in `seats` and `rulebook`."""

import heapq
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from schemas.errors import Refused


class Method(StrEnum):
    """How whole places are made of weights."""

    LARGEST_REMAINDER = "largest_remainder"
    SAINTE_LAGUE = "sainte_lague"


@dataclass(frozen=True)
class Apportionment:
    """Places of each code and how they came about.

    Attributes
    ----------
    seats : dict of str to int
        Places, within floors and caps, in order of code.
    exact_share : dict of str to Fraction
        Places times weight by the sum of weights, before floors and caps.
    remainder : dict of str to Fraction
        Exact share less its whole part.
    got_remainder_seat : dict of str to bool
        Whether rounding gave the code more than the whole part of its share, before floors and caps.
    ties : tuple of tuple of str
        Groups of codes with an equal claim, larger weight and smaller code first. By largest remainder: every group
        that shares a remainder above zero, greatest remainder first, whether or not a place was short. By
        Sainte-Laguë: the group whose equal quotients met at the last place, if a place was short. Where places above
        a cap were handed on, the groups of those rounds follow.
    contested : tuple of tuple of str
        Those of the groups in which the tie rule decided: some got the place and some did not.
    unused : int
        Places nobody could take, because every code with a weight is at its cap.
    """

    seats: dict[str, int]
    exact_share: dict[str, Fraction]
    remainder: dict[str, Fraction]
    got_remainder_seat: dict[str, bool]
    ties: tuple[tuple[str, ...], ...]
    contested: tuple[tuple[str, ...], ...]
    unused: int


def apportion(
    places: int,
    weights: Mapping[str, int | Decimal | Fraction],
    method: Method = Method.LARGEST_REMAINDER,
    caps: Mapping[str, int] | None = None,
    floors: Mapping[str, int] | None = None,
) -> Apportionment:
    """Places in proportion to weights, the same for any order of the weights.

    By largest remainder (Hamilton) every code gets the whole part of its exact share; the places left go to the
    largest remainders. By Sainte-Laguë (Webster) place after place goes to the largest weight / (2 x places so far
    + 1). Of equal claims the larger weight goes first, then the smaller code in order of text. A weight of zero gets
    nothing but its floor.

    Places above a cap go to the codes below theirs by the same method over their weights, again and again until none
    is above; if all are at their caps, the rest is unused. Codes that come out below their floor get it, and the
    other places are shared out among the others anew, again and again until none is below. A floor above a cap counts
    as the cap. If there are fewer places than floors, the floors are the weights.

    Parameters
    ----------
    places : int
        Whole places, zero or more.
    weights : mapping of str to int, Decimal or Fraction
        Zero or more each. A float is refused, because it is not exact.
    caps, floors : mapping of str to int, optional
        Most and fewest places of a code; codes without one have none.

    Raises
    ------
    Refused
        If places, a weight, a cap or a floor is negative or no exact number, a cap or floor has no weight, or there
        are places and all weights are zero.

    References
    ----------
    Balinski and Young, Fair Representation (1982): both methods, and the Alabama paradox of the first.
    """
    whole = _whole_weights(weights)
    caps, floors = _checked(caps or {}, whole, "cap"), _checked(floors or {}, whole, "floor")
    if type(places) is not int or places < 0:
        message = f"{places!r} places cannot be shared out. Give a whole number, zero or more."
        raise Refused(message)
    if places and not any(whole.values()):
        message = f"{places} places cannot be shared out: all weights are zero or there are none. Give weights."
        raise Refused(message)
    total = max(1, sum(whole.values()))
    parts = {code: divmod(places * weight, total) for code, weight in whole.items()}
    plain = _METHODS[method](places, whole)
    rounds, unused = _within_floors(places, whole, _METHODS[method], caps, floors)
    seats = dict.fromkeys(whole, 0)
    for one in rounds:
        for code, more in one.seats.items():
            seats[code] += more
    return Apportionment(
        seats=seats,
        exact_share={code: Fraction(places * weight, total) for code, weight in whole.items()},
        remainder={code: Fraction(rest, total) for code, (_, rest) in parts.items()},
        got_remainder_seat={code: plain.seats[code] > floor for code, (floor, _) in parts.items()},
        ties=tuple(group for one in rounds for group in one.ties),
        contested=tuple(group for one in rounds for group in one.contested),
        unused=unused,
    )


@dataclass(frozen=True)
class _Round:
    """What one sharing out adds to the places of some codes; negative where a cap takes places back."""

    seats: dict[str, int]
    ties: tuple[tuple[str, ...], ...] = ()
    contested: tuple[tuple[str, ...], ...] = ()


_ShareOut = Callable[[int, Mapping[str, int]], _Round]


def _within_floors(
    places: int, weights: Mapping[str, int], share_out: _ShareOut, caps: Mapping[str, int], floors: Mapping[str, int]
) -> tuple[list[_Round], int]:
    floors = {code: min(floor, caps.get(code, floor)) for code, floor in floors.items()}
    if sum(floors.values()) > places:
        return _within_caps(places, floors, share_out, floors)
    held: dict[str, int] = {}
    while True:
        free = {code: weight for code, weight in weights.items() if code not in held}
        rounds, unused = _within_caps(places - sum(held.values()), free, share_out, caps)
        below = {
            code: floor
            for code, floor in floors.items()
            if code not in held and sum(one.seats.get(code, 0) for one in rounds) < floor
        }
        if not below:
            return [_Round(held), *rounds], unused
        held |= below


def _within_caps(
    places: int, weights: Mapping[str, int], share_out: _ShareOut, caps: Mapping[str, int]
) -> tuple[list[_Round], int]:
    if not any(weights.values()):
        return [], places
    rounds = [share_out(places, weights)]
    seats = dict(rounds[0].seats)
    while above := {code: seats[code] - caps[code] for code in seats if code in caps and seats[code] > caps[code]}:
        rounds.append(_Round({code: -more for code, more in above.items()}))
        seats |= {code: caps[code] for code in above}
        below = {code: w for code, w in weights.items() if w and (code not in caps or seats[code] < caps[code])}
        if not below:
            return rounds, sum(above.values())
        rounds.append(share_out(sum(above.values()), below))
        for code, more in rounds[-1].seats.items():
            seats[code] += more
    return rounds, 0


def _largest_remainder(places: int, weights: Mapping[str, int]) -> _Round:
    total = max(1, sum(weights.values()))
    parts = {code: divmod(places * weight, total) for code, weight in weights.items()}
    queue = sorted(weights, key=lambda code: (-parts[code][1], -weights[code], code))
    left = places - sum(floor for floor, _ in parts.values()) if any(weights.values()) else 0
    winners = frozenset(queue[:left])
    ties = _groups((parts[code][1], code) for code in queue if parts[code][1])
    return _Round(
        seats={code: floor + (code in winners) for code, (floor, _) in parts.items()},
        ties=ties,
        contested=tuple(group for group in ties if 0 < len(winners.intersection(group)) < len(group)),
    )


def _sainte_lague(places: int, weights: Mapping[str, int]) -> _Round:
    """Shares of a few places fewer, rounded, are a lower bound; the few places that lack come one by one."""
    total, count = sum(weights.values()), sum(weight > 0 for weight in weights.values())
    fewer = max(0, 2 * places - count)
    seats = {code: (fewer * weight + total) // (2 * total) if fewer else 0 for code, weight in weights.items()}
    # Two quotients differ by at least one over the product of their divisors: so enlarged, whole parts order them.
    scale = (2 * places + 1) ** 2

    def claim(code: str) -> tuple[int, int, str]:
        return -(weights[code] * scale // (2 * seats[code] + 1)), -weights[code], code

    queue = [claim(code) for code, weight in weights.items() if weight]
    heapq.heapify(queue)
    served: list[tuple[int, int, str]] = []
    for _ in range(places - sum(seats.values()) if queue else 0):
        served.append(queue[0])
        seats[queue[0][2]] += 1
        heapq.heapreplace(queue, claim(queue[0][2]))
    last = served[-1][0] if served else None
    met = sorted(one for one in (*served, *queue) if one[0] == last) if queue and queue[0][0] == last else []
    ties = _groups((quotient, code) for quotient, _, code in met)
    return _Round(seats, ties, ties)


_METHODS: Mapping[Method, _ShareOut] = {
    Method.LARGEST_REMAINDER: _largest_remainder,
    Method.SAINTE_LAGUE: _sainte_lague,
}


def _groups(claims: Iterable[tuple[int, str]]) -> tuple[tuple[str, ...], ...]:
    """Codes of equal claims, where there are several, in the order given."""
    groups: dict[int, list[str]] = {}
    for claim, code in claims:
        groups.setdefault(claim, []).append(code)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _whole_weights(weights: Mapping[str, int | Decimal | Fraction]) -> dict[str, int]:
    """Weights multiplied by their common denominator, in order of code."""
    exact: dict[str, Fraction] = {}
    for code in sorted(weights):
        weight = weights[code]
        if isinstance(weight, bool) or not isinstance(weight, int | Decimal | Fraction):
            message = f"weight {weight!r} of {code} is not exact. Give a whole number, Decimal or Fraction."
            raise Refused(message)
        if isinstance(weight, Decimal) and not weight.is_finite():
            message = f"weight {weight} of {code} is no number. Find the missing figure."
            raise Refused(message)
        if weight < 0:
            message = f"weight {weight} of {code} is negative. Give zero or more."
            raise Refused(message)
        exact[code] = Fraction(weight)
    common = math.lcm(*(weight.denominator for weight in exact.values()))
    return {code: weight.numerator * (common // weight.denominator) for code, weight in exact.items()}


def _checked(bounds: Mapping[str, int], weights: Mapping[str, int], name: str) -> Mapping[str, int]:
    for code, bound in bounds.items():
        if code not in weights:
            message = f"{code} has a {name} but no weight. Give it a weight, zero if need be, or remove the {name}."
            raise Refused(message)
        if type(bound) is not int or bound < 0:
            message = f"{name} {bound!r} of {code} is no whole number of zero or more. Correct it."
            raise Refused(message)
    return bounds
