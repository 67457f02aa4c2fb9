"""Two sets of pictures that belong together by their names: A/cat/1.png with B/cat/1.jpg."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ganvas.core.errors import DataError
from ganvas.data.decode import Unreadable, quiet_pillow
from ganvas.data.locating import locate, slug
from ganvas.data.source import Say, Source

_NAMED = 3  # pictures that a message names


@dataclass(frozen=True)
class Pairs:
    """Pictures of two sets in pairs, read when they are asked for.

    names: of the pairs. channels: 1 if all are grey, else 3: a grey picture is then compared as a colour one.
    """

    names: tuple[str, ...]
    channels: int
    sides: tuple[Source, Source]
    indexes: tuple[tuple[int, ...], tuple[int, ...]]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def titles(self) -> tuple[str, str]:
        """The two sets' names."""
        return slug(self.sides[0].name), slug(self.sides[1].name)

    def shape(self, number: int) -> tuple[int, int]:
        """Height and width of both pictures of a pair. Raises DataError if they differ, or cannot be read."""
        with self._reading(number):
            looks = [side.look(of[number]) for side, of in zip(self.sides, self.indexes, strict=True)]
        (a, b) = ((look.height, look.width) for look in looks)
        if a != b:
            raise DataError(
                f"The two of the pair {self.names[number]} are {a[1]} x {a[0]} and {b[1]} x {b[0]} pixels: they are "
                "compared pixel by pixel. Bring them to one size first, or give --size N"
            )
        return a

    def pair(self, number: int, size: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Both pictures, uint8 [C, H, W]; size: their centre squares at so many pixels, None as they are.

        Raises DataError if one cannot be read.
        """
        with self._reading(number):
            places = [(side, of[number]) for side, of in zip(self.sides, self.indexes, strict=True)]
            if size is None:
                a, b = (side.whole(index, self.channels) for side, index in places)
            else:
                a, b = (self._fitted(side, index, size) for side, index in places)
        return a, b

    def _fitted(self, side: Source, index: int, size: int) -> np.ndarray:
        found = side.fit(range(index, index + 1), size, self.channels, 1)
        if found.aside:
            raise Unreadable(found.aside[0].reason)
        return found.images[0]

    @contextmanager
    def _reading(self, number: int) -> Iterator[None]:
        try:
            with quiet_pillow():
                yield
        except Unreadable as why:
            raise DataError(
                f"A picture of the pair {self.names[number]} {why}: put it right, or take both away"
            ) from None


@contextmanager
def open_pairs(a: str | Path, b: str | Path, say: Say) -> Iterator[Pairs]:
    """The pairs of two folders or zips; within the block they can be read. Raises DataError for one without partner."""
    left = locate(a, say)
    try:
        right = locate(b, say)
        try:
            yield _paired(left, right, (str(a), str(b)))
        finally:
            right.close()
    finally:
        left.close()


def _paired(a: Source, b: Source, written: tuple[str, str]) -> Pairs:
    held = [_by_name(side, where) for side, where in zip((a, b), written, strict=True)]
    for mine, other, where in ((held[0], held[1], written[1]), (held[1], held[0], written[0])):
        if alone := sorted(mine.keys() - other.keys()):
            more = f" and {len(alone) - _NAMED:,} more" if len(alone) > _NAMED else ""
            raise DataError(
                f"{where} has no partner for {', '.join(alone[:_NAMED])}{more}: pictures of a pair have the same path "
                "and name, whatever its ending"
            )
    names = tuple(sorted(held[0]))
    kinds = {side.look(index).channels for side, of in zip((a, b), held, strict=True) for index in _readable(side, of)}
    indexes = tuple(tuple(of[name] for name in names) for of in held)
    return Pairs(names, max(kinds, default=3), (a, b), (indexes[0], indexes[1]))


def _readable(side: Source, of: dict[str, int]) -> Iterator[int]:
    """Indexes of pictures whose headers can be read."""
    for index in of.values():
        try:
            side.look(index)
        except Unreadable:
            continue
        yield index


def _by_name(side: Source, where: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for index in range(len(side)):
        name = str(PurePosixPath(side.title(index)).with_suffix(""))
        if name in found:
            raise DataError(f"{where} has two pictures called {name}, and a pair has one on each side: rename one")
        found[name] = index
    return found
