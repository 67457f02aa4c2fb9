"""What a family of foreign weights is: how its files are known, and where each of their tensors belongs in ours."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ganvas.core.errors import DataError

Weights = Mapping[str, Tensor]
"""Tensors by the names that a file gives them."""


@dataclass(frozen=True)
class Plan:
    """What a file is here.

    settings: of our network. card: what its card says besides. layers: from our layers to theirs, by the names before
    the last dot of a tensor's. weights: theirs, brought to our shapes.
    """

    settings: dict[str, Any]
    card: dict[str, Any]
    layers: dict[str, str]
    weights: Weights


@dataclass(frozen=True)
class Family:
    """kind: of the card. known: whether a file is of this family, by its names. plan: what it is here.

    example: a file that is one. A plan raises DataError, and says the end of a sentence that begins with the file.
    """

    kind: str
    known: Callable[[Weights], bool]
    plan: Callable[[Weights], Plan]
    example: str


def shape_of(weights: Weights, name: str) -> tuple[int, ...]:
    """The shape of a convolution's weight. Raises DataError if it is not there, or has not four dimensions."""
    if name not in weights:
        raise DataError(f"lacks the tensor {name}")
    shape = tuple(weights[name].shape)
    if len(shape) != 4:
        raise DataError(f"has {name} in the shape {say_shape(shape)}, which should have 4 dimensions")
    return shape


def norm_of(weights: Weights, layers: Iterable[str]) -> str:
    """The normalisation among these layers, the others being convolutions, by what it has.

    "batch": weights and averages of a training; "instance-affine": weights; "instance": neither, though files of
    PyTorch before 0.4 have averages that nothing reads.
    """
    norms = [layer for layer in layers if (held := weights.get(f"{layer}.weight")) is not None and held.ndim == 1]
    if not norms:
        return "instance"
    return "batch" if any(f"{layer}.running_mean" in weights for layer in norms) else "instance-affine"


def highest(numbers: Iterable[str]) -> int:
    """The highest of numbers in names; -1 if there is none."""
    return max(map(int, numbers), default=-1)


def say_shape(shape: Iterable[int]) -> str:
    """A shape in words."""
    return f"[{', '.join(map(str, shape))}]"


MODES = {  # by channels in and out
    (3, 3): "rgb",
    (1, 3): "rgb",
    (3, 1): "grey",
    (1, 1): "grey",
    (1, 2): "lab-colorize",
}


def translator_card(task: str, inputs: int, outputs: int) -> dict[str, Any]:
    """What the card of a network says that makes another picture of one. Raises DataError for other channels."""
    if (inputs, outputs) not in MODES:
        known = ", ".join(f"{before} to {after}" for before, after in MODES)
        raise DataError(f"is of a network from {inputs} channels to {outputs}: those that are used go from {known}")
    mode = MODES[inputs, outputs]
    task = "colorize" if mode == "lab-colorize" else task
    return {"mode": mode, "task": task, "inputs": inputs, "outputs": outputs, "scale": 1}
