import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ganvas.training import checkpoints
from ganvas.training.folder import RunFolder
from ganvas.training.processes import launch

WORKER = str(Path(__file__).with_name("ring_worker.py"))


def play(folder: Path, procs: int, *, images: int = 1600, micro_batch: int = 0) -> tuple[int, list[str]]:
    run = RunFolder.create(folder, "")
    arguments = [WORKER, str(run.path), str(images), str(micro_batch)]
    lines: list[str] = []
    if procs == 1:
        done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()
    return launch(arguments, procs, lines.append), lines


def weights(folder: Path) -> dict[str, torch.Tensor]:
    tensors, _ = checkpoints.newest(folder / "checkpoints", pytest.fail)
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("optimizer/")}


@pytest.mark.parametrize("micro_batch", [0, 5])
def test_two_processes_play_the_same_run_as_one(tmp_path, micro_batch):
    assert play(tmp_path / "one", 1)[0] == 0
    status, lines = play(tmp_path / "two", 2, micro_batch=micro_batch)
    assert status == 0
    assert json.loads(lines[-1]) == {"rank": 0, "reason": "images", "images": 1600}
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one.keys() == two.keys()
    assert max((one[name] - two[name]).abs().max().item() for name in one) < 1e-5


def test_an_interrupt_stops_all_processes_after_the_same_round_and_saves(tmp_path):
    lines: list[str] = []

    def interrupt_at_the_first_tick(line: str) -> None:
        if not lines:
            os.kill(os.getpid(), signal.SIGINT)
        lines.append(line)

    run = RunFolder.create(tmp_path / "run", "")
    assert launch([WORKER, str(run.path), str(10**9), "0"], 2, interrupt_at_the_first_tick) == 0
    seen = json.loads(lines[-1])
    assert seen["reason"] == "interrupted"
    assert checkpoints.newest_info(run.checkpoints)["clock"]["images"] == seen["images"] > 0


def test_if_a_worker_dies_the_others_end_and_the_status_says_so(tmp_path):
    script = "import os, sys, time\nif os.environ['RANK'] == '1': sys.exit(7)\ntime.sleep(0.5)"
    assert launch(["-c", script], 2, None) == 7
