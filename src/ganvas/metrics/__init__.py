"""Scores of pictures: feature extractors by name, and distances between sets of features."""

from pathlib import Path

from ganvas.core.parts import load
from ganvas.core.sizes import Size
from ganvas.metrics.extractors import Extractor, Say, silent
from ganvas.metrics.frechet import Statistics, frechet_distance, statistics

__all__ = [
    "EXTRACTORS",
    "Extractor",
    "Statistics",
    "choose",
    "choose_for_evaluation",
    "extractor",
    "frechet_distance",
    "statistics",
]

EXTRACTORS = {
    "pixels": "ganvas.metrics.extractors:PixelExtractor",
    "fashion": "ganvas.metrics.fashion:FashionExtractor",
    "imagenet": "ganvas.metrics.imagenet:ImagenetExtractor",
    "inception": "ganvas.metrics.inception:InceptionExtractor",
    "domain": "ganvas.metrics.domain:open_domain_extractor",
}


def extractor(
    name: str, channels: int, weights: Path | None = None, resize: str | None = None, say: Say = silent
) -> Extractor:
    """The extractor of a name, for pictures of so many channels.

    weights: a file to read them from; None is where they are kept, or fetched to, of which `say` is told. resize: by
    name; None is its own.
    Raises UsageError with the nearest names if there is none, or if it has no such choice; DataError if it cannot
    read such pictures, or its weights cannot be had.
    """
    made: Extractor = load(EXTRACTORS, name, "extractor")(channels, weights, resize, say)
    return made


def choose(channels: int, size: int | Size, name: str) -> str:
    """The extractor that scores during training take, for data of this name: it costs little."""
    return "fashion" if name == "fashion-mnist" and channels == 1 and size in (28, 32) else "pixels"


def choose_for_evaluation(channels: int, size: int | Size, name: str) -> str:
    """The extractor that an evaluation takes if none is named: ImageNet's features, where they can be had, see more.

    Fashion-MNIST has its own; without the weights of ImageNet it is pixels.
    """
    from ganvas.metrics.imagenet import find_weights

    if (chosen := choose(channels, size, name)) != "pixels":
        return chosen
    return "imagenet" if find_weights() else "pixels"
