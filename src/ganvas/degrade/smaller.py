"""What every degradation is: pictures in, pictures a whole number of times smaller out."""

import torch
from torch import Tensor, nn

from ganvas.core.errors import UsageError
from ganvas.core.images import to_float, to_uint8
from ganvas.core.sizes import Size


class Degradation(nn.Module):
    """A pure function of pictures and uniform numbers, on the CPU, without weights or state, not differentiable.

    draws: how many numbers each picture needs. scale: how many times smaller a picture becomes. size: of the pictures
    that go in. Raises UsageError for a size that is no multiple of the scale.
    """

    draws: int

    def __init__(self, *, scale: int, size: int | Size, channels: int) -> None:
        super().__init__()
        self.scale, self.size, self.channels = scale, Size.of(size), channels
        if self.size.height % scale or self.size.width % scale:
            near = Size(*(max(1, side // scale) * scale for side in self.size.hw))
            raise UsageError(
                f"size {self.size}: pictures that become {scale} times smaller need multiples of {scale}: --size {near}"
            )
        self.small = self.size.over(scale)

    @torch.no_grad()
    def forward(self, pictures: Tensor, uniform: Tensor) -> Tensor:
        """[N, C, H, W] in [-1, 1], [N, draws] in [0, 1) -> float32 [N, C, H / scale, W / scale], of 8-bit values.

        Raises ValueError for another shape.
        """
        shape, numbers = (self.channels, *self.size.hw), (len(pictures), self.draws)
        if pictures.shape[1:] != shape or uniform.shape != numbers:
            raise ValueError(
                f"pictures {list(pictures.shape)} and numbers {list(uniform.shape)} should be "
                f"{[len(pictures), *shape]} and {list(numbers)}"
            )
        with torch.autocast(pictures.device.type, enabled=False):
            small = [self.degraded(*one) for one in zip(pictures.float(), uniform, strict=True)]
        return to_float(to_uint8(torch.stack(small))) if small else pictures.new_zeros(0, *shape[:1], *self.small.hw)

    def degraded(self, picture: Tensor, uniform: Tensor) -> Tensor:
        """One picture [C, H, W] in [-1, 1], its numbers [draws] -> [C, H / scale, W / scale]."""
        raise NotImplementedError
