"""The kernel distance: an unbiased estimate, so that it may be negative and does not depend on the sample count.

Bińkowski et al. 2018, "Demystifying MMD GANs", section 4: the squared maximum mean discrepancy with the kernel
((x . y) / D + 1)^3, over random subsets.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.errors import DataError
from ganvas.metrics.features import alike, checked


@dataclass(frozen=True)
class KernelDistance:
    """mean, spread: of the estimates over the subsets (their standard deviation); never clamped at zero."""

    mean: float
    spread: float
    subsets: int
    subset_size: int


def kernel_distance(
    fake: Tensor, real: Tensor, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> KernelDistance:
    """The distance between features [N, D] and [M, D].

    subset_size: pictures of each side in a subset, drawn without replacement. Raises DataError for fewer pictures than
    that, for unlike dimensions, and for values that are not finite.
    """
    if subset_size < 2 or subsets < 1:
        raise DataError(f"A kernel distance needs subsets of 2 or more, not {subsets} of {subset_size}")
    fake, real = checked(fake, "the judged pictures", subset_size), checked(real, "the reference", subset_size)
    alike(fake, real)
    dice = torch.Generator().manual_seed(seed)
    found = torch.stack(
        [
            _squared_discrepancy(
                fake[torch.randperm(len(fake), generator=dice)[:subset_size]],
                real[torch.randperm(len(real), generator=dice)[:subset_size]],
            )
            for _ in range(subsets)
        ]
    )
    return KernelDistance(found.mean().item(), found.std(correction=0).item(), subsets, subset_size)


def _squared_discrepancy(fake: Tensor, real: Tensor) -> Tensor:
    """The unbiased estimate (equation 4): the diagonals are left out of the averages within a set."""
    within = _mean_off_diagonal(_kernel(fake, fake)) + _mean_off_diagonal(_kernel(real, real))
    return within - 2 * _kernel(fake, real).mean()


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _mean_off_diagonal(matrix: Tensor) -> Tensor:
    count = len(matrix)
    return (matrix.sum() - matrix.diagonal().sum()) / (count * (count - 1))
