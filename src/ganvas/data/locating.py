"""From what a user writes (a name, a folder, a file) to the source of pictures it means."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from ganvas import data
from ganvas.core.errors import DataError, UsageError
from ganvas.core.parts import load, nearest
from ganvas.data.named.published import NamedSet
from ganvas.data.report import SetAside, listed, reasons
from ganvas.data.source import Format, Say, Source

_HINTS = {
    (".tar", ".gz", ".tgz", ".bz2", ".xz", ".rar", ".7z"): "unpack it, or pack the pictures as a zip",
    (".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"): "give the folder that this picture is in",
}


def locate(where: str | Path, say: Say) -> Source:
    """Open what `where` means, listing its pictures without decoding them, and say what was decided about them.

    A string that begins with the name of a data set means that set; "./mnist" or a Path means the folder. Raises
    DataError when there is nothing there, when it is no data set, or when no file in it could be a picture.
    """
    if isinstance(where, str):
        name, _, part = where.partition("/")
        if name.lower() in data.NAMES:
            if Path(where).exists():
                say(f"{where} is taken for the data set of that name; for the folder here write ./{where}")
            named: NamedSet = load(data.NAMES, name.lower(), "data set")
            return _worth_reading(named.open(part.strip("/"), say), say)
    if not str(where).strip():
        raise UsageError("Which data? Give a folder, a zip, or a name: " + ", ".join(data.NAMES))
    path = Path(os.path.abspath(Path(where).expanduser()))
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise DataError(f"{str(path)!a} is not UTF-8, so that no run could write it down; rename it.") from None
    try:
        return _worth_reading(_open(path, str(where)), say)
    except PermissionError as error:
        raise DataError(f"{error.filename or path} may not be read: {error.strerror}.") from None


def _worth_reading(source: Source, say: Say) -> Source:
    for note in source.notes:
        say(note)
    if not len(source):
        source.close()
        raise no_picture(source)
    return source


def no_picture(source: Source, aside: Sequence[SetAside] = ()) -> DataError:
    """The error for a source in which nothing can be read; it says what is there instead.

    aside: what turned out to be unreadable after listing.
    """
    aside = (*source.aside, *aside)
    found = [f"other files: {listed(source.others)}"] if source.others else []
    if aside:
        found.append(f"set aside: {reasons(aside)}")
    return DataError(f"{source.where} has no picture that can be read. Found there: {'; '.join(found) or 'nothing'}.")


def slug(name: str) -> str:
    """A data set's name as a part of a folder's name."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:40] or "data"


def _open(path: Path, written: str) -> Source:
    for name in data.SOURCES:
        kind: Format = load(data.SOURCES, name, "kind of data")
        if kind.recognises(path):
            return kind.open(path)
    if not path.exists():
        known = nearest(written.partition("/")[0].lower(), data.NAMES)
        raise DataError(f"There is no folder or file {path}, and no data set is called {written!r}: {known}")
    hint = next((words for ends, words in _HINTS.items() if path.suffix.lower() in ends), None)
    raise DataError(f"{path} is not a data set: {hint or 'give a folder of pictures, a zip, or an IDX or CIFAR file'}.")
