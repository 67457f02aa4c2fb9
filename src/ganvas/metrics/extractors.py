"""Feature extractors: what a score sees of a picture.

An extractor has a name, the SHA-256 of its weights (None if it has none) and a length of feature vector, and maps
uint8 pictures [N, C, H, W] to float32 features [N, D] on the pictures' device. Scores under different extractors,
or under one name with different weights, say nothing about each other.
"""

import functools
import hashlib
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional

from ganvas.core.errors import DataError
from ganvas.metrics import fashion

_BATCH = 250  # pictures in flight: about 17,000 a second on two cores; 1,000 at a time ran at 10,000


class Extractor(Protocol):
    """What every extractor has; `__call__` raises DataError for pictures it cannot read."""

    @property
    def name(self) -> str:
        """The name a score is reported under."""

    @property
    def weights_sha256(self) -> str | None:
        """SHA-256 of the weights file; None where nothing was learned."""

    @property
    def dimensions(self) -> int:
        """D, the length of a feature vector."""

    def __call__(self, pictures: Tensor) -> Tensor:
        """uint8 [N, C, H, W] -> float32 [N, D]."""


class PixelExtractor:
    """The picture itself, averaged over areas to 8 x 8 a channel and scaled to [0, 1]: needs no weights, fits anything.

    It sees layout, brightness and colour, not texture. channels: C of the pictures; D = 64 C.
    """

    name = "pixels"
    weights_sha256: str | None = None

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.dimensions = channels * 64

    def __call__(self, pictures: Tensor) -> Tensor:
        """uint8 [N, C, H, W] -> float32 [N, 64 C]. Raises DataError for another number of channels."""
        _check(pictures, self.name)
        if pictures.shape[1] != self.channels:
            raise DataError(f"These features are of {self.channels} channels a picture, not {pictures.shape[1]}")
        pooled = [functional.adaptive_avg_pool2d(batch.float(), 8).flatten(1) / 255 for batch in pictures.split(_BATCH)]
        return torch.cat(pooled)


class FashionExtractor:
    """The last hidden layer, 128 values, of a small classifier of Fashion-MNIST that is shipped with the package.

    It reads grey pictures of 28 x 28, or of 32 x 32 with a border of 2 that is cut off. Raises DataError if the
    weights are not those this version was made with.
    """

    name = "fashion"
    weights_sha256: str | None = fashion.WEIGHTS_SHA256
    dimensions = fashion.DIMENSIONS

    def __init__(self, channels: int = 1) -> None:
        if channels != 1:
            raise DataError(f"The fashion extractor reads grey pictures, not pictures of {channels} channels")
        self._classifier = _fashion_classifier()

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        """uint8 [N, 1, 28 or 32, the same] -> float32 [N, 128]. Raises DataError for other pictures."""
        _check(pictures, self.name)
        _, channels, height, width = pictures.shape
        if channels != 1 or (height, width) not in ((28, 28), (32, 32)):
            raise DataError(
                f"The fashion extractor reads grey pictures of 28 x 28 or 32 x 32, "
                f"not {width} x {height} with {channels} channels"
            )
        border = (height - 28) // 2
        pictures = pictures[:, :, border : height - border, border : width - border]
        classifier = self._classifier.to(pictures.device)
        return torch.cat([classifier(batch.float() / 255) for batch in pictures.split(_BATCH)])


def choose(channels: int, size: int, name: str) -> str:
    """The extractor that `auto` takes for data of this name, with square pictures of so many channels and pixels."""
    return "fashion" if name == "fashion-mnist" and channels == 1 and size in (28, 32) else "pixels"


def _check(pictures: Tensor, name: str) -> None:
    if pictures.dtype != torch.uint8 or pictures.ndim != 4 or not len(pictures):
        raise DataError(
            f"The {name} extractor reads uint8 pictures [N, C, H, W], N >= 1, "
            f"not {pictures.dtype} of shape {list(pictures.shape)}"
        )


@functools.cache
def _fashion_classifier() -> fashion.FashionClassifier:
    return load_classifier(Path(__file__).with_name("weights") / fashion.WEIGHTS)


def load_classifier(path: Path) -> fashion.FashionClassifier:
    """The classifier of Fashion-MNIST with the weights in a file, in float32.

    Raises DataError if the file's SHA-256 is not the one this version was made with.
    """
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != fashion.WEIGHTS_SHA256:
        raise DataError(
            f"{path} is not the file that the fashion extractor was made with: its scores would mean something else.\n"
            "Install ganvas again"
        )
    classifier = fashion.FashionClassifier().eval().requires_grad_(False)
    classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from its signatures
    classifier.load_state_dict(load(content))
    return classifier
