"""From claims to persons: pairs of identities found, linked or left to a clerk, every person in one family.

The linkage itself (weights, thresholds) is :mod:`assets.registry.linkage`; who keeps whom is `settling`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from assets.frames import split_repeated
from assets.pseudonyms import PseudonymKey
from assets.registry.claims import is_stranger, number_agrees
from assets.registry.linkage.scoring import SAME_DATE, SAME_NAME
from assets.registry.settling import (
    FACTS,
    Rights,
    Settled,
    components,
    decided_links,
    pair_cases,
    settle,
)
from quotas.rules import RegistryRule
from schemas.vocabularies import CaseKind, LinkBasis, LinkOutcome, Ruling

PairScorer = Callable[[pl.DataFrame], pl.DataFrame]
"""From people (`id, full_name, birth_date, region, national_id`) to pairs, as `linkage.score_pairs` gives them."""
_WEIGHTS = ("weight_micro", "probability")
_SIDES = ("left", "right")
_STATED = ("first_stated_date", "stated_date")
_OF_A_SIDE = ("family_id", "nik", "birth_date", "sex")
_FAMILIES = ["family_id_left", "family_id_right"]
_NO_ALIASES = pl.DataFrame(schema={"person_id": pl.String, "identity_id": pl.String})
_A_PAIR = 2


@dataclass(frozen=True)
class Identified:
    """The persons of the registry as far as they were in doubt, and what is left to a clerk.

    Attributes
    ----------
    settled : Settled
        Persons linked or claimed by several families, each in one.
    links, cases : DataFrame
        Contracts `registry/links` and `registry/cases`, the latter without the columns of families.
    """

    settled: Settled
    links: pl.DataFrame
    cases: pl.DataFrame


def identify(
    claims: pl.LazyFrame,
    previous_links: pl.DataFrame,
    previous_aliases: pl.DataFrame,
    rulings: pl.DataFrame,
    index: pl.DataFrame,
    rights: Rights,
    scored: PairScorer,
    rule: RegistryRule,
    key: PseudonymKey,
) -> Identified:
    """Who is whom among all claims of a quarter.

    Parameters
    ----------
    claims : LazyFrame
        Contract `registry/claims`, every bucket.
    previous_links, previous_aliases : DataFrame
        Last quarter's, by the contracts of these names.
    rulings : DataFrame
        Contract `registry/adjudications`.
    index : DataFrame
        From :func:`assets.registry.families.family_index`.
    rights : Rights
        Which families may take persons from which others.
    scored : callable
        Gives the pairs of identities that may be one person.
    """
    contested = _claimed_by_several(claims)
    misread = _misread(contested, claims)
    read = claims.join(misread.lazy(), on=["identity_id", "family_id"], how="anti")
    people = people_of(read, index.lazy().filter("is_current"))
    # Whose number a family disputes with other facts is for the case to settle, not for the model.
    comparable = people.join(_disputed(contested, misread), on="identity_id", how="anti")
    exact = _exact_pairs(comparable)
    modelled = _not_stated_together(_model_pairs(comparable, contested, scored), exact, claims)
    found = pl.concat([_sharers(claims, exact), exact, modelled], how="diagonal_relaxed").unique(
        ["id_left", "id_right"], keep="first", maintain_order=True
    )
    kept = previous_links.filter(pl.col("outcome") == LinkOutcome.SAME.value).drop("case_id")
    # Once one person, always one: what a clerk is asked about anew parts nobody.
    asked = found.filter(pl.col("outcome") == LinkOutcome.CLERK.value)
    found = found.join(
        asked.join(kept, on=["id_left", "id_right"], how="semi"),
        on=["id_left", "id_right"],
        how="anti",
        maintain_order="left",
    )
    carried = _both_among(kept.join(found, on=["id_left", "id_right"], how="anti"), people)
    pairs = pair_cases(
        pl.concat([found, carried], how="diagonal_relaxed").sort("id_left", "id_right"),
        people.select("identity_id", *FACTS), rulings, key,
    )  # fmt: skip
    links = _not_through_others(decided_links(pairs), previous_aliases, claims)
    links, aliases = _not_against_rulings(links, previous_aliases, pairs)
    same = links.filter(pl.col("outcome") == LinkOutcome.SAME.value)
    parts = components(same, aliases)
    doubtful = pl.concat([contested["identity_id"], parts["identity_id"], misread["meant_id"]]).unique()
    in_doubt = claims.join(doubtful.to_frame("identity_id").lazy(), on="identity_id", how="semi").collect()
    chosen = pl.concat(
        [same.select(identity_id=side, family_id="ruled_family_id").drop_nulls() for side in ("id_left", "id_right")]
    )
    settled = settle(in_doubt, misread, parts, aliases, rulings, chosen, index, rights, key)
    return Identified(settled, links, _cases(links, people, settled, index, rule))


def people_of(claims: pl.LazyFrame, homes: pl.LazyFrame) -> pl.DataFrame:
    """One row per identity: what it is compared by, as last stated by whoever kept it, else by anybody.

    Parameters
    ----------
    claims : LazyFrame
        Contract `registry/claims`.
    homes : LazyFrame
        `family_id, village_code` of the families on record.
    """
    stated = (
        claims.select("identity_id", "family_id", "nik", "name", "birth_date", "sex", *_STATED, "was_here")
        .join(homes.select("family_id", "village_code"), on="family_id")
        .collect()
    )
    once, often = split_repeated(stated, ["identity_id"])
    first = often.sort("identity_id", pl.col("was_here").not_(), pl.col("stated_date"), "family_id").unique(
        "identity_id", keep="first", maintain_order=True
    )
    return pl.concat([once, first])


def compared(people: pl.DataFrame) -> pl.DataFrame:
    """People as the linkage model sees them: `id, full_name, birth_date, region, national_id`."""
    return people.select(
        id="identity_id", full_name="name", birth_date="birth_date", region="village_code", national_id="nik"
    )


def _exact_pairs(people: pl.DataFrame) -> pl.DataFrame:
    """Pairs of one family with the same name and birth date that were never stated together.

    A newborn has been given its number since, or a number is wrong: nobody has two children of one name and birthday.
    """
    names = ["family_id", "name", "birth_date"]
    several = people.filter(pl.struct(names).hash().is_duplicated()).select("identity_id", *names, *_STATED)
    pairs = several.join(several, on=names, suffix="_other").filter(pl.col("identity_id") < pl.col("identity_id_other"))
    together = _together("", "_other")
    return pairs.filter(~together).select(
        id_left="identity_id",
        id_right="identity_id_other",
        outcome=pl.lit(LinkOutcome.SAME.value),
        basis=pl.lit(LinkBasis.EXACT.value),
    )


def _together(left: str, right: str) -> pl.Expr:
    """Whether two identities were stated on one day, as far as first and last days tell."""
    return pl.any_horizontal(
        pl.col(f"{one}{left}") == pl.col(f"{other}{right}") for one in _STATED for other in _STATED
    )


def _sharers(claims: pl.LazyFrame, exact: pl.DataFrame) -> pl.DataFrame:
    """Pairs of one family's persons stated under one number, until another is stated: two, and a clerk is asked."""
    mended = pl.concat([exact["id_left"], exact["id_right"].alias("id_left")]).implode()
    sharing = claims.filter(pl.col("shared_nik").is_not_null(), pl.col("identity_id").is_in(mended).not_()).select(
        "family_id", "identity_id", nik="shared_nik"
    )
    pairs = sharing.join(claims, on=["family_id", "nik"], suffix="_other").select(
        id_left=pl.min_horizontal("identity_id", "identity_id_other"),
        id_right=pl.max_horizontal("identity_id", "identity_id_other"),
        outcome=pl.lit(LinkOutcome.CLERK.value),
        basis=pl.lit(LinkBasis.EXACT.value),
    )
    return pairs.unique().sort("id_left", "id_right").collect()


