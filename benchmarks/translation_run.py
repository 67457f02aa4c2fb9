"""One run of the measurement of pictures to pictures, through the public API: training, scores, a row, a sheet.

`python -m benchmarks.translation_run PROBLEM SEED SECONDS` does what of it has not been done yet.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import ganvas
from benchmarks.jobs import on_cores
from benchmarks.played import UNDISTURBED, Meter, dated, once, trained
from benchmarks.translation import CORES, PROBLEMS, Job, Places, parts
from ganvas.core import files
from ganvas.training.folder import RunFolder

_SHOWN, _SIDE_BY_SIDE = 12, 2  # pictures of a sheet, and how many stand in a row


def main() -> None:
    problem, seed, seconds = sys.argv[1:]
    with on_cores(CORES):
        run(Job(problem, int(seed)), Places.of(float(seconds)), float(seconds))


def run(job: Job, places: Places, seconds: float) -> None:
    """Do what is missing of a run, and write its row last."""
    folder, problem = places.runs / str(job), PROBLEMS[job.problem]
    learned, scored = parts(problem)
    whole = train(job, learned, scored, folder / "run", seconds * problem.part)
    judged = ganvas.evaluate(folder / "run", scored, say=print)
    row: dict[str, Any] = {"problem": job.problem, "seed": job.seed, "planned_seconds": seconds * problem.part}
    row |= whole | {"scores": {score.protocol.metric: score.as_dict() for score in judged.scores}}
    row["heads"] = list(judged.sheet.heads)
    places.rows.mkdir(parents=True, exist_ok=True)
    pictures = judged.sheet.pictures[:_SHOWN]
    sheet = ganvas.grid(pictures.reshape(-1, *pictures.shape[2:]), pictures.shape[1] * _SIDE_BY_SIDE)
    sheet.save(places.rows / f"{job}.png", optimize=True)
    files.write_text(places.row_of(job), json.dumps(dated(row), indent=1) + "\n")
    shutil.rmtree(folder / "run" / "checkpoints", ignore_errors=True)


def train(job: Job, learned: Path, scored: Path, folder: Path, seconds: float) -> dict[str, Any]:
    """Train, or go on training, as `ganvas train` does when it is given a time; what falls does so over that time."""
    problem = PROBLEMS[job.problem]

    def start(meter: Meter) -> Any:
        own = [f"data.test={json.dumps(str(scored))}", "data.held_out=0", "training.tensorboard=off"]
        choices = {"recipe": problem.recipe, "seed": job.seed, "device": "cpu"}
        set = [*own, *UNDISTURBED, *problem.set]
        return ganvas.train(learned, time=seconds, out=folder, on_round=meter, say=print, set=set, **choices)

    def make() -> dict[str, Any]:
        return trained(folder, start) | {"size": RunFolder(folder).read_settings()["data"]["size"]}

    return once(folder.parent / "trained.json", make)


if __name__ == "__main__":
    main()
