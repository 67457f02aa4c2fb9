"""Some judged pictures side by side: what was given, what the baseline and the network made of it, what is true."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganvas.core.evenly import in_shares
from ganvas.core.sizes import Size
from ganvas.data.fit import convert, covered
from ganvas.inference.posing import Posed
from ganvas.inference.whole import middle

MOST = 12  # pictures
_SIDE = 160  # pixels


@dataclass(frozen=True)
class Sheet:
    """heads: of the columns. pictures: uint8 [N, columns, 3, H, W]."""

    heads: tuple[str, ...]
    pictures: np.ndarray


class SheetMaker:
    """Takes pictures up one by one, and keeps some."""

    def __init__(self, sizes: Sequence[Size], baseline: str, enlarged: bool) -> None:
        """sizes: of all pictures to come. enlarged: their middles are shown pixel by pixel; else all of them, small."""
        count = min(MOST, len(sizes))
        self._places = set(in_shares(count, len(sizes)).tolist())
        self._side = min(_SIDE, *(sizes[place].shorter for place in self._places))
        self._baseline, self._enlarged = baseline, enlarged
        self._rows: list[tuple[Tensor, ...]] = []
        self._place = 0

    def add(self, posed: Posed) -> None:
        """Take up the next picture."""
        if self._place in self._places:
            columns = (posed.given, posed.baseline, posed.made, posed.true)
            self._rows.append(tuple(self._small(one) for one in columns if one is not None))
        self._place += 1

    def sheet(self) -> Sheet:
        """What was kept; a baseline that is what was given has no column of its own."""
        pictures = torch.stack([torch.stack(row) for row in self._rows])
        heads = ("given", self._baseline, "made", "true")[: pictures.shape[1]]
        if torch.equal(pictures[:, 0], pictures[:, 1]):
            pictures, heads = pictures[:, 1:], (f"given ({self._baseline})", *heads[2:])
        return Sheet(heads, pictures.numpy())

    def _small(self, picture: Tensor) -> Tensor:
        pixels = picture[0].numpy()
        shown = middle(pixels, self._side, self._side) if self._enlarged else covered(pixels, Size.of(self._side))
        return torch.from_numpy(convert(shown, 3).copy())
