"""The Fréchet distance at infinity, where it is known."""

import pytest
import torch

from ganvas.core.errors import DataError
from ganvas.metrics.extrapolation import frechet_at_infinity
from ganvas.metrics.frechet import frechet_distance, from_moments, statistics

DIMENSIONS = 24


def exact(dimensions=DIMENSIONS):
    return from_moments(torch.zeros(dimensions), torch.eye(dimensions), 10**9)


def sample(count, seed, shift=0.0):
    return torch.randn(count, DIMENSIONS, generator=torch.Generator().manual_seed(seed)) + shift


@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_the_bias_of_few_pictures_is_taken_away(shift):
    """The distance of unlimited samples is DIMENSIONS shift^2 (closed form)."""
    truth = DIMENSIONS * shift**2
    errors, usual = [], []
    for seed in range(6):
        fake = sample(1_500, seed, shift)
        errors.append(frechet_at_infinity(fake, exact(), seed=seed).value - truth)
        usual.append(frechet_distance(statistics(fake), exact()) - truth)
    assert min(usual) > 0
    assert abs(sum(errors) / 6) < sum(usual) / 6 / 3


def test_the_line_is_straight_and_ends_at_all_pictures():
    found = frechet_at_infinity(sample(2_000, 0, 0.1), exact())
    assert found.counts[-1] == 2_000
    assert found.slope > 0
    assert found.r_squared > 0.9
    assert found == frechet_at_infinity(sample(2_000, 0, 0.1), exact())


def test_too_few_pictures_are_told():
    with pytest.raises(DataError, match="50 or more"):
        frechet_at_infinity(sample(49, 0), exact())
    with pytest.raises(DataError, match="A line needs 15 points between 2 and 60 pictures"):
        frechet_at_infinity(sample(60, 0), exact(), smallest=60)
