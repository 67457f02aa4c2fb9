"""Decoded pictures on the disk, mapped into memory, for data sets that memory cannot hold.

Two files: the pixels followed by the indexes of the pictures that were kept, and a JSON file that names it and is
written last. A cache whose files changed, or whose own bytes did, is made again.
"""

import errno
import hashlib
import json
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from filelock import FileLock, Timeout

from ganvas.core.errors import DataError
from ganvas.core.files import replacing, write_text
from ganvas.core.places import megabytes, user_cache
from ganvas.data.loading import Decoded, Wish, blocks
from ganvas.data.report import SetAside, counted
from ganvas.data.source import Say, Source, signature_of

READER = 1  # raised when the same files would be decoded to other pixels than before
_CHECKED_BLOCK = 64 * 1024
_CHECKED_BLOCKS = 1024  # spread evenly: a cache of up to 64 MB is checked whole, a larger one in part


def decode_into_cache(source: Source, wish: Wish, say: Say) -> Decoded:
    """The source's pictures, mapped from the cache, which is made first if it is not there.

    Raises DataError when the disk is full or the cache folder cannot be written.
    """
    folder = user_cache() / "decoded"
    place = source.where + source.reading
    stem = re.sub(r"[^\w-]+", "-", source.name)[:40]
    key = f"{stem}-{wish.size}-{wish.channels}-{zlib.crc32(place.encode('utf-8', 'surrogatepass')):08x}"
    state = signature_of(
        [READER, PIL.__version__, place, source.signature, wish.size.plain, wish.channels, wish.smallest]
    )
    try:
        if found := _read(folder, key, state, wish):
            return found
        folder.mkdir(parents=True, exist_ok=True)
        with _turn(folder / f"{key}.lock", say):
            if found := _read(folder, key, state, wish):  # another process made it meanwhile
                return found
            _build(source, wish, say, folder, key, state)
        if found := _read(folder, key, state, wish):
            return found
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DataError(f"The disk is full: {folder} cannot hold the decoded pictures.") from None
        raise DataError(f"Cannot use the cache {folder} ({error.strerror or error}): set XDG_CACHE_HOME.") from None
    raise DataError(f"The cache in {folder} does not hold what was just written to it: check that disk.")


@contextmanager
def _turn(path: Path, say: Say) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        say("Another process is decoding these pictures; waiting for it.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _build(source: Source, wish: Wish, say: Say, folder: Path, key: str, state: str) -> None:
    needed = len(source) * (wish.picture_bytes + 8)
    for left in folder.glob(f".{key}-*.partial"):  # of a process that was killed
        left.unlink(missing_ok=True)
    if shutil.disk_usage(folder).free < needed:
        raise DataError(
            f"{folder} has no room for {megabytes(needed)} of decoded pictures: make room, or set\n"
            f"XDG_CACHE_HOME to a folder on a larger disk, or {source.less}."
        )
    say(f"Decoding {counted(len(source), source.unit)} once, to {megabytes(needed)} in {folder}")
    pixels = folder / f"{key}-{state[:16]}.pixels"
    kept: list[int] = []
    aside: list[SetAside] = []
    digest = hashlib.sha256()
    with replacing(pixels) as partial:
        with partial.open("wb") as stream:
            for block in blocks(source, wish, say):
                content = np.ascontiguousarray(block.images).data
                stream.write(content)
                digest.update(content)
                kept += block.kept
                aside += block.aside
            stream.write(np.array(kept, "<i8").tobytes())
        account: dict[str, Any] = {
            "state": state,
            "pixels": pixels.name,
            "count": len(kept),
            "pixels_sha256": digest.hexdigest(),
            "checked_sha256": _checked(partial),
            "aside": [[one.path, one.reason] for one in aside],
        }
    write_text(folder / f"{key}.json", json.dumps(account))
    for old in folder.glob(f"{key}-*.pixels"):
        if old != pixels:
            old.unlink(missing_ok=True)


def _read(folder: Path, key: str, state: str, wish: Wish) -> Decoded | None:
    """The cache of these very files, if there is one and it is whole."""
    try:
        account = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
        if account["state"] != state:
            return None
        path, count = folder / Path(account["pixels"]).name, int(account["count"])
        length = count * wish.picture_bytes
        if path.stat().st_size != length + 8 * count or _checked(path) != account["checked_sha256"]:
            return None
        aside = tuple(SetAside(name, reason) for name, reason in account["aside"])
        shape = (count, wish.channels, *wish.size.hw)
        images = np.memmap(path, np.uint8, "r", 0, shape) if count else np.empty(shape, np.uint8)
        kept = np.fromfile(path, "<i8", count, offset=length).astype(np.int64)
        return Decoded(images, kept, aside, str(account["pixels_sha256"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _checked(path: Path) -> str:
    """A hash over blocks of a file that are spread evenly from its first byte to its last."""
    size = path.stat().st_size
    last = max(0, size - _CHECKED_BLOCK)
    step = max(_CHECKED_BLOCK, size // _CHECKED_BLOCKS)
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as stream:
        for offset in [*range(0, last, step), last]:
            stream.seek(offset)
            digest.update(stream.read(_CHECKED_BLOCK))
    return digest.hexdigest()
