"""Moving through latent space: walks, and styles of one picture in another."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ganvas.core.errors import UsageError
from ganvas.inference.generator import Generator
from ganvas.inference.space import StyleSpace


def walk(latents: Tensor, frames: int) -> Tensor:
    """float32 [frames, Z]: a closed walk through the points [N, Z] and back to the first, in even steps.

    Each leg is a spherical interpolation (Shoemake 1985; White 2016), which stays at the length that latents have.
    Raises UsageError with fewer than two points, or fewer frames than points.
    """
    legs, parts = _steps(len(latents), frames)
    return slerp(latents[legs], latents[(legs + 1) % len(latents)], parts[:, None])


def straight_walk(points: Tensor, frames: int) -> Tensor:
    """[frames, ...]: as `walk`, but along straight lines: for styles, and for weights of classes. Raises as `walk`."""
    legs, parts = _steps(len(points), frames)
    return torch.lerp(points[legs], points[(legs + 1) % len(points)], parts.view(-1, *[1] * (points.ndim - 1)))


def _steps(points: int, frames: int) -> tuple[Tensor, Tensor]:
    """For each frame the point behind it, int64 [frames], and the part of the way to the next, float32 [frames]."""
    if points < 2:
        raise UsageError("A walk needs at least two seeds, for example --seeds 1,5,9")
    if frames < points:
        raise UsageError(f"A walk past {points} seeds needs at least {points} frames")
    places = torch.arange(frames) * points / frames
    return places.long(), places - places.long()


def slerp(start: Tensor, end: Tensor, part: Tensor) -> Tensor:
    """Spherical interpolation of [N, Z] to [N, Z]: part [N, 1] in 0..1; straight where the two point the same way."""
    cosine = functional.cosine_similarity(start, end, dim=1, eps=1e-12)[:, None].clamp(-1, 1)
    angle = torch.arccos(cosine)
    straight = torch.lerp(start, end, part)
    curved = (torch.sin((1 - part) * angle) * start + torch.sin(part * angle) * end) / torch.sin(angle).clamp(min=1e-6)
    return torch.where(torch.sin(angle) < 1e-4, straight, curved)


def walk_between(generator: Generator, points: Tensor, labels: Sequence[int], frames: int) -> np.ndarray:
    """uint8 [frames, C, H, W]: a closed walk through points of a generator's space, each of a class of its own.

    points: [N, layers, width]; labels: their classes, which are mixed on the way from one to another. Latents are
    walked along arcs, as the Gaussian they come from has most of them at one length, styles along straight lines.
    Raises UsageError as `walk`.
    """
    if isinstance(generator.space, StyleSpace):  # a style has its class in it
        return generator.pictures_of_points(straight_walk(points, frames), [0] * frames)
    path = walk(points[:, 0], frames)[:, None]
    if not generator.classes or len(set(labels)) == 1:
        return generator.pictures_of_points(path, [labels[0]] * frames)
    numbers = torch.tensor(labels) % len(generator.classes)
    weights = functional.one_hot(numbers, len(generator.classes)).float()
    return generator.pictures_of_points(path, straight_walk(weights, frames))


def mixed_styles(points: Tensor, others: Tensor, layers: range) -> Tensor:
    """[N, layers, width]: points with the styles of others in some layers. Karras et al. 2019, section 3.1.

    The first layers are layout and pose, the last ones colour and texture.
    """
    mixed = points.clone()
    mixed[:, layers.start : layers.stop] = others[:, layers.start : layers.stop]
    return mixed


def style_layers(generator: Generator, layers: range | None) -> range:
    """Layers that can be steered by themselves, None for all of them.

    Raises UsageError where there are none such, or none so far.
    """
    count = generator.space.layers
    if layers is None:
        return range(count)
    if not isinstance(generator.space, StyleSpace):
        raise UsageError(
            f"A {generator.card['generator']['name']} generator has one latent and no styles by layer, so layers "
            "cannot be chosen; a stylegan2 has them"
        )
    if not layers or layers.start < 0 or layers.stop > count:
        raise UsageError(f"Layers {layers.start}-{layers.stop - 1}: this generator has 0-{count - 1}")
    return layers
