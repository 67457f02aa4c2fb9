"""Colours of a few places of a picture, as a person would give them. Zhang et al. 2017, section 3.2.

"Real-Time User-Guided Image Colorization with Learned Deep Priors": so many places as a geometric distribution says,
each a small square near the middle, of which the mean colour is told.
"""

import torch
from torch import Tensor, nn

from ganvas.core.dice import Dice
from ganvas.core.sizes import Size

MORE = 7 / 8  # the probability of one place more, up to MOST
MOST = 16
LARGEST = 9  # pixels a side of a square; the smallest are 1
SPREAD = 1 / 4  # of the places around the middle: the standard deviation as a part of a side
PER_PLACE = 3


class Hints(nn.Module):
    """Hints for pictures of a size; a pure function of uniform numbers. draws: how many each picture needs."""

    draws = 1 + PER_PLACE * MOST

    def __init__(self, *, size: int | Size) -> None:
        super().__init__()
        self.size = Size.of(size)

    def forward(self, colour: Tensor, uniform: Tensor) -> Tensor:
        """Colour [N, 2, H, W], [N, draws] in [0, 1) -> [N, 3, H, W]: hinted colour, 0 where none is; 1 where one is.

        Raises ValueError for another shape.
        """
        if colour.shape[2:] != self.size.hw or uniform.shape != (len(colour), self.draws):
            raise ValueError(
                f"colour {list(colour.shape)} and numbers {list(uniform.shape)} should be "
                f"{[len(colour), 2, *self.size.hw]} and {[len(colour), self.draws]}"
            )
        dice = Dice(uniform, torch.float32)
        # P(count >= k) = MORE^k, so that the count is how often a number below 1 can be divided by MORE
        count = (dice.uniform().clamp(min=1e-9).log() / torch.tensor(MORE).log()).floor().clamp(max=MOST)
        told = torch.zeros_like(colour)
        where = torch.zeros_like(colour[:, :1])
        for place in range(MOST):
            side = dice.uniform(1, LARGEST + 1).floor()
            rows, columns = (self._stretch(dice, length, side) for length in self.size.hw)
            square = (rows[:, :, None] & columns[:, None, :] & (place < count)[:, None, None])[:, None]
            area = square.sum(dim=(2, 3), keepdim=True).clamp(min=1)
            mean = (colour * square).sum(dim=(2, 3), keepdim=True) / area
            told, where = torch.where(square, mean, told), torch.where(square, 1.0, where)
        return torch.cat([told, where.to(told.dtype)], dim=1)

    @staticmethod
    def _stretch(dice: Dice, length: int, side: Tensor) -> Tensor:
        """Which pixels along a side belong to a square of this side near the middle: bool [N, length]."""
        middle = length / 2 + dice.normal(SPREAD * length)
        begin = (middle - side / 2).round().clamp(min=0).minimum((length - side).clamp(min=0))
        places = torch.arange(length, device=side.device)
        return (places >= begin[:, None]) & (places < (begin + side)[:, None])
