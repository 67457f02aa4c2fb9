"""RRDBNet, for larger and cleaner pictures. Wang et al. 2018, "ESRGAN: Enhanced Super-Resolution GANs"."""

import itertools
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.settings import settings
from ganvas.networks.enlarging import TOUCH, Enlargement, check_enlargement, enlarged
from ganvas.networks.layers import Width, initialise_fan_in
from ganvas.networks.translating import Translator, Window, check_inputs_and_outputs, in_full, reach_of

SLOPE = 0.2
RESIDUAL = 0.2  # what of a dense block is added. Section 3.1
DENSE = 5  # convolutions of a dense block
BEGIN = 0.1  # of their usual size: the weights of the dense blocks (section 3.1) and of the last layer
GREY = 0.5  # what the network begins about


class RRDB(Translator):
    """3x3, residual-in-residual dense blocks, 3x3 added to the first maps, nearest doublings, 3x3. Section 3.1.

    At x4 with 23 blocks, for colour: 16,697,987 parameters. At x1 and x2 it does the work of x4 on pictures folded
    to a quarter and a half of their sides (pixel unshuffle; Wang et al. 2021, Real-ESRGAN, section 3.4); at x3 there is
    one tripling. Inside, black is 0 and white 1, as in the paper: so the zeros beyond the border are black. What it
    makes is about [-1, 1] and is cut off when it is written. Raises UsageError for impossible channels, and
    for an enlargement to other channels.
    """

    @settings
    class Settings:
        """Settings of the network."""

        # The family's name.
        name: Literal["rrdb"] = "rrdb"
        # How many times larger; 1 cleans a picture.
        scale: Literal[1, 2, 3, 4] = 4
        # Channels.
        width: Width = 64
        # Channels that each convolution of a dense block adds.
        growth: Width = 32
        # Blocks, of three dense blocks each.
        blocks: Annotated[int, Field(ge=1, le=64)] = 23
        # What the network's part is added to: "bicubic" or "bilinear" enlargement (at x1 the picture itself), with
        # which it begins; or "none", as in the paper, which needs long training.
        enlargement: Enlargement = "none"

    def __init__(self, settings: Settings, *, inputs: int, outputs: int) -> None:
        super().__init__()
        check_inputs_and_outputs(inputs=inputs, outputs=outputs)
        check_enlargement("rrdb", settings.enlargement, inputs, outputs)
        self.inputs, self.outputs, self.scale, self.enlargement = inputs, outputs, settings.scale, settings.enlargement
        self.multiple = self.least = 1 if self.scale == 3 else 4 // self.scale
        self.factors = [3] if self.scale == 3 else [2, 2]
        width = settings.width
        self.first = nn.Conv2d(inputs * self.multiple**2, width, 3, padding=1)
        blocks = [ResidualInResidual(width, settings.growth) for _ in range(settings.blocks)]
        self.blocks = nn.Sequential(*blocks)
        self.joined = nn.Conv2d(width, width, 3, padding=1)
        self.up = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in self.factors)
        self.high = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, outputs, 3, padding=1)
        self.reach = reach_of(self._back, self.multiple, self.scale)
        initialise_fan_in(self, self.last, SLOPE)
        for layer in itertools.chain.from_iterable(block.convolutions() for block in blocks):
            layer.weight.data.mul_(BEGIN)
        # Dense blocks that begin small hand their maps on, so that each outer block makes them 1.2 times as large.
        self.joined.weight.data.div_((1 + RESIDUAL) ** settings.blocks)
        if self.enlargement == "none":
            self.last.weight.data.mul_(BEGIN)
            nn.init.constant_(self.last.get_parameter("bias"), GREY)
        else:
            self.last.weight.data.mul_(TOUCH)

    def translate(self, images: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H * scale, W * scale], about [-1, 1]."""
        first = self.first(functional.pixel_unshuffle((images + 1) / 2, self.multiple))
        maps = first + self.joined(self.blocks(first))
        for factor, conv in zip(self.factors, self.up, strict=True):
            maps = functional.interpolate(maps, scale_factor=float(factor), mode="nearest")
            maps = functional.leaky_relu(conv(maps), SLOPE)
        made = 2 * in_full(self.last(functional.leaky_relu(self.high(maps), SLOPE)))
        return made - 1 if self.enlargement == "none" else made + enlarged(images, self.scale, self.enlargement)

    def _back(self, window: Window) -> Window:
        window = window.through_convolution(3).through_convolution(3)
        for factor in self.factors:
            window = window.through_convolution(3).through_repeating(factor)
        for _ in range(3 * DENSE * len(self.blocks) + 2):
            window = window.through_convolution(3)
        return Window(window.low * self.multiple, window.high * self.multiple + self.multiple - 1)


class ResidualInResidual(nn.Module):
    """maps + 0.2 times three dense blocks one after another. Figure 4. [N, C, H, W] -> the same."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(*(DenseBlock(width, growth) for _ in range(3)))

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        return maps + RESIDUAL * self.dense(maps)

    def convolutions(self) -> list[nn.Conv2d]:
        """Those of its dense blocks."""
        return [layer for layer in self.dense.modules() if isinstance(layer, nn.Conv2d)]


class DenseBlock(nn.Module):
    """Five 3x3, each of which reads the maps and what those before it made; 0.2 times the last is added. Figure 4.

    [N, C, H, W] -> the same.
    """

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        made = [growth] * (DENSE - 1) + [width]
        self.convs = nn.ModuleList(
            nn.Conv2d(width + growth * index, after, 3, padding=1) for index, after in enumerate(made)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        known = [maps]
        for conv in self.convs[:-1]:
            known.append(functional.leaky_relu(conv(torch.cat(known, dim=1)), SLOPE))
        return maps + RESIDUAL * self.convs[-1](torch.cat(known, dim=1))
