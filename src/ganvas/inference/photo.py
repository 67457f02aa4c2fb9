"""A picture file with all that has to come out again: its bits, transparency, EXIF and colour profile.

Pillow reads 16 bits of a grey picture and the upper 8 of a coloured one. Asked for the other order of bytes it gives
the lower 8, so coloured ones are decoded twice.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base

from ganvas.data.decode import MAX_HEADER_BYTES, MAX_PIXELS, Unreadable, decodable, orientation_of
from ganvas.data.fit import eight_bits, upright

MOST_BYTES = 8 * MAX_PIXELS + MAX_HEADER_BYTES  # of a file: 16 bits of colours and transparency, uncompressed
_AT_ONCE = 256  # rows that are turned from Pillow's form to numpy's
_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_WIDE = {"RGB": 3, "RGBA": 4}  # 16-bit layouts that are decoded twice, with their channels
_BITS, _PLANAR, _APART = 258, 284, 2  # TIFF tags, and the value of the latter where each channel lies by itself
_PROFILES = {"L": b"GRAY", "RGB": b"RGB "}
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # EXIF orientation -> upright, of [H, W, C]
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels[::-1].transpose(1, 0, 2),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: pixels.transpose(1, 0, 2)[::-1],
}


@dataclass
class Kept:
    """What a file says beside its pixels. exif: orientation upright; None without. profile: ICC; None without."""

    exif: Image.Exif | None = None
    profile: bytes | None = None


@dataclass
class Photo:
    """A decoded picture, upright, its first frame.

    pixels: a Pillow image of mode L, LA, RGB or RGBA, or uint16 [H, W, C] with 1 to 4 channels. notes: what could not
    be kept as it was, each the end of a sentence that begins with the picture's name.
    """

    pixels: Image.Image | np.ndarray
    kept: Kept = field(default_factory=Kept)
    notes: list[str] = field(default_factory=list)

    @property
    def height(self) -> int:
        """In pixels."""
        return self.pixels.height if isinstance(self.pixels, Image.Image) else self.pixels.shape[0]

    @property
    def width(self) -> int:
        """In pixels."""
        return self.pixels.width if isinstance(self.pixels, Image.Image) else self.pixels.shape[1]

    @property
    def bits(self) -> int:
        """8 or 16, of a channel."""
        return 8 if isinstance(self.pixels, Image.Image) else 16

    @property
    def channels(self) -> int:
        """1 to 4: grey, grey and alpha, colours, colours and alpha."""
        return len(self.pixels.getbands()) if isinstance(self.pixels, Image.Image) else self.pixels.shape[2]

    @property
    def grey(self) -> bool:
        """Whether it has no colours."""
        return self.channels < 3

    @property
    def transparent(self) -> bool:
        """Whether its last channel is alpha."""
        return self.channels % 2 == 0

    def cut(self, rows: slice, columns: slice) -> np.ndarray:
        """A part of it, uint8 or uint16 [rows, columns, C]."""
        if not isinstance(self.pixels, Image.Image):
            return np.ascontiguousarray(self.pixels[rows, columns])
        part = np.asarray(self.pixels.crop((columns.start, rows.start, columns.stop, rows.stop)))
        return part[:, :, None] if part.ndim == 2 else part


def read_photo(path: Path) -> Photo:
    """A picture file with what is to be kept. Raises Unreadable, also for a file that cannot be opened."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"cannot be opened ({error.strerror or error})") from None
    return photo_of(content)


def photo_of(content: bytes) -> Photo:
    """The picture in a file's bytes. Raises Unreadable."""
    notes = []
    with decodable(content, MOST_BYTES) as image:
        if getattr(image, "is_animated", False) and image.format != "MPO":  # phones keep a second view in these
            notes.append("has more than one frame or page: only the first is used")
        wide = _wide_layout(image)
        if not wide and _loses_bits(image):
            notes.append("has more than 8 bits a channel, of which 8 are kept")
        mode = image.mode
        if wide:
            pixels: Any = np.empty((image.height, image.width, _WIDE.get(wide, 2)), np.uint16)
            _add_byte(image, pixels, wide)
        else:
            image.load()
            pixels = _sixteen(image) if _is_wide_grey(image) else eight_bits(image)
        orientation, kept = orientation_of(image), _kept(image)
    if wide in _WIDE:
        with decodable(content, MOST_BYTES) as image:
            _decode_as(image, _with_other_byte)
            _add_byte(image, pixels, "lower")
    if mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        notes.append(f"is in {mode} and becomes RGB, by a plain formula and without its colour profile")
    if isinstance(pixels, Image.Image):
        pixels = upright(pixels, orientation)
    elif orientation in _TURNS:
        pixels = _TURNS[orientation](pixels)
    photo = Photo(pixels, kept, notes)
    photo.kept.profile = fitting_profile(kept.profile, photo.grey)
    return photo


