"""Whom the agencies were asked about: the numbers of a request, and for each person the last day of a check.

A number is on record from the day on which a registered sender delivered it; before, no agency can have checked it.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from assets.house import House
from assets.intake.batches import accepted_table, batches, issued_on
from assets.lake import Table
from assets.published import revision_at, tables_of
from assets.registry.statements import Coverage, Group, Statements
from schemas.feeds import FACT_AGENCY
from schemas.quarter import Quarter
from schemas.regions import regency_of
from schemas.vocabularies import Feed

CHECKED = "checked_"
ANSWERED = "answered_"
AGENCIES = tuple(dict.fromkeys(str(agency) for agency in FACT_AGENCY.values()))
_CARD = "family_card_number"


def numbers_asked(house: House, group: Group, of: pl.Expr | None = None) -> pl.LazyFrame:
    """The numbers of a group that an agency is asked about, in one column `nik`, each once.

    They are those stated in its batches and those of the persons of its revision; with regencies those on a card that
    was registered there, by these batches or that revision.

    Parameters
    ----------
    of : Expr, optional
        Which numbers are wanted, over `nik` and `nik_bucket`; else all.
    """
    known: Mapping[str, Table] = {}
    if group.revision is not None:
        quarter, number, draft = group.revision
        known = tables_of(house, revision_at(house, Quarter.parse(quarter), number, draft))
    wanted = pl.lit(value=True) if of is None else of
    stated = _accepted(house, group, Feed.MEMBERS).filter(wanted).select("nik", _CARD)
    persons = _of_revision(house, known, "registry/persons", ["nik", "nik_bucket", "regency_code"]).filter(wanted)
    if group.regencies:
        registered = _accepted(house, group, Feed.REGISTRATIONS).select(_CARD, regency_code=regency_of("village_code"))
        families = _of_revision(house, known, "registry/families", [_CARD, "regency_code"])
        cards = pl.concat([registered, families]).filter(pl.col("regency_code").is_in(list(group.regencies)))
        stated = stated.join(cards, on=_CARD, how="semi")
        persons = persons.filter(pl.col("regency_code").is_in(list(group.regencies)))
    return pl.concat([stated.select("nik"), persons.select("nik")]).drop_nulls().unique()


def _accepted(house: House, group: Group, feed: Feed) -> pl.LazyFrame:
    """Accepted rows of a feed in the batches of a group, whatever became of the batches since."""
    named = set(group.batches)
    chosen = [
        batch
        for quarter in sorted({quarter for quarter, _ in named})
        for batch in batches(house.lake, quarter)
        if (quarter, batch.batch_id) in named
    ]
    table = accepted_table(house.lake, feed, "asked", chosen)
    return table.scan(house.contracts[table.key])


def _of_revision(house: House, tables: Mapping[str, Table], key: str, columns: list[str]) -> pl.LazyFrame:
    contract = house.contracts[key]
    if key not in tables:
        return contract.empty().lazy().select(columns)
    return tables[key].scan(contract, columns)


def recorded_numbers(said: Statements, senders: Sequence[str], of: pl.Expr) -> pl.LazyFrame:
    """`nik, recorded_on`: since when registered senders have stated these numbers, by the day of the delivery.

    Parameters
    ----------
    senders : sequence of str
        Codes of the senders registered for the feed members.
    of : Expr
        Which numbers are wanted.
    """
    registered = [
        batch
        for batch in said.batches
        if batch.feed is Feed.MEMBERS and batch.declaration.sender in senders
    ]  # fmt: skip
    rows = said.raw(Feed.MEMBERS).filter(pl.col("batch_id").is_in([one.batch_id for one in registered]), of)
    return (
        rows.select("nik", recorded_on=pl.max_horizontal("stated_date", issued_on(registered)))
        .filter(pl.col("nik").is_not_null(), pl.col("recorded_on") <= said.cut_off)
        .group_by("nik")
        .agg(pl.col("recorded_on").min())
    )


def days_of_checks(
    persons: pl.DataFrame, coverage: Sequence[Coverage], asked: Mapping[Group, pl.DataFrame]
) -> pl.DataFrame:
    """Persons with, for each agency, the last day on which it answered about the person's number.

    Parameters
    ----------
    persons : DataFrame
        With `nik, regency_code, recorded_on`.
    coverage : sequence of Coverage
        The answers that count.
    asked : mapping
        Numbers of each group that an answer to a request is about (:func:`numbers_asked`).

    Returns
    -------
    DataFrame
        `persons` and, for each agency, `answered_<agency>`, the last answer to a request, and `checked_<agency>`, the
        last answer at all.
    """
    covered = pl.DataFrame(
        [(code, one.agency, one.as_of) for one in coverage if one.group is None for code in one.regencies],
        schema={"regency_code": pl.String, "agency": pl.String, "as_of": pl.Date},
        orient="row",
    ).group_by("regency_code").agg(
        pl.col("as_of").filter(pl.col("agency") == agency).max().alias(f"{CHECKED}{agency}") for agency in AGENCIES
    )  # fmt: skip
    marked = persons.join(covered, on="regency_code", how="left")
    for number, numbers in enumerate(asked.values()):
        marked = marked.join(numbers.with_columns(pl.lit(value=True).alias(f"_in_{number}")), on="nik", how="left")
    place = {group: pl.col(f"_in_{number}") for number, group in enumerate(asked)}
    answered = {
        agency: pl.max_horizontal(
            pl.lit(None, pl.Date),
            *(
                pl.when(place[one.group]).then(pl.lit(one.as_of))
                for one in coverage
                if one.agency == agency and one.group is not None
            ),
        )
        for agency in AGENCIES
    }
    # On record on the day of the answer: neither without a number nor by an unregistered sender's word alone.
    unasked = {
        agency: pl.when(pl.col("nik").is_not_null(), pl.col("recorded_on") <= pl.col(f"{CHECKED}{agency}")).then(
            f"{CHECKED}{agency}"
        )
        for agency in AGENCIES
    }
    return marked.with_columns(
        *(answered[agency].alias(f"{ANSWERED}{agency}") for agency in AGENCIES),
        *(pl.max_horizontal(unasked[agency], answered[agency]).alias(f"{CHECKED}{agency}") for agency in AGENCIES),
    ).drop(f"_in_{number}" for number in range(len(asked)))
