"""A GAN is a game between players; this says what a player, a batch and a task are."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from ganvas.core.settings import settings
from ganvas.training.clock import Clock, Decay, decayed

Terms = dict[str, Tensor]
Published = tuple[dict[str, Tensor], dict[str, object]]
"""A network's weights by name, and the card that tells how to use them."""
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


@settings
class OptimizerSettings:
    """How a player's weights follow its gradients."""

    name: Literal["adam", "rmsprop"] = "adam"
    lr: Positive = 2e-4
    betas: tuple[Fraction, Fraction] = (0.5, 0.999)  # adam's; rmsprop uses the second as its smoothing
    clip: Annotated[float, Field(ge=0)] = 0.0  # gradients are scaled down to this norm in all; 0: as they are
    decay: Decay = "constant"
    final: Annotated[float, Field(ge=0, le=1)] = 0.0  # the learning rate after the decay, as a part of lr
    hold: Fraction = 0.0  # the part of the decay's length at the full rate
    decay_images: Annotated[int, Field(ge=1)] | None = None  # how long the decay takes; a plan takes the run's images
    final_betas: tuple[Fraction, Fraction] | None = None  # adam's after the decay; None: they stay

    def __post_init__(self) -> None:
        if self.final_betas is not None and (self.name != "adam" or self.decay == "constant"):
            raise ValueError("final_betas needs name=adam, and a decay: linear or cosine")

    def rate(self, images: int) -> float:
        """The learning rate after `images` images."""
        return self._decayed(self.lr, self.lr * self.final, images)

    def betas_after(self, images: int) -> tuple[float, float]:
        """Adam's betas after `images` images; they go as the learning rate does."""
        (first, second), (last_first, last_second) = self.betas, self.final_betas or self.betas
        return self._decayed(first, last_first, images), self._decayed(second, last_second, images)

    def _decayed(self, start: float, final: float, images: int) -> float:
        return decayed(start, final, images, self.decay_images, self.decay, self.hold)

    @property
    def endless(self) -> bool:
        """Whether there is a decay without a length, which never happens."""
        return self.decay != "constant" and self.decay_images is None

    def lasting(self, images: int | None) -> Self:
        """These, with a decay that has no length made so long; None leaves it without."""
        if self.decay == "constant" or self.decay_images is not None:
            return self
        return dataclasses.replace(self, decay_images=images)


class Batch(Protocol):
    """What a player's objective sees: drawn for the global batch, cut down to this process's rows."""

    def __len__(self) -> int: ...

    def rows(self, start: int, stop: int) -> Self:
        """The part from row `start` up to, without, row `stop`."""
        ...


class Player:
    """One optimizer's worth of networks, and their objective.

    objective: maps (batch, clock) to named scalar terms; each is a mean over the batch's rows, their sum is descended.
    moves: how many times the player moves in a round. after_step: called after each step (weight clipping).
    frozen: parts of the networks whose weights stay as they are. after: images seen before which it does not move.
    """

    def __init__(
        self,
        name: str,
        networks: Mapping[str, nn.Module],
        objective: Callable[..., Terms],
        optimizer: OptimizerSettings,
        *,
        moves: int = 1,
        after_step: Callable[[], None] | None = None,
        frozen: Iterable[nn.Module] = (),
        after: int = 0,
    ) -> None:
        self.name = name
        self.networks = nn.ModuleDict(networks)
        self.objective = objective
        self.moves, self.after = moves, after
        self.optimizer_settings = optimizer
        kept = {id(weight.requires_grad_(False)) for part in frozen for weight in part.parameters()}
        self.learned = {key: weight for key, weight in self.networks.named_parameters() if id(weight) not in kept}
        self.optimizer = _optimizer(optimizer, self.parameters())
        self._after_step = after_step

    def parameters(self) -> list[nn.Parameter]:
        """The weights that learn; `learned` has them by their names in `networks`."""
        return list(self.learned.values())

    def let_learn(self, moves: bool) -> None:
        """Have the weights that learn require gradients, or not: those of the player that moves do."""
        for weight in self.learned.values():
            weight.requires_grad_(moves)

    def begin_move(self) -> None:
        """Let modules that carry a state per move, such as spectral norms, advance it once."""
        for module in self.networks.modules():
            if begin := getattr(module, "begin_move", None):
                begin()

    def take_gradients(self, gradients: Sequence[Tensor | None]) -> None:
        """Let the optimizer follow these: one for each that learns, None where it has no part in the terms."""
        for parameter, gradient in zip(self.parameters(), gradients, strict=True):
            if gradient is not None and gradient.stride() != parameter.stride():  # fused optimizers read them in step
                gradient = torch.empty_like(parameter, requires_grad=False).copy_(gradient)
            parameter.grad = gradient

    def gradients(self) -> list[Tensor]:
        """The gradients there are, in the order of the parameters."""
        return [parameter.grad for parameter in self.parameters() if parameter.grad is not None]

    def step(self, learning_rate: float, norm: Tensor, betas: tuple[float, float] | None = None) -> None:
        """Follow the gradients, whose norm is given, then do what follows a step. betas: adam's from here on."""
        if clip := self.optimizer_settings.clip:  # Pascanu et al. 2013, algorithm 1
            torch._foreach_mul_(self.gradients(), (clip / norm).clamp(max=1))
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
            if betas is not None and "betas" in group:
                group["betas"] = betas
        self.optimizer.step()
        if self._after_step is not None:
            self._after_step()


def _optimizer(chosen: OptimizerSettings, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    if chosen.name == "adam":
        fused = parameters[0].device.type in ("cpu", "cuda")
        return torch.optim.Adam(parameters, lr=chosen.lr, betas=chosen.betas, fused=fused)
    return torch.optim.RMSprop(parameters, lr=chosen.lr, alpha=chosen.betas[1], foreach=True)


class Task(Protocol):
    """Who plays, in which order, what they see, and what there is to look at."""

    players: Sequence[Player]
    preview_heads: tuple[str, ...]  # of the preview's columns; (): as many as make it square, without heads
    averaged: Mapping[str, nn.Module]  # the networks whose running average is kept, by name
    compares_rows: bool  # whether a row's terms depend on the others that pass with it, beyond BatchNorm
    narrower: str  # assignments to settings that take less memory, for a person who ran out of it; "" if there are none

    def draw(self, player: Player, move: int, clock: Clock, rows: slice) -> Batch:
        """The batch of a player's move: a pure function of its arguments, cut to `rows` of the global batch."""
        ...

    def diagnose(self) -> dict[str, float]:
        """Quick signs of health, by the names in `health`; {} where there are none. It leaves no trace in training."""
        ...

    def preview(self, averages: Mapping[str, nn.Module]) -> np.ndarray:
        """uint8 [N, C, H, W]: the pictures that show how far the run is, of the same seeds each time."""
        ...

    def score(self, averages: Mapping[str, nn.Module]) -> tuple[str, float] | None:
        """The name and value (lower is better) of the score in training, or None where there is none."""
        ...

    def protocol(self) -> dict[str, Any]:
        """How the score comes to be: all that has to agree before two of them may be compared; {} without a score."""
        ...

    def publish(self, averages: Mapping[str, nn.Module], clock: Clock) -> Mapping[str, Published]:
        """The networks worth sharing: "generator", "classifier", "translator", "back" (of the other direction)."""
        ...
