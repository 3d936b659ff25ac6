"""What families, agents, BPS and other agencies say of the true society, with all that goes wrong on the way.

Rows as the files hold them, and of every stated person who it truly is and what is wrong with the row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from schemas.feeds import FACT_AGENCY, SHOCKS
from schemas.questionnaire import default_questionnaire
from schemas.vocabularies import Agency, Channel, FaceMatch, Programme, Proposer, Sex
from world.dice import Array, chosen, pick
from world.numbers import ages
from world.parameters import Country, MemberNoise, Noise, SelfReport
from world.people import ELDERLY, HEAD, days
from world.society import UID_STRIDE, Society, agent_name, heads
from world.welfare import electricity

LENT_COLUMNS = ("uid", "nik", "birth", "is_female", "first_name", "second_name")
_BUILDING = (pl.col("dwelling") % UID_STRIDE + 1).alias("building_number")
_INCOMPLETE = 2
_REGISTRATIONS_UNTIL = 0.65
_LAST_DAYS = 25
_CAUSES = ("malformed_nik", "nik_typo", "birth_date_error", "impossible_date", "unknown_code", "name_typo")


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
    count = min(round(rules.claimed_twice * len(registering)), len(candidates))
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
    rng: np.random.Generator, society: Society, rows: Array, claimed: Claims, window: tuple[date, date],
    number: int, noise: Noise,
) -> pl.DataFrame:  # fmt: skip
    """Registrations of these families and, for a few, once more through another channel.

    Returns
    -------
    pl.DataFrame
        Columns of the feed; `family` is the family row, `is_repeated` and `day` (days since 1970-01-01) say which.
    """
    since, until = (days(day) for day in window)
    span = int((until - since) * _REGISTRATIONS_UNTIL)
    repeated = rows[chosen(rng, len(rows), noise.registration.repeated)]
    everything = np.concatenate([rows, repeated])
    is_repeated = np.arange(len(everything)) >= len(rows)
    count = len(everything)
    families = society.families[everything]
    day = since + rng.integers(0, span, count)
    claiming = np.isin(everything, claimed.families)
    day = np.where(claiming, since + span, day)
    first_day = np.zeros(society.families.height, dtype=np.int64)
    first_day[rows] = day[: len(rows)]
    day = np.where(is_repeated, first_day[everything] + rng.integers(3, 14, count), day)

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

    rules = noise.verification
    head = heads(society.persons)
    old = np.zeros(society.families.height, dtype=bool)
    old[head["family"].to_numpy()] = ages(head["birth"].to_numpy(), until) >= ELDERLY
    elderly = old[everything]
    ikd = chosen(rng, count, np.where(elderly, rules.ikd_verified_elderly, rules.ikd_verified))
    failed = np.where(elderly, rules.face_failed_elderly, rules.face_failed)
    absent = np.where(elderly, rules.face_not_available_elderly, rules.face_not_available)
    draw = rng.random(count)
    face = np.select(
        [draw < failed, draw < failed + absent],
        [str(FaceMatch.FAILED), str(FaceMatch.NOT_AVAILABLE)],
        str(FaceMatch.PASSED),
    )
    doubtful = np.isin(everything, claimed.families[~claimed.is_verified])
    ikd = ikd & ~doubtful
    face = np.where(doubtful, str(FaceMatch.FAILED), face)
    face = np.where(claiming & ~doubtful, str(FaceMatch.PASSED), face)

    consents = ~chosen(rng, count, noise.registration.without_consent)
    frame = families.select(
        pl.Series("family", everything),
        pl.Series("is_repeated", is_repeated),
        pl.Series("day", day),
        _numbers("family_card_number", families["card"]),
        "village_code",
        _dates("registered_date", day).cast(pl.String),
        pl.Series("channel", channel),
        pl.Series("proposer", proposer),
        pl.when(pl.Series(by_agent)).then(agent_name(number, "agent")).alias("agent_id"),
        pl.Series("has_consent", consents),
        pl.when(pl.Series(consents)).then(_dates("consent_date", day)).alias("consent_date"),
        pl.Series("is_ikd_verified", ikd),
        pl.Series("face_match", face),
    )
    said = self_reported(rng, _answers(families), noise.self_report)
    return _malformed(rng, pl.concat([frame, said], how="horizontal"), noise.malformed_registrations)


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


def _stated_persons(society: Society, registered: pl.DataFrame, *, with_dead: bool) -> pl.DataFrame:
    """Person row, statement day and card of everybody stated, by registration and then relation."""
    persons = society.persons.with_row_index("row").select("row", "family", "relation", "birth", "is_alive")
    if not with_dead:
        persons = persons.filter(pl.col("is_alive"))
    by_family = registered.select("family", "day", "is_repeated").join(persons, on="family").sort(
        "is_repeated", "family", "relation", "birth", "row"
    )  # fmt: skip
    return by_family.select(pl.col("row").cast(pl.Int64), "family", "day", "is_repeated")


def members(  # noqa: PLR0913
    rng: np.random.Generator, society: Society, registered: pl.DataFrame, restated: Array, claimed: Claims,
    window: tuple[date, date], country: Country, noise: Noise, *, with_dead: bool,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """Persons of the registrations and those restated alone; and of each who it truly is and what is wrong.

    Parameters
    ----------
    with_dead : bool
        Whether the dead are still on the card, as at first; later statements leave them out.

    Returns
    -------
    tuple of pl.DataFrame
        Columns of the feed and `family`; and row by row person_uid, nik, family_card_number, nik_landed, cause.
    """
    stated = _stated_persons(society, registered, with_dead=with_dead)
    alone = society.persons["family"].to_numpy()[restated]
    since, until = (days(day) for day in window)
    newest = np.maximum(society.persons["birth"].to_numpy()[restated] + 1, since)
    told = np.minimum(newest + rng.integers(0, 30, len(restated)), until - 1)
    stated = pl.concat(
        [
            stated,
            pl.DataFrame({"row": restated, "family": alone, "day": told, "is_repeated": False}, schema=stated.schema),
        ]
    )
    rows = stated["row"].to_numpy()
    persons = society.persons[rows]
    # A child born after the family registered is stated when it is there.
    day = np.maximum(stated["day"].to_numpy(), np.minimum(persons["birth"].to_numpy() + 3, until - 1))
    replaced = _replaced(persons, rows, claimed, society.persons.height)
    card = _numbers("family_card_number", society.families["card"].to_numpy()[stated["family"].to_numpy()])
    nik = pl.select(pl.when(replaced["has_nik"]).then(_numbers("nik", replaced["nik"])).alias("nik")).to_series()
    names = country.names
    women = np.array([*names.female, *names.male])
    offset = np.where(replaced["is_female"].to_numpy(), 0, len(names.female))
    first = pl.Series(women[replaced["first_name"].to_numpy() + offset])
    second = pl.Series(np.array([*(f" {one}" for one in names.second), ""])[replaced["second_name"].to_numpy()])
    frame = persons.select(
        stated["family"],
        card,
        nik,
        (first + second).alias("name"),
        _dates("birth_date", replaced["birth"].to_numpy()).cast(pl.String),
        pl.when(replaced["is_female"]).then(pl.lit(str(Sex.FEMALE))).otherwise(pl.lit(str(Sex.MALE))).alias("sex"),
        "relation",
        "marital_status",
        pl.col("is_pregnant") & replaced["is_female"],
        "school_participation",
        pl.when(pl.col("school_level") > 0).then("school_level").alias("school_level"),
        "education",
        "work_position",
        "disability",
        _dates("stated_date", day),
    )
    repeated = stated["is_repeated"].to_numpy()
    cause = np.where(
        replaced["cause"].to_numpy() != "", replaced["cause"].to_numpy(), np.where(repeated, "repeated", "")
    )
    cause = np.where(~replaced["has_nik"].to_numpy() & np.isin(cause, ("", "repeated")), "no_nik", cause)
    cause = _fate(rng, cause, noise.members)
    landed = _misspelt(rng, frame, pl.Series("cause", cause))
    truth = pl.DataFrame(
        {
            "person_uid": replaced["uid"],
            "family_uid": society.families["uid"].to_numpy()[stated["family"].to_numpy()],
            "nik": replaced["true_nik"].cast(pl.String),
            "family_card_number": landed["family_card_number"],
            "nik_landed": landed["nik"],
            "stated_date": landed["stated_date"],
            "cause": cause,
        }
    ).with_columns(pl.when(pl.col("cause") != "").then("cause").alias("cause"))
    return landed, truth


def _replaced(persons: pl.DataFrame, rows: Array, claimed: Claims, total: int) -> pl.DataFrame:
    """Identity as stated: that of the victim where a number is claimed, wholly so where it is the same person."""
    which = np.full(total, -1)
    which[claimed.rows] = np.arange(len(claimed.rows))
    claim = which[rows]
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
    cause[at] = np.where(same, "listed_twice", "borrowed_nik")
    return pl.DataFrame({**columns, "cause": cause})


def _fate(rng: np.random.Generator, cause: Array, noise: MemberNoise) -> Array:
    """At most one thing is wrong with a row: what is already known of it, else one of the rates of `noise.yaml`."""
    bounds = np.cumsum([getattr(noise, name) for name in _CAUSES])
    drawn = np.array([*_CAUSES, ""])[np.searchsorted(bounds, rng.random(len(cause)), side="right")]
    return np.where(cause == "", drawn, cause).astype("U20")


def _misspelt(rng: np.random.Generator, frame: pl.DataFrame, cause: pl.Series) -> pl.DataFrame:
    """The rows with the fault their cause names."""
    count = frame.height
    kind = pl.Series(rng.integers(0, 3, count))
    digit = pl.Series(rng.integers(12, 15, count))
    shift = pl.Series(rng.choice([-365, -31, -1, 1, 31, 365], count))
    nik, name = pl.col("nik"), pl.col("name")
    at = pl.lit(digit)
    other = ((nik.str.slice(at, 1).cast(pl.Int64, strict=False) + 1) % 10).cast(pl.String)
    typo = nik.str.slice(0, at) + other + nik.str.slice(at + 1)
    spreadsheet = nik.str.slice(0, 1) + "." + nik.str.slice(1, 2) + "E+15"
    without_serial = nik.str.slice(0, 12) + "0000"
    malformed = (
        pl.when(kind == 0).then(nik.str.slice(0, 15)).when(kind == 1).then(spreadsheet).otherwise(without_serial)
    )
    born = pl.col("birth_date").str.to_date() + pl.duration(days=pl.lit(shift))
    moved = pl.min_horizontal(born, "stated_date").cast(pl.String)
    return frame.with_columns(
        pl.when(cause == "malformed_nik")
        .then(malformed)
        .when(cause == "nik_typo")
        .then(typo)
        .otherwise(nik)
        .alias("nik"),
        pl.when(cause == "birth_date_error")
        .then(moved)
        .when(cause == "impossible_date")
        .then(pl.col("birth_date").str.slice(0, 4) + "-02-30")
        .otherwise(pl.col("birth_date"))
        .alias("birth_date"),
        pl.when(cause == "unknown_code").then(pl.lit(99, pl.Int32)).otherwise(pl.col("relation")).alias("relation"),
        pl.when(cause == "name_typo").then(name.str.slice(0, 2) + name.str.slice(1)).otherwise(name).alias("name"),
    )


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


def surveys(
    rng: np.random.Generator, society: Society, rows: Array, registered: pl.DataFrame, window: tuple[date, date],
    number: int, noise: Noise,
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
        agent_name(number, "agent").alias("agent_id"),
        _BUILDING,
        # Nothing but work and old age befalls the families of this country.
        *(pl.lit(None, pl.Date).alias(shock) for shock in SHOCKS),
    )
    found = _visits(rng, families, rules.results, rules.misread, rules.left_out_when_incomplete)
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
        _BUILDING,
    )
    return pl.concat([frame, _visits(rng, families, noise.validation.results, 0.0, 0.0)], how="horizontal")


def evidence(society: Society, as_of: date, country: Country) -> dict[Agency, pl.DataFrame]:
    """What every agency finds of the registered persons who have a number; rows only where something is found."""
    families = society.families
    amounts = electricity(families, country)
    # The connection is in the name of the head whose family has the dwelling.
    amounts[~families["dwelling"].is_first_distinct().to_numpy()] = 0
    persons = society.persons
    family = persons["family"].to_numpy()
    asked = persons.filter(pl.Series(families["is_registered"].to_numpy()[family]) & persons["has_nik"])
    values = {
        "is_deceased": ~pl.col("is_alive"),
        "is_civil_servant": pl.col("is_civil_servant"),
        "is_soldier_or_police": pl.col("is_soldier_or_police"),
        "is_pensioner": pl.col("is_pensioner"),
        "wage_rupiah_month": pl.col("wage"),
        "electricity_va": pl.when(pl.col("relation") == HEAD).then(pl.lit(amounts).gather("family")).otherwise(0),
        "is_rights_victim": pl.col("is_rights_victim"),
    }
    return {
        agency: asked.select(
            pl.lit(str(agency)).alias("agency"),
            pl.col("nik").cast(pl.String),
            pl.lit(fact).alias("fact"),
            values[fact].cast(pl.Int64).alias("value"),
            pl.lit(as_of).alias("as_of_date"),
        ).filter(pl.col("value") > 0)
        for fact, agency in FACT_AGENCY.items()
    }  # fmt: skip


def current_recipients(rng: np.random.Generator, society: Society, code: str, day: date) -> pl.DataFrame:
    """The families that received before the first quarter, registered or not."""
    families, head = society.families, heads(society.persons)
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
                },
                schema_overrides={"programme": pl.String, "regency_code": pl.String},
            )
        )
    return pl.concat(parts)
