"""A quarter's decision, shard by shard over the regencies: which tables are made of which, in which order.

The rules themselves are in `judge`, `ranking`, `places` and `transitions`; this module only lays them over the lake.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from assets.decision.compared import Before, Now, list_compared_facts, sources_of
from assets.decision.contestable import find_contestable
from assets.decision.deciles import FRAMES, OFFICIAL, cut_points
from assets.decision.deciles import compared as deciles_compared
from assets.decision.draft import Draft
from assets.decision.families import Families, Terms
from assets.decision.filters import filter_rows
from assets.decision.judge import asked_of, eligibility, judge
from assets.decision.places import places
from assets.decision.ranking import rank
from assets.decision.reviews import memberships, of_recipients
from assets.decision.transitions import transitions
from assets.decision.visits import visits
from assets.decision.worklist import worklist
from assets.house import House
from assets.lake import Table, digest
from assets.welfare.scorecard import Scorecard
from schemas.errors import Tampered
from schemas.quarter import Quarter
from schemas.vocabularies import Status

_REGISTRY = ("registry/families", "registry/members")
_DECISIONS, _ELIGIBILITY, _PROVENANCE = "decision/decisions", "decision/eligibility", "registry/provenance"
_WORKLIST, _IMPLAUSIBLE, _DOUBTS = "decision/worklist", "registry/implausible", "registry/doubts"
_KEY = ["family_id", "programme"]
_OF_NO_CONCERN = (
    "components", "head_name", "case_id", "input_hash", "ground_checks", "member_since", "review_due", "held_since",
    "channel", "score_basis",
)  # fmt: skip
_STATUS = {
    "family_id": pl.String(), "programme": pl.String(), "status": pl.String(), "regency_code": pl.String(),
    "score_micro": pl.Int64(), "reasons": pl.List(pl.String), "member_since": pl.Date(), "held_since": pl.String(),
    "components": pl.List(pl.String), "amount_rupiah": pl.Int64(),
}  # fmt: skip
_LOOKED_BACK_AT: Mapping[str, Sequence[str] | None] = {
    "registry/families": None,
    "registry/members": None,
    _DECISIONS: tuple(_STATUS),
    _WORKLIST: ("family_id", "reason", "since"),
}
"""Tables of the quarter before and their columns that a decision looks at; None: all. No more is asked of them."""


@dataclass(frozen=True)
class History:
    """What the quarter before left: the tables of the revision built on, or the list of current recipients.

    Attributes
    ----------
    tables : mapping
        Tables of the previous revision by key; empty in a first quarter.
    terms : Terms or None
        Terms of then.
    departed : DataFrame
        `family_id, regency_code, now`: families that live elsewhere now (null: nowhere), and where they were; few.
    of_departed : mapping
        Their rows of the tables that a decision looks back at, by key.
    received : DataFrame
        In a first quarter `family_id, programme, status, regency_code, member_since, now` of the current recipients.
    """

    tables: Mapping[str, Table]
    terms: Terms | None
    departed: pl.DataFrame
    of_departed: Mapping[str, pl.DataFrame]
    received: pl.DataFrame

    @property
    def hash(self) -> str:
        """What names this history in the name of a shard's file."""
        tables = sorted((key, one.content_hash) for key, one in self.tables.items())
        received = hashlib.sha256(self.received.write_csv().encode()).hexdigest()
        return digest([tables, self.terms and self.terms.hash, received])

    def read(self, house: House, key: str, regency: str, columns: Sequence[str]) -> pl.DataFrame:
        """Last quarter's rows of the families that live in a regency now."""
        contract = house.contracts[key]
        if not self.tables:
            return contract.empty().select(columns)
        here = pl.col("regency_code") == regency
        left = self.departed.filter(here).select("family_id")
        came = self.departed.filter(pl.col("now") == regency).select("family_id")
        stayed = self.tables[key].read(contract, regency, columns).join(left, on="family_id", how="anti")
        return pl.concat([stayed, self.of_departed[key].select(columns).join(came, on="family_id", how="semi")])

    def statuses(self, house: House, regency: str) -> pl.DataFrame:
        """Last quarter's status, score and reasons of whoever lives in a regency now or is gone from it."""
        columns = [*_STATUS]
        if not self.tables:
            here = pl.coalesce("now", "regency_code") == regency
            return self.received.filter(here).match_to_schema(_STATUS, missing_columns="insert", extra_columns="ignore")
        gone = self.departed.filter(pl.col("now").is_null(), pl.col("regency_code") == regency).select("family_id")
        left = self.of_departed[_DECISIONS].join(gone, on="family_id", how="semi")
        return pl.concat([self.read(house, _DECISIONS, regency, columns), left.select(columns)])

    def read_areas(self, house: House, key: str, regency: str, columns: Sequence[str]) -> pl.DataFrame:
        """Last quarter's rows of the families that live in a regency now or lived there then."""
        here = self.read(house, key, regency, columns)
        return pl.concat([here, self._left(key, regency).select(columns)]) if self.tables else here

    def moved_out(self, regency: str) -> pl.DataFrame:
        """`family_id` of families that lived in a regency then and live in another one now."""
        return self.departed.filter(pl.col("regency_code") == regency, pl.col("now").is_not_null()).select("family_id")

    def _left(self, key: str, regency: str) -> pl.DataFrame:
        left = self.departed.filter(pl.col("regency_code") == regency).select("family_id")
        return self.of_departed[key].join(left, on="family_id", how="semi")

    def recipients(self, house: House) -> pl.LazyFrame:
        """`regency_code, programme` of everybody who received, where it was then."""
        contract, columns = house.contracts[_DECISIONS], ["regency_code", "programme", "status"]
        then = self.tables[_DECISIONS].scan(contract, columns) if self.tables else self.received.lazy()
        return then.filter(pl.col("status") == Status.RECIPIENT).select("regency_code", "programme")

    def left(self) -> set[str]:
        """Regencies that families are gone from."""
        gone = pl.concat(
            [self.departed.select("regency_code", "now"), self.received.select("regency_code", "now")]
        ).filter(pl.col("now").is_null())
        return set(gone["regency_code"])


