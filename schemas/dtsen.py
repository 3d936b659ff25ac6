"""The DTSEN delivery of 2026 ("v3"): its 52 columns of families and 48 of persons, under their own names as aliases.

Answers are those of Regsosek 2022, whatever questionnaire a home uses. Region codes are kept as delivered: families
are joined by the number of the family card, never by place.
"""

import pandera.polars as pa
import polars as pl

from schemas.contract import column
from schemas.feed_columns import IDENTIFIER, YES_OR_NO, answer_columns, code, matches, number, text, word
from schemas.messages import Words
from schemas.questionnaire import default_questionnaire
from schemas.regsosek import (
    BIRTH_ALIASES,
    CARD_ALIASES,
    CERTIFICATES,
    CLASSES,
    CLOSETS,
    DIFFICULTY,
    FREQUENCY,
    ILLNESSES,
    INDUSTRIES,
    LEVELS,
    MARITAL,
    MARITAL_SPELLINGS,
    NAME_ALIASES,
    NIK_ALIASES,
    NUTRITION,
    RELATION_ALIASES,
    RELATION_SPELLINGS,
    RELATIONS,
    SCHOOLING,
    SEX_ALIASES,
    SEX_SPELLINGS,
    TURNOVER,
    WORK,
)
from schemas.vocabularies import Sex

SOURCE = "DTSEN"
_LARGEST_HERD = 9999


def _label(field: str, title: str) -> Words:
    return Words(field.replace("_", " ").capitalize(), title)


def _flag(name: str, field: str, title: str) -> pa.Column:
    return column(
        name, pl.Int32, title, f"{title}: 1 yes, 0 no; delivered as {field}.", unit="yes=1 no=0", source=SOURCE,
        nullable=True, checks=[pa.Check.isin([0, 1])], aliases=[field], label=_label(field, title),
        spellings=YES_OR_NO,
    )  # fmt: skip


def _text(name: str, field: str, title: str) -> pa.Column:
    return text(
        name, title=title, description=f"{title}, as delivered under {field}.", source=SOURCE, nullable=True,
        aliases=[field], label=_label(field, title),
    )  # fmt: skip


def _region(name: str, field: str, title: str) -> pa.Column:
    return text(
        name, title=title, description=f"{title} as delivered, in the sender's code system.", unit="code",
        source=SOURCE, nullable=True, checks=[matches(r"^[0-9.]+$", "region_digits")], aliases=[field],
        label=_label(field, title),
    )  # fmt: skip


def _count(name: str, field: str, title: str, unit: str, most: int = 999_999) -> pa.Column:
    return number(
        name, title=title, description=f"{title}.", unit=unit, source=SOURCE, nullable=True,
        checks=[pa.Check.in_range(0, most)], aliases=[field], label=_label(field, title),
    )  # fmt: skip


def _decile(name: str, field: str, title: str) -> pa.Column:
    return column(
        name, pl.Int32, title, f"{title}; 1 is poorest.", unit="decile", source="BPS, DTSEN", nullable=True,
        checks=[pa.Check.in_range(1, 10)], aliases=[field], label=_label(field, title),
        spellings={f"desil {one}": str(one) for one in range(1, 11)},
    )  # fmt: skip


def _code(name: str, field: str, title: str, codes: dict[int, str] | range, **more: object) -> pa.Column:
    return code(
        name, title, f"{title} (Regsosek 2022 codes).", codes, source=SOURCE, nullable=True, aliases=[field],
        label=_label(field, title), **more,
    )  # fmt: skip


def _card() -> pa.Column:
    return text(
        "family_card_number", title="Family card number", description="Number of the family card (KK), 16 digits.",
        unit="identifier", source="Dukcapil", checks=[IDENTIFIER], aliases=CARD_ALIASES,
    )  # fmt: skip


def family_columns() -> list[pa.Column]:
    """The 52 fields of the file *keluarga*; deciles are the official ones."""
    return [
        _card(),
        _region("province_code_stated", "kode_provinsi", "Province code"),
        _text("province_name", "provinsi", "Province"),
        _region("regency_code_stated", "kode_kabupaten_kota", "Regency code"),
        _text("regency_name", "kabupaten_kota", "Regency"),
        _region("district_code_stated", "kode_kecamatan", "District code"),
        _text("district_name", "kecamatan", "District"),
        _region("village_code_stated", "kode_kelurahan_desa", "Village code"),
        _text("village_name", "kelurahan_desa", "Village"),
        _text("address", "alamat", "Address"),
        _count("member_count", "jumlah_anggota_keluarga", "Family members", "persons"),
        _text("head_name", "nama_kepala_keluarga", "Name of the head"),
        _decile("decile_national", "desil_nasional", "Decile in the nation"),
        _decile("decile_province", "desil_provinsi", "Decile in the province"),
        _decile("decile_regency", "desil_kabupaten_kota", "Decile in the regency"),
        _flag("has_national_health_subsidy", "pbi_nas", "Health insurance paid by the state"),
        _flag("has_regional_health_subsidy", "pbi_pemda", "Health insurance paid by the region"),
        _text("electricity_customer_id", "id_pelanggan_pln", "Customer number at PLN"),
        *answer_columns(default_questionnaire()),
        _code("closet_kind", "jenis_kloset", "Kind of closet", CLOSETS),
        _flag("has_assets", "kepemilikan_aset", "Owns any asset"),
        _flag("has_water_heater", "aset_bergerak_pemanas_air", "Water heater"),
        _flag("has_telephone_line", "aset_bergerak_telepon_rumah", "Telephone line"),
        _flag("has_boat", "aset_bergerak_perahu", "Boat"),
        _flag("has_motor_boat", "aset_bergerak_kapal_perahu_motor", "Ship or motor boat"),
        _count("buffalo_count", "jumlah_ternak_kerbau", "Buffaloes", "animals", _LARGEST_HERD),
        _count("horse_count", "jumlah_ternak_kuda", "Horses", "animals", _LARGEST_HERD),
        _count("pig_count", "jumlah_ternak_babi", "Pigs", "animals", _LARGEST_HERD),
    ]


