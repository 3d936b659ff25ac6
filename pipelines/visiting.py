"""BPS's lists of a region out of a draft: visits that matter, the worklist by priority, and authors to look at."""

import polars as pl

from assets.decision.draft import Draft
from assets.house import House
from assets.registry.pending import count_by_author


def field_lists(house: House, source: Draft, region: str, most: int | None) -> dict[str, pl.DataFrame]:
    """`visits`, `worklist` and `authors` of a region, lists of codes as text.

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
        found[name] = rows.with_columns(pl.selectors.list().list.join(", "))
    families, pending = (
        source.table(house, key).scan(house.contracts[key]) for key in ("registry/families", "registry/pending")
    )
    held = pending.join(families.filter(here), on="family_id", how="semi").collect()
    return {**found, "authors": count_by_author(held)}
