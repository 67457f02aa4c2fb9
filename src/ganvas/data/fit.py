"""Any picture, made square, of the wanted size and the wanted number of channels, in uint8."""

import numpy as np
from PIL import Image

# What becomes of pictures, in the words of a protocol.
AS_THEY_ARE, SQUARED, BORDERED = "as they are", "centre squares, by Lanczos", "padded with 0"
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


def cover(image: Image.Image, size: int, orientation: int = 1) -> Image.Image:
    """The centre square of a picture, brought to size x size: shorter side to `size`, the rest cropped equally.

    image: mode L, LA, RGB or RGBA; transparency is premultiplied while resizing, so hidden colours do not bleed.
    orientation: the EXIF value 1..8; applied to the small result, which gives the same as turning first.
    """
    if image.size != (size, size):
        box = _centre(image)
        if min(image.size) == size:
            image = image.crop(box)
        else:  # reducing_gap: whole-number box averaging down to three times the size, then Lanczos
            image = image.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return upright(image, orientation)


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """A picture turned as its EXIF orientation says, 1..8."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def eight_bits(image: Image.Image, *, square: bool = True) -> Image.Image:
    """A decoded picture of any mode as L, LA, RGB or RGBA, with 8 bits a channel.

    square: only the centre square is wanted, and of modes with more bits only that comes back.
    16-bit grey is scaled by its full range. 32-bit integers and floats are taken for 0..255, 0..65535 or 0..1 when
    they lie within it, and stretched from their least to their greatest value otherwise.
    Raises ValueError for floats that are not finite.
    """
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        values = np.asarray(image.crop(_centre(image)) if square else image).astype(np.float64)  # several copies follow
        low, high = _full_range(values, mode)
        return Image.fromarray(np.rint((values - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8))
    transparent = image.has_transparency_data
    colours = "L" if mode in ("1", "L", "LA", "La") else "RGB"
    wanted = f"{colours}A" if transparent else colours
    return image if mode == wanted else image.convert(wanted)


def _centre(image: Image.Image) -> tuple[int, int, int, int]:
    """The box of the centre square."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return left, top, left + side, top + side


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

    channels: 1 is luma, 3 is RGB, both with transparency composited on white; 4 is RGBA.
    """
    if channels != 4 and image.mode in ("LA", "RGBA"):
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    pixels = np.asarray(image.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels]))
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def fit_arrays(images: np.ndarray, size: int, channels: int) -> np.ndarray:
    """Pictures of an array set [N, C, h, w] as [N, channels, size, size], all uint8.

    Pictures that lack at most PADDED pixels are padded with 0, their background; others are resized as files are.
    """
    height, width = images.shape[2:]
    if is_padded(height, width, size):
        top, left = (size - height) // 2, (size - width) // 2
        rows, columns = (top, size - height - top), (left, size - width - left)
        padded = np.pad(images, ((0, 0), (0, 0), rows, columns))
        return padded if padded.shape[1] == channels else np.stack([convert(picture, channels) for picture in padded])
    return np.stack([to_channels(cover(_to_pillow(picture), size), channels) for picture in images])


def is_padded(height: int, width: int, size: int) -> bool:
    """Whether pictures of an array set come to a size without being resized."""
    return max(height, width) <= size and size - min(height, width) <= PADDED


def convert(picture: np.ndarray, channels: int) -> np.ndarray:
    """uint8 [C, H, W] -> [channels, H, W]."""
    return picture if len(picture) == channels else to_channels(_to_pillow(picture), channels)


def _to_pillow(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture[0] if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0)))
