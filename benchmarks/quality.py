"""Quality in time: the Fréchet distance that each side has reached after so many seconds of its own training.

One process, taking turns: while the trainer trains for two seconds, the textbook loop trains for eight. Each side's
clock counts its own seconds; scoring is on neither clock. The score compares 10,000 generated pictures with the
10,000 test pictures in the features of the package's Fashion-MNIST classifier (`fashion`); its floor is the score of
10,000 training pictures.
"""

import json
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from benchmarks import common
from benchmarks.chart import write_chart
from benchmarks.textbook import Textbook
from ganvas import data, metrics
from ganvas.core.images import grid, to_uint8
from ganvas.metrics.scorer import Scorer
from ganvas.training.clock import Clock

SEEDS = (0, 1, 2)
TEXTBOOK_SECONDS, OUR_SECONDS = 600.0, 150.0
MARKS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
TURN = 2.0  # seconds of ours before the textbook's turn, which is longer in proportion
COUNT = 10_000
IMAGES = 150_000  # what our recipe plans its decay for


class Side:
    """One side's clock, its marks and its scores."""

    def __init__(self, seconds: float) -> None:
        self.spent = 0.0
        self.images = 0
        self.scores: list[dict[str, float]] = []
        self._marks = [mark * seconds for mark in MARKS]

    def at_mark(self) -> bool:
        return bool(self._marks) and self.spent >= self._marks[0]

    def score(self, scorer: Scorer, pictures: Sequence[Tensor]) -> None:
        while self._marks and self.spent >= self._marks[0]:
            self._marks.pop(0)
        row = {"seconds": round(self.spent, 1), "images": self.images, "fd": round(scorer(pictures), 4)}
        self.scores.append(row)
        print(row, flush=True)


def race(seed: int, dataset: data.Dataset, scorer: Scorer) -> dict[str, list[dict[str, float]]]:
    """Train both sides with one seed, in turns, and return their scores over time."""
    torch.manual_seed(seed)
    other = Textbook(seed)
    ours, theirs = Side(OUR_SECONDS), Side(TEXTBOOK_SECONDS)
    recipe = common.settings(
        "quick",
        f"training.stop.images={IMAGES}",
        f"training.seed={seed}",
        f"training.score={10**9}",
    )
    began = time.perf_counter()
    turn = 0.0

    def sampled() -> list[Tensor]:
        return list(trainer.task.sample(trainer.averages.networks["generator"], COUNT, None))

    def textbook_until(seconds: float) -> None:
        while theirs.spent < min(seconds, TEXTBOOK_SECONDS):
            start = time.perf_counter()
            other.step(common.real_batch(dataset, other.batch))
            theirs.spent += time.perf_counter() - start
            theirs.images += other.batch
            if theirs.at_mark():
                theirs.score(scorer, to_uint8(other.sample(COUNT)).split(500))

    def on_round(clock: Clock) -> None:
        nonlocal began, turn
        now = time.perf_counter()
        ours.spent, turn, ours.images = ours.spent + now - began, turn + now - began, clock.images
        if ours.at_mark():
            ours.score(scorer, sampled())
        if turn >= TURN:
            turn = 0.0
            textbook_until(ours.spent * TEXTBOOK_SECONDS / OUR_SECONDS)
        began = time.perf_counter()

    trainer = common.trainer(recipe, dataset, on_round)
    trainer.train()
    ours.score(scorer, sampled())
    textbook_until(TEXTBOOK_SECONDS)
    if seed == SEEDS[0]:
        for name, pictures in (("quick", torch.cat(sampled())), ("textbook", to_uint8(other.sample(100)))):
            grid(pictures[:100]).save(common.RESULTS / f"quality-{name}.png")
    return {"quick": ours.scores, "textbook": theirs.scores}


def seeds() -> None:
    """Writes results/quality-seeds.json: our side alone, over the seeds, to its planned end."""
    dataset, scorer = common.fashion(), fashion_scorer()
    rows = []
    for seed in SEEDS:
        chosen = common.settings(
            "quick", f"training.stop.images={IMAGES}", f"training.seed={seed}", f"training.score={10**9}"
        )
        trainer = common.trainer(chosen, dataset, lambda clock: None)
        trainer.train()
        pictures = trainer.task.sample(trainer.averages.networks["generator"], COUNT, None)
        row = {"seed": seed, "seconds": round(trainer.clock.seconds, 1), "images": trainer.clock.images}
        rows.append(row | {"fd": round(scorer(pictures), 4)})
        print(rows[-1], flush=True)
        common.write("quality-seeds", {"what": "recipe quick alone, as in quality", "raw": rows})


def fashion_scorer() -> Scorer:
    """Measures the distance to the 10,000 test pictures of Fashion-MNIST."""
    held_out = data.open_data("fashion-mnist/test", size=32, say=print)
    return Scorer(metrics.extractor("fashion", 1), held_out.images[:COUNT])


def quality() -> None:
    """Writes results/quality.json and results/quality.svg; goes on with the seeds that the former lacks."""
    dataset, scorer = common.fashion(), fashion_scorer()
    spread = np.linspace(0, len(dataset) - 1, COUNT).astype(int)
    floor = scorer(torch.from_numpy(dataset.images[spread]).split(500))
    written = common.RESULTS / "quality.json"
    former = json.loads(written.read_text()) if written.exists() else {}
    races, dates = former.get("races", {}), former.get("dates", {})
    for seed in SEEDS:
        if str(seed) in races:
            continue
        races[str(seed)], dates[str(seed)] = race(seed, dataset, scorer), time.strftime("%Y-%m-%d")
        ends = {name: common.summary([run[name][-1]["fd"] for run in races.values()]) for name in ("quick", "textbook")}
        common.write(
            "quality",
            {
                "what": "Fréchet distance in `fashion` features, 10,000 generated against 10,000 test pictures",
                "textbook_seconds": TEXTBOOK_SECONDS,
                "our_seconds": OUR_SECONDS,
                "training_pictures": len(dataset),
                "floor": floor,
                "at_the_end": ends,
                "races": races,
                "dates": dates,
            },
        )
        write_chart(races, floor, common.RESULTS / "quality.svg")
