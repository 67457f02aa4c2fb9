import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from ganvas.training import checkpoints
from ganvas.training.folder import RunFolder
from ganvas.training.processes import launch

WORKER = str(Path(__file__).with_name("ring_worker.py"))


def play(folder: Path, procs: int, *, images: int = 1600, micro_batch: int = 0) -> tuple[list[int], list[str]]:
    run = RunFolder.open(folder) if folder.exists() else RunFolder.create(folder, "")
    arguments = [WORKER, str(run.path), str(images), str(micro_batch)]
    lines: list[str] = []
    if procs == 1:
        done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
        return [done.returncode], done.stdout.splitlines()
    return launch(arguments, procs, lines.append), lines


def weights(folder: Path) -> dict[str, torch.Tensor]:
    tensors, _ = checkpoints.newest(folder / "checkpoints", pytest.fail)
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("optimizer/")}


@pytest.mark.parametrize("micro_batch", [0, 5])
def test_two_processes_play_the_same_run_as_one(tmp_path, micro_batch):
    assert play(tmp_path / "one", 1)[0] == [0]
    statuses, lines = play(tmp_path / "two", 2, micro_batch=micro_batch)
    assert statuses == [0, 0]
    ends = sorted((json.loads(line) for line in lines if "rank" in line), key=lambda end: end["rank"])
    assert ends == [{"rank": rank, "reason": "images", "images": 1600} for rank in (0, 1)]
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
    assert launch([WORKER, str(run.path), str(10**9), "0"], 2, interrupt_at_the_first_tick) == [0, 0]
    seen, other = (json.loads(line) for line in lines if "rank" in line)
    assert seen["images"] == other["images"]
    assert seen["reason"] == other["reason"] == "interrupted"
    assert checkpoints.newest_info(run.checkpoints)["clock"]["images"] == seen["images"] > 0


def test_if_a_worker_dies_the_others_end_and_the_status_says_so(tmp_path):
    script = "import os, sys, time\nif os.environ['RANK'] == '1': sys.exit(7)\ntime.sleep(0.5)"
    assert launch(["-c", script], 2, pytest.fail) == [0, 7]


def test_a_worker_that_hangs_when_another_has_failed_is_killed(monkeypatch):
    monkeypatch.setattr("ganvas.training.processes._PATIENCE", 0.5)
    script = "import os, sys, time\nif os.environ['RANK'] == '1': sys.exit(7)\ntime.sleep(600)"
    assert launch(["-c", script], 2, pytest.fail) == [-signal.SIGKILL, 7]


def test_if_the_listener_fails_the_workers_stop_and_save(tmp_path):
    run = RunFolder.create(tmp_path / "run", "")

    def fail(line: str) -> None:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        launch([WORKER, str(run.path), str(10**9), "0"], 2, fail)
    assert checkpoints.newest_info(run.checkpoints)["clock"]["images"] >= 640


def test_workers_can_be_launched_from_a_thread():
    statuses = []
    script = "print('here')"
    thread = threading.Thread(target=lambda: statuses.extend(launch(["-c", script], 2, lambda line: None)))
    thread.start()
    thread.join()
    assert statuses == [0, 0]


def test_a_process_that_is_late_at_the_start_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("RING_LATE_SECONDS", "2")
    statuses, _ = play(tmp_path / "run", 2, images=64)
    assert statuses == [0, 0]


def test_two_processes_that_go_on_do_not_see_a_plateau_where_scores_improve(tmp_path, monkeypatch):
    monkeypatch.setenv("RING_PLATEAU", "320")  # scores every 160 images, each better than the last
    assert play(tmp_path / "run", 2, images=640)[0] == [0, 0]
    statuses, lines = play(tmp_path / "run", 2, images=1600)
    assert statuses == [0, 0]
    assert {json.loads(line)["reason"] for line in lines if "rank" in line} == {"images"}
