"""Pictures to pictures on real data: `python -m benchmarks translation`.

Line drawings coloured (pairs), the emoji of one vendor turned into another's (no pairs), photos enlarged, mended and
coloured; each by its recipe for a CPU, and each problem with a true answer once more by the absolute error alone, as
its warm start is. Every run is a process of its own (translation_run.py), one at a time. A row a run is kept in
results/translation/; what has one is not run again, and a run that was broken off is resumed.

What is scored no run has seen: emoji are parted by their code before the first "-", so that no variant of one that is
learned is scored; photos are other photos.
"""

import argparse
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import jobs, translation_page
from benchmarks.jobs import read_rows
from ganvas.core.images import to_pillow
from ganvas.data import open_pieces

SECONDS = 600.0  # of training, by the trainer's own clock; half an hour is allowed
CORES = 2
PIECES_AT = (0.25, 0.125)  # of the photos' sides
L1_ALONE = ("loss.weight=0", "loss.perceptual=0", "loss.reconstruction=10")

_HERE = Path(__file__).parent
_DATA = _HERE.parent / ".data"


@dataclass(frozen=True)
class Problem:
    """What is learned: by which recipe, from which part of .data, in which part of the time, with which settings.

    pieces: pixels a side of the parts of photos that are scored, at scales that training sees; None for whole photos.
    parted: that part is to be parted into what is learned and what is scored; else it has train/ and test/.
    """

    told: str
    recipe: str
    data: str
    parted: bool = False
    part: float = 1.0
    pieces: int | None = None
    set: tuple[str, ...] = ()


PROBLEMS = {
    "lines": Problem("line drawings, coloured", "pairs", "openmoji", parted=True),
    "lines-l1": Problem("the same, L1 alone", "pairs", "openmoji", parted=True, part=1 / 3, set=L1_ALONE),
    "vendors": Problem("Google's emoji as Twitter's, there and back", "swap", "emoji", parted=True),
    "vendors-contrast": Problem("the same, one way, by contrast", "contrast", "emoji", parted=True),
    "superres": Problem("photos four times larger", "superres", "photos"),
    "superres-l1": Problem("the same, L1 alone", "superres", "photos", part=1 / 3, set=L1_ALONE),
    "inpaint": Problem("photos, holes filled", "inpaint", "photos", pieces=64, part=1.5),
    "inpaint-l1": Problem("the same, L1 alone", "inpaint", "photos", pieces=64, part=1 / 3, set=L1_ALONE),
    "colorize": Problem("photos, coloured", "colorize", "photos", pieces=64),
    "colorize-l1": Problem("the same, L1 alone", "colorize", "photos", pieces=64, part=1 / 3, set=L1_ALONE),
}


@dataclass(frozen=True)
class Job:
    """One run; its place among the runs and the results has its name."""

    problem: str
    seed: int

    def __str__(self) -> str:
        return f"{self.problem}-{self.seed}"


class Places(jobs.Places):
    """Those of the measurement, pictures too."""

    @classmethod
    def of(cls, seconds: float) -> "Places":
        """Those of the measurement itself; trials of another length are kept apart, where git ignores them."""
        if seconds == SECONDS:
            return cls(_HERE / "runs" / "translation", _HERE / "results" / "translation", _PAGE)
        trial = _HERE / "runs" / f"translation-{seconds:g}s"
        return cls(trial, trial / "rows", trial / "translation-results.md")


_PAGE = _HERE.parent / "docs" / "translation-results.md"


def parts(problem: Problem) -> tuple[Path, Path]:
    """The folders of what is learned and of what is scored; they are made of links where there are none."""
    data = _DATA / problem.data
    if problem.pieces is not None:
        return data / "train", _cut(data / "test", problem.pieces)
    if not problem.parted:
        return data / "train", data / "test"
    made = _HERE / "runs" / "translation-data" / problem.data
    if not made.exists():
        partial = made.with_name(f".{made.name}")
        shutil.rmtree(partial, ignore_errors=True)
        for picture in sorted(data.glob("*/*.png")):
            code = picture.stem.split("-")[0].lower()
            part = "test" if zlib.crc32(code.encode()) % 10 == 0 else "train"
            link = partial / part / picture.parent.name / picture.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(picture.resolve())
        partial.rename(made)
    return made / "train", made / "test"


def _cut(photos: Path, size: int) -> Path:
    """A folder of pieces of photos, made where there is none."""
    made = _HERE / "runs" / "translation-data" / f"{photos.parent.name}-{size}"
    if not made.exists():
        partial = made.with_name(f".{made.name}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        found = open_pieces(photos, size=size, channels=3, scales=PIECES_AT)
        for number, picture in enumerate(found.images):
            to_pillow(picture).save(partial / f"{number:04}.png")
        partial.rename(made)
    return made


def main(arguments: Sequence[str]) -> int:
    """Run what is missing, then write the page from the rows there are. Returns the exit status.

    Takes the arguments after `python -m benchmarks translation`.
    """
    chosen, status = _parsed(arguments), 0
    places = Places.of(chosen.seconds)
    try:
        for name in () if chosen.table else chosen.problems:
            for seed in range(chosen.seeds):
                settle(Job(name, seed), places, chosen.seconds)
    except KeyboardInterrupt:
        print("interrupted and saved; the same command goes on")
        status = 130
    if rows := read_rows(places):
        told = {name: (problem.told, problem.recipe) for name, problem in PROBLEMS.items()}
        translation_page.write(rows, told, places.rows, places.page)
        print(f"written: {places.page}")
    return status


def settle(job: Job, places: Places, seconds: float) -> None:
    """As `jobs.settle`."""
    log = places.runs / str(job) / "output.log"
    arguments = [job.problem, str(job.seed), f"{seconds:g}"]
    jobs.settle(
        job,
        places,
        lambda: jobs.play_alone("translation_run", arguments, log, CORES),
        lambda row: ", ".join(
            f"{name} {score['value']:.4g} ({score['baseline_name']} {score['baseline']:.4g})"
            for name, score in row["scores"].items()
        ),
    )


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    def several(names: str) -> list[str]:
        return names.split(",")

    parser = argparse.ArgumentParser(prog="python -m benchmarks translation")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of training; a trial's results are kept apart")
    parser.add_argument("--problems", type=several, default=list(PROBLEMS), help="some of them: a,b")
    parser.add_argument("--seeds", type=int, default=1, help="of each")
    parser.add_argument("--table", action="store_true", help="run nothing; write table and picture anew")
    chosen = parser.parse_args(arguments)
    for name in chosen.problems:
        if name not in PROBLEMS:
            parser.error(f"no problem {name}; there are: {', '.join(PROBLEMS)}")
    return chosen
