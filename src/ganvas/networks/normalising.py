"""Normalisation by name, for networks that see pictures of any size."""

from typing import Literal

from torch import nn

from ganvas.networks.layers import WeightedLayer, initialise_normal

NormName = Literal["batch", "instance", "none"]


def norm_of(name: str, channels: int) -> nn.Module:
    """Batch normalisation (Ioffe & Szegedy 2015) with weights, instance normalisation (Ulyanov et al. 2016) without."""
    if name == "batch":
        return nn.BatchNorm2d(channels)
    return nn.InstanceNorm2d(channels) if name == "instance" else nn.Identity()


def initialise_normed(network: nn.Module) -> None:
    """Weights from N(0, 0.02^2), biases 0, scales of batch normalisation from N(1, 0.02^2). Isola et al. 2017, 6.2."""
    initialise_normal(network)
    for layer in network.modules():
        if isinstance(layer, WeightedLayer) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, mean=1.0, std=0.02)
