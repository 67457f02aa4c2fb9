"""The Fréchet distance of infinitely many pictures: its bias is linear in 1/N, so that a line gives its value at 0.

Chong and Forsyth 2020, "Effectively Unbiased FID and Inception Score and Where to Find Them", section 4.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.errors import DataError
from ganvas.metrics.features import checked
from ganvas.metrics.frechet import Statistics, frechet_distance, statistics

_POINTS = 15  # of the line
_FEWEST = 50  # pictures from which a line can be drawn


@dataclass(frozen=True)
class Extrapolated:
    """value: the distance at 1/N = 0. slope: of the line in 1/N. r_squared: how straight it is. counts: the N."""

    value: float
    slope: float
    r_squared: float
    counts: tuple[int, ...]


def frechet_at_infinity(fake: Tensor, real: Statistics, *, smallest: int | None = None, seed: int = 0) -> Extrapolated:
    """Fit a line through the distances of random subsets of features [N, D], evenly spaced in 1/N.

    smallest: pictures of the smallest subset; None takes a tenth, and no fewer than twice D where N allows.
    Raises DataError for fewer than 50 pictures, unlike dimensions, and values that are not finite.
    """
    fake = checked(fake, "the judged pictures", _FEWEST)
    count, dimensions = fake.shape
    least = smallest or max(2, min(max(count // 10, 2 * dimensions), count // 2))
    if not 2 <= least < count:
        raise DataError(f"A line needs {_POINTS} points between 2 and {count} pictures, and not from {least} on")
    inverses = torch.linspace(1 / least, 1 / count, _POINTS, dtype=torch.float64)
    counts = tuple(int(number) for number in (1 / inverses).round())
    dice = torch.Generator().manual_seed(seed)
    distances = torch.tensor(
        [frechet_distance(statistics(fake[torch.randperm(count, generator=dice)[:number]]), real) for number in counts],
        dtype=torch.float64,
    )
    places = 1 / torch.tensor(counts, dtype=torch.float64)
    centred, heights = places - places.mean(), distances - distances.mean()
    slope = (centred * heights).sum() / centred.square().sum()
    value = distances.mean() - slope * places.mean()
    left = (heights - slope * centred).square().sum()
    whole = heights.square().sum()
    straight = 1.0 if whole == 0 else 1 - (left / whole).item()
    return Extrapolated(value.item(), slope.item(), straight, counts)
