"""Colours of a large picture, made of a smaller one: what a network of colours saw in training were small pictures.

Eyes see lightness more finely than colour, so that the lightness of the result is the large picture's, and its
colours are enlarged (as JPEG keeps them).
"""

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.networks.translating import Translator, in_full


class Coarse(Translator):
    """A network from lightness, and hints, to colours, that is worked on a whole number of times smaller pictures."""

    def __init__(self, network: Translator, factor: int) -> None:
        super().__init__()
        self.network, self.factor = network, factor
        self.inputs, self.outputs = network.inputs, network.outputs
        self.multiple, self.least = factor * network.multiple, factor * network.least
        self.reach = None if network.reach is None else factor * (network.reach + 2)

    def translate(self, images: Tensor) -> Tensor:
        """[N, 1 or 4, H, W] -> [N, 2, H, W]; a hint counts for the whole of a small pixel that it touches."""
        small = functional.avg_pool2d(in_full(images), self.factor)
        if self.inputs > 1:
            lightness, said, where = small.split([1, 2, 1], dim=1)
            small = torch.cat([lightness, said / where.clamp(min=1e-6), (where > 0).to(where.dtype)], dim=1)
        made = in_full(self.network(small.contiguous(memory_format=torch.channels_last)))
        return functional.interpolate(made, scale_factor=self.factor, mode="bilinear")
