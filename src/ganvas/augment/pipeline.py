"""What every augmentation is: stages one after another, pure functions of pictures, uniform numbers and a strength."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganvas.core.dice import Dice
from ganvas.core.errors import UsageError
from ganvas.core.sizes import Size


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
