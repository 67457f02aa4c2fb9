"""Pictures in pairs to learn from: two folders with the same names, or both of a pair beside each other in one file.

Beside each other is how the data of pix2pix (Isola et al. 2017) are published.
"""

import dataclasses
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self, TypeVar

import numpy as np

from ganvas.core.errors import DataError
from ganvas.core.sizes import Size
from ganvas.data.decode import BIG_PIXELS, Look, Unreadable, big_turn, quiet_pillow
from ganvas.data.fit import covered
from ganvas.data.listing import PARTS
from ganvas.data.locating import locate
from ganvas.data.pairs import by_name, pair_name, refuse_lonely
from ganvas.data.report import SetAside, counted
from ganvas.data.source import Fitted, Say, Source, signature_of
from ganvas.data.surveys import Survey, look_over


class _OneOfTwo(Unreadable):
    """One of the two files of a pair cannot be read. place: 0 or 1."""

    def __init__(self, place: int, why: Unreadable) -> None:
        super().__init__(str(why))
        self.place = place


@dataclass(frozen=True, kw_only=True)
class PairSource(Source):
    """Pairs of pictures; a row has the channels of the first, then those of the second.

    classes: what the first and the second of every pair are called. pictures: the files. indexes: int64 [N, 1 or 2],
    the files of each pair in `pictures`. looks: at one picture of each pair, or why there is none.
    """

    unit: ClassVar[str] = "pair"
    together: ClassVar[int] = 2

    pictures: Source
    indexes: np.ndarray
    looks: Sequence[Look | Unreadable]

    def __len__(self) -> int:
        return len(self.indexes)

    def title(self, index: int) -> str:
        """The paths of a pair's files."""
        return " and ".join(map(self.pictures.title, self.indexes[index]))

    def some(self, indexes: np.ndarray) -> Self:
        """With the same files open."""
        signature = signature_of([self.signature, indexes.tolist()])
        looks = [self.looks[index] for index in indexes]
        return replace(self, indexes=self.indexes[indexes], looks=looks, signature=signature)

    def set_aside(self, index: int, why: Exception) -> list[SetAside]:
        """All files of a pair; of two, the one that can be read for the other's sake."""
        titles = [self.pictures.title(file) for file in self.indexes[index]]
        if not isinstance(why, _OneOfTwo):
            return [SetAside(title, str(why)) for title in titles]
        bad = titles[why.place]
        return [SetAside(title, str(why) if title == bad else f"its partner {bad} {why}") for title in titles]

    def files(self, indexes: np.ndarray) -> int:
        """One or two for each pair."""
        return len(indexes) * self.indexes.shape[1]

    def look(self, index: int) -> Look:
        """The size of one picture of a pair; colour if either is."""
        look = self.looks[index]
        if isinstance(look, Unreadable):
            raise look
        return look

    def fit(self, indexes: range, size: Size, channels: int, smallest: int) -> Fitted:
        """Both pictures of each pair, cut and resized alike."""
        return self._one_by_one(indexes, size, channels, lambda index: self._fit_one(index, size, channels, smallest))

    def _fit_one(self, index: int, size: Size, channels: int, smallest: int) -> np.ndarray:
        look = self.look(index)
        if min(look.width, look.height) < smallest:
            raise Unreadable(f"is only {look.width} x {look.height} pixels")
        with big_turn(look.width * look.height, BIG_PIXELS):
            return np.concatenate([covered(picture, size) for picture in self._both(index, channels // 2)])

    def whole(self, index: int, channels: int) -> np.ndarray:
        """Both pictures of a pair at their own size, uint8 [channels, H, W]."""
        return np.concatenate(list(self._both(index, channels // 2)))

    def begin(self) -> None:
        """As its pictures do."""
        self.pictures.begin()

    def close(self) -> None:
        """Close the files."""
        self.pictures.close()

    @abstractmethod
    def _both(self, index: int, channels: int) -> Iterator[np.ndarray]:
        """The first picture of a pair and the second, uint8 [channels, H, W] of one size. Raises Unreadable."""


class NamedPairs(PairSource):
    """Pairs of two files."""

    def _both(self, index: int, channels: int) -> Iterator[np.ndarray]:
        first: tuple[int, ...] | None = None
        for place, file in enumerate(self.indexes[index]):
            try:
                picture = self.pictures.whole(file, channels)
            except Unreadable as why:
                raise _OneOfTwo(place, why) from None
            if first is not None and picture.shape != first:
                raise _unlike(self.title(index), Size(*first[1:]), Size(*picture.shape[1:]))
            first = picture.shape
            yield picture


class HalvedPairs(PairSource):
    """Pairs of the two halves of one file."""

    def _both(self, index: int, channels: int) -> Iterator[np.ndarray]:
        picture = self.pictures.whole(self.indexes[index, 0], channels)
        if not _has_halves(Size(*picture.shape[1:])):  # turned by what stands behind its pixels
            raise Unreadable("is, upright, not of even width and wider than high")
        half = picture.shape[2] // 2
        yield picture[:, :, :half]
        yield picture[:, :, half:]


def locate_pairs(where: str | Path, say: Say) -> PairSource:
    """Open a folder or zip of pairs, in whichever of the two ways it holds them; reads the headers of all pictures.

    Raises DataError where there is no picture and no pair, for a picture without partner, and for a pair of two sizes.
    """
    source = locate(where, say)
    try:
        with quiet_pillow():
            folders = folders_of(source)
            return _halved(source, say) if folders is None else _named(source, folders)
    except BaseException:
        source.close()
        raise


def look_over_pairs(source: PairSource) -> Survey:
    """A survey of pairs: how many; size and shape of one picture of a pair; as classes what the two are called."""
    return dataclasses.replace(look_over(source), classes=source.classes)


def folders_of(source: Source) -> list[tuple[int, str]] | None:
    """Which of two folders each picture lies in, 0 or 1, and its name in there; None where there are not just two."""
    names = [name.lower() for name in source.classes]
    if source.labels is None or len(names) != 2 or PARTS["held out"].issuperset(names):
        return None
    paths = [source.title(index).split("/") for index in range(len(source))]
    depth = next((depth for depth, parts in enumerate(zip(*paths, strict=False)) if len(set(parts)) > 1), 0)
    labels = source.labels.tolist()
    if any(path[depth] != source.classes[label] for path, label in zip(paths, labels, strict=True)):
        return None
    return [(label, pair_name("/".join(path[depth + 1 :]))) for path, label in zip(paths, labels, strict=True)]


def _named(source: Source, folders: list[tuple[int, str]]) -> NamedPairs:
    places = [f"{source.where}/{title}" for title in source.classes]
    ours, theirs = (
        by_name(((index, name) for index, (folder, name) in enumerate(folders) if folder == this), place)
        for this, place in enumerate(places)
    )
    refuse_lonely(ours, theirs, (places[0], places[1]))
    indexes = np.array([(index, theirs[name]) for name, index in ours.items()], np.int64)
    looks = [_look_at_both(source, *pair) for pair in indexes.tolist()]
    return _as_pairs(NamedPairs, source, indexes, looks, source.classes)


def _look_at_both(source: Source, first: int, second: int) -> Look | Unreadable:
    """One header for two pictures. Raises DataError if they cannot be of one size however they are turned."""
    looks: list[Look] = []
    for place, index in enumerate((first, second)):
        try:
            looks.append(source.look(index))
        except Unreadable as why:
            return _OneOfTwo(place, why)
    a, b = (Size(look.height, look.width) for look in looks)
    if sorted(a.hw) != sorted(b.hw):
        raise _unlike(f"{source.title(first)} and {source.title(second)}", a, b)
    return replace(looks[0], channels=max(look.channels for look in looks))


def _halved(source: Source, say: Say) -> HalvedPairs:
    looks: list[Look | Unreadable] = []
    others: list[str] = []
    for index in range(len(source)):
        try:
            look = source.look(index)
        except Unreadable as why:
            looks.append(why)
            continue
        size = Size(look.height, look.width)
        looks.append(replace(look, width=look.width // 2))
        if not _has_halves(size):
            others.append(f"{source.title(index)} is {size.words}")
    if others:
        raise _no_pairs(source, others)
    say(f"{counted(len(looks), 'picture')}, each a pair: the first in the left half, the second in the right half")
    return _as_pairs(HalvedPairs, source, np.arange(len(looks))[:, None], looks, ("left", "right"))


def _has_halves(size: Size) -> bool:
    return size.width % 2 == 0 and size.width > size.height


P = TypeVar("P", bound=PairSource)


def _as_pairs(
    kind: type[P], source: Source, indexes: np.ndarray, looks: list[Look | Unreadable], titles: tuple[str, ...]
) -> P:
    return kind(
        where=source.where,
        name=source.name,
        kind=source.kind,
        signature=signature_of([source.signature, indexes.tolist()]),
        reading=f" in pairs of {' and '.join(titles)}",
        classes=titles,
        aside=source.aside,
        others=source.others,
        notes=source.notes,
        pictures=source,
        indexes=indexes,
        looks=looks,
    )


def _unlike(pair: str, a: Size, b: Size) -> DataError:
    return DataError(
        f"{pair} are a pair of {a.words} and {b.words} pixels: bring both to one size, so that they show the same "
        "place by place"
    )


def _no_pairs(source: Source, others: list[str]) -> DataError:
    folders = f" in {len(source.classes)} folders ({', '.join(source.classes[:3])}, ...)" if source.classes else ""
    return DataError(
        f"{source.where} holds no pairs. Pairs are two folders of pictures with the same names, A/1.png and B/1.jpg, "
        "or pictures of even width, wider than high, with the first in the left half and the second in the right.\n"
        f"Found: {counted(len(source), 'picture')}{folders}, of which {len(others):,} have no halves: "
        f"{'; '.join(others[:3])}{'; ...' if len(others) > 3 else ''}"
    )
