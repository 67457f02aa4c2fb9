"""Spoiling pictures: noise and holes. Karras et al. 2020, appendix B; the hole also in Zhao et al. 2020, section 3."""

import math

import torch
from torch import Tensor

from ganvas.augment.pipeline import Stage, for_pictures
from ganvas.core.dice import Dice, normal_of
from ganvas.core.sizes import Size


class Noise(Stage):
    """Noise N(0, sigma^2) added to every value, sigma the size of one draw from N(0, 0.1^2); with probability p.

    It needs a number for every value of a picture, which on large pictures takes long to draw.
    """

    def __init__(self, size: int | Size, channels: int) -> None:
        super().__init__()
        self.draws = 2 + channels * Size.of(size).area

    def forward(self, pictures: Tensor, dice: Dice, p: float | Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        met = for_pictures(dice.happens(p))
        sigma = for_pictures(0.1 * math.sqrt(2) * torch.erfinv(dice.uniform()))
        noise = normal_of(dice.take(pictures[0].numel())).view(pictures.shape)
        return torch.where(met, pictures + sigma * noise, pictures)


class Cutout(Stage):
    """Half the height and half the width of a picture set to 0, mid-grey, about any place in it; with probability p."""

    draws = 3

    def forward(self, pictures: Tensor, dice: Dice, p: float | Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        met = dice.happens(p)
        places = (
            (torch.arange(side, device=pictures.device, dtype=pictures.dtype) + 0.5) / side
            for side in pictures.shape[2:]
        )
        down, across = ((along - dice.uniform()[:, None]).abs() < 1 / 4 for along in places)  # [N, H], [N, W]
        hole = met[:, None, None] & down[:, :, None] & across[:, None, :]
        return torch.where(hole[:, None], 0, pictures)
