"""Contracts of the registry room's tables: families, persons, who said what, what is doubtful, who is missing.

Which rows they hold is the room's business.
"""

import pandera.polars as pa
import polars as pl

from schemas.contract import Contract, contract
from schemas.feeds import PERSON_FACTS, answer_columns
from schemas.questionnaire import Questionnaire
from schemas.table_columns import DISTRICT, FAMILY, PERSON, REGENCY, RESTRICTED, VILLAGE, col, fact, one_of
from schemas.vocabularies import (
    Author,
    CaseKind,
    Channel,
    ClerkRole,
    Doubt,
    FaceMatch,
    FamilyEvent,
    Feed,
    Implausible,
    KnownTo,
    LinkBasis,
    LinkOutcome,
    OfficeReason,
    PersonEvent,
    Proposer,
    Ruling,
    Sex,
    Shock,
    Source,
    Standing,
    Subject,
)

FAMILY_FACTS = (
    "living_member_count",
    "has_civil_servant",
    "has_soldier_or_police",
    "has_pensioner",
    "wage_rupiah_month",
    "electricity_va",
    "has_certified_teacher",
    "has_state_income",
    "has_company_owner",
    "has_health_worker",
    "has_village_official",
    "other_aid_finding",
    "car_count",
    "land_area_m2",
    "has_first_class_insurance",
    "income_rupiah_year",
    "gambling_rupiah",
    "has_abnormal_transactions",
    "is_identity_confirmed",
    "declared_contradiction_count",
    "has_consent",
    "address_finding",
    "absence_finding",
    "refusal_finding",
)
"""Facts of a family that filters read: whole numbers, 0 or 1 for yes and no, null for unknown."""


_BUCKET = col("nik_bucket", pl.Int16, "Bucket", "Bucket of the number, the shard of identity.", "code")
_IDENTITY = col(
    "identity_id", pl.String, "Identity",
    "Keyed pseudonym of a number as stated or, without one, of family, name and birth date.", "id",
)  # fmt: skip
_FACTS_HASH = col("facts_hash", pl.String, "Facts", "Content hash of what both sides are compared by.", "sha256")
_WEIGHT = (
    col("weight_micro", pl.Int64, "Match weight", "Sum of the weights of all comparisons and the prior.",
        "millionths of a bit", nullable=True),
    col("probability", pl.Float64, "Probability", "That both are one person, six decimals.", "share", nullable=True),
)  # fmt: skip
_IS_CONFIRMED = col(
    "is_number_confirmed", pl.Boolean, "Number confirmed",
    "Whether Dukcapil, its register, DTSEN or BPS confirms that the number is this person's.", "yes/no",
)  # fmt: skip
_PERIOD = (
    col("valid_from", pl.Date, "From", "First day.", "date"),
    col("valid_to", pl.Date, "To", "Last day; null while it lasts.", "date", nullable=True),
)


def _case(*, nullable: bool = False) -> pa.Column:
    return col("case_id", pl.String, "Case", "Identifier of the case.", "id", nullable=nullable)


def _comparison(name: str, title: str) -> list[pa.Column]:
    weight = col(
        f"weight_micro_{name}", pl.Int64, f"Weight of {title}", "Its part of the match weight.",
        "millionths of a bit", nullable=True,
    )  # fmt: skip
    level = col(
        f"level_{name}", pl.Int64, f"Level of {title}",
        "How far both agree: -1 one says nothing, 0 they differ, more they agree better.", "level",
        nullable=True,
    )  # fmt: skip
    return [weight] if name == "prior" else [weight, level]


def _stated_person() -> list[pa.Column]:
    """A person as stated, whoever states him."""
    return [
        col("nik", pl.String, "NIK", "Person's number; null where none is known.", "identifier", "registration",
            nullable=True),
        col("name", pl.String, "Name", "Full name.", "text", "registration"),
        col("birth_date", pl.Date, "Birth date", "Date of birth; null where the one stated cannot be.", "date",
            "registration", nullable=True),
        col("sex", pl.String, "Sex", "male or female.", "word", "registration", checks=one_of(Sex)),
        *[
            col(name, pl.Int32, title, f"As in the feed members: {title.lower()}.", "code", "registration",
                nullable=name == "school_level")
            for name, title in {
                "relation": "Relation", "marital_status": "Marital status", "school_participation": "School",
                "school_level": "School level", "education": "Certificate", "work_position": "Work position",
                "disability": "Disability",
            }.items()
        ],
        col("is_pregnant", pl.Boolean, "Pregnant", "Pregnant or postpartum.", "yes/no", "registration"),
        col("stated_date", pl.Date, "Stated", "Day the person's facts were stated.", "date", "registration"),
    ]  # fmt: skip


