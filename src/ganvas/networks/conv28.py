"""Small networks of 5x5 convolutions, made for 28x28 pictures and at home wherever the side divides by four.

The layout follows DCGAN (Radford, Metz & Chintala 2015) with two resolutions above the first map, so that a side of
28 needs no padding to 32.
"""

from typing import Literal

from torch import Tensor, nn

from ganvas.core.errors import UsageError
from ganvas.core.settings import settings
from ganvas.core.sizes import Size
from ganvas.networks.conditioning import (
    ClassedLatent,
    ProjectionDiscriminator,
    check_channels_and_classes,
    plain_head,
    spectral_head,
)
from ganvas.networks.doublings import nearest_made
from ganvas.networks.layers import SpectralConv2d, Width, initialise_fan_in, to_pictures

SIZES = range(8, 65, 4)
SLOPE = 0.2


class Conv28Generator(nn.Module):
    """A linear map to a quarter of the side, then transposed 5x5 convolutions of stride 1, 2, 2; tanh at the end.

    At 28 pixels with width 64 the channels are 256 (7x7), 128 (7x7), 64 (14x14), then the picture's; LeakyReLU 0.2
    between. Raises UsageError for pictures that are not square or of a side that is no multiple of 4 from 8 to 64, and
    for impossible channels or classes.
    """

    @settings
    class Settings:
        """Settings of the generator."""

        # The family's name.
        name: Literal["conv28"] = "conv28"
        # Numbers in a latent.
        latent: Width = 100
        # Channels at half the picture's side; the two maps at a quarter have 4 times and 2 times as many.
        width: Width = 64
        # After each layer but the last: "batch" normalisation or "none".
        norm: Literal["batch", "none"] = "batch"
        # Numbers in the embedding of a class, beside the latent; not used without classes.
        embedding: Width = 32

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        side = _checked(size)
        check_channels_and_classes(channels, classes)
        self.latent, self.size, self.channels, self.classes = settings.latent, side, channels, classes
        normed, width, self.base = settings.norm == "batch", settings.width, side // 4
        self.input = ClassedLatent(settings.latent, classes, settings.embedding)
        self.project = nn.Linear(self.input.features, 4 * width * self.base**2, bias=not normed)
        layers: list[nn.Module] = [nn.BatchNorm2d(4 * width)] if normed else []
        layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        for before, after, stride in ((4 * width, 2 * width, 1), (2 * width, width, 2)):
            layers.append(_transposed(before, after, stride, bias=not normed))
            if normed:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        last = _transposed(width, channels, 2, bias=True)
        self.layers = nn.Sequential(*layers, last)
        initialise_fan_in(self, last, SLOPE)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, latent], int64 [N] -> [N, C, H, W] in [-1, 1]; labels are not read without classes."""
        seed = self.project(self.input(latents, labels)).unflatten(
            1, (-1, self.base, self.base)
        )  # [N, 4 width, H/4, W/4]
        return to_pictures(self.layers(seed))


class Conv28Discriminator(ProjectionDiscriminator):
    """Two 5x5 stride-2 convolutions and a linear map: at 28 pixels 64 channels (14x14), 128 (7x7), one logit.

    LeakyReLU 0.2 between; no dropout, so that a run needs no random state. A class enters by projection.
    Raises as the generator does.
    """

    @settings
    class Settings:
        """Settings of the discriminator."""

        # The family's name.
        name: Literal["conv28"] = "conv28"
        # Channels at half the picture's side; twice as many at a quarter.
        width: Width = 64
        # "spectral" norm of every weight, or "none".
        norm: Literal["none", "spectral"] = "none"

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        side = _checked(size)
        check_channels_and_classes(channels, classes)
        self.size, self.channels, self.classes = side, channels, classes
        conv = SpectralConv2d if settings.norm == "spectral" else nn.Conv2d
        self.layers = nn.Sequential(
            conv(channels, settings.width, 5, 2, 2),
            nn.LeakyReLU(SLOPE, inplace=True),
            conv(settings.width, 2 * settings.width, 5, 2, 2),
            nn.LeakyReLU(SLOPE, inplace=True),
        )
        if settings.norm == "spectral":
            self.head = spectral_head(2 * settings.width, (side // 4) ** 2, classes)
        else:
            self.head = plain_head(2 * settings.width, (side // 4) ** 2, classes, bias=True)
            initialise_fan_in(self, self.head.linear, SLOPE)

    def features(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> [N, features, H/4, W/4]."""
        return self.layers(images)


def _transposed(channels: int, out_channels: int, stride: int, *, bias: bool) -> nn.ConvTranspose2d:
    """A 5x5 transposed convolution that multiplies the side by exactly its stride."""
    return nn.ConvTranspose2d(channels, out_channels, 5, stride, padding=2, output_padding=stride - 1, bias=bias)


def _checked(size: int | Size) -> int:
    """The side of a square that this family makes."""
    size = Size.of(size)
    if not size.square or size.width not in SIZES:
        other = "mlp up to 128" if size.square else f"dcgan, which makes {nearest_made(size)}"
        raise UsageError(
            f"conv28 makes pictures of 8, 12, 16, ... 64 pixels a side, not {size}: choose one, or {other}"
        )
    return size.width
