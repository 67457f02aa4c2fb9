"""What a network is that makes a picture of a picture, of any height and width; and how far a pixel reaches in it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.errors import UsageError

MOST_CHANNELS = 16  # two pictures with alpha, masks and hints beside them


class Translator(nn.Module):
    """Pictures in, pictures out, of any height and width from 1.

    inputs, outputs: channels. scale: how many times larger what it makes is, on each side. multiple: sides that are
    multiples of this are worked on as they are; others are extended at the right and at the bottom, and what comes of
    that is cut off. least: the smallest side that is not extended, a multiple of `multiple`. reach: how many pixels
    away from a place (of the picture that goes in) something can be and still have an influence there, in evaluation
    mode; None where everything has.
    """

    inputs: int
    outputs: int
    scale = 1
    multiple = 1
    least = 1
    reach: int | None

    def forward(self, images: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H * scale, W * scale]."""
        height, width = images.shape[2:]
        made = self.translate(extended(images, self.multiple, self.least))
        return made[:, :, : height * self.scale, : width * self.scale]

    def translate(self, images: Tensor) -> Tensor:
        """`forward` for sides that are at least `least` and multiples of `multiple`."""
        raise NotImplementedError


def extended(images: Tensor, multiple: int, least: int = 1) -> Tensor:
    """Pictures made to go on at the right and at the bottom, up to sides that are multiples and at least `least`.

    They go on as their mirror image; where that ends, their last row or column is repeated. [N, C, H, W] -> [N, C, H',
    W']; those that need nothing are returned as they are.
    """
    height, width = images.shape[2:]
    down, across = (max(least, math.ceil(side / multiple) * multiple) - side for side in (height, width))
    if not down and not across:
        return images
    mirrored = min(down, height - 1), min(across, width - 1)
    images = functional.pad(images, (0, mirrored[1], 0, mirrored[0]), mode="reflect")
    return functional.pad(images, (0, across - mirrored[1], 0, down - mirrored[0]), mode="replicate")


def check_inputs_and_outputs(**channels: int) -> None:
    """Raise UsageError for a number of channels that no network of pictures has."""
    for name, count in channels.items():
        if not 1 <= count <= MOST_CHANNELS:
            raise UsageError(f"{count} {name}: a network of pictures has 1 to {MOST_CHANNELS} channels there")


def in_full(features: Tensor) -> Tensor:
    """In float32, or float64 if they are: in bfloat16 the steps would be about as coarse as those of 8-bit pictures."""
    return features.to(torch.promote_types(features.dtype, torch.float32))


@dataclass(frozen=True)
class Window:
    """The places along a side, from `low` to `high`, on which something depends.

    Each method takes a step against the direction of the network: from what a layer makes to what it reads.
    """

    low: int
    high: int

    def through_convolution(self, kernel: int, stride: int = 1, dilation: int = 1) -> "Window":
        """Padded as usual, with (kernel - 1) // 2 * dilation."""
        padding = (kernel - 1) // 2 * dilation
        return Window(self.low * stride - padding, self.high * stride - padding + dilation * (kernel - 1))

    def through_doubling(self, kernel: int) -> "Window":
        """A transposed convolution with stride 2 that doubles a side exactly, with (kernel - 1) // 2 cut off."""
        padding = (kernel - 1) // 2
        return Window(-((kernel - 1 - padding - self.low) // 2), (self.high + padding) // 2)

    def through_repeating(self, factor: int) -> "Window":
        """Each value repeated so many times, or laid out so by a pixel shuffle."""
        return Window(self.low // factor, self.high // factor)


def reach_of(back: Callable[[Window], Window], period: int, scale: int = 1) -> int:
    """How far from a place what it depends on can be, in pixels of the picture that goes in.

    back: from a window of what is made to that of the picture that went in. period: of the places, in such pixels.
    """
    windows = [(place // scale, back(Window(place, place))) for place in range(period * scale)]
    return max(max(place - window.low, window.high - place) for place, window in windows)