def terms_of(house: House, quarter: Quarter, card: Scorecard, cuts: pl.DataFrame) -> Terms:
    """The terms of a quarter in a home."""
    return Terms(quarter, house.policy(quarter), house.drawn_days(quarter), card, cuts)


def cut_points_of(house: House, quarter: Quarter, card: Scorecard, survey: pl.DataFrame) -> pl.DataFrame:
    """Decile cut points of a quarter; none where no programme asks for a decile."""
    policy = house.policy(quarter)
    asks = any(rule.max_decile is not None for rule in policy.programmes.values())
    return cut_points(survey, card, policy.welfare) if asks else house.contracts["decision/cut_points"].empty()


def judged_tables(house: House, terms: Terms, registry: Mapping[str, Table], history: History) -> tuple[Table, ...]:
    """Scores, filters and eligibility of every family, and the deciles compared, by regency."""
    quarter, contracts = str(terms.quarter), house.contracts
    outputs = [contracts[f"decision/{name}"] for name in ("scores", "filters", "eligibility", "deciles_compared")]
    inputs = [registry[key] for key in (*_REGISTRY, "registry/provenance")]
    shards = sorted(registry["registry/families"].shards)
    return house.lake.map_shards(
        _judge_regency, quarter, outputs, shards, inputs, house, terms, registry, history,
        settings=(terms, history),
    )  # fmt: skip


def seats_table(house: House, terms: Terms, figures: pl.DataFrame, eligible: Table, history: History) -> Table:
    """Places per area and programme, by its poverty figures: the one national step."""
    contract = house.contracts["decision/seats"]
    counted = eligible.scan(house.contracts["decision/eligibility"]).select(terms.area, "programme", "status").collect()
    before = history.tables.get("decision/seats")
    table = places(terms.policy, figures, counted, None if before is None else before.read(contract))
    return house.lake.write_whole(contract, str(terms.quarter), table)


def decided_tables(
    house: House,
    terms: Terms,
    eligible: Table,
    seats: Table,
    residuals: Table,
    registry: Mapping[str, Table],
    history: History,
) -> tuple[Table, ...]:
    """Decisions, payments, the BPS worklist, visits that matter and transitions, by regency."""
    contracts, quarter = house.contracts, str(terms.quarter)
    shards = sorted(eligible.shards)
    doubted = {key: registry[key] for key in (_PROVENANCE, _IMPLAUSIBLE, _DOUBTS)}
    made = [contracts[f"decision/{name}"] for name in ("decisions", "payments", "worklist", "visits")]
    decided = house.lake.map_shards(
        _rank_regency, quarter, made, shards, [eligible, seats, residuals, *doubted.values()], house, terms, eligible,
        seats, residuals, doubted, history,
        settings=(terms, house.key, history),
    )  # fmt: skip
    left = sorted(history.left() - set(shards))
    everywhere = registry["registry/families"].content_hash
    (moved,) = house.lake.map_shards(
        _transitions_of_regency, quarter, [contracts["decision/transitions"]], [*shards, *left],
        [*(registry[key] for key in _REGISTRY), eligible, seats], house, terms,
        {**registry, _ELIGIBILITY: eligible, _DECISIONS: decided[0]}, seats, history,
        settings=(terms, history, everywhere, eligible.content_hash),
    )  # fmt: skip
    return (*decided, moved)


