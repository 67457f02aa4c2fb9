"""Cold starts and memory: whole processes, each several times."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import common

RUNS = 7


def startup() -> None:
    """Writes results/startup.json: seconds of whole processes, started cold in turns."""
    ganvas = str(Path(sys.executable).with_name("ganvas"))
    with tempfile.TemporaryDirectory() as folder:
        run = str(Path(folder) / "run")
        _call([ganvas, "train", "fashion-mnist/bundled", "--images", "2k", "--out", run])
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "import ganvas": [sys.executable, "-c", "import ganvas"],
            "ganvas --help": [ganvas, "--help"],
            "import torch": [sys.executable, "-c", "import torch"],
            "ganvas sample RUN": [ganvas, "sample", run, "--out", str(Path(folder) / "grid.png")],
            "ganvas sample fashion-mnist": [ganvas, "sample", "fashion-mnist", "--out", str(Path(folder) / "own.png")],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(RUNS):
            for name, command in commands.items():
                seconds[name].append(round(_call(command), 3))
    common.write(
        "startup",
        {"what": "seconds", "summary": {name: common.summary(v) for name, v in seconds.items()}, "raw": seconds},
    )


def memory() -> None:
    """Writes results/memory.json: the largest resident memory of `ganvas demo`, shortened to a minute."""
    with tempfile.TemporaryDirectory() as folder:
        ganvas = str(Path(sys.executable).with_name("ganvas"))
        demo = subprocess.Popen(
            [ganvas, "demo", "--images", "40k", "--out", f"{folder}/run"], stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(demo.pid, 0)  # of this child alone
    if status:
        sys.exit("the demo failed")
    largest = usage.ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    common.write("memory", {"what": "GiB resident at most, of ganvas demo --images 40k", "gib": round(largest, 3)})


def _call(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"COLUMNS": "200"})
    return time.perf_counter() - started
