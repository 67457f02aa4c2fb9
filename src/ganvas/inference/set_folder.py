"""A folder that a labelled set of pictures is written into, so that any stop leaves whole files to go on from.

`augment.json` says what was asked for, and whether all is there; `drawn.jsonl` gets a line a batch, once its pictures
have reached the disk. What the next batch is follows from those lines alone.
"""

import json
import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from ganvas.core import files
from ganvas.core.errors import DataError, UsageError
from ganvas.core.sizes import Size
from ganvas.data.decode import Unreadable, decode, quiet_pillow
from ganvas.inference.pictures import write_pngs

STATE, DRAWN, LOCK = "augment.json", "drawn.jsonl", ".augment.lock"
_THREADS = min(8, os.cpu_count() or 1)
_AT_ONCE = 1024  # pictures that are looked at before one has to be whole


@dataclass(frozen=True)
class Refused:
    """A picture that was not written: which training picture it is too near to, how near, and seen by what."""

    seed: int
    label: int
    nearest: int
    ratio: float
    seen_by: str


class Tally:
    """What is still to be drawn. A class whose picture was refused is drawn again with the next seed that is free."""

    def __init__(self, labels: Sequence[int], first_seed: int) -> None:
        self._waiting = deque(int(label) for label in labels)
        self.next_seed = first_seed
        self.drawn: Counter[int] = Counter()
        self.refused: list[Refused] = []
        self.written: list[tuple[int, int]] = []  # (seed, class)

    def __len__(self) -> int:
        return len(self._waiting)

    def batch(self, count: int) -> list[int]:
        """The classes of the next pictures, at most so many."""
        return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]

    def settle(self, labels: Sequence[int], refused: Sequence[Refused]) -> None:
        """A batch was drawn, and these of it were refused."""
        seeds = range(self.next_seed, self.next_seed + len(labels))
        lost = {one.seed for one in refused}
        self.written += [(seed, label) for seed, label in zip(seeds, labels, strict=True) if seed not in lost]
        self.drawn.update(labels)
        self.refused += refused
        self._waiting.extendleft(reversed([one.label for one in refused]))
        self.next_seed += len(labels)


class SetFolder:
    """The files of one set and their names. folders: of the classes; one "." where there are none.

    size, channels: of the pictures.
    """

    def __init__(self, path: Path, folders: tuple[str, ...], size: Size, channels: int) -> None:
        self.path, self.folders = path, folders
        self._size, self._channels = size, channels
        self.state = path / STATE
        self._drawn = path / DRAWN

    @contextmanager
    def begun(self, asked: dict[str, Any]) -> Iterator[None]:
        """Hold the folder for writing, new or where it was left. asked: what decides on the pictures.

        Raises UsageError if it holds anything but an unfinished set of just these, or if another process writes it;
        DataError if it cannot be written.
        """
        check_out(self.path, asked)
        with self._written():
            self.path.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.path / LOCK)
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                raise UsageError(f"{self.path} is being written by another process; wait for it or stop it") from None
        try:
            if not self.state.exists():
                self.keep({"finished": False, "asked": asked})
            with self._written():
                for partial in self.path.rglob(".*.partial"):
                    partial.unlink(missing_ok=True)
            yield
        finally:
            lock.release()
        (self.path / LOCK).unlink(missing_ok=True)

    def _written(self) -> AbstractContextManager[None]:
        return files.written_to(self.path, "Make room or choose another --out")

    def take_up(self, tally: Tally) -> None:
        """Bring a tally to where the folder was left. Raises DataError if what it tells of is not there, and whole."""
        lines = self._drawn.read_text(encoding="utf-8").splitlines(keepends=True) if self._drawn.exists() else []
        whole = [line for line in lines if line.endswith("\n")]
        for number, line in enumerate(whole):
            try:
                told = json.loads(line)
                refused = [Refused(**one) for one in told["refused"]]
                tally.settle(tally.batch(told["count"]), refused)
            except (ValueError, KeyError, TypeError):
                raise DataError(
                    f"Line {number + 1} of {self._drawn} is damaged, so that it cannot be gone on from: "
                    "delete the folder and begin anew"
                ) from None
        if len(whole) < len(lines):  # a kill left the last one half-written
            with self._written():
                files.write_text(self._drawn, "".join(whole))
        with quiet_pillow(), ThreadPoolExecutor(_THREADS, "png") as pool:
            for start in range(0, len(tally.written), _AT_ONCE):
                list(pool.map(self._read, tally.written[start : start + _AT_ONCE]))

    def picture(self, seed: int, label: int) -> Path:
        """The file of a seed."""
        return self.path / self.folders[label] / f"{seed:06d}.png"

    def read(self, written: Sequence[tuple[int, int]]) -> np.ndarray:
        """uint8 [N, C, H, W]: pictures by seed and class. Raises DataError for one that is gone or damaged."""
        with quiet_pillow():
            return np.stack([self._read(one) for one in written])

    def _read(self, one: tuple[int, int]) -> np.ndarray:
        path = self.picture(*one)
        try:
            return decode(path.read_bytes(), self._size, self._channels, 1)
        except OSError as error:
            why = f"cannot be read: {error.strerror or error}"
        except Unreadable as error:
            why = str(error)
        raise DataError(f"{path} {why}. It was written, and was changed since: delete {self.path} and begin anew")

    def add(self, pictures: np.ndarray, tally: Tally, labels: Sequence[int], refused: Sequence[Refused]) -> None:
        """Write a batch, uint8 [N, C, H, W], less those refused; and then that it is there."""
        lost, first = {one.seed for one in refused}, tally.next_seed
        kept = [
            (self.picture(first + row, label), picture)
            for row, (label, picture) in enumerate(zip(labels, pictures, strict=True))
            if first + row not in lost
        ]
        parents = {path.parent for path, _ in kept}
        line = {"count": len(labels), "refused": [asdict(one) for one in refused]}
        with self._written():
            for parent in parents:
                parent.mkdir(exist_ok=True)
            with ThreadPoolExecutor(_THREADS, "png") as pool:
                list(pool.map(_write, kept))
            for parent in parents:
                files.flush(parent)
            with self._drawn.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        tally.settle(labels, refused)

    def keep(self, state: dict[str, Any]) -> None:
        """Write what the folder says of itself."""
        with self._written():
            files.write_text(self.state, json.dumps(state, indent=1, ensure_ascii=False) + "\n")


def _write(one: tuple[Path, np.ndarray]) -> None:
    path, picture = one
    write_pngs(picture[None], [path])
    files.flush(path)  # before the line that says so; what a power cut leaves without it is drawn again


def check_out(path: Path, asked: dict[str, Any] | None = None) -> None:
    """Raise UsageError if a folder holds anything but an unfinished set.

    asked: what its pictures must have been asked for with; None where that is not known yet.
    """
    if not path.exists() or (path.is_dir() and not any(one for one in path.iterdir() if one.name != LOCK)):
        return
    try:
        state = json.loads((path / STATE).read_text(encoding="utf-8"))
        finished, before = state["finished"], state["asked"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{path} holds something else already: choose another --out") from None
    if finished:
        raise UsageError(f"{path} holds a finished set already: choose another --out")
    differing = [] if asked is None else [name for name in asked if before.get(name) != asked[name]]
    if differing:
        raise UsageError(
            f"{path} holds the beginning of another set; what differs: {', '.join(differing)}. "
            "Ask for the same to go on with it, or choose another --out"
        )
