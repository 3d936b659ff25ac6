"""Who is missing: families that DTSEN or Dukcapil knows and that have not registered, the frailest first.

Undercoverage starts here. Whether a missing family would qualify is not asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import polars as pl

from assets.registry.authors import HEAD
from assets.registry.rollups import ELDERLY_AGE, SEVERE, age_on
from assets.registry.statements import Statements
from schemas.regions import district_of, reference, regencies, regency_of
from schemas.regsosek import NO_IMPAIRMENT
from schemas.vocabularies import Feed, KnownTo

COUNTED = (
    "sight_difficulty", "hearing_difficulty", "walking_difficulty", "hands_difficulty", "learning_difficulty",
    "behaviour_difficulty", "speech_difficulty", "self_care_difficulty", "memory_difficulty",
)  # fmt: skip
"""The difficulties of DTSEN that tell a disability."""
_IDENTIFIED = ("family_card_number", "nik", "name", "birth_date")
_DIGITS = pl.col("village_code_stated").str.replace_all(".", "", literal=True)


@dataclass(frozen=True)
class Known:
    """Who is known to DTSEN or Dukcapil, and which of them is registered.

    Attributes
    ----------
    groups : mapping
        Regencies in groups of about as many families, named by their first.
    others : DataFrame
        From :func:`families_of`: the families that Dukcapil alone knows.
    registered, frail : DataFrame
        From :func:`recorded` and :func:`frailty`, of the nation: persons know no regency.
    """

    groups: Mapping[str, Sequence[str]]
    others: pl.DataFrame
    registered: pl.DataFrame
    frail: pl.DataFrame

    @classmethod
    def of(cls, said: Statements, cards: pl.LazyFrame, numbers: pl.LazyFrame, day: date, families: int) -> Self:
        """Who is known in a quarter.

        Parameters
        ----------
        cards, numbers : LazyFrame
            `family_card_number` and `nik` on record.
        day : date
            On which ages are counted.
        families : int
            About how many families of DTSEN or Dukcapil a group of regencies holds.
        """
        card = "family_card_number"
        persons, register = said.raw(Feed.DTSEN_PERSONS), last_issued(said.of(Feed.POPULATION_REGISTER))
        families_listed = said.raw(Feed.DTSEN_FAMILIES).filter(stated_regency(_in_bps_codes(said)).is_not_null())
        listed = families_listed.select(card)
        asked = persons.select(card, "nik").join(register.select("nik"), on="nik", how="semi")
        alone = unlisted(register, listed, asked.join(listed, on=card, how="semi").select("nik"))
        of_others = register.join(alone.lazy(), on=card, how="semi")
        others = families_of(of_others)
        groups = _groups(said, others, families)
        known = pl.concat(
            [
                persons.select(*_IDENTIFIED, is_disabled=pl.min_horizontal(COUNTED) <= SEVERE),
                of_others.select(*_IDENTIFIED, is_disabled=pl.col("impairment") != NO_IMPAIRMENT),
            ]
        )
        # Dukcapil also tells who the families are that DTSEN lists.
        named = pl.concat([known.select(card, "nik"), register.select(card, "nik")])
        if not groups:
            known, named, cards, numbers = known.clear(), named.clear(), cards.clear(), numbers.clear()
        registered = recorded(named, cards.select(card), numbers)
        return cls(groups, others, registered, frailty(known, registered, day))

    def families(self, said: Statements, group: str) -> pl.DataFrame:
        """The families of a group of regencies, each card once: `known_to`, place, head, address, members, decile."""
        told = ["village_code", "decile_national", "member_count", "head_name", "address"]
        in_bps, here = _in_bps_codes(said), self.groups[group]
        wanted = ("family_card_number", "village_code_stated", "village_name", "batch_id", *told[1:], "issued_on")
        of_dtsen = said.of(Feed.DTSEN_FAMILIES).filter(stated_regency(in_bps).is_in(here))
        listed = (
            placed(of_dtsen.select(wanted), in_bps)
            .sort("family_card_number", "issued_on", *told)
            .unique("family_card_number", keep="last", maintain_order=True)
            .select("family_card_number", *told, known_to=pl.lit(KnownTo.DTSEN.value))
            .collect()
        )
        others = self.others.filter(regency_of("village_code").is_in(here))
        return pl.concat([listed, others.with_columns(known_to=pl.lit(KnownTo.DUKCAPIL.value))], how="diagonal")


def _in_bps_codes(said: Statements) -> list[str]:
    return [batch.batch_id for batch in said.batches if batch.declaration.code_system == "bps"]


def _groups(said: Statements, others: pl.DataFrame, families: int) -> dict[str, list[str]]:
    of_dtsen = said.raw(Feed.DTSEN_FAMILIES).select(regency_code=stated_regency(_in_bps_codes(said)))
    of_dukcapil = others.lazy().select(regency_code=regency_of("village_code"))
    stated = pl.concat([of_dtsen, of_dukcapil]).drop_nulls()
    counts = stated.group_by("regency_code").len().sort("regency_code").collect()
    begun = (counts["len"].cum_sum() - counts["len"]) // families
    groups: dict[int, list[str]] = {}
    for code, group in zip(counts["regency_code"], begun, strict=True):
        groups.setdefault(group, []).append(code)
    return {codes[0]: codes for codes in groups.values()}


def stated_regency(bps_batches: Sequence[str]) -> pl.Expr:
    """Regency (Kemendagri) of a row of `dtsen_families`; a BPS code names it through the bridge of 2025.

    Parameters
    ----------
    bps_batches : sequence of str
        Batches that declare BPS codes; the others bear Kemendagri's.
    """
    pairs = regencies()
    bridged = _DIGITS.str.slice(0, 4).replace_strict(pairs["code_bps"], pairs["code"], default=None)
    dotted = pl.concat_str([_DIGITS.str.slice(0, 2), _DIGITS.str.slice(2, 2)], separator=".")
    return pl.when(pl.col("batch_id").is_in(sorted(bps_batches))).then(bridged).otherwise(dotted)


def placed(families: pl.LazyFrame, bps_batches: Sequence[str]) -> pl.LazyFrame:
    """Families of DTSEN with `village_code`, in canonical form.

    A BPS code names its district where the reference tables have the pair, and its village by the name stated beside
    it; what cannot be told stays a district or a regency.

    Parameters
    ----------
    families : LazyFrame
        Feed `dtsen_families`, at least the columns of the village and `batch_id`.
    bps_batches : sequence of str
        As in :func:`stated_regency`.
    """
    dotted = pl.concat_str(
        [stated_regency(()), _DIGITS.str.slice(4, 2), _DIGITS.str.slice(6)], separator="."
    )  # fmt: skip
    districts, villages = reference("districts"), reference("villages")
    district = _DIGITS.str.slice(0, 7).replace_strict(districts["code_bps"], districts["code"], default=None)
    named = villages.lazy().select(_district="district_code", _name=pl.col("name").str.to_uppercase(), _village="code")
    return (
        families.with_columns(_district=district, _name=pl.col("village_name").str.strip_chars().str.to_uppercase())
        .join(named, on=["_district", "_name"], how="left")
        .with_columns(
            village_code=pl.when(pl.col("batch_id").is_in(sorted(bps_batches)))
            .then(pl.coalesce("_village", "_district", stated_regency(bps_batches)))
            .otherwise(dotted)
        )
        .drop("_district", "_name", "_village")
    )


def last_issued(register: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of the last issue of each card; without cards all of whose numbered persons stand on one issued later.

    Parameters
    ----------
    register : LazyFrame
        Feed `population_register` with `issued_on`.
    """
    card = "family_card_number"
    last = register.join(register.group_by(card).agg(pl.col("issued_on").max()), on=[card, "issued_on"], how="semi")
    numbered = last.select(card, "nik", "issued_on").drop_nulls("nik")
    stands = pl.col("issued_on") == pl.col("issued_on_last")
    replaced = (
        numbered.join(numbered.group_by("nik").agg(issued_on_last=pl.col("issued_on").max()), on="nik")
        .group_by(card)
        .agg(stands.any().alias("stands"))
        .filter(~pl.col("stands"))
    )
    return last.join(replaced, on=card, how="anti")