def _model_pairs(people: pl.DataFrame, contested: pl.DataFrame, scored: PairScorer) -> pl.DataFrame:
    """Pairs that the linkage model takes for one person or leaves to a clerk.

    Two whom one family never states together and who have the name or the birth date in common are one: the clerk's
    threshold is enough, unless the names differ and both numbers say the birth date and sex of who bears them. Of two
    families, whom the model is certain of is one person where the birth dates are the same and, if a number is missing,
    the families have somebody else in common: namesakes of one village and birth date are rare, but so is who has no
    number. A clerk decides the others.
    """
    pairs = scored(compared(people))
    for side in _SIDES:
        known = people.select("identity_id", *(pl.col(name).alias(f"{name}_{side}") for name in _OF_A_SIDE))
        pairs = pairs.join(known, left_on=f"id_{side}", right_on="identity_id", maintain_order="left")
    pairs = pairs.join(_families_in_touch(contested, pairs), on=_FAMILIES, how="left", maintain_order="left")
    is_one_family = pl.col("family_id_left") == pl.col("family_id_right")
    is_same_name, is_same_date = pl.col("level_full_name") >= SAME_NAME, pl.col("level_birth_date") == SAME_DATE
    are_sound = pl.all_horizontal(pl.col(f"nik_{side}").is_not_null() & number_agrees(f"_{side}") for side in _SIDES)
    is_one_there = is_same_name | (is_same_date & ~are_sound)
    has_numbers = pl.all_horizontal(pl.col("nik_left", "nik_right").is_not_null())
    is_borne_out = has_numbers | pl.col("is_in_touch").fill_null(value=False)
    decided = (
        pl.when(is_one_family & is_one_there)
        .then(pl.lit(LinkOutcome.SAME.value))
        .when(is_one_family | ~is_same_date | ~is_borne_out)
        .then(pl.lit(LinkOutcome.CLERK.value))
        .otherwise("outcome")
    )
    return pairs.with_columns(outcome=decided, basis=pl.lit(LinkBasis.MODEL.value)).drop(
        "is_in_touch", *(f"{name}_{side}" for side in _SIDES for name in _OF_A_SIDE)
    )


