"""Colours against the written-out matrices, filters against pure waves, noise and holes against what is drawn."""

import math

import numpy as np
import pytest
import torch
from scipy.special import ndtri

from ganvas.augment.colour import Colour, colour_matrix, grey_matrix
from ganvas.augment.corruption import Cutout, Noise
from ganvas.augment.diffaug import Jitter
from ganvas.augment.filtering import OctaveFilter
from ganvas.augment.pipeline import Dice, normal_of
from ganvas.core.sizes import Size

AXIS = np.ones(3) / math.sqrt(3)


def numbers(*values):
    return tuple(torch.tensor([value], dtype=torch.float64) for value in values)


def homogeneous(linear, offset=0.0):
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, offset
    return matrix


def rotation(angle):
    """About the grey axis, by Rodrigues' formula."""
    x, y, z = AXIS
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


PARTS = {
    "brightness": ((0.3, 1, 0, 0, 1), homogeneous(np.eye(3), 0.3)),
    "contrast": ((0, 1.7, 0, 0, 1), homogeneous(1.7 * np.eye(3))),
    "luma flip": ((0, 1, 1, 0, 1), homogeneous(np.eye(3) - 2 * np.outer(AXIS, AXIS))),
    "hue": ((0, 1, 0, 0.8, 1), homogeneous(rotation(0.8))),
    "saturation": ((0, 1, 0, 0, 2.5), homogeneous(np.outer(AXIS, AXIS) + 2.5 * (np.eye(3) - np.outer(AXIS, AXIS)))),
}


@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_the_colour_matrix_is_the_papers(part):
    values, expected = PARTS[part]
    np.testing.assert_allclose(colour_matrix(*numbers(*values))[0].numpy(), expected, atol=1e-12)


def test_the_parts_are_multiplied_in_their_order():
    together = colour_matrix(*numbers(0.3, 1.7, 1, 0.8, 2.5))[0].numpy()
    expected = np.eye(4)
    for _, matrix in PARTS.values():
        expected = matrix @ expected
    np.testing.assert_allclose(together, expected, atol=1e-12)


def test_a_grey_picture_changes_like_a_colour_picture_that_is_grey():
    grey = grey_matrix(*numbers(0.3, 1.7, 1))[0].numpy()
    colour = colour_matrix(*numbers(0.3, 1.7, 1, 0.8, 2.5))[0].numpy()
    for value in (-0.4, 0.9):
        changed = grey @ [value, 1]
        np.testing.assert_allclose(colour @ [value, value, value, 1], [changed[0]] * 3 + [1], atol=1e-12)


def quantiles(uniform):
    return ndtri(uniform)


