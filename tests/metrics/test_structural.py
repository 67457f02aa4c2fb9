"""PSNR, SSIM and MS-SSIM against scikit-image and pytorch-msssim."""

import math

import numpy as np
import pytest
import pytorch_msssim
import torch
from scipy.signal.windows import gaussian
from skimage import metrics as skimage_metrics

from ganvas.core.errors import DataError
from ganvas.metrics.structural import SCALE_WEIGHTS, diversity, ms_ssim, psnr, scales_of, ssim


def pairs(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Smooth pictures, and the same with more and more noise."""
    dice = torch.Generator().manual_seed(3)
    coarse = torch.rand(shape[0], shape[1], 6, 6, generator=dice) * 255
    clean = torch.nn.functional.interpolate(coarse, shape[2:], mode="bilinear")
    strength = torch.linspace(2, 60, shape[0])[:, None, None, None]
    noisy = clean + strength * torch.randn(shape, generator=dice)
    return clean.round().to(torch.uint8), noisy.clamp(0, 255).round().to(torch.uint8)


def independent(a: torch.Tensor, b: torch.Tensor, weights: list[float]) -> torch.Tensor:
    """MS-SSIM by pytorch-msssim, with a window in float64; its own is in float32."""
    window = torch.from_numpy(gaussian(11, 1.5))
    window = (window / window.sum()).expand(a.shape[1], 1, 1, 11)
    return pytorch_msssim.ms_ssim(
        a.double(), b.double(), data_range=255, size_average=False, win=window, weights=weights
    )


@pytest.mark.parametrize("shape", [(3, 3, 32, 47), (2, 1, 28, 28)])
def test_psnr_and_ssim_are_those_of_scikit_image(shape):
    a, b = pairs(*shape)
    expected_psnr, expected_ssim = [], []
    for x, y in zip(a.numpy(), b.numpy(), strict=True):
        expected_psnr.append(skimage_metrics.peak_signal_noise_ratio(x, y, data_range=255))
        expected_ssim.append(
            skimage_metrics.structural_similarity(
                x.astype(np.float64),
                y.astype(np.float64),
                data_range=255,
                channel_axis=0,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
            )
        )
    assert psnr(a, b).dtype == ssim(a, b).dtype == torch.float64
    assert psnr(a, b).tolist() == pytest.approx(expected_psnr, abs=1e-10)
    assert ssim(a, b).tolist() == pytest.approx(expected_ssim, abs=1e-10)


def test_ms_ssim_is_that_of_pytorch_msssim():
    a, b = pairs(3, 3, 192, 256)
    expected = independent(a, b, list(SCALE_WEIGHTS))
    assert ms_ssim(a, b).tolist() == pytest.approx(expected.tolist(), abs=1e-10)
    assert ms_ssim(a, b).tolist() == ms_ssim(a, b, scales=5).tolist()


@pytest.mark.parametrize("scales", [1, 2, 3, 4])
def test_with_fewer_scales_the_first_weights_are_divided_by_their_sum(scales):
    a, b = pairs(2, 1, 176, 176)
    weights = [weight / sum(SCALE_WEIGHTS[:scales]) for weight in SCALE_WEIGHTS[:scales]]
    expected = independent(a, b, weights)
    assert ms_ssim(a, b, scales=scales).tolist() == pytest.approx(expected.tolist(), abs=1e-10)


def test_one_scale_is_ssim():
    a, b = pairs(4, 1, 21, 30)
    assert ms_ssim(a, b).tolist() == pytest.approx(ssim(a, b).tolist(), abs=1e-12)


@pytest.mark.parametrize(("side", "scales"), [(11, 1), (21, 1), (22, 2), (28, 2), (32, 2), (64, 3), (88, 4), (176, 5)])
def test_small_pictures_have_fewer_scales(side, scales):
    assert scales_of(side, 1000) == scales_of(1000, side) == scales
    a, b = pairs(1, 1, side, side + 1)
    with pytest.raises(DataError, match=f"1 to {scales} scales"):
        ms_ssim(a, b, scales=scales + 1)


def test_equal_pictures_are_as_alike_as_can_be():
    a, _ = pairs(2, 3, 64, 64)
    assert psnr(a, a).tolist() == [math.inf, math.inf]
    assert ssim(a, a).tolist() == ms_ssim(a, a).tolist() == [1, 1]


def test_batches_change_nothing(monkeypatch):
    a, b = pairs(5, 1, 32, 32)
    whole = ms_ssim(a, b)
    monkeypatch.setattr("ganvas.metrics.structural._PIXELS_AT_ONCE", 2 * 32 * 32)
    assert torch.equal(ms_ssim(a, b), whole)


def test_diversity_is_the_mean_over_pairs_of_two_pictures(noise):
    same = noise(1, 1, 32, 32).expand(10, -1, -1, -1)
    assert diversity(same, pairs=30, seed=0) == pytest.approx(1)
    assert diversity(noise(10, 1, 32, 32), pairs=30, seed=0) < 0.1
    two = torch.cat(pairs(1, 1, 32, 32))
    assert diversity(two, pairs=7, seed=5) == pytest.approx(ms_ssim(two[:1], two[1:]).item())


def test_diversity_is_drawn_by_its_seed():
    a, b = pairs(6, 1, 32, 32)
    pictures = torch.cat([a, b])
    state = torch.get_rng_state()
    assert diversity(pictures, 10, seed=1) == diversity(pictures, 10, seed=1)
    assert diversity(pictures, 10, seed=1) != diversity(pictures, 10, seed=2)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("score", [psnr, ssim, ms_ssim])
def test_unlike_shapes_and_other_than_uint8_are_refused(score, noise):
    grey, colour = noise(2, 1, 32, 32), noise(2, 3, 32, 32)
    with pytest.raises(DataError, match=r"one shape; they have \[2, 1, 32, 32\] and \[2, 3, 32, 32\]"):
        score(grey, colour)
    with pytest.raises(DataError, match="uint8"):
        score(grey.float(), grey.float())
    with pytest.raises(DataError, match="N >= 1"):
        score(grey[:0], grey[:0])


def test_pictures_smaller_than_the_window_are_refused(noise):
    for score in (ssim, ms_ssim):
        with pytest.raises(DataError, match="11 x 11"):
            score(noise(1, 1, 10, 40), noise(1, 1, 10, 40))
    with pytest.raises(DataError, match="2 pictures"):
        diversity(noise(1, 1, 32, 32), pairs=3, seed=0)
