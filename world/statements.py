"""What families, agents, BPS and other agencies say of the true society, with all that goes wrong on the way.

Rows as the files hold them, and of every stated person who it truly is and what is wrong with the row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import polars as pl

from schemas.feeds import FACT_AGENCY, SHOCKS
from schemas.identifiers import form_fault
from schemas.questionnaire import default_questionnaire
from schemas.vocabularies import Agency, Channel, FaceMatch, Programme, Proposer, Sex
from world.dice import Array, about, chosen, pick
from world.faults import drawn, misspelt, replaced_at, wrong_births, wrong_numbers
from world.field import NOBODY, operator, visitor
from world.livelihoods import livelihoods
from world.names import PARTS, written
from world.numbers import LATER_SERIALS, ages, numbers
from world.parameters import Country, Faults, ListedElsewhere, MemberNoise, Noise, SelfReport, Survey, Verification
from world.people import ADULT, CHILD, DIVORCED, ELDERLY, HEAD, PARENT, SPOUSE, days
from world.society import UID_STRIDE, Society, heads
from world.welfare import electricity, pkh_rupiah

SENDER_OF_CHANNEL = {
    Channel.PORTAL: "portal_perlinsos", Channel.AGENT: "aplikasi_agen", Channel.VILLAGE_OFFICE: "siks_ng",
}  # fmt: skip
"""Registered sender (policy `senders`) through whom the statements of a channel arrive."""
LENT_COLUMNS = ("uid", "nik", "birth", "is_female", *PARTS)
_BUILDING = (pl.col("dwelling") % UID_STRIDE + 1).alias("building_number")
_INCOMPLETE = 2
_REGISTRATIONS_UNTIL = 0.65
_LAST_DAYS = 25
REPEATED, NEW_CARD, LISTED_TWICE = "repeated", "new_card", "listed_twice"
_RENEWED_SERIALS = 250
_NEARBY = 60
_TRIES = 6
_OF_REGISTRATION = ("channel", "sender", "agent_id", "verified_nik")
"""What the statement of a person has from the registration it came with."""
_NEARBY_DAYS = 30
_GENERATION = 16
_YOUNG_COUPLE, _MINOR = 40, 18


@dataclass(frozen=True)
class Claims:
    """Persons of registering families stated with the number of somebody of another family.

    Attributes
    ----------
    rows, families : int64 arrays
        The claiming person and its family.
    victims : pl.DataFrame
        Whose number it is, one row per claim.
    is_same : bool array
        The claiming person is the victim, listed twice.
    is_verified : bool array
        The claiming family is identified all the same.
    """

    rows: Array
    families: Array
    victims: pl.DataFrame
    is_same: Array
    is_verified: Array


def claims(
    rng: np.random.Generator, society: Society, registering: Array, lent: pl.DataFrame | None, noise: Noise
) -> Claims:
    """Who of the registering families bears somebody else's number: of this regency, or of `lent` from another."""
    rules = noise.members
    families, persons = society.families, society.persons
    newcomer = np.zeros(families.height, dtype=bool)
    newcomer[registering] = True
    sits = (families["receives_pkh"] | families["receives_bpnt"]).to_numpy()
    family = persons["family"].to_numpy()
    stated = (persons["is_alive"] & persons["has_nik"] & (persons["relation"] != HEAD)).to_numpy()
    candidates = np.flatnonzero(stated & (newcomer & ~sits)[family])
    count = min(about(rng, rules.claimed_twice * len(registering)), len(candidates))
    rows = np.sort(rng.permutation(candidates)[:count])
    _, first = np.unique(family[rows], return_index=True)
    rows = rows[first]
    known = np.flatnonzero(
        (persons["is_alive"] & persons["has_nik"]).to_numpy() & families["is_registered"].to_numpy()[family]
    )
    victims = rng.choice(known, len(rows)) if len(known) else rows
    ok = family[victims] != family[rows]
    rows, victims = rows[ok], victims[ok]
    chosen_from = persons[victims].select(LENT_COLUMNS)
    if lent is not None and lent.height:
        abroad = np.flatnonzero(chosen(rng, len(rows), rules.claimed_across_border))
        both = pl.concat([chosen_from, lent.select(LENT_COLUMNS)])
        at = np.arange(len(rows))
        at[abroad] = len(rows) + rng.integers(0, lent.height, len(abroad))
        chosen_from = both[at]
    return Claims(
        rows=rows,
        families=family[rows],
        victims=chosen_from,
        is_same=chosen(rng, len(rows), rules.claimed_by_same_person),
        is_verified=chosen(rng, len(rows), rules.claimant_verified),
    )


@dataclass(frozen=True)
class Again:
    """Families that register once more in a later quarter: rows, and per row `repeated` or `new_card`."""

    rows: Array
    listing: Array

    @classmethod
    def none(cls) -> Self:
        """Nobody."""
        return cls(np.array([], dtype=np.int64), np.array([], dtype="U8"))

    @classmethod
    def of(cls, rng: np.random.Generator, free: Array, repeated: float, new_card: float) -> Self:
        """Some of the families that are free, with these probabilities."""
        listing = drawn(rng, len(free), {REPEATED: repeated, NEW_CARD: new_card})
        rows = np.flatnonzero(free & (listing != ""))
        return cls(rows, listing[rows])


