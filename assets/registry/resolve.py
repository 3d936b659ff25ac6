"""From accepted statements to the registry of a quarter: which shards are mapped, in which order, over which tables.

Identity goes by buckets of the person's number, records by regency; a narrow index of family cards joins the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from itertools import pairwise

import polars as pl

from assets.house import House
from assets.intake.batches import Batch
from assets.lake import WHOLE, Table
from assets.registry.adjudications import rulings_of
from assets.registry.asked import numbers_asked, recorded_numbers
from assets.registry.attributes import Precedence, statements
from assets.registry.authors import ROW, Record, is_unregistered
from assets.registry.claims import claims_of
from assets.registry.coverage import Known, outreach
from assets.registry.deciles import DECILES, official_deciles
from assets.registry.existence import confirm_numbers, register_rows
from assets.registry.families import family_index
from assets.registry.identity import identify
from assets.registry.linkage.in_force import model_on, pair_scorer
from assets.registry.pending import confirmed_statements, decode_rows, drop_expired, hold_statements
from assets.registry.periods import PERIOD_COLUMNS, family_periods, person_periods
from assets.registry.persons import Evidence, persons_of
from assets.registry.records import Basis, Before, Stated, attributes_of, family_records, newcomers_without_persons
from assets.registry.settling import Rights, Settled
from assets.registry.shocks import family_shocks
from assets.registry.sitting import rosters, unregistered_recipients
from assets.registry.standing import Effects, judge_statements, serving_agents
from assets.registry.statements import Statements, counted
from assets.welfare.scorecard import Scorecard
from quotas.calendar import DrawnDays
from schemas.contract import Contract
from schemas.identifiers import BUCKETS
from schemas.quarter import Quarter
from schemas.vocabularies import Feed, Standing, Subject

ROWS_PER_BUCKET_SHARD = 1_000_000
TABLES = (
    "registry/families", "registry/provenance", "registry/members", "registry/conflicts", "registry/village_office",
    "registry/shocks", "registry/implausible",
    "registry/persons", "registry/claims", "registry/links", "registry/aliases", "registry/cases",
    "registry/adjudications", "registry/family_periods", "registry/person_periods", "registry/outreach",
    "registry/coverage", "registry/parked", "registry/pending", "registry/refused", "registry/doubts",
    "registry/expiries",
)  # fmt: skip
LINKING = "registry/.linking"
_READ_WHOLE = (
    "registry/families", "registry/provenance", "registry/persons", "registry/links", "registry/aliases",
    "registry/adjudications",
)  # fmt: skip
"""Tables of last quarter that are not read by shard."""
_OF_LAST_QUARTER = ("families", "provenance", "conflicts", "family_periods", "shocks", "pending", "doubts")
_DECISIONS = "decision/decisions"
_READ_FOR_STANDING = (
    Feed.REGISTRATIONS, Feed.MEMBERS, Feed.SURVEYS, Feed.IDENTITY_CHECKS, Feed.AGENTS, Feed.AGENT_FAMILIES,
    Feed.REQUESTS, Feed.CURRENT_RECIPIENTS, Feed.DTSEN_PERSONS, Feed.DTSEN_FAMILIES, Feed.POPULATION_REGISTER,
)  # fmt: skip
FAMILIES_PER_GROUP = 200_000
_ON_PERSONS = (Feed.EVIDENCE, Feed.POPULATION_REGISTER, Feed.DTSEN_PERSONS)
_STATED = (Feed.REGISTRATIONS, Feed.SURVEYS, Feed.VALIDATIONS)
UNNUMBERED = "unnumbered"
"""Shard of whoever has no NIK: a family's card, and so the bucket of its newborn, may change."""


