"""One run of the comparison of few labels, through the public API: training, the accuracy on the test set, a row.

`python -m benchmarks.few_labels_run LABELS KIND SEED IMAGES` does what of it has not been done yet.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import ganvas
from benchmarks.few_labels import CORES, KINDS, PARTS, Job, Places
from benchmarks.jobs import on_cores
from benchmarks.played import dated, parameters
from ganvas.core import files
from ganvas.training.folder import RunFolder

_SIZE = 32


def main() -> None:
    labels, kind, seed, images = sys.argv[1:]
    with on_cores(CORES):
        run(Job(int(labels), kind, int(seed)), Places.of(int(images)), int(images))


def run(job: Job, places: Places, images: int) -> None:
    """Train, or go on training, tell the test pictures, and write the row."""
    folder = places.runs / str(job) / "run"
    if (folder / "settings.toml").exists():
        trained = ganvas.resume(folder, say=print)
    else:
        asked = [f"data.labels={job.labels}", "data.mirror=true", "training.score=4000", "training.tensorboard=off"]
        asked += (KINDS | PARTS)[job.kind]
        planned = {"recipe": "few-labels", "size": _SIZE, "images": images, "seed": job.seed, "device": "cpu"}
        trained = ganvas.train("fashion-mnist", out=folder, say=print, set=asked, **planned)
    end = trained.journal[-1]
    row = vars(job) | {"images": end["images"], "seconds": end["seconds"]}
    row |= {"accuracy": accuracy(folder), "best_on_the_way": round(1 - end["score"]["best"], 4)}
    chosen = ganvas.plan("fashion-mnist", recipe="few-labels", size=_SIZE, set=[f"data.labels={job.labels}"]).settings
    row |= {"parameters": parameters(chosen), "settings": settings_of(folder)}
    files.write_text(places.row_of(job), json.dumps(dated(row), indent=1) + "\n")
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def accuracy(folder: Path) -> float:
    """The part of the 10,000 test pictures that the averaged classifier tells."""
    classifier = ganvas.load_classifier(folder, device="cpu")
    test = ganvas.open_data("fashion-mnist/test", size=_SIZE, channels=1, say=print)
    told, _ = classifier.classify(test.images)
    assert test.classes == classifier.classes
    return float((told == test.labels).mean())


def settings_of(folder: Path) -> dict[str, Any]:
    """What the run was told of losses, augmentation and optimizers."""
    values = RunFolder(folder).read_settings()
    told = ("loss", "augment", "strong", "classifier", "classifier_optimizer", "generator", "generator_optimizer")
    return {name: values[name] for name in told if name in values}


if __name__ == "__main__":
    main()
