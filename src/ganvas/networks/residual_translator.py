"""The residual network of CycleGAN. Zhu et al. 2017, appendix 7.2, after Johnson, Alahi & Fei-Fei 2016."""

import math
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from ganvas.core.errors import UsageError
from ganvas.core.settings import settings
from ganvas.networks.enlarging import TOUCH
from ganvas.networks.layers import Width, initialise_fan_in, to_pictures
from ganvas.networks.normalising import NormName, by_picture, has_shift, initialise_normed, norm_of
from ganvas.networks.translating import Translator, Window, check_inputs_and_outputs, in_full, reach_of
from ganvas.networks.upsampling import Upsample, doubling


class ResidualTranslator(Translator):
    """7x7, two halvings, residual blocks at a quarter of the side, two doublings, 7x7, tanh; ReLU between.

    Pictures go on as their mirror images in the 7x7 and in the blocks. With 9 blocks and instance normalisation, for
    colour: 11,378,179 parameters. It changes colours and textures more readily than shapes. Raises UsageError for
    impossible channels.
    """

    @settings
    class Settings:
        """Settings of the network."""

        # The family's name.
        name: Literal["resnet"] = "resnet"
        # Channels at the picture's side; twice and four times as many at a half and at a quarter of it.
        width: Width = 64
        # Residual blocks; the paper has 6 for 128 pixels and 9 for 256.
        blocks: Annotated[int, Field(ge=1, le=64)] = 9
        # After each layer but the last: "instance" normalisation as in the paper (each picture by itself),
        # "instance-affine" (the same with weights), "batch", or "none" (He's first weights, each block's part divided
        # by the root of their number).
        norm: NormName = "instance"
        # "transposed" convolutions as in the paper; "resize": nearest doubling and 3x3, which leaves no checkerboard.
        upsample: Upsample = "transposed"
        # What the network's part is added to: the "picture" itself, with which it begins, for kinds that look alike and
        # little training; or "none", as in the paper.
        onto: Literal["picture", "none"] = "none"

    multiple = 4
    least = 8  # a quarter of it has the two values that a mirror image needs

    def __init__(self, settings: Settings, *, inputs: int, outputs: int) -> None:
        super().__init__()
        check_inputs_and_outputs(inputs=inputs, outputs=outputs)
        if settings.onto == "picture" and inputs != outputs:
            raise UsageError(f"resnet cannot add its {outputs} channels to a picture of {inputs}: set onto=none")
        self.inputs, self.outputs, self.onto = inputs, outputs, settings.onto
        width, norm, bias = settings.width, settings.norm, not has_shift(settings.norm)
        first = nn.Conv2d(inputs, width, 7, padding=3, padding_mode="reflect", bias=bias)
        self.first = nn.Sequential(first, norm_of(norm, width), nn.ReLU(inplace=True))
        self.down = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, 2 * before, 3, stride=2, padding=1, bias=bias),
                norm_of(norm, 2 * before),
                nn.ReLU(inplace=True),
            )
            for before in (width, 2 * width)
        )
        blocks = [ResidualBlock(4 * width, norm) for _ in range(settings.blocks)]
        self.blocks = nn.ModuleList(blocks)
        self.up = nn.Sequential(
            *(
                nn.Sequential(
                    doubling(settings.upsample, before, before // 2, 3, bias=bias),
                    norm_of(norm, before // 2),
                    nn.ReLU(inplace=True),
                )
                for before in (4 * width, 2 * width)
            )
        )
        self.last = nn.Conv2d(width, outputs, 7, padding=3, padding_mode="reflect")
        self.resized = settings.upsample == "resize"
        self.reach = None if by_picture(norm) else reach_of(self._back, self.multiple)
        self.widths = (inputs, 2 * width, 4 * width, 4 * width, 4 * width)
        if norm == "none":
            initialise_fan_in(self, self.last, slope=0.0)
            for block in blocks:  # so that the sum of all stays in hand
                block.second.weight.data.div_(math.sqrt(2 * settings.blocks))
        else:
            initialise_normed(self)
        if settings.onto == "picture":
            self.last.weight.data.mul_(TOUCH)

    def translate(self, images: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W] in [-1, 1]; added to the picture, about that."""
        made = self.last(self.up(self._inner(images)[-1]))
        return to_pictures(made) if self.onto == "none" else in_full(images) + in_full(made)

    def encoded(self, images: Tensor) -> list[Tensor]:
        """What a contrastive loss compares, of the channels `widths`: the pictures, and maps of the first half.

        After each halving, the first block and the middle one. Park et al. 2020 (CUT), training details.
        [N, inputs, H, W], with sides as `translate` takes them.
        """
        maps = self._inner(images)
        return [images, *maps[:3], maps[2 + (len(self.blocks) - 1) // 2]]

    def _inner(self, images: Tensor) -> list[Tensor]:
        """The maps after each halving and each block."""
        maps = [self.first(images)]
        for layer in (*self.down, *self.blocks):
            maps.append(layer(maps[-1]))
        return maps[1:]

    def _back(self, window: Window) -> Window:
        window = window.through_convolution(7)
        for _ in self.down:
            resized = window.through_convolution(3).through_repeating(2)
            window = resized if self.resized else window.through_doubling(3)
        for _ in range(2 * len(self.blocks)):
            window = window.through_convolution(3)
        for _ in self.down:
            window = window.through_convolution(3, stride=2)
        return window.through_convolution(7)


class ResidualBlock(nn.Module):
    """maps + two 3x3 with a norm after each, and a ReLU between: [N, C, H, W] -> the same."""

    def __init__(self, width: int, norm: NormName) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect", bias=not has_shift(norm)) for _ in range(2)
        )
        self.first_norm, self.second_norm = norm_of(norm, width), norm_of(norm, width)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        return maps + self.second_norm(self.second(self.first_norm(self.first(maps)).relu()))