def _answers(families: pl.DataFrame) -> pl.DataFrame:
    return families.select(*default_questionnaire().answers)


def _without(frame: pl.DataFrame, gaps: Mapping[str, Array]) -> pl.DataFrame:
    return frame.with_columns(
        pl.when(~pl.Series(gaps[name])).then(pl.col(name)).alias(name) for name in frame.columns if name in gaps
    )


def _misread(rng: np.random.Generator, answers: pl.DataFrame, share: float) -> pl.DataFrame:
    """Some answers replaced by those of another of the families."""
    if not answers.height:
        return answers
    mixed = []
    for name in answers.columns:
        column = answers[name].to_numpy(writable=True)
        wrong = np.flatnonzero(chosen(rng, len(column), share))
        column[wrong] = column[rng.integers(0, len(column), len(wrong))]
        mixed.append(pl.Series(name, column))
    return pl.DataFrame(mixed)


def self_reported(rng: np.random.Generator, answers: pl.DataFrame, noise: SelfReport) -> pl.DataFrame:
    """What families say of themselves: some hide assets, some leave questions out."""
    count = answers.height
    said = _misread(rng, answers, noise.misread)
    shy = chosen(rng, count, noise.shy_families)
    assets = [name for name in said.columns if name.startswith("has_") or name.endswith("_count")]
    said = said.with_columns(
        pl.Series(name, said[name].to_numpy() * ~(shy & chosen(rng, count, noise.hidden_assets))) for name in assets
    )
    gappy = chosen(rng, count, noise.gappy_families)
    return _without(said, {name: gappy & chosen(rng, count, noise.left_out) for name in said.columns})


def _dates(name: str, values: Array) -> pl.Series:
    return pl.Series(name, values.astype(np.int32)).cast(pl.Date)


def _numbers(name: str, values: Array | pl.Series) -> pl.Series:
    return pl.Series(name, values).cast(pl.String)


def registrations(
    rng: np.random.Generator, society: Society, rows: Array, again: Again, claimed: Claims,
    window: tuple[date, date], noise: Noise,
) -> pl.DataFrame:  # fmt: skip
    """Registrations of these families and, for a few, once more through another channel, some with a new card.

    `again` are families known from an earlier quarter, who register once more though nothing called for it.

    Returns
    -------
    pl.DataFrame
        Columns of the feed and `sender`; `family` is the family row, `listing` (empty, `repeated` or `new_card`), `day`
        (days since 1970-01-01) and `card` (int64) say which; `is_checked` whether the head's document was seen.
    """
    since, until = (days(day) for day in window)
    span = int((until - since) * _REGISTRATIONS_UNTIL)
    rates = noise.registration
    once_more = drawn(rng, len(rows), {REPEATED: rates.repeated, NEW_CARD: rates.repeated_with_new_card})
    twice = once_more != ""
    everything = np.concatenate([rows, rows[twice], again.rows])
    is_repeated = np.arange(len(everything)) >= len(rows)
    listing = np.concatenate([np.full(len(rows), "", dtype="U8"), once_more[twice], again.listing])
    count = len(everything)
    # A new card is on no cadre's list.
    families = society.families[everything].with_columns(
        cadre=pl.when(pl.Series(listing) == NEW_CARD).then(NOBODY).otherwise("cadre")
    )
    day = since + rng.integers(0, span, count)
    claiming = np.isin(everything, claimed.families)
    day = np.where(claiming, since + span, day)
    first_day = np.full(society.families.height, -1, dtype=np.int64)
    first_day[rows] = day[: len(rows)]
    before = first_day[everything]
    day = np.where(is_repeated & (before >= 0), before + rng.integers(3, 14, count), day)

    renewed = numbers(families["region"].to_numpy(), day, serial=LATER_SERIALS + _RENEWED_SERIALS)
    card = np.where(listing == NEW_CARD, renewed, families["card"].to_numpy())

    channels = np.array([str(one) for one in noise.registration.channels])
    at = pick(rng, count, noise.registration.channels)
    # The second time another channel than the first: the next one in the list.
    first_at = np.zeros(society.families.height, dtype=np.int64)
    first_at[rows] = at[: len(rows)]
    channel = channels[np.where(is_repeated, (first_at[everything] + 1) % len(channels), at)]
    by_agent = channel == Channel.AGENT
    proposers = np.array([str(one) for one in noise.registration.proposers_to_agent])
    proposer = np.where(
        by_agent, proposers[pick(rng, count, noise.registration.proposers_to_agent)], str(Proposer.SELF)
    )

    # Agents register families on the portal with them; who fails there, or meets an office, is taken down apart.
    is_portal = channel == Channel.PORTAL
    at_portal = is_portal | by_agent
    elderly = _elderly(society, until)[everything]
    documents = _document_niks(society)
    confirmed_nik = _confirming(society, documents, until)[everything]
    can_confirm = at_portal & (confirmed_nik > 0)
    ikd, face = _by_machine(rng, elderly, noise.verification)
    doubtful = np.isin(everything, claimed.families[~claimed.is_verified])
    ikd = ikd & ~doubtful & can_confirm
    face = np.where(doubtful, str(FaceMatch.FAILED), face)
    face = np.where(claiming & ~doubtful, str(FaceMatch.PASSED), face)
    face = np.where(can_confirm, face, str(FaceMatch.NOT_AVAILABLE))
    is_confirmed = ikd | (face == FaceMatch.PASSED)
    checked = _in_person(rng.spawn(1)[0], elderly, noise.verification)
    meets = ~is_portal & ~is_confirmed & (documents[everything] > 0)
    checked = (checked | claiming) & ~doubtful & meets

    consents = ~chosen(rng, count, noise.registration.without_consent)
    frame = families.select(
        pl.Series("family", everything),
        pl.Series("listing", listing),
        pl.Series("day", day),
        pl.Series("card", card),
        _numbers("family_card_number", card),
        "village_code",
        _dates("registered_date", day).cast(pl.String),
        pl.Series("channel", channel),
        pl.Series("proposer", proposer),
        pl.when(pl.Series(by_agent))
        .then(visitor())
        .when(pl.Series(channel == Channel.VILLAGE_OFFICE))
        .then(operator("village_code"))
        .alias("agent_id"),
        pl.Series("has_consent", consents),
        pl.when(pl.Series(consents)).then(_dates("consent_date", day)).alias("consent_date"),
        pl.Series("is_ikd_verified", ikd),
        pl.Series("face_match", face),
        pl.when(pl.Series(is_confirmed)).then(_numbers("", confirmed_nik)).alias("verified_nik"),
        pl.Series("is_checked", checked),
        _sender(pl.Series("channel", channel), is_confirmed).alias("sender"),
    )
    said = self_reported(rng, _answers(families), noise.self_report)
    return _malformed(rng, pl.concat([frame, said], how="horizontal"), noise.malformed_registrations)


