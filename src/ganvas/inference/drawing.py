"""From latents to pictures by any family's network: what sampling does, and what an exported file holds."""

from typing import Any

from torch import Tensor, nn

from ganvas.inference.space import space_of


class Drawing(nn.Module):
    """A generator's network with truncation: by its w where it has one (Karras et al. 2019), else by its latents."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network: Any = network

    def forward(self, latents: Tensor, truncation: Tensor | float, labels: Tensor | None = None) -> Tensor:
        """float32 [N, Z], scalar, int64 [N] -> [N, C, H, W], about [-1, 1]; labels are not read without classes."""
        space = space_of(self.network)
        return space.draw(space.truncate(space.points(latents, labels), truncation), labels)
