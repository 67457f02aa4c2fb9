"""IDX files, as of the MNIST family, plain or gzipped.

Format: LeCun, Cortes and Burges, "The MNIST database of handwritten digits": two zero bytes, a type, the number of
dimensions, each dimension as a big-endian 32-bit number, then the values.
"""

import gzip
import math
import re
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ganvas.core.errors import DataError
from ganvas.data.listing import natural_order
from ganvas.data.source import ArraySource, signature_of

MAX_INFLATED = 2 * 2**30
_UINT8 = 0x08
_DEFLATE_AT_BEST = 1032  # deflate cannot pack to less than a 1032nd; a gzip that claims more lies
_IMAGES = re.compile(r"images[-.]idx[34]-ubyte(\.gz)?$")


class IdxFormat:
    """An IDX file of images, whose labels lie beside it; or a folder of such files, of which the training ones."""

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether a file begins as uint8 images in IDX do, or a folder holds files named so."""
        if path.is_dir():
            return bool(image_files(path))
        return path.is_file() and _begins_like_images(path)

    @staticmethod
    def open(path: Path) -> ArraySource:
        """Open the images; a folder must leave no doubt which are meant. Raises DataError."""
        return open_idx(_training_file(path) if path.is_dir() else path, str(path), path.name.split(".")[0])


def image_files(folder: Path) -> list[Path]:
    """The IDX files of images in a folder, one of a plain file and its gzipped twin."""
    found: dict[str, Path] = {}
    try:
        paths = sorted(folder.iterdir(), key=lambda path: natural_order(path.name))
    except OSError:
        return []
    for path in paths:  # "name" sorts before "name.gz"
        if _IMAGES.search(path.name) and path.is_file():
            found.setdefault(path.name.removesuffix(".gz"), path)
    return list(found.values())


def labels_beside(images: Path) -> Path | None:
    """The file of labels that belongs to a file of images."""
    name = re.sub(r"idx[34]", "idx1", images.name.replace("images", "labels"))
    plain = images.with_name(name.removesuffix(".gz"))
    gzipped = plain.with_name(plain.name + ".gz")
    return next((path for path in (plain, gzipped) if path != images and path.is_file()), None)


def open_idx(images: Path, where: str, name: str, classes: tuple[str, ...] = ()) -> ArraySource:
    """The pictures of one IDX file, with its labels when they lie beside it.

    classes: the names of labels 0, 1, ...; without them the labels' numbers are their names. Raises DataError.
    """
    shape, last = _picture_shape(_checked_shape(images), images)
    beside = labels_beside(images)
    labels = None
    notes = () if beside else (f"No labels lie beside {images}: its pictures have no classes.",)
    if beside:
        labels = read_idx(beside).astype(np.int64)
        if labels.shape != shape[:1]:
            raise DataError(f"{beside} has labels of shape {labels.shape} for {shape[0]} pictures in {images.name}.")
        if classes and labels.size and int(labels.max()) >= len(classes):
            raise DataError(f"{beside} has a label {labels.max()}, but there are {len(classes)} classes.")
    if labels is not None and not classes:
        values, labels = np.unique(labels, return_inverse=True)
        classes = tuple(str(value) for value in values)

    def load() -> np.ndarray:
        pictures = read_idx(images)
        return pictures.transpose(0, 3, 1, 2) if last else pictures.reshape(shape)

    files = [path for path in (images, beside) if path]
    return ArraySource(
        where=where,
        name=name,
        kind="idx",
        signature=signature_of([(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]),
        classes=classes if labels is not None else (),
        labels=labels,
        notes=notes,
        shape=shape,
        load=load,
    )


def read_idx(path: Path) -> np.ndarray:
    """The uint8 values of an IDX file, in its shape; a plain file stays on the disk and is mapped.

    Raises DataError when the file's length is not what its header says, before memory is taken for it.
    """
    shape = _checked_shape(path)
    start, length = 4 + 4 * len(shape), math.prod(shape)
    if not _is_gzip(path):
        return np.memmap(path, np.uint8, "r", start, shape) if length else np.zeros(shape, np.uint8)
    values = np.empty(length, np.uint8)
    try:
        with gzip.open(path) as stream:
            stream.read(start)
            filled = _fill(stream, memoryview(values.data))
            if filled < length or stream.read(1):
                raise DataError(f"{path} does not have the {length:,} values that its header promises: get it again.")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}): get it again.") from None
    return values.reshape(shape)


def _checked_shape(path: Path) -> tuple[int, ...]:
    """The shape in a file's header, if the file can be as long as that; no values are read."""
    shape = _read_shape(path)
    length, size = math.prod(shape), path.stat().st_size
    if not _is_gzip(path):
        if size != (needed := 4 + 4 * len(shape) + length):
            raise DataError(f"{path} has {size:,} bytes, but {needed:,} by its header: get it again.")
    elif length > size * _DEFLATE_AT_BEST:
        raise DataError(f"{path} cannot hold the {length:,} values that its header promises: get it again.")
    elif length > MAX_INFLATED:
        raise DataError(f"{path} holds {length / 2**30:.1f} GB when unpacked: unpack it with gunzip first.")
    return shape


def _fill(stream: gzip.GzipFile, room: memoryview) -> int:
    filled = 0
    while filled < len(room) and (count := stream.readinto(room[filled : filled + 2**20])):
        filled += count
    return filled


def _read_shape(path: Path) -> tuple[int, ...]:
    try:
        with _open(path) as stream:
            head = stream.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] != _UINT8 or not 1 <= head[3] <= 4:
                raise DataError(f"{path} is not an IDX file of bytes in one to four dimensions.")
            dimensions = stream.read(4 * head[3])
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): get it again.") from None
    if len(dimensions) < 4 * head[3]:
        raise DataError(f"{path} ends within its header: get it again.")
    return tuple(int(number) for number in np.frombuffer(dimensions, ">u4"))


def _picture_shape(shape: tuple[int, ...], path: Path) -> tuple[tuple[int, int, int, int], bool]:
    """[N, C, H, W] of images from the shape in the file, and whether the channels come last in it."""
    if len(shape) == 3:
        shape = (shape[0], 1, *shape[1:])
    if len(shape) == 4 and min(shape[1:]) >= 1:
        number, a, b, c = shape
        if a in (1, 3, 4):
            return (number, a, b, c), False
        if c in (1, 3, 4):
            return (number, c, a, b), True
    raise DataError(f"{path} has the shape {shape}, which is not that of pictures.")


def _begins_like_images(path: Path) -> bool:
    try:
        with _open(path) as stream:
            head = stream.read(4)
    except (OSError, EOFError, zlib.error):
        return bool(_IMAGES.search(path.name))
    return head[:3] == b"\0\0\x08" and head[3:] in (b"\3", b"\4")


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _open(path: Path) -> BinaryIO:
    return gzip.open(path) if _is_gzip(path) else path.open("rb")  # type: ignore[return-value]


def _training_file(folder: Path) -> Path:
    files = image_files(folder)
    training = [path for path in files if "train" in path.name.lower()] or files
    if len(training) > 1:
        names = ", ".join(path.name for path in training[:4])
        raise DataError(f"{folder} has several sets of images: name the file you mean, for example {names}.")
    return training[0]
