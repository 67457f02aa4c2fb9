"""How pictures become what a network from pictures to pictures reads, and what it makes becomes pictures.

A card names one of these as its mode. Pictures are float [1, 3, H, W] in [-1, 1], those in grey with three equal
channels; for `inpaint` a mask [1, 1, H, W] follows as a fourth, 1 where the picture is unknown. For
`lab-colorize` with hints a picture of their colours follows, and a mask that is 1 where they say one.
"""

from typing import Protocol

import torch
from torch import Tensor

from ganvas.core.errors import DataError
from ganvas.core.lab import apart, together
from ganvas.core.parts import nearest

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's


class Mode(Protocol):
    """channels: what networks it fits, as (inputs, outputs). keeps_grey: grey pictures come back grey. masked: pictures
    come with a mask. hinted: they may come with hints of colours, which those networks read that have room for them.
    on_white: what is transparent is laid on white, as in training; else colours are read as they are below the alpha.
    """

    channels: tuple[tuple[int, int], ...]
    keeps_grey: bool
    masked: bool
    hinted: bool
    on_white: bool

    def given(self, picture: Tensor, inputs: int) -> Tensor:
        """What the network reads of a picture: [1, inputs, H, W]."""
        ...

    def made(self, picture: Tensor, made: Tensor) -> Tensor:
        """A picture [1, 1 or 3, H * scale, W * scale] in [-1, 1] of what the network made of this one."""
        ...


class Rgb:
    """Something else of a picture, in colour: drawing to photo, photo to painting. Grey networks read its luma."""

    channels: tuple[tuple[int, int], ...] = ((3, 3), (1, 3))
    keeps_grey = False
    masked = False
    hinted = False
    on_white = True

    def given(self, picture: Tensor, inputs: int) -> Tensor:
        """The colours, or their luma."""
        return picture if inputs == 3 else luma(picture)

    def made(self, picture: Tensor, made: Tensor) -> Tensor:
        """As it is, within [-1, 1]."""
        return made.clamp(-1, 1)


class Grey(Rgb):
    """Something else of a picture, in grey."""

    channels: tuple[tuple[int, int], ...] = ((1, 1), (3, 1))


class Restore(Rgb):
    """The same picture, larger or cleaner: one in grey stays grey."""

    channels: tuple[tuple[int, int], ...] = ((3, 3), (1, 1))
    keeps_grey = True
    on_white = False


class Colorize:
    """Lightness in, colour out, as `core.lab.apart` gives them; the lightness of the result is the picture's.

    Networks with hints (Zhang et al. 2017) read the lightness, the colours of the hints, 0 where there are none, and 1
    where there are.
    """

    channels: tuple[tuple[int, int], ...] = ((1, 2), (4, 2))
    keeps_grey = False
    masked = False
    hinted = True
    on_white = False

    def given(self, picture: Tensor, inputs: int) -> Tensor:
        """The lightness, and behind it what the hints say."""
        lightness = apart(picture[:, :3])[0]
        if inputs == 1:
            return lightness
        said, where = apart(picture[:, 3:6])[1], picture[:, 6:]
        return torch.cat([lightness, said * where, where], dim=1)

    def made(self, picture: Tensor, made: Tensor) -> Tensor:
        """The lightness with the colours that were made."""
        return together(apart(picture[:, :3])[0], made.clamp(-1, 1))


class Inpaint:
    """A picture, its holes in middle grey, and the mask of the holes in; all that is known is kept to the bit."""

    channels: tuple[tuple[int, int], ...] = ((4, 3),)
    keeps_grey = True
    masked = True
    hinted = False
    on_white = False

    def given(self, picture: Tensor, inputs: int) -> Tensor:
        """The picture without what is unknown, and the mask."""
        colours, mask = picture[:, :3], picture[:, 3:]
        return torch.cat([colours * (1 - mask), mask], dim=1)

    def made(self, picture: Tensor, made: Tensor) -> Tensor:
        """What was made where the mask is, and the picture elsewhere."""
        return torch.where(picture[:, 3:] > 0, made.clamp(-1, 1), picture[:, :3])


MODES: dict[str, Mode] = {
    "rgb": Rgb(),
    "grey": Grey(),
    "restore": Restore(),
    "lab-colorize": Colorize(),
    "inpaint": Inpaint(),
}


def mode(name: str, inputs: int, outputs: int) -> Mode:
    """The mode of a name. Raises DataError if there is none, or if a network of these channels cannot work in it."""
    if name not in MODES:
        raise DataError(f"There is no mode {name!r} for a network of pictures: {nearest(name, MODES)}")
    found = MODES[name]
    if (inputs, outputs) not in found.channels:
        fitting = " or ".join(f"{before} to {after}" for before, after in found.channels)
        raise DataError(f"A network from {inputs} channels to {outputs} cannot be of mode {name!r}: from {fitting}")
    return found


def luma(pictures: Tensor) -> Tensor:
    """[N, 3, H, W] -> [N, 1, H, W]; of three equal channels exactly one of them."""
    red, green, blue = pictures.split(1, dim=1)
    weighed = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    return torch.where((red == green) & (green == blue), green, weighed)
