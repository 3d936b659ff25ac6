"""Closed vocabularies: every word a coded column may hold, once. Their sentences are in messages.yaml."""

from enum import StrEnum


class Programme(StrEnum):
    """Assistance programmes decided here."""

    PKH = "PKH"
    BPNT = "BPNT"


class Status(StrEnum):
    """What was decided for a family in a programme."""

    RECIPIENT = "recipient"
    WAITING = "waiting"
    INELIGIBLE = "ineligible"
    NOT_SCORABLE = "not_scorable"
    HELD = "held"


class PriorStatus(StrEnum):
    """Where a family stood before: any :class:`Status`, or not yet there; `gone` is where it stands no more."""

    NEW = "new"
    GONE = "gone"


class Outcome(StrEnum):
    """Result of one filter for one family; where a filter only sends to the field, `ground_check` stands for `fail`."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    GROUND_CHECK = "ground_check"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why a family's status moved: the factor without which it would have kept its status.

    `registrations`: it is new or gone. `earlier_receipt`: it receives no longer, so that it is judged as a newcomer.
    `competitors` stands in revisions of before newcomers and others' data were told apart, and is given no more.
    """

    OWN_DATA = "own_data"
    BPS_CORRECTION = "bps_correction"
    EVIDENCE = "evidence"
    EARLIER_RECEIPT = "earlier_receipt"
    REGISTRATIONS = "registrations"
    MODEL = "model"
    POLICY = "policy"
    SEATS = "seats"
    NEWCOMERS = "newcomers"
    OTHERS_DATA = "others_data"
    LOTTERY = "lottery"
    FIRST_ASSESSMENT = "first_assessment"
    COMPETITORS = "competitors"


MOVED = "moved"
"""Word for a move between lists that is one between regencies: the family receives as before."""


class Move(StrEnum):
    """How a family came onto the list of recipients or off it."""

    ENTERS = "enters"
    PROMOTED = "promoted"
    LEAVES = "leaves"
    DISPLACED = "displaced"


class Channel(StrEnum):
    """How a registration reached the registry."""

    PORTAL = "portal"
    AGENT = "agent"
    VILLAGE_OFFICE = "village_office"
    RECIPIENT_LIST = "recipient_list"


class Proposer(StrEnum):
    """Who proposed the family."""

    SELF = "self"
    NEIGHBOUR = "neighbour"
    AGENT = "agent"
    MINISTRY = "ministry"


class FaceMatch(StrEnum):
    """Result of the face check at registration."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_AVAILABLE = "not_available"


class AgentKind(StrEnum):
    """The four kinds of field agents."""

    PKH_COMPANION = "pkh_companion"
    TKSK = "tksk"
    DASA_WISMA = "dasa_wisma"
    VILLAGE_OPERATOR = "village_operator"


class SenderKind(StrEnum):
    """As what a registered sender delivers: it decides whose words its rows are."""

    PORTAL = "portal"
    AGENTS_APPLICATION = "agents_application"
    VILLAGE_OFFICES = "village_offices"
    AGENCY = "agency"
    BPS = "bps"
    MINISTRY = "ministry"


class Author(StrEnum):
    """Who states something about a family, as its delivery's registered sender makes it known."""

    THIRD_PARTY = "third_party"
    UNVERIFIED_SELF = "unverified_self"
    HEAD_IN_PERSON = "head_in_person"
    VERIFIED_MEMBER = "verified_member"
    VERIFIED_HEAD = "verified_head"
    AGENT = "agent"
    AGENT_ELSEWHERE = "agent_elsewhere"
    OFFICE = "office"
    OFFICE_ELSEWHERE = "office_elsewhere"
    AGENCY = "fact_agency"
    BPS = "bps"


class Subject(StrEnum):
    """What a statement concerns."""

    FAMILY = "family"
    ANSWERS = "answers"
    MEMBERS = "members"
    CONSENT = "consent"
    VISIT_RESULT = "visit_result"
    IDENTITY = "identity"
    EVIDENCE = "evidence"


class FamilyStanding(StrEnum):
    """What a family has to lose: it is new to the registry, known there, waits or is verified, or receives."""

    NEW = "new"
    KNOWN = "known"
    PROTECTED = "protected"
    RECEIVING = "receiving"


