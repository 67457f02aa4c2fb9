"""From a small map to a picture by doublings: which sizes that makes, one rule for all families that do it."""

import dataclasses
import math
from typing import Self

from ganvas.core.errors import UsageError
from ganvas.core.sizes import MOST_QUARTERS, QUARTERS, Size

BASE = 4  # the shorter side of the smallest map
_NAMED = 2  # sizes that a message names


@dataclasses.dataclass(frozen=True)
class Doublings:
    """How a picture comes of its smallest map. size: of the picture. base: of that map. count: of the doublings.

    The shorter side of a picture is a power of two and that of its base 4: at 64 x 64 the base is 4 x 4, at 96 x 64 it
    is 6 x 4. A base is as long as 16 : 4 at most.
    """

    size: Size
    base: Size
    count: int

    @classmethod
    def of(cls, size: int | Size, family: str, smallest: int, largest: int, otherwise: str) -> Self:
        """Those of a picture. Raises UsageError, in a family's name, for a size that they do not make.

        smallest, largest: of the shorter side. otherwise: what else makes other squares.
        """
        size = Size.of(size)
        if not _made(size, smallest, largest):
            powers = ", ".join(map(str, _powers(smallest, largest)))
            sides = f"{family} makes pictures of {powers} pixels a side"
            if size.square:
                raise UsageError(f"{sides}, not {size}: choose one, or {otherwise}")
            nearest = " or ".join(map(str, _nearest(size, smallest, largest)))
            raise UsageError(
                f"{sides}, the other up to {MOST_QUARTERS // QUARTERS} times as long in steps of a quarter, "
                f"not {size}: take {nearest}"
            )
        halved = size.shorter // BASE
        return cls(size, size.over(halved), int(math.log2(halved)))

    @property
    def sizes(self) -> list[Size]:
        """Of the maps, from the base to the picture."""
        return [self.base.times(2**doublings) for doublings in range(self.count + 1)]


def is_made(size: Size) -> bool:
    """Whether doublings make pictures of this size, by a family of the widest range."""
    return _made(size, 8, 1024)


def nearest_made(size: Size) -> Size:
    """The size that doublings make, by a family of the widest range, which is nearest to this one."""
    return _nearest(size, 8, 1024)[0]


def _made(size: Size, smallest: int, largest: int) -> bool:
    if size.shorter not in _powers(smallest, largest):
        return False
    return size.longer * QUARTERS % size.shorter == 0 and size.longer * QUARTERS <= MOST_QUARTERS * size.shorter


def _powers(smallest: int, largest: int) -> list[int]:
    return [2**power for power in range(int(math.log2(smallest)), int(math.log2(largest)) + 1)]


def _nearest(size: Size, smallest: int, largest: int) -> list[Size]:
    """Sizes that are made, as wide or as high, the nearest first: of a like shape and, half as much, a like area."""
    found = {
        Size(longer, shorter) if size.height > size.width else Size(shorter, longer)
        for shorter in _powers(smallest, largest)
        for longer in (shorter * quarters // QUARTERS for quarters in range(QUARTERS, MOST_QUARTERS + 1))
    }

    def far(other: Size) -> float:
        shape = abs(math.log(other.width / other.height * size.height / size.width))
        return 2 * shape + abs(math.log(other.area / size.area))

    return sorted(found, key=lambda other: (far(other), other.area))[:_NAMED]
