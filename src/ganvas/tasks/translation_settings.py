"""What runs that learn to make pictures of pictures share in their settings: crops, networks, losses."""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import Field
from torch import nn

from ganvas import data as data_room
from ganvas import losses, networks
from ganvas.core.errors import UsageError
from ganvas.core.settings import by_name, settings
from ganvas.core.sizes import Size
from ganvas.data import Dataset
from ganvas.tasks.data_settings import DataSettings, PictureSize
from ganvas.tasks.game_settings import GameSettings, PenaltySettings, SourceSettings, Weight
from ganvas.training.players import OptimizerSettings
from ganvas.training.trainer import TrainingSettings

_PENALTIES = ("r1", "r2")  # those of the loss

Scale = Annotated[float, Field(gt=0, le=1)]
Images = Annotated[int, Field(ge=0)]


@settings
class CropSettings(DataSettings):
    """The pictures that are learned, of which training sees parts of the size, each time another part."""

    channels: Literal[1, 3]
    pairs: bool = False  # pictures come in pairs: in two subfolders by name, or side by side in one picture
    load: PictureSize | None = None  # what is kept of a picture, at least the size, from which parts are cut; None: it
    scales: tuple[Scale, ...] = ()  # pictures are cut into pieces of `load` at these scales; (): brought to it whole

    def __post_init__(self) -> None:
        if self.load is not None and (self.load.height < self.size.height or self.load.width < self.size.width):
            raise ValueError(f"load={self.load} is what parts of size {self.size} are cut from: it cannot be smaller")

    @property
    def conditional(self) -> bool:
        """Whether pictures are made of a class: never."""
        return False

    @property
    def kept(self) -> Size:
        """The size of what is kept of pictures."""
        return self.load or self.size

    def opened(self, where: str, **how: Any) -> Dataset:
        """As of `DataSettings`; of pairs both pictures, one behind the other."""
        if not self.pairs:
            return data_room.open_pieces(where, size=self.kept, channels=self.channels, scales=self.scales, **how)
        return data_room.open_paired(where, size=self.kept, channels=self.channels, scales=self.scales, **how)


@settings
class TranslationLossSettings:
    """What the players descend."""

    adversarial: str = "logistic"
    weight: Weight = 1.0  # of the adversarial term for the translator; 0: no discriminator plays
    after: Images = 0  # images before which no discriminator plays (a warm start)
    r1: PenaltySettings = PenaltySettings()  # on true pictures, with respect to what should be made
    r2: PenaltySettings = PenaltySettings()  # on made pictures

    def __post_init__(self) -> None:
        losses.adversarial_loss(self.adversarial)  # a name that does not exist is answered before any work

    def terms(self) -> dict[str, float]:
        """The terms in words and their weights, beside the adversarial one."""
        return {"R1": self.r1.weight, "R2": self.r2.weight}

    def say(self) -> str:
        """What is descended, in a few words."""
        terms = ({self.adversarial: self.weight} if self.weight else {}) | self.terms()
        return ", ".join([name for name, weight in terms.items() if weight] or ["nothing"])


@settings
class TranslationSettings(GameSettings):
    """What the settings of these runs have in common."""

    NETWORKS: ClassVar[tuple[str, ...]] = ("translator", "discriminator")
    OPTIMIZERS: ClassVar[tuple[str, ...]] = ("translator_optimizer", "discriminator_optimizer")

    recipe: str = "custom"
    licence: str | None = None  # under which the translator may be used, for its card; None: unknown
    data: CropSettings
    translator: Annotated[Any, by_name(networks.translator, "translator", usual="unet")]
    discriminator: Annotated[Any, by_name(networks.patch_discriminator, "discriminator", usual="patch")]
    translator_optimizer: OptimizerSettings = OptimizerSettings()
    discriminator_optimizer: OptimizerSettings = OptimizerSettings()
    loss: Any
    training: TrainingSettings = TrainingSettings()
    source: SourceSettings = SourceSettings()

    def lasting(self, images: int | None) -> Self:
        """These, with every decay that has no length made as long as the run; None: the run has no goal in images."""
        penalties = {name: getattr(self.loss, name).lasting(images) for name in _PENALTIES}
        return dataclasses.replace(super().lasting(images), loss=dataclasses.replace(self.loss, **penalties))

    def endless(self) -> list[str]:
        """The decays that have no length, and so never happen."""
        return [*super().endless(), *(f"loss.{name}" for name in _PENALTIES if getattr(self.loss, name).endless)]

    def built(self, make: Callable[[str, Any, Any, dict[str, int]], Any]) -> tuple[Any, Any]:
        """A translator and a discriminator for these pictures. make: of (role, class, its settings, its channels).

        Raises UsageError if they cannot be built, or do not take pictures of the size.
        """
        inputs, outputs, judged = self.channels()
        translator = make(
            "translator",
            networks.translator(self.translator.name),
            self.translator,
            {"inputs": inputs, "outputs": outputs},
        )
        discriminator = make(
            "discriminator",
            networks.patch_discriminator(self.discriminator.name),
            self.discriminator,
            {"inputs": judged},
        )
        if discriminator.smallest > self.data.size.shorter:
            raise UsageError(
                f"The discriminator judges pictures from {discriminator.smallest} pixels a side on, and training sees "
                f"{self.data.size}: take a larger --size, or fewer layers: --set discriminator.layers=1"
            )
        return translator, discriminator

    def channels(self) -> tuple[int, int, int]:
        """What the translator reads, what it makes, and what the discriminator sees. Raises UsageError."""
        raise NotImplementedError

    def without_warm_start(self) -> Self:
        """These, with all players from the first round on: as most of a run goes."""
        return dataclasses.replace(self, loss=dataclasses.replace(self.loss, after=0))

    def check_networks(self) -> tuple[nn.Module, nn.Module]:
        """The translator and the discriminator on the meta device, which takes no memory for their weights.

        Raises UsageError if they cannot be built for such pictures.
        """
        with torch.device("meta"):
            return self.built(lambda role, family, part, shape: family(part, **shape))

    def doubt(self) -> tuple[str, str] | None:
        """A choice that its papers advise against, and why; None if there is none."""
        normed = getattr(self.discriminator, "norm", "none") == "batch"
        if (self.loss.r1.weight or self.loss.r2.weight) and normed:
            return "discriminator.norm", "R1 and R2 are of single pictures: --set discriminator.norm=none"
        images = self.training.stop.images
        if self.loss.weight and images is not None and images <= self.loss.after:
            told = f"the discriminator would begin after {self.loss.after:,} images, and the run ends before"
            return "loss.after", f"{told}: --set loss.after={images // 4}"
        return None

    def care_with(self, count: int) -> str | None:
        """What to say of so many pictures, if they are few; None if they are not."""
        return None if self.data.scales else super().care_with(count)  # a picture has many pieces