def registry_tables(questionnaire: Questionnaire) -> list[Contract]:
    """Every contract of the room, with the answers of the given questionnaire."""
    return [*_families(questionnaire), *_standing(), *_persons(), *_doubts(), *_through_time(), *_for_the_field()]


def _families(questionnaire: Questionnaire) -> list[Contract]:
    answers = answer_columns(questionnaire, rolled_up=True, bounds_counts=False)
    attributes = [str(one.name) for one in answers if one.name in questionnaire.answers]
    attributes += ["visit_result", "building_number"]
    family_facts = [
        fact("living_member_count", "Living members", "Members not known to have died.", "persons"),
        fact("has_civil_servant", "Civil servant", "A member is a civil servant (ASN)."),
        fact("has_soldier_or_police", "Soldier or police", "A member serves in TNI or Polri."),
        fact("has_pensioner", "State pensioner", "A member draws a state pension."),
        fact("wage_rupiah_month", "Wage", "Highest wage recorded for a member.", "rupiah per month"),
        fact("electricity_va", "Electricity", "Largest connection in a member's name.", "VA"),
        fact("has_certified_teacher", "Certified teacher", "A member is a certified teacher."),
        fact("has_state_income", "State income", "A member draws a regular income from a state or regional budget."),
        fact("has_company_owner", "Company", "A member owns a company or is an officer of one."),
        fact("has_health_worker", "Health worker", "A member is a registered health worker."),
        fact("has_village_official", "Village official", "A member is an active village official."),
        fact(
            "other_aid_finding",
            "Other aid",
            "Whether a member receives aid from another source: 1 the village office says so, 2 BPS.",
            "finding of a visit",
        ),
        fact("car_count", "Cars", "Most cars in the name of one member.", "cars"),
        fact("land_area_m2", "Land", "Largest registered land of one member.", "m2"),
        fact("has_first_class_insurance", "First class", "A member is insured in the first class of BPJS Kesehatan."),
        fact(
            "income_rupiah_year",
            "Taxed income",
            "Highest income of a member known to the tax office.",
            "rupiah per year",
        ),
        fact(
            "gambling_rupiah", "Online gambling", "Highest sum of online gambling transactions of a member.", "rupiah"
        ),
        fact(
            "has_abnormal_transactions", "Abnormal transactions", "An account of a member shows abnormal transactions."
        ),
        fact(
            "is_identity_confirmed",
            "Identity confirmed",
            "The number of every living adult is confirmed, or BPS met the family; else unknown.",
        ),
        fact(
            "declared_contradiction_count",
            "Contradictions",
            "Kinds of work or property that the family states and the agencies asked did not find.",
            "contradictions",
        ),
        fact("has_consent", "Consent", "The family consented to the use of its data."),
        fact(
            "address_finding",
            "No such address",
            "Whether the last visit found no such address: 1 an agent says so, 2 BPS.",
            "finding of a visit",
        ),
        fact(
            "absence_finding",
            "Nobody met",
            "Whether the last visit met nobody: 1 an agent says so, 2 BPS.",
            "finding of a visit",
        ),
        fact(
            "refusal_finding",
            "Refusal",
            "Whether the last visit was refused: 1 an agent says so, 2 BPS.",
            "finding of a visit",
        ),
    ]
    provenance = [
        part
        for name in [*attributes, *FAMILY_FACTS]
        for part in (
            col(f"{name}_source", pl.String, f"Source of {name}", "Who says so.", "word", "registry", nullable=True),
            col(f"{name}_date", pl.Date, f"Date of {name}", "As of when.", "date", "registry", nullable=True),
        )
    ]
    return [
        contract(
            "registry/families", "Families",
            "One record per family: where it lives, how it came, its answers and facts.",
            [
                FAMILY,
                col("family_card_number", pl.String, "Family card number", "Card in force.", "identifier",
                   "registration"),
                REGENCY, DISTRICT, VILLAGE,
                col("head_person_id", pl.String, "Head", "Head of the family, or who took over.", "id"),
                col("head_name", pl.String, "Name of the head", "Full name of the head.", "text", "registration"),
                col("registered_date", pl.Date, "Registered", "First day of registration.", "date", "registration"),
                col("channel", pl.String, "Channel", "How the registration came in.", "word", "registration",
                   checks=one_of(Channel)),
                col("proposer", pl.String, "Proposer", "Who proposed it.", "word", "registration",
                    checks=one_of(Proposer)),
                col("agent_id", pl.String, "Agent", "Agent of the registration.", "id", "registration", nullable=True),
                col("is_ikd_verified", pl.Boolean, "IKD verified", "Digital identity confirmed.", "yes/no",
                   "registration"),
                col("face_match", pl.String, "Face match", "Result of the face check.", "word", "registration",
                   checks=one_of(FaceMatch)),
                col("is_verified", pl.Boolean, "Verified",
                    "IKD, face or a check in person confirmed the head: a case cannot hold it.", "yes/no"),
                col("verified_by", pl.String, "Verified by", "What confirmed it: ikd, face or in_person.", "word",
                    "registration", nullable=True),
                col("registration_date", pl.Date, "In force", "Day of the registration that stands.", "date",
                    "registration"),
                col("dwelling_id", pl.String, "Dwelling", "Keyed pseudonym of the roof; families may share it.",
                    "id", nullable=True),
                col("split_from_family_id", pl.String, "Split from", "Family its persons left for it.", "id",
                    nullable=True),
                col("split_date", pl.Date, "Split", "Day of the registration of the split; monitored.", "date",
                    nullable=True),
                col("case_id", pl.String, "Open case", "Case that concerns the family.", "id", nullable=True),
                *[
                    col(f"official_decile_{frame}", pl.Int32, f"Official decile, {frame}",
                        "Decile of DTSEN, 1 is poorest; null where it lists none of the family's cards.", "decile",
                        "DTSEN", nullable=True)
                    for frame in ("national", "province", "regency")
                ],
                *answers,
                *family_facts,
            ],
            grain="family", order=["regency_code", "family_id"], access=RESTRICTED,
        ),
        contract(
            "registry/provenance", "Provenance", "Who said each attribute and fact of a family, and when.",
            [
                FAMILY, REGENCY,
                col("visit_result", pl.Int32, "Visit result", "What the last visit found (Regsosek 205).", "code",
                    "registry", nullable=True),
                col("building_number", pl.Int32, "Building", "Dwelling within its village.", "number", "registry",
                    nullable=True),
                *provenance,
            ],
            grain="family", order=["regency_code", "family_id"], access=RESTRICTED,
        ),
        contract(
            "registry/shocks", "Shocks",
            "What struck a family and when, the last of each kind; for visits and referrals, never for a decision.",
            [
                FAMILY, REGENCY,
                col("shock", pl.String, "Shock", "What struck the family.", "word", checks=one_of(Shock)),
                col("shock_date", pl.Date, "Day", "Day it struck, or of the register's statement of a death.", "date",
                    "registry", nullable=True),
                col("source", pl.String, "Source", "Who says so.", "word"),
                col("stated_date", pl.Date, "Stated", "Day of the statement.", "date", nullable=True),
            ],
            grain="family x shock", order=["regency_code", "family_id", "shock"], access=RESTRICTED,
        ),
        contract(
            "registry/conflicts", "Conflicts", "Answers of which another source says otherwise.",
            [
                FAMILY, REGENCY,
                col("attribute", pl.String, "Attribute", "Answer in question.", "word"),
                col("value", pl.Float64, "Value", "What is believed.", "of the answer"),
                col("source", pl.String, "Source", "Who says so.", "word"),
                col("date", pl.Date, "Date", "As of when.", "date"),
                col("other_value", pl.Float64, "Other value", "What the next source says.", "of the answer"),
                col("other_source", pl.String, "Other source", "Who says that.", "word"),
                col("other_date", pl.Date, "Other date", "As of when.", "date"),
            ],
            grain="family x attribute", order=["regency_code", "family_id", "attribute"], access=RESTRICTED,
        ),
    ]  # fmt: skip


