"""What a run of generation is made of: settings that are written to its settings.toml and rebuild it."""

import dataclasses
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import Field
from torch import nn

from ganvas import losses, networks
from ganvas.core.errors import UsageError
from ganvas.core.settings import by_name, settings
from ganvas.tasks.augmenting import AugmentSettings, Probability
from ganvas.tasks.data_settings import DataSettings
from ganvas.tasks.game_settings import FEW_TO_LEARN_FROM, GameSettings, PenaltySettings, SourceSettings, Weight
from ganvas.training.clock import decayed
from ganvas.training.players import OptimizerSettings
from ganvas.training.trainer import Count, TrainingSettings

FEW_TO_KNOW_BY_HEART = 1_000  # of fewer pictures the discriminator needs augmentation

_PENALTIES = ("r1", "r2", "gradient_penalty", "path_length")  # those of the loss


@settings
class PathLengthSettings(PenaltySettings):
    """The penalty on a generator's path lengths; it needs a network with a mapping (stylegan2)."""

    decay: Annotated[float, Field(ge=0, lt=1)] = 0.99  # what stays of the mean length from one time to the next
    shrink: Count = 2  # one of so many pictures is measured


@settings
class LecamSettings:
    """The penalty that draws logits on real and on generated pictures to each other's running mean."""

    weight: Weight = 0.0  # 0: none; its paper takes 0.01 to 0.5
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.99  # what stays of a mean from one round to the next


@settings
class ConsistencySettings:
    """The penalty on logits that change when pictures are shifted."""

    real: Weight = 0.0  # on real pictures (Zhang et al. 2020, which takes 10); 0: none
    fake: Weight = 0.0  # on generated pictures as well (Zhao et al. 2021, which takes 10 for both)


@settings
class TopKSettings:
    """The generator follows only the best of its pictures (Sinha et al. 2020)."""

    final: Annotated[float, Field(gt=0, le=1)] = 1.0  # the part of the pictures in the end; 1: all; 0.5 is usual
    decay_images: Count | None = None  # how long it takes to get there; a plan takes the run's images

    def at(self, images: int) -> float:
        """The part after `images` images."""
        return decayed(1.0, self.final, images, self.decay_images, "linear")


@settings
class LossSettings:
    """What the players descend."""

    adversarial: str = "logistic"
    r1: PenaltySettings = PenaltySettings()  # on real pictures (Mescheder et al. 2018)
    r2: PenaltySettings = PenaltySettings()  # on generated pictures
    gradient_penalty: PenaltySettings = PenaltySettings()  # on interpolates (Gulrajani et al. 2017)
    path_length: PathLengthSettings = PathLengthSettings()  # of the generator (Karras et al. 2020)
    lecam: LecamSettings = LecamSettings()  # on both logits (Tseng et al. 2021)
    consistency: ConsistencySettings = ConsistencySettings()
    top_k: TopKSettings = TopKSettings()
    # Weight of the classes' cross-entropy, on real and generated pictures; the discriminator then judges without the
    # class (Odena et al. 2017). 0: it judges a picture as one of its class
    classification: Weight = 0.0
    reconstruction: Weight = 0.0  # of the pictures that a discriminator decodes from its maps (Liu et al. 2021)
    clip: Weight = 0.0  # keep the discriminator's weights within +-clip (Arjovsky et al. 2017); 0: free

    def say(self) -> str:
        """The loss and its penalties: "relativistic, R1, R2"."""
        terms = {
            "R1": self.r1.weight,
            "R2": self.r2.weight,
            "gradient penalty": self.gradient_penalty.weight,
            "path lengths": self.path_length.weight,
            "LeCam": self.lecam.weight,
            "consistency": self.consistency.real or self.consistency.fake,
            "top-k": self.top_k.final < 1,
            "classification": self.classification,
            "reconstruction": self.reconstruction,
            "clipped weights": self.clip,
        }
        return ", ".join([self.adversarial, *(name for name, there in terms.items() if there)])


