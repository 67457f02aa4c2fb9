"""What an exported file holds: from latents to pictures, as sampling does, or from pictures to pictures of any size."""

from typing import Any

import torch
from torch import Tensor, nn

from ganvas.inference.space import space_of
from ganvas.networks.translating import Translator


class Drawing(nn.Module):
    """A generator's network with truncation: by its w where it has one (Karras et al. 2019), else by its latents."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network: Any = network

    def forward(self, latents: Tensor, truncation: Tensor | float, labels: Tensor | None = None) -> Tensor:
        """float32 [N, Z], scalar, int64 [N] -> [N, C, H, W], about [-1, 1]; labels are not read without classes."""
        space = space_of(self.network)
        return space.draw(space.truncate(space.points(latents, labels), truncation), labels)


class Translating(nn.Module):
    """A translator's network for sizes that are known only when it is run.

    Its own extension of pictures by their mirror image counts in Python how many rows there are to add; here they are
    taken by numbers that are part of the graph.
    """

    def __init__(self, network: Translator) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """float32 [N, inputs, H, W] -> [N, outputs, H * scale, W * scale], as the network's own `forward`."""
        network, (height, width) = self.network, images.shape[2:]
        if max(network.multiple, network.least) > 1:
            images = self._extended(self._extended(images, 2), 3)
        made = network.translate(images)
        return made[:, :, : height * network.scale, : width * network.scale]

    def _extended(self, images: Tensor, along: int) -> Tensor:
        """As `translating.extended` along one side."""
        length, multiple = images.shape[along], self.network.multiple
        wanted = torch.sym_max((length + multiple - 1) // multiple * multiple, self.network.least)
        places = torch.arange(wanted, device=images.device)
        mirrored = (2 * (length - 1) - places).clamp(min=0)
        return images.index_select(along, torch.where(places < length, places, mirrored))
