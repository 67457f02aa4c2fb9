"""The kernel distance against loops, against torchmetrics, and where its value is known."""

import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from ganvas.core.errors import DataError
from ganvas.metrics.kernel import kernel_distance


def features(count, dimensions, seed, shift=0.0):
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed)) + shift


def by_loops(fake, real):
    """Bińkowski et al. 2018, equation 4, a pair at a time."""

    def kernel(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3

    def within(some):
        pairs = [(x, y) for i, x in enumerate(some) for j, y in enumerate(some) if i != j]
        return sum(kernel(x, y) for x, y in pairs) / len(pairs)

    across = sum(kernel(x, y) for x in fake for y in real) / (len(fake) * len(real))
    return within(fake) + within(real) - 2 * across


def test_it_is_the_definition_written_out_in_loops():
    fake, real = features(9, 4, 0).double(), features(9, 4, 1, 0.5).double()
    found = kernel_distance(fake, real, subsets=1, subset_size=9)
    assert found.mean == pytest.approx(by_loops(fake.tolist(), real.tolist()), rel=1e-12)
    assert found.spread == 0


def test_it_agrees_with_torchmetrics():
    fake, real = features(300, 64, 0), features(300, 64, 1, 0.3)
    theirs = poly_mmd(fake.double(), real.double(), degree=3, gamma=None, coef=1.0).item()
    assert kernel_distance(fake, real, subsets=1, subset_size=300).mean == pytest.approx(theirs, rel=1e-9)


def test_it_is_unbiased_and_goes_below_zero():
    """Of two samples of one distribution the mean is zero, whatever the subset size."""
    fake, real = features(4_000, 16, 0), features(4_000, 16, 1)
    for size in (20, 200):
        found = kernel_distance(fake, real, subsets=200, subset_size=size)
        assert abs(found.mean) < 4 * found.spread / 200**0.5
    values = [
        kernel_distance(fake[s : s + 50], real[s : s + 50], subsets=1, subset_size=50).mean for s in range(0, 1_000, 50)
    ]
    assert min(values) < 0 < max(values)


def test_the_same_seed_draws_the_same_subsets():
    fake, real = features(500, 8, 0), features(400, 8, 1)
    first, again, other = (kernel_distance(fake, real, subsets=5, subset_size=50, seed=seed) for seed in (3, 3, 4))
    assert first == again != other


def test_float32_features_cost_no_accuracy():
    fake, real = features(200, 32, 0, 100.0), features(200, 32, 1, 100.0)
    ours = kernel_distance(fake, real, subsets=1, subset_size=200).mean
    exact = kernel_distance(fake.double(), real.double(), subsets=1, subset_size=200).mean
    assert ours == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    ("fake", "real", "told"),
    [
        (features(9, 4, 0), features(20, 4, 1), "10 or more pictures, and there are 9 of the judged"),
        (features(20, 4, 0), features(20, 5, 1), "4 and 5 dimensions"),
        (features(20, 4, 0) / 0, features(20, 4, 1), "NaN or infinite"),
        (features(20, 4, 0)[0], features(20, 4, 1), "shape"),
    ],
)
def test_what_cannot_be_compared_is_told(fake, real, told):
    with pytest.raises(DataError, match=told):
        kernel_distance(fake, real, subset_size=10)