@dataclass(frozen=True, eq=False)
class _Quarter:
    """What every shard of a quarter's registry is made of; the persons once they are known."""

    house: House
    quarter: Quarter
    days: DrawnDays
    said: Statements
    before: Mapping[str, Table]
    index: pl.DataFrame
    effects: Effects
    pending: pl.DataFrame
    card: Scorecard
    serving: pl.DataFrame
    people: pl.LazyFrame = field(default_factory=pl.LazyFrame)

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Regencies in groups of some `FAMILIES_PER_GROUP`: tables that know no regency are read once per group."""
        counts = self.index.filter("is_current").group_by("regency_code").len().sort("regency_code")
        left = sorted(set(self.before["registry/family_periods"].shards) - set(counts["regency_code"]))
        codes = [*counts["regency_code"], *left]
        begun = (counts["len"].cum_sum() - counts["len"]) // FAMILIES_PER_GROUP
        number = dict(zip(counts["regency_code"], begun, strict=True))
        return tuple(
            tuple(code for code in codes if number.get(code, 0) == group) for group in sorted({0, *number.values()})
        )

    def then(self, key: str) -> pl.LazyFrame:
        """A table of last quarter."""
        return self.before[key].scan(self.house.contracts[key])

    @cached_property
    def movers(self) -> pl.DataFrame:
        """Families that lie in another regency's shards of last quarter: `family_id, regency_code`, that of now."""
        table, contract = self.before["registry/family_periods"], self.contract("family_periods")
        lay = [
            table.read(contract, shard, ["family_id"]).unique().with_columns(_shard=pl.lit(shard))
            for shard in table.shards
        ]
        known = pl.concat([contract.empty().select("family_id", _shard="family_id"), *lay])
        homes = self.index.filter("is_current").select("family_id", "regency_code")
        moved = known.join(homes, on="family_id").filter(pl.col("_shard") != pl.col("regency_code"))
        return moved.select("family_id", "regency_code")

    @cached_property
    def moved(self) -> Mapping[str, pl.DataFrame]:
        """What last quarter's tables say of the movers, by table; `regency_code` is that of now."""
        chosen = pl.col("family_id").is_in(self.movers["family_id"].implode())
        found = pl.collect_all(
            self.before[f"registry/{name}"].scan(self.contract(name), self.columns_then(name)).filter(chosen)
            for name in _OF_LAST_QUARTER
        )
        return {
            name: frame.join(self.movers, on="family_id") for name, frame in zip(_OF_LAST_QUARTER, found, strict=True)
        }

    def columns_then(self, name: str) -> list[str]:
        """Columns of a table of last quarter that this quarter reads."""
        held = [one for one in self.contract(name).columns if one != "regency_code"]
        wanted = {"family_id", *self.golden, "split_from_family_id", "split_date"}
        return [one for one in held if one in wanted] if name in {"families", "provenance"} else held

    @cached_property
    def golden(self) -> list[str]:
        """Columns of a golden record: every attribute, its source and its date."""
        attributes = attributes_of(self.house.questionnaire)
        return [*attributes, *(f"{name}_{part}" for name in attributes for part in ("source", "date"))]

    def of_last_quarter(self, name: str, regency: str) -> pl.DataFrame:
        """Rows of a table of last quarter about families that live in a regency, or lay there and are nowhere now."""
        lay = self.before[f"registry/{name}"].read(self.contract(name), regency, self.columns_then(name))
        came = self.moved[name].filter(pl.col("regency_code") == regency).drop("regency_code")
        return pl.concat([lay.join(self.movers, on="family_id", how="anti"), came])

    def contract(self, name: str) -> Contract:
        """Contract of a table of the room."""
        return self.house.contracts[f"registry/{name}"]


