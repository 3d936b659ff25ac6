"""Who is whom, and with which family a person counts: identities linked, claims ranked, rulings obeyed, cases opened.

All of it on the few claims that are in doubt or linked; the many that one family alone makes need no settling.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from assets.pseudonyms import PseudonymKey
from assets.registry.claims import MEMBER_COLUMNS, number_agrees
from schemas.identifiers import bucket_of
from schemas.vocabularies import CaseKind, LinkBasis, LinkOutcome, Ruling

FACTS = ("name", "birth_date", "sex", "nik", "family_id")
"""What a clerk compares: if any of it changes, a ruling stands no more."""


@dataclass(frozen=True)
class Settled:
    """What came of the claims in doubt.

    Attributes
    ----------
    persons : DataFrame
        One row per person among them, with `person_id`, `identity_id` (of the number it bears), `family_id` and the
        facts last stated in that family.
    ranked : DataFrame
        Claims of persons with families, the one that keeps the person first: `person_id, identity_id, family_id,
        is_kept`.
    cases : DataFrame
        Open cases of numbers that several families claim: `case_id, identity_id, family_id, is_kept, kind,
        facts_hash, was_ruled`.
    aliases : DataFrame
        Contract `registry/aliases`.
    claims : DataFrame
        The claims settled, so that they can be left out elsewhere.
    """

    persons: pl.DataFrame
    ranked: pl.DataFrame
    cases: pl.DataFrame
    aliases: pl.DataFrame
    claims: pl.DataFrame


@dataclass(frozen=True)
class Rights:
    """Which families may take persons from which others.

    Attributes
    ----------
    recorded : DataFrame
        `nik, family_id` of whom registers name beside a recipient in a first quarter, of one that has not registered
        the head alone; empty later, when the registry itself knows where everybody was.
    allowed : DataFrame
        `family_id, from_family_id` (unique): somebody on record in the latter was proved to speak for the former.
    """

    recorded: pl.DataFrame
    allowed: pl.DataFrame

    @classmethod
    def of(cls, speakers: pl.DataFrame, recorded: pl.LazyFrame, cards: pl.DataFrame, *, is_first: bool) -> "Rights":
        """Find them.

        Parameters
        ----------
        speakers : DataFrame
            `family_card_number, nik` (:attr:`assets.registry.standing.Effects.speakers`).
        recorded : LazyFrame
            `nik, family_id` of everybody on record before.
        cards : DataFrame
            `family_card_number, family_id`.
        """
        spoken = speakers.join(cards, on="family_card_number").lazy()
        homes = recorded.rename({"family_id": "from_family_id"})
        pairs = spoken.join(homes, on="nik").filter(pl.col("family_id") != pl.col("from_family_id"))
        allowed = pairs.select("family_id", "from_family_id").unique().sort(pl.all()).collect()
        return cls(recorded.unique().collect() if is_first else recorded.collect_schema().to_frame(), allowed)


def components(links: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Which identities are one person: `identity_id, component`, of linked ones alone.

    Only pairs taken for one person join; what a clerk is asked about never does, nor anything through it.

    Parameters
    ----------
    links : DataFrame
        `id_left, id_right` of pairs taken for one person.
    previous : DataFrame
        Last quarter's aliases (contract `registry/aliases`): once one person, always one, until a clerk rules.
    """
    stood = previous.select(id_left="person_id", id_right="identity_id")
    edges = pl.concat([links.select("id_left", "id_right"), stood])
    names = pl.concat([edges["id_left"], edges["id_right"].alias("id_left")]).unique().sort()
    if names.is_empty():
        return pl.DataFrame(schema={"identity_id": pl.String, "component": pl.Int32})
    at = [np.asarray(names.search_sorted(edges[side])) for side in ("id_left", "id_right")]
    graph = coo_array((np.ones(edges.height, dtype=np.int8), tuple(at)), shape=(len(names), len(names)))
    _, label = connected_components(graph, directed=False)
    found = pl.DataFrame([names.alias("identity_id"), pl.Series("component", label, dtype=pl.Int32)])
    return found.filter(pl.len().over("component") > 1)


