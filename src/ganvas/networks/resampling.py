"""Filtered resampling: doubling and halving the side with a low-pass filter, alone or together with a convolution.

Karras et al. 2020, figure 7 ("bilinear"), after Zhang 2019: the filter is [1, 3, 3, 1] / 8 along each side, and maps
are zero beyond their borders. To double is to put a zero after each value, filter, and multiply by 4; to halve is to
filter and keep every second value. Convolutions are made at the low resolution, with the filter as a depthwise 4x4
convolution beside them: on a CPU, folding it into the learned kernel, which becomes 6x6, took 2 to 20 times as long.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.networks.layers import full_precision


def convolve(maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A convolution that keeps the side: [N, C, H, W], weight [C', C, k, k] with k odd -> [N, C', H, W]."""
    return functional.conv2d(maps, weight, bias, padding=weight.shape[-1] // 2)


def upsample(maps: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, C, 2H, 2W], never in bfloat16 unless the maps are."""
    with full_precision(maps):
        kernel = _depthwise(maps, gain=4)
        return functional.conv_transpose2d(maps, kernel, stride=2, padding=1, groups=maps.shape[1])


def upsampling_convolve(maps: Tensor, weight: Tensor) -> Tensor:
    """Zeros put between the values, a transposed convolution, the filter: [N, C, H, W] -> [N, C', 2H, 2W].

    weight: [C', C, 3, 3], laid down around each value; so it is turned by 180 degrees against that of `convolve`.
    """
    wide = functional.conv_transpose2d(maps, weight.transpose(0, 1), stride=2)  # [N, C', 2H + 1, 2W + 1]
    return _filter(wide, gain=4, padding=1)


def downsampling_convolve(maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The filter, then a convolution at every second place: [N, C, H, W], H and W even -> [N, C', H/2, W/2].

    weight: [C', C, k, k] with k odd; with k = 1 this is filtered halving and a change of the channels.
    """
    # The filter reaches everywhere, also for k = 1: with stride 2 its gradient in bfloat16 is slow on a CPU.
    return functional.conv2d(_filter(maps, gain=1, padding=1 + weight.shape[-1] // 2), weight, bias, stride=2)


def _filter(maps: Tensor, *, gain: int, padding: int) -> Tensor:
    """The low-pass filter times a gain: [N, C, H, W] -> [N, C, H + 2 * padding - 3, W + 2 * padding - 3]."""
    return functional.conv2d(maps, _depthwise(maps, gain=gain), padding=padding, groups=maps.shape[1])


def _depthwise(maps: Tensor, *, gain: int) -> Tensor:
    """The filter for each channel, [C, 1, 4, 4]; its values are exact in bfloat16 too."""
    side = maps.new_tensor([1.0, 3.0, 3.0, 1.0]) / 8
    return (gain * torch.outer(side, side)).expand(maps.shape[1], 1, 4, 4)
