"""FastGAN: a light generator with skip-layer excitation, a discriminator that can draw what it saw; for few pictures.

Liu, Zhu, Song & Elgammal 2021, "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis",
sections 3.1 and 3.2. One convolution a side, as there. The noise of its generator is left out. All weights start
orthogonal, with a size that each layer hands on where no normalisation does it.
"""

import itertools
import math
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.settings import settings
from ganvas.core.sizes import Size
from ganvas.networks.conditioning import (
    ClassedLatent,
    ProjectionDiscriminator,
    check_channels_and_classes,
    plain_head,
    spectral_head,
)
from ganvas.networks.doublings import Doublings
from ganvas.networks.layers import SpectralConv2d, Width, doubling_widths, initialise_orthogonal, to_pictures

SLOPE = 0.2  # of every LeakyReLU
REACH = 16  # a map steers the one of so many times its side, in pictures of 128 pixels or more
DECODED = 4  # a decoder doubles the side so often at most, as the paper's from 8 to 128
# Gains of first weights: after a LeakyReLU the first keeps a signal's size, the second keeps that of a mean of two.
KEEP = math.sqrt(2 / (1 + SLOPE**2))
KEEP_IN_MEAN = math.sqrt(2) * KEEP
KEEP_BEFORE_GLU = 1.847  # 1 / root of the mean of sigmoid(x)^2, x normal

Norm = Literal["batch", "spectral", "none"]


class FastGANGenerator(nn.Module):
    """A linear map to 4x4, a convolution for each doubling of the side; low maps weigh the channels of high ones.

    Section 3.1, figure 3. The paper's pairs at 1024 pixels are 8 -> 128, 16 -> 256 and 32 -> 512: sixteen times the
    side. Here every map from 4x4 on has such a partner; below 128 pixels it is size / 8 times the side, so that 4x4 and
    8x8 have one at any size: 4 -> 16 and 8 -> 32 at 32 pixels, 4 -> 32 and 8 -> 64 at 64. These are shorter sides.
    Raises UsageError for a size that `Doublings` from 16 to 1024 pixels do not make, impossible channels, classes or
    widths.
    """

    @settings
    class Settings:
        """Settings of the generator."""

        # The family's name.
        name: Literal["fastgan"] = "fastgan"
        # Numbers in a latent.
        latent: Width = 256
        # Channels at the picture's side; they double with each halving of the side.
        width: Width = 32
        # Channels never exceed this.
        max_width: Width = 512
        # After each convolution but the last: "batch" normalisation as in the paper, or "none".
        norm: Literal["batch", "none"] = "batch"
        # Numbers in the embedding of a class, beside the latent; not used without classes.
        embedding: Width = 32

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        check_channels_and_classes(channels, classes)
        made = _made(size)
        widths = doubling_widths("fastgan", settings.width, settings.max_width, made.count + 1)[::-1]  # from the base
        self.latent, self.size, self.channels, self.classes = settings.latent, made.size.simplest, channels, classes
        self.base = made.base
        self.reach = int(
            math.log2(min(REACH, made.size.shorter // 8))
        )  # levels from a low map to the high one that it steers
        self.input = ClassedLatent(settings.latent, classes, settings.embedding)
        # The paper's 4x4 transposed convolution of a 1x1 map is this linear map, which a CPU runs many times faster.
        self.project = nn.Linear(self.input.features, 2 * widths[0] * made.base.area, bias=settings.norm == "none")
        self.norm = nn.BatchNorm2d(2 * widths[0]) if settings.norm == "batch" else nn.Identity()
        self.blocks = nn.ModuleList(UpBlock(*pair, settings.norm) for pair in itertools.pairwise(widths))
        self.excitations = nn.ModuleList(
            SkipExcitation(low, high, made.base) for low, high in zip(widths, widths[self.reach :], strict=False)
        )
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)
        initialise_orthogonal(self.project, KEEP_BEFORE_GLU)
        initialise_orthogonal(self.last, gain=1.0)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, latent], int64 [N] -> [N, C, H, W] in [-1, 1]; labels are not read without classes."""
        seed = self.project(self.input(latents, labels)).unflatten(1, (-1, *self.base.hw))  # [N, 2 * widths[0], 4, 4]
        maps = [functional.glu(self.norm(seed), dim=1)]  # at sides 4, 8, ...
        for block in self.blocks:
            maps.append(block(maps[-1]))
            low = len(maps) - 1 - self.reach
            if low >= 0:
                maps[-1] = self.excitations[low](maps[low], maps[-1])
        return to_pictures(self.last(maps[-1]))


class SkipExcitation(nn.Module):
    """high * F(low): a low map says how much of each channel of a high one is wanted. Section 3.1, eq. 1.

    F: means over a 4x4 grid, a 4x4 convolution to 1x1, LeakyReLU, a 1x1 convolution, and a sigmoid, times 2, so that
    maps keep their size at first. The convolutions meet one position each and are linear maps. grid: 4x4, or the
    size of the smallest map where that is not square.
    """

    def __init__(self, low: int, high: int, grid: Size) -> None:
        super().__init__()
        self.grid = grid
        self.gather = nn.Linear(low * grid.area, high)
        self.weigh = nn.Linear(high, high)
        initialise_orthogonal(self.gather, KEEP)
        initialise_orthogonal(self.weigh, gain=1.0)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """[N, C, h, w], as many times the grid both ways, [N, C', H, W] -> [N, C', H, W]."""
        grid = functional.avg_pool2d(low, low.shape[-1] // self.grid.width).flatten(1)
        weights = 2 * self.weigh(functional.leaky_relu(self.gather(grid), SLOPE)).sigmoid()
        return high * weights[:, :, None, None]


class UpBlock(nn.Module):
    """Nearest x2, 3x3, norm, GLU. Figure 3. [N, before, H, W] -> [N, after, 2H, 2W]."""

    def __init__(self, before: int, after: int, norm: Norm) -> None:
        super().__init__()
        self.conv = _convolution(before, 2 * after, 3, norm, KEEP_BEFORE_GLU)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, before, H, W] -> [N, after, 2H, 2W]."""
        return functional.glu(self.conv(functional.interpolate(maps, scale_factor=2, mode="nearest")), dim=1)


