"""Moving through latent space."""

import torch
from torch import Tensor

from ganvas.core.errors import UsageError


def walk(latents: Tensor, frames: int) -> Tensor:
    """float32 [frames, Z]: a closed walk through the points [N, Z] and back to the first, in even steps.

    Each leg is a spherical interpolation (Shoemake 1985; White 2016), which stays at the length that latents have.
    Raises UsageError with fewer than two points, or fewer frames than points.
    """
    points = len(latents)
    if points < 2:
        raise UsageError("A walk needs at least two seeds, for example --seeds 1,5,9")
    if frames < points:
        raise UsageError(f"A walk past {points} seeds needs at least {points} frames")
    places = torch.arange(frames) * points / frames
    legs = places.long()
    starts, ends = latents[legs], latents[(legs + 1) % points]
    return slerp(starts, ends, (places - legs)[:, None])


def slerp(start: Tensor, end: Tensor, part: Tensor) -> Tensor:
    """Spherical interpolation of [N, Z] to [N, Z]: part [N, 1] in 0..1; straight where the two point the same way."""
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=1, eps=1e-12)[:, None].clamp(-1, 1)
    angle = torch.arccos(cosine)
    straight = torch.lerp(start, end, part)
    curved = (torch.sin((1 - part) * angle) * start + torch.sin(part * angle) * end) / torch.sin(angle).clamp(min=1e-6)
    return torch.where(torch.sin(angle) < 1e-4, straight, curved)