class Standing(StrEnum):
    """What a statement does: it counts, counts one quarter after notice, waits for a confirmation, or is refused."""

    COUNTS = "counts"
    AFTER_NOTICE = "after_notice"
    PENDING = "pending"
    REFUSED = "refused"


class Support(StrEnum):
    """What supports the statement that a person fits a component, beside the statement itself."""

    BIRTH_RECORD = "birth_record"
    HEALTH_RECORD = "health_record"
    DISABILITY_RECORD = "disability_record"
    SCHOOL_ENROLMENT = "school_enrolment"
    AGENT_SURVEY = "agent_survey"
    BPS_VISIT = "bps_visit"


class Implausible(StrEnum):
    """Why a stated value of a person counts as unknown: what it is stated with makes it impossible."""

    PREGNANCY = "implausible_pregnancy"
    SCHOOL_LEVEL = "implausible_school_level"
    BIRTHS = "implausible_births"
    KINSHIP = "implausible_kinship"
    BIRTH_DATE = "implausible_birth_date"


class GoesTo(StrEnum):
    """To whom a case of the worklist goes."""

    BPS = "bps"
    SUPERVISOR = "supervisor"


class AgeGroup(StrEnum):
    """Age of a family's head as it is published."""

    SIXTY_AND_OLDER = "sixty_and_older"
    UNDER_SIXTY = "under_sixty"
    UNKNOWN = "unknown"


class IdentityDocument(StrEnum):
    """Document seen when a person's identity was checked in person."""

    IDENTITY_CARD = "identity_card"
    FAMILY_CARD = "family_card"
    OTHER = "other"


class RequestKind(StrEnum):
    """What a family asks for: a human review of its decision, or a check of its identity in person."""

    REVIEW = "review"
    CHECK_IN_PERSON = "check_in_person"


class Source(StrEnum):
    """Who says a registry attribute has its value, weakest first."""

    THIRD_PARTY = "third_party"
    SELF_REPORT = "self_report"
    AGENT_SURVEY = "agent_survey"
    BPS_VALIDATION = "bps_validation"


class Agency(StrEnum):
    """Agencies that answer questions about persons."""

    DUKCAPIL = "dukcapil"
    BKN = "bkn"
    TNI_POLRI = "tni_polri"
    TASPEN = "taspen"
    BPJS_KETENAGAKERJAAN = "bpjs_ketenagakerjaan"
    PLN = "pln"
    KOMNAS_HAM = "komnas_ham"
    BPJS_KESEHATAN = "bpjs_kesehatan"
    ATR_BPN = "atr_bpn"
    KORLANTAS = "korlantas"
    BANKS = "banks"
    PPATK = "ppatk"
    DAPODIK = "dapodik"
    TAX_OFFICE = "tax_office"
    VILLAGE_OFFICE = "village_office"
    HEALTH_MINISTRY = "health_ministry"
    HOME_MINISTRY = "home_ministry"
    BPS = "bps"


class Feed(StrEnum):
    """Kinds of files the landing zone takes."""

    REGISTRATIONS = "registrations"
    MEMBERS = "members"
    SURVEYS = "surveys"
    IDENTITY_CHECKS = "identity_checks"
    REQUESTS = "requests"
    AGENTS = "agents"
    AGENT_FAMILIES = "agent_families"
    EVIDENCE = "evidence"
    VALIDATIONS = "validations"
    OBJECTIONS = "objections"
    CURRENT_RECIPIENTS = "current_recipients"
    PAYMENTS = "payments"
    DTSEN_FAMILIES = "dtsen_families"
    DTSEN_PERSONS = "dtsen_persons"
    POPULATION_REGISTER = "population_register"
    CONSUMPTION_SURVEY = "consumption_survey"
    POVERTY_STATISTICS = "poverty_statistics"
    MINIMUM_WAGES = "minimum_wages"
    REGION_CODES = "region_codes"
    BOUNDARIES = "boundaries"
    ADJUDICATIONS = "adjudications"


class KnownTo(StrEnum):
    """Who knows a family that has not registered: DTSEN or, if that does not list it, Dukcapil."""

    DTSEN = "dtsen"
    DUKCAPIL = "dukcapil"


