"""What the settings of every game answer, whatever is played."""

import dataclasses
from typing import Any, ClassVar, Self

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
