"""Contracts of the feeds: what each kind of delivered file holds, and as which rows the lake keeps it.

The columns of a feed are those of the file plus two that intake adds (`batch_id`, `row_number`). Answers to the
questionnaire are columns of their own, taken from the questionnaire in use. How a file is read is intake's.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandera.polars as pa
import polars as pl

from schemas import dtsen, regsosek
from schemas.contract import Contract, column, contract
from schemas.feed_columns import (
    AREA,
    DISTRICT,
    IDENTIFIER,
    QUARTER,
    REGENCY,
    VILLAGE,
    answer_columns,
    answer_dtype,
    code,
    day,
    flag,
    matches,
    number,
    owned_by,
    text,
    word,
)
from schemas.messages import Words
from schemas.questionnaire import Questionnaire
from schemas.vocabularies import (
    Agency,
    AgentKind,
    Channel,
    ClerkRole,
    FaceMatch,
    Feed,
    IdentityDocument,
    ObjectionKind,
    PaymentState,
    Programme,
    Proposer,
    RequestKind,
    Ruling,
    Sex,
    WageKind,
)

__all__ = [
    "ADDED_COLUMNS",
    "EVIDENCE_FACTS",
    "FACT_AGENCY",
    "PERSON_FACTS",
    "RELATIONS",
    "SHOCKS",
    "VISITS_WITH_ANSWERS",
    "VISIT_FOUND",
    "VISIT_NOT_FOUND",
    "VISIT_RESULTS",
    "answer_columns",
    "answer_dtype",
    "feeds",
]

PERSON_FACTS = (
    "is_deceased",
    "is_civil_servant",
    "is_soldier_or_police",
    "is_pensioner",
    "wage_rupiah_month",
    "electricity_va",
    "is_rights_victim",
    "is_certified_teacher",
    "has_state_income",
    "is_company_owner",
    "is_health_worker",
    "is_village_official",
    "receives_other_aid",
    "car_count",
    "land_area_m2",
    "health_insurance_class",
    "income_rupiah_year",
    "gambling_rupiah",
    "has_abnormal_transactions",
    "is_unknown_number",
    "is_pregnant_recorded",
    "is_disability_recorded",
    "is_enrolled_in_school",
)
"""Facts of a person that the registry keeps; amounts are whole numbers, the others 0 or 1."""

FACT_AGENCY = {
    "is_deceased": Agency.DUKCAPIL,
    "is_civil_servant": Agency.BKN,
    "is_soldier_or_police": Agency.TNI_POLRI,
    "is_pensioner": Agency.TASPEN,
    "wage_rupiah_month": Agency.BPJS_KETENAGAKERJAAN,
    "electricity_va": Agency.PLN,
    "is_rights_victim": Agency.KOMNAS_HAM,
    "is_certified_teacher": Agency.DAPODIK,
    "has_state_income": Agency.BKN,
    "is_company_owner": Agency.TAX_OFFICE,
    "is_health_worker": Agency.HEALTH_MINISTRY,
    "is_village_official": Agency.HOME_MINISTRY,
    "receives_other_aid": Agency.VILLAGE_OFFICE,
    "car_count": Agency.KORLANTAS,
    "land_area_m2": Agency.ATR_BPN,
    "health_insurance_class": Agency.BPJS_KESEHATAN,
    "income_rupiah_year": Agency.TAX_OFFICE,
    "gambling_rupiah": Agency.PPATK,
    "has_abnormal_transactions": Agency.PPATK,
    "is_unknown_number": Agency.DUKCAPIL,
    "is_pregnant_recorded": Agency.HEALTH_MINISTRY,
    "is_disability_recorded": Agency.HEALTH_MINISTRY,
    "is_enrolled_in_school": Agency.DAPODIK,
}
"""The agency that answers for each fact: a person it was asked about and has no row of was checked, nothing found.

