import pytest
import torch
from torch.nn import functional

from ganvas.networks.resampling import downsampling_convolve, upsample, upsampling_convolve

SIDE = torch.tensor([1, 3, 3, 1], dtype=torch.float64) / 8


def maps(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def with_zeros_between(values):
    """[N, C, H, W] -> [N, C, 2H - 1, 2W - 1]."""
    wide = values.new_zeros(*values.shape[:2], 2 * values.shape[2] - 1, 2 * values.shape[3] - 1)
    wide[:, :, ::2, ::2] = values
    return wide


def filtered(values, padding):
    """Each channel by itself through the FIR filter, place by place."""
    values = functional.pad(values, [padding] * 4)
    high, wide = (side - 3 for side in values.shape[2:])
    terms = [
        SIDE[i] * SIDE[j] * values[:, :, i : i + high, j : j + wide] for i in range(len(SIDE)) for j in range(len(SIDE))
    ]
    return sum(terms)


def test_doubling_is_zeros_between_and_the_filter():
    values = maps(2, 3, 4, 6)
    expected = 4 * filtered(with_zeros_between(values), padding=2)
    torch.testing.assert_close(upsample(values), expected)


def test_doubling_is_bilinear_and_leaves_a_plane_flat():
    values = maps(1, 2, 5, 5)
    bilinear = functional.interpolate(values, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(upsample(values)[:, :, 1:-1, 1:-1], bilinear[:, :, 1:-1, 1:-1])
    torch.testing.assert_close(upsample(torch.ones(1, 1, 4, 4))[:, :, 1:-1, 1:-1], torch.ones(1, 1, 6, 6))


def test_a_doubling_convolution_is_zeros_between_a_convolution_and_the_filter():
    values, weight = maps(2, 3, 4, 4), maps(5, 3, 3, 3)
    convolved = functional.conv2d(with_zeros_between(values), weight.flip(2, 3), padding=2)
    torch.testing.assert_close(upsampling_convolve(values, weight), 4 * filtered(convolved, padding=1))


@pytest.mark.parametrize(("kernel", "padding"), [(1, 1), (3, 2)])
def test_a_halving_convolution_is_the_filter_a_convolution_and_every_second_place(kernel, padding):
    values, weight, bias = maps(2, 3, 8, 8), maps(5, 3, kernel, kernel), maps(5)
    expected = functional.conv2d(filtered(values, padding), weight, bias)[:, :, ::2, ::2]
    halved = downsampling_convolve(values, weight, bias)
    assert halved.shape == (2, 5, 4, 4)
    torch.testing.assert_close(halved, expected)


def test_both_ways_lie_where_the_picture_lies():
    values = maps(1, 1, 8, 8)
    weight = torch.zeros(1, 1, 3, 3, dtype=torch.float64)
    weight[0, 0, 1, 1] = 1
    torch.testing.assert_close(upsampling_convolve(values, weight), upsample(values))
    torch.testing.assert_close(
        downsampling_convolve(values, weight)[:, :, 1:-1, 1:-1],
        downsampling_convolve(values, weight[:, :, 1:2, 1:2])[:, :, 1:-1, 1:-1],
    )


def test_pictures_are_doubled_in_float32_under_autocast():
    values = maps(1, 3, 4, 4).float()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(upsample(values), upsample(values.clone()))
        assert upsample(values).dtype == torch.float32
