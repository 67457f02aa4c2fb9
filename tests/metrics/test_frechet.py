import numpy as np
import pytest
import scipy.linalg
import torch

from ganvas.core.errors import DataError
from ganvas.metrics.frechet import frechet_distance, statistics


def gaussian(count: int, dimensions: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dimensions))


def whitened(features: np.ndarray) -> np.ndarray:
    """The same samples moved and stretched to mean 0 and covariance 1 exactly."""
    centred = features - features.mean(0)
    return centred @ np.linalg.inv(np.linalg.cholesky(np.cov(centred, rowvar=False)).T)


@pytest.fixture
def mixing() -> np.ndarray:
    return gaussian(12, 12, seed=9) / 3 + np.eye(12)


def by_general_square_root(a: np.ndarray, b: np.ndarray) -> float:
    mean = np.square(a.mean(0) - b.mean(0)).sum()
    s_a, s_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    return float(mean + np.trace(s_a + s_b - 2 * scipy.linalg.sqrtm(s_a @ s_b).real))


def test_equal_covariances_a_unit_apart_in_each_of_d_dimensions_are_d_apart():
    a = whitened(gaussian(300, 24, seed=0))
    b = whitened(gaussian(400, 24, seed=1)) + 1
    assert frechet_distance(statistics(a), statistics(b)) == pytest.approx(24, rel=1e-10)


def test_diagonal_gaussians_have_the_closed_form():
    variances_a, variances_b = np.linspace(0.5, 4, 16), np.linspace(3, 0.1, 16)
    shift = np.linspace(-1, 2, 16)
    a = whitened(gaussian(200, 16, seed=2)) * np.sqrt(variances_a)
    b = whitened(gaussian(300, 16, seed=3)) * np.sqrt(variances_b) + shift
    expected = np.sum(shift**2 + (np.sqrt(variances_a) - np.sqrt(variances_b)) ** 2)
    assert frechet_distance(statistics(a), statistics(b)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("count", [20, 64, 2000], ids=["fewer samples than dimensions", "as many", "more"])
def test_a_set_is_at_no_distance_from_itself(count):
    features = statistics(gaussian(count, 64, seed=4) * 3)
    assert 0 <= frechet_distance(features, features) < 1e-6


def test_features_that_are_never_active_do_not_disturb_the_distance():
    a, b = gaussian(500, 20, seed=5), gaussian(500, 20, seed=6) + 0.3
    plain = frechet_distance(statistics(a), statistics(b))
    dead = np.zeros((500, 9))
    with_dead = frechet_distance(statistics(np.hstack([a, dead])), statistics(np.hstack([b, dead])))
    assert with_dead == pytest.approx(plain, rel=1e-8)
    doubled = statistics(np.hstack([a, a]))
    assert frechet_distance(doubled, doubled) < 1e-6


def test_it_agrees_with_the_general_square_root(mixing):
    a, b = gaussian(400, 12, seed=7) @ mixing, gaussian(300, 12, seed=8) + 0.5
    assert frechet_distance(statistics(a), statistics(b)) == pytest.approx(by_general_square_root(a, b), rel=1e-8)


def test_few_samples_agree_with_the_general_square_root_on_regular_covariances(mixing):
    few = gaussian(13, 12, seed=10) @ mixing
    many = gaussian(300, 12, seed=11)
    assert frechet_distance(statistics(few), statistics(many)) == pytest.approx(
        by_general_square_root(few, many), rel=1e-8
    )


def test_the_routes_for_few_and_for_many_samples_agree():
    """Zero columns raise D above N, which takes the other route and changes no distance."""
    a, b = gaussian(60, 30, seed=12), 2 * gaussian(50, 30, seed=13) + 0.2
    wide = [statistics(np.hstack([features, np.zeros((len(features), 70))])) for features in (a, b)]
    many = [statistics(a), statistics(b)]
    assert [s.root.shape[0] for s in wide + many] == [59, 49, 30, 30]
    assert frechet_distance(*wide) == pytest.approx(frechet_distance(*many), rel=1e-8)


def test_neither_the_order_of_the_sets_nor_of_the_samples_matters():
    a, b = gaussian(150, 10, seed=14), gaussian(90, 10, seed=15) * 1.5
    forwards = frechet_distance(statistics(a), statistics(b))
    assert frechet_distance(statistics(b), statistics(a)) == pytest.approx(forwards, rel=1e-12)
    shuffled = np.random.default_rng(0).permutation(a)
    assert frechet_distance(statistics(shuffled), statistics(b)) == pytest.approx(forwards, rel=1e-10)


def test_float32_features_far_from_zero_are_summed_in_float64():
    a = (gaussian(9000, 6, seed=16) + 3000).astype(np.float32)
    expected = np.cov(a.astype(np.float64), rowvar=False)
    got = statistics(torch.from_numpy(a))
    np.testing.assert_allclose((got.root.T @ got.root).numpy(), expected, atol=1e-10)
    assert got.count == 9000


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros((1, 4)), "at least 2 samples"),
        (np.zeros((0, 4)), "at least 2 samples"),
        (np.zeros((4, 4, 2)), r"\[N, D\], not of shape \[4, 4, 2\]"),
        (np.array([[0.0, 1.0], [np.nan, 1.0]]), "NaN or infinite"),
        (np.array([[0.0, 1.0], [np.inf, 1.0]]), "NaN or infinite"),
    ],
)
def test_features_without_statistics_are_refused(features, message):
    with pytest.raises(DataError, match=message):
        statistics(features)


def test_features_of_different_extractors_are_refused():
    with pytest.raises(DataError, match="3 and 4 dimensions"):
        frechet_distance(statistics(gaussian(9, 3, seed=0)), statistics(gaussian(9, 4, seed=0)))
