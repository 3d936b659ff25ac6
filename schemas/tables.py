"""Every table of the house, once: :data:`TABLES`. The data dictionary, the checks and the lake all read it here.

Which rows they hold is the rooms' business. Public tables carry no reason, number, birth date or full name.
"""

from collections.abc import Mapping
from types import MappingProxyType

import pandera.polars as pa
import polars as pl

from schemas.contract import Contract, column, contract
from schemas.feeds import PERSON_FACTS, answer_columns, feeds
from schemas.questionnaire import Questionnaire, default_questionnaire
from schemas.vocabularies import (
    Access,
    Cause,
    Channel,
    FaceMatch,
    Outcome,
    PriorStatus,
    Programme,
    Proposer,
    Sex,
    Status,
)

FAMILY_FACTS = (
    "living_member_count",
    "has_civil_servant",
    "has_soldier_or_police",
    "has_pensioner",
    "wage_rupiah_month",
    "electricity_va",
    "has_consent",
    "is_address_found",
)
"""Facts of a family that filters read: whole numbers, 0 or 1 for yes and no, null for unknown."""

RESTRICTED = Access.RESTRICTED
PUBLIC = Access.PUBLIC


def _c(
    name: str, dtype: pl.DataType | type[pl.DataType], title: str, description: str, unit: str = "text",
    source: str = "computed", *, nullable: bool = False, checks: list[pa.Check] | None = None,
) -> pa.Column:  # fmt: skip
    return column(name, dtype, title, description, unit=unit, source=source, nullable=nullable, checks=checks or [])


def _in(*vocabularies: type) -> list[pa.Check]:
    return [pa.Check.isin([str(word) for one in vocabularies for word in one])]  # type: ignore[attr-defined]


_FAMILY = _c("family_id", pl.String, "Family", "Keyed pseudonym of the family; survives a new card number.", "id")
_PERSON = _c("person_id", pl.String, "Person", "Keyed pseudonym of the person.", "id")
_REGENCY = _c("regency_code", pl.String, "Regency", "Domicile, Kemendagri regency code.", "code", "registration")
_DISTRICT = _c("district_code", pl.String, "District", "Domicile, Kemendagri district code.", "code", "registration")
_VILLAGE = _c("village_code", pl.String, "Village", "Domicile, Kemendagri village code.", "code", "registration")
_PROVINCE = _c("province_code", pl.String, "Province", "Domicile, Kemendagri province code.", "code", "registration")
_PROGRAMME = _c("programme", pl.String, "Programme", "PKH or BPNT.", "word", checks=_in(Programme))
_QUARTER = _c("quarter", pl.String, "Quarter", "Quarter decided, as 2026Q1.", "quarter")
_STATUS = _c("status", pl.String, "Status", "What was decided.", "word", checks=_in(Status))
_REFERENCE = _c("reference", pl.String, "Reference", "Public reference number of the family.", "id")
_MASKED = _c("masked_name", pl.String, "Masked name", "First letters of the head's names.", "text")
_HASHES = [
    _c("model_hash", pl.String, "Scorecard", "Content hash of the scorecard used.", "sha256"),
    _c("policy_hash", pl.String, "Policy", "Content hash of the policy used.", "sha256"),
    _c("input_hash", pl.String, "Inputs", "Content hash of the facts the family was decided on.", "sha256"),
]


def _fact(name: str, title: str, description: str, unit: str = "yes=1 no=0") -> pa.Column:
    return _c(name, pl.Int64, title, description, unit, "evidence", nullable=True, checks=[pa.Check.ge(0)])