def test_the_colour_stage_draws_the_papers_values():
    uniform = torch.rand(5, Colour.draws, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    pictures = torch.rand(5, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    changed = Colour()(pictures, Dice(uniform, torch.float64), 1.0)
    for row, u in enumerate(uniform.numpy()):
        values = (
            0.2 * quantiles(u[1]),
            2 ** (0.5 * quantiles(u[3])),
            float(u[5] < 0.5),
            2 * math.pi * u[7] - math.pi,
            2 ** quantiles(u[9]),
        )
        matrix = colour_matrix(*numbers(*values))[0].numpy()
        expected = np.einsum("ij,jhw->ihw", matrix[:3, :3], pictures[row].numpy()) + matrix[:3, 3, None, None]
        np.testing.assert_allclose(changed[row].numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("stage", [Colour, Jitter])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_left_alone_and_colour_is_as_without_it(stage, channels):
    uniform = torch.rand(4, stage.draws, generator=torch.Generator().manual_seed(0))
    pictures = torch.rand(4, channels, 4, 4, generator=torch.Generator().manual_seed(1))
    changed = stage()(pictures, Dice(uniform, torch.float32), 1.0)
    assert torch.equal(changed[:, -1:], pictures[:, -1:])
    alone = stage()(pictures[:, :-1], Dice(uniform, torch.float32), 1.0)
    torch.testing.assert_close(changed[:, :-1], alone)


def test_diffaugs_colours_are_brightness_saturation_contrast():
    uniform = torch.tensor([[0.0, 0.9, 0.0, 0.8, 0.0, 0.1]], dtype=torch.float64)
    picture = torch.rand(1, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    brighter = picture.numpy() + 0.4
    grey = brighter.mean(axis=1, keepdims=True)
    richer = grey + (brighter - grey) * 1.6
    expected = richer.mean() + (richer - richer.mean()) * 0.6
    np.testing.assert_allclose(Jitter()(picture, Dice(uniform, torch.float64), 1.0).numpy(), expected, atol=1e-12)


def wave(size, down, across):
    """A picture of one frequency each way, pi down / size and pi across / size, symmetric about the border."""
    places = torch.arange(size, dtype=torch.float64) + 0.5
    rows, columns = (torch.cos(math.pi * turns / size * places) for turns in (down, across))
    return (rows[:, None] * columns)[None, None]


@pytest.mark.parametrize("size", [8, 28, 32])
def test_gains_of_1_change_nothing(size):
    pictures = torch.rand(2, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    filtered = OctaveFilter(size).filtered(pictures, torch.ones(2, 4, dtype=torch.float64))
    torch.testing.assert_close(filtered, pictures, rtol=0, atol=1e-6)


# The middle of each octave of 64 frequencies: 5.66 (3 is below the first edge's passage), 11.3, 22.6, 45.3.
@pytest.mark.parametrize(
    ("down", "across", "bands"), [(0, 5, (0, 0)), (11, 2, (1, 0)), (23, 11, (2, 1)), (63, 46, (3, 3))]
)
def test_a_wave_in_the_middle_of_its_bands_is_multiplied_by_their_gains(down, across, bands):
    gains = torch.tensor([[0.5, 3.0, 7.0, 11.0]], dtype=torch.float64)
    expected = wave(64, down, across) * gains[0, bands[0]] * gains[0, bands[1]]
    torch.testing.assert_close(OctaveFilter(64).filtered(wave(64, down, across), gains), expected, rtol=0.01, atol=0.01)


def test_at_an_edge_two_bands_meet_half_way():
    gains = torch.tensor([[1.0, 2.0, 5.0, 1.0]], dtype=torch.float64)
    picture = wave(64, 16, 0)  # pi / 4, between the second and the third
    torch.testing.assert_close(OctaveFilter(64).filtered(picture, gains), picture * 3.5, rtol=0, atol=1e-5)


def test_filter_gains_are_those_of_appendix_b():
    size, power = 64, np.array([10, 1, 1, 1]) / 13
    uniform = torch.rand(1, OctaveFilter.draws, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    expected = np.ones(4)
    for band in range(4):
        gains = np.ones(4)
        gains[band] = 2 ** quantiles(uniform[0, 2 * band + 1].item())
        expected *= gains / math.sqrt((power * gains**2).sum())
    stage = OctaveFilter(size)
    for band, turns in enumerate((0, 11, 23, 63)):
        picture = wave(size, turns, turns)
        filtered = stage(picture, Dice(uniform, torch.float64), 1.0)
        ratio = (filtered * picture).sum() / picture.square().sum()
        assert ratio.item() == pytest.approx(expected[band] ** 2, rel=0.02)


def test_noise_is_the_quantiles_of_its_numbers_times_half_normal_sigma():
    stage = Noise(4, 2)
    uniform = torch.rand(3, stage.draws, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pictures = torch.rand(3, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    added = (stage(pictures, Dice(uniform, torch.float64), 1.0) - pictures).numpy()
    u = uniform.numpy()
    sigma = 0.1 * quantiles((1 + u[:, 1]) / 2)
    expected = sigma[:, None] * quantiles(u[:, 2:])
    np.testing.assert_allclose(added.reshape(3, -1), expected, atol=1e-9)


def test_normal_numbers_are_the_quantiles_and_finite_at_0():
    uniform = torch.tensor([0.0, 2**-24, 0.25, 0.5, 0.975, 1 - 2**-24])
    values = normal_of(uniform)
    assert values.isfinite().all()
    np.testing.assert_allclose(values[2:5].numpy(), ndtri(uniform[2:5].double().numpy()), atol=1e-5)
    assert values[0] < values[1] + 1e-6 < -5


@pytest.mark.parametrize("size", [8, 16])
def test_a_hole_is_half_the_side_about_its_middle_cut_at_the_border(size):
    quarter = size // 4
    uniform = torch.tensor([[0.0, 0.5, 0.5], [0.0, 0.0, 0.5]])
    spoiled = Cutout()(torch.ones(2, 3, size, size), Dice(uniform, torch.float32), 1.0)
    expected = torch.ones(2, 3, size, size)
    expected[0, :, quarter:-quarter, quarter:-quarter] = 0
    expected[1, :, :quarter, quarter:-quarter] = 0
    assert torch.equal(spoiled, expected)


def test_the_octaves_of_a_picture_that_is_not_square_are_told_by_pixels():
    height, width = 32, 64
    y, x = torch.arange(height, dtype=torch.float64) + 0.5, torch.arange(width, dtype=torch.float64) + 0.5
    gains = torch.tensor([[1.0, 1.0, 1.0, 3.0]], dtype=torch.float64)
    stage = OctaveFilter(Size(height, width))
    fine_across = torch.cos(math.pi * 0.9 * x).expand(1, 1, height, width)
    coarse_down = torch.cos(math.pi * 3 / height * y)[:, None].expand(1, 1, height, width)
    torch.testing.assert_close(stage.filtered(coarse_down, gains), coarse_down)
    across = stage.filtered(fine_across, gains)
    assert across.std() / fine_across.std() == pytest.approx(3, rel=0.05)


def test_the_hole_is_half_of_each_side():
    numbers = torch.tensor([[0.0, 0.5, 0.5]])
    holed = Cutout()(torch.ones(1, 1, 8, 24), Dice(numbers, torch.float32), 1.0)[0, 0]
    assert not holed[2:6, 6:18].any()
    assert holed.sum() == 8 * 24 - 4 * 12
