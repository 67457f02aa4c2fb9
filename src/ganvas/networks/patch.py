"""PatchGAN: a discriminator that judges every patch of a picture. Isola et al. 2017, section 3.2.2."""

import itertools
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from ganvas.core.errors import UsageError
from ganvas.core.settings import settings
from ganvas.networks.layers import SpectralConv2d, Width, initialise_fan_in
from ganvas.networks.normalising import initialise_normed, norm_of
from ganvas.networks.translating import check_inputs_and_outputs

SLOPE = 0.2


class PatchDiscriminator(nn.Module):
    """4x4 convolutions, of stride 2 and in the end of stride 1, down to one logit for each patch. Appendix 6.1.2.

    Pictures of any size from `smallest` pixels a side. patch: pixels a side that a logit sees, 16, 34, 70, 142, 286
    with 1 to 5 layers. For 6 channels (a picture and its translation beside it) with 70 pixels and batch normalisation:
    2,768,705 parameters. Raises UsageError for impossible channels or widths.
    """

    @settings
    class Settings:
        """Settings of the discriminator."""

        # The family's name.
        name: Literal["patch"] = "patch"
        # Channels at half the picture's side; they double with each halving of the side, and once more after them.
        width: Width = 64
        # Channels never exceed this.
        max_width: Width = 512
        # Convolutions that halve the sides; 3 see patches of 70 pixels.
        layers: Annotated[int, Field(ge=1, le=6)] = 3
        # After each convolution but the first and the last: "batch" normalisation as in pix2pix, "instance" as in
        # CycleGAN; "spectral" norm of every weight; or "none" (He's first weights), which R1 and R2 want.
        norm: Literal["batch", "instance", "spectral", "none"] = "batch"

    def __init__(self, settings: Settings, *, inputs: int) -> None:
        super().__init__()
        check_inputs_and_outputs(inputs=inputs)
        if settings.width > settings.max_width:
            raise UsageError(
                f"patch's width {settings.width} is above its max_width {settings.max_width}: raise max_width too"
            )
        self.inputs, self.halvings = inputs, settings.layers
        self.smallest = 3 * 2**settings.layers  # each of the last two convolutions takes one value off a side
        self.patch = 9 * 2**settings.layers - 2
        norm = settings.norm
        widths = [min(settings.max_width, settings.width * 2**index) for index in range(settings.layers + 1)]
        layers: list[nn.Module] = []
        for index, pair in enumerate(itertools.pairwise([inputs, *widths])):
            stride = 1 if index == settings.layers else 2
            normed = norm in ("batch", "instance") and index > 0
            layers.append(_convolution(*pair, stride, norm, bias=not (normed and norm == "batch")))
            if normed:
                layers.append(norm_of(norm, pair[1]))
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        last = _convolution(widths[-1], 1, 1, norm, bias=True)
        self.layers = nn.Sequential(*layers, last)
        if norm == "none":
            initialise_fan_in(self, last, SLOPE)
        elif norm != "spectral":
            initialise_normed(self)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, inputs, H, W] -> logits [N, 1, h, w], h = H // 2^layers - 2; labels are not read.

        Raises UsageError for pictures that are too small.
        """
        height, width = images.shape[2:]
        if min(height, width) < self.smallest:
            raise UsageError(
                f"patch with {self.halvings} layers judges pictures from {self.smallest} pixels a side, not "
                f"{width}x{height}: set fewer layers, or take larger pictures"
            )
        return self.layers(images)


def _convolution(before: int, after: int, stride: int, norm: str, *, bias: bool) -> nn.Conv2d:
    if norm == "spectral":
        return SpectralConv2d(before, after, 4, stride, 1)
    return nn.Conv2d(before, after, 4, stride, 1, bias=bias)