def _standing() -> list[Contract]:
    author = col("author", pl.String, "Author", "Who speaks, by kind.", "word", checks=one_of(Author))
    agent = col(
        "agent_id",
        pl.String,
        "Agent",
        "Agent or operator who delivered it or saw the document.",
        "id",
        "agents",
        nullable=True,
    )
    row = [
        col("feed", pl.String, "Feed", "Feed of the row.", "word", checks=one_of(Feed)),
        col("batch_id", pl.String, "Batch", "Batch of the row.", "id", "intake"),
        col("row_number", pl.Int64, "Row", "Row of the file.", "count", "intake"),
    ]
    return [
        contract(
            "registry/pending", "Pending statements",
            "Statements that do not count yet: they wait for BPS, or for the quarter after their notice.",
            [
                col("statement_id", pl.String, "Statement", "Keyed pseudonym of what is said, by whom.", "id"),
                FAMILY, REGENCY,
                col("family_card_number", pl.String, "Family card number", "As stated.", "identifier"),
                *row,
                col("subject", pl.String, "Subject", "What it concerns.", "word", checks=one_of(Subject)),
                author, agent,
                col("standing", pl.String, "Standing", "pending, or after_notice.", "word", checks=one_of(Standing)),
                col("stated_date", pl.Date, "Stated", "Day of the statement.", "date"),
                col("since", pl.String, "Since", "Quarter in which it was first set aside, as 2026Q1.", "quarter"),
                col("counts_from", pl.String, "Counts from",
                    "Quarter from which it counts; empty until BPS or the head confirms it, or its turn comes.",
                    "quarter", nullable=True),
                col("contradicts", pl.Boolean, "Contradicts", "Whether it says otherwise than what is believed.",
                    "yes/no"),
                col("is_listed", pl.Boolean, "Listed", "Whether it sends BPS to the family.", "yes/no"),
                col("content", pl.String, "Content", "The whole row as JSON.", "JSON"),
            ],
            grain="statement", order=["regency_code", "statement_id"], access=RESTRICTED,
        ),
        contract(
            "registry/refused", "Refused statements",
            "Facts that agents or offices state of families outside their area: they do not count.",
            [*row, author, agent],
            grain="statement", order=["feed", "batch_id", "row_number"], access=RESTRICTED,
        ),
        contract(
            "registry/doubts", "Doubts", "What in the registry BPS is to settle by a visit, by family and reason.",
            [
                FAMILY, REGENCY,
                col("reason", pl.String, "Reason", "What is to be settled.", "word", checks=one_of(Doubt)),
                col("author", pl.String, "Author", "Whose words brought it, by kind.", "word", nullable=True,
                    checks=one_of(Author)),
                col("asked_on", pl.Date, "Asked on", "Day on which the family asked for a human review.", "day",
                    nullable=True),
                col("answered_on", pl.Date, "Answered on", "Day of the completed visit of BPS that answers it.", "day",
                    nullable=True),
            ],
            grain="family x reason", order=["regency_code", "family_id", "reason"], access=RESTRICTED,
        ),
        contract(
            "registry/expiries", "Expiries",
            "How many families' answers expire in which quarter; those of receiving families go on and are visited.",
            [
                REGENCY,
                col("quarter", pl.String, "Quarter", "Quarter in which the first scored answer expires.", "quarter"),
                col("is_receiving", pl.Boolean, "Receives", "Whether the families receive.", "yes/no"),
                col("families", pl.Int64, "Families", "How many.", "families"),
            ],
            grain="regency x quarter", order=["regency_code", "quarter", "is_receiving"], access=RESTRICTED,
        ),
    ]  # fmt: skip


