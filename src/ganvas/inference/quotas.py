"""How many pictures of each class are to be made, in which order, and the folders that they go to."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ganvas.core.errors import UsageError

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')  # what some file system does not take


def in_proportion(counts: Sequence[int], number: int) -> np.ndarray:
    """int64 [K], `number` in all: so many of each class, in the proportions of `counts`, by largest remainders."""
    exact = np.asarray(counts, float) * number / max(sum(counts), 1)
    shares = np.floor(exact).astype(np.int64)
    missing = number - int(shares.sum())
    shares[np.argsort(shares - exact, kind="stable")[:missing]] += 1
    return shares


def evening(counts: Sequence[int], number: int | None) -> np.ndarray:
    """int64 [K]: so many of each class that, with `counts`, all come as close to each other as they can.

    number: in all; None takes as many as make them even. Raises UsageError if they are even already.
    """
    have = np.asarray(counts, np.int64)
    if number is None:
        number = int((have.max() - have).sum())
        if not number:
            raise UsageError(f"Every class has {have.max():,} pictures already: leave --balance out, and give --count")
    level = int(have.min())
    while int((np.maximum(level + 1, have) - have).sum()) <= number:
        level += _step(have, level, number)
    shares = np.maximum(level, have) - have
    lowest = np.flatnonzero(have + shares == level)
    shares[lowest[: number - int(shares.sum())]] += 1
    return shares


def _step(have: np.ndarray, level: int, number: int) -> int:
    """How far the level can rise at least, 1 or more, before the pictures are used up."""
    left = number - int((np.maximum(level, have) - have).sum())
    return max(1, left // len(have))


def in_turn(quota: np.ndarray) -> np.ndarray:
    """int64 [N]: the class of each picture, mixed so that at any moment each class is as far as the others."""
    labels = np.repeat(np.arange(len(quota)), quota)
    places = np.concatenate([(np.arange(count) + 0.5) / count for count in quota if count])
    return labels[np.argsort(places, kind="stable")]


def folder_names(classes: Sequence[str]) -> tuple[str, ...]:
    """A folder for each class: its name, less what a file system does not take; no two alike, whatever the case."""
    names: list[str] = []
    taken: Counter[str] = Counter()
    for number, name in enumerate(classes):
        plain = _NOT_IN_NAMES.sub("-", name).strip(" .") or f"class-{number}"
        while taken[plain.casefold()]:
            plain = f"{plain}-{number}"
        taken[plain.casefold()] += 1
        names.append(plain)
    return tuple(names)