def _families_in_touch(contested: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs of families (`family_id_left, family_id_right, is_in_touch`) that may have more than one person in common.

    A number that both claim, or further pairs of the model between them.
    """
    claimed = contested.select("identity_id", "family_id")
    numbers = claimed.join(claimed, on="identity_id", suffix="_right").filter(
        pl.col("family_id") != pl.col("family_id_right")
    )
    both_ways = pl.concat(
        [
            pairs.filter(pl.col("outcome") == LinkOutcome.SAME.value).select("id_left", *_FAMILIES),
            pairs.filter(pl.col("outcome") == LinkOutcome.SAME.value).select(
                "id_left", family_id_left="family_id_right", family_id_right="family_id_left"
            ),
        ]
    )
    several = both_ways.group_by(_FAMILIES).agg(pl.col("id_left").n_unique()).filter(pl.col("id_left") > 1)
    numbers = numbers.select(family_id_left="family_id", family_id_right="family_id_right")
    return pl.concat([numbers, several.select(_FAMILIES)]).unique().with_columns(is_in_touch=pl.lit(value=True))


def _not_stated_together(pairs: pl.DataFrame, exact: pl.DataFrame, claims: pl.LazyFrame) -> pl.DataFrame:
    """Leave out pairs whom one family states on the same day: a card lists nobody twice, so twins are no pair.

    Nor is whoever is one person with either of them by an exact pair.
    """
    sides = pl.concat([pairs["id_left"], pairs["id_right"].alias("id_left")])
    parts = components(exact, _NO_ALIASES)
    labels = pl.concat([parts.select("identity_id", _part=pl.format("{}", "component")),
                        sides.unique().to_frame("identity_id").join(parts, on="identity_id", how="anti")
                        .select("identity_id", _part="identity_id")])  # fmt: skip
    stated = claims.join(labels.lazy(), on="identity_id").select("_part", "family_id", *_STATED).collect()
    days = pl.concat([stated.select("_part", "family_id", day=day) for day in _STATED]).unique()
    labelled = pairs.select("id_left", "id_right")
    for side in _SIDES:
        labelled = labelled.join(labels.rename({"_part": f"_{side}"}), left_on=f"id_{side}", right_on="identity_id")
    together = labelled.join(days, left_on="_left", right_on="_part").join(
        days, left_on=["_right", "family_id", "day"], right_on=["_part", "family_id", "day"], how="semi"
    )
    return pairs.join(together, on=["id_left", "id_right"], how="anti", maintain_order="left")


def _both_among(pairs: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    known = people.select("identity_id")
    for side in ("id_left", "id_right"):
        pairs = pairs.join(known, left_on=side, right_on="identity_id", how="semi")
    return pairs


def _not_through_others(links: pl.DataFrame, previous_aliases: pl.DataFrame, claims: pl.LazyFrame) -> pl.DataFrame:
    """Links by which nobody is one person, through somebody else, with whom his family states beside him.

    As twins of whom the newborn without a name may be either: a clerk decides all links of that chain but his own.
    """
    is_same = pl.col("outcome") == LinkOutcome.SAME.value
    parts = components(links.filter(is_same), previous_aliases).filter(pl.len().over("component") > _A_PAIR)
    known = parts.join(previous_aliases, on="identity_id", how="left").with_columns(
        pl.coalesce("person_id", "identity_id").alias("person_id")
    )
    stated = (
        claims.join(known.lazy(), on="identity_id").select("component", "person_id", "family_id", *_STATED).collect()
    )
    days = pl.concat([stated.select("component", "person_id", "family_id", day=day) for day in _STATED])
    beside = days.group_by("component", "family_id", "day").agg(pl.col("person_id").n_unique() > 1).filter("person_id")
    members = parts.join(beside, on="component", how="semi")["identity_id"].implode()
    is_chain = pl.col("id_left").is_in(members) & (pl.col("basis") != LinkBasis.CLERK.value)
    left = pl.when(is_same & is_chain).then(pl.lit(LinkOutcome.CLERK.value)).otherwise("outcome")
    return links.with_columns(outcome=left)


def _not_against_rulings(
    links: pl.DataFrame, previous_aliases: pl.DataFrame, pairs: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Links and aliases by which nobody is one person with whom a clerk ruled to be another.

    Where a chain of links would do it all the same, the model's links of the chain are left to the clerk.
    """
    apart = pairs.filter(pl.col("ruling") == Ruling.DIFFERENT.value).select("id_left", "id_right", "case_id")
    torn = pl.concat([apart["id_left"], apart["id_right"].alias("id_left")]).unique()
    aliases = previous_aliases.filter(pl.col("identity_id").is_in(torn.implode()).not_())
    is_same = pl.col("outcome") == LinkOutcome.SAME.value
    parts = components(links.filter(is_same), aliases)
    label = dict(parts.iter_rows())
    broken = {label[left] for left, right, _ in apart.iter_rows() if left in label and label[left] == label.get(right)}
    if not broken:
        return links, aliases
    members = parts.filter(pl.col("component").is_in(sorted(broken)))["identity_id"].implode()
    is_chain = pl.col("id_left").is_in(members) & (pl.col("basis") == LinkBasis.MODEL.value)
    left = pl.when(is_same & is_chain).then(pl.lit(LinkOutcome.CLERK.value)).otherwise("outcome")
    return links.with_columns(outcome=left), aliases.filter(pl.col("identity_id").is_in(members).not_())


def _claimed_by_several(claims: pl.LazyFrame) -> pl.DataFrame:
    """Claims of identities that several families state."""
    identity = pl.col("identity_id")
    several = claims.select(identity).collect().filter(identity.hash().is_duplicated())
    several = several.filter(identity.is_duplicated()).unique()
    return claims.join(several.lazy(), on="identity_id", how="semi").collect()


def _misread(contested: pl.DataFrame, claims: pl.LazyFrame) -> pl.DataFrame:
    """Claims by which a family gave one of its persons a number that is somebody else's, by a slip of the pen.

    The family states the same name and birth date under another number too, on another day, and who else bears the
    number is a stranger.

    Returns
    -------
    DataFrame
        `identity_id, family_id, meant_id, meant_nik`: the identity that was meant.
    """
    side = contested.select("identity_id", "family_id", "name", "birth_date", *_STATED)
    others = side.join(side, on="identity_id", suffix="_other").filter(pl.col("family_id") != pl.col("family_id_other"))
    strange = others.group_by("identity_id", "family_id").agg(is_stranger().all().alias("_strange")).filter("_strange")
    same = ["family_id", "name", "birth_date"]
    homes = side.join(strange, on=["identity_id", "family_id"], how="semi")
    meant = claims.join(homes.lazy().select(same), on=same, how="semi").collect()
    return (
        homes.join(meant.select("identity_id", *same, *_STATED, "nik"), on=same, suffix="_meant")
        .filter((pl.col("identity_id") != pl.col("identity_id_meant")) & ~_together("", "_meant"))
        .sort("identity_id", "family_id", "identity_id_meant")
        .unique(["identity_id", "family_id"], keep="first", maintain_order=True)
        .select("identity_id", "family_id", meant_id="identity_id_meant", meant_nik="nik")
    )


def _disputed(contested: pl.DataFrame, misread: pl.DataFrame) -> pl.DataFrame:
    """`identity_id` of numbers that strangers claim."""
    left = contested.join(misread, on=["identity_id", "family_id"], how="anti").select(
        "identity_id", "family_id", "name", "birth_date"
    )
    others = left.join(left, on="identity_id", suffix="_other").filter(pl.col("family_id") < pl.col("family_id_other"))
    return others.filter(is_stranger()).select("identity_id").unique()


def _cases(
    links: pl.DataFrame, people: pl.DataFrame, settled: Settled, index: pl.DataFrame, rule: RegistryRule
) -> pl.DataFrame:
    """Open cases with both their sides: numbers that two families claim, and pairs that are or may be one person."""
    unruled = links.filter(pl.col("ruling").is_null())
    families = index.filter("is_current").select(
        "family_id", "regency_code", "is_verified", "is_sitting", "first_registered_date"
    )
    same = _sides(unruled.filter(pl.col("outcome") == LinkOutcome.SAME.value), settled.ranked)
    linked = same.filter(pl.col("family_id").n_unique().over("case_id") > 1).with_columns(
        kind=pl.lit(CaseKind.LINKED_IN_TWO_FAMILIES.value)
    )
    alone = people.select("identity_id", "family_id", person_id="identity_id", is_kept=pl.lit(value=True))
    homes = pl.concat(
        [
            settled.ranked.select(alone.columns).filter("is_kept"),
            alone.join(settled.ranked, on="identity_id", how="anti"),
        ]
    )
    asked = unruled.filter(pl.col("outcome") == LinkOutcome.CLERK.value)
    is_shared = pl.col("basis") == LinkBasis.EXACT.value
    sharing = _sides(asked.filter(is_shared), homes).with_columns(
        is_kept=pl.lit(value=True), kind=pl.lit(CaseKind.NIK_OF_TWO_IN_ONE_FAMILY.value)
    )
    doubtful = _capped(
        _sides(asked.filter(~is_shared), homes)
        .join(families, on="family_id")
        .sort(
            "case_id", pl.col("is_verified").not_(), pl.col("is_sitting").not_(), "first_registered_date", "family_id",
            "identity_id",
        )
        .with_columns(
            is_kept=pl.col("family_id") == pl.col("family_id").first().over("case_id"),
            kind=pl.lit(CaseKind.POSSIBLE_DUPLICATE.value),
        ),
        -(-families.height * rule.clerk_cases_per_thousand_families // 1000),
    )  # fmt: skip
    numbers = settled.cases.drop("is_kept").join(settled.ranked, on=["identity_id", "family_id"])
    columns = [
        "case_id", "identity_id", "person_id", "family_id", "kind", "is_kept", "facts_hash", *_WEIGHTS, "was_ruled",
    ]  # fmt: skip
    return (
        pl.concat([one.select(columns) for one in (numbers, linked, sharing, doubtful)], how="vertical_relaxed")
        .join(families.select("family_id", "regency_code", "is_verified"), on="family_id")
        .sort("case_id", "identity_id", "family_id")
    )


def _sides(pairs: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """Each pair twice, once for either identity, with the person it is and the family that claims it."""
    sides = [
        pairs.select("case_id", pl.col(side).alias("identity_id"), "facts_hash", *_WEIGHTS, "was_ruled")
        for side in ("id_left", "id_right")
    ]
    return pl.concat(sides).join(homes, on="identity_id")


def _capped(sides: pl.DataFrame, most: int) -> pl.DataFrame:
    """The cases a clerk is given: those first that may let a family in twice, then the likeliest.

    Of persons who all resemble one another the likeliest pair comes first, and the others after every other group: who
    registers many alike fills no list.
    """
    is_newcomer = ~(pl.col("is_verified") | pl.col("is_sitting"))
    sides_of_case = sides.group_by("case_id").agg(
        pl.col("identity_id").unique().sort(),
        is_across=pl.col("family_id").n_unique() > 1,
        is_consequential=is_newcomer.any() & is_newcomer.not_().any(),
        probability=pl.col("probability").max(),
    )
    pairs = sides_of_case.select(id_left=pl.col("identity_id").list.first(), id_right=pl.col("identity_id").list.last())
    alike = components(pairs, _NO_ALIASES)
    order = ["is_across", "is_consequential", "probability"]
    chosen = (
        sides_of_case.with_columns(identity_id=pl.col("identity_id").list.first())
        .join(alike, on="identity_id", how="left")
        .sort(*order, "case_id", descending=[True, True, True, False], nulls_last=True)
        .with_columns(_turn=pl.int_range(pl.len()).over("component"))
        .sort("is_across", "is_consequential", "_turn", descending=[True, True, False], maintain_order=True)
        .head(most)
    )
    return sides.join(chosen.select("case_id"), on="case_id", how="semi")
