"""Normalisation by name, for networks that see pictures of any size."""

from typing import Literal

from torch import nn

from ganvas.networks.layers import WeightedLayer, initialise_normal

NormName = Literal["batch", "instance", "instance-affine", "none"]


def norm_of(name: str, channels: int) -> nn.Module:
    """Batch normalisation (Ioffe & Szegedy 2015) with weights, instance normalisation (Ulyanov et al. 2016) without.

    "instance-affine" is the latter with the weights of the former: batch normalisation in training of one picture.
    """
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "none":
        return nn.Identity()
    return nn.InstanceNorm2d(channels, affine=name == "instance-affine")


def has_shift(name: str) -> bool:
    """Whether this normalisation adds a number to each channel, so that the layer before it needs no bias."""
    return name in ("batch", "instance-affine")


def by_picture(name: str) -> bool:
    """Whether this normalisation measures each picture, so that all of it has an influence everywhere."""
    return name.startswith("instance")


def initialise_normed(network: nn.Module) -> None:
    """Weights from N(0, 0.02^2), biases 0, scales of normalisations from N(1, 0.02^2). Isola et al. 2017, 6.2."""
    initialise_normal(network)
    for layer in network.modules():
        if isinstance(layer, WeightedLayer) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
        elif isinstance(layer, (nn.BatchNorm2d, nn.InstanceNorm2d)) and layer.affine:
            nn.init.normal_(layer.weight, mean=1.0, std=0.02)