def _elderly(society: Society, today: int) -> Array:
    """Which families have a head of sixty or older."""
    head = heads(society.persons)
    old = np.zeros(society.families.height, dtype=bool)
    old[head["family"].to_numpy()] = ages(head["birth"].to_numpy(), today) >= ELDERLY
    return old


def _document_niks(society: Society) -> Array:
    """Number on the document of each family's head, 0 where there is no living head with a number."""
    head = heads(society.persons)
    niks = np.zeros(society.families.height, dtype=np.int64)
    niks[head["family"].to_numpy()] = (head["nik"] * (head["is_alive"] & head["has_nik"])).to_numpy()
    return niks


def _confirming(society: Society, documents: Array, today: int) -> Array:
    """Number of who can show a face or digital identity for each family: its head, else its eldest adult; 0: nobody.

    `documents` are the numbers of :func:`_document_niks`.
    """
    persons, niks = society.persons, documents.copy()
    family, birth = persons["family"].to_numpy(), persons["birth"].to_numpy()
    others = np.flatnonzero((documents == 0)[family] & (persons["is_alive"] & persons["has_nik"]).to_numpy())
    adults = others[ages(birth[others], today) >= ADULT]
    # The eldest comes last, and what comes last stays.
    adults = adults[np.argsort(-birth[adults], kind="stable")]
    niks[family[adults]] = persons["nik"].to_numpy()[adults]
    return niks


def _by_machine(rng: np.random.Generator, elderly: Array, rules: Verification) -> tuple[Array, Array]:
    """Whether the digital identity would confirm each, and what the face check would find."""
    ikd = chosen(rng, len(elderly), np.where(elderly, rules.ikd_verified_elderly, rules.ikd_verified))
    failed = np.where(elderly, rules.face_failed_elderly, rules.face_failed)
    absent = np.where(elderly, rules.face_not_available_elderly, rules.face_not_available)
    draw = rng.random(len(elderly))
    found = [str(FaceMatch.FAILED), str(FaceMatch.NOT_AVAILABLE)]
    return ikd, np.select([draw < failed, draw < failed + absent], found, str(FaceMatch.PASSED))


def _sender(channel: pl.Series, is_confirmed: Array | pl.Series) -> pl.Series:
    """Through whom a statement arrives: the portal where it confirmed somebody, else the channel's own sender."""
    own = channel.replace_strict(SENDER_OF_CHANNEL)
    return own.set(pl.Series(is_confirmed), SENDER_OF_CHANNEL[Channel.PORTAL])


def _in_person(rng: np.random.Generator, elderly: Array, rules: Verification) -> Array:
    """Of whom a document is seen where somebody is met in person."""
    return chosen(rng, len(elderly), np.where(elderly, rules.checked_in_person_elderly, rules.checked_in_person))


