"""Every recipe on two data sets at equal wall-clock: `python -m benchmarks comparison`, or `make quality`.

Each run is a process of its own (comparison_run.py), one at a time. A row a run is kept in results/comparison/; what
has one is not run again, and a run that was broken off is resumed, so the command can be stopped and given again at any
time. Once every recipe has been tried with the first seed, the best by Fréchet distance are run with the others.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import comparison_page, jobs
from benchmarks.jobs import read_rows
from ganvas.recipes import RECIPES, task_of
from ganvas.tasks import TRANSLATES

SECONDS = 600.0  # of training, by the trainer's own clock
CORES = 2
SEEDS = (0, 1, 2)
BEST = 3  # recipes that are run with every seed
# As published these are made for days on a GPU; their -slim forms stand in their place, and all others take part.
FOR_GPU = ("r3gan", "stylegan2", "stylegan2-ada", "sngan", "biggan")
FOR_CLASSES = ("few-labels",)  # these make a classifier, and have a comparison of their own (few_labels.py)
CONTENDERS = tuple(name for name in RECIPES if name not in (*FOR_GPU, *FOR_CLASSES) and task_of(name) not in TRANSLATES)

_HERE = Path(__file__).parent
_DOCS = _HERE.parent / "docs"


@dataclass(frozen=True)
class DataSet:
    """What is learned, at 32 x 32 and without classes, and the real pictures that generated ones are compared with.

    held_out: real pictures for the floor; None: those that the run kept out of training. set: settings beside the
    recipe's. count: generated pictures that are judged.
    """

    where: str
    against: str
    held_out: str | None = None
    set: tuple[str, ...] = ()
    count: int = 10_000


DATA = {
    "fashion-mnist": DataSet("fashion-mnist", against="fashion-mnist/test", held_out="fashion-mnist"),
    # Both vendors. Too few could be held out to be the reference, so that is the training pictures.
    "emoji": DataSet(".data/emoji", against=".data/emoji", set=("data.held_out=1000",), count=5_000),
}


@dataclass(frozen=True)
class Job:
    """One run of the comparison; its place among the runs and the results has its name."""

    data: str
    recipe: str
    seed: int

    def __str__(self) -> str:
        return f"{self.data}-{self.recipe}-{self.seed}"


class Places(jobs.Places):
    """Those of the comparison; beside rows lie their sample grids, beside the page its picture."""

    @classmethod
    def of(cls, seconds: float) -> "Places":
        """Those of the comparison itself; trials of another length are kept apart, where git ignores them."""
        if seconds == SECONDS:
            return cls(_HERE / "runs" / "comparison", _HERE / "results" / "comparison", _DOCS / "comparison.md")
        trial = _HERE / "runs" / f"comparison-{seconds:g}s"
        return cls(trial, trial / "rows", trial / "comparison.md")


def main(arguments: Sequence[str]) -> int:
    """Run what is missing, then write the page from the rows there are. Returns the exit status.

    Takes the arguments after `python -m benchmarks comparison`.
    """
    chosen, status = _parsed(arguments), 0
    places = Places.of(chosen.seconds)
    try:
        if not chosen.table:
            compare(places, chosen.seconds, chosen.data, chosen.recipes)
    except KeyboardInterrupt:
        print("interrupted and saved; the same command goes on")
        status = 130
    if rows := read_rows(places):
        comparison_page.write(rows, places.rows, places.page, CONTENDERS, FOR_GPU)
        print(f"written: {places.page} and {places.page.with_suffix('.png').name}")
    return status


def compare(places: Places, seconds: float, data: Sequence[str], recipes: Sequence[str]) -> None:
    """Every recipe with the first seed, then the best of each data set with the others."""
    for name in data:
        for recipe in recipes:
            settle(Job(name, recipe, SEEDS[0]), places, seconds)
    for name in data:
        for recipe in best(read_rows(places), name):
            for seed in SEEDS[1:]:
                settle(Job(name, recipe, seed), places, seconds)


def best(rows: Sequence[dict[str, Any]], data: str) -> list[str]:
    """The recipes with the lowest Fréchet distances of the first seed on a data set."""
    firsts = [row for row in rows if row["data"] == data and row["seed"] == SEEDS[0] and "error" not in row]
    firsts.sort(key=lambda row: row["scores"]["fd"]["value"])
    return [row["recipe"] for row in firsts[:BEST]]


def settle(job: Job, places: Places, seconds: float) -> None:
    """As `jobs.settle`."""
    jobs.settle(job, places, lambda: play(job, places, seconds), lambda row: f"FD {row['scores']['fd']['value']:.4g}")


def play(job: Job, places: Places, seconds: float) -> tuple[int, str]:
    """One run in a process of its own: its exit status, and the last line that it wrote."""
    arguments = [job.data, job.recipe, str(job.seed), f"{seconds:g}"]
    return jobs.play_alone("comparison_run", arguments, places.runs / str(job) / "output.log", CORES)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    def several(names: str) -> list[str]:
        return names.split(",")

    parser = argparse.ArgumentParser(prog="python -m benchmarks comparison")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of training; a trial's results are kept apart")
    parser.add_argument("--data", type=several, default=list(DATA), help="some of the data sets: a,b")
    parser.add_argument("--recipes", type=several, default=list(CONTENDERS), help="some of the recipes: a,b")
    parser.add_argument("--table", action="store_true", help="run nothing; write table and picture anew")
    chosen = parser.parse_args(arguments)
    for name in chosen.data:
        if name not in DATA:
            parser.error(f"no data set {name}; there are: {', '.join(DATA)}")
    for name in chosen.recipes:
        if name not in RECIPES:
            parser.error(f"no recipe {name}; there are: {', '.join(RECIPES)}")
    return chosen
