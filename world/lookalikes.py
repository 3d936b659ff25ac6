"""People who look alike and are not the same: twins, namesakes of the same day, father and son; and round birth dates.

Whoever links records must keep them apart. Names themselves are drawn elsewhere.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from world.dice import Array, chosen
from world.names import PARTS, akin, last_element
from world.numbers import day_month_year
from world.parameters import Lookalikes, names
from world.people import CHILD, GRANDCHILD, HEAD

TWIN, NAMESAKE_OF_VILLAGE, NAMESAKE_OF_REGENCY, FATHER_AND_SON = (
    "twin", "namesake_of_village", "namesake_of_regency", "father_and_son",
)  # fmt: skip
_LONG_AGO_YEARS = 50
_GROWN_DAYS = 25 * 365
_NEARLY_OF_AN_AGE_DAYS = 500


@dataclass(frozen=True)
class Pairs:
    """Rows of persons who look alike, by kind; nobody is in two of them."""

    kind: Array
    rows: Array
    others: Array

    def record(self, uid: Array) -> pl.DataFrame:
        """The truth of it: kind, person_uid, other_uid."""
        return pl.DataFrame(
            {"kind": self.kind, "person_uid": uid[self.rows], "other_uid": uid[self.others]},
            schema={"kind": pl.String, "person_uid": pl.Int64, "other_uid": pl.Int64},
        )


def rounded_births(rng: np.random.Generator, birth: Array, today: int, rules: Lookalikes) -> Array:
    """Birth dates as registered: of many old people only the year was known, and 1 January was written."""
    year = day_month_year(birth)[2]
    new_year = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    is_old = year < day_month_year(np.array([today]))[2] - _LONG_AGO_YEARS
    return np.where(is_old & chosen(rng, len(birth), rules.old_born_on_new_year), new_year, birth)


def pairs(rng: np.random.Generator, persons: pl.DataFrame, village: Array, today: int, rules: Lookalikes) -> Pairs:
    """Who looks like whom. `village` is a number per person; persons stand by family.

    Namesakes are people nearly of an age, of two families; making them of one day moves a birth by days or months.
    """
    family, birth, relation = (persons[name].to_numpy() for name in ("family", "birth", "relation"))
    is_female = persons["is_female"].to_numpy()
    rows = np.arange(len(family))
    free = birth < today - _GROWN_DAYS
    found = list[tuple[str, Array, Array]]()
    young = np.isin(relation, (CHILD, GRANDCHILD))
    same = (family[1:] == family[:-1]) & (birth[1:] == birth[:-1]) & young[1:] & young[:-1]
    same[1:] &= ~same[:-1]
    born_together = np.flatnonzero(same)
    found.append((TWIN, born_together, born_together + 1))
    free[born_together] = free[born_together + 1] = False

    head_row = np.full(family.max() + 1, -1)
    head_row[family[relation == HEAD]] = rows[relation == HEAD]
    father = head_row[family]
    sons = (relation == CHILD) & ~is_female & (father >= 0)
    sons &= ~is_female[np.maximum(father, 0)] & ~np.isin(rows, [born_together, born_together + 1])
    sons = np.flatnonzero(sons & chosen(rng, len(rows), rules.son_named_like_father))
    _, only = np.unique(family[sons], return_index=True)
    sons = sons[only]
    found.append((FATHER_AND_SON, father[sons], sons))
    free[father[sons]] = free[sons] = False

    for kind, place, share in (
        (NAMESAKE_OF_VILLAGE, village, rules.namesake_of_village),
        (NAMESAKE_OF_REGENCY, np.zeros(len(rows), dtype=np.int64), rules.namesake_of_regency),
    ):
        order = np.lexsort((birth, is_female, place))
        order = order[free[order]]
        one, other = order[0:-1:2], order[1::2]
        fit = (place[one] == place[other]) & (is_female[one] == is_female[other]) & (family[one] != family[other])
        fit &= np.abs(birth[one] - birth[other]) < _NEARLY_OF_AN_AGE_DAYS
        # Each pair makes two lookalikes of the people there are.
        fit &= chosen(rng, len(one), min(1.0, share / 2 * len(rows) / max(1, int(fit.sum()))))
        found.append((kind, one[fit], other[fit]))
        free[one[fit]] = free[other[fit]] = False
    return Pairs(
        kind=np.concatenate([np.full(len(one), kind) for kind, one, _ in found]),
        rows=np.concatenate([one for _, one, _ in found]),
        others=np.concatenate([other for _, _, other in found]),
    )


def names_in_families(
    rng: np.random.Generator, drawn: dict[str, Array], persons: pl.DataFrame, alike: Pairs
) -> dict[str, Array]:
    """Names with what families do to them: children bear the last element of their head, lookalikes each other's."""
    parts = {name: values.copy() for name, values in drawn.items()}
    family, relation = persons["family"].to_numpy(), persons["relation"].to_numpy()
    of_head = np.full(family.max() + 1, -1, dtype=np.int16)
    at_head = relation == HEAD
    of_head[family[at_head]] = last_element(parts)[at_head]
    inherits = (relation == CHILD) & (of_head[family] >= 0) & (parts["second_name"] >= 0)
    inherits &= chosen(rng, len(family), names().of_the_head)
    for part in PARTS[1:]:
        has_it_last = inherits & (last_element(parts) == parts[part])
        parts[part] = np.where(has_it_last, of_head[family], parts[part])
    for part in PARTS:
        parts[part][alike.others] = parts[part][alike.rows]
    # Twins have one element each of their own, and where they are a boy and a girl their first is their own too.
    twins = alike.kind == TWIN
    one, other = alike.rows[twins], alike.others[twins]
    is_female = persons["is_female"].to_numpy()
    own = drawn["first_name"][other]
    parts["first_name"][other] = np.where(
        is_female[one] == is_female[other], akin(parts["first_name"][one]), own
    ).astype(np.int16)
    return parts
