"""What is asked of a generator, from the words on the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from ganvas.core.errors import UsageError
from ganvas.core.quantities import parse_seeds

if TYPE_CHECKING:
    from torch import Tensor

    from ganvas.inference.generator import Generator
    from ganvas.inference.given import Point

GENERATOR = (
    "A run's folder, a saved folder, a .safetensors or .onnx file, the name of a generator in the package, or "
    "user/name on the hub."
)
TRANSLATOR = "A run's folder, a saved folder, a .safetensors or .onnx file, or user/name on the hub."
Run = Annotated[str, Positional, arg(metavar="RUN", help=GENERATOR)]
Layers = Annotated[str | None, arg(metavar="0-3")]


def parse_layers(text: str | None) -> range | None:
    """Layers as 0-3 or 5. Raises UsageError for anything else."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", text)
    if found is None or int(found[2] or found[1]) < int(found[1]):
        raise UsageError(f"--layers {text}: give one range, as 0-3, or one layer")
    return range(int(found[1]), int(found[2] or found[1]) + 1)


def class_numbers(generator: Generator, text: str) -> list[int]:
    """The numbers of a class, or of several with commas between. Raises UsageError for an unknown one."""
    names = [text] if text in generator.classes else [name.strip() for name in text.split(",")]
    return [generator.class_number(name) for name in names]


def parse_moves(text: str) -> dict[str, dict[int, float]]:
    """Strengths by method and direction, of pca0=2,sefa3=-1.5. Raises UsageError for anything else."""
    moves: dict[str, dict[int, float]] = {}
    for part in text.split(","):
        if not (found := re.fullmatch(r"([a-z]+)(\d+)=([+-]?\d+(?:\.\d+)?)", part.strip())):
            raise UsageError(f"--move {text}: give a method, a direction and standard deviations, as pca0=2,sefa3=-1.5")
        moves.setdefault(found[1], {})[int(found[2])] = float(found[3])
    return moves


def parse_label(generator: Generator, text: str | None) -> str | Mapping[str, float] | None:
    """A class, or the weights of several to be mixed, of Coat=0.7,Bag=0.3. Raises UsageError for no such number."""
    if text is None or text in generator.classes or "=" not in text:
        return text
    weights = {}
    for part in text.split(","):
        name, _, weight = part.rpartition("=")
        if not re.fullmatch(r"\d+(\.\d+)?|\.\d+", weight):
            raise UsageError(f"--class {text}: to mix classes give each its weight, as Coat=0.7,Bag=0.3")
        weights[name.strip()] = float(weight)
    return weights


def places_of(generator: Generator, seeds: str | None, at: str | None) -> list[int | Point]:
    """What --seeds and --at name: seeds, and after them points that were found before.

    Raises UsageError if neither is given.
    """
    from ganvas.inference.given import load_point

    if seeds is None and at is None:
        raise UsageError("Which pictures? Give --seeds 1,5,9, or --at a folder that `ganvas project` wrote")
    numbers = parse_seeds(seeds) if seeds is not None else []
    return [*numbers, *(load_point(path, generator) for path in (at.split(",") if at is not None else []))]


def own_labels(places: Sequence[int | Point]) -> list[int]:
    """The class that each place has of its own; a seed's counts on beyond the last class."""
    return [place if isinstance(place, int) else place.label for place in places]


def points_of(
    generator: Generator, places: Sequence[int | Point], labels: Sequence[int], truncation: float
) -> tuple[Tensor, list[int]]:
    """Points [N, layers, width] of places, and their classes: whichever are fewer are taken again from the first."""
    import torch

    count = max(len(places), len(labels))
    chosen = [labels[number % len(labels)] for number in range(count)]
    pieces = []
    for number, label in enumerate(chosen):
        place = places[number % len(places)]
        if isinstance(place, int):
            pieces.append(generator.points(generator.latents([place]), [label], truncation=truncation))
        else:
            pieces.append(place.place[None])
    return torch.cat(pieces), chosen
