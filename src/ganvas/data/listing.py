"""Which of many files are pictures, in which order, and which classes their folders make.

The same rules hold for a folder and for a zip; paths here are relative, with "/" between their parts.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from ganvas.data.report import SetAside, counted
from ganvas.data.source import Entry

_READ = re.compile(r"\.(jpg|jpeg|jpe|jfif|png|webp|gif|tif|tiff|bmp|dib|ppm|pgm|pbm|pnm)")
_FOREIGN = re.compile(  # pictures, but of formats that are not read here
    r"\.(heic|heif|avif|jxl|jp2|j2k|svg|psd|xcf|ico|tga|exr|hdr|eps|dng|cr2|cr3|nef|arw|orf|rw2|raf)"
)
SKIPPED = frozenset(["__macosx", "thumbs.db", "desktop.ini", "@eadir", "lost+found"])
PARTS = {  # folders of this name divide a data set; they are not classes. The first group is what is trained on
    "training": frozenset(["train", "training"]),
    "held out": frozenset(["test", "testing", "val", "valid", "validation", "dev", "eval"]),
}
STRAYS = 0.1  # pictures beside the class folders are left out while they are fewer than this share
_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")


@dataclass(frozen=True)
class Arrangement:
    """Entries in their order, with classes: labels is int64 [N], or None."""

    entries: list[Entry]
    labels: np.ndarray | None
    classes: tuple[str, ...]
    aside: list[SetAside]
    notes: list[str]


def is_skipped(path: str) -> bool:
    """Whether a path is hidden or what an operating system leaves behind."""
    return any((part.startswith(".") and part != "..") or part.lower() in SKIPPED for part in path.split("/"))


def suffix_of(path: str) -> str:
    """The ending of a file's name in lower case; "(no ending)" where there is none."""
    return PurePosixPath(path).suffix.lower() or "(no ending)"


def is_picture(suffix: str) -> bool:
    """Whether a file with this ending should be a picture of a format that is read."""
    return bool(_READ.fullmatch(suffix))


def is_foreign(suffix: str) -> bool:
    """Whether a file with this ending should be a picture of a format that is not read."""
    return bool(_FOREIGN.fullmatch(suffix))


def begins_like_a_picture(head: bytes) -> bool:
    """Whether a file's first 12 bytes or more are those of a picture, whatever its name says."""
    return head.startswith(_HEADS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def natural_order(path: str) -> tuple[object, ...]:
    """A sorting key by which "a2" comes before "a10" and "B" between "a" and "c", the same on every machine."""
    folded = unicodedata.normalize("NFC", path).casefold()
    key: list[object] = []
    for part in folded.split("/"):
        pieces: list[object] = []
        for place, piece in enumerate(re.split(r"([0-9]+)", part)):
            digits = piece.lstrip("0")  # numbers are compared by length, then digits: no huge integers are made
            pieces.append((len(digits), digits) if place % 2 else piece)
        key.append(tuple(pieces))
    return (tuple(key), path)


def arrange(entries: Sequence[Entry]) -> Arrangement:
    """Sort pictures and find their classes: the topmost folders that part them.

    A single folder around everything is no class. Folders named train and test (or val) part a set, so the training
    ones are taken. Pictures beside class folders are set aside while they are few; else there are no classes.
    """
    notes: list[str] = []
    aside: list[SetAside] = []
    kept = sorted(entries, key=lambda entry: natural_order(entry.name))
    folders, strays, depth = _tops(kept)
    training = [name for name in folders if name.lower() in PARTS["training"]]
    if len(training) == 1 and len(folders) > 1 and all(_is_part(name) for name in folders):
        others = ", ".join(f"{name}/" for name in folders if name != training[0])
        notes.append(f"Only {training[0]}/ is used, not {others}: such folders part a data set, they are no classes.")
        aside += [SetAside(entry.name, f"lies beside {training[0]}/") for entry in strays]
        kept = [entry for entry in kept if entry.name.split("/")[depth : depth + 2][:-1] == training]
        folders, strays, depth = _tops(kept)
    if len(folders) > 1 and len(strays) < STRAYS * len(kept):
        if strays:
            notes.append(
                f"The {len(folders)} folders are classes; {counted(len(strays), 'picture')} beside them left out."
            )
            aside += [SetAside(entry.name, "lies beside the class folders") for entry in strays]
            kept = [entry for entry in kept if entry.name.count("/") > depth]
        number = {name: index for index, name in enumerate(folders)}
        labels = np.array([number[entry.name.split("/")[depth]] for entry in kept], np.int64)
        return Arrangement(kept, labels, tuple(folders), aside, notes)
    if folders:
        there = f"{counted(len(folders), 'folder')} and {counted(len(strays), 'picture')} beside"
        notes.append(f"There are {there}: all pictures are used, without classes.")
    return Arrangement(kept, None, (), aside, notes)


def _is_part(folder: str) -> bool:
    return any(folder.lower() in names for names in PARTS.values())


def _tops(entries: Sequence[Entry]) -> tuple[list[str], list[Entry], int]:
    """The topmost folders that part the pictures, the pictures that lie beside these folders, and their depth."""
    depth = 0
    while True:
        strays = [entry for entry in entries if entry.name.count("/") <= depth]
        folders = dict.fromkeys(entry.name.split("/")[depth] for entry in entries if entry.name.count("/") > depth)
        if strays or len(folders) != 1:
            return list(folders), strays, depth
        depth += 1
