"""Contracts of the feeds: what each kind of delivered file holds, and as which rows the lake keeps it.

The columns of a feed are those of the file plus two that intake adds (`batch_id`, `row_number`). Answers to the
questionnaire are columns of their own, taken from the questionnaire in use. How a file is read is intake's.
"""

from collections.abc import Sequence

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from schemas.contract import Contract, column, contract
from schemas.identifiers import form_fault
from schemas.questionnaire import Questionnaire, Variable
from schemas.vocabularies import Agency, AgentKind, Channel, FaceMatch, Feed, Programme, Proposer, Sex

PERSON_FACTS = (
    "is_deceased",
    "is_civil_servant",
    "is_soldier_or_police",
    "is_pensioner",
    "wage_rupiah_month",
    "electricity_va",
    "is_rights_victim",
)
"""Facts an agency may state of a person; amounts are whole numbers, the others 0 or 1."""

FACT_AGENCY = {
    "is_deceased": Agency.DUKCAPIL,
    "is_civil_servant": Agency.BKN,
    "is_soldier_or_police": Agency.TNI_POLRI,
    "is_pensioner": Agency.TASPEN,
    "wage_rupiah_month": Agency.BPJS_KETENAGAKERJAAN,
    "electricity_va": Agency.PLN,
    "is_rights_victim": Agency.KOMNAS_HAM,
}
"""The agency that answers for each fact: a covered person without a row was checked and nothing was found."""

RELATIONS = {
    1: "kepala",
    2: "istri_suami",
    3: "anak",
    4: "menantu",
    5: "cucu",
    6: "orang_tua",
    7: "pembantu",
    8: "lain",
}
"""Regsosek question 409, relation to the head."""

VISIT_FOUND = 1
VISIT_RESULTS = {1: "terisi lengkap", 2: "terisi tidak lengkap", 3: "tidak ada responden", 4: "menolak", 5: "pindah"}
"""Regsosek question 205, result of the visit; 5: the family moved away or the building is gone."""
VISIT_NOT_FOUND = 5

_NO_CERTIFICATE = 23
_SCHOOL_LEVELS = 22


