"""CelebA: its pictures, in a folder or in their zip, and its file of attributes.

Liu, Luo, Wang and Tang, "Deep Learning Face Attributes in the Wild", 2015. The pictures have 178 x 218 pixels; the
centre square that every picture is cut to is here the usual 178 x 178 crop.
"""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from ganvas.core.errors import DataError, UsageError
from ganvas.core.parts import nearest
from ganvas.data.archive import ZipFormat
from ganvas.data.folder import FolderFormat
from ganvas.data.report import SetAside
from ganvas.data.source import EncodedSource, signature_of

MAX_ATTRIBUTES_BYTES = 256 * 2**20  # the real file has 26 MB
_PICTURES = ("img_align_celeba", "img_align_celeba.zip")
_ATTRIBUTES = "list_attr_celeba.txt"
_INSIDE = ("", "Img", "Anno")  # as downloaded, pictures and attributes may lie in folders of these names


class CelebaFormat:
    """A folder with img_align_celeba (or its zip) and list_attr_celeba.txt; FOLDER/Smiling has that as its classes."""

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether the folder, or the folder above an attribute's name, has both."""
        return _is_celeba(path) or (not path.exists() and _is_celeba(path.parent))

    @staticmethod
    def open(path: Path) -> EncodedSource:
        """Open the pictures, with classes when the path ends in an attribute."""
        if _is_celeba(path):
            return open_celeba(path, None, str(path), path.name)
        return open_celeba(path.parent, path.name, str(path), f"{path.parent.name}-{path.name}")


def open_celeba(folder: Path, attribute: str | None, where: str, name: str) -> EncodedSource:
    """CelebA's pictures; with an attribute, class 0 is "not" it and class 1 is it.

    Raises UsageError for an attribute that the file does not have, DataError when the file is damaged.
    """
    pictures = find_pictures(folder)
    if not pictures:
        raise DataError(f"{folder} has no {_PICTURES[0]} folder or zip.")
    source = (FolderFormat if pictures.is_dir() else ZipFormat).open(pictures)
    source = replace(source, where=where, name=name, kind="CelebA", labels=None, classes=(), notes=())
    if attribute is None:
        return source
    try:
        return _labelled(source, _attributes(folder), attribute)
    except (DataError, UsageError):
        source.close()
        raise


def find_pictures(folder: Path) -> Path | None:
    """The folder or zip of aligned pictures."""
    candidates = [folder / inside / name for inside in _INSIDE for name in _PICTURES]
    return next((path for path in candidates if path.exists()), None)


def _is_celeba(path: Path) -> bool:
    return path.is_dir() and find_pictures(path) is not None and _find_attributes(path) is not None


def _find_attributes(folder: Path) -> Path | None:
    return next((path for inside in _INSIDE if (path := folder / inside / _ATTRIBUTES).is_file()), None)


def _attributes(folder: Path) -> tuple[Path, list[str], dict[str, list[str]]]:
    """The attributes' names, and each picture's values by its file name."""
    path = _find_attributes(folder)
    if not path:
        raise DataError(f"{folder} has no {_ATTRIBUTES}, which says what is on the pictures.")
    if path.stat().st_size > MAX_ATTRIBUTES_BYTES:
        raise DataError(f"{path} has {path.stat().st_size:,} bytes, far more than CelebA's.")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    names = lines[1].split() if len(lines) > 1 else []
    rows = {row[0]: row[1:] for row in (line.split() for line in lines[2:]) if len(row) == len(names) + 1}
    if not names or not rows:
        raise DataError(f"{path} is damaged: it should have a count, a line of names, and a line for each picture.")
    return path, names, rows


def _labelled(
    source: EncodedSource, attributes: tuple[Path, list[str], dict[str, list[str]]], attribute: str
) -> EncodedSource:
    path, names, rows = attributes
    if attribute not in names:
        raise UsageError(f"CelebA has no attribute {attribute!r}: {nearest(attribute, names)}")
    column = names.index(attribute)
    values = [rows.get(PurePosixPath(entry.name).name) for entry in source.entries]
    pairs = list(zip(source.entries, values, strict=True))
    known = [(entry, row[column] == "1") for entry, row in pairs if row]
    aside = [SetAside(entry.name, f"has no line in {_ATTRIBUTES}") for entry, row in pairs if not row]
    status = path.stat()
    return replace(
        source,
        entries=[entry for entry, _ in known],
        labels=np.array([has for _, has in known], np.int64),
        classes=(f"not {attribute}", attribute),
        aside=(*source.aside, *aside),
        signature=signature_of([source.signature, attribute, status.st_size, status.st_mtime_ns]),
    )
