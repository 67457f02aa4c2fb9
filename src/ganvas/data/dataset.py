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
    read-only; of pairs [N, 2 * C, H, W], the first picture in the first channels. labels: int64 [N] into `classes`, or
    None. fingerprint: SHA-256 over shape, pixels, labels, class names and groups, so that a resumed run knows whether
    it goes on with the same data. fit: how pictures came to their size. groups: int64 [N], the number of the picture
    that each row is a piece of, from 0 on; None where every row is a picture.
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

    def __len__(self) -> int:
        return len(self.images)

    @property
    def pictures(self) -> int:
        """How many pictures the rows are pieces of."""
        return len(self) if self.groups is None else int(self.groups.max()) + 1

    @property
    def size(self) -> int | Size:
        """The side of square pictures in pixels; of others a `Size`, which has height and width."""
        return Size(*self.images.shape[2:]).simplest

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB, 4 for RGBA; of pairs twice as many."""
        return int(self.images.shape[1])


def fingerprint_of(
    shape: tuple[int, ...],
    pixels: str,
    labels: np.ndarray | None,
    classes: tuple[str, ...],
    groups: np.ndarray | None = None,
) -> str:
    """The fingerprint of a data set. pixels: the SHA-256 of all its pixels in their order."""
    digest = hashlib.sha256(json.dumps([list(shape), pixels, list(classes)]).encode())
    if labels is not None:
        digest.update(np.ascontiguousarray(labels, "<i8").tobytes())
    if groups is not None:
        digest.update(b"groups" + np.ascontiguousarray(groups, "<i8").tobytes())
    return digest.hexdigest()


def held_out_indices(count: int, held_out: int) -> np.ndarray:
    """int64 [held_out]: which of `count` pictures training is not to see, evenly spread and always the same."""
    return np.unique(((np.arange(held_out) + 0.5) * count / max(held_out, 1)).astype(np.int64))


def held_out_rows(dataset: Dataset, held_out: int) -> np.ndarray:
    """int64 [n]: the rows of so many pictures that training is not to see, all pieces of each of them."""
    if dataset.groups is None:
        return held_out_indices(len(dataset), held_out)
    pictures = held_out_indices(dataset.pictures, held_out)
    return np.flatnonzero(np.isin(dataset.groups, pictures)).astype(np.int64)
