"""A zip of pictures, read in memory: no name in it ever becomes a path on the disk."""

import itertools
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from ganvas.core.errors import DataError
from ganvas.data.decode import MAX_BYTES
from ganvas.data.listing import arrange, begins_like_a_picture, is_foreign, is_picture, is_skipped, suffix_of
from ganvas.data.report import SetAside
from ganvas.data.source import EncodedSource, Entry, signature_of

MAX_DIRECTORY = 128 * 2**20  # bytes of the list of entries: some 1.4 million of them
MAX_RATIO = 200  # no picture is packed to less than a 200th of its size ...
SMALL = 2**20  # ... unless it is so small that it does no harm
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others unpack in strides that cannot be bounded
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class ZipFormat:
    """A zip; its folders are classes."""

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether a file begins as a zip does, whatever it is called."""
        return path.is_file() and (path.suffix.lower() == ".zip" or _head(path) in (b"PK\x03\x04", b"PK\x05\x06"))

    @staticmethod
    def open(path: Path) -> EncodedSource:
        """List the zip. Raises DataError when its list of entries is damaged or enormous."""
        archive = _directory(path)
        entries: list[Entry] = []
        aside: list[SetAside] = []
        others: Counter[str] = Counter()
        overlapping = _overlapping(archive.infolist())
        for info in archive.infolist():
            parts = info.filename.replace("\\", "/").split("/")
            name = "/".join(part for part in parts if part not in ("", ".")).encode("utf-8", "replace").decode()
            suffix = suffix_of(name)
            if info.is_dir() or is_skipped(name):
                continue
            known = is_picture(suffix)
            if is_foreign(suffix):
                aside.append(SetAside(name, f"{suffix[1:]} is not read; save it as PNG or JPEG"))
            elif reason := _refusal(info, overlapping):
                if known:
                    aside.append(SetAside(name, reason))
                else:
                    others[suffix] += 1
            elif known or _begins_like_a_picture(archive, info):
                entries.append(Entry(name, info.file_size, info.CRC, info))
            else:
                others[suffix] += 1
        arranged = arrange(entries)
        status = path.stat()
        return EncodedSource(
            where=str(path),
            name=path.stem,
            kind="a zip",
            signature=signature_of([status.st_size, status.st_mtime_ns]),
            classes=arranged.classes,
            labels=arranged.labels,
            aside=(*aside, *arranged.aside),
            others=others,
            notes=tuple(arranged.notes),
            entries=arranged.entries,
            open=lambda entry: _opened(archive, entry.key),
            release=lambda: _close(archive),
        )


class _Bounded:
    """A file that is not read in larger pieces than a zip's list of entries may have."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY:
            raise DataError(f"{self._path}: the list of files in this zip is too long; make several zips, or a folder.")
        return self._stream.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(4)
    except OSError:
        return b""


def _directory(path: Path) -> zipfile.ZipFile:
    stream = path.open("rb")
    try:
        return zipfile.ZipFile(cast(BinaryIO, _Bounded(stream, path)))
    except DataError:
        stream.close()
        raise
    except _DAMAGE as error:
        stream.close()
        raise DataError(f"{path} is not a zip, or is damaged ({error}): pack it again.") from None


def _close(archive: zipfile.ZipFile) -> None:
    stream = archive.fp
    archive.close()
    if stream:
        stream.close()


def _overlapping(infos: list[zipfile.ZipInfo]) -> set[int]:
    """Where entries begin that run into the next one: a bomb lets many share the same packed bytes."""
    infos = sorted(infos, key=lambda info: info.header_offset)
    pairs = itertools.pairwise(infos)
    return {a.header_offset for a, b in pairs if a.header_offset + 30 + a.compress_size > b.header_offset}


def _refusal(info: zipfile.ZipInfo, overlapping: set[int]) -> str:
    """Why an entry is not to be unpacked; empty when it may be."""
    steps = info.filename.replace("\\", "/").split("/")
    if ".." in steps or steps[0] == "" or steps[0].endswith(":"):
        return "its name points out of the zip"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return "is packed in a way that is not read; pack the zip with deflate"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if info.file_size > MAX_BYTES:
        return f"is larger than {MAX_BYTES >> 20} MB"
    if info.file_size > max(SMALL, MAX_RATIO * info.compress_size) or info.header_offset in overlapping:
        return "unpacks to far more than a picture would: it may be a zip bomb"
    return ""


def _begins_like_a_picture(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(info) as stream:
            return begins_like_a_picture(stream.read(16))
    except _DAMAGE:
        return False


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> BinaryIO:
    """A stream of one entry; zipfile stops it at the size that the entry declares, and checks its sum."""
    try:
        return cast(BinaryIO, _Entry(archive.open(info)))
    except _DAMAGE as error:
        raise OSError(f"damaged in the zip: {error}") from None


class _Entry:
    """An open entry of a zip, whose many kinds of damage all appear as OSError."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __enter__(self) -> "_Entry":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int = -1) -> bytes:
        with _as_oserror():
            return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        with _as_oserror():
            return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


@contextmanager
def _as_oserror() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise OSError(f"damaged in the zip: {error}") from None
