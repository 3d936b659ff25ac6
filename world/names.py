"""Names of invented people: drawn from common elements, one to three of them; how they are misspelt is `faults`'.

A name is three positions in one list of elements, -1 where there is none.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from world.dice import Array, chosen
from world.numbers import day_month_year
from world.parameters import Names
from world.parameters import names as name_parameters

PARTS = ("first_name", "second_name", "third_name")
NONE = -1
_MIDDLE_COHORT = 1985
_FEWEST, _MOST = 0.02, 0.75


class _Elements:
    """A list of elements, from whose first position on they are drawn with falling frequency."""

    def __init__(self, start: int, count: int, parameters: Names) -> None:
        weights = 1 / (np.arange(1, count + 1) + parameters.flattening) ** parameters.steepness
        self._start, self._bounds = start, np.cumsum(weights) / weights.sum()

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        at = np.searchsorted(self._bounds, rng.random(count), side="right")
        return self._start + np.minimum(at, len(self._bounds) - 1)


@dataclass(frozen=True)
class _Inventory:
    """All elements: their texts, the one nearest in the alphabet of the same list, and the lists to draw from.

    `further` are the texts as they follow another one; its last entry stands for none.
    """

    texts: Array
    first: pl.Series
    further: pl.Series
    nearest: Array
    lists: dict[str, _Elements]


@cache
def _inventory() -> _Inventory:
    parameters = name_parameters()
    kinds = [f"{part}_{sex}" for part in ("opening", "given", "further") for sex in ("male", "female")]
    groups = {kind: getattr(parameters, kind) for kind in kinds}
    for region in parameters.regions:
        groups |= dict.fromkeys(region.provinces[:1], region.elements)
    texts, nearest, lists = list[str](), list[Array](), dict[str, _Elements]()
    for kind, elements in groups.items():
        lists[kind] = _Elements(len(texts), len(elements), parameters)
        order = np.argsort(elements)
        near = np.empty(len(elements), dtype=np.int64)
        near[order] = np.roll(order, -1)
        nearest.append(len(texts) + near)
        texts.extend(elements)
    for region in parameters.regions:
        lists |= dict.fromkeys(region.provinces, lists[region.provinces[0]])
    further = pl.Series([*(f" {text}" for text in texts), ""])
    return _Inventory(np.array(texts), pl.Series(texts), further, np.concatenate(nearest), lists)


def named(rng: np.random.Generator, is_female: Array, birth: Array, province: str) -> dict[str, Array]:
    """Invented names of people born on these days (since 1970-01-01) in a province: positions of their elements."""
    parameters, lists, count = name_parameters(), _inventory().lists, len(is_female)
    texts = _inventory().texts

    def of(part: str) -> Array:
        male, female = (lists[f"{part}_{sex}"].draw(rng, count) for sex in ("male", "female"))
        return np.where(is_female, female, male)

    later = parameters.fewer_per_decade * (day_month_year(birth)[2] - _MIDDLE_COHORT) / 10
    one = np.clip(parameters.words[1] - later, _FEWEST, _MOST)
    three = np.clip(parameters.words[3] + later, _FEWEST, 1 - _MOST)
    draw = rng.random(count)
    words = np.select([draw < one, draw >= 1 - three], [1, 3], 2)
    opens = (words > 1) & chosen(rng, count, parameters.opening)
    given, opening, further, last = of("given"), of("opening"), of("further"), of("further")
    if province in lists:
        own = chosen(rng, count, parameters.regional)
        further = np.where(own, lists[province].draw(rng, count), further)
    second = np.where(opens & (texts[given] != texts[opening]), given, further)
    third = np.where(opens, further, last)
    second = np.where(words > 1, second, NONE)
    third = np.where((words == 3) & (texts[third] != texts[second]), third, NONE)  # noqa: PLR2004
    parts = (np.where(opens, opening, given), second, third)
    return {name: part.astype(np.int16) for name, part in zip(PARTS, parts, strict=True)}


def written(parts: pl.DataFrame) -> pl.Series:
    """Full names of the people whose elements stand in the columns `PARTS`."""
    inventory = _inventory()
    # -1 is the last entry from behind.
    none = len(inventory.further)
    second, third = (inventory.further.gather(parts[name].to_numpy() % none) for name in PARTS[1:])
    return (inventory.first.gather(parts["first_name"].to_numpy()) + second + third).alias("name")


def akin(elements: Array) -> Array:
    """For each element another one that looks like it."""
    return _inventory().nearest[elements]


def last_element(parts: dict[str, Array]) -> Array:
    """The last element of each name of two or more, else -1."""
    return np.where(parts["third_name"] >= 0, parts["third_name"], parts["second_name"])
