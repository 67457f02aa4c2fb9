"""Layers that several families share: spectral normalisation, first values of weights, the way out to pictures."""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.errors import UsageError

Width = Annotated[int, Field(ge=1, le=8192)]
"""A number of features or channels in settings."""

WeightedLayer = nn.Linear | nn.Conv2d | nn.ConvTranspose2d


class SpectralNorm(nn.Module):
    """A layer whose weight is divided by its largest singular value. Miyato et al. 2018, section 2.1, algorithm 1.

    The weight W, seen as a matrix [out, everything else], is used as W / sigma with sigma = u^T W v. The singular
    vectors u [out] and v [everything else] are buffers, saved with the layer. `forward` only reads them: one power
    iteration is done by `begin_move`, once before each move of the player, so that neither the number of forward
    passes nor the cutting of a batch into parts changes the result. sigma is differentiable in W.
    """

    weight: Tensor
    u: Tensor
    v: Tensor

    def estimate_from_scratch(self) -> None:
        """Draw u from the global random generator and iterate until sigma is close; for the end of construction."""
        rows, columns = self.weight.flatten(1).shape
        self.register_buffer("u", functional.normalize(torch.randn(rows), dim=0))
        self.register_buffer("v", torch.zeros(columns))
        if not self.weight.is_meta:  # on the meta device a network is built for its shapes alone
            self.settle()

    def settle(self) -> None:
        """Iterate until sigma is close to that of the weight as it is."""
        for _ in range(50):
            self.begin_move()

    @torch.no_grad()
    def begin_move(self) -> None:
        """One power iteration: v <- W^T u / |W^T u|, u <- W v / |W v|, in place."""
        matrix = self.weight.flatten(1)
        self.v.copy_(functional.normalize(matrix.T @ self.u, dim=0))
        self.u.copy_(functional.normalize(matrix @ self.v, dim=0))

    def normalised_weight(self) -> Tensor:
        """W / sigma, of W's shape."""
        # Elementwise and not as matrix products, which autocast would round to bfloat16.
        sigma = (self.weight * torch.outer(self.u, self.v).view_as(self.weight)).sum()
        return self.weight / sigma


class SpectralConv2d(SpectralNorm, nn.Conv2d):
    """`nn.Conv2d` with the weight spectrally normalised: [N, C, H, W] -> [N, C', H', W']."""

    def __init__(
        self, channels: int, out_channels: int, kernel: int, stride: int = 1, padding: int = 0, *, bias: bool = True
    ) -> None:
        super().__init__(channels, out_channels, kernel, stride, padding, bias=bias)
        self.estimate_from_scratch()

    def forward(self, input: Tensor) -> Tensor:
        """The layer's map with W / sigma."""
        return self._conv_forward(input, self.normalised_weight(), self.bias)


class SpectralLinear(SpectralNorm, nn.Linear):
    """`nn.Linear` with the weight spectrally normalised: [N, F] -> [N, F']."""

    def __init__(self, features: int, out_features: int) -> None:
        super().__init__(features, out_features)
        self.estimate_from_scratch()

    def forward(self, input: Tensor) -> Tensor:
        """The layer's map with W / sigma."""
        return functional.linear(input, self.normalised_weight(), self.bias)


class SpectralEmbedding(SpectralNorm, nn.Embedding):
    """`nn.Embedding` with the table spectrally normalised: int64 [N] -> [N, F]."""

    def __init__(self, classes: int, features: int) -> None:
        super().__init__(classes, features)
        self.estimate_from_scratch()

    def forward(self, input: Tensor) -> Tensor:
        """The layer's map with W / sigma."""
        return functional.embedding(input, self.normalised_weight())


def doubling_widths(family: str, width: int, max_width: int, count: int) -> list[int]:
    """The channels at a side, at half of it, and so on. Raises UsageError for an impossible width of the family."""
    if width > max_width:
        raise UsageError(f"{family}'s width {width} is above its max_width {max_width}: raise max_width too")
    return [min(max_width, width * 2**halvings) for halvings in range(count)]