class FastGANDiscriminator(ProjectionDiscriminator):
    """A convolution and blocks that halve the side down to 4x4, one logit; decoders draw what its maps still hold.

    Section 3.2, figure 4. The paper's blocks end at 8x8 with 5x5 logits, one a patch; here one more leads to 4x4 and
    the logit is a linear map of that, so that a class can enter by projection. Only `judge` uses the decoders.
    Raises UsageError for a size that `Doublings` from 16 to 1024 pixels do not make, impossible channels, classes or
    widths.
    """

    @settings
    class Settings:
        """Settings of the discriminator."""

        # The family's name.
        name: Literal["fastgan"] = "fastgan"
        # Channels at half the picture's side; they double with each halving of the side.
        width: Width = 64
        # Channels never exceed this.
        max_width: Width = 512
        # "batch" normalisation after each convolution but the first; "spectral" norm of every weight; or "none".
        norm: Norm = "batch"
        # Channels at a decoded picture's side; they double with each halving of the side.
        decoder_width: Width = 16

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        check_channels_and_classes(channels, classes)
        made = _made(size)
        levels = made.count
        widths = doubling_widths(
            "fastgan", settings.width, settings.max_width, levels
        )  # at half the size, ..., the base
        norm = settings.norm
        self.size, self.channels, self.classes = made.size.simplest, channels, classes
        self.first = nn.Sequential(
            _convolution(channels, widths[0], 4, "none" if norm == "batch" else norm, gain=1.0, stride=2),
            nn.LeakyReLU(SLOPE, inplace=True),
        )
        self.blocks = nn.Sequential(*(DownBlock(*pair, norm) for pair in itertools.pairwise(widths[:-1])))  # to 8x8
        self.last = DownBlock(widths[-2], widths[-1], norm)
        if norm == "spectral":
            self.head = spectral_head(widths[-1], made.base.area, classes)
        else:
            self.head = plain_head(widths[-1], made.base.area, classes, bias=True)
        initialise_orthogonal(self.head.linear, gain=1.0)
        decoded: Norm = "batch" if norm == "batch" else "none"
        width, most = settings.decoder_width, settings.max_width
        self.whole = Decoder(widths[-1], min(DECODED, levels), width, most, channels, decoded)
        self.quarter = Decoder(widths[-2], min(DECODED, levels - 1), width, most, channels, decoded)

    def features(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> [N, widths[-1], 4, 4]."""
        return self.last(self._middle(images))

    def judge(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The logits of `forward`, and how far the pictures are off that are decoded from the maps. Section 3.2, eq. 2.

        [N, C, H, W] in [-1, 1], int64 [N] -> logits [N], error []. The whole picture is decoded from the last maps and
        each quarter of it from its quarter of the 8x8 maps alone (the paper draws one part of an eighth of the side).
        error: the mean absolute differences of both, added; the paper's are of perceptual features.
        """
        middle = self._middle(images)
        last = self.last(middle)
        error = decoding_error(self.whole(last), images)
        error = error + decoding_error(self.quarter(quarters(middle)), quarters(images))
        return self.head(last, labels), error

    def _middle(self, images: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, widths[-2], 8, 8]."""
        return self.blocks(self.first(images))


class DownBlock(nn.Module):
    """The mean of two ways down: 4x4 with stride 2, 3x3; mean over 2x2, 1x1. Norm, LeakyReLU after each. Figure 4.

    [N, before, H, W] -> [N, after, H/2, W/2].
    """

    def __init__(self, before: int, after: int, norm: Norm) -> None:
        super().__init__()
        self.main = nn.Sequential(
            _convolution(before, after, 4, norm, KEEP, stride=2),
            nn.LeakyReLU(SLOPE, inplace=True),
            _convolution(after, after, 3, norm, KEEP_IN_MEAN),
            nn.LeakyReLU(SLOPE, inplace=True),
        )
        self.direct = nn.Sequential(
            nn.AvgPool2d(2), _convolution(before, after, 1, norm, KEEP_IN_MEAN), nn.LeakyReLU(SLOPE, inplace=True)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """[N, before, H, W] -> [N, after, H/2, W/2]."""
        return (self.main(maps) + self.direct(maps)) / 2


class Decoder(nn.Module):
    """A convolution for each doubling of the side, then 3x3 and tanh: maps [N, features, H, W] to pictures. Figure 4.

    doublings: how often the side doubles. width: channels at the picture's side; they double with each halving, up to
    max_width.
    """

    def __init__(self, features: int, doublings: int, width: int, max_width: int, channels: int, norm: Norm) -> None:
        super().__init__()
        widths = [features, *doubling_widths("fastgan", min(width, max_width), max_width, doublings)[::-1]]
        self.blocks = nn.Sequential(*(UpBlock(*pair, norm) for pair in itertools.pairwise(widths)))
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)
        initialise_orthogonal(self.last, gain=1.0)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, features, H, W] -> [N, C, H * 2^doublings, W * 2^doublings] in [-1, 1]."""
        return to_pictures(self.last(self.blocks(maps)))


def decoding_error(decoded: Tensor, images: Tensor) -> Tensor:
    """The mean absolute difference to the pictures, made as small: [N, C, h, w], [N, C, k h, k w] -> []."""
    return (decoded - functional.avg_pool2d(images, images.shape[-1] // decoded.shape[-1])).abs().mean()


def quarters(maps: Tensor) -> Tensor:
    """The four quarters of each map, one after the other: [N, C, 2h, 2w] -> [4N, C, h, w]."""
    return maps.unflatten(3, (2, -1)).unflatten(2, (2, -1)).permute(0, 2, 4, 1, 3, 5).flatten(0, 2)


def _convolution(before: int, after: int, kernel: int, norm: Norm, gain: float, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the side, or halves it with stride 2, and its normalisation."""
    padding = (kernel - 1) // 2
    conv: nn.Conv2d
    if norm == "spectral":
        conv = SpectralConv2d(before, after, kernel, stride, padding)
    else:
        conv = nn.Conv2d(before, after, kernel, stride, padding, bias=norm == "none")
    initialise_orthogonal(conv, gain)
    return nn.Sequential(conv, nn.BatchNorm2d(after)) if norm == "batch" else nn.Sequential(conv)


def _made(size: int | Size) -> Doublings:
    return Doublings.of(size, "fastgan", 16, 1024, "dcgan or mlp")
