"""What the long measurements share: jobs, each a process of its own that leaves a row, and pages written from rows."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.core import files
from ganvas.core.errors import GanvasError

Row = dict[str, Any]


@dataclass(frozen=True)
class Places:
    """Where runs, rows with what belongs to them, and the page of them go. A job's place among them has its name."""

    runs: Path
    rows: Path
    page: Path

    def row_of(self, job: Any) -> Path:
        return self.rows / f"{job}.json"


def read_rows(places: Places) -> list[Row]:
    """All rows that there are, those of failed runs with their "error"."""
    return [json.loads(path.read_text()) for path in sorted(places.rows.glob("*.json"))]


def settle(job: Any, places: Places, play: Callable[[], tuple[int, str]], told: Callable[[Row], str]) -> None:
    """Run or resume what has no row yet; a run that failed is tried again, and if it fails its row says why.

    job: a dataclass whose text is its name. play: runs it, as `play_alone`. told: the words on a row that it left.
    Raises KeyboardInterrupt if the run was interrupted.
    """
    row = places.row_of(job)
    if row.exists() and "error" not in json.loads(row.read_text()):
        print(f"{job}: done before")
        return
    print(f"{job}: ", end="", flush=True)
    status, last_words = play()
    if status == 0:
        print(told(json.loads(row.read_text())), flush=True)
        return
    if is_interrupt(status):
        raise KeyboardInterrupt
    print(last_words, flush=True)
    files.write_text(row, json.dumps(vars(job) | {"error": last_words}, indent=1) + "\n")


def play_alone(module: str, arguments: Sequence[str], log: Path, cores: int) -> tuple[int, str]:
    """Run a module of benchmarks in a process of its own, on so many cores: its exit status, its last line.

    log: the file to which all that it writes is added.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": str(cores)}
    with log.open("ab") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as child:
        try:
            status = child.wait()
        except KeyboardInterrupt:  # the terminal has told the run as well, and it saves
            child.wait()
            raise
    lines = log.read_text(errors="replace").split("\n")
    return status, next((line.strip() for line in reversed(lines) if line.strip()), f"ended with status {status}")


def is_interrupt(status: int) -> bool:
    """Whether a process that ended so was asked to: it has saved, and goes on when it is run again."""
    return status in (130, -2, -15)


@contextmanager
def on_cores(cores: int) -> Iterator[None]:
    """In a process of `play_alone`: keep to the first cores, and end with the line and status of what Ganvas raises."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    try:
        yield
    except GanvasError as error:
        print(" ".join(str(error).split()))
        sys.exit(error.exit_status)


def put_between(page: Path, begin: str, written: str, end: str) -> None:
    """Put text and the marks around it in the place of what is between the marks of a page; begin one if need be."""
    text = page.read_text() if page.exists() else f"{begin}\n{end}\n"
    before, rest = text.split(begin)
    files.write_text(page, before + begin + written + end + rest.split(end)[1])
