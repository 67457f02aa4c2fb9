"""ADA's blitting and geometry together against numpy and splines of scipy, and about which point they turn."""

import math

import numpy as np
import pytest
import scipy.ndimage
import torch

from ganvas.augment import geometry
from ganvas.augment.ada import ADA
from ganvas.augment.geometry import Affine
from ganvas.core.sizes import Size

SIZES = ["24", "25", "24x40", "33x25"]


def smooth(count, size, seed=0):
    """Noise without fine detail, float64 [N, 2, H, W], about -1 to 1."""
    noise = np.random.default_rng(seed).normal(size=(count, 2, *size.hw))
    blurred = scipy.ndimage.gaussian_filter(noise, (0, 0, 2.5, 2.5), mode="reflect")
    return torch.from_numpy(blurred / np.abs(blurred).max())


def blitted(picture, mirrored, quarters, down, right):
    """One picture [C, H, W] by numpy: flip, rot90, and rolling with its mirror image beyond the border."""
    height, width = picture.shape[1:]
    turned = np.rot90(picture[..., ::-1] if mirrored else picture, quarters, (1, 2))
    wide = np.pad(turned, ((0, 0), (height, height), (width, width)), mode="symmetric")
    return np.roll(wide, (down, right), axis=(1, 2))[:, height:-height, width:-width]


def moved(picture, matrix, shift):
    """One picture [C, H, W] under (x, y) -> matrix (x, y) + shift, in pixels about its middle, by quintic splines."""
    middle = (np.array(picture.shape[1:]) - 1) / 2
    backwards = np.linalg.inv(matrix)[::-1, ::-1]  # of (row, column)
    offset = middle - backwards @ (middle + shift[::-1])
    planes = [scipy.ndimage.affine_transform(plane, backwards, offset, order=5, mode="reflect") for plane in picture]
    return np.stack(planes)


@pytest.mark.parametrize("size", SIZES)
def test_blitting_and_geometry_are_exact_copies_and_one_affine_resampling(size, monkeypatch):
    size, count = Size.of(size), 12
    module = ADA(ADA.Settings(stages=("blit", "geometry")), size=size, channels=2)
    uniform = torch.rand(count, module.draws, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    copies, maps = [], []
    plain_blit, plain_resample = geometry.blit, Affine.resample

    def blit(pictures, *how):
        copies.append(how)
        return plain_blit(pictures, *how)

    def resample(stage, pictures, *how):
        maps.append(how)
        return plain_resample(stage, pictures, *how)

    monkeypatch.setattr(geometry, "blit", blit)
    monkeypatch.setattr(Affine, "resample", resample)
    pictures = smooth(count, size)
    results = module(pictures, uniform, 0.9)
    plain = 0
    for row in range(count):
        expected = blitted(pictures[row].numpy(), *(part[row].item() for part in copies[0]))
        matrix, shift = (part[row].numpy() for part in maps[0])
        if np.array_equal(matrix, np.eye(2)) and not shift.any():
            assert np.array_equal(results[row], expected)
            plain += 1
            continue
        expected = moved(expected, matrix, shift * (size.width, size.height))
        apart = np.abs(results[row].numpy() - expected)
        assert apart.max() < 0.06, row
        assert apart.mean() < 0.006, row
    assert plain < count / 2


def of_turn(angle):
    cosine, sine = math.cos(angle), math.sin(angle)
    return torch.tensor([[[cosine, -sine], [sine, cosine]]], dtype=torch.float64)


@pytest.mark.parametrize("size", SIZES)
def test_every_map_is_about_the_middle_of_the_picture(size):
    """What is the same when turned by half about its middle stays so."""
    size = Size.of(size)
    noise = torch.rand(1, 1, *size.hw, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pictures = noise + noise.flip(2, 3)
    stretch = torch.tensor([[[1.3, 0.0], [0.0, 0.7]]], dtype=torch.float64)
    for matrix in (of_turn(0.4), stretch, of_turn(1.0) @ stretch @ of_turn(-2.0)):
        result = Affine(size).resample(pictures, matrix, torch.zeros(1, 2, dtype=torch.float64))
        torch.testing.assert_close(result, result.flip(2, 3), rtol=0, atol=1e-5)
        assert not torch.allclose(result, pictures, atol=0.05)


@pytest.mark.parametrize("size", SIZES)
def test_turns_by_quarters_and_shifts_by_whole_pixels_cost_no_more_than_no_change(size):
    """Resampling at such places only copies what resampling at the pixels' own places gives."""
    size = Size.of(size)
    stage, none = Affine(size), torch.zeros(1, 2, dtype=torch.float64)
    pictures = torch.rand(1, 2, *size.hw, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    still = stage.resample(pictures, of_turn(0.0), none)
    half = stage.resample(pictures, of_turn(math.pi), none)
    torch.testing.assert_close(half, still.flip(2, 3), rtol=0, atol=1e-5)
    if size.square:
        quarter = stage.resample(pictures, of_turn(math.pi / 2), none)
        torch.testing.assert_close(quarter, torch.rot90(still, -1, (2, 3)), rtol=0, atol=1e-5)
    shift = torch.tensor([[3 / size.width, -2 / size.height]], dtype=torch.float64)
    shifted = stage.resample(pictures, of_turn(0.0), shift)
    torch.testing.assert_close(shifted[..., 6:-6, 9:-6], still[..., 8:-4, 6:-9], rtol=0, atol=1e-5)


def test_not_moving_leaves_a_smooth_picture_nearly_as_it_is():
    pictures = smooth(2, Size(25, 32))
    still = Affine(Size(25, 32)).resample(pictures, of_turn(0.0).expand(2, -1, -1), torch.zeros(2, 2).double())
    torch.testing.assert_close(still, pictures, rtol=0, atol=0.02)
