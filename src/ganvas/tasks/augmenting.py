"""The augmentation of a game of generation: its numbers from the run's dice, its strength from a plan or steered."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from ganvas import augment
from ganvas.augment.strength import AdaptiveStrength
from ganvas.core.settings import from_dict, settings
from ganvas.core.sizes import Size
from ganvas.training.clock import Clock, decayed
from ganvas.training.draws import Draws

_STEERED = 500_000  # images in which p goes from 0 to 1 if it only rises (Karras et al. 2020)

Probability = Annotated[float, Field(ge=0, le=1)]


@settings
class AugmentSettings:
    """What a discriminator sees in place of pictures as they are, real or generated (docs/augment.md)."""

    name: str | None = None  # "diffaug" or "ada"; None: pictures as they are
    stages: tuple[str, ...] = ()  # which groups of changes; empty: those the family has unless told
    p: Probability = 0.0  # with which a change meets a picture; the first one if it is steered or scheduled
    target: Annotated[float, Field(gt=-1, lt=1)] | None = None  # steer p by the mean sign of real logits; 0.6 is usual
    final: Probability | None = None  # let p go to this one, by half a cosine
    images: Annotated[int, Field(ge=1)] | None = None  # in which it gets there; steered, in which p goes from 0 to 1

    def __post_init__(self) -> None:
        if self.name is None:
            if (self.stages, self.p, self.target, self.final) != ((), 0.0, None, None):
                raise ValueError("these settings need a name, diffaug or ada")
            return
        _family(self)  # a name or a stage that does not exist is answered before any work
        if self.target is not None and self.final is not None:
            raise ValueError("p is either steered to a target or goes to a final value: leave one out")
        if self.target is None and not self.p and not self.final:
            raise ValueError("p is 0 and nothing changes it: set p, or target=0.6 to have it steered")

    @property
    def endless(self) -> bool:
        """Whether p goes somewhere without a length, which never happens."""
        return self.final is not None and self.images is None

    def lasting(self, images: int | None) -> Self:
        """These, with a way of p that has no length made so long; None leaves it without."""
        return dataclasses.replace(self, images=images) if self.endless else self


def _family(chosen: AugmentSettings) -> tuple[type, object]:
    """The class of an augmentation and its own settings."""
    cls = augment.augmentation(str(chosen.name))
    own = {"stages": list(chosen.stages)} if chosen.stages else {}
    return cls, from_dict(cls.Settings, own, "augment")


class Augmenting:
    """What is done to pictures before the discriminator sees them; nothing if the settings name no augmentation.

    batch: pictures in a round, over all processes.
    """

    def __init__(self, chosen: AugmentSettings, *, size: Size, channels: int, batch: int) -> None:
        self._chosen, self._batch = chosen, batch
        self._pipeline: nn.Module | None = None
        self._strength: AdaptiveStrength | None = None
        if chosen.name is not None:
            cls, own = _family(chosen)
            self._pipeline = cls(own, size=size, channels=channels)
        if chosen.target is not None:
            self._strength = AdaptiveStrength(chosen.p, chosen.target, chosen.images or _STEERED, batch)

    def to(self, device: torch.device, dtype: torch.dtype) -> "Augmenting":
        """This, on a device and, what it keeps, in a type."""
        for module in (self._pipeline, self._strength):
            if module is not None:
                module.to(device, dtype)
        return self

    @property
    def state(self) -> Mapping[str, nn.Module]:
        """What a checkpoint has to hold, to be put beside the discriminator."""
        return {} if self._strength is None else {"strength": self._strength}

    def numbers(self, draws: Draws, role: str, place: int, rows: slice) -> Tensor | None:
        """Uniform float32 [rows, draws] for a role at a place, of the global batch's; None where none are read."""
        if self._pipeline is None:
            return None
        wide: int = self._pipeline.draws  # type: ignore[assignment]
        return draws.uniform(f"{role}/augment", place, self._batch * wide).view(self._batch, wide)[rows]

    def __call__(self, pictures: Tensor, numbers: Tensor | None, clock: Clock) -> Tensor:
        """[N, C, H, W], what `numbers` gave -> [N, C, H, W]."""
        if self._pipeline is None:
            return pictures
        changed: Tensor = self._pipeline(pictures, numbers, self._p(clock))
        return changed

    def _p(self, clock: Clock) -> float | Tensor:
        chosen = self._chosen
        if self._strength is not None:
            return self._strength.p
        if chosen.final is None:
            return chosen.p
        return decayed(chosen.p, chosen.final, clock.images, chosen.images, "cosine")

    def begin_round(self) -> None:
        """Adjust p by what was observed in the rounds before, if it is steered."""
        if self._strength is not None:
            self._strength.begin_round()

    def observe(self, real_logits: Tensor) -> None:
        """Take note of the logits of this process's real pictures in a move, if p is steered."""
        if self._strength is not None:
            self._strength.observe(real_logits)

    def signs(self) -> dict[str, float]:
        """What the journal tells of it: p, if it is steered."""
        return {} if self._strength is None else {"augment/p": self._strength.p.item()}
