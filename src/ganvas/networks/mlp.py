"""Dense networks for small pictures of any size, after the first GAN. Goodfellow et al. 2014, section 5."""

import itertools
from typing import Annotated, Literal

import pydantic
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
from ganvas.networks.layers import SpectralLinear, Width, initialise_fan_in, to_pictures

LARGEST = 128  # pixels a side: there the last layer alone has 50 million weights for colour pictures
SLOPE = 0.2

HiddenWidths = Annotated[tuple[Width, ...], pydantic.Field(min_length=1)]


class MLPGenerator(nn.Module):
    """Linear layers with batch normalisation and LeakyReLU 0.2 between, tanh at the end.

    Raises UsageError for a side not from 1 to 128, and for impossible channels or classes.
    """

    @settings
    class Settings:
        """Settings of the generator."""

        # The family's name.
        name: Literal["mlp"] = "mlp"
        # Numbers in a latent.
        latent: Width = 100
        # Features of each hidden layer, from the latent to the picture.
        hidden: HiddenWidths = (256, 512, 1024)
        # After each hidden layer: "batch" normalisation or "none".
        norm: Literal["batch", "none"] = "batch"
        # Numbers in the embedding of a class, beside the latent; not used without classes.
        embedding: Width = 32

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        size = _checked(size)
        check_channels_and_classes(channels, classes)
        self.latent, self.size, self.channels, self.classes = settings.latent, size.simplest, channels, classes
        self.shape = (channels, *size.hw)
        self.normed = settings.norm == "batch"
        self.input = ClassedLatent(settings.latent, classes, settings.embedding)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([self.input.features, *settings.hidden]):
            layers.append(nn.Linear(before, after, bias=not self.normed))
            if self.normed:
                layers.append(nn.BatchNorm1d(after))
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        last = nn.Linear(settings.hidden[-1], channels * size.area)
        self.layers = nn.Sequential(*layers, last)
        initialise_fan_in(self, last, SLOPE)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, latent], int64 [N] -> [N, C, H, W] in [-1, 1]; labels are not read without classes.

        Raises UsageError for a single latent in training with batch normalisation, which has then nothing to average.
        """
        if self.normed and self.training and len(latents) == 1:
            raise UsageError(
                "The mlp generator cannot train on one picture at a time with batch normalisation:\n"
                'use batches of 2 or more, or norm = "none" in the generator\'s settings'
            )
        pixels = self.layers(self.input(latents, labels))
        return to_pictures(pixels.unflatten(1, self.shape))


class MLPDiscriminator(ProjectionDiscriminator):
    """Linear layers with LeakyReLU 0.2 between. A class enters by projection.

    Raises UsageError for a side not from 1 to 128, and for impossible channels or classes.
    """

    @settings
    class Settings:
        """Settings of the discriminator."""

        # The family's name.
        name: Literal["mlp"] = "mlp"
        # Features of each hidden layer, from the picture to the logit.
        hidden: HiddenWidths = (512, 256)
        # "spectral" norm of every weight, or "none".
        norm: Literal["none", "spectral"] = "none"

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        size = _checked(size)
        check_channels_and_classes(channels, classes)
        self.size, self.channels, self.classes = size.simplest, channels, classes
        linear = SpectralLinear if settings.norm == "spectral" else nn.Linear
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([channels * size.area, *settings.hidden]):
            layers += [linear(before, after), nn.LeakyReLU(SLOPE, inplace=True)]
        self.layers = nn.Sequential(*layers)
        if settings.norm == "spectral":
            self.head = spectral_head(settings.hidden[-1], 1, classes)
        else:
            self.head = plain_head(settings.hidden[-1], 1, classes, bias=True)
            initialise_fan_in(self, self.head.linear, SLOPE)

    def features(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> [N, features, 1, 1]."""
        return self.layers(images.flatten(1))[:, :, None, None]


def _checked(size: int | Size) -> Size:
    size = Size.of(size)
    if size.longer > LARGEST:
        other = "powers of two to 1024" if size.square else nearest_made(size)
        raise UsageError(f"mlp makes pictures of 1 to {LARGEST} pixels a side, not {size}: dcgan makes {other}")
    return size
