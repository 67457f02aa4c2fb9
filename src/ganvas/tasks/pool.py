"""The pool of pictures made before, of which a discriminator sees some in place of new ones. Shrivastava et al. 2017.

Section 2.3 of "Learning from Simulated and Unsupervised Images through Adversarial Training"; as of Zhu et al. 2017,
section 4: half of what it sees is from the last 50 pictures, and each of those gives its place to the new one.
"""

import torch
from torch import Tensor, nn

from ganvas.core.images import to_uint8


class Pool(nn.Module):
    """Pictures made before, and those of the round, which join them when the next one begins.

    pictures: uint8 [size, C, H, W], of which `held` are there. fresh: [batch, C, H, W], the round's pictures in 0..255
    at their rows of the global batch, and there: [batch], 1 where they are. Both are 0 elsewhere, so that their means
    over processes, each with its rows, lead to the pictures of all: fresh / there, to the bit.
    """

    pictures: Tensor
    held: Tensor
    fresh: Tensor
    there: Tensor

    def __init__(self, size: int, batch: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("pictures", torch.zeros(size, *shape, dtype=torch.uint8))
        self.register_buffer("held", torch.zeros((), dtype=torch.int64))
        self.register_buffer("fresh", torch.zeros(batch, *shape))
        self.register_buffer("there", torch.zeros(batch))

    @torch.no_grad()
    def begin_round(self, uniform: Tensor) -> None:
        """Let the pictures of the round before join, by that round's numbers [2, batch] in [0, 1); again does nothing.

        While there is room each takes a free place; then those for which an old one was shown take its place.
        """
        for row in torch.nonzero(self.there).flatten().tolist():
            place = int(self.held)
            if place < self.size:
                self.held.add_(1)
            elif uniform[0, row] < 0.5:
                place = int(uniform[1, row] * self.size)
            else:
                continue
            self.pictures[place] = (self.fresh[row] / self.there[row]).round().to(torch.uint8)
        self.fresh.zero_()
        self.there.zero_()

    @torch.no_grad()
    def shown(self, made: Tensor, uniform: Tensor) -> Tensor:
        """What a discriminator sees in place of pictures: [N, C, H, W] in [-1, 1], [2, N] -> uint8 of the same shape.

        Once the pool is full half of them are from it; until then all are as they were made.
        """
        new = to_uint8(made)
        if int(self.held) < self.size or not self.size:
            return new
        old = self.pictures[(uniform[1] * self.size).long()]
        return torch.where((uniform[0] < 0.5)[:, None, None, None].to(new.device), old, new)

    @torch.no_grad()
    def observe(self, made: Tensor, rows: slice) -> None:
        """Take note of the round's pictures [rows, C, H, W] in [-1, 1], which are these rows of the global batch."""
        if self.size:
            self.fresh[rows] = to_uint8(made).to(self.fresh.dtype)
            self.there[rows] = 1.0
