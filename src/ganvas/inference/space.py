"""Where a generator's pictures are steered: the styles of a StyleGAN2, the latents of every other.

A point of either space is [layers, width]: a style for each layer, or the one latent.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ganvas.networks.stylegan2 import StyleGAN2Generator


class LatentSpace:
    """Latents themselves, one to a picture, which come from a Gaussian."""

    name = "z"
    layers = 1

    def __init__(self, network: Any) -> None:
        self.width: int = network.latent
        self._network = network

    def points(self, latents: Tensor, classes: Tensor | None = None) -> Tensor:
        """Latents [N, latent], classes int64 [N] or weights of them [N, K] -> [N, 1, latent]."""
        return latents[:, None]

    def truncate(self, points: Tensor, truncation: Tensor | float) -> Tensor:
        """Points drawn towards the middle; 1 changes nothing, 0 leaves the middle alone."""
        return points * truncation

    def draw(self, points: Tensor, classes: Tensor | None = None) -> Tensor:
        """Points [N, 1, latent], classes as in `points` -> float32 [N, C, H, W], about [-1, 1]."""
        pictures: Tensor = self._network(points[:, 0], classes)
        return pictures


class StyleSpace:
    """The w of a StyleGAN2, one for each layer; Karras et al. 2019, section 3.1, and Abdal, Qin & Wonka 2019 (W+)."""

    name = "w"

    def __init__(self, network: StyleGAN2Generator) -> None:
        self.layers = network.mapping.copies
        self.width = network.mapping.w_average.shape[0]
        self._mapping, self._synthesis = network.mapping, network.synthesis

    def points(self, latents: Tensor, classes: Tensor | None = None) -> Tensor:
        """Latents [N, latent], classes int64 [N] or weights of them [N, K] -> [N, layers, width], all layers alike."""
        ws: Tensor = self._mapping(latents, classes)
        return ws

    def truncate(self, points: Tensor, truncation: Tensor | float) -> Tensor:
        """Points drawn towards the average of all w; 1 changes nothing, 0 leaves the average alone."""
        return self._mapping.truncate(points, truncation)

    def draw(self, points: Tensor, classes: Tensor | None = None) -> Tensor:
        """Points [N, layers, width] -> float32 [N, C, H, W], about [-1, 1]; a w has its class in it."""
        pictures: Tensor = self._synthesis(points)
        return pictures


Space = LatentSpace | StyleSpace


def space_of(network: nn.Module) -> Space:
    """The space in which a generator network is steered."""
    return StyleSpace(network) if isinstance(network, StyleGAN2Generator) else LatentSpace(network)


def steering_weights(network: nn.Module, layers: range) -> Tensor:
    """[outputs, width]: what the network first does to a point, as one linear map, for Shen & Zhou 2021, section 3.

    The styles' maps of some layers of a StyleGAN2, one below the other; of any other, the first linear map's columns
    for the latent.
    """
    if isinstance(network, StyleGAN2Generator):
        return torch.cat([network.synthesis.style_weights(layer) for layer in layers])
    first = next(module for module in network.modules() if isinstance(module, nn.Linear))
    return first.weight[:, : network.latent]