class MinibatchDeviation(nn.Module):
    """How much pictures that pass together differ, for a discriminator; in evaluation mode each is by itself, and 0.

    group: pictures that are compared with each other, in training.
    """

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = group

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, 1, 1, 1], as `minibatch_deviation`."""
        return minibatch_deviation(maps, self.group if self.training else 1)


def minibatch_deviation(maps: Tensor, group: int) -> Tensor:
    """How much the pictures of a group differ: [N, C, H, W] -> [N, 1, 1, 1], the same for all of a group.

    The standard deviation over the group, averaged over channels and places, in float32 or better. Karras et al. 2018
    (progressive growing), section 3. Groups are rows in sequence; those left over are a smaller one.
    """
    whole = len(maps) // group * group
    groups = (maps[:whole].unflatten(0, (-1, group)), maps[whole:].unsqueeze(0))
    return torch.cat([_deviations(some) for some in groups if some.numel()])[:, None, None, None]


def _deviations(groups: Tensor) -> Tensor:
    """[G, M, C, H, W] -> [G * M]."""
    groups = groups.to(torch.promote_types(groups.dtype, torch.float32))
    variances = groups.var(dim=1, correction=0)  # [G, C, H, W]
    deviations = (variances + 1e-8).sqrt().mean(dim=(1, 2, 3))
    return deviations.repeat_interleave(groups.shape[1])


def initialise_normal(network: nn.Module) -> None:
    """Every weight of linear and convolutional layers from N(0, 0.02^2). Radford et al. 2015, section 4.

    Right where batch normalisation restores the scale after each layer; without it the signal would die out.
    """
    for layer in network.modules():
        if isinstance(layer, WeightedLayer):
            nn.init.normal_(layer.weight, std=0.02)


def initialise_fan_in(network: nn.Module, last: WeightedLayer, slope: float) -> None:
    """Weights that keep the signal's size from layer to layer without normalisation; biases 0. He et al. 2015, eq. 15.

    Each weight is from N(0, gain^2 / fan_in), fan_in the number of inputs that meet in one output. slope: that of the
    (Leaky)ReLU between the layers; gain = sqrt(2 / (1 + slope^2)). last: the layer with no ReLU after it, gain 1.
    """
    for layer in network.modules():
        if isinstance(layer, WeightedLayer):
            gain = 1.0 if layer is last else math.sqrt(2 / (1 + slope**2))
            nn.init.normal_(layer.weight, std=gain / math.sqrt(_fan_in(layer)))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def initialise_orthogonal(layer: nn.Linear | nn.Conv2d, gain: float) -> None:
    """A weight with orthogonal rows, or columns where there are fewer of them; bias 0. Saxe, McClelland & Ganguli 2014.

    The weight, seen as a matrix [out, fan_in], is scaled so that its elements' variance is gain^2 / fan_in, as He's.
    All its singular values are the same, and a spectral norm is exact from the start.
    """
    if layer.weight.is_meta:  # built for its shapes alone
        return
    rows, columns = layer.weight.flatten(1).shape
    nn.init.orthogonal_(layer.weight, gain * math.sqrt(max(1.0, rows / columns)))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    if isinstance(layer, SpectralNorm):
        layer.begin_move()


def _fan_in(layer: WeightedLayer) -> float:
    if isinstance(layer, nn.ConvTranspose2d):  # a stride leaves each output only this share of the kernel
        return layer.in_channels * math.prod(layer.kernel_size) / math.prod(layer.stride)
    return layer.weight[0].numel()


def to_pictures(features: Tensor) -> Tensor:
    """tanh in float32, or float64 if the input is: [N, C, H, W] -> the same in [-1, 1].

    In bfloat16 the steps near -1 and 1 would be about as coarse as those of 8-bit pictures.
    """
    return features.to(torch.promote_types(features.dtype, torch.float32)).tanh()


def full_precision(tensor: Tensor) -> AbstractContextManager[object]:
    """The context in which autocast, where a device of this tensor's kind has it, rounds nothing to bfloat16."""
    kind = tensor.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()
