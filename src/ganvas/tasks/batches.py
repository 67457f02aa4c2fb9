"""What a move of a game of generation sees."""

import dataclasses
from collections.abc import Mapping
from typing import Self

from torch import Tensor

from ganvas.tasks.kept import piece


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
        return piece(self.fakes, self.first, len(self))

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
