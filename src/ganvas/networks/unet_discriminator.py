"""A U-Net that judges every pixel. Wang, Xie, Dong & Shan 2021, "Real-ESRGAN", section 3.4."""

import itertools
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.settings import settings
from ganvas.networks.layers import SpectralConv2d, Width
from ganvas.networks.translating import check_inputs_and_outputs, extended

SLOPE = 0.2


class UNetDiscriminator(nn.Module):
    """4x4 convolutions that halve the sides, then bilinear doublings and 3x3, each side's maps added; spectral norm.

    A logit for each pixel, for pictures of any size: what is right here and false there is told apart. With
    3 halvings, for colour: 4,376,897 parameters. Raises UsageError for impossible channels.
    """

    @settings
    class Settings:
        """Settings of the discriminator."""

        # The family's name.
        name: Literal["unet"] = "unet"
        # Channels at the picture's side; they double with each halving of the side.
        width: Width = 64
        # How often the sides are halved.
        halvings: Annotated[int, Field(ge=1, le=6)] = 3

    def __init__(self, settings: Settings, *, inputs: int) -> None:
        super().__init__()
        check_inputs_and_outputs(inputs=inputs)
        self.inputs, self.smallest, self.multiple = inputs, 1, 2**settings.halvings
        widths = [settings.width * 2**index for index in range(settings.halvings + 1)]
        self.first = nn.Conv2d(inputs, widths[0], 3, padding=1)
        self.down = nn.ModuleList(SpectralConv2d(*pair, 4, 2, 1, bias=False) for pair in itertools.pairwise(widths))
        upward = itertools.pairwise(reversed(widths))
        self.up = nn.ModuleList(SpectralConv2d(*pair, 3, 1, 1, bias=False) for pair in upward)
        self.fine = nn.ModuleList(SpectralConv2d(widths[0], widths[0], 3, 1, 1, bias=False) for _ in range(2))
        self.last = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, inputs, H, W] -> logits [N, 1, H, W]; labels are not read."""
        height, width = images.shape[2:]
        maps = functional.leaky_relu(self.first(extended(images, self.multiple)), SLOPE)
        handed = []
        for conv in self.down:
            handed.append(maps)
            maps = functional.leaky_relu(conv(maps), SLOPE)
        for conv in self.up:
            maps = functional.interpolate(maps, scale_factor=2.0, mode="bilinear")
            maps = functional.leaky_relu(conv(maps), SLOPE) + handed.pop()
        for conv in self.fine:
            maps = functional.leaky_relu(conv(maps), SLOPE)
        return self.last(maps)[:, :, :height, :width]
