"""Who claims whom: every identity as stated by every family, before any two identities are taken for one person.

An identity is a number as stated or, without one, family, name and birth date. Which family keeps a person is not
settled here.
"""

import polars as pl

from assets.frames import split_repeated
from assets.pseudonyms import PseudonymKey
from assets.registry.authors import HEAD, is_unregistered
from assets.registry.linkage.model import UNNAMED
from assets.registry.statements import counted
from schemas.identifiers import WOMEN_DAY_OFFSET
from schemas.vocabularies import Sex

MEMBER_COLUMNS = (
    "name", "birth_date", "sex", "relation", "marital_status", "is_pregnant", "school_participation", "school_level",
    "education", "work_position", "disability",
)  # fmt: skip


def claims_of(
    members: pl.DataFrame, previous: pl.DataFrame, kept_before: pl.DataFrame, index: pl.DataFrame, key: PseudonymKey
) -> pl.DataFrame:
    """One row per identity and family that states it, as last stated (contract `registry/claims`).

    Parameters
    ----------
    members : DataFrame
        Statements of some buckets (:meth:`assets.registry.statements.Statements.of`).
    previous : DataFrame
        Last quarter's claims of these buckets. One whose family is on record no more falls away.
    kept_before : DataFrame
        `identity_id, family_id` of last quarter's persons of these buckets.
    index : DataFrame
        From :func:`assets.registry.families.family_index`.
    """
    cards = index.lazy().select("family_card_number", "family_id", "was_on_record")
    stated = counted(members.lazy(), cards).collect()
    current = index.filter("is_current")
    families = current.select("family_id", "has_registered", "is_verified", is_alone=is_unregistered())
    carried = previous.join(families.drop("is_verified"), on="family_id").with_columns(
        issued_on="stated_date", is_restated=pl.lit(value=False)
    )
    columns = [
        "identity_id", "family_id", "nik_bucket", "nik", "shared_nik", *MEMBER_COLUMNS, "stated_date", "issued_on",
        "first_stated_date",
    ]  # fmt: skip
    whose = ["identity_id", "family_id"]
    fresh = stated.with_columns(
        identity_id=identities(stated, key), first_stated_date="stated_date", is_restated=pl.lit(value=True)
    )
    fresh = _part_sharers(fresh, carried, key)
    told = [
        fresh.select(*columns, "is_restated"),
        carried.join(fresh, on=whose, how="semi").select(*columns, "is_restated"),
    ]
    once, often = split_repeated(pl.concat(told), whose)
    last = (
        often.sort(*whose, "stated_date", "issued_on", *MEMBER_COLUMNS)
        .group_by(whose, maintain_order=True)
        .agg(
            pl.col("nik_bucket", "nik", "shared_nik", *MEMBER_COLUMNS, "stated_date").last(),
            pl.col("first_stated_date").min(),
            pl.col("is_restated").any(),
        )
    )
    newest = pl.concat([once.select(last.columns), last])
    # Whom the registers alone name beside an unregistered recipient counts where a verified family states him.
    verified = fresh.join(families.filter("is_verified"), on="family_id", how="semi")["identity_id"]
    is_elsewhere = pl.col("identity_id").is_in(verified.implode())
    yields = pl.col("has_registered") | (pl.col("is_alone") & (pl.col("relation") != HEAD) & is_elsewhere)
    unsaid = carried.join(fresh, on=whose, how="anti").filter(~yields).select(newest.columns)
    return (
        pl.concat([newest, unsaid])
        .join(kept_before.with_columns(was_here=pl.lit(value=True)), on=whose, how="left")
        .with_columns(pl.col("was_here").fill_null(value=False))
    )


def identities(stated: pl.DataFrame, key: PseudonymKey) -> pl.Series:
    """Pseudonym of each stated identity; a newborn without a number is the same under the family's new card.

    Newborns whom one delivery states in one family with one birth date and no name yet are as many as it says.
    """
    names = ["family_id", "name", "birth_date"]
    named = stated.select(
        "nik", "family_id", *MEMBER_COLUMNS, "batch_id", "row_number", "stated_date",
        text=pl.coalesce(
            "nik",
            # Whose birth date is not known is somebody all the same.
            pl.concat_str(*names[:2], pl.col("birth_date").cast(pl.String), separator="|", ignore_nulls=True),
        ),
    )  # fmt: skip
    word = pl.col("name").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    newborns = named.filter(pl.col("nik").is_null() & pl.struct(names).hash().is_duplicated()).filter(
        word.str.contains(f"^(?:{UNNAMED})$")
    )
    if newborns.is_empty():
        return key.ids("person", named["text"])
    rank = pl.struct(*MEMBER_COLUMNS, "row_number").rank("ordinal").over(*names, "stated_date", "batch_id")
    several = newborns.select("batch_id", "row_number", _rank=rank).filter(pl.col("_rank") > 1)
    told = named.join(several, on=["batch_id", "row_number"], how="left", maintain_order="left")
    return key.ids("person", told.select(pl.concat_str("text", "_rank", separator="|", ignore_nulls=True)).to_series())


