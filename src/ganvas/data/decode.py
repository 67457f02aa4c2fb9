"""Encoded pictures, read with suspicion: every limit is checked on the header, before a pixel is decoded.

The limits bound time and memory together: pixels and bytes of one picture, the pieces a file may be cut into, the
passes of a progressive JPEG, and one big picture at a time however many threads decode.
"""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

# The plugins register themselves on import; with them loaded, Image.open never goes looking for others.
from PIL import (
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from ganvas.core.errors import DataError
from ganvas.core.sizes import Size
from ganvas.data.fit import as_kept, cover, eight_bits, to_channels, upright

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM")
MAX_PIXELS = 100_000_000
MAX_BYTES = 256 * 2**20
MAX_HEADER_BYTES = 16 * 2**20  # what opening may read: EXIF, colour profiles, tables of strips
MAX_HEADER_READS = 20_000  # a file cut into millions of empty pieces would be walked in Python for hours
BYTES_PER_READ = 512  # while decoding: a file may be cut into pieces of this size on average, no smaller
MAX_JPEG_SCANS = 100  # a progressive JPEG has about 10; each is a pass over all its blocks
SLOW_CODECS = ("ppm_plain", "ppm", "bmp_rle")  # decoded in Python, pixel by pixel
MAX_SLOW_PIXELS = 4_000_000
BIG_PIXELS = 16_000_000
BIG_BYTES = 32 * 2**20
_ORIENTATION = 0x0112

_one_big_picture_at_a_time = threading.RLock()


class Unreadable(Exception):
    """A picture that has to be set aside; the message completes a sentence that begins with its name."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture's header tells. width, height: upright, where the header says how that is. channels: 1 when grey,
    else 3; transparency does not count there. transparent: whether there is any.
    """

    width: int
    height: int
    channels: int
    format: str
    mode: str
    transparent: bool


@contextmanager
def big_turn(size: int, limit: int) -> Iterator[None]:
    """Wait until no other thread holds something big, if this is; so threads do not multiply the greatest need."""
    if size <= limit:
        yield
        return
    with _one_big_picture_at_a_time:
        yield


@contextmanager
def one_picture(path: Path) -> Iterator[None]:
    """Within the block, what is wrong with a picture that a person has named is a DataError with its name."""
    try:
        with quiet_pillow():
            yield
    except Unreadable as error:
        raise DataError(f"{path} {error}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's remarks on odd metadata to itself. To be entered in the main thread, around all decoding.

    Warning filters belong to the process: entering this from several threads would leave them changed.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\b")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


class _Metered:
    """A stream that refuses to be read in more pieces, or further ahead, than an honest picture needs."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.reads_left = MAX_HEADER_READS
        self.bytes_left = MAX_HEADER_BYTES

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(min(size, self.bytes_left + 1) if size >= 0 else self.bytes_left + 1)
        self.reads_left -= 1
        self.bytes_left -= len(content)
        if self.reads_left < 0 or self.bytes_left < 0:
            raise Unreadable("is cut into more pieces, or has a longer header, than a picture needs")
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def look_at(stream: BinaryIO) -> Look:
    """The header of a picture: sizes, whether it is grey, format and mode. Raises Unreadable."""
    with _opened(stream) as (image, _):
        name = "JPEG" if image.format == "MPO" else image.format or ""
        size = as_kept(Size(image.height, image.width), _orientation_in_header(image))
        channels, transparent = 1 if _is_grey(image) else 3, image.has_transparency_data
        return Look(size.width, size.height, channels, name.lower(), image.mode, transparent)


def decode(content: bytes, size: int | Size, channels: int, smallest: int) -> np.ndarray:
    """A picture's bytes as uint8 [channels, H, W] of a size, upright, its first frame. Raises Unreadable.

    smallest: a picture with a shorter side than this, in pixels, is refused.
    """
    size = Size.of(size)
    with decodable(content) as image:
        if min(image.size) < smallest:
            raise Unreadable(f"is only {image.width} x {image.height} pixels")
        # JPEG: decoded at 1/2, 1/4 or 1/8 where that is plenty, however it will be turned.
        image.draft(None, (2 * size.longer, 2 * size.longer))
        image.load()
        orientation = orientation_of(image)
        return to_channels(cover(eight_bits(image, as_kept(size, orientation)), size, orientation), channels)


def decode_whole(content: bytes, channels: int) -> np.ndarray:
    """A picture's bytes as uint8 [channels, H, W] of its own size, upright, its first frame. Raises Unreadable."""
    with decodable(content) as image:
        image.load()
        return to_channels(upright(eight_bits(image), orientation_of(image)), channels)


@contextmanager
def decodable(content: bytes, most: int = MAX_BYTES) -> Iterator[Image.Image]:
    """A picture whose pixels may be decoded within the block, which is waited for where they are many.

    most: bytes that it may have. Whatever goes wrong within the block is raised as Unreadable.
    """
    if not content:
        raise Unreadable("is empty")
    if len(content) > most:
        raise Unreadable(f"is larger than {most >> 20} MB")
    with _opened(io.BytesIO(content)) as (image, metered):
        if image.format in ("JPEG", "MPO") and content.count(b"\xff\xda") > MAX_JPEG_SCANS:
            raise Unreadable("is a JPEG with more passes than any camera or program writes")
        metered.reads_left += len(content) // BYTES_PER_READ
        metered.bytes_left += 2 * len(content)
        with big_turn(image.width * image.height, BIG_PIXELS):
            yield image


@contextmanager
def _opened(stream: BinaryIO) -> Iterator[tuple[Image.Image, _Metered]]:
    metered = _Metered(stream)
    try:
        head = stream.read(12)
        if head[:4] == b"RIFF" and head[8:] == b"WEBP":
            metered.bytes_left += MAX_BYTES  # Pillow reads a WebP whole before it looks at it
        with Image.open(metered, formats=FORMATS) as image:  # type: ignore[arg-type]  # all that Pillow asks of it
            _check_limits(image)
            yield image, metered
    except Unreadable:
        raise
    except UnidentifiedImageError:
        raise Unreadable("is not a picture, or is damaged at its start") from None
    except Image.DecompressionBombError:
        raise Unreadable(f"says it has more than {MAX_PIXELS // 10**6} million pixels") from None
    except MemoryError:
        raise Unreadable("needs more memory to decode than there is") from None
    except Exception as error:  # Pillow raises nearly anything on damaged input, down to TypeError and KeyError
        raise Unreadable(_plain(error)) from None


def _check_limits(image: Image.Image) -> None:
    pixels = max(image.width * image.height, _tiff_tile_pixels(image))
    if pixels > MAX_PIXELS:
        raise Unreadable(f"has {pixels / 1e6:,.0f} million pixels, more than {MAX_PIXELS // 10**6} million")
    codecs = [part[0] for part in getattr(image, "tile", [])]
    if pixels > MAX_SLOW_PIXELS and any(codec in SLOW_CODECS for codec in codecs):
        raise Unreadable(f"is too large for the way it is packed ({codecs[0]}); save it again as PNG")


def _tiff_tile_pixels(image: Image.Image) -> int:
    tags = getattr(image, "tag_v2", {})  # TIFF only: a small picture may claim to be cut into enormous tiles
    width, height = (tags.get(tag, 0) for tag in (322, 323))
    return width * height if isinstance(width, int) and isinstance(height, int) else 0


def _plain(error: Exception) -> str:
    words = str(error).strip() or type(error).__name__
    cut_short = any(word in words.lower() for word in ("truncated", "end of file", "not enough image data"))
    return "is cut short" if cut_short else f"is damaged ({words[:120]})"


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation of a picture that was loaded, 1 where it has none."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block must not cost the picture
        return 1


def _orientation_in_header(image: Image.Image) -> int:
    """The same without decoding. In a PNG it may stand behind the pixels; a TIFF's size is upright once it is open."""
    told = image.format != "TIFF" and (image.format != "PNG" or "exif" in image.info)
    return orientation_of(image) if told else 1


def _is_grey(image: Image.Image) -> bool:
    if image.mode in ("P", "PA"):
        return _palette_is_grey(image)
    return image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")


def _palette_is_grey(image: Image.Image) -> bool:
    if image.palette is None:
        return False
    mode, raw = image.palette.getdata()
    colours = np.frombuffer(bytes(raw), np.uint8)
    planes = len(colours) // 3 if mode.endswith(";L") else 0  # ";L" keeps all reds, then all greens, then all blues
    table = colours[: 3 * planes].reshape(3, planes).T if planes else None
    if table is None:
        step = 4 if mode in ("BGRX", "RGBX", "RGBA") else 3
        table = colours[: len(colours) // step * step].reshape(-1, step)
    return bool((table[:, 0] == table[:, 1]).all() and (table[:, 1] == table[:, 2]).all())
