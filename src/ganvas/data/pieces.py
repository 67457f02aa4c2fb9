"""Pieces of pictures at several scales: what a network that takes pictures of any size is trained on.

A network from pictures to pictures sees a small part of a photograph at a time, and a photograph made smaller is one
more photograph, with more in a part of it (as in the multi-scale training set of Real-ESRGAN, Wang et al. 2021,
section 4.1). So a picture is brought to each scale once, and cut into as few pieces of one size as cover it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import ClassVar, Self

import numpy as np

from ganvas.core.errors import DataError, UsageError
from ganvas.core.sizes import Size
from ganvas.data.decode import BIG_PIXELS, Look, Unreadable, big_turn, quiet_pillow
from ganvas.data.fit import resized
from ganvas.data.locating import no_picture
from ganvas.data.report import SetAside, counted, reasons
from ganvas.data.source import Fitted, Say, Source, signature_of


@dataclass(frozen=True, slots=True)
class Grid:
    """The pieces of a picture that is brought to a scale: the upper left pixel of each."""

    scale: float
    tops: list[int]
    lefts: list[int]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.tops) * len(self.lefts)


def checked_scales(scales: Sequence[float]) -> tuple[float, ...]:
    """Scales as a source of pieces takes them. Raises UsageError for what cannot be."""
    if not all(0 < scale <= 1 for scale in scales) or len(set(scales)) < len(scales):
        told = ", ".join(f"{scale:g}" for scale in scales)
        raise UsageError(f"scales {told}: give parts of the pictures' sides above 0 and up to 1, each once")
    return tuple(map(float, scales))


def starts(length: int, piece: int) -> list[int]:
    """Where as few pieces as cover a length begin, evenly spread from end to end; [] where it is less than one."""
    if length < piece:
        return []
    gaps = -(-length // piece) - 1
    return [place * (length - piece) // max(1, gaps) for place in range(gaps + 1)]


def grids_of(whole: Size, size: Size, scales: Sequence[float]) -> list[Grid]:
    """The pieces of a picture at each scale; they are numbered scale after scale, row after row."""
    scaled = [_at(whole, scale) for scale in scales]
    return [
        Grid(scale, starts(one.height, size.height), starts(one.width, size.width))
        for scale, one in zip(scales, scaled, strict=True)
    ]


def _count(whole: Size, size: Size, scales: Sequence[float]) -> int:
    return sum(grid.count for grid in grids_of(whole, size, scales))


def _at(whole: Size, scale: float) -> Size:
    return Size(max(1, round(whole.height * scale)), max(1, round(whole.width * scale)))


@dataclass(frozen=True, kw_only=True)
class PieceSource(Source):
    """The pieces of another source's pictures; each picture is decoded once for all its pieces.

    pictures: that source. sizes: of its pictures, by their headers. size: of a piece.
    groups: int64 [N], the picture in `pictures` that each row is a piece of. places: int64 [N], which of its pieces.
    """

    unit: ClassVar[str] = "piece"
    less: ClassVar[str] = "take fewer pictures or scales"

    pictures: Source
    sizes: Sequence[Size]
    size: Size
    scales: tuple[float, ...]
    groups: np.ndarray
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.groups)

    def title(self, index: int) -> str:
        """The name of the picture that a piece is of."""
        return self.pictures.title(self.groups[index])

    def some(self, indexes: np.ndarray) -> Self:
        """With the same pictures."""
        return replace(
            self,
            groups=self.groups[indexes],
            places=self.places[indexes],
            labels=self._some_labels(indexes),
            signature=signature_of([self.signature, indexes.tolist()]),
        )

    def set_aside(self, index: int, why: Exception) -> list[SetAside]:
        """A picture, once for all its pieces: with the first of them."""
        first = index == np.searchsorted(self.groups, self.groups[index])
        return self.pictures.set_aside(int(self.groups[index]), why) if first else []

    def files(self, indexes: np.ndarray) -> int:
        """The pictures' files."""
        return self.pictures.files(np.unique(self.groups[indexes]))

    def parts(self, most: int) -> Iterator[range]:
        """All pieces of a picture at once; of several pictures together as many as have `most` pieces."""
        start = 0
        ends = [*(np.flatnonzero(np.diff(self.groups)) + 1).tolist(), len(self)]
        for end, following in zip(ends, [*ends[1:], math.inf], strict=True):
            if following - start > most:
                yield range(start, end)
                start = end

    def look(self, index: int) -> Look:
        """The header of its picture, with the size of a piece."""
        return replace(self.pictures.look(self.groups[index]), width=self.size.width, height=self.size.height)

    def fit(self, indexes: range, size: Size, channels: int, smallest: int) -> Fitted:
        """Cut pieces, which are of the wanted size already and large enough."""
        images = np.empty((len(indexes), channels, *size.hw), np.uint8)
        kept: list[int] = []
        aside: list[SetAside] = []
        for picture, rows in groupby(indexes, lambda index: int(self.groups[index])):
            wanted = list(rows)
            try:
                self._cut(picture, self.places[wanted], images[len(kept) : len(kept) + len(wanted)])
                kept += wanted
            except Unreadable as why:
                aside += self.set_aside(wanted[0], why)
        return Fitted(images[: len(kept)], kept, aside)

    def _cut(self, picture: int, places: np.ndarray, out: np.ndarray) -> None:
        """Some pieces of a picture, into uint8 [n, channels, h, w]. Raises Unreadable."""
        told = self.sizes[picture]
        with big_turn(told.area, BIG_PIXELS):
            whole = self.pictures.whole(picture, out.shape[1])
            grids = grids_of(Size(*whole.shape[1:]), self.size, self.scales)
            if sum(grid.count for grid in grids) != _count(told, self.size, self.scales):
                raise Unreadable("is of another size than its header says: save it anew")
            first = row = 0
            for grid in grids:
                wanted = places[(first <= places) & (places < first + grid.count)] - first
                scaled = self._scaled(whole, grid.scale) if len(wanted) else whole
                for place in wanted.tolist():
                    top, left = grid.tops[place // len(grid.lefts)], grid.lefts[place % len(grid.lefts)]
                    out[row] = scaled[:, top : top + self.size.height, left : left + self.size.width]
                    row += 1
                first += grid.count

    def _scaled(self, whole: np.ndarray, scale: float) -> np.ndarray:
        if scale == 1:
            return whole
        size = _at(Size(*whole.shape[1:]), scale)
        return np.concatenate([resized(one, size) for one in np.split(whole, self.pictures.together)])

    def fitting(self, size: Size, alike: bool) -> str:
        """The pieces' scales."""
        return f"pieces at {', '.join(f'{scale:g}' for scale in self.scales)} of the pictures' sides, by Lanczos"

    def whole(self, index: int, channels: int) -> np.ndarray:
        """One piece."""
        piece = np.empty((1, channels, *self.size.hw), np.uint8)
        self._cut(int(self.groups[index]), self.places[index : index + 1], piece)
        return piece[0]

    def begin(self) -> None:
        """As its pictures do."""
        self.pictures.begin()

    def close(self) -> None:
        """Close the pictures' files."""
        self.pictures.close()


def in_pieces(source: Source, size: Size, scales: tuple[float, ...], say: Say) -> PieceSource:
    """A source's pictures in pieces of a size, told from their headers; pictures without a piece are set aside.

    scales: as `checked_scales` gives them. Raises DataError when no picture has a piece.
    """
    sizes, aside, readable = _measured(source, size, scales)
    if not sizes:
        raise _too_small(source, size, aside) if readable else no_picture(source, aside)
    pictures = source if len(sizes) == len(source) else source.some(np.array(list(sizes), np.int64))
    counts = [_count(whole, size, scales) for whole in sizes.values()]
    groups = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    say(f"{counted(len(groups), 'piece')} of {size.words} pixels out of {counted(len(pictures), pictures.unit)}")
    return PieceSource(
        where=source.where,
        name=source.name,
        kind=source.kind,
        signature=signature_of([pictures.signature, size.plain, scales]),
        reading=f"{source.reading} in pieces at {scales}",
        classes=source.classes,
        labels=None if pictures.labels is None else pictures.labels[groups],
        groups=groups,
        aside=(*source.aside, *aside),
        others=source.others,
        notes=source.notes,
        pictures=pictures,
        sizes=list(sizes.values()),
        size=size,
        scales=scales,
        places=np.concatenate([np.arange(count, dtype=np.int64) for count in counts]),
    )


def _measured(source: Source, size: Size, scales: Sequence[float]) -> tuple[dict[int, Size], list[SetAside], bool]:
    """The size of each picture that has pieces, the others, and whether any header could be read."""
    at = "" if max(scales) == 1 else f", used at {max(scales):g} of its sides,"
    sizes: dict[int, Size] = {}
    aside: list[SetAside] = []
    readable = False
    with quiet_pillow():
        for index in range(len(source)):
            try:
                look = source.look(index)
                readable = True
                whole = Size(look.height, look.width)
                if not _count(whole, size, scales):
                    raise Unreadable(f"is only {whole.words} pixels{at} and a piece {size.words}")
                sizes[index] = whole
            except Unreadable as why:
                aside += source.set_aside(index, why)
    return sizes, aside, readable


def _too_small(source: Source, size: Size, aside: Sequence[SetAside]) -> DataError:
    return DataError(
        f"No picture of {source.where} is as large as a piece: take a smaller --size than {size}, or larger pictures.\n"
        f"Set aside: {reasons(aside)}."
    )
