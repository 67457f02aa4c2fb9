"""What one move of a round leaves for those after it."""

import threading
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor


def piece(pieces: Mapping[int, Tensor], first: int, count: int) -> Tensor | None:
    """The one of exactly these rows, `count` from `first` on, of pieces by their first row; None if it was not kept."""
    kept = pieces.get(first)
    return kept if kept is not None and len(kept) == count else None


class Kept:
    """What a move leaves behind, piece by piece: each piece is a micro-batch, known by its first row.

    What the discriminator's leaves for the generator's in the same round spares work and no more: without it the
    generator's move computes the same pictures. The logits alone are those of before the discriminator's step, which a
    relativistic loss pairs with logits of after it.

    most: pieces whose pictures are kept with their graphs, the last ones: as many as there are lanes, so that
    micro-batches, which are to save memory, do.
    """

    def __init__(self, most: int, notes: Mapping[int, Mapping[str, Tensor]] | None = None) -> None:
        self.fakes: dict[int, Tensor] = {}
        self._turn = threading.Lock()  # lanes work side by side
        self._most, self._notes = most, dict(notes or {})

    def keep(self, first: int, fake: Tensor) -> None:
        """Keep the pictures of the piece that begins at a row, with their graph."""
        with self._turn:
            self.fakes[first] = fake
            while len(self.fakes) > self._most:
                del self.fakes[next(iter(self.fakes))]

    def note(self, first: int, **values: Tensor) -> None:
        """Keep values [n] of the piece that begins at a row, without their graphs."""
        self._notes[first] = {name: value.detach() for name, value in values.items()}

    def without_graph(self) -> "Kept":
        """What is left once the graphs are used up."""
        return Kept(self._most, self._notes)

    def pieces(self) -> Iterable[Mapping[str, Tensor]]:
        """The values of each piece by name, in the order of the rows."""
        return [self._notes[first] for first in sorted(self._notes)]

    def all_of(self, name: str) -> Tensor | None:
        """The values of a name for all rows, in their order; None if nothing was kept."""
        values = [piece[name] for piece in self.pieces()]
        return torch.cat(values) if values else None