def _families(house: House, registry: Mapping[str, Table], regency: str) -> Families:
    records, members = (registry[key].read(house.contracts[key], regency) for key in _REGISTRY)
    return Families(records, members)


def _judge_regency(
    regency: str, house: House, terms: Terms, registry: Mapping[str, Table], history: History
) -> tuple[pl.DataFrame, ...]:
    families = _families(house, registry, regency)
    judged = judge(families, terms)
    statuses = history.statuses(house, regency)
    eligible = memberships(eligibility(judged, terms, statuses), families, terms, statuses)
    hashes = input_hashes(families)
    eligible = eligible.join(hashes, on="family_id")
    scores = judged.with_columns(model_hash=pl.lit(terms.scorecard.hash)).join(hashes, on="family_id")
    official = families.records.select("family_id", *(f"{OFFICIAL}decile_{frame}" for frame in FRAMES))
    provenance = registry["registry/provenance"].read(house.contracts["registry/provenance"], regency)
    filters = filter_rows(judged, families.records, provenance, terms.policy)
    return scores, filters, eligible, deciles_compared(judged, official)


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
    hashes = pl.Series("input_hash", [hashlib.sha256(one).digest() for one in joined["_text"].to_list()], pl.Binary)
    return joined.select("family_id", hashes.bin.encode("hex"))


def _rank_regency(
    regency: str,
    house: House,
    terms: Terms,
    eligible: Table,
    seats: Table,
    residuals: Table,
    doubted: Mapping[str, Table],
    history: History,
) -> tuple[pl.DataFrame, ...]:
    rows = eligible.read(house.contracts["decision/eligibility"], regency)
    decided = of_recipients(rank(rows, seats.read(house.contracts["decision/seats"]), terms), terms)
    ids = decided["family_id"].unique().sort()
    named = pl.DataFrame([ids, house.key.references("family reference", ids)])
    on_list = decided.select(pl.format("{}:{}:{}", pl.lit(str(terms.quarter)), "programme", "family_id")).to_series()
    decided = decided.join(named, on="family_id", maintain_order="left").with_columns(
        house.key.references("list reference", on_list).alias("list_reference"),
        masked_name("head_name").alias("masked_name"),
        quarter=pl.lit(str(terms.quarter)),
        province_code=pl.col("regency_code").str.slice(0, 2),
        model_hash=pl.lit(terms.scorecard.hash),
        policy_hash=pl.lit(terms.policy.hash),
        stage=pl.lit(terms.quarter.stage, pl.Int32),
    )
    sources = [f"{rule.fact}_source" for rule in terms.policy.filters]
    stated = doubted[_PROVENANCE].read(house.contracts[_PROVENANCE], regency, ["family_id", *dict.fromkeys(sources)])
    every = pl.lit(None, pl.String).alias("programme")
    doubts = [
        find_contestable(decided, stated, terms.policy),
        *(
            doubted[key].read(house.contracts[key], regency).select("family_id", every, pl.col(name).alias("reason"))
            for key, name in ((_IMPLAUSIBLE, "check"), (_DOUBTS, "reason"))
        ),
    ]
    earlier = history.read(house, _WORKLIST, regency, _LOOKED_BACK_AT[_WORKLIST] or ())
    reviews = (
        doubted[_DOUBTS]
        .read(house.contracts[_DOUBTS], regency, ["family_id", "asked_on", "answered_on"])
        .drop_nulls("asked_on")
    )
    listed = worklist(decided, pl.concat(doubts).unique(), earlier, terms, reviews)
    likely = residuals.read(house.contracts["welfare/residuals"])
    return decided, decided.filter(pl.col("status") == Status.RECIPIENT), listed, visits(decided, listed, likely, terms)


def masked_name(column: str) -> pl.Expr:
    """A name as the public list shows it: the first letter of each word and three asterisks, whatever its length."""
    return pl.col(column).str.to_uppercase().str.replace_all(r"(\p{L})[^\s]*", "$1***")


