"""Who speaks of whom: the author of each statement, by its sender, whose identity was proved, and where he works."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from assets.intake.batches import Batch
from assets.registry.statements import Statements
from quotas.rulebook import Policy
from schemas.feeds import RELATIONS
from schemas.regions import district_of
from schemas.vocabularies import (
    Agency,
    AgentKind,
    Author,
    Channel,
    FaceMatch,
    FamilyStanding,
    Feed,
    Proposer,
    SenderKind,
    Status,
)

HEAD = next(code for code, word in RELATIONS.items() if word == "kepala")
ROW = ["batch_id", "row_number"]
CARD = "family_card_number"
IKD, FACE, IN_PERSON = "ikd", "face", "in_person"
"""How a family was verified."""
_WEAKEST_FIRST = pl.Enum([author.value for author in Author])


@dataclass(frozen=True)
class Record:
    """What the registry holds before the statements of a quarter count.

    Attributes
    ----------
    families : DataFrame
        `family_card_number` (unique), `standing`, `village_code`, `head_nik` of families on record or receiving.
    persons : DataFrame
        `family_card_number, nik` of their persons; a pair may stand twice.
    """

    families: pl.DataFrame
    persons: pl.DataFrame

    @classmethod
    def of(
        cls,
        families: pl.LazyFrame,
        persons: pl.LazyFrame,
        statuses: pl.LazyFrame,
        receiving: pl.LazyFrame,
        rosters: pl.LazyFrame,
    ) -> "Record":
        """Read the record from last quarter's registry or, in a first quarter, the list of current recipients.

        Parameters
        ----------
        families, persons : LazyFrame
            Contracts `registry/families` and `registry/persons` of last quarter.
        statuses : LazyFrame
            `family_id, status` of last quarter's decisions.
        receiving : LazyFrame
            Feed `current_recipients` in a first quarter, else empty.
        rosters : LazyFrame
            `family_card_number, nik` as DTSEN and the population register have the families of `receiving`.
        """
        named = persons.select("person_id", "family_id", "nik")
        best = statuses.group_by("family_id").agg(
            receives=(pl.col("status") == Status.RECIPIENT).any(), waits=(pl.col("status") == Status.WAITING).any()
        )
        standing = (
            pl.when(pl.col("receives").fill_null(value=False))
            .then(pl.lit(FamilyStanding.RECEIVING.value))
            .when(pl.col("waits").fill_null(value=False) | pl.col("is_verified"))
            .then(pl.lit(FamilyStanding.PROTECTED.value))
            .otherwise(pl.lit(FamilyStanding.KNOWN.value))
        )
        known = (
            families.select(CARD, "family_id", "village_code", "is_verified", person_id="head_person_id")
            .join(named.select("person_id", head_nik="nik"), on="person_id", how="left")
            .join(best, on="family_id", how="left")
            .select(CARD, "family_id", "village_code", "head_nik", standing=standing)
            .collect()
        )
        listed = (
            receiving.select(CARD, "village_code", "head_nik", standing=pl.lit(FamilyStanding.RECEIVING.value))
            .sort(pl.all(), nulls_last=True)
            .unique(CARD, keep="first", maintain_order=True)
            .collect()
        )
        columns = [CARD, "standing", "village_code", "head_nik"]
        of_known = named.join(known.lazy().select(CARD, "family_id"), on="family_id").select(CARD, "nik")
        rows = pl.concat([of_known, rosters.select(CARD, "nik"), listed.lazy().select(CARD, nik="head_nik")])
        return cls(
            pl.concat([known.select(columns), listed.select(columns)]),
            rows.drop_nulls().collect(),
        )


def is_unregistered(channel: str = "channel") -> pl.Expr:
    """Whether a family is on record as a recipient only: it receives and has not registered."""
    return pl.col(channel) == Channel.RECIPIENT_LIST.value


def kinds_of(batches: Sequence[Batch], policy: Policy) -> Mapping[str, str]:
    """Kind of the registered sender of each batch; a batch of anybody else is left out."""
    kinds = {sender.code: sender.kind.value for sender in policy.senders}
    return {batch.batch_id: kinds[batch.declaration.sender] for batch in batches if batch.declaration.sender in kinds}


def _kind(kinds: Mapping[str, str]) -> pl.Expr:
    return pl.col("batch_id").replace_strict(dict(kinds), default=None, return_dtype=pl.String).alias("kind")


def find_areas(said: Statements) -> pl.DataFrame:
    """Where agents may state facts: `agent_id, kind, _village, _district, _card`, a row per area."""
    agents = said.raw(Feed.AGENTS).select("agent_id", "kind", _village="village_code", _district="district_code")
    cadres = said.raw(Feed.AGENT_FAMILIES).select("agent_id", _card=CARD)
    by_card = agents.filter(pl.col("kind") == AgentKind.DASA_WISMA.value).join(cadres, on="agent_id")
    by_place = agents.filter(pl.col("kind") != AgentKind.DASA_WISMA.value).with_columns(_card=pl.lit(None, pl.String))
    return pl.concat(
        [by_place, by_card.with_columns(pl.lit(None, pl.String).alias(name) for name in ("_village", "_district"))],
        how="diagonal",
    ).unique().sort(pl.all(), nulls_last=True).collect()  # fmt: skip


def _in_area(rows: pl.DataFrame, areas: pl.DataFrame) -> pl.DataFrame:
    """Rows with `is_in_area` and `agent_kind`: whether their `agent_id` works where the family lives.

    Parameters
    ----------
    rows : DataFrame
        With `agent_id`, the family's card and its `village_code` (null where unknown).
    """
    village, district = pl.col("village_code"), district_of("village_code")
    of_kind = areas.group_by("agent_id").agg(agent_kind=pl.col("kind").min())
    numbered = rows.with_row_index("_at")
    places = numbered.select("_at", "agent_id", "village_code", _own=CARD, _in=district).join(areas, on="agent_id")
    inside = places.filter(
        (pl.col("_village") == village)
        | ((pl.col("kind") == AgentKind.TKSK.value) & (pl.col("_district") == pl.col("_in")))
        | (pl.col("_card") == pl.col("_own"))
    )
    return (
        numbered.join(of_kind, on="agent_id", how="left", maintain_order="left")
        .with_columns(is_in_area=pl.col("_at").is_in(inside["_at"].implode()))
        .drop("_at")
    )


def _word(inside: Author, elsewhere: Author) -> pl.Expr:
    return pl.when("is_in_area").then(pl.lit(inside.value)).otherwise(pl.lit(elsewhere.value))


def read_checks(said: Statements, record: Record, areas: pl.DataFrame, kinds: Mapping[str, str]) -> pl.DataFrame:
    """Read checks in person: `family_card_number, nik, agent_id, day, confirmed_date, head_nik, author, standing`."""
    villages = said.of(Feed.REGISTRATIONS).select(CARD, "village_code").unique(CARD, keep="any")
    rows = (
        said.of(Feed.IDENTITY_CHECKS)
        .select(*ROW, CARD, "nik", "agent_id", "confirmed_date", day="checked_date")
        .join(record.families.lazy().rename({"village_code": "_recorded"}), on=CARD, how="left")
        .join(villages, on=CARD, how="left")
        .with_columns(_kind(kinds), village_code=pl.coalesce("_recorded", "village_code"))
        .collect()
        .sort(ROW)
    )
    rows = _in_area(rows, areas)
    author = (
        pl.when(pl.col("kind") == SenderKind.VILLAGE_OFFICES.value)
        .then(_word(Author.OFFICE, Author.OFFICE_ELSEWHERE))
        .when(pl.col("kind") == SenderKind.AGENTS_APPLICATION.value)
        .then(_word(Author.AGENT, Author.AGENT_ELSEWHERE))
        .otherwise(pl.lit(Author.THIRD_PARTY.value))
    )
    return rows.with_columns(author=author, standing=pl.col("standing").fill_null(FamilyStanding.NEW.value))


def confirmations(checks: pl.DataFrame) -> pl.DataFrame:
    """Earlier statements that a person confirmed when an agent saw his document.

    Returns
    -------
    DataFrame
        `family_card_number, stated_date` (unique), `nik, agent_id`.
    """
    rows = checks.drop_nulls("confirmed_date").select(CARD, "nik", "agent_id", stated_date="confirmed_date")
    return rows.sort(pl.all()).unique([CARD, "stated_date"], keep="first", maintain_order=True)


def read_registrations(
    said: Statements, record: Record, checks: pl.DataFrame, kinds: Mapping[str, str]
) -> pl.DataFrame:
    """Read registrations with `author`, `verified_by`, `standing` (null: not on record) and what decides on them."""
    heads = (
        said.of(Feed.MEMBERS)
        .filter(pl.col("relation") == HEAD)
        .select(CARD, stated_date="stated_date", stated_head="nik")
        .drop_nulls()
        .unique([CARD, "stated_date"], keep="any")
    )
    rows = (
        said.of(Feed.REGISTRATIONS)
        .select(
            *ROW, CARD, "village_code", "proposer", "agent_id", "has_consent", "verified_nik", "was_due",
            "is_ikd_verified", "face_match", stated_date="registered_date",
        )
        .join(record.families.lazy().select(CARD, "standing", "head_nik"), on=CARD, how="left")
        .filter(~(pl.col("was_due") & pl.col("standing").is_not_null()))
        .join(heads, on=[CARD, "stated_date"], how="left")
        .with_columns(_kind(kinds))
        .collect()
        .sort(ROW)
    )  # fmt: skip
    is_portal = (pl.col("kind") == SenderKind.PORTAL.value).fill_null(value=False)
    by_portal = is_portal & (pl.col("is_ikd_verified") | (pl.col("face_match") == FaceMatch.PASSED))
    rows = _with_documents(rows, checks).with_columns(
        proved_nik=pl.when(by_portal).then(pl.coalesce("verified_nik", "stated_head", "head_nik")),
        by_portal=by_portal,
    )
    rows = _with_authors(rows, record, said)
    verified_by = (
        pl.when(pl.col("author") == Author.HEAD_IN_PERSON.value)
        .then(pl.lit(IN_PERSON))
        .when(pl.col("author").is_in([Author.VERIFIED_HEAD.value, Author.VERIFIED_MEMBER.value]))
        .then(pl.when("is_ikd_verified").then(pl.lit(IKD)).otherwise(pl.lit(FACE)))
    )
    return rows.with_columns(verified_by=verified_by)


def _with_documents(rows: pl.DataFrame, checks: pl.DataFrame) -> pl.DataFrame:
    """Rows with `seen_nik`: whose document was seen when they were stated, or of who confirmed them afterwards.

    Of rows that were confirmed afterwards `agent_id` is the agent who saw the document then.
    """
    at_once = checks.select(CARD, "agent_id", stated_date="day", seen_nik="nik")
    afterwards = confirmations(checks).rename({"nik": "_confirming_nik", "agent_id": "_confirming_agent"})
    return (
        rows.join(
            at_once.sort(pl.all()).unique([CARD, "agent_id", "stated_date"], keep="first"),
            on=[CARD, "agent_id", "stated_date"], how="left", maintain_order="left",
        )
        .join(afterwards, on=[CARD, "stated_date"], how="left", maintain_order="left")
        .with_columns(
            seen_nik=pl.coalesce("seen_nik", "_confirming_nik"),
            agent_id=pl.when(pl.col("seen_nik").is_null()).then(pl.coalesce("_confirming_agent", "agent_id"))
            .otherwise("agent_id"),
        )
        .drop("_confirming_nik", "_confirming_agent")
    )  # fmt: skip


def _with_authors(rows: pl.DataFrame, record: Record, said: Statements) -> pl.DataFrame:
    """Registrations with `author`: who was proved to speak, and whether he is of the family spoken of."""
    head = pl.coalesce("head_nik", "stated_head")
    others = rows.filter(pl.col("proved_nik").is_not_null(), pl.col("proved_nik").ne_missing(head))
    stated = (
        said.of(Feed.MEMBERS)
        .select(CARD, "nik")
        .join(others.lazy().filter(pl.col("standing").is_null()).select(CARD).unique(), on=CARD, how="semi")
        .collect()
    )
    roster = pl.concat([record.persons.join(others, on=CARD, how="semi"), stated])
    of_family = _with_membership(rows, "proved_nik", roster)
    # Whom the portal verified without saying whom is the head as far as anybody knows.
    is_head = (pl.col("proved_nik") == head) | (pl.col("by_portal") & pl.col("proved_nik").is_null())
    is_seen_head = (pl.col("seen_nik") == head).fill_null(value=False)
    author = (
        pl.when(pl.col("kind").is_null())
        .then(pl.lit(Author.THIRD_PARTY.value))
        .when(is_head.fill_null(value=False))
        .then(pl.lit(Author.VERIFIED_HEAD.value))
        .when("is_member")
        .then(pl.lit(Author.VERIFIED_MEMBER.value))
        .when("by_portal")
        .then(pl.lit(Author.THIRD_PARTY.value))
        .when(is_seen_head)
        .then(pl.lit(Author.HEAD_IN_PERSON.value))
        # Whoever proposed it, a head whose identity was confirmed speaks for himself.
        .when(pl.col("proposer") == Proposer.NEIGHBOUR.value)
        .then(pl.lit(Author.THIRD_PARTY.value))
        .otherwise(pl.lit(Author.UNVERIFIED_SELF.value))
    )
    return of_family.with_columns(author=author).drop("is_member").sort(ROW)


def _with_membership(rows: pl.DataFrame, who: str, roster: pl.DataFrame) -> pl.DataFrame:
    """Rows with `is_member`: whether the number in the column `who` stands on the card's roster (card, `nik`)."""
    of_cards = roster.join(rows, on=CARD, how="semi").drop_nulls().unique().rename({"nik": who})
    marked = rows.join(of_cards.with_columns(is_member=pl.lit(value=True)), on=[CARD, who], how="left")
    return marked.with_columns(pl.col("is_member").fill_null(value=False))


