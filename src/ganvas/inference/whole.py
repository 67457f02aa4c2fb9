"""Whole pictures that a network from pictures to pictures is judged by: read one by one, at their own size."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from ganvas import data as data_room
from ganvas.core.errors import DataError
from ganvas.core.images import to_pillow
from ganvas.core.sizes import Size
from ganvas.data.decode import Look, Unreadable, quiet_pillow
from ganvas.data.fit import AS_THEY_ARE, cover, cut, to_channels
from ganvas.data.listing import natural_order
from ganvas.data.locating import locate, no_picture, slug
from ganvas.data.report import Report, SetAside
from ganvas.data.source import Say, Source

MOST_SIDE = 1024  # pixels; of a longer side the middle is taken, so that a picture takes seconds
_NAMED = 3  # pictures that a message names


@dataclass(frozen=True)
class Pictures:
    """Pictures of a source, alone or the two of each pair, read when they are asked for.

    names: of the pictures or pairs. indexes: of their one or two files; looks: at their headers. halves: the two of a
    pair are the halves of one picture, left and right. size: what their centres are brought to; None: they stay as they
    are, or of sides longer than MOST_SIDE the middle. numbers: their places among all that were found. folder: that
    they all lie in, if others were found beside it.
    """

    source: Source
    names: tuple[str, ...]
    indexes: tuple[tuple[int, ...], ...]
    looks: tuple[Look, ...]
    numbers: tuple[int, ...]
    size: Size | None = None
    halves: bool = False
    folder: str = ""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def title(self) -> str:
        """The name of the data, or of the folder in it."""
        return self.folder or slug(self.source.name)

    @property
    def fit(self) -> str:
        """How they come to their size, in words."""
        if self.size is not None:
            return cut(self.size)
        longest = max(max(look.width, look.height) for look in self.looks)
        return AS_THEY_ARE if longest <= MOST_SIDE else f"the middle, at most {MOST_SIDE} pixels a side"

    def shape(self, place: int) -> Size:
        """The size that a picture will be read at; its header may not tell yet that it has to be turned upright."""
        look = self.looks[place]
        width = look.width // 2 if self.halves else look.width
        return self.size or Size(min(look.height, MOST_SIDE), min(width, MOST_SIDE))

    def some(self, places: Sequence[int]) -> "Pictures":
        """Those at some places."""
        return replace(
            self,
            names=tuple(self.names[place] for place in places),
            indexes=tuple(self.indexes[place] for place in places),
            looks=tuple(self.looks[place] for place in places),
            numbers=tuple(self.numbers[place] for place in places),
        )

    def spread(self, count: int) -> "Pictures":
        """So many of them at most, evenly spread."""
        count = min(count, len(self))
        return self.some([place * len(self) // count for place in range(count)])

    def read(self, place: int, channels: int) -> np.ndarray:
        """One picture, upright, uint8 [channels, H, W], of a pair [2 * channels, H, W].

        Raises DataError if it cannot be read, or if the two of a pair are of unlike sizes.
        """
        name = self.names[place]
        try:
            found = [self.source.whole(index, channels) for index in self.indexes[place]]
        except Unreadable as why:
            raise DataError(f"{name} {why}: put it right, or take it away") from None
        if self.halves:
            half = found[0].shape[2] // 2
            found = [found[0][:, :, :half], found[0][:, :, -half:]]
        found = [self._sized(picture) for picture in found]
        if found[0].shape != found[-1].shape:
            sizes = " and ".join(f"{one.shape[2]} x {one.shape[1]}" for one in found)
            raise DataError(f"The two of the pair {name} are {sizes} pixels: bring them to one size, or give --size N")
        return np.concatenate(found)

    def _sized(self, picture: np.ndarray) -> np.ndarray:
        if self.size is not None:
            return to_channels(cover(to_pillow(picture), self.size), len(picture))
        return middle(picture, MOST_SIDE, MOST_SIDE)


def middle(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle of a picture [C, H, W], at most so high and wide."""
    top, left = (max(0, (side - most) // 2) for side, most in zip(picture.shape[1:], (height, width), strict=True))
    return picture[:, top : top + height, left : left + width]


@contextmanager
def open_pictures(where: str | Path, size: Size | None, say: Say) -> Iterator[Pictures]:
    """All pictures of a folder, zip or name; within the block, which belongs to the main thread, they can be read.

    Those of which not even the header can be read are set aside, and it is said. Raises DataError if none is left.
    """
    source = locate(where, say)
    try:
        with quiet_pillow():
            yield _looked_at(source, size, say)
    finally:
        source.close()


def _looked_at(source: Source, size: Size | None, say: Say) -> Pictures:
    looks: dict[int, Look] = {}
    aside = []
    for index in range(len(source)):
        try:
            looks[index] = source.look(index)
        except Unreadable as why:
            aside.append(SetAside(source.title(index), str(why)))
    if not looks:
        raise no_picture(source, aside)
    if aside:
        say(str(Report(len(looks), tuple(aside))))
    source.begin()
    return Pictures(
        source,
        names=tuple(map(source.title, looks)),
        indexes=tuple((index,) for index in looks),
        looks=tuple(looks.values()),
        numbers=tuple(range(len(looks))),
        size=size,
    )


def held_out(pictures: Pictures, count: int) -> Pictures:
    """Those that a run kept out of its training, which read the same pictures or pairs, so many of them."""
    return pictures.some(data_room.held_out_indices(len(pictures), count).tolist())


def sides(pictures: Pictures, domains: Sequence[str]) -> tuple[Pictures, Pictures]:
    """The pictures of the two folders that there are, each named by its path in its folder, without its ending.

    domains: names of the two kinds; where the first of them comes after the second, so it is with the folders. Raises
    DataError unless there are two folders.
    """
    source = pictures.source
    if source.labels is None or len(source.classes) != 2:
        there = f"{len(source.classes)} folders" if source.classes else "no folders that part them"
        raise DataError(
            f"{source.where} should hold two folders, with the pictures that are given and with such as they should "
            f"become, and has {there}"
        )
    turned = len(domains) == 2 and natural_order(domains[1]) < natural_order(domains[0])
    paths = [PurePosixPath(name).with_suffix("").parts for name in pictures.names]
    around = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
    depth = 1 + len(list(around))
    named = replace(pictures, names=tuple("/".join(parts[depth:]) for parts in paths))
    labels = [int(source.labels[index]) for (index,) in pictures.indexes]
    first, second = (
        _folder(named, name, [place for place, one in enumerate(labels) if one == label])
        for label, name in enumerate(source.classes)
    )
    return (second, first) if turned else (first, second)


def pairs(pictures: Pictures) -> Pictures:
    """Pairs of two folders' pictures of the same names; or of one folder's, each the two halves of a picture.

    Raises DataError for a picture without partner, and for a width that has no halves.
    """
    source = pictures.source
    if source.labels is None or len(source.classes) != 2:
        odd = [name for name, look in zip(pictures.names, pictures.looks, strict=True) if look.width % 2]
        if odd:
            raise DataError(
                f"{source.where} does not hold two folders, so that the two of a pair should lie side by side in one "
                f"picture, and {odd[0]} has an odd width: give a folder with two folders of pictures of the same names"
            )
        return replace(pictures, halves=True)
    first, second = sides(pictures, ())
    theirs = {name: place for place, name in enumerate(second.names)}
    alone = sorted(set(first.names) ^ set(second.names))
    if alone:
        more = f" and {len(alone) - _NAMED:,} more" if len(alone) > _NAMED else ""
        raise DataError(
            f"{source.where} has no partner for {', '.join(alone[:_NAMED])}{more}: pictures of a pair have the same "
            "path and name in the two folders, whatever its ending"
        )
    indexes = tuple(
        (*index, *second.indexes[theirs[name]]) for name, index in zip(first.names, first.indexes, strict=True)
    )
    return replace(first, indexes=indexes, folder="")


def _folder(pictures: Pictures, name: str, places: Sequence[int]) -> Pictures:
    return replace(pictures.some(places), numbers=tuple(range(len(places))), folder=name)
