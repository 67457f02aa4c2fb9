"""What a user asks of a plan, by options and by settings that are named one by one."""

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Self

from ganvas.core.errors import UsageError
from ganvas.core.settings import from_dict, override
from ganvas.core.sizes import Size
from ganvas.tasks.source import Source
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import TrainingSettings

_BRIEF_SECONDS, _BRIEF_IMAGES = 3600.0, 500_000  # of a run that published networks learn little in


def _read(kind: type, field: str, value: Any) -> Any:
    """A setting's value as its settings take it. Raises UsageError."""
    return getattr(from_dict(kind, {field: value}), field)


_OPTIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {  # of settings that options are of too: the wish, its value
    "data.size": ("size", Size.of),
    "training.batch": ("batch", partial(_read, TrainingSettings, "batch")),
    "training.stop.images": ("images", partial(_read, StopSettings, "images")),
    "training.stop.seconds": ("seconds", partial(_read, StopSettings, "seconds")),
    "training.device": ("device", partial(_read, TrainingSettings, "device")),
    "training.precision": ("precision", partial(_read, TrainingSettings, "precision")),
}


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What the user asked for; None is left to the recipe. assignments: settings, as "training.batch=128"."""

    recipe: str = "auto"
    task: str = "generate"
    size: int | str | Size | None = None
    images: int | None = None
    seconds: float | None = None
    batch: int | None = None
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    procs: int = 1
    on_trouble: str = "note"
    assignments: tuple[str, ...] = ()
    source: Source | None = None  # what the run begins from

    @property
    def brief(self) -> bool:
        """Whether the run is to be shorter than networks made for days on a GPU need to get anywhere."""
        seconds = self.seconds is not None and self.seconds < _BRIEF_SECONDS
        return seconds or (self.images is not None and self.images < _BRIEF_IMAGES)

    def assigned(self, name: str) -> Any:
        """What the assignments say of a setting, the last of them; None if they say nothing.

        Raises UsageError for an assignment that is none.
        """
        found: Any = override({}, self.assignments)
        for key in name.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def gathered(self) -> Self:
        """With what the assignments say of an option's setting in the option's place, unless that cannot be."""
        told: dict[str, Any] = {}
        for name, (wish, read) in _OPTIONS.items():
            if (value := self.assigned(name)) is not None:
                with suppress(UsageError):  # which is answered with all the settings
                    told[wish] = read(value)
        return dataclasses.replace(self, **told)
