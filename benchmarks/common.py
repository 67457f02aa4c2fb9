"""What the measurements share: the data, trainers as the commands make them, and how a result is written down."""

import datetime
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from ganvas import api, data, tasks
from ganvas.core.images import to_float
from ganvas.core.settings import to_toml
from ganvas.training.clock import Clock
from ganvas.training.folder import RunFolder, environment
from ganvas.training.processes import Processes
from ganvas.training.trainer import Trainer

RESULTS = Path(__file__).parent / "results"


def fashion(size: int = 32) -> data.Dataset:
    """Fashion-MNIST, whole where it is found, else the bundled part."""
    return data.open_data("fashion-mnist", size=size, say=print)


def settings(recipe: str, *assignments: str, where: str = "fashion-mnist", seconds: float | None = None) -> Any:
    """The settings of a recipe on Fashion-MNIST at 32 x 32, without classes.

    seconds: how long to train; None: the images that are usual.
    """
    asked = ["data.classes=[]", *assignments]
    return api.plan(where, recipe=recipe, size=32, time=seconds, set=asked, say=print).settings


def trainer(chosen: Any, dataset: data.Dataset, on_round: Callable[[Clock], None]) -> Trainer:
    """A trainer as `ganvas train` makes it, in a folder for temporary files."""
    run = RunFolder.create(Path(tempfile.mkdtemp(prefix="ganvas-bench-")) / "run", to_toml(chosen))
    game = tasks.task(chosen.task)(chosen, dataset)
    fingerprint = dataset.fingerprint
    return Trainer(game, chosen.training, run, processes=Processes(), fingerprint=fingerprint, on_round=on_round)


def real_batch(dataset: data.Dataset, size: int) -> torch.Tensor:
    """float32 [size, C, H, W]: random reals, as a textbook loop takes them."""
    return to_float(torch.from_numpy(dataset.images[torch.randint(len(dataset), (size,)).numpy()]))


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def read(name: str) -> dict[str, Any]:
    """What benchmarks/results/NAME.json holds; {} where there is none."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def write(name: str, content: dict[str, Any]) -> None:
    """Write benchmarks/results/NAME.json with the machine, the date and the command."""
    about = {key: value for key, value in environment().items() if key != "command"}
    whole = {
        "benchmark": name,
        "date": datetime.date.today().isoformat(),
        "command": "python -m benchmarks " + " ".join(sys.argv[1:]),
        "machine": about,
    } | content
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(whole, indent=1) + "\n")
    print(f"written: {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
