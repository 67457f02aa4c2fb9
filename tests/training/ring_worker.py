"""Plays the toy game in as many processes as the environment names; run by test_processes.py.

Arguments: the run folder, images to play, and the micro-batch (0: whole). Prints a JSON line at the end. In the
environment: RING_LATE_SECONDS, how late all but the leader come to the run's folder; RING_PLATEAU, images without a
better score that end the run.
"""

import itertools
import json
import os
import sys
import time

import torch

from ganvas.plane import Plane
from ganvas.training import checkpoints
from ganvas.training.folder import RunFolder
from ganvas.training.processes import Processes
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import Trainer, TrainingSettings


def print_line(content: dict[str, object]) -> None:
    print(json.dumps(content), flush=True)


def main() -> None:
    path, images, micro_batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    plateau = int(os.environ.get("RING_PLATEAU", "0")) or None
    chosen = TrainingSettings(
        batch=32,
        micro_batch=micro_batch or None,
        stop=StopSettings(images=images, plateau=plateau),
        checkpoint=10**9,
        score=160 if plateau else 10**9,
        tick=640,
        tensorboard="off",
    )
    processes = Processes.join()
    run = RunFolder.open(path)
    game = Plane(chosen)
    values = itertools.count(-images, -1)
    game.score = lambda averages: ("made-up", float(next(values)))
    newest = checkpoints.newest

    def late(*arguments):
        time.sleep(0 if processes.leads else float(os.environ.get("RING_LATE_SECONDS", "0")))
        return newest(*arguments)

    checkpoints.newest = late
    trainer = Trainer(game, chosen, run, processes=processes, fingerprint="ring", on_tick=print_line)
    reason = trainer.train()
    processes.leave()
    print_line({"rank": processes.rank, "reason": reason, "images": trainer.clock.images})
    os._exit(0)  # as `ganvas` does: the interpreter's shutdown may abort while torch.distributed's threads wind down


if __name__ == "__main__":
    main()
