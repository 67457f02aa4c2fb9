"""Self-attention: each position of a map sees all of the map. Zhang, Goodfellow, Metaxas & Odena 2019, section 3."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.networks.layers import initialise_orthogonal


class SelfAttention(nn.Module):
    """maps + gain * out(sum over positions j of softmax_j(<query_i, key_j>) * value_j): [N, C, H, W] -> the same shape.

    Queries and keys have C/8 channels, values C/2 (at least 1), all from 1x1 convolutions without bias, as is the way
    out. Keys and values are max-pooled 2x2, so that a quarter of the positions is looked at (Brock et al. 2019); of an
    odd side the last row or column is pooled by itself. The gain is learned and starts at 0: the layer begins as the
    identity.
    conv: the kind of convolution, `nn.Conv2d` or `SpectralConv2d`.
    """

    def __init__(self, channels: int, conv: type[nn.Conv2d]) -> None:
        super().__init__()
        narrow, half = max(1, channels // 8), max(1, channels // 2)
        self.queries = conv(channels, narrow, 1, bias=False)
        self.keys = conv(channels, narrow, 1, bias=False)
        self.values = conv(channels, half, 1, bias=False)
        self.out = conv(half, channels, 1, bias=False)
        self.gain = nn.Parameter(torch.zeros(()))
        for layer in (self.queries, self.keys, self.values, self.out):
            initialise_orthogonal(layer, gain=1.0)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        queries = self.queries(maps).flatten(2)  # [N, C/8, H W]
        keys = functional.max_pool2d(self.keys(maps), 2, ceil_mode=True).flatten(2)  # [N, C/8, H W / 4]
        values = functional.max_pool2d(self.values(maps), 2, ceil_mode=True).flatten(2)  # [N, C/2, H W / 4]
        weights = (queries.transpose(1, 2) @ keys).softmax(dim=2)  # [N, H W, H W / 4]
        seen = (values @ weights.transpose(1, 2)).unflatten(2, maps.shape[2:])  # [N, C/2, H, W]
        return maps + self.gain * self.out(seen)
