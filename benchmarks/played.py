"""What the runs of long measurements share: a training that goes on where it was broken off, and a dated row."""

import datetime
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ganvas
from ganvas.core import files
from ganvas.training.clock import Clock
from ganvas.training.folder import environment

_NEVER = 10**9
# The clock runs while a run looks at itself, so it does that every 30 seconds, and saves every two minutes, all alike.
UNDISTURBED = tuple(f"training.{name}={_NEVER}" for name in ("tick", "preview", "checkpoint", "score"))


class Meter:
    """Processor seconds to a second of training, over the rounds that this process has played.

    Called after each round. Asks the training to save and stop if the measurement that started it is gone.
    """

    def __init__(self) -> None:
        self._seconds = self._processor = 0.0
        self._before: tuple[Clock, float] | None = None
        self._parent = os.getppid()

    def __call__(self, clock: Clock) -> None:
        now = time.process_time()
        if self._before is not None:
            self._seconds += clock.seconds - self._before[0].seconds
            self._processor += now - self._before[1]
        self._before = clock, now
        if os.getppid() != self._parent:
            signal.raise_signal(signal.SIGTERM)

    @property
    def share(self) -> float | None:
        """None before two rounds."""
        return self._processor / self._seconds if self._seconds else None


def trained(folder: Path, start: Callable[[Meter], Any]) -> dict[str, Any]:
    """Train in a folder as `start` does, or go on training: how long it took, and what the watch found."""
    meter = Meter()
    begun = (folder / "settings.toml").exists()
    end = (ganvas.resume(folder, on_round=meter, say=print) if begun else start(meter)).journal[-1]
    return {
        "seconds": end["seconds"],
        "images": end["images"],
        "processor_seconds": None if meter.share is None else round(meter.share * end["seconds"]),
        "findings": end.get("health", []),
    }


def once(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a file holds; where there is none it is made and kept."""
    if not path.exists():
        files.write_text(path, json.dumps(make()) + "\n")
    kept: dict[str, Any] = json.loads(path.read_text())
    return kept


def dated(row: dict[str, Any]) -> dict[str, Any]:
    """A row with the day and the machine."""
    machine = {name: value for name, value in environment().items() if name != "command"}
    return row | {"date": datetime.date.today().isoformat(), "machine": machine}


def parameters(chosen: Any) -> dict[str, int]:
    """How many weights each network of these settings has."""
    built = zip(chosen.NETWORKS, chosen.check_networks(), strict=True)
    return {role: sum(weight.numel() for weight in network.parameters()) for role, network in built}
