"""Writes the synthetic country: deliveries of each quarter, and the truth apart from them; one regency at a time."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from schemas.errors import WrongUsage
from schemas.feeds import feeds
from schemas.quarter import Quarter
from schemas.questionnaire import default_questionnaire
from schemas.regions import regencies
from schemas.vocabularies import Agency, Channel, Feed
from world.changes import News, advance, renewed
from world.dtsen import dtsen
from world.dukcapil import population_register
from world.field import agents, cadre_families
from world.geography import SCOPES, Regency, regencies_of, scope_of
from world.landing import Landing
from world.parameters import Country, Noise
from world.parameters import country as country_parameters
from world.parameters import noise as noise_parameters
from world.people import days
from world.society import Neighbourhood, Society, found, sampled
from world.statements import (
    LENT_COLUMNS,
    SENDER_OF_CHANNEL,
    checks_at_statements,
    claims,
    current_recipients,
    evidence,
    identity_checks,
    members,
    numbers_of_nobody,
    registrations,
    surveys,
    validations,
)

SMALLEST = SCOPES["banyuwangi"].smallest
POVERTY_VINTAGE = "2025-03"
MINISTRY, STATISTICS, CIVIL_REGISTRY = "kemensos", "bps", "dukcapil"
AGENTS_APPLICATION = SENDER_OF_CHANNEL[Channel.AGENT]
SENDER_OF_AGENCY = {Agency.VILLAGE_OFFICE: SENDER_OF_CHANNEL[Channel.VILLAGE_OFFICE]}
"""Who delivers for an agency, where it is another sender than the one of its name."""
_LENT = 500
_ANSWERED_AFTER = timedelta(days=12)
"""Agencies answer after the registrations they are asked about have come, and before the cut-off of the 20th."""
_FIRST_WINDOW = timedelta(days=184)
_SURVEY_STREAM, _DTSEN_STREAM, _DUKCAPIL_STREAM = 1, 2, 3


def write(scope: str, families: int, quarters: Sequence[Quarter], seed: int, out: Path) -> dict[str, dict[str, int]]:
    """Write `out/<quarter>/<feed>/<file>` with declarations, and the truth to `<out>-truth/<quarter>/<table>/`.

    The first quarter delivers everything, later ones what is new, and evidence in full. What is stated for a quarter
    was stated before its first day. The same arguments give the same bytes; memory grows with the largest regency.

    Parameters
    ----------
    scope : str
        `banyuwangi`: it and its three neighbours, as CSV; `nation`: all 514 regencies, as Parquet.
    families : int
        All families of the scope, split by population.
    quarters : sequence of Quarter
        In order of time.
    out : Path
        Folder whose folders of these quarters are empty or absent.

    Returns
    -------
    dict
        Rows by quarter and feed.

    Raises
    ------
    WrongUsage
        If the scope is unknown, the families too few, the quarters out of order or the folder in use.
    """
    whole = scope_of(scope)
    if families < whole.smallest:
        message = f"{families} families are too few for a country. Take at least {whole.smallest}."
        raise WrongUsage(message)
    if not quarters or list(quarters) != sorted(set(quarters)):
        message = "The quarters of a synthetic country stand in order of time, each once: 2026Q1,2026Q2."
        raise WrongUsage(message)
    country, noise = country_parameters(), noise_parameters()
    scope_regencies = regencies_of(whole, families, seed, country.villages)
    households = _sample_sizes(scope_regencies, noise.consumption_survey.households)
    with Landing(out, feeds(default_questionnaire()), tuple(quarters), whole.form) as landing:
        _deliver_statistics(landing, quarters[0])
        lent: pl.DataFrame | None = None
        for at, regency in enumerate(scope_regencies):
            after = scope_regencies[(at + 1) % len(scope_regencies)]
            around = Neighbourhood(regency, scope_regencies[at - 1], after)
            story = _Story(landing, around, scope_regencies, seed, country, noise)
            lent = story.tell(quarters, households[at], lent)
            if story.stem != _stem(landing, after):
                landing.finish(story.stem)
    return landing.counts


def _stem(landing: Landing, regency: Regency) -> str:
    """What the files of a regency are called: as Parquet, a province's lie in one."""
    return regency.code[:2] if landing.form == "parquet" else regency.code


def _deliver_statistics(landing: Landing, quarter: Quarter) -> None:
    """Poor persons, poverty lines, P0 and P1 of all 514 regencies."""
    figures = regencies().select(
        pl.col("code").alias("area_code"),
        pl.lit(POVERTY_VINTAGE).alias("vintage"),
        "poor_count",
        "poverty_line_rupiah_per_capita_month",
        poor_percent=(pl.col("poverty_share") * 100).round(2, mode="half_away_from_zero"),
        poverty_gap_percent=(pl.col("poverty_gap_share") * 100).round(2, mode="half_away_from_zero"),
    )
    landing.deliver(quarter, Feed.POVERTY_STATISTICS, f"bps_{POVERTY_VINTAGE}", figures, STATISTICS)


