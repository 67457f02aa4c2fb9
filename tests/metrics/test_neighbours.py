"""Precision, recall, density, coverage: against the prdc package, loops, and reference figures."""

import numpy as np
import pytest
import torch
from prdc import compute_prdc

from ganvas.core.errors import DataError
from ganvas.metrics import neighbours
from ganvas.metrics.neighbours import precision_recall_density_coverage, radii


def features(count, dimensions, seed, scale=1.0, shift=0.0):
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed)) * scale + shift


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.6, 0.0), (1.0, 0.7)])
def test_it_agrees_with_the_prdc_package(scale, shift, monkeypatch):
    monkeypatch.setattr(neighbours, "_BLOCK", 37)
    fake, real = features(220, 12, 0, scale, shift), features(300, 12, 1)
    ours = precision_recall_density_coverage(fake, real, k=5)
    theirs = compute_prdc(real.double().numpy(), fake.double().numpy(), nearest_k=5)
    for name, value in theirs.items():
        assert getattr(ours, name) == pytest.approx(value, abs=1e-12), name


def test_radii_are_distances_to_the_kth_other():
    real = features(40, 3, 0).double()
    distances = np.sort(np.linalg.norm(real[:, None] - real[None], axis=2), axis=1)
    assert np.allclose(radii(real, 4), distances[:, 4], atol=1e-9)


def test_it_agrees_with_the_prdc_package_over_blocks_of_features_as_long_as_a_networks():
    """The package whose published figures (0.4772, 0.4705, 1.0555, 0.9735) are of 10,000 x 1,000 normal numbers."""
    fake, real = features(1_100, 1_000, 0), features(2_050, 1_000, 1)
    assert min(len(fake), len(real)) > neighbours._BLOCK
    ours = precision_recall_density_coverage(fake, real, k=5)
    theirs = compute_prdc(real.double().numpy(), fake.double().numpy(), nearest_k=5)
    for name, value in theirs.items():
        assert getattr(ours, name) == pytest.approx(value, abs=1e-12), name
    assert 0.2 < ours.precision < 0.8, "neither all nor nothing"
    assert 0.2 < ours.recall < 0.8


def test_a_set_against_itself_and_against_one_far_away():
    real = features(100, 4, 0)
    same = precision_recall_density_coverage(real, real)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    far = precision_recall_density_coverage(real + 1000, real)
    assert (far.precision, far.recall, far.density, far.coverage) == (0, 0, 0, 0)


def test_collapse_keeps_precision_and_loses_recall():
    real = features(400, 4, 0)
    collapsed = real[:1] + features(400, 4, 1) * 1e-3
    found = precision_recall_density_coverage(collapsed, real)
    assert found.precision > 0.95
    assert found.recall < 0.05
    assert found.coverage < 0.05


def test_order_and_blocks_change_nothing(monkeypatch):
    fake, real = features(90, 5, 0), features(110, 5, 1)
    whole = precision_recall_density_coverage(fake, real)
    monkeypatch.setattr(neighbours, "_BLOCK", 13)
    assert precision_recall_density_coverage(fake.flip(0), real.flip(0)) == whole


def test_k_pictures_or_fewer_are_told():
    with pytest.raises(DataError, match="6 or more pictures, and there are 5 of the reference"):
        precision_recall_density_coverage(features(9, 2, 0), features(5, 2, 1), k=5)
    with pytest.raises(DataError, match="k of 1"):
        precision_recall_density_coverage(features(9, 2, 0), features(9, 2, 1), k=0)
