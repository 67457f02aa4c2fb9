"""Lanes: the parts of a batch that are worked on side by side, whether by threads of one process or by processes.

The last bits of a gradient depend on how the rows were grouped and on how many threads a kernel had, and a game lets
them grow: two runs that differ in nothing else are a thousandth apart after fifty rounds of Adam. So the batch is cut
into lanes that do not depend on the number of processes, each lane has its own share of the cores, and the lanes'
gradients are added in pairs: one process and two then come to the same weights, to the bit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import nn

from ganvas.training.processes import Processes

Result = TypeVar("Result")


def lane_count(wanted: int, batch: int, device: torch.device, networks: Iterable[nn.Module]) -> int:
    """The lanes of a run: those that are wanted on a CPU; one on a GPU, and with BatchNorm, which wants all rows."""
    return min(wanted, batch) if device.type == "cpu" and not has_batch_norm(networks) else 1


def has_batch_norm(networks: Iterable[nn.Module]) -> bool:
    """Whether any of these networks has batch normalisation."""
    modules = (module for network in networks for module in network.modules())
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in modules)


class Lanes:
    """This process's lanes of a run.

    count: lanes of the whole run, at least one for each process. Where the processes do not divide it, there are as
    many lanes as processes.
    """

    def __init__(self, count: int, batch: int, processes: Processes) -> None:
        self._of_run = count if count % processes.count == 0 else processes.count
        self.rows = _part(batch, processes.rank, processes.count)
        self._own = self._of_run // processes.count
        self.longest = -(-(self.rows.stop - self.rows.start) // self._own)  # rows
        self._pool: ThreadPoolExecutor | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """Within the block the lanes have their threads, and kernels no more than a lane's share of the cores."""
        before = torch.get_num_threads()
        share = max(1, before // self._of_run)
        torch.set_num_threads(share)
        try:
            if self._own == 1:
                yield
                return
            with ThreadPoolExecutor(self._own, "lane", initializer=lambda: torch.set_num_threads(share)) as self._pool:
                yield
        finally:
            self._pool = None
            torch.set_num_threads(before)

    def map(self, work: Callable[[slice], Result]) -> Sequence[Result]:
        """What `work` returns for each of this process's lanes, given its rows of the process's part of the batch.

        Raises what the first of them raised, once all are done.
        """
        length = self.rows.stop - self.rows.start
        lanes = [_part(length, lane, self._own) for lane in range(self._own)]
        if self._pool is None:
            return [work(lane) for lane in lanes]
        futures = [self._pool.submit(work, lane) for lane in lanes]
        wait(futures)
        return [future.result() for future in futures]


def _part(count: int, index: int, parts: int) -> slice:
    """Part `index` of `count` rows in `parts` parts; the first have the rows that are left over."""
    start, stop = (-(-count * place // parts) for place in (index, index + 1))
    return slice(start, stop)
