"""Changing colours by one matrix for each picture. Karras et al. 2020, appendix B."""

import math

import torch
from torch import Tensor

from ganvas.augment.pipeline import Stage, for_pictures
from ganvas.core.dice import Dice


class Colour(Stage):
    """Brightness, contrast, luma flip, hue, saturation, in this order, each with probability p.

    Brightness N(0, 0.2^2) is added; contrast exp N(0, (0.5 ln 2)^2) multiplies; the luma flip, half of the time,
    mirrors the grey axis (1, 1, 1); hue U(-pi, pi) turns about it; saturation exp N(0, ln(2)^2) multiplies the distance
    from it. Grey pictures, which lie on the axis, know the first three. Alpha is left alone.
    """

    draws = 10

    def forward(self, pictures: Tensor, dice: Dice, p: float | Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        happens, values = [], []
        for draw in (
            lambda: dice.normal(0.2),
            lambda: dice.lognormal(0.5 * math.log(2)),
            lambda: (dice.uniform() < 0.5).to(pictures.dtype),
            lambda: dice.uniform(-math.pi, math.pi),
            lambda: dice.lognormal(math.log(2)),
        ):
            happens.append(dice.happens(p))
            values.append(draw())
        neutral = (0.0, 1.0, 0.0, 0.0, 1.0)
        brightness, contrast, flip, hue, saturation = (
            torch.where(met, value, none) for met, value, none in zip(happens, values, neutral, strict=True)
        )
        colours = 3 if pictures.shape[1] >= 3 else 1
        if colours == 3:
            matrix = colour_matrix(brightness, contrast, flip, hue, saturation)
        else:
            matrix = grey_matrix(brightness, contrast, flip)
        seen, alpha = pictures[:, :colours], pictures[:, colours:]
        linear, offset = matrix[:, :-1, :-1], matrix[:, :-1, -1:]
        changed = torch.cat([(linear @ seen.flatten(2) + offset).view(seen.shape), alpha], dim=1)
        return torch.where(for_pictures(torch.stack(happens).any(dim=0)), changed, pictures)


def colour_matrix(brightness: Tensor, contrast: Tensor, flip: Tensor, hue: Tensor, saturation: Tensor) -> Tensor:
    """[N] each -> [N, 4, 4], which takes (R, G, B, 1) to the changed colour.

    With A the projection on the grey axis, I - A splits off what is coloured: a luma flip is (I - A) - A, saturation
    A + s (I - A), hue A + cos (I - A) + sin K, K the cross product with the axis.
    """
    axis = torch.full((3, 3), 1 / 3, device=hue.device, dtype=hue.dtype)
    coloured = torch.eye(3, device=hue.device, dtype=hue.dtype) - axis
    rows = torch.arange(3, device=hue.device)
    ahead = ((rows - rows[:, None]) % 3).to(hue.dtype)  # 0 on the diagonal, then 1, then 2
    across = torch.where(ahead == 0, 0, 2 * ahead - 3) / math.sqrt(3)
    cosine, sine, flip, saturation, contrast = (
        value[:, None, None] for value in (hue.cos(), hue.sin(), flip, saturation, contrast)
    )
    linear = contrast * ((1 - 2 * flip) * axis + saturation * (cosine * coloured + sine * across))
    # A grey offset: brightness comes first, contrast and the flip change it, hue and saturation do not.
    offset = (brightness[:, None, None] * contrast * (1 - 2 * flip)).expand(-1, 3, 1)
    return _with_last_row(linear, offset)


def grey_matrix(brightness: Tensor, contrast: Tensor, flip: Tensor) -> Tensor:
    """[N] each -> [N, 2, 2], which takes (grey, 1) to the changed grey."""
    linear = (contrast * (1 - 2 * flip))[:, None, None]
    return _with_last_row(linear, brightness[:, None, None] * linear)


def _with_last_row(linear: Tensor, offset: Tensor) -> Tensor:
    size = linear.shape[-1]
    last = (torch.arange(size + 1, device=linear.device) == size).to(linear.dtype)
    return torch.cat([torch.cat([linear, offset], dim=2), last.expand(len(linear), 1, -1)], dim=1)
