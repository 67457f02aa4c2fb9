"""How many pictures are drawn at a time, so that a seed gives the same picture however many are asked for.

Kernels choose how they sum by the size of a batch, and another order of sums rounds otherwise. So pictures are drawn in
chunks of one size, and the last of them is filled up. A smaller chunk, in which a few pictures are sooner done, is
taken only after it has been found to give the same bits as the whole size on this machine.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ganvas.training.draws import latents_of_seeds

SIZES = (1, 4, 16, 64)
_PIXELS = 64 * 64 * 64  # of a chunk of the largest size; of larger pictures fewer are drawn at a time

Draw = Callable[[Tensor, Tensor | None, float], Tensor]


class Chunks:
    """The sizes of chunks for a way to draw.

    draw: (latents [N, latent], labels int64 [N] or None without classes, truncation) -> pictures [N, C, H, W].
    """

    def __init__(self, draw: Draw, latent: int, classes: int, device: torch.device) -> None:
        self._draw, self._latent, self._classes, self._device = draw, latent, classes, device
        pixels = self._drawn(0, 1)[0, 0].numel()
        self.whole = max((size for size in SIZES if size * pixels <= _PIXELS), default=SIZES[0])
        self._found: dict[int, bool] = {self.whole: True}

    def plan(self, count: int) -> list[int]:
        """The sizes of the chunks in which so many pictures are drawn, in order; together they have room for all."""
        chunks, rest = divmod(count, self.whole)
        return [self.whole] * chunks + ([self._fitting(rest)] if rest else [])

    def _fitting(self, count: int) -> int:
        """The smallest size that holds so many, at most the whole, and gives the same pictures as the whole."""
        return next(size for size in SIZES if size >= count and self._as_whole(size))

    def _as_whole(self, size: int) -> bool:
        if size not in self._found:
            whole = self._drawn(0, self.whole)
            places = (0, self.whole // 2, self.whole - size)
            self._found[size] = all(torch.equal(self._drawn(at, size), whole[at : at + size]) for at in places)
        return self._found[size]

    def _drawn(self, start: int, count: int) -> Tensor:
        """The pictures of some seeds as one chunk, as floats."""
        seeds = range(start, start + count)
        classes = torch.tensor([seed % self._classes for seed in seeds]) if self._classes else None
        latents = latents_of_seeds(seeds, self._latent).to(self._device)
        with torch.inference_mode():
            return self._draw(latents, None if classes is None else classes.to(self._device), 1.0).cpu()
