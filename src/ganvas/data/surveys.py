"""A first look at a data set, from headers only: how many pictures, how large, grey or colour, which classes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganvas.core.sizes import QUARTERS, Size
from ganvas.data.decode import Look, Unreadable, quiet_pillow
from ganvas.data.locating import locate, no_picture, slug
from ganvas.data.report import SetAside
from ganvas.data.source import Say, Source

LOOKED_AT = 1000  # pictures whose headers are read, spread evenly over the data
SMALLEST_SIZE, LARGEST_SIZE = 16, 256  # of the size that is suggested


@dataclass(frozen=True)
class Survey:
    """What a look at the headers tells.

    where: canonical, to be stored in settings. name: for folders of runs. count: pictures, less those seen to be
    unreadable; the rest shows when they are decoded. size: the median of their shorter sides, in pixels. channels: 1
    if all are grey, else 3. classes: their names, () when there are none. shape: the size that all share, upright; None
    if they are of several. transparent: whether some have transparency.
    """

    where: str
    name: str
    count: int
    size: int
    channels: int
    classes: tuple[str, ...]
    shape: Size | None
    transparent: bool = False

    @property
    def uniform(self) -> bool:
        """Whether all are square and equal."""
        return self.shape is not None and self.shape.square

    @property
    def suggested_size(self) -> int:
        """The pictures' own size if they share one; else the largest power of two within the median, 16 to 256."""
        if self.uniform and self.size <= LARGEST_SIZE:
            return self.size
        return min(max(1 << (self.size.bit_length() - 1), SMALLEST_SIZE), LARGEST_SIZE)

    def cropped(self, size: Size) -> str | None:
        """What to say if all pictures are of one other shape, of which squares of this size are made; else None."""
        if self.shape is None or not size.square or size.width % QUARTERS:
            return None
        better = self.shape.like(size.width)
        if better.square:
            return None
        whole = better.width * self.shape.height == better.height * self.shape.width
        return f"their centre squares are used; --size {better} keeps them {'whole' if whole else 'nearly whole'}"

    @property
    def smallest_side(self) -> int:
        """The shorter side below which a picture is set aside: 8 pixels, or less where most have less."""
        return min(8, self.size)


def survey(where: str | Path, *, say: Say | None = None) -> Survey:
    """Look at data without decoding it.

    where: a folder, a zip, a file, or a name. say: is told what was decided and what is downloaded.
    Raises DataError when there is no picture that can be read, UsageError for an unknown part of a named set.
    """
    source = locate(where, say or _silent)
    try:
        return look_over(source)
    finally:
        source.close()


def look_over(source: Source) -> Survey:
    """Read the headers of up to LOOKED_AT pictures of an open source; of all, if none of those can be read."""
    spread = {index * len(source) // LOOKED_AT for index in range(LOOKED_AT)}
    looks, bad = _look(source, sorted(spread))
    if not looks:
        looks, bad = _look(source, range(len(source)))
    if not looks:
        raise no_picture(source, [SetAside(source.title(index), reason) for index, reason in bad.items()])
    sizes = {Size(look.height, look.width) for look in looks}
    return Survey(
        where=source.where,
        name=slug(source.name),
        count=len(source) - len(bad),
        size=int(np.median([min(look.width, look.height) for look in looks])),
        channels=max(look.channels for look in looks),
        classes=_classes(source, list(bad)),
        shape=sizes.pop() if len(sizes) == 1 else None,
        transparent=any(look.transparent for look in looks),
    )


def _look(source: Source, indexes: list[int] | range) -> tuple[list[Look], dict[int, str]]:
    looks: list[Look] = []
    bad: dict[int, str] = {}
    with quiet_pillow():
        for index in indexes:
            try:
                looks.append(source.look(index))
            except Unreadable as why:
                bad[index] = str(why)
    return looks, bad


def _classes(source: Source, bad: list[int]) -> tuple[str, ...]:
    """The source's classes, less those of which every picture was seen to be unreadable; fewer than two are none."""
    if source.labels is None:
        return ()
    lost = set(source.labels[bad].tolist()) - set(np.delete(source.labels, bad).tolist())
    classes = tuple(name for number, name in enumerate(source.classes) if number not in lost)
    return classes if len(classes) > 1 else ()


def _silent(_: str) -> None:
    return
