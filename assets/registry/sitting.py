"""Recipients of the list before the first quarter who have not registered: put on record, so that none ends unseen.

They keep their place for a dated term (policy `registry.kept_quarters`), stand first in outreach and on the worklist,
and leave by a finding alone. What is known of them comes from the list, DTSEN and the population register.
"""

from datetime import date

import polars as pl

from assets.registry.authors import CARD, HEAD
from assets.registry.coverage import COUNTED, placed
from assets.registry.statements import Statements
from schemas.feeds import RELATIONS
from schemas.identifiers import WOMEN_DAY_OFFSET, bucket_of
from schemas.regsosek import NO_IMPAIRMENT
from schemas.vocabularies import Channel, FaceMatch, Feed, Proposer, Sex

_UNKNOWN_BIRTH = date(1900, 1, 1)
"""Of a head whose number holds no day; so long ago that no rule takes it for an age."""
_CENTURY, _THIS_CENTURY = 100, 30
_NO_CERTIFICATE, _NO_SCHOOL, _NO_DIFFICULTY, _SEVERE, _SINGLE, _OTHER = 23, 3, 4, 2, 1, max(RELATIONS)
_NAMELESS = "-"


def rosters(said: Statements) -> pl.DataFrame:
    """Persons of the listed recipients' cards as DTSEN or, if it lists none, the population register has them.

    Returns
    -------
    DataFrame
        `family_card_number, nik, name, birth_date, sex, relation`, the other columns of the feed members as far as
        known, and `issued_on`.
    """
    cards = said.raw(Feed.CURRENT_RECIPIENTS).select(CARD).unique()
    of_dtsen = said.of(Feed.DTSEN_PERSONS).join(cards, on=CARD, how="semi").select(
        CARD, "nik", "name", "birth_date", "sex", "relation", "marital_status", "school_participation",
        "school_level", "education", "work_position", "issued_on", disability=pl.min_horizontal(COUNTED),
    )  # fmt: skip
    others = (
        said.of(Feed.POPULATION_REGISTER)
        .join(cards, on=CARD, how="semi")
        .join(of_dtsen.select(CARD).unique(), on=CARD, how="anti")
        .select(
            CARD, "nik", "name", "birth_date", "relation", "issued_on",
            sex=_sex_in_number(), disability=pl.when(pl.col("impairment") != NO_IMPAIRMENT).then(_SEVERE),
        )
    )  # fmt: skip
    known = pl.col("name").is_not_null() & pl.col("birth_date").is_not_null()
    return pl.concat([of_dtsen, others], how="diagonal_relaxed").filter(known).collect()


def unregistered_recipients(said: Statements, roster: pl.DataFrame, speakers: pl.DataFrame) -> dict[Feed, pl.DataFrame]:
    """Registrations and members that stand for the listed recipients whom no counting registration is about.

    A recipient whose head stands on another card for which somebody of the recipient's own card spoke has registered.
    Of the persons known of the others, only the head is theirs for certain: whoever else is stated anywhere now counts
    there.

    Parameters
    ----------
    said : Statements
        Statements that count.
    roster : DataFrame
        From :func:`rosters`.
    speakers : DataFrame
        `family_card_number, nik` (:attr:`assets.registry.standing.Effects.speakers`).
    """
    listed = (
        said.of(Feed.CURRENT_RECIPIENTS)
        .group_by(CARD)
        .agg(
            pl.col("head_nik", "head_name", "village_code").drop_nulls().min(),
            pl.col("regency_code", "batch_id", "row_number").min(),
            pl.col("since_date").min(),
        )
        .collect()
    )
    registered = said.of(Feed.REGISTRATIONS).select(CARD).unique()
    stated = said.of(Feed.MEMBERS).select(CARD, "nik").drop_nulls().collect()
    left = _with_another_card(listed, roster, stated, speakers)
    kept = listed.join(registered.collect(), on=CARD, how="anti").join(left, on=CARD, how="anti")
    persons = roster.join(kept.select(CARD, "head_nik", "batch_id", "row_number"), on=CARD).filter(
        (pl.col("nik") == pl.col("head_nik")) | ~pl.col("nik").is_in(stated["nik"].implode())
    )
    villages = _villages(said, kept)
    registrations = kept.join(villages, on=CARD, how="left").select(
        CARD, "batch_id", "row_number",
        village_code=pl.coalesce("village_code", "_village", pl.concat_str("regency_code", pl.lit(".00.0000"))),
        registered_date="since_date", channel=pl.lit(Channel.RECIPIENT_LIST.value),
        proposer=pl.lit(Proposer.MINISTRY.value), is_ikd_verified=pl.lit(value=False),
        face_match=pl.lit(FaceMatch.NOT_AVAILABLE.value),
    )  # fmt: skip
    members = _members(kept, persons, said.cut_off)
    return {
        Feed.REGISTRATIONS: _fitted(said, Feed.REGISTRATIONS, registrations),
        Feed.MEMBERS: _fitted(said, Feed.MEMBERS, members),
    }


