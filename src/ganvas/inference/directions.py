"""Directions of a generator's space along which its pictures change most: sliders that nobody had to label."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.core.parts import nearest
from ganvas.inference.generator import Generator
from ganvas.inference.latent import style_layers
from ganvas.inference.space import StyleSpace, steering_weights

_STYLES = 10_000  # w to find directions from
_PICTURES, _SIDE = 3_000, 16  # pictures to find directions from, and the pixels a side that count
_AT_ONCE = 64  # pictures that are held in full: of 1,024 pixels a side they are a gigabyte
_MOST = 64


@dataclass(frozen=True)
class Directions:
    """Directions of a generator's space, the most important first.

    vectors: float32 [D, width], of length 1. spreads: float32 [D], the standard deviation of its points along them.
    shares: float32 [D], how much of all change each is, as the method counts it. layers: those that are moved.
    """

    vectors: Tensor
    spreads: Tensor
    shares: Tensor
    layers: range

    def moved(self, points: Tensor, strengths: Mapping[int, float]) -> Tensor:
        """Points [N, layers, width] moved along directions by number, strengths in standard deviations.

        Raises UsageError for a number that there is not.
        """
        moved = points.clone()
        for number, strength in strengths.items():
            if not 0 <= number < len(self.vectors):
                raise UsageError(f"There is no direction {number}; there are 0-{len(self.vectors) - 1}")
            moved[:, self.layers.start : self.layers.stop] += strength * self.spreads[number] * self.vectors[number]
        return moved


class Mover:
    """Moves points of a generator's space along directions of several methods. strengths: by method and number."""

    def __init__(
        self, generator: Generator, strengths: Mapping[str, Mapping[int, float]], layers: range | None = None
    ) -> None:
        """layers: as for `find`. Raises UsageError for a method, a direction or layers that there are not."""
        self._moves = [(find(generator, method, max(some) + 1, layers), some) for method, some in strengths.items()]

    def __call__(self, points: Tensor) -> Tensor:
        """Points [N, layers, width] -> points."""
        for directions, strengths in self._moves:
            points = directions.moved(points, strengths)
        return points


def find(generator: Generator, method: str = "pca", count: int = 8, layers: range | None = None) -> Directions:
    """The first directions of a method: "pca" or "sefa". layers: of a StyleGAN2, those that are looked at and moved.

    Raises UsageError for another method, layers that cannot be chosen, more directions than the space has.
    """
    if method not in METHODS:
        raise UsageError(f"There is no method {method!r}: {nearest(method, tuple(METHODS))}")
    most = min(_MOST, generator.space.width)
    if not 1 <= count <= most:
        raise UsageError(f"{count} directions: there can be 1 to {most}")
    return METHODS[method](generator, count, style_layers(generator, layers))


def sefa(generator: Generator, count: int, layers: range) -> Directions:
    """The directions that the weights stretch most. Shen & Zhou 2021, "Closed-Form Factorization of Latent Semantics".

    Eigenvectors of A^T A (eq. 6), A the first linear map of a point: those of the greatest eigenvalues, which are the
    shares.
    """
    weights = steering_weights(generator.network, layers).float().cpu()
    values, vectors = torch.linalg.eigh(weights.T @ weights)
    return _directions(generator, vectors.T.flip(0)[:count], values.flip(0)[:count] / values.sum(), layers)


def pca(generator: Generator, count: int, layers: range) -> Directions:
    """The principal components of what the generator makes. Härkönen et al. 2020, "GANSpace", sections 2.1 and 2.2.

    Of the w of a StyleGAN2; for other generators of their pictures, averaged to 16 x 16: the direction of a component
    is that of the latents in which it grows fastest, by least squares of the pictures' places on the latents. (The
    paper's eq. 2 has latents on places, which for a Gaussian prior is the same but for sampling noise.)
    """
    if isinstance(generator.space, StyleSpace):
        vectors, shares = _components(_points(generator, _STYLES)[:, 0], count)
        return _directions(generator, vectors, shares, layers)
    seeds = range(_PICTURES)
    latents = generator.latents(seeds)
    parts = [seeds[start : start + _AT_ONCE] for start in range(0, len(seeds), _AT_ONCE)]
    pictures = torch.cat([_pooled(generator.pictures(latents[some], some)) for some in parts])
    if generator.classes:  # what makes a class is no direction
        kinds = torch.arange(len(pictures)) % len(generator.classes)
        means = torch.stack([pictures[kinds == kind].mean(dim=0) for kind in range(len(generator.classes))])
        pictures = pictures - means[kinds]
    axes, shares = _components(pictures, count)
    places = (pictures - pictures.mean(dim=0)) @ axes.T  # [N, D]
    vectors = torch.linalg.lstsq(latents - latents.mean(dim=0), places).solution.T
    return _directions(generator, functional.normalize(vectors, dim=1), shares, layers)


METHODS: Mapping[str, Callable[[Generator, int, range], Directions]] = {"pca": pca, "sefa": sefa}


def _pooled(pictures: np.ndarray) -> Tensor:
    """uint8 [N, C, H, W] -> float32 [N, C h w], averaged to 16 x 16, or a side that is smaller as it is."""
    height, width = (min(_SIDE, side) for side in pictures.shape[2:])
    return functional.adaptive_avg_pool2d(torch.from_numpy(pictures).float(), (height, width)).flatten(1)


def _points(generator: Generator, count: int) -> Tensor:
    seeds = range(count)
    return generator.points(generator.latents(seeds), seeds)


def _components(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The first principal components [D, F] of rows [N, F], and their shares of the variance [D]."""
    rows = rows - rows.mean(dim=0)
    values, vectors = torch.linalg.eigh((rows.T @ rows).double())
    return vectors.T.flip(0)[:count].float(), (values.flip(0)[:count] / values.sum()).float()


def _directions(generator: Generator, vectors: Tensor, shares: Tensor, layers: range) -> Directions:
    """With the spread of the space along vectors, whose greatest element is made positive: their sign means nothing."""
    greatest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
    vectors = vectors * greatest.sign()
    spreads = (_points(generator, 1_000)[:, 0] @ vectors.T).std(dim=0)
    return Directions(vectors, spreads, shares, layers)