def _registry(questionnaire: Questionnaire) -> list[Contract]:
    answers = answer_columns(questionnaire, rolled_up=True)
    attributes = [str(one.name) for one in answers if one.name in questionnaire.answers] + ["visit_result"]
    family_facts = [
        _fact("living_member_count", "Living members", "Members not known to have died.", "persons"),
        _fact("has_civil_servant", "Civil servant", "A member is a civil servant (ASN)."),
        _fact("has_soldier_or_police", "Soldier or police", "A member serves in TNI or Polri."),
        _fact("has_pensioner", "State pensioner", "A member draws a state pension."),
        _fact("wage_rupiah_month", "Wage", "Highest wage recorded for a member.", "rupiah per month"),
        _fact("electricity_va", "Electricity", "Largest connection in a member's name.", "VA"),
        _fact("has_consent", "Consent", "The family consented to the use of its data."),
        _fact("is_address_found", "Address found", "The last visit found the family at its address."),
    ]
    provenance = [
        part
        for name in [*attributes, *FAMILY_FACTS]
        for part in (
            _c(f"{name}_source", pl.String, f"Source of {name}", "Who says so.", "word", "registry", nullable=True),
            _c(f"{name}_date", pl.Date, f"Date of {name}", "As of when.", "date", "registry", nullable=True),
        )
    ]
    return [
        contract(
            "registry/families", "Families",
            "One record per family: where it lives, how it came, its answers and facts.",
            [
                _FAMILY,
                _c("family_card_number", pl.String, "Family card number", "Card in force.", "identifier",
                   "registration"),
                _REGENCY, _DISTRICT, _VILLAGE,
                _c("head_person_id", pl.String, "Head", "Head of the family, or who took over.", "id"),
                _c("head_name", pl.String, "Name of the head", "Full name of the head.", "text", "registration"),
                _c("registered_date", pl.Date, "Registered", "First day of registration.", "date", "registration"),
                _c("channel", pl.String, "Channel", "How the registration came in.", "word", "registration",
                   checks=_in(Channel)),
                _c("proposer", pl.String, "Proposer", "Who proposed it.", "word", "registration", checks=_in(Proposer)),
                _c("agent_id", pl.String, "Agent", "Agent of the registration.", "id", "registration", nullable=True),
                _c("is_ikd_verified", pl.Boolean, "IKD verified", "Digital identity confirmed.", "yes/no",
                   "registration"),
                _c("face_match", pl.String, "Face match", "Result of the face check.", "word", "registration",
                   checks=_in(FaceMatch)),
                _c("is_verified", pl.Boolean, "Verified", "IKD verified or face match passed: a case cannot hold it.",
                   "yes/no"),
                _c("case_id", pl.String, "Open case", "Case that concerns the family.", "id", nullable=True),
                *answers,
                *family_facts,
            ],
            grain="family", order=["regency_code", "family_id"], access=RESTRICTED,
        ),
        contract(
            "registry/provenance", "Provenance", "Who said each attribute and fact of a family, and when.",
            [
                _FAMILY, _REGENCY,
                _c("visit_result", pl.Int32, "Visit result", "What the last visit found (Regsosek 205).", "code",
                   "registry", nullable=True),
                *provenance,
            ],
            grain="family", order=["regency_code", "family_id"], access=RESTRICTED,
        ),
        contract(
            "registry/persons", "Persons", "One record per person, in one family, with what agencies know.",
            [
                _c("nik_bucket", pl.Int16, "Bucket", "Bucket of the number, the shard of identity.", "code"),
                _PERSON, _FAMILY, _REGENCY,
                _c("nik", pl.String, "NIK", "Person's number; null for a newborn.", "identifier", "registration",
                   nullable=True),
                _c("name", pl.String, "Name", "Full name.", "text", "registration"),
                _c("birth_date", pl.Date, "Birth date", "Date of birth.", "date", "registration"),
                _c("sex", pl.String, "Sex", "male or female.", "word", "registration", checks=_in(Sex)),
                *[
                    _c(name, pl.Int32, title, f"As in the feed members: {title.lower()}.", "code", "registration",
                       nullable=name == "school_level")
                    for name, title in {
                        "relation": "Relation", "marital_status": "Marital status", "school_participation": "School",
                        "school_level": "School level", "education": "Certificate", "work_position": "Work position",
                        "disability": "Disability",
                    }.items()
                ],
                _c("is_pregnant", pl.Boolean, "Pregnant", "Pregnant or postpartum.", "yes/no", "registration"),
                _c("stated_date", pl.Date, "Stated", "Day the person's facts were stated.", "date", "registration"),
                *[
                    _fact(name, name.replace("_", " ").capitalize(), f"What the agency states: {name}.", "of the fact")
                    for name in PERSON_FACTS
                ],
                *[
                    _c(f"{name}_date", pl.Date, f"Date of {name}", "Day of the statement or of the check.", "date",
                       "evidence", nullable=True)
                    for name in PERSON_FACTS
                ],
            ],
            grain="person", order=["regency_code", "family_id", "person_id"], access=RESTRICTED,
        ),
        contract(
            "registry/members", "Living members", "What the rules read of the living members of a family, by regency.",
            [
                _PERSON, _FAMILY, _REGENCY,
                _c("birth_date", pl.Date, "Birth date", "Date of birth.", "date", "registration"),
                _c("relation", pl.Int32, "Relation", "Relation to the head (Regsosek 409).", "code", "registration"),
                _c("is_pregnant", pl.Boolean, "Pregnant", "Pregnant or postpartum.", "yes/no", "registration"),
                _c("school_participation", pl.Int32, "School", "1 never, 2 attends, 3 no longer.", "code",
                   "registration"),
                _c("school_level", pl.Int32, "School level", "Regsosek 413.", "code", "registration", nullable=True),
                _c("disability", pl.Int32, "Disability", "1 cannot, 2 much difficulty, 3 some, 4 none.", "code",
                   "registration"),
                _fact("is_rights_victim", "Rights victim", "Victim of gross human-rights violations."),
            ],
            grain="living person", order=["regency_code", "family_id", "person_id"], access=RESTRICTED,
        ),
        contract(
            "registry/cases", "Identity cases", "Persons claimed by two families: for the village office and a clerk.",
            [
                _c("case_id", pl.String, "Case", "Identifier of the case.", "id"), _PERSON, _FAMILY, _REGENCY,
                _c("kind", pl.String, "Kind", "What is doubtful.", "word",
                   checks=[pa.Check.isin(["nik_in_two_families"])]),
                _c("is_verified", pl.Boolean, "Verified", "Whether this side is IKD or face verified.", "yes/no"),
                _c("is_kept", pl.Boolean, "Keeps the person", "Whether the person counts in this family meanwhile.",
                   "yes/no"),
            ],
            grain="case x family", order=["case_id", "family_id"], access=RESTRICTED,
        ),
        contract(
            "registry/parked", "Parked rows", "Accepted rows whose family or person is not registered yet.",
            [
                _c("feed", pl.String, "Feed", "Feed of the rows.", "word"),
                _c("batch_id", pl.String, "Batch", "Batch of the rows.", "id", "intake"),
                _c("rows", pl.Int64, "Rows", "Rows that wait for their family or person.", "count"),
            ],
            grain="feed x batch", order=["feed", "batch_id"],
        ),
    ]  # fmt: skip


