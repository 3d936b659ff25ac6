"""Places that sitting families keep while data about them are missing: aid ends by a finding, not by silence."""

import polars as pl

from assets.decision.deciles import FRAMES, NATION
from assets.decision.families import ELIGIBLE, Terms
from assets.registry.authors import is_unregistered
from schemas.vocabularies import ScoreBasis, Status

NO_DATA = ("not_scorable", "decile_unknown")
NO_DATA_UNREGISTERED = (*NO_DATA, "no_component")
"""Of whoever has not registered, the members are known from registers alone."""
_KEY = ["family_id", "programme"]


def keep_places(eligible: pl.DataFrame, previous: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Let sitting families against whom only missing data stand keep their place (policy `registry.kept_quarters`).

    Parameters
    ----------
    eligible : DataFrame
        Families x programmes with `status, reasons, ground_checks, received_before, channel, official_decile,
        score_micro, amount_due_rupiah, regency_code`.
    previous : DataFrame
        `family_id, programme, score_micro, amount_rupiah` of the quarter before.

    Returns
    -------
    DataFrame
        The input in its order with `is_kept` and `score_basis`. A kept family is eligible; what stood against it
        stands among its `ground_checks`. It competes, where kept families exceed the places, by its last known score,
        else by the middle of its official decile, else last. It is paid what its components give, else what it
        received last, else the smallest amount of a component.
    """
    is_candidate = pl.col("received_before") & (
        (pl.col("status") == Status.NOT_SCORABLE.value) | is_unregistered()
    )  # fmt: skip
    kept = _find_kept(eligible.filter(is_candidate), previous, terms)
    own = pl.when(pl.col("score_micro").is_not_null()).then(pl.lit(ScoreBasis.OWN.value))
    joined = eligible.join(kept, on=_KEY, how="left", maintain_order="left", suffix="_kept").with_columns(
        score_basis=pl.coalesce("basis", own), is_kept=pl.col("is_kept").fill_null(value=False)
    )
    changed = ("status", "reasons", "ground_checks", "score_micro", "amount_due_rupiah")
    return joined.with_columns(
        pl.when("is_kept").then(f"{name}_kept").otherwise(name).alias(name) for name in changed
    ).select(*eligible.columns, "is_kept", "score_basis")


def _find_kept(candidates: pl.DataFrame, previous: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Of sitting families without data, those that keep their place, with what they are then."""
    stands = pl.col("reasons").list
    lacks = pl.when(is_unregistered()).then(_is_among(NO_DATA_UNREGISTERED)).otherwise(_is_among(NO_DATA))
    lacking = candidates.filter(lacks, stands.len() > 0)
    # Few lack data: only what is known of them is looked through for doubles.
    of_them = previous.join(lacking.select(_KEY), on=_KEY, how="semi").unique(_KEY, keep="any")
    known = of_them.select(*_KEY, score_before="score_micro", amount_before="amount_rupiah")
    joined = lacking.join(known, on=_KEY, how="left")
    middle = _middle_of_decile(terms)
    smallest = {
        code.value: min((one.amount_rupiah for one in rule.components), default=rule.amount_rupiah)
        for code, rule in terms.policy.programmes.items()
    }
    least = pl.col("programme").replace_strict(smallest, default=None, return_dtype=pl.Int64)
    due, before = (pl.when(pl.col(name) > 0).then(name) for name in ("amount_due_rupiah", "amount_before"))
    return joined.select(
        *_KEY,
        is_kept=pl.lit(value=True),
        status=pl.lit(ELIGIBLE),
        ground_checks=pl.col("ground_checks").list.concat("reasons"),
        reasons=pl.lit([], pl.List(pl.String)),
        basis=pl.when(pl.col("score_micro").is_not_null())
        .then(pl.lit(ScoreBasis.OWN.value))
        .when(pl.col("score_before").is_not_null())
        .then(pl.lit(ScoreBasis.LAST_KNOWN.value))
        .when(middle.is_not_null())
        .then(pl.lit(ScoreBasis.OFFICIAL_DECILE.value)),
        score_micro=pl.coalesce("score_micro", "score_before", middle),
        amount_due_rupiah=pl.coalesce(due, before, least),
    )


def _is_among(codes: tuple[str, ...]) -> pl.Expr:
    return pl.col("reasons").list.eval(pl.element().is_in(codes)).list.all()


def _middle_of_decile(terms: Terms) -> pl.Expr:
    """Score in the middle of a family's official decile; the outer bands are taken as wide as their neighbours."""
    length = FRAMES[terms.policy.welfare.decile_frame]
    area = pl.col("regency_code").str.slice(0, length) if length else pl.lit(NATION)
    found = pl.lit(None, pl.Int64)
    for (name,), cuts in sorted(terms.cut_points.partition_by("frame", as_dict=True).items()):
        if len(str(name)) != (length or len(NATION)):
            continue
        ends = cuts.sort("decile")["highest_score_micro"].to_list()
        ends = [2 * ends[0] - ends[1], *ends, 2 * ends[-1] - ends[-2]]
        middles = {decile: (ends[decile - 1] + ends[decile]) // 2 for decile in range(1, len(ends))}
        here = pl.col("official_decile").replace_strict(middles, default=None, return_dtype=pl.Int64)
        found = pl.when(area == str(name)).then(here).otherwise(found)
    return found