BPS answers for none of them, and may state any: what it found on a visit goes before the agency's statement.
"""

OTHER_FACTS = MappingProxyType(
    {
        "is_health_subsidised": Agency.BPJS_KESEHATAN,
        "land_parcel_count": Agency.ATR_BPN,
        "motorcycle_count": Agency.KORLANTAS,
        "bank_balance_rupiah": Agency.BANKS,
        "bank_transactions_rupiah_month": Agency.BANKS,
    }
)
"""Facts that are accepted and kept with their agency, but that no rule reads yet."""

EVIDENCE_FACTS: Mapping[str, Agency] = MappingProxyType({**FACT_AGENCY, **OTHER_FACTS})
"""Every fact an agency may state of a person, with the agency that answers for it."""

OF_ITS_AGENCY = owned_by(
    "agency", {fact: str(agency) for fact, agency in EVIDENCE_FACTS.items()}, "fact_of_another_agency",
    "each of its agency: " + ", ".join(f"{fact} {agency}" for fact, agency in EVIDENCE_FACTS.items()),
)  # fmt: skip

RELATIONS = regsosek.RELATIONS

VISIT_FOUND, VISIT_INCOMPLETE = 1, 2
VISIT_RESULTS = {1: "terisi lengkap", 2: "terisi tidak lengkap", 3: "tidak ada responden", 4: "menolak", 5: "pindah"}
"""Regsosek question 205, result of the visit; 5: the family moved away or the building is gone."""
VISIT_NOBODY_MET, VISIT_REFUSED, VISIT_NOT_FOUND = 3, 4, 5
VISITS_WITH_ANSWERS = (1, 2)
"""Visits that were completed, or in part."""

SHOCKS = MappingProxyType(
    {
        "illness_date": ("Illness", "Sakit berat"),
        "failed_crop_date": ("Failed crop", "Gagal panen"),
        "disaster_date": ("Disaster", "Bencana"),
        "lost_work_date": ("Lost work", "Kehilangan pekerjaan"),
    }
)
"""Shocks an agent may report with the day they struck: for visits and referrals, never for the score."""

_STAGES = 4

_CARD = text(
    "family_card_number", "Family card number", "Number of the family card (KK), 16 digits.", unit="identifier",
    source="Dukcapil", checks=[IDENTIFIER], aliases=regsosek.CARD_ALIASES,
)  # fmt: skip
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

_REGENCY = text(
    "regency_code", "Regency", "Regency, Kemendagri code.", source="Kemendagri", unit="code", checks=[REGENCY],
    aliases=["kode_kabupaten_kota", "kode_kabupaten", "kode_kab_kota"],
)  # fmt: skip
_VILLAGE_ALIASES = ["kode_desa", "kode_kelurahan_desa", "kode_desa_kelurahan"]
_VISIT = code(
    "visit_result", "Visit result", "What the visit found (Regsosek 205); 5: moved away or building gone.",
    VISIT_RESULTS, source="Regsosek 205", nullable=True,
    aliases=["kd_hasil_pendataan_keluarga", "hasil_pendataan_keluarga", "205"],
)  # fmt: skip
_BUILDING = number(
    "building_number", "Building", "Number of the dwelling in its village; families share one.",
    unit="number", source="Regsosek", nullable=True, checks=[pa.Check.ge(1)],
    aliases=["no_urut_bangunan_tinggal", "no_urut_bangunan_tempat_tinggal", "nomor_bangunan"],
)  # fmt: skip
_AGENT = text(
    "agent_id", "Agent", "Agent who visited or proposed the family.", source="agents", unit="id", nullable=True,
    aliases=["id_petugas", "kode_petugas", "kode_ppl"],
)  # fmt: skip
_VERIFIED_NIK = text(
    "verified_nik", "Verified person",
    "NIK of the person whose digital identity or face was confirmed; empty: the head, if anybody.",
    source="portal", unit="identifier", checks=[IDENTIFIER], nullable=True, aliases=["nik_terverifikasi"],
)  # fmt: skip
_PROGRAMME = word(
    "programme", "Programme", "Programme of assistance.", Programme, source="ministry",
    aliases=["program", "program_bantuan", "jenis_bantuan", "jenis_bansos"],
    spellings={
        **dict.fromkeys(("sembako", "bpnt/sembako", "program sembako", "kartu sembako"), str(Programme.BPNT)),
        "program keluarga harapan": str(Programme.PKH),
    },
)  # fmt: skip
_QUARTER = text(
    "quarter", "Quarter", "Quarter, as 2026Q1.", source="ministry", unit="quarter", checks=[QUARTER],
    aliases=["triwulan", "periode"],
)  # fmt: skip
_AREA = text(
    "area_code", "Area", "Area, canonical code.", source="BPS", unit="code",
    aliases=["kode_wilayah", "kode_kemendagri", "kode_kabupaten_kota", "kode_kab_kota", "kode_daerah"],
)  # fmt: skip
_NAMED_AREA = text(
    "area_code", "Area", "Province, regency, district or village, Kemendagri code.", source="Kemendagri", unit="code",
    checks=[AREA], aliases=["kode", "kode_wilayah", "kode_kemendagri", "kode_dagri", "kode_kemendagri_6"],
)  # fmt: skip
_AREA_NAME = text(
    "area_name", "Name", "Name of the area.", source="Kemendagri", nullable=True,
    aliases=["nama", "nama_wilayah", "nama_kemendagri", "nama_dagri", "wilayah"],
)  # fmt: skip


def feeds(questionnaire: Questionnaire) -> dict[Feed, Contract]:
    """The contract of every feed, with the answers of the given questionnaire."""
    return {
        **_of_families(questionnaire),
        **_of_agencies(),
        **_of_decisions(),
        **_of_dtsen(),
        **_of_places(questionnaire),
    }


def _feed(
    name: Feed, title: str, description: str, columns: Sequence[pa.Column], *, grain: str, key: Sequence[str]
) -> Contract:
    by_person = "nik" in (str(one.name) for one in columns)
    order = [*(["nik_bucket"] if by_person else []), *key, "batch_id", "row_number"]
    added = [_BUCKET, *_ADDED] if by_person else _ADDED
    return contract(f"intake/{name}", title, description, [*columns, *added], grain=grain, order=order)


def _nik(name: str, title: str, description: str, *, nullable: bool = False, aliases: Sequence[str] = ()) -> pa.Column:
    return text(
        name, title, description, source="Dukcapil", unit="identifier", checks=[IDENTIFIER], nullable=nullable,
        aliases=aliases,
    )  # fmt: skip


def _of_families(questionnaire: Questionnaire) -> dict[Feed, Contract]:
    answers = answer_columns(questionnaire)
    source = "registration"
    shocks = [
        day(
            name, title, f"Day the family was struck by: {title.lower()}; empty where it was not.", source="agent",
            nullable=True, label=Words(f"Tanggal {indonesian.lower()}", title),
            aliases=[f"tanggal_{indonesian.lower().replace(' ', '_')}"],
        )
        for name, (title, indonesian) in SHOCKS.items()
    ]  # fmt: skip
    return {
        Feed.REGISTRATIONS: _feed(
            Feed.REGISTRATIONS, "Registrations",
            "Families that registered: through whom, with which identity checks and consent, and what they said.",
            [
                _CARD,
                text("village_code", "Village", "Domicile, Kemendagri village code.", source=source, unit="code",
                     checks=[VILLAGE], aliases=_VILLAGE_ALIASES),
                day("registered_date", "Registered", "Day of registration.", source=source,
                    aliases=["tanggal_pendaftaran", "tanggal_daftar"]),
                word("channel", "Channel", "How the registration came in.", Channel, source=source,
                     aliases=["kanal", "jalur"]),
                word("proposer", "Proposer", "Who proposed the family.", Proposer, source=source,
                     aliases=["pengusul"]),
                _AGENT,
                flag("has_consent", "Consent", "Whether the family consented to the use of its data.", source=source,
                     aliases=["persetujuan"]),
                day("consent_date", "Consent date", "Day of consent.", source=source, nullable=True,
                    aliases=["tanggal_persetujuan"]),
                flag("is_ikd_verified", "IKD verified", "Whether the digital identity (IKD) confirmed the head.",
                     source=source, aliases=["verifikasi_ikd"]),
                word("face_match", "Face match", "Result of the face check.", FaceMatch, source=source,
                     aliases=["verifikasi_wajah"]),
                _VERIFIED_NIK,
                *answers,
            ],
            grain="registration of a family", key=["family_card_number", "registered_date"],
        ),
        Feed.MEMBERS: _feed(
            Feed.MEMBERS, "Members", "Persons of the registered families, as stated at registration.",
            [
                _CARD,
                _nik("nik", "NIK", "Person's number; empty for a newborn without one.", nullable=True,
                     aliases=regsosek.NIK_ALIASES),
                text("name", "Name", "Full name.", source=source, aliases=regsosek.NAME_ALIASES),
                day("birth_date", "Birth date", "Date of birth; one that cannot be is kept as unknown.", source=source,
                    aliases=regsosek.BIRTH_ALIASES),
                word("sex", "Sex", "Sex as on the identity card.", Sex, source=source, aliases=regsosek.SEX_ALIASES,
                     spellings=regsosek.SEX_SPELLINGS),
                code("relation", "Relation", "Relation to the head (Regsosek 409).", RELATIONS, source="Regsosek 409",
                     aliases=regsosek.RELATION_ALIASES, spellings=regsosek.RELATION_SPELLINGS),
                code("marital_status", "Marital status", "1 never married, 2 married, 3 divorced, 4 widowed.",
                     regsosek.MARITAL, source="Regsosek 408", aliases=["status_kawin", "status_perkawinan", "408"],
                     spellings=regsosek.MARITAL_SPELLINGS),
                flag("is_pregnant", "Pregnant", "Pregnant or postpartum.", source="Regsosek 410",
                     aliases=["hamil", "status_kehamilan", "410"]),
                code("school_participation", "School", "1 never, 2 attends, 3 no longer.", regsosek.SCHOOLING,
                     source="Regsosek 412", aliases=["partisipasi_sekolah", "kd_partisipasi_sekolah", "412"]),
                code("school_level", "School level", "Level attended (Regsosek 413).", regsosek.LEVELS,
                     source="Regsosek 413", nullable=True,
                     aliases=["jenjang_tertinggi_yang_diduduki", "kd_pendidikan_tertinggi", "413"]),
                code("education", "Certificate", "Highest certificate (Regsosek 415); 23: none.",
                     regsosek.CERTIFICATES, source="Regsosek 415",
                     aliases=["ijazah_tertinggi_yang_dimiliki", "kd_ijazah_tertinggi", "415"]),
                code("work_position", "Work position", "0 does not work, else Regsosek 418.", regsosek.WORK,
                     source="Regsosek 418",
                     aliases=["status_dalam_pekerjaan_utama", "kd_kedudukan_di_pekerjaan", "418"]),
                code("disability", "Disability",
                     "Worst difficulty of Regsosek 428a-i: 1 cannot, 2 much, 3 some, 4 none.",
                     regsosek.DIFFICULTY, source="Regsosek 428"),
                day("stated_date", "Stated", "Day the facts were stated.", source=source,
                    aliases=["tanggal_pernyataan", "tanggal_pendataan"]),
                _VERIFIED_NIK, _AGENT,
            ],
            grain="person of a family, as stated once", key=["family_card_number", "nik", "name", "stated_date"],
        ),
        Feed.SURVEYS: _feed(
            Feed.SURVEYS, "Agent surveys",
            "What an agent found on a visit; an empty answer was not asked. Shocks serve visits and referrals alone.",
            [
                _CARD,
                day("survey_date", "Surveyed", "Day of the visit.", source="agent",
                    aliases=["tanggal_survei", "tanggal_kunjungan", "tanggal_pendataan"]),
                _AGENT, _VISIT, _BUILDING, *answers, *shocks,
            ],
            grain="visit of an agent to a family", key=["family_card_number", "survey_date"],
        ),
        Feed.AGENTS: _feed(
            Feed.AGENTS, "Agents", "The field agents and where they work; without names.",
            [
                text("agent_id", "Agent", "Identifier of the agent.", source="ministry", unit="id",
                     aliases=["id_petugas", "kode_petugas"]),
                word("kind", "Kind", "Which of the four kinds of agents.", AgentKind, source="ministry",
                     aliases=["jenis_petugas"]),
                _REGENCY,
                text("village_code", "Village", "Village the agent serves.", source="ministry", unit="code",
                     checks=[VILLAGE], nullable=True, aliases=_VILLAGE_ALIASES),
                text("district_code", "District", "District a TKSK serves.", source="ministry", unit="code",
                     checks=[DISTRICT], nullable=True, aliases=["kode_kecamatan"]),
            ],
            grain="agent", key=["agent_id"],
        ),
        Feed.AGENT_FAMILIES: _feed(
            Feed.AGENT_FAMILIES, "Families of cadres",
            "The families a Dasa Wisma cadre looks after: her area. Other agents serve a village or a district.",
            [
                text("agent_id", "Agent", "Identifier of the cadre.", source="ministry", unit="id",
                     aliases=["id_petugas", "kode_petugas"]),
                _CARD,
            ],
            grain="cadre x family", key=["agent_id", "family_card_number"],
        ),
        Feed.IDENTITY_CHECKS: _feed(
            Feed.IDENTITY_CHECKS, "Identity checks in person",
            "An agent of the area or a village office saw a person's document, where face or digital identity fails.",
            [
                _CARD,
                _nik("nik", "NIK", "Number on the document seen.", aliases=regsosek.NIK_ALIASES),
                text("agent_id", "Agent", "Agent, or operator of the village office, who saw it.", source="agents",
                     unit="id", aliases=["id_petugas", "kode_petugas"]),
                day("checked_date", "Checked", "Day of the check.", source="agents",
                    aliases=["tanggal_pemeriksaan", "tanggal_verifikasi"]),
                word("document", "Document", "Document seen.", IdentityDocument, source="agents",
                     aliases=["dokumen"]),
                day("confirmed_date", "Confirms", "Day of an earlier registration that the person confirmed.",
                    source="agents", nullable=True, aliases=["tanggal_pendaftaran_dipastikan"]),
            ],
            grain="check of a person's identity", key=["family_card_number", "nik", "checked_date"],
        ),
        Feed.REQUESTS: _feed(
            Feed.REQUESTS, "Requests",
            "What a family asks for, through whomever: a review of its decision, or a check of its identity in person.",
            [
                _CARD,
                word("kind", "Kind", "What is asked for.", RequestKind, source=source,
                     aliases=["jenis_permintaan"]),
                day("requested_date", "Requested", "Day the family came.", source=source,
                    aliases=["tanggal_permintaan"]),
                word("channel", "Channel", "How the request came in.", Channel, source=source,
                     aliases=["kanal", "jalur"]),
                _AGENT,
                flag("has_consent", "Consent", "Whether the family asked for it or consented.", source=source,
                     aliases=["persetujuan"]),
            ],
            grain="request of a family", key=["family_card_number", "kind", "requested_date"],
        ),
        Feed.VALIDATIONS: _feed(
            Feed.VALIDATIONS, "BPS validations",
            "What BPS found on a ground check; an empty answer was not checked. A verdict on an objection names it.",
            [
                _CARD,
                day("validation_date", "Validated", "Day of the ground check.", source="BPS",
                    aliases=["tanggal_validasi", "tanggal_pemeriksaan", "tanggal_verifikasi"]),
                text("objection_id", "Objection", "Objection this check answers.", source="objections", unit="id",
                     nullable=True, aliases=["id_sanggah", "nomor_sanggah"]),
                text("statement_id", "Statement", "Pending statement that this check confirms.", source="registry",
                     unit="id", nullable=True, aliases=["id_pernyataan"]),
                _VISIT, _BUILDING, *answers,
            ],
            grain="ground check of a family", key=["family_card_number", "validation_date"],
        ),
    }  # fmt: skip


def _of_agencies() -> dict[Feed, Contract]:
    return {
        Feed.EVIDENCE: _feed(
            Feed.EVIDENCE, "Evidence",
            "What other agencies know of a person, or BPS found. The batch declares agency, date and request.",
            [
                word("agency", "Agency", "Agency that answers.", Agency, source="agency", aliases=["instansi"]),
                _nik("nik", "NIK", "Person asked about.", aliases=regsosek.NIK_ALIASES),
                text("fact", "Fact", "Fact stated.", source="agency", unit="word",
                     checks=[pa.Check.isin(list(EVIDENCE_FACTS)), OF_ITS_AGENCY], aliases=["fakta"]),
                number("value", "Value", "Amount, or 1 yes and 0 no.", unit="of the fact", source="agency",
                       checks=[pa.Check.ge(0)], aliases=["nilai"]),
                day("as_of_date", "As of", "Day the fact held.", source="agency", aliases=["per_tanggal"]),
                text("agent_id", "Operator", "Operator of the village office that states it; of other agencies empty.",
                     source="agents", unit="id", nullable=True, aliases=["id_operator"]),
            ],
            grain="fact of a person, as stated once", key=["nik", "fact", "as_of_date"],
        ),
        Feed.POPULATION_REGISTER: _feed(
            Feed.POPULATION_REGISTER, "Population register",
            "Persons of families that Dukcapil knows, by card: who of them has not registered is called on.",
            [
                _CARD,
                _nik("nik", "NIK", "Person's number; empty for whoever has none.", nullable=True,
                     aliases=regsosek.NIK_ALIASES),
                text("name", "Name", "Full name.", source="Dukcapil", aliases=regsosek.NAME_ALIASES),
                day("birth_date", "Birth date", "Date of birth; one that cannot be is kept as unknown.",
                    source="Dukcapil", aliases=regsosek.BIRTH_ALIASES),
                code("relation", "Relation", "Relation to the head (Regsosek 409).", RELATIONS, source="Dukcapil",
                     nullable=True, aliases=regsosek.RELATION_ALIASES, spellings=regsosek.RELATION_SPELLINGS),
                text("village_code", "Village", "Where the card says they live, Kemendagri village code.",
                     source="Dukcapil", unit="code", checks=[VILLAGE], aliases=_VILLAGE_ALIASES),
                text("address", "Address", "Address on the card.", source="Dukcapil", nullable=True,
                     aliases=["alamat"]),
                code("impairment", "Disability", "Kind of disability, 7: none; empty: not said.",
                     regsosek.IMPAIRMENTS, source="Dukcapil F-1.01", nullable=True,
                     aliases=["cacat_id", "penyandang_cacat", "penyandang_disabilitas", "jenis_disabilitas"],
                     spellings=regsosek.IMPAIRMENT_SPELLINGS),
            ],
            grain="person of a family", key=["family_card_number", "nik", "name"],
        ),
    }  # fmt: skip


def _of_decisions() -> dict[Feed, Contract]:
    return {
        Feed.OBJECTIONS: _feed(
            Feed.OBJECTIONS, "Objections",
            "Objections (sanggah) to an announced list. A family is named by its reference or its family card.",
            [
                text("objection_id", "Objection", "Identifier of the objection.", source="objections", unit="id",
                     aliases=["id_sanggah", "nomor_sanggah"]),
                _QUARTER,
                _PROGRAMME,
                word("kind", "Kind", "Whether it is about one's own family or another.", ObjectionKind,
                     source="objections", aliases=["jenis_sanggah"]),
                text("reference", "Reference", "Public reference number of the family.", source="objections",
                     unit="id", nullable=True, aliases=["nomor_rujukan"]),
                text("family_card_number", "Family card number", "Family card of the family, 16 digits.",
                     unit="identifier", source="Dukcapil", nullable=True, checks=[IDENTIFIER],
                     aliases=regsosek.CARD_ALIASES),
                word("channel", "Channel", "How the objection came in.", Channel, source="objections",
                     aliases=["kanal", "jalur"]),
                day("submitted_date", "Submitted", "Day of the objection.", source="objections",
                    aliases=["tanggal_sanggah", "tanggal_pengajuan"]),
                text("field", "Field", "Column of the record it disputes.", source="objections", nullable=True,
                     aliases=["data_yang_disanggah"]),
                text("statement", "Statement", "What the objector says.", source="objections", nullable=True,
                     aliases=["alasan", "uraian"]),
            ],
            grain="objection", key=["objection_id"],
        ),
        Feed.ADJUDICATIONS: _feed(
            Feed.ADJUDICATIONS, "Adjudications",
            "A clerk's rulings on cases of identity, named with their facts as the list of cases gives them.",
            [
                text("case_id", "Case", "Identifier of the case.", source="registry", unit="id",
                     aliases=["id_kasus", "kasus"]),
                word("ruling", "Ruling", "Whether both sides are one person or different ones.", Ruling,
                     source="clerk", aliases=["putusan", "keputusan"]),
                text("family_id", "Family", "Family in which the person counts; empty: where it counts now.",
                     source="clerk", unit="id", nullable=True, aliases=["id_keluarga"]),
                word("role", "Role", "Role in which the clerk decides.", ClerkRole, source="clerk",
                     aliases=["jabatan", "peran"]),
                text("decided_by", "Decided by", "Who decided.", source="clerk", aliases=["diputuskan_oleh"]),
                text("reason", "Reason", "Why.", source="clerk", aliases=["alasan"]),
                day("decided_date", "Decided", "Day of the ruling.", source="clerk", aliases=["tanggal_putusan"]),
                text("facts_hash", "Facts", "Facts ruled on; if they change the case is opened again.",
                     source="registry", unit="sha256", nullable=True, aliases=["data_dasar"]),
            ],
            grain="ruling on a case", key=["case_id", "decided_date"],
        ),
        Feed.CURRENT_RECIPIENTS: _feed(
            Feed.CURRENT_RECIPIENTS, "Current recipients",
            "Who received before the first quarter decided here.",
            [
                _CARD,
                _nik("head_nik", "NIK of the head", "NIK of the head of the family.",
                     aliases=["nik_kepala_keluarga", "nik_kk"]),
                _PROGRAMME, _REGENCY,
                day("since_date", "Since", "First day of receiving.", source="ministry",
                    aliases=["sejak_tanggal", "tanggal_mulai"]),
                text("head_name", "Name of the head", "Full name of the head.", source="ministry", nullable=True,
                     aliases=["nama_kepala_keluarga", "nama_penerima"]),
                text("village_code", "Village", "Domicile, Kemendagri village code.", source="ministry", unit="code",
                     checks=[VILLAGE], nullable=True, aliases=_VILLAGE_ALIASES),
                number("amount_rupiah", "Amount", "What it received in the last stage.", unit="rupiah",
                       source="ministry", checks=[pa.Check.ge(0)], nullable=True,
                       aliases=["nominal", "jumlah_rupiah"]),
            ],
            grain="recipient family x programme", key=["family_card_number", "programme"],
        ),
        Feed.PAYMENTS: _feed(
            Feed.PAYMENTS, "Payments", "What became of the payments that were due, as the paying bank returns them.",
            [
                _CARD, _PROGRAMME, _QUARTER,
                number("stage", "Stage", "Disbursement stage (tahap), 1 to 4.", unit="stage", source="bank",
                       checks=[pa.Check.in_range(1, _STAGES)], aliases=["tahap"]),
                number("amount_rupiah", "Amount", "Amount of the payment.", unit="rupiah", source="bank",
                       checks=[pa.Check.ge(0)], aliases=["nominal", "jumlah_rupiah"]),
                word("state", "State", "What became of it.", PaymentState, source="bank",
                     aliases=["status_pembayaran", "status"]),
                day("paid_date", "Paid", "Day of payment; empty if it was not paid.", source="bank", nullable=True,
                    aliases=["tanggal_pembayaran", "tanggal_bayar"]),
                text("return_reason", "Reason", "Why it was returned or not collected.", source="bank", nullable=True,
                     aliases=["alasan_pengembalian", "alasan"]),
            ],
            grain="payment to a family", key=["family_card_number", "programme", "quarter", "stage", "state"],
        ),
    }  # fmt: skip


def _of_dtsen() -> dict[Feed, Contract]:
    return {
        Feed.DTSEN_FAMILIES: _feed(
            Feed.DTSEN_FAMILIES, "DTSEN families",
            "Families of the national socio-economic registry with their official deciles, as delivered.",
            dtsen.family_columns(), grain="family of DTSEN", key=["family_card_number"],
        ),
        Feed.DTSEN_PERSONS: _feed(
            Feed.DTSEN_PERSONS, "DTSEN persons",
            "Persons of the national socio-economic registry, as delivered.",
            dtsen.person_columns(), grain="person of DTSEN", key=["family_card_number", "nik", "name"],
        ),
    }  # fmt: skip


def _of_places(questionnaire: Questionnaire) -> dict[Feed, Contract]:
    return {
        Feed.CONSUMPTION_SURVEY: _feed(
            Feed.CONSUMPTION_SURVEY, "Consumption survey",
            "A weighted sample with measured consumption, to fit the scorecard on. Holds no registrant's number.",
            [
                text("household_id", "Household", "Household of the sample.", source="survey", unit="id"),
                _REGENCY,
                text("cluster_id", "Cluster", "Enumeration area.", source="survey", unit="id"),
                flag("is_urban", "Urban", "Whether the cluster is urban.", source="survey"),
                column("weight", pl.Float64, "Weight", "Families this household stands for.", unit="families",
                       source="survey", checks=[pa.Check.gt(0)]),
                number("expenditure_rupiah_per_capita_month", "Expenditure", "Consumption per head and month.",
                       unit="rupiah per capita and month", source="survey", checks=[pa.Check.gt(0)]),
                *answer_columns(questionnaire, rolled_up=True),
            ],
            grain="household of the sample", key=["household_id"],
        ),
        Feed.POVERTY_STATISTICS: _feed(
            Feed.POVERTY_STATISTICS, "Poverty statistics",
            "Poor persons, poverty line, P0 and P1 per area and vintage: what quotas follow. A file may hold one.",
            [
                _AREA,
                text("vintage", "Vintage", "Month of the figures, as 2025-03.", source="BPS",
                     checks=[matches(r"^20[0-9]{2}-(0[1-9]|1[0-2])$", "vintage")], aliases=["bulan_data"]),
                number("poor_count", "Poor", "Poor persons.", unit="persons", source="BPS", nullable=True,
                       checks=[pa.Check.ge(0)], aliases=["jumlah_penduduk_miskin", "penduduk_miskin"]),
                number("poverty_line_rupiah_per_capita_month", "Poverty line", "Poverty line.",
                       unit="rupiah per capita and month", source="BPS", nullable=True, checks=[pa.Check.gt(0)],
                       aliases=["garis_kemiskinan"]),
                *[
                    column(name, pl.Float64, title, f"{description}, percent with two decimals as BPS publishes it.",
                           unit="percent", source="BPS", nullable=True, checks=[pa.Check.in_range(0, 100)],
                           aliases=aliases)
                    for name, title, description, aliases in (
                        ("poor_percent", "P0", "Poor among all persons", ["p0", "p0_persen",
                         "persentase_penduduk_miskin"]),
                        ("poverty_gap_percent", "P1", "Poverty gap index", ["p1", "p1_persen",
                         "indeks_kedalaman_kemiskinan"]),
                    )
                ],
            ],
            grain="area x vintage", key=["area_code", "vintage"],
        ),
        Feed.MINIMUM_WAGES: _feed(
            Feed.MINIMUM_WAGES, "Minimum wages",
            "Minimum wages of regencies (UMK) and provinces (UMP) with the days they hold.",
            [
                text("area_code", "Area", "Regency or province, Kemendagri code.", source="governor's decree",
                     unit="code", checks=[AREA],
                     aliases=["kode_wilayah", "kode_kemendagri", "kode_kabupaten_kota", "kode_kab_kota"]),
                word("kind", "Kind", "Of a regency or a province.", WageKind, source="governor's decree",
                     aliases=["jenis_upah"]),
                day("valid_from_date", "Valid from", "First day it holds.", source="governor's decree",
                    aliases=["berlaku_mulai"]),
                day("valid_to_date", "Valid to", "Last day it holds; empty while it holds.", nullable=True,
                    source="governor's decree", aliases=["berlaku_sampai"]),
                number("minimum_wage_rupiah_month", "Minimum wage", "Minimum wage, fractions of a rupiah dropped.",
                       unit="rupiah per month", source="governor's decree", checks=[pa.Check.gt(0)],
                       aliases=["upah_minimum", "umk", "ump"]),
                text("decree", "Decree", "Number of the decree.", source="governor's decree", nullable=True,
                     aliases=["nomor_keputusan", "sk"]),
            ],
            grain="area x first day", key=["area_code", "valid_from_date"],
        ),
        Feed.REGION_CODES: _feed(
            Feed.REGION_CODES, "Region codes", "Codes and names of provinces, regencies, districts and villages.",
            [
                _NAMED_AREA, _AREA_NAME,
                text("area_code_bps", "BPS code", "Code of the area in BPS's system: 2, 4, 7 or 10 digits.",
                     source="BPS", unit="code", nullable=True,
                     checks=[matches(r"^[0-9]{2}([0-9]{2}([0-9]{3}([0-9]{3})?)?)?$", "area_code_bps")],
                     aliases=["kode_bps", "kode_bps_2025", "kode_bps_7"]),
            ],
            grain="area", key=["area_code"],
        ),
        Feed.BOUNDARIES: _feed(
            Feed.BOUNDARIES, "Boundaries", "Boundaries of areas, for maps.",
            [
                _NAMED_AREA, _AREA_NAME,
                text("geometry", "Geometry", "GeoJSON geometry (Polygon or MultiPolygon), longitude and latitude.",
                     source="boundary file", unit="GeoJSON",
                     checks=[matches(r'^\{[\s\S]*"(Multi)?Polygon"[\s\S]*\}$', "geometry")], aliases=["geom"]),
            ],
            grain="area", key=["area_code"],
        ),
    }  # fmt: skip
