"""Plain, gzip and zip files as bounded streams of bytes, and the limits no delivery passes. What they say is formats'.

Nothing is unpacked under a name an archive chose: members are streamed, or copied into a temporary file without a name.
"""

import gzip
import os
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast

from schemas.errors import FileRefused
from schemas.messages import words

ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
EMPTY_ZIP = b"PK\x05\x06"
UNPACKING_FAULTS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError)
"""What the standard library raises for a damaged or unsupported gzip or zip."""

_LITTER = {".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "nohup.out"}
_LITTER_BEGINS, _LITTER_ENDS = ("~$", "._", ".~lock."), (".tmp", ".bak", "~", ".swp")
_SAVED_BY_EDITOR = "#"
"""How programs call the files they leave beside others: owners of open documents, previews, what is being written,
copies of what was there before."""
_HALF_ARRIVED = (".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload")
"""How programs call a file that they are still fetching, or did not fetch to its end."""
_LONG_NUMBER = re.compile(r"(?:\d[\s.'/-]?){8,}")
_COPY_BYTES = 1 << 20
_NAME_CHARS = 80
_END_BYTES = 66_000
_END_RECORD = 22
_FREE_BYTES = 16 << 20


@dataclass(frozen=True)
class Limits:
    """What a delivered file may not exceed.

    Attributes
    ----------
    unpacked_bytes : int
        Bytes a gzip or zip may unpack to.
    ratio : int
        Unpacked over packed bytes; looked at from 16 MiB on. Tables of codes reach 40, bombs 1,000.
    workbook_bytes : int
        Bytes the parts of a workbook may unpack to.
    workbook_memory, workbook_seconds : int
        Bytes and processor seconds the reader of workbooks may use beyond what it starts with.
    members, directory_bytes : int
        Files in a zip and bytes of its directory.
    columns : int
        Columns of a table.
    cell_chars : int
        Characters of a cell (a spreadsheet holds 32,767); a longer one is cut and its row set aside.
    row_bytes : int
        Bytes of one row, JSON object or boundary.
    """

    unpacked_bytes: int = 32 << 30
    ratio: int = 250
    workbook_bytes: int = 512 << 20
    workbook_memory: int = 640 << 20
    workbook_seconds: int = 60
    members: int = 1_000
    directory_bytes: int = 1 << 20
    columns: int = 2_000
    cell_chars: int = 32_767
    row_bytes: int = 8 << 20


LIMITS = Limits()


@dataclass(frozen=True)
class Source:
    """The bytes of a delivery without its wrapping.

    Attributes
    ----------
    name : str
        Name of the delivered file as it may be shown.
    open : callable
        A fresh stream from the first byte.
    path : Path or None
        Where the bytes lie, if the delivery is not packed.
    """

    name: str
    open: Callable[[], BinaryIO]
    path: Path | None = None

    def start(self, size: int) -> bytes:
        """The first bytes."""
        with self.open() as stream:
            return self.read(stream, size)

    def read(self, stream: BinaryIO, size: int) -> bytes:
        """The next `size` bytes of a stream, fewer only at its end.

        Raises
        ------
        FileRefused
            If the packing is damaged.
        """
        try:
            return stream.read(size)
        except UNPACKING_FAULTS:
            raise FileRefused("damaged", file=self.name) from None

    def file(self) -> BinaryIO:
        """The bytes as a file that can be sought; packed ones are copied into a temporary file without a name."""
        if self.path is not None:
            return self.path.open("rb")
        copy = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
        with self.open() as stream:
            while block := self.read(stream, _COPY_BYTES):
                copy.write(block)
        copy.seek(0)
        return copy


class _Bounded(RawIOBase):
    """A stream that refuses to unpack more than the limits allow, and closes what lies beneath it."""

    def __init__(
        self,
        inner: IO[bytes],
        beneath: IO[bytes] | zipfile.ZipFile,
        packed: Callable[[], int],
        name: str,
        limits: Limits,
    ) -> None:
        self._inner, self._beneath, self._packed, self._name, self._limits = inner, beneath, packed, name, limits
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - what the standard library hands in
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        self._unpacked += len(data)
        allowed = max(_FREE_BYTES, self._limits.ratio * self._packed())
        if self._unpacked > min(allowed, self._limits.unpacked_bytes):
            raise FileRefused("bomb", file=self._name)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._beneath.close()
        super().close()


def name_of(path: Path) -> str:
    """Name of a file as text, whatever its bytes: what is no UTF-8 in it, as a zip from Windows leaves, is replaced."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def shown(path: Path) -> str:
    """Name of a file as it may stand in a message: printable, of bounded length."""
    return legible(name_of(path))


def legible(text: str) -> str:
    """Foreign text as it may stand in a message: printable, of bounded length."""
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= _NAME_CHARS else f"{text[:_NAME_CHARS]}…"


def is_somebodys(text: str) -> bool:
    """Whether a text holds eight digits or more in a row, as a person's number or a birth date."""
    return bool(_LONG_NUMBER.search(text))


def masked(text: str) -> str:
    """Foreign text as it may stand in a message, its long numbers hidden."""
    return legible(_LONG_NUMBER.sub("********", text))


def refuse_half_arrived(path: Path) -> None:
    """Refuse a file whose name is that of a download under way.

    Raises
    ------
    FileRefused
        If it is one.
    """
    if path.name.lower().endswith(_HALF_ARRIVED):
        raise FileRefused("half_arrived", file=shown(path))


def source_of(path: Path, limits: Limits, is_workbook: Callable[[Sequence[str]], bool]) -> Source:
    """The bytes of a delivered file, out of its gzip or zip if it has one.

    Parameters
    ----------
    is_workbook : callable
        Whether the members of a zip make it a workbook, which is not taken apart.

    Raises
    ------
    FileRefused
        If it is no ordinary file, has not arrived yet, cannot be read, is empty, or the archive is damaged, protected,
        holds another archive or several files, names a path out of itself, or unpacks to more than the limits allow.
    """
    name = shown(path)
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            kind = "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "device"
            raise FileRefused("no_file", file=name, kind=words(f"file_kind.{kind}"))
        refuse_half_arrived(path)
        with path.open("rb") as opened:
            start = opened.read(len(ZIP))
    except OSError:
        raise FileRefused("unreadable", file=name) from None
    if start[:2] == GZIP:
        inner = Source(name, lambda: _gunzipped(path, name, limits))
    elif start in {ZIP, EMPTY_ZIP}:
        with path.open("rb") as opened:
            names = _members(opened, name, limits)
        if is_workbook(names):
            return Source(name, lambda: path.open("rb"), path)
        member = _only_member(name, names)
        inner = Source(name, lambda: _unzipped(path, member, name, limits))
    else:
        return Source(name, lambda: path.open("rb"), path)
    start = inner.start(len(ZIP))
    # A workbook is a zip as well: only with its directory at hand is it known from an archive in an archive.
    if start[:2] == GZIP or (start in {ZIP, EMPTY_ZIP} and not is_workbook(_members_inside(inner, limits))):
        raise FileRefused("archive_in_archive", file=name)
    return inner


def _members_inside(packed: Source, limits: Limits) -> list[str]:
    with packed.file() as copied:
        return _members(copied, packed.name, limits)


def _gunzipped(path: Path, name: str, limits: Limits) -> BinaryIO:
    packed = path.open("rb")
    inner = cast("IO[bytes]", gzip.GzipFile(fileobj=packed))
    return cast("BinaryIO", BufferedReader(_Bounded(inner, packed, packed.tell, name, limits), _COPY_BYTES))


def _unzipped(path: Path, member: str, name: str, limits: Limits) -> BinaryIO:
    archive = zipfile.ZipFile(path)
    info = archive.getinfo(member)
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        archive.close()
        raise FileRefused("strange_packing", file=name)
    # The library reads no more than the directory promises, so that a promise within the limits is kept.
    if info.file_size > min(limits.unpacked_bytes, max(_FREE_BYTES, limits.ratio * info.compress_size)):
        archive.close()
        raise FileRefused("bomb", file=name)
    try:
        inner = archive.open(info)
    except UNPACKING_FAULTS:
        archive.close()
        raise FileRefused("damaged", file=name) from None
    bounded = _Bounded(inner, archive, lambda: info.compress_size, name, limits)
    return cast("BinaryIO", BufferedReader(bounded, _COPY_BYTES))


def _members(opened: BinaryIO, name: str, limits: Limits) -> list[str]:
    """Names in a zip, folders and what macOS adds left out; the directory is measured before it is read."""
    size = opened.seek(0, os.SEEK_END)
    opened.seek(max(0, size - _END_BYTES))
    tail = opened.read()
    at = tail.rfind(EMPTY_ZIP)
    if at < 0 or len(tail) < at + _END_RECORD:
        raise FileRefused("damaged", file=name)
    directory = tail[at + 12 : at + 16]
    # A large zip says it again, in 64 bits, before the locator of that record.
    larger = tail[at - 36 : at - 28] if tail[max(0, at - 20) : at].startswith(b"PK\x06\x07") else directory
    if int.from_bytes(larger, "little") > limits.directory_bytes:
        raise FileRefused("too_many_files", file=name)
    try:
        with zipfile.ZipFile(opened) as archive:
            infos = archive.infolist()
    except UNPACKING_FAULTS:
        raise FileRefused("damaged", file=name) from None
    if len(infos) > limits.members:
        raise FileRefused("too_many_files", file=name)
    if any(info.flag_bits & 1 for info in infos):
        raise FileRefused("password", file=name)
    return [info.filename for info in infos if not info.is_dir() and not is_litter(info.filename)]


def is_litter(name: str) -> bool:
    """Whether a file is one that programs leave beside others and nobody delivers."""
    path = PurePosixPath(name)
    plain = path.name.lower()
    is_known = plain in _LITTER or plain.startswith(_LITTER_BEGINS) or plain.endswith(_LITTER_ENDS)
    is_saved = plain.startswith(_SAVED_BY_EDITOR) and plain.endswith(_SAVED_BY_EDITOR)
    return "__MACOSX" in path.parts or is_known or is_saved


def _only_member(name: str, names: Sequence[str]) -> str:
    for one in names:
        member = PurePosixPath(one.replace("\\", "/"))
        if member.is_absolute() or ".." in member.parts or ":" in one:
            raise FileRefused("path_out_of_archive", file=name)
    if len(names) != 1:
        raise FileRefused("several_files", file=name, count=len(names))
    return names[0]
