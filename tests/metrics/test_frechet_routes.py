"""The three ways to a Fréchet distance: of few samples, by Cholesky's factor, by eigenvalues."""

import numpy as np
import pytest
import torch

from ganvas.metrics.frechet import Statistics, frechet_distance, from_moments, statistics


def features(count, dimensions, seed):
    dice = torch.Generator().manual_seed(seed)
    mixed = torch.randn(dimensions, dimensions, generator=torch.Generator().manual_seed(99), dtype=torch.float64)
    return torch.randn(count, dimensions, generator=dice, dtype=torch.float64) @ mixed + 0.1 * seed


def low_rank(x):
    """A root of the covariance that is the centred samples themselves, whatever their number."""
    return Statistics(x.mean(0), (x - x.mean(0)) / (len(x) - 1) ** 0.5, len(x))


def by_covariance(x):
    return from_moments(x.mean(0), torch.from_numpy(np.cov(x.numpy().T)), len(x))


@pytest.mark.parametrize("count", [15, 40, 300])  # fewer than the dimensions: eigenvalues; more: Cholesky
def test_all_routes_agree(count):
    a, b = features(count, 24, 0), features(count + 7, 24, 1)
    usual = frechet_distance(statistics(a), statistics(b))
    for one in (low_rank, by_covariance):
        for other in (low_rank, by_covariance):
            assert frechet_distance(one(a), other(b)) == pytest.approx(usual, rel=1e-8)


@pytest.mark.parametrize("count", [15, 300])
def test_moments_that_were_written_down_give_the_statistics_back(count):
    whole = statistics(features(count, 24, 0))
    again = from_moments(whole.mean, whole.covariance, whole.count)
    assert torch.allclose(again.covariance, torch.from_numpy(np.cov(features(count, 24, 0).numpy().T)), atol=1e-10)
    assert frechet_distance(whole, again) < 1e-6 * whole.covariance.trace()
