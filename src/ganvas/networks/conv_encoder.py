"""The encoder of a variational autoencoder, for any generator as its decoder. Kingma & Welling 2014."""

import itertools
from typing import Literal

from torch import Tensor, nn

from ganvas.core.settings import settings
from ganvas.core.sizes import Size
from ganvas.networks.conditioning import ClassedLatent, check_channels_and_classes
from ganvas.networks.halving import halving_widths
from ganvas.networks.layers import Width, initialise_fan_in

SLOPE = 0.2  # of LeakyReLU


class ConvEncoder(nn.Module):
    """Convolutions that halve the sides until one is 4 to 7, and a linear map to q(z|x)'s means and log variances.

    Kingma & Welling 2014, appendix C.2, with convolutions in place of the hidden layer. The class stands beside the
    last features as a learned embedding. No normalisation: each picture is encoded by itself.
    Raises UsageError for a size whose shorter side is not from 4 to 1024 or whose longer is above 4 times that, and for
    impossible channels or classes.
    """

    @settings
    class Settings:
        """Settings of the encoder."""

        # The family's name.
        name: Literal["conv"] = "conv"
        # Channels at half the picture's side; they double with each halving of the side.
        width: Width = 32
        # Channels never exceed this.
        max_width: Width = 256
        # Numbers in the embedding of a class; not used without classes.
        embedding: Width = 32

    def __init__(self, settings: Settings, *, latent: int, size: int | Size, channels: int, classes: int) -> None:
        """latent: of the decoder."""
        super().__init__()
        size = Size.of(size)
        widths, last = halving_widths(channels, settings.width, settings.max_width, size, "encodes")
        check_channels_and_classes(channels, classes)
        self.latent, self.size, self.channels, self.classes = latent, size.simplest, channels, classes
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.features = ClassedLatent(widths[-1] * last.area, classes, settings.embedding)
        self.head = nn.Linear(self.features.features, 2 * latent)
        initialise_fan_in(self, self.head, SLOPE)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[N, C, H, W] in [-1, 1], int64 [N] -> mean and log variance, each [N, latent].

        Labels are not read without classes. Raises UsageError if they are missing with them.
        """
        mean, log_variance = self.head(self.features(self.layers(images).flatten(1), labels)).chunk(2, dim=1)
        return mean, log_variance
