"""Masks that say what of a picture is unknown: boxes, brush strokes, all but a part. [N, 1, H, W], 1 where unknown."""

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from ganvas.core.dice import Dice
from ganvas.core.settings import settings
from ganvas.core.sizes import Size

Kind = Literal["boxes", "strokes", "outline"]

BOXES, BOX = 4, (1 / 8, 1 / 2)  # at most so many; height and width as parts of the picture's
# At most so many strokes of so many straight parts; their width as a part of the shorter side.
STROKES, PARTS, BRUSH = 4, 8, (1 / 20, 1 / 6)
TURN, SWAY = 2 * math.pi / 5, 2 * math.pi / 15  # how far a stroke turns at each corner, and how much that varies
STEP = 1 / 8  # of the diagonal: the mean length of a stroke's part
KNOWN = (1 / 2, 3 / 4)  # of the height and of the width, where all around it is unknown


class Masks(nn.Module):
    """Masks of a size, each of one of some kinds, equally often; a pure function of uniform numbers.

    draws: how many numbers each mask needs. Something is unknown in each from 2 pixels a side, something known from 8.
    """

    @settings
    class Settings:
        """Settings of the masks."""

        # "boxes" and "strokes" are holes; of an "outline" all around it is unknown.
        kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = ("boxes", "strokes", "outline")

    def __init__(self, settings: Settings, *, size: int | Size) -> None:
        super().__init__()
        self.size, self.kinds = Size.of(size), settings.kinds
        self.draws = 1 + max(DRAWS[kind] for kind in self.kinds)

    def forward(self, uniform: Tensor) -> Tensor:
        """[N, draws] in [0, 1) -> float32 [N, 1, H, W], 1 where a picture is unknown.

        Raises ValueError for another shape.
        """
        if uniform.shape[1:] != (self.draws,):
            raise ValueError(f"numbers {list(uniform.shape)} should be {[len(uniform), self.draws]}")
        which = (uniform[:, 0] * len(self.kinds)).long()
        masks = torch.zeros(len(uniform), *self.size.hw, dtype=torch.bool, device=uniform.device)
        for index, kind in enumerate(self.kinds):
            rows = which == index
            masks[rows] = DRAWN[kind](Dice(uniform[rows, 1:], torch.float32), self.size)
        return masks[:, None].float()


def boxes(dice: Dice, size: Size) -> Tensor:
    """One to four boxes: bool [N, H, W]."""
    count = (dice.uniform(0, BOXES)).long() + 1
    unknown = torch.zeros(len(count), *size.hw, dtype=torch.bool, device=count.device)
    for index in range(BOXES):
        (top, bottom), (left, right) = (_stretch(dice, side, BOX) for side in size.hw)
        rows, columns = _between(top, bottom, size.height), _between(left, right, size.width)
        unknown = unknown | ((index < count)[:, None, None] & rows[:, :, None] & columns[:, None, :])
    return unknown


def strokes(dice: Dice, size: Size) -> Tensor:
    """One to four strokes of a round brush that zigzag, within the picture. Yu et al. 2019, algorithm 1. [N, H, W].

    They begin anywhere; of their parts the lengths are drawn uniformly, up to twice their mean.
    """
    height, width = size.hw
    count = dice.uniform(0, STROKES).long() + 1
    down = (torch.arange(height, device=count.device) + 0.5)[None, :, None]
    across = (torch.arange(width, device=count.device) + 0.5)[None, None, :]
    unknown = torch.zeros(len(count), *size.hw, dtype=torch.bool, device=count.device)
    for index in range(STROKES):
        parts = dice.uniform(PARTS // 2, PARTS + 1).long()
        # At least 3/4 of a pixel to each side, within which there always is the middle of one.
        radius = (dice.uniform(*BRUSH) * size.shorter / 2).clamp(min=0.75)[:, None, None]
        angle = dice.uniform(0, 2 * math.pi)
        y, x = dice.uniform(0, height), dice.uniform(0, width)
        for part in range(PARTS):
            turn, length = TURN + SWAY * dice.uniform(-1, 1), dice.uniform(0, 2 * STEP * math.hypot(height, width))
            angle = angle + math.pi - turn if part % 2 else angle - math.pi + turn
            to_y, to_x = ((y + length * angle.sin()).clamp(0, height), (x + length * angle.cos()).clamp(0, width))
            met = _distance(down, across, (y, x), (to_y, to_x)) <= radius
            unknown = unknown | (met & ((index < count) & (part < parts))[:, None, None])
            y, x = to_y, to_x
    return unknown


def outline(dice: Dice, size: Size) -> Tensor:
    """All but a box, which half of the time lies at one end, down and across: bool [N, H, W]."""
    known = []
    for side in size.hw:
        length = (dice.uniform(*KNOWN) * side).floor().clamp(min=1)
        start = ((dice.uniform(-0.5, 1.5)).clamp(0, 1) * (side - length)).round()
        known.append(_between(start, start + length, side))
    return ~(known[0][:, :, None] & known[1][:, None, :])


DRAWN = {"boxes": boxes, "strokes": strokes, "outline": outline}
DRAWS = {"boxes": 1 + 4 * BOXES, "strokes": 1 + STROKES * (5 + 2 * PARTS), "outline": 4}  # numbers that each reads


def _stretch(dice: Dice, side: int, parts: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Begin and end of a part of a side, in whole pixels, one at least: [N] each."""
    length = (dice.uniform(*parts) * side).round().clamp(min=1)
    begin = (dice.uniform() * (side - length + 1)).floor()
    return begin, begin + length


def _between(begin: Tensor, end: Tensor, side: int) -> Tensor:
    """Which pixels of a side are from begin to before end: [N], [N] -> bool [N, side]."""
    places = torch.arange(side, device=begin.device)
    return (places >= begin[:, None]) & (places < end[:, None])


def _distance(down: Tensor, across: Tensor, start: tuple[Tensor, Tensor], end: tuple[Tensor, Tensor]) -> Tensor:
    """How far places are from the line between two points, [N] each coordinate: [N, H, W]."""
    (y, x), (to_y, to_x) = (tuple(value[:, None, None] for value in point) for point in (start, end))
    dy, dx = to_y - y, to_x - x
    along = ((down - y) * dy + (across - x) * dx) / (dy.square() + dx.square()).clamp(min=1e-6)
    along = along.clamp(0, 1)
    return ((down - y - along * dy).square() + (across - x - along * dx).square()).sqrt()
