"""Picture files written from the top, row by row: PNG and TIFF as rows come, other formats when all are there.

Pillow writes 16 bits of grey pictures alone and takes a picture whole, so PNG (W3C, "Portable Network Graphics", third
edition) and TIFF (Adobe, "TIFF", revision 6.0; BigTIFF where 32 bits do not reach) are written here.
"""

import itertools
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from ganvas.core.errors import DataError
from ganvas.inference.photo import Kept, fitting_profile

FORMATS = {  # the ending of a name -> the format that it means
    ".png": "PNG",
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    ".webp": "WEBP",
    **dict.fromkeys((".bmp", ".dib"), "BMP"),
    **dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm"), "PPM"),
}
STREAMED = ("PNG", "TIFF")
MOST_WHOLE = 100_000_000  # pixels of a format that is written when all rows are there
_SIDES = {"JPEG": 65_500, "WEBP": 16_383}  # the longest that a format, or its library, has
_QUALITY: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "exact": True},
}
_TRANSPARENT = ("PNG", "TIFF", "WEBP")
_TELLING = ("PNG", "TIFF", "JPEG", "WEBP")  # hold EXIF and a colour profile
_MOST_EXIF = 65_533  # bytes of it in a JPEG
_LEVEL = 4  # of compression
_STRIP = 2**20  # bytes of a TIFF's strip, about
_CLASSIC = 3 * 2**30  # bytes of pixels up to which a TIFF's numbers have 32 bits


@dataclass(frozen=True)
class Shape:
    """What is written. channels: 1 to 4, as a photo's; bits: of a channel, 8 or 16."""

    height: int
    width: int
    channels: int
    bits: int

    @property
    def row_bytes(self) -> int:
        """Of a row of pixels."""
        return self.width * self.channels * self.bits // 8


class Sink(Protocol):
    """What takes the rows of a picture, from its top: arrays [rows, W, C], uint8 or uint16."""

    def add(self, rows: np.ndarray) -> None:
        """The next rows."""
        ...

    def close(self) -> None:
        """After the last row."""
        ...


def written_as(format: str, shape: Shape) -> tuple[Shape, list[str]]:
    """What becomes of a picture in a format, and what is lost, as ends of a sentence that begins with its name.

    Raises DataError if the format cannot hold so large a picture.
    """
    longest = max(shape.height, shape.width)
    if longest > _SIDES.get(format, longest):
        raise DataError(
            f"would have {shape.width} x {shape.height} pixels, and {format} has {_SIDES[format]} a side at most: "
            "use --format png"
        )
    if format not in STREAMED and shape.height * shape.width > MOST_WHOLE:
        raise DataError(
            f"would have {shape.height * shape.width / 1e6:,.0f} million pixels; {format} is written up to "
            f"{MOST_WHOLE // 10**6} million: use --format png or tiff"
        )
    notes = []
    channels, bits = shape.channels, shape.bits
    if channels % 2 == 0 and format not in _TRANSPARENT:
        notes.append(f"is transparent, and {format} is not: it is laid on white")
        channels -= 1
    if bits == 16 and format not in STREAMED and (format, channels) != ("PPM", 1):
        notes.append(f"has 16 bits a channel, and {format} has 8: use --format png to keep them")
        bits = 8
    if channels == 2 and (format == "WEBP" or (format, bits) == ("TIFF", 16)):
        channels = 4  # nothing reads grey with alpha in these
    return Shape(shape.height, shape.width, channels, bits), notes


def kept_in(format: str, kept: Kept, shape: Shape) -> tuple[Kept, list[str]]:
    """What a format holds beside the pixels of a result of this shape; and what is left out, as in `written_as`."""
    notes = []
    profile, exif = fitting_profile(kept.profile, shape.channels < 3), kept.exif
    if kept.profile and not profile:
        notes.append("has a colour profile of other channels than the result: it is left out")
    if exif is not None:
        about = exif.get_ifd(IFD.Exif)
        sides = {Base.ExifImageWidth: shape.width, Base.ExifImageHeight: shape.height}
        about.update({tag: side for tag, side in sides.items() if tag in about})
        if format == "JPEG" and len(exif.tobytes()) > _MOST_EXIF:
            notes.append("has more EXIF than a JPEG holds: it is left out")
            exif = None
    if format not in _TELLING and (profile or exif is not None):
        notes.append(f"has EXIF or a colour profile, which are not written to {format}")
    return Kept(exif, profile), notes


