"""The families of one regency as they truly are on the day the story begins, and the sample of the survey.

What happens to them later: `changes`. What is said of them: `statements`.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from schemas.questionnaire import default_questionnaire
from world.dice import Array, chosen
from world.field import assign_agents
from world.geography import Regency
from world.homes import furnish, share_roofs
from world.lookalikes import FATHER_AND_SON, TWIN, names_in_families, pairs, rounded_births
from world.names import named
from world.numbers import ages, band, numbers
from world.parameters import Country, Noise
from world.people import HEAD, days, rolled_up, settle
from world.welfare import calibrated, consumption, standing, truth

UID_STRIDE = 100_000_000
_BORN_ELSEWHERE = 0.06
_FIRST_CARDS = date(2008, 1, 1)
_NEWBORN_DAYS = 92
_OLD = 70
_REMOTE = -0.5
"""Standing of the rural villages so poor that they pass for remote."""


@dataclass(frozen=True)
class Neighbourhood:
    """A regency between the one before and the one after it, in the (circular) order of the scope."""

    home: Regency
    before: Regency
    after: Regency

    def village(self, rng: np.random.Generator, step: Array) -> tuple[Array, Array, pl.DataFrame]:
        """One random village for each step (-1 before, 0 home, 1 after): its row in the third result, and that."""
        parts = (self.before, self.home, self.after)
        villages = pl.concat([one.villages for one in parts])
        starts = np.cumsum([0, *(one.villages.height for one in parts)])
        rows = np.zeros(len(step), dtype=np.int64)
        for which, one in enumerate(parts):
            here = np.flatnonzero(step == which - 1)
            rows[here] = starts[which] + rng.choice(one.villages.height, len(here), p=one.villages["share"].to_numpy())
        return rows, villages["region"].to_numpy()[rows], villages

    def step(self, region: Array) -> Array:
        """Where regions (first six digits) lie: -1 in the regency before, 0 at home, 1 in the one after."""
        regency = region // 100
        return np.select([regency == self.before.number, regency == self.after.number], [-1, 1], 0)


@dataclass
class Society:
    """The state of a regency's families; `persons.family` is a row of `families`.

    Attributes
    ----------
    families : pl.DataFrame
        uid, village_code, region, is_urban, village_luck, dwelling, card, welfare, luck, cadre and companion
        (:mod:`world.field`), the questionnaire's answers, is_registered, is_surveyed, is_confirmed (somebody's identity
        was, by machine or in person), stated_day (of its last registration), receives_pkh, receives_bpnt.
    persons : pl.DataFrame
        uid, nik, has_nik, first_name, second_name, third_name and the columns of :func:`world.people.settle`.
    lookalikes : pl.DataFrame
        kind, person_uid, other_uid: who looks alike from the start (:mod:`world.lookalikes`).
    place, scale : float
        Calibration of consumption, kept from the first quarter on.
    """

    families: pl.DataFrame
    persons: pl.DataFrame
    lookalikes: pl.DataFrame
    place: float
    scale: float

    def measured(self, regency: Regency, day: date, country: Country) -> pl.DataFrame:
        """Per family row its true members' roll-up, consumption, poverty and eligibility on a day."""
        members = rolled_up(self.persons, self.families.height, day)
        rupiah = consumption(standing(self.families, members, country.consumption), self.place, self.scale)
        known = self.families.with_columns(pl.Series("consumption_rupiah_per_capita_month", rupiah))
        facts = truth(known, self.persons, regency, day, country)
        return pl.concat([members, known.select("consumption_rupiah_per_capita_month"), facts], how="horizontal")


def _dwellers(
    rng: np.random.Generator, village: Array, regency: Regency, country: Country
) -> tuple[pl.DataFrame, Array]:
    """Families of the given village rows with their answers, and the row of the family whose roof they share."""
    villages = regency.villages[village]
    hosts = share_roofs(rng, village, country.families.shared_dwelling)
    own = np.sqrt(max(0.1, 1 - float(np.var(regency.villages["effect"].to_numpy()))))
    welfare = (villages["effect"].to_numpy() + own * rng.standard_normal(len(village)))[hosts]
    questions = default_questionnaire().answers
    answers = furnish(rng, welfare, country.answers, questions)
    answers = {name: drawn[hosts] if questions[name].level == "dwelling" else drawn for name, drawn in answers.items()}
    families = villages.select(
        "village_code", "region", "is_urban", "village_luck", village_effect="effect"
    ).with_columns(
        pl.Series("welfare", welfare),
        pl.Series("luck", rng.standard_normal(len(village))),
        *(pl.Series(name, drawn) for name, drawn in answers.items()),
    )
    return families, hosts