def identity_checks(
    rng: np.random.Generator, society: Society, registered: pl.DataFrame, window: tuple[date, date],
    noise: Noise, *, is_first: bool,
) -> pl.DataFrame:  # fmt: skip
    """Documents of heads seen in person: at registrations, soon after a face failed, and later of who is not confirmed.

    Returns
    -------
    pl.DataFrame
        Columns of the feed, `village_code`, `sender` and `family`, the family row.
    """
    since, until = (days(day) for day in window)
    rules, niks = noise.verification, _document_niks(society)
    at_once = registered.filter("is_checked")
    failed = registered.filter(pl.col("face_match") == FaceMatch.FAILED, ~pl.col("is_checked"))
    failed = failed.filter(pl.Series(chosen(rng, failed.height, rules.checked_after_failed_face)))
    failed_day = np.minimum(failed["day"].to_numpy() + rng.integers(1, _NEARBY_DAYS, failed.height), until - 1)
    families = society.families
    waits = (families["is_registered"] & ~families["is_confirmed"]).to_numpy(writable=True)
    waits[registered["family"].to_numpy()] = False
    share = 0.0 if is_first else rules.checked_later
    late = np.flatnonzero(waits & chosen(rng, len(waits), share))
    rows = np.concatenate([at_once["family"].to_numpy(), failed["family"].to_numpy(), late])
    cards = np.concatenate([at_once["card"].to_numpy(), failed["card"].to_numpy(), families["card"].to_numpy()[late]])
    seen = np.concatenate([at_once["day"].to_numpy(), failed_day, rng.integers(since, until, len(late))])
    # Whom the portal sends, and who is called on later, an agent sees; a new card is on no cadre's list.
    met = families[rows].with_columns(cadre=pl.when(pl.Series(cards) == pl.col("card")).then("cadre").otherwise(NOBODY))
    by_agents = pl.Series("agent_id", met.select(visitor()).to_series())[at_once.height :]
    documents = [str(one) for one in rules.documents]
    frame = met.select(
        pl.Series("family", rows),
        _numbers("family_card_number", cards),
        _numbers("nik", niks[rows]),
        pl.concat([at_once["agent_id"], by_agents]).alias("agent_id"),
        _dates("checked_date", seen),
        pl.Series("document", np.array(documents)[pick(rng, len(rows), rules.documents)]),
        # Who is seen afterwards is asked whether the registration was his.
        _dates(
            "confirmed_date",
            np.concatenate([at_once["day"], failed["day"], families["stated_day"].gather(late)]).astype(np.int64),
        ),
        "village_code",
        pl.concat(
            [at_once["sender"], pl.repeat(SENDER_OF_CHANNEL[Channel.AGENT], len(rows) - at_once.height, eager=True)]
        ).alias("sender"),
    )
    return frame.filter(pl.Series(niks[rows] > 0))


def _malformed(rng: np.random.Generator, frame: pl.DataFrame, share: float) -> pl.DataFrame:
    """A few registrations that no contract accepts: a shortened card number, an unknown channel, an impossible date."""
    kind = np.where(chosen(rng, frame.height, share), rng.integers(1, 4, frame.height), 0)
    fault = pl.Series(kind)
    year = pl.col("registered_date").str.slice(0, 4)
    return frame.with_columns(
        pl.when(fault == 1)
        .then(pl.col("family_card_number").str.slice(0, 15))
        .otherwise(pl.col("family_card_number"))
        .alias("family_card_number"),
        pl.when(fault == 2).then(pl.lit("whatsapp")).otherwise(pl.col("channel")).alias("channel"),  # noqa: PLR2004
        pl.when(fault == 3)  # noqa: PLR2004
        .then(pl.format("{}-13-01", year))
        .otherwise(pl.col("registered_date"))
        .alias("registered_date"),
    )


def _hosts(
    rng: np.random.Generator, society: Society, registering: Array, until: int, rules: ListedElsewhere
) -> list[tuple[str, Array, Array, int]]:
    """Why, which persons, on the cards of which registering families nearby, and as what relation."""
    persons, families = society.persons, society.families
    family, relation = persons["family"].to_numpy(), persons["relation"].to_numpy()
    age = ages(persons["birth"].to_numpy(), until)
    head_age, divorced = np.full(families.height, -1), np.zeros(families.height, dtype=bool)
    head = heads(persons)
    head_age[head["family"].to_numpy()] = ages(head["birth"].to_numpy(), until)
    divorced[head["family"].to_numpy()] = (head["marital_status"] == DIVORCED).to_numpy()
    known = persons["is_alive"].to_numpy() & families["is_registered"].to_numpy()[family]
    generations = (
        ("married_child", np.isin(relation, (HEAD, SPOUSE)) & (age < _YOUNG_COUPLE), CHILD, 1),
        ("grandparent", (relation == PARENT) | ((relation == HEAD) & (age >= ELDERLY)), PARENT, -1),
        ("child_of_divorced", (relation == CHILD) & (age < _MINOR) & divorced[family], CHILD, 1),
    )
    found = []
    for why, who, relation_there, older in generations:
        # By family, hence by village, so that who lives near stands near.
        candidates = np.flatnonzero(known & who)
        candidates = candidates[np.argsort(family[candidates], kind="stable")]
        wanted = about(rng, getattr(rules, why) * len(registering))
        if not (len(candidates) and wanted):
            continue
        hosts = rng.choice(registering, min(len(registering), _TRIES * wanted + _TRIES), replace=False)
        at = np.searchsorted(family[candidates], hosts + rng.integers(-_NEARBY, _NEARBY, len(hosts)))
        person = candidates[np.minimum(at, len(candidates) - 1)]
        fit = (family[person] != hosts) & (older * (head_age[hosts] - age[person]) >= _GENERATION)
        fit &= head_age[hosts] >= 0
        fit[fit] &= pl.Series(person[fit]).is_first_distinct().to_numpy()
        found.append((why, person[fit][:wanted], hosts[fit][:wanted], relation_there))
    return found


