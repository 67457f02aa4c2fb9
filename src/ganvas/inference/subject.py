"""What is judged: the pictures of a generator, or of a folder."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas import data as data_room
from ganvas.core import card as cards
from ganvas.core.errors import DataError
from ganvas.core.evenly import in_shares
from ganvas.core.sizes import Size
from ganvas.data import Dataset
from ganvas.data.fit import AS_THEY_ARE
from ganvas.inference import loading
from ganvas.inference.generator import Generator
from ganvas.training.draws import Draws, latents_of_seeds

Say = Callable[[str], None]

_AT_ONCE = 250  # pictures at a time


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is judged: pictures of a generator, or of a folder.

    count: how many there are, None if as many as wanted. fit: how they came to their size. labels: of `count` pictures,
    None without classes.
    """

    name: str
    size: Size
    channels: int
    classes: tuple[str, ...]
    count: int | None
    seeds: str
    card: dict[str, Any]
    pictures: Callable[[int, np.ndarray | None], Iterator[Tensor]]
    fit: str = AS_THEY_ARE
    labels: np.ndarray | None = None


def subject_of(what: Generator | str | Path, size: Size | None, seed: int, say: Say) -> Subject:
    """What is to be judged. size: pixels to which a folder's pictures are brought. seed: which pictures are generated.

    Raises DataError for what holds no pictures and no generator.
    """
    if isinstance(what, Generator):
        return _of_generator(what, str(what.card.get("recipe", "generator")), seed)
    path = Path(what)
    if loading.is_network(path):
        return _of_generator(loading.load_generator(path), path.name, seed)
    if (path / "settings.toml").is_file():
        raise DataError(f"{path} is a run without a generator yet; let it train until its first checkpoint")
    return _of_folder(what, size, say)


def _of_generator(generator: Generator, name: str, seed: int) -> Subject:
    first = seed * 1_000_000  # each seed of an evaluation has pictures of its own
    generator = generator.at("float32")  # a score is of what the network gives

    def pictures(count: int, labels: np.ndarray | None) -> Iterator[Tensor]:
        width = generator.latents([0]).shape[1]
        for start in range(0, count, _AT_ONCE):
            numbers = range(first + start, first + min(count, start + _AT_ONCE))
            chosen = labels[start : start + len(numbers)].tolist() if labels is not None else list(numbers)
            yield torch.from_numpy(generator.pictures(latents_of_seeds(numbers, width), chosen))

    return Subject(
        name=name,
        size=Size(generator.height, generator.width),
        channels=generator.channels,
        classes=generator.classes,
        count=None,
        seeds=f"{first} onwards",
        card=cards.identity(generator.card),
        pictures=pictures,
    )


def _of_folder(where: str | Path, size: Size | None, say: Say) -> Subject:
    seen = data_room.survey(where, say=say)
    if size is None:
        size = seen.shape
    if size is None:
        raise DataError(
            f"The pictures of {where} are not all of one size, and how they are cropped and resized would be part of "
            "the score. Give --size N to bring the centre squares of both sides to N pixels, or --size WxH"
        )
    held = open_fitted(where, size, None, say)
    if len(held) < 2:
        raise DataError(f"{where} has one picture; scores need 2 or more, and thousands to mean something")

    def pictures(count: int, labels: np.ndarray | None) -> Iterator[Tensor]:
        yield from picked(held.images, in_shares(count, len(held)))

    return Subject(
        name=held.name,
        size=size,
        channels=held.channels,
        classes=held.classes,
        count=len(held),
        seeds="a folder's pictures",
        card={},
        pictures=pictures,
        fit=held.fit,
        labels=held.labels,
    )


def open_fitted(where: str | Path, size: Size, channels: int | None, say: Say) -> Dataset:
    """Open pictures at a size, and say what becomes of them on the way."""
    found = data_room.open_data(where, size=size, channels=channels, say=say)
    if found.fit != AS_THEY_ARE:
        say(f"The pictures of {where} are brought to {size.words} pixels: {found.fit}; the protocol says so")
    return found


def picked(images: np.ndarray, indices: np.ndarray) -> Iterator[Tensor]:
    """Some of the pictures uint8 [N, C, H, W], in parts; they may lie in a mapped file."""
    for start in range(0, len(indices), _AT_ONCE):
        yield torch.from_numpy(np.ascontiguousarray(images[indices[start : start + _AT_ONCE]]))


def labels_of(subject: Subject, real: np.ndarray | None, count: int) -> np.ndarray | None:
    """int64 [count]: the classes of the pictures that are judged; of a generator, each as often as in the reference."""
    if subject.labels is not None:
        return subject.labels[in_shares(count, len(subject.labels))]
    if not subject.classes:
        return None
    if real is None:
        return np.arange(count) % len(subject.classes)
    often = np.sort(real)[in_shares(count, len(real))].astype(np.int64)
    return often[Draws(0).order("labels", 0, count, count).numpy()]