def _decision() -> list[Contract]:
    counts = [
        _c(name, pl.Int64, name.replace("_", " ").capitalize(), description, "families", nullable=True)
        for name, description in {
            "registered": "Families registered.", "evaluated": "Families evaluated.",
            "eligible": "Families that pass every rule: recipients and waiting.",
            "recipients": "Families inside the quota.",
            "waiting": "Eligible families in the queue.", "ineligible": "Families a rule excludes.",
            "not_scorable": "Families with too little data.", "held": "Newcomers with an open identity case.",
        }.items()
    ]  # fmt: skip
    seat_columns = [
        _PROGRAMME,
        _c("weight", pl.Int64, "Weight", "Poor persons of the area (BPS).", "persons", "BPS"),
        _c("exact_share", pl.Decimal(38, 6), "Exact share", "Places before rounding to whole ones.", "places"),
        _c("remainder", pl.Decimal(38, 6), "Remainder", "Fraction of a place left after the whole ones.", "places"),
        _c("has_remainder_seat", pl.Boolean, "Remainder place", "Whether the fraction won a place.", "yes/no"),
        _c("seats", pl.Int64, "Places", "Places of the area.", "families"),
        _c("cap", pl.Int64, "Cap", "Places that can be filled at most.", "families", nullable=True),
        _c("seats_before", pl.Int64, "Places before", "Places in the previous quarter.", "families", nullable=True),
        _c("change", pl.Int64, "Change", "Places more or fewer than before.", "families", nullable=True),
    ]
    decided = [_FAMILY, _PROGRAMME]
    return [
        contract(
            "decision/scores", "Scores", "Score of every family with the points of each answer; parts add up exactly.",
            [
                _FAMILY, _REGENCY,
                _c("scorable", pl.Boolean, "Scorable", "Whether every needed answer is there and valid.", "yes/no"),
                _c("score_micro", pl.Int64, "Score", "Predicted log welfare in millionths; lower is poorer.",
                   "micro-units", nullable=True),
                _c("problems", pl.List(pl.String), "Problems", "Answers that are missing or invalid.", "code list"),
            ],
            grain="family", order=["regency_code", "family_id"], access=RESTRICTED, open_prefix="points_",
        ),
        contract(
            "decision/cut_points", "Decile cut points",
            "Highest score of each decile, from the weighted consumption survey.",
            [
                _c("frame", pl.String, "Frame", "Area the deciles cut: 'all' or a region code.", "code"),
                _c("decile", pl.Int32, "Decile", "1 is poorest.", "decile", checks=[pa.Check.in_range(1, 9)]),
                _c("highest_score_micro", pl.Int64, "Highest score", "Highest score inside the decile.", "micro-units"),
            ],
            grain="frame x decile", order=["frame", "decile"],
        ),
        contract(
            "decision/seats", "Places", "Places per area and programme with the arithmetic that gives them.",
            [
                _c("regency_code", pl.String, "Area", "Kemendagri code of the regency, or the declared area.", "code"),
                _c("regency_code_bps", pl.String, "BPS code", "BPS code of the regency.", "code", "BPS", nullable=True),
                *seat_columns,
            ],
            grain="area x programme", order=["programme", "regency_code"], access=PUBLIC,
        ),
        contract(
            "decision/filters", "Filters", "Outcome of every rule for every family, whether or not another one failed.",
            [
                _FAMILY, _REGENCY,
                _c("filter", pl.String, "Rule", "Code of the rule.", "code", "policy"),
                _c("outcome", pl.String, "Outcome", "pass, fail or unknown.", "word", checks=_in(Outcome)),
                _c("observed", pl.Int64, "Observed", "What the record holds.", "of the fact", "registry",
                   nullable=True),
                _c("threshold", pl.Int64, "Threshold", "What the rule compares with.", "of the fact", "policy",
                   nullable=True),
                _c("source", pl.String, "Source", "Who states the fact.", "word", "registry", nullable=True),
                _c("source_date", pl.Date, "Source date", "As of when.", "date", "registry", nullable=True),
            ],
            grain="family x rule", order=["regency_code", "family_id", "filter"], access=RESTRICTED,
        ),
        contract(
            "decision/eligibility", "Eligibility",
            "Which programme's rules each family meets, before places are given.",
            [
                *decided, _REGENCY, _DISTRICT, _VILLAGE,
                _c("family_card_number", pl.String, "Family card number", "Card in force.", "identifier",
                   "registration"),
                _c("head_name", pl.String, "Name of the head", "Full name of the head.", "text", "registration"),
                _c("registered_date", pl.Date, "Registered", "First day of registration.", "date", "registration"),
                _c("is_verified", pl.Boolean, "Verified", "IKD verified or face match passed.", "yes/no"),
                _c("case_id", pl.String, "Open case", "Case that concerns the family.", "id", nullable=True),
                _c("score_micro", pl.Int64, "Score", "Lower is poorer.", "micro-units", nullable=True),
                _c("decile", pl.Int32, "Decile", "Welfare decile, 1 is poorest.", "decile", nullable=True),
                *[
                    _c(name, pl.Int64, name.replace("_", " ").capitalize(), "Breaks ties of score.", "persons")
                    for name in ("severe_disability_count", "elderly_alone", "pregnant_or_under_five_count",
                                 "dependant_count")
                ],
                _c("status", pl.String, "Status", "eligible, ineligible, not_scorable or held.", "word"),
                _c("reasons", pl.List(pl.String), "Reasons", "Codes of every rule that stands against the family.",
                   "code list"),
                _c("components", pl.List(pl.String), "Components", "Components it would be paid for.", "code list"),
                _c("amount_due_rupiah", pl.Int64, "Amount due", "Due this quarter if it becomes a recipient.",
                   "rupiah"),
                _c("input_hash", pl.String, "Inputs", "Content hash of the facts the family is decided on.", "sha256"),
            ],
            grain="family x programme", order=["regency_code", "family_id", "programme"], access=RESTRICTED,
        ),
        contract(
            "decision/decisions", "Decisions",
            "What was decided for every evaluated family in every programme, and on what.",
            [
                *decided, _REFERENCE, _QUARTER, _MASKED, _PROVINCE, _REGENCY, _DISTRICT, _VILLAGE, _STATUS,
                _c("reasons", pl.List(pl.String), "Reasons", "Codes of every rule that stands against the family.",
                   "code list"),
                _c("score_micro", pl.Int64, "Score", "Lower is poorer.", "micro-units", nullable=True),
                _c("decile", pl.Int32, "Decile", "Welfare decile, 1 is poorest.", "decile", nullable=True),
                _c("rank", pl.Int64, "Rank", "Place in the order of the eligible, from 1.", "rank", nullable=True),
                _c("queue_position", pl.Int64, "Queue position", "Place in the queue, from 1.", "rank", nullable=True),
                _c("seats", pl.Int64, "Places", "Places of the area in the programme.", "families"),
                _c("cutoff_distance_micro", pl.Int64, "Distance", "Score minus the score of the last recipient.",
                   "micro-units", nullable=True),
                _c("tie_break", pl.String, "Tie-break", "First criterion that told it from its richer neighbour.",
                   "word", nullable=True),
                _c("amount_rupiah", pl.Int64, "Amount", "Due this quarter if a recipient, else 0.", "rupiah"),
                *_HASHES,
            ],
            grain="family x programme", order=["regency_code", "family_id", "programme"], access=RESTRICTED,
        ),
        contract(
            "decision/payments", "Payments due", "Amount of every recipient with its components.",
            [
                *decided, _REFERENCE, _QUARTER, _REGENCY,
                _c("amount_rupiah", pl.Int64, "Amount", "Due this quarter.", "rupiah"),
                _c("components", pl.List(pl.String), "Components", "Paid components, one per paid person.",
                   "code list"),
                _c("stage", pl.Int32, "Stage", "Disbursement stage (tahap), 1 to 4.", "stage"),
            ],
            grain="recipient family x programme", order=["regency_code", "family_id", "programme"], access=RESTRICTED,
        ),
        contract(
            "decision/transitions", "Transitions", "Where every family stood and stands, with the one cause.",
            [
                *decided, _REGENCY,
                _c("from_regency_code", pl.String, "Regency before", "Where it stood before, if anywhere.", "code",
                   nullable=True),
                _c("from_status", pl.String, "From", "Status before, or new.", "word", checks=_in(Status, PriorStatus)),
                _c("to_status", pl.String, "To", "Status now, or gone.", "word", checks=_in(Status, PriorStatus)),
                _c("cause", pl.String, "Cause", "Factor at which the status was reached for good.", "word",
                   nullable=True, checks=_in(Cause)),
            ],
            grain="family x programme in either quarter", order=["regency_code", "family_id", "programme"],
            access=RESTRICTED,
        ),
        contract(
            "publication/recipients", "Recipients", "The public list of recipients.",
            [_QUARTER, _PROGRAMME, _REFERENCE, _MASKED, _PROVINCE, _REGENCY, _DISTRICT, _VILLAGE],
            grain="recipient family x programme", order=["programme", "village_code", "reference"], access=PUBLIC,
        ),
        contract(
            "publication/waiting_list", "Waiting list", "The public queue: who is next, per regency and programme.",
            [
                _QUARTER, _PROGRAMME, _REFERENCE, _MASKED, _PROVINCE, _REGENCY, _DISTRICT, _VILLAGE,
                _c("queue_position", pl.Int64, "Queue position", "Place in the queue, from 1.", "rank"),
                _c("places_opened", pl.Int64, "Places opened",
                   "Families that left since last quarter, in the same queue.", "families"),
            ],
            grain="waiting family x programme", order=["programme", "regency_code", "queue_position", "reference"],
            access=PUBLIC,
        ),
        contract(
            "publication/region_summary", "Summary by region",
            "Counts per region and programme; small cells are suppressed.",
            [
                _QUARTER,
                _c("level", pl.String, "Level", "regency, district or village.", "word"),
                _c("region_code", pl.String, "Region", "Kemendagri code.", "code"), _PROGRAMME, *counts,
            ],
            grain="region x programme", order=["level", "region_code", "programme"], access=PUBLIC,
        ),
    ]  # fmt: skip


def tables(questionnaire: Questionnaire) -> Mapping[str, Contract]:
    """Every contract by key, with the answers of the given questionnaire."""
    contracts = [*feeds(questionnaire).values(), *_registry(questionnaire), *_decision()]
    return MappingProxyType({one.key: one for one in contracts})


TABLES = tables(default_questionnaire())
"""Every table, with the questionnaire that ships."""
