"""Which pictures of a data set count as labelled, where most do not."""

import numpy as np

from ganvas.core.errors import UsageError
from ganvas.data import Dataset
from ganvas.tasks.semi_supervised_settings import UNLABELLED, PartlyLabelledSettings
from ganvas.training.draws import Draws


def known_labels(data: Dataset, chosen: PartlyLabelledSettings) -> np.ndarray:
    """int64 [N] into the classes that are told apart; -1 for pictures without one."""
    number = {name: index for index, name in enumerate(chosen.known)}
    renumbered = np.array([number.get(name, -1) for name in data.classes], np.int64)
    return np.full(len(data), -1, np.int64) if data.labels is None else renumbered[data.labels]


def labelled(labels: np.ndarray, among: np.ndarray, chosen: PartlyLabelledSettings, draws: Draws) -> np.ndarray:
    """Indexes, int64 in rising order, of the pictures whose labels are learned from.

    labels: of all pictures, -1 for none. among: those that training sees. Where `labels` of the settings says how
    many, they are as many of each class, one more of the first classes where that does not come out even, and drawn
    by the run's seed. Raises UsageError for a class with fewer labels, or none, and where no picture is left without.
    """
    classes = len(chosen.known)
    of_class = [among[labels[among] == number] for number in range(classes)]
    fewest, scarcest = min((len(its), name) for its, name in zip(of_class, chosen.known, strict=True))
    if not fewest:
        raise UsageError(
            f"No picture of the class {scarcest} has a label that training sees: put one or more into its folder"
            + (f", or hold out fewer than {chosen.held_out}: --set data.held_out=0" if chosen.held_out else "")
        )
    wanted = [
        len(its) if chosen.labels is None else (chosen.labels - number + classes - 1) // classes
        for number, its in enumerate(of_class)
    ]
    lacking = [len(its) < count for its, count in zip(of_class, wanted, strict=True)]
    if any(lacking):
        raise UsageError(
            f"data.labels={chosen.labels} takes {max(wanted)} of each of the {classes} classes, and {scarcest} has "
            f"{fewest}: ask for {classes * fewest} or fewer"
        )
    kept: list[np.ndarray] = []
    for number, (its, count) in enumerate(zip(of_class, wanted, strict=True)):
        kept.append(its[draws.order(f"labels/{number}", 0, count, len(its)).numpy()])
    found = np.sort(np.concatenate(kept))
    if len(found) == len(among):
        raise UsageError(
            f"Nothing is unlabelled: all {len(among):,} pictures have a class. Put others into a subfolder named "
            f"{UNLABELLED[0]}, or keep fewer labels: --set data.labels=100"
        )
    return found
