"""A folder of pictures, with everything else that lies in folders."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ganvas.data.listing import arrange, begins_like_a_picture, is_foreign, is_picture, is_skipped, suffix_of
from ganvas.data.report import SetAside
from ganvas.data.source import EncodedSource, Entry, signature_of

MAX_DEPTH = 64
_SHOWN = 5  # empty folders that are named


class FolderFormat:
    """Any folder; its subfolders are classes."""

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether it is a folder."""
        return path.is_dir()

    @staticmethod
    def open(path: Path) -> EncodedSource:
        """List the folder; nothing is read but the first bytes of files whose names do not say what they are."""
        entries: list[Entry] = []
        aside: list[SetAside] = []
        others: Counter[str] = Counter()
        folders: list[str] = []
        for name, found in walk(path, aside, folders):
            suffix = suffix_of(name)
            if is_foreign(suffix):
                aside.append(SetAside(name, f"{suffix[1:]} is not read; save it as PNG or JPEG"))
            elif is_picture(suffix) or _begins_like_a_picture(found):
                entry = _entry(name, found)
                if isinstance(entry, Entry):
                    entries.append(entry)
                else:
                    aside.append(entry)
            else:
                others[suffix] += 1
        arranged = arrange(entries)
        arranged.notes.extend(_note_on_empty_folders(folders, [entry.name for entry in entries]))
        return EncodedSource(
            where=str(path),
            name=path.name,
            kind="a folder",
            signature=signature_of([(entry.name, entry.bytes, entry.stamp) for entry in arranged.entries]),
            classes=arranged.classes,
            labels=arranged.labels,
            aside=(*aside, *arranged.aside),
            others=others,
            notes=tuple(arranged.notes),
            entries=arranged.entries,
            open=_open,
        )


def _open(entry: Entry) -> BinaryIO:
    return open(entry.key, "rb")


def _note_on_empty_folders(folders: list[str], pictures: list[str]) -> list[str]:
    """A sentence on the folders that could be classes, by those next to them, and hold no picture; or none.

    folders: relative names with a "/" at the end.
    """
    filled = set[str]()
    for folder in {_parent(name) for name in pictures}:
        while folder:
            filled.add(folder)
            folder = _parent(folder)
    parents = {_parent(folder) for folder in filled}
    empty = [folder for folder in folders if folder not in filled and _parent(folder) in parents]
    shown = ", ".join(empty[:_SHOWN]) + (", ..." if len(empty) > _SHOWN else "")
    return [f"No picture in {shown}: no class."] if empty else []


def _parent(name: str) -> str:
    """The folder that a file or a folder lies in, with a "/" at the end; "" at the root."""
    return name[: name.rstrip("/").rfind("/") + 1]


def walk(root: Path, aside: list[SetAside], folders: list[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file below a folder, with its relative name; a folder that links lead back to is walked once.

    folders: gets the relative names of the folders that are walked, with a "/" at the end.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [("", str(root))]
    while waiting:
        prefix, folder = waiting.pop()
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as scan:
                found = sorted(scan, key=lambda one: one.name)
        except OSError as error:
            aside.append(SetAside(prefix or str(root), f"this folder cannot be read ({error.strerror})"))
            continue
        folders += [prefix] if prefix else []
        deeper = []
        for one in found:
            name = prefix + _shown(one.name)
            if is_skipped(_shown(one.name)):
                continue
            if not _is_folder(one):
                yield name, one
            elif name.count("/") < MAX_DEPTH:
                deeper.append((f"{name}/", one.path))
            else:
                aside.append(SetAside(name, f"lies more than {MAX_DEPTH} folders deep"))
        waiting += reversed(deeper)


def _shown(name: str) -> str:
    """A file's name as text that can be printed and written anywhere, also where its bytes are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def _is_folder(one: os.DirEntry[str]) -> bool:
    try:
        return one.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _entry(name: str, found: os.DirEntry[str]) -> Entry | SetAside:
    try:
        status = found.stat()
    except OSError as error:
        return SetAside(name, f"cannot be read ({error.strerror})")
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait forever
        return SetAside(name, "is not a plain file")
    return Entry(name, status.st_size, status.st_mtime_ns, found.path)


def _begins_like_a_picture(found: os.DirEntry[str]) -> bool:
    try:
        if not found.is_file():
            return False
        with open(found.path, "rb") as stream:
            return begins_like_a_picture(stream.read(16))
    except OSError:
        return False
