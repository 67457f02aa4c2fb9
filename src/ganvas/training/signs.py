"""What the watch looks at, gathered between two lines of the journal; `health` says what each sign means."""

import torch
from torch import Tensor

from ganvas.training.clock import Clock
from ganvas.training.players import Player, Task

_ELEMENTS = 256  # of each tensor, evenly spread over it and fewer than twice as many, by which movement is told


class Signs:
    """Collects the signs of one line; only the leading process needs them."""

    def __init__(self, task: Task, clock: Clock) -> None:
        self._task = task
        self.begin(clock)

    def begin(self, clock: Clock) -> None:
        """Begin a new line at this clock."""
        self._since = clock
        self._norms: dict[str, Tensor] = {}
        self._moves: dict[str, int] = {}
        self._weights = {player.name: _sample(player) for player in self._task.players}

    def add_gradient(self, player: str, norm: Tensor) -> None:
        """Add the norm of the gradient of a player's move."""
        self._norms[player] = self._norms.get(player, torch.zeros_like(norm)) + norm
        self._moves[player] = self._moves.get(player, 0) + 1

    def take(self, clock: Clock, slowdown: float) -> dict[str, float]:
        """The signs since the line before; a new one begins."""
        signs = dict(self._task.diagnose())
        thousands = max(clock.images - self._since.images, 1) / 1000
        for player in self._task.players:
            if player.name not in self._norms:  # it has not moved, as in a warm start
                continue
            signs[f"gradient/{player.name}"] = self._norms[player.name].item() / self._moves[player.name]
            before, now = self._weights[player.name], _sample(player)
            moved = torch.linalg.vector_norm(now - before) / torch.linalg.vector_norm(before).clamp(min=1e-12)
            signs[f"movement/{player.name}"] = moved.item() / thousands
            signs[f"rate/{player.name}"] = slowdown * player.optimizer_settings.rate(clock.images)
        self.begin(clock)
        return signs


@torch.no_grad()
def _sample(player: Player) -> Tensor:
    """Some of a player's weights."""
    tensors = [weights.detach().flatten() for weights in player.networks.parameters()]
    return torch.cat([tensor[:: max(1, tensor.numel() // _ELEMENTS)] for tensor in tensors])
