"""What the national registry DTSEN holds of the true families: nearly all of them, some not as they are now."""

import numpy as np
import polars as pl

from schemas.vocabularies import Sex
from world.dice import Array, chosen, normal_quantile
from world.geography import Regency
from world.names import written
from world.numbers import LATER_SERIALS, numbers
from world.parameters import Dtsen
from world.society import Society, heads

_OLD_CARD_SERIALS = 4400
_OLD_CARD_DAYS = 3000
_SINCE_LISTED_DAYS = 2 * 365
_NO_DIFFICULTY = 4
_DIFFICULTIES = ("sight_difficulty", "hearing_difficulty", "walking_difficulty")
_BOUNDS = np.array([normal_quantile(share / 10) for share in range(1, 10)])


def _deciles(rupiah: Array, regency: Regency, spread: float, error: Array) -> dict[str, Array]:
    """Official deciles of families in nation, province and regency, as far as consumption is seen."""
    above_line = np.log(rupiah / regency.poverty_line) / spread
    areas = {
        "nation": regency.poverty_share_nation,
        "province": regency.poverty_share_province,
        "regency": regency.poverty_share,
    }
    names = {"nation": "decile_national", "province": "decile_province", "regency": "decile_regency"}
    width = np.sqrt(1 + float(error.var()))
    return {
        names[area]: 1
        + np.searchsorted(_BOUNDS, (above_line + normal_quantile(share) + error) / width).astype(np.int32)
        for area, share in areas.items()
    }


def _bps_codes(villages: pl.DataFrame, regency: Regency) -> pl.DataFrame:
    """Codes of the other system per village: district and village in their order, as BPS numbers them."""
    district = pl.col("village_code").str.slice(6, 2)
    within = pl.int_range(1, pl.len() + 1).over(district).cast(pl.String).str.zfill(3)
    code = pl.concat_str(pl.lit(regency.code_bps), district, pl.lit("0"))
    return villages.select(
        "village_code",
        "village_name",
        code.alias("district_code_stated"),
        pl.concat_str(code, within).alias("village_code_stated"),
    )


def dtsen(
    rng: np.random.Generator, society: Society, rupiah: Array, regency: Regency, today: int, spread: float, rules: Dtsen
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Families and persons by the feeds' contracts, and the truth of it.

    Parameters
    ----------
    rupiah : int64 array
        True consumption of every family.
    spread : float
        Standard deviation of log consumption within a regency.

    Returns
    -------
    families, persons, truth : pl.DataFrame
        The truth: family_uid, family_card_number (listed), is_stale, is_under_old_card.
    """
    count = society.families.height
    known = chosen(rng, count, 1 - rules.unknown_families)
    stale = chosen(rng, count, rules.stale_families)
    under_old_card = stale & chosen(rng, count, rules.old_card)
    error = rules.decile_error * rng.standard_normal(count)
    old_day = today - rng.integers(_OLD_CARD_DAYS, 2 * _OLD_CARD_DAYS, count)
    old_card = numbers(society.families["region"].to_numpy(), old_day, serial=LATER_SERIALS + _OLD_CARD_SERIALS)
    card = pl.Series(np.where(under_old_card, old_card, society.families["card"].to_numpy())).cast(pl.String)
    own, birth = society.persons["family"].to_numpy(), society.persons["birth"].to_numpy()
    alive = society.persons["is_alive"].to_numpy()
    # A family listed long ago lacks its youngest and still has its dead.
    listed = known[own] & np.where(stale[own], birth < today - _SINCE_LISTED_DAYS, alive)
    members = society.persons.filter(pl.Series(listed))
    of = members["family"].to_numpy()
    size = np.bincount(of, minlength=count)
    rows = np.flatnonzero(known & (size > 0))
    name = written(members)
    head = heads(members.with_columns(name.alias("name")))
    head_name = (
        pl.DataFrame({"family": rows}).join(head.select("family", "name"), on="family", how="left").sort("family")
    )
    families = society.families[rows]
    places = families.select("village_code").join(
        _bps_codes(regency.villages, regency), on="village_code", how="left", maintain_order="left"
    )  # fmt: skip
    about = families.select(
        card.gather(rows).alias("family_card_number"),
        pl.lit(regency.code_bps[:2]).alias("province_code_stated"),
        pl.lit(regency.code_bps).alias("regency_code_stated"),
        places["district_code_stated"],
        places["village_code_stated"],
        places["village_name"],
        pl.Series("member_count", size[rows].astype(np.int32)),
        head_name["name"].alias("head_name"),
        *(pl.Series(column, value[rows]) for column, value in _deciles(rupiah, regency, spread, error).items()),
    )
    difficulty = members["disability"].to_numpy()
    kind = members["uid"].to_numpy() % len(_DIFFICULTIES)
    persons = members.select(
        card.gather(of).alias("family_card_number"),
        pl.when("has_nik").then(pl.col("nik").cast(pl.String)).alias("nik"),
        name.alias("name"),
        pl.Series("birth_date", birth[listed].astype(np.int32)).cast(pl.Date),
        pl.when("is_female").then(pl.lit(str(Sex.FEMALE))).otherwise(pl.lit(str(Sex.MALE))).alias("sex"),
        "relation",
        "marital_status",
        *(
            pl.Series(column, np.where(kind == at, difficulty, _NO_DIFFICULTY).astype(np.int32))
            for at, column in enumerate(_DIFFICULTIES)
        ),
    )
    truth = families.select(
        pl.col("uid").alias("family_uid"),
        about["family_card_number"],
        pl.Series("is_stale", stale[rows]),
        pl.Series("is_under_old_card", under_old_card[rows]),
    )
    return about, persons, truth
