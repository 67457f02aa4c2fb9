"""What pictures go through in the world: blur, resizing, noise, compression, twice. Wang et al. 2021, Real-ESRGAN."""

import io
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ganvas.core.dice import Dice
from ganvas.core.errors import UsageError
from ganvas.core.images import to_pillow
from ganvas.core.settings import settings
from ganvas.core.sizes import Size
from ganvas.degrade.blurring import LARGEST, blurred, drawn_kernel, sinc_kernel
from ganvas.degrade.noise import noisy
from ganvas.degrade.smaller import Degradation

WAYS = ("area", "bilinear", "bicubic")  # to resize, equally often
LAST_SINC = 0.8  # how often the last sinc filter is there
_KERNEL, _RESIZE, _NOISE, _JPEG, _END = 9, 3, 3, 1, 5  # numbers that each part reads, noise beside its values'


@dataclass(frozen=True)
class Round:
    """One of the two rounds. Section 4.1.

    blur: how often there is one; sigma: its widths in pixels. larger, smaller: how often it makes a picture so;
    factors: by how much. noise: in 8-bit steps; shot: of light, as a multiple; jpeg: qualities.
    """

    blur: float
    sigma: tuple[float, float]
    larger: float
    smaller: float
    factors: tuple[float, float]
    noise: tuple[float, float]
    shot: tuple[float, float]
    jpeg: tuple[float, float] = (30, 95)


FIRST = Round(1.0, (0.2, 3.0), 0.2, 0.7, (0.15, 1.5), (1, 30), (0.05, 3.0))
SECOND = Round(0.8, (0.2, 1.5), 0.3, 0.4, (0.3, 1.2), (1, 25), (0.05, 2.5))


class Real(Degradation):
    """Blur, resize, noise, JPEG; the same again; a sinc filter before or after the second JPEG. Section 3, figure 2.

    Each picture by itself: its numbers say which kernel, size, noise and quality. Two numbers a value are for noise.
    JPEG is the real one, by Pillow. Grey and RGB; raises UsageError for other channels.
    """

    @settings
    class Settings:
        """Settings of the degradation."""

        # Its name.
        name: Literal["real"] = "real"

    def __init__(self, settings: Settings, *, scale: int, size: int | Size, channels: int) -> None:
        super().__init__(scale=scale, size=size, channels=channels)
        if channels not in (1, 3):
            raise UsageError(f"real degrades grey pictures and RGB, not {channels} channels: take bicubic for these")
        self.rooms = [
            channels * math.prod(_times(start, stage.factors[1]))
            for start, stage in ((self.size, FIRST), (self.small, SECOND))
        ]
        self.draws = 2 * (_KERNEL + _RESIZE + _NOISE + _JPEG) + _END + sum(self.rooms)

    def degraded(self, picture: Tensor, uniform: Tensor) -> Tensor:
        """[C, H, W] in [-1, 1], [draws] -> [C, H / scale, W / scale] in [-1, 1]."""
        dice = Dice(uniform[None], torch.float32)
        seen = (picture.clamp(-1, 1) + 1) / 2
        seen = self._spoiled(seen, dice, FIRST, self.size, self.rooms[0])
        seen = compressed(seen, _quality(dice, FIRST))
        seen = self._spoiled(seen, dice, SECOND, self.small, self.rooms[1])
        quality, way, before = _quality(dice, SECOND), _way(dice), bool(dice.happens(0.5))
        kernel = _last_kernel(dice)
        if before:
            seen = compressed(seen, quality)
        seen = resized(seen, self.small.hw, way)
        seen = blurred(seen, kernel).clamp(0, 1) if kernel is not None else seen
        return (seen if before else compressed(seen, quality)) * 2 - 1

    def _spoiled(self, seen: Tensor, dice: Dice, stage: Round, start: Size, room: int) -> Tensor:
        """Blurred, resized to about `start`, with noise."""
        met, kernel = dice.happens(stage.blur), drawn_kernel(dice, stage.sigma)
        seen = blurred(seen, kernel).clamp(0, 1) if met else seen
        seen = resized(seen, _times(start, _factor(dice, stage)), _way(dice))
        return noisy(seen, dice, stage.noise, stage.shot, room)


def resized(picture: Tensor, hw: tuple[int, int], way: str) -> Tensor:
    """[C, H, W] in [0, 1] -> [C, *hw], cut off there; bilinear and bicubic alias where they make it smaller."""
    if picture.shape[1:] == hw:
        return picture
    return functional.interpolate(picture[None], size=hw, mode=way)[0].clamp(0, 1)


def compressed(picture: Tensor, quality: int) -> Tensor:
    """[C, H, W] in [0, 1], C 1 or 3 -> the same after JPEG of a quality from 1 to 95."""
    held = io.BytesIO()
    to_pillow((picture * 255).round().byte().numpy()).save(held, "JPEG", quality=quality)
    with Image.open(held) as opened:
        values = torch.from_numpy(np.array(opened))
    return (values[None] if values.ndim == 2 else values.permute(2, 0, 1)).float() / 255


def _factor(dice: Dice, stage: Round) -> float:
    """By how much a picture is resized; reads 2 numbers."""
    which, much = float(dice.uniform()), float(dice.uniform())
    if which < stage.larger:
        return 1 + (stage.factors[1] - 1) * much
    return stage.factors[0] + (1 - stage.factors[0]) * much if which < stage.larger + stage.smaller else 1.0


def _way(dice: Dice) -> str:
    return WAYS[int(dice.uniform(0, len(WAYS)))]


def _quality(dice: Dice, stage: Round) -> int:
    return round(float(dice.uniform(*stage.jpeg)))


def _last_kernel(dice: Dice) -> Tensor | None:
    """A sinc filter, or None; reads 3 numbers."""
    met, size, cutoff = dice.happens(LAST_SINC), 7 + 2 * int(dice.uniform(0, (LARGEST - 7) // 2 + 1)), dice.uniform()
    return sinc_kernel(size, math.pi * (1 + 2 * float(cutoff)) / 3) if met else None  # from pi / 3 on, of any size


def _times(size: Size, factor: float) -> tuple[int, int]:
    """Height and width, at least 1."""
    return max(1, round(size.height * factor)), max(1, round(size.width * factor))