def _persons() -> list[Contract]:
    return [
        contract(
            "registry/persons", "Persons", "One record per person, in one family, with what agencies know.",
            [
                _BUCKET, PERSON, _IDENTITY, FAMILY, REGENCY, *_stated_person(),
                col("came_from_family_id", pl.String, "Came from", "Its family last quarter, if another.", "id",
                    nullable=True),
                _IS_CONFIRMED,
                *[
                    fact(name, name.replace("_", " ").capitalize(), f"What the agency states: {name}.", "of the fact")
                    for name in PERSON_FACTS
                ],
                *[
                    col(f"{name}_date", pl.Date, f"Date of {name}", "Day of the statement or of the check.", "date",
                       "evidence", nullable=True)
                    for name in PERSON_FACTS
                ],
                *[
                    col(f"{name}_by_bps", pl.Boolean, f"{name} found by BPS",
                        "Whether BPS found it on a visit; else the agency states it.", "yes/no", "evidence",
                        nullable=True)
                    for name in PERSON_FACTS
                ],
                col("recorded_on", pl.Date, "On record", "Day from which an agency could know the number from us.",
                    "date", "registry", nullable=True),
                _IS_CONFIRMED,
                col("number_confirmed_source", pl.String, "Confirmed by", "Who confirms the number as the person's.",
                    "word", "registry", nullable=True),
                col("number_confirmed_date", pl.Date, "Confirmed", "As of when.", "date", "registry", nullable=True),
            ],
            grain="person", order=["regency_code", "family_id", "person_id"], access=RESTRICTED,
        ),
        contract(
            "registry/members", "Living members",
            "What the rules read of the living members of a family, by regency; impossible values are null.",
            [
                PERSON, FAMILY, REGENCY,
                col("birth_date", pl.Date, "Birth date", "Date of birth.", "date", "registration", nullable=True),
                col("relation", pl.Int32, "Relation", "Relation to the head (Regsosek 409).", "code", "registration",
                    nullable=True),
                col("is_pregnant", pl.Boolean, "Pregnant", "Pregnant or postpartum.", "yes/no", "registration",
                    nullable=True),
                col("school_participation", pl.Int32, "School", "1 never, 2 attends, 3 no longer.", "code",
                   "registration"),
                col("school_level", pl.Int32, "School level", "Regsosek 413.", "code", "registration", nullable=True),
                col("disability", pl.Int32, "Disability", "1 cannot, 2 much difficulty, 3 some, 4 none.", "code",
                   "registration"),
                fact("is_rights_victim", "Rights victim", "Victim of gross human-rights violations."),
                _IS_CONFIRMED,
                fact("is_pregnant_recorded", "Pregnancy on record", "A health service recorded a pregnancy."),
                fact("is_disability_recorded", "Disability on record", "A severe disability is on record."),
                fact("is_enrolled_in_school", "Enrolled", "Dapodik lists the person as a pupil."),
                col("seen_by", pl.String, "Seen by",
                    "Who completed a visit of the family on or after the day the person was stated.", "word",
                    "registry", nullable=True, checks=one_of(Source)),
            ],
            grain="living person", order=["regency_code", "family_id", "person_id"], access=RESTRICTED,
        ),
        contract(
            "registry/implausible", "Implausible values",
            "Stated values that are impossible beside others and count as unknown; the persons stay.",
            [
                PERSON, FAMILY, REGENCY,
                col("check", pl.String, "Check", "What is impossible.", "word", checks=one_of(Implausible)),
                col("attribute", pl.String, "Attribute", "What counts as unknown of the person.", "word"),
            ],
            grain="person x check", order=["regency_code", "family_id", "person_id", "check"], access=RESTRICTED,
        ),
    ]  # fmt: skip


