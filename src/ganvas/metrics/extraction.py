"""Looking at many pictures: the next ones are made while some are looked at, and a long look says how long it takes."""

import time
from collections.abc import Iterable

import torch
from torch import Tensor

from ganvas.core.ahead import one_ahead
from ganvas.core.quantities import say_duration
from ganvas.metrics.extractors import Extractor, Say

_FIRST, _EVERY = 2.0, 30.0  # seconds before the first word, and from one to the next
_LONG = 10.0  # seconds left that are worth a word


class Progress:
    """Says of a long look how many there are, how fast it goes and how long it will take, now and then.

    count: how many there are; what: the word for them.
    """

    def __init__(self, count: int, what: str, say: Say) -> None:
        self._count, self._what, self._say = count, what, say
        self._done = 0
        self._started = self._told = time.monotonic()
        self._wait = _FIRST

    def add(self, count: int) -> None:
        """So many more were looked at."""
        self._done += count
        now = time.monotonic()
        spent = now - self._started
        left = spent / self._done * (self._count - self._done)
        if now - self._told < self._wait or left < _LONG:
            return
        self._told, self._wait = now, _EVERY
        speed = f"{self._done / spent:,.3g} a second"
        self._say(f"  {self._done:,} of {self._count:,} {self._what} seen, {speed}; about {say_duration(left)} left")


def features_of(extractor: Extractor, parts: Iterable[Tensor], count: int, say: Say) -> Tensor:
    """float32 [N, D] of `count` pictures that come in parts of uint8 [n, C, H, W], each made while one is looked at.

    say: is told, where that takes long, how long and how far it is.
    """
    progress = Progress(count, "pictures", say)
    features = []
    with torch.inference_mode():
        for part in one_ahead(parts):
            for batch in part.split(extractor.at_once):  # as the extractor would cut it, for the same bits
                features.append(extractor(batch))
                progress.add(len(batch))
    return torch.cat(features)
