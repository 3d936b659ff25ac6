"""Every table of the house, once: :data:`TABLES`. The data dictionary, the checks and the lake all read it here.

Which rows they hold is the rooms' business. Public tables carry no reason, number, birth date or full name.
"""

from collections.abc import Mapping
from types import MappingProxyType

import pandera.polars as pa
import polars as pl

from schemas.contract import Contract, contract
from schemas.feeds import feeds
from schemas.questionnaire import Questionnaire, default_questionnaire
from schemas.registry_tables import registry_tables
from schemas.table_columns import (
    DISTRICT,
    FAMILY,
    FAMILY_REFERENCE,
    HASHES,
    LIST_REFERENCE,
    MASKED,
    PROGRAMME,
    PROVINCE,
    PUBLIC,
    PUBLISHED_NAME,
    QUARTER,
    REFERENCE,
    REGENCY,
    RESTRICTED,
    STATUS,
    VILLAGE,
    col,
    one_of,
)
from schemas.vocabularies import (
    Access,
    AgeGroup,
    Cause,
    Channel,
    GoesTo,
    Move,
    Outcome,
    PriorStatus,
    Programme,
    ReviewState,
    ScoreBasis,
    Status,
)

_GROUND_CHECKS = col(
    "ground_checks", pl.List(pl.String), "Ground checks",
    "Codes of what puts the family on the BPS worklist; nothing is decided by it.", "code list",
)  # fmt: skip
_HELD_SINCE = col(
    "held_since", pl.String, "Held since",
    "Quarter in which it was first held on grounds that still stand; kept where policy holds it no longer.", "quarter",
    nullable=True,
)  # fmt: skip

_IS_KEPT = col(
    "is_kept", pl.Boolean, "Kept", "Sitting family that keeps its place because data about it are missing.", "yes/no",
)  # fmt: skip
_SCORE_BASIS = col(
    "score_basis", pl.String, "Score by", "What it competes by: its own score, the last known, or the official decile.",
    "word", nullable=True, checks=one_of(ScoreBasis),
)  # fmt: skip


def _budget() -> list[pa.Column]:
    rupiah = "rupiah"
    return [
        QUARTER,
        col("level", pl.String, "Level", "nation or regency.", "word"),
        col("region_code", pl.String, "Region", "Kemendagri code of the regency; 'all' is the nation.", "code"),
        PROGRAMME,
        col("stage", pl.Int32, "Stage", "Disbursement stage (tahap), 1 to 4.", "stage"),
        col("families", pl.Int64, "Families paid", "Recipients.", "families"),
        col("seats", pl.Int64, "Places", "Places of the region.", "families"),
        col("amount_rupiah", pl.Int64, "Amount", "Due to the recipients in this stage.", rupiah, nullable=True),
        col("mean_rupiah", pl.Int64, "Average", "The flat amount, or the average due to a recipient, rounded down.",
            rupiah, nullable=True),
        col("full_rupiah", pl.Int64, "All places filled", "Places times flat amount or exact average, rounded down.",
            rupiah, nullable=True),
        col("ceiling_rupiah", pl.Int64, "Ceiling", "A fourth of the nation's ceiling of the year; regencies have none.",
            rupiah, "policy", nullable=True),
        col("ceiling_share_micro", pl.Int64, "Share of the ceiling", "Amount in millionths of the ceiling.",
            "millionths", nullable=True),
    ]  # fmt: skip


