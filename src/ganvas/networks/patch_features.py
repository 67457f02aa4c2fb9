"""What a contrastive loss compares: features of the same places in two pictures. Park et al. 2020 (CUT), section 3."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.networks.layers import full_precision, initialise_fan_in
from ganvas.networks.translating import in_full


class PatchFeatures(nn.Module):
    """For each of a translator's maps (`encoded`) two linear maps, ReLU between; vectors of length 1. Section 3.

    Without batch statistics: each picture by itself.
    """

    def __init__(self, widths: Sequence[int], features: int = 256) -> None:
        """widths: of the maps. features: numbers in a vector."""
        super().__init__()
        self.heads = nn.ModuleList()
        for width in widths:
            last = nn.Linear(features, features)
            self.heads.append(nn.Sequential(nn.Linear(width, features), nn.ReLU(inplace=True), last))
            initialise_fan_in(self.heads[-1], last, slope=0.0)

    def forward(self, maps: Sequence[Tensor], uniform: Tensor) -> list[Tensor]:
        """Maps [N, C, H, W] each, uniform [N, P] in [0, 1) -> for each of them vectors [N, places, features].

        uniform says where, for all maps; there are P places, or as many as a map has where these are fewer.
        """
        found = []
        for head, some in zip(self.heads, maps, strict=True):
            places = spread_places(uniform, some.shape[2] * some.shape[3])  # [N, P]
            at = places[:, None].expand(-1, some.shape[1], -1)
            vectors = head(some.flatten(2).gather(2, at).transpose(1, 2))
            with full_precision(vectors):
                found.append(functional.normalize(in_full(vectors), dim=2))
        return found


def spread_places(uniform: Tensor, count: int) -> Tensor:
    """Different ones of `count` places, one at random of each of P equal parts: [N, P] in [0, 1) -> int64 [N, P].

    With fewer places than parts, all of them.
    """
    pictures, parts = uniform.shape
    if count <= parts:
        return torch.arange(count, device=uniform.device).expand(pictures, -1)
    edges = torch.arange(parts + 1, device=uniform.device) * count // parts  # int64 [P + 1]
    sizes = edges.diff()
    return edges[:-1] + (uniform * sizes).long().minimum(sizes - 1)