def _part_sharers(fresh: pl.DataFrame, carried: pl.DataFrame, key: PseudonymKey) -> pl.DataFrame:
    """Give an identity of his own to whom a family states under a number that another of its persons bears.

    A card lists nobody twice: who stands beside the bearer with another sex, another name and birth date, or a name
    that is not the same shortened, is somebody else; on another day, who differs in name, birth date and sex. The
    number stays with whom it was with last quarter, else with whose birth date and sex it says, else with who was
    stated first.

    Returns
    -------
    DataFrame
        `fresh` with `shared_nik`: the number of those who lost it, whose `nik` is null.
    """
    marked = fresh.with_columns(shared_nik=pl.lit(None, pl.String))
    number = ["family_id", "nik"]
    facts = [*number, "name", "birth_date", "sex"]
    told = pl.concat(
        [
            marked.select(*facts, "stated_date", "is_restated"),
            carried.join(fresh, on=number, how="semi").select(*facts, "stated_date", "is_restated"),
        ]
    ).filter(pl.col("nik").is_not_null())
    _, often = split_repeated(told, number)
    several = often.filter(pl.col("name") != pl.col("name").first().over(number))
    if several.is_empty():
        return marked
    sharing = often.join(several, on=number, how="semi").sort(
        *number, "is_restated", number_agrees().not_(), "stated_date", "name", "birth_date"
    )
    bearer = sharing.unique(number, keep="first", maintain_order=True).select(facts)
    days = sharing.join(bearer, on=facts, how="semi", nulls_equal=True).select(*number, "stated_date").unique()
    beside = sharing.join(days.with_columns(is_beside=pl.lit(value=True)), on=[*number, "stated_date"], how="left")
    differs = {name: pl.col(name) != pl.col(f"{name}_other") for name in ("name", "birth_date", "sex")}
    starts = _starts_of_words()
    shared = starts[0].list.set_intersection(starts[1]).list.len()
    is_shortened = shared == pl.min_horizontal(one.list.n_unique() for one in starts)
    is_another_beside = is_stranger() | differs["sex"] | ~is_shortened
    is_another = pl.all_horizontal(differs.values())
    strangers = (
        beside.join(bearer, on=number, suffix="_other")
        .filter(pl.when("is_beside").then(is_another_beside).otherwise(is_another))
        .select(facts)
        .unique()
        .sort(facts)
    )
    own = strangers.select(
        pl.concat_str(*number, "name", pl.col("birth_date").cast(pl.String), separator="|", ignore_nulls=True)
    )
    strangers = strangers.with_columns(own_id=key.ids("person", own.to_series()))
    is_sharing = pl.col("own_id").is_not_null()
    return (
        marked.join(strangers, on=facts, how="left", maintain_order="left", nulls_equal=True)
        .with_columns(
            identity_id=pl.coalesce("own_id", "identity_id"),
            shared_nik=pl.when(is_sharing).then("nik"),
            nik=pl.when(~is_sharing).then("nik"),
        )
        .drop("own_id")
    )


def number_agrees(of: str = "") -> pl.Expr:
    """Whether a number says the birth date and sex of who bears it; true where there is no number.

    Parameters
    ----------
    of : str
        What the names of the columns `nik, birth_date, sex` end with.
    """
    born, nik = pl.col(f"birth_date{of}"), pl.col(f"nik{of}")
    day = born.dt.day() + pl.when(pl.col(f"sex{of}") == Sex.FEMALE.value).then(WOMEN_DAY_OFFSET).otherwise(0)
    said = pl.concat_str(
        day.cast(pl.String).str.zfill(2),
        born.dt.month().cast(pl.String).str.zfill(2),
        (born.dt.year() % 100).cast(pl.String).str.zfill(2),
    )
    return (nik.str.slice(6, 6) == said).fill_null(value=True)


def is_stranger() -> pl.Expr:
    """Whether one who bears the same number is somebody else: another name and birth date, or a name unlike in all.

    A number holds a birth date, so that a slip in its region or serial hits somebody of the same birthday.
    """
    starts = _starts_of_words()
    is_unlike = starts[0].list.set_intersection(starts[1]).list.len() == 0
    differs = (pl.col("name") != pl.col("name_other")) & (pl.col("birth_date") != pl.col("birth_date_other"))
    return differs | is_unlike


def _starts_of_words() -> list[pl.Expr]:
    """First letters of the words of `name` and `name_other`."""
    return [
        pl.col(name).str.to_lowercase().str.extract_all(r"\p{L}{1,3}\p{L}*").list.eval(pl.element().str.head(3))
        for name in ("name", "name_other")
    ]
