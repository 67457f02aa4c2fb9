"""A perceptual distance of pairs on a named backbone: how far apart what ImageNet's features see of them is.

Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", eq. 1, without learned
weights and on EfficientNet-Lite0: it is not LPIPS and never called so.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.core.errors import DataError
from ganvas.metrics.extractors import COLOUR_INPUT, check_pictures, exact_float32, to_colour
from ganvas.metrics.imagenet import WEIGHTS_SHA256, load_network, scaled

LEAST = 16  # pixels a side; the deepest stage has seen 32 x 32 as one
_PIXELS_AT_ONCE = 2_000_000
_TINY = 1e-10


class PerceptualDistance:
    """Distances in 0..4 of pairs of pictures, 0 for equal ones; at their own size, without a resize.

    The features of the five resolutions of EfficientNet-Lite0 are brought to length one at each position; their squared
    differences are averaged over positions and over the five. weights: as of the imagenet extractor, and as it raises.
    """

    name = "perceptual-imagenet"
    weights_sha256 = WEIGHTS_SHA256
    layer = "stages 1-5"
    resize = "none"

    def __init__(self, weights: Path | None = None) -> None:
        self._network = load_network(weights)

    @property
    def protocol(self) -> dict[str, Any]:
        """What a score's protocol says of the backbone: all that has to agree before two may be compared."""
        return {
            "extractor": self.name,
            "weights_sha256": self.weights_sha256,
            "layer": self.layer,
            "resize": self.resize,
            "input": f"{COLOUR_INPUT}; (x - 127) / 128",
        }

    @torch.no_grad()
    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Pairs, uint8 [N, C, H, W] -> float64 [N]. Raises DataError unless of one shape, from 16 pixels on."""
        check_pictures(a, self.name)
        check_pictures(b, self.name)
        if a.shape != b.shape or min(a.shape[2:]) < LEAST:
            raise DataError(
                f"A perceptual distance is of pairs of one shape, from {LEAST} x {LEAST} pixels on, not of "
                f"{list(a.shape)} and {list(b.shape)}: bring them to one count, size and number of channels"
            )
        at_once = max(1, _PIXELS_AT_ONCE // (a.shape[2] * a.shape[3]))
        with exact_float32(a.device):
            parts = zip(a.split(at_once), b.split(at_once), strict=True)
            return torch.cat([self._distances(x, y) for x, y in parts])

    def _distances(self, a: Tensor, b: Tensor) -> Tensor:
        of_a, of_b = (self.features(to_colour(side).float()) for side in (a, b))
        return self.between([x.double() for x in of_a], [x.double() for x in of_b])

    def features(self, pictures: Tensor) -> list[Tensor]:
        """The five stages' features of pictures float [N, 3, H, W] in 0..255; with gradients, where they are on."""
        return self._network.to(pictures.device).stages(scaled(pictures))

    def between(self, a: list[Tensor], b: list[Tensor]) -> Tensor:
        """Distances [N] of pictures with these features; b may be of one picture, for all."""
        return torch.stack([_distance(x, y) for x, y in zip(a, b, strict=True)]).mean(0)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """Features [N, D, h, w] of one stage -> [N]."""
    return (_unit(a) - _unit(b)).square().sum(1).mean((1, 2))


def _unit(features: Tensor) -> Tensor:
    return features / (features.norm(dim=1, keepdim=True) + _TINY)