def _old_list(rng: np.random.Generator, measured: pl.DataFrame, noise: Noise) -> dict[str, Array]:
    """Who was chosen by the old, erroneous targeting."""
    old = noise.old_targeting
    count = measured.height
    log = np.log(measured["consumption_rupiah_per_capita_month"].to_numpy())
    seen = (log - log.mean()) / log.std() + old.error * rng.standard_normal(count)
    shared = {}
    for programme, share in (("pkh", old.pkh_share), ("bpnt", old.bpnt_share)):
        order = seen + old.error_of_one_programme * rng.standard_normal(count)
        if programme == "pkh":
            order = order + 100 * ~measured["has_component"].to_numpy()
        receives = np.zeros(count, dtype=bool)
        receives[np.argsort(order, kind="stable")[: round(share * count)]] = True
        shared[f"receives_{programme}"] = receives
    return shared


def _registered(rng: np.random.Generator, measured: pl.DataFrame, receives: Array, noise: Noise) -> Array:
    """Who has registered by the first quarter: most recipients, then likelier the poor."""
    rules = noise.registration
    count = measured.height
    log = np.log(measured["consumption_rupiah_per_capita_month"].to_numpy())
    eager = -rules.pull_of_poverty * (log - log.mean()) / log.std() + rng.gumbel(size=count)
    come = receives & chosen(rng, count, rules.share_of_recipients)
    alive = measured["household_size"].is_not_null().to_numpy()
    others = np.flatnonzero(~receives & alive)
    places = max(0, round(rules.share_by_first_quarter * count) - int(come.sum()))
    come[others[np.argsort(-eager[others], kind="stable")[:places]]] = True
    return come


