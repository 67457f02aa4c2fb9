"""Resizing by name: a resize is part of a score, for one model was given an FID of 11 or 13 by the resizer alone.

Both are separable and linear, so each is a matrix [size out, size in] for the rows and one for the columns, computed in
float64 and applied in float32. Values are neither rounded nor clipped in between, as the tools of the field leave them.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from ganvas.core.errors import UsageError
from ganvas.core.parts import nearest


def tf1_bilinear(size_in: int, size_out: int) -> Tensor:
    """The weights [size_out, size_in] of TensorFlow 1's bilinear resize, as the first FID and IS were computed with.

    Without half-pixel centres: pixel i of the output lies at i * size_in / size_out of the input, between the pixel at
    or before it and the next, the last one repeated. It does not average when it shrinks a picture.
    """
    position = torch.arange(size_out, dtype=torch.float64) * (size_in / size_out)
    before = position.floor().long()
    after = (before + 1).clamp(max=size_in - 1)
    share = position - before
    weights = torch.zeros(size_out, size_in, dtype=torch.float64)
    weights.scatter_add_(1, before[:, None], (1 - share)[:, None])
    return weights.scatter_add_(1, after[:, None], share[:, None])


def antialiased_bicubic(size_in: int, size_out: int) -> Tensor:
    """The weights [size_out, size_in] of Pillow's bicubic resize of one float channel, the "clean" one.

    Parmar et al. 2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation"; the kernel is that of Keys
    1981, "Cubic Convolution Interpolation for Digital Image Processing", eq. 15 with a = -1/2, widened by the ratio
    of the sizes where the picture shrinks.
    """
    scale = size_in / size_out
    centre = (torch.arange(size_out, dtype=torch.float64) + 0.5) * scale
    pixel = torch.arange(size_in, dtype=torch.float64) + 0.5
    distance = ((pixel - centre[:, None]) / max(scale, 1.0)).abs()
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((2.5 - 0.5 * distance) * distance - 4) * distance + 2
    weights = torch.where(distance < 1, near, torch.where(distance < 2, far, torch.zeros_like(far)))
    return weights / weights.sum(1, keepdim=True)


RESIZES: dict[str, Callable[[int, int], Tensor]] = {"tf1-bilinear": tf1_bilinear, "clean": antialiased_bicubic}


def resize(pictures: Tensor, size: int, name: str) -> Tensor:
    """Float32 pictures [N, C, H, W] -> [N, C, size, size] in the same range, by the named resize.

    Raises UsageError for a name that RESIZES does not have.
    """
    check_name(name)
    rows = _weights(name, pictures.shape[2], size).to(pictures.device)
    columns = _weights(name, pictures.shape[3], size).to(pictures.device)
    return rows @ (pictures @ columns.T)


def check_name(name: str) -> None:
    """Raise UsageError, with the nearest names, if there is no such resize."""
    if name not in RESIZES:
        raise UsageError(f"There is no resize named {name!r}: {nearest(name, RESIZES)}")


@functools.lru_cache(maxsize=16)
def _weights(name: str, size_in: int, size_out: int) -> Tensor:
    return RESIZES[name](size_in, size_out).float()