def unlisted(register: pl.LazyFrame, cards: pl.LazyFrame, numbers: pl.LazyFrame) -> pl.DataFrame:
    """`family_card_number` of the families of the population register that DTSEN does not list, under whatever card.

    Parameters
    ----------
    register : LazyFrame
        Feed `population_register`, at least card and NIK.
    cards, numbers : LazyFrame
        `family_card_number` and `nik` of DTSEN.
    """
    known = register.select("family_card_number").unique()
    listed = recorded(register, known.join(cards, on="family_card_number", how="semi"), numbers)
    return known.join(listed.lazy(), on="family_card_number", how="anti").sort("family_card_number").collect()


def families_of(register: pl.LazyFrame) -> pl.DataFrame:
    """Families of the population register where their head lives: card, `village_code, head_name, address`.

    Parameters
    ----------
    register : LazyFrame
        Rows of feed `population_register`.
    """
    is_head = (pl.col("relation") == HEAD).fill_null(value=False)
    lives_there = pl.col("village_code") == pl.col("village_code").last()
    return (
        register.sort("family_card_number", is_head, "village_code", "address", "name", nulls_last=True)
        .group_by("family_card_number", maintain_order=True)
        .agg(
            pl.col("village_code").last(),
            pl.col("address").filter(lives_there).drop_nulls().last(),
            head_name=pl.col("name").filter(is_head).last(),
        )
        .collect()
    )


