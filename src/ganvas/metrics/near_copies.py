"""Near-copies of training pictures, told one part at a time: memory does not grow with how many are judged.

The rule is that of `metrics.memorization` (after Meehan et al. 2020): the distance to the nearest training picture over
that one's own distance to its nearest other, held against the same of real pictures.
"""

import math

import torch
from torch import Tensor

from ganvas.core.errors import DataError
from ganvas.metrics.features import alike, checked
from ganvas.metrics.memorization import FALSE_ALARMS, distances_to_next, nearest_of

SAME = 1e-3  # the ratio up to which a picture is a training picture; the limit is above it
_SMALLEST_OF = 1_000  # training pictures, evenly spread, whose spacing says what the smallest is


class TrainingPictures:
    """Features [N, D] of training pictures, among which the nearest is looked for.

    Raises DataError for fewer than 2, and for values that are not finite.
    """

    def __init__(self, features: Tensor) -> None:
        self._features = checked(features, "the training pictures")
        self._spacing = torch.full((len(features),), math.nan, dtype=torch.float64)  # filled as it is asked for
        count = min(len(features), _SMALLEST_OF)
        spacing = distances_to_next(self._features, torch.arange(count) * len(features) // count)
        self._smallest = float(spacing[spacing > 0].min()) if (spacing > 0).any() else 1.0

    def ratios(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """How near pictures [N, D] are, float64 [N], and which training picture each is nearest to, int64 [N].

        Below 1 it is nearer than that one's own neighbour. A training picture that has a twin counts as standing apart
        from it by the smallest distance that there is otherwise. Raises DataError for features of another extractor.
        """
        features = checked(features, "the generated pictures", 1)
        alike(features, self._features)
        distances, nearest = nearest_of(features, self._features)
        missing = nearest[self._spacing[nearest].isnan()].unique()
        if len(missing):
            self._spacing[missing] = distances_to_next(self._features, missing).clamp(min=self._smallest)
        return distances / self._spacing[nearest], nearest


def limit_of(ratios: Tensor) -> float:
    """The ratio below which a picture is a near-copy, of the ratios [N] of real pictures that are no training pictures.

    All but a hundredth of those are above it, or at it; of fewer than 100 all are. Those that are the same as a
    training picture say nothing and are left out. Raises DataError if all of them are.
    """
    others = ratios[ratios > SAME]
    if not len(others):
        raise DataError(
            "All real pictures that were to say what is near are the same as training pictures: give others, with "
            "--held-out DATA"
        )
    return float(others.quantile(FALSE_ALARMS, interpolation="lower"))
