"""Which pictures a run learns, and how they are brought to its networks."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ganvas.core.settings import settings
from ganvas.core.sizes import Size
from ganvas.data import Dataset, open_data
from ganvas.training.trainer import Count

_SMALLEST = 4  # pixels a side


def _not_too_small(size: Size) -> Size:
    if size.shorter < _SMALLEST:
        raise ValueError(f"pictures have {_SMALLEST} pixels a side or more")
    return size


PictureSize = Annotated[Size, AfterValidator(_not_too_small)]


@settings
class DataSettings:
    """The pictures that are learned."""

    where: str  # a folder, an archive or a name
    size: PictureSize  # pixels a side, or "96x64" for pictures 96 pixels wide and 64 high
    channels: Literal[1, 2, 3, 4]  # grey, grey with transparency, colour, colour with transparency
    classes: tuple[str, ...] = ()  # names of the classes that the networks know; empty: unconditional
    held_out: Annotated[int, Field(ge=0)] = 0  # pictures that training does not see, so that the watch can compare
    test: str | None = None  # data that the watch takes in their place: a named set's test part
    mirror: bool = False  # show each picture mirrored left to right half of the time
    threads: Count | None = None  # threads that decode; changes the speed of reading only

    @property
    def conditional(self) -> bool:
        """Whether pictures are made of a class."""
        return bool(self.classes)

    def opened(self, where: str, **how: Any) -> Dataset:
        """The data at a place, which is `where` or `test`, as the networks take it. how: arguments of `open_data`."""
        return open_data(where, size=self.size, channels=self.channels, **how)

    def check(self) -> None:
        """Raises UsageError for data that nothing is learned from, whatever the pictures are; here there is none."""
