"""A folder that a labelled set of pictures is written into, so that any stop leaves whole files to go on from.

`augment.json` says what was asked for, and whether all is there; `drawn.jsonl` gets a line a batch, once its pictures
have reached the disk. What the next batch is follows from those lines alone.
"""

import json
import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from ganvas.core import files
from ganvas.core.errors import DataError, UsageError
from ganvas.core.images import to_pillow

STATE, DRAWN, LOCK = "augment.json", "drawn.jsonl", ".augment.lock"
_THREADS = min(8, os.cpu_count() or 1)


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
    """The files of one set and their names. folders: of the classes; one "." where there are none."""

    def __init__(self, path: Path, folders: tuple[str, ...]) -> None:
        self.path, self.folders = path, folders
        self.state = path / STATE
        self._drawn = path / DRAWN

    @contextmanager
    def begun(self, asked: dict[str, Any]) -> Iterator[None]:
        """Hold the folder for writing, new or where it was left. asked: what decides on the pictures.

        Raises UsageError if it holds anything but an unfinished set of just these, or if another process writes it;
        DataError if it cannot be written.
        """
        check_out(self.path, asked)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self.path / LOCK).acquire(timeout=0):
                if not self.state.exists():
                    self.keep({"finished": False, "asked": asked})
                for partial in self.path.rglob(".*.partial"):
                    partial.unlink(missing_ok=True)
                yield
        except filelock.Timeout:
            raise UsageError(f"{self.path} is being written by another process; wait for it or stop it") from None
        except OSError as error:
            raise DataError(
                f"{self.path} cannot be written: {error.strerror or error}. Make room or choose another --out"
            ) from None
        (self.path / LOCK).unlink(missing_ok=True)

    def take_up(self, tally: Tally) -> None:
        """Bring a tally to where the folder was left."""
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
            files.write_text(self._drawn, "".join(whole))

    def picture(self, seed: int, label: int) -> Path:
        """The file of a seed."""
        return self.path / self.folders[label] / f"{seed:06d}.png"

    def add(self, pictures: np.ndarray, tally: Tally, labels: Sequence[int], refused: Sequence[Refused]) -> None:
        """Write a batch, uint8 [N, C, H, W], less those refused; and then that it is there."""
        lost, first = {one.seed for one in refused}, tally.next_seed
        kept = [
            (self.picture(first + row, label), picture)
            for row, (label, picture) in enumerate(zip(labels, pictures, strict=True))
            if first + row not in lost
        ]
        parents = {path.parent for path, _ in kept}
        for parent in parents:
            parent.mkdir(exist_ok=True)
        with ThreadPoolExecutor(_THREADS, "png") as pool:
            list(pool.map(_write, kept))
        for parent in parents:
            files.flush(parent)
        line = {"count": len(labels), "refused": [asdict(one) for one in refused]}
        with self._drawn.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        tally.settle(labels, refused)

    def keep(self, state: dict[str, Any]) -> None:
        """Write what the folder says of itself."""
        files.write_text(self.state, json.dumps(state, indent=1, ensure_ascii=False) + "\n")


def _write(one: tuple[Path, np.ndarray]) -> None:
    path, picture = one
    partial = path.with_name(f".{path.name}.partial")
    to_pillow(picture).save(partial, format="PNG")
    files.flush(partial)
    os.replace(partial, path)


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
