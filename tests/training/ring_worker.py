"""Plays the toy game in as many processes as the environment names; run by test_processes.py.

Arguments: the run folder, images to play, and the micro-batch (0: whole). Prints a JSON line at the end.
"""

import json
import sys

import torch

from ganvas.toy import Ring
from ganvas.training.folder import RunFolder
from ganvas.training.processes import Processes
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import Trainer, TrainingSettings


def print_line(content: dict[str, object]) -> None:
    print(json.dumps(content), flush=True)


def main() -> None:
    path, images, micro_batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    chosen = TrainingSettings(
        batch=32,
        micro_batch=micro_batch or None,
        stop=StopSettings(images=images),
        checkpoint=10**9,
        score=10**9,
        tick=640,
        tensorboard="off",
    )
    processes = Processes.join()
    run = RunFolder.open(path)
    trainer = Trainer(Ring(chosen), chosen, run, processes=processes, fingerprint="ring", on_tick=print_line)
    reason = trainer.train()
    processes.leave()
    print_line({"rank": processes.rank, "reason": reason, "images": trainer.clock.images})


if __name__ == "__main__":
    main()
