"""Layers with an equalised learning rate. Karras et al. 2018 (progressive growing), section 4.1.

Weights are drawn from N(0, 1) and multiplied where they are used by He's constant, 1 / sqrt(fan_in), so that Adam,
whose steps do not know how large a weight is, moves all layers at the same relative rate.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganvas.networks.layers import full_precision


class EqualLinear(nn.Linear):
    """A linear map, in float32 also under autocast: [N, F] -> [N, F'].

    rate: multiplies the learning rate of weight and bias (Karras et al. 2019, appendix C). bias: its first value.
    """

    def __init__(self, features: int, out_features: int, *, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__(features, out_features)
        nn.init.normal_(self.weight, std=1 / rate)
        nn.init.constant_(self.bias, bias / rate)
        self.rate = rate

    def forward(self, input: Tensor) -> Tensor:
        """The layer's map with the scaled weight and bias."""
        with full_precision(input):
            scale = self.rate / math.sqrt(self.in_features)
            return torch.addmm(self.bias, input.to(self.weight.dtype), self.weight.T, beta=self.rate, alpha=scale)


class EqualConv2d(nn.Module):
    """A convolution and a bias, times a gain: [N, C, H, W] -> [N, C', H', W'].

    convolve: a convolution of (maps, weight [C', C, kernel, kernel], bias [C'] or None), which sets H' and W'.
    """

    def __init__(
        self, channels: int, out_channels: int, kernel: int, convolve: Callable[..., Tensor], *, gain: float, bias: bool
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.convolve, self.gain = convolve, gain
        self.scale = gain / math.sqrt(channels * kernel**2)

    def forward(self, maps: Tensor) -> Tensor:
        """gain * (weight / sqrt(fan_in) * maps + bias)."""
        return self.convolve(maps, self.weight * self.scale, None if self.bias is None else self.bias * self.gain)


class EqualEmbedding(nn.Embedding):
    """A table of vectors of length about 1: int64 [N] -> [N, F]."""

    def __init__(self, classes: int, features: int) -> None:
        super().__init__(classes, features)  # from N(0, 1)

    def forward(self, input: Tensor) -> Tensor:
        """The rows of the table over sqrt(F)."""
        return super().forward(input) / math.sqrt(self.embedding_dim)
