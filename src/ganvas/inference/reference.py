"""What generated pictures are judged against: real pictures, and those that are held out of them."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganvas import data as data_room
from ganvas.core.errors import DataError, UsageError
from ganvas.core.sizes import Size
from ganvas.data import Dataset
from ganvas.data.fit import AS_THEY_ARE
from ganvas.inference.subject import Say, Subject, open_fitted, picked

_EVERY = 10  # of a reference without a test part of its own, every so manieth picture is held out
_FEWEST = 50  # pictures of a reference from which some are held out


@dataclasses.dataclass(frozen=True)
class Reals:
    """Real pictures, or a part of them. unseen: whether training did not see them, as far as can be known."""

    name: str
    sha256: str
    part: str
    images: np.ndarray
    indices: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    unseen: bool

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def size(self) -> Size:
        """Of each picture."""
        return Size(*self.images.shape[2:])

    @property
    def channels(self) -> int:
        """1 to 4."""
        return int(self.images.shape[1])

    def whole(self) -> Tensor:
        """All pictures at once, uint8 [N, C, H, W]."""
        return torch.cat(list(self.parts()))

    def parts(self) -> Iterator[Tensor]:
        """The pictures, uint8 [n, C, H, W] at a time; they may lie in a mapped file."""
        yield from picked(self.images, self.indices)


def reference_of(
    subject: Subject, against: str | Path, held_out: str | Path | None, say: Say
) -> tuple[Reals, Reals | None]:
    """The reference and what is held out of it, as large and as colourful as what is judged.

    held_out: real pictures in place of those that the run kept out of training, a named set's test part, or each tenth.
    """
    for where in (against, held_out):
        if where is not None:
            _check_kind(subject, where, say)
    whole = open_fitted(against, subject.size, subject.channels, say)
    if len(whole) < 2:
        raise DataError(f"{against} has one picture; a reference needs 2 or more, and thousands to mean something")
    of_run = _held_out_by_run(subject, whole) if held_out is None else 0
    test = held_out if held_out is not None else data_room.test_part(whole.where)
    if test is not None and not of_run:
        other = open_fitted(test, subject.size, subject.channels, say)
        if other.fingerprint == whole.fingerprint:
            raise UsageError(f"--held-out {test}: these are the pictures of {against} themselves; give others")
        held = _part(other, "all", np.arange(len(other)), unseen=True)
        if other.classes != whole.classes:
            held = dataclasses.replace(held, labels=None)
        return _part(whole, "all", np.arange(len(whole))), held
    if of_run:
        out, words = data_room.held_out_indices(len(whole), of_run), f"the {of_run:,} that training did not see"
    elif len(whole) >= _FEWEST:
        out, words = np.arange(_EVERY - 1, len(whole), _EVERY), "each tenth"
    else:
        return _part(whole, "all", np.arange(len(whole))), None
    rest = np.setdiff1d(np.arange(len(whole)), out)
    return _part(whole, f"all but {words}", rest), _part(whole, words, out, unseen=of_run > 0)


def _check_kind(subject: Subject, where: str | Path, say: Say) -> None:
    """Raise DataError for grey beside colour; for a generator say that all are read as in its training."""
    seen = data_room.survey(where, say=say)
    if seen.channels == subject.channels:
        return
    if not subject.card:
        kinds = {1: "grey", 2: "grey with transparency", 3: "in colour", 4: "in colour with transparency"}
        raise DataError(
            f"{subject.name} is {kinds[subject.channels]} and {where} is {kinds[seen.channels]}: they cannot be "
            "compared. Bring both to the same kind first"
        )
    say(f"{where} is judged in {'grey' if subject.channels < 3 else 'colour'}, as {subject.name} makes pictures")


def _held_out_by_run(subject: Subject, whole: Dataset) -> int:
    """How many of these pictures the training of this generator did not see; 0 where that is not known."""
    count = subject.card.get("held_out", 0)
    if subject.card.get("data_sha256") != whole.fingerprint or not isinstance(count, int):
        return 0
    return count if 0 < count < len(whole) else 0  # a card may come from anywhere


def _part(data: Dataset, part: str, indices: np.ndarray, *, unseen: bool = False) -> Reals:
    labels = None if data.labels is None else data.labels[indices]
    words = f"{part}, at {data.size} pixels" + ("" if data.fit == AS_THEY_ARE else f" ({data.fit})")
    return Reals(data.name, data.fingerprint, words, data.images, indices, labels, data.classes, unseen)