def read_members(
    said: Statements,
    record: Record,
    registrations: pl.DataFrame,
    checks: pl.DataFrame,
    kinds: Mapping[str, str],
    *,
    of_every_family: bool,
) -> pl.DataFrame:
    """Read members with `author` and `standing`: of families on record or whom several authors state, or of all."""
    several = pl.col("standing").is_in([FamilyStanding.KNOWN.value, FamilyStanding.PROTECTED.value])
    others = registrations.filter(several | pl.lit(of_every_family)).select(CARD)
    concerned = pl.concat([record.families.select(CARD), others]).unique()
    rows = (
        said.of(Feed.MEMBERS)
        .select(*ROW, CARD, "nik", "verified_nik", "agent_id", "was_due", "stated_date")
        .join(concerned.lazy(), on=CARD, how="semi")
        .join(record.families.lazy().select(CARD, "standing", "head_nik"), on=CARD, how="left")
        .filter(~(pl.col("was_due") & pl.col("standing").is_not_null()))
        .with_columns(_kind(kinds))
        .collect()
        .sort(ROW)
    )
    # Rows of one card, day and kind of sender belong to the registration of that day; of several, to the weakest.
    strength = pl.col("author").cast(_WEAKEST_FIRST)
    sessions = registrations.group_by(CARD, "stated_date", "kind").agg(session=strength.min().cast(pl.String))
    heads = registrations.filter(pl.col("standing") != FamilyStanding.RECEIVING.value).select(
        CARD, "stated_date", "stated_head"
    )
    joined = (
        _with_documents(rows, checks).join(sessions, on=[CARD, "stated_date", "kind"], how="left", nulls_equal=True)
        .join(heads.unique([CARD, "stated_date"], keep="any"), on=[CARD, "stated_date"], how="left")
        .with_columns(_head=pl.coalesce("head_nik", "stated_head"))
    )  # fmt: skip
    # Of a new family, whoever was found to be its member as he registered it.
    registering = registrations.filter(pl.col("author") == Author.VERIFIED_MEMBER.value).select(CARD, nik="proved_nik")
    joined = _with_membership(joined, "verified_nik", pl.concat([record.persons, registering]))
    is_portal = pl.col("kind") == SenderKind.PORTAL.value
    proved = (
        pl.when(pl.col("verified_nik") == pl.col("_head"))
        .then(pl.lit(Author.VERIFIED_HEAD.value))
        .when("is_member")
        .then(pl.lit(Author.VERIFIED_MEMBER.value))
        .otherwise(pl.lit(Author.THIRD_PARTY.value))
    )
    author = (
        pl.when(pl.col("kind").is_null())
        .then(pl.lit(Author.THIRD_PARTY.value))
        .when(is_portal & pl.col("verified_nik").is_not_null())
        .then(proved)
        .when(~is_portal & (pl.col("seen_nik") == pl.col("_head")).fill_null(value=False))
        .then(pl.lit(Author.HEAD_IN_PERSON.value))
        .otherwise(pl.col("session").fill_null(Author.UNVERIFIED_SELF.value))
    )
    return joined.with_columns(author=author).sort(ROW)