@settings
class GenerateSettings(GameSettings):
    """Everything that a run of generation is made of; a run is rebuilt from these alone."""

    NETWORKS: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    OPTIMIZERS: ClassVar[tuple[str, ...]] = ("generator_optimizer", "discriminator_optimizer")

    task: Literal["generate"] = "generate"
    recipe: str = "custom"
    licence: str | None = None  # under which the generator may be used, for its card; None: unknown
    data: DataSettings
    generator: Annotated[Any, by_name(networks.generator, "generator", usual="dcgan")]
    discriminator: Annotated[Any, by_name(networks.discriminator, "discriminator", usual="dcgan")]
    generator_optimizer: OptimizerSettings = OptimizerSettings()
    discriminator_optimizer: OptimizerSettings = OptimizerSettings()
    source: SourceSettings = SourceSettings()
    discriminator_moves: Count = 1  # moves of the discriminator to one of the generator
    discriminator_frozen: Annotated[int, Field(ge=0)] = 0  # its levels, from the picture on, that stay as they began
    shared_draws: bool = False  # the generator's move goes on with the discriminator's last draw and what it computed
    style_mixing: Probability = 0.0  # how many pictures have two styles in training; needs a mapping (stylegan2)
    loss: LossSettings = LossSettings()
    augment: AugmentSettings = AugmentSettings()
    training: TrainingSettings = TrainingSettings()

    def __post_init__(self) -> None:
        losses.adversarial_loss(self.loss.adversarial)  # a name that does not exist is answered before any work

    def lasting(self, images: int | None) -> Self:
        """These, with every decay that has no length made as long as the run; None: the run has no goal in images."""
        penalties = {name: getattr(self.loss, name).lasting(images) for name in _PENALTIES}
        loss = dataclasses.replace(self.loss, **penalties)
        if loss.top_k.final < 1 and loss.top_k.decay_images is None:
            loss = dataclasses.replace(loss, top_k=dataclasses.replace(loss.top_k, decay_images=images))
        return dataclasses.replace(super().lasting(images), loss=loss, augment=self.augment.lasting(images))

    def endless(self) -> list[str]:
        """The decays that have no length, and so never happen."""
        decays = {f"loss.{name}": getattr(self.loss, name).endless for name in _PENALTIES}
        decays["augment"] = self.augment.endless
        decays["loss.top_k"] = self.loss.top_k.final < 1 and self.loss.top_k.decay_images is None
        return [*super().endless(), *(name for name, endless in decays.items() if endless)]

    def check_networks(self) -> tuple[nn.Module, nn.Module]:
        """The generator and the discriminator on the meta device, which takes no memory for their weights.

        Raises UsageError if they cannot be built for such pictures, or lack what a setting needs.
        """
        if self.loss.classification and len(self.data.classes) < 2:
            raise UsageError(
                f"loss.classification={self.loss.classification:g} needs two classes or more, not "
                f"{len(self.data.classes)}:\ngive each class a folder of pictures (where they are few, name all in "
                "data.classes),\nor leave loss.classification at 0"
            )
        judge = self.discriminator.name
        if self.loss.reconstruction and not hasattr(networks.discriminator(judge), "judge"):
            raise UsageError(f"loss.reconstruction: the discriminator {judge} decodes no pictures; take fastgan, or 0")
        if self.loss.reconstruction and self.loss.classification:
            raise UsageError("loss.reconstruction and loss.classification do not go together: set one of them to 0")
        mapped = hasattr(networks.generator(self.generator.name).Settings, "mapping_layers")
        if not mapped and (self.style_mixing or self.loss.path_length.weight):
            raise UsageError(
                f"style_mixing and loss.path_length need a generator with styles, which {self.generator.name} has not: "
                "take --recipe stylegan2, or leave them out"
            )
        if self.discriminator_frozen and self.source.path is None:
            raise UsageError("discriminator_frozen keeps what was trained before: begin from a run (--from), or take 0")
        data, pictures = self.data, {"channels": self.data.channels, "classes": len(self.data.classes)}
        with torch.device("meta"):
            generator = networks.generator(self.generator.name)(self.generator, size=data.size, **pictures)
            discriminator = networks.discriminator(judge)(self.discriminator, size=data.size, **pictures)
        if self.discriminator_frozen > (levels := len(discriminator.levels())):
            raise UsageError(
                f"discriminator_frozen={self.discriminator_frozen}: the discriminator {judge} has {levels} levels at "
                f"{data.size} pixels; keep at most those, or 0"
            )
        return generator, discriminator

    def doubt(self) -> tuple[str, str] | None:
        """A choice that its papers advise against, and why; None if there is none."""
        if self.augment.target is not None and self.loss.adversarial in ("relativistic", "wasserstein"):
            told = f"the signs of {self.loss.adversarial} logits say nothing of overfitting: give p a plan instead"
            return "augment.target", told
        if self.loss.gradient_penalty.weight and getattr(self.discriminator, "norm", None) == "batch":
            return "discriminator.norm", "the gradient penalty is of single pictures: --set discriminator.norm=none"
        return None

    def care_with(self, count: int) -> str | None:
        """What to say of so many pictures, if they are few; None if they are not."""
        augment = "--set augment.name=diffaug augment.p=1.0"
        if count < FEW_TO_LEARN_FROM:
            then = f", then {augment}" if self.augment.name is None else ""
            other = "or begin from a trained run, --from RUN"
            return f"no GAN learns from so few, it will make copies: collect a hundred{then}; {other}"
        if count < FEW_TO_KNOW_BY_HEART and self.augment.name is None:
            return f"the discriminator may learn so few by heart; what helps: {augment}"
        return None
