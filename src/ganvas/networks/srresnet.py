"""SRResNet, for larger pictures. Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a GAN"."""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.settings import settings
from ganvas.networks.enlarging import TOUCH, Enlargement, check_enlargement, enlarged
from ganvas.networks.layers import Width, initialise_fan_in
from ganvas.networks.translating import Translator, Window, check_inputs_and_outputs, in_full, reach_of

SLOPE = 0.2
BEGIN = 0.1  # of their usual size: a block's last weights


class SRResNet(Translator):
    """3x3, residual blocks, 3x3 added to the first maps, pixel shuffles, 3x3. Figure 4.

    Without batch normalisation, whose statistics of small patches do harm (Lim et al. 2017, section 3.1; Wang et al.
    2018, section 3.1); 3x3 for the paper's 9x9, LeakyReLU 0.2 for its PReLU. At x4, for colour: 1,517,571 parameters.
    What it makes is about [-1, 1] and is cut off when it is written. Raises UsageError for impossible channels, and for
    an enlargement to other channels.
    """

    @settings
    class Settings:
        """Settings of the network."""

        # The family's name.
        name: Literal["srresnet"] = "srresnet"
        # How many times larger.
        scale: Literal[2, 3, 4] = 4
        # Channels.
        width: Width = 64
        # Residual blocks.
        blocks: Annotated[int, Field(ge=1, le=64)] = 16
        # What the network's part is added to: "bicubic" or "bilinear" enlargement, with which it begins where these
        # are, and only the details are left to learn; or "none", as in the paper.
        enlargement: Enlargement = "bicubic"

    def __init__(self, settings: Settings, *, inputs: int, outputs: int) -> None:
        super().__init__()
        check_inputs_and_outputs(inputs=inputs, outputs=outputs)
        self.inputs, self.outputs, self.scale, self.enlargement = inputs, outputs, settings.scale, settings.enlargement
        check_enlargement("srresnet", settings.enlargement, inputs, outputs)
        width = settings.width
        self.first = nn.Conv2d(inputs, width, 3, padding=1)
        blocks = [PlainBlock(width) for _ in range(settings.blocks)]
        self.blocks = nn.Sequential(*blocks)
        self.joined = nn.Conv2d(width, width, 3, padding=1)
        self.factors = [3] if settings.scale == 3 else [2] * (settings.scale // 2)
        self.up = nn.Sequential(*(ShuffleUp(width, factor) for factor in self.factors))
        self.last = nn.Conv2d(width, outputs, 3, padding=1)
        self.reach = reach_of(self._back, period=1, scale=self.scale)
        initialise_fan_in(self, self.last, SLOPE)
        for block in blocks:
            block.second.weight.data.mul_(BEGIN)
        if self.enlargement != "none":
            self.last.weight.data.mul_(TOUCH)

    def translate(self, images: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H * scale, W * scale], about [-1, 1]."""
        first = functional.leaky_relu(self.first(images), SLOPE)
        maps = first + self.joined(self.blocks(first))
        made = in_full(self.last(self.up(maps)))
        return made if self.enlargement == "none" else made + enlarged(images, self.scale, self.enlargement)

    def _back(self, window: Window) -> Window:
        window = window.through_convolution(3)
        for factor in self.factors:
            window = window.through_repeating(factor).through_convolution(3)
        for _ in range(2 * len(self.blocks) + 2):
            window = window.through_convolution(3)
        return window


class PlainBlock(nn.Module):
    """maps + 3x3, LeakyReLU, 3x3: [N, C, H, W] -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, maps: Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        return maps + self.second(functional.leaky_relu(self.first(maps), SLOPE))


class ShuffleUp(nn.Sequential):
    """3x3, pixel shuffle (Shi et al. 2016), LeakyReLU: [N, C, H, W] -> [N, C, H * factor, W * factor]."""

    def __init__(self, width: int, factor: int) -> None:
        super().__init__(
            nn.Conv2d(width, width * factor**2, 3, padding=1),
            nn.PixelShuffle(factor),
            nn.LeakyReLU(SLOPE, inplace=True),
        )
