"""The clock of a run counts images seen, so that schedules survive a change of batch size."""

import dataclasses
import math
import signal
import threading
import time
from typing import Literal

Decay = Literal["constant", "linear", "cosine"]


@dataclasses.dataclass(frozen=True)
class Clock:
    """Where a run stands.

    images: real pictures seen; one round advances it by the global batch, whatever the number of moves.
    rounds: rounds played. seconds: time spent in training, over all its sessions.
    """

    images: int = 0
    rounds: int = 0
    seconds: float = 0.0

    def advanced(self, batch: int, seconds: float) -> "Clock":
        """The clock after one more round."""
        return Clock(self.images + batch, self.rounds + 1, self.seconds + seconds)


_paused = 0.0  # seconds for which this process has been stopped by `pause`


def seconds() -> float:
    """A time to take differences of: it passes as the wall's does, except while the process is paused."""
    return time.perf_counter() - _paused


def pause(_number: int = 0, _frame: object = None) -> None:
    """Stop this process, with all its threads, until it is continued (`fg`, SIGCONT). A handler of Ctrl-Z."""
    global _paused
    began = time.perf_counter()
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # to this thread, so that it stops here and nowhere else
    _paused += time.perf_counter() - began


def crossed(before: float, after: float, interval: int) -> bool:
    """Whether a multiple of `interval` lies in (before, after], in images or in seconds."""
    return before // interval != after // interval


def decayed(start: float, final: float, images: int, over: int | None, shape: Decay, hold: float = 0.0) -> float:
    """A value that goes from `start` to `final` over the first `over` images and then stays.

    hold: the part of `over`, in [0, 1), before which it does not move.

    shape "constant", or `over` None, keeps `start`; "linear" is straight; "cosine" is half a period.
    """
    if shape == "constant" or over is None:
        return start
    done = min(1.0, max(0.0, (images / over - hold) / (1.0 - hold)))
    if shape == "cosine":
        done = (1.0 - math.cos(math.pi * done)) / 2.0
    return start + (final - start) * done