def _doubts() -> list[Contract]:
    return [
        contract(
            "registry/claims", "Claims",
            "Who is stated to belong to which family, as last stated; what an identity is before any is linked.",
            [
                _BUCKET, _IDENTITY, FAMILY, *_stated_person(),
                col("shared_nik", pl.String, "Shared NIK", "Number under which the family states another person too.",
                    "identifier", "registration", nullable=True),
                col("first_stated_date", pl.Date, "First stated", "Day it was first stated there.", "date",
                    "registration"),
                col("is_restated", pl.Boolean, "Stated anew", "Whether it was stated this quarter.", "yes/no"),
                col("was_here", pl.Boolean, "Was here", "Whether the person counted there last quarter.", "yes/no"),
            ],
            grain="identity x family", order=["nik_bucket", "identity_id", "family_id"], access=RESTRICTED,
        ),
        contract(
            "registry/links", "Links", "Pairs of identities taken for one person, or shown to a clerk; weights add up.",
            [
                col("id_left", pl.String, "Left", "Identity with the smaller name.", "id"),
                col("id_right", pl.String, "Right", "Identity with the greater name.", "id"),
                col("outcome", pl.String, "Outcome", "One person, or a clerk is asked.", "word",
                    checks=one_of(LinkOutcome)),
                col("basis", pl.String, "Basis", "Exact agreement, the linkage model, or a clerk's ruling.", "word",
                    checks=one_of(LinkBasis)),
                _case(nullable=True), *_WEIGHT,
                *[
                    part
                    for name, title in {
                        "prior": "the prior", "full_name": "the name", "birth_date": "the birth date",
                        "region": "the village", "national_id": "the number",
                    }.items()
                    for part in _comparison(name, title)
                ],
            ],
            grain="pair of identities", order=["id_left", "id_right"], access=RESTRICTED,
        ),
        contract(
            "registry/aliases", "Aliases", "Identities that were found to be a person known under another one.",
            [_IDENTITY, PERSON],
            grain="identity", order=["identity_id"], access=RESTRICTED,
        ),
        contract(
            "registry/cases", "Identity cases",
            "Persons claimed twice, pairs who may be one person, numbers of two: for the village office and a clerk.",
            [
                _case(), _IDENTITY, PERSON, FAMILY, REGENCY,
                col("kind", pl.String, "Kind", "What is doubtful.", "word", checks=one_of(CaseKind)),
                col("is_verified", pl.Boolean, "Verified", "Whether this side is IKD or face verified.", "yes/no"),
                col("is_kept", pl.Boolean, "Keeps the person", "Whether the person counts in this family meanwhile.",
                    "yes/no"),
                _FACTS_HASH, *_WEIGHT,
                col("was_ruled", pl.Boolean, "Ruled before", "A clerk ruled on it before its facts changed.", "yes/no"),
            ],
            grain="case x identity x family", order=["case_id", "identity_id", "family_id"], access=RESTRICTED,
        ),
        contract(
            "registry/adjudications", "Adjudications", "The last ruling of a clerk on each case, kept across quarters.",
            [
                _case(),
                col("ruling", pl.String, "Ruling", "Same person, or different ones.", "word", "adjudications",
                    checks=one_of(Ruling)),
                col("family_id", pl.String, "Family", "In which the person counts, if the clerk said so.", "id",
                    "adjudications", nullable=True),
                col("role", pl.String, "Role", "As what.", "word", "adjudications", checks=one_of(ClerkRole)),
                col("decided_by", pl.String, "Decided by", "Who decided.", "text", "adjudications"),
                col("reason", pl.String, "Reason", "Why.", "text", "adjudications"),
                col("decided_date", pl.Date, "Decided", "Day of the ruling.", "date", "adjudications"),
                col("facts_hash", pl.String, "Facts", "Content hash of the facts ruled on; null: whatever they are.",
                    "sha256", "adjudications", nullable=True),
            ],
            grain="case", order=["case_id"], access=RESTRICTED,
        ),
    ]  # fmt: skip


