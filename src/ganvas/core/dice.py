"""Given uniform numbers read as what is asked for: so that what looks random is a pure function, and draws nothing."""

import math

import torch
from torch import Tensor

_BELOW_ONE = 1 - 2**-24  # the largest float32 below 1


class Dice:
    """Reads the uniform numbers of each picture from left to right, as whatever distribution is asked for.

    uniform: [N, draws] in [0, 1). Every method returns [N] unless it says otherwise.
    """

    def __init__(self, uniform: Tensor, dtype: torch.dtype) -> None:
        self._uniform = uniform.to(dtype).clamp(max=_BELOW_ONE)  # float64 just below 1 rounds up to 1 in float32
        self._read = 0

    def take(self, count: int) -> Tensor:
        """The next `count` numbers as they are: [N, count]."""
        self._read += count
        return self._uniform[:, self._read - count : self._read]

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """From U(low, high)."""
        return low + (high - low) * self.take(1)[:, 0]

    def normal(self, deviation: float) -> Tensor:
        """From N(0, deviation^2)."""
        return deviation * normal_of(self.take(1)[:, 0])

    def lognormal(self, deviation: float) -> Tensor:
        """From exp N(0, deviation^2)."""
        return self.normal(deviation).exp()

    def happens(self, p: float | Tensor) -> Tensor:
        """bool: true with probability p; never at 0, always at 1."""
        return self.take(1)[:, 0] < p


def normal_of(uniform: Tensor) -> Tensor:
    """The quantiles of N(0, 1) at these numbers in [0, 1), of the same shape, finite: within 5.3 of 0."""
    return math.sqrt(2) * torch.erfinv((2 * uniform - 1).clamp(-_BELOW_ONE, _BELOW_ONE))
