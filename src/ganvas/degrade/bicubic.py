"""Clean pictures made smaller, as most papers on super-resolution do."""

from typing import Literal

from torch import Tensor
from torch.nn import functional

from ganvas.core.settings import settings
from ganvas.core.sizes import Size
from ganvas.degrade.smaller import Degradation


class Bicubic(Degradation):
    """Bicubic, with a kernel as wide as what becomes one pixel (antialiased), as Pillow's. Keys 1981. Draws nothing.

    A network that learns from this knows pictures without noise or traces of compression, and keeps those of others.
    """

    @settings
    class Settings:
        """Settings of the degradation."""

        # Its name.
        name: Literal["bicubic"] = "bicubic"

    draws = 0

    def __init__(self, settings: Settings, *, scale: int, size: int | Size, channels: int) -> None:
        super().__init__(scale=scale, size=size, channels=channels)

    def degraded(self, picture: Tensor, uniform: Tensor) -> Tensor:
        """[C, H, W] -> [C, H / scale, W / scale]."""
        return shrunk(picture[None], self.small)[0]


def shrunk(pictures: Tensor, size: Size) -> Tensor:
    """[N, C, H, W] -> those of a smaller size, a little beyond [-1, 1] beside sharp edges."""
    return functional.interpolate(pictures, size=size.hw, mode="bicubic", antialias=True)