def _through_time() -> list[Contract]:
    return [
        contract(
            "registry/family_periods", "Families through time",
            "Under which card, where and with which head a family stood, and from when to when.",
            [
                FAMILY, *_PERIOD,
                col("family_card_number", pl.String, "Family card number", "Card of the period.", "identifier"),
                VILLAGE,
                col("head_person_id", pl.String, "Head", "Head of the period.", "id"),
                col("began_by", pl.String, "Began by", "What began the period.", "word", checks=one_of(FamilyEvent)),
                col("ended_by", pl.String, "Ended by", "What ended it.", "word", nullable=True,
                    checks=one_of(FamilyEvent)),
            ],
            grain="family x period", order=["family_id", "valid_from", "family_card_number"], access=RESTRICTED,
        ),
        contract(
            "registry/person_periods", "Persons through time", "In which family a person counted, from when to when.",
            [
                PERSON, FAMILY, *_PERIOD,
                col("began_by", pl.String, "Began by", "What began the period.", "word", checks=one_of(PersonEvent)),
                col("ended_by", pl.String, "Ended by", "What ended it.", "word", nullable=True,
                    checks=one_of(PersonEvent)),
            ],
            grain="person x period", order=["person_id", "valid_from", "family_id"], access=RESTRICTED,
        ),
    ]  # fmt: skip


