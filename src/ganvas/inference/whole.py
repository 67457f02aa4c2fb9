"""Whole pictures that a network from pictures to pictures is judged by: read one by one, at their own size."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ganvas import data as data_room
from ganvas.core.errors import DataError
from ganvas.core.evenly import in_shares
from ganvas.core.sizes import Size
from ganvas.data.decode import Look, Unreadable, quiet_pillow
from ganvas.data.fit import AS_THEY_ARE, covered, cut
from ganvas.data.listing import natural_order
from ganvas.data.locating import locate, no_picture, slug
from ganvas.data.paired import folders_of, locate_pairs
from ganvas.data.pieces import in_pieces
from ganvas.data.report import Report, SetAside
from ganvas.data.source import Say, Source
from ganvas.data.surveys import look_over

MOST_SIDE = 1024  # pixels; of a longer side the middle is taken, so that a picture takes seconds


@dataclass(frozen=True)
class HeldOut:
    """Which pictures a run kept out of its training. count: of them; pictures: that training could read, these among
    them; kept, channels, scales: how it read them.
    """

    count: int
    pictures: int
    kept: Size
    channels: int
    scales: tuple[float, ...]

    @classmethod
    def of(cls, count: int, read: Mapping[str, Any], channels: int) -> "HeldOut":
        """read: as a card has it."""
        return cls(count, int(read["pictures"]), Size.of(read["size"]), channels, tuple(read["scales"]))


@dataclass(frozen=True)
class Pictures:
    """Pictures of a source, or its pairs, read when they are asked for.

    indexes: in the source; names, looks: of each. size: what their centres are brought to; None: they stay as they are,
    or of sides longer than MOST_SIDE the middle. folder: that they all lie in, if others were found beside it.
    """

    source: Source
    indexes: tuple[int, ...]
    names: tuple[str, ...]
    looks: tuple[Look, ...]
    size: Size | None = None
    folder: str = ""

    def __len__(self) -> int:
        return len(self.indexes)

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
        return self.size or Size(min(look.height, MOST_SIDE), min(look.width, MOST_SIDE))

    def some(self, places: Sequence[int]) -> "Pictures":
        """Those at some places."""
        return replace(
            self,
            indexes=tuple(self.indexes[place] for place in places),
            names=tuple(self.names[place] for place in places),
            looks=tuple(self.looks[place] for place in places),
        )

    def spread(self, count: int) -> "Pictures":
        """So many of them at most, evenly spread."""
        return self.some(in_shares(min(count, len(self)), len(self)).tolist())

    def read(self, place: int, channels: int) -> np.ndarray:
        """One picture, upright, uint8 [channels, H, W]; both of a pair, [2 * channels, H, W].

        Raises DataError if it cannot be read.
        """
        together = self.source.together
        try:
            found = self.source.whole(self.indexes[place], together * channels)
        except Unreadable as why:
            raise DataError(f"{self.names[place]} {why}: put it right, or take it away") from None
        if self.size is None:
            return middle(found, MOST_SIDE, MOST_SIDE)
        return np.concatenate([covered(one, self.size) for one in np.split(found, together)])


def middle(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle of a picture [C, H, W], at most so high and wide."""
    top, left = (max(0, (side - most) // 2) for side, most in zip(picture.shape[1:], (height, width), strict=True))
    return picture[:, top : top + height, left : left + width]


@contextmanager
def open_pictures(
    where: str | Path, held: HeldOut | None, size: Size | None, say: Say, *, paired: bool
) -> Iterator[Pictures]:
    """The pictures, or pairs, of a folder, zip or name; within the block, of the main thread, they can be read.

    held: only those that a run kept out of its training. Those of which not even the header can be read are set aside,
    and it is said. Raises DataError if none is left, for what does not make pairs, and where nobody can tell any more
    what was held out.
    """
    source: Source = locate_pairs(where, say) if paired else locate(where, say)
    try:
        with quiet_pillow():
            found = _looked_at(source, size, say)
            yield found if held is None else _held_out(found, held, say)
    finally:
        source.close()


def _looked_at(source: Source, size: Size | None, say: Say) -> Pictures:
    looks: dict[int, Look] = {}
    aside: list[SetAside] = []
    for index in range(len(source)):
        try:
            looks[index] = source.look(index)
        except Unreadable as why:
            aside += source.set_aside(index, why)
    if not looks:
        raise no_picture(source, aside)
    if aside:
        say(str(Report(len(looks), tuple(aside))))
    source.begin()
    return Pictures(source, tuple(looks), tuple(map(source.title, looks)), tuple(looks.values()), size)


def _held_out(pictures: Pictures, held: HeldOut, say: Say) -> Pictures:
    """As `data.held_out_rows` says of what training read: pictures that were too small or damaged do not count."""
    source, rows, smallest = _rows(pictures, held)
    counted = [place for place, name in enumerate(pictures.names) if name in rows]
    if len(counted) != held.pictures:
        say(f"Training read {held.pictures:,} of {len(counted):,} pictures: all are decoded, to find out which")
        channels = source.together * held.channels
        counted = [
            place for place in counted if source.fit(rows[pictures.names[place]], held.kept, channels, smallest).kept
        ]
    if len(counted) != held.pictures:
        raise DataError(
            f"{source.where} has {len(counted):,} pictures that training would read, and it read {held.pictures:,}: "
            "nobody can tell which of them it did not see. Put the data back as it was, or give other pictures, with "
            "--against DATA"
        )
    return pictures.some([counted[place] for place in data_room.held_out_indices(len(counted), held.count)])


def _rows(pictures: Pictures, held: HeldOut) -> tuple[Source, dict[str, range], int]:
    """What training decoded; by the name of each picture that is large enough, one row of it; the shorter side, in
    pixels, that it had to have.
    """
    rows: dict[str, range] = {}
    if held.scales:
        source = in_pieces(pictures.source, held.kept, held.scales, lambda _: None)
        for row in range(len(source)):
            rows.setdefault(source.title(row), range(row, row + 1))
        return source, rows, 1
    least = look_over(pictures.source).smallest_side
    for name, row, look in zip(pictures.names, pictures.indexes, pictures.looks, strict=True):
        if min(look.width, look.height) >= least:
            rows[name] = range(row, row + 1)
    return pictures.source, rows, least


def sides(pictures: Pictures, domains: Sequence[str]) -> tuple[Pictures, Pictures]:
    """The pictures of the two folders that there are, each named by its path in its folder, without its ending.

    domains: names of the two kinds; where the first of them comes after the second, so it is with the folders. Raises
    DataError unless there are two folders.
    """
    source = pictures.source
    folders = folders_of(source)
    if folders is None:
        there = f"{len(source.classes)} folders" if source.classes else "no folders that part them"
        raise DataError(
            f"{source.where} should hold two folders, with the pictures that are given and with such as they should "
            f"become, and has {there}"
        )
    named = replace(pictures, names=tuple(folders[index][1] for index in pictures.indexes))
    first, second = (
        replace(
            named.some([place for place, index in enumerate(pictures.indexes) if folders[index][0] == label]),
            folder=source.classes[label],
        )
        for label in (0, 1)
    )
    turned = len(domains) == 2 and natural_order(domains[1]) < natural_order(domains[0])
    return (second, first) if turned else (first, second)
