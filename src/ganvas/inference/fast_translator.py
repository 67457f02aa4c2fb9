"""A network from pictures to pictures for applying alone: bfloat16, with normalisations in the layers before them.

A copy is rewritten with the parts of `fast`; what a network keeps in float32 (its enlargement, tanh) stays in it.
"""

import copy
from collections.abc import Iterator

import torch
from torch import nn

from ganvas.inference.fast import fold_normalisations, replace
from ganvas.networks.residual_translator import ResidualTranslator
from ganvas.networks.translating import Translator
from ganvas.networks.unet import UNet


def fast_translator(network: Translator) -> Translator:
    """What makes of pictures what the network does, within 45 dB. The network, in evaluation mode, is left as it is."""
    with torch.no_grad():
        rewritten = copy.deepcopy(network)
        fold_normalisations(rewritten, _pairs(rewritten))
        replace(rewritten)
    return rewritten.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _pairs(network: nn.Module) -> Iterator[tuple[str, str]]:
    """The names of layers, and of the normalisations that follow them outside of a sequence."""
    if isinstance(network, UNet):
        for number in range(len(network.down_norms)):
            yield f"down.{number + 1}", f"down_norms.{number}"
        for number, double in enumerate(network.up):
            yield f"up.{number}.{len(double) - 1}", f"up_norms.{number}"  # type: ignore[arg-type]
    elif isinstance(network, ResidualTranslator):
        for number in range(len(network.blocks)):
            for which in ("first", "second"):
                yield f"blocks.{number}.{which}", f"blocks.{number}.{which}_norm"
