"""Opening data to train on: found, looked over, decoded once, in memory or through a cache."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import numpy as np

from ganvas.core.errors import UsageError
from ganvas.core.evenly import evenly
from ganvas.core.sizes import Size
from ganvas.data.cache import decode_into_cache
from ganvas.data.dataset import Dataset, fingerprint_of
from ganvas.data.decode import quiet_pillow
from ganvas.data.loading import Decoded, Wish, decode_into_memory, own_threads
from ganvas.data.locating import locate, no_picture
from ganvas.data.paired import locate_pairs, look_over_pairs
from ganvas.data.pieces import checked_scales, in_pieces
from ganvas.data.report import Report
from ganvas.data.source import Say, Source
from ganvas.data.surveys import Survey, look_over

LEAST, GREATEST = 4, 4096  # sizes that can be asked for


def open_data(
    where: str | Path,
    *,
    size: int | str | Size | None = None,
    channels: int | None = None,
    threads: int | None = None,
    say: Say | None = None,
    memory: int | None = None,
    most: int | None = None,
) -> Dataset:
    """Open data as uint8 pictures [N, channels, H, W], with labels where there are classes.

    where: a folder, a zip, a file, or a name. size: 64, or "96x64" for 96 pixels wide and 64 high;
    None is the pictures' own size if they are square and share one, else the largest power of two within the median
    shorter side, 16 to 256. channels: 1 to 4; None is 1 if all pictures are
    grey, else 3. threads: that decode; they change nothing but the speed. say: is told, in sentences, of downloads,
    caches and files set aside. memory: bytes that the pictures may take before they are mapped from a cache instead;
    None is a third of what is free. most: take so many of the pictures, evenly spread, if there are more.
    Raises UsageError for a size or channels that cannot be, DataError when no picture can be read.
    """
    asked = None if size is None else _checked_size(size)
    _check(channels, threads)
    tell = say or _silent
    with closing(_thinned(locate(where, tell), most)) as source:
        overview = look_over(source)
        wish = Wish(
            size=asked or Size.of(overview.suggested_size),
            channels=channels or overview.channels,
            smallest=overview.smallest_side,
            threads=threads or own_threads(),
        )
        return _read(source, overview, wish, memory, tell)


def open_pieces(
    where: str | Path,
    *,
    size: int | str | Size,
    channels: int,
    scales: Sequence[float] = (),
    threads: int | None = None,
    say: Say | None = None,
    memory: int | None = None,
    most: int | None = None,
) -> Dataset:
    """Open pictures cut into pieces of a size, [N, channels, H, W]; `groups` tells which picture each is a piece of.

    scales: the parts of the pictures' sides, above 0 and up to 1, to which each picture is brought before it is cut, by
    Lanczos; without any, whole pictures as `open_data` gives them. most: of the pictures. The rest as in `open_data`.
    Raises UsageError for what cannot be, DataError when no picture can be read or is as large as a piece.
    """
    if not scales:
        return open_data(where, size=size, channels=channels, threads=threads, say=say, memory=memory, most=most)
    asked, parts = _checked_size(size), checked_scales(scales)
    _check(channels, threads)
    tell = say or _silent
    with closing(_thinned(locate(where, tell), most)) as source:
        overview = look_over(source)
        wish = Wish(asked, channels, 1, threads or own_threads())
        return _read(in_pieces(source, asked, parts, tell), overview, wish, memory, tell)


def open_paired(
    where: str | Path,
    *,
    size: int | str | Size,
    channels: int,
    scales: Sequence[float] = (),
    threads: int | None = None,
    say: Say | None = None,
    memory: int | None = None,
    most: int | None = None,
) -> Dataset:
    """Open pictures in pairs as uint8 [N, 2 * channels, H, W], the first of a pair in the first channels.

    where: a folder or zip with two folders of pictures that have the same names, or with pictures whose left half is
    the first and the right half the second. Both of a pair are cut and resized alike. `classes` is the two folders'
    names, or ("left", "right"); there are no labels. scales: as in `open_pieces`; the rest as in `open_data`.
    Raises UsageError for what cannot be; DataError when there are no pairs, for a picture without partner, and for a
    pair of two sizes.
    """
    asked, parts = _checked_size(size), checked_scales(scales)
    _check(channels, threads)
    tell = say or _silent
    with closing(_thinned(locate_pairs(where, tell), most)) as source:
        overview = look_over_pairs(source)
        wish = Wish(asked, source.together * channels, overview.smallest_side, threads or own_threads())
        return _read(in_pieces(source, asked, parts, tell) if parts else source, overview, wish, memory, tell)


def survey_paired(where: str | Path, *, say: Say | None = None) -> Survey:
    """Look at pairs without decoding them, as `survey` does: how many, and size and shape of one picture of a pair.

    `classes` is what the two of every pair are called. Raises DataError as `open_paired` does.
    """
    with closing(locate_pairs(where, say or _silent)) as source:
        return look_over_pairs(source)


S = TypeVar("S", bound=Source)


def _thinned(source: S, most: int | None) -> S:
    """At most so many of a source's pictures, evenly spread."""
    if most is None or most >= len(source):
        return source
    return source.some(evenly(len(source), most))


