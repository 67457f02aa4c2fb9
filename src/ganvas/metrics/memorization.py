"""Memorisation: are generated pictures nearer to training pictures than unseen real ones are?

After Meehan et al. 2020, "A Non-Parametric Test to Detect Data-Copying in Generative Models" (section 3.1: a rank
test of the distances to the nearest training picture), and with a flag for each, calibrated on the unseen ones.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.metrics.features import alike, checked
from ganvas.metrics.neighbours import blocks

FALSE_ALARMS = 0.01  # the part of unseen real pictures that is flagged
FEWEST_UNSEEN = 100  # unseen pictures from which a hundredth can be told
_SURE = 0.01  # the p-value below which the verdict is that there are copies


@dataclass(frozen=True)
class Memorization:
    """What was found about N generated pictures.

    flagged: bool [N]: nearer to a training picture than all but a hundredth of unseen pictures are, as measured by the
    distance to the nearest training picture over that one's own distance to its nearest other. nearest: int64 [N], the
    training picture that each is nearest to. ratios: float64 [N], what was compared. statistic: the z-score of the rank
    test over all pictures, negative where generated ones are nearer. p_value: of as many flags by chance.
    """

    flagged: Tensor
    nearest: Tensor
    ratios: Tensor
    statistic: float
    p_value: float
    verdict: str

    def closest(self, count: int) -> list[tuple[int, int]]:
        """(generated, training) indices of the closest pairs, the closest first, each training picture once."""
        pairs: dict[int, int] = {}
        for index in self.ratios.argsort().tolist():
            pairs.setdefault(int(self.nearest[index]), index)
        return [(generated, training) for training, generated in list(pairs.items())[:count]]


def memorization(fake: Tensor, train: Tensor, held_out: Tensor) -> Memorization:
    """Compare features [N, D] of generated pictures with those of training and of unseen real pictures.

    Raises DataError for fewer than 100 unseen pictures or 2 training pictures, unlike dimensions, values not finite.
    """
    fake, train = checked(fake, "the judged pictures", 1), checked(train, "the training pictures")
    held_out = checked(held_out, "the unseen pictures", FEWEST_UNSEEN)
    alike(fake, train)
    alike(held_out, train)
    ours, nearest = nearest_of(fake, train)
    theirs, neighbours = nearest_of(held_out, train)
    looked_up = torch.cat([nearest, neighbours])
    spacing = _spacing(train, looked_up)
    ratios, usual = ours / spacing[: len(fake)], theirs / spacing[len(fake) :]
    limit = usual.quantile(FALSE_ALARMS, interpolation="lower")
    flagged = ratios < limit
    statistic = _rank_score(ratios, usual)
    chance = _at_least(int(flagged.sum()), len(fake), int((usual < limit).sum()) + 1, len(usual))
    return Memorization(flagged, nearest, ratios, statistic, chance, _verdict(flagged, chance, statistic))


def nearest_of(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to, and index of, the nearest in `b` [M, D] of each in `a` [N, D]: two of [N]."""
    found = [distances.min(dim=1) for _, distances in blocks(a, b)]
    return torch.cat([one.values for one in found]), torch.cat([one.indices for one in found])


def _spacing(train: Tensor, indices: Tensor) -> Tensor:
    """The distance of these training pictures, int64 [K], to their nearest other, above zero where any is: [K]."""
    some, places = indices.unique(return_inverse=True)
    spacing = distances_to_next(train, some)
    smallest = spacing[spacing > 0].min() if (spacing > 0).any() else torch.ones((), dtype=torch.float64)
    return spacing.clamp(min=smallest)[places]


def distances_to_next(train: Tensor, indices: Tensor) -> Tensor:
    """The distance of these training pictures, int64 [K], to their nearest other: [K]."""
    found = []
    for rows, distances in blocks(train[indices], train):
        distances[torch.arange(len(distances)), indices[rows.start : rows.start + len(distances)]] = math.inf
        found.append(distances.min(dim=1).values)
    return torch.cat(found)


def _rank_score(a: Tensor, b: Tensor) -> float:
    """The z-score of the Mann-Whitney test that `a` tends to be larger than `b`; ties count half."""
    ordered = b.sort().values
    below = torch.searchsorted(ordered, a, right=False).double()
    up_to = torch.searchsorted(ordered, a, right=True).double()
    wins = ((below + up_to) / 2).sum().item()
    expected, spread = len(a) * len(b) / 2, math.sqrt(len(a) * len(b) * (len(a) + len(b) + 1) / 12)
    return (wins - expected) / spread


def _at_least(hits: int, count: int, rank: int, unseen: int) -> float:
    """The probability of so many of `count` below the rank-th smallest of `unseen` values, if all are of one kind.

    The limit is itself drawn: the part below it is Beta(rank, unseen - rank + 1), and so the hits are beta-binomial.
    """
    above = unseen - rank + 1
    logs = [
        _log_beta(number + rank, count - number + above) - _log_beta(rank, above)
        + math.lgamma(count + 1) - math.lgamma(number + 1) - math.lgamma(count - number + 1)
        for number in range(hits, count + 1)
    ]  # fmt: skip
    return min(1.0, math.fsum(math.exp(log) for log in logs))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _verdict(flagged: Tensor, chance: float, statistic: float) -> str:
    number, count = int(flagged.sum()), len(flagged)
    if chance < _SURE:
        return (
            f"{number:,} of {count:,} generated pictures are nearer to a training picture than real ones usually are "
            f"({FALSE_ALARMS:.0%} would be by chance; p = {chance:.1g}): look at the closest pairs, they may be copies"
        )
    if statistic < -3:
        return (
            f"No single copies stand out, but as a whole generated pictures are nearer to the training pictures than "
            f"unseen real ones are (z = {statistic:.1f})"
        )
    return f"No sign of memorisation: {number:,} of {count:,} flagged, where {FALSE_ALARMS:.0%} would be by chance"
