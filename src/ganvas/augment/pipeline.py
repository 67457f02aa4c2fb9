"""What every augmentation is: stages one after another, pure functions of pictures, uniform numbers and a strength."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size

_BELOW_ONE = 1 - 2**-24  # the largest float32 below 1


class Dice:
    """Reads the uniform numbers of each picture from left to right, as whatever distribution is asked for.

    uniform: [N, draws] in [0, 1). Every method returns [N] unless it says otherwise.
    """

    def __init__(self, uniform: Tensor, dtype: torch.dtype) -> None:
        self._uniform = uniform.to(dtype).clamp(max=_BELOW_ONE)  # float64 just below 1 rounds up to 1 in float32
        self._read = 0

    def take(self, count: int) -> Tensor:
        """The next `count` numbers as they are: [N, count]."""
        self._read += count
        return self._uniform[:, self._read - count : self._read]

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """From U(low, high)."""
        return low + (high - low) * self.take(1)[:, 0]

    def normal(self, deviation: float) -> Tensor:
        """From N(0, deviation^2)."""
        return deviation * normal_of(self.take(1)[:, 0])

    def lognormal(self, deviation: float) -> Tensor:
        """From exp N(0, deviation^2)."""
        return self.normal(deviation).exp()

    def happens(self, p: float | Tensor) -> Tensor:
        """bool: true with probability p; never at 0, always at 1."""
        return self.take(1)[:, 0] < p


def normal_of(uniform: Tensor) -> Tensor:
    """The quantiles of N(0, 1) at these numbers in [0, 1), of the same shape, finite: within 5.3 of 0."""
    return math.sqrt(2) * torch.erfinv((2 * uniform - 1).clamp(-_BELOW_ONE, _BELOW_ONE))


def for_pictures(values: Tensor) -> Tensor:
    """[N] -> [N, 1, 1, 1], to meet pictures [N, C, H, W]."""
    return values.view(-1, 1, 1, 1)


class Stage(nn.Module):
    """One group of transformations.

    draws: how many uniform numbers it reads for each picture, whatever p is. Its forward takes pictures [N, C, H, W] in
    float32 or float64, the dice, and p; each transformation meets a picture with probability p, and a picture that none
    meets is returned to the bit. It is twice differentiable in the pictures.
    """

    draws: int


class Pipeline(nn.Module):
    """Stages one after another.

    draws: how many uniform numbers each picture needs. It has no weights and no state, nothing that a checkpoint holds.
    """

    def __init__(self, stages: Sequence[Stage], *, size: int | Size, channels: int) -> None:
        super().__init__()
        if not 1 <= channels <= 4:
            raise UsageError(f"{channels} channels: pictures have 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha)")
        self.size, self.channels = Size.of(size), channels
        self.stages = nn.ModuleList(stages)
        self.draws = sum(stage.draws for stage in stages)

    def forward(self, pictures: Tensor, uniform: Tensor, p: float | Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1], [N, draws] in [0, 1), p in [0, 1] -> [N, C, H, W] of the pictures' type.

        Colours may leave [-1, 1]. Computed in float32, or float64 if the pictures are, also under autocast; each row is
        a function of its own picture and numbers. p may be a tensor without dimensions; it is not brought to the host.
        Raises ValueError for another shape.
        """
        shape, numbers = (self.channels, *self.size.hw), (len(pictures), self.draws)
        if pictures.shape[1:] != shape or uniform.shape != numbers:
            raise ValueError(
                f"pictures {list(pictures.shape)} and numbers {list(uniform.shape)} should be "
                f"{[len(pictures), *shape]} and {list(numbers)}"
            )
        dtype = torch.promote_types(pictures.dtype, torch.float32)
        dice = Dice(uniform, dtype)
        with torch.autocast(pictures.device.type, enabled=False):
            changed = pictures.to(dtype)
            for stage in self.stages:
                changed = stage(changed, dice, p)
        return changed.to(pictures.dtype)


def known_once(names: Sequence[str]) -> None:
    """Raise ValueError unless there is a stage at all and each is named once."""
    if not names or len(set(names)) != len(names):
        raise ValueError("name at least one stage, and each once")
