"""A classifier that is at once a discriminator: K class logits, of which a softmax with one more, 0, tells the fakes.

Salimans, Goodfellow, Zaremba, Cheung, Radford & Chen 2016, section 5.
"""

import itertools
from typing import Literal

from torch import Tensor, nn

from ganvas.core.errors import UsageError
from ganvas.core.settings import settings
from ganvas.core.sizes import Size
from ganvas.networks.conditioning import check_channels_and_classes
from ganvas.networks.halving import halving_widths
from ganvas.networks.layers import Width, full_precision, initialise_fan_in

SLOPE = 0.2  # of LeakyReLU
_GROUP = 8  # channels that are normalised together; all of a layer where it has no multiple of them


class ConvClassifier(nn.Module):
    """Two 3x3 convolutions at each side, the first of which halves it, until one is 4 to 7; the mean; a linear map.

    As in the paper's discriminators convolutions go on to an average over all places. No batch normalisation: each
    picture is told by itself, in training as afterwards. Raises UsageError for a size whose shorter side is not from 4
    to 1024 or whose longer is above 4 times that, impossible channels, and fewer than two classes.
    """

    @settings
    class Settings:
        """Settings of the classifier."""

        # The family's name.
        name: Literal["conv"] = "conv"
        # Channels at half the picture's side; they double with each halving of the side.
        width: Width = 32
        # Channels never exceed this.
        max_width: Width = 128
        # After each convolution: "group" normalisation (Wu & He 2018), in which pictures do not mix, or "none".
        norm: Literal["group", "none"] = "group"

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, classes: int) -> None:
        super().__init__()
        size = Size.of(size)
        widths, _ = halving_widths(channels, settings.width, settings.max_width, size, "tells")
        check_channels_and_classes(channels, classes)
        if classes < 2:
            raise UsageError(f"A classifier tells two classes or more apart, not {classes}")
        self.size, self.channels, self.classes = size.simplest, channels, classes
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            for step in (nn.Conv2d(before, after, 3, stride=2, padding=1), nn.Conv2d(after, after, 3, padding=1)):
                layers.append(step)
                if settings.norm == "group":
                    layers.append(nn.GroupNorm(1 if after % _GROUP else after // _GROUP, after))
                layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1], classes)
        initialise_fan_in(self, self.head, SLOPE)

    def features(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> [N, F], the mean of the last maps: what generated pictures are matched by."""
        return self.layers(images).mean(dim=(2, 3))

    def logits(self, features: Tensor) -> Tensor:
        """[N, F] -> [N, classes], in float32 or better also under autocast."""
        with full_precision(features):
            return self.head(features.to(self.head.weight.dtype))

    def forward(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1] -> the logits of the classes [N, classes]."""
        return self.logits(self.features(images))
