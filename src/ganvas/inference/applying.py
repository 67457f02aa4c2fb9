"""Many pictures, one after another: where each comes from and goes to, and what became of it."""

import errno
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganvas.core.errors import DataError, GanvasError, MemoryExhausted, UsageError
from ganvas.core.files import check_writable, remove_abandoned
from ganvas.data.decode import Unreadable, quiet_pillow
from ganvas.data.folder import walk
from ganvas.data.listing import begins_like_a_picture, is_foreign, is_picture, natural_order
from ganvas.data.report import SetAside
from ganvas.inference.rows import FORMATS
from ganvas.inference.translator import Translator

NAMED = 3  # failures that a message names
_ENDINGS = {"PNG": ".png", "JPEG": ".jpg", "TIFF": ".tif", "WEBP": ".webp", "BMP": ".bmp", "PPM": ".ppm"}
_HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # after which no other picture can be written either

Tell = Callable[[int, int, str, float], None]
"""Told of progress: the picture's number from 1, of how many, its name, and how much of it is done, 0 to 1."""


@dataclass(frozen=True)
class Job:
    """A picture file and the file that is made of it. name: of the picture below the folder that was given."""

    picture: Path
    out: Path
    name: Path


class Beside:
    """What is given beside pictures: a file for all, or a folder with a file of each one's name, with any ending."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self._held: dict[Path, dict[str, Path]] = {}  # the files of folders by their names

    def of(self, job: Job) -> Path | None:
        """The file of a picture: in its subfolder of the folder, or else in none; None if there is none."""
        if self.where.is_file():
            return self.where
        found = (self._files(folder).get(job.name.stem) for folder in (self.where / job.name.parent, self.where))
        return next((file for file in found if file is not None), None)

    def _files(self, folder: Path) -> dict[str, Path]:
        if folder not in self._held:
            files = sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []
            self._held[folder] = {file.stem: file for file in files if is_picture(file.suffix.lower())}
        return self._held[folder]


@dataclass
class Applied:
    """What became of pictures. written: files; skipped: files that were there already; failed, notes: pictures with
    why, or with what could not be kept, as the end of a sentence that begins with the picture's name.
    """

    written: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[tuple[Path, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        told = {
            name: [{"picture": str(path), "why": why} for path, why in which]
            for name, which in (("failed", self.failed), ("notes", self.notes))
        }
        return {"written": list(map(str, self.written)), "skipped": list(map(str, self.skipped)), **told}

    def in_words(self, out: str | Path) -> str:
        """What there is now, in a sentence. out: the folder."""
        words = f"{_pictures(len(self.written))} written to {out}"
        if self.skipped:
            words += f"; {_pictures(len(self.skipped))} there already (--replace makes them anew)"
        return words

    def check(self) -> None:
        """Raise DataError, which names some, if any picture failed; the others are done."""
        if not self.failed:
            return
        named = "; ".join(f"{path} {why}" for path, why in self.failed[:NAMED])
        more = f"; and {len(self.failed) - NAMED} more" if len(self.failed) > NAMED else ""
        raise DataError(f"{_pictures(len(self.failed))} could not be used: {named}{more}")


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count:,} pictures"


def apply(
    translator: Translator,
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    format: str | None = None,
    replace: bool = False,
    masks: str | Path | None = None,
    hints: str | Path | None = None,
    tell: Tell = lambda number, count, name, part: None,
) -> Applied:
    """Apply a network to picture files and to all below folders, into a folder.

    Names are kept, and below a folder its subfolders. Formats are kept where they are written here, else PNG is; or
    all are of `format`: png, jpeg, tiff, webp, bmp, ppm. Files that are there already are left as they are, so that the
    same call goes on where one was stopped; replace: they are made anew. masks: for `inpaint`, a mask, or a folder of
    masks with the pictures' names, in the same subfolders or in none; without it holes are where pictures are
    transparent. hints: the same of hints of colours, for networks that take them; pictures without are made without.
    A picture that cannot be used is named in the result, and the rest is done. Raises UsageError, before anything is
    begun, for a call that cannot be meant, also one that would write over its own pictures; DataError if there is no
    picture, or `out` cannot be written. However it ends, each file is whole or not there.
    """
    folder = Path(out)
    done = Applied()
    jobs = plan(inputs, folder, format, done)
    given = {"masks": masks, "hints": hints}
    beside = {kind: Beside(Path(where)) for kind, where in given.items() if where is not None}
    _check(jobs, folder, beside)
    translator.check_guides(masks, hints)
    for parent in {job.out.parent for job in jobs}:
        remove_abandoned(parent, "")
    with quiet_pillow():
        for number, job in enumerate(jobs, 1):
            if job.out.exists() and not replace:
                done.skipped.append(job.out)
                continue

            def progress(part: float, at: int = number, name: str = str(job.picture)) -> None:
                tell(at, len(jobs), name, part)

            progress(0.0)
            try:
                mask = _mask_of(job, beside["masks"]) if "masks" in beside else None
                said = beside["hints"].of(job) if "hints" in beside else None
                notes = translator.write(job.picture, job.out, mask=mask, hints=said, progress=progress)
            except OSError as error:
                if error.errno in _HOPELESS:
                    raise DataError(f"{job.out} cannot be written: {error.strerror}. Choose another --out") from None
                done.failed.append((job.picture, f"cannot be written to {job.out}: {error.strerror or error}"))
            except (Unreadable, DataError, MemoryExhausted) as error:
                done.failed.append((job.picture, str(error)))
            except GanvasError as error:
                raise type(error)(f"{job.picture} {error}") from None
            else:
                done.written.append(job.out)
                unhinted = [f"has no hints in {hints}, and is made without"] if hints is not None and not said else []
                done.notes += [(job.picture, note) for note in (*unhinted, *notes)]
    return done


def plan(inputs: Sequence[str | Path], out: Path, format: str | None, done: Applied) -> list[Job]:
    """Which file is made of which. Pictures of formats that are not read are entered in done.failed.

    Where two would come to one name, as a.gif and a.png, each keeps its own ending too: a.gif.png. Raises UsageError
    for an input or a format that there is not, and if two pictures have one name all the same.
    """
    if format is not None and format.upper() not in _ENDINGS:
        raise UsageError(f"--format {format}: use {', '.join(_ENDINGS).lower()}")
    ending = _ENDINGS[format.upper()] if format is not None else None
    found: dict[Path, Path] = {}
    for one in inputs:
        path = Path(one)
        if path.is_dir():
            found.update((path / name, Path(name)) for name in _below(path, out, done))
        elif is_foreign(path.suffix.lower()) and path.is_file():
            done.failed.append((path, _foreign(path)))
        elif path.is_file():
            found[path] = Path(path.name)
        else:
            raise UsageError(f"There is no file or folder {path}")
    targets = {path: out / _named(name, ending, whole=False) for path, name in found.items()}
    often = Counter(targets.values())
    targets = {
        path: out / _named(found[path], ending, whole=True) if often[target] > 1 else target
        for path, target in targets.items()
    }
    taken: dict[Path, Path] = {}
    for path, target in targets.items():
        if target in taken:
            raise UsageError(f"{taken[target]} and {path} would both be written to {target}: apply to one at a time")
        taken[target] = path
    return [Job(path, target, found[path]) for path, target in targets.items()]


def _named(name: Path, ending: str | None, *, whole: bool) -> Path:
    """The name of what is made of a picture. whole: with its own ending too, if that is another."""
    suffix = name.suffix.lower()
    same = suffix in FORMATS if ending is None else FORMATS.get(suffix) == FORMATS[ending]
    if same:
        return name
    return name.with_name((name.name if whole else name.stem) + (ending or ".png"))


def _below(folder: Path, out: Path, done: Applied) -> Iterator[str]:
    """The pictures below a folder in a natural order, but for those below `out`. What cannot be read is told of."""
    aside: list[SetAside] = []
    try:
        own = out.resolve().relative_to(folder.resolve()).as_posix() + "/"
    except ValueError:
        own = "/"  # no name begins so
    for name in sorted((name for name, _ in walk(folder, aside, []) if not name.startswith(own)), key=natural_order):
        suffix = Path(name).suffix.lower()
        if is_foreign(suffix):
            done.failed.append((folder / name, _foreign(Path(name))))
        elif (folder / name).is_file() and (is_picture(suffix) or _begins_like_a_picture(folder / name)):
            yield name
    done.failed += [(folder / one.path, one.reason) for one in aside]


def _foreign(path: Path) -> str:
    return f"is not read, as {path.suffix.lower()[1:]}; save it as PNG or JPEG"


def _begins_like_a_picture(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return begins_like_a_picture(stream.read(12))
    except OSError:
        return False


def _check(jobs: Sequence[Job], out: Path, beside: Mapping[str, Beside]) -> None:
    """Raise UsageError or DataError for what can be known before anything is begun."""
    if not jobs:
        raise DataError("There is no picture among what is given: give files, or folders with pictures")
    sources = {job.picture.resolve() for job in jobs}
    over = next((job for job in jobs if job.out.resolve() in sources), None)
    if over is not None:
        raise UsageError(f"--out {out}: {over.picture} would be written over; choose another folder")
    for kind, one in beside.items():
        if not one.where.exists():
            raise UsageError(f"There is no file or folder {one.where} with {kind}")
        if one.where.is_dir():
            _refuse_shared(jobs, one)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file: give a folder")
    try:
        check_writable(jobs[0].out)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror or error}. Choose another --out") from None


def _mask_of(job: Job, masks: Beside) -> Path:
    """The mask of a picture. Raises DataError if there is none."""
    mask = masks.of(job)
    if mask is None:
        raise DataError(f"has no mask in {masks.where}: one is named {job.name.with_suffix('.png')}")
    return mask


def _refuse_shared(jobs: Sequence[Job], beside: Beside) -> None:
    """Raise UsageError if a file of a folder has the name of pictures from two folders."""
    whose: dict[Path, Path] = {}
    for job in jobs:
        file = beside.of(job)
        if file is not None and whose.setdefault(file, job.picture).parent != job.picture.parent:
            raise UsageError(
                f"{file} has the name of both {whose[file]} and {job.picture}: give {beside.where} the pictures' "
                "subfolders, or apply to one folder at a time"
            )
