"""Where pictures come from: encoded files that are decoded one by one, or arrays that are there already."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple, Protocol, Self

import numpy as np

from ganvas.core.sizes import Size
from ganvas.data.decode import BIG_BYTES, MAX_BYTES, Look, Unreadable, big_turn, decode, decode_whole, look_at
from ganvas.data.fit import AS_THEY_ARE, BORDERED, convert, cut, fit_arrays, is_padded
from ganvas.data.report import SetAside

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One encoded picture. name: its path inside the source. stamp: changes when the file does. key: finds it."""

    name: str
    bytes: int
    stamp: int
    key: Any


class Fitted(NamedTuple):
    """Decoded pictures, uint8 [N, C, H, W], with their indexes, and those that could not be."""

    images: np.ndarray
    kept: list[int]
    aside: list[SetAside]


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """Pictures that can be opened, not decoded yet.

    where: the canonical place, which opens the same again. kind: the words for it in messages. signature: changes
    when the files do. reading: what tells two sources of one place apart; "" where a row is a picture. labels: int64
    [N], or None when there are no classes. groups: int64 [N], the picture that each row is a part of; None where a row
    is all of one. notes: what was decided, to be said.

    unit: what a row is. less: what to do if all rows are too much. together: pictures in the channels of a row.
    """

    unit: ClassVar[str] = "picture"
    less: ClassVar[str] = "take a smaller --size"
    together: ClassVar[int] = 1

    where: str
    name: str
    kind: str
    signature: str
    reading: str = ""
    classes: tuple[str, ...] = ()
    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    aside: tuple[SetAside, ...] = ()
    others: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def title(self, index: int) -> str:
        """The name of one picture, for people."""

    @abstractmethod
    def some(self, indexes: np.ndarray) -> Self:
        """A source of some of the pictures, int64 [n] indexes in rising order; it shares this one's files."""

    def _some_labels(self, indexes: np.ndarray) -> np.ndarray | None:
        return None if self.labels is None else self.labels[indexes]

    def set_aside(self, index: int, why: Exception) -> list[SetAside]:
        """The files that are left out with a picture, and the reason."""
        return [SetAside(self.title(index), str(why))]

    def files(self, indexes: np.ndarray) -> int:
        """How many files some of the pictures, int64 [n], are read from."""
        return len(indexes)

    def parts(self, most: int) -> Iterator[range]:
        """All indexes in order, parted into what is decoded at once: `most` at a time."""
        return (range(start, min(start + most, len(self))) for start in range(0, len(self), most))

    @abstractmethod
    def look(self, index: int) -> Look:
        """One picture's header. Raises Unreadable."""

    @abstractmethod
    def fit(self, indexes: range, size: Size, channels: int, smallest: int) -> Fitted:
        """Some pictures, brought to one size; called from several threads.

        smallest: pictures with a shorter side than this, in pixels, are set aside.
        """

    def _one_by_one(self, indexes: range, size: Size, channels: int, fit_one: Callable[[int], np.ndarray]) -> Fitted:
        """What `fit_one` gives for each picture, uint8 [channels, *size]; that for which it raises Unreadable aside."""
        images = np.empty((len(indexes), channels, *size.hw), np.uint8)
        kept: list[int] = []
        aside: list[SetAside] = []
        for index in indexes:
            try:
                images[len(kept)] = fit_one(index)
                kept.append(index)
            except Unreadable as why:
                aside += self.set_aside(index, why)
        return Fitted(images[: len(kept)], kept, aside)

    def fitting(self, size: Size, alike: bool) -> str:
        """What becomes of the pictures in `fit`, in words. alike: whether all are of this size already."""
        return AS_THEY_ARE if alike else cut(size)

    @abstractmethod
    def whole(self, index: int, channels: int) -> np.ndarray:
        """One picture at its own size, uint8 [channels, H, W]. Raises Unreadable."""

    def begin(self) -> None:
        """What has to happen once, before threads call `fit`."""
        return

    def close(self) -> None:
        """Let go of the files it holds open."""
        return


