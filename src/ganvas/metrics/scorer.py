"""The score in training: how far generated pictures are from the data, in features that fit the data."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from ganvas.core.evenly import evenly
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.frechet import frechet_distance, statistics
from ganvas.metrics.protocol import Protocol

_REFERENCE = 10_000  # real pictures that the statistics are taken from, evenly spread over the data
_AT_ONCE = 500


class Scorer:
    """The Fréchet distance (Heusel et al. 2017, equation 6) to a data set, in a named extractor's features.

    Pictures are looked at part by part, so that memory is taken by features alone.
    """

    def __init__(self, extract: Extractor, pictures: np.ndarray, data: str = "", fingerprint: str = "") -> None:
        """pictures: uint8 [N, C, H, W] of the data, N >= 2, perhaps a mapped file. data, fingerprint: which data."""
        self._extract = extract
        self.name = f"fd-{self._extract.name}"
        self._data, self._fingerprint, self._of = data, fingerprint, len(pictures)
        spread = evenly(len(pictures), _REFERENCE)
        parts = (spread[start : start + _AT_ONCE] for start in range(0, len(spread), _AT_ONCE))
        self._real = statistics(self._features(torch.from_numpy(np.ascontiguousarray(pictures[p])) for p in parts))

    def __call__(self, parts: Iterable[Tensor]) -> float:
        """The distance of pictures, in parts of uint8 [n, C, H, W], from the data; 0 is the best."""
        return frechet_distance(statistics(self._features(parts)), self._real)

    def protocol(self, count: int, seeds: str) -> Protocol:
        """How a score of so many pictures of these seeds comes to be."""
        return Protocol(
            metric="fd",
            **self._extract.protocol,
            fit="as they are",
            count=count,
            reference=self._data,
            reference_sha256=self._fingerprint,
            reference_part="all" if self._real.count == self._of else f"{self._real.count:,} of {self._of:,}, evenly",
            reference_count=self._real.count,
            seeds=seeds,
        )

    def _features(self, parts: Iterable[Tensor]) -> Tensor:
        with torch.inference_mode():
            return torch.cat([self._extract(part) for part in parts])
