"""Several processes, one run: each works on its rows of the global batch; gradients are summed once a move.

Written over torch.distributed with the environment variables that torchrun sets, so that either starts the workers.
Gradients go through one flat all-reduce and not through DistributedDataParallel, which gives wrong ones when a
penalty is absent on some rounds.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

_PARENT = "GANVAS_LAUNCHED_BY"


class Processes:
    """The processes of a run, seen from one of them: its rank and how many there are."""

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank = rank
        self.count = count

    @classmethod
    def join(cls) -> "Processes":
        """Join the processes that the environment names (as torchrun sets it); alone where it names none."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("gloo")
        return cls(dist.get_rank(), count)

    @property
    def leads(self) -> bool:
        """Whether this is the one process that writes files."""
        return self.rank == 0

    def sum_in_place(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over all processes, in one flat all-reduce."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.detach().reshape(-1).cpu() for tensor in tensors])
        dist.all_reduce(flat)
        for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view(tensor.shape))

    def average_in_place(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over all processes."""
        if self.count > 1:
            self.sum_in_place(tensors)
            for tensor in tensors:
                tensor.div_(self.count)

    def largest(self, *values: float) -> list[float]:
        """For each value, the largest that any process has: how they agree to stop or to go back."""
        if self.count == 1:
            return list(values)
        flat = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(flat, op=dist.ReduceOp.MAX)
        return flat.tolist()

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.count > 1:
            dist.barrier()

    def leave(self) -> None:
        """Leave the group in good order."""
        if self.count > 1 and dist.is_initialized():
            dist.destroy_process_group()


def orphaned() -> bool:
    """Whether the process that launched this worker is gone, so that nobody would collect its work."""
    return _PARENT in os.environ and os.getppid() != int(os.environ[_PARENT])


def launch(command: Sequence[str], count: int, on_line: Callable[[str], Any] | None) -> int:
    """Run `count` workers of `python COMMAND...` on this machine and return their exit status.

    The leader's standard output goes to `on_line`, a line a call; None leaves it unread. An interrupt is passed on
    once, and waited for; if a worker dies, the others are ended.
    """
    environment = os.environ | {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "WORLD_SIZE": str(count),
        "OMP_NUM_THREADS": str(torch.get_num_threads()),  # of which `Lanes` gives each its share
        _PARENT: str(os.getpid()),
    }
    workers = [
        subprocess.Popen(
            [sys.executable, *command],
            env=environment | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE if rank == 0 else subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        for rank in range(count)
    ]

    def pass_on(number: int, _frame: object) -> None:
        for worker in workers:
            worker.send_signal(number)

    previous = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with workers[0].stdout or nullcontext(()) as lines:
            for line in lines:
                if on_line is not None:
                    on_line(line)
        return _collect(workers)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _collect(workers: list[subprocess.Popen[str]]) -> int:
    """Wait for all workers, and return the status of the one that failed first, or 0."""
    first, deadline = 0, float("inf")
    while True:
        statuses = [worker.poll() for worker in workers]
        if not first and any(statuses):
            first = next(status for status in statuses if status)
            deadline = time.monotonic() + 30
        if None not in statuses:
            return first
        if time.monotonic() > deadline:
            for worker in workers:
                worker.kill()
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
