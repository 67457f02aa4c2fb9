"""What a user hands to a generator: a picture to look for, a point that was found before."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganvas.core import card as cards
from ganvas.core import cardfile, files
from ganvas.core.errors import DataError, UsageError
from ganvas.data.decode import decode, look_at, one_picture
from ganvas.inference.generator import Generator

POINT = "point.safetensors"
_SMALLEST = 1  # pixels a side


def read_picture(path: str | Path, generator: Generator, *, fit: bool = False) -> np.ndarray:
    """uint8 [C, H, W]: a picture file as a generator makes its pictures.

    fit: crop and resize it if it is of another size. Raises DataError for a file that is no picture, UsageError for one
    of another size that is not to be fitted.
    """
    path = Path(path)
    with one_picture(path):
        content = path.read_bytes()
        with path.open("rb") as stream:
            look = look_at(stream)
        if (look.width, look.height) != (generator.width, generator.height) and not fit:
            raise UsageError(
                f"{path} is {look.width} x {look.height} pixels, and the generator makes {generator.width} x "
                f"{generator.height}. --fit takes its centre and brings it to that size"
            )
        return decode(content, generator.size, generator.channels, _SMALLEST)


@dataclass(frozen=True)
class Point:
    """A place in a generator's space: float32 [layers, width], and its class's number, 0 without classes."""

    place: Tensor
    label: int


def save_point(folder: Path, point: Point, generator: Generator) -> Path:
    """Write a point into a folder, with what is needed to know its generator again; returns the file."""
    card = {
        "format": cards.FORMAT,
        "kind": "point",
        "label": point.label,
        "space": generator.space.name,
        "generator": generator.fingerprint,
    }
    file = folder / POINT
    files.write_bytes(file, cardfile.as_bytes({"point": point.place}, card))
    return file


def load_point(path: str | Path, generator: Generator) -> Point:
    """The point of a file, or of a folder that `ganvas project` wrote.

    Raises DataError if there is none, or if it belongs to another generator.
    """
    path = Path(path)
    file = path / POINT if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"There is no point at {path}: give a folder that `ganvas project` wrote, or its {POINT}")
    try:
        held, text = cardfile.contents(file)
        card, place = json.loads(text or "{}"), held["point"].to(torch.float32)
        kind, label, fingerprint = card["kind"], int(card["label"]), card["generator"]
    except (DataError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is no point of a generator's space: {error}") from None
    cards.refuse_newer(card, str(file))
    if kind != "point" or fingerprint != generator.fingerprint:
        raise DataError(
            f"{file} is a point of another generator, or of this one before it was trained on: project anew"
        )
    if place.shape != (generator.space.layers, generator.space.width) or not place.isfinite().all():
        raise DataError(f"{file} is damaged: its point is not one of the generator's space")
    return Point(place, label)
