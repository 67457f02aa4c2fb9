"""How fast a run goes here, for one that stops by time: what falls over a run needs the run's length in images."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from ganvas import tasks
from ganvas.core.errors import Interrupted
from ganvas.core.settings import to_toml
from ganvas.data import Dataset
from ganvas.training.averages import AverageSettings
from ganvas.training.clock import Clock
from ganvas.training.folder import RunFolder
from ganvas.training.processes import Processes
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import Trainer

_PART, _MOST = 0.05, 15.0  # of the run's time that is played to measure it, and no more seconds: at 20 it were scored
_WARM = 0.25  # the part of that before which a machine is not at its speed
_SURE = 0.95  # the part of the measured length over which rates fall, lest a slower hour cuts them off
_NEVER = 10**9


def needs_pace(chosen: Any) -> bool:
    """Whether a run in one process stops by time alone and has something that falls over its length."""
    stop = chosen.training.stop
    return bool(chosen.endless()) and stop.images is None and stop.seconds is not None and chosen.training.procs == 1


def measured_length(chosen: Any, dataset: Dataset) -> int:
    """How many images a run over `chosen.training.stop.seconds` will see, a little less; a short one is played for it.

    That leaves nothing behind. Raises Interrupted on Ctrl-C, and what training raises.
    """
    seconds = chosen.training.stop.seconds
    training = dataclasses.replace(
        chosen.training,
        stop=StopSettings(seconds=min(_MOST, _PART * seconds)),
        average=AverageSettings(half_life=0),
        tensorboard="off",
        **dict.fromkeys(("tick", "preview", "checkpoint", "score"), _NEVER),
    )
    short = dataclasses.replace(chosen.without_warm_start(), training=training)
    clocks = [Clock()]
    with tempfile.TemporaryDirectory(prefix="ganvas-pace-") as folder:
        run = RunFolder.create(Path(folder) / "run", to_toml(short))
        game = tasks.task(short.task)(short, dataset, None)
        trainer = Trainer(
            game, training, run, processes=Processes(), fingerprint=dataset.fingerprint, on_round=clocks.append
        )
        if trainer.train() == "interrupted":
            raise Interrupted("Interrupted while the speed was measured; there is no run yet")
    warm, end = clocks[int(_WARM * (len(clocks) - 1))], clocks[-1]
    return max(1, round((end.images - warm.images) / (end.seconds - warm.seconds) * seconds * _SURE))
