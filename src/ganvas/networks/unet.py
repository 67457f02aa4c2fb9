"""The U-Net of pix2pix. Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Nets"."""

import itertools
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.settings import settings
from ganvas.networks.layers import Width, doubling_widths, initialise_fan_in, to_pictures
from ganvas.networks.normalising import NormName, by_picture, has_shift, initialise_normed, norm_of
from ganvas.networks.translating import Translator, Window, check_inputs_and_outputs, reach_of
from ganvas.networks.upsampling import Upsample, doubling, last_of

SLOPE = 0.2  # of the LeakyReLU on the way down


class UNet(Translator):
    """Convolutions that halve the sides, then their mirror image, each side's maps handed across. Section 3.2.1.

    Appendix 6.1.1: 4x4 with stride 2, norm, LeakyReLU 0.2 down; ReLU and tanh up. With 8 halvings and batch
    normalisation, for colour: 54,413,955 parameters. The paper's generator draws its noise as dropout, in training and
    afterwards; here a forward pass draws nothing, so there is no dropout, and a picture has one translation.
    Raises UsageError for impossible channels or widths.
    """

    @settings
    class Settings:
        """Settings of the network."""

        # The family's name.
        name: Literal["unet"] = "unet"
        # Channels at half the picture's side; they double with each halving of the side.
        width: Width = 64
        # Channels never exceed this.
        max_width: Width = 512
        # How often the sides are halved; 8 leave one value of 256 pixels, which smaller pictures are extended to.
        halvings: Annotated[int, Field(ge=2, le=10)] = 8
        # After each layer but the first, the innermost and the last: "batch" normalisation as in the paper, "instance"
        # (each picture by itself), "instance-affine" (the same with weights), or "none" (He's first weights).
        norm: NormName = "batch"
        # "transposed" convolutions as in the paper; "resize": nearest doubling and 3x3, which leaves no checkerboard.
        upsample: Upsample = "transposed"

    def __init__(self, settings: Settings, *, inputs: int, outputs: int) -> None:
        super().__init__()
        check_inputs_and_outputs(inputs=inputs, outputs=outputs)
        self.inputs, self.outputs = inputs, outputs
        self.multiple = self.least = 2**settings.halvings
        norm, bias = settings.norm, not has_shift(settings.norm)
        widths = doubling_widths("unet", settings.width, settings.max_width, settings.halvings)
        down = [nn.Conv2d(*pair, 4, stride=2, padding=1, bias=bias) for pair in itertools.pairwise([inputs, *widths])]
        self.down = nn.ModuleList(down)
        self.down_norms = nn.ModuleList(norm_of(norm, width) for width in widths[1:-1])
        doubled = [widths[-1], *(2 * width for width in widths[-2::-1])]  # from the innermost: with what is handed over
        pairs = zip(doubled[:-1], widths[-2::-1], strict=True)
        self.up = nn.ModuleList(doubling(settings.upsample, *pair, 4, bias=bias) for pair in pairs)
        self.up_norms = nn.ModuleList(norm_of(norm, width) for width in widths[-2::-1])
        self.last = doubling(settings.upsample, doubled[-1], outputs, 4, bias=True)
        self.reach = None if by_picture(norm) else reach_of(self._back, self.multiple)
        if norm == "none":
            initialise_fan_in(self, last_of(self.last), SLOPE)
        else:
            initialise_normed(self)

    def translate(self, images: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W] in [-1, 1]."""
        handed = [self.down[0](images)]
        for conv, norm in itertools.zip_longest(self.down[1:], self.down_norms):  # the innermost has no norm
            maps = conv(functional.leaky_relu(handed[-1], SLOPE))
            handed.append(maps if norm is None else norm(maps))
        maps = handed.pop()
        for double, norm in zip(self.up, self.up_norms, strict=True):
            maps = torch.cat([handed.pop(), norm(double(maps.relu()))], dim=1)
        return to_pictures(self.last(maps.relu()))

    def _back(self, window: Window) -> Window:
        # The innermost way reaches the furthest. A 3x3 after nearest doubling reads what a 4x4 transposed one does.
        for _ in self.down:
            window = window.through_doubling(4)
        for _ in self.down:
            window = window.through_convolution(4, stride=2)
        return window
