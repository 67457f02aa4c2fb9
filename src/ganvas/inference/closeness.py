"""How far pictures are from one that they should become: what a projection makes small, with gradients."""

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.metrics.imagenet import find_weights
from ganvas.metrics.perceptual import LEAST, PerceptualDistance

_SCALES = 4  # of the pyramid: whole, halved, quartered, ...
_PIXELS = 1.0  # weight of the pixels' own distance beside the perceptual one


class Closeness:
    """Distances of pictures from a target, float [C, H, W] in [-1, 1].

    Perceptual ones (Zhang et al. 2018) where ImageNet's weights are at hand and the pictures are large enough, plus the
    pixels' mean squared difference, which holds colour; else that difference over a pyramid of scales.
    """

    def __init__(self, target: Tensor) -> None:
        self._target = target[None]
        self._perceptual = PerceptualDistance() if find_weights() and min(target.shape[1:]) >= LEAST else None
        if self._perceptual is not None:
            with torch.no_grad():
                self._features = self._perceptual.features(_colour(self._target))

    @property
    def name(self) -> str:
        """The word for what is measured."""
        return "pyramid of pixels" if self._perceptual is None else self._perceptual.name

    def rough(self, pictures: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> [N]: a quick look, for choosing among thousands."""
        found = torch.zeros(len(pictures), device=pictures.device)
        near, target = pictures, self._target
        for _ in range(_SCALES):
            found = found + (near - target).square().mean(dim=(1, 2, 3))
            if min(near.shape[2:]) < 2:
                break
            near, target = functional.avg_pool2d(near, 2), functional.avg_pool2d(target, 2)
        return found / _SCALES

    def __call__(self, pictures: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> [N]; gradients flow to the pictures."""
        if self._perceptual is None:
            return self.rough(pictures)
        seen = self._perceptual.between(self._perceptual.features(_colour(pictures)), self._features)
        return seen + _PIXELS * (pictures - self._target).square().mean(dim=(1, 2, 3))


def _colour(pictures: Tensor) -> Tensor:
    """[N, 1 to 4, H, W] in [-1, 1] -> [N, 3, H, W] in 0..255; alpha is composited on white."""
    pictures = (pictures + 1) * 127.5
    if pictures.shape[1] in (2, 4):
        alpha = pictures[:, -1:] / 255
        pictures = pictures[:, :-1] * alpha + 255 * (1 - alpha)
    return pictures if pictures.shape[1] == 3 else pictures.expand(-1, 3, -1, -1)
