"""CIELAB against scikit-image, by hand, and its gradients."""

import numpy as np
import pytest
import torch
from skimage import color

from ganvas.core.lab import apart, lab_to_rgb, rgb_to_lab, together


def all_colours(step=17):
    levels = np.arange(0, 256, step)
    colours = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 16, 3)
    return torch.from_numpy(colours).permute(2, 0, 1)[None].double() / 127.5 - 1


def as_they_are_outside(pictures):
    return pictures[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lab_of_all_colours_is_that_of_scikit_image(dtype):
    pictures = all_colours()
    expected = color.rgb2lab((as_they_are_outside(pictures) + 1) / 2)
    ours = rgb_to_lab(pictures.to(dtype))
    assert ours.dtype == dtype
    np.testing.assert_allclose(as_they_are_outside(ours), expected, atol=1e-3)


def test_colours_of_all_lab_are_those_of_scikit_image_also_those_that_no_screen_shows():
    L, a, b = np.meshgrid(np.linspace(0, 100, 21), np.linspace(-120, 120, 17), np.linspace(-120, 120, 17))
    lab = np.stack([L, a, b], axis=-1).reshape(21, -1, 3)
    with pytest.warns(UserWarning, match="negative Z values"):
        expected = color.lab2rgb(lab) * 2 - 1
    ours = lab_to_rgb(torch.from_numpy(lab).permute(2, 0, 1)[None])
    np.testing.assert_allclose(as_they_are_outside(ours), expected, atol=2e-3)  # of a range of 2


def test_there_and_back_is_the_picture_and_its_parts_are_within_1():
    pictures = all_colours().float()
    torch.testing.assert_close(lab_to_rgb(rgb_to_lab(pictures)), pictures, atol=1e-4, rtol=0)
    lightness, colour = apart(pictures)
    assert lightness.shape[1:2] == (1,)
    assert colour.shape[1:2] == (2,)
    assert lightness.abs().max() <= 1 + 1e-5
    assert 0.8 < colour.abs().max() <= 1
    torch.testing.assert_close(together(lightness, colour), pictures, atol=1e-4, rtol=0)


def test_grey_has_no_colour_black_is_minus_1_and_white_1():
    greys = torch.linspace(-1, 1, 9).view(1, 1, 1, 9)
    lightness, colour = apart(greys.expand(1, 3, 1, 9))
    assert colour.abs().max() < 1e-4
    assert lightness[..., 0].item() == pytest.approx(-1, abs=1e-5)
    assert lightness[..., -1].item() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(
        together(greys, torch.zeros(1, 2, 1, 9))[:, :1].diff() > 0, torch.ones(1, 1, 1, 8).bool()
    )


def test_gradients_are_those_of_finite_differences_within_the_colours_of_a_screen():
    pictures = torch.rand(1, 3, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 1.8 - 0.9
    assert torch.autograd.gradcheck(rgb_to_lab, pictures.requires_grad_())
    assert torch.autograd.gradcheck(lab_to_rgb, rgb_to_lab(pictures).detach().requires_grad_())


def test_gradients_are_finite_at_black_white_and_beyond_what_a_screen_shows():
    pictures = torch.tensor([-1.5, -1.0, 0.0, 1.0, 1.5]).view(1, 1, 1, 5).repeat(1, 3, 1, 1).requires_grad_()
    rgb_to_lab(pictures).sum().backward()
    assert pictures.grad.isfinite().all()
    values = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])
    lab = torch.stack(torch.meshgrid(values, values, values, indexing="ij"), dim=0).view(1, 3, 5, 25).requires_grad_()
    together(lab[:, :1], lab[:, 1:]).sum().backward()
    assert lab.grad.isfinite().all()


def test_bfloat16_is_computed_in_float32_also_under_autocast():
    pictures = all_colours().bfloat16()
    exact = rgb_to_lab(pictures.float())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(rgb_to_lab(pictures), exact)
        assert torch.equal(lab_to_rgb(exact), lab_to_rgb(exact.float()))
        assert lab_to_rgb(exact).dtype == torch.float32
