"""A run is a folder of plain files, and the only database there is."""

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import filelock
import torch

from ganvas.core import files
from ganvas.core.errors import DataError, UsageError
from ganvas.core.settings import read_toml
from ganvas.core.version import VERSION

_A_LOOK = 1.0  # seconds: one who only looks whether a run is in training holds its lock for far less


class RunFolder:
    """The files of a run and their names."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.settings = self.path / "settings.toml"
        self.environment = self.path / "environment.json"
        self.journal = self.path / "journal.jsonl"
        self.notes = self.path / "notes.log"
        self.samples = self.path / "samples"
        self.checkpoints = self.path / "checkpoints"
        self.generator = self.path / "generator.safetensors"
        self.card = self.path / "card.json"
        self.classifier = self.path / "classifier.safetensors"
        self.classifier_card = self.path / "classifier.json"
        self.translator = self.path / "translator.safetensors"  # its card is card.json
        self.translator_back = self.path / "translator-back.safetensors"  # of the other direction
        self.translator_back_card = self.path / "translator-back.json"
        self.summary = self.path / "summary.html"
        self.tensorboard = self.path / "tensorboard"
        self.scores = self.path / "scores"
        self.evaluation = self.scores / "evaluation.json"  # the newest one by `ganvas eval`

    @classmethod
    def create(cls, path: Path, settings_toml: str) -> "RunFolder":
        """A new run folder. Raises UsageError if there is something at that path already."""
        check_free(path)
        run = cls(path)
        try:
            for folder in (run.path, run.samples, run.checkpoints):
                folder.mkdir(parents=True, exist_ok=True)
            files.write_text(run.settings, settings_toml)
            files.write_text(run.environment, json.dumps(environment(), indent=2) + "\n")
        except OSError as error:
            raise DataError(f"The run folder {path} cannot be written: {error.strerror}") from None
        return run

    @classmethod
    def create_next(cls, parent: Path, stem: str, settings_toml: str) -> "RunFolder":
        """A new run folder, the first free one of parent/stem-1, parent/stem-2 ...; two at once do not get the same."""
        while True:
            path = next_free(parent, stem)
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise DataError(f"The run folder {path} cannot be written: {error.strerror}") from None
            return cls.create(path, settings_toml)

    @classmethod
    def open(cls, path: str | Path) -> "RunFolder":
        """An existing run folder. Raises DataError if there is none at that path."""
        run = cls(path)
        if not run.settings.is_file():
            raise DataError(f"{path} is not a run: it has no settings.toml. Runs are folders that `ganvas train` makes")
        return run

    def read_settings(self) -> dict[str, Any]:
        """The tables of settings.toml. Raises UsageError if it is not valid TOML."""
        return read_toml(self.settings)

    def scores_until(self, images: int) -> list[dict[str, Any]]:
        """The newest score of training after at most so many images, as a card has it; [] where there is none.

        All scores of training are better when lower.
        """
        found: list[dict[str, Any]] = []
        for path in self.scores.glob("[0-9]*.json"):
            with suppress(OSError, ValueError, KeyError, TypeError):  # a damaged one is as good as none
                held = json.loads(path.read_text(encoding="utf-8"))
                if held["images"] <= images:
                    about = {"name": held["score"], "value": held["value"], "better": "lower"}
                    found.append({**about, "images": held["images"], "protocol": held["protocol"]})
        return sorted(found, key=lambda score: int(score["images"]))[-1:]

    @property
    def use(self) -> str | None:
        """The command that uses what the run's checkpoints have published so far; None where there is nothing."""
        commands = {
            self.generator: f"ganvas sample {self.path}",
            self.translator: f"ganvas apply {self.path} PICTURES --out DIR",
            self.classifier: f"ganvas classify {self.path} PICTURES",
        }
        return next((command for file, command in commands.items() if file.exists()), None)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for writing. Raises UsageError if another process trains it, DataError if it is not writable."""
        lock = filelock.FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=_A_LOOK)
        except filelock.Timeout:
            raise UsageError(f"{self.path} is being trained by another process; wait for it or stop it") from None
        except OSError as error:
            raise not_writable(self.path, error) from None
        try:
            for partial in self.path.rglob(".*.partial"):  # what a kill left half-written
                partial.unlink(missing_ok=True)
            yield
        finally:
            lock.release()


def check_not_in_training(run: Path) -> None:
    """Raises UsageError if another process trains the run at this moment. Nothing is left behind."""
    lock = run / ".lock"
    if not lock.exists():
        return
    try:
        with filelock.FileLock(lock).acquire(timeout=_A_LOOK):
            pass
    except filelock.Timeout:
        raise UsageError(f"{run} is being trained by another process; wait for it or stop it") from None
    except OSError:  # a run that this user may only read
        return


def not_writable(path: Path, error: OSError) -> DataError:
    """What to say when a run's folder does not take what is written to it."""
    why = error.strerror or str(error)
    return DataError(f"{path} cannot be written: {why}. Make room or give access, then: ganvas resume {path}")


def next_free(parent: Path, stem: str) -> Path:
    """The first of parent/stem-1, parent/stem-2 ... that does not exist."""
    number = 1
    while (parent / f"{stem}-{number}").exists():
        number += 1
    return parent / f"{stem}-{number}"


def environment() -> dict[str, Any]:
    """What a run was made with: versions, processor, threads, command."""
    return {
        "ganvas": VERSION,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": torch.cpu.get_capabilities().get("cpu_name") or platform.processor(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "command": sys.argv,
    }


def check_free(path: Path) -> None:
    """Raises UsageError if there is something at a path, so that no run can begin there."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        if (path / "settings.toml").exists():
            raise UsageError(f"{path} holds a run already. Go on: ganvas resume {path}; or choose another --out")
        raise UsageError(f"{path} holds something else already: choose another --out")
