"""The steps of a quarter's decision, regency by regency, and the sources they read.

The rules themselves are in `judge`, `ranking`, `places` and `transitions`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from assets.decision.compared import Before, Now, list_compared_facts, sources_of
from assets.decision.contestable import find_contestable
from assets.decision.deciles import FRAMES, OFFICIAL, cut_points
from assets.decision.deciles import compared as deciles_compared
from assets.decision.families import Families, Terms
from assets.decision.filters import filter_rows
from assets.decision.history import MOVED_OUT, STATUSES_BEFORE, ElsewhereSource, History, elsewhere, previous
from assets.decision.judge import asked_of, eligibility, judge
from assets.decision.places import places
from assets.decision.ranking import rank
from assets.decision.reviews import memberships, of_recipients
from assets.decision.transitions import transitions
from assets.decision.visits import visits
from assets.decision.worklist import worklist
from assets.house import House
from assets.intake.poverty import POVERTY_FIGURES
from assets.lake import WHOLE, Table
from assets.pseudonyms import PseudonymKey
from assets.steps import FrameSource, list_sources, step
from assets.welfare.scorecard import Scorecard
from schemas.errors import Tampered
from schemas.quarter import Quarter
from schemas.tables import TABLES
from schemas.vocabularies import Status

_KEY = ["family_id", "programme"]
_NOT_COMPARED = (
    "components", "head_name", "case_id", "input_hash", "ground_checks", "member_since", "review_due", "held_since",
    "channel", "score_basis",
)  # fmt: skip
_COMPARED = tuple(name for name in TABLES["decision/eligibility"].columns if name not in _NOT_COMPARED)
_DECIDED = (*_KEY, "status")


def terms_of(house: House, quarter: Quarter, card: Scorecard, cuts: pl.DataFrame) -> Terms:
    """The terms of a quarter in a home."""
    return Terms(quarter, house.policy(quarter), house.drawn_days(quarter), card, cuts)


def cut_points_of(house: House, quarter: Quarter, card: Scorecard, survey: pl.DataFrame) -> pl.DataFrame:
    """Decile cut points of a quarter; none where no programme asks for a decile."""
    policy = house.policy(quarter)
    asks = any(rule.max_decile is not None for rule in policy.programmes.values())
    return cut_points(survey, card, policy.welfare) if asks else TABLES["decision/cut_points"].empty()


def cut_points_table(house: House, terms: Terms) -> Table:
    """The cut points as a table of the quarter."""
    return house.lake.write_whole(house.contracts["decision/cut_points"], str(terms.quarter), terms.cut_points)


def judged_tables(house: House, terms: Terms, registry: Mapping[str, Table], history: History) -> dict[str, Table]:
    """Scores, filters and eligibility of every family, and the deciles compared, by regency."""
    sources = {**list_sources(house.contracts, registry), **history.list_sources(house.contracts)}
    shards = sorted(registry["registry/families"].shards)
    return judge_regency.run(house.lake, house.contracts, str(terms.quarter), shards, sources, terms=terms)


def decided_tables(
    house: House, terms: Terms, tables: Mapping[str, Table], figures: pl.DataFrame, history: History
) -> dict[str, Table]:
    """Places, decisions, payments, the BPS worklist, visits that matter and transitions.

    Parameters
    ----------
    tables : mapping
        By key, those of the registry and what was judged.
    figures : DataFrame
        From :func:`quotas.poverty.poverty_figures`.
    """
    lake, contracts, quarter = house.lake, house.contracts, str(terms.quarter)
    eligible = tables["decision/eligibility"]
    shards = sorted(eligible.shards)
    sources = {
        **list_sources(contracts, tables), **history.list_sources(contracts), POVERTY_FIGURES: FrameSource(figures)
    }  # fmt: skip
    seats = share_out_seats.run(lake, contracts, quarter, [WHOLE], sources, terms=terms)
    sources |= list_sources(contracts, seats)
    decided = rank_regency.run(lake, contracts, quarter, shards, sources, terms=terms, key=house.key)
    sources |= list_sources(contracts, decided)
    for table in (eligible, decided["decision/decisions"]):
        sources[elsewhere(table.key)] = ElsewhereSource(table, contracts[table.key], history.departed)
    facts = list_compared_facts(*([*contracts[key].columns] for key in ("registry/families", "registry/provenance")))
    left = sorted(history.list_regencies_left() - set(shards))
    moved = find_regency_transitions.run(
        lake, contracts, quarter, [*shards, *left], sources,
        terms=terms, previous_terms=history.terms, facts=tuple(facts),
    )  # fmt: skip
    return {**seats, **decided, **moved}


@step(
    reads={
        "records": "registry/families",
        "members": "registry/members",
        "provenance": "registry/provenance",
        "previous_statuses": STATUSES_BEFORE,
    },
    uses=("terms",),
    writes=("decision/scores", "decision/filters", "decision/eligibility", "decision/deciles_compared"),
)
def judge_regency(
    records: pl.DataFrame,
    members: pl.DataFrame,
    provenance: pl.DataFrame,
    previous_statuses: pl.DataFrame,
    *,
    terms: Terms,
) -> tuple[pl.DataFrame, ...]:
    """Judge the families of a regency, each for itself."""
    families = Families(records, members)
    judged = judge(families, terms)
    eligible = memberships(eligibility(judged, terms, previous_statuses), families, terms, previous_statuses)
    hashes = input_hashes(families)
    scores = judged.with_columns(model_hash=pl.lit(terms.scorecard.hash)).join(hashes, on="family_id")
    official = records.select("family_id", *(f"{OFFICIAL}decile_{frame}" for frame in FRAMES))
    filters = filter_rows(judged, records, provenance, terms.policy)
    return scores, filters, eligible.join(hashes, on="family_id"), deciles_compared(judged, official)


def input_hashes(families: Families) -> pl.DataFrame:
    """`family_id, input_hash`: SHA-256 of every fact of a family and its living members, in a fixed order."""
    records = families.records.lazy().select(
        "family_id",
        pl.concat_str(pl.exclude("head_name").cast(pl.String).fill_null("~"), separator="|").alias("_facts"),
    )
    members = (
        families.members.lazy()
        .sort("family_id", "person_id")
        .select("family_id", pl.concat_str(pl.all().cast(pl.String).fill_null("~"), separator="|").alias("_member"))
        .group_by("family_id", maintain_order=True)
        .agg(pl.col("_member").str.join("#"))
    )
    text = pl.concat_str("_facts", pl.col("_member").fill_null(""), separator="##").cast(pl.Binary)
    joined = records.join(members, on="family_id", how="left").select("family_id", _text=text).collect()
    hashes = pl.Series("input_hash", [hashlib.sha256(facts).digest() for facts in joined["_text"].to_list()], pl.Binary)
    return joined.select("family_id", hashes.bin.encode("hex"))


def _list_seat_columns(settings: Mapping[str, Any]) -> Sequence[str]:
    return [settings["terms"].area, "programme", "status"]


@step(
    reads={
        "figures": POVERTY_FIGURES,
        "eligible": "decision/eligibility",
        "previous_seats": previous("decision/seats"),
    },
    columns={"eligible": _list_seat_columns},
    uses=("terms",),
    writes=("decision/seats",),
)
def share_out_seats(
    figures: pl.DataFrame, eligible: pl.DataFrame, previous_seats: pl.DataFrame, *, terms: Terms
) -> pl.DataFrame:
    """Share out the places of the nation to its areas by their poverty figures."""
    return places(terms.policy, figures, eligible, None if previous_seats.is_empty() else previous_seats)


def _list_fact_sources(settings: Mapping[str, Any]) -> Sequence[str]:
    sources = [f"{rule.fact}_source" for rule in settings["terms"].policy.filters]
    return ["family_id", *dict.fromkeys(sources)]


@step(
    reads={
        "eligible": "decision/eligibility",
        "seats": "decision/seats",
        "residuals": "welfare/residuals",
        "provenance": "registry/provenance",
        "implausible": "registry/implausible",
        "doubts": "registry/doubts",
        "previous_worklist": previous("decision/worklist"),
    },
    columns={"provenance": _list_fact_sources},
    uses=("terms", "key"),
    writes=("decision/decisions", "decision/payments", "decision/worklist", "decision/visits"),
)
def rank_regency(
    eligible: pl.DataFrame,
    seats: pl.DataFrame,
    residuals: pl.DataFrame,
    provenance: pl.DataFrame,
    implausible: pl.DataFrame,
    doubts: pl.DataFrame,
    previous_worklist: pl.DataFrame,
    *,
    terms: Terms,
    key: PseudonymKey,
) -> tuple[pl.DataFrame, ...]:
    """Rank the families of a regency for its places, and list whom BPS is to visit."""
    decided = of_recipients(rank(eligible, seats, terms), terms)
    ids = decided["family_id"].unique().sort()
    named = pl.DataFrame([ids, key.references("family reference", ids)])
    on_list = decided.select(pl.format("{}:{}:{}", pl.lit(str(terms.quarter)), "programme", "family_id")).to_series()
    decided = decided.join(named, on="family_id", maintain_order="left").with_columns(
        key.references("list reference", on_list).alias("list_reference"),
        masked_name("head_name").alias("masked_name"),
        quarter=pl.lit(str(terms.quarter)),
        province_code=pl.col("regency_code").str.slice(0, 2),
        model_hash=pl.lit(terms.scorecard.hash),
        policy_hash=pl.lit(terms.policy.hash),
        stage=pl.lit(terms.quarter.stage, pl.Int32),
    )
    in_every_programme = pl.lit(None, pl.String).alias("programme")
    to_settle = [
        find_contestable(decided, provenance, terms.policy),
        implausible.select("family_id", in_every_programme, reason="check"),
        doubts.select("family_id", in_every_programme, "reason"),
    ]
    reviews = doubts.select("family_id", "asked_on", "answered_on").drop_nulls("asked_on")
    listed = worklist(decided, pl.concat(to_settle).unique(), previous_worklist, terms, reviews)
    paid = decided.filter(pl.col("status") == Status.RECIPIENT.value)
    return decided, paid, listed, visits(decided, listed, residuals, terms)


def masked_name(column: str) -> pl.Expr:
    """A name as the public list shows it: the first letter of each word and three asterisks, whatever its length."""
    return pl.col(column).str.to_uppercase().str.replace_all(r"(\p{L})[^\s]*", "$1***")


def _list_compared_columns(settings: Mapping[str, Any]) -> Sequence[str]:
    terms, before = settings["terms"], settings["previous_terms"]
    return [*dict.fromkeys([*asked_of(terms), *asked_of(before or terms), *settings["facts"]])]


def _list_compared_sources(settings: Mapping[str, Any]) -> Sequence[str]:
    return ["family_id", *sources_of(settings["facts"])]


@step(
    reads={
        "records": "registry/families",
        "members": "registry/members",
        "provenance": "registry/provenance",
        "eligible": "decision/eligibility",
        "decisions": "decision/decisions",
        "seats": "decision/seats",
        "eligible_elsewhere": elsewhere("decision/eligibility"),
        "decisions_elsewhere": elsewhere("decision/decisions"),
        "previous_statuses": STATUSES_BEFORE,
        "moved_out": MOVED_OUT,
        "previous_records": previous("registry/families"),
        "previous_members": previous("registry/members"),
        "previous_seats": previous("decision/seats"),
    },
    columns={
        "records": _list_compared_columns,
        "provenance": _list_compared_sources,
        "eligible": _COMPARED,
        "decisions": _DECIDED,
        "eligible_elsewhere": _COMPARED,
        "decisions_elsewhere": _DECIDED,
        "previous_records": _list_compared_columns,
    },
    uses=("terms", "previous_terms", "facts"),
    writes=("decision/transitions",),
)
def find_regency_transitions(
    records: pl.DataFrame,
    members: pl.DataFrame,
    provenance: pl.DataFrame,
    eligible: pl.DataFrame,
    decisions: pl.DataFrame,
    seats: pl.DataFrame,
    eligible_elsewhere: pl.DataFrame,
    decisions_elsewhere: pl.DataFrame,
    previous_statuses: pl.DataFrame,
    moved_out: pl.DataFrame,
    previous_records: pl.DataFrame,
    previous_members: pl.DataFrame,
    previous_seats: pl.DataFrame,
    *,
    terms: Terms,
    previous_terms: Terms | None,
    facts: tuple[str, ...],
) -> pl.DataFrame:
    """Compare each family's status in two quarters and attribute every change to one cause.

    Raises
    ------
    Tampered
        If decisions are not about the families judged.
    """
    del facts
    current = Now(
        Families(records, members),
        provenance,
        _with_statuses(eligible, decisions, terms.quarter),
        terms,
        seats,
        _with_statuses(eligible_elsewhere, decisions_elsewhere, terms.quarter),
    )
    earlier = Before(
        pl.concat([previous_statuses, moved_out]),
        Families(previous_records, previous_members),
        previous_terms,
        None if previous_terms is None else previous_seats,
        moved_out["family_id"].unique(),
    )
    return transitions(current, earlier)


def _with_statuses(eligible: pl.DataFrame, decisions: pl.DataFrame, quarter: Quarter) -> pl.DataFrame:
    """The families judged with the status that was decided."""
    judged, decided = eligible.sort(_KEY), decisions.sort(_KEY)
    if not judged.select(_KEY).equals(decided.select(_KEY)):
        message = f"decision/decisions is not about the families of decision/eligibility. Run {quarter} again."
        raise Tampered(message)
    return judged.with_columns(decided["status"])
