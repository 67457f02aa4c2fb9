"""What a run of semi-supervised learning is made of: settings that are written to its settings.toml and rebuild it."""

import dataclasses
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import Field
from torch import nn

from ganvas import networks
from ganvas.core.errors import UsageError
from ganvas.core.settings import by_name, settings
from ganvas.tasks.augmenting import AugmentSettings
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.game_settings import GameSettings, Weight
from ganvas.training.players import OptimizerSettings
from ganvas.training.trainer import Count, TrainingSettings

_CHANGES = ("augment", "strong")  # those of the settings

UNLABELLED = ("unlabelled", "unlabeled")  # names of a subfolder whose pictures have no class


@settings
class PartlyLabelledSettings(DataSettings):
    """The pictures that are learned, of which a few have a class."""

    unlabelled: str | None = None  # which of the classes is none, but the folder of the pictures without one
    labels: Count | None = None  # so many labels are kept, evenly over the classes, by the run's seed; None: all

    @property
    def known(self) -> tuple[str, ...]:
        """The classes that are told apart."""
        return tuple(name for name in self.classes if name != self.unlabelled)

    @property
    def conditional(self) -> bool:
        """Whether pictures are made of a class: never, as hardly any has one."""
        return False

    def check(self) -> None:
        """Raises UsageError if it is not some of the pictures, of two classes or more, that have a label."""
        known = len(self.known)
        if self.unlabelled is not None and self.unlabelled not in self.classes:
            there = ", ".join(self.classes)
            raise UsageError(f"data.unlabelled={self.unlabelled}: there is no such class; there are: {there}")
        if known < 2:
            raise UsageError(
                f"Nothing to tell apart: {known} classes with labels. Give each class a subfolder with a few pictures, "
                f"and the rest one named {UNLABELLED[0]} (where pictures are few, name all in data.classes)"
            )
        if self.unlabelled is None and self.labels is None:
            raise UsageError(
                "Nothing is unlabelled: every picture has a class. Put pictures without one into a subfolder named "
                f"{UNLABELLED[0]}, or keep a few labels and see how far they go: --set data.labels=100"
            )
        if self.labels is not None and self.labels < known:
            raise UsageError(f"data.labels={self.labels}: {known} classes need one label each, {known} or more in all")


@settings
class SemiSupervisedLossSettings:
    """What the players descend, beside the cross-entropy of the labelled pictures."""

    adversarial: Weight = 1.0  # of telling unlabelled pictures from generated ones; 0: no generator plays
    generator: Literal["feature-matching", "logistic"] = "feature-matching"  # what the generator follows
    pseudo_labels: Weight = 0.0  # of the cross-entropy to the class that an unlabelled picture surely has; 0: none
    confidence: Annotated[float, Field(gt=0, le=1)] = 0.95  # probability from which a class is sure

    def say(self) -> str:
        """What is descended, in a few words."""
        terms = {
            "K + 1 classes": self.adversarial,
            self.generator.replace("-", " "): self.adversarial,
            "pseudo labels": self.pseudo_labels,
        }
        return ", ".join([name for name, there in terms.items() if there] or ["cross-entropy"])


@settings
class SemiSupervisedSettings(GameSettings):
    """Everything that a run of semi-supervised learning is made of; a run is rebuilt from these alone."""

    NETWORKS: ClassVar[tuple[str, ...]] = ("generator", "classifier")
    OPTIMIZERS: ClassVar[tuple[str, ...]] = ("generator_optimizer", "classifier_optimizer")

    task: Literal["semi-supervised"] = "semi-supervised"
    recipe: str = "custom"
    licence: str | None = None  # under which the networks may be used, for their cards; None: unknown
    data: PartlyLabelledSettings
    generator: Annotated[Any, by_name(networks.generator, "generator", usual="dcgan")]
    classifier: Annotated[Any, by_name(networks.classifier, "classifier", usual="conv")]
    generator_optimizer: OptimizerSettings = OptimizerSettings()
    classifier_optimizer: OptimizerSettings = OptimizerSettings()
    loss: SemiSupervisedLossSettings = SemiSupervisedLossSettings()
    augment: AugmentSettings = AugmentSettings()  # of all that the classifier sees
    strong: AugmentSettings = AugmentSettings()  # of pictures that are held to their pseudo label, in its place
    training: TrainingSettings = TrainingSettings()

    def lasting(self, images: int | None) -> Self:
        """As of every game; and the ways of augmentation that have no length last as long as the run."""
        changes = {name: getattr(self, name).lasting(images) for name in _CHANGES}
        return dataclasses.replace(super().lasting(images), **changes)

    def endless(self) -> list[str]:
        """The decays that have no length, and so never happen."""
        return [*super().endless(), *(name for name in _CHANGES if getattr(self, name).endless)]

    def __post_init__(self) -> None:
        if self.augment.target is not None or self.strong.target is not None:
            raise ValueError("augment.target is for the logits of a GAN: set p, and final if it is to change")

    def check_networks(self) -> tuple[nn.Module, nn.Module]:
        """The generator and the classifier on the meta device, which takes no memory for their weights.

        Raises UsageError if they cannot be built for such pictures. Of no data yet the classifier is of two classes.
        """
        data, shape = self.data, {"size": self.data.size, "channels": self.data.channels}
        with torch.device("meta"):
            return (
                networks.generator(self.generator.name)(self.generator, **shape, classes=0),
                networks.classifier(self.classifier.name)(self.classifier, **shape, classes=max(2, len(data.known))),
            )

    def doubt(self) -> tuple[str, str] | None:
        """A choice that its papers advise against, and why; None if there is none."""
        if self.loss.pseudo_labels and self.strong.name is None:
            return (
                "strong",
                "pseudo labels teach by pictures that are changed more: --set strong.name=diffaug strong.p=1.0",
            )
        return None
