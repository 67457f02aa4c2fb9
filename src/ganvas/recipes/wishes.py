"""What a user asks of a plan, by options and by settings that are named one by one."""

import dataclasses
from typing import Any, Self

from ganvas.core.settings import override
from ganvas.core.sizes import Size
from ganvas.tasks.source import Source

_BRIEF_SECONDS, _BRIEF_IMAGES = 3600.0, 500_000  # of a run that published networks learn little in

_OPTIONS: dict[str, tuple[str, tuple[type, ...]]] = {  # of settings that options are of too: the wish, its types
    "data.size": ("size", (int, str)),
    "training.batch": ("batch", (int,)),
    "training.stop.images": ("images", (int,)),
    "training.stop.seconds": ("seconds", (int, float)),
    "training.device": ("device", (str,)),
    "training.precision": ("precision", (str,)),
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
        """With what the assignments say of an option's setting in the option's place, where it is of its type."""
        told = {wish: (self.assigned(name), types) for name, (wish, types) in _OPTIONS.items()}
        fitting = {wish: value for wish, (value, types) in told.items() if type(value) in types}
        return dataclasses.replace(self, **fitting)
