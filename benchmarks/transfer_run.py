"""One run of the transfer measurement, through the public API: the source if it is missing, training, scores, a row.

`python -m benchmarks.transfer_run WAY SEED SECONDS SOURCE_SECONDS` does what of it has not been done yet.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import ganvas
from benchmarks.jobs import on_cores
from benchmarks.played import UNDISTURBED, Meter, dated, once, trained
from benchmarks.transfer import CORES, SIZE, WAYS, Job, Places
from ganvas.core import files
from ganvas.training.folder import RunFolder

_GRID = 64
_COUNT = 5_000  # generated pictures that are judged


def main() -> None:
    way, seed, seconds, source_seconds = sys.argv[1:]
    with on_cores(CORES):
        run(Job(way, int(seed)), Places.of(float(seconds), float(source_seconds)))


def run(job: Job, places: Places) -> None:
    """Do what is missing of a run, and write its row last."""
    way, folder = WAYS[job.way], places.runs / str(job)
    source = {}
    if way.transfers:
        source = train(places.pictures("source"), places.source, places.source_seconds, 0, ())
    begin = places.source if way.transfers else None
    seconds = places.seconds * way.part
    whole = train(places.pictures("few"), folder / "run", seconds, job.seed, way.set, start_from=begin)
    row: dict[str, Any] = {"way": job.way, "seed": job.seed, "planned_seconds": round(seconds, 1), **whole}
    row |= {"source": source, "few": len(list(places.pictures("few").iterdir()))}
    row["scores"] = scores(folder / "run", places)
    places.rows.mkdir(parents=True, exist_ok=True)
    pictures = ganvas.load(folder / "run", device="cpu").sample(range(_GRID))
    ganvas.grid(pictures, 8).save(places.rows / f"{job}.png", optimize=True)
    files.write_text(places.row_of(job), json.dumps(dated(row), indent=1) + "\n")
    shutil.rmtree(folder / "run" / "checkpoints", ignore_errors=True)


def train(
    pictures: Path, folder: Path, seconds: float, seed: int, own: tuple[str, ...], start_from: Path | None = None
) -> dict[str, Any]:
    """Train, or go on training, as `ganvas train` does when it is given a time; what falls does so over that time."""

    def start(meter: Meter) -> Any:
        set = ["data.classes=[]", "training.tensorboard=off", *UNDISTURBED, *own]
        choices = {"size": SIZE, "seed": seed, "device": "cpu", "set": set, "start_from": start_from}
        return ganvas.train(pictures, time=seconds, out=folder, on_round=meter, say=print, **choices)

    def make() -> dict[str, Any]:
        told = trained(folder, start)
        chosen = RunFolder(folder).read_settings()
        return told | {"recipe": chosen["recipe"], "augment": chosen["augment"].get("name")}

    return once(folder.parent / "trained.json", make)


def scores(folder: Path, places: Places) -> dict[str, dict[str, Any]]:
    """Each score with its protocol, by the name of the metric; copies are looked for among the pictures learned."""
    found, others = {}, places.pictures("others")
    for part, metrics, held_out in (("others", ["kd", "fd", "prdc"], None), ("few", ["memorization"], others)):
        against = places.pictures(part)
        judged = ganvas.evaluate(folder, against, metrics=metrics, count=_COUNT, held_out=held_out, say=print)
        found |= {score.protocol.metric: score.as_dict() for score in judged.scores}
    return found


if __name__ == "__main__":
    main()
