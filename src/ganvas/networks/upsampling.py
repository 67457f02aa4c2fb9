"""Learned doubling of the sides, with and without the checkerboard of transposed convolutions."""

from typing import Literal

from torch import nn

from ganvas.networks.layers import WeightedLayer

Upsample = Literal["transposed", "resize"]


def doubling(kind: Upsample, before: int, after: int, kernel: int, *, bias: bool) -> nn.Sequential:
    """[N, before, H, W] -> [N, after, 2H, 2W]; the last layer is the convolution.

    "transposed": one of stride 2, of kernel 3 or 4. "resize": nearest doubling, then 3x3: every value of a 2x2 is met
    by as many weights, so that none is brighter by construction. Odena, Dumoulin & Olah 2016, "Deconvolution and
    Checkerboard Artifacts".
    """
    if kind == "resize":
        return nn.Sequential(nn.Upsample(scale_factor=2.0), nn.Conv2d(before, after, 3, padding=1, bias=bias))
    return nn.Sequential(
        nn.ConvTranspose2d(before, after, kernel, stride=2, padding=1, output_padding=kernel % 2, bias=bias)
    )


def last_of(layers: nn.Sequential) -> WeightedLayer:
    """The last of these that has weights."""
    return [layer for layer in layers if isinstance(layer, WeightedLayer)][-1]
