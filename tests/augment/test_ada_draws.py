"""What ADA's blitting and geometry draw: the distributions of Karras et al. 2020, appendix B, over many draws."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
import torch

from ganvas.augment import geometry
from ganvas.augment.geometry import Affine, Blit
from ganvas.core.dice import Dice
from ganvas.core.sizes import Size

COUNT = 20_000
OF_A_SCALE = 0.2 * math.log(2)
# Where each transformation of Affine reads whether it happens; what follows is how.
SCALE, TURN, STRETCH, AGAIN, SHIFT = 0, 2, 4, 6, 8
GATES = (SCALE, TURN, STRETCH, AGAIN, SHIFT)


def dice(stage, seed=0, count=COUNT):
    return torch.rand(count, stage.draws, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def blits(size, p, monkeypatch):
    """What Blit asks of `blit` for many pictures: four arrays [COUNT]."""
    asked = []
    monkeypatch.setattr(geometry, "blit", lambda pictures, *how: asked.append(how))
    Blit()(torch.empty(COUNT, 1, *Size.of(size).hw), Dice(dice(Blit), torch.float64), p)
    return [part.numpy() for part in asked[0]]


def maps_of(size, p, uniform, monkeypatch):
    """What Affine asks of `resample`: matrices [N, 2, 2], of positions (x, y), and shifts [N, 2]."""
    asked = []
    monkeypatch.setattr(Affine, "resample", lambda stage, pictures, *how: asked.append(how) or pictures)
    Affine(size)(torch.zeros(len(uniform), 1, 1, 1), Dice(uniform, torch.float64), p)
    return [part.numpy() for part in asked[0]]


def one_alone(gate, size, monkeypatch):
    """The maps of pictures that only this transformation meets."""
    uniform = dice(Affine)
    uniform[:, GATES] = 0.99
    uniform[:, gate] = 0.0
    return maps_of(size, 0.9, uniform, monkeypatch)


def assert_from(values, distribution):
    assert scipy.stats.kstest(values, distribution.cdf).pvalue > 1e-3


def assert_frequencies(values, expected):
    """Whole numbers come as often as expected: {value: probability}."""
    assert set(np.unique(values)) == {value for value, probability in expected.items() if probability}
    counts = [np.sum(values == value) for value in expected]
    assert scipy.stats.chisquare(counts, COUNT * np.array(list(expected.values()))).pvalue > 1e-3


@pytest.mark.parametrize("p", [0.4, 1.0])
def test_mirroring_and_turns_come_as_often_as_in_the_paper(p, monkeypatch):
    mirrored, quarters, _, _ = blits(16, p, monkeypatch)
    sides, turns = (1 - p / 2, p / 2), (1 - 3 * p / 4, p / 4, p / 4, p / 4)
    assert_frequencies(mirrored, dict(enumerate(sides)))
    assert_frequencies(quarters, dict(enumerate(turns)))
    both = itertools.product(enumerate(sides), enumerate(turns))
    assert_frequencies(4 * mirrored + quarters, {4 * side + quarter: a * b for (side, a), (quarter, b) in both})


def test_pictures_that_are_not_square_are_turned_by_a_half_with_probability_p_over_2(monkeypatch):
    _, quarters, _, _ = blits("16x20", 0.4, monkeypatch)
    assert_frequencies(quarters, {0: 0.8, 2: 0.2})


@pytest.mark.parametrize("p", [0.4, 1.0])
def test_whole_shifts_are_uniform_up_to_an_eighth_of_each_side_and_rounded(p, monkeypatch):
    _, _, down, right = blits("64x32", p, monkeypatch)
    for shifts, reach in ((down, 4), (right, 8)):
        expected = dict.fromkeys(range(-reach, reach + 1), p / (2 * reach))
        expected[-reach] /= 2  # half of a pixel rounds to the outermost on either side
        expected[reach] /= 2
        expected[0] += 1 - p
        assert_frequencies(shifts, expected)
    met = (down != 0) & (right != 0)
    assert abs(np.corrcoef(down[met], right[met])[0, 1]) < 0.03


def test_the_scale_is_lognormal_and_the_same_both_ways(monkeypatch):
    matrices, shifts = one_alone(SCALE, 16, monkeypatch)
    assert not shifts.any()
    assert np.array_equal(matrices, matrices[:, :1, :1] * np.eye(2))
    assert_from(np.log(matrices[:, 0, 0]), scipy.stats.norm(0, OF_A_SCALE))


def test_the_stretch_is_lognormal_across_and_its_inverse_down(monkeypatch):
    matrices, shifts = one_alone(STRETCH, 16, monkeypatch)
    assert not shifts.any()
    assert not matrices[:, (0, 1), (1, 0)].any()
    np.testing.assert_allclose(matrices[:, 0, 0] * matrices[:, 1, 1], 1)
    assert_from(np.log(matrices[:, 0, 0]), scipy.stats.norm(0, OF_A_SCALE))


@pytest.mark.parametrize("gate", [TURN, AGAIN])
def test_both_turns_are_by_any_angle_alike(gate, monkeypatch):
    matrices, shifts = one_alone(gate, 16, monkeypatch)
    assert not shifts.any()
    np.testing.assert_allclose(
        matrices @ matrices.transpose(0, 2, 1), np.broadcast_to(np.eye(2), (COUNT, 2, 2)), atol=1e-12
    )
    angles = np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0])
    assert_from(angles, scipy.stats.uniform(-math.pi, 2 * math.pi))


def test_shifts_are_normal_with_an_eighth_of_width_and_of_height(monkeypatch):
    matrices, shifts = one_alone(SHIFT, "64x16", monkeypatch)
    assert np.array_equal(matrices, np.broadcast_to(np.eye(2), matrices.shape))
    for side in (0, 1):
        assert_from(shifts[:, side], scipy.stats.norm(0, 1 / 8))
    assert abs(np.corrcoef(shifts.T)[0, 1]) < 0.03


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_scale_stretch_shift_and_either_turn_happen_with_probability_p_each_by_itself(p, monkeypatch):
    matrices, shifts = maps_of(16, p, dice(Affine), monkeypatch)
    apart = np.linalg.svd(matrices, compute_uv=False)
    scaled = np.abs(apart.prod(axis=1) - 1) > 1e-9
    stretched = np.abs(apart[:, 0] / apart[:, 1] - 1) > 1e-6
    shifted = shifts.any(axis=1)
    straight = (np.abs(matrices[:, 0, 1]) < 1e-12) & (np.abs(matrices[:, 1, 0]) < 1e-12)
    kinds = scaled + 2 * stretched + 4 * shifted + 8 * ~straight
    chances = {kind: math.prod(p if kind >> bit & 1 else 1 - p for bit in range(4)) for kind in range(16)}
    assert_frequencies(kinds, chances)


def test_the_map_is_the_papers_product_in_the_papers_order(monkeypatch):
    """Scale, turn, stretch, turn, shift: each from the left, on homogeneous coordinates, in pixels."""
    p, size = 0.6, Size(16, 24)
    uniform = dice(Affine, count=500)
    matrices, shifts = maps_of(size, p, uniform, monkeypatch)
    for numbers, matrix, shift in zip(uniform.numpy(), matrices, shifts, strict=True):
        scale, stretch = np.exp(scipy.stats.norm.ppf(numbers[[SCALE + 1, STRETCH + 1]], 0, OF_A_SCALE))
        first, second = 2 * math.pi * numbers[[TURN + 1, AGAIN + 1]] - math.pi
        of_a_turn = 1 - math.sqrt(1 - p)
        whole = np.eye(3)
        if numbers[SCALE] < p:
            whole = np.diag([scale, scale, 1]) @ whole
        if numbers[TURN] < of_a_turn:
            whole = turn(first) @ whole
        if numbers[STRETCH] < p:
            whole = np.diag([stretch, 1 / stretch, 1]) @ whole
        if numbers[AGAIN] < of_a_turn:
            whole = turn(second) @ whole
        if numbers[SHIFT] < p:
            across, down = scipy.stats.norm.ppf(numbers[SHIFT + 1 :], 0, 1 / 8) * (size.width, size.height)
            whole = np.array([[1, 0, across], [0, 1, down], [0, 0, 1]]) @ whole
        np.testing.assert_allclose(matrix, whole[:2, :2], atol=1e-6)
        np.testing.assert_allclose(shift * (size.width, size.height), whole[:2, 2], atol=1e-6)


def turn(angle):
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
