"""One run of the comparison, through the public API: a probe of the speed, training, scores, a row and a sample grid.

`python -m benchmarks.comparison_run DATA RECIPE SEED SECONDS` does what of it has not been done yet.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

import ganvas
from benchmarks.comparison import CORES, DATA, DataSet, Job, Places
from benchmarks.jobs import on_cores
from benchmarks.played import UNDISTURBED, Meter, dated, once, parameters, trained
from ganvas.core import files
from ganvas.core.settings import to_dict
from ganvas.training.clock import Clock

_PROBE = 20.0  # seconds, of which the first quarter does not count; of short trials a tenth
_PLANNED = 0.9  # part of the time in which rates that fall have fallen, so that a slower hour does not cut them
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
        "set": ["data.classes=[]", "training.tensorboard=off", *UNDISTURBED, *data.set],
    }
    speed = once(folder / "probe.json", lambda: probe(data, choices, folder / "probe", min(_PROBE, seconds / 10)))
    planned = max(1, round(speed["images_per_second"] * seconds * _PLANNED))
    whole = once(folder / "trained.json", lambda: train(data, choices, folder / "run", seconds, planned))
    row = {"data": job.data, "recipe": job.recipe, "seed": job.seed, "against": data.against}
    row |= {"probe": speed, **whole}
    row["parameters"] = parameters(ganvas.plan(data.where, say=print, **choices).settings)
    row["scores"] = scores(folder / "run", data)
    places.rows.mkdir(parents=True, exist_ok=True)
    pictures = ganvas.load(folder / "run", device="cpu").sample(range(_GRID))
    ganvas.grid(pictures, 8).save(places.rows / f"{job}.png", optimize=True)
    _save_reals(data, places.rows / f"{job.data}-real.png")
    files.write_text(places.row_of(job), json.dumps(dated(row), indent=1) + "\n")
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

    def start(meter: Meter) -> Any:
        falling = _lengths(to_dict(ganvas.plan(data.where, images=planned, say=print, **choices).settings))
        told = choices | {"set": [*choices["set"], *falling]}
        return ganvas.train(data.where, time=seconds, out=folder, on_round=meter, say=print, **told)

    found = trained(folder, start)
    rate = round(found["images"] / found["seconds"], 1)
    return {"planned_seconds": seconds, "planned_images": planned, "images_per_second": rate, **found}


def _lengths(values: dict[str, Any], above: str = "") -> list[str]:
    """The lengths in images that a plan has settled, as assignments for a run that stops by time alone."""
    found: list[str] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _lengths(value, f"{above}{name}.")
        elif name == "decay_images" and value is not None:
            found.append(f"{above}{name}={value}")
    return found


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


if __name__ == "__main__":
    main()
