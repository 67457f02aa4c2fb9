"""Some of many, evenly spread."""

import numpy as np


def evenly(count: int, most: int) -> np.ndarray:
    """int64 [min(count, most)]: places among `count`, evenly spread from the first to the last."""
    return np.linspace(0, count - 1, min(most, count)).astype(np.int64)


def in_shares(number: int, count: int) -> np.ndarray:
    """int64 [number]: places among `count`, each where its share of them begins; more than there are repeat some."""
    return np.arange(number) * count // max(1, number)
