"""The families BPS checked: whom the programmes reach among them, and what unchecked answers would have done.

BPS verifies answers, not consumption. So two things can be told of them: coverage, and the error of taking families and
agents at their word, held against the very same decision on what BPS found. Errors of the score are in `errors`.
"""

import polars as pl

from assets.decision.families import ELIGIBLE, Families
from assets.decision.ranking import RESERVED
from assets.simulation.groups import cells
from assets.simulation.resampling import resampled, within
from assets.simulation.snapshot import Snapshot
from assets.simulation.worlds import World
from assets.welfare.scorecard import Scorecard
from schemas.vocabularies import Source, Status

COVERAGE, STATED_EXCLUSION, STATED_INCLUSION = "coverage", "stated_exclusion", "stated_inclusion"
_KEY = ["family_id", "programme"]
_TENTH = 10


def is_checked(provenance: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """`family_id, is_checked`: whether BPS stated last every answer of the family that earns points in the scorecard.

    Answers that are counted from the members have no statement of their own and are not asked for.
    """
    sources = [f"{one.name}_source" for one in card.features if f"{one.name}_source" in provenance.columns]
    if not sources:
        return provenance.select("family_id", is_checked=pl.lit(value=False))
    by_bps = pl.all_horizontal(pl.col(name) == Source.BPS_VALIDATION for name in sources)
    return provenance.select("family_id", is_checked=by_bps.fill_null(value=False))


def as_stated(families: Families, conflicts: pl.DataFrame, sample: pl.DataFrame) -> Families:
    """The families of the sample with what was stated before BPS found otherwise, by the next source in strength.

    Parameters
    ----------
    conflicts : DataFrame
        Contract `registry/conflicts` of their regency.
    sample : DataFrame
        `family_id` of the families.
    """
    records = families.records.join(sample, on="family_id", how="semi")
    corrected = conflicts.filter(pl.col("source") == Source.BPS_VALIDATION).join(sample, on="family_id", how="semi")
    for (attribute,), rows in sorted(corrected.partition_by("attribute", as_dict=True).items()):
        name = str(attribute)
        if name in records.columns:
            before = rows.select("family_id", _stated=pl.col("other_value").cast(records.schema[name]))
            records = (
                records.join(before, on="family_id", how="left", maintain_order="left")
                .with_columns(pl.coalesce("_stated", name).alias(name))
                .drop("_stated")
            )
    return Families(records, families.members.join(sample, on="family_id", how="semi"))


def inside(stated: pl.DataFrame, decided: pl.DataFrame, world: World) -> pl.DataFrame:
    """`family_id, programme, receives_as_stated`: who is inside the places by stated answers, all others as decided.

    Parameters
    ----------
    stated : DataFrame
        From :func:`assets.decision.judge.eligibility`, on the stated answers.
    decided : DataFrame
        From :func:`assets.decision.ranking.rank`, on the answers believed.

    Returns
    -------
    DataFrame
        Inside is who is eligible and competes with a score no higher than the last of the area's open places, or of
        those kept for a group it belongs to, or whose area has places left; null where lots decide.
    """
    if world.is_lottery:
        return stated.select(*_KEY, receives_as_stated=pl.lit(None, pl.Boolean))
    area = [world.terms.area, "programme"]
    filled = pl.col("status") == Status.RECIPIENT
    rules = world.terms.policy.ranking
    competing = pl.col("score_micro") - pl.col("received_before").cast(pl.Int64) * rules.sitting_margin_micro
    kept = [(f"last_{one.fact}", one.fact, f"{RESERVED}{one.fact}") for one in rules.reserved_places]
    is_open = ~pl.col("placed_by").is_in([word for _, _, word in kept])
    last = decided.group_by(area).agg(
        last=competing.filter(filled & is_open).max(),
        has_left=filled.sum() < pl.col("seats").first(),
        **{name: pl.col("score_micro").filter(pl.col("placed_by") == word).max() for name, _, word in kept},
    )
    fits = pl.col("has_left") | (competing <= pl.col("last")).fill_null(value=False)
    for name, fact, _ in kept:
        fits |= ((pl.col(fact) >= 1) & (pl.col("score_micro") <= pl.col(name))).fill_null(value=False)
    return stated.join(last, on=area, how="left", maintain_order="left").select(
        *_KEY, receives_as_stated=((pl.col("status") == ELIGIBLE) & fits).fill_null(value=False)
    )


def of_checked(checked: pl.DataFrame, snapshot: Snapshot) -> pl.DataFrame:
    """Coverage of the checked families and the errors of what they had stated, for all and by group.

    - `coverage`: receiving / checked families in a decile that the programme takes (as published; every decile where
      the law asks none). No error: rules exclude some, and what they consume was never measured.
    - `stated_exclusion`: outside by stated answers / recipients by checked answers.
    - `stated_inclusion`: not recipients by checked answers / inside by stated answers.

    Parameters
    ----------
    checked : DataFrame
        Of :class:`assets.simulation.regencies.Counted`.

    Returns
    -------
    DataFrame
        `run, programme, dimension, value, measure, families` (denominator), `counted` (numerator), `share`, `low`,
        `high` (villages drawn again).
    """
    limits = {str(name): rule.max_decile or _TENTH for name, rule in snapshot.terms.policy.programmes.items()}
    limit = pl.col("programme").replace_strict(limits, default=None, return_dtype=pl.Int32)
    in_decile = (pl.col("decile") <= limit) | (pl.col("decile").is_null() & (limit == _TENTH))
    receives, stated = pl.col("receives"), pl.col("receives_as_stated")
    measures = {
        COVERAGE: (in_decile & receives, in_decile),
        STATED_EXCLUSION: (receives & ~stated, receives & stated.is_not_null()),
        STATED_INCLUSION: (stated & ~receives, stated),
    }
    rows = []
    for (run, programme), part in checked.partition_by("run", "programme", as_dict=True, maintain_order=True).items():
        ratios = {
            (dimension, value, measure): within(here, *(one.fill_null(value=False).cast(pl.Int64) for one in ratio))
            for dimension, value, here in cells(part)
            for measure, ratio in measures.items()
        }
        for cell, ratio in resampled(part, "village_code", ratios).items():
            rows.append((run, programme, *cell, ratio.total, ratio.hits, ratio.share, *ratio.interval))
    schema = {
        "run": pl.String, "programme": pl.String, "dimension": pl.String, "value": pl.String, "measure": pl.String,
        "families": pl.Int64, "counted": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")
