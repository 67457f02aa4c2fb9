"""A classifier from few labels against the same one on those alone: `python -m benchmarks few_labels`.

Each run is a process of its own (few_labels_run.py), one at a time. A row a run is kept in results/few-labels/; what
has one is not run again, and a run that was broken off is resumed, so the command can be stopped and given again at any
time. The table of docs/few-labels.md is written from the rows there are.
"""

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import jobs
from benchmarks.jobs import read_rows

IMAGES = 24_000  # pictures without a label that a run sees, and as many with one, again and again
CORES = 2
SEEDS = (0, 1, 2)
LABELS = (100, 1_000)
BEGIN, END = "<!-- written by `python -m benchmarks few_labels` -->", "<!-- end of what is written -->"
# What is learned from, beside the labelled pictures; all else of the recipe is the same.
KINDS = {
    "labels alone": ("loss.adversarial=0", "loss.pseudo_labels=0"),
    "few-labels": (),
}
# What the parts of the recipe bring, with the first seed.
PARTS = {
    "generator alone": ("loss.pseudo_labels=0",),
    "pseudo labels alone": ("loss.adversarial=0",),
}

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Job:
    """One run; its place among the runs and the results has its name."""

    labels: int
    kind: str
    seed: int

    def __str__(self) -> str:
        return f"{self.labels}-{self.kind.replace(' ', '-')}-{self.seed}"


class Places(jobs.Places):
    """Those of the comparison of few labels."""

    @classmethod
    def of(cls, images: int) -> "Places":
        """Those of the comparison itself; trials of another length are kept apart, where git ignores them."""
        if images == IMAGES:
            return cls(
                _HERE / "runs" / "few-labels", _HERE / "results" / "few-labels", _HERE.parent / "docs/few-labels.md"
            )
        trial = _HERE / "runs" / f"few-labels-{images}"
        return cls(trial, trial / "rows", trial / "few-labels.md")


def main(arguments: Sequence[str]) -> int:
    """Run what is missing, then write the page from the rows there are. Returns the exit status.

    Takes the arguments after `python -m benchmarks few_labels`.
    """
    chosen = _parsed(arguments)
    places, status = Places.of(chosen.images), 0
    try:
        for job in [] if chosen.table else every_job(chosen.seeds, chosen.labels):
            settle(job, places, chosen.images)
    except KeyboardInterrupt:
        print("interrupted and saved; the same command goes on")
        status = 130
    if rows := read_rows(places):
        write_page(rows, places.page)
        print(f"written: {places.page}")
    return status


def every_job(seeds: Sequence[int], labels: Sequence[int]) -> list[Job]:
    """What there is to run: a seed after the other, and then what the parts bring."""
    whole = [Job(count, kind, seed) for seed in seeds for count in labels for kind in KINDS]
    return whole + [Job(count, part, SEEDS[0]) for count in labels for part in PARTS if SEEDS[0] in seeds]


def settle(job: Job, places: Places, images: int) -> None:
    """Run or resume what has no row yet. Raises RuntimeError, with its last words, for a run that fails."""
    row = places.row_of(job)
    if row.exists():
        print(f"{job}: done before")
        return
    arguments = [str(job.labels), job.kind, str(job.seed), str(images)]
    log = places.runs / str(job) / "output.log"
    status, last_words = jobs.play_alone("few_labels_run", arguments, log, CORES)
    if jobs.is_interrupt(status):
        raise KeyboardInterrupt
    if status:
        raise RuntimeError(f"{job} failed: {last_words} ({log})")
    print(f"{job}: accuracy {json.loads(row.read_text())['accuracy']:.2%}", flush=True)


def write_page(rows: Sequence[dict[str, Any]], page: Path) -> None:
    """Put the tables between the marks of a page, which is begun where there is none."""
    jobs.put_between(page, BEGIN, "\n\n".join(["", table(rows, [*KINDS, *PARTS]), _how(rows), ""]), END)


def table(rows: Sequence[dict[str, Any]], kinds: Sequence[str]) -> str:
    """Test accuracies in Markdown: the mean over the seeds, then each, by labels and by what is learned from."""
    lines = ["| labels | learned from | accuracy | by seed | best on the way, by seed | images | minutes |"]
    lines.append("|---|---|---|---|---|---|---|")
    for labels in sorted({row["labels"] for row in rows}):
        for kind in kinds:
            its = sorted((row for row in rows if (row["labels"], row["kind"]) == (labels, kind)), key=_seed)
            if its:
                mean = statistics.mean(row["accuracy"] for row in its)
                seeds = ", ".join(f"{row['accuracy']:.2%}" for row in its)
                best = ", ".join(f"{row['best_on_the_way']:.1%}" for row in its)
                minutes = ", ".join(f"{row['seconds'] / 60:.1f}" for row in its)
                cells = (f"{labels:,}", kind, f"**{mean:.2%}**", seeds, best, f"{its[0]['images']:,}", minutes)
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _seed(row: dict[str, Any]) -> int:
    return int(row["seed"])


def _how(rows: Sequence[dict[str, Any]]) -> str:
    machine, dates = rows[0]["machine"], sorted({row["date"] for row in rows})
    parameters = rows[0]["parameters"]
    return (
        f"Seeds {', '.join(map(str, sorted({row['seed'] for row in rows})))} of {len(SEEDS)}; "
        f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}; `python -m benchmarks few_labels`; "
        f"{CORES} cores of an {machine['processor']}, torch {machine['torch']}; parameters: "
        f"classifier {parameters['classifier']:,}, generator {parameters['generator']:,}."
    )


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    def numbers(text: str) -> list[int]:
        return [int(number) for number in text.split(",")]

    parser = argparse.ArgumentParser(prog="python -m benchmarks few_labels")
    parser.add_argument("--images", type=int, default=IMAGES, help="a run sees; a trial's results are kept apart")
    parser.add_argument("--seeds", type=numbers, default=list(SEEDS), help="some of the seeds: 0,1")
    parser.add_argument("--labels", type=numbers, default=list(LABELS), help="some of the numbers of labels: 100")
    parser.add_argument("--table", action="store_true", help="run nothing; write the table anew")
    return parser.parse_args(arguments)