def _well_formed(data: PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(form_fault(str(data.key)).is_null().fill_null(value=True))


def _matches(pattern: str, name: str) -> pa.Check:
    """A check of form that pandera reports under its own name and not as `str_matches(...)`."""
    return pa.Check.str_matches(pattern, name=name, error=name)


IDENTIFIER = pa.Check(_well_formed, name="identifier", error="identifier")
VILLAGE = _matches(r"^\d{2}\.\d{2}\.\d{2}\.[1-9]\d{3}$", "village_code")
"""The serial of a Kemendagri village begins with 1 (kelurahan) or 2 (desa), never with 0 as BPS codes do there."""


def _codes(codes: Sequence[int]) -> pa.Check:
    return pa.Check.isin(sorted(codes))


def _words(vocabulary: type) -> pa.Check:
    return pa.Check.isin([str(word) for word in vocabulary])  # type: ignore[attr-defined]


_CARD = column(
    "family_card_number",
    pl.String,
    "Family card number",
    "Number of the family card (KK), 16 digits.",
    unit="identifier",
    source="Dukcapil",
    checks=[IDENTIFIER],
    aliases=["nomor_kartu_keluarga", "no_kk", "nokk", "kk"],
)

_ADDED = (
    column("batch_id", pl.String, "Batch", "Batch that delivered the row.", unit="id", source="intake"),
    column("row_number", pl.Int64, "Row", "Row of the file, the header being row 1.", unit="count", source="intake"),
)
_BUCKET = column(
    "nik_bucket",
    pl.Int16,
    "Bucket",
    "Bucket of the person's number, the shard of identity.",
    unit="code",
    source="intake",
)
ADDED_COLUMNS = (*(str(one.name) for one in _ADDED), "nik_bucket")


def answer_dtype(variable: Variable) -> pl.DataType:
    """Polars dtype of a variable's answers: whole numbers Int32, others Float64."""
    return pl.Int32() if variable.is_whole else pl.Float64()


def answer_columns(questionnaire: Questionnaire, *, rolled_up: bool = False) -> list[pa.Column]:
    """Columns for the answers of a questionnaire, all nullable: null means not asked or not answered."""
    chosen = questionnaire.variables if rolled_up else questionnaire.answers
    return [
        column(
            name,
            answer_dtype(variable),
            variable.label.en,
            f"{variable.label.en} ({variable.label.id}).",
            unit=variable.unit or ("yes=1 no=0" if variable.kind == "flag" else "code"),
            source=f"{questionnaire.version} {variable.question or 'roll-up'}",
            nullable=True,
            checks=[_answer_check(variable)],
            aliases=variable.aliases,
        )
        for name, variable in chosen.items()
    ]


def _answer_check(variable: Variable) -> pa.Check:
    if variable.range is not None:
        return pa.Check.in_range(*variable.range)
    return _codes(list(variable.codes) if variable.codes else [0, 1])


def feeds(questionnaire: Questionnaire) -> dict[Feed, Contract]:
    """The contract of every feed, with the answers of the given questionnaire."""
    answers = answer_columns(questionnaire)

    def text(name: str, title: str, description: str, source: str, **more: object) -> pa.Column:
        return column(name, pl.String, title, description, source=source, **more)  # type: ignore[arg-type]

    def day(name: str, title: str, description: str, source: str, **more: object) -> pa.Column:
        return column(name, pl.Date, title, description, source=source, unit="date", **more)  # type: ignore[arg-type]

    def flag(name: str, title: str, description: str, source: str, **more: object) -> pa.Column:
        return column(name, pl.Boolean, title, description, source=source, unit="yes/no", **more)  # type: ignore[arg-type]

    def number(name: str, title: str, description: str, unit: str, source: str, **more: object) -> pa.Column:
        return column(name, pl.Int64, title, description, source=source, unit=unit, **more)  # type: ignore[arg-type]

    def code(name: str, title: str, description: str, codes: Sequence[int], source: str, **more: object) -> pa.Column:
        checks = [_codes(codes)]
        return column(name, pl.Int32, title, description, source=source, unit="code", checks=checks, **more)  # type: ignore[arg-type]

    def nik(name: str, title: str, description: str, *, nullable: bool = False) -> pa.Column:
        return text(
            name, title, description, "Dukcapil", unit="identifier", checks=[IDENTIFIER], nullable=nullable,
            aliases=["nomor_induk_kependudukan", "no_nik", "nik_anggota"] if name == "nik" else (),
        )  # fmt: skip

    def word(name: str, title: str, description: str, vocabulary: type, source: str, **more: object) -> pa.Column:
        return text(name, title, description, source, unit="word", checks=[_words(vocabulary)], **more)

    def feed(
        name: Feed, title: str, description: str, columns: list[pa.Column], *, grain: str, key: list[str]
    ) -> Contract:
        by_person = "nik" in (str(one.name) for one in columns)
        order = [*(["nik_bucket"] if by_person else []), *key, "batch_id", "row_number"]
        added = [_BUCKET, *_ADDED] if by_person else _ADDED
        return contract(f"intake/{name}", title, description, [*columns, *added], grain=grain, order=order)

    regency = text(
        "regency_code", "Regency", "Regency, Kemendagri code.", "Kemendagri", unit="code",
        checks=[_matches(r"^\d{2}\.\d{2}$", "regency_code")],
        aliases=["kode_kabupaten_kota", "kode_kabupaten"],
    )  # fmt: skip
    visit = code(
        "visit_result", "Visit result", "What the visit found (Regsosek 205); 5: moved away or building gone.",
        list(VISIT_RESULTS), "Regsosek 205", nullable=True,
    )  # fmt: skip
    agent = text("agent_id", "Agent", "Agent who visited or proposed the family.", "agents", unit="id", nullable=True)
    source = "registration"
    return {
        Feed.REGISTRATIONS: feed(
            Feed.REGISTRATIONS,
            "Registrations",
            "Families that registered: through whom, with which identity checks and consent, and what they said.",
            [
                _CARD,
                text(
                    "village_code",
                    "Village",
                    "Domicile, Kemendagri village code.",
                    source,
                    unit="code",
                    checks=[VILLAGE],
                    aliases=["kode_desa", "kode_kelurahan_desa"],
                ),
                day("registered_date", "Registered", "Day of registration.", source),
                word("channel", "Channel", "How the registration came in.", Channel, source),
                word("proposer", "Proposer", "Who proposed the family.", Proposer, source),
                agent,
                flag("has_consent", "Consent", "Whether the family consented to the use of its data.", source),
                day("consent_date", "Consent date", "Day of consent.", source, nullable=True),
                flag(
                    "is_ikd_verified", "IKD verified", "Whether the digital identity (IKD) confirmed the head.", source
                ),
                word("face_match", "Face match", "Result of the face check.", FaceMatch, source),
                *answers,
            ],
            grain="registration of a family",
            key=["family_card_number", "registered_date"],
        ),
        Feed.MEMBERS: feed(
            Feed.MEMBERS,
            "Members",
            "Persons of the registered families, as stated at registration.",
            [
                _CARD,
                nik("nik", "NIK", "Person's number; empty for a newborn without one.", nullable=True),
                text("name", "Name", "Full name.", source, aliases=["nama", "nama_lengkap"]),
                day("birth_date", "Birth date", "Date of birth.", source, aliases=["tanggal_lahir", "tgl_lahir"]),
                word("sex", "Sex", "Sex as on the identity card.", Sex, source),
                code(
                    "relation",
                    "Relation",
                    "Relation to the head (Regsosek 409).",
                    list(RELATIONS),
                    "Regsosek 409",
                    aliases=["status_hubungan_keluarga"],
                ),
                code(
                    "marital_status",
                    "Marital status",
                    "1 never married, 2 married, 3 divorced, 4 widowed.",
                    range(1, 5),
                    "Regsosek 408",
                    aliases=["status_kawin"],
                ),
                flag("is_pregnant", "Pregnant", "Pregnant or postpartum.", "Regsosek 410"),
                code(
                    "school_participation",
                    "School",
                    "1 never, 2 attends, 3 no longer.",
                    range(1, 4),
                    "Regsosek 412",
                    aliases=["partisipasi_sekolah"],
                ),
                code(
                    "school_level",
                    "School level",
                    "Level attended (Regsosek 413).",
                    range(1, _SCHOOL_LEVELS + 1),
                    "Regsosek 413",
                    nullable=True,
                    aliases=["jenjang_tertinggi_yang_diduduki"],
                ),
                code(
                    "education",
                    "Certificate",
                    "Highest certificate (Regsosek 415); 23: none.",
                    range(1, _NO_CERTIFICATE + 1),
                    "Regsosek 415",
                    aliases=["ijazah_tertinggi_yang_dimiliki"],
                ),
                code(
                    "work_position",
                    "Work position",
                    "0 does not work, else Regsosek 418.",
                    range(9),
                    "Regsosek 418",
                    aliases=["status_dalam_pekerjaan_utama"],
                ),
                code(
                    "disability",
                    "Disability",
                    "Worst difficulty of Regsosek 428a-i: 1 cannot, 2 much, 3 some, 4 none.",
                    range(1, 5),
                    "Regsosek 428",
                ),
                day("stated_date", "Stated", "Day the facts were stated.", source),
            ],
            grain="person of a family, as stated once",
            key=["family_card_number", "nik", "name", "stated_date"],
        ),
        Feed.SURVEYS: feed(
            Feed.SURVEYS,
            "Agent surveys",
            "What an agent found on a visit; an empty answer was not asked.",
            [_CARD, day("survey_date", "Surveyed", "Day of the visit.", "agent"), agent, visit, *answers],
            grain="visit of an agent to a family",
            key=["family_card_number", "survey_date"],
        ),
        Feed.AGENTS: feed(
            Feed.AGENTS,
            "Agents",
            "The field agents and where they work; without names.",
            [
                text("agent_id", "Agent", "Identifier of the agent.", "ministry", unit="id"),
                word("kind", "Kind", "Which of the four kinds of agents.", AgentKind, "ministry"),
                regency,
                text(
                    "village_code",
                    "Village",
                    "Village the agent serves.",
                    "ministry",
                    unit="code",
                    checks=[VILLAGE],
                    nullable=True,
                ),
            ],
            grain="agent",
            key=["agent_id"],
        ),
        Feed.EVIDENCE: feed(
            Feed.EVIDENCE,
            "Evidence",
            "What other agencies know of a person. The batch declares agency, date and the regencies it asked about.",
            [
                word("agency", "Agency", "Agency that answers.", Agency, "agency"),
                nik("nik", "NIK", "Person asked about."),
                text("fact", "Fact", "Fact stated.", "agency", unit="word", checks=[pa.Check.isin(PERSON_FACTS)]),
                number(
                    "value", "Value", "Amount, or 1 yes and 0 no.", "of the fact", "agency", checks=[pa.Check.ge(0)]
                ),
                day("as_of_date", "As of", "Day the fact held.", "agency"),
            ],
            grain="fact of a person, as stated once",
            key=["nik", "fact", "as_of_date"],
        ),
        Feed.VALIDATIONS: feed(
            Feed.VALIDATIONS,
            "BPS validations",
            "What BPS found on a ground check; an empty answer was not checked. A verdict on an objection names it.",
            [
                _CARD,
                day("validation_date", "Validated", "Day of the ground check.", "BPS"),
                text(
                    "objection_id", "Objection", "Objection this check answers.", "objections", unit="id", nullable=True
                ),
                visit,
                *answers,
            ],
            grain="ground check of a family",
            key=["family_card_number", "validation_date"],
        ),
        Feed.CURRENT_RECIPIENTS: feed(
            Feed.CURRENT_RECIPIENTS,
            "Current recipients",
            "Who received before the first quarter decided here.",
            [
                _CARD,
                nik("head_nik", "NIK of the head", "NIK of the head of the family."),
                word("programme", "Programme", "Programme received.", Programme, "ministry"),
                regency,
                day("since_date", "Since", "First day of receiving.", "ministry"),
            ],
            grain="recipient family x programme",
            key=["family_card_number", "programme"],
        ),
        Feed.CONSUMPTION_SURVEY: feed(
            Feed.CONSUMPTION_SURVEY,
            "Consumption survey",
            "A weighted sample with measured consumption, to fit the scorecard on. Holds no registrant's number.",
            [
                text("household_id", "Household", "Household of the sample.", "survey", unit="id"),
                regency,
                text("cluster_id", "Cluster", "Enumeration area.", "survey", unit="id"),
                flag("is_urban", "Urban", "Whether the cluster is urban.", "survey"),
                column(
                    "weight",
                    pl.Float64,
                    "Weight",
                    "Families this household stands for.",
                    unit="families",
                    source="survey",
                    checks=[pa.Check.gt(0)],
                ),
                number(
                    "expenditure_rupiah_per_capita_month",
                    "Expenditure",
                    "Consumption per head and month.",
                    "rupiah per capita and month",
                    "survey",
                    checks=[pa.Check.gt(0)],
                ),
                *answer_columns(questionnaire, rolled_up=True),
            ],
            grain="household of the sample",
            key=["household_id"],
        ),
        Feed.POVERTY_STATISTICS: feed(
            Feed.POVERTY_STATISTICS,
            "Poverty statistics",
            "Poor persons and poverty line per area and vintage; the weights of the quotas.",
            [
                text("area_code", "Area", "Area, canonical code.", "BPS", unit="code"),
                text(
                    "vintage",
                    "Vintage",
                    "Month of the figures, as 2025-03.",
                    "BPS",
                    checks=[_matches(r"^20\d{2}-(0[1-9]|1[0-2])$", "vintage")],
                ),
                number("poor_count", "Poor", "Poor persons.", "persons", "BPS", checks=[pa.Check.ge(0)]),
                number(
                    "poverty_line_rupiah_per_capita_month",
                    "Poverty line",
                    "Poverty line.",
                    "rupiah per capita and month",
                    "BPS",
                    nullable=True,
                    checks=[pa.Check.gt(0)],
                ),
            ],
            grain="area x vintage",
            key=["area_code", "vintage"],
        ),
    }
