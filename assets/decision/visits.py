"""Visits that matter: the families likeliest on the wrong side of the cut-off, and a random sample beside them.

The first are visited because a visit may change what they get, the others so that errors can be estimated without bias.
Nothing is decided here.
"""

import hashlib
import struct

import polars as pl

from assets.decision.deciles import FRAMES, NATION
from assets.decision.families import Terms
from quotas.rules import MILLION
from schemas.vocabularies import Status

STRATA = (Status.RECIPIENT, Status.WAITING, Status.HELD, Status.NOT_SCORABLE, Status.INELIGIBLE)
"""Where a family stands: the first of these that it has in any programme."""
FEWEST = 2
"""Families sampled of a stratum at least, where it has them: one alone has no spread."""
_THOUSAND = 1_000
_LETTERS, _PRIME = 20, 2**31 - 1
"""Letters of a reference with room for one more, and the largest prime whose products fit 64 bits."""
_PLACES = ("reference", "regency_code", "district_code", "village_code")
_BY_DECILE_ALONE = (pl.col("status") == Status.INELIGIBLE) & (pl.col("reasons").list.join(",") == "decile_above")
_IS_LISTED = pl.col("status").is_in([Status.RECIPIENT.value, Status.WAITING.value])


def visits(decided: pl.DataFrame, listed: pl.DataFrame, residuals: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Whom BPS is to visit in one regency beside its worklist (contract `decision/visits`).

    Policy says how many families of a thousand evaluated are visited for each of the two grounds, rounded up
    (`welfare.visits_per_thousand_families`, `welfare.sample_per_thousand_families`).

    Parameters
    ----------
    decided : DataFrame
        Contract `decision/decisions`, complete for the regency.
    listed : DataFrame
        Contract `decision/worklist` of the regency: reasons for which a family is visited anyway.
    residuals : DataFrame
        Contract `welfare/residuals`; without any nobody is on the wrong side, and the sample stands alone.
    """
    rule = terms.policy.welfare
    likeliest = wrong_side(decided, residuals, terms)
    reasons = listed.group_by("family_id").agg(reasons=pl.col("reason").sort())
    families = (
        _standing(decided)
        .join(likeliest, on="family_id", how="left")
        .join(reasons, on="family_id", how="left")
        .with_columns(pl.col("reasons").fill_null([]))
    )
    return _sampled(_targeted(families, rule.visits_per_thousand_families), rule.sample_per_thousand_families, terms)


def wrong_side(decided: pl.DataFrame, residuals: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The largest chance that a family's true welfare lies on the other side of a cut-off than its score.

    Asked of whoever has a rank and, where our own decile decides, of whoever is excluded by the decile alone. The
    cut-off is that of the places; where nobody waits, the limit of the decile. True welfare is the score and a residual
    as likely as those of the survey.

    Returns
    -------
    DataFrame
        `family_id, programme, wrong_side_micro` (Int64, millionths), one row per family, the programme of the largest
        chance; equal chances go to the first by name.
    """
    asked = _distances(decided, terms).drop_nulls("_distance")
    likely = residuals.sort("residual_micro")["residual_micro"]
    if likely.is_empty():
        return asked.clear().select("family_id", "programme", wrong_side_micro=pl.lit(None, pl.Int64))
    poorer = pl.lit(likely).search_sorted(-pl.col("_distance"), side="right").cast(pl.Int64)
    mass = pl.when(pl.col("status") == Status.RECIPIENT).then(len(likely) - poorer).otherwise(poorer)
    return (
        asked.select("family_id", "programme", wrong_side_micro=mass * MILLION // len(likely))
        .sort("family_id", "wrong_side_micro", "programme", descending=[False, True, False])
        .unique("family_id", keep="first", maintain_order=True)
    )


def _distances(decided: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Score less cut-off, `_distance`, of those asked; null where there is no cut-off."""
    rule, area = terms.policy.welfare, [terms.area, "programme"]
    decides = rule.decile_source == "own"
    limits = terms.cut_points.join(_deciles_asked(terms), on="decile").select(
        "frame", "programme", "highest_score_micro"
    )
    length = FRAMES[rule.decile_frame]
    frame = pl.col("regency_code").str.slice(0, length) if length else pl.lit(NATION)
    asked = _IS_LISTED | _BY_DECILE_ALONE if decides else _IS_LISTED
    score = pl.col("score_micro")
    last = score.filter(pl.col("status") == Status.RECIPIENT).max().over(area)
    from_places = pl.when(_IS_LISTED).then("cutoff_distance_micro").otherwise(score - last)
    waits = (pl.col("status") == Status.WAITING).any().over(area)
    return (
        decided.with_columns(frame=frame, _from_places=from_places, _waits=waits)
        .filter(asked & score.is_not_null())
        .join(limits, on=["frame", "programme"], how="left", maintain_order="left")
        .with_columns(_distance=pl.when("_waits").then("_from_places").otherwise(score - pl.col("highest_score_micro")))
    )


def _deciles_asked(terms: Terms) -> pl.DataFrame:
    """`programme, decile`: the highest decile of each programme that asks for our own."""
    asked = [(str(code), one.max_decile) for code, one in terms.policy.programmes.items()]
    table = pl.DataFrame(asked, schema={"programme": pl.String, "decile": pl.Int32}, orient="row").drop_nulls()
    return table if terms.policy.welfare.decile_source == "own" else table.clear()


def _standing(decided: pl.DataFrame) -> pl.DataFrame:
    """One row per family with its `stratum`."""
    place = pl.col("status").replace_strict({one.value: at for at, one in enumerate(STRATA)}, return_dtype=pl.Int8)
    words = pl.lit(pl.Series([one.value for one in STRATA]))
    return (
        decided.group_by("family_id")
        .agg(pl.col(_PLACES).first(), _place=place.min())
        .with_columns(stratum=words.gather(pl.col("_place").cast(pl.UInt32)))
        .drop("_place")
    )


def _targeted(families: pl.DataFrame, per_thousand: int) -> pl.DataFrame:
    """The families with `is_targeted`: the largest chances above none, equal ones in the order of the references."""
    most = -(-families.height * per_thousand // _THOUSAND)
    ordered = families.sort("wrong_side_micro", "reference", descending=[True, False], nulls_last=True)
    is_chance = pl.col("wrong_side_micro").fill_null(0) > 0
    return ordered.with_columns(is_targeted=is_chance & (pl.int_range(pl.len()) < most))


def _sampled(families: pl.DataFrame, per_thousand: int, terms: Terms) -> pl.DataFrame:
    """Those targeted or sampled, with the chance each family of the stratum had of being sampled.

    Of each stratum the sample are the families whose references come first in an order that the quarter's seed draws.
    A family's place in it depends on no other family: one that a late batch or a further revision adds takes at most
    one place of the sample, and whoever adds it moves nobody else.
    """
    counts = ("stratum_families", "stratum_sampled", "inclusion_micro")
    none = families.clear().with_columns(pl.lit(0, pl.Int64).alias(name) for name in counts)
    parts = [none.with_columns(is_sampled=pl.lit(value=False)).select(*families.columns, "is_sampled", *counts)]
    for (stratum,), part in sorted(families.partition_by("stratum", as_dict=True).items()):
        drawn = min(max(-(-part.height * per_thousand // _THOUSAND), FEWEST), part.height) if per_thousand else 0
        word = f"{terms.days.lottery_seed}|visits|{part['regency_code'][0]}|{stratum}"
        parts.append(
            part.sort(_drawn_order(word), "reference").with_columns(
                is_sampled=pl.int_range(pl.len()) < drawn,
                stratum_families=pl.lit(part.height, pl.Int64),
                stratum_sampled=pl.lit(drawn, pl.Int64),
                inclusion_micro=pl.lit(drawn * MILLION // part.height, pl.Int64),
            )
        )
    chosen = pl.concat(parts).filter(pl.col("is_targeted") | pl.col("is_sampled"))
    return chosen.sort("regency_code", "village_code", "family_id")


def _drawn_order(word: str) -> pl.Expr:
    """Number that a word draws for a reference: a linear hash modulo a prime (Carter and Wegman 1979)."""
    *factors, offset = struct.unpack(">6I", hashlib.sha256(word.encode()).digest()[:24])
    letters = pl.col("reference").str.pad_end(_LETTERS).cast(pl.Binary)
    groups = [
        letters.bin.slice(at, 4).bin.reinterpret(dtype=pl.UInt32, endianness="big").cast(pl.Int64)
        for at in range(0, _LETTERS, 4)
    ]
    products = [group * (factor % _PRIME) % _PRIME for group, factor in zip(groups, factors, strict=True)]
    drawn: pl.Expr = (pl.sum_horizontal(products) + offset) % _PRIME
    return drawn
