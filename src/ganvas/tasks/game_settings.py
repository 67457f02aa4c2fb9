"""What the settings of every game answer, whatever is played, and the parts that several have."""

import dataclasses
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from ganvas.core.settings import settings
from ganvas.training.clock import Clock, decayed
from ganvas.training.trainer import Count

Weight = Annotated[float, Field(ge=0)]

BACK = "_back"  # ends the role of a network of the other direction
FEW_TO_LEARN_FROM = 20  # of fewer pictures a generator makes copies, whatever is done


class GameSettings:
    """What a plan and a trainer ask of settings. NETWORKS: the settings of networks; OPTIMIZERS: of optimizers."""

    NETWORKS: ClassVar[tuple[str, ...]]
    OPTIMIZERS: ClassVar[tuple[str, ...]]

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the networks that play; those of another direction end with BACK."""
        return self.NETWORKS

    def lasting(self, images: int | None) -> Self:
        """These, with every decay that has no length made as long as the run; None: the run has no goal in images."""
        replaced: dict[str, Any] = {name: getattr(self, name).lasting(images) for name in self.OPTIMIZERS}
        return dataclasses.replace(self, **replaced)  # type: ignore[type-var]

    def endless(self) -> list[str]:
        """The decays that have no length, and so never happen."""
        return [name for name in self.OPTIMIZERS if getattr(self, name).endless]

    def without_warm_start(self) -> Self:
        """These, with all players from the first round on, as most of a run goes; here they are."""
        return self

    def doubt(self) -> tuple[str, str] | None:
        """A choice that its papers advise against, and why; None if there is none."""
        return None

    def care_with(self, count: int) -> str | None:
        """What to say of so many pictures, if they are few; None if they are not."""
        return "no network learns from so few: collect a hundred" if count < FEW_TO_LEARN_FROM else None


@settings
class SourceSettings:
    """The trained run, or the file of weights, with which a run began; None: it began from nothing."""

    path: str | None = None
    sha256: str | None = None  # of the checkpoint or file that the weights are in


@settings
class PenaltySettings:
    """A penalty on the discriminator."""

    weight: Weight = 0.0  # 0: none. For r1 and r2 this is gamma
    every: Count = 1  # rounds from one to the next (lazy); the weight is multiplied by it, so that the mean stays
    final: Weight | None = None  # the weight that it falls to, as half a cosine; None: it stays
    decay_images: Count | None = None  # how long that takes; a plan takes the run's images

    @property
    def endless(self) -> bool:
        """Whether the weight falls without a length, which never happens."""
        return self.final is not None and self.decay_images is None

    def lasting(self, images: int | None) -> Self:
        """This, with a fall that has no length made so long; None leaves it without."""
        return dataclasses.replace(self, decay_images=images) if self.endless else self

    def at(self, images: int) -> float:
        """The weight after `images` images."""
        final = self.weight if self.final is None else self.final
        return decayed(self.weight, final, images, self.decay_images, "cosine")

    def due(self, clock: Clock) -> bool:
        """Whether this round has the penalty."""
        return self.weight > 0 and clock.rounds % self.every == 0

    def weight_now(self, clock: Clock) -> float:
        """The weight in a round that has the penalty: it keeps the mean over all rounds, those without it included."""
        return self.at(clock.images) * self.every
