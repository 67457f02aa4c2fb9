"""One run of the comparison, through the public API: a probe of the speed, training, scores, a row and a sample grid.

`python -m benchmarks.comparison_run DATA RECIPE SEED SECONDS` does what of it has not been done yet.
"""

import datetime
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import ganvas
from benchmarks.comparison import CORES, DATA, DataSet, Job, Places
from benchmarks.jobs import on_cores
from ganvas.core import files
from ganvas.core.settings import to_dict
from ganvas.training.clock import Clock
from ganvas.training.folder import environment

_PROBE = 20.0  # seconds, of which the first quarter does not count; of short trials a tenth
_PLANNED = (
    0.9  # part of the time in which learning rates that fall have fallen, so that a slower hour does not cut them
)
_NEVER = 10**9
# The clock runs while a run looks at itself, so it does that every 30 seconds, and saves every two minutes, all alike.
_UNDISTURBED = [f"training.{name}={_NEVER}" for name in ("tick", "preview", "checkpoint", "score")]
_GRID = 64


def main() -> None:
    data, recipe, seed, seconds = sys.argv[1:]
    with on_cores(CORES):
        run(Job(data, recipe, int(seed)), Places.of(float(seconds)), float(seconds))


def run(job: Job, places: Places, seconds: float) -> None:
    """Do what is missing of a run, and write its row last."""
    data, folder = DATA[job.data], places.runs / str(job)
    choices = {
        "recipe": job.recipe,
        "size": 32,
        "seed": job.seed,
        "device": "cpu",
        "set": ["data.classes=[]", "training.tensorboard=off", *_UNDISTURBED, *data.set],
    }
    speed = _once(folder / "probe.json", lambda: probe(data, choices, folder / "probe", min(_PROBE, seconds / 10)))
    planned = max(1, round(speed["images_per_second"] * seconds * _PLANNED))
    trained = _once(folder / "trained.json", lambda: train(data, choices, folder / "run", seconds, planned))
    row = {"data": job.data, "recipe": job.recipe, "seed": job.seed, "against": data.against}
    row |= {"probe": speed, **trained}
    row["parameters"] = parameters(ganvas.plan(data.where, say=print, **choices).settings)
    row["scores"] = scores(folder / "run", data)
    row["date"] = datetime.date.today().isoformat()
    row["machine"] = {name: value for name, value in environment().items() if name != "command"}
    places.rows.mkdir(parents=True, exist_ok=True)
    pictures = ganvas.load(folder / "run", device="cpu").sample(range(_GRID))
    ganvas.grid(pictures, 8).save(places.rows / f"{job}.png", optimize=True)
    _save_reals(data, places.rows / f"{job.data}-real.png")
    files.write_text(places.row_of(job), json.dumps(row, indent=1) + "\n")
    shutil.rmtree(folder / "probe", ignore_errors=True)
    shutil.rmtree(folder / "run" / "checkpoints", ignore_errors=True)


def probe(data: DataSet, choices: dict[str, Any], folder: Path, seconds: float) -> dict[str, float]:
    """How many images a second a short training sees, once it is warm; it counts for nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    clocks = [Clock()]
    ganvas.train(data.where, time=seconds, out=folder, on_round=clocks.append, say=print, **choices)
    warm, end = clocks[(len(clocks) - 1) // 4], clocks[-1]
    rate = (end.images - warm.images) / (end.seconds - warm.seconds)
    return {"seconds": round(end.seconds, 1), "images_per_second": round(rate, 1)}


def train(data: DataSet, choices: dict[str, Any], folder: Path, seconds: float, planned: int) -> dict[str, Any]:
    """Train, or go on training, until the clock says so; what falls during a run does so over the planned images."""
    meter = Meter()
    if (folder / "settings.toml").exists():
        trained = ganvas.resume(folder, on_round=meter, say=print)
    else:
        falling = _lengths(to_dict(ganvas.plan(data.where, images=planned, say=print, **choices).settings))
        choices = choices | {"set": [*choices["set"], *falling]}
        trained = ganvas.train(data.where, time=seconds, out=folder, on_round=meter, say=print, **choices)
    end = trained.journal[-1]
    return {
        "planned_seconds": seconds,
        "planned_images": planned,
        "seconds": end["seconds"],
        "images": end["images"],
        "images_per_second": round(end["images"] / end["seconds"], 1),
        "processor_seconds": None if meter.share is None else round(meter.share * end["seconds"]),
        "findings": end.get("health", []),
    }


class Meter:
    """Processor seconds to a second of training, over the rounds that this process has played.

    Called after each round. Asks the training to save and stop if the comparison that started it is gone.
    """

    def __init__(self) -> None:
        self._seconds = self._processor = 0.0
        self._before: tuple[Clock, float] | None = None
        self._parent = os.getppid()

    def __call__(self, clock: Clock) -> None:
        now = time.process_time()
        if self._before is not None:
            self._seconds += clock.seconds - self._before[0].seconds
            self._processor += now - self._before[1]
        self._before = clock, now
        if os.getppid() != self._parent:
            signal.raise_signal(signal.SIGTERM)

    @property
    def share(self) -> float | None:
        """None before two rounds."""
        return self._processor / self._seconds if self._seconds else None


def _lengths(values: dict[str, Any], above: str = "") -> list[str]:
    """The lengths in images that a plan has settled, as assignments for a run that stops by time alone."""
    found: list[str] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _lengths(value, f"{above}{name}.")
        elif name == "decay_images" and value is not None:
            found.append(f"{above}{name}={value}")
    return found


def parameters(chosen: Any) -> dict[str, int]:
    """How many weights each network has."""
    built = zip(chosen.NETWORKS, chosen.check_networks(), strict=True)
    return {role: sum(weight.numel() for weight in network.parameters()) for role, network in built}


def scores(folder: Path, data: DataSet) -> dict[str, dict[str, Any]]:
    """Each score with its protocol, by the name of the metric; copies are looked for among the training pictures."""
    wanted = {data.against: ["fd", "kd", "prdc"]}
    wanted.setdefault(data.where, []).append("memorization")
    found = {}
    for against, metrics in wanted.items():
        held_out = data.held_out if against == data.against else None
        judged = ganvas.evaluate(folder, against, metrics=metrics, count=data.count, held_out=held_out, say=print)
        found |= {score.protocol.metric: score.as_dict() for score in judged.scores}
    return found


def _save_reals(data: DataSet, path: Path) -> None:
    if not path.exists():
        images = ganvas.open_data(data.against, size=32, say=print).images
        spread = np.linspace(0, len(images) - 1, _GRID).astype(int)
        ganvas.grid(images[spread], 8).save(path, optimize=True)


def _once(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a file holds; where there is none it is made and kept."""
    if not path.exists():
        files.write_text(path, json.dumps(make()) + "\n")
    kept: dict[str, Any] = json.loads(path.read_text())
    return kept


if __name__ == "__main__":
    main()
