"""Pictures ready to be trained on: decoded, of one size, with labels where there are classes."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from ganvas.core.sizes import Size
from ganvas.data.fit import AS_THEY_ARE
from ganvas.data.report import Report


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in memory, or mapped from a cache.

    where: the canonical place; opened again it gives the same. images: uint8 [N, C, H, W]; a mapped array is
    read-only. labels: int64 [N] into `classes`, or None. fingerprint: SHA-256 over shape, pixels, labels and class
    names, so that a resumed run knows whether it goes on with the same data. fit: how pictures came to their size.
    """

    name: str
    where: str
    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    report: Report
    fingerprint: str
    fit: str = AS_THEY_ARE
    groups: np.ndarray | None = None

    @property
    def pictures(self) -> int:
        """How many pictures the rows are pieces of."""
        return len(self) if self.groups is None else len(np.unique(self.groups))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int | Size:
        """The side of square pictures in pixels; of others a `Size`, which has height and width."""
        return Size(*self.images.shape[2:]).simplest

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB, 4 for RGBA."""
        return int(self.images.shape[1])


def fingerprint_of(shape: tuple[int, ...], pixels: str, labels: np.ndarray | None, classes: tuple[str, ...]) -> str:
    """The fingerprint of a data set. pixels: the SHA-256 of all its pixels in their order."""
    digest = hashlib.sha256(json.dumps([list(shape), pixels, list(classes)]).encode())
    if labels is not None:
        digest.update(np.ascontiguousarray(labels, "<i8").tobytes())
    return digest.hexdigest()


def held_out_indices(count: int, held_out: int) -> np.ndarray:
    """int64 [held_out]: which of `count` pictures training is not to see, evenly spread and always the same."""
    return np.unique(((np.arange(held_out) + 0.5) * count / max(held_out, 1)).astype(np.int64))


def held_out_rows(dataset: Dataset, held_out: int) -> np.ndarray:
    """int64: the rows of so many pictures, which training is not to see; all pieces of a picture are on one side."""
    if dataset.groups is None:
        return held_out_indices(len(dataset), held_out)
    pictures = np.unique(dataset.groups)
    return np.flatnonzero(np.isin(dataset.groups, pictures[held_out_indices(len(pictures), held_out)]))
