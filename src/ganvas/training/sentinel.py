"""NaN and infinity in a run, noticed within one round."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

MOST_RETREATS = 3  # how often a run goes back to its checkpoint with lower learning rates before it gives up
SLOWER = 0.5  # what each retreat multiplies the learning rates by


class NotFinite(Exception):
    """A round produced NaN or infinity; the message names where it was seen."""


class Sentinel:
    """Collects scalars during a round and says afterwards which were not finite.

    late: say it one round later, so that on an accelerator the host never waits for the round that it has just queued.
    """

    def __init__(self, *, late: bool = False) -> None:
        self._late = late
        self._names: list[str] = []
        self._values: list[Tensor] = []
        self._queued: tuple[list[str], Tensor] | None = None

    def watch(self, name: str, value: Tensor) -> None:
        """Remember a scalar of this round."""
        self._names.append(name)
        self._values.append(value.detach().float())

    def watch_weights(self, name: str, network: nn.Module) -> None:
        """Remember the size of a network's weights and floating-point buffers: finite only if all of them are."""
        tensors = [tensor for tensor in (*network.parameters(), *network.buffers()) if tensor.is_floating_point()]
        self.watch(name, total_norm(tensors))

    def close_round(self) -> list[str]:
        """The names of what was not finite in this round, or in the one before if late, in the order it was seen."""
        closed = self._names, torch.isfinite(torch.stack(self._values))
        self._names, self._values = [], []
        if not self._late:
            return _bad(*closed)
        bad = self.settle()
        self._queued = closed
        return bad

    def settle(self) -> list[str]:
        """The names of what was not finite in a round that is still queued: to be asked before anything is saved."""
        queued, self._queued = self._queued, None
        return _bad(*queued) if queued else []


def _bad(names: list[str], finite: Tensor) -> list[str]:
    return [name for name, well in zip(names, finite.tolist(), strict=True) if not well]


@torch.no_grad()
def total_norm(tensors: Sequence[Tensor]) -> Tensor:
    """The Euclidean norm over all elements of all tensors."""
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(tensors))))
