"""Some of many, evenly spread."""

import numpy as np


def evenly(count: int, most: int) -> np.ndarray:
    """int64 [min(count, most)]: places among `count`, evenly spread from the first to the last."""
    return np.linspace(0, count - 1, min(most, count)).astype(np.int64)
