"""The same network for drawing alone: bfloat16 where it is native, and nothing computed that training alone needs.

A copy of the network is rewritten, so that no family's file knows of it:

- spectral norms are divided out once, and not in every pass
- a normalisation by running means becomes part of the layer before it; one whose scale and shift belong to a class
  becomes a scale and a shift a class
- weights of linear maps and convolutions are kept in bfloat16 and cast once, where autocast casts them in every pass
- a convolution after nearest x2, and what it would sum twice, becomes a transposed one at half the side
- a transposed convolution to pictures, whose few channels leave a CPU's vector units empty, becomes a convolution at
  half the side and a shuffle of pixels (Shi et al. 2016, section 3.2), which is the same sum

What a network keeps in float32 under autocast (the mapping and demodulation of StyleGAN2, tanh) stays in it here.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from ganvas.inference.drawing import Drawing
from ganvas.inference.narrow import (
    NARROW,
    Narrow,
    NarrowBlock,
    NarrowDouble,
    NarrowGated,
    NarrowResidual,
    NarrowSynthesis,
    Shuffled,
    narrow_norm,
)
from ganvas.networks import fastgan, resnet
from ganvas.networks.conditioning import ClassNorm
from ganvas.networks.conv28 import Conv28Generator
from ganvas.networks.dcgan import DCGANGenerator
from ganvas.networks.equalised import EqualLinear
from ganvas.networks.layers import SpectralConv2d, SpectralEmbedding, SpectralLinear, SpectralNorm
from ganvas.networks.r3gan import Block, Double, R3GANGenerator
from ganvas.networks.stylegan2 import Synthesis

_FEW = 4  # channels of a transposed convolution that is rewritten


def fast(network: nn.Module) -> Drawing:
    """What draws as the network does, within 45 dB, in bfloat16. The network, in evaluation mode, is left as it is."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]):  # new layers draw weights, which are then replaced
        rewritten: Any = copy.deepcopy(network)
        _divide_out_spectral_norms(rewritten)
        fold_normalisations(rewritten, _pairs(rewritten))
        replace(rewritten)
        if isinstance(rewritten, R3GANGenerator):
            # Laid out channels last, as all that follows then is.
            rewritten.basis.data = rewritten.basis.to(NARROW).permute(1, 2, 0).contiguous().permute(2, 0, 1)
    return Drawing(rewritten.to(memory_format=torch.channels_last))


def _divide_out_spectral_norms(network: nn.Module) -> None:
    plain: nn.Module
    for name, layer in list(network.named_modules()):
        if not isinstance(layer, SpectralNorm):
            continue
        if isinstance(layer, SpectralConv2d):
            plain = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size)  # type: ignore[arg-type]
            plain.stride, plain.padding, plain.bias = layer.stride, layer.padding, None
        elif isinstance(layer, SpectralLinear):
            plain = nn.Linear(layer.in_features, layer.out_features)
        elif isinstance(layer, SpectralEmbedding):
            plain = nn.Embedding(layer.num_embeddings, layer.embedding_dim)
        plain.weight = nn.Parameter(layer.normalised_weight(), requires_grad=False)
        if getattr(layer, "bias", None) is not None:
            plain.bias = layer.bias
        network.set_submodule(name, plain.eval())


def fold_normalisations(network: nn.Module, others: Iterator[tuple[str, str]]) -> None:
    """Take batch normalisations into the layers before them: [W, b] -> [s W, s (b - mean) + shift].

    In a sequence they are found; others: the names of layers and of what follows each of them, outside of sequences.
    """
    for before, norm in [*_in_sequences(network), *others]:
        layer, batch = network.get_submodule(before), network.get_submodule(norm)
        if isinstance(batch, (nn.BatchNorm1d, nn.BatchNorm2d)):
            _fold(layer, batch)
            network.set_submodule(norm, nn.Identity())


def _in_sequences(network: nn.Module) -> Iterator[tuple[str, str]]:
    """The names of layers in sequences and of what follows each of them."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Sequential):
            dot = f"{name}." if name else ""
            for number in range(1, len(module)):
                if isinstance(module[number - 1], (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                    yield f"{dot}{number - 1}", f"{dot}{number}"


def _pairs(network: nn.Module) -> Iterator[tuple[str, str]]:
    """The names of layers outside of sequences, and of what follows each of them and nothing else does."""
    if isinstance(network, fastgan.FastGANGenerator):
        yield "project", "norm"
    elif isinstance(network, resnet.ResNetGenerator):
        for number in range(len(network.blocks)):
            yield f"blocks.{number}.conv1", f"blocks.{number}.norm2.norm"
    elif isinstance(network, (DCGANGenerator, Conv28Generator)):
        yield "project", "layers.0"


def _fold(layer: Any, norm: Any) -> None:
    """Each channel of the norm is so many of a linear layer's features as lie in one channel of its maps."""
    each = layer.out_features // norm.num_features if isinstance(layer, nn.Linear) else 1
    mean, variance = norm.running_mean.repeat_interleave(each), norm.running_var.repeat_interleave(each)
    gain = None if norm.weight is None else norm.weight.repeat_interleave(each)
    shift = None if norm.bias is None else norm.bias.repeat_interleave(each)
    turned = isinstance(layer, nn.ConvTranspose2d)
    layer.weight, layer.bias = fuse_conv_bn_weights(
        layer.weight, layer.bias, mean, variance, norm.eps, gain, shift, transpose=turned
    )


def replace(network: nn.Module) -> None:
    """Put a narrow counterpart in the place of every part that has one; what is inside such a part goes with it."""
    for name, part in list(network.named_children()):
        kind = next((kind for kind in _COUNTERPARTS if isinstance(part, kind)), None)
        if kind is None:
            replace(part)
        else:
            network.set_submodule(name, _COUNTERPARTS[kind](part))


def _narrow_transposed(layer: nn.ConvTranspose2d) -> nn.Module:
    doubles = layer.stride == (2, 2) and layer.kernel_size[0] - 2 * int(layer.padding[0]) + layer.output_padding[0] == 2
    return Shuffled(layer) if doubles and layer.out_channels <= _FEW else Narrow(layer)


# The first kind that fits a part is taken; parts of other kinds stay, and are looked into.
_COUNTERPARTS: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    EqualLinear: lambda layer: layer,
    resnet.UpBlock: NarrowResidual,
    fastgan.UpBlock: NarrowGated,
    ClassNorm: narrow_norm,
    Block: NarrowBlock,
    Double: NarrowDouble,
    Synthesis: NarrowSynthesis,
    nn.ConvTranspose2d: _narrow_transposed,
    nn.Conv2d: Narrow,
    nn.Linear: Narrow,
}
