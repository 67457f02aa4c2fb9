"""Opening data to train on: found, looked over, decoded once, in memory or through a cache."""

from pathlib import Path

import numpy as np

from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size
from ganvas.data.cache import decode_into_cache
from ganvas.data.dataset import Dataset, fingerprint_of
from ganvas.data.decode import quiet_pillow
from ganvas.data.loading import Decoded, Wish, decode_into_memory, own_threads
from ganvas.data.locating import locate, no_picture
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
    shorter side, 16 to 256. channels: 1, 3 or 4; None is 1 if all pictures are
    grey, else 3. threads: that decode; they change nothing but the speed. say: is told, in sentences, of downloads,
    caches and files set aside. memory: bytes that the pictures may take before they are mapped from a cache instead;
    None is a third of what is free. most: take so many of the pictures, evenly spread, if there are more.
    Raises UsageError for a size or channels that cannot be, DataError when no picture can be read.
    """
    asked = _checked(size, channels, threads)
    tell = say or _silent
    source = locate(where, tell)
    if most is not None and most < len(source):
        source = source.some(np.linspace(0, len(source) - 1, most).astype(np.int64))
    try:
        overview = look_over(source)
        wish = Wish(
            size=asked or Size.of(overview.suggested_size),
            channels=channels or overview.channels,
            smallest=overview.smallest_side,
            threads=threads or own_threads(),
        )
        if memory is None:
            memory = _a_third_of_what_is_free()
        fits = len(source) * wish.picture_bytes <= memory
        with quiet_pillow():
            decoded = (decode_into_memory if fits else decode_into_cache)(source, wish, tell)
        fit = source.fitting(wish.size, overview.shape == wish.size)
        return _dataset(source, overview, decoded, fit, tell)
    finally:
        source.close()


def _dataset(source: Source, overview: Survey, decoded: Decoded, fit: str, tell: Say) -> Dataset:
    report = Report(len(decoded.kept), (*source.aside, *decoded.aside), source.others)
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
    return Dataset(
        name=overview.name,
        where=source.where,
        images=decoded.images,
        labels=labels,
        classes=overview.classes,
        report=report,
        fingerprint=fingerprint_of(decoded.images.shape, decoded.pixels, labels, overview.classes),
        fit=fit,
    )


def _checked(size: int | str | Size | None, channels: int | None, threads: int | None) -> Size | None:
    """The size that is asked for. Raises UsageError for what cannot be."""
    asked = None if size is None else Size.of(size)
    if asked is not None and not LEAST <= asked.shorter <= asked.longer <= GREATEST:
        raise UsageError(f"--size {asked}: pictures can be {LEAST} to {GREATEST} pixels wide and high")
    if channels not in (None, 1, 3, 4):
        raise UsageError(f"channels {channels}: use 1 for grey, 3 for colour, 4 for colour with transparency")
    if threads is not None and threads < 1:
        raise UsageError(f"threads {threads}: use 1 or more")
    return asked


def _a_third_of_what_is_free() -> int:
    from ganvas.core.devices import available_memory  # it imports torch, which looking at data does not need

    return available_memory() // 3


def _silent(_: str) -> None:
    return