def _sample_sizes(scope: Sequence[Regency], households: int) -> list[int]:
    """Households sampled per regency, by the square root of its families, so that small regencies are seen too."""
    roots = np.sqrt([regency.families for regency in scope])
    return [int(size) for size in np.round(households * roots / roots.sum())]


class _Story:
    """One regency through all quarters."""

    def __init__(
        self,
        landing: Landing,
        around: Neighbourhood,
        scope: Sequence[Regency],
        seed: int,
        country: Country,
        noise: Noise,
    ) -> None:
        self._landing, self._around, self._home = landing, around, around.home
        self._scope, self._seed = scope, seed
        self._country, self._noise = country, noise
        self._unknown = pl.Series("nik", [], pl.String)
        self.stem = _stem(landing, around.home)
        # One file for all of the nation.
        self._joint = "nation" if landing.form == "parquet" else self._home.code

    def _rng(self, quarter: Quarter, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, self._home.number, quarter.year * 10 + quarter.number, *stream])

    def tell(self, quarters: Sequence[Quarter], households: int, lent: pl.DataFrame | None) -> pl.DataFrame:
        """Write all quarters; gives a few persons whose numbers the next regency's families may claim."""
        first = quarters[0]
        rng = self._rng(first)
        society, measured = found(rng, self._around, first.first_day, self._country, self._noise)
        self._landing.keep(first, "lookalikes", self.stem, society.lookalikes)
        numbers_to_lend = society.persons.filter(pl.col("is_alive") & pl.col("has_nik")).select(LENT_COLUMNS)
        on_loan = numbers_to_lend[np.sort(rng.permutation(numbers_to_lend.height)[:_LENT])]
        since = first.first_day - _FIRST_WINDOW
        for quarter in quarters:
            if quarter is first:
                news = self._opening(rng, society, quarter)
                self._deliver_registers(society, measured, quarter)
            else:
                rng = self._rng(quarter)
                news = advance(rng, society, self._around, since, quarter.first_day, self._country, self._noise)
                measured = society.measured(self._home, quarter.first_day, self._country)
            self._state(rng, society, news, quarter, since_first=quarter is first, lent=lent)
            self._keep_truth(society, measured, quarter)
            if quarter is first or quarter.number == 1:
                self._sample(society, quarter, households)
            since = quarter.first_day
        return on_loan

    def _opening(self, rng: np.random.Generator, society: Society, quarter: Quarter) -> News:
        """Everything there is to say in the first quarter."""
        landing = self._landing
        landing.deliver(quarter, Feed.AGENTS, self._joint, agents(society.families, self._home), MINISTRY)
        listed = cadre_families(society.families)
        landing.deliver(quarter, Feed.AGENT_FAMILIES, self._joint, listed, MINISTRY)
        sitting = current_recipients(rng, society, self._home.code, quarter.first_day, self._country)
        landing.deliver(quarter, Feed.CURRENT_RECIPIENTS, self._joint, sitting, MINISTRY)
        registering = np.flatnonzero(society.families["is_registered"].to_numpy())
        seen = rng.random(len(registering)) < self._noise.survey.share_of_registered
        return News(registering=registering, surveyed=registering[seen])

    def _deliver_registers(self, society: Society, measured: pl.DataFrame, quarter: Quarter) -> None:
        rng = self._rng(quarter, _DTSEN_STREAM)
        rupiah = measured["consumption_rupiah_per_capita_month"].to_numpy()
        spread = self._country.consumption.spread
        families, persons, truth = dtsen(
            rng, society, rupiah, self._home, days(quarter.first_day), spread, self._noise.dtsen
        )
        for feed, rows in ((Feed.DTSEN_FAMILIES, families), (Feed.DTSEN_PERSONS, persons)):
            self._landing.deliver(quarter, feed, self.stem, rows, STATISTICS, code_system="bps")
        self._landing.keep(quarter, "dtsen", self.stem, truth)
        rng = self._rng(quarter, _DUKCAPIL_STREAM)
        register = population_register(rng, society, truth["family_uid"].to_numpy(), self._noise.dukcapil)
        self._landing.deliver(quarter, Feed.POPULATION_REGISTER, self.stem, register, CIVIL_REGISTRY)

    def _state(
        self, rng: np.random.Generator, society: Society, news: News, quarter: Quarter, *, since_first: bool,
        lent: pl.DataFrame | None,
    ) -> None:  # fmt: skip
        """Deliver all that is said of this regency for a quarter."""
        landing, noise = self._landing, self._noise
        window = (quarter.first_day - _FIRST_WINDOW if since_first else quarter.previous.first_day, quarter.first_day)
        claimed = claims(rng, society, news.registering, lent, noise)
        registered = registrations(rng, society, news.registering, news.again, claimed, window, noise)
        landing.deliver_by_home(quarter, Feed.REGISTRATIONS, self.stem, registered)
        self._confirm(rng.spawn(1)[0], society, registered, quarter, window, is_first=since_first)
        stated, who = members(rng, society, registered, news.restated, claimed, window, noise, with_dead=since_first)
        landing.deliver_by_home(quarter, Feed.MEMBERS, self.stem, stated)
        checks = checks_at_statements(rng.spawn(1)[0], society, stated, registered, noise)
        landing.deliver_by_home(quarter, Feed.IDENTITY_CHECKS, self.stem, checks)
        landing.keep(quarter, "persons", self.stem, who)
        events = pl.concat([news.events, renewed(society, registered)])
        landing.keep(quarter, "events", self.stem, events)
        visited = surveys(rng, society, news.surveyed, registered, window, noise)
        landing.deliver_by_home(quarter, Feed.SURVEYS, self.stem, visited, AGENTS_APPLICATION)
        seen = society.families["is_surveyed"].to_numpy(writable=True)
        seen[news.surveyed] = True
        society.families = society.families.with_columns(pl.Series("is_surveyed", seen))
        share = noise.validation.share_of_registered if since_first else noise.validation.share_later
        checked = validations(rng, society, share, window, noise)
        landing.deliver_by_home(quarter, Feed.VALIDATIONS, self.stem, checked, STATISTICS)
        self._unknown = pl.concat([self._unknown, numbers_of_nobody(who, society, lent)]).unique().sort()
        self._answer(society, quarter, since_first=since_first)

    def _confirm(
        self, rng: np.random.Generator, society: Society, registered: pl.DataFrame, quarter: Quarter,
        window: tuple[date, date], *, is_first: bool,
    ) -> None:  # fmt: skip
        """Deliver the checks in person, and note whose identity is confirmed by now."""
        checks = identity_checks(rng, society, registered, window, self._noise, is_first=is_first)
        self._landing.deliver_by_home(quarter, Feed.IDENTITY_CHECKS, self.stem, checks)
        confirmed = society.families["is_confirmed"].to_numpy(writable=True)
        confirmed[checks["family"].to_numpy()] = True
        confirmed[registered.filter(pl.col("verified_nik").is_not_null())["family"].to_numpy()] = True
        day = society.families["stated_day"].to_numpy(writable=True)
        day[registered["family"].to_numpy()] = registered["day"].to_numpy()
        society.families = society.families.with_columns(
            pl.Series("is_confirmed", confirmed), pl.Series("stated_day", day)
        )

    def _answer(self, society: Society, quarter: Quarter, *, since_first: bool) -> None:
        """Deliver the agencies' evidence, one file per agency for all regencies it covers."""
        as_of = quarter.first_day + _ANSWERED_AFTER
        gap = self._noise.evidence.uncovered
        for agency, rows in evidence(society, as_of, self._country, self._unknown).items():
            coverage = [
                one.code
                for one in self._scope
                if not (since_first and agency is gap.agency and one.code == gap.regency)
            ]
            if self._home.code in coverage:
                self._landing.deliver(
                    quarter,
                    Feed.EVIDENCE,
                    agency,
                    rows,
                    SENDER_OF_AGENCY.get(agency, str(agency)),
                    agency=str(agency),
                    coverage=coverage,
                    as_of=as_of,
                    issued_on=as_of,
                )

    def _keep_truth(self, society: Society, measured: pl.DataFrame, quarter: Quarter) -> None:
        told = society.families.select(
            pl.col("uid").alias("family_uid"),
            pl.col("card").cast(pl.String).alias("family_card_number"),
            "village_code",
            pl.col("dwelling").alias("dwelling_uid"),
            "is_registered",
            "receives_pkh",
            "receives_bpnt",
        )
        facts = measured.select(
            pl.col("household_size").fill_null(0).alias("living_members"),
            "consumption_rupiah_per_capita_month",
            "is_poor",
            "decile",
            "exclusion",
            "is_eligible_pkh",
            "is_eligible_bpnt",
        )
        self._landing.keep(quarter, "households", self.stem, pl.concat([told, facts], how="horizontal"))

    def _sample(self, society: Society, quarter: Quarter, households: int) -> None:
        rng = self._rng(quarter, _SURVEY_STREAM)
        sample = sampled(rng, self._home, society, households, quarter.first_day, self._country, self._noise)
        self._landing.deliver(quarter, Feed.CONSUMPTION_SURVEY, "susenas", sample, STATISTICS)
