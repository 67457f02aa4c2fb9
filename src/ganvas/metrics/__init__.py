"""Scores of pictures: feature extractors by name, and distances between sets of features."""

from ganvas.core.parts import load
from ganvas.metrics.extractors import Extractor, choose
from ganvas.metrics.frechet import Statistics, frechet_distance, statistics

__all__ = ["EXTRACTORS", "Extractor", "Statistics", "choose", "extractor", "frechet_distance", "statistics"]

EXTRACTORS = {
    "pixels": "ganvas.metrics.extractors:PixelExtractor",
    "fashion": "ganvas.metrics.extractors:FashionExtractor",
}


def extractor(name: str, channels: int) -> Extractor:
    """The extractor of a name, for pictures of so many channels.

    Raises UsageError with the nearest names if there is none, DataError if it cannot read such pictures.
    """
    made: Extractor = load(EXTRACTORS, name, "extractor")(channels)
    return made
