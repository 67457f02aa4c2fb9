"""DCGAN: stacks of 4x4 stride-2 convolutions, as many as the picture needs. Radford, Metz & Chintala 2015."""

import itertools
from typing import Literal

from torch import Tensor, nn

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
from ganvas.networks.layers import (
    SpectralConv2d,
    Width,
    doubling_widths,
    initialise_fan_in,
    initialise_normal,
    to_pictures,
)

SLOPE = 0.2  # of the discriminator's LeakyReLU, section 4 of the paper


class DCGANGenerator(nn.Module):
    """A linear map to 4x4 and transposed convolutions that double the sides up to the picture. Section 3, figure 1.

    At 32 pixels the channels are 256 (4x4), 128, 64, then the picture's; ReLU between, tanh at the end.
    Of a picture that is not square the smallest map is not either. Raises UsageError for a size that `Doublings` from 8
    to 1024 pixels do not make, and for impossible channels or classes.
    """

    @settings
    class Settings:
        """Settings of the generator."""

        # The family's name.
        name: Literal["dcgan"] = "dcgan"
        # Numbers in a latent.
        latent: Width = 100
        # Channels at half the picture's side; they double with each halving of the side.
        width: Width = 64
        # Channels never exceed this.
        max_width: Width = 512
        # After each layer but the last: "batch" normalisation as in the paper, or "none" (He's first weights).
        norm: Literal["batch", "none"] = "batch"
        # Numbers in the embedding of a class, beside the latent; not used without classes.
        embedding: Width = 32

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        check_channels_and_classes(channels, classes)
        made = _made(size)
        widths = doubling_widths("dcgan", settings.width, settings.max_width, made.count)[::-1]
        self.latent, self.size, self.channels, self.classes = settings.latent, made.size.simplest, channels, classes
        self.base = made.base
        normed = settings.norm == "batch"
        self.input = ClassedLatent(settings.latent, classes, settings.embedding)
        # The paper's 4x4 transposed convolution of a 1x1 map is this linear map, which a CPU runs many times faster.
        self.project = nn.Linear(self.input.features, widths[0] * made.base.area, bias=not normed)
        layers: list[nn.Module] = [nn.BatchNorm2d(widths[0])] if normed else []
        layers.append(nn.ReLU(inplace=True))
        for before, after in itertools.pairwise(widths):
            layers.append(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=not normed))
            if normed:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.ReLU(inplace=True))
        last = nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1, bias=not normed)
        self.layers = nn.Sequential(*layers, last)
        if normed:
            initialise_normal(self)
        else:
            initialise_fan_in(self, last, slope=0.0)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, latent], int64 [N] -> [N, C, H, W] in [-1, 1]; labels are not read without classes."""
        seed = self.project(self.input(latents, labels)).unflatten(1, (-1, *self.base.hw))  # [N, widths[0], 4, 4]
        return to_pictures(self.layers(seed))


class DCGANDiscriminator(ProjectionDiscriminator):
    """Convolutions that halve the side down to 4x4 and a linear map, the generator's mirror. Section 3.

    At 32 pixels the channels are 64 (16x16), 128, 256; LeakyReLU 0.2 between. A class enters by projection.
    Of a picture that is not square the smallest map is not either. Raises UsageError for a size that `Doublings` from 8
    to 1024 pixels do not make, and for impossible channels or classes.
    """

    @settings
    class Settings:
        """Settings of the discriminator."""

        # The family's name.
        name: Literal["dcgan"] = "dcgan"
        # Channels at half the picture's side; they double with each halving of the side.
        width: Width = 64
        # Channels never exceed this.
        max_width: Width = 512
        # "batch" normalisation after each layer but the first and the last, as in the paper; "spectral" norm of every
        # weight; or "none" (He's first weights), which a gradient penalty wants.
        norm: Literal["batch", "spectral", "none"] = "batch"

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        check_channels_and_classes(channels, classes)
        made = _made(size)
        widths = [channels, *doubling_widths("dcgan", settings.width, settings.max_width, made.count)]
        self.size, self.channels, self.classes = made.size.simplest, channels, classes
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(itertools.pairwise(widths)):
            if settings.norm == "spectral":
                layers.append(SpectralConv2d(before, after, 4, stride=2, padding=1))
            else:
                layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=settings.norm == "none"))
            if settings.norm == "batch" and index > 0:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        self.layers = nn.Sequential(*layers)
        if settings.norm == "spectral":
            self.head = spectral_head(widths[-1], made.base.area, classes)
        else:
            self.head = plain_head(widths[-1], made.base.area, classes, bias=settings.norm == "none")
        if settings.norm == "batch":
            initialise_normal(self)
        elif settings.norm == "none":
            initialise_fan_in(self, self.head.linear, SLOPE)

    def features(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> [N, features, 4, 4]."""
        return self.layers(images)


def _made(size: int | Size) -> Doublings:
    return Doublings.of(size, "dcgan", 8, 1024, "mlp up to 128")
