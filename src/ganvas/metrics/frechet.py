"""The Fréchet distance between two sets of features, each taken as one Gaussian, in float64 throughout.

Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule", eq. 6:
    d^2 = |mu_a - mu_b|^2 + tr(S_a) + tr(S_b) - 2 tr((S_a S_b)^(1/2)).
With S = R^T R for both, the last trace is the sum of the singular values (the nuclear norm) of R_a R_b^T, so no square
root of a general matrix is taken. R is the centred features themselves where the samples are few, else Cholesky's
factor. The eigenvalues of the product with its own transpose are the squares of its singular values, come four times as
fast, and have lost the digits of the smallest: they serve where a bound on what is lost says that it does not matter.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganvas.core.errors import DataError

_CHUNK = 8192  # samples turned into float64 at a time
_PANEL = 512  # columns of a covariance that are computed at a time; what lies below its diagonal is not
_LOST = 1e-10  # most that may be lost of the distance, in parts of the two traces


@dataclass(frozen=True)
class Statistics:
    """What the distance needs of a set: float64 mean [D], root [K, D] with root^T root = covariance, sample count."""

    mean: Tensor
    root: Tensor
    count: int

    @property
    def dimensions(self) -> int:
        """D, the length of one feature vector."""
        return self.mean.shape[0]

    @property
    def covariance(self) -> Tensor:
        """float64 [D, D]: the covariance, divided by N - 1."""
        return self.root.T @ self.root


def statistics(features: np.ndarray | Tensor) -> Statistics:
    """The mean and covariance (divided by N - 1) of features [N, D].

    Raises DataError for another shape, fewer than two samples, or values that are NaN or infinite.
    """
    features = torch.as_tensor(features).detach().cpu()
    if features.ndim != 2 or features.shape[1] == 0:
        raise DataError(f"A Fréchet distance needs features [N, D], not of shape {list(features.shape)}")
    count, dimensions = features.shape
    if count < 2:
        raise DataError(f"A Fréchet distance needs at least 2 samples in each set; this one has {count}")
    if not torch.isfinite(features).all():
        raise DataError(
            "A Fréchet distance cannot be taken: some features are NaN or infinite. "
            "Check that the generator has not diverged"
        )
    mean = features.mean(0, dtype=torch.float64)
    if count <= dimensions:
        centred = features.to(torch.float64, copy=True).sub_(mean).div_((count - 1) ** 0.5)
        return Statistics(mean, _without_null_direction(centred), count)
    covariance = torch.zeros(dimensions, dimensions, dtype=torch.float64)
    for chunk in features.split(_CHUNK):
        centred = chunk.to(torch.float64, copy=True).sub_(mean)
        for start in range(0, dimensions, _PANEL):
            panel = centred[:, start : start + _PANEL]
            covariance[start : start + _PANEL, start:].addmm_(panel.T, centred[:, start:])
    covariance = covariance.triu_() + covariance.triu(1).T
    return Statistics(mean, _root(covariance / (count - 1)), count)


def from_moments(mean: Tensor, covariance: Tensor, count: int) -> Statistics:
    """The statistics of a set whose float64 mean [D] and covariance [D, D] (divided by N - 1) are known."""
    return Statistics(mean.double(), _root(covariance.double()), count)


def frechet_distance(a: Statistics, b: Statistics) -> float:
    """The squared Fréchet distance between two sets, as "FID" and its kin report it; never below zero.

    Raises DataError if the two have feature vectors of different lengths.
    """
    if a.dimensions != b.dimensions:
        raise DataError(
            f"A Fréchet distance compares features of one extractor; "
            f"these have {a.dimensions} and {b.dimensions} dimensions"
        )
    shift = (a.mean - b.mean).square().sum()
    spread = a.root.square().sum() + b.root.square().sum()
    shared = _nuclear_norm(a.root @ b.root.T, most_lost=_LOST * spread.item())
    return max(0.0, (shift + spread - 2 * shared).item())


def _nuclear_norm(matrix: Tensor, most_lost: float) -> Tensor:
    """The sum of the singular values, to within `most_lost` of what float64 gives."""
    if len(matrix) > matrix.shape[1]:
        matrix = matrix.T
    squares = torch.linalg.eigvalsh(matrix @ matrix.T).clamp(min=0)
    values = squares.sqrt()
    error = torch.finfo(squares.dtype).eps * squares.max()  # of each square
    lost = torch.where(squares > error, error / values, error.sqrt()).sum()
    return values.sum() if lost <= most_lost else torch.linalg.svdvals(matrix).sum()


def _without_null_direction(centred: Tensor) -> Tensor:
    """[K - 1, D] with the same covariance as rows [K, D] that sum to zero.

    They are turned by the Householder reflection that takes the direction (1, ..., 1), in which they have no extent, to
    the first row; that row is then zero, and left out.
    """
    return centred[1:] + centred[0] / (len(centred) ** 0.5 - 1)


def _root(covariance: Tensor) -> Tensor:
    """R [D, D] with R^T R = covariance: Cholesky's factor, or by eigenvalues where the covariance is singular."""
    factor, failed = torch.linalg.cholesky_ex(covariance, upper=True)
    if not failed:
        return factor
    values, vectors = torch.linalg.eigh(covariance)
    return values.clamp(min=0).sqrt()[:, None] * vectors.T
