"""Transfer: 300 emoji learned from nothing, and from a run on the other vendor's, in a third of the time.

`python -m benchmarks transfer` first trains the source, then each way with each seed, every run in a process of its own
(transfer_run.py), one at a time. A row a run is kept in results/transfer/; what has one is not run again, and a run
that was broken off is resumed, so the command can be stopped and given again at any time.

The pictures: of the emoji that both vendors drew, by name in order, 300 evenly spread are learned as the one drew them.
The source has learned the others' as the other drew them, so that no emoji of the 300 is among them. What comes out is
compared with the one's drawings of the others, which no run has seen.
"""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import jobs, transfer_page
from benchmarks.jobs import read_rows

SECONDS, SOURCE_SECONDS = 120.0, 600.0  # of training, by the trainer's own clock: from nothing, and the source's
CORES = 1  # two such measurements can go side by side on two
SEEDS = (0, 1, 2)
FEW = 300  # pictures
SIZE = 32
LEARNED, OTHER = "google", "twitter"  # vendors

_HERE = Path(__file__).parent
_EMOJI = _HERE.parent / ".data" / "emoji"


@dataclass(frozen=True)
class Way:
    """How the 300 are learned: in which part of the time, from the source or from nothing, with which settings."""

    told: str
    part: float
    transfers: bool = False
    set: tuple[str, ...] = ()


WAYS = {
    "scratch": Way("from nothing", 1.0),
    "scratch-third": Way("from nothing", 1 / 3),
    "transfer-third": Way("from the source", 1 / 3, transfers=True),
    "freeze-third": Way("from the source, FreezeD", 1 / 3, transfers=True, set=("discriminator_frozen=2",)),
    "transfer": Way("from the source", 1.0, transfers=True),
}


@dataclass(frozen=True)
class Job:
    """One run of a way; its place among the runs and the results has its name."""

    way: str
    seed: int

    def __str__(self) -> str:
        return f"{self.way}-{self.seed}"


@dataclass(frozen=True)
class Places(jobs.Places):
    """Those of the measurement, pictures too; and how long runs take."""

    seconds: float
    source_seconds: float

    @classmethod
    def of(cls, seconds: float, source_seconds: float) -> "Places":
        """Those of the measurement itself; trials of another length are kept apart, where git ignores them."""
        if (seconds, source_seconds) == (SECONDS, SOURCE_SECONDS):
            page = _HERE.parent / "docs" / "transfer.md"
            return cls(_HERE / "runs" / "transfer", _HERE / "results" / "transfer", page, seconds, source_seconds)
        trial = _HERE / "runs" / f"transfer-{seconds:g}s-{source_seconds:g}s"
        return cls(trial, trial / "rows", trial / "transfer.md", seconds, source_seconds)

    @property
    def source(self) -> Path:
        """The run that the others begin from."""
        return self.runs / "source" / "run"

    def pictures(self, part: str) -> Path:
        """A folder of pictures: "few", "others" or "source"."""
        return self.runs / "pictures" / part


def main(arguments: Sequence[str]) -> int:
    """Run what is missing, then write the page from the rows there are. Returns the exit status.

    Takes the arguments after `python -m benchmarks transfer`.
    """
    chosen, status = _parsed(arguments), 0
    places = Places.of(chosen.seconds, chosen.source_seconds)
    try:
        if not chosen.table:
            lay_out(places, _EMOJI)
            for job in every_job(chosen.ways, chosen.seeds):
                settle(job, places)
    except KeyboardInterrupt:
        print("interrupted and saved; the same command goes on")
        status = 130
    if rows := read_rows(places):
        transfer_page.write(rows, {name: way.told for name, way in WAYS.items()}, places.rows, places.page)
        print(f"written: {places.page} and {places.page.with_suffix('.png').name}")
    return status


def every_job(ways: Sequence[str], seeds: Sequence[int]) -> list[Job]:
    """Seed by seed, so that what there is can be compared at any time."""
    return [Job(way, seed) for seed in seeds for way in ways]


def lay_out(places: Places, emoji: Path) -> None:
    """Copy the pictures into folders of their own, where they are not yet. Raises SystemExit without them."""
    if places.pictures("source").is_dir():
        return
    if not (emoji / LEARNED).is_dir() or not (emoji / OTHER).is_dir():
        raise SystemExit(f"{emoji} has no folders {LEARNED} and {OTHER} of emoji")
    few, others = parted(*([path.name for path in (emoji / vendor).iterdir()] for vendor in (LEARNED, OTHER)))
    for part, vendor, names in (("few", LEARNED, few), ("others", LEARNED, others), ("source", OTHER, others)):
        partial = places.pictures(f".{part}")
        partial.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(emoji / vendor / name, partial / name)
        partial.rename(places.pictures(part))


def parted(learned: Sequence[str], other: Sequence[str]) -> tuple[list[str], list[str]]:
    """Of the names that both vendors have, `FEW` evenly spread over their order, and the others."""
    both = sorted(set(learned) & set(other))
    few = {both[number * len(both) // FEW] for number in range(FEW)}
    return sorted(few), [name for name in both if name not in few]


def settle(job: Job, places: Places) -> None:
    """As `jobs.settle`."""

    def told(row: dict[str, Any]) -> str:
        return ", ".join(f"{name.upper()} {row['scores'][name]['value']:.4g}" for name in ("kd", "fd"))

    jobs.settle(job, places, lambda: play(job, places), told)


def play(job: Job, places: Places) -> tuple[int, str]:
    """One run in a process of its own: its exit status, and the last line that it wrote."""
    arguments = [job.way, str(job.seed), f"{places.seconds:g}", f"{places.source_seconds:g}"]
    return jobs.play_alone("transfer_run", arguments, places.runs / str(job) / "output.log", CORES)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    def several(names: str) -> list[str]:
        return names.split(",")

    parser = argparse.ArgumentParser(prog="python -m benchmarks transfer")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="from nothing; trials are kept apart")
    parser.add_argument("--source-seconds", type=float, default=SOURCE_SECONDS, help="of training the source")
    parser.add_argument("--ways", type=several, default=list(WAYS), help="some of the ways: a,b")
    parser.add_argument("--seeds", type=several, default=list(SEEDS), help="some of the seeds: 0,1")
    parser.add_argument("--table", action="store_true", help="run nothing; write table and picture anew")
    chosen = parser.parse_args(arguments)
    for name in chosen.ways:
        if name not in WAYS:
            parser.error(f"no way {name}; there are: {', '.join(WAYS)}")
    chosen.seeds = [int(seed) for seed in chosen.seeds]
    return chosen
