"""What a run that learns from two folders without pairs is made of: settings that rebuild it."""

from typing import Annotated, Literal

from pydantic import Field

from ganvas import networks
from ganvas.core.errors import UsageError
from ganvas.core.settings import settings
from ganvas.tasks.game_settings import BACK, Weight
from ganvas.tasks.translation_settings import CropSettings, TranslationLossSettings, TranslationSettings
from ganvas.training.trainer import Count


@settings
class UnpairedLossSettings(TranslationLossSettings):
    """What the players descend, where no true answer is known."""

    adversarial: str = "lsgan"
    cycle: Weight = 10.0  # of what is left of a picture there and back; 0: there is no way back
    identity: Weight = 5.0  # of how much a picture changes that is of the kind that is made already
    contrastive: Weight = 0.0  # of the places of a translation with those of its picture (Park et al. 2020)
    contrastive_identity: Weight = 0.0  # the same, of a picture that is of the kind that is made already
    places: Count = 256  # of each picture that are compared so
    pool: Annotated[int, Field(ge=0, le=10_000)] = 50  # pictures made before, that a discriminator sees too; 0: none

    def terms(self) -> dict[str, float]:
        """The terms in words and their weights, beside the adversarial one."""
        return {
            "cycle": self.cycle,
            "identity": self.identity,
            "contrastive": self.contrastive or self.contrastive_identity,
            **super().terms(),
        }


@settings
class KindsSettings(CropSettings):
    """The pictures that are learned, of two kinds, each a class."""

    def check(self) -> None:
        """Raises UsageError unless there are two classes."""
        if len(self.classes) != 2:
            raise UsageError(
                f"unpaired: one class of pictures is turned into the other, and there are {len(self.classes)}: give a "
                "folder with two subfolders of pictures, as photos/ and paintings/"
            )


@settings
class UnpairedSettings(TranslationSettings):
    """Everything that such a run is made of; a run is rebuilt from these alone."""

    task: Literal["unpaired"] = "unpaired"
    data: KindsSettings
    backwards: bool = False  # the first class is made of the second, where there is no way back
    loss: UnpairedLossSettings = UnpairedLossSettings()

    def __post_init__(self) -> None:
        if self.data.pairs:
            raise ValueError("data.pairs: the task is unpaired; for pairs take the task paired")
        if not self.loss.weight:
            raise ValueError("loss.weight=0: without a discriminator nothing says what is to be made")

    @property
    def roles(self) -> tuple[str, ...]:
        """The networks that play: with cycles both directions' do."""
        back = tuple(f"{name}{BACK}" for name in self.NETWORKS)
        return (*self.NETWORKS, *back) if self.loss.cycle else self.NETWORKS

    @property
    def contrasts(self) -> bool:
        """Whether there is a contrastive term."""
        return bool(self.loss.contrastive or self.loss.contrastive_identity)

    def channels(self) -> tuple[int, int, int]:
        """What the translator reads, what it makes, and what the discriminator sees. Raises UsageError."""
        family = networks.translator(self.translator.name)
        if self.contrasts and not hasattr(family, "encoded"):
            raise UsageError(
                f"A contrastive loss compares maps of the translator, which {self.translator.name} does not hand out: "
                "--set translator.name=resnet"
            )
        if getattr(self.translator, "scale", 1) != 1:
            raise UsageError(
                "unpaired: a picture stays as large as it is; --set translator.scale=1, or another network"
            )
        return (self.data.channels,) * 3

    @property
    def domains(self) -> tuple[str, str]:
        """What is turned into what."""
        first, second = self.data.classes
        return (second, first) if self.backwards else (first, second)
