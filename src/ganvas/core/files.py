"""Files that are whole or not there: written beside, flushed to the disk, then renamed."""

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganvas.core.errors import DataError

_ABANDONED = 3600.0  # seconds after which nobody is writing a small file any more


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; when the block ends well it is flushed and takes the place of `path`.

    If the block raises, nothing is left and `path` is as it was. A kill leaves at most a file ending in ".partial".
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _beside(path)
    try:
        yield partial
        flush(partial)
        os.replace(partial, path)
        flush(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a kill at any moment, sees the old content or the new, never a part."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def write_unflushed(path: Path, content: bytes) -> None:
    """`write_bytes` without waiting for the disk, for thousands of files: only a power cut may leave one cut off."""
    partial = _beside(path)
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


_LONG_NAME = 220  # bytes of a name


def _beside(path: Path) -> Path:
    """A name that no other process or thread takes, however many write the same file."""
    name = path.name.encode()[:_LONG_NAME].decode(errors="ignore")  # file systems take 255 bytes
    return path.with_name(f".{name}.{secrets.token_hex(4)}.partial")


def remove_abandoned(folder: Path, names: str) -> None:
    """Remove what kills left half-written of files of these names (a pattern), unless it may be in the making."""
    for partial in folder.glob(f".{names}*.partial"):
        with suppress(FileNotFoundError):  # another process removes the same
            if time.time() - partial.stat().st_mtime > _ABANDONED:
                partial.unlink()


def write_text(path: Path, content: str) -> None:
    """`write_bytes` for UTF-8 text."""
    write_bytes(path, content.encode())


@contextmanager
def written_to(out: str | Path, advice: str = "Choose another --out") -> Iterator[None]:
    """Around what writes to `out`: an OSError becomes a DataError that names it and says what to do."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror or error}. {advice}") from None


def check_writable(path: Path) -> None:
    """Raise OSError, as far as can be known without touching anything, if a file could not be written there."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def flush(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, has reached the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder; its rename is journaled
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of_file(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