def _read(source: Source, overview: Survey, wish: Wish, memory: int | None, tell: Say) -> Dataset:
    """Decode a source. overview: of the pictures, of which its rows may be pieces."""
    if memory is None:
        memory = _a_third_of_what_is_free()
    fits = len(source) * wish.picture_bytes <= memory
    with quiet_pillow():
        decoded = (decode_into_memory if fits else decode_into_cache)(source, wish, tell)
    fit = source.fitting(wish.size, overview.shape == wish.size)
    return _dataset(source, overview, decoded, fit, tell)


def _dataset(source: Source, overview: Survey, decoded: Decoded, fit: str, tell: Say) -> Dataset:
    report = Report(source.files(decoded.kept), (*source.aside, *decoded.aside), source.others)
    if not len(decoded.kept):
        raise no_picture(source, decoded.aside)
    if report.set_aside:
        tell(str(report))
    labels = None
    if source.labels is not None and overview.classes:
        number = {name: index for index, name in enumerate(overview.classes)}
        renumbered = np.array([number.get(name, -1) for name in source.classes], np.int64)
        labels = renumbered[source.labels[decoded.kept]]
        empty = sorted(set(range(len(overview.classes))) - set(labels.tolist()))
        if empty:
            tell(f"No picture could be read of: {', '.join(overview.classes[index] for index in empty)}")
    groups = None
    if source.groups is not None:
        groups = np.unique(source.groups[decoded.kept], return_inverse=True)[1].astype(np.int64)
    return Dataset(
        name=overview.name,
        where=source.where,
        images=decoded.images,
        labels=labels,
        classes=overview.classes,
        report=report,
        fingerprint=fingerprint_of(decoded.images.shape, decoded.pixels, labels, overview.classes, groups),
        fit=fit,
        groups=groups,
    )


def _checked_size(size: int | str | Size) -> Size:
    """The size that is asked for. Raises UsageError for what cannot be."""
    asked = Size.of(size)
    if not LEAST <= asked.shorter <= asked.longer <= GREATEST:
        raise UsageError(f"--size {asked}: pictures can be {LEAST} to {GREATEST} pixels wide and high")
    return asked


def _check(channels: int | None, threads: int | None) -> None:
    """Raises UsageError for what cannot be."""
    if channels not in (None, 1, 2, 3, 4):
        raise UsageError(f"channels {channels}: use 1 for grey, 3 for colour, 2 and 4 for these with transparency")
    if threads is not None and threads < 1:
        raise UsageError(f"threads {threads}: use 1 or more")


def _a_third_of_what_is_free() -> int:
    from ganvas.core.devices import available_memory  # it imports torch, which looking at data does not need

    return available_memory() // 3


def _silent(_: str) -> None:
    return
