"""BPS's lists of a region out of a draft: visits that matter, the worklist by priority, and authors to look at."""

import polars as pl

from assets.decision.draft import Draft
from assets.house import House
from assets.registry.pending import count_by_author

_STATEMENT = ("statement_id", "family_card_number", "feed", "subject", "author", "stated_date", "contradicts", "since")


def field_lists(house: House, source: Draft, region: str, most: int | None) -> dict[str, pl.DataFrame]:
    """`visits`, `worklist`, `statements` and `authors` of a region, lists of codes as text.

    Visits and worklist name the family by its card and its head, as whoever goes there asks for it and a validation
    names it. `statements` are those for which BPS is sent, by the `statement_id` that a validation confirms.
    `authors` counts the statements that do not count yet and for which BPS is not sent to every family
    (:func:`assets.registry.pending.count_by_author`).

    Parameters
    ----------
    region : str
        Kemendagri code of a regency, district or village.
    most : int or None
        Keep so many targeted families; those sampled are kept whatever it is, or errors could not be estimated.
    """
    here = pl.col("village_code").str.starts_with(region)
    families, pending = (
        source.table(house, key).scan(house.contracts[key]) for key in ("registry/families", "registry/pending")
    )
    named = families.filter(here).select("family_id", "family_card_number", "head_name").collect()
    found = {}
    for name in ("visits", "worklist"):
        rows = source.table(house, f"decision/{name}").scan(house.contracts[f"decision/{name}"]).filter(here).collect()
        if name == "visits":
            rows = rows.sort("is_targeted", "wrong_side_micro", "reference", descending=[True, True, False],
                             nulls_last=True)  # fmt: skip
            turn = pl.col("is_targeted").cum_sum()
            rows = (
                rows if most is None else rows.filter((pl.col("is_targeted") & (turn <= most)) | pl.col("is_sampled"))
            )
        else:
            rows = rows.sort("priority", "since", "village_code", "family_id", "reason", nulls_last=True)
        who = rows.select("family_id").join(named, on="family_id", how="left", maintain_order="left")
        found[name] = who.hstack(rows.drop("family_id").with_columns(pl.selectors.list().list.join(", ")))
    held = pending.join(named.lazy(), on="family_id", how="semi").collect()
    listed = held.filter("is_listed").sort("family_card_number", "statement_id").select(_STATEMENT)
    return {**found, "statements": listed, "authors": count_by_author(held)}