def _open_checks(key: str, access: Access) -> Contract:
    is_public = access is PUBLIC
    counted = {
        "evaluated": ("Evaluated", "Families evaluated."),
        "unverified": ("Unverified", "Of these, neither IKD nor face nor document verified."),
        "pending": ("Pending", "Of these, with a statement that waits for a confirmation."),
        "held": ("Held", "Of these, held in a programme."),
        "held_one_quarter": ("Held, first quarter", "Of the held, in their first quarter."),
        "held_two_quarters": ("Held, second quarter", "Of the held, in their second quarter."),
        "held_longer": ("Held longer", "Of the held, in their third quarter or a later one."),
        "with_supervisor": ("With the supervisor", "Families whose case waits for the supervisor."),
        "kept_places": ("Places kept", "Places of recipients on whom a check is open; a family may have two."),
    }
    described = "How many families wait for a check, how long, and how many places are kept by open checks."
    return contract(
        key, "Open checks", f"{described} Small counts are suppressed." if is_public else described,
        [
            QUARTER, REGENCY,
            col("channel", pl.String, "Channel", "How the registration came in.", "word", "registration",
                checks=one_of(Channel)),
            col("age_group", pl.String, "Age of the head", "Age of the head on the day of decision.", "word",
                checks=one_of(AgeGroup)),
            *[
                col(name, pl.Int64, title, about, "places" if name == "kept_places" else "families",
                    nullable=is_public)
                for name, (title, about) in counted.items()
            ],
        ],
        grain="regency x channel x age group", order=["regency_code", "channel", "age_group"], access=access,
    )  # fmt: skip


def _movements(key: str, access: Access) -> Contract:
    few = "Causes are told of the nation alone, those of fewer than five families together."
    described = "How many families came onto the list of recipients and off it, and why."
    return contract(
        key, "Movements", described if access is RESTRICTED else f"{described} {few}",
        [
            QUARTER,
            col("level", pl.String, "Level", "nation or regency.", "word"),
            col("region_code", pl.String, "Region", "Kemendagri code of the regency; 'all' is the nation.", "code"),
            PROGRAMME,
            col("move", pl.String, "Move",
                "Onto the list from outside or from the queue, or off it, out or into the queue.", "word",
                checks=one_of(Move)),
            col("cause", pl.String, "Cause", "Why; moved: the family receives in another regency now.", "word",
                nullable=access is not RESTRICTED),
            col("families", pl.Int64, "Families", "How many moved so.", "families"),
        ],
        grain="region x programme x move x cause",
        order=["level", "region_code", "programme", "move", "cause"], access=access,
    )  # fmt: skip


