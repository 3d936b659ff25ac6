"""What the population register of Dukcapil sends of the true families: above all those that DTSEN does not list."""

import numpy as np
import polars as pl

from schemas.regsosek import NO_IMPAIRMENT
from world.dice import Array, chosen
from world.names import written
from world.parameters import Dukcapil
from world.society import Society

_SEVERE = 2
_KINDS = NO_IMPAIRMENT - 1


def population_register(rng: np.random.Generator, society: Society, listed: Array, rules: Dukcapil) -> pl.DataFrame:
    """Living persons of these families under their card in force, by the feed's contract.

    Parameters
    ----------
    listed : int64 array
        `uid` of the families of DTSEN.
    """
    count = society.families.height
    is_listed = np.isin(society.families["uid"].to_numpy(), listed)
    sent = np.where(
        is_listed, chosen(rng, count, rules.listed_families), chosen(rng, count, 1 - rules.unknown_families)
    )
    own = society.persons["family"].to_numpy()
    people = society.persons.filter(pl.Series(sent[own] & society.persons["is_alive"].to_numpy()))
    of = people["family"].to_numpy()
    is_disabled = people["disability"].to_numpy() <= _SEVERE
    kind = 1 + people["uid"].to_numpy() % _KINDS
    return people.select(
        society.families["card"].gather(of).cast(pl.String).alias("family_card_number"),
        pl.when("has_nik").then(pl.col("nik").cast(pl.String)).alias("nik"),
        written(people).alias("name"),
        pl.col("birth").cast(pl.Int32).cast(pl.Date).alias("birth_date"),
        "relation",
        society.families["village_code"].gather(of).alias("village_code"),
        pl.Series("impairment", np.where(is_disabled, kind, NO_IMPAIRMENT).astype(np.int32)),
    )
