"""Several processes, one run: each works on its rows of the global batch; gradients are summed once a move.

Written over torch.distributed with the environment variables that torchrun sets, so that either starts the workers.
Gradients go through one flat all-reduce and not through DistributedDataParallel, which gives wrong ones when a
penalty is absent on some rounds.
"""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from ganvas.training import LAUNCHED_BY

_PATIENCE = 30  # seconds that workers have to end when one has failed


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

    def of_leader(self, value: float | None) -> float | None:
        """The leading process's value, in every process; what the others give is not looked at."""
        there = self.leads and value is not None
        known, number = self.largest(there, value if there and value is not None else -float("inf"))
        return number if known else None

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
    return LAUNCHED_BY in os.environ and os.getppid() != int(os.environ[LAUNCHED_BY])


def launch(command: Sequence[str], count: int, on_line: Callable[[str], Any]) -> list[int]:
    """Run `count` workers of `python COMMAND...` on this machine and return their exit statuses.

    What they print goes to `on_line`, a line a call. An interrupt is passed on once, and waited for; if a worker fails,
    or `on_line` raises, the others are asked to stop and in the end made to.
    """
    workers = _Workers()
    with workers.interrupted_with_us():
        try:
            workers.start(command, count)
            return workers.follow(on_line)
        finally:
            workers.end()


class _Workers:
    """The worker processes of a run and what they print."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[str]] = []
        self._readers: list[threading.Thread] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def start(self, command: Sequence[str], count: int) -> None:
        environment = os.environ | {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(_free_port()),
            "WORLD_SIZE": str(count),
            "OMP_NUM_THREADS": str(torch.get_num_threads()),  # of which `Lanes` gives each its share
            LAUNCHED_BY: str(os.getpid()),
        }
        for rank in range(count):
            process = subprocess.Popen(
                [sys.executable, *command],
                env=environment | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self._processes.append(process)
            self._readers.append(threading.Thread(target=self._read, args=(process,), daemon=True))
            self._readers[-1].start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        with process.stdout or nullcontext(()) as output:
            for line in output:
                self._lines.put(line)

    def follow(self, on_line: Callable[[str], Any], deadline: float = float("inf")) -> list[int]:
        """Hand lines on until all workers have ended, and return their statuses.

        deadline: when those left are killed, as time.monotonic() counts; _PATIENCE seconds after one has failed.
        """
        while True:
            try:
                on_line(self._lines.get(timeout=0.1))
                continue
            except queue.Empty:
                statuses = [process.poll() for process in self._processes]
            if None not in statuses and not any(reader.is_alive() for reader in self._readers) and self._lines.empty():
                return [status for status in statuses if status is not None]
            if any(statuses):
                deadline = min(deadline, time.monotonic() + _PATIENCE)
            if time.monotonic() > deadline:
                for process in self._processes:
                    process.kill()

    def end(self) -> None:
        """Ask the workers that are left to stop, wait for them, and make them stop in the end."""
        for process in self._processes:
            process.terminate()
        self.follow(lambda line: None, time.monotonic() + _PATIENCE)

    @contextmanager
    def interrupted_with_us(self) -> Iterator[None]:
        """Within the block an interrupt of this process is one of the workers, where this thread may listen for it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def pass_on(number: int, _frame: object) -> None:
            for process in self._processes:
                process.send_signal(number)

        previous = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
