"""The official deciles of DTSEN on the families of the registry, joined by family card. Nothing is decided."""

import polars as pl

DECILES = ("decile_national", "decile_province", "decile_regency")


def official_deciles(listed: pl.DataFrame) -> pl.DataFrame:
    """`family_id` with `official_<decile>`: what DTSEN says of each family it lists under any of its cards.

    Where it lists several cards of a family, the one in force counts before older ones; where several deliveries list
    the card, the latest. A family is one row of DTSEN: its deciles are never put together of several.

    Parameters
    ----------
    listed : DataFrame
        Rows of feed `dtsen_families` with `family_id`, `is_current` (whether it is the family's card in force) and
        `issued_on`.
    """
    order = ["family_id", "is_current", "issued_on", "family_card_number", *DECILES]
    return (
        listed.sort(order, descending=[False, True, True, *(False for _ in order[3:])], nulls_last=True)
        .unique("family_id", keep="first", maintain_order=True)
        .select("family_id", *(pl.col(name).alias(f"official_{name}") for name in DECILES))
    )