class CaseKind(StrEnum):
    """What is doubtful about a person."""

    NIK_IN_TWO_FAMILIES = "nik_in_two_families"
    NIK_OF_TWO_IN_ONE_FAMILY = "nik_of_two_in_one_family"
    LINKED_IN_TWO_FAMILIES = "linked_in_two_families"
    POSSIBLE_DUPLICATE = "possible_duplicate"


class Ruling(StrEnum):
    """What a clerk decided about the two sides of a case."""

    SAME = "same"
    DIFFERENT = "different"


class ClerkRole(StrEnum):
    """In which role a clerk decides a case of identity."""

    VILLAGE_OFFICE = "village_office"
    CIVIL_REGISTRY = "civil_registry"
    MINISTRY = "ministry"


class LinkBasis(StrEnum):
    """On what two identities are taken for one person."""

    EXACT = "exact"
    MODEL = "model"
    CLERK = "clerk"


class LinkOutcome(StrEnum):
    """What follows for a pair of identities: one person, or a clerk is asked."""

    SAME = "same"
    CLERK = "clerk"


class OfficeReason(StrEnum):
    """Why a family is sent to the village office."""

    FACE_MATCH_FAILED = "face_match_failed"
    CHECK_REQUESTED = "check_requested"
    IDENTITY_CASE = "identity_case"


class ScoreBasis(StrEnum):
    """What a family competes by: its own score or, kept without one, the last known or its official decile."""

    OWN = "own"
    LAST_KNOWN = "last_known"
    OFFICIAL_DECILE = "official_decile"


class Doubt(StrEnum):
    """What in the registry BPS is to settle by a visit."""

    NOT_REGISTERED = "not_registered"
    PENDING_STATEMENT = "pending_statement"
    SURVEY_AFTER_NOTICE = "survey_after_notice"
    BPS_ANSWER_OVERTAKEN = "bps_answer_overtaken"
    ANSWERS_EXPIRE = "answers_expire"
    CHECK_IN_PERSON_SAMPLED = "check_in_person_sampled"
    REVIEW_REQUESTED = "review_requested"


class ReviewState(StrEnum):
    """How far a human review is that a family asked for: a completed visit of BPS since that day answers it."""

    ASKED = "asked"
    UNDER_REVIEW = "under_review"
    ANSWERED = "answered"


class FamilyEvent(StrEnum):
    """What began a period of a family, or ended its last one."""

    REGISTERED = "registered"
    SPLIT = "split"
    NEW_CARD = "new_card"
    MOVED = "moved"
    NEW_HEAD = "new_head"
    DISSOLVED = "dissolved"


class PersonEvent(StrEnum):
    """What began a person's period in a family, or ended it."""

    REGISTERED = "registered"
    BORN = "born"
    JOINED = "joined"
    DIED = "died"
    LEFT = "left"


class Shock(StrEnum):
    """What strikes a family; the first four are reported by agents, the last is known from the population register."""

    ILLNESS = "illness"
    FAILED_CROP = "failed_crop"
    DISASTER = "disaster"
    LOST_WORK = "lost_work"
    BEREAVEMENT = "bereavement"


class ObjectionKind(StrEnum):
    """Whom an objection (*sanggah*) is about."""

    OWN_FAMILY = "own_family"
    OTHER_FAMILY = "other_family"


class PaymentState(StrEnum):
    """What became of a payment."""

    PAID = "paid"
    RETURNED = "returned"
    NOT_COLLECTED = "not_collected"


class WageKind(StrEnum):
    """Whose minimum wage it is: a regency's (UMK) or a province's (UMP)."""

    UMK = "umk"
    UMP = "ump"


class Sex(StrEnum):
    """Sex as printed on the identity card."""

    MALE = "male"
    FEMALE = "female"


class BatchState(StrEnum):
    """What became of a delivered file: the answer to a load, or the state of a batch since."""

    LOADED = "loaded"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    IGNORED = "ignored"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class Role(StrEnum):
    """The two roles that must approve a draft before it is published."""

    PREPARER = "preparer"
    APPROVER = "approver"


class Access(StrEnum):
    """Who may read a table."""

    PUBLIC = "public"
    RESTRICTED = "restricted"
    INTERNAL = "internal"
