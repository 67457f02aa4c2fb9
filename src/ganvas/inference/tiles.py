"""A picture of any size worked on in tiles that overlap, so that memory is that of a tile and no seam is seen.

A tile begins where the network's grid has a line, and keeps the borders that the picture itself has: there it is given
what the whole would be given. What lies within `margin` of an edge that was cut is thrown away, and over `ramp` pixels
beside it neighbours fade into each other. So where a network looks no further than the margin, tiles are the whole.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganvas.core.sizes import multiple_from

RAMP = 16  # pixels of a picture over which two tiles fade into each other
MOST_IN_BAND = 96 * 2**20  # values of finished rows that wait for the last tile beside them

Draw = Callable[[slice, slice], Tensor]
"""Rows and columns of a picture -> what becomes of them, float32 [C, rows * scale, columns * scale] on the CPU."""


@dataclass(frozen=True)
class Span:
    """A tile along one side: it reads `start` to `stop` and has a part in what is made of `low` to `high`.

    first, last: whether the picture begins or ends there, so that there is nothing to fade into.
    """

    start: int
    stop: int
    low: int
    high: int
    first: bool
    last: bool

    @property
    def read(self) -> slice:
        """What it reads of the picture."""
        return slice(self.start, self.stop)

    def kept(self, scale: int) -> slice:
        """What is kept of that which is made of it."""
        return slice((self.low - self.start) * scale, (self.high - self.start) * scale)

    def weights(self, ramp: int) -> Tensor:
        """float32 of the length kept: its share beside its neighbours'. ramp: in pixels of what is made.

        Rising as t^2 (3 - 2 t), and falling as what is left of 1, so that shares sum to 1 and have no corner.
        """
        length = (self.high - self.low) * (ramp // RAMP)
        shares = torch.ones(length)
        rising = (torch.arange(ramp) + 0.5) / ramp
        rising = rising.square() * (3 - 2 * rising)
        if not self.first:
            shares[:ramp] = rising
        if not self.last:
            shares[-ramp:] = 1 - rising
        return shares


@dataclass(frozen=True)
class Tiling:
    """How a picture is cut. height, width: of a tile at most; margin: as above; multiple: of the network's grid."""

    height: int
    width: int
    margin: int
    multiple: int

    def rows(self, height: int) -> list[Span]:
        """The tiles along the height of a picture."""
        return spans(height, self.height, self.margin, self.multiple)

    def columns(self, width: int) -> list[Span]:
        """The tiles along its width."""
        return spans(width, self.width, self.margin, self.multiple)


def tiling(height: int, width: int, *, pixels: int, margin: int, multiple: int, scale: int) -> Tiling:
    """Tiles for a picture of that size, of about `pixels` or the fewest that the margin allows; one if all fits."""
    if height * width <= pixels:
        return Tiling(height, width, margin, multiple)
    least = least_side(margin, multiple)
    across = max(least, min(width, math.isqrt(pixels)))
    down = max(least, min(height, pixels // across))
    across = max(least, min(width, pixels // down))
    in_band = 2 * margin + RAMP + MOST_IN_BAND // (3 * width * scale**2)
    return Tiling(max(least, min(down, in_band)), across, margin, multiple)


def least_side(margin: int, multiple: int) -> int:
    """The smallest side of a tile of which something is left when the margins are gone."""
    return multiple_from(2 * margin + RAMP + max(multiple, 2 * RAMP), multiple)


def spans(length: int, side: int, margin: int, multiple: int) -> list[Span]:
    """The tiles along a side of a picture, evenly, of at most `side` where that is at least `least_side`."""
    if length <= max(side, least_side(margin, multiple)):
        return [Span(0, length, 0, length, first=True, last=True)]
    side = max(side // multiple * multiple, least_side(margin, multiple))
    overlap = 2 * margin + RAMP
    count = math.ceil((length - overlap) / (side - overlap))
    step = max(multiple_from(math.ceil((length - overlap) / count), multiple), multiple_from(2 * RAMP, multiple))
    side = min(side, multiple_from(step + overlap, multiple))
    step = (side - overlap) // multiple * multiple
    final = multiple_from(
        length - side, multiple
    )  # so the last tile has all of `multiple` that its mirror image may need
    starts = [*range(0, final, step), final]
    stops = [*(start + side for start in starts[:-1]), length]
    middles = [(after + stop) // 2 for after, stop in zip(starts[1:], stops, strict=False)]
    edges = [-RAMP // 2, *middles, length + RAMP // 2]
    return [
        Span(
            start,
            stop,
            max(0, low - RAMP // 2),
            min(length, high + RAMP // 2),
            first=start == 0,
            last=start == final,
        )
        for start, stop, (low, high) in zip(starts, stops, itertools.pairwise(edges), strict=True)
    ]


def bands(
    draw: Draw, finish: Callable[[Tensor], np.ndarray], size: tuple[int, int], scale: int, chosen: Tiling
) -> Iterator[np.ndarray]:
    """What is made of a picture, from its top to its bottom, as bands [rows, width * scale, C].

    finish: float32 [C, rows, columns] -> [rows, columns, C] of the type of the bands. size: height, width.
    """
    ramp = RAMP * scale
    above: Tensor | None = None
    for row in chosen.rows(size[0]):
        down = row.weights(ramp)[:, None]
        band: np.ndarray | None = None
        before: Tensor | None = None
        below: Tensor | None = None
        left = 0
        for column in chosen.columns(size[1]):
            made = draw(row.read, column.read)[:, row.kept(scale), column.kept(scale)]
            part = made * down * column.weights(ramp)
            if before is not None:
                part[:, :, :ramp] += before
            if not column.last:
                part, before = part[:, :, :-ramp], part[:, :, -ramp:].clone()
            place = slice(left, left + part.shape[2])
            left = place.stop
            if above is not None:
                part[:, :ramp] += above[:, :, place]
            if not row.last:
                if below is None:
                    below = part.new_empty(len(part), ramp, size[1] * scale)
                below[:, :, place] = part[:, -ramp:]
                part = part[:, :-ramp]
            done = finish(part)
            if band is None:
                band = np.empty((len(done), size[1] * scale, done.shape[2]), done.dtype)
            band[:, place] = done
        above = below
        if band is not None:
            yield band


def count_tiles(size: tuple[int, int], chosen: Tiling) -> int:
    """How many tiles a picture of a height and width is cut into."""
    return len(chosen.rows(size[0])) * len(chosen.columns(size[1]))
