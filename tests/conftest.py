"""What tests share: one thread, because their networks are so small; a game that needs no data; the command line."""

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests_shared import SMALL_RUN

from ganvas import cli
from ganvas.plane import Plane
from ganvas.training.averages import AverageSettings
from ganvas.training.folder import RunFolder
from ganvas.training.processes import Processes
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import Trainer, TrainingSettings

torch.set_num_threads(1)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads are forbidden, and what is kept is in a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GANVAS_OFFLINE", "1")
    monkeypatch.delenv("GANVAS_DATA", raising=False)


@pytest.fixture
def here(offline: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `offline`, and the work is done in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def ring_trainer(tmp_path: Path) -> Callable[..., Trainer]:
    """Makes a trainer of the toy game in a folder below tmp_path; the same name again continues that run."""

    def make(name: str = "run", *, images: int = 640, fingerprint: str = "ring", say=print, **chosen) -> Trainer:
        settings = TrainingSettings(
            **{"batch": 32, "tick": 128, "preview": 10**9, "checkpoint": 128, "score": 10**9, "tensorboard": "off"}
            | {"average": AverageSettings(half_life=200), "stop": StopSettings(images=images)}
            | chosen
        )
        path = tmp_path / name
        run = RunFolder.open(path) if path.exists() else RunFolder.create(path, "")
        return Trainer(Plane(settings), settings, run, processes=Processes(), fingerprint=fingerprint, say=say)

    return make


@pytest.fixture
def ganvas(monkeypatch, capsys):
    """Runs a command and returns its exit status, what it printed, and what it said to a person."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["ganvas", *map(str, arguments)])
        capsys.readouterr()
        status = 0
        try:
            cli.main()
        except SystemExit as leaving:
            status = leaving.code or 0
        printed = capsys.readouterr()
        return status, printed.out, " ".join(printed.err.split())

    return call


@pytest.fixture
def trained(ganvas):
    """A run of 16 images with classes, in the folder where the work is done."""
    assert ganvas("train", "digits", "--images", 16, "--out", "run", *SMALL_RUN)[0] == 0
    return Path("run")