def _peopled(
    rng: np.random.Generator, families: pl.DataFrame, around: Neighbourhood, day: date, country: Country, noise: Noise
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The persons of these families with numbers and names, and who of them looks like whom."""
    welfare, is_urban = families["welfare"].to_numpy(), families["is_urban"].to_numpy()
    persons = settle(rng, welfare, is_urban, day, country, with_dead=True)
    today, family = days(day), persons["family"].to_numpy()
    birth, is_female = persons["birth"].to_numpy(), persons["is_female"].to_numpy()
    birth = rounded_births(rng, birth, today, country.lookalikes)
    village = families["village_code"].rank("dense").to_numpy()[family]
    alike = pairs(rng, persons.with_columns(pl.Series("birth", birth)), village, today, country.lookalikes)
    # Father and son share no birth date; all others who look alike do.
    of_one_day = alike.kind != FATHER_AND_SON
    birth[alike.others[of_one_day]] = birth[alike.rows[of_one_day]]

    step = np.where(chosen(rng, len(family), _BORN_ELSEWHERE), rng.choice([-1, 1], len(family)), 0)
    region = families["region"].to_numpy()[family].copy()
    abroad = np.flatnonzero(step != 0)
    region[abroad] = around.village(rng, step[abroad])[1]
    twins = alike.kind == TWIN
    for place in (step, region):
        place[alike.others[twins]] = place[alike.rows[twins]]
    drawn = named(rng, is_female, birth, around.home.code[:2])
    age = ages(birth, today)
    is_remote = (~is_urban & (families["village_effect"].to_numpy() < _REMOTE))[family]
    rules = noise.members
    without = np.select(
        [birth > today - _NEWBORN_DAYS, age >= _OLD, is_remote],
        [rules.newborn_without_nik, rules.old_without_nik, rules.remote_without_nik],
        0.0,
    )
    uid = around.home.number * UID_STRIDE + np.arange(len(family))
    persons = persons.with_columns(
        pl.Series("birth", birth),
        pl.Series("uid", uid),
        pl.Series("nik", numbers(region, birth, is_female=is_female, serial=band(step))),
        pl.Series("has_nik", ~chosen(rng, len(family), without)),
        *(pl.Series(name, part) for name, part in names_in_families(rng, drawn, persons, alike).items()),
    )
    return persons, alike.record(uid)


def found(
    rng: np.random.Generator, around: Neighbourhood, day: date, country: Country, noise: Noise
) -> tuple[Society, pl.DataFrame]:
    """The society of a regency on the first day, and what is measured of it (see :meth:`Society.measured`)."""
    regency = around.home
    count = regency.families
    village = np.sort(rng.choice(regency.villages.height, count, p=regency.villages["share"].to_numpy()))
    families, hosts = _dwellers(rng, village, regency, country)
    persons, lookalikes = _peopled(rng, families, around, day, country, noise)
    families = families.drop("village_effect")
    today = days(day)
    recorded = rng.integers(days(_FIRST_CARDS), today - 200, count)
    families = families.with_columns(
        pl.Series("uid", regency.number * UID_STRIDE + np.arange(count)),
        pl.Series("dwelling", regency.number * UID_STRIDE + hosts),
        pl.Series("card", numbers(families["region"].to_numpy(), recorded)),
        is_surveyed=pl.lit(value=False),
        is_confirmed=pl.lit(value=False),
        stated_day=pl.lit(0, pl.Int64),
    )
    families = assign_agents(rng.spawn(1)[0], families, regency.number, noise.registration)
    members = rolled_up(persons, count, day)
    size = members["household_size"].fill_null(0).to_numpy()
    place, scale = calibrated(
        standing(families, members, country.consumption), size, regency, country.consumption.spread
    )
    society = Society(families, persons, lookalikes, place, scale)
    measured = society.measured(regency, day, country)
    receives = _old_list(rng, measured, noise)
    either = receives["receives_pkh"] | receives["receives_bpnt"]
    # Nobody receives without a number.
    heads_of_recipients = (persons["relation"] == HEAD).to_numpy() & either[persons["family"].to_numpy()]
    society.persons = persons.with_columns(has_nik=pl.col("has_nik") | pl.Series(heads_of_recipients))
    society.families = families.with_columns(
        pl.Series("is_registered", _registered(rng, measured, either, noise)),
        *(pl.Series(name, value) for name, value in receives.items()),
    )
    return society, measured


def sampled(
    rng: np.random.Generator,
    regency: Regency,
    society: Society,
    households: int,
    day: date,
    country: Country,
    noise: Noise,
) -> pl.DataFrame:
    """A fresh sample of the regency with measured consumption: households of the same make, none of them a registrant.

    Weights add up to the regency's families.
    """
    per_cluster = noise.consumption_survey.households_per_cluster
    clusters = -(-households // per_cluster)
    chosen_villages = np.sort(rng.choice(regency.villages.height, clusters, p=regency.villages["share"].to_numpy()))
    cluster = np.repeat(np.arange(clusters), per_cluster)[:households]
    families, _ = _dwellers(rng, chosen_villages[cluster], regency, country)
    persons = settle(
        rng, families["welfare"].to_numpy(), families["is_urban"].to_numpy(), day, country, with_dead=False
    )
    members = rolled_up(persons, households, day)
    rupiah = consumption(standing(families, members, country.consumption), society.place, society.scale)
    row = pl.int_range(pl.len()).cast(pl.String).str.zfill(5)
    return pl.concat([families.select("is_urban", *default_questionnaire().answers), members], how="horizontal").select(
        pl.format("S{}-{}-{}", pl.lit(str(day)), pl.lit(regency.number), row).alias("household_id"),
        pl.lit(regency.code).alias("regency_code"),
        pl.format("C{}-{}", pl.lit(regency.number), pl.Series("cluster", cluster).cast(pl.String).str.zfill(4))
        .alias("cluster_id"),
        "is_urban",
        pl.lit(regency.families / households).alias("weight"),
        pl.Series("expenditure_rupiah_per_capita_month", rupiah),
        *default_questionnaire().variables,
    )  # fmt: skip


def heads(persons: pl.DataFrame) -> pl.DataFrame:
    """One row per family row: the person registered as its head, living or not."""
    return persons.filter(pl.col("relation") == HEAD).unique("family", keep="first", maintain_order=True).sort("family")
