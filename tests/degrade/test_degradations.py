"""What is asked of every degradation, and each part of them by itself."""

import io
import math

import numpy as np
import pytest
import scipy.stats
import torch
from PIL import Image

from ganvas.core.dice import Dice
from ganvas.core.errors import UsageError
from ganvas.core.images import to_float, to_uint8
from ganvas.core.sizes import Size
from ganvas.degrade import DEGRADATIONS, degradation
from ganvas.degrade.blurring import blurred, drawn_kernel, lowest_cutoff, sinc_kernel, squared_distance
from ganvas.degrade.noise import luma, noisy, poisson_of
from ganvas.degrade.real import compressed, resized

each_degradation = pytest.mark.parametrize("name", DEGRADATIONS)


def build(name, scale=4, size=32, channels=3):
    kind = degradation(name)
    return kind(kind.Settings(), scale=scale, size=size, channels=channels)


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def smooth(count=4, channels=3, height=32, width=32, seed=1):
    """Pictures as photos are: most of their power in low frequencies, all of 0..255 in them."""
    coarse = uniform(count, channels, 6, 6, seed=seed)
    fine = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    return to_float((fine * 255).round().byte())


@each_degradation
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [12, Size(24, 36)])
def test_pictures_become_as_many_times_smaller_and_8_bit(name, scale, channels, size):
    module = build(name, scale, size, channels)
    small = module(smooth(2, channels, *Size.of(size).hw), uniform(2, module.draws))
    height, width = Size.of(size).hw
    assert small.shape == (2, channels, height // scale, width // scale)
    assert small.dtype == torch.float32
    assert torch.equal(to_float(to_uint8(small)), small)
    assert small.std() > 0.05


@each_degradation
def test_the_same_numbers_give_the_same_whatever_else_is_in_the_batch(name):
    module, pictures = build(name), smooth(5)
    numbers = uniform(5, module.draws)
    whole = module(pictures, numbers)
    parts = torch.cat([module(pictures[a:b], numbers[a:b]) for a, b in ((0, 1), (1, 3), (3, 5))])
    assert torch.equal(parts, whole)
    assert torch.equal(module(pictures.flip(0), numbers.flip(0)).flip(0), whole)
    laid_out = pictures.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(module(laid_out, numbers), whole)


@each_degradation
def test_nothing_is_drawn_saved_or_differentiated(name):
    module = build(name)
    state = torch.get_rng_state()
    small = module(smooth().requires_grad_(), uniform(4, module.draws))
    assert torch.equal(torch.get_rng_state(), state)
    assert not small.requires_grad
    assert module.state_dict() == {}
    assert module(smooth()[:0], uniform(0, module.draws)).shape == (0, 3, 8, 8)


@each_degradation
def test_the_extremes_of_the_numbers_are_pictures(name):
    module = build(name)
    for extreme in (0.0, 1 - 2**-24):
        small = module(smooth(2), torch.full((2, module.draws), extreme))
        assert small.isfinite().all()
        assert small.abs().max() <= 1


@each_degradation
def test_other_shapes_and_sizes_are_refused(name):
    module = build(name)
    for pictures, numbers in ((smooth(2, 1), module.draws), (smooth(2), module.draws + 1), (smooth(3), module.draws)):
        with pytest.raises(ValueError, match="should be"):
            module(pictures, uniform(2, numbers))
    with pytest.raises(UsageError, match="size 30: pictures that become 4 times smaller need multiples of 4"):
        build(name, size=30)
    with pytest.raises(UsageError, match="There is no degradation named 'bicubik': did you mean bicubic"):
        degradation("bicubik")


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_is_that_of_pillow(scale):
    module = build("bicubic", scale, Size(48, 36))
    pictures = to_float((uniform(2, 3, 48, 36) * 180 + 40).round().byte())  # noise, the hardest, short of cutting off
    small = to_uint8(module(pictures, uniform(2, 0)))
    for ours, picture in zip(small, to_uint8(pictures), strict=True):
        held = Image.fromarray(picture.permute(1, 2, 0).numpy())
        theirs = np.asarray(held.resize((36 // scale, 48 // scale), Image.Resampling.BICUBIC))
        assert np.abs(ours.permute(1, 2, 0).numpy().astype(int) - theirs).max() <= 1


def test_real_pictures_are_worse_than_clean_ones_and_differ_from_each_other():
    pictures = smooth(1, height=64, width=64).expand(40, -1, -1, -1)
    clean, real = build("bicubic", size=64), build("real", size=64)
    wanted = clean(pictures, uniform(40, 0))
    errors = (real(pictures, uniform(40, real.draws)) - wanted).square().mean(dim=(1, 2, 3))
    assert 0.0005 < errors.median() < 0.1
    assert errors.max() > 4 * errors.min()
    assert len(errors.unique()) == 40


def test_real_degrades_grey_and_rgb_alone():
    with pytest.raises(UsageError, match="not 4 channels: take bicubic"):
        build("real", channels=4)


def test_every_kernel_has_sum_1_an_odd_side_and_reads_8_numbers():
    sizes, negative = set(), 0
    for seed in range(300):
        dice = Dice(uniform(1, 9, seed=seed), torch.float32)
        kernel = drawn_kernel(dice, (0.2, 3.0))
        assert float(dice.take(1)) == uniform(1, 9, seed=seed)[0, 8]
        assert float(kernel.sum()) == pytest.approx(1, abs=1e-5)
        assert kernel.dtype == torch.float32
        torch.testing.assert_close(kernel, kernel.flip(0, 1), atol=1e-6, rtol=0)
        sizes.add(len(kernel))
        negative += bool((kernel < -1e-6).any())
    assert sizes == {7, 9, 11, 13, 15, 17, 19, 21}
    assert 10 < negative < 60, "a tenth are sinc"


def kernel_of(kind, *, size=21, shape=0.5, angle=0.5, widths=(0.5, 0.9)):
    """A kernel by its numbers; kind: the share of the kinds below it."""
    values = [(size - 7) / 16 + 0.01, 0.5, 0.5, kind, *widths, angle, shape]
    return drawn_kernel(Dice(torch.tensor([values]), torch.float32), (1.0, 3.0))


def test_kernels_are_those_of_the_paper():
    def spread(kernel, dim):
        places = torch.arange(21.0) - 10
        return float((kernel.sum(dim=1 - dim) * places**2).sum().sqrt())

    round_one = kernel_of(0.2)
    assert spread(round_one, 0) == pytest.approx(spread(round_one, 1), abs=1e-4) == pytest.approx(2.0, rel=0.01)
    stretched = kernel_of(0.6)
    assert spread(stretched, 1) == pytest.approx(2.0, rel=0.02)
    assert spread(stretched, 0) == pytest.approx(2.8, rel=0.02)
    turned = kernel_of(0.6, angle=0.75)  # a quarter turn
    torch.testing.assert_close(turned, stretched.T, atol=1e-5, rtol=0)
    gaussian = kernel_of(0.75, shape=1 / 7)  # generalised, of shape 1
    torch.testing.assert_close(gaussian, round_one, atol=1e-5, rtol=0)
    plateau = kernel_of(0.9, shape=0.0)
    assert float(plateau[10, 10] / plateau[10, 12]) == pytest.approx(1 + 2**2 / 2.0**2, rel=1e-3)


def test_the_distance_is_in_widths():
    distance = squared_distance(5, 2.0, 1.0, 0.0)
    assert distance[2].tolist() == [1, 0.25, 0, 0.25, 1]
    assert distance[:, 2].tolist() == [4, 1, 0, 1, 4]
    torch.testing.assert_close(squared_distance(5, 2.0, 1.0, math.pi / 2), distance.T)


def test_a_sinc_lets_low_frequencies_pass_and_stops_high_ones():
    for size, cutoff in ((21, math.pi / 2), (13, 2.0)):
        power = torch.fft.fft2(sinc_kernel(size, cutoff), s=(64, 64)).abs()[0]
        frequencies = torch.arange(33) * (math.pi / 32)
        assert power[:33][frequencies < 0.6 * cutoff].min() > 0.75
        assert power[:33][frequencies > 1.4 * cutoff].max() < 0.2
    assert (lowest_cutoff(11), lowest_cutoff(13)) == (math.pi / 3, math.pi / 5), "a small one holds no wide lobe"


def test_a_blur_keeps_an_even_picture_and_is_a_convolution():
    kernel = kernel_of(0.6)
    torch.testing.assert_close(blurred(torch.full((3, 5, 9), 0.3), kernel), torch.full((3, 5, 9), 0.3))
    point = torch.zeros(1, 31, 31)
    point[0, 15, 15] = 1
    torch.testing.assert_close(blurred(point, kernel)[0, 5:26, 5:26], kernel)


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3, 2.0, 9.0, 60.0, 255.0])
def test_poisson_numbers_have_their_mean_and_variance_and_are_near_the_exact_quantiles(rate):
    places = (torch.arange(20_000) + 0.5) / 20_000
    normal = torch.special.ndtri(places)
    ours = poisson_of(torch.full_like(normal, rate), normal)
    assert torch.equal(ours, ours.round())
    assert ours.mean().item() == pytest.approx(rate, abs=0.1 + 0.005 * rate)
    assert ours.var().item() == pytest.approx(rate, abs=0.15 + 0.03 * rate)
    exact = scipy.stats.poisson.ppf(places.numpy(), rate)
    assert np.abs(ours.numpy() - exact).max() <= 1


def noise_of(grey, by_light, strength=0.5, level=0.5, channels=3):
    numbers = torch.cat([torch.tensor([grey, by_light, strength]), uniform(channels * 64 * 64)])[None]
    picture = torch.full((channels, 64, 64), level)
    dice = Dice(numbers, torch.float32)
    return noisy(picture, dice, (10, 30), (0.5, 1.5), channels * 64 * 64) - picture


def test_noise_is_of_the_size_that_is_asked_for():
    even = noise_of(grey=0.9, by_light=0.9)
    assert float(even.std()) == pytest.approx(20 / 255, rel=0.03)
    assert abs(float(torch.corrcoef(even.flatten(1))[0, 1])) < 0.1
    same = noise_of(grey=0.1, by_light=0.9)
    assert torch.equal(same[0], same[2])
    for level in (0.2, 0.8):  # of light: the variance of a Poisson variable is its mean
        shot = noise_of(grey=0.9, by_light=0.1, level=level)
        assert float(shot.std()) == pytest.approx(math.sqrt(level / 255), rel=0.05)
        assert abs(float(shot.mean())) < 2e-3
    assert noise_of(grey=0.1, by_light=0.1, channels=1).shape == (1, 64, 64)


def test_luma_is_brightness():
    assert luma(torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)).item() == pytest.approx(0.299)
    assert luma(torch.full((3, 2, 2), 0.4)).flatten().tolist() == pytest.approx([0.4] * 4)


@pytest.mark.parametrize("channels", [1, 3])
def test_compression_is_that_of_pillow_and_worse_at_lower_quality(channels):
    picture = (smooth(1, channels, 24, 17)[0] + 1) / 2
    errors = [(compressed(picture, quality) - picture).square().mean() for quality in (10, 50, 95)]
    assert errors[0] > errors[1] > errors[2]
    held = io.BytesIO()
    array = (picture * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(array if channels == 3 else array[..., 0]).save(held, "JPEG", quality=50)
    theirs = np.asarray(Image.open(held)).reshape(24, 17, channels)
    np.testing.assert_allclose(compressed(picture, 50).permute(1, 2, 0).numpy() * 255, theirs, atol=1e-4)


@pytest.mark.parametrize("way", ["area", "bilinear", "bicubic"])
def test_resizing_keeps_an_even_picture_and_the_range(way):
    torch.testing.assert_close(resized(torch.full((3, 8, 8), 0.6), (3, 13), way), torch.full((3, 3, 13), 0.6))
    sharp = (uniform(1, 16, 16) > 0.5).float()
    for hw in ((5, 7), (30, 20)):
        made = resized(sharp, hw, way)
        assert made.shape == (1, *hw)
        assert made.min() >= 0
        assert made.max() <= 1
    assert resized(sharp, (16, 16), way) is sharp