def recorded(persons: pl.LazyFrame, cards: pl.LazyFrame, numbers: pl.LazyFrame) -> pl.DataFrame:
    """`family_card_number` of the families that are on record, under whatever card.

    A family is on record if its card is, or any of its persons.

    Parameters
    ----------
    persons : LazyFrame
        Persons, at least card and NIK.
    cards, numbers : LazyFrame
        `family_card_number` and `nik` on record.
    """
    by_person = persons.select("family_card_number", "nik").join(numbers, on="nik", how="semi")
    return pl.concat([cards, by_person.select("family_card_number")]).unique().collect()


def frailty(persons: pl.LazyFrame, registered: pl.DataFrame, day: date) -> pl.DataFrame:
    """`family_card_number, elderly_count, disabled_count`, and `stated`, the number of persons, of the unregistered.

    Parameters
    ----------
    persons : LazyFrame
        Persons known: card, NIK, name, birth date and `is_disabled`.
    registered : DataFrame
        From :func:`recorded`.
    day : date
        On which ages are counted.
    """
    return (
        persons.join(registered.lazy(), on="family_card_number", how="anti")
        .group_by(_IDENTIFIED)
        .agg(pl.col("is_disabled").any())
        .group_by("family_card_number")
        .agg(
            elderly_count=(age_on(day) >= ELDERLY_AGE).sum().cast(pl.Int64),
            disabled_count=pl.col("is_disabled").sum().cast(pl.Int64),
            stated=pl.len().cast(pl.Int64),
        )
        .collect()
    )


def outreach(
    families: pl.DataFrame, registered: pl.DataFrame, frail: pl.DataFrame, agents: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The families to be called on, and how well each village is covered.

    Parameters
    ----------
    families : DataFrame
        Families of some regencies that are known, with `known_to`, `village_code` in canonical form, head, address and,
        where DTSEN says so, members and decile.
    registered, frail : DataFrame
        From :func:`recorded` and :func:`frailty`, at least of these families.
    agents : DataFrame
        Feed `agents` of these regencies.

    Returns
    -------
    outreach, coverage : DataFrame
        By the contracts `registry/outreach` and `registry/coverage`. The agent is the first by name of those who
        serve the village.
    """
    serving = agents.drop_nulls("village_code").group_by("village_code").agg(
        pl.col("agent_id").min(), agents=pl.col("agent_id").n_unique().cast(pl.Int64)
    )  # fmt: skip
    placed_families = (
        families.join(frail, on="family_card_number", how="left")
        .join(registered.with_columns(is_registered=pl.lit(value=True)), on="family_card_number", how="left")
        .join(serving, on="village_code", how="left")
        .with_columns(
            pl.col("elderly_count", "disabled_count", "agents").fill_null(0),
            pl.col("is_registered").fill_null(value=False),
            member_count=pl.coalesce("member_count", "stated", 0),
            regency_code=regency_of("village_code"),
            district_code=district_of("village_code"),
        )
    )
    missing = placed_families.filter(~pl.col("is_registered")).sort(
        "village_code", "elderly_count", "disabled_count", "decile_national", "family_card_number",
        descending=[False, True, True, False, False], nulls_last=True,
    )  # fmt: skip
    is_missing = ~pl.col("is_registered")
    covered = placed_families.group_by("regency_code", "district_code", "village_code").agg(
        pl.col("agents").first(),
        known=pl.len().cast(pl.Int64),
        registered=pl.col("is_registered").sum().cast(pl.Int64),
        missing=is_missing.sum().cast(pl.Int64),
        missing_elderly=(is_missing & (pl.col("elderly_count") > 0)).sum().cast(pl.Int64),
        missing_disabled=(is_missing & (pl.col("disabled_count") > 0)).sum().cast(pl.Int64),
    )
    return missing.with_columns(priority=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("village_code")), covered
