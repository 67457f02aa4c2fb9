"""The Inception v3 of 2015-12-05 that FID, KID and the Inception score are defined by.

Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision", figures 5 to 7 and table 1, as
TensorFlow published it: 1,008 classes, batch normalisation with epsilon 0.001, averages that do not count the padding,
and a maximum where the last block would average. Names are those of the weights file that people have.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.download import RemoteFile
from ganvas.metrics.extractors import COLOUR_INPUT, PictureReader, Say, silent, to_colour
from ganvas.metrics.resizing import check_name, resize
from ganvas.metrics.weights import PublishedWeights, filled, folded, read_state

_SOURCE = "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights"
_NAME = "pt_inception-2015-12-05-6726825d.pth"
PUBLISHED = PublishedWeights(
    folder="inception",
    file=RemoteFile(
        name=_NAME,
        url=f"{_SOURCE}/{_NAME}",
        size=95_628_359,
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    ),
    aliases=("weights-inception-2015-12-05-6726825d.pth",),
)
CLASSES = 1008
_SIDE, _EPS = 299, 1e-3


class InceptionExtractor(PictureReader):
    """The 2,048 values behind the last pooling; scores in these, and no others, may be called FID, KID and IS.

    Pictures are resized to 299 x 299 by "tf1-bilinear", as the first FID was computed, or "clean" (Parmar et al. 2022),
    then (x - 128) / 128. weights: the file, under any name; None is where people keep it, else a download of 96 MB,
    of which `say` is told. Raises DataError if it is not the published one, or cannot be had, and UsageError for
    another resize.
    """

    name = "inception"
    weights_sha256: str | None = PUBLISHED.file.sha256
    layer = "pool3"
    input = f"{COLOUR_INPUT}; (x - 128) / 128 at 299 x 299"
    dimensions = 2048
    at_once = 32  # 299 x 299 takes about 10 MB a picture on the way

    def __init__(
        self, channels: int, weights: Path | None = None, resize: str | None = None, say: Say = silent
    ) -> None:
        super().__init__(channels)
        self.resize = resize or "tf1-bilinear"
        check_name(self.resize)
        path = Path(weights) if weights is not None else PUBLISHED.find_or_fetch(say)
        advice = f"Take {_NAME} from {_SOURCE}/"
        state = folded(read_state(path, PUBLISHED.file.sha256, advice), _EPS)
        self._network = filled(Inception, state, str(path))

    def logits(self, features: Tensor) -> Tensor:
        """Features [N, 2048] -> logits [N, 1008] without the bias, as the Inception score has been computed with."""
        return features @ self._network.fc.weight.to(features.device).T

    def _features(self, batch: Tensor) -> Tensor:
        seen = resize(to_colour(batch).float(), _SIDE, self.resize)
        features: Tensor = self._network.to(batch.device)((seen - 128) / 128)
        return features


class Conv(nn.Module):
    """A convolution and a ReLU. kernel: its height and width, or one number for both."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, h, w]."""
        return functional.relu(self.conv(x), inplace=True)


def _average(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _maximum(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=1, padding=1)


class BlockA(nn.Module):
    """35 x 35: 1x1, 5x5, twice 3x3, and the average of the surroundings (figure 5)."""

    def __init__(self, inputs: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = Conv(inputs, 64, 1)
        self.branch5x5_1 = Conv(inputs, 48, 1)
        self.branch5x5_2 = Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Conv(inputs, 64, 1)
        self.branch3x3dbl_2 = Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Conv(96, 96, 3, padding=1)
        self.branch_pool = Conv(inputs, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, 224 + pooled, H, W]."""
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool(_average(x))], 1)


class BlockB(nn.Module):
    """35 x 35 to 17 x 17, by strided convolutions beside a maximum."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = Conv(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = Conv(inputs, 64, 1)
        self.branch3x3dbl_2 = Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Conv(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, inputs + 480, h, w]."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, functional.max_pool2d(x, 3, stride=2)], 1)


class BlockC(nn.Module):
    """17 x 17: 7x7 in two parts, 1x7 and 7x1, once and twice (figure 6). width: channels between them."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        row, column = ((1, 7), (0, 3)), ((7, 1), (3, 0))
        self.branch1x1 = Conv(inputs, 192, 1)
        self.branch7x7_1 = Conv(inputs, width, 1)
        self.branch7x7_2 = Conv(width, width, row[0], padding=row[1])
        self.branch7x7_3 = Conv(width, 192, column[0], padding=column[1])
        self.branch7x7dbl_1 = Conv(inputs, width, 1)
        self.branch7x7dbl_2 = Conv(width, width, column[0], padding=column[1])
        self.branch7x7dbl_3 = Conv(width, width, row[0], padding=row[1])
        self.branch7x7dbl_4 = Conv(width, width, column[0], padding=column[1])
        self.branch7x7dbl_5 = Conv(width, 192, row[0], padding=row[1])
        self.branch_pool = Conv(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, 768, H, W]."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_average(x))], 1)


class BlockD(nn.Module):
    """17 x 17 to 8 x 8, by strided convolutions beside a maximum."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = Conv(inputs, 192, 1)
        self.branch3x3_2 = Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Conv(inputs, 192, 1)
        self.branch7x7x3_2 = Conv(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Conv(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Conv(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, inputs + 512, h, w]."""
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([three, seven, functional.max_pool2d(x, 3, stride=2)], 1)


class BlockE(nn.Module):
    """8 x 8: 3x3 as 1x3 beside 3x1 (figure 7). pool: of the surroundings, 3 x 3 with stride 1."""

    def __init__(self, inputs: int, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.branch1x1 = Conv(inputs, 320, 1)
        self.branch3x3_1 = Conv(inputs, 384, 1)
        self.branch3x3_2a = Conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = Conv(inputs, 448, 1)
        self.branch3x3dbl_2 = Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = Conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = Conv(inputs, 192, 1)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, 2048, H, W]."""
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = [
            self.branch1x1(x),
            self.branch3x3_2a(three),
            self.branch3x3_2b(three),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(self.pool(x)),
        ]
        return torch.cat(parts, 1)


class Inception(nn.Module):
    """Colour pictures, float32 [N, 3, 299, 299] in [-1, 1] -> features [N, 2048]; `fc` is the classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = Conv(80, 192, 3)
        self.Mixed_5b = BlockA(192, 32)
        self.Mixed_5c = BlockA(256, 64)
        self.Mixed_5d = BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b = BlockC(768, 128)
        self.Mixed_6c = BlockC(768, 160)
        self.Mixed_6d = BlockC(768, 160)
        self.Mixed_6e = BlockC(768, 192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b = BlockE(1280, _average)
        self.Mixed_7c = BlockE(2048, _maximum)
        self.fc = nn.Linear(2048, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The features."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(functional.max_pool2d(x, 3, stride=2)))
        x = functional.max_pool2d(x, 3, stride=2)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean((2, 3))
