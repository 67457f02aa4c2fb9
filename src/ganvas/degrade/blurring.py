"""Kernels that blur, drawn from given numbers. Wang, Xie, Dong & Shan 2021 (Real-ESRGAN), sections 3.1, 3.3 and 4.1."""

import itertools
import math

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.core.dice import Dice

LARGEST = 21  # values a side of a kernel; the smallest are 7
RINGING = 0.1  # how often a kernel is a sinc
# How often the others are: Gaussian round and stretched, generalised the same, plateaus the same. Section 4.1.
FORMS = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)


def drawn_kernel(dice: Dice, sigma: tuple[float, float]) -> Tensor:
    """A kernel [k, k] of sum 1, k odd from 7 to 21; reads 8 numbers.

    One in ten is a sinc (`sinc_kernel`). The others have the widths sigma, the same or two, turned by any angle: a
    Gaussian, a generalised one (shape 0.5 to 4) or a plateau (shape 1 to 2).
    """
    size = 7 + 2 * int(dice.uniform(0, (LARGEST - 7) // 2 + 1))
    ringing, cutoff, form = dice.happens(RINGING), float(dice.uniform()), float(dice.uniform())
    widths = float(dice.uniform(*sigma)), float(dice.uniform(*sigma))
    angle, shape = float(dice.uniform(-math.pi, math.pi)), float(dice.uniform())
    if ringing:
        return sinc_kernel(size, lowest_cutoff(size) * (1 - cutoff) + math.pi * cutoff)
    kind = sum(form >= edge for edge in list(itertools.accumulate(FORMS))[:-1])
    if kind % 2 == 0:
        widths = widths[0], widths[0]
    distance = squared_distance(size, *widths, angle)
    if kind < 2:
        kernel = torch.exp(-distance / 2)
    elif kind < 4:
        kernel = torch.exp(-(distance ** (0.5 + 3.5 * shape)) / 2)
    else:
        kernel = 1 / (1 + distance ** (1 + shape))
    return (kernel / kernel.sum()).float()


def squared_distance(size: int, first: float, second: float, angle: float) -> Tensor:
    """From the middle, in units of the widths along two axes turned by the angle: float64 [size, size]."""
    down, across = _grid(size)
    along = (across * math.cos(angle) + down * math.sin(angle)) / first
    aside = (down * math.cos(angle) - across * math.sin(angle)) / second
    return along**2 + aside**2


def sinc_kernel(size: int, cutoff: float) -> Tensor:
    """The round low-pass of a cutoff frequency in (0, pi], which rings beside edges: [size, size] of sum 1. Eq. 6.

    cutoff * J1(cutoff * r) / (2 pi r), J1 the Bessel function.
    """
    down, across = _grid(size)
    radius = (down**2 + across**2).sqrt()
    around = cutoff * torch.special.bessel_j1(cutoff * radius) / (2 * math.pi * radius.clamp(min=1e-9))
    kernel = torch.where(radius == 0, cutoff**2 / (4 * math.pi), around)
    return (kernel / kernel.sum()).float()


def lowest_cutoff(size: int) -> float:
    """The lowest that a sinc of this size is drawn with."""
    return math.pi / 3 if size < 13 else math.pi / 5


def blurred(picture: Tensor, kernel: Tensor) -> Tensor:
    """[C, H, W], [k, k], k odd -> [C, H, W]; beyond its border a picture goes on as its last row or column.

    By way of the frequencies, which for large kernels takes a third of the time. kernel: the same after a half turn.
    """
    size = kernel.shape[0]
    wide = functional.pad(picture[:, None], [size // 2] * 4, mode="replicate")[:, 0]
    hw = wide.shape[1:]
    around = torch.fft.irfft2(torch.fft.rfft2(wide) * torch.fft.rfft2(kernel, s=hw), s=hw)
    return around[:, size - 1 :, size - 1 :]


def _grid(size: int) -> tuple[Tensor, Tensor]:
    places = torch.arange(size, dtype=torch.float64) - size // 2
    return places[:, None], places[None]
