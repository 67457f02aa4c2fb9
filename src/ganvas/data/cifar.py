"""CIFAR-10 and CIFAR-100 as published: a folder or a .tar.gz, in the binary or in the python version.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. Nothing is unpacked to the disk and no
pickle is run.
"""

import gzip
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import numpy as np

from ganvas.core.errors import DataError
from ganvas.data.plainpickle import NotPlain, read_plain
from ganvas.data.source import ArraySource, signature_of

SIDE = 32
PIXELS = 3 * SIDE * SIDE
MAX_MEMBER = 192 * 2**20  # the largest file, CIFAR-100's train, has 155 MB
MAX_UNPACKED = 400 * 2**20  # the whole archives have less than half of this
_DAMAGE = (OSError, EOFError, zlib.error, tarfile.TarError)


@dataclass(frozen=True)
class Layout:
    """The files of one published version. label_bytes: how many precede each picture, the last one counts."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    names: str
    read: Callable[["Layout", str, bytes], tuple[np.ndarray, np.ndarray]]
    read_names: Callable[["Layout", str, bytes], tuple[str, ...]]
    label_bytes: int = 1
    label_key: str = "labels"
    names_key: str = "label_names"


def _read_binary(layout: Layout, name: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    record = layout.label_bytes + PIXELS
    if not content or len(content) % record:
        raise DataError(f"{name}: {len(content):,} bytes are not a whole number of pictures of {record} bytes.")
    records = np.frombuffer(content, np.uint8).reshape(-1, record)
    return records[:, layout.label_bytes :], records[:, layout.label_bytes - 1].astype(np.int64)


def _read_text_names(_: Layout, __: str, content: bytes) -> tuple[str, ...]:
    return tuple(line.strip() for line in content.decode("utf-8", "replace").splitlines() if line.strip())


def _read_python(layout: Layout, name: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    batch = _pickled(name, content)
    pixels, labels = _value(name, batch, "data"), _value(name, batch, layout.label_key)
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 2**31 for label in labels):
        raise DataError(f"{name} does not hold a list of labels.")
    if not isinstance(pixels, np.ndarray) or pixels.shape != (len(labels), PIXELS):
        raise DataError(f"{name} does not hold a row of {PIXELS} bytes for each of its {len(labels):,} labels.")
    return pixels, np.array(labels, np.int64)


def _read_python_names(layout: Layout, name: str, content: bytes) -> tuple[str, ...]:
    names = _value(name, _pickled(name, content), layout.names_key)
    if not isinstance(names, list):
        raise DataError(f"{name} does not hold a list of names.")
    return tuple(one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)[:200] for one in names)


def _pickled(name: str, content: bytes) -> dict[object, object]:
    try:
        value = read_plain(content)
    except NotPlain as error:
        raise DataError(f"{name} is not a batch of CIFAR: {error}. Nothing in it was run.") from None
    if not isinstance(value, dict):
        raise DataError(f"{name} is not a batch of CIFAR: it holds no dictionary.")
    return value


def _value(name: str, batch: dict[object, object], key: str) -> object:
    for spelled in (key, key.encode()):
        if spelled in batch:
            return batch[spelled]
    raise DataError(f"{name} is not a batch of CIFAR: it has no {key!r}.")


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
LAYOUTS = (
    Layout(
        tuple(f"{batch}.bin" for batch in _BATCHES),
        ("test_batch.bin",),
        "batches.meta.txt",
        _read_binary,
        _read_text_names,
    ),
    Layout(_BATCHES, ("test_batch",), "batches.meta", _read_python, _read_python_names),
    Layout(("train.bin",), ("test.bin",), "fine_label_names.txt", _read_binary, _read_text_names, label_bytes=2),
    Layout(
        ("train",),
        ("test",),
        "meta",
        _read_python,
        _read_python_names,
        label_key="fine_labels",
        names_key="fine_label_names",
    ),
)


class CifarFormat:
    """A folder with the files of one version, or the archive as downloaded."""

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether a folder has such files, or a file is a tar archive."""
        if path.is_dir():
            return any((path / layout.names).is_file() and _any_of(path, layout.train) for layout in LAYOUTS)
        return path.is_file() and _is_tar(path)

    @staticmethod
    def open(path: Path) -> ArraySource:
        """Open the training pictures."""
        return open_cifar(path, "train", str(path), path.name.removesuffix(".gz").removesuffix(".tar"))