def resolve(
    house: House,
    quarter: Quarter,
    feeds: Mapping[Feed, Table],
    pinned: Sequence[Batch],
    previous: Mapping[str, Table],
    card: Scorecard,
) -> dict[str, Table]:
    """The registry of a quarter.

    Parameters
    ----------
    feeds : mapping
        Accepted tables of the pinned batches, at least of :data:`assets.registry.statements.FEEDS`.
    previous : mapping
        Tables of the revision built on, at least the registry's and `decision/decisions`; empty in a first quarter.
    card : Scorecard
        In force: tells which answers worsen a family.

    Returns
    -------
    dict
        Tables by key: those of families by regency, those of persons by bucket, the small ones whole.
    """
    lake = house.lake
    stated = Statements.of_quarter(house, quarter, feeds, pinned)
    before = {key: previous.get(key) or Table(key, str(quarter.previous), {}) for key in TABLES}
    scans = {key: before[key].scan(house.contracts[key]) for key in _READ_WHOLE}
    policy = house.policy(quarter)
    roster = None if previous else rosters(stated)
    record, receiving = _record(stated, roster, scans, previous, house)
    effects = judge_statements(stated, record, policy)
    held = hold_statements(stated, effects, house.key)
    said = _counting(stated, effects, before, house, roster)
    index = family_index(
        said.of(Feed.REGISTRATIONS), said.of(Feed.MEMBERS), scans, receiving, record, effects, house.key
    )  # fmt: skip
    pending = _pending(held, index, quarter)
    days = house.drawn_days(quarter)
    room = _Quarter(house, quarter, days, said, before, index, effects, pending, card, serving_agents(said))
    # Persons and families come from any shard of last quarter.
    built_on = sorted(one.content_hash for one in [*before.values(), *_decided(previous)])
    read_for_standing = [feeds[feed].content_hash for feed in _READ_FOR_STANDING]
    settings = (
        house.key, said, policy, days, house.questionnaire, built_on, card, read_for_standing,
    )  # fmt: skip
    cards = [feeds[feed] for feed in (Feed.REGISTRATIONS, Feed.MEMBERS, Feed.CURRENT_RECIPIENTS)]

    # Last quarter a person may have borne several identities; each of them counted where the person did.
    borne = scans["registry/aliases"].join(scans["registry/persons"].select("person_id", "family_id"), on="person_id")
    count = -(-(feeds[Feed.MEMBERS].rows + before["registry/claims"].rows) // ROWS_PER_BUCKET_SHARD)
    shards = [*_bucket_shards(count), UNNUMBERED]
    (claims,) = lake.map_shards(
        _claims, str(quarter), [room.contract("claims")], shards, cards, room,
        borne.select("identity_id", "family_id").collect(), settings=settings,
    )  # fmt: skip
    claimed = claims.scan(room.contract("claims"))
    rights = _rights(record, effects, index, is_first=not previous)
    rulings = rulings_of(said.of(Feed.ADJUDICATIONS), scans["registry/adjudications"])
    found = identify(
        claimed, scans["registry/links"].collect(), scans["registry/aliases"].collect(), rulings, index, rights,
        pair_scorer(model_on(house.models, quarter.first_day), policy.registry, lake.root / LINKING),
        policy.registry, house.key,
    )  # fmt: skip
    whole = {
        "links": found.links, "aliases": found.settled.aliases, "cases": found.cases, "adjudications": rulings,
    }  # fmt: skip
    made = [lake.write_whole(room.contract(name), str(quarter), frame) for name, frame in whole.items()]
    doubted_before = scans["registry/persons"].join(
        found.settled.persons.lazy().select("person_id"), on="person_id", how="semi"
    ).collect()  # fmt: skip
    (persons,) = lake.map_shards(
        _persons, str(quarter), [room.contract("persons")], shards,
        [claims, *made, *cards, *(feeds[feed] for feed in _ON_PERSONS)],
        room, claimed, found.settled, doubted_before,
        settings=settings,
    )  # fmt: skip
    people = persons.scan(room.contract("persons"))
    room = replace(room, people=people)
    (times,) = lake.map_shards(
        _person_periods, str(quarter), [room.contract("person_periods")], [*persons.shards, WHOLE],
        [persons], room, persons, _periods_elsewhere(room, found.settled), settings=settings,
    )  # fmt: skip
    personless = newcomers_without_persons(claimed, found.settled, found.cases, index)
    of_regency = lake.map_shards(
        _records, str(quarter),
        [room.contract(name)
         for name in ("families", "provenance", "members", "conflicts", "village_office", "implausible", "pending",
                      "doubts", "expiries", "family_periods", "shocks")],
        sorted(code for codes in room.groups for code in codes),
        [*(feeds[feed] for feed in (*_STATED, Feed.DTSEN_FAMILIES)), persons, *made, *cards],
        room, personless, found.cases, settings=settings,
    )  # fmt: skip
    known = Known.of(
        said, index.lazy().filter(~is_unregistered()), _registered_numbers(people, index),
        house.days(quarter).decision_date, FAMILIES_PER_GROUP,
    )  # fmt: skip
    missing = lake.map_shards(
        _outreach, str(quarter), [room.contract("outreach"), room.contract("coverage")],
        list(known.groups),
        [feeds[feed] for feed in (Feed.DTSEN_FAMILIES, Feed.DTSEN_PERSONS, Feed.POPULATION_REGISTER, Feed.AGENTS)]
        + [persons, *cards],
        room, known, settings=(*settings, sorted(known.groups.items())),
    )  # fmt: skip
    _read_group.cache_clear()
    parked = lake.write_whole(room.contract("parked"), str(quarter), _parked(said, index, people))
    refused = effects.set_aside.filter(pl.col("standing") == Standing.REFUSED.value)
    listed = lake.write_whole(room.contract("refused"), str(quarter), refused)
    tables = [claims, persons, times, *of_regency, *missing, *made, parked, listed]
    return {table.key: table for table in tables}


def _decided(previous: Mapping[str, Table]) -> list[Table]:
    return [previous[_DECISIONS]] if _DECISIONS in previous else []


def _record(
    stated: Statements,
    roster: pl.DataFrame | None,
    scans: Mapping[str, pl.LazyFrame],
    previous: Mapping[str, Table],
    house: House,
) -> tuple[Record, pl.LazyFrame]:
    """What was on record before, and the list of current recipients in a first quarter (else empty).

    Parameters
    ----------
    roster : DataFrame or None
        From :func:`assets.registry.sitting.rosters` in a first quarter.
    """
    receiving = stated.raw(Feed.CURRENT_RECIPIENTS)
    contract, columns = house.contracts[_DECISIONS], ["family_id", "status"]
    decisions = [table.scan(contract, columns) for table in _decided(previous)]
    statuses = decisions[0] if decisions else contract.empty().lazy().select(columns)
    if roster is None:
        receiving, roster = receiving.clear(), pl.DataFrame(schema={"family_card_number": pl.String, "nik": pl.String})
    listed = roster.lazy().select("family_card_number", "nik")
    record = Record.of(scans["registry/families"], scans["registry/persons"], statuses, receiving, listed)
    return record, receiving


def _counting(
    stated: Statements, effects: Effects, before: Mapping[str, Table], house: House, roster: pl.DataFrame | None
) -> Statements:
    """The statements that count: none set aside, those that BPS confirmed, and recipients who have not registered."""
    aside = {
        Feed(feed): mine.select(ROW)
        for (feed,), mine in effects.set_aside.partition_by("feed", as_dict=True, maintain_order=True).items()
    }
    counting = replace(stated, set_aside=aside)
    waiting = before["registry/pending"].scan(house.contracts["registry/pending"])
    added = confirmed_statements(waiting, counting.of(Feed.VALIDATIONS), effects, house.contracts)
    if roster is not None:
        added = unregistered_recipients(counting, roster, effects.speakers)
    return replace(counting, added=added)


def _rights(record: Record, effects: Effects, index: pl.DataFrame, *, is_first: bool) -> Rights:
    """Which families may take persons from which others."""
    card = "family_card_number"
    heads = record.families.lazy().select(card, "head_nik")
    # Beside an unregistered recipient registers name whom they knew then: its head alone is known to be there.
    is_known = ~pl.col("is_alone") | (pl.col("nik") == pl.col("head_nik"))
    on_record = (
        record.persons.lazy()
        .join(index.lazy().select(card, "family_id", is_alone=is_unregistered()), on=card)
        .join(heads, on=card, how="left")
        .filter(is_known)
        .select("nik", "family_id")
    )
    return Rights.of(effects.speakers, on_record, index.select(card, "family_id"), is_first=is_first)


def _pending(held: pl.DataFrame, index: pl.DataFrame, quarter: Quarter) -> pl.DataFrame:
    """Pending statements of a quarter with the family and regency they are about."""
    cards = index.select("family_card_number", "family_id")
    homes = index.filter("is_current").select("family_id", "regency_code")
    return held.join(cards, on="family_card_number").join(homes, on="family_id").with_columns(
        since=pl.lit(str(quarter))
    )  # fmt: skip


def _registered_numbers(people: pl.LazyFrame, index: pl.DataFrame) -> pl.LazyFrame:
    """`nik` of persons of families that have registered."""
    alone = index.lazy().filter("is_current", is_unregistered()).select("family_id")
    return people.join(alone, on="family_id", how="anti").select("nik").drop_nulls()


def _bucket_shards(count: int) -> list[str]:
    count = min(max(count, 1), BUCKETS)
    edges = [position * BUCKETS // count for position in range(count + 1)]
    return [f"b{low:03}-{high - 1:03}" for low, high in pairwise(edges)]


def _of_shard(shard: str, *numbers: str) -> pl.Expr:
    """Statements and persons of a bucket shard, or those without a number in any of these columns."""
    is_numbered = pl.any_horizontal(pl.col(name).is_not_null() for name in numbers or ("nik",))
    return _is_in_buckets(shard) & is_numbered if shard != UNNUMBERED else ~is_numbered


def _is_in_buckets(shard: str) -> pl.Expr:
    low, high = (int(edge) for edge in shard[1:].split("-"))
    return pl.col("nik_bucket").is_between(low, high)


def _claims(shard: str, room: _Quarter, borne: pl.DataFrame) -> tuple[pl.DataFrame, ...]:
    mine = _of_shard(shard)
    # Whoever was stated under another's number is claimed beside him, and has no number as a person.
    previous = room.then("registry/claims").filter(_of_shard(shard, "nik", "shared_nik")).collect()
    persons = room.then("registry/persons").filter(mine if shard == UNNUMBERED else _is_in_buckets(shard))
    kept = pl.concat([persons.select("identity_id", "family_id"), borne.lazy()])
    kept = kept.join(previous.lazy().select("identity_id"), on="identity_id", how="semi").unique()
    members = room.said.of(Feed.MEMBERS).filter(mine).collect()
    return (claims_of(members, previous, kept.collect(), room.index, room.house.key),)


def _persons(
    shard: str, room: _Quarter, claims: pl.LazyFrame, settled: Settled, doubted_before: pl.DataFrame
) -> tuple[pl.DataFrame, ...]:
    mine = _of_shard(shard)
    doubtful = settled.claims.lazy().select("identity_id", "family_id")
    sound = claims.filter(mine).join(doubtful, on=["identity_id", "family_id"], how="anti").collect()
    in_doubt = settled.persons.filter(mine)
    # Whoever was given a number since lay elsewhere.
    known = pl.concat([room.then("registry/persons").filter(mine).collect(), doubted_before])
    previous = known.unique("person_id", maintain_order=True)
    has_numbers = pl.lit(value=shard != UNNUMBERED)
    found = persons_of(sound, in_doubt, _evidence(room, mine & has_numbers), previous, room.index)
    registers = register_rows(
        room.said.of(Feed.POPULATION_REGISTER), room.said.of(Feed.DTSEN_PERSONS), mine & has_numbers
    )
    return (confirm_numbers(found, registers, previous),)


def _evidence(room: _Quarter, mine: pl.Expr) -> Evidence:
    """What is stated of the numbers of a shard, and which of them agencies could have been asked about."""
    said, policy = room.said, room.house.policy(room.quarter)
    cut_off = room.days.cut_off
    senders = [sender.code for sender in policy.senders if Feed.MEMBERS in sender.feeds]
    groups = dict.fromkeys(answer.group for answer in said.coverage if answer.group is not None)
    return Evidence(
        said.of(Feed.EVIDENCE).filter(mine).collect(),
        said.coverage,
        {group: numbers_asked(room.house, group, mine).collect() for group in groups},
        recorded_numbers(said, senders, mine).collect(),
        room.quarter.first_day,
        Precedence.of(policy.registry, cut_off).oldest,
    )


def _periods_elsewhere(room: _Quarter, settled: Settled) -> pl.DataFrame:
    """Last quarter's periods of whoever may have lain in another shard: who bears another number, or was gone."""
    bore_another = room.then("registry/persons").filter(pl.col("identity_id") != pl.col("person_id"))
    who = pl.concat([one.select("person_id") for one in (bore_another, settled.persons.lazy())])
    then = room.then("registry/person_periods").join(who, on="person_id", how="semi").collect()
    gone = room.before["registry/person_periods"].read(room.contract("person_periods"), WHOLE)
    return pl.concat([then.join(gone, on="person_id", how="anti"), gone])


def _person_periods(shard: str, room: _Quarter, persons: Table, elsewhere: pl.DataFrame) -> tuple[pl.DataFrame, ...]:
    """Periods of the persons of a shard; those of whoever is on record no more are kept in a shard of their own."""
    contract, before = room.contract("persons"), room.before["registry/person_periods"]
    if shard == WHOLE:
        now = persons.scan(contract, ["person_id"])
        return (room.then("registry/person_periods").join(now, on="person_id", how="anti").collect(),)
    here = persons.read(contract, shard, PERIOD_COLUMNS)
    # With another number of shards everybody lay elsewhere.
    lay = before.read(room.contract("person_periods"), shard if shard in before.shards else None)
    previous = pl.concat([lay.join(elsewhere, on="person_id", how="anti"), elsewhere])
    return (person_periods(here, previous.join(here, on="person_id", how="semi")),)


@lru_cache(maxsize=1)
def _read_group(room: _Quarter, group: int) -> Mapping[str, pl.DataFrame]:
    """What is stated and known of the families of a group of regencies, read in one pass; each with `regency_code`."""
    regencies = room.groups[group]
    current = room.index.lazy().filter("is_current", pl.col("regency_code").is_in(regencies))
    homes = current.select("family_id", "regency_code")
    # An older card of the family may still bear the code of the regency it left.
    cards = room.index.lazy().select("family_card_number", "family_id", "was_on_record").join(homes, on="family_id")
    read = {feed.value: counted(room.said.of(feed), cards) for feed in _STATED}
    read["persons"] = room.people.filter(pl.col("regency_code").is_in(regencies))
    read["requests"] = counted(room.said.of(Feed.REQUESTS), cards)
    deciles = room.said.of(Feed.DTSEN_FAMILIES).select("family_card_number", "issued_on", *DECILES)
    listed = room.index.lazy().select("family_card_number", "family_id", "is_current").join(homes, on="family_id")
    read["deciles"] = deciles.join(listed, on="family_card_number")
    return {name: frame.collect() for name, frame in read.items()}


def _records(regency: str, room: _Quarter, personless: pl.DataFrame, cases: pl.DataFrame) -> tuple[pl.DataFrame, ...]:
    here = pl.col("regency_code") == regency
    group = next(at for at, codes in enumerate(room.groups) if regency in codes)
    read = {name: frame.filter(here) for name, frame in _read_group(room, group).items()}
    current = room.index.filter("is_current", here)
    known = {name: room.of_last_quarter(name, regency) for name in _OF_LAST_QUARTER}
    then = {name: frame.join(current, on="family_id", how="semi") for name, frame in known.items()}
    golden = then["families"].join(then["provenance"], on="family_id").select("family_id", *room.golden)
    policy, days = room.house.policy(room.quarter), room.days
    cut_off_before = days.cut_off if room.said.since == date.min else room.said.since
    basis = Basis(
        room.quarter, room.house.questionnaire, room.house.contracts, room.house.key, policy, days,
        cut_off_before, room.card, room.serving,
    )  # fmt: skip
    stated = _stated(room, read, then["pending"], here, basis)
    surveys = stated.rows[Feed.SURVEYS]
    records = family_records(
        current,
        read["persons"],
        personless,
        cases.filter(here),
        stated,
        Before(golden, then["families"], then["conflicts"], then["doubts"]),
        official_deciles(read["deciles"]),
        basis,
    )
    made = room.contract("families").fit(records[0])
    # What is told of families that are nowhere any more stays where they were last.
    periods = family_periods(made, known["family_periods"], days.cut_off)
    oldest = Precedence.of(policy.registry, days.cut_off).oldest
    shocks = family_shocks(surveys, read["persons"], then["shocks"], oldest)
    here_now = made.select("family_id", "regency_code")
    return (*records, periods, shocks.join(here_now, on="family_id"))


def _stated(
    room: _Quarter, read: Mapping[str, pl.DataFrame], then: pl.DataFrame, here: pl.Expr, basis: Basis
) -> Stated:
    """Statements about the families of a regency; those whose quarter of notice has passed are among them."""
    attributes = attributes_of(basis.questionnaire)
    registrations, surveys, validations = (read[feed.value] for feed in _STATED)
    is_due = pl.col("counts_from").is_not_null()
    passed = then.filter(is_due, pl.col("subject") == Subject.ANSWERS.value)
    # What was withdrawn since last quarter is no statement any more.
    known = {batch.batch_id for batch in room.said.batches}
    stands = pl.col("batch_id").is_in(sorted(known)) | (pl.col("since") != str(room.quarter.previous))
    noticed = {
        feed: decode_rows(mine, basis.contracts[f"intake/{feed}"]).hstack(mine.select("family_id"))
        for feed in (Feed.REGISTRATIONS, Feed.SURVEYS)
        if (mine := passed.filter(pl.col("feed") == feed.value, stands)).height
    }
    told = statements(registrations, surveys, validations, room.effects.third_party, attributes)
    empty = {name: read[name].clear() for name in (Feed.REGISTRATIONS.value, Feed.SURVEYS.value)}
    after_notice = statements(
        noticed.get(Feed.REGISTRATIONS, empty[Feed.REGISTRATIONS.value]),
        noticed.get(Feed.SURVEYS, empty[Feed.SURVEYS.value]),
        validations.clear(),
        room.effects.third_party.clear(),
        attributes,
    )
    confirmed = room.said.added.values()
    counted_now = pl.concat([then.select(ROW).clear(), *(frame.select(ROW) for frame in confirmed)])
    still = then.filter(~is_due).join(counted_now, on=ROW, how="anti")
    carried = drop_expired(still, Precedence.of(basis.policy.registry, basis.days.cut_off).oldest)
    made_anew = {"regency_code", "counts_from", "contradicts", "is_listed"}
    columns = [name for name in then.columns if name not in made_anew]
    mine = room.pending.filter(here)
    regency = pl.lit(None, pl.String).alias("regency_code")
    pending = pl.concat([mine.select(columns), carried.select(columns)]).with_columns(regency)
    requests = read["requests"].select("family_id", "kind", "requested_date").unique()
    rows = {Feed.REGISTRATIONS: registrations, Feed.SURVEYS: surveys}
    return Stated(pl.concat([told, after_notice]), room.effects.if_not_worse, rows, pending, requests)


def _outreach(shard: str, room: _Quarter, known: Known) -> tuple[pl.DataFrame, ...]:
    agents = room.said.raw(Feed.AGENTS).filter(pl.col("regency_code").is_in(known.groups[shard])).collect()
    return outreach(known.families(room.said, shard), known.registered, known.frail, agents)


def _parked(said: Statements, index: pl.DataFrame, persons: pl.LazyFrame) -> pl.DataFrame:
    """Rows that wait: for the registration of their family, for its members, or for the person asked about."""
    card = "family_card_number"
    cards = index.lazy().select(card)
    peopled = pl.concat([said.raw(Feed.MEMBERS).select(card), index.lazy().filter("was_on_record").select(card)])
    waiting = [
        said.raw(feed)
        .join(known, on=key, how="anti")
        .group_by("batch_id")
        .agg(rows=pl.len().cast(pl.Int64))
        .select(pl.lit(feed.value).alias("feed"), "batch_id", "rows")
        for feed, key, known in (
            (Feed.REGISTRATIONS, card, peopled),
            (Feed.MEMBERS, card, cards),
            (Feed.SURVEYS, card, cards),
            (Feed.VALIDATIONS, card, cards),
            (Feed.EVIDENCE, "nik", persons.select("nik")),
        )
    ]
    return pl.concat(waiting).sort("feed", "batch_id").collect()