def fitted(rows: np.ndarray, shape: Shape) -> np.ndarray:
    """Rows [rows, W, C] with the channels and bits of a shape that `written_as` gave."""
    channels = rows.shape[2]
    full = np.iinfo(rows.dtype).max
    if channels % 2 == 0 and shape.channels % 2:
        share = rows[:, :, -1:].astype(np.float32) / full
        rows = np.rint(rows[:, :, :-1] * share + full * (1 - share)).astype(rows.dtype)
    elif channels == 2 and shape.channels == 4:
        rows = rows[:, :, [0, 0, 0, 1]]
    if rows.dtype == np.uint16 and shape.bits == 8:
        rows = ((rows.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return rows


@contextmanager
def sink(path: Path, format: str, shape: Shape, kept: Kept) -> Iterator[Sink]:
    """A file that takes the rows of a picture; it is whole when the block ends well."""
    with path.open("wb") as stream:
        taking = _SINKS.get(format, lambda *arguments: _Whole(format, *arguments))(stream, shape, kept)
        yield taking
        taking.close()


class _Png:
    """Rows are filtered by Paeth's predictor (section 9.2), which suits photos best, and deflated as they come."""

    def __init__(self, stream: BinaryIO, shape: Shape, kept: Kept) -> None:
        self._stream = stream
        self._shape = shape
        self._pack = zlib.compressobj(_LEVEL, strategy=zlib.Z_FILTERED)
        self._above = np.zeros(shape.row_bytes, np.uint8)
        stream.write(b"\x89PNG\r\n\x1a\n")
        colour = {1: 0, 2: 4, 3: 2, 4: 6}[shape.channels]
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", shape.width, shape.height, shape.bits, colour, 0, 0, 0))
        if kept.profile:
            self._chunk(b"iCCP", b"ICC\0\0" + zlib.compress(kept.profile))
        if kept.exif is not None:
            self._chunk(b"eXIf", kept.exif.tobytes().removeprefix(b"Exif\0\0"))

    def add(self, rows: np.ndarray) -> None:
        step = self._shape.channels * self._shape.bits // 8
        some = max(1, _STRIP // self._shape.row_bytes)
        for top in range(0, len(rows), some):
            part = np.ascontiguousarray(rows[top : top + some], ">u2" if self._shape.bits == 16 else np.uint8)
            here = part.view(np.uint8).reshape(len(part), -1)
            above = np.concatenate([self._above[None], here[:-1]])
            self._above = here[-1].copy()
            filtered = np.empty((len(here), 1 + here.shape[1]), np.uint8)
            filtered[:, 0] = 4
            filtered[:, 1:] = here - _paeth(here, above, step)
            self._data(self._pack.compress(filtered.tobytes()))

    def close(self) -> None:
        self._data(self._pack.flush())
        self._chunk(b"IEND", b"")

    def _data(self, content: bytes) -> None:
        if content:
            self._chunk(b"IDAT", content)

    def _chunk(self, kind: bytes, content: bytes) -> None:
        self._stream.write(struct.pack(">I", len(content)) + kind + content)
        self._stream.write(struct.pack(">I", zlib.crc32(kind + content)))


def _paeth(here: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    """What is expected of bytes [rows, bytes]: of the left, the upper and the upper left the one nearest to a + b - c.

    Section 9.4. step: bytes of a pixel.
    """
    left, corner = np.zeros_like(here), np.zeros_like(here)
    left[:, step:], corner[:, step:] = here[:, :-step], above[:, :-step]
    a, b, c = (some.astype(np.int16) for some in (left, above, corner))
    from_left, from_above, from_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    expected = np.where(from_above <= from_corner, above, corner)
    return np.where((from_left <= from_above) & (from_left <= from_corner), left, expected)


class _Tiff:
    """Strips of rows, as differences of neighbours (section 14), deflated. Where they lie is filled in at the end."""

    def __init__(self, stream: BinaryIO, shape: Shape, kept: Kept) -> None:
        self._stream, self._shape = stream, shape
        big = shape.row_bytes * shape.height > _CLASSIC
        self._header = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" if big else b"II*\0\x08\0\0\0"
        self._rows = max(1, min(shape.height, _STRIP // shape.row_bytes))
        strips = math.ceil(shape.height / self._rows)
        self._waiting: list[np.ndarray] = []
        self._lengths: list[int] = []
        self._tags = _directory(self._header, shape, self._rows, kept)
        for tag in (Base.StripOffsets, Base.StripByteCounts):
            self._tags.tagtype[tag] = 16 if big else 4
            self._tags[tag] = (0,) * strips
        stream.write(self._header)
        stream.write(self._tags.tobytes(len(self._header)))

    def add(self, rows: np.ndarray) -> None:
        held = np.concatenate([*self._waiting, rows])
        whole = len(held) // self._rows * self._rows
        for top in range(0, whole, self._rows):
            self._strip(held[top : top + self._rows])
        self._waiting = [held[whole:].copy()]

    def close(self) -> None:
        if len(self._waiting[0]):
            self._strip(self._waiting[0])
        # Pillow counts from the end of the directory, where the first strip lies.
        self._tags[Base.StripOffsets] = tuple(itertools.accumulate(self._lengths[:-1], initial=0))
        self._tags[Base.StripByteCounts] = tuple(self._lengths)
        self._stream.seek(len(self._header))
        self._stream.write(self._tags.tobytes(len(self._header)))

    def _strip(self, rows: np.ndarray) -> None:
        differences = rows.astype(f"<u{self._shape.bits // 8}")
        differences[:, 1:] -= rows[:, :-1]
        content = zlib.compress(differences.tobytes(), _LEVEL)
        self._lengths.append(len(content))
        self._stream.write(content)


def _directory(header: bytes, shape: Shape, rows: int, kept: Kept) -> Any:
    """A TIFF's tags, but for where its strips of so many rows lie."""
    tags: Any = ImageFileDirectory_v2(header)
    if kept.exif is not None:
        for tag, value in kept.exif.items():
            if tag not in (IFD.Exif, IFD.GPSInfo):
                tags[tag] = value
        for tag in (IFD.Exif, IFD.GPSInfo):
            if found := kept.exif.get_ifd(tag):
                tags.tagtype[tag] = 4
                tags[tag] = dict(found)
    if kept.profile:
        tags.tagtype[Base.InterColorProfile] = 7
        tags[Base.InterColorProfile] = kept.profile
    layout = {
        Base.ImageWidth: shape.width,
        Base.ImageLength: shape.height,
        Base.BitsPerSample: (shape.bits,) * shape.channels,
        Base.Compression: 8,
        Base.PhotometricInterpretation: 1 if shape.channels < 3 else 2,
        Base.SamplesPerPixel: shape.channels,
        Base.RowsPerStrip: rows,
        Base.PlanarConfiguration: 1,
        Base.Predictor: 2,
    }
    for tag, number in layout.items():
        tags[tag] = number
    if shape.channels % 2 == 0:
        tags[Base.ExtraSamples] = 2  # alpha, colours not multiplied by it
    return tags


class _Whole:
    """All rows, which Pillow writes at the end."""

    def __init__(self, format: str, stream: BinaryIO, shape: Shape, kept: Kept) -> None:
        self._format, self._stream, self._kept = format, stream, kept
        self._pixels = np.empty((shape.height, shape.width, shape.channels), np.uint8 if shape.bits == 8 else np.uint16)
        self._row = 0

    def add(self, rows: np.ndarray) -> None:
        self._pixels[self._row : self._row + len(rows)] = rows
        self._row += len(rows)

    def close(self) -> None:
        grey = self._pixels.shape[2] == 1
        image = Image.fromarray(self._pixels[:, :, 0] if grey else self._pixels)
        about: dict[str, Any] = dict(_QUALITY.get(self._format, {}))
        if self._format in _TELLING:
            if self._kept.exif is not None:
                about["exif"] = self._kept.exif.tobytes()
            if self._kept.profile:
                about["icc_profile"] = self._kept.profile
        image.save(self._stream, format=self._format, **about)


_SINKS: dict[str, Callable[[BinaryIO, Shape, Kept], Sink]] = {"PNG": _Png, "TIFF": _Tiff}
