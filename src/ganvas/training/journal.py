"""The journal: one JSON line a tick, notes for people, and TensorBoard events where its package is there."""

import datetime
import importlib.util
import json
from pathlib import Path
from typing import Any

from ganvas.core import files
from ganvas.training.folder import RunFolder

Tick = dict[str, Any]


class Journal:
    """What a run writes about itself.

    A continued run takes back the lines that lie after its checkpoint, so that its journal reads as if it had never
    been stopped; only the line in the making begins anew at the checkpoint.
    """

    def __init__(self, run: RunFolder, images: int, tensorboard: bool) -> None:
        self._run = run
        self._events = _events(run.tensorboard, images) if tensorboard else None

    def tick(self, line: Tick) -> None:
        """Append a line; its dictionary values ({"terms": {...}}) become curves in TensorBoard."""
        with self._run.journal.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        if self._events is not None:
            for group, values in line.items():
                for name, value in values.items() if isinstance(values, dict) else [("", values)]:
                    if isinstance(value, (int, float)):
                        self._events.add_scalar(f"{group}/{name}" if name else group, value, line["images"])

    def rewind(self, images: int) -> None:
        """Take back the lines after `images` images, and a half-written last one."""
        if self._run.journal.exists():
            kept = [line for line in read(self._run.journal) if line["images"] <= images]
            files.write_text(self._run.journal, "".join(json.dumps(line) + "\n" for line in kept))

    def amend(self, images: int, name: str, value: Any) -> None:
        """Give the last line another value, if it is of so many images."""
        lines = read(self._run.journal)
        if lines and lines[-1]["images"] == images and lines[-1].get(name) != value:
            lines[-1][name] = value
            files.write_text(self._run.journal, "".join(json.dumps(line) + "\n" for line in lines))

    def note(self, sentence: str) -> None:
        """Append a dated sentence to notes.log."""
        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        with self._run.notes.open("a", encoding="utf-8") as stream:
            stream.write(f"{now} {sentence}\n")

    def close(self) -> None:
        """Flush the TensorBoard events."""
        if self._events is not None:
            self._events.close()


def read(path: Path) -> list[Tick]:
    """The lines of a journal, oldest first; what is no line, as a kill leaves one half-written, is left out."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "images" in line:
            lines.append(line)
    return lines


def has_tensorboard() -> bool:
    """Whether the package that writes TensorBoard events is installed."""
    return importlib.util.find_spec("tensorboard") is not None


def _events(folder: Path, images: int) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=images + 1 if folder.exists() else None)