def _nothing() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class EncodedSource(Source):
    """Pictures in files, in a zip or in a database. open: gives a stream of one entry's bytes."""

    entries: Sequence[Entry]
    open: Callable[[Entry], BinaryIO]
    release: Callable[[], None] = _nothing

    def close(self) -> None:
        """Close the archive."""
        self.release()

    def __len__(self) -> int:
        return len(self.entries)

    def title(self, index: int) -> str:
        """The picture's path inside the source."""
        return self.entries[index].name

    def some(self, indexes: np.ndarray) -> Self:
        """With the same files open."""
        entries = [self.entries[index] for index in indexes]
        parts = [(entry.name, entry.bytes, entry.stamp) for entry in entries]
        return replace(self, entries=entries, labels=self._some_labels(indexes), signature=signature_of(parts))

    def look(self, index: int) -> Look:
        """Read the picture's header only."""
        entry = self._checked(index)
        try:
            with self.open(entry) as stream:
                return look_at(stream)
        except OSError as error:
            raise Unreadable(f"cannot be read ({error.strerror or error})") from None

    def fit(self, indexes: range, size: Size, channels: int, smallest: int) -> Fitted:
        """Read and decode pictures one by one."""
        return self._one_by_one(indexes, size, channels, lambda index: self._fit_one(index, size, channels, smallest))

    def _fit_one(self, index: int, size: Size, channels: int, smallest: int) -> np.ndarray:
        with self._content(index) as content:
            return decode(content, size, channels, smallest)

    def whole(self, index: int, channels: int) -> np.ndarray:
        """Read and decode one picture."""
        with self._content(index) as content:
            return decode_whole(content, channels)

    @contextmanager
    def _content(self, index: int) -> Iterator[bytes]:
        """One picture's bytes; within the block no other thread holds many."""
        entry = self._checked(index)
        with big_turn(entry.bytes, BIG_BYTES):
            try:
                with self.open(entry) as stream:
                    content = stream.read(entry.bytes)  # not read(): a file may grow without end
            except OSError as error:
                raise Unreadable(f"cannot be read ({error.strerror or error})") from None
            yield content

    def _checked(self, index: int) -> Entry:
        entry = self.entries[index]
        if entry.bytes == 0:
            raise Unreadable("is empty")
        if entry.bytes > MAX_BYTES:
            raise Unreadable(f"is larger than {MAX_BYTES >> 20} MB")
        return entry


@dataclass(frozen=True, kw_only=True)
class ArraySource(Source):
    """Pictures that need no decoding. shape: [N, C, H, W]. load: gives them, uint8, when first needed."""

    shape: tuple[int, int, int, int]
    load: Callable[[], np.ndarray]

    @cached_property
    def images(self) -> np.ndarray:
        """All pictures, uint8 [N, C, H, W]."""
        return self.load()

    def __len__(self) -> int:
        return self.shape[0]

    def title(self, index: int) -> str:
        """The picture's number."""
        return f"picture {index}"

    def some(self, indexes: np.ndarray) -> Self:
        """The pictures are loaded whole all the same."""
        shape, signature = (len(indexes), *self.shape[1:]), signature_of([self.signature, indexes.tolist()])
        labels = self._some_labels(indexes)
        return replace(self, shape=shape, load=lambda: self.images[indexes], labels=labels, signature=signature)

    def look(self, index: int) -> Look:
        """The shape that all pictures share."""
        _, channels, height, width = self.shape
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
        return Look(width, height, 1 if channels == 1 else 3, self.kind, mode, transparent=channels == 4)

    def fit(self, indexes: range, size: Size, channels: int, smallest: int) -> Fitted:
        """Pad, resize and convert pictures; each can be read."""
        return Fitted(fit_arrays(self.images[indexes.start : indexes.stop], size, channels), list(indexes), [])

    def fitting(self, size: Size, alike: bool) -> str:
        """Arrays are padded where they lack little."""
        return BORDERED if not alike and is_padded(*self.shape[2:], size) else super().fitting(size, alike)

    def whole(self, index: int, channels: int) -> np.ndarray:
        """One of the pictures."""
        return convert(self.images[index], channels)

    def begin(self) -> None:
        """Load the pictures, so that threads do not all do it."""
        _ = self.images


class Format(Protocol):
    """A way of keeping pictures that can be told by looking at a path."""

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether a path holds this, told from names and first bytes."""
        ...

    @staticmethod
    def open(path: Path) -> Source:
        """Open it. Raises DataError."""
        ...


def signature_of(parts: Sequence[object]) -> str:
    """A short hash of whatever tells one state of the files from another."""
    return hashlib.sha256(repr(list(parts)).encode("utf-8", "backslashreplace")).hexdigest()