def open_cifar(path: Path, part: str, where: str, name: str) -> ArraySource:
    """The pictures of CIFAR in a folder or an archive, with their fine labels. part: "train" or "test".

    Raises DataError when files are missing, damaged, or something else.
    """
    members = _members(path)
    for layout in LAYOUTS:
        files = layout.train if part == "train" else layout.test
        if layout.names in members and any(one in members for one in files):
            break
    else:
        raise DataError(
            f"{path} holds no {part} pictures of CIFAR-10 or CIFAR-100, and other tar archives are not read: "
            "unpack it, or pack the pictures as a zip."
        )
    classes = layout.read_names(layout, layout.names, members[layout.names])
    batches = [layout.read(layout, one, members[one]) for one in files if one in members]
    missing = [one for one in files if one not in members]
    labels = np.concatenate([label for _, label in batches])
    if labels.size and int(labels.max()) >= len(classes):
        raise DataError(f"{path} has a label {labels.max()}, but {layout.names} names {len(classes)} classes.")
    images = np.concatenate([pixels for pixels, _ in batches]).reshape(-1, 3, SIDE, SIDE)
    return ArraySource(
        where=where,
        name=name,
        kind="cifar",
        signature=signature_of([part, *_state(path)]),
        classes=classes,
        labels=labels,
        notes=(f"{path} lacks {', '.join(missing)}: the pictures in them are missing.",) if missing else (),
        shape=(len(images), 3, SIDE, SIDE),
        load=lambda: images,
    )


def _any_of(folder: Path, names: tuple[str, ...]) -> bool:
    return any((folder / name).is_file() for name in names)


def _wanted() -> set[str]:
    return {name for layout in LAYOUTS for name in (*layout.train, *layout.test, layout.names)}


def _state(path: Path) -> list[object]:
    paths = [path / name for name in sorted(_wanted()) if (path / name).is_file()] if path.is_dir() else [path]
    return [(str(one), one.stat().st_size, one.stat().st_mtime_ns) for one in paths]


def _members(path: Path) -> dict[str, bytes]:
    """The contents of the files that matter, by name, from a folder or an archive."""
    try:
        if path.is_dir():
            files = {name: path / name for name in _wanted() if (path / name).is_file()}
            return {name: _limited(name, file.stat().st_size, file.open("rb")) for name, file in files.items()}
        return _archived(path)
    except _DAMAGE as error:
        raise DataError(f"{path} is damaged ({error}): get it again.") from None


def _limited(name: str, size: int, stream: BinaryIO) -> bytes:
    with stream:
        if size > MAX_MEMBER:
            raise DataError(f"{name} has {size:,} bytes, far more than any file of CIFAR.")
        return stream.read(size)


class _Bounded:
    """A stream that ends in an error when an archive unpacks to far more than it should."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._left = MAX_UNPACKED

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(min(size, 2**20) if size >= 0 else 2**20)
        self._left -= len(content)
        if self._left < 0:
            raise DataError(f"{self._path} unpacks to more than {MAX_UNPACKED >> 20} MB, far more than CIFAR has.")
        return content


def _archived(path: Path) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    wanted = _wanted()
    with _inflated(path) as stream, tarfile.open(fileobj=cast(BinaryIO, _Bounded(stream, path)), mode="r|") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            content = archive.extractfile(member) if member.isreg() and name in wanted else None
            if content:
                members[name] = _limited(name, member.size, cast(BinaryIO, content))
    return members


def _inflated(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]


def _is_tar(path: Path) -> bool:
    try:
        with _inflated(path) as stream:
            return stream.read(512)[257:262] == b"ustar"
    except _DAMAGE:
        return path.name.endswith((".tar", ".tar.gz", ".tgz"))