def _with_another_card(
    listed: pl.DataFrame, roster: pl.DataFrame, stated: pl.DataFrame, speakers: pl.DataFrame
) -> pl.DataFrame:
    """`family_card_number` of recipients whose head stands on a card for which somebody of theirs spoke."""
    own = pl.concat([listed.select(CARD, nik="head_nik"), roster.select(CARD, "nik")]).drop_nulls().unique()
    elsewhere = listed.select(CARD, "head_nik").join(stated.rename({CARD: "_card"}), left_on="head_nik", right_on="nik")
    spoken = elsewhere.select(CARD, "_card").join(speakers.rename({CARD: "_card"}), on="_card")
    return spoken.join(own, on=[CARD, "nik"], how="semi").select(CARD).unique()


def _villages(said: Statements, kept: pl.DataFrame) -> pl.DataFrame:
    """`family_card_number, _village` by DTSEN, else by the population register."""
    cards = kept.lazy().select(CARD)
    in_bps = [batch.batch_id for batch in said.batches if batch.declaration.code_system == "bps"]
    of_dtsen = placed(
        said.of(Feed.DTSEN_FAMILIES)
        .join(cards, on=CARD, how="semi")
        .select(CARD, "village_code_stated", "village_name", "batch_id"),
        in_bps,
    )
    of_register = said.of(Feed.POPULATION_REGISTER).join(cards, on=CARD, how="semi")
    is_village = pl.col("village_code").str.len_chars() == len("35.10.09.2001")
    found = [one.select(CARD, "village_code", _rank=pl.lit(rank)) for rank, one in enumerate((of_dtsen, of_register))]
    return (
        pl.concat(found)
        .filter(is_village)
        .sort(CARD, "_rank", "village_code")
        .unique(CARD, keep="first", maintain_order=True)
        .select(CARD, _village="village_code")
        .collect()
    )


def _members(kept: pl.DataFrame, persons: pl.DataFrame, cut_off: date) -> pl.DataFrame:
    """Rows of the feed members: whom the registers name, and the head of the list where they do not name him."""
    is_head = pl.col("nik") == pl.col("head_nik")
    named = persons.filter(is_head).select(CARD)
    alone = kept.join(named, on=CARD, how="anti").select(
        CARD, "head_nik", "batch_id", "row_number", nik="head_nik", name="head_name", relation=pl.lit(HEAD, pl.Int32)
    )
    rows = pl.concat([persons, alone], how="diagonal_relaxed")
    relation = pl.when(is_head).then(HEAD).when(pl.col("relation") == HEAD).then(_OTHER).otherwise("relation")
    return (
        rows.with_columns(
            pl.col("name").fill_null(_NAMELESS),
            pl.col("birth_date").fill_null(_birth_in_number()).fill_null(_UNKNOWN_BIRTH),
            pl.col("sex").fill_null(_sex_in_number()).fill_null(Sex.FEMALE.value),
            relation=relation.fill_null(_OTHER),
            marital_status=_known("marital_status", rows, _SINGLE),
            school_participation=_known("school_participation", rows, _NO_SCHOOL),
            school_level=_known("school_level", rows, None),
            education=_known("education", rows, _NO_CERTIFICATE),
            work_position=_known("work_position", rows, 0),
            disability=_known("disability", rows, _NO_DIFFICULTY),
            is_pregnant=pl.lit(value=False),
            stated_date=pl.min_horizontal("issued_on", pl.lit(cut_off)) if "issued_on" in rows.columns else cut_off,
        )
        .with_columns(pl.col("stated_date").fill_null(cut_off))
        .sort(CARD, "nik", "name", "birth_date", nulls_last=True)
        .unique([CARD, "nik", "name", "birth_date"], keep="first", maintain_order=True)
    )


def _known(name: str, rows: pl.DataFrame, otherwise: int | None) -> pl.Expr:
    value = pl.col(name) if name in rows.columns else pl.lit(None, pl.Int32)
    return value.fill_null(otherwise) if otherwise is not None else value


def _fitted(said: Statements, feed: Feed, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with every column of the feed and what :meth:`Statements.of` adds."""
    contract = said.contracts[f"intake/{feed}"]
    missing = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in contract.dtypes.items()
        if name not in rows.columns and name != "nik_bucket"
    ]
    rows = rows.with_columns(missing)
    if "nik_bucket" in contract.columns:
        rows = rows.with_columns(_key=pl.coalesce("nik", CARD)).with_columns(nik_bucket=bucket_of("_key"))
    day = "registered_date" if feed is Feed.REGISTRATIONS else "stated_date"
    return contract.fit(rows).with_columns(issued_on=pl.col(day), was_due=pl.lit(value=False))


def _sex_in_number() -> pl.Expr:
    day = pl.col("nik").str.slice(6, 2).cast(pl.Int32, strict=False)
    return pl.when(day > WOMEN_DAY_OFFSET).then(pl.lit(Sex.FEMALE.value)).when(day > 0).then(pl.lit(Sex.MALE.value))


def _birth_in_number() -> pl.Expr:
    """The birth date that a number says; the century in which the person is no older than a hundred or so."""
    day, month, year = (pl.col("nik").str.slice(at, 2).cast(pl.Int32, strict=False) for at in (6, 8, 10))
    century = pl.when(year < _THIS_CENTURY).then(2000).otherwise(1900)
    two_digits = [part.cast(pl.String).str.zfill(2) for part in (month, day % WOMEN_DAY_OFFSET)]
    text = pl.format("{}-{}-{}", century + year, *two_digits)
    return text.str.to_date("%Y-%m-%d", strict=False)
