"""Everything that can be said about data before training on it; each picture is decoded once."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.sizes import Size
from ganvas.data.dataset import Dataset, held_out_rows
from ganvas.data.decode import Look, Unreadable, quiet_pillow
from ganvas.data.loading import Wish, in_order, own_threads
from ganvas.data.locating import locate, no_picture
from ganvas.data.paired import folders_of
from ganvas.data.report import Report, SetAside, counted, listed
from ganvas.data.source import Say, Source
from ganvas.data.surveys import Survey, look_over

FEW = 500  # pictures below which a generator tends to learn them by heart
FEW_IN_CLASS = 20
ODD_BALANCE = 10  # the largest class is so many times the smallest
LONG = 3.0  # a picture so many times as wide as high, or as high as wide, loses most of itself
_AT_ONCE = 32
_LONELY = 3  # pictures without partner that a line names


@dataclass(frozen=True)
class Pairing:
    """Two folders whose pictures pair by name. titles: theirs. lonely: paths of pictures without partner."""

    count: int
    titles: tuple[str, ...]
    lonely: tuple[str, ...]

    def __str__(self) -> str:
        more = ", ..." if len(self.lonely) > _LONELY else ""
        alone = f"; {len(self.lonely):,} without partner: {', '.join(self.lonely[:_LONELY])}{more}"
        return f"{self.count:,} by name, {' and '.join(self.titles)}{alone if self.lonely else ''}"


@dataclass(frozen=True)
class Check:
    """What `check` found.

    smallest, largest: width and height. duplicates: pictures that equal an earlier one. pairs: where most pictures of
    two folders have a partner of the same name in the other, else None.
    """

    where: str
    name: str
    kind: str
    count: int
    formats: Mapping[str, int]
    modes: Mapping[str, int]
    smallest: tuple[int, int]
    largest: tuple[int, int]
    median_side: int
    classes: Mapping[str, int]
    duplicates: int
    pairs: Pairing | None
    report: Report
    warnings: tuple[str, ...]
    suggested_size: int
    channels: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "report": self.report.as_dict(), "warnings": list(self.warnings)}

    def lines(self) -> list[str]:
        """The same for people."""
        small, large = (f"{width} x {height}" for width, height in (self.smallest, self.largest))
        sizes = (
            f"all {small}" if small == large else f"{small} to {large}, shorter side {self.median_side} in the middle"
        )
        lines = [
            f"{self.where}: {self.kind}, {counted(self.count, 'picture')}",
            f"  formats     {listed(self.formats)}",
            f"  modes       {listed(self.modes)}",
            f"  sizes       {sizes}",
            f"  classes     {_some(self.classes)}",
            *([] if self.pairs is None else [f"  pairs       {self.pairs}"]),
            f"  duplicates  {self.duplicates:,}",
        ]
        lines += [f"  {line}" for line in self.report.lines()]
        lines += [f"  take care: {warning}" for warning in self.warnings]
        return [*lines, f"  own size    {self.suggested_size} pixels, {'grey' if self.channels == 1 else 'colour'}"]


@dataclass(frozen=True)
class _Seen:
    """One block of pictures: index, header and hash of each that can be read, and the others."""

    good: list[tuple[int, Look, bytes]]
    aside: list[SetAside]


def check(where: str | Path, *, threads: int | None = None, say: Say | None = None) -> Check:
    """Decode all of a data set and account for it.

    where: a folder, a zip, a file, or a name. threads: that decode. say: is told what was decided and downloaded.
    Duplicates are pictures that are equal as they would be trained on, at the suggested size.
    Raises DataError when no picture can be read.
    """
    source = locate(where, say or _silent)
    try:
        with quiet_pillow():
            overview = look_over(source)
            wish = Wish(
                Size.of(overview.suggested_size), overview.channels, overview.smallest_side, threads or own_threads()
            )
            return _account(source, overview, wish)
    finally:
        source.close()


def _account(source: Source, overview: Survey, wish: Wish) -> Check:
    source.begin()
    parts = source.parts(_AT_ONCE)
    blocks = list(in_order(lambda indexes: _see(source, wish, indexes), parts, wish.threads, len(source)))
    good = [one for block in blocks for one in block.good]
    aside = [one for block in blocks for one in block.aside]
    if not good:
        raise no_picture(source, aside)
    looks = [look for _, look, _ in good]
    by_area = sorted((look.width * look.height, look.width, look.height) for look in looks)
    classes: dict[str, int] = {}
    if source.labels is not None and overview.classes:
        counts = Counter(source.classes[source.labels[index]] for index, _, _ in good)
        classes = {name: counts[name] for name in overview.classes}
    duplicates = len(good) - len({digest for _, _, digest in good})
    return Check(
        where=source.where,
        name=overview.name,
        kind=source.kind,
        count=len(good),
        formats=dict(Counter(look.format for look in looks).most_common()),
        modes=dict(Counter(look.mode for look in looks).most_common()),
        smallest=by_area[0][1:],
        largest=by_area[-1][1:],
        median_side=overview.size,
        classes=classes,
        duplicates=duplicates,
        pairs=_pairing(source),
        report=Report(len(good), (*source.aside, *aside), source.others),
        warnings=tuple(_warnings(overview, looks, classes, duplicates, wish.size)),
        suggested_size=overview.suggested_size,
        channels=wish.channels,
    )


def _see(source: Source, wish: Wish, indexes: range) -> _Seen:
    fitted = source.fit(indexes, wish.size, wish.channels, wish.smallest)
    good: list[tuple[int, Look, bytes]] = []
    aside = list(fitted.aside)
    for index, image in zip(fitted.kept, fitted.images, strict=True):
        try:
            good.append((index, source.look(index), hashlib.blake2b(image.tobytes(), digest_size=16).digest()))
        except Unreadable as why:  # the file changed between the two readings
            aside.append(SetAside(source.title(index), str(why)))
    return _Seen(good, aside)


def _pairing(source: Source) -> Pairing | None:
    names = folders_of(source) or []
    both = {name for folder, name in names if folder == 0} & {name for folder, name in names if folder == 1}
    lonely = tuple(source.title(index) for index, (_, name) in enumerate(names) if name not in both)
    return Pairing(len(both), source.classes, lonely) if len(lonely) < len(both) else None


def _warnings(
    overview: Survey, looks: list[Look], classes: Mapping[str, int], duplicates: int, size: Size
) -> list[str]:
    warnings = []
    if len(looks) < FEW:
        warnings.append(f"only {counted(len(looks), 'picture')}: a generator may learn them by heart")
    if (lost := overview.cropped(size)) is not None and overview.shape is not None:
        warnings.append(f"all pictures are {overview.shape.words}: {lost}")
    if small := sum(min(look.width, look.height) < size.shorter for look in looks):
        warnings.append(f"{counted(small, 'picture')} smaller than {size} pixels, to be enlarged")
    if long := sum(max(look.width, look.height) > LONG * min(look.width, look.height) for look in looks):
        warnings.append(f"{counted(long, 'picture')} more than {LONG:.0f} times as long as wide: the middle is used")
    grey = sum(look.channels == 1 for look in looks)
    if 0 < grey < len(looks):
        warnings.append(f"{grey:,} grey among {len(looks) - grey:,} in colour: they are trained on as grey-in-colour")
    if duplicates:
        warnings.append(f"{counted(duplicates, 'picture')} equal to an earlier one")
    if classes:
        warnings += _few_in_class(classes)
        if max(classes.values()) > ODD_BALANCE * max(1, min(classes.values())):
            warnings.append(f"the classes have from {min(classes.values()):,} to {max(classes.values()):,} pictures")
    return warnings


def few_in_class(dataset: Dataset, held_out: int) -> list[str]:
    """A sentence if classes have very few pictures, or none, once so many are held out of the data; else none."""
    if dataset.labels is None:
        return []
    labels = np.delete(dataset.labels, held_out_rows(dataset, held_out))
    counts = np.bincount(labels, minlength=len(dataset.classes)).tolist()
    return _few_in_class(dict(zip(dataset.classes, counts, strict=True)))


def _few_in_class(classes: Mapping[str, int]) -> list[str]:
    few = [f"{name} ({count})" for name, count in classes.items() if count < FEW_IN_CLASS]
    if not few:
        return []
    shown = ", ".join(few[:5]) + (", ..." if len(few) > 5 else "")
    return [f"{len(few):,} of {len(classes):,} classes with fewer than {FEW_IN_CLASS} pictures: {shown}"]


def _some(classes: Mapping[str, int]) -> str:
    if not classes:
        return "none"
    shown = ", ".join(f"{name} {count:,}" for name, count in list(classes.items())[:10])
    return f"{len(classes)}: {shown}" + (", ..." if len(classes) > 10 else "")


def _silent(_: str) -> None:
    return
