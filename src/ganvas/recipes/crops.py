"""What the recipes of pictures to pictures share: their data, weights that may be missing, the modern loss."""

import dataclasses
from typing import Any, TypeVar

from ganvas.core.settings import from_dict
from ganvas.core.sizes import Size
from ganvas.metrics.imagenet import find_weights
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.game_settings import PenaltySettings
from ganvas.tasks.translation_settings import CropSettings
from ganvas.training.averages import AverageSettings
from ganvas.training.stopping import StopSettings
from ganvas.training.trainer import TrainingSettings

Crops = TypeVar("Crops", bound=CropSettings)

_JITTER = 286 / 256  # pictures are brought to so many times the size that training sees. Isola et al. 2017, 6.2


def crops(data: DataSettings, kind: type[Crops] = CropSettings, **own: Any) -> Crops:  # type: ignore[assignment]
    """The data of such a run, of a kind of settings. own: settings in place of those there.

    Raises UsageError for what this kind of data does not have, such as transparency.
    """
    values = {field.name: getattr(data, field.name) for field in dataclasses.fields(data)}
    return from_dict(kind, values | {"classes": ()} | own, "data")


def jittered(size: Size) -> Size:
    """What pictures are brought to before parts of a size are cut."""
    return Size(*(round(side * _JITTER) for side in size.hw))


def perceptual(weight: float) -> float:
    """The weight of a perceptual term: none where the weights of its network are not on this machine."""
    return weight if find_weights() else 0.0


def training(batch: int, images: int) -> TrainingSettings:
    """How these games are played: before and after is shown at each line of the journal."""
    return TrainingSettings(
        batch=batch,
        stop=StopSettings(images=images),
        average=AverageSettings(half_life=2_000),
        tick=2_000,
        preview=2_000,
        checkpoint=10_000,
        score=10_000,
    )


def modern(chosen: Any, name: str, gamma: float) -> Any:
    """A recipe with the relativistic loss, R1 and R2 (Huang et al. 2024) in place of its own adversarial loss.

    gamma: the weight of both. The discriminator is without normalisation, as gradients of single pictures want it.
    """
    penalty = PenaltySettings(weight=gamma)
    own = {"norm": "none"} if hasattr(chosen.discriminator, "norm") else {}
    return dataclasses.replace(
        chosen,
        recipe=name,
        discriminator=dataclasses.replace(chosen.discriminator, **own),
        discriminator_optimizer=dataclasses.replace(chosen.discriminator_optimizer, betas=(0.0, 0.99)),
        loss=dataclasses.replace(chosen.loss, adversarial="relativistic", r1=penalty, r2=penalty),
    )
