"""What is given beside a picture: the mask of what is unknown in it, or hints of its colours."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.core.errors import DataError, UsageError
from ganvas.data.decode import Unreadable
from ganvas.inference.photo import Photo, read_photo


class Guide(Protocol):
    """What a network is told beside the colours of a picture."""

    def cut(self, rows: slice, columns: slice) -> Tensor:
        """Of a part of the picture: float32 [1, channels, rows, columns]."""
        ...


class Holes:
    """Where a picture is unknown: one channel, 1 there and 0 elsewhere."""

    def __init__(self, unknown: np.ndarray) -> None:
        """unknown: bool [H, W]."""
        self._unknown = unknown

    def cut(self, rows: slice, columns: slice) -> Tensor:
        """[1, 1, rows, columns]."""
        return torch.from_numpy(self._unknown[rows, columns].astype(np.float32))[None, None]


class SaidColours:
    """Colours of some places: three channels in [-1, 1], and one that is 1 where a colour is said and 0 elsewhere."""

    def __init__(self, said: Photo | None) -> None:
        """said: a picture that is transparent but where it says a colour; None says none."""
        self._said = said

    def cut(self, rows: slice, columns: slice) -> Tensor:
        """[1, 4, rows, columns]."""
        if self._said is None:
            return torch.zeros(1, 4, rows.stop - rows.start, columns.stop - columns.start)
        part = as_pictures(self._said.cut(rows, columns)[:, :, :-1], self._said.bits)
        where = self._said.cut(rows, columns)[:, :, -1] > 0
        return torch.cat([part, torch.from_numpy(where.astype(np.float32))[None, None]], dim=1)


def as_pictures(pixels: np.ndarray, bits: int) -> Tensor:
    """uint8 or uint16 [H, W, 1 or 3] -> float32 [1, 3, H, W] in [-1, 1]; of grey with three equal channels."""
    pictures = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]
    return pictures.mul_(2 / (2.0**bits - 1)).sub_(1).expand(1, 3, *pixels.shape[:2])


def holes(photo: Photo, mask: Any) -> Holes:
    """The holes of a picture.

    mask: a file or a Pillow image, white where the picture is unknown; or an array [H, W], there not 0; None: where the
    picture is transparent. What is transparent in a mask is black. Raises DataError for a mask that cannot be used, and
    where there is neither.
    """
    if mask is None:
        if not photo.transparent:
            raise DataError("needs a mask, white where it is to be filled; or be transparent there")
        unknown = photo.cut(slice(0, photo.height), slice(0, photo.width))[:, :, -1] == 0
    elif isinstance(mask, np.ndarray):
        unknown = mask != 0
    else:
        held = _read(mask, "a mask")
        pixels = held.cut(slice(0, held.height), slice(0, held.width)).astype(np.float32)
        white = pixels[:, :, : 1 if held.grey else 3].mean(axis=2)
        if held.transparent:
            white *= pixels[:, :, -1] / (2.0**held.bits - 1)
        unknown = white >= 2 ** (held.bits - 1)
    _check_size(photo, unknown.shape, "its mask")
    return Holes(unknown)


def hints(photo: Photo, said: Any) -> SaidColours:
    """The hints for a picture.

    said: a file or a Pillow image, or an array [2 or 4, H, W] of uint8 or uint16, transparent but where it says a
    colour; None: no hints. Raises DataError for hints that cannot be used.
    """
    if said is None:
        return SaidColours(None)
    held = photo_of_array(said) if isinstance(said, np.ndarray) else _read(said, "hints")
    if not held.transparent:
        raise DataError("has hints without transparency: make them transparent but where they say a colour")
    _check_size(photo, (held.height, held.width), "its hints")
    return SaidColours(held)


def photo_of_array(picture: np.ndarray) -> Photo:
    """An array [C, H, W] as a photo. Raises UsageError for one that is none."""
    if (
        picture.ndim != 3
        or not 1 <= len(picture) <= 4
        or picture.dtype not in (np.uint8, np.uint16)
        or not picture.size
    ):
        raise UsageError(
            f"A picture is an array [C, H, W] of uint8 or uint16 with 1 to 4 channels, not {picture.dtype} "
            f"{list(picture.shape)}"
        )
    pixels = np.ascontiguousarray(picture.transpose(1, 2, 0))
    if picture.dtype == np.uint16:
        return Photo(pixels)
    return Photo(Image.fromarray(pixels[:, :, 0] if len(picture) == 1 else pixels))


def _read(file: Any, what: str) -> Photo:
    if isinstance(file, Image.Image):
        return photo_of_array(np.asarray(file.convert("RGBA")).transpose(2, 0, 1))
    try:
        return read_photo(Path(file))
    except Unreadable as error:
        raise DataError(f"has {what}, {file}, that {error}") from None


def _check_size(photo: Photo, shape: tuple[int, ...], what: str) -> None:
    if shape != (photo.height, photo.width):
        raise DataError(
            f"has {photo.width} x {photo.height} pixels and {what} {' x '.join(map(str, shape[::-1]))}: "
            "they have to be of one size"
        )