def _for_the_field() -> list[Contract]:
    return [
        contract(
            "registry/village_office", "Checks in person",
            "Families whose identity an agent or the village office is to see to; none of them is excluded for it.",
            [
                FAMILY, REGENCY, VILLAGE,
                col("agent_id", pl.String, "Agent", "Agent of the village who is to see the document.", "id", "agents",
                    nullable=True),
                col("reason", pl.String, "Reason", "Why it is sent there.", "word", checks=one_of(OfficeReason)),
                col("priority", pl.Int64, "Priority", "Whom to see first in the village, from 1: the oldest heads.",
                    "rank"),
            ],
            grain="family x reason", order=["regency_code", "family_id", "reason"], access=RESTRICTED,
        ),
        contract(
            "registry/outreach", "Outreach",
            "Families DTSEN or Dukcapil knows that are not registered, the frail first.",
            [
                col("family_card_number", pl.String, "Family card number", "As who knows it has it.", "identifier",
                    "DTSEN, Dukcapil"),
                col("known_to", pl.String, "Known to", "Who knows it: DTSEN or, if that does not, Dukcapil.", "word",
                    checks=one_of(KnownTo)),
                REGENCY, DISTRICT, VILLAGE,
                col("agent_id", pl.String, "Agent", "Agent who serves the village and is to call.", "id", "agents",
                    nullable=True),
                col("priority", pl.Int64, "Priority", "Whom to see first in the village, from 1.", "rank"),
                col("elderly_count", pl.Int64, "Elderly", "Members of sixty or older.", "persons", "DTSEN, Dukcapil"),
                col("disabled_count", pl.Int64, "Disabled",
                    "Members with a severe difficulty (DTSEN) or a disability (Dukcapil).", "persons",
                    "DTSEN, Dukcapil"),
                col("member_count", pl.Int64, "Members", "Members known.", "persons", "DTSEN, Dukcapil"),
                col("decile_national", pl.Int32, "Decile", "Official decile in the nation.", "decile", "BPS, DTSEN",
                    nullable=True),
                col("head_name", pl.String, "Name of the head", "As who knows it has it.", "text", "DTSEN, Dukcapil",
                    nullable=True),
                col("address", pl.String, "Address", "As who knows it has it.", "text", "DTSEN, Dukcapil",
                    nullable=True),
            ],
            grain="unregistered family", order=["regency_code", "village_code", "priority"], access=RESTRICTED,
        ),
        contract(
            "registry/coverage", "Coverage", "Families DTSEN or Dukcapil knows, by village: how many are registered.",
            [
                REGENCY, DISTRICT, VILLAGE,
                col("agents", pl.Int64, "Agents", "Agents who serve the village.", "agents"),
                col("known", pl.Int64, "Known", "Families DTSEN or Dukcapil knows there.", "families"),
                col("registered", pl.Int64, "Registered", "Of these, registered.", "families"),
                col("missing", pl.Int64, "Missing", "Of these, not registered.", "families"),
                col("missing_elderly", pl.Int64, "Missing, elderly", "Not registered, with a member of sixty or older.",
                    "families"),
                col("missing_disabled", pl.Int64, "Missing, disabled", "Not registered, with a disabled member.",
                    "families"),
            ],
            grain="village", order=["regency_code", "village_code"], access=RESTRICTED,
        ),
        contract(
            "registry/parked", "Parked rows", "Accepted rows whose family or person is not registered yet.",
            [
                col("feed", pl.String, "Feed", "Feed of the rows.", "word"),
                col("batch_id", pl.String, "Batch", "Batch of the rows.", "id", "intake"),
                col("rows", pl.Int64, "Rows", "Rows that wait for their family or person.", "count"),
            ],
            grain="feed x batch", order=["feed", "batch_id"],
        ),
    ]  # fmt: skip
