"""How far a network looks in effect, and how much memory it takes: what the tiles of a picture are chosen by.

Nearly all of the influence on a pixel comes from much nearer than the furthest place that has any (Luo et al. 2016,
"Understanding the Effective Receptive Field in Deep Convolutional Neural Networks"). So it is measured: a picture is
cut, and it is looked how far from the cut the result differs from that of the whole.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.sizes import multiple_from
from ganvas.networks.translating import Translator
from ganvas.training.draws import latents_of_seeds

LEAST_DIFFERENCE = 0.5 / 255  # of what is made, in [-1, 1]: a quarter of a step of 8 bits
SAFETY = 1.25  # one picture of noise does not show all
_HEIGHT = 64  # of the picture that is cut
_OCTAVES = 6


@dataclass(frozen=True)
class Seen:
    """margin: so far from a cut what is made is that of the whole. difference: the largest beyond it, in [-1, 1]."""

    margin: int
    difference: float


def seen(network: Translator, most: int, device: torch.device) -> Seen:
    """How far a network looks, up to `most` pixels, beyond which it is told what difference is left.

    network: in float32 and evaluation mode.
    """
    if network.reach is not None:
        most = min(most, network.reach)
    side = multiple_from(max(most, network.least, 1), network.multiple)
    picture = _noise(network.inputs, multiple_from(max(_HEIGHT, network.least), network.multiple), 2 * side).to(device)
    with torch.inference_mode():
        found = torch.maximum(
            *(_differences(network, turned, side) for turned in (picture, picture.transpose(2, 3).contiguous()))
        )
    beyond = found.flip(0).cummax(0).values.flip(0)  # the largest so far from the cut or further
    near = [place for place in range(min(most, side)) if float(beyond[place]) <= LEAST_DIFFERENCE]
    if not near:
        return Seen(most, 0.0 if network.reach == most else float(beyond[min(most, side - 1)]))
    return Seen(min(most, int(SAFETY * near[0]) + 1), float(beyond[near[0]]))


def bytes_for_a_pixel(network: nn.Module, inputs: int, least: int, device: torch.device) -> int:
    """About how much memory a network takes for each pixel that goes in: its largest layer, with what it makes of it.

    What else lives beside it and what kernels take for themselves is allowed for as much again.
    """
    side = max(64, least)
    most = [0]

    def look(layer: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        taken = sum(one.numel() * one.element_size() for one in (*given, made) if isinstance(one, Tensor))
        most[0] = max(most[0], taken)

    leaves = [layer for layer in network.modules() if not any(True for _ in layer.children())]
    hooks = [layer.register_forward_hook(look) for layer in leaves]
    try:
        with torch.inference_mode():
            made = network(torch.zeros(1, inputs, side, side, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    return 2 * max(most[0], 4 * made.numel() * made.element_size()) // side**2


def _differences(network: Translator, picture: Tensor, side: int) -> Tensor:
    """float32 [side]: the largest difference so far from a cut, of both halves of a picture twice as long as `side`."""
    along = 3 if picture.shape[3] == 2 * side else 2
    whole = network(picture)
    found = []
    for half, towards in zip(range(2), (True, False), strict=True):
        cut = network(picture.narrow(along, half * side, side).contiguous())
        apart = (cut - whole.narrow(along, half * side * network.scale, side * network.scale)).abs()
        lines = apart.amax(dim=[0, 1, 5 - along]).view(side, network.scale).amax(dim=1)
        found.append(lines.flip(0) if towards else lines)
    return torch.maximum(*found).float().cpu()


def _noise(channels: int, height: int, width: int) -> Tensor:
    """[1, channels, height, width] in [-1, 1]: noise of all widths alike, as photos have it."""
    summed = torch.zeros(1, channels, height, width)
    for octave in range(_OCTAVES):
        rows, columns = (max(1, side >> octave) for side in (height, width))
        grains = latents_of_seeds([octave], channels * rows * columns).view(1, channels, rows, columns)
        summed += functional.interpolate(grains, size=(height, width), mode="bilinear")
    return (summed / _OCTAVES**0.5 / 2).clamp(-1, 1)
