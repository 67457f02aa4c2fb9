"""The size of a picture: its height and width in pixels, written 64 for a square and 96x64 for 96 wide and 64 high.

Picture programs say the width first, tensors [N, C, H, W] have the height first: a `Size` has both by name.
"""

import dataclasses
import math
import operator
import re
from typing import Any, Self

from pydantic_core import CoreSchema, core_schema

from ganvas.core.errors import UsageError

QUARTERS = 4  # the longer side of what the convolutional networks make: so many quarters of the shorter one, or more
MOST_QUARTERS = 16  # ... and at most; a picture is then four times as long as wide


@dataclasses.dataclass(frozen=True, eq=False)
class Size:
    """Height and width in pixels, both at least 1. A square equals the whole number that is its side."""

    height: int
    width: int

    @classmethod
    def of(cls, value: "int | str | Size") -> "Size":
        """64, "64", "96x64" (width x height) or a size as a size. Raises UsageError for anything else."""
        if isinstance(value, Size):
            return value
        written = value if isinstance(value, str) else "" if isinstance(value, bool) else _number(value)
        found = re.fullmatch(r"0*([1-9]\d{0,5})(?:[xX×]0*([1-9]\d{0,5}))?", written.replace(" ", ""))
        if found is None:
            raise UsageError(f"size {value}: write it like 64, or like 96x64 for pictures 96 pixels wide and 64 high")
        return cls(height=int(found[2] or found[1]), width=int(found[1]))

    def __str__(self) -> str:
        return str(self.width) if self.square else f"{self.width}x{self.height}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Size):
            return self.hw == other.hw
        return self.square and self.width == other if isinstance(other, int) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.width if self.square else self.hw)

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width, as the last two dimensions of a tensor of pictures."""
        return self.height, self.width

    @property
    def square(self) -> bool:
        """Whether both sides are the same."""
        return self.height == self.width

    @property
    def shorter(self) -> int:
        """The shorter side."""
        return min(self.hw)

    @property
    def longer(self) -> int:
        """The longer side."""
        return max(self.hw)

    @property
    def area(self) -> int:
        """Pixels in all."""
        return self.height * self.width

    @property
    def side(self) -> float:
        """The side of the square of the same area; exact for a square."""
        return math.sqrt(self.area)

    @property
    def turned(self) -> Self:
        """Height and width exchanged."""
        return type(self)(self.width, self.height)

    @property
    def words(self) -> str:
        """For people: "96 x 64", also of a square."""
        return f"{self.width} x {self.height}"

    @property
    def plain(self) -> int | str:
        """For files: the side of a square, else "96x64"."""
        return self.width if self.square else str(self)

    @property
    def simplest(self) -> "int | Size":
        """For Python: the side of a square, else this. What networks, generators and data sets give as their `size`."""
        return self.width if self.square else self

    def times(self, factor: int) -> Self:
        """Both sides multiplied."""
        return type(self)(self.height * factor, self.width * factor)

    def over(self, divisor: int) -> Self:
        """Both sides divided and rounded down, to 1 at least."""
        return type(self)(max(1, self.height // divisor), max(1, self.width // divisor))

    def within(self, limit: int) -> Self:
        """This, or where a side is longer than `limit` the size of about the same shape whose longer side is that."""
        if self.longer <= limit:
            return self
        shorter = max(1, round(self.shorter * limit / self.longer))
        return type(self)(limit, shorter) if self.height > self.width else type(self)(shorter, limit)

    def like(self, shorter: int) -> Self:
        """The size of this shape whose shorter side is given; its longer side is the nearest number of quarters of it.

        So many quarters, 4 to 16, as the convolutional networks make. shorter: a multiple of 4.
        """
        quarters = min(MOST_QUARTERS, round(QUARTERS * self.longer / self.shorter))
        longer = shorter * quarters // QUARTERS
        return type(self)(longer, shorter) if self.height > self.width else type(self)(shorter, longer)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        """In settings: read from a whole number or text."""
        return core_schema.no_info_plain_validator_function(_validated)


def _number(value: Any) -> str:
    """A whole number, such as one of an array, as text; of anything else none."""
    try:
        return str(operator.index(value))
    except TypeError:
        return ""


def _validated(value: Any) -> Size:
    try:
        return Size.of(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


def multiple_from(number: int, multiple: int) -> int:
    """The smallest multiple that is not below a number."""
    return -(-number // multiple) * multiple
