"""Noise of sensors and light, made of given numbers. Wang et al. 2021 (Real-ESRGAN), sections 3.1 and 4.1."""

import torch
from torch import Tensor

from ganvas.core.dice import Dice, normal_of

GREY = 0.4  # how often the noise is the same in all channels
LEVELS = 255.0
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def noisy(picture: Tensor, dice: Dice, normal: tuple[float, float], shot: tuple[float, float], room: int) -> Tensor:
    """[C, H, W] in [0, 1] -> the same with noise, cut off there; reads 3 + room numbers.

    Half of the time of one size everywhere, `normal`, in 8-bit steps; else that of light, which grows with the root of
    the brightness, `shot` times what 255 photons in white would give. room: numbers for the values, C * H * W or more.
    """
    grey, by_light = bool(dice.happens(GREY)), bool(dice.happens(0.5))
    strength = float(dice.uniform())
    channels, height, width = picture.shape
    count = (1 if grey else channels) * height * width
    field = normal_of(dice.take(room)[0, :count]).view(-1, height, width)
    if by_light:
        lit = luma(picture) if grey else picture
        noise = (poisson_of(lit * LEVELS, field) / LEVELS - lit) * (shot[0] + (shot[1] - shot[0]) * strength)
    else:
        noise = field * (normal[0] + (normal[1] - normal[0]) * strength) / LEVELS
    return (picture + noise).clamp(0, 1)


def poisson_of(rate: Tensor, normal: Tensor) -> Tensor:
    """Numbers from N(0, 1) as whole ones of Poisson distributions with these rates, within one of the exact quantiles.

    By the first terms of Cornish & Fisher 1938: rate + sqrt(rate) z + (z^2 - 1) / 6, rounded; the last is taken times
    the rate where that is below 1, so that in the dark there is no noise.
    """
    skewed = (normal.square() - 1) / 6 * rate.clamp(max=1)
    return (rate + rate.sqrt() * normal + skewed).round().clamp(min=0)


def luma(picture: Tensor) -> Tensor:
    """[C, H, W] -> [1, H, W]: how bright it is."""
    if len(picture) == 1:
        return picture
    return torch.tensordot(picture.new_tensor(_LUMA), picture, dims=1)[None]
