"""Two sets of pictures that belong together by their names: A/cat/1.png with B/cat/1.jpg."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ganvas.core.errors import DataError
from ganvas.core.sizes import Size
from ganvas.data.decode import Look, Unreadable, quiet_pillow
from ganvas.data.locating import locate, slug
from ganvas.data.source import Say, Source

_NAMED = 3  # pictures that a message names


@dataclass(frozen=True)
class Pairs:
    """Pictures of two sets in pairs, read when they are asked for.

    names: of the pairs. indexes: of their pictures on both sides; looks: at those pictures' headers. channels: 1 if all
    are grey, else 3.
    """

    names: tuple[str, ...]
    sides: tuple[Source, Source]
    indexes: tuple[tuple[int, int], ...]
    looks: tuple[tuple[Look, Look], ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def titles(self) -> tuple[str, str]:
        """The two sets' names."""
        return slug(self.sides[0].name), slug(self.sides[1].name)

    @property
    def channels(self) -> int:
        """Of all pictures, when they are read."""
        return max(look.channels for looks in self.looks for look in looks)

    def shape(self, number: int) -> tuple[int, int]:
        """Height and width of the pictures of a pair, as they are kept, perhaps not upright.

        Raises DataError if the two cannot be of one size however they are turned.
        """
        a, b = ((look.height, look.width) for look in self.looks[number])
        if sorted(a) != sorted(b):
            raise self._unlike(number, a, b)
        return a

    def pair(self, number: int, size: Size | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Both pictures, uint8 [C, H, W], upright; size: what their centres are brought to, None as they are.

        Raises DataError if one cannot be read, or they are of unlike sizes.
        """
        with _reading(self.names[number]):
            places = list(zip(self.sides, self.indexes[number], strict=True))
            if size is None:
                a, b = (side.whole(index, self.channels) for side, index in places)
            else:
                a, b = (self._fitted(side, index, size) for side, index in places)
        if a.shape != b.shape:
            raise self._unlike(number, a.shape[1:], b.shape[1:])
        return a, b

    def _fitted(self, side: Source, index: int, size: Size) -> np.ndarray:
        found = side.fit(range(index, index + 1), size, self.channels, 1)
        if found.aside:
            raise Unreadable(found.aside[0].reason)
        return found.images[0]

    def _unlike(self, number: int, a: tuple[int, ...], b: tuple[int, ...]) -> DataError:
        return DataError(
            f"The two of the pair {self.names[number]} are {a[1]} x {a[0]} and {b[1]} x {b[0]} pixels: they are "
            "compared pixel by pixel. Bring them to one size first, or give --size N, or --size WxH"
        )


@contextmanager
def open_pairs(a: str | Path, b: str | Path, say: Say) -> Iterator[Pairs]:
    """The pairs of two folders or zips; within the block, which belongs to the main thread, they can be read.

    Raises DataError for a picture without partner and for one that cannot be read.
    """
    left = locate(a, say)
    try:
        right = locate(b, say)
        try:
            with quiet_pillow():
                yield _paired(left, right, (str(a), str(b)))
        finally:
            right.close()
    finally:
        left.close()


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except Unreadable as why:
        raise DataError(f"A picture of the pair {name} {why}: put it right, or take both away") from None


def _paired(a: Source, b: Source, written: tuple[str, str]) -> Pairs:
    ours, theirs = (
        by_name(((index, pair_name(side.title(index))) for index in range(len(side))), where)
        for side, where in zip((a, b), written, strict=True)
    )
    refuse_lonely(ours, theirs, written)
    names = tuple(sorted(ours))
    indexes = tuple((ours[name], theirs[name]) for name in names)
    looks = []
    for name, (left, right) in zip(names, indexes, strict=True):
        with _reading(name):
            looks.append((a.look(left), b.look(right)))
    return Pairs(names, (a, b), indexes, tuple(looks))


def pair_name(path: str) -> str:
    """What the two pictures of a pair have in common: the path without its ending, however its letters are composed."""
    return unicodedata.normalize("NFC", str(PurePosixPath(path).with_suffix("")))


def by_name(pictures: Iterable[tuple[int, str]], where: str) -> dict[str, int]:
    """Indexes of one side's pictures by the names of their pairs. Raises DataError for two of one name."""
    found: dict[str, int] = {}
    for index, name in pictures:
        if name in found:
            raise DataError(f"{where} has two pictures called {name}, and a pair has one on each side: rename one")
        found[name] = index
    return found


def refuse_lonely(ours: Mapping[str, int], theirs: Mapping[str, int], written: tuple[str, str]) -> None:
    """Raises DataError for pictures of one side that have no partner on the other. written: the two places."""
    for mine, other, where in ((ours, theirs, written[1]), (theirs, ours, written[0])):
        if alone := sorted(mine.keys() - other.keys()):
            more = f" and {len(alone) - _NAMED:,} more" if len(alone) > _NAMED else ""
            raise DataError(
                f"{where} has no partner for {', '.join(alone[:_NAMED])}{more}: pictures of a pair have the same path "
                "and name, whatever its ending. Add what is missing, or take away what it would belong to"
            )
