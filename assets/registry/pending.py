"""Statements that wait: kept whole with their author, re-admitted when BPS confirms them or their notice has passed."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from assets.pseudonyms import PseudonymKey
from assets.registry.authors import CARD, ROW
from assets.registry.standing import Effects
from assets.registry.statements import Statements
from quotas.rules import RegistryRule
from schemas.contract import Contract
from schemas.quarter import Quarter
from schemas.vocabularies import Author, Feed, Standing, Subject

HELD_FEEDS = (Feed.REGISTRATIONS, Feed.MEMBERS, Feed.SURVEYS)
_ADDED = {"issued_on": pl.Date(), "was_due": pl.Boolean()}
_COLUMNS = (
    "statement_id", CARD, "feed", "subject", "author", "agent_id", "standing", "stated_date", *ROW, "content",
)  # fmt: skip
_SUBJECTS = {
    Feed.REGISTRATIONS.value: Subject.FAMILY.value,
    Feed.MEMBERS.value: Subject.MEMBERS.value,
    Feed.SURVEYS.value: Subject.ANSWERS.value,
}
_THOUSAND = 1_000
AUTHOR = pl.coalesce("agent_id", "batch_id")
"""Who answers for a statement: the agent who delivered it or saw the document, else the sender of its batch."""


def hold_statements(said: Statements, effects: Effects, key: PseudonymKey) -> pl.DataFrame:
    """Keep every pending statement of a quarter with its whole content.

    Parameters
    ----------
    said : Statements
        All of them, none set aside yet.

    Returns
    -------
    DataFrame
        `statement_id, family_card_number, feed, subject, author, agent_id, standing, stated_date, batch_id,
        row_number, content` (the row as JSON).
    """
    rows_aside = effects.set_aside.filter(pl.col("standing") == Standing.PENDING.value).with_columns(
        subject=pl.col("feed").replace_strict(_SUBJECTS, default=None, return_dtype=pl.String)
    )
    kept = pl.col("standing") != Standing.REFUSED.value
    withdrawals = effects.unsaid_consent.filter("is_on_record", kept).with_columns(
        feed=pl.lit(Feed.REGISTRATIONS.value), subject=pl.lit(Subject.CONSENT.value)
    )
    waiting = pl.concat([rows_aside, withdrawals.select(rows_aside.columns)])
    held = []
    for feed in HELD_FEEDS:
        mine = waiting.filter(pl.col("feed") == feed.value)
        rows = said.of(feed).join(mine.lazy().select(ROW), on=ROW, how="semi").collect()
        held.append(mine.join(encode_rows(rows), on=ROW))
    return name_statements(pl.concat(held), key)


def encode_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Give `batch_id, row_number, content`: every row as JSON; and `said`, the same without its place in a file."""
    return rows.select(
        *ROW,
        content=pl.struct(pl.all()).struct.json_encode(),
        said=pl.struct(pl.exclude(ROW)).struct.json_encode(),
    )


def name_statements(rows: pl.DataFrame, key: PseudonymKey) -> pl.DataFrame:
    """Give every statement its `statement_id`, a keyed pseudonym of what is `said` by whom; one sent twice is one."""
    said = rows.select(pl.concat_str("feed", "subject", "author", "said", separator="|")).to_series()
    named = rows.with_columns(statement_id=key.ids("statement", said))
    return named.sort(ROW).unique("statement_id", keep="first", maintain_order=True).select(_COLUMNS)


