"""How far off a scorecard is where it was not fitted: residuals out of area, as a thousand equally likely values."""

import numpy as np
import polars as pl

from assets.intake.poverty import POVERTY_FIGURES
from assets.steps import step
from assets.welfare.first_fit import with_lines
from assets.welfare.fit import out_of_area
from assets.welfare.scorecard import MICRO, Scorecard
from assets.welfare.survey import Floats, training_rows

RANKS = 1_000
SURVEY = "intake/consumption_survey"


@step(reads={"survey": SURVEY, "figures": POVERTY_FIGURES}, uses=("card",), writes=("welfare/residuals",))
def distribute_residuals(survey: pl.DataFrame, figures: pl.DataFrame, *, card: Scorecard) -> pl.DataFrame:
    """Distribute the residuals of a scorecard, out of area, on the consumption survey it was fitted on."""
    return residuals(with_lines(survey, figures, card.spec), card)


def residuals(survey: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """Distribution of measured less predicted welfare, out of area and weighted.

    Each fold of whole areas is predicted by a scorecard fitted, with the parameters of ``card``, on the other folds of
    the same survey. A household without a target or an answer is left out, as in fitting.

    Parameters
    ----------
    survey : DataFrame
        Weighted survey with the columns of ``card.spec``, the poverty line among them.

    Returns
    -------
    DataFrame
        Contract `welfare/residuals`: `rank` 1 to 1,000 and `residual_micro`, the middle of each thousandth of the
        weight, on the scale of the score. No row where the survey is empty or has not the columns (the scorecard was
        fitted on another survey).
    """
    spec = card.spec.model_copy(update={"groups": (), "adult_equivalent": {}})
    line = [spec.poverty_line] if isinstance(spec.poverty_line, str) else []
    others = [one for one in (spec.weight, spec.quota.column) if one is not None]
    asked = {
        spec.id, spec.target.column, *spec.features, *spec.area, *spec.strata, *spec.quota.within, *line, *others,
    }  # fmt: skip
    if survey.is_empty() or not asked <= {*survey.columns}:
        return pl.DataFrame(schema={"rank": pl.Int64, "residual_micro": pl.Int64})
    rows = training_rows(survey, spec)
    return thousandths(rows.target - out_of_area(rows, spec, card.provenance), rows.weight)


def thousandths(values: Floats, weight: Floats) -> pl.DataFrame:
    """The values at the middles of the thousandths of the weight, in millionths; the order of the rows says nothing."""
    micro = np.rint(values * MICRO).astype(np.int64)
    whole = np.rint(weight * 1000).astype(np.int64)
    order = np.lexsort((whole, micro))
    reached = np.cumsum(whole[order])
    middles = (2 * np.arange(RANKS) + 1) * reached[-1]
    place = np.searchsorted(reached * 2 * RANKS, middles, side="left")
    return pl.DataFrame({"rank": np.arange(1, RANKS + 1), "residual_micro": micro[order][place]})
