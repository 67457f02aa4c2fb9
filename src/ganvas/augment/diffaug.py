"""DiffAug: a few simple changes on real and generated pictures alike. Zhao et al. 2020, section 3.

"Differentiable Augmentation for Data-Efficient GAN Training". The paper applies each always: p = 1.
"""

from typing import Literal

import torch
from torch import Tensor

from ganvas.augment.corruption import Cutout
from ganvas.augment.pipeline import Dice, Pipeline, Stage, for_pictures, known_once
from ganvas.core.settings import settings
from ganvas.core.sizes import Size


class DiffAug(Pipeline):
    """Colour, translation and cutout, in this order."""

    @settings
    class Settings:
        """Settings of DiffAug."""

        # The family's name.
        name: Literal["diffaug"] = "diffaug"
        # Which changes there are; their order is fixed.
        stages: tuple[Literal["colour", "translation", "cutout"], ...] = ("colour", "translation", "cutout")

        def __post_init__(self) -> None:
            known_once(self.stages)

    def __init__(self, settings: Settings, *, size: int | Size, channels: int) -> None:
        table = {"colour": Jitter, "translation": Translation, "cutout": Cutout}
        stages: list[Stage] = [stage() for name, stage in table.items() if name in settings.stages]
        super().__init__(stages, size=size, channels=channels)


class Jitter(Stage):
    """Brightness, saturation, contrast, in this order, each with probability p. Alpha is left alone.

    U(-0.5, 0.5) is added; U(0, 2) multiplies the distance from each pixel's mean of the colours; U(0.5, 1.5) multiplies
    the distance from the picture's mean.
    """

    draws = 6

    def forward(self, pictures: Tensor, dice: Dice, p: float | Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        colours = 3 if pictures.shape[1] >= 3 else 1
        seen, alpha = pictures[:, :colours], pictures[:, colours:]
        seen = _where(dice.happens(p), seen + for_pictures(dice.uniform(-0.5, 0.5)), seen)
        grey = seen.mean(dim=1, keepdim=True)
        seen = _where(dice.happens(p), grey + (seen - grey) * for_pictures(dice.uniform(0, 2)), seen)
        mean = seen.mean(dim=(1, 2, 3), keepdim=True)
        seen = _where(dice.happens(p), mean + (seen - mean) * for_pictures(dice.uniform(0.5, 1.5)), seen)
        return torch.cat([seen, alpha], dim=1)


class Translation(Stage):
    """A shift by whole pixels, to 1/8 of height and width, with zeros, mid-grey, moving in; with probability p."""

    draws = 3

    def forward(self, pictures: Tensor, dice: Dice, p: float | Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        met = dice.happens(p)
        widest = [round(side / 8) for side in pictures.shape[2:]]
        down, right = (met * (dice.uniform(-most, most + 1).floor().long()) for most in widest)
        return shifted(pictures, down, right)


def shifted(pictures: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """[N, C, H, W] with zeros moving in, int64 [N] each -> [N, C, H, W]."""
    height, width = pictures.shape[2:]
    y = torch.arange(height, device=pictures.device) - down[:, None]  # [N, H]
    x = torch.arange(width, device=pictures.device) - right[:, None]  # [N, W]
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    source = (y.clamp(0, height - 1)[:, :, None] * width + x.clamp(0, width - 1)[:, None, :]).flatten(1)
    read = pictures.flatten(2).gather(2, source[:, None].expand(-1, pictures.shape[1], -1)).view(pictures.shape)
    return torch.where(inside[:, None], read, 0)


def _where(met: Tensor, changed: Tensor, pictures: Tensor) -> Tensor:
    return torch.where(for_pictures(met), changed, pictures)
