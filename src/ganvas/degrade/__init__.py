"""What spoils a picture so that a network can learn to mend it, by name. Adding one is its file and its line here.

Each is a pure function of pictures and of uniform numbers drawn elsewhere: the same numbers give the same result,
whatever else is in the batch.
"""

from typing import Any

from ganvas.core.parts import load

DEGRADATIONS = {  # to smaller pictures
    "bicubic": "ganvas.degrade.bicubic:Bicubic",
    "real": "ganvas.degrade.real:Real",
}
PROBLEMS = {  # what a network from pictures to pictures is to learn
    "paired": "ganvas.degrade.problems:Paired",
    "superres": "ganvas.degrade.problems:Superres",
    "inpaint": "ganvas.degrade.problems:Inpaint",
    "colorize": "ganvas.degrade.problems:Colorize",
}


def degradation(name: str) -> Any:
    """The degradation class of a name. Raises UsageError with the nearest names if there is none."""
    return load(DEGRADATIONS, name, "degradation")


def problem(name: str) -> Any:
    """The problem class of a name. Raises UsageError with the nearest names if there is none."""
    return load(PROBLEMS, name, "problem")
