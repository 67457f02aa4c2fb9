"""What a set of generated pictures is worth to a classifier, as far as that can be measured."""

import math
from typing import Any

import numpy as np
import torch

from ganvas.core.evenly import in_shares
from ganvas.inference.augmentation_plan import Plan
from ganvas.inference.reference import Reals
from ganvas.inference.set_folder import SetFolder, Tally
from ganvas.inference.subject import Say
from ganvas.inference.usefulness import Labelled, Usefulness, usefulness
from ganvas.metrics.classifier import GREATEST, LEAST
from ganvas.metrics.domain import reduced

_AT_ONCE = 256
_MOST_BYTES = 2**28  # of the pictures of one kind that a classifier is trained on


def why_not(plan: Plan) -> str:
    """Why no classifier can be compared; "" if one can."""
    real, held = plan.real, plan.held
    if not plan.names:
        return "the generator was trained without classes, so its pictures have no labels"
    if real.labels is None:
        return f"{real.name} has no classes"
    if len(real.classes) < 2:
        return f"{real.name} has one class, and there is nothing to tell apart"
    if held.labels is None:
        return f"the held-out pictures of {held.name} have not the classes of {real.name}"
    if plan.number < 2:
        return "a classifier learns from two pictures or more, and this set has one"
    if (seen := plan.size.within(GREATEST)).shorter < LEAST:
        return f"the classifier sees pictures of {LEAST} pixels or more, and these would be {seen} to it"
    return ""


def compared(plan: Plan, folder: SetFolder, tally: Tally, trials: int, steps: int | None, say: Say) -> Usefulness:
    """What the set is worth to a classifier of the data's classes. Raises DataError if it cannot be read again."""
    real = plan.real
    numbers = np.array([real.classes.index(name) for name in plan.names])
    most = _MOST_BYTES // (plan.maker.channels * math.prod(plan.size.within(GREATEST).hw))
    if max(len(real), len(tally.written)) > most:
        say(f"The classifiers see {most:,} pictures of a kind, evenly spread, which is what memory is spent on")
    seeds = [tally.written[row] for row in in_shares(min(len(tally.written), most), len(tally.written))]
    parts = [
        reduced(torch.from_numpy(folder.read(seeds[start : start + _AT_ONCE])))
        for start in range(0, len(seeds), _AT_ONCE)
    ]
    made = Labelled(torch.cat(parts), torch.from_numpy(numbers[[label for _, label in seeds]]))
    test = _labelled(plan.held, most)
    return usefulness(_labelled(real, most), made, test, len(real.classes), trials=trials, steps=steps, say=say)


def protocol(found: Usefulness, real: Reals) -> dict[str, Any]:
    """What makes the accuracies comparable."""
    return {
        "classes": list(real.classes),
        "network": "SmallClassifier (ganvas.metrics.classifier)",
        "steps": found.steps,
        "batch": found.batch,
        "seeds": list(range(len(found.accuracies["real"]))),
        "test_pictures": found.test_pictures,
    }


def _labelled(reals: Reals, most: int) -> Labelled:
    """At most so many real pictures, evenly spread, as a classifier takes them."""
    rows = in_shares(min(len(reals), most), len(reals))
    parts = [
        reduced(torch.from_numpy(np.ascontiguousarray(reals.images[reals.indices[rows[start : start + _AT_ONCE]]])))
        for start in range(0, len(rows), _AT_ONCE)
    ]
    labels = reals.labels if reals.labels is not None else np.zeros(len(reals), np.int64)
    return Labelled(torch.cat(parts), torch.from_numpy(labels[rows]))