def _stated_persons(
    rng: np.random.Generator, society: Society, registered: pl.DataFrame, until: int, rules: ListedElsewhere, *,
    with_dead: bool,
) -> pl.DataFrame:  # fmt: skip
    """Person row, family, day, listing, card, `_OF_REGISTRATION` and relation of all stated, first their own family's.

    `listing` says why a person is stated once more, or is empty.
    """
    persons = society.persons.with_row_index("row").select("row", "family", "relation", "birth", "is_alive")
    if not with_dead:
        persons = persons.filter(pl.col("is_alive"))
    said = registered.select("family", "day", "listing", "card", *_OF_REGISTRATION)
    own = said.join(persons, on="family").sort("listing", "family", "relation", "birth", "row")
    columns = ["row", "family", "day", "listing", "card", *_OF_REGISTRATION, "relation"]
    own = own.with_columns(pl.col("row").cast(pl.Int64)).select(columns)
    first = said.filter(pl.col("listing") == "").unique("family", keep="first", maintain_order=True)
    elsewhere = [
        pl.DataFrame({"row": rows, "family": hosts})
        .join(first.drop("listing"), on="family", maintain_order="left")
        .with_columns(listing=pl.lit(why), relation=pl.lit(relation, pl.Int32))
        .select(columns)
        for why, rows, hosts, relation in _hosts(rng, society, first["family"].to_numpy(), until, rules)
    ]
    return pl.concat([own, *elsewhere])


def _stated_alone(
    rng: np.random.Generator, society: Society, rows: Array, until: int, noise: Noise
) -> dict[str, pl.Series]:
    """`_OF_REGISTRATION` of persons stated without a registration: each family comes by one channel, once."""
    stated, back = np.unique(rows, return_inverse=True)
    families = society.families[stated]
    channels = [str(one) for one in noise.registration.channels]
    of_family = pl.Series("channel", np.array(channels)[pick(rng, len(stated), noise.registration.channels)])
    ikd, face = _by_machine(rng, _elderly(society, until)[stated], noise.verification)
    niks = _confirming(society, _document_niks(society), until)[stated]
    is_confirmed = of_family.is_in([Channel.PORTAL, Channel.AGENT]) & pl.Series(
        (ikd | (face == FaceMatch.PASSED)) & (niks > 0)
    )
    told = families.select(
        of_family,
        _sender(of_family, is_confirmed).alias("sender"),
        pl.when(of_family == Channel.AGENT)
        .then(visitor())
        .when(of_family == Channel.VILLAGE_OFFICE)
        .then(operator("village_code"))
        .alias("agent_id"),
        pl.when(is_confirmed).then(_numbers("", niks)).alias("verified_nik"),
    )
    return told[back].to_dict()


def checks_at_statements(
    rng: np.random.Generator, society: Society, stated: pl.DataFrame, registered: pl.DataFrame, noise: Noise
) -> pl.DataFrame:
    """Documents of heads seen when persons are stated without a registration to an agent or an office.

    Returns
    -------
    pl.DataFrame
        Columns of the feed, `village_code` and `sender`.
    """
    card = "family_card_number"
    known = registered.select(card, stated_date=pl.col("registered_date").str.to_date(strict=False))
    niks = _document_niks(society)
    by_card = pl.DataFrame({card: _numbers(card, society.families["card"]), "nik": niks})
    heads_by_card = by_card.filter(pl.Series(niks > 0))
    met = (
        stated.filter(pl.col("verified_nik").is_null(), pl.col("agent_id").is_not_null())
        .select(card, "agent_id", "village_code", "sender", checked_date="stated_date")
        .unique(maintain_order=True)
        .join(known, left_on=[card, "checked_date"], right_on=[card, "stated_date"], how="anti", maintain_order="left")
        .join(heads_by_card.unique(card, keep="first", maintain_order=True), on=card, maintain_order="left")
    )
    documents = [str(one) for one in noise.verification.documents]
    seen = chosen(rng, met.height, noise.verification.checked_in_person)
    return met.with_columns(
        _numbers("nik", met["nik"]),
        pl.Series("document", np.array(documents)[pick(rng, met.height, noise.verification.documents)]),
        confirmed_date=pl.lit(None, pl.Date),
    ).filter(pl.Series(seen))


