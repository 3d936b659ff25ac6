"""What the person questions of Regsosek 2022 may be answered, and what headers and cells call them in deliveries.

The family's questions are in the questionnaire file. Source: BPS, Regsosek 2022-K; headers of DTSEN 2026, SIKS-NG,
OpenSID and the population register's book (BIP).
"""

from schemas.vocabularies import Sex

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
MARITAL = {1: "belum kawin", 2: "kawin", 3: "cerai hidup", 4: "cerai mati"}
SCHOOLING = {1: "tidak atau belum pernah sekolah", 2: "masih sekolah", 3: "tidak bersekolah lagi"}
LEVELS = dict(
    enumerate(
        (
            "Paket A", "SDLB", "SD", "MI", "SPM/PDF Ula", "Paket B", "SMPLB", "SMP", "MTs", "SPM/PDF Wustha", "Paket C",
            "SMLB", "SMA", "MA", "SMK", "MAK", "SPM/PDF Ulya", "D1/D2/D3", "D4/S1", "Profesi", "S2", "S3",
        ),
        start=1,
    )
)  # fmt: skip
"""Regsosek question 413, level of school."""
SCHOOL_STAGES = {"primary": (1, 5), "junior_secondary": (6, 10), "senior_secondary": (11, 17)}
"""First and last of `LEVELS` of each stage of school, the equivalent ones included."""
CERTIFICATES = {**LEVELS, 23: "tidak punya ijazah SD"}
WORK = {
    0: "tidak bekerja",
    1: "berusaha sendiri",
    2: "berusaha dibantu buruh tidak tetap",
    3: "berusaha dibantu buruh tetap",
    4: "buruh atau karyawan swasta",
    5: "PNS, TNI, Polri, BUMN, BUMD atau pejabat negara",
    6: "pekerja bebas pertanian",
    7: "pekerja bebas nonpertanian",
    8: "pekerja keluarga",
}
"""Regsosek question 418, with 0 for who does not work."""
DIFFICULTY = {1: "sama sekali tidak bisa", 2: "banyak kesulitan", 3: "sedikit kesulitan", 4: "tidak ada kesulitan"}
"""Regsosek questions 428a to 428i."""
FREQUENCY = {1: "sangat sering", 2: "sering", 3: "jarang", 4: "tidak pernah"}
NUTRITION = {1: "kurang gizi", 2: "kerdil", 3: "tidak ada catatan", 8: "tidak tahu"}
TURNOVER = {
    1: "di bawah 5 juta",
    2: "5 sampai di bawah 15 juta",
    3: "15 sampai di bawah 25 juta",
    4: "25 sampai di bawah 167 juta",
    5: "167 sampai di bawah 1.250 juta",
    6: "1.250 sampai di bawah 4.167 juta",
    7: "4.167 juta atau lebih",
}
CLOSETS = {1: "leher angsa", 2: "plengsengan dengan tutup", 3: "plengsengan tanpa tutup", 4: "cemplung atau cubluk"}
INDUSTRIES = 26
ILLNESSES = 18
CLASSES = 8
CARD_ALIASES = ["nomor_kartu_keluarga", "no_kk", "nokk", "kk", "nomor_kk", "no_kartu_keluarga"]
NIK_ALIASES = ["nomor_induk_kependudukan", "no_nik", "nik_anggota", "403_nik", "no_ktp"]
NAME_ALIASES = ["nama", "nama_lengkap", "nama_art", "402_nama", "nama_anggota_keluarga"]
BIRTH_ALIASES = ["tanggal_lahir", "tgl_lahir", "tanggallahir", "tgl_bln_th"]
SEX_ALIASES = ["jenis_kelamin", "jk", "gender", "405"]
SEX_SPELLINGS = {
    **dict.fromkeys(["l", "lk", "laki-laki", "laki laki", "lelaki", "pria", "m", "1"], str(Sex.MALE)),
    **dict.fromkeys(["p", "pr", "perempuan", "wanita", "f", "2"], str(Sex.FEMALE)),
}
RELATION_SPELLINGS = {
    **{word: str(one) for one, word in RELATIONS.items()},
    "kepala keluarga": "1", "kk": "1", "istri": "2", "isteri": "2", "suami": "2", "anak kandung": "3",
    "orang tua": "6", "orangtua": "6", "mertua": "6", "sopir": "7", "famili lain": "8", "lainnya": "8",
}  # fmt: skip
IMPAIRMENTS = {
    1: "fisik", 2: "netra/buta", 3: "rungu/wicara", 4: "mental/jiwa", 5: "fisik dan mental", 6: "lainnya",
    7: "tidak ada",
}  # fmt: skip
"""Kinds of disability of the population register (Dukcapil's form F-1.01); 7, of village software: none."""
NO_IMPAIRMENT = 7
IMPAIRMENT_SPELLINGS = {
    **{word: str(one) for one, word in IMPAIRMENTS.items()},
    **{f"cacat {word}": str(one) for one, word in IMPAIRMENTS.items() if one != NO_IMPAIRMENT},
    "tidak cacat": str(NO_IMPAIRMENT),
}
RELATION_ALIASES = [
    "status_hubungan_keluarga", "kd_hubungan_dg_kk", "hub_kepala_keluarga", "hubungan_dengan_kepala_keluarga",
    "shdk", "409",
]  # fmt: skip
MARITAL_SPELLINGS = {
    **{word: str(one) for one, word in MARITAL.items()}, "belum menikah": "1", "menikah": "2",
    # The family card says with it whether the office knows.
    **{f"{word} {known}": str(one) for one, word in MARITAL.items() if one > 1
       for known in ("tercatat", "belum tercatat", "tidak tercatat")},
}  # fmt: skip