def _decision() -> list[Contract]:
    counts = [
        col(name, pl.Int64, name.replace("_", " ").capitalize(), description, "families", nullable=True)
        for name, description in {
            "registered": "Families registered.", "evaluated": "Families evaluated.",
            "eligible": "Families that pass every rule: recipients and waiting.",
            "recipients": "Families inside the quota.",
            "both": "Of these, families that receive another programme too; holding both is normal.",
            "waiting": "Eligible families in the queue.", "ineligible": "Families a rule excludes.",
            "not_scorable": "Families with too little data.", "held": "Newcomers held until something is known.",
        }.items()
    ]  # fmt: skip
    seat_columns = [
        PROGRAMME,
        col(
            "weight",
            pl.Int64,
            "Weight",
            "Poor persons of the area, or rupiah a month they lack up to the poverty line (policy: quotas.weight).",
            "persons or rupiah",
            "BPS",
        ),
        col("exact_share", pl.Decimal(38, 6), "Exact share", "Places before rounding to whole ones.", "places"),
        col("remainder", pl.Decimal(38, 6), "Remainder", "Fraction of a place left after the whole ones.", "places"),
        col(
            "has_remainder_seat",
            pl.Boolean,
            "Remainder place",
            "Whether rounding gave more than the whole places.",
            "yes/no",
        ),
        col("seats", pl.Int64, "Places", "Places of the area.", "families"),
        col("floor", pl.Int64, "Floor", "Places it has at least, by policy.", "families", nullable=True),
        col("cap", pl.Int64, "Cap", "Places that can be filled at most.", "families", nullable=True),
        col("seats_before", pl.Int64, "Places before", "Places in the previous quarter.", "families", nullable=True),
        col("change", pl.Int64, "Change", "Places more or fewer than before.", "families", nullable=True),
    ]
    decided = [FAMILY, PROGRAMME]
    return [
        contract(
            "decision/scores", "Scores", "Score of every family with the points of each answer; parts add up exactly.",
            [
                FAMILY, REGENCY,
                col("scorable", pl.Boolean, "Scorable", "Whether every needed answer is there and valid.", "yes/no"),
                col("score_micro", pl.Int64, "Score", "Predicted log welfare in millionths; lower is poorer.",
                   "micro-units", nullable=True),
                col("problems", pl.List(pl.String), "Problems", "Answers that are missing or invalid.", "code list"),
                *[
                    col(f"decile_{frame}", pl.Int32, f"Own decile, {frame}", "By our own score, 1 is poorest.",
                        "decile", nullable=True)
                    for frame in ("national", "province", "regency")
                ],
                col("model_hash", pl.String, "Scorecard", "Content hash of the scorecard used.", "sha256"),
                col("input_hash", pl.String, "Inputs", "Content hash of the facts the family was scored on.", "sha256"),
            ],
            grain="family", order=["regency_code", "family_id"], access=RESTRICTED, open_prefix="points_",
        ),
        contract(
            "decision/cut_points", "Decile cut points",
            "Highest score of each decile in nation, provinces and regencies, from the weighted consumption survey.",
            [
                col("frame", pl.String, "Frame", "Area the deciles cut: 'all' or a region code.", "code"),
                col("decile", pl.Int32, "Decile", "1 is poorest.", "decile", checks=[pa.Check.in_range(1, 9)]),
                col("highest_score_micro", pl.Int64, "Highest score", "Highest score of the decile.", "micro-units"),
            ],
            grain="frame x decile", order=["frame", "decile"],
        ),
        contract(
            "decision/deciles_compared", "Deciles compared",
            "Families by our own decile and the official one of DTSEN, whichever of them decides.",
            [
                REGENCY,
                col("frame", pl.String, "Frame", "national, province or regency.", "word"),
                col("own_decile", pl.Int32, "Own decile", "By our own score, 1 is poorest; null: none.", "decile",
                    nullable=True),
                col("official_decile", pl.Int32, "Official decile", "That of DTSEN; null: none.", "decile", "DTSEN",
                    nullable=True),
                col("families", pl.Int64, "Families", "How many there are.", "families"),
            ],
            grain="regency x frame x pair of deciles",
            order=["frame", "regency_code", "own_decile", "official_decile"], access=RESTRICTED,
        ),
        contract(
            "decision/profiles", "Profiles", "Families by bin of each answer and of the score, for the drift.",
            [
                REGENCY,
                col("feature", pl.String, "Answer", "Name of the answer; score_micro is the score.", "word"),
                col("bin", pl.Int64, "Bin", "Bin of the scorecard, or of a hundredth of log welfare; null: unusable.",
                    "bin", nullable=True),
                col("families", pl.Int64, "Families", "How many there are.", "families"),
            ],
            grain="regency x answer x bin", order=["regency_code", "feature", "bin"], access=RESTRICTED,
        ),
        contract(
            "decision/drift", "Drift",
            "How far each answer and the score moved since last quarter, among all families; empty in a first quarter.",
            [
                col("feature", pl.String, "Answer", "Name of the answer; score_micro is the score.", "word"),
                col("psi_micro", pl.Int64, "Stability index", "Population stability index.", "millionths"),
                col("families", pl.Int64, "Families", "Families now.", "families"),
                col("families_before", pl.Int64, "Families before", "Families last quarter.", "families"),
                col("unusable", pl.Int64, "Unusable", "Of them, without a usable answer.", "families"),
                col("unusable_before", pl.Int64, "Unusable before", "The same last quarter.", "families"),
                col("alarm_micro", pl.Int64, "Alarm", "Index above which an alarm is raised.", "millionths", "policy"),
                col("is_alarm", pl.Boolean, "Alarm raised", "Whether the index lies above it.", "yes/no"),
            ],
            grain="answer", order=["feature"], access=RESTRICTED,
        ),
        contract(
            "decision/seats", "Places", "Places per area and programme with the arithmetic that gives them.",
            [
                col("regency_code", pl.String, "Area", "Kemendagri code of the regency, or the declared area.", "code"),
                col("regency_code_bps", pl.String, "BPS code", "BPS regency code.", "code", "BPS", nullable=True),
                *seat_columns,
            ],
            grain="area x programme", order=["programme", "regency_code"], access=PUBLIC,
        ),
        contract(
            "decision/filters", "Filters", "Outcome of every rule for every family, whether or not another one failed.",
            [
                FAMILY, REGENCY,
                col("filter", pl.String, "Rule", "Code of the rule.", "code", "policy"),
                col("outcome", pl.String, "Outcome",
                    "pass, fail, unknown, or ground_check: it holds, but only sends to the field.", "word",
                    checks=one_of(Outcome)),
                col("observed", pl.Int64, "Observed", "What the record holds.", "of the fact", "registry",
                   nullable=True),
                col("threshold", pl.Int64, "Threshold", "What the rule compares with.", "of the fact", "policy",
                   nullable=True),
                col("source", pl.String, "Source", "Who states the fact.", "word", "registry", nullable=True),
                col("source_date", pl.Date, "Source date", "As of when.", "date", "registry", nullable=True),
            ],
            grain="family x rule", order=["regency_code", "family_id", "filter"], access=RESTRICTED,
        ),
        contract(
            "decision/eligibility", "Eligibility",
            "Which programme's rules each family meets, before places are given.",
            [
                *decided, REGENCY, DISTRICT, VILLAGE,
                col("family_card_number", pl.String, "Family card number", "Card in force.", "identifier",
                   "registration"),
                col("head_name", pl.String, "Name of the head", "Full name of the head.", "text", "registration"),
                col("registered_date", pl.Date, "Registered", "First day of registration.", "date", "registration"),
                col("is_verified", pl.Boolean, "Verified", "IKD, face or a check in person confirmed the head.",
                    "yes/no"),
                col("channel", pl.String, "Channel", "How the family came on record.", "word", "registration",
                    checks=one_of(Channel)),
                col("case_id", pl.String, "Open case", "Case that concerns the family.", "id", nullable=True),
                col("score_micro", pl.Int64, "Score", "Lower is poorer.", "micro-units", nullable=True),
                col("decile", pl.Int32, "Decile", "Welfare decile, 1 is poorest.", "decile", nullable=True),
                *[
                    col(name, pl.Int64, name.replace("_", " ").capitalize(), "Breaks ties of score.", "persons")
                    for name in ("severe_disability_count", "elderly_alone", "pregnant_or_under_five_count",
                                 "dependant_count")
                ],
                *[
                    col(name, pl.Int64, name.replace("_", " ").capitalize(), description, "persons")
                    for name, description in (
                        ("elderly_alone_or_pair", "1 where every member is 60 or older and they are one or two."),
                        ("supported_disability_count", "Severe disabilities that a source beside the family supports."),
                        ("elderly_count", "Members of 60 or older."),
                    )
                ],
                col("status", pl.String, "Status", "eligible, ineligible, not_scorable or held.", "word"),
                col("reasons", pl.List(pl.String), "Reasons", "Codes of every rule that stands against the family.",
                   "code list"),
                _GROUND_CHECKS,
                col("components", pl.List(pl.String), "Components", "Components it would be paid for.", "code list"),
                col("amount_due_rupiah", pl.Int64, "Amount due", "Due this quarter if it becomes a recipient.",
                   "rupiah"),
                col("member_since", pl.Date, "Member since",
                    "First day of receiving without a break; null for who did not receive.", "date", nullable=True),
                col("review_due", pl.Boolean, "Review due", "To be reviewed if it goes on receiving.", "yes/no"),
                col("received_before", pl.Boolean, "Received before", "Received the programme in the quarter before.",
                    "yes/no"),
                _IS_KEPT, _SCORE_BASIS,
                _HELD_SINCE,
                col("input_hash", pl.String, "Inputs", "Content hash of the facts the family is decided on.", "sha256"),
            ],
            grain="family x programme", order=["regency_code", "family_id", "programme"], access=RESTRICTED,
        ),
        contract(
            "decision/decisions", "Decisions",
            "What was decided for every evaluated family in every programme, and on what.",
            [
                *decided, FAMILY_REFERENCE, LIST_REFERENCE, QUARTER, MASKED, PROVINCE, REGENCY, DISTRICT, VILLAGE,
                STATUS,
                col("reasons", pl.List(pl.String), "Reasons", "Codes of every rule that stands against the family.",
                   "code list"),
                _GROUND_CHECKS,
                col("score_micro", pl.Int64, "Score", "Lower is poorer.", "micro-units", nullable=True),
                col("decile", pl.Int32, "Decile", "Welfare decile, 1 is poorest.", "decile", nullable=True),
                col("rank", pl.Int64, "Rank", "Place in the order of the eligible, from 1.", "rank", nullable=True),
                col("queue_position", pl.Int64, "Queue position", "Place in the queue, from 1.", "rank", nullable=True),
                col("seats", pl.Int64, "Places", "Places of the area in the programme.", "families"),
                col("placed_by", pl.String, "Placed by",
                   "Rule that gave the place: order, kept, sitting, or reserved_ and the fact of a group.", "word",
                   nullable=True),
                col("displaced_by", pl.List(pl.String), "Displaced by",
                   "Rules without which a family that waits would have had a place, as in placed_by.", "code list",
                   nullable=True),
                _IS_KEPT, _SCORE_BASIS,
                col("cutoff_distance_micro", pl.Int64, "Distance",
                   "Score minus the highest score with which the family would have a place.", "micro-units",
                   nullable=True),
                col("tie_break", pl.String, "Tie-break", "First criterion that told it from its richer neighbour.",
                   "word", nullable=True),
                col("amount_rupiah", pl.Int64, "Amount", "Due this quarter if a recipient, else 0.", "rupiah"),
                col("components", pl.List(pl.String), "Components", "Components it is paid for, or would be.",
                    "code list", nullable=True),
                _HELD_SINCE,
                col("member_since", pl.Date, "Member since", "First day of receiving without a break.", "date",
                    nullable=True),
                col("review_due", pl.Boolean, "Review due", "Recipient to be reviewed after years of membership.",
                    "yes/no"),
                *HASHES,
            ],
            grain="family x programme", order=["regency_code", "family_id", "programme"], access=RESTRICTED,
        ),
        contract(
            "decision/payments", "Payments due", "Amount of every recipient with its components.",
            [
                *decided, FAMILY_REFERENCE, QUARTER, REGENCY,
                col("amount_rupiah", pl.Int64, "Amount", "Due this quarter.", "rupiah"),
                col("components", pl.List(pl.String), "Components", "Paid components, one per paid person.",
                   "code list"),
                col("stage", pl.Int32, "Stage", "Disbursement stage (tahap), 1 to 4.", "stage"),
            ],
            grain="recipient family x programme", order=["regency_code", "family_id", "programme"], access=RESTRICTED,
        ),
        contract(
            "decision/worklist", "BPS worklist",
            "Families to visit, once per reason: all that are held or not scorable, and those with an open check.",
            [
                FAMILY, FAMILY_REFERENCE, REGENCY, DISTRICT, VILLAGE,
                col("reason", pl.String, "Reason",
                    "Rule that found something; with _unknown, one whose fact nobody states; or a word of its own.",
                    "code", "policy"),
                col("programmes", pl.List(pl.String), "Programmes", "Programmes for which it matters.", "code list"),
                col("is_recipient", pl.Boolean, "Receives", "Whether it receives one of them now.", "yes/no"),
                col("since", pl.String, "Since", "Quarter in which the reason first stood there.", "quarter",
                    nullable=True),
                col("goes_to", pl.String, "Goes to", "Who acts: BPS, or the supervisor of a case that stood too long.",
                    "word", nullable=True, checks=one_of(GoesTo)),
                col("priority", pl.Int64, "Priority",
                    "1 held until it is known, 2 receives or received, 3 held for a time, 4 others.", "rank",
                    nullable=True),
                col("asked_on", pl.Date, "Asked on", "Day on which the family asked for a human review.", "day",
                    nullable=True),
                col("answered_on", pl.Date, "Answered on", "Day of the completed visit of BPS that answers it.", "day",
                    nullable=True),
                col("review_state", pl.String, "State of the review", "How far a human review is.", "word",
                    nullable=True, checks=one_of(ReviewState)),
            ],
            grain="family x reason", order=["regency_code", "village_code", "family_id", "reason"], access=RESTRICTED,
        ),
        contract(
            "decision/visits", "Visits that matter",
            "Families BPS is to visit: those likeliest on the wrong side of a cut-off, and a random sample.",
            [
                FAMILY, FAMILY_REFERENCE, REGENCY, DISTRICT, VILLAGE,
                col("stratum", pl.String, "Stratum", "Status of the family, the best of its programmes.", "word",
                    checks=one_of(Status)),
                col("is_targeted", pl.Boolean, "Targeted", "Chosen for its chance of being on the wrong side.",
                    "yes/no"),
                col("programme", pl.String, "Programme", "Whose cut-off it is likeliest on the wrong side of.", "word",
                    nullable=True, checks=one_of(Programme)),
                col("wrong_side_micro", pl.Int64, "Wrong side", "Chance of being on the wrong side of it.",
                    "millionths", nullable=True),
                col("is_sampled", pl.Boolean, "Sampled", "Drawn into the random sample.", "yes/no"),
                col("stratum_families", pl.Int64, "Families of the stratum", "In the regency.", "families"),
                col("stratum_sampled", pl.Int64, "Sampled of the stratum", "In the regency.", "families"),
                col("inclusion_micro", pl.Int64, "Inclusion probability",
                    "Chance of being sampled: the latter of the former, rounded down.", "millionths"),
                col("reasons", pl.List(pl.String), "On the worklist for", "Reasons to visit it anyway.", "code list"),
            ],
            grain="family", order=["regency_code", "village_code", "family_id"], access=RESTRICTED,
        ),
        contract(
            "welfare/residuals", "Residuals",
            "How far off the scorecard in force is out of area, on the consumption survey; none without a survey.",
            [
                col("rank", pl.Int64, "Rank", "Thousandth of the weight, from 1.", "rank"),
                col("residual_micro", pl.Int64, "Residual", "Measured less predicted log welfare at its middle.",
                    "micro-units"),
            ],
            grain="thousandth", order=["rank"], access=RESTRICTED,
        ),
        contract(
            "decision/referrals", "Referrals",
            "Which other programmes a family's profile leads to, and on what facts; it changes no decision.",
            [
                FAMILY, FAMILY_REFERENCE, QUARTER, REGENCY, DISTRICT, VILLAGE,
                col("referral", pl.String, "Referral", "Code of the rule.", "code", "policy"),
                col("reason_id", pl.String, "Reason", "What is told, in Indonesian.", source="policy"),
                col("reason_en", pl.String, "Reason, English", "The same in English.", source="policy"),
                col("facts", pl.List(pl.String), "Facts", "What it rests on, as fact=value.", "list"),
            ],
            grain="family x referral", order=["regency_code", "family_id", "referral"], access=RESTRICTED,
        ),
        contract(
            "decision/budget", "Budget", "What the stage costs, by regency and in the nation, against the ceiling.",
            _budget(), grain="region x programme", order=["level", "region_code", "programme"], access=RESTRICTED,
        ),
        _movements("decision/movements", RESTRICTED),
        _open_checks("decision/open_checks", RESTRICTED),
        contract(
            "decision/displaced", "Displaced",
            "Families that rules place out of order, and how much poorer those are who wait in their stead.",
            [
                col("regency_code", pl.String, "Area", "Kemendagri code of the regency, or the declared area.", "code"),
                PROGRAMME,
                col("placed_by", pl.String, "Placed by",
                    "The rule: kept, sitting, or reserved_ and the fact of a group.", "word"),
                col("families", pl.Int64, "Families",
                    "Recipients by the rule whom the order would not have reached.", "families"),
                col("placed_score_micro", pl.Int64, "Score of the placed", "Their average, rounded down.",
                    "micro-units"),
                col("displaced_score_micro", pl.Int64, "Score of the displaced",
                    "Average of those who wait because of such rules, rounded down.", "micro-units"),
                col("poorer_micro", pl.Int64, "Poorer by", "The former average less the latter.", "micro-units"),
            ],
            grain="area x programme x rule", order=["regency_code", "programme", "placed_by"], access=RESTRICTED,
        ),
        contract(
            "decision/transitions", "Transitions", "Where every family stood and stands, with the one cause.",
            [
                *decided, REGENCY,
                col("from_regency_code", pl.String, "Regency before", "Where it stood before, if anywhere.", "code",
                   nullable=True),
                col("from_status", pl.String, "From", "Status before, or new.", "word",
                    checks=one_of(Status, PriorStatus)),
                col("to_status", pl.String, "To", "Status now, or gone.", "word", checks=one_of(Status, PriorStatus)),
                col("cause", pl.String, "Cause", "Factor without which the status would have been kept.", "word",
                   nullable=True, checks=one_of(Cause)),
                col("is_decisive", pl.Boolean, "Is decisive",
                    "Whether that factor alone decided; else the first that sufficed among several.", "flag",
                    nullable=True),
            ],
            grain="family x programme in either quarter", order=["regency_code", "family_id", "programme"],
            access=RESTRICTED,
        ),
        contract(
            "publication/recipients", "Recipients", "The public list of recipients.",
            [QUARTER, PROGRAMME, REFERENCE, PUBLISHED_NAME, PROVINCE, REGENCY, DISTRICT, VILLAGE],
            grain="recipient family x programme", order=["programme", "village_code", "reference"], access=PUBLIC,
        ),
        contract(
            "publication/waiting_list", "Waiting list", "The public queue: who is next, per regency and programme.",
            [
                QUARTER, PROGRAMME, REFERENCE, PUBLISHED_NAME, PROVINCE, REGENCY, DISTRICT, VILLAGE,
                col("queue_position", pl.Int64, "Queue position", "Place in the queue, from 1.", "rank"),
                col("places_opened", pl.Int64, "Places opened",
                   "Families that left since last quarter, in the same queue.", "families"),
            ],
            grain="waiting family x programme", order=["programme", "regency_code", "queue_position", "reference"],
            access=PUBLIC,
        ),
        contract(
            "publication/budget", "Budget",
            "What the stage costs, by regency and in the nation; amounts of fewer than five families are suppressed.",
            _budget(), grain="region x programme", order=["level", "region_code", "programme"], access=PUBLIC,
        ),
        _movements("publication/movements", PUBLIC),
        _open_checks("publication/open_checks", PUBLIC),
        contract(
            "publication/region_summary", "Summary by region",
            "Counts per region and programme; small cells are suppressed.",
            [
                QUARTER,
                col("level", pl.String, "Level", "regency, district or village.", "word"),
                col("region_code", pl.String, "Region", "Kemendagri code.", "code"), PROGRAMME, *counts,
            ],
            grain="region x programme", order=["level", "region_code", "programme"], access=PUBLIC,
        ),
    ]  # fmt: skip


def tables(questionnaire: Questionnaire) -> Mapping[str, Contract]:
    """Every contract by key, with the answers of the given questionnaire."""
    contracts = [*feeds(questionnaire).values(), *registry_tables(questionnaire), *_decision()]
    return MappingProxyType({one.key: one for one in contracts})


TABLES = tables(default_questionnaire())
"""Every table, with the questionnaire that ships."""
