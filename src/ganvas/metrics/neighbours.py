"""Precision and recall, density and coverage: is each side within the neighbourhoods of the other?

Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing Generative Models"; Naeem et al. 2020,
"Reliable Fidelity and Diversity Metrics for Generative Models". Distances are computed block by block.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.errors import DataError
from ganvas.metrics.features import alike, checked

_BLOCK = 1_000  # rows whose distances are held at a time: 80 MB against 10,000


@dataclass(frozen=True)
class Prdc:
    """precision, recall, coverage: parts in [0, 1]; density: 1 where both sides are alike, and may be above."""

    precision: float
    recall: float
    density: float
    coverage: float
    k: int


def precision_recall_density_coverage(fake: Tensor, real: Tensor, *, k: int = 5) -> Prdc:
    """The four scores of features [N, D] and [M, D] with the neighbourhoods of the k-th nearest neighbour.

    Raises DataError for k or fewer pictures on a side, unlike dimensions, and values that are not finite.
    """
    if k < 1:
        raise DataError(f"Neighbourhoods need k of 1 or more, not {k}")
    fake, real = checked(fake, "the judged pictures", k + 1), checked(real, "the reference", k + 1)
    alike(fake, real)
    real_radii, fake_radii = radii(real, k), radii(fake, k)
    inside = precise = 0
    covered = torch.zeros(len(real), dtype=torch.bool)
    recalled = torch.zeros(len(real), dtype=torch.bool)
    for rows, distances in blocks(fake, real):
        within = distances <= real_radii
        inside += int(within.sum())
        precise += int(within.any(dim=1).sum())
        recalled |= (distances <= fake_radii[rows, None]).any(dim=0)
        covered |= within.any(dim=0)  # some generated picture lies in this one's neighbourhood
    return Prdc(
        precision=precise / len(fake),
        recall=recalled.double().mean().item(),
        density=inside / (k * len(fake)),
        coverage=covered.double().mean().item(),
        k=k,
    )


def radii(features: Tensor, k: int) -> Tensor:
    """float64 [N]: each feature's distance to its k-th nearest neighbour other than itself."""
    nearest = [distances.topk(k + 1, dim=1, largest=False).values for _, distances in blocks(features, features)]
    return torch.cat(nearest)[:, k]  # the nearest is itself; kthvalue takes twenty times as long


def blocks(a: Tensor, b: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Rows of `a` and their distances [n, M] to all of `b`, so many rows at a time.

    By differences of squares, in float64; of features that are equal the distance is 0 to 1e-6 of their length.
    """
    b_squares = b.square().sum(dim=1)
    for start in range(0, len(a), _BLOCK):
        rows = slice(start, start + _BLOCK)
        part = a[rows]
        squares = torch.addmm(part.square().sum(dim=1, keepdim=True) + b_squares, part, b.T, alpha=-2)
        yield rows, squares.clamp_(min=0).sqrt_()