def members(
    rng: np.random.Generator, society: Society, registered: pl.DataFrame, restated: Array, claimed: Claims,
    window: tuple[date, date], noise: Noise, *, with_dead: bool,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """Persons of the registrations and those restated alone; and of each who it truly is and what is wrong.

    Parameters
    ----------
    with_dead : bool
        Whether the dead are still on the card, as at first; later statements leave them out.

    Returns
    -------
    tuple of pl.DataFrame
        Columns of the feed, `village_code` and `sender`; and row by row the truth: person_uid, true_family_uid,
        family_uid (on whose card), family_card_number, channel, listing, cause, stated_date, and number, name and birth
        date as they are and as they landed. `cause` joins all that is wrong with a plus; null is nothing.
    """
    since, until = (days(day) for day in window)
    stated = _stated_persons(rng, society, registered, until, noise.members.listed_elsewhere, with_dead=with_dead)
    of = society.persons[restated]
    newest = np.maximum(of["birth"].to_numpy() + 1, since)
    alone = pl.DataFrame(
        {
            "row": restated, "family": of["family"], "listing": "", "relation": of["relation"],
            "day": np.minimum(newest + rng.integers(0, 30, len(restated)), until - 1),
            "card": society.families["card"].to_numpy()[of["family"].to_numpy()],
            **_stated_alone(rng.spawn(1)[0], society, of["family"].to_numpy(), until, noise),
        }
    ).select(pl.col(name).cast(dtype) for name, dtype in stated.schema.items())  # fmt: skip
    stated = pl.concat([stated, alone])
    rows, family = stated["row"].to_numpy(), stated["family"].to_numpy()
    persons = society.persons[rows]
    # A child born after the family registered is stated when it is there.
    day = np.maximum(stated["day"].to_numpy(), np.minimum(persons["birth"].to_numpy() + 3, until - 1))
    at_home = persons["family"].to_numpy() == family
    replaced = _replaced(persons, np.where(at_home, rows, -1), claimed, society.persons.height)
    borrowed = (replaced["cause"] == "borrowed_nik").to_numpy()
    same = (replaced["cause"] == LISTED_TWICE).to_numpy()
    listing = np.where(same, LISTED_TWICE, stated["listing"].to_numpy().astype("U20"))
    has_nik, is_female = replaced["has_nik"].to_numpy(), replaced["is_female"].to_numpy()
    true_name = written(replaced)
    birth = replaced["birth"].to_numpy()
    nik = pl.select(pl.when(pl.Series(has_nik)).then(_numbers("nik", replaced["nik"])).alias("nik")).to_series()
    true = pl.DataFrame({"nik": nik, "number": replaced["nik"], "name": true_name, "birth": birth, "day": day})
    said, cause = _with_faults(rng, true, listing != "", borrowed, noise.members)
    code_fault = chosen(rng, len(rows), noise.members.unknown_code)
    cause = [
        np.where(has_nik, "", "no_nik"), np.where(borrowed, "borrowed_nik", ""), *cause,
        np.where(code_fault, "unknown_code", ""),
    ]  # fmt: skip
    landed = persons.select(
        pl.Series("village_code", society.families["village_code"]).gather(family),
        _numbers("family_card_number", stated["card"]),
        *said,
        pl.when(pl.Series(is_female)).then(pl.lit(str(Sex.FEMALE))).otherwise(pl.lit(str(Sex.MALE))).alias("sex"),
        pl.when(pl.Series(code_fault)).then(pl.lit(99, pl.Int32)).otherwise(stated["relation"]).alias("relation"),
        "marital_status",
        pl.col("is_pregnant") & pl.Series(is_female),
        "school_participation",
        pl.when(pl.col("school_level") > 0).then("school_level").alias("school_level"),
        "education",
        "work_position",
        "disability",
        _dates("stated_date", day),
        stated["verified_nik"],
        stated["agent_id"],
        stated["sender"],
    )
    uid = society.families["uid"].to_numpy()
    truth = pl.DataFrame(
        {
            "person_uid": replaced["uid"],
            "true_family_uid": pl.Series(np.where(same, -1, uid[persons["family"].to_numpy()])),
            "family_uid": uid[family],
            "family_card_number": landed["family_card_number"],
            "channel": stated["channel"],
            "listing": listing,
            "stated_date": landed["stated_date"],
            "nik": pl.select(pl.when(pl.Series(has_nik)).then(_numbers("nik", replaced["true_nik"]))).to_series(),
            "nik_landed": landed["nik"],
            "name": true_name,
            "name_landed": landed["name"],
            "birth_date": _dates("birth_date", birth),
            "birth_date_landed": landed["birth_date"],
        }
    ).with_columns(
        pl.when(pl.col("true_family_uid") >= 0).then("true_family_uid"),
        pl.when(pl.col("listing") != "").then("listing"),
        pl.concat_str(*(pl.when(pl.Series(one) != "").then(pl.Series(one)) for one in cause), separator="+",
                      ignore_nulls=True).replace("", None).alias("cause"),
    )  # fmt: skip
    return landed, truth


def _with_faults(
    rng: np.random.Generator, true: pl.DataFrame, again: Array, borrowed: Array, noise: MemberNoise
) -> tuple[tuple[pl.Series, pl.Series, pl.Series], list[Array]]:
    """Number, name and birth date (text) as stated, and of each what is wrong with it.

    Parameters
    ----------
    true : pl.DataFrame
        nik (text), number (the same as int64, also of who has none), name, birth and day of the statement (days).
    """
    nik, name, birth, day = true["nik"], true["name"], true["birth"].to_numpy(), true["day"].to_numpy()
    number = true["number"].to_numpy()

    def fault(part: str) -> Array:
        rates: tuple[Faults, Faults] = (noise.faults.first, noise.faults.again)
        first, second = (drawn(rng, len(again), getattr(one, part).model_dump()) for one in rates)
        return np.where(again, second, first).astype("U24")

    of_nik, of_name, of_birth = fault("nik"), fault("name"), fault("birth")
    of_nik[nik.is_null().to_numpy() | borrowed] = ""
    at = np.flatnonzero(of_nik != "")
    stated_nik = replaced_at(nik, at, wrong_numbers(rng, number[at], of_nik[at]))
    at = np.flatnonzero(of_name != "")
    wrong, of_name[at] = misspelt(rng, name.gather(at).to_list(), of_name[at])
    stated_name = replaced_at(name, at, wrong).alias("name")
    at = np.flatnonzero((of_birth != "") & (of_birth != "impossible"))
    stated_birth = birth.copy()
    stated_birth[at], of_birth[at] = wrong_births(rng, birth[at], day[at], of_birth[at])
    date_text = _dates("birth_date", stated_birth).cast(pl.String)
    at = np.flatnonzero(of_birth == "impossible")
    date_text = replaced_at(date_text, at, [f"{one[:4]}-02-30" for one in date_text.gather(at).to_list()])
    named = [
        np.where(one == "", "", np.char.add(f"{part}_", one))
        for part, one in (("nik", of_nik), ("name", of_name), ("birth", of_birth))
    ]
    return (stated_nik, stated_name, date_text), named


def _replaced(persons: pl.DataFrame, rows: Array, claimed: Claims, total: int) -> pl.DataFrame:
    """Identity as stated: that of the victim where a number is claimed, wholly so where it is the same person.

    `rows` are rows of persons, -1 for who is stated with another family.
    """
    which = np.full(total, -1)
    which[claimed.rows] = np.arange(len(claimed.rows))
    claim = np.where(rows >= 0, which[rows], -1)
    at = np.flatnonzero(claim >= 0)
    claim = claim[at]
    columns = {name: persons[name].to_numpy(writable=True) for name in (*LENT_COLUMNS, "has_nik")}
    columns["true_nik"] = columns["nik"].copy()
    cause = np.full(len(rows), "", dtype="U16")
    victims = {name: claimed.victims[name].to_numpy() for name in LENT_COLUMNS}
    columns["nik"][at] = victims["nik"][claim]
    same = claimed.is_same[claim]
    for name in LENT_COLUMNS:
        columns[name][at[same]] = victims[name][claim[same]]
    columns["true_nik"][at[same]] = victims["nik"][claim[same]]
    cause[at] = np.where(same, LISTED_TWICE, "borrowed_nik")
    return pl.DataFrame({**columns, "cause": cause})


def _visits(
    rng: np.random.Generator, families: pl.DataFrame, results: Mapping[int, float], misread: float, left_out: float
) -> pl.DataFrame:
    """Result of each visit, and the answers it brought."""
    count = families.height
    result = np.array(list(results), dtype=np.int32)[pick(rng, count, results)]
    answers = _misread(rng, _answers(families), misread)
    nothing = result > _INCOMPLETE
    partly = result == _INCOMPLETE
    gaps = {name: nothing | (partly & chosen(rng, count, left_out)) for name in answers.columns}
    return _without(answers, gaps).insert_column(0, pl.Series("visit_result", result))


def _shocks(rng: np.random.Generator, visited: Array, answered: Array, rules: Survey) -> Iterator[pl.Series]:
    """What struck the families that answered, each shock for itself; nothing else in the country follows from it."""
    for name in SHOCKS:
        struck = answered & chosen(rng, len(visited), rules.shocks[name.removesuffix("_date")])
        day = visited - rng.integers(0, rules.struck_within_days, len(visited))
        yield pl.select(pl.when(pl.Series(struck)).then(_dates(name, day)).alias(name)).to_series()


def surveys(
    rng: np.random.Generator, society: Society, rows: Array, registered: pl.DataFrame, window: tuple[date, date],
    noise: Noise,
) -> pl.DataFrame:  # fmt: skip
    """Visits of agents to these families, after their registration."""
    families = society.families[rows]
    since, until = (days(day) for day in window)
    known = np.full(society.families.height, since, dtype=np.int64)
    known[registered["family"].to_numpy()] = registered["day"].to_numpy()
    latest = until - _LAST_DAYS
    day = np.minimum(known[rows] + rng.integers(1, 30, len(rows)), latest)
    rules = noise.survey
    frame = families.select(
        _numbers("family_card_number", families["card"]),
        _dates("survey_date", day),
        visitor().alias("agent_id"),
        _BUILDING,
    )
    found = _visits(rng, families, rules.results, rules.misread, rules.left_out_when_incomplete)
    frame = frame.with_columns(_shocks(rng.spawn(1)[0], day, found["visit_result"].to_numpy() <= _INCOMPLETE, rules))
    return pl.concat([families.select("village_code"), frame, found], how="horizontal")


def validations(
    rng: np.random.Generator, society: Society, share: float, window: tuple[date, date], noise: Noise
) -> pl.DataFrame:
    """Ground checks of BPS of a share of the registered families: the truth, where the family was found."""
    registered = np.flatnonzero(society.families["is_registered"].to_numpy())
    rows = registered[chosen(rng, len(registered), share)]
    families = society.families[rows]
    until = days(window[1])
    frame = families.select(
        "village_code",
        _numbers("family_card_number", families["card"]),
        _dates("validation_date", until - _LAST_DAYS + 1 + rng.integers(0, _LAST_DAYS - 2, len(rows))),
        pl.lit(None, pl.String).alias("objection_id"),
        pl.lit(None, pl.String).alias("statement_id"),
        _BUILDING,
    )
    return pl.concat([frame, _visits(rng, families, noise.validation.results, 0.0, 0.0)], how="horizontal")


def numbers_of_nobody(who: pl.DataFrame, society: Society, lent: pl.DataFrame | None) -> pl.Series:
    """Numbers that were stated of persons and belong to nobody, neither here nor where they may be borrowed from.

    Parameters
    ----------
    who : pl.DataFrame
        Truth of the statements, from :func:`members`.
    """
    stated = (
        who.filter(pl.col("nik_landed").is_not_null(), form_fault("nik_landed").is_null())
        .select(nik="nik_landed")
        .unique()
    )
    numbers = [society.persons["nik"], *([] if lent is None else [lent["nik"]])]
    known = pl.concat([one.cast(pl.String).alias("nik") for one in numbers]).to_frame()
    return stated.join(known, on="nik", how="anti")["nik"].sort()


def evidence(society: Society, as_of: date, country: Country, unknown: pl.Series) -> dict[Agency, pl.DataFrame]:
    """What every agency finds of the registered persons who have a number; rows only where something is found.

    Parameters
    ----------
    unknown : pl.Series
        Numbers that Dukcapil does not know.
    """
    families = society.families
    amounts = electricity(families, country)
    # The connection is in the name of the head whose family has the dwelling.
    amounts[~families["dwelling"].is_first_distinct().to_numpy()] = 0
    persons = society.persons
    known = livelihoods(persons, families, days(as_of), country)
    family = persons["family"].to_numpy()
    asked = pl.concat([persons, known], how="horizontal").filter(
        pl.Series(families["is_registered"].to_numpy()[family]) & persons["has_nik"]
    )
    values = {
        "is_deceased": ~pl.col("is_alive"),
        "is_civil_servant": pl.col("is_civil_servant"),
        "is_soldier_or_police": pl.col("is_soldier_or_police"),
        "is_pensioner": pl.col("is_pensioner"),
        "wage_rupiah_month": pl.col("wage"),
        "electricity_va": pl.when(pl.col("relation") == HEAD).then(pl.lit(amounts).gather("family")).otherwise(0),
        "is_rights_victim": pl.col("is_rights_victim"),
        **{fact: pl.col(fact) for fact in known.columns},
    }
    of_nobody = pl.DataFrame({"nik": unknown, "value": 1, "agent_id": None}, schema_overrides={"agent_id": pl.String})
    offices = families.select(operator("village_code")).to_series()
    found: dict[Agency, list[pl.DataFrame]] = {}
    for fact, agency in FACT_AGENCY.items():
        office = pl.lit(offices).gather("family") if agency is Agency.VILLAGE_OFFICE else pl.lit(None, pl.String)
        known_of = (
            of_nobody if fact == "is_unknown_number" else asked.select("nik", value=values[fact], agent_id=office)
        )
        rows = known_of.select(
            pl.lit(str(agency)).alias("agency"),
            pl.col("nik").cast(pl.String),
            pl.lit(fact).alias("fact"),
            pl.col("value").cast(pl.Int64),
            pl.lit(as_of).alias("as_of_date"),
            "agent_id",
        )
        found.setdefault(agency, []).append(rows.filter(pl.col("value") > 0))
    return {agency: pl.concat(rows) for agency, rows in found.items()}


def current_recipients(
    rng: np.random.Generator, society: Society, code: str, day: date, country: Country
) -> pl.DataFrame:
    """The families that received before the first quarter, registered or not, with what the last stage paid."""
    families, head = society.families, heads(society.persons)
    paid = {
        Programme.PKH: pkh_rupiah(society.persons, families.height, day, country.payments),
        Programme.BPNT: np.full(families.height, country.payments.bpnt),
    }
    year = day.year
    parts = []
    for programme, column in ((Programme.PKH, "receives_pkh"), (Programme.BPNT, "receives_bpnt")):
        rows = np.flatnonzero(families[column].to_numpy())
        quarters = rng.integers(0, 4 * 6, len(rows))
        since = [date(year - 1 - int(one) // 4, 1 + 3 * (int(one) % 4), 1) for one in range(4 * 6)]
        parts.append(
            pl.DataFrame(
                {
                    "family_card_number": _numbers("", families["card"].to_numpy()[rows]),
                    "head_nik": _numbers("", head["nik"].to_numpy()[rows]),
                    "programme": str(programme),
                    "regency_code": code,
                    "since_date": pl.Series(since).gather(quarters),
                    "head_name": written(head[rows]),
                    "village_code": families["village_code"].gather(rows),
                    "amount_rupiah": paid[programme][rows],
                },
                schema_overrides={"programme": pl.String, "regency_code": pl.String},
            )
        )
    return pl.concat(parts)
