"""Decoding a source once, with several threads, in bounded memory; the threads change nothing but the speed."""

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ganvas.core.errors import MemoryExhausted
from ganvas.core.sizes import Size
from ganvas.data.report import SetAside, counted
from ganvas.data.source import Fitted, Say, Source

BLOCK_BYTES = 2 * 2**20  # decoded pixels that a thread hands over at once
BLOCK_PICTURES = 64
AHEAD_BYTES = 256 * 2**20  # decoded pixels that may wait for their turn
MAX_THREADS = 16
_TELL_SECONDS = 10.0

T = TypeVar("T")


@dataclass(frozen=True)
class Wish:
    """How a source is to be decoded. smallest: pictures with a shorter side, in pixels, are set aside."""

    size: Size
    channels: int
    smallest: int
    threads: int

    @property
    def picture_bytes(self) -> int:
        """What one decoded picture takes."""
        return self.channels * self.size.area


@dataclass(frozen=True)
class Decoded:
    """All readable pictures of a source. kept: their indexes in it, int64 [N]. pixels: SHA-256 of the images."""

    images: np.ndarray
    kept: np.ndarray
    aside: tuple[SetAside, ...]
    pixels: str


def own_threads() -> int:
    """As many threads as this process has processors, within reason."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(available, MAX_THREADS)


def in_order(work: Callable[[range], T], parts: Iterable[range], threads: int, most: int) -> Iterator[T]:
    """What `work` gives for each of some ranges, in order; few are ahead at any time.

    most: indexes that may be ahead, where more than one range is.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        ahead: deque[tuple[int, Future[T]]] = deque()
        try:
            for part in parts:
                while len(ahead) > 2 * threads or (ahead and sum(size for size, _ in ahead) + len(part) > most):
                    yield ahead.popleft()[1].result()
                ahead.append((len(part), pool.submit(work, part)))
            while ahead:
                yield ahead.popleft()[1].result()
        finally:
            for _, waiting in ahead:
                waiting.cancel()


def blocks(source: Source, wish: Wish, say: Say) -> Iterator[Fitted]:
    """The source's pictures in order, some at a time; says how far it is when that takes long."""
    source.begin()
    parts = list(source.parts(max(1, min(BLOCK_PICTURES, BLOCK_BYTES // wish.picture_bytes))))
    told = time.monotonic()

    def work(indexes: range) -> Fitted:
        return source.fit(indexes, wish.size, wish.channels, wish.smallest)

    decoded = in_order(work, parts, wish.threads, AHEAD_BYTES // wish.picture_bytes)
    for part, block in zip(parts, decoded, strict=True):
        yield block
        if time.monotonic() - told > _TELL_SECONDS:
            told = time.monotonic()
            say(f"  {part.stop:,} of {counted(len(source), source.unit)} decoded")


def decode_into_memory(source: Source, wish: Wish, say: Say) -> Decoded:
    """Decode all pictures into one array. Raises MemoryExhausted when there is no room for it."""
    shape = (len(source), wish.channels, *wish.size.hw)
    kept: list[int] = []
    aside: list[SetAside] = []
    digest = hashlib.sha256()
    try:
        images = np.empty(shape, np.uint8)
        for block in blocks(source, wish, say):
            images[len(kept) : len(kept) + len(block.kept)] = block.images
            digest.update(np.ascontiguousarray(block.images).data)
            kept += block.kept
            aside += block.aside
    except MemoryError:
        raise MemoryExhausted(
            f"There is no room in memory for {counted(shape[0], source.unit)} of {wish.size.words}: {source.less}."
        ) from None
    return Decoded(images[: len(kept)], np.array(kept, np.int64), tuple(aside), digest.hexdigest())
