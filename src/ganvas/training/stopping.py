"""When a run stops: by images, by time, on a plateau of its score, or when it is asked to."""

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from pydantic import Field

from ganvas.core.settings import settings
from ganvas.training.clock import Clock, pause
from ganvas.training.processes import Processes, orphaned

Reason = Literal["images", "time", "plateau", "trouble", "interrupted"]
_REASONS: tuple[Reason, ...] = ("images", "time", "plateau", "trouble", "interrupted")


@settings
class StopSettings:
    """What ends a run; whichever comes first. With none of them it runs until it is interrupted."""

    images: Annotated[int, Field(ge=1)] | None = None  # images seen
    seconds: Annotated[float, Field(gt=0)] | None = None  # time spent in training, over all sessions
    plateau: Annotated[int, Field(ge=1)] | None = None  # images without a better score


class Scores:
    """The latest and the best score of a run, with the images seen; lower is better. seconds: what all have taken.

    Where a machine has not what the score was made with, there may be another one: the best begins anew with it.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.images: int | None = None
        self.name = ""
        self.value = math.inf
        self.best = math.inf
        self.best_images: int | None = None

    def add(self, images: int, name: str, value: float, *, another: bool = False) -> None:
        """A new score after `images` images. another: it is not to be compared with those before."""
        self.name, self.value, self.images = name, value, images
        if math.isfinite(value) and (another or value < self.best):
            self.best, self.best_images = value, images

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {} if self.best_images is None else dict(vars(self))

    def restore(self, values: dict[str, Any]) -> None:
        """Take up what `as_dict` gave."""
        vars(self).update(vars(Scores()) | values)


class Stop:
    """Decides, for all processes alike, whether a run goes on."""

    def __init__(self, chosen: StopSettings, processes: Processes) -> None:
        self.scores = Scores()
        self.troubled = False  # whether the watch wants an end
        self._chosen = chosen
        self._processes = processes
        self._asked = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within the block a first interrupt asks for a stop after the round; a second one breaks off at once.

        Ctrl-Z pauses the run, and the pause is not time spent in training.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def ask(number: int, _frame: object) -> None:
            if self._asked:
                raise KeyboardInterrupt
            self._asked = True

        handlers: dict[signal.Signals, Callable[[int, object], None]] = {signal.SIGINT: ask, signal.SIGTERM: ask}
        if hasattr(signal, "SIGTSTP"):
            handlers[signal.SIGTSTP] = pause
        previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def reason(self, clock: Clock) -> Reason | None:
        """Why the run stops now, the same in every process, or None if it goes on."""
        chosen, best_images, scored = self._chosen, self.scores.best_images, self.scores.images
        here = (
            chosen.images is not None and clock.images >= chosen.images,
            chosen.seconds is not None and clock.seconds >= chosen.seconds,
            chosen.plateau is not None and best_images is not None and (scored or 0) - best_images >= chosen.plateau,
            self.troubled,
            self._asked or orphaned(),
        )
        agreed = self._processes.largest(*here)
        return next((reason for reason, yes in zip(_REASONS, agreed, strict=True) if yes), None)