def settle(
    claims: pl.DataFrame,
    misread: pl.DataFrame,
    parts: pl.DataFrame,
    previous_aliases: pl.DataFrame,
    rulings: pl.DataFrame,
    chosen: pl.DataFrame,
    index: pl.DataFrame,
    rights: Rights,
    key: PseudonymKey,
) -> Settled:
    """Each of these persons in one family, and the cases of numbers that two families claim.

    Whoever is on record in a family that receives, waits or is verified stays there until one of that family, whose
    identity was proved, speaks for the other, or a clerk rules: to that family anybody else is a third party.
    Otherwise:
    A person stays with a family that IKD or face verified, among those with the newest statement; then with one
    that receives, waits or was verified before; then with one verified in person; then where it was last quarter,
    then with a family that was there, then with the oldest registration. What was not stated anew never takes a
    person away. A case stays open in later quarters, though nothing is stated anew, as long as both families exist
    and no clerk has ruled on these facts.

    Parameters
    ----------
    claims : DataFrame
        Contract `registry/claims`: all claims of identities that two families claim or that are linked.
    misread : DataFrame
        `identity_id, family_id, meant_id, meant_nik`: claims to a number that another one was meant by.
    parts : DataFrame
        From :func:`components`.
    rulings : DataFrame
        Contract `registry/adjudications`.
    chosen : DataFrame
        `identity_id, family_id`: in which family a clerk said that a linked person counts.
    index : DataFrame
        From :func:`assets.registry.families.family_index`.
    """
    current = index.filter("is_current").select(
        "family_id", "is_verified", "is_digital", "is_protected", "is_sitting", "first_registered_date"
    )
    recorded = rights.recorded.with_columns(is_recorded=pl.lit(value=True))
    meant = (
        _as_meant(claims, misread)
        .join(current, on="family_id")
        .join(recorded, on=["nik", "family_id"], how="left", maintain_order="left")
        .with_columns(is_home=pl.col("was_here") | pl.col("is_recorded").fill_null(value=False))
        .drop("is_recorded")
    )
    ranked = _ranked(meant, "identity_id", rights)
    doubtful = ranked.filter(pl.col("identity_id").is_duplicated())
    cases = _number_cases(doubtful, rulings, key)
    ruled = cases.filter(pl.col("ruling").is_not_null())
    stands = _obeyed(ranked, ruled, key)

    known = parts.join(previous_aliases.rename({"person_id": "known_as"}), on="identity_id", how="left")
    labelled = stands.join(known, on="identity_id", how="left", maintain_order="left").with_columns(
        _person=pl.coalesce(pl.col("component").cast(pl.String), "identity_id")
    )
    bearer = _bearers(labelled)
    asked = chosen.select("identity_id", "family_id", is_chosen=pl.lit(value=True)).unique()
    merged = _ranked(
        labelled.join(bearer, on="_person", maintain_order="left")
        .join(asked, on=["identity_id", "family_id"], how="left", maintain_order="left")
        .sort("_person", "family_id", "stated_date", "identity_id")
        .group_by("_person", "family_id", maintain_order=True)
        .agg(
            pl.col("person_id", "bearer_id", "bearer_nik").first(),
            pl.col("nik_bucket", *MEMBER_COLUMNS, "stated_date").last(),
            pl.col("is_restated", "was_here", "is_home", "is_chosen").any(),
            pl.col("is_verified", "is_digital", "is_protected", "is_sitting", "first_registered_date").first(),
        ),
        "person_id",
        rights,
        pl.col("is_chosen").not_(),
    )
    persons = merged.filter(pl.col("person_id").is_first_distinct()).with_columns(
        # Without a number a person lies in the bucket of the card it was stated on.
        identity_id="bearer_id",
        nik="bearer_nik",
        nik_bucket=pl.coalesce(bucket_of("bearer_nik"), "nik_bucket"),
    )
    aliases = (
        parts.join(labelled.select("identity_id", "_person").unique(), on="identity_id", how="left")
        .with_columns(_person=pl.coalesce("_person", pl.col("component").cast(pl.String)))
        .join(bearer.select("_person", now="person_id"), on="_person", how="left")
        .join(previous_aliases, on="identity_id", how="left")
        .select("identity_id", person_id=pl.coalesce("now", "person_id"))
        .drop_nulls()
        .sort("identity_id")
    )
    homes = labelled.select("_person", "identity_id", "family_id").unique().join(
        merged.select("_person", "person_id", "family_id", is_kept=pl.col("person_id").is_first_distinct()),
        on=["_person", "family_id"],
    )  # fmt: skip
    open_cases = cases.filter(pl.col("ruling").is_null()).drop("ruling", "ruled_family_id")
    return Settled(persons, homes.drop("_person").sort("identity_id", "family_id"), open_cases, aliases, claims)


