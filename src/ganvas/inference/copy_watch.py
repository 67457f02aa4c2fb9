"""Whether generated pictures are near-copies of training pictures, in features and in pixels."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganvas import metrics as metrics_room
from ganvas.core.errors import DataError, UsageError
from ganvas.inference.reference import Reals
from ganvas.inference.set_folder import Refused
from ganvas.inference.subject import Say, picked
from ganvas.metrics.extraction import features_of
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.near_copies import TrainingPictures, limit_of

EXTRACTORS = ("fashion", "imagenet", "pixels")  # that need no file
_COMPARED = 2_000  # real pictures that say what is usual


def extractors_of(name: str, real: Reals, say: Say) -> list[Extractor]:
    """What looks for copies: the features of a name, or of the data's kind for "auto", and always the pixels.

    Raises UsageError for a name that cannot be had without a file.
    """
    if name == "auto":
        name = metrics_room.choose_for_evaluation(real.channels, real.size, real.name)
    if name not in EXTRACTORS:
        raise UsageError(f"--extractor {name}: near-copies are looked for with auto, {', '.join(EXTRACTORS)}")
    names = dict.fromkeys((name, "pixels"))
    return [metrics_room.extractor(one, real.channels, None, None, say) for one in names]


class CopyWatch:
    """Refuses a picture that is nearer to a training picture than real pictures that are none are, to any extractor.

    real: the training pictures. held: real ones that are not among them; where training has seen those too, they serve
    for the limits and are then looked among like the others. mirrored: whether a mirrored copy is one.
    limits: of each extractor, the ratio below which a picture is refused.
    """

    def __init__(self, extractors: list[Extractor], real: Reals, held: Reals, mirrored: bool, say: Say) -> None:
        self._mirrored = mirrored
        self.indices = real.indices if held.unseen else np.concatenate([real.indices, held.indices])
        self._images = real.images
        self._known: list[tuple[Extractor, TrainingPictures]] = []
        self.limits: dict[str, float] = {}
        for extract in extractors:
            features = features_of(extract, real.parts(), len(real), say)
            known, some = TrainingPictures(features), held.indices[:: -(-len(held) // _COMPARED)]
            usual = [self._ratios(extract, known, part)[0] for part in picked(held.images, some)]
            self.limits[extract.name] = limit_of(torch.cat(usual))
            if not held.unseen:
                known = TrainingPictures(torch.cat([features, features_of(extract, held.parts(), len(held), say)]))
            self._known.append((extract, known))

    def refused(self, pictures: np.ndarray, first_seed: int, labels: list[int]) -> list[Refused]:
        """Those of uint8 [N, C, H, W] that are near-copies; a picture that several see is told by the first of them."""
        found: dict[int, Refused] = {}
        for extract, known in self._known:
            ratios, nearest = self._ratios(extract, known, torch.from_numpy(pictures))
            for row in torch.nonzero(ratios < self.limits[extract.name]).flatten().tolist():
                one = Refused(first_seed + row, labels[row], int(nearest[row]), float(ratios[row]), extract.name)
                found.setdefault(row, one)
        return [found[row] for row in sorted(found)]

    def training_picture(self, nearest: int) -> np.ndarray:
        """uint8 [C, H, W]: the training picture that one was refused for."""
        picture: np.ndarray = self._images[self.indices[nearest]]
        return picture

    def _ratios(self, extract: Extractor, known: TrainingPictures, pictures: Tensor) -> tuple[Tensor, Tensor]:
        ratios, nearest = known.ratios(extract(pictures))
        if not self._mirrored:
            return ratios, nearest
        others, theirs = known.ratios(extract(pictures.flip(-1)))
        return torch.minimum(ratios, others), torch.where(others < ratios, theirs, nearest)


def needed(held: Reals | None, where: str | Path) -> Reals:
    """The real pictures that say what is near. Raises DataError if there are none."""
    if held is None or not len(held):
        raise DataError(
            f"{where} has too few pictures to tell a copy from what is alike: give 50 or more, or real ones that "
            "training did not see with --held-out DATA"
        )
    return held