def read_surveys(
    said: Statements,
    record: Record,
    registrations: pl.DataFrame,
    areas: pl.DataFrame,
    kinds: Mapping[str, str],
) -> pl.DataFrame:
    """Read surveys with `author` (an agent in his area or elsewhere) and `standing`."""
    villages = registrations.sort(ROW).unique(CARD, keep="first", maintain_order=True).select(
        CARD, _stated="village_code", _standing="standing"
    )  # fmt: skip
    rows = (
        said.of(Feed.SURVEYS)
        .select(*ROW, CARD, "agent_id", "visit_result", "was_due", stated_date="survey_date")
        .join(record.families.lazy().select(CARD, "standing", "village_code"), on=CARD, how="left")
        .filter(~(pl.col("was_due") & pl.col("standing").is_not_null()))
        .join(villages.lazy(), on=CARD, how="left")
        .with_columns(
            _kind(kinds),
            village_code=pl.coalesce("village_code", "_stated"),
            standing=pl.coalesce("standing", "_standing").fill_null(FamilyStanding.NEW.value),
        )
        .collect()
        .sort(ROW)
    )
    rows = _in_area(rows.rename({"kind": "sender_kind"}), areas).rename({"sender_kind": "kind"})
    is_known = pl.col("kind") == SenderKind.AGENTS_APPLICATION.value
    author = pl.when(is_known.fill_null(value=False)).then(_word(Author.AGENT, Author.AGENT_ELSEWHERE))
    return rows.with_columns(author=author.otherwise(pl.lit(Author.THIRD_PARTY.value)))