def person_columns() -> list[pa.Column]:
    """The 48 fields of the file *individu*."""
    difficulties = {
        "sight": ("penglihatan", "Difficulty seeing"),
        "hearing": ("pendengaran", "Difficulty hearing"),
        "walking": ("berjalan_atau_naik_tangga", "Difficulty walking or climbing stairs"),
        "hands": ("menggunakan_tangan_jari", "Difficulty using hands or fingers"),
        "learning": ("belajar_kemampuan_intelektual", "Difficulty learning"),
        "behaviour": ("pengendalian_perilaku", "Difficulty controlling behaviour"),
        "speech": ("berbicara_komunikasi", "Difficulty speaking or communicating"),
        "self_care": ("mengurus_diri", "Difficulty caring for oneself"),
        "memory": ("mengingat_berkonsentrasi", "Difficulty remembering or concentrating"),
    }
    by_card = {
        "province_name": ("provinsi_ktp", "province"),
        "regency_name": ("kabupaten_kota_ktp", "regency"),
        "district_name": ("kecamatan_ktp", "district"),
        "village_name": ("kelurahan_desa_ktp", "village"),
        "rt": ("rt_ktp", "neighbourhood (RT)"),
        "rw": ("rw_ktp", "neighbourhood (RW)"),
        "hamlet": ("dusun_ktp", "hamlet"),
        "address": ("alamat_ktp", "address"),
        "occupation": ("pekerjaan_ktp", "occupation"),
        "education": ("pendidikan_akhir_ktp", "last education"),
    }
    return [
        _card(),
        text(
            "nik", title="NIK", description="Person's number; empty for whoever has none.", unit="identifier",
            source="Dukcapil", nullable=True, checks=[IDENTIFIER], aliases=NIK_ALIASES,
        ),
        text("name", title="Name", description="Full name.", source=SOURCE, nullable=True, aliases=NAME_ALIASES),
        column(
            "birth_date", pl.Date, "Birth date", "Date of birth.", unit="date", source=SOURCE, nullable=True,
            aliases=BIRTH_ALIASES,
        ),
        word(
            "sex", "Sex", "Sex as on the identity card.", Sex, source=SOURCE, nullable=True, aliases=SEX_ALIASES,
            spellings=SEX_SPELLINGS,
        ),
        code(
            "relation", "Relation", "Relation to the head (Regsosek 409).", RELATIONS, source=SOURCE, nullable=True,
            aliases=RELATION_ALIASES, spellings=RELATION_SPELLINGS,
        ),
        _flag("has_national_health_subsidy", "pbi_nas", "Health insurance paid by the state"),
        _flag("has_regional_health_subsidy", "pbi_pemda", "Health insurance paid by the region"),
        _code("marital_status", "status_kawin", "Marital status", MARITAL, spellings=MARITAL_SPELLINGS),
        _code("school_participation", "partisipasi_sekolah", "School", SCHOOLING),
        _code("school_level", "jenjang_tertinggi_yang_diduduki", "School level", LEVELS),
        _code("school_class", "kelas_tertinggi_yang_diduduki", "Class", range(1, CLASSES + 1)),
        _code("education", "ijazah_tertinggi_yang_dimiliki", "Certificate", CERTIFICATES),
        _flag("has_work", "status_bekerja", "Works"),
        _code("work_industry", "lapangan_usaha_dari_pekerjaan_utama", "Industry of the main work",
              range(INDUSTRIES + 1)),
        _code("work_position", "status_dalam_pekerjaan_utama", "Work position", WORK),
        _flag("has_business", "kepemilikan_usaha", "Owns a business"),
        _count("business_count", "jumlah_usaha", "Businesses", "businesses"),
        _code("business_industry", "lapangan_usaha_dari_usaha_utama", "Industry of the main business",
              range(INDUSTRIES + 1)),
        _count("paid_worker_count", "jumlah_pekerja_yang_dibayar_dari_usaha_utama", "Paid workers", "persons"),
        _count("unpaid_worker_count", "jumlah_pekerja_yang_tidak_dibayar_dari_usaha_utama", "Unpaid workers",
               "persons"),
        _code("business_turnover", "omzet_usaha_utama", "Monthly turnover of the main business", TURNOVER),
        _code("nutrition", "kondisi_gizi", "Nutrition of a child", NUTRITION),
        *(_code(f"{name}_difficulty", field, title, DIFFICULTY) for name, (field, title) in difficulties.items()),
        _code("depression", "kesedihan_depresi", "Sadness or depression", FREQUENCY),
        _code("chronic_illness", "penyakit_kronis", "Chronic illness", range(ILLNESSES + 1)),
        *(
            _region(f"identity_card_{level}_code_stated", f"kode_{field}_ktp", f"{level.capitalize()} code on the card")
            for level, field in (("province", "provinsi"), ("regency", "kabupaten_kota"), ("district", "kecamatan"),
                                 ("village", "kelurahan_desa"))
        ),
        *(
            _text(f"identity_card_{name}", field, f"{title.capitalize()} on the identity card")
            for name, (field, title) in by_card.items()
        ),
    ]  # fmt: skip
