"""What penalties on every fourth round cost, beside the same run with them in every round.

Each seed plays three runs of a recipe on Fashion-MNIST, one after another: R1 (and R2) in every round, on every fourth
with as many images, and on every fourth with so many more that the processor time is about the same.
"""

import time
from typing import Any

from benchmarks import common
from benchmarks.quality import COUNT, fashion_scorer

IMAGES = {"quick": 60_000, "r3gan-slim": 16_000}  # of a run with penalties in every round
SEEDS = (0, 1, 2)
EVERY = 4


def laziness() -> None:
    """Writes results/laziness.json, anew after each seed."""
    rows: list[dict[str, Any]] = []
    for recipe, images in IMAGES.items():
        for seed in SEEDS:
            exact = _played(recipe, images, seed, every=1)
            lazy = _played(recipe, images, seed, every=EVERY)
            longer = round(images * exact["processor_seconds"] / lazy["processor_seconds"])
            rows += [exact, lazy, _played(recipe, longer, seed, every=EVERY)]
            what = (
                f"the distance after penalties in every round, and on every {EVERY}th with as many images, then as long"
            )
            common.write("laziness", {"what": what, "rows": rows})


def _played(recipe: str, images: int, seed: int, every: int) -> dict[str, Any]:
    """The row of a run."""
    length = (f"training.stop.images={images}", f"training.seed={seed}", f"training.score={10**9}")
    penalties = ("r1", "r2") if recipe.startswith("r3gan") else ("r1",)
    chosen = common.settings(recipe, *length, *(f"loss.{penalty}.every={every}" for penalty in penalties))
    trainer = common.trainer(chosen, common.fashion(), lambda clock: None)
    start = time.process_time()
    trainer.train()
    seconds = time.process_time() - start
    fd = fashion_scorer()(trainer.task.sample(trainer.averages.networks["generator"], COUNT, None))
    row = {"recipe": recipe, "seed": seed, "every": every, "images": trainer.clock.images}
    row |= {"processor_seconds": round(seconds, 1), "fd": round(fd, 3)}
    print(row, flush=True)
    return row
