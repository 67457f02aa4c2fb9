"""What there is to play: each task says who the players are and what they see."""

from typing import Any

from ganvas.core.parts import load

TASKS = {
    "generate": "ganvas.tasks.generate:Generate",
    "autoencode": "ganvas.tasks.autoencode:Autoencode",
    "paired": "ganvas.tasks.guided:Guided",
    "unpaired": "ganvas.tasks.unpaired:Unpaired",
    "superres": "ganvas.tasks.guided:Guided",
    "inpaint": "ganvas.tasks.guided:Guided",
    "colorize": "ganvas.tasks.guided:Guided",
    "semi-supervised": "ganvas.tasks.semi_supervised:SemiSupervised",
}
IN_PARTS = ("superres", "inpaint", "colorize")  # they learn from parts of pictures, at their own sizes
TRANSLATES = ("paired", "unpaired", *IN_PARTS)  # from pictures to pictures


def task(name: str) -> Any:
    """The task class of a name. Raises UsageError with the nearest names if there is none."""
    return load(TASKS, name, "task")
