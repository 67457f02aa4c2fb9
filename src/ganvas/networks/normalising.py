"""Normalisation by name, for networks that see pictures of any size."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

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
    return InstanceNorm(channels, affine=name == "instance-affine")


class InstanceNorm(nn.InstanceNorm2d):
    """PyTorch's, with the right gradient of a single picture too.

    Of one picture PyTorch's (2.13, on CPUs) is wrong where the gradient that comes back is laid out channels last.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> the same, each channel of each picture with mean 0 and variance 1."""
        if self.training and len(maps) == 1:  # a group of one channel is the same
            return functional.group_norm(maps, self.num_features, self.weight, self.bias, self.eps)
        normed: Tensor = super().forward(maps)
        return normed


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
