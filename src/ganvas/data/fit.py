"""Any picture, cut to the wanted shape, of the wanted size and the wanted number of channels, in uint8."""

import math

import numpy as np
from PIL import Image

from ganvas.core.sizes import Size

# What becomes of pictures, in the words of a protocol.
AS_THEY_ARE, SQUARED, BORDERED = "as they are", "centre squares, by Lanczos", "padded with 0"
CUT = "centre parts of that shape, by Lanczos"
PADDED = 4  # an array set that lacks at most so many pixels in height and width is padded, not resized: 28 -> 32
_TURNS = {  # EXIF orientation -> what brings the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS = (5, 6, 7, 8)  # which of them exchange height and width


def cut(size: Size) -> str:
    """What becomes of pictures of any shape, in words, that are brought to this size."""
    return SQUARED if size.square else CUT


def cover(image: Image.Image, size: Size, orientation: int = 1) -> Image.Image:
    """The centre of a picture, as much as has the shape of a size, brought to that size: nothing is squeezed.

    image: mode L, LA, RGB or RGBA; transparency is premultiplied while resizing, so hidden colours do not bleed.
    orientation: the EXIF value 1..8; applied to the small result, which gives the same as turning first.
    """
    size = as_kept(size, orientation)
    wanted = size.width, size.height
    if image.size != wanted:
        left, top, right, bottom = box = _centre(image, size)
        if (right - left, bottom - top) == wanted:
            image = image.crop((left, top, left + size.width, top + size.height))
        else:  # reducing_gap: whole-number box averaging down to three times the size, then Lanczos
            image = image.resize(wanted, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return upright(image, orientation)


def as_kept(size: Size, orientation: int) -> Size:
    """The size, before a picture is turned upright, of what is to have this size afterwards."""
    return size.turned if orientation in _QUARTER_TURNS else size


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """A picture turned as its EXIF orientation says, 1..8."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def eight_bits(image: Image.Image, shape: Size | None = None) -> Image.Image:
    """A decoded picture of any mode as L, LA, RGB or RGBA, with 8 bits a channel.

    shape: only the centre part of this shape is wanted, and of modes with more bits only that comes back.
    16-bit grey is scaled by its full range. 32-bit integers and floats are taken for 0..255, 0..65535 or 0..1 when
    they lie within it, and stretched from their least to their greatest value otherwise.
    Raises ValueError for floats that are not finite.
    """
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        part = image  # several copies of what is wanted follow
        if shape is not None:
            left, top, right, bottom = _centre(image, shape)
            part = image.crop((left, top, math.ceil(right), math.ceil(bottom)))
        values = np.asarray(part).astype(np.float64)
        low, high = _full_range(values, mode)
        return Image.fromarray(np.rint((values - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8))
    transparent = image.has_transparency_data
    colours = "L" if mode in ("1", "L", "LA", "La") else "RGB"
    wanted = f"{colours}A" if transparent else colours
    return image if mode == wanted else image.convert(wanted)


def _centre(image: Image.Image, shape: Size) -> tuple[int, int, float, float]:
    """The box of the largest centre part of a shape: left, top, right, bottom; it begins at a whole pixel."""
    width, height = float(image.width), float(image.height)
    if image.width * shape.height > image.height * shape.width:
        width = image.height * shape.width / shape.height
    else:
        height = image.width * shape.height / shape.width
    left, top = int((image.width - width) / 2), int((image.height - height) / 2)
    return left, top, left + width, top + height


def _full_range(values: np.ndarray, mode: str) -> tuple[float, float]:
    if mode.startswith("I;16"):
        return 0.0, 65535.0
    least, greatest = float(values.min()), float(values.max())
    if not np.isfinite([least, greatest]).all():
        raise ValueError("its values are not all finite numbers")
    for top in (1.0, 255.0, 65535.0) if mode == "F" else (255.0, 65535.0):
        if least >= 0 and greatest <= top:
            return 0.0, top
    return least, greatest


def to_channels(image: Image.Image, channels: int) -> np.ndarray:
    """A picture of mode L, LA, RGB or RGBA as uint8 [channels, H, W].

    channels: 1 is luma, 3 is RGB, both with transparency composited on white; 2 and 4 are these with transparency.
    """
    if channels in (1, 3) and image.mode in ("LA", "RGBA"):
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    pixels = np.asarray(image.convert({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]))
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def fit_arrays(images: np.ndarray, size: Size, channels: int) -> np.ndarray:
    """Pictures of an array set [N, C, h, w] as [N, channels, H, W], all uint8.

    Pictures that lack at most PADDED pixels each way are padded with 0, their background; others are resized as files
    are.
    """
    height, width = images.shape[2:]
    if is_padded(height, width, size):
        top, left = (size.height - height) // 2, (size.width - width) // 2
        rows, columns = (top, size.height - height - top), (left, size.width - width - left)
        padded = np.pad(images, ((0, 0), (0, 0), rows, columns))
        return padded if padded.shape[1] == channels else np.stack([convert(picture, channels) for picture in padded])
    return np.stack([to_channels(cover(_to_pillow(picture), size), channels) for picture in images])


def covered(picture: np.ndarray, size: Size) -> np.ndarray:
    """uint8 [C, h, w], C 1 to 4: the centre of a picture that is upright, brought to a size as files are."""
    return to_channels(cover(_to_pillow(picture), size), len(picture))


def resized(picture: np.ndarray, size: Size) -> np.ndarray:
    """uint8 [C, h, w], C 1 to 4: all of a picture at another size, by Lanczos over all that becomes a pixel."""
    wanted = size.width, size.height
    return to_channels(_to_pillow(picture).resize(wanted, Image.Resampling.LANCZOS), len(picture))


def is_padded(height: int, width: int, size: Size) -> bool:
    """Whether pictures of an array set come to a size without being resized."""
    return 0 <= size.height - height <= PADDED and 0 <= size.width - width <= PADDED


def convert(picture: np.ndarray, channels: int) -> np.ndarray:
    """uint8 [C, H, W] -> [channels, H, W]."""
    return picture if len(picture) == channels else to_channels(_to_pillow(picture), channels)


def _to_pillow(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture[0] if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0)))
