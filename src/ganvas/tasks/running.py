"""Means that a game keeps over its rounds, and that a checkpoint holds."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

_STEP = 2.0**-10


class RunningMeans(nn.Module):
    """Named means over rounds: plain at first, then each round is worth 1 - decay of what is kept.

    Buffers without dimensions: for each name the mean and, as `<name>_sum`, the sum of what was observed since it was
    last brought up to date; rounds; and seen, the number of values in each sum. Each piece's sum is rounded to steps of
    `_STEP`, so that adding them up is exact in whatever order (up to 2^24 steps): sums of several processes that are
    replaced by their means at the end of a round lead to the means of one process that observes all, to the bit.
    """

    rounds: Tensor
    seen: Tensor

    def __init__(self, names: Iterable[str], decay: float) -> None:
        super().__init__()
        self._names, self._decay = tuple(names), decay
        for name in ("rounds", "seen", *self._names, *(f"{name}_sum" for name in self._names)):
            self.register_buffer(name, torch.tensor(0.0))

    @torch.no_grad()
    def observe(self, pieces: Iterable[Mapping[str, Tensor]]) -> None:
        """Take note of values [n] by name, piece by piece in the order of the rows: all names, equally many."""
        for piece in pieces:
            for name in self._names:
                getattr(self, f"{name}_sum").add_((piece[name].sum() / _STEP).round() * _STEP)
            self.seen.add_(piece[self._names[0]].numel())

    @torch.no_grad()
    def begin_round(self) -> None:
        """Bring the means up to date with what was observed; again does nothing."""
        there = self.seen > 0
        self.rounds.add_(there)
        share = torch.clamp(1 / self.rounds.clamp(min=1), min=1 - self._decay) * there
        for name in self._names:
            mean, total = getattr(self, name), getattr(self, f"{name}_sum")
            mean.lerp_(torch.where(there, total / self.seen.clamp(min=1), 0), share)
            total.zero_()
        self.seen.zero_()
