"""What generated pictures are worth to a classifier: trained on real, on generated, on both; tried on real ones.

Ravuri & Vinyals 2019, "Classification Accuracy Score for Conditional Generative Models", sections 3 and 4.3. All three
make as many steps of the gradient with batches of one size, so that more pictures do not mean more training.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganvas.inference.subject import Say
from ganvas.metrics.classifier import Training, predictions, train_classifier

KINDS = ("real", "generated", "both")
_FEWEST, _MOST = 100_000, 300_000  # pictures that a classifier sees in training, where nobody says


@dataclass(frozen=True)
class Labelled:
    """Pictures uint8 [N, C, H, W] and their classes int64 [N]."""

    pictures: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Usefulness:
    """What classifiers reached, by what they were trained on.

    accuracies: one a seed. per_class: the mean over seeds, NaN for a class of which no picture was held out. pictures:
    how many there were to train on. gain_error: the standard error of what `both` has over `real`, of the held-out
    pictures being these (in pairs: both kinds saw the same) and of the seeds being so few.
    """

    accuracies: Mapping[str, tuple[float, ...]]
    per_class: Mapping[str, tuple[float, ...]]
    pictures: Mapping[str, int]
    test_pictures: int
    steps: int
    batch: int
    gain_error: float

    def mean(self, kind: str) -> float:
        """The mean accuracy over seeds."""
        return sum(self.accuracies[kind]) / len(self.accuracies[kind])

    def spread(self, kind: str) -> float | None:
        """The standard deviation over seeds; None of one."""
        found = self.accuracies[kind]
        if len(found) < 2:
            return None
        return math.sqrt(sum((one - self.mean(kind)) ** 2 for one in found) / (len(found) - 1))

    @property
    def verdict(self) -> str:
        """Whether the generated pictures helped, in a sentence; what chance could do is not called a difference."""
        gain = self.mean("both") - self.mean("real")
        said = f"with the generated pictures added, accuracy changes by {100 * gain:+.1f} points"
        if abs(gain) <= 2 * self.gain_error:
            return (
                f"No difference that chance could not make: {said} (two standard errors: {200 * self.gain_error:.1f})"
            )
        word = "help" if gain > 0 else "harm"
        return f"The generated pictures {word}: {said} (two standard errors: {200 * self.gain_error:.1f})"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file."""
        kinds = {
            kind: {
                "pictures": self.pictures[kind],
                "accuracy": self.mean(kind),
                "spread": self.spread(kind),
                "of_each_seed": list(self.accuracies[kind]),
                "per_class": [None if math.isnan(one) else one for one in self.per_class[kind]],
            }
            for kind in KINDS
        }
        return kinds | {"verdict": self.verdict}


def usefulness(
    real: Labelled, made: Labelled, test: Labelled, classes: int, *, trials: int, steps: int | None, say: Say
) -> Usefulness:
    """Train a classifier on each kind with the seeds 0 to trials - 1. steps: None takes what the real ones need."""
    both = Labelled(torch.cat([real.pictures, made.pictures]), torch.cat([real.labels, made.labels]))
    sets = dict(zip(KINDS, (real, made, both), strict=True))
    batch = min(Training().batch, len(real.labels), len(made.labels))
    steps = steps or min(max(10 * len(real.labels), _FEWEST), _MOST) // batch
    training = Training(batch=batch, steps=steps)
    accuracies: dict[str, list[float]] = {kind: [] for kind in KINDS}
    right: dict[str, Tensor] = {kind: torch.zeros(len(test.labels)) for kind in KINDS}
    say(f"Training {len(KINDS) * trials} classifiers, each {steps:,} steps with {batch} pictures")
    for seed in range(trials):
        for kind, held in sets.items():
            model = train_classifier(held.pictures, held.labels, classes, seed=seed, training=training)
            hits = (predictions(model, test.pictures) == test.labels).float()
            accuracies[kind].append(float(hits.mean()))
            right[kind] += hits / trials
            say(f"  seed {seed}, {kind}: {accuracies[kind][-1]:.1%}")
    between = (right["both"] - right["real"]).double()
    variances = [torch.tensor(accuracies[kind]).double().var() / trials for kind in ("real", "both") if trials > 1]
    return Usefulness(
        accuracies={kind: tuple(found) for kind, found in accuracies.items()},
        per_class={
            kind: tuple(float(hits[test.labels == number].mean()) for number in range(classes))
            for kind, hits in right.items()
        },
        pictures={kind: len(held.labels) for kind, held in sets.items()},
        test_pictures=len(test.labels),
        steps=steps,
        batch=batch,
        gain_error=math.sqrt(float(between.square().mean() - between.mean() ** 2) / len(between) + sum(variances)),
    )
