"""The scorecard of the accepted consumption survey, which a first quarter fits; the fit itself is in `fit`."""

import polars as pl

from assets.welfare.fit import fit
from assets.welfare.models import spec_of
from assets.welfare.scorecard import Scorecard
from assets.welfare.spec import SurveySpec
from quotas.poverty import LINE
from schemas.questionnaire import Questionnaire


def fitted(survey: pl.DataFrame, poverty: pl.DataFrame, questionnaire: Questionnaire) -> Scorecard:
    """The scorecard of an accepted consumption survey.

    Parameters
    ----------
    survey : DataFrame
        Feed `consumption_survey`.
    poverty : DataFrame
        `area_code, poverty_line_rupiah_per_capita_month`, where the questionnaire names the line.
    """
    spec = spec_of(questionnaire)
    return fit(with_lines(survey, poverty, spec).sort(spec.id), spec)


def with_lines(survey: pl.DataFrame, poverty: pl.DataFrame, spec: SurveySpec) -> pl.DataFrame:
    """The survey with the poverty line of each household's regency, where a specification names the line."""
    if spec.poverty_line != LINE:
        return survey
    lines = poverty.select(regency_code="area_code", **{LINE: LINE})
    return survey.join(lines, on="regency_code", how="left", maintain_order="left")
