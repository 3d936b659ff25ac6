"""Whole places from weights by exact arithmetic. No tables and no policy: those are in `seats` and `rulebook`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from schemas.errors import Refused


@dataclass(frozen=True)
class Apportionment:
    """Places of each code and how they came about.

    Attributes
    ----------
    seats : dict of str to int
        Places, after caps.
    exact_share : dict of str to Fraction
        Places times weight by the sum of weights, before caps.
    remainder : dict of str to Fraction
        Exact share less its whole part.
    got_remainder_seat : dict of str to bool
        Whether one of the places left over by the whole parts came to the code, before caps.
    ties : tuple of tuple of str
        Groups of codes that share a remainder above zero, and so an equal claim to a place left over; greatest
        remainder first, larger weight and smaller code first within a group. Where places above a cap were handed
        on, the groups of those rounds follow.
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


def largest_remainder(
    places: int, weights: Mapping[str, int | Decimal | Fraction], caps: Mapping[str, int] | None = None
) -> Apportionment:
    """Places by largest remainder (Hamilton), the same for any order of the weights.

    Every code gets the whole part of its exact share; the places left go to the largest remainders. Of equal
    remainders the larger weight goes first, then the smaller code in order of text. Places above a cap go to the
    codes below theirs by the same method over their weights, again and again until none is above; if all are at
    their caps, the rest is unused. A weight of zero gets nothing.

    Parameters
    ----------
    places : int
        Whole places, zero or more.
    weights : mapping of str to int, Decimal or Fraction
        Zero or more each. A float is refused, because it is not exact.
    caps : mapping of str to int, optional
        Most places of a code; codes without a cap have none.

    Raises
    ------
    Refused
        If places, a weight or a cap is negative or no exact number, a cap has no weight, or there are places and
        all weights are zero.

    References
    ----------
    Balinski and Young, Fair Representation (1982), on Hamilton's method and the Alabama paradox.
    """
    whole = _whole_weights(weights)
    caps = _checked_caps(caps or {}, whole)
    if type(places) is not int or places < 0:
        message = f"{places!r} places cannot be shared out. Give a whole number, zero or more."
        raise Refused(message)
    if places and not any(whole.values()):
        message = f"{places} places cannot be shared out: all weights are zero or there are none. Give weights."
        raise Refused(message)
    first = _share_out(places, whole)
    seats = dict(first.seats)
    rounds = [first]
    unused = 0
    while above := sum(max(0, seats[code] - cap) for code, cap in caps.items()):
        seats = {code: min(n, caps.get(code, n)) for code, n in seats.items()}
        below = {code: w for code, w in whole.items() if w and (code not in caps or seats[code] < caps[code])}
        if not below:
            unused = above
            break
        rounds.append(_share_out(above, below))
        for code, more in rounds[-1].seats.items():
            seats[code] += more
    total = max(1, sum(whole.values()))
    return Apportionment(
        seats=seats,
        exact_share={code: Fraction(places * weight, total) for code, weight in whole.items()},
        remainder={code: Fraction(first.remainders[code], total) for code in whole},
        got_remainder_seat={code: code in first.winners for code in whole},
        ties=tuple(group for one in rounds for group in one.ties),
        contested=tuple(
            group for one in rounds for group in one.ties if 0 < len(one.winners.intersection(group)) < len(group)
        ),
        unused=unused,
    )


@dataclass(frozen=True)
class _Round:
    seats: dict[str, int]
    remainders: dict[str, int]
    winners: frozenset[str]
    ties: tuple[tuple[str, ...], ...]


def _share_out(places: int, weights: Mapping[str, int]) -> _Round:
    """One round; remainders in units of one place by the sum of weights."""
    total = max(1, sum(weights.values()))
    parts = {code: divmod(places * weight, total) for code, weight in weights.items()}
    queue = sorted(weights, key=lambda code: (-parts[code][1], -weights[code], code))
    left = places - sum(floor for floor, _ in parts.values()) if any(weights.values()) else 0
    winners = frozenset(queue[:left])
    groups: dict[int, list[str]] = {}
    for code in queue:
        if parts[code][1]:
            groups.setdefault(parts[code][1], []).append(code)
    return _Round(
        seats={code: floor + (code in winners) for code, (floor, _) in parts.items()},
        remainders={code: rest for code, (_, rest) in parts.items()},
        winners=winners,
        ties=tuple(tuple(group) for group in groups.values() if len(group) > 1),
    )


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


def _checked_caps(caps: Mapping[str, int], weights: Mapping[str, int]) -> Mapping[str, int]:
    for code, cap in caps.items():
        if code not in weights:
            message = f"{code} has a cap but no weight. Give it a weight, zero if need be, or remove the cap."
            raise Refused(message)
        if type(cap) is not int or cap < 0:
            message = f"cap {cap!r} of {code} is no whole number of zero or more. Correct it."
            raise Refused(message)
    return caps
