"""Running averages of networks (EMA): smoother generators than any single round gives."""

import copy
from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from ganvas.core.settings import settings


@settings
class AverageSettings:
    """How long the running average remembers, in images."""

    half_life: Annotated[int, Field(ge=0)] = 10_000  # images after which a weight counts half; 0: no average
    ramp_up: Annotated[float, Field(gt=0)] = 0.05  # early on the half-life is at most this part of the images seen


class Averages:
    """An exponential moving average of each network's weights and buffers (Karras et al. 2018, section 4).

    What a module keeps for itself from move to move and brings up to date in `begin_move`, such as the vectors of a
    spectral norm, belongs to its weights: it is not averaged, the averaged module does that with its own.
    """

    def __init__(self, networks: Mapping[str, nn.Module], chosen: AverageSettings) -> None:
        self.networks = {name: copy.deepcopy(network).eval() for name, network in networks.items()}
        self._chosen = chosen
        self._pairs: list[tuple[Tensor, Tensor]] = []
        self._copied: list[tuple[Tensor, Tensor]] = []
        self._own: list[Any] = []
        for name, network in networks.items():
            average = self.networks[name].requires_grad_(False)
            now = dict(network.named_parameters()) | dict(network.named_buffers())
            own = [module for module in average.modules() if hasattr(module, "begin_move")]
            kept = {id(buffer) for module in own for buffer in module.buffers(recurse=False)}
            self._own += own
            for key, held in (dict(average.named_parameters()) | dict(average.named_buffers())).items():
                if id(held) not in kept:
                    (self._pairs if held.is_floating_point() else self._copied).append((held, now[key]))

    def decay(self, images: int, batch: int) -> float:
        """The weight of the past in one update of `batch` images when `images` have been seen."""
        half_life = min(float(self._chosen.half_life), self._chosen.ramp_up * images)
        return 0.5 ** (batch / half_life) if half_life > 0 else 0.0

    @torch.no_grad()
    def update(self, images: int, batch: int) -> None:
        """Move the averages towards the networks as they are after `images` images."""
        held = [pair[0] for pair in self._pairs]
        now = [pair[1].detach() for pair in self._pairs]
        torch._foreach_lerp_(held, now, 1.0 - self.decay(images, batch))
        for target, source in self._copied:
            target.copy_(source)
        for module in self._own:
            module.begin_move()