def _as_meant(claims: pl.DataFrame, misread: pl.DataFrame) -> pl.DataFrame:
    """Claims with the number that was meant, one per identity and family, as last stated."""
    return (
        claims.join(misread, on=["identity_id", "family_id"], how="left")
        .with_columns(
            nik=pl.when(pl.col("meant_id").is_null()).then("nik").otherwise("meant_nik"),
            identity_id=pl.coalesce("meant_id", "identity_id"),
        )
        .sort("identity_id", "family_id", "stated_date", pl.col("meant_id").is_null())
        .group_by("identity_id", "family_id", maintain_order=True)
        .agg(
            pl.col("nik", "nik_bucket", *MEMBER_COLUMNS, "stated_date").last(),
            pl.col("first_stated_date").min(),
            pl.col("is_restated", "was_here").any(),
        )
    )


def _ranked(claims: pl.DataFrame, by: str, rights: Rights, *first: pl.Expr) -> pl.DataFrame:
    """Claims of each person in the order in which families have the better right to him.

    Parameters
    ----------
    by : str
        Column that names the person.
    *first : Expr
        What goes before any right.
    """
    counts = pl.col("is_restated") | pl.col("was_here")
    barred = _find_barred(claims, by, rights).with_columns(is_barred=pl.lit(value=True))
    return (
        claims.join(barred, on=[by, "family_id"], how="left")
        .sort(
            by,
            *first,
            counts.not_(),
            pl.col("is_barred").fill_null(value=False),
            pl.col("is_digital").not_(),
            pl.when("is_digital").then(-pl.col("stated_date").cast(pl.Int32)),
            pl.col("is_protected").not_(),
            pl.col("is_verified").not_(),
            pl.when("is_verified").then(-pl.col("stated_date").cast(pl.Int32)),
            pl.col("was_here").not_(),
            pl.col("is_sitting").not_(),
            "first_registered_date",
            "family_id",
        )
        .drop("is_barred")
    )


def _find_barred(claims: pl.DataFrame, by: str, rights: Rights) -> pl.DataFrame:
    """Persons and families that may not take them: each is on record in a protected family that did not agree."""
    homes = claims.filter("is_home", "is_protected").select(by, from_family_id="family_id")
    takers = claims.filter(~pl.col("is_home")).select(by, "family_id")
    taking = takers.join(homes, on=by)
    return taking.join(rights.allowed, on=["family_id", "from_family_id"], how="anti").select(by, "family_id").unique()


def _bearers(labelled: pl.DataFrame) -> pl.DataFrame:
    """Of each person the identity whose number it bears, and the name under which it goes on.

    The number: one there is before none, one that agrees with birth date and sex before one that does not, then one
    of last quarter, of a verified family, of the older registration. The name: that of last quarter, else the number's.
    """
    ordered = labelled.sort(
        "_person",
        pl.col("nik").is_null(),
        number_agrees().not_(),
        pl.col("was_here").not_(),
        pl.col("is_verified").not_(),
        "first_registered_date",
        "identity_id",
    )
    bearer = ordered.unique("_person", keep="first", maintain_order=True)
    named = (
        labelled.with_columns(_name=pl.coalesce("known_as", pl.when("was_here").then("identity_id")))
        .group_by("_person")
        .agg(pl.col("_name").min())
    )
    return bearer.join(named, on="_person", how="left").select(
        "_person", bearer_id="identity_id", bearer_nik="nik", person_id=pl.coalesce("_name", "identity_id")
    )


def facts_hashes(sides: pl.DataFrame, by: str) -> pl.DataFrame:
    """`<by>, facts_hash`: SHA-256 of what a clerk compares of the sides of each case, in a fixed order."""
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("~") for name in FACTS], separator="|")
    joined = (
        sides.select(by, _text=text)
        .sort(by, "_text")
        .group_by(by, maintain_order=True)
        .agg(pl.col("_text").str.join("#"))
    )
    hashes = [hashlib.sha256(one.encode()).hexdigest() for one in joined["_text"]]
    return joined.select(by, pl.Series("facts_hash", hashes, dtype=pl.String))


