"""What a move of a game of generation sees, and what one move leaves for those after it."""

import dataclasses
import threading
from collections.abc import Iterable, Mapping
from typing import Self

import torch
from torch import Tensor


@dataclasses.dataclass(frozen=True)
class GenerateBatch:
    """One move's draws.

    latents: [N, Z]. mix: [N] in [0, 1), for penalties on interpolates. real: uint8 [N, C, H, W], None where the move
    needs none. labels: int64 [N], None without classes. first: where in this process's part of the global batch these
    rows begin. real_changes, fake_changes: [N, draws] in [0, 1), what the augmentation makes of either, None where it
    does nothing; real_shifts, fake_shifts the same for the changes that consistency is asked under. others: [N, Z],
    latents of other styles, from the layer crossover, int64 [N], on; None without style mixing. directions:
    [N, C, H, W], in which path lengths are measured, None where they are not. real_logits: [N], what the
    discriminator's move has computed from the same draws, None where nothing is shared; fakes: the pictures that it
    kept with their graphs, each piece by its first row.
    """

    latents: Tensor
    mix: Tensor
    real: Tensor | None
    labels: Tensor | None
    first: int = 0
    real_changes: Tensor | None = None
    fake_changes: Tensor | None = None
    real_shifts: Tensor | None = None
    fake_shifts: Tensor | None = None
    others: Tensor | None = None
    crossover: Tensor | None = None
    directions: Tensor | None = None
    real_logits: Tensor | None = None
    fakes: Mapping[int, Tensor] = dataclasses.field(default_factory=dict)

    @property
    def fake(self) -> Tensor | None:
        """The pictures of exactly these rows, with a graph that is good for once; None if they were not kept."""
        kept = self.fakes.get(self.first)
        return kept if kept is not None and len(kept) == len(self) else None

    def __len__(self) -> int:
        return len(self.latents)

    def rows(self, start: int, stop: int) -> Self:
        """The part from row `start` up to, without, row `stop`."""
        parts: dict[str, Tensor | None] = {
            field.name: value[start:stop]
            for field in dataclasses.fields(self)
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        return dataclasses.replace(self, first=self.first + start, **parts)  # type: ignore[arg-type]


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