def _transitions_of_regency(
    regency: str, house: House, terms: Terms, tables: Mapping[str, Table], seats: Table, history: History
) -> tuple[pl.DataFrame, ...]:
    def read(key: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        return tables[key].read(house.contracts[key], regency, columns)

    def read_eligible(code: str) -> pl.DataFrame:
        eligible = tables[_ELIGIBILITY].read(house.contracts[_ELIGIBILITY], code).sort(_KEY)
        decisions = tables[_DECISIONS].read(house.contracts[_DECISIONS], code, [*_KEY, "status"]).sort(_KEY)
        if not eligible.select(_KEY).equals(decisions.select(_KEY)):
            message = f"{_DECISIONS} of {code} is not about the families of {_ELIGIBILITY}. Run {terms.quarter} again."
            raise Tampered(message)
        return eligible.drop(_OF_NO_CONCERN).with_columns(decisions["status"])

    contract = house.contracts[seats.key]
    facts = list_compared_facts(*([*house.contracts[key].columns] for key in ("registry/families", _PROVENANCE)))
    decided = read_eligible(regency)
    statuses = history.statuses(house, regency)
    # What a family that came would have had where it lived is told by the families there.
    moved = statuses.join(decided.select(*_KEY, here="regency_code", now="status"), on=_KEY)
    came_from = moved.filter(
        pl.col("regency_code") != pl.col("here"), pl.col("status") != pl.col("now"), history.terms is not None
    )
    elsewhere = [read_eligible(code) for code in came_from["regency_code"].unique().sort()]
    asked = dict.fromkeys([*asked_of(terms), *asked_of(history.terms or terms), *facts])
    now = Now(
        Families(read("registry/families", [*asked]), read("registry/members")),
        read(_PROVENANCE, ["family_id", *sources_of(facts)]),
        decided, terms, seats.read(contract), pl.concat(elsewhere) if elsewhere else None,
    )  # fmt: skip
    left = history.moved_out(regency)
    if history.tables:
        of_left = history.of_departed[_DECISIONS].join(left, on="family_id", how="semi")
        statuses = pl.concat([statuses, of_left.select(statuses.columns)])
    members = [*house.contracts["registry/members"].columns]
    before = Before(
        statuses,
        Families(
            history.read_areas(house, "registry/families", regency, [*asked]),
            history.read_areas(house, "registry/members", regency, members),
        ),
        history.terms,
        history.tables[seats.key].read(contract) if history.tables else None,
        left["family_id"],
    )
    return (transitions(now, before),)


def history_of(house: House, previous: Draft | None, current: Table, families: Table, persons: Table) -> History:
    """The history a quarter builds on: the previous revision, or the current recipients of a first quarter.

    Parameters
    ----------
    previous : Draft or None
        Draft of the revision built on.
    current : Table
        Feed `current_recipients`.
    families, persons : Table
        This quarter's registry, in which the current recipients are found by card, else by the head's number.
    """
    contracts = house.contracts
    homes = families.scan(contracts["registry/families"]).select("family_id", now="regency_code")
    if previous is not None:
        tables = {key: previous.table(house, key) for key in previous.tables}
        departed = (
            tables["registry/families"]
            .scan(contracts["registry/families"], ["family_id", "regency_code"])
            .join(homes, on="family_id", how="left")
            .filter(pl.col("regency_code").ne_missing(pl.col("now")))
            .sort("family_id")
            .collect()
        )
        of_departed = {
            key: tables[key]
            .scan(contracts[key], columns)
            .join(departed.lazy().select("family_id"), on="family_id", how="semi")
            for key, columns in _LOOKED_BACK_AT.items()
        }
        rows = {key: frame.collect() for key, frame in of_departed.items()}
        return History(tables, previous.terms(house), departed, rows, _nobody())
    cards = families.scan(contracts["registry/families"]).select("family_card_number", by_card="family_id")
    heads = persons.scan(contracts["registry/persons"]).select(head_nik="nik", by_head="family_id").drop_nulls()
    nobody = pl.concat_str(pl.lit("unregistered:"), "batch_id", pl.col("row_number").cast(pl.String))
    received = (
        current.scan(contracts["intake/current_recipients"])
        .join(cards, on="family_card_number", how="left")
        .join(heads, on="head_nik", how="left")
        .select(
            pl.coalesce("by_card", "by_head", nobody).alias("family_id"),
            "programme",
            pl.lit(Status.RECIPIENT.value).alias("status"),
            "regency_code",
            "amount_rupiah",
            member_since="since_date",
        )
        .sort(pl.all())
        .unique(["family_id", "programme"], keep="first", maintain_order=True)
        .join(homes, on="family_id", how="left")
        .sort("family_id", "programme")
        .collect()
    )
    return History({}, None, _nobody().select("family_id", "regency_code", "now"), {}, received)


def _nobody() -> pl.DataFrame:
    words = dict.fromkeys(["family_id", "programme", "status", "regency_code", "now"], pl.String)
    return pl.DataFrame(schema={**words, "member_since": pl.Date, "amount_rupiah": pl.Int64})


def cut_points_table(house: House, terms: Terms) -> Table:
    """The cut points as a table of the quarter."""
    return house.lake.write_whole(house.contracts["decision/cut_points"], str(terms.quarter), terms.cut_points)