def with_rulings(cases: pl.DataFrame, rulings: pl.DataFrame) -> pl.DataFrame:
    """Cases with `ruling` and `ruled_family_id` of who ruled on these very facts, and `was_ruled` if on others."""
    said = rulings.select(
        "case_id", "ruling", ruled_family_id="family_id", ruled_facts="facts_hash", _is_ruled=pl.lit(value=True)
    )
    stands = pl.col("ruled_facts").is_null() | (pl.col("ruled_facts") == pl.col("facts_hash"))
    return (
        cases.join(said, on="case_id", how="left", maintain_order="left")
        .with_columns(was_ruled=pl.col("_is_ruled").fill_null(value=False) & ~stands)
        .with_columns(pl.when(stands).then(name).alias(name) for name in ("ruling", "ruled_family_id"))
        .drop("ruled_facts", "_is_ruled")
    )


def _number_cases(doubtful: pl.DataFrame, rulings: pl.DataFrame, key: PseudonymKey) -> pl.DataFrame:
    """Cases of numbers that several families claim, a row per claim, with the ruling that stands."""
    marked = doubtful.with_columns(case_id=key.ids("case", doubtful["identity_id"]))
    cases = marked.join(facts_hashes(marked, "case_id"), on="case_id", maintain_order="left").select(
        "case_id", "identity_id", "family_id", "facts_hash", is_kept=pl.col("identity_id").is_first_distinct(),
        kind=pl.lit(CaseKind.NIK_IN_TWO_FAMILIES.value), weight_micro=pl.lit(None, pl.Int64),
        probability=pl.lit(None, pl.Float64),
    )  # fmt: skip
    return with_rulings(cases, rulings)


def _obeyed(ranked: pl.DataFrame, ruled: pl.DataFrame, key: PseudonymKey) -> pl.DataFrame:
    """Claims after the rulings on numbers: of one person all but one fall away; of different ones each is its own."""
    chosen = pl.coalesce(pl.col("family_id") == pl.col("ruled_family_id"), "is_kept")
    sides = ruled.select("identity_id", "family_id", "ruling", _is_chosen=chosen)
    marked = ranked.join(sides, on=["identity_id", "family_id"], how="left", maintain_order="left")
    is_other = pl.col("_is_chosen").fill_null(value=True).not_()
    others = marked.filter(is_other & (pl.col("ruling") == Ruling.DIFFERENT.value))
    apart = others.with_columns(
        pl.lit(None, pl.String).alias("nik"),
        identity_id=key.ids(
            "person", others.select(pl.concat_str("identity_id", "family_id", separator="|")).to_series()
        ),
    )
    return pl.concat([marked.filter(~is_other), apart]).drop("ruling", "_is_chosen")


def pair_cases(pairs: pl.DataFrame, persons: pl.DataFrame, rulings: pl.DataFrame, key: PseudonymKey) -> pl.DataFrame:
    """Pairs with what a clerk ruled on them, and the hash of the facts compared.

    Parameters
    ----------
    pairs : DataFrame
        `id_left, id_right` and more.
    persons : DataFrame
        `identity_id` and `FACTS` of both sides.

    Returns
    -------
    DataFrame
        `pairs` with `case_id, facts_hash, ruling, ruled_family_id, was_ruled`.
    """
    named = pairs.with_columns(
        case_id=key.ids("case", pairs.select(pl.concat_str("id_left", "id_right", separator="|")).to_series())
    )
    sides = pl.concat(
        [named.select("case_id", identity_id=side).join(persons, on="identity_id") for side in ("id_left", "id_right")]
    )
    return with_rulings(
        named.join(facts_hashes(sides, "case_id"), on="case_id", how="left", maintain_order="left"), rulings
    )


def decided_links(pairs: pl.DataFrame) -> pl.DataFrame:
    """Links after the rulings: a pair ruled different is none, one ruled the same is one whatever the model says."""
    ruling = pl.col("ruling")
    return pairs.filter((ruling != Ruling.DIFFERENT.value).fill_null(value=True)).with_columns(
        outcome=pl.when(ruling == Ruling.SAME.value).then(pl.lit(LinkOutcome.SAME.value)).otherwise("outcome"),
        basis=pl.when(ruling == Ruling.SAME.value).then(pl.lit(LinkBasis.CLERK.value)).otherwise("basis"),
    )