def fitting_profile(profile: bytes | None, grey: bool) -> bytes | None:
    """A colour profile if it is one of grey pictures, or of RGB ones; else None."""
    return profile if profile and profile[16:20] == _PROFILES["L" if grey else "RGB"] else None


def _wide_layout(image: Image.Image) -> str:
    """RGB, RGBA or LA where a picture has 16 bits a channel of these, else nothing. Raises Unreadable for others."""
    layouts = {_layout(one.args) for one in getattr(image, "tile", ())}
    tags: Any = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS, ())
    if isinstance(bits, tuple) and len(bits) > 1 and max(bits) > 8 and tags.get(_PLANAR) == _APART:
        raise Unreadable("has 16 bits in channels that lie apart; save it again as PNG")  # Pillow takes it for 8
    wide = {layout.partition(";16")[0] for layout in layouts if ";16" in layout}
    found = wide.pop() if len(wide) == 1 and len(layouts) == 1 else ""
    return found if found in (*_WIDE, "LA") and "transparency" not in image.info else ""


def _loses_bits(image: Image.Image) -> bool:
    """Whether Pillow hands on 8 bits of more, and nothing here gets at the rest."""
    if image.mode in ("F", "I"):
        return not _is_wide_grey(image)
    arguments = [one.args for one in getattr(image, "tile", ())]
    most = [one[1] for one in arguments if image.format == "PPM" and isinstance(one, tuple) and len(one) > 1]
    wide = any(";16" in _layout(one) for one in arguments) or any(isinstance(one, int) and one > 255 for one in most)
    return wide and not image.mode.startswith("I")


def _layout(arguments: Any) -> str:
    return str(arguments if isinstance(arguments, str) else arguments[0] if arguments else "")


def _with_other_byte(arguments: Any) -> Any:
    layout = _layout(arguments)
    other = layout[:-1] + _OTHER_BYTE[layout[-1]]
    return other if isinstance(arguments, str) else (other, *arguments[1:])


def _decode_as(image: Any, other: Callable[[Any], Any]) -> None:
    """Have Pillow take the bytes of a picture that is not loaded yet for those of another layout."""
    image.tile = [one._replace(args=other(one.args)) for one in image.tile]


def _add_byte(image: Image.Image, pixels: np.ndarray, which: str) -> None:
    """Decode into [H, W, C]: the upper bytes, then the "lower" ones; of grey with alpha both, as four channels."""
    if which == "LA":
        _decode_as(image, lambda arguments: "RGBA" if isinstance(arguments, str) else ("RGBA", *arguments[1:]))
    image.load()
    for top in range(0, image.height, _AT_ONCE):
        part = np.asarray(image.crop((0, top, image.width, min(image.height, top + _AT_ONCE)))).astype(np.uint16)
        rows = pixels[top : top + _AT_ONCE]
        if which == "LA":
            rows[:] = part[:, :, 0::2] << 8 | part[:, :, 1::2]
        elif which == "lower":
            rows |= part
        else:
            rows[:] = part << 8


def _is_wide_grey(image: Image.Image) -> bool:
    """Whether it is grey with 16 bits; those of PGM files come as 32-bit integers."""
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PPM", "PNG"))


def _sixteen(image: Image.Image) -> np.ndarray:
    """Grey with 16 bits as uint16 [H, W, 1], or [H, W, 2] where a value stands for transparency."""
    values = np.asarray(image).astype(np.uint16)
    clear = image.info.get("transparency")
    if not isinstance(clear, int):
        return values[:, :, None]
    return np.stack([values, np.where(values == clear, 0, 65535).astype(np.uint16)], axis=2)


def _kept(image: Image.Image) -> Kept:
    exif: Image.Exif | None = None
    try:
        found = image.getexif()
        if image.format == "TIFF":
            found = _without_layout(found)
        found.get_ifd(IFD.Exif)  # read now: the file is closed later
        found.get_ifd(IFD.GPSInfo)
        found.pop(Base.Orientation, None)  # the pixels are turned
        found.tobytes()
        exif = found if len(found) or any(map(found.get_ifd, (IFD.Exif, IFD.GPSInfo))) else None
    except Exception:  # a damaged EXIF block must not cost the picture
        exif = None
    profile = image.info.get("icc_profile")
    return Kept(exif, profile if isinstance(profile, bytes) else None)


_ABOUT_PICTURES = (  # EXIF tags that tell of the picture and its maker, not of how a TIFF lays its pixels out
    *(Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist, Base.HostComputer),
    *(Base.Copyright, Base.Orientation),
)


def _without_layout(exif: Image.Exif) -> Image.Exif:
    kept = Image.Exif()
    for tag in _ABOUT_PICTURES:
        if tag in exif:
            kept[tag] = exif[tag]
    for part in (IFD.Exif, IFD.GPSInfo):
        kept.get_ifd(part).update(exif.get_ifd(part))
    return kept
