"""What a network from pictures to pictures is to learn: what it is given of a picture, and what it should make of it.

Each problem is a pure function of pictures and of uniform numbers drawn elsewhere. Pictures are float [N, C, H, W] in
[-1, 1]; `given` is what the network reads, `wanted` and `made` are what it should make and makes.
"""

from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas import degrade
from ganvas.core.lab import apart, together
from ganvas.core.settings import by_name, settings
from ganvas.core.sizes import Size
from ganvas.degrade.bicubic import Bicubic
from ganvas.degrade.hints import Hints
from ganvas.degrade.masks import Masks


class Problem(nn.Module):
    """What every problem says. The shape of `made` is that of `wanted`.

    mode: how it is applied to pictures, a name in `inference.modes`. pictures: channels that it is posed with. inputs,
    outputs: those of the network. judged: those that a discriminator sees. scale: how many times larger what is made
    is. draws: numbers that a picture needs. baseline: what is to be surpassed, in a word.
    """

    mode: str
    pictures: int
    inputs: int
    outputs: int
    judged: int
    scale = 1
    draws = 0
    baseline: str

    def pose(self, pictures: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
        """[N, pictures, H, W], [N, draws] -> given [N, inputs, H / scale, W / scale], wanted [N, outputs, H, W]."""
        raise NotImplementedError

    def answer(self, given: Tensor, made: Tensor) -> Tensor:
        """What counts of what the network made, where part of the answer is known."""
        return made

    def seen(self, given: Tensor, answer: Tensor) -> Tensor:
        """What a discriminator sees of an answer, made or wanted: [N, judged, H, W]."""
        return answer

    def picture(self, given: Tensor, answer: Tensor) -> Tensor:
        """An answer as a picture to look at: [N, 1 or 3, H, W]."""
        return answer

    def plain(self, given: Tensor) -> Tensor:
        """The answer of the baseline, which has learned nothing: [N, outputs, H, W]."""
        raise NotImplementedError

    def shown(self, given: Tensor) -> Tensor:
        """What was given, as a picture of the size of the answers: [N, 1 or 3, H, W]."""
        return self.picture(given, self.plain(given))


class Paired(Problem):
    """One picture of a pair of the other: drawing to photo, map to aerial view. Isola et al. 2017 (pix2pix).

    Pairs come as [N, 2C, H, W]. A discriminator sees both; the baseline leaves the picture as it is.
    """

    baseline = "unchanged"

    @settings
    class Settings:
        """Settings of the problem."""

        name: Literal["paired"] = "paired"
        backwards: bool = False  # the first picture of each pair is made of the second

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, scale: int = 1) -> None:
        super().__init__()
        self.mode = "grey" if channels == 1 else "rgb"
        self.inputs = self.outputs = channels
        self.pictures = self.judged = 2 * channels
        self._backwards = settings.backwards

    def pose(self, pictures: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
        """The two pictures of each pair."""
        first, second = pictures.split(self.inputs, dim=1)
        return (second, first) if self._backwards else (first, second)

    def seen(self, given: Tensor, answer: Tensor) -> Tensor:
        """The picture and its answer, one over the other."""
        return torch.cat([given, answer], dim=1)

    def plain(self, given: Tensor) -> Tensor:
        """The picture itself."""
        return given


class Superres(Problem):
    """A larger picture of a small one. Ledig et al. 2017 (SRGAN); Wang et al. 2021 (Real-ESRGAN).

    A discriminator sees the large picture alone; the baseline is bicubic.
    """

    baseline = "bicubic"

    @settings
    class Settings:
        """Settings of the problem."""

        name: Literal["superres"] = "superres"
        degradation: Annotated[Any, by_name(degrade.degradation, "problem.degradation", usual="bicubic")] = (
            Bicubic.Settings()
        )  # how the small pictures come to be

    def __init__(self, settings: Settings, *, size: int | Size, channels: int, scale: int) -> None:
        """Raises UsageError for a size that is no multiple of the scale."""
        super().__init__()
        self.mode, self.scale = "restore", scale
        self.pictures = self.inputs = self.outputs = self.judged = channels
        degradation = degrade.degradation(settings.degradation.name)
        self._degradation = degradation(settings.degradation, scale=scale, size=size, channels=channels)
        self.draws = self._degradation.draws

    def pose(self, pictures: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
        """The picture made smaller, and itself."""
        small = self._degradation(pictures.float().cpu(), uniform.float().cpu())
        return small.to(pictures.device, pictures.dtype), pictures

    def plain(self, given: Tensor) -> Tensor:
        """Enlarged by bicubic interpolation."""
        return functional.interpolate(given.float(), scale_factor=self.scale, mode="bicubic", antialias=True).clamp(
            -1, 1
        )

    def shown(self, given: Tensor) -> Tensor:
        """Each pixel as a square."""
        return given.repeat_interleave(self.scale, dim=2).repeat_interleave(self.scale, dim=3)


class Inpaint(Problem):
    """What is missing of a picture. Pathak et al. 2016; Yu et al. 2019. In colour.

    A discriminator sees the picture with its holes filled, and the mask; the baseline fills in the mean of the rest.
    """

    mode = "inpaint"
    pictures, inputs, outputs, judged = 3, 4, 3, 4
    baseline = "mean fill"

    @settings
    class Settings:
        """Settings of the problem."""

        name: Literal["inpaint"] = "inpaint"
        masks: Masks.Settings = Masks.Settings()

    def __init__(self, settings: Settings, *, size: int | Size, channels: int = 3, scale: int = 1) -> None:
        super().__init__()
        self._masks = Masks(settings.masks, size=size)
        self.draws = self._masks.draws

    def pose(self, pictures: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
        """The picture, grey where it is unknown, with the mask of that; and the whole picture."""
        mask = self._masks(uniform).to(pictures.dtype)
        return torch.cat([pictures * (1 - mask), mask], dim=1), pictures

    def answer(self, given: Tensor, made: Tensor) -> Tensor:
        """What was made where the picture is unknown, and the picture elsewhere."""
        known, mask = given.split([3, 1], dim=1)
        return known * (1 - mask) + made * mask

    def seen(self, given: Tensor, answer: Tensor) -> Tensor:
        """The answer and the mask."""
        return torch.cat([answer, given[:, 3:]], dim=1)

    def plain(self, given: Tensor) -> Tensor:
        """Each hole in the mean colour of what is known of its picture."""
        known, mask = given.float().split([3, 1], dim=1)
        mean = known.sum(dim=(2, 3), keepdim=True) / (1 - mask).sum(dim=(2, 3), keepdim=True).clamp(min=1)
        return self.answer(given, mean.expand_as(known))

    def shown(self, given: Tensor) -> Tensor:
        """Grey where it is unknown."""
        return given[:, :3]


class Colorize(Problem):
    """The colours of a grey picture. Zhang et al. 2016; with hints, Zhang et al. 2017. In CIELAB.

    A discriminator sees lightness and colour; the baseline leaves the picture grey.
    """

    mode = "lab-colorize"
    pictures, outputs, judged = 3, 2, 3
    baseline = "grey"

    @settings
    class Settings:
        """Settings of the problem."""

        name: Literal["colorize"] = "colorize"
        hints: bool = False  # the network is also told the colours of a few places, or of none

    def __init__(self, settings: Settings, *, size: int | Size, channels: int = 3, scale: int = 1) -> None:
        super().__init__()
        self._hints = Hints(size=size) if settings.hints else None
        self.inputs, self.draws = (1, 0) if self._hints is None else (4, self._hints.draws)

    def pose(self, pictures: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
        """The lightness, with hints and the mask of them behind it; and the colours."""
        lightness, colour = apart(pictures)
        hints = [] if self._hints is None else [self._hints(colour, uniform)]
        return torch.cat([lightness, *hints], dim=1), colour

    def seen(self, given: Tensor, answer: Tensor) -> Tensor:
        """Lightness and colour."""
        return torch.cat([given[:, :1], answer], dim=1)

    def picture(self, given: Tensor, answer: Tensor) -> Tensor:
        """In RGB."""
        return together(given[:, :1], answer.float().clamp(-1, 1))

    def shown(self, given: Tensor) -> Tensor:
        """The lightness, with the colours that are hinted."""
        hinted = given[:, 1:3] if self._hints is not None else self.plain(given)
        return together(given[:, :1], hinted)

    def plain(self, given: Tensor) -> Tensor:
        """No colour."""
        return given.new_zeros(len(given), 2, *given.shape[2:])
