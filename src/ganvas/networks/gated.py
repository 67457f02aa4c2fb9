"""Gated convolutions, for pictures with holes. Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution"."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.settings import settings
from ganvas.networks.layers import Width, initialise_fan_in, to_pictures
from ganvas.networks.translating import Translator, Window, check_inputs_and_outputs, reach_of

KEEP = 2.3  # of weights before ELU times a gate, so that maps keep their size: 1 / sqrt(E elu(x)^2 sigmoid(y)^2)

Dilations = Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(max_length=16)]


class Gated(Translator):
    """Gated convolutions at the picture's side, a half, a quarter with dilations, and back; tanh. Section 3.1, fig. 3.

    Its input is the picture with its holes, and the mask of the holes beside it (1: unknown); each layer then learns
    what of its maps to trust where. This is the paper's first (coarse) network alone, with tanh for its clipping;
    dilations make it see far: 16 at a quarter of the side are 64 pixels. Raises UsageError for impossible channels.
    """

    @settings
    class Settings:
        """Settings of the network."""

        # The family's name.
        name: Literal["gated"] = "gated"
        # Channels at the picture's side; twice and four times as many at a half and at a quarter of it.
        width: Width = 32
        # How far apart the values are that the 3x3 of the innermost layers read, one layer each.
        dilations: Dilations = (2, 4, 8, 16)

    multiple = 4
    least = 4

    def __init__(self, settings: Settings, *, inputs: int, outputs: int) -> None:
        super().__init__()
        check_inputs_and_outputs(inputs=inputs, outputs=outputs)
        self.inputs, self.outputs, self.dilations = inputs, outputs, settings.dilations
        width = settings.width
        self.down = nn.Sequential(
            GatedConv2d(inputs, width, 5),
            GatedConv2d(width, 2 * width, 3, stride=2),
            GatedConv2d(2 * width, 2 * width, 3),
            GatedConv2d(2 * width, 4 * width, 3, stride=2),
        )
        spread = (1, 1, *settings.dilations, 1, 1)
        self.inner = nn.Sequential(*(GatedConv2d(4 * width, 4 * width, 3, dilation=dilation) for dilation in spread))
        self.up = nn.Sequential(
            nn.Upsample(scale_factor=2.0),
            GatedConv2d(4 * width, 2 * width, 3),
            GatedConv2d(2 * width, 2 * width, 3),
            nn.Upsample(scale_factor=2.0),
            GatedConv2d(2 * width, width, 3),
            GatedConv2d(width, max(1, width // 2), 3),
        )
        self.last = nn.Conv2d(max(1, width // 2), outputs, 3, padding=1)
        self.reach = reach_of(self._back, self.multiple)
        initialise_fan_in(self, self.last, slope=1.0)
        for layer in self.modules():
            if isinstance(layer, GatedConv2d):
                layer.weight.data[: layer.width].mul_(KEEP)

    def translate(self, images: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W] in [-1, 1]."""
        return to_pictures(self.last(self.up(self.inner(self.down(images)))))

    def _back(self, window: Window) -> Window:
        window = window.through_convolution(3)
        for _ in range(2):
            window = window.through_convolution(3).through_convolution(3).through_repeating(2)
        for dilation in self.dilations:
            window = window.through_convolution(3, dilation=dilation)
        for _ in range(4):  # the plain ones beside these
            window = window.through_convolution(3)
        window = window.through_convolution(3, stride=2).through_convolution(3)
        return window.through_convolution(3, stride=2).through_convolution(5)


class GatedConv2d(nn.Conv2d):
    """elu(features) * sigmoid(gates), both of one convolution. Section 3.1. [N, C, H, W] -> [N, width, H', W'].

    The first half of what the convolution makes are the features.
    """

    def __init__(self, before: int, width: int, kernel: int, *, stride: int = 1, dilation: int = 1) -> None:
        padding = (kernel - 1) // 2 * dilation
        super().__init__(before, 2 * width, kernel, stride, padding, dilation)
        self.width = width

    def forward(self, input: Tensor) -> Tensor:
        """The features as the gates let them through."""
        features, gates = super().forward(input).chunk(2, dim=1)
        return functional.elu(features) * torch.sigmoid(gates)
