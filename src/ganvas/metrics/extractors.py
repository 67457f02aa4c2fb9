"""Feature extractors: what a score sees of a picture.

An extractor maps uint8 pictures [N, C, H, W] to float32 features [N, D] on the pictures' device, and says of itself
what a score has to be reported with. Scores under different extractors, or under one name with other weights, another
layer or another resize, say nothing about each other.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.core.errors import DataError, UsageError

Say = Callable[[str], None]


def silent(_sentence: str) -> None:
    """Say nothing."""


class Extractor(Protocol):
    """What every extractor has; `__call__` raises DataError for pictures it cannot read."""

    @property
    def name(self) -> str:
        """The name a score is reported under."""

    @property
    def weights_sha256(self) -> str | None:
        """SHA-256 of the weights file; None where nothing was learned."""

    @property
    def layer(self) -> str:
        """Which activations the features are."""

    @property
    def resize(self) -> str:
        """The name of the resize before the network; "none" where there is none."""

    @property
    def dimensions(self) -> int:
        """D, the length of a feature vector."""

    @property
    def at_once(self) -> int:
        """How many pictures it works on at a time; `__call__` cuts longer batches up."""

    @property
    def protocol(self) -> dict[str, Any]:
        """What a score's protocol says of the extractor: all that has to agree before two may be compared."""

    def __call__(self, pictures: Tensor) -> Tensor:
        """uint8 [N, C, H, W] -> float32 [N, D]."""

    def logits(self, features: Tensor) -> Tensor | None:
        """Features [N, D] -> float32 logits [N, K] for the Inception-style score; None if it does not classify."""


class PictureReader:
    """What the extractors here share: the checks, batches, and exact float32 whatever the program around it has set.

    channels: C of the pictures it will be shown. A kind of extractor gives the attributes below and `_features`, and is
    opened with (channels, weights, resize, say): `say` is told, in sentences, of what it has to download.
    """

    name: str
    weights_sha256: str | None
    layer: str
    resize: str
    dimensions: int
    input: str  # how a picture is turned into what the network sees, for the record
    at_once = 250  # pictures in flight: for small networks about 17,000 a second on two cores; 1,000 ran at 10,000

    def __init__(self, channels: int) -> None:
        self.channels = channels

    @property
    def protocol(self) -> dict[str, Any]:
        """What a score's protocol says of the extractor: all that has to agree before two may be compared."""
        return {
            "extractor": self.name,
            "weights_sha256": self.weights_sha256,
            "layer": self.layer,
            "resize": self.resize,
            "input": self.input,
            "channels": self.channels,
        }

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        """uint8 [N, C, H, W] -> float32 [N, D]. Raises DataError for pictures it was not made for."""
        check_pictures(pictures, self.name)
        if pictures.shape[1] != self.channels:
            raise DataError(
                f"The {self.name} extractor was opened for pictures of {self.channels} channels, "
                f"not {pictures.shape[1]}: compare sets of the same channels"
            )
        self._check_size(*pictures.shape[2:])
        with exact_float32(pictures.device):
            return torch.cat([self._features(batch) for batch in pictures.split(self.at_once)])

    def logits(self, features: Tensor) -> Tensor | None:
        """None: these features are not a classifier's."""
        return None

    def _check_size(self, height: int, width: int) -> None:
        """Raise DataError for sizes that cannot be read; most read all."""

    def _features(self, batch: Tensor) -> Tensor:
        """uint8 [n, C, H, W] -> float32 [n, D], without gradients."""
        raise NotImplementedError


class PixelExtractor(PictureReader):
    """The picture itself, averaged over areas to 8 x 8 a channel and scaled to [0, 1]: needs no weights, fits anything.

    It sees layout, brightness and colour, not texture. channels: C of the pictures; D = 64 C.
    """

    name = "pixels"
    weights_sha256: str | None = None
    layer = "areas"
    resize = "area-8x8"
    input = "pixels / 255"

    def __init__(
        self, channels: int, weights: Path | None = None, resize: str | None = None, say: Say = silent
    ) -> None:
        refuse_choice(self.name, weights, resize)
        super().__init__(channels)
        self.dimensions = channels * 64

    def _features(self, batch: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(batch.float(), 8).flatten(1) / 255


COLOUR_INPUT = "grey repeated to 3 channels; alpha composited on white and rounded"


def to_colour(pictures: Tensor) -> Tensor:
    """uint8 pictures [N, 1 to 4, H, W] -> uint8 [N, 3, H, W], as COLOUR_INPUT says. Raises DataError for other C."""
    channels = pictures.shape[1]
    if not 1 <= channels <= 4:
        raise DataError(f"Pictures have 1 to 4 channels (grey, RGB, with or without alpha), not {channels}")
    if channels in (2, 4):
        shades, alpha = pictures[:, :-1].int(), pictures[:, -1:].int()
        pictures = ((shades * alpha + 255 * (255 - alpha) + 127) // 255).to(torch.uint8)
    return pictures if pictures.shape[1] == 3 else pictures.expand(-1, 3, -1, -1)


def check_pictures(pictures: Tensor, name: str) -> None:
    """Raise DataError, naming who refuses, unless pictures are uint8 [N, C, H, W] with at least one pixel."""
    if pictures.dtype != torch.uint8 or pictures.ndim != 4 or not pictures.numel():
        raise DataError(
            f"The {name} extractor reads uint8 pictures [N, C, H, W], N >= 1, "
            f"not {pictures.dtype} of shape {list(pictures.shape)}"
        )


def refuse_choice(name: str, weights: Path | None, resize: str | None) -> None:
    """Raise UsageError if weights or a resize were chosen for an extractor that has one of each, or none."""
    if weights is not None:
        raise UsageError(f"The {name} extractor reads no weights file: leave {weights} out")
    if resize is not None:
        raise UsageError(f"The {name} extractor has no resize to choose: leave {resize!r} out")


@contextmanager
def exact_float32(device: torch.device) -> Iterator[None]:
    """Full float32 inside: no autocast, no TensorFloat-32; a score must not depend on the training around it."""
    cudnn: Any = torch.backends.cudnn  # which gets its `conv` when it is imported
    parts = (torch.backends.cuda.matmul, cudnn.conv)
    before = [part.fp32_precision for part in parts]
    for part in parts:
        part.fp32_precision = "ieee"
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for part, precision in zip(parts, before, strict=True):
            part.fp32_precision = precision
