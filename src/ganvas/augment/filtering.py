"""Louder and quieter octaves of spatial frequency. Karras et al. 2020, appendix B."""

import itertools
import math

import torch
from torch import Tensor

from ganvas.augment.pipeline import Dice, Stage, for_pictures
from ganvas.core.sizes import Size

BANDS = 4
_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # what each band has of a natural picture's power


class OctaveFilter(Stage):
    """A gain for each octave band: up to pi/8, pi/4, pi/2 and pi, across and down.

    Each band with probability p: its gain is multiplied by exp N(0, ln(2)^2), then all four gains divided by what keeps
    the power of a natural picture. A picture that goes on as its mirror image is a sum of cosines (DCT-II), so a
    filter multiplies its cosines; from band to band the gain passes over half an octave on either side of the edge.
    """

    draws = 2 * BANDS
    down: Tensor
    across: Tensor
    bands_down: Tensor
    bands_across: Tensor

    def __init__(self, size: int | Size) -> None:
        super().__init__()
        height, width = Size.of(size).hw
        self.register_buffer("down", _cosines(height), persistent=False)
        self.register_buffer("across", _cosines(width), persistent=False)
        self.register_buffer("bands_down", _bands(height), persistent=False)
        self.register_buffer("bands_across", _bands(width), persistent=False)

    def forward(self, pictures: Tensor, dice: Dice, p: float | Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        power = [math.sqrt(share) for share in _POWER]
        gains = list(torch.ones(BANDS, len(pictures), device=pictures.device, dtype=pictures.dtype))
        met = torch.zeros(len(pictures), device=pictures.device, dtype=torch.bool)
        for band in range(BANDS):
            happens = dice.happens(p)
            gain = torch.where(happens, dice.lognormal(math.log(2)), 1)
            loudness = ((power[band] * gain).square() + 1 - _POWER[band]).sqrt()
            gains = [gains[other] * (gain if other == band else 1) / loudness for other in range(BANDS)]
            met = met | happens
        return torch.where(for_pictures(met), self.filtered(pictures, torch.stack(gains, dim=1)), pictures)

    def filtered(self, pictures: Tensor, gains: Tensor) -> Tensor:
        """The pictures [N, C, H, W] with the gains [N, 4] on their bands, across and down."""
        down, across = self.down.to(pictures.dtype), self.across.to(pictures.dtype)
        of_rows = gains @ self.bands_down.to(pictures.dtype)  # [N, H]
        of_columns = gains @ self.bands_across.to(pictures.dtype)  # [N, W]
        spectrum = down @ pictures @ across.mT
        louder = spectrum * of_rows[:, None, :, None] * of_columns[:, None, None, :]
        return down.mT @ louder @ across


def _cosines(size: int) -> Tensor:
    """[S, S]: the orthonormal DCT-II; row k has the frequency pi k / S."""
    places = torch.arange(size, dtype=torch.float64)
    matrix = torch.cos(math.pi / size * places[:, None] * (places + 0.5)) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix.float()


def _bands(size: int) -> Tensor:
    """[4, S]: how much each frequency belongs to each band, in sum 1."""
    frequency = torch.arange(size, dtype=torch.float64) / size  # 1: a change with every pixel
    passed = [torch.ones(size, dtype=torch.float64)]
    for edge in (1 / 8, 1 / 4, 1 / 2):
        octaves = torch.log2(frequency / edge).clamp(-0.5, 0.5)
        passed.append((1 + torch.sin(math.pi * octaves)) / 2)
    passed.append(torch.zeros(size, dtype=torch.float64))
    return torch.stack([below - above for below, above in itertools.pairwise(passed)]).float()
