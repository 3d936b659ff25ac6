"""Places that sitting families keep while data about them are missing: aid ends by a finding, not by silence."""

import polars as pl

from assets.decision.deciles import FRAMES, NATION, OFFICIAL
from assets.decision.families import Terms
from assets.decision.judge import ELIGIBLE
from assets.registry.standing import is_unregistered
from schemas.vocabularies import ScoreBasis

NO_DATA = ("not_scorable", "decile_unknown")
NO_DATA_UNREGISTERED = (*NO_DATA, "no_component")
"""Of whoever has not registered, the members are known from registers alone."""


def keep_places(eligible: pl.DataFrame, records: pl.DataFrame, previous: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Let sitting families against whom only missing data stand keep their place (policy `registry.kept_quarters`).

    Parameters
    ----------
    eligible : DataFrame
        From :func:`assets.decision.judge.eligibility`.
    records : DataFrame
        Contract `registry/families` of the same families: at least `family_id, channel` and the official deciles.
    previous : DataFrame
        `family_id, programme, score_micro, amount_rupiah` of the quarter before.

    Returns
    -------
    DataFrame
        The input with `is_kept` and `score_basis`. A kept family is eligible; what stood against it stands among its
        `ground_checks`. It competes, where kept families exceed the places, by its last known score, else by the
        middle of its official decile, else last. It is paid what its components give, else what it received last,
        else the smallest amount of a component.
    """
    frame = terms.policy.welfare.decile_frame
    official = f"{OFFICIAL}decile_{frame}"
    known = previous.select(
        "family_id", "programme", _score_before="score_micro", _amount_before="amount_rupiah"
    ).unique(["family_id", "programme"], keep="any")
    joined = eligible.join(
        records.select("family_id", "channel", _official=official), on="family_id", how="left", maintain_order="left"
    ).join(known, on=["family_id", "programme"], how="left", maintain_order="left")
    lacks = [
        pl.col("reasons").list.set_difference(pl.lit(list(codes), pl.List(pl.String))).list.len() == 0
        for codes in (NO_DATA, NO_DATA_UNREGISTERED)
    ]
    is_silent = (pl.col("reasons").list.len() > 0) & pl.when(is_unregistered()).then(lacks[1]).otherwise(lacks[0])
    keeps = pl.col("received_before") & (is_unregistered() | is_silent) & (
        is_silent | (pl.col("status") == ELIGIBLE)
    )  # fmt: skip
    middle = _middle_of_decile(terms, frame)
    joined = joined.with_columns(is_kept=keeps.fill_null(value=False)).with_columns(
        score_basis=pl.when(pl.col("score_micro").is_not_null())
        .then(pl.lit(ScoreBasis.OWN.value))
        .when("is_kept", pl.col("_score_before").is_not_null())
        .then(pl.lit(ScoreBasis.LAST_KNOWN.value))
        .when("is_kept", middle.is_not_null())
        .then(pl.lit(ScoreBasis.OFFICIAL_DECILE.value))
    )
    smallest = {
        code.value: min((one.amount_rupiah for one in rule.components), default=rule.amount_rupiah)
        for code, rule in terms.policy.programmes.items()
    }
    least = pl.col("programme").replace_strict(smallest, default=None, return_dtype=pl.Int64)
    due = pl.when(pl.col("amount_due_rupiah") > 0).then("amount_due_rupiah")
    before = pl.when(pl.col("_amount_before") > 0).then("_amount_before")
    return joined.with_columns(
        status=pl.when("is_kept").then(pl.lit(ELIGIBLE)).otherwise("status"),
        ground_checks=pl.when("is_kept")
        .then(pl.col("ground_checks").list.set_union("reasons"))
        .otherwise("ground_checks"),
        reasons=pl.when("is_kept").then(pl.lit([], pl.List(pl.String))).otherwise("reasons"),
        score_micro=pl.when("is_kept")
        .then(pl.coalesce("score_micro", "_score_before", middle))
        .otherwise("score_micro"),
        amount_due_rupiah=pl.when("is_kept").then(pl.coalesce(due, before, least)).otherwise("amount_due_rupiah"),
    ).select(*eligible.columns, "is_kept", "score_basis")


def _middle_of_decile(terms: Terms, frame: str) -> pl.Expr:
    """Score in the middle of a family's official decile; the outer bands are taken as wide as their neighbours."""
    length = FRAMES[frame]
    areas = pl.col("regency_code").str.slice(0, length) if length else pl.lit(NATION)
    found = pl.lit(None, pl.Int64)
    for (area,), cuts in sorted(terms.cut_points.partition_by("frame", as_dict=True).items()):
        if len(str(area)) != (length or len(NATION)):
            continue
        ends = cuts.sort("decile")["highest_score_micro"].to_list()
        ends = [2 * ends[0] - ends[1], *ends, 2 * ends[-1] - ends[-2]]
        middles = {decile: (ends[decile - 1] + ends[decile]) // 2 for decile in range(1, len(ends))}
        here = pl.col("_official").replace_strict(middles, default=None, return_dtype=pl.Int64)
        found = pl.when(areas == str(area)).then(here).otherwise(found)
    return found