def read_office_facts(
    said: Statements, record: Record, registrations: pl.DataFrame, areas: pl.DataFrame
) -> pl.DataFrame:
    """Read facts that village offices state of persons of some family, with `author` (the office or another's)."""
    rows = (
        said.of(Feed.EVIDENCE)
        .filter(pl.col("agency") == Agency.VILLAGE_OFFICE.value)
        .select(*ROW, "nik", "agent_id", stated_date="as_of_date")
        .collect()
    )
    recorded = record.persons.join(record.families.select(CARD, "village_code", "standing"), on=CARD)
    stated = said.of(Feed.MEMBERS).join(rows.lazy(), on="nik", how="semi").select(CARD, "nik").collect()
    new = stated.join(registrations.select(CARD, "village_code", "standing"), on=CARD)
    homes = pl.concat([recorded, new.select(recorded.columns)]).unique()
    of_families = _in_area(rows.join(homes, on="nik"), areas)
    is_office = pl.col("is_in_area") & (pl.col("agent_kind") == AgentKind.VILLAGE_OPERATOR.value)
    return (
        of_families.with_columns(is_in_area=is_office.fill_null(value=False))
        .sort(*ROW, pl.col("is_in_area").not_(), CARD)
        .unique(ROW, keep="first", maintain_order=True)
        .with_columns(author=_word(Author.OFFICE, Author.OFFICE_ELSEWHERE))
    )