def decode_rows(held: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Turn the `content` of statements of one feed back into its rows, with what :meth:`Statements.of` adds."""
    schema = {**contract.dtypes, **_ADDED}
    content = held.select(pl.col("content").str.json_decode(pl.Struct(schema)))
    return content.unnest("content").with_columns(was_due=pl.lit(value=False))


def confirmed_statements(
    previous: pl.LazyFrame, validations: pl.LazyFrame, effects: Effects, contracts: Mapping[str, Contract]
) -> dict[Feed, pl.DataFrame]:
    """Collect the statements of last quarter that count now, by feed.

    BPS or their own head confirmed them, or they withdraw consent and the quarter of their notice has passed.

    Parameters
    ----------
    previous : LazyFrame
        Contract `registry/pending` of last quarter.
    validations : LazyFrame
        Feed of that name: whose `statement_id` names one is its confirmation.
    effects : Effects
        `confirmed` says which their head confirmed when his document was seen.
    """
    named = validations.select("statement_id").drop_nulls()
    is_withdrawal = pl.col("subject") == Subject.CONSENT.value
    waiting = previous.filter((pl.col("standing") == Standing.PENDING.value) | is_withdrawal)
    noticed = waiting.filter(pl.col("counts_from").is_not_null())
    by_head = waiting.filter(pl.col("author") == Author.UNVERIFIED_SELF.value).join(
        effects.confirmed.lazy(), on=[CARD, "stated_date"], how="semi"
    )
    confirmed = pl.concat([named, *(one.select("statement_id") for one in (by_head, noticed))]).unique()
    held = waiting.join(confirmed, on="statement_id", how="semi").sort("statement_id").collect()
    return {
        feed: decode_rows(mine, contracts[f"intake/{feed}"])
        for feed in HELD_FEEDS
        if (mine := held.filter(pl.col("feed") == feed.value)).height
    }


def compare_answers(
    held: pl.DataFrame, answers: pl.DataFrame, attributes: Sequence[str], contracts: Mapping[str, Contract]
) -> pl.DataFrame:
    """`statement_id` of pending registrations and surveys that say otherwise than what is believed.

    Parameters
    ----------
    held : DataFrame
        Contract `registry/pending`, of some families.
    answers : DataFrame
        From :func:`assets.registry.attributes.golden_records`, of these families.
    """
    differing = []
    for feed in (Feed.REGISTRATIONS, Feed.SURVEYS):
        mine = held.filter(pl.col("feed") == feed.value)
        rows = decode_rows(mine, contracts[f"intake/{feed}"])
        said = [name for name in attributes if name in rows.columns]
        both = rows.select(said).hstack(mine.select("statement_id", "family_id")).join(
            answers.select("family_id", *said), on="family_id", suffix="_believed"
        )  # fmt: skip
        differs = pl.any_horizontal(
            pl.lit(value=False), *((pl.col(name) != pl.col(f"{name}_believed")).fill_null(value=False) for name in said)
        )
        differing.append(both.filter(differs).select("statement_id"))
    return pl.concat(differing)


def compare_members(held: pl.DataFrame, persons: pl.DataFrame, contracts: Mapping[str, Contract]) -> pl.DataFrame:
    """`statement_id` of pending members whom the family's record does not hold, or holds with other facts.

    Parameters
    ----------
    persons : DataFrame
        Contract `registry/persons` of these families.
    """
    facts = ["birth_date", "sex", "is_pregnant", "school_participation", "school_level", "work_position", "disability"]
    mine = held.filter(pl.col("feed") == Feed.MEMBERS.value)
    rows = decode_rows(mine, contracts[f"intake/{Feed.MEMBERS}"]).select("nik", "name", *facts)
    known = persons.select("family_id", *facts, _who=pl.coalesce("nik", "name"))
    both = rows.with_columns(_who=pl.coalesce("nik", "name")).hstack(mine.select("statement_id", "family_id")).join(
        known.unique(["family_id", "_who"], keep="any"), on=["family_id", "_who"], how="left", suffix="_believed"
    )  # fmt: skip
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_believed")) for name in facts)
    return both.filter(~same).select("statement_id")


def schedule_noticed(held: pl.DataFrame, quarter: Quarter, rule: RegistryRule) -> pl.DataFrame:
    """Give statements `counts_from`: the next quarter for what needs notice, nothing for what waits for BPS.

    Of one author no more than `registry.noticed_per_author` count from the next quarter, the oldest first; the others
    wait for their turn, so that one dishonest agent cannot end the aid of many families at once.

    Parameters
    ----------
    held : DataFrame
        Statements of a regency that do not count in `quarter`, with `standing, agent_id, batch_id, since`.
    """
    needs_notice = pl.col("standing") == Standing.AFTER_NOTICE.value
    is_in_turn = needs_notice & (needs_notice.cum_sum().over(AUTHOR) <= rule.noticed_per_author)
    return held.sort("since", "statement_id").with_columns(
        counts_from=pl.when(is_in_turn).then(pl.lit(str(quarter.next)))
    )


def list_for_visits(held: pl.DataFrame, families: int, rule: RegistryRule) -> pl.DataFrame:
    """Mark with `is_listed` the statements for which BPS is sent to a family; the others are counted by author.

    These are all that count from the next quarter, and pending ones that contradict what holds: of no author more than
    `registry.pending_visits_per_author`, and of a regency's families no more than
    `registry.pending_visits_per_thousand_families`, so that nobody can bury the worklist. One per family is enough.

    Parameters
    ----------
    held : DataFrame
        From :func:`schedule_noticed`, with `contradicts` and `is_receiving`.
    families : int
        Families of the regency.
    """
    is_first = pl.col("contradicts") & (pl.col("standing") == Standing.PENDING.value)
    is_first &= is_first.cum_sum().over("family_id") == 1
    is_within = is_first & (is_first.cum_sum().over(AUTHOR) <= rule.pending_visits_per_author)
    most = -(-families * rule.pending_visits_per_thousand_families // _THOUSAND)
    return held.sort(pl.col("is_receiving").not_(), "statement_id").with_columns(
        is_listed=pl.col("counts_from").is_not_null() | (is_within & (is_within.cum_sum() <= most))
    )


def count_by_author(held: pl.DataFrame) -> pl.DataFrame:
    """Count the statements that send BPS to nobody one by one, by who speaks: most families first.

    Parameters
    ----------
    held : DataFrame
        Contract `registry/pending`.

    Returns
    -------
    DataFrame
        `author, agent_id, batch_id` (of authors without an `agent_id`), `standing, statements, families, listed`: how
        many families BPS is sent to for this author.
    """
    grouped = (
        held.filter("contradicts")
        .with_columns(batch_id=pl.when(pl.col("agent_id").is_null()).then("batch_id"))
        .group_by("author", "agent_id", "batch_id", "standing")
        .agg(
            statements=pl.len().cast(pl.Int64),
            families=pl.col("family_id").n_unique().cast(pl.Int64),
            listed=pl.col("is_listed").sum().cast(pl.Int64),
        )
    )
    return grouped.filter(pl.col("listed") < pl.col("families")).sort(
        "families", "author", "agent_id", "batch_id", "standing", descending=[True, False, False, False, False],
        nulls_last=True,
    )  # fmt: skip


def drop_expired(held: pl.DataFrame, oldest: date) -> pl.DataFrame:
    """Leave out what was stated before the last day that any answer may be of."""
    return held.filter(pl.col("stated_date") >= oldest)
