"""The one crossing between the two forms of a picture.

Inside, pictures are float32 tensors [N, C, H, W] in [-1, 1]. Outside (files, metrics, the Python surface) they are
uint8. The crossing rounds, never truncates.
"""

import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.core.errors import UsageError

GAP = 2  # pixels between the pictures of a sheet


def to_float(pictures: Tensor) -> Tensor:
    """uint8 [..., H, W] in 0..255 -> float32 of the same shape in [-1, 1]."""
    return pictures.to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(pictures: Tensor) -> Tensor:
    """Float [..., H, W] -> uint8 of the same shape: clamped to [-1, 1], then rounded to the nearest of 0..255."""
    return pictures.float().add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def to_pillow(picture: np.ndarray) -> Image.Image:
    """uint8 [C, H, W] with 1 to 4 channels (2: grey and alpha) -> a Pillow image of mode L, LA, RGB or RGBA."""
    channels = picture.shape[0]
    return Image.fromarray(picture[0] if channels == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0)))


def grid(pictures: np.ndarray | Tensor, columns: int | None = None, gap: int = GAP) -> Image.Image:
    """Pictures side by side in one image, row by row, on white.

    pictures: uint8 [N, C, H, W], N >= 1. columns: None makes the grid as square as it goes. gap: pixels between.
    Raises UsageError for another shape or type.
    """
    pictures = np.asarray(pictures)
    if pictures.ndim != 4 or not len(pictures) or pictures.dtype != np.uint8:
        raise UsageError(f"A grid is made of uint8 pictures [N, C, H, W], not {pictures.dtype} {list(pictures.shape)}")
    count, channels, height, width = pictures.shape
    columns = min(count, columns or math.ceil(math.sqrt(count)))
    rows = math.ceil(count / columns)
    sheet = np.full((channels, rows * (height + gap) - gap, columns * (width + gap) - gap), 255, np.uint8)
    for index, picture in enumerate(pictures):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[:, top : top + height, left : left + width] = picture
    return to_pillow(sheet)
