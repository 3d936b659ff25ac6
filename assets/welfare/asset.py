"""Door of the welfare room to Dagster: the scorecard in force."""

import dagster as dg

from assets.house import House
from assets.intake.pins import Pins
from assets.lake import Table
from assets.partitions import OWNERS, QUARTERS, ins_of, key_of, quarter_of
from assets.welfare.first_fit import fitted
from assets.welfare.models import adopt, in_force, scorecard_on
from assets.welfare.scorecard import Scorecard
from quotas.poverty import poverty_figures
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
        poverty = poverty_statistics.read(house.contracts["intake/poverty_statistics"])
        card = fitted(survey, poverty_figures(poverty, days.poverty_vintage), house.questionnaire)
        adopt(house.models, card, quarter.first_day, f"fitted by the first quarter, {quarter}")
        context.log.info("fitted scorecard %s on %s households", card.hash[:12], survey.height)
    card = scorecard_on(house.models, days.decision_date)
    context.add_output_metadata({"hash": card.hash, "features": len(card.features)})
    return card
