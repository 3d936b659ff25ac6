"""Door of the welfare room to Dagster: the scorecard in force."""

import dagster as dg

from assets.house import House
from assets.intake.pins import Pins
from assets.intake.poverty import POVERTY_FIGURES, poverty_of
from assets.lake import WHOLE, Table
from assets.partitions import OWNERS, QUARTERS, ins_of, key_of, quarter_of
from assets.steps import FrameSource, list_sources
from assets.welfare.first_fit import fitted
from assets.welfare.models import adopt, in_force, scorecard_on
from assets.welfare.residuals import SURVEY, distribute_residuals
from assets.welfare.scorecard import Scorecard
from schemas.errors import Refused


@dg.asset(
    key=key_of("welfare/scorecard"),
    ins=ins_of("intake/pins", "intake/consumption_survey", "intake/poverty_statistics"),
    io_manager_key="lake",
    partitions_def=QUARTERS,
    group_name="welfare",
    owners=OWNERS,
)
def scorecard(
    context: dg.AssetExecutionContext,
    house: dg.ResourceParam[House],
    pins: Pins,
    consumption_survey: Table,
    poverty_statistics: Table,
) -> Scorecard:
    """The scorecard in force on the decision day; a first quarter without one fits it from the accepted survey."""
    quarter = quarter_of(context)
    days = house.days(quarter)
    if pins.is_first and not in_force(house.models):
        if not consumption_survey.rows:
            message = f"no scorecard is in force and {quarter} has no consumption survey to fit one on. Load one."
            raise Refused(message)
        survey = consumption_survey.read(house.contracts["intake/consumption_survey"])
        card = fitted(survey, poverty_of(house, pins, poverty_statistics), house.questionnaire)
        adopt(house.models, card, quarter.first_day, f"fitted by the first quarter, {quarter}")
        context.log.info("fitted scorecard %s on %s households", card.hash[:12], survey.height)
    card = scorecard_on(house.models, days.decision_date)
    context.add_output_metadata({"hash": card.hash, "features": len(card.features)})
    return card


@dg.asset(
    key=key_of("welfare/residuals"),
    ins=ins_of("intake/pins", "welfare/scorecard", "intake/consumption_survey", "intake/poverty_statistics"),
    io_manager_key="lake",
    partitions_def=QUARTERS,
    group_name="welfare",
    owners=OWNERS,
)
def residuals(
    context: dg.AssetExecutionContext,
    house: dg.ResourceParam[House],
    pins: Pins,
    scorecard: Scorecard,
    consumption_survey: Table,
    poverty_statistics: Table,
) -> Table:
    """How far off the scorecard in force is out of area: what tells how likely a family is on the wrong side."""
    quarter = str(quarter_of(context))
    figures = poverty_of(house, pins, poverty_statistics)
    sources = {**list_sources(house.contracts, {SURVEY: consumption_survey}), POVERTY_FIGURES: FrameSource(figures)}
    (made,) = distribute_residuals.run(
        house.lake, house.contracts, quarter, [WHOLE], sources, card=scorecard
    ).values()  # fmt: skip
    context.add_output_metadata({"dagster/row_count": made.rows})
    return made
